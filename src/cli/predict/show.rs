//! What a prediction rests on, for people and for programs.

use serde_json::{Value, json};

use super::job::Done;
use crate::cli::kit::show::{align, thousands};
use crate::predict::{Cells, Judged};

/// The result as words.
pub(super) fn words(done: &Done, cells: &Cells, (from, to): (&str, &str)) -> String {
    let types: Vec<&str> = done.types.iter().map(|&t| cells.types[t].as_str()).collect();
    let mut text = format!(
        "{}: {} cells from {from} to {to}, predicted by {} from {} ({} variable genes)\n",
        types.join(", "),
        thousands(done.rows.len()),
        done.model,
        done.learnt_from.join(", "),
        thousands(done.variable.len())
    );
    if let Some(why) = &done.why {
        text.push_str(&format!("{why}\n"));
    }
    text.push_str(&format!("\n{}\n", done.verdict.headline));
    done.verdict.details.iter().for_each(|d| text.push_str(&format!("  {d}\n")));
    if !done.judged.is_empty() {
        text.push_str(&format!(
            "\nTraining types, each predicted from the others:\n{}",
            models(&done.judged)
        ));
    }
    for (t, p) in types.iter().zip(&done.predictions) {
        if !p.mean_weights.is_empty() {
            text.push_str(&format!("\nRules of the mean of {t}:\n{}", weights(&p.mean_weights)));
            text.push_str(&format!("Rules of the variance:\n{}", weights(&p.variance_weights)));
        }
        p.notes.iter().for_each(|n| text.push_str(&format!("{n}\n")));
    }
    text
}

/// Models and their figures.
fn models(judged: &[Judged]) -> String {
    let mut rows = vec![vec![
        "  model".to_owned(),
        "R² of means".into(),
        "least".into(),
        "correlation of changes".into(),
    ]];
    for j in judged {
        let least = j.types.iter().map(|t| t.r2).fold(f64::INFINITY, f64::min);
        rows.push(vec![
            format!("  {}", j.model),
            format!("{:.4}", j.r2()),
            format!("{least:.4}"),
            format!("{:.4}", j.change()),
        ]);
    }
    align(&rows)
}

/// Rules that count, with their weights.
fn weights(all: &[(String, f64)]) -> String {
    let counting = all.iter().filter(|w| w.1 > 0.0005);
    align(&counting.map(|(name, w)| vec![format!("  {name}"), format!("{w:.3}")]).collect::<Vec<_>>())
}

/// The result for programs and for the record.
pub(super) fn result(done: &Done, cells: &Cells) -> Value {
    let named = |w: &[(String, f64)]| -> Value {
        w.iter().map(|(name, w)| (name.clone(), json!(w))).collect::<serde_json::Map<_, _>>().into()
    };
    let types: Vec<Value> = done
        .types
        .iter()
        .zip(&done.predictions)
        .map(|(&t, p)| {
            json!({
                "cell_type": cells.types[t],
                "cells": cells.source[t].len(),
                "mean_weights": named(&p.mean_weights),
                "variance_weights": named(&p.variance_weights),
                "notes": p.notes,
            })
        })
        .collect();
    let judged: Vec<Value> = done
        .judged
        .iter()
        .map(|j| json!({"model": j.model, "r2_mean": j.r2(), "change": j.change(), "types": j.types}))
        .collect();
    json!({
        "model": done.model,
        "why": done.why,
        "predicted": types,
        "cells": done.rows.len(),
        "learnt_from": done.learnt_from,
        "variable_genes": done.variable.len(),
        "verdict": done.verdict,
        "judged": judged,
        "looks": cells.looks,
    })
}
