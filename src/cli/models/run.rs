//! `scx models`.

use serde_json::{Value, json};

use crate::cli::kit::error::CliError;
use crate::cli::kit::process::print;
use crate::cli::models::ModelsArgs;
use crate::generate::KINDS;
use crate::zoo::{Gives, Preset, REGISTRY};

/// Runs the verb.
pub(in crate::cli) fn run(args: &ModelsArgs) -> Result<(), CliError> {
    let rows = rows();
    if args.json {
        let models: Vec<Value> = rows
            .iter()
            .map(|r| {
                json!({
                    "name": r.name, "does": r.what, "reference": r.reference, "verbs": r.verbs,
                    "needs": r.needs, "presets": r.presets,
                })
            })
            .collect();
        return print(&(json!({"schema_version": 1, "models": models}).to_string() + "\n"));
    }
    let mut text = String::new();
    for r in rows {
        text.push_str(&format!("{}\n    {}\n", r.name, r.what));
        text.push_str(&format!("    needs    {}\n    verbs    {}\n", r.needs, r.verbs.join(", ")));
        if !r.presets.is_empty() {
            text.push_str(&format!("    presets  {}\n", r.presets.join(", ")));
        }
        text.push_str(&format!("    from     {}\n", r.reference));
    }
    print(&text)
}

struct Row {
    name: &'static str,
    what: &'static str,
    reference: &'static str,
    needs: &'static str,
    verbs: Vec<&'static str>,
    presets: Vec<&'static str>,
}

fn rows() -> Vec<Row> {
    let all: Vec<&str> = Preset::ALL.iter().map(|p| p.name()).collect();
    let mut out: Vec<Row> = REGISTRY
        .iter()
        .map(|e| {
            let (needs, mut verbs) = match e.counted.map(|c| c.gives) {
                None => ("control cells measured in two runs", vec!["correct"]),
                Some(Gives::CellsOfALabel) => ("raw counts and labels", vec!["augment", "generate", "train"]),
                Some(Gives::Cells) => ("raw counts", vec!["generate", "train"]),
                Some(Gives::Labels) => ("raw counts and labels", vec!["train"]),
            };
            if e.counted.is_some_and(|c| c.classifies) {
                verbs.push("classify");
            }
            let presets = if e.counted.is_some() { all.clone() } else { vec!["paper", "default"] };
            Row { name: e.kind, what: e.what, reference: e.reference, needs, verbs, presets }
        })
        .collect();
    let simple = KINDS.iter().filter(|k| REGISTRY.iter().all(|e| e.kind != k.0));
    out.extend(simple.map(|k| Row {
        name: k.0,
        what: k.1,
        reference: k.2,
        needs: "raw counts and labels",
        verbs: vec!["augment", "generate", "train"],
        presets: Vec::new(),
    }));
    out
}
