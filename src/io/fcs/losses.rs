//! What becomes of each kind of element in FCS: events × channels, and keywords.

use super::storage::may_stay_whole;
use super::var::APPENDED;
use crate::data::{DType, Dataset, Layout};
use crate::io::loss::{ArrayKind, ColumnKind, ElementKind, Entry, Fate, MatrixKind, Part, Place, UnsKind};
use crate::io::options::WriteOptions;

/// What depends on the rest of the data set: single floats stay as they are, and so do whole numbers of channels of an FCS
/// file.
pub(super) fn own_fate(_: &Dataset, part: &Part, options: &WriteOptions) -> Option<Fate> {
    if options.append.iter().any(|a| a.is(part.place, &part.name)) {
        return Some(as_channels(part));
    }
    if part.place == Place::Var && part.name == APPENDED {
        return Some(Fate::Renamed { to: "SCX_PnROLE".into() });
    }
    // Beside channels of floats X becomes floats, too.
    let alone = options.append.is_empty();
    let dtype =
        part.dtype.filter(|_| alone && part.place == Place::X && part.layout == Some(Layout::Dense))?;
    (dtype == DType::F32 || stays_whole(part, dtype)).then_some(Fate::Kept)
}

/// What was asked for as channels is there as numbers.
fn as_channels(part: &Part) -> Fate {
    use ColumnKind::{Category, Nullable, Text, TextMissing};
    let to = match part.plain {
        ElementKind::Obs(Category | Text | TextMissing) => "a channel of numbers, texts in SCX_PnLEVELS",
        ElementKind::Obs(Nullable) => "a channel, NaN where missing",
        ElementKind::Obs(_) => return Fate::Renamed { to: "a channel".into() },
        _ => return Fate::Renamed { to: "channels".into() },
    };
    Fate::Changed { to: to.into(), lossy: false }
}

/// Zeros are stored. Whole numbers of channels of an FCS file stay so, others become floats that hold every value.
pub(super) fn stored_bytes(part: &Part, dtype: DType) -> u64 {
    match part.place {
        Place::X if stays_whole(part, dtype) => part.cells().saturating_mul(dtype.size() as u64),
        Place::X => part.cells().saturating_mul(dtype.exact_float().size() as u64),
        _ => part.bytes,
    }
}

/// Whether X stays of whole numbers; of those of 64 bits only the values would tell.
fn stays_whole(part: &Part, dtype: DType) -> bool {
    part.of_channels && dtype.size() <= 4 && part.layout.is_some_and(|layout| may_stay_whole(dtype, layout))
}

pub(super) fn losses(kind: ElementKind) -> Entry {
    use ElementKind::*;
    use Entry::{AsOthers, Changed, Kept, Left, Renamed};
    match kind {
        X(MatrixKind::Dense) => {
            Changed("floats that hold every value exactly; whole numbers of an FCS file stay so")
        }
        X(MatrixKind::Csr | MatrixKind::Csc) => Changed("floats; absent entries become 0"),
        Layer(_) => Entry::ONE,
        CellNumbers | Keywords => Kept,
        CellNames => Left("events have no names"),
        VarNumbers | VarNames | Channel => Renamed("$PnN"),
        Marker => Renamed("$PnS"),
        Range => Renamed("$PnR"),
        Amplification => Renamed("$PnE"),
        Gain => Renamed("$PnG"),
        Keyworded => Renamed("keywords"),
        Records => Renamed("SCX"),
        Raw => Entry::NO_RAW,
        Obs(ColumnKind::Opaque) | Var(ColumnKind::Opaque) | Uns(UnsKind::Opaque) => Entry::NOT_UNDERSTOOD,
        Obsm(ArrayKind::Opaque) | Varm(ArrayKind::Opaque) => Entry::NOT_UNDERSTOOD,
        Obsp(ArrayKind::Opaque) | Varp(ArrayKind::Opaque) => Entry::NOT_UNDERSTOOD,
        Obs(_) => Left("events have no columns beside the channels; --append makes them channels"),
        Var(_) => Left("channels have no columns beside their keywords"),
        Obsm(_) => Left("there is no place for arrays beside the matrix; --append makes them channels"),
        Varm(_) | Obsp(_) | Varp(_) => Entry::NO_ARRAY,
        Uns(_) => Entry::NO_UNS,
        FilteredBarcodes | ProbeIds | GeneIds | FeatureTypes | Genome => AsOthers,
        ChemistryDescription | SoftwareVersion | LibraryIds | OriginalGemGroups => AsOthers,
        TargetSets => AsOthers,
    }
}
