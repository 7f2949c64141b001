//! One road out: every verb that writes keeps the same rules for every format. A verb that drops an element without a line,
//! forgets the record or the mark of made cells, or leaves something behind after a refusal, fails here.

use std::collections::BTreeSet;

use scx::data::{
    Annotation, Categorical, Categories, Column, Dataset, Dense, Frame, Index, Layout, Matrix, Raw, Sparse,
    Uns, Values,
};
use scx::rng::Seed;
use serde_json::Value;

use crate::support::Dir;

const CELLS: usize = 140;
const GENES: usize = 80;

/// A target of each format, and whether it has columns of cells.
const TARGETS: &[(&str, &str, bool)] = &[
    ("h5ad", "h5ad", true),
    ("loom", "loom", true),
    ("10x-h5", "h5", false),
    ("10x-mtx", "", false),
    ("fcs", "fcs", false),
    ("csv", "csv", true),
    ("parquet", "parquet", true),
];

/// Formats with a place for the record of a run.
const RECORDED: &[&str] = &["h5ad", "loom", "fcs"];

fn counts() -> Matrix {
    let mut s = Seed(5).stream("toy");
    let (mut indptr, mut indices, mut data) = (vec![0u64], Vec::new(), Vec::new());
    for cell in 0..CELLS {
        for gene in 0..GENES {
            let own = gene / (GENES / 2) == cell % 2;
            let count = s.negative_binomial(if own { 6.0 } else { 0.8 } * (1.0 + (gene % 7) as f64), 2.0);
            if count > 0 {
                indices.push(gene as u32);
                data.push(count as i32);
            }
        }
        indptr.push(indices.len() as u64);
    }
    Matrix::Sparse(Sparse::new(Layout::Csr, (CELLS, GENES), indptr, indices, Values::I32(data)).unwrap())
}

/// Cells with something in every place, two types, two runs and control cells.
fn cells(start: usize) -> Dataset {
    let names = |p: &str, n: usize| Index::names((start..start + n).map(|i| format!("{p}{i}")).collect());
    let category = |list: [&str; 2], of: fn(usize) -> usize| {
        Column::Categorical(Categorical {
            codes: (0..CELLS).map(|i| of(i) as i32).collect(),
            categories: Categories::Strings(list.map(String::from).to_vec()),
            ordered: false,
        })
    };
    let obs = Frame::new(names("c", CELLS))
        .with("cell_type", category(["big", "small"], |i| i % 2))
        .with("run", category(["run1", "run2"], |i| usize::from(i >= CELLS / 2)))
        .with("control", Column::Numbers(Values::Bool((0..CELLS).map(|i| i % 3 == 0).collect())))
        .with("score", Column::Numbers(Values::F64((0..CELLS).map(|i| i as f64 / 3.0).collect())));
    let genes = Index::names((0..GENES).map(|i| format!("g{i}")).collect());
    let var = Frame::new(genes.clone())
        .with("length", Column::Numbers(Values::F64((0..GENES).map(|i| i as f64).collect())));
    let mut d = Dataset::new(obs, var);
    d.x = Some(counts());
    d.layers.insert("counts".into(), counts());
    let places = Dense::new(CELLS, 2, Values::F32(vec![0.5; 2 * CELLS])).unwrap();
    d.obsm.insert("X_umap".into(), Annotation::Matrix(Matrix::Dense(places)));
    d.raw = Some(Raw { x: counts(), var: Frame::new(genes), varm: Default::default() });
    d.uns.insert("title".into(), Uns::String("a study".into()));
    d
}

/// Each verb with the options it takes; OUT is where its targets go.
const VERBS: &[(&str, &str)] = &[
    ("convert", "convert a.h5ad OUT"),
    ("concat", "concat a.h5ad b.h5ad -o OUT --join inner"),
    ("split", "split a.h5ad --by cell_type --train OUT --test SECOND --test-fraction 0.2"),
    ("preprocess", "preprocess a.h5ad -o OUT --min-genes 1"),
    ("cluster", "cluster a.h5ad -o OUT --n-pcs 5 --n-neighbors 5"),
    ("classify", "classify a.h5ad --model-dir types -o OUT"),
    ("simulate", "simulate --params p.yaml -o OUT"),
    ("correct", "correct a.h5ad --batch-key run --spikein control -o OUT --method mean-shift --steps 5"),
    ("augment", "augment a.h5ad --cluster big --n 5 --model nb --test-fraction 0 -o OUT"),
    ("generate", "generate a.h5ad --n 7 --model nb -o OUT"),
];

/// Verbs that need a target with columns of cells.
const COLUMNS: &[&str] = &["cluster", "classify"];
/// Verbs whose cells are made.
const MADE: &[&str] = &["augment", "generate"];

fn folder() -> Dir {
    let dir = Dir::new();
    dir.save("a.h5ad", &cells(0));
    dir.save("b.h5ad", &cells(1000));
    dir.write("p.yaml", "n_cells: 20\nn_genes: 15\n");
    dir.scx("train actinn a.h5ad -o types --steps 5 --minibatch 20").ok();
    dir
}

/// What a report says is lost.
fn lost(json: &Value) -> BTreeSet<String> {
    let own = |v: &Value| v["elements"].as_array().cloned().unwrap_or_default();
    let mut all = own(json);
    json["outputs"].as_array().into_iter().flatten().for_each(|o| all.extend(own(o)));
    let gone = |e: &&Value| e["fate"] == "left" || e["lossy"] == true;
    all.iter().filter(gone).map(|e| e["element"].as_str().unwrap().to_owned()).collect()
}

