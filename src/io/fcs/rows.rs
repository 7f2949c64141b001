//! Events on their way into DATA.

use super::storage::Storage;
use crate::data::{Block, Dense, Element, Patch, Sparse};
use crate::with_values;

/// A run of events as bytes, and the largest value of each channel so far.
pub(super) struct Rows<'a> {
    pub(super) max: Vec<f64>,
    pub(super) bytes: Vec<u8>,
    storage: &'a Storage,
    /// Bytes of each channel of whole numbers.
    widths: Vec<usize>,
    patch: Option<&'a Patch>,
}

impl<'a> Rows<'a> {
    /// Without events, for so many channels.
    pub(super) fn new(channels: usize, storage: &'a Storage, patch: Option<&'a Patch>) -> Self {
        let widths = match storage {
            Storage::Whole(bits) => bits.iter().map(|b| (b / 8) as usize).collect(),
            _ => Vec::new(),
        };
        Self { max: vec![f64::NEG_INFINITY; channels], bytes: Vec::new(), storage, widths, patch }
    }

    /// Makes the bytes of a run that begins with event `start`.
    pub(super) fn take(&mut self, start: usize, block: &Block) {
        self.bytes.clear();
        match block {
            Block::Dense(d) => self.dense(start, d),
            Block::Csr(s) => self.csr(start, s),
        }
    }

    fn dense(&mut self, start: usize, d: &Dense) {
        let n = d.shape().1;
        let mut row = vec![0.0; n];
        with_values!(d.values(), v => {
            for (i, stored) in v.chunks_exact(n).enumerate() {
                for (to, from) in row.iter_mut().zip(stored) {
                    *to = from.to_f64();
                }
                self.row(start + i, &mut row);
            }
        });
    }

    fn csr(&mut self, start: usize, s: &Sparse) {
        let mut row = vec![0.0; s.shape().1];
        with_values!(s.values(), v => {
            for (i, w) in s.indptr().windows(2).enumerate() {
                row.fill(0.0);
                let span = w[0] as usize..w[1] as usize;
                let indices = s.indices().get(span.clone()).unwrap_or_default();
                for (&c, x) in indices.iter().zip(v.get(span).unwrap_or_default()) {
                    // Entries stored twice add up, as in scipy.
                    if let Some(to) = row.get_mut(c as usize) {
                        *to += x.to_f64();
                    }
                }
                self.row(start + i, &mut row);
            }
        });
    }

    /// One event, with new values in their places.
    fn row(&mut self, event: usize, row: &mut [f64]) {
        if let Some((patch, new)) = self.patch.and_then(|p| p.row(event).map(|new| (p, new))) {
            for (&column, &v) in patch.columns().iter().zip(new) {
                if let Some(to) = row.get_mut(column) {
                    *to = f64::from(v);
                }
            }
        }
        for (&v, m) in row.iter().zip(&mut self.max) {
            if v > *m && v.is_finite() {
                *m = v;
            }
        }
        match self.storage {
            Storage::Double => row.iter().for_each(|v| self.bytes.extend_from_slice(&v.to_le_bytes())),
            Storage::Single => {
                row.iter().for_each(|v| self.bytes.extend_from_slice(&(*v as f32).to_le_bytes()));
            }
            // The look before found that every value fits.
            Storage::Whole(_) => {
                for (v, &width) in row.iter().zip(&self.widths) {
                    self.bytes.extend_from_slice((*v as u64).to_le_bytes().get(..width).unwrap_or_default());
                }
            }
        }
    }
}
