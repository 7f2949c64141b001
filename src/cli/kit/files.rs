//! Options about reading and writing files, shared by the verbs that turn files into files.

use clap::{Args, ValueEnum};

use crate::cli::kit::running::RunArgs;
use crate::io::{
    Compat, Compression, FcsOffsets, FcsVersion, Format, Mark, ReadOptions, Table, WriteOptions,
};

/// Formats by the names used in options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FormatArg {
    /// AnnData in HDF5
    H5ad,
    /// loom 3
    Loom,
    /// 10x Genomics .h5
    #[value(name = "10x-h5")]
    #[serde(rename = "10x-h5")]
    TenxH5,
    /// 10x Genomics folder with matrix.mtx
    #[value(name = "10x-mtx")]
    #[serde(rename = "10x-mtx")]
    TenxMtx,
    /// Flow Cytometry Standard
    Fcs,
    /// Comma-separated table
    Csv,
    /// Apache Parquet table
    Parquet,
}

impl From<FormatArg> for Format {
    fn from(f: FormatArg) -> Self {
        match f {
            FormatArg::H5ad => Format::H5ad,
            FormatArg::Loom => Format::Loom,
            FormatArg::TenxH5 => Format::TenxH5,
            FormatArg::TenxMtx => Format::TenxMtx,
            FormatArg::Fcs => Format::Fcs,
            FormatArg::Csv => Format::Csv,
            FormatArg::Parquet => Format::Parquet,
        }
    }
}

/// Which offsets of an FCS file count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OffsetsArg {
    /// Those in the keywords
    Text,
    /// Those in the header
    Header,
}

/// Which anndata must read an h5ad file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompatArg {
    /// anndata 0.8 and later
    #[value(name = "0.8")]
    V0_8,
    /// anndata 0.11 and later
    #[value(name = "0.11")]
    V0_11,
    /// anndata 0.12 and later
    #[value(name = "0.12")]
    V0_12,
    /// anndata 0.13 and later
    #[value(name = "0.13")]
    V0_13,
}

/// Version of FCS files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FcsVersionArg {
    /// FCS 3.1
    #[value(name = "3.1")]
    V3_1,
    /// FCS 3.2
    #[value(name = "3.2")]
    V3_2,
}

/// Which table a CSV or Parquet file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TableArg {
    /// The table of cells
    Obs,
    /// The table of variables
    Var,
    /// The matrix, cells × variables
    X,
}

/// How made cells are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkArg {
    /// By the column is_synthetic
    Column,
    /// By their names, too
    Names,
}

impl From<MarkArg> for Mark {
    fn from(m: MarkArg) -> Self {
        match m {
            MarkArg::Column => Mark::Column,
            MarkArg::Names => Mark::Names,
        }
    }
}

/// How input is read.
#[derive(Debug, Clone, Default, Args)]
pub struct ReadArgs {
    /// FCS whose header and keywords disagree on where the data lie: whom to believe
    #[arg(long, value_enum, value_name = "WHICH", help_heading = "Reading")]
    pub fcs_offsets: Option<OffsetsArg>,
    /// Data set of an FCS file that holds several, from 1 [default: the first]
    #[arg(long, value_name = "N", help_heading = "Reading")]
    pub data_set: Option<usize>,
    /// Genome of a 10x file that holds several
    #[arg(long, value_name = "NAME", help_heading = "Reading")]
    pub genome: Option<String>,
}

/// How output is written.
#[derive(Debug, Clone, Default, Args)]
pub struct WriteArgs {
    /// Format to write [default: by the extension of the output; a name without one is a 10x folder]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Writing")]
    pub to: Option<FormatArg>,
    /// Compress arrays: gzip, gzip:1 … gzip:9, lzf or none [default: as in the input, else gzip:4]
    #[arg(long, value_name = "HOW", value_parser = compression, help_heading = "Writing")]
    pub compression: Option<Compression>,
    /// The oldest anndata that must read an h5ad file [default: 0.12]
    #[arg(long, value_enum, value_name = "VERSION", help_heading = "Writing")]
    pub h5ad_compat: Option<CompatArg>,
    /// Version of FCS files [default: 3.1]
    #[arg(long, value_enum, value_name = "VERSION", help_heading = "Writing")]
    pub fcs_version: Option<FcsVersionArg>,
    /// What a CSV or Parquet file holds [default: obs, or x when nothing is known of the cells]. A name without extension
    /// is a folder with obs and var; x comes beside them
    #[arg(long, value_enum, value_name = "TABLE", help_heading = "Writing")]
    pub table: Option<TableArg>,
    /// How to mark cells that a model made where there is no column for it: `names` lets their names start with
    /// scx-synthetic- [default: such a target is refused]
    #[arg(long, value_enum, value_name = "HOW", help_heading = "Writing")]
    pub mark: Option<MarkArg>,
    /// Replace an existing output
    #[arg(long, help_heading = "Writing")]
    pub force: bool,
    /// Exit with 1 when anything was lost
    #[arg(long, help_heading = "Writing")]
    pub strict: bool,
    /// Do not record this run in the output
    #[arg(long, help_heading = "Writing")]
    pub no_provenance: bool,
}

