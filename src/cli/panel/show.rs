//! What `panel` prints for people.

use std::fmt::Write;

use crate::panel::{FirstPanel, FirstRow};

/// Widest cell of the table.
const WIDEST: usize = 24;
/// Files whose stains are shown side by side.
const FILES: usize = 6;

/// The table, what the files do not agree on, and what to do.
pub(in crate::cli) fn text(panel: &FirstPanel, output: Option<&str>) -> String {
    let markers = panel.rows.iter().filter(|r| r.is_marker).count();
    let conflicts = panel.rows.iter().filter(|r| !r.conflicts.is_empty()).count();
    let mut out = String::new();
    let _ = writeln!(
        out,
        "panel of {} files: {} lines, {markers} of them markers (*), {conflicts} with a conflict (!); – no such channel, \
         · no stain of this line",
        panel.files.len(),
        panel.rows.len(),
    );
    let shown = panel.files.len().min(FILES);
    for (i, file) in panel.files.iter().take(shown).enumerate() {
        let _ = writeln!(out, "  {}: {file}", i + 1);
    }
    if shown < panel.files.len() {
        let _ = writeln!(
            out,
            "  and {} more (all of them with -o PANEL.csv or --json)",
            panel.files.len() - shown
        );
    }
    let mut rows: Vec<Vec<String>> = vec![head(shown)];
    rows.extend(panel.rows.iter().map(|r| line(r, shown)));
    let width = |c: usize| rows.iter().filter_map(|r| r.get(c)).map(|s| s.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..shown + 4).map(width).collect();
    for row in &rows {
        let mut text = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "{cell}{}  ", " ".repeat(width.saturating_sub(cell.chars().count())));
        }
        let _ = writeln!(out, "  {}", text.trim_end());
    }
    if let Some(output) = output {
        let _ = writeln!(out, "wrote {output}; edit it, and give it to scx correct with --panel {output}");
    }
    if conflicts > 0 {
        out.push_str(
            "A line with a conflict is left uncorrected. If a file does carry that marker there, write its name into the \
             file's column of the table.\n",
        );
    }
    out
}

fn head(files: usize) -> Vec<String> {
    let start = ["  channel", "marker"].map(str::to_owned).into_iter();
    start.chain((1..=files).map(|i| i.to_string())).chain(["".into(), "".into()]).collect()
}

fn line(row: &FirstRow, files: usize) -> Vec<String> {
    let cut = |s: &str| s.chars().take(WIDEST).collect::<String>();
    let mark = match (row.conflicts.is_empty(), row.is_marker) {
        (false, _) => "!",
        (true, true) => "*",
        (true, false) => " ",
    };
    let cell = |s: &Option<String>| match s.as_deref() {
        None => "–".to_owned(),
        Some("") => "·".to_owned(),
        Some(stain) => cut(stain),
    };
    let start = [format!("{mark} {}", cut(&row.channel)), cut(&row.marker)].into_iter();
    let note = row.reason.map(|r| r.words().to_owned()).unwrap_or_default();
    start.chain(row.stains.iter().take(files).map(cell)).chain([note, row.conflicts.join("; ")]).collect()
}
