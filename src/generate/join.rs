//! New cells as a data set: alone, or below the real cells.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::derive::{column, derive, rule};
use super::spool::largest;
use super::{GenerateError, Material, Synthetic, Trained};
use crate::concat::{Join, OnDuplicate, Options, Piece, concat};
use crate::data::{
    Annotation, Categorical, Categories, Change, Column, DType, Dataset, Frame, Index, Layout, Matrix, Raw,
    Sparse, Values, synthetic,
};
use crate::loader::{Place, chosen};

/// Column that tells new cells from real ones.
const SYNTHETIC: &str = synthetic::COLUMN;

/// Column with the model of a new cell.
const MODEL: &str = "scx_model";

/// Column of the concatenation, which goes again.
const PART: &str = "scx_part";

/// Names of new cells that no real cell has.
fn names(n: usize, taken: Option<&Index>) -> Index {
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

/// Label and model of the new cells.
fn obs(trained: &Trained, synthetic: &Synthetic, index: Index) -> Frame {
    let n = synthetic.len();
    let labels = Column::Categorical(Categorical {
        codes: synthetic.labels.iter().map(|l| l.map_or(-1, |l| l as i32)).collect(),
        categories: Categories::Strings(trained.description.labels.clone()),
        ordered: false,
    });
    Frame::new(index)
        .with(&trained.description.cluster_key, labels)
        .with(SYNTHETIC, Column::Numbers(Values::Bool(vec![true; n])))
        .with(MODEL, model(trained, n, true))
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
    let index = names(synthetic.len(), None);
    let mut out = Dataset::new(obs(trained, synthetic, index), var);
    out.x = Some(Matrix::OnDisk(Arc::new(synthetic.counts.of_type(dtype))));
    Ok(out)
}

/// What a data set with new cells will hold, without their values: to see what a target makes of it before any training.
/// `real` are the cells they stand below, or whose genes they have; `key` names the labels, `kind` the model.
pub fn outlook(real: Option<&Dataset>, below: bool, key: &str, kind: &str, genes: &[String]) -> Dataset {
    let mut out = match real {
        Some(d) if below => d.clone(),
        Some(d) => Dataset::new(Frame::new(Index::names(vec!["synthetic-1".into()])), d.var.clone()),
        None => Dataset::new(
            Frame::new(Index::names(vec!["synthetic-1".into()])),
            Frame::new(Index::names(genes.to_vec())),
        ),
    };
    let n = out.n_obs();
    let category = |name: &str| {
        Column::Categorical(Categorical {
            codes: vec![0; n],
            categories: Categories::Strings(vec![name.to_owned()]),
            ordered: false,
        })
    };
    if out.obs.column(key).is_none() {
        out.obs.set(key, category("label"));
    }
    out.obs.set(SYNTHETIC, Column::Numbers(Values::Bool(vec![true; n])));
    out.obs.set(MODEL, category(kind));
    if out.x.is_none() {
        let shape = (n, out.n_vars());
        out.x = Sparse::new(Layout::Csr, shape, vec![0; n + 1], Vec::new(), Values::I64(Vec::new()))
            .ok()
            .map(Matrix::Sparse);
    }
    out
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
    let place = trained.description.place.clone();
    let mut notes = Vec::new();
    let mut made = Dataset::new(
        obs(trained, synthetic, names(synthetic.len(), Some(&real.obs.index))),
        real.var.clone(),
    );
    if let Some((name, found)) = &material.found {
        real.obs.columns.push((name.clone(), found.clone()));
    }
    // Categories keep the order and the unused ones they have.
    let key = trained.description.cluster_key.clone();
    if let Some(Column::Categorical(own)) = real.obs.column(&key)
        && let Some(new) = relabelled(own, &trained.description.labels, synthetic)
    {
        made.obs.set(&key, new);
    }
    let own = (material.totals.as_slice(), material.n_genes.as_slice());
    for (name, real) in &real.obs.columns {
        if let Some(new) = column(real, own, synthetic) {
            made.obs.set(name, new);
            notes.push(note(format!("obs[{name:?}]"), "computed for the new cells from their counts"));
        }
    }
    let mut follow = |matrix: &Matrix, var: &Frame, element: &str| -> Result<Option<Matrix>, GenerateError> {
        let Some(found) = rule(&real, &place, (matrix, var))? else { return Ok(None) };
        notes.push(note(element.into(), &format!("new cells: {}", found.0.words())));
        derive(synthetic, found, matrix).map(Some)
    };
    if let Some(x) = &real.x {
        made.x = follow(x, &real.var, "X")?;
        if made.x.is_none() {
            return Err(no_x(&place));
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
    let n = real.n_obs();
    real.obs.set(SYNTHETIC, Column::Numbers(Values::Bool(vec![false; n])));
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
        memory,
    };
    let mut out = concat(pieces, &options)?;
    out.obs.columns.retain(|(name, _)| name != PART);
    notes.append(&mut out.changes);
    out.changes = notes;
    Ok(out)
}

/// Whether new cells can stand below these: whether they can have an X.
///
/// # Errors
/// [`GenerateError::Input`] with a way out.
pub fn check_below(real: &Dataset, place: &Place) -> Result<(), GenerateError> {
    match &real.x {
        Some(x) if rule(real, place, (x, &real.var))?.is_none() => Err(no_x(place)),
        _ => Ok(()),
    }
}

fn no_x(place: &Place) -> GenerateError {
    GenerateError::input(format!(
        "X does not follow from the counts in {place} (it is neither counts, nor counts scaled to a common sum, nor \
         ln(1 + x) of that), so new cells have none; give --only-synthetic, or a file whose X does"
    ))
}

fn note(element: String, what: &str) -> Change {
    Change::harmless(element, what)
}

/// The labels of the new cells in the categories of the real ones.
fn relabelled(own: &Categorical, labels: &[String], synthetic: &Synthetic) -> Option<Column> {
    let at: Vec<Option<i32>> = labels
        .iter()
        .map(|l| {
            (0..own.categories.len()).find(|&i| own.categories.text(i).as_ref() == Some(l)).map(|i| i as i32)
        })
        .collect();
    let codes: Option<Vec<i32>> = synthetic
        .labels
        .iter()
        .map(|l| match l {
            None => Some(-1),
            Some(l) => at.get(*l as usize).copied().flatten(),
        })
        .collect();
    Some(Column::Categorical(Categorical {
        codes: codes?,
        categories: own.categories.clone(),
        ordered: own.ordered,
    }))
}
