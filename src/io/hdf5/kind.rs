//! HDF5 types sorted into the few kinds scx reads.

use hdf5_metno as hdf5;

use hdf5::types::{FloatSize, IntSize, TypeDescriptor as TD};

use crate::data::DType;

/// What an HDF5 element holds, as far as scx reads it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::io) enum Kind {
    /// Numbers or booleans.
    Number(DType),
    /// Text, of fixed or variable length.
    Text(TD),
    /// Records: names and types of the fields.
    Compound(Vec<(String, TD)>),
    /// Anything else, in words.
    Other(String),
}

impl Kind {
    /// What it is, for people.
    pub(in crate::io) fn words(&self) -> String {
        match self {
            Kind::Number(dtype) => dtype.name().into(),
            Kind::Text(_) => "text".into(),
            Kind::Compound(fields) => format!("records of {} fields", fields.len()),
            Kind::Other(what) => what.clone(),
        }
    }

    /// Sorts a type description.
    pub(in crate::io) fn of(ty: &TD) -> Kind {
        let int = |signed: bool, size: &IntSize| match (signed, size) {
            (true, IntSize::U1) => DType::I8,
            (true, IntSize::U2) => DType::I16,
            (true, IntSize::U4) => DType::I32,
            (true, IntSize::U8) => DType::I64,
            (false, IntSize::U1) => DType::U8,
            (false, IntSize::U2) => DType::U16,
            (false, IntSize::U4) => DType::U32,
            (false, IntSize::U8) => DType::U64,
        };
        match ty {
            TD::Integer(size) => Kind::Number(int(true, size)),
            TD::Unsigned(size) => Kind::Number(int(false, size)),
            TD::Float(FloatSize::U2) => Kind::Number(DType::F16),
            TD::Float(FloatSize::U4) => Kind::Number(DType::F32),
            TD::Float(FloatSize::U8) => Kind::Number(DType::F64),
            TD::Boolean => Kind::Number(DType::Bool),
            TD::Enum(e) => Kind::Number(int(e.signed, &e.size)),
            TD::FixedAscii(_) | TD::FixedUnicode(_) | TD::VarLenAscii | TD::VarLenUnicode => {
                Kind::Text(ty.clone())
            }
            TD::Compound(c) => {
                Kind::Compound(c.fields.iter().map(|f| (f.name.clone(), f.ty.clone())).collect())
            }
            other => Kind::Other(other.to_string()),
        }
    }
}
