//! A panel file: a table that says which channel carries which marker, and what is corrected.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::column::{Column, Told, name_apart};
use super::{File, PanelError, csv, stain};
use crate::data::did_you_mean;

/// What a marker is for. All but `none` are corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Tells types of cells (CATALYST's `type`).
    Lineage,
    /// Tells what cells can do.
    Functional,
    /// Tells what cells are doing.
    State,
    /// No marker: left as it is.
    None,
}

impl Role {
    fn read(text: &str) -> Option<Option<Role>> {
        Some(match text.to_lowercase().as_str() {
            "" | "na" | "marker" => Option::None,
            "lineage" | "type" => Some(Role::Lineage),
            "functional" => Some(Role::Functional),
            "state" => Some(Role::State),
            "none" => Some(Role::None),
            _ => return Option::None,
        })
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    line: usize,
    channel: String,
    channel_key: String,
    marker: String,
    role: Option<Role>,
    cofactor: Option<f64>,
    /// Keys of the marker and its other spellings.
    keys: Vec<String>,
    /// What it says of each file that has a column of its own.
    cells: Vec<String>,
}

/// A panel file.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelFile {
    /// Its path, for messages.
    pub name: String,
    rows: Vec<Row>,
    /// Names or patterns of files with a column of their own.
    files: Vec<String>,
}

/// What a column of the table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heading {
    Channel,
    Marker,
    Role,
    Cofactor,
    Spellings,
    Remove,
    Note,
    File,
}

impl Heading {
    fn of(text: &str) -> Self {
        let word: String = text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
        match word.as_str() {
            "channel" | "fcscolname" | "parameter" | "pnn" => Heading::Channel,
            "marker" | "antigen" | "mostcommon" | "target" | "pns" => Heading::Marker,
            "role" | "markerclass" => Heading::Role,
            "cofactor" => Heading::Cofactor,
            "spelling" | "spellings" | "alias" | "aliases" => Heading::Spellings,
            "remove" => Heading::Remove,
            "conflict" | "conflicts" | "note" | "notes" | "comment" | "comments" | "clone" | "metal"
            | "isotope" | "mass" | "fluorochrome" | "dye" | "vendor" | "lot" | "dilution" => Heading::Note,
            _ => Heading::File,
        }
    }
}

/// Largest panel file that is read.
const LARGEST: u64 = 1 << 24;

