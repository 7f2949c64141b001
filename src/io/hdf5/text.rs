//! Text of datasets and attributes as bytes.

use hdf5_metno as hdf5;

use hdf5::Container;
use hdf5::types::{TypeDescriptor as TD, VarLenAscii, VarLenUnicode};

use super::cell::Which;
use super::{cell, is_null};

/// A text of fixed length without the zeros behind it.
pub(super) fn unpadded(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |i| i + 1);
    bytes.get(..end).unwrap_or(bytes)
}

/// Reads text as bytes. The `as_str` of the crate's own types trusts the file to be UTF-8, so it is not used.
pub(super) fn read_text(c: &Container, field: Option<&str>, ty: &TD) -> hdf5::Result<Vec<Vec<u8>>> {
    match (ty, field) {
        _ if is_null(c) => Ok(Vec::new()),
        (TD::VarLenAscii, None) => {
            Ok(c.read_raw::<VarLenAscii>()?.iter().map(|s| s.as_bytes().to_vec()).collect())
        }
        (TD::VarLenUnicode, None) => {
            Ok(c.read_raw::<VarLenUnicode>()?.iter().map(|s| s.as_bytes().to_vec()).collect())
        }
        (TD::VarLenAscii, Some(name)) => cell::field(name, || {
            Ok(c.read_raw::<cell::Field<VarLenAscii>>()?.iter().map(|s| s.0.as_bytes().to_vec()).collect())
        }),
        (TD::VarLenUnicode, Some(name)) => cell::field(name, || {
            Ok(c.read_raw::<cell::Field<VarLenUnicode>>()?.iter().map(|s| s.0.as_bytes().to_vec()).collect())
        }),
        (ty, field) => {
            let mut out = Vec::new();
            let which = Which { field, rows: None };
            cell::read_plain(&which, ty, c, &mut |bytes| out.push(unpadded(bytes).to_vec()))?;
            Ok(out)
        }
    }
}
