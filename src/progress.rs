//! How long work tells of itself, and how it is asked to stop. The library only emits events; the command line draws.

/// Receives the progress of long work.
pub trait Progress: Sync {
    /// Work of `total` units begins.
    fn start(&self, what: &str, total: u64);
    /// `done` units of it are finished; `note` is a short word on how it goes.
    fn advance(&self, done: u64, note: &str);
    /// The work ended.
    fn finish(&self);
    /// Whether someone asked to stop.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Says nothing and never stops.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64, _: &str) {}
    fn finish(&self) {}
}

/// Passes on the wish to stop, and tells of nothing: for work that is a small part of a larger one.
pub struct Quietly<'a>(pub &'a dyn Progress);

impl Progress for Quietly<'_> {
    fn start(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64, _: &str) {}
    fn finish(&self) {}
    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}
