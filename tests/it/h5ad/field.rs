//! What files from the field hold beside what anndata writes, or instead of it: each is read as anndata reads it, or is
//! named with what to do.

use hdf5_metno as hdf5;
use hdf5_metno::Extents;
use hdf5_metno::types::VarLenUnicode;
use scx::data::{Annotation, Column, Dataset, Dense, Frame, Index, Layout, Matrix, Raw, Sparse, Uns, Values};
use scx::io::{Additions, h5ad};

use crate::support::{self, Dir};

fn names(prefix: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{prefix}{i}")).collect()
}

fn table(prefix: &str, n: usize) -> Frame {
    let numbers = Values::I32((0..i32::try_from(n).unwrap()).collect());
    Frame::new(Index::names(names(prefix, n))).with("n", Column::Numbers(numbers))
}

fn floats(rows: usize, columns: usize) -> Matrix {
    let values = (0..rows * columns).map(|i| (i % 5) as f32).collect();
    Matrix::Dense(Dense::new(rows, columns, Values::F32(values)).unwrap())
}

/// Counts of `n` cells × `g` genes; cell `i` has one count of gene `i % g`.
fn csr(n: usize, g: usize) -> Matrix {
    let indices = (0..n).map(|i| u32::try_from(i % g).unwrap()).collect();
    let values = Values::F32((0..n).map(|i| (i + 1) as f32).collect());
    Matrix::Sparse(Sparse::new(Layout::Csr, (n, g), (0..=n as u64).collect(), indices, values).unwrap())
}

/// 6 cells × 4 genes with a table in obsm and varm, and a raw of 8 genes.
fn cells() -> Dataset {
    let mut d = Dataset::new(table("c", 6), table("g", 4));
    d.x = Some(csr(6, 4));
    d.obsm.insert("t".into(), Annotation::Frame(table("c", 6)));
    d.varm.insert("t".into(), Annotation::Frame(table("g", 4)));
    d.raw = Some(Raw { x: csr(6, 8), var: table("r", 8), varm: Default::default() });
    d
}

/// A folder with `cells.h5ad`, changed by hand.
fn changed(d: &Dataset, change: impl FnOnce(&hdf5::File)) -> Dir {
    let dir = Dir::new();
    dir.save("cells.h5ad", d);
    let file = crate::support::hdf5_to_change(dir.path("cells.h5ad"));
    change(&file);
    file.close().unwrap();
    dir
}

/// Puts a list of texts in the place of an element.
fn texts(file: &hdf5::File, at: &str, values: &[&str]) {
    let values: Vec<VarLenUnicode> = values.iter().map(|s| s.parse().unwrap()).collect();
    if file.link_exists(at) {
        file.unlink(at).unwrap();
    }
    file.new_dataset_builder().with_data(&values).create(at).unwrap();
}

fn label(at: &hdf5::Location, name: &str, value: &str) {
    if at.attr(name).is_ok() {
        at.delete_attr(name).unwrap();
    }
    let value: VarLenUnicode = value.parse().unwrap();
    at.new_attr::<VarLenUnicode>().create(name).unwrap().write_scalar(&value).unwrap();
}

/// Puts a dataset with a null data space in the place of an element.
fn null<T: hdf5::H5Type>(file: &hdf5::File, at: &str) {
    file.unlink(at).unwrap();
    file.new_dataset::<T>().no_chunk().shape(Extents::Null).create(at).unwrap();
}

/// Runs a line of Python with `a`, the AnnData read from the file.
fn anndata(dir: &Dir, name: &str, code: &str) {
    let Some(python) = support::python() else { return };
    let code = format!("import sys, anndata\na = anndata.read_h5ad(sys.argv[1])\n{code}");
    let run =
        std::process::Command::new(python).args(["-W", "ignore", "-c", &code]).arg(dir.path(name)).output();
    let run = run.unwrap();
    assert!(run.status.success(), "{name}: {}", String::from_utf8_lossy(&run.stderr));
}

