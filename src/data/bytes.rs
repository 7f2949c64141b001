//! Numbers as the plain machine words they are stored as, so that code that only moves them need not know their type.

use half::slice::HalfFloatSliceExt;

use super::{DType, Values};

/// An unsigned word as wide as an element: what is moved when only the width of a type matters.
pub trait Word: bytemuck::Pod + Default + Send + Sync {
    /// Words as numbers of `dtype`, bit for bit; `None` when the type is of another width.
    fn wrap(dtype: DType, words: Vec<Self>) -> Option<Values>;
}

impl Word for u8 {
    fn wrap(dtype: DType, words: Vec<Self>) -> Option<Values> {
        Some(match dtype {
            DType::U8 => Values::U8(words),
            DType::I8 => Values::I8(bytemuck::cast_vec(words)),
            // A damaged file may hold any byte.
            DType::Bool => Values::Bool(words.into_iter().map(|w| w != 0).collect()),
            _ => return None,
        })
    }
}

impl Word for u16 {
    fn wrap(dtype: DType, words: Vec<Self>) -> Option<Values> {
        Some(match dtype {
            DType::U16 => Values::U16(words),
            DType::I16 => Values::I16(bytemuck::cast_vec(words)),
            DType::F16 => Values::F16(bytemuck::cast_vec(words)),
            _ => return None,
        })
    }
}

impl Word for u32 {
    fn wrap(dtype: DType, words: Vec<Self>) -> Option<Values> {
        Some(match dtype {
            DType::U32 => Values::U32(words),
            DType::I32 => Values::I32(bytemuck::cast_vec(words)),
            DType::F32 => Values::F32(bytemuck::cast_vec(words)),
            _ => return None,
        })
    }
}

impl Word for u64 {
    fn wrap(dtype: DType, words: Vec<Self>) -> Option<Values> {
        Some(match dtype {
            DType::U64 => Values::U64(words),
            DType::I64 => Values::I64(bytemuck::cast_vec(words)),
            DType::F64 => Values::F64(bytemuck::cast_vec(words)),
            _ => return None,
        })
    }
}

impl Values {
    /// The elements as bytes in the order of this machine.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Values::Bool(v) => bytemuck::cast_slice(v),
            Values::I8(v) => bytemuck::cast_slice(v),
            Values::I16(v) => bytemuck::cast_slice(v),
            Values::I32(v) => bytemuck::cast_slice(v),
            Values::I64(v) => bytemuck::cast_slice(v),
            Values::U8(v) => v,
            Values::U16(v) => bytemuck::cast_slice(v),
            Values::U32(v) => bytemuck::cast_slice(v),
            Values::U64(v) => bytemuck::cast_slice(v),
            Values::F16(v) => bytemuck::cast_slice(v.reinterpret_cast()),
            Values::F32(v) => bytemuck::cast_slice(v),
            Values::F64(v) => bytemuck::cast_slice(v),
        }
    }

    /// The elements as words; `None` when they are of another width.
    pub fn words<W: Word>(&self) -> Option<&[W]> {
        if self.dtype().size() != size_of::<W>() {
            return None;
        }
        bytemuck::try_cast_slice(self.bytes()).ok()
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    #[test]
    fn words_carry_every_bit_there_and_back() {
        let f16s = Values::F16(vec![f16::from_f32(-1.5), f16::INFINITY]);
        assert_eq!(u16::wrap(DType::F16, f16s.words::<u16>().unwrap().to_vec()), Some(f16s));
        let nan = Values::F64(vec![f64::from_bits(0x7ff8_0000_0000_0001), -0.0]);
        let back = u64::wrap(DType::F64, nan.words::<u64>().unwrap().to_vec()).unwrap();
        assert_eq!(back.bytes(), nan.bytes());
        let signed = Values::I32(vec![-1, i32::MIN]);
        assert_eq!(u32::wrap(DType::I32, signed.words::<u32>().unwrap().to_vec()), Some(signed));
        let flags = Values::Bool(vec![true, false]);
        assert_eq!(u8::wrap(DType::Bool, vec![7, 0]), Some(flags));
    }

    #[test]
    fn another_width_gives_nothing() {
        assert_eq!(u32::wrap(DType::F64, vec![1]), None);
        assert!(Values::I32(vec![1, 2]).words::<u64>().is_none());
    }
}
