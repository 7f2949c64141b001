//! Recipes on some of the features: genes are filtered and scaled, antibodies and the like beside them stay as they are.

use std::ops::Range;
use std::sync::Arc;

use super::RecipeError;
use crate::data::counts::Features;
use crate::data::{
    Block, Column, DType, DataError, Dataset, Dense, Layout, Matrix, RowSource, Sparse, Take, Values,
};

/// Column of obs and var that tells rows and genes of the part from those of the whole; gone when the work is done.
const NUMBER: &str = "scx_number";

/// Does `work` to the features of a data set alone, all of them when `None`. Cells that go are gone for all; values and
/// annotations of other features are as they were, with missing entries in columns of var that are new.
///
/// # Errors
/// Those of `work`; [`RecipeError::Data`] when a matrix cannot be read.
pub fn on_features<T, E: From<RecipeError>>(
    dataset: &mut Dataset,
    features: Option<&Features>,
    work: impl FnOnce(&mut Dataset) -> Result<T, E>,
) -> Result<T, E> {
    let Some(features) = features else { return work(dataset) };
    share(dataset).map_err(RecipeError::from)?;
    let mut part = part(dataset, features).map_err(RecipeError::from)?;
    let done = work(&mut part)?;
    *dataset = joined(dataset, features, part).map_err(RecipeError::from)?;
    Ok(done)
}

/// Matrices in a form whose copies share their values.
fn share(dataset: &mut Dataset) -> Result<(), DataError> {
    dataset.x = dataset.x.take().map(Matrix::shared).transpose()?;
    let layers = std::mem::take(&mut dataset.layers);
    dataset.layers =
        layers.into_iter().map(|(k, m)| Ok((k, m.shared()?))).collect::<Result<_, DataError>>()?;
    Ok(())
}

/// X and the layers of some features, with numbers for what is left of them later.
fn part(whole: &Dataset, features: &Features) -> Result<Dataset, DataError> {
    let columns = Take::entries(whole.n_vars(), &features.columns)?;
    let cells = Take::all(whole.n_obs());
    let mut bare = Dataset::new(whole.obs.clone(), whole.var.clone());
    (bare.x, bare.layers, bare.uns) = (whole.x.clone(), whole.layers.clone(), whole.uns.clone());
    let mut part = bare.select(&cells, &columns)?;
    part.obs.set(NUMBER, numbers(0..whole.n_obs()));
    part.var.set(NUMBER, numbers(features.columns.iter().copied()));
    Ok(part)
}

fn numbers(all: impl IntoIterator<Item = usize>) -> Column {
    Column::Numbers(Values::U64(all.into_iter().map(|i| i as u64).collect()))
}

/// Takes the numbers out of a table again; a row without one was filled in.
fn taken_out(frame: &mut crate::data::Frame) -> Vec<Option<usize>> {
    let column = frame.column(NUMBER).cloned();
    frame.columns.retain(|(name, _)| name != NUMBER);
    let at = |i: usize| match &column {
        Some(Column::Numbers(v)) => v.get(i).filter(|x| x.is_finite()).map(|x| x as usize),
        Some(Column::Nullable { values, missing }) if missing.get(i) != Some(&true) => {
            values.get(i).map(|x| x as usize)
        }
        _ => None,
    };
    (0..frame.len()).map(at).collect()
}

