//! Models of counts: a toy source, and what those that make cells must keep to.

use candle_core::Device;
use ndarray::{Array2, Axis};
use scx::data::Counts;
use scx::nn::SparseBatch;
use scx::progress::Silent;
use scx::rng::Seed;
use scx::zoo::scgan::{ScGan, ScGanConfig, Schedule};
use scx::zoo::{
    Batch, BatchSource, CountBatch, Length, Made, MadeCells, Model, Preset, REGISTRY, TrainConfig, Trainer,
    ZooError,
};

use super::{bits, build, config, on_threads, train};

pub(super) const GENES: usize = 35;
pub(super) const LABELS: usize = 3;

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
    let counts = SparseBatch::new(counts.n_genes(), indptr, columns, values).unwrap();
    CountBatch { library: counts.sums(), counts, labels }
}

fn values(made: &Made) -> Array2<f32> {
    match &made.cells {
        MadeCells::Counts(c) => Array2::from_shape_fn((c.n_cells(), c.n_genes()), |(i, g)| {
            let (genes, values) = c.cell(i);
            genes.binary_search(&(g as u32)).map_or(0.0, |at| values[at] as f32)
        }),
        MadeCells::Scaled { values, .. } => values.clone(),
    }
}

#[test]
fn made_cells_have_their_shape_are_numbers_and_repeat_on_any_number_of_threads() {
    for entry in REGISTRY {
        let (mut model, _) = train(entry.kind, &[], Seed(4), 30);
        if entry.counted.is_some() {
            model.calibrate(&Toy::new()).unwrap();
        }
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
fn a_loaded_model_makes_the_same_cells() {
    for entry in REGISTRY {
        let Some(counted) = entry.counted else { continue };
        let (mut model, _) = train(entry.kind, &[], Seed(4), 30);
        model.calibrate(&Toy::new()).unwrap();
        let (settings, learnt) = (model.settings().unwrap(), model.learnt().unwrap());
        // Another seed: the weights must come from the first.
        let again = (counted.build)(settings, learnt, Seed(99), &Device::Cpu).unwrap();
        again.params().load(&model.params().snapshot().unwrap()).unwrap();
        let cells = |model: &dyn Model| {
            Some(bits(values(&model.as_generate()?.cells(None, 40, &mut Seed(1).stream("x")).unwrap())))
        };
        assert!(cells(model.as_ref()) == cells(again.as_ref()), "{}", entry.kind);
    }
}

#[test]
fn cells_of_other_genes_are_refused() {
    let mut toy = Toy::new();
    let keep: Vec<usize> = (0..GENES - 1).collect();
    toy.counts = toy.counts.select_genes(&keep);
    for entry in REGISTRY.iter().filter(|e| e.counted.is_some()) {
        let mut model = build(entry.kind, GENES, Seed(4));
        let mut trainer = Trainer::new(model.as_ref(), config(entry.kind, Length::Steps(2)), Seed(4));
        assert!(trainer.run(model.as_mut(), &toy, None, &Silent).is_err(), "{}", entry.kind);
    }
}

/// Small settings of scGAN, with labels or without.
fn small(labels: Option<usize>) -> ScGan {
    let config = ScGanConfig {
        noise: 8,
        generator: vec![24, 24],
        critic: vec![24, 12],
        library: 200.0,
        critic_updates: 3,
        rate: Schedule { end: 0.1, over: 1000, decay: true },
        norm_momentum: 0.02,
        ..ScGanConfig::preset(Preset::Paper, GENES, labels)
    };
    ScGan::new(config, Seed(1), &Device::Cpu).unwrap()
}

fn fit(model: &mut ScGan, toy: &Toy, outer: u64) -> Result<(), ZooError> {
    let train = ScGanConfig::train(Preset::Paper);
    let adam = scx::nn::AdamConfig { lr: 2e-3, ..train.adam };
    let length = Length::Steps(model.config().steps(outer));
    let mut trainer = Trainer::new(model, TrainConfig { minibatch: 50, length, adam, ..train }, Seed(1));
    trainer.run(model, toy, None, &Silent)
}

fn make(model: &ScGan, label: Option<u32>, n: usize) -> Result<Made, ZooError> {
    model.as_generate().unwrap().cells(label, n, &mut Seed(2).stream("made"))
}

#[test]
fn scgan_refuses_other_genes_and_labels_it_does_not_know() {
    let says = |e: ZooError, words: &[&str]| {
        let text = e.to_string();
        assert!(words.iter().all(|w| text.contains(w)), "{text}");
    };
    let mut narrow = Toy::new();
    narrow.counts = narrow.counts.select_genes(&(0..GENES - 1).collect::<Vec<_>>());
    for labels in [None, Some(LABELS)] {
        let e = fit(&mut small(labels), &narrow, 1).unwrap_err();
        says(e, &["35 genes", "34"]);
    }
    says(make(&small(None), Some(0), 3).unwrap_err(), &["knows no labels", "cscgan"]);
    says(make(&small(Some(LABELS)), Some(7), 3).unwrap_err(), &["label 7", "3"]);
    says(fit(&mut small(Some(2)), &Toy::new(), 1).unwrap_err(), &["label 2", "0 to 1"]);
    // A label that no training cell has.
    let mut model = small(Some(LABELS + 1));
    fit(&mut model, &Toy::new(), 1).unwrap();
    says(make(&model, Some(3), 3).unwrap_err(), &["label 3", "no training cell"]);
    assert!(make(&model, None, 200).unwrap().labels.unwrap().iter().all(|&l| l < 3));
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
    let shares = [0.5, 1.0 / 3.0, 1.0 / 6.0];
    let profiles = [profile(0), profile(1), profile(2)];
    let whole: Vec<f64> =
        (0..GENES).map(|g| shares.iter().zip(&profiles).map(|(s, p)| s * p[g]).sum()).collect();
    for labels in [None, Some(LABELS)] {
        let mut model = small(labels);
        let before = off(&values(&make(&model, None, 400).unwrap()), &whole);
        fit(&mut model, &toy, 1000).unwrap();
        let made = make(&model, None, 400).unwrap();
        assert_eq!(made.labels.is_some(), labels.is_some());
        if let Some(labels) = &made.labels {
            let first = labels.iter().filter(|&&l| l == 0).count();
            assert!((160..240).contains(&first), "half of the training cells: {first} of 400");
        }
        let after = values(&made);
        assert!(after.rows().into_iter().all(|row| (row.sum() - 200.0).abs() < 0.01), "one library size");
        let end = off(&after, &whole);
        assert!(end < 0.25 * before && end < 0.2, "labels {labels:?}: {before} → {end}");
        for label in 0..labels.unwrap_or(0) {
            let x = values(&make(&model, Some(label as u32), 400).unwrap());
            let offs: Vec<f64> = profiles.iter().map(|p| off(&x, p)).collect();
            let nearest = (0..LABELS).min_by(|&a, &b| offs[a].total_cmp(&offs[b])).unwrap();
            assert!(nearest == label && offs[nearest] < 0.35, "label {label}: {offs:?}");
        }
    }
}
