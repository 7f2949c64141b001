//! Looking for faults in an h5ad file, element by element.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group};

use super::rows::{self, Names};
use super::{elem, frame, matrix, raw, read};
use crate::data::{self, Index, Layout};
use crate::io::check::values::{self, Found, Spot};
use crate::io::check::{Arrays, Compressed};
use crate::io::hdf5::{Kind, Node, Source, extent, is_null, length};
use crate::io::{CheckReport, Level, ReadError, ReadOptions};

/// Looks for faults: what AnnData does not define, tables and their columns, the shapes of all matrices, pointers, indices
/// and values (all of them when the check is deep, else the first, middle and last million) and `uns`, then how every array
/// is stored.
///
/// # Errors
/// [`ReadError`] when the file cannot be opened, or is no AnnData.
pub fn check(path: &Path, options: &ReadOptions, report: &mut CheckReport) -> Result<(), ReadError> {
    let source = Source::new(path, options);
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
    let mut faults = Faults { source: &source, report, read: Vec::new() };
    faults.root(root);
    let n = obs.and_then(|node| faults.table("obs", &node, None));
    let g = var.and_then(|node| faults.table("var", &node, None));
    let (cells, variables) = (Some(("obs", n.as_ref())), Some(("var", g.as_ref())));
    if let Some(x) = faults.member(root, "X") {
        faults.matrix("X", &x, [cells, variables]);
    }
    for (group, axes) in [
        ("layers", [cells, variables]),
        ("obsm", [cells, None]),
        ("varm", [variables, None]),
        ("obsp", [cells, cells]),
        ("varp", [variables, variables]),
    ] {
        faults.group(root, group, group, axes);
    }
    faults.raw(root, cells);
    faults.uns(root);
    let read = std::mem::take(&mut faults.read);
    Arrays::new(&source, report).passing_over(read).group(root, "");
    Ok(())
}

/// What is known of the rows of a table.
struct Rows {
    names: Index,
    columns: Vec<String>,
}

/// An axis a matrix shares with a table: its name, and its rows where they can be told.
type Axis<'a> = Option<(&'static str, Option<&'a Rows>)>;

fn len(axis: Axis) -> Option<usize> {
    axis.and_then(|(_, rows)| rows).map(|rows| rows.names.len())
}

fn name(axis: Axis, i: usize) -> Option<String> {
    axis?.1?.names.get(i).map(|name| name.into_owned())
}

type Want = (Option<usize>, Option<usize>);

struct Faults<'a> {
    source: &'a Source,
    report: &'a mut CheckReport,
    /// Arrays whose values have all been looked at.
    read: Vec<String>,
}

