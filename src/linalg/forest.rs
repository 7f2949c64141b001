//! Random forests for classification: many trees, each grown on a bootstrap of the rows, averaged.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::LinalgError;
use super::tree::{Grower, Tree};
use crate::rng::Seed;

/// How a forest is grown. Trees are not pruned: they stop at pure leaves or too few rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestConfig {
    /// Number of trees.
    pub trees: usize,
    /// Columns looked at for each split; the square root of all when `None`.
    pub max_features: Option<usize>,
    /// A node of fewer rows is a leaf.
    pub min_samples_split: usize,
    /// Weight of each class; one when `None`.
    pub class_weights: Option<Vec<f64>>,
    /// Seed of bootstraps and columns.
    pub seed: Seed,
}

impl Default for ForestConfig {
    /// 1,000 trees, √p columns, splits from two rows: the evaluation of `models.md` §3.4.
    fn default() -> Self {
        Self { trees: 1000, max_features: None, min_samples_split: 2, class_weights: None, seed: Seed(0) }
    }
}

/// A fitted random forest.
#[derive(Debug, Clone)]
pub struct Forest {
    trees: Vec<Tree>,
    classes: usize,
    columns: usize,
}

impl Forest {
    /// Grows a forest on `x`, rows × columns, with class `y[i] < classes` for row `i`: Gini impurity, exact splits at
    /// midpoints, bootstraps as large as the data. The result does not depend on the number of threads.
    ///
    /// # Errors
    /// No rows, lengths that differ, a class outside its range, values that are not finite.
    pub fn fit(
        x: ArrayView2<'_, f32>,
        y: &[usize],
        classes: usize,
        config: &ForestConfig,
    ) -> Result<Self, LinalgError> {
        let (rows, columns) = x.dim();
        if rows == 0 || columns == 0 || y.len() != rows || rows > u32::MAX as usize {
            return Err(LinalgError::TooFewRows { found: y.len().min(rows), needed: 1 });
        }
        if let Some(((row, column), &value)) = x.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(LinalgError::NotFinite { row, column, value: f64::from(value) });
        }
        if y.iter().any(|&c| c >= classes)
            || config.class_weights.as_ref().is_some_and(|w| w.len() != classes)
        {
            return Err(LinalgError::Classes { classes });
        }
        // Column by column, so that a split reads one run of memory.
        let by_column: Vec<f32> = (0..columns).flat_map(|j| x.column(j).to_vec()).collect();
        let grower = Grower {
            by_column: &by_column,
            rows,
            columns,
            y,
            classes,
            weights: config.class_weights.clone().unwrap_or_else(|| vec![1.0; classes]),
            max_features: config
                .max_features
                .unwrap_or_else(|| (columns as f64).sqrt() as usize)
                .clamp(1, columns),
            min_samples_split: config.min_samples_split.max(2),
        };
        let trees = (0..config.trees)
            .into_par_iter()
            .map(|t| grower.grow(config.seed.stream(&format!("forest/{t}"))))
            .collect();
        Ok(Self { trees, classes, columns })
    }

    /// Probability of each class for each row: the mean over trees of the class shares in the leaf. Rows × classes.
    ///
    /// # Errors
    /// When `x` has other columns than the forest was fitted on.
    pub fn probabilities(&self, x: ArrayView2<'_, f32>) -> Result<Array2<f64>, LinalgError> {
        if x.ncols() != self.columns {
            return Err(LinalgError::Columns { found: x.ncols(), expected: self.columns });
        }
        let mut out = Array2::zeros((x.nrows(), self.classes));
        out.axis_iter_mut(ndarray::Axis(0)).into_par_iter().enumerate().for_each(|(i, mut p)| {
            let row = x.row(i);
            for tree in &self.trees {
                for (p, share) in p.iter_mut().zip(tree.shares(row)) {
                    *p += share;
                }
            }
            p /= self.trees.len().max(1) as f64;
        });
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two moons of points around two corners, with a column of noise.
    fn corners(n: usize, seed: u64) -> (Array2<f32>, Vec<usize>) {
        let mut r = Seed(seed).stream("corners");
        let y: Vec<usize> = (0..n).map(|i| i % 2).collect();
        let x = Array2::from_shape_fn((n, 3), |(i, j)| {
            let centre = if j < 2 { 2.0 * (i % 2) as f64 } else { 0.0 };
            (centre + r.normal()) as f32
        });
        (x, y)
    }

    #[test]
    fn a_forest_learns_what_can_be_learnt_and_remembers_its_rows() {
        let (x, y) = corners(400, 1);
        let f = Forest::fit(x.view(), &y, 2, &ForestConfig { trees: 100, ..Default::default() }).unwrap();
        let right = |x: &Array2<f32>, y: &[usize]| {
            let p = f.probabilities(x.view()).unwrap();
            y.iter().enumerate().filter(|&(i, &c)| p[(i, c)] > 0.5).count() as f64 / y.len() as f64
        };
        assert!(right(&x, &y) > 0.99, "its own rows: {}", right(&x, &y));
        let (x, y) = corners(400, 2);
        // The best rule here is right for Φ(√2) = 92 % of the rows.
        assert!((0.87..0.96).contains(&right(&x, &y)), "other rows: {}", right(&x, &y));
    }

    #[test]
    fn the_same_seed_grows_the_same_forest_on_any_number_of_threads() {
        let (x, y) = corners(100, 3);
        let grow = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let config = ForestConfig { trees: 20, ..Default::default() };
            pool.install(|| Forest::fit(x.view(), &y, 2, &config).unwrap().probabilities(x.view()).unwrap())
        };
        assert_eq!(grow(1), grow(2));
    }

    #[test]
    fn a_heavier_class_wins_where_the_classes_mix() {
        let x = Array2::zeros((10, 1));
        let y = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1];
        let share = |weights| {
            let config = ForestConfig { trees: 50, class_weights: Some(weights), ..ForestConfig::default() };
            Forest::fit(x.view(), &y, 2, &config).unwrap().probabilities(x.view()).unwrap()[(0, 1)]
        };
        assert!(share(vec![1.0, 1.0]) < 0.35);
        assert!(share(vec![1.0, 16.0]) > 0.65);
    }

    #[test]
    fn classes_outside_the_range_are_refused() {
        let x = Array2::zeros((2, 1));
        assert!(Forest::fit(x.view(), &[0, 2], 2, &ForestConfig::default()).is_err());
        assert!(Forest::fit(x.view(), &[0], 2, &ForestConfig::default()).is_err());
    }
}
