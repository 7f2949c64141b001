//! The numbers Splat needs, and their ranges.

use serde::{Deserialize, Serialize};

use super::SplatError;

/// Everything Splat needs: the defaults are those of the R package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SplatParams {
    /// Cells to simulate.
    pub n_cells: usize,
    /// Genes to simulate.
    pub n_genes: usize,
    /// Law of the mean expression of genes, for a library of median size.
    pub mean: MeanLaw,
    /// Law of the expected number of counts of a cell.
    pub library: LibraryLaw,
    /// Genes of exceptional expression.
    pub outliers: Outliers,
    /// Biological coefficient of variation.
    pub bcv: Bcv,
    /// Zeros beyond those of counting.
    pub dropout: Dropout,
    /// Kinds of cells; none stands for one kind.
    pub groups: Vec<Group>,
}

impl Default for SplatParams {
    fn default() -> Self {
        Self {
            n_cells: 100,
            n_genes: 10_000,
            mean: MeanLaw { shape: 0.6, rate: 0.3 },
            library: LibraryLaw::LogNormal { location: 11.0, scale: 0.2 },
            outliers: Outliers { probability: 0.05, location: 4.0, scale: 0.5 },
            bcv: Bcv { common: 0.1, df: Some(DEFAULT_DF) },
            dropout: Dropout { kind: DropoutKind::None, midpoint: 0.0, shape: -1.0 },
            groups: Vec::new(),
        }
    }
}

/// Degrees of freedom of the package.
const DEFAULT_DF: f64 = 60.0;

/// A gamma law.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanLaw {
    /// Shape.
    pub shape: f64,
    /// Rate: the mean is shape / rate.
    pub rate: f64,
}

/// Law of library sizes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "law", rename_all = "kebab-case")]
pub enum LibraryLaw {
    /// The logarithm is normal.
    LogNormal {
        /// Mean of the natural logarithm.
        location: f64,
        /// Standard deviation of the natural logarithm.
        scale: f64,
    },
    /// Normal; sizes that come out negative become half the smallest positive one.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        sd: f64,
    },
}

/// Genes whose mean is that of the median gene times a log-normal factor.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outliers {
    /// Share of genes.
    pub probability: f64,
    /// Mean of the natural logarithm of the factor.
    pub location: f64,
    /// Its standard deviation.
    pub scale: f64,
}

/// Variation beyond counting: (common + 1 / √mean) · √(df / χ²(df)).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bcv {
    /// Common to all genes.
    pub common: f64,
    /// Degrees of freedom of the variation between genes; none (null) for no such variation.
    pub df: Option<f64>,
}

/// A chance 1 / (1 + exp(−shape · (ln rate − midpoint))) that a count is lost, where the rate is the gene's mean in that very
/// cell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Whether counts are lost.
    pub kind: DropoutKind,
    /// Logarithm of the rate at which every second count is lost.
    pub midpoint: f64,
    /// Negative: the larger the rate, the fewer are lost.
    pub shape: f64,
}

/// Whether counts are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum DropoutKind {
    /// No zeros beyond those of counting
    None,
    /// One curve for the whole experiment
    Experiment,
}

/// A kind of cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Share of the cells; shares are scaled to a sum of one.
    pub proportion: f64,
    /// Which of its genes differ.
    #[serde(default)]
    pub de: DeLaw,
}

/// Differential expression of a group against the base means.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeLaw {
    /// Share of genes that differ.
    pub probability: f64,
    /// Share of those that are lower.
    pub down: f64,
    /// Mean of the natural logarithm of the factor.
    pub location: f64,
    /// Its standard deviation.
    pub scale: f64,
}

impl Default for DeLaw {
    fn default() -> Self {
        Self { probability: 0.1, down: 0.5, location: 0.1, scale: 0.4 }
    }
}

