//! Looking for faults in a 10x HDF5 file, element by element.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::Group;

use super::features::{Features, target_sets};
use super::further;
use super::part::FILTERED;
use super::part::Part;
use super::read::{genomes, whole_genome};
use crate::io::check::{Arrays, Compressed};
use crate::io::hdf5::{Node, Source, length};
use crate::io::{CheckReport, Level, ReadError, ReadOptions};

/// Looks for faults: the shape, pointers and indices of each matrix (all indices when the check is deep), barcodes, every
/// column of the features and sets of them, then how every array is stored.
///
/// # Errors
/// [`ReadError`] when the file cannot be opened, or is no 10x file.
pub fn check(path: &Path, options: &ReadOptions, report: &mut CheckReport) -> Result<(), ReadError> {
    let source = Source::new(path, options);
    let file = source.open()?;
    let root: &Group = &file;
    match source.node(root, "matrix") {
        Ok(Some(Node::Group(g))) => Faults { source: &source, report }.matrix("matrix", root, &g, true),
        _ => {
            for (name, g) in genomes(&source, root)? {
                Faults { source: &source, report }.matrix(&name, root, &g, false);
            }
        }
    }
    Arrays::new(&source, report).group(root, "");
    Ok(())
}

struct Faults<'a> {
    source: &'a Source,
    report: &'a mut CheckReport,
}

impl Faults<'_> {
    fn tried<T>(&mut self, at: &str, result: Result<T, ReadError>) -> Option<T> {
        self.report.elements += 1;
        result.map_err(|e| self.report.refused(&format!("/{at}"), &e)).ok()
    }

    /// A group with the three arrays, features × cells by columns, and names.
    fn matrix(&mut self, at: &str, root: &Group, g: &Group, later: bool) {
        let source = self.source;
        let whole = if later { Ok(()) } else { whole_genome(source, g) };
        let whole = self.tried(at, whole).is_some();
        let part = if whole { self.tried(at, Part::open(source, g)) } else { None };
        let (cells, features) = (part.as_ref().map(|p| p.n_cells), part.as_ref().map(|p| p.n_features));
        Compressed { source, report: &mut *self.report }.check(at, g, cells, features);
        let Some(part) = part else { return };
        if let Some(names) = self.tried(at, part.barcodes(g)) {
            self.report.duplicates(&format!("/{at}/barcodes"), &names);
        }
        if later {
            self.later(at, g, &part);
        } else {
            let lists = self.tried(at, Features::lists(&part, g, None));
            self.features(&format!("/{at}/gene_names"), lists);
        }
        for change in further::read(&part, root, g, &|| part.barcodes(g)).changes {
            let what = format!("scx leaves it behind: {}", change.what);
            self.report.add(Level::Warning, &change.element, what, "nothing, unless you need it");
        }
    }

    /// What Cell Ranger 3 added.
    fn later(&mut self, at: &str, g: &Group, part: &Part) {
        if let Ok(Some(Node::Dataset(d))) = self.source.node(g, FILTERED) {
            let done = part.expect(g, FILTERED, length(&d), part.n_cells, "cells");
            self.tried(at, done);
        }
        let Some(node) = self.tried(at, self.source.node(g, "features")) else { return };
        let inside = format!("{at}/features");
        let lists = match node {
            Some(Node::Group(lists)) => {
                for name in ["name", "id", "gene_id"].iter().filter(|n| lists.link_exists(n)) {
                    self.tried(&inside, part.features(&lists, name));
                }
                self.tried(&inside, target_sets(part, &lists));
                self.tried(&inside, Features::read(part, &lists))
            }
            None if g.link_exists("gene_names") => self.tried(at, Features::lists(part, g, None)),
            _ => return self.report.fault(&format!("/{at}"), "the group features is missing"),
        };
        self.features(&format!("/{inside}/name"), lists);
    }

    /// Names that come again, and what is not as the format has it.
    fn features(&mut self, at: &str, features: Option<Features>) {
        let Some(features) = features else { return };
        if let Some(names) = features.var.index.stored() {
            self.report.duplicates(at, names);
        }
        for change in features.changes {
            self.report.fault(&format!("/matrix/{}", change.element), change.what);
        }
    }
}
