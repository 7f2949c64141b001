//! The page on a prediction: what it rests on, and how the cells look.

use std::cmp::Ordering;

use ndarray::{Array2, ArrayView2, Axis, concatenate};

use super::PredictArgs;
use super::job::Done;
use crate::cli::kit::error::CliError;
use crate::cli::kit::show::thousands;
use crate::data::Dataset;
use crate::eval::perturbation::{Moments, Ranking, Test, components, r2, rank, strongest};
use crate::predict::Cells;
use crate::report::{
    Column, GeneScatter, Level, PerturbationReport, ScoreGroup, ScoreRow, ScoreTable, ScoreValue, SetCloud,
    SetViolin, Verdict,
};
use crate::rng::Seed;

/// Cells of a set that are drawn, and values of a violin.
const DRAWN: usize = 1500;

/// Genes named in a scatter.
const NAMED: usize = 10;

/// Genes drawn as violins.
const VIOLINS: usize = 4;

/// Cells that the page shows: control, predicted, real where there are some, other types' response.
struct Sets {
    control: Array2<f32>,
    predicted: Array2<f32>,
    real: Option<Array2<f32>>,
    others: Array2<f32>,
}

/// Everything the page shows.
pub(super) fn page(
    args: &PredictArgs,
    (dataset, cells): (&Dataset, &Cells),
    done: &Done,
) -> Result<PerturbationReport, CliError> {
    let sets = sets(cells, done);
    let names: Vec<&str> = done.types.iter().map(|&t| cells.types[t].as_str()).collect();
    let gene = |g: usize| dataset.var.index.get(g).unwrap_or_default().into_owned();
    let after = sets.real.as_ref().unwrap_or(&sets.predicted);
    let ranking = rank(after.view(), sets.control.view(), Test::Wilcoxon);
    let from = args.apply_to.as_deref().unwrap_or(&args.source);
    let made = (from, args.target.as_str());
    let weights = done.predictions.first().filter(|p| !p.mean_weights.is_empty()).map(|p| {
        let of = |w: &[(String, f64)]| {
            w.iter().filter(|w| w.1 > 0.0005).map(|(n, w)| (n.clone(), format!("{w:.3}"))).collect::<Vec<_>>()
        };
        vec![
            ("Rules of the mean".to_owned(), of(&p.mean_weights)),
            ("Rules of the variance".to_owned(), of(&p.variance_weights)),
        ]
    });
    Ok(PerturbationReport {
        title: format!("Predicted response of {}", names.join(", ")),
        subtitle: format!(
            "{} cells from {from} to {} · {} · learnt from {}",
            thousands(done.rows.len()),
            args.target,
            done.model,
            done.learnt_from.join(", ")
        ),
        unit: if cells.of_counts { "log1p".into() } else { "as in the file".into() },
        verdict: verdict(done),
        score: table(done),
        scatters: scatters(&sets, (&ranking, &gene), &done.variable),
        violins: violins(&sets, &ranking, &gene, made),
        cloud: Some(cloud(&sets, made, args.seed)?),
        weights: weights.unwrap_or_default(),
        parameters: parameters(args, done, cells),
        provenance: vec![
            ("input".into(), args.input.display().to_string()),
            ("scx".into(), env!("CARGO_PKG_VERSION").into()),
        ],
        warnings: Vec::new(),
        notes: done.predictions.iter().flat_map(|p| p.notes.clone()).chain(cells.notes.clone()).collect(),
    })
}

fn sets(cells: &Cells, done: &Done) -> Sets {
    let pick = |rows: &[usize]| cells.values.select(Axis(0), rows);
    let of = |all: &[Vec<usize>]| done.types.iter().flat_map(|&t| all[t].clone()).collect::<Vec<_>>();
    let real = of(&cells.target);
    let others: Vec<usize> = (0..cells.real_types)
        .filter(|t| !done.types.contains(t))
        .flat_map(|t| cells.target[t].iter().copied())
        .collect();
    Sets {
        control: pick(&of(&cells.source)),
        predicted: done.values.clone(),
        real: (real.len() > 1).then(|| pick(&real)),
        others: pick(&others),
    }
}

fn verdict(done: &Done) -> Verdict {
    let level = match done.verdict.better {
        Some(true) => Level::Good,
        _ => Level::Caution,
    };
    let mut details = done.verdict.details.clone();
    details.extend(done.why.clone());
    Verdict { headline: done.verdict.headline.clone(), details, level }
}

/// Models against measures, on the training types.
fn table(done: &Done) -> ScoreTable {
    let column =
        |header: &str, explanation: &str| Column { header: header.into(), explanation: explanation.into() };
    let columns = vec![
        column(
            "R² of means",
            "each training type predicted from the others, mean over the types: 1 is perfect",
        ),
        column("least R²", "that of the type it told worst"),
        column(
            "correlation of changes",
            "of predicted and real change over the variable genes, mean over the types",
        ),
    ];
    let figures: Vec<[f64; 3]> = done
        .judged
        .iter()
        .map(|j| [j.r2(), j.types.iter().map(|t| t.r2).fold(f64::INFINITY, f64::min), j.change()])
        .collect();
    let best = |c: usize| figures.iter().map(|f| f[c]).fold(f64::NEG_INFINITY, f64::max);
    let rows = done
        .judged
        .iter()
        .zip(&figures)
        .map(|(j, f)| ScoreRow {
            method: j.model.clone(),
            chosen: j.model == done.model,
            values: (0..3)
                .map(|c| ScoreValue {
                    text: format!("{:.3}", f[c]),
                    best: f[c].total_cmp(&best(c)) == Ordering::Equal,
                })
                .collect(),
        })
        .collect::<Vec<_>>();
    if rows.is_empty() {
        return ScoreTable::default();
    }
    ScoreTable { columns, groups: vec![ScoreGroup { name: "training types".into(), rows }] }
}

