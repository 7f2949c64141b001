//! `scx preprocess` and `scx split` as a user meets them.

use std::collections::BTreeMap;

use scx::data::{Categorical, Categories, Column, Dataset, Frame, Index, Layout, Matrix, Sparse, Values};

use crate::support::{Dir, files, layer, x};

/// 40 cells × 30 genes of counts in three clusters (20, 15 and 5 cells) and a cell without one; gene 29 is in no cell,
/// cell 39 has three genes.
fn counts() -> Dataset {
    let names = |p: &str, n: usize| Index::names((0..n).map(|i| format!("{p}{i}")).collect());
    let codes = (0..40)
        .map(|i| {
            if i < 20 {
                2
            } else if i < 35 {
                0
            } else if i < 39 {
                1
            } else {
                -1
            }
        })
        .collect();
    let cluster = Categorical {
        codes,
        categories: Categories::Strings(["10", "9", "T cell"].map(String::from).to_vec()),
        ordered: false,
    };
    let mut d = Dataset::new(
        Frame::new(names("cell", 40)).with("cluster", Column::Categorical(cluster)),
        Frame::new(names("gene", 30)),
    );
    let (mut indptr, mut indices, mut values) = (vec![0u64], Vec::new(), Vec::new());
    for i in 0..40u32 {
        for j in 0..29u32 {
            let v = (i * 7 + j * 13 + i * j) % 5;
            if v > 1 && (i < 39 || j < 5) {
                indices.push(j);
                values.push(v as i32);
            }
        }
        indptr.push(indices.len() as u64);
    }
    d.x = Some(Matrix::Sparse(
        Sparse::new(Layout::Csr, (40, 30), indptr, indices, Values::I32(values)).unwrap(),
    ));
    d
}

fn cells() -> Dir {
    let dir = Dir::new();
    dir.save("in.h5ad", &counts());
    dir
}

#[test]
fn the_recipe_of_scgan_keeps_counts_and_says_what_it_did() {
    let dir = cells();
    let run = dir.scx("preprocess in.h5ad -o out.h5ad --recipe scgan --json").ok();
    run.says(&[
        "counts taken from X",
        "kept 39 of 40 cells",
        "kept 29 of 30 genes",
        "scaled each cell to 20000",
    ]);
    let json = run.json();
    assert_eq!((json["n_obs"]["after"].as_u64(), json["counts_from"].as_str()), (Some(39), Some("X")));
    let out = dir.open("out.h5ad");
    for row in x(&dir, "out.h5ad").rows() {
        assert!((row.sum() - 20_000.0).abs() < 0.01, "{}", row.sum());
    }
    assert_eq!(
        layer(&dir, "out.h5ad", "counts").sum(),
        x(&dir, "in.h5ad").slice(ndarray::s![..39, ..]).sum()
    );
    assert!(out.obs.column("n_genes").is_some() && out.var.column("n_cells").is_some());
    assert_eq!(out.obs.column("cluster").unwrap().text(0).as_deref(), Some("T cell"));
    assert_eq!(out.x.as_ref().unwrap().dtype().name(), "float32");
    assert_eq!(out.layers["counts"].dtype().name(), "int32");
}

