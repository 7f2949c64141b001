//! Cells drawn from a law whose mean is learnt: the next network sees whole counts, and the gradient goes to the mean as
//! if the count had moved with it (the straight-through estimator of Bengio et al. 2013).

use candle_core::{CpuStorage, CustomOp2, D, Error, Layout, Result, Shape, Tensor};

use super::NnError;
use super::fused::{slice, values};
use super::gemm::{View, matmul};
use super::sparse::{SparseBatch, SparseProduct};
use crate::rng::Stream;

/// Drawn counts, scaled as the next network takes them, and what they were drawn from.
#[derive(Debug, Clone)]
pub struct Sampled {
    rows: SparseBatch,
    mean: Tensor,
    /// Scaled value of one count, of each cell.
    unit: Vec<f32>,
    log: bool,
}

impl Sampled {
    /// Draws counts with means `library` · softmax(`logits`) and inverse dispersions `theta`, extra zeros with
    /// probability `zero`, and scales each cell to a sum of `target`, with ln(1 + x) when `log`.
    ///
    /// # Errors
    /// Candle's, when shapes disagree.
    pub fn draw(
        logits: &Tensor,
        library: &[f32],
        (theta, zero): (&[f32], &[f32]),
        (target, log): (f32, bool),
        stream: &mut Stream,
    ) -> std::result::Result<Self, NnError> {
        let (n, genes) = logits.dims2()?;
        let shifted = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?.detach())?.exp()?;
        let share = shifted.broadcast_div(&shifted.sum_keepdim(D::Minus1)?)?;
        let mean = share.broadcast_mul(&Tensor::from_slice(library, (n, 1), logits.device())?)?;
        let (mut indptr, mut columns, mut counts) = (vec![0], Vec::new(), Vec::new());
        for row in mean.to_vec2::<f32>()? {
            for (g, mu) in row.into_iter().enumerate() {
                let none = zero[g] > 0.0 && stream.uniform() < f64::from(zero[g]);
                let count =
                    if none { 0 } else { stream.negative_binomial(f64::from(mu), f64::from(theta[g])) };
                if count > 0 {
                    columns.push(g as u32);
                    counts.push(count as f32);
                }
            }
            indptr.push(columns.len());
        }
        let drawn = SparseBatch::new(genes, indptr, columns, counts)?;
        let unit = drawn.sums().iter().map(|s| target / s.max(1.0)).collect();
        let rows = if log { drawn.log_scaled(target) } else { drawn.scaled(target) };
        Ok(Self { rows, mean, unit, log })
    }

    /// The drawn cells alone, without a way back.
    pub fn rows(&self) -> &SparseBatch {
        &self.rows
    }

    /// The cells times a weight [genes, out].
    ///
    /// # Errors
    /// Candle's, when shapes disagree.
    pub fn product(&self, weight: &Tensor) -> std::result::Result<Tensor, NnError> {
        let op = SampledProduct { rows: self.rows.clone(), unit: self.unit.clone(), log: self.log };
        Ok(self.mean.contiguous()?.apply_op2(weight, op)?)
    }
}

struct SampledProduct {
    rows: SparseBatch,
    unit: Vec<f32>,
    log: bool,
}

