//! The keywords of a file to be written.

use serde_json::Value;

use super::range::range;
use super::storage::Storage;
use crate::io::options::FcsVersion;

/// The keyword that holds the provenance records: a JSON array, oldest first.
pub(super) const RECORD: &str = "SCX";

/// `$PnE` of linear values.
const LINEAR: &str = "0,0";

/// One channel of a file to be written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    /// `$PnN`.
    pub(super) name: String,
    /// `$PnS`; empty when there is none.
    pub(super) stain: String,
    /// Largest finite value it holds; `None` before the events were looked at.
    pub(super) max: Option<f64>,
    /// Range stated outside the keywords.
    pub(super) range: Option<f64>,
    /// `$PnE` as it holds for the values, when something other than the keywords says so.
    pub(super) amplification: Option<String>,
    /// `$PnG` likewise.
    pub(super) gain: Option<f64>,
    /// `$PnB` it had as a channel of whole numbers.
    pub(super) bits: Option<u32>,
}

#[cfg(test)]
impl Column {
    /// A channel of which only the name is known.
    pub(super) fn named(name: &str) -> Self {
        let (name, stain) = (name.to_owned(), String::new());
        Self { name, stain, max: None, range: None, amplification: None, gain: None, bits: None }
    }
}

/// What fixes the structural keywords.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shape {
    /// Number of events.
    pub(super) n_events: usize,
    /// How values are stored.
    pub(super) storage: Storage,
    /// Version of the standard.
    pub(super) version: FcsVersion,
    /// The channels.
    pub(super) columns: Vec<Column>,
}

/// Keywords and values of a new file: the structural ones, then those of `old` that are kept, then what is missing.
/// `$BEGINDATA` and `$ENDDATA` are left for [`super::encode::encode`] to fill in.
///
/// `names_from_old`: `$PnN` and `$PnS` stay as `old` has them (the file is written again); otherwise they come from
/// the columns.
pub(super) fn compose(
    old: &[(String, String)],
    shape: &Shape,
    names_from_old: bool,
    record: Option<&str>,
) -> Vec<(String, String)> {
    let old_value = |key: &str| old_value(old, key);
    let mut out = structure(shape);
    let mut put = |key: String, value: String| out.push((key, value));
    // FCS 3.2 asks for the instrument.
    if shape.version == FcsVersion::V3_2 && old_value("$CYT").is_none() {
        put("$CYT".into(), "unknown".into());
    }
    for (i, column) in shape.columns.iter().enumerate() {
        let n = i + 1;
        let amplification = column.amplification.clone().or_else(|| stated(&old_value, n).0);
        let whole = matches!(shape.storage, Storage::Whole(_));
        put(format!("$P{n}B"), shape.storage.of(i).bits().to_string());
        put(
            format!("$P{n}E"),
            amplification.clone().filter(|e| whole || is_linear(e)).unwrap_or_else(|| LINEAR.into()),
        );
        put(format!("$P{n}R"), range(old_value(&format!("$P{n}R")), column, shape.storage.of(i)));
        for (suffix, value) in [("N", &column.name), ("S", &column.stain)] {
            let key = format!("$P{n}{suffix}");
            let kept = names_from_old && old_value(&key).is_some();
            if !kept && (suffix == "N" || !value.is_empty()) {
                put(key, value.clone());
            }
        }
        // The amplification says how integers were meant; floats have none, so it moves out of readers' sight.
        if let Some(e) = amplification.filter(|e| !whole && !is_linear(e)) {
            put(format!("SCX_P{n}E"), e);
        }
        if let Some(gain) = changed_gain(&old_value, n, column).filter(|g| *g != 1.0) {
            put(format!("$P{n}G"), gain.to_string());
        }
    }
    let gain_changed = |key: &str| {
        let of = parameter(key).filter(|(_, suffix)| suffix == "G").map(|(n, _)| n);
        let column = of.and_then(|n| Some((n, shape.columns.get(n.checked_sub(1)?)?)));
        column.is_some_and(|(n, column)| changed_gain(&old_value, n, column).is_some())
    };
    for (key, value) in old {
        let own_record = record.is_some() && key.eq_ignore_ascii_case(RECORD);
        // A blank keyword cannot be told from padding.
        let blank = key.trim_matches(|c: char| c.is_whitespace() || c == '\0').is_empty();
        if !own_record
            && !blank
            && !is_structural(key)
            && !gain_changed(key)
            && (names_from_old || !is_name(key))
        {
            put(key.clone(), value.clone());
        }
    }
    if let Some(record) = record {
        put(RECORD.into(), append_record(old_value(RECORD), record));
    }
    for (_, value) in &mut out {
        if value.is_empty() {
            // The standard has no empty values: two delimiters in a row mean something else.
            value.push(' ');
        }
    }
    out
}

