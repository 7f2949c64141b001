//! Which columns are markers, what they are called, and which column of one file is which of another.

use regex::RegexBuilder;

use super::CorrectError;
use crate::data::{Column, Frame, did_you_mean};

/// One chosen column.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Marker {
    /// Its column in the matrix.
    pub column: usize,
    /// The name in tables and plots: the stain without its isotope where that is unique.
    pub name: String,
    /// The stain as stored (`$PnS`); empty when there is none.
    pub stain: String,
    /// The channel as stored (`$PnN`), or the variable's name.
    pub channel: String,
}

/// The chosen markers and how they were chosen.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The markers, in column order.
    pub markers: Vec<Marker>,
    /// How, in words for people.
    pub how: String,
}

/// Most markers taken without being asked for by name.
const MOST: usize = 500;

/// Names that are measured on every cell but are no markers, after the isotope was stripped.
const TECHNICAL: &str = r"^(time|event[_ -]?(length|num(ber)?)|cell[_ -]?length|[fs]sc([-_. ].*|area|height|width|\d.*)?|dna[-_ ]?\d*|bc[-_ ]?\d+|barcode.*|bead.*|width|center|offset|residual|empty)$";

/// A stain that is only an isotope or its channel: there is no antibody (`127I`, `190BCKG`, `(Ir191)Di`).
const BARE_ISOTOPE: &str = r"^(\d{2,3}[A-Z][A-Za-z]*|\(?[A-Z][a-z]?\d{2,3}\)?D[id])$";

fn pattern(text: &str) -> Result<regex::Regex, CorrectError> {
    RegexBuilder::new(text).case_insensitive(true).build().map_err(|e| {
        // The library draws the place over several lines; the last one says what is wrong.
        let whole = e.to_string();
        let what = whole.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        CorrectError::usage(format!("--markers {text}: not a valid pattern: {what}"))
    })
}

/// Metals of mass cytometry, which some panels put behind the name (`CD4_Nd145`).
const METALS: [&str; 37] = [
    "Y", "Zr", "Nb", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Te", "I", "Xe", "Cs", "Ba", "La", "Ce", "Pr", "Nd",
    "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Ta", "W", "Os", "Ir", "Pt", "Au", "Tl",
    "Pb", "Bi",
];

/// The stain without its isotope, a leading `<mass><element>_` or a trailing `_<element><mass>` (`145Nd_CD4`,
/// `CD4_Nd145` → `CD4`).
fn strip_isotope(stain: &str) -> &str {
    let digits = |s: &str| (2..=3).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    let rest = stain.trim_start_matches(|c: char| c.is_ascii_digit());
    let mass = &stain[..stain.len() - rest.len()];
    if let Some((element, name)) = rest.split_once('_') {
        let symbol = (1..=2).contains(&element.len()) && element.bytes().all(|b| b.is_ascii_alphabetic());
        if digits(mass) && symbol && !name.is_empty() {
            return name;
        }
    }
    if let Some((name, isotope)) = stain.rsplit_once('_') {
        let element = isotope.trim_end_matches(|c: char| c.is_ascii_digit());
        if METALS.contains(&element) && digits(&isotope[element.len()..]) && !name.is_empty() {
            return name;
        }
    }
    stain
}

/// All columns of a table of variables as markers-to-be.
fn columns(var: &Frame) -> Vec<Marker> {
    let text = |name: &str, i| {
        let value = var.column(name).filter(|c| !matches!(c, Column::Numbers(_))).and_then(|c| c.text(i));
        value.map(|s| s.trim().to_owned()).unwrap_or_default()
    };
    let mut all: Vec<Marker> = (0..var.len())
        .map(|i| {
            let index = var.index.get(i).unwrap_or_default().into_owned();
            let stain = text("marker", i);
            let stored = text("channel", i);
            let channel = if stored.is_empty() { index } else { stored };
            let name = if stain.is_empty() { channel.clone() } else { strip_isotope(&stain).to_owned() };
            Marker { column: i, name, stain, channel }
        })
        .collect();
    // A short name that is not unique says nothing: fall back to the stain, then to stain and channel.
    for longer in [|m: &Marker| m.stain.clone(), |m: &Marker| format!("{} {}", m.stain, m.channel)] {
        let mut count = std::collections::HashMap::<String, usize>::new();
        for m in &all {
            *count.entry(m.name.clone()).or_default() += 1;
        }
        for m in &mut all {
            if count.get(&m.name).copied().unwrap_or(0) > 1 && !m.stain.is_empty() {
                m.name = longer(m);
            }
        }
    }
    all
}

