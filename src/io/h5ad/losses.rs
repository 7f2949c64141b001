//! What becomes of each kind of element in h5ad: nearly all of them are AnnData's own.

use crate::io::loss::{ArrayKind as Array, ColumnKind as Column, ElementKind, Entry, UnsKind};
use crate::io::options::Compat;

pub(super) fn losses(kind: ElementKind) -> Entry {
    use ElementKind::*;
    use Entry::{AsOthers, Changed, From, Kept, Renamed, Since};
    match kind {
        X(_) | Layer(_) | CellNames | VarNames | Raw => Kept,
        CellNumbers | VarNumbers => Changed("0, 1, … as text"),
        Obs(kind) | Var(kind) => match kind {
            Column::Number | Column::Text | Column::Bool | Column::Category | Column::Nullable => Kept,
            Column::TextMissing => Since(Compat::V0_13, "categories with missing entries"),
            Column::Opaque => Kept,
        },
        Obsm(kind) | Varm(kind) | Obsp(kind) | Varp(kind) => match kind {
            Array::Dense | Array::Sparse | Array::Table | Array::Opaque => Kept,
        },
        Uns(kind) => match kind {
            UnsKind::Scalar | UnsKind::Array | UnsKind::Texts | UnsKind::Group | UnsKind::Opaque => Kept,
            UnsKind::Null => From(Compat::V0_12, "anndata reads no null before 0.12"),
        },
        Keywords => Renamed("uns[\"fcs\"]"),
        FilteredBarcodes | ProbeIds | Marker | Channel | GeneIds | FeatureTypes | Genome => AsOthers,
        Range | Amplification | Gain => AsOthers,
        Keyworded | ChemistryDescription | SoftwareVersion | LibraryIds | OriginalGemGroups => AsOthers,
        TargetSets | Records => AsOthers,
    }
}
