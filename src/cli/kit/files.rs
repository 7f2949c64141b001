//! Options about reading and writing files, shared by the verbs that turn files into files.

use std::path::Path;
use std::sync::LazyLock;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use crate::cli::kit::error::CliError;
use crate::cli::kit::running::RunArgs;
use crate::data::Dataset;
use crate::io::{
    self, Append, CODECS, COMPRESSION, Codec, Compat, Compression, FcsOffsets, FcsVersion, Format,
    FormatOption, Mark, ReadError, ReadOptions, Table, WriteOptions, fcs, h5ad, table, tenx_h5,
};

/// Formats by the names used in options: one for each row of [`CODECS`].
impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<Format>> = LazyLock::new(|| CODECS.iter().map(|c| c.format).collect());
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let codec = self.codec();
        Some(PossibleValue::new(codec.option).help(codec.about))
    }
}

/// One of a list of values with their names and what each is.
fn choice<T: Copy + Send + Sync + 'static>(
    all: &'static [(T, &str, &str)],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|(_, name, about)| PossibleValue::new(*name).help(*about)))
        .try_map(|word| {
            all.iter().find(|(_, name, _)| *name == word).map(|(v, ..)| *v).ok_or("no such value")
        })
}

/// The name of a value in such a list.
fn name_of<T: PartialEq>(all: &[(T, &str, &str)], value: &T) -> Option<String> {
    all.iter().find(|(v, ..)| v == value).map(|(_, name, _)| (*name).to_owned())
}

/// Warns of options that none of these formats has a use for.
fn warn_idle(formats: &[Format], given: &[(&FormatOption, bool)]) {
    let used = |option: &FormatOption| formats.iter().any(|f| f.codec().uses(option));
    for (option, _) in given.iter().filter(|(option, given)| *given && !used(option)) {
        let mut names: Vec<&str> = formats.iter().map(|f| f.name()).collect();
        names.dedup();
        tracing::warn!("{} has no meaning for {} and is ignored", option.name, names.join(", "));
    }
}

/// How input is read.
#[derive(Debug, Clone, Default, Args)]
pub struct ReadArgs {
    /// See [`fcs::OFFSETS`].
    #[arg(long, value_parser = choice(FcsOffsets::CHOICES), value_name = "WHICH", help_heading = "Reading")]
    #[arg(help = fcs::OFFSETS.help)]
    pub fcs_offsets: Option<FcsOffsets>,
    /// See [`fcs::DATA_SET`].
    #[arg(long, value_name = "N", help_heading = "Reading", help = fcs::DATA_SET.help)]
    pub data_set: Option<usize>,
    /// See [`tenx_h5::GENOME_OPTION`].
    #[arg(long, value_name = "NAME", help_heading = "Reading", help = tenx_h5::GENOME_OPTION.help)]
    pub genome: Option<String>,
    /// See [`table::INDEX_COLUMN`].
    #[arg(long, value_name = "NAME", help_heading = "Reading", help = table::INDEX_COLUMN.help)]
    pub index_column: Option<String>,
    /// See [`table::OBS_COLUMNS`].
    #[arg(long, value_name = "A,B", value_delimiter = ',', help_heading = "Reading")]
    #[arg(help = table::OBS_COLUMNS.help)]
    pub obs_columns: Vec<String>,
    /// See [`table::TRANSPOSE`].
    #[arg(long, help_heading = "Reading", help = table::TRANSPOSE.help)]
    pub transpose: bool,
}

