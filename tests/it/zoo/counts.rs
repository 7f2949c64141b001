//! Models of counts: a toy source, and what those that make cells must keep to.

use candle_core::Device;
use ndarray::{Array2, Axis};
use scx::data::Counts;
use scx::nn::SparseRows;
use scx::progress::Silent;
use scx::rng::Seed;
use scx::zoo::scgan::{RateConfig, ScGan, ScGanConfig};
use scx::zoo::{Batch, BatchSource, Cells, CountBatch, Made, Model, REGISTRY, Trainer, ZooError};

use super::{bits, build, on_threads, train};

pub(super) const GENES: usize = 35;
const LABELS: usize = 3;

/// 300 cells of three labels, half of them of the first; each label has genes of its own. Negative binomial counts.
pub(super) struct Toy {
    pub(super) counts: Counts,
    pub(super) labels: Vec<u32>,
}

/// Share of each gene in a cell of that label.
fn profile(label: u32) -> Vec<f64> {
    let weight = |g: usize| if g % 5 == label as usize { 8.0 } else { 1.0 + (g % 7) as f64 / 4.0 };
    let total: f64 = (0..GENES).map(weight).sum();
    (0..GENES).map(|g| weight(g) / total).collect()
}

impl Toy {
    pub(super) fn new() -> Self {
        let mut stream = Seed(11).stream("toy");
        let mut counts = Counts::empty(GENES);
        let labels: Vec<u32> = (0..300).map(|i| [0, 1, 0, 2, 0, 1][i % 6]).collect();
        for &label in &labels {
            let library = 150.0 + 100.0 * stream.uniform();
            let cell = profile(label).into_iter().enumerate();
            let cell: Vec<(u32, u32)> = cell
                .map(|(g, share)| (g as u32, stream.negative_binomial(share * library, 5.0) as u32))
                .collect();
            counts.push(cell);
        }
        Self { counts, labels }
    }
}

impl BatchSource for Toy {
    fn len(&self) -> usize {
        self.labels.len()
    }
    fn batch(&self, cells: &[usize], _: &Device) -> Result<Batch, ZooError> {
        Ok(Batch::Counts(minibatch(
            &self.counts.cells(cells),
            cells.iter().map(|&c| self.labels[c]).collect(),
        )))
    }
}

