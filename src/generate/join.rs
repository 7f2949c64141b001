//! New cells as a data set: alone, or below the real cells.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::derive::{column, derive, rule};
use super::{GenerateError, Material, Synthetic, Trained};
use crate::concat::{Join, OnDuplicate, Options, Piece, concat};
use crate::data::counts::{FeatureType, Features, Place, Taken, chosen, largest};
use crate::data::synthetic::{COLUMN as SYNTHETIC, MODEL, flags, mask};
use crate::data::{
    Annotation, Categorical, Categories, Change, Column, DType, Dataset, Frame, Index, Matrix, Raw,
    ValueKind, Values, find_value,
};

/// Column of the concatenation, which goes again.
pub(super) const PART: &str = "scx_part";

/// Names of new cells that no real cell has.
pub(super) fn names(n: usize, taken: Option<&Index>) -> Index {
    let real: BTreeSet<String> =
        taken.map(|t| t.iter().map(|n| n.into_owned()).collect()).unwrap_or_default();
    let width = n.to_string().len();
    let mut prefix = "synthetic".to_owned();
    loop {
        let names: Vec<String> = (1..=n).map(|i| format!("{prefix}-{i:0width$}")).collect();
        if !names.iter().any(|n| real.contains(n)) {
            return Index::names(names);
        }
        prefix.push('_');
    }
}

/// Cluster, value where clusters are divided, and model of the new cells. Columns are of the kind they were in the data, and
/// of the kind they are in `real` where that is given.
fn obs(trained: &Trained, synthetic: &Synthetic, index: Index, real: Option<&Frame>) -> Frame {
    let n = synthetic.len();
    let d = &trained.description;
    let codes = || synthetic.labels.iter().map(|l| l.map(|l| l as usize));
    let like = |key: &str, kind: ValueKind, names: &[String], codes: &[Option<usize>]| {
        like(real.and_then(|r| r.column(key)), kind, names, codes)
    };
    let mut out = Frame::new(index);
    match &d.by {
        None => {
            let codes: Vec<Option<usize>> = codes().collect();
            out = out.with(&d.cluster_key, like(&d.cluster_key, d.label_kind, &d.labels, &codes));
        }
        Some(by) => {
            let part = |of: fn(&(String, Option<String>)) -> Option<&String>| {
                let mut names: Vec<String> = Vec::new();
                let mut at = |p: &(String, Option<String>)| {
                    let name = of(p)?;
                    Some(names.iter().position(|n| n == name).unwrap_or_else(|| {
                        names.push(name.clone());
                        names.len() - 1
                    }))
                };
                let places: Vec<Option<usize>> = by.parts.iter().map(&mut at).collect();
                (names, codes().map(|c| places.get(c?).copied().flatten()).collect::<Vec<_>>())
            };
            let (clusters, of) = part(|p| Some(&p.0));
            out = out.with(&d.cluster_key, like(&d.cluster_key, d.label_kind, &clusters, &of));
            let (values, of) = part(|p| p.1.as_ref());
            out = out.with(&by.key, like(&by.key, by.kind, &values, &of));
        }
    }
    out.with(SYNTHETIC, Column::Numbers(Values::Bool(vec![true; n]))).with(MODEL, model(trained, n, true))
}

/// A column of labels of the kind of `real`, with its categories and their order where it has all that are needed; of that
/// kind where there is none.
fn like(real: Option<&Column>, kind: ValueKind, names: &[String], codes: &[Option<usize>]) -> Column {
    let Some(real) = real else { return kind.column(names, codes) };
    if let Column::Categorical(own) = real {
        let texts: Vec<String> = (0..own.categories.len()).filter_map(|i| own.categories.text(i)).collect();
        let find = |name: &String| find_value(texts.iter().map(String::as_str), name);
        let at: Vec<Option<usize>> = names.iter().map(find).collect();
        let new = codes.iter().map(|c| match c {
            None => Some(-1),
            Some(c) => at.get(*c).copied().flatten().and_then(|i| i32::try_from(i).ok()),
        });
        if let Some(codes) = new.collect::<Option<Vec<i32>>>() {
            return Column::Categorical(Categorical { codes, ..own.clone() });
        }
    }
    ValueKind::of(real).column(names, codes)
}

fn model(trained: &Trained, n: usize, made: bool) -> Column {
    Column::Categorical(Categorical {
        codes: vec![if made { 0 } else { -1 }; n],
        categories: Categories::Strings(vec![trained.description.kind.clone()]),
        ordered: false,
    })
}

/// The new cells as a data set of their own: X holds counts, in the element type of the real ones where that is given.
///
/// # Errors
/// [`GenerateError`] when the place of the counts is gone.
pub fn alone(
    trained: &Trained,
    synthetic: &Synthetic,
    like: Option<&Dataset>,
) -> Result<Dataset, GenerateError> {
    let description = &trained.description;
    let (var, dtype) = match like {
        Some(d) => {
            let of = chosen(d, &description.place)?;
            (of.var.clone(), of.matrix.dtype())
        }
        None => (Frame::new(Index::names(description.genes.clone())), DType::F32),
    };
    let dtype = if largest(dtype).is_some_and(|m| m >= synthetic.largest) { dtype } else { DType::I64 };
    let index = names(synthetic.len(), like.map(|d| &d.obs.index));
    let mut out = Dataset::new(obs(trained, synthetic, index, None), var);
    out.x = Some(Matrix::OnDisk(Arc::new(synthetic.counts.of_type(dtype))));
    out.changes.clone_from(&trained.changes);
    out.changes.extend(not_modelled(&out.var, &description.kept, &Place::X));
    Ok(out)
}

