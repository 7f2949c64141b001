//! `scx info`: the tree, what X looks like, panels; and that nothing large is read.

use std::path::Path;

use crate::h5ad::expected::fixtures;
use crate::support::{self, Dir, Run, SCX};

fn info(args: &[&str], file: &Path) -> Run {
    Run::new(&std::process::Command::new(SCX).arg("info").args(args).arg(file).output().unwrap())
}

#[test]
fn the_tree_has_shapes_types_storage_and_categories() {
    let run = info(&[], &fixtures().join("h5ad/anndata_0.12.19.h5ad")).ok();
    for line in [
        "h5ad (anndata 0.8 or newer), 7 cells × 4 variables",
        "  X: 7 × 4 csr float32, 21 stored (75.0 %), chunks of 21, 84 bytes",
        "  X looks like: raw counts (whole numbers, 0 to 3)",
        "  layers/halves: 7 × 4 dense float32, in one piece, 112 bytes",
        "  layers/sparse: 7 × 4 csc int32, ",
        "    batch  category (3): b, a, c",
        "    stage  ordered category (3): low, high, never",
        "    whole  nullable int32",
        "  obsm/ragged: not understood (awkward-array)",
        "  obsm/table: table of 7 rows, 1 columns",
        "  raw: 7 × 4 csr float32",
        "  uns/rank_genes_groups: group of 3",
        "    names: 2 records of 2 fields",
        "      method: \"t-test\"",
        "  uns/number: 3 (int64)",
        "  uns/nothing: null",
        "  uns/texts_2d: 3 × 2 texts",
    ] {
        assert!(run.stdout.contains(line), "no {line:?} in:\n{}", run.stdout);
    }
    let json = info(&["--json"], &fixtures().join("h5ad/anndata_0.12.19.h5ad")).ok().json();
    let file = &json["files"][0];
    assert_eq!(file["X"]["shape"], serde_json::json!([7, 4]));
    assert_eq!((&file["X"]["nnz"], &file["x_looks"]["guess"]), (&21.into(), &"raw_counts".into()));
    assert_eq!(file["obs"]["batch"], "category (3)");
    assert_eq!(file["uns"]["rank_genes_groups"]["members"]["params"]["members"]["use_raw"]["some"], "True");
}

#[test]
fn an_outline_says_of_every_file_what_reading_it_says() {
    // The outline is told from metadata; this catches a shape or a type taken from the wrong place.
    let folder = fixtures().join("h5ad");
    let mut seen = 0;
    for name in crate::h5ad::expected::names(&folder) {
        let path = folder.join(&name);
        let (_, lazy) = scx::io::outline(&path, &Default::default()).unwrap();
        let d = scx::io::open(&path, &Default::default()).unwrap();
        let full = scx::io::Outline::of(&d);
        let key = |o: &scx::io::Outline| (o.n_obs, o.n_vars, o.dialect.clone(), o.var_names.clone());
        assert_eq!(key(&lazy), key(&full), "{name}");
        let old = name.starts_with("old") || name.contains("0.5") || name.contains("0.6");
        for item in
            full.items.iter().filter(|i| !(i.path.starts_with("uns") || old && i.path.contains("obs")))
        {
            let found = lazy.item(&item.path).unwrap_or_else(|| panic!("{name}: {} is missing", item.path));
            let key =
                |i: &scx::io::Item| (i.kind.clone(), i.shape.clone(), i.dtype.clone(), i.nnz, i.some.clone());
            if !(old && found.kind != item.kind) {
                assert_eq!(key(found), key(item), "{name}: {}", item.path);
            }
            seen += 1;
        }
        if let (Some(a), Some(b)) = (&lazy.x_looks, &full.x_looks) {
            assert!(a.guess == b.guess || name == "csc.h5ad", "{name}: {a:?} {b:?}");
        }
    }
    assert!(seen > 150, "{seen}");
}

