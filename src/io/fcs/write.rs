//! FCS 3.1 files out: list mode, little-endian floats, or doubles where a value needs them.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use super::header::{HEADER_LEN, MAX_HEADER_OFFSET};
use super::keywords::{Column, Shape, compose, encode};
use super::layout::Kind;
use crate::data::{Dataset, Dense, Element, Matrix, Patch, Values};
use crate::io::{Additions, ReadLimits, WriteError, WriteOptions};
use crate::with_values;

/// Bytes of events made at a time.
const CHUNK_BYTES: usize = 4 << 20;

/// Writes a data set as a new FCS 3.1 file: `$PnN` from the index of `var`, `$PnS` from `var["marker"]`, further
/// keywords from `source.keywords`. Values are little endian, `$DATATYPE` F, or D when a value is not exact as a
/// single. An empty keyword value is written as one space, since the standard has no empty values.
///
/// # Errors
/// [`WriteError`]; `path` may then hold a part of the file.
pub fn write(dataset: &Dataset, path: &Path, _options: &WriteOptions) -> Result<(), WriteError> {
    if !dataset.obs.columns.is_empty() {
        let names: Vec<&str> = dataset.obs.columns.iter().map(|(n, _)| n.as_str()).collect();
        tracing::warn!(
            "{}: FCS has no place for columns of cells; left out: {}",
            path.display(),
            names.join(", ")
        );
    }
    Output { dataset, patch: None, record: None, names_from_keywords: false, path }.write()
}

/// Writes the FCS file `dataset` was read from again, as FCS 3.1, with the patched values in place of the stored ones
/// and the record appended to the JSON array in the keyword `SCX`. Every keyword is kept but those of the layout; an
/// old `$PnE` other than `0,0` stays as `SCX_PnE`. FCS has no layers: `layer`, `base` and `into_x` have no meaning.
///
/// # Errors
/// [`WriteError`]; `path` may then hold a part of the file.
pub fn annotate(dataset: &Dataset, additions: &Additions, path: &Path) -> Result<(), WriteError> {
    if additions.has_elements() {
        let what = "FCS has no place for columns of cells or arrays beside the channels; write h5ad instead";
        return Err(WriteError::CannotHold { path: path.to_owned(), what: what.into() });
    }
    let output = Output {
        dataset,
        patch: additions.result.as_ref().map(|r| &r.patch),
        record: Some(&additions.record),
        names_from_keywords: true,
        path,
    };
    output.write()
}

/// A file about to be written.
struct Output<'a> {
    dataset: &'a Dataset,
    patch: Option<&'a Patch>,
    record: Option<&'a str>,
    names_from_keywords: bool,
    path: &'a Path,
}

