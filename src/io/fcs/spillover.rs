//! The spillover matrix of a file, from any of the keywords it may stand in.

use ndarray::Array2;

use super::kept::{keywords_from_uns, keywords_to_uns};
use crate::data::{Change, DataError, Dataset, Spillover};

/// Keywords with names and a matrix, the standard one first; FCS 3.0 instruments used the others.
const NAMED: &[&str] = &["$SPILLOVER", "SPILL", "SPILLOVER", "$SPILL"];

/// The spillover matrix a file states: `$SPILLOVER`, `SPILL` or `SPILLOVER`, else `$COMP` (FCS 3.0), else `$DFCmTOn`
/// (FCS 2.0). `None` when there is none, or an empty one. Nothing is applied.
///
/// # Errors
/// [`DataError::Invalid`] that names the keyword and what is wrong with it.
pub fn spillover(keywords: &[(String, String)]) -> Result<Option<Spillover>, DataError> {
    let find = |key: &str| {
        let found = keywords.iter().rfind(|(k, _)| k.trim().eq_ignore_ascii_case(key));
        found.map(|(_, v)| v.trim().trim_matches('\0')).filter(|v| !v.is_empty() && *v != "0")
    };
    let channels = Channels::new(keywords);
    for key in NAMED {
        if let Some(value) = find(key) {
            return named(value, &channels).map(Some).map_err(|e| within(key, e));
        }
    }
    if let Some(value) = find("$COMP") {
        return numbered(value, &channels).map(Some).map_err(|e| within("$COMP", e));
    }
    percent(keywords, &channels).map_err(|e| within("$DFCmTOn", e))
}

/// Notes in the keywords of a data set that its values are compensated: what stated the matrix is kept as `SCX_…`, where no
/// program takes it for one that is still to be applied.
pub fn mark_compensated(dataset: &mut Dataset) {
    let states = |key: &str| {
        let key = key.trim();
        let named = NAMED.iter().chain(&["$COMP"]).any(|n| n.eq_ignore_ascii_case(key));
        let upper = key.to_ascii_uppercase();
        named || (upper.starts_with("$DFC") && upper.contains("TO"))
    };
    let rename = |keywords: &mut Vec<(String, String)>| {
        let mut renamed = Vec::new();
        for (key, _) in keywords.iter_mut().filter(|(k, _)| states(k)) {
            let new = format!("SCX_{}", key.trim().trim_start_matches('$'));
            renamed.push(format!("{} is kept as {new}", key.trim()));
            *key = new;
        }
        renamed
    };
    let mut renamed = rename(&mut dataset.source.keywords);
    if let Some(mut kept) = dataset.uns.get("fcs").and_then(keywords_from_uns) {
        renamed.extend(rename(&mut kept));
        dataset.uns.insert("fcs".into(), keywords_to_uns(&kept, &dataset.source.dialect));
    }
    let what = format!("compensated by the matrix of the file; {}", renamed.join(", "));
    dataset.changes.push(Change::harmless("X", what));
}

fn within(key: &str, e: String) -> DataError {
    DataError::Invalid {
        what: format!("{key}: {e}; give the matrix in a file of its own, or leave compensation out"),
    }
}

/// `$PnN` and `$PnS` of all channels, in order.
struct Channels {
    names: Vec<String>,
    stains: Vec<String>,
}

impl Channels {
    fn new(keywords: &[(String, String)]) -> Self {
        let find = |key: String| keywords.iter().rfind(|(k, _)| k.trim().eq_ignore_ascii_case(&key));
        let (mut names, mut stains) = (Vec::new(), Vec::new());
        while let Some((_, name)) = find(format!("$P{}N", names.len() + 1)) {
            names.push(name.trim().to_owned());
            stains.push(find(format!("$P{}S", names.len())).map_or("", |p| p.1.trim()).to_owned());
        }
        Self { names, stains }
    }

    /// The `$PnN` a name in the matrix means: itself, a `$PnS`, or the number of a channel.
    fn resolve(&self, name: &str) -> Option<String> {
        let own = |list: &[String]| {
            let mut found = list.iter().enumerate().filter(|(_, n)| n.as_str() == name).map(|(i, _)| i);
            // A stain two channels share says nothing.
            found.next().filter(|_| found.next().is_none())
        };
        let number = || name.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        let i = own(&self.names).or_else(|| own(&self.stains)).or_else(number)?;
        self.names.get(i).cloned()
    }
}

