//! Rows of mostly zeros, and a linear layer that takes them as they are.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Device, Error, Layout, Result, Shape, Tensor, Var};
use rayon::prelude::*;

use super::fused::{slice, values};
use super::{Init, NnError, Params, Sampled};

/// A minibatch of sparse rows, `len` × `width`. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct SparseBatch {
    width: usize,
    indptr: Arc<Vec<usize>>,
    columns: Arc<Vec<u32>>,
    values: Arc<Vec<f32>>,
}

impl SparseBatch {
    /// Wraps compressed rows.
    ///
    /// # Errors
    /// [`NnError::Parameter`] when the arrays contradict each other.
    pub fn new(
        width: usize,
        indptr: Vec<usize>,
        columns: Vec<u32>,
        values: Vec<f32>,
    ) -> std::result::Result<Self, NnError> {
        let ordered = indptr.first() == Some(&0)
            && indptr.windows(2).all(|w| w[0] <= w[1])
            && indptr.last() == Some(&columns.len());
        if !ordered || columns.len() != values.len() || columns.iter().any(|&c| c as usize >= width) {
            let what = "pointers, columns and values contradict each other".into();
            return Err(NnError::Parameter { name: "sparse rows".into(), what });
        }
        Ok(Self { width, indptr: indptr.into(), columns: columns.into(), values: values.into() })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.indptr.len() - 1
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Columns and values of one row.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let span = self.indptr[row]..self.indptr[row + 1];
        (&self.columns[span.clone()], &self.values[span])
    }

    /// Sum of each row.
    pub fn sums(&self) -> Vec<f32> {
        (0..self.len()).map(|r| self.row(r).1.iter().map(|&v| f64::from(v)).sum::<f64>() as f32).collect()
    }

    /// Rows with every value replaced by `f(row, value)`; zeros stay zeros.
    #[must_use]
    pub fn map(&self, f: impl Fn(usize, f32) -> f32) -> Self {
        let values = (0..self.len()).flat_map(|r| self.row(r).1.iter().map(move |&v| (r, v)));
        Self { values: Arc::new(values.map(|(r, v)| f(r, v)).collect()), ..self.clone() }
    }

    /// Rows scaled to a sum of `target` each; rows without a value stay so.
    #[must_use]
    pub fn scaled(&self, target: f32) -> Self {
        let sums = self.sums();
        self.map(|r, v| v / sums[r].max(f32::MIN_POSITIVE) * target)
    }

    /// ln(1 + value) of rows scaled to a sum of `target`.
    #[must_use]
    pub fn log_scaled(&self, target: f32) -> Self {
        let sums = self.sums();
        self.map(|r, v| (v / sums[r].max(f32::MIN_POSITIVE) * target).ln_1p())
    }

    /// Rows in which only the columns that `keep` says have values; the width stays.
    #[must_use]
    pub fn only(&self, keep: &[bool]) -> Self {
        let (mut indptr, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
        for r in 0..self.len() {
            let (from, of) = self.row(r);
            let kept = from.iter().zip(of).filter(|(c, _)| keep.get(**c as usize) == Some(&true));
            for (&c, &v) in kept {
                columns.push(c);
                values.push(v);
            }
            indptr.push(columns.len());
        }
        Self { width: self.width, indptr: indptr.into(), columns: columns.into(), values: values.into() }
    }

    /// The rows as a dense tensor [len, width].
    ///
    /// # Errors
    /// Candle's.
    pub fn dense(&self, device: &Device) -> Result<Tensor> {
        let mut out = vec![0.0; self.len() * self.width];
        for (r, row) in out.chunks_exact_mut(self.width.max(1)).enumerate() {
            let (columns, values) = self.row(r);
            for (&c, &v) in columns.iter().zip(values) {
                row[c as usize] += v;
            }
        }
        Tensor::from_vec(out, (self.len(), self.width), device)
    }
}

/// A linear layer whose input is sparse. Its weight is stored [inputs, out], so that a value of the input meets
/// neighbouring numbers.
#[derive(Debug, Clone)]
pub struct SparseLinear {
    weight: Var,
    bias: Option<Var>,
    frozen: bool,
}

impl SparseLinear {
    /// `name.weight` [inputs, out] and, when asked for, `name.bias` [out].
    ///
    /// # Errors
    /// [`NnError`] when the name is taken.
    pub fn new(
        params: &mut Params,
        name: &str,
        (inputs, out): (usize, usize),
        bias: bool,
        init: Init,
    ) -> std::result::Result<Self, NnError> {
        Self::with_init(params, name, (inputs, out), init, bias.then_some(init))
    }

