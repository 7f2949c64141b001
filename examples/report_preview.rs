//! Writes a report of made-up data, to look at the page without running a correction.
//!
//! `cargo run --release --example report_preview -- report.html`

use std::error::Error;
use std::f64::consts::TAU;

use ndarray::Array2;
use scx::linalg::Pca;
use scx::report::{
    Biaxial, Column, Level, MarkerValues, MedianChange, Medians, Panel, PcaCloud, Points, Report, Role,
    ScoreGroup, ScoreRow, ScoreTable, ScoreValue, Verdict, render,
};

const MARKERS: [&str; 35] = [
    "CD45",
    "CD3",
    "CD4",
    "CD8a",
    "CD19",
    "CD20",
    "CD14",
    "CD16",
    "CD56",
    "CD11c",
    "CD123",
    "HLA-DR",
    "CD38",
    "CD27",
    "CD45RA",
    "CD45RO",
    "CCR7",
    "CCR6",
    "CXCR3",
    "CXCR5",
    "CD25",
    "CD127",
    "FoxP3",
    "Ki-67",
    "CD279 (PD-1)",
    "TIM-3",
    "LAG-3",
    "CTLA-4",
    "IFNg",
    "TNFa",
    "IL-2",
    "IL-17A",
    "Granzyme B",
    "Perforin",
    "CD57",
];
const CELLS: usize = 2000;

struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (TAU * self.uniform()).cos()
    }
}

/// Mean of each marker in each of six populations.
fn populations(random: &mut Random) -> Vec<Vec<f64>> {
    (0..6)
        .map(|_| {
            (0..MARKERS.len())
                .map(|_| {
                    if random.uniform() < 0.4 { 2.0 + 3.0 * random.uniform() } else { 0.5 * random.uniform() }
                })
                .collect()
        })
        .collect()
}

fn cells(random: &mut Random, means: &[Vec<f64>], weights: &[f64]) -> Array2<f64> {
    let mut out = Array2::zeros((CELLS, MARKERS.len()));
    for mut row in out.rows_mut() {
        let mut left = random.uniform();
        let mut which = 0;
        while which + 1 < means.len() && left > weights[which] {
            left -= weights[which];
            which += 1;
        }
        for (v, m) in row.iter_mut().zip(&means[which]) {
            *v = (m + 0.55 * random.normal()).max(0.0);
        }
    }
    out
}

/// What the other run does to each marker: a gain and a background, as instruments do.
fn drift(x: &Array2<f64>, gain: &[f64], strength: f64) -> Array2<f64> {
    Array2::from_shape_fn(x.dim(), |(i, j)| (x[[i, j]].sinh() * gain[j].powf(strength)).asinh())
}

fn median(x: &Array2<f64>, marker: usize) -> f64 {
    let mut v = x.column(marker).to_vec();
    v.sort_by(f64::total_cmp);
    v[v.len() / 2]
}

fn correlation(a: &[f64], b: &[f64]) -> (f64, f64) {
    let n = a.len() as f64;
    let (ma, mb) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let sum = |x: &[f64], mx: f64, y: &[f64], my: f64| {
        x.iter().zip(y).map(|(p, q)| (p - mx) * (q - my)).sum::<f64>()
    };
    let (ab, aa, bb) = (sum(a, ma, b, mb), sum(a, ma, a, ma), sum(b, mb, b, mb));
    (ab / (aa * bb).sqrt(), ab / aa)
}

struct Experiment {
    source: Array2<f64>,
    target: Array2<f64>,
    before: Array2<f64>,
    after: Array2<f64>,
    truth: Array2<f64>,
}

fn experiment(seed: u64) -> Experiment {
    let mut random = Random(seed);
    let means = populations(&mut random);
    let gain: Vec<f64> =
        MARKERS.iter().map(|m| if *m == "IFNg" { 4.5 } else { (0.55 * random.normal()).exp() }).collect();
    let control = [0.35, 0.25, 0.2, 0.12, 0.05, 0.03];
    let target = cells(&mut random, &means, &control);
    let source = drift(&cells(&mut random, &means, &control), &gain, -1.0);
    let truth = cells(&mut random, &means, &[0.1, 0.15, 0.15, 0.1, 0.3, 0.2]);
    let before = drift(&truth, &gain, -1.0);
    let mut after = drift(&before, &gain, 0.88);
    after.mapv_inplace(|v| v + 0.05 * random.normal());
    Experiment { source, target, before, after, truth }
}

