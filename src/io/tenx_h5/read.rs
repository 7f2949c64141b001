//! From a 10x HDF5 file to a [`Dataset`].

use std::collections::BTreeMap;
use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::Group;
use hdf5::types::TypeDescriptor;

use crate::data::{
    Column, DType, DataError, Dataset, Frame, Index, Layout, Matrix, Source as Origin, Take, Uns, Values,
};
use crate::io::hdf5::{Kind, Node, Source, has_magic, open_compressed, open_shared, whole_size};
use crate::io::tenx::{GENOME, IDS, TYPES, names, warn_duplicates};
use crate::io::{Fit, Probe, ReadError, ReadOptions};

/// Column of cells that says which barcodes are cells.
pub(super) const FILTERED: &str = "filtered_barcodes";

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
    if groups.iter().any(is_genome) { Fit::Sure } else { Fit::No }
}

/// Whether a group holds the matrix of a genome, as Cell Ranger before 3 wrote it.
fn is_genome(g: &Group) -> bool {
    g.link_exists("barcodes") && (g.link_exists("genes") || g.link_exists("gene_names"))
}

/// Reads a 10x HDF5 file. Names come into memory, the matrix stays on disk.
///
/// Features of all kinds and genomes are read unless `options.genome` names one. A file of Cell Ranger 2 with several
/// genomes holds a matrix for each: one must then be named.
///
/// # Errors
/// [`ReadError`] that names the file and the element.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Dataset, ReadError> {
    let source = Source { path: path.to_owned(), limits: options.limits };
    let file = source.open()?;
    let contents = Contents::open(&source, &file, options)?;
    let x = contents.part.matrix(&contents.group)?;
    let obs = contents.part.cells(&contents.group)?;
    let dataset = contents.dataset(obs, Some(x))?;
    dataset.check().map_err(|e| source.malformed("/", e.to_string()))?;
    warn_duplicates(path, "barcodes", &names(&dataset.obs));
    warn_duplicates(path, "names of features", &names(&dataset.var));
    Ok(dataset)
}

/// What a file holds but for its cells and the matrix.
pub(super) struct Contents<'a> {
    /// Where the matrix is, and its shape.
    pub(super) part: Part<'a>,
    /// The group with the arrays.
    pub(super) group: Group,
    /// All features.
    var: Frame,
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
        attributes(source, root, &mut contents.uns)?;
        Ok(contents)
    }

    /// A data set of these cells and their counts of all features, which the genome asked for is chosen from.
    pub(super) fn dataset(self, obs: Frame, x: Option<Matrix>) -> Result<Dataset, ReadError> {
        let source = self.part.source;
        let mut dataset = Dataset::new(obs, self.var);
        dataset.x = x;
        dataset.source =
            Origin { path: source.path.clone(), dialect: self.dialect.to_owned(), keywords: Vec::new() };
        if let Some(kept) = &self.kept {
            let chosen = Take::entries(self.part.n_features, kept)
                .and_then(|columns| dataset.select(&Take::all(self.part.n_cells), &columns));
            dataset = chosen.map_err(|e| source.malformed(self.group.name(), words(&e)))?;
        }
        dataset.uns = self.uns;
        Ok(dataset)
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
    let part = Part::open(source, &group)?;
    let var = Frame::new(Index::names(part.features(&group, "gene_names")?))
        .with(IDS, Column::Strings(part.features(&group, "genes")?))
        .with(GENOME, Column::Strings(vec![name; part.n_features]));
    let dialect = "10x HDF5 of Cell Ranger 2";
    Ok(Contents { part, group, var, uns: BTreeMap::new(), kept: None, dialect })
}

/// A file of Cell Ranger 3 or later.
fn later<'a>(source: &'a Source, group: Group, options: &ReadOptions) -> Result<Contents<'a>, ReadError> {
    let part = Part::open(source, &group)?;
    let features = match source.node(&group, "features")? {
        Some(Node::Group(features)) => features,
        _ => return Err(source.malformed(group.name(), "the group features is missing")),
    };
    let var = table(&part, &features)?;
    let mut sets = target_sets(&part, &features)?;
    let kept = match &options.genome {
        Some(genome) => Some(of_genome(source, &features, &var, genome)?),
        None => None,
    };
    if let Some(kept) = &kept {
        for positions in sets.values_mut() {
            *positions = positions.iter().filter_map(|p| kept.binary_search(p).ok()).collect();
        }
    }
    let mut uns = BTreeMap::new();
    if !sets.is_empty() {
        let array = |v: Vec<usize>| Uns::Array {
            shape: vec![v.len()],
            values: Values::U32(v.into_iter().map(|p| p as u32).collect()),
        };
        let sets = sets.into_iter().map(|(name, v)| (name, array(v))).collect();
        uns.insert("target_sets".into(), Uns::Map(sets));
    }
    Ok(Contents { part, group, var, uns, kept, dialect: "10x HDF5 of Cell Ranger 3 or later" })
}

/// An error of the matrix with its cause.
fn words(e: &DataError) -> String {
    std::error::Error::source(e).map_or_else(|| e.to_string(), ToString::to_string)
}