/// `n,name1,…,namen,x11,x12,…`: names may themselves hold commas, so they are counted from both ends.
fn named(value: &str, channels: &Channels) -> Result<Spillover, String> {
    let fields: Vec<&str> = value.split(',').map(str::trim).collect();
    let n = size(&fields)?;
    let cells = n * n;
    let Some(names) = fields.len().checked_sub(cells).and_then(|end| fields.get(1..end)) else {
        return Err(format!(
            "{n} channels take {n} names and {cells} numbers, {} entries found",
            fields.len().saturating_sub(1)
        ));
    };
    let names = join_names(names, n, channels)?;
    let matrix = matrix(fields.get(fields.len() - cells..).unwrap_or_default(), n)?;
    let mut resolved = Vec::with_capacity(n);
    for name in &names {
        let known = channels.resolve(name).or_else(|| channels.names.is_empty().then(|| name.clone()));
        resolved.push(
            known.ok_or_else(|| format!("`{name}` is no $PnN, $PnS or number of a channel of this file"))?,
        );
    }
    Spillover::new(resolved, matrix).map_err(|e| e.to_string())
}

/// `n` names from the fields between the number and the matrix; a name with commas in it fills several.
fn join_names(fields: &[&str], n: usize, channels: &Channels) -> Result<Vec<String>, String> {
    if fields.len() == n {
        return Ok(fields.iter().map(|f| (*f).to_owned()).collect());
    }
    let mut names = Vec::new();
    let mut rest = fields;
    while !rest.is_empty() && names.len() < n {
        let taken = (1..=rest.len()).find_map(|k| {
            let name = rest.get(..k)?.join(",");
            channels.resolve(&name).map(|_| (k, name))
        });
        let (k, name) = taken.unwrap_or((1, rest[0].to_owned()));
        names.push(name);
        rest = rest.get(k..).unwrap_or_default();
    }
    if names.len() == n && rest.is_empty() {
        Ok(names)
    } else {
        Err(format!("{n} names were expected, {} fields stand before the {} numbers", fields.len(), n * n))
    }
}

/// `n,x11,x12,…`: the channels are all of the file, in order.
fn numbered(value: &str, channels: &Channels) -> Result<Spillover, String> {
    let fields: Vec<&str> = value.split(',').map(str::trim).collect();
    let n = size(&fields)?;
    if n != channels.names.len() {
        return Err(format!("a matrix of {n} channels without names in a file of {}", channels.names.len()));
    }
    if fields.len() != n * n + 1 {
        return Err(format!("{n} channels take {} numbers, {} found", n * n, fields.len() - 1));
    }
    let matrix = matrix(fields.get(1..).unwrap_or_default(), n)?;
    Spillover::new(channels.names.clone(), matrix).map_err(|e| e.to_string())
}

/// `$DFCmTOn`: percent of fluorescence m to be taken from fluorescence n. They count fluorescences, not channels:
/// FLm is the channel whose name begins so.
fn percent(keywords: &[(String, String)], channels: &Channels) -> Result<Option<Spillover>, String> {
    let mut pairs = Vec::new();
    for (key, value) in keywords {
        let key = key.trim().to_ascii_uppercase();
        let Some((m, n)) = key.strip_prefix("$DFC").and_then(|k| k.split_once("TO")) else { continue };
        let (Ok(m), Ok(n)) = (m.parse::<u32>(), n.parse::<u32>()) else { continue };
        let x = number(value.trim())?;
        if x != 0.0 && m != n {
            pairs.push((m, n, x / 100.0));
        }
    }
    if pairs.is_empty() {
        return Ok(None);
    }
    let mut used: Vec<u32> = pairs.iter().flat_map(|(m, n, _)| [*m, *n]).collect();
    used.sort_unstable();
    used.dedup();
    let names = used.iter().map(|&m| fluorescence(m, channels)).collect::<Result<Vec<_>, _>>()?;
    let mut matrix = Array2::eye(used.len());
    for (m, n, x) in pairs {
        if let (Ok(i), Ok(j)) = (used.binary_search(&m), used.binary_search(&n)) {
            matrix[(i, j)] = x;
        }
    }
    Spillover::new(names, matrix).map(Some).map_err(|e| e.to_string())
}

