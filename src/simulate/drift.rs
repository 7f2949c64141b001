//! Small mass-cytometry experiments of known drift: two runs, in which every marker is seen through its own gain.

use ndarray::Array2;

use crate::rng::{Seed, Stream};

/// Mean of each marker in each population, on the scale arcsinh(x / 5): T helper, T killer, B, NK, monocytes, pDC.
const MEANS: [[f64; 10]; 6] = [
    [4.0, 4.0, 4.0, 0.3, 0.2, 0.3, 0.2, 0.5, 0.3, 2.0],
    [4.0, 4.0, 0.3, 4.0, 0.2, 0.6, 0.2, 0.8, 0.3, 1.5],
    [3.5, 0.2, 0.2, 0.2, 4.0, 0.2, 0.2, 4.0, 0.3, 1.0],
    [4.0, 0.3, 0.2, 1.5, 0.2, 4.0, 0.2, 0.6, 0.3, 0.8],
    [3.8, 0.3, 2.0, 0.2, 0.2, 0.3, 4.0, 4.0, 1.5, 1.2],
    [3.5, 0.2, 1.8, 0.2, 0.2, 0.2, 0.2, 4.0, 4.0, 0.7],
];

/// Standard deviation around the mean.
const NOISE: f64 = 0.35;

/// Gain of each marker in the second run, on the raw scale; fixed, so that experiments differ in their cells only.
pub const DRIFT: [f64; 10] = [1.3, 2.0, 0.6, 1.5, 1.0, 0.5, 2.5, 1.2, 0.8, 1.8];

/// Two runs of one control and a sample, cells × 10 markers on the scale arcsinh(x / 5).
#[derive(Debug, Clone, PartialEq)]
pub struct DriftExperiment {
    /// The control in the first run.
    pub source: Array2<f32>,
    /// The control in the second run.
    pub target: Array2<f32>,
    /// A sample in the first run.
    pub sample: Array2<f32>,
    /// Gain of each marker from the first run to the second.
    pub gains: [f64; 10],
}

impl DriftExperiment {
    /// An experiment of 1,500 cells a control and 800 of the sample. Proportions of the six populations are drawn at random,
    /// one set for the control and one for the sample.
    pub fn new(seed: Seed, gains: [f64; 10]) -> Self {
        let mut random = seed.stream("drift");
        let control = proportions(&mut random);
        let source = cells(&mut random, 1500, &control);
        let target = moved(&cells(&mut random, 1500, &control), &gains);
        let of_sample = proportions(&mut random);
        let sample = cells(&mut random, 800, &of_sample);
        Self { source, target, sample, gains }
    }

    /// Cells of the first run exactly as the second run would have seen them.
    pub fn truth(&self, x: &Array2<f32>) -> Array2<f32> {
        moved(x, &self.gains)
    }
}

/// Gains at random: their logarithms are normal with standard deviation 0.4.
pub fn random_gains(seed: Seed) -> [f64; 10] {
    let mut random = seed.stream("drift/gains");
    [(); 10].map(|()| (0.4 * random.normal()).exp())
}

/// Six proportions: Dirichlet with parameter 4.
fn proportions(random: &mut Stream) -> Vec<f64> {
    let raw: Vec<f64> = (0..6).map(|_| random.gamma(4.0, 1.0)).collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|x| x / sum).collect()
}

fn cells(random: &mut Stream, n: usize, shares: &[f64]) -> Array2<f32> {
    let mut out = Array2::zeros((n, 10));
    for mut row in out.rows_mut() {
        let means = &MEANS[random.weighted(shares)];
        row.iter_mut().zip(means).for_each(|(v, m)| *v = (m + NOISE * random.normal()) as f32);
    }
    out
}

/// `arcsinh(gain · sinh(x))`, column by column.
pub fn moved(x: &Array2<f32>, gains: &[f64; 10]) -> Array2<f32> {
    let mut out = x.clone();
    for (mut column, gain) in out.columns_mut().into_iter().zip(gains) {
        column.mapv_inplace(|v| (gain * f64::from(v).sinh()).asinh() as f32);
    }
    out
}
