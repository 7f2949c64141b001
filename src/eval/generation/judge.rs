//! All figures for one set of generated cells after the other, against the same real test cells.

use ndarray::{Array2, Axis};

use super::fold_change::{cluster_means, fold_changes};
use super::markers::{Markers, rank_sums, top_markers};
use super::memorisation::{copies, distances, nearest_genes, nearest_points};
use super::{
    CorrelationScore, DetectionConfig, GeneUse, GenerationError, GenerationScore, Memorisation, MmdScore,
    SCHEMA_VERSION, SetKind, SetScore, Space, TARGET, Thresholds, TypeForest, detect, laws, log_rows,
    verdict_of,
};
use crate::data::Counts;
use crate::eval::{bandwidths, discrepancy, mmd_parts};
use crate::linalg::{Pca, SparseRows};
use crate::progress::{Progress, Quietly};
use crate::rng::Seed;

/// Counts of cells over common genes, with a type for each where types are known.
#[derive(Debug, Clone, Copy)]
pub struct Cells<'a> {
    /// Cells × genes.
    pub counts: &'a Counts,
    /// Number of each cell's type among the names of all types; `None` for a cell without one.
    pub labels: Option<&'a [Option<usize>]>,
}

/// How cells are judged.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgeSettings {
    /// Trees of every forest.
    pub trees: usize,
    /// Folds of the cross-validation.
    pub folds: usize,
    /// Principal components at most.
    pub components: usize,
    /// Cells of a side compared at most: distances and kernels grow with the square.
    pub most_cells: usize,
    /// Genes in fewer real cells are left out.
    pub min_cells: usize,
    /// Genes per cluster whose correlations are compared.
    pub markers: usize,
    /// Genes per cluster whose fold changes are compared.
    pub fold_change_genes: usize,
    /// Whether forests look at all genes too, which takes most of the time.
    pub gene_forests: bool,
    /// The only type to look at.
    pub cluster: Option<usize>,
    /// Limits of the verdict.
    pub thresholds: Thresholds,
    /// Seed of everything random.
    pub seed: Seed,
}

impl Default for JudgeSettings {
    fn default() -> Self {
        Self {
            trees: 1000,
            folds: 5,
            components: 50,
            most_cells: 3000,
            min_cells: 3,
            markers: 5,
            fold_change_genes: 50,
            gene_forests: true,
            cluster: None,
            thresholds: Thresholds::default(),
            seed: Seed(0),
        }
    }
}

/// Training cells at most that components are fitted on and markers are found in.
const FIT_ON: usize = 10_000;

/// Cells over the genes used.
struct Ready {
    counts: Counts,
    labels: Option<Vec<Option<usize>>>,
    /// Scaled and on the logarithmic scale.
    log: SparseRows,
    /// On components.
    points: Array2<f64>,
}

impl Ready {
    fn len(&self) -> usize {
        self.counts.n_cells()
    }

    fn some(&self, cells: &[usize]) -> Self {
        Self {
            counts: self.counts.cells(cells),
            labels: self.labels.as_ref().map(|l| cells.iter().map(|&c| l[c]).collect()),
            log: self.log.select(cells),
            points: self.points.select(Axis(0), cells),
        }
    }
}

/// Real cells, prepared once.
pub struct Judge<'a> {
    settings: JudgeSettings,
    names: &'a [String],
    gene_names: &'a [String],
    kept: Vec<usize>,
    /// Test cells of the cluster looked at.
    test: Ready,
    /// Training cells of the cluster looked at.
    train: Option<Ready>,
    /// Training cells of that cluster that nothing was learnt from: the control.
    control: Option<Ready>,
    /// All training cells, of whatever type.
    all_training: Option<&'a Counts>,
    pca: Pca,
    markers: Markers,
    pairs: Vec<(usize, usize)>,
    /// Means inside and outside each type in the cells fitted on.
    reference: Option<(Array2<f64>, Array2<f64>)>,
    forest: Option<TypeForest>,
    real_cells: Vec<usize>,
}

