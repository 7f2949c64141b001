//! What of a data set follows from its counts, so that new cells can have it too.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::{GenerateError, Synthetic};
use crate::data::counts::{CountRows, Taken, chosen, largest, typed};
use crate::data::{
    Block, Column, DType, DataError, Dataset, Frame, Layout, Matrix, RowSource, Sparse, Values,
};

/// How a matrix follows from the counts of the same cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rule {
    /// It holds them.
    Same,
    /// Each cell scaled to a sum of `target`, and ln(1 + x) of it when `log`.
    Scaled { target: f64, log: bool },
}

impl Rule {
    /// In words, for the list of changes.
    pub(super) fn words(self) -> String {
        match self {
            Rule::Same => "counts".into(),
            Rule::Scaled { target, log: true } => format!("ln(1 + counts scaled to {target:.6})"),
            Rule::Scaled { target, log: false } => format!("counts scaled to {target:.6}"),
        }
    }
}

/// Cells looked at to find a rule.
const LOOKED_AT: usize = 300;

/// How far a value may be from its rule: single-precision files round.
const TOLERANCE: f64 = 2e-4;

/// Where each gene of `to` lies in `from`, by name; `None` when one is missing or names repeat.
fn positions(from: &Frame, to: &Frame) -> Option<Vec<usize>> {
    let mut at = HashMap::new();
    for (i, name) in from.index.iter().enumerate() {
        if at.insert(name.into_owned(), i).is_some() {
            return None;
        }
    }
    to.index.iter().map(|name| at.get(name.as_ref()).copied()).collect()
}

/// One row as (gene, value) pairs, zeros left out.
fn row(matrix: &Matrix, cell: usize) -> Result<Vec<(usize, f64)>, DataError> {
    let all: Vec<(usize, f64)> = match matrix.rows(cell..cell + 1)? {
        Block::Dense(d) => d.values().iter().enumerate().collect(),
        Block::Csr(s) => s.indices().iter().map(|&g| g as usize).zip(s.values().iter()).collect(),
    };
    Ok(all.into_iter().filter(|v| v.1 != 0.0).collect())
}

/// A rule, and where each gene of the matrix lies among those of the counts when they are others.
pub(super) type Found = (Rule, Option<Vec<usize>>);

/// What a matrix with genes `var` makes of the counts at `place`; `None` when it is not known.
pub(super) fn rule(
    dataset: &Dataset,
    taken: &Taken,
    (matrix, var): (&Matrix, &Frame),
) -> Result<Option<Found>, GenerateError> {
    let counts = chosen(dataset, &taken.place)?;
    let same_genes = counts.var.index.iter().eq(var.index.iter());
    let at = if same_genes { None } else { positions(counts.var, var) };
    if !same_genes && at.is_none() {
        return Ok(None);
    }
    // Gene of the counts → gene of the matrix.
    let to: Option<HashMap<usize, usize>> =
        at.as_ref().map(|at| at.iter().enumerate().map(|(to, &from)| (from, to)).collect());
    let n = dataset.n_obs();
    let step = (n / LOOKED_AT).max(1);
    // Features that are not taken follow no rule.
    let used = |g: usize| taken.features.as_ref().is_none_or(|f| f.columns.binary_search(&g).is_ok());
    let (mut same, mut linear, mut logged) = (true, Spread::default(), Spread::default());
    for cell in (0..n).step_by(step) {
        let mut own = row(counts.matrix, cell)?;
        own.retain(|v| used(v.0));
        let total: f64 = own.iter().map(|v| v.1).sum();
        let mut expected: HashMap<usize, f64> = HashMap::new();
        for (g, v) in own {
            match &to {
                None => *expected.entry(g).or_default() += v,
                Some(to) => {
                    if let Some(&g) = to.get(&g) {
                        *expected.entry(g).or_default() += v;
                    }
                }
            }
        }
        let mut found = row(matrix, cell)?;
        found.retain(|v| used(at.as_ref().map_or(v.0, |at| at[v.0])));
        if found.len() != expected.len() {
            return Ok(None);
        }
        for (g, x) in found {
            let Some(&count) = expected.get(&g) else { return Ok(None) };
            same &= x == count;
            linear.see(x / count * total);
            logged.see(x.exp_m1() / count * total);
        }
    }
    let found = if same {
        Some(Rule::Same)
    } else if let Some(target) = logged.one() {
        Some(Rule::Scaled { target, log: true })
    } else {
        linear.one().map(|target| Rule::Scaled { target, log: false })
    };
    Ok(found.map(|rule| (rule, at)))
}

/// The range of a number that should be the same everywhere.
#[derive(Debug, Default)]
struct Spread {
    seen: Vec<f64>,
}

impl Spread {
    fn see(&mut self, x: f64) {
        self.seen.push(x);
    }

    /// The number, when it is one and the same.
    fn one(mut self) -> Option<f64> {
        if self.seen.is_empty() || self.seen.iter().any(|x| !x.is_finite() || *x <= 0.0) {
            return None;
        }
        self.seen.sort_by(f64::total_cmp);
        let middle = self.seen[self.seen.len() / 2];
        let wide = |x: f64| (x / middle - 1.0).abs() > TOLERANCE;
        if wide(self.seen[0]) || wide(self.seen[self.seen.len() - 1]) {
            return None;
        }
        // A target is nearly always a round number; single precision blurs it.
        let round = middle.round();
        Some(if (middle / round - 1.0).abs() < TOLERANCE / 4.0 { round } else { middle })
    }
}

