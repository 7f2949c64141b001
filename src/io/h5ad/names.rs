//! Names that an HDF5 group can hold. A slash in a name would make a group inside a group, which anndata 0.12 writes and
//! cannot read again, and 0.13 refuses.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use crate::data::{Annotation, Dataset, Frame, Index, Names, Uns};

/// The name under which an element called `name` is stored in an h5ad file: `/` becomes `|`, a zero byte `�`, nothing at
/// all `_`, and `.`, which HDF5 takes for the group itself, `_.`.
pub fn safe_name(name: &str) -> Cow<'_, str> {
    match name {
        "" => Cow::Borrowed("_"),
        "." => Cow::Borrowed("_."),
        name if name.contains(['/', '\0']) => Cow::Owned(name.replace('/', "|").replace('\0', "\u{fffd}")),
        name => Cow::Borrowed(name),
    }
}

/// Names anndata keeps for itself among the columns of a table.
const RESERVED: &str = "_index";

/// The stored name of each, no two alike.
fn stored_names<'a>(names: impl Iterator<Item = &'a str> + Clone, taken: &[&str]) -> Vec<String> {
    let fine: HashSet<&str> = names.clone().filter(|n| safe_name(n) == *n).collect();
    let mut used: HashSet<String> = taken.iter().map(|s| (*s).to_owned()).collect();
    names
        .map(|name| {
            let base = safe_name(name);
            let mut stored = base.clone().into_owned();
            let mut n = 0;
            // A made name gives way to one that is there already.
            while used.contains(&stored) || (stored != name && fine.contains(stored.as_str())) {
                n += 1;
                stored = format!("{base}_{n}");
            }
            used.insert(stored.clone());
            stored
        })
        .collect()
}

/// What was renamed: place → stored name → real name.
type Renamed = BTreeMap<String, BTreeMap<String, String>>;

/// The data set with names that can be stored, or `None` when all can be as they are. Each change is told in a warning
/// and kept as JSON in `uns["scx"]["names"]`, so that it can be undone.
pub(super) fn storable(dataset: &Dataset, path: &Path) -> Option<Dataset> {
    let mut renamed = Renamed::new();
    // Trying on tables without their rows costs nothing.
    rename(&mut skeleton(dataset), &mut renamed);
    if renamed.is_empty() {
        return None;
    }
    let mut dataset = dataset.clone();
    rename(&mut dataset, &mut Renamed::new());
    for (at, names) in &renamed {
        for (stored, real) in names {
            tracing::warn!(
                "{}: {at}: {real:?} is stored as {stored:?}: an h5ad file cannot hold that name",
                crate::io::atomic::known_as(path).display()
            );
        }
    }
    remember(&mut dataset.uns, renamed);
    Some(dataset)
}

/// Tables without rows, everything else as it is where it is cheap to have.
fn skeleton(d: &Dataset) -> Dataset {
    let bare = |f: &Frame| {
        let index = match &f.index {
            Index::Names { name, .. } => Index::Names { name: name.clone(), values: Names::default() },
            Index::Range(_) => Index::Range(0),
        };
        let none = || crate::data::Column::Strings(Vec::new());
        Frame { index, columns: f.columns.iter().map(|(n, _)| (n.clone(), none())).collect() }
    };
    let bare_all = |m: &BTreeMap<String, Annotation>| {
        let one = |a: &Annotation| match a {
            Annotation::Frame(f) => Annotation::Frame(bare(f)),
            _ => Annotation::Opaque { encoding: String::new(), stored: None },
        };
        m.iter().map(|(k, a)| (k.clone(), one(a))).collect()
    };
    fn bare_uns(map: &BTreeMap<String, Uns>, bare: &dyn Fn(&Frame) -> Frame) -> BTreeMap<String, Uns> {
        let one = |u: &Uns| match u {
            Uns::Map(m) => Uns::Map(bare_uns(m, bare)),
            Uns::Frame(f) => Uns::Frame(bare(f)),
            _ => Uns::Null,
        };
        map.iter().map(|(k, u)| (k.clone(), one(u))).collect()
    }
    let empty = crate::data::Dense::new(0, 0, crate::data::Values::U8(Vec::new()));
    let none = empty.map(crate::data::Matrix::Dense).ok();
    let mut out = Dataset::new(bare(&d.obs), bare(&d.var));
    out.layers = d.layers.keys().filter_map(|k| Some((k.clone(), none.clone()?))).collect();
    out.obsm = bare_all(&d.obsm);
    out.varm = bare_all(&d.varm);
    out.obsp = bare_all(&d.obsp);
    out.varp = bare_all(&d.varp);
    out.raw = d.raw.as_ref().and_then(|r| {
        Some(crate::data::Raw { x: none.clone()?, var: bare(&r.var), varm: bare_all(&r.varm) })
    });
    out.uns = bare_uns(&d.uns, &bare);
    out
}

