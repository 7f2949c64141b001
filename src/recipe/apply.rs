//! Doing a fitted step to a data set: tables grow columns, X becomes a view that changes values when it is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cytometry::{self, column_of};
use super::fitted::FittedStep;
use super::logicle::Logicle;
use super::stats::Options;
use super::view::{Curve, Op, mapped};
use super::work::{Work, x};
use super::{RecipeError, step::Flavor};
use crate::data::{Amplifier, Column, DType, Dataset, Matrix, Take, Uns, Values, mark_linear};

/// Does one fitted step.
pub(super) fn apply(
    step: &FittedStep,
    dataset: &mut Dataset,
    work: &mut Work,
    options: &Options,
) -> Result<(), RecipeError> {
    match step {
        FittedStep::FilterCells { min_genes } => filter_cells(dataset, work, options, *min_genes),
        FittedStep::FilterGenes { kept, .. } => filter_genes(dataset, work, options, kept),
        FittedStep::NormalizeTotal { target_sum } => normalize(dataset, work, options, *target_sum),
        FittedStep::Log1p => {
            let m = x(dataset)?.clone();
            // As scanpy: whole numbers become double.
            let dtype = if m.dtype().is_float() { m.dtype() } else { DType::F64 };
            change(dataset, work, Op::Log1p, dtype)?;
            work.linear = false;
            dataset.uns.insert("log1p".into(), Uns::Map(BTreeMap::new()));
            Ok(())
        }
        FittedStep::HighlyVariableGenes { flavor, subset, chosen, scores, .. } => {
            variable_genes(dataset, work, *flavor, *subset, chosen, scores)
        }
        FittedStep::Scale { max_value, mean, sd } => {
            let m = x(dataset)?;
            let dtype = if m.dtype().is_float() { m.dtype() } else { DType::F64 };
            let op = Op::Scale { mean: mean.clone().into(), sd: sd.clone().into(), max: *max_value };
            change(dataset, work, op, dtype)?;
            dataset.var.set("mean", Column::Numbers(Values::F64(mean.clone())));
            dataset.var.set("std", Column::Numbers(Values::F64(sd.clone())));
            Ok(())
        }
        FittedStep::Compensate { spillover } => {
            let columns: Vec<usize> =
                spillover.channels().iter().map(|c| column_of(dataset, c)).collect::<Result<_, _>>()?;
            let compensation = Arc::new(spillover.inverse()?);
            let dtype = x(dataset)?.dtype().exact_float();
            change(dataset, work, Op::Compensate { columns: columns.into(), compensation }, dtype)
        }
        FittedStep::Arcsinh { cofactor, channels } => {
            curve(dataset, work, channels.as_deref(), &Curve::Arcsinh(*cofactor))
        }
        FittedStep::Logicle { t, w, m, a, channels } => {
            let scale = Arc::new(Logicle::new(*t, *w, *m, *a)?);
            curve(dataset, work, channels.as_deref(), &Curve::Logicle(scale))
        }
        FittedStep::Amplify => {
            let amplifiers = cytometry::amplifiers(dataset)?;
            let curve = |a: &Amplifier| if a.is_identity() { Curve::Keep } else { Curve::Linear(*a) };
            let curves: Vec<Curve> = amplifiers.iter().map(curve).collect();
            let dtype = x(dataset)?.dtype().exact_float();
            change(dataset, work, Op::Curves(curves.into()), dtype)?;
            mark_linear(&mut dataset.var, &amplifiers);
            Ok(())
        }
    }
}

fn change(dataset: &mut Dataset, work: &mut Work, op: Op, dtype: DType) -> Result<(), RecipeError> {
    let base = x(dataset)?.clone();
    dataset.x = Some(mapped(base, op, dtype));
    work.forget();
    Ok(())
}

fn curve(
    dataset: &mut Dataset,
    work: &mut Work,
    channels: Option<&[String]>,
    curve: &Curve,
) -> Result<(), RecipeError> {
    let curves = match channels {
        None => vec![curve.clone(); dataset.n_vars()],
        Some(names) => {
            let mut all = vec![Curve::Keep; dataset.n_vars()];
            for name in names {
                all[column_of(dataset, name)?] = curve.clone();
            }
            all
        }
    };
    let dtype = x(dataset)?.dtype().exact_float();
    change(dataset, work, Op::Curves(curves.into()), dtype)
}

fn whole(v: &[u64]) -> Column {
    Column::Numbers(Values::I64(v.iter().map(|&n| i64::try_from(n).unwrap_or(i64::MAX)).collect()))
}

fn filter_cells(
    dataset: &mut Dataset,
    work: &mut Work,
    options: &Options,
    min_genes: u64,
) -> Result<(), RecipeError> {
    work.count(dataset, options, min_genes)?;
    let (Some(cells), Some(genes)) = (work.cells.take(), work.genes.take()) else {
        return Err(RecipeError::Cancelled);
    };
    let keep: Vec<bool> = cells.genes.iter().map(|&g| g >= min_genes).collect();
    let take = Take::marked(&keep);
    if take.is_empty() {
        return Err(RecipeError::input(format!("no cell has {min_genes} expressed genes; nothing is left")));
    }
    dataset.obs.set("n_genes", whole(&cells.genes));
    *dataset = select(dataset, &take, &Take::all(dataset.n_vars()), genes.stored.iter().sum())?;
    let totals = cells.totals.iter().zip(&keep).filter(|(_, k)| **k).map(|(t, _)| *t);
    *work = Work { cells: None, genes: Some(genes), totals: Some(totals.collect()), linear: work.linear };
    Ok(())
}

