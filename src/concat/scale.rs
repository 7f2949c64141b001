//! Channels of FCS files that were stored on different scales, put on one before their values meet.

use std::collections::BTreeSet;

use super::{Changes, ConcatError, Join, Piece, fail};
use crate::data::{Column, Frame, Values, amplifiers, linear};

/// Puts logarithmic channels on the linear scale where files do not agree on their amplifier, or missing channels will make
/// floats of whole numbers; and gives every channel the largest of its ranges.
///
/// # Errors
/// [`ConcatError::Data`] when an amplifier cannot be understood.
pub(super) fn settle(pieces: &mut [Piece], join: Join, changes: &mut Changes) -> Result<(), ConcatError> {
    if pieces.len() < 2 || pieces.iter().any(|p| p.dataset.var.column("pne").is_none()) {
        return Ok(());
    }
    // Only whole numbers are read by their amplifiers.
    let gaps = join == Join::Outer && !one_panel(pieces);
    if gaps || !amplifiers_agree(pieces)? {
        pieces.iter_mut().try_for_each(|p| make_linear(p, changes))?;
    }
    largest_ranges(pieces);
    Ok(())
}

/// Puts the logarithmic channels of a file on the linear scale, and says so.
///
/// # Errors
/// [`ConcatError::Data`] when an amplifier cannot be understood.
pub(super) fn make_linear(piece: &mut Piece, changes: &mut Changes) -> Result<(), ConcatError> {
    let before = piece.dataset.changes.len();
    piece.dataset = linear(piece.dataset.clone()).map_err(fail(&piece.file))?;
    let new = piece.dataset.changes.split_off(before);
    new.into_iter().for_each(|c| changes.add(c.element, format!("{}: {}", piece.file, c.what)));
    Ok(())
}

/// Whether all files have the same channels.
fn one_panel(pieces: &[Piece]) -> bool {
    let names = |p: &Piece| p.dataset.var.index.iter().map(|n| n.into_owned()).collect::<BTreeSet<_>>();
    let first = pieces.first().map(names);
    pieces.iter().skip(1).all(|p| Some(names(p)) == first)
}

/// Whether every logarithmic channel has the same amplifier and range in all files that have it.
fn amplifiers_agree(pieces: &[Piece]) -> Result<bool, ConcatError> {
    for piece in pieces {
        let var = &piece.dataset.var;
        let all = amplifiers(var).map_err(fail(&piece.file))?;
        for (i, _) in all.iter().enumerate().filter(|(_, a)| a.decades > 0.0) {
            let (name, own) = (var.index.get(i).unwrap_or_default(), amplifier(var, i));
            let other = |p: &Piece| {
                let at = p.dataset.var.index.iter().position(|n| n == name);
                at.is_some_and(|k| amplifier(&p.dataset.var, k) != own)
            };
            if pieces.iter().any(other) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// `$PnE` and `$PnR` of a channel, as numbers.
fn amplifier(var: &Frame, i: usize) -> (Vec<Option<f64>>, String) {
    let text =
        |name: &str| var.column(name).and_then(|c| c.text(i)).map(|t| t.into_owned()).unwrap_or_default();
    (text("pne").split(',').map(|t| t.trim().parse().ok()).collect(), text("pnr"))
}

fn range(var: &Frame, i: usize) -> f64 {
    let text = var.column("pnr").and_then(|c| c.text(i));
    text.and_then(|t| t.parse().ok()).unwrap_or(f64::NAN)
}

/// A range bounds the values: that of all files is the largest of theirs, unknown where one does not know it.
fn largest_ranges(pieces: &mut [Piece]) {
    if pieces.iter().any(|p| p.dataset.var.column("pnr").is_none()) {
        return;
    }
    let mut most = std::collections::HashMap::<String, f64>::new();
    for var in pieces.iter().map(|p| &p.dataset.var) {
        for (i, name) in var.index.iter().enumerate() {
            let own = range(var, i);
            let known = most.entry(name.into_owned()).or_insert(own);
            *known = if own > *known || own.is_nan() { own } else { *known };
        }
    }
    for piece in pieces {
        let var = &mut piece.dataset.var;
        let new = var.index.iter().map(|n| most.get(n.as_ref()).copied().unwrap_or(f64::NAN)).collect();
        var.set("pnr", Column::Numbers(Values::F64(new)));
    }
}
