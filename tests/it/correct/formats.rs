//! Every format in, every format out.

use ndarray::{Array2, s};
use scx::data::{Frame, Layout};
use scx::io::{self, ReadOptions};

use crate::support::{self, Dir, FILES, RUNS, layer, values, x};

const LAYER: &str = "scx_correct";

/// Channels that every format has under the same name.
const MARKERS: &str = "--markers ^Ch[01] --steps 10";

/// X of a file or folder.
fn read(dir: &Dir, name: &str) -> Array2<f64> {
    let d = io::open(&dir.path(name), &ReadOptions::default()).unwrap();
    // Text has the fewest digits that read back as the same single.
    values(d.x.as_ref().unwrap()).mapv(|v| f64::from(v as f32))
}

/// The result of FCS files, which other formats must repeat.
fn expected(dir: &Dir) -> Array2<f64> {
    dir.scx(&format!("{FILES} -o o.fcs {MARKERS}")).ok();
    x(dir, "o.fcs")
}

#[test]
fn files_of_every_format_are_corrected_as_fcs_files_are() {
    let dir = support::files();
    let want = expected(&dir);
    assert_ne!(want, x(&dir, "s.fcs"));
    for (ending, to, replaced) in [
        (".h5ad", "h5ad", false),
        (".loom", "loom", false),
        (".h5", "10x-h5", true),
        ("", "10x-mtx", true),
        (".csv", "csv --table x", true),
        (".tsv.gz", "csv --table x", true),
    ] {
        for name in ["c1", "c2", "s"] {
            dir.scx(&format!("convert {name}.fcs {name}{ending} --to {to}")).ok();
        }
        let inputs = format!("correct --spikein c1{ending} c2{ending} --sample s{ending}");
        let run = dir.scx(&format!("{inputs} -o o{ending} {MARKERS}")).ok();
        let found = if replaced {
            read(&dir, &format!("o{ending}"))
        } else {
            layer(&dir, &format!("o{ending}"), LAYER)
        };
        if to.starts_with("csv") {
            // Text reads back as doubles, which round otherwise in training.
            let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-2 * (1.0 + b.abs());
            assert!(found.iter().zip(&want).all(near), "{to}");
        } else {
            assert_eq!(found, want, "{to}");
        }
        if replaced {
            run.says(&["the new values take its place", "holds one matrix"]);
        } else {
            assert_eq!(read(&dir, &format!("o{ending}")), x(&dir, "s.fcs"), "{to}: X stays");
        }
        if to == "10x-mtx" {
            // A folder that is there takes the sample under its own name.
            dir.scx(&format!("{inputs} -o o{ending} {MARKERS}")).ok().says(&["wrote o/s"]);
            continue;
        }
        dir.refuses(2, &format!("{inputs} -o o{ending} {MARKERS}"), &["exists already"]);
        dir.scx(&format!("{inputs} -o o{ending} {MARKERS} --force")).ok();
    }
}

#[test]
fn the_target_may_have_another_format_than_the_input() {
    let dir = support::files();
    let want = expected(&dir);
    dir.scx(&format!("{FILES} -o o.h5ad {MARKERS}")).ok();
    assert_eq!(layer(&dir, "o.h5ad", LAYER), want);
    assert_eq!(x(&dir, "o.h5ad"), x(&dir, "s.fcs"));
    dir.scx(&format!("{FILES} -o into.loom {MARKERS} --into-x")).ok();
    assert_eq!(x(&dir, "into.loom"), want);
    // And back: keywords and the record survive.
    for name in ["c1", "c2", "s"] {
        dir.scx(&format!("convert {name}.fcs {name}.h5ad")).ok();
    }
    let h5ad = "correct --spikein c1.h5ad c2.h5ad --sample s.h5ad";
    dir.scx(&format!("{h5ad} -o back.fcs {MARKERS}")).ok();
    assert_eq!(x(&dir, "back.fcs"), want);
    let keyword = |key: &str| {
        let d = dir.open("back.fcs");
        d.source.keywords.into_iter().find(|(k, _)| k == key).map(|(_, v)| v)
    };
    assert_eq!(keyword("$P1S").as_deref(), Some("CD45"));
    assert!(keyword("SCX").is_some_and(|r| r.starts_with('[') && r.contains("neuron-edit")));
    dir.scx(&format!("{h5ad} -o table.csv {MARKERS}")).ok().says(&["var[\"marker\"]: left behind"]);
    assert_eq!(read(&dir, "table.csv"), want);
    let info = dir.scx("info o.h5ad --json").ok().json();
    assert_eq!(info["files"][0]["history"][0]["verb"], "correct");
}

