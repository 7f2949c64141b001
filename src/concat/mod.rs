//! Several data sets one below the other, in the way of `anndata.concat`. X, layers and raw stay where they are: the
//! result is a plan that reads them when it is written.
//!
//! Where this differs from `anndata.concat(join=…, merge="same", uns_merge="same")`:
//! - variables of an outer join stand in the order of first appearance (anndata sorts them), and so do the categories
//!   of united columns (anndata sorts those too);
//! - columns of `var` are kept when the files agree on every variable they share (anndata asks for the same variables);
//! - whole numbers missing in some files become nullable numbers (anndata makes floats of them); columns of numbers in
//!   some files and text in others become text (anndata keeps Python objects that cannot be written);
//! - layers must be in all files, in an outer join too (anndata fills whole layers with 0 or NaN);
//! - entries of `obsm` must be of one width (anndata cuts or pads them); a file without one gets NaN in an outer join;
//! - whole numbers of 64 bits stay whole where signs differ (anndata makes rounded doubles of them), and where X, a layer,
//!   raw or an entry of obsm must become doubles, a value that would be rounded is refused;
//! - logarithmic channels of FCS files with different amplifiers are put on the linear scale, ranges of channels are the
//!   largest of all files, and keywords of channels follow their channels;
//! - whatever is left behind or changed is listed.

mod assemble;
mod batches;
mod cast;
mod changes;
mod columns;
mod error;
mod frames;
mod keywords;
mod merge;
mod names;
mod options;
mod rows;
mod scale;
mod stack;
mod time;
mod types;

pub use assemble::concat;
use assemble::keys;
pub use batches::batch_names;
use changes::Changes;
pub use error::ConcatError;
use error::fail;
pub use options::{Join, OnDuplicate, Options, Piece};
