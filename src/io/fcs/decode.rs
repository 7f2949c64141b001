//! Bytes of events become numbers.

use bytemuck::Pod;

use super::ascii;
use super::channel::Stored;
use super::layout::Layout;
use super::order::ByteOrder;
use super::packing::Packing;
use crate::data::{DType, Element};

/// A number DATA may be read as: its bytes can be turned round and, for integers, masked.
pub(super) trait Number: Pod + Element {
    fn turned(self) -> Self;
    fn masked(self, mask: u64) -> Self;
    /// `None` when this type does not hold the integer exactly.
    fn from_integer(v: u64) -> Option<Self>;
    /// `None` when this type does not hold the number exactly.
    fn from_float(v: f64) -> Option<Self>;
}

macro_rules! number {
    (integer $($t:ty)*) => {$(
        impl Number for $t {
            fn turned(self) -> Self { self.swap_bytes() }
            // A mask is never wider than its channel.
            fn masked(self, mask: u64) -> Self { self & mask as $t }
            fn from_integer(v: u64) -> Option<Self> { v.try_into().ok() }
            fn from_float(_: f64) -> Option<Self> { None }
        }
    )*};
    (float $($t:ty)*) => {$(
        impl Number for $t {
            fn turned(self) -> Self { Self::from_bits(self.to_bits().swap_bytes()) }
            fn masked(self, _: u64) -> Self { self }
            fn from_integer(v: u64) -> Option<Self> {
                let bits = if v == 0 { 0 } else { 64 - v.leading_zeros() - v.trailing_zeros() };
                (bits <= <$t>::MANTISSA_DIGITS).then_some(v as $t)
            }
            fn from_float(v: f64) -> Option<Self> { Some(v as $t) }
        }
    )*};
}
number!(integer u8 u16 u32 u64);
number!(float f32 f64);

/// How a run of bytes is read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum DecodePlan {
    /// Values lie in the file as they do in memory, but for their byte order (`turn`) and rubbish bits (`masks`).
    Straight { turn: bool, masks: Option<Vec<u64>> },
    /// Each value in whole bytes: bytes it takes, significance of each, how it is stored, its mask.
    Fields(Vec<Field>),
    /// Values packed across bytes.
    Bits { fields: Vec<Field>, big_endian: bool },
    /// Digits of fixed width.
    Digits(Vec<usize>),
    /// Numbers with blanks between them.
    FreeText,
}

/// One value of an event.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    significance: Vec<u8>,
    bits: u32,
    stored: Stored,
    mask: u64,
}

impl DecodePlan {
    /// The plan for a layout.
    pub(super) fn new(layout: &Layout) -> Self {
        let channels = &layout.channels;
        let field = |c: &super::channel::Channel| Field {
            significance: layout.order.significance(layout.width(layout.packing, c)).unwrap_or_default(),
            bits: c.stored.bits() as u32,
            stored: c.stored,
            mask: c.mask,
        };
        let fields = || channels.iter().map(field).collect();
        match layout.packing {
            Packing::FreeText => DecodePlan::FreeText,
            Packing::Digits => {
                DecodePlan::Digits(channels.iter().map(|c| layout.width(Packing::Digits, c)).collect())
            }
            Packing::Bits | Packing::EventBits => {
                DecodePlan::Bits { fields: fields(), big_endian: layout.order == ByteOrder::Big }
            }
            Packing::Bytes | Packing::Words => {
                straight(layout).unwrap_or_else(|| DecodePlan::Fields(fields()))
            }
        }
    }
}

/// The fast plan, where every value is stored as the element type in memory.
fn straight(layout: &Layout) -> Option<DecodePlan> {
    let size = layout.dtype.size();
    let same = |c: &super::channel::Channel| {
        let own = match c.stored {
            Stored::Float => DType::F32,
            Stored::Double => DType::F64,
            _ if layout.dtype.is_float() => return false,
            _ => layout.dtype,
        };
        own == layout.dtype && layout.width(layout.packing, c) == size
    };
    let big = match layout.order {
        ByteOrder::Little => false,
        ByteOrder::Big => true,
        ByteOrder::Mixed(_) => return None,
    };
    if !layout.channels.iter().all(same) {
        return None;
    }
    let masks: Vec<u64> = layout.channels.iter().map(|c| c.mask).collect();
    let full = u64::MAX >> (64 - 8 * size);
    let masked = !layout.dtype.is_float() && masks.iter().any(|&m| m != full);
    let turn = size > 1 && big != cfg!(target_endian = "big");
    Some(DecodePlan::Straight { turn, masks: masked.then_some(masks) })
}

/// Turns and masks values that lie in memory as they lay in the file.
pub(super) fn settle<T: Number>(rows: &mut [T], turn: bool, masks: Option<&[u64]>) {
    if turn {
        rows.iter_mut().for_each(|v| *v = v.turned());
    }
    if let Some(masks) = masks {
        for event in rows.chunks_exact_mut(masks.len()) {
            for (v, &m) in event.iter_mut().zip(masks) {
                *v = v.masked(m);
            }
        }
    }
}

