//! What files do not agree on: listed where the rest can be corrected, an error with what to do where it cannot.

use super::choose::{File, Judged, words};
use super::column::Column;
use super::find::Miss;
use super::pair::{How, Left, Pair, Spelled, Why, on_channel};
use super::{PanelError, technical::Reason};

/// All that was found of the chosen columns `own` of the first file in the other files, a row each.
pub(super) struct Table<'a> {
    pub(super) files: &'a [File<'a>],
    pub(super) judged: &'a [Judged],
    pub(super) own: &'a [&'a Column],
    pub(super) rows: &'a [Vec<Result<(usize, How), Miss>>],
    /// Those that every file has.
    pub(super) agreed: &'a [usize],
}

impl Table<'_> {
    /// The pairs of the markers that all files have.
    pub(super) fn pairs(&self) -> Vec<Pair> {
        self.pairs_from(1)
    }

    /// The same, where the first row is of file `start`.
    pub(super) fn pairs_from(&self, start: usize) -> Vec<Pair> {
        let mut out = Vec::new();
        for ((file, judged), row) in self.files.iter().zip(self.judged).skip(start).zip(self.rows) {
            for &i in self.agreed {
                if let Ok((place, how)) = row[i] {
                    out.push(Pair {
                        marker: self.own[i].name.clone(),
                        file: file.name.clone(),
                        first: Spelled::of(self.own[i]),
                        other: Spelled::of(&judged.columns[place]),
                        how,
                    });
                }
            }
        }
        out
    }

    /// The markers that are left out, when each file chose for itself.
    ///
    /// # Errors
    /// [`PanelError::Input`] when neither stain nor channel of a marker is in some file.
    pub(super) fn left_out(&self) -> Result<Vec<Left>, PanelError> {
        let mut left = Vec::new();
        for k in 1..self.files.len() {
            let (lacks, extra) = self.compare(k, &mut left);
            if !lacks.is_empty() || !extra.is_empty() {
                return Err(self.differ(k, &lacks, &extra));
            }
        }
        Ok(left)
    }

    /// Compares file `k` with the first: names that only one of them has. What they do not agree on is added to `left`.
    fn compare(&self, k: usize, left: &mut Vec<Left>) -> (Vec<String>, Vec<String>) {
        let (first, other, row) = (&self.judged[0], &self.judged[k], &self.rows[k - 1]);
        let mut seen: Vec<usize> = row.iter().filter_map(|r| r.ok().map(|(place, _)| place)).collect();
        let mut lacks = Vec::new();
        for (m, result) in self.own.iter().zip(row) {
            match result {
                Ok(_) => {}
                Err(Miss::Absent) => lacks.push(m.name.clone()),
                Err(miss) => {
                    let (place, why) = reason(*miss);
                    seen.extend(place);
                    left.extend(place.map(|p| self.left(k, &m.name, m, &other.columns[p], why)));
                }
            }
        }
        let mut extra = Vec::new();
        for j in other.defaults().into_iter().filter(|j| !seen.contains(j)) {
            let c = &other.columns[j];
            let twin = first.columns.iter().position(|o| !c.key.is_empty() && o.key == c.key);
            let known = twin.map(|i| (i, first.reasons[i])).or_else(|| {
                // A channel without a name of its own in the first file, or with another one.
                on_channel(first, c).map(|(i, _)| (i, None))
            });
            match known {
                None => extra.push(c.name.clone()),
                Some((i, reason)) => {
                    let o = &first.columns[i];
                    let why = match reason {
                        Some(reason) => Why::NoMarker(reason),
                        None if twin.is_some() => Why::Ambiguous,
                        None if o.says.is_empty() => Why::NoStainInFirst,
                        None => Why::OtherStain,
                    };
                    left.push(self.left(k, &c.name, o, c, why));
                }
            }
        }
        (lacks, extra)
    }

    fn left(&self, k: usize, marker: &str, first: &Column, other: &Column, why: Why) -> Left {
        Left {
            marker: marker.to_owned(),
            file: self.files[k].name.clone(),
            first: Spelled::of(first),
            other: Spelled::of(other),
            why,
        }
    }

    /// The refusal of a file that lacks channels, or has some more.
    fn differ(&self, k: usize, lacks: &[String], extra: &[String]) -> PanelError {
        let (first, file) = (&self.files[0].name, &self.files[k].name);
        let advice = match self.agreed.is_empty() {
            true => "no marker is in all files; take files of one panel".to_owned(),
            false => format!("correct the markers all files have with --markers {}", self.list()),
        };
        let (lacks, extra) = (only_in(first, lacks), only_in(file, extra));
        PanelError::input(file, format!("its channels differ from those of {first}{lacks}{extra}; {advice}"))
    }

    /// No marker is left.
    pub(super) fn nothing_agreed(&self, left: &[Left]) -> PanelError {
        let file = left.first().map_or(&self.files[0].name, |l| &l.file);
        let why = left.first().map(|l| l.sentence(&self.files[0].name)).unwrap_or_default();
        PanelError::input(
            file,
            format!(
                "no marker is in all files; {why}; name the stains of the channels in a panel file (--panel)"
            ),
        )
    }

    /// Checks that every file has every marker that was asked for.
    ///
    /// # Errors
    /// [`PanelError::Input`] with the markers a file does not have, and why.
    pub(super) fn all_as_asked(&self) -> Result<Vec<Left>, PanelError> {
        for k in 1..self.files.len() {
            let faults = self.faults(k - 1, k, &self.files[0].name);
            if let Some((lacks, left)) = faults {
                if left.is_empty() {
                    return Err(self.differ(k, &lacks, &[]));
                }
                let also = only_in(&self.files[0].name, &lacks);
                let advice = match self.agreed.is_empty() {
                    true => String::new(),
                    false => format!("leave them out with --markers {}, or ", self.list()),
                };
                return Err(PanelError::input(
                    &self.files[k].name,
                    format!(
                        "--markers asks for what the files do not agree on: {}{also}; {advice}say in a panel file \
                         (--panel) what the channel carries",
                        left.join("; ")
                    ),
                ));
            }
        }
        Ok(Vec::new())
    }

    /// Checks that every file has every marker of a stored edit.
    ///
    /// # Errors
    /// [`PanelError::Input`] with the markers a file does not have.
    pub(super) fn all_as_stored(&self, first: &str) -> Result<(), PanelError> {
        for k in 0..self.files.len() {
            if let Some((lacks, left)) = self.faults(k, k, first) {
                let left = left.iter().map(|l| format!("; {l}")).collect::<String>();
                return Err(PanelError::input(
                    &self.files[k].name,
                    format!(
                        "its channels differ from those of {first}{}{left}; take a file of the same panel, name its \
                         stains in a panel file (--panel), or learn an edit for this one (without --model-dir)",
                        only_in(first, &lacks)
                    ),
                ));
            }
        }
        Ok(())
    }

    /// What a row lacks: names of markers that are not there at all, and sentences of the others.
    fn faults(&self, row: usize, file: usize, first: &str) -> Option<(Vec<String>, Vec<String>)> {
        let (mut lacks, mut left) = (Vec::new(), Vec::new());
        for (m, result) in self.own.iter().zip(&self.rows[row]) {
            let Err(miss) = result else { continue };
            let (place, why) = reason(*miss);
            match place.and_then(|p| self.judged[file].columns.get(p)) {
                None => lacks.push(m.name.clone()),
                Some(c) => left.push(self.left(file, &m.name, m, c, why).sentence(first)),
            }
        }
        (!lacks.is_empty() || !left.is_empty()).then_some((lacks, left))
    }

    /// The agreed markers as `--markers` takes them, in one word of a shell.
    fn list(&self) -> String {
        let one = |c: &Column| if c.name.contains(',') { c.channel.clone() } else { c.name.clone() };
        let list = self.agreed.iter().map(|&i| one(self.own[i])).collect::<Vec<_>>().join(",");
        let plain = |c: char| c.is_alphanumeric() || ",._-+:/@%".contains(c);
        if list.chars().all(plain) { list } else { format!("'{}'", list.replace('\'', "'\\''")) }
    }
}

