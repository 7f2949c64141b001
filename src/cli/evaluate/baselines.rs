//! Cells of simple methods, learnt from the training cells, to stand beside generated ones.

use crate::classic::sampling::{Baseline, CountSampler, SampleError};
use crate::cli::evaluate::GenerationArgs;
use crate::cli::evaluate::cells::Common;
use crate::cli::evaluate::cells::Set;
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::data::Counts;
use crate::eval::generation::{JudgeSettings, SetKind};

/// Cells of one method.
pub(in crate::cli) struct Drawn {
    pub(in crate::cli) name: &'static str,
    pub(in crate::cli) kind: SetKind,
    pub(in crate::cli) set: Set,
}

/// As many cells as were generated, in the types of the training cells; none without training cells.
pub(in crate::cli) fn draw(
    args: &GenerationArgs,
    common: &Common,
    n: usize,
    settings: &JudgeSettings,
    console: &Console,
) -> Result<Vec<Drawn>, CliError> {
    let Some((counts, labels)) = common.sets.get(2).filter(|_| !args.no_baselines) else {
        return Ok(Vec::new());
    };
    // Without types all cells are of one.
    let known = labels.is_some();
    let types = if known { common.types.len() } else { 1 };
    let label = |i: usize| labels.as_ref().map_or(Some(0), |l| l[i]);
    let rows: Vec<usize> = (0..counts.n_cells()).filter(|&i| label(i).is_some()).collect();
    let codes: Vec<usize> = rows.iter().filter_map(|&i| label(i)).collect();
    let from: Vec<usize> =
        codes.iter().copied().filter(|c| settings.cluster.is_none_or(|only| only == *c)).collect();
    if from.is_empty() {
        return Ok(Vec::new());
    }
    // More than are compared need not be made.
    let n = n.min(args.max_cells).max(2 * settings.folds);
    let mut random = settings.seed.stream("evaluate/types");
    let mut wanted = vec![0usize; types];
    (0..n).for_each(|_| wanted[from[random.below(from.len())]] += 1);
    let training = counts.cells(&rows);
    let mut out = Vec::new();
    for &baseline in &args.baselines {
        console.check()?;
        let failed = |e: SampleError| CliError::input(format!("baseline {}: {e}", baseline.name()));
        let sampler = baseline.fit(&training, &codes, types, settings.seed).map_err(failed)?;
        let (mut made, mut of) = (Counts::empty(counts.n_genes()), Vec::new());
        for (t, &k) in wanted.iter().enumerate().filter(|(_, k)| **k > 0) {
            let mut stream = settings.seed.stream(&format!("evaluate/{}/{t}", baseline.name()));
            made.append(&sampler.sample(t, k, &mut stream).map_err(failed)?);
            of.extend(vec![Some(t); k]);
        }
        let kind = if baseline == Baseline::Oversample { SetKind::Copies } else { SetKind::Baseline };
        let name = match (baseline, known) {
            (Baseline::Oversample, _) => "training cells drawn again (oversample)",
            (Baseline::NbPooled, _) | (Baseline::Nb, false) => "negative binomial per gene (nb-pooled)",
            (Baseline::Nb, true) => "negative binomial per gene and type (nb)",
            (Baseline::NbCopula, _) => "negative binomial with correlations (nb-copula)",
            (Baseline::Smote, _) => "SMOTE on counts (smote)",
        };
        out.push(Drawn { name, kind, set: (made, known.then_some(of)) });
    }
    Ok(out)
}
