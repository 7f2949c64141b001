//! The TEXT segment of a file to be written: which keywords it gets and how they become bytes.

use serde_json::Value;

/// The keyword that holds the provenance records: a JSON array, oldest first.
pub(super) const RECORD: &str = "SCX";

/// Digits of the data offsets: fixed, so that the length of TEXT does not depend on them.
const OFFSET_DIGITS: usize = 12;

/// Delimiters tried in this order; none of them upsets the readers we know. The first that occurs in no keyword or
/// value is taken, so that nothing has to be doubled.
const DELIMITERS: &[u8] = b"|\x0c\x1e/\\!#~@%&;:=\"'`,<>_\x1f\x1d\x1c\x01\x02\x03\x04\x05\x06\x07\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a";

/// One channel of a file to be written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    /// `$PnN`.
    pub(super) name: String,
    /// `$PnS`; empty when there is none.
    pub(super) stain: String,
    /// Largest finite value it holds.
    pub(super) max: f64,
}

/// What fixes the structural keywords.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shape {
    /// Number of events.
    pub(super) n_events: usize,
    /// Whether values are stored as doubles.
    pub(super) double: bool,
    /// The channels.
    pub(super) columns: Vec<Column>,
}

/// Keywords and values of a new file: the structural ones, then those of `old` that are kept, then what is missing.
/// `$BEGINDATA` and `$ENDDATA` are left at 0 for [`encode`] to fill in.
///
/// `names_from_old`: `$PnN` and `$PnS` stay as `old` has them (the file is written again); otherwise they come from
/// the columns.
pub(super) fn compose(
    old: &[(String, String)],
    shape: &Shape,
    names_from_old: bool,
    record: Option<&str>,
) -> Vec<(String, String)> {
    let bits = if shape.double { 64 } else { 32 };
    let data_type = if shape.double { "D" } else { "F" };
    let mut out: Vec<(String, String)> = Vec::new();
    let mut put = |key: String, value: String| out.push((key, value));
    let fixed = [
        ("$BEGINANALYSIS", "0"),
        ("$ENDANALYSIS", "0"),
        ("$BEGINSTEXT", "0"),
        ("$ENDSTEXT", "0"),
        ("$BEGINDATA", "0"),
        ("$ENDDATA", "0"),
        ("$BYTEORD", "1,2,3,4"),
        ("$DATATYPE", data_type),
        ("$MODE", "L"),
        ("$NEXTDATA", "0"),
    ];
    fixed.iter().for_each(|(k, v)| put((*k).into(), (*v).into()));
    put("$PAR".into(), shape.columns.len().to_string());
    put("$TOT".into(), shape.n_events.to_string());
    let find = |key: &str| old.iter().rfind(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, v)| v.as_str());
    for (i, column) in shape.columns.iter().enumerate() {
        let n = i + 1;
        put(format!("$P{n}B"), bits.to_string());
        put(format!("$P{n}E"), "0,0".into());
        put(format!("$P{n}R"), range(find(&format!("$P{n}R")), column.max));
        for (suffix, value) in [("N", &column.name), ("S", &column.stain)] {
            let key = format!("$P{n}{suffix}");
            let kept = names_from_old && find(&key).is_some();
            if !kept && (suffix == "N" || !value.is_empty()) {
                put(key, value.clone());
            }
        }
        // The amplification says how integers were meant; floats have none, so it moves out of readers' sight.
        if let Some(e) = find(&format!("$P{n}E"))
            && e.trim() != "0,0"
            && find(&format!("SCX_P{n}E")).is_none()
        {
            put(format!("SCX_P{n}E"), e.into());
        }
    }
    for (key, value) in old {
        let own_record = record.is_some() && key.eq_ignore_ascii_case(RECORD);
        // A blank keyword cannot be told from padding.
        let blank = key.trim_matches(|c: char| c.is_whitespace() || c == '\0').is_empty();
        if !own_record && !blank && !is_structural(key) && (names_from_old || !is_name(key)) {
            put(key.clone(), value.clone());
        }
    }
    if let Some(record) = record {
        put(RECORD.into(), append_record(find(RECORD), record));
    }
    for (_, value) in &mut out {
        if value.is_empty() {
            // The standard has no empty values: two delimiters in a row mean something else.
            value.push(' ');
        }
    }
    out
}

