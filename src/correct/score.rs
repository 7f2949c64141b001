//! The score of every method: do samples move as the controls moved, and does a held-out control arrive.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView2};
use serde::Serialize;

use super::experiment::Run;
use super::halves::{HeldOut, distances};
use super::run_fit::{differences, medians};
use super::zeros::zero_share;
use super::{CorrectError, Fitted, Method, RunFit, Sample};
use crate::eval::{agreement, pearson};

/// How one method does on the held-out control.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HoldoutScore {
    /// Correlation of the change made with the true change of each marker's median.
    pub r_true: Option<f64>,
    /// Mean over markers of the distance to the truth, uncorrected.
    pub emd_before: f64,
    /// The same, corrected.
    pub emd_after: f64,
    /// Distance of each marker to the truth: uncorrected, corrected.
    pub markers: Vec<(f64, f64)>,
    /// The marker with the largest distance left.
    pub worst: String,
    /// That distance.
    pub worst_emd: f64,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MethodScore {
    /// The method.
    pub method: Method,
    /// Correlation of the sample's change with the controls' change over markers (NE Table 2).
    pub r: Option<f64>,
    /// Slope of the sample's change on the controls' change.
    pub slope: Option<f64>,
    /// Root mean squared difference of the two.
    pub rmse: Option<f64>,
    /// Share of values (of neurons for methods on neurons) outside what the source control showed.
    pub outside: Option<f64>,
    /// Share of corrected values below zero.
    pub negative: Option<f64>,
    /// Share of corrected values that are exactly zero.
    pub zeros: Option<f64>,
    /// Share of the movement that the percentile maps of the controls ask for which the sample made: 1 for all of it, 0 for
    /// none, below 0 for the wrong way.
    pub follows: Option<f64>,
    /// On the halves of the controls that were not learnt from.
    pub halves: Option<HeldOut>,
    /// On the held-out control.
    pub holdout: Option<HoldoutScore>,
}

/// A marker's median through the experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MarkerMedians {
    /// The marker.
    pub marker: String,
    /// Change from source to target control.
    pub control_change: f64,
    /// Change of the sample by the chosen method.
    pub sample_change: f64,
}

/// The score of every method on one sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleScore {
    /// The run.
    pub run: String,
    /// The sample.
    pub sample: String,
    /// Cells scored.
    pub cells: usize,
    /// Markers corrected.
    pub markers: usize,
    /// Shares of values that are exactly zero: in the sample as measured, in the target control.
    pub zeros: [Option<f64>; 2],
    /// Markers of which more than a twentieth of the sample lies beyond what the source control showed, or which are constant in a
    /// control: the controls hold no evidence about them.
    pub no_evidence: Vec<String>,
    /// One row a method, all methods that were learnt.
    pub methods: Vec<MethodScore>,
    /// Medians for the chosen method.
    pub medians: Vec<MarkerMedians>,
}

impl SampleScore {
    /// The row of one method.
    pub fn of(&self, method: Method) -> Option<&MethodScore> {
        self.methods.iter().find(|m| m.method == method)
    }
}

/// Share of a sample beyond the control, above which the controls say nothing about a marker.
const BEYOND: f64 = 0.05;

/// Share of the movement from `before` to `asked` (cells × markers each) that cells at `moved` have made: 1 for all of it, 0 for
/// none, below 0 for the wrong way; `None` when no movement is asked for.
pub fn follows(
    before: ArrayView2<'_, f32>,
    moved: ArrayView2<'_, f32>,
    asked: ArrayView2<'_, f32>,
) -> Option<f64> {
    let sum = |x: ArrayView2<'_, f32>| distances(x, asked).iter().sum::<f64>();
    Some(1.0 - sum(moved) / sum(before)).filter(|f| f.is_finite())
}

/// What a sample is scored against.
#[derive(Clone, Copy)]
pub struct Against<'a> {
    /// Everything that was learnt.
    pub fitted: &'a Fitted,
    /// What was learnt for its run.
    pub fit: &'a RunFit,
    /// Its run, where controls are at hand.
    pub run: Option<&'a Run>,
    /// How methods do on the halves of the controls.
    pub halves: &'a BTreeMap<Method, HeldOut>,
    /// All tables.
    pub tables: &'a [Array2<f32>],
}