/// Writes a copy of `cells.h5ad` with a record added, as verbs do that add to a file.
fn annotated(dir: &Dir, name: &str) {
    let d = dir.open("cells.h5ad");
    let additions = Additions { record: "{}".into(), ..Additions::default() };
    h5ad::annotate(&d, &additions, &dir.path(name)).unwrap_or_else(|e| panic!("{name}: {e:?}"));
}

/// The findings of a check as `level element: what`.
fn found(dir: &Dir, deep: bool) -> Vec<String> {
    let report = scx::io::check(&dir.path("cells.h5ad"), &Default::default(), deep).unwrap();
    let words = |f: &scx::io::Finding| format!("{:?} {}: {}", f.level, f.element, f.what);
    assert!(report.findings.iter().all(|f| !f.advice.is_empty()));
    report.findings.iter().map(words).collect()
}

#[track_caller]
fn tells(dir: &Dir, wanted: &[&str]) {
    let all = found(dir, false);
    for want in wanted {
        assert!(all.iter().any(|f| f.contains(want)), "no {want:?} in {all:#?}");
    }
}

/// What reading left behind or changed, as `element: what`.
fn changes(d: &Dataset) -> Vec<String> {
    d.changes.iter().map(|c| format!("{}: {}", c.element, c.words())).collect()
}

#[test]
fn what_anndata_does_not_define_at_the_root_is_named_and_left_behind() {
    let dir = changed(&cells(), |file| {
        let types = file.create_group("__DATA_TYPES__").unwrap();
        types.new_dataset_builder().with_data(&[1, 2]).create("enum").unwrap();
        file.new_dataset_builder().with_data(&[1.0]).create("bin_size").unwrap();
        // Inside of what AnnData defines it stays.
        let odd = file.create_group("uns/odd").unwrap();
        label(&odd, "encoding-type", "dream");
        label(&odd, "encoding-version", "1");
    });
    tells(&dir, &["Warning /__DATA_TYPES__: AnnData has no such element", "Warning /bin_size: "]);
    assert_eq!(dir.scx("check cells.h5ad").ok().code, Some(0));
    annotated(&dir, "copy.h5ad");
    let run = dir.scx("convert cells.h5ad new.h5ad");
    run.says(&["/__DATA_TYPES__: left behind", "/bin_size: left behind"]);
    dir.scx("convert cells.h5ad strict.h5ad --strict").says(&["/bin_size"]);
    assert_eq!(dir.scx("convert cells.h5ad strict.h5ad --strict --force").code, Some(1));
    for name in ["copy.h5ad", "new.h5ad"] {
        let file = hdf5::File::open(dir.path(name)).unwrap();
        assert!(!file.link_exists("__DATA_TYPES__") && !file.link_exists("bin_size"), "{name}");
        assert!(file.link_exists("uns/odd") && file.link_exists("raw/X"), "{name}");
    }
    // anndata knows no dreams.
    for name in ["copy.h5ad", "new.h5ad"] {
        let file = crate::support::hdf5_to_change(dir.path(name));
        file.unlink("uns/odd").unwrap();
        file.close().unwrap();
        anndata(&dir, name, "assert list(a.obs['n']) == [0, 1, 2, 3, 4, 5] and a.X.sum() == 21, a");
    }
}

#[test]
fn members_of_a_table_that_it_does_not_list_are_left_behind_with_a_line() {
    let dir = changed(&cells(), |file| {
        file.new_dataset_builder().with_data(&[1; 6]).create("obs/spare").unwrap();
    });
    tells(&dir, &["Warning /obs/spare: lies in the table"]);
    assert_eq!(changes(&dir.open("cells.h5ad")).len(), 1);
    dir.scx("convert cells.h5ad o.h5ad").says(&["obs/spare: left behind: it lies in the table"]);
}