#[test]
fn a_replay_repeats_the_run_to_the_byte_and_learns_nothing() {
    let dir = cells();
    let steps = "--min-genes 2 --min-cells 3 --target-sum median --log1p --n-top-genes 8 --subset --scale 3";
    dir.scx(&format!("preprocess in.h5ad -o a.h5ad {steps}")).ok();
    dir.scx(&format!("preprocess in.h5ad -o same.h5ad {steps} --memory 64M")).ok();
    assert!(dir.bytes("a.h5ad") == dir.bytes("same.h5ad"), "the same bytes whatever the memory");
    dir.scx("preprocess in.h5ad -o b.h5ad --replay a.h5ad").ok();
    assert_eq!(x(&dir, "b.h5ad"), x(&dir, "a.h5ad"));
    assert_eq!(dir.open("b.h5ad").var, dir.open("a.h5ad").var);
    // A replay of the replay is the first again.
    dir.scx("preprocess in.h5ad -o c.h5ad --replay b.h5ad").ok();
    assert_eq!(x(&dir, "c.h5ad"), x(&dir, "a.h5ad"));
    // Two cells alone come out as they did among all.
    let two = scx::data::Take::entries(40, &[3, 30]).unwrap();
    dir.save("two.h5ad", &counts().select(&two, &scx::data::Take::all(30)).unwrap());
    dir.scx("preprocess two.h5ad -o two_out.h5ad --replay a.h5ad").ok();
    let all = x(&dir, "a.h5ad");
    assert_eq!(x(&dir, "two_out.h5ad").row(1), all.row(30));
    dir.refuses(3, "preprocess in.h5ad -o d.h5ad --replay in.h5ad", &["no fitted recipe"]);
    dir.refuses(2, "preprocess in.h5ad -o d.h5ad --replay a.h5ad --log1p", &["as it is", "log1p"]);
}

#[test]
fn a_recipe_of_ones_own_is_a_yaml_file_and_options_change_its_numbers() {
    let dir = cells();
    dir.write(
        "mine.yaml",
        "- {step: filter_cells, min_genes: 100}\n- {step: normalize_total, target_sum: 50}\n",
    );
    let run =
        dir.scx("preprocess in.h5ad -o out.h5ad --recipe mine.yaml --min-genes 2 --log1p --dry-run").ok();
    for part in ["\"min_genes\":2", "50.0", "log1p", "take counts from X"] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    assert_eq!(dir.names().len(), 2);
    dir.refuses(3, "preprocess in.h5ad -o out.h5ad --recipe mine.yaml", &["no cell has 100 expressed genes"]);
    dir.refuses(
        2,
        "preprocess in.h5ad -o out.h5ad --recipe mine.yaml --min-cells 2",
        &["no step filter_genes"],
    );
    dir.write("bad.yaml", "- {step: log3p}\n");
    dir.refuses(2, "preprocess in.h5ad -o out.h5ad --recipe bad.yaml", &["bad.yaml", "log3p"]);
    dir.refuses(2, "preprocess in.h5ad -o out.h5ad --recipe scan", &["no recipe of that name", "scgan"]);
    dir.refuses(2, "preprocess in.h5ad -o out.h5ad", &["nothing to do", "--recipe"]);
    dir.refuses(2, "preprocess in.h5ad -o out.h5ad --target-sum mean", &["number above 0, or median"]);
    dir.refuses(2, "preprocess in.h5ad -o in.h5ad --log1p --force", &["is an input"]);
}

#[test]
fn logarithms_are_not_taken_twice() {
    let dir = cells();
    dir.scx("preprocess in.h5ad -o log.h5ad --target-sum median --log1p").ok();
    dir.refuses(
        3,
        "preprocess log.h5ad -o out.h5ad --log1p",
        &["log.h5ad", "looks like log1p", "--force-space"],
    );
    // Counts are in their layer: the whole recipe starts from them again.
    dir.scx("preprocess log.h5ad -o out.h5ad --target-sum median --log1p").ok().says(&["layers[\"counts\"]"]);
    assert_eq!(x(&dir, "out.h5ad"), x(&dir, "log.h5ad"));
    let mut bare = dir.open("log.h5ad");
    bare.layers.clear();
    dir.save("bare.h5ad", &bare);
    dir.refuses(
        3,
        "preprocess bare.h5ad -o no.h5ad --target-sum median",
        &["raw counts are needed", "before log1p", "--force-space"],
    );
    dir.scx("preprocess bare.h5ad -o forced.h5ad --log1p --force-space").ok();
}

