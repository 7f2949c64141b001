//! `scx simulate`.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::kit::console::Console;
use crate::cli::kit::counts_args;
use crate::cli::kit::error::CliError;
use crate::cli::kit::output::{Way, hash, reading};
use crate::cli::kit::process::on_threads;
use crate::cli::kit::show::thousands;
use crate::cli::kit::targets;
use crate::cli::simulate::SimulateArgs;
use crate::cli::simulate::job::{Origin, read_params};
use crate::data::counts::{self, Taken};
use crate::data::{
    Categorical, Categories, Column, Counts, Dataset, Frame, Index, Matrix, Values, synthetic,
};
use crate::io::{self, DEFAULT_MEMORY, WriteError};
use crate::provenance::Record;
use crate::rng::Seed;
use crate::simulate::splat::{
    DropoutKind, GeneTruth, LibraryLaw, Simulated, SplatParams, estimate, simulate,
};

/// Runs the verb.
pub(in crate::cli) fn run(args: &SimulateArgs) -> Result<(), CliError> {
    let console = Console::new(args.running.quiet);
    on_threads(args.running.threads.unwrap_or(0), || execute(args, &console))
}

fn execute(args: &SimulateArgs, console: &Console) -> Result<(), CliError> {
    let way = Way::new("simulate", &args.writing, &args.running, console);
    let origin = args.origin()?;
    let (Origin::Like(source) | Origin::File(source)) = origin;
    let inputs = [&source.to_path_buf()];
    let path = args.output()?;
    let target = way.target(path, &inputs)?;
    if let Some(kept) = &args.save_params {
        targets::check_twins(&[path, kept])?;
        targets::check(kept, &inputs, args.writing.force, false)?;
    }
    let memory = args.running.memory.unwrap_or(DEFAULT_MEMORY);
    let (mut params, from) = match origin {
        Origin::Like(path) => like(args, path, memory, console)?,
        Origin::File(path) => (read_params(path)?, None),
    };
    args.change(&mut params)?;
    if way.dry() {
        let dataset = dataset(outlook(&params))?;
        let plans = way.commit(vec![way.output(dataset, None, &target)?])?;
        let (cells, genes) = (thousands(params.n_cells), thousands(params.n_genes));
        let text = format!("  simulate {cells} cells × {genes} genes\n{}", laws(&params));
        return way.tell(&plans, report(args, &params, from.as_ref(), path, None), &text);
    }
    let made = simulate(&params, Seed(args.seed()), memory, console)?;
    let facts = Facts::of(&made.counts);
    let record = way.record(&record(args, source, &params, from.as_ref(), &facts)?)?;
    let plans = way.commit(vec![way.output(dataset(made)?, None, &target)?.with_record(record)])?;
    if let Some(path) = &args.save_params {
        let text = serde_yaml::to_string(&params)
            .map_err(|e| CliError::input(format!("the parameters cannot be written: {e}")))?;
        let force = args.writing.force;
        io::replace(path, force, |tmp| std::fs::write(tmp, &text).map_err(|e| WriteError::io(tmp, e)))?;
        console.say(&format!("wrote {}", path.display()));
    }
    let object = report(args, &params, from.as_ref(), path, Some(&facts));
    way.tell(&plans, object, &words(&params, &facts))
}

/// What would be made, with a single cell and gene in it.
fn outlook(params: &SplatParams) -> Simulated {
    let zero = || vec![0.0; 1];
    let mut group_names: Vec<String> = params.groups.iter().map(|g| g.name.clone()).collect();
    if group_names.is_empty() {
        group_names.push("Group1".into());
    }
    let mut counts = Counts::empty(1);
    counts.push([]);
    Simulated {
        counts,
        groups: vec![0],
        group_names: group_names.clone(),
        libraries: zero(),
        genes: GeneTruth {
            base_mean: zero(),
            outlier_factor: zero(),
            mean: zero(),
            bcv_factor: zero(),
            de_factor: group_names.iter().map(|_| zero()).collect(),
        },
    }
}

/// What parameters were estimated from.
struct Source {
    taken: Taken,
    n_obs: usize,
    n_vars: usize,
}

/// Parameters of a file with raw counts.
fn like(
    args: &SimulateArgs,
    path: &Path,
    memory: u64,
    console: &Console,
) -> Result<(SplatParams, Option<Source>), CliError> {
    let at_file = |e: CliError| e.within(&path.display().to_string());
    let reading = reading(&args.reading, &args.running).towards(args.output()?);
    let (_, dataset) = args.reading.open(path, &reading)?;
    let dataset = match synthetic::real(&dataset).map_err(|e| at_file(CliError::input(e.to_string())))? {
        None => dataset,
        Some((rows, real)) => {
            console.say(&format!(
                "{} cells were made by scx; nothing is estimated from them",
                thousands(dataset.n_obs() - rows.len())
            ));
            real
        }
    };
    let mut taken = counts::find(&dataset, &args.counts.wanted()).map_err(|e| at_file(e.into()))?;
    console.say(&format!("counts taken from {}", taken.words()));
    let counts = counts::read(&dataset, &mut taken, memory, &reading.scratch_folder());
    let counts = counts.map_err(|e| at_file(e.into()))?;
    counts_args::say(&taken, console);
    console.check()?;
    let params = estimate(&counts, Seed(args.seed())).map_err(|e| at_file(e.into()))?;
    Ok((params, Some(Source { taken, n_obs: counts.n_cells(), n_vars: counts.n_genes() })))
}

