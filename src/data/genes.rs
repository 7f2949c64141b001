//! Genes of one file found in another by name: the names of its table, or a column that holds the names the other uses.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::{Column, Frame, Index};

/// A column that was asked for and is not there.
#[derive(Debug, thiserror::Error)]
#[error("--gene-column {name}: there is no var[\"{name}\"]; columns with text: {there}")]
pub struct NoGeneColumn {
    name: String,
    there: String,
}

/// By which names the genes of a file were matched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GeneNames {
    /// Column of var with the names; `None` for the names of the table itself.
    pub column: Option<String>,
    /// Whether versions of Ensembl identifiers (the 5 of ENSG00000141510.5) were left aside.
    pub without_versions: bool,
    /// How many of the genes that are wanted were found.
    pub found: usize,
    /// Genes that are wanted and stand in the file more than once; the first of each counts.
    pub repeated: Vec<String>,
    /// The name of each gene of the file, as the other side spells it where it knows it.
    #[serde(skip)]
    pub names: Vec<String>,
}

impl GeneNames {
    /// The names by which most of `wanted` are found in a file with genes `var`. The names of the table are taken unless
    /// fewer than half of what could be found is, and a column (or leaving Ensembl versions aside) finds that half and
    /// more than twice as many; `asked` takes that column in any case. Nothing is ever matched by position.
    ///
    /// # Errors
    /// [`NoGeneColumn`] when `asked` is no column with text.
    pub fn find(var: &Frame, wanted: &[String], asked: Option<&str>) -> Result<Self, NoGeneColumn> {
        let known: HashSet<&str> = wanted.iter().map(String::as_str).collect();
        if let Some(asked) = asked {
            let names = named(var, asked)?;
            let plain = Self::of(names.clone(), Some(asked), &known);
            return Ok(best(plain, Self::unversioned(names, Some(asked), wanted)));
        }
        let own: Vec<String> = var.index.iter().map(|n| n.into_owned()).collect();
        let index = Self::of(own.clone(), None, &known);
        let half = known.len().min(var.len()).div_ceil(2);
        if index.found >= half.max(1) || matches!(var.index, Index::Range(_)) && text_columns(var).is_empty()
        {
            return Ok(index);
        }
        let mut all = vec![Self::unversioned(own, None, wanted)];
        for name in text_columns(var) {
            let names = named(var, name)?;
            all.push(Self::of(names.clone(), Some(name), &known));
            all.push(Self::unversioned(names, Some(name), wanted));
        }
        let found =
            all.into_iter().reduce(best).filter(|b| b.found >= half.max(1) && b.found > 2 * index.found);
        Ok(found.unwrap_or(index))
    }

    /// Where each of `wanted` lies in the file: the first gene of that name.
    pub fn places(&self) -> HashMap<&str, usize> {
        let mut at = HashMap::new();
        for (i, name) in self.names.iter().enumerate() {
            at.entry(name.as_str()).or_insert(i);
        }
        at
    }

    /// In words, when there is something to say.
    pub fn words(&self) -> Option<String> {
        let mut text = match (&self.column, self.without_versions) {
            (None, false) if self.repeated.is_empty() => return None,
            (None, false) => String::new(),
            (None, true) => "genes are matched by name, Ensembl versions left aside".into(),
            (Some(c), false) => format!("genes are matched by var[\"{c}\"]"),
            (Some(c), true) => format!("genes are matched by var[\"{c}\"], Ensembl versions left aside"),
        };
        if !text.is_empty() {
            text.push_str(&format!(" ({} found)", self.found));
        }
        if !self.repeated.is_empty() {
            let some: Vec<&str> = self.repeated.iter().take(3).map(String::as_str).collect();
            let more = if self.repeated.len() > 3 { ", …" } else { "" };
            let also = if text.is_empty() { "" } else { "; " };
            let n = self.repeated.len();
            text.push_str(&format!(
                "{also}{n} names stand for more than one gene ({}{more}); the first of each counts",
                some.join(", ")
            ));
        }
        Some(text)
    }

    fn of(names: Vec<String>, column: Option<&str>, known: &HashSet<&str>) -> Self {
        let (mut seen, mut repeated) = (HashSet::new(), Vec::new());
        let mut again = HashSet::new();
        for name in names.iter().filter(|n| known.contains(n.as_str())) {
            if !seen.insert(name.as_str()) && again.insert(name.as_str()) {
                repeated.push(name.clone());
            }
        }
        let found = seen.len();
        Self { column: column.map(str::to_owned), without_versions: false, found, repeated, names }
    }

