//! What a file holds beside counts, barcodes and features: mostly what CellBender learnt of droplets and genes.
//!
//! CellBender 0.1 and 0.2 keep it beside the matrix (`latent_…`), 0.3 in `droplet_latents`, `global_latents` and
//! `metadata`. Its arrays may cover some of the barcodes only, in an order of their own: `barcode_indices_for_latents`
//! says which, as positions among the barcodes CellBender was given. A file of cells alone holds fewer barcodes than
//! that; `metadata/barcodes_analyzed` then has their names.

use std::collections::{BTreeMap, HashMap};

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group};

use super::part::Part;
use super::spread::Spread;
use super::tree;
use crate::data::{Annotation, Change, Column, Dense, Matrix, Names, Take, Uns};
use crate::io::error::ReadError;
use crate::io::hdf5::{Kind, Node, is_null, length, open_dense, whole_size};

/// Parts of the group of the matrix that are read elsewhere.
const MATRIX: &[&str] = &[
    "barcodes",
    "data",
    "indices",
    "indptr",
    "shape",
    "features",
    "filtered_barcodes",
    "gene_names",
    "genes",
];
/// Positions of the barcodes that arrays of droplets are about.
const INDEX: &str = "barcode_indices_for_latents";
/// One value for each gene, wherever it lies.
const OF_GENES: &[&str] = &["ambient_expression"];
/// Beside the matrix of CellBender 0.2, of any length, and neither of cells nor of genes.
const GLOBAL: &[&str] = &[
    "contamination_fraction_params",
    "fraction_data_used_for_testing",
    "fraction_of_training_contaminants",
    "lambda_multiplier",
    "overdispersion_params",
    "target_false_positive_rate",
    "test_elbo",
    "test_epoch",
    "training_elbo_per_epoch",
];

/// Reads the names of all cells.
pub(super) type Barcodes<'a> = dyn Fn() -> Result<Names, ReadError> + 'a;

/// What was found.
#[derive(Default)]
pub(super) struct Further {
    pub(super) obs: Vec<(String, Column)>,
    pub(super) obsm: BTreeMap<String, Annotation>,
    pub(super) var: Vec<(String, Column)>,
    pub(super) varm: BTreeMap<String, Annotation>,
    pub(super) uns: BTreeMap<String, Uns>,
    /// What could not be taken.
    pub(super) changes: Vec<Change>,
}

/// Reads all that lies beside the matrix in `group` and beside `group` in `root`, but for groups that hold a matrix.
/// Counts and names do not depend on any of it: what cannot be read is left behind with a line.
pub(super) fn read(part: &Part, root: &Group, group: &Group, barcodes: &Barcodes) -> Further {
    let mut reader = Reader { part, root, barcodes, found: Further::default() };
    reader.beside(group);
    reader.roots();
    reader.found
}

struct Reader<'a> {
    part: &'a Part<'a>,
    root: &'a Group,
    barcodes: &'a Barcodes<'a>,
    found: Further,
}

