//! One gain and one background per marker: what an instrument's sensitivity and a wash do to a cell.

use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// On the arcsinh scale, `x → arcsinh(e^log_gain · sinh(x) + background)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GainMap {
    /// Natural logarithm of the gain.
    pub log_gain: f64,
    /// Added on the linear scale, in units of the cofactor.
    pub background: f64,
}

/// How hard a marker's log gain is pulled towards the common one.
const SHRINKAGE: f64 = 0.01;

impl GainMap {
    /// The image of one value.
    pub fn apply(&self, x: f64) -> f64 {
        (self.log_gain.exp() * x.sinh() + self.background).asinh()
    }

    /// Fits one map per marker to quantiles of source and target control (`[marker][quantile]`).
    ///
    /// Markers that the controls hardly express say little about their gain. Sensitivity is largely shared between
    /// channels, so every log gain is pulled towards the common one: the median over markers, weighted by how much
    /// each marker's quantiles depend on its gain.
    pub fn fit(source: &[Vec<f64>], target: &[Vec<f64>]) -> Vec<Self> {
        let pairs: Vec<(&Vec<f64>, &Vec<f64>)> = source.iter().zip(target).collect();
        let first: Vec<Self> =
            pairs.par_iter().map(|(p, q)| fit_one(p, q, &[-1.0, 0.0, 1.0], None)).collect();
        let mut votes: Vec<(f64, f64)> =
            first.iter().zip(&pairs).map(|(map, (p, _))| (map.log_gain, map.information(p))).collect();
        let common = weighted_median(&mut votes);
        pairs
            .par_iter()
            .map(|(p, q)| fit_one(p, q, &[common, common - 1.0, common + 1.0], Some(common)))
            .collect()
    }

    /// How much the image of these values moves with the log gain: mean squared derivative.
    fn information(&self, values: &[f64]) -> f64 {
        let square = values.iter().map(|x| {
            let signal = self.log_gain.exp() * x.sinh();
            signal * signal / (1.0 + (signal + self.background).powi(2))
        });
        square.sum::<f64>() / values.len().max(1) as f64
    }
}

/// The value at which half of the weight is reached; 0 when there is no weight.
fn weighted_median(votes: &mut [(f64, f64)]) -> f64 {
    votes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = votes.iter().map(|v| v.1).sum::<f64>() / 2.0;
    let mut sum = 0.0;
    let mut reach = votes.iter().filter(|v| {
        sum += v.1;
        sum >= half && sum > 0.0
    });
    reach.next().map_or(0.0, |v| v.0)
}

/// The best of several starts.
fn fit_one(p: &[f64], q: &[f64], starts: &[f64], common: Option<f64>) -> GainMap {
    let sinh: Vec<f64> = p.iter().map(|x| x.sinh()).collect();
    let loss = |[log_gain, background]: [f64; 2]| {
        let gain = log_gain.exp();
        let distance: f64 =
            sinh.iter().zip(q).map(|(s, q)| ((gain * s + background).asinh() - q).abs()).sum();
        let pull = common.map_or(0.0, |c| SHRINKAGE * (log_gain - c).powi(2));
        distance / sinh.len().max(1) as f64 + pull
    };
    let best = starts
        .iter()
        .map(|&g| nelder_mead(&loss, [g, 0.0]))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map_or([0.0, 0.0], |b| b.0);
    GainMap { log_gain: best[0], background: best[1] }
}

/// Nelder and Mead's simplex in the plane: the best point and its value.
fn nelder_mead(loss: &dyn Fn([f64; 2]) -> f64, start: [f64; 2]) -> ([f64; 2], f64) {
    let at = |p: [f64; 2]| (p, loss(p));
    let mut simplex = [at(start), at([start[0] + 0.25, start[1]]), at([start[0], start[1] + 0.25])];
    for _ in 0..400 {
        simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
        let [best, middle, worst] = simplex;
        let size = (0..2).map(|i| (worst.0[i] - best.0[i]).abs().max((middle.0[i] - best.0[i]).abs()));
        if size.fold(0.0, f64::max) < 1e-5 && worst.1 - best.1 < 1e-6 {
            break;
        }
        let centre = [0, 1].map(|i| 0.5 * (best.0[i] + middle.0[i]));
        let along = |t: f64| at([0, 1].map(|i| centre[i] + t * (centre[i] - worst.0[i])));
        let reflected = along(1.0);
        if reflected.1 < best.1 {
            let expanded = along(2.0);
            simplex[2] = if expanded.1 < reflected.1 { expanded } else { reflected };
        } else if reflected.1 < middle.1 {
            simplex[2] = reflected;
        } else {
            let contracted = if reflected.1 < worst.1 { along(0.5) } else { along(-0.5) };
            if contracted.1 < reflected.1.min(worst.1) {
                simplex[2] = contracted;
            } else {
                for vertex in &mut simplex[1..] {
                    *vertex = at([0, 1].map(|i| 0.5 * (best.0[i] + vertex.0[i])));
                }
            }
        }
    }
    simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
    simplex[0]
}

/// Mean of each column; NaN when there are no rows.
pub fn column_means(x: ArrayView2<'_, f32>) -> Vec<f64> {
    x.columns().into_iter().map(|c| c.iter().map(|&v| f64::from(v)).sum::<f64>() / c.len() as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantiles(scale: f64) -> Vec<f64> {
        (0..100).map(|i| scale * (f64::from(i) + 0.5) / 100.0).collect()
    }

    #[test]
    fn a_known_gain_and_background_are_found() {
        let truth = GainMap { log_gain: -0.7, background: 0.3 };
        let source = vec![quantiles(5.0); 3];
        let target: Vec<Vec<f64>> =
            source.iter().map(|p| p.iter().map(|&x| truth.apply(x)).collect()).collect();
        for map in GainMap::fit(&source, &target) {
            assert!((map.log_gain + 0.7).abs() < 0.01 && (map.background - 0.3).abs() < 0.02, "{map:?}");
        }
    }

    #[test]
    fn a_marker_nobody_expresses_takes_the_common_gain() {
        let truth = GainMap { log_gain: 0.6, background: 0.0 };
        let mut source = vec![quantiles(5.0); 3];
        let mut target: Vec<Vec<f64>> =
            source.iter().map(|p| p.iter().map(|&x| truth.apply(x)).collect()).collect();
        source.push(vec![0.0; 100]);
        target.push(vec![0.0; 100]);
        let maps = GainMap::fit(&source, &target);
        assert!((maps[3].log_gain - 0.6).abs() < 0.02, "{:?}", maps[3]);
        assert!(maps[3].apply(0.0).abs() < 1e-3, "{:?}", maps[3]);
    }

    #[test]
    fn no_data_gives_no_nonsense() {
        let maps = GainMap::fit(&[vec![]], &[vec![]]);
        assert!(maps[0].apply(1.0).is_finite());
    }
}
