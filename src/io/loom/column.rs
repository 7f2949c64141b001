//! Columns as attributes: loom has numbers and text, no categories, no booleans and nothing missing.

use crate::data::{Categorical, Categories, Column, DType, Values};

/// A column as loom stores it.
pub(super) enum Stored<'a> {
    /// Numbers.
    Numbers(Values),
    /// Texts.
    Texts(Vec<&'a str>),
}

/// How loom stores a column: booleans as 0 and 1; categories as their values, the order of them lost; missing numbers
/// as NaN, missing text as empty text.
///
/// # Errors
/// The encoding, when nobody understands it.
pub(super) fn stored(c: &Column) -> Result<Stored<'_>, &str> {
    Ok(match c {
        Column::Numbers(v) => Stored::Numbers(super::attrs::without_booleans(v)),
        Column::Strings(v) => Stored::Texts(v.iter().map(String::as_str).collect()),
        Column::NullableStrings(v) => {
            Stored::Texts(v.iter().map(|s| s.as_deref().unwrap_or_default()).collect())
        }
        Column::Nullable { values, missing } => {
            let at: Vec<Option<usize>> = missing.iter().enumerate().map(|(i, m)| (!m).then_some(i)).collect();
            Stored::Numbers(picked(values, &at))
        }
        Column::Categorical(c) => category(c),
        Column::Opaque { encoding, .. } => return Err(encoding),
    })
}

fn category(c: &Categorical) -> Stored<'_> {
    let codes = c.codes.iter().map(|code| usize::try_from(*code).ok());
    match &c.categories {
        Categories::Strings(labels) => Stored::Texts(
            codes.map(|code| code.and_then(|i| labels.get(i)).map_or("", String::as_str)).collect(),
        ),
        Categories::Numbers(values) => Stored::Numbers(picked(values, &codes.collect::<Vec<_>>())),
    }
}

/// The values at the given places, NaN where there is none: in their own type when nothing is missing, otherwise in the
/// smallest float that holds them.
fn picked(values: &Values, at: &[Option<usize>]) -> Values {
    fn all<T: Copy>(v: &[T], at: &[Option<usize>]) -> Option<Vec<T>> {
        at.iter().map(|i| v.get((*i)?).copied()).collect()
    }
    let whole = crate::with_values!(values, v => all(v, at).map(crate::data::Element::wrap));
    if let Some(whole) = whole {
        return super::attrs::without_booleans(&whole);
    }
    let number = |i: &Option<usize>| i.and_then(|i| values.get(i)).unwrap_or(f64::NAN);
    match values.dtype().exact_float() {
        DType::F32 => Values::F32(at.iter().map(|i| number(i) as f32).collect()),
        _ => Values::F64(at.iter().map(number).collect()),
    }
}
