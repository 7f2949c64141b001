//! The table of features, as Cell Ranger 2 and 3 write it and as others shorten it.

use std::collections::BTreeMap;

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group};

use super::part::Part;
use super::tree;
use crate::data::{Annotation, Change, Column, Frame, Index, Uns};
use crate::io::error::ReadError;
use crate::io::hdf5::{Kind, Node, Source, length, open_dense, whole_size};
use crate::io::tenx::{GENOME, IDS, TYPES};

/// Parts of `features` that [`Features::read`] takes by their names.
const KNOWN: &[&str] = &["name", "id", "gene_id", "feature_type", "_all_tag_keys", "target_sets"];

/// What is known of the features.
pub(super) struct Features {
    /// Names, ids and all that has one value for each feature.
    pub(super) var: Frame,
    /// What has several values for each feature.
    pub(super) varm: BTreeMap<String, Annotation>,
    /// Groups of anything else.
    pub(super) uns: BTreeMap<String, Uns>,
    /// What could not be taken.
    pub(super) changes: Vec<Change>,
}

impl Features {
    fn new(var: Frame) -> Self {
        Self { var, varm: BTreeMap::new(), uns: BTreeMap::new(), changes: Vec::new() }
    }

    /// Two lists beside the matrix, names and ids, one of which may be missing: Cell Ranger 2.
    pub(super) fn lists(part: &Part, g: &Group, genome: Option<&str>) -> Result<Self, ReadError> {
        let (names, ids) = match (g.link_exists("gene_names"), g.link_exists("genes")) {
            (true, true) => (part.features(g, "gene_names")?, part.features(g, "genes")?),
            (true, false) => {
                warn(part, &format!("{}/genes", g.name()), "missing; the names serve as ids");
                let names = part.features(g, "gene_names")?;
                (names.clone(), names)
            }
            (false, _) => {
                let ids = part.features(g, "genes")?;
                warn(part, &format!("{}/gene_names", g.name()), "missing; the ids serve as names");
                (ids.clone(), ids)
            }
        };
        let mut var = Frame::new(Index::names(names)).with(IDS, Column::Strings(ids));
        if let Some(genome) = genome {
            var = var.with(GENOME, Column::Strings(vec![genome.to_owned(); part.n_features]));
        }
        Ok(Self::new(var))
    }

    /// A group of lists: the name is the index, ids and kind come first, every other dataset follows by its name.
    pub(super) fn read(part: &Part, features: &Group) -> Result<Self, ReadError> {
        let mut all = Self::new(named(part, features)?);
        if features.link_exists("feature_type") {
            let (types, one) = part.features_or_one(features, "feature_type")?;
            if one {
                warn(part, &format!("{}/feature_type", features.name()), "one value, taken for all features");
            }
            all.var = all.var.with(TYPES, Column::Strings(types));
        } else {
            let at = format!("{}/feature_type", features.name());
            warn(part, &at, "missing; what kind the features are is not known");
        }
        for name in part.source.members(features)? {
            if KNOWN.contains(&name.as_str()) {
                continue;
            }
            if let Err(e) = all.further(part, features, &name) {
                all.leave(&name, e.to_string());
            }
        }
        Ok(all)
    }

    fn leave(&mut self, name: &str, why: impl Into<String>) {
        self.changes.push(Change::left(format!("features/{name}"), why));
    }

    /// A member without a meaning of its own.
    fn further(&mut self, part: &Part, features: &Group, name: &str) -> Result<(), ReadError> {
        match part.source.node(features, name)? {
            Some(Node::Dataset(_)) if self.var.column(name).is_some() => {
                self.leave(name, "there is a column of that name already");
            }
            Some(Node::Dataset(d)) => self.dataset(part, features, name, &d)?,
            Some(Node::Group(g)) => {
                let value = Uns::Map(tree::map(part.source, &g, &mut self.changes));
                self.uns.insert(name.to_owned(), value);
            }
            None => {}
        }
        Ok(())
    }