impl Faults<'_> {
    /// Members of the root that AnnData does not define.
    fn root(&mut self, root: &Group) {
        for name in self.tried("", self.source.members(root)).unwrap_or_default() {
            if !read::defined(&name) {
                let advice = format!(
                    "scx leaves it out of what it writes (in Python: del h5py.File(FILE, \"r+\")[{name:?}])"
                );
                self.report.add(Level::Warning, &format!("/{name}"), read::UNDEFINED, &advice);
            }
        }
    }

    /// A member that can be opened.
    fn member(&mut self, g: &Group, name: &str) -> Option<Node> {
        self.source.node(g, name).unwrap_or_else(|e| {
            self.report.refused(name, &e);
            None
        })
    }

    /// Checks a table; returns its rows when they can be told.
    fn table(&mut self, at: &str, node: &Node, want: Option<usize>) -> Option<Rows> {
        let Node::Group(g) = node else { return self.records(at, node, want) };
        let layout = self.tried(at, frame::layout(self.source, g))?;
        for name in frame::unlisted(self.source, node) {
            let what = "lies in the table, which does not list it in column-order";
            let advice = "scx leaves it out of what it writes, as anndata does";
            self.report.add(Level::Warning, &format!("/{at}/{name}"), what, advice);
        }
        let names = frame::row_names(self.source, g, &layout.index, None);
        let names = match self.tried(at, names) {
            Some(names) => {
                self.report.duplicates(&format!("/{at}"), &names);
                Index::Names { name: layout.index.clone(), values: names }
            }
            // The columns may be sound: the first one says how long they should be.
            None => {
                let first = layout.order.first().and_then(|name| self.member(g, name));
                match first {
                    Some(Node::Dataset(d)) => Index::Range(length(&d)),
                    _ => return None,
                }
            }
        };
        self.length(at, names.len(), want);
        for name in &layout.order {
            self.report.elements += 1;
            let column = frame::column(self.source, g, name, names.len());
            self.tried(&format!("{at}/{name}"), column);
        }
        Some(Rows { names, columns: layout.order })
    }

    /// A table of records.
    fn records(&mut self, at: &str, node: &Node, want: Option<usize>) -> Option<Rows> {
        let table = frame::read(self.source, node);
        let table = self.tried(at, table)?;
        if let Some(names) = table.index.stored() {
            self.report.duplicates(&format!("/{at}"), names);
        }
        self.length(at, table.len(), want);
        self.report.elements += table.columns.len();
        Some(Rows { names: table.index, columns: table.columns.into_iter().map(|(name, _)| name).collect() })
    }

    fn tried<T>(&mut self, at: &str, result: Result<T, ReadError>) -> Option<T> {
        result.map_err(|e| self.report.refused(&format!("/{at}"), &e)).ok()
    }

    fn length(&mut self, at: &str, rows: usize, want: Option<usize>) {
        if let Some(want) = want.filter(|w| *w != rows) {
            self.report.fault(&format!("/{at}"), format!("{rows} rows, expected {want}"));
        }
    }

    /// Checks the members of the group `name`, which a report calls `called`.
    fn group(&mut self, root: &Group, name: &str, called: &str, axes: [Axis; 2]) {
        match self.member(root, name) {
            Some(Node::Group(g)) => {
                let Some(members) = self.tried(called, self.source.members(&g)) else { return };
                for member in members {
                    if let Some(node) = self.member(&g, &member) {
                        self.matrix(&format!("{called}/{member}"), &node, axes);
                    }
                }
            }
            // anndata 0.5: records, one row for each cell.
            Some(Node::Dataset(d)) => self.length(called, length(&d), len(axes[0])),
            None => {}
        }
    }

    /// Checks a matrix, or a table in the place of one.
    fn matrix(&mut self, at: &str, node: &Node, axes: [Axis; 2]) {
        self.report.elements += 1;
        let want = (len(axes[0]), len(axes[1]));
        let encoding = self.source.attr_string(node.location(), "encoding-type");
        let deep = self.report.deep;
        // Only X, layers and raw hold what was measured.
        let measured = at == "X" || at == "raw/X" || at.starts_with("layers/");
        let found = match (self.tried(at, encoding).flatten().as_deref(), node) {
            (Some("null"), _) => return,
            (Some("dataframe"), node) => {
                if let Some(table) = self.table(at, node, want.0) {
                    self.row_names(at, &table, axes[0]);
                }
                return;
            }
            (_, Node::Dataset(d)) => {
                self.dense(at, d, want);
                if measured { values::dense(self.source, d, deep) } else { return }
            }
            (encoding, Node::Group(g)) => match matrix::layout(self.source, g) {
                Ok(Some((layout, shape))) => {
                    self.shape(at, shape, want);
                    let layout = self.compressed(at, g, layout, shape);
                    if measured { values::compressed(self.source, g, layout, deep) } else { return }
                }
                Ok(None) => {
                    let what = format!("encoding {} is not understood", encoding.unwrap_or("group"));
                    let level = if at == "X" { Level::Fault } else { Level::Note };
                    return self.report.add(level, &format!("/{at}"), what, "nothing: it stays as it is");
                }
                Err(e) => return self.report.refused(at, &e),
            },
        };
        if let Some(found) = self.tried(at, found).flatten() {
            self.values(at, node, &found, axes);
        }
    }

    /// The arrays of a sparse matrix, which may be compressed along the other axis than it says; returns along which.
    fn compressed(&mut self, at: &str, g: &Group, layout: Layout, shape: (usize, usize)) -> Layout {
        let wrong = matrix::mislabelled(self.source, g, layout, shape);
        let layout = match self.tried(at, wrong).flatten() {
            None => layout,
            Some((what, advice)) => {
                self.report.add(Level::Fault, &format!("/{at}"), what, &advice);
                if layout == Layout::Csr { Layout::Csc } else { Layout::Csr }
            }
        };
        let (major, minor) = if layout == Layout::Csr { shape } else { (shape.1, shape.0) };
        Compressed { source: self.source, report: self.report }.check(at, g, Some(major), Some(minor));
        layout
    }

    /// The row names of a table must be those of the cells or variables.
    fn row_names(&mut self, at: &str, table: &Rows, axis: Axis) {
        let Some((axis, Some(wanted))) = axis else { return };
        if table.names.len() != wanted.names.len() {
            return;
        }
        let place = format!("/{at}");
        let mends = "scx writes it with the right names in the right order: scx convert FILE NEW.h5ad";
        match Names::of(&table.names, &wanted.names, axis) {
            Names::Same => {}
            Names::Numbered(from) => {
                let what = format!(
                    "its rows are named {from}, {}, … and not as in {axis}; anndata refuses the file",
                    from + 1
                );
                self.report.add(Level::Warning, &place, what, mends);
            }
            Names::Shuffled(_) => {
                let what = format!("its rows lie in another order than in {axis}; anndata refuses the file");
                self.report.add(Level::Warning, &place, what, mends);
            }
            Names::Foreign(what) => self.report.add(Level::Fault, &place, what, &rows::advice(&place)),
        }
    }

    /// Tells of values that are no finite numbers, and of negative ones where there are counts.
    fn values(&mut self, at: &str, node: &Node, found: &Found, axes: [Axis; 2]) {
        let place = format!("/{at}");
        if found.all() {
            self.read.push(match node {
                Node::Group(_) => format!("{place}/data"),
                Node::Dataset(_) => place.clone(),
            });
        }
        let words = |spot: &Spot| {
            let (cell, variable) = (name(axes[0], spot.row), spot.column.and_then(|c| name(axes[1], c)));
            data::place(cell.as_deref(), Some(spot.row), variable.as_deref(), spot.column)
        };
        self.report.not_finite(&place, found, words);
        if found.fractions && at.eq_ignore_ascii_case("layers/counts") {
            let what = format!("is called counts and holds values with fractions, among {}", found.words());
            let advice = "raw counts are whole numbers: take them anew, or round those of SoupX, CellBender or an EM \
                          algorithm with --round";
            self.report.add(Level::Warning, &place, what, advice);
        }
        if let Some(spot) = found.negative.as_ref().filter(|_| self.are_counts(at, node, found, axes[1])) {
            let what = format!(
                "counts below zero: {} at {}; {} negative among {}",
                spot.value,
                words(spot),
                found.below,
                found.words()
            );
            let advice = "counts are 0 or more: take them anew from the program that made them (CellBender 0.3.1 made \
                          negative ones), or set these to 0";
            self.report.add(Level::Fault, &place, what, advice);
        }
    }

    /// Whether a matrix is called counts, or holds whole numbers where counts are kept: not channels of a cytometer, and
    /// not signs.
    fn are_counts(&self, at: &str, node: &Node, found: &Found, variables: Axis) -> bool {
        if at.eq_ignore_ascii_case("layers/counts") {
            return true;
        }
        let columns = variables.and_then(|(_, rows)| rows).map_or(&[][..], |rows| &rows.columns);
        let channels = columns.iter().any(|name| name == "channel" || name == "marker");
        let values = match node {
            Node::Dataset(d) => Some(d.clone()),
            Node::Group(g) => self.source.dataset(g, "data").ok(),
        };
        let integers =
            values.is_some_and(|d| matches!(self.source.kind(&d), Kind::Number(dtype) if !dtype.is_float()));
        let whole = integers || (!found.fractions && found.odd.is_none());
        !at.starts_with("layers/") && !channels && whole && found.max > 1.0
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
        let shape = extent(d);
        match (self.source.kind(d), &shape[..]) {
            (Kind::Number(_), _) if is_null(d) => {
                if let (Some(rows @ 1..), Some(columns @ 1..)) = want {
                    let what = format!("has no entries (a null data space), expected {rows} × {columns}");
                    self.report.fault(&format!("/{at}"), what);
                }
            }
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
    fn raw(&mut self, root: &Group, cells: Axis) {
        let place = raw::place(self.source, root);
        let Some((g, [x, var, varm])) = self.tried("raw", place).flatten() else { return };
        let table = self.member(&g, var).and_then(|node| self.table("raw/var", &node, None));
        let x = self.member(&g, x);
        if x.is_some() && !g.link_exists(var) {
            let what = "there is none: the variables of raw have no names; anndata and scx number them";
            self.report.add(Level::Warning, "/raw/var", what, "write raw anew with its variables");
        }
        let mut variables: Axis = Some(("raw/var", table.as_ref()));
        if let Some(x) = x {
            let shape = match &x {
                Node::Dataset(d) => match extent(d)[..] {
                    [rows, columns] => Some((rows, columns)),
                    _ => None,
                },
                Node::Group(g) => matrix::layout(self.source, g).ok().flatten().map(|(_, shape)| shape),
            };
            if let (Some((rows, columns)), Some(table)) = (shape, &table)
                && let Some(what) = raw::misfit((rows, columns), table.names.len(), rows)
            {
                self.report.add(Level::Fault, "/raw/var", what, raw::ADVICE);
                variables = None;
            }
            self.matrix("raw/X", &x, [cells, variables]);
        }
        self.group(&g, varm, "raw/varm", [Some(("raw/var", table.as_ref())), None]);
    }

    fn uns(&mut self, root: &Group) {
        let report = &mut *self.report;
        let read = elem::uns_telling(self.source, root, &mut |at, e| report.refused(at, e));
        if let Some(all) = self.tried("uns", read) {
            self.report.elements += all.len();
        }
    }
}
