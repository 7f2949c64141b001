//! Which columns of one file are markers.

use regex::RegexBuilder;

use super::PanelError;
use super::column::{self, Column};
use super::file::{PanelFile, Role};
use super::technical::{self, Reason};
use crate::data::{Column as Values, Dataset, Frame, Matrix, Summary, did_you_mean};

/// One chosen column.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Marker {
    /// Its column in the matrix.
    pub column: usize,
    /// The name in tables and plots: the stain in short where that is unique, or the marker of the panel file.
    pub name: String,
    /// The stain as stored (`$PnS`); empty when there is none.
    pub stain: String,
    /// The channel as stored (`$PnN`), or the variable's name.
    pub channel: String,
    /// The role that a panel file gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The cofactor that a panel file gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cofactor: Option<f64>,
}

/// A column that is no marker.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct NoMarker {
    /// Its column in the matrix.
    pub column: usize,
    /// Its name.
    pub name: String,
    /// The channel as stored.
    pub channel: String,
    /// Why.
    pub reason: Reason,
}

/// The chosen markers, the other columns, and how they were told apart.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The markers, in column order.
    pub markers: Vec<Marker>,
    /// How, in words for people.
    pub how: String,
    /// The columns that are no markers, and why.
    pub others: Vec<NoMarker>,
}

/// What is looked at of one file.
#[derive(Debug, Clone)]
pub struct File<'a> {
    /// Its name in messages, and what columns of a panel file are matched with.
    pub name: String,
    /// Its table of variables.
    pub var: &'a Frame,
    /// What the values of each column look like; empty where names alone shall tell.
    pub values: Vec<Summary>,
    /// The panel file that holds for this file alone.
    pub panel: Option<&'a PanelFile>,
}

/// Column of var that marks channels which were written from what was known of cells (`--append`).
const APPENDED: &str = "appended";

/// Most columns taken without being asked for by name, and most whose values are looked at.
pub const MOST: usize = 500;

impl<'a> File<'a> {
    /// A file by its names alone.
    pub fn new(name: impl Into<String>, var: &'a Frame) -> Self {
        Self { name: name.into(), var, values: Vec::new(), panel: None }
    }

    /// A file by its names and a look at some of its values.
    ///
    /// # Errors
    /// [`PanelError::Data`] when the values cannot be read.
    pub fn of(
        name: impl Into<String>,
        dataset: &'a Dataset,
        matrix: Option<&Matrix>,
    ) -> Result<Self, PanelError> {
        let mut file = Self::new(name, &dataset.var);
        if let Some(x) = matrix.filter(|x| x.shape().1 <= MOST) {
            file.values =
                x.summaries().map_err(|source| PanelError::Data { file: file.name.clone(), source })?;
        }
        Ok(file)
    }
}

/// The columns of a file with what was found of each.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) columns: Vec<Column>,
    pub(super) reasons: Vec<Option<Reason>>,
    pub(super) how: String,
}

impl Judged {
    /// Names, panel file and values of a file.
    ///
    /// # Errors
    /// [`PanelError::Input`] when rows of the panel file contradict each other for this file.
    pub(super) fn of(file: &File<'_>, panel: Option<&PanelFile>) -> Result<Self, PanelError> {
        let mut columns = column::columns(file.var);
        let panel = file.panel.or(panel);
        if let Some(panel) = panel {
            panel.tell(&file.name, &mut columns)?;
        }
        let mut reasons = technical::judge(&columns, &file.values);
        let marked = yes_or_no(file.var, "marker");
        let appended = yes_or_no(file.var, APPENDED);
        let how = match (panel, &marked) {
            (Some(panel), _) => format!("as told by {}", panel.name),
            (None, Some(_)) => "var[\"marker\"] is true".into(),
            (None, None) if file.var.column("marker").is_some() => {
                "stained channels that are no time, scatter, DNA, barcode, bead, id or the like".into()
            }
            (None, None) => "columns that are no time, scatter, id, position or the like".into(),
        };
        for (i, (c, reason)) in columns.iter().zip(&mut reasons).enumerate() {
            *reason = match (&c.panel, panel, &marked) {
                (Some(told), ..) => match told.role {
                    Some(Role::None) => Some(Reason::RoleNone),
                    Some(_) => None,
                    None => *reason,
                },
                (None, Some(_), _) => reason.or(Some(Reason::NotInPanel)),
                (None, None, Some(yes)) if yes.get(i) == Some(&true) => None,
                (None, None, Some(_)) => Some(Reason::NotMarked),
                (None, None, None) => *reason,
            };
            if reason.is_none()
                && c.panel.is_none()
                && appended.as_ref().and_then(|a| a.get(i)) == Some(&true)
            {
                *reason = Some(Reason::Appended);
            }
        }
        Ok(Self { columns, reasons, how })
    }

