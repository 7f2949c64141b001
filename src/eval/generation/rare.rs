//! Do generated cells help a classifier find a rare type?
//!
//! A type is made rare in the training cells, a forest learns to tell it from the rest with and without more cells of it,
//! and both are asked about test cells. What simple means reach — weights, oversampling, SMOTE — stands beside it, and the
//! forest that sees all cells shows what there is to win.

use ndarray::Array2;

use super::{GenerationError, TARGET, derive, log_rows};
use crate::data::Counts;
use crate::eval::f1;
use crate::linalg::{Forest, ForestConfig, Pca, SparseRows, knn};
use crate::progress::{Progress, Silent};
use crate::rng::Seed;

/// What the classifier looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Features {
    /// All genes, on the logarithmic scale.
    Genes,
    /// So many principal components of the real training cells left.
    Components(usize),
}

/// How the experiment is done.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RareProtocol {
    /// Share of each type held out for testing, rounded down.
    pub test_share: f64,
    /// Shares of the rare type's training cells that are kept.
    pub fractions: Vec<f64>,
    /// Rare cells kept at least.
    pub least: usize,
    /// How often cells are chosen anew.
    pub repeats: usize,
    /// Cells added.
    pub n: usize,
    /// What the classifier looks at.
    pub features: Features,
    /// Trees of each forest.
    pub trees: usize,
    /// Seed of everything random.
    pub seed: Seed,
}

impl Default for RareProtocol {
    /// 30 % tested, 5 % and 1 % kept but never fewer than 3 cells, five times; 1,500 cells added.
    fn default() -> Self {
        Self {
            test_share: 0.3,
            fractions: vec![0.05, 0.01],
            least: 3,
            repeats: 5,
            n: 1500,
            features: Features::Components(50),
            trees: 1000,
            seed: Seed(0),
        }
    }
}

/// A generator under test: from training counts, the number of each cell's type, the rare type, how many cells of it are
/// wanted, and a seed, it makes such cells over the same genes. What goes wrong is said in words.
pub type Augment<'a> = dyn FnMut(&Counts, &[usize], usize, usize, Seed) -> Result<Counts, String> + 'a;

/// One forest.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RareScore {
    /// What was done about rareness.
    pub method: String,
    /// Share of rare training cells kept.
    pub fraction: f64,
    /// Which choice of cells.
    pub repeat: usize,
    /// Rare training cells kept.
    pub rare_cells: usize,
    /// F1 of the rare type on test cells, at a probability of one half.
    pub f1: f64,
}

/// A method over all repeats at one fraction.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RareSummary {
    /// The method.
    pub method: String,
    /// Share of rare training cells kept.
    pub fraction: f64,
    /// Rare training cells kept.
    pub rare_cells: usize,
    /// Mean F1.
    pub mean: f64,
    /// Smallest F1.
    pub least: f64,
    /// Largest F1.
    pub most: f64,
}

/// The whole experiment.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RareCluster {
    /// How it was done.
    pub protocol: RareProtocol,
    /// Test cells of the rare type.
    pub test_rare: usize,
    /// Test cells of other types.
    pub test_rest: usize,
    /// Every forest.
    pub scores: Vec<RareScore>,
}

/// Names of the means that need no generator.
const NOTHING: &str = "nothing";
const WEIGHTS: &str = "class weights";
const OVERSAMPLING: &str = "oversampling";
const SMOTE: &str = "SMOTE";
const ALL: &str = "all cells";

/// Rare cells that SMOTE looks at for a partner.
const PARTNERS: usize = 5;

impl RareCluster {
    /// Mean, smallest and largest F1 of every method at every fraction, in the order they were run.
    pub fn summary(&self) -> Vec<RareSummary> {
        let mut out: Vec<RareSummary> = Vec::new();
        for s in &self.scores {
            if out.iter().any(|o| o.method == s.method && o.fraction == s.fraction) {
                continue;
            }
            let same = |o: &&RareScore| o.method == s.method && o.fraction == s.fraction;
            let all: Vec<f64> = self.scores.iter().filter(same).map(|o| o.f1).collect();
            out.push(RareSummary {
                method: s.method.clone(),
                fraction: s.fraction,
                rare_cells: s.rare_cells,
                mean: all.iter().sum::<f64>() / all.len() as f64,
                least: all.iter().copied().fold(f64::INFINITY, f64::min),
                most: all.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            });
        }
        out
    }

