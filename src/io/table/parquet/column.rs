//! What a column is in Parquet, and its values in a row group.

use std::ops::Range;

use super::thrift::Struct;
use crate::data::{Categorical, Categories, Column, DType, Names, Values, append, slice};

/// How the values of a column are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Physical {
    /// Numbers or booleans.
    Number(DType),
    /// UTF-8 text.
    Text,
    /// Codes into a dictionary of text.
    Category {
        /// How many there are.
        n: usize,
        /// Whether their order has a meaning.
        ordered: bool,
    },
}

/// A column of the schema.
#[derive(Debug, Clone)]
pub(super) struct Field {
    /// Its name in the file.
    pub(super) name: String,
    /// What pandas calls it.
    pub(super) label: Option<String>,
    pub(super) physical: Physical,
    /// Whether entries may be missing.
    pub(super) optional: bool,
    /// Whether pandas has a mask for missing entries.
    pub(super) masked: bool,
}

impl Field {
    /// A column.
    pub(super) fn new(name: &str, physical: Physical, optional: bool) -> Self {
        Self { name: name.into(), label: Some(name.into()), physical, optional, masked: false }
    }

    /// The column of a table; `None` for one that scx does not understand.
    pub(super) fn of(name: &str, column: &Column) -> Option<Self> {
        Some(match column {
            Column::Numbers(v) => Self::new(name, Physical::Number(v.dtype()), false),
            Column::Nullable { values, .. } => {
                Self { masked: true, ..Self::new(name, Physical::Number(values.dtype()), true) }
            }
            Column::Strings(_) => Self::new(name, Physical::Text, false),
            Column::NullableStrings(_) => Self::new(name, Physical::Text, true),
            Column::Categorical(c) => match &c.categories {
                Categories::Strings(v) => {
                    Self::new(name, Physical::Category { n: v.len(), ordered: c.ordered }, true)
                }
                // Only text can stand in a dictionary that readers give back as one.
                Categories::Numbers(v) => {
                    Self { masked: true, ..Self::new(name, Physical::Number(v.dtype()), true) }
                }
            },
            Column::Opaque { .. } => return None,
        })
    }

    /// Parquet's number for the stored type.
    pub(super) fn stored(&self) -> i32 {
        match self.physical {
            Physical::Number(t) => match t {
                DType::Bool => 0,
                DType::I8 | DType::I16 | DType::I32 | DType::U8 | DType::U16 | DType::U32 => 1,
                DType::I64 | DType::U64 => 2,
                DType::F32 => 4,
                DType::F64 => 5,
                DType::F16 => 7,
            },
            Physical::Text | Physical::Category { .. } => 6,
        }
    }

    /// The column in the footer's schema.
    pub(super) fn schema(&self) -> Struct {
        let mut s = Struct::default().i32(1, self.stored());
        if self.physical == Physical::Number(DType::F16) {
            s = s.i32(2, 2);
        }
        s = s.i32(3, i32::from(self.optional)).text(4, &self.name);
        let converted = match self.physical {
            Physical::Number(t) => match t {
                DType::U8 => Some(11),
                DType::U16 => Some(12),
                DType::U32 => Some(13),
                DType::U64 => Some(14),
                DType::I8 => Some(15),
                DType::I16 => Some(16),
                _ => None,
            },
            _ => Some(0),
        };
        if let Some(c) = converted {
            s = s.i32(6, c);
        }
        match self.physical {
            // STRING and FLOAT16 of the newer union of logical types.
            Physical::Text | Physical::Category { .. } => {
                s.inner(10, Struct::default().inner(1, Struct::default()))
            }
            Physical::Number(DType::F16) => s.inner(10, Struct::default().inner(15, Struct::default())),
            Physical::Number(_) => s,
        }
    }
}

/// The values of a column in a row group.
pub(super) enum Data<'a> {
    /// Numbers, and where they are missing.
    Numbers(Values, Option<Vec<bool>>),
    /// Text.
    Strings(&'a [String]),
    /// Names of rows.
    Names(&'a Names, Range<usize>),
    /// Text with missing entries.
    Nullable(&'a [Option<String>]),
    /// Codes into all categories.
    Codes(&'a [i32], &'a [String]),
}

impl<'a> Data<'a> {
    /// Rows `rows` of a column.
    pub(super) fn of(column: &'a Column, rows: Range<usize>) -> Self {
        match column {
            Column::Numbers(v) => Data::Numbers(slice(v, rows), None),
            Column::Nullable { values, missing } => {
                Data::Numbers(slice(values, rows.clone()), Some(missing.get(rows).unwrap_or(&[]).to_vec()))
            }
            Column::Strings(v) => Data::Strings(v.get(rows).unwrap_or(&[])),
            Column::NullableStrings(v) => Data::Nullable(v.get(rows).unwrap_or(&[])),
            Column::Categorical(c) => match &c.categories {
                Categories::Strings(names) => Data::Codes(c.codes.get(rows).unwrap_or(&[]), names),
                Categories::Numbers(v) => numbers(c, v, rows),
            },
            Column::Opaque { .. } => Data::Strings(&[]),
        }
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        match self {
            Data::Numbers(v, _) => v.len(),
            Data::Strings(v) => v.len(),
            Data::Names(_, rows) => rows.len(),
            Data::Nullable(v) => v.len(),
            Data::Codes(v, _) => v.len(),
        }
    }

    /// Whether row `i` has a value.
    pub(super) fn is_there(&self, i: usize) -> bool {
        match self {
            Data::Numbers(_, None) | Data::Strings(_) | Data::Names(..) => true,
            Data::Numbers(_, Some(missing)) => !missing.get(i).copied().unwrap_or(true),
            Data::Nullable(v) => v.get(i).is_some_and(Option::is_some),
            Data::Codes(v, _) => v.get(i).is_some_and(|c| *c >= 0),
        }
    }
}

/// Categories that are numbers, as the numbers themselves.
fn numbers<'a>(c: &Categorical, categories: &Values, rows: Range<usize>) -> Data<'a> {
    let codes = c.codes.get(rows).unwrap_or(&[]);
    let mut values = Values::empty(categories.dtype());
    // A missing entry needs a value behind its mask.
    let zero = slice(categories, 0..1.min(categories.len()));
    if zero.is_empty() {
        // Without any category all entries are missing.
        return Data::Numbers(Values::F64(vec![0.0; codes.len()]), Some(vec![true; codes.len()]));
    }
    let mut missing = Vec::with_capacity(codes.len());
    for &code in codes {
        let at = usize::try_from(code).ok();
        missing.push(at.is_none());
        match at {
            Some(i) => append(&mut values, &slice(categories, i..i + 1)),
            None => append(&mut values, &zero),
        }
    }
    Data::Numbers(values, Some(missing))
}
