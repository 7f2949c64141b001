//! Library size normalisation: every cell of a generator is scaled to the same sum.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::NnError;
use super::fused::{slice, values};

/// Added to the sum of a cell.
const EPS: f64 = 1e-8;

/// `target · x / (Σ x + ε)` of each row of x [n, genes], which holds no negative value. A row of zeros stays as it is,
/// and no gradient passes through it.
///
/// # Errors
/// Candle's, when `x` is no matrix.
pub fn library_norm(x: &Tensor, target: f32) -> std::result::Result<Tensor, NnError> {
    if x.device().is_cpu() {
        return Ok(x.contiguous()?.apply_op1(LibraryNorm { target: f64::from(target) })?);
    }
    let sum = x.sum_keepdim(1)?;
    let some = sum.detach().gt(0f32)?.to_dtype(x.dtype())?;
    let factor = (((sum + EPS)?.recip()? * f64::from(target))? * some)?;
    Ok(x.broadcast_mul(&factor)?)
}

struct LibraryNorm {
    target: f64,
}

impl LibraryNorm {
    /// What a row is multiplied by.
    fn factor(&self, row: &[f32]) -> f64 {
        let sum: f64 = row.iter().map(|&v| f64::from(v)).sum();
        if sum > 0.0 { self.target / (sum + EPS) } else { 0.0 }
    }
}

impl CustomOp1 for LibraryNorm {
    fn name(&self) -> &'static str {
        "library-norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, genes) = xl.shape().dims2()?;
        let mut y = slice(x, xl, "library-norm")?.to_vec();
        y.par_chunks_mut(genes.max(1)).for_each(|row| {
            let factor = self.factor(row) as f32;
            row.iter_mut().for_each(|v| *v *= factor);
        });
        Ok((CpuStorage::F32(y), (n, genes).into()))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (n, genes) = x.dims2()?;
        let mut out = values(&grad.contiguous()?, |g| Ok(g.to_vec()))?;
        values(x, |x| {
            values(y, |y| {
                let rows = out.par_chunks_mut(genes.max(1)).zip(x.par_chunks(genes.max(1)));
                rows.zip(y.par_chunks(genes.max(1))).for_each(|((g, x), y)| {
                    // dx = factor · (dy − Σ dy · y / target)
                    let factor = self.factor(x);
                    let dot: f64 = g.iter().zip(y).map(|(&g, &y)| f64::from(g) * f64::from(y)).sum();
                    let (factor, mean) = (factor as f32, (dot / self.target) as f32);
                    g.iter_mut().for_each(|g| *g = factor * (*g - mean));
                });
                Ok(())
            })
        })?;
        Ok(Some(Tensor::from_vec(out, (n, genes), x.device())?))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    fn list(t: &Tensor) -> Vec<f32> {
        t.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// A worked example: (1, 3) → (5000, 15000), zeros → zeros.
    #[test]
    fn rows_get_the_target_and_zeros_stay_without_a_gradient() {
        let x = Var::from_slice(&[1.0f32, 3.0, 0.0, 0.0], (2, 2), &Device::Cpu).unwrap();
        let y = library_norm(&x, 20_000.0).unwrap();
        for (y, e) in list(&y).iter().zip([5000.0, 15000.0, 0.0, 0.0]) {
            assert!((f64::from(*y) - e).abs() <= 1e-7 * e, "{y} {e}");
        }
        let w = Tensor::new(&[[1.0f32, 2.0], [3.0, 4.0]], &Device::Cpu).unwrap();
        let grads = (y * w).unwrap().sum_all().unwrap().backward().unwrap();
        // d(20000 (x + 2 y) / (x + y)) / d(x, y) = 20000 (−y, x) / (x + y)²
        assert_eq!(list(grads.get(&x).unwrap())[2..], [0.0, 0.0]);
        for (g, e) in list(grads.get(&x).unwrap()).iter().zip([-3750.0f32, 1250.0]) {
            assert!((g - e).abs() < 1e-2, "{g} {e}");
        }
    }

    #[test]
    fn gradients_equal_finite_differences() {
        let start = [0.5f64, 2.0, 0.25, 1.0, 0.0, 3.0];
        let w = [0.3f64, -1.0, 0.7, 2.0, 0.1, -0.4];
        let value = |x: &[f64; 6]| -> f64 {
            let row = |r: &[f64], w: &[f64]| {
                let sum: f64 = r.iter().sum();
                r.iter().zip(w).map(|(x, w)| 7.0 * x / sum * w).sum::<f64>()
            };
            row(&x[..3], &w[..3]) + row(&x[3..], &w[3..])
        };
        let x = Var::from_vec(start.map(|v| v as f32).to_vec(), (2, 3), &Device::Cpu).unwrap();
        let weights = Tensor::from_vec(w.map(|v| v as f32).to_vec(), (2, 3), &Device::Cpu).unwrap();
        let y = library_norm(&x, 7.0).unwrap();
        let grads = (y * weights).unwrap().sum_all().unwrap().backward().unwrap();
        for (k, g) in list(grads.get(&x).unwrap()).iter().enumerate() {
            let (mut up, mut down) = (start, start);
            (up[k], down[k]) = (up[k] + 1e-6, down[k] - 1e-6);
            let slope = (value(&up) - value(&down)) / 2e-6;
            assert!((f64::from(*g) - slope).abs() < 1e-4, "{k}: {g} {slope}");
        }
    }
}
