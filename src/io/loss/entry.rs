//! What a format answers for a kind of element, and what that means for one element.

use super::{ElementKind, Fate, Part};
use crate::data::DType;
use crate::io::options::{Compat, Table, Tables};

/// What becomes of a kind of element in a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Unchanged.
    Kept,
    /// Under another name.
    Renamed(&'static str),
    /// Under its own name in this group; then what else documentation says of the place.
    Under(&'static str, &'static str),
    /// In another form from which everything can be had back.
    Changed(&'static str),
    /// In another form, and something is lost.
    Lossy(&'static str),
    /// Left behind, and why.
    Left(&'static str),
    /// Kept from this anndata on, otherwise in another form from which everything can be had back.
    Since(Compat, &'static str),
    /// Kept from this anndata on, otherwise left behind, and why.
    From(Compat, &'static str),
    /// Only when the file holds this table; then the form, empty when unchanged, and whether something is lost.
    Of(Table, &'static str, bool),
    /// Kept, or in this other form, but for half-precision floats, which become single ones.
    Wide(&'static str),
    /// Each column of a table as an attribute of its own, to which the rows of columns apply.
    Columns(&'static str),
    /// Names of the rows of this table or of X.
    NamesOf(Table),
    /// The name has no meaning here: as other elements of its kind.
    AsOthers,
}

use Entry::{
    AsOthers, Changed as C, Columns, Kept as K, Left as L, Lossy as Y, NamesOf, Of, Renamed as R, Since,
    Under, Wide,
};

impl Entry {
    /// Nobody can bring what nobody understands into another form.
    pub const NOT_UNDERSTOOD: Self = L("scx does not understand it");
    /// There is no place for layers.
    pub const ONE: Self = L("there is one matrix");
    /// There is no place for raw.
    pub const NO_RAW: Self = L("there is one matrix; choose raw with --x raw");
    /// There is no place for obsm, varm, obsp and varp.
    pub const NO_ARRAY: Self = L("there is no place for arrays beside the matrix");
    /// There is no place for uns.
    pub const NO_UNS: Self = L("there is no place for unstructured values");
    /// Categories as their texts.
    pub const CATEGORY: Self = Y("text; order and unused categories are lost");

    /// Whether elements are left behind, whatever is asked for.
    pub fn leaves(self) -> bool {
        matches!(self, L(_))
    }

    /// The fate of an element, given what was asked for; `losses` answers for the columns of a table.
    pub(super) fn resolve(
        self,
        part: &Part,
        losses: fn(ElementKind) -> Entry,
        tables: Tables,
        compat: Compat,
    ) -> Fate {
        let changed = |to: &str, lossy| Fate::Changed { to: to.into(), lossy };
        match self {
            K => Fate::Kept,
            R(to) => Fate::Renamed { to: to.into() },
            Under(group, _) => Fate::Renamed { to: format!("{group}/{}", part.name) },
            C(to) => changed(to, false),
            Y(to) => changed(to, true),
            L(why) => Fate::Left { why: why.into() },
            Since(first, _) if compat >= first => Fate::Kept,
            Since(_, to) => changed(to, false),
            Entry::From(first, _) if compat >= first => Fate::Kept,
            Entry::From(_, why) => Fate::Left { why: why.into() },
            Of(own, ..) if !tables.has(own) => Fate::Left { why: tables.words() },
            Of(_, "", _) => Fate::Kept,
            Of(_, to, lossy) => changed(to, lossy),
            Wide(to) if part.dtype == Some(DType::F16) => changed(
                &[to, "float32"].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join("; "),
                false,
            ),
            Wide("") => Fate::Kept,
            Wide(to) => changed(to, false),
            Columns(group) => as_attributes(group, part, losses, tables, compat),
            NamesOf(own) if tables.has(own) || tables.has(Table::X) => Fate::Kept,
            NamesOf(_) => Fate::Left { why: tables.words() },
            // A kind without a name of its own never answers so.
            AsOthers => Self::NOT_UNDERSTOOD.resolve(part, losses, tables, compat),
        }
    }

    /// In a few words, for the documentation.
    pub fn words(self) -> String {
        match self {
            K => "kept".into(),
            R(to) => format!("as `{to}`"),
            Under(group, what) => format!("as `{group}{what}`"),
            C(to) => to.into(),
            Y(to) => format!("**{to}**"),
            L(why) => format!("**left behind**: {why}"),
            Since(_, to) => format!("{to} (kept with `--h5ad-compat 0.13`)"),
            Entry::From(_, why) => format!("kept; with an older `--h5ad-compat` **left behind**: {why}"),
            Of(t, "", _) => format!("with `--table {}`", t.name()),
            Of(t, to, _) => format!("with `--table {}`: {to}", t.name()),
            Wide("") => "kept; float16 becomes float32".into(),
            Wide(to) => format!("{to}; float16 becomes float32"),
            Columns(group) => format!("`{group}`, one for each column as it is said of columns"),
            NamesOf(t) => format!("with `--table {}` or `x`", t.name()),
            AsOthers => "as others of its kind".into(),
        }
    }
}

/// A table whose columns become attributes: what is lost of one of its columns is lost of it.
fn as_attributes(
    group: &str,
    part: &Part,
    losses: fn(ElementKind) -> Entry,
    tables: Tables,
    compat: Compat,
) -> Fate {
    let Some(first) = part.columns.first() else { return Fate::Left { why: "it has no columns".into() } };
    let mut to = format!("{group}/{}.{}", part.name, first.name);
    if part.columns.len() > 1 {
        to += &format!(" and {} more", part.columns.len() - 1);
    }
    let fates = part.columns.iter().map(|c| (c, c.fate_by(losses, tables, compat)));
    let lost: Vec<_> = fates.filter(|(_, fate)| fate.loses()).collect();
    if let Some((column, fate)) = lost.first() {
        let (Fate::Left { why: what } | Fate::Changed { to: what, .. } | Fate::Renamed { to: what }) = fate
        else {
            return Fate::Changed { to, lossy: true };
        };
        to += &format!("; {} of {} columns lose: {}, {what}", lost.len(), part.columns.len(), column.name);
    }
    Fate::Changed { to, lossy: !lost.is_empty() }
}
