//! What is said of element types that differ between files.

use super::ConcatError;
use crate::data::DType;

/// That a type changed and from what; `None` when all files have the type of the result.
pub(super) fn told(own: &[(&str, DType)], to: DType, gaps: bool) -> Option<String> {
    if own.iter().all(|(_, t)| *t == to) {
        return None;
    }
    let why = if gaps { ", missing entries are NaN" } else { "" };
    Some(format!("{}: {}{why}", to.name(), list(own)))
}

/// That a value would not stay the same.
pub(super) fn cannot_hold(
    element: &str,
    file: &str,
    value: &str,
    own: &[(&str, DType)],
    to: DType,
    gaps: bool,
) -> ConcatError {
    let why = match gaps {
        true => "missing entries of an outer join are NaN, which whole numbers do not have",
        false => "the files have no other type in common",
    };
    let todo = match gaps {
        true => "use --join inner, or store the matrix sparse in one of the files",
        false => "store it in one type in all files",
    };
    let what = format!(
        "{file}: {element}: the value {value} does not stay the same in {} ({}; {why}); {todo}",
        to.name(),
        list(own),
    );
    ConcatError::CannotHold { what }
}

/// Each type with its files, in order of appearance.
fn list(own: &[(&str, DType)]) -> String {
    let mut types: Vec<DType> = Vec::new();
    for (_, t) in own {
        if !types.contains(t) {
            types.push(*t);
        }
    }
    let words = types.iter().map(|t| {
        let mut files = own.iter().filter(|(_, o)| o == t).map(|(f, _)| *f);
        let first = files.next().unwrap_or_default();
        match files.count() {
            0 => format!("{} in {first}", t.name()),
            more => format!("{} in {} files, {first} first", t.name(), more + 1),
        }
    });
    words.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use DType::*;

    #[test]
    fn a_change_of_type_is_told_with_its_files() {
        assert_eq!(told(&[("a", U8), ("b", U8)], U8, false), None);
        let own = [("a", U64), ("b", I64), ("c", I64)];
        assert_eq!(told(&own, I64, false).unwrap(), "int64: uint64 in a; int64 in 2 files, b first");
        assert_eq!(told(&[("a", U8)], F32, true).unwrap(), "float32: uint8 in a, missing entries are NaN");
    }

    #[test]
    fn a_value_that_does_not_fit_is_named() {
        let ConcatError::CannotHold { what } =
            cannot_hold("X", "a", "9007199254740993", &[("a", I64), ("b", F32)], F64, false)
        else {
            panic!()
        };
        assert!(what.starts_with("a: X: the value 9007199254740993 does not stay the same in float64"));
        assert!(what.contains("int64 in a; float32 in b"), "{what}");
    }
}
