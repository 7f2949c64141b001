//! Figures on simulated counts whose answer is known.

use ndarray::{Array2, array};

use super::*;
use crate::data::Counts;
use crate::linalg::SparseRows;
use crate::progress::Silent;
use crate::rng::Seed;

/// Counts of `cells` cells of three types over `genes` genes; a third of the genes is high in each type. With `together`,
/// half of those go up where the other half goes down, by a factor of each cell; without, genes vary each by itself.
fn simulate(cells: usize, genes: usize, together: bool, seed: u64) -> (Counts, Vec<Option<usize>>) {
    let mut r = Seed(seed).stream("simulate");
    let (mut counts, mut labels) = (Counts::empty(genes), Vec::new());
    for i in 0..cells {
        let label = i % 3;
        let turn = r.normal();
        let row: Vec<(u32, u32)> = (0..genes)
            .map(|g| {
                let base = 0.6 + 0.1 * (g % 17) as f64;
                let shared = 0.8 * if g % 2 == 0 { turn } else { -turn };
                let factor = if together { shared } else { 0.32f64 }.exp();
                let mean = base * if g % 3 == label { 4.0 * factor } else { 1.0 };
                (g as u32, r.negative_binomial(mean, 2.0) as u32)
            })
            .collect();
        counts.push(row);
        labels.push(Some(label));
    }
    (counts, labels)
}

fn names() -> Vec<String> {
    ["a", "b", "c"].map(String::from).to_vec()
}

fn gene_names(n: usize) -> Vec<String> {
    (0..n).map(|g| format!("g{g}")).collect()
}

fn quick() -> JudgeSettings {
    JudgeSettings { trees: 60, components: 10, ..JudgeSettings::default() }
}

#[test]
fn real_cells_are_not_told_apart_and_other_ones_are() {
    let (a, _) = simulate(240, 60, true, 1);
    let (b, _) = simulate(240, 60, true, 2);
    let (c, _) = simulate(240, 60, false, 3);
    let config = DetectionConfig { trees: 100, components: 10, ..DetectionConfig::default() };
    let rows = |x: &Counts| log_rows(x, Some(TARGET));
    for space in [Space::Genes, Space::Components] {
        let same = detect(&rows(&a), &rows(&b), space, Some(TARGET), &config).unwrap();
        let other = detect(&rows(&a), &rows(&c), space, Some(TARGET), &config).unwrap();
        assert!((0.4..0.6).contains(&same.auc), "{space:?} {}", same.auc);
        assert!(other.auc > same.auc + 0.1, "{space:?} {} {}", other.auc, same.auc);
        assert_eq!((same.cells, same.folds.len()), (240, 5));
        assert_eq!((same.roc.first(), same.roc.last()), (Some(&(0.0, 0.0)), Some(&(1.0, 1.0))));
        assert!(same.roc.len() <= 201);
    }
    let few = rows(&a).select(&[0, 1]);
    assert!(detect(&few, &rows(&b), Space::Genes, None, &config).is_err());
}

#[test]
fn rank_sums_of_a_small_table_equal_those_by_hand() {
    // Values 0 0 1 | 2 3 0: ranks 2 2 4 | 5 6 2, the three zeros tied.
    let mut x = SparseRows::empty(2);
    [0.0, 0.0, 1.0, 2.0, 3.0, 0.0].iter().for_each(|&v| x.push([(0, v), (1, 5.0)]));
    let labels = [Some(0), Some(0), Some(0), Some(1), Some(1), Some(1)];
    let z = rank_sums(&x, &labels, 2);
    // scipy.stats.mannwhitneyu([2, 3, 0], [0, 0, 1], use_continuity=False, method="asymptotic"): U = 7, and by hand
    // variance 3·3·7/12·(1 − 24/210), z = 2.5 / sqrt(4.65).
    let expected = 2.5 / (63.0_f64 / 12.0 * (1.0 - 24.0 / 210.0)).sqrt();
    assert!((z[(1, 0)] - expected).abs() < 1e-12 && (z[(0, 0)] + expected).abs() < 1e-12, "{z}");
    assert_eq!((z[(0, 1)], z[(1, 1)]), (0.0, 0.0));
    // Cells without a type do not take part.
    let mut more = x.clone();
    more.push([(0, 9.0), (1, 1.0)]);
    assert_eq!(rank_sums(&more, &[&labels[..], &[None]].concat(), 2), z);
    // Negative values rank below zeros.
    let mut signs = SparseRows::empty(1);
    [-1.0, 0.0, 1.0].iter().for_each(|&v| signs.push([(0, v)]));
    let z = rank_sums(&signs, &[Some(0), Some(1), Some(1)], 2);
    assert!(z[(0, 0)] < 0.0);
}

