//! Which rows or columns are kept, in which order, and what that makes of names and columns of a table.

use std::sync::Arc;

use super::{Categorical, Column, DataError, Element, Frame, Index, Values};
use crate::with_values;

/// Entries of an axis to take, in the order they are to stand. A gap is an entry the source does not have: matrices hold
/// zero there, tables a missing value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take {
    of: usize,
    picks: Option<Arc<[Option<usize>]>>,
    increasing: bool,
}

impl Take {
    /// Everything, as it is.
    pub fn all(of: usize) -> Self {
        Self { of, picks: None, increasing: true }
    }

    /// These entries of an axis of length `of`.
    ///
    /// # Errors
    /// [`DataError`] when an entry is outside the axis or is taken twice.
    pub fn new(of: usize, picks: Vec<Option<usize>>) -> Result<Self, DataError> {
        let mut seen = vec![false; of];
        for &index in picks.iter().flatten() {
            match seen.get_mut(index) {
                None => return Err(DataError::OutOfRange { what: "entry", index, len: of }),
                Some(true) => {
                    return Err(DataError::Invalid { what: format!("entry {index} is taken twice") });
                }
                Some(free) => *free = true,
            }
        }
        let increasing = picks.iter().all(Option::is_some) && picks.windows(2).all(|w| w[0] < w[1]);
        if increasing && picks.len() == of {
            return Ok(Self::all(of));
        }
        Ok(Self { of, picks: Some(picks.into()), increasing })
    }

    /// These entries of an axis of length `of`, without gaps.
    ///
    /// # Errors
    /// As [`Take::new`].
    pub fn entries(of: usize, picks: &[usize]) -> Result<Self, DataError> {
        Self::new(of, picks.iter().copied().map(Some).collect())
    }

    /// The entries marked `true`.
    pub fn marked(keep: &[bool]) -> Self {
        let picks: Vec<_> = keep.iter().enumerate().filter(|(_, k)| **k).map(|(i, _)| Some(i)).collect();
        if picks.len() == keep.len() {
            return Self::all(keep.len());
        }
        Self { of: keep.len(), picks: Some(picks.into()), increasing: true }
    }

    /// Length of the axis taken from.
    pub fn of(&self) -> usize {
        self.of
    }

    /// Entries taken, gaps included.
    pub fn len(&self) -> usize {
        self.picks.as_ref().map_or(self.of, |p| p.len())
    }

    /// Whether nothing is taken.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether everything stays as it is.
    pub fn is_all(&self) -> bool {
        self.picks.is_none()
    }

    /// Whether entries keep their order and there is no gap.
    pub fn is_increasing(&self) -> bool {
        self.increasing
    }

    /// The source of entry `i`; `None` for a gap and past the end.
    pub fn get(&self, i: usize) -> Option<usize> {
        match &self.picks {
            None => (i < self.of).then_some(i),
            Some(p) => p.get(i).copied().flatten(),
        }
    }

    /// The sources of all entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = Option<usize>> + '_ {
        (0..self.len()).map(|i| self.get(i))
    }

    /// For each entry of the source where it ends up, `u32::MAX` where it is not taken.
    ///
    /// # Errors
    /// [`DataError::Invalid`] when more are taken than a sparse matrix can count.
    pub(super) fn places(&self) -> Result<Vec<u32>, DataError> {
        if u32::try_from(self.len()).is_err() {
            return Err(DataError::Invalid { what: format!("{} columns are too many", self.len()) });
        }
        let mut places = vec![u32::MAX; self.of];
        for (to, from) in self.iter().enumerate() {
            if let Some(slot) = from.and_then(|f| places.get_mut(f)) {
                *slot = to as u32;
            }
        }
        Ok(places)
    }

    /// Checks that it was made for an axis of that length.
    pub(super) fn fits(&self, what: &str, len: usize) -> Result<(), DataError> {
        if self.of == len {
            return Ok(());
        }
        Err(DataError::Length { what: format!("{what} to take from"), expected: len, found: self.of })
    }
}

impl Values {
    /// The entries taken; the default of the type in gaps.
    #[must_use]
    pub fn take(&self, take: &Take) -> Values {
        fn pick<T: Element>(v: &[T], take: &Take) -> Values {
            T::wrap(take.iter().map(|i| i.and_then(|i| v.get(i).copied()).unwrap_or_default()).collect())
        }
        with_values!(self, v => pick(v, take))
    }
}

impl Index {
    /// The names of the entries taken. Rows without names keep their numbers as names; gaps get an empty name, for the
    /// caller to fill.
    #[must_use]
    pub fn take(&self, take: &Take) -> Index {
        if take.is_all() {
            return self.clone();
        }
        let name = match self {
            Index::Names { name, .. } => name.clone(),
            Index::Range(_) => "_index".into(),
        };
        let values = take.iter().map(|i| i.and_then(|i| self.get(i)).unwrap_or_default().into_owned());
        Index::Names { name, values: values.collect() }
    }
}

