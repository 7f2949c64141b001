//! FCS 3.1 and 3.2 files out: list mode, little endian. Whole numbers of an FCS file stay whole numbers, with the
//! amplifiers they were made with; everything else becomes floats, or doubles where a value needs them.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use super::append::append;
use super::chain::{self, Parts};
use super::compose::{Column, RECORD, Shape, append_record, compose, old_value, stated};
use super::encode::encode;
use super::header::{HEADER_LEN, MAX_HEADER_OFFSET};
use super::kept::keywords_from_uns;
use super::order::ByteOrder;
use super::renumber::keywords_of;
use super::rows::Rows;
use super::storage::{Storage, needs_doubles, storage};
use super::store::Store;
use super::var::APPENDED;
use crate::data::{
    DataError, Dataset, Layout, Matrix, Patch, in_runs, linear, linear_patch, logarithmic, rows_per_run,
    same_value,
};
use crate::io::additions::Additions;
use crate::io::error::WriteError;
use crate::io::options::{FcsVersion, ReadOptions, WriteOptions};
use crate::io::writers::need_x;
use crate::provenance;

/// Keywords with their values.
type Pairs = Vec<(String, String)>;

/// What follows DATA: where a checksum would stand, eight zeros say that there is none.
const NO_CHECKSUM: &[u8] = b"00000000";

/// Writes a data set as a new FCS file: `$PnN` from the index of `var`, `$PnS` from `var["marker"]`, further keywords
/// from `source.keywords` or, without these, from `uns["fcs"]`. Values are little endian: whole numbers of channels of an
/// FCS file stay so (`$DATATYPE` I, with their `$PnE`), others are `$DATATYPE` F, or D when a value is not exact as a
/// single. An empty keyword value is written as one space, since the standard has no empty values.
///
/// # Errors
/// [`WriteError`]; `path` may then hold a part of the file.
pub fn write(dataset: &Dataset, path: &Path, options: &WriteOptions) -> Result<(), WriteError> {
    let old = kept_keywords(dataset);
    let stored = dataset.var.column("channel");
    let name =
        |i: usize| stored.and_then(|c| c.text(i)).or_else(|| dataset.var.index.get(i)).unwrap_or_default();
    let names: Vec<String> = (0..dataset.n_vars()).map(|i| name(i).into_owned()).collect();
    let mut old = keywords_of(&old, &names);
    keep_roles(&mut old, dataset);
    let (dataset, keywords) = append(dataset, path, options)?;
    old.extend(keywords);
    Output { dataset: &dataset, old, patch: None, record: None, names_from_keywords: false, path, options }
        .write()
}

/// Marks channels that scx appended once, where no keyword does any more.
fn keep_roles(keywords: &mut Pairs, dataset: &Dataset) {
    let Some(marks) = dataset.var.column(APPENDED) else { return };
    for n in 1..=dataset.n_vars() {
        let key = format!("SCX_P{n}ROLE");
        let marked = marks.text(n - 1).is_some_and(|t| same_value("True", &t));
        if marked && old_value(keywords, &key).is_none() {
            keywords.push((key, "obs".into()));
        }
    }
}

/// Adds a provenance record to the keywords a data set is written with, whatever format it comes from: to the JSON array
/// in the keyword `SCX`.
pub fn add_record(dataset: &mut Dataset, record: &str) {
    let mut keywords = kept_keywords(dataset);
    let old = keywords.iter().rposition(|(k, _)| k.eq_ignore_ascii_case(RECORD));
    let records = append_record(old.and_then(|i| keywords.get(i)).map(|p| p.1.as_str()), record);
    match old.and_then(|i| keywords.get_mut(i)) {
        Some(pair) => pair.1 = records,
        None => keywords.push((RECORD.into(), records)),
    }
    dataset.source.keywords = keywords;
}

/// Keeps the records of earlier runs, which other formats have in uns, and that of this one.
pub(super) fn keep_records(dataset: &mut Dataset, record: Option<&str>) {
    let earlier = provenance::records(&dataset.uns);
    earlier.iter().map(String::as_str).chain(record).for_each(|r| add_record(dataset, r));
}

