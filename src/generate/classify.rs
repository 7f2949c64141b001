//! Labels of cells from a stored model that knows types.

use std::path::Path;

use candle_core::Device;

use super::GenerateError;
use super::trained::{Maker, Trained};
use crate::data::counts::{self, Place, Taken};
use crate::data::{Column, CountsBuilder, Dataset, GeneNames, ValueKind, Values};
use crate::loader::LabelledCells;
use crate::progress::Progress;
use crate::zoo::{BatchSource, ZooError};

/// What a model says about cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Classified {
    /// Names of the labels.
    pub labels: Vec<String>,
    /// What kind of values the labels were that the model learnt from.
    pub kind: ValueKind,
    /// Label of each cell.
    pub codes: Vec<u32>,
    /// Its probability.
    pub scores: Vec<f32>,
    /// Genes the model was trained on that the data do not have; they count as zero.
    pub missing: Vec<String>,
    /// Genes the model was trained on.
    pub genes: usize,
    /// By which names genes were matched.
    pub names: GeneNames,
}

/// How cells are labelled.
#[derive(Debug, Clone, Copy)]
pub struct Matching<'a> {
    /// Share of the model's genes that may be missing.
    pub most_missing: f64,
    /// Column of var with the names the model knows; looked for when `None`.
    pub gene_column: Option<&'a str>,
    /// Bytes that counts may take; half of it before they go to temporary files.
    pub memory: u64,
    /// Folder of those.
    pub scratch: &'a Path,
}

impl Classified {
    /// The labels as a column of obs.
    pub fn column(&self) -> Column {
        let codes: Vec<Option<usize>> = self.codes.iter().map(|&c| Some(c as usize)).collect();
        self.kind.column(&self.labels, &codes)
    }

    /// Their probabilities as a column of obs.
    pub fn score_column(&self) -> Column {
        Column::Numbers(Values::F32(self.scores.clone()))
    }

    /// Cells of each label.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.labels.len()];
        self.codes.iter().for_each(|&c| sizes[c as usize] += 1);
        sizes
    }
}

/// Cells taken through the network at a time; fixed, so that threads cannot change a result.
const ROWS: usize = 512;

/// Genes that are named when some are missing.
const NAMED: usize = 5;

/// Labels all cells of a data set by the counts that are taken; genes are matched by name.
///
/// # Errors
/// [`GenerateError`] when the model labels no cells, too many genes are missing (named), or the counts cannot be read.
pub fn classify(
    trained: &Trained,
    dataset: &Dataset,
    taken: &mut Taken,
    matching: Matching<'_>,
    progress: &dyn Progress,
) -> Result<Classified, GenerateError> {
    let description = &trained.description;
    let model = match &trained.maker {
        Maker::Network(model) => model.as_classify(),
        Maker::Simple(_) => None,
    };
    let Some(model) = model else {
        let kind = &description.kind;
        return Err(GenerateError::usage(format!(
            "a model of kind {kind} labels no cells; train one that does: scx train actinn"
        )));
    };
    let Matching { most_missing, gene_column, memory, scratch } = matching;
    let modelled = description.modelled();
    let (_, var) = taken.of(dataset)?;
    let names =
        GeneNames::find(&var, &modelled, gene_column).map_err(|e| GenerateError::usage(e.to_string()))?;
    let at = names.places();
    let mut to = vec![None; var.len()];
    let mut missing = Vec::new();
    for (gene, name) in modelled.iter().enumerate() {
        match at.get(name.as_str()) {
            Some(&column) => to[column] = Some(gene as u32),
            None => missing.push(name.clone()),
        }
    }
    if missing.len() == modelled.len() || missing.len() as f64 > most_missing * modelled.len() as f64 {
        return Err(too_many(&missing, modelled.len(), &taken.place, most_missing));
    }
    let all = counts::read(dataset, taken, memory, scratch)?;
    let mut counts = CountsBuilder::new(modelled.len(), memory / 2, scratch);
    for cell in 0..all.n_cells() {
        let (genes, values) = all.cell(cell);
        let known = genes.iter().zip(values).filter_map(|(&g, &v)| Some((to[g as usize]?, v)));
        let mut known: Vec<(u32, u32)> = known.collect();
        known.sort_unstable_by_key(|k| k.0);
        counts.push(known)?;
    }
    drop(all);
    let counts = counts.done()?;
    let n = counts.n_cells();
    // The source wants labels; these say nothing.
    let none = vec![0; n];
    let source = LabelledCells::new(&counts, &none, (0..n).collect())?;
    let (mut codes, mut scores) = (Vec::with_capacity(n), Vec::with_capacity(n));
    progress.start("labelling cells", n as u64);
    let order: Vec<usize> = (0..n).collect();
    for cells in order.chunks(ROWS) {
        let batch = source.batch(cells, &Device::Cpu)?;
        let probabilities = model.probabilities(batch.counts()?)?;
        if probabilities.ncols() != description.labels.len() {
            return Err(GenerateError::input(format!(
                "the model knows {} labels, and its description names {}; it is damaged",
                probabilities.ncols(),
                description.labels.len()
            )));
        }
        for row in probabilities.rows() {
            // The first of equals.
            let best = row
                .iter()
                .enumerate()
                .fold((0, f32::NEG_INFINITY), |best, (k, &p)| if p > best.1 { (k, p) } else { best });
            codes.push(best.0 as u32);
            scores.push(best.1);
        }
        progress.advance(codes.len() as u64, "");
        if progress.cancelled() {
            progress.finish();
            return Err(GenerateError::Cancelled);
        }
    }
    progress.finish();
    if let Some(cell) = scores.iter().position(|p| !p.is_finite()) {
        return Err(
            ZooError::Config { what: format!("the model gives no probability for cell {cell}") }.into()
        );
    }
    let labels = description.labels.clone();
    // Clusters divided by another column are text, whatever they were.
    let kind = if description.by.is_some() { ValueKind::default() } else { description.label_kind };
    Ok(Classified { labels, kind, codes, scores, missing, genes: modelled.len(), names })
}

/// Too many of the model's genes are missing; the share that would do is named, when there is one.
fn too_many(missing: &[String], of: usize, place: &Place, most_missing: f64) -> GenerateError {
    let (n, names) = (missing.len(), first(missing));
    let lead = format!("{n} of the {of} genes the model was trained on are not in {place} ({names})");
    if n == of {
        return GenerateError::input(format!(
            "{lead}; name the column of var with the names the model knows (--gene-column), or take a file whose genes have \
             names of the same kind (symbols or ids)"
        ));
    }
    let enough = (100.0 * n as f64 / of as f64).ceil() / 100.0;
    GenerateError::input(format!(
        "{lead}, more than {:.0} %; take a file with the same gene names, or count them as zero with --max-missing {enough}",
        100.0 * most_missing
    ))
}

/// The first few names.
pub fn first(names: &[String]) -> String {
    let some = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > NAMED { format!("{some}, …") } else { some }
}