impl<'a> Judge<'a> {
    /// Prepares the real cells: `test` has not been seen by any generator, `train` has. All cells are over the genes
    /// `gene_names`; `names` are the types that labels number.
    ///
    /// # Errors
    /// Too few cells or genes, or a decomposition that fails.
    pub fn new(
        test: Cells<'_>,
        train: Option<Cells<'a>>,
        names: &'a [String],
        gene_names: &'a [String],
        settings: JudgeSettings,
        progress: &dyn Progress,
    ) -> Result<Self, GenerationError> {
        progress.start("preparing", 4);
        let mut seen = test.counts.cells_of_gene();
        if let Some(train) = train {
            seen.iter_mut().zip(train.counts.cells_of_gene()).for_each(|(s, t)| *s += t);
        }
        let kept: Vec<usize> = (0..seen.len()).filter(|&g| seen[g] >= settings.min_cells.max(1)).collect();
        let cells = test.counts.n_cells();
        if kept.len() < 2 || cells < 2 * settings.folds {
            return Err(GenerationError::input(format!(
                "{cells} real test cells and {} genes in {} of the real cells or more: at least {} cells and 2 genes are \
                 needed to judge by",
                kept.len(),
                settings.min_cells,
                2 * settings.folds
            )));
        }
        let reduced = |c: Cells<'_>| (c.counts.select_genes(&kept), c.labels.map(<[_]>::to_vec));
        let (test_counts, test_labels) = reduced(test);
        let (fit_counts, fit_labels) = reduced(train.unwrap_or(test));
        // The control is real training cells in the place of generated ones. Components and markers are learnt from others:
        // cells that components were fitted on lie farther out on them than any new cell.
        let size = rows_of(test_labels.as_deref(), cells, settings.cluster).len().min(settings.most_cells);
        let control = match train {
            Some(_) => control(&fit_labels, fit_counts.n_cells(), size, &settings),
            None => Vec::new(),
        };
        let others: Vec<usize> =
            (0..fit_counts.n_cells()).filter(|c| control.binary_search(c).is_err()).collect();
        let fit_on = settings.seed.stream("judge/fit").sample(others.len(), FIT_ON);
        let fit_on: Vec<usize> = fit_on.into_iter().map(|i| others[i]).collect();
        // What is learnt from real cells: components, markers, means.
        let fit_log = log_rows(&fit_counts.cells(&fit_on), Some(TARGET));
        if fit_log.rows() < 3 {
            return Err(GenerationError::input("fewer than 3 real cells to learn components from"));
        }
        let k = settings.components.min(fit_log.rows() - 1).min(kept.len());
        let pca = Pca::fit_sparse(&fit_log, k, settings.seed)?;
        progress.advance(1, "markers");
        let (mut markers, mut pairs, mut reference) =
            (Markers { genes: Vec::new(), cluster: Vec::new() }, Vec::new(), None);
        if let Some(labels) = &fit_labels {
            let labels: Vec<Option<usize>> = fit_on.iter().map(|&c| labels[c]).collect();
            let z = rank_sums(&fit_log, &labels, names.len());
            markers = top_markers(&z, settings.markers);
            for c in (0..names.len()).filter(|c| settings.cluster.is_none_or(|only| only == *c)) {
                let row = z.slice(ndarray::s![c..=c, ..]).to_owned();
                let of = top_markers(&row, settings.fold_change_genes).genes;
                pairs.extend(of.into_iter().map(|g| (c, g)));
            }
            reference = Some(cluster_means(&fit_log, &labels, names.len()));
        }
        progress.advance(2, "types");
        let mut real_cells = vec![0; names.len()];
        for labels in [&fit_labels, &test_labels].into_iter().take(1 + usize::from(train.is_some())).flatten()
        {
            labels.iter().flatten().for_each(|&l| real_cells[l] += 1);
        }
        let test = ready(test_counts, test_labels, &pca)?;
        let forest = match &test.labels {
            Some(l) if real_types(l) > 1 => {
                Some(TypeForest::fit(&test.points, l, names.len(), settings.trees, settings.seed)?)
            }
            _ => None,
        };
        progress.advance(3, "training cells");
        let all_training = train.map(|t| t.counts);
        let (train, control) = match train {
            Some(_) => {
                let all = ready(fit_counts, fit_labels, &pca)?;
                let control = all.some(&control);
                (Some(in_cluster(all, settings.cluster)), Some(control))
            }
            None => (None, None),
        };
        progress.finish();
        let test = in_cluster(test, settings.cluster);
        if test.len() < 2 * settings.folds {
            let name = settings.cluster.and_then(|c| names.get(c)).map_or("", String::as_str);
            return Err(GenerationError::input(format!(
                "cluster {name} has {} real test cells, at least {} are needed to judge by",
                test.len(),
                2 * settings.folds
            )));
        }
        let judge = Self {
            settings,
            names,
            gene_names,
            kept,
            test,
            train,
            control,
            all_training,
            pca,
            markers,
            pairs,
            reference,
            forest,
            real_cells,
        };
        Ok(judge)
    }