impl PanelFile {
    /// Reads a panel file: `channel` and `marker`, and what else there is of `role`, `cofactor`, `spellings` (separated by
    /// `|` or `;`) and columns that are called after a file or a pattern of files and hold that file's stain. CATALYST's
    /// (`fcs_colname`, `antigen`, `marker_class`) and premessa's tables (`Parameter`, `Most common`, a column a file) are
    /// such files.
    ///
    /// # Errors
    /// [`PanelError::Input`] with the line, what was found and what was expected.
    pub fn read(path: &Path) -> Result<Self, PanelError> {
        let name = path.display().to_string();
        let cannot =
            |e: std::io::Error| PanelError::input(&name, format!("cannot be read as a panel file: {e}"));
        let size = std::fs::metadata(path).map_err(cannot)?.len();
        if size > LARGEST {
            return Err(PanelError::input(
                &name,
                format!("{size} bytes are no panel file; expected a small table"),
            ));
        }
        let bytes = std::fs::read(path).map_err(cannot)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| PanelError::input(&name, "is no text in UTF-8; save the table as CSV UTF-8"))?;
        Self::parse(&name, &text)
    }

    /// As [`PanelFile::read`], of text.
    ///
    /// # Errors
    /// As [`PanelFile::read`].
    pub fn parse(name: &str, text: &str) -> Result<Self, PanelError> {
        let (separator, rows) = csv::rows(text).map_err(|line| {
            PanelError::input(name, format!("line {line}: a quote is opened and never closed"))
        })?;
        let mut rows = rows.into_iter();
        let (_, head) = rows.next().ok_or_else(|| {
            PanelError::input(name, "the panel file is empty; expected the columns channel and marker")
        })?;
        let mut headings: Vec<Heading> = head.iter().map(|h| Heading::of(h)).collect();
        // R writes row names, which are channels here, under no heading.
        if !headings.contains(&Heading::Channel) && head.first().is_some_and(String::is_empty) {
            headings[0] = Heading::Channel;
        }
        for (wanted, words) in [
            (Heading::Channel, ["channel", "fcs_colname", "Parameter"]),
            (Heading::Marker, ["marker", "antigen", "Most common"]),
        ] {
            if !headings.contains(&wanted) {
                let known = head.iter().filter(|h| !h.is_empty()).map(String::as_str);
                let hint = did_you_mean(words[0], known);
                return Err(PanelError::input(
                    name,
                    format!(
                        "found the columns {}, expected one called {} (or {}, or {}){hint}",
                        head.join(", "),
                        words[0],
                        words[1],
                        words[2]
                    ),
                ));
            }
        }
        let files = files_of(&head, &headings);
        let rows = rows
            .map(|(line, fields)| row(name, line, &fields, &headings, separator))
            .collect::<Result<_, _>>()?;
        Ok(Self { name: name.to_owned(), rows, files })
    }

    /// Whether every channel of the panel file is in some file, and every column called after a file fits one: the
    /// latter is a warning.
    ///
    /// # Errors
    /// [`PanelError::Input`] that names the channels that no file has, and the nearest one.
    pub fn fits(&self, files: &[File<'_>]) -> Result<(), PanelError> {
        let mut known: Vec<(String, String)> = Vec::new();
        for column in files.iter().flat_map(|f| super::column::columns(f.var)) {
            if !known.iter().any(|(k, _)| *k == column.channel_key) {
                known.push((column.channel_key, column.channel));
            }
        }
        let is_known =
            |row: &&Row| row.channel.is_empty() || known.iter().any(|(k, _)| *k == row.channel_key);
        let unknown: Vec<&Row> = self.rows.iter().filter(|r| !is_known(r)).collect();
        if let Some(first) = unknown.first() {
            let hint = did_you_mean(&first.channel, known.iter().map(|k| k.1.as_str()));
            let list: Vec<String> =
                unknown.iter().take(5).map(|r| format!("{} (line {})", r.channel, r.line)).collect();
            let more =
                if unknown.len() > 5 { format!(" and {} more", unknown.len() - 5) } else { String::new() };
            return Err(PanelError::input(
                &self.name,
                format!(
                    "no file has the channel {}{more}{hint}; correct the name, or take the line out",
                    list.join(", ")
                ),
            ));
        }
        let fits = |pattern: &&String| !files.iter().any(|f| fits(pattern, &f.name));
        let idle: Vec<&str> = self.files.iter().filter(fits).map(String::as_str).collect();
        if !idle.is_empty() {
            tracing::warn!("{}: no file fits the column {}; it is not used", self.name, idle.join(", "));
        }
        Ok(())
    }

    /// Tells the columns of a file what they are. First what is said of this very file, then rows with the stain that is
    /// stored, then, where nothing is said of this file alone, rows with the channel for columns without a stain. A row
    /// never overrules another stain on its channel.
    ///
    /// # Errors
    /// [`PanelError::Input`] when two rows tell two markers for one column.
    pub(super) fn tell(&self, file: &str, columns: &mut [Column]) -> Result<(), PanelError> {
        let own = self.files.iter().position(|f| same_file(f, file));
        let own = own.or_else(|| self.files.iter().position(|f| fits(f, file)));
        for column in columns.iter_mut() {
            match self.row_for(own, file, column)? {
                Some(row) => {
                    let told = Told { role: row.role, cofactor: row.cofactor };
                    if row.marker.is_empty() {
                        column.panel = Some(told);
                    } else {
                        column.tell(&row.marker, told);
                    }
                }
                None => self.warn_of_other_stain(own, file, column),
            }
        }
        name_apart(columns);
        Ok(())
    }

    fn row_for(&self, own: Option<usize>, file: &str, column: &Column) -> Result<Option<&Row>, PanelError> {
        let on_channel = |r: &&Row| !r.channel.is_empty() && r.channel_key == column.channel_key;
        let keys = [column.key.clone(), stain::key(&column.stored)];
        let has = |key: &String| !key.is_empty() && keys.contains(key);
        if let Some(at) = own {
            let cell = |r: &&Row| r.cells.get(at).map(|c| stain::key(c)).filter(|k| !k.is_empty());
            let said: Vec<&Row> = self.rows.iter().filter(|r| on_channel(r) && cell(r).is_some()).collect();
            let stored: Vec<&Row> =
                said.iter().copied().filter(|r| cell(r).is_some_and(|k| has(&k))).collect();
            let rows = if stored.is_empty() { said } else { stored };
            if let Some(row) = self.one(rows, file, column)? {
                return Ok(Some(row));
            }
        }
        let stained: Vec<&Row> = self.rows.iter().filter(|r| r.keys.iter().any(has)).collect();
        let here: Vec<&Row> = stained.iter().copied().filter(|r| on_channel(r)).collect();
        if let Some(row) = self.one(if here.is_empty() { stained } else { here }, file, column)? {
            return Ok(Some(row));
        }
        if own.is_some() || !column.says.is_empty() {
            // A row without marker that says `none` holds for the channel whatever its stain.
            let none = |r: &&Row| on_channel(r) && r.marker.is_empty() && r.role == Some(Role::None);
            return Ok(self.rows.iter().find(none));
        }
        self.one(self.rows.iter().filter(on_channel).collect(), file, column)
    }

    /// The one row of several that agree.
    fn one<'a>(
        &self,
        rows: Vec<&'a Row>,
        file: &str,
        column: &Column,
    ) -> Result<Option<&'a Row>, PanelError> {
        let Some(first) = rows.first() else { return Ok(None) };
        let other = rows
            .iter()
            .find(|r| (&r.marker, r.role, r.cofactor) != (&first.marker, first.role, first.cofactor));
        match other {
            None => Ok(Some(first)),
            Some(other) => Err(PanelError::input(
                &self.name,
                format!(
                    "lines {} ({}) and {} ({}) both speak of channel {} of {file}; say which holds for this file in a \
                     column called {}, or take one out",
                    first.line,
                    first.marker,
                    other.line,
                    other.marker,
                    column.channel,
                    base(file)
                ),
            )),
        }
    }

    fn warn_of_other_stain(&self, own: Option<usize>, file: &str, column: &Column) {
        let on_channel = |r: &&Row| !r.marker.is_empty() && r.channel_key == column.channel_key;
        // What a column of its own leaves blank is meant to be left.
        let Some(row) =
            self.rows.iter().find(on_channel).filter(|_| own.is_none() && !column.says.is_empty())
        else {
            return;
        };
        tracing::warn!(
            "{}: channel {} carries {} in {file} and {} in line {}; it keeps its own stain. If both are one marker, add \
             {} to the spellings of that line",
            self.name,
            column.channel,
            column.says,
            row.marker,
            row.line,
            column.says
        );
    }
}

