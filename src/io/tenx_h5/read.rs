//! From a 10x HDF5 file to a [`Dataset`].

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::Group;

use super::features::{Features, of_genome, target_sets};
use super::further::{self, Further};
use super::kin;
use super::part::Part;
use crate::data::{Change, Column, DataError, Dataset, Frame, Matrix, Source as Origin, Take, Uns, Values};
use crate::io::codec::{Fit, Probe};
use crate::io::error::ReadError;
use crate::io::hdf5::{Node, Source, has_magic, open_shared};
use crate::io::options::ReadOptions;
use crate::io::tenx::warn_duplicates;

/// How sure the content makes us: `/matrix` is a group (in loom it is a dataset), or a group looks like a genome's.
pub fn probe(probe: &Probe) -> Fit {
    if !has_magic(probe.path) {
        return Fit::No;
    }
    // Reading says what is wrong with a file that cannot be opened.
    let Ok(file) = open_shared(probe.path) else { return Fit::Possible };
    if file.link_exists("obs") && file.link_exists("var") {
        return Fit::No;
    }
    if file.group("matrix").is_ok() {
        return Fit::Sure;
    }
    let groups = file.groups().unwrap_or_default();
    if groups.iter().any(is_genome) || kin::words(&file).is_some() { Fit::Sure } else { Fit::No }
}

/// What the group of a genome holds in a file of Cell Ranger before 3, beside its `gene_names`.
const GENOME_GROUP: &[&str] = &["barcodes", "genes", "data", "indices", "indptr", "shape"];

/// Whether a group holds the matrix of a genome, as Cell Ranger before 3 wrote it. One of its parts may be missing:
/// reading says which.
fn is_genome(g: &Group) -> bool {
    let of_cells = g.link_exists("barcodes") && (g.link_exists("genes") || g.link_exists("gene_names"));
    let matrix = ["data", "indices", "indptr", "shape"].iter().filter(|part| g.link_exists(part)).count();
    of_cells || (matrix >= 3 && g.link_exists("shape"))
}

/// Names the first part that is missing in the group of a genome.
pub(super) fn whole_genome(source: &Source, g: &Group) -> Result<(), ReadError> {
    let there = |part: &str| g.link_exists(part) || (part == "genes" && g.link_exists("gene_names"));
    match GENOME_GROUP.iter().find(|part| !there(part)) {
        None => Ok(()),
        Some(part) => {
            let what = "is missing; in a 10x file of Cell Ranger 2 the group of a genome holds barcodes, genes, \
                        gene_names, data, indices, indptr and shape: download the file again or make it anew";
            Err(source.malformed(format!("{}/{part}", g.name()), what))
        }
    }
}

/// Reads a 10x HDF5 file. Names come into memory, the matrix stays on disk.
///
/// Features of all kinds and genomes are read unless `options.genome` names one. A file of Cell Ranger 2 with several
/// genomes holds a matrix for each: one must then be named.
///
/// # Errors
/// [`ReadError`] that names the file and the element.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Dataset, ReadError> {
    let source = Source::new(path, options);
    let file = source.open()?;
    let contents = Contents::open(&source, &file, options)?;
    let x = contents.part.matrix(&contents.group)?;
    let obs = contents.part.cells(&contents.group)?;
    let dataset = contents.dataset(obs, Some(x))?;
    dataset.check().map_err(|e| source.malformed("/", e.to_string()))?;
    warn_duplicates(path, "barcodes", &dataset.obs);
    warn_duplicates(path, "names of features", &dataset.var);
    Ok(dataset)
}

/// What a file holds but for its cells and the matrix.
pub(super) struct Contents<'a> {
    /// Where the matrix is, and its shape.
    pub(super) part: Part<'a>,
    /// The group with the arrays.
    pub(super) group: Group,
    /// All features.
    features: Features,
    /// What lies beside the matrix.
    further: Further,
    uns: BTreeMap<String, Uns>,
    /// Positions of the features of the genome that is asked for.
    pub(super) kept: Option<Vec<usize>>,
    dialect: &'static str,
}

