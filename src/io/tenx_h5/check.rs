//! Looking for faults in a 10x HDF5 file, element by element.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::Group;

use super::read::{FILTERED, Part, genomes, target_sets};
use crate::io::check::{Arrays, Compressed};
use crate::io::hdf5::{Kind, Node, Source};
use crate::io::{ReadError, ReadOptions, Report};

/// Looks for faults: the shape, pointers and indices of each matrix (all indices when the check is deep), barcodes, every
/// column of the features and sets of them, then how every array is stored.
///
/// # Errors
/// [`ReadError`] when the file cannot be opened, or is no 10x file.
pub fn check(path: &Path, options: &ReadOptions, report: &mut Report) -> Result<(), ReadError> {
    let source = Source { path: path.to_owned(), limits: options.limits };
    let file = source.open()?;
    let root: &Group = &file;
    match source.node(root, "matrix") {
        Ok(Some(Node::Group(g))) => Faults { source: &source, report }.matrix("matrix", &g, true),
        _ => {
            for (name, g) in genomes(&source, root)? {
                Faults { source: &source, report }.matrix(&name, &g, false);
            }
        }
    }
    Arrays::new(&source, report).group(root, "");
    Ok(())
}

struct Faults<'a> {
    source: &'a Source,
    report: &'a mut Report,
}

impl Faults<'_> {
    fn tried<T>(&mut self, at: &str, result: Result<T, ReadError>) -> Option<T> {
        self.report.elements += 1;
        result.map_err(|e| self.report.refused(&format!("/{at}"), &e)).ok()
    }

    /// A group with the three arrays, features × cells by columns, and names.
    fn matrix(&mut self, at: &str, g: &Group, later: bool) {
        let source = self.source;
        let part = self.tried(at, Part::open(source, g));
        let (cells, features) = (part.as_ref().map(|p| p.n_cells), part.as_ref().map(|p| p.n_features));
        Compressed { source, report: &mut *self.report }.check(at, g, cells, features);
        let Some(part) = part else { return };
        if let Some(names) = self.tried(at, part.texts(g, "barcodes", part.n_cells, "cells")) {
            self.report.duplicates(&format!("/{at}/barcodes"), &names);
        }
        if later {
            self.later(at, g, &part);
            return;
        }
        if let Some(names) = self.tried(at, part.features(g, "gene_names")) {
            self.report.duplicates(&format!("/{at}/gene_names"), &names);
        }
        self.tried(at, part.features(g, "genes"));
    }

    /// What Cell Ranger 3 added.
    fn later(&mut self, at: &str, g: &Group, part: &Part) {
        if let Ok(Some(Node::Dataset(d))) = self.source.node(g, FILTERED) {
            let done = part.expect(g, FILTERED, d.size(), part.n_cells, "cells");
            self.tried(at, done);
        }
        let Some(node) = self.tried(at, self.source.node(g, "features")) else { return };
        let Some(Node::Group(features)) = node else {
            return self.report.fault(&format!("/{at}"), "the group features is missing");
        };
        let inside = format!("{at}/features");
        if let Some(names) = self.tried(&inside, part.features(&features, "name")) {
            self.report.duplicates(&format!("/{inside}/name"), &names);
        }
        for required in ["id", "feature_type"] {
            self.tried(&inside, part.features(&features, required));
        }
        let Some(members) = self.tried(&inside, self.source.members(&features)) else { return };
        for name in members {
            if ["name", "id", "feature_type", "_all_tag_keys"].contains(&name.as_str()) {
                continue;
            }
            let Ok(Some(Node::Dataset(d))) = self.source.node(&features, &name) else { continue };
            let done = match self.source.kind(&d) {
                Kind::Text(_) => part.features(&features, &name).map(drop),
                _ => part.expect(&features, &name, d.size(), part.n_features, "features"),
            };
            self.tried(&inside, done);
        }
        self.tried(&inside, target_sets(part, &features));
    }
}