/// A MuData of two modalities under any name.
fn mudata(dir: &Dir, name: &str) {
    dir.save("one.h5ad", &cells());
    let file = crate::support::new_hdf5(dir.path(name));
    let one = hdf5::File::open(dir.path("one.h5ad")).unwrap();
    let all = file.create_group("mod").unwrap();
    for modality in ["rna", "prot"] {
        let g = all.create_group(modality).unwrap();
        label(&g, "encoding-type", "anndata");
        label(&g, "encoding-version", "0.1.0");
        for member in ["obs", "var", "X"] {
            let object = one.group(member).unwrap();
            object.copy_to(&g, member).unwrap();
        }
    }
    let order: Vec<VarLenUnicode> = ["rna", "prot"].iter().map(|s| s.parse().unwrap()).collect();
    all.new_attr_builder().with_data(&order).create("mod-order").unwrap();
    for member in ["obs", "var"] {
        one.group(member).unwrap().copy_to(&file, member).unwrap();
    }
    label(&file, "encoding-type", "MuData");
    drop(all);
    file.close().unwrap();
    one.close().unwrap();
}

#[test]
fn a_mudata_is_refused_with_its_modalities_and_the_way_out_under_any_name() {
    let says = [
        "MuData (h5mu) with the modalities rna (6 cells × 4 variables), prot (6 cells × 4 variables)",
        ".mod[\"rna\"].write_h5ad(\"rna.h5ad\")",
    ];
    for name in ["m.h5mu", "m.h5ad", "m.h5", "m.loom"] {
        let dir = Dir::new();
        mudata(&dir, name);
        for verb in
            ["convert NAME o.h5ad", "info NAME", "check NAME", "check --deep NAME", "cluster NAME -o o.h5ad"]
        {
            dir.refuses(3, &verb.replace("NAME", name), &says);
        }
        let run = dir.scx(&format!("check {name} --json"));
        assert_eq!(run.json()["files"][0]["ok"], false);
    }
    // The advice without mudata helps.
    let (dir, Some(python)) = (Dir::new(), support::python()) else { return };
    mudata(&dir, "m.h5mu");
    let code = "import sys, h5py, anndata, anndata.io\n\
                anndata.io.read_elem(h5py.File('m.h5mu')['mod/rna']).write_h5ad('rna.h5ad')";
    let mut run = std::process::Command::new(python);
    let run = run.args(["-W", "ignore", "-c", code]).current_dir(dir.path("")).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    dir.scx("check rna.h5ad").ok();
}

const ORDER: [&str; 6] = ["c5", "c3", "c1", "c0", "c2", "c4"];

#[test]
fn rows_of_a_table_in_another_order_come_into_the_order_of_the_cells() {
    let dir = changed(&cells(), |file| {
        texts(file, "obsm/t/_index", &ORDER);
        texts(file, "varm/t/_index", &["g1", "g0", "g3", "g2"]);
    });
    tells(&dir, &["Warning /obsm/t: its rows lie in another order", "Warning /varm/t: its rows lie"]);
    annotated(&dir, "copy.h5ad");
    dir.scx("convert cells.h5ad new.h5ad").ok();
    for name in ["copy.h5ad", "new.h5ad"] {
        let d = dir.open(name);
        assert_eq!(changes(&d), Vec::<String>::new(), "{name}");
        let Annotation::Frame(t) = &d.obsm["t"] else { panic!() };
        // Row 3 of the table was called c0, and so on.
        assert_eq!(t.column("n"), Some(&Column::Numbers(Values::I32(vec![3, 2, 4, 1, 5, 0]))), "{name}");
        let code = "assert list(a.obsm['t'].loc['c5']) == [0] and list(a.obsm['t'].index) == list(a.obs_names)\n\
                    assert list(a.varm['t']['n']) == [1, 0, 3, 2]";
        anndata(&dir, name, code);
    }
}

