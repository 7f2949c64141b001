//! The `default` preset: a map per marker joined with a latent edit, both learnt from controls that were weighted to
//! look like the sample. `docs/neuron-edit.md` says why, lists what was tried and what the neurons add.

use candle_core::Device;
use ndarray::{Array2, ArrayView2, Axis, concatenate};
use serde::{Deserialize, Serialize};

use crate::classic::{GainMap, PercentileMap, Tail, weighted_quantiles};
use crate::linalg::Logistic;
use crate::loader::Union;
use crate::rng::Seed;
use crate::zoo::{Batch, BatchSource, NeuronEdit, ZooError};

/// Quantiles a map runs through: 0.5 %, 1.5 %, …, 99.5 %. The extremes are left out, they are single cells.
const KNOTS: usize = 100;

/// Shares of the joined edit: gain and background, percentile map, decoded latent change.
const SHARES: [f64; 3] = [0.3, 0.5, 0.2];

/// Cells of each group that the weights are learnt from; more would not change them.
pub(super) const MOST: usize = 20_000;

/// Smallest share of effective cells that weighting may leave of a control.
const EFFECTIVE: f64 = 0.1;

/// What stands in for the autoencoder's bottleneck: the neurons, or, to show what they add, the markers themselves.
#[derive(Debug, Clone, Copy)]
pub enum Codes<'a> {
    /// The bottleneck of a trained autoencoder.
    Neurons(&'a NeuronEdit),
    /// No network: a cell is its own code.
    Markers,
}

impl Codes<'_> {
    fn encode(self, x: ArrayView2<'_, f32>) -> Result<Array2<f32>, ZooError> {
        match self {
            Codes::Neurons(model) => model.encode(x),
            Codes::Markers => Ok(x.to_owned()),
        }
    }

    fn decode(self, z: ArrayView2<'_, f32>) -> Result<Array2<f32>, ZooError> {
        match self {
            Codes::Neurons(model) => model.decode(z),
            Codes::Markers => Ok(z.to_owned()),
        }
    }

    /// What cells are compared by: markers, and neurons where there are some.
    fn features(self, x: ArrayView2<'_, f32>) -> Result<Array2<f64>, ZooError> {
        let markers = x.mapv(f64::from);
        match self {
            Codes::Markers => Ok(markers),
            Codes::Neurons(model) => {
                let neurons = model.encode(x)?.mapv(f64::from);
                concatenate(Axis(1), &[markers.view(), neurons.view()]).map_err(|e| ZooError::Config {
                    what: format!("codes of another length than cells: {e}"),
                })
            }
        }
    }
}

/// One map per marker: the mean of a percentile map with unit-slope tails and a gain with background.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MarkerMaps {
    percentile: Vec<PercentileMap>,
    /// Empty on scales other than arcsinh, where a gain has no meaning.
    gain: Vec<GainMap>,
}

/// A first guess, marker by marker: brings cells of a run near the reference, where neurons are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Guess(MarkerMaps);

impl Guess {
    /// Learns the guess from source and target control (cells × markers).
    pub fn fit(source: ArrayView2<'_, f32>, target: ArrayView2<'_, f32>, gains: bool) -> Self {
        let even = |x: ArrayView2<'_, f32>| quantiles(x, &vec![1.0; x.nrows()]);
        Self(MarkerMaps::fit(&even(source), &even(target), gains))
    }

    /// Moves one cell in place.
    fn move_cell(&self, cell: &mut [f32]) {
        for (j, x) in cell.iter_mut().enumerate() {
            let (p, g) = self.0.images(j, *x);
            *x = (0.5 * (p + g)) as f32;
        }
    }

    fn moved(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut out = x.to_owned();
        for mut row in out.rows_mut() {
            if let Some(cell) = row.as_slice_mut() {
                self.move_cell(cell);
            }
        }
        out
    }
}

/// What the autoencoder is trained on: all cells as they are, then those of every other run at their first guess, so
/// that it knows the place where it compares them. Guesses are made as cells are asked for.
#[derive(Debug)]
pub(super) struct TwoFrames<'a> {
    pub(super) all: Union<'a>,
    pub(super) guessed: Vec<(&'a Guess, Union<'a>)>,
}

impl BatchSource for TwoFrames<'_> {
    fn len(&self) -> usize {
        self.all.len() + self.guessed.iter().map(|g| g.1.len()).sum::<usize>()
    }

    fn batch(&self, cells: &[usize], device: &Device) -> Result<Batch, ZooError> {
        let mut values = Vec::with_capacity(cells.len() * self.all.width());
        let out = &mut values;
        for &cell in cells {
            if cell < self.all.len() {
                self.all.fill(&[cell], out);
                continue;
            }
            let mut i = cell - self.all.len();
            for (guess, union) in &self.guessed {
                if i < union.len() {
                    let from = out.len();
                    union.fill(&[i], out);
                    guess.move_cell(&mut out[from..]);
                    break;
                }
                i -= union.len();
            }
        }
        Batch::dense(values, self.all.width(), device)
    }
}

