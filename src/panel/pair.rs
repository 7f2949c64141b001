//! Pairing: which column of one file is which of another, over any number of files.

use serde::Serialize;

use super::choose::{self, File, Judged, Marker, NoMarker};
use super::column::Column;
use super::file::PanelFile;
use super::find::{Miss, find, same_channel};
use super::technical::Reason;
use super::{PanelError, disagree};

/// How a marker was paired with a column of another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Both spell the stain the same.
    SameStain,
    /// The stains are the same but for case, separators, isotopes and what programs add.
    FoldedStain,
    /// Neither has a stain; the channel is the same.
    Channel,
    /// A panel file says so.
    PanelFile,
}

impl How {
    /// In words, to stand behind `paired`.
    pub fn words(self) -> &'static str {
        match self {
            How::SameStain => "by the same stain",
            How::FoldedStain => "by another spelling of the stain",
            How::Channel => "by the channel, without a stain in either",
            How::PanelFile => "by the panel file",
        }
    }
}

/// A column as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Spelled {
    /// The stain; empty when there is none.
    pub stain: String,
    /// The channel.
    pub channel: String,
}

impl Spelled {
    pub(super) fn of(c: &Column) -> Self {
        // What a panel file says is not what is stored.
        let own = if c.stored.is_empty() && c.panel.is_none() { &c.says } else { &c.stored };
        Self { stain: own.clone(), channel: c.channel.clone() }
    }
}

/// A marker of the first file and its column in another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// The marker's name.
    pub marker: String,
    /// The other file.
    pub file: String,
    /// As the first file has it.
    pub first: Spelled,
    /// As the other file has it.
    pub other: Spelled,
    /// How they were paired.
    pub how: How,
}

/// Why a marker is left uncorrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Another stain on the channel.
    OtherStain,
    /// No stain on the channel in the other file.
    NoStain,
    /// No stain on the channel in the first file.
    NoStainInFirst,
    /// Several columns with the stain.
    Ambiguous,
    /// In the first file the column is none of a marker.
    NoMarker(Reason),
}

/// A marker that is left uncorrected because the files do not agree on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// The marker's name.
    pub marker: String,
    /// The other file.
    pub file: String,
    /// As the first file has it.
    pub first: Spelled,
    /// As the other file has it.
    pub other: Spelled,
    /// Why.
    pub why: Why,
}

/// The markers that all files have, and where.
#[derive(Debug, Clone)]
pub struct Pairing {
    /// What the first file is called; the stored edit, where that brings the markers.
    pub first: String,
    /// The markers that all files have, as the first has them.
    pub markers: Vec<Marker>,
    /// How they were chosen, in words.
    pub how: String,
    /// For each file the columns of the markers.
    pub columns: Vec<Vec<usize>>,
    /// How each of them was paired, file by file.
    pub pairs: Vec<Pair>,
    /// Markers left uncorrected because files do not agree on them.
    pub left: Vec<Left>,
    /// Columns of the first file that are no markers.
    pub others: Vec<NoMarker>,
}

/// What was found of each chosen marker in one file.
type Row = Vec<Result<(usize, How), Miss>>;

