//! Where counts are, and what is taken of them: the same rule, options and words in every verb that takes counts.

use std::process::Command;

use scx::data::{
    Categorical, Categories, Column, Dataset, Frame, Index, Layout, Matrix, Sparse, Take, Uns, Values,
};

use crate::support::{Dir, python};

const CELLS: usize = 60;
const GENES: usize = 120;

/// Counts of two types of cells, each with genes of its own.
fn count(cell: usize, gene: usize) -> f64 {
    let mut h = (cell * 1000 + gene) as u64 + 1;
    for _ in 0..3 {
        h = (h ^ (h >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    let u = (h >> 11) as f64 / (1u64 << 53) as f64;
    let up = if (cell < 30) == (gene.is_multiple_of(4)) { 3.0 } else { 1.0 };
    (-(1.0 - u).ln() * up * (0.3 + (gene % 17) as f64 * 0.4)).floor()
}

fn matrix(value: impl Fn(usize, usize) -> f64) -> Matrix {
    let (mut indptr, mut indices, mut values) = (vec![0u64], Vec::new(), Vec::new());
    for cell in 0..CELLS {
        for gene in 0..GENES {
            let v = value(cell, gene);
            if v != 0.0 {
                indices.push(gene as u32);
                values.push(v);
            }
        }
        indptr.push(indices.len() as u64);
    }
    Matrix::Sparse(Sparse::new(Layout::Csr, (CELLS, GENES), indptr, indices, Values::F64(values)).unwrap())
}

fn dataset(value: impl Fn(usize, usize) -> f64) -> Dataset {
    let names = |p: &str, n: usize| Index::names((0..n).map(|i| format!("{p}{i}")).collect());
    let types = Categorical {
        codes: (0..CELLS).map(|c| i32::from(c >= 30)).collect(),
        categories: Categories::Strings(["a", "b"].map(String::from).to_vec()),
        ordered: false,
    };
    let obs = Frame::new(names("cell", CELLS)).with("cell_type", Column::Categorical(types));
    let mut d = Dataset::new(obs, Frame::new(names("gene", GENES)));
    d.x = Some(matrix(value));
    d
}

/// What EM quantification leaves: some values of cells with a fraction.
fn em(cell: usize, gene: usize) -> f64 {
    let v = count(cell, gene);
    if v > 0.0 && (cell + gene).is_multiple_of(9) { v + 0.25 } else { v }
}

fn logged(cell: usize, gene: usize) -> f64 {
    let total: f64 = (0..GENES).map(|g| count(cell, g)).sum();
    (count(cell, gene) / total * 1e4).ln_1p()
}

fn records(d: &Dataset) -> String {
    let Some(Uns::Map(scx)) = d.uns.get("scx") else { panic!("no record") };
    format!("{:?}", scx.get("log"))
}

/// Every verb that needs whole numbers, without its input's name.
const STRICT: [&str; 5] = [
    "augment IN -o out.h5ad --cluster a --n 5 --model nb --min-genes 1",
    "generate IN -o out.h5ad --n 5 --model nb --min-genes 1",
    "train nb IN -o model --min-genes 1",
    "simulate --like IN -o out.h5ad",
    "evaluate generation --real IN --synthetic IN --trees 5 --no-gene-forests",
];

#[test]
fn counts_with_fractions_are_refused_with_their_source_and_the_advice_helps() {
    let dir = Dir::new();
    dir.save("em.h5ad", &dataset(em));
    for verb in STRICT {
        let verb = verb.replace("IN", "em.h5ad");
        dir.refuses(3, &verb, &["em.h5ad: X: cell cell", "gene gene", "EM quantification", "--round"]);
        let run = dir.scx(&format!("{verb} --round --force")).ok();
        run.says(&["values were rounded to whole numbers, by 0.2500 at most"]);
        let _ = std::fs::remove_file(dir.path("out.h5ad"));
    }
    dir.scx("augment em.h5ad -o out.h5ad --cluster a --n 5 --model nb --min-genes 1 --round").ok();
    let out = dir.open("out.h5ad");
    assert!(records(&out).contains("rounded"), "{}", records(&out));
    assert!(x(&out).iter().skip(CELLS * GENES).all(|v| v.fract() == 0.0));
}

#[test]
fn logarithms_and_normalised_values_are_not_rounded_and_counts_in_another_layer_are_named() {
    let dir = Dir::new();
    let mut d = dataset(logged);
    dir.save("log.h5ad", &d);
    d.layers.insert("umi".into(), matrix(count));
    dir.save("umi.h5ad", &d);
    for verb in STRICT {
        let log = verb.replace("IN", "log.h5ad");
        for round in ["", " --round"] {
            dir.refuses(3, &format!("{log}{round}"), &["X holds log1p", "before log1p"]);
        }
        let umi = verb.replace("IN", "umi.h5ad");
        dir.refuses(3, &umi, &["layers[\"umi\"] holds raw counts: --layer umi"]);
        dir.scx(&format!("{umi} --layer umi --force")).ok();
        let _ = std::fs::remove_file(dir.path("out.h5ad"));
        let _ = std::fs::remove_dir_all(dir.path("model"));
    }
    for verb in ["cluster", "preprocess --target-sum 100"] {
        dir.refuses(3, &format!("{verb} umi.h5ad -o out.h5ad"), &["--layer umi"]);
        dir.scx(&format!("{verb} umi.h5ad -o out.h5ad --layer umi --force")).ok();
        std::fs::remove_file(dir.path("out.h5ad")).unwrap();
    }
}

#[test]
fn negative_counts_are_refused_by_cell_and_gene_in_every_verb() {
    let dir = Dir::new();
    dir.save("neg.h5ad", &dataset(|c, g| if (c, g) == (7, 3) { -1.0 } else { count(c, g) }));
    let more = ["cluster IN -o out.h5ad", "preprocess IN -o out.h5ad --target-sum 100"];
    for verb in STRICT.iter().chain(&more) {
        for round in ["", " --round"] {
            let verb = format!("{}{round}", verb.replace("IN", "neg.h5ad"));
            dir.refuses(3, &verb, &["neg.h5ad: X: cell cell7, gene gene3: found -1", "CellBender 0.3"]);
        }
    }
}

#[test]
fn clusters_are_found_in_the_layer_of_counts_and_what_was_taken_is_said() {
    let dir = Dir::new();
    dir.save("counts.h5ad", &dataset(count));
    let mut d = dataset(logged);
    d.layers.insert("counts".into(), matrix(count));
    dir.save("both.h5ad", &d);
    dir.scx("cluster counts.h5ad -o a.h5ad").ok().says(&["counts taken from X"]);
    let run = dir.scx("cluster both.h5ad -o b.h5ad --json").ok();
    run.says(&["counts taken from layers[\"counts\"]"]);
    assert_eq!(run.json()["result"]["counts_taken"]["place"]["layer"], "counts");
    let of = |name: &str| dir.open(name).obs.column("cluster").cloned();
    assert_eq!(of("a.h5ad"), of("b.h5ad"));
    d.layers.insert("counts".into(), matrix(em));
    dir.save("em.h5ad", &d);
    let run = dir.scx("cluster em.h5ad -o c.h5ad").ok();
    run.says(&["layers[\"counts\"] holds counts with fractions", "--round"]);
    let run = dir.scx("cluster em.h5ad -o d.h5ad --round").ok();
    run.says(&["counts taken from layers[\"counts\"]", "values were rounded"]);
    assert!(!run.stderr.contains("may mean little"), "{}", run.stderr);
    assert_eq!(of("a.h5ad"), of("d.h5ad"));
}

#[test]
fn preprocess_rounds_as_numpy_does_and_keeps_the_rounded_counts() {
    let dir = Dir::new();
    let half = |c: usize, g: usize| em(c, g) + if count(c, g) > 0.0 && c == g { 0.5 } else { 0.0 };
    dir.save("half.h5ad", &dataset(half));
    dir.save("whole.h5ad", &dataset(|c, g| half(c, g).round_ties_even()));
    let run = dir.scx("preprocess half.h5ad -o a.h5ad --target-sum 100 --log1p --round").ok();
    run.says(&["counts taken from X", "values were rounded to whole numbers"]);
    dir.scx("preprocess whole.h5ad -o b.h5ad --target-sum 100 --log1p").ok();
    let (a, b) = (dir.open("a.h5ad"), dir.open("b.h5ad"));
    assert_eq!(x(&a), x(&b));
    assert_eq!(values(&a.layers["counts"]), values(&b.layers["counts"]));
    assert!(records(&a).contains("\\\"changed\\\":"), "{}", records(&a));
    let run = dir.scx("preprocess half.h5ad -o c.h5ad --target-sum 100").ok();
    run.says(&["counts taken from X, which holds fractions"]);
}

fn x(d: &Dataset) -> Vec<f64> {
    values(d.x.as_ref().unwrap())
}

fn values(m: &Matrix) -> Vec<f64> {
    m.rows(0..m.shape().0).unwrap().to_f64().into_raw_vec_and_offset().0
}

/// Antibodies at two places among the genes, on a scale of their own.
fn with_antibodies(value: impl Fn(usize, usize) -> f64) -> Dataset {
    let mut d = dataset(|c, g| if [5, 20].contains(&g) { value(c, g) } else { count(c, g) });
    let kind = |g: usize| if [5, 20].contains(&g) { "Antibody Capture" } else { "Gene Expression" };
    d.var.set("feature_types", Column::Strings((0..GENES).map(|g| kind(g).to_owned()).collect()));
    d
}

fn genes_alone(d: &Dataset) -> Dataset {
    let genes: Vec<usize> = (0..GENES).filter(|g| ![5, 20].contains(g)).collect();
    d.select(&Take::all(CELLS), &Take::entries(GENES, &genes).unwrap()).unwrap()
}

#[test]
fn preprocess_leaves_antibodies_as_they_are_and_works_on_genes_as_if_they_were_alone() {
    let dir = Dir::new();
    let adt = |c: usize, g: usize| (c as f64 - 20.0) * 0.25 + g as f64;
    let mut all = with_antibodies(adt);
    all.varm.insert(
        "PCs".into(),
        scx::data::Annotation::Matrix(Matrix::Dense(
            scx::data::Dense::new(GENES, 1, Values::F32((0..GENES).map(|g| g as f32).collect())).unwrap(),
        )),
    );
    dir.save("all.h5ad", &all);
    dir.save("genes.h5ad", &genes_alone(&all));
    // Gene 30 is in too few cells for the filter; cell 3 has too few genes.
    for steps in [
        "--target-sum 100 --log1p --n-top-genes 10",
        "--min-genes 20 --min-cells 40 --target-sum median --log1p",
        "--target-sum 100 --scale 3",
        "--min-cells 40",
    ] {
        let run = dir.scx(&format!("preprocess all.h5ad -o a.h5ad --force {steps}")).ok();
        run.says(&["118 Gene Expression features are taken, 2 Antibody Capture are not"]);
        dir.scx(&format!("preprocess genes.h5ad -o g.h5ad --force {steps}")).ok();
        let (a, g) = (dir.open("a.h5ad"), dir.open("g.h5ad"));
        let names = |d: &Dataset| d.var.index.iter().map(|n| n.into_owned()).collect::<Vec<_>>();
        let at: Vec<usize> =
            names(&g).iter().map(|n| names(&a).iter().position(|m| m == n).unwrap()).collect();
        assert!(at.is_sorted(), "{steps}");
        let part = a.select(&Take::all(a.n_obs()), &Take::entries(a.n_vars(), &at).unwrap()).unwrap();
        assert_eq!(x(&part), x(&g), "{steps}");
        assert_eq!(a.obs, g.obs, "{steps}");
        assert_eq!(a.n_vars(), g.n_vars() + 2);
        let (cells, whole) = (names_of(&a), x(&a));
        for (name, gene) in [("gene5", 5), ("gene20", 20)] {
            let column = names(&a).iter().position(|n| n == name).unwrap();
            for (row, cell) in cells.iter().enumerate() {
                let cell: usize = cell.trim_start_matches("cell").parse().unwrap();
                assert_eq!(whole[row * a.n_vars() + column], adt(cell, gene), "{steps} {cell} {name}");
                if let Some(counts) = a.layers.get("counts") {
                    assert_eq!(values(counts)[row * a.n_vars() + column], adt(cell, gene));
                }
            }
        }
        let scx::data::Annotation::Matrix(pcs) = &a.varm["PCs"] else { panic!("no matrix") };
        let of: Vec<String> = values(pcs).iter().map(|g| format!("gene{g}")).collect();
        assert_eq!(of, names(&a));
    }
    dir.scx("preprocess all.h5ad -o a.h5ad --force --target-sum 100 --log1p").ok();
    dir.scx("preprocess all.h5ad -o r.h5ad --replay a.h5ad").ok();
    assert_eq!(x(&dir.open("a.h5ad")), x(&dir.open("r.h5ad")));
}

fn names_of(d: &Dataset) -> Vec<String> {
    d.obs.index.iter().map(|n| n.into_owned()).collect()
}

#[test]
fn antibodies_are_not_modelled_as_genes_and_made_cells_have_none() {
    let dir = Dir::new();
    let all = with_antibodies(|c, g| (c * 3 + g) as f64);
    dir.save("all.h5ad", &all);
    dir.save("genes.h5ad", &genes_alone(&all));
    let augment = "--cluster a --n 7 --model nb --min-genes 1 --seed 3";
    let run = dir.scx(&format!("augment all.h5ad -o a.h5ad --json {augment}")).ok();
    run.says(&["2 Antibody Capture are not (--feature-type all takes all)"]);
    assert!(
        run.stdout.contains("2 Antibody Capture features were not modelled and hold zero"),
        "{}",
        run.stdout
    );
    dir.scx(&format!("augment genes.h5ad -o g.h5ad {augment}")).ok();
    let (a, g) = (dir.open("a.h5ad"), dir.open("g.h5ad"));
    assert_eq!(x(&genes_of(&a)), x(&g));
    let whole = x(&a);
    for cell in CELLS..CELLS + 7 {
        assert_eq!((whole[cell * GENES + 5], whole[cell * GENES + 20]), (0.0, 0.0));
    }
    assert_eq!(whole[GENES + 20], 23.0);
    dir.scx(&format!("augment all.h5ad -o b.h5ad {augment} --feature-type all")).ok();
    assert!(x(&dir.open("b.h5ad"))[CELLS * GENES + 20] > 0.0);
    dir.refuses(2, "cluster all.h5ad -o c.h5ad --feature-type Peaks", &["Peaks", "Antibody Capture (2)"]);
    dir.scx("cluster all.h5ad -o ca.h5ad").ok().says(&["2 Antibody Capture are not"]);
    dir.scx("cluster genes.h5ad -o cg.h5ad").ok();
    assert_eq!(dir.open("ca.h5ad").obs.column("cluster"), dir.open("cg.h5ad").obs.column("cluster"));
    dir.scx("train nb all.h5ad -o model --min-genes 1").ok();
    let run = dir.scx("generate --model-dir model all.h5ad --n 4 -o m.h5ad").ok();
    assert!(!run.stderr.contains("matched by"), "{}", run.stderr);
    assert_eq!(dir.open("m.h5ad").n_vars(), GENES);
}

fn genes_of(d: &Dataset) -> Dataset {
    let genes: Vec<usize> = (0..GENES).filter(|g| ![5, 20].contains(g)).collect();
    d.select(&Take::all(d.n_obs()), &Take::entries(GENES, &genes).unwrap()).unwrap()
}

/// The same cells with identifiers for names and the names in a column, genes in another order.
fn with_ids() -> Dataset {
    let order: Vec<usize> = (0..GENES).rev().collect();
    let mut d = dataset(count).select(&Take::all(CELLS), &Take::entries(GENES, &order).unwrap()).unwrap();
    let symbols: Vec<String> = d.var.index.iter().map(|n| n.into_owned()).collect();
    d.var.index =
        Index::names(symbols.iter().map(|s| format!("ENSG{:0>11}", s.trim_start_matches("gene"))).collect());
    d.var.set("feature_name", Column::Strings(symbols));
    d
}

#[test]
fn genes_are_matched_through_a_column_where_names_do_not_match() {
    let dir = Dir::new();
    dir.save("names.h5ad", &dataset(count));
    dir.save("ids.h5ad", &with_ids());
    dir.scx("train actinn names.h5ad -o model --steps 20 --min-genes 1").ok();
    let label = |file: &str, more: &str| {
        let run =
            dir.scx(&format!("classify {file} --model-dir model -o out.h5ad --json --force {more}")).ok();
        (dir.open("out.h5ad").obs.column("actinn_score").cloned(), run)
    };
    let (plain, run) = label("names.h5ad", "");
    assert!(!run.stderr.contains("matched by"), "{}", run.stderr);
    let (by, run) = label("ids.h5ad", "");
    run.says(&["genes are matched by var[\"feature_name\"] (120 found)"]);
    assert_eq!(run.json()["result"]["genes_matched"]["column"], "feature_name");
    assert_eq!(plain, by);
    assert_eq!(label("ids.h5ad", "--gene-column feature_name").0, by);
    assert!(records(&dir.open("out.h5ad")).contains("feature_name"));
    dir.scx("classify ids.h5ad --model-dir model -o o.h5ad --gene-column symbol")
        .fails(2, &["no var[\"symbol\"]", "feature_name"]);
    // Two files.
    let run = dir
        .scx("evaluate generation --real names.h5ad --synthetic ids.h5ad --trees 5 --no-gene-forests")
        .ok();
    run.says(&["ids.h5ad: genes are matched by var[\"feature_name\"]", "120 genes in common"]);
    let run = dir
        .scx("evaluate generation --real ids.h5ad --synthetic names.h5ad --trees 5 --no-gene-forests")
        .ok();
    run.says(&["ids.h5ad: genes are matched by var[\"feature_name\"]", "120 genes in common"]);
    // A stored generator and a stored recipe.
    dir.scx("train nb names.h5ad -o nb --min-genes 1").ok();
    let run = dir.scx("augment ids.h5ad --model-dir nb -o more.h5ad --cluster a --n 3 --min-genes 1").ok();
    run.says(&["genes are matched by var[\"feature_name\"]"]);
    dir.scx("preprocess names.h5ad -o ready.h5ad --target-sum 100").ok();
    dir.scx("preprocess ids.h5ad -o again.h5ad --replay ready.h5ad").ok().says(&["var[\"feature_name\"]"]);
    let (ready, again) = (dir.open("ready.h5ad"), dir.open("again.h5ad"));
    assert_eq!((x(&ready), &ready.var.index), (x(&again), &again.var.index));
    assert_eq!(
        again.var.column("original_var_names").and_then(|c| c.text(3)).as_deref(),
        Some("ENSG00000000003")
    );
}

#[test]
fn temporary_files_lie_where_they_are_told_to_and_never_stay() {
    let dir = Dir::new();
    dir.save("in.h5ad", &dataset(count));
    let args = "augment in.h5ad -o out.h5ad --cluster a --n 5 --model nb --min-genes 1";
    let out = dir.command(args).env("TMPDIR", "/no/such/folder").output().unwrap();
    crate::support::Run::new(&out).fails(5, &["/no/such/folder", "--temp-dir"]);
    let out = dir.command(args).env("TMPDIR", "/dev/shm").output().unwrap();
    crate::support::Run::new(&out).ok();
    assert_eq!(dir.names(), ["in.h5ad", "out.h5ad"]);
}

const SCANPY: &str = "
import anndata as ad, numpy as np, scanpy as sc
before, after = ad.read_h5ad('all.h5ad'), ad.read_h5ad('out.h5ad')
assert list(after.var_names) == list(before.var_names)
genes = (before.var['feature_types'] == 'Gene Expression').to_numpy()
whole = before[:, genes].copy()
whole.X = np.rint(whole.X.toarray())
assert np.array_equal(after.layers['counts'].toarray()[:, genes], whole.X)
sc.pp.normalize_total(whole, target_sum=100)
sc.pp.log1p(whole)
assert np.allclose(after.X.toarray()[:, genes], whole.X, rtol=1e-6, atol=0)
assert np.array_equal(after.X.toarray()[:, ~genes], before.X.toarray()[:, ~genes])
assert np.array_equal(after.layers['counts'].toarray()[:, ~genes], before.X.toarray()[:, ~genes])
";

#[test]
fn scanpy_gives_the_same_numbers_for_rounded_counts_of_genes_beside_antibodies() {
    let Some(python) = python() else { return };
    let dir = Dir::new();
    let mut d = dataset(|c, g| if [5, 20].contains(&g) { c as f64 * 0.5 - 3.0 } else { em(c, g) });
    d.var = with_antibodies(|_, _| 1.0).var;
    dir.save("all.h5ad", &d);
    dir.scx("preprocess all.h5ad -o out.h5ad --target-sum 100 --log1p --round").ok();
    let out = Command::new(python).args(["-c", SCANPY]).current_dir(dir.path("")).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}
