//! What a sheet says of a file as columns of obs.

use super::rows::{Sheet, SheetRow};
use crate::data::{Categorical, Categories, Column, Values};

impl Sheet {
    /// What the sheet says of a file, as columns for `n` cells: the run, then sample, donor, group and all columns scx gives no
    /// meaning. A column whose entries are numbers in all rows is one of numbers; an empty entry is missing.
    pub fn columns(&self, row: &SheetRow, n: usize) -> Vec<(String, Column)> {
        let run = (!row.run.is_empty()).then(|| ("run".to_owned(), text(&row.run, n)));
        let others = row.obs.iter().map(|(name, value)| (name.clone(), self.column(name, value, n)));
        run.into_iter().chain(others).collect()
    }

    fn column(&self, name: &str, value: &str, n: usize) -> Column {
        let entries =
            || self.rows.iter().flat_map(|r| &r.obs).filter(|(k, _)| k == name).map(|(_, v)| v.as_str());
        let given = || entries().filter(|v| !v.is_empty());
        // What names something stays text: 01 is not 1.
        let plain = |v: &str| v.parse::<i64>().is_ok_and(|x| x.to_string() == v);
        if entries().all(plain) {
            return Column::Numbers(Values::I64(vec![value.parse().unwrap_or(0); n]));
        }
        let number = |v: &str| v.parse::<f64>().is_ok_and(f64::is_finite) && !zero_padded(v);
        if given().next().is_some() && given().all(number) {
            return Column::Numbers(Values::F64(vec![value.parse().unwrap_or(f64::NAN); n]));
        }
        text(value, n)
    }
}

fn zero_padded(v: &str) -> bool {
    let digits = v.trim_start_matches(['-', '+']);
    digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.")
}

/// One text for all cells; missing when it is empty.
fn text(value: &str, n: usize) -> Column {
    let (code, categories) = if value.is_empty() { (-1, Vec::new()) } else { (0, vec![value.to_owned()]) };
    let categories = Categories::Strings(categories);
    Column::Categorical(Categorical { codes: vec![code; n], categories, ordered: false })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn sheet(values: &[&str]) -> Sheet {
        let row = |v: &&str| SheetRow {
            line: 2,
            file: PathBuf::from("a.fcs"),
            run: "1".into(),
            control: false,
            holdout: false,
            sample: None,
            group: None,
            panel: None,
            cofactor: None,
            obs: vec![("x".into(), (*v).to_owned())],
        };
        Sheet { path: PathBuf::from("s.csv"), rows: values.iter().map(row).collect() }
    }

    #[test]
    fn numbers_stay_numbers_and_names_stay_text() {
        let column = |values: &[&str], i: usize| {
            let s = sheet(values);
            s.columns(&s.rows[i], 2).pop().unwrap().1
        };
        assert_eq!(column(&["30", "40"], 1), Column::Numbers(Values::I64(vec![40, 40])));
        assert_eq!(column(&["3.5", "4"], 1), Column::Numbers(Values::F64(vec![4.0, 4.0])));
        let Column::Numbers(Values::F64(v)) = column(&["30", ""], 1) else { panic!() };
        assert!(v.iter().all(|x| x.is_nan()));
        assert_eq!(column(&["01", "02"], 0).text(0).unwrap(), "01");
        let Column::Categorical(c) = column(&["a", ""], 1) else { panic!() };
        assert_eq!(c.codes, [-1, -1]);
    }
}
