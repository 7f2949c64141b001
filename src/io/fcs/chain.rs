//! One file, one or several data sets: finds the one asked for and reads everything of it but its events.

use std::io;
use std::path::Path;

use super::ascii;
use super::header::{HEADER_LEN, Header, Offsets, has_magic};
use super::layout::Layout;
use super::store::Store;
use super::text::Keywords;
use crate::data::Change;
use crate::io::error::ReadError;
use crate::io::limits::ReadLimits;
use crate::io::options::ReadOptions;

/// Data sets looked for at most, and bytes of TEXT read to count them: a chain of many is no file of an instrument.
const MOST_SETS: usize = 1000;
const MOST_TEXT: u64 = 64 << 20;

/// An open file with everything known about one data set but its events.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) store: Store,
    pub(super) header: Header,
    pub(super) keywords: Keywords,
    pub(super) layout: Layout,
    /// Where every so many events of free text begin.
    pub(super) index: Option<ascii::TextIndex>,
    /// What of the file is not in the data set: data sets nobody asked for, and ANALYSIS.
    pub(super) left: Vec<Change>,
}

/// HEADER and keywords of the data set asked for, the first by default.
pub(super) fn keywords(
    path: &Path,
    store: &Store,
    options: &ReadOptions,
) -> Result<(Header, Keywords), ReadError> {
    let (_, _, header, keywords) = begin(path, store, options)?;
    Ok((header, keywords))
}

/// How many data sets a file has, one that cannot be read included; what lies behind that one cannot be known.
pub(super) fn count(path: &Path, store: &Store, options: &ReadOptions) -> Result<usize, ReadError> {
    let mut chain = Chain::new(path, store, options);
    let (mut base, mut text) = (0, 0);
    for n in 1..MOST_SETS {
        let next = chain.set(base).and_then(|(header, keywords)| {
            text += header.text.len().unwrap_or(0);
            chain.next(base, &keywords)
        });
        match next {
            Ok(Some(next)) if text < MOST_TEXT => base = next,
            _ => return Ok(n),
        }
    }
    Ok(MOST_SETS)
}

/// The open file and the begin, HEADER and keywords of the data set asked for.
fn begin<'a>(
    path: &'a Path,
    store: &'a Store,
    options: &'a ReadOptions,
) -> Result<(Chain<'a>, u64, Header, Keywords), ReadError> {
    let mut chain = Chain::new(path, store, options);
    let (base, header, keywords) = chain.choose(options.data_set)?;
    Ok((chain, base, header, keywords))
}

/// A file at the data set asked for, the first by default, once it is known that DATA is as long as it says.
pub(super) fn open(path: &Path, store: &Store, options: &ReadOptions) -> Result<Parts, ReadError> {
    let (Chain { mut left, .. }, base, header, keywords) = begin(path, store, options)?;
    let mut layout = Layout::new(path, &header, &keywords, (base, store.len()), options.fcs_offsets)?;
    let index = ascii::index(path, store, &mut layout, &options.limits)?;
    left.extend(analysis(path, &header, &keywords));
    Ok(Parts { store: store.clone(), header, keywords, layout, index, left })
}

/// ANALYSIS, where HEADER or TEXT say that there is one. Nothing is read from it.
fn analysis(path: &Path, header: &Header, keywords: &Keywords) -> Option<Change> {
    // Instruments leave anything in these keywords.
    let one = |key: &str| keywords.integer(path, key).ok().flatten().unwrap_or(0);
    let text = Offsets { begin: one("$BEGINANALYSIS"), end: one("$ENDANALYSIS") };
    let there = [header.analysis, text].into_iter().find(|a| a.begin != 0 && a.end > a.begin)?;
    let why = format!("the segment (bytes {} to {}) is not read", there.begin, there.end);
    Some(Change::left("ANALYSIS", why))
}

/// A file whose data sets are walked through.
struct Chain<'a> {
    path: &'a Path,
    store: &'a Store,
    limits: &'a ReadLimits,
    left: Vec<Change>,
}

impl<'a> Chain<'a> {
    fn new(path: &'a Path, store: &'a Store, options: &'a ReadOptions) -> Self {
        Self { path, store, limits: &options.limits, left: Vec::new() }
    }