/// The features as a table: the name is the index, ids and kind come first, every other dataset follows by its name.
fn table(part: &Part, features: &Group) -> Result<Frame, ReadError> {
    let mut var = Frame::new(Index::names(part.features(features, "name")?));
    let id = part.features(features, "id")?;
    if features.link_exists("gene_id") {
        var = var.with(IDS, Column::Strings(part.features(features, "gene_id")?));
        var = var.with("probe_ids", Column::Strings(id));
    } else {
        var = var.with(IDS, Column::Strings(id));
    }
    var = var.with(TYPES, Column::Strings(part.features(features, "feature_type")?));
    for name in part.source.members(features)? {
        if ["name", "id", "gene_id", "feature_type", "_all_tag_keys"].contains(&name.as_str()) {
            continue;
        }
        let Some(Node::Dataset(d)) = part.source.node(features, &name)? else { continue };
        let column = match part.source.kind(&d) {
            Kind::Text(_) => Column::Strings(part.features(features, &name)?),
            Kind::Number(dtype) => Column::Numbers(part.source.numbers(&d, dtype)?),
            _ => {
                tracing::warn!("{}: {}: of a type scx does not know; left out", part.path(), d.name());
                continue;
            }
        };
        part.expect(features, &name, column.len(), part.n_features, "features")?;
        if var.column(&name).is_some() {
            tracing::warn!("{}: {}: the column is there already; left out", part.path(), d.name());
            continue;
        }
        var = var.with(&name, column);
    }
    Ok(var)
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
fn of_genome(source: &Source, features: &Group, var: &Frame, genome: &str) -> Result<Vec<usize>, ReadError> {
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

/// A group with the three arrays, barcodes and features.
pub(super) struct Part<'a> {
    pub(super) source: &'a Source,
    pub(super) n_features: usize,
    pub(super) n_cells: usize,
}

impl<'a> Part<'a> {
    /// Reads the shape, features × cells.
    pub(super) fn open(source: &'a Source, g: &Group) -> Result<Self, ReadError> {
        let d = source.dataset(g, "shape")?;
        let found = match source.kind(&d) {
            Kind::Number(dtype) if d.size() == 2 => source.numbers(&d, dtype)?,
            _ => Values::empty(DType::I64),
        };
        let size = |i| found.get(i).and_then(whole_size);
        match (size(0), size(1)) {
            (Some(n_features), Some(n_cells)) => Ok(Self { source, n_features, n_cells }),
            _ => Err(source.malformed(d.name(), "does not hold two whole numbers, features and cells")),
        }
    }

    fn path(&self) -> std::path::Display<'_> {
        self.source.path.display()
    }

    /// A dataset of text, one for each feature.
    pub(super) fn features(&self, g: &Group, name: &str) -> Result<Vec<String>, ReadError> {
        self.texts(g, name, self.n_features, "features")
    }

    pub(super) fn texts(
        &self,
        g: &Group,
        name: &str,
        n: usize,
        what: &str,
    ) -> Result<Vec<String>, ReadError> {
        let (d, ty) = self.list(g, name, n, what)?;
        self.source.strings(&d, &ty)
    }

    /// A list of `n` texts, not read yet.
    pub(super) fn list(
        &self,
        g: &Group,
        name: &str,
        n: usize,
        what: &str,
    ) -> Result<(hdf5::Dataset, TypeDescriptor), ReadError> {
        let d = self.source.dataset(g, name)?;
        let Kind::Text(ty) = self.source.kind(&d) else {
            return Err(self.source.malformed(d.name(), "holds no text"));
        };
        // Before they are read: the length is a claim.
        self.expect(g, name, d.size(), n, what)?;
        Ok((d, ty))
    }

    pub(super) fn expect(
        &self,
        g: &Group,
        name: &str,
        found: usize,
        n: usize,
        what: &str,
    ) -> Result<(), ReadError> {
        if found == n {
            return Ok(());
        }
        let what = format!("{found} entries, but the shape says {n} {what}");
        Err(self.source.malformed(format!("{}/{name}", g.name()), what))
    }

    /// Features × cells by columns are cells × features by rows.
    pub(super) fn matrix(&self, g: &Group) -> Result<Matrix, ReadError> {
        let shape = (self.n_cells, self.n_features);
        Ok(open_compressed(self.source, g, Layout::Csr, shape)?.into_matrix())
    }

    /// The table of cells.
    fn cells(&self, g: &Group) -> Result<Frame, ReadError> {
        let barcodes = self.texts(g, "barcodes", self.n_cells, "cells")?;
        let obs = Frame::new(Index::names(barcodes));
        Ok(match self.filtered(g)? {
            Some((d, dtype)) => obs.with(FILTERED, Column::Numbers(self.source.numbers(&d, dtype)?)),
            None => obs,
        })
    }

    /// Where it stands which barcodes are cells, if anywhere.
    pub(super) fn filtered(&self, g: &Group) -> Result<Option<(hdf5::Dataset, DType)>, ReadError> {
        let Some(Node::Dataset(d)) = self.source.node(g, FILTERED)? else { return Ok(None) };
        let Kind::Number(dtype) = self.source.kind(&d) else { return Ok(None) };
        self.expect(g, FILTERED, d.size(), self.n_cells, "cells")?;
        Ok(Some((d, dtype)))
    }
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
