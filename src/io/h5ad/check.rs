//! Looking for faults in an h5ad file, element by element.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group};

use super::{elem, frame, matrix, read};
use crate::data::Layout;
use crate::io::check::{Arrays, Compressed};
use crate::io::hdf5::{Kind, Node, Source};
use crate::io::{Level, ReadError, ReadOptions, Report};

/// Looks for faults: tables and their columns, the shapes of all matrices, pointers, indices (all of them when the check
/// is deep, else the first, middle and last million) and `uns`, then how every array is stored.
///
/// # Errors
/// [`ReadError`] when the file cannot be opened, or is no AnnData.
pub fn check(path: &Path, options: &ReadOptions, report: &mut Report) -> Result<(), ReadError> {
    let source = Source { path: path.to_owned(), limits: options.limits };
    let file = source.open()?;
    let root: &Group = &file;
    // A table that is missing is a fault like any other, as long as there is one.
    let (obs, var) = match read::tables(&source, root) {
        Ok((obs, var)) => (Some(obs), Some(var)),
        Err(e @ ReadError::NotRecognised { .. }) => return Err(e),
        Err(e) => {
            report.refused("/", &e);
            (source.node(root, "obs").ok().flatten(), source.node(root, "var").ok().flatten())
        }
    };
    let mut faults = Faults { source: &source, report };
    let n = obs.and_then(|node| faults.table("obs", &node, None));
    let g = var.and_then(|node| faults.table("var", &node, None));
    if let Some(x) = faults.member(root, "X") {
        faults.matrix("X", &x, (n, g));
    }
    for (group, want) in
        [("layers", (n, g)), ("obsm", (n, None)), ("varm", (g, None)), ("obsp", (n, n)), ("varp", (g, g))]
    {
        faults.group(root, group, want);
    }
    faults.raw(root, n);
    faults.uns(root);
    Arrays::new(&source, report).group(root, "");
    Ok(())
}

type Want = (Option<usize>, Option<usize>);

struct Faults<'a> {
    source: &'a Source,
    report: &'a mut Report,
}

