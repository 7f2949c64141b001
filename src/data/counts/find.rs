//! Where a data set holds raw counts: the one rule for all verbs.

use serde::Serialize;

use super::{Chosen, CountsError, FeatureType, Features, Place, Rounded, chosen};
use crate::data::{Block, DataError, Dataset, Frame, Looks, Matrix, Sample};

/// The layer that is looked at first.
const COUNTS_LAYER: &str = "counts";

/// What becomes of values that are no whole numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fractions {
    /// They are refused.
    #[default]
    Refused,
    /// They are rounded to the nearest whole number, where that gives counts.
    Rounded,
    /// They are taken as they are, on a linear scale: cells are scaled to a common sum next.
    Kept,
}

/// Which counts are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Where they are; looked for when `None`.
    pub place: Option<Place>,
    /// What becomes of values that are no whole numbers.
    pub fractions: Fractions,
    /// Which features.
    pub features: FeatureType,
}

/// A matrix that was looked at and not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Passed {
    /// Which.
    pub place: Place,
    /// What it holds instead of counts.
    pub holds: String,
}

/// The counts that are taken.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Taken {
    /// Where they are.
    pub place: Place,
    /// What was looked at first, and why it was not taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<Passed>,
    /// Which features, when they are not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<Features>,
    /// What the values look like when they are not whole numbers and are taken as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fractions: Option<String>,
    /// Whether values are rounded.
    #[serde(skip)]
    pub round: bool,
    /// What rounding changed; known once the counts were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounded: Option<Rounded>,
}

impl Taken {
    /// Takes all features of a place as they are.
    pub fn plain(place: Place) -> Self {
        Self { place, passed: Vec::new(), features: None, fractions: None, round: false, rounded: None }
    }

    /// The matrix and its genes, of the features that are taken.
    ///
    /// # Errors
    /// [`CountsError`] when the data set has no such matrix.
    pub fn of(&self, dataset: &Dataset) -> Result<(Matrix, Frame), CountsError> {
        let Chosen { matrix, var } = chosen(dataset, &self.place)?;
        match &self.features {
            None => Ok((matrix.clone(), var.clone())),
            Some(f) => f
                .select(matrix, var)
                .map_err(|source| CountsError::Data { place: self.place.clone(), source }),
        }
    }

    /// Where the counts are, in words: follows "counts taken from".
    pub fn words(&self) -> String {
        let mut text = match self.place {
            Place::Raw => "raw, with its own genes".to_owned(),
            _ => self.place.to_string(),
        };
        if self.fractions.is_some() {
            text.push_str(", which holds fractions");
        }
        if !self.passed.is_empty() {
            let all = self.passed.iter().map(|p| format!("{} holds {}", p.place, p.holds));
            text.push_str(&format!(" ({})", all.collect::<Vec<_>>().join("; ")));
        }
        text
    }

    /// What else there is to say about them: features that are not taken, values that were rounded.
    pub fn remarks(&self) -> Vec<String> {
        let features = self.features.as_ref().map(Features::words);
        let rounded = self.rounded.as_ref().map(Rounded::words);
        features.into_iter().chain(rounded).collect()
    }
}

/// A look at one place.
struct Seen<'a> {
    place: Place,
    of: Chosen<'a>,
    features: Option<Features>,
    sample: Sample,
    looks: Looks,
    /// Whether its columns are channels of a cytometer.
    cytometry: bool,
}

impl<'a> Seen<'a> {
    fn look(of: Chosen<'a>, place: &Place, wanted: &FeatureType) -> Result<Self, CountsError> {
        let features = Features::of(of.var, wanted, place)?;
        let failed = |source| CountsError::Data { place: place.clone(), source };
        let sample = match &features {
            None => of.matrix.sample(),
            Some(f) => f.select(of.matrix, of.var).and_then(|(m, _)| m.sample()),
        };
        let sample = sample.map_err(failed)?;
        let looks = sample.looks();
        let cytometry = of.var.column("channel").is_some();
        Ok(Self { place: place.clone(), of, features, sample, looks, cytometry })
    }

    /// Whether it holds whole numbers. A file of ones and zeros may well hold counts; a file of nothing holds none.
    fn whole(&self) -> bool {
        matches!(self.looks.guess.as_str(), "raw_counts" | "binary")
    }

    /// Whether its values can be taken the way that is wanted.
    fn fits(&self, fractions: Fractions, asked: bool) -> bool {
        let guess = self.looks.guess.as_str();
        let positive = self.sample.least() >= 0.0;
        match fractions {
            _ if self.whole() => true,
            Fractions::Refused => asked && guess == "empty",
            Fractions::Rounded if self.cytometry => false,
            Fractions::Rounded => {
                let unknown = guess == "log1p" && asked && !self.sample.is_log_of_counts();
                positive && (matches!(guess, "fractional_counts" | "linear" | "empty") || unknown)
            }
            Fractions::Kept => {
                positive && matches!(guess, "fractional_counts" | "linear" | "normalised" | "empty")
            }
        }
    }

