//! A dataset of numbers along one or two axes, read by the fastest way it allows: straight from the file by all threads,
//! or through the HDF5 library.

use std::ops::Range;
use std::sync::OnceLock;

use hdf5_metno as hdf5;

use hdf5::Dataset;

use super::direct::Direct;
use super::{Source, elements, extent};
use crate::data::{DType, Values, append, slice};
use crate::io::error::ReadError;

/// A dataset of numbers in an open file.
#[derive(Debug)]
pub(in crate::io) struct Array {
    source: Source,
    /// The dataset itself.
    pub(in crate::io) dataset: Dataset,
    /// Its element type.
    pub(in crate::io) dtype: DType,
    /// Looked up when first needed: listing the chunks of a large dataset takes a while.
    direct: OnceLock<Option<Box<Direct>>>,
}

impl Array {
    pub(super) fn new(source: &Source, dataset: Dataset, dtype: DType) -> Self {
        Self { source: source.clone(), dataset, dtype, direct: OnceLock::new() }
    }

    /// The way past the library, when there is one.
    pub(super) fn direct(&self) -> Option<&Direct> {
        let open = || Direct::open(&self.source, &self.dataset, self.dtype).map(Box::new);
        self.direct.get_or_init(open).as_deref()
    }

    /// Whether it is known where the chunks lie.
    pub(in crate::io) fn listed(&self) -> bool {
        self.direct.get().is_some()
    }

    /// Length of the first axis.
    pub(super) fn len(&self) -> usize {
        extent(&self.dataset).first().copied().unwrap_or(1)
    }

    /// Bytes of one row.
    pub(super) fn row_bytes(&self) -> u64 {
        elements(self.dataset.shape().get(1..).unwrap_or(&[])).saturating_mul(self.dtype.size() as u64)
    }

    /// Rows that are decoded together.
    pub(super) fn band(&self) -> usize {
        match self.direct() {
            Some(direct) => direct.band(),
            None => self.dataset.chunk().and_then(|c| c.first().copied()).unwrap_or(1).max(1),
        }
    }

    /// `end` moved up to where a band ends.
    pub(super) fn whole_bands(&self, end: usize) -> usize {
        end.checked_next_multiple_of(self.band()).unwrap_or(usize::MAX).min(self.len())
    }

    /// Rows `rows`, row-major.
    pub(super) fn rows(&self, rows: Range<usize>) -> Result<Values, ReadError> {
        match self.direct() {
            Some(direct) => {
                self.backed(direct, rows.len())?;
                direct.rows(self.dtype, rows)
            }
            None => self.plain(rows),
        }
    }

    /// Refuses to make room for rows that the stored bytes cannot hold.
    fn backed(&self, direct: &Direct, rows: usize) -> Result<(), ReadError> {
        let asked = self.row_bytes().saturating_mul(rows as u64);
        self.source.backed(direct.name(), asked, 1, || direct.stored_bytes()).map(drop)
    }

    /// Rows `rows` through the library.
    pub(super) fn plain(&self, rows: Range<usize>) -> Result<Values, ReadError> {
        self.source.number_rows(&self.dataset, self.dtype, rows)
    }
}

/// Reads an array from front to back in runs of any length, and no chunk twice.
pub(super) struct Cursor<'a> {
    array: &'a Array,
    /// Position of the first element held.
    first: usize,
    held: Values,
}

impl<'a> Cursor<'a> {
    /// Before the first element.
    pub(super) fn new(array: &'a Array) -> Self {
        Self { array, first: 0, held: Values::empty(array.dtype) }
    }

    /// Elements `span`, which does not start before the end of the last one asked for.
    pub(super) fn take(&mut self, span: Range<usize>) -> Result<Values, ReadError> {
        let end = self.first + self.held.len();
        if span.start >= end {
            (self.first, self.held) = (span.start, Values::empty(self.array.dtype));
        }
        let end = self.first + self.held.len();
        if span.end > end {
            if let Some(direct) = self.array.direct() {
                return self.join(direct, span);
            }
            let more = self.array.rows(end..self.array.whole_bands(span.end))?;
            if self.held.is_empty() {
                self.held = more;
            } else {
                append(&mut self.held, &more);
            }
        }
        let at = |i: usize| i.saturating_sub(self.first);
        if at(span.end) == self.held.len() && at(span.start) == 0 {
            self.first = span.end;
            return Ok(std::mem::replace(&mut self.held, Values::empty(self.array.dtype)));
        }
        let out = slice(&self.held, at(span.start)..at(span.end));
        // A chunk much longer than the runs is not moved for each of them.
        if at(span.end) * 2 >= self.held.len() {
            self.held = slice(&self.held, at(span.end)..self.held.len());
            self.first = span.end;
        }
        Ok(out)
    }

    /// What is held of `span`, then what is not, decoded where it stays. The band the span ends in is held from now on.
    fn join(&mut self, direct: &Direct, span: Range<usize>) -> Result<Values, ReadError> {
        let array = self.array;
        let end = self.first + self.held.len();
        let whole = match span.end {
            last if last == array.len() => last,
            within => (within - within % array.band()).max(end),
        };
        array.backed(direct, whole.saturating_sub(end))?;
        let last = match whole < span.end {
            true => array.rows(whole..array.whole_bands(span.end))?,
            false => Values::empty(array.dtype),
        };
        let width = array.dtype.size();
        let head = self.held.bytes().get((span.start - self.first) * width..).unwrap_or(&[]);
        let tail = last.bytes().get(..(span.end - whole) * width).unwrap_or(&[]);
        let out = direct.join(array.dtype, head, end..whole, tail)?;
        (self.first, self.held) = (whole, last);
        Ok(out)
    }
}