    /// One sentence for a method at each fraction: whether it helps, and whether a simple means helps as much.
    pub fn verdict(&self, method: &str) -> Vec<String> {
        let all = self.summary();
        let at = |name: &str, fraction: f64| all.iter().find(|s| s.method == name && s.fraction == fraction);
        let of = all.iter().filter(|s| s.method == method);
        let sentence = |s: &RareSummary| {
            let nothing = at(NOTHING, s.fraction).map_or(f64::NAN, |n| n.mean);
            let rivals = [WEIGHTS, OVERSAMPLING, SMOTE].into_iter().filter_map(|m| at(m, s.fraction));
            let best = rivals.max_by(|a, b| a.mean.total_cmp(&b.mean));
            let helps = if s.mean > nothing { "helps" } else { "does not help" };
            let rest = best.map_or(String::new(), |b| {
                let word = if s.mean > b.mean { "more than" } else { "no more than" };
                format!(", {word} {} ({:.3})", b.method, b.mean)
            });
            format!(
                "{} rare cells ({} %): {method} {helps}: F1 {:.3} against {nothing:.3} with nothing done{rest}",
                s.rare_cells,
                100.0 * s.fraction,
                s.mean
            )
        };
        of.map(sentence).collect()
    }
}

/// Runs the experiment: `labels[i]` is the number of cell `i`'s type, `rare` the type that is made rare. Without and with
/// class weights, oversampled and with SMOTE come first, then every generator of `methods`, all of them with weights
/// n / (2 n of the class); last the forest that sees all training cells.
///
/// # Errors
/// Too few rare cells, shares outside their range, a generator that fails or gives other genes, or `progress` stops.
pub fn rare_cluster(
    counts: &Counts,
    labels: &[usize],
    rare: usize,
    protocol: &RareProtocol,
    methods: &mut [(&str, &mut Augment<'_>)],
    progress: &dyn Progress,
) -> Result<RareCluster, GenerationError> {
    let p = protocol;
    let share = |x: f64| x > 0.0 && x <= 1.0;
    if !(share(p.test_share) && p.test_share < 1.0 && p.fractions.iter().all(|f| share(*f))) || p.least < 2 {
        return Err(GenerationError::input(
            "shares for testing and of rare cells must lie above 0 and not above 1, and at least 2 rare cells be kept",
        ));
    }
    let (train, test) = hold_out(labels, p.test_share, p.seed);
    let rare_train: Vec<usize> = train.iter().copied().filter(|&i| labels[i] == rare).collect();
    let test_rare = test.iter().filter(|&&i| labels[i] == rare).count();
    if rare_train.len() < p.least || test_rare == 0 || train.len() == rare_train.len() {
        return Err(GenerationError::input(format!(
            "{} cells of the rare type to train on and {test_rare} to test on, of {} cells: at least {}, 1, and cells of \
             another type are needed",
            rare_train.len(),
            labels.len(),
            p.least
        )));
    }
    let test_counts = counts.cells(&test);
    let truth: Vec<bool> = test.iter().map(|&i| labels[i] == rare).collect();
    let steps = p.fractions.len() * p.repeats * (4 + methods.len()) + 1;
    progress.start("rare type", steps as u64);
    let mut run =
        Run { protocol: p, rare, test: log_rows(&test_counts, Some(TARGET)), truth, progress, done: 0 };
    let mut scores = Vec::new();
    for &fraction in &p.fractions {
        let keep = ((fraction * rare_train.len() as f64).round() as usize).clamp(p.least, rare_train.len());
        for repeat in 0..p.repeats {
            let seed = derive(p.seed, &format!("rare/{fraction}/{repeat}"));
            let chosen = seed.stream("rare/keep").sample(rare_train.len(), keep);
            let chosen: Vec<usize> = chosen.into_iter().map(|i| rare_train[i]).collect();
            let kept: Vec<usize> = train
                .iter()
                .copied()
                .filter(|i| labels[*i] != rare || chosen.binary_search(i).is_ok())
                .collect();
            let (cells, y) = (counts.cells(&kept), kept.iter().map(|&i| labels[i]).collect::<Vec<_>>());
            let found = run.all_methods(&cells, &y, methods, seed)?;
            scores.extend(found.into_iter().map(|(method, f1)| RareScore {
                method,
                fraction,
                repeat,
                rare_cells: keep,
                f1,
            }));
        }
    }
    let y: Vec<usize> = train.iter().map(|&i| labels[i]).collect();
    let log = log_rows(&counts.cells(&train), Some(TARGET));
    let fit = run.space(&log, p.seed)?;
    let f1 = run.forest(&fit, &log, &y, true, p.seed)?;
    for &fraction in &p.fractions {
        let (method, rare_cells) = (ALL.to_owned(), rare_train.len());
        scores.push(RareScore { method, fraction, repeat: 0, rare_cells, f1 });
    }
    progress.finish();
    Ok(RareCluster { protocol: p.clone(), test_rare, test_rest: test.len() - test_rare, scores })
}

/// Training and test cells, in order: of each type its share, rounded down, is tested on.
/// Whether cells at hand help a forest find a type: it learns from the training cells, with and without `made`, and is
/// asked about the test cells. As [`rare_cluster`] at a fraction of 1, in one repeat and without a forest that sees more.
///
/// # Errors
/// Fewer than two cells of the type to train on, none to test on, or a forest that fails.
pub fn help(
    train: (&Counts, &[usize]),
    test: (&Counts, &[usize]),
    rare: usize,
    (name, made): (&str, &Counts),
    trees: usize,
    seed: Seed,
) -> Result<RareCluster, GenerationError> {
    let of = |labels: &[usize]| labels.iter().filter(|&&l| l == rare).count();
    let (rare_cells, test_rare) = (of(train.1), of(test.1));
    if rare_cells < 2 || test_rare == 0 || rare_cells == train.1.len() {
        return Err(GenerationError::input(format!(
            "{rare_cells} cells of the type to train on and {test_rare} to test on: at least 2, 1, and cells of another \
             type are needed"
        )));
    }
    let protocol = RareProtocol {
        test_share: test.1.len() as f64 / (test.1.len() + train.1.len()) as f64,
        fractions: vec![1.0],
        repeats: 1,
        n: made.n_cells(),
        trees,
        seed,
        ..RareProtocol::default()
    };
    let truth: Vec<bool> = test.1.iter().map(|&l| l == rare).collect();
    let mut run = Run {
        protocol: &protocol,
        rare,
        test: log_rows(test.0, Some(TARGET)),
        truth,
        progress: &Silent,
        done: 0,
    };
    let mut give = |_: &Counts, _: &[usize], _: usize, _: usize, _: Seed| Ok(made.clone());
    let methods: &mut [(&str, &mut Augment<'_>)] = &mut [(name, &mut give)];
    let found = run.all_methods(train.0, train.1, methods, seed)?;
    let score = |(method, f1)| RareScore { method, fraction: 1.0, repeat: 0, rare_cells, f1 };
    let scores = found.into_iter().map(score).collect();
    Ok(RareCluster { protocol, test_rare, test_rest: test.1.len() - test_rare, scores })
}

/// Training and test cells, with that share of every type (rounded down) held out.
fn hold_out(labels: &[usize], share: f64, seed: Seed) -> (Vec<usize>, Vec<usize>) {
    let mut random = seed.stream("rare/split");
    let mut tested = vec![false; labels.len()];
    for label in 0..labels.iter().max().map_or(0, |m| m + 1) {
        let of: Vec<usize> = (0..labels.len()).filter(|&i| labels[i] == label).collect();
        let n = (share * of.len() as f64 + 1e-9).floor() as usize;
        random.permutation(of.len()).into_iter().take(n).for_each(|i| tested[of[i]] = true);
    }
    (0..labels.len()).partition(|&i| !tested[i])
}

struct Run<'a> {
    protocol: &'a RareProtocol,
    rare: usize,
    test: SparseRows,
    truth: Vec<bool>,
    progress: &'a dyn Progress,
    done: u64,
}

impl Run<'_> {
    fn step(&mut self, method: &str) -> Result<(), GenerationError> {
        self.done += 1;
        self.progress.advance(self.done, method);
        if self.progress.cancelled() { Err(GenerationError::Cancelled) } else { Ok(()) }
    }

    fn all_methods(
        &mut self,
        cells: &Counts,
        y: &[usize],
        methods: &mut [(&str, &mut Augment<'_>)],
        seed: Seed,
    ) -> Result<Vec<(String, f64)>, GenerationError> {
        let log = log_rows(cells, Some(TARGET));
        let fit = self.space(&log, seed)?;
        let rare: Vec<usize> = (0..y.len()).filter(|&i| y[i] == self.rare).collect();
        let n = self.protocol.n;
        let mut out = Vec::new();
        for (name, weighted) in [(NOTHING, false), (WEIGHTS, true)] {
            out.push((name.to_owned(), self.forest(&fit, &log, y, weighted, seed)?));
            self.step(name)?;
        }
        let mut random = seed.stream("rare/oversampling");
        let again: Vec<usize> = (0..n).map(|_| rare[random.below(rare.len())]).collect();
        for (name, more) in [(OVERSAMPLING, log.select(&again)), (SMOTE, smote(&fit, &log, &rare, n, seed)?)]
        {
            out.push((name.to_owned(), self.with(&fit, &log, y, &more, seed)?));
            self.step(name)?;
        }
        for (name, augment) in methods.iter_mut() {
            let failed = |what: String| GenerationError::Augment { method: (*name).to_owned(), what };
            let more = augment(cells, y, self.rare, n, derive(seed, name)).map_err(failed)?;
            if more.n_genes() != cells.n_genes() {
                let what = format!("made cells of {} genes, not of {}", more.n_genes(), cells.n_genes());
                return Err(failed(what));
            }
            out.push(((*name).to_owned(), self.with(&fit, &log, y, &log_rows(&more, Some(TARGET)), seed)?));
            self.step(name)?;
        }
        Ok(out)
    }

    /// Components of the real training cells, where the classifier looks at those.
    fn space(&self, log: &SparseRows, seed: Seed) -> Result<Option<Pca>, GenerationError> {
        match self.protocol.features {
            Features::Genes => Ok(None),
            Features::Components(k) => {
                let k = k.min(log.rows() - 1).min(log.columns());
                Ok(Some(Pca::fit_sparse(log, k, seed)?))
            }
        }
    }

    fn with(
        &self,
        fit: &Option<Pca>,
        log: &SparseRows,
        y: &[usize],
        more: &SparseRows,
        seed: Seed,
    ) -> Result<f64, GenerationError> {
        let each = |x: &SparseRows| (0..x.rows()).collect::<Vec<_>>();
        let all = log.select_with(&each(log), more, &each(more));
        let y: Vec<usize> = y.iter().copied().chain((0..more.rows()).map(|_| self.rare)).collect();
        self.forest(fit, &all, &y, true, seed)
    }

    fn forest(
        &self,
        fit: &Option<Pca>,
        x: &SparseRows,
        y: &[usize],
        weighted: bool,
        seed: Seed,
    ) -> Result<f64, GenerationError> {
        let y: Vec<usize> = y.iter().map(|&l| usize::from(l == self.rare)).collect();
        let n = y.len() as f64;
        let rare = y.iter().sum::<usize>() as f64;
        let class_weights = weighted.then(|| vec![n / (2.0 * (n - rare)), n / (2.0 * rare)]);
        let config =
            ForestConfig { trees: self.protocol.trees, class_weights, seed, ..ForestConfig::default() };
        let p = match fit {
            None => Forest::fit_sparse(x, &y, 2, &config)?.probabilities_sparse(&self.test)?,
            Some(pca) => {
                let (x, test) = (points(pca, x)?, points(pca, &self.test)?);
                Forest::fit(x.view(), &y, 2, &config)?.probabilities(test.view())?
            }
        };
        let predicted: Vec<bool> = p.column(1).iter().map(|p| *p > 0.5).collect();
        Ok(f1(&predicted, &self.truth))
    }
}

fn points(pca: &Pca, x: &SparseRows) -> Result<Array2<f32>, GenerationError> {
    Ok(pca.transform_sparse(x)?.mapv(|v| v as f32))
}

/// Cells on the line between a rare cell and one of its five nearest rare neighbours, at a random place, on the logarithmic
/// scale. Neighbours are those on components where there are some, on genes otherwise.
fn smote(
    fit: &Option<Pca>,
    log: &SparseRows,
    rare: &[usize],
    n: usize,
    seed: Seed,
) -> Result<SparseRows, GenerationError> {
    let cells = log.select(rare);
    let places = match fit {
        Some(pca) => points(pca, &cells)?,
        None => cells.dense(),
    };
    let k = PARTNERS.min(rare.len() - 1);
    let near = knn::neighbours(places.view(), k, knn::Search::Exact, seed, &Silent)?;
    let mut random = seed.stream("rare/smote");
    let mut out = SparseRows::empty(log.columns());
    for _ in 0..n {
        let from = random.below(rare.len());
        let to = near.row(from).0[random.below(k)] as usize;
        out.push(between(cells.row(from), cells.row(to), random.uniform() as f32));
    }
    Ok(out)
}

/// The row at `share` of the way from one row to another.
fn between(a: (&[u32], &[f32]), b: (&[u32], &[f32]), share: f32) -> Vec<(u32, f32)> {
    let (mut i, mut j) = (0, 0);
    let mut out = Vec::with_capacity(a.0.len() + b.0.len());
    while i < a.0.len() || j < b.0.len() {
        let (ga, gb) = (a.0.get(i).copied().unwrap_or(u32::MAX), b.0.get(j).copied().unwrap_or(u32::MAX));
        let gene = ga.min(gb);
        let mut value = 0.0;
        if ga == gene {
            value += a.1[i] * (1.0 - share);
            i += 1;
        }
        if gb == gene {
            value += b.1[j] * share;
            j += 1;
        }
        out.push((gene, value));
    }
    out
}
