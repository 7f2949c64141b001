//! Predicted cells as a data set: alone, or below the real cells.

use std::collections::BTreeSet;

use ndarray::Array2;

use super::PredictError;
use crate::concat::{Join, OnDuplicate, Options, Piece, concat};
use crate::data::synthetic::{COLUMN as SYNTHETIC, MODEL, PREDICTED, flags};
use crate::data::{
    Annotation, Categorical, Categories, Change, Column, DType, Dataset, Dense, Element, Frame, Index,
    Layout, Matrix, Sparse, Take, Values, find_value,
};

/// Column of obs with the name of the cell a predicted cell was made from.
pub const SOURCE_CELL: &str = "scx_source_cell";

/// Columns of obs with the condition of that cell, and the one that is predicted.
pub const FROM_TO: [&str; 2] = ["scx_predicted_from", "scx_predicted_to"];

/// Column of the concatenation, which goes again.
const PART: &str = "scx_part";

/// Predicted cells, and what is known of them.
pub struct Predicted<'a> {
    /// Rows of the cells they were made from.
    pub rows: &'a [usize],
    /// Values of these, cells × variables.
    pub values: Array2<f32>,
    /// Column of obs with the condition.
    pub condition_key: &'a str,
    /// Condition of the cells they were made from, and the one predicted.
    pub from_to: (&'a str, &'a str),
    /// The model.
    pub model: &'a str,
    /// Layer whose scale the values are on; X when `None`.
    pub layer: Option<&'a str>,
}

impl Predicted<'_> {
    /// The predicted cells as a data set of their own, with the variables and the columns of cells of `real`.
    ///
    /// # Errors
    /// [`PredictError::Data`] when rows are not there.
    pub fn alone(self, real: &Dataset) -> Result<Dataset, PredictError> {
        let obs = self.obs(real)?;
        let mut out = Dataset::new(obs, real.var.clone());
        let like = real.matrix(self.layer);
        out.x = Some(matrix(self.values, like)?);
        (out.varm, out.varp, out.uns) = (real.varm.clone(), real.varp.clone(), real.uns.clone());
        let what = "columns of cells are those of the cells the predicted ones were made from; nothing in them was measured";
        out.changes.push(Change::harmless("obs", what));
        let of_cells = "belongs to the real cells; predicted cells have none";
        let left = |place: &str, names: Vec<&String>| -> Vec<Change> {
            names.into_iter().map(|n| Change::left(format!("{place}[{n:?}]"), of_cells)).collect()
        };
        out.changes
            .extend(left("layers", real.layers.keys().filter(|n| Some(n.as_str()) != self.layer).collect()));
        out.changes.extend(left("obsm", real.obsm.keys().collect()));
        out.changes.extend(left("obsp", real.obsp.keys().collect()));
        if real.raw.is_some() {
            out.changes.push(Change::left("raw", of_cells));
        }
        if self.layer.is_some() && real.x.is_some() {
            out.changes.push(Change::left("X", "its place is taken by the predicted values"));
        }
        Ok(out)
    }

    /// All cells of `real` with the predicted ones below them.
    ///
    /// # Errors
    /// [`PredictError`] when the values are on the scale of a layer, or both cannot be put together.
    pub fn below(self, mut real: Dataset, memory: u64) -> Result<Dataset, PredictError> {
        if let Some(layer) = self.layer {
            return Err(PredictError::usage(format!(
                "the values are on the scale of layers[{layer:?}], and X of predicted cells does not follow from it; add \
                 --only-predicted"
            )));
        }
        let made = Dataset { changes: Vec::new(), ..self.alone(&real)? };
        let n = real.n_obs();
        let marked = real.obs.column(SYNTHETIC).is_some();
        let old = real.obs.column(PREDICTED).and_then(flags);
        let old = old.unwrap_or_else(|| vec![false; n]);
        real.obs.set(PREDICTED, Column::Numbers(Values::Bool(old)));
        real.obsm.retain(|_, a| !matches!(a, Annotation::Opaque { .. }));
        let pieces = vec![
            Piece { batch: "real".into(), file: "the real cells".into(), dataset: real },
            Piece { batch: "predicted".into(), file: "the predicted cells".into(), dataset: made },
        ];
        let options = Options {
            join: Join::Outer,
            on_duplicate: OnDuplicate::Error,
            batch_key: PART.into(),
            layers: None,
            continuous_time: false,
            memory,
        };
        let mut out = concat(pieces, &options).map_err(|e| PredictError::input(chain(&e)))?;
        // The other mark stays as it was: predicted cells have their own.
        out.obs.columns.retain(|(name, _)| name != PART && (marked || name != SYNTHETIC));
        let what = "columns of predicted cells are those of the cells they were made from; nothing in them was measured";
        out.changes.push(Change::harmless("obs", what));
        Ok(out)
    }

    fn obs(&self, real: &Dataset) -> Result<Frame, PredictError> {
        let n = self.rows.len();
        let mut obs = real.obs.take(&Take::entries(real.n_obs(), self.rows)?)?;
        let sources: Vec<String> = obs.index.iter().map(|c| c.into_owned()).collect();
        obs.index = names(&sources, self.from_to.1, &real.obs.index);
        let condition = real.obs.column(self.condition_key);
        obs.set(self.condition_key, constant(condition, self.from_to.1, n));
        obs.set(PREDICTED, Column::Numbers(Values::Bool(vec![true; n])));
        obs.set(SOURCE_CELL, Column::Strings(sources));
        obs.set(FROM_TO[0], one(self.from_to.0, n));
        obs.set(FROM_TO[1], one(self.from_to.1, n));
        obs.set(MODEL, one(self.model, n));
        Ok(obs)
    }
}

