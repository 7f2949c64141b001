//! `scx cluster`.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use crate::cli::cluster::ClusterArgs;
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::process::{on_threads, print};
use crate::cli::kit::show::thousands;
use crate::cli::kit::{columns, targets};
use crate::cluster::{self, Clusters, Settings};
use crate::data::{DataError, Dataset, Matrix, Uns, Values};
use crate::io::{self, Additions, Codec, Format};
use crate::provenance::{self, Record};

/// Names of the graph's elements, as scanpy names those of a run with a key of its own.
const DISTANCES: &str = "scx_distances";
const CONNECTIVITIES: &str = "scx_connectivities";
const NEIGHBORS: &str = "scx_neighbors";

/// Runs the verb.
pub(in crate::cli) fn run(args: &ClusterArgs) -> Result<(), CliError> {
    let console = Console::new(args.running.quiet);
    on_threads(args.running.threads.unwrap_or(0), || execute(args, &console))
}

fn execute(args: &ClusterArgs, console: &Console) -> Result<(), CliError> {
    let to = columns::format(&args.output, args.to.map(Format::from), "the clusters of cells")?;
    let folder = io::folder_of(to, &args.output).is_some();
    targets::check(&args.output, &[&args.input], args.force, folder)?;
    let codec = io::detect(&args.input)?;
    let dataset = (codec.read)(&args.input, &args.reading.options(args.memory))?;
    let settings = args.settings();
    let names = Names::choose(args, &dataset, console)?;
    if args.running.dry_run {
        return plan(args, &dataset, &names);
    }
    let found = cluster::run(&dataset, &settings, console)?;
    if let Some(recall) = found.recall.filter(|r| *r < 0.95) {
        tracing::warn!("only {:.1} % of the nearest neighbours were found", 100.0 * recall);
    }
    console.check()?;
    write(args, (codec, to), dataset, &found, &names, console)?;
    let text =
        if args.running.json { report(args, &found, &names).to_string() + "\n" } else { table(args, &found) };
    print(&text)?;
    console.say(&format!("wrote {}", args.output.display()));
    Ok(())
}

/// Names of the new elements.
struct Names {
    column: String,
    pca: &'static str,
    graph: bool,
}

impl Names {
    /// Nothing of the user's is replaced unasked.
    fn choose(args: &ClusterArgs, dataset: &Dataset, console: &Console) -> Result<Self, CliError> {
        let column = args.key_added.clone();
        if column.is_empty() || column.contains('/') || column == "scx" {
            return Err(CliError::usage(format!("--key-added {column}: not a name for a column")));
        }
        let taken =
            [("obs", dataset.obs.column(&column).is_some()), ("uns", dataset.uns.contains_key(&column))];
        if let Some((group, _)) = taken.iter().find(|(_, there)| *there && !args.force) {
            return Err(CliError::usage(format!(
                "{}: there is {group}[\"{column}\"] already; give --key-added another name, or --force to replace it",
                args.input.display()
            )));
        }
        let pca = if dataset.obsm.contains_key("X_pca") { "X_pca_scx" } else { "X_pca" };
        if pca == "X_pca_scx" {
            console.say("obsm[\"X_pca\"] is kept; the components of this run are obsm[\"X_pca_scx\"]");
        }
        Ok(Self { column, pca, graph: args.keep_graph })
    }

    fn places(&self) -> Vec<String> {
        let mut places = vec![
            format!("obs[\"{}\"]", self.column),
            format!("uns[\"{}\"]", self.column),
            format!("obsm[\"{}\"]", self.pca),
        ];
        if self.graph {
            places.extend([CONNECTIVITIES, DISTANCES].map(|n| format!("obsp[\"{n}\"]")));
            places.push(format!("uns[\"{NEIGHBORS}\"]"));
        }
        places
    }
}

fn data(e: DataError) -> CliError {
    CliError::input(e.to_string())
}

fn write(
    args: &ClusterArgs,
    target: (&Codec, Format),
    dataset: Dataset,
    found: &Clusters,
    names: &Names,
    console: &Console,
) -> Result<(), CliError> {
    let settings = args.settings();
    let mut additions = Additions {
        obs: vec![(names.column.clone(), found.column())],
        obsm: vec![(names.pca.to_owned(), found.pca_matrix().map_err(data)?)],
        uns: vec![(names.column.clone(), settings.uns())],
        record: record(args, &dataset, found)?,
        ..Additions::default()
    };
    if names.graph {
        additions.obsp = vec![
            (CONNECTIVITIES.to_owned(), Matrix::Sparse(found.graph.clone())),
            (DISTANCES.to_owned(), Matrix::Sparse(found.distances().map_err(data)?)),
        ];
        additions.uns.push((NEIGHBORS.to_owned(), neighbors(&settings, names.pca)));
    }
    columns::write(target, dataset, additions, (&args.output, args.force), args.memory, console)
}

