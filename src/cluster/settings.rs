//! What decides about the clusters.

use std::collections::BTreeMap;

use super::ClusterError;
use crate::data::counts::{Fractions, Wanted};
use crate::data::{Uns, Values};
use crate::linalg::community::Method;
use crate::rng::Seed;

/// What decides about the clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterSettings {
    /// How communities are searched.
    pub method: Method,
    /// Larger values give more clusters.
    pub resolution: f64,
    /// Times the search runs, each from the result of the one before.
    pub iterations: usize,
    /// Principal components; fewer where the data have fewer.
    pub n_pcs: usize,
    /// Neighbours of each cell, the cell itself among them as scanpy counts; fewer where there are fewer cells.
    pub n_neighbors: usize,
    /// Which counts.
    pub wanted: Wanted,
    /// Seed of everything random.
    pub seed: Seed,
    /// Bytes a walk through the counts may take.
    pub memory: u64,
}

impl Default for ClusterSettings {
    /// scGAN's: Leiden of resolution 0.15 on 15 neighbours in 50 principal components.
    fn default() -> Self {
        Self {
            method: Method::Leiden,
            resolution: 0.15,
            iterations: 2,
            n_pcs: 50,
            n_neighbors: 15,
            wanted: Wanted { fractions: Fractions::Kept, ..Wanted::default() },
            seed: Seed(0),
            memory: crate::io::DEFAULT_MEMORY,
        }
    }
}

impl ClusterSettings {
    pub(super) fn check(&self) -> Result<(), ClusterError> {
        let wrong = |what: &str| Err(ClusterError::Usage { what: what.into() });
        if !self.resolution.is_finite() || self.resolution <= 0.0 {
            return wrong("the resolution must be a number above 0");
        }
        if self.n_pcs == 0 {
            return wrong("one principal component is the least");
        }
        if self.n_neighbors < 2 {
            return wrong("two neighbours are the least: a cell counts as its own first");
        }
        if self.iterations == 0 {
            return wrong("one iteration is the least");
        }
        Ok(())
    }

    /// What scanpy keeps of such a run in `uns`.
    pub fn uns(&self) -> Uns {
        let float = |x: f64| Uns::Number(Values::F64(vec![x]));
        let whole = |x: usize| Uns::Number(Values::I64(vec![i64::try_from(x).unwrap_or(i64::MAX)]));
        let text = |s: &str| Uns::String(s.to_owned());
        let mut params = BTreeMap::from([
            ("method".to_owned(), text(self.method.name())),
            ("resolution".to_owned(), float(self.resolution)),
            ("n_iterations".to_owned(), whole(self.iterations)),
            ("n_pcs".to_owned(), whole(self.n_pcs)),
            ("n_neighbors".to_owned(), whole(self.n_neighbors)),
            ("recipe".to_owned(), text("zheng17")),
            ("random_state".to_owned(), Uns::Number(Values::U64(vec![self.seed.0]))),
        ]);
        if let Some(place) = &self.wanted.place {
            params.insert("layer".into(), text(place.option()));
        }
        Uns::Map(BTreeMap::from([("params".to_owned(), Uns::Map(params))]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let bad = [
            ClusterSettings { resolution: 0.0, ..ClusterSettings::default() },
            ClusterSettings { resolution: f64::NAN, ..ClusterSettings::default() },
            ClusterSettings { n_pcs: 0, ..ClusterSettings::default() },
            ClusterSettings { n_neighbors: 1, ..ClusterSettings::default() },
            ClusterSettings { iterations: 0, ..ClusterSettings::default() },
        ];
        assert!(ClusterSettings::default().check().is_ok());
        for s in bad {
            assert!(matches!(s.check(), Err(ClusterError::Usage { .. })), "{s:?}");
        }
    }
}
