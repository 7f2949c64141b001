//! Text of loom files of any age: ASCII with character references, UTF-8, or the bytes of Western Europe.

use hdf5_metno as hdf5;

use hdf5::types::TypeDescriptor as TD;
use hdf5::{Container, Dataset};

pub(super) use super::entities::{escape, unescape};
use crate::io::error::ReadError;
use crate::io::hdf5::Source;

/// The texts of a dataset, references undone.
pub(super) fn of_dataset(source: &Source, d: &Dataset, ty: &TD) -> Result<Vec<String>, ReadError> {
    source.check_filters(d)?;
    source.count(d, ty.size())?;
    read(source, d, &d.name(), ty)
}

/// The texts of a dataset or attribute whose size has been checked.
pub(super) fn read(source: &Source, c: &Container, at: &str, ty: &TD) -> Result<Vec<String>, ReadError> {
    let mut latin = 0usize;
    let texts = source.raw_text(c, at, ty)?.into_iter().map(|t| decode(t, &mut latin)).collect();
    if latin > 0 {
        tracing::warn!("{}: {at}: {latin} texts are not UTF-8; read as Latin-1", source.path.display());
    }
    Ok(texts)
}

/// The first texts of a dataset, references undone; none when getting at them would take long.
pub(super) fn first(source: &Source, d: &Dataset, most: usize) -> Vec<String> {
    source.first_raw(d, most).into_iter().map(|t| decode(t, &mut 0)).collect()
}

/// One text; counts it when it is no UTF-8.
fn decode(bytes: Vec<u8>, latin: &mut usize) -> String {
    let text = String::from_utf8(bytes).unwrap_or_else(|e| {
        *latin += 1;
        e.as_bytes().iter().map(|b| char::from(*b)).collect()
    });
    unescape(text)
}
