//! Critics of Wasserstein GANs: layers without normalisation that score cells, and the derivative of the score with
//! respect to the cell as a forward pass of its own.
//!
//! Candle's gradients have no graph, so a penalty on the input gradient cannot go back through `backward` twice. With
//! ReLU-like units the derivative is a chain of matrix products whose masks are constants almost everywhere
//! (the closed form of the gradient penalty of WGAN-GP); one backward pass through that chain is exact.

use std::sync::Arc;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, CustomOp1, D, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::first_layer::{Both, Gathered, ToInput};
use super::fused::{self, Activation, slice, values};
use super::relu::{leaky_relu, slopes};
use super::sparse::SparseProduct;
use super::{Init, NnError, Params, SparseBatch};

/// How the last hidden layer φ becomes a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// φ·w + b.
    One,
    /// φ·w_c + b_c for a cell of class c.
    PerClass(usize),
    /// φ·w_c + φ·v + b (Miyato & Koyama 2018).
    Projection(usize),
}

/// A critic: linear layers, (leaky) ReLU after each, and a linear head. Cheap to clone; clones share their weights.
///
/// The first layer is affine, so that the pre-activation of a mixture of two cells is the mixture of theirs: callers
/// pass pre-activations on, and never make the mixture itself.
#[derive(Debug, Clone)]
pub struct Critic {
    slope: f32,
    /// Weight [inputs, out] and bias.
    first: (Tensor, Tensor),
    /// Weights [out, inputs] and biases.
    hidden: Vec<(Tensor, Tensor)>,
    /// Weights [classes, width] and biases [classes].
    head: (Tensor, Tensor),
    /// The part that all classes share, [width].
    shared: Option<Tensor>,
    /// Where the gradient of the first weight gathers, see [`Critic::gathering`].
    gathered: Option<Arc<Gathered>>,
}

impl Critic {
    /// Layers of widths `sizes[0] → sizes[1] → …`: `name.0.weight` [inputs, out], which sparse cells can meet,
    /// `name.k.weight` [out, inputs], `name.k.bias`, `name.head.weight` [classes, width], `name.head.bias`, and
    /// `name.head.shared` [width] of a projection. Layers start by [`Init::FanAverage`], the head as
    /// [`Init::XavierUniform`], biases at 0.
    ///
    /// # Errors
    /// [`NnError::Parameter`] when the name is taken, there is no hidden layer, or the head has no class.
    pub fn new(
        params: &mut Params,
        name: &str,
        sizes: &[usize],
        slope: f32,
        head: Head,
    ) -> std::result::Result<Self, NnError> {
        let (classes, fan_out) = match head {
            Head::One => (1, 1),
            Head::PerClass(classes) | Head::Projection(classes) => (classes, classes),
        };
        let [inputs, first, rest @ ..] = sizes else {
            return Err(bad(name, "a critic needs inputs and a hidden layer"));
        };
        if classes == 0 {
            return Err(bad(name, "a critic by class needs a class"));
        }
        let mut layer = |k: usize, (inputs, out): (usize, usize), shape: [usize; 2]| {
            let init = Init::FanAverage { fan_in: inputs, fan_out: out };
            let weight = params.add(&format!("{name}.{k}.weight"), &shape, init)?;
            let bias = params.add(&format!("{name}.{k}.bias"), &[out], Init::Constant(0.0))?;
            Ok::<_, NnError>((weight.as_tensor().clone(), bias.as_tensor().clone()))
        };
        let first_layer = layer(0, (*inputs, *first), [*inputs, *first])?;
        let mut width = *first;
        let mut hidden = Vec::new();
        for (k, &out) in rest.iter().enumerate() {
            hidden.push(layer(k + 1, (width, out), [out, width])?);
            width = out;
        }
        // The reference makes one table of all heads and so counts all classes on both sides.
        let init = Init::XavierUniform { fan_in: width * classes, fan_out };
        let weight = params.add(&format!("{name}.head.weight"), &[classes, width], init)?;
        let projection = matches!(head, Head::Projection(_));
        let biases = if projection { 1 } else { classes };
        let bias = params.add(&format!("{name}.head.bias"), &[biases], Init::Constant(0.0))?;
        let shared = projection.then(|| {
            let init = Init::XavierUniform { fan_in: width, fan_out: 1 };
            params.add(&format!("{name}.head.shared"), &[width], init)
        });
        Ok(Self {
            slope,
            first: first_layer,
            hidden,
            head: (weight.as_tensor().clone(), bias.as_tensor().clone()),
            shared: shared.transpose()?.map(|v| v.as_tensor().clone()),
            gathered: None,
        })
    }

    /// The same critic, which gathers the gradient of its first weight in one place during a backward pass, to be
    /// handed over by [`Critic::hand_over`]. The weight is as large as all others together; candle would make a
    /// gradient for each use of it, add each to zeros, and them to each other.
    ///
    /// # Errors
    /// Candle's.
    pub fn gathering(&self) -> std::result::Result<Self, NnError> {
        Ok(Self { gathered: Some(Arc::new(Gathered::of(&self.first.0)?)), ..self.clone() })
    }

    /// Puts what was gathered in a backward pass among its other gradients, for use before the next one.
    pub fn hand_over(&self, grads: &mut GradStore) {
        if let Some(gradient) = self.gathered.as_ref().and_then(|g| g.take()) {
            grads.insert(&self.first.0, gradient);
        }
    }

    /// The same critic, whose weights get no gradient.
    #[must_use]
    pub fn frozen(&self) -> Self {
        let both = |(w, b): &(Tensor, Tensor)| (w.detach(), b.detach());
        Self {
            slope: self.slope,
            first: both(&self.first),
            hidden: self.hidden.iter().map(both).collect(),
            head: both(&self.head),
            shared: self.shared.as_ref().map(Tensor::detach),
            gathered: None,
        }
    }