#[test]
fn markers_of_an_fcs_file_are_scaled_and_time_is_not() {
    let dir = files();
    dir.scx("preprocess s.fcs -o s.h5ad --recipe cytof").ok().says(&["arcsinh(x / 5) of 35 channels"]);
    let (before, after) = (x(&dir, "s.fcs"), x(&dir, "s.h5ad"));
    let changed: Vec<usize> = (0..before.ncols()).filter(|&j| before.column(j) != after.column(j)).collect();
    assert_eq!(changed.len(), 35);
    let (a, b) = (before[(7, changed[3])], after[(7, changed[3])]);
    assert!(((a / 5.0).asinh() - b).abs() < 1e-6 * b.abs().max(1.0));
    let kept = if dir.open("s.h5ad").layers.contains_key("counts") { "counts" } else { "original" };
    assert_eq!(layer(&dir, "s.h5ad", kept), before);
    let two = dir.open("s.h5ad").var.index.get(changed[0]).unwrap().into_owned();
    dir.scx(&format!("preprocess s.fcs -o m.h5ad --arcsinh 5 --markers {two}")).ok();
    let marked = x(&dir, "m.h5ad");
    assert_eq!(marked.column(changed[0]), after.column(changed[0]));
    assert_eq!(marked.column(changed[1]), before.column(changed[1]));
    dir.refuses(
        2,
        "preprocess s.fcs -o n.h5ad --log1p --markers CD4",
        &["--markers: no step works on markers"],
    );
    dir.refuses(3, "preprocess s.fcs -o t.h5ad --compensate", &["s.fcs", "no spillover matrix"]);
}

/// A small FCS file of the fixtures, in a folder of its own.
fn fcs(name: &str) -> Dir {
    let dir = Dir::new();
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/fcs");
    std::fs::copy(fixtures.join(name), dir.path("in.fcs")).unwrap();
    dir
}

#[test]
fn amplifiers_are_undone_once_where_values_are_channel_numbers() {
    let dir = fcs("log_amplifier.fcs");
    dir.scx("preprocess in.fcs -o linear.h5ad --amplify").ok();
    let (stored, linear) = (x(&dir, "in.fcs"), x(&dir, "linear.h5ad"));
    for (stored, linear) in stored.rows().into_iter().zip(linear.rows()) {
        let want = [
            10f64.powf(4.0 * stored[0] / 1024.0),
            0.1 * 10f64.powf(3.5 * stored[1] / 1024.0),
            stored[2] / 2.5,
        ];
        for (a, b) in linear.iter().zip(want) {
            assert!((a - b).abs() <= 1e-6 * b, "{linear} {want:?}");
        }
    }
    // Written as floats, the amplifier stands in SCX_PnE; and in h5ad in the table of channels.
    for name in ["floats.fcs", "floats.h5ad"] {
        dir.scx(&format!("convert in.fcs {name}")).ok();
        dir.scx(&format!("preprocess {name} -o again.h5ad --amplify --force")).ok();
        assert_eq!(x(&dir, "again.h5ad"), linear, "{name}");
    }
    // The result says that it is linear, in either format.
    dir.scx("preprocess in.fcs -o linear.fcs --amplify").ok();
    for name in ["linear.h5ad", "linear.fcs"] {
        dir.scx(&format!("preprocess {name} -o twice.h5ad --amplify --force")).ok();
        assert_eq!(x(&dir, "twice.h5ad"), linear, "{name}");
    }
    let dir = fcs("float_log.fcs");
    dir.scx("preprocess in.fcs -o out.h5ad --amplify").ok();
    assert_eq!(x(&dir, "out.h5ad"), x(&dir, "in.fcs"), "floats are linear whatever $PnE says");
}

