//! Layers: a struct that holds its parameters and a forward pass.

use candle_core::{Tensor, Var};

use super::NnError;
use super::fused::{self, Activation};
use super::init::Init;
use super::params::Params;

/// A fully connected layer with its activation.
#[derive(Debug, Clone)]
pub struct Linear {
    weight: Var,
    bias: Var,
    activation: Activation,
    frozen: bool,
}

impl Linear {
    /// `name.weight` [out, inputs] and `name.bias` [out], started as PyTorch does.
    ///
    /// # Errors
    /// [`NnError`] when the name is taken.
    pub fn new(
        params: &mut Params,
        name: &str,
        inputs: usize,
        out: usize,
        activation: Activation,
    ) -> Result<Self, NnError> {
        let init = Init::TorchLinear { fan_in: inputs };
        Self::with_init(params, name, (inputs, out), activation, (init, init))
    }

    /// As [`Linear::new`], weight and bias started otherwise.
    ///
    /// # Errors
    /// [`NnError`] when the name is taken.
    pub fn with_init(
        params: &mut Params,
        name: &str,
        (inputs, out): (usize, usize),
        activation: Activation,
        (weight, bias): (Init, Init),
    ) -> Result<Self, NnError> {
        Ok(Self {
            weight: params.add(&format!("{name}.weight"), &[out, inputs], weight)?,
            bias: params.add(&format!("{name}.bias"), &[out], bias)?,
            activation,
            frozen: false,
        })
    }

    /// The same layer as it stands now: gradients pass through it, none is computed for it.
    #[must_use]
    pub fn frozen(&self) -> Self {
        Self { frozen: true, ..self.clone() }
    }

    /// The weight [out, inputs].
    pub fn weight(&self) -> &Var {
        &self.weight
    }

    /// The bias [out].
    pub fn bias(&self) -> &Var {
        &self.bias
    }

    /// [n, inputs] → [n, out].
    ///
    /// # Errors
    /// Candle's, when the input has another width.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        let (weight, bias) = if self.frozen {
            (self.weight.detach(), self.bias.detach())
        } else {
            (self.weight.as_tensor().clone(), self.bias.as_tensor().clone())
        };
        Ok(fused::linear(x, &weight, &bias, self.activation)?)
    }
}

/// Fully connected layers one after the other.
#[derive(Debug, Clone)]
pub struct Mlp {
    layers: Vec<Linear>,
}

impl Mlp {
    /// Layers `name.0`, `name.1`, … of widths `sizes[0] → sizes[1] → …`; `hidden` follows each but the last, `last`
    /// the last.
    ///
    /// # Errors
    /// [`NnError`] when a name is taken.
    pub fn new(
        params: &mut Params,
        name: &str,
        sizes: &[usize],
        hidden: Activation,
        last: Activation,
    ) -> Result<Self, NnError> {
        let n = sizes.len().saturating_sub(1);
        let layers = sizes
            .windows(2)
            .enumerate()
            .map(|(i, w)| {
                let act = if i + 1 == n { last } else { hidden };
                Linear::new(params, &format!("{name}.{i}"), w[0], w[1], act)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { layers })
    }

    /// [n, first width] → [n, last width].
    ///
    /// # Errors
    /// Candle's, when the input has another width.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        self.layers.iter().try_fold(x.clone(), |x, layer| layer.forward(&x))
    }
}