/// The value of a keyword; of duplicates the last.
pub(super) fn old_value<'a>(old: &'a [(String, String)], key: &str) -> Option<&'a str> {
    old.iter().rfind(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, v)| v.as_str())
}

/// The keywords that describe DATA, but for those of each channel.
fn structure(shape: &Shape) -> Vec<(String, String)> {
    let fixed = [
        ("$BEGINANALYSIS", "0"),
        ("$ENDANALYSIS", "0"),
        ("$BEGINSTEXT", "0"),
        ("$ENDSTEXT", "0"),
        ("$BEGINDATA", "0"),
        ("$ENDDATA", "0"),
        ("$BYTEORD", "1,2,3,4"),
        ("$DATATYPE", shape.storage.letter()),
        ("$MODE", "L"),
        ("$NEXTDATA", "0"),
    ];
    let counted = [("$PAR", shape.columns.len()), ("$TOT", shape.n_events)];
    let fixed = fixed.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    fixed.chain(counted.iter().map(|(k, n)| ((*k).to_owned(), n.to_string()))).collect()
}

/// Whether an amplification has no decades, however that is written.
fn is_linear(pne: &str) -> bool {
    pne.split(',').next().and_then(|decades| decades.trim().parse().ok()) == Some(0.0)
}

/// What the keywords of a file say of its channel `n`: the amplification and, of whole numbers, `$PnB`. Floats are linear
/// whatever `$PnE` says.
pub(super) fn stated<'a>(
    old_value: &impl Fn(&str) -> Option<&'a str>,
    n: usize,
) -> (Option<String>, Option<u32>) {
    let kept = old_value(&format!("SCX_P{n}E"));
    let own = old_value(&format!("$P{n}DATATYPE")).or_else(|| old_value("$DATATYPE")).unwrap_or("I").trim();
    let float = own.eq_ignore_ascii_case("F") || own.eq_ignore_ascii_case("D");
    let bits = old_value(&format!("$P{n}B")).and_then(|b| b.trim().parse().ok());
    let amplification = kept.or_else(|| old_value(&format!("$P{n}E")).filter(|_| !float));
    (amplification.map(str::to_owned), bits.filter(|_| own.eq_ignore_ascii_case("I")))
}

/// The gain of channel `n`, when it is another than the old keywords say.
fn changed_gain<'a>(old_value: &impl Fn(&str) -> Option<&'a str>, n: usize, column: &Column) -> Option<f64> {
    let old = old_value(&format!("$P{n}G")).and_then(|v| v.trim().parse().ok());
    let old: f64 = old.filter(|g: &f64| g.is_finite() && *g > 0.0).unwrap_or(1.0);
    column.gain.filter(|g| *g != old)
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
        || parameter(key).is_some_and(|(_, suffix)| matches!(suffix.as_str(), "B" | "E" | "R" | "DATATYPE"))
        || key.get(..4).is_some_and(|k| k.eq_ignore_ascii_case("SCX_"))
            && key.get(4..).is_some_and(|k| parameter(&format!("${k}")).is_some_and(|(_, s)| s == "E"))
}

fn is_name(key: &str) -> bool {
    parameter(key).is_some_and(|(_, suffix)| matches!(suffix.as_str(), "N" | "S"))
}

/// Whether a keyword says how a file is laid out or what its channels are called: every writer has its own.
pub fn of_layout(key: &str) -> bool {
    is_structural(key) || is_name(key)
}

/// The number and what follows it, in upper case, in `$P<number>…`.
pub(super) fn parameter(key: &str) -> Option<(usize, String)> {
    let rest = key.strip_prefix("$P").or_else(|| key.strip_prefix("$p"))?;
    let suffix = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let n = rest.get(..rest.len() - suffix.len())?.parse().ok()?;
    Some((n, suffix.to_ascii_uppercase()))
}

/// The list of records with one more at its end. What is there already is kept letter for letter, whatever it is: a
/// number parsed and printed again might change.
pub(super) fn append_record(old: Option<&str>, record: &str) -> String {
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

    fn column(max: Option<f64>) -> Column {
        Column { max, ..Column::named("A") }
    }

    fn shape(max: f64) -> Shape {
        Shape {
            n_events: 3,
            storage: Storage::Single,
            version: FcsVersion::V3_1,
            columns: vec![column(Some(max))],
        }
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
}
