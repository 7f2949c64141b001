//! Keywords of FCS files: those of the files, and those of their channels, which follow their channels.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Changes, Piece};
use crate::data::Frame;
use crate::io::fcs;

/// Names in a line at most.
const NAMED: usize = 4;

/// Keywords with their values.
type Pairs = Vec<(String, String)>;

/// The keywords that have the same value in all files; a keyword of a channel in all files that have the channel. What
/// describes how a file is laid out is the writer's own.
pub(super) fn keywords(pieces: &[Piece], var: &Frame, changes: &mut Changes) -> Pairs {
    if pieces.iter().all(|p| p.dataset.source.keywords.is_empty()) {
        return Vec::new();
    }
    let names = channels(var);
    let all: Vec<Pairs> =
        pieces.iter().map(|p| fcs::keywords_of(&p.dataset.source.keywords, &names)).collect();
    let has: Vec<BTreeSet<String>> =
        pieces.iter().map(|p| channels(&p.dataset.var).into_iter().collect()).collect();
    let sets: Vec<HashMap<&str, Vec<&str>>> = all.iter().map(values).collect();
    let same = |key: &str, value: &str| {
        let channel = fcs::channel_of(key).and_then(|n| names.get(n.checked_sub(1)?));
        // A file without the channel has nothing to say of it.
        let asked = sets.iter().zip(&has).filter(|(_, has)| channel.is_none_or(|c| has.contains(c)));
        asked.into_iter().all(|(set, _)| set.get(key).is_some_and(|v| v.contains(&value)))
    };
    let mut kept = Pairs::new();
    let mut left = BTreeSet::new();
    let mut seen = HashSet::new();
    for (key, value) in all.iter().flatten().filter(|pair| seen.insert(*pair)) {
        if same(key, value) {
            kept.push((key.clone(), value.clone()));
        } else if !fcs::of_layout(key) {
            left.insert(key.clone());
        }
    }
    tell(left, &names, changes);
    kept
}

/// `$PnN` of the channels of a table.
fn channels(var: &Frame) -> Vec<String> {
    let stored = var.column("channel");
    let name = |i: usize| stored.and_then(|c| c.text(i)).or_else(|| var.index.get(i)).unwrap_or_default();
    (0..var.len()).map(|i| name(i).into_owned()).collect()
}

fn values(pairs: &Pairs) -> HashMap<&str, Vec<&str>> {
    let mut map: HashMap<&str, Vec<&str>> = HashMap::new();
    for (key, value) in pairs {
        map.entry(key).or_default().push(value);
    }
    map
}

/// One line for the keywords of files, and one for each kind of keyword of channels.
fn tell(left: BTreeSet<String>, names: &[String], changes: &mut Changes) {
    let mut own = Vec::new();
    let mut of_channels: BTreeMap<String, Vec<(usize, &str)>> = BTreeMap::new();
    for key in left {
        let channel = fcs::channel_of(&key).and_then(|n| Some((n, names.get(n.checked_sub(1)?)?)));
        match channel {
            Some((n, name)) => {
                of_channels.entry(key.replacen(&n.to_string(), "n", 1)).or_default().push((n, name));
            }
            None => own.push(key),
        }
    }
    for (kind, mut channels) in of_channels {
        channels.sort_unstable();
        let list: Vec<&str> = channels.iter().map(|c| c.1).collect();
        changes.left(kind, format!("files differ for {}", some(&list)));
    }
    if !own.is_empty() {
        let list: Vec<&str> = own.iter().map(String::as_str).collect();
        changes.lossy("keywords", format!("{} left behind, files differ: {}", own.len(), some(&list)));
    }
}

/// The first of some names, and how many more there are.
fn some(names: &[&str]) -> String {
    let first = names.get(..NAMED).unwrap_or(names).join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