impl<'a> Contents<'a> {
    /// Reads the features and the attributes of a file.
    pub(super) fn open(source: &'a Source, root: &Group, options: &ReadOptions) -> Result<Self, ReadError> {
        let mut contents = match source.node(root, "matrix")? {
            Some(Node::Group(g)) => later(source, g, options)?,
            _ => legacy(source, root, options)?,
        };
        let (part, group) = (&contents.part, &contents.group);
        contents.further = further::read(part, root, group, &|| part.barcodes(group));
        attributes(source, root, &mut contents.uns)?;
        attributes(source, &contents.group, &mut contents.uns)?;
        Ok(contents)
    }

    /// A data set of these cells and their counts of all features, which the genome asked for is chosen from.
    pub(super) fn dataset(self, obs: Frame, x: Option<Matrix>) -> Result<Dataset, ReadError> {
        let source = self.part.source;
        let Further { obs: of_cells, obsm, var: of_genes, varm, uns: beside, mut changes } = self.further;
        let mut dataset = Dataset::new(obs, self.features.var);
        dataset.x = x;
        add(&mut dataset.obs, "obs", of_cells, &mut changes);
        add(&mut dataset.var, "var", of_genes, &mut changes);
        dataset.obsm = obsm;
        dataset.varm = self.features.varm;
        dataset.varm.extend(varm);
        dataset.changes = self.features.changes;
        dataset.changes.extend(changes);
        dataset.source =
            Origin { path: source.path.clone(), dialect: self.dialect.to_owned(), keywords: Vec::new() };
        if let Some(kept) = &self.kept {
            let chosen = Take::entries(self.part.n_features, kept)
                .and_then(|columns| dataset.select(&Take::all(self.part.n_cells), &columns));
            dataset = chosen.map_err(|e| source.malformed(self.group.name(), words(&e)))?;
        }
        dataset.uns = self.uns;
        if !self.features.uns.is_empty() {
            dataset.uns.insert("features".into(), Uns::Map(self.features.uns));
        }
        for (name, value) in beside {
            match dataset.uns.entry(name) {
                Entry::Vacant(free) => drop(free.insert(value)),
                Entry::Occupied(taken) => {
                    let why = "an attribute of the file has its name";
                    dataset.changes.push(Change::left(format!("/{}", taken.key()), why));
                }
            }
        }
        Ok(dataset)
    }
}

/// Adds columns under names that are free.
fn add(table: &mut Frame, place: &str, columns: Vec<(String, Column)>, changes: &mut Vec<Change>) {
    for (name, column) in columns {
        if table.column(&name).is_some() {
            let why = "there is a column of that name already";
            changes.push(Change::left(format!("{place}[{name:?}]"), why));
        } else {
            table.columns.push((name, column));
        }
    }
}

/// The groups of genomes in a file of Cell Ranger 2, one at least.
pub(super) fn genomes(source: &Source, root: &Group) -> Result<Vec<(String, Group)>, ReadError> {
    let mut genomes = Vec::new();
    for name in source.members(root)? {
        if let Some(Node::Group(g)) = source.node(root, &name)?
            && is_genome(&g)
        {
            genomes.push((name, g));
        }
    }
    if genomes.is_empty()
        && let Some(what) = kin::words(root)
    {
        return Err(ReadError::unsupported(&source.path, what));
    }
    if genomes.is_empty() {
        let what = "HDF5, but neither /matrix nor the group of a genome: not a 10x file".into();
        return Err(ReadError::NotRecognised { path: source.path.clone(), what });
    }
    Ok(genomes)
}