impl CustomOp2 for SampledProduct {
    fn name(&self) -> &'static str {
        "sampled-product"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        ml: &Layout,
        w: &CpuStorage,
        wl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        if ml.shape().dims2()? != (self.rows.len(), self.rows.width()) {
            return Err(Error::Msg(format!("drawn cells do not fit their means {:?}", ml.shape())));
        }
        let (inputs, out) = wl.shape().dims2()?;
        if inputs != self.rows.width() {
            return Err(Error::Msg(format!("a layer of {inputs} inputs cannot take drawn cells")));
        }
        let y = SparseProduct(self.rows.clone()).forward(slice(w, wl, "sampled-product")?, out);
        Ok((CpuStorage::F32(y), (self.rows.len(), out).into()))
    }

    fn bwd(
        &self,
        mean: &Tensor,
        w: &Tensor,
        y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        use candle_core::CustomOp1;
        let by_weight = SparseProduct(self.rows.clone()).bwd(w, y, grad)?;
        if !mean.track_op() {
            return Ok((None, by_weight));
        }
        let ((n, genes), out) = (mean.dims2()?, w.dim(1)?);
        let grad = grad.contiguous()?;
        let mut to = vec![0.0f32; n * genes];
        let misfit = || Error::Msg("drawn cells and their layer do not fit".into());
        values(&grad, |g| {
            values(w, |w| {
                let g = View::new(g, n, out).ok_or_else(misfit)?;
                let w = View::new(w, genes, out).ok_or_else(misfit)?;
                matmul(&mut to, g, w.t(), 0.0);
                Ok(())
            })
        })?;
        for (i, row) in to.chunks_exact_mut(genes.max(1)).enumerate() {
            let unit = self.unit[i];
            row.iter_mut().for_each(|v| *v *= unit);
            if self.log {
                // d ln(1 + u·c) / dc = u / (1 + u·c), and 1 + u·c is e to the value that was stored.
                let (columns, stored) = self.rows.row(i);
                for (&c, &v) in columns.iter().zip(stored) {
                    row[c as usize] *= (-v).exp();
                }
            }
        }
        Ok((Some(Tensor::from_vec(to, (n, genes), mean.device())?), by_weight))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;
    use crate::rng::Seed;

    /// With the counts held fixed, the way back is the derivative of the scaled value by the count.
    #[test]
    fn the_gradient_is_that_of_a_count_that_moves_with_its_mean() {
        let device = Device::Cpu;
        let logits = Var::from_slice(&[0.0f32, 1.0, -1.0, 0.5, 0.0, 0.2], (2, 3), &device).unwrap();
        let weight = Var::from_slice(&[1.0f32, -1.0, 0.5, 2.0, 0.0, 1.0], (3, 2), &device).unwrap();
        for log in [false, true] {
            let mut stream = Seed(4).stream("sampled");
            let law = (&[2.0f32, 2.0, 2.0][..], &[0.0f32; 3][..]);
            let drawn = Sampled::draw(&logits, &[30.0, 50.0], law, (100.0, log), &mut stream).unwrap();
            let y = drawn.product(weight.as_tensor()).unwrap();
            let dense = drawn.rows().dense(&device).unwrap();
            let direct = dense.matmul(weight.as_tensor()).unwrap();
            let gap = (&y - direct).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(gap < 1e-4, "{gap}");
            let grads = y.sum_all().unwrap().backward().unwrap();
            let by_logit = grads.get(&logits).unwrap().to_vec2::<f32>().unwrap();
            let (scaled, mean) = (dense.to_vec2::<f32>().unwrap(), drawn.mean.to_vec2::<f32>().unwrap());
            for (i, library) in [30.0f32, 50.0].into_iter().enumerate() {
                let by_mean: Vec<f32> = (0..3)
                    .map(|g| {
                        let slope = if log { drawn.unit[i] * (-scaled[i][g]).exp() } else { drawn.unit[i] };
                        slope * weight.to_vec2::<f32>().unwrap()[g].iter().sum::<f32>()
                    })
                    .collect();
                // Through the softmax: μ (g − Σ μ g / L).
                let pull: f32 = mean[i].iter().zip(&by_mean).map(|(m, g)| m * g).sum::<f32>() / library;
                for g in 0..3 {
                    let expected = mean[i][g] * (by_mean[g] - pull);
                    let found = by_logit[i][g];
                    assert!(
                        (found - expected).abs() < 1e-3 * (1.0 + expected.abs()),
                        "{log} {found} {expected}"
                    );
                }
            }
            assert!(grads.get(&weight).is_some());
        }
    }
}