impl ReadArgs {
    /// The options as they would be written again.
    pub fn words(&self) -> Vec<String> {
        let Self { fcs_offsets, data_set, genome } = self;
        let offsets = fcs_offsets.map(|o| if o == OffsetsArg::Text { "text" } else { "header" });
        let pairs = [
            ("fcs-offsets", offsets.map(str::to_owned)),
            ("data-set", data_set.map(|n| n.to_string())),
            ("genome", genome.clone()),
        ];
        pairs.into_iter().filter_map(|(name, value)| Some(format!("--{name}={}", value?))).collect()
    }

    /// As options of the library.
    pub fn options(&self, memory: Option<u64>) -> ReadOptions {
        let Self { fcs_offsets, data_set, genome } = self;
        let defaults = ReadOptions::default();
        ReadOptions {
            fcs_offsets: match fcs_offsets {
                None => FcsOffsets::Agree,
                Some(OffsetsArg::Text) => FcsOffsets::Text,
                Some(OffsetsArg::Header) => FcsOffsets::Header,
            },
            data_set: *data_set,
            genome: genome.clone(),
            memory: memory.unwrap_or(defaults.memory),
            ..defaults
        }
    }
}

impl WriteArgs {
    /// Warns of options that a format has no use for.
    pub fn warn_idle(&self, to: Format) {
        let tables = matches!(to, Format::Csv | Format::Parquet);
        let packed = !tables && to != Format::Fcs;
        let idle = [
            ("--h5ad-compat", self.h5ad_compat.is_some() && to != Format::H5ad),
            ("--compression", self.compression.is_some() && !packed),
            ("--fcs-version", self.fcs_version.is_some() && to != Format::Fcs),
            ("--table", self.table.is_some() && !tables),
        ];
        for (option, _) in idle.iter().filter(|(_, idle)| *idle) {
            tracing::warn!("{option} has no meaning for {} and is ignored", to.name());
        }
    }

    /// As options of the library; progress goes to `progress`.
    pub fn options<'a>(
        &self,
        running: &RunArgs,
        progress: &'a dyn crate::progress::Progress,
    ) -> WriteOptions<'a> {
        let Self {
            to: _,
            compression,
            h5ad_compat,
            fcs_version,
            table,
            mark: _,
            force: _,
            strict: _,
            no_provenance: _,
        } = self;
        let defaults = WriteOptions::default();
        WriteOptions {
            memory: running.memory.unwrap_or(defaults.memory),
            compression: *compression,
            compat: match h5ad_compat {
                Some(CompatArg::V0_8) => Compat::V0_8,
                Some(CompatArg::V0_11) => Compat::V0_11,
                Some(CompatArg::V0_12) => Compat::V0_12,
                Some(CompatArg::V0_13) => Compat::V0_13,
                None => defaults.compat,
            },
            fcs_version: match fcs_version {
                Some(FcsVersionArg::V3_2) => FcsVersion::V3_2,
                Some(FcsVersionArg::V3_1) | None => FcsVersion::V3_1,
            },
            table: table.map(|t| match t {
                TableArg::Obs => Table::Obs,
                TableArg::Var => Table::Var,
                TableArg::X => Table::X,
            }),
            table_folder: false,
            scratch: running.temp_dir.clone(),
            progress,
        }
    }
}

/// `gzip`, `gzip:4`, `lzf`, `none`.
fn compression(text: &str) -> Result<Compression, String> {
    match text {
        "none" => Ok(Compression::None),
        "lzf" => Ok(Compression::Lzf),
        "gzip" => Ok(Compression::Gzip(4)),
        other => match other.strip_prefix("gzip:").and_then(|n| n.parse().ok()) {
            Some(level @ 0..=9) => Ok(Compression::Gzip(level)),
            _ => Err("expected gzip, gzip:0 … gzip:9, lzf or none".into()),
        },
    }
}

/// The least memory scx can work in.
const LEAST_MEMORY: u64 = 64 << 20;

/// A size in bytes: `800M`, `4G`, `1.5GiB`. Units are binary.
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || "expected a size such as 512M or 4G".to_owned();
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let unit: u64 = match unit.trim().trim_end_matches(['b', 'B']).trim_end_matches('i') {
        "" => 1,
        "k" | "K" => 1 << 10,
        "m" | "M" => 1 << 20,
        "g" | "G" => 1 << 30,
        "t" | "T" => 1 << 40,
        _ => return Err(wrong()),
    };
    let bytes = number * unit as f64;
    if bytes < LEAST_MEMORY as f64 {
        return Err("at least 64M is needed".into());
    }
    if bytes > 9e18 {
        return Err(wrong());
    }
    Ok(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(size("4G"), Ok(4 << 30));
        assert_eq!(size("1.5GiB"), Ok(3 << 29));
        assert_eq!(size("512mb"), Ok(512 << 20));
        assert!(size("10").is_err() && size("G").is_err() && size("4X").is_err() && size("-1G").is_err());
        assert!(size("1e30T").is_err());
    }

    #[test]
    fn compression_names_its_level() {
        assert_eq!(compression("gzip:9"), Ok(Compression::Gzip(9)));
        assert_eq!(compression("none"), Ok(Compression::None));
        assert!(compression("gzip:10").is_err() && compression("zstd").is_err());
    }
}