impl Output<'_> {
    fn write(&self) -> Result<(), WriteError> {
        let x = self.events()?;
        let shape = self.shape(x)?;
        let (n, width) = (shape.columns.len(), if shape.double { 8 } else { 4 });
        let data_len = (shape.n_events as u64)
            .checked_mul((n * width) as u64)
            .ok_or_else(|| self.cannot_hold("more events than a file can hold"))?;
        let old = &self.dataset.source.keywords;
        let mut keywords = compose(old, &shape, self.names_from_keywords, self.record);
        let (text, data_begin) =
            encode(&mut keywords, HEADER_LEN, data_len).map_err(|what| self.cannot_hold(what))?;
        let header = header(text.len() as u64, data_begin, data_len)
            .ok_or_else(|| self.cannot_hold("more than 99,999,999 bytes of keywords"))?;
        let io = |e| WriteError::io(self.path, e);
        let mut file = File::create(self.path).map_err(io)?;
        file.write_all(header.as_bytes()).and_then(|()| file.write_all(&text)).map_err(io)?;
        let per_chunk = (CHUNK_BYTES / (n * width)).max(1);
        let mut bytes = Vec::with_capacity((per_chunk * n * width).min(data_len as usize));
        for first in (0..shape.n_events).step_by(per_chunk) {
            bytes.clear();
            let rows = first..(first + per_chunk).min(shape.n_events);
            self.rows(x, rows, |row| {
                if shape.double {
                    row.iter().for_each(|v| bytes.extend_from_slice(&v.to_le_bytes()));
                } else {
                    row.iter().for_each(|v| bytes.extend_from_slice(&(*v as f32).to_le_bytes()));
                }
            });
            file.write_all(&bytes).map_err(io)?;
        }
        // Where a checksum would stand, eight zeros say that there is none.
        file.write_all(b"00000000").map_err(io)?;
        drop(file);
        self.verify(&shape, &keywords, data_begin + data_len + 8)
    }

    /// X, once it is known that it and the patch fit together.
    fn events(&self) -> Result<&Dense, WriteError> {
        let Some(Matrix::Dense(x)) = &self.dataset.x else {
            return Err(self.cannot_hold("FCS holds dense events only; there is no dense X"));
        };
        let (rows, cols) = x.shape();
        if cols == 0 || cols != self.dataset.n_vars() {
            return Err(
                self.cannot_hold(format!("X has {cols} columns for {} channels", self.dataset.n_vars()))
            );
        }
        if let Some(patch) = self.patch
            && (patch.rows().last().is_some_and(|r| *r >= rows)
                || patch.columns().last().is_some_and(|c| *c >= cols))
        {
            return Err(
                self.cannot_hold(format!("new values lie outside the {rows} events × {cols} channels"))
            );
        }
        // Doubles hold whole numbers of 53 significant bits; counters of 64 bits can ask for more.
        let exact = |v: u64| v == 0 || 64 - v.leading_zeros() - v.trailing_zeros() <= 53;
        let inexact = match x.values() {
            Values::U64(v) => v.iter().find(|v| !exact(**v)).map(ToString::to_string),
            Values::I64(v) => v.iter().find(|v| !exact(v.unsigned_abs())).map(ToString::to_string),
            _ => None,
        };
        match inexact {
            Some(v) => Err(self.cannot_hold(format!("the value {v} is not exact as a double"))),
            None => Ok(x),
        }
    }

    /// One pass over all values: are singles enough, and how large does each channel get?
    fn shape(&self, x: &Dense) -> Result<Shape, WriteError> {
        let (n_events, n) = x.shape();
        let mut max = vec![f64::NEG_INFINITY; n];
        let mut double = false;
        self.rows(x, 0..n_events, |row| {
            for (m, &v) in max.iter_mut().zip(row) {
                double |= !(v.is_nan() || f64::from(v as f32) == v);
                if v > *m && v.is_finite() {
                    *m = v;
                }
            }
        });
        let var = &self.dataset.var;
        let text = |column: &str, i: usize| {
            var.column(column).and_then(|c| c.text(i)).unwrap_or_default().into_owned()
        };
        let columns = max.into_iter().enumerate().map(|(i, max)| Column {
            name: var.index.get(i).unwrap_or_default().into_owned(),
            stain: text("marker", i),
            max,
        });
        Ok(Shape { n_events, double, columns: columns.collect() })
    }

    /// Hands over rows one by one, with new values in their places.
    fn rows(&self, x: &Dense, range: std::ops::Range<usize>, sink: impl FnMut(&[f64])) {
        let n = x.shape().1;
        with_values!(x.values(), v => patched(v, n, range, self.patch, sink));
    }

    /// Opens the new file again: TEXT as written, DATA as long as promised, nothing after it.
    fn verify(&self, shape: &Shape, keywords: &[(String, String)], length: u64) -> Result<(), WriteError> {
        let failed = |what: String| WriteError::Verify { path: self.path.to_owned(), what };
        let parts = super::parts(self.path, &ReadLimits::default()).map_err(|e| {
            let text = e.to_string();
            let own = format!("{}: ", self.path.display());
            failed(text.strip_prefix(&own).unwrap_or(&text).to_owned())
        })?;
        let kind = if shape.double { Kind::Double } else { Kind::Float };
        let trimmed = |k: &str| k.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned();
        let same = |(a, b): (&(String, String), &(String, String))| trimmed(&a.0) == b.0 && a.1 == b.1;
        let read = parts.keywords.pairs();
        if parts.layout.n_events != shape.n_events as u64
            || parts.layout.channels.len() != shape.columns.len()
        {
            Err(failed(format!(
                "{} events × {} channels read, {} × {} written",
                parts.layout.n_events,
                parts.layout.channels.len(),
                shape.n_events,
                shape.columns.len()
            )))
        } else if parts.layout.kind != kind || parts.layout.big_endian {
            Err(failed("the type of the values is not the one written".into()))
        } else if read.len() != keywords.len() || !keywords.iter().zip(read).all(same) {
            Err(failed("the keywords read are not those written".into()))
        } else if parts.file_len != length {
            Err(failed(format!("{} bytes long, {length} written", parts.file_len)))
        } else {
            Ok(())
        }
    }

    fn cannot_hold(&self, what: impl Into<String>) -> WriteError {
        WriteError::CannotHold { path: self.path.to_owned(), what: what.into() }
    }
}

/// Rows of a row-major buffer as doubles, each with the patch applied.
fn patched<T: Element>(
    values: &[T],
    n: usize,
    range: std::ops::Range<usize>,
    patch: Option<&Patch>,
    mut sink: impl FnMut(&[f64]),
) {
    let mut row = vec![0.0; n];
    for (i, stored) in values.chunks_exact(n).enumerate().take(range.end).skip(range.start) {
        for (to, v) in row.iter_mut().zip(stored) {
            *to = v.to_f64();
        }
        if let Some((patch, new)) = patch.and_then(|p| p.row(i).map(|new| (p, new))) {
            for (&column, &v) in patch.columns().iter().zip(new) {
                if let Some(to) = row.get_mut(column) {
                    *to = f64::from(v);
                }
            }
        }
        sink(&row);
    }
}

/// The 58 bytes of the HEADER; `None` when TEXT ends beyond what eight digits hold. DATA beyond that is given in TEXT
/// alone, with zeros here.
fn header(text_len: u64, data_begin: u64, data_len: u64) -> Option<String> {
    let text_end = HEADER_LEN + text_len - 1;
    if text_end > MAX_HEADER_OFFSET {
        return None;
    }
    let last = data_begin + data_len.max(1) - 1;
    let (begin, end) = match last {
        _ if data_len == 0 => (data_begin, data_begin - 1),
        n if n <= MAX_HEADER_OFFSET => (data_begin, n),
        _ => (0, 0),
    };
    Some(format!("FCS3.1    {HEADER_LEN:>8}{text_end:>8}{begin:>8}{end:>8}{:>8}{:>8}", 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_beyond_eight_digits_is_left_to_text() {
        let h = header(942, 1000, 99_999_000).unwrap();
        assert_eq!(h.len(), 58);
        assert_eq!(&h[26..42], "    100099999999");
        assert_eq!(&header(942, 1000, 99_999_001).unwrap()[26..42], "       0       0");
        assert_eq!(&header(942, 1000, 0).unwrap()[26..42], "    1000     999");
        assert!(header(99_999_943, 0, 0).is_none());
    }
}
