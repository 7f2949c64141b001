//! What is said of panels: which columns are corrected, how files were paired, what is left as it is and why.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::cli::kit::console::Console;
use crate::panel::{Left, NoMarker, Pair, Pairing, Reason};

/// Files that are named one by one at most.
const FILES: usize = 3;

/// Says what is corrected and what is not; what the files do not agree on is a warning.
pub(in crate::cli) fn say(pairing: &Pairing, names: &[String], console: &Console) {
    console.say(&format!("{} markers ({}): {}", names.len(), pairing.how, names.join(", ")));
    if !pairing.others.is_empty() {
        console.say(&format!("no markers, left as they are: {}", others(&pairing.others)));
    }
    for line in left(pairing) {
        tracing::warn!("left uncorrected: {line}");
    }
}

/// Columns that are no markers, by reason: `Time (time); DNA1, DNA2 (DNA)`.
pub(in crate::cli) fn others(others: &[NoMarker]) -> String {
    let mut groups: Vec<(Reason, Vec<&str>)> = Vec::new();
    for o in others {
        match groups.iter_mut().find(|(reason, _)| *reason == o.reason) {
            Some((_, names)) => names.push(&o.name),
            None => groups.push((o.reason, vec![&o.name])),
        }
    }
    let words = |(reason, names): &(Reason, Vec<&str>)| format!("{} ({})", names.join(", "), reason.words());
    groups.iter().map(words).collect::<Vec<_>>().join("; ")
}

/// Things with the files they hold for, in order of their first.
fn by_file<T>(all: &[T], file: impl Fn(&T) -> &str, same: impl Fn(&T, &T) -> bool) -> Vec<(&T, Vec<&str>)> {
    let mut groups: Vec<(&T, Vec<&str>)> = Vec::new();
    for one in all {
        match groups.iter_mut().find(|(first, _)| same(first, one)) {
            Some((_, files)) => files.push(file(one)),
            None => groups.push((one, vec![file(one)])),
        }
    }
    groups
}

/// The first of many files.
fn list(files: &[&str]) -> String {
    let more = files.len().saturating_sub(FILES);
    let first = files[..files.len() - more].join(", ");
    if more > 0 { format!("{first} and {more} more files") } else { first }
}

/// A sentence for each marker the files do not agree on.
pub(in crate::cli) fn left(pairing: &Pairing) -> Vec<String> {
    let same =
        |a: &Left, b: &Left| (&a.marker, &a.first, &a.other, a.why) == (&b.marker, &b.first, &b.other, b.why);
    let groups = by_file(&pairing.left, |l| &l.file, same);
    let words = |(one, files): (&Left, Vec<&str>)| {
        Left { file: list(&files), ..one.clone() }.sentence(&pairing.first)
    };
    groups.into_iter().map(words).collect()
}

/// A line for each pair that equal stains did not make.
pub(in crate::cli) fn unequal(pairing: &Pairing) -> Vec<String> {
    let pairs: Vec<&Pair> = pairing.unequal().collect();
    let same = |a: &&Pair, b: &&Pair| {
        (&a.marker, &a.first, &a.other, a.how) == (&b.marker, &b.first, &b.other, b.how)
    };
    let groups = by_file(&pairs, |p| &p.file, same);
    let spelled = |stain: &str, channel: &str| match stain {
        "" => format!("channel {channel}"),
        stain if stain == channel => stain.to_owned(),
        stain => format!("{stain} ({channel})"),
    };
    let words = |(p, files): (&&Pair, Vec<&str>)| {
        let (a, b) = (spelled(&p.first.stain, &p.first.channel), spelled(&p.other.stain, &p.other.channel));
        format!("{}: {a} and {b} of {}, {}", p.marker, list(&files), p.how.words())
    };
    groups.into_iter().map(words).collect()
}

/// The same under the table of scores.
pub(in crate::cli) fn text(pairing: &Pairing) -> String {
    let mut out = String::new();
    for (title, lines) in [
        (format!("paired with {} otherwise than by equal stains:", pairing.first), unequal(pairing)),
        ("left uncorrected, because the files do not agree:".to_owned(), left(pairing)),
    ] {
        if !lines.is_empty() {
            let _ = writeln!(out, "{title}");
            lines.iter().for_each(|l| {
                let _ = writeln!(out, "  {l}");
            });
        }
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// The same for programs.
pub(in crate::cli) fn json(pairing: &Pairing) -> Value {
    json!({
        "first": pairing.first,
        "unequal": pairing.unequal().collect::<Vec<_>>(),
        "left_uncorrected": pairing.left,
        "no_markers": pairing.others,
    })
}
