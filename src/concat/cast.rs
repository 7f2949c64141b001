//! Element types that hold several others, as NumPy promotes them.

use half::f16;

use crate::data::{DType, Values};
use crate::with_values;

/// The smallest type that holds both, as NumPy's `promote_types`, but for 64-bit whole numbers of both signs, which stay
/// whole numbers (NumPy takes doubles). [`misfits`] finds the values that the type does not hold after all.
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
        _ => DType::I64,
    }
}

/// The values that do not stay the same in the type [`promote`] chose, or in `uint64`: only whole numbers of 64 bits can be
/// too large for the first, only negative ones do not fit the second. `skip` tells which places do not count.
pub(super) fn misfits<'a>(
    values: &'a Values,
    to: DType,
    skip: impl Fn(usize) -> bool + 'a,
) -> Box<dyn Iterator<Item = i128> + 'a> {
    fn all<'a, T: Convert>(
        v: &'a [T],
        fits: impl Fn(T) -> bool + 'a,
        skip: impl Fn(usize) -> bool + 'a,
    ) -> Box<dyn Iterator<Item = i128> + 'a> {
        let wrong = v.iter().enumerate().filter(move |(i, x)| !fits(**x) && !skip(*i));
        Box::new(wrong.map(|(_, x)| x.to_whole()))
    }
    let exact = |x: i128| x.unsigned_abs() <= 1 << 53 || (x as f64) as i128 == x;
    match (values, to) {
        (Values::U64(v), DType::I64) => all(v, |x| i64::try_from(x).is_ok(), skip),
        (Values::I64(v), DType::F64) => all(v, move |x| exact(i128::from(x)), skip),
        (Values::U64(v), DType::F64) => all(v, move |x| exact(i128::from(x)), skip),
        (Values::I8(v), DType::U64) => all(v, |x| x >= 0, skip),
        (Values::I16(v), DType::U64) => all(v, |x| x >= 0, skip),
        (Values::I32(v), DType::U64) => all(v, |x| x >= 0, skip),
        (Values::I64(v), DType::U64) => all(v, |x| x >= 0, skip),
        _ => Box::new(std::iter::empty()),
    }
}

/// A number that can become any other type; exact where [`promote`] chose the type and [`misfits`] finds nothing.
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
    fn types_are_promoted_as_numpy_does_but_whole_numbers_stay_whole() {
        for (a, b, both) in [
            (Bool, U8, U8),
            (U8, I8, I16),
            (U16, I32, I32),
            (U32, I32, I64),
            (U64, I64, I64),
            (U64, I8, I64),
            (U64, F32, F64),
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

    #[test]
    fn values_too_large_for_the_common_type_are_found() {
        let big = (1u64 << 53) + 1;
        let found = |v: &Values, to| misfits(v, to, |_| false).collect::<Vec<_>>();
        let wide = |v: &[u64]| v.iter().map(|x| i128::from(*x)).collect::<Vec<_>>();
        let u = Values::U64(vec![0, big - 1, big, u64::MAX]);
        assert_eq!(found(&u, I64), wide(&[u64::MAX]));
        assert_eq!(found(&u, F64), wide(&[big, u64::MAX]));
        assert_eq!(misfits(&u, F64, |i| i == 2).collect::<Vec<_>>(), wide(&[u64::MAX]));
        assert!(found(&u, U64).is_empty());
        let i = Values::I64(vec![i64::MIN, 1 - (1 << 53), -(1 << 53) - 1, 5]);
        assert_eq!(found(&i, F64), [-(1i128 << 53) - 1]);
        assert_eq!(found(&i, U64).len(), 3);
        assert_eq!(found(&Values::I64(vec![i64::MAX]), F64), [i128::from(i64::MAX)]);
        assert!(found(&Values::U32(vec![u32::MAX]), F64).is_empty());
    }
}