impl Reader<'_> {
    fn leave(&mut self, at: String, why: impl Into<String>) {
        self.found.changes.push(Change::left(at, why));
    }

    /// Members of a group, but for some.
    fn members(&mut self, g: &Group, but: &[&str]) -> Vec<(String, Node)> {
        let names = self.part.source.members(g).unwrap_or_default();
        let mut all = Vec::new();
        for name in names.into_iter().filter(|n| !but.contains(&n.as_str())) {
            match self.part.source.node(g, &name) {
                Ok(node) => all.extend(node.map(|n| (name, n))),
                Err(e) => self.leave(format!("{}/{name}", g.name()), e.to_string()),
            }
        }
        all
    }

    /// Arrays beside the matrix.
    fn beside(&mut self, group: &Group) {
        let take = self.pairing(group);
        let (cells, genes) = (self.part.n_cells, self.part.n_features);
        for (name, node) in self.members(group, MATRIX) {
            let Node::Dataset(d) = &node else {
                self.keep(None, &name, &node);
                continue;
            };
            let rows = d.shape().first().copied();
            let taken = if name.starts_with("latent_") {
                self.of_cells(&name, d, take.as_ref())
            } else if OF_GENES.contains(&name.as_str()) {
                self.of_genes(&name, d)
            } else if cells == genes || name == INDEX || GLOBAL.contains(&name.as_str()) {
                false
            } else if rows == Some(cells) {
                self.of_cells(&name, d, Some(&Take::all(cells)))
            } else {
                rows == Some(genes) && self.of_genes(&name, d)
            };
            if !taken {
                self.keep(None, &name, &node);
            }
        }
    }

    /// Everything at the root but for matrices.
    fn roots(&mut self) {
        for (name, node) in self.members(self.root, &[]) {
            match &node {
                Node::Group(g) if holds_matrix(g) => {}
                Node::Group(g) if name == "droplet_latents" => {
                    let take = self.pairing(g);
                    for (inner, node) in self.members(g, &[]) {
                        let taken = match &node {
                            Node::Dataset(d) if inner != INDEX => self.of_cells(&inner, d, take.as_ref()),
                            _ => false,
                        };
                        if !taken {
                            self.keep(Some(&name), &inner, &node);
                        }
                    }
                }
                Node::Group(g) if name == "global_latents" => {
                    for (inner, node) in self.members(g, &[]) {
                        if let Node::Dataset(d) = &node
                            && OF_GENES.contains(&inner.as_str())
                        {
                            self.of_genes(&inner, d);
                        }
                        self.keep(Some(&name), &inner, &node);
                    }
                }
                node => self.keep(None, &name, node),
            }
        }
    }

    /// Puts a part into uns as it is.
    fn keep(&mut self, inside: Option<&str>, name: &str, node: &Node) {
        let value = match node {
            Node::Group(g) => Some(Uns::Map(tree::map(self.part.source, g, &mut self.found.changes))),
            Node::Dataset(d) => tree::value(self.part.source, d, &mut self.found.changes),
        };
        let Some(value) = value else { return };
        let uns = match inside {
            None => &mut self.found.uns,
            Some(outer) => {
                let outer = self.found.uns.entry(outer.to_owned());
                match outer.or_insert_with(|| Uns::Map(BTreeMap::new())) {
                    Uns::Map(inner) => inner,
                    _ => return self.leave(node.name(), "an array beside it has the name of its group"),
                }
            }
        };
        uns.insert(name.to_owned(), value);
    }

    /// Values of each gene as a column or a matrix of var; whether they are of genes.
    fn of_genes(&mut self, name: &str, d: &Dataset) -> bool {
        let all = Take::all(self.part.n_features);
        match self.taken(d, &all) {
            Ok(Some(Taken::Column(c))) => self.found.var.push((name.to_owned(), c)),
            Ok(Some(Taken::Matrix(m))) => {
                self.found.varm.insert(name.to_owned(), Annotation::Matrix(m));
            }
            Ok(None) => return false,
            Err(e) => self.leave(d.name(), e.to_string()),
        }
        true
    }

    /// Values of droplets as a column or a matrix of obs, each at its cell; whether there is one for each droplet.
    fn of_cells(&mut self, name: &str, d: &Dataset, take: Option<&Take>) -> bool {
        let Some(take) = take else { return false };
        match self.taken(d, take) {
            Ok(Some(Taken::Column(c))) => self.found.obs.push((name.to_owned(), c)),
            Ok(Some(Taken::Matrix(m))) => {
                self.found.obsm.insert(name.to_owned(), Annotation::Matrix(m));
            }
            Ok(None) => return false,
            Err(e) => self.leave(d.name(), e.to_string()),
        }
        true
    }

    /// The rows of an array that `take` asks for; `None` when it has another number of them, or is no array of numbers
    /// or texts.
    fn taken(&self, d: &Dataset, take: &Take) -> Result<Option<Taken>, ReadError> {
        let source = self.part.source;
        let shape = if is_null(d) { vec![0] } else { d.shape() };
        if shape.first() != Some(&take.of()) {
            return Ok(None);
        }
        let column = match (source.kind(d), &shape[..]) {
            (Kind::Text(ty), [_]) => Column::Strings(source.strings(d, &ty)?),
            (Kind::Number(dtype), [_] | [_, 1]) => Column::Numbers(source.numbers(d, dtype)?),
            (Kind::Number(_), [_, _]) if take.is_all() => {
                return Ok(open_dense(source, d)?.map(|m| Taken::Matrix(m.into_matrix())));
            }
            (Kind::Number(dtype), &[rows, columns]) => {
                let spread = Dense::new(rows, columns, source.numbers(d, dtype)?)
                    .and_then(|held| Spread::new(&held, take.clone()))
                    .map_err(|e| source.malformed(d.name(), e.to_string()))?;
                return Ok(Some(Taken::Matrix(Matrix::OnDisk(std::sync::Arc::new(spread)))));
            }
            _ => return Ok(None),
        };
        Ok(column.take(take).map(Taken::Column))
    }

    /// Which row of the arrays of droplets in `g` belongs to each cell; `None` when that cannot be told.
    fn pairing(&mut self, g: &Group) -> Option<Take> {
        let n_cells = self.part.n_cells;
        let Some(indices) = self.positions(g, INDEX) else {
            // Without an index there is one for each barcode, as the format has it.
            return (!g.link_exists(INDEX)).then(|| Take::all(n_cells));
        };
        let take = self.by_name(&indices).or_else(|| by_position(&indices, n_cells));
        if take.is_none() {
            tracing::warn!(
                "{}: {}/{INDEX}: does not say which cells its {} droplets are; what is known of them is kept in uns",
                self.part.source.path.display(),
                g.name(),
                indices.len()
            );
        }
        take
    }

    /// A list of positions; `None` when there is none or it holds anything else.
    fn positions(&self, g: &Group, name: &str) -> Option<Vec<usize>> {
        let Ok(Some(Node::Dataset(d))) = self.part.source.node(g, name) else { return None };
        let Kind::Number(dtype) = self.part.source.kind(&d) else { return None };
        self.part.source.numbers(&d, dtype).ok()?.iter().map(whole_size).collect()
    }

    /// By the names of the barcodes CellBender was given, where the file has them.
    fn by_name(&self, indices: &[usize]) -> Option<Take> {
        let source = self.part.source;
        let Ok(Some(Node::Group(metadata))) = source.node(self.root, "metadata") else { return None };
        let analyzed = self.positions(&metadata, "barcodes_analyzed_inds")?;
        let d = source.dataset(&metadata, "barcodes_analyzed").ok()?;
        let Kind::Text(ty) = source.kind(&d) else { return None };
        if length(&d) != analyzed.len() {
            return None;
        }
        let names = source.names(&d, &ty).ok()?;
        let places: HashMap<usize, usize> = analyzed.iter().enumerate().map(|(at, i)| (*i, at)).collect();
        let mut rows = HashMap::with_capacity(indices.len());
        for (row, index) in indices.iter().enumerate() {
            rows.insert(names.get(*places.get(index)?)?, row);
        }
        let barcodes = (self.barcodes)().ok()?;
        let picks: Vec<_> = barcodes.iter().map(|b| rows.get(b).copied()).collect();
        let found = picks.iter().flatten().count();
        (found == indices.len()).then(|| Take::new(indices.len(), picks).ok()).flatten()
    }
}

