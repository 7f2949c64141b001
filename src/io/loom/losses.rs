//! What becomes of each kind of element in loom: numbers and texts, every matrix with its zeros.

use crate::io::loss::{
    ArrayKind as Array, ColumnKind as Column, ElementKind, Entry, LayerKind, MatrixKind, UnsKind,
};

pub(super) fn losses(kind: ElementKind) -> Entry {
    use ElementKind::*;
    use Entry::{AsOthers, Changed, Columns, Kept, Left, Lossy, Renamed, Under};
    match kind {
        X(MatrixKind::Dense) | Layer(LayerKind::Dense) => Kept,
        X(MatrixKind::Csr | MatrixKind::Csc) | Layer(LayerKind::Sparse) => Changed("absent entries become 0"),
        CellNumbers => Changed("CellID: 0, 1, … as text"),
        CellNames => Renamed("CellID"),
        VarNumbers | VarNames => Renamed("Gene"),
        Obs(kind) | Var(kind) => match kind {
            Column::Number | Column::Text => Kept,
            Column::Bool => Changed("0 and 1"),
            Column::Category => Entry::CATEGORY,
            Column::Nullable => Lossy("floats, missing entries become NaN"),
            Column::TextMissing => Lossy("missing entries become empty text"),
            Column::Opaque => Entry::NOT_UNDERSTOOD,
        },
        Obsm(Array::Dense) => Under("col_attrs", ", two axes"),
        Obsm(Array::Sparse) => Changed("col_attrs, two axes; absent entries become 0"),
        Obsm(Array::Table) => Columns("col_attrs"),
        Varm(Array::Dense) => Under("row_attrs", ", two axes"),
        Varm(Array::Sparse) => Changed("row_attrs, two axes; absent entries become 0"),
        Varm(Array::Table) => Columns("row_attrs"),
        Obsp(Array::Dense) => Changed("col_graphs; zeros are not stored, weights are floats"),
        Obsp(Array::Sparse) => Changed("col_graphs; weights are floats"),
        Varp(Array::Dense) => Changed("row_graphs; zeros are not stored, weights are floats"),
        Varp(Array::Sparse) => Changed("row_graphs; weights are floats"),
        Obsp(Array::Table) | Varp(Array::Table) => Left("graphs are matrices"),
        Obsm(Array::Opaque) | Varm(Array::Opaque) => Entry::NOT_UNDERSTOOD,
        Obsp(Array::Opaque) | Varp(Array::Opaque) | Uns(UnsKind::Opaque) => Entry::NOT_UNDERSTOOD,
        Raw => Entry::NO_RAW,
        Uns(UnsKind::Scalar | UnsKind::Array) => Under("attrs", ""),
        Uns(UnsKind::Texts | UnsKind::Null | UnsKind::Group) => Left("attributes hold values and lists only"),
        Records => Renamed("attrs/scx_log"),
        Keywords => Renamed("attrs/scx_keywords"),
        FilteredBarcodes | ProbeIds | Marker | Channel | GeneIds | FeatureTypes | Genome => AsOthers,
        Range | Amplification | Gain => AsOthers,
        Keyworded | ChemistryDescription | SoftwareVersion | LibraryIds | OriginalGemGroups => AsOthers,
        TargetSets => AsOthers,
    }
}