fn only_in(what: &str, names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; only in {what}: {}", names.join(", ")) }
}

fn reason(miss: Miss) -> (Option<usize>, Why) {
    match miss {
        Miss::OtherStain(j) => (Some(j), Why::OtherStain),
        Miss::NoStain(j) => (Some(j), Why::NoStain),
        Miss::NoStainHere(j) => (Some(j), Why::NoStainInFirst),
        Miss::Ambiguous(j) => (Some(j), Why::Ambiguous),
        Miss::Absent => (None, Why::NoMarker(Reason::Unstained)),
    }
}

impl Left {
    /// What is wrong, in one sentence that names both.
    pub fn sentence(&self, first: &str) -> String {
        let Left { marker, file, first: a, other: b, why } = self;
        let named = |s: &Spelled| if s.stain.is_empty() { s.channel.clone() } else { s.stain.clone() };
        let (here, there) = (named(a), named(b));
        match why {
            Why::OtherStain => format!(
                "channel {} carries {here} in {first} and {there} in {file}: two different markers",
                a.channel
            ),
            Why::NoStain => {
                format!("channel {} carries {here} in {first} and has no stain in {file}", b.channel)
            }
            Why::NoStainInFirst => {
                format!("channel {} has no stain in {first} and carries {there} in {file}", a.channel)
            }
            Why::Ambiguous => format!(
                "{marker} is the stain of several channels, and {first} and {file} do not tell which is which ({} and {})",
                a.channel, b.channel
            ),
            Why::NoMarker(reason) => {
                format!("{there} is a marker in {file} and not in {first} ({})", reason.words())
            }
        }
    }
}

/// A name that was asked for and the first file does not have may be known to another: that is a fault of the files.
pub(super) fn known_elsewhere(
    files: &[File<'_>],
    judged: &[Judged],
    asked: &str,
    e: PanelError,
) -> PanelError {
    let (Some(file), Some(first)) = (files.first(), judged.first()) else { return e };
    for word in words(asked) {
        if first.columns.iter().any(|c| c.is_called(word)) {
            continue;
        }
        for (other, j) in files.iter().zip(judged).skip(1) {
            let Some(c) = j.columns.iter().find(|c| c.is_called(word)) else { continue };
            let there = match on_channel(first, c) {
                Some((_, o)) if o.says.is_empty() => format!("has no stain on channel {}", o.channel),
                Some((_, o)) => format!("has {} on channel {}", o.says, o.channel),
                None => "does not have it".to_owned(),
            };
            return PanelError::input(
                &other.name,
                format!(
                    "--markers asks for {word}, which is here on channel {} while {} {there}; leave it out, or say in a \
                     panel file (--panel) what the channels carry",
                    c.channel, file.name
                ),
            );
        }
    }
    e
}
