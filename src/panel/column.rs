//! A column as its file names it.

use std::collections::HashMap;

use super::file::Role;
use super::{isotope, patterns, stain};
use crate::data::{Column as Values, Frame};

/// A column of a file: what is stored of it, and what that says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    /// Its place in the matrix.
    pub(super) at: usize,
    /// The channel as stored (`$PnN`), or the variable's name.
    pub(super) channel: String,
    /// The stain as stored (`$PnS`); empty when there is none.
    pub(super) stored: String,
    /// The stain in short, from wherever it could be had; empty when there is none.
    pub(super) says: String,
    /// What the stain is compared by; empty when there is none.
    pub(super) key: String,
    /// What the channel is compared by.
    pub(super) channel_key: String,
    /// The name in tables and plots, unique in the file.
    pub(super) name: String,
    /// What a panel file says of it.
    pub(super) panel: Option<Told>,
}

/// What a panel file says of a column.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Told {
    /// Its role.
    pub(super) role: Option<Role>,
    /// Its cofactor.
    pub(super) cofactor: Option<f64>,
}

impl Column {
    /// A column of a file that tells channels and stains apart.
    pub(super) fn new(at: usize, channel: &str, stored: &str) -> Self {
        let stored = stored.trim();
        let says = says(channel, stored);
        Self::saying(at, channel, stored, says)
    }

    fn saying(at: usize, channel: &str, stored: &str, says: String) -> Self {
        let name = match (says.is_empty(), stored.is_empty()) {
            (false, _) => says.clone(),
            (true, false) => stored.to_owned(),
            (true, true) => channel.to_owned(),
        };
        let key = stain::key(&says);
        let channel_key = stain::channel_key(channel);
        Self { at, channel: channel.into(), stored: stored.into(), says, key, channel_key, name, panel: None }
    }

    /// Gives it the marker that a panel file tells.
    pub(super) fn tell(&mut self, marker: &str, told: Told) {
        self.says = marker.trim().to_owned();
        self.key = stain::key(&self.says);
        self.name.clone_from(&self.says);
        self.panel = Some(told);
    }

    /// Whether it answers to a word: its name, stain or channel.
    pub(super) fn is_called(&self, word: &str) -> bool {
        let names = [&self.name, &self.says, &self.stored, &self.channel];
        names.into_iter().any(|n| !n.is_empty() && n.eq_ignore_ascii_case(word))
    }
}

/// Whether a stored text names an antibody: no blank, isotope, detector or word for nothing.
fn names_antibody(text: &str) -> bool {
    let slug = stain::slug(text);
    let short = stain::short(text);
    !patterns::is_empty_word(&slug) && !isotope::is_bare(short) && !patterns::is_detector(short, &slug)
}

/// The stain of a channel. Where `$PnS` names no antibody, `$PnN` may: `CD20(Pm147)Di`, `Comp-BV421-A :: CD3`.
fn says(channel: &str, stored: &str) -> String {
    let same = !stored.is_empty() && stain::unwrapped(stored).eq_ignore_ascii_case(stain::unwrapped(channel));
    // A pulse that repeats the channel's name is the channel.
    let pulse = same && ["-A", "-H", "-W"].iter().any(|end| stored.ends_with(end));
    if !pulse && names_antibody(stored) {
        return stain::short(stored).to_owned();
    }
    let short = stain::short(channel);
    let holds = stain::channel_and_marker(channel).is_some() || short != stain::unwrapped(channel);
    if holds && names_antibody(short) { short.to_owned() } else { String::new() }
}

/// The columns of a table of variables.
pub(super) fn columns(var: &Frame) -> Vec<Column> {
    let text = |name: &str, i| {
        let value = var.column(name).filter(|c| !matches!(c, Values::Numbers(_))).and_then(|c| c.text(i));
        value.map(|s| s.trim().to_owned()).unwrap_or_default()
    };
    let stained = var.column("marker").is_some_and(|c| !matches!(c, Values::Numbers(_)));
    let mut all: Vec<Column> = (0..var.len())
        .map(|i| {
            let stored = text("channel", i);
            let channel = match stored.is_empty() {
                true => var.index.get(i).unwrap_or_default().into_owned(),
                false => stored,
            };
            Column::new(i, &channel, &text("marker", i))
        })
        .collect();
    if !stained {
        name_by_channel(&mut all);
    }
    name_apart(&mut all);
    all
}