/// The one channel named `FLm`, with anything but a digit behind.
fn fluorescence(m: u32, channels: &Channels) -> Result<String, String> {
    let prefix = format!("FL{m}");
    let is = |name: &&String| {
        let rest = name.to_ascii_uppercase();
        rest.strip_prefix(&prefix).is_some_and(|r| !r.starts_with(|c: char| c.is_ascii_digit()))
    };
    let found: Vec<&String> = channels.names.iter().filter(is).collect();
    match found[..] {
        [one] => Ok(one.clone()),
        [] => Err(format!("no channel is named {prefix}")),
        _ => {
            let all: Vec<&str> = found.iter().map(|n| n.as_str()).collect();
            Err(format!("{prefix} may be any of {}", all.join(", ")))
        }
    }
}

fn size(fields: &[&str]) -> Result<usize, String> {
    let first = fields.first().copied().unwrap_or_default();
    // More channels than fields there are is a broken number, not a reason to multiply it.
    first
        .parse()
        .ok()
        .filter(|n| *n > 0 && *n <= fields.len())
        .ok_or_else(|| format!("`{first}` found where the number of channels was expected"))
}

fn matrix(fields: &[&str], n: usize) -> Result<Array2<f64>, String> {
    let values = fields.iter().map(|f| number(f)).collect::<Result<Vec<_>, _>>()?;
    Array2::from_shape_vec((n, n), values).map_err(|e| e.to_string())
}

fn number(text: &str) -> Result<f64, String> {
    let x = text.parse::<f64>().ok().filter(|x| x.is_finite());
    x.ok_or_else(|| format!("`{text}` found where a number was expected"))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn keywords(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let names = [("$P1N", "FSC"), ("$P2N", "FL1-H"), ("$P3N", "FL2,x"), ("$P3S", "CD4")];
        names.iter().chain(pairs).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn found(key: &str, value: &str) -> Result<Option<Spillover>, String> {
        spillover(&keywords(&[(key, value)])).map_err(|e| e.to_string())
    }

    #[test]
    fn names_may_be_stains_numbers_or_hold_commas() {
        for names in ["FL1-H,FL2,x", "2,3", "FL1-H,CD4"] {
            let s = found("$SPILLOVER", &format!("2,{names},1,0.25, 0,1")).unwrap().unwrap();
            assert_eq!(s.channels(), ["FL1-H", "FL2,x"]);
            assert_eq!(s.matrix(), array![[1.0, 0.25], [0.0, 1.0]]);
        }
        assert!(found("spill", "1,FL1-H,1").unwrap().is_some());
    }

    #[test]
    fn broken_matrices_are_named_and_never_multiplied_out() {
        let says = |value: &str, what: &str| {
            let e = found("SPILL", value).unwrap_err();
            assert!(e.contains("SPILL") && e.contains(what), "{e}");
        };
        // What a MACSQuant writes: names and no numbers.
        says("4,FL5-H,FL4-H,FL5-A,FL4-A", "4 names and 16 numbers, 4 entries found");
        says("2,nan,nan,1,0,0,1", "`nan` is no $PnN");
        says("2,FL1-H,CD4,1,x,0,1", "`x` found");
        says("2,FL1-H,FL1-H,1,0,0,1", "`FL1-H` twice");
        says("18446744073709551615,a", "number of channels");
        says("2,FL1-H,CD4,1,NaN,0,1", "`NaN` found");
        assert_eq!(found("SPILL", "").unwrap(), None);
        assert_eq!(found("other", "1").unwrap(), None);
    }

    #[test]
    fn older_keywords_are_read_too() {
        let s = found("$COMP", "3,1,0,0,0,1,0.5,0,0,1").unwrap().unwrap();
        assert_eq!((s.channels()[2].as_str(), s.matrix()[(1, 2)]), ("FL2,x", 0.5));
        assert!(found("$COMP", "2,1,0,0,1").unwrap_err().contains("without names"));
        let s = found("$DFC1TO2", "25.0").unwrap().unwrap();
        assert_eq!(
            (s.channels(), s.matrix()),
            (&["FL1-H".into(), "FL2,x".into()][..], &array![[1.0, 0.25], [0.0, 1.0]])
        );
        assert_eq!(found("$DFC1TO2", "0.00").unwrap(), None);
        assert!(found("$DFC1TO3", "1").unwrap_err().contains("no channel is named FL3"));
    }
}
