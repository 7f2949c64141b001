//! What a field of text is: a number, a truth value, nothing, or text.

use half::f16;

use super::records::Field;
use crate::data::Element;

/// What pandas takes for a missing entry, so that both read a file the same way.
const MISSING: [&[u8]; 18] = [
    b"",
    b"#N/A",
    b"#N/A N/A",
    b"#NA",
    b"-1.#IND",
    b"-1.#QNAN",
    b"-NaN",
    b"-nan",
    b"1.#IND",
    b"1.#QNAN",
    b"<NA>",
    b"N/A",
    b"NA",
    b"NULL",
    b"NaN",
    b"None",
    b"n/a",
    b"nan",
];

/// A number as it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    /// A whole number.
    Int(i64),
    /// A whole number above `i64::MAX`.
    Big(u64),
    /// With a point or an exponent, or beyond 64 bits.
    Float(f64),
}

/// What a field is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell {
    /// Nothing.
    Missing,
    /// A number.
    Number(Number),
    /// A truth value.
    Bool(bool),
    /// Anything else.
    Text,
}

/// Whether these bytes stand for a missing entry.
pub(super) fn is_missing(text: &[u8]) -> bool {
    text.len() <= 9 && (MISSING.contains(&text) || text == b"null")
}

/// Looks at a field; `comma` says that numbers may have a decimal comma.
pub(super) fn cell(field: Field, comma: bool) -> Cell {
    if let Some(n) = number(field.text, comma) {
        return Cell::Number(n);
    }
    match field.text {
        t if is_missing(t) => Cell::Missing,
        b"True" | b"TRUE" | b"true" => Cell::Bool(true),
        b"False" | b"FALSE" | b"false" => Cell::Bool(false),
        _ => Cell::Text,
    }
}

/// A number; `None` when it is none. `nan` is a missing entry, `inf` a number.
pub(super) fn number(text: &[u8], comma: bool) -> Option<Number> {
    let text = text.trim_ascii();
    if let Some(n) = short_int(text) {
        return Some(Number::Int(n));
    }
    // Words such as "nan" or "infinity" are left to the list of missing entries and to `inf`.
    let first = *text.first()?;
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.' | b',' | b'i' | b'I')) {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    if text.bytes().skip(1).all(|b| b.is_ascii_digit()) {
        if let Ok(n) = text.parse() {
            return Some(Number::Int(n));
        }
        if let Ok(n) = text.parse() {
            return Some(Number::Big(n));
        }
    }
    match text.parse::<f64>() {
        Ok(x) if x.is_nan() => None,
        Ok(x) => Some(Number::Float(x)),
        Err(_) if comma && text.bytes().filter(|b| *b == b',').count() == 1 => {
            text.replace(',', ".").parse().ok().filter(|x: &f64| !x.is_nan()).map(Number::Float)
        }
        Err(_) => None,
    }
}

/// Whole numbers of up to 18 digits: nearly all there are in tables of counts.
fn short_int(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut n = 0i64;
    for &b in digits {
        if !b.is_ascii_digit() {
            return None;
        }
        n = n * 10 + i64::from(b - b'0');
    }
    Some(if negative { -n } else { n })
}

/// What is lost of a number when it becomes a double.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Strain {
    /// A decimal with digits that is larger than any double.
    Overflow,
    /// A whole number that is rounded, or beyond 64 bits.
    Whole,
}

/// Looks at a number and the text it was read from.
pub(super) fn strain(n: Number, text: &[u8]) -> Option<Strain> {
    let exact = |x: i128| (x as f64) as i128 == x;
    match n {
        Number::Int(n) if n.unsigned_abs() <= 1 << 53 => None,
        Number::Int(n) => (!exact(n.into())).then_some(Strain::Whole),
        Number::Big(n) => (!exact(n.into())).then_some(Strain::Whole),
        // Nearly all are told from whole numbers beyond 64 bits by their size.
        Number::Float(x) if x.abs() < 9e18 => None,
        Number::Float(x) => {
            let text = text.trim_ascii();
            let digits = text.iter().skip(usize::from(matches!(text.first(), Some(b'+' | b'-'))));
            match digits.clone().any(u8::is_ascii_digit) {
                true if x.is_infinite() => Some(Strain::Overflow),
                true if digits.clone().all(u8::is_ascii_digit) => Some(Strain::Whole),
                _ => None,
            }
        }
    }
}

impl Number {
    /// As a double; whole numbers beyond 2^53 are rounded.
    pub(super) fn to_f64(self) -> f64 {
        match self {
            Number::Int(n) => n as f64,
            Number::Big(n) => n as f64,
            Number::Float(x) => x,
        }
    }
}

/// A type a column of text can become.
pub(super) trait FromText: Element {
    /// The number in this type, `None` when it does not fit.
    fn from_number(n: Number) -> Option<Self>;
    /// A missing entry, `None` when the type has none.
    fn missing() -> Option<Self> {
        None
    }
}

impl FromText for i32 {
    fn from_number(n: Number) -> Option<Self> {
        if let Number::Int(n) = n { n.try_into().ok() } else { None }
    }
}

impl FromText for i64 {
    fn from_number(n: Number) -> Option<Self> {
        if let Number::Int(n) = n { Some(n) } else { None }
    }
}

impl FromText for u64 {
    fn from_number(n: Number) -> Option<Self> {
        match n {
            Number::Int(n) => n.try_into().ok(),
            Number::Big(n) => Some(n),
            Number::Float(_) => None,
        }
    }
}

