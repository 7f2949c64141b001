//! Batch normalisation (Ioffe & Szegedy 2015), plain and conditional, with PyTorch's conventions.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, Var};

use super::fused::{slice, values};
use super::{Init, NnError, Params};

/// Whether a network learns or is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Statistics of the minibatch; running averages follow.
    Train,
    /// Statistics of the minibatch; running averages stay as they are.
    Batch,
    /// Running averages.
    Eval,
}

/// Conventions in which frameworks differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormConfig {
    /// Added to the variance.
    pub eps: f64,
    /// Share of the new statistic in the running average.
    pub momentum: f64,
    /// Whether the running variance is the unbiased one.
    pub unbiased: bool,
}

impl NormConfig {
    /// PyTorch's `BatchNorm1d`.
    pub const TORCH: Self = Self { eps: 1e-5, momentum: 0.1, unbiased: true };
    /// scGAN's own batch normalisation.
    pub const SCGAN: Self = Self { eps: 1e-5, momentum: 0.001, unbiased: false };
}

/// Batch normalisation of features, with one scale and offset for all rows or one of each class.
#[derive(Debug, Clone)]
pub struct BatchNorm {
    config: NormConfig,
    scale: Var,
    offset: Var,
    mean: Var,
    variance: Var,
    frozen: bool,
}

impl BatchNorm {
    /// `name.weight` [width], `name.bias` [width] and the buffers `name.running_mean`, `name.running_var`.
    ///
    /// # Errors
    /// [`NnError`] when the name is taken.
    pub fn new(
        params: &mut Params,
        name: &str,
        width: usize,
        config: NormConfig,
    ) -> std::result::Result<Self, NnError> {
        Self::with_shape(params, name, &[width], width, config)
    }

    /// As [`BatchNorm::new`], with a row of scales and offsets for each of `classes` (Dumoulin et al. 2017; statistics
    /// are shared): `name.weight` and `name.bias` [classes, width].
    ///
    /// # Errors
    /// [`NnError`] when the name is taken.
    pub fn conditional(
        params: &mut Params,
        name: &str,
        (classes, width): (usize, usize),
        config: NormConfig,
    ) -> std::result::Result<Self, NnError> {
        Self::with_shape(params, name, &[classes, width], width, config)
    }

    fn with_shape(
        params: &mut Params,
        name: &str,
        shape: &[usize],
        width: usize,
        config: NormConfig,
    ) -> std::result::Result<Self, NnError> {
        Ok(Self {
            config,
            scale: params.add(&format!("{name}.weight"), shape, Init::Constant(1.0))?,
            offset: params.add(&format!("{name}.bias"), shape, Init::Constant(0.0))?,
            mean: params.add_buffer(&format!("{name}.running_mean"), &[width], Init::Constant(0.0))?,
            variance: params.add_buffer(&format!("{name}.running_var"), &[width], Init::Constant(1.0))?,
            frozen: false,
        })
    }

    /// The same layer as it stands now: gradients pass through it, none is computed for its scale and offset. Running
    /// averages follow as before.
    #[must_use]
    pub fn frozen(&self) -> Self {
        Self { frozen: true, ..self.clone() }
    }

    /// [n, width] → [n, width]. `classes` holds the class of each row where the layer is conditional.
    ///
    /// # Errors
    /// [`NnError::Parameter`] for a minibatch of one row in training; candle's when shapes disagree.
    pub fn forward(
        &self,
        x: &Tensor,
        classes: Option<&Tensor>,
        mode: Mode,
    ) -> std::result::Result<Tensor, NnError> {
        let n = x.dim(0)?;
        let normal = if mode == Mode::Eval {
            let scale = (self.variance.as_tensor() + self.config.eps)?.sqrt()?.recip()?;
            x.broadcast_sub(self.mean.as_tensor())?.broadcast_mul(&scale)?
        } else {
            if n < 2 {
                let what = "batch normalisation needs at least two rows in a minibatch".into();
                return Err(NnError::Parameter { name: "minibatch".into(), what });
            }
            if mode == Mode::Train {
                self.follow(x)?;
            }
            x.contiguous()?.apply_op1(Standardise { eps: self.config.eps })?
        };
        let current = |var: &Var| if self.frozen { var.detach() } else { var.as_tensor().clone() };
        let (scale, offset) = (current(&self.scale), current(&self.offset));
        let (scale, offset) = match classes {
            Some(classes) => (scale.index_select(classes, 0)?, offset.index_select(classes, 0)?),
            None => (scale, offset),
        };
        Ok(normal.broadcast_mul(&scale)?.broadcast_add(&offset)?)
    }

