//! How well a classifier tells classes apart, and how rows are split to find out.

use crate::rng::Seed;

/// Area under the ROC curve: the chance that a positive scores above a negative, ties counting half. NaN when one of the
/// classes is missing. Equal to `sklearn.metrics.roc_auc_score`.
pub fn roc_auc(scores: &[f64], positive: &[bool]) -> f64 {
    let mut order: Vec<usize> = (0..scores.len().min(positive.len())).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut negatives, mut won) = (0.0, 0.0);
    let mut i = 0;
    while i < order.len() {
        let tied = order[i..].iter().take_while(|&&k| scores[k] == scores[order[i]]).count();
        let group = &order[i..i + tied.max(1)];
        let above = group.iter().filter(|&&k| positive[k]).count() as f64;
        let below = group.len() as f64 - above;
        won += above * (negatives + 0.5 * below);
        negatives += below;
        i += group.len();
    }
    let positives = order.len() as f64 - negatives;
    won / (positives * negatives)
}

/// Points of the ROC curve, from (0, 0) to (1, 1): share of negatives and of positives at or above each score.
pub fn roc_curve(scores: &[f64], positive: &[bool]) -> Vec<(f64, f64)> {
    let mut order: Vec<usize> = (0..scores.len().min(positive.len())).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let p = order.iter().filter(|&&k| positive[k]).count() as f64;
    let n = order.len() as f64 - p;
    let (mut tp, mut fp) = (0.0, 0.0);
    let mut curve = vec![(0.0, 0.0)];
    for (i, &k) in order.iter().enumerate() {
        if positive[k] {
            tp += 1.0
        } else {
            fp += 1.0
        }
        let last = order.get(i + 1).is_none_or(|&next| scores[next] != scores[k]);
        if last {
            curve.push((fp / n, tp / p));
        }
    }
    curve
}

/// Harmonic mean of precision and recall of the positives; 0 when none was found.
pub fn f1(predicted: &[bool], positive: &[bool]) -> f64 {
    let count = |of: fn(bool, bool) -> bool| {
        predicted.iter().zip(positive).filter(|(p, t)| of(**p, **t)).count() as f64
    };
    let hits = count(|p, t| p && t);
    let wrong = count(|p, t| p != t);
    if hits == 0.0 { 0.0 } else { 2.0 * hits / (2.0 * hits + wrong) }
}

/// Splits rows into `folds` parts with nearly the same share of each class in each; returns the part of each row.
/// Every class is shuffled and dealt out in turn, going on where the one before it ended.
pub fn stratified_folds(classes: &[usize], folds: usize, seed: Seed) -> Vec<usize> {
    let mut part = vec![0; classes.len()];
    let mut random = seed.stream("folds");
    let mut next = 0;
    for class in 0..classes.iter().max().map_or(0, |m| m + 1) {
        let rows: Vec<usize> = (0..classes.len()).filter(|&i| classes[i] == class).collect();
        for i in random.permutation(rows.len()) {
            part[rows[i]] = next % folds.max(1);
            next += 1;
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auc_counts_pairs_and_halves_ties() {
        // sklearn.metrics.roc_auc_score([0, 0, 1, 1, 1], [.1, .4, .35, .8, .4]) == 0.75
        let positive = [false, false, true, true, true];
        assert!((roc_auc(&[0.1, 0.4, 0.35, 0.8, 0.4], &positive) - 0.75).abs() < 1e-12);
        assert_eq!(roc_auc(&[0.5; 5], &positive), 0.5);
        assert!(roc_auc(&[1.0], &[true]).is_nan());
    }

    #[test]
    fn the_curve_has_the_area_of_the_pairs() {
        let scores = [0.1, 0.4, 0.35, 0.8, 0.4, 0.2, 0.9];
        let positive = [false, false, true, true, true, false, false];
        let curve = roc_curve(&scores, &positive);
        let area: f64 = curve.windows(2).map(|w| (w[1].0 - w[0].0) * (w[0].1 + w[1].1) / 2.0).sum();
        assert!((area - roc_auc(&scores, &positive)).abs() < 1e-12, "{curve:?}");
        assert_eq!(curve.last(), Some(&(1.0, 1.0)));
    }

    #[test]
    fn f1_is_zero_without_a_hit_and_one_without_a_miss() {
        assert_eq!(f1(&[false, false], &[true, false]), 0.0);
        assert_eq!(f1(&[true, false], &[true, false]), 1.0);
        // Precision 1/2, recall 1/3.
        let p = [true, true, false, false];
        assert!((f1(&p, &[true, false, true, true]) - 0.4).abs() < 1e-12);
    }

    #[test]
    fn every_fold_has_its_share_of_every_class() {
        let classes: Vec<usize> = (0..103).map(|i| usize::from(i >= 60)).collect();
        let part = stratified_folds(&classes, 5, Seed(1));
        for fold in 0..5 {
            let of = |class| (0..103).filter(|&i| part[i] == fold && classes[i] == class).count();
            assert_eq!(of(0), 12);
            assert!((8..=9).contains(&of(1)));
        }
        assert_ne!(part, stratified_folds(&classes, 5, Seed(2)));
    }
}