/// The real cells with the new ones below them; its changes say what of the real ones the new ones cannot have.
///
/// # Errors
/// [`GenerateError::Input`] when X is a matrix that does not follow from the counts.
pub fn below(
    trained: &Trained,
    synthetic: &Synthetic,
    material: &Material,
    mut real: Dataset,
    memory: u64,
) -> Result<Dataset, GenerateError> {
    let taken = &material.taken;
    let mut notes: Vec<Change> =
        not_modelled(chosen(&real, &taken.place)?.var, &trained.description.kept, &taken.place)
            .into_iter()
            .collect();
    let n = real.n_obs();
    real.obs.columns.extend(material.found_in(n));
    let index = names(synthetic.len(), Some(&real.obs.index));
    let mut made = Dataset::new(obs(trained, synthetic, index, Some(&real.obs)), real.var.clone());
    let own = (material.totals.as_slice(), material.n_genes.as_slice());
    for (name, real) in &material.real_rows(&real.obs)?.columns {
        if made.obs.column(name).is_none()
            && let Some(new) = column(real, own, synthetic)
        {
            made.obs.set(name, new);
            notes.push(note(format!("obs[{name:?}]"), "computed for the new cells from their counts"));
        }
    }
    let mut follow = |matrix: &Matrix, var: &Frame, element: &str| -> Result<Option<Matrix>, GenerateError> {
        let Some(found) = rule(&real, taken, (matrix, var))? else { return Ok(None) };
        notes.push(note(element.into(), &format!("computed for the new cells: {}", found.0.words())));
        derive(synthetic, found, matrix).map(Some)
    };
    if let Some(x) = &real.x {
        made.x = follow(x, &real.var, "X")?;
        if made.x.is_none() {
            return Err(no_x(&taken.place));
        }
    }
    for (name, layer) in &real.layers {
        if let Some(matrix) = follow(layer, &real.var, &format!("layers[{name:?}]"))? {
            made.layers.insert(name.clone(), matrix);
        }
    }
    if let Some(raw) = &real.raw
        && let Some(x) = follow(&raw.x, &raw.var, "raw")?
    {
        made.raw = Some(Raw { x, var: raw.var.clone(), varm: raw.varm.clone() });
    }
    made.varm = real.varm.clone();
    made.varp = real.varp.clone();
    made.uns = real.uns.clone();
    if real.obs.column(SYNTHETIC).is_some_and(|c| flags(c).is_none()) {
        let what = "its values were neither yes nor no; false for all cells of the input now";
        notes.push(Change::lossy(format!("obs[{SYNTHETIC:?}]"), what));
    }
    // Cells of an earlier run stay marked.
    let old = mask(&real).unwrap_or_else(|| vec![false; n]);
    real.obs.set(SYNTHETIC, Column::Numbers(Values::Bool(old)));
    if real.obs.column(MODEL).is_none() {
        real.obs.set(MODEL, model(trained, n, false));
    }
    real.obsm.retain(|_, a| !matches!(a, Annotation::Opaque { .. }));
    let pieces = vec![
        Piece { batch: "real".into(), file: "the real cells".into(), dataset: real },
        Piece { batch: "made".into(), file: "the new cells".into(), dataset: made },
    ];
    let options = Options {
        join: Join::Outer,
        on_duplicate: OnDuplicate::Error,
        batch_key: PART.into(),
        layers: None,
        continuous_time: false,
        memory,
    };
    let mut out = concat(pieces, &options)?;
    out.obs.columns.retain(|(name, _)| name != PART);
    notes.append(&mut out.changes);
    notes.extend(trained.changes.iter().cloned());
    out.changes = notes;
    Ok(out)
}

/// Whether new cells can stand below these: whether they can have an X.
///
/// # Errors
/// [`GenerateError::Input`] with a way out.
pub fn check_below(real: &Dataset, taken: &Taken) -> Result<(), GenerateError> {
    match &real.x {
        Some(x) if rule(real, taken, (x, &real.var))?.is_none() => Err(no_x(&taken.place)),
        _ => Ok(()),
    }
}

fn no_x(place: &Place) -> GenerateError {
    GenerateError::input(format!(
        "X does not follow from the counts in {place} (it is neither counts, nor counts scaled to a common sum, nor \
         ln(1 + x) of that), so new cells have none; give --only-synthetic, or a file whose X does"
    ))
}

/// Features beside genes that the model knows nothing of: new cells hold zero there, and no measurement.
fn not_modelled(var: &Frame, kept: &[usize], place: &Place) -> Option<Change> {
    let features = Features::of(var, &FeatureType::Genes, place).ok().flatten()?;
    if kept.iter().any(|k| features.columns.binary_search(k).is_err()) {
        return None;
    }
    let left: Vec<String> = features.left.iter().map(|(t, n)| format!("{n} {t}")).collect();
    let what = format!("in the new cells {} features were not modelled and hold zero", left.join(" and "));
    Some(Change::lossy(place.to_string(), what))
}

fn note(element: String, what: &str) -> Change {
    Change::harmless(element, what)
}