    /// Begin, HEADER and keywords of data set `wanted`, from 1.
    fn choose(&mut self, wanted: Option<usize>) -> Result<(u64, Header, Keywords), ReadError> {
        let target = wanted.unwrap_or(1);
        let path = self.path;
        let none = |n: String| {
            let what = format!("data set {target} was asked for, the file holds {n}, counted from 1");
            ReadError::unsupported(path, what)
        };
        if target == 0 || target > MOST_SETS {
            return Err(none(format!("at most {MOST_SETS}")));
        }
        let mut base = 0;
        for n in 1..target {
            let (_, keywords) = self.set(base)?;
            base = self.next(base, &keywords)?.ok_or_else(|| none(n.to_string()))?;
        }
        let (header, keywords) = self.set(base)?;
        if wanted.is_none()
            && let Some(next) = self.next(base, &keywords)?
        {
            let (count, more) = self.count(next);
            let (least, s) = (if more { "at least " } else { "" }, if count == 1 { "" } else { "s" });
            tracing::warn!(
                "{}: the file holds {least}{} data sets; the first is read, `--data-set 2` reads the next one \
                 ({count} more data set{s} left out)",
                self.path.display(),
                count + 1,
            );
            let element =
                if count == 1 { "data set 2".into() } else { format!("data sets 2 to {}", count + 1) };
            let why = "the first is read; `--data-set N` chooses another".to_owned();
            self.left.push(Change::left(element, why));
        }
        Ok((base, header, keywords))
    }

    /// How many readable data sets there are from `base` on, and whether the count was broken off.
    fn count(&mut self, mut base: u64) -> (usize, bool) {
        let mut text = 0;
        for n in 1..MOST_SETS {
            let Ok((header, keywords)) = self.set(base) else { return (n, false) };
            text += header.text.len().unwrap_or(0);
            match self.next(base, &keywords) {
                Ok(Some(next)) if text < MOST_TEXT => base = next,
                Ok(Some(_)) => return (n, true),
                _ => return (n, false),
            }
        }
        (MOST_SETS, true)
    }

    /// HEADER and keywords of the data set that begins at byte `base`.
    fn set(&mut self, base: u64) -> Result<(Header, Keywords), ReadError> {
        let there = self.store.len().saturating_sub(base).min(HEADER_LEN);
        let mut head = vec![0; there as usize];
        self.store.read_exact_at(&mut head, base).map_err(|e| ReadError::io(self.path, e))?;
        let header = Header::parse(self.path, &head)?;
        let text = self.segment("TEXT", base, header.text)?;
        let mut keywords = Keywords::parse(self.path, &text, self.limits)?;
        if let Some(place) = supplemental(self.path, &header, &keywords)? {
            let text = self.segment("supplemental TEXT", base, place)?;
            keywords.supplement(self.path, &text, self.limits)?;
        }
        Ok((header, keywords))
    }

    /// The bytes of a segment, once it is known to lie inside the file.
    fn segment(&mut self, name: &str, base: u64, place: Offsets) -> Result<Vec<u8>, ReadError> {
        let Some(len) = place.len() else {
            let what = format!("is said to end (byte {}) before it begins (byte {})", place.end, place.begin);
            return Err(ReadError::malformed(self.path, name, what));
        };
        let promised = base.saturating_add(place.end).saturating_add(1);
        let file_len = self.store.len();
        if promised > file_len {
            return Err(ReadError::malformed(
                self.path,
                name,
                format!(
                    "truncated: header promises {promised} bytes, file has {file_len}; get a complete copy"
                ),
            ));
        }
        let len = self.limits.check(self.path, name, len, 1)?;
        let mut bytes = vec![0; len];
        self.store.read_exact_at(&mut bytes, base + place.begin).map_err(|e| ReadError::io(self.path, e))?;
        Ok(bytes)
    }

    /// Where the data set after the one at `base` begins. `$NEXTDATA` counts from the HEADER it belongs to; some
    /// writers count from the beginning of the file.
    fn next(&mut self, base: u64, keywords: &Keywords) -> Result<Option<u64>, ReadError> {
        let next = keywords.integer(self.path, "$NEXTDATA")?.unwrap_or(0);
        if next == 0 {
            return Ok(None);
        }
        for at in [base.saturating_add(next), next] {
            if at > base && self.magic_at(at)? {
                return Ok(Some(at));
            }
        }
        tracing::warn!(
            "{}: $NEXTDATA {next} points to no further data set; it is ignored",
            self.path.display()
        );
        Ok(None)
    }

    fn magic_at(&mut self, at: u64) -> Result<bool, ReadError> {
        let mut magic = [0; 6];
        match self.store.read_exact_at(&mut magic, at) {
            Ok(()) => Ok(has_magic(&magic)),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(e) => Err(ReadError::io(self.path, e)),
        }
    }
}

/// Where the supplemental TEXT lies, when there is one.
fn supplemental(path: &Path, header: &Header, keywords: &Keywords) -> Result<Option<Offsets>, ReadError> {
    let begin = keywords.integer(path, "$BEGINSTEXT")?.unwrap_or(0);
    let end = keywords.integer(path, "$ENDSTEXT")?.unwrap_or(0);
    // Some writers repeat the place of the primary TEXT here.
    let there = begin != 0 && end > begin && begin != header.text.begin;
    Ok(there.then_some(Offsets { begin, end }))
}
