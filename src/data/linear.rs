//! Logarithmic channels put on the linear scale, while the matrix is walked through.

use super::amplifier::{amplifiers, mark_linear_where};
use super::{Amplifier, Change, DType, DataError, Dataset, Patch};

/// Columns of X that hold channel numbers of a logarithmic amplifier: X is of whole numbers and `var["pne"]` states
/// decades. Floats are linear whatever the columns say.
///
/// # Errors
/// [`DataError::Invalid`] when an amplification is not two numbers, or logarithmic without a range.
pub fn logarithmic(dataset: &Dataset) -> Result<Vec<usize>, DataError> {
    let whole = dataset.x.as_ref().is_some_and(|x| x.dtype().is_integer());
    if !whole || dataset.var.column("pne").is_none() {
        return Ok(Vec::new());
    }
    let all = amplifiers(&dataset.var)?;
    Ok(all.iter().enumerate().filter(|(_, a)| a.decades > 0.0).map(|(i, _)| i).collect())
}

/// The data set with its logarithmic channels ([`logarithmic`]) on the linear scale: value = 10^(f1 · x / `$PnR`) · f2,
/// computed in double precision while X is read. Their `pne` becomes `0,0` and their `pnr` what it was in channel
/// numbers; linear channels and every `png` stay. A data set without such channels stays as it is. What was done is
/// noted in `changes`.
///
/// # Errors
/// As [`logarithmic`].
pub fn linear(mut dataset: Dataset) -> Result<Dataset, DataError> {
    let columns = logarithmic(&dataset)?;
    let Some(base) = dataset.x.take() else { return Ok(dataset) };
    if columns.is_empty() {
        dataset.x = Some(base);
        return Ok(dataset);
    }
    let amplifiers = only(&amplifiers(&dataset.var)?);
    mark_linear_where(&mut dataset.var, &amplifiers, |a| a.decades > 0.0);
    let names: Vec<_> = columns.iter().take(3).filter_map(|&i| dataset.var.index.get(i)).collect();
    let more = if columns.len() > names.len() { ", …" } else { "" };
    let what =
        format!("logarithmic channels are put on the linear scale by their $PnE: {}{more}", names.join(", "));
    let linear = move |column: usize, x| amplifiers.get(column).map_or(x, |a: &Amplifier| a.linear(x));
    dataset.x = Some(base.mapped(DType::F64, columns, linear));
    dataset.changes.push(Change::harmless("X", what));
    Ok(dataset)
}

/// New values in channel numbers on the scale that [`linear`] gives the data set they belong to.
///
/// # Errors
/// As [`logarithmic`].
pub fn linear_patch(dataset: &Dataset, patch: Patch) -> Result<Patch, DataError> {
    if logarithmic(dataset)?.is_empty() {
        return Ok(patch);
    }
    let amplifiers = only(&amplifiers(&dataset.var)?);
    let mut values = patch.values().mapv(f64::from);
    for (&column, mut new) in patch.columns().iter().zip(values.columns_mut()) {
        if let Some(a) = amplifiers.get(column).filter(|a| !a.is_identity()) {
            new.mapv_inplace(|x| a.linear(x));
        }
    }
    Patch::new(patch.rows().to_vec(), patch.columns().to_vec(), values.mapv(|x| x as f32))
}

/// The logarithmic amplifiers; linear ones change nothing here.
fn only(all: &[Amplifier]) -> Vec<Amplifier> {
    let one = |a: &Amplifier| if a.decades > 0.0 { *a } else { Amplifier { gain: 1.0, ..*a } };
    all.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::data::{Column, Dense, Frame, Index, Matrix, Values};

    /// Two events of a linear channel with gain and a logarithmic one.
    fn dataset(values: Values) -> Dataset {
        let text = |v: [&str; 2]| Column::Strings(v.map(String::from).to_vec());
        let number = |v: [f64; 2]| Column::Numbers(Values::F64(v.to_vec()));
        let var = Frame::new(Index::names(["FSC-H", "FL1-H"].map(String::from).to_vec()))
            .with("pne", text(["0,0", "4,1"]))
            .with("pnr", number([1024.0, 1024.0]))
            .with("png", number([2.0, 1.0]));
        let mut d = Dataset::new(Frame::new(Index::Range(2)), var);
        d.x = Some(Matrix::Dense(Dense::new(2, 2, values).unwrap()));
        d
    }

    #[test]
    fn only_logarithmic_channels_of_whole_numbers_change() {
        let stored = dataset(Values::U16(vec![7, 512, 9, 0]));
        assert_eq!(logarithmic(&stored).unwrap(), [1]);
        let d = linear(stored).unwrap();
        let x = d.x.as_ref().unwrap();
        assert_eq!(x.rows(0..2).unwrap().to_f64(), array![[7.0, 100.0], [9.0, 1.0]]);
        let mut seen = Vec::new();
        x.columns(&[1], &mut |_, block| {
            seen.extend(block);
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, [100.0, 1.0]);
        let texts = |name: &str| {
            let column = d.var.column(name).unwrap();
            (0..2).map(|i| column.text(i).unwrap().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!((texts("pne"), texts("png")), (vec!["0,0".into(); 2], vec!["2.0".into(), "1.0".into()]));
        assert_eq!(texts("pnr"), ["1024.0", "10000.0"]);
        assert!(d.changes[0].what.ends_with("$PnE: FL1-H") && !d.changes[0].lost);
        // Linear values are not put on the linear scale once more.
        assert!(logarithmic(&d).unwrap().is_empty());
        assert!(logarithmic(&dataset(Values::F32(vec![7.0, 512.0, 9.0, 0.0]))).unwrap().is_empty());
    }

    #[test]
    fn new_values_follow_their_channel() {
        let d = dataset(Values::U16(vec![7, 512, 9, 0]));
        let patch = Patch::new(vec![1], vec![0, 1], array![[5.5, 256.0]]).unwrap();
        assert_eq!(linear_patch(&d, patch.clone()).unwrap().values(), &array![[5.5f32, 10.0]]);
        assert_eq!(linear_patch(&linear(d).unwrap(), patch.clone()).unwrap(), patch);
    }
}