    /// The genes used, by their number among all.
    pub fn genes(&self) -> &[usize] {
        &self.kept
    }

    /// Marker genes, by their number among all genes, and the type each marks.
    pub fn markers(&self) -> Vec<(usize, usize)> {
        self.markers.genes.iter().zip(&self.markers.cluster).map(|(&g, &c)| (self.kept[g], c)).collect()
    }

    /// Coordinates of cells (over all genes) on the principal components that figures are on.
    ///
    /// # Errors
    /// Other genes than the judge's.
    pub fn points(&self, counts: &Counts) -> Result<Array2<f64>, GenerationError> {
        Ok(self.pca.transform_sparse(&log_rows(&counts.select_genes(&self.kept), Some(TARGET)))?)
    }

    /// Share of the variance each component explains.
    pub fn explained(&self) -> &[f64] {
        &self.pca.explained
    }

    /// Scores one set of cells; `most` cells of it at most, and as many test cells, are compared.
    ///
    /// # Errors
    /// Too few cells, none of the cluster looked at, or `progress` stops.
    pub fn score(
        &self,
        name: &str,
        kind: SetKind,
        cells: Cells<'_>,
        most: Option<usize>,
        progress: &dyn Progress,
    ) -> Result<SetScore, GenerationError> {
        let all: u64 = cells.counts.totals().iter().sum();
        let counts = cells.counts.select_genes(&self.kept);
        let inside: u64 = counts.totals().iter().sum();
        let whole = ready(counts, cells.labels.map(<[_]>::to_vec), &self.pca)?;
        let rows = rows_of(whole.labels.as_deref(), whole.len(), self.settings.cluster);
        if rows.len() < 2 * self.settings.folds {
            let of = self.settings.cluster.and_then(|c| self.names.get(c));
            let of = of.map_or(String::new(), |c| format!(" of cluster {c}"));
            return Err(GenerationError::input(format!(
                "{name}: {} cells{of}, at least {} are needed to judge them",
                rows.len(),
                2 * self.settings.folds
            )));
        }
        let memorised = cells.counts.cells(&rows);
        let whole = whole.some(&rows);
        let mut score = self.compare(name, kind, &whole, most, progress)?;
        if let Some(m) = &mut score.memorisation
            && let Some(training) = self.all_training
        {
            (m.copies, m.of) = (copies(&memorised, training), memorised.n_cells());
        }
        score.outside_genes = if all > 0 { 1.0 - inside as f64 / all as f64 } else { 0.0 };
        Ok(score)
    }

    /// Scores real training cells as if they had been generated: the best that can be reached. They are as many as test cells,
    /// but at most half of the training cells; components and markers are learnt from the other ones. None without them.
    ///
    /// # Errors
    /// As [`Judge::score`].
    pub fn ceiling(
        &self,
        most: Option<usize>,
        progress: &dyn Progress,
    ) -> Result<Option<SetScore>, GenerationError> {
        match &self.control {
            Some(t) if t.len() >= 2 * self.settings.folds => {
                Ok(Some(self.compare("real training cells", SetKind::Real, t, most, progress)?))
            }
            _ => Ok(None),
        }
    }