/// TEXT as bytes, with `$BEGINDATA` and `$ENDDATA` for `data_len` bytes that follow it, and the offset of DATA.
///
/// # Errors
/// In words, when no delimiter is left.
pub(super) fn encode(
    keywords: &mut [(String, String)],
    begin: u64,
    data_len: u64,
) -> Result<(Vec<u8>, u64), String> {
    for (key, value) in keywords.iter_mut() {
        if key == "$BEGINDATA" || key == "$ENDDATA" {
            *value = "0".repeat(OFFSET_DIGITS);
        }
    }
    let delimiter = delimiter(keywords)?;
    let data = begin + bytes(keywords, delimiter).len() as u64;
    // With no events the segment is empty: its last byte is the one before its first.
    let last = data.saturating_add(data_len).saturating_sub(1);
    for (key, value) in keywords.iter_mut() {
        match key.as_str() {
            "$BEGINDATA" => *value = format!("{data:0OFFSET_DIGITS$}"),
            "$ENDDATA" => *value = format!("{last:0OFFSET_DIGITS$}"),
            _ => {}
        }
    }
    if last.to_string().len() > OFFSET_DIGITS {
        return Err("more than a terabyte of events".into());
    }
    Ok((bytes(keywords, delimiter), data))
}

fn bytes(keywords: &[(String, String)], delimiter: u8) -> Vec<u8> {
    let mut text = vec![delimiter];
    for part in keywords.iter().flat_map(|(k, v)| [k, v]) {
        for &b in part.as_bytes() {
            text.push(b);
            if b == delimiter {
                text.push(b);
            }
        }
        text.push(delimiter);
    }
    text
}

/// A delimiter that occurs nowhere; failing that, one that may be doubled without doubt: in no keyword, and at
/// neither end of a value.
fn delimiter(keywords: &[(String, String)]) -> Result<u8, String> {
    let absent =
        |d: &&u8| keywords.iter().all(|(k, v)| !k.as_bytes().contains(d) && !v.as_bytes().contains(d));
    let safe = |d: &&u8| {
        keywords.iter().all(|(k, v)| {
            let v = v.as_bytes();
            !k.as_bytes().contains(d) && v.first() != Some(d) && v.last() != Some(d)
        })
    };
    DELIMITERS.iter().find(absent).or_else(|| DELIMITERS.iter().find(safe)).copied().ok_or_else(|| {
        "the keywords use every character that could separate them; remove unusual keywords".into()
    })
}

/// `$PnR`: the old one where it is large enough, else the next whole number above the largest value.
fn range(old: Option<&str>, max: f64) -> String {
    let old = old.map(str::trim).unwrap_or_default();
    let stored = old.parse::<f64>().ok().filter(|r| r.is_finite() && *r >= 1.0);
    match stored {
        Some(r) if r >= max && old.bytes().all(|b| b.is_ascii_digit()) => old.to_owned(),
        Some(r) if r >= max => format!("{:.0}", r.ceil()),
        _ if max < 1.0 => "1".to_owned(),
        // A range is exclusive in the standard: one above the largest value, where that can be told apart.
        _ => format!("{:.0}", max.floor() + 1.0),
    }
}

/// Whether a keyword describes how the old file was laid out, which the new one is not.
fn is_structural(key: &str) -> bool {
    const FIXED: &[&str] = &[
        "$BEGINANALYSIS",
        "$ENDANALYSIS",
        "$BEGINSTEXT",
        "$ENDSTEXT",
        "$BEGINTEXT",
        "$ENDTEXT",
        "$BEGINDATA",
        "$ENDDATA",
        "$BYTEORD",
        "$DATATYPE",
        "$MODE",
        "$NEXTDATA",
        "$PAR",
        "$TOT",
    ];
    FIXED.iter().any(|f| f.eq_ignore_ascii_case(key))
        || parameter(key).is_some_and(|suffix| matches!(suffix.as_str(), "B" | "E" | "R" | "DATATYPE"))
}

fn is_name(key: &str) -> bool {
    parameter(key).is_some_and(|suffix| matches!(suffix.as_str(), "N" | "S"))
}

/// What follows the number in `$P<number>…`, in upper case.
fn parameter(key: &str) -> Option<String> {
    let rest = key.strip_prefix("$P").or_else(|| key.strip_prefix("$p"))?;
    let suffix = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    (suffix.len() < rest.len()).then(|| suffix.to_ascii_uppercase())
}

