//! Evidence from the controls alone: methods learn from one half of the controls and are judged on the other.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;
use serde::Serialize;

use super::fit::edited;
use super::fitted::Fitted;
use super::run_fit::{Cells, RunFit, Ways};
use super::{CorrectError, Method, Run};
use crate::eval::emd;
use crate::loader::Group;
use crate::rng::Seed;

/// Cells of each control that are used at most.
const MOST: usize = 10_000;

/// Chance is the mean of up to this many ways to cut a control in two; of large controls, where one way says as much as another,
/// of fewer.
const CUTS: usize = 10;

/// How far control cells that were not learnt from are from where they should arrive: mean over markers and both halves of the
/// earth mover's distance, on the model's scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HeldOut {
    /// As measured.
    pub before: f64,
    /// Corrected.
    pub after: f64,
    /// Between two random halves of one control: what chance alone leaves.
    pub noise: f64,
}

impl HeldOut {
    /// Share of the distance above chance that is gone; `None` when the controls differ by little more than chance.
    pub fn gone(&self) -> Option<f64> {
        let above = self.before - self.noise;
        (self.differ() && above > 0.0).then(|| (self.before - self.after) / above)
    }

    /// Whether the controls of the two runs differ by more than chance: by half as much again as two halves of one control.
    pub fn differ(&self) -> bool {
        self.before > 1.5 * self.noise
    }

    /// The mean of several; `None` when there is none.
    pub fn mean<'a>(all: impl Iterator<Item = &'a Self> + Clone) -> Option<Self> {
        let n = all.clone().count();
        let mean = |of: fn(&Self) -> f64| all.clone().map(of).sum::<f64>() / n as f64;
        (n > 0).then(|| Self {
            before: mean(|h| h.before),
            after: mean(|h| h.after),
            noise: mean(|h| h.noise),
        })
    }
}

/// Both controls of a run, cut in two at random.
#[derive(Debug, Clone)]
pub struct Halves {
    source: [Array2<f32>; 2],
    target: [Array2<f32>; 2],
    noise: f64,
}

impl Halves {
    /// Cuts controls (cells × markers) in two, always alike.
    pub fn of(source: ArrayView2<'_, f32>, target: ArrayView2<'_, f32>) -> Self {
        let noise = 0.5 * (chance(source, "source") + chance(target, "target"));
        Self { source: cut(source, "source", 0), target: cut(target, "target", 0), noise }
    }

