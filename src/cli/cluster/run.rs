//! `scx cluster`.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use crate::cli::cluster::ClusterArgs;
use crate::cli::kit::console::Console;
use crate::cli::kit::counts_args;
use crate::cli::kit::error::CliError;
use crate::cli::kit::output::{Way, hash, reading};
use crate::cli::kit::process::on_threads;
use crate::cli::kit::show::thousands;
use crate::cluster::{self, ClusterSettings, Clusters};
use crate::data::counts::{self, Place, Taken};
use crate::data::{Categorical, Categories, Column, DataError, Dataset, Dense, Matrix, Uns, Values};
use crate::io::{Additions, Table};
use crate::provenance::Record;
use crate::recipe::looks_like_counts;

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
    let way = Way::new("cluster", &args.writing, &args.running, console).with_table(Table::Obs);
    let target = way.target_for_columns(&args.output, &[&args.input], "the clusters of cells")?;
    let (codec, dataset) = args.reading.open(&args.input, &reading(&args.reading, &args.running))?;
    let names = Names::choose(args, &dataset, console)?;
    if way.dry() {
        let (additions, text) = outlook(args, &dataset, &names)?;
        let object = report(args, dataset.n_obs(), &names, Value::Null);
        let output = way.adding(dataset, codec.format, additions, &target)?;
        return way.tell(&way.commit(vec![output])?, object, &text);
    }
    let found = cluster::run(&dataset, &args.settings(), console)
        .map_err(|e| CliError::from(e).within(&args.input.display().to_string()))?;
    console.say(&format!("counts taken from {}", found.taken.words()));
    tell_of_default(args, &dataset, &found.taken)?;
    counts_args::say(&found.taken, console);
    if let Some(recall) = found.recall.filter(|r| *r < 0.95) {
        tracing::warn!("only {:.1} % of the nearest neighbours were found", 100.0 * recall);
    }
    let record = way.record(&record(args, &dataset, &found)?)?;
    let additions = additions(args, &found, &names)?;
    let output = way.adding(dataset, codec.format, additions, &target)?.with_record(record);
    let plans = way.commit(vec![output])?;
    way.tell(&plans, report(args, found.labels.len(), &names, outcome(&found)), &table(args, &found))
}

/// Clusters were found in X before, where it held counts.
fn tell_of_default(args: &ClusterArgs, dataset: &Dataset, taken: &Taken) -> Result<(), CliError> {
    let (None, Some(x)) = (&args.counts.layer, &dataset.x) else { return Ok(()) };
    if taken.place == Place::Layer("counts".into()) && looks_like_counts(x)? {
        tracing::warn!(
            "cluster takes layers[\"counts\"] now, where it took X before; with --layer X it takes X again"
        );
    }
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
        if let Some((group, _)) = taken.iter().find(|(_, there)| *there && !args.writing.force) {
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

fn additions(args: &ClusterArgs, found: &Clusters, names: &Names) -> Result<Additions, CliError> {
    let settings = args.settings();
    let mut additions = Additions {
        obs: vec![(names.column.clone(), found.column())],
        obsm: vec![(names.pca.to_owned(), found.pca_matrix().map_err(data)?)],
        uns: vec![(names.column.clone(), settings.uns())],
        ..Additions::default()
    };
    if names.graph {
        additions.obsp = vec![
            (CONNECTIVITIES.to_owned(), Matrix::Sparse(found.graph.clone())),
            (DISTANCES.to_owned(), Matrix::Sparse(found.distances().map_err(data)?)),
        ];
        additions.uns.push((NEIGHBORS.to_owned(), neighbors(&settings, names.pca)));
    }
    Ok(additions)
}

/// What `uns["neighbors"]` of scanpy says about a graph, so that its tools find this one by its key.
fn neighbors(settings: &ClusterSettings, pca: &str) -> Uns {
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

fn options(settings: &ClusterSettings) -> Value {
    json!({
        "method": settings.method,
        "resolution": settings.resolution,
        "n_iterations": settings.iterations,
        "n_pcs": settings.n_pcs,
        "n_neighbors": settings.n_neighbors,
        "recipe": "zheng17",
        "layer": settings.wanted.place.as_ref().map(counts::Place::option),
        "round": settings.wanted.fractions == counts::Fractions::Rounded,
        "seed": settings.seed,
    })
}

fn outcome(found: &Clusters) -> Value {
    json!({
        "clusters": found.sizes,
        "genes": found.genes,
        "modularity": found.modularity,
        "recall": found.recall,
        "counts_taken": found.taken,
    })
}

/// The record of the run.
fn record(args: &ClusterArgs, dataset: &Dataset, found: &Clusters) -> Result<Record, CliError> {
    let settings = options(&args.settings());
    let sha256 = hash(&args.input)?;
    let record = Record::new("cluster", settings).hashed_input("input", &args.input, dataset.shape(), sha256);
    Ok(record.result(outcome(found)))
}

fn report(args: &ClusterArgs, cells: usize, names: &Names, result: Value) -> Value {
    json!({
        "input": args.input.display().to_string(),
        "output": args.output.display().to_string(),
        "cells": cells,
        "settings": options(&args.settings()),
        "result": result,
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

/// What a run would do: additions of the right kinds without values, and words.
fn outlook(args: &ClusterArgs, dataset: &Dataset, names: &Names) -> Result<(Additions, String), CliError> {
    let taken = counts::find(dataset, &args.settings().wanted)
        .map_err(|e| CliError::from(e).within(&args.input.display().to_string()))?;
    tell_of_default(args, dataset, &taken)?;
    let n = dataset.n_obs();
    let clusters = Column::Categorical(Categorical {
        codes: vec![0; n],
        categories: Categories::Strings(vec!["0".into()]),
        ordered: false,
    });
    let components = Dense::new(n, args.n_pcs, Values::F32(vec![0.0; n * args.n_pcs])).map_err(data)?;
    let additions = Additions {
        obs: vec![(names.column.clone(), clusters)],
        obsm: vec![(names.pca.to_owned(), Matrix::Dense(components))],
        uns: vec![(names.column.clone(), args.settings().uns())],
        ..Additions::default()
    };
    let text = format!(
        "  cluster {} cells by {} ({} genes), and add {}\n",
        thousands(n),
        taken.words(),
        thousands(dataset.n_vars()),
        names.places().join(", ")
    );
    Ok((additions, text))
}
