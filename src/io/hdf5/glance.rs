//! What can be told of an array without reading it: how it is stored, and its first entries.

use hdf5_metno as hdf5;

use hdf5::Dataset;
use hdf5::types::{TypeDescriptor as TD, VarLenAscii, VarLenUnicode};

use super::judge::LARGE_CHUNK;
use super::{Kind, Source, elements, length};
use crate::io::outline::Storage;

/// Counting the bytes of more chunks than this takes too long.
const CHUNKS: u64 = 20_000;
/// Text of fixed length up to this is read whole to show its beginning.
const SMALL: u64 = 8 << 20;

/// How an array is stored.
pub(in crate::io) fn storage(d: &Dataset) -> Storage {
    let chunk = d.chunk();
    let chunks = match &chunk {
        Some(c) => c.iter().zip(d.shape()).map(|(c, n)| (n as u64).div_ceil((*c).max(1) as u64)).product(),
        None => 1,
    };
    Storage { chunk, filters: filter_words(d), bytes: (chunks <= CHUNKS).then(|| d.storage_size()) }
}

/// The filters of a dataset, by the names people use.
fn filter_words(d: &Dataset) -> Vec<String> {
    use hdf5::filters::Filter;
    let word = |f: &Filter| match f {
        Filter::Deflate(level) => format!("gzip {level}"),
        Filter::Shuffle => "shuffle".into(),
        Filter::Fletcher32 => "fletcher32".into(),
        Filter::LZF => "lzf".into(),
        Filter::Blosc(..) => "blosc".into(),
        other => format!("filter {}", other.id()),
    };
    d.dcpl().and_then(|p| p.get_filters()).unwrap_or_default().iter().map(word).collect()
}

impl Source {
    /// The bytes of the first texts of a list; none when it holds no text, or when getting at them would take long.
    pub(in crate::io) fn first_raw(&self, d: &Dataset, most: usize) -> Vec<Vec<u8>> {
        let n = length(d).min(most);
        let chunk = d.chunk().map_or(0, |c| elements(&c)).saturating_mul(16);
        if d.ndim() != 1 || n == 0 || chunk > LARGE_CHUNK || self.check_filters(d).is_err() {
            return Vec::new();
        }
        match self.kind(d) {
            Kind::Text(TD::VarLenUnicode) => d
                .read_slice_1d::<VarLenUnicode, _>(..n)
                .map_or_else(|_| Vec::new(), |v| v.iter().map(|s| s.as_bytes().to_vec()).collect()),
            Kind::Text(TD::VarLenAscii) => d
                .read_slice_1d::<VarLenAscii, _>(..n)
                .map_or_else(|_| Vec::new(), |v| v.iter().map(|s| s.as_bytes().to_vec()).collect()),
            Kind::Text(ty) if (d.size() as u64).saturating_mul(ty.size() as u64) <= SMALL => {
                let mut all = self.raw_text(d, &d.name(), &ty).unwrap_or_default();
                all.truncate(n);
                all
            }
            _ => Vec::new(),
        }
    }

    /// One entry of a list as text; `None` when getting at it would take long.
    pub(in crate::io) fn text_at(&self, d: &Dataset, i: usize) -> Option<String> {
        let chunk = d.chunk().map_or(0, |c| elements(&c)).saturating_mul(16);
        if d.ndim() != 1 || i >= d.size() || chunk > LARGE_CHUNK || self.check_filters(d).is_err() {
            return None;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match self.kind(d) {
            Kind::Text(TD::VarLenUnicode) => {
                d.read_slice_1d::<VarLenUnicode, _>(i..i + 1).ok()?.first().map(|s| text(s.as_bytes()))
            }
            Kind::Text(TD::VarLenAscii) => {
                d.read_slice_1d::<VarLenAscii, _>(i..i + 1).ok()?.first().map(|s| text(s.as_bytes()))
            }
            _ => self.first(d, i + 1).into_iter().nth(i),
        }
    }

    /// The first entries of a list as text; none when getting at them would take long.
    pub(in crate::io) fn first(&self, d: &Dataset, most: usize) -> Vec<String> {
        if let Kind::Number(dtype) = self.kind(d) {
            let n = length(d).min(most);
            let bytes = d.chunk().map_or(0, |c| elements(&c)).saturating_mul(dtype.size() as u64);
            if d.ndim() != 1 || n == 0 || bytes > LARGE_CHUNK || self.check_filters(d).is_err() {
                return Vec::new();
            }
            let values = self.number_rows(d, dtype, 0..n);
            return values.map_or_else(|_| Vec::new(), |v| (0..n).filter_map(|i| v.text(i)).collect());
        }
        let text = |v: Vec<u8>| String::from_utf8_lossy(&v).into_owned();
        self.first_raw(d, most).into_iter().map(text).collect()
    }
}
