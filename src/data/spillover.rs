//! Spillover between fluorescence channels, and its removal.

use ndarray::{Array2, ArrayViewMut1};
use serde::{Deserialize, Serialize};

use super::DataError;

/// How much of each dye is seen in each channel. Row i: the dye of channel i; column j: channel j; 1 on the diagonal.
///
/// Stored as `{"channels": [...], "values": [[...], ...]}`, one list of `values` for each dye; checked when read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Spillover {
    channels: Vec<String>,
    matrix: Array2<f64>,
}

/// The stored form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    channels: Vec<String>,
    values: Vec<Vec<f64>>,
}

impl TryFrom<Stored> for Spillover {
    type Error = DataError;

    fn try_from(stored: Stored) -> Result<Self, DataError> {
        let n = stored.channels.len();
        if let Some((i, row)) = stored.values.iter().enumerate().find(|(_, row)| row.len() != n) {
            let what = format!("spillover of {n} channels: row {i} has {} values", row.len());
            return Err(DataError::Invalid { what });
        }
        let rows = stored.values.len();
        let matrix = Array2::from_shape_vec((rows, n), stored.values.into_iter().flatten().collect())
            .map_err(|e| DataError::Invalid { what: e.to_string() })?;
        Self::new(stored.channels, matrix)
    }
}

impl From<Spillover> for Stored {
    fn from(spillover: Spillover) -> Self {
        let values = spillover.matrix.rows().into_iter().map(|row| row.to_vec()).collect();
        Self { channels: spillover.channels, values }
    }
}

impl Spillover {
    /// Wraps a square matrix, dyes × channels.
    ///
    /// # Errors
    /// [`DataError::Invalid`] when it is empty, not square, holds a value that is not finite, or names a channel twice.
    pub fn new(channels: Vec<String>, matrix: Array2<f64>) -> Result<Self, DataError> {
        let n = channels.len();
        let invalid = |what: String| Err(DataError::Invalid { what });
        if n == 0 || matrix.dim() != (n, n) {
            let (rows, columns) = matrix.dim();
            return invalid(format!("spillover of {n} channels has a matrix of {rows} × {columns}"));
        }
        if let Some(((i, j), x)) = matrix.indexed_iter().find(|(_, x)| !x.is_finite()) {
            return invalid(format!("spillover of `{}` into `{}` is {x}", channels[i], channels[j]));
        }
        let mut sorted: Vec<&String> = channels.iter().collect();
        sorted.sort_unstable();
        if let Some(twice) = sorted.windows(2).find(|w| w[0] == w[1]) {
            return invalid(format!("spillover names the channel `{}` twice", twice[0]));
        }
        Ok(Self { channels, matrix })
    }

    /// Names of the channels, in the order of rows and columns.
    pub fn channels(&self) -> &[String] {
        &self.channels
    }

    /// Dyes × channels.
    pub fn matrix(&self) -> &Array2<f64> {
        &self.matrix
    }

    /// Whether there is nothing to remove.
    pub fn is_identity(&self) -> bool {
        self.matrix.indexed_iter().all(|((i, j), x)| *x == if i == j { 1.0 } else { 0.0 })
    }

    /// What turns observed into true intensities.
    ///
    /// # Errors
    /// [`DataError::Invalid`] when the matrix has no inverse.
    pub fn inverse(&self) -> Result<Compensation, DataError> {
        let n = self.channels.len();
        let mut left = self.matrix.clone();
        let mut right = Array2::eye(n);
        let scale = left.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        for k in 0..n {
            // The largest pivot keeps rounding errors small.
            let pivot =
                (k..n).max_by(|&a, &b| left[(a, k)].abs().total_cmp(&left[(b, k)].abs())).unwrap_or(k);
            if left[(pivot, k)].abs() <= scale * f64::EPSILON * n as f64 {
                return Err(DataError::Invalid {
                    what: format!(
                        "the spillover matrix of {n} channels has no inverse (`{}`)",
                        self.channels[k]
                    ),
                });
            }
            for j in 0..n {
                left.swap((k, j), (pivot, j));
                right.swap((k, j), (pivot, j));
            }
            let by = left[(k, k)];
            left.row_mut(k).mapv_inplace(|x| x / by);
            right.row_mut(k).mapv_inplace(|x| x / by);
            for i in (0..n).filter(|&i| i != k) {
                let factor = left[(i, k)];
                if factor != 0.0 {
                    for j in 0..n {
                        left[(i, j)] -= factor * left[(k, j)];
                        right[(i, j)] -= factor * right[(k, j)];
                    }
                }
            }
        }
        Ok(Compensation { matrix: right })
    }
}