fn rename(d: &mut Dataset, log: &mut Renamed) {
    frame(&mut d.obs, "obs", log);
    frame(&mut d.var, "var", log);
    keys(&mut d.layers, "layers", log);
    for (name, map) in
        [("obsm", &mut d.obsm), ("varm", &mut d.varm), ("obsp", &mut d.obsp), ("varp", &mut d.varp)]
    {
        annotations(map, name, log);
    }
    if let Some(raw) = &mut d.raw {
        frame(&mut raw.var, "raw/var", log);
        annotations(&mut raw.varm, "raw/varm", log);
    }
    uns(&mut d.uns, "uns", log);
}

fn note(log: &mut Renamed, at: &str, stored: &str, real: &str) {
    if stored != real {
        log.entry(at.to_owned()).or_default().insert(stored.to_owned(), real.to_owned());
    }
}

fn keys<V>(map: &mut BTreeMap<String, V>, at: &str, log: &mut Renamed) {
    let names = stored_names(map.keys().map(String::as_str), &[]);
    if names.iter().eq(map.keys()) {
        return;
    }
    let old = std::mem::take(map);
    for ((real, value), stored) in old.into_iter().zip(names) {
        note(log, at, &stored, &real);
        map.insert(stored, value);
    }
}

fn annotations(map: &mut BTreeMap<String, Annotation>, at: &str, log: &mut Renamed) {
    keys(map, at, log);
    for (name, value) in map {
        if let Annotation::Frame(f) = value {
            frame(f, &format!("{at}/{name}"), log);
        }
    }
}

fn uns(map: &mut BTreeMap<String, Uns>, at: &str, log: &mut Renamed) {
    keys(map, at, log);
    for (name, value) in map {
        match value {
            Uns::Map(inner) => uns(inner, &format!("{at}/{name}"), log),
            Uns::Frame(f) => frame(f, &format!("{at}/{name}"), log),
            _ => {}
        }
    }
}

fn frame(f: &mut Frame, at: &str, log: &mut Renamed) {
    let names = stored_names(f.columns.iter().map(|(n, _)| n.as_str()), &[RESERVED]);
    for ((name, _), stored) in f.columns.iter_mut().zip(names) {
        note(log, at, &stored, name);
        *name = stored;
    }
    let Index::Names { name, .. } = &mut f.index else { return };
    // A column may not share the name of the index; `_index` is how an index without a name is called.
    let safe = safe_name(name).into_owned();
    let clash = f.columns.iter().any(|(column, _)| *column == safe);
    let stored = if clash { RESERVED.to_owned() } else { safe };
    note(log, at, &stored, name);
    *name = stored;
}

/// Adds to what earlier runs renamed.
fn remember(uns: &mut BTreeMap<String, Uns>, renamed: Renamed) {
    let Uns::Map(scx) = uns.entry("scx".into()).or_insert_with(|| Uns::Map(BTreeMap::new())) else { return };
    let mut all = match scx.get("names") {
        Some(Uns::String(earlier)) => serde_json::from_str::<Renamed>(earlier).unwrap_or_default(),
        _ => Renamed::new(),
    };
    for (at, names) in renamed {
        all.entry(at).or_default().extend(names);
    }
    if let Ok(text) = serde_json::to_string(&all) {
        scx.insert("names".into(), Uns::String(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_name_never_takes_the_place_of_another() {
        let names = ["a/b", "a|b", "a/b", "", "_", ".", "_index", "x"];
        let stored = stored_names(names.into_iter(), &[RESERVED]);
        assert_eq!(stored, ["a|b_1", "a|b", "a|b_2", "__1", "_", "_.", "_index_1", "x"]);
    }
}
