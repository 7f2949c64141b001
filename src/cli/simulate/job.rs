//! Where the parameters of a simulation come from.

use std::path::{Path, PathBuf};

use crate::cli::kit::error::CliError;
use crate::cli::simulate::SimulateArgs;
use crate::simulate::splat::{DeLaw, Group, SplatParams};

/// Where parameters come from.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) enum Origin<'a> {
    Like(&'a Path),
    File(&'a Path),
}

impl SimulateArgs {
    pub(in crate::cli) fn seed(&self) -> u64 {
        self.seed.unwrap_or(0)
    }

    pub(in crate::cli) fn origin(&self) -> Result<Origin<'_>, CliError> {
        match (&self.like, &self.params) {
            (Some(path), None) => Ok(Origin::Like(path)),
            (None, Some(_)) if self.counts.layer.is_some() => {
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
}
