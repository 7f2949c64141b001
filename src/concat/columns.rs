//! One column of a table below the same column of other tables.

use std::collections::{HashMap, HashSet};

use super::cast::{cast, misfits, promote};
use crate::data::{Categorical, Categories, Column, DType, Element, Values, append};
use crate::with_values;

/// A column made of several, and what changed on the way.
pub(super) struct Made {
    /// The column; `None` when it cannot be made.
    pub(super) column: Option<Column>,
    /// What changed, in words.
    pub(super) note: Option<String>,
}

impl Made {
    fn plain(column: Column) -> Self {
        Self { column: Some(column), note: None }
    }

    fn noted(column: Column, note: &str) -> Self {
        Self { column: Some(column), note: Some(note.to_owned()) }
    }
}

/// Puts columns below one another; `None` with a number of rows stands for a table without the column.
pub(super) fn below(columns: &[(Option<&Column>, usize)]) -> Made {
    let there = || columns.iter().filter_map(|(c, _)| *c);
    let missing = columns.iter().any(|(c, n)| c.is_none() && *n > 0);
    if let Some(Column::Opaque { encoding, .. }) = there().find(|c| matches!(c, Column::Opaque { .. })) {
        return Made { column: None, note: Some(format!("encoding {encoding} is not understood")) };
    }
    if there().all(|c| matches!(c, Column::Categorical(_))) {
        return categories(columns);
    }
    if there().all(|c| matches!(c, Column::Numbers(_) | Column::Nullable { .. })) {
        return numbers(columns, missing);
    }
    let text = |c: &Column| matches!(c, Column::Strings(_) | Column::NullableStrings(_));
    let column = as_text(columns);
    match there().all(text) {
        true => Made::plain(column),
        false if there().all(|c| text(c) || matches!(c, Column::Categorical(_))) => {
            Made::noted(column, "text: categories in some files, text in others")
        }
        false => Made::noted(column, "text: numbers in some files, text in others"),
    }
}

fn as_text(columns: &[(Option<&Column>, usize)]) -> Column {
    let entries: Vec<Option<String>> = columns
        .iter()
        .flat_map(|(c, n)| (0..*n).map(move |i| c.and_then(|c| c.text(i)).map(|t| t.into_owned())))
        .collect();
    let nullable = columns.iter().any(|(c, _)| matches!(c, Some(Column::NullableStrings(_))));
    if nullable || entries.iter().any(Option::is_none) {
        Column::NullableStrings(entries)
    } else {
        Column::Strings(entries.into_iter().flatten().collect())
    }
}

/// Numbers in the type that holds all of them; entries missing are NaN in floats and masked in whole numbers.
fn numbers(columns: &[(Option<&Column>, usize)], missing: bool) -> Made {
    let parts = columns.iter().map(|(c, n)| match c {
        Some(Column::Numbers(v)) => (Some(v), None, *n),
        Some(Column::Nullable { values, missing }) => (Some(values), Some(missing), *n),
        _ => (None, None, *n),
    });
    let types: Vec<DType> = parts.clone().filter_map(|(v, ..)| v.map(Values::dtype)).collect();
    let Some(common) = types.iter().copied().reduce(promote) else {
        return Made { column: None, note: None };
    };
    // Entries that change in a type, and the first of them.
    let rounded = |to: DType| {
        let mut all = parts.clone().flat_map(|(v, mask, _)| {
            let hidden = move |i: usize| mask.is_some_and(|m| m.get(i) == Some(&true));
            v.into_iter().flat_map(move |v| misfits(v, to, hidden))
        });
        (all.next(), all.count())
    };
    let dtype = match common {
        DType::I64 if rounded(DType::I64).0.is_none() => DType::I64,
        DType::I64 if rounded(DType::U64).0.is_none() => DType::U64,
        DType::I64 => DType::F64,
        other => other,
    };
    let mut note = types.iter().any(|t| *t != dtype).then(|| {
        let mut names: Vec<&str> = types.iter().map(|t| t.name()).collect();
        let mut seen = HashSet::new();
        names.retain(|n| seen.insert(*n));
        format!("{}: {} in the files", dtype.name(), names.join(", "))
    });
    if let ((Some(first), more), Some(note)) = (rounded(dtype), &mut note) {
        *note += &format!("; {} whole numbers beyond 2^53 are rounded, {first} first", more + 1);
    }
    let nullable = missing || parts.clone().any(|(_, mask, _)| mask.is_some());
    let (mut values, mut mask) = (Values::empty(dtype), Vec::new());
    for (own, own_mask, n) in parts {
        match own {
            Some(own) => append(&mut values, &cast(own.clone(), dtype)),
            None => append(&mut values, &cast(Values::U8(vec![0; n]), dtype)),
        }
        match (own, own_mask) {
            (Some(_), Some(own)) => mask.extend_from_slice(own),
            (Some(_), None) => mask.extend(std::iter::repeat_n(false, n)),
            (None, _) => mask.extend(std::iter::repeat_n(true, n)),
        }
    }
    if !nullable {
        return Made { column: Some(Column::Numbers(values)), note };
    }
    if dtype.is_float() {
        hide(&mut values, &mask);
        return Made { column: Some(Column::Numbers(values)), note };
    }
    Made { column: Some(Column::Nullable { values, missing: mask }), note }
}

