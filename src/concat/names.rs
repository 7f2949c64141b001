//! Names: which variables the result has, and what its cells are called.

use std::collections::{HashMap, HashSet};

use super::{Changes, ConcatError, Join, OnDuplicate, Piece};
use crate::data::{Dataset, Frame, Index, Names};

/// A variable of a file that the result does not have.
pub(super) const NOWHERE: u32 = u32::MAX;

/// The variables of the result, and where those of each file are in it.
#[derive(Debug)]
pub(super) struct Genes {
    /// Their names.
    pub(super) names: Vec<String>,
    /// Their names are positions only.
    pub(super) numbered: bool,
    /// For each file: the place of each of its variables in the result, [`NOWHERE`] if it has none; `None` when they
    /// are the same in the same order.
    pub(super) maps: Vec<Option<Vec<u32>>>,
}

impl Genes {
    /// `n` columns that are the same in all of so many files.
    pub(super) fn identity(n: usize, files: usize) -> Self {
        Self { names: vec![String::new(); n], numbered: true, maps: vec![None; files] }
    }

    /// Lists the variables of the files that the result does not have.
    pub(super) fn tell(
        &self,
        pieces: &[Piece],
        var: impl Fn(&Dataset) -> Option<&Frame>,
        element: &str,
        changes: &mut Changes,
    ) {
        let mut seen = HashSet::new();
        let mut first = Vec::new();
        for (map, piece) in self.maps.iter().zip(pieces) {
            let (Some(map), Some(frame)) = (map, var(&piece.dataset)) else { continue };
            for (name, _) in frame.index.iter().zip(map).filter(|(_, at)| **at == NOWHERE) {
                if seen.insert(name.clone().into_owned()) && first.len() < 5 {
                    first.push(name.into_owned());
                }
            }
        }
        if !first.is_empty() {
            let some: Vec<&str> = first.iter().map(String::as_str).collect();
            let of = seen.len() + self.names.len();
            let what = format!(
                "{} of {of} variables left behind, not in all files: {} (--join outer keeps them)",
                seen.len(),
                list(&some, seen.len())
            );
            changes.lossy(element, what);
        }
    }
}

/// Joins the variables of all files; `var` picks the table.
pub(super) fn join(
    pieces: &[Piece],
    var: impl Fn(&Dataset) -> Option<&Frame>,
    join: Join,
) -> Result<Genes, ConcatError> {
    let all: Vec<Vec<String>> = pieces
        .iter()
        .map(|p| {
            var(&p.dataset).map(|f| f.index.iter().map(|n| n.into_owned()).collect()).unwrap_or_default()
        })
        .collect();
    let numbered = pieces.iter().all(|p| var(&p.dataset).is_some_and(|f| matches!(f.index, Index::Range(_))));
    let Some((first, rest)) = all.split_first() else {
        return Err(ConcatError::Usage { what: "there is nothing to concatenate".into() });
    };
    if rest.iter().all(|names| names == first) {
        return Ok(Genes { names: first.clone(), numbered, maps: vec![None; all.len()] });
    }
    for (piece, names) in pieces.iter().zip(&all) {
        unique(&piece.file, names)?;
    }
    let names = match join {
        Join::Inner => {
            let sets: Vec<HashSet<&String>> = rest.iter().map(|n| n.iter().collect()).collect();
            first.iter().filter(|n| sets.iter().all(|s| s.contains(n))).cloned().collect()
        }
        Join::Outer => {
            let mut seen = HashSet::new();
            all.iter().flatten().filter(|n| seen.insert(*n)).cloned().collect::<Vec<String>>()
        }
    };
    let places: HashMap<&str, u32> =
        names.iter().enumerate().map(|(i, n)| (n.as_str(), u32::try_from(i).unwrap_or(NOWHERE))).collect();
    let maps = all
        .iter()
        .map(|own| {
            let map = || own.iter().map(|n| places.get(n.as_str()).copied().unwrap_or(NOWHERE)).collect();
            (*own != names).then(map)
        })
        .collect();
    Ok(Genes { names, numbered, maps })
}

/// Names that repeat cannot be matched with those of other files.
fn unique(file: &str, names: &[String]) -> Result<(), ConcatError> {
    let (repeated, count) = repeats(names.iter().map(String::as_str));
    if repeated.is_empty() {
        return Ok(());
    }
    let what = format!(
        "{file}: {count} names of variables repeat ({}) and cannot be matched with those of the other files; make them \
         unique first",
        list(&repeated, count)
    );
    Err(ConcatError::Usage { what })
}

/// The first five names that come more than once, and how many such names there are.
fn repeats<'a>(names: impl Iterator<Item = &'a str>) -> (Vec<&'a str>, usize) {
    let (mut seen, mut twice) = (HashSet::new(), HashSet::new());
    let mut first = Vec::new();
    for name in names {
        if !seen.insert(name) && twice.insert(name) && first.len() < 5 {
            first.push(name);
        }
    }
    (first, twice.len())
}

fn list(some: &[&str], count: usize) -> String {
    let more = if count > some.len() { ", …" } else { "" };
    format!("{}{more}", some.join(", "))
}