#[test]
fn numbers_in_the_place_of_names_give_way_to_the_names_of_the_cells() {
    let text: Vec<String> = (1..7).map(|i| i.to_string()).collect();
    let text: Vec<&str> = text.iter().map(String::as_str).collect();
    let numbers = |file: &hdf5::File, from: i64| {
        file.unlink("obsm/t/_index").unwrap();
        let values: Vec<i64> = (from..from + 6).collect();
        file.new_dataset_builder().with_data(&values).create("obsm/t/_index").unwrap();
    };
    for kind in 0..3 {
        let dir = changed(&cells(), |file| match kind {
            0 => texts(file, "obsm/t/_index", &text),
            1 => numbers(file, 0),
            _ => numbers(file, 1),
        });
        tells(&dir, &["Warning /obsm/t: its rows are named"]);
        annotated(&dir, "copy.h5ad");
        dir.scx("convert cells.h5ad new.h5ad").ok();
        for name in ["copy.h5ad", "new.h5ad"] {
            let Annotation::Frame(t) = &dir.open(name).obsm["t"] else { panic!() };
            assert_eq!(t.column("n"), Some(&Column::Numbers(Values::I32((0..6).collect()))));
            anndata(&dir, name, "assert list(a.obsm['t'].index) == list(a.obs_names)");
        }
    }
}

#[test]
fn names_of_other_cells_are_a_fault_and_are_refused_with_the_first() {
    let dir = changed(&cells(), |file| texts(file, "obsm/t/_index", &["c0", "c2", "x", "c1", "c4", "c5"]));
    let says = ["/obsm/t: row 2 is called \"x\", expected \"c2\" as in obs"];
    tells(&dir, &[&format!("Fault {}", says[0])]);
    dir.refuses(3, "convert cells.h5ad o.h5ad", &[says[0], "del h5py.File(FILE, \"r+\")[\"/obsm/t\"]"]);
    // With names that come twice nobody knows which is which.
    let mut twice = cells();
    let index = Index::names(["a", "a", "b", "c", "d", "e"].map(String::from).to_vec());
    twice.obs.index = index.clone();
    let dir = changed(&twice, |_| ());
    assert_eq!(dir.open("cells.h5ad").obsm.len(), 1);
    let dir = changed(&twice, |file| texts(file, "obsm/t/_index", &["a", "b", "a", "c", "d", "e"]));
    dir.refuses(3, "convert cells.h5ad o.h5ad", &["names come more than once"]);
}

#[test]
fn tables_beside_renamed_cells_are_written_with_the_new_names() {
    let mut d = cells();
    d.obs.index = Index::names(names("new", 6));
    let dir = Dir::new();
    dir.save("cells.h5ad", &d);
    anndata(&dir, "cells.h5ad", "assert list(a.obsm['t'].index) == list(a.obs_names)");
}

#[test]
fn raw_and_its_table_must_agree_and_without_a_table_its_variables_are_numbered() {
    let wide = changed(&cells(), |file| texts(file, "raw/var/_index", &["a", "b", "c", "d", "e"]));
    let file = crate::support::hdf5_to_change(wide.path("cells.h5ad"));
    file.unlink("raw/var/n").unwrap();
    file.group("raw/var").unwrap().delete_attr("column-order").unwrap();
    file.close().unwrap();
    let says = "/raw/var: 5 variables, but raw/X is 6 × 8: expected 8 variables";
    tells(&wide, &[&format!("Fault {says}")]);
    wide.refuses(3, "convert cells.h5ad o.h5ad", &[says, "[\"raw\"]"]);

    let none = changed(&cells(), |file| file.unlink("raw/var").unwrap());
    tells(&none, &["Warning /raw/var: there is none"]);
    let raw = none.open("cells.h5ad").raw.unwrap();
    assert_eq!((raw.x.shape(), raw.var), ((6, 8), Frame::new(Index::Range(8))));
    none.scx("convert cells.h5ad o.h5ad").ok();
    anndata(&none, "o.h5ad", "assert a.raw.X.shape == (6, 8) and list(a.raw.var_names[:2]) == ['0', '1']");
}

