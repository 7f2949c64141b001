//! Numbers in text, quickly.

use crate::data::{Element, Values};

/// Why a text is no number of the type asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A wider type is needed.
    Wide,
    /// No type scx has can hold it.
    Large,
    /// It is no number of this kind.
    Text,
}

/// A type that values of a matrix are read as.
pub(super) trait Number: Element + bytemuck::Pod {
    /// The number a text starts with, and what follows it.
    fn take(text: &[u8]) -> Result<(Self, &[u8]), Fault>;
    /// The sum, when the type holds it.
    fn plus(self, other: Self) -> Result<Self, Fault>;
    /// What is inside values of this type; nothing of another.
    fn inside(values: &Values) -> &[Self];
}

/// Digits at the start: their value, and what follows; `None` when there are none or the value overflows.
pub(super) fn digits(text: &[u8]) -> Option<(u64, &[u8])> {
    let mut rest = text;
    let mut value = 0u64;
    while let [digit @ b'0'..=b'9', more @ ..] = rest {
        // Nineteen digits cannot overflow; more are rare.
        value = match text.len() - more.len() {
            0..=19 => value * 10 + u64::from(digit - b'0'),
            _ => value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?,
        };
        rest = more;
    }
    (rest.len() < text.len()).then_some((value, rest))
}

fn signed(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// A whole number of 64 bits.
fn integer(text: &[u8]) -> Result<(i64, &[u8]), Fault> {
    let (negative, unsigned) = signed(text);
    let starts = unsigned.first().is_some_and(u8::is_ascii_digit);
    let (value, rest) = digits(unsigned).ok_or(if starts { Fault::Large } else { Fault::Text })?;
    let value = if negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() };
    Ok((value.ok_or(Fault::Large)?, rest))
}

impl Number for i64 {
    fn plus(self, other: Self) -> Result<Self, Fault> {
        self.checked_add(other).ok_or(Fault::Large)
    }

    fn inside(values: &Values) -> &[Self] {
        match values {
            Values::I64(v) => v,
            _ => &[],
        }
    }

    fn take(text: &[u8]) -> Result<(Self, &[u8]), Fault> {
        integer(text)
    }
}

impl Number for i32 {
    fn plus(self, other: Self) -> Result<Self, Fault> {
        self.checked_add(other).ok_or(Fault::Wide)
    }

    fn inside(values: &Values) -> &[Self] {
        match values {
            Values::I32(v) => v,
            _ => &[],
        }
    }

    fn take(text: &[u8]) -> Result<(Self, &[u8]), Fault> {
        // Counts of few digits first: nearly all are.
        if let [digit @ b'0'..=b'9', rest @ ..] = text
            && rest.first() == Some(&b'\n')
        {
            return Ok((i32::from(digit - b'0'), rest));
        }
        let (value, rest) = integer(text)?;
        Ok((i32::try_from(value).map_err(|_| Fault::Wide)?, rest))
    }
}

/// Powers of ten that are exact.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

impl Number for f64 {
    fn plus(self, other: Self) -> Result<Self, Fault> {
        Ok(self + other)
    }

    fn inside(values: &Values) -> &[Self] {
        match values {
            Values::F64(v) => v,
            _ => &[],
        }
    }

    fn take(text: &[u8]) -> Result<(Self, &[u8]), Fault> {
        if let Some(found) = short(text) {
            return Ok(found);
        }
        let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        let word = std::str::from_utf8(word).map_err(|_| Fault::Text)?;
        Ok((word.parse().map_err(|_| Fault::Text)?, rest))
    }
}

/// Decimals whose digits and power of ten are both exact: then so is their quotient, but for one rounding.
fn short(text: &[u8]) -> Option<(f64, &[u8])> {
    let (negative, unsigned) = signed(text);
    let (mut value, mut rest) = digits(unsigned)?;
    let mut decimals = 0;
    if let [b'.', fraction @ ..] = rest {
        rest = fraction;
        while let [digit @ b'0'..=b'9', more @ ..] = rest {
            value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
            decimals += 1;
            rest = more;
        }
    }
    let ends = rest.first().is_none_or(u8::is_ascii_whitespace);
    if !ends || value > 1 << 53 {
        return None;
    }
    let value = value as f64 / POWERS.get(decimals)?;
    Some((if negative { -value } else { value }, rest))
}

impl Number for f32 {
    fn plus(self, other: Self) -> Result<Self, Fault> {
        let sum = f64::from(self) + f64::from(other);
        if f64::from(sum as f32) == sum || sum.is_nan() { Ok(sum as f32) } else { Err(Fault::Wide) }
    }

    fn inside(values: &Values) -> &[Self] {
        match values {
            Values::F32(v) => v,
            _ => &[],
        }
    }

    fn take(text: &[u8]) -> Result<(Self, &[u8]), Fault> {
        let (value, rest) = f64::take(text)?;
        let narrow = value as f32;
        if f64::from(narrow) == value || value.is_nan() { Ok((narrow, rest)) } else { Err(Fault::Wide) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_end_at_their_last_digit_and_at_64_bits() {
        assert_eq!(digits(b"012 3"), Some((12, &b" 3"[..])));
        assert_eq!(digits(b"18446744073709551615"), Some((u64::MAX, &b""[..])));
        assert_eq!(digits(b"18446744073709551616"), None);
        assert_eq!(digits(b"-1"), None);
        assert_eq!(i64::take(b"-9223372036854775808\n"), Ok((i64::MIN, &b"\n"[..])));
        assert_eq!(i64::take(b"9223372036854775808"), Err(Fault::Large));
        assert_eq!(i32::take(b"2147483648"), Err(Fault::Wide));
        assert_eq!(i32::take(b"x"), Err(Fault::Text));
        // What follows is judged by who asked.
        assert_eq!(i32::take(b"1.5"), Ok((1, &b".5"[..])));
    }

    #[test]
    fn decimals_are_read_to_the_last_bit() {
        for text in [
            "0.1",
            "-2.5",
            "1e-7",
            "123456789.123456789",
            "9007199254740993",
            "1.7976931348623157e308",
            "+3.",
        ] {
            let (found, rest) = f64::take(text.as_bytes()).unwrap();
            assert_eq!(found.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
            assert!(rest.is_empty());
        }
        assert!(f64::take(b"NaN").unwrap().0.is_nan());
        assert_eq!(f64::take(b"abc"), Err(Fault::Text));
        assert_eq!(f32::take(b"0.1"), Err(Fault::Wide));
        assert_eq!(f32::take(b"0.5"), Ok((0.5, &b""[..])));
    }
}
