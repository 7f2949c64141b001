//! Element types that hold several others, as NumPy promotes them.

use half::f16;

use crate::data::{DType, Values};
use crate::with_values;

/// The smallest type that holds both, as NumPy's `promote_types`: 64-bit whole numbers of both signs, or beside floats,
/// become doubles.
pub(super) fn promote(a: DType, b: DType) -> DType {
    use DType::Bool;
    if a == b || b == Bool {
        return a;
    }
    if a == Bool {
        return b;
    }
    match (a.is_float(), b.is_float()) {
        (true, true) => {
            if a.size() >= b.size() {
                a
            } else {
                b
            }
        }
        (true, false) => with_float(a, b),
        (false, true) => with_float(b, a),
        (false, false) => whole(a, b),
    }
}

fn with_float(float: DType, whole: DType) -> DType {
    let needed = match whole.size() {
        1 => DType::F16,
        2 => DType::F32,
        _ => DType::F64,
    };
    if float.size() >= needed.size() { float } else { needed }
}

fn is_unsigned(t: DType) -> bool {
    matches!(t, DType::U8 | DType::U16 | DType::U32 | DType::U64)
}

fn whole(a: DType, b: DType) -> DType {
    if is_unsigned(a) == is_unsigned(b) {
        return if a.size() >= b.size() { a } else { b };
    }
    let (u, i) = if is_unsigned(a) { (a, b) } else { (b, a) };
    if i.size() > u.size() {
        return i;
    }
    match u {
        DType::U8 => DType::I16,
        DType::U16 => DType::I32,
        DType::U32 => DType::I64,
        _ => DType::F64,
    }
}

/// A number that can become any other type; exact where [`promote`] chose the type (doubles round beyond 2^53).
trait Convert: Copy {
    fn to_whole(self) -> i128;
    fn to_float(self) -> f64;
}

macro_rules! convert {
    ($($t:ty)*) => {$(
        impl Convert for $t {
            fn to_whole(self) -> i128 { self as i128 }
            fn to_float(self) -> f64 { self as f64 }
        }
    )*};
}
convert!(i8 i16 i32 i64 u8 u16 u32 u64 f32 f64);

impl Convert for bool {
    fn to_whole(self) -> i128 {
        i128::from(self)
    }
    fn to_float(self) -> f64 {
        f64::from(u8::from(self))
    }
}

impl Convert for f16 {
    fn to_whole(self) -> i128 {
        f64::from(self) as i128
    }
    fn to_float(self) -> f64 {
        f64::from(self)
    }
}

/// The values in another type.
pub(super) fn cast(values: Values, to: DType) -> Values {
    if values.dtype() == to {
        return values;
    }
    macro_rules! whole {
        ($v:expr, $variant:ident, $t:ty) => {
            Values::$variant($v.iter().map(|x| x.to_whole() as $t).collect())
        };
    }
    with_values!(&values, v => match to {
        DType::Bool => Values::Bool(v.iter().map(|x| x.to_whole() != 0).collect()),
        DType::I8 => whole!(v, I8, i8),
        DType::I16 => whole!(v, I16, i16),
        DType::I32 => whole!(v, I32, i32),
        DType::I64 => whole!(v, I64, i64),
        DType::U8 => whole!(v, U8, u8),
        DType::U16 => whole!(v, U16, u16),
        DType::U32 => whole!(v, U32, u32),
        DType::U64 => whole!(v, U64, u64),
        DType::F16 => Values::F16(v.iter().map(|x| f16::from_f64(x.to_float())).collect()),
        DType::F32 => Values::F32(v.iter().map(|x| x.to_float() as f32).collect()),
        DType::F64 => Values::F64(v.iter().map(|x| x.to_float()).collect()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use DType::*;

    #[test]
    fn types_are_promoted_as_numpy_does() {
        for (a, b, both) in [
            (Bool, U8, U8),
            (U8, I8, I16),
            (U16, I32, I32),
            (U32, I32, I64),
            (U64, I64, F64),
            (F16, U8, F16),
            (F16, I16, F32),
            (F32, U16, F32),
            (F32, I32, F64),
            (F32, F64, F64),
            (Bool, F16, F16),
        ] {
            assert_eq!((promote(a, b), promote(b, a)), (both, both), "{a:?} {b:?}");
        }
    }

    #[test]
    fn large_whole_numbers_stay_exact() {
        let big = (1i64 << 53) + 1;
        assert_eq!(cast(Values::I64(vec![big, -big]), I64), Values::I64(vec![big, -big]));
        assert_eq!(cast(Values::U32(vec![u32::MAX]), I64), Values::I64(vec![i64::from(u32::MAX)]));
    }
}
