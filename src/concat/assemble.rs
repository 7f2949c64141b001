//! From pieces to one data set, element by element.

use std::collections::{BTreeMap, BTreeSet};

use super::stack::{Part, Stacked};
use super::{Changes, ConcatError, Join, Options, Piece, fail, frames, keywords, merge, names, scale, time};
use crate::data::{Annotation, Dataset, Frame, Matrix, Raw};

/// Puts data sets one below the other.
///
/// # Errors
/// [`ConcatError`] when cells share names and that is refused, when no variable is common, when some have X and others
/// do not, or when a matrix cannot be read.
pub fn concat(mut pieces: Vec<Piece>, options: &Options) -> Result<Dataset, ConcatError> {
    let mut changes = Changes::of(&pieces);
    if options.continuous_time {
        time::go_on(&mut pieces, &mut changes)?;
    }
    scale::settle(&mut pieces, options.join, &mut changes)?;
    let genes = names::join(&pieces, |d| Some(&d.var), options.join)?;
    if genes.names.is_empty() && pieces.iter().all(|p| p.dataset.n_vars() > 0) {
        let what = "no variable is in all files; check that names are of one kind (symbols, ids), or take --join outer";
        return Err(ConcatError::Usage { what: what.into() });
    }
    genes.tell(&pieces, |d| Some(&d.var), "var", &mut changes);
    let index = names::cells(&pieces, options.on_duplicate)?;
    let frames: Vec<&Frame> = pieces.iter().map(|p| &p.dataset.obs).collect();
    let mut obs = frames::below(&frames, index, options.join, "obs", &mut changes);
    frames::add_batch(&mut obs, &pieces, &options.batch_key)?;
    let vars: Vec<&Frame> = pieces.iter().map(|p| &p.dataset.var).collect();
    let var = frames::beside(&vars, &genes, "var", &mut changes);

    let mut dataset = Dataset::new(obs, var);
    dataset.x = main(&pieces, &genes, options, &mut changes)?;
    dataset.layers = layers(&pieces, &genes, options, &mut changes)?;
    dataset.obsm = obsm(&pieces, &dataset, options, &mut changes)?;
    let same_genes = genes.maps.iter().all(Option::is_none);
    let pick = |get: fn(&Dataset) -> &BTreeMap<String, Annotation>| {
        pieces.iter().map(|p| (p.file.as_str(), get(&p.dataset))).collect::<Vec<_>>()
    };
    dataset.varm = merge::arrays("varm", &pick(|d| &d.varm), same_genes, options.memory, &mut changes)?;
    dataset.varp = merge::arrays("varp", &pick(|d| &d.varp), same_genes, options.memory, &mut changes)?;
    for name in keys(pieces.iter().map(|p| &p.dataset.unknown)) {
        changes.left(name, "scx does not understand it, and files are put together");
    }
    for key in keys(pieces.iter().map(|p| &p.dataset.obsp)) {
        changes.left(format!("obsp[{key:?}]"), "cells of different files have no values for each other");
    }
    dataset.raw = raw(&pieces, options, &mut changes)?;
    dataset.uns = merge::uns(&pieces, &mut changes);
    dataset.source.keywords = keywords::keywords(&pieces, &dataset.var, &mut changes);
    dataset.check().map_err(|source| ConcatError::Data { file: "the result".into(), source })?;
    dataset.changes.extend(changes.0);
    Ok(dataset)
}

/// All keys, sorted.
pub(super) fn keys<'a, T: 'a>(maps: impl Iterator<Item = &'a BTreeMap<String, T>>) -> BTreeSet<String> {
    maps.flat_map(BTreeMap::keys).cloned().collect()
}

/// Matrices one below the other, columns by `genes`.
pub(super) fn below(
    pieces: &[Piece],
    matrices: Vec<Option<Matrix>>,
    genes: &names::Genes,
    memory: u64,
    element: &str,
    changes: &mut Changes,
) -> Result<Matrix, ConcatError> {
    let mut parts = Vec::new();
    for ((matrix, piece), map) in matrices.into_iter().zip(pieces).zip(&genes.maps) {
        let part = Part::new(matrix, piece.dataset.n_obs(), map.clone(), &piece.file);
        parts.push(part.map_err(fail(&piece.file))?);
    }
    Ok(Stacked::new(parts, genes.names.len(), memory, element, changes)?.into_matrix())
}

fn main(
    pieces: &[Piece],
    genes: &names::Genes,
    options: &Options,
    changes: &mut Changes,
) -> Result<Option<Matrix>, ConcatError> {
    let without: Vec<&str> =
        pieces.iter().filter(|p| p.dataset.x.is_none()).map(|p| p.file.as_str()).collect();
    if without.len() == pieces.len() {
        return Ok(None);
    }
    if let Some(first) = without.first() {
        let what = format!(
            "{first}: X is absent, but other files have it; give them X first (scx convert --x LAYER)"
        );
        return Err(ConcatError::Usage { what });
    }
    let all = pieces.iter().map(|p| p.dataset.x.clone()).collect();
    below(pieces, all, genes, options.memory, "X", changes).map(Some)
}