/// Masked floats become NaN.
fn hide(values: &mut Values, mask: &[bool]) {
    macro_rules! nan {
        ($v:expr, $nan:expr) => {
            $v.iter_mut().zip(mask).filter(|(_, m)| **m).for_each(|(x, _)| *x = $nan)
        };
    }
    match values {
        Values::F16(v) => nan!(v, half::f16::NAN),
        Values::F32(v) => nan!(v, f32::NAN),
        Values::F64(v) => nan!(v, f64::NAN),
        _ => {}
    }
}

/// Categories of all, in the order of first appearance.
fn categories(columns: &[(Option<&Column>, usize)]) -> Made {
    let all: Vec<&Categorical> = columns
        .iter()
        .filter_map(|(c, _)| if let Some(Column::Categorical(c)) = c { Some(c) } else { None })
        .collect();
    let numeric: Vec<&Values> = all
        .iter()
        .filter_map(|c| if let Categories::Numbers(v) = &c.categories { Some(v) } else { None })
        .collect();
    let dtype = numeric.iter().map(|v| v.dtype()).reduce(promote).unwrap_or(DType::F64);
    // As text they stay what they are where no type holds all of them.
    let fitting = numeric.iter().all(|v| misfits(v, dtype, |_| false).next().is_none());
    let as_numbers = numeric.len() == all.len() && fitting;
    // Numbers of one value must be one category, whatever their types were.
    let label = |c: &Categorical, i: usize| match &c.categories {
        Categories::Numbers(v) if as_numbers => {
            cast(crate::data::slice(v, i..i + 1), dtype).text(0).unwrap_or_default()
        }
        other => other.text(i).unwrap_or_default(),
    };
    let mut places = HashMap::<String, i32>::new();
    let (mut texts, mut numbers) = (Vec::new(), Values::empty(dtype));
    let mut codes = Vec::new();
    for (column, n) in columns {
        let Some(Column::Categorical(c)) = column else {
            codes.extend(std::iter::repeat_n(-1, *n));
            continue;
        };
        let mut own = Vec::with_capacity(c.categories.len());
        for i in 0..c.categories.len() {
            let label = label(c, i);
            let next = i32::try_from(places.len()).unwrap_or(i32::MAX);
            own.push(*places.entry(label.clone()).or_insert_with(|| {
                match &c.categories {
                    Categories::Numbers(v) if as_numbers => {
                        append(&mut numbers, &cast(crate::data::slice(v, i..i + 1), dtype));
                    }
                    _ => texts.push(label),
                }
                next
            }));
        }
        codes.extend(
            c.codes.iter().map(|&c| usize::try_from(c).ok().and_then(|c| own.get(c)).copied().unwrap_or(-1)),
        );
    }
    let categories = if as_numbers { Categories::Numbers(numbers) } else { Categories::Strings(texts) };
    let same =
        all.iter().filter(|c| !c.categories.is_empty()).all(|c| c.ordered && c.categories == categories);
    let some = all.iter().any(|c| c.ordered);
    let column = Column::Categorical(Categorical { codes, categories, ordered: some && same });
    match (some && !same, as_numbers || numeric.is_empty()) {
        (true, _) => Made::noted(column, "no longer ordered: the order of categories differs between files"),
        (false, false) if numeric.len() == all.len() => {
            Made::noted(column, "categories as text: no type holds the numbers of all files")
        }
        (false, false) => Made::noted(column, "categories as text: numbers in some files, text in others"),
        (false, true) => Made::plain(column),
    }
}