#[test]
fn a_null_data_space_is_a_list_without_entries_wherever_it_stands() {
    let mut empty = Dataset::new(table("c", 0), table("g", 3));
    empty.x = Some(csr(0, 3));
    empty.layers.insert("dense".into(), floats(0, 3));
    empty.obsm.insert("X_pca".into(), Annotation::Matrix(floats(0, 2)));
    empty.uns.insert("list".into(), Uns::Strings(vec!["x".into()]));
    let dir = changed(&empty, |file| {
        null::<VarLenUnicode>(file, "obs/_index");
        null::<i32>(file, "obs/n");
        null::<f32>(file, "X/data");
        null::<i32>(file, "X/indices");
        null::<f32>(file, "layers/dense");
        null::<f32>(file, "obsm/X_pca");
        null::<VarLenUnicode>(file, "uns/list");
    });
    let d = dir.open("cells.h5ad");
    assert_eq!((d.n_obs(), d.n_vars(), changes(&d)), (0, 3, vec![]));
    assert_eq!(d.x.as_ref().unwrap().shape(), (0, 3));
    assert!(matches!(&d.uns["list"], Uns::Strings(v) if v.is_empty()));
    assert_eq!(found(&dir, true), Vec::<String>::new());
    let run = dir.scx("info cells.h5ad").ok();
    assert!(run.stdout.contains("0 cells × 3 variables"), "{}", run.stdout);
    for out in ["o.h5ad", "o.h5"] {
        dir.scx(&format!("convert cells.h5ad {out}")).ok();
    }
    anndata(&dir, "o.h5ad", "assert a.shape == (0, 3) and a.layers['dense'].shape == (0, 3), a");
    // Where there are cells, nothing is not enough; a matrix of zeros has no entries either.
    let dir = changed(&cells(), |file| null::<i32>(file, "obs/n"));
    let left = dir.open("cells.h5ad").changes;
    assert!(
        left.iter().any(|c| c.element == "obs[\"n\"]" && c.what == "0 entries but the table has 6 rows"),
        "{left:?}"
    );
    let mut zeros = cells();
    let none = Sparse::new(Layout::Csr, (6, 4), vec![0; 7], Vec::new(), Values::F32(Vec::new())).unwrap();
    zeros.x = Some(Matrix::Sparse(none));
    let dir = changed(&zeros, |file| {
        null::<f32>(file, "X/data");
        null::<i32>(file, "X/indices");
    });
    dir.scx("convert cells.h5ad o.h5ad").ok();
    annotated(&dir, "copy.h5ad");
    assert_eq!(dir.open("o.h5ad").x.unwrap().nnz(), Some(0));
    dir.scx("info cells.h5ad").ok();
    dir.scx("check --deep cells.h5ad").ok();
}

#[test]
fn arrays_along_the_other_axis_than_the_label_says_are_called_by_their_name() {
    let mut d = cells();
    d.x = Some(csr(6, 4));
    let csc = Sparse::new(Layout::Csc, (6, 4), vec![0, 1, 2, 3, 3], vec![0, 1, 5], Values::F32(vec![1.0; 3]))
        .unwrap();
    d.layers.insert("csc".into(), Matrix::Sparse(csc));
    let dir = changed(&d, |file| label(&file.group("layers/csc").unwrap(), "encoding-type", "csr_matrix"));
    let says = "5 = variables + 1: column arrays (csc) under the label csr_matrix";
    tells(&dir, &[&format!("Fault /layers/csc: indptr has 5 entries, and {says}")]);
    assert!(found(&dir, false).iter().all(|f| !f.contains("expected 7")), "{:?}", found(&dir, false));
    dir.refuses(
        3,
        "convert cells.h5ad o.h5ad --x csc",
        &["the layer csc was left out", says, "[\"encoding-type\"] = \"csc_matrix\""],
    );
    // The advice, followed.
    let file = crate::support::hdf5_to_change(dir.path("cells.h5ad"));
    label(&file.group("layers/csc").unwrap(), "encoding-type", "csc_matrix");
    file.close().unwrap();
    dir.scx("check cells.h5ad").ok();
    let dir = changed(&d, |file| label(&file.group("X").unwrap(), "encoding-type", "csc_matrix"));
    let says = "7 = cells + 1: row arrays (csr) under the label csc_matrix";
    dir.refuses(3, "convert cells.h5ad o.h5ad", &["/X", says]);
}

