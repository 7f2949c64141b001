//! The likelihood of counts under a decoder: negative binomial, with or without extra zeros.
//!
//! One pass gives the loss and every gradient: rows are sparse, so only the counts above zero need more than a
//! logarithm.

use std::sync::Mutex;

use candle_core::{CpuStorage, CustomOp3, Error, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::NnError;
use super::fused::slice;
use super::sparse::SparseBatch;

/// Law of the counts of a gene in a cell, given their mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountLaw {
    /// Negative binomial: variance μ + μ² / θ.
    Nb,
    /// The same with a share of extra zeros, one for each gene.
    Zinb,
}

/// ln P(x) of the negative binomial with mean μ and inverse dispersion θ.
pub fn ln_negative_binomial(x: f64, mean: f64, theta: f64) -> f64 {
    libm::lgamma(x + theta) - libm::lgamma(theta) - libm::lgamma(x + 1.0) - theta * (mean / theta).ln_1p()
        + if x > 0.0 { x * (mean / (theta + mean)).ln() } else { 0.0 }
}

/// ln P(x) of the negative binomial with a share σ(`zero_logit`) of extra zeros.
pub fn ln_zero_inflated(x: f64, mean: f64, theta: f64, zero_logit: f64) -> f64 {
    let zero = 1.0 / (1.0 + (-zero_logit).exp());
    let rest = (1.0 - zero).ln() + ln_negative_binomial(x, mean, theta);
    if x > 0.0 { rest } else { (zero + rest.exp()).ln() }
}

/// Mean over cells of −Σ ln P(count), the mean of gene g in cell i being `library[i]` · softmax(`logits`[i])[g].
/// `logits` [n, genes], `log_theta` [genes], `zero_logit` [genes] (used by [`CountLaw::Zinb`] alone).
///
/// # Errors
/// [`NnError`] when shapes disagree.
pub fn negative_log_likelihood(
    counts: &SparseBatch,
    library: &[f32],
    law: CountLaw,
    logits: &Tensor,
    log_theta: &Tensor,
    zero_logit: &Tensor,
) -> std::result::Result<Tensor, NnError> {
    let op = CountLoss { counts: counts.clone(), library: library.to_vec(), law, grads: Mutex::new(None) };
    Ok(logits.contiguous()?.apply_op3(log_theta, zero_logit, op)?)
}

/// Gradients of the loss, made on the way forward.
struct Grads {
    logits: Vec<f32>,
    log_theta: Vec<f32>,
    zero_logit: Vec<f32>,
}

struct CountLoss {
    counts: SparseBatch,
    library: Vec<f32>,
    law: CountLaw,
    grads: Mutex<Option<Grads>>,
}

/// Rows that are summed as one part; fixed, so that sums do not depend on threads.
const ROWS: usize = 8;

/// What a gene brings to all cells.
struct Gene {
    theta: f32,
    /// Share of extra zeros and its logarithm's complement, ln(1 − share).
    zero: f32,
    ln_rest: f32,
}

impl CountLoss {
    fn genes(&self, log_theta: &[f32], zero_logit: &[f32]) -> Vec<Gene> {
        let inflated = self.law == CountLaw::Zinb;
        log_theta
            .iter()
            .zip(zero_logit)
            .map(|(&t, &u)| {
                // ln(1 − σ(u)) = −ln(1 + e^u)
                let (zero, ln_rest) =
                    if inflated { (1.0 / (1.0 + (-u).exp()), -u.exp().ln_1p()) } else { (0.0, 0.0) };
                Gene { theta: t.clamp(MIN_LOG_THETA, MAX_LOG_THETA).exp(), zero, ln_rest }
            })
            .collect()
    }

