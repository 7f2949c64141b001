//! Cells from Splat's parameters. Every random number comes from a stream named by what it decides about: genes, each
//! group, libraries, each run of cells. So the same seed gives the same cells at any number of threads.

use rayon::prelude::*;

use super::fit::median;
use super::{Dropout, DropoutKind, LibraryLaw, SplatError, SplatParams};
use crate::data::Counts;
use crate::progress::Progress;
use crate::rng::{Seed, Stream};

/// Cells that share a stream.
const CHUNK: usize = 128;
/// Chunks worked on at a time, between which memory is looked at and a wish to stop is heard.
const BATCH: usize = 16;
/// Bytes of one count.
const ENTRY: u64 = 8;

/// Simulated cells and the truth about them.
#[derive(Debug, Clone)]
pub struct Simulated {
    /// Counts, cells × genes.
    pub counts: Counts,
    /// Group of each cell, a position in `group_names`.
    pub groups: Vec<usize>,
    /// Names of the groups.
    pub group_names: Vec<String>,
    /// Expected number of counts of each cell.
    pub libraries: Vec<f64>,
    /// The truth about genes.
    pub genes: GeneTruth,
}

/// What was drawn for each gene.
#[derive(Debug, Clone)]
pub struct GeneTruth {
    /// Mean before outliers.
    pub base_mean: Vec<f64>,
    /// Factor on the median mean of an outlier; 1 for the others.
    pub outlier_factor: Vec<f64>,
    /// Mean after outliers.
    pub mean: Vec<f64>,
    /// Factor of each group on the mean, groups × genes; 1 where nothing differs.
    pub de_factor: Vec<Vec<f64>>,
    /// √(df / χ²(df)), the gene's own share of the coefficient of variation.
    pub bcv_factor: Vec<f64>,
}

/// Bytes of what is kept of every cell and of every gene, before any count: eight for each number.
fn sides(params: &SplatParams) -> u64 {
    let cells = 3 * params.n_cells as u64;
    let genes = (5 + 2 * params.groups.len().max(1) as u64).saturating_mul(params.n_genes as u64);
    cells.saturating_add(genes).saturating_mul(8)
}

/// Simulates cells; `memory` bounds the bytes their counts may take.
///
/// # Errors
/// [`SplatError`] for a parameter outside its range, more counts than `memory` allows, or when `progress` stops.
pub fn simulate(
    params: &SplatParams,
    seed: Seed,
    memory: u64,
    progress: &dyn Progress,
) -> Result<Simulated, SplatError> {
    params.check()?;
    let own = sides(params);
    if own > memory {
        return Err(SplatError::TooLarge { bytes: own, cells: 0, of: params.n_cells, limit: memory });
    }
    let genes = genes(params, seed);
    let (groups, group_names) = groups(params, seed);
    let libraries = libraries(params.library, params.n_cells, &mut seed.stream("splat/libraries"));
    let shares: Vec<Vec<f64>> = genes.de_factor.iter().map(|de| shares(&genes.mean, de)).collect();
    let mut counts = Counts::empty(params.n_genes);
    progress.start("simulating", params.n_cells as u64);
    let chunks: Vec<usize> = (0..params.n_cells.div_ceil(CHUNK)).collect();
    for batch in chunks.chunks(BATCH) {
        let made: Vec<Counts> = batch
            .par_iter()
            .map(|&chunk| {
                let mut stream = seed.stream(&format!("splat/cells/{chunk}"));
                let mut out = Counts::empty(params.n_genes);
                for c in chunk * CHUNK..((chunk + 1) * CHUNK).min(params.n_cells) {
                    let law = CellLaw { shares: &shares[groups[c]], bcv_factor: &genes.bcv_factor, params };
                    out.push((0..).zip(law.draw(libraries[c], &mut stream)));
                }
                out
            })
            .collect();
        made.iter().for_each(|m| counts.append(m));
        let bytes = own + counts.nnz() as u64 * ENTRY;
        if bytes > memory {
            let (cells, of) = (counts.n_cells(), params.n_cells);
            return Err(SplatError::TooLarge { bytes, cells, of, limit: memory });
        }
        progress.advance(counts.n_cells() as u64, "");
        if progress.cancelled() {
            return Err(SplatError::Cancelled);
        }
    }
    progress.finish();
    Ok(Simulated { counts, groups, group_names, libraries, genes })
}