/// The outline of a loom or 10x file against what reading it says. How wide the numbers of a Matrix Market file are, and
/// whether entries come twice, is known only when all of it has been read.
fn outline_agrees(path: &Path, options: &scx::io::ReadOptions) -> usize {
    let (format, lazy) = scx::io::outline(path, options).unwrap();
    let full = scx::io::Outline::of(&scx::io::open(path, options).unwrap());
    let name = path.display();
    let head = |o: &scx::io::Outline| {
        let own = (o.n_obs, o.n_vars, o.dialect.clone(), o.var_names.clone());
        (own, o.stains.clone(), o.keywords.clone(), o.history.clone())
    };
    assert_eq!(head(&lazy), head(&full), "{name}");
    let item = |i: &scx::io::Item| {
        let known = !(format == "10x-mtx" && i.path == "X");
        let stored = known.then(|| (i.dtype.clone(), i.nnz));
        (i.path.clone(), i.kind.clone(), i.shape.clone(), stored, i.some.clone())
    };
    let items = |o: &scx::io::Outline| o.items.iter().map(item).collect::<Vec<_>>();
    assert_eq!(items(&lazy), items(&full), "{name}");
    let guess = |o: &scx::io::Outline| o.x_looks.as_ref().map(|l| l.guess.clone());
    assert_eq!(guess(&lazy), guess(&full), "{name}");
    full.items.len()
}

#[test]
fn an_outline_of_loom_and_10x_says_what_reading_says() {
    let mut seen = 0;
    for folder in ["loom", "tenx"] {
        for entry in std::fs::read_dir(fixtures().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let genome = path.ends_with("v2_two_genomes.h5").then(|| "hg19".to_owned());
            seen += outline_agrees(&path, &scx::io::ReadOptions { genome, ..Default::default() });
        }
    }
    assert!(seen > 150, "{seen}");
    // One genome of two that share a matrix.
    let both = fixtures().join("tenx/v3.h5");
    let options = scx::io::ReadOptions { genome: Some("mm10".into()), ..Default::default() };
    outline_agrees(&both, &options);
    // Markers and header lines of a cytometer on their way through a loom.
    let dir = Dir::new();
    dir.save("one.fcs", &support::experiment().control[0].dataset());
    dir.scx("convert one.fcs one.loom").ok();
    outline_agrees(&dir.path("one.loom"), &Default::default());
}

#[test]
fn an_outline_of_real_loom_and_10x_files_says_what_reading_says() {
    let Some(root) = std::env::var_os("SCX_REAL_DATA") else {
        return println!("skipped: SCX_REAL_DATA is not set");
    };
    for folder in ["loom", "tenx"] {
        let folder = Path::new(&root).join(folder);
        let all = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        for path in all.map(|entry| entry.unwrap().path()) {
            let genome = path.to_string_lossy().contains("multiple_genomes").then(|| "mm10".to_owned());
            let options = scx::io::ReadOptions { genome, ..Default::default() };
            // Damaged files and others that no reader takes are here, too.
            if scx::io::open(&path, &options).is_ok() {
                outline_agrees(&path, &options);
            }
        }
    }
}

#[test]
fn an_outline_reads_neither_the_arrays_of_cells_nor_graphs() {
    // Their faults lie in what an outline does not read: it must list them, and reading must refuse them.
    for file in ["10x-h5/indptr_decreasing.h5", "10x-h5/index_out_of_range.h5"] {
        let path = fixtures().join("bad").join(file);
        info(&[], &path).ok();
        let dir = Dir::new();
        dir.refuses(3, &format!("convert {} o.h5ad", path.display()), &[]);
    }
    for file in ["loom/graph_vertex_out_of_range.loom", "loom/graph_vertex_negative.loom"] {
        let run = info(&[], &fixtures().join("bad").join(file)).ok();
        assert!(run.stdout.contains("knn"), "{}", run.stdout);
    }
    let dir = Dir::new();
    let barcodes: String = (0..60_000).map(|i| format!("{i:07}\n")).collect();
    for (cells, agree) in [(60_000, true), (60_001, false)] {
        dir.write(
            "matrix.mtx",
            format!("%%MatrixMarket matrix coordinate integer general\n2 {cells} 1\n1 1 5\n"),
        );
        dir.write("barcodes.tsv", &barcodes);
        dir.write("genes.tsv", "a\tA\nb\tB\n");
        assert_eq!(dir.scx("info matrix.mtx --json").ok().json()["files"][0]["n_obs"], cells);
        assert_eq!(dir.scx("convert matrix.mtx o.h5ad --dry-run").code == Some(0), agree);
    }
}

#[test]
fn a_column_that_claims_terabytes_is_listed_and_not_read() {
    let run = info(&[], &fixtures().join("bad/h5ad/claims_terabytes.h5ad")).ok();
    assert!(run.stdout.contains("    n  int64"), "{}", run.stdout);
}

