//! From values to pixels: ranges, linear and logarithmic scales, round tick values.

/// Beyond this a difference of two values may overflow; such values are treated as not finite.
const LARGEST: f64 = 1e150;

/// Whether a value can be drawn.
pub(super) fn drawable(v: f64) -> bool {
    v.is_finite() && v.abs() < LARGEST
}

/// Smallest and largest of what can be drawn.
pub(super) fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|v| drawable(*v)).fold(None, |r, v| match r {
        None => Some((v, v)),
        Some((lo, hi)) => Some((lo.min(v), hi.max(v))),
    })
}

/// The range that holds all values but a share of `tail` at either end, so that a few far cells do not squash
/// the rest.
pub(super) fn quantile_range(values: &mut [f64], tail: f64) -> Option<(f64, f64)> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let cut = ((last as f64) * tail).floor() as usize;
    Some((*values.get(cut)?, *values.get(last - cut)?))
}

/// A range made wider by a share of its span at both ends; a range of one value gets a width.
pub(super) fn widen((lo, hi): (f64, f64), share: f64) -> (f64, f64) {
    let span = hi - lo;
    // Also too narrow: a span lost in the rounding of the values themselves.
    let least = 1e-9 * lo.abs().max(hi.abs());
    if span > least && span > 0.0 {
        (lo - span * share, hi + span * share)
    } else {
        let half = if lo == 0.0 { 0.5 } else { (lo.abs() * 0.25).min(0.5).max(least * 10.0) };
        (lo - half, hi + half)
    }
}

/// A tick of an axis.
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

/// A map from values to pixels.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    lo: f64,
    hi: f64,
    from: f64,
    to: f64,
    log: bool,
}

impl Scale {
    pub(super) fn linear((lo, hi): (f64, f64), from: f64, to: f64) -> Self {
        Scale { lo, hi, from, to, log: false }
    }

    /// Both ends must be positive.
    pub(super) fn log((lo, hi): (f64, f64), from: f64, to: f64) -> Self {
        Scale { lo: lo.log10(), hi: hi.log10(), from, to, log: true }
    }

    pub(super) fn at(&self, v: f64) -> f64 {
        let v = if self.log { v.log10() } else { v };
        self.from + (v - self.lo) / (self.hi - self.lo) * (self.to - self.from)
    }

    /// As [`Scale::at`], but what lies beyond the axis is put on its end.
    pub(super) fn at_within(&self, v: f64) -> f64 {
        let (a, b) = (self.from.min(self.to), self.from.max(self.to));
        self.at(v).clamp(a, b)
    }

    /// Round values along the axis, about `wanted` of them.
    pub(super) fn ticks(&self, wanted: usize) -> Vec<Tick> {
        if self.log { self.log_ticks(wanted) } else { linear_ticks(self.lo, self.hi, wanted) }
    }

    fn log_ticks(&self, wanted: usize) -> Vec<Tick> {
        let first = self.lo.floor() as i32;
        let last = self.hi.ceil() as i32;
        let decades = (self.hi - self.lo).max(1e-9);
        let every = ((decades / wanted.max(1) as f64).ceil() as i32).max(1);
        let within = |at: f64| at.log10() >= self.lo - 1e-9 && at.log10() <= self.hi + 1e-9;
        // Few decades: 2 and 5 between them too.
        let parts: &[f64] = if decades < 3.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        (first..=last)
            .filter(|e| e.rem_euclid(every) == 0)
            .flat_map(|e| parts.iter().map(move |p| (p * 10f64.powi(e), e)))
            .filter(|(at, _)| within(*at))
            .map(|(at, e)| Tick { at, label: plain(at, (-e).max(0) as usize) })
            .collect()
    }
}

