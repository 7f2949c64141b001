//! Chosen columns on the scale of a model.

use ndarray::{Array2, Axis};

use crate::data::{DataError, Matrix};
use crate::recipe::{ScaleGuess, Transform};

/// Chosen columns of a matrix on the model's scale, cells × markers, with a look at the stored scale.
///
/// # Errors
/// [`DataError`] when the matrix cannot be read, or holds NaN or infinite values: those are named by cell and column.
pub fn table(
    matrix: &Matrix,
    columns: &[usize],
    names: &[String],
    transform: Transform,
    guess: &mut ScaleGuess,
) -> Result<Array2<f32>, DataError> {
    let (n, _) = matrix.shape();
    let mut out = Array2::zeros((n, columns.len()));
    matrix.columns(columns, &mut |first, run| {
        let mut to = out.slice_axis_mut(Axis(0), (first..first + run.nrows()).into());
        for (r, (from, mut to)) in run.rows().into_iter().zip(to.rows_mut()).enumerate() {
            for (c, (&x, y)) in from.iter().zip(to.iter_mut()).enumerate() {
                if !x.is_finite() {
                    let name = names.get(c).map_or("?", String::as_str);
                    return Err(DataError::Invalid {
                        what: format!(
                            "cell {}, {name}: found {x}, expected a finite number; remove such cells first",
                            first + r
                        ),
                    });
                }
                guess.see(x);
                *y = transform.forward(x) as f32;
                if !y.is_finite() {
                    let name = names.get(c).map_or("?", String::as_str);
                    return Err(DataError::Invalid {
                        what: format!(
                            "cell {}, {name}: found {x}, too large for single precision on the chosen scale; \
                             use --transform arcsinh or remove such cells first",
                            first + r
                        ),
                    });
                }
            }
        }
        Ok(())
    })?;
    Ok(out)
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::data::{Dense, Values};

    #[test]
    fn a_nan_is_named_by_cell_and_marker() {
        let m = Matrix::Dense(Dense::new(2, 2, Values::F32(vec![1.0, 2.0, 3.0, f32::NAN])).unwrap());
        let names = ["CD3".to_owned(), "CD4".to_owned()];
        let e = table(&m, &[0, 1], &names, Transform::None, &mut ScaleGuess::default()).unwrap_err();
        assert!(e.to_string().contains("cell 1, CD4: found NaN"), "{e}");
        assert!(table(&m, &[0], &names, Transform::None, &mut ScaleGuess::default()).is_ok());
    }
}
