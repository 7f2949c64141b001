//! Adding a result to a copy of the original file; everything else in it stays as it is, bit for bit.

use std::fs::File as SystemFile;
use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::{File, Group};

use super::dict::{dict, same_file};
use super::patched::{self, Written};
use super::write_elem::Out;
use super::{add, matrix};
use crate::data::{Annotation, Dataset, RowSource};
use crate::io::additions::{Additions, NewValues};
use crate::io::error::{ReadError, WriteError};
use crate::io::hdf5::{Node, Source, has_attr, set_text, set_texts, write_error, write_file, write_string};
use crate::io::options::WriteOptions;

/// Copies the file `dataset` was read from to `path` and adds the new elements and the record of the run.
///
/// # Errors
/// [`WriteError`] when the original cannot be read, has no place for an element, the disk is full, or what was written
/// does not read back.
pub fn annotate(dataset: &Dataset, additions: &Additions, path: &Path) -> Result<(), WriteError> {
    copy(&dataset.source.path, path)?;
    // Messages about the matrix name the original: that is the file people know.
    let source = Source::plain(&dataset.source.path);
    let result = additions.result.as_ref();
    let (written, key) = write_file(path, false, |file| {
        mend(file, dataset, path)?;
        let written = result.map(|r| add_matrix(&source, file, r, path)).transpose()?;
        add::elements(&source, file, additions, path)?;
        let record = Some(&additions.record).filter(|r| !r.is_empty());
        Ok((written, record.map(|r| add_record(&source, file, r, path)).transpose()?))
    })?;
    verify(result.zip(written.as_ref()), key.as_deref(), path)?;
    add::verify(additions, path)
}

/// Takes out of the copy what reading left behind, and writes tables anew whose rows had other names: anndata would not
/// open the file.
fn mend(file: &File, dataset: &Dataset, out: &Path) -> Result<(), WriteError> {
    let lib = |e: hdf5::Error| write_error(out, &e);
    let options = WriteOptions::default();
    let table = |place: &str| {
        let (group, name) = place.trim_start_matches('/').rsplit_once('/')?;
        let (all, rows) = match group {
            "obsm" => (&dataset.obsm, &dataset.obs.index),
            "varm" => (&dataset.varm, &dataset.var.index),
            _ => dataset.raw.as_ref().map(|raw| (&raw.varm, &raw.var.index))?,
        };
        match all.get(name)? {
            Annotation::Frame(frame) => Some((frame, rows)),
            _ => None,
        }
    };
    for place in dataset.changes.iter().filter_map(|c| c.place.as_deref()) {
        let Some((group, name)) = place.rsplit_once('/') else { continue };
        if let Some(attribute) = name.strip_prefix('@').filter(|_| group.is_empty()) {
            if has_attr(file, attribute).map_err(lib)? {
                file.delete_attr(attribute).map_err(lib)?;
            }
            continue;
        }
        let parent: Group = match group {
            "" => file.as_group().map_err(lib)?,
            group => same_file(file, file.group(group).map_err(lib)?, out)?,
        };
        if parent.link_exists(name) {
            parent.unlink(name).map_err(lib)?;
            unlist(&parent, name, out)?;
        }
        if let Some((frame, rows)) = table(place) {
            Out { path: out, options: &options }.named_frame(&parent, name, frame, rows)?;
        }
    }
    Ok(())
}

/// Takes a column that is there no more out of the list of its table.
fn unlist(table: &Group, name: &str, out: &Path) -> Result<(), WriteError> {
    let lib = |e: hdf5::Error| write_error(out, &e);
    let input = |e: ReadError| WriteError::Input { path: out.to_owned(), source: Box::new(e) };
    let Some(listed) = Source::plain(out).attr_strings(table, "column-order").map_err(input)? else {
        return Ok(());
    };
    let left: Vec<&str> = listed.iter().map(String::as_str).filter(|n| *n != name).collect();
    if left.len() < listed.len() {
        table.delete_attr("column-order").map_err(lib)?;
        set_texts(table, "column-order", &left).map_err(lib)?;
    }
    Ok(())
}

/// Copies the bytes only: permissions belong to whoever made the target.
fn copy(from: &Path, to: &Path) -> Result<(), WriteError> {
    let input = |e| WriteError::Input { path: to.to_owned(), source: Box::new(ReadError::io(from, e)) };
    let mut original = SystemFile::open(from).map_err(input)?;
    let mut target = SystemFile::create(to).map_err(|e| WriteError::io(to, e))?;
    std::io::copy(&mut original, &mut target).map_err(|e| WriteError::io(to, e))?;
    Ok(())
}