fn linear_ticks(lo: f64, hi: f64, wanted: usize) -> Vec<Tick> {
    let raw = (hi - lo) / wanted.max(1) as f64;
    if !(raw > 0.0 && raw.is_finite()) {
        return Vec::new();
    }
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .iter()
        .map(|m| m * power)
        .find(|s| *s >= raw * 0.999_999)
        .unwrap_or(10.0 * power);
    let decimals = (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
    let first = (lo / step - 1e-9).ceil();
    // Never more than a few, whatever the numbers were.
    (0..=wanted * 3)
        .map(|i| (first + i as f64) * step)
        .take_while(|at| *at <= hi + step * 1e-9)
        .map(|at| Tick { at, label: plain(at, decimals) })
        .collect()
}

/// A number as one would write it: no negative zero, a true minus sign, powers only where digits would not fit.
fn plain(v: f64, decimals: usize) -> String {
    let text = if v != 0.0 && (v.abs() >= 1e6 || decimals > 4) {
        format!("{v:.2e}").replace(".00e", "e").replace("0e", "e")
    } else {
        format!("{v:.decimals$}")
    };
    minus(&text)
}

/// A number for people, to a few decimals; a dash for what is not a number.
pub(super) fn number(v: f64, decimals: usize) -> String {
    if v.is_finite() { minus(&format!("{v:.decimals$}")) } else { "–".to_owned() }
}

fn minus(text: &str) -> String {
    let zero = !text.bytes().any(|b| b.is_ascii_digit() && b != b'0');
    match text.strip_prefix('-') {
        Some(rest) if zero => rest.to_owned(),
        Some(_) => text.replace('-', "\u{2212}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(lo: f64, hi: f64, wanted: usize) -> Vec<String> {
        linear_ticks(lo, hi, wanted).into_iter().map(|t| t.label).collect()
    }

    #[test]
    fn ticks_are_round_and_within_the_axis() {
        assert_eq!(labels(-1.03, 2.1, 6), ["\u{2212}1", "0", "1", "2"]);
        assert_eq!(labels(0.0, 1.0, 5), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(0.0, 0.05, 5), ["0.00", "0.01", "0.02", "0.03", "0.04", "0.05"]);
        assert_eq!(labels(0.0, 3000.0, 6), ["0", "500", "1000", "1500", "2000", "2500", "3000"]);
    }

    #[test]
    fn ticks_of_odd_ranges_end() {
        assert!(labels(1.0, 1.0, 5).is_empty());
        assert!(labels(f64::NAN, 1.0, 5).is_empty());
        assert!(labels(1e140, 1.000_000_001e140, 5).len() < 20);
        assert!(labels(0.0, 1e-300, 5).len() < 20);
    }

    #[test]
    fn a_range_of_one_value_gets_a_width() {
        let (lo, hi) = widen((0.0, 0.0), 0.1);
        assert!(lo < 0.0 && hi > 0.0);
        let (lo, hi) = widen((1e12, 1e12), 0.1);
        assert!(lo < 1e12 && hi > 1e12);
    }

    #[test]
    fn log_ticks_are_decades_and_halves_of_short_ranges() {
        let labels = |lo, hi| {
            Scale::log((lo, hi), 0.0, 100.0).ticks(5).into_iter().map(|t| t.label).collect::<Vec<_>>()
        };
        assert_eq!(labels(0.01, 100_000.0), ["0.01", "1", "100", "10000"]);
        assert_eq!(labels(0.09, 3.0), ["0.1", "0.2", "0.5", "1", "2"]);
    }

    #[test]
    fn far_values_do_not_set_the_range() {
        let mut v: Vec<f64> = (0..1000).map(f64::from).collect();
        v.push(1e9);
        v.push(-1e9);
        let (lo, hi) = quantile_range(&mut v, 0.002).unwrap();
        assert!(lo >= 0.0 && hi < 1000.0);
        assert!(quantile_range(&mut [], 0.1).is_none());
    }

    #[test]
    fn negative_zero_is_zero() {
        assert_eq!(number(-0.001, 2), "0.00");
        assert_eq!(number(-1.5, 1), "\u{2212}1.5");
        assert_eq!(number(f64::NAN, 2), "–");
    }
}
