//! Cluster labels of cells: a column of obs as codes and names.

use serde::{Deserialize, Serialize};

use crate::data::{Change, Column, DataError, Frame, ValueKind, did_you_mean, find_value};

/// Columns that are looked for, in this order.
pub const LABEL_KEYS: [&str; 5] = ["louvain", "leiden", "cluster", "seurat_clusters", "cell_type"];

/// The code of a cell without a label.
pub const NO_LABEL: u32 = u32::MAX;

/// Labels of all cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// The column.
    pub key: String,
    /// Names of the labels that cells have, in the order of the column's categories.
    pub names: Vec<String>,
    /// Label of each cell, or [`NO_LABEL`].
    pub codes: Vec<u32>,
    /// What kind of values the column holds.
    pub kind: ValueKind,
    /// Clusters divided by another column, where they are.
    pub by: Option<By>,
    /// Labels that are left out because too few cells have them: name, cells, cells needed.
    pub small: Vec<(String, usize, usize)>,
}

/// What labels are made of when clusters are divided by the values of another column, such as the donor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct By {
    /// The column.
    pub key: String,
    /// What kind of values it holds.
    pub kind: ValueKind,
    /// For each label its cluster and its value; no value where a cluster is not divided.
    pub parts: Vec<(String, Option<String>)>,
}

/// Why labels cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// No such column.
    #[error("obs has no column {key}{hint}; columns: {there}")]
    Missing {
        /// The column.
        key: String,
        /// The nearest name, in words.
        hint: String,
        /// What is there.
        there: String,
    },
    /// No cell has a label.
    #[error(
        "obs[\"{key}\"]: none of the {cells} cells has a label; take another column with --cluster-key, or give all of \
         them one label with --unlabeled-category"
    )]
    Unlabelled {
        /// The column.
        key: String,
        /// Cells in all.
        cells: usize,
    },
    /// A label that no cell has.
    #[error("no cluster {label} in obs[\"{key}\"]{hint}; clusters (cells): {there}")]
    Unknown {
        /// The label.
        label: String,
        /// The column.
        key: String,
        /// The nearest name, in words.
        hint: String,
        /// What is there, with sizes.
        there: String,
    },
    /// A label that too few cells have.
    #[error(
        "cluster {label} has {found} cell{} to learn from, at least {needed} are needed; merge it with another \
         (clusters: {there})",
        if *found == 1 { "" } else { "s" }
    )]
    TooFew {
        /// The label.
        label: String,
        /// Its cells.
        found: usize,
        /// Cells it should have.
        needed: usize,
        /// Clusters that are large enough, with sizes.
        there: String,
    },
    /// The column cannot be read.
    #[error("obs[\"{key}\"]")]
    Data {
        /// The column.
        key: String,
        /// Why.
        #[source]
        source: DataError,
    },
}

impl LabelError {
    /// A column that is not there.
    pub fn missing(key: &str, obs: &Frame) -> Self {
        let names = || obs.columns.iter().map(|c| c.0.as_str());
        let there = names().collect::<Vec<_>>().join(", ");
        let there = if there.is_empty() { "none".into() } else { there };
        LabelError::Missing { key: key.into(), hint: did_you_mean(key, names()), there }
    }
}

impl Labels {
    /// Labels of that column whose names and codes are known.
    pub fn new(key: impl Into<String>, names: Vec<String>, codes: Vec<u32>) -> Self {
        Self { key: key.into(), names, codes, kind: ValueKind::default(), by: None, small: Vec::new() }
    }

