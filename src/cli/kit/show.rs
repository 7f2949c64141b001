//! Numbers and tables as people read them.

use std::fmt::Write;

pub(in crate::cli) use crate::io::loss::in_units as bytes;

/// A number with that many decimals, or a dash.
pub(in crate::cli) fn number(x: Option<f64>, decimals: usize) -> String {
    x.filter(|x| x.is_finite()).map_or_else(|| "–".into(), |x| format!("{x:.decimals$}"))
}

/// A share in percent, or a dash.
pub(in crate::cli) fn percent(x: Option<f64>) -> String {
    x.filter(|x| x.is_finite()).map_or_else(|| "–".into(), |x| format!("{:.1} %", 100.0 * x))
}

/// Columns side by side: the first to the left, the others to the right.
pub(in crate::cli) fn align(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width: Vec<usize> = (0..columns)
        .map(|c| rows.iter().filter_map(|r| r.get(c)).map(|s| s.chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (c, cell) in row.iter().enumerate() {
            let pad = " ".repeat(width[c] - cell.chars().count());
            let _ = if c == 0 { write!(line, "{cell}{pad}") } else { write!(line, "  {pad}{cell}") };
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// A count with thin groups of three digits.
pub(in crate::cli) fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(d);
    }
    out
}
