//! Numbers as text, quickly, so that they read back to the last bit.

use std::io::Write;

use half::f16;

/// A number that can be written as text.
pub(super) trait Show {
    /// Appends it.
    fn show(self, out: &mut Vec<u8>);
}

impl Show for u64 {
    fn show(self, out: &mut Vec<u8>) {
        let mut digits = [0u8; 20];
        let mut rest = self;
        let mut n = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            n += 1;
            if rest == 0 {
                break;
            }
        }
        out.extend_from_slice(digits.get(20 - n..).unwrap_or(&digits));
    }
}

impl Show for i64 {
    fn show(self, out: &mut Vec<u8>) {
        if self < 0 {
            out.push(b'-');
        }
        self.unsigned_abs().show(out);
    }
}

impl Show for f64 {
    fn show(self, out: &mut Vec<u8>) {
        // Writing to memory does not fail.
        let _ = match self.abs() {
            _ if self.is_nan() => write!(out, "NaN"),
            f64::INFINITY => write!(out, "{}", if self > 0.0 { "Inf" } else { "-Inf" }),
            0.0 | 1e-5..1e16 => write!(out, "{self}"),
            _ => write!(out, "{self:e}"),
        };
    }
}

impl Show for f32 {
    fn show(self, out: &mut Vec<u8>) {
        // As the double it is: readers take decimals as doubles, and the shorter text of a float is that of another.
        f64::from(self).show(out);
    }
}

impl Show for f16 {
    fn show(self, out: &mut Vec<u8>) {
        f32::from(self).show(out);
    }
}

macro_rules! whole {
    ($($t:ty => $wide:ty),*) => {$(
        impl Show for $t {
            fn show(self, out: &mut Vec<u8>) {
                <$wide>::from(self).show(out);
            }
        }
    )*};
}
whole!(bool => u64, u8 => u64, u16 => u64, u32 => u64, i8 => i64, i16 => i64, i32 => i64);

#[cfg(test)]
mod tests {
    use super::*;

    fn text(n: impl Show) -> String {
        let mut out = Vec::new();
        n.show(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_short_and_read_back_to_the_last_bit() {
        assert_eq!([text(0u64), text(u64::MAX)], ["0", "18446744073709551615"]);
        assert_eq!([text(i64::MIN), text(-7i8)], ["-9223372036854775808", "-7"]);
        assert_eq!([text(0.5f32), text(1e-20f64), text(-0.0f64)], ["0.5", "1e-20", "-0"]);
        assert_eq!(text(0.1f32).parse::<f64>().unwrap(), f64::from(0.1f32));
        assert_eq!([text(f32::INFINITY), text(f64::NEG_INFINITY), text(f64::NAN)], ["Inf", "-Inf", "NaN"]);
        for x in [f64::MIN_POSITIVE / 3.0, 1.0 / 3.0, 1e16, 12_345.678_9, f64::MAX] {
            assert_eq!(text(x).parse::<f64>().unwrap().to_bits(), x.to_bits());
        }
    }
}