/// The list of records with one more at its end. What is there already is kept letter for letter, whatever it is: a
/// number parsed and printed again might change.
fn append_record(old: Option<&str>, record: &str) -> String {
    let json = |text: &str| match serde_json::from_str::<Value>(text) {
        Ok(_) => text.trim().to_owned(),
        Err(_) => Value::String(text.to_owned()).to_string(),
    };
    let old = old.map(str::trim).filter(|o| !o.is_empty()).map(json).unwrap_or_default();
    let inside = match old.strip_prefix('[').and_then(|o| o.strip_suffix(']')) {
        Some(list) => list.trim(),
        None => old.as_str(),
    };
    let comma = if inside.is_empty() { "" } else { "," };
    format!("[{inside}{comma}{}]", json(record))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(k: &str, v: &str) -> (String, String) {
        (k.into(), v.into())
    }

    fn shape(max: f64) -> Shape {
        let column = Column { name: "A".into(), stain: String::new(), max };
        Shape { n_events: 3, double: false, columns: vec![column] }
    }

    fn value<'a>(keywords: &'a [(String, String)], key: &str) -> Vec<&'a str> {
        keywords.iter().filter(|(k, _)| k == key).map(|(_, v)| v.as_str()).collect()
    }

    #[test]
    fn structural_keywords_are_replaced_and_all_others_kept_in_order() {
        let old = [
            pair("$DataType", "I"),
            pair("$P1B", "16"),
            pair("$P1E", "4,0"),
            pair("$P1R", "1024"),
            pair("$P1N", "FL1-H"),
            pair("$BEGINDATETIME", "x"),
            pair("twice", "1"),
            pair("twice", ""),
            pair("$P1DATATYPE", "I"),
        ];
        let new = compose(&old, &shape(7.5), true, None);
        assert_eq!(value(&new, "$DATATYPE"), ["F"]);
        assert_eq!((value(&new, "$P1B"), value(&new, "$P1E")), (vec!["32"], vec!["0,0"]));
        assert_eq!((value(&new, "SCX_P1E"), value(&new, "$P1R")), (vec!["4,0"], vec!["1024"]));
        assert_eq!(value(&new, "$P1N"), ["FL1-H"]);
        assert_eq!(
            new[new.len() - 4..],
            [old[4].clone(), old[5].clone(), old[6].clone(), pair("twice", " ")]
        );
        assert_eq!(value(&compose(&old, &shape(7.5), false, None), "$P1N"), ["A"]);
    }

    #[test]
    fn a_second_run_keeps_the_first_amplification_and_the_first_record() {
        let first = compose(&[pair("$P1E", "4,1")], &shape(1.0), true, Some(r#"{"run":1}"#));
        let second = compose(&first, &shape(1.0), true, Some("not json"));
        assert_eq!(value(&second, "SCX_P1E"), ["4,1"]);
        assert_eq!(value(&second, "SCX"), [r#"[{"run":1},"not json"]"#]);
        assert_eq!(append_record(Some("{\"a\":0.10}"), "2"), r#"[{"a":0.10},2]"#);
        assert_eq!(append_record(Some(" [ ] "), "[2]"), "[[2]]");
        assert_eq!(append_record(Some("[1] [2]"), "3"), r#"["[1] [2]",3]"#);
    }

    #[test]
    fn the_range_is_whole_and_never_below_the_largest_value() {
        assert_eq!(range(Some("1024"), 1023.0), "1024");
        assert_eq!(range(Some("23.4094"), 20.0), "24");
        assert_eq!(range(Some("1024"), 1024.5), "1025");
        assert_eq!(range(Some("1024"), 2000.0), "2001");
        assert_eq!(range(None, f64::NEG_INFINITY), "1");
        assert_eq!(range(Some("junk"), f64::from(f32::MAX)), "340282346638528859811704183484516925440");
    }

    #[test]
    fn the_delimiter_occurs_in_no_value_or_is_doubled() {
        let mut keywords = vec![pair("a|b", "c"), pair("$BEGINDATA", "0"), pair("$ENDDATA", "0")];
        let (text, data) = encode(&mut keywords, 58, 10).unwrap();
        assert_eq!((text[0], data), (0x0c, 58 + text.len() as u64));
        assert_eq!(keywords[2].1, format!("{:012}", data + 9));
        let all: String = DELIMITERS.iter().map(|&b| char::from(b)).collect();
        let mut keywords = vec![pair("a", &format!("x{all}x"))];
        assert!(encode(&mut keywords, 58, 0).unwrap().0.windows(2).any(|w| w == b"||"));
    }
}
