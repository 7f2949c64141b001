//! The kinds of elements that formats treat differently. Each format answers for each kind: in `losses.rs` of its folder.

use super::Place;

/// Enums of kinds, with the list of all of them and what they are for people. The list cannot lack one.
macro_rules! kinds {
    (@all $kind:ident $name:ident) => { vec![$kind::$name] };
    (@all $kind:ident $name:ident $inner:ident) => {
        $inner::all().into_iter().map($kind::$name).collect::<Vec<_>>()
    };
    ($($(#[$doc:meta])* $kind:ident { $($name:ident $(($bind:ident: $inner:ident))? = $words:literal,)* })*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $kind {
            $(#[doc = $words] $name $(($inner))?,)*
        }

        impl $kind {
            /// All of them, in the order of the documentation.
            pub fn all() -> Vec<Self> {
                [$(kinds!(@all $kind $name $($inner)?)),*].concat()
            }

            /// What it is, for people.
            pub fn words(self) -> String {
                match self {
                    $(Self::$name $(($bind))? => String::from($words) $(+ ", " + &$bind.words())?,)*
                }
            }
        }
    )* };
}

kinds! {
    /// X, by how it is stored.
    MatrixKind { Dense = "dense", Csr = "CSR", Csc = "CSC", }

    /// A layer, by how it is stored.
    LayerKind { Dense = "dense", Sparse = "sparse", }

    /// A column of a table.
    ColumnKind {
        Opaque = "not understood",
        Number = "numbers",
        Text = "text",
        Bool = "booleans",
        Category = "categories",
        Nullable = "numbers with missing entries",
        TextMissing = "text with missing entries",
    }

    /// An array beside a table.
    ArrayKind { Dense = "dense", Opaque = "not understood", Table = "table", Sparse = "sparse", }

    /// An unstructured value.
    UnsKind {
        Scalar = "one text or number",
        Array = "list of texts or numbers",
        Texts = "texts in several dimensions",
        Null = "nothing (null)",
        Opaque = "not understood",
        Group = "groups",
    }

    /// Any element. Those with a name of their own have a place of their own in some format.
    ElementKind {
        X(kind: MatrixKind) = "X",
        Layer(kind: LayerKind) = "layers",
        CellNumbers = "cells without names",
        CellNames = "names of cells",
        FilteredBarcodes = "obs[\"filtered_barcodes\"]",
        Obs(kind: ColumnKind) = "obs",
        VarNumbers = "variables without names",
        VarNames = "names of variables",
        ProbeIds = "var[\"probe_ids\"]",
        Marker = "var[\"marker\"]",
        Channel = "var[\"channel\"]",
        Range = "var[\"pnr\"]",
        Amplification = "var[\"pne\"]",
        Gain = "var[\"png\"]",
        GeneIds = "var[\"gene_ids\"]",
        FeatureTypes = "var[\"feature_types\"]",
        Genome = "var[\"genome\"]",
        Var(kind: ColumnKind) = "var",
        Obsm(kind: ArrayKind) = "obsm",
        Varm(kind: ArrayKind) = "varm",
        Obsp(kind: ArrayKind) = "obsp",
        Varp(kind: ArrayKind) = "varp",
        Raw = "raw",
        Keyworded = "uns[\"fcs\"]",
        ChemistryDescription = "uns[\"chemistry_description\"]",
        SoftwareVersion = "uns[\"software_version\"]",
        LibraryIds = "uns[\"library_ids\"]",
        OriginalGemGroups = "uns[\"original_gem_groups\"]",
        TargetSets = "uns[\"target_sets\"]",
        Records = "uns[\"scx\"], scx's own records",
        Uns(kind: UnsKind) = "uns",
        Keywords = "FCS keywords",
    }
}

impl ElementKind {
    /// Where it lies.
    pub fn place(self) -> Place {
        match self {
            Self::X(_) => Place::X,
            Self::Layer(_) => Place::Layers,
            Self::CellNumbers | Self::CellNames => Place::ObsNames,
            Self::FilteredBarcodes | Self::Obs(_) => Place::Obs,
            Self::VarNumbers | Self::VarNames => Place::VarNames,
            Self::ProbeIds | Self::Marker | Self::Channel | Self::GeneIds => Place::Var,
            Self::Range | Self::Amplification | Self::Gain => Place::Var,
            Self::FeatureTypes | Self::Genome | Self::Var(_) => Place::Var,
            Self::Obsm(_) => Place::Obsm,
            Self::Varm(_) => Place::Varm,
            Self::Obsp(_) => Place::Obsp,
            Self::Varp(_) => Place::Varp,
            Self::Raw => Place::Raw,
            Self::Keyworded | Self::ChemistryDescription | Self::SoftwareVersion | Self::LibraryIds => {
                Place::Uns
            }
            Self::OriginalGemGroups | Self::TargetSets | Self::Records | Self::Uns(_) => Place::Uns,
            Self::Keywords => Place::Keywords,
        }
    }

    /// The kind an element of this kind and name has a place of its own by, where there is one.
    pub(super) fn named(self, name: &str) -> Self {
        use ColumnKind::{Bool, Category, Opaque, Text, TextMissing};
        use UnsKind::{Array, Group, Scalar};
        match (self, name) {
            (Self::Obs(Bool), "filtered_barcodes") => Self::FilteredBarcodes,
            (Self::Var(Opaque), _) => self,
            (Self::Var(_), "marker") => Self::Marker,
            (Self::Var(_), "channel") => Self::Channel,
            (Self::Var(_), "pnr") => Self::Range,
            (Self::Var(_), "pne") => Self::Amplification,
            (Self::Var(_), "png") => Self::Gain,
            (Self::Var(Text | TextMissing | Category), name) => match name {
                "probe_ids" => Self::ProbeIds,
                "gene_ids" => Self::GeneIds,
                "feature_types" => Self::FeatureTypes,
                "genome" => Self::Genome,
                _ => self,
            },
            (Self::Uns(Group), "fcs") => Self::Keyworded,
            (Self::Uns(Group), "target_sets") => Self::TargetSets,
            (Self::Uns(Group), "scx") => Self::Records,
            (Self::Uns(Scalar | Array), "chemistry_description") => Self::ChemistryDescription,
            (Self::Uns(Scalar | Array), "software_version") => Self::SoftwareVersion,
            (Self::Uns(Scalar | Array), "library_ids") => Self::LibraryIds,
            (Self::Uns(Scalar | Array), "original_gem_groups") => Self::OriginalGemGroups,
            _ => self,
        }
    }

    /// What an element with a name of its own usually is: text, a list, a group.
    pub(in crate::io) fn usual(self) -> Self {
        match self {
            Self::FilteredBarcodes => Self::Obs(ColumnKind::Bool),
            Self::ProbeIds | Self::Marker | Self::Channel | Self::GeneIds => Self::Var(ColumnKind::Text),
            Self::FeatureTypes | Self::Genome | Self::Amplification => Self::Var(ColumnKind::Text),
            Self::Range | Self::Gain => Self::Var(ColumnKind::Number),
            Self::Keyworded | Self::TargetSets | Self::Records => Self::Uns(UnsKind::Group),
            Self::ChemistryDescription | Self::SoftwareVersion => Self::Uns(UnsKind::Scalar),
            Self::LibraryIds | Self::OriginalGemGroups => Self::Uns(UnsKind::Array),
            other => other,
        }
    }
}