fn minibatch(counts: &Counts, labels: Vec<u32>) -> CountBatch {
    let (mut indptr, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
    for cell in 0..counts.n_cells() {
        let (genes, numbers) = counts.cell(cell);
        columns.extend_from_slice(genes);
        values.extend(numbers.iter().map(|&v| v as f32));
        indptr.push(columns.len());
    }
    let counts = SparseRows::new(counts.n_genes(), indptr, columns, values).unwrap();
    CountBatch { library: counts.sums(), counts, labels }
}

/// Small settings of scGAN, with labels or without.
pub(super) fn scgan(genes: usize, labels: bool) -> ScGanConfig {
    let config = ScGanConfig {
        noise: 8,
        generator: vec![24, 24],
        critic: vec![24, 12],
        library: 200.0,
        critic_updates: 3,
        rate: RateConfig { from: 2e-3, to: 2e-4, over: 2000, decay: true },
        norm_momentum: 0.02,
        minibatch: 50,
        ..ScGanConfig::paper(genes)
    };
    if labels { config.with_labels(vec![0.5, 1.0 / 3.0, 1.0 / 6.0]) } else { config }
}

fn values(made: &Made) -> Array2<f32> {
    match &made.cells {
        Cells::Counts(c) => Array2::from_shape_fn((c.n_cells(), c.n_genes()), |(i, g)| {
            let (genes, values) = c.cell(i);
            genes.binary_search(&(g as u32)).map_or(0.0, |at| values[at] as f32)
        }),
        Cells::Scaled { values, .. } => values.clone(),
    }
}

#[test]
fn made_cells_have_their_shape_are_numbers_and_repeat_on_any_number_of_threads() {
    for entry in REGISTRY {
        let (model, _) = train(entry.kind, &[], Seed(4), 30);
        let Some(generate) = model.as_generate() else { continue };
        let run = |threads, seed| {
            // More cells than are made at a time.
            on_threads(threads, || generate.cells(None, 700, &mut Seed(seed).stream("made")).unwrap())
        };
        let made = run(1, 5);
        assert!(made.len() <= 700 && !made.is_empty() && made.tried >= made.len() as u64, "{}", entry.kind);
        let x = values(&made);
        assert_eq!(x.dim(), (made.len(), GENES), "{}", entry.kind);
        assert!(x.iter().all(|v| v.is_finite() && *v >= 0.0) && x.sum() > 0.0, "{}", entry.kind);
        assert!(made.labels.as_ref().is_none_or(|l| l.len() == made.len()), "{}", entry.kind);
        assert_eq!(bits(values(&run(2, 5))), bits(x.clone()), "{}", entry.kind);
        assert_ne!(bits(values(&run(1, 6))), bits(x), "{}", entry.kind);
    }
}

#[test]
fn cells_of_other_genes_and_of_unknown_labels_are_refused() {
    for kind in ["scgan", "cscgan"] {
        let mut model = build(kind, GENES, Seed(4));
        let mut trainer = Trainer::new(model.as_ref(), scgan(GENES, false).run(2), Seed(4));
        let mut toy = Toy::new();
        let keep: Vec<usize> = (0..GENES - 1).collect();
        toy.counts = toy.counts.select_genes(&keep);
        let e = trainer.run(model.as_mut(), &toy, None, &Silent).unwrap_err().to_string();
        assert!(e.contains("35 genes") && e.contains("34"), "{e}");

        let generate = model.as_generate().unwrap();
        let e = generate.cells(Some(7), 3, &mut Seed(1).stream("x")).unwrap_err().to_string();
        assert!(e.contains(if kind == "scgan" { "knows no labels" } else { "label 7" }), "{e}");
    }
    let mut toy = Toy::new();
    toy.labels[3] = 9;
    let mut model = build("cscgan", GENES, Seed(4));
    let mut trainer = Trainer::new(model.as_ref(), scgan(GENES, true).run(20), Seed(4));
    let e = trainer.run(model.as_mut(), &toy, None, &Silent).unwrap_err().to_string();
    assert!(e.contains("label 9"), "{e}");

    let none = ScGanConfig { conditional: None, ..scgan(GENES, true) }.with_labels(vec![0.5, 0.0, 0.5]);
    let model = ScGan::new(none, Seed(0), &Device::Cpu).unwrap();
    let e = model.as_generate().unwrap().cells(Some(1), 3, &mut Seed(1).stream("x")).unwrap_err();
    assert!(e.to_string().contains("no training cell"), "{e}");
}

/// Distance of the mean of some cells, scaled to 1, from a profile.
fn off(x: &Array2<f32>, profile: &[f64]) -> f64 {
    let mean = x.mapv(f64::from).mean_axis(Axis(0)).unwrap();
    let total = mean.sum();
    mean.iter().zip(profile).map(|(m, p)| (m / total - p).abs()).sum()
}

#[test]
fn scgan_learns_the_population_and_cscgan_every_label() {
    let toy = Toy::new();
    let whole: Vec<f64> = {
        let shares = [0.5, 1.0 / 3.0, 1.0 / 6.0];
        let profiles = [profile(0), profile(1), profile(2)];
        (0..GENES).map(|g| (0..LABELS).map(|l| shares[l] * profiles[l][g]).sum()).collect()
    };
    let trained = |labels: bool| {
        let config = scgan(GENES, labels);
        let run = config.run(1000);
        let mut model = ScGan::new(config, Seed(1), &Device::Cpu).unwrap();
        let before =
            values(&model.as_generate().unwrap().cells(None, 400, &mut Seed(2).stream("made")).unwrap());
        let mut trainer = Trainer::new(&model, run, Seed(1));
        trainer.run(&mut model, &toy, None, &Silent).unwrap();
        assert_eq!(trainer.state().step, 3000);
        (before, model)
    };
    let make = |model: &ScGan, label| {
        values(&model.as_generate().unwrap().cells(label, 400, &mut Seed(2).stream("made")).unwrap())
    };
    for labels in [false, true] {
        let (before, model) = trained(labels);
        let after = make(&model, None);
        assert!(after.rows().into_iter().all(|row| (row.sum() - 200.0).abs() < 0.01), "one library size");
        let (start, end) = (off(&before, &whole), off(&after, &whole));
        assert!(end < 0.25 * start && end < 0.2, "labels {labels}: {start} → {end}");
        for label in 0..if labels { LABELS as u32 } else { 0 } {
            let x = make(&model, Some(label));
            let offs: Vec<f64> = (0..LABELS as u32).map(|l| off(&x, &profile(l))).collect();
            let nearest = (0..LABELS).min_by(|&a, &b| offs[a].total_cmp(&offs[b])).unwrap();
            assert!(nearest == label as usize && offs[nearest] < 0.35, "label {label}: {offs:?}");
        }
    }
}
