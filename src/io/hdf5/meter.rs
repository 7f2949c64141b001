//! Tells how the writing of one matrix goes, and stops it when asked.

use std::path::{Path, PathBuf};
use std::time::Instant;

use hdf5_metno as hdf5;

use super::write_error;
use crate::data::DataError;
use crate::io::error::WriteError;
use crate::io::options::WriteOptions;
use crate::progress::Progress;

/// Counts the stored elements of one matrix.
pub(in crate::io) struct Meter<'a> {
    progress: &'a dyn Progress,
    out: PathBuf,
    since: Instant,
    done: u64,
}

impl<'a> Meter<'a> {
    /// Begins to write `total` elements of the matrix called `name` inside the file.
    pub(in crate::io) fn start(options: &WriteOptions<'a>, out: &Path, name: &str, total: u64) -> Self {
        let name = name.trim_start_matches('/');
        options.progress.start(&format!("writing {name}"), total);
        Self { progress: options.progress, out: out.to_owned(), since: Instant::now(), done: 0 }
    }

    /// The target.
    pub(in crate::io) fn out(&self) -> &Path {
        &self.out
    }

    /// What the library said about the target.
    pub(in crate::io) fn library(&self, e: &hdf5::Error) -> WriteError {
        write_error(&self.out, e)
    }

    /// `more` elements are written.
    ///
    /// # Errors
    /// [`DataError::Stopped`] with [`WriteError::Cancelled`] when somebody asked to stop.
    pub(in crate::io) fn advance(&mut self, more: u64) -> Result<(), DataError> {
        self.done += more;
        let rate = self.done as f64 / self.since.elapsed().as_secs_f64().max(1e-3) / 1e6;
        self.progress.advance(self.done, &format!("{rate:.0} M numbers/s"));
        if self.progress.cancelled() {
            return Err(DataError::stopped(WriteError::Cancelled { path: self.out.clone() }));
        }
        Ok(())
    }
}

impl Drop for Meter<'_> {
    fn drop(&mut self) {
        self.progress.finish();
    }
}
