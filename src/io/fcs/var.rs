//! The table of channels.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::channel::Channel;
use crate::data::{Column, Frame, Index, Values};

/// The column that marks channels made of something else that is known of the cells.
pub const APPENDED: &str = "appended";

/// The table of channels: `$PnN` made unique as index; `marker` is `$PnS`, `channel` is `$PnN` as stored, `pnr`, `pne`
/// and `png` are range, amplification and gain as they hold for the stored values. Where scx appended channels, `appended`
/// says which: they are no measurements.
pub(super) fn var(path: &Path, channels: &[Channel]) -> Frame {
    let text =
        |of: fn(&Channel) -> &String| Column::Strings(channels.iter().map(|c| of(c).clone()).collect());
    let number = |of: fn(&Channel) -> f64| Column::Numbers(Values::F64(channels.iter().map(of).collect()));
    let var = Frame::new(Index::names(unique(path, channels)))
        .with("marker", text(|c| &c.stain))
        .with("channel", text(|c| &c.name))
        .with("pnr", number(|c| c.range))
        .with("pne", text(|c| &c.amplification))
        .with("png", number(|c| c.gain));
    if !channels.iter().any(|c| c.appended) {
        return var;
    }
    var.with(APPENDED, Column::Numbers(Values::Bool(channels.iter().map(|c| c.appended).collect())))
}

/// `$PnN` made unique: a repeated name gets `-1`, `-2`, …; a missing one becomes `P1`, `P2`, ….
fn unique(path: &Path, channels: &[Channel]) -> Vec<String> {
    let stored: HashSet<&str> = channels.iter().map(|c| c.name.as_str()).collect();
    let mut taken = HashSet::new();
    let mut count = HashMap::<&str, usize>::new();
    let mut changed = Vec::new();
    let names = channels
        .iter()
        .enumerate()
        .map(|(i, channel)| {
            let missing = channel.name.trim().is_empty();
            let base = if missing { format!("P{}", i + 1) } else { channel.name.clone() };
            let mut name = base.clone();
            let n = count.entry(channel.name.as_str()).or_insert(0);
            // A made name must not be one that is stored, nor one made before.
            while taken.contains(&name) || (name != channel.name && stored.contains(name.as_str())) {
                *n += 1;
                name = format!("{base}-{n}");
            }
            if name != channel.name {
                changed.push(format!("$P{}N `{}` → `{name}`", i + 1, channel.name));
            }
            taken.insert(name.clone());
            name
        })
        .collect();
    if !changed.is_empty() {
        tracing::warn!(
            "{}: channel names missing or not unique, renamed: {}",
            path.display(),
            changed.join(", ")
        );
    }
    names
}
