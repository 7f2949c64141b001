//! What a matrix holds, judged from some of its values: counts, their logarithm, arcsinh or z-scores.

use super::{Block, DataError, Layout, Matrix, Values};

/// Some rows of a matrix (columns of a CSC): the values stored there, without zeros of sparse rows.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    lines: Vec<Vec<f64>>,
    /// The first value that is no finite number: its line, its place along the other axis, and what it is.
    odd: Option<(usize, Option<usize>, &'static str)>,
    by_row: bool,
    dense: bool,
    /// Least and largest of whole numbers of 64 bits, which doubles may round.
    ends: Option<(i128, i128)>,
}

/// What values look like, in a word for programs and in words for people.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Looks {
    /// `raw_counts`, `fractional_counts`, `log1p`, `normalised`, `arcsinh`, `scaled`, `linear`, `whole_numbers`, `binary`,
    /// `fractions`, `not_finite` or `empty`.
    pub guess: String,
    /// The guess and what it rests on.
    pub words: String,
    /// The first value that is no finite number, where there is one among those looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub odd: Option<Odd>,
}

/// A value that is no finite number.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Odd {
    /// `NaN`, `Inf` or `-Inf`.
    pub value: String,
    /// Its row, from 0; `None` where only its column is known.
    pub row: Option<usize>,
    /// Its column, from 0; `None` where only its row is known.
    pub column: Option<usize>,
}

/// The name of a value that is no finite number.
pub fn not_finite(v: f64) -> Option<&'static str> {
    match v {
        v if v.is_finite() => None,
        v if v.is_nan() => Some("NaN"),
        v if v > 0.0 => Some("Inf"),
        _ => Some("-Inf"),
    }
}

