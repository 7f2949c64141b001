//! Tables of cells and of genes: a typed column store that keeps what each column was on disk.
//!
//! A data-frame library is not used here on purpose: it has no word for the index, the ordered flag, unused
//! categories, values hidden under a missing mask or the encoding on disk, and all of these must survive.

use std::borrow::Cow;

use super::{DataError, Names, StoredObject, Values};

/// Row names of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Index {
    /// Stored names; `name` is what the file calls the index (`_index` when it has no name).
    Names {
        /// Name of the index itself.
        name: String,
        /// One name per row.
        values: Names,
    },
    /// No stored names: rows are called `0`, `1`, ….
    Range(usize),
}

impl Index {
    /// Names without a name of their own.
    pub fn names(values: Vec<String>) -> Self {
        Self::of(values.into())
    }

    /// As [`Index::names`], of a list that is shared.
    pub fn of(values: Names) -> Self {
        Index::Names { name: "_index".into(), values }
    }

    /// The stored names, if there are any.
    pub fn stored(&self) -> Option<&Names> {
        match self {
            Index::Names { values, .. } => Some(values),
            Index::Range(_) => None,
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Index::Names { values, .. } => values.len(),
            Index::Range(n) => *n,
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name of row `i`.
    pub fn get(&self, i: usize) -> Option<Cow<'_, str>> {
        match self {
            Index::Names { values, .. } => values.get(i).map(Cow::Borrowed),
            Index::Range(n) => (i < *n).then(|| Cow::Owned(i.to_string())),
        }
    }

    /// All names, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Cow<'_, str>> + Clone {
        (0..self.len()).map(|i| self.get(i).unwrap_or_default())
    }
}

/// The values a categorical column can take.
#[derive(Debug, Clone, PartialEq)]
pub enum Categories {
    /// Text categories.
    Strings(Vec<String>),
    /// Numbers or booleans.
    Numbers(Values),
}

impl Categories {
    /// Number of categories, used or not.
    pub fn len(&self) -> usize {
        match self {
            Categories::Strings(v) => v.len(),
            Categories::Numbers(v) => v.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Category `i` as text.
    pub fn text(&self, i: usize) -> Option<String> {
        match self {
            Categories::Strings(v) => v.get(i).cloned(),
            Categories::Numbers(v) => v.text(i),
        }
    }
}

/// A categorical column: codes into a list of categories, −1 where missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Categorical {
    /// Position in `categories`, or −1 when missing.
    pub codes: Vec<i32>,
    /// All categories in their own order, unused ones included.
    pub categories: Categories,
    /// Whether the order of the categories has a meaning.
    pub ordered: bool,
}

impl Categorical {
    /// Checks that every code is −1 or a position in `categories`.
    ///
    /// # Errors
    /// [`DataError::Invalid`] that names the first bad code.
    pub fn check(&self) -> Result<(), DataError> {
        let n = self.categories.len();
        match self.codes.iter().enumerate().find(|&(_, &c)| c < -1 || (c >= 0 && c as usize >= n)) {
            None => Ok(()),
            Some((row, c)) => {
                Err(DataError::Invalid { what: format!("code {c} but only {n} categories (row {row})") })
            }
        }
    }
}

/// One column of a table, as it was on disk.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Numbers or booleans.
    Numbers(Values),
    /// Numbers or booleans with a missing mask; the values under the mask are kept.
    Nullable {
        /// The stored values.
        values: Values,
        /// `true` where the value is missing.
        missing: Vec<bool>,
    },
    /// Text.
    Strings(Vec<String>),
    /// Text with missing entries.
    NullableStrings(Vec<Option<String>>),
    /// Codes into categories.
    Categorical(Categorical),
    /// An encoding scx does not understand; kept in the file, not in memory.
    Opaque {
        /// What the file calls it.
        encoding: String,
        /// Number of rows, where it can be told.
        len: usize,
        /// Where it lies in an HDF5 file; to be cleared when rows are taken out or put in another order.
        stored: Option<StoredObject>,
    },
}