fn panel(e: &Experiment, name: &str, files: [&str; 3], with_truth: bool) -> Result<Panel, Box<dyn Error>> {
    let changes: Vec<MedianChange> = MARKERS
        .iter()
        .enumerate()
        .map(|(j, marker)| MedianChange {
            marker: (*marker).to_owned(),
            control_change: median(&e.target, j) - median(&e.source, j),
            sample_change: median(&e.after, j) - median(&e.before, j),
            true_change: with_truth.then(|| median(&e.truth, j) - median(&e.before, j)),
        })
        .collect();
    let controls: Vec<f64> = changes.iter().map(|c| c.control_change).collect();
    let sample: Vec<f64> = changes.iter().map(|c| c.sample_change).collect();
    let truth: Vec<f64> = changes.iter().filter_map(|c| c.true_change).collect();
    let (r, slope) = correlation(&controls, &sample);
    let mse = controls.iter().zip(&sample).map(|(u, v)| (u - v).powi(2)).sum::<f64>() / controls.len() as f64;

    let matrices = [
        (Role::SourceControl, &e.source),
        (Role::TargetControl, &e.target),
        (Role::Before, &e.before),
        (Role::After, &e.after),
    ];
    let as_f32 = |x: &Array2<f64>| x.mapv(|v| v as f32);
    let parts: Vec<Array2<f32>> = matrices.iter().map(|m| as_f32(m.1)).collect();
    let views: Vec<_> = parts.iter().map(|p| p.view()).collect();
    let pca = Pca::fit(ndarray::concatenate(ndarray::Axis(0), &views)?.view(), 2)?;
    let mut groups = Vec::new();
    for ((role, _), part) in matrices.iter().zip(&parts) {
        let at = pca.transform(part.view())?.rows().into_iter().map(|r| [r[0], r[1]]).collect();
        groups.push(Points { role: *role, at });
    }
    let (x, y) = (17, 28);
    let biaxial = matrices
        .iter()
        .copied()
        .chain(with_truth.then_some((Role::Truth, &e.truth)))
        .map(|(role, m)| Points { role, at: m.rows().into_iter().map(|r| [r[x], r[y]]).collect() })
        .collect();
    let values = |m: &Array2<f64>, j: usize| m.column(j).iter().map(|v| *v as f32).collect::<Vec<_>>();
    let densities = MARKERS
        .iter()
        .enumerate()
        .map(|(j, marker)| MarkerValues {
            marker: (*marker).to_owned(),
            source_control: values(&e.source, j),
            target_control: values(&e.target, j),
            before: values(&e.before, j),
            after: values(&e.after, j),
            truth: with_truth.then(|| values(&e.truth, j)),
        })
        .collect();
    let made_of = ["source control", "target control", "sample"].iter().zip(files);
    Ok(Panel {
        name: name.to_owned(),
        made_of: made_of.map(|(a, b)| ((*a).to_owned(), b.to_owned())).collect(),
        medians: Medians {
            changes,
            r: Some(r),
            slope: Some(slope),
            rmse: Some(mse.sqrt()),
            r_true: with_truth.then(|| correlation(&truth, &sample).0),
        },
        pca: Some(PcaCloud { groups, explained: [pca.explained[0], pca.explained[1]] }),
        biaxial: Some(Biaxial {
            x: MARKERS[x].to_owned(),
            y: MARKERS[y].to_owned(),
            why: "the most and the least shifted marker".to_owned(),
            groups: biaxial,
        }),
        densities,
    })
}

