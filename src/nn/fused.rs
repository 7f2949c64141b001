//! Custom operations that make training on a CPU as fast as PyTorch's: a linear layer with its activation in one
//! pass, and the mean squared error. Each has a fallback made of ordinary candle operations for other devices.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, DType, Error, Layout, Result, Shape, Tensor};

use super::gemm::{View, matmul};

/// What follows a linear layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// `max(x, slope * x)`; the slope is not negative, so that outputs above zero tell inputs above zero.
    LeakyRelu(f32),
}

impl Activation {
    /// `max(x, 0)`, with gradient 0 at 0 as in PyTorch.
    pub const RELU: Self = Activation::LeakyRelu(0.0);

    fn slope(self) -> f32 {
        match self {
            Activation::Identity => 1.0,
            Activation::LeakyRelu(slope) => slope,
        }
    }
}

/// `act(x · wᵀ + b)` for x [n, in], w [out, in], b [out].
///
/// # Errors
/// Candle's, when shapes or element types disagree.
pub fn linear(x: &Tensor, w: &Tensor, b: &Tensor, act: Activation) -> Result<Tensor> {
    let fits = x.dtype() == DType::F32 && x.device().is_cpu();
    if fits && x.is_contiguous() && w.is_contiguous() && b.is_contiguous() {
        x.apply_op3(w, b, Linear(act))
    } else {
        linear_plain(x, w, b, act)
    }
}

/// [`linear`] made of ordinary operations.
///
/// # Errors
/// As [`linear`].
pub fn linear_plain(x: &Tensor, w: &Tensor, b: &Tensor, act: Activation) -> Result<Tensor> {
    let y = x.matmul(&w.t()?)?.broadcast_add(b)?;
    match act {
        Activation::Identity => Ok(y),
        Activation::LeakyRelu(slope) => y.maximum(&(&y * f64::from(slope))?),
    }
}

/// `x · w` for x [n, in], w [in, out].
///
/// # Errors
/// Candle's, when shapes or element types disagree.
pub fn product(x: &Tensor, w: &Tensor) -> Result<Tensor> {
    let fits = x.dtype() == DType::F32 && x.device().is_cpu();
    if fits && x.is_contiguous() && w.is_contiguous() {
        x.apply_op2(w, Product { transposed: false })
    } else {
        x.matmul(w)
    }
}

/// `x · wᵀ` for x [n, in], w [out, in].
///
/// # Errors
/// Candle's, when shapes or element types disagree.
pub fn product_t(x: &Tensor, w: &Tensor) -> Result<Tensor> {
    let fits = x.dtype() == DType::F32 && x.device().is_cpu();
    if fits && x.is_contiguous() && w.is_contiguous() {
        x.apply_op2(w, Product { transposed: true })
    } else {
        x.matmul(&w.t()?)
    }
}

/// Mean over all elements of (x − y)²; `y` is data and gets no gradient.
///
/// # Errors
/// Candle's, when shapes or element types disagree.
pub fn mse(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    let fits = x.dtype() == DType::F32 && x.device().is_cpu();
    if fits && x.is_contiguous() && y.is_contiguous() {
        x.apply_op2(&y.detach(), Mse)
    } else {
        mse_plain(x, y)
    }
}

/// [`mse`] made of ordinary operations.
///
/// # Errors
/// As [`mse`].
pub fn mse_plain(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    (x - y.detach())?.sqr()?.mean_all()
}

/// The values of a contiguous `f32` CPU storage.
pub(super) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout, op: &'static str) -> Result<&'a [f32]> {
    let all = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&all[from..to]),
        None => Err(Error::RequiresContiguous { op }),
    }
}

fn view<'a>(data: &'a [f32], rows: usize, cols: usize) -> Result<View<'a>> {
    View::new(data, rows, cols)
        .ok_or_else(|| Error::Msg(format!("{} values are not {rows} × {cols}", data.len())))
}

/// The values of a contiguous `f32` CPU tensor.
pub(super) fn values<R>(t: &Tensor, use_them: impl FnOnce(&[f32]) -> Result<R>) -> Result<R> {
    let (storage, layout) = t.storage_and_layout();
    match &*storage {
        candle_core::Storage::Cpu(s) => use_them(slice(s, layout, "fused")?),
        _ => Err(Error::Msg("fused operations run on the CPU".into())),
    }
}

