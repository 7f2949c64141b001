//! What a run of `simulate` is to do: flags over the configuration file over defaults.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cli::kit::error::CliError;
use crate::cli::simulate::{SimulateArgs, Simulator};
use crate::simulate::splat::{DeLaw, DropoutKind, Group, SplatParams};

/// What `--config` reads and `--print-config` writes: the words of the flags, every one optional.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::cli) struct Job {
    pub(in crate::cli) model: Simulator,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) like: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) params: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) output: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) layer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) n_cells: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) n_genes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) groups: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) de_prob: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) dropout: Option<DropoutKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) save_params: Option<PathBuf>,
    pub(in crate::cli) seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) threads: Option<usize>,
    pub(in crate::cli) json: bool,
    pub(in crate::cli) force: bool,
    pub(in crate::cli) dry_run: bool,
    pub(in crate::cli) quiet: bool,
}

/// Where parameters come from.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) enum Origin<'a> {
    Like(&'a Path),
    File(&'a Path),
}

impl Job {
    pub(in crate::cli) fn of(args: &SimulateArgs) -> Result<Self, CliError> {
        let mut file = match &args.config {
            Some(path) => read_yaml::<Job>(path, "a configuration of scx simulate")?,
            None => Job::default(),
        };
        // A flag takes the place of either way to parameters.
        if args.like.is_some() || args.params.is_some() {
            (file.like, file.params) = (args.like.clone(), args.params.clone());
        }
        Ok(Self {
            model: args.model.unwrap_or(file.model),
            like: file.like,
            params: file.params,
            output: args.output.clone().or(file.output),
            layer: args.layer.clone().or(file.layer),
            n_cells: args.n_cells.or(file.n_cells),
            n_genes: args.n_genes.or(file.n_genes),
            groups: args.groups.clone().or(file.groups),
            de_prob: args.de_prob.or(file.de_prob),
            dropout: args.dropout.or(file.dropout),
            save_params: args.save_params.clone().or(file.save_params),
            seed: args.seed.unwrap_or(file.seed),
            threads: args.running.threads.or(file.threads),
            json: args.running.json || file.json,
            force: args.writing.force || file.force,
            dry_run: args.running.dry_run || file.dry_run,
            quiet: args.running.quiet || file.quiet,
        })
    }

    pub(in crate::cli) fn origin(&self) -> Result<Origin<'_>, CliError> {
        match (&self.like, &self.params) {
            (Some(path), None) => Ok(Origin::Like(path)),
            (None, Some(_)) if self.layer.is_some() => {
                Err(CliError::usage("--layer says where the counts of --like are; --params has none"))
            }
            (None, Some(path)) => Ok(Origin::File(path)),
            (Some(_), Some(_)) => {
                Err(CliError::usage("both like and params are given; parameters come from one of them"))
            }
            (None, None) => Err(CliError::usage(
                "say where the parameters come from: --like IN (a file with raw counts) or --params FILE",
            )),
        }
    }

    pub(in crate::cli) fn output(&self) -> Result<&PathBuf, CliError> {
        self.output.as_ref().ok_or_else(|| CliError::usage("say where the cells go: -o OUT"))
    }

    /// Parameters changed as the options ask.
    pub(in crate::cli) fn change(&self, params: &mut SplatParams) -> Result<(), CliError> {
        params.n_cells = self.n_cells.unwrap_or(params.n_cells);
        params.n_genes = self.n_genes.unwrap_or(params.n_genes);
        if let Some(text) = &self.groups {
            params.groups = groups(text)?;
        }
        if let Some(probability) = self.de_prob {
            if params.groups.is_empty() {
                return Err(CliError::usage("--de-prob says how groups differ; give --groups too"));
            }
            params.groups.iter_mut().for_each(|g| g.de.probability = probability);
        }
        params.dropout.kind = self.dropout.unwrap_or(params.dropout.kind);
        Ok(params.check()?)
    }
}

/// Parameters from a YAML or JSON file: JSON is YAML.
pub(in crate::cli) fn read_params(path: &Path) -> Result<SplatParams, CliError> {
    let params: SplatParams = read_yaml(path, "parameters of Splat")?;
    params.check().map_err(|e| CliError::from(e).within(&path.display().to_string()))?;
    Ok(params)
}

fn read_yaml<T: serde::de::DeserializeOwned>(path: &Path, what: &str) -> Result<T, CliError> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| CliError::input(format!("{}: cannot read {what}: {e}", path.display())))?;
    serde_yaml::from_str(&text).map_err(|e| CliError::usage(format!("{}: not {what}: {e}", path.display())))
}

/// `3`, or `0.6,0.3,0.1`.
fn groups(text: &str) -> Result<Vec<Group>, CliError> {
    let wrong = || {
        CliError::usage(format!(
            "--groups {text}: expected a number of groups, 1 to 1000, or their shares separated by commas"
        ))
    };
    let shares: Vec<f64> = if text.contains(',') {
        text.split(',').map(|s| s.trim().parse().map_err(|_| wrong())).collect::<Result<_, _>>()?
    } else {
        let n: usize = text.trim().parse().map_err(|_| wrong())?;
        if !(1..=1000).contains(&n) {
            return Err(wrong());
        }
        vec![1.0 / n as f64; n]
    };
    if shares.iter().any(|s| !(s.is_finite() && *s > 0.0)) {
        return Err(wrong());
    }
    let group = |(i, proportion): (usize, f64)| Group {
        name: format!("Group{}", i + 1),
        proportion,
        de: DeLaw::default(),
    };
    Ok(shares.into_iter().enumerate().map(group).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_a_number_or_shares() {
        assert_eq!(groups("4").unwrap().len(), 4);
        let some = groups("0.6, 0.4").unwrap();
        assert_eq!((some[1].name.as_str(), some[1].proportion), ("Group2", 0.4));
        for bad in ["", "0", "1.5", "-1,2", "a,b", "0.5,", "99999"] {
            assert_eq!(groups(bad).unwrap_err().code(), 2, "{bad}");
        }
    }

    #[test]
    fn a_job_comes_back_from_yaml() {
        let job = Job { groups: Some("2".into()), seed: 7, force: true, ..Job::default() };
        let text = serde_yaml::to_string(&job).unwrap();
        assert_eq!(serde_yaml::from_str::<Job>(&text).unwrap(), job, "{text}");
    }
}