impl Column {
    /// The entries taken; missing in gaps, for which whole numbers and text become nullable and floats NaN. A column that
    /// was not understood cannot be taken from and is left out (`None`).
    #[must_use]
    pub fn take(&self, take: &Take) -> Option<Column> {
        if take.is_all() {
            return Some(self.clone());
        }
        let missing = || take.iter().map(|i| i.is_none()).collect::<Vec<_>>();
        let gaps = take.iter().any(|i| i.is_none());
        Some(match self {
            Column::Numbers(v) if !gaps => Column::Numbers(v.take(take)),
            Column::Numbers(Values::F32(v)) => Column::Numbers(Values::F32(floats(v, take, f32::NAN))),
            Column::Numbers(Values::F64(v)) => Column::Numbers(Values::F64(floats(v, take, f64::NAN))),
            Column::Numbers(Values::F16(v)) => Column::Numbers(Values::F16(floats(v, take, half::f16::NAN))),
            Column::Numbers(v) => Column::Nullable { values: v.take(take), missing: missing() },
            Column::Nullable { values, missing } => Column::Nullable {
                values: values.take(take),
                missing: take
                    .iter()
                    .map(|i| i.is_none_or(|i| missing.get(i).copied().unwrap_or(true)))
                    .collect(),
            },
            Column::Strings(v) => {
                let text = take.iter().map(|i| i.and_then(|i| v.get(i).cloned()));
                if gaps {
                    Column::NullableStrings(text.collect())
                } else {
                    Column::Strings(text.flatten().collect())
                }
            }
            Column::NullableStrings(v) => Column::NullableStrings(
                take.iter().map(|i| i.and_then(|i| v.get(i).cloned().flatten())).collect(),
            ),
            Column::Categorical(c) => Column::Categorical(Categorical {
                codes: take.iter().map(|i| i.and_then(|i| c.codes.get(i).copied()).unwrap_or(-1)).collect(),
                categories: c.categories.clone(),
                ordered: c.ordered,
            }),
            Column::Opaque { .. } => return None,
        })
    }
}

fn floats<T: Copy>(v: &[T], take: &Take, nan: T) -> Vec<T> {
    take.iter().map(|i| i.and_then(|i| v.get(i).copied()).unwrap_or(nan)).collect()
}

impl Frame {
    /// The rows taken. Columns that were not understood are left out with a warning.
    ///
    /// # Errors
    /// [`DataError::Length`] when `take` was made for a table of another length.
    pub fn take(&self, take: &Take) -> Result<Frame, DataError> {
        take.fits("rows", self.len())?;
        let mut columns = Vec::with_capacity(self.columns.len());
        for (name, column) in &self.columns {
            match column.take(take) {
                Some(taken) => columns.push((name.clone(), taken)),
                None => tracing::warn!("column {name} ({}): rows cannot be chosen; left out", column.kind()),
            }
        }
        Ok(Frame { index: self.index.take(take), columns })
    }

    /// Puts a column in the place of the one of that name, or at the end.
    pub fn set(&mut self, name: &str, column: Column) {
        match self.columns.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = column,
            None => self.columns.push((name.into(), column)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Categories;

    #[test]
    fn an_entry_taken_twice_or_from_outside_is_refused() {
        assert!(Take::entries(3, &[0, 0]).is_err());
        assert!(Take::entries(3, &[3]).is_err());
        assert!(Take::entries(3, &[2, 0]).is_ok_and(|t| !t.is_increasing()));
        assert!(Take::entries(2, &[0, 1]).is_ok_and(|t| t.is_all()));
    }

    #[test]
    fn columns_follow_their_rows_and_gaps_are_missing() {
        let frame = Frame::new(Index::Range(3))
            .with("n", Column::Numbers(Values::I32(vec![10, 11, 12])))
            .with("x", Column::Numbers(Values::F32(vec![0.5, 1.5, 2.5])))
            .with("s", Column::Strings(vec!["a".into(), "b".into(), "c".into()]))
            .with(
                "k",
                Column::Categorical(Categorical {
                    codes: vec![0, -1, 1],
                    categories: Categories::Strings(vec!["u".into(), "v".into()]),
                    ordered: true,
                }),
            );
        let taken = frame.take(&Take::entries(3, &[2, 0]).unwrap()).unwrap();
        assert_eq!(taken.index.iter().collect::<Vec<_>>(), ["2", "0"]);
        assert_eq!(taken.column("n"), Some(&Column::Numbers(Values::I32(vec![12, 10]))));
        assert_eq!(taken.column("k").unwrap().text(0).as_deref(), Some("v"));
        assert_eq!(taken.column("k").unwrap().text(1).as_deref(), Some("u"));

        let gap = frame.take(&Take::new(3, vec![Some(1), None]).unwrap()).unwrap();
        assert_eq!(gap.column("n").unwrap().text(1), None);
        assert_eq!(gap.column("s").unwrap().text(1), None);
        assert_eq!(gap.column("k").unwrap().text(1), None);
        let Some(Column::Numbers(Values::F32(x))) = gap.column("x") else { panic!("x changed type") };
        assert!(x[0] == 1.5 && x[1].is_nan());
        assert!(gap.check().is_ok());
    }
}
