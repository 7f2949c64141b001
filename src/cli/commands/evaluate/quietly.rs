//! Progress of many trainings in a row.

use crate::cli::console::Console;
use crate::progress::Progress;

/// Passes on the wish to stop, and nothing else.
pub(super) struct Quietly<'a>(pub(super) &'a Console);

impl Progress for Quietly<'_> {
    fn start(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64, _: &str) {}
    fn finish(&self) {}
    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}
