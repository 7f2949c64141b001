//! How a loss report looks.

use std::fmt::Write;

use crate::cli::kit::console::Console;
use crate::cli::kit::show::bytes;
use crate::io::CODECS;
use crate::io::loss::{LossReport, RULES};

/// What is not simply kept, one line each on stderr.
pub(in crate::cli) fn say(report: &LossReport, left: &[String], console: &Console) {
    for line in left {
        console.say(&format!("  left behind  {line}"));
    }
    for row in report.rows.iter().filter(|r| r.fate.loses()) {
        console.say(&format!("  {}: {} ({})", row.element, row.fate.words(), row.kind));
    }
}

/// Every element with its size and fate, as a table.
pub(in crate::cli) fn table(report: &LossReport, left: &[String]) -> String {
    let rows: Vec<[String; 4]> = report
        .rows
        .iter()
        .map(|r| [r.element.clone(), r.kind.clone(), bytes(r.bytes), r.fate.words()])
        .collect();
    let width = |i: usize| rows.iter().map(|r| r[i].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut text = String::new();
    for [element, kind, size, fate] in &rows {
        let _ = writeln!(
            text,
            "  {element:<0$}  {kind:<1$}  {size:>2$}  {fate}",
            widths[0], widths[1], widths[2]
        );
    }
    for line in left {
        let _ = writeln!(text, "  left behind: {line}");
    }
    text
}

/// The whole table of rules as Markdown: `scx help losses`.
pub(in crate::cli) fn rules() -> String {
    let mut text = String::from("| element |");
    for c in CODECS {
        let _ = write!(text, " {} |", c.format.name());
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(CODECS.len()));
    text.push('\n');
    for rule in RULES {
        let _ = write!(text, "| {} |", rule.words);
        for c in CODECS {
            let _ = write!(text, " {} |", rule.of(c.format).words());
        }
        text.push('\n');
    }
    text
}