fn line(template: &str, format: &str, ending: &str, tag: &str) -> (String, String) {
    let name = |n: &str| if ending.is_empty() { format!("{tag}{n}") } else { format!("{tag}{n}.{ending}") };
    let out = name("out");
    let line = template.replace("OUT", &out).replace("SECOND", &name("second"));
    (format!("{line} --to {format} --quiet"), out)
}

#[test]
fn every_verb_keeps_the_same_rules_for_every_format() {
    let dir = folder();
    let mut seen = 0;
    for (verb, template) in VERBS {
        for (format, ending, columns) in TARGETS {
            if COLUMNS.contains(verb) && !columns {
                let (line, _) = line(template, format, ending, "x");
                dir.refuses(2, &line, &["no place for"]);
                continue;
            }
            hold(&dir, verb, template, (format, ending, *columns));
            seen += 1;
        }
    }
    assert!(seen > 55, "{seen}");
}

fn hold(dir: &Dir, verb: &str, template: &str, (format, ending, columns): (&str, &str, bool)) {
    let at = format!("{verb} to {format}");
    let made = MADE.contains(&verb);
    let mark = if made && !columns { " --mark names" } else { "" };
    let (plain, out) = line(template, format, ending, &format!("{verb}-{format}-"));
    let before = dir.contents();
    if made && !columns {
        // Nothing tells made cells from real ones there.
        dir.refuses(5, &plain, &["is_synthetic"]);
        dir.is_as(&before);
        if format == "fcs" {
            dir.refuses(5, &format!("{plain} --mark names"), &["is_synthetic"]);
            return;
        }
    }
    let run = format!("{plain}{mark}");
    let planned = dir.scx(&format!("{run} --dry-run --json")).ok().json();
    dir.is_as(&before);
    assert_eq!((planned["verb"].as_str(), planned["dry_run"].as_bool()), (Some(verb), Some(true)), "{at}");
    let done = dir.scx(&format!("{run} --json")).ok().json();
    assert_eq!(done["dry_run"], false, "{at}");
    let (expected, found) = (lost(&planned), lost(&done));
    let unforeseen: Vec<_> = found.difference(&expected).collect();
    assert!(unforeseen.is_empty(), "{at}: the dry run did not say {unforeseen:?}");
    assert_eq!(done["lost"].as_u64().unwrap() > 0, !found.is_empty(), "{at}");
    // What the input holds and the target cannot is in the report.
    if verb == "convert" || verb == "split" {
        for element in ["obsm[\"X_umap\"]", "layers[\"counts\"]", "raw", "obs[\"score\"]"] {
            let there = match element {
                "layers[\"counts\"]" => ["h5ad", "loom"].contains(&format),
                "raw" => format == "h5ad",
                "obs[\"score\"]" => columns,
                _ => ["h5ad", "loom"].contains(&format),
            };
            assert_eq!(!there, found.contains(element), "{at}: {element}");
        }
    }
    let again = dir.contents();
    dir.refuses(2, &run, &["--force"]);
    dir.is_as(&again);
    let strict = dir.scx(&format!("{run} --force --strict"));
    if found.is_empty() {
        strict.ok();
    } else {
        assert_eq!(strict.code, Some(1), "{at}: {}", strict.stderr);
        strict.says(&["lost or changed (--strict)"]);
    }
    let record = |dir: &Dir| {
        let d = dir.open(&out);
        let keyword = d.source.keywords.iter().any(|(k, v)| k == "SCX" && v.contains(verb));
        keyword
            || scx::provenance::records(&d.uns).iter().any(|r| r.contains(&format!("\"verb\":\"{verb}\"")))
    };
    if ["csv", "parquet"].contains(&format) {
        return;
    }
    assert_eq!(record(dir), RECORDED.contains(&format), "{at}: the record");
    if made {
        let n = scx::data::synthetic::mask(&dir.open(&out)).unwrap_or_else(|| panic!("{at}: no mark"));
        let cells = n.iter().filter(|m| **m).count();
        assert_eq!(cells, if verb == "augment" { 5 } else { 7 }, "{at}");
    }
    dir.scx(&format!("{run} --force --no-provenance")).ok();
    assert!(!record(dir), "{at}: --no-provenance");
}

#[test]
fn the_mark_of_made_cells_survives_every_later_verb() {
    let dir = folder();
    dir.scx("augment a.h5ad --cluster big --n 5 --model nb --test-fraction 0 -o more.h5ad").ok();
    dir.refuses(5, "convert more.h5ad more.h5", &["is_synthetic", "--mark names"]);
    dir.refuses(5, "split more.h5ad --by run --train t.h5 --test s.h5", &["is_synthetic"]);
    dir.scx("convert more.h5ad more.h5 --mark names").ok().says(&["scx-synthetic-"]);
    let back = dir.open("more.h5");
    let named: Vec<bool> = back.obs.index.iter().map(|n| n.starts_with("scx-synthetic-")).collect();
    assert_eq!(scx::data::synthetic::mask(&back), Some(named.clone()));
    assert_eq!(named.iter().filter(|n| **n).count(), 5);
    // Named so, they are made cells on the way back, too.
    dir.refuses(5, "convert more.h5 more.fcs", &["is_synthetic"]);
    // A table of genes holds no cells.
    dir.scx("convert more.h5ad genes.csv --table var").ok();
}