/// Cells with a value of X changed: dense, CSR or CSC.
fn with_x(layout: Layout, row: usize, column: usize, value: f32) -> Dataset {
    let mut dense = ndarray::Array2::from_shape_fn((6, 4), |(r, c)| ((r + 2 * c) % 4 + 1) as f32);
    dense[(row, column)] = value;
    let by = if layout == Layout::Csc { dense.t().to_owned() } else { dense.clone() };
    let (n, m) = by.dim();
    let values = Values::F32(by.iter().copied().collect());
    let indptr = (0..=n).map(|i| (i * m) as u64).collect();
    let indices = (0..n * m).map(|i| u32::try_from(i % m).unwrap()).collect();
    let mut d = cells();
    d.raw = None;
    d.x = Some(match layout {
        Layout::Dense => Matrix::Dense(Dense::new(6, 4, values).unwrap()),
        layout => Matrix::Sparse(Sparse::new(layout, (6, 4), indptr, indices, values).unwrap()),
    });
    d
}

#[test]
fn values_that_are_not_finite_are_named_with_cell_and_gene() {
    for layout in [Layout::Dense, Layout::Csr, Layout::Csc] {
        for (value, word) in [(f32::NAN, "NaN"), (f32::INFINITY, "Inf"), (f32::NEG_INFINITY, "-Inf")] {
            let dir = changed(&with_x(layout, 3, 2, value), |_| ());
            let place = "cell c3 (row 3), variable g2 (column 2)";
            let run = dir.scx("info cells.h5ad").ok();
            let line = format!(
                "X looks like: {word} at {place}, the first in a sample; the finite values look like raw counts"
            );
            assert!(run.stdout.contains(&line), "{layout:?}: {}", run.stdout);
            let json = dir.scx("info --json cells.h5ad").ok().json();
            assert_eq!(json["files"][0]["x_looks"]["guess"], "not_finite");
            for deep in [false, true] {
                let all = found(&dir, deep);
                let want = format!("Warning /X: {word} at {place}; ");
                assert_eq!(all.iter().filter(|f| f.contains(&want)).count(), 1, "{deep} {all:?}");
                assert_eq!(all.len(), 1, "{all:?}");
            }
            for recipe in ["--recipe scgan", "--min-genes 1", "--n-top-genes 2 --flavor seurat_v3"] {
                let args = format!("preprocess cells.h5ad -o o.h5ad {recipe}");
                let run = dir.scx(&args);
                assert!(!run.stderr.contains("fractions"), "{}", run.stderr);
                run.fails(3, &["X", "c3", "g2"]);
            }
        }
    }
    let mut d = cells();
    d.layers.insert("odd".into(), with_x(Layout::Csc, 0, 1, f32::NAN).x.unwrap());
    let dir = changed(&d, |_| ());
    tells(
        &dir,
        &[
            "Warning /layers/odd: NaN at cell c0 (row 0), variable g1 (column 1); 1 NaN and 0 infinite among 24",
        ],
    );
    let run = dir.scx("info cells.h5ad").ok();
    assert!(run.stdout.contains("note: layers/odd: NaN at cell c0 (row 0), variable g1"), "{}", run.stdout);
    d.raw = Some(Raw {
        x: with_x(Layout::Csr, 5, 3, f32::NAN).x.unwrap(),
        var: table("r", 4),
        varm: Default::default(),
    });
    let dir = changed(&d, |_| ());
    tells(&dir, &["Warning /raw/X: NaN at cell c5 (row 5), variable r3 (column 3)"]);
}

