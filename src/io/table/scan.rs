//! The first walk through a table: how many rows, what each column holds, and all text.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use super::id_names::{LEADING, is_id};
use super::number::{Cell, Number, Strain, cell, strain};
use super::records::{Field, Record, Records, text_of};
use super::sniff::delimiter_of;
use crate::data::DType;
use crate::io::error::ReadError;
use crate::io::options::ReadOptions;

/// Rows between two places of the file that are remembered.
const STRIDE: u64 = 1024;

/// How the text of a file is cut into fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    /// Between two fields.
    pub(super) delimiter: u8,
    /// Bytes one record may take.
    pub(super) record_limit: usize,
}

impl Dialect {
    /// Whether numbers may have a decimal comma.
    pub(super) fn comma(self) -> bool {
        self.delimiter == b';'
    }

    /// Records from a place of the file on.
    pub(super) fn records(
        self,
        path: &Path,
        (line, offset): (u64, u64),
    ) -> Result<Records<Box<dyn std::io::BufRead + Send>>, ReadError> {
        Ok(Records::new(text_of(path, offset)?, path, self.delimiter, self.record_limit, (line, offset)))
    }
}

/// Text of a column, `None` where missing.
pub(super) type Texts = Vec<Option<String>>;

/// An entry and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) line: u64,
    pub(super) text: String,
}

/// What a column holds.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// Some entries are text.
    pub(super) text: bool,
    /// Some entries are truth values.
    pub(super) bools: bool,
    /// Some entries are numbers.
    pub(super) numbers: bool,
    /// Some entries are missing.
    pub(super) missing: bool,
    whole: bool,
    least: i64,
    most: u64,
    single: bool,
    /// Numbers that are zero.
    pub(super) zeros: u64,
    /// The first number larger than any double.
    pub(super) over: Option<Entry>,
    /// Whole numbers that are rounded if the column becomes one of floats, and the first of them.
    pub(super) rounded: u64,
    pub(super) first_rounded: Option<Entry>,
    /// Whether it is looked at how numbers are written: in columns that may be ids or belong to obs.
    close: bool,
    /// Some numbers have a point, or are no number of digits.
    fraction: bool,
    /// Some whole numbers begin with a zero, or have more digits than 64 bits hold: only as text they stay what they are.
    inexact: bool,
    /// Some numbers have an exponent.
    exponent: bool,
    /// Hashes of the entries while all differ, where this is watched.
    seen: Option<HashSet<u64>>,
    /// The entries, while it was known from the first row on that they are no numbers.
    pub(super) texts: Option<Texts>,
}

impl Seen {
    fn new() -> Self {
        Self {
            text: false,
            bools: false,
            numbers: false,
            missing: false,
            whole: true,
            least: 0,
            most: 0,
            single: true,
            zeros: 0,
            over: None,
            rounded: 0,
            first_rounded: None,
            close: false,
            fraction: false,
            inexact: false,
            exponent: false,
            seen: None,
            texts: None,
        }
    }

    /// Whether the entries are text and whole numbers alone, as ids are.
    pub(super) fn could_be_ids(&self) -> bool {
        !self.fraction && !self.bools
    }

    /// Whether no two entries are equal; `false` where this was not watched.
    pub(super) fn all_differ(&self) -> bool {
        self.seen.is_some()
    }

    /// Whether all whole numbers have at most 31 bits.
    pub(super) fn is_small(&self) -> bool {
        self.whole && self.most <= i32::MAX as u64 && self.least >= 0
    }

    /// Whether numbers are what is written: of ids, digit by digit.
    pub(super) fn is_exact(&self, ids: bool) -> bool {
        self.fraction || !(self.inexact || (ids && self.exponent))
    }

    /// The element type that holds the column by itself, missing entries aside.
    pub(super) fn own_type(&self) -> DType {
        common_type(std::iter::once(&Seen { missing: false, seen: None, texts: None, ..self.clone() }))
    }

    /// Watches whether an entry came before; how many bytes that took.
    fn watch(&mut self, hash: u64) -> u64 {
        if self.seen.as_mut().is_some_and(|seen| seen.insert(hash)) {
            return 16;
        }
        self.seen = None;
        0
    }