#[test]
fn markers_are_the_genes_made_high_each_once() {
    let (x, labels) = simulate(150, 30, false, 4);
    let z = rank_sums(&log_rows(&x, Some(TARGET)), &labels, 3);
    let m = top_markers(&z, 5);
    assert_eq!(m.genes.len(), 15);
    assert!(m.genes.iter().zip(&m.cluster).all(|(g, c)| g % 3 == *c), "{m:?}");
    let shared = top_markers(&array![[1.0, 3.0, -1.0], [2.0, 5.0, 0.0]], 2);
    assert_eq!((shared.genes, shared.cluster), (vec![1, 0], vec![0, 0]));
}

#[test]
fn copies_are_counted_and_lie_at_distance_zero() {
    let (x, _) = simulate(40, 50, true, 5);
    let (y, _) = simulate(30, 50, true, 6);
    let mut mixed = x.cells(&[3, 7]);
    mixed.append(&y);
    assert_eq!(copies(&mixed, &x), 2);
    let near = nearest_genes(&log_rows(&mixed, Some(TARGET)), &log_rows(&x, Some(TARGET)));
    assert!(near[0] < 1e-3 && near[1] < 1e-3 && near[2..].iter().all(|d| *d > 0.5), "{near:?}");
    // By definition, from dense rows.
    let (a, b) = (log_rows(&mixed, Some(TARGET)).dense(), log_rows(&x, Some(TARGET)).dense());
    let distance = |i: usize| {
        let to =
            |r: ndarray::ArrayView1<'_, f32>| (&a.row(i) - &r).mapv(|v| f64::from(v).powi(2)).sum().sqrt();
        b.rows().into_iter().map(to).fold(f64::INFINITY, f64::min)
    };
    assert!((2..32).all(|i| (distance(i) - f64::from(near[i])).abs() < 1e-3));
}

#[test]
fn laws_of_a_few_counts_are_those_by_hand() {
    let mut a = Counts::empty(2);
    let mut b = Counts::empty(2);
    [[1, 0], [3, 1]].iter().for_each(|r| a.push((0..).zip(*r)));
    [[0, 0], [2, 2]].iter().for_each(|r| b.push((0..).zip(*r)));
    let l = laws(&a, &b, &log_rows(&a, None), &log_rows(&b, None));
    assert_eq!((l.zeros_real, l.zeros_generated, l.zeros_per_gene), (0.25, 0.5, 0.25));
    // Totals 1, 4 against 0, 4.
    assert_eq!((l.library_ks, l.library_real.p50), (0.5, 2.5));
    let var = |x: [f64; 2]| ((1.0 + x[0]).ln() - (1.0 + x[1]).ln()).powi(2) / 4.0;
    let expected = 2.0 * var([0.0, 2.0]) / (var([1.0, 3.0]) + var([0.0, 1.0]));
    assert!((l.variance_ratio - expected).abs() < 1e-6, "{l:?}");
    assert!(ks_distance(&[], &[1.0]).is_nan());
}

#[test]
fn fold_changes_of_blurred_types_have_a_small_slope() {
    let (x, labels) = simulate(300, 30, false, 7);
    let log = log_rows(&x, Some(TARGET));
    let means = cluster_means(&log, &labels, 3);
    let pairs: Vec<(usize, usize)> = (0..3).flat_map(|c| (0..30).map(move |g| (c, g))).collect();
    let same = fold_changes(&means, &means, &pairs);
    assert!((same.slope.unwrap() - 1.0).abs() < 1e-12 && (same.r.unwrap() - 1.0).abs() < 1e-12);
    // Half of the labels at random.
    let mut r = Seed(0).stream("blur");
    let blurred: Vec<_> =
        labels.iter().map(|l| if r.uniform() < 0.5 { Some(r.below(3)) } else { *l }).collect();
    let other = fold_changes(&means, &cluster_means(&log, &blurred, 3), &pairs);
    assert!((0.3..0.7).contains(&other.slope.unwrap()), "{other:?}");
    assert!(cluster_means(&log, &labels, 4).0.row(3).iter().all(|v| v.is_nan()));
}

#[test]
fn a_forest_confirms_types_and_not_wrong_labels() {
    let (x, labels) = simulate(300, 60, true, 8);
    let (y, asked) = simulate(90, 60, true, 9);
    let pca = crate::linalg::Pca::fit_sparse(&log_rows(&x, Some(TARGET)), 8, Seed(0)).unwrap();
    let points = |c: &Counts| pca.transform_sparse(&log_rows(c, Some(TARGET))).unwrap();
    let forest = TypeForest::fit(&points(&x), &labels, 3, 100, Seed(0)).unwrap();
    let right = forest.confirm(&points(&y), &asked, &names()).unwrap();
    assert!(right.confirmed > 0.9, "{right:?}");
    assert_eq!(right.labels.iter().map(|l| (l.cells, l.trained_on)).collect::<Vec<_>>(), [(30, 100); 3]);
    let wrong: Vec<_> = asked.iter().map(|l| l.map(|l| (l + 1) % 3)).collect();
    assert!(forest.confirm(&points(&y), &wrong, &names()).unwrap().confirmed < 0.1);
    assert!(TypeForest::fit(&points(&x), &vec![Some(1); 300], 3, 10, Seed(0)).is_err());
}