#[test]
fn several_samples_take_the_ending_of_the_format_asked_for() {
    let dir = support::files();
    let two = "correct --spikein c1.fcs c2.fcs --sample s.fcs t.fcs --steps 10";
    dir.scx(&format!("{two} -o out --to loom")).ok();
    assert_eq!(layer(&dir, "out/t.loom", LAYER).dim(), x(&dir, "t.fcs").dim());
    dir.scx(&format!("{two} -o folders --to 10x-mtx")).ok();
    assert!(dir.names().contains(&"folders/s/matrix.mtx.gz".into()));
    dir.refuses(2, &format!("{two} -o o.loom --to loom"), &["o.loom", "folder"]);
}

#[test]
fn annotated_files_go_from_loom_to_h5ad_and_back() {
    let (dir, runs) = (support::annotated(), support::runs());
    let ask = |input: &str, rest: &str| {
        let job = RUNS.replace("runs.h5ad", input);
        dir.scx(&format!("{job} --reference run2 --steps 10 {rest}"))
    };
    ask("runs.h5ad", "-o o.h5ad").ok();
    let want = layer(&dir, "o.h5ad", LAYER);
    dir.scx("convert runs.h5ad runs.loom").ok();
    // Booleans are 0 and 1 in loom: controls and markers are found all the same.
    for out in ["o.loom", "via.h5ad"] {
        ask("runs.loom", &format!("-o {out}")).ok().says(&["35 markers (var[\"marker\"] is true)"]);
        assert_eq!(layer(&dir, out, LAYER), want, "{out}");
        assert_eq!(x(&dir, out), x(&dir, "runs.h5ad"), "{out}");
        let kind = |name: &str| {
            let d = dir.open(name);
            let c = d.obs.column("kind").unwrap();
            (0..c.len()).map(|i| c.text(i).unwrap().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(kind(out), kind("runs.h5ad"), "{out}");
    }
    let run = ask("runs.h5ad", "-o cells.loom").ok();
    run.says(&["obs[\"run\"]", "order and unused categories are lost"]);
    assert_eq!(layer(&dir, "cells.loom", LAYER), want);
    let run = ask("runs.h5ad", "-o one.h5").ok();
    run.says(&["obs[\"run\"]: left behind"]);
    assert_eq!(read(&dir, "one.h5"), want);
    // Sparse, whole numbers, and a layer instead of X.
    for layout in [Layout::Csr, Layout::Csc] {
        let mut d = runs.dataset(None);
        d.layers.insert("counts".into(), runs.sparse(layout));
        dir.save("sparse.h5ad", &d);
        ask("sparse.h5ad", "-o sparse.h5 --layer counts --force").ok();
        assert_eq!(read(&dir, "sparse.h5"), want, "{layout:?}");
        ask("sparse.h5ad", "-o sparse.loom --layer counts --force").ok();
        assert_eq!(layer(&dir, "sparse.loom", LAYER), want, "{layout:?}");
    }
}

#[test]
fn a_dry_run_says_what_the_target_will_not_hold_and_unwritable_formats_are_refused() {
    let dir = support::annotated();
    let before = dir.contents();
    let run = dir.scx(&format!("{RUNS} -o o.fcs --dry-run")).ok();
    for phrase in ["write o.fcs (FCS)", "obs[\"run\"]", "left behind", "the new values take its place"] {
        assert!(run.stdout.contains(phrase), "{phrase}: {}", run.stdout);
    }
    dir.is_as(&before);
    dir.refuses(2, &format!("{RUNS} -o o.rds"), &["o.rds", ".h5ad", "--to"]);
    dir.refuses(2, &format!("{RUNS} -o o.zarr"), &["o.zarr", ".loom"]);
    // Nothing of the data set but its names: the record still goes in.
    let mut bare = dir.open("runs.h5ad");
    bare.var = Frame::new(bare.var.index);
    dir.save("runs.h5ad", &bare);
    let x_only = x(&dir, "runs.h5ad");
    dir.scx(&format!("{RUNS} -o o.tsv --method none --steps 5 --markers ^CD")).ok();
    assert_eq!(read(&dir, "o.tsv").slice(s![.., ..]), x_only);
}