impl SplatParams {
    /// Checks every number against its range.
    ///
    /// # Errors
    /// [`SplatError::Parameter`] for the first that is outside.
    pub fn check(&self) -> Result<(), SplatError> {
        let refuse = |name: &str, found: String, expected| {
            Err(SplatError::Parameter { name: name.into(), found, expected })
        };
        let number = |name: &str, v: f64, ok: bool, expected| {
            if ok && v.is_finite() { Ok(()) } else { refuse(name, v.to_string(), expected) }
        };
        let positive = |name: &str, v: f64| number(name, v, v > 0.0, "a number above 0");
        let spread = |name: &str, v: f64| number(name, v, v >= 0.0, "0 or a number above it");
        let any = |name: &str, v: f64| number(name, v, true, "a finite number");
        let share = |name: &str, v: f64| number(name, v, (0.0..=1.0).contains(&v), "a share from 0 to 1");
        for (name, n) in [("n_cells", self.n_cells), ("n_genes", self.n_genes)] {
            if n == 0 || u32::try_from(n).is_err() {
                return refuse(name, n.to_string(), "1 to 4,294,967,295");
            }
        }
        positive("mean.shape", self.mean.shape)?;
        positive("mean.rate", self.mean.rate)?;
        match self.library {
            LibraryLaw::LogNormal { location, scale } => {
                any("library.location", location)?;
                spread("library.scale", scale)?;
            }
            LibraryLaw::Normal { mean, sd } => {
                positive("library.mean", mean)?;
                spread("library.sd", sd)?;
            }
        }
        share("outliers.probability", self.outliers.probability)?;
        any("outliers.location", self.outliers.location)?;
        spread("outliers.scale", self.outliers.scale)?;
        spread("bcv.common", self.bcv.common)?;
        if let Some(df) = self.bcv.df {
            positive("bcv.df", df)?;
        }
        any("dropout.midpoint", self.dropout.midpoint)?;
        any("dropout.shape", self.dropout.shape)?;
        for (i, g) in self.groups.iter().enumerate() {
            let at = |field: &str| format!("groups[{i}].{field}");
            positive(&at("proportion"), g.proportion)?;
            share(&at("de.probability"), g.de.probability)?;
            share(&at("de.down"), g.de.down)?;
            any(&at("de.location"), g.de.location)?;
            spread(&at("de.scale"), g.de.scale)?;
            if self.groups[..i].iter().any(|other| other.name == g.name) {
                return refuse(&at("name"), g.name.clone(), "a name no other group has");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_come_back_from_yaml_and_missing_ones_are_the_packages() {
        let mut p = SplatParams::default();
        p.groups.push(Group { name: "A".into(), proportion: 0.3, de: DeLaw::default() });
        p.bcv.df = None;
        p.check().unwrap();
        let text = serde_yaml::to_string(&p).unwrap();
        assert_eq!(serde_yaml::from_str::<SplatParams>(&text).unwrap(), p, "{text}");
        let some: SplatParams =
            serde_yaml::from_str("n_cells: 7\nlibrary: {law: normal, mean: 900, sd: 50}\n").unwrap();
        assert_eq!((some.n_cells, some.n_genes), (7, 10_000));
        assert_eq!(some.library, LibraryLaw::Normal { mean: 900.0, sd: 50.0 });
        assert!(serde_yaml::from_str::<SplatParams>("n_cell: 7\n").is_err());
    }

    #[test]
    fn numbers_outside_their_range_are_named() {
        let refused = |change: &dyn Fn(&mut SplatParams)| {
            let mut p = SplatParams::default();
            change(&mut p);
            p.check().unwrap_err().to_string()
        };
        assert!(refused(&|p| p.n_genes = 0).starts_with("n_genes: 0"));
        assert!(refused(&|p| p.mean.rate = f64::NAN).starts_with("mean.rate: NaN"));
        assert!(refused(&|p| p.outliers.probability = 1.5).starts_with("outliers.probability: 1.5"));
        let group = |name: &str| Group { name: name.into(), proportion: 1.0, de: DeLaw::default() };
        assert!(refused(&|p| p.groups = vec![group("a"), group("a")]).starts_with("groups[1].name: a"));
    }
}
