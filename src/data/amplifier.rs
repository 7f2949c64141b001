//! From the channel numbers a cytometer stores to the linear scale they stand for: `$PnE` and `$PnG`.

use ndarray::Array2;

use super::{Column, DataError, Frame, Values};

/// The amplifier of one channel. Logarithmic: value = 10^(decades · x / range) · offset; linear: value = x / gain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Amplifier {
    /// Decades of a logarithmic amplifier; 0 for a linear one.
    pub decades: f64,
    /// Linear value of channel number 0 of a logarithmic amplifier.
    pub offset: f64,
    /// Channel numbers of all decades, `$PnR`.
    pub range: f64,
    /// Gain of a linear amplifier, `$PnG`.
    pub gain: f64,
}

impl Amplifier {
    /// From `$PnE` (`4,1`), `$PnR` and `$PnG`. An offset of 0 counts as 1, as the standard advises. `None` when `pne` is
    /// not two numbers, or a logarithmic amplifier has no range.
    pub fn parse(pne: &str, range: f64, gain: f64) -> Option<Self> {
        let (decades, offset) = pne.split_once(',')?;
        let number = |t: &str| t.trim().parse::<f64>().ok().filter(|x| x.is_finite() && *x >= 0.0);
        let (decades, offset) = (number(decades)?, number(offset)?);
        if decades > 0.0 && !(range > 0.0 && range.is_finite()) {
            return None;
        }
        let offset = if decades > 0.0 && offset == 0.0 { 1.0 } else { offset };
        let gain = if gain > 0.0 && gain.is_finite() { gain } else { 1.0 };
        Some(Self { decades, offset, range, gain })
    }

    /// Whether every value stays as it is.
    pub fn is_identity(&self) -> bool {
        self.decades == 0.0 && self.gain == 1.0
    }

    /// The linear value of a stored one. The standard has no gain beside a logarithm, so it is used for linear
    /// amplifiers alone.
    pub fn linear(&self, x: f64) -> f64 {
        if self.decades > 0.0 {
            10f64.powf(self.decades * x / self.range) * self.offset
        } else {
            x / self.gain
        }
    }
}

/// The amplifier of each channel, from the columns `pne`, `pnr` and `png` of a table of channels; channels without them
/// are linear.
///
/// # Errors
/// [`DataError::Invalid`] when an amplification is not two numbers, or logarithmic without a range.
pub fn amplifiers(var: &Frame) -> Result<Vec<Amplifier>, DataError> {
    let number = |name: &str, i: usize| match var.column(name) {
        Some(column) => column.text(i).and_then(|t| t.parse().ok()).unwrap_or(f64::NAN),
        None => f64::NAN,
    };
    let pne = var.column("pne");
    (0..var.len())
        .map(|i| {
            let pne = pne.and_then(|c| c.text(i)).filter(|t| !t.trim().is_empty()).unwrap_or("0,0".into());
            let gain = number("png", i);
            let gain = if gain.is_nan() { 1.0 } else { gain };
            Amplifier::parse(&pne, number("pnr", i), gain).ok_or_else(|| DataError::Invalid {
                what: format!(
                    "var: channel `{}`: `{pne}` with range {} is no amplification",
                    var.index.get(i).unwrap_or_default(),
                    number("pnr", i)
                ),
            })
        })
        .collect()
}

/// Notes in a table of channels that its values are on the linear scale: `pne` becomes `0,0`, `png` 1, and `pnr` what
/// the range was in channel numbers. A table without these columns stays as it is.
pub fn mark_linear(var: &mut Frame, amplifiers: &[Amplifier]) {
    mark_linear_where(var, amplifiers, |_| true);
    if var.column("png").is_some() {
        var.set("png", Column::Numbers(Values::F64(vec![1.0; var.len()])));
    }
}

/// As [`mark_linear`] for the channels with such an amplifier; gains stay.
pub(super) fn mark_linear_where(var: &mut Frame, amplifiers: &[Amplifier], of: impl Fn(&Amplifier) -> bool) {
    let n = var.len();
    let changed = |i: usize| amplifiers.get(i).filter(|a| of(a));
    if let Some(column) = var.column("pne") {
        let text = |i: usize| match changed(i) {
            Some(_) => "0,0".into(),
            None => column.text(i).unwrap_or_default().into_owned(),
        };
        let texts = (0..n).map(text).collect();
        var.set("pne", Column::Strings(texts));
    }
    if let Some(column) = var.column("pnr") {
        let range = |i: usize| column.text(i).and_then(|t| t.parse().ok()).unwrap_or(f64::NAN);
        let linear = (0..n).map(|i| changed(i).map_or(range(i), |a| a.linear(range(i)))).collect();
        var.set("pnr", Column::Numbers(Values::F64(linear)));
    }
}

/// Puts every column of `rows` (events × channels) on the linear scale; column i by amplifier i, columns without one stay.
pub fn amplify(amplifiers: &[Amplifier], rows: &mut Array2<f64>) {
    for (amplifier, mut column) in amplifiers.iter().zip(rows.columns_mut()) {
        if !amplifier.is_identity() {
            column.mapv_inplace(|x| amplifier.linear(x));
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_examples_of_the_standard_come_out() {
        // Four decades from 1 to 10,000 in 1,024 channels.
        let log = Amplifier::parse("4, 0", 1024.0, 10.0).unwrap();
        assert_eq!((log.linear(0.0), log.linear(512.0), log.linear(1024.0)), (1.0, 100.0, 10_000.0));
        let lifted = Amplifier::parse("4.0,0.1", 1024.0, 1.0).unwrap();
        assert_eq!(lifted.linear(512.0), 10.0);
        let gain = Amplifier::parse("0,0", 1024.0, 10.0).unwrap();
        assert_eq!(gain.linear(256.0), 25.6);
        assert!(Amplifier::parse("0,0", f64::NAN, 1.0).unwrap().is_identity());
    }

    #[test]
    fn what_cannot_be_computed_is_none() {
        assert_eq!(Amplifier::parse("4,1", f64::NAN, 1.0), None);
        assert_eq!(Amplifier::parse("4", 1024.0, 1.0), None);
        assert_eq!(Amplifier::parse("-1,1", 1024.0, 1.0), None);
    }

    #[test]
    fn columns_are_amplified_each_by_its_own() {
        let amplifiers = ["0,0", "1,1"].map(|e| Amplifier::parse(e, 10.0, 2.0).unwrap());
        let mut rows = array![[4.0, 10.0, 7.0], [6.0, 20.0, 8.0]];
        amplify(&amplifiers, &mut rows);
        assert_eq!(rows, array![[2.0, 10.0, 7.0], [3.0, 100.0, 8.0]]);
    }
}
