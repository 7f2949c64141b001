//! `scx info`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::args::InfoArgs;
use crate::cli::error::CliError;
use crate::cli::{print, show::thousands};
use crate::data::{Annotation, Column, Dataset, Frame, Matrix, Uns};
use crate::io::{self, ReadOptions};

/// Runs the verb. Files that cannot be read are told of at the end; the others are shown.
pub(in crate::cli) fn run(args: &InfoArgs) -> Result<(), CliError> {
    let mut shown = Vec::new();
    let mut failed = None;
    for path in &args.files {
        match look(path) {
            Ok(found) if args.json => shown.push(describe(path, found.0, &found.1)),
            Ok(found) => print(&text(path, found.0, &found.1))?,
            Err(e) => {
                if args.files.len() > 1 {
                    crate::cli::console::line(&format!("error: {e}"));
                }
                failed = Some(e);
            }
        }
    }
    if args.json {
        print(&(json!({"schema_version": 1, "verb": "info", "files": shown}).to_string() + "\n"))?;
    }
    match failed {
        None => Ok(()),
        Some(e) if args.files.len() == 1 => Err(e),
        Some(_) => Err(CliError::input("some files could not be read (see above)")),
    }
}

fn look(path: &Path) -> Result<(&'static str, Dataset), CliError> {
    let codec = io::detect(path)?;
    Ok((codec.format.name(), (codec.read)(path, &ReadOptions::default())?))
}

fn matrix_words(m: &Matrix) -> String {
    let (n, g) = m.shape();
    let stored = m.nnz_known().map_or_else(String::new, |z| {
        let share = 100.0 * z as f64 / (n as f64 * g as f64).max(1.0);
        format!(", {} stored ({share:.1} %)", thousands(usize::try_from(z).unwrap_or(usize::MAX)))
    });
    format!("{} × {} {} {}{stored}", thousands(n), thousands(g), m.layout().name(), m.dtype().name())
}

fn annotation_words(a: &Annotation) -> String {
    match a {
        Annotation::Matrix(m) => matrix_words(m),
        Annotation::Frame(f) => format!("table of {} rows, {} columns", thousands(f.len()), f.columns.len()),
        Annotation::Opaque { encoding } => format!("not understood ({encoding}), kept as it is"),
    }
}

fn uns_words(u: &Uns) -> String {
    match u {
        Uns::Map(m) => format!("group of {}", m.len()),
        Uns::String(s) => {
            let short: String = s.chars().take(60).collect();
            if short.len() < s.len() { format!("\"{short}…\"") } else { format!("\"{short}\"") }
        }
        Uns::Strings(v) => format!("{} texts", v.len()),
        Uns::Number(v) => v.text(0).unwrap_or_default(),
        Uns::Array { shape, values } => format!("{shape:?} {}", values.dtype().name()),
        Uns::Opaque { encoding } => format!("not understood ({encoding}), kept as it is"),
    }
}

/// Records of earlier runs of scx on this file.
fn records(d: &Dataset) -> Vec<String> {
    if let Some(Uns::Map(scx)) = d.uns.get("scx")
        && let Some(Uns::Map(log)) = scx.get("log")
    {
        return log
            .values()
            .filter_map(|u| if let Uns::String(s) = u { Some(s.clone()) } else { None })
            .collect();
    }
    let keyword = d.source.keywords.iter().find(|(k, _)| k == "SCX").map(|(_, v)| v.clone());
    match keyword.as_deref().map(serde_json::from_str::<Value>) {
        Some(Ok(Value::Array(list))) => {
            list.into_iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect()
        }
        Some(_) => keyword.into_iter().collect(),
        None => Vec::new(),
    }
}

/// What a record says, in a line.
fn record_words(record: &str) -> String {
    let Ok(v) = serde_json::from_str::<Value>(record) else { return "a record that cannot be read".into() };
    let word = |p: &str| v.pointer(p).and_then(Value::as_str).unwrap_or("?").to_owned();
    format!(
        "scx {} {}, method {}: {}",
        word("/scx"),
        word("/verb"),
        word("/settings/method"),
        word("/result/verdict/text")
    )
}

fn frame_lines(out: &mut String, name: &str, frame: &Frame) {
    let _ = writeln!(out, "  {name}: {} rows", thousands(frame.len()));
    for (column, values) in &frame.columns {
        let groups = match values {
            Column::Categorical(c) => {
                let some: Vec<String> =
                    (0..c.categories.len().min(8)).filter_map(|i| c.categories.text(i)).collect();
                let more = if c.categories.len() > 8 { ", …" } else { "" };
                format!(": {}{more}", some.join(", "))
            }
            _ => String::new(),
        };
        let _ = writeln!(out, "    {column}  {}{groups}", values.kind());
    }
}

