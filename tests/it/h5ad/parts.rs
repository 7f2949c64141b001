//! One damaged part of an h5ad file is left out with a line, and refused only when it is asked for by name.

use scx::data::{Column, Dataset, Dense, Frame, Index, Matrix, Values};
use scx::io::{self, Format, WriteOptions};
use scx::rng::Seed;

use crate::support::{self, Dir};

const CELLS: usize = 60;
const GENES: usize = 40;

/// Counts of two kinds of cells.
fn counts() -> Vec<f32> {
    let mut s = Seed(3).stream("counts");
    let mean =
        |cell: usize, gene: usize| if cell.is_multiple_of(2) == (gene < GENES / 2) { 8.0 } else { 1.0 };
    (0..CELLS * GENES).map(|i| s.negative_binomial(mean(i / GENES, i % GENES), 5.0) as f32).collect()
}

fn matrix(values: Vec<f32>) -> Matrix {
    Matrix::Dense(Dense::new(CELLS, GENES, Values::F32(values)).unwrap())
}

fn sound() -> Dataset {
    let names =
        |kind: &str, n: usize| Frame::new(Index::names((0..n).map(|i| format!("{kind}{i}")).collect()));
    let mut d = Dataset::new(names("cell", CELLS), names("gene", GENES));
    d.x = Some(matrix(counts()));
    d.layers.insert("good".into(), matrix(counts()));
    d.layers.insert("bad".into(), matrix(counts()));
    for name in ["first", "kind", "last"] {
        d.obs.columns.push((name.into(), Column::Numbers(Values::I64((0..CELLS as i64).collect()))));
    }
    d
}

/// A file whose layer `bad` and column `kind` are too short, with an attribute at its root that AnnData does not have.
fn damaged() -> Dir {
    let dir = Dir::new();
    dir.save("d.h5ad", &sound());
    let file = support::hdf5_to_change(dir.path("d.h5ad"));
    file.unlink("layers/bad").unwrap();
    file.new_dataset::<f32>().shape([2, 2]).create("layers/bad").unwrap();
    file.unlink("obs/kind").unwrap();
    file.new_dataset::<i64>().shape([2]).create("obs/kind").unwrap();
    file.new_attr::<i64>().create("note").unwrap().write_scalar(&1).unwrap();
    drop(file);
    dir
}

const LINES: [&str; 3] = ["layers[\"bad\"]", "obs[\"kind\"]", "/@note"];

#[test]
fn a_damaged_layer_or_column_and_a_foreign_attribute_are_left_out_with_a_line() {
    let dir = damaged();
    let run = dir.scx("convert d.h5ad o.h5ad").ok();
    for line in LINES {
        assert!((run.stdout.clone() + &run.stderr).contains(line), "{line}: {}{}", run.stdout, run.stderr);
    }
    let back = dir.open("o.h5ad");
    assert_eq!(back.layers.keys().collect::<Vec<_>>(), ["good"]);
    assert_eq!(back.obs.columns.iter().map(|c| c.0.as_str()).collect::<Vec<_>>(), ["first", "last"]);
    assert!(back.changes.is_empty(), "{:?}", back.changes);
    assert_eq!(dir.scx("convert d.h5ad strict.h5ad --strict").code, Some(1));
}

#[test]
fn a_damaged_layer_is_refused_when_it_is_asked_for() {
    let dir = damaged();
    dir.refuses(3, "convert d.h5ad o.h5ad --x bad", &["the layer bad was left out", "shape 2 × 2"]);
    dir.refuses(3, "cluster d.h5ad -o o.h5ad --layer bad", &["layers[\"bad\"] was left out", "shape 2 × 2"]);
    dir.refuses(2, "convert d.h5ad o.h5ad --x none", &["no matrix none"]);
}

#[test]
fn a_copy_that_is_added_to_does_not_list_what_was_left_out() {
    let dir = damaged();
    dir.scx("cluster d.h5ad -o o.h5ad --n-pcs 5").ok();
    let back = dir.open("o.h5ad");
    assert!(back.changes.is_empty(), "{:?}", back.changes);
    let columns: Vec<&str> = back.obs.columns.iter().map(|c| c.0.as_str()).collect();
    assert_eq!(columns, ["first", "last", "cluster"]);
    dir.scx("check o.h5ad").ok();
}

#[test]
fn values_that_are_no_finite_numbers_are_told_of_in_every_format_and_fractions_among_counts() {
    let dir = Dir::new();
    let mut d = sound();
    let mut values = counts();
    values[2 * GENES + 7] = f32::NAN;
    d.x = Some(matrix(values));
    io::save(&d, Format::Loom, &dir.path("nan.loom"), true, &WriteOptions::default()).unwrap();
    let run = dir.scx("check nan.loom").ok();
    assert!(run.stdout.contains("NaN at gene 7, cell 2"), "{}", run.stdout);
    let mut d = sound();
    d.layers.insert("counts".into(), matrix(counts().into_iter().map(|v| v + 0.25).collect()));
    dir.save("f.h5ad", &d);
    let run = dir.scx("check f.h5ad").ok();
    assert!(run.stdout.contains("is called counts and holds values with fractions"), "{}", run.stdout);
}

#[test]
fn cluster_says_that_it_takes_the_layer_of_counts_where_it_took_x() {
    let dir = Dir::new();
    let mut d = sound();
    d.layers.insert("counts".into(), matrix(counts()));
    dir.save("c.h5ad", &d);
    let words = "takes layers[\"counts\"] now, where it took X before";
    let run = dir.scx("cluster c.h5ad -o o.h5ad --n-pcs 5").ok();
    assert_eq!(run.stderr.matches(words).count(), 1, "{}", run.stderr);
    let run = dir.scx("cluster c.h5ad -o p.h5ad --n-pcs 5 --layer counts").ok();
    assert!(!run.stderr.contains(words), "{}", run.stderr);
}

#[test]
fn genes_of_another_kind_are_answered_with_the_option_that_names_their_column() {
    let dir = Dir::new();
    dir.save("a.h5ad", &sound());
    let mut other = sound();
    other.var = Frame::new(Index::names((0..GENES).map(|i| format!("ENSG{i:05}")).collect()));
    dir.save("b.h5ad", &other);
    dir.scx("preprocess a.h5ad -o p.h5ad --target-sum 10000 --log1p").ok();
    let says = ["none of the 40 genes", "gene0", "ENSG00000", "--gene-column"];
    dir.refuses(3, "preprocess b.h5ad -o q.h5ad --replay p.h5ad", &says);
}
