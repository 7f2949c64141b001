//! scx's own mark of the cells it has made: they are never taken for real ones.

use super::{Column, DataError, Dataset, Frame, Index, Take, Values};

/// Column of obs that tells made cells from real ones.
pub const COLUMN: &str = "is_synthetic";

/// Column of obs that tells predicted cells from measured ones: those are made, too.
pub const PREDICTED: &str = "is_predicted";

/// Columns of obs that mark made cells.
pub const MARKS: [&str; 2] = [COLUMN, PREDICTED];

/// Column of obs with the model of a made cell.
pub const MODEL: &str = "scx_model";

/// How the name of a made cell begins in formats that hold names of cells and nothing else about them.
pub const NAME_PREFIX: &str = "scx-synthetic-";

/// Which cells of a table are made, by one of [`MARKS`] or by their names; `None` when none is.
pub fn marks(obs: &Frame) -> Option<Vec<bool>> {
    let mut made = vec![false; obs.len()];
    for marked in MARKS.iter().filter_map(|name| obs.column(name).and_then(flags)) {
        made.iter_mut().zip(marked).for_each(|(m, mark)| *m |= mark);
    }
    if let Index::Names { values, .. } = &obs.index {
        made.iter_mut().zip(values.iter()).for_each(|(m, name)| *m |= name.starts_with(NAME_PREFIX));
    }
    made.contains(&true).then_some(made)
}

/// Which cells of a data set are made; see [`marks`].
pub fn mask(dataset: &Dataset) -> Option<Vec<bool>> {
    marks(&dataset.obs)
}

/// The column as marks: booleans, 0 and 1, or these as text; missing entries are not made. `None` for anything else, which
/// scx has not written.
pub fn flags(column: &Column) -> Option<Vec<bool>> {
    if let Column::Numbers(Values::Bool(v)) = column {
        return Some(v.clone());
    }
    let (codes, labels) = column.groups().ok()?;
    let marks: Vec<bool> = labels
        .iter()
        .map(|l| match l.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "1.0" | "yes" => Some(true),
            "false" | "0" | "0.0" | "no" | "" | "nan" => Some(false),
            _ => None,
        })
        .collect::<Option<_>>()?;
    Some(codes.into_iter().map(|c| c.is_some_and(|c| marks[c])).collect())
}

/// The real cells of a data set and their positions; `None` when all cells are real.
///
/// # Errors
/// [`DataError`] when they cannot be chosen.
pub fn real(dataset: &Dataset) -> Result<Option<(Vec<usize>, Dataset)>, DataError> {
    let Some(made) = mask(dataset) else { return Ok(None) };
    let rows: Vec<usize> = (0..made.len()).filter(|&i| !made[i]).collect();
    let taken = dataset.select(&Take::entries(made.len(), &rows)?, &Take::all(dataset.n_vars()))?;
    Ok(Some((rows, taken)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Categorical, Categories};

    fn obs(column: Column) -> Frame {
        Frame::new(Index::Range(column.len())).with(COLUMN, column)
    }

    #[test]
    fn a_mark_is_read_from_every_form_a_format_gives_it() {
        let text = |v: [&str; 3]| v.map(String::from).to_vec();
        for column in [
            Column::Numbers(Values::Bool(vec![false, true, false])),
            Column::Numbers(Values::U8(vec![0, 1, 0])),
            Column::Numbers(Values::F64(vec![0.0, 1.0, f64::NAN])),
            Column::Strings(text(["False", "True", ""])),
            Column::Strings(text(["false", "true", "false"])),
            Column::NullableStrings(vec![None, Some("TRUE".into()), None]),
            Column::Categorical(Categorical {
                codes: vec![0, 1, -1],
                categories: Categories::Strings(vec!["False".into(), "True".into()]),
                ordered: false,
            }),
        ] {
            assert_eq!(marks(&obs(column.clone())), Some(vec![false, true, false]), "{column:?}");
        }
        let both = obs(Column::Numbers(Values::Bool(vec![true, false, false])))
            .with(PREDICTED, Column::Numbers(Values::Bool(vec![false, false, true])));
        assert_eq!(marks(&both), Some(vec![true, false, true]));
        assert_eq!(marks(&obs(Column::Strings(text(["maybe", "True", ""])))), None);
        assert_eq!(marks(&obs(Column::Numbers(Values::Bool(vec![false; 3])))), None);
        let names = Index::names(["c1", "scx-synthetic-1", "synthetic-1"].map(String::from).to_vec());
        assert_eq!(marks(&Frame::new(names)), Some(vec![false, true, false]));
    }
}
