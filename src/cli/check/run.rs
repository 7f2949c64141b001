//! `scx check`.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::check::CheckArgs;
use crate::cli::kit::apart;
use crate::cli::kit::error::CliError;
use crate::cli::kit::process::print;
use crate::io::{CheckReport, Level};

/// Seconds a quick look may take.
const QUICK: u64 = 60;
/// Bytes a deep look surely reads in a second.
const SLOWEST: u64 = 4 << 20;

/// Runs the verb: one file after the other, then the exit code says how the worst of them fared.
pub(in crate::cli) fn run(args: &CheckArgs) -> Result<(), CliError> {
    let (mut shown, mut formats) = (Vec::new(), Vec::new());
    let (mut faulty, mut failed) = (0usize, None);
    for path in &args.files {
        let found = apart::check(path, &args.reading, args.deep, limit(args, path));
        let fine = match &found {
            Ok(report) => !report.faulty(),
            Err(_) => true,
        };
        faulty += usize::from(!fine);
        formats.extend(found.as_ref().ok().map(|report| report.format.clone()));
        if args.json {
            shown.push(describe(path, &found));
        } else if let Ok(report) = &found {
            print(&text(path, report))?;
        }
        if let Err(e) = found {
            if !matches!(e.code(), 3 | 5) {
                return Err(e);
            }
            if args.files.len() > 1 {
                crate::cli::kit::console::line(&format!("error: {e}"));
            }
            failed = Some(e);
        }
    }
    if args.json {
        let all = json!({"schema_version": 1, "verb": "check", "deep": args.deep, "files": shown});
        print(&(all.to_string() + "\n"))?;
    }
    args.reading.warn_idle_in(&formats);
    match failed {
        Some(e) if args.files.len() == 1 => Err(e),
        Some(_) => Err(CliError::input("some files could not be opened (see above)")),
        None if faulty > 0 => {
            Err(CliError::findings(format!("{faulty} of {} files have faults", args.files.len())))
        }
        None => Ok(()),
    }
}

fn limit(args: &CheckArgs, path: &Path) -> Option<Duration> {
    let bytes = std::fs::metadata(path).map_or(0, |m| m.len());
    let usual = QUICK + if args.deep { bytes / SLOWEST } else { 0 };
    Some(args.timeout.unwrap_or(usual)).filter(|s| *s > 0).map(Duration::from_secs)
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Fault => "fault",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}

fn text(path: &Path, report: &CheckReport) -> String {
    let mut out = String::new();
    let count = |level| report.findings.iter().filter(|f| f.level == level).count();
    let verdict = match count(Level::Fault) {
        0 => "ok".to_owned(),
        1 => "1 fault".to_owned(),
        n => format!("{n} faults"),
    };
    let how = if report.deep { ", every byte read" } else { "" };
    let _ =
        writeln!(out, "{}: {} {verdict} ({} elements{how})", path.display(), report.format, report.elements);
    for f in &report.findings {
        let _ = writeln!(out, "  {}: {}: {}", word(f.level), f.element, f.what);
        if f.level != Level::Note {
            let _ = writeln!(out, "    → {}", f.advice);
        }
    }
    out
}

fn describe(path: &Path, found: &Result<CheckReport, CliError>) -> Value {
    let name = path.display().to_string();
    match found {
        Ok(r) => json!({
            "path": name,
            "format": r.format,
            "ok": !r.faulty(),
            "opened": true,
            "elements": r.elements,
            "findings": r.findings,
        }),
        Err(e) => json!({"path": name, "ok": false, "opened": false, "error": e.to_string()}),
    }
}