/// The part after its work, with all other features of the cells that are left: genes at the places they had.
fn joined(whole: &Dataset, features: &Features, mut part: Dataset) -> Result<Dataset, DataError> {
    let cells: Vec<usize> = taken_out(&mut part.obs).into_iter().flatten().collect();
    let genes = taken_out(&mut part.var);
    let others = features.others(whole.n_vars());
    // A gene that was filled in stands where it stands in the part, behind the gene before it.
    let mut order: Vec<(usize, Side)> = Vec::with_capacity(genes.len() + others.len());
    let kept_order = genes.iter().flatten().is_sorted();
    let mut last = 0;
    for (i, gene) in genes.iter().enumerate() {
        last = if kept_order { gene.unwrap_or(last) } else { 0 };
        order.push((last, Side::Part(i)));
    }
    let behind = if kept_order { 0 } else { 1 };
    order.extend(others.iter().enumerate().map(|(i, &at)| (at + behind * whole.n_vars(), Side::Other(i))));
    order.sort_by_key(|o| o.0);
    let sides: Arc<[Side]> = order.into_iter().map(|o| o.1).collect();
    let picks = sides.iter().map(|s| match s {
        Side::Part(i) => genes.get(*i).copied().flatten(),
        Side::Other(i) => others.get(*i).copied(),
    });
    let (rows, columns) =
        (Take::entries(whole.n_obs(), &cells)?, Take::new(whole.n_vars(), picks.collect())?);
    let mut bare = whole.clone();
    let x = bare.x.take();
    // Layers that were there are as they were.
    let mut out = bare.select(&rows, &columns)?;
    let others = Take::entries(whole.n_vars(), &others)?;
    let beside = |own: Matrix, other: &Matrix| -> Result<Matrix, DataError> {
        beside(own, other.select(&rows, &others)?, sides.clone())
    };
    for (name, own) in std::mem::take(&mut part.layers) {
        // A layer that is new holds what X held.
        if let (false, Some(other)) = (out.layers.contains_key(&name), &x) {
            out.layers.insert(name, beside(own, other)?);
        }
    }
    out.x = match (part.x.take(), &x) {
        (Some(own), Some(other)) => Some(beside(own, other)?),
        _ => None,
    };
    names(&mut out, &part, &sides);
    (out.obs, out.uns) = (part.obs, part.uns);
    out.changes.extend(part.changes);
    let part_of = |s: &Side| if let Side::Part(i) = s { Some(*i) } else { None };
    let take = Take::new(part.var.index.len(), sides.iter().map(part_of).collect())?;
    let back: Vec<usize> = (0..sides.len()).filter(|&i| part_of(&sides[i]).is_some()).collect();
    let back = Take::entries(sides.len(), &back)?;
    for (name, column) in part.var.columns {
        let old = out.var.column(&name).and_then(|c| c.take(&back));
        // Columns the work has not touched stay whole. NaN is like NaN here.
        if old.is_some_and(|old| format!("{old:?}") == format!("{column:?}")) {
            continue;
        }
        if let Some(column) = marks(column, &take) {
            out.var.set(&name, column);
        }
    }
    Ok(out)
}

/// A new column of var for all features; those that were left alone are not marked, or have no value.
fn marks(column: Column, take: &Take) -> Option<Column> {
    match column.take(take)? {
        Column::Nullable { values: Values::Bool(v), missing } => {
            let marked = v.into_iter().zip(missing).map(|(v, missing)| v && !missing);
            Some(Column::Numbers(Values::Bool(marked.collect())))
        }
        other => Some(other),
    }
}

/// Genes that were filled in, or renamed, have their names from the part.
fn names(out: &mut Dataset, part: &Dataset, sides: &[Side]) {
    let old: Vec<String> = out.var.index.iter().map(|n| n.into_owned()).collect();
    if let crate::data::Index::Names { values, .. } = &mut out.var.index {
        *values = sides
            .iter()
            .zip(old)
            .map(|(side, own)| match side {
                Side::Part(i) => part.var.index.get(*i).map_or(own, |n| n.into_owned()),
                Side::Other(_) => own,
            })
            .collect();
    }
}

/// Where a column of the whole lies.
#[derive(Debug, Clone, Copy)]
enum Side {
    Part(usize),
    Other(usize),
}

/// Two matrices of the same cells, their columns mixed.
#[derive(Debug)]
struct Beside {
    part: Matrix,
    other: Matrix,
    sides: Arc<[Side]>,
    /// For each column of the part and of the other, where it goes.
    places: [Vec<u32>; 2],
    dtype: DType,
    layout: Layout,
}

