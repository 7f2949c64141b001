//! Cofactors of single markers.

use super::{CorrectError, Marker};
use crate::data::did_you_mean;
use crate::recipe::Scale;

/// A scale whose own cofactors are called by the names of these markers; they may be given by marker, stain or channel. A
/// marker without one has that of the panel file.
///
/// # Errors
/// [`CorrectError::Usage`] when a name is none of a corrected marker.
pub fn own_cofactors(scale: &Scale, markers: &[Marker]) -> Result<Scale, CorrectError> {
    let mut own: Vec<(String, f64)> = Vec::new();
    for (name, cofactor) in &scale.own {
        let is = |m: &&Marker| {
            [&m.name, &m.stain, &m.channel].iter().any(|n| !n.is_empty() && n.eq_ignore_ascii_case(name))
        };
        let found: Vec<&Marker> = markers.iter().filter(is).collect();
        if found.is_empty() {
            let hint = did_you_mean(name, markers.iter().map(|m| m.name.as_str()));
            return Err(CorrectError::usage(format!(
                "--cofactor: {name} is none of the corrected markers{hint}"
            )));
        }
        own.extend(found.into_iter().map(|m| (m.name.clone(), *cofactor)));
    }
    for marker in markers {
        if let Some(cofactor) = marker.cofactor.filter(|_| !own.iter().any(|o| o.0 == marker.name)) {
            own.push((marker.name.clone(), cofactor));
        }
    }
    Ok(Scale { common: scale.common, own })
}
