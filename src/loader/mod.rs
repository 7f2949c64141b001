//! From data sets to what models take: the only bridge, and the only place where values become `f32`.

mod cells;
pub(crate) mod labels;
mod table;
mod union;

pub use cells::LabelledCells;
pub use labels::{By, LABEL_KEYS, LabelError, Labels, NO_LABEL, too_few};
pub use table::{some, table, undo};
pub use union::{Group, Union};
