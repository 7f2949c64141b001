//! A first panel file from files: which channel carries which marker in which of them, and where they do not agree.

use std::fmt::Write;

use serde::Serialize;

use super::choose::Judged;
use super::column::Column;
use super::file::{Role, base};
use super::{File, PanelError, PanelFile, Reason, csv};

/// One channel with one marker.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FirstRow {
    /// The channel, as the first file that has it writes it.
    pub channel: String,
    /// The marker; empty when no file has a stain there.
    pub marker: String,
    /// Whether it is corrected by default.
    pub is_marker: bool,
    /// Its role, where a given panel file tells one.
    pub role: Option<Role>,
    /// Its cofactor, where a given panel file tells one.
    pub cofactor: Option<f64>,
    /// Why it is no marker by default.
    pub reason: Option<Reason>,
    /// What the files do not agree on.
    pub conflicts: Vec<String>,
    /// What each file has there: `None` for no such channel, an empty text for none or another stain.
    pub stains: Vec<Option<String>>,
    #[serde(skip)]
    key: (String, String),
}

/// A first panel file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FirstPanel {
    /// The files, by names that tell them apart.
    pub files: Vec<String>,
    /// The rows, in the order of the first file that has them.
    pub rows: Vec<FirstRow>,
}

impl FirstPanel {
    /// Puts the names of channels and stains of files side by side, as names and values (and a given panel file) tell them.
    ///
    /// # Errors
    /// [`PanelError::Input`] when a given panel file does not fit the files.
    pub fn of(files: &[File<'_>], panel: Option<&PanelFile>) -> Result<Self, PanelError> {
        if let Some(panel) = panel {
            panel.fits(files)?;
        }
        let judged = files.iter().map(|f| Judged::of(f, panel)).collect::<Result<Vec<_>, _>>()?;
        let mut out = Self { files: names(files), rows: Vec::new() };
        for (k, file) in judged.iter().enumerate() {
            for (column, reason) in file.columns.iter().zip(&file.reasons) {
                out.add(k, column, *reason);
            }
        }
        out.complete(&judged);
        Ok(out)
    }

    fn add(&mut self, file: usize, column: &Column, reason: Option<Reason>) {
        let key = (column.channel_key.clone(), column.key.clone());
        let at = self.rows.iter().position(|r| r.key == key).unwrap_or_else(|| {
            let told = column.panel.as_ref();
            self.rows.push(FirstRow {
                channel: column.channel.clone(),
                marker: column.says.clone(),
                is_marker: false,
                role: told.and_then(|t| t.role),
                cofactor: told.and_then(|t| t.cofactor),
                reason,
                conflicts: Vec::new(),
                stains: vec![None; self.files.len()],
                key,
            });
            self.rows.len() - 1
        });
        let row = &mut self.rows[at];
        row.is_marker |= reason.is_none();
        let stored = if column.stored.is_empty() { &column.says } else { &column.stored };
        if row.stains[file].is_some() && !row.marker.is_empty() {
            let again = format!("twice in {}", self.files[file]);
            if !row.conflicts.contains(&again) {
                row.conflicts.push(again);
            }
        }
        row.stains[file] = Some(if column.says.is_empty() { String::new() } else { stored.clone() });
    }

    /// Tells rows of one channel and rows of one marker of each other.
    fn complete(&mut self, judged: &[Judged]) {
        for row in &mut self.rows {
            if row.is_marker {
                row.reason = None;
            }
            for (k, file) in judged.iter().enumerate().filter(|_| !row.marker.is_empty()) {
                if row.stains[k].is_some() {
                    continue;
                }
                let here = file.columns.iter().find(|c| c.channel_key == row.key.0);
                let elsewhere = file.columns.iter().find(|c| c.key == row.key.1);
                row.stains[k] = here.map(|_| String::new());
                // A marker that sits on another channel of that file is found there.
                if !row.is_marker || elsewhere.is_some() {
                    continue;
                }
                row.conflicts.push(match here {
                    None => format!("no such channel in {}", self.files[k]),
                    Some(c) if c.says.is_empty() => format!("no stain in {}", self.files[k]),
                    Some(c) => format!("{} in {}", c.says, self.files[k]),
                });
            }
        }
        // A channel without stain in some files has the rows of the stains of others.
        let stained: Vec<String> =
            self.rows.iter().filter(|r| r.is_marker).map(|r| r.key.0.clone()).collect();
        self.rows.retain(|r| !(r.marker.is_empty() && stained.contains(&r.key.0)));
    }

    /// The table as CSV: what `correct --panel` takes. Unchanged it pairs as names alone do.
    pub fn csv(&self) -> String {
        let mut out = String::from("channel,marker,role,cofactor,conflict,note");
        for file in &self.files {
            let _ = write!(out, ",{}", csv::field(file));
        }
        out.push('\n');
        for row in &self.rows {
            let role = match row.role {
                Some(Role::Lineage) => "lineage",
                Some(Role::Functional) => "functional",
                Some(Role::State) => "state",
                Some(Role::None) => "none",
                None if row.is_marker => "",
                None => "none",
            };
            let cofactor = row.cofactor.map_or_else(String::new, |c| c.to_string());
            let note = row.reason.map(Reason::words).unwrap_or_default();
            let fields = [&row.channel, &row.marker, role, &cofactor, &row.conflicts.join("; "), note];
            let fields = fields.map(csv::field).into_iter();
            let cells = row.stains.iter().map(|s| s.as_deref().map_or("absent".into(), csv::field));
            out.push_str(&fields.chain(cells).collect::<Vec<_>>().join(","));
            out.push('\n');
        }
        out
    }
}

/// Names of files that tell them apart: without folders where that does.
fn names(files: &[File<'_>]) -> Vec<String> {
    let unique = |name: &str| files.iter().filter(|f| base(&f.name) == name).count() == 1;
    let name = |f: &File<'_>| {
        let base = base(&f.name);
        if unique(base) { base.to_owned() } else { f.name.clone() }
    };
    files.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Pairing;
    use super::*;
    use crate::data::{Column as Values, Frame, Index};

    fn fcs(channels: &[(&str, &str)]) -> Frame {
        let text = |f: fn(&(&str, &str)) -> String| channels.iter().map(f).collect::<Vec<_>>();
        Frame::new(Index::names(text(|c| c.0.into()))).with("marker", Values::Strings(text(|c| c.1.into())))
    }

    #[test]
    fn conflicts_are_marked_and_the_file_unchanged_pairs_as_names_do_and_filled_in_as_told() {
        let a = fcs(&[
            ("Time", ""),
            ("Nd145Di", "CD4"),
            ("Nd148Di", "HLA-DR"),
            ("Nd150Di", "CD95"),
            ("Sm149Di", "CD8"),
        ]);
        let b = fcs(&[
            ("Time", ""),
            ("Nd145Di", "145Nd_cd4"),
            ("Nd148Di", ""),
            ("Gd155Di", "CD95"),
            ("Sm149Di", "CD7"),
        ]);
        let files = [File::new("x/a.fcs", &a), File::new("x/b.fcs", &b)];
        let first = FirstPanel::of(&files, None).unwrap();
        let row = |marker: &str| first.rows.iter().find(|r| r.marker == marker).unwrap();
        assert_eq!(first.files, ["a.fcs", "b.fcs"]);
        assert_eq!(row("HLA-DR").conflicts, ["no stain in b.fcs"]);
        assert_eq!(row("CD8").conflicts, ["CD7 in b.fcs"]);
        assert_eq!(row("CD7").conflicts, ["CD8 in a.fcs"]);
        assert!(row("CD4").conflicts.is_empty() && row("CD95").conflicts.is_empty());
        let time = first.rows.iter().find(|r| r.channel == "Time").unwrap();
        assert_eq!((time.reason, time.is_marker), (Some(Reason::Time), false));
        let text = first.csv();
        assert!(text.contains("\nNd148Di,HLA-DR,,,no stain in b.fcs,,HLA-DR,\n"), "{text}");
        let read = |text: &str| PanelFile::parse("panel.csv", text).unwrap();
        let plain = Pairing::of(&files, None, None).unwrap();
        let told = Pairing::of(&files, Some(&read(&text)), None).unwrap();
        assert_eq!(told.columns, plain.columns);
        assert_eq!(told.left.len(), plain.left.len());
        // What the user fills in holds.
        let filled = text.replace("no stain in b.fcs,,HLA-DR,\n", "no stain in b.fcs,,HLA-DR,HLA-DR\n");
        let told = Pairing::of(&files, Some(&read(&filled)), None).unwrap();
        assert_eq!(told.markers.len(), plain.markers.len() + 1);
    }

    #[test]
    fn a_given_table_is_carried_over() {
        let a = fcs(&[("Nd145Di", "CD4"), ("Nd148Di", "x")]);
        let given = "fcs_colname,antigen,marker_class\nNd145Di,CD4,type\nNd148Di,x,none\n";
        let given = PanelFile::parse("g.csv", given).unwrap();
        let first = FirstPanel::of(&[File::new("a.fcs", &a)], Some(&given)).unwrap();
        assert!(first.csv().contains("Nd145Di,CD4,lineage,"), "{}", first.csv());
        assert!(first.csv().contains("Nd148Di,x,none,"), "{}", first.csv());
    }
}