/// A column or a matrix with a row for each cell or gene.
enum Taken {
    Column(Column),
    Matrix(Matrix),
}

/// By positions among the barcodes of the file. Positions beyond them are those of a larger file: then there must be a
/// droplet for each barcode, which a file of cells alone lists in the same order.
fn by_position(indices: &[usize], n_cells: usize) -> Option<Take> {
    if indices.iter().all(|i| *i < n_cells) {
        let mut picks = vec![None; n_cells];
        for (row, index) in indices.iter().enumerate() {
            if picks[*index].replace(row).is_some() {
                return None;
            }
        }
        return Take::new(indices.len(), picks).ok();
    }
    (indices.len() == n_cells).then(|| Take::all(n_cells))
}

/// Whether a group holds counts, read here or as those of another genome.
fn holds_matrix(g: &Group) -> bool {
    g.link_exists("data") && g.link_exists("indptr") && g.link_exists("barcodes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn droplets_are_paired_by_their_positions_and_never_guessed() {
        let picks = |t: Take| t.iter().collect::<Vec<_>>();
        assert_eq!(by_position(&[2, 0], 4).map(picks), Some(vec![Some(1), None, Some(0), None]));
        assert_eq!(by_position(&[1, 0], 2).map(picks), Some(vec![Some(1), Some(0)]));
        assert_eq!(by_position(&[0, 0], 3), None, "two droplets of one cell");
        assert_eq!(by_position(&[70, 9], 2), Some(Take::all(2)), "cells of a larger file");
        assert_eq!(by_position(&[70, 9], 3), None);
    }
}
