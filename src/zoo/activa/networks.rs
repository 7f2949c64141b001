//! Encoder, generator and classifier of ACTIVA.

use candle_core::{D, Tensor, Var};

use super::config::{ActivaConfig, Observation};
use crate::nn::{
    Activation, BatchNorm, CountLaw, Init, Linear, Mode, NnError, NormConfig, Params, Sampled, SparseBatch,
    SparseLinear, leaky_relu,
};

/// Range of the log-variance.
const LOG_VARIANCE: f64 = 10.0;

/// Cells as encoder and classifier take them.
#[derive(Debug, Clone)]
pub(super) enum Input {
    Sparse(SparseBatch),
    Dense(Tensor),
    Sampled(Sampled),
}

impl Input {
    /// The same cells without a way back to what they were made from.
    pub(super) fn detach(&self) -> Self {
        match self {
            Input::Sparse(x) => Input::Sparse(x.clone()),
            Input::Dense(x) => Input::Dense(x.detach()),
            Input::Sampled(x) => Input::Sparse(x.rows().clone()),
        }
    }
}

/// A first layer that takes sparse and dense cells, then layers; ReLU after each but the last.
#[derive(Debug, Clone)]
struct Stack {
    first: SparseLinear,
    rest: Vec<Linear>,
    norms: Vec<BatchNorm>,
}

impl Stack {
    /// Layers of widths `sizes`; batch normalisation follows ReLU where `norm` says so, and both follow the last layer
    /// when `head` is set.
    fn new(
        params: &mut Params,
        name: &str,
        sizes: &[usize],
        (norm, head): (bool, bool),
    ) -> Result<Self, NnError> {
        let init = Init::TorchLinear { fan_in: sizes[0] };
        let first = SparseLinear::new(params, &format!("{name}.0"), (sizes[0], sizes[1]), true, init)?;
        let last = sizes.len() - 2;
        let act = |i: usize| if i < last || head { Activation::RELU } else { Activation::Identity };
        let rest = (1..=last)
            .map(|i| Linear::new(params, &format!("{name}.{i}"), sizes[i], sizes[i + 1], act(i)))
            .collect::<Result<_, _>>()?;
        let normed = if !norm {
            0
        } else if head {
            last + 1
        } else {
            last
        };
        let norms = (0..normed)
            .map(|i| BatchNorm::new(params, &format!("{name}.{i}.norm"), sizes[i + 1], NormConfig::TORCH))
            .collect::<Result<_, _>>()?;
        Ok(Self { first, rest, norms })
    }

    /// As it stands now, without gradients of its own.
    fn frozen(&self) -> Self {
        Self {
            first: self.first.frozen(),
            rest: self.rest.iter().map(Linear::frozen).collect(),
            norms: self.norms.iter().map(BatchNorm::frozen).collect(),
        }
    }

    fn forward(&self, x: &Input, mode: Mode) -> Result<Tensor, NnError> {
        let y = match x {
            Input::Sparse(x) => self.first.forward_sparse(x)?,
            Input::Dense(x) => self.first.forward(x)?,
            Input::Sampled(x) => self.first.forward_sampled(x)?,
        };
        let mut y = leaky_relu(&y, 0.0)?;
        for i in 0..=self.rest.len() {
            if i > 0 {
                y = self.rest[i - 1].forward(&y)?;
            }
            if let Some(norm) = self.norms.get(i) {
                y = norm.forward(&y, None, mode)?;
            }
        }
        Ok(y)
    }
}

/// Cells → mean and log-variance of their codes.
#[derive(Debug, Clone)]
pub(super) struct Encoder {
    stack: Stack,
    latent: usize,
}

impl Encoder {
    pub(super) fn new(params: &mut Params, config: &ActivaConfig) -> Result<Self, NnError> {
        let sizes = [&[config.genes], config.encoder.as_slice(), &[2 * config.latent]].concat();
        let stack = Stack::new(params, "encoder", &sizes, (true, config.bn_head))?;
        Ok(Self { stack, latent: config.latent })
    }

    /// As it stands now: gradients pass through it, none is computed for it.
    pub(super) fn frozen(&self) -> Self {
        Self { stack: self.stack.frozen(), ..self.clone() }
    }

