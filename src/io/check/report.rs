//! What a check finds.

use super::values::{Found, Spot};
use crate::data;
use serde::{Deserialize, Serialize};

use crate::data::{Names, Repeats};
use crate::io::error::ReadError;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The file breaks a rule of its format, or scx cannot read a part of it.
    Fault,
    /// Allowed, but it makes trouble later.
    Warning,
    /// Worth knowing.
    Note,
}

/// One thing found in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// The element, keyword or part of the file.
    pub element: String,
    /// Where in the element, where it can be told.
    pub position: Option<String>,
    /// What was found and what was expected.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

/// What was found in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// The format, by the name people use.
    pub format: String,
    /// Whether every byte of every array was read.
    pub deep: bool,
    /// Elements looked at.
    pub elements: usize,
    /// Everything found, in the order of the file.
    pub findings: Vec<Finding>,
}

/// What to do about a part that cannot be read.
const COPY: &str =
    "copy or download the file again; if it stays so, write it anew with the program that made it";

impl CheckReport {
    /// Whether there is a fault.
    pub fn faulty(&self) -> bool {
        self.findings.iter().any(|f| f.level == Level::Fault)
    }

    /// Adds a warning where values of a matrix are no finite numbers; `words` say where one lies.
    pub(in crate::io) fn not_finite(&mut self, at: &str, found: &Found, words: impl Fn(&Spot) -> String) {
        let Some(spot) = &found.odd else { return };
        let value = data::not_finite(spot.value).unwrap_or("NaN");
        let what = format!(
            "{value} at {}; {} NaN and {} infinite among {}",
            words(spot),
            found.nan,
            found.infinite,
            found.words()
        );
        let advice = "most methods refuse them: set them to 0, or take out these cells or variables";
        self.add(Level::Warning, at, what, advice);
    }

    /// Adds a finding.
    pub(in crate::io) fn add(&mut self, level: Level, element: &str, what: impl Into<String>, advice: &str) {
        let what = what.into();
        let found = Finding {
            level,
            element: element.into(),
            position: position(&what),
            what,
            advice: advice.into(),
        };
        // One fault may show in several places of the code.
        if !self.findings.contains(&found) {
            self.findings.push(found);
        }
    }

    /// Adds a fault of an element.
    pub(in crate::io) fn fault(&mut self, element: &str, what: impl Into<String>) {
        self.add(Level::Fault, element, what, COPY);
    }

    /// Warns of names that come again in a table.
    pub(in crate::io) fn duplicates(&mut self, element: &str, names: &Names) {
        if let Some(Repeats { count, name, earlier, row }) = names.repeats() {
            let what = format!("{count} names come again: {name:?} names row {earlier} and row {row}");
            let advice = "make names unique (in scanpy: obs_names_make_unique, var_names_make_unique)";
            self.add(Level::Warning, element, what, advice);
        }
    }

    /// Adds what a reader refused; `element` is where it happened, unless the error knows better.
    pub(in crate::io) fn refused(&mut self, element: &str, e: &ReadError) {
        match e {
            // A message that says what to do needs no other advice.
            ReadError::Malformed { at, what, .. } if what.contains("(in Python: ") => {
                self.add(Level::Fault, at, what.clone(), "do as the message says");
            }
            ReadError::Malformed { at, what, .. } => self.fault(at, what.clone()),
            ReadError::Unsupported { what, .. } => {
                self.add(
                    Level::Fault,
                    element,
                    format!("unsupported: {what}"),
                    "the file may be sound; scx cannot read this part",
                );
            }
            ReadError::TooLarge { at, asked, limit, .. } => {
                self.fault(at, format!("asks for {asked} bytes, the limit is {limit}"));
            }
            e => self.fault(element, e.to_string()),
        }
    }
}

/// The place a message names: `entry 3`, `position 5`, `row 7`.
fn position(what: &str) -> Option<String> {
    ["entry ", "position ", "row "].into_iter().find_map(|word| {
        let rest = what.split_once(word)?.1;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        (!digits.is_empty()).then(|| format!("{word}{digits}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_taken_from_the_message() {
        assert_eq!(position("index 5 at position 17 is outside 0..5").as_deref(), Some("position 17"));
        assert_eq!(position("code 7 but only 2 categories (row 4)").as_deref(), Some("row 4"));
        assert_eq!(position("rows and entry points"), None);
    }
}