    /// Moves the running averages towards the statistics of this minibatch.
    fn follow(&self, x: &Tensor) -> std::result::Result<(), NnError> {
        let (n, width) = x.dims2()?;
        let x = x.contiguous()?;
        let (mean, variance) = values(&x, |x| Ok(moments(x, n, width)))?;
        let factor = if self.config.unbiased { n as f64 / (n as f64 - 1.0) } else { 1.0 };
        let m = self.config.momentum;
        let mix = |var: &Var, new: Vec<f64>, factor: f64| -> std::result::Result<(), NnError> {
            let old = var.to_vec1::<f32>()?;
            let mixed = old.iter().zip(new).map(|(&o, n)| ((1.0 - m) * f64::from(o) + m * n * factor) as f32);
            Ok(var.set(&Tensor::from_vec(mixed.collect::<Vec<f32>>(), width, var.device())?)?)
        };
        mix(&self.mean, mean, 1.0)?;
        mix(&self.variance, variance, factor)
    }
}

/// Mean and biased variance of each column.
fn moments(x: &[f32], n: usize, width: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut mean, mut variance) = (vec![0.0f64; width], vec![0.0f64; width]);
    for row in x.chunks_exact(width.max(1)) {
        mean.iter_mut().zip(row).for_each(|(m, &v)| *m += f64::from(v));
    }
    mean.iter_mut().for_each(|m| *m /= n as f64);
    for row in x.chunks_exact(width.max(1)) {
        for ((s, &v), m) in variance.iter_mut().zip(row).zip(&mean) {
            *s += (f64::from(v) - m).powi(2);
        }
    }
    variance.iter_mut().for_each(|s| *s /= n as f64);
    (mean, variance)
}

/// (x − mean) / √(variance + ε) of each column, over the rows of a minibatch.
struct Standardise {
    eps: f64,
}

impl Standardise {
    /// 1 / √(variance + ε) of each column.
    fn factors(&self, variance: &[f64]) -> Vec<f64> {
        variance.iter().map(|v| 1.0 / (v + self.eps).sqrt()).collect()
    }
}