/// What `uns["neighbors"]` of scanpy says about a graph, so that its tools find this one by its key.
fn neighbors(settings: &Settings, pca: &str) -> Uns {
    let text = |s: &str| Uns::String(s.to_owned());
    let whole = |x: usize| Uns::Number(Values::I64(vec![i64::try_from(x).unwrap_or(i64::MAX)]));
    let params = BTreeMap::from([
        ("method".to_owned(), text("umap")),
        ("metric".to_owned(), text("euclidean")),
        ("n_neighbors".to_owned(), whole(settings.n_neighbors)),
        ("n_pcs".to_owned(), whole(settings.n_pcs)),
        ("use_rep".to_owned(), text(pca)),
        ("random_state".to_owned(), Uns::Number(Values::U64(vec![settings.seed.0]))),
    ]);
    Uns::Map(BTreeMap::from([
        ("connectivities_key".to_owned(), text(CONNECTIVITIES)),
        ("distances_key".to_owned(), text(DISTANCES)),
        ("params".to_owned(), Uns::Map(params)),
    ]))
}

fn options(settings: &Settings) -> Value {
    json!({
        "method": settings.method,
        "resolution": settings.resolution,
        "n_iterations": settings.iterations,
        "n_pcs": settings.n_pcs,
        "n_neighbors": settings.n_neighbors,
        "recipe": "zheng17",
        "layer": settings.layer,
        "seed": settings.seed,
    })
}

fn outcome(found: &Clusters) -> Value {
    json!({
        "clusters": found.sizes,
        "genes": found.genes,
        "modularity": found.modularity,
        "recall": found.recall,
    })
}

/// The record of the run.
fn record(args: &ClusterArgs, dataset: &Dataset, found: &Clusters) -> Result<String, CliError> {
    let failed = |e: &dyn std::fmt::Display| CliError::input(format!("{}: {e}", args.input.display()));
    let sha256 = if args.input.is_dir() {
        String::new()
    } else {
        provenance::sha256(&args.input).map_err(|e| failed(&e))?
    };
    let record = Record {
        scx: env!("CARGO_PKG_VERSION").into(),
        verb: "cluster".into(),
        settings: options(&args.settings()),
        inputs: vec![provenance::Input {
            role: "input".into(),
            name: args.input.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            n_obs: dataset.n_obs(),
            n_vars: dataset.n_vars(),
            sha256,
        }],
        result: outcome(found),
    };
    serde_json::to_string(&record).map_err(|e| failed(&e))
}

fn report(args: &ClusterArgs, found: &Clusters, names: &Names) -> Value {
    json!({
        "schema_version": 1,
        "verb": "cluster",
        "dry_run": false,
        "input": args.input.display().to_string(),
        "output": args.output.display().to_string(),
        "cells": found.labels.len(),
        "settings": options(&args.settings()),
        "result": outcome(found),
        "added": names.places(),
    })
}

fn table(args: &ClusterArgs, found: &Clusters) -> String {
    let cells = found.labels.len();
    let mut out = format!(
        "{}: {} cells, {} clusters ({}, resolution {}, modularity {:.4})\n  cluster      cells\n",
        args.input.display(),
        thousands(cells),
        found.sizes.len(),
        args.method.name(),
        args.resolution,
        found.modularity
    );
    for (i, &size) in found.sizes.iter().enumerate() {
        let share = 100.0 * size as f64 / cells.max(1) as f64;
        let _ = writeln!(out, "  {i:>7} {:>10}  {share:.1} %", thousands(size));
    }
    out
}

/// What a run would do.
fn plan(args: &ClusterArgs, dataset: &Dataset, names: &Names) -> Result<(), CliError> {
    let place = args.layer.as_ref().map_or_else(|| "X".to_owned(), |l| format!("layers[\"{l}\"]"));
    if dataset.matrix(args.layer.as_deref()).is_none() {
        return Err(CliError::usage(format!("{}: there is no {place}", args.input.display())));
    }
    if args.running.json {
        let object = json!({
            "schema_version": 1,
            "verb": "cluster",
            "dry_run": true,
            "input": args.input.display().to_string(),
            "output": args.output.display().to_string(),
            "cells": dataset.n_obs(),
            "settings": options(&args.settings()),
            "result": null,
            "added": names.places(),
        });
        return print(&(object.to_string() + "\n"));
    }
    print(&format!(
        "would cluster {} cells by {place} ({} genes) and write {} with {} added\n",
        thousands(dataset.n_obs()),
        thousands(dataset.n_vars()),
        args.output.display(),
        names.places().join(", ")
    ))
}