/// Where a value lies, for people: `cell c3 (row 3), variable g5`. What has no name is called by its number alone.
pub fn place(
    cell: Option<&str>,
    row: Option<usize>,
    variable: Option<&str>,
    column: Option<usize>,
) -> String {
    let one = |kind: &str, line: &str, name: Option<&str>, number: Option<usize>| match (name, number) {
        (Some(name), Some(n)) => Some(format!("{kind} {name} ({line} {n})")),
        (None, Some(n)) => Some(format!("{line} {n}")),
        _ => None,
    };
    let both = [one("cell", "row", cell, row), one("variable", "column", variable, column)];
    both.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

impl Looks {
    /// Adds to the words where the value that is not finite lies, by the names of its cell and variable; `what` tells
    /// which values were looked at.
    pub fn name_odd(&mut self, cell: Option<&str>, variable: Option<&str>, what: &str) {
        if let Some(odd) = &self.odd {
            let at = place(cell, odd.row, variable, odd.column);
            self.words = format!("{} at {at}, the first {what}; {}", odd.value, self.words);
        }
    }
}

/// Values looked at to judge a matrix, in each of two places.
pub const LOOK_VALUES: usize = 40_000;

/// Rows looked at in each place.
pub const LOOK_ROWS: usize = 100;

/// Values of one scale stay below this when they were logged or arcsinh-transformed.
const LOGGED: f64 = 15.0;

/// Floats hold every whole number up to here; larger ones are no counts.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Sample {
    /// An empty sample; `by_row` when its lines are cells and not variables, `dense` when zeros are among its values.
    pub fn new(by_row: bool, dense: bool) -> Self {
        Self { lines: Vec::new(), odd: None, by_row, dense, ends: None }
    }

    /// Remembers the ends of values whose type doubles may round; they are pushed, too.
    pub fn note(&mut self, values: &Values) {
        let ends = |all: &mut dyn Iterator<Item = i128>| {
            all.fold(None, |e: Option<(i128, i128)>, v| Some(e.map_or((v, v), |(a, b)| (a.min(v), b.max(v)))))
        };
        let own = match values {
            Values::I64(v) => ends(&mut v.iter().map(|x| i128::from(*x))),
            Values::U64(v) => ends(&mut v.iter().map(|x| i128::from(*x))),
            _ => None,
        };
        self.ends = match (self.ends, own) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
    }

    /// Adds the values of the next row or column; what is no finite number does not count, but the first is remembered.
    pub fn push(&mut self, line: impl Iterator<Item = f64>) {
        self.push_line(self.lines.len(), line, |_| None);
    }

    /// Adds the values of row (or column) `number`; `across` tells where along the other axis the value at a position of
    /// the line lies.
    pub fn push_line(
        &mut self,
        number: usize,
        line: impl Iterator<Item = f64>,
        across: impl Fn(usize) -> Option<usize>,
    ) {
        let mut kept = Vec::new();
        for (position, v) in line.enumerate() {
            match not_finite(v) {
                None => kept.push(v),
                Some(word) if self.odd.is_none() => self.odd = Some((number, across(position), word)),
                Some(_) => {}
            }
        }
        self.lines.push(kept);
    }

    /// Judges the values.
    pub fn looks(&self) -> Looks {
        let finite = self.finite();
        let Some((line, across, word)) = self.odd else { return finite };
        let (row, column) = if self.by_row { (Some(line), across) } else { (across, Some(line)) };
        let odd = Some(Odd { value: word.into(), row, column });
        let words = match finite.guess.as_str() {
            "empty" => finite.words,
            _ => format!("the finite values look like {}", finite.words),
        };
        Looks { guess: "not_finite".into(), words, odd }
    }

    /// Judges the finite values.
    fn finite(&self) -> Looks {
        let all = || self.lines.iter().flatten().copied();
        let say = |guess: &str, words: String| Looks { guess: guess.into(), words, odd: None };
        let (min, max) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        if self.lines.is_empty() {
            return say("empty", "no values".into());
        }
        if min > max && self.dense {
            return say("empty", "no finite values where it was looked at".into());
        }
        if min > max || (min == 0.0 && max == 0.0) {
            return say("empty", "nothing but zeros where it was looked at".into());
        }
        let up_to = match self.ends {
            Some((a, b)) => format!("{} to {b}", a.min(0)),
            None => format!("{} to {}", short(min.min(0.0)), short(max)),
        };
        if self.ends.is_none() && max.max(-min) > EXACT {
            let negative = if min < 0.0 { " with negative ones" } else { "" };
            return say("linear", format!("linear values{negative} ({up_to})"));
        }
        if all().all(|v| v.fract() == 0.0) {
            return match (min < 0.0, max <= 1.0) {
                (true, _) => say("whole_numbers", format!("whole numbers, {up_to}")),
                (false, true) => say("binary", "zeros and ones".into()),
                (false, false) => say("raw_counts", format!("raw counts (whole numbers, {up_to})")),
            };
        }
        if min < 0.0 {
            return match () {
                () if self.centred() => say("scaled", format!("scaled to mean 0 and variance 1 ({up_to})")),
                () if max < LOGGED && min > -LOGGED => {
                    say("arcsinh", format!("arcsinh or another log-like scale ({up_to})"))
                }
                () => say("linear", format!("linear values with negative ones ({up_to})")),
            };
        }
        let whole = self.whole_share();
        if max > 1.0 && whole >= if self.dense { 0.5 } else { 0.3 } {
            let share = (100.0 * whole).round().min(99.0);
            return say(
                "fractional_counts",
                format!("counts with fractions ({share} % whole numbers, {up_to})"),
            );
        }
        if max <= LOGGED && self.of_counts(f64::exp_m1) {
            return say("log1p", format!("log1p of normalised counts ({up_to}{})", self.sums(f64::exp_m1)));
        }
        if self.of_counts(|v| v) {
            return say("normalised", format!("normalised counts, not logged ({up_to}{})", self.sums(|v| v)));
        }
        match () {
            () if max <= 1.0 => say("fractions", format!("fractions ({up_to})")),
            () if max <= LOGGED && self.dense => {
                say("arcsinh", format!("arcsinh or another log-like scale ({up_to})"))
            }
            () if max <= LOGGED => say("log1p", format!("log1p or another log-like scale ({up_to})")),
            () => say("linear", format!("linear values ({up_to})")),
        }
    }

    /// The least value; zero when there is none.
    pub fn least(&self) -> f64 {
        self.lines.iter().flatten().copied().fold(0.0, f64::min)
    }

    /// The share of whole numbers among values other than zero.
    fn whole_share(&self) -> f64 {
        let (mut whole, mut all) = (0u64, 0u64);
        for v in self.lines.iter().flatten().filter(|v| **v != 0.0) {
            all += 1;
            whole += u64::from(v.fract() == 0.0);
        }
        whole as f64 / all.max(1) as f64
    }

    /// Whether these are certainly logarithms of counts, each cell scaled by a number of its own.
    pub fn is_log_of_counts(&self) -> bool {
        self.of_counts(f64::exp_m1)
    }

    /// Whether each row is some whole numbers times a factor of its own, after `undo`.
    fn of_counts(&self, undo: impl Fn(f64) -> f64) -> bool {
        let (mut rows, mut fitting) = (0, 0);
        for line in self.lines.iter().filter(|_| self.by_row) {
            let values: Vec<f64> = line.iter().filter(|v| **v > 0.0).map(|v| undo(*v)).collect();
            let unit = values.iter().copied().fold(f64::INFINITY, f64::min);
            let ratios: Vec<f64> = values.iter().map(|v| v / unit).filter(|r| *r <= 50.0).collect();
            // A row of ones alone says nothing.
            if ratios.len() < 5 || ratios.iter().all(|r| *r < 1.5) {
                continue;
            }
            let whole = ratios.iter().filter(|r| (**r - r.round()).abs() < 0.01 + 1e-4 * **r).count();
            rows += 1;
            fitting += usize::from(10 * whole >= 9 * ratios.len());
        }
        rows > 0 && 10 * fitting >= 7 * rows
    }

    /// What rows add up to after `undo`, when it is the same for all.
    fn sums(&self, undo: impl Fn(f64) -> f64) -> String {
        let sums: Vec<f64> = self.lines.iter().map(|l| l.iter().map(|v| undo(*v)).sum()).collect();
        let mean = sums.iter().sum::<f64>() / sums.len().max(1) as f64;
        let same = sums.iter().all(|s| (s - mean).abs() <= 0.01 * mean);
        if same && sums.len() > 1 { format!(", each cell adds up to {}", short(mean)) } else { String::new() }
    }

    /// Whether most columns have mean 0 and variance 1, roughly: it is a sample.
    fn centred(&self) -> bool {
        let columns = self.lines.first().map_or(0, Vec::len);
        let n = self.lines.len() as f64;
        if !self.by_row || !self.dense || n < 20.0 || self.lines.iter().any(|l| l.len() != columns) {
            return false;
        }
        let standard = (0..columns).filter(|&c| {
            let column = || self.lines.iter().filter_map(|l| l.get(c));
            let mean = column().sum::<f64>() / n;
            let variance = column().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
            mean.abs() < 0.5 && (0.1..4.0).contains(&variance)
        });
        2 * standard.count() > columns
    }
}

