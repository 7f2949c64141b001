//! Looking for faults in an FCS file, element by element.

use std::path::Path;
use std::sync::Arc;

use super::chain::{self, Parts};
use super::order::ByteOrder;
use super::source::Events;
use super::store::Store;
use super::text::Keywords;
use super::{channel, spillover, var};
use crate::data::{Matrix, amplifiers};
use crate::io::check::values;
use crate::io::{CheckReport, Level, ReadError, ReadOptions};

/// Looks for faults in every data set, or in the one `options` name: HEADER, keywords, every channel, byte order and
/// number of events, where the segments lie, whether spillover and amplifiers can be made sense of; all events when the
/// check is deep.
///
/// # Errors
/// [`ReadError`] when the file cannot be opened, is no FCS, or of a kind scx does not read.
pub fn check(path: &Path, options: &ReadOptions, report: &mut CheckReport) -> Result<(), ReadError> {
    let store = match Store::open(path, options) {
        Ok(store) => store,
        Err(e) => return told(e, report),
    };
    let count = chain::count(path, &store, options)?;
    let sets = options.data_set.map_or(1..=count, |n| n..=n);
    for n in sets {
        let before = report.findings.len();
        data_set(path, &store, &ReadOptions { data_set: Some(n), ..options.clone() }, report)?;
        if count > 1 {
            report.findings[before..]
                .iter_mut()
                .for_each(|f| f.element = format!("data set {n}: {}", f.element));
        }
    }
    Ok(())
}

fn data_set(
    path: &Path,
    store: &Store,
    options: &ReadOptions,
    report: &mut CheckReport,
) -> Result<(), ReadError> {
    let (_, keywords) = match chain::keywords(path, store, options) {
        Ok(found) => found,
        // Without keywords there is nothing else to look at.
        Err(e) => return told(e, report),
    };
    report.elements += keywords.pairs().len();
    statements(path, &keywords, report);
    let parts = match chain::open(path, store, options) {
        Ok(parts) => parts,
        Err(e) => return told(e, report),
    };
    report.elements += parts.layout.channels.len() + 1;
    segments(&parts, report);
    for left in parts.left.iter().filter(|l| l.element == "ANALYSIS") {
        report.add(Level::Warning, &left.element, left.words(), "nothing, unless you need it: keep the file");
    }
    let var = var::var(path, &parts.layout.channels);
    let uses =
        [("spillover", spillover(parts.keywords.pairs()).map(drop)), ("$PnE", amplifiers(&var).map(drop))];
    for (element, done) in uses {
        if let Err(e) = done {
            report.add(Level::Warning, element, e.to_string(), "nothing, unless it is to be applied");
        }
    }
    if report.deep {
        let events = Events::new(path.to_owned(), parts, options.limits)?;
        values("DATA", &Matrix::OnDisk(Arc::new(events)), options, report);
    }
    Ok(())
}

/// A fault of the file goes into the report; what cannot be opened or read at all is an error.
fn told(e: ReadError, report: &mut CheckReport) -> Result<(), ReadError> {
    match e {
        ReadError::Malformed { .. } | ReadError::TooLarge { .. } => {
            report.refused("file", &e);
            Ok(())
        }
        e => Err(e),
    }
}

/// Every keyword that says how DATA is to be read.
fn statements(path: &Path, keywords: &Keywords, report: &mut CheckReport) {
    for e in channel::faults(path, keywords) {
        report.refused("TEXT", &e);
    }
    let text = keywords.trimmed("$DATATYPE").is_some_and(|t| t.eq_ignore_ascii_case("A"));
    let order = if text { Ok(()) } else { ByteOrder::parse(path, keywords).map(drop) };
    let numbers = ["$PAR", "$TOT", "$NEXTDATA"];
    let numbers = numbers.map(|key| keywords.integer(path, key).map(drop));
    for e in std::iter::once(order).chain(numbers).filter_map(Result::err) {
        // What reading refuses outright is told once, with the words of reading.
        if matches!(e, ReadError::Malformed { .. }) {
            report.refused("TEXT", &e);
        }
    }
}

/// Segments lie apart, and inside the file.
fn segments(parts: &Parts, report: &mut CheckReport) {
    let Parts { header, layout, store, .. } = parts;
    let file_len = store.len();
    let (text, data) = (header.text, layout.begin..layout.begin + layout.len);
    // Only the first data set counts from the beginning of the file.
    let first = data.start >= text.begin && data.end <= file_len;
    if first && data.start <= text.end && !data.is_empty() {
        let what =
            format!("DATA begins at byte {}, inside TEXT (bytes {} to {})", data.start, text.begin, text.end);
        report.add(
            Level::Warning,
            "HEADER",
            what,
            "nothing, if the values make sense; else export the file again",
        );
    }
    let analysis = header.analysis;
    if analysis.begin != 0 && analysis.end >= file_len {
        let what = format!(
            "is said to lie in bytes {} to {}, the file has {file_len}",
            analysis.begin, analysis.end
        );
        report.add(Level::Warning, "ANALYSIS", what, "nothing: it is not read");
    }
}
