//! What becomes of each kind of element in FCS: events × channels, and keywords.

use crate::io::loss::{ArrayKind, ColumnKind, ElementKind, Entry, MatrixKind, UnsKind};

pub(super) fn losses(kind: ElementKind) -> Entry {
    use ElementKind::*;
    use Entry::{AsOthers, Changed, Kept, Left, Renamed};
    match kind {
        X(MatrixKind::Dense) => Changed("floats that hold every value exactly"),
        X(MatrixKind::Csr | MatrixKind::Csc) => Changed("floats; absent entries become 0"),
        Layer(_) => Entry::ONE,
        CellNumbers | Keywords => Kept,
        CellNames => Left("events have no names"),
        VarNumbers | VarNames | Channel => Renamed("$PnN"),
        Marker => Renamed("$PnS"),
        Keyworded => Renamed("keywords"),
        Records => Renamed("SCX"),
        Raw => Entry::NO_RAW,
        Obs(ColumnKind::Opaque) | Var(ColumnKind::Opaque) | Uns(UnsKind::Opaque) => Entry::NOT_UNDERSTOOD,
        Obsm(ArrayKind::Opaque) | Varm(ArrayKind::Opaque) => Entry::NOT_UNDERSTOOD,
        Obsp(ArrayKind::Opaque) | Varp(ArrayKind::Opaque) => Entry::NOT_UNDERSTOOD,
        Obs(_) => Left("events have no columns beside the channels"),
        Var(_) => Left("channels have a name and a stain only"),
        Obsm(_) | Varm(_) | Obsp(_) | Varp(_) => Entry::NO_ARRAY,
        Uns(_) => Entry::NO_UNS,
        FilteredBarcodes | ProbeIds | GeneIds | FeatureTypes | Genome => AsOthers,
        ChemistryDescription | SoftwareVersion | LibraryIds | OriginalGemGroups => AsOthers,
        TargetSets => AsOthers,
    }
}