fn text(path: &Path, format: &str, d: &Dataset) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}: {format} ({}), {} cells × {} variables",
        path.display(),
        d.source.dialect,
        thousands(d.n_obs()),
        thousands(d.n_vars())
    );
    match &d.x {
        Some(x) => {
            let _ = writeln!(out, "  X: {}", matrix_words(x));
        }
        None => out.push_str("  X: absent\n"),
    }
    for (name, m) in &d.layers {
        let _ = writeln!(out, "  layers/{name}: {}", matrix_words(m));
    }
    frame_lines(&mut out, "obs", &d.obs);
    if d.source.keywords.is_empty() {
        frame_lines(&mut out, "var", &d.var);
    } else {
        channel_lines(&mut out, d);
    }
    for (group, map) in [("obsm", &d.obsm), ("varm", &d.varm), ("obsp", &d.obsp), ("varp", &d.varp)] {
        for (name, a) in map {
            let _ = writeln!(out, "  {group}/{name}: {}", annotation_words(a));
        }
    }
    if let Some(raw) = &d.raw {
        let _ = writeln!(out, "  raw: {}", matrix_words(&raw.x));
    }
    for (name, u) in &d.uns {
        let _ = writeln!(out, "  uns/{name}: {}", uns_words(u));
    }
    for record in records(d) {
        let _ = writeln!(out, "  history: {}", record_words(&record));
    }
    out
}

fn channel_lines(out: &mut String, d: &Dataset) {
    let chosen = crate::correct::choose(&d.var, None).map(|c| c.markers).unwrap_or_default();
    let _ = writeln!(
        out,
        "  {} keywords, {} channels, {} of them markers (*):",
        d.source.keywords.len(),
        d.n_vars(),
        chosen.len()
    );
    for i in 0..d.n_vars() {
        let name = d.var.index.get(i).unwrap_or_default();
        let stain = d.var.column("marker").and_then(|c| c.text(i)).unwrap_or_default();
        let mark = if chosen.iter().any(|m| m.column == i) { "*" } else { " " };
        let _ = writeln!(out, "    {mark} {name}  {stain}");
    }
}

fn describe(path: &Path, format: &str, d: &Dataset) -> Value {
    let matrix = |m: &Matrix| {
        let (n, g) = m.shape();
        json!({"shape": [n, g], "layout": m.layout().name(), "dtype": m.dtype().name(), "nnz": m.nnz_known()})
    };
    let annotation = |a: &Annotation| match a {
        Annotation::Matrix(m) => matrix(m),
        Annotation::Frame(f) => json!({"rows": f.len(), "columns": columns(f)}),
        Annotation::Opaque { encoding } => json!({"not_understood": encoding}),
    };
    let map = |m: &BTreeMap<String, Annotation>| {
        m.iter().map(|(k, a)| (k.clone(), annotation(a))).collect::<serde_json::Map<_, _>>()
    };
    let layers: serde_json::Map<_, _> = d.layers.iter().map(|(k, m)| (k.clone(), matrix(m))).collect();
    let uns: serde_json::Map<_, _> = d.uns.iter().map(|(k, u)| (k.clone(), json!(uns_words(u)))).collect();
    let records: Vec<Value> =
        records(d).iter().map(|r| serde_json::from_str(r).unwrap_or(json!(r))).collect();
    json!({
        "path": path.display().to_string(),
        "format": format,
        "dialect": d.source.dialect,
        "n_obs": d.n_obs(),
        "n_vars": d.n_vars(),
        "X": d.x.as_ref().map(matrix),
        "layers": layers,
        "obs": columns(&d.obs),
        "var": columns(&d.var),
        "var_names": d.var.index.iter().take(500).map(|s| s.into_owned()).collect::<Vec<_>>(),
        "obsm": map(&d.obsm),
        "varm": map(&d.varm),
        "obsp": map(&d.obsp),
        "varp": map(&d.varp),
        "raw": d.raw.as_ref().map(|r| matrix(&r.x)),
        "uns": uns,
        "keywords": d.source.keywords,
        "history": records,
    })
}

fn columns(f: &Frame) -> Value {
    f.columns.iter().map(|(k, c)| (k.clone(), json!(c.kind()))).collect::<serde_json::Map<_, _>>().into()
}
