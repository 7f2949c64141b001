//! Looking for faults, whatever the format.

use std::path::Path;

use super::arrays::{self, storage};
use super::remarks;
use super::report::{CheckReport, Level};
use crate::data::{Block, Matrix};
use crate::io::detect::detect;
use crate::io::error::ReadError;
use crate::io::is_hdf5;
use crate::io::options::ReadOptions;

/// Looks for faults in a file; `deep` reads every byte of every array.
///
/// # Errors
/// [`ReadError`] when the file cannot even be opened.
pub fn check(path: &Path, options: &ReadOptions, deep: bool) -> Result<CheckReport, ReadError> {
    let mut report = CheckReport { deep, ..CheckReport::default() };
    // What readers only warn of is a finding here.
    let (done, remarks) = remarks::collect(|| {
        let codec = detect(path)?;
        report.format = codec.format.name().into();
        match codec.check {
            Some(check) => check(path, options, &mut report),
            None => by_reading(path, options, codec.read, &mut report),
        }
    });
    done?;
    let name = format!("{}: ", path.display());
    for remark in remarks {
        let text = remark.strip_prefix(&name).unwrap_or(&remark);
        let (element, what) = text.split_once(": ").unwrap_or(("file", text));
        report.add(Level::Warning, element, what, "nothing, unless it surprises you");
    }
    report.findings.sort_by_key(|f| f.level);
    Ok(report)
}

type Read = fn(&Path, &ReadOptions) -> Result<crate::data::Dataset, ReadError>;

/// For formats without a check of their own: what reading finds.
fn by_reading(
    path: &Path,
    options: &ReadOptions,
    read: Read,
    report: &mut CheckReport,
) -> Result<(), ReadError> {
    if is_hdf5(path) {
        storage(path, options, report)?;
    }
    let d = match read(path, options) {
        Ok(d) => d,
        Err(e @ (ReadError::Malformed { .. } | ReadError::TooLarge { .. })) => {
            report.refused("file", &e);
            return Ok(());
        }
        Err(e) => return Err(e),
    };
    let layers = d.layers.iter().map(|(k, m)| (format!("layers/{k}"), m));
    for (name, m) in d.x.iter().map(|x| ("X".to_owned(), x)).chain(layers) {
        report.elements += 1;
        if report.deep {
            values(&name, m, options, report);
        }
    }
    report.elements += d.obs.columns.len() + d.var.columns.len() + 2;
    Ok(())
}

/// Reads a matrix from end to end.
pub(in crate::io) fn values(name: &str, m: &Matrix, options: &ReadOptions, report: &mut CheckReport) {
    let mut odd = arrays::NonFinite::default();
    let done = m.stream(options.memory, &mut |_, block| {
        match &block {
            Block::Dense(d) => odd.look(d.values()),
            Block::Csr(s) => odd.look(s.values()),
        }
        Ok(())
    });
    if let Err(e) = done {
        let cause = std::error::Error::source(&e).and_then(|s| s.downcast_ref::<ReadError>());
        match cause {
            Some(e) => report.refused(name, e),
            None => report.fault(name, e.to_string()),
        }
    }
    odd.tell(name, report);
}
