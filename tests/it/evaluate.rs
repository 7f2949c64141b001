//! Judging generated cells: figures against numpy, scipy and scikit-learn, and the command.

mod command;
mod figures;

use scx::data::{Categorical, Categories, Column, Counts, Dataset, Frame, Index, Matrix, Values};
use scx::rng::Seed;

/// Counts of `n` cells of the types a, b and c over 60 genes. With `together`, half of a type's genes go up where the other
/// half goes down; without, genes vary each by itself.
fn simulate(n: usize, together: bool, seed: u64) -> Counts {
    let mut r = Seed(seed).stream("evaluate");
    let mut counts = Counts::empty(60);
    for i in 0..n {
        let turn = r.normal();
        let row: Vec<(u32, u32)> = (0..60)
            .map(|g: u32| {
                let shared = 0.8 * if g.is_multiple_of(2) { turn } else { -turn };
                let factor = if together { shared } else { 0.32f64 }.exp();
                let own = g as usize % 3 == i % 3;
                let mean = (0.6 + 0.1 * f64::from(g % 17)) * if own { 4.0 * factor } else { 1.0 };
                (g, r.negative_binomial(mean, 2.0) as u32)
            })
            .collect();
        counts.push(row);
    }
    counts
}

fn genes(n: usize) -> Frame {
    Frame::new(Index::names((0..n).map(|g| format!("gene{g}")).collect()))
}

/// A data set of such counts, with `obs["cell_type"]`.
fn dataset(counts: &Counts) -> Dataset {
    let n = counts.n_cells();
    let types = Categorical {
        codes: (0..n).map(|i| (i % 3) as i32).collect(),
        categories: Categories::Strings(["a", "b", "c"].map(String::from).to_vec()),
        ordered: false,
    };
    let obs = Frame::new(Index::names((0..n).map(|i| format!("cell{i}")).collect()))
        .with("cell_type", Column::Categorical(types));
    let mut d = Dataset::new(obs, genes(counts.n_genes()));
    d.x = Some(Matrix::Sparse(counts.to_sparse().unwrap()));
    d
}

/// Marks cells as generated or not.
fn marked(mut d: Dataset, generated: impl Fn(usize) -> bool) -> Dataset {
    let n = d.n_obs();
    let column = Column::Numbers(Values::Bool((0..n).map(generated).collect()));
    d.obs.columns.push(("is_synthetic".into(), column));
    d
}
