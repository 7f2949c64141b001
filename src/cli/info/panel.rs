//! Several FCS files side by side: which channel carries which marker in which file.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::io::Outline;

/// Widest column of the table.
const WIDEST: usize = 24;

/// Channels × files.
#[derive(Debug, Default)]
pub(in crate::cli) struct Panel {
    files: Vec<String>,
    /// `$PnN`, in the order of the first file that has it, and the `$PnS` of each file.
    channels: Vec<(String, Vec<Option<String>>)>,
    place: HashMap<String, usize>,
}

impl Panel {
    /// Adds a file, when its format has channels.
    pub(in crate::cli) fn add(&mut self, path: &Path, o: &Outline) {
        let Some(stains) = &o.stains else { return };
        let file = self.files.len();
        self.files.push(path.display().to_string());
        for (i, name) in o.var_names.iter().enumerate() {
            let at = *self.place.entry(name.clone()).or_insert_with(|| {
                self.channels.push((name.clone(), Vec::new()));
                self.channels.len() - 1
            });
            if let Some((_, row)) = self.channels.get_mut(at) {
                row.resize(file, None);
                row.push(Some(stains.get(i).cloned().unwrap_or_default()));
            }
        }
        for (_, row) in &mut self.channels {
            row.resize(file + 1, None);
        }
    }

    /// Whether a channel is called the same in all files.
    fn same(row: &[Option<String>]) -> bool {
        row.windows(2).all(|w| w[0] == w[1])
    }

    /// The table for people; empty for fewer than two files.
    pub(in crate::cli) fn text(&self) -> String {
        let mut out = String::new();
        if self.files.len() < 2 {
            return out;
        }
        let differ = self.channels.iter().filter(|(_, row)| !Self::same(row)).count();
        let _ = writeln!(
            out,
            "panel of {} files: {} channels, {differ} not the same in all (!); – no such channel, · no marker",
            self.files.len(),
            self.channels.len()
        );
        for (i, file) in self.files.iter().enumerate() {
            let _ = writeln!(out, "  {}: {file}", i + 1);
        }
        let cut = |s: &str| s.chars().take(WIDEST).collect::<String>();
        let mut rows = vec![
            std::iter::once("  channel".to_owned())
                .chain((1..=self.files.len()).map(|i| i.to_string()))
                .collect::<Vec<_>>(),
        ];
        for (name, row) in &self.channels {
            let mark = if Self::same(row) { " " } else { "!" };
            let cell = |s: &Option<String>| match s.as_deref() {
                None => "–".to_owned(),
                Some("") => "·".to_owned(),
                Some(stain) => cut(stain),
            };
            rows.push(std::iter::once(format!("{mark} {}", cut(name))).chain(row.iter().map(cell)).collect());
        }
        let width =
            |c: usize| rows.iter().filter_map(|r| r.get(c)).map(|s| s.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..=self.files.len()).map(width).collect();
        for row in &rows {
            let mut line = String::from(" ");
            for (cell, width) in row.iter().zip(&widths) {
                let _ = write!(line, " {cell}{}", " ".repeat(width.saturating_sub(cell.chars().count()) + 1));
            }
            let _ = writeln!(out, "{}", line.trim_end());
        }
        out
    }

    /// The table for programs.
    pub(in crate::cli) fn json(&self) -> Option<Value> {
        let channels: Vec<Value> = self
            .channels
            .iter()
            .map(|(name, row)| json!({"channel": name, "stains": row, "same": Self::same(row)}))
            .collect();
        (self.files.len() > 1).then(|| json!({"files": self.files, "channels": channels}))
    }
}
