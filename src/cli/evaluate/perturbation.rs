//! `scx evaluate perturbation`.

use std::collections::HashMap;
use std::path::Path;

use ndarray::{Array2, Axis};
use serde_json::json;

use crate::cli::evaluate::{PerturbationArgs, response_page, write};
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::output::envelope;
use crate::cli::kit::process::{on_threads, print};
use crate::cli::kit::show::{align, thousands};
use crate::cli::kit::targets;
use crate::data::{Dataset, Take, did_you_mean, synthetic};
use crate::eval::perturbation::{Halves, Plan, Score, Sets, Test, components, halves, score};
use crate::io::{self, DEFAULT_MEMORY};
use crate::predict::{PredictError, SOURCE_CELL};
use crate::report::render_perturbation;
use crate::rng::Seed;

/// Cells below which no figure means anything.
const LEAST: usize = 3;

/// Resamples at most.
const MOST_RESAMPLES: usize = 100_000;

/// Runs the verb.
pub(in crate::cli) fn run(args: &PerturbationArgs) -> Result<(), CliError> {
    let console = Console::new(args.quiet);
    on_threads(args.threads.unwrap_or(0), || execute(args, &console))
}

/// Cells of one file.
pub(super) struct File {
    /// Where it is.
    pub(super) path: String,
    /// Names of its genes.
    genes: Vec<String>,
    /// Names of its cells.
    names: Vec<String>,
    /// Names of the cells that predicted ones were made from.
    sources: Option<Vec<String>>,
    /// Cells × its genes.
    pub(super) values: Array2<f32>,
    /// What they look like, in a word.
    looks: String,
}

fn execute(args: &PerturbationArgs, console: &Console) -> Result<(), CliError> {
    let which = Genes::of(&args.genes)?;
    if args.resamples > MOST_RESAMPLES {
        return Err(CliError::usage(format!("--resamples {}: at most {MOST_RESAMPLES}", args.resamples)));
    }
    if let Some(path) = &args.report {
        targets::check(path, &[&args.predicted, &args.real, &args.control], args.force, false)?;
    }
    let mut files = [
        File::read("predicted", &args.predicted, args, console)?,
        File::read("real", &args.real, args, console)?,
        File::read("control", &args.control, args, console)?,
    ];
    same_scale(&files)?;
    let genes = shared(&mut files, console)?;
    let [predicted, real, control] = &files;
    let listed = which.listed(&genes)?;
    let sets =
        Sets { predicted: predicted.values.view(), real: real.values.view(), control: control.values.view() };
    let plan = Plan {
        test: which.test,
        top: which.top.unwrap_or(genes.len()),
        listed,
        resamples: args.resamples,
        sources: sources(predicted, control, console),
        seed: Seed(args.seed),
    };
    let numerical = |e: crate::linalg::LinalgError| CliError::from(PredictError::from(e));
    let space = components(sets.real, sets.control).map_err(numerical)?;
    console.check()?;
    let found = score(&sets, &plan, &space).map_err(numerical)?;
    let half = halves(&sets, &space, plan.seed).map_err(numerical)?;
    // Control cells in place of the predicted ones, each made from itself.
    let itself = Some((0..sets.control.nrows()).collect());
    let unchanged = Plan { resamples: 0, sources: itself, ..plan.clone() };
    let none = score(&Sets { predicted: sets.control, ..sets }, &unchanged, &space).map_err(numerical)?;
    if let Some(path) = &args.report {
        let page = response_page::build(args, &files, &genes, (&found, &none, half.as_ref()), &space)?;
        write(path, &render_perturbation(&page), args.force)?;
        console.say(&format!("wrote {}", path.display()));
    }
    if args.json {
        let object = json!({
            "predicted": args.predicted.display().to_string(),
            "real": args.real.display().to_string(),
            "control": args.control.display().to_string(),
            "genes": genes.len(),
            "second_set": args.genes,
            "seed": args.seed,
            "score": found,
            "no_change": none,
            "halves": half,
        });
        return print(&(envelope("evaluate perturbation", object).to_string() + "\n"));
    }
    print(&words(&found, &none, half.as_ref(), &args.genes, genes.len()))
}

/// The second set of genes.
struct Genes {
    top: Option<usize>,
    test: Test,
    list: Option<(String, Vec<String>)>,
}

impl Genes {
    fn of(word: &str) -> Result<Self, CliError> {
        if word == "all" {
            return Ok(Self { top: None, test: Test::Wilcoxon, list: None });
        }
        if let Some((top, test)) = word.strip_prefix("top").and_then(|rest| rest.split_once(':')) {
            let wrong = || {
                CliError::usage(format!(
                    "--genes {word}: expected all, topN:wilcoxon, topN:t-test or a file, such as top100:wilcoxon"
                ))
            };
            let top: usize = top.parse().map_err(|_| wrong())?;
            let test = match test {
                "wilcoxon" => Test::Wilcoxon,
                "t-test" => Test::TTest,
                _ => return Err(wrong()),
            };
            return if top < 2 { Err(wrong()) } else { Ok(Self { top: Some(top), test, list: None }) };
        }
        let text = std::fs::read_to_string(Path::new(word)).map_err(|e| {
            CliError::usage(format!(
                "--genes {word}: no such choice (all, topN:wilcoxon, topN:t-test), and no file to read: {e}"
            ))
        })?;
        let names: Vec<String> = text
            .lines()
            .map(|l| l.trim().to_owned())
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
            .collect();
        Ok(Self { top: None, test: Test::Wilcoxon, list: Some((word.to_owned(), names)) })
    }

