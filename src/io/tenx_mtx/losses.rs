//! What becomes of each kind of element in 10x Genomics' folders: counts as text, barcodes, three columns of features.

use crate::io::loss::{ArrayKind, ColumnKind, ElementKind, Entry, MatrixKind, UnsKind};
use crate::io::tenx::NO_OBS;

pub(super) fn losses(kind: ElementKind) -> Entry {
    use ElementKind::*;
    use Entry::{AsOthers, Changed, Left, Renamed};
    match kind {
        X(MatrixKind::Dense) => Changed("numbers as text, zeros are not stored"),
        X(MatrixKind::Csr) => Changed("numbers as text"),
        X(MatrixKind::Csc) => Changed("numbers as text, by cell"),
        Layer(_) => Entry::ONE,
        CellNumbers | CellNames => Renamed("barcodes.tsv.gz"),
        VarNumbers | VarNames => Renamed("features.tsv.gz"),
        GeneIds => Renamed("features.tsv.gz, id"),
        FeatureTypes => Renamed("features.tsv.gz, type"),
        Raw => Entry::NO_RAW,
        Obs(ColumnKind::Opaque) | Var(ColumnKind::Opaque) | Uns(UnsKind::Opaque) => Entry::NOT_UNDERSTOOD,
        Obsm(ArrayKind::Opaque) | Varm(ArrayKind::Opaque) => Entry::NOT_UNDERSTOOD,
        Obsp(ArrayKind::Opaque) | Varp(ArrayKind::Opaque) => Entry::NOT_UNDERSTOOD,
        Obs(_) => NO_OBS,
        Var(_) => Left("features have an id, a name and a type only"),
        Obsm(_) | Varm(_) | Obsp(_) | Varp(_) => Entry::NO_ARRAY,
        Uns(_) | Keywords => Entry::NO_UNS,
        FilteredBarcodes | ProbeIds | Marker | Channel | Genome => AsOthers,
        Range | Amplification | Gain => AsOthers,
        Keyworded | ChemistryDescription | SoftwareVersion | LibraryIds | OriginalGemGroups => AsOthers,
        TargetSets | Records => AsOthers,
    }
}
