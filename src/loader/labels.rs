//! Cluster labels of cells: a column of obs as codes and names.

use crate::data::{DataError, Frame};

/// Columns that are looked for, in this order.
pub const LABEL_KEYS: [&str; 5] = ["louvain", "leiden", "cluster", "seurat_clusters", "cell_type"];

/// Labels of all cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// The column.
    pub key: String,
    /// Names of the labels that cells have, in the order of the column's categories.
    pub names: Vec<String>,
    /// Label of each cell.
    pub codes: Vec<u32>,
}

/// Why labels cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// No such column.
    #[error("obs has no column {key}; columns: {there}")]
    Missing {
        /// The column.
        key: String,
        /// What is there.
        there: String,
    },
    /// Cells without a label.
    #[error(
        "obs[\"{key}\"]: {missing} of {cells} cells have no label (the first is {first}); \
         give them one, name it with --unlabeled-category, or remove those cells"
    )]
    Unlabelled {
        /// The column.
        key: String,
        /// Cells without a label.
        missing: usize,
        /// Cells in all.
        cells: usize,
        /// Name of the first.
        first: String,
    },
    /// A label that no cell has.
    #[error("no cluster {label} in obs[\"{key}\"]; clusters (cells): {there}")]
    Unknown {
        /// The label.
        label: String,
        /// The column.
        key: String,
        /// What is there, with sizes.
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

impl Labels {
    /// The column that is asked for, else the first of [`LABEL_KEYS`]; `None` when nothing is asked for and none is
    /// there. Cells without a label get `unlabelled` when that is given.
    ///
    /// # Errors
    /// [`LabelError`] when the column is missing, cannot be read, or leaves cells without a label.
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
        let Some(column) = obs.column(key) else {
            let there = obs.columns.iter().map(|c| c.0.as_str()).collect::<Vec<_>>().join(", ");
            let there = if there.is_empty() { "none".into() } else { there };
            return Err(LabelError::Missing { key: key.into(), there });
        };
        let (codes, mut names) =
            column.groups().map_err(|source| LabelError::Data { key: key.into(), source })?;
        let other = match (unlabelled, codes.iter().position(Option::is_none)) {
            (_, None) => None,
            (Some(name), Some(_)) => {
                names.push(name.into());
                Some(names.len() - 1)
            }
            (None, Some(first)) => {
                return Err(LabelError::Unlabelled {
                    key: key.into(),
                    missing: codes.iter().filter(|c| c.is_none()).count(),
                    cells: codes.len(),
                    first: obs.index.get(first).map_or_else(|| first.to_string(), |n| n.into_owned()),
                });
            }
        };
        let codes: Vec<usize> = codes.into_iter().filter_map(|c| c.or(other)).collect();
        // Categories without cells are no labels to learn.
        let mut new = vec![None; names.len()];
        codes.iter().for_each(|&c| new[c] = Some(0));
        let mut kept = Vec::new();
        for (slot, name) in new.iter_mut().zip(names) {
            if slot.is_some() {
                *slot = Some(kept.len() as u32);
                kept.push(name);
            }
        }
        let codes = codes.into_iter().filter_map(|c| new[c]).collect();
        Ok(Some(Self { key: key.into(), names: kept, codes }))
    }

    /// Number of cells of each label.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.names.len()];
        self.codes.iter().for_each(|&c| sizes[c as usize] += 1);
        sizes
    }

    /// All labels with their sizes, for messages.
    pub fn list(&self) -> String {
        let named = self.names.iter().zip(self.sizes()).map(|(name, size)| format!("{name} ({size})"));
        named.collect::<Vec<_>>().join(", ")
    }

    /// The code of a label, compared as text.
    ///
    /// # Errors
    /// [`LabelError::Unknown`] that lists the labels and their sizes.
    pub fn code(&self, label: &str) -> Result<u32, LabelError> {
        let found = self.names.iter().position(|n| n == label);
        found.map(|i| i as u32).ok_or_else(|| LabelError::Unknown {
            label: label.into(),
            key: self.key.clone(),
            there: self.list(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Categorical, Categories, Column, Index};

    fn obs(codes: Vec<i32>) -> Frame {
        let names = Index::names((0..codes.len()).map(|i| format!("c{i}")).collect());
        let categories = Categories::Strings(["10", "unused", "2"].map(String::from).to_vec());
        let column = Column::Categorical(Categorical { codes, categories, ordered: false });
        Frame::new(names).with("leiden", column)
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
    fn a_cell_without_a_label_is_named_or_gets_the_given_one() {
        let e = Labels::of(&obs(vec![2, -1, 2]), Some("leiden"), None).unwrap_err().to_string();
        assert!(e.contains("1 of 3 cells") && e.contains("c1"), "{e}");
        let labels = Labels::of(&obs(vec![2, -1, 2]), None, Some("Unknown")).unwrap().unwrap();
        assert_eq!((labels.names[1].as_str(), labels.codes.as_slice()), ("Unknown", &[0, 1, 0][..]));
    }

    #[test]
    fn a_missing_column_is_an_error_only_when_it_was_asked_for() {
        let empty = Frame::new(Index::names(vec!["c".into()]));
        assert!(Labels::of(&empty, None, None).unwrap().is_none());
        assert!(Labels::of(&empty, Some("leiden"), None).is_err());
    }
}
