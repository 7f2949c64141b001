//! New cells from a trained generator, chunk by chunk.

use std::path::Path;

use rayon::prelude::*;

use super::GenerateError;
use super::trained::{Maker, Trained};
use crate::data::counts::CountRows;
use crate::data::{Counts, CountsBuilder};
use crate::progress::Progress;
use crate::rng::Seed;
use crate::zoo::{Gives, entry};

/// Cells of one label, or of the whole population where the model cannot be asked for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// The label, as a position in the labels of the model.
    pub label: Option<u32>,
    /// Whether the model's own classifier, where it has one, must confirm it.
    pub confirmed: bool,
    /// How many.
    pub n: usize,
}

/// Cells that were made.
#[derive(Debug, Clone)]
pub struct Synthetic {
    /// Their counts, cells × all genes of the place the model learnt from.
    pub(super) counts: CountRows,
    /// Their labels, where they are known.
    pub labels: Vec<Option<u32>>,
    /// For each request: the label, cells made, tries.
    pub acceptance: Vec<(Option<u32>, usize, u64)>,
    /// Sum of each cell.
    pub totals: Vec<u64>,
    /// Genes above zero of each cell.
    pub n_genes: Vec<u32>,
    /// The largest count.
    pub largest: u32,
}

/// Cells made at once; fixed, because each chunk has random numbers of its own.
const CHUNK: usize = 256;

/// Chunks under way at a time.
const SIDE_BY_SIDE: usize = 8;

impl Synthetic {
    /// Number of cells.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The counts of all cells, over the genes `kept` alone.
    ///
    /// # Errors
    /// [`GenerateError::Data`] when they cannot be read back.
    pub fn modelled(&self, kept: &[usize]) -> Result<Counts, GenerateError> {
        let all: Vec<usize> = (0..self.len()).collect();
        Ok(self.counts.counts(&all)?.select_genes(kept))
    }

    /// The counts of some cells.
    ///
    /// # Errors
    /// [`GenerateError::Data`] when they cannot be read back.
    pub fn cells(&self, cells: &[usize]) -> Result<Counts, GenerateError> {
        Ok(self.counts.counts(cells)?)
    }
}

impl Trained {
    /// Whether the model can be asked for a label.
    pub fn takes_labels(&self) -> bool {
        match entry(&self.description.kind).and_then(|e| e.counted) {
            Some(counted) => counted.gives == Gives::CellsOfALabel,
            None => matches!(&self.maker, Maker::Simple(simple) if simple.takes_labels()),
        }
    }

    /// Cells of a request that are made at once.
    fn chunk_size(&self, n: usize) -> usize {
        match &self.maker {
            Maker::Simple(simple) if simple.at_once() => n.max(1),
            _ => CHUNK,
        }
    }

    /// What to ask for to get a population in these parts: each label by itself where it can be drawn, else all
    /// together, as they come.
    pub fn population(&self, parts: &[(u32, usize)]) -> Vec<Request> {
        let drawn = match &self.maker {
            Maker::Simple(simple) => simple.takes_labels(),
            Maker::Network(model) => {
                self.takes_labels() && model.as_generate().is_some_and(|g| g.draws_labels())
            }
        };
        if drawn {
            return parts.iter().map(|&(l, n)| Request { label: Some(l), confirmed: false, n }).collect();
        }
        vec![Request { label: None, confirmed: false, n: parts.iter().map(|p| p.1).sum() }]
    }

    /// Makes one chunk: counts of the modelled genes, labels, tries.
    fn chunk(
        &self,
        Request { label, confirmed, .. }: &Request,
        n: usize,
        stream: &mut crate::rng::Stream,
    ) -> Result<(Counts, Vec<Option<u32>>, u64), GenerateError> {
        let label = *label;
        match &self.maker {
            Maker::Simple(simple) => {
                let (counts, labels) = simple.cells(label, n, stream)?;
                Ok((counts, labels, n as u64))
            }
            Maker::Network(model) => {
                let generate = model.as_generate().ok_or_else(|| {
                    let kind = &self.description.kind;
                    GenerateError::usage(format!("a model of kind {kind} labels cells and makes none"))
                })?;
                let made = match label {
                    Some(label) if *confirmed => generate.confirmed(label, n, stream)?,
                    label => generate.cells(label, n, stream)?,
                };
                let n = made.len();
                let labels = match made.labels {
                    Some(labels) => labels.into_iter().map(Some).collect(),
                    None => vec![label; n],
                };
                let sizes: Vec<f64> = self.description.sizes.iter().map(|&s| s as f64).collect();
                let law = &self.description.library;
                let counts = made.cells.into_counts(stream, |cell, stream| {
                    let of = labels.get(cell).copied().flatten();
                    let of = of.unwrap_or_else(|| stream.weighted(&sizes) as u32);
                    law.draw(of, stream)
                });
                Ok((counts, labels, made.tried))
            }
        }
    }
}

/// How many of `n` cells each label gets: its share of the training cells, or the given one; the largest remainders
/// round up.
pub fn proportions(sizes: &[usize], given: &[(u32, f64)], n: usize) -> Vec<(u32, usize)> {
    let shares: Vec<(u32, f64)> = if given.is_empty() {
        sizes.iter().enumerate().map(|(i, &s)| (i as u32, s as f64)).collect()
    } else {
        given.to_vec()
    };
    let total: f64 = shares.iter().map(|s| s.1).sum();
    let exact: Vec<f64> = shares.iter().map(|s| s.1 / total.max(f64::MIN_POSITIVE) * n as f64).collect();
    let mut out: Vec<(u32, usize)> =
        shares.iter().zip(&exact).map(|(s, e)| (s.0, e.floor() as usize)).collect();
    let mut order: Vec<usize> = (0..out.len()).collect();
    order.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()).then(a.cmp(&b)));
    let missing = n.saturating_sub(out.iter().map(|o| o.1).sum());
    order.into_iter().take(missing).for_each(|i| out[i].1 += 1);
    out.retain(|o| o.1 > 0);
    out
}

