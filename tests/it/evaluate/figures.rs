//! Every figure against `fixtures/make/generation_metrics.py`.

use ndarray::Array2;
use scx::data::Counts;
use scx::eval::generation::{
    DetectionConfig, Space, TARGET, cluster_means, detect, fold_changes, ks_distance, laws, log_rows,
    nearest_genes, nearest_points, rank_sums, top_markers,
};
use scx::eval::{discrepancy, median, mmd2};
use scx::linalg::Pca;
use scx::progress::Silent;
use scx::rng::Seed;
use serde_json::Value;

const EXPECTED: &str = include_str!("../../../fixtures/expected/generation/metrics.json");

struct Fixture {
    expected: Value,
    test: Counts,
    train: Counts,
    made: Counts,
}

fn fixture() -> Fixture {
    let expected: Value = serde_json::from_str(EXPECTED).unwrap();
    let counts = |name: &str| {
        let mut out = Counts::empty(60);
        for row in expected[name].as_array().unwrap() {
            let row = row.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as u32);
            out.push((0..).zip(row));
        }
        out
    };
    let (test, train, made) = (counts("test"), counts("train"), counts("made"));
    Fixture { test, train, made, expected }
}

fn labels(n: usize) -> Vec<Option<usize>> {
    (0..n).map(|i| Some(i % 3)).collect()
}

#[track_caller]
fn near(found: f64, expected: &Value, tolerance: f64) {
    let e = expected.as_f64().unwrap();
    assert!((found - e).abs() <= tolerance * (1.0 + e.abs()), "{found} instead of {e}");
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn rank_sums_and_markers_equal_scipy() {
    let f = fixture();
    let z = rank_sums(&log_rows(&f.train, Some(TARGET)), &labels(240), 3);
    for (row, expected) in z.rows().into_iter().zip(f.expected["z"].as_array().unwrap()) {
        for (found, e) in row.iter().zip(numbers(expected)) {
            // scipy gives probabilities; far out on the other side they round to one.
            let tolerance = if e > -4.0 { 1e-6 } else { 0.05 };
            assert!((found - e).abs() < tolerance * (1.0 + e.abs()), "{found} instead of {e}");
        }
    }
    let markers: Vec<f64> = top_markers(&z, 5).genes.iter().map(|&g| g as f64).collect();
    assert_eq!(markers, numbers(&f.expected["markers"]));
}

#[test]
fn correlations_and_fold_changes_equal_numpy() {
    let f = fixture();
    let (test, made) = (log_rows(&f.test, Some(TARGET)), log_rows(&f.made, Some(TARGET)));
    let markers: Vec<usize> = numbers(&f.expected["markers"]).into_iter().map(|g| g as usize).collect();
    let pick = |x: Array2<f32>| x.select(ndarray::Axis(1), &markers).mapv(f64::from);
    let d = discrepancy(pick(test.dense()).view(), pick(made.dense()).view());
    near(d.cd, &f.expected["cd"], 1e-6);
    near(d.mean, &f.expected["mean"], 1e-6);
    let pairs: Vec<(usize, usize)> = markers.iter().enumerate().map(|(i, &g)| (i / 5, g)).collect();
    let means = |x| cluster_means(x, &labels(150), 3);
    let c = fold_changes(&means(&test), &means(&made), &pairs);
    near(c.slope.unwrap(), &f.expected["fold_changes"]["slope"], 1e-5);
    near(c.r.unwrap(), &f.expected["fold_changes"]["r"], 1e-5);
}

#[test]
fn components_discrepancy_and_distances_equal_scikit_learn() {
    let f = fixture();
    let [test, train, made] = [&f.test, &f.train, &f.made].map(|c| log_rows(c, Some(TARGET)));
    let pca = Pca::fit_sparse(&train, 8, Seed(0)).unwrap();
    for (found, e) in pca.variance.iter().zip(numbers(&f.expected["variance"])) {
        assert!((found / e - 1.0).abs() < 1e-5, "{found} {e}");
    }
    let [a, t, m] = [&test, &train, &made].map(|x| pca.transform_sparse(x).unwrap());
    near(mmd2(a.view(), m.view(), &[2.0, 4.0, 8.0]), &f.expected["mmd2_widths_2_4_8"], 1e-5);
    let on_points = |x: &Array2<f64>| median(&mut nearest_points(x, &t, &Silent).unwrap());
    let expected = &f.expected["distance_components"];
    near(on_points(&m), &expected["generated"], 1e-4);
    near(on_points(&a), &expected["held_out"], 1e-4);
    let expected = &f.expected["distance_genes"];
    near(median(&mut nearest_genes(&made, &train)), &expected["generated"], 1e-5);
    near(median(&mut nearest_genes(&test, &train)), &expected["held_out"], 1e-5);
}

#[test]
fn laws_equal_numpy_and_scipy() {
    let f = fixture();
    let (test, made) = (log_rows(&f.test, Some(TARGET)), log_rows(&f.made, Some(TARGET)));
    let l = laws(&f.test, &f.made, &test, &made);
    near(l.library_ks, &f.expected["library_ks"], 1e-12);
    near(l.zeros_per_gene, &f.expected["zeros_per_gene"], 1e-12);
    near(l.variance_ratio, &f.expected["variance_ratio"], 1e-6);
    let q = l.library_generated;
    for (found, e) in [q.p5, q.p25, q.p50, q.p75, q.p95].iter().zip(numbers(&f.expected["library_quantiles"]))
    {
        assert!((found - e).abs() < 1e-9, "{found} {e}");
    }
    // scipy.stats.ks_2samp([1, 2, 2, 5], [2, 3]).statistic
    assert_eq!(ks_distance(&[1.0, 2.0, 2.0, 5.0], &[2.0, 3.0]), 0.25);
}

/// Folds and forests differ, so areas agree within what another seed changes: about 0.02 over fifteen folds.
#[test]
fn forests_tell_cells_apart_as_those_of_scikit_learn_do() {
    let f = fixture();
    let auc = |a: &Counts, b: &Counts, space: Space, scaled: Option<f64>| {
        let (a, b) = (log_rows(a, scaled), log_rows(b, scaled));
        let area = |seed| {
            let config = DetectionConfig { trees: 300, folds: 5, components: 8, seed: Seed(seed) };
            detect(&a, &b, space, scaled, &config).unwrap().auc
        };
        (area(0) + area(1) + area(2)) / 3.0
    };
    let first: Vec<usize> = (0..150).collect();
    let real = f.train.cells(&first);
    let expected = &f.expected["auc"];
    near(auc(&f.test, &f.made, Space::Genes, Some(TARGET)), &expected["genes"], 0.03);
    near(auc(&f.test, &f.made, Space::Components, Some(TARGET)), &expected["components"], 0.03);
    near(auc(&f.test, &f.made, Space::Components, None), &expected["components_unscaled"], 0.03);
    near(auc(&f.test, &real, Space::Components, Some(TARGET)), &expected["components_real"], 0.03);
}