    /// Loss of one cell; its gradients are put into `logits` (in place of the logits) and added to `theta` and `zero`.
    fn cell(&self, i: usize, genes: &[Gene], logits: &mut [f32], theta: &mut [f32], zero: &mut [f32]) -> f64 {
        let library = self.library[i];
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        logits.iter_mut().for_each(|o| *o = (*o - most).exp());
        let factor = (f64::from(library) / logits.iter().map(|&e| f64::from(e)).sum::<f64>()) as f32;

        let mut loss = 0.0f64;
        let mut pull = 0.0f64;
        let (columns, values) = self.counts.row(i);
        let mut next = columns.iter().zip(values).peekable();
        // From here on `logits` holds the shares of the genes, and then μ · dL/dμ.
        let mut means = Vec::with_capacity(logits.len());
        for (g, (slot, gene)) in logits.iter_mut().zip(genes).enumerate() {
            let mean = (*slot * factor).max(MIN_MEAN);
            means.push(mean);
            let Gene { theta: t, zero: share, ln_rest } = *gene;
            let log = (mean / t).ln_1p();
            let below = 1.0 / (t + mean);
            // As if the count were zero.
            let mut nll = t * log;
            let mut weight = t * mean * below;
            let mut by_theta = log - mean * below;
            let count = next.next_if(|(c, _)| **c as usize == g).map(|(_, &x)| x).filter(|x| *x > 0.0);
            if let Some(x) = count {
                let (ln_ratio, by_ratio, ln_factorial) = gamma_terms(t, x);
                nll += x * (log + (t / mean).ln()) - ln_ratio + ln_factorial - ln_rest;
                weight -= t * x * below;
                by_theta += x * below - by_ratio;
                zero[g] += share;
            } else if share > 0.0 {
                let nothing = (-nll).exp();
                let all = share + (1.0 - share) * nothing;
                let of_nb = (1.0 - share) * nothing / all;
                zero[g] -= share * (1.0 - share) * (1.0 - nothing) / all;
                nll = -all.ln();
                weight *= of_nb;
                by_theta *= of_nb;
            }
            loss += f64::from(nll);
            pull += f64::from(weight);
            theta[g] += by_theta * t;
            *slot = weight;
        }
        let share = (pull / f64::from(library.max(f32::MIN_POSITIVE))) as f32;
        logits.iter_mut().zip(means).for_each(|(w, mean)| *w -= mean * share);
        loss
    }
}

/// Range of ln θ: 1e-4 to 1e4.
const MIN_LOG_THETA: f32 = -9.21;
const MAX_LOG_THETA: f32 = 9.21;

/// The smallest mean, so that a count of a gene with none still has a likelihood.
const MIN_MEAN: f32 = 1e-8;

/// Counts up to which the gamma functions are sums.
const SUMMED: f32 = 48.0;

/// ln Γ(x + θ) − ln Γ(θ), its derivative by θ, and ln x! for a whole x above zero.
fn gamma_terms(theta: f32, x: f32) -> (f32, f32, f32) {
    if x <= SUMMED {
        let (mut ln, mut by, mut factorial) = (1.0f64, 0.0f64, 1.0f64);
        let t = f64::from(theta);
        let mut sum = 0.0;
        for k in 0..x as u32 {
            let k = f64::from(k);
            // Products of a few factors need one logarithm.
            ln *= (t + k) / (k + 1.0);
            factorial *= k + 1.0;
            by += 1.0 / (t + k);
            if !(1e-200..1e200).contains(&ln) {
                sum += ln.ln();
                ln = 1.0;
            }
        }
        let ln_factorial = factorial.ln();
        return ((sum + ln.ln() + ln_factorial) as f32, by as f32, ln_factorial as f32);
    }
    let (t, x) = (f64::from(theta), f64::from(x));
    let ln = libm::lgamma(x + t) - libm::lgamma(t);
    (ln as f32, (digamma(x + t) - digamma(t)) as f32, libm::lgamma(x + 1.0) as f32)
}

/// Derivative of ln Γ, for x > 0: recurrence up to 6, then the asymptotic series (Abramowitz & Stegun 6.3.5, 6.3.18).
fn digamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 6.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    let series = r * (1.0 / 12.0 - r * (1.0 / 120.0 - r * (1.0 / 252.0 - r * (1.0 / 240.0 - r / 132.0))));
    sum + x.ln() - 0.5 / x - series
}