/// A file of Cell Ranger 2: one group for each genome.
fn legacy<'a>(source: &'a Source, root: &Group, options: &ReadOptions) -> Result<Contents<'a>, ReadError> {
    let mut genomes = genomes(source, root)?;
    let listed = || genomes.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>().join(", ");
    let at = match &options.genome {
        None if genomes.len() == 1 => 0,
        None => {
            let what = format!(
                "the file holds a matrix for each of the genomes {}; choose one with --genome",
                listed()
            );
            return Err(ReadError::unsupported(&source.path, what));
        }
        Some(asked) => genomes.iter().position(|(n, _)| n == asked).ok_or_else(|| {
            source.malformed("/", format!("there is no genome {asked}; there are: {}", listed()))
        })?,
    };
    let (name, group) = genomes.swap_remove(at);
    whole_genome(source, &group)?;
    let part = Part::open(source, &group)?;
    let features = Features::lists(&part, &group, Some(&name))?;
    let dialect = "10x HDF5 of Cell Ranger 2";
    let (further, uns) = (Further::default(), BTreeMap::new());
    Ok(Contents { part, group, features, further, uns, kept: None, dialect })
}

/// A file of Cell Ranger 3 or later.
fn later<'a>(source: &'a Source, group: Group, options: &ReadOptions) -> Result<Contents<'a>, ReadError> {
    let part = Part::open(source, &group)?;
    let dialect = "10x HDF5 of Cell Ranger 3 or later";
    let (further, mut uns) = (Further::default(), BTreeMap::new());
    let lists = match source.node(&group, "features")? {
        Some(Node::Group(lists)) => lists,
        // CellBender keeps what it was given: the lists of Cell Ranger 2.
        None if group.link_exists("gene_names") && options.genome.is_none() => {
            let features = Features::lists(&part, &group, None)?;
            return Ok(Contents { part, group, features, further, uns, kept: None, dialect });
        }
        _ => return Err(source.malformed(group.name(), "the group features is missing")),
    };
    let features = Features::read(&part, &lists)?;
    let mut sets = target_sets(&part, &lists)?;
    let kept = match &options.genome {
        Some(genome) => Some(of_genome(source, &lists, &features.var, genome)?),
        None => None,
    };
    if let Some(kept) = &kept {
        for positions in sets.values_mut() {
            *positions = positions.iter().filter_map(|p| kept.binary_search(p).ok()).collect();
        }
    }
    if !sets.is_empty() {
        let array = |v: Vec<usize>| Uns::Array {
            shape: vec![v.len()],
            values: Values::U32(v.into_iter().map(|p| p as u32).collect()),
        };
        let sets = sets.into_iter().map(|(name, v)| (name, array(v))).collect();
        uns.insert("target_sets".into(), Uns::Map(sets));
    }
    Ok(Contents { part, group, features, further, uns, kept, dialect })
}

/// An error of the matrix with its cause.
fn words(e: &DataError) -> String {
    std::error::Error::source(e).map_or_else(|| e.to_string(), ToString::to_string)
}

/// Puts the attributes of the file into `uns`, but for those of the library PyTables.
fn attributes(source: &Source, root: &Group, uns: &mut BTreeMap<String, Uns>) -> Result<(), ReadError> {
    let names = source.attr_names(root)?;
    for name in names {
        let tables = ["CLASS", "FILTERS", "PYTABLES_FORMAT_VERSION", "TITLE", "VERSION"];
        if tables.contains(&name.as_str()) || uns.contains_key(&name) {
            continue;
        }
        match attribute(source, root, &name) {
            Ok(Some(value)) => {
                uns.insert(name, value);
            }
            Ok(None) => {}
            // Cells and counts do not depend on them.
            Err(e) => tracing::warn!("{e}; left out"),
        }
    }
    Ok(())
}

fn attribute(source: &Source, root: &Group, name: &str) -> Result<Option<Uns>, ReadError> {
    let scalar = root.attr(name).is_ok_and(|a| a.is_scalar());
    if let Some(texts) = source.attr_strings(root, name)? {
        return Ok(Some(match (scalar, texts.as_slice()) {
            (true, [one]) => Uns::String(one.clone()),
            _ => Uns::Strings(texts),
        }));
    }
    let Some(values) = source.attr_numbers(root, name)? else { return Ok(None) };
    Ok(Some(if scalar { Uns::Number(values) } else { Uns::Array { shape: vec![values.len()], values } }))
}