    fn taken(self, fractions: Fractions, passed: Vec<Passed>) -> Taken {
        let kept = fractions == Fractions::Kept && !self.whole();
        Taken {
            place: self.place,
            passed,
            features: self.features,
            fractions: kept.then_some(self.looks.words),
            round: fractions == Fractions::Rounded,
            rounded: None,
        }
    }

    fn passed(&self) -> Passed {
        Passed { place: self.place.clone(), holds: self.looks.words.clone() }
    }
}

/// Takes the place that is asked for, else the first of `layers["counts"]`, `raw` and X that holds whole numbers. When
/// none does and fractions are allowed, the first that holds counts with fractions.
///
/// # Errors
/// [`CountsError`] with what was found, where such values come from, and what to do.
pub fn find(dataset: &Dataset, wanted: &Wanted) -> Result<Taken, CountsError> {
    if let Some(place) = &wanted.place {
        let seen = Seen::look(chosen(dataset, place)?, place, &wanted.features)?;
        if seen.fits(wanted.fractions, true) {
            return Ok(seen.taken(wanted.fractions, Vec::new()));
        }
        return Err(refusal(dataset, &[seen], wanted));
    }
    let (mut all, mut lacking) = (Vec::new(), None);
    for place in [Place::Layer(COUNTS_LAYER.into()), Place::Raw, Place::X] {
        let Ok(of) = chosen(dataset, &place) else { continue };
        match Seen::look(of, &place, &wanted.features) {
            Ok(seen) if seen.whole() => {
                let passed = all.iter().map(Seen::passed).collect();
                return Ok(seen.taken(wanted.fractions, passed));
            }
            Ok(seen) => all.push(seen),
            Err(e @ CountsError::NoFeatures { .. }) => lacking = Some(e),
            Err(e) => return Err(e),
        }
    }
    if let (true, Some(e)) = (all.is_empty(), lacking) {
        return Err(e);
    }
    if let Some(i) = all.iter().position(|s| s.fits(wanted.fractions, false)) {
        let passed = all.iter().take(i).map(Seen::passed).collect();
        return Ok(all.swap_remove(i).taken(wanted.fractions, passed));
    }
    Err(refusal(dataset, &all, wanted))
}

/// Why none of these is taken.
fn refusal(dataset: &Dataset, all: &[Seen], wanted: &Wanted) -> CountsError {
    let elsewhere = elsewhere(dataset, all);
    let Some(best) = all.iter().max_by_key(|s| nearness(s)) else {
        return CountsError::NotCounts {
            found: "the file has no matrix".into(),
            advice: advice(None, wanted, elsewhere),
        };
    };
    // One place, or one that would hold counts but for some values: the first of these says most.
    let single = all.len() == 1 || matches!(best.looks.guess.as_str(), "whole_numbers" | "not_finite");
    let single = single && !best.cytometry;
    if single
        && !matches!(best.looks.guess.as_str(), "log1p" | "arcsinh" | "normalised" | "fractions" | "empty")
    {
        let bad = match &best.features {
            None => first_bad(best.of.matrix, wanted.fractions),
            Some(f) => f
                .select(best.of.matrix, best.of.var)
                .and_then(|(m, _)| first_bad(&m, wanted.fractions))
                .map(|b| b.map(|(cell, gene, v)| (cell, f.columns.get(gene).copied().unwrap_or(gene), v))),
        };
        match bad {
            Ok(Some((cell, gene, value))) => {
                let advice =
                    format!("it holds {}; {}", best.looks.words, advice(Some(best), wanted, elsewhere));
                return at(dataset, (&best.place, best.of.var), (cell, gene, value), advice);
            }
            Err(source) => return CountsError::Data { place: best.place.clone(), source },
            Ok(None) => {}
        }
    }
    let found: Vec<String> = all.iter().map(|s| format!("{} holds {}", s.place, s.looks.words)).collect();
    CountsError::NotCounts { found: found.join(", "), advice: advice(Some(best), wanted, elsewhere) }
}

/// How near a matrix is to counts.
fn nearness(seen: &&Seen) -> u8 {
    match seen.looks.guess.as_str() {
        "not_finite" => 5,
        "fractional_counts" => 4,
        "whole_numbers" => 3,
        "linear" if seen.sample.least() >= 0.0 => 2,
        "empty" => 0,
        _ => 1,
    }
}

