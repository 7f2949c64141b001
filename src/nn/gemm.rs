//! Matrix products over slices: the one place that calls the `gemm` kernels, which is `unsafe`.
//!
//! Candle's own matmul cannot add to its result, copies transposed operands and zero-fills first; for the small
//! layers of this field that costs as much as the product itself.

use rayon::current_num_threads;

/// A matrix seen in a slice: element (i, j) lies at `i * row_stride + j * col_stride`.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> View<'a> {
    /// A row-major matrix; `None` when the slice is of another size.
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Option<Self> {
        (rows.checked_mul(cols) == Some(data.len())).then_some(Self {
            data,
            rows,
            cols,
            row_stride: cols,
            col_stride: 1,
        })
    }

    /// The same matrix transposed, without moving anything.
    #[must_use]
    pub fn t(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }
}

/// Multiplications from which one product is shared between threads; smaller ones run faster on one
/// (measured: layers of 500 × 250 at minibatch 100 lose a quarter of their speed when shared by two).
const THREADS_FROM: usize = 1 << 26;

/// `out = beta * out + a · b`, with `out` row-major. The bits of the result do not depend on the number of threads:
/// every element is one sum over the inner dimension in a fixed order.
///
/// # Panics
/// Never on data; shapes are the caller's (layers check theirs when they are built), and a mismatch leaves `out`
/// filled with NaN so that no wrong number can pass.
pub fn matmul(out: &mut [f32], a: View<'_>, b: View<'_>, beta: f32) {
    let (m, n, k) = (a.rows, b.cols, a.cols);
    if b.rows != k || out.len() != m * n {
        out.fill(f32::NAN);
        return;
    }
    if k == 0 {
        out.iter_mut().for_each(|x| *x *= beta);
        return;
    }
    let threads = current_num_threads();
    let parallelism = if threads > 1 && m * n * k >= THREADS_FROM {
        gemm::Parallelism::Rayon(threads)
    } else {
        gemm::Parallelism::None
    };
    // SAFETY: the views were checked against their slices when built (rows × cols elements, transposition only swaps
    // strides), `out` holds m × n elements, shapes agree (checked above), and `out` is borrowed mutably, so it cannot
    // overlap `a` or `b`.
    #[allow(unsafe_code)]
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            beta != 0.0,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            beta,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(a: &[f32], b: &[f32], m: usize, k: usize, n: usize) -> Vec<f32> {
        let mut out = vec![0.0; m * n];
        for i in 0..m {
            for j in 0..n {
                out[i * n + j] = (0..k).map(|p| a[i * k + p] * b[p * n + j]).sum();
            }
        }
        out
    }

    fn numbers(n: usize, seed: u64) -> Vec<f32> {
        let mut s = crate::rng::Seed(seed).stream("gemm");
        (0..n).map(|_| s.normal() as f32).collect()
    }

    #[test]
    fn products_of_plain_and_transposed_views_match_a_plain_loop() {
        let (m, k, n) = (13, 7, 29);
        let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
        let expected = naive(&a, &b, m, k, n);
        let mut at = vec![0.0; m * k];
        for i in 0..m {
            for p in 0..k {
                at[p * m + i] = a[i * k + p];
            }
        }
        for view in [View::new(&a, m, k).unwrap(), View::new(&at, k, m).unwrap().t()] {
            let mut out = vec![1.0; m * n];
            matmul(&mut out, view, View::new(&b, k, n).unwrap(), 2.0);
            for (x, e) in out.iter().zip(&expected) {
                assert!((x - e - 2.0).abs() < 1e-4, "{x} {e}");
            }
        }
    }

    #[test]
    fn one_and_two_threads_give_the_same_bits() {
        let (m, k, n) = (100, 500, 250);
        let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut out = vec![0.0; m * n];
                matmul(&mut out, View::new(&a, m, k).unwrap(), View::new(&b, k, n).unwrap(), 0.0);
                out
            })
        };
        let one = run(1);
        for threads in [2, 3, 5] {
            assert!(one.iter().zip(run(threads)).all(|(x, y)| x.to_bits() == y.to_bits()));
        }
    }

    #[test]
    fn shapes_that_disagree_give_nan_and_no_crash() {
        let a = [1.0; 6];
        let mut out = [0.0; 4];
        matmul(&mut out, View::new(&a, 2, 3).unwrap(), View::new(&a, 2, 3).unwrap(), 0.0);
        assert!(out.iter().all(|x| x.is_nan()));
        assert!(View::new(&a, 2, 2).is_none());
    }
}