    fn unversioned(names: Vec<String>, column: Option<&str>, wanted: &[String]) -> Self {
        let mut spelled: HashMap<&str, &String> = HashMap::new();
        wanted.iter().for_each(|w| {
            spelled.entry(bare(w)).or_insert(w);
        });
        let names = names.into_iter().map(|n| spelled.get(bare(&n)).map_or(n, |w| (*w).clone())).collect();
        let known = wanted.iter().map(String::as_str).collect();
        Self { without_versions: true, ..Self::of(names, column, &known) }
    }
}

/// The one that finds more; the first of equals.
fn best(a: GeneNames, b: GeneNames) -> GeneNames {
    if b.found > a.found { b } else { a }
}

/// An Ensembl identifier without its version; any other name as it is.
fn bare(name: &str) -> &str {
    match name.split_once('.') {
        Some((id, version))
            if id.starts_with("ENS")
                && id.len() > 11
                && id.bytes().rev().take(11).all(|b| b.is_ascii_digit())
                && !version.is_empty()
                && version.bytes().all(|b| b.is_ascii_digit()) =>
        {
            id
        }
        _ => name,
    }
}

/// Columns that may hold names.
fn text_columns(var: &Frame) -> Vec<&str> {
    let text = |c: &Column| match c {
        Column::Strings(_) | Column::NullableStrings(_) => true,
        Column::Categorical(c) => matches!(c.categories, super::Categories::Strings(_)),
        _ => false,
    };
    var.columns.iter().filter(|(_, c)| text(c)).map(|(n, _)| n.as_str()).collect()
}

/// The texts of a column; missing ones are empty.
fn named(var: &Frame, name: &str) -> Result<Vec<String>, NoGeneColumn> {
    let there = text_columns(var);
    match var.column(name).filter(|_| there.contains(&name)) {
        Some(column) => {
            let text = |i| column.text(i).map_or_else(String::new, |t| t.into_owned());
            Ok((0..var.len()).map(text).collect())
        }
        None => {
            let there = if there.is_empty() { "none".into() } else { there.join(", ") };
            Err(NoGeneColumn { name: name.into(), there })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(all: &[&str]) -> Vec<String> {
        all.iter().map(|s| (*s).to_owned()).collect()
    }

    fn var() -> Frame {
        Frame::new(Index::names(texts(&["TP53", "TBCE", "TBCE", "CD3E"]))).with(
            "gene_ids",
            Column::Strings(texts(&[
                "ENSG00000141510",
                "ENSG00000284770",
                "ENSG00000285053",
                "ENSG00000198851",
            ])),
        )
    }

    #[test]
    fn names_are_taken_where_they_match_and_a_column_where_they_do_not() {
        let own = GeneNames::find(&var(), &texts(&["CD3E", "TBCE", "MS4A1"]), None).unwrap();
        assert_eq!(
            (own.column.as_deref(), own.found, own.repeated.as_slice()),
            (None, 2, &texts(&["TBCE"])[..])
        );
        assert_eq!(own.places()["TBCE"], 1);
        assert!(own.words().unwrap().contains("1 names stand for more than one gene (TBCE)"));
        let ids = texts(&["ENSG00000198851.16", "ENSG00000141510.19", "ENSG00000999999.1"]);
        let by = GeneNames::find(&var(), &ids, None).unwrap();
        assert_eq!((by.column.as_deref(), by.without_versions, by.found), (Some("gene_ids"), true, 2));
        assert_eq!((by.places()["ENSG00000198851.16"], by.places()["ENSG00000141510.19"]), (3, 0));
        let none = GeneNames::find(&var(), &texts(&["a", "b"]), None).unwrap();
        assert_eq!((none.column, none.found), (None, 0));
    }

    #[test]
    fn a_column_that_is_asked_for_is_taken_and_must_be_there() {
        let by = GeneNames::find(&var(), &texts(&["TP53", "CD3E"]), Some("gene_ids")).unwrap();
        assert_eq!((by.column.as_deref(), by.found), (Some("gene_ids"), 0));
        let e = GeneNames::find(&var(), &[], Some("symbol")).unwrap_err().to_string();
        assert!(e.contains("no var[\"symbol\"]") && e.contains("gene_ids"), "{e}");
    }

    #[test]
    fn only_identifiers_of_ensembl_have_versions() {
        assert_eq!(bare("ENSMUSG00000059552.13"), "ENSMUSG00000059552");
        for kept in ["RP11-34P13.7", "AC000001.2", "ENSG00000182378.14_PAR_Y", "ENSG1.2"] {
            assert_eq!(bare(kept), kept);
        }
    }
}