    /// The column that is asked for, else the first of [`LABEL_KEYS`]; `None` when nothing is asked for and none is
    /// there. Cells without a label get `unlabelled` when that is given, and none otherwise.
    ///
    /// # Errors
    /// [`LabelError`] when the column is missing, cannot be read, or gives no cell a label.
    pub fn of(
        obs: &Frame,
        asked: Option<&str>,
        unlabelled: Option<&str>,
    ) -> Result<Option<Self>, LabelError> {
        let key = match asked {
            Some(key) => key,
            None => match LABEL_KEYS.iter().find(|k| obs.column(k).is_some()) {
                Some(key) => key,
                None => return Ok(None),
            },
        };
        let column = obs.column(key).ok_or_else(|| LabelError::missing(key, obs))?;
        let (mut codes, mut names) = groups(column, key)?;
        if let (Some(name), true) = (unlabelled, codes.contains(&None)) {
            let other = find_value(names.iter().map(String::as_str), name).unwrap_or_else(|| {
                names.push(name.into());
                names.len() - 1
            });
            codes.iter_mut().for_each(|c| *c = c.or(Some(other)));
        }
        if codes.iter().all(Option::is_none) && !codes.is_empty() {
            return Err(LabelError::Unlabelled { key: key.into(), cells: codes.len() });
        }
        let codes: Vec<u32> = codes.into_iter().map(|c| c.map_or(NO_LABEL, |c| c as u32)).collect();
        let mut labels = Self { kind: ValueKind::of(column), ..Self::new(key, names, codes) };
        // Categories without cells are no labels to learn.
        let used: Vec<bool> = labels.sizes().iter().map(|&n| n > 0).collect();
        labels.keep(&used);
        Ok(Some(labels))
    }

    /// Number of cells of each label.
    pub fn sizes(&self) -> Vec<usize> {
        sizes(self.names.len(), self.codes.iter().copied())
    }

    /// All labels with their sizes, for messages.
    pub fn list(&self) -> String {
        let named = self.names.iter().zip(self.sizes()).map(|(name, size)| format!("{name} ({size})"));
        named.collect::<Vec<_>>().join(", ")
    }

    /// The code of a label, by its text, else by its value (`1` finds `1.0`).
    ///
    /// # Errors
    /// [`LabelError::Unknown`] that lists the labels and their sizes, [`LabelError::TooFew`] when it was left out.
    pub fn code(&self, label: &str) -> Result<u32, LabelError> {
        let known = || self.names.iter().map(String::as_str);
        find_value(known(), label).map(|i| i as u32).ok_or_else(|| self.unknown(label, known()))
    }

    /// Why a label is not there.
    pub(crate) fn unknown<'a>(&self, label: &str, known: impl Iterator<Item = &'a str>) -> LabelError {
        let small = self.small.iter().map(|s| s.0.as_str());
        match find_value(small, label).and_then(|i| self.small.get(i)) {
            Some((label, found, needed)) => LabelError::TooFew {
                label: label.clone(),
                found: *found,
                needed: *needed,
                there: self.list(),
            },
            None => LabelError::Unknown {
                label: label.into(),
                key: self.key.clone(),
                hint: did_you_mean(label, known),
                there: self.list(),
            },
        }
    }

    /// Leaves out the labels that fewer than `least` of these cells have: their cells have no label any longer. Says
    /// which.
    pub fn leave_out_small(&mut self, cells: &[usize], least: usize) -> Vec<Change> {
        let sizes = sizes(self.names.len(), cells.iter().map(|&c| self.codes[c]));
        let mut changes = Vec::new();
        for (name, &found) in self.names.iter().zip(&sizes).filter(|(_, n)| **n < least) {
            changes.push(too_few(&format!("obs[{:?}] = {name}", self.key), found, least));
            self.small.push((name.clone(), found, least));
        }
        self.keep(&sizes.iter().map(|&n| n >= least).collect::<Vec<_>>());
        changes
    }

    /// Keeps the marked labels; cells of others have none any longer.
    pub(crate) fn keep(&mut self, marked: &[bool]) {
        let mut numbers = 0u32..;
        let new: Vec<u32> =
            marked.iter().map(|&m| if m { numbers.next() } else { None }.unwrap_or(NO_LABEL)).collect();
        for code in &mut self.codes {
            *code = new.get(*code as usize).copied().unwrap_or(NO_LABEL);
        }
        let mut marked = marked.iter();
        self.names.retain(|_| marked.next() == Some(&true));
    }
}

/// A group of cells that is too small to learn from.
pub fn too_few(what: &str, found: usize, needed: usize) -> Change {
    let cells = if found == 1 { "1 cell".into() } else { format!("{found} cells") };
    Change::left(what, format!("{cells} to learn from, at least {needed} are needed"))
}

/// Group of each cell, and their names.
pub(crate) fn groups(column: &Column, key: &str) -> Result<(Vec<Option<usize>>, Vec<String>), LabelError> {
    column.groups().map_err(|source| LabelError::Data { key: key.into(), source })
}

