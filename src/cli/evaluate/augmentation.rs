//! `scx evaluate augmentation`.

use serde_json::json;

use crate::cli::evaluate::AugmentationArgs;
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::learn::{Learn, say_left_out, within};
use crate::cli::kit::output::reading;
use crate::cli::kit::process::{on_threads, print};
use crate::cli::kit::show::thousands;
use crate::data::Counts;
use crate::eval::generation::{GenerationError, RareCluster, RareProtocol, rare_cluster};
use crate::generate::{self, Material, Request, Stops};
use crate::loader::Labels;
use crate::progress::{Quietly, Silent};
use crate::rng::Seed;

/// Runs the verb.
pub(in crate::cli) fn run(args: &AugmentationArgs) -> Result<(), CliError> {
    let console = Console::new(args.learn.running.quiet);
    on_threads(args.learn.running.threads.unwrap_or(0), || execute(args, &console))
}

fn execute(args: &AugmentationArgs, console: &Console) -> Result<(), CliError> {
    crate::cli::evaluate::check_trees(args.trees)?;
    if args.n == 0 || args.repeats == 0 || args.fractions.is_empty() {
        return Err(CliError::usage(
            "--n and --repeats take numbers above 0, --fractions at least one share",
        ));
    }
    if args.learn.resume {
        return Err(CliError::usage("--resume: many models are trained here; none is kept"));
    }
    let learn = Learn::resolve(&args.learn, args.model.as_deref())?;
    let reading = reading(&args.reading, &args.learn.running);
    let learn = learn.scratch(&reading);
    let (_, dataset) = args.reading.open(&args.input, &reading)?;
    let material = learn.material(&args.input, &dataset, console)?;
    say_left_out(&material.changes, console);
    let name = args.input.display().to_string();
    let mut rare = Vec::new();
    for label in &args.cluster {
        rare.push(material.labels.code(label).map_err(|e| within(e.into(), &name))?);
    }
    let counts = material.counts.cells(&material.cells);
    let labels: Vec<usize> = material.cells.iter().map(|&c| material.labels.codes[c] as usize).collect();
    let protocol = RareProtocol {
        test_share: args.test_fraction,
        fractions: args.fractions.clone(),
        n: args.n,
        repeats: args.repeats,
        trees: args.trees,
        seed: learn.plan.seed,
        ..RareProtocol::default()
    };
    if args.learn.running.dry_run {
        return print(&format!(
            "would train {} models of {} and compare their cells of {} with simple methods\n",
            args.cluster.len() * args.fractions.len() * args.repeats,
            learn.plan.kind,
            args.cluster.join(", ")
        ));
    }
    let kind = learn.plan.kind.clone();
    let mut found = Vec::new();
    for (label, &rare) in args.cluster.iter().zip(&rare) {
        let mut augment = |counts: &Counts, labels: &[usize], rare: usize, n: usize, seed: Seed| {
            console.say(&format!("{label}: training {kind} on {} cells", thousands(counts.n_cells())));
            new_cells(&learn, &material, (counts, labels), (rare, n), seed, console)
                .map_err(|e| e.to_string())
        };
        let methods: &mut [(&str, &mut crate::eval::generation::Augment<'_>)] =
            &mut [(kind.as_str(), &mut augment)];
        let result = rare_cluster(&counts, &labels, rare as usize, &protocol, methods, &Silent);
        found.push((label.clone(), result.map_err(|e| failed(&e, console))?));
    }
    if args.learn.running.json {
        let results: Vec<_> = found
            .iter()
            .map(|(label, r)| json!({"cluster": label, "scores": r, "summary": r.summary(), "verdict": r.verdict(&kind)}))
            .collect();
        let object = json!({
            "schema_version": 1, "verb": "evaluate augmentation", "input": name, "model": kind,
            "settings": learn.settings(), "results": results,
        });
        return print(&(object.to_string() + "\n"));
    }
    print(&found.iter().map(|(label, r)| table(label, r, &kind)).collect::<String>())
}

fn failed(e: &GenerationError, console: &Console) -> CliError {
    if let Err(stopped) = console.check() {
        return stopped;
    }
    CliError::input(e.to_string())
}

/// Trains on the cells that are left, and makes cells of the rare type.
fn new_cells(
    learn: &Learn,
    material: &Material,
    (counts, labels): (&Counts, &[usize]),
    (rare, n): (usize, usize),
    seed: Seed,
    console: &Console,
) -> Result<Counts, generate::GenerateError> {
    // Labels without a cell left are no labels.
    let mut names = Vec::new();
    let mut new = vec![None; material.labels.names.len()];
    for (old, name) in material.labels.names.iter().enumerate() {
        if labels.contains(&old) {
            new[old] = Some(names.len() as u32);
            names.push(name.clone());
        }
    }
    let codes: Vec<u32> = labels.iter().filter_map(|&l| new[l]).collect();
    let labels = Labels::new(material.labels.key.clone(), names, codes);
    let part = Material {
        cells: (0..counts.n_cells()).collect(),
        counts: counts.clone(),
        labels,
        ..material.clone()
    };
    let plan = generate::TrainPlan { seed, ..learn.plan.clone() };
    let stops = Stops { until: learn.until(), ..Stops::default() };
    let trained = generate::train(&part, &plan, &stops, &Quietly(console))?;
    let request = Request { label: new[rare], confirmed: false, n };
    let made = generate::make(&trained, &[request], (seed, &learn.sought.scratch), &Quietly(console))?;
    made.modelled(&material.kept)
}

fn table(label: &str, r: &RareCluster, kind: &str) -> String {
    let mut text = format!(
        "{label}: F1 on {} held-out cells of it and {} others\n  {:<28} {:>9} {:>7} {:>14}\n",
        thousands(r.test_rare),
        thousands(r.test_rest),
        "method",
        "fraction",
        "F1",
        "lowest–highest"
    );
    for s in r.summary() {
        text.push_str(&format!(
            "  {:<28} {:>9} {:>7.3} {:>6.3}–{:.3}\n",
            s.method, s.fraction, s.mean, s.least, s.most
        ));
    }
    for line in r.verdict(kind) {
        text.push_str(&format!("{line}\n"));
    }
    text + "\n"
}
