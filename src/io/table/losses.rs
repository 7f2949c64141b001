//! What becomes of each kind of element in delimited text: one table a file.

use crate::io::loss::{ArrayKind, ColumnKind as Column, ElementKind, Entry, MatrixKind, UnsKind};
use crate::io::options::Table;

const FILE: Entry = Entry::Left("the file holds one table");

pub(super) fn losses(kind: ElementKind) -> Entry {
    use ElementKind::*;
    use Entry::{AsOthers, NamesOf, Of};
    let column = |kind, table| match kind {
        Column::Number | Column::Text | Column::Bool => Of(table, "", false),
        Column::Category => Of(table, "text; order and unused categories are lost", true),
        Column::Nullable => Of(table, "text, missing entries are empty", false),
        Column::TextMissing => Of(table, "missing entries are empty", true),
        Column::Opaque => Entry::NOT_UNDERSTOOD,
    };
    match kind {
        X(MatrixKind::Dense) => Of(Table::X, "numbers as text", false),
        X(MatrixKind::Csr | MatrixKind::Csc) => {
            Of(Table::X, "numbers as text; absent entries become 0", false)
        }
        CellNumbers | CellNames => NamesOf(Table::Obs),
        VarNumbers | VarNames => NamesOf(Table::Var),
        Obs(kind) => column(kind, Table::Obs),
        Var(kind) => column(kind, Table::Var),
        Obsm(ArrayKind::Opaque) | Varm(ArrayKind::Opaque) | Uns(UnsKind::Opaque) => Entry::NOT_UNDERSTOOD,
        Obsp(ArrayKind::Opaque) | Varp(ArrayKind::Opaque) => Entry::NOT_UNDERSTOOD,
        Layer(_) | Obsm(_) | Varm(_) | Obsp(_) | Varp(_) | Raw | Uns(_) | Keywords => FILE,
        FilteredBarcodes | ProbeIds | Marker | Channel | GeneIds | FeatureTypes | Genome => AsOthers,
        Range | Amplification | Gain => AsOthers,
        Keyworded | ChemistryDescription | SoftwareVersion | LibraryIds | OriginalGemGroups => AsOthers,
        TargetSets | Records => AsOthers,
    }
}