/// The headings that name files.
fn files_of(head: &[String], headings: &[Heading]) -> Vec<String> {
    head.iter().zip(headings).filter(|(_, h)| **h == Heading::File).map(|(t, _)| t.clone()).collect()
}

/// One line as a row.
fn row(
    name: &str,
    line: usize,
    fields: &[String],
    headings: &[Heading],
    separator: char,
) -> Result<Row, PanelError> {
    if let Some(extra) = fields.get(headings.len()..).and_then(|f| f.iter().find(|f| !f.is_empty())) {
        return Err(PanelError::input(
            name,
            format!(
                "line {line}: found `{extra}` behind the last of {} columns; put names with {separator} in quotes",
                headings.len()
            ),
        ));
    }
    let of = |wanted: Heading| {
        let at = headings.iter().position(|h| *h == wanted);
        at.and_then(|i| fields.get(i)).map(String::as_str).filter(|t| *t != "NA").unwrap_or_default()
    };
    let word = of(Heading::Role);
    let role = Role::read(word).ok_or_else(|| {
        let hint = did_you_mean(word, ["lineage", "functional", "state", "none"]);
        PanelError::input(
            name,
            format!(
                "line {line}: found the role `{word}`, expected lineage, functional, state or none{hint}"
            ),
        )
    })?;
    let removed = matches!(of(Heading::Remove).to_lowercase().as_str(), "true" | "1" | "yes");
    let cofactor = match of(Heading::Cofactor) {
        "" => None,
        text => {
            let number = text.replace(',', ".").parse().ok().filter(|c: &f64| c.is_finite() && *c > 0.0);
            Some(number.ok_or_else(|| {
                PanelError::input(
                    name,
                    format!("line {line}: found the cofactor `{text}`, expected a number above 0"),
                )
            })?)
        }
    };
    let marker = of(Heading::Marker).to_owned();
    let spellings = of(Heading::Spellings).split(['|', ';']).chain([marker.as_str()]);
    let keys = spellings.map(stain::key).filter(|k| !k.is_empty()).collect();
    let absent = |t: &&String| !["na", "absent", "-"].contains(&t.to_lowercase().as_str());
    let cells = headings.iter().enumerate().filter(|(_, h)| **h == Heading::File);
    let cells = cells.map(|(i, _)| fields.get(i).filter(absent).cloned().unwrap_or_default()).collect();
    let channel = of(Heading::Channel).to_owned();
    let role = if removed { Some(Role::None) } else { role };
    if channel.is_empty() && marker.is_empty() {
        return Err(PanelError::input(name, format!("line {line}: found neither a channel nor a marker")));
    }
    let channel_key = stain::channel_key(&channel);
    Ok(Row { line, channel, channel_key, marker, role, cofactor, keys, cells })
}

/// The name of a file without its folders.
pub(super) fn base(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

/// A name without `.fcs` and the like, so that tables made without endings fit.
fn stem(file: &str) -> &str {
    let base = base(file);
    let base = base.strip_suffix(".gz").unwrap_or(base);
    base.rsplit_once('.').map_or(base, |(stem, _)| stem)
}

/// Whether a heading is the name of a file.
fn same_file(heading: &str, file: &str) -> bool {
    let ends = || file.strip_suffix(heading).is_some_and(|rest| rest.ends_with(['/', '\\']));
    heading == file || ends() || heading == stem(file)
}

/// Whether a heading is the name of a file or a pattern with `*` and `?` that fits it.
fn fits(heading: &str, file: &str) -> bool {
    let pattern: Vec<char> = heading.chars().collect();
    let glob =
        |name: &str| heading.contains(['*', '?']) && matches(&pattern, &name.chars().collect::<Vec<_>>());
    same_file(heading, file) || glob(file) || glob(base(file))
}

/// Whether a pattern fits all of a name.
fn matches(pattern: &[char], name: &[char]) -> bool {
    // Where to go on when a star has to take one more character.
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    p = at + 1;
                    n = taken + 1;
                    star = Some((at, taken + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
