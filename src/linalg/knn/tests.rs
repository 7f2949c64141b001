use ndarray::Array2;

use super::*;
use crate::linalg::LinalgError;
use crate::progress::Progress;
use crate::progress::Silent;
use crate::rng::Seed;

/// Rows around some centres.
fn clouds(n: usize, columns: usize) -> Array2<f32> {
    let mut s = Seed(5).stream("clouds");
    let centres = Array2::from_shape_fn((7, columns), |_| 4.0 * s.normal());
    let mut x = Array2::zeros((n, columns));
    for mut row in x.rows_mut() {
        let c = centres.row(s.below(7));
        row.iter_mut().zip(c).for_each(|(v, c)| *v = (c + s.normal()) as f32);
    }
    x
}

/// By the definition, in double precision.
fn plain(x: &Array2<f32>, i: usize, k: usize) -> Vec<u32> {
    let square = |j: usize| {
        x.row(i).iter().zip(x.row(j)).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>()
    };
    let mut all: Vec<usize> = (0..x.nrows()).filter(|&j| j != i).collect();
    all.sort_by(|&a, &b| square(a).total_cmp(&square(b)).then(a.cmp(&b)));
    all[..k].iter().map(|&j| j as u32).collect()
}

#[test]
fn exact_search_finds_what_the_definition_says_also_far_from_zero() {
    // More rows than a block of references and of queries; a shift that single precision would not survive.
    let x = clouds(1300, 10).mapv(|v| v + 3000.0);
    let found = neighbours(x.view(), 5, Search::Exact, Seed(0), &Silent).unwrap();
    for i in (0..1300).step_by(13) {
        assert_eq!(found.row(i).0, plain(&x, i, 5), "row {i}");
    }
    assert!(found.distances().chunks(5).all(|d| d.is_sorted()));
}

#[test]
fn equal_rows_are_neighbours_at_distance_zero_by_number_and_never_of_themselves() {
    let x = Array2::<f32>::from_elem((6, 3), 0.1);
    for search in [Search::Exact, Search::Approximate] {
        let found = neighbours(x.view(), 2, search, Seed(0), &Silent).unwrap();
        assert_eq!(found.row(0), (&[1, 2][..], &[0.0, 0.0][..]));
        assert_eq!(found.row(4), (&[0, 1][..], &[0.0, 0.0][..]));
    }
}

#[test]
fn approximate_search_finds_nearly_all() {
    let x = clouds(6000, 20);
    let found = neighbours(x.view(), 15, Search::Approximate, Seed(1), &Silent).unwrap();
    let share = recall(x.view(), &found, 500, Seed(2), &Silent).unwrap();
    assert!(share > 0.97, "{share}");
    for i in 0..6000 {
        let (rows, distances) = found.row(i);
        assert!(rows.iter().all(|&r| r as usize != i) && distances.is_sorted());
    }
}

#[test]
fn recall_of_wrong_neighbours_is_small_and_of_exact_ones_whole() {
    let x = clouds(400, 5);
    let mut found = neighbours(x.view(), 4, Search::Exact, Seed(0), &Silent).unwrap();
    assert_eq!(recall(x.view(), &found, 400, Seed(0), &Silent).unwrap(), 1.0);
    found.distances.iter_mut().for_each(|d| *d *= 3.0);
    assert!(recall(x.view(), &found, 400, Seed(0), &Silent).unwrap() < 0.2);
}

#[test]
fn threads_do_not_change_a_bit() {
    let x = clouds(3000, 12);
    for search in [Search::Exact, Search::Approximate] {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| neighbours(x.view(), 10, search, Seed(3), &Silent).unwrap())
        };
        assert!(on(1) == on(3), "{search:?}");
    }
}

#[test]
fn nearest_rows_of_another_set_may_be_the_row_itself() {
    let x = clouds(300, 4);
    let found = nearest(x.slice(ndarray::s![10..12, ..]), x.view(), 1, &Silent).unwrap();
    assert_eq!(found.indices(), [10, 11]);
}

#[test]
fn too_few_rows_and_missing_values_are_refused() {
    let x = clouds(5, 2);
    let of = |x: &Array2<f32>, k| neighbours(x.view(), k, Search::Auto, Seed(0), &Silent);
    assert!(matches!(of(&x, 5), Err(LinalgError::TooFewRows { found: 5, needed: 6 })));
    let mut bad = x.clone();
    bad[(3, 1)] = f32::NAN;
    assert!(matches!(of(&bad, 2), Err(LinalgError::NotFinite { row: 3, column: 1, .. })));
    assert!(matches!(nearest(x.view(), clouds(5, 3).view(), 1, &Silent), Err(LinalgError::Columns { .. })));
}

#[test]
fn a_wish_to_stop_is_heard() {
    struct Stop;
    impl Progress for Stop {
        fn start(&self, _: &str, _: u64) {}
        fn advance(&self, _: u64, _: &str) {}
        fn finish(&self) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let x = clouds(300, 4);
    for search in [Search::Exact, Search::Approximate] {
        let stopped = neighbours(x.view(), 3, search, Seed(0), &Stop);
        assert!(matches!(stopped, Err(LinalgError::Cancelled)), "{search:?}");
    }
}
