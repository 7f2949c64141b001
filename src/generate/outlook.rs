//! What a data set with new cells will hold, without their values: to see what a target makes of it before any training.

use super::derive::rule;
use super::join::{PART, names};
use crate::concat::{Join, OnDuplicate, Options, Piece, concat};
use crate::data::counts::Taken;
use crate::data::synthetic::{COLUMN, MODEL, mask};
use crate::data::{
    Categorical, Categories, Change, Column, DType, Dataset, Frame, Index, Layout, Matrix, Raw, Sparse,
    Values,
};

/// New cells that are looked at: what becomes of elements does not depend on their number, and any number may be asked for.
const MOST: usize = 1_000_000;

/// New cells to come.
#[derive(Debug, Clone, Copy)]
pub struct NewCells<'a> {
    /// How many.
    pub n: usize,
    /// Column of their labels.
    pub key: &'a str,
    /// The model.
    pub kind: &'a str,
    /// What is left behind by learning.
    pub changes: &'a [Change],
}

/// The new cells alone, with the genes of `like`, else with these.
pub fn outlook_alone(new: &NewCells, like: Option<&Dataset>, genes: &[String]) -> Dataset {
    let var = like.map_or_else(|| Frame::new(Index::names(genes.to_vec())), |d| d.var.clone());
    let new = &NewCells { n: new.n.min(MOST), ..*new };
    let mut out = Dataset::new(columns(new, like), var);
    out.x = nothing(new.n, out.n_vars(), DType::I64);
    out.changes.extend(new.changes.iter().cloned());
    out
}

/// The real cells with the new ones below them.
pub fn outlook_below(new: &NewCells, real: &Dataset, taken: &Taken) -> Dataset {
    let new = &NewCells { n: new.n.min(MOST), ..*new };
    let mut made = Dataset::new(columns(new, Some(real)), real.var.clone());
    let follows = |m: &Matrix, var: &Frame| matches!(rule(real, taken, (m, var)), Ok(Some(_)));
    let empty = |m: &Matrix| nothing(new.n, m.shape().1, m.dtype());
    made.x = real.x.as_ref().and_then(empty);
    for (name, layer) in real.layers.iter().filter(|(_, m)| follows(m, &real.var)) {
        made.layers.extend(empty(layer).map(|m| (name.clone(), m)));
    }
    if let Some(raw) = real.raw.as_ref().filter(|r| follows(&r.x, &r.var)) {
        let of = |x| Raw { x, var: raw.var.clone(), varm: raw.varm.clone() };
        made.raw = empty(&raw.x).map(of);
    }
    (made.varm, made.varp, made.uns) = (real.varm.clone(), real.varp.clone(), real.uns.clone());
    let mut old = real.clone();
    let n = old.n_obs();
    let marks = mask(real).unwrap_or_else(|| vec![false; n]);
    old.obs.set(COLUMN, Column::Numbers(Values::Bool(marks)));
    if old.obs.column(MODEL).is_none() {
        old.obs.set(MODEL, category(new.kind, n));
    }
    if old.obs.column(new.key).is_none() {
        old.obs.set(new.key, category("label", n));
    }
    let piece = |file: &str, dataset| Piece { batch: file.into(), file: file.into(), dataset };
    let options = Options {
        join: Join::Outer,
        on_duplicate: OnDuplicate::Error,
        batch_key: PART.into(),
        layers: None,
        continuous_time: false,
        memory: 1 << 26,
    };
    let mut out = concat(vec![piece("the real cells", old.clone()), piece("the new cells", made)], &options)
        .unwrap_or(old);
    out.obs.columns.retain(|(name, _)| name != PART);
    out.changes.extend(new.changes.iter().cloned());
    out
}

/// Label, mark and model; the label in the form it has in the real cells.
fn columns(new: &NewCells, like: Option<&Dataset>) -> Frame {
    let n = new.n;
    let label = match like.and_then(|d| d.obs.column(new.key)) {
        Some(Column::Categorical(own)) => {
            Column::Categorical(Categorical { codes: vec![-1; n], ..own.clone() })
        }
        Some(Column::Numbers(Values::Bool(_))) => Column::Numbers(Values::Bool(vec![false; n])),
        Some(Column::Numbers(v)) if v.dtype().is_float() => Column::Numbers(Values::F64(vec![0.0; n])),
        Some(Column::Numbers(_)) => Column::Numbers(Values::I64(vec![0; n])),
        Some(Column::Strings(_) | Column::NullableStrings(_)) => Column::Strings(vec![String::new(); n]),
        _ => category("label", n),
    };
    Frame::new(names(n, like.map(|d| &d.obs.index)))
        .with(new.key, label)
        .with(COLUMN, Column::Numbers(Values::Bool(vec![true; n])))
        .with(MODEL, category(new.kind, n))
}

fn category(name: &str, n: usize) -> Column {
    Column::Categorical(Categorical {
        codes: vec![0; n],
        categories: Categories::Strings(vec![name.to_owned()]),
        ordered: false,
    })
}

/// A matrix that stores nothing.
fn nothing(n: usize, genes: usize, dtype: DType) -> Option<Matrix> {
    let empty = Sparse::new(Layout::Csr, (n, genes), vec![0; n + 1], Vec::new(), Values::empty(dtype));
    empty.ok().map(Matrix::Sparse)
}
