//! A flat buffer of numbers in the element type found on disk.

use half::f16;

/// Element type of a stored array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DType {
    /// Boolean.
    Bool,
    /// Signed 8-bit integer.
    I8,
    /// Signed 16-bit integer.
    I16,
    /// Signed 32-bit integer.
    I32,
    /// Signed 64-bit integer.
    I64,
    /// Unsigned 8-bit integer.
    U8,
    /// Unsigned 16-bit integer.
    U16,
    /// Unsigned 32-bit integer.
    U32,
    /// Unsigned 64-bit integer.
    U64,
    /// IEEE half precision.
    F16,
    /// IEEE single precision.
    F32,
    /// IEEE double precision.
    F64,
}

impl DType {
    /// The name NumPy gives this type (`float32`, `uint8`, `bool`, …).
    pub fn name(self) -> &'static str {
        match self {
            DType::Bool => "bool",
            DType::I8 => "int8",
            DType::I16 => "int16",
            DType::I32 => "int32",
            DType::I64 => "int64",
            DType::U8 => "uint8",
            DType::U16 => "uint16",
            DType::U32 => "uint32",
            DType::U64 => "uint64",
            DType::F16 => "float16",
            DType::F32 => "float32",
            DType::F64 => "float64",
        }
    }

    /// Bytes one element takes.
    pub fn size(self) -> usize {
        match self {
            DType::Bool | DType::I8 | DType::U8 => 1,
            DType::I16 | DType::U16 | DType::F16 => 2,
            DType::I32 | DType::U32 | DType::F32 => 4,
            DType::I64 | DType::U64 | DType::F64 => 8,
        }
    }

    /// Whether this is a floating-point type.
    pub fn is_float(self) -> bool {
        matches!(self, DType::F16 | DType::F32 | DType::F64)
    }

    /// Whether this is a type of whole numbers; booleans are none.
    pub fn is_integer(self) -> bool {
        !self.is_float() && self != DType::Bool
    }

    /// The smallest of `float32` and `float64` that holds every value of this type exactly
    /// (64-bit integers take `float64`, which is exact to 2^53).
    pub fn exact_float(self) -> DType {
        match self {
            DType::I32 | DType::U32 | DType::I64 | DType::U64 | DType::F64 => DType::F64,
            _ => DType::F32,
        }
    }
}

/// A flat buffer of numbers; the variant is the element type found on disk.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Booleans.
    Bool(Vec<bool>),
    /// Signed 8-bit integers.
    I8(Vec<i8>),
    /// Signed 16-bit integers.
    I16(Vec<i16>),
    /// Signed 32-bit integers.
    I32(Vec<i32>),
    /// Signed 64-bit integers.
    I64(Vec<i64>),
    /// Unsigned 8-bit integers.
    U8(Vec<u8>),
    /// Unsigned 16-bit integers.
    U16(Vec<u16>),
    /// Unsigned 32-bit integers.
    U32(Vec<u32>),
    /// Unsigned 64-bit integers.
    U64(Vec<u64>),
    /// Half-precision floats.
    F16(Vec<f16>),
    /// Single-precision floats.
    F32(Vec<f32>),
    /// Double-precision floats.
    F64(Vec<f64>),
}

/// Runs `$body` with `$v` bound to the typed vector inside a [`Values`].
#[macro_export]
macro_rules! with_values {
    ($values:expr, $v:ident => $body:expr) => {
        match $values {
            $crate::data::Values::Bool($v) => $body,
            $crate::data::Values::I8($v) => $body,
            $crate::data::Values::I16($v) => $body,
            $crate::data::Values::I32($v) => $body,
            $crate::data::Values::I64($v) => $body,
            $crate::data::Values::U8($v) => $body,
            $crate::data::Values::U16($v) => $body,
            $crate::data::Values::U32($v) => $body,
            $crate::data::Values::U64($v) => $body,
            $crate::data::Values::F16($v) => $body,
            $crate::data::Values::F32($v) => $body,
            $crate::data::Values::F64($v) => $body,
        }
    };
}

/// A number that a [`Values`] buffer can hold.
pub trait Element: Copy + Send + Sync + Default + 'static {
    /// Its tag.
    const DTYPE: DType;
    /// The value as `f64` (64-bit integers beyond 2^53 are rounded).
    fn to_f64(self) -> f64;
    /// Puts a typed vector into a [`Values`].
    fn wrap(values: Vec<Self>) -> Values;
}

macro_rules! element {
    ($($t:ty, $variant:ident, $to:expr;)*) => {$(
        impl Element for $t {
            const DTYPE: DType = DType::$variant;
            fn to_f64(self) -> f64 { ($to)(self) }
            fn wrap(values: Vec<Self>) -> Values { Values::$variant(values) }
        }
        impl From<Vec<$t>> for Values {
            fn from(v: Vec<$t>) -> Self { Values::$variant(v) }
        }
    )*};
}
element! {
    bool, Bool, |v| if v { 1.0 } else { 0.0 };
    i8, I8, f64::from;
    i16, I16, f64::from;
    i32, I32, f64::from;
    i64, I64, |v| v as f64;
    u8, U8, f64::from;
    u16, U16, f64::from;
    u32, U32, f64::from;
    u64, U64, |v| v as f64;
    f16, F16, f64::from;
    f32, F32, f64::from;
    f64, F64, |v| v;
}

impl Values {
    /// An empty buffer of an element type.
    pub fn empty(dtype: DType) -> Values {
        match dtype {
            DType::Bool => Values::Bool(Vec::new()),
            DType::I8 => Values::I8(Vec::new()),
            DType::I16 => Values::I16(Vec::new()),
            DType::I32 => Values::I32(Vec::new()),
            DType::I64 => Values::I64(Vec::new()),
            DType::U8 => Values::U8(Vec::new()),
            DType::U16 => Values::U16(Vec::new()),
            DType::U32 => Values::U32(Vec::new()),
            DType::U64 => Values::U64(Vec::new()),
            DType::F16 => Values::F16(Vec::new()),
            DType::F32 => Values::F32(Vec::new()),
            DType::F64 => Values::F64(Vec::new()),
        }
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        fn tag<T: Element>(_: &[T]) -> DType {
            T::DTYPE
        }
        with_values!(self, v => tag(v))
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        with_values!(self, v => v.len())
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Element `i` as `f64`, or `None` past the end.
    pub fn get(&self, i: usize) -> Option<f64> {
        with_values!(self, v => v.get(i).map(|x| x.to_f64()))
    }

    /// All elements as `f64`, in order.
    pub fn iter(&self) -> Box<dyn Iterator<Item = f64> + '_> {
        with_values!(self, v => Box::new(v.iter().map(|x| x.to_f64())))
    }

    /// Element `i` as text, the way Python prints it: integers without a point, `True`/`False`.
    pub fn text(&self, i: usize) -> Option<String> {
        match self {
            Values::Bool(v) => v.get(i).map(|b| if *b { "True" } else { "False" }.to_owned()),
            Values::I64(v) => v.get(i).map(i64::to_string),
            Values::U64(v) => v.get(i).map(u64::to_string),
            _ => self.get(i).map(
                |x| {
                    if self.dtype().is_float() { format!("{x:?}") } else { format!("{x:.0}") }
                },
            ),
        }
    }
}