/// A matrix of new cells that follows from their counts.
#[derive(Debug)]
struct Derived {
    counts: CountRows,
    rule: Rule,
    /// Gene of the counts → gene here.
    genes: Option<Arc<Vec<Option<u32>>>>,
    n_genes: usize,
    dtype: DType,
    nnz: u64,
}

impl RowSource for Derived {
    fn shape(&self) -> (usize, usize) {
        (self.counts.shape().0, self.n_genes)
    }

    fn dtype(&self) -> DType {
        self.dtype
    }

    fn layout(&self) -> Layout {
        Layout::Csr
    }

    fn nnz(&self) -> Option<u64> {
        Some(self.nnz)
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        let shape = (range.len(), self.n_genes);
        let (pointers, genes, counts) = self.counts.run(range)?;
        let (mut indptr, mut indices) = (vec![0u64], Vec::new());
        let (mut whole, mut values) = (Vec::new(), Vec::new());
        for w in pointers.windows(2) {
            let span = w[0] as usize..w[1] as usize;
            let total: f64 = counts[span.clone()].iter().map(|&v| f64::from(v)).sum();
            let mut cell: Vec<(u32, u32)> = genes[span.clone()]
                .iter()
                .zip(&counts[span])
                .filter_map(|(&g, &v)| match &self.genes {
                    None => Some((g, v)),
                    Some(to) => to.get(g as usize).copied().flatten().map(|g| (g, v)),
                })
                .collect();
            cell.sort_unstable_by_key(|c| c.0);
            for (g, v) in cell {
                indices.push(g);
                match self.rule {
                    Rule::Same => whole.push(v),
                    Rule::Scaled { target, log } => {
                        let x = f64::from(v) / total * target;
                        values.push(if log { x.ln_1p() } else { x });
                    }
                }
            }
            indptr.push(indices.len() as u64);
        }
        let values = match (self.rule, self.dtype) {
            (Rule::Same, dtype) => typed(&whole, dtype),
            (_, DType::F32) => Values::F32(values.into_iter().map(|v| v as f32).collect()),
            _ => Values::F64(values),
        };
        Ok(Block::Csr(Sparse::new(Layout::Csr, shape, indptr, indices, values)?))
    }
}

/// The matrix of the new cells that stands beside `like` of the real ones.
pub(super) fn derive(
    synthetic: &Synthetic,
    (rule, at): Found,
    like: &Matrix,
) -> Result<Matrix, GenerateError> {
    let counts = synthetic.counts.clone();
    let dtype = match rule {
        Rule::Same => {
            let wide_enough = largest(like.dtype()).is_some_and(|most| most >= synthetic.largest);
            if wide_enough { like.dtype() } else { DType::I64 }
        }
        Rule::Scaled { .. } if like.dtype() == DType::F32 => DType::F32,
        Rule::Scaled { .. } => DType::F64,
    };
    if rule == Rule::Same && at.is_none() {
        return Ok(Matrix::OnDisk(Arc::new(counts.of_type(dtype))));
    }
    let n_genes = like.shape().1;
    let genes = at.map(|at| {
        let mut to = vec![None; counts.shape().1];
        at.iter().enumerate().for_each(|(here, &there)| to[there] = Some(here as u32));
        Arc::new(to)
    });
    let mut nnz = counts.nnz().unwrap_or(0);
    if genes.is_some() {
        // Counted once: a writer wants to know before it begins.
        let probe = Derived { counts: counts.clone(), rule, genes: genes.clone(), n_genes, dtype, nnz: 0 };
        let cells = counts.shape().0;
        nnz = 0;
        for from in (0..cells).step_by(1024) {
            if let Block::Csr(s) = probe.rows(from..(from + 1024).min(cells))? {
                nnz += s.indices().len() as u64;
            }
        }
    }
    Ok(Matrix::OnDisk(Arc::new(Derived { counts, rule, genes, n_genes, dtype, nnz })))
}

/// Values of a numeric column of obs for the new cells, where the real ones show that it is a sum or a number of genes
/// of each cell, or ln(1 + x) of these.
pub(super) fn column(
    column: &Column,
    (totals, n_genes): (&[u64], &[u32]),
    synthetic: &Synthetic,
) -> Option<Column> {
    let Column::Numbers(values) = column else { return None };
    let laws: [fn(u64, u32) -> f64; 4] =
        [|t, _| t as f64, |_, g| f64::from(g), |t, _| (t as f64).ln_1p(), |_, g| f64::from(g).ln_1p()];
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-4 * b.abs().max(1e-6);
    let law = laws.into_iter().find(|law| {
        values.len() == totals.len()
            && values.len() > 1
            && values.iter().zip(totals.iter().zip(n_genes)).all(|(x, (&t, &g))| close(x, law(t, g)))
    })?;
    let new = synthetic.totals.iter().zip(&synthetic.n_genes).map(|(&t, &g)| law(t, g));
    Some(Column::Numbers(match values.dtype() {
        DType::F32 => Values::F32(new.map(|v| v as f32).collect()),
        DType::F64 => Values::F64(new.collect()),
        dtype => typed(&new.map(|v| v as u32).collect::<Vec<_>>(), dtype),
    }))
}
