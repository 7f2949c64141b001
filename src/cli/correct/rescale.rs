//! Values as they must be before a correction: on the linear scale, and without spillover where that is asked for. Also
//! what to say of files where something of that seems to be missing.

use crate::cli::correct::how::How;
use crate::cli::kit::error::CliError;
use crate::cli::preprocess::compensated;
use crate::data::{Dataset, Matrix, Spillover, linear, logarithmic};
use crate::io::fcs;
use crate::recipe::{Options, Recipe, Step};

/// Layer that keeps X as it was stored, where a format has layers.
pub(super) const ORIGINAL: &str = "original";

/// Puts X on the linear scale and removes spillover where asked; gives back X as it was when something changed.
///
/// # Errors
/// [`CliError`] when spillover is to be removed and the file states none, or one that does not fit its channels.
pub(super) fn rescaled(dataset: Dataset, how: &How) -> Result<(Dataset, Option<Matrix>), CliError> {
    let stored = dataset.x.clone();
    let is_logarithmic = !logarithmic(&dataset).unwrap_or_default().is_empty();
    let mut dataset = if is_logarithmic { linear(dataset).map_err(input)? } else { dataset };
    if how.compensate {
        compensate(&mut dataset)?;
    }
    Ok((dataset, stored.filter(|_| is_logarithmic || how.compensate)))
}

fn input(e: crate::data::DataError) -> CliError {
    CliError::input(e.to_string())
}

fn compensate(dataset: &mut Dataset) -> Result<(), CliError> {
    if compensated(dataset) {
        return Err(CliError::usage(
            "--compensate: scx has compensated this file already; leave --compensate out",
        ));
    }
    let found = stated(dataset).map_err(input)?.ok_or_else(|| {
        CliError::input(
            "--compensate: the file states no spillover matrix ($SPILLOVER, SPILL, $COMP); leave --compensate out if its \
             values are compensated already, or give a matrix to `scx preprocess` in a recipe first",
        )
    })?;
    if found.is_identity() {
        return Ok(());
    }
    let step = Step::Compensate { spillover: Some(found) };
    let recipe = Recipe { steps: vec![step] };
    recipe
        .fit_apply(dataset, &Options { force_space: true, ..Options::default() })
        .map_err(|e| CliError::input(format!("--compensate: {e}")))?;
    fcs::mark_compensated(dataset);
    Ok(())
}

/// The spillover matrix that a file states.
fn stated(dataset: &Dataset) -> Result<Option<Spillover>, crate::data::DataError> {
    let kept = dataset.uns.get("fcs").and_then(fcs::keywords_from_uns).unwrap_or_default();
    let own = &dataset.source.keywords;
    fcs::spillover(if own.is_empty() { &kept } else { own })
}

/// What to say of a file before it is corrected; each with the option that helps.
pub(super) fn remarks(dataset: &Dataset, how: &How) -> Vec<String> {
    let mut all = Vec::new();
    let names: Vec<String> = dataset.var.index.iter().map(|n| n.into_owned()).collect();
    if !how.compensate
        && !compensated(dataset)
        && let Ok(Some(spillover)) = stated(dataset)
        && !spillover.is_identity()
        && spillover.channels().iter().all(|c| names.contains(c))
    {
        all.push(format!(
            "states a spillover matrix of {} channels, which is not applied; add --compensate unless its values are compensated \
             already",
            spillover.channels().len()
        ));
    }
    let scatter = |n: &String| {
        let n = n.to_uppercase();
        n.starts_with("FSC") || n.starts_with("SSC")
    };
    if how.is_mass_by_default() && names.iter().any(scatter) {
        all.push(
            "has scatter channels, as fluorescence cytometers do, and cofactor 5 is that of mass cytometry; add --cofactor 150 (or \
             --cofactor NAME=X for single channels), or --cofactor 5 if 5 is right"
                .into(),
        );
    }
    all
}