impl Pairing {
    /// Pairs the markers of the first file with the columns of the others.
    ///
    /// A marker whose channel carries another stain, or none, in some file is left out and listed. One that `--markers`
    /// asked for must be in every file.
    ///
    /// # Errors
    /// [`PanelError::Usage`] when no marker can be chosen; [`PanelError::Input`] when a marker that was asked for, or its
    /// channel altogether, is missing in a file, or the panel file names channels that no file has.
    pub fn of(
        files: &[File<'_>],
        panel: Option<&PanelFile>,
        asked: Option<&str>,
    ) -> Result<Self, PanelError> {
        if let Some(panel) = panel {
            panel.fits(files)?;
        }
        let judged = files.iter().map(|f| Judged::of(f, panel)).collect::<Result<Vec<_>, _>>()?;
        let (Some(head), Some(first)) = (files.first(), judged.first()) else {
            return Err(PanelError::usage("no file to choose markers from"));
        };
        let (chosen, how) = match asked {
            Some(asked) => choose::asked_for(first, asked)
                .map_err(|e| disagree::known_elsewhere(files, &judged, asked, e))?,
            None => (choose::by_default(first, head.var)?, first.how.clone()),
        };
        let mut own: Vec<&Column> = chosen.iter().map(|&j| &first.columns[j]).collect();
        let pool: Vec<&Column> = first
            .defaults()
            .into_iter()
            .filter(|j| !chosen.contains(j))
            .map(|j| &first.columns[j])
            .chain(own.iter().copied())
            .collect();
        let rows: Vec<Row> = judged[1..].iter().map(|other| found(&own, &pool, other)).collect();
        let agreed: Vec<usize> =
            (0..chosen.len()).filter(|&i| rows.iter().all(|row| row[i].is_ok())).collect();
        let table = disagree::Table { files, judged: &judged, own: &own, rows: &rows, agreed: &agreed };
        let left = match asked {
            Some(_) => table.all_as_asked()?,
            None => table.left_out()?,
        };
        if agreed.is_empty() {
            return Err(table.nothing_agreed(&left));
        }
        let columns = std::iter::once(agreed.iter().map(|&i| own[i].at).collect())
            .chain(rows.iter().map(|row| places(row, &agreed)))
            .collect();
        let pairs = table.pairs();
        let markers: Vec<Marker> = agreed.iter().filter_map(|&i| first.marker(chosen[i])).collect();
        own.clear();
        let mut others = first.others();
        others.retain(|o| !markers.iter().any(|m| m.column == o.column));
        Ok(Self { first: head.name.clone(), markers, how, columns, pairs, left, others })
    }

    /// Pairs markers that were stored with the columns of files. All files must have all of them.
    ///
    /// # Errors
    /// [`PanelError::Input`] that names the markers a file lacks.
    pub fn with(
        markers: &[Marker],
        first: &str,
        files: &[File<'_>],
        panel: Option<&PanelFile>,
    ) -> Result<Self, PanelError> {
        if let Some(panel) = panel {
            panel.fits(files)?;
        }
        let judged = files.iter().map(|f| Judged::of(f, panel)).collect::<Result<Vec<_>, _>>()?;
        let kept: Vec<[Column; 2]> = markers.iter().map(stored).collect();
        let by_stain: Vec<&Column> = kept.iter().map(|c| &c[0]).collect();
        let by_name: Vec<&Column> = kept.iter().map(|c| &c[1]).collect();
        let row = |other: &Judged| -> Row {
            let (mut row, other_row) = (found(&by_stain, &by_stain, other), found(&by_name, &by_name, other));
            for (a, b) in row.iter_mut().zip(other_row) {
                if a.is_err() && b.is_ok() {
                    *a = b;
                }
            }
            alone(&mut row);
            row
        };
        let rows: Vec<Row> = judged.iter().map(row).collect();
        let agreed: Vec<usize> = (0..markers.len()).collect();
        let table = disagree::Table { files, judged: &judged, own: &by_stain, rows: &rows, agreed: &agreed };
        table.all_as_stored(first)?;
        let columns = rows.iter().map(|row| places(row, &agreed)).collect();
        let pairs = table.pairs_from(0);
        let others = judged.first().map(Judged::others).unwrap_or_default();
        let how = "as in the stored edit".to_owned();
        Ok(Self {
            first: first.to_owned(),
            markers: markers.to_vec(),
            how,
            columns,
            pairs,
            left: Vec::new(),
            others,
        })
    }

    /// The pairs that were not made by equal stains.
    pub fn unequal(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter().filter(|p| p.how != How::SameStain)
    }
}

/// A stored marker as a column: by its stain, and by its name, which a panel file may have given.
fn stored(m: &Marker) -> [Column; 2] {
    let column = Column::new(m.column, &m.channel, &m.stain);
    let mut named = column.clone();
    if m.name != m.channel || m.stain.is_empty() {
        named.says.clone_from(&m.name);
        named.key = super::stain::key(&m.name);
    }
    [column, named].map(|c| Column { name: m.name.clone(), ..c })
}

/// What is found of each of the columns `own` in another file. No column serves twice.
fn found(own: &[&Column], pool: &[&Column], other: &Judged) -> Row {
    let mut row: Row = own.iter().map(|m| find(m, pool, other)).collect();
    alone(&mut row);
    row
}

/// Where two markers claim one column, the one that spells it the same has it.
fn alone(row: &mut Row) {
    for i in 0..row.len() {
        let Ok((place, how)) = row[i] else { continue };
        let rank = |h: How| h != How::SameStain;
        let taken = |k: usize, r: &Result<(usize, How), Miss>| matches!(r, Ok((p, h)) if *p == place && k != i && (rank(*h), k) < (rank(how), i));
        if row.iter().enumerate().any(|(k, r)| taken(k, r)) {
            row[i] = Err(Miss::Ambiguous(place));
        }
    }
}

fn places(row: &Row, agreed: &[usize]) -> Vec<usize> {
    agreed.iter().filter_map(|&i| row[i].ok().map(|(place, _)| place)).collect()
}

/// Whether a column of the first file lies on the channel of a column of another.
pub(super) fn on_channel<'a>(first: &'a Judged, c: &Column) -> Option<(usize, &'a Column)> {
    first.columns.iter().enumerate().find(|(_, o)| same_channel(o, c))
}