    /// Scores generated cells with the ceiling and baselines beside them, each over as many cells, and passes a verdict.
    /// Genes common to all files are `common`; those judged by are fewer.
    ///
    /// # Errors
    /// As [`Judge::score`].
    pub fn report(
        &self,
        generated: (&str, Cells<'_>),
        baselines: &[(&str, SetKind, Cells<'_>)],
        progress: &dyn Progress,
    ) -> Result<GenerationScore, GenerationError> {
        let (name, cells) = generated;
        let generated = self.score(name, SetKind::Generated, cells, None, progress)?;
        let most = Some(generated.compared);
        let ceiling = self.ceiling(most, progress)?;
        let scored =
            baselines.iter().map(|(name, kind, cells)| self.score(name, *kind, *cells, most, progress));
        let baselines = scored.collect::<Result<Vec<_>, _>>()?;
        let verdict = verdict_of(
            &generated,
            ceiling.as_ref(),
            &baselines,
            |label| self.names.iter().position(|n| n == label).map_or(0, |l| self.real_cells[l]),
            &self.settings.thresholds,
        );
        Ok(GenerationScore {
            schema_version: SCHEMA_VERSION,
            target: TARGET,
            cluster: self.settings.cluster.and_then(|c| self.names.get(c).cloned()),
            test_cells: self.test.len(),
            training_cells: self.train.as_ref().map(Ready::len),
            fitted_on: if self.train.is_some() { "training cells" } else { "test cells" }.into(),
            genes: GeneUse {
                common: self.gene_names.len(),
                used: self.kept.len(),
                min_cells: self.settings.min_cells.max(1),
            },
            seed: self.settings.seed.0,
            generated,
            ceiling,
            baselines,
            verdict,
        })
    }

    fn compare(
        &self,
        name: &str,
        kind: SetKind,
        whole: &Ready,
        most: Option<usize>,
        progress: &dyn Progress,
    ) -> Result<SetScore, GenerationError> {
        let s = &self.settings;
        let compared = whole.len().min(self.test.len()).min(s.most_cells).min(most.unwrap_or(usize::MAX));
        let pick = |n: usize, what: &str| s.seed.stream(what).sample(n, compared);
        let real = self.test.some(&pick(self.test.len(), "judge/test"));
        let made = whole.some(&pick(whole.len(), "judge/generated"));
        let spaces: &[Space] =
            if s.gene_forests { &[Space::Components, Space::Genes] } else { &[Space::Components] };
        progress.start(name, 2 * spaces.len() as u64 + 2);
        let config = DetectionConfig {
            trees: s.trees,
            folds: s.folds,
            components: s.components,
            seed: super::derive(s.seed, "judge/detection"),
        };
        let mut detection = Vec::new();
        let plain = [&real, &made].map(|r| log_rows(&r.counts, None));
        for &space in spaces {
            for scaled in [Some(TARGET), None] {
                check(progress)?;
                let (a, b) = if scaled.is_some() { (&real.log, &made.log) } else { (&plain[0], &plain[1]) };
                detection.push(detect(a, b, space, scaled, &config)?);
                progress.advance(detection.len() as u64, "forests");
            }
        }
        check(progress)?;
        let mmd = self.mmd(&real, &made);
        progress.advance(2 * spaces.len() as u64 + 1, "distances");
        let memorisation = match (&self.train, kind) {
            (Some(train), SetKind::Generated | SetKind::Baseline | SetKind::Copies) => {
                Some(self.memorisation(&real, &made, train, progress)?)
            }
            _ => None,
        };
        progress.finish();
        Ok(SetScore {
            name: name.into(),
            kind,
            cells: whole.len(),
            compared,
            outside_genes: 0.0,
            detection,
            correlation: self.correlation(&real, &made),
            mmd,
            memorisation,
            laws: laws(&real.counts, &made.counts, &real.log, &made.log),
            fold_changes: self.fold_changes(&real, &made),
            types: match (&self.forest, &whole.labels) {
                (Some(forest), Some(labels)) if labels.iter().any(Option::is_some) => {
                    Some(forest.confirm(&whole.points, labels, self.names)?)
                }
                _ => None,
            },
        })
    }

    fn mmd(&self, real: &Ready, made: &Ready) -> MmdScore {
        let widths = bandwidths(real.points.view(), super::derive(self.settings.seed, "judge/bandwidth"));
        let parts = mmd_parts(real.points.view(), made.points.view(), &widths);
        let (n, m) = (real.len() as f64, made.len() as f64);
        MmdScore {
            mmd2: parts.mmd2(),
            mmd: parts.mmd2().sqrt(),
            floor: (1.0 / n + 1.0 / m) * (widths.len() as f64 - parts.within_a),
            within_real: parts.within_a,
            within_generated: parts.within_b,
            bandwidths: widths,
            components: real.points.ncols(),
            cells: real.len(),
        }
    }

    fn memorisation(
        &self,
        real: &Ready,
        made: &Ready,
        train: &Ready,
        progress: &dyn Progress,
    ) -> Result<Memorisation, GenerationError> {
        let quiet = &Quietly(progress);
        let on_points = |r: &Ready| nearest_points(&r.points, &train.points, quiet);
        let points = distances(Space::Components, on_points(made)?, on_points(real)?);
        check(progress)?;
        let on_genes = |r: &Ready| nearest_genes(&r.log, &train.log);
        let genes = distances(Space::Genes, on_genes(made), on_genes(real));
        Ok(Memorisation {
            training_cells: train.len(),
            distances: vec![points, genes],
            copies: copies(&made.counts, &train.counts),
            of: made.len(),
            held_out_copies: copies(&real.counts, &train.counts),
        })
    }

    fn correlation(&self, real: &Ready, made: &Ready) -> Option<CorrelationScore> {
        if self.markers.genes.len() < 2 {
            return None;
        }
        let of = |x: &Ready| pick_columns(&x.log, &self.markers.genes);
        let d = discrepancy(of(real).view(), of(made).view());
        let names = self.markers.genes.iter().map(|&g| self.gene_names[self.kept[g]].clone()).collect();
        Some(CorrelationScore::new(names, d))
    }

    fn fold_changes(&self, real: &Ready, made: &Ready) -> Option<super::FoldChanges> {
        let means = |x: &Ready| {
            let (inside, outside) = cluster_means(&x.log, x.labels.as_deref()?, self.names.len());
            // Of one cluster alone there is no rest: that of the cells fitted on stands in for both sides.
            let rest =
                if self.settings.cluster.is_some() { self.reference.as_ref()?.1.clone() } else { outside };
            Some((inside, rest))
        };
        (!self.pairs.is_empty()).then(|| Some(fold_changes(&means(real)?, &means(made)?, &self.pairs)))?
    }
}

/// Training cells for the control: as many as test cells, at most half of those there are of the type looked at.
fn control(
    labels: &Option<Vec<Option<usize>>>,
    n: usize,
    size: usize,
    settings: &JudgeSettings,
) -> Vec<usize> {
    let rows = rows_of(labels.as_deref(), n, settings.cluster);
    let chosen = settings.seed.stream("judge/control").sample(rows.len(), size.min(rows.len() / 2));
    chosen.into_iter().map(|i| rows[i]).collect()
}

/// Some columns, dense.
pub(super) fn pick_columns(x: &SparseRows, columns: &[usize]) -> Array2<f64> {
    let mut place = vec![usize::MAX; x.columns()];
    columns.iter().enumerate().for_each(|(to, &c)| place[c] = to);
    let mut out = Array2::zeros((x.rows(), columns.len()));
    for (r, mut to) in out.rows_mut().into_iter().enumerate() {
        let (indices, values) = x.row(r);
        for (&j, &v) in indices.iter().zip(values) {
            if let Some(to) = to.get_mut(place[j as usize]) {
                *to = f64::from(v);
            }
        }
    }
    out
}

fn ready(counts: Counts, labels: Option<Vec<Option<usize>>>, pca: &Pca) -> Result<Ready, GenerationError> {
    let log = log_rows(&counts, Some(TARGET));
    let points = pca.transform_sparse(&log)?;
    Ok(Ready { counts, labels, log, points })
}

fn real_types(labels: &[Option<usize>]) -> usize {
    let mut seen: Vec<usize> = labels.iter().flatten().copied().collect();
    seen.sort_unstable();
    seen.dedup();
    seen.len()
}

/// Cells of one type, or all.
fn rows_of(labels: Option<&[Option<usize>]>, n: usize, cluster: Option<usize>) -> Vec<usize> {
    match (cluster, labels) {
        (None, _) => (0..n).collect(),
        (Some(c), Some(labels)) => (0..n).filter(|&i| labels[i] == Some(c)).collect(),
        (Some(_), None) => Vec::new(),
    }
}

fn in_cluster(all: Ready, cluster: Option<usize>) -> Ready {
    if cluster.is_none() {
        return all;
    }
    let rows = rows_of(all.labels.as_deref(), all.len(), cluster);
    all.some(&rows)
}

fn check(progress: &dyn Progress) -> Result<(), GenerationError> {
    if progress.cancelled() { Err(GenerationError::Cancelled) } else { Ok(()) }
}
