//! What callers may choose about reading and writing.

use std::path::{Path, PathBuf};

use super::limits::ReadLimits;
use super::loss::Place;
use crate::progress::{Progress, Silent};

/// An option of the command line that only some formats have a use for.
#[derive(Debug, PartialEq, Eq)]
pub struct FormatOption {
    /// Its name, with the two dashes.
    pub name: &'static str,
    /// What help says of it.
    pub help: &'static str,
}

/// Memory a conversion may take unless told otherwise: 2 GiB.
pub const DEFAULT_MEMORY: u64 = 2 << 30;

/// Which of two contradicting places of DATA in an FCS file counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FcsOffsets {
    /// They must agree, but for harmless differences.
    #[default]
    Agree,
    /// The keywords `$BEGINDATA` and `$ENDDATA`.
    Text,
    /// The HEADER.
    Header,
}

impl FcsOffsets {
    /// What can be asked for, by its name in options, and what it is.
    pub const CHOICES: &[(Self, &str, &str)] =
        &[(Self::Text, "text", "Those in the keywords"), (Self::Header, "header", "Those in the header")];
}

/// How to read a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    /// What one element may ask for.
    pub limits: ReadLimits,
    /// Bytes of memory the whole conversion may take.
    pub memory: u64,
    /// Which offsets of an FCS file count.
    pub fcs_offsets: FcsOffsets,
    /// Which data set of an FCS file with several, from 1; the first by default.
    pub data_set: Option<usize>,
    /// Which genome of a 10x file with several; all must be one otherwise.
    pub genome: Option<String>,
    /// Folder for temporary files larger than memory; see [`crate::data::scratch::folder`] when `None`.
    pub scratch: Option<PathBuf>,
    /// Column of a table of text that names its rows.
    pub index_column: Option<String>,
    /// Columns of a table of text that describe its rows although they hold numbers.
    pub obs_columns: Vec<String>,
    /// Whether the rows of a table of text are genes.
    pub transpose: bool,
    /// The file that is going to be written, where there is one: temporary files may lie beside it.
    pub target: Option<PathBuf>,
}

impl ReadOptions {
    /// The same, on the way to that file.
    #[must_use]
    pub fn towards(self, target: &Path) -> Self {
        Self { target: Some(target.to_owned()), ..self }
    }

    /// The folder for temporary files.
    pub fn scratch_folder(&self) -> PathBuf {
        crate::data::scratch::folder(self.scratch.as_deref(), self.target.as_deref())
    }
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            limits: ReadLimits::default(),
            memory: DEFAULT_MEMORY,
            fcs_offsets: FcsOffsets::default(),
            data_set: None,
            genome: None,
            scratch: None,
            index_column: None,
            obs_columns: Vec::new(),
            transpose: false,
            target: None,
        }
    }
}

impl From<ReadLimits> for ReadOptions {
    fn from(limits: ReadLimits) -> Self {
        Self { limits, ..Self::default() }
    }
}

/// How arrays are compressed.
pub const COMPRESSION: FormatOption = FormatOption {
    name: "--compression",
    help: "Compress arrays: gzip, gzip:1 … gzip:9, lzf or none [default: as in the input, else gzip:4]",
};

/// How large arrays are compressed in HDF5 files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Deflate of level 0 to 9, behind a byte shuffle.
    Gzip(u8),
    /// h5py's fast filter.
    Lzf,
    /// As they are.
    None,
}

/// Which anndata must be able to read an h5ad file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Compat {
    /// anndata 0.8 and later: no nullable strings, no `null`.
    V0_8,
    /// anndata 0.11 and later.
    V0_11,
    /// anndata 0.12 and later: the default; text is always a plain `string-array`.
    #[default]
    V0_12,
    /// anndata 0.13 and later: text with missing entries is a `nullable-string-array`.
    V0_13,
}

impl Compat {
    /// All, by their names in options, and what each is.
    pub const CHOICES: &[(Self, &str, &str)] = &[
        (Self::V0_8, "0.8", "anndata 0.8 and later"),
        (Self::V0_11, "0.11", "anndata 0.11 and later"),
        (Self::V0_12, "0.12", "anndata 0.12 and later"),
        (Self::V0_13, "0.13", "anndata 0.13 and later"),
    ];
}

/// Version of FCS files written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FcsVersion {
    /// FCS 3.1.
    #[default]
    V3_1,
    /// FCS 3.2.
    V3_2,
}

impl FcsVersion {
    /// All, by their names in options, and what each is.
    pub const CHOICES: &[(Self, &str, &str)] =
        &[(Self::V3_1, "3.1", "FCS 3.1"), (Self::V3_2, "3.2", "FCS 3.2")];
}

/// Something known of the cells that becomes channels of an FCS file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Append {
    /// A column of obs.
    Obs(String),
    /// An array of obsm.
    Obsm(String),
}