/// The chosen rows of a column.
pub(super) fn take(column: &Column, rows: &[usize]) -> Column {
    fn pick<T: Clone + Default>(v: &[T], rows: &[usize]) -> Vec<T> {
        rows.iter().map(|&i| v.get(i).cloned().unwrap_or_default()).collect()
    }
    fn values(v: &Values, rows: &[usize]) -> Values {
        with_values!(v, v => Element::wrap(pick(v, rows)))
    }
    match column {
        Column::Numbers(v) => Column::Numbers(values(v, rows)),
        Column::Nullable { values: v, missing } => {
            Column::Nullable { values: values(v, rows), missing: pick(missing, rows) }
        }
        Column::Strings(v) => Column::Strings(pick(v, rows)),
        Column::NullableStrings(v) => Column::NullableStrings(pick(v, rows)),
        Column::Categorical(c) => Column::Categorical(Categorical {
            codes: pick(&c.codes, rows),
            categories: c.categories.clone(),
            ordered: c.ordered,
        }),
        Column::Opaque { encoding, .. } => {
            Column::Opaque { encoding: encoding.clone(), len: rows.len(), stored: None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn category(codes: &[i32], names: &[&str], ordered: bool) -> Column {
        let categories = Categories::Strings(names.iter().map(|s| (*s).to_owned()).collect());
        Column::Categorical(Categorical { codes: codes.to_vec(), categories, ordered })
    }

    fn two(a: &Column, b: &Column) -> Made {
        below(&[(Some(a), a.len()), (Some(b), b.len())])
    }

    #[test]
    fn categories_are_united_in_order_of_first_appearance() {
        let made = two(&category(&[0, -1], &["z", "b"], false), &category(&[1, 0], &["a", "z"], false));
        assert_eq!(made.column, Some(category(&[0, -1, 0, 2], &["z", "b", "a"], false)));
        assert!(made.note.is_none());
    }

    #[test]
    fn an_order_survives_only_where_all_agree() {
        let a = category(&[0], &["low", "high"], true);
        assert_eq!(two(&a, &a).column, Some(category(&[0, 0], &["low", "high"], true)));
        let made = two(&a, &category(&[0], &["high", "low"], true));
        assert!(made.note.is_some());
        assert_eq!(made.column, Some(category(&[0, 1], &["low", "high"], false)));
    }

    #[test]
    fn numbers_keep_the_narrowest_type_that_holds_all_and_missing_ones_are_marked() {
        let (a, b) = (Column::Numbers(Values::U8(vec![200])), Column::Numbers(Values::I8(vec![-1])));
        assert_eq!(two(&a, &b).column, Some(Column::Numbers(Values::I16(vec![200, -1]))));
        let made = below(&[(Some(&a), 1), (None, 2)]);
        let values = Values::U8(vec![200, 0, 0]);
        assert_eq!(made.column, Some(Column::Nullable { values, missing: vec![false, true, true] }));
        let made = below(&[(None, 1), (Some(&Column::Numbers(Values::F32(vec![1.5]))), 1)]);
        let Some(Column::Numbers(Values::F32(v))) = made.column else { panic!() };
        assert!(v[0].is_nan() && v[1] == 1.5);
    }

    #[test]
    fn text_beside_numbers_becomes_text_and_is_told() {
        let made = two(&Column::Numbers(Values::I32(vec![1])), &Column::Strings(vec!["b".into()]));
        assert_eq!(made.column, Some(Column::Strings(vec!["1".into(), "b".into()])));
        assert!(made.note.is_some_and(|n| n.contains("numbers in some files")));
    }

    #[test]
    fn whole_numbers_of_64_bits_stay_whole_where_they_can_and_rounding_is_told() {
        let big = (1i64 << 53) + 1;
        let numbers = |v: Values| Column::Numbers(v);
        let made = two(&numbers(Values::U64(vec![big as u64])), &numbers(Values::I64(vec![-big])));
        assert_eq!(made.column, Some(numbers(Values::I64(vec![big, -big]))));
        assert_eq!(made.note.as_deref(), Some("int64: uint64, int64 in the files"));
        let made = two(&numbers(Values::U64(vec![u64::MAX])), &numbers(Values::I8(vec![1])));
        assert_eq!(made.column, Some(numbers(Values::U64(vec![u64::MAX, 1]))));
        let made = two(&numbers(Values::U64(vec![u64::MAX])), &numbers(Values::I8(vec![-1])));
        assert_eq!(made.column, Some(numbers(Values::F64(vec![u64::MAX as f64, -1.0]))));
        let made = two(&numbers(Values::I64(vec![big, 1])), &numbers(Values::F32(vec![0.5])));
        let note = made.note.unwrap();
        assert!(note.contains("1 whole numbers beyond 2^53 are rounded, 9007199254740993 first"), "{note}");
        // A masked entry is no number.
        let masked = Column::Nullable { values: Values::I64(vec![big, 1]), missing: vec![true, false] };
        assert!(!two(&masked, &numbers(Values::F32(vec![0.5]))).note.unwrap().contains("rounded"));
    }

    #[test]
    fn numbers_as_categories_become_text_rather_than_others() {
        let of = |v: Values| {
            Column::Categorical(Categorical {
                codes: vec![0],
                categories: Categories::Numbers(v),
                ordered: false,
            })
        };
        let big = (1i64 << 53) + 1;
        let made = two(&of(Values::I64(vec![big])), &of(Values::F64(vec![0.5])));
        assert_eq!(made.column, Some(category(&[0, 1], &["9007199254740993", "0.5"], false)));
        assert!(made.note.is_some_and(|n| n.contains("no type holds")));
        let made = two(&of(Values::U64(vec![7])), &of(Values::I64(vec![7])));
        let one = Categorical {
            codes: vec![0, 0],
            categories: Categories::Numbers(Values::I64(vec![7])),
            ordered: false,
        };
        assert_eq!(made.column, Some(Column::Categorical(one)));
    }
}
