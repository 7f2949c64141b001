//! The table: one row for each kind of element, one column for each format.

use super::{Fate, Kind, Part, Place};
use crate::data::DType;
use crate::io::{Compat, Format, Table, Tables};

/// An entry of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Unchanged.
    Kept,
    /// Under another name.
    Renamed(&'static str),
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
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Where the element lies.
    pub place: Place,
    /// Its kind; any when `None`.
    pub kind: Option<Kind>,
    /// Its name; any when `None`.
    pub name: Option<&'static str>,
    /// What it is, for the documentation.
    pub words: &'static str,
    /// One entry for each format, in the order of [`Format`].
    pub entries: [Entry; 7],
}

use Entry::{
    Changed as C, Columns, Kept as K, Left as L, Lossy as Y, NamesOf, Of, Renamed as R, Since, Wide,
};

const ONE: Entry = L("there is one matrix");
const NO_OBS: Entry = L("cells have names only");
const NO_EVENT: Entry = L("events have no columns beside the channels");
const NO_ARRAY: Entry = L("there is no place for arrays beside the matrix");
const NO_UNS: Entry = L("there is no place for unstructured values");
const NO_RAW: Entry = L("there is one matrix; choose raw with --x raw");
const NOT_UNDERSTOOD: Entry = L("scx does not understand it");
const OTHER_VAR: Entry = L("features have an id, a name and a type only");
const NUMBERS: Entry = L("extra feature columns hold text and booleans only");
const CHANNEL: Entry = L("channels have a name and a stain only");
const FILE: Entry = L("the file holds one table");
const OBS: Entry = Of(Table::Obs, "", false);
const VAR: Entry = Of(Table::Var, "", false);
const ALL_CELLS: Entry = C("absent entries become 0");
const CATEGORY: Entry = Y("text; order and unused categories are lost");

const fn row(place: Place, kind: Option<Kind>, words: &'static str, entries: [Entry; 7]) -> Rule {
    Rule { place, kind, name: None, words, entries }
}

const fn named(place: Place, name: &'static str, words: &'static str, entries: [Entry; 7]) -> Rule {
    Rule { place, kind: None, name: Some(name), words, entries }
}