/// The error of one value.
pub(super) fn at(
    dataset: &Dataset,
    (place, var): (&Place, &Frame),
    (cell, gene, value): (usize, usize, f64),
    advice: String,
) -> CountsError {
    let name = |of: &Frame, i: usize| of.index.get(i).map_or_else(|| i.to_string(), |n| n.into_owned());
    let (cell, gene) = (name(&dataset.obs, cell), name(var, gene));
    CountsError::Value { place: place.clone(), cell, gene, value, advice }
}

/// Where values that are no counts come from, and what helps: of a matrix in sight, or of a value further on in it.
pub(super) fn source_of(value: f64, looks_whole: bool) -> &'static str {
    match () {
        () if !value.is_finite() => {
            "such values are no counts: mend the file, or take the one it was made from"
        }
        () if value < 0.0 && value.fract() == 0.0 => {
            "counts are never negative; CellBender 0.3.0 and 0.3.1 left such values (0.3.2 does not): run it again, or take \
             the matrix it started from"
        }
        () if value < 0.0 => {
            "values below zero are z-scores or residuals: take the file as it was before scaling"
        }
        () if value.fract() != 0.0 && looks_whole => {
            "SoupX, CellBender and EM quantification (alevin-fry, STARsolo, RSEM, kallisto) leave fractions beside whole \
             numbers: --round takes the nearest whole numbers"
        }
        () => "take the file with the raw counts",
    }
}

fn advice(seen: Option<&Seen>, wanted: &Wanted, elsewhere: Option<Place>) -> String {
    let advice = match seen.map(|s| (s, s.looks.guess.as_str())) {
        None | Some((_, "empty")) => "give a file with raw counts",
        Some((s, _)) if s.cytometry => {
            "channels of cytometry hold intensities, no counts: give a file with raw counts"
        }
        Some((_, "not_finite")) => source_of(f64::NAN, true),
        Some((_, "whole_numbers")) => source_of(-1.0, true),
        Some((s, "fractional_counts" | "linear")) if s.sample.least() >= 0.0 => match wanted.fractions {
            Fractions::Refused => source_of(0.5, true),
            _ => "take the file with the raw counts",
        },
        Some((_, "log1p" | "arcsinh")) => {
            "a logarithm cannot be rounded back to counts: take the file as it was before log1p"
        }
        Some((_, "normalised" | "fractions")) => {
            "normalised values cannot be rounded back to counts: take the file as it was before"
        }
        Some((_, "scaled" | "linear")) => source_of(-0.5, false),
        Some(_) => "take the file with the raw counts",
    };
    match elsewhere {
        Some(place) => format!("{place} holds raw counts: --layer {}", place.option()),
        None => advice.into(),
    }
}

/// Another matrix of the data set that holds counts.
fn elsewhere(dataset: &Dataset, seen: &[Seen]) -> Option<Place> {
    let layers = dataset.layers.keys().map(|name| Place::Layer(name.clone()));
    let mut all = layers.chain([Place::Raw, Place::X]).filter(|p| seen.iter().all(|s| s.place != *p));
    all.find(|p| {
        let looks = chosen(dataset, p).ok().and_then(|of| of.matrix.looks().ok());
        looks.is_some_and(|l| l.guess == "raw_counts")
    })
}

/// Row, column and value.
type Bad = (usize, usize, f64);

/// The first value that is no count.
fn first_bad(matrix: &Matrix, fractions: Fractions) -> Result<Option<Bad>, DataError> {
    let mut bad: Option<Bad> = None;
    let walked = matrix.stream(64 << 20, &mut |first, block| {
        each(&block, &mut |row, column, value| {
            if bad.is_none() && !is_count(value, fractions != Fractions::Refused) {
                bad = Some((first + row, column, value));
            }
        });
        if bad.is_some() { Err(DataError::Invalid { what: "found".into() }) } else { Ok(()) }
    });
    match bad {
        Some(bad) => Ok(Some(bad)),
        None => walked.map(|()| None),
    }
}

/// Whether a value is a count, or may be rounded to one.
pub(super) fn is_count(value: f64, fractions: bool) -> bool {
    value >= 0.0 && value <= f64::from(u32::MAX) && (fractions || value.fract() == 0.0)
}

/// Every stored value of a block with its row and column.
fn each(block: &Block, see: &mut dyn FnMut(usize, usize, f64)) {
    match block {
        Block::Dense(d) => {
            let columns = d.shape().1.max(1);
            d.values().iter().enumerate().for_each(|(i, v)| see(i / columns, i % columns, v));
        }
        Block::Csr(s) => {
            let mut values = s.values().iter();
            for (row, w) in s.indptr().windows(2).enumerate() {
                for i in w[0] as usize..w[1] as usize {
                    if let (Some(&column), Some(v)) = (s.indices().get(i), values.next()) {
                        see(row, column as usize, v);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