/// The two matrices side by side, in a type that holds both exactly.
fn beside(part: Matrix, other: Matrix, sides: Arc<[Side]>) -> Result<Matrix, DataError> {
    let dtype = common(&part, &other)?;
    let dense = part.layout() == Layout::Dense || other.layout() == Layout::Dense;
    let mut places = [vec![0; part.shape().1], vec![0; other.shape().1]];
    for (to, side) in sides.iter().enumerate() {
        match side {
            Side::Part(i) => places[0][*i] = to as u32,
            Side::Other(i) => places[1][*i] = to as u32,
        }
    }
    let layout = if dense { Layout::Dense } else { Layout::Csr };
    Ok(Matrix::OnDisk(Arc::new(Beside { part, other, sides, places, dtype, layout })))
}

/// The type of the part where it holds the values of the other, else double precision.
fn common(part: &Matrix, other: &Matrix) -> Result<DType, DataError> {
    if part.dtype() == other.dtype() && !matches!(part.dtype(), DType::Bool | DType::F16) {
        return Ok(part.dtype());
    }
    let mut single = part.dtype() == DType::F32;
    if single {
        other.stream(64 << 20, &mut |_, block| {
            let values = match &block {
                Block::Dense(d) => d.values(),
                Block::Csr(s) => s.values(),
            };
            single &= values.iter().all(|v| v.is_nan() || f64::from(v as f32) == v);
            Ok(())
        })?;
    }
    Ok(if single { DType::F32 } else { DType::F64 })
}

impl Beside {
    fn values(&self, all: Vec<f64>) -> Values {
        macro_rules! cast {
            ($($variant:ident $t:ty),*) => {
                match self.dtype {
                    $(DType::$variant => Values::$variant(all.into_iter().map(|v| v as $t).collect()),)*
                    _ => Values::F64(all),
                }
            };
        }
        cast!(I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64, F32 f32)
    }

    /// Stored entries of row `r` of a block, at their places here.
    fn entries(block: &Block, r: usize, places: &[u32], to: &mut Vec<(u32, f64)>) {
        if let Block::Csr(s) = block {
            for i in s.indptr()[r] as usize..s.indptr()[r + 1] as usize {
                to.push((places[s.indices()[i] as usize], s.values().get(i).unwrap_or(f64::NAN)));
            }
        }
    }
}

impl RowSource for Beside {
    fn shape(&self) -> (usize, usize) {
        (self.part.shape().0, self.sides.len())
    }

    fn dtype(&self) -> DType {
        self.dtype
    }

    fn layout(&self) -> Layout {
        self.layout
    }

    fn nnz(&self) -> Option<u64> {
        if self.layout == Layout::Dense { None } else { Some(self.part.nnz()? + self.other.nnz()?) }
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        let n = range.len();
        let (part, other) = (self.part.rows(range.clone())?, self.other.rows(range)?);
        if self.layout == Layout::Dense {
            let (part, other) = (part.to_f64(), other.to_f64());
            let mut all = Vec::with_capacity(n * self.sides.len());
            for r in 0..n {
                all.extend(self.sides.iter().map(|side| match side {
                    Side::Part(i) => part[(r, *i)],
                    Side::Other(i) => other[(r, *i)],
                }));
            }
            return Ok(Block::Dense(Dense::new(n, self.sides.len(), self.values(all))?));
        }
        let (mut indptr, mut indices, mut all) = (vec![0u64], Vec::new(), Vec::new());
        let mut row = Vec::new();
        for r in 0..n {
            row.clear();
            Self::entries(&part, r, &self.places[0], &mut row);
            Self::entries(&other, r, &self.places[1], &mut row);
            row.sort_by_key(|e| e.0);
            indices.extend(row.iter().map(|e| e.0));
            all.extend(row.iter().map(|e| e.1));
            indptr.push(indices.len() as u64);
        }
        let shape = (n, self.sides.len());
        Ok(Block::Csr(Sparse::new(Layout::Csr, shape, indptr, indices, self.values(all))?))
    }
}
