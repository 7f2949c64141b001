//! `scx info`.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::cli::info::{InfoArgs, markers, panel, show};
use crate::cli::kit::apart;
use crate::cli::kit::error::CliError;
use crate::cli::kit::process::print;
use crate::io::{Item, Outline};

/// Runs the verb. Files that cannot be read are told of at the end; the others are shown.
pub(in crate::cli) fn run(args: &InfoArgs) -> Result<(), CliError> {
    let limit = Some(args.timeout).filter(|s| *s > 0).map(Duration::from_secs);
    let (mut shown, mut failed, mut formats) = (Vec::new(), None, Vec::new());
    let mut panel = panel::Panel::default();
    for path in &args.files {
        match apart::outline(path, &args.reading, limit) {
            Ok((format, outline)) => {
                if args.json {
                    shown.push(describe(path, &format, &outline));
                } else {
                    print(&show::text(path, &format, &outline))?;
                }
                panel.add(path, &outline);
                formats.push(format);
            }
            Err(e) if !matches!(e.code(), 3 | 5) => return Err(e),
            Err(e) => {
                if args.files.len() > 1 {
                    crate::cli::kit::console::line(&format!("error: {e}"));
                }
                failed = Some(e);
            }
        }
    }
    if args.json {
        let mut all = json!({"schema_version": 1, "verb": "info", "files": shown});
        if let Some(panel) = panel.json() {
            all["panel"] = panel;
        }
        print(&(all.to_string() + "\n"))?;
    } else {
        print(&panel.text())?;
    }
    args.reading.warn_idle_in(&formats);
    match failed {
        None => Ok(()),
        Some(e) if args.files.len() == 1 => Err(e),
        Some(_) => Err(CliError::input("some files could not be read (see above)")),
    }
}

/// The matrices and other elements of a group.
fn members(o: &Outline, group: &str) -> Map<String, Value> {
    o.members(group).map(|(name, item)| (name.to_owned(), element(item))).collect()
}

fn element(item: &Item) -> Value {
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        out.insert(key.into(), value);
    };
    match (&item.kind[..], &item.dtype) {
        (layout @ ("dense" | "csr" | "csc"), Some(dtype)) => {
            put("layout", json!(layout));
            put("dtype", json!(dtype));
            put("nnz", json!(item.nnz));
        }
        (kind, _) => put("kind", json!(kind)),
    }
    put("shape", json!(item.shape));
    if let Some(some) = &item.some {
        put("some", json!(some));
    }
    if let Some(storage) = &item.storage {
        put("storage", json!(storage));
    }
    Value::Object(out)
}

fn columns(o: &Outline, table: &str) -> Map<String, Value> {
    o.members(table).map(|(name, item)| (name.to_owned(), json!(item.kind))).collect()
}

fn describe(path: &Path, format: &str, o: &Outline) -> Value {
    let records: Vec<Value> = o.history.iter().map(|r| serde_json::from_str(r).unwrap_or(json!(r))).collect();
    json!({
        "path": path.display().to_string(),
        "format": format,
        "dialect": o.dialect,
        "n_obs": o.n_obs,
        "n_vars": o.n_vars,
        "X": o.item("X").map(element),
        "x_looks": o.x_looks,
        "remarks": o.remarks,
        "layers": members(o, "layers"),
        "obs": columns(o, "obs"),
        "var": columns(o, "var"),
        "var_names": o.var_names,
        "obsm": members(o, "obsm"),
        "varm": members(o, "varm"),
        "obsp": members(o, "obsp"),
        "varp": members(o, "varp"),
        "raw": o.item("raw/X").map(element),
        "uns": tree(o, "uns"),
        "stains": o.stains,
        "markers": markers::json(o),
        "keywords": o.keywords,
        "history": records,
    })
}

/// Groups inside groups.
fn tree(o: &Outline, group: &str) -> Map<String, Value> {
    let of = |name: &str, item: &Item| {
        let mut value = element(item);
        if item.kind == "group" {
            value["members"] = Value::Object(tree(o, &item.path));
        }
        (name.to_owned(), value)
    };
    o.members(group).map(|(name, item)| of(name, item)).collect()
}
