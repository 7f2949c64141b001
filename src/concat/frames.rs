//! Tables: of cells one below the other, of variables laid over one another.

use std::collections::HashSet;

use super::names::{Genes, NOWHERE, index_name};
use super::{Changes, ConcatError, Join, Piece, columns};
use crate::data::synthetic::{COLUMN, MODEL, flags, marks as made};
use crate::data::{Categorical, Categories, Column, Frame, Index, Values};

/// Tables one below the other. Columns: those in all tables, or all of them with missing entries.
pub(super) fn below(
    frames: &[&Frame],
    index: Index,
    join: Join,
    element: &str,
    changes: &mut Changes,
) -> Frame {
    let mut out = Frame::new(index);
    let mut marks = if element == "obs" { marks(frames) } else { None };
    let marked = marks.is_some();
    let mut seen = HashSet::new();
    for (name, _) in frames.iter().flat_map(|f| &f.columns) {
        if !seen.insert(name) {
            continue;
        }
        if name == COLUMN
            && let Some(column) = marks.take()
        {
            out.columns.push((name.clone(), column));
            continue;
        }
        let of: Vec<_> = frames.iter().map(|f| (f.column(name), f.len())).collect();
        let lacking = of.iter().filter(|(c, _)| c.is_none()).count();
        let place = format!("{element}[{name:?}]");
        // The model of made cells stays with their mark.
        if lacking > 0 && join == Join::Inner && !(marked && name == MODEL) {
            changes.left(place, format!("not in {lacking} of {} files", frames.len()));
            continue;
        }
        let made = columns::below(&of);
        if let Some(note) = made.note {
            changes.note(place, note, made.column.is_some());
        }
        out.columns.extend(made.column.map(|c| (name.clone(), c)));
    }
    out.columns.extend(marks.map(|c| (COLUMN.to_owned(), c)));
    out
}

/// The marks of cells that scx has made, where a table has some: cells of tables without them are real. `None` where there
/// is none, or the column is not scx's.
fn marks(frames: &[&Frame]) -> Option<Column> {
    let own = || frames.iter().filter_map(|f| f.column(COLUMN));
    if own().any(|c| flags(c).is_none())
        || (own().next().is_none() && frames.iter().all(|f| made(f).is_none()))
    {
        return None;
    }
    let all = frames.iter().flat_map(|f| made(f).unwrap_or_else(|| vec![false; f.len()]));
    Some(Column::Numbers(Values::Bool(all.collect())))
}

/// Adds the column that tells the file of each cell.
pub(super) fn add_batch(obs: &mut Frame, pieces: &[Piece], key: &str) -> Result<(), ConcatError> {
    if let Some(piece) = pieces.iter().find(|p| p.dataset.obs.column(key).is_some()) {
        let what = format!(
            "{}: obs has a column {key} already; give the new column another name with --batch-key",
            piece.file
        );
        return Err(ConcatError::Usage { what });
    }
    let codes = pieces
        .iter()
        .enumerate()
        .flat_map(|(i, p)| std::iter::repeat_n(i32::try_from(i).unwrap_or(-1), p.dataset.n_obs()))
        .collect();
    let categories = Categories::Strings(pieces.iter().map(|p| p.batch.clone()).collect());
    obs.columns
        .push((key.to_owned(), Column::Categorical(Categorical { codes, categories, ordered: false })));
    Ok(())
}

/// One table for the variables of the result: columns that all files have and on which they agree wherever they share a
/// variable.
pub(super) fn beside(frames: &[&Frame], genes: &Genes, element: &str, changes: &mut Changes) -> Frame {
    let index = if genes.numbered {
        Index::Range(genes.names.len())
    } else {
        Index::Names { name: index_name(frames.iter().copied()), values: genes.names.iter().collect() }
    };
    let mut out = Frame::new(index);
    // For each file the row of each variable of the result; then the first file that has it.
    let rows: Vec<Vec<Option<usize>>> = frames
        .iter()
        .zip(&genes.maps)
        .map(|(f, map)| inverse(map.as_deref(), f.len(), genes.names.len()))
        .collect();
    let starts: Vec<usize> = frames
        .iter()
        .scan(0, |at, f| {
            let start = *at;
            *at += f.len();
            Some(start)
        })
        .collect();
    let source: Vec<usize> = (0..genes.names.len())
        .map(|g| {
            let found =
                rows.iter().zip(&starts).find_map(|(r, start)| Some(start + r.get(g).copied().flatten()?));
            found.unwrap_or(usize::MAX)
        })
        .collect();
    let mut seen = HashSet::new();
    for (name, _) in frames.iter().flat_map(|f| &f.columns) {
        if !seen.insert(name) {
            continue;
        }
        let place = format!("{element}[{name:?}]");
        let of: Vec<Option<&Column>> = frames.iter().map(|f| f.column(name)).collect();
        let lacking = of.iter().filter(|c| c.is_none()).count();
        if lacking > 0 {
            changes.left(place, format!("not in {lacking} of {} files", frames.len()));
            continue;
        }
        let all: Vec<&Column> = of.into_iter().flatten().collect();
        if let Some(gene) = disagreement(&all, &rows, genes.names.len()) {
            let name = genes.names.get(gene).map_or("", String::as_str);
            changes.left(place, format!("files differ, first at {name}"));
            continue;
        }
        let first_has_all =
            genes.names.is_empty() || source.iter().all(|&s| s < frames.first().map_or(0, |f| f.len()));
        let made = match all.first() {
            // Its own categories and type stay when the first file tells everything.
            Some(first) if first_has_all && !matches!(first, Column::Opaque { .. }) => Some((*first).clone()),
            _ => {
                let parts: Vec<_> = all.iter().map(|c| (Some(*c), c.len())).collect();
                let made = columns::below(&parts);
                if let Some(note) = made.note {
                    changes.note(place, note, made.column.is_some());
                }
                made.column
            }
        };
        out.columns.extend(made.map(|c| (name.clone(), columns::take(&c, &source))));
    }
    out
}

/// The row of each variable of the result, `None` where the file does not have it.
fn inverse(map: Option<&[u32]>, own: usize, n: usize) -> Vec<Option<usize>> {
    let Some(map) = map else { return (0..own.min(n)).map(Some).collect() };
    let mut out = vec![None; n];
    for (row, &to) in map.iter().enumerate().filter(|(_, to)| **to != NOWHERE) {
        if let Some(slot) = out.get_mut(to as usize) {
            *slot = Some(row);
        }
    }
    out
}

/// The first variable two files have different values for.
fn disagreement(all: &[&Column], rows: &[Vec<Option<usize>>], n: usize) -> Option<usize> {
    (0..n).find(|&g| {
        let mut values = all.iter().zip(rows).filter_map(|(c, r)| Some(c.text(r.get(g).copied().flatten()?)));
        values.next().is_some_and(|first| values.any(|other| other != first))
    })
}
