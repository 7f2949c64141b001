//! Which channels are in which FCS file.

use std::collections::HashSet;
use std::fmt::Write;

use crate::cli::kit::error::CliError;
use crate::concat::Piece;
use crate::io::Format;

/// Channels listed in a message at most.
const MOST: usize = 30;

/// Cytometry files of different panels are joined only when asked how: a missing channel is a missing measurement.
///
/// # Errors
/// [`CliError`] with the channels that are not in all files.
pub(in crate::cli) fn check(pieces: &[(Format, Piece)]) -> Result<(), CliError> {
    if !pieces.iter().all(|(format, _)| format.codec().panels) {
        return Ok(());
    }
    let panels: Vec<HashSet<String>> =
        pieces.iter().map(|(_, p)| p.dataset.var.index.iter().map(|n| n.into_owned()).collect()).collect();
    let mut seen = HashSet::new();
    let differing: Vec<String> = pieces
        .iter()
        .flat_map(|(_, p)| p.dataset.var.index.iter().map(|n| n.into_owned()))
        .filter(|n| !panels.iter().all(|p| p.contains(n)) && seen.insert(n.clone()))
        .collect();
    if differing.is_empty() {
        return Ok(());
    }
    let width = differing.iter().take(MOST).map(|n| n.chars().count()).max().unwrap_or(0);
    let mut text = String::from("the files have different panels; channels by file (x: there):\n");
    for (i, (_, piece)) in pieces.iter().enumerate() {
        let _ = writeln!(text, "  file {}: {}", i + 1, piece.file);
    }
    let numbers: Vec<String> = (1..=pieces.len()).map(|i| format!("{i:>3}")).collect();
    let _ = writeln!(text, "  {:width$}{}", "", numbers.join(""));
    for name in differing.iter().take(MOST) {
        let marks: String = panels.iter().map(|p| if p.contains(name) { "  x" } else { "  –" }).collect();
        let _ = writeln!(text, "  {name:width$}{marks}");
    }
    if differing.len() > MOST {
        let _ = writeln!(text, "  and {} more", differing.len() - MOST);
    }
    text.push_str(
        "take the common channels with --join inner, or all with --join outer (NaN where not measured)",
    );
    Err(CliError::usage(text))
}