    fn dataset(&mut self, part: &Part, features: &Group, name: &str, d: &Dataset) -> Result<(), ReadError> {
        let n = part.n_features;
        let column = match (part.source.kind(d), &d.shape()[..]) {
            (Kind::Text(_), _) if name == GENOME => {
                let (genomes, one) = part.features_or_one(features, name)?;
                if one {
                    warn(part, &d.name(), "one value, taken for all features");
                }
                Column::Strings(genomes)
            }
            (Kind::Text(ty), _) if length(d) == n => Column::Strings(part.source.strings(d, &ty)?),
            (Kind::Number(dtype), _) if length(d) == n => Column::Numbers(part.source.numbers(d, dtype)?),
            (Kind::Number(_), [rows, _]) if *rows == n => {
                if let Some(m) = open_dense(part.source, d)? {
                    self.varm.insert(name.to_owned(), Annotation::Matrix(m.into_matrix()));
                }
                return Ok(());
            }
            (Kind::Text(_) | Kind::Number(_), _) => {
                let why = format!("{} entries, but the shape says {n} features", length(d));
                self.leave(name, why);
                return Ok(());
            }
            (kind, _) => {
                self.leave(name, format!("scx does not read {}", kind.words()));
                return Ok(());
            }
        };
        self.var.columns.push((name.to_owned(), column));
        Ok(())
    }
}

/// A remark on a part that other writers shorten.
pub(super) fn warn(part: &Part, at: &str, what: &str) {
    tracing::warn!("{}: {at}: {what}", part.source.path.display());
}

/// Names and ids. `features/id` of a probe matrix names probes; where ids are missing, names serve as such.
fn named(part: &Part, features: &Group) -> Result<Frame, ReadError> {
    let names = part.features(features, "name")?;
    let id = if features.link_exists("id") {
        part.features(features, "id")?
    } else {
        warn(part, &format!("{}/id", features.name()), "missing; the names serve as ids");
        names.clone()
    };
    let var = Frame::new(Index::names(names));
    if features.link_exists("gene_id") {
        let var = var.with(IDS, Column::Strings(part.features(features, "gene_id")?));
        Ok(var.with("probe_ids", Column::Strings(id)))
    } else {
        Ok(var.with(IDS, Column::Strings(id)))
    }
}

/// Named sets of features as positions in the table.
pub(super) fn target_sets(part: &Part, features: &Group) -> Result<BTreeMap<String, Vec<usize>>, ReadError> {
    let mut sets = BTreeMap::new();
    let Some(Node::Group(g)) = part.source.node(features, "target_sets")? else { return Ok(sets) };
    for name in part.source.members(&g)? {
        let d = part.source.dataset(&g, &name)?;
        let Kind::Number(dtype) = part.source.kind(&d) else { continue };
        let values = part.source.numbers(&d, dtype)?;
        let within = |x: f64| whole_size(x).filter(|&p| p < part.n_features);
        let positions = values.iter().map(within).collect::<Option<Vec<_>>>().ok_or_else(|| {
            part.source.malformed(d.name(), format!("a position outside 0..{}", part.n_features))
        })?;
        sets.insert(name, positions);
    }
    Ok(sets)
}

/// Positions of the features of a genome.
pub(super) fn of_genome(
    source: &Source,
    features: &Group,
    var: &Frame,
    genome: &str,
) -> Result<Vec<usize>, ReadError> {
    let Some(Column::Strings(all)) = var.column(GENOME) else {
        let what = format!("no genomes are named, so {genome} cannot be chosen");
        return Err(source.malformed(features.name(), what));
    };
    let kept: Vec<usize> = (0..all.len()).filter(|&i| all[i] == genome).collect();
    if kept.is_empty() {
        let known: std::collections::BTreeSet<&str> =
            all.iter().map(String::as_str).filter(|g| !g.is_empty()).collect();
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        return Err(source.malformed(
            format!("{}/genome", features.name()),
            format!("there is no genome {genome}; there are: {known}"),
        ));
    }
    Ok(kept)
}