pub(super) fn layers(
    pieces: &[Piece],
    genes: &names::Genes,
    options: &Options,
    changes: &mut Changes,
) -> Result<BTreeMap<String, Matrix>, ConcatError> {
    let all = keys(pieces.iter().map(|p| &p.dataset.layers));
    if let Some(asked) = &options.layers
        && let Some(missing) = asked.iter().find(|l| !all.contains(*l))
    {
        let known: Vec<&str> = all.iter().map(String::as_str).collect();
        let what = format!("no file has a layer {missing} (layers: {})", known.join(", "));
        return Err(ConcatError::Usage { what });
    }
    let mut out = BTreeMap::new();
    for name in all {
        let element = format!("layers[{name:?}]");
        if options.layers.as_ref().is_some_and(|asked| !asked.contains(&name)) {
            changes.left(element, "not asked for");
            continue;
        }
        let of: Vec<_> = pieces.iter().map(|p| p.dataset.layers.get(&name).cloned()).collect();
        match missing_in(pieces, of.iter().map(Option::is_some)) {
            Some(files) => changes.left(element, format!("not in {files}")),
            None => {
                out.insert(name, below(pieces, of, genes, options.memory, &element, changes)?);
            }
        }
    }
    Ok(out)
}

/// The first files that lack something, in words; `None` when none does.
fn missing_in(pieces: &[Piece], has: impl Iterator<Item = bool>) -> Option<String> {
    let without: Vec<&str> =
        pieces.iter().zip(has).filter(|(_, has)| !has).map(|(p, _)| p.file.as_str()).collect();
    match without[..] {
        [] => None,
        [one] => Some(one.to_owned()),
        [first, ..] => Some(format!("{} files, {first} first", without.len())),
    }
}

fn obsm(
    pieces: &[Piece],
    joined: &Dataset,
    options: &Options,
    changes: &mut Changes,
) -> Result<BTreeMap<String, Annotation>, ConcatError> {
    let mut out = BTreeMap::new();
    for key in keys(pieces.iter().map(|p| &p.dataset.obsm)) {
        let element = format!("obsm[{key:?}]");
        let of: Vec<Option<&Annotation>> = pieces.iter().map(|p| p.dataset.obsm.get(&key)).collect();
        let lacking = missing_in(pieces, of.iter().map(Option::is_some));
        if let (Some(files), Join::Inner) = (&lacking, options.join) {
            changes.left(element, format!("not in {files}"));
            continue;
        }
        if of.iter().flatten().all(|a| matches!(a, Annotation::Frame(_))) {
            let empty: Vec<Frame> =
                pieces.iter().map(|p| Frame::new(crate::data::Index::Range(p.dataset.n_obs()))).collect();
            let frames: Vec<&Frame> = of
                .iter()
                .zip(&empty)
                .map(|(a, empty)| if let Some(Annotation::Frame(f)) = a { f } else { empty })
                .collect();
            let frame = frames::below(&frames, joined.obs.index.clone(), options.join, &element, changes);
            out.insert(key, Annotation::Frame(frame));
            continue;
        }
        let matrices: Vec<Option<Matrix>> = of
            .iter()
            .map(|a| if let Some(Annotation::Matrix(m)) = a { Some(m.clone()) } else { None })
            .collect();
        if matrices.iter().flatten().count() < of.iter().flatten().count() {
            changes.left(element, "tables or values scx does not understand in some files");
            continue;
        }
        let widths: BTreeSet<usize> = matrices.iter().flatten().map(|m| m.shape().1).collect();
        let sparse = matrices.iter().flatten().any(|m| m.nnz().is_some());
        let [width] = widths.into_iter().collect::<Vec<_>>()[..] else {
            changes.left(element, "of different width in different files");
            continue;
        };
        if let (Some(files), true) = (&lacking, sparse) {
            changes.left(element, format!("not in {files}"));
            continue;
        }
        if let Some(files) = lacking {
            changes.add(&element, format!("missing in {files}: NaN there"));
        }
        let all = names::Genes::identity(width, pieces.len());
        let matrix = below(pieces, matrices, &all, options.memory, &element, changes)?;
        out.insert(key, Annotation::Matrix(matrix));
    }
    Ok(out)
}

fn raw(pieces: &[Piece], options: &Options, changes: &mut Changes) -> Result<Option<Raw>, ConcatError> {
    let all: Vec<&Raw> = pieces.iter().filter_map(|p| p.dataset.raw.as_ref()).collect();
    if all.is_empty() {
        return Ok(None);
    }
    if let Some(files) = missing_in(pieces, pieces.iter().map(|p| p.dataset.raw.is_some())) {
        changes.left("raw", format!("not in {files}"));
        return Ok(None);
    }
    let genes = names::join(pieces, |d| d.raw.as_ref().map(|r| &r.var), options.join)?;
    genes.tell(pieces, |d| d.raw.as_ref().map(|r| &r.var), "raw/var", changes);
    let vars: Vec<&Frame> = all.iter().map(|r| &r.var).collect();
    let var = frames::beside(&vars, &genes, "raw/var", changes);
    let matrices = all.iter().map(|r| Some(r.x.clone())).collect();
    let same_genes = genes.maps.iter().all(Option::is_none);
    let varm: Vec<_> = pieces.iter().zip(&all).map(|(p, r)| (p.file.as_str(), &r.varm)).collect();
    let varm = merge::arrays("raw/varm", &varm, same_genes, options.memory, changes)?;
    let x = below(pieces, matrices, &genes, options.memory, "raw", changes)?;
    Ok(Some(Raw { x, var, varm }))
}