impl Column {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Column::Numbers(v) | Column::Nullable { values: v, .. } => v.len(),
            Column::Strings(v) => v.len(),
            Column::NullableStrings(v) => v.len(),
            Column::Categorical(c) => c.codes.len(),
            Column::Opaque { len, .. } => *len,
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What kind of column this is, in a few words for people (`category (3)`, `float64`, …).
    pub fn kind(&self) -> String {
        match self {
            Column::Numbers(v) => v.dtype().name().into(),
            Column::Nullable { values, .. } => format!("nullable {}", values.dtype().name()),
            Column::Strings(_) => "string".into(),
            Column::NullableStrings(_) => "nullable string".into(),
            Column::Categorical(c) => {
                let order = if c.ordered { "ordered category" } else { "category" };
                format!("{order} ({})", c.categories.len())
            }
            Column::Opaque { encoding, .. } => format!("not understood ({encoding})"),
        }
    }

    /// The value of row `i` as text; `None` when missing or past the end.
    pub fn text(&self, i: usize) -> Option<Cow<'_, str>> {
        match self {
            Column::Numbers(v) => v.text(i).map(Cow::Owned),
            Column::Nullable { values, missing } => {
                if *missing.get(i)? {
                    return None;
                }
                values.text(i).map(Cow::Owned)
            }
            Column::Strings(v) => v.get(i).map(|s| Cow::Borrowed(s.as_str())),
            Column::NullableStrings(v) => v.get(i)?.as_deref().map(Cow::Borrowed),
            Column::Categorical(c) => {
                let code = usize::try_from(*c.codes.get(i)?).ok()?;
                match &c.categories {
                    Categories::Strings(v) => v.get(code).map(|s| Cow::Borrowed(s.as_str())),
                    Categories::Numbers(v) => v.text(code).map(Cow::Owned),
                }
            }
            Column::Opaque { .. } => None,
        }
    }

    /// The column as group codes: for each row a position in the returned list of labels, or `None` when missing: masked,
    /// NaN, empty, or text that [stands for nothing](super::is_missing). Categories keep their order (unused ones
    /// included); anything else is ordered by first appearance.
    ///
    /// # Errors
    /// [`DataError::Invalid`] when the column is of a kind that cannot be read.
    pub fn groups(&self) -> Result<(Vec<Option<usize>>, Vec<String>), DataError> {
        if let Column::Opaque { encoding, .. } = self {
            return Err(DataError::Invalid { what: format!("encoding {encoding} is not understood") });
        }
        if let Column::Categorical(c) = self {
            c.check()?;
            let labels: Vec<String> = (0..c.categories.len()).filter_map(|i| c.categories.text(i)).collect();
            let group = |code: &i32| {
                usize::try_from(*code).ok().filter(|&c| labels.get(c).is_some_and(|l| !super::is_missing(l)))
            };
            return Ok((c.codes.iter().map(group).collect(), labels));
        }
        let mut seen = std::collections::HashMap::<String, usize>::new();
        let mut labels = Vec::new();
        let codes = (0..self.len())
            .map(|i| {
                let text = self.text(i).filter(|t| !super::is_missing(t))?;
                if let Some(&code) = seen.get(text.as_ref()) {
                    return Some(code);
                }
                let text = text.into_owned();
                seen.insert(text.clone(), labels.len());
                labels.push(text);
                Some(labels.len() - 1)
            })
            .collect();
        Ok((codes, labels))
    }
}

/// A table: row names and columns in their order on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Row names.
    pub index: Index,
    /// Named columns, in order.
    pub columns: Vec<(String, Column)>,
}

impl Frame {
    /// A table with names and no columns.
    pub fn new(index: Index) -> Self {
        Self { index, columns: Vec::new() }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The column called `name`.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|(n, _)| n == name).map(|(_, c)| c)
    }

    /// Adds a column at the end.
    #[must_use]
    pub fn with(mut self, name: &str, column: Column) -> Self {
        self.columns.push((name.into(), column));
        self
    }

    /// Checks that every column has as many rows as the index and every code a category.
    ///
    /// # Errors
    /// [`DataError`] that names the column.
    pub fn check(&self) -> Result<(), DataError> {
        for (name, column) in &self.columns {
            if column.len() != self.len() {
                return Err(DataError::Length {
                    what: format!("column {name}"),
                    expected: self.len(),
                    found: column.len(),
                });
            }
            if let Column::Categorical(c) = column {
                c.check().map_err(|e| DataError::Invalid { what: format!("column {name}: {e}") })?;
            }
        }
        Ok(())
    }
}