/// Chooses markers: those asked for (names separated by commas, or a regular expression), else the default: stained
/// channels that are not technical; for tables without stains `var["marker"]` where it says yes, else all of var.
///
/// # Errors
/// [`CorrectError::Usage`] when nothing or too much would be chosen, or a name is not there.
pub fn choose(var: &Frame, asked: Option<&str>) -> Result<Choice, CorrectError> {
    let all = columns(var);
    match asked {
        Some(asked) => choose_asked(all, asked),
        None => choose_default(all, var),
    }
}

fn choose_asked(all: Vec<Marker>, asked: &str) -> Result<Choice, CorrectError> {
    let is = |m: &Marker, word: &str| {
        [&m.name, &m.stain, &m.channel].iter().any(|n| !n.is_empty() && n.eq_ignore_ascii_case(word))
    };
    let words: Vec<&str> = asked.split(',').map(str::trim).filter(|w| !w.is_empty()).collect();
    if words.is_empty() {
        return Err(CorrectError::usage("--markers: no name given"));
    }
    let missing: Vec<&&str> = words.iter().filter(|w| !all.iter().any(|m| is(m, w))).collect();
    if missing.is_empty() {
        let markers = all.into_iter().filter(|m| words.iter().any(|w| is(m, w))).collect();
        return Ok(Choice { markers, how: "as asked for by --markers".into() });
    }
    if words.len() == 1 {
        let re = pattern(asked)?;
        let hit = |m: &Marker| [&m.name, &m.stain, &m.channel].iter().any(|n| re.is_match(n));
        let markers: Vec<Marker> = all.iter().filter(|m| hit(m)).cloned().collect();
        if !markers.is_empty() {
            return Ok(Choice { markers, how: format!("names that match --markers {asked}") });
        }
    }
    let word = missing[0];
    let hint = did_you_mean(word, all.iter().map(|m| m.name.as_str()));
    Err(CorrectError::usage(format!(
        "--markers: no marker is called {word} or matches it{hint} (scx info lists them)"
    )))
}

/// `var["marker"]` as booleans; loom and others keep these as 0 and 1.
fn yes_or_no(var: &Frame) -> Option<Vec<bool>> {
    let Some(Column::Numbers(v)) = var.column("marker") else { return None };
    v.iter().all(|x| x == 0.0 || x == 1.0).then(|| v.iter().map(|x| x == 1.0).collect())
}

fn choose_default(all: Vec<Marker>, var: &Frame) -> Result<Choice, CorrectError> {
    if let Some(yes) = yes_or_no(var) {
        let markers: Vec<Marker> = all.into_iter().filter(|m| yes.get(m.column) == Some(&true)).collect();
        if markers.is_empty() {
            return Err(CorrectError::usage("var[\"marker\"] is false everywhere; choose with --markers"));
        }
        return Ok(Choice { markers, how: "var[\"marker\"] is true".into() });
    }
    let technical = pattern(TECHNICAL)?;
    if var.column("marker").is_some() {
        let bare = regex::Regex::new(BARE_ISOTOPE)
            .map_err(|e| CorrectError::usage(format!("internal pattern: {e}")))?;
        let markers: Vec<Marker> = all
            .into_iter()
            .filter(|m| !m.stain.is_empty())
            .filter(|m| !technical.is_match(strip_isotope(&m.stain)) && !bare.is_match(&m.stain))
            .collect();
        if markers.is_empty() {
            return Err(CorrectError::usage(
                "no channel has a stain name ($PnS), so no marker can be told; choose with --markers",
            ));
        }
        return Ok(Choice {
            markers,
            how: "stained channels without time, event length, scatter, DNA, barcode, bead, width".into(),
        });
    }
    if all.len() > MOST {
        return Err(CorrectError::usage(format!(
            "{} variables and no var[\"marker\"]; choose up to {MOST} with --markers",
            all.len()
        )));
    }
    let odd: Vec<&str> =
        all.iter().filter(|m| technical.is_match(&m.name)).map(|m| m.name.as_str()).collect();
    if !odd.is_empty() {
        tracing::warn!(
            "{} look technical and are corrected all the same, because there is no var[\"marker\"]; \
             choose with --markers",
            odd.join(", ")
        );
    }
    Ok(Choice { markers: all, how: "all of var".into() })
}

