//! Channels of a cytometer: which column is meant, and what its amplifier did.

use super::RecipeError;
use crate::data::{Amplifier, Dataset};

/// The column of a channel, by its name in the table, as the file names it, or by its stain.
pub(super) fn column_of(dataset: &Dataset, channel: &str) -> Result<usize, RecipeError> {
    let by_name = dataset.var.index.iter().position(|n| n == channel);
    let by_column = |column: &str| {
        let names = dataset.var.column(column)?;
        (0..names.len()).find(|&i| names.text(i).is_some_and(|n| n.trim() == channel))
    };
    by_name
        .or_else(|| by_column("channel"))
        .or_else(|| by_column("marker"))
        .ok_or_else(|| RecipeError::input(format!("there is no channel {channel}")))
}

/// What undoes the amplifier of each channel, as the table of channels has it: it follows its channel wherever that
/// goes, and knows whether stored values are channel numbers.
pub(super) fn amplifiers(dataset: &Dataset) -> Result<Vec<Amplifier>, RecipeError> {
    if dataset.var.column("pne").is_none() {
        return Err(RecipeError::input(
            "amplify: the channels state no amplifier (no column pne in var): the data come from no FCS file",
        ));
    }
    crate::data::amplifiers(&dataset.var).map_err(|e| RecipeError::input(e.to_string()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::data::{Column, Dense, Frame, Index, Matrix, Spillover, Take, Values};
    use crate::recipe::{Options, Recipe, Step};

    /// Two events of four channels: linear, with gain, logarithmic, and a float that was logarithmic once.
    fn dataset() -> Dataset {
        let names = ["Time", "FSC-A", "FL1-H", "FL2-H"].map(String::from);
        let text = |v: [&str; 4]| Column::Strings(v.map(String::from).to_vec());
        let number = |v: [f64; 4]| Column::Numbers(Values::F64(v.to_vec()));
        let var = Frame::new(Index::names(names.to_vec()))
            .with("marker", text(["", "", "CD3", "CD4"]))
            .with("channel", text(["Time", "FSC-A", "FL1-H", "FL2-H"]))
            .with("pnr", number([1024.0, 1024.0, 1024.0, f64::NAN]))
            .with("pne", text(["0,0", "0,0", "4,0", "0,0"]))
            .with("png", number([1.0, 2.0, 1.0, 1.0]));
        let mut d = Dataset::new(Frame::new(Index::Range(2)), var);
        let values = vec![1.0, 512.0, 512.0, 7.5, 2.0, 256.0, 0.0, 512.0];
        d.x = Some(Matrix::Dense(Dense::new(2, 4, Values::F64(values)).unwrap()));
        // What the file said; positions are those before any selection.
        let keywords = [("$PAR", "4"), ("$P3E", "4,0"), ("$P3R", "1024"), ("$P4E", "4,1"), ("$P4R", "1024")];
        d.source.keywords = keywords.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        d
    }

    fn run(step: Step, d: &mut Dataset) -> Vec<f64> {
        Recipe { steps: vec![step] }.fit_apply(d, &Options::default()).unwrap();
        d.x.as_ref().unwrap().rows(0..d.n_obs()).unwrap().to_f64().into_iter().collect()
    }

    fn texts(d: &Dataset, column: &str) -> Vec<String> {
        let column = d.var.column(column).unwrap();
        (0..column.len()).map(|i| column.text(i).unwrap().into_owned()).collect()
    }

    #[test]
    fn amplifiers_follow_their_channels_and_floats_stay() {
        // Channel 512 of 1,024 over four decades is 100; `$P4E` stands beside floats and is not used.
        let mut d = dataset();
        assert_eq!(run(Step::Amplify, &mut d), [1.0, 256.0, 100.0, 7.5, 2.0, 128.0, 1.0, 512.0]);
        // In another order and with a channel gone.
        let mut d = dataset().select(&Take::all(2), &Take::entries(4, &[3, 2, 1]).unwrap()).unwrap();
        assert_eq!(run(Step::Amplify, &mut d), [7.5, 100.0, 256.0, 512.0, 1.0, 128.0]);
    }

    #[test]
    fn amplified_channels_say_they_are_linear_and_stay_so() {
        let mut d = dataset();
        let once = run(Step::Amplify, &mut d);
        assert_eq!(texts(&d, "pne"), ["0,0"; 4]);
        assert_eq!(texts(&d, "png"), ["1.0"; 4]);
        assert_eq!(texts(&d, "pnr")[..3], ["1024.0", "512.0", "10000.0"]);
        d.layers = BTreeMap::new();
        assert_eq!(run(Step::Amplify, &mut d), once);
    }

    #[test]
    fn without_a_table_of_channels_nothing_is_amplified() {
        let mut d = dataset();
        d.var.columns.clear();
        let e = Recipe { steps: vec![Step::Amplify] }.fit_apply(&mut d, &Options::default()).unwrap_err();
        assert!(e.to_string().contains("state no amplifier"), "{e}");
    }

    #[test]
    fn spillover_finds_its_channels_by_name_wherever_they_are() {
        let matrix = ndarray::array![[1.0, 0.5], [0.0, 1.0]];
        let spillover = Spillover::new(["FL1-H", "CD4"].map(String::from).to_vec(), matrix).unwrap();
        let step = Step::Compensate { spillover: Some(spillover) };
        // Half of what FL1 shows is in FL2 too.
        let mut d = dataset();
        assert_eq!(run(step.clone(), &mut d), [1.0, 512.0, 512.0, -248.5, 2.0, 256.0, 0.0, 512.0]);
        let mut d = dataset().select(&Take::all(2), &Take::entries(4, &[3, 0, 2]).unwrap()).unwrap();
        assert_eq!(run(step.clone(), &mut d), [-248.5, 1.0, 512.0, 512.0, 2.0, 0.0]);
        let mut d = dataset().select(&Take::all(2), &Take::entries(4, &[3, 0]).unwrap()).unwrap();
        let e = Recipe { steps: vec![step] }.fit_apply(&mut d, &Options::default()).unwrap_err();
        assert!(e.to_string().contains("there is no channel FL1-H"), "{e}");
    }
}
