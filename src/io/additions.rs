//! What a run of scx adds to a file.

use crate::data::{Column, Matrix, Patch, Uns};

/// What a run of scx adds to a file. An element that is there already is replaced: whoever asks decides about that.
#[derive(Debug, Clone, Default)]
pub struct Additions {
    /// New values for X or a layer.
    pub result: Option<NewValues>,
    /// Columns of the table of cells, where the format has one.
    pub obs: Vec<(String, Column)>,
    /// Matrices with a row for each cell.
    pub obsm: Vec<(String, Matrix)>,
    /// Matrices of cells × cells.
    pub obsp: Vec<(String, Matrix)>,
    /// Unstructured entries.
    pub uns: Vec<(String, Uns)>,
    /// X is another than in the file, so that a bit for bit copy of the file is no base.
    pub anew: bool,
    /// One JSON text: the provenance record of this run; empty for none.
    pub record: String,
}

impl Additions {
    /// Whether there is something that belongs beside the matrices: columns of cells, arrays, unstructured entries.
    pub fn has_elements(&self) -> bool {
        !(self.obs.is_empty() && self.obsm.is_empty() && self.obsp.is_empty() && self.uns.is_empty())
    }
}

/// New values for some cells and variables of a matrix.
#[derive(Debug, Clone)]
pub struct NewValues {
    /// Name of the new layer, where the format has layers.
    pub layer: String,
    /// The matrix the patch belongs to: X (`None`) or a layer.
    pub base: Option<String>,
    /// New values on the scale of that matrix.
    pub patch: Patch,
    /// Put the result into X instead of a new layer, where the format has layers.
    pub into_x: bool,
}
