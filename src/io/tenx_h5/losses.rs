//! What becomes of each kind of element in 10x Genomics' HDF5 files: counts, barcodes and features.

use crate::io::loss::{ArrayKind, ColumnKind as Column, ElementKind, Entry, MatrixKind, UnsKind};
use crate::io::tenx::NO_OBS;

pub(super) fn losses(kind: ElementKind) -> Entry {
    use ElementKind::*;
    use Entry::{AsOthers, Left, Lossy, Renamed, Under, Wide};
    match kind {
        X(MatrixKind::Dense) => Wide("zeros are not stored"),
        X(MatrixKind::Csr) => Wide(""),
        X(MatrixKind::Csc) => Wide("stored by cell"),
        Layer(_) => Entry::ONE,
        CellNumbers | CellNames => Renamed("barcodes"),
        FilteredBarcodes => Renamed("filtered_barcodes"),
        VarNumbers | VarNames => Renamed("features/name"),
        ProbeIds | GeneIds => Renamed("features/id"),
        FeatureTypes => Renamed("features/feature_type"),
        Genome => Renamed("features/genome"),
        Var(kind) => match kind {
            Column::Text | Column::Bool => Under("features", ""),
            Column::Category => Entry::CATEGORY,
            Column::TextMissing => Lossy("missing entries become empty text"),
            Column::Number | Column::Nullable => Left("extra feature columns hold text and booleans only"),
            Column::Opaque => Entry::NOT_UNDERSTOOD,
        },
        Raw => Entry::NO_RAW,
        ChemistryDescription | SoftwareVersion | LibraryIds | OriginalGemGroups => Under("attributes", ""),
        TargetSets => Renamed("features/target_sets"),
        Obs(Column::Opaque) | Uns(UnsKind::Opaque) => Entry::NOT_UNDERSTOOD,
        Obsm(ArrayKind::Opaque) | Varm(ArrayKind::Opaque) => Entry::NOT_UNDERSTOOD,
        Obsp(ArrayKind::Opaque) | Varp(ArrayKind::Opaque) => Entry::NOT_UNDERSTOOD,
        Obs(_) => NO_OBS,
        Obsm(_) | Varm(_) | Obsp(_) | Varp(_) => Entry::NO_ARRAY,
        Uns(_) | Keywords => Entry::NO_UNS,
        Marker | Channel | Range | Amplification | Gain | Keyworded | Records => AsOthers,
    }
}