#[test]
fn spillover_of_the_keywords_is_taken_out_once_and_from_h5ad_too() {
    let dir = fcs("spill.fcs");
    dir.scx("preprocess in.fcs -o out.h5ad --compensate").ok().says(&["compensated 2 channels"]);
    let (observed, found) = (x(&dir, "in.fcs"), x(&dir, "out.h5ad"));
    let two = found.slice(ndarray::s![.., ..2]).dot(&ndarray::array![[1.0, 0.25], [0.125, 1.0]]);
    assert!((&two - &observed.slice(ndarray::s![.., ..2])).iter().all(|x| x.abs() < 1e-3), "{two}");
    dir.scx("convert in.fcs in.h5ad").ok();
    dir.scx("preprocess in.h5ad -o via.h5ad --compensate").ok();
    assert_eq!(x(&dir, "via.h5ad"), found);
    dir.refuses(2, "preprocess out.h5ad -o no.h5ad --compensate", &["compensated this file already"]);
    dir.scx("preprocess in.fcs -o out.fcs --compensate").ok();
    dir.refuses(2, "preprocess out.fcs -o no.h5ad --compensate", &["compensated this file already"]);
    dir.scx("preprocess out.h5ad -o original.h5ad --compensate --layer original").ok();
    assert_eq!(x(&dir, "original.h5ad"), found);
}

fn clusters(dir: &Dir, name: &str) -> BTreeMap<String, usize> {
    let d = dir.open(name);
    let mut count = BTreeMap::new();
    for i in 0..d.n_obs() {
        *count
            .entry(d.obs.column("cluster").unwrap().text(i).unwrap_or_default().into_owned())
            .or_default() += 1;
    }
    count
}

#[test]
fn a_split_takes_the_same_share_of_each_cluster_and_every_cell_once() {
    let dir = cells();
    let run = dir
        .scx("split in.h5ad --train a.h5ad --test b.h5ad --valid c.h5ad --valid-fraction 0.1 --by cluster --test-fraction 0.3 --json")
        .ok();
    run.says(&["1 cells have no cluster"]);
    let json = run.json();
    assert_eq!(json["parts"]["test"]["n_obs"], 11);
    let sizes = |name| clusters(&dir, name).into_values().collect::<Vec<_>>();
    // Sorted by name: none, 10 (15 cells), 9 (4), T cell (20).
    assert_eq!(sizes("b.h5ad"), [4, 1, 6]);
    assert_eq!(sizes("c.h5ad"), [1, 2]);
    assert_eq!(sizes("a.h5ad"), [1, 10, 3, 12]);
    let mut names: Vec<String> = ["a.h5ad", "b.h5ad", "c.h5ad"]
        .iter()
        .flat_map(|f| dir.open(f).obs.index.iter().map(|n| n.into_owned()).collect::<Vec<_>>())
        .collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 40);
    // Cells keep their values.
    let b = dir.open("b.h5ad");
    let first: usize = b.obs.index.get(0).unwrap().trim_start_matches("cell").parse().unwrap();
    assert_eq!(x(&dir, "b.h5ad").row(0), x(&dir, "in.h5ad").row(first));
    dir.scx("split in.h5ad --train a2.h5ad --test b2.h5ad --by cluster --seed 1").ok();
    assert_ne!(dir.open("b2.h5ad").obs.index, b.obs.index);
}

#[test]
fn a_split_writes_all_parts_or_none() {
    let dir = cells();
    dir.write("b.h5ad", "old");
    dir.refuses(2, "split in.h5ad --train a.h5ad --test b.h5ad --by cluster", &["b.h5ad", "exists already"]);
    dir.refuses(2, "split in.h5ad --train a.h5ad --test no/b.h5ad --by cluster", &["folder no"]);
    dir.refuses(2, "split in.h5ad --train a.h5ad --test ./a.h5ad --by cluster", &["written twice"]);
    dir.refuses(
        2,
        "split in.h5ad --train a.h5ad --test c.h5ad --by clusters",
        &["no column clusters", "cluster"],
    );
    dir.refuses(2, "split in.h5ad --train a.h5ad --test c.h5ad --by cluster --test-fraction 1", &["below 1"]);
    dir.refuses(
        2,
        "split in.h5ad --train a.h5ad --test c.h5ad --by cluster --test-fraction 0.01",
        &["larger share"],
    );
    let run = dir.scx("split in.h5ad --train a.h5ad --test c.h5ad --by cluster --dry-run").ok();
    assert!(run.stdout.contains("test: 3 cells"), "{}", run.stdout);
    assert_eq!(dir.names().len(), 2);
}