/// What can be said of simulated counts in numbers.
struct Facts {
    cells: usize,
    genes: usize,
    zeros: f64,
    mean_library: f64,
}

impl Facts {
    fn of(counts: &Counts) -> Self {
        let (cells, genes) = (counts.n_cells(), counts.n_genes());
        let all = (cells as f64 * genes as f64).max(1.0);
        Self {
            cells,
            genes,
            zeros: 1.0 - counts.nnz() as f64 / all,
            mean_library: counts.totals().iter().map(|&t| t as f64).sum::<f64>() / cells.max(1) as f64,
        }
    }

    fn json(&self) -> Value {
        json!({
            "n_obs": self.cells, "n_vars": self.genes, "zero_fraction": self.zeros,
            "mean_library_size": self.mean_library,
        })
    }
}

/// Cells and the truth about them, named as the R package names them.
fn dataset(made: Simulated) -> Result<Dataset, CliError> {
    let Simulated { counts, groups, group_names, libraries, genes } = made;
    let names = |what: &str, n: usize| Index::names((1..=n).map(|i| format!("{what}{i}")).collect());
    let numbers = |v: Vec<f64>| Column::Numbers(Values::F64(v));
    let obs = Frame::new(names("Cell", counts.n_cells()))
        .with(
            "group",
            Column::Categorical(Categorical {
                codes: groups.iter().map(|&g| g as i32).collect(),
                categories: Categories::Strings(group_names.clone()),
                ordered: false,
            }),
        )
        .with("expected_library_size", numbers(libraries));
    let mut var = Frame::new(names("Gene", counts.n_genes()))
        .with("base_mean", numbers(genes.base_mean))
        .with("outlier_factor", numbers(genes.outlier_factor))
        .with("mean", numbers(genes.mean))
        .with("bcv_factor", numbers(genes.bcv_factor));
    for (name, factor) in group_names.iter().zip(genes.de_factor) {
        var = var.with(&format!("de_factor_{name}"), numbers(factor));
    }
    let mut dataset = Dataset::new(obs, var);
    let x = counts.into_sparse().map_err(|e| CliError::input(format!("the simulated counts: {e}")))?;
    dataset.x = Some(Matrix::Sparse(x));
    Ok(dataset)
}

fn record(
    args: &SimulateArgs,
    source: &Path,
    params: &SplatParams,
    from: Option<&Source>,
    facts: &Facts,
) -> Result<Record, CliError> {
    let settings = json!({
        "model": args.model.unwrap_or_default(), "params": params, "seed": args.seed(),
        "counts_from": from.map(|f| &f.taken.place), "counts_taken": from.map(|f| &f.taken),
    });
    let role = if from.is_some() { "like" } else { "params" };
    let shape = from.map_or((0, 0), |f| (f.n_obs, f.n_vars));
    Ok(Record::new("simulate", settings)
        .hashed_input(role, source, shape, hash(source)?)
        .result(facts.json()))
}

fn report(
    args: &SimulateArgs,
    params: &SplatParams,
    from: Option<&Source>,
    output: &Path,
    facts: Option<&Facts>,
) -> Value {
    json!({
        "model": args.model.unwrap_or_default(),
        "output": output.display().to_string(),
        "counts_from": from.map(|f| f.taken.place.to_string()),
        "seed": args.seed(),
        "params": params,
        "result": facts.map(Facts::json),
    })
}

/// A few lines for people.
fn words(params: &SplatParams, facts: &Facts) -> String {
    let mut text = format!(
        "splat: {} cells × {} genes, {:.1} % zeros, {:.0} counts in a cell\n",
        thousands(facts.cells),
        thousands(facts.genes),
        100.0 * facts.zeros,
        facts.mean_library
    );
    text.push_str(&laws(params));
    text
}

fn laws(params: &SplatParams) -> String {
    let p = params;
    let mut text = String::new();
    let mut line = |name: &str, words: String| {
        let _ = writeln!(text, "  {name:<15} {words}");
    };
    line("gene means", format!("gamma, shape {:.4}, rate {:.4}", p.mean.shape, p.mean.rate));
    line(
        "library sizes",
        match p.library {
            LibraryLaw::LogNormal { location, scale } => {
                format!("log-normal, location {location:.4}, scale {scale:.4}")
            }
            LibraryLaw::Normal { mean, sd } => format!("normal, mean {mean:.1}, sd {sd:.1}"),
        },
    );
    let o = p.outliers;
    line(
        "outlying genes",
        format!("{:.2} %, location {:.4}, scale {:.4}", 100.0 * o.probability, o.location, o.scale),
    );
    let df = p.bcv.df.map_or_else(|| "no variation between genes".into(), |d| format!("df {d}"));
    line("variation", format!("common {:.4}, {df}", p.bcv.common));
    line(
        "dropout",
        match p.dropout.kind {
            DropoutKind::None => "none".into(),
            DropoutKind::Experiment => {
                format!("midpoint {:.4}, shape {:.4}", p.dropout.midpoint, p.dropout.shape)
            }
        },
    );
    for g in &p.groups {
        let share = g.proportion / p.groups.iter().map(|g| g.proportion).sum::<f64>();
        line(
            &g.name,
            format!("{:.1} % of cells, {:.1} % of genes differ", 100.0 * share, 100.0 * g.de.probability),
        );
    }
    text
}