impl Matrix {
    /// Judges a matrix by some rows at its start and in its middle.
    ///
    /// # Errors
    /// [`DataError`] when it cannot be read.
    pub fn looks(&self) -> Result<Looks, DataError> {
        Ok(self.sample()?.looks())
    }

    /// Some rows at the start and in the middle.
    ///
    /// # Errors
    /// As [`Matrix::looks`].
    pub fn sample(&self) -> Result<Sample, DataError> {
        let m = self;
        let (rows, columns) = m.shape();
        let dense = m.layout() == Layout::Dense;
        let per_row = m.nnz_known().map_or(columns as u64, |z| z / (rows as u64).max(1)).max(1);
        let run = usize::try_from(LOOK_VALUES as u64 / per_row).unwrap_or(1).clamp(1, LOOK_ROWS).min(rows);
        let mut sample = Sample::new(true, dense);
        for start in [0, rows / 2] {
            let range = start..(start + run).min(rows);
            match m {
                Matrix::OnDisk(source) => add(&mut sample, start, &source.rows(range)?),
                m => {
                    let mut taken = 0;
                    let done = m.stream(1 << 20, &mut |at, block| {
                        if at + block.len() > start && taken < run {
                            add(&mut sample, at, &block);
                            taken += block.len();
                        }
                        Ok(())
                    });
                    return done.map(|()| sample);
                }
            }
        }
        Ok(sample)
    }
}

/// Adds the rows of a block, the first of which is row `start`.
fn add(sample: &mut Sample, start: usize, block: &Block) {
    match block {
        Block::Dense(d) => {
            sample.note(d.values());
            let columns = d.shape().1.max(1);
            let values: Vec<f64> = d.values().iter().take(LOOK_VALUES.max(columns)).collect();
            for (i, row) in values.chunks(columns).enumerate() {
                sample.push_line(start + i, row.iter().copied(), Some);
            }
        }
        Block::Csr(s) => {
            sample.note(s.values());
            for (i, w) in s.indptr().windows(2).take(LOOK_ROWS).enumerate() {
                let column = |k| s.indices().get(w[0] as usize + k).map(|c| *c as usize);
                let values = (w[0]..w[1]).filter_map(|i| s.values().get(i as usize));
                sample.push_line(start + i, values, column);
            }
        }
    }
}