    fn listed(&self, genes: &[String]) -> Result<Option<Vec<usize>>, CliError> {
        let Some((file, names)) = &self.list else { return Ok(None) };
        let at: HashMap<&str, usize> = genes.iter().enumerate().map(|(i, g)| (g.as_str(), i)).collect();
        let found: Vec<usize> = names.iter().filter_map(|n| at.get(n.as_str()).copied()).collect();
        if found.len() < 2 {
            let first = names.first().map(String::as_str).unwrap_or_default();
            return Err(CliError::input(format!(
                "{file}: {} of {} names are genes of all three files, 2 or more are needed{}",
                found.len(),
                names.len(),
                did_you_mean(first, genes.iter().map(String::as_str))
            )));
        }
        Ok(Some(found))
    }
}

impl File {
    fn read(role: &str, path: &Path, args: &PerturbationArgs, console: &Console) -> Result<Self, CliError> {
        let name = path.display().to_string();
        let at = |e: CliError| e.within(&name);
        let whole = (io::detect(path)?.read)(path, &args.reading.options(args.memory))?;
        let dataset = taken(role, whole, &name, console).map_err(at)?;
        if dataset.n_obs() < LEAST {
            return Err(at(CliError::input(format!(
                "{} cells, {LEAST} or more are needed",
                dataset.n_obs()
            ))));
        }
        let matrix = dataset.matrix(args.layer.as_deref()).ok_or_else(|| {
            let layers: Vec<&str> = dataset.layers.keys().map(String::as_str).collect();
            let there = if layers.is_empty() { "none".to_owned() } else { layers.join(", ") };
            match &args.layer {
                Some(l) => at(CliError::usage(format!("no layer {l}; layers: {there}"))),
                None => {
                    at(CliError::input(format!("there is no X; name a layer with --layer (layers: {there})")))
                }
            }
        })?;
        let memory = args.memory.unwrap_or(DEFAULT_MEMORY);
        let values = crate::predict::values(&dataset, matrix, None, memory).map_err(|e| at(e.into()))?;
        let looks = matrix.looks().map_err(|e| at(CliError::input(e.to_string())))?.guess;
        let column = dataset.obs.column(SOURCE_CELL);
        let text = |i: usize| column.and_then(|c| c.text(i)).unwrap_or_default().into_owned();
        Ok(Self {
            path: name.clone(),
            genes: dataset.var.index.iter().map(|n| n.into_owned()).collect(),
            names: dataset.obs.index.iter().map(|n| n.into_owned()).collect(),
            sources: column.map(|_| (0..dataset.n_obs()).map(text).collect()),
            values,
            looks,
        })
    }
}

/// The predicted cells of a file, or its real ones.
fn taken(role: &str, whole: Dataset, name: &str, console: &Console) -> Result<Dataset, CliError> {
    let Some(made) = synthetic::mask(&whole) else { return Ok(whole) };
    let wanted = role == "predicted";
    let rows: Vec<usize> = (0..made.len()).filter(|&i| made[i] == wanted).collect();
    if rows.is_empty() {
        return Err(CliError::input("all cells were made by scx; give the file with the real cells"));
    }
    if rows.len() < made.len() {
        let what = if wanted { "predicted; these are judged" } else { "real; these are taken" };
        console.say(&format!(
            "{name}: {} of {} cells are {what}",
            thousands(rows.len()),
            thousands(made.len())
        ));
    }
    let take = Take::entries(whole.n_obs(), &rows);
    take.and_then(|t| whole.select(&t, &Take::all(whole.n_vars())))
        .map_err(|e| CliError::input(e.to_string()))
}

/// Values on different scales cannot be compared.
fn same_scale(files: &[File; 3]) -> Result<(), CliError> {
    // A model's cells are never whole numbers, so only the two real files can show whether they hold counts or logarithms.
    let counts = |f: &File| matches!(f.looks.as_str(), "raw_counts" | "fractional_counts" | "normalised");
    let [predicted, real, control] = files;
    for other in [real, control] {
        if counts(other) || counts(predicted) && !counts(other) {
            let which = if counts(other) { other } else { predicted };
            return Err(CliError::input(format!(
                "{}: the values look like {}; figures are taken on log1p of normalised counts or on arcsinh (scx preprocess), \
                 the same in all three files",
                which.path,
                which.looks.replace('_', " ")
            )));
        }
    }
    Ok(())
}

