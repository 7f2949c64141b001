//! What a generator learns from: the counts of a data set, the genes that are modelled, and the labels of the cells.

use std::path::PathBuf;

use super::GenerateError;
use crate::cluster;
use crate::data::counts::{self, Taken, Wanted, chosen};
use crate::data::{Categorical, Change, Column, Counts, Dataset, synthetic};
use crate::loader::{LABEL_KEYS, Labels, NO_LABEL};
use crate::progress::Progress;
use crate::rng::Seed;
use crate::zoo::LibrarySizes;

/// What to take from a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Sought {
    /// Which counts.
    pub wanted: Wanted,
    /// Column of obs with the labels; looked for when `None`.
    pub cluster_key: Option<String>,
    /// What cells without a label are called.
    pub unlabeled: Option<String>,
    /// Genes in fewer cells are not modelled.
    pub min_cells: usize,
    /// Cells with fewer genes are not learnt from.
    pub min_genes: usize,
    /// Seed of the clusters, where none are given.
    pub seed: Seed,
    /// Bytes that reading may take, and that the counts may fill; what does not fit goes to temporary files.
    pub memory: u64,
    /// Folder of those; see [`crate::data::scratch::folder`].
    pub scratch: PathBuf,
}

/// Cells of a label below which nothing varies, so that nothing can be learnt.
pub(super) const LEAST_OF_A_LABEL: usize = 2;

/// Counts and labels of a data set.
#[derive(Debug, Clone)]
pub struct Material {
    /// Rows of the data set that are real cells; all of them when `None`. Cells below are counted among these.
    pub real: Option<Vec<usize>>,
    /// What is not learnt from, and why.
    pub changes: Vec<Change>,
    /// Counts of all cells, cells × modelled genes.
    pub counts: Counts,
    /// Where they were found, and what was taken of them.
    pub taken: Taken,
    /// Names of all genes there.
    pub genes: Vec<String>,
    /// Which of them are modelled, increasing.
    pub kept: Vec<usize>,
    /// Sum of each cell over all features that are taken.
    pub totals: Vec<u64>,
    /// Genes above zero of each cell.
    pub n_genes: Vec<u32>,
    /// Labels of all cells.
    pub labels: Labels,
    /// Cells that are learnt from.
    pub cells: Vec<usize>,
    /// The clusters that were found because the file has none, to go into the output.
    pub found: Option<(String, Column)>,
}

impl Material {
    /// Reads what is needed of the real cells. A data set without labels is clustered first. Cells without a label and
    /// labels of a single cell are not learnt from.
    ///
    /// # Errors
    /// [`GenerateError`] when there are no counts, no usable labels, or too few cells or genes.
    pub fn read(dataset: &Dataset, sought: &Sought, progress: &dyn Progress) -> Result<Self, GenerateError> {
        match synthetic::real(dataset)? {
            None => Self::of(dataset, None, sought, progress),
            Some((rows, _)) if rows.is_empty() => Err(GenerateError::input(format!(
                "all {} cells were made by scx (obs[\"{}\"], obs[\"{}\"], or their names); take the file with the real \
                 cells",
                dataset.n_obs(),
                synthetic::COLUMN,
                synthetic::PREDICTED
            ))),
            Some((rows, real)) => Self::of(&real, Some(rows), sought, progress),
        }
    }

    fn of(
        dataset: &Dataset,
        real: Option<Vec<usize>>,
        sought: &Sought,
        progress: &dyn Progress,
    ) -> Result<Self, GenerateError> {
        let mut taken = counts::find(dataset, &sought.wanted)?;
        let of = chosen(dataset, &taken.place)?;
        let genes: Vec<String> = of.var.index.iter().map(|n| n.into_owned()).collect();
        let labels = Labels::of(&dataset.obs, sought.cluster_key.as_deref(), sought.unlabeled.as_deref())?;
        let all = counts::read(dataset, &mut taken, sought.memory, &sought.scratch)?;
        let (mut labels, found) = match labels {
            Some(labels) => (labels, None),
            None => clustered(dataset, &taken, sought, progress)?,
        };
        let rich = |cell: &usize| all.cell(*cell).0.len() >= sought.min_genes.max(1);
        let mut cells: Vec<usize> = (0..all.n_cells()).filter(rich).collect();
        let mut changes: Vec<Change> = unlabelled(&labels, dataset).into_iter().collect();
        changes.extend(labels.leave_out_small(&cells, LEAST_OF_A_LABEL));
        cells.retain(|&c| labels.codes[c] != NO_LABEL);
        let mut with_gene = vec![0; all.n_genes()];
        cells.iter().for_each(|&c| all.cell(c).0.iter().for_each(|&g| with_gene[g as usize] += 1));
        let enough = |g: &usize| with_gene[*g] >= sought.min_cells.max(1);
        let kept: Vec<usize> = (0..with_gene.len()).filter(enough).collect();
        if cells.len() < 2 || kept.is_empty() {
            return Err(GenerateError::input(format!(
                "{} cells with {} genes or more and {} genes in {} cells or more are left; more are needed to learn \
                 from (--min-genes, --min-cells)",
                cells.len(),
                sought.min_genes,
                kept.len(),
                sought.min_cells
            )));
        }
        let totals = all.totals();
        let n_genes = (0..all.n_cells()).map(|c| all.cell(c).0.len() as u32).collect();
        let counts = all.select_genes_within(&kept, sought.memory / 2, &sought.scratch)?;
        // Numbered among all features, not among those that are taken.
        let kept = match &taken.features {
            None => kept,
            Some(f) => kept.iter().map(|&g| f.columns[g]).collect(),
        };
        Ok(Self { real, changes, counts, taken, genes, kept, totals, n_genes, labels, cells, found })
    }