    /// As [`SparseLinear::new`], weight and bias started otherwise; without a start there is no bias.
    ///
    /// # Errors
    /// [`NnError`] when the name is taken.
    pub fn with_init(
        params: &mut Params,
        name: &str,
        (inputs, out): (usize, usize),
        weight: Init,
        bias: Option<Init>,
    ) -> std::result::Result<Self, NnError> {
        let weight = params.add(&format!("{name}.weight"), &[inputs, out], weight)?;
        let bias = bias.map(|init| params.add(&format!("{name}.bias"), &[out], init)).transpose()?;
        Ok(Self { weight, bias, frozen: false })
    }

    /// The same layer as it stands now: gradients pass through it, none is computed for it.
    #[must_use]
    pub fn frozen(&self) -> Self {
        Self { frozen: true, ..self.clone() }
    }

    /// The weight [inputs, out].
    pub fn weight(&self) -> &Var {
        &self.weight
    }

    /// The bias [out].
    pub fn bias(&self) -> Option<&Var> {
        self.bias.as_ref()
    }

    fn current(&self, var: &Var) -> Tensor {
        if self.frozen { var.detach() } else { var.as_tensor().clone() }
    }

    /// [n, inputs] → [n, out], the input in sparse rows.
    ///
    /// # Errors
    /// Candle's, when the input has another width.
    pub fn forward_sparse(&self, x: &SparseBatch) -> std::result::Result<Tensor, NnError> {
        self.add_bias(self.current(&self.weight).apply_op1(SparseProduct(x.clone()))?)
    }

    /// [n, inputs] → [n, out], the input dense.
    ///
    /// # Errors
    /// Candle's, when the input has another width.
    pub fn forward(&self, x: &Tensor) -> std::result::Result<Tensor, NnError> {
        self.add_bias(super::fused::product(x, &self.current(&self.weight))?)
    }

    /// [n, inputs] → [n, out], the input drawn from a law that is learnt.
    ///
    /// # Errors
    /// Candle's, when the input has another width.
    pub fn forward_sampled(&self, x: &Sampled) -> std::result::Result<Tensor, NnError> {
        self.add_bias(x.product(&self.current(&self.weight))?)
    }

    fn add_bias(&self, y: Tensor) -> std::result::Result<Tensor, NnError> {
        match &self.bias {
            Some(b) => Ok(y.broadcast_add(&self.current(b))?),
            None => Ok(y),
        }
    }
}

/// Sparse rows [n, inputs] times a weight [inputs, out], which is the operand.
pub(super) struct SparseProduct(pub(super) SparseBatch);

impl SparseProduct {
    /// Rows times `w` [inputs, out], row-major.
    pub(super) fn forward(&self, w: &[f32], out: usize) -> Vec<f32> {
        let mut y = vec![0.0f32; self.0.len() * out];
        y.par_chunks_exact_mut(out.max(1)).enumerate().for_each(|(r, to)| {
            let (columns, values) = self.0.row(r);
            for (&c, &v) in columns.iter().zip(values) {
                let row = &w[c as usize * out..][..out];
                to.iter_mut().zip(row).for_each(|(t, w)| *t += v * w);
            }
        });
        y
    }

