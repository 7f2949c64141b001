//! Reading counts: every value is checked.

use std::path::Path;

use super::find::{at, is_count, source_of};
use super::{Counts, CountsBuilder, CountsError, Rounded, Taken};
use crate::data::{Block, DataError, Dataset};

/// Reads the counts that are taken, cells × taken features: every value is checked, and rounded only where that was asked
/// for; what it changed is noted. Entries stored twice add up. Each count above zero takes 8 bytes; what does not fit into
/// half of `memory` goes to temporary files in `folder`.
///
/// # Errors
/// [`CountsError::Value`] that names cell and gene, or why the matrix cannot be read or kept.
pub fn read(dataset: &Dataset, taken: &mut Taken, memory: u64, folder: &Path) -> Result<Counts, CountsError> {
    let (matrix, var) = taken.of(dataset)?;
    let mut counts = CountsBuilder::new(matrix.shape().1, memory / 2, folder);
    let mut rounded = Rounded::default();
    let mut bad = None;
    let mut row: Vec<(u32, f64)> = Vec::new();
    let walked = matrix.stream(memory, &mut |first, block| {
        for r in 0..block.len() {
            row.clear();
            entries(&block, r, &mut row);
            // Files may hold genes out of order, and a gene twice: the entries then add up.
            if row.windows(2).any(|w| w[0].0 >= w[1].0) {
                row.sort_by_key(|e| e.0);
                row.dedup_by(|b, a| {
                    let same = a.0 == b.0;
                    a.1 += if same { b.1 } else { 0.0 };
                    same
                });
            }
            if let Some(&(gene, value)) = row.iter().find(|e| !is_count(e.1, taken.round)) {
                bad = Some((first + r, gene as usize, value));
                return Err(DataError::Invalid { what: "no count".into() });
            }
            if taken.round {
                row.iter_mut().for_each(|e| e.1 = rounded.take(e.1));
            }
            counts.push(row.iter().map(|&(gene, value)| (gene, value as u32)))?;
        }
        Ok(())
    });
    if let Some((cell, gene, value)) = bad {
        return Err(at(dataset, (&taken.place, &var), (cell, gene, value), source_of(value, true).into()));
    }
    let failed = |source| CountsError::Data { place: taken.place.clone(), source };
    walked.map_err(failed)?;
    let counts = counts.done().map_err(failed)?;
    taken.rounded = taken.round.then_some(rounded);
    Ok(counts)
}

/// The stored values of one row.
fn entries(block: &Block, r: usize, row: &mut Vec<(u32, f64)>) {
    let value = |values: &crate::data::Values, i: usize| values.get(i).unwrap_or(f64::NAN);
    match block {
        Block::Dense(d) => {
            let columns = d.shape().1;
            row.extend((0..columns).map(|g| (g as u32, value(d.values(), r * columns + g))));
        }
        Block::Csr(s) => {
            let (from, to) = (s.indptr()[r] as usize, s.indptr()[r + 1] as usize);
            row.extend((from..to).map(|i| (s.indices()[i], value(s.values(), i))));
        }
    }
}