    fn look(&mut self, cell: Cell) {
        match cell {
            Cell::Missing => self.missing = true,
            Cell::Text => self.text = true,
            Cell::Bool(_) => self.bools = true,
            Cell::Number(n) => {
                self.numbers = true;
                match n {
                    Number::Int(0) => {
                        self.zeros += 1;
                        return;
                    }
                    Number::Int(n) if n < 0 => self.least = self.least.min(n),
                    Number::Int(n) => self.most = self.most.max(n as u64),
                    Number::Big(n) => self.most = self.most.max(n),
                    Number::Float(x) => {
                        self.whole = false;
                        self.zeros += u64::from(x.to_bits() == 0);
                    }
                }
                let x = n.to_f64();
                self.single &= f64::from(x as f32) == x && !matches!(n, Number::Big(_));
            }
        }
    }

    /// Looks at how a number is written.
    fn writing(&mut self, n: Number, text: &[u8]) {
        let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
        match n {
            Number::Float(x) if !digits.iter().all(u8::is_ascii_digit) => {
                self.fraction |= x.fract() != 0.0 || !x.is_finite() || digits.contains(&b'.');
                self.exponent = true;
            }
            Number::Float(_) => self.inexact = true,
            _ => self.inexact |= text.starts_with(b"+") || (digits.len() > 1 && digits.starts_with(b"0")),
        }
    }

    /// Remembers numbers that doubles do not hold, and how they are written.
    fn strain(&mut self, n: Number, field: Field, line: u64) {
        if self.close {
            self.writing(n, field.text.trim_ascii());
        }
        let place = || Some(Entry { line, text: utf8(field.text) });
        match strain(n, field.text) {
            None => {}
            Some(Strain::Overflow) if self.over.is_none() => self.over = place(),
            Some(Strain::Overflow) => {}
            Some(Strain::Whole) => {
                self.rounded += 1;
                if self.first_rounded.is_none() {
                    self.first_rounded = place();
                }
            }
        }
    }

    /// Whether the column is one of X: numbers, or nothing at all.
    pub(super) fn is_numeric(&self) -> bool {
        !self.text && !self.bools
    }
}

/// The element type that holds all these columns: whole numbers stay whole, fractions take single precision when every
/// value is exact in it, and double otherwise.
pub(super) fn common_type<'a>(columns: impl Iterator<Item = &'a Seen>) -> DType {
    let mut all = Seen::new();
    for c in columns {
        all.numbers |= c.numbers;
        all.missing |= c.missing;
        all.whole &= c.whole;
        all.least = all.least.min(c.least);
        all.most = all.most.max(c.most);
        all.single &= c.single;
    }
    let whole = all.whole && !all.missing && all.numbers;
    if whole && all.most <= i32::MAX as u64 && all.least >= i64::from(i32::MIN) {
        DType::I32
    } else if whole && all.most <= i64::MAX as u64 {
        DType::I64
    } else if whole && all.least >= 0 {
        DType::U64
    } else if all.single {
        DType::F32
    } else {
        DType::F64
    }
}

/// What the first walk found.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) dialect: Dialect,
    /// Names of the columns, when the file has them; of all columns, the names of rows included.
    pub(super) header: Option<Vec<String>>,
    /// Fields of a record.
    pub(super) columns: Vec<Seen>,
    pub(super) n_rows: u64,
    /// Where row 0, [`STRIDE`], … begin: line and byte.
    pub(super) places: Vec<(u64, u64)>,
}

impl Scan {
    /// The place to start from to reach a row, and the rows to skip from there.
    pub(super) fn place(places: &[(u64, u64)], row: u64) -> Option<((u64, u64), u64)> {
        let at = usize::try_from(row / STRIDE).ok()?.min(places.len().checked_sub(1)?);
        Some((*places.get(at)?, row - at as u64 * STRIDE))
    }
}

/// Text as UTF-8; what is not is replaced by `�`.
pub(super) fn utf8(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// A field as an entry of a column of text: what stood in quotes is never missing.
pub(super) fn entry(field: Field) -> Option<String> {
    (field.quoted || !super::number::is_missing(field.text)).then(|| utf8(field.text))
}

/// Bytes an entry takes in memory.
pub(super) fn weight(field: Field) -> u64 {
    (size_of::<Option<String>>() + field.text.len()) as u64
}

struct Walk<'a> {
    path: &'a Path,
    options: &'a ReadOptions,
    scan: Scan,
    header_line: u64,
    text_bytes: u64,
    hasher: RandomState,
}