/// The first row that fits an element tells its fate. Columns: h5ad, FCS, loom, 10x h5, 10x mtx, CSV, Parquet.
#[rustfmt::skip]
pub static RULES: &[Rule] = &[
    row(Place::X, Some(Kind::Dense), "X, dense",
        [K, C("floats that hold every value exactly"), K, Wide("zeros are not stored"),
         C("numbers as text, zeros are not stored"), Of(Table::X, "numbers as text", false), Of(Table::X, "", false)]),
    row(Place::X, Some(Kind::Csr), "X, CSR",
        [K, C("floats; absent entries become 0"), ALL_CELLS, Wide(""), C("numbers as text"),
         Of(Table::X, "numbers as text; absent entries become 0", false), Of(Table::X, "absent entries become 0", false)]),
    row(Place::X, None, "X, CSC",
        [K, C("floats; absent entries become 0"), ALL_CELLS, Wide("stored by cell"), C("numbers as text, by cell"),
         Of(Table::X, "numbers as text; absent entries become 0", false), Of(Table::X, "absent entries become 0", false)]),
    row(Place::Layers, Some(Kind::Dense), "layers, dense", [K, ONE, K, ONE, ONE, FILE, FILE]),
    row(Place::Layers, None, "layers, sparse", [K, ONE, ALL_CELLS, ONE, ONE, FILE, FILE]),
    row(Place::ObsNames, Some(Kind::Numbered), "cells without names",
        [C("0, 1, … as text"), K, C("CellID: 0, 1, … as text"), R("barcodes"), R("barcodes.tsv.gz"),
         NamesOf(Table::Obs), NamesOf(Table::Obs)]),
    row(Place::ObsNames, None, "names of cells",
        [K, L("events have no names"), R("CellID"), R("barcodes"), R("barcodes.tsv.gz"),
         NamesOf(Table::Obs), NamesOf(Table::Obs)]),
    Rule { name: Some("filtered_barcodes"), ..row(Place::Obs, Some(Kind::Bool), "obs[\"filtered_barcodes\"]",
        [K, NO_EVENT, C("0 and 1"), R("filtered_barcodes"), NO_OBS, OBS, OBS]) },
    row(Place::Obs, Some(Kind::Opaque), "obs, not understood",
        [K, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD]),
    row(Place::Obs, Some(Kind::Number), "obs, numbers", [K, NO_EVENT, K, NO_OBS, NO_OBS, OBS, OBS]),
    row(Place::Obs, Some(Kind::Text), "obs, text", [K, NO_EVENT, K, NO_OBS, NO_OBS, OBS, OBS]),
    row(Place::Obs, Some(Kind::Bool), "obs, booleans",
        [K, NO_EVENT, C("0 and 1"), NO_OBS, NO_OBS, OBS, OBS]),
    row(Place::Obs, Some(Kind::Category), "obs, categories",
        [K, NO_EVENT, CATEGORY, NO_OBS, NO_OBS,
         Of(Table::Obs, "text; order and unused categories are lost", true), OBS]),
    row(Place::Obs, Some(Kind::Nullable), "obs, numbers with missing entries",
        [K, NO_EVENT, Y("floats, missing entries become NaN"), NO_OBS, NO_OBS,
         Of(Table::Obs, "text, missing entries are empty", false), OBS]),
    row(Place::Obs, Some(Kind::TextMissing), "obs, text with missing entries",
        [Since(Compat::V0_13, "categories with missing entries"), NO_EVENT, Y("missing entries become empty text"),
         NO_OBS, NO_OBS, Of(Table::Obs, "missing entries are empty", true), OBS]),
    row(Place::VarNames, Some(Kind::Numbered), "variables without names",
        [C("0, 1, … as text"), R("$PnN"), R("Gene"), R("features/name"), R("features.tsv.gz"),
         NamesOf(Table::Var), NamesOf(Table::Var)]),
    row(Place::VarNames, None, "names of variables",
        [K, R("$PnN"), R("Gene"), R("features/name"), R("features.tsv.gz"),
         NamesOf(Table::Var), NamesOf(Table::Var)]),
    named(Place::Var, "probe_ids", "var[\"probe_ids\"]",
        [K, CHANNEL, K, R("features/id"), OTHER_VAR, VAR, VAR]),
    named(Place::Var, "marker", "var[\"marker\"]",
        [K, R("$PnS"), K, R("features/marker"), OTHER_VAR, VAR, VAR]),
    named(Place::Var, "channel", "var[\"channel\"]",
        [K, R("$PnN"), K, R("features/channel"), OTHER_VAR, VAR, VAR]),
    named(Place::Var, "gene_ids", "var[\"gene_ids\"]",
        [K, CHANNEL, K, R("features/id"), R("features.tsv.gz, id"), VAR, VAR]),
    named(Place::Var, "feature_types", "var[\"feature_types\"]",
        [K, CHANNEL, K, R("features/feature_type"), R("features.tsv.gz, type"), VAR, VAR]),
    named(Place::Var, "genome", "var[\"genome\"]",
        [K, CHANNEL, K, R("features/genome"), OTHER_VAR, VAR, VAR]),
    row(Place::Var, Some(Kind::Opaque), "var, not understood",
        [K, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD]),
    row(Place::Var, Some(Kind::Number), "var, numbers", [K, CHANNEL, K, NUMBERS, OTHER_VAR, VAR, VAR]),
    row(Place::Var, Some(Kind::Text), "var, text", [K, CHANNEL, K, R("features"), OTHER_VAR, VAR, VAR]),
    row(Place::Var, Some(Kind::Bool), "var, booleans",
        [K, CHANNEL, C("0 and 1"), R("features"), OTHER_VAR, VAR, VAR]),
    row(Place::Var, Some(Kind::Category), "var, categories",
        [K, CHANNEL, CATEGORY, CATEGORY, OTHER_VAR,
         Of(Table::Var, "text; order and unused categories are lost", true), VAR]),
    row(Place::Var, Some(Kind::Nullable), "var, numbers with missing entries",
        [K, CHANNEL, Y("floats, missing entries become NaN"), NUMBERS, OTHER_VAR,
         Of(Table::Var, "text, missing entries are empty", false), VAR]),
    row(Place::Var, Some(Kind::TextMissing), "var, text with missing entries",
        [Since(Compat::V0_13, "categories with missing entries"), CHANNEL, Y("missing entries become empty text"),
         Y("missing entries become empty text"), OTHER_VAR, Of(Table::Var, "missing entries are empty", true), VAR]),
    row(Place::Obsm, Some(Kind::Dense), "obsm, dense",
        [K, NO_ARRAY, R("col_attrs, two axes"), NO_ARRAY, NO_ARRAY, FILE, FILE]),
    row(Place::Obsm, Some(Kind::Opaque), "obsm, not understood",
        [K, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD]),
    row(Place::Obsm, Some(Kind::Table), "obsm, table",
        [K, NO_ARRAY, Columns("col_attrs"), NO_ARRAY, NO_ARRAY, FILE, FILE]),
    row(Place::Obsm, None, "obsm, sparse",
        [K, NO_ARRAY, C("col_attrs, two axes; absent entries become 0"), NO_ARRAY, NO_ARRAY, FILE, FILE]),
    row(Place::Varm, Some(Kind::Dense), "varm, dense",
        [K, NO_ARRAY, R("row_attrs, two axes"), NO_ARRAY, NO_ARRAY, FILE, FILE]),
    row(Place::Varm, Some(Kind::Opaque), "varm, not understood",
        [K, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD]),
    row(Place::Varm, Some(Kind::Table), "varm, table",
        [K, NO_ARRAY, Columns("row_attrs"), NO_ARRAY, NO_ARRAY, FILE, FILE]),
    row(Place::Varm, None, "varm, sparse",
        [K, NO_ARRAY, C("row_attrs, two axes; absent entries become 0"), NO_ARRAY, NO_ARRAY, FILE, FILE]),
    row(Place::Obsp, Some(Kind::Dense), "obsp, dense",
        [K, NO_ARRAY, C("col_graphs; zeros are not stored, weights are floats"), NO_ARRAY, NO_ARRAY, FILE, FILE]),
    row(Place::Obsp, Some(Kind::Opaque), "obsp, not understood",
        [K, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD]),
    row(Place::Obsp, None, "obsp, sparse",
        [K, NO_ARRAY, C("col_graphs; weights are floats"), NO_ARRAY, NO_ARRAY, FILE, FILE]),
    row(Place::Varp, Some(Kind::Dense), "varp, dense",
        [K, NO_ARRAY, C("row_graphs; zeros are not stored, weights are floats"), NO_ARRAY, NO_ARRAY, FILE, FILE]),
    row(Place::Varp, Some(Kind::Opaque), "varp, not understood",
        [K, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD]),
    row(Place::Varp, None, "varp, sparse",
        [K, NO_ARRAY, C("row_graphs; weights are floats"), NO_ARRAY, NO_ARRAY, FILE, FILE]),
    row(Place::Raw, None, "raw", [K, NO_RAW, NO_RAW, NO_RAW, NO_RAW, FILE, FILE]),
    named(Place::Uns, "fcs", "uns[\"fcs\"]",
        [K, R("keywords"), L("attributes hold values and lists only"), NO_UNS, NO_UNS, FILE, FILE]),
    named(Place::Uns, "chemistry_description", "uns[\"chemistry_description\"]",
        [K, NO_UNS, R("attrs"), R("attributes"), NO_UNS, FILE, FILE]),
    named(Place::Uns, "software_version", "uns[\"software_version\"]",
        [K, NO_UNS, R("attrs"), R("attributes"), NO_UNS, FILE, FILE]),
    named(Place::Uns, "library_ids", "uns[\"library_ids\"]",
        [K, NO_UNS, L("attributes hold values and lists only"), R("attributes"), NO_UNS, FILE, FILE]),
    named(Place::Uns, "original_gem_groups", "uns[\"original_gem_groups\"]",
        [K, NO_UNS, L("attributes hold values and lists only"), R("attributes"), NO_UNS, FILE, FILE]),
    named(Place::Uns, "target_sets", "uns[\"target_sets\"]",
        [K, NO_UNS, L("attributes hold values and lists only"), R("features/target_sets"), NO_UNS, FILE, FILE]),
    named(Place::Uns, "scx", "uns[\"scx\"], scx's own records",
        [K, R("SCX"), R("attrs/scx_log"), NO_UNS, NO_UNS, FILE, FILE]),
    row(Place::Uns, Some(Kind::Scalar), "uns, one text or number",
        [K, NO_UNS, R("attrs"), NO_UNS, NO_UNS, FILE, FILE]),
    row(Place::Uns, Some(Kind::Array), "uns, list of texts or numbers",
        [K, NO_UNS, R("attrs"), NO_UNS, NO_UNS, FILE, FILE]),
    row(Place::Uns, Some(Kind::Null), "uns, nothing (null)",
        [Entry::From(Compat::V0_12, "anndata reads no null before 0.12"), NO_UNS, L("attributes hold values and lists only"),
         NO_UNS, NO_UNS, FILE, FILE]),
    row(Place::Uns, Some(Kind::Opaque), "uns, not understood",
        [K, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD, NOT_UNDERSTOOD]),
    row(Place::Uns, Some(Kind::Array), "uns, arrays",
        [K, NO_UNS, R("attrs"), NO_UNS, NO_UNS, FILE, FILE]),
    named(Place::Uns, "scx", "uns[\"scx\"], records of scx",
        [K, NO_UNS, R("attrs/scx_log_…"), NO_UNS, NO_UNS, FILE, FILE]),
    row(Place::Uns, None, "uns, groups",
        [K, NO_UNS, L("attributes hold values and lists only"), NO_UNS, NO_UNS, FILE, FILE]),
    row(Place::Keywords, None, "FCS keywords",
        [R("uns[\"fcs\"]"), K, R("attrs/scx_keywords"), NO_UNS, NO_UNS, FILE, FILE]),
];