/// The fitted edit of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Joined {
    /// The first guess.
    guess: Guess,
    /// The marker maps of the weighted controls.
    markers: MarkerMaps,
    /// The map of each neuron, of cells at their first guess.
    neurons: Vec<PercentileMap>,
}

impl MarkerMaps {
    fn fit(source: &[Vec<f64>], target: &[Vec<f64>], gains: bool) -> Self {
        Self {
            percentile: through(source, target),
            gain: if gains { GainMap::fit(source, target) } else { Vec::new() },
        }
    }

    /// Percentile image and gain image of value `x` of marker `j`; the same twice where there is no gain.
    fn images(&self, j: usize, x: f32) -> (f64, f64) {
        let x = f64::from(x);
        let percentile = self.percentile.get(j).map_or(x, |m| m.apply(x));
        (percentile, self.gain.get(j).map_or(percentile, |m| m.apply(x)))
    }

    fn is_sound(&self, width: usize) -> bool {
        let gains = self.gain.is_empty() || self.gain.len() == width;
        let finite = self.gain.iter().all(|g| g.log_gain.is_finite() && g.background.is_finite());
        gains
            && finite
            && self.percentile.len() == width
            && self.percentile.iter().all(PercentileMap::is_sound)
    }
}

fn through(source: &[Vec<f64>], target: &[Vec<f64>]) -> Vec<PercentileMap> {
    source.iter().zip(target).map(|(s, t)| PercentileMap::through(s, t, Tail::Shift)).collect()
}

/// Weighted quantiles of every column, at the knots.
fn quantiles(x: ArrayView2<'_, f32>, weights: &[f64]) -> Vec<Vec<f64>> {
    let at: Vec<f64> = (0..KNOTS).map(|k| (k as f64 + 0.5) / KNOTS as f64).collect();
    x.columns()
        .into_iter()
        .map(|c| weighted_quantiles(&c.iter().map(|&v| f64::from(v)).collect::<Vec<_>>(), weights, &at))
        .collect()
}

impl Joined {
    /// Learns the edit from source and target control, for that sample (cells × markers each), going on from a first
    /// guess.
    ///
    /// # Errors
    /// [`ZooError`] when tensors refuse.
    pub fn fit(
        codes: Codes<'_>,
        guess: Guess,
        source: ArrayView2<'_, f32>,
        target: ArrayView2<'_, f32>,
        sample: ArrayView2<'_, f32>,
    ) -> Result<Self, ZooError> {
        let gains = !guess.0.gain.is_empty();
        let (near, sample) = (guess.moved(source), guess.moved(sample));
        let [ws, wt] = weights(codes, near.view(), target, sample.view())?;
        let markers = MarkerMaps::fit(&quantiles(source, &ws), &quantiles(target, &wt), gains);
        let (zs, zt) = (codes.encode(near.view())?, codes.encode(target)?);
        let neurons = through(&quantiles(zs.view(), &ws), &quantiles(zt.view(), &wt));
        Ok(Self { guess, markers, neurons })
    }

    /// Moves cells. The second value is the share of neurons outside the knots.
    ///
    /// # Errors
    /// [`ZooError`] when tensors refuse.
    pub fn apply(&self, codes: Codes<'_>, x: ArrayView2<'_, f32>) -> Result<(Array2<f32>, f64), ZooError> {
        let near = self.guess.moved(x);
        let mut z = codes.encode(near.view())?;
        let before = codes.decode(z.view())?;
        let mut outside = 0usize;
        for mut row in z.rows_mut() {
            for (v, map) in row.iter_mut().zip(&self.neurons) {
                outside += usize::from(map.outside(f64::from(*v)));
                *v = map.apply(f64::from(*v)) as f32;
            }
        }
        let after = codes.decode(z.view())?;
        let moved = Array2::from_shape_fn(x.dim(), |(i, j)| {
            let (percentile, gain) = self.markers.images(j, x[(i, j)]);
            // Only the change of the decoded cell counts: what the autoencoder cannot draw is not lost.
            let latent = f64::from(near[(i, j)]) + f64::from(after[(i, j)]) - f64::from(before[(i, j)]);
            (SHARES[0] * gain + SHARES[1] * percentile + SHARES[2] * latent) as f32
        });
        Ok((moved, outside as f64 / z.len().max(1) as f64))
    }

    /// Checks what deserialisation cannot.
    pub(super) fn is_sound(&self, width: usize, neurons: usize) -> bool {
        self.guess.0.is_sound(width)
            && self.markers.is_sound(width)
            && self.neurons.len() == neurons
            && self.neurons.iter().all(PercentileMap::is_sound)
    }
}