impl FromText for f32 {
    fn from_number(n: Number) -> Option<Self> {
        Some(n.to_f64() as f32)
    }
    fn missing() -> Option<Self> {
        Some(f32::NAN)
    }
}

impl FromText for f64 {
    fn from_number(n: Number) -> Option<Self> {
        Some(n.to_f64())
    }
    fn missing() -> Option<Self> {
        Some(f64::NAN)
    }
}

/// Runs `$body` with `$t` as the element type of a matrix of text.
macro_rules! with_type {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            DType::I32 => {
                type $t = i32;
                $body
            }
            DType::I64 => {
                type $t = i64;
                $body
            }
            DType::U64 => {
                type $t = u64;
                $body
            }
            DType::F32 => {
                type $t = f32;
                $body
            }
            _ => {
                type $t = f64;
                $body
            }
        }
    };
}
pub(super) use with_type;

/// A number that can be written as text from which the same number is read.
pub(super) trait ToText: Element {
    /// Appends it, as Python prints it; a missing entry (NaN) is nothing.
    fn put(self, out: &mut Vec<u8>);
    /// Two entries of one cell add up, as in scipy.
    fn plus(self, other: Self) -> Self;
}

macro_rules! whole {
    ($($t:ty)*) => {$(
        impl ToText for $t {
            fn put(self, out: &mut Vec<u8>) {
                use std::io::Write;
                if (0..10).contains(&self) {
                    out.push(b'0' + self as u8);
                } else {
                    // Writing to memory cannot fail.
                    let _ = write!(out, "{self}");
                }
            }
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
        }
    )*};
}
whole!(i8 i16 i32 i64 u8 u16 u32 u64);

macro_rules! float {
    ($($t:ty)*) => {$(
        impl ToText for $t {
            fn put(self, out: &mut Vec<u8>) {
                use std::io::Write;
                if !self.is_nan() {
                    let _ = write!(out, "{self:?}");
                }
            }
            fn plus(self, other: Self) -> Self {
                self + other
            }
        }
    )*};
}
float!(f32 f64);

impl ToText for f16 {
    fn put(self, out: &mut Vec<u8>) {
        self.to_f32().put(out);
    }
    fn plus(self, other: Self) -> Self {
        self + other
    }
}

impl ToText for bool {
    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self { b"True" } else { b"False" });
    }
    fn plus(self, other: Self) -> Self {
        self || other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Cell {
        cell(Field { text: text.as_bytes(), quoted: false }, false)
    }

    #[test]
    fn fields_are_what_pandas_takes_them_for() {
        assert_eq!(of("-12"), Cell::Number(Number::Int(-12)));
        assert_eq!(of(" +7 "), Cell::Number(Number::Int(7)));
        assert_eq!(of("9223372036854775807"), Cell::Number(Number::Int(i64::MAX)));
        assert_eq!(of("18446744073709551615"), Cell::Number(Number::Big(u64::MAX)));
        assert_eq!(of("1e5"), Cell::Number(Number::Float(1e5)));
        assert_eq!(of(".5"), Cell::Number(Number::Float(0.5)));
        assert_eq!(of("-inf"), Cell::Number(Number::Float(f64::NEG_INFINITY)));
        for missing in ["", "NA", "nan", "NULL", "null", "<NA>", "-nan"] {
            assert_eq!(of(missing), Cell::Missing, "{missing}");
        }
        for text in ["1_000", "0x10", "1,5", "-", "1.2.3", "ENSG01", "infected", "e5", "+", "NaNa"] {
            assert_eq!(of(text), Cell::Text, "{text}");
        }
        assert_eq!(of("TRUE"), Cell::Bool(true));
    }

    #[test]
    fn what_a_double_does_not_hold_is_seen() {
        let of = |text: &str| strain(number(text.as_bytes(), true).unwrap(), text.as_bytes());
        for fine in
            ["1", "9007199254740992", "-9007199254740994", "1e300", "inf", "-Infinity", "1e-400", "1e19"]
        {
            assert_eq!(of(fine), None, "{fine}");
        }
        for over in ["1e400", "-1e309", "1,8e308"] {
            assert_eq!(of(over), Some(Strain::Overflow), "{over}");
        }
        let long = "9".repeat(400);
        assert_eq!(of(&long), Some(Strain::Overflow));
        for whole in
            ["9007199254740993", "-9007199254740993", "18446744073709551615", "99999999999999999999999"]
        {
            assert_eq!(of(whole), Some(Strain::Whole), "{whole}");
        }
    }

    #[test]
    fn a_decimal_comma_counts_only_where_it_cannot_separate_fields() {
        assert_eq!(number(b"1,5", true), Some(Number::Float(1.5)));
        assert_eq!(number(b"1,000,5", true), None);
    }

    #[test]
    fn floats_are_written_in_the_fewest_digits_that_read_back() {
        let text = |x: f64| {
            let mut out = Vec::new();
            x.put(&mut out);
            String::from_utf8(out).unwrap()
        };
        for x in [0.1, 1.0 / 3.0, 1e300, 5e-324, -0.0, f64::MAX] {
            assert_eq!(text(x).parse::<f64>().unwrap().to_bits(), x.to_bits(), "{}", text(x));
        }
        assert_eq!((text(0.1), text(2.0), text(f64::NAN)), ("0.1".into(), "2.0".into(), String::new()));
        let mut out = Vec::new();
        0.1f32.put(&mut out);
        assert_eq!(out, b"0.1");
    }
}
