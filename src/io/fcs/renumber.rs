//! Keywords of channels follow their channels when some were left out or put in another order.

use std::collections::HashMap;

use super::compose::parameter;

/// The keywords for channels of these names (`$PnN`), taken from those of a file whose channels may be more, fewer or in
/// another order. Keywords of channels that are gone are left out.
pub fn keywords_of(old: &[(String, String)], names: &[String]) -> Vec<(String, String)> {
    let mut stored: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut count = 0;
    for (key, value) in old {
        if let Some((n, suffix)) = parameter(key)
            && suffix == "N"
        {
            stored.entry(value.as_str()).or_default().push(n);
            count += 1;
        }
    }
    // Of channels with the same name the first comes first.
    stored.values_mut().for_each(|n| n.sort_unstable_by(|a, b| b.cmp(a)));
    let mut to: HashMap<usize, usize> = HashMap::new();
    for (i, name) in names.iter().enumerate() {
        if let Some(n) = stored.get_mut(name.as_str()).and_then(Vec::pop) {
            to.insert(n, i + 1);
        }
    }
    if count == 0
        || (to.is_empty() && count == names.len())
        || to.iter().all(|(a, b)| a == b) && count == names.len()
    {
        // All in place, or all renamed.
        return old.to_vec();
    }
    old.iter().filter_map(|(key, value)| Some((renamed(key, &to)?, value.clone()))).collect()
}

/// The keyword with the number of its channel changed; `None` when the channel is gone.
fn renamed(key: &str, to: &HashMap<usize, usize>) -> Option<String> {
    match apart(key) {
        Some((prefix, n, suffix)) => to.get(&n).map(|m| format!("{prefix}{m}{suffix}")),
        None => Some(key.to_owned()),
    }
}

/// The number of the channel a keyword belongs to, from 1.
pub fn channel_of(key: &str) -> Option<usize> {
    apart(key).map(|(_, n, _)| n)
}

/// A keyword of a channel in parts, the number between the others: `$PnX`, and what scx itself and BD instruments write,
/// `SCX_PnX` and `PnDISPLAY`.
fn apart(key: &str) -> Option<(&str, usize, &str)> {
    ["$P", "SCX_P", "P"].into_iter().find_map(|prefix| {
        let own = key.get(..prefix.len()).filter(|p| p.eq_ignore_ascii_case(prefix))?;
        let tail = key.get(prefix.len()..)?;
        let suffix = tail.trim_start_matches(|c: char| c.is_ascii_digit());
        let n = tail.get(..tail.len() - suffix.len())?.parse().ok()?;
        (!suffix.is_empty()).then_some((own, n, suffix))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_voltage_follows_its_channel() {
        let old = pairs(&[
            ("$P1N", "FSC"),
            ("$P2N", "CD3"),
            ("$P1V", "300"),
            ("$P2V", "450"),
            ("P2DISPLAY", "LOG"),
            ("SCX_P2E", "4,1"),
            ("PLATE", "x"),
        ]);
        let names = ["CD3".to_owned()];
        let new = keywords_of(&old, &names);
        let want =
            [("$P1N", "CD3"), ("$P1V", "450"), ("P1DISPLAY", "LOG"), ("SCX_P1E", "4,1"), ("PLATE", "x")];
        assert_eq!(new, pairs(&want));
        let swapped = keywords_of(&old, &["CD3".to_owned(), "FSC".to_owned()]);
        assert_eq!(swapped[2..4], pairs(&[("$P2V", "300"), ("$P1V", "450")]));
        assert_eq!(keywords_of(&old, &["FSC".to_owned(), "CD3".to_owned()]), old);
        assert_eq!(keywords_of(&old, &["a".to_owned(), "b".to_owned()]), old);
    }
}
