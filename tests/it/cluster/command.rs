//! The command and the library: what is found, what is written, what is refused.

use std::sync::atomic::{AtomicUsize, Ordering};

use scx::cluster::{self, ClusterError, ClusterSettings};
use scx::data::{Annotation, Column, Uns};
use scx::progress::{Progress, Silent};

use super::{ari, kinds, labels};
use crate::support::{Dir, experiment, values};

/// A folder with `cells.h5ad`.
fn cells() -> Dir {
    let dir = Dir::new();
    dir.save("cells.h5ad", &kinds().dataset);
    dir
}

#[test]
fn kinds_of_cells_become_clusters_numbered_by_size() {
    let k = kinds();
    for method in [cluster::Method::Leiden, cluster::Method::Louvain] {
        let settings = ClusterSettings { n_pcs: 10, method, ..ClusterSettings::default() };
        let found = cluster::run(&k.dataset, &settings, &Silent).unwrap();
        assert_eq!(found.sizes, [150, 100, 50], "{method:?}");
        assert_eq!(ari(&found.labels, &k.truth), 1.0);
        assert_eq!(found.pca.dim(), (300, 10));
        assert!(found.recall.is_none());
    }
}

#[test]
fn cells_without_counts_and_few_cells_are_no_trouble() {
    let mut k = kinds();
    let scx::data::Matrix::Sparse(x) = k.dataset.x.take().unwrap() else { panic!() };
    // The last twelve of thirteen cells keep their counts.
    let (from, to) = (x.indptr()[1] as usize, x.indptr()[13] as usize);
    let mut indptr = vec![0];
    indptr.extend(x.indptr()[1..14].iter().map(|p| p - from as u64));
    let part = scx::data::Values::F32((from..to).map(|i| x.values().get(i).unwrap() as f32).collect());
    let indices = x.indices()[from..to].to_vec();
    let x = scx::data::Sparse::new(scx::data::Layout::Csr, (13, 90), indptr, indices, part).unwrap();
    let names = |n| scx::data::Frame::new(scx::data::Index::Range(n));
    let mut few = scx::data::Dataset::new(names(13), names(90));
    few.x = Some(scx::data::Matrix::Sparse(x));
    let found = cluster::run(&few, &ClusterSettings::default(), &Silent).unwrap();
    assert_eq!(found.labels.len(), 13);
    assert_eq!(found.sizes.iter().sum::<usize>(), 13);
    assert!(found.pca.iter().all(|v| v.is_finite()));
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let dir = cells();
    for threads in [1, 2, 3] {
        dir.scx(&format!("cluster cells.h5ad -o {threads}.h5ad --threads {threads} --seed 4 --keep-graph"))
            .ok();
    }
    assert!(dir.bytes("1.h5ad") == dir.bytes("2.h5ad"));
    assert!(dir.bytes("1.h5ad") == dir.bytes("3.h5ad"));
}

#[test]
fn clusters_are_added_and_everything_else_stays() {
    let dir = cells();
    let run = dir.scx("cluster cells.h5ad -o out.h5ad --json --keep-graph --n-pcs 12").ok();
    let json = run.json();
    assert_eq!(json["result"]["clusters"], serde_json::json!([150, 100, 50]));
    let (before, after) = (dir.open("cells.h5ad"), dir.open("out.h5ad"));
    let (a, b) = (before.x.as_ref().unwrap(), after.x.as_ref().unwrap());
    assert_eq!((a.dtype(), a.nnz(), values(a)), (b.dtype(), b.nnz(), values(b)));
    assert_eq!(after.obs.columns[0], before.obs.columns[0]);
    assert_eq!(after.obs.columns.len(), 2);
    let column = after.obs.column("cluster").unwrap();
    assert_eq!(ari(&labels(column), &kinds().truth), 1.0);
    let Column::Categorical(c) = column else { panic!() };
    assert_eq!((0..3).filter_map(|i| c.categories.text(i)).collect::<Vec<_>>(), ["0", "1", "2"]);
    assert!(matches!(&after.obsm["X_pca"], Annotation::Matrix(m) if m.shape() == (300, 12)));
    for name in ["scx_connectivities", "scx_distances"] {
        assert!(matches!(&after.obsp[name], Annotation::Matrix(m) if m.shape() == (300, 300)), "{name}");
    }
    let Uns::Map(uns) = &after.uns["cluster"] else { panic!() };
    assert!(matches!(&uns["params"], Uns::Map(p) if p.contains_key("resolution")));
    assert!(after.uns.contains_key("scx_neighbors") && after.uns.contains_key("scx"));
    assert!(after.var == before.var && after.layers.is_empty());
}

#[test]
fn nothing_of_the_users_is_replaced_unasked() {
    let dir = cells();
    dir.scx("cluster cells.h5ad -o one.h5ad").ok();
    dir.refuses(2, "cluster one.h5ad -o two.h5ad", &["obs[\"cluster\"]", "--key-added"]);
    let run = dir.scx("cluster one.h5ad -o two.h5ad --key-added again --n-pcs 5").ok();
    run.says(&["X_pca_scx"]);
    let (one, two) = (dir.open("one.h5ad"), dir.open("two.h5ad"));
    let pca = |d: &scx::data::Dataset, name: &str| match &d.obsm[name] {
        Annotation::Matrix(m) => values(m),
        _ => panic!(),
    };
    assert_eq!(pca(&one, "X_pca"), pca(&two, "X_pca"));
    assert_eq!(pca(&two, "X_pca_scx").dim(), (300, 5));
    assert_eq!(two.obs.column("cluster"), one.obs.column("cluster"));
    // Asked to, it replaces the column in its place.
    dir.scx("cluster one.h5ad -o three.h5ad --force --resolution 8").ok();
    let three = dir.open("three.h5ad");
    assert_eq!(three.obs.columns.len(), 2);
    assert_ne!(three.obs.column("cluster"), one.obs.column("cluster"));
}