/// The columns of another table of variables that hold the same markers, in the same order: matched by stain, then
/// by stain without isotope, then by channel.
///
/// # Errors
/// [`CorrectError::Input`] that lists the markers each side lacks.
pub fn match_panel(
    panel: &[Marker],
    var: &Frame,
    asked: Option<&str>,
    first: &str,
    file: &str,
) -> Result<Vec<usize>, CorrectError> {
    let all = columns(var);
    let find = |m: &Marker| {
        let by = |same: &dyn Fn(&Marker) -> bool| {
            let mut hits = all.iter().filter(|o| same(o));
            hits.next().filter(|_| hits.next().is_none()).map(|o| o.column)
        };
        let stained = !m.stain.is_empty();
        (stained.then(|| by(&|o| o.stain == m.stain)).flatten())
            .or_else(|| {
                stained.then(|| by(&|o| strip_isotope(&o.stain) == strip_isotope(&m.stain))).flatten()
            })
            .or_else(|| by(&|o| o.channel == m.channel))
            .or_else(|| twin(panel, &all, m))
    };
    let found: Vec<Option<usize>> = panel.iter().map(find).collect();
    let lacks: Vec<&str> =
        panel.iter().zip(&found).filter(|(_, f)| f.is_none()).map(|(m, _)| m.name.as_str()).collect();
    // Without names asked for, both files choose for themselves, and the two choices must be the same.
    let extra: Vec<String> = match asked {
        Some(_) => Vec::new(),
        None => choose(var, None)?
            .markers
            .into_iter()
            .filter(|m| !found.contains(&Some(m.column)))
            .map(|m| m.name)
            .collect(),
    };
    let columns: Vec<usize> = found.iter().flatten().copied().collect();
    if let Some((i, c)) = columns.iter().enumerate().find(|(i, c)| columns[..*i].contains(c)) {
        let first = columns.iter().position(|o| o == c).unwrap_or(i);
        return Err(CorrectError::input(
            file,
            format!(
                "the markers {} and {} both match its channel {}; choose one of them with --markers",
                panel[first].name, panel[i].name, all[*c].channel
            ),
        ));
    }
    if lacks.is_empty() && extra.is_empty() && columns.len() == panel.len() {
        return Ok(columns);
    }
    let list = |what: &str, names: &[&str]| {
        if names.is_empty() { String::new() } else { format!("; only in {what}: {}", names.join(", ")) }
    };
    let extra: Vec<&str> = extra.iter().map(String::as_str).collect();
    let both: Vec<&Marker> = panel.iter().zip(&found).filter(|(_, f)| f.is_some()).map(|(m, _)| m).collect();
    let advice = match (asked, both.is_empty()) {
        (Some(""), _) => {
            "take a file of the same panel, or learn an edit for this one (without --model-dir)".into()
        }
        (_, true) => "no marker is in both; take files of one panel".into(),
        _ => format!("correct the markers both have with --markers {}", words(&both)),
    };
    let (lacks, extra) = (list(first, &lacks), list(file, &extra));
    Err(CorrectError::input(
        file,
        format!("its channels differ from those of {first}{lacks}{extra}; {advice}"),
    ))
}

/// Markers as `--markers` takes them, in one word of a shell.
fn words(markers: &[&Marker]) -> String {
    let one = |m: &&Marker| if m.name.contains(',') { m.channel.clone() } else { m.name.clone() };
    let list = markers.iter().map(one).collect::<Vec<_>>().join(",");
    let plain = |c: char| c.is_alphanumeric() || ",._-+:/@%".contains(c);
    if list.chars().all(plain) { list } else { format!("'{}'", list.replace('\'', "'\\''")) }
}