/// The inverse of a spillover matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Compensation {
    matrix: Array2<f64>,
}

impl Compensation {
    /// Channels × dyes.
    pub fn matrix(&self) -> &Array2<f64> {
        &self.matrix
    }

    /// Compensates events in place: `rows` is events × any channels, `columns` says where each channel of the matrix is.
    ///
    /// # Errors
    /// [`DataError`] when the number of columns is not that of the matrix, or one is outside `rows`.
    pub fn apply(&self, rows: &mut Array2<f64>, columns: &[usize]) -> Result<(), DataError> {
        let n = self.matrix.nrows();
        if columns.len() != n {
            let what = "columns to compensate".into();
            return Err(DataError::Length { what, expected: n, found: columns.len() });
        }
        if let Some(&index) = columns.iter().find(|&&c| c >= rows.ncols()) {
            return Err(DataError::OutOfRange { what: "column", index, len: rows.ncols() });
        }
        let mut observed = vec![0.0; n];
        for mut event in rows.rows_mut() {
            self.event(&mut event, columns, &mut observed);
        }
        Ok(())
    }

    fn event(&self, event: &mut ArrayViewMut1<f64>, columns: &[usize], observed: &mut [f64]) {
        for (o, &c) in observed.iter_mut().zip(columns) {
            *o = event[c];
        }
        for (&c, weights) in columns.iter().zip(self.matrix.columns()) {
            event[c] = observed.iter().zip(weights).map(|(o, w)| o * w).sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("c{i}")).collect()
    }

    #[test]
    fn what_spilled_is_taken_back() {
        let s = Spillover::new(names(2), array![[1.0, 0.2], [0.05, 1.0]]).unwrap();
        // 100 of dye 0 and 40 of dye 1, between two channels that have no part in it.
        let mut rows = array![[7.0, 0.2 * 100.0 + 40.0, 8.0, 100.0 + 0.05 * 40.0]];
        s.inverse().unwrap().apply(&mut rows, &[3, 1]).unwrap();
        for (found, want) in rows.iter().zip([7.0, 40.0, 8.0, 100.0]) {
            assert!((found - want).abs() < 1e-12, "{rows}");
        }
    }

    #[test]
    fn the_inverse_needs_no_dominant_diagonal() {
        let m = array![[0.0, 2.0, 1.0], [1.0, 0.0, 0.0], [3.0, 0.0, 1.0]];
        let inverse = Spillover::new(names(3), m.clone()).unwrap().inverse().unwrap();
        let product = m.dot(inverse.matrix());
        for ((i, j), x) in product.indexed_iter() {
            assert!((x - f64::from(u8::from(i == j))).abs() < 1e-12, "{product}");
        }
    }

    #[test]
    fn the_stored_form_is_checked_when_read() {
        let text = r#"{"channels":["a","b"],"values":[[1.0,0.2],[0.05,1.0]]}"#;
        let s: Spillover = serde_json::from_str(text).unwrap();
        assert_eq!((s.matrix()[(0, 1)], serde_json::to_string(&s).unwrap().as_str()), (0.2, text));
        let no = |text: &str| serde_json::from_str::<Spillover>(text).unwrap_err().to_string();
        assert!(no(r#"{"channels":["a","b"],"values":[[1.0,0.2],[0.05]]}"#).contains("row 1 has 1 values"));
        assert!(no(r#"{"channels":["a","b"],"values":[[1.0,0.2]]}"#).contains("1 × 2"));
        assert!(no(r#"{"channels":["a"],"values":[[1.0]],"rows":1}"#).contains("unknown field"));
    }

    #[test]
    fn matrices_that_make_no_sense_are_refused() {
        let no = |n, m| Spillover::new(names(n), m).unwrap_err().to_string();
        assert!(no(2, array![[1.0]]).contains("1 × 1"));
        assert!(no(1, array![[f64::NAN]]).contains("`c0` into `c0` is NaN"));
        assert!(no(0, Array2::zeros((0, 0))).contains("0 channels"));
        let twice = Spillover::new(vec!["a".into(), "a".into()], Array2::eye(2)).unwrap_err();
        assert!(twice.to_string().contains("`a` twice"));
        let singular = Spillover::new(names(2), array![[1.0, 2.0], [2.0, 4.0]]).unwrap();
        assert!(singular.inverse().unwrap_err().to_string().contains("no inverse"));
    }
}
