//! Keywords in `uns["fcs"]`, so that they survive formats without keywords.

use std::collections::BTreeMap;

use crate::data::Uns;

/// HDF5 ends texts at a zero byte; this stands for one meanwhile.
const ZERO: char = '\u{2400}';

/// Keywords as they go into `uns["fcs"]`: `version`, and `keywords` with the lists `names` and `values`, in order.
pub fn keywords_to_uns(keywords: &[(String, String)], dialect: &str) -> Uns {
    let text = |s: &String| s.replace('\0', ZERO.encode_utf8(&mut [0; 4]));
    let names = keywords.iter().map(|(k, _)| text(k)).collect();
    let values = keywords.iter().map(|(_, v)| text(v)).collect();
    let lists = [("names".to_owned(), Uns::Strings(names)), ("values".to_owned(), Uns::Strings(values))];
    let fcs = [
        ("version".to_owned(), Uns::String(dialect.to_owned())),
        ("keywords".to_owned(), Uns::Map(BTreeMap::from(lists))),
    ];
    Uns::Map(BTreeMap::from(fcs))
}

/// Keywords out of `uns["fcs"]`; `None` when it is not what [`keywords_to_uns`] makes.
pub fn keywords_from_uns(fcs: &Uns) -> Option<Vec<(String, String)>> {
    let Uns::Map(fcs) = fcs else { return None };
    let Some(Uns::Map(lists)) = fcs.get("keywords") else { return None };
    let list = |name: &str| match lists.get(name) {
        Some(Uns::Strings(list)) => Some(list.clone()),
        // Some writers store a list of one text as that text.
        Some(Uns::String(one)) => Some(vec![one.clone()]),
        _ => None,
    };
    let (names, values) = (list("names")?, list("values")?);
    let text = |s: String| s.replace(ZERO, "\0");
    (names.len() == values.len())
        .then(|| names.into_iter().zip(values).map(|(k, v)| (text(k), text(v))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_duplicates_empty_values_and_zero_bytes_survive() {
        let pairs: Vec<(String, String)> = [("b", ""), ("a", "x\0"), ("b", "2"), ("\u{b5}", "|")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .to_vec();
        let uns = keywords_to_uns(&pairs, "FCS3.1");
        assert_eq!(keywords_from_uns(&uns), Some(pairs));
        assert_eq!(keywords_from_uns(&keywords_to_uns(&[], "FCS3.1")), Some(vec![]));
        assert_eq!(keywords_from_uns(&Uns::String("x".into())), None);
    }
}