/// Means and variances: against real cells where there are some, else against the control cells.
fn scatters(
    sets: &Sets,
    (ranking, gene): (&Ranking, &dyn Fn(usize) -> String),
    variable: &[usize],
) -> Vec<GeneScatter> {
    let (other, name) = match &sets.real {
        Some(real) => (real, "real"),
        None => (&sets.control, "control"),
    };
    let (p, o) = (Moments::of(sets.predicted.view()), Moments::of(other.view()));
    let named = strongest(ranking, NAMED);
    let one = |what: &str, x: &[f64], y: &[f64]| GeneScatter {
        title: format!("{what} of genes"),
        x: format!("{what}, predicted cells"),
        y: format!("{what}, {name} cells"),
        genes: variable
            .iter()
            .chain(named.iter().filter(|g| variable.binary_search(g).is_err()))
            .map(|&g| ([x[g], y[g]], named.contains(&g).then(|| gene(g))))
            .collect(),
        says: match &sets.real {
            Some(_) => format!("R² of {what}s over the variable genes: {:.3}.", r2(x, y, Some(variable))),
            None => {
                "There are no real cells to compare with: distance from the line is the predicted response."
                    .into()
            }
        },
    };
    vec![one("mean", &p.mean, &o.mean), one("variance", &p.variance, &o.variance)]
}

fn violins(
    sets: &Sets,
    ranking: &Ranking,
    gene: &dyn Fn(usize) -> String,
    (from, to): (&str, &str),
) -> Vec<SetViolin> {
    let values = |x: &Array2<f32>, g: usize| x.column(g).iter().copied().take(DRAWN).collect::<Vec<f32>>();
    strongest(ranking, VIOLINS)
        .into_iter()
        .map(|g| SetViolin {
            gene: gene(g),
            sets: [
                Some((from.to_owned(), values(&sets.control, g))),
                Some((format!("{to}, predicted"), values(&sets.predicted, g))),
                sets.real.as_ref().map(|r| (format!("{to}, real"), values(r, g))),
            ]
            .into_iter()
            .flatten()
            .collect(),
        })
        .collect()
}

/// Cells on components of all measured ones.
fn cloud(sets: &Sets, (from, to): (&str, &str), seed: u64) -> Result<SetCloud, CliError> {
    let mut random = Seed(seed).stream("predict/page");
    let mut some = |x: &Array2<f32>| {
        if x.nrows() <= DRAWN { x.clone() } else { x.select(Axis(0), &random.sample(x.nrows(), DRAWN)) }
    };
    let (control, predicted, others) = (some(&sets.control), some(&sets.predicted), some(&sets.others));
    let real = sets.real.as_ref().map(&mut some);
    let numerical = |e: crate::linalg::LinalgError| CliError::from(crate::predict::PredictError::from(e));
    let views: Vec<ArrayView2<'_, f32>> =
        [Some(&control), Some(&others), real.as_ref()].into_iter().flatten().map(|x| x.view()).collect();
    let measured = concatenate(Axis(0), &views).map_err(|e| CliError::input(e.to_string()))?;
    let space =
        components(measured.view(), Array2::zeros((0, measured.ncols())).view()).map_err(numerical)?;
    let places = |x: &Array2<f32>| -> Result<Vec<[f64; 2]>, CliError> {
        let z = space.place(x.view()).map_err(numerical)?;
        Ok(z.rows().into_iter().map(|r| [r[0], r.get(1).copied().unwrap_or(0.0)]).collect())
    };
    let mut all =
        vec![(from.to_owned(), places(&control)?), (format!("{to}, predicted"), places(&predicted)?)];
    // A set without cells keeps its colour.
    all.push((format!("{to}, real"), real.as_ref().map(places).transpose()?.unwrap_or_default()));
    all.push((format!("{to}, other types"), places(&others)?));
    Ok(SetCloud { x: "PC1".into(), y: "PC2".into(), sets: all })
}

fn parameters(args: &PredictArgs, done: &Done, cells: &Cells) -> Vec<(String, String)> {
    let mut all = vec![
        ("model".to_owned(), done.model.to_owned()),
        ("condition".into(), format!("obs[\"{}\"]: {} to {}", args.condition_key, args.source, args.target)),
        ("variable genes".into(), thousands(done.variable.len())),
        ("values".into(), cells.looks.clone()),
        ("seed".into(), args.seed.to_string()),
    ];
    all.extend(args.cell_type_key.iter().map(|k| ("types".to_owned(), format!("obs[\"{k}\"]"))));
    all.extend(args.batch_key.iter().map(|k| ("batches".to_owned(), format!("obs[\"{k}\"]"))));
    all.extend(args.apply_to.iter().map(|k| ("predicted from".to_owned(), k.clone())));
    all
}
