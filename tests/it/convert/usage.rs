//! `scx convert` as a user meets it.

use scx::data::{Column, Frame, Index, Layout, Values};

use crate::support::{Dir, annotated, files, layer, runs, values, x};

#[test]
fn events_go_to_h5ad_and_back_with_their_keywords() {
    let dir = files();
    let mut cells = dir.open("s.fcs");
    cells.source.keywords.push(("$CYT".into(), "CyTOF 2".into()));
    cells.source.keywords.push(("a/b key".into(), "µ, |".into()));
    dir.save("k.fcs", &cells);
    dir.scx("convert k.fcs s.h5ad").ok();
    dir.scx("convert s.h5ad back.fcs").ok();
    assert_eq!(x(&dir, "back.fcs"), x(&dir, "s.fcs"));
    let keyword = |name: &str, key: &str| {
        dir.open(name).source.keywords.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone())
    };
    for key in ["$CYT", "a/b key"] {
        assert!(keyword("k.fcs", key).is_some(), "{key}");
        assert_eq!(keyword("back.fcs", key), keyword("k.fcs", key), "{key}");
    }
}

#[test]
fn the_same_conversion_gives_the_same_bytes_whatever_the_number_of_threads() {
    let dir = annotated();
    dir.scx("convert runs.h5ad a.h5ad --compression gzip:4 --threads 1").ok();
    dir.scx("convert runs.h5ad b.h5ad --compression gzip:4 --threads 2").ok();
    assert!(dir.bytes("a.h5ad") == dir.bytes("b.h5ad"));
}

#[test]
fn strict_exits_with_1_and_names_what_was_lost() {
    let dir = annotated();
    let run = dir.scx("convert runs.h5ad out.fcs --strict");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    run.says(&["obs[\"run\"]: left behind", "--strict"]);
    assert_eq!(x(&dir, "out.fcs"), x(&dir, "runs.h5ad"));
    dir.scx("convert runs.h5ad same.h5ad --strict").ok();
}

#[test]
fn a_dry_run_tells_the_fate_of_each_element_and_writes_nothing() {
    let dir = annotated();
    let before = dir.contents();
    let run = dir.scx("convert runs.h5ad out.fcs --dry-run").ok();
    for phrase in ["var_names", "renamed: $PnN", "left behind", "of memory"] {
        assert!(run.stdout.contains(phrase), "{phrase}: {}", run.stdout);
    }
    let json = dir.scx("convert runs.h5ad out.fcs --dry-run --json").ok().json();
    let rows = json["elements"].as_array().unwrap();
    let run = rows.iter().find(|r| r["element"] == "obs[\"run\"]").unwrap();
    assert_eq!(run["fate"], "left");
    assert!(json["estimate"]["memory_bytes"].as_u64().unwrap() > 0);
    dir.is_as(&before);
}

#[test]
fn a_layer_becomes_x_and_x_a_layer() {
    let (dir, runs) = (Dir::new(), runs());
    let mut d = runs.dataset(Some(runs.dense()));
    d.layers.insert("counts".into(), runs.sparse(Layout::Csc));
    let doubled = values(&runs.dense()).mapv(|v| 2.0 * v);
    dir.save("a.h5ad", &d);
    dir.scx("convert a.h5ad b.h5ad --x counts --add-layer data=X --add-layer same=counts").ok();
    let b = dir.open("b.h5ad");
    assert_eq!(b.x.as_ref().unwrap().layout(), Layout::Csc);
    assert_eq!(layer(&dir, "b.h5ad", "data"), x(&dir, "a.h5ad"));
    assert!(b.layers.contains_key("same") && !b.layers.contains_key("counts"));
    assert_ne!(layer(&dir, "b.h5ad", "data"), doubled);
    dir.refuses(2, "convert a.h5ad c.h5ad --x count", &["no matrix count", "counts, X"]);
    dir.refuses(2, "convert a.h5ad c.h5ad --add-layer counts", &["NAME=SOURCE"]);
    dir.refuses(
        2,
        "convert a.h5ad c.h5ad --add-layer k=X --add-layer k=counts",
        &["-layer k", "more than once"],
    );
    dir.refuses(2, "convert a.h5ad c.h5ad --x counts --layer counts", &["--x once"]);
    // Older spellings work, and say what they are called now.
    let old = dir.scx("convert a.h5ad old.h5ad --layer data=X").ok();
    old.says(&["--layer data=X is called --add-layer data=X now"]);
    assert!(dir.open("old.h5ad").layers.contains_key("data"));
    let run = dir.scx("convert a.h5ad c.h5ad --add-layer counts=X --strict");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    run.says(&["layers[\"counts\"]: left behind: replaced by X"]);
    dir.scx("convert a.h5ad d.h5ad --add-layer counts=X --add-layer old=counts --strict").ok();
}

#[test]
fn wrong_requests_are_refused_before_any_work() {
    let dir = annotated();
    dir.write("there.h5ad", "old");
    dir.refuses(2, "convert runs.h5ad there.h5ad", &["exists already", "--force"]);
    dir.refuses(2, "convert runs.h5ad runs.h5ad --force", &["is an input", "never changed"]);
    dir.refuses(2, "convert runs.h5ad out.xyz", &["cannot be told", ".h5ad", "--to"]);
    dir.refuses(3, "convert none.h5ad out.fcs", &["none.h5ad", "cannot read"]);
    dir.refuses(2, "convert runs.h5ad no/out.fcs", &["the folder no does not exist"]);
    dir.refuses(3, "convert there.h5ad out.fcs", &["there.h5ad"]);
    dir.scx("convert runs.h5ad there.h5ad --force").ok();
    assert_eq!(x(&dir, "there.h5ad"), x(&dir, "runs.h5ad"));
}

