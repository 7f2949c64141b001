//! Is a cell of the type that was asked for? A forest trained on real cells that no generator has seen says.

use ndarray::Array2;

use super::{GenerationError, TypeShare, Types};
use crate::linalg::{Forest, ForestConfig};
use crate::rng::Seed;

/// A forest that names the type of a cell by its principal components.
#[derive(Debug, Clone)]
pub struct TypeForest {
    forest: Forest,
    /// Types it has seen, by their number among all.
    known: Vec<usize>,
    trained_on: Vec<usize>,
}

impl TypeForest {
    /// Trains on `points` (cells × components) with types of `labels`; classes are weighted n / (classes × n of the class).
    ///
    /// # Errors
    /// Fewer than two types, or values that are not finite.
    pub fn fit(
        points: &Array2<f64>,
        labels: &[Option<usize>],
        types: usize,
        trees: usize,
        seed: Seed,
    ) -> Result<Self, GenerationError> {
        let rows: Vec<usize> =
            (0..points.nrows()).filter(|&i| labels[i].is_some_and(|l| l < types)).collect();
        let label: Vec<usize> = rows.iter().filter_map(|&i| labels[i]).collect();
        let mut trained_on = vec![0; types];
        label.iter().for_each(|&l| trained_on[l] += 1);
        let known: Vec<usize> = (0..types).filter(|&t| trained_on[t] > 0).collect();
        if known.len() < 2 {
            return Err(GenerationError::input(
                "the real cells are all of one type; types cannot be told apart by them",
            ));
        }
        let place = |l: &usize| known.iter().position(|k| k == l).unwrap_or(0);
        let y: Vec<usize> = label.iter().map(place).collect();
        let even = label.len() as f64 / known.len() as f64;
        let weights = known.iter().map(|&k| even / trained_on[k] as f64).collect();
        let config = ForestConfig { trees, class_weights: Some(weights), seed, ..ForestConfig::default() };
        let x = points.select(ndarray::Axis(0), &rows).mapv(|v| v as f32);
        let forest = Forest::fit(x.view(), &y, known.len(), &config)?;
        Ok(Self { forest, known, trained_on })
    }

    /// The type each cell looks like.
    ///
    /// # Errors
    /// Other components than trained on.
    pub fn predict(&self, points: &Array2<f64>) -> Result<Vec<usize>, GenerationError> {
        let p = self.forest.probabilities(points.mapv(|v| v as f32).view())?;
        let best = |row: ndarray::ArrayView1<'_, f64>| {
            (0..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best })
        };
        Ok(p.rows().into_iter().map(|r| self.known[best(r)]).collect())
    }

    /// How many cells of each requested type are confirmed. Types that the forest has not seen cannot be.
    ///
    /// # Errors
    /// Other components than trained on.
    pub fn confirm(
        &self,
        points: &Array2<f64>,
        labels: &[Option<usize>],
        names: &[String],
    ) -> Result<Types, GenerationError> {
        let predicted = self.predict(points)?;
        let (mut asked, mut got) = (vec![0usize; names.len()], vec![0usize; names.len()]);
        for (label, found) in labels.iter().zip(&predicted) {
            let Some(l) = label.filter(|l| *l < names.len()) else { continue };
            asked[l] += 1;
            got[l] += usize::from(l == *found);
        }
        let share = |a: usize, b: usize| if b > 0 { a as f64 / b as f64 } else { f64::NAN };
        let of = |l: usize| TypeShare {
            label: names[l].clone(),
            cells: asked[l],
            confirmed: share(got[l], asked[l]),
            trained_on: self.trained_on.get(l).copied().unwrap_or(0),
        };
        Ok(Types {
            confirmed: share(got.iter().sum(), asked.iter().sum()),
            labels: (0..names.len()).filter(|&l| asked[l] > 0).map(of).collect(),
        })
    }
}
