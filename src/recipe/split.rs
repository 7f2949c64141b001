//! Cells divided into parts for training, testing and validation, in the same proportions from every group.

use super::RecipeError;
use crate::data::{Dataset, did_you_mean, synthetic};
use crate::rng::Seed;

/// Cells by the values of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// The group of each cell.
    pub of: Vec<Option<usize>>,
    /// Names of the groups.
    pub names: Vec<String>,
    /// Cells without a value.
    pub missing: usize,
}

/// The groups of a column of obs. Cells that scx has made have none, so that they train and are never tested on, unless
/// there are no others.
///
/// # Errors
/// [`RecipeError`] when the column is not there or cannot be read.
pub fn groups_by(dataset: &Dataset, key: &str) -> Result<Groups, RecipeError> {
    let obs = &dataset.obs;
    let names = || obs.columns.iter().map(|c| c.0.as_str());
    let column = obs.column(key).ok_or_else(|| {
        let there = match names().collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "obs has no columns".to_owned(),
            some => format!("obs has {some}"),
        };
        RecipeError::usage(format!("no column {key}{} in obs ({there})", did_you_mean(key, names())))
    })?;
    let read = |e: crate::data::DataError| RecipeError::Data(e.within(&format!("obs[{key:?}]")));
    let (mut of, labels) = column.groups().map_err(read)?;
    let missing = of.iter().filter(|g| g.is_none()).count();
    if let Some(made) = synthetic::marks(obs).filter(|made| made.contains(&false)) {
        let n = made.iter().filter(|m| **m).count();
        tracing::warn!(
            "{n} cells were made by scx; they go to the part to learn from, and none is tested on"
        );
        of.iter_mut().zip(&made).filter(|(_, made)| **made).for_each(|(group, _)| *group = None);
    }
    Ok(Groups { of, names: labels, missing })
}

/// The cells of each part, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Cells to learn from.
    pub train: Vec<usize>,
    /// Cells to test on.
    pub test: Vec<usize>,
    /// Cells to choose settings by.
    pub valid: Vec<usize>,
}

/// Takes the share `test` and the share `valid` of each group, rounded down, at random and without replacement; all other
/// cells train. Cells without a group (`None`) train. The order of groups does not matter, their names do.
///
/// # Errors
/// [`RecipeError::Usage`] when the shares leave nothing to train on.
pub fn balanced(
    groups: &[Option<usize>],
    labels: &[String],
    test: f64,
    valid: f64,
    seed: Seed,
) -> Result<Split, RecipeError> {
    let share = |x: f64| x.is_finite() && (0.0..1.0).contains(&x);
    if !share(test) || !share(valid) || test + valid >= 1.0 {
        return Err(RecipeError::usage(format!(
            "shares of {test} for testing and {valid} for validation: each must be 0 or more, and both together below 1"
        )));
    }
    let mut members = vec![Vec::new(); labels.len()];
    for (cell, group) in groups.iter().enumerate() {
        if let Some(cells) = group.and_then(|g| members.get_mut(g)) {
            cells.push(cell);
        }
    }
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|&a, &b| labels[a].cmp(&labels[b]));
    let mut random = seed.stream("split");
    let mut part = vec![0u8; groups.len()];
    for group in order {
        let cells = &members[group];
        // 0.29 of 100 is 28.999… in a computer.
        let number = |share: f64| (share * cells.len() as f64 + 1e-9).floor() as usize;
        let (n_test, n_valid) = (number(test), number(valid));
        let shuffled = random.permutation(cells.len());
        for (place, &i) in shuffled.iter().take(n_test + n_valid).enumerate() {
            part[cells[i]] = if place < n_test { 1 } else { 2 };
        }
    }
    let of = |which: u8| (0..part.len()).filter(|&i| part[i] == which).collect::<Vec<_>>();
    let split = Split { train: of(0), test: of(1), valid: of(2) };
    if split.train.is_empty() {
        return Err(RecipeError::usage("no cell is left to train on"));
    }
    Ok(split)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Vec<String> {
        names.iter().map(|s| (*s).to_owned()).collect()
    }

    #[test]
    fn each_group_gives_its_share_rounded_down() {
        // 100 + 37 + 9 cells, and 4 without a group.
        let mut groups = vec![Some(0); 100];
        groups.extend(vec![Some(1); 37]);
        groups.extend(vec![Some(2); 9]);
        groups.extend(vec![None; 4]);
        let s = balanced(&groups, &labels(&["a", "b", "c"]), 0.29, 0.1, Seed(0)).unwrap();
        let count = |part: &[usize], g| part.iter().filter(|&&i| groups[i] == g).count();
        assert_eq!([0, 1, 2].map(|g| count(&s.test, Some(g))), [29, 10, 2]);
        assert_eq!([0, 1, 2].map(|g| count(&s.valid, Some(g))), [10, 3, 0]);
        assert_eq!(count(&s.train, None), 4);
        let mut all = [s.train, s.test, s.valid].concat();
        all.sort_unstable();
        assert_eq!(all, (0..150).collect::<Vec<_>>());
    }

    #[test]
    fn the_same_seed_gives_the_same_cells_whatever_the_order_of_categories() {
        let groups: Vec<_> = (0..60).map(|i| Some(i % 2)).collect();
        let turned: Vec<_> = (0..60).map(|i| Some(1 - i % 2)).collect();
        let one = balanced(&groups, &labels(&["a", "b"]), 0.2, 0.0, Seed(1)).unwrap();
        assert_eq!(one, balanced(&turned, &labels(&["b", "a"]), 0.2, 0.0, Seed(1)).unwrap());
        assert_ne!(one, balanced(&groups, &labels(&["a", "b"]), 0.2, 0.0, Seed(2)).unwrap());
    }

    #[test]
    fn shares_that_leave_nothing_are_refused() {
        let groups = vec![Some(0); 10];
        for (test, valid) in [(1.0, 0.0), (0.5, 0.5), (-0.1, 0.0), (f64::NAN, 0.0)] {
            assert!(balanced(&groups, &labels(&["a"]), test, valid, Seed(0)).is_err(), "{test} {valid}");
        }
    }
}
