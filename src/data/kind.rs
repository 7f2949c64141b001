//! What kind of values a column of labels holds, so that columns made of its labels are of the same kind.

use serde::{Deserialize, Serialize};

use super::{Categorical, Categories, Column, DType, Element, Values};
use crate::with_values;

/// The kind of a column of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueKind {
    /// Whether it is a categorical column.
    pub category: bool,
    /// The type of its numbers or booleans; text when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtype: Option<DType>,
}

impl Default for ValueKind {
    /// Categories of text.
    fn default() -> Self {
        Self { category: true, dtype: None }
    }
}

impl ValueKind {
    /// That of a column.
    pub fn of(column: &Column) -> Self {
        let (category, dtype) = match column {
            Column::Numbers(v) | Column::Nullable { values: v, .. } => (false, Some(v.dtype())),
            Column::Categorical(Categorical { categories: Categories::Numbers(v), .. }) => {
                (true, Some(v.dtype()))
            }
            Column::Categorical(_) | Column::Opaque { .. } => (true, None),
            Column::Strings(_) | Column::NullableStrings(_) => (false, None),
        };
        Self { category, dtype }
    }

    /// Whether this is what was assumed of every column before kinds were stored.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// A column of this kind: `names[code]` for each row, missing where there is no code. Names that are no values of the
    /// kind make a column of text categories.
    pub fn column(self, names: &[String], codes: &[Option<usize>]) -> Column {
        match (self.category, self.dtype) {
            (false, None) => texts(names, codes),
            (true, None) => categories(Categories::Strings(names.to_vec()), codes),
            (true, Some(dtype)) => {
                let numbers = parsed(dtype, names).map(Categories::Numbers);
                categories(numbers.unwrap_or_else(|| Categories::Strings(names.to_vec())), codes)
            }
            (false, Some(dtype)) => match parsed(dtype, names) {
                Some(values) => numbers(&values, codes),
                None => categories(Categories::Strings(names.to_vec()), codes),
            },
        }
    }
}

fn texts(names: &[String], codes: &[Option<usize>]) -> Column {
    let all: Vec<Option<String>> = codes.iter().map(|c| names.get((*c)?).cloned()).collect();
    if all.iter().any(Option::is_none) {
        return Column::NullableStrings(all);
    }
    Column::Strings(all.into_iter().flatten().collect())
}

fn categories(categories: Categories, codes: &[Option<usize>]) -> Column {
    let codes = codes.iter().map(|c| c.and_then(|c| i32::try_from(c).ok()).unwrap_or(-1)).collect();
    Column::Categorical(Categorical { codes, categories, ordered: false })
}

/// Values by code; missing ones are NaN in floats and masked otherwise.
fn numbers(values: &Values, codes: &[Option<usize>]) -> Column {
    fn gather<T: Element>(values: &[T], codes: &[Option<usize>], gap: T) -> Values {
        T::wrap(codes.iter().map(|c| c.and_then(|c| values.get(c).copied()).unwrap_or(gap)).collect())
    }
    let gathered = match values {
        Values::F16(v) => gather(v, codes, half::f16::NAN),
        Values::F32(v) => gather(v, codes, f32::NAN),
        Values::F64(v) => gather(v, codes, f64::NAN),
        other => with_values!(other, v => gather(v, codes, Default::default())),
    };
    let missing: Vec<bool> = codes.iter().map(Option::is_none).collect();
    if gathered.dtype().is_float() || !missing.contains(&true) {
        return Column::Numbers(gathered);
    }
    Column::Nullable { values: gathered, missing }
}

/// Texts as values of a type; `None` when one of them is no such value.
fn parsed(dtype: DType, texts: &[String]) -> Option<Values> {
    fn all<T: std::str::FromStr + Element>(texts: &[String]) -> Option<Values> {
        let whole = |t: &str| {
            let x: f64 = t.parse().ok()?;
            (x.fract() == 0.0).then(|| format!("{x:.0}"))?.parse().ok()
        };
        texts.iter().map(|t| t.parse().ok().or_else(|| whole(t))).collect::<Option<Vec<T>>>().map(T::wrap)
    }
    match dtype {
        DType::Bool => {
            let yes = |t: &String| {
                ["False", "True"].iter().position(|word| super::same_value(word, t)).map(|i| i == 1)
            };
            texts.iter().map(yes).collect::<Option<Vec<bool>>>().map(Values::Bool)
        }
        DType::I8 => all::<i8>(texts),
        DType::I16 => all::<i16>(texts),
        DType::I32 => all::<i32>(texts),
        DType::I64 => all::<i64>(texts),
        DType::U8 => all::<u8>(texts),
        DType::U16 => all::<u16>(texts),
        DType::U32 => all::<u32>(texts),
        DType::U64 => all::<u64>(texts),
        DType::F16 => all::<half::f16>(texts),
        DType::F32 => all::<f32>(texts),
        DType::F64 => all::<f64>(texts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_back_as_what_they_were() {
        let codes = [Some(1), Some(0), Some(1)];
        for column in [
            Column::Numbers(Values::I64(vec![7, -2, 7])),
            Column::Numbers(Values::F32(vec![0.1, 2.0, 0.1])),
            Column::Numbers(Values::Bool(vec![true, false, true])),
            Column::Strings(["b", "a", "b"].map(String::from).to_vec()),
        ] {
            let names: Vec<String> = [1, 0].iter().map(|&i| column.text(i).unwrap().into_owned()).collect();
            assert_eq!(ValueKind::of(&column).column(&names, &codes), column);
        }
        let names = ["3".to_owned(), "5".to_owned()];
        let made = ValueKind { category: true, dtype: Some(DType::I64) }.column(&names, &codes);
        let Column::Categorical(c) = &made else { panic!("{made:?}") };
        assert_eq!(
            (&c.categories, &c.codes[..]),
            (&Categories::Numbers(Values::I64(vec![3, 5])), &[1, 0, 1][..])
        );
    }

    #[test]
    fn a_missing_label_is_missing_in_every_kind_and_a_strange_one_makes_text() {
        let names = ["3".to_owned()];
        let kind = |dtype| ValueKind { category: false, dtype };
        let codes = [Some(0), None];
        let made = kind(Some(DType::I32)).column(&names, &codes);
        assert_eq!(made, Column::Nullable { values: Values::I32(vec![3, 0]), missing: vec![false, true] });
        let Column::Numbers(Values::F64(v)) = kind(Some(DType::F64)).column(&names, &codes) else { panic!() };
        assert!(v[0] == 3.0 && v[1].is_nan());
        assert_eq!(kind(None).column(&names, &codes), Column::NullableStrings(vec![Some("3".into()), None]));
        let made = kind(Some(DType::I32)).column(&["Unknown".to_owned()], &codes);
        assert_eq!(made.text(0).as_deref(), Some("Unknown"));
    }
}