/// How output is written.
#[derive(Debug, Clone, Default, Args)]
pub struct WriteArgs {
    /// Format to write [default: by the extension of the output; a name without one is a 10x folder]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Writing")]
    pub to: Option<Format>,
    /// See [`COMPRESSION`].
    #[arg(long, value_name = "HOW", value_parser = compression, help_heading = "Writing", help = COMPRESSION.help)]
    pub compression: Option<Compression>,
    /// See [`h5ad::COMPAT`].
    #[arg(long, value_parser = choice(Compat::CHOICES), value_name = "VERSION", help_heading = "Writing")]
    #[arg(help = h5ad::COMPAT.help)]
    pub h5ad_compat: Option<Compat>,
    /// See [`fcs::VERSION`].
    #[arg(long, value_parser = choice(FcsVersion::CHOICES), value_name = "VERSION", help_heading = "Writing")]
    #[arg(help = fcs::VERSION.help)]
    pub fcs_version: Option<FcsVersion>,
    /// See [`fcs::APPEND`].
    #[arg(long, value_name = "WHAT", value_delimiter = ',', help_heading = "Writing", help = fcs::APPEND.help)]
    pub append: Vec<Append>,
    /// See [`table::TABLE`].
    #[arg(long, value_parser = choice(Table::CHOICES), value_name = "TABLE", help_heading = "Writing")]
    #[arg(help = table::TABLE.help)]
    pub table: Option<Table>,
    /// How to mark cells that a model made where there is no column for it: `names` lets their names start with
    /// scx-synthetic- [default: such a target is refused]
    #[arg(long, value_parser = choice(Mark::CHOICES), value_name = "HOW", help_heading = "Writing")]
    pub mark: Option<Mark>,
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
        let Self { fcs_offsets, data_set, genome, index_column, obs_columns, transpose } = self;
        let pairs = [
            (&fcs::OFFSETS, fcs_offsets.and_then(|o| name_of(FcsOffsets::CHOICES, &o))),
            (&fcs::DATA_SET, data_set.map(|n| n.to_string())),
            (&tenx_h5::GENOME_OPTION, genome.clone()),
            (&table::INDEX_COLUMN, index_column.clone()),
            (&table::OBS_COLUMNS, (!obs_columns.is_empty()).then(|| obs_columns.join(","))),
        ];
        let pairs = pairs.into_iter().filter_map(|(o, value)| Some(format!("{}={}", o.name, value?)));
        pairs.chain(transpose.then(|| table::TRANSPOSE.name.to_owned())).collect()
    }

    /// Opens a file of any format. An option its format has no use for causes a warning.
    ///
    /// # Errors
    /// [`ReadError`] with the file and the place.
    pub fn open(&self, path: &Path, options: &ReadOptions) -> Result<(&'static Codec, Dataset), ReadError> {
        let codec = io::detect(path)?;
        self.warn_idle(&[codec.format]);
        Ok((codec, (codec.read)(path, options)?))
    }

    /// Warns of options that none of these formats, one for each input, has a use for.
    pub fn warn_idle(&self, from: &[Format]) {
        let Self { fcs_offsets, data_set, genome, index_column, obs_columns, transpose } = self;
        let given = [
            (&fcs::OFFSETS, fcs_offsets.is_some()),
            (&fcs::DATA_SET, data_set.is_some()),
            (&tenx_h5::GENOME_OPTION, genome.is_some()),
            (&table::INDEX_COLUMN, index_column.is_some()),
            (&table::OBS_COLUMNS, !obs_columns.is_empty()),
            (&table::TRANSPOSE, *transpose),
        ];
        warn_idle(from, &given);
    }

    /// As [`ReadArgs::warn_idle`], by the names that people use for the formats.
    pub fn warn_idle_in(&self, names: &[String]) {
        let of = |name: &String| CODECS.iter().map(|c| c.format).find(|f| f.name() == name);
        let formats: Vec<Format> = names.iter().filter_map(of).collect();
        if !formats.is_empty() {
            self.warn_idle(&formats);
        }
    }

    /// As options of the library.
    pub fn options(&self, memory: Option<u64>) -> ReadOptions {
        let Self { fcs_offsets, data_set, genome, index_column, obs_columns, transpose } = self;
        let defaults = ReadOptions::default();
        ReadOptions {
            fcs_offsets: fcs_offsets.unwrap_or_default(),
            data_set: *data_set,
            genome: genome.clone(),
            index_column: index_column.clone(),
            obs_columns: obs_columns.clone(),
            transpose: *transpose,
            memory: memory.unwrap_or(defaults.memory),
            ..defaults
        }
    }
}

impl WriteArgs {
    /// Warns of options that a format has no use for.
    pub fn warn_idle(&self, to: Format) {
        let given = [
            (&h5ad::COMPAT, self.h5ad_compat.is_some()),
            (&COMPRESSION, self.compression.is_some()),
            (&fcs::VERSION, self.fcs_version.is_some()),
            (&table::TABLE, self.table.is_some()),
        ];
        warn_idle(&[to], &given);
    }

    /// Refuses what a format has no use for and must not be without.
    ///
    /// # Errors
    /// [`CliError`] that says what to do.
    pub fn refuse_idle(&self, to: Format) -> Result<(), CliError> {
        if self.append.is_empty() || to.codec().uses(&fcs::APPEND) {
            return Ok(());
        }
        let able: Vec<&str> = CODECS.iter().filter(|c| c.uses(&fcs::APPEND)).map(|c| c.name).collect();
        Err(CliError::usage(format!(
            "{} makes channels of what is known of cells, and {} has none; leave it out or write {}",
            fcs::APPEND.name,
            to.name(),
            able.join(", ")
        )))
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
            append,
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
            compat: h5ad_compat.unwrap_or_default(),
            fcs_version: fcs_version.unwrap_or_default(),
            append: append.clone(),
            table: *table,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compression_names_its_level() {
        assert_eq!(compression("gzip:9"), Ok(Compression::Gzip(9)));
        assert_eq!(compression("none"), Ok(Compression::None));
        assert!(compression("gzip:10").is_err() && compression("zstd").is_err());
    }
}