    /// Takes a share of each label out of what is learnt from, and returns those cells: nothing is held out of labels
    /// that would be left with fewer than two cells.
    pub fn hold_out(&mut self, share: f64, seed: Seed) -> Vec<usize> {
        let mut random = seed.stream("hold out");
        let mut out = Vec::new();
        for label in 0..self.labels.names.len() as u32 {
            let of: Vec<usize> =
                self.cells.iter().copied().filter(|&c| self.labels.codes[c] == label).collect();
            let n = ((share * of.len() as f64 + 1e-9).floor() as usize).min(of.len().saturating_sub(2));
            out.extend(random.permutation(of.len()).into_iter().take(n).map(|i| of[i]));
        }
        out.sort_unstable();
        self.cells.retain(|c| out.binary_search(c).is_err());
        out
    }

    /// Cells of the data set that scx has made, which are not learnt from.
    pub fn made(&self, dataset: &Dataset) -> usize {
        self.real.as_ref().map_or(0, |rows| dataset.n_obs() - rows.len())
    }

    /// The clusters that were found because the file has none, for all of its `n` cells.
    pub(super) fn found_in(&self, n: usize) -> Option<(String, Column)> {
        let (name, column) = self.found.clone()?;
        let (Some(rows), Column::Categorical(c)) = (&self.real, &column) else { return Some((name, column)) };
        let mut codes = vec![-1; n];
        rows.iter().zip(&c.codes).for_each(|(&row, &code)| codes[row] = code);
        Some((name, Column::Categorical(Categorical { codes, ..c.clone() })))
    }

    /// Names of the modelled genes.
    pub fn modelled(&self) -> Vec<String> {
        self.kept.iter().map(|&g| self.genes[g].clone()).collect()
    }

    /// Library sizes of each label, over the modelled genes.
    pub fn library(&self) -> LibrarySizes {
        let totals = self.counts.totals();
        let library: Vec<f32> = self.cells.iter().map(|&c| totals[c] as f32).collect();
        let labels: Vec<u32> = self.cells.iter().map(|&c| self.labels.codes[c]).collect();
        LibrarySizes::fit(&library, &labels, self.labels.names.len())
    }

    /// Cells of each label that are learnt from.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.labels.names.len()];
        self.cells.iter().for_each(|&c| sizes[self.labels.codes[c] as usize] += 1);
        sizes
    }
}

/// The cells that have no label, when there are some.
fn unlabelled(labels: &Labels, dataset: &Dataset) -> Option<Change> {
    let first = labels.codes.iter().position(|&c| c == NO_LABEL)?;
    let missing = labels.codes.iter().filter(|&&c| c == NO_LABEL).count();
    let name = dataset.obs.index.get(first).unwrap_or_default();
    Some(Change::left(
        format!("cells without a label in obs[{:?}]", labels.key),
        format!("{missing} cells ({name} first), not learnt from; --unlabeled-category gives them a label"),
    ))
}

/// Clusters of a data set that has none.
fn clustered(
    dataset: &Dataset,
    taken: &Taken,
    sought: &Sought,
    progress: &dyn Progress,
) -> Result<(Labels, Option<(String, Column)>), GenerateError> {
    let keys = LABEL_KEYS.join(", ");
    tracing::warn!("obs has none of {keys}: clusters are searched first and kept as obs[\"{FOUND}\"]");
    let wanted = Wanted { place: Some(taken.place.clone()), ..sought.wanted.clone() };
    let settings =
        cluster::ClusterSettings { wanted, seed: sought.seed, memory: sought.memory, ..Default::default() };
    let found = cluster::run(dataset, &settings, progress)?;
    let column = found.column();
    let obs = crate::data::Frame::new(dataset.obs.index.clone()).with(FOUND, column.clone());
    let labels = Labels::of(&obs, Some(FOUND), None)?;
    let labels = labels.ok_or_else(|| GenerateError::input("no cluster was found"))?;
    Ok((labels, Some((FOUND.to_owned(), column))))
}

/// Column of clusters that were found on the way.
const FOUND: &str = "cluster";