/// Group (`None` is the root) and name of the matrix the patch belongs to, and of the result.
fn places(result: &NewValues) -> [(Option<&'static str>, &str); 2] {
    let base = match &result.base {
        None => (None, "X"),
        Some(layer) => (Some("layers"), layer.as_str()),
    };
    [base, if result.into_x { base } else { (Some("layers"), result.layer.as_str()) }]
}

fn add_matrix(source: &Source, file: &File, result: &NewValues, out: &Path) -> Result<Written, WriteError> {
    let lib = |e: hdf5::Error| write_error(out, &e);
    let input = |e: ReadError| WriteError::Input { path: out.to_owned(), source: Box::new(e) };
    let [(base_group, base_name), (target_group, target_name)] = places(result);
    let base_path = base_group.map_or_else(|| base_name.to_owned(), |g| format!("{g}/{base_name}"));
    let base = match source.node(file, &base_path).map_err(input)? {
        Some(node) => matrix::open(source, &node).map_err(input)?,
        None => None,
    };
    let Some(base) = base else {
        return Err(input(
            source.malformed(format!("/{base_path}"), "there is no matrix here to put the result beside"),
        ));
    };
    let parent: Group = match target_group {
        None => file.as_group().map_err(lib)?,
        Some(name) => dict(source, file, name, out)?,
    };
    if parent.link_exists(target_name) {
        parent.unlink(target_name).map_err(lib)?;
    }
    patched::write(&base, &result.patch, &parent, target_name, out)
}

/// A single text in anndata's encoding.
fn text(group: &Group, name: &str, value: &str) -> hdf5::Result<()> {
    let d = write_string(group, name, value)?;
    set_text(&d, "encoding-type", "string")?;
    set_text(&d, "encoding-version", "0.2.0")
}

/// Adds the record under `uns/scx/log`, after those that are there; returns its number.
fn add_record(source: &Source, file: &File, record: &str, out: &Path) -> Result<String, WriteError> {
    let lib = |e: hdf5::Error| write_error(out, &e);
    let uns = dict(source, file, "uns", out)?;
    let scx = dict(source, &uns, "scx", out)?;
    if scx.link_exists("version") {
        scx.unlink("version").map_err(lib)?;
    }
    text(&scx, "version", env!("CARGO_PKG_VERSION")).map_err(lib)?;
    let log = dict(source, &scx, "log", out)?;
    let taken = log.member_names().map_err(lib)?;
    let next = taken.iter().filter_map(|n| n.parse::<u64>().ok()).max().map_or(0, |n| n.saturating_add(1));
    let key = format!("{next:03}");
    text(&log, &key, record).map_err(lib)?;
    Ok(key)
}

/// Opens the new file again and compares structure and lengths with what was meant.
fn verify(result: Option<(&NewValues, &Written)>, key: Option<&str>, path: &Path) -> Result<(), WriteError> {
    let fail = |what: String| WriteError::Verify { path: path.to_owned(), what };
    let read = |e: ReadError| fail(e.to_string());
    let source = Source::plain(path);
    let file = source.open().map_err(read)?;
    if let Some((result, written)) = result {
        let [_, (group, name)] = places(result);
        let at = group.map_or_else(|| name.to_owned(), |g| format!("{g}/{name}"));
        let node = source.node(&file, &at).map_err(read)?.ok_or_else(|| fail(format!("/{at} is missing")))?;
        // Opening checks the lengths of the three sparse arrays and every pointer.
        let m =
            matrix::open(&source, &node).map_err(read)?.ok_or_else(|| fail(format!("/{at} is no matrix")))?;
        let found = Written { shape: m.shape(), dtype: m.dtype(), layout: m.layout(), nnz: m.nnz() };
        if found != *written {
            return Err(fail(format!("/{at} reads back as {found:?}, expected {written:?}")));
        }
    }
    let Some(key) = key else { return Ok(()) };
    let record = format!("uns/scx/log/{key}");
    match source.node(&file, &record).map_err(read)? {
        Some(Node::Dataset(_)) => Ok(()),
        _ => Err(fail(format!("/{record} is missing"))),
    }
}
