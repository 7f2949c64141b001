//! Random forests for classification: many trees, each grown on a bootstrap of the rows, averaged.

use ndarray::{Array2, ArrayView2, ArrayViewMut1, Axis};
use rayon::prelude::*;

use super::columns::Columns;
use super::tree::{Grower, Tree};
use super::{LinalgError, SparseRows};
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
    /// Weight of each class when a tree draws its rows, as scikit-learn weighs them from 1.9 on; rows are drawn alike when
    /// `None`. Earlier versions weighed rows where columns are cut, which finds fewer of the rare ones.
    pub class_weights: Option<Vec<f64>>,
    /// Seed of bootstraps and columns.
    pub seed: Seed,
}

impl Default for ForestConfig {
    /// 1,000 trees, √p columns, splits from two rows: the evaluation of ACTIVA (Heydari et al. 2022).
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
        check(x.dim(), y, classes, config)?;
        if let Some(((row, column), &value)) = x.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(LinalgError::NotFinite { row, column, value: f64::from(value) });
        }
        Ok(Self::grow(&Columns::from_dense(x), y, classes, config))
    }

    /// The same for rows that are mostly zero; gives the same forest as [`Forest::fit`] on the same values.
    ///
    /// # Errors
    /// As [`Forest::fit`].
    pub fn fit_sparse(
        x: &SparseRows,
        y: &[usize],
        classes: usize,
        config: &ForestConfig,
    ) -> Result<Self, LinalgError> {
        check((x.rows(), x.columns()), y, classes, config)?;
        if let Some((row, column, value)) = x.first_not_finite() {
            return Err(LinalgError::NotFinite { row, column, value: f64::from(value) });
        }
        Ok(Self::grow(&Columns::from_sparse(x), y, classes, config))
    }

    fn grow(columns: &Columns, y: &[usize], classes: usize, config: &ForestConfig) -> Self {
        let width = columns.len();
        let grower = Grower {
            columns,
            y,
            classes,
            weights: config.class_weights.clone(),
            max_features: config
                .max_features
                .unwrap_or_else(|| (width as f64).sqrt() as usize)
                .clamp(1, width),
            min_samples_split: config.min_samples_split.max(2),
        };
        let trees = (0..config.trees)
            .into_par_iter()
            .map(|t| grower.grow(config.seed.stream(&format!("forest/{t}"))))
            .collect();
        Self { trees, classes, columns: width }
    }

    /// Probability of each class for each row: the mean over trees of the class shares in the leaf. Rows × classes.
    ///
    /// # Errors
    /// When `x` has other columns than the forest was fitted on.
    pub fn probabilities(&self, x: ArrayView2<'_, f32>) -> Result<Array2<f64>, LinalgError> {
        self.check_columns(x.ncols())?;
        let mut out = Array2::zeros((x.nrows(), self.classes));
        out.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(i, mut p)| {
            let row = x.row(i);
            self.add_shares(|j| row[j], &mut p);
        });
        Ok(out)
    }

    /// The same for rows that are mostly zero.
    ///
    /// # Errors
    /// As [`Forest::probabilities`].
    pub fn probabilities_sparse(&self, x: &SparseRows) -> Result<Array2<f64>, LinalgError> {
        self.check_columns(x.columns())?;
        let mut out = Array2::zeros((x.rows(), self.classes));
        out.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each_init(
            || vec![0.0f32; self.columns],
            |row, (i, mut p)| {
                let (indices, values) = x.row(i);
                indices.iter().zip(values).for_each(|(&j, &v)| row[j as usize] = v);
                self.add_shares(|j| row[j], &mut p);
                indices.iter().for_each(|&j| row[j as usize] = 0.0);
            },
        );
        Ok(out)
    }

    fn check_columns(&self, found: usize) -> Result<(), LinalgError> {
        if found == self.columns {
            return Ok(());
        }
        Err(LinalgError::Columns { found, expected: self.columns })
    }

    fn add_shares(&self, row: impl Fn(usize) -> f32, p: &mut ArrayViewMut1<'_, f64>) {
        for tree in &self.trees {
            for (p, share) in p.iter_mut().zip(tree.shares(&row)) {
                *p += share;
            }
        }
        *p /= self.trees.len().max(1) as f64;
    }
}

/// Class numbers and row numbers are packed into 16 and 32 bits.
const MOST_CLASSES: usize = u16::MAX as usize;

fn check(
    (rows, columns): (usize, usize),
    y: &[usize],
    classes: usize,
    config: &ForestConfig,
) -> Result<(), LinalgError> {
    if rows == 0 || columns == 0 || y.len() != rows {
        return Err(LinalgError::TooFewRows { found: y.len().min(rows), needed: 1 });
    }
    if rows > u32::MAX as usize {
        return Err(LinalgError::TooManyRows { found: rows, limit: u32::MAX as usize });
    }
    let weights = config.class_weights.as_ref();
    if classes > MOST_CLASSES
        || y.iter().any(|&c| c >= classes)
        || weights.is_some_and(|w| w.len() != classes)
    {
        return Err(LinalgError::Classes { classes });
    }
    Ok(())
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
    fn sparse_rows_grow_the_same_forest() {
        let (mut x, y) = corners(150, 4);
        // Mostly zeros, with values on both sides.
        x.mapv_inplace(|v| if v.abs() < 1.2 { 0.0 } else { v });
        let mut s = SparseRows::empty(3);
        x.rows().into_iter().for_each(|r| s.push(r.iter().enumerate().map(|(j, &v)| (j as u32, v))));
        let config = ForestConfig { trees: 30, ..Default::default() };
        let dense = Forest::fit(x.view(), &y, 2, &config).unwrap();
        let sparse = Forest::fit_sparse(&s, &y, 2, &config).unwrap();
        let p = dense.probabilities(x.view()).unwrap();
        assert_eq!(p, sparse.probabilities(x.view()).unwrap());
        assert_eq!(p, sparse.probabilities_sparse(&s).unwrap());
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