impl CustomOp3 for CountLoss {
    fn name(&self) -> &'static str {
        "count-loss"
    }

    fn cpu_fwd(
        &self,
        o: &CpuStorage,
        ol: &Layout,
        t: &CpuStorage,
        tl: &Layout,
        u: &CpuStorage,
        ul: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (n, width) = ol.shape().dims2()?;
        let fits = n == self.counts.len() && width == self.counts.width() && n == self.library.len();
        if !fits || tl.shape().dims1()? != width || ul.shape().dims1()? != width {
            return Err(Error::Msg(format!(
                "logits [{n}, {width}], dispersions {:?} and counts of {} cells × {} genes do not fit",
                tl.shape(),
                self.counts.len(),
                self.counts.width()
            )));
        }
        let mut logits = slice(o, ol, "count-loss")?.to_vec();
        let log_theta = slice(t, tl, "count-loss")?;
        let genes = self.genes(log_theta, slice(u, ul, "count-loss")?);
        let parts: Vec<(f64, Vec<f32>, Vec<f32>)> = logits
            .par_chunks_mut(ROWS * width.max(1))
            .enumerate()
            .map(|(part, rows)| {
                let (mut theta, mut zero) = (vec![0.0; width], vec![0.0; width]);
                let cells = rows.chunks_exact_mut(width.max(1)).enumerate();
                let loss =
                    cells.map(|(r, row)| self.cell(part * ROWS + r, &genes, row, &mut theta, &mut zero));
                (loss.sum::<f64>(), theta, zero)
            })
            .collect();
        let (mut loss, mut theta, mut zero) = (0.0, vec![0.0f32; width], vec![0.0f32; width]);
        for (l, t, z) in parts {
            loss += l;
            theta.iter_mut().zip(t).for_each(|(s, v)| *s += v);
            zero.iter_mut().zip(z).for_each(|(s, v)| *s += v);
        }
        let count = n.max(1) as f32;
        for g in [&mut logits, &mut theta, &mut zero] {
            g.iter_mut().for_each(|v| *v /= count);
        }
        // Outside its range a dispersion stays where it is.
        for (g, &t) in theta.iter_mut().zip(log_theta) {
            if !(MIN_LOG_THETA..=MAX_LOG_THETA).contains(&t) {
                *g = 0.0;
            }
        }
        let mut grads = self.grads.lock().map_err(|e| Error::Msg(e.to_string()))?;
        *grads = Some(Grads { logits, log_theta: theta, zero_logit: zero });
        Ok((CpuStorage::F32(vec![(loss / f64::from(count)) as f32]), Shape::from(())))
    }

    fn bwd(
        &self,
        o: &Tensor,
        t: &Tensor,
        u: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let scale = grad.to_scalar::<f32>()?;
        let mut cache = self.grads.lock().map_err(|e| Error::Msg(e.to_string()))?;
        let Grads { logits, log_theta, zero_logit } = cache
            .take()
            .ok_or_else(|| Error::Msg("the count loss was asked for its gradient twice".into()))?;
        let give = |mut values: Vec<f32>, like: &Tensor| -> Result<Option<Tensor>> {
            if scale != 1.0 {
                values.iter_mut().for_each(|v| *v *= scale);
            }
            Tensor::from_vec(values, like.shape(), like.device()).map(Some)
        };
        let zero = if self.law == CountLaw::Zinb { give(zero_logit, u)? } else { None };
        Ok((give(logits, o)?, give(log_theta, t)?, zero))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    /// A worked example.
    #[test]
    fn log_probabilities_equal_the_specification() {
        assert!((ln_negative_binomial(3.0, 2.0, 1.5) + 2.167_035).abs() < 1e-6);
        assert!((ln_zero_inflated(0.0, 2.0, 1.5, -1.0) + 0.746_439).abs() < 1e-6);
        assert!((ln_zero_inflated(3.0, 2.0, 1.5, -1.0) + 2.480_296).abs() < 1e-6);
    }

    /// scipy.special.digamma
    #[test]
    fn digamma_equals_scipy() {
        for (x, e) in
            [(0.1, -10.423_754_940_411_076), (1.5, 0.036_489_973_978_576_52), (60.0, 4.085_988_081_383_538)]
        {
            assert!((digamma(x) - e).abs() < 1e-8, "{x} {}", digamma(x));
        }
    }

    #[test]
    fn both_ways_to_the_gamma_terms_agree() {
        for theta in [0.01f32, 0.7, 30.0] {
            let (a, b, c) = gamma_terms(theta, SUMMED);
            let (t, x) = (f64::from(theta), f64::from(SUMMED));
            assert!((f64::from(a) / (libm::lgamma(x + t) - libm::lgamma(t)) - 1.0).abs() < 1e-5);
            assert!((f64::from(b) / (digamma(x + t) - digamma(t)) - 1.0).abs() < 1e-5);
            assert!((f64::from(c) / libm::lgamma(x + 1.0) - 1.0).abs() < 1e-6);
        }
    }

    fn setting() -> (SparseBatch, Vec<f32>, [Vec<f32>; 3]) {
        let counts =
            SparseBatch::new(4, vec![0, 2, 2, 4], vec![0, 2, 1, 3], vec![3.0, 1.0, 60.0, 2.0]).unwrap();
        let logits = vec![0.3, -1.0, 0.5, 0.1, 0.0, 0.2, -0.4, 1.0, 2.0, 0.1, -0.3, 0.4];
        (counts, vec![4.0, 2.0, 62.0], [logits, vec![0.5, -1.0, 2.0, 0.1], vec![-1.0, 0.3, -2.0, 0.0]])
    }

    /// The loss is what the log-probabilities say, and its gradients are its finite differences.
    #[test]
    fn loss_and_gradients_agree_with_the_log_probabilities() {
        let (counts, library, parts) = setting();
        for law in [CountLaw::Nb, CountLaw::Zinb] {
            let exact = |parts: &[Vec<f64>; 3]| {
                let mut sum = 0.0;
                for (i, row) in parts[0].chunks(4).enumerate() {
                    let total: f64 = row.iter().map(|o| o.exp()).sum();
                    for g in 0..4 {
                        let (columns, values) = counts.row(i);
                        let x =
                            columns.iter().position(|&c| c == g as u32).map_or(0.0, |k| f64::from(values[k]));
                        let (mean, t) = (f64::from(library[i]) * row[g].exp() / total, parts[1][g].exp());
                        sum -= match law {
                            CountLaw::Nb => ln_negative_binomial(x, mean, t),
                            CountLaw::Zinb => ln_zero_inflated(x, mean, t, parts[2][g]),
                        };
                    }
                }
                sum / 3.0
            };
            let wide = parts.clone().map(|p| p.into_iter().map(f64::from).collect::<Vec<f64>>());
            let vars = [
                Var::from_slice(&parts[0], (3, 4), &Device::Cpu).unwrap(),
                Var::from_slice(&parts[1], 4, &Device::Cpu).unwrap(),
                Var::from_slice(&parts[2], 4, &Device::Cpu).unwrap(),
            ];
            let loss = negative_log_likelihood(&counts, &library, law, &vars[0], &vars[1], &vars[2]).unwrap();
            let value = f64::from(loss.to_scalar::<f32>().unwrap());
            assert!((value / exact(&wide) - 1.0).abs() < 1e-5, "{value} {}", exact(&wide));
            let grads = (loss * 2.0).unwrap().backward().unwrap();
            for (k, var) in vars.iter().enumerate() {
                let Some(got) = grads.get(var) else {
                    assert!(k == 2 && law == CountLaw::Nb);
                    continue;
                };
                for (j, g) in got.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().enumerate() {
                    let at = |h: f64| {
                        let mut moved = wide.clone();
                        moved[k][j] += h;
                        exact(&moved)
                    };
                    let expected = 2.0 * (at(1e-4) - at(-1e-4)) / 2e-4;
                    assert!(
                        (f64::from(g) - expected).abs() < 2e-3 * (1.0 + expected.abs()),
                        "{k} {j} {g} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn counts_of_other_genes_are_refused() {
        let (counts, library, _) = setting();
        let zeros = |shape: &[usize]| Tensor::zeros(shape, candle_core::DType::F32, &Device::Cpu).unwrap();
        let law = CountLaw::Nb;
        let e = negative_log_likelihood(&counts, &library, law, &zeros(&[3, 5]), &zeros(&[5]), &zeros(&[5]));
        assert!(e.is_err());
    }
}
