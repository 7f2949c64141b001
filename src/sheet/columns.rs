//! Which column of a sheet is what. Case, spaces and punctuation in the names do not matter.

use std::path::Path;

use super::error::SheetError;
use crate::data::did_you_mean;
use crate::io::TextTable;

/// What scx asks a sheet for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    File,
    Run,
    Control,
    Holdout,
    Sample,
    Donor,
    Group,
    Panel,
    Cofactor,
}

/// The names each column may have, the first of which is the usual one.
const NAMES: &[(Role, &[&str])] = &[
    (Role::File, &["file", "filename", "path", "filepath"]),
    (Role::Run, &["run", "batch", "runid", "batchid"]),
    (Role::Control, &["control", "iscontrol", "spikein", "isspikein", "anchor", "isanchor"]),
    (Role::Holdout, &["holdout", "isholdout"]),
    (Role::Sample, &["sample", "sampleid", "samplename"]),
    (Role::Donor, &["donor", "donorid", "patient", "patientid"]),
    (Role::Group, &["group", "condition"]),
    (Role::Panel, &["panel"]),
    (Role::Cofactor, &["cofactor"]),
];

/// The columns of a sheet.
#[derive(Debug)]
pub(super) struct Columns {
    found: Vec<(Role, usize)>,
    /// Columns that scx gives no meaning: they become columns of obs.
    pub(super) others: Vec<usize>,
}

fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Columns {
    /// Finds the columns of a table.
    ///
    /// # Errors
    /// [`SheetError::Missing`] when there is no column of files, or two columns are the same thing.
    pub(super) fn of(path: &Path, table: &TextTable) -> Result<Self, SheetError> {
        let mut columns = Self { found: Vec::new(), others: Vec::new() };
        for (i, name) in table.header.iter().enumerate() {
            let name = folded(name);
            let role = NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(role, _)| *role);
            let Some(role) = role else {
                columns.others.push(i);
                continue;
            };
            if let Some(first) = columns.at(role) {
                let [a, b] = [first, i].map(|i| table.header[i].as_str());
                let what = format!("the columns {a} and {b} mean the same; remove or rename one of them");
                return Err(SheetError::missing(path, what));
            }
            columns.found.push((role, i));
        }
        columns.need(Role::File, path, table)?;
        Ok(columns)
    }

    /// Where the column is.
    pub(super) fn at(&self, role: Role) -> Option<usize> {
        self.found.iter().find(|f| f.0 == role).map(|f| f.1)
    }

    /// Where a column is that must be there.
    ///
    /// # Errors
    /// [`SheetError::Missing`] with the columns there are.
    pub(super) fn need(&self, role: Role, path: &Path, table: &TextTable) -> Result<usize, SheetError> {
        self.at(role).ok_or_else(|| SheetError::missing(path, missing(role, &table.header)))
    }
}

/// What to say of a column that is not there.
pub(super) fn missing(role: Role, header: &[String]) -> String {
    let names = NAMES.iter().find(|n| n.0 == role).map_or(&[][..], |n| n.1);
    let name = names.first().copied().unwrap_or_default();
    let also = names.get(1).map_or_else(String::new, |n| format!(" (or {n})"));
    let there = header.iter().map(String::as_str);
    let hint = did_you_mean(name, there.clone());
    format!("there is no column {name}{also}{hint}; columns: {}", there.collect::<Vec<_>>().join(", "))
}