/// A message with its causes.
fn chain(e: &dyn std::error::Error) -> String {
    let mut text = e.to_string();
    let mut cause = e.source();
    while let Some(e) = cause {
        text = format!("{text}: {e}");
        cause = e.source();
    }
    text
}

fn one(name: &str, n: usize) -> Column {
    Column::Categorical(Categorical {
        codes: vec![0; n],
        categories: Categories::Strings(vec![name.to_owned()]),
        ordered: false,
    })
}

/// A column of one value, with the categories of the real one where it has that value.
fn constant(real: Option<&Column>, value: &str, n: usize) -> Column {
    if let Some(Column::Categorical(own)) = real {
        let texts: Vec<String> = (0..own.categories.len()).filter_map(|i| own.categories.text(i)).collect();
        let at = find_value(texts.iter().map(String::as_str), value).and_then(|i| i32::try_from(i).ok());
        if let Some(code) = at {
            return Column::Categorical(Categorical { codes: vec![code; n], ..own.clone() });
        }
    }
    match real.map(crate::data::ValueKind::of) {
        Some(kind) => kind.column(&[value.to_owned()], &vec![Some(0); n]),
        None => one(value, n),
    }
}

/// Names of predicted cells that no other cell has.
fn names(sources: &[String], to: &str, taken: &Index) -> Index {
    let real: BTreeSet<String> = taken.iter().map(|n| n.into_owned()).collect();
    let mut suffix = format!("-predicted-{to}");
    loop {
        let all: Vec<String> = sources.iter().map(|n| format!("{n}{suffix}")).collect();
        if !all.iter().any(|n| real.contains(n)) {
            return Index::names(all);
        }
        suffix.push('_');
    }
}

/// Values in the layout and the precision of another matrix.
fn matrix(values: Array2<f32>, like: Option<&Matrix>) -> Result<Matrix, PredictError> {
    let (rows, columns) = values.dim();
    let double = like.is_some_and(|m| m.dtype() == DType::F64);
    if like.is_none_or(|m| m.layout() == Layout::Dense) {
        let all = values.iter().copied();
        let values =
            if double { Values::F64(all.map(f64::from).collect()) } else { Values::F32(all.collect()) };
        return Ok(Matrix::Dense(Dense::new(rows, columns, values)?));
    }
    let (mut indptr, mut indices, mut kept) = (vec![0u64], Vec::new(), Vec::new());
    for row in values.rows() {
        for (j, v) in row.iter().enumerate().filter(|(_, v)| **v != 0.0) {
            indices.push(j as u32);
            kept.push(*v);
        }
        indptr.push(indices.len() as u64);
    }
    let kept = if double { f64::wrap(kept.into_iter().map(f64::from).collect()) } else { Values::F32(kept) };
    Ok(Matrix::Sparse(Sparse::new(Layout::Csr, (rows, columns), indptr, indices, kept)?))
}