/// Refuses a data set without X or channels, what cannot be appended, and 64-bit numbers that no double holds, for which all values are looked at.
///
/// # Errors
/// [`WriteError::CannotHold`], [`WriteError::NotThere`], and what stops reading X.
pub fn holds(dataset: &Dataset, path: &Path, options: &WriteOptions) -> Result<(), WriteError> {
    needs_doubles(events(dataset, path)?, options.memory, path)?;
    append(dataset, path, options).map(drop)
}

/// X, when FCS can hold its shape.
fn events<'a>(dataset: &'a Dataset, path: &Path) -> Result<&'a Matrix, WriteError> {
    let x = need_x(dataset, path)?;
    let what = match x.shape().1 {
        0 => "there is no channel, and FCS asks for one; write h5ad".to_owned(),
        n if n != dataset.n_vars() => format!("X has {n} columns for {} channels", dataset.n_vars()),
        _ => return Ok(x),
    };
    Err(WriteError::CannotHold { path: path.to_owned(), what })
}

/// The keywords of a data set: its own, else those another format kept.
fn kept_keywords(dataset: &Dataset) -> Pairs {
    match dataset.uns.get("fcs") {
        Some(kept) if dataset.source.keywords.is_empty() => keywords_from_uns(kept).unwrap_or_default(),
        _ => dataset.source.keywords.clone(),
    }
}

/// Writes the FCS file `dataset` was read from again, as FCS 3.1, with the patched values in place of the stored ones
/// and the record appended to the JSON array in the keyword `SCX`. Every keyword is kept but those of the layout. New
/// values are no channel numbers: with a patch, logarithmic channels are written on the linear scale, the patch too, and
/// their `$PnE` is `0,0`. FCS has no layers: `layer`, `base` and `into_x` have no meaning.
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
        old: dataset.source.keywords.clone(),
        patch: additions.result.as_ref().map(|r| &r.patch).filter(|p| !p.values().is_empty()),
        record: Some(additions.record.as_str()).filter(|r| !r.is_empty()),
        names_from_keywords: true,
        path,
        options: &WriteOptions::default(),
    };
    output.write()
}

/// Whether the columns of X are the channels of an FCS file, in whatever format they were since.
pub(in crate::io) fn of_channels(dataset: &Dataset) -> bool {
    let stated = |(k, _): &(String, String)| k.eq_ignore_ascii_case("$DATATYPE");
    dataset.var.column("pne").is_some() || kept_keywords(dataset).iter().any(stated)
}

/// A file about to be written.
struct Output<'a> {
    dataset: &'a Dataset,
    old: Vec<(String, String)>,
    patch: Option<&'a Patch>,
    record: Option<&'a str>,
    names_from_keywords: bool,
    path: &'a Path,
    options: &'a WriteOptions<'a>,
}

