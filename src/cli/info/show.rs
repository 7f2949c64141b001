//! What `info` prints for people.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use crate::cli::info::markers;
use crate::cli::kit::show::thousands;
use crate::io::{Item, Outline, Storage};

/// One file.
pub(in crate::cli) fn text(path: &Path, format: &str, o: &Outline) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}: {format} ({}), {} cells × {} variables",
        path.display(),
        o.dialect,
        thousands(o.n_obs),
        thousands(o.n_vars)
    );
    match o.item("X") {
        Some(x) => {
            let _ = writeln!(out, "  X: {}", words(x));
        }
        None => out.push_str("  X: absent\n"),
    }
    if let Some(looks) = &o.x_looks {
        let _ = writeln!(out, "  X looks like: {}", looks.words);
    }
    for remark in &o.remarks {
        let _ = writeln!(out, "  note: {remark}");
    }
    group(&mut out, o, "layers");
    table(&mut out, o, "obs");
    match &o.stains {
        Some(stains) => channels(&mut out, o, stains),
        None => {
            table(&mut out, o, "var");
            if let Some(line) = markers::line(o) {
                let _ = writeln!(out, "  {line}");
            }
        }
    }
    for name in ["obsm", "varm", "obsp", "varp"] {
        group(&mut out, o, name);
    }
    if let Some(raw) = o.item("raw/X") {
        let _ = writeln!(out, "  raw: {}", words(raw));
    }
    for item in o.items.iter().filter(|i| i.path.starts_with("uns/")) {
        // Members of groups are moved in.
        let depth = item.path.matches('/').count();
        let name = if depth == 1 { &item.path[..] } else { item.path.rsplit('/').next().unwrap_or_default() };
        let _ = writeln!(out, "{}{name}: {}", "  ".repeat(depth), words(item));
    }
    for record in &o.history {
        let _ = writeln!(out, "  history: {}", record_words(record));
    }
    out
}

fn group(out: &mut String, o: &Outline, name: &str) {
    for (member, item) in o.members(name) {
        let _ = writeln!(out, "  {name}/{member}: {}", words(item));
    }
}

fn table(out: &mut String, o: &Outline, name: &str) {
    let rows = o.item(name).and_then(|i| i.shape.first().copied()).unwrap_or(0);
    let _ = writeln!(out, "  {name}: {} rows", thousands(rows));
    for (column, item) in o.members(name) {
        let some = item.some.as_ref().map_or_else(String::new, |s| format!(": {s}"));
        let _ = writeln!(out, "    {column}  {}{some}", item.kind);
    }
}

/// An element in words.
fn words(item: &Item) -> String {
    let shape: Vec<String> = item.shape.iter().map(|n| thousands(*n)).collect();
    let mut text = match (&item.kind[..], &item.dtype) {
        (layout @ ("dense" | "csr" | "csc"), dtype) => {
            format!("{} {layout} {}", shape.join(" × "), dtype.as_deref().unwrap_or("?"))
        }
        ("table", _) => format!("table of {} rows, {} columns", part(&shape, 0), part(&shape, 1)),
        ("records", _) => format!("{} records of {} fields", part(&shape, 0), part(&shape, 1)),
        ("group", _) => format!("group of {}", part(&shape, 0)),
        ("texts", _) => format!("{} texts", shape.join(" × ")),
        ("text", _) if item.some.is_some() => String::new(),
        (kind, _) if shape.is_empty() && item.some.is_some() => {
            return format!("{} ({kind})", item.some.as_deref().unwrap_or_default());
        }
        (kind, _) if shape.is_empty() => kind.to_owned(),
        (kind, _) => format!("{} {kind}", shape.join(" × ")),
    };
    if let (Some(nnz), [n, g]) = (item.nnz, &item.shape[..]) {
        let share = 100.0 * nnz as f64 / (*n as f64 * *g as f64).max(1.0);
        let nnz = usize::try_from(nnz).unwrap_or(usize::MAX);
        let _ = write!(text, ", {} stored ({share:.1} %)", thousands(nnz));
    }
    if let Some(some) = &item.some {
        text.push_str(if text.is_empty() { "" } else { ": " });
        text.push_str(some);
    }
    if let Some(storage) = &item.storage {
        let _ = write!(text, ", {}", stored(storage));
    }
    text
}

fn part(shape: &[String], i: usize) -> &str {
    shape.get(i).map_or("?", String::as_str)
}

/// How an array is stored.
fn stored(s: &Storage) -> String {
    let mut text = match &s.chunk {
        None => "in one piece".to_owned(),
        Some(c) => {
            let c: Vec<String> = c.iter().map(|n| thousands(*n)).collect();
            format!("chunks of {}", c.join(" × "))
        }
    };
    if !s.filters.is_empty() {
        let _ = write!(text, ", {}", s.filters.join(" + "));
    }
    if let Some(bytes) = s.bytes {
        let mb = bytes as f64 / 1e6;
        let _ = if mb < 0.1 { write!(text, ", {bytes} bytes") } else { write!(text, ", {mb:.1} MB") };
    }
    text
}

/// What a record says, in a line.
fn record_words(record: &str) -> String {
    let Ok(v) = serde_json::from_str::<Value>(record) else { return "a record that cannot be read".into() };
    let word = |p: &str| v.pointer(p).and_then(Value::as_str);
    let mut text = format!("scx {} {}", word("/scx").unwrap_or("?"), word("/verb").unwrap_or("?"));
    if let Some(method) = word("/settings/method") {
        let _ = write!(text, ", method {method}");
    }
    let steps = v.pointer("/result/fitted/steps").and_then(Value::as_array);
    let steps: Vec<&str> = steps.into_iter().flatten().filter_map(|s| s.get("step")?.as_str()).collect();
    if !steps.is_empty() {
        let _ = write!(text, ": {}", steps.join(", "));
    }
    if let Some(replayed) = word("/settings/recipe/replay") {
        let _ = write!(text, " (replayed from {replayed})");
    }
    if let Some(verdict) = word("/result/verdict/text") {
        let _ = write!(text, ": {verdict}");
    }
    text
}

fn channels(out: &mut String, o: &Outline, stains: &[String]) {
    let reasons = markers::reasons(o);
    let chosen = reasons.iter().filter(|r| r.is_none()).count();
    let _ = writeln!(
        out,
        "  {} keywords, {} channels, {chosen} of them markers (*):",
        o.keywords.len(),
        o.n_vars,
    );
    for (i, name) in o.var_names.iter().enumerate() {
        let stain = stains.get(i).map_or("", String::as_str);
        match reasons.get(i).copied().flatten() {
            None => {
                let _ = writeln!(out, "    * {name}  {stain}");
            }
            Some(reason) => {
                let _ = writeln!(out, "      {name}  {stain}  ({})", reason.words());
            }
        }
    }
}