impl Append {
    /// Whether this is the element of that name at that place.
    pub(super) fn is(&self, at: Place, called: &str) -> bool {
        let (place, name) = match self {
            Append::Obs(name) => (Place::Obs, name),
            Append::Obsm(name) => (Place::Obsm, name),
        };
        place == at && name == called
    }
}

impl std::fmt::Display for Append {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Append::Obs(name) => write!(f, "obs:{name}"),
            Append::Obsm(name) => write!(f, "obsm:{name}"),
        }
    }
}

impl std::str::FromStr for Append {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("obs", name)) if !name.is_empty() => Ok(Append::Obs(name.to_owned())),
            Some(("obsm", name)) if !name.is_empty() => Ok(Append::Obsm(name.to_owned())),
            _ => Err("expected obs:COLUMN or obsm:ARRAY, as obs:leiden or obsm:X_umap".into()),
        }
    }
}

/// Which table a single CSV or Parquet file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// The table of cells.
    Obs,
    /// The table of variables.
    Var,
    /// The matrix X, cells × variables, with names.
    X,
}

/// How to write a file.
#[derive(Clone)]
pub struct WriteOptions<'a> {
    /// Bytes of memory the whole conversion may take.
    pub memory: u64,
    /// How large arrays are compressed in HDF5 files; `None`: stored chunks are copied as they are where the target can
    /// hold them, everything else becomes gzip of level 4.
    pub compression: Option<Compression>,
    /// Which anndata must read an h5ad file.
    pub compat: Compat,
    /// Version of FCS files.
    pub fcs_version: FcsVersion,
    /// What of the cells becomes channels of an FCS file, in this order.
    pub append: Vec<Append>,
    /// Which table a single CSV or Parquet file holds; `None`: chosen by what there is.
    pub table: Option<Table>,
    /// CSV and Parquet go into a folder with a file for each table: obs and var, and X when `table` asks for it.
    pub table_folder: bool,
    /// Folder for temporary files larger than memory; see [`crate::data::scratch::folder`] when `None`.
    pub scratch: Option<PathBuf>,
    /// Is told how the work goes and may stop it.
    pub progress: &'a dyn Progress,
}

impl WriteOptions<'_> {
    /// The folder for temporary files, when `target` is written.
    pub fn scratch_folder(&self, target: &Path) -> PathBuf {
        crate::data::scratch::folder(self.scratch.as_deref(), Some(target))
    }
}

impl Default for WriteOptions<'_> {
    fn default() -> Self {
        Self {
            memory: DEFAULT_MEMORY,
            compression: None,
            compat: Compat::default(),
            fcs_version: FcsVersion::default(),
            append: Vec::new(),
            table: None,
            table_folder: false,
            scratch: None,
            progress: &Silent,
        }
    }
}

impl Table {
    /// All tables.
    pub const ALL: [Table; 3] = [Table::Obs, Table::Var, Table::X];

    /// All, by their names in options, and what each is.
    pub const CHOICES: &[(Self, &str, &str)] = &[
        (Self::Obs, "obs", "The table of cells"),
        (Self::Var, "var", "The table of variables"),
        (Self::X, "x", "The matrix, cells × variables"),
    ];

    /// The word used in options and messages.
    pub fn name(self) -> &'static str {
        match self {
            Table::Obs => "obs",
            Table::Var => "var",
            Table::X => "x",
        }
    }

    /// Its file in a folder of tables, without the ending.
    pub fn file(self) -> &'static str {
        match self {
            Table::X => "X",
            other => other.name(),
        }
    }
}

/// The tables a CSV or Parquet target holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tables {
    has: [bool; 3],
    folder: bool,
}

impl Tables {
    /// One table, in one file.
    pub fn one(table: Table) -> Self {
        Self { has: Table::ALL.map(|t| t == table), folder: false }
    }

    /// A folder: the one table asked for, or obs and var; X comes beside those two.
    pub fn folder(asked: Option<Table>) -> Self {
        let has = |t: Table| match asked {
            None | Some(Table::X) => t != Table::X || asked.is_some(),
            Some(one) => t == one,
        };
        Self { has: Table::ALL.map(has), folder: true }
    }

    /// Whether this table is one of them.
    pub fn has(self, table: Table) -> bool {
        self.iter().any(|t| t == table)
    }

    /// The tables.
    pub fn iter(self) -> impl Iterator<Item = Table> {
        Table::ALL.into_iter().zip(self.has).filter(|(_, has)| *has).map(|(t, _)| t)
    }

    /// What holds them, in words.
    pub fn words(self) -> String {
        let names: Vec<&str> = self.iter().map(Table::name).collect();
        match (self.folder, &names[..]) {
            (true, [_, _, ..]) => format!("the folder holds the tables {}", names.join(" and ")),
            (true, _) => format!("the folder holds the table {}", names.concat()),
            (false, _) => format!("the file holds the table {}", names.concat()),
        }
    }
}