impl CustomOp1 for Standardise {
    fn name(&self) -> &'static str {
        "standardise"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, width) = xl.shape().dims2()?;
        let x = slice(x, xl, "standardise")?;
        let (mean, variance) = moments(x, n, width);
        let factors = self.factors(&variance);
        let mut y = Vec::with_capacity(x.len());
        for row in x.chunks_exact(width.max(1)) {
            y.extend(row.iter().zip(&mean).zip(&factors).map(|((&v, m), f)| ((f64::from(v) - m) * f) as f32));
        }
        Ok((CpuStorage::F32(y), (n, width).into()))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (n, width) = x.dims2()?;
        let grad = grad.contiguous()?;
        // dx = (dy − mean(dy) − y · mean(dy · y)) / σ
        let out = values(x, |x| {
            values(y, |y| {
                values(&grad, |g| {
                    let factors = self.factors(&moments(x, n, width).1);
                    let (mut sum, mut dot) = (vec![0.0f64; width], vec![0.0f64; width]);
                    for (g, y) in g.chunks_exact(width.max(1)).zip(y.chunks_exact(width.max(1))) {
                        for (((s, d), &g), &y) in sum.iter_mut().zip(&mut dot).zip(g).zip(y) {
                            *s += f64::from(g);
                            *d += f64::from(g) * f64::from(y);
                        }
                    }
                    let count = n as f64;
                    let mut out = Vec::with_capacity(g.len());
                    for (g, y) in g.chunks_exact(width.max(1)).zip(y.chunks_exact(width.max(1))) {
                        out.extend(g.iter().zip(y).enumerate().map(|(j, (&g, &y))| {
                            let centred = f64::from(g) - sum[j] / count - f64::from(y) * dot[j] / count;
                            (centred * factors[j]) as f32
                        }));
                    }
                    Ok(out)
                })
            })
        })?;
        Ok(Some(Tensor::from_vec(out, (n, width), x.device())?))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::rng::Seed;

    fn layer(classes: Option<usize>) -> (Params, BatchNorm) {
        let mut params = Params::new(Seed(0), &Device::Cpu);
        let norm = match classes {
            Some(k) => BatchNorm::conditional(&mut params, "a.n", (k, 2), NormConfig::TORCH).unwrap(),
            None => BatchNorm::new(&mut params, "a.n", 2, NormConfig::TORCH).unwrap(),
        };
        (params, norm)
    }

    fn list(t: &Tensor) -> Vec<f32> {
        t.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn close(a: &[f32], b: &[f32]) {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).for_each(|(x, y)| assert!((x - y).abs() < 1e-5, "{a:?} {b:?}"));
    }

    /// torch 2.x: n = torch.nn.BatchNorm1d(2); x = torch.tensor([[1., 2.], [3., -1.], [0., 0.5]], requires_grad=True)
    /// y = n(x); (y * torch.tensor([[1., 0.], [2., 1.], [0., -1.]])).sum().backward(); n.eval()(x)
    #[test]
    fn forward_backward_and_running_averages_equal_pytorch() {
        let (params, norm) = layer(None);
        let x = Var::from_slice(&[1.0f32, 2.0, 3.0, -1.0, 0.0, 0.5], (3, 2), &Device::Cpu).unwrap();
        let y = norm.forward(&x, None, Mode::Train).unwrap();
        close(&list(&y), &[-0.267_260, 1.224_742, 1.336_302, -1.224_742, -1.069_042, 0.0]);
        let w = Tensor::new(&[[1.0f32, 0.0], [2.0, 1.0], [0.0, -1.0]], &Device::Cpu).unwrap();
        let grads = (y * w).unwrap().sum_all().unwrap().backward().unwrap();
        close(
            &list(grads.get(&x).unwrap()),
            &[0.171_816, 0.408_246, -0.057_268, 0.408_249, -0.114_548, -0.816_495],
        );
        let buffers = params.snapshot().unwrap();
        close(&list(&buffers["a.n.running_mean"]), &[0.133_333, 0.05]);
        close(&list(&buffers["a.n.running_var"]), &[1.133_333, 1.125]);
        let eval = norm.forward(&x, None, Mode::Eval).unwrap();
        close(&list(&eval)[..2], &[0.814_096, 1.838_469]);
        assert_eq!(params.count(), 4);
    }

    #[test]
    fn a_conditional_layer_takes_scale_and_offset_of_each_class() {
        let (params, norm) = layer(Some(3));
        let scale = Tensor::new(&[[1.0f32, 1.0], [2.0, 2.0], [0.0, 0.0]], &Device::Cpu).unwrap();
        params.iter().find(|(n, _)| n.ends_with("weight")).unwrap().1.set(&scale).unwrap();
        let x = Tensor::new(&[[1.0f32, 2.0], [3.0, -1.0], [0.0, 0.5]], &Device::Cpu).unwrap();
        let classes = Tensor::new(&[1u32, 0, 2], &Device::Cpu).unwrap();
        let y = norm.forward(&x, Some(&classes), Mode::Train).unwrap();
        close(&list(&y), &[-0.534_520, 2.449_484, 1.336_302, -1.224_742, 0.0, 0.0]);
    }

    #[test]
    fn one_row_is_refused_in_training_and_fine_in_use() {
        let (_, norm) = layer(None);
        let x = Tensor::new(&[[1.0f32, 2.0]], &Device::Cpu).unwrap();
        assert!(norm.forward(&x, None, Mode::Train).unwrap_err().to_string().contains("two rows"));
        assert!(norm.forward(&x, None, Mode::Eval).is_ok());
    }
}
