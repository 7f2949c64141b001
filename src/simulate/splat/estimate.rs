//! Splat's parameters from real counts.

use super::fit::{gamma_by_distance, gamma_by_moments, log_normal, median, normal, winsorised};
use super::shapiro::{MOST, shapiro_wilk};
use super::{Bcv, Dropout, DropoutKind, LibraryLaw, Outliers, SplatError, SplatParams, logistic};
use crate::data::Counts;
use crate::rng::Seed;

/// Above this probability library sizes are taken for normal.
const NORMAL_ABOVE: f64 = 0.2;
/// Share of the smallest and of the largest means that are pulled in before the gamma law is fitted.
const WINSORISED: f64 = 0.1;
/// A deviation as a standard deviation: that of normal values.
const MAD: f64 = 1.4826;
/// An outlier lies that many deviations above the median.
const OUTLIER: f64 = 2.0;
/// The package's correction of the common dispersion, which it found too large on simulated data.
const BCV: (f64, f64) = (0.1, 0.25);

/// What is known of the genes that more than one cell has, after counts were scaled to the median library.
pub(super) struct Genes {
    /// Their numbers, increasing.
    pub genes: Vec<u32>,
    /// Means over cells.
    pub means: Vec<f64>,
    variances: Vec<f64>,
    zeros: Vec<f64>,
    /// Library sizes of the cells with counts.
    pub libraries: Vec<f64>,
    /// Mean over cells of 1 / size factor: counting adds that much times the mean to a variance.
    inverse: f64,
}

impl Genes {
    pub(super) fn new(counts: &Counts) -> Result<Self, SplatError> {
        let totals = counts.totals();
        let cells: Vec<usize> = (0..counts.n_cells()).filter(|&c| totals[c] > 0).collect();
        let libraries: Vec<f64> = cells.iter().map(|&c| totals[c] as f64).collect();
        if cells.len() < 3 {
            let what = format!("{} cells with counts; Splat needs 3 to estimate its laws", cells.len());
            return Err(SplatError::Input { what });
        }
        let middle = median(&libraries);
        let n = cells.len() as f64;
        let (mut sums, mut squares) = (vec![0.0; counts.n_genes()], vec![0.0; counts.n_genes()]);
        let mut seen = vec![0usize; counts.n_genes()];
        for (&cell, library) in cells.iter().zip(&libraries) {
            let (genes, values) = counts.cell(cell);
            for (&g, &v) in genes.iter().zip(values) {
                sums[g as usize] += f64::from(v) / library * middle;
                seen[g as usize] += 1;
            }
        }
        for (&cell, library) in cells.iter().zip(&libraries) {
            let (genes, values) = counts.cell(cell);
            for (&g, &v) in genes.iter().zip(values) {
                squares[g as usize] += (f64::from(v) / library * middle - sums[g as usize] / n).powi(2);
            }
        }
        let genes: Vec<u32> = (0..counts.n_genes() as u32).filter(|&g| seen[g as usize] > 1).collect();
        if genes.len() < 3 {
            let what = format!("{} genes are in more than one cell; Splat needs 3", genes.len());
            return Err(SplatError::Input { what });
        }
        let means: Vec<f64> = genes.iter().map(|&g| sums[g as usize] / n).collect();
        let variance =
            |(&g, m): (&u32, &f64)| (squares[g as usize] + (n - seen[g as usize] as f64) * m * m) / (n - 1.0);
        Ok(Self {
            variances: genes.iter().zip(&means).map(variance).collect(),
            zeros: genes.iter().map(|&g| 1.0 - seen[g as usize] as f64 / n).collect(),
            inverse: libraries.iter().map(|l| middle / l).sum::<f64>() / n,
            genes,
            means,
            libraries,
        })
    }

    /// The dispersion common to all genes, by moments: what variances have beyond counting, over what squared means make of
    /// it. Strong genes decide, which is what is wanted: weak ones get 1 / √mean besides.
    fn dispersion(&self) -> f64 {
        let beyond: f64 = self.variances.iter().zip(&self.means).map(|(v, m)| v - m * self.inverse).sum();
        let squares: f64 = self.means.iter().map(|m| m * m).sum();
        (beyond / squares).max(0.0)
    }
}

/// Parameters for cells like these: one kind of cells, without dropout. `seed` chooses among more than 5,000 libraries
/// those that are tested for normality.
///
/// # Errors
/// [`SplatError::Input`] for fewer than three cells with counts, or three genes that more than one cell has.
pub fn estimate(counts: &Counts, seed: Seed) -> Result<SplatParams, SplatError> {
    let known = Genes::new(counts)?;
    estimate_from(&known, counts.n_cells(), counts.n_genes(), seed)
}

pub(super) fn estimate_from(
    known: &Genes,
    n_cells: usize,
    n_genes: usize,
    seed: Seed,
) -> Result<SplatParams, SplatError> {
    let sorted = winsorised(&known.means, WINSORISED);
    let mean = gamma_by_distance(&sorted)
        .or_else(|| {
            tracing::warn!("the gamma law of gene means was fitted by moments: the search did not end");
            gamma_by_moments(&sorted)
        })
        .ok_or_else(|| SplatError::Input {
            what: "all genes have the same mean; no gamma law can be fitted".into(),
        })?;
    let dropout = dropout(known);
    Ok(SplatParams {
        n_cells,
        n_genes,
        mean,
        library: library(&known.libraries, seed),
        outliers: outliers(&known.means),
        bcv: Bcv { common: BCV.0 + BCV.1 * known.dispersion(), ..SplatParams::default().bcv },
        dropout,
        groups: Vec::new(),
    })
}

