//! A mass-cytometry experiment after the neuron-editing paper's: two runs, each with the same two controls and a
//! sample.
//!
//! Cells have an expression on the arcsinh scale; each run sees it through its own gain and background per marker,
//! and run 1 sees some markers through a curve. The sample holds a population and a CCR6 difference that the control
//! lacks. The truth is the sample's cells as run 2 would have seen them.

use ndarray::Array2;

use crate::data::{Column, Dataset, Dense, Frame, Index, Matrix, Source, Values};
use crate::rng::{Seed, Stream};

/// The 35 markers.
pub const MARKERS: [&str; 35] = [
    "CD45",
    "CD3",
    "CD4",
    "CD8a",
    "CD19",
    "CD20",
    "CD14",
    "CD16",
    "CD56",
    "CD11b",
    "CD11c",
    "CD123",
    "HLA-DR",
    "CD27",
    "CD28",
    "CD38",
    "CD45RA",
    "CD45RO",
    "CD57",
    "CD69",
    "CD95",
    "CD127",
    "CD161",
    "CCR4",
    "CCR6",
    "CCR7",
    "CXCR3",
    "CXCR5",
    "TCRgd",
    "Perforin",
    "GranzymeB",
    "IFNg",
    "TNFa",
    "IL-2",
    "Ki67",
];

/// Sizes of the experiment.
#[derive(Debug, Clone, Copy)]
pub struct CytometrySettings {
    /// Cells of each control.
    pub control: usize,
    /// Cells of each sample.
    pub sample: usize,
}

impl Default for CytometrySettings {
    fn default() -> Self {
        Self { control: 4_000, sample: 6_000 }
    }
}

/// Cells × markers as stored in a file, with the population of each cell.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatedCells {
    /// Stored values, cells × [`MARKERS`].
    pub values: Array2<f32>,
    /// Population of each cell.
    pub population: Vec<&'static str>,
}

/// The whole experiment.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// The control in run 1 and in run 2.
    pub control: [SimulatedCells; 2],
    /// A second control, of another donor, in run 1 and in run 2: independent evidence.
    pub second_control: [SimulatedCells; 2],
    /// The sample of run 1 and another sample of run 2.
    pub sample: [SimulatedCells; 2],
    /// The sample of run 1 as run 2 would have seen it, cell for cell.
    pub truth: SimulatedCells,
    /// Markers that run 1 distorts, the worst first.
    pub distorted: Vec<&'static str>,
}

