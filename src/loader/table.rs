//! Chosen columns on the scale of a model.

use ndarray::Array2;

use crate::data::{DataError, Matrix};
use crate::recipe::{ScaleGuess, Transform};

/// Chosen columns of a matrix on the model's scale, cells × markers, with a look at the stored scale. `names` and `scale` have
/// one entry a column.
///
/// # Errors
/// [`DataError`] when the matrix cannot be read, or holds NaN or infinite values: those are named by cell and column.
pub fn table(
    matrix: &Matrix,
    columns: &[usize],
    names: &[String],
    scale: &[Transform],
    guess: &mut ScaleGuess,
) -> Result<Array2<f32>, DataError> {
    let rows: Vec<usize> = (0..matrix.shape().0).collect();
    some(matrix, &rows, columns, names, scale, guess)
}

/// The same of some rows only, which increase; the others are not looked at.
///
/// # Errors
/// As [`table`].
pub fn some(
    matrix: &Matrix,
    rows: &[usize],
    columns: &[usize],
    names: &[String],
    scale: &[Transform],
    guess: &mut ScaleGuess,
) -> Result<Array2<f32>, DataError> {
    if scale.len() != columns.len() {
        let what = "scales of columns".into();
        return Err(DataError::Length { what, expected: columns.len(), found: scale.len() });
    }
    let mut out = Array2::zeros((rows.len(), columns.len()));
    let mut done = 0;
    matrix.columns(columns, &mut |first, run| {
        while let Some(&row) = rows.get(done).filter(|r| **r < first + run.nrows()) {
            let from = run.row(row - first);
            for (c, ((&x, y), transform)) in from.iter().zip(out.row_mut(done)).zip(scale).enumerate() {
                guess.see(x);
                *y = transform.forward(x) as f32;
                if !y.is_finite() {
                    return Err(not_finite(x, row, names.get(c).map_or("?", String::as_str)));
                }
            }
            done += 1;
        }
        Ok(())
    })?;
    Ok(out)
}

/// A value that no model can take.
fn not_finite(x: f64, row: usize, name: &str) -> DataError {
    let what = if x.is_finite() {
        "too large for single precision on the chosen scale; use --transform arcsinh or remove such cells first"
    } else {
        "expected a finite number; remove such cells first"
    };
    DataError::Invalid { what: format!("cell {row}, {name}: found {x}, {what}") }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::data::{Dense, Values};

    #[test]
    fn a_nan_is_named_by_cell_and_marker() {
        let m = Matrix::Dense(Dense::new(2, 2, Values::F32(vec![1.0, 2.0, 3.0, f32::NAN])).unwrap());
        let names = ["CD3".to_owned(), "CD4".to_owned()];
        let e = table(&m, &[0, 1], &names, &[Transform::None; 2], &mut ScaleGuess::default()).unwrap_err();
        assert!(e.to_string().contains("cell 1, CD4: found NaN"), "{e}");
        assert!(table(&m, &[0], &names, &[Transform::None], &mut ScaleGuess::default()).is_ok());
    }
}
