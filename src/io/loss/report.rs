//! The report of a conversion: what becomes of each element.

use serde::Serialize;

use super::kind::{ElementKind, UnsKind};
use super::parts::{fates, parts};
use crate::data::{Change, Dataset};
use crate::io::codec::Format;
use crate::io::formats::codec;
use crate::io::options::{Table, Tables, WriteOptions};

/// What becomes of one element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// It is there, unchanged.
    Kept,
    /// It is there under another name, unchanged.
    Renamed {
        /// What the target calls it.
        to: String,
    },
    /// It is there in another form.
    Changed {
        /// The form.
        to: String,
        /// Whether something of it cannot be had back.
        lossy: bool,
    },
    /// It is not in the target.
    Left {
        /// Why.
        why: String,
    },
}

impl Fate {
    /// Whether something is lost.
    pub fn loses(&self) -> bool {
        matches!(self, Fate::Left { .. } | Fate::Changed { lossy: true, .. })
    }

    /// In a few words, for people.
    pub fn words(&self) -> String {
        match self {
            Fate::Kept => "kept".into(),
            Fate::Renamed { to } => format!("renamed: {to}"),
            Fate::Changed { to, .. } => format!("changed: {to}"),
            Fate::Left { why } => format!("left behind: {why}"),
        }
    }
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// The element, as `obs["batch"]` or `layers["counts"]`.
    pub element: String,
    /// What kind of thing it is, in a few words.
    pub kind: String,
    /// Bytes it takes uncompressed.
    pub bytes: u64,
    /// What becomes of it.
    #[serde(flatten)]
    pub fate: Fate,
}

/// What a conversion does to each element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LossReport {
    /// One row for each element, in the order of the file.
    pub rows: Vec<Loss>,
}

impl LossReport {
    /// What writing `dataset` in `format` does to each of its elements.
    pub fn new(dataset: &Dataset, format: Format, options: &WriteOptions) -> Self {
        let rows = fates(dataset, format, options)
            .into_iter()
            .map(|(part, fate)| Loss {
                fate,
                element: part.element(),
                kind: part.words.clone(),
                bytes: part.bytes,
            })
            .chain(unknown(dataset, format))
            .chain(dataset.changes.iter().map(before))
            .collect();
        Self { rows }
    }

    /// What a copy of the file a data set was read from lacks: only what was left behind on the way here.
    pub fn of_copy(dataset: &Dataset) -> Self {
        let kept = parts(dataset).into_iter().map(|part| Loss {
            fate: Fate::Kept,
            element: part.element(),
            kind: part.words.clone(),
            bytes: part.bytes,
        });
        Self { rows: kept.chain(dataset.changes.iter().map(before)).collect() }
    }

    /// The rows in which something is lost.
    pub fn lost(&self) -> impl Iterator<Item = &Loss> {
        self.rows.iter().filter(|r| r.fate.loses())
    }
}

/// Elements of an h5ad file that scx has no name for: only a format that holds what scx does not understand holds them.
fn unknown(dataset: &Dataset, format: Format) -> impl Iterator<Item = Loss> {
    let left = codec(format).entry(ElementKind::Uns(UnsKind::Opaque)).leaves();
    let there = left.then(|| dataset.unknown.keys());
    there.into_iter().flatten().map(|name| Loss {
        element: name.clone(),
        kind: "not understood".into(),
        bytes: 0,
        fate: Fate::Left { why: "scx does not understand it".into() },
    })
}

/// What was left behind or changed before there was anything to write.
fn before(change: &Change) -> Loss {
    let to = change.what.clone();
    let fate = match change.left {
        true => Fate::Left { why: to },
        false => Fate::Changed { to, lossy: change.lost },
    };
    Loss { element: change.element.clone(), kind: String::new(), bytes: 0, fate }
}

/// The tables a CSV or Parquet target holds.
pub fn tables_of(dataset: &Dataset, options: &WriteOptions) -> Tables {
    if options.table_folder { Tables::folder(options.table) } else { Tables::one(table_of(dataset, options)) }
}