#[test]
fn old_files_and_other_formats_become_new_h5ad_files() {
    let dir = Dir::new();
    let fixtures = format!("{}/fixtures/h5ad", env!("CARGO_MANIFEST_DIR"));
    dir.save("cells.fcs", &experiment().control[0].dataset());
    let old = |name: &str| format!("{fixtures}/{name}");
    for (i, input) in [old("old_records.h5ad"), old("old_07.h5ad"), "cells.fcs".into()].iter().enumerate() {
        let run = dir.scx(&format!("cluster {input} -o {i}.h5ad"));
        if run.code == Some(3) {
            // The fixture is too small for variable genes: an answer. Anything else is not.
            run.says(&["highly_variable_genes"]);
            continue;
        }
        run.ok();
        assert!(dir.open(&format!("{i}.h5ad")).obs.column("cluster").is_some(), "{input}");
    }
    assert!(dir.path("2.h5ad").exists());
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    let dir = cells();
    dir.refuses(2, "cluster cells.h5ad -o cells.h5ad --force", &["is an input"]);
    dir.refuses(2, "cluster cells.h5ad -o out.h5ad --layer counts", &["layers[\"counts\"]"]);
    dir.refuses(2, "cluster cells.h5ad -o out.h5ad --resolution 0", &["resolution"]);
    dir.refuses(2, "cluster cells.h5ad -o out.h5ad --n-pcs 0", &["component"]);
    dir.refuses(2, "cluster cells.h5ad -o out.h5ad --n-neighbors 1", &["neighbours"]);
    dir.refuses(2, "cluster cells.h5ad -o out.h5ad --key-added a/b", &["--key-added"]);
    dir.refuses(3, "cluster nothing.h5ad -o out.h5ad", &["nothing.h5ad"]);
}

#[test]
fn a_dry_run_says_what_would_be_added_and_writes_nothing() {
    let dir = cells();
    let before = dir.contents();
    let run = dir.scx("cluster cells.h5ad -o out.h5ad --dry-run").ok();
    assert!(run.stdout.contains("obs[\"cluster\"]") && run.stdout.contains("300 cells"), "{}", run.stdout);
    dir.is_as(&before);
}

/// Asks to stop at the start of the n-th phase.
struct StopAt(AtomicUsize);

impl Progress for StopAt {
    fn start(&self, _: &str, _: u64) {
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
    }
    fn advance(&self, _: u64, _: &str) {}
    fn finish(&self) {}
    fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

#[test]
fn a_wish_to_stop_is_heard_in_every_phase() {
    let k = kinds();
    let settings = ClusterSettings { n_pcs: 5, ..ClusterSettings::default() };
    let mut phases = 0;
    for n in 1..40 {
        match cluster::run(&k.dataset, &settings, &StopAt(AtomicUsize::new(n))) {
            Err(ClusterError::Cancelled) => phases = n,
            Err(e) => panic!("phase {n}: {e}"),
            Ok(_) => break,
        }
    }
    assert!(phases >= 5, "only {phases} phases heard it");
}

#[test]
fn clusters_go_to_other_formats_that_have_a_place_for_them() {
    let dir = cells();
    dir.scx("cluster cells.h5ad -o out.h5ad").ok();
    let texts = |name: &str| -> Vec<String> {
        let d = dir.open(name);
        let column = d.obs.column("cluster").unwrap();
        (0..d.n_obs()).map(|i| column.text(i).unwrap().into_owned()).collect()
    };
    let want = texts("out.h5ad");
    for name in ["out.loom", "out.csv", "out.parquet"] {
        dir.scx(&format!("cluster cells.h5ad -o {name}")).ok();
    }
    assert_eq!(texts("out.loom"), want);
    let table = String::from_utf8(dir.bytes("out.csv")).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].split(',').any(|c| c == "cluster"), "{}", lines[0]);
    assert_eq!(lines.len(), 1 + want.len());
    assert!(lines[1].split(',').any(|c| c == want[0]), "{}", lines[1]);
    assert!(dir.bytes("out.parquet").starts_with(b"PAR1"));
    for name in ["out.fcs", "out.h5", "folder"] {
        dir.refuses(2, &format!("cluster cells.h5ad -o {name}"), &["no place for the clusters", "loom"]);
    }
}

#[test]
fn logarithms_are_refused_with_the_way_to_the_counts() {
    let dir = cells();
    dir.scx("preprocess cells.h5ad -o logged.h5ad --target-sum 1000 --log1p").ok();
    dir.refuses(
        3,
        "cluster logged.h5ad -o out.h5ad --layer X",
        &["X holds log1p", "layers[\"counts\"]", "--layer counts"],
    );
    dir.scx("cluster logged.h5ad -o out.h5ad").ok().says(&["counts taken from layers[\"counts\"]"]);
    let mut alone = dir.open("logged.h5ad");
    alone.layers.clear();
    dir.save("alone.h5ad", &alone);
    dir.refuses(3, "cluster alone.h5ad -o x.h5ad", &["alone.h5ad", "X holds log1p", "before log1p"]);
}