fn sizes(n: usize, codes: impl Iterator<Item = u32>) -> Vec<usize> {
    let mut sizes = vec![0; n];
    codes.for_each(|c| {
        if let Some(size) = sizes.get_mut(c as usize) {
            *size += 1;
        }
    });
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Categorical, Categories, Column, Index, Values};

    fn obs(codes: Vec<i32>) -> Frame {
        let categories = Categories::Strings(["10", "unused", "2"].map(String::from).to_vec());
        frame(Column::Categorical(Categorical { codes, categories, ordered: false }))
    }

    fn frame(column: Column) -> Frame {
        let names = Index::names((0..column.len()).map(|i| format!("c{i}")).collect());
        Frame::new(names).with("leiden", column)
    }

    fn of(column: Column) -> Labels {
        Labels::of(&frame(column), None, None).unwrap().unwrap()
    }

    #[test]
    fn labels_are_text_and_unused_categories_are_none() {
        let labels = Labels::of(&obs(vec![2, 0, 2]), None, None).unwrap().unwrap();
        assert_eq!(
            (labels.key.as_str(), labels.names.as_slice()),
            ("leiden", &["10".to_owned(), "2".to_owned()][..])
        );
        assert_eq!((labels.codes.as_slice(), labels.sizes()), (&[1, 0, 1][..], vec![1, 2]));
        assert_eq!(labels.code("2").unwrap(), 1);
        let e = labels.code("unused").unwrap_err().to_string();
        assert!(e.contains("10 (1), 2 (2)"), "{e}");
    }

    #[test]
    fn a_cell_without_a_label_has_none_or_the_given_one() {
        let labels = Labels::of(&obs(vec![2, -1, 2]), Some("leiden"), None).unwrap().unwrap();
        assert_eq!((labels.codes.as_slice(), labels.sizes()), (&[0, NO_LABEL, 0][..], vec![2]));
        let labels = Labels::of(&obs(vec![2, -1, 2]), None, Some("Unknown")).unwrap().unwrap();
        assert_eq!((labels.names[1].as_str(), labels.codes.as_slice()), ("Unknown", &[0, 1, 0][..]));
        let e = Labels::of(&obs(vec![-1, -1]), None, None).unwrap_err().to_string();
        assert!(e.contains("none of the 2 cells"), "{e}");
    }

    #[test]
    fn missing_entries_of_every_kind_are_no_cluster_and_numbers_are_found_by_value() {
        let labels = of(Column::Numbers(Values::F64(vec![f64::NAN, 2.0, 0.5, 2.0])));
        assert_eq!(labels.names, ["2.0", "0.5"]);
        assert_eq!((labels.codes[0], labels.code("2").unwrap()), (NO_LABEL, 0));
        let labels = of(Column::Strings(["", "B", "nan"].map(String::from).to_vec()));
        assert_eq!((labels.names.as_slice(), labels.codes[2]), (&["B".to_owned()][..], NO_LABEL));
        let missing = vec![true, false];
        let labels = of(Column::Nullable { values: Values::Bool(vec![true, false]), missing });
        assert_eq!((labels.names.as_slice(), labels.code("false").unwrap()), (&["False".to_owned()][..], 0));
    }

    #[test]
    fn a_label_of_too_few_cells_is_left_out_and_named() {
        let mut labels = Labels::of(&obs(vec![2, 0, 2]), None, None).unwrap().unwrap();
        let changes = labels.leave_out_small(&[0, 1, 2], 2);
        assert_eq!(labels.codes, [0, NO_LABEL, 0]);
        assert_eq!(changes[0].element, "obs[\"leiden\"] = 10");
        assert!(changes[0].what.contains("1 cell to learn from, at least 2"), "{changes:?}");
        let e = labels.code("10").unwrap_err().to_string();
        assert!(e.contains("cluster 10 has 1 cell to learn from, at least 2"), "{e}");
    }

    #[test]
    fn a_missing_column_is_an_error_only_when_it_was_asked_for() {
        let empty = Frame::new(Index::names(vec!["c".into()]));
        assert!(Labels::of(&empty, None, None).unwrap().is_none());
        assert!(Labels::of(&empty, Some("leiden"), None).is_err());
        let e = Labels::of(&obs(vec![0]), Some("leidn"), None).unwrap_err().to_string();
        assert!(e.contains("did you mean leiden?"), "{e}");
    }
}