#[test]
fn negative_counts_are_a_fault_where_counts_are_meant() {
    let place = "-1 at cell c1 (row 1), variable g3 (column 3)";
    let dir = changed(&with_x(Layout::Csr, 1, 3, -1.0), |_| ());
    tells(&dir, &[&format!("Fault /X: counts below zero: {place}; 1 negative among 24")]);
    let mut layer = cells();
    layer.layers.insert("counts".into(), with_x(Layout::Dense, 1, 3, -1.0).x.unwrap());
    tells(&changed(&layer, |_| ()), &[&format!("Fault /layers/counts: counts below zero: {place}")]);
    // Other matrices may hold what they like, and so may channels of a cytometer.
    let mut other = cells();
    other.layers.insert("difference".into(), with_x(Layout::Dense, 1, 3, -1.0).x.unwrap());
    assert_eq!(found(&changed(&other, |_| ()), true), Vec::<String>::new());
    let mut channels = with_x(Layout::Dense, 1, 3, -1.0);
    channels.var = channels.var.with("marker", Column::Strings(names("CD", 4)));
    assert_eq!(found(&changed(&channels, |_| ()), true), Vec::<String>::new());
    let scaled = with_x(Layout::Dense, 1, 3, -0.5);
    assert_eq!(found(&changed(&scaled, |_| ()), true), Vec::<String>::new());
}

#[test]
fn a_link_that_leads_nowhere_is_told_with_its_end() {
    let dir = changed(&cells(), |file| {
        file.link_soft("/obsm/gone", "obsm/soft").unwrap();
        file.link_external("emb.h5", "/X_umap", "obsm/far").unwrap();
        file.link_soft("/nowhere", "uns/lost").unwrap();
    });
    let soft = "/obsm/soft: is a link to /obsm/gone, and there is no such element";
    let far = "/obsm/far: is a link to /X_umap in the file emb.h5, which is missing: put it there";
    tells(
        &dir,
        &[&format!("Fault {soft}"), &format!("Fault {far}"), "Fault /uns/lost: is a link to /nowhere"],
    );
    // Parts beside the matrices are left out with a line.
    let run = dir.scx("convert cells.h5ad o.h5ad").ok();
    run.says(&[
        "obsm[\"soft\"]: left behind: is a link to /obsm/gone",
        "obsm[\"far\"]: left behind",
        "uns[\"lost\"]: left",
    ]);
    annotated(&dir, "copy.h5ad");
    for name in ["o.h5ad", "copy.h5ad"] {
        anndata(&dir, name, "assert list(a.obsm) == ['t'] and 'lost' not in a.uns, a");
    }
    dir.write("emb.h5", "no HDF5");
    tells(&dir, &["/X_umap in emb.h5, which is no HDF5 file"]);
    // Where a link leads to something, its end is read, and copied from there.
    let other = crate::support::new_hdf5(dir.path("emb.h5"));
    let values = ndarray::Array2::<f32>::ones((6, 2));
    other.new_dataset_builder().with_data(&values).create("X_umap").unwrap();
    other.close().unwrap();
    assert_eq!(dir.open("cells.h5ad").obsm.len(), 2);
    // X is what everything hangs on.
    let dir = changed(&cells(), |file| {
        file.unlink("X").unwrap();
        file.link_external("x.h5", "/X", "X").unwrap();
    });
    dir.refuses(3, "convert cells.h5ad o.h5ad", &["/X: is a link to /X in the file x.h5, which is missing"]);
}

