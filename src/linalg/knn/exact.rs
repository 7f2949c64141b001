//! Every pair of rows, in blocks of products.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use rayon::prelude::*;

use super::{Candidate, Counter, Neighbours, Points, insert, squared_distance};
use crate::linalg::LinalgError;
use crate::progress::Progress;

/// Rows searched for together.
const QUERIES: usize = 128;
/// Rows searched among together: a block of distances stays in the processor's cache.
const REFERENCES: usize = 1024;
/// Candidates kept beyond `k`: single-precision products order near ties wrongly, the true distances decide.
const SLACK: usize = 8;

/// The nearest `k` of `reference` for each query. With `same`, query `i` is row `i` of `reference`, which is no neighbour
/// of its own.
pub(super) fn search(
    query: &Points,
    reference: &Points,
    k: usize,
    same: bool,
    progress: &dyn Progress,
) -> Result<Neighbours, LinalgError> {
    let counter = Counter::new(progress, "neighbours", query.len(), "exact");
    let mut lists = vec![Candidate::NONE; query.len() * k];
    lists.par_chunks_mut(QUERIES * k).enumerate().try_for_each(|(block, out)| {
        let from = block * QUERIES;
        search_block(query, reference, from, k, same, out);
        counter.add(out.len() / k).then_some(())
    });
    counter.finish()?;
    Ok(Neighbours::from_lists(k, &lists, k))
}

fn search_block(
    query: &Points,
    reference: &Points,
    from: usize,
    k: usize,
    same: bool,
    out: &mut [Candidate],
) {
    let (rows, d) = (out.len() / k, query.columns);
    let wide = (k + SLACK).min(reference.len());
    let mut lists = vec![Candidate::NONE; rows * wide];
    let q = MatRef::from_row_major_slice(&query.values[from * d..(from + rows) * d], rows, d);
    let mut products = Mat::<f32>::zeros(REFERENCES.min(reference.len()), rows);
    for start in (0..reference.len()).step_by(REFERENCES) {
        let len = REFERENCES.min(reference.len() - start);
        let r = MatRef::from_row_major_slice(&reference.values[start * d..(start + len) * d], len, d);
        let mut block = products.as_mut().subrows_mut(0, len);
        matmul(block.as_mut(), Accum::Replace, r, q.transpose(), 1.0, Par::Seq);
        for (i, list) in lists.chunks_exact_mut(wide).enumerate() {
            let Some(column) = block.as_ref().col(i).try_as_col_major() else { continue };
            let skip = same.then_some(from + i);
            nearest_of(list, column.as_slice(), &reference.squares[start..start + len], start, skip);
        }
    }
    for (i, (list, to)) in lists.chunks_exact_mut(wide).zip(out.chunks_exact_mut(k)).enumerate() {
        let point = query.row(from + i);
        for c in list.iter_mut().filter(|c| c.square.is_finite()) {
            c.square = squared_distance(point, reference.row(c.id as usize));
        }
        list.sort_by(|a, b| a.square.total_cmp(&b.square).then(a.id.cmp(&b.id)));
        to.copy_from_slice(&list[..k]);
    }
}

/// Takes a run of references into a list. The square of the query itself is left out: it is the same for all.
fn nearest_of(list: &mut [Candidate], products: &[f32], squares: &[f32], start: usize, skip: Option<usize>) {
    let mut worst = list.last().map_or(f32::INFINITY, |c| c.square);
    for (j, (product, square)) in products.iter().zip(squares).enumerate() {
        let near = square - 2.0 * product;
        if near < worst && skip != Some(start + j) {
            insert(list, Candidate { square: near, id: (start + j) as u32 });
            worst = list.last().map_or(f32::INFINITY, |c| c.square);
        }
    }
}
