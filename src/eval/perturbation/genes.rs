//! Genes that respond: tests of stimulated against control cells, as scanpy's `rank_genes_groups` orders them.

use ndarray::ArrayView2;
use rayon::prelude::*;

/// A test of two groups of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Test {
    /// Wilcoxon rank sum, normal approximation without a correction for ties.
    Wilcoxon,
    /// Welch's t with the number of stimulated cells for both groups: variances are overestimated where they are fewer.
    TTest,
}

/// Genes from the most raised to the most lowered.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// Their numbers.
    pub order: Vec<usize>,
    /// The score of each gene, by its number; 0 where it does not vary.
    pub score: Vec<f64>,
}

/// Ranks all genes by a test of stimulated against control cells, cells × genes each.
pub fn rank(stimulated: ArrayView2<'_, f32>, control: ArrayView2<'_, f32>, test: Test) -> Ranking {
    let of = |g: usize| {
        let (a, b) = (stimulated.column(g), control.column(g));
        let score = match test {
            Test::Wilcoxon => wilcoxon(a.iter().copied(), b.iter().copied()),
            Test::TTest => t_test(a.iter().copied(), b.iter().copied()),
        };
        if score.is_finite() { score } else { 0.0 }
    };
    let score: Vec<f64> = (0..stimulated.ncols()).into_par_iter().map(of).collect();
    let mut order: Vec<usize> = (0..score.len()).collect();
    order.sort_by(|&a, &b| score[b].total_cmp(&score[a]).then(a.cmp(&b)));
    Ranking { order, score }
}

/// The `k` genes that respond most: half of them the most raised, half the most lowered.
pub fn top(ranking: &Ranking, k: usize) -> Vec<usize> {
    let n = ranking.order.len();
    if k >= n {
        return ranking.order.clone();
    }
    let (up, down) = (k.div_ceil(2), k / 2);
    [&ranking.order[..up], &ranking.order[n - down..]].concat()
}

/// The `k` genes with the largest scores, whatever their sign.
pub fn strongest(ranking: &Ranking, k: usize) -> Vec<usize> {
    let mut all = ranking.order.clone();
    all.sort_by(|&a, &b| ranking.score[b].abs().total_cmp(&ranking.score[a].abs()));
    all.truncate(k);
    all
}

fn wilcoxon(a: impl ExactSizeIterator<Item = f32>, b: impl ExactSizeIterator<Item = f32>) -> f64 {
    let (n, m) = (a.len() as f64, b.len() as f64);
    let mut all: Vec<(f32, bool)> = a.map(|v| (v, true)).chain(b.map(|v| (v, false))).collect();
    all.sort_by(|p, q| p.0.total_cmp(&q.0));
    let mut sum = 0.0;
    let mut at = 0;
    while at < all.len() {
        // -0 and 0 are the same value.
        let end = at + all[at..].iter().take_while(|v| v.0 == all[at].0).count().max(1);
        let rank = 0.5 * (at + 1 + end) as f64;
        sum += rank * all[at..end].iter().filter(|v| v.1).count() as f64;
        at = end;
    }
    (sum - n * (n + m + 1.0) / 2.0) / (n * m * (n + m + 1.0) / 12.0).sqrt()
}

fn t_test(a: impl ExactSizeIterator<Item = f32>, b: impl ExactSizeIterator<Item = f32>) -> f64 {
    let n = a.len() as f64;
    let ((ma, va), (mb, vb)) = (unbiased(a), unbiased(b));
    (ma - mb) / (va / n + vb / n).sqrt()
}

fn unbiased(v: impl ExactSizeIterator<Item = f32>) -> (f64, f64) {
    let v: Vec<f64> = v.map(f64::from).collect();
    let n = v.len() as f64;
    let mean = v.iter().sum::<f64>() / n;
    (mean, v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    /// The same numbers as in fixtures/make/make_perturbation.py.
    fn cells(n: usize, shift: f64) -> Array2<f32> {
        Array2::from_shape_fn((n, 4), |(i, g)| {
            let v = ((i * 7 + g * 13) % 11) as f64 + shift * g as f64 - 4.0;
            v.max(0.0) as f32
        })
    }

    /// scanpy 1.11.5, rank_genes_groups(method="wilcoxon") and ("t-test_overestim_var") of 15 and 23 such cells.
    #[test]
    fn scores_equal_scanpy() {
        let (a, b) = (cells(15, 1.5), cells(23, 0.0));
        for (test, expected) in [(Test::Wilcoxon, WILCOXON), (Test::TTest, T_TEST)] {
            let found = rank(a.view(), b.view(), test);
            assert_eq!(found.order, [3, 2, 1, 0]);
            let near = found.score.iter().zip(&expected).all(|(f, e)| (f - e).abs() < 1e-5);
            assert!(near, "{test:?} {:?} {expected:?}", found.score);
        }
    }

    const WILCOXON: [f64; 4] = [0.179_184_33, 1.045_241_95, 2.000_891_69, 3.538_890_36];
    const T_TEST: [f64; 4] = [0.210_744_28, 0.998_283_21, 1.994_930_74, 3.807_105_06];

    #[test]
    fn half_of_the_top_is_raised_and_half_lowered() {
        let r = Ranking { order: vec![4, 0, 2, 3, 1], score: vec![2.0, -9.0, 1.0, -1.0, 3.0] };
        assert_eq!(top(&r, 4), [4, 0, 3, 1]);
        assert_eq!(top(&r, 3), [4, 0, 1]);
        assert_eq!(strongest(&r, 2), [1, 4]);
        assert_eq!(top(&r, 9), r.order);
    }

    #[test]
    fn a_gene_that_does_not_vary_scores_nothing() {
        let flat = Array2::<f32>::zeros((5, 1));
        assert_eq!(rank(flat.view(), flat.view(), Test::TTest).score, [0.0]);
        assert_eq!(rank(flat.view(), flat.view(), Test::Wilcoxon).score, [0.0]);
    }
}
