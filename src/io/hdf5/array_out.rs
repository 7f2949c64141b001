//! Writing a dataset from front to back: chunks are encoded by all threads at once and handed to the library as they are.

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group};
use rayon::prelude::*;

use super::codec::Pipeline;
use super::raw::write_chunk;
use super::{Storage, create, elements, write_rows};
use crate::data::{DType, Values};

/// A new dataset that is filled in order. The bytes it makes do not depend on how many threads make them.
pub(super) struct ArrayOut {
    dataset: Dataset,
    /// Rows written.
    at: usize,
    coder: Option<Coder>,
}

/// Encodes chunks of whole rows.
struct Coder {
    pipeline: Pipeline,
    rows: usize,
    bytes: usize,
    /// What does not fill a chunk yet.
    rest: Vec<u8>,
}

impl ArrayOut {
    /// Makes the dataset `group/name`.
    pub(super) fn create(
        group: &Group,
        name: &str,
        dtype: DType,
        shape: &[usize],
        storage: &Storage,
    ) -> hdf5::Result<Self> {
        let dataset = create(group, name, dtype, shape, storage)?;
        // The chunk shape may have been cut to that of the dataset.
        let coder = dataset.chunk().and_then(|chunk| {
            let whole_rows = chunk.get(1..)? == shape.get(1..)?;
            let pipeline = Pipeline::of(&storage.filters, dtype.size()).filter(Pipeline::encodes)?;
            let bytes = usize::try_from(elements(&chunk)).ok()?.checked_mul(dtype.size())?;
            (whole_rows && bytes > 0).then(|| Coder { pipeline, rows: chunk[0], bytes, rest: Vec::new() })
        });
        Ok(Self { dataset, at: 0, coder })
    }

    /// Appends row-major values.
    pub(super) fn push(&mut self, values: &Values) -> hdf5::Result<()> {
        let Some(coder) = &mut self.coder else {
            let per_row = elements(self.dataset.shape().get(1..).unwrap_or(&[])).max(1);
            write_rows(&self.dataset, self.at, values)?;
            self.at += values.len() / usize::try_from(per_row).unwrap_or(usize::MAX);
            return Ok(());
        };
        coder.rest.extend_from_slice(values.bytes());
        let full = coder.rest.len() - coder.rest.len() % coder.bytes;
        if full == 0 {
            return Ok(());
        }
        let chunks = coder.rest.get(..full).unwrap_or_default();
        let encoded = chunks.par_chunks_exact(coder.bytes).map(|chunk| coder.pipeline.encode(chunk));
        let encoded = encoded.collect::<Result<Vec<_>, String>>().map_err(hdf5::Error::from)?;
        let mut place = vec![0; self.dataset.ndim()];
        for bytes in encoded {
            if let Some(row) = place.first_mut() {
                *row = self.at as u64;
            }
            write_chunk(&self.dataset, &place, 0, &bytes)?;
            self.at += coder.rows;
        }
        coder.rest.drain(..full);
        Ok(())
    }

    /// Writes what is left and gives the dataset back.
    pub(super) fn finish(mut self) -> hdf5::Result<Dataset> {
        if let Some(mut coder) = self.coder.take().filter(|c| !c.rest.is_empty()) {
            // A chunk at the edge is as long as any other.
            coder.rest.resize(coder.bytes, 0);
            let bytes = coder.pipeline.encode(&coder.rest).map_err(hdf5::Error::from)?;
            let mut place = vec![0; self.dataset.ndim()];
            if let Some(row) = place.first_mut() {
                *row = self.at as u64;
            }
            write_chunk(&self.dataset, &place, 0, &bytes)?;
        }
        Ok(self.dataset)
    }
}
