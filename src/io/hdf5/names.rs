//! Long lists of names, read in runs.

use std::borrow::Cow;
use std::ops::Range;

use hdf5_metno as hdf5;

use hdf5::Dataset;
use hdf5::types::{TypeDescriptor as TD, VarLenAscii, VarLenUnicode};

use super::cell::{Which, read_plain};
use super::{Source, length, unpadded};
use crate::data::Names;
use crate::io::error::ReadError;

/// Names read at a time, unless a chunk holds more.
const RUN: usize = 1 << 16;

impl Source {
    /// As [`Source::names`], where the names are most likely those of `like`: then these are shared, and not held twice.
    pub(in crate::io) fn names_like(
        &self,
        d: &Dataset,
        ty: &TD,
        like: Option<&Names>,
    ) -> Result<Names, ReadError> {
        let Some(like) = like.filter(|l| l.len() == length(d)) else { return self.names(d, ty) };
        self.check_filters(d)?;
        let (mut row, mut same) = (0, true);
        self.runs(d, ty, &mut |bytes| {
            same = same && like.get(row).is_some_and(|name| name.as_bytes() == bytes);
            row += 1;
        })?;
        if same { Ok(like.clone()) } else { self.names(d, ty) }
    }

    /// Reads a list of texts as names. Beside the names themselves only one run of them is in memory.
    pub(in crate::io) fn names(&self, d: &Dataset, ty: &TD) -> Result<Names, ReadError> {
        self.check_filters(d)?;
        self.count(d, ty.size())?;
        let n = length(d);
        // Text of variable length is mostly as long as a barcode.
        let fixed = !matches!(ty, TD::VarLenAscii | TD::VarLenUnicode);
        let bytes = if fixed { n.saturating_mul(ty.size()) } else { n.saturating_mul(18) };
        let mut names = Names::with_capacity(n, bytes);
        let mut broken = 0usize;
        self.runs(d, ty, &mut |bytes| {
            let text = String::from_utf8_lossy(bytes);
            broken += usize::from(matches!(text, Cow::Owned(_)));
            names.push(&text);
        })?;
        self.warn_broken(&d.name(), broken);
        Ok(names)
    }

    /// Hands over the bytes of each text, in order.
    fn runs(&self, d: &Dataset, ty: &TD, push: &mut dyn FnMut(&[u8])) -> Result<(), ReadError> {
        let n = length(d);
        let chunk = d.chunk().and_then(|c| c.first().copied()).unwrap_or(1).max(1);
        let step = if chunk < RUN { RUN - RUN % chunk } else { chunk };
        for start in (0..n).step_by(step) {
            let rows = start..start.saturating_add(step).min(n);
            read_run(d, ty, rows, push).map_err(|e| self.library(&d.name(), &e))?;
        }
        Ok(())
    }
}

fn read_run(d: &Dataset, ty: &TD, rows: Range<usize>, push: &mut dyn FnMut(&[u8])) -> hdf5::Result<()> {
    match ty {
        TD::VarLenAscii => {
            d.read_slice_1d::<VarLenAscii, _>(rows)?.iter().for_each(|s| push(s.as_bytes()));
        }
        TD::VarLenUnicode => {
            d.read_slice_1d::<VarLenUnicode, _>(rows)?.iter().for_each(|s| push(s.as_bytes()));
        }
        ty => {
            let which = Which { field: None, rows: Some(rows) };
            read_plain(&which, ty, d, &mut |bytes| push(unpadded(bytes)))?;
        }
    }
    Ok(())
}