/// A judge over simulated cells, and what it says of: other real cells, training cells again, genes drawn one by one.
fn reports(settings: &JudgeSettings) -> Vec<GenerationScore> {
    let (names, genes) = (names(), gene_names(60));
    let (test, test_labels) = simulate(150, 60, true, 10);
    let (train, train_labels) = simulate(300, 60, true, 11);
    let judge = Judge::new(
        Cells { counts: &test, labels: Some(&test_labels) },
        Some(Cells { counts: &train, labels: Some(&train_labels) }),
        &names,
        &genes,
        settings.clone(),
        &Silent,
    )
    .unwrap();
    let (fresh, fresh_labels) = simulate(200, 60, true, 12);
    let (loose, loose_labels) = simulate(200, 60, false, 13);
    let again: Vec<usize> = (0..200).collect();
    let copied = (train.cells(&again), train_labels[..200].to_vec());
    let sets = [(fresh, fresh_labels), copied, (loose.clone(), loose_labels.clone())];
    let baseline = [("loose", SetKind::Baseline, Cells { counts: &loose, labels: Some(&loose_labels) })];
    sets.iter()
        .map(|(c, l)| {
            judge.report(("made", Cells { counts: c, labels: Some(l) }), &baseline, &Silent).unwrap()
        })
        .collect()
}

#[test]
fn verdicts_tell_new_cells_from_copies_and_from_poor_ones() {
    let all = reports(&quick());
    let [fresh, copied, loose] = &all[..] else { panic!() };
    assert!(fresh.verdict.usable && fresh.verdict.baseline_as_good == Some(false), "{:#?}", fresh.verdict);
    assert_eq!(fresh.generated.compared, 150);
    assert_eq!(fresh.ceiling.as_ref().unwrap().compared, 150);
    let m = copied.generated.memorisation.as_ref().unwrap();
    assert_eq!((m.copies, m.of, m.held_out_copies), (200, 200, 0));
    assert!(m.distances.iter().all(|d| d.ratio < 0.1), "{m:?}");
    assert!(!copied.verdict.usable && copied.verdict.headline.contains("exact copies"));
    assert!(loose.generated.auc() > fresh.generated.auc() + 0.1);
    assert!(loose.generated.mmd.mmd2 > fresh.generated.mmd.mmd2);
    let cd = |r: &GenerationScore| r.generated.correlation.as_ref().unwrap().cd;
    assert!(cd(loose) > cd(fresh), "{} {}", cd(loose), cd(fresh));
    assert_eq!(loose.verdict.baseline_as_good, Some(true));
    // What is written can be read.
    let text = serde_json::to_string(fresh).unwrap();
    assert_eq!(&serde_json::from_str::<GenerationScore>(&text).unwrap(), fresh);
    // Real and generated cells in their labels.
    assert_eq!(fresh.generated.detection.len(), 4);
    assert!(fresh.generated.detection(Space::Genes, false).is_some());
}

#[test]
fn one_cluster_alone_is_judged_by_its_own_cells() {
    let settings = JudgeSettings { cluster: Some(1), gene_forests: false, ..quick() };
    let all = reports(&settings);
    assert_eq!(all[0].cluster.as_deref(), Some("b"));
    assert_eq!((all[0].test_cells, all[0].generated.cells, all[0].generated.compared), (50, 67, 50));
    let types = all[0].generated.types.as_ref().unwrap();
    assert_eq!(types.labels.len(), 1);
    assert!(types.confirmed > 0.9, "{types:?}");
    let slope = all[0].generated.fold_changes.unwrap().slope.unwrap();
    assert!((0.7..1.3).contains(&slope), "{slope}");
}

#[test]
fn without_training_cells_and_labels_what_can_be_said_is_said() {
    let (names, genes) = (Vec::new(), gene_names(40));
    let (test, _) = simulate(80, 40, true, 14);
    let (made, _) = simulate(80, 40, true, 15);
    let plain = |counts| Cells { counts, labels: None };
    let judge = Judge::new(plain(&test), None, &names, &genes, quick(), &Silent).unwrap();
    let r = judge.report(("made", plain(&made)), &[], &Silent).unwrap();
    assert!(r.ceiling.is_none() && r.generated.memorisation.is_none() && r.generated.types.is_none());
    assert!(r.generated.correlation.is_none() && r.generated.fold_changes.is_none());
    assert_eq!((r.fitted_on.as_str(), r.verdict.baseline_as_good), ("test cells", None));
    assert!(r.verdict.remarks.iter().any(|s| s.contains("Without training cells")));
    let few = test.cells(&[0, 1, 2]);
    assert!(Judge::new(plain(&few), None, &names, &genes, quick(), &Silent).is_err());
    assert!(judge.score("few", SetKind::Generated, plain(&few), None, &Silent).is_err());
}

