//! How a loss report looks.

use std::fmt::Write;

use crate::cli::kit::console::Console;
use crate::cli::kit::show::{bytes, thousands};
use crate::io::loss::{ElementKind, Loss, LossReport};
use crate::io::{CODECS, OutputPlan};

/// What is lost, and what changed on the way here, one line each on stderr.
pub(in crate::cli) fn say(report: &LossReport, console: &Console) {
    for row in report.rows.iter().filter(|r| r.fate.loses() || r.kind.is_empty()) {
        console.say(&line(row));
    }
}

/// The same of many outputs, each line once with the number of outputs it holds for.
pub(in crate::cli) fn say_merged(plans: &[OutputPlan], console: &Console) {
    let mut lines: Vec<(String, usize)> = Vec::new();
    for plan in plans {
        for row in plan.losses.rows.iter().filter(|r| r.fate.loses() || r.kind.is_empty()) {
            let text = line(row);
            match lines.iter_mut().find(|l| l.0 == text) {
                Some(known) => known.1 += 1,
                None => lines.push((text, 1)),
            }
        }
    }
    for (text, n) in lines {
        let of =
            if n == plans.len() { "every output".into() } else { format!("{n} of {} outputs", plans.len()) };
        console.say(&format!("{text} (in {of})"));
    }
}

/// What writing many outputs would take, and what would be lost in them.
pub(in crate::cli) fn plan_merged(plans: &[OutputPlan]) -> String {
    let out: u64 = plans.iter().map(|p| p.estimate.output_bytes).sum();
    let mut text = format!("write {} files, at most {} in all\n", plans.len(), bytes(out));
    for plan in plans {
        for row in plan.losses.lost() {
            let _ = writeln!(text, "{}: {}", plan.target.path.display(), line(row).trim_start());
        }
    }
    text
}

fn line(row: &Loss) -> String {
    let kind = if row.kind.is_empty() { String::new() } else { format!(" ({})", row.kind) };
    format!("  {}: {}{kind}", row.element, row.fate.words())
}

/// What writing would do and take: every element with its size and fate as a table, then sizes, memory and time.
pub(in crate::cli) fn plan(plan: &OutputPlan) -> String {
    let e = &plan.estimate;
    let time = match e.seconds {
        s if s < 1.0 => "under a second".into(),
        s if s < 120.0 => format!("about {s:.0} s"),
        s => format!("about {:.0} min", s / 60.0),
    };
    let input =
        if e.input_bytes > 0 { format!("{} on disk in, ", bytes(e.input_bytes)) } else { String::new() };
    format!(
        "write {} ({}):\n{}  {input}at most {} out, at most {} of memory, {time}\n",
        plan.target.path.display(),
        plan.target.format.name(),
        table(&plan.losses),
        bytes(e.output_bytes),
        bytes(e.memory_bytes)
    )
}

/// That an output is written, and how large it is.
pub(in crate::cli) fn wrote(plan: &OutputPlan) -> String {
    let (n, g) = plan.shape;
    format!("wrote {}: {} cells × {} variables", plan.target.path.display(), thousands(n), thousands(g))
}

/// Every element with its size and fate, as a table.
fn table(report: &LossReport) -> String {
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
    text
}

/// The whole table of losses as Markdown: `scx help losses`.
pub(in crate::cli) fn rules() -> String {
    let mut text = String::from("| element |");
    for c in CODECS {
        let _ = write!(text, " {} |", c.name);
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(CODECS.len()));
    text.push('\n');
    for kind in ElementKind::all() {
        let _ = write!(text, "| {} |", kind.words());
        for c in CODECS {
            let _ = write!(text, " {} |", c.entry(kind).words());
        }
        text.push('\n');
    }
    text
}
