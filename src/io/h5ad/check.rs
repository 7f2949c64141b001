//! Looking for faults in an h5ad file, element by element.

use std::collections::HashMap;
use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group};

use super::{elem, frame, matrix, read};
use crate::data::{DType, Layout};
use crate::io::check::{Arrays, unbacked};
use crate::io::hdf5::{Kind, Node, Source, elements};
use crate::io::{Level, ReadError, ReadOptions, Report};

/// Entries of an array looked at in one go.
const RUN: usize = 1 << 20;

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
        let names = frame::row_names(self.source, g, &layout.index);
        let rows = match self.tried(at, names) {
            Some(names) => {
                self.duplicates(at, &names);
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
        let names: Vec<String> = table.index.iter().map(|s| s.into_owned()).collect();
        self.duplicates(at, &names);
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

    fn duplicates(&mut self, at: &str, names: &[String]) {
        let mut seen = HashMap::with_capacity(names.len());
        let mut again = 0usize;
        let mut first = None;
        for (row, name) in names.iter().enumerate() {
            if let Some(earlier) = seen.insert(name.as_str(), row) {
                again += 1;
                first.get_or_insert((name, earlier, row));
            }
        }
        if let Some((name, earlier, row)) = first {
            let what = format!("{again} names come again: {name:?} names row {earlier} and row {row}");
            let advice = "make names unique (in scanpy: obs_names_make_unique, var_names_make_unique)";
            self.report.add(Level::Warning, &format!("/{at}"), what, advice);
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
                    self.compressed(at, g, layout, shape);
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

    fn compressed(&mut self, at: &str, g: &Group, layout: Layout, (rows, columns): (usize, usize)) {
        let (major, minor) = if layout == Layout::Csr { (rows, columns) } else { (columns, rows) };
        let data = self.array(at, g, "data");
        let indices = self.array(at, g, "indices");
        let indptr = self.array(at, g, "indptr");
        let stored = data.as_ref().or(indices.as_ref()).map(|(d, _)| d.size() as u64);
        if let (Some((data, _)), Some((indices, _))) = (&data, &indices)
            && data.size() != indices.size()
        {
            let what = format!("{} indices but {} values in data", indices.size(), data.size());
            self.report.fault(&format!("/{at}"), what);
        }
        if let Some((d, dtype)) = indptr {
            let done = self.pointers(&format!("/{at}/indptr"), &d, dtype, major, stored);
            self.tried(at, done);
        }
        if let Some((d, dtype)) = indices {
            let done = self.indices(&format!("/{at}/indices"), &d, dtype, minor);
            self.tried(at, done);
        }
    }

    /// An array along one axis that can be unpacked.
    fn array(&mut self, at: &str, g: &Group, name: &str) -> Option<(Dataset, DType)> {
        let d = self.tried(at, self.source.dataset(g, name))?;
        self.tried(at, self.source.check_filters(&d))?;
        if unbacked(&d).is_some() {
            // Told when the arrays are looked at.
            return None;
        }
        match (self.source.kind(&d), d.ndim()) {
            (Kind::Number(dtype), 1) if name == "data" || !dtype.is_float() => Some((d, dtype)),
            (kind, axes) => {
                let what = format!("{} along {axes} axes, expected whole numbers along one", kind.words());
                self.report.fault(&format!("/{at}/{name}"), what);
                None
            }
        }
    }

    /// Pointers start at 0, never go back, and end at the number of stored values.
    fn pointers(
        &mut self,
        at: &str,
        d: &Dataset,
        dtype: DType,
        major: usize,
        stored: Option<u64>,
    ) -> Result<(), ReadError> {
        let n = d.size();
        if n != major.saturating_add(1) {
            self.report.fault(at, format!("{n} entries, expected {}", major.saturating_add(1)));
        }
        let mut last = None;
        for start in (0..n).step_by(RUN) {
            let run = self.source.number_rows(d, dtype, start..(start + RUN).min(n))?;
            for (i, p) in run.iter().enumerate() {
                let entry = start + i;
                match last {
                    _ if p < 0.0 => {
                        self.report.fault(at, format!("{p} at entry {entry} is negative"));
                        return Ok(());
                    }
                    None if p != 0.0 => {
                        self.report.fault(at, format!("starts at {p} instead of 0 (entry 0)"));
                    }
                    Some(before) if p < before => {
                        self.report.fault(at, format!("decreases from {before} to {p} at entry {entry}"));
                        return Ok(());
                    }
                    _ => {}
                }
                last = Some(p);
            }
        }
        if let (Some(end), Some(stored)) = (last, stored)
            && end != stored as f64
        {
            let what = format!("ends at {end} but {stored} values are stored (entry {})", n - 1);
            self.report.fault(at, what);
        }
        Ok(())
    }

    /// Indices lie within the other axis.
    fn indices(&mut self, at: &str, d: &Dataset, dtype: DType, minor: usize) -> Result<(), ReadError> {
        let n = d.size();
        let runs: Vec<usize> = if self.report.deep || n <= 3 * RUN {
            (0..n).step_by(RUN).collect()
        } else {
            // A chunk larger than this would be unpacked whole for a look.
            let chunk = d.chunk().map_or(0, |c| elements(&c));
            if chunk > 64 * RUN as u64 { vec![0] } else { vec![0, n / 2, n - RUN] }
        };
        for start in runs {
            let run = self.source.number_rows(d, dtype, start..(start + RUN).min(n))?;
            let bad = run.iter().enumerate().find(|(_, i)| *i < 0.0 || *i >= minor as f64);
            if let Some((k, index)) = bad {
                let what = format!("index {index} at position {} is outside 0..{minor}", start + k);
                self.report.fault(at, what);
                return Ok(());
            }
        }
        Ok(())
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