#[test]
fn threads_change_no_figure() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| reports(&JudgeSettings { trees: 10, ..quick() }))
    };
    assert_eq!(on(1), on(3));
}

/// A type that differs in genes of its own: the generator that knows the truth helps, one that makes other cells does not.
#[test]
fn cells_of_the_right_type_help_and_cells_of_another_do_not() {
    let (counts, labels) = simulate(600, 60, true, 16);
    let labels: Vec<usize> = labels.into_iter().flatten().collect();
    let protocol = RareProtocol {
        fractions: vec![0.02],
        repeats: 2,
        n: 300,
        trees: 60,
        features: Features::Components(10),
        ..RareProtocol::default()
    };
    let asked = std::cell::RefCell::new(Vec::new());
    let draw = |shift: usize, rare: usize, n: usize, seed: Seed| {
        let (c, l) = simulate(3 * n, 60, true, seed.0);
        let of: Vec<usize> = (0..3 * n).filter(|&i| l[i] == Some((rare + shift) % 3)).collect();
        c.cells(&of)
    };
    let mut truth = |c: &Counts, y: &[usize], rare: usize, n: usize, seed: Seed| {
        asked.borrow_mut().push((c.n_cells(), y.iter().filter(|l| **l == rare).count()));
        Ok(draw(0, rare, n, seed))
    };
    let mut wrong = |_: &Counts, _: &[usize], rare: usize, n: usize, seed: Seed| Ok(draw(1, rare, n, seed));
    let mut methods: Vec<(&str, &mut Augment<'_>)> = vec![("truth", &mut truth), ("wrong", &mut wrong)];
    let found = rare_cluster(&counts, &labels, 2, &protocol, &mut methods, &Silent).unwrap();
    assert_eq!((found.test_rare, found.test_rest), (60, 120));
    // 140 training cells of each type, of which 2 % are kept.
    assert_eq!(*asked.borrow(), [(283, 3), (283, 3)]);
    let all = found.summary();
    let mean = |name: &str| all.iter().find(|s| s.method == name).unwrap().mean;
    assert_eq!(all.len(), 7);
    assert!(mean("truth") > mean("nothing") + 0.2, "{all:#?}");
    assert!(mean("truth") > mean("wrong") + 0.2 && mean("all cells") > 0.8, "{all:#?}");
    assert!(mean("SMOTE") >= mean("nothing"));
    assert!(found.verdict("truth")[0].contains("truth helps"), "{:?}", found.verdict("truth"));

    let mut fails = |_: &Counts, _: &[usize], _: usize, _: usize, _: Seed| Err("no".to_owned());
    let mut methods: Vec<(&str, &mut Augment<'_>)> = vec![("fails", &mut fails)];
    let e = rare_cluster(&counts, &labels, 2, &protocol, &mut methods, &Silent).unwrap_err();
    assert_eq!(e.to_string(), "fails: no");
    let none = RareProtocol { fractions: vec![0.0], ..protocol.clone() };
    assert!(rare_cluster(&counts, &labels, 2, &none, &mut [], &Silent).is_err());
    assert!(rare_cluster(&counts, &labels, 7, &protocol, &mut [], &Silent).is_err());
}

#[test]
fn genes_serve_as_features_too() {
    let (counts, labels) = simulate(240, 30, false, 17);
    let labels: Vec<usize> = labels.into_iter().flatten().collect();
    let protocol = RareProtocol {
        fractions: vec![0.1],
        repeats: 1,
        n: 60,
        trees: 40,
        features: Features::Genes,
        ..RareProtocol::default()
    };
    let found = rare_cluster(&counts, &labels, 0, &protocol, &mut [], &Silent).unwrap();
    assert!(found.summary().iter().all(|s| (0.0..=1.0).contains(&s.mean)));
    assert!(found.summary().last().unwrap().mean > 0.7, "{:?}", found.summary());
}

#[test]
fn points_far_from_training_points_are_far() {
    let training: Array2<f64> = array![[0.0, 0.0], [10.0, 0.0]];
    let d = nearest_points(&array![[0.0, 3.0], [10.0, 0.0]], &training, &Silent).unwrap();
    assert!((d[0] - 3.0).abs() < 1e-5 && d[1].abs() < 1e-3);
}