/// Means of genes and what changes them.
pub(super) fn genes(params: &SplatParams, seed: Seed) -> GeneTruth {
    let n = params.n_genes;
    let mut stream = seed.stream("splat/genes");
    let base_mean: Vec<f64> =
        (0..n).map(|_| stream.gamma(params.mean.shape, 1.0 / params.mean.rate)).collect();
    let o = params.outliers;
    let outlier_factor = factors(n, (o.probability, 0.0), (o.location, o.scale), &mut stream);
    let middle = median(&base_mean);
    let outlying = |(&mean, &factor): (&f64, &f64)| if factor == 1.0 { mean } else { middle * factor };
    let mean: Vec<f64> = base_mean.iter().zip(&outlier_factor).map(outlying).collect();
    let de_factor = if params.groups.is_empty() {
        vec![vec![1.0; n]]
    } else {
        let of_group = |(i, g): (usize, &super::Group)| {
            let mut stream = seed.stream(&format!("splat/group/{i}"));
            factors(n, (g.de.probability, g.de.down), (g.de.location, g.de.scale), &mut stream)
        };
        params.groups.iter().enumerate().map(of_group).collect()
    };
    let mut stream = seed.stream("splat/bcv");
    let own = |df: f64, s: &mut Stream| (df / s.gamma(0.5 * df, 2.0)).sqrt();
    let bcv_factor = (0..n).map(|_| params.bcv.df.map_or(1.0, |df| own(df, &mut stream))).collect();
    GeneTruth { base_mean, outlier_factor, mean, de_factor, bcv_factor }
}

/// Log-normal factors for some genes, 1 for the others. A factor that is to go down is one below 1, and one that is to go
/// up one above it: factors on the wrong side are inverted.
fn factors(n: usize, chosen: (f64, f64), law: (f64, f64), stream: &mut Stream) -> Vec<f64> {
    let (probability, down) = chosen;
    (0..n)
        .map(|_| {
            if stream.uniform() >= probability {
                return 1.0;
            }
            let low = stream.uniform() < down;
            let factor = (law.0 + law.1 * stream.normal()).exp();
            if low == (factor < 1.0) { factor } else { 1.0 / factor }
        })
        .collect()
}

fn groups(params: &SplatParams, seed: Seed) -> (Vec<usize>, Vec<String>) {
    if params.groups.is_empty() {
        return (vec![0; params.n_cells], vec!["Group1".into()]);
    }
    let weights: Vec<f64> = params.groups.iter().map(|g| g.proportion).collect();
    let mut stream = seed.stream("splat/groups");
    let of = (0..params.n_cells).map(|_| stream.weighted(&weights)).collect();
    (of, params.groups.iter().map(|g| g.name.clone()).collect())
}

/// Expected library sizes.
pub(super) fn libraries(law: LibraryLaw, n: usize, stream: &mut Stream) -> Vec<f64> {
    match law {
        LibraryLaw::LogNormal { location, scale } => {
            (0..n).map(|_| (location + scale * stream.normal()).exp()).collect()
        }
        LibraryLaw::Normal { mean, sd } => {
            let mut sizes: Vec<f64> = (0..n).map(|_| mean + sd * stream.normal()).collect();
            let least = sizes.iter().copied().filter(|s| *s > 0.0).fold(f64::INFINITY, f64::min);
            let floor = if least.is_finite() { 0.5 * least } else { 0.5 * mean };
            sizes.iter_mut().filter(|s| **s <= 0.0).for_each(|s| *s = floor);
            sizes
        }
    }
}

/// Share of each gene in the counts of a cell.
pub(super) fn shares(mean: &[f64], factor: &[f64]) -> Vec<f64> {
    let products: Vec<f64> = mean.iter().zip(factor).map(|(m, f)| m * f).collect();
    let sum: f64 = products.iter().sum();
    products.into_iter().map(|p| if sum > 0.0 { p / sum } else { 0.0 }).collect()
}

/// Laws of the counts of one kind of cells.
pub(super) struct CellLaw<'a> {
    pub shares: &'a [f64],
    pub bcv_factor: &'a [f64],
    pub params: &'a SplatParams,
}