    /// Adds the gradient of the weight to `to` [inputs, out], from the gradient `g` [n, out] of the product.
    pub(super) fn add_backward(&self, g: &[f32], to: &mut [f32], out: usize) {
        let inputs = self.0.width();
        // Columns are shared out between threads in fixed runs; each sum runs over the rows in order.
        let run = inputs.div_ceil(SHARES).max(1);
        to.par_chunks_mut(run * out.max(1)).enumerate().for_each(|(share, to)| {
            let (from, end) = (share * run, ((share + 1) * run).min(inputs));
            for r in 0..self.0.len() {
                let (columns, values) = self.0.row(r);
                let g = &g[r * out..][..out];
                let first = columns.partition_point(|&c| (c as usize) < from);
                for (&c, &v) in columns[first..].iter().zip(&values[first..]) {
                    if c as usize >= end {
                        break;
                    }
                    let row = &mut to[(c as usize - from) * out..][..out];
                    row.iter_mut().zip(g).for_each(|(t, g)| *t += v * g);
                }
            }
        });
    }
}

impl CustomOp1 for SparseProduct {
    fn name(&self) -> &'static str {
        "sparse-product"
    }

    fn cpu_fwd(&self, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (inputs, out) = wl.shape().dims2()?;
        if inputs != self.0.width() {
            let width = self.0.width();
            return Err(Error::Msg(format!("a layer of {inputs} inputs cannot take rows of width {width}")));
        }
        let y = self.forward(slice(w, wl, "sparse-product")?, out);
        Ok((CpuStorage::F32(y), (self.0.len(), out).into()))
    }

    fn bwd(&self, w: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        if !w.track_op() {
            return Ok(None);
        }
        let (inputs, out) = w.dims2()?;
        let mut to = vec![0.0f32; inputs * out];
        values(&grad.contiguous()?, |g| {
            self.add_backward(g, &mut to, out);
            Ok(())
        })?;
        Ok(Some(Tensor::from_vec(to, (inputs, out), w.device())?))
    }
}

/// Runs of columns in the backward pass.
const SHARES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;

    fn rows() -> SparseBatch {
        SparseBatch::new(5, vec![0, 2, 2, 4], vec![0, 3, 1, 4], vec![1.0, 2.0, -1.0, 0.5]).unwrap()
    }

    #[test]
    fn sparse_and_dense_forward_and_gradients_agree() {
        let device = Device::Cpu;
        let mut params = Params::new(Seed(1), &device);
        let layer =
            SparseLinear::new(&mut params, "a.0", (5, 3), true, Init::TorchLinear { fan_in: 5 }).unwrap();
        let sparse = layer.forward_sparse(&rows()).unwrap();
        let dense = layer.forward(&rows().dense(&device).unwrap()).unwrap();
        let list = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (a, b) in list(&sparse).iter().zip(list(&dense)) {
            assert!((a - b).abs() < 1e-6);
        }
        let grads = |y: &Tensor| {
            let g = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            params.iter().flat_map(|(_, v)| list(g.get(v).unwrap())).collect::<Vec<_>>()
        };
        for (a, b) in grads(&sparse).iter().zip(grads(&dense)) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }

    #[test]
    fn scaled_rows_add_up_to_the_target_and_empty_ones_stay_empty() {
        let x = SparseBatch::new(3, vec![0, 2, 2], vec![0, 2], vec![1.0, 3.0]).unwrap();
        assert_eq!(x.scaled(20_000.0).row(0).1, [5000.0, 15000.0]);
        assert_eq!(x.scaled(20_000.0).sums(), [20_000.0, 0.0]);
        assert!((x.log_scaled(20_000.0).row(0).1[0] - 5000.0f32.ln_1p()).abs() < 1e-6);
    }

    #[test]
    fn contradicting_arrays_are_refused() {
        assert!(SparseBatch::new(2, vec![0, 1], vec![2], vec![1.0]).is_err());
        assert!(SparseBatch::new(2, vec![0, 2], vec![1], vec![1.0]).is_err());
        assert!(SparseBatch::new(2, vec![], vec![], vec![]).is_err());
    }
}
