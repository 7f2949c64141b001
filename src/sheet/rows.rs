//! What a sheet says of each file.

use std::path::PathBuf;

/// A sample sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// Where it is.
    pub path: PathBuf,
    /// One row a file.
    pub rows: Vec<SheetRow>,
}

/// What a sheet says of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct SheetRow {
    /// Line of the sheet, from 1.
    pub line: u64,
    /// The file.
    pub file: PathBuf,
    /// The run (batch) it was measured in; empty when the sheet has no such column.
    pub run: String,
    /// Whether it is the control that was measured in every run.
    pub control: bool,
    /// Whether it is a second control, which only the score may look at.
    pub holdout: bool,
    /// The sample it is of, where the sheet says so.
    pub sample: Option<String>,
    /// The group (condition) of its donor or sample, where the sheet says so.
    pub group: Option<String>,
    /// The panel file that holds for it.
    pub panel: Option<PathBuf>,
    /// Divides its values before arcsinh.
    pub cofactor: Option<f64>,
    /// What becomes columns of obs: sample, donor, group, and all columns scx gives no meaning, by name.
    pub obs: Vec<(String, String)>,
}

impl Sheet {
    /// Names of the runs, in the order of the sheet.
    pub fn runs(&self) -> Vec<&str> {
        let mut runs = Vec::new();
        for row in &self.rows {
            if !runs.contains(&row.run.as_str()) {
                runs.push(&row.run);
            }
        }
        runs
    }

    /// Groups that have no run in common with another group, so that their difference cannot be told from that of the runs:
    /// (group, its runs). Empty when there is one group, or every run holds several.
    pub fn confounded(&self) -> Vec<(String, Vec<String>)> {
        let mut groups: Vec<(String, Vec<String>)> = Vec::new();
        for row in self.rows.iter().filter(|r| !r.control && !r.holdout) {
            let Some(group) = &row.group else { continue };
            let at = groups.iter().position(|g| g.0 == *group).unwrap_or_else(|| {
                groups.push((group.clone(), Vec::new()));
                groups.len() - 1
            });
            if !groups[at].1.contains(&row.run) {
                groups[at].1.push(row.run.clone());
            }
        }
        if groups.len() < 2 {
            return Vec::new();
        }
        let alone = |i: usize| {
            let others = groups.iter().enumerate().filter(|(j, _)| *j != i);
            others.flat_map(|(_, g)| &g.1).all(|run| !groups[i].1.contains(run))
        };
        let marked: Vec<bool> = (0..groups.len()).map(alone).collect();
        groups.into_iter().zip(marked).filter(|(_, alone)| *alone).map(|(g, _)| g).collect()
    }
}
