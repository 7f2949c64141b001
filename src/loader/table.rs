//! Chosen columns on the scale of a model.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};
use rayon::prelude::*;

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
        let end = rows.partition_point(|r| *r < first + run.nrows());
        let (picked, mut to) = (&rows[done..end], out.slice_axis_mut(Axis(0), (done..end).into()));
        done = end;
        let parts: Vec<Result<ScaleGuess, DataError>> = to
            .axis_chunks_iter_mut(Axis(0), ROWS)
            .into_par_iter()
            .zip(picked.par_chunks(ROWS))
            .map(|(to, rows)| part(run.view(), first, rows, to, names, scale))
            .collect();
        // In order, so that the first value that is no number is the one that is named.
        for seen in parts {
            guess.take(&seen?);
        }
        Ok(())
    })?;
    Ok(out)
}

/// Rows that one thread takes at a time.
const ROWS: usize = 1024;

/// Some rows of a run whose first row is `first`.
fn part(
    run: ArrayView2<'_, f64>,
    first: usize,
    rows: &[usize],
    mut to: ArrayViewMut2<'_, f32>,
    names: &[String],
    scale: &[Transform],
) -> Result<ScaleGuess, DataError> {
    let mut guess = ScaleGuess::default();
    for (&row, mut to) in rows.iter().zip(to.rows_mut()) {
        for (c, ((&x, y), transform)) in run.row(row - first).iter().zip(&mut to).zip(scale).enumerate() {
            guess.see(x);
            *y = transform.forward(x) as f32;
            if !y.is_finite() {
                return Err(not_finite(x, row, names.get(c).map_or("?", String::as_str)));
            }
        }
    }
    Ok(guess)
}

/// Takes values (cells × markers) back to the stored scale, in place; `scale` has one entry a column.
pub fn undo(values: &mut Array2<f32>, scale: &[Transform]) {
    values.axis_chunks_iter_mut(Axis(0), ROWS).into_par_iter().for_each(|mut rows| {
        for mut row in rows.rows_mut() {
            row.iter_mut().zip(scale).for_each(|(v, s)| *v = s.inverse(f64::from(*v)) as f32);
        }
    });
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