    /// A column as a marker.
    pub(super) fn marker(&self, j: usize) -> Option<Marker> {
        let c = self.columns.get(j)?;
        let told = c.panel.as_ref();
        Some(Marker {
            column: c.at,
            name: c.name.clone(),
            stain: c.stored.clone(),
            channel: c.channel.clone(),
            role: told.and_then(|t| t.role),
            cofactor: told.and_then(|t| t.cofactor),
        })
    }

    /// The columns that are no markers.
    pub(super) fn others(&self) -> Vec<NoMarker> {
        let of = |(c, reason): (&Column, &Option<Reason>)| {
            let reason = (*reason)?;
            Some(NoMarker { column: c.at, name: c.name.clone(), channel: c.channel.clone(), reason })
        };
        self.columns.iter().zip(&self.reasons).filter_map(of).collect()
    }

    /// The places of the markers by default.
    pub(super) fn defaults(&self) -> Vec<usize> {
        (0..self.columns.len()).filter(|&j| self.reasons.get(j) == Some(&None)).collect()
    }
}

/// `var["marker"]` as booleans; loom and others keep these as 0 and 1.
fn yes_or_no(var: &Frame, name: &str) -> Option<Vec<bool>> {
    let Some(Values::Numbers(v)) = var.column(name) else { return None };
    v.iter().all(|x| x == 0.0 || x == 1.0).then(|| v.iter().map(|x| x == 1.0).collect())
}

/// Chooses markers: those asked for (names separated by commas, or a pattern), else the default: columns that name an
/// antibody and are not technical; those of a panel file where there is one; `var["marker"]` where it says yes.
///
/// # Errors
/// [`PanelError::Usage`] when nothing or too much would be chosen, or a name is not there; [`PanelError::Input`] when
/// the panel file contradicts itself.
pub fn choose(file: &File<'_>, panel: Option<&PanelFile>, asked: Option<&str>) -> Result<Choice, PanelError> {
    let judged = Judged::of(file, panel)?;
    let (chosen, how) = match asked {
        Some(asked) => asked_for(&judged, asked)?,
        None => (by_default(&judged, file.var)?, judged.how.clone()),
    };
    let markers: Vec<Marker> = chosen.iter().filter_map(|&j| judged.marker(j)).collect();
    let mut others = judged.others();
    others.retain(|o| !markers.iter().any(|m| m.column == o.column));
    Ok(Choice { markers, how, others })
}

/// Why each column is no marker by default; `None` for markers.
///
/// # Errors
/// [`PanelError::Input`] when the panel file contradicts itself.
pub fn reasons(file: &File<'_>, panel: Option<&PanelFile>) -> Result<Vec<Option<Reason>>, PanelError> {
    Ok(Judged::of(file, panel)?.reasons)
}

/// The words of `--markers`.
pub(super) fn words(asked: &str) -> Vec<&str> {
    asked.split(',').map(str::trim).filter(|w| !w.is_empty()).collect()
}

/// The places of the columns asked for, and how they were found. Names find any column; a pattern finds no technical one.
///
/// # Errors
/// [`PanelError::Usage`] when a name is not there or nothing matches.
pub(super) fn asked_for(judged: &Judged, asked: &str) -> Result<(Vec<usize>, String), PanelError> {
    let all = &judged.columns;
    let words = words(asked);
    if words.is_empty() {
        return Err(PanelError::usage("--markers: no name given"));
    }
    let missing: Vec<&&str> = words.iter().filter(|w| !all.iter().any(|c| c.is_called(w))).collect();
    if missing.is_empty() {
        let chosen = (0..all.len()).filter(|&j| words.iter().any(|w| all[j].is_called(w))).collect();
        return Ok((chosen, "as asked for by --markers".into()));
    }
    if words.len() == 1 {
        let re = pattern(asked)?;
        let hit = |c: &Column| [&c.name, &c.says, &c.stored, &c.channel].iter().any(|n| re.is_match(n));
        let hits: Vec<usize> = (0..all.len()).filter(|&j| hit(&all[j])).collect();
        let open = |j: &usize| judged.reasons[*j].is_none_or(Reason::is_nameless);
        let chosen: Vec<usize> = hits.iter().copied().filter(open).collect();
        if !chosen.is_empty() {
            return Ok((chosen, format!("names that match --markers {asked}")));
        }
        if let Some((c, reason)) = hits.first().and_then(|&j| Some((&all[j], judged.reasons[j]?))) {
            return Err(PanelError::usage(format!(
                "--markers {asked} matches nothing but what is no marker ({}: {}); ask for it by its name",
                c.name,
                reason.words()
            )));
        }
    }
    let word = missing[0];
    let hint = did_you_mean(word, all.iter().map(|c| c.name.as_str()));
    Err(PanelError::usage(format!(
        "--markers: no marker is called {word} or matches it{hint} (scx info lists them)"
    )))
}