/// Of columns that share both names, the one at the same place among them, where both files have as many.
fn twin(panel: &[Marker], all: &[Marker], m: &Marker) -> Option<usize> {
    let same = |o: &&Marker| (&o.stain, &o.channel) == (&m.stain, &m.channel);
    let place = panel.iter().filter(same).position(|o| o.column == m.column)?;
    let twins: Vec<usize> = all.iter().filter(same).map(|o| o.column).collect();
    if twins.len() == panel.iter().filter(same).count() { twins.get(place).copied() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Index;

    fn fcs(channels: &[(&str, &str)]) -> Frame {
        let text = |f: fn(&(&str, &str)) -> String| channels.iter().map(f).collect::<Vec<_>>();
        Frame::new(Index::names(text(|c| c.0.into())))
            .with("marker", Column::Strings(text(|c| c.1.into())))
            .with("channel", Column::Strings(text(|c| c.0.into())))
    }

    fn names(choice: &Choice) -> Vec<&str> {
        choice.markers.iter().map(|m| m.name.as_str()).collect()
    }

    #[test]
    fn isotopes_are_stripped_and_nothing_else() {
        for (stain, name) in [
            ("145Nd_CD4", "CD4"),
            ("151Eu_CD244_2B4", "CD244_2B4"),
            ("89Y_CD45", "CD45"),
            ("CD19_Nd142", "CD19"),
            ("CD235_61_In113", "CD235_61"),
            ("HLA_DR15", "HLA_DR15"),
            ("TCR_V24", "TCR_V24"),
            ("127I", "127I"),
            ("4_1BB", "4_1BB"),
            ("150Nd_", "150Nd_"),
        ] {
            assert_eq!(strip_isotope(stain), name);
        }
    }

    #[test]
    fn the_default_leaves_out_what_is_no_marker() {
        let var = fcs(&[
            ("Time", "Time"),
            ("Event_length", "Event_length"),
            ("FSC-A", "FSC-A"),
            ("Ir191Di", "191Ir_DNA1"),
            ("Pd102Di", "BC1"),
            ("Ce140Di", "140Ce_Bead"),
            ("beadDist", "beadDist"),
            ("Width", "Width"),
            ("I127Di", "127I"),
            ("(Ir191)Di", "(Ir191)Di"),
            ("eventnum", "eventnum"),
            ("Ba138Di", ""),
            ("Ir193Di", "DNA2_Ir193"),
            ("Pd104Di", "BC2_Pd104"),
            ("Ce140Di", "empty_Ce140"),
            ("Nd145Di", "145Nd_CD4"),
            ("X", "DNAM-1"),
            ("Y", "BCL2"),
        ]);
        assert_eq!(names(&choose(&var, None).unwrap()), ["CD4", "DNAM-1", "BCL2"]);
    }

    #[test]
    fn names_and_patterns_can_be_asked_for() {
        let var = fcs(&[("Nd145Di", "145Nd_CD4"), ("Er168Di", "168Er_CD8a"), ("X", "IFNg")]);
        assert_eq!(names(&choose(&var, Some("ifng, Nd145Di")).unwrap()), ["CD4", "IFNg"]);
        assert_eq!(names(&choose(&var, Some("^CD")).unwrap()), ["CD4", "CD8a"]);
        let e = choose(&var, Some("CD4,IFNy")).unwrap_err();
        assert!(e.to_string().contains("did you mean IFNg?"), "{e}");
        assert!(choose(&var, Some("(")).is_err());
    }

    #[test]
    fn same_short_names_keep_their_isotope() {
        let var = fcs(&[("A", "145Nd_CD4"), ("B", "146Nd_CD4")]);
        assert_eq!(names(&choose(&var, None).unwrap()), ["145Nd_CD4", "146Nd_CD4"]);
    }

    #[test]
    fn panels_match_by_stain_then_by_channel_and_differences_are_listed() {
        let a = fcs(&[("Nd145Di", "145Nd_CD4"), ("Er168Di", "168Er_CD8a"), ("X", "IFNg")]);
        let panel = choose(&a, None).unwrap().markers;
        let b = fcs(&[("X", "IFN-gamma"), ("Er168Di", "CD8a"), ("Dy164Di", "164Dy_CD4")]);
        assert_eq!(match_panel(&panel, &b, None, "a", "b").unwrap(), [2, 1, 0]);
        let twice = fcs(&[("Nd145Di", "CD4"), ("X", "145Nd_CD4")]);
        let panel_2 = choose(&twice, Some("Nd145Di,X")).unwrap().markers;
        let e = match_panel(&panel_2, &fcs(&[("Z", "CD4")]), Some("CD4"), "a", "b").unwrap_err();
        assert!(e.to_string().contains("both match its channel Z"), "{e}");
        let c = fcs(&[("Nd145Di", "145Nd_CD4"), ("Z", "CCR6")]);
        let e = match_panel(&panel, &c, None, "a.fcs", "c.fcs").unwrap_err().to_string();
        assert!(e.contains("only in a.fcs: CD8a, IFNg") && e.contains("only in c.fcs: CCR6"), "{e}");
    }
}
