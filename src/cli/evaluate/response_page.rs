//! The page of `scx evaluate perturbation`.

use ndarray::{Array2, Axis};

use crate::cli::evaluate::PerturbationArgs;
use crate::cli::evaluate::perturbation::File;
use crate::cli::kit::error::CliError;
use crate::cli::kit::show::thousands;
use crate::eval::perturbation::{Halves, Moments, Score, Space, Test, rank, strongest};
use crate::predict::PredictError;
use crate::report::{
    Column, GeneScatter, Level, PerturbationReport, ScoreGroup, ScoreRow, ScoreTable, ScoreValue, SetCloud,
    SetViolin, Verdict,
};
use crate::rng::Seed;

/// Cells of a set that are drawn.
const DRAWN: usize = 1500;

/// Genes named in a scatter, and genes drawn as violins.
const NAMED: (usize, usize) = (10, 4);

/// Everything the page shows.
pub(super) fn build(
    args: &PerturbationArgs,
    files: &[File; 3],
    genes: &[String],
    (found, none, half): (&Score, &Score, Option<&Halves>),
    space: &Space,
) -> Result<PerturbationReport, CliError> {
    let [predicted, real, control] = files;
    let ranking = rank(real.values.view(), control.values.view(), Test::Wilcoxon);
    let named = strongest(&ranking, NAMED.0);
    let (p, r) = (Moments::of(predicted.values.view()), Moments::of(real.values.view()));
    let one = |what: &str, x: &[f64], y: &[f64], says: String| GeneScatter {
        title: format!("{what} of genes"),
        x: format!("{what}, predicted cells"),
        y: format!("{what}, real cells"),
        genes: (0..genes.len())
            .map(|g| ([x[g], y[g]], named.contains(&g).then(|| genes[g].clone())))
            .collect(),
        says,
    };
    let values = |f: &File, g: usize| f.values.column(g).iter().copied().take(DRAWN).collect::<Vec<f32>>();
    let [np, nr, nc] = found.cells;
    Ok(PerturbationReport {
        title: "A predicted response against a measured one".into(),
        subtitle: format!(
            "{} predicted cells · {} real cells · {} control cells · {} genes",
            thousands(np),
            thousands(nr),
            thousands(nc),
            thousands(genes.len())
        ),
        unit: "as in the files".into(),
        verdict: verdict(found, none, half),
        score: table(found, none, half),
        scatters: vec![
            one("mean", &p.mean, &r.mean, format!("R² of means: {:.3}.", found.all.r2_mean)),
            one(
                "variance",
                &p.variance,
                &r.variance,
                format!("R² of variances: {:.3}.", found.all.r2_variance),
            ),
        ],
        violins: named
            .iter()
            .take(NAMED.1)
            .map(|&g| SetViolin {
                gene: genes[g].clone(),
                sets: vec![
                    ("control".into(), values(control, g)),
                    ("predicted".into(), values(predicted, g)),
                    ("real".into(), values(real, g)),
                ],
            })
            .collect(),
        cloud: Some(cloud(files, space, args.seed)?),
        weights: Vec::new(),
        parameters: vec![
            ("second set of genes".into(), args.genes.clone()),
            ("resamples".into(), args.resamples.to_string()),
            ("seed".into(), args.seed.to_string()),
        ],
        provenance: files
            .iter()
            .zip(["predicted", "real", "control"])
            .map(|(f, n)| (n.into(), f.path.clone()))
            .collect(),
        warnings: Vec::new(),
        notes: found
            .spread
            .iter()
            .map(|s| {
                format!(
                    "{}, {} genes, {}: {:.4} ± {:.4}, 95 % between {:.4} and {:.4}",
                    s.figure.replace('_', " "),
                    s.genes,
                    s.scheme,
                    s.mean,
                    s.sd,
                    s.low,
                    s.high
                )
            })
            .collect(),
    })
}

/// Half of the way from no change to what real halves reach is the least that is called good.
fn verdict(found: &Score, none: &Score, half: Option<&Halves>) -> Verdict {
    let most = half.map_or(1.0, |h| h.change);
    let level = match found.all.change {
        c if c >= 0.5 * most && found.energy < none.energy => Level::Good,
        c if c > 0.0 => Level::Caution,
        _ => Level::Bad,
    };
    let headline = match level {
        Level::Good => "The predicted change is like the measured one.",
        Level::Caution => "The predicted change is like the measured one in part.",
        Level::Bad | Level::Unjudged => "The predicted change is not like the measured one.",
    };
    let mut details = vec![format!(
        "correlation of changes {:.3}, against halves of the control cells {:.3}; energy distance {:.3}, {:.3} without a prediction",
        found.all.change, found.change_half, found.energy, none.energy
    )];
    if let Some(h) = half {
        details.push(format!(
            "halves of the real cells reach a correlation of changes of {:.3} and an R² of means of {:.3}",
            h.change, h.r2_mean
        ));
    }
    Verdict { headline: headline.into(), details, level }
}

fn table(found: &Score, none: &Score, half: Option<&Halves>) -> ScoreTable {
    let column =
        |header: &str, explanation: &str| Column { header: header.into(), explanation: explanation.into() };
    let value = |x: f64| ScoreValue { text: format!("{x:.3}"), best: false };
    let row = |name: &str, chosen: bool, v: [f64; 4]| ScoreRow {
        method: name.into(),
        chosen,
        values: v.into_iter().map(value).collect(),
    };
    let of = |s: &Score| [s.all.r2_mean, s.all.r2_variance, s.all.change, s.energy];
    let mut rows = vec![row("predicted", true, of(found)), row("no change", false, of(none))];
    if let Some(h) = half {
        rows.push(row("halves of real cells", false, [h.r2_mean, h.r2_variance, h.change, h.energy]));
    }
    ScoreTable {
        columns: vec![
            column("R² of means", "squared correlation of gene means, predicted and real"),
            column("R² of variances", "squared correlation of gene variances"),
            column("correlation of changes", "of the changes of means against the same control cells"),
            column("energy distance", "between the cells on 50 components: 0 is the same"),
        ],
        groups: vec![ScoreGroup { name: String::new(), rows }],
    }
}

fn cloud(files: &[File; 3], space: &Space, seed: u64) -> Result<SetCloud, CliError> {
    let [predicted, real, control] = files;
    let mut random = Seed(seed).stream("response/page");
    let mut places = |x: &Array2<f32>| -> Result<Vec<[f64; 2]>, CliError> {
        let some = x.select(Axis(0), &random.sample(x.nrows(), DRAWN));
        let z = space.place(some.view()).map_err(|e| CliError::from(PredictError::from(e)))?;
        Ok(z.rows().into_iter().map(|r| [r[0], r.get(1).copied().unwrap_or(0.0)]).collect())
    };
    let sets = vec![
        ("control".to_owned(), places(&control.values)?),
        ("predicted".to_owned(), places(&predicted.values)?),
        ("real".to_owned(), places(&real.values)?),
    ];
    Ok(SetCloud { x: "PC1".into(), y: "PC2".into(), sets })
}