fn library(sizes: &[f64], seed: Seed) -> LibraryLaw {
    let tested: Vec<f64> =
        seed.stream("splat/libraries").sample(sizes.len(), MOST).into_iter().map(|i| sizes[i]).collect();
    if shapiro_wilk(&tested).is_some_and(|(_, p)| p > NORMAL_ABOVE) {
        let (mean, sd) = normal(sizes);
        LibraryLaw::Normal { mean, sd }
    } else {
        let (location, scale) = log_normal(sizes);
        LibraryLaw::LogNormal { location, scale }
    }
}

fn outliers(means: &[f64]) -> Outliers {
    let logs: Vec<f64> = means.iter().map(|m| m.ln()).collect();
    let middle = median(&logs);
    let deviations: Vec<f64> = logs.iter().map(|l| (l - middle).abs()).collect();
    let bound = middle + OUTLIER * MAD * median(&deviations);
    let scale = median(means);
    let factors: Vec<f64> =
        means.iter().zip(&logs).filter(|(_, l)| **l > bound).map(|(m, _)| m / scale).collect();
    let default = SplatParams::default().outliers;
    let probability = factors.len() as f64 / means.len() as f64;
    if factors.len() < 2 {
        return Outliers { probability, ..default };
    }
    let (location, scale) = log_normal(&factors);
    Outliers { probability, location, scale }
}

/// The curve of zeros over means; the package's where none can be fitted. Not in use until asked for.
fn dropout(known: &Genes) -> Dropout {
    let points: Vec<(f64, f64)> =
        known.means.iter().map(|m| m.ln()).zip(known.zeros.iter().copied()).collect();
    let default = SplatParams::default().dropout;
    match logistic::fit(&points) {
        Some((midpoint, shape)) => Dropout { kind: DropoutKind::None, midpoint, shape },
        None => {
            tracing::warn!("no curve fits the zeros of genes; dropout keeps its default midpoint and shape");
            default
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MeanLaw, simulate};
    use super::*;
    use crate::progress::Silent;

    /// What was put in comes out again, as far as the estimators of the package let it.
    #[test]
    fn parameters_of_simulated_cells_are_found_again() {
        let put = SplatParams {
            n_cells: 300,
            n_genes: 2000,
            mean: MeanLaw { shape: 0.6, rate: 0.3 },
            library: LibraryLaw::LogNormal { location: 10.0, scale: 0.3 },
            outliers: Outliers { probability: 0.0, ..SplatParams::default().outliers },
            ..SplatParams::default()
        };
        let made = simulate(&put, Seed(1), u64::MAX, &Silent).unwrap();
        let found = estimate(&made.counts, Seed(0)).unwrap();
        assert_eq!((found.n_cells, found.n_genes), (300, 2000));
        let LibraryLaw::LogNormal { location, scale } = found.library else { panic!("{found:?}") };
        assert!((location - 10.0).abs() < 0.06 && (scale - 0.3).abs() < 0.04, "{location} {scale}");
        assert!((found.mean.shape / 0.6 - 1.0).abs() < 0.25, "{:?}", found.mean);
        // 0.1 and a quarter of the dispersion, which is 0.01 and what 1 / √mean adds to it.
        assert!((0.1..0.14).contains(&found.bcv.common), "{:?}", found.bcv);
        assert!(found.dropout.shape < 0.0, "{:?}", found.dropout);
        found.check().unwrap();
    }

    /// R 4.2: median(), mad() and the mean and sd (n in the denominator) of the logs of x[log(x) > bound] / median(x).
    #[test]
    fn outliers_equal_r() {
        let means: Vec<f64> =
            (0..40).map(|i| (f64::from(i * 17 % 40) / 13.0).exp()).chain([400.0, 950.0]).collect();
        let o = outliers(&means);
        assert!((o.probability - 2.0 / 42.0).abs() < 1e-12, "{o:?}");
        assert!(
            (o.location - 4.8463007262441).abs() < 1e-8 && (o.scale - 0.4324987187433).abs() < 1e-8,
            "{o:?}"
        );
    }

    #[test]
    fn libraries_that_look_normal_get_a_normal_law() {
        let mut s = Seed(2).stream("n");
        let sizes: Vec<f64> = (0..400).map(|_| 5000.0 + 300.0 * s.normal()).collect();
        assert!(
            matches!(library(&sizes, Seed(0)), LibraryLaw::Normal { mean, .. } if (mean - 5000.0).abs() < 60.0)
        );
        let skewed: Vec<f64> = sizes.iter().map(|v| (v / 500.0).exp()).collect();
        assert!(matches!(library(&skewed, Seed(0)), LibraryLaw::LogNormal { .. }));
    }

    #[test]
    fn too_little_data_is_refused() {
        let mut c = Counts::empty(4);
        c.push([(0, 1)]);
        c.push([(0, 2)]);
        assert!(matches!(estimate(&c, Seed(0)), Err(SplatError::Input { .. })));
        c.push([(1, 2)]);
        let e = estimate(&c, Seed(0)).unwrap_err().to_string();
        assert!(e.starts_with("1 genes are in more than one cell"), "{e}");
    }
}