#[test]
fn tables_go_into_a_folder_whole_or_not_at_all() {
    let dir = annotated();
    let run = dir.scx("convert runs.h5ad tables --to csv").ok();
    run.says(&["X: left behind: the folder holds the tables obs and var", "wrote tables"]);
    let inside = || dir.names().into_iter().filter(|n| n.starts_with("tables/")).collect::<Vec<_>>();
    assert_eq!(inside(), ["tables/obs.csv", "tables/var.csv"]);
    dir.scx("convert runs.h5ad obs.csv --table obs").ok();
    assert_eq!(dir.bytes("tables/obs.csv"), dir.bytes("obs.csv"));
    dir.refuses(2, "convert runs.h5ad tables --to csv", &["tables: exists already", "--force"]);
    dir.scx("convert runs.h5ad tables/ --to csv --table x --force").ok();
    assert_eq!(inside(), ["tables/X.csv", "tables/obs.csv", "tables/var.csv"]);
    assert_eq!(x(&dir, "tables/X.csv"), x(&dir, "runs.h5ad"));
    dir.scx("convert runs.h5ad tables/ --to parquet --table var --force").ok();
    assert_eq!(inside(), ["tables/var.parquet"]);
    // A folder with anything else in it is not ours to replace.
    dir.write("tables/notes.txt", "precious");
    dir.refuses(2, "convert runs.h5ad tables --to csv --force", &["tables", "notes.txt"]);
    let run = dir.scx("convert runs.h5ad more --to csv --dry-run --json").ok().json();
    let rows = run["elements"].as_array().unwrap();
    let of = |element: &str| &rows.iter().find(|r| r["element"] == element).unwrap()["fate"];
    assert_eq!((of("X"), of("var[\"marker\"]")), (&"left".into(), &"kept".into()));
    assert!(!dir.path("more").exists());
}

#[test]
fn the_record_names_the_conversion_and_can_be_left_out() {
    let dir = annotated();
    dir.scx("convert runs.h5ad a.h5ad").ok();
    let info = dir.scx("info a.h5ad --json").ok().json();
    assert_eq!(info["files"][0]["history"][0]["verb"], "convert");
    dir.scx("convert runs.h5ad b.h5ad --no-provenance").ok();
    assert!(!dir.open("b.h5ad").uns.contains_key("scx"));
}

#[test]
fn the_table_of_losses_has_a_column_for_each_format() {
    let dir = Dir::new();
    let text = dir.scx("help losses").ok().stdout;
    for format in scx::io::CODECS {
        assert!(text.contains(format.format.name()), "{text}");
    }
}

#[test]
fn whole_numbers_beyond_a_double_are_refused_by_fcs_before_anything_is_written() {
    let dir = Dir::new();
    let mut d = scx::data::Dataset::new(
        Frame::new(Index::names(vec!["a".into(), "b".into()]))
            .with("k", Column::Strings(vec![String::new(); 2])),
        Frame::new(Index::names(vec!["g".into()])),
    );
    let big = vec![(1u64 << 53) + 1, 1];
    d.x = Some(scx::data::Matrix::Dense(scx::data::Dense::new(2, 1, Values::U64(big)).unwrap()));
    dir.save("a.h5ad", &d);
    for line in ["convert a.h5ad a.fcs", "convert a.h5ad a.fcs --dry-run"] {
        dir.refuses(5, line, &["9007199254740993", "write h5ad or loom"]);
    }
    let x = d.x.take().unwrap();
    dir.save("none.h5ad", &d);
    d.layers.insert("counts".into(), x);
    dir.save("layer.h5ad", &d);
    for to in ["a.fcs", "a.loom", "a.h5", "mtx", "a.csv --table x"] {
        for dry in ["", " --dry-run"] {
            dir.refuses(5, &format!("convert none.h5ad {to}{dry}"), &["no X and nothing to take its place"]);
            dir.refuses(5, &format!("convert layer.h5ad {to}{dry}"), &["no X; choose", "--x", "counts"]);
        }
    }
}

#[test]
fn options_a_format_has_no_use_for_are_told() {
    let dir = annotated();
    dir.scx("convert runs.h5ad a.loom --h5ad-compat 0.8 --fcs-version 3.2")
        .ok()
        .says(&["--h5ad-compat has no meaning for loom", "--fcs-version has no meaning for loom"]);
    let run = dir.scx("convert runs.h5ad a.fcs --compression lzf --table x").ok();
    run.says(&["--compression has no meaning for FCS", "--table has no meaning for FCS"]);
    let run = dir.scx("convert runs.h5ad b.h5ad --compression lzf --h5ad-compat 0.8").ok();
    assert!(!run.stderr.contains("no meaning"), "{}", run.stderr);
    // A dry run ends as the run would.
    dir.refuses(2, "convert runs.h5ad b.h5ad --dry-run", &["b.h5ad: exists already", "--force"]);
}
