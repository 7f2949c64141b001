//! The two uses of a critic's first weight in a step: cells that come in, and the gradient that goes out. With 17,789
//! genes it is as large as all other weights together, so its gradient is made in one place.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Error, InplaceOp1, Layout, Result, Shape, Tensor};

use super::fused::{slice, values};
use super::gemm::{View, matmul};
use super::sparse::SparseProduct;

/// A gradient that is summed up in memory of its own, which stays for the next step: fresh memory of that size costs
/// as much as the product that fills it.
#[derive(Debug)]
pub(super) struct Gathered {
    sum: Tensor,
    started: AtomicBool,
}

impl Gathered {
    /// Room for the gradient of that weight.
    pub(super) fn of(weight: &Tensor) -> Result<Self> {
        Ok(Self { sum: weight.detach().zeros_like()?, started: AtomicBool::new(false) })
    }

    /// What was summed up since it was taken last, if anything.
    pub(super) fn take(&self) -> Option<Tensor> {
        self.started.swap(false, Ordering::Relaxed).then(|| self.sum.clone())
    }

    /// Adds a part; `add` gets the values and what they are to be multiplied by first.
    fn add(&self, add: impl FnOnce(&mut [f32], f32) -> Result<()>) -> Result<()> {
        let beta = if self.started.swap(true, Ordering::Relaxed) { 1.0 } else { 0.0 };
        self.sum.inplace_op1(&Add { add: Mutex::new(Some(add)), beta })
    }
}

struct Add<F> {
    add: Mutex<Option<F>>,
    beta: f32,
}

impl<F: FnOnce(&mut [f32], f32) -> Result<()>> InplaceOp1 for Add<F> {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let CpuStorage::F32(all) = storage else {
            return Err(Error::Msg("gradients are gathered as f32".into()));
        };
        let (from, to) = layout.contiguous_offsets().ok_or(Error::RequiresContiguous { op: "gather" })?;
        let add = self.add.lock().map_err(|e| Error::Msg(e.to_string()))?.take();
        add.map_or(Ok(()), |add| add(&mut all[from..to], self.beta))
    }
}

fn view<'a>(data: &'a [f32], rows: usize, cols: usize) -> Result<View<'a>> {
    let what = || Error::Msg(format!("{} values are not {rows} × {cols}", data.len()));
    View::new(data, rows, cols).ok_or_else(what)
}

/// Dense rows and, below them, sparse rows times a weight [inputs, out], which is the operand: one gradient for both,
/// where two operations would make two of the weight's size and add them.
pub(super) struct Both {
    pub(super) dense: Tensor,
    pub(super) sparse: SparseProduct,
    pub(super) gathered: Option<Arc<Gathered>>,
}

impl Both {
    /// Adds the gradient of the weight, from the gradient `g` of the product.
    fn add_backward(
        &self,
        g: &[f32],
        (inputs, out): (usize, usize),
        (to, beta): (&mut [f32], f32),
    ) -> Result<()> {
        let n = self.dense.dim(0)?;
        let (dense, sparse) = g.split_at(n * out);
        values(&self.dense, |x| {
            matmul(to, view(x, n, inputs)?.t(), view(dense, n, out)?, beta);
            Ok(())
        })?;
        self.sparse.add_backward(sparse, to, out);
        Ok(())
    }
}

impl CustomOp1 for Both {
    fn name(&self) -> &'static str {
        "dense-and-sparse-product"
    }

    fn cpu_fwd(&self, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        let ((inputs, out), (n, width)) = (wl.shape().dims2()?, self.dense.dims2()?);
        if inputs != width || inputs != self.sparse.0.width() {
            let sparse = self.sparse.0.width();
            let what = format!("a layer of {inputs} inputs cannot take rows of width {width} and {sparse}");
            return Err(Error::Msg(what));
        }
        let w = slice(w, wl, "dense-and-sparse-product")?;
        let mut y = vec![0.0; n * out];
        values(&self.dense, |x| {
            matmul(&mut y, view(x, n, inputs)?, view(w, inputs, out)?, 0.0);
            Ok(())
        })?;
        y.extend(self.sparse.forward(w, out));
        Ok((CpuStorage::F32(y), (n + self.sparse.0.len(), out).into()))
    }

    fn bwd(&self, w: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        if !w.track_op() {
            return Ok(None);
        }
        let size = w.dims2()?;
        values(&grad.contiguous()?, |g| match &self.gathered {
            Some(gathered) => {
                gathered.add(|to, beta| self.add_backward(g, size, (to, beta)))?;
                Ok(None)
            }
            None => {
                let mut to = vec![0.0; size.0 * size.1];
                self.add_backward(g, size, (&mut to, 0.0))?;
                Ok(Some(Tensor::from_vec(to, size, w.device())?))
            }
        })
    }
}

/// v [n, out] times the transposed first weight [inputs, out], whose gradient gathers.
pub(super) struct ToInput {
    pub(super) gathered: Arc<Gathered>,
}

impl CustomOp2 for ToInput {
    fn name(&self) -> &'static str {
        "to-input"
    }

    fn cpu_fwd(
        &self,
        v: &CpuStorage,
        vl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ((n, out), (inputs, _)) = (vl.shape().dims2()?, wl.shape().dims2()?);
        let (v, w) = (slice(v, vl, "to-input")?, slice(w, wl, "to-input")?);
        let mut y = vec![0.0; n * inputs];
        matmul(&mut y, view(v, n, out)?, view(w, inputs, out)?.t(), 0.0);
        Ok((CpuStorage::F32(y), (n, inputs).into()))
    }

    fn bwd(
        &self,
        v: &Tensor,
        w: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let ((n, out), inputs) = (v.dims2()?, w.dim(0)?);
        let mut to = vec![0.0; n * out];
        values(&grad.contiguous()?, |g| {
            let g = view(g, n, inputs)?;
            values(w, |w| {
                matmul(&mut to, g, view(w, inputs, out)?, 0.0);
                Ok(())
            })?;
            if w.track_op() {
                values(v, |v| {
                    let v = view(v, n, out)?;
                    self.gathered.add(|to, beta| {
                        matmul(to, g.t(), v, beta);
                        Ok(())
                    })
                })?;
            }
            Ok(())
        })?;
        Ok((Some(Tensor::from_vec(to, (n, out), v.device())?), None))
    }
}
