//! `$PnR` and `$PnB` of a channel to be written: what holds its values, and what its amplifier counts in.

use super::channel::Stored;
use super::compose::Column;

/// Widths of whole numbers that every program reads.
const WIDTHS: [u32; 3] = [8, 16, 32];

impl Column {
    /// `$PnB` of a channel of whole numbers up to `max`: holds them and the range, and is no less than it was. `None` when
    /// the values take more than 32 bits, or more than the range lets through where an amplifier counts in it.
    pub(super) fn bits_for(&self, max: f64) -> Option<u32> {
        let values = bits(max + 1.0);
        let range = self.range.filter(|r| r.is_finite() && *r >= 1.0).map(bits);
        let need = match range {
            Some(range) if self.is_logarithmic() && (values > range || range > 32) => return None,
            Some(range) => values.max(range.min(32)),
            None => values,
        };
        let width = WIDTHS.into_iter().find(|w| *w >= need)?;
        let before = self.bits.and_then(|b| WIDTHS.into_iter().find(|w| *w >= b));
        Some(width.max(before.unwrap_or(0)))
    }

    /// Whether an amplifier with decades made the values.
    fn is_logarithmic(&self) -> bool {
        let decades = self.amplification.as_deref().and_then(|e| e.split(',').next()?.trim().parse().ok());
        decades.is_some_and(|d: f64| d > 0.0)
    }
}

/// Bits that readers let through for a range: they mask at the next power of two.
fn bits(range: f64) -> u32 {
    let whole = range.ceil() as u64;
    whole.checked_next_power_of_two().map_or(64, |p| p.trailing_zeros())
}

/// `$PnR`: the one of before where it holds the values, else the next whole number above the largest. As long as it can
/// get before the largest value is known.
pub(super) fn range(old: Option<&str>, column: &Column, stored: Stored) -> String {
    let old = old.map(str::trim).unwrap_or_default();
    let Some(max) = column.max else {
        // One more digit than the largest number has: rounding up may add one.
        return "9".repeat((if stored == Stored::Double { 310 } else { 40 }).max(old.len() + 1));
    };
    let kept: Option<f64> = old.parse().ok();
    // What the table of channels says holds for the values as they are now.
    let range = column.range.filter(|r| r.is_finite()).or(kept).filter(|r| r.is_finite() && *r >= 1.0);
    let old = Some(old).filter(|o| kept == range && !o.is_empty());
    match stored {
        Stored::Integer(width) => of_whole(range, old, column, width),
        _ => of_floats(range, old, max),
    }
}

fn of_whole(range: Option<f64>, old: Option<&str>, column: &Column, width: u32) -> String {
    let top = 2f64.powi(width as i32);
    let max = column.max.filter(|m| m.is_finite()).unwrap_or(0.0);
    let as_stored = |r: f64| old.map_or_else(|| r.to_string(), str::to_owned);
    match range {
        // The amplifier counts in it, whatever the values are.
        Some(r) if column.is_logarithmic() => as_stored(r),
        Some(r) if r > top => format!("{top:.0}"),
        Some(r) if bits(r) >= bits(max + 1.0) && r.fract() == 0.0 => as_stored(r),
        Some(r) if bits(r) >= bits(max + 1.0) => format!("{:.0}", r.ceil()),
        Some(_) => format!("{:.0}", max + 1.0),
        // No bits are masked where no range is known.
        None => format!("{top:.0}"),
    }
}

fn of_floats(range: Option<f64>, old: Option<&str>, max: f64) -> String {
    match range {
        Some(r) if r >= max => match old.filter(|o| o.bytes().all(|b| b.is_ascii_digit())) {
            Some(old) => old.to_owned(),
            None => format!("{:.0}", r.ceil()),
        },
        _ if max < 1.0 => "1".to_owned(),
        // A range is exclusive in the standard: one above the largest value, where that can be told apart.
        _ => format!("{:.0}", max.floor() + 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(range: Option<f64>, pne: &str, max: Option<f64>) -> Column {
        Column { max, range, amplification: Some(pne.into()), ..Column::named("A") }
    }

    #[test]
    fn the_range_is_whole_and_never_below_the_largest_value() {
        let of = |old: Option<&str>, max: f64| range(old, &column(None, "0,0", Some(max)), Stored::Float);
        assert_eq!(of(Some("1024"), 1023.0), "1024");
        assert_eq!(of(Some("23.4094"), 20.0), "24");
        assert_eq!(of(Some("1024"), 1024.5), "1025");
        assert_eq!(of(Some("1024"), 2000.0), "2001");
        assert_eq!(of(None, f64::NEG_INFINITY), "1");
        let longest = of(Some("junk"), f64::from(f32::MAX));
        assert_eq!(longest, "340282346638528859811704183484516925440");
        let unknown = column(None, "0,0", None);
        assert!(range(None, &unknown, Stored::Float).len() > longest.len());
        assert_eq!(range(None, &unknown, Stored::Double).len(), of(None, f64::MAX).len() + 1);
        assert_eq!(range(None, &column(Some(512.0), "0,0", Some(3.0)), Stored::Float), "512");
        // What the table of channels says now is no longer what the keyword said.
        assert_eq!(range(Some("1024"), &column(Some(10_000.0), "0,0", Some(3.0)), Stored::Double), "10000");
    }

    #[test]
    fn whole_numbers_keep_range_and_width_unless_bits_would_be_masked() {
        let linear = |r: f64, max: f64| {
            let c = column(Some(r), "0,0", Some(max));
            let bits = c.bits_for(max).unwrap();
            (bits, range(Some(&r.to_string()), &c, Stored::Integer(bits)))
        };
        assert_eq!(linear(1024.0, 1023.0), (16, "1024".into()));
        assert_eq!(linear(1000.0, 1023.0), (16, "1000".into()));
        assert_eq!(linear(1000.0, 1024.0), (16, "1025".into()));
        assert_eq!(linear(256.0, 255.0), (8, "256".into()));
        assert_eq!(linear(256.0, 256.0), (16, "257".into()));
        assert_eq!(linear(16_777_216.0, 3.0), (32, "16777216".into()));
        assert_eq!(linear(2f64.powi(40), 3.0), (32, "4294967296".into()));
        assert_eq!(linear(2f64.powi(32), 2f64.powi(32) - 1.0).0, 32);
        assert_eq!(column(None, "0,0", None).bits_for(2f64.powi(32)), None);
        let unknown = column(Some(f64::NAN), "0,0", Some(300.0));
        assert_eq!(range(Some("0"), &unknown, Stored::Integer(16)), "65536");
        let wide = Column { bits: Some(32), ..column(Some(1024.0), "0,0", None) };
        assert_eq!(wide.bits_for(1.0), Some(32));
        assert_eq!(Column { bits: Some(24), ..wide.clone() }.bits_for(1.0), Some(32));
        assert_eq!(Column { bits: Some(64), ..wide }.bits_for(1.0), Some(16));
    }

    #[test]
    fn the_range_of_an_amplifier_never_changes() {
        let log = |r: f64, max: f64| column(Some(r), "4,0", Some(max)).bits_for(max);
        assert_eq!(log(1024.0, 1023.0), Some(16));
        assert_eq!((log(1024.0, 1024.0), log(2f64.powi(40), 3.0)), (None, None));
        let c = column(Some(1023.5), "4,1", Some(7.0));
        assert_eq!(range(Some("1023.5"), &c, Stored::Integer(16)), "1023.5");
    }
}
