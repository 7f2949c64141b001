//! Counts as the main matrix of a data set.

use super::{CountsError, Place, Rounded, Taken, rounded};
use crate::data::{Change, Dataset};

/// Makes the counts that are taken the main matrix: X, or `raw` with its own genes.
///
/// # Errors
/// [`CountsError`] when there is no such matrix.
pub fn make_main(dataset: &mut Dataset, taken: &Taken) -> Result<(), CountsError> {
    match &taken.place {
        Place::X => Ok(()),
        Place::Layer(_) => {
            dataset.x = Some(super::chosen(dataset, &taken.place)?.matrix.clone());
            Ok(())
        }
        Place::Raw => Ok(dataset.arrange(Some("raw"), &[])?),
    }
}

/// Rounds the main matrix of a data set, or of some of its features, where that was asked for. A layer the counts were
/// taken from is rounded with it. What changed is noted, in `taken` and in the data set.
///
/// # Errors
/// [`CountsError`] when the matrix cannot be read.
pub fn round_main(dataset: &mut Dataset, taken: &mut Taken, memory: u64) -> Result<(), CountsError> {
    if !taken.round {
        return Ok(());
    }
    let Some(x) = dataset.x.take() else { return Ok(()) };
    let failed = |source| CountsError::Data { place: taken.place.clone(), source };
    let (x, what) = x.shared().and_then(|x| rounded(&x, memory)).map_err(failed)?;
    if let Place::Layer(name) = &taken.place
        && what != Rounded::default()
    {
        dataset.layers.insert(name.clone(), x.clone());
    }
    if what != Rounded::default() {
        dataset.changes.push(Change::lossy(taken.place.to_string(), what.words()));
    }
    dataset.x = Some(x);
    taken.rounded = Some(what);
    Ok(())
}