impl Against<'_> {
    /// Scores every method on one sample of a run.
    ///
    /// # Errors
    /// [`CorrectError::Numerical`] when a corrected value is not finite.
    pub fn score(&self, sample: &Sample, chosen: Method) -> Result<SampleScore, CorrectError> {
        let Self { fitted, fit, run, tables, .. } = self;
        let x = sample.scored.gather(tables);
        let before = medians(x.view());
        let holdout = run
            .and_then(|r| r.holdout.as_ref())
            .map(|(source, target)| Holdout::new(source.gather(tables), target.gather(tables)));
        let names: Vec<String> = fitted.markers.iter().map(|m| m.name.clone()).collect();
        let mapped = fit.mapped(x.view());
        let empty = x.nrows() == 0;
        let mut methods = Vec::new();
        let mut table = Vec::new();
        for method in fitted.methods() {
            let applied = fitted.apply(fit, method, x.view())?;
            let y = applied.values.view();
            let change = differences(&medians(y), &before);
            let a = agreement(&fit.control_change, &change);
            let negative = y.iter().filter(|v| **v < 0.0).count() as f64 / y.len().max(1) as f64;
            methods.push(MethodScore {
                method,
                r: a.r,
                slope: a.slope.filter(|_| !empty),
                rmse: (!empty).then_some(a.rmse),
                outside: (!empty).then_some(applied.outside),
                negative: (!empty).then_some(negative),
                zeros: (!empty).then(|| zero_share(y)),
                follows: follows(x.view(), y, mapped.view()),
                halves: self.halves.get(&method).copied(),
                holdout: match &holdout {
                    Some(h) => {
                        Some(h.score(fitted.apply(fit, method, h.source.view())?.values.view(), &names))
                    }
                    None => None,
                },
            });
            if method == chosen && !empty {
                let rows = names.iter().zip(fit.control_change.iter().zip(&change));
                table = rows
                    .map(|(marker, (u, v))| MarkerMedians {
                        marker: marker.clone(),
                        control_change: *u,
                        sample_change: *v,
                    })
                    .collect();
            }
        }
        let beyond = fit.outside(x.view());
        let silent = |j: &usize| beyond[*j] > BEYOND || fit.untouched[*j];
        Ok(SampleScore {
            run: fit.name.clone(),
            sample: sample.name.clone(),
            cells: x.nrows(),
            markers: names.len(),
            zeros: [
                (!empty).then(|| zero_share(x.view())),
                run.map(|r| zero_share(r.target.gather(tables).view())),
            ],
            no_evidence: (0..names.len()).filter(silent).map(|j| names[j].clone()).collect(),
            methods,
            medians: table,
        })
    }
}

/// A control nothing was learnt from: where it is, and where it should arrive.
struct Holdout {
    source: Array2<f32>,
    target: Array2<f32>,
    true_change: Vec<f64>,
    before: Vec<f64>,
}

impl Holdout {
    fn new(source: Array2<f32>, target: Array2<f32>) -> Self {
        let true_change = differences(&medians(target.view()), &medians(source.view()));
        let before = distances(source.view(), target.view());
        Self { source, target, true_change, before }
    }

    fn score(&self, moved: ArrayView2<'_, f32>, names: &[String]) -> HoldoutScore {
        let after = distances(moved, self.target.view());
        let change = differences(&medians(moved), &medians(self.source.view()));
        let worst = after.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        HoldoutScore {
            r_true: pearson(&self.true_change, &change),
            emd_before: mean(&self.before),
            emd_after: mean(&after),
            worst: worst.and_then(|(j, _)| names.get(j)).cloned().unwrap_or_default(),
            worst_emd: worst.map_or(f64::NAN, |(_, e)| *e),
            markers: self.before.iter().copied().zip(after).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn following_is_the_share_of_the_movement_asked_for_that_was_made() {
        let cells = Array2::from_shape_fn((50, 2), |(i, j)| i as f32 + 100.0 * j as f32);
        let at = |by: f32| cells.mapv(|v| v + by);
        let made = |by: f32| follows(cells.view(), at(by).view(), at(4.0).view()).unwrap();
        for (by, share) in [(4.0, 1.0), (2.0, 0.5), (0.0, 0.0), (-4.0, -1.0), (8.0, 0.0)] {
            assert!((made(by) - share).abs() < 1e-6, "{by}: {} for {share}", made(by));
        }
        assert_eq!(follows(cells.view(), at(4.0).view(), cells.view()), None, "no movement is asked for");
    }
}