struct Linear(Activation);

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear-act"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
        b: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (n, inner) = xl.shape().dims2()?;
        let (out, w_inner) = wl.shape().dims2()?;
        if w_inner != inner || bl.shape().dims1()? != out {
            return Err(Error::Msg(format!(
                "linear layer [{out}, {w_inner}] with bias {:?} cannot take an input [{n}, {inner}]",
                bl.shape()
            )));
        }
        let (x, w, b) = (slice(x, xl, "linear")?, slice(w, wl, "linear")?, slice(b, bl, "linear")?);
        let mut y = Vec::with_capacity(n * out);
        for _ in 0..n {
            y.extend_from_slice(b);
        }
        matmul(&mut y, view(x, n, inner)?, view(w, out, inner)?.t(), 1.0);
        if let Activation::LeakyRelu(slope) = self.0 {
            for v in &mut y {
                *v = if *v > 0.0 { *v } else { slope * *v };
            }
        }
        Ok((CpuStorage::F32(y), (n, out).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (n, inner) = x.dims2()?;
        let out = w.dim(0)?;
        let grad = grad.contiguous()?;
        let slope = self.0.slope();
        // Gradient before the activation.
        let pre: Vec<f32> = values(&grad, |g| {
            if self.0 == Activation::Identity {
                return Ok(g.to_vec());
            }
            values(y, |y| Ok(g.iter().zip(y).map(|(&g, &y)| if y > 0.0 { g } else { slope * g }).collect()))
        })?;
        let device = x.device();
        let grad_x = || -> Result<Option<Tensor>> {
            if !x.track_op() {
                return Ok(None);
            }
            let mut to = vec![0.0; n * inner];
            values(w, |w| {
                matmul(&mut to, view(&pre, n, out)?, view(w, out, inner)?, 0.0);
                Ok(())
            })?;
            Tensor::from_vec(to, (n, inner), device).map(Some)
        };
        let grad_w = || -> Result<Option<Tensor>> {
            if !w.track_op() {
                return Ok(None);
            }
            let mut to = vec![0.0; out * inner];
            values(x, |x| {
                matmul(&mut to, view(&pre, n, out)?.t(), view(x, n, inner)?, 0.0);
                Ok(())
            })?;
            Tensor::from_vec(to, (out, inner), device).map(Some)
        };
        let (grad_x, grad_w) = (grad_x()?, grad_w()?);
        let grad_b = if b.track_op() {
            let mut sum = vec![0.0f32; out];
            for row in pre.chunks_exact(out.max(1)) {
                for (s, g) in sum.iter_mut().zip(row) {
                    *s += g;
                }
            }
            Some(Tensor::from_vec(sum, out, x.device())?)
        } else {
            None
        };
        Ok((grad_x, grad_w, grad_b))
    }
}

/// `x · w`, or `x · wᵀ`.
struct Product {
    transposed: bool,
}

impl Product {
    /// The right factor as it is used, [in, out].
    fn right<'a>(&self, w: &'a [f32], (rows, cols): (usize, usize)) -> Result<View<'a>> {
        let w = view(w, rows, cols)?;
        Ok(if self.transposed { w.t() } else { w })
    }

    /// Inputs and outputs of a stored right factor.
    fn sizes(&self, (rows, cols): (usize, usize)) -> (usize, usize) {
        if self.transposed { (cols, rows) } else { (rows, cols) }
    }
}

impl CustomOp2 for Product {
    fn name(&self) -> &'static str {
        "product"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ((n, inner), stored) = (xl.shape().dims2()?, wl.shape().dims2()?);
        let (w_inner, out) = self.sizes(stored);
        if inner != w_inner {
            return Err(Error::Msg(format!("a product of [{n}, {inner}] and [{w_inner}, {out}]")));
        }
        let mut y = vec![0.0; n * out];
        let (x, w) = (slice(x, xl, "product")?, slice(w, wl, "product")?);
        matmul(&mut y, view(x, n, inner)?, self.right(w, stored)?, 0.0);
        Ok((CpuStorage::F32(y), (n, out).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let ((n, inner), stored) = (x.dims2()?, w.dims2()?);
        let out = self.sizes(stored).1;
        let grad = grad.contiguous()?;
        let grad_x = if x.track_op() {
            let mut to = vec![0.0; n * inner];
            values(&grad, |g| {
                values(w, |w| {
                    matmul(&mut to, view(g, n, out)?, self.right(w, stored)?.t(), 0.0);
                    Ok(())
                })
            })?;
            Some(Tensor::from_vec(to, (n, inner), x.device())?)
        } else {
            None
        };
        let grad_w = if w.track_op() {
            let mut to = vec![0.0; inner * out];
            values(&grad, |g| {
                values(x, |x| {
                    let (g, x) = (view(g, n, out)?, view(x, n, inner)?);
                    if self.transposed {
                        matmul(&mut to, g.t(), x, 0.0);
                    } else {
                        matmul(&mut to, x.t(), g, 0.0);
                    }
                    Ok(())
                })
            })?;
            Some(Tensor::from_vec(to, stored, x.device())?)
        } else {
            None
        };
        Ok((grad_x, grad_w))
    }
}

struct Mse;

impl CustomOp2 for Mse {
    fn name(&self) -> &'static str {
        "mse"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        y: &CpuStorage,
        yl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        if xl.shape() != yl.shape() {
            return Err(Error::Msg(format!("mse of {:?} and {:?}", xl.shape(), yl.shape())));
        }
        let (x, y) = (slice(x, xl, "mse")?, slice(y, yl, "mse")?);
        let sum: f64 = x.iter().zip(y).map(|(x, y)| f64::from(x - y) * f64::from(x - y)).sum();
        let mean = sum / x.len().max(1) as f64;
        Ok((CpuStorage::F32(vec![mean as f32]), Shape::from(())))
    }

