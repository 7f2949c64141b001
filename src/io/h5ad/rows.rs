//! Tables in obsm and varm have row names of their own, which must be those of the cells or variables: anndata refuses the
//! file otherwise. Some writers store other names, or the same in another order.

use std::collections::HashMap;

use crate::data::{Change, Column, Frame, Index, Take};
use crate::io::error::ReadError;
use crate::io::hdf5::Source;

/// How the row names of a table relate to those it should have.
#[derive(Debug, PartialEq)]
pub(super) enum Names {
    /// They are the same.
    Same,
    /// They are 0, 1, … or 1, 2, …: no names at all.
    Numbered(u64),
    /// They are the same in another order: for each row that it should have, where it lies.
    Shuffled(Vec<usize>),
    /// They are others; says where and what.
    Foreign(String),
}

impl Names {
    /// Compares the row names of a table with those of `axis` (`obs` or `var`), of which there are as many.
    pub(super) fn of(table: &Index, wanted: &Index, axis: &str) -> Self {
        let Some(first) = table.iter().zip(wanted.iter()).position(|(a, b)| a != b) else {
            return Names::Same;
        };
        if let Some(order) = order(table, wanted) {
            return Names::Shuffled(order);
        }
        if let Some(from) = [0, 1].into_iter().find(|from| numbered(table, *from)) {
            return Names::Numbered(from);
        }
        let name = |index: &Index, row: usize| index.get(row).unwrap_or_default().into_owned();
        // A name that is in both lists says less than one that is missing.
        let theirs: std::collections::HashSet<_> = wanted.iter().collect();
        let row = (first..table.len()).find(|i| !theirs.contains(name(table, *i).as_str())).unwrap_or(first);
        let again = if twice(wanted) { ", and some names come more than once" } else { "" };
        Names::Foreign(format!(
            "row {row} is called {:?}, expected {:?} as in {axis}{again}: rows cannot be told apart by their names",
            name(table, row),
            name(wanted, row)
        ))
    }
}

/// For each wanted name where it lies in the table, when both hold the same names and none twice.
fn order(table: &Index, wanted: &Index) -> Option<Vec<usize>> {
    let mut at: HashMap<String, usize> = HashMap::with_capacity(table.len());
    for (row, name) in table.iter().enumerate() {
        if at.insert(name.into_owned(), row).is_some() {
            return None;
        }
    }
    // Taken out, so that no row serves twice.
    wanted.iter().map(|name| at.remove(name.as_ref())).collect()
}

/// Whether the names are whole numbers that count up from `from`.
fn numbered(table: &Index, from: u64) -> bool {
    // A number may be stored as a fraction.
    let is = |(name, n): (std::borrow::Cow<str>, u64)| {
        name.parse::<u64>() == Ok(n) || name.parse() == Ok(n as f64)
    };
    table.iter().zip(from..).all(is)
}

fn twice(index: &Index) -> bool {
    let mut seen = std::collections::HashSet::with_capacity(index.len());
    !index.iter().all(|name| seen.insert(name.into_owned()))
}

/// What to do about a table with names of other rows.
pub(super) fn advice(place: &str) -> String {
    format!("give it the right names, or take it out (in Python: del h5py.File(FILE, \"r+\")[{place:?}])")
}

/// A table with its rows in the order of the names it should have, and under these names. `element` is what a report calls
/// it (`obsm["t"]`), `place` where it lies in the file.
///
/// # Errors
/// [`ReadError::Malformed`] with the first name that is not one of those.
pub(super) fn in_order(
    source: &Source,
    (element, place): (&str, &str),
    table: Frame,
    (wanted, axis): (&Index, &str),
    changes: &mut Vec<Change>,
) -> Result<Frame, ReadError> {
    let (table, what) = match Names::of(&table.index, wanted, axis) {
        Names::Same => return Ok(table),
        Names::Foreign(what) => return Err(source.malformed(place, format!("{what}; {}", advice(place)))),
        Names::Numbered(from) => {
            let last = from + table.len().saturating_sub(1) as u64;
            (table, format!("its rows were named {from} to {last}, and get the names of {axis}"))
        }
        Names::Shuffled(order) => {
            let take = Take::entries(table.len(), &order);
            let taken = take.and_then(|take| table.take(&take));
            let taken = taken.map_err(|e| source.malformed(place, e.to_string()))?;
            let lost = table.columns.iter().filter(|(_, c)| matches!(c, Column::Opaque { .. }));
            changes.extend(lost.map(|(name, c)| {
                Change::left(format!("{element}[{name:?}]"), format!("{}, and rows change places", c.kind()))
            }));
            (taken, format!("its rows are put into the order of {axis}"))
        }
    };
    changes.push(Change::harmless(element, what).at(place));
    let values = wanted.iter().map(|name| name.into_owned()).collect();
    let name = match &table.index {
        Index::Names { name, .. } => name.clone(),
        Index::Range(_) => "_index".into(),
    };
    Ok(Frame { index: Index::Names { name, values }, columns: table.columns })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(names: &[&str]) -> Index {
        Index::names(names.iter().map(|s| (*s).to_owned()).collect())
    }

    fn of(table: &[&str], wanted: &[&str]) -> Names {
        Names::of(&index(table), &index(wanted), "obs")
    }

    #[test]
    fn names_in_another_order_go_before_numbers_and_numbers_before_foreign_names() {
        assert_eq!(of(&["a", "b"], &["a", "b"]), Names::Same);
        assert_eq!(of(&["b", "c", "a"], &["a", "b", "c"]), Names::Shuffled(vec![2, 0, 1]));
        // Cells may be called by numbers themselves.
        assert_eq!(of(&["0", "1", "2"], &["2", "0", "1"]), Names::Shuffled(vec![2, 0, 1]));
        assert_eq!(of(&["1", "2"], &["a", "b"]), Names::Numbered(1));
        assert_eq!(of(&["0.0", "1.0"], &["a", "b"]), Names::Numbered(0));
        assert!(matches!(of(&["2", "1"], &["a", "b"]), Names::Foreign(_)));
    }

    #[test]
    fn the_first_foreign_name_is_told_and_names_that_come_twice_are_never_guessed_at() {
        let Names::Foreign(what) = of(&["b", "x", "a"], &["a", "b", "c"]) else { panic!() };
        assert!(what.starts_with("row 1 is called \"x\", expected \"b\" as in obs"), "{what}");
        // The same names, but nobody knows which of the two is which.
        assert_eq!(of(&["a", "a", "b"], &["a", "a", "b"]), Names::Same);
        let Names::Foreign(what) = of(&["a", "b", "a"], &["a", "a", "b"]) else { panic!() };
        assert!(what.contains("come more than once"), "{what}");
        let Names::Foreign(_) = of(&["a", "b", "b"], &["a", "a", "b"]) else { panic!() };
    }
}
