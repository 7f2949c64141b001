//! New elements beside the matrices of a copied file: columns of cells, arrays, unstructured entries.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::{File, Group};

use super::dict::dict;
use super::matrix_out;
use super::names::safe_name;
use super::write_elem::Out;
use crate::data::{Annotation, Column, Dataset};
use crate::io::additions::Additions;
use crate::io::error::{ReadError, WriteError};
use crate::io::hdf5::{Node, Source, has_attr, set_texts};
use crate::io::options::{ReadOptions, WriteOptions};
use crate::io::writers::silently;

/// Whether the file a data set was read from takes new columns of cells: tables of anndata before 0.7 do not.
pub fn takes_columns(dataset: &Dataset) -> bool {
    dataset.source.dialect != super::read::RECORDS
}

/// Adds the elements, replacing those of the same names.
pub(super) fn elements(
    source: &Source,
    file: &File,
    additions: &Additions,
    path: &Path,
) -> Result<(), WriteError> {
    let options = WriteOptions::default();
    let out = Out { path, options: &options };
    if !additions.obs.is_empty() {
        columns(source, file, &additions.obs, &out)?;
    }
    for (group, matrices) in [("obsm", &additions.obsm), ("obsp", &additions.obsp)] {
        if matrices.is_empty() {
            continue;
        }
        let parent = dict(source, file, group, path)?;
        for (name, m) in matrices {
            clear(&parent, name, &out)?;
            matrix_out::write(m, &parent, name, out.options, path)?;
        }
    }
    if !additions.uns.is_empty() {
        let parent = dict(source, file, "uns", path)?;
        for (name, value) in &additions.uns {
            clear(&parent, name, &out)?;
            out.value(&parent, name, value)?;
        }
    }
    Ok(())
}

fn clear(parent: &Group, name: &str, out: &Out) -> Result<(), WriteError> {
    if safe_name(name) != name {
        let what = format!("{name:?} as a name inside an h5ad file; choose another name");
        return Err(WriteError::CannotHold { path: out.path.to_owned(), what });
    }
    if parent.link_exists(name) { out.lib(parent.unlink(name)) } else { Ok(()) }
}

/// Adds columns to the table of cells, at the end of its order.
fn columns(source: &Source, file: &File, obs: &[(String, Column)], out: &Out) -> Result<(), WriteError> {
    let input = |e: ReadError| WriteError::Input { path: out.path.to_owned(), source: Box::new(e) };
    let cannot = |what: String| WriteError::CannotHold { path: out.path.to_owned(), what };
    let Some(Node::Group(table)) = source.node(file, "obs").map_err(input)? else {
        return Err(cannot(
            "the table of cells is stored as records, as anndata did before 0.7, and takes no new columns; write a new \
             h5ad file instead"
                .into(),
        ));
    };
    let index = source.attr_string(&table, "_index").map_err(input)?;
    let listed = source.attr_strings(&table, "column-order").map_err(input)?;
    // pandas stores an empty list as numbers; other writers leave it out, which means all.
    let mut order = match listed {
        Some(order) => order,
        None if source.attr_numbers(&table, "column-order").map_err(input)?.is_some() => Vec::new(),
        None => {
            let skip = |m: &String| {
                index.as_ref() != Some(m) && m != "_index" && m != "index" && m != "__categories"
            };
            source.members(&table).map_err(input)?.into_iter().filter(skip).collect()
        }
    };
    for (name, column) in obs {
        if index.as_ref() == Some(name) {
            return Err(cannot(format!("a column called {name}, as the index of obs; choose another name")));
        }
        clear(&table, name, out)?;
        // anndata 0.7 kept the categories of a column apart.
        if let Some(Node::Group(old)) = source.node(&table, "__categories").map_err(input)? {
            clear(&old, name, out)?;
        }
        out.column(&table, name, column)?;
        if !order.contains(name) {
            order.push(name.clone());
        }
    }
    if out.lib(has_attr(&table, "column-order"))? {
        out.lib(table.delete_attr("column-order"))?;
    }
    let order: Vec<&str> = order.iter().map(String::as_str).collect();
    out.lib(set_texts(&table, "column-order", &order))
}

/// Reads the new file and looks for every element.
pub(super) fn verify(additions: &Additions, path: &Path) -> Result<(), WriteError> {
    if !additions.has_elements() {
        return Ok(());
    }
    let fail = |what: String| WriteError::Verify { path: path.to_owned(), what };
    let found = silently(|| super::read(path, &ReadOptions::default())).map_err(|e| fail(e.to_string()))?;
    match missing(additions, &found) {
        None => Ok(()),
        Some(what) => Err(fail(format!("{what} does not read back as it was written"))),
    }
}

/// The first element that is not as it was meant.
fn missing(additions: &Additions, found: &Dataset) -> Option<String> {
    let column = additions.obs.iter().find(|(n, c)| found.obs.column(n) != Some(c));
    let groups = [("obsm", &additions.obsm, &found.obsm), ("obsp", &additions.obsp, &found.obsp)];
    let matrix = groups.into_iter().find_map(|(group, meant, read)| {
        let wrong = meant.iter().find(|(n, m)| match read.get(n) {
            Some(Annotation::Matrix(f)) => {
                (f.shape(), f.dtype(), f.layout(), f.nnz()) != (m.shape(), m.dtype(), m.layout(), m.nnz())
            }
            _ => true,
        });
        wrong.map(|(n, _)| format!("{group}/{n}"))
    });
    let entry = additions.uns.iter().find(|(n, _)| !found.uns.contains_key(n));
    column.map(|(n, _)| format!("obs/{n}")).or(matrix).or_else(|| entry.map(|(n, _)| format!("uns/{n}")))
}
