//! Which variables `correct` would take for markers, and why not the others.

use serde_json::{Value, json};

use crate::cli::correct::pairs;
use crate::data::{Column, Frame, Index, Values};
use crate::io::Outline;
use crate::io::fcs::APPENDED;
use crate::panel::{File, NoMarker, Reason, reasons as judge};

/// Why each variable is no marker; empty where the outline does not hold enough to tell.
pub(in crate::cli) fn reasons(o: &Outline) -> Vec<Option<Reason>> {
    if o.var_names.len() < o.n_vars {
        return Vec::new();
    }
    let mut var = Frame::new(Index::names(o.var_names.clone()));
    if o.channels.len() == o.n_vars {
        var = var.with("channel", Column::Strings(o.channels.clone()));
    }
    if let Some(stains) = o.stains.as_ref().filter(|s| s.len() == o.n_vars) {
        var = var.with("marker", Column::Strings(stains.clone()));
    }
    if o.appended.len() == o.n_vars {
        var = var.with(APPENDED, Column::Numbers(Values::Bool(o.appended.clone())));
    }
    let file = File { name: String::new(), var: &var, values: o.values.clone(), panel: None };
    judge(&file, None).unwrap_or_default()
}

/// What in a table is no marker, in a line; `None` where nothing is, or var says itself what is a marker.
pub(in crate::cli) fn line(o: &Outline) -> Option<String> {
    if o.item("var/marker").is_some() {
        return None;
    }
    let reasons = reasons(o);
    let others: Vec<NoMarker> = reasons
        .iter()
        .enumerate()
        .zip(&o.var_names)
        .filter_map(|((column, reason), name)| {
            Some(NoMarker { column, name: name.clone(), channel: name.clone(), reason: (*reason)? })
        })
        .collect();
    (!others.is_empty()).then(|| {
        format!(
            "{} variables that could be markers; no markers: {}",
            reasons.len() - others.len(),
            pairs::others(&others)
        )
    })
}

/// The same for programs: for each variable why it is no marker, or null.
pub(in crate::cli) fn json(o: &Outline) -> Value {
    if o.stains.is_none() && o.item("var/marker").is_some() {
        return Value::Null;
    }
    let reasons = reasons(o);
    let one = |(name, reason): (&String, &Option<Reason>)| json!({"name": name, "marker": reason.is_none(), "reason": reason});
    if reasons.is_empty() { Value::Null } else { o.var_names.iter().zip(&reasons).map(one).collect() }
}