/// Names of all cells. Cells that are only numbered are numbered through.
pub(super) fn cells(pieces: &[Piece], on_duplicate: OnDuplicate) -> Result<Index, ConcatError> {
    let total = pieces.iter().map(|p| p.dataset.n_obs()).sum();
    if pieces.iter().all(|p| matches!(p.dataset.obs.index, Index::Range(_))) {
        return Ok(Index::Range(total));
    }
    let named = |change: &dyn Fn(usize, &Piece, &str) -> String| -> Names {
        let mut all = Names::default();
        for (i, piece) in pieces.iter().enumerate() {
            let start = all.len();
            match &piece.dataset.obs.index {
                Index::Names { values: own, .. } => all.extend(own.iter().map(|n| change(i, piece, n))),
                Index::Range(n) => {
                    all.extend((start..start + n).map(|row| change(i, piece, &row.to_string())));
                }
            }
        }
        all
    };
    let mut values = named(&|_, _, name| name.to_owned());
    let (repeated, count) = repeats(values.iter());
    if count > 0 {
        if on_duplicate == OnDuplicate::Error {
            let what = format!(
                "{count} names of cells repeat ({}); add --on-duplicate suffix (-0, -1, … behind all names) or \
                 --on-duplicate prefix (the batch before them)",
                list(&repeated, count)
            );
            return Err(ConcatError::Usage { what });
        }
        values = named(&|i, piece, name| match on_duplicate {
            OnDuplicate::Prefix => format!("{}_{name}", piece.batch),
            _ => format!("{name}-{i}"),
        });
        let (repeated, count) = repeats(values.iter());
        if count > 0 {
            let what = format!(
                "{count} names of cells repeat within one file ({}); make them unique there first",
                list(&repeated, count)
            );
            return Err(ConcatError::Usage { what });
        }
    }
    Ok(Index::Names { name: index_name(pieces.iter().map(|p| &p.dataset.obs)), values })
}

/// What the tables call their index, when they agree.
pub(super) fn index_name<'a>(frames: impl Iterator<Item = &'a Frame>) -> String {
    let names: HashSet<&str> = frames
        .filter_map(|f| if let Index::Names { name, .. } = &f.index { Some(name.as_str()) } else { None })
        .collect();
    match names.into_iter().collect::<Vec<_>>()[..] {
        [one] => one.to_owned(),
        _ => "_index".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(batch: &str, cells: &[&str], genes: &[&str]) -> Piece {
        let names = |n: &[&str]| Frame::new(Index::names(n.iter().map(|s| (*s).to_owned()).collect()));
        Piece {
            batch: batch.into(),
            file: format!("{batch}.h5ad"),
            dataset: Dataset::new(names(cells), names(genes)),
        }
    }

    #[test]
    fn inner_keeps_the_order_of_the_first_and_outer_that_of_first_appearance() {
        let pieces = [piece("a", &[], &["z", "b", "c"]), piece("b", &[], &["c", "x", "z"])];
        let inner = join(&pieces, |d| Some(&d.var), Join::Inner).unwrap();
        assert_eq!(inner.names, ["z", "c"]);
        assert_eq!(inner.maps, [Some(vec![0, NOWHERE, 1]), Some(vec![1, NOWHERE, 0])]);
        let outer = join(&pieces, |d| Some(&d.var), Join::Outer).unwrap();
        assert_eq!(outer.names, ["z", "b", "c", "x"]);
        assert_eq!(outer.maps[1], Some(vec![2, 3, 0]));
    }

    #[test]
    fn names_of_cells_that_repeat_are_refused_or_made_unique_everywhere() {
        let pieces = [piece("a", &["c1", "c2"], &[]), piece("b", &["c1"], &[])];
        let e = cells(&pieces, OnDuplicate::Error).unwrap_err().to_string();
        assert!(e.contains("1 names of cells repeat (c1)") && e.contains("--on-duplicate suffix"), "{e}");
        let names = |how| cells(&pieces, how).unwrap().iter().map(|n| n.into_owned()).collect::<Vec<_>>();
        assert_eq!(names(OnDuplicate::Suffix), ["c1-0", "c2-0", "c1-1"]);
        assert_eq!(names(OnDuplicate::Prefix), ["a_c1", "a_c2", "b_c1"]);
        let within = [piece("a", &["c1", "c1"], &[]), piece("b", &["c3"], &[])];
        let e = cells(&within, OnDuplicate::Suffix).unwrap_err().to_string();
        assert!(e.contains("within one file"), "{e}");
    }

    #[test]
    fn repeated_genes_are_refused_only_where_they_must_be_matched() {
        let same = [piece("a", &[], &["g", "g"]), piece("b", &[], &["g", "g"])];
        assert!(join(&same, |d| Some(&d.var), Join::Inner).is_ok());
        let other = [piece("a", &[], &["g", "g"]), piece("b", &[], &["g"])];
        let e = join(&other, |d| Some(&d.var), Join::Inner).unwrap_err().to_string();
        assert!(e.contains("a.h5ad") && e.contains("(g)"), "{e}");
    }
}