/// What happens to an element that no row speaks of: there is none, which a test checks.
static NONE: Rule = row(Place::Uns, None, "anything else", [NOT_UNDERSTOOD; 7]);

/// The row that tells the fate of an element.
pub fn rule(part: &Part) -> &'static Rule {
    let fits = |r: &&Rule| {
        r.place == part.place
            && r.kind.is_none_or(|k| k == part.kind)
            && r.name.is_none_or(|n| n == part.name)
    };
    RULES.iter().find(fits).unwrap_or(&NONE)
}

impl Rule {
    /// The entry of a format.
    pub fn of(&self, format: Format) -> Entry {
        let [h5ad, fcs, loom, tenx_h5, tenx_mtx, csv, parquet] = self.entries;
        match format {
            Format::H5ad => h5ad,
            Format::Fcs => fcs,
            Format::Loom => loom,
            Format::TenxH5 => tenx_h5,
            Format::TenxMtx => tenx_mtx,
            Format::Csv => csv,
            Format::Parquet => parquet,
        }
    }
}

impl Entry {
    /// The fate of an element, given what was asked for.
    pub(super) fn resolve(self, part: &Part, tables: Tables, compat: Compat) -> Fate {
        let changed = |to: &str, lossy| Fate::Changed { to: to.into(), lossy };
        match self {
            K => Fate::Kept,
            R(to) => renamed(to, part),
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
            Columns(group) => as_attributes(group, part, tables, compat),
            NamesOf(own) if tables.has(own) || tables.has(Table::X) => Fate::Kept,
            NamesOf(_) => Fate::Left { why: tables.words() },
        }
    }

    /// In a few words, for the documentation.
    pub fn words(self) -> String {
        match self {
            K => "kept".into(),
            R(to) => format!("as `{to}`"),
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
        }
    }
}

/// A table in loom: what is lost of one of its columns is lost of it.
fn as_attributes(group: &str, part: &Part, tables: Tables, compat: Compat) -> Fate {
    let Some(first) = part.columns.first() else { return Fate::Left { why: "it has no columns".into() } };
    let mut to = format!("{group}/{}.{}", part.name, first.name);
    if part.columns.len() > 1 {
        to += &format!(" and {} more", part.columns.len() - 1);
    }
    let fates = part.columns.iter().map(|c| (c, rule(c).of(Format::Loom).resolve(c, tables, compat)));
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

/// A name under which several things go keeps their own behind it.
fn renamed(to: &str, part: &Part) -> Fate {
    let to = match to {
        "features" | "col_graphs" | "row_graphs" | "attrs" | "attributes" => format!("{to}/{}", part.name),
        "col_attrs, two axes" => format!("col_attrs/{}", part.name),
        "row_attrs, two axes" => format!("row_attrs/{}", part.name),
        to => to.into(),
    };
    Fate::Renamed { to }
}