/// Reads events of fields of whole bytes.
///
/// # Errors
/// In words, when a value is not exact in the element type in memory.
pub(super) fn fields<T: Number>(fields: &[Field], bytes: &[u8], rows: &mut [T]) -> Result<(), String> {
    let mut rest = bytes;
    for event in rows.chunks_exact_mut(fields.len()) {
        for (field, value) in fields.iter().zip(event) {
            let (own, after) = rest.split_at_checked(field.significance.len()).unwrap_or_default();
            rest = after;
            let raw = own.iter().zip(&field.significance).fold(0, |v, (&b, &s)| v | u64::from(b) << (8 * s));
            *value = field.number(raw)?;
        }
    }
    Ok(())
}

/// Reads events packed across bytes, the first of which begins at bit `skip` of `bytes` and the others `event_bits`
/// after each other.
///
/// # Errors
/// In words, when a value is not exact in the element type in memory.
pub(super) fn bits<T: Number>(
    fields: &[Field],
    big_endian: bool,
    (skip, event_bits): (u64, u64),
    bytes: &[u8],
    rows: &mut [T],
) -> Result<(), String> {
    for (event, values) in rows.chunks_exact_mut(fields.len()).enumerate() {
        let mut at = skip + event as u64 * event_bits;
        for (field, value) in fields.iter().zip(values) {
            *value = field.number(cut(bytes, at, field.bits, big_endian))?;
            at += u64::from(field.bits);
        }
    }
    Ok(())
}

/// `n` bits (1 to 64) from bit `at` on: counted from the most significant bit of each byte when big endian, from the
/// least otherwise.
fn cut(bytes: &[u8], at: u64, n: u32, big_endian: bool) -> u64 {
    let first = usize::try_from(at / 8).unwrap_or(usize::MAX);
    let skip = (at % 8) as u32;
    let count = (skip + n).div_ceil(8);
    let own = bytes.iter().skip(first).take(count as usize);
    let all: u128 = if big_endian {
        own.fold(0, |v, &b| v << 8 | u128::from(b)) >> (8 * count - skip - n)
    } else {
        own.zip(0u32..).fold(0, |v, (&b, i)| v | u128::from(b) << (8 * i)) >> skip
    };
    all as u64 & (u64::MAX >> (64 - n))
}

/// Reads events of digits of fixed widths.
///
/// # Errors
/// In words, when a field is no whole number.
pub(super) fn digits<T: Number>(widths: &[usize], bytes: &[u8], rows: &mut [T]) -> Result<(), String> {
    let mut rest = bytes;
    for (i, value) in rows.iter_mut().enumerate() {
        let width = widths.get(i % widths.len().max(1)).copied().unwrap_or(0);
        let (own, after) = rest.split_at_checked(width).unwrap_or_default();
        rest = after;
        *value = ascii::integer(own).and_then(T::from_integer).ok_or_else(|| odd(own))?;
    }
    Ok(())
}

/// Reads free text, leaving out the first `skip` numbers.
///
/// # Errors
/// In words, when there are too few numbers or one is none.
pub(super) fn free_text<T: Number>(skip: usize, bytes: &[u8], rows: &mut [T]) -> Result<(), String> {
    let mut tokens = ascii::tokens(bytes).skip(skip);
    for value in rows {
        let token = tokens.next().ok_or("the numbers became fewer while the file was read")?;
        let integer = ascii::integer(token).and_then(T::from_integer);
        *value =
            integer.or_else(|| ascii::decimal(token).and_then(T::from_float)).ok_or_else(|| odd(token))?;
    }
    Ok(())
}

fn odd(field: &[u8]) -> String {
    format!("`{}` found where a whole number was expected", String::from_utf8_lossy(field))
}

impl Field {
    fn number<T: Number>(&self, raw: u64) -> Result<T, String> {
        let value = match self.stored {
            Stored::Float => T::from_float(f64::from(f32::from_bits(raw as u32))),
            Stored::Double => T::from_float(f64::from_bits(raw)),
            _ => T::from_integer(raw & self.mask),
        };
        value.ok_or_else(|| {
            let v = raw & self.mask;
            format!("the integer {v} is not exact as a double, which the floats beside it make necessary")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_from_the_end_the_byte_order_begins_with() {
        // 10-bit values 1, 2, 3, 1023: most significant bits first, then least significant first.
        let big = [0b0000_0000, 0b0100_0000, 0b0010_0000, 0b0000_1111, 0b1111_1111];
        let little = [0b0000_0001, 0b0000_1000, 0b0011_0000, 0b1100_0000, 0b1111_1111];
        for (bytes, big_endian) in [(big, true), (little, false)] {
            let all: Vec<u64> = (0..4).map(|i| cut(&bytes, 10 * i, 10, big_endian)).collect();
            assert_eq!(all, [1, 2, 3, 1023]);
        }
        assert_eq!(cut(&[0xff; 9], 1, 64, true), u64::MAX);
        assert_eq!(cut(&[0xff; 9], 7, 64, false), u64::MAX);
    }

    #[test]
    fn integers_that_a_float_rounds_are_refused() {
        assert_eq!(f32::from_integer(1 << 24), Some(16_777_216.0));
        assert_eq!(f32::from_integer((1 << 24) + 1), None);
        assert_eq!(f64::from_integer(u64::MAX), None);
        assert_eq!(u8::from_integer(256), None);
    }
}