/// A population: its name, its share of control, second control and sample, and markers it expresses (level on the
/// arcsinh scale).
type Population = (&'static str, [f64; 3], &'static [(&'static str, f64)]);

const POPULATIONS: [Population; 8] = [
    (
        "CD4 naive",
        [0.24, 0.15, 0.20],
        &[
            ("CD3", 4.2),
            ("CD4", 4.0),
            ("CD27", 3.4),
            ("CD28", 3.2),
            ("CD45RA", 3.8),
            ("CCR7", 3.0),
            ("CD127", 2.6),
            ("IFNg", 0.9),
        ],
    ),
    (
        "CD4 memory",
        [0.22, 0.26, 0.18],
        &[
            ("CD3", 4.2),
            ("CD4", 4.0),
            ("CD27", 2.8),
            ("CD28", 3.2),
            ("CD45RO", 3.9),
            ("CCR6", 2.0),
            ("CCR4", 2.2),
            ("CD95", 2.4),
            ("CD161", 1.6),
            ("IFNg", 2.6),
            ("TNFa", 2.4),
            ("IL-2", 2.0),
            ("CXCR3", 1.8),
        ],
    ),
    (
        "CD8 T",
        [0.20, 0.24, 0.16],
        &[
            ("CD3", 4.1),
            ("CD8a", 4.6),
            ("CD27", 2.4),
            ("CD45RA", 2.6),
            ("CD57", 1.8),
            ("Perforin", 2.8),
            ("GranzymeB", 3.2),
            ("IFNg", 3.4),
            ("TNFa", 2.2),
            ("CXCR3", 2.4),
            ("CD95", 2.2),
        ],
    ),
    (
        "B",
        [0.12, 0.08, 0.12],
        &[
            ("CD19", 3.6),
            ("CD20", 4.0),
            ("HLA-DR", 4.2),
            ("CD45RA", 3.4),
            ("CXCR5", 3.0),
            ("CCR6", 2.6),
            ("CCR7", 1.6),
        ],
    ),
    (
        "NK",
        [0.10, 0.13, 0.10],
        &[
            ("CD56", 3.4),
            ("CD16", 3.8),
            ("Perforin", 3.8),
            ("GranzymeB", 3.6),
            ("CD38", 2.8),
            ("CD161", 2.4),
            ("IFNg", 3.0),
            ("CD11b", 2.0),
            ("CD57", 2.2),
        ],
    ),
    (
        "Monocyte",
        [0.10, 0.11, 0.12],
        &[
            ("CD14", 4.6),
            ("CD11b", 4.0),
            ("CD11c", 4.2),
            ("HLA-DR", 3.8),
            ("CD38", 3.0),
            ("CD16", 0.8),
            ("TNFa", 1.4),
        ],
    ),
    (
        "gamma-delta T",
        [0.02, 0.03, 0.02],
        &[
            ("CD3", 4.4),
            ("TCRgd", 4.2),
            ("CD161", 2.2),
            ("Perforin", 2.6),
            ("GranzymeB", 2.8),
            ("IFNg", 3.2),
            ("CD27", 1.8),
        ],
    ),
    // Only in the sample: proliferating, activated cells.
    (
        "Plasmablast",
        [0.0, 0.00, 0.10],
        &[
            ("CD19", 2.4),
            ("CD38", 5.6),
            ("CD27", 4.2),
            ("HLA-DR", 3.0),
            ("Ki67", 4.4),
            ("CD95", 3.0),
            ("CXCR3", 2.0),
        ],
    ),
];

/// Gain of run 1 over run 2 per marker, on top of a general loss of sensitivity; markers not named have 1.
const GAINS: [(&str, f64); 7] = [
    ("IFNg", 0.30),
    ("Perforin", 0.45),
    ("TNFa", 0.55),
    ("CD38", 1.9),
    ("CD57", 0.6),
    ("GranzymeB", 0.6),
    ("CXCR3", 1.6),
];

/// Markers that run 1 also sees through a curve (saturation).
const CURVED: [(&str, f64); 3] = [("IFNg", 0.10), ("Perforin", 0.05), ("CD38", -0.03)];

/// Simulates the experiment.
pub fn experiment(settings: CytometrySettings, seed: Seed) -> Experiment {
    let mut stream = seed.stream("simulate/cytometry");
    let mut twice = |n, who| [population_cells(n, who, &mut stream), population_cells(n, who, &mut stream)];
    let control = twice(settings.control, Who::Control);
    let second = twice(settings.control, Who::SecondControl);
    let sample = twice(settings.sample, Who::Sample);
    let mut distorted: Vec<(&str, f64)> = GAINS.map(|(m, g)| (m, g.ln().abs())).to_vec();
    distorted.sort_by(|a, b| b.1.total_cmp(&a.1));
    let truth = measure(&sample[0], 1, &mut stream);
    let mut seen =
        |cells: [Hidden; 2]| [measure(&cells[0], 0, &mut stream), measure(&cells[1], 1, &mut stream)];
    Experiment {
        control: seen(control),
        second_control: seen(second),
        sample: seen(sample),
        truth,
        distorted: distorted.into_iter().map(|d| d.0).collect(),
    }
}

/// Which composition cells have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Control = 0,
    SecondControl = 1,
    Sample = 2,
}

/// Expression on the arcsinh scale, before any instrument.
struct Hidden {
    expression: Array2<f64>,
    population: Vec<&'static str>,
}

fn population_cells(n: usize, who: Who, stream: &mut Stream) -> Hidden {
    let sample = who == Who::Sample;
    let mut expression = Array2::zeros((n, MARKERS.len()));
    let mut population = Vec::with_capacity(n);
    for mut cell in expression.rows_mut() {
        let mut u = stream.uniform();
        let share = |p: &Population| p.1[who as usize];
        let kind = POPULATIONS
            .iter()
            .find(|p| {
                u -= share(p);
                u < 0.0
            })
            .unwrap_or(&POPULATIONS[0]);
        population.push(kind.0);
        // Cells of one kind vary together (size, activation), then marker by marker.
        let size = 0.15 * stream.normal();
        for (x, marker) in cell.iter_mut().zip(MARKERS) {
            let level = kind.2.iter().find(|(m, _)| *m == marker).map(|l| l.1);
            let level = if marker == "CD45" { Some(4.8) } else { level };
            // Biology that only the sample has: memory T cells express more CCR6.
            let more = if sample && marker == "CCR6" && kind.0 == "CD4 memory" { 1.4 } else { 0.0 };
            *x = match level {
                Some(level) => level + more + size + 0.45 * stream.normal(),
                None => 0.15 + 0.35 * stream.normal(),
            };
        }
    }
    Hidden { expression, population }
}

/// What a run stores: gain and background act on the linear scale, the curve on the arcsinh scale; counts are noisy
/// and never negative.
fn measure(cells: &Hidden, run: usize, stream: &mut Stream) -> SimulatedCells {
    let gain = |marker: &str| match run {
        0 => 0.85 * GAINS.iter().find(|g| g.0 == marker).map_or(1.0, |g| g.1),
        _ => 1.0,
    };
    let values = Array2::from_shape_fn(cells.expression.dim(), |(i, j)| {
        let mut y = cells.expression[(i, j)].max(0.0);
        if run == 0 {
            let bend = CURVED.iter().find(|c| c.0 == MARKERS[j]).map_or(0.0, |c| c.1);
            y /= 1.0 + bend * y;
        }
        let signal = 5.0 * y.sinh() * gain(MARKERS[j]) + if run == 0 { 0.4 } else { 0.0 };
        let noisy = signal + (0.3 + 0.05 * signal.sqrt()) * stream.normal();
        noisy.max(0.0) as f32
    });
    SimulatedCells { values, population: cells.population.clone() }
}

impl SimulatedCells {
    /// The cells as a data set that any format can hold: 35 stained channels, then time and event length.
    pub fn dataset(&self) -> Dataset {
        let (n, m) = self.values.dim();
        let mut names: Vec<String> = (0..m).map(|j| format!("Ch{:02}Di", j + 1)).collect();
        names.extend(["Time".into(), "Event_length".into()]);
        let mut stains: Vec<String> = MARKERS.map(str::to_owned).to_vec();
        stains.extend([String::new(), String::new()]);
        let mut values = Vec::with_capacity(n * (m + 2));
        for (i, cell) in self.values.rows().into_iter().enumerate() {
            values.extend(cell);
            values.extend([i as f32, (20 + i % 11) as f32]);
        }
        let var = Frame::new(Index::names(names.clone()))
            .with("marker", Column::Strings(stains))
            .with("channel", Column::Strings(names));
        let mut dataset = Dataset::new(Frame::new(Index::Range(n)), var);
        dataset.x = Dense::new(n, m + 2, Values::F32(values)).ok().map(Matrix::Dense);
        dataset.source = Source { dialect: "simulated".into(), ..Source::default() };
        dataset
    }

    /// The column of a marker.
    pub fn marker(&self, name: &str) -> Vec<f32> {
        let column = MARKERS.iter().position(|m| *m == name);
        column.map_or_else(Vec::new, |j| self.values.column(j).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_experiment_repeats_and_holds_what_it_promises() {
        let small = CytometrySettings { control: 500, sample: 600 };
        let (a, b) = (experiment(small, Seed(1)), experiment(small, Seed(1)));
        assert_eq!(a.sample[0], b.sample[0]);
        assert_ne!(a.sample[0], experiment(small, Seed(2)).sample[0]);
        assert!(!a.control[0].population.contains(&"Plasmablast"));
        assert!(a.truth.population.contains(&"Plasmablast"));
        let mean = |v: Vec<f32>| v.iter().sum::<f32>() / v.len() as f32;
        assert!(mean(a.sample[0].marker("IFNg")) < 0.5 * mean(a.truth.marker("IFNg")));
        for who in 0..3 {
            let total: f64 = POPULATIONS.iter().map(|p| p.1[who]).sum();
            assert!((total - 1.0).abs() < 1e-9, "{who}: {total}");
        }
        assert!(a.sample[0].dataset().check().is_ok());
    }
}