    /// Judges a way to move cells: `moved` gets the half of source and target that may be learnt from, and the cells to move.
    ///
    /// # Errors
    /// What `moved` says.
    pub fn judge<E>(
        &self,
        mut moved: impl FnMut([ArrayView2<'_, f32>; 2], ArrayView2<'_, f32>) -> Result<Array2<f32>, E>,
    ) -> Result<HeldOut, E> {
        let mut all = HeldOut { before: 0.0, after: 0.0, noise: self.noise };
        for learnt in 0..2 {
            let other = 1 - learnt;
            let goal = self.target[other].view();
            let cells =
                moved([self.source[learnt].view(), self.target[learnt].view()], self.source[other].view())?;
            all.before += 0.5 * mean_emd(self.source[other].view(), goal);
            all.after += 0.5 * mean_emd(cells.view(), goal);
        }
        Ok(all)
    }
}

/// Two random halves of a control, always alike.
fn cut(x: ArrayView2<'_, f32>, name: &str, way: usize) -> [Array2<f32>; 2] {
    let mut order = Seed(0).stream(&format!("halves/{name}/{way}")).permutation(x.nrows());
    order.truncate(MOST);
    let (a, b) = order.split_at(order.len() / 2);
    [a, b].map(|rows| x.select(Axis(0), rows))
}

/// Distance of two random halves of a control, mean over several ways to cut it.
fn chance(x: ArrayView2<'_, f32>, name: &str) -> f64 {
    let cuts = (2 * MOST / x.nrows().max(1)).clamp(1, CUTS);
    let one = |way| {
        let [a, b] = cut(x, name, way);
        mean_emd(a.view(), b.view())
    };
    (0..cuts).map(one).sum::<f64>() / cuts as f64
}

/// Earth mover's distance of two groups of cells, mean over the markers.
pub(super) fn mean_emd(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> f64 {
    let all = distances(a, b);
    all.iter().sum::<f64>() / all.len().max(1) as f64
}

/// Earth mover's distance of each column.
pub(super) fn distances(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Vec<f64> {
    (0..a.ncols())
        .into_par_iter()
        .map(|j| emd(&mut a.column(j).to_vec(), &mut b.column(j).to_vec()))
        .collect()
}

impl Fitted {
    /// Judges each of these methods on the halves of the controls of a run. The network stays as trained; all maps are learnt anew.
    ///
    /// # Errors
    /// [`CorrectError`] when tensors refuse or a result is not finite.
    pub fn halves(
        &self,
        run: &Run,
        tables: &[Array2<f32>],
        methods: &[Method],
    ) -> Result<BTreeMap<Method, HeldOut>, CorrectError> {
        let gather = |g: &Group| g.gather(tables);
        let halves = Halves::of(gather(&run.source).view(), gather(&run.target).view());
        let ways = Ways {
            model: self.network.as_ref().map(|n| &n.model),
            preset: self.plan.preset,
            gains: self.scale.common.is_arcsinh(),
        };
        let sample = edited(tables, run);
        let mut fits: Vec<RunFit> = Vec::new();
        let mut judged = BTreeMap::new();
        for &method in methods {
            let mut fold = 0;
            let score = halves.judge(|[source, target], cells| {
                if fits.len() == fold {
                    let learnt = Cells { source, target, sample: sample.view() };
                    fits.push(RunFit::learn(&run.name, learnt, ways, None)?);
                }
                fold += 1;
                let fit = fits.get(fold - 1).ok_or_else(|| CorrectError::usage("no half to learn from"))?;
                Ok::<_, CorrectError>(self.apply(fit, method, cells)?.values)
            })?;
            judged.insert(method, score);
        }
        Ok(judged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(n: usize, gain: f32, seed: u64) -> Array2<f32> {
        let mut s = Seed(seed).stream("halves/tests");
        Array2::from_shape_fn((n, 3), |_| (gain * (2.0 + s.normal() as f32).sinh()).asinh())
    }

    fn judge(gain: f32, moved: impl Fn(f32) -> f32) -> HeldOut {
        let halves = Halves::of(cells(2000, 1.0, 1).view(), cells(2000, gain, 2).view());
        halves.judge(|_, x| Ok::<_, ()>(x.mapv(&moved))).unwrap()
    }

    #[test]
    fn the_truth_takes_all_of_the_distance_away_and_the_wrong_way_adds_to_it() {
        let truth = judge(2.0, |x| (2.0 * x.sinh()).asinh());
        assert!(truth.gone().unwrap() > 0.9, "{truth:?}");
        let nothing = judge(2.0, |x| x);
        assert_eq!(nothing.gone(), Some(0.0));
        let wrong = judge(2.0, |x| (0.5 * x.sinh()).asinh());
        assert!(wrong.gone().unwrap() < -0.5, "{wrong:?}");
    }

    #[test]
    fn controls_that_are_alike_leave_nothing_to_correct() {
        let alike = judge(1.0, |x| x);
        assert!(!alike.differ() && alike.gone().is_none(), "{alike:?}");
    }

    #[test]
    fn a_half_is_never_judged_on_what_it_learnt_from() {
        let halves = Halves::of(cells(101, 1.0, 1).view(), cells(101, 2.0, 2).view());
        halves
            .judge(|[source, _], x| {
                assert!(x.rows().into_iter().all(|r| source.rows().into_iter().all(|s| s != r)));
                Ok::<_, ()>(x.to_owned())
            })
            .unwrap();
    }
}