/// Weights of source and target control cells that make each control look like the sample, where markers and neurons
/// can tell them apart. They are damped together until a tenth of each control counts.
fn weights(
    codes: Codes<'_>,
    source: ArrayView2<'_, f32>,
    target: ArrayView2<'_, f32>,
    sample: ArrayView2<'_, f32>,
) -> Result<[Vec<f64>; 2], ZooError> {
    let some = |x: ArrayView2<'_, f32>| -> Result<Array2<f64>, ZooError> {
        let rows = Seed(0).stream("joined/weights").sample(x.nrows(), MOST);
        codes.features(x.select(Axis(0), &rows).view())
    };
    let n = source.nrows().min(target.nrows()).min(sample.nrows()).max(1);
    let ridge = 0.1 + 800.0 / n as f64;
    let like = some(sample)?;
    let odds = |control: ArrayView2<'_, f32>| -> Result<Vec<f64>, ZooError> {
        match Logistic::fit(some(control)?.view(), like.view(), ridge) {
            Ok(model) => Ok(model.log_odds(&codes.features(control)?)),
            // Without a sample, or with features that cannot be separated numerically, all cells weigh the same.
            Err(e) => {
                tracing::debug!("controls are not weighted: {e}");
                Ok(vec![0.0; control.nrows()])
            }
        }
    };
    let odds = [odds(source)?, odds(target)?];
    let mut strength = 1.0;
    loop {
        let weights = [0, 1].map(|i| normalised(&odds[i], strength));
        let enough = weights.iter().all(|w| {
            let (sum, square) = w.iter().fold((0.0, 0.0), |(s, q), w| (s + w, q + w * w));
            sum * sum >= EFFECTIVE * w.len() as f64 * square
        });
        if enough || strength < 1e-3 {
            return Ok(weights);
        }
        strength *= 0.8;
    }
}

/// `exp(strength · odds)`, with mean 1.
fn normalised(odds: &[f64], strength: f64) -> Vec<f64> {
    let most = odds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raw: Vec<f64> = odds.iter().map(|l| (strength * (l - most)).exp()).collect();
    let mean = raw.iter().sum::<f64>() / raw.len().max(1) as f64;
    raw.into_iter().map(|w| w / mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two populations along one marker; the second marker is a batch gain of 2.
    fn cells(n: usize, share: f64, gain: f64, seed: u64) -> Array2<f32> {
        let mut s = Seed(seed).stream("joined");
        let mut x = Array2::zeros((n, 2));
        for mut row in x.rows_mut() {
            let high = s.uniform() < share;
            let y = if high { 3.0 } else { 0.5 } + 0.2 * s.normal();
            row[0] = y as f32;
            row[1] = (gain * (if high { 4.0f64 } else { 1.0 } + 0.2 * s.normal()).sinh()).asinh() as f32;
        }
        x
    }

    fn fit(s: &Array2<f32>, t: &Array2<f32>, x: &Array2<f32>) -> Joined {
        let guess = Guess::fit(s.view(), t.view(), true);
        Joined::fit(Codes::Markers, guess, s.view(), t.view(), x.view()).unwrap()
    }

    #[test]
    fn a_sample_of_another_composition_arrives_in_the_target_run() {
        let (s, t) = (cells(2000, 0.5, 1.0, 1), cells(2000, 0.5, 2.0, 2));
        let (x, truth) = (cells(2000, 0.9, 1.0, 3), cells(2000, 0.9, 2.0, 4));
        let joined = fit(&s, &t, &x);
        let (moved, _) = joined.apply(Codes::Markers, x.view()).unwrap();
        let emd =
            |a: &Array2<f32>| crate::eval::emd(&mut a.column(1).to_vec(), &mut truth.column(1).to_vec());
        assert!(emd(&moved) < 0.1 * emd(&x), "{} {}", emd(&moved), emd(&x));
    }

    #[test]
    fn weights_lean_towards_the_sample_and_keep_a_tenth() {
        let (s, x) = (cells(1000, 0.5, 1.0, 1), cells(1000, 0.95, 1.0, 2));
        let [w, _] = weights(Codes::Markers, s.view(), s.view(), x.view()).unwrap();
        let high = |i: usize| s[(i, 0)] > 1.7;
        let sum = |want: bool| (0..1000).filter(|&i| high(i) == want).map(|i| w[i]).sum::<f64>();
        assert!(sum(true) > 2.0 * sum(false), "{} {}", sum(true), sum(false));
        let (a, b) = w.iter().fold((0.0, 0.0), |(a, b), w| (a + w, b + w * w));
        assert!(a * a / b >= 100.0);
    }

    #[test]
    fn far_away_cells_and_an_empty_sample_stay_finite() {
        let (s, t) = (cells(200, 0.5, 1.0, 1), cells(200, 0.5, 2.0, 2));
        let none = Array2::zeros((0, 2));
        let joined = fit(&s, &t, &none);
        let far = ndarray::array![[-20.0f32, 60.0], [60.0, -20.0]];
        assert!(joined.apply(Codes::Markers, far.view()).unwrap().0.iter().all(|v| v.is_finite()));
    }
}