    fn bwd(
        &self,
        x: &Tensor,
        y: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let scale = 2.0 * grad.to_scalar::<f32>()? / x.elem_count().max(1) as f32;
        let out: Vec<f32> =
            values(x, |x| values(y, |y| Ok(x.iter().zip(y).map(|(x, y)| scale * (x - y)).collect())))?;
        Ok((Some(Tensor::from_vec(out, x.shape(), x.device())?), None))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    fn tensor(shape: (usize, usize), seed: u64) -> Tensor {
        let mut s = crate::rng::Seed(seed).stream("fused");
        let v: Vec<f32> = (0..shape.0 * shape.1).map(|_| s.normal() as f32).collect();
        Tensor::from_vec(v, shape, &Device::Cpu).unwrap()
    }

    fn close(a: &Tensor, b: &Tensor) {
        let a = a.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let b = b.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(a.len(), b.len());
        for (x, y) in a.iter().zip(&b) {
            assert!((x - y).abs() < 1e-5 * (1.0 + y.abs()), "{x} {y}");
        }
    }

    #[test]
    fn fused_and_plain_agree_in_value_and_in_every_gradient() {
        for act in [Activation::Identity, Activation::LeakyRelu(0.2)] {
            let x = Var::from_tensor(&tensor((9, 5), 1)).unwrap();
            let w = Var::from_tensor(&tensor((7, 5), 2)).unwrap();
            let b = Var::from_tensor(&tensor((1, 7), 3).flatten_all().unwrap()).unwrap();
            let target = tensor((9, 7), 4);
            let fused = mse(&linear(&x, &w, &b, act).unwrap(), &target).unwrap();
            let plain = mse_plain(&linear_plain(&x, &w, &b, act).unwrap(), &target).unwrap();
            close(&fused, &plain);
            let (f, p) = (fused.backward().unwrap(), plain.backward().unwrap());
            for v in [&x, &w, &b] {
                close(f.get(v).unwrap(), p.get(v).unwrap());
            }
        }
    }

    #[test]
    fn products_agree_with_candles_in_value_and_in_every_gradient() {
        let x = Var::from_tensor(&tensor((9, 5), 1)).unwrap();
        let target = tensor((9, 7), 4);
        for (stored, transposed) in [((5, 7), false), ((7, 5), true)] {
            let w = Var::from_tensor(&tensor(stored, 2)).unwrap();
            let (ours, right) = if transposed {
                (product_t(&x, &w).unwrap(), w.t().unwrap())
            } else {
                (product(&x, &w).unwrap(), w.as_tensor().clone())
            };
            let plain = x.matmul(&right.contiguous().unwrap()).unwrap();
            close(&ours, &plain);
            let grads = |y: &Tensor| mse_plain(y, &target).unwrap().backward().unwrap();
            let (f, p) = (grads(&ours), grads(&plain));
            for v in [&x, &w] {
                close(f.get(v).unwrap(), p.get(v).unwrap());
            }
        }
    }

    #[test]
    fn inputs_that_need_no_gradient_get_none() {
        let x = tensor((4, 5), 1);
        let w = Var::from_tensor(&tensor((7, 5), 2)).unwrap();
        let b = Var::from_tensor(&tensor((1, 7), 3).flatten_all().unwrap()).unwrap();
        let y = linear(&x, &w, &b, Activation::LeakyRelu(0.2)).unwrap();
        let grads = mse(&y, &tensor((4, 7), 4)).unwrap().backward().unwrap();
        assert!(grads.get(&x).is_none() && grads.get(&w).is_some());
    }

    #[test]
    fn shapes_that_disagree_are_an_error() {
        let (x, w) = (tensor((4, 5), 1), tensor((7, 6), 2));
        let b = tensor((1, 7), 3).flatten_all().unwrap();
        assert!(linear(&x, &w, &b, Activation::Identity).is_err());
    }
}