fn pattern(text: &str) -> Result<regex::Regex, PanelError> {
    RegexBuilder::new(text).case_insensitive(true).build().map_err(|e| {
        // The library draws the place over several lines; the last one says what is wrong.
        let whole = e.to_string();
        let what = whole.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        PanelError::usage(format!("--markers {text}: not a valid pattern: {what}"))
    })
}

/// The places of the markers when nothing was asked for.
pub(super) fn by_default(judged: &Judged, var: &Frame) -> Result<Vec<usize>, PanelError> {
    let chosen = judged.defaults();
    let told = judged.columns.iter().any(|c| c.panel.is_some());
    let kind = var.column("marker");
    if chosen.is_empty() {
        let what = match kind {
            _ if told => "the panel file makes no column a marker; give rows a role other than none",
            Some(Values::Numbers(_)) if yes_or_no(var, "marker").is_some() => {
                "var[\"marker\"] is false everywhere; choose with --markers"
            }
            Some(_) => {
                "no channel names an antibody in $PnS, so no marker can be told; choose with --markers, or name them \
                 in a panel file (scx panel writes a first one)"
            }
            None => "no column looks like a marker; choose with --markers",
        };
        return Err(PanelError::usage(what));
    }
    if kind.is_none() && !told && var.len() > MOST {
        return Err(PanelError::usage(format!(
            "{} variables and no var[\"marker\"]; choose up to {MOST} with --markers",
            var.len()
        )));
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Index;

    pub(in crate::panel) fn fcs(channels: &[(&str, &str)]) -> Frame {
        let text = |f: fn(&(&str, &str)) -> String| channels.iter().map(f).collect::<Vec<_>>();
        Frame::new(Index::names(text(|c| c.0.into())))
            .with("marker", Values::Strings(text(|c| c.1.into())))
            .with("channel", Values::Strings(text(|c| c.0.into())))
    }

    fn chosen(var: &Frame, asked: Option<&str>) -> Result<Vec<String>, String> {
        let choice = choose(&File::new("a.fcs", var), None, asked).map_err(|e| e.to_string())?;
        Ok(choice.markers.into_iter().map(|m| m.name).collect())
    }

    #[test]
    fn the_default_leaves_out_what_is_no_marker_and_tells_why() {
        let var = fcs(&[
            ("Time", "Time"),
            ("FSC-A", "FSC-A"),
            ("Ir191Di", "191Ir_DNA1"),
            ("I127Di", "127I"),
            ("Ba138Di", ""),
            ("Nd145Di", "145Nd_CD4"),
            ("X", "DNAM-1"),
            ("Y", "BCL2"),
        ]);
        let choice = choose(&File::new("a.fcs", &var), None, None).unwrap();
        let names: Vec<&str> = choice.markers.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["CD4", "DNAM-1", "BCL2"]);
        use Reason as R;
        let reasons: Vec<R> = choice.others.iter().map(|o| o.reason).collect();
        assert_eq!(reasons, [R::Time, R::Scatter, R::Dna, R::Bare, R::Unstained]);
    }

    #[test]
    fn names_and_patterns_can_be_asked_for_and_only_names_find_what_is_technical() {
        let var = fcs(&[
            ("Nd145Di", "145Nd_CD4"),
            ("Er168Di", "168Er_CD8a"),
            ("X", "IFNg"),
            ("Time", ""),
            ("Q9", ""),
        ]);
        assert_eq!(chosen(&var, Some("ifng, Nd145Di")).unwrap(), ["CD4", "IFNg"]);
        assert_eq!(chosen(&var, Some("^CD")).unwrap(), ["CD4", "CD8a"]);
        assert_eq!(chosen(&var, Some(".")).unwrap(), ["CD4", "CD8a", "IFNg", "Q9"]);
        assert_eq!(chosen(&var, Some("Time,CD4")).unwrap(), ["CD4", "Time"]);
        assert!(chosen(&var, Some("^Ti")).unwrap_err().contains("(Time: time)"));
        assert!(chosen(&var, Some("CD4,IFNy")).unwrap_err().contains("did you mean IFNg?"));
        assert!(chosen(&var, Some("(")).unwrap_err().contains("not a valid pattern"));
    }

    #[test]
    fn same_short_names_keep_their_isotope() {
        let var = fcs(&[("A", "145Nd_CD4"), ("B", "146Nd_CD4")]);
        assert_eq!(chosen(&var, None).unwrap(), ["145Nd_CD4", "146Nd_CD4"]);
    }

    #[test]
    fn booleans_of_an_annotated_file_decide() {
        let names = ["CD3", "Time", "CD4"].map(str::to_owned).to_vec();
        let var = Frame::new(Index::names(names))
            .with("marker", Values::Numbers(crate::data::Values::Bool(vec![true, true, false])));
        assert_eq!(chosen(&var, None).unwrap(), ["CD3", "Time"]);
    }
}