fn filter_genes(
    dataset: &mut Dataset,
    work: &mut Work,
    options: &Options,
    kept: &[usize],
) -> Result<(), RecipeError> {
    let counts = work.genes(dataset, options)?.clone();
    let take = Take::entries(dataset.n_vars(), kept)?;
    if take.is_empty() {
        return Err(RecipeError::input("no gene is left"));
    }
    dataset.var.set("n_cells", whole(&counts.cells));
    let stored = kept.iter().map(|&g| counts.stored[g]).sum();
    // Genes that no cell expresses take nothing away from the sums.
    let same =
        (0..counts.stored.len()).filter(|&g| counts.stored[g] > 0).all(|g| kept.binary_search(&g).is_ok());
    let totals = work.totals.take().filter(|_| same);
    *dataset = select(dataset, &Take::all(dataset.n_obs()), &take, stored)?;
    *work = Work { totals, linear: work.linear, ..Work::default() };
    Ok(())
}

/// A selection where the stored values left in X are known. A layer that is X takes the count over.
fn select(dataset: &Dataset, cells: &Take, genes: &Take, stored: u64) -> Result<Dataset, RecipeError> {
    let mut bare = dataset.clone();
    let mut known = Vec::new();
    let same = |a: &Matrix, b: &Matrix| matches!((a, b), (Matrix::OnDisk(a), Matrix::OnDisk(b)) if Arc::ptr_eq(a, b));
    if let Some(m) = bare.x.take() {
        let part = m.select_counted(cells, genes, Some(stored))?;
        let twins: Vec<String> =
            bare.layers.iter().filter(|(_, l)| same(l, &m)).map(|(k, _)| k.clone()).collect();
        for name in twins {
            bare.layers.remove(&name);
            known.push((name, part.clone()));
        }
        let mut out = bare.select(cells, genes)?;
        out.x = Some(part);
        out.layers.extend(known);
        return Ok(out);
    }
    Ok(bare.select(cells, genes)?)
}

fn normalize(
    dataset: &mut Dataset,
    work: &mut Work,
    options: &Options,
    target_sum: f64,
) -> Result<(), RecipeError> {
    let m = x(dataset)?;
    let dtype = if m.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
    let totals = work.totals(dataset, options)?.to_vec();
    if let Some(cell) = totals.iter().position(|t| !t.is_finite() || *t < 0.0) {
        return Err(RecipeError::input(format!(
            "cell {cell} adds up to {}; counts are expected",
            totals[cell]
        )));
    }
    let empty = totals.iter().filter(|t| **t == 0.0).count();
    if empty > 0 {
        tracing::warn!("{empty} cells are empty and stay so");
    }
    let factor = |total: &f64| match (*total, dtype) {
        (0.0, _) => 1.0,
        (t, DType::F32) => f64::from(t as f32 / target_sum as f32),
        (t, _) => t / target_sum,
    };
    let factors: Vec<f64> = totals.iter().map(factor).collect();
    if !dataset.obs.columns.iter().any(|(n, _)| n == "n_counts") {
        dataset.obs.set("n_counts", Column::Numbers(Values::F64(totals)));
    }
    work.linear = true;
    change(dataset, work, Op::Divide(factors.into()), dtype)
}

fn variable_genes(
    dataset: &mut Dataset,
    work: &mut Work,
    flavor: Flavor,
    subset: bool,
    chosen: &[usize],
    scores: &BTreeMap<String, Vec<Option<f64>>>,
) -> Result<(), RecipeError> {
    let mut marks = vec![false; dataset.n_vars()];
    for &g in chosen {
        if let Some(mark) = marks.get_mut(g) {
            *mark = true;
        }
    }
    dataset.var.set("highly_variable", Column::Numbers(Values::Bool(marks)));
    for (name, values) in scores {
        let values = values.iter().map(|v| v.unwrap_or(f64::NAN));
        // As scanpy stores them.
        let column = match name.as_str() {
            "dispersions_norm" | "highly_variable_rank" => Values::F32(values.map(|v| v as f32).collect()),
            _ => Values::F64(values.collect()),
        };
        dataset.var.set(name, Column::Numbers(column));
    }
    let flavor = Uns::Map(BTreeMap::from([("flavor".into(), Uns::String(flavor.name().into()))]));
    dataset.uns.insert("hvg".into(), flavor);
    if subset {
        let take = Take::entries(dataset.n_vars(), chosen)?;
        if take.is_empty() {
            return Err(RecipeError::input("no gene has a score; nothing is left"));
        }
        *dataset = dataset.select(&Take::all(dataset.n_obs()), &take)?;
        work.forget();
    }
    Ok(())
}