impl CellLaw<'_> {
    /// Counts of one cell, gene by gene. Without dropout a gamma rate and a Poisson count are drawn as the negative
    /// binomial they make.
    pub(super) fn draw<'s>(&'s self, library: f64, stream: &'s mut Stream) -> impl Iterator<Item = u32> + 's {
        let Dropout { kind, midpoint, shape } = self.params.dropout;
        self.shares.iter().zip(self.bcv_factor).map(move |(share, own)| {
            let mean = share * library;
            if mean <= 0.0 {
                return 0;
            }
            let bcv = (self.params.bcv.common + 1.0 / mean.sqrt()) * own;
            let theta = 1.0 / (bcv * bcv);
            let count = match kind {
                DropoutKind::None => stream.negative_binomial(mean, theta),
                DropoutKind::Experiment => {
                    let rate = stream.gamma(theta, mean / theta);
                    let count = stream.poisson(rate);
                    let lost = 1.0 / (1.0 + (-shape * (rate.ln() - midpoint)).exp());
                    if stream.uniform() < lost { 0 } else { count }
                }
            };
            u32::try_from(count).unwrap_or(u32::MAX)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DeLaw, Group};
    use super::*;
    use crate::progress::Silent;

    fn small() -> SplatParams {
        let group = |name: &str, proportion| Group { name: name.into(), proportion, de: DeLaw::default() };
        SplatParams {
            n_cells: 600,
            n_genes: 400,
            library: LibraryLaw::LogNormal { location: 9.0, scale: 0.2 },
            groups: vec![group("A", 3.0), group("B", 1.0)],
            ..SplatParams::default()
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_cells_at_any_number_of_threads() {
        let on = |threads: usize, seed: u64| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| simulate(&small(), Seed(seed), u64::MAX, &Silent).unwrap().counts)
        };
        assert_eq!(on(1, 5), on(3, 5));
        assert_ne!(on(1, 5), on(1, 6));
    }

    #[test]
    fn libraries_groups_and_means_are_those_drawn() {
        let made = simulate(&small(), Seed(3), u64::MAX, &Silent).unwrap();
        let share = made.groups.iter().filter(|g| **g == 1).count() as f64 / 600.0;
        assert!((share - 0.25).abs() < 0.06, "{share}");
        let log: f64 = made.libraries.iter().map(|l| l.ln()).sum::<f64>() / 600.0;
        assert!((log - 9.0).abs() < 0.03, "{log}");
        let totals: u64 = made.counts.totals().iter().sum();
        let expected: f64 = made.libraries.iter().sum();
        assert!((totals as f64 / expected - 1.0).abs() < 0.05, "{totals} {expected}");
        // Over cells of a group the counts of strong genes follow mean × factor of that group.
        let cells: Vec<usize> = (0..600).filter(|&c| made.groups[c] == 0).collect();
        let of = made.counts.cells(&cells);
        let shares = shares(&made.genes.mean, &made.genes.de_factor[0]);
        let library: f64 = cells.iter().map(|&c| made.libraries[c]).sum();
        let mut sums = vec![0.0; 400];
        (0..of.n_cells()).for_each(|c| {
            let (g, v) = of.cell(c);
            g.iter().zip(v).for_each(|(&g, &v)| sums[g as usize] += f64::from(v));
        });
        let strong = (0..400).filter(|&g| shares[g] * library > 20_000.0);
        let off: Vec<f64> = strong.map(|g| (sums[g] / (shares[g] * library) - 1.0).abs()).collect();
        assert!(off.len() > 5 && off.iter().all(|o| *o < 0.1), "{off:?}");
    }

    /// Variance of a gene in cells of one library: mean + bcv² mean².
    #[test]
    fn counts_vary_as_the_law_says() {
        let params = SplatParams { bcv: super::super::Bcv { common: 0.3, df: None }, ..small() };
        for mean in [0.5, 8.0, 60.0] {
            let law = CellLaw { shares: &[mean / 100.0], bcv_factor: &[1.0], params: &params };
            let mut s = Seed(4).stream("v");
            let x: Vec<f64> =
                (0..40_000).map(|_| f64::from(law.draw(100.0, &mut s).next().unwrap_or(0))).collect();
            let m = x.iter().sum::<f64>() / 4e4;
            let v = x.iter().map(|x| (x - m).powi(2)).sum::<f64>() / 4e4;
            let bcv = 0.3 + 1.0 / mean.sqrt();
            let expected = mean + (bcv * mean).powi(2);
            assert!(
                (m / mean - 1.0).abs() < 0.04 && (v / expected - 1.0).abs() < 0.1,
                "{mean}: {m} {v} {expected}"
            );
        }
    }

    #[test]
    fn dropout_loses_counts_of_weak_genes_and_factors_go_where_they_should() {
        let mut params = small();
        let full = simulate(&params, Seed(1), u64::MAX, &Silent).unwrap();
        params.dropout = Dropout { kind: DropoutKind::Experiment, midpoint: 1.0, shape: -1.0 };
        let lossy = simulate(&params, Seed(1), u64::MAX, &Silent).unwrap();
        assert!(lossy.counts.nnz() < full.counts.nnz() * 9 / 10);
        assert_eq!(lossy.genes.mean, full.genes.mean);
        let mut s = Seed(1).stream("f");
        assert!(factors(500, (1.0, 1.0), (0.1, 0.4), &mut s).iter().all(|f| *f < 1.0));
        assert!(factors(500, (1.0, 0.0), (0.1, 0.4), &mut s).iter().all(|f| *f > 1.0));
        assert!(factors(500, (0.0, 0.0), (0.1, 0.4), &mut s).iter().all(|f| *f == 1.0));
    }

    #[test]
    fn more_than_memory_allows_is_refused() {
        let e = simulate(&small(), Seed(0), 1000, &Silent).unwrap_err();
        assert!(matches!(e, SplatError::TooLarge { limit: 1000, of: 600, cells: 0, .. }), "{e}");
        let limit = sides(&small()) + 1000;
        let e = simulate(&small(), Seed(0), limit, &Silent).unwrap_err();
        assert!(matches!(e, SplatError::TooLarge { cells: 1.., .. }), "{e}");
        let params = SplatParams { n_cells: u32::MAX as usize, ..small() };
        let e = simulate(&params, Seed(0), 1 << 30, &Silent).unwrap_err();
        assert!(matches!(e, SplatError::TooLarge { bytes: 100_000_000_000.., .. }), "{e}");
    }
}