/// Brings all files to the genes they have in common, in the order of the real one.
fn shared(files: &mut [File; 3], console: &Console) -> Result<Vec<String>, CliError> {
    let places: Vec<HashMap<String, usize>> = files
        .iter()
        .map(|f| {
            let mut at = HashMap::new();
            f.genes.iter().enumerate().for_each(|(i, g)| {
                at.entry(g.clone()).or_insert(i);
            });
            at
        })
        .collect();
    let mut seen = std::collections::HashSet::new();
    let genes: Vec<String> = files[1]
        .genes
        .iter()
        .filter(|g| places.iter().all(|p| p.contains_key(*g)) && seen.insert((*g).clone()))
        .cloned()
        .collect();
    if genes.len() < 2 {
        let first = |f: &File| f.genes.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        return Err(CliError::input(format!(
            "{} genes have the same name in all three files, 2 or more are needed; the files begin with: {}; {}; {}",
            genes.len(),
            first(&files[0]),
            first(&files[1]),
            first(&files[2])
        )));
    }
    for (file, at) in files.iter_mut().zip(&places) {
        if file.genes.len() > genes.len() {
            console.say(&format!(
                "{}: {} of {} genes are in all three files; the others are left out",
                file.path,
                thousands(genes.len()),
                thousands(file.genes.len())
            ));
        }
        let columns: Vec<usize> = genes.iter().map(|g| at[g]).collect();
        file.values = file.values.select(Axis(1), &columns);
    }
    Ok(genes)
}

/// For each predicted cell its place among the control cells; `None` when one of them is not there.
fn sources(predicted: &File, control: &File, console: &Console) -> Option<Vec<usize>> {
    let names = predicted.sources.as_ref()?;
    let at: HashMap<&str, usize> = control.names.iter().enumerate().map(|(i, n)| (n.as_str(), i)).collect();
    let found: Option<Vec<usize>> = names.iter().map(|n| at.get(n.as_str()).copied()).collect();
    if found.is_none() {
        console.say(&format!(
            "{}: not all cells in obs[\"{SOURCE_CELL}\"] are in {}; halves of the control cells are split without them",
            predicted.path, control.path
        ));
    }
    found
}

fn words(found: &Score, none: &Score, half: Option<&Halves>, second: &str, genes: usize) -> String {
    let [p, r, c] = found.cells;
    let mut text = format!("{p} predicted, {r} real and {c} control cells over {genes} genes\n");
    let f = |x: f64| format!("{x:.4}");
    let dash = || "–".to_owned();
    let halves = |of: fn(&Halves) -> f64| half.map_or_else(dash, |h| f(of(h)));
    let row = |name: &str, a: f64, b: f64, h: String| vec![name.to_owned(), f(a), f(b), h];
    let mut rows = vec![["", "predicted", "no change", "halves of real"].map(str::to_owned).to_vec()];
    rows.push(row("R² of means, all genes", found.all.r2_mean, none.all.r2_mean, halves(|h| h.r2_mean)));
    rows.push(row(
        "R² of variances, all genes",
        found.all.r2_variance,
        none.all.r2_variance,
        halves(|h| h.r2_variance),
    ));
    if second != "all" {
        rows.push(row(&format!("R² of means, {second}"), found.top.r2_mean, none.top.r2_mean, dash()));
        rows.push(row(
            &format!("R² of variances, {second}"),
            found.top.r2_variance,
            none.top.r2_variance,
            dash(),
        ));
    }
    rows.push(row(
        "correlation of changes, same control cells",
        found.all.change,
        none.all.change,
        halves(|h| h.change),
    ));
    let how =
        if found.split_by_source { "halves of the control cells" } else { "halves, prediction not split" };
    rows.push(row(&format!("correlation of changes, {how}"), found.change_half, none.change_half, dash()));
    rows.push(row("energy distance, 50 components", found.energy, none.energy, halves(|h| h.energy)));
    rows.push(row("E-distance, 50 components", found.e_distance, none.e_distance, dash()));
    let signs = |s: &Score| format!("{} of {}", s.signs_right, s.signs);
    rows.push(vec!["genes with the right sign".into(), signs(found), signs(none), dash()]);
    text.push_str(&align(&rows));
    if let Some(h) = half {
        text.push_str(&format!(
            "halves corrected to all cells: R² of means {:.4}, of variances {:.4}, correlation of changes {:.4}\n",
            h.r2_mean_corrected, h.r2_variance_corrected, h.change_corrected
        ));
    }
    let mut scheme = "";
    for s in &found.spread {
        if s.scheme != scheme {
            text.push_str(&format!("\n{}:\n", s.scheme));
            scheme = s.scheme;
        }
        let what = if s.figure == "r2_mean" { "means" } else { "variances" };
        text.push_str(&format!(
            "  R² of {what}, {} genes: {:.4} ± {:.4}, 95 % between {:.4} and {:.4}\n",
            s.genes, s.mean, s.sd, s.low, s.high
        ));
    }
    text
}
