//! Looking for faults in a loom file, element by element.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group};

use super::attrs::{self, Axis, Form};
use super::graphs::{COLUMN_GRAPHS, ROW_GRAPHS};
use super::{globals, graphs, matrix, read};
use crate::data::Change;
use crate::io::check::values::{self, Spot};
use crate::io::check::{Arrays, unbacked};
use crate::io::hdf5::{Node, Source};
use crate::io::{CheckReport, Level, ReadError, ReadOptions};

/// Looks for faults: the matrix and its layers, attributes of cells and genes with their lengths, graphs with their
/// vertices, what the file says of itself, then how every array is stored.
///
/// # Errors
/// [`ReadError`] when the file cannot be opened, or is no loom.
pub fn check(path: &Path, options: &ReadOptions, report: &mut CheckReport) -> Result<(), ReadError> {
    let source = Source::new(path, options);
    let file = source.open()?;
    let root: &Group = &file;
    let mut faults = Faults { source: &source, report };
    let shape = match faults.tried("/matrix", source.node(root, "matrix")).flatten() {
        Some(Node::Dataset(d)) => faults.matrix(&d),
        Some(Node::Group(_)) => {
            faults.report.fault("/matrix", "is a group, expected a dataset of genes × cells");
            None
        }
        None => match read::no_matrix(&source, root) {
            e @ ReadError::NotRecognised { .. } => return Err(e),
            e => faults.tried("/matrix", Err(e)),
        },
    };
    let (genes, cells) = (shape.map(|s| s.0), shape.map(|s| s.1));
    faults.axis(root, genes.is_some(), &Axis::genes(genes.unwrap_or(0)));
    faults.axis(root, cells.is_some(), &Axis::cells(cells.unwrap_or(0)));
    faults.layers(root, shape);
    for (groups, n) in [(ROW_GRAPHS, genes), (COLUMN_GRAPHS, cells)] {
        groups.into_iter().for_each(|group| faults.graphs(root, group, n));
    }
    let mut left = Vec::new();
    faults.tried("/attrs", globals::read(&source, root, &mut left).map(drop));
    faults.tried("/", read::unknown(&source, root, &mut left));
    faults.left(&left);
    Arrays::new(&source, report).group(root, "");
    Ok(())
}

struct Faults<'a> {
    source: &'a Source,
    report: &'a mut CheckReport,
}

impl Faults<'_> {
    fn tried<T>(&mut self, at: &str, result: Result<T, ReadError>) -> Option<T> {
        result.map_err(|e| self.report.refused(at, &e)).ok()
    }

    /// Genes and cells, as far as they can be believed.
    fn matrix(&mut self, d: &Dataset) -> Option<(usize, usize)> {
        self.report.elements += 1;
        if let Some(m) = self.tried("/matrix", matrix::open(self.source, d, true)) {
            self.values("/matrix", d);
            return Some(m.stored_shape());
        }
        match d.shape()[..] {
            [genes, cells] if unbacked(d).is_none() => Some((genes, cells)),
            _ => None,
        }
    }

    /// Tells of values that are no finite numbers. A deep check tells of them where it reads every array.
    fn values(&mut self, at: &str, d: &Dataset) {
        if self.report.deep {
            return;
        }
        if let Some(Some(found)) = self.tried(at, values::dense(self.source, d, false)) {
            let of = |n: Option<usize>| n.map_or("?".to_owned(), |n| n.to_string());
            let words = |spot: &Spot| format!("gene {}, cell {}", spot.row, of(spot.column));
            self.report.not_finite(at, &found, words);
        }
    }

    /// The attributes of an axis; whether they are as long as it is only where its length is `known`.
    fn axis(&mut self, root: &Group, known: bool, axis: &Axis) {
        let Axis { group, what, .. } = axis;
        let at = format!("/{group}");
        let g = match self.tried(&at, self.source.node(root, group)) {
            Some(Some(Node::Group(g))) => g,
            Some(Some(Node::Dataset(_))) => return self.report.fault(&at, "is a dataset, expected a group"),
            Some(None) => {
                let what = format!("is missing: every loom file has this group for its {what}");
                return self.report.fault(&at, what);
            }
            None => return,
        };
        let Some(members) = self.tried(&at, self.source.members(&g)) else { return };
        if !known {
            return;
        }
        let before = self.report.findings.len();
        for name in members {
            let at = format!("{at}/{name}");
            let Some(Some(Node::Dataset(d))) = self.tried(&at, self.source.node(&g, &name)) else { continue };
            self.report.elements += 1;
            let done = attrs::fits(self.source, &d, axis);
            if self.tried(&at, done).is_none() {
                continue;
            }
            match attrs::form(self.source, &d) {
                Form::Unknown(what) => self.odd(&at, &format!("{what} is not understood")),
                _ => {
                    self.tried(&at, attrs::element(self.source, &d, &mut Vec::new()).map(drop));
                }
            }
        }
        if self.report.findings[before..].iter().all(|f| f.level != Level::Fault) {
            // Says what a reader has to say of sound attributes: names that come again, fields it does not understand.
            let mut left = Vec::new();
            let _ = attrs::read(self.source, root, axis, &mut left);
            left.retain(|l| l.element.matches('[').count() > 1);
            self.left(&left);
        }
    }

    fn layers(&mut self, root: &Group, shape: Option<(usize, usize)>) {
        let Some(Some(Node::Group(layers))) = self.tried("/layers", self.source.node(root, "layers")) else {
            return;
        };
        let Some(members) = self.tried("/layers", self.source.members(&layers)) else { return };
        for name in members {
            let at = format!("/layers/{name}");
            match self.tried(&at, self.source.node(&layers, &name)).flatten() {
                Some(Node::Dataset(d)) => {
                    self.report.elements += 1;
                    let found = self.tried(&at, matrix::open(self.source, &d, false));
                    let found = found.map(|m| m.stored_shape());
                    if found.is_some() {
                        self.values(&at, &d);
                    }
                    if let (Some((g, c)), Some((genes, cells))) = (found, shape)
                        && (g, c) != (genes, cells)
                    {
                        let what = format!("{g} genes × {c} cells, but /matrix has {genes} × {cells}");
                        self.report.fault(&at, what);
                    }
                }
                Some(Node::Group(_)) => self.odd(&at, "a group, not a matrix"),
                None => {}
            }
        }
    }

    fn graphs(&mut self, root: &Group, group: &str, n: Option<usize>) {
        let at = format!("/{group}");
        let g = match self.tried(&at, self.source.node(root, group)).flatten() {
            Some(Node::Group(g)) => g,
            Some(Node::Dataset(_)) => return self.report.fault(&at, "is a dataset, expected a group"),
            None => return,
        };
        let Some(members) = self.tried(&at, self.source.members(&g)) else { return };
        for name in members {
            let at = format!("{at}/{name}");
            match self.tried(&at, self.source.node(&g, &name)).flatten() {
                Some(Node::Group(graph)) => {
                    self.report.elements += 1;
                    if let Some(n) = n {
                        self.tried(&at, graphs::one(self.source, &graph, n).map(drop));
                    }
                }
                Some(Node::Dataset(_)) => self.odd(&at, "not a graph (a group of a, b and w)"),
                None => {}
            }
        }
    }

    /// What a reader leaves out.
    fn left(&mut self, left: &[Change]) {
        left.iter().for_each(|l| self.odd(&l.element, &l.what));
    }

    /// Something readers pass over.
    fn odd(&mut self, at: &str, what: &str) {
        self.report.add(Level::Warning, at, what, "nothing: readers leave it out");
    }
}
