use ndarray::{Array2, ArrayView1};

use super::geometry::Geometry;
use super::*;
use crate::data::Counts;
use crate::progress::Silent;
use crate::rng::Seed;

/// A ring of points, dense on one side.
fn ring(n: usize) -> Array2<f32> {
    let mut s = Seed(7).stream("ring");
    let mut out = Array2::zeros((n, 2));
    for (i, mut row) in out.rows_mut().into_iter().enumerate() {
        let angle = std::f64::consts::TAU * (i as f64 / n as f64).powi(2);
        row[0] = (10.0 * angle.cos() + 0.2 * s.normal()) as f32;
        row[1] = (10.0 * angle.sin() + 0.2 * s.normal()) as f32;
    }
    out
}

/// numpy, on [[0, 0], [1, 0], [0, 2], [3, 3], [4, 3], [9, 1]]: D = cdist(X, X); s = D.mean(0).std(ddof=1);
/// K = exp(-(D / s) ** 2); K[K < 1e-3] = 0; K.sum(1), and of the 3 nearest rows (the point first) C = cov(rows.T);
/// floor((max - d) * sqrt(det(I + C / (2 s ** 2)))).
#[test]
fn degrees_and_numbers_equal_numpy() {
    let x = ndarray::array![[0.0f32, 0.0], [1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [4.0, 3.0], [9.0, 1.0]];
    let g = Geometry::new(x, 3).unwrap();
    let expected = [
        1.5969717698246861,
        1.561390184874681,
        1.1149546323112425,
        1.52397683816732,
        1.5224613868518149,
        1.0,
    ];
    for (d, e) in g.degree.iter().zip(expected) {
        assert!((d - e).abs() < 1e-9, "{:?}", g.degree);
    }
    assert_eq!(g.equalising(), [0, 0, 0, 0, 0, 1]);
    assert_eq!(g.shared_out(10), [0, 0, 4, 0, 1, 5]);
}

/// numpy: the whole diffusion written with dense matrices, on six old points and four new ones.
#[test]
fn the_diffusion_equals_dense_matrices() {
    let x = ndarray::array![[0.0f32, 0.0], [1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [4.0, 3.0], [9.0, 1.0]];
    let new = ndarray::array![[0.5f32, 0.5], [3.5, 2.0], [8.0, 2.0], [1.0, 4.0]];
    let pulled = Geometry::new(x, 3).unwrap().pull(new, &Silent).unwrap();
    for (a, b) in pulled.iter().zip([
        3.9086140383065295,
        3.1693048451329986,
        5.498282132168996,
        3.7003336877803523,
        7.64736197667606,
        3.61003711881037,
        4.76462000698148,
        3.6981091025779964,
    ]) {
        assert!((f64::from(*a) - b).abs() < 1e-5, "{pulled}");
    }
}

#[test]
fn new_points_go_where_real_ones_are_rare_and_lie_on_the_ring() {
    let x = ring(300);
    let side = |p: ArrayView1<'_, f32>| p[1] < 0.0;
    let g = Geometry::new(x.clone(), 5).unwrap();
    let numbers = g.shared_out(300);
    assert_eq!(numbers.iter().sum::<usize>(), 300);
    let new = g.pull(g.send(&numbers, &mut Seed(1).stream("s")), &Silent).unwrap();
    let share = |x: &Array2<f32>| x.rows().into_iter().filter(|r| side(*r)).count() as f64 / x.nrows() as f64;
    assert!(share(&new) > share(&x) + 0.1, "{} {}", share(&new), share(&x));
    let radius = |r: ArrayView1<'_, f32>| f64::from(r[0]).hypot(f64::from(r[1]));
    assert!(new.rows().into_iter().filter(|r| (8.0..12.0).contains(&radius(*r))).count() > 280);
}

/// Two kinds of cells over 50 genes, the second rare.
fn cells() -> (Counts, Vec<usize>) {
    let mut s = Seed(3).stream("cells");
    let mut out = Counts::empty(50);
    let labels: Vec<usize> = (0..240).map(|c| usize::from(c % 8 == 0)).collect();
    for &label in &labels {
        let size = (0.3 * s.normal()).exp();
        let mean = |g: u32| if (g < 10) == (label == 1) { 6.0 } else { 0.6 };
        let row: Vec<(u32, u32)> = (0..50u32).map(|g| (g, s.poisson(mean(g) * size) as u32)).collect();
        out.push(row);
    }
    (out, labels)
}

#[test]
fn counts_keep_the_genes_of_the_label_and_the_rare_kind_gains() {
    let (counts, labels) = cells();
    let settings = SugarSettings { n_pcs: 3, ..SugarSettings::default() };
    let model = Sugar::fit(&counts, &labels, 2, settings, Seed(0)).unwrap();
    let model: Sugar = serde_json::from_str(&serde_json::to_string(&model).unwrap()).unwrap();
    let made = model.sample(Amount::Total(200), &mut Seed(1).stream("s"), &Silent).unwrap();
    assert_eq!((made.counts.n_cells(), made.counts.n_genes(), made.labels.len()), (200, 50, 200));
    let rare = made.labels.iter().filter(|l| **l == 1).count() as f64 / 200.0;
    assert!(rare > 0.13, "{rare}");
    let told = |cell: usize| {
        let (g, v) = made.counts.cell(cell);
        let first: u32 = g.iter().zip(v).filter(|(g, _)| **g < 10).map(|(_, v)| v).sum();
        usize::from(4 * first > v.iter().sum())
    };
    let right = (0..200).filter(|&c| told(c) == made.labels[c]).count();
    assert!(right > 185, "{right}");
    let again = model.sample(Amount::Total(200), &mut Seed(1).stream("s"), &Silent).unwrap();
    assert_eq!(again.counts, made.counts);
}

#[test]
fn too_many_points_and_too_few_cells_are_refused() {
    let (counts, labels) = cells();
    let settings = SugarSettings::default();
    let model = Sugar::fit(&counts, &labels, 2, settings, Seed(0)).unwrap();
    let e = model.points(Amount::Total(MOST_POINTS + 1), &mut Seed(0).stream("s"), &Silent).unwrap_err();
    assert!(e.to_string().starts_with("10001 new cells asked for"), "{e}");
    let few = counts.cells(&[0, 1, 2]);
    assert!(matches!(
        Sugar::fit(&few, &labels[..3], 2, settings, Seed(0)),
        Err(SugarError::TooFew { found: 3, needed: 6 })
    ));
    assert!(matches!(
        Sugar::fit(&counts, &labels[1..], 2, settings, Seed(0)),
        Err(SugarError::Labels { .. })
    ));
    let many = counts.cells(&vec![0; MOST_POINTS + 1]);
    let e = Sugar::fit(&many, &vec![0; MOST_POINTS + 1], 2, settings, Seed(0)).unwrap_err();
    assert!(e.to_string().contains("at most 10000"), "{e}");
}