/// Cells that may be made at once: as many as the indices of a file can count.
const MOST_CELLS: usize = u32::MAX as usize;

/// Makes the cells of all requests, which lie in a temporary file in `scratch`. The same seed gives the same cells at any number of threads.
///
/// # Errors
/// [`GenerateError::Exhausted`] when the model cannot make enough of a label; what the model says; a full disk.
pub fn make(
    trained: &Trained,
    requests: &[Request],
    (seed, scratch): (Seed, &Path),
    progress: &dyn Progress,
) -> Result<Synthetic, GenerateError> {
    let all = requests.iter().fold(0usize, |n, r| n.saturating_add(r.n));
    if all > MOST_CELLS {
        return Err(GenerateError::TooLarge {
            what: format!("{all} cells, at most {MOST_CELLS} can be made"),
        });
    }
    let mut taken = Taken::new(trained.description.genes.len(), scratch);
    progress.start("making cells", all as u64);
    let done = requests.iter().try_for_each(|r| taken.fill(trained, r, seed, progress));
    progress.finish();
    done?;
    taken.done()
}

/// Bytes of counts that wait in memory to be written.
const WAITING: u64 = 1 << 20;

/// Cells made so far.
struct Taken {
    rows: CountsBuilder,
    labels: Vec<Option<u32>>,
    acceptance: Vec<(Option<u32>, usize, u64)>,
    totals: Vec<u64>,
    n_genes: Vec<u32>,
    largest: u32,
}

impl Taken {
    fn new(genes: usize, scratch: &Path) -> Self {
        Self {
            rows: CountsBuilder::new(genes, WAITING, scratch),
            labels: Vec::new(),
            acceptance: Vec::new(),
            totals: Vec::new(),
            n_genes: Vec::new(),
            largest: 0,
        }
    }

    /// Makes the cells of one request, some chunks side by side.
    fn fill(
        &mut self,
        trained: &Trained,
        request: &Request,
        seed: Seed,
        progress: &dyn Progress,
    ) -> Result<(), GenerateError> {
        let labels = &trained.description.labels;
        let name = match request.label {
            Some(l) => labels.get(l as usize).cloned().unwrap_or_else(|| l.to_string()),
            None => "all".into(),
        };
        let size = trained.chunk_size(request.n);
        let chunks = request.n.div_ceil(size);
        let (mut have, mut tried) = (0, 0);
        for first in (0..chunks).step_by(SIDE_BY_SIDE) {
            let run = first..(first + SIDE_BY_SIDE).min(chunks);
            let wanted = (run.end * size).min(request.n);
            let made: Vec<_> = run
                .into_par_iter()
                .map(|c| {
                    let mut stream = seed.stream(&format!("generate/{name}/{c}"));
                    trained.chunk(request, size.min(request.n - c * size), &mut stream)
                })
                .collect();
            for chunk in made {
                let (counts, of, tries) = chunk?;
                have += counts.n_cells();
                tried += tries;
                self.push(&counts, of, &trained.description.kept)?;
            }
            if have < wanted {
                return Err(GenerateError::Exhausted { label: name, have, wanted: request.n, tried });
            }
            progress.advance(self.labels.len() as u64, "");
            if progress.cancelled() {
                return Err(GenerateError::Cancelled);
            }
        }
        self.acceptance.push((request.label, have, tried));
        Ok(())
    }

    fn push(
        &mut self,
        counts: &Counts,
        labels: Vec<Option<u32>>,
        kept: &[usize],
    ) -> Result<(), GenerateError> {
        if counts.n_genes() != kept.len() || labels.len() != counts.n_cells() {
            return Err(GenerateError::input(format!(
                "the model makes cells of {} genes, and its description names {}; it is damaged",
                counts.n_genes(),
                kept.len()
            )));
        }
        self.totals.extend(counts.totals());
        for cell in 0..counts.n_cells() {
            let values = counts.cell(cell).1;
            self.n_genes.push(values.len() as u32);
            self.largest = values.iter().copied().fold(self.largest, u32::max);
        }
        self.labels.extend(labels);
        let mut row: Vec<(u32, u32)> = Vec::new();
        for cell in 0..counts.n_cells() {
            let (genes, values) = counts.cell(cell);
            row.clear();
            row.extend(genes.iter().zip(values).map(|(&g, &v)| (kept[g as usize] as u32, v)));
            // A stored model may have its genes in another order than the file.
            row.sort_unstable_by_key(|e| e.0);
            self.rows.push(row.iter().copied())?;
        }
        Ok(())
    }

    fn done(self) -> Result<Synthetic, GenerateError> {
        let Self { rows, labels, acceptance, totals, n_genes, largest } = self;
        Ok(Synthetic { counts: rows.rows()?, labels, acceptance, totals, n_genes, largest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proportions_add_up_and_follow_the_sizes() {
        assert_eq!(proportions(&[60, 30, 10], &[], 25), [(0, 15), (1, 8), (2, 2)]);
        assert_eq!(proportions(&[60, 30, 10], &[(2, 1.0), (0, 1.0)], 3), [(2, 2), (0, 1)]);
        assert_eq!(proportions(&[5, 5], &[(1, 2.0)], 7), [(1, 7)]);
    }
}