impl Output<'_> {
    fn write(&self) -> Result<(), WriteError> {
        let x = self.events()?;
        let columns = self.columns(x.shape().1);
        let storage = self.storage(x, &columns)?;
        // Only beside whole numbers does a reader apply $PnE; what it cannot make sense of stays as it is.
        let logarithmic = logarithmic(self.dataset).unwrap_or_default();
        if !matches!(storage, Storage::Whole(_)) && !logarithmic.is_empty() {
            return self.write_linear();
        }
        let event_bytes = storage.event_bytes(columns.len());
        let mut shape = Shape { n_events: x.shape().0, storage, version: self.options.fcs_version, columns };
        let data_len = (shape.n_events as u64)
            .checked_mul(event_bytes)
            .ok_or_else(|| self.cannot_hold("more events than a file can hold"))?;
        // TEXT comes before DATA, but the ranges in it are known only after: room is left for the longest.
        let data_begin = HEADER_LEN + self.text(&shape, HEADER_LEN, data_len)?.1.len() as u64;
        let io = |e| WriteError::io(self.path, e);
        let mut file = File::create(self.path).map_err(io)?;
        file.seek(SeekFrom::Start(data_begin)).map_err(io)?;
        self.data(x, &mut shape, &mut file)?;
        file.write_all(NO_CHECKSUM).map_err(io)?;
        let (keywords, text) = self.text(&shape, data_begin, data_len)?;
        let header = header(shape.version, text.len() as u64, data_begin, data_len)
            .ok_or_else(|| self.cannot_hold("more than 99,999,999 bytes of keywords"))?;
        let mut front = header.into_bytes();
        front.extend_from_slice(&text);
        front.resize(usize::try_from(data_begin).unwrap_or(front.len()), b' ');
        file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&front)).map_err(io)?;
        drop(file);
        self.verify(&shape, &keywords, data_begin + data_len + NO_CHECKSUM.len() as u64)
    }

    /// The same file with logarithmic channels on the linear scale.
    fn write_linear(&self) -> Result<(), WriteError> {
        let input = |e: DataError| WriteError::Input { path: self.path.to_owned(), source: Box::new(e) };
        let patch = self.patch.cloned().map(|p| linear_patch(self.dataset, p)).transpose().map_err(input)?;
        let dataset = linear(self.dataset.clone()).map_err(input)?;
        Output { dataset: &dataset, patch: patch.as_ref(), old: self.old.clone(), ..*self }.write()
    }

    /// How values are stored; new ones are never whole numbers.
    fn storage(&self, x: &Matrix, columns: &[Column]) -> Result<Storage, WriteError> {
        let from_fcs = self.patch.is_none() && of_channels(self.dataset);
        storage(x, columns, from_fcs, self.options.memory, self.path)
    }

    /// All keywords, and TEXT.
    fn text(&self, shape: &Shape, data_begin: u64, data_len: u64) -> Result<(Pairs, Vec<u8>), WriteError> {
        let mut keywords = compose(&self.old, shape, self.names_from_keywords, self.record);
        let text = encode(&mut keywords, data_begin, data_len).map_err(|what| self.cannot_hold(what))?;
        Ok((keywords, text))
    }

    /// X, once it is known that it and the patch fit together.
    fn events(&self) -> Result<&Matrix, WriteError> {
        let x = events(self.dataset, self.path)?;
        let (rows, cols) = x.shape();
        if let Some(patch) = self.patch
            && (patch.rows().last().is_some_and(|r| *r >= rows)
                || patch.columns().last().is_some_and(|c| *c >= cols))
        {
            return Err(
                self.cannot_hold(format!("new values lie outside the {rows} events × {cols} channels"))
            );
        }
        Ok(x)
    }

    /// The channels, by the table of channels and, where it says nothing, by the keywords.
    fn columns(&self, n: usize) -> Vec<Column> {
        let var = &self.dataset.var;
        let text =
            |column: &str, i: usize| var.column(column).and_then(|c| c.text(i)).map(|t| t.into_owned());
        let number = |column: &str, i: usize| text(column, i).and_then(|t| t.parse::<f64>().ok());
        let old = |key: &str| old_value(&self.old, key);
        let column = |i: usize| {
            let (amplification, bits) = stated(&old, i + 1);
            let range = || old(&format!("$P{}R", i + 1)).and_then(|r| r.trim().parse().ok());
            Column {
                name: var.index.get(i).unwrap_or_default().into_owned(),
                stain: text("marker", i).unwrap_or_default(),
                max: None,
                range: number("pnr", i).filter(|r| r.is_finite()).or_else(range),
                amplification: text("pne", i).or(amplification),
                gain: number("png", i),
                bits,
            }
        };
        (0..n).map(column).collect()
    }

    /// Writes all events and notes the largest value of each channel.
    fn data(&self, x: &Matrix, shape: &mut Shape, file: &mut File) -> Result<(), WriteError> {
        let progress = self.options.progress;
        let mut out = Rows::new(shape.columns.len(), &shape.storage, self.patch);
        progress.start("events", shape.n_events as u64);
        // Runs of sparse rows are cut to what they take with their zeros.
        let step = match x.layout() {
            Layout::Dense => usize::MAX,
            _ => rows_per_run(self.options.memory, 8 * shape.columns.len() as u64),
        };
        let walk = x.stream(self.options.memory, &mut |start, block| {
            in_runs(start, block, step, &mut |start, block| {
                if progress.cancelled() {
                    return Err(DataError::stopped(WriteError::Cancelled { path: self.path.to_owned() }));
                }
                let done = (start + block.len()) as u64;
                out.take(start, &block);
                file.write_all(&out.bytes).map_err(|e| DataError::stopped(WriteError::io(self.path, e)))?;
                progress.advance(done, "");
                Ok(())
            })
        });
        progress.finish();
        walk.map_err(|e| WriteError::streamed(self.path, e))?;
        let max = out.max;
        for (column, max) in shape.columns.iter_mut().zip(max) {
            column.max = Some(max);
        }
        Ok(())
    }

    /// Opens the new file again: TEXT as written, DATA as long as promised, nothing after it.
    fn verify(&self, shape: &Shape, keywords: &[(String, String)], length: u64) -> Result<(), WriteError> {
        let failed = |what: String| WriteError::Verify { path: self.path.to_owned(), what };
        let options = ReadOptions::default();
        let open = || chain::open(self.path, &Store::open(self.path, &options)?, &options);
        let opened = crate::io::writers::silently(open);
        let Parts { layout, keywords: read, store, .. } = opened.map_err(|e| {
            let text = e.to_string();
            let own = format!("{}: ", self.path.display());
            failed(text.strip_prefix(&own).unwrap_or(&text).to_owned())
        })?;
        let stored = || layout.channels.iter().enumerate().all(|(i, c)| c.stored == shape.storage.of(i));
        let trimmed = |k: &str| k.trim_matches(super::split::blank).to_owned();
        let same = |(a, b): (&(String, String), &(String, String))| trimmed(&a.0) == b.0 && a.1 == b.1;
        let (events, channels) = (layout.n_events.unwrap_or(0), layout.channels.len());
        let read = read.pairs();
        if events != shape.n_events as u64 || channels != shape.columns.len() {
            Err(failed(format!(
                "{events} events × {channels} channels read, {} × {} written",
                shape.n_events,
                shape.columns.len()
            )))
        } else if layout.order != ByteOrder::Little || !stored() {
            Err(failed("the type of the values is not the one written".into()))
        } else if read.len() != keywords.len() || !keywords.iter().zip(read).all(same) {
            Err(failed("the keywords read are not those written".into()))
        } else if store.len() != length {
            Err(failed(format!("{} bytes long, {length} written", store.len())))
        } else {
            Ok(())
        }
    }

    fn cannot_hold(&self, what: impl Into<String>) -> WriteError {
        WriteError::CannotHold { path: self.path.to_owned(), what: what.into() }
    }
}

/// The 58 bytes of the HEADER; `None` when TEXT ends beyond what eight digits hold. DATA beyond that is given in TEXT
/// alone, with zeros here.
fn header(version: FcsVersion, text_len: u64, data_begin: u64, data_len: u64) -> Option<String> {
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
    let version = match version {
        FcsVersion::V3_1 => "FCS3.1",
        FcsVersion::V3_2 => "FCS3.2",
    };
    Some(format!("{version}    {HEADER_LEN:>8}{text_end:>8}{begin:>8}{end:>8}{:>8}{:>8}", 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_beyond_eight_digits_is_left_to_text() {
        let header = |text, begin, len| super::header(FcsVersion::V3_1, text, begin, len);
        let h = header(942, 1000, 99_999_000).unwrap();
        assert_eq!(h.len(), 58);
        assert_eq!(&h[26..42], "    100099999999");
        assert_eq!(&header(942, 1000, 99_999_001).unwrap()[26..42], "       0       0");
        assert_eq!(&header(942, 1000, 0).unwrap()[26..42], "    1000     999");
        assert!(header(99_999_943, 0, 0).is_none());
    }
}