#[test]
fn damaged_parts_beside_the_matrices_are_left_out_with_a_line_and_stay_faults() {
    let mut d = cells();
    d.obsp.insert("graph".into(), Annotation::Matrix(csr(6, 6)));
    d.obsm.insert("X_pca".into(), Annotation::Matrix(floats(6, 2)));
    let dir = changed(&d, |file| {
        file.unlink("obsp/graph/indices").unwrap();
        file.unlink("obsm/X_pca").unwrap();
        let short = ndarray::Array2::<f32>::ones((5, 2));
        file.new_dataset_builder().with_data(&short).create("obsm/X_pca").unwrap();
    });
    tells(
        &dir,
        &[
            "Fault /obsp/graph: the dataset indices is missing",
            "Fault /obsm/X_pca: shape 5 × 2, expected 6 × any",
        ],
    );
    let run = dir.scx("convert cells.h5ad o.h5ad").ok();
    run.says(&[
        "obsp[\"graph\"]: left behind: the dataset indices is missing",
        "obsm[\"X_pca\"]: left behind: 5 rows, but obs has 6",
    ]);
    assert_eq!(dir.scx("convert cells.h5ad s.h5ad --strict").code, Some(1));
    annotated(&dir, "copy.h5ad");
    for name in ["o.h5ad", "copy.h5ad"] {
        anndata(&dir, name, "assert list(a.obsm) == ['t'] and not len(a.obsp) and a.X.sum() == 21, a");
    }
    // A filter scx does not have is no damage: the element goes from h5ad to h5ad as it is.
    let bad = changed(&cells(), |file| file.unlink("X/indices").unwrap());
    bad.refuses(3, "convert cells.h5ad o.h5ad", &["/X: the dataset indices is missing"]);
}

#[test]
fn other_hdf5_files_are_called_by_what_they_are() {
    let make = |fill: &dyn Fn(&hdf5::File)| {
        let dir = Dir::new();
        let file = crate::support::new_hdf5(dir.path("f.h5ad"));
        fill(&file);
        file.close().unwrap();
        dir
    };
    let group = |names: &'static [&'static str]| {
        make(&move |file| names.iter().for_each(|n| drop(file.create_group(n).unwrap())))
    };
    let with = |name: &'static str| make(&move |file| label(file, name, "2.11.0"));
    for (dir, says) in [
        (group(&["barcode_idx", "feature_idx", "count"]), "molecule_info.h5 of Cell Ranger"),
        (group(&["assays", "meta.data", "cell.names"]), "a Seurat object (h5Seurat)"),
        (group(&["model_weights"]), "a Keras model"),
        (with("keras_version"), "a Keras model"),
        (with("_NCProperties"), "a NetCDF file"),
        (group(&["alpha", "beta"]), "an HDF5 file whose root holds alpha, beta, and no /obs and /var"),
        (group(&[]), "whose root is empty"),
        (
            group(&["rna/obs", "rna/var", "protein/obs", "protein/var"]),
            "an AnnData in each of its groups protein, rna",
        ),
    ] {
        for verb in ["convert f.h5ad o.h5ad", "info f.h5ad", "check f.h5ad"] {
            dir.refuses(3, verb, &[says]);
        }
    }
}

#[test]
fn an_index_named_like_a_column_and_a_column_called_index_are_kept() {
    let mut d = cells();
    d.obs.index = Index::Names { name: "n".into(), values: names("c", 6).into() };
    let dir = Dir::new();
    dir.save("cells.h5ad", &d);
    // As SeuratDisk: the index is a column, and `_index` is listed among the columns.
    let file = crate::support::hdf5_to_change(dir.path("cells.h5ad"));
    texts(&file, "var/features", &["g0", "g1", "g2", "g3"]);
    label(&file.group("var").unwrap(), "_index", "features");
    let var = file.group("var").unwrap();
    var.delete_attr("column-order").unwrap();
    let order: Vec<VarLenUnicode> = vec!["_index".parse().unwrap(), "n".parse().unwrap()];
    var.new_attr_builder().with_data(&order).create("column-order").unwrap();
    drop(var);
    file.close().unwrap();
    dir.scx("convert cells.h5ad o.h5ad").says(&["\"_index\" is stored as"]);
    let code = "assert list(a.obs_names) == [f'c{i}' for i in range(6)] and list(a.obs['n']) == list(range(6)), a.obs\n\
                assert list(a.var_names) == ['g0', 'g1', 'g2', 'g3'] and list(a.var['_index_1']) == list(a.var_names), a.var";
    anndata(&dir, "o.h5ad", code);
}