#[test]
fn several_fcs_files_get_a_panel_that_marks_what_differs() {
    let dir = Dir::new();
    let e = support::experiment();
    dir.save("one.fcs", &e.control[0].dataset());
    let mut other = e.control[1].dataset();
    if let Some((_, scx::data::Column::Strings(stains))) =
        other.var.columns.iter_mut().find(|(name, _)| name == "marker")
    {
        stains[3] = "another".into();
    }
    dir.save("two.fcs", &other);
    let run = dir.scx("info one.fcs two.fcs").ok();
    assert!(run.stdout.contains("panel of 2 files"), "{}", run.stdout);
    let marked: Vec<&str> = run.stdout.lines().filter(|l| l.starts_with("  ! ")).collect();
    assert_eq!(marked.len(), 1, "{}", run.stdout);
    assert!(marked[0].contains("another"), "{marked:?}");
    let panel = dir.scx("info one.fcs two.fcs --json").ok().json()["panel"].clone();
    let differ: Vec<_> =
        panel["channels"].as_array().unwrap().iter().filter(|c| c["same"] == false).collect();
    assert_eq!(differ.len(), 1);
    assert_eq!(differ[0]["stains"][1], "another");
    // One file has nothing to compare with.
    assert!(!dir.scx("info one.fcs").ok().stdout.contains("panel of"));
}

#[test]
fn x_is_judged_by_its_values() {
    let dir = support::annotated();
    let json = dir.scx("info runs.h5ad --json").ok().json();
    assert_eq!(json["files"][0]["x_looks"]["guess"], "raw_counts", "{}", json["files"][0]["x_looks"]);
    let mut d = support::runs();
    d.values.mapv_inplace(|v| (v / 5.0).asinh());
    dir.save("a.h5ad", &d.dataset(Some(d.dense())));
    let json = dir.scx("info a.h5ad --json").ok().json();
    assert_eq!(json["files"][0]["x_looks"]["guess"], "arcsinh", "{}", json["files"][0]["x_looks"]);
}

#[test]
fn a_record_says_what_was_done_in_words() {
    let dir = support::annotated();
    dir.scx("preprocess runs.h5ad -o a.h5ad --arcsinh 5").ok();
    dir.scx("preprocess runs.h5ad -o b.h5ad --replay a.h5ad").ok();
    let history = |name: &str| {
        let text = dir.scx(&format!("info {name}")).ok().stdout;
        text.lines().find(|l| l.contains("history:")).unwrap().trim().to_owned()
    };
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(history("a.h5ad"), format!("history: scx {version} preprocess: arcsinh"));
    assert_eq!(
        history("b.h5ad"),
        format!("history: scx {version} preprocess: arcsinh (replayed from a.h5ad)")
    );
    dir.scx("convert runs.h5ad c.h5ad").ok();
    assert_eq!(history("c.h5ad"), format!("history: scx {version} convert"));
    assert!(!history("a.h5ad").contains('?'));
}

#[test]
fn a_10x_folder_is_told_from_its_first_lines() {
    let (dir, runs) = (Dir::new(), support::runs());
    dir.save("runs.h5ad", &runs.dataset(Some(runs.sparse(scx::data::Layout::Csr))));
    dir.scx("convert runs.h5ad folder --to 10x-mtx").ok();
    let json = info(&["--json"], &dir.path("folder")).ok().json();
    let file = &json["files"][0];
    assert_eq!(file["X"]["shape"], serde_json::json!([runs.obs.len(), 36]));
    assert_eq!((&file["X"]["dtype"], &file["x_looks"]["guess"]), (&"integer".into(), &"raw_counts".into()));
    assert_eq!(file["X"]["nnz"], dir.open("runs.h5ad").x.unwrap().nnz().unwrap());
    let text = info(&[], &dir.path("folder")).ok().stdout;
    assert!(text.contains("csr integer") && text.contains("10x folder of Cell Ranger 3"), "{text}");
}

#[test]
fn what_is_read_can_be_chosen_as_in_other_verbs() {
    let genomes = fixtures().join("tenx/v2_two_genomes.h5");
    let refused = info(&[], &genomes);
    assert_eq!(refused.code, Some(3));
    refused.says(&["--genome"]);
    let named = refused.stderr.split(|c: char| !c.is_alphanumeric()).find(|w| w.starts_with("hg")).unwrap();
    info(&["--genome", named], &genomes).ok();
    let sets = fixtures().join("fcs/two_data_sets.fcs");
    let shape =
        |args: &[&str]| info(&[args, &["--json"]].concat(), &sets).ok().json()["files"][0]["n_vars"].clone();
    assert_eq!((shape(&[]), shape(&["--data-set", "2"])), (3.into(), 2.into()));
    let refused = info(&["--data-set", "3"], &sets);
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
}