impl Faults<'_> {
    /// A member that can be opened.
    fn member(&mut self, g: &Group, name: &str) -> Option<Node> {
        self.source.node(g, name).unwrap_or_else(|e| {
            self.report.refused(name, &e);
            None
        })
    }

    /// Checks a table; returns its number of rows when that can be told.
    fn table(&mut self, at: &str, node: &Node, want: Option<usize>) -> Option<usize> {
        let Node::Group(g) = node else { return self.records(at, node, want) };
        let layout = self.tried(at, frame::layout(self.source, g))?;
        let names = frame::row_names(self.source, g, &layout.index, None);
        let rows = match self.tried(at, names) {
            Some(names) => {
                self.report.duplicates(&format!("/{at}"), &names);
                names.len()
            }
            // The columns may be sound: the first one says how long they should be.
            None => {
                let first = layout.order.first().and_then(|name| self.member(g, name));
                match first {
                    Some(Node::Dataset(d)) => d.size(),
                    _ => return None,
                }
            }
        };
        self.length(at, rows, want);
        for name in &layout.order {
            self.report.elements += 1;
            let column = frame::column(self.source, g, name, rows);
            self.tried(&format!("{at}/{name}"), column);
        }
        Some(rows)
    }

    /// A table of records.
    fn records(&mut self, at: &str, node: &Node, want: Option<usize>) -> Option<usize> {
        let table = frame::read(self.source, node);
        let table = self.tried(at, table)?;
        if let Some(names) = table.index.stored() {
            self.report.duplicates(&format!("/{at}"), names);
        }
        self.length(at, table.len(), want);
        self.report.elements += table.columns.len();
        Some(table.len())
    }

    fn tried<T>(&mut self, at: &str, result: Result<T, ReadError>) -> Option<T> {
        result.map_err(|e| self.report.refused(&format!("/{at}"), &e)).ok()
    }

    fn length(&mut self, at: &str, rows: usize, want: Option<usize>) {
        if let Some(want) = want.filter(|w| *w != rows) {
            self.report.fault(&format!("/{at}"), format!("{rows} rows, expected {want}"));
        }
    }

    fn group(&mut self, root: &Group, name: &str, want: Want) {
        match self.member(root, name) {
            Some(Node::Group(g)) => {
                let Some(members) = self.tried(name, self.source.members(&g)) else { return };
                for member in members {
                    if let Some(node) = self.member(&g, &member) {
                        self.matrix(&format!("{name}/{member}"), &node, want);
                    }
                }
            }
            // anndata 0.5: records, one row for each cell.
            Some(Node::Dataset(d)) => self.length(name, d.size(), want.0),
            None => {}
        }
    }

    /// Checks a matrix, or a table in the place of one.
    fn matrix(&mut self, at: &str, node: &Node, want: Want) {
        self.report.elements += 1;
        let encoding = self.source.attr_string(node.location(), "encoding-type");
        match (self.tried(at, encoding).flatten().as_deref(), node) {
            (Some("null"), _) => {}
            (Some("dataframe"), node) => {
                self.table(at, node, want.0);
            }
            (_, Node::Dataset(d)) => self.dense(at, d, want),
            (encoding, Node::Group(g)) => match matrix::layout(self.source, g) {
                Ok(Some((layout, shape))) => {
                    self.shape(at, shape, want);
                    let (major, minor) = if layout == Layout::Csr { shape } else { (shape.1, shape.0) };
                    Compressed { source: self.source, report: self.report }.check(
                        at,
                        g,
                        Some(major),
                        Some(minor),
                    );
                }
                Ok(None) => {
                    let what = format!("encoding {} is not understood", encoding.unwrap_or("group"));
                    let level = if at == "X" { Level::Fault } else { Level::Note };
                    self.report.add(level, &format!("/{at}"), what, "nothing: it stays as it is");
                }
                Err(e) => self.report.refused(at, &e),
            },
        }
    }

    fn shape(&mut self, at: &str, found: (usize, usize), want: Want) {
        let off = want.0.is_some_and(|w| w != found.0) || want.1.is_some_and(|w| w != found.1);
        if off {
            let word = |w: Option<usize>| w.map_or_else(|| "any".into(), |w| w.to_string());
            let what =
                format!("shape {} × {}, expected {} × {}", found.0, found.1, word(want.0), word(want.1));
            self.report.fault(&format!("/{at}"), what);
        }
    }

    fn dense(&mut self, at: &str, d: &Dataset, want: Want) {
        let shape = d.shape();
        match (self.source.kind(d), &shape[..]) {
            (Kind::Number(_), [rows]) => self.shape(at, (*rows, 1), (want.0, want.1)),
            (Kind::Number(_), [rows, columns]) => self.shape(at, (*rows, *columns), want),
            (Kind::Number(_), [rows, ..]) if at != "X" => self.length(at, *rows, want.0),
            (kind, shape) => {
                let what =
                    format!("{} along {} axes, expected a matrix of numbers", kind.words(), shape.len());
                let level = if at == "X" { Level::Fault } else { Level::Note };
                self.report.add(level, &format!("/{at}"), what, "nothing: it stays as it is");
            }
        }
    }

    /// `raw` has cells in common with X and variables of its own.
    fn raw(&mut self, root: &Group, n: Option<usize>) {
        let (x, var) = match self.member(root, "raw") {
            Some(Node::Group(g)) => (self.member(&g, "X"), self.member(&g, "var")),
            _ => (self.member(root, "raw.X"), self.member(root, "raw.var")),
        };
        let g = var.and_then(|node| self.table("raw/var", &node, None));
        if let Some(x) = x {
            self.matrix("raw/X", &x, (n, g));
        }
    }

    fn uns(&mut self, root: &Group) {
        let report = &mut *self.report;
        let read = elem::uns_telling(self.source, root, &mut |at, e| report.refused(at, e));
        if let Some(all) = self.tried("uns", read) {
            self.report.elements += all.len();
        }
    }
}