    /// [n, genes] → two of [n, latent].
    pub(super) fn forward(&self, x: &Input, mode: Mode) -> Result<(Tensor, Tensor), NnError> {
        let y = self.stack.forward(x, mode)?;
        let mean = y.narrow(D::Minus1, 0, self.latent)?;
        let log_variance = y.narrow(D::Minus1, self.latent, self.latent)?;
        Ok((mean, log_variance.clamp(-LOG_VARIANCE, LOG_VARIANCE)?))
    }
}

/// Cells → logits of their labels: ACTINN's layers.
#[derive(Debug, Clone)]
pub(super) struct Classifier {
    stack: Stack,
}

impl Classifier {
    pub(super) fn new(params: &mut Params, config: &ActivaConfig) -> Result<Self, NnError> {
        let sizes = [config.genes, 100, 50, 25, config.labels];
        Ok(Self { stack: Stack::new(params, "classifier", &sizes, (false, false))? })
    }

    /// As it stands now: gradients pass through it, none is computed for it.
    pub(super) fn frozen(&self) -> Self {
        Self { stack: self.stack.frozen() }
    }

    /// [n, genes] → [n, labels].
    pub(super) fn forward(&self, x: &Input) -> Result<Tensor, NnError> {
        self.stack.forward(x, Mode::Eval)
    }
}

/// Codes → genes: expression, or logits of the shares of the counts.
#[derive(Debug, Clone)]
pub(super) struct Generator {
    hidden: Vec<(Linear, BatchNorm)>,
    out: Linear,
    /// ln θ of each gene and the logit of its extra zeros, when counts are made.
    pub(super) dispersion: Option<(Var, Var)>,
}

impl Generator {
    pub(super) fn new(params: &mut Params, config: &ActivaConfig) -> Result<Self, NnError> {
        let sizes = [&[config.latent], config.generator.as_slice()].concat();
        let hidden = sizes
            .windows(2)
            .enumerate()
            .map(|(i, w)| {
                let name = format!("generator.{i}");
                let linear = Linear::new(params, &name, w[0], w[1], Activation::RELU)?;
                Ok((linear, BatchNorm::new(params, &format!("{name}.norm"), w[1], NormConfig::TORCH)?))
            })
            .collect::<Result<Vec<_>, NnError>>()?;
        let act = match config.observation {
            Observation::Expression => Activation::RELU,
            Observation::Counts(_) => Activation::Identity,
        };
        let widest = sizes.last().copied().unwrap_or(0);
        let out = Linear::new(params, &format!("generator.{}", hidden.len()), widest, config.genes, act)?;
        let dispersion = match config.observation {
            Observation::Expression => None,
            Observation::Counts(law) => {
                let theta = params.add("generator.log_theta", &[config.genes], Init::Constant(1.0))?;
                // Without extra zeros the logit is no parameter.
                let start = Init::Constant(-3.0);
                let name = "generator.zero_logit";
                let zero = match law {
                    CountLaw::Zinb => params.add(name, &[config.genes], start)?,
                    CountLaw::Nb => params.add_buffer(name, &[config.genes], start)?,
                };
                Some((theta, zero))
            }
        };
        Ok(Self { hidden, out, dispersion })
    }

    /// Puts the logits of an average cell into the last bias, and dispersions in place.
    pub(super) fn start_from(&self, shares: &[f64], theta: &[f64]) -> Result<(), NnError> {
        let put = |var: &Var, values: &[f64]| -> Result<(), NnError> {
            let values: Vec<f32> = values.iter().map(|v| v.ln() as f32).collect();
            Ok(var.set(&Tensor::from_vec(values, var.shape(), var.device())?)?)
        };
        put(self.out.bias(), shares)?;
        match &self.dispersion {
            Some((log_theta, _)) => put(log_theta, theta),
            None => Ok(()),
        }
    }

    /// As it stands now: gradients pass through it, none is computed for its layers.
    pub(super) fn frozen(&self) -> Self {
        Self {
            hidden: self.hidden.iter().map(|(linear, norm)| (linear.frozen(), norm.frozen())).collect(),
            out: self.out.frozen(),
            dispersion: self.dispersion.clone(),
        }
    }

    /// [n, latent] → [n, genes].
    pub(super) fn forward(&self, z: &Tensor, mode: Mode) -> Result<Tensor, NnError> {
        let mut y = z.contiguous()?;
        for (linear, norm) in &self.hidden {
            y = norm.forward(&linear.forward(&y)?, None, mode)?;
        }
        self.out.forward(&y)
    }
}