/// A number for people.
fn short(v: f64) -> String {
    if v.abs() > EXACT {
        let text = format!("{v:.3e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{exponent}", digits.trim_end_matches('0').trim_end_matches('.'));
    }
    if v.fract() == 0.0 || v.abs() >= 1000.0 { format!("{v:.0}") } else { format!("{v:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(dense: bool, rows: &[&[f64]], change: impl Fn(f64, usize) -> f64) -> String {
        let mut s = Sample::new(true, dense);
        rows.iter().enumerate().for_each(|(i, r)| s.push(r.iter().map(|v| change(*v, i))));
        s.looks().guess
    }

    const COUNTS: &[&[f64]] =
        &[&[1., 2., 1., 5., 3., 1.], &[2., 1., 7., 1., 1., 12.], &[1., 1., 4., 2., 9., 1.]];

    #[test]
    fn counts_are_told_from_their_normalised_and_logged_forms() {
        let factor = |i: usize| [0.37, 1.21, 0.83][i];
        assert_eq!(judged(false, COUNTS, |v, _| v), "raw_counts");
        assert_eq!(judged(false, COUNTS, |v, i| v * factor(i)), "normalised");
        assert_eq!(judged(false, COUNTS, |v, i| f64::from((v * factor(i)).ln_1p() as f32)), "log1p");
    }

    #[test]
    fn cytometry_scales_are_told_apart() {
        let cells: &[&[f64]] = &[&[0.7, 130.2, 3.1, 44.4, 0.0], &[5.5, 10.1, 0.0, 71.3, 2.2]];
        assert_eq!(judged(true, cells, |v, _| v), "linear");
        assert_eq!(judged(true, cells, |v, _| (v / 5.0).asinh()), "arcsinh");
        assert_eq!(judged(true, cells, |v, _| (v / 5.0).asinh() - 0.2), "arcsinh");
        assert_eq!(judged(true, &[&[0.0, 1.0, 1.0]], |v, _| v), "binary");
    }

    #[test]
    fn columns_of_mean_zero_and_variance_one_are_scaled() {
        let mut s = Sample::new(true, true);
        (0..40).for_each(|i| s.push([f64::from(i % 5) - 2.0, f64::from(i % 3) * 1.1 - 1.1].into_iter()));
        assert_eq!(s.looks().guess, "scaled");
    }

    #[test]
    fn large_numbers_are_short_and_no_counts_unless_they_are_whole_by_type() {
        let mut s = Sample::new(true, true);
        s.push([0.0, 1e300, 3.0].into_iter());
        let looks = s.looks();
        assert_eq!((looks.guess.as_str(), looks.words.as_str()), ("linear", "linear values (0 to 1e300)"));
        let of = |values: Values| {
            let x = super::super::Dense::new(1, values.len(), values).unwrap();
            Matrix::Dense(x).looks().unwrap().words
        };
        assert_eq!(of(Values::F64(vec![-1.25e20, 2.0])), "linear values with negative ones (-1.25e20 to 2)");
        assert_eq!(
            of(Values::U64(vec![3, u64::MAX])),
            "raw counts (whole numbers, 0 to 18446744073709551615)"
        );
        assert_eq!(of(Values::I64(vec![i64::MIN, 1])), "whole numbers, -9223372036854775808 to 1");
        assert_eq!(of(Values::F64(vec![EXACT])), "raw counts (whole numbers, 0 to 9007199254740992)");
        assert_eq!(of(Values::F32(vec![f32::NAN])), "no finite values where it was looked at");
        assert_eq!(
            of(Values::F32(vec![3.0, f32::NAN])),
            "the finite values look like raw counts (whole numbers, 0 to 3)"
        );
        assert_eq!(of(Values::F32(vec![0.0])), "nothing but zeros where it was looked at");
    }

    #[test]
    fn a_value_that_is_not_finite_is_placed_in_dense_and_sparse_matrices_and_never_called_a_count() {
        use super::super::Sparse;
        let nan = f32::NAN;
        let dense =
            super::super::Dense::new(2, 3, Values::F32(vec![1.0, 0.0, 2.0, 4.0, f32::NEG_INFINITY, nan]));
        let looks = Matrix::Dense(dense.unwrap()).looks().unwrap();
        let odd = |value: &str, row, column| {
            Some(Odd { value: value.into(), row: Some(row), column: Some(column) })
        };
        assert_eq!((looks.guess.as_str(), looks.odd), ("not_finite", odd("-Inf", 1, 1)));
        let csr =
            Sparse::new(Layout::Csr, (2, 9), vec![0, 1, 3], vec![8, 2, 7], Values::F32(vec![1.0, 5.0, nan]));
        let mut looks = Matrix::Sparse(csr.unwrap()).looks().unwrap();
        assert_eq!(looks.odd, odd("NaN", 1, 7));
        looks.name_odd(Some("c1"), Some("g7"), "of 2 cells");
        let words = "NaN at cell c1 (row 1), variable g7 (column 7), the first of 2 cells; the finite values look like \
                     raw counts (whole numbers, 0 to 5)";
        assert_eq!(looks.words, words);
        // By columns, as a CSC is looked at.
        let mut sample = Sample::new(false, false);
        sample.push_line(4, [1.0, f64::INFINITY].into_iter(), |k| Some(10 + k));
        assert_eq!(sample.looks().odd, odd("Inf", 11, 4));
    }

    #[test]
    fn without_cells_there_are_no_values() {
        let x = super::super::Dense::new(0, 3, Values::F32(Vec::new())).unwrap();
        assert_eq!(Matrix::Dense(x).looks().unwrap().words, "no values");
    }
}