/// Walks through a file once.
///
/// # Errors
/// [`ReadError`] with the line where a record has too few or too many fields.
pub(super) fn scan(path: &Path, options: &ReadOptions) -> Result<Scan, ReadError> {
    let limit = (options.memory / 4).min(options.limits.max_bytes).max(1 << 16);
    let dialect = Dialect {
        delimiter: delimiter_of(path)?,
        record_limit: usize::try_from(limit).unwrap_or(usize::MAX),
    };
    let scan = Scan { dialect, header: None, columns: Vec::new(), n_rows: 0, places: Vec::new() };
    let mut walk = Walk { path, options, scan, header_line: 0, text_bytes: 0, hasher: RandomState::new() };
    let mut records = dialect.records(path, (1, 0))?;
    let mut record = Record::default();
    let mut first = None;
    while records.next(&mut record)? {
        let Some(header) = &first else {
            // Remarks before the table, as anndata skips them.
            if record.get(0).is_some_and(|f| !f.quoted && f.text.starts_with(b"#")) {
                continue;
            }
            walk.header_line = record.line;
            first = Some((std::mem::take(&mut record), false));
            continue;
        };
        if !header.1 {
            let Some((line, _)) = first.take() else { break };
            walk.begin(&line, record.len())?;
            first = Some((line, true));
        }
        walk.row(&record)?;
    }
    match first {
        None => return Err(ReadError::malformed(path, "line 1", "there is no table: the file is empty")),
        Some((line, false)) => walk.begin(&line, line.len())?,
        Some(_) => {}
    }
    Ok(walk.scan)
}

impl Walk<'_> {
    /// Looks at the first record, which is a header or a row; `width` is the number of fields of the second.
    fn begin(&mut self, first: &Record, width: usize) -> Result<(), ReadError> {
        let comma = self.scan.dialect.comma();
        let number = |f: Field| matches!(cell(f, comma), Cell::Number(_));
        // As anndata does: the last field tells, since the first may be a name. A corner that is empty tells as well.
        let is_header = !first.iter().last().is_some_and(number)
            || first.get(0).is_some_and(|f| f.text.is_empty() || is_id(&utf8(f.text)))
            || first.len() + 1 == width;
        let n = if is_header { width.max(first.len()) } else { first.len() };
        self.options.limits.check(self.path, "the first line", n as u64, size_of::<Seen>())?;
        self.scan.columns = vec![Seen::new(); n];
        if !is_header {
            let all = !self.options.obs_columns.is_empty();
            for (i, column) in self.scan.columns.iter_mut().enumerate() {
                column.seen = (i < LEADING).then(HashSet::new);
                column.close = all || i < LEADING;
            }
            return self.row(first);
        }
        let mut header: Vec<String> = first.iter().map(|f| utf8(f.text)).collect();
        // R leaves out the name of the names.
        if header.len() + 1 == n {
            header.insert(0, String::new());
        }
        for ((i, column), name) in self.scan.columns.iter_mut().enumerate().zip(&header) {
            let id = i < LEADING || is_id(name);
            column.seen = id.then(HashSet::new);
            column.close = id || self.options.obs_columns.contains(name);
        }
        self.scan.header = Some(header);
        Ok(())
    }

    fn row(&mut self, record: &Record) -> Result<(), ReadError> {
        let n = self.scan.columns.len();
        if record.len() != n {
            let what = format!("{} fields, expected {n} as in line {}", record.len(), self.header_line);
            return Err(ReadError::malformed(self.path, format!("line {}", record.line), what));
        }
        if self.scan.n_rows.is_multiple_of(STRIDE) {
            self.scan.places.push((record.line, record.offset));
        }
        let comma = self.scan.dialect.comma();
        for (i, (seen, field)) in self.scan.columns.iter_mut().zip(record.iter()).enumerate() {
            let cell = cell(field, comma);
            seen.look(cell);
            if let Cell::Number(n) = cell {
                seen.strain(n, field, record.line);
            }
            if seen.seen.is_some() {
                self.text_bytes += seen.watch(self.hasher.hash_one(field.text));
            }
            let begins = self.scan.n_rows == 0 && (i == 0 || matches!(cell, Cell::Text | Cell::Bool(_)));
            if begins {
                seen.texts = Some(Vec::new());
            }
            if let Some(texts) = &mut seen.texts {
                texts.push(if i == 0 { Some(utf8(field.text)) } else { entry(field) });
                self.text_bytes += weight(field);
            }
        }
        self.scan.n_rows += 1;
        if self.scan.n_rows.is_multiple_of(STRIDE) {
            let limits = crate::io::limits::ReadLimits {
                max_bytes: self.options.memory.min(self.options.limits.max_bytes),
            };
            limits.check(self.path, "the text of the table", self.text_bytes, 1)?;
        }
        Ok(())
    }
}