/// The table a single CSV or Parquet file holds when nothing was asked for: cells, if anything is known of them.
pub fn table_of(dataset: &Dataset, options: &WriteOptions) -> Table {
    match options.table {
        Some(table) => table,
        None if dataset.obs.columns.is_empty() && dataset.x.is_some() => Table::X,
        None => Table::Obs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Categorical, Categories, Column, Frame, Index, Matrix, Raw, Sparse, Values};
    use crate::io::options::Compat;

    fn cells() -> Dataset {
        let category = Column::Categorical(Categorical {
            codes: vec![0, -1],
            categories: Categories::Strings(vec!["a".into()]),
            ordered: true,
        });
        let obs = Frame::new(Index::names(vec!["c1".into(), "c2".into()]))
            .with("batch", category)
            .with("note", Column::NullableStrings(vec![None, Some("x".into())]));
        let var = Frame::new(Index::names(vec!["g1".into()]))
            .with("gene_ids", Column::Strings(vec!["ENSG1".into()]));
        let x = Sparse::new(crate::data::Layout::Csr, (2, 1), vec![0, 1, 1], vec![0], Values::I32(vec![3]));
        let mut d = Dataset::new(obs, var.clone());
        d.x = Some(Matrix::Sparse(x.unwrap()));
        d.raw = Some(Raw { x: d.x.clone().unwrap(), var, varm: Default::default() });
        d
    }

    fn fate(d: &Dataset, format: Format, element: &str, options: &WriteOptions) -> Fate {
        let report = LossReport::new(d, format, options);
        let row = report.rows.iter().find(|r| r.element == element);
        row.unwrap_or_else(|| panic!("{element} in {report:?}")).fate.clone()
    }

    #[test]
    fn text_with_missing_entries_is_kept_only_where_anndata_can_read_it() {
        let d = cells();
        let old = WriteOptions::default();
        assert!(matches!(fate(&d, Format::H5ad, "obs[\"note\"]", &old), Fate::Changed { lossy: false, .. }));
        let new = WriteOptions { compat: Compat::V0_13, ..WriteOptions::default() };
        assert_eq!(fate(&d, Format::H5ad, "obs[\"note\"]", &new), Fate::Kept);
    }

    #[test]
    fn a_table_of_cells_leaves_the_matrix_behind_and_says_so() {
        let d = cells();
        let obs = WriteOptions::default();
        assert!(fate(&d, Format::Csv, "X", &obs).loses());
        let x = WriteOptions { table: Some(Table::X), ..WriteOptions::default() };
        assert!(!fate(&d, Format::Csv, "X", &x).loses());
        assert!(fate(&d, Format::Csv, "obs[\"batch\"]", &x).loses());
    }

    #[test]
    fn a_folder_of_tables_keeps_both_and_x_when_asked() {
        let d = cells();
        let folder = WriteOptions { table_folder: true, ..WriteOptions::default() };
        assert_eq!(fate(&d, Format::Csv, "obs_names", &folder), Fate::Kept);
        assert_eq!(fate(&d, Format::Csv, "var[\"gene_ids\"]", &folder), Fate::Kept);
        let why = "the folder holds the tables obs and var".to_owned();
        assert_eq!(fate(&d, Format::Csv, "X", &folder), Fate::Left { why });
        let all = WriteOptions { table: Some(Table::X), ..folder };
        assert!(!fate(&d, Format::Csv, "X", &all).loses());
        assert_eq!(fate(&d, Format::Csv, "var[\"gene_ids\"]", &all), Fate::Kept);
    }

    #[test]
    fn ten_x_keeps_gene_ids_under_its_own_name_and_no_column_of_cells() {
        let d = cells();
        let o = WriteOptions::default();
        assert_eq!(
            fate(&d, Format::TenxH5, "var[\"gene_ids\"]", &o),
            Fate::Renamed { to: "features/id".into() }
        );
        assert!(fate(&d, Format::TenxH5, "obs[\"batch\"]", &o).loses());
        assert!(fate(&d, Format::TenxH5, "raw", &o).loses());
    }
}