    /// Cells [n, inputs] → pre-activations of the first layer [n, out].
    ///
    /// # Errors
    /// Candle's, when cells have another width.
    pub fn first(&self, x: &Tensor) -> std::result::Result<Tensor, NnError> {
        Ok(fused::product(x, &self.first.0)?.broadcast_add(&self.first.1)?)
    }

    /// As [`Critic::first`], for dense cells that get no gradient and, below them, sparse ones.
    ///
    /// # Errors
    /// As [`Critic::first`].
    pub fn first_of_both(&self, x: &Tensor, rows: &SparseBatch) -> std::result::Result<Tensor, NnError> {
        let (dense, sparse) = (x.detach().contiguous()?, SparseProduct(rows.clone()));
        let op = Both { dense, sparse, gathered: self.gathered.clone() };
        Ok(self.first.0.apply_op1(op)?.broadcast_add(&self.first.1)?)
    }

    /// Pre-activations of the first layer [n, out] → scores [n]. `classes` [n] says which head a cell meets.
    ///
    /// # Errors
    /// [`NnError::Parameter`] when a critic by class gets no classes; candle's when shapes disagree.
    pub fn score(&self, pre: &Tensor, classes: Option<&Tensor>) -> std::result::Result<Tensor, NnError> {
        let mut h = leaky_relu(pre, self.slope)?;
        for (w, b) in &self.hidden {
            h = fused::linear(&h, w, b, Activation::LeakyRelu(self.slope))?;
        }
        let (weight, bias) = self.head_of(classes)?;
        Ok(h.broadcast_mul(&weight)?.sum(D::Minus1)?.broadcast_add(&bias)?)
    }

    /// Pre-activations of the first layer [n, out] → the derivative of the score with respect to the cells
    /// [n, inputs], as an expression in the weights. It has no way back to `pre`.
    ///
    /// # Errors
    /// As [`Critic::score`].
    pub fn input_gradient(
        &self,
        pre: &Tensor,
        classes: Option<&Tensor>,
    ) -> std::result::Result<Tensor, NnError> {
        let pre = pre.detach();
        let mut masks = vec![slopes(&pre, self.slope)?];
        let mut h = leaky_relu(&pre, self.slope)?;
        for (w, b) in &self.hidden {
            h = fused::linear(&h, &w.detach(), &b.detach(), Activation::LeakyRelu(self.slope))?;
            masks.push(slopes(&h, self.slope)?);
        }
        let mut v = self.head_of(classes)?.0;
        for ((w, _), mask) in self.hidden.iter().zip(&masks[1..]).rev() {
            v = fused::product(&mask.broadcast_mul(&v)?, w)?;
        }
        let v = masks[0].broadcast_mul(&v)?;
        Ok(match &self.gathered {
            Some(gathered) => v.apply_op2(&self.first.0, ToInput { gathered: gathered.clone() })?,
            None => fused::product_t(&v, &self.first.0)?,
        })
    }

    /// Weight [n, width] (or [1, width]) and bias [n] (or [1]) that each cell meets at the end.
    fn head_of(&self, classes: Option<&Tensor>) -> std::result::Result<(Tensor, Tensor), NnError> {
        let (weight, bias) = &self.head;
        let (weight, bias) = match classes {
            None if weight.dim(0)? > 1 => {
                return Err(bad("critic", "a critic by class needs the class of each cell"));
            }
            None => (weight.clone(), bias.clone()),
            Some(classes) => {
                let bias = if self.shared.is_some() { bias.clone() } else { bias.index_select(classes, 0)? };
                (weight.index_select(classes, 0)?, bias)
            }
        };
        Ok(match &self.shared {
            Some(v) => (weight.broadcast_add(v)?, bias),
            None => (weight, bias),
        })
    }
}

fn bad(name: &str, what: &str) -> NnError {
    NnError::Parameter { name: name.into(), what: what.into() }
}

/// mean over cells of (‖g‖ − 1)² of input gradients g [n, inputs] (Gulrajani et al. 2017), with 1e-12 under the root.
///
/// # Errors
/// Candle's.
pub fn gradient_penalty(gradient: &Tensor) -> std::result::Result<Tensor, NnError> {
    let norm = if gradient.device().is_cpu() {
        gradient.contiguous()?.apply_op1(RowNorm)?
    } else {
        (gradient.sqr()?.sum(D::Minus1)? + UNDER_ROOT)?.sqrt()?
    };
    Ok((norm - 1.0)?.sqr()?.mean_all()?)
}

/// Keeps the derivative of the root finite at 0.
const UNDER_ROOT: f64 = 1e-12;

/// √(Σ x² + 1e-12) of each row.
struct RowNorm;

impl CustomOp1 for RowNorm {
    fn name(&self) -> &'static str {
        "row-norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, width) = xl.shape().dims2()?;
        let x = slice(x, xl, "row-norm")?;
        let norm = |row: &[f32]| {
            let sum: f64 = row.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
            (sum + UNDER_ROOT).sqrt() as f32
        };
        Ok((CpuStorage::F32(x.par_chunks(width.max(1)).map(norm).collect()), n.into()))
    }

    fn bwd(&self, x: &Tensor, norm: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (n, width) = x.dims2()?;
        let factors = (grad / norm)?.to_vec1::<f32>()?;
        let mut out = values(x, |x| Ok(x.to_vec()))?;
        out.par_chunks_mut(width.max(1))
            .zip(factors)
            .for_each(|(row, factor)| row.iter_mut().for_each(|v| *v *= factor));
        Ok(Some(Tensor::from_vec(out, (n, width), x.device())?))
    }
}

#[cfg(test)]
#[path = "critic_tests.rs"]
mod tests;
