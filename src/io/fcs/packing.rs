//! How events lie in DATA, and how many fit.

/// How values lie beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// Each value in whole bytes, as few as hold its bits.
    Bytes,
    /// Each value in 1, 2, 4 or 8 bytes.
    Words,
    /// One stream of bits through all events.
    Bits,
    /// A stream of bits that starts anew at a whole byte with each event.
    EventBits,
    /// Digits of fixed width.
    Digits,
    /// Numbers with blanks, commas or line ends between them.
    FreeText,
}

/// Whether so many events take exactly so many bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    /// Bytes they would take.
    pub(super) asked: Option<u128>,
    /// The packing in which they do, and their number.
    pub(super) found: Option<(Packing, Option<u64>)>,
}
