//! How real the new cells are, and whether they help: judged by cells the model has not seen.

use serde_json::{Value, json};

use crate::cli::augment::AugmentArgs;
use crate::cli::evaluate::{Common, GenerationArgs, judged, table};
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::learn::Learn;
use crate::data::Counts;
use crate::eval::generation::{RareCluster, help};
use crate::generate::{self, Material, Request, Synthetic, Trained};
use crate::progress::Silent;
use crate::report::{GenerationReport, LossCurve};

/// What speaks for and against the new cells.
pub(in crate::cli) struct Evidence {
    /// For people.
    pub(in crate::cli) text: String,
    /// For programs and for the record.
    pub(in crate::cli) json: Value,
    /// The page, when there is to be one.
    pub(in crate::cli) page: Option<GenerationReport>,
}

/// Held-out cells below which nothing is judged.
const LEAST: usize = 40;

/// Trees of the forests that tell whether the new cells help.
const TREES: usize = 300;

/// Judges the model by a population it makes, and the new cells by whether a classifier gains from them.
pub(in crate::cli) fn gather(
    args: &AugmentArgs,
    learn: &Learn,
    trained: &Trained,
    (material, held_out): (&Material, &[usize]),
    (asked, synthetic): (&[Request], &Synthetic),
    console: &Console,
) -> Result<Evidence, CliError> {
    if held_out.len() < LEAST {
        let why = if args.model_dir.is_some() {
            "the model was trained elsewhere: judge it with scx evaluate generation on cells it has not seen"
                .into()
        } else {
            format!("{} cells are held out, {LEAST} are needed to judge by", held_out.len())
        };
        return Ok(Evidence { text: format!("not judged: {why}\n"), json: Value::Null, page: None });
    }
    let label = |c: usize| Some(material.labels.codes[c] as usize);
    let set = |cells: &[usize]| {
        (material.counts.cells(cells), Some(cells.iter().map(|&c| label(c)).collect::<Vec<_>>()))
    };
    // A population as large as the held-out cells, in the proportions of the training cells.
    let parts = generate::proportions(&material.sizes(), &[], held_out.len());
    let requests = trained.population(&parts);
    let seed = learn.plan.seed;
    let population = generate::make(trained, &requests, (seed, &learn.sought.scratch), &Silent)?;
    let labels = population.labels.iter().map(|l| l.map(|l| l as usize)).collect();
    let made = (population.modelled(&trained.description.kept)?, Some(labels));
    let common = Common {
        genes: material.modelled(),
        types: material.labels.names.clone(),
        by: vec![None; 3],
        sets: vec![set(held_out), made, set(&material.cells)],
    };
    let of = GenerationArgs {
        report: args.report.clone(),
        ..GenerationArgs::of(args.input.clone(), args.output.clone(), seed.0)
    };
    let name = args.input.display().to_string();
    let place = material.taken.place.to_string();
    let places = [
        ("real", name.clone(), format!("{place}, {} cells held out", held_out.len())),
        ("training", name, format!("{place}, the other cells")),
    ];
    let (score, mut page) = judged(&of, &common, &places, console)?;
    if let Some(page) = &mut page {
        page.losses = losses(trained);
        page.acceptance = synthetic
            .acceptance
            .iter()
            .map(|(l, made, tried)| {
                let name = l.and_then(|l| trained.description.labels.get(l as usize).cloned());
                let share = 100.0 * *made as f64 / (*tried).max(1) as f64;
                (name.unwrap_or_else(|| "all".into()), format!("{made} of {tried} ({share:.1} %)"))
            })
            .collect();
    }
    let helps = gains(asked, trained, (material, held_out), synthetic, learn, console)?;
    let mut text = String::new();
    text.push_str("\nJudged by a population of the same model, against cells it has not seen:\n");
    text.push_str(&table(&score));
    for (label, found) in &helps {
        text.push_str(&format!("\nDo the new cells help a classifier find {label}?\n"));
        for s in found.summary() {
            text.push_str(&format!("  {:<28} F1 {:.3}\n", s.method, s.mean));
        }
        for line in found.verdict(&trained.description.kind) {
            text.push_str(&format!("{line}\n"));
        }
    }
    let helps: Vec<Value> =
        helps.iter().map(|(label, f)| json!({"label": label, "summary": f.summary()})).collect();
    let json = json!({"generation": score, "classifier": helps, "held_out": held_out.len()});
    Ok(Evidence { text, json, page })
}

/// The losses of the training, by name.
fn losses(trained: &Trained) -> Vec<LossCurve> {
    let Some(state) = &trained.state else { return Vec::new() };
    state
        .parts
        .iter()
        .map(|(name, part)| LossCurve {
            name: name.clone(),
            steps: part.history.iter().map(|&(s, v)| (s as f64, v)).collect(),
        })
        .collect()
}

/// For each requested cluster: a forest on the training cells, with and without the new ones, asked about the held-out
/// cells.
fn gains(
    requests: &[Request],
    trained: &Trained,
    (material, held_out): (&Material, &[usize]),
    synthetic: &Synthetic,
    learn: &Learn,
    console: &Console,
) -> Result<Vec<(String, RareCluster)>, CliError> {
    let codes = |cells: &[usize]| -> Vec<usize> {
        cells.iter().map(|&c| material.labels.codes[c] as usize).collect()
    };
    let train: (Counts, Vec<usize>) = (material.counts.cells(&material.cells), codes(&material.cells));
    let test: (Counts, Vec<usize>) = (material.counts.cells(held_out), codes(held_out));
    let new = synthetic.modelled(&trained.description.kept)?;
    let mut out = Vec::new();
    for code in requests.iter().filter_map(|r| r.label) {
        let label = &material.labels.names[code as usize];
        let code_at = code as usize;
        let learnt = train.1.iter().filter(|c| **c == code_at).count();
        // A classifier needs cells of the type on both sides, and cells of another type.
        if !test.1.contains(&code_at) || learnt < 2 || learnt == train.1.len() {
            console.say(&format!(
                "{label}: no test by a classifier, which needs cells of this and of another type"
            ));
            continue;
        }
        let own: Vec<usize> = (0..synthetic.len()).filter(|&i| synthetic.labels[i] == Some(code)).collect();
        let made = new.cells(&own);
        let kind = trained.description.kind.as_str();
        let found = help(
            (&train.0, &train.1),
            (&test.0, &test.1),
            code as usize,
            (kind, &made),
            TREES,
            learn.plan.seed,
        );
        console.check()?;
        out.push((label.clone(), found.map_err(|e| CliError::input(e.to_string()))?));
    }
    Ok(out)
}
