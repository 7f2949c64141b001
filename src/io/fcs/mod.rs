//! Flow Cytometry Standard files: versions 2.0 to 3.2, list mode, every data type.
//!
//! Values are the stored ones: integers masked to `$PnR` as the standard asks, but no `$PnE` amplification, no `$PnG`
//! gain, no compensation, no clipping at `$PnR`. What turns them into linear values is in `var` ([`amplifiers`]) and in
//! the keywords ([`spillover`]). Histograms are refused.

mod append;
mod ascii;
mod chain;
mod channel;
mod check;
mod codec;
mod compose;
mod decode;
mod encode;
mod header;
mod kept;
mod layout;
mod losses;
mod offsets;
mod order;
mod packing;
mod range;
mod read;
mod renumber;
mod rows;
mod source;
mod spillover;
mod split;
mod storage;
mod store;
mod text;
mod var;
mod write;

use write::keep_records;

pub use crate::data::amplifiers;
pub use check::check;
pub(super) use codec::CODEC;
pub use codec::{APPEND, DATA_SET, OFFSETS, VERSION};
pub use compose::of_layout;
pub use kept::{keywords_from_uns, keywords_to_uns};
pub use read::{probe, read};
pub use renumber::{channel_of, keywords_of};
pub use spillover::{mark_compensated, spillover};
pub use var::APPENDED;
pub(super) use write::of_channels;
pub use write::{add_record, annotate, holds, write};