/// Without a column of stains, names of columns are stains. `channel :: marker` is both; beside it, names alone are
/// channels, and so are isotopes and detectors beside names of antibodies.
fn name_by_channel(all: &mut [Column]) {
    let paired = all.iter().any(|c| stain::channel_and_marker(&c.channel).is_some());
    let named =
        all.iter().any(|c| names_antibody(&c.channel) && super::technical::by_name(&named(c)).is_none());
    for c in all.iter_mut() {
        if let Some((channel, marker)) = stain::channel_and_marker(&c.channel) {
            *c = Column::new(c.at, channel, marker);
        } else if !paired && (names_antibody(&c.channel) || !named) {
            *c = self::named(c);
        }
    }
}

/// A column with its own name as stain.
fn named(c: &Column) -> Column {
    Column {
        name: c.channel.clone(),
        ..Column::saying(c.at, &c.channel, "", stain::short(&c.channel).to_owned())
    }
}

/// A short name that is not unique says nothing: then the stain is the name, then stain and channel.
pub(super) fn name_apart(all: &mut [Column]) {
    let stored = |c: &Column| if c.stored.is_empty() { c.name.clone() } else { c.stored.clone() };
    let both = |c: &Column| format!("{} {}", c.name, c.channel);
    for longer in [&stored as &dyn Fn(&Column) -> String, &both] {
        let mut count = HashMap::<String, usize>::new();
        for c in all.iter() {
            *count.entry(c.name.clone()).or_default() += 1;
        }
        for c in all.iter_mut().filter(|c| c.name != c.channel) {
            if count.get(&c.name).copied().unwrap_or(0) > 1 {
                c.name = longer(c);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Index;

    fn table(names: &[&str]) -> Vec<(String, String)> {
        let var = Frame::new(Index::names(names.iter().map(|s| (*s).to_owned()).collect()));
        columns(&var).into_iter().map(|c| (c.channel, c.says)).collect()
    }

    #[test]
    fn the_stain_is_taken_from_where_it_stands() {
        for (channel, stored, stain) in [
            ("Nd145Di", "145Nd_CD4", "CD4"),
            ("CD20(Pm147)Di", "", "CD20"),
            ("CD20(Pm147)Di", "CD20(Pm147)Di", "CD20"),
            ("Comp-BV421-A :: CD3", "", "CD3"),
            ("(Ir191)Di", "(Ir191)Di", ""),
            ("Comp-FITC-A", "", ""),
            ("FITC-A", "FITC-A", ""),
            ("B710-A", "B710-A", ""),
            ("FL1-H", "CD4 FITC", "CD4 FITC"),
            ("CD8", "CD8", "CD8"),
            ("Nd148Di", "  ", ""),
            ("Gd157Di", "empty", ""),
            ("empty_Gd157", "empty_Gd157", ""),
        ] {
            assert_eq!(Column::new(0, channel, stored).says, stain, "{channel} {stored}");
        }
    }

    #[test]
    fn in_a_table_the_names_of_columns_are_the_stains() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            table(&["FSC-A", "Comp-BV421-A :: CD3", "Comp-PE-A", "Time"]),
            [pair("FSC-A", ""), pair("Comp-BV421-A", "CD3"), pair("Comp-PE-A", ""), pair("Time", "")]
        );
        assert_eq!(table(&["CD3", "Ch01Di", "CD4(Nd145)Di"])[1].1, "");
        assert_eq!(table(&["CD3", "Ch01Di", "CD4(Nd145)Di"])[2].1, "CD4");
        // Nothing but channels: then these are what there is.
        assert_eq!(table(&["FITC-A", "PE-A", "Time"])[0].1, "FITC-A");
    }
}
