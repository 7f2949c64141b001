//! The YAML file of `correct`: the same words as the flags, every one optional.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cli::correct::TransformArg;
use crate::cli::kit::error::CliError;
use crate::cli::kit::files::FormatArg;
use crate::correct::{Method, Preset};

/// What `--config` reads and `--print-config` writes.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct CorrectFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spikein: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<Vec<PathBuf>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<FormatArg>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holdout: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub markers: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub into_x: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transform: Option<TransformArg>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cofactor: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub biaxial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_model: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_dir: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelFile>,
}

/// Settings of the network, in the file only.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct ModelFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<Vec<usize>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minibatch: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
}

/// Reads a configuration file.
///
/// # Errors
/// [`CliError`]: bad input when it cannot be read, wrong usage when it says something unknown.
pub fn read(path: &Path) -> Result<CorrectFile, CliError> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| CliError::input(format!("{}: cannot read the configuration: {e}", path.display())))?;
    serde_yaml::from_str(&text)
        .map_err(|e| CliError::usage(format!("{}: not a configuration of scx correct: {e}", path.display())))
}
