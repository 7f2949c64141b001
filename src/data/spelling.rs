//! Names and values as people write them: which one is meant, which one is near, which text stands for nothing.

/// Whether a text stands for a missing value: nothing at all, or what NumPy and pandas print for one.
pub fn is_missing(text: &str) -> bool {
    matches!(text.trim(), "" | "nan" | "NaN" | "<NA>")
}

/// The number a text stands for; `true` and `false` are 1 and 0, as formats without booleans store them.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(1.0),
        _ if text.eq_ignore_ascii_case("false") => Some(0.0),
        _ => text.parse().ok().filter(|x: &f64| x.is_finite()),
    }
}

/// Whether two texts are the same value: the same text, or the same number (`1` and `1.0`, `True` and `true`).
pub fn same_value(a: &str, b: &str) -> bool {
    a == b || number(a).is_some_and(|x| number(b) == Some(x))
}

/// The position of the value that is meant by `word`: that text, else the only one of the same number.
pub fn find_value<'a>(values: impl IntoIterator<Item = &'a str>, word: &str) -> Option<usize> {
    let (mut near, mut several) = (None, false);
    for (i, value) in values.into_iter().enumerate() {
        if value == word {
            return Some(i);
        }
        if same_value(value, word) {
            several = near.replace(i).is_some();
        }
    }
    near.filter(|_| !several)
}

/// `; did you mean X?` for the nearest of the known names, or nothing when none is near.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let lower = word.to_lowercase();
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(&lower, &k.to_lowercase()), k))
        .filter(|(d, k)| *d <= (word.chars().count().max(k.chars().count()) / 2).max(1))
        .min_by_key(|(d, k)| (*d, k.len()))
        .map_or_else(String::new, |(_, k)| format!("; did you mean {k}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_text_before_its_number_and_never_when_two_would_do() {
        assert_eq!(find_value(["1.0", "2.0"], "2"), Some(1));
        assert_eq!(find_value(["01", "1"], "1"), Some(1));
        assert_eq!(find_value(["01", "1"], "1.0"), None);
        assert_eq!(find_value(["False", "True"], "true"), Some(1));
        assert_eq!(find_value(["0", "1"], "True"), Some(1));
        assert_eq!(find_value(["T cell", "nan"], "NaN"), None);
    }
}