fn score() -> ScoreTable {
    let rows = [
        ("neuron-edit", "0.963 0.94 0.18 0.941 0.868→0.318 1.21 2.1% ", 4),
        ("constant-shift", "0.979 0.99 0.11 0.938 0.868→0.415 1.64 2.1%", 9),
        ("mean-shift", "0.981 1.01 0.10 0.931 0.868→0.437 1.71 2.1%", 0),
        ("ambient", "0.884 0.81 0.31 0.902 0.868→0.344 1.38 2.1%", 9),
        ("none", "– 0.00 0.62 – 0.868→0.868 2.93 –", 9),
    ];
    let row = |(method, values, best): &(&str, &str, usize)| ScoreRow {
        method: (*method).to_owned(),
        chosen: *method == "neuron-edit",
        values: values
            .split_whitespace()
            .enumerate()
            .map(|(i, v)| ScoreValue {
                text: v.replace('→', " → ").replace('%', " %"),
                best: (*best == 4 && (3..6).contains(&i)) || (*best == 0 && i < 3),
            })
            .collect(),
    };
    ScoreTable {
        columns: vec![
            Column::r(),
            Column::slope(),
            Column::rmse(),
            Column::r_true(),
            Column::emd_mean(),
            Column::emd_worst(),
            Column::outside(),
        ],
        groups: ["patient_07", "patient_08"]
            .iter()
            .map(|name| ScoreGroup { name: (*name).to_owned(), rows: rows.iter().map(row).collect() })
            .collect(),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "report.html".to_owned());
    let mut random = Random(5);
    let loss = (0..3000)
        .map(|s| {
            let s = f64::from(s);
            (s, (9.0 * (-s / 60.0).exp() + 0.8 * (-s / 700.0).exp() + 0.11) * (0.07 * random.normal()).exp())
        })
        .collect();
    let pairs = |rows: &[(&str, &str)]| {
        rows.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<(String, String)>>()
    };
    let report = Report {
        title: "Batch correction of two patients".to_owned(),
        subtitle: "run1 moved to run2 with neuron-edit (preset default), 35 markers, 94,556 cells".to_owned(),
        unit: "arcsinh(x/5)".to_owned(),
        verdict: Verdict {
            headline: "neuron-edit follows the spike-ins (r = 0.96) and comes closest to the held-out control".to_owned(),
            details: vec![
                "On the held-out control pair it removes 63 % of the distance between the runs (EMD 0.868 → 0.318); the next best, ambient, removes 60 %.".to_owned(),
                "The worst marker is CD8a: still 1.21 away, because the controls hold few CD8a cells.".to_owned(),
                "2.1 % of the sample's values lie beyond what the controls cover.".to_owned(),
            ],
            level: Level::Good,
        },
        score: score(),
        panels: vec![
            panel(&experiment(1), "patient_07", ["healthy_run1.fcs", "healthy_run2.fcs", "patient_07_run1.fcs"], true)?,
            panel(&experiment(8), "patient_08", ["healthy_run1.fcs", "healthy_run2.fcs", "patient_08_run1.fcs"], false)?,
        ],
        loss,
        parameters: pairs(&[
            ("method", "neuron-edit"),
            ("preset", "default"),
            ("markers", "35 of 47 channels"),
            ("transform", "arcsinh, cofactor 5"),
            ("network", "35-500-250-50-250-500-35, leaky ReLU 0.2"),
            ("steps", "3000, minibatch 100, Adam 0.001"),
            ("seed", "0"),
        ]),
        provenance: pairs(&[
            ("scx", "0.1.0"),
            ("source control", "healthy_run1.fcs, 18,919 cells, SHA-256 3f6a0c2b9e7d4c51a8f0e6b7d2c9a4135e8f7061b2c3d4e5f60718293a4b5c6d"),
            ("target control", "healthy_run2.fcs, 22,802 cells, SHA-256 a1b2c3d4e5f60718293a4b5c6d7e8f90112233445566778899aabbccddeeff00"),
            ("sample", "patient_07_run1.fcs, 94,556 cells"),
        ]),
        warnings: vec!["TIM-3 is constant in the source control: it was left uncorrected.".to_owned()],
        notes: vec!["Figures show up to 2,000 cells per group, drawn at random; the scores use all of them.".to_owned()],
    };
    std::fs::write(path, render(&report))?;
    Ok(())
}
