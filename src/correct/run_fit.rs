//! What the controls of one run say: every method's maps.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::joined::{Codes, Guess, Joined};
use super::{CorrectError, Preset};
use crate::classic::{PAPER_KNOTS, PercentileMap, Tail, column_means, fit_percentile_maps};
use crate::eval::median;
use crate::zoo::{LatentEdit, NeuronEdit};

/// What the controls of one run say: every method, ready to apply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFit {
    /// Name of the run.
    pub name: String,
    /// Change of each marker's median from source to target control.
    pub control_change: Vec<f64>,
    /// Markers that are constant in a control: nothing can be learnt, they are left as they are.
    pub untouched: Vec<bool>,
    /// Change of each marker's mean.
    pub mean_shift: Vec<f64>,
    /// Percentile map of each marker.
    pub ambient: Vec<PercentileMap>,
    /// Edits of the bottleneck neurons, where there is a network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latent: Option<LatentEdit>,
    /// The joined edit of the default preset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Joined>,
}

/// What the maps of a run are learnt from, cells × markers each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cells<'a> {
    /// The control in this run.
    pub(super) source: ArrayView2<'a, f32>,
    /// The same control in the reference run.
    pub(super) target: ArrayView2<'a, f32>,
    /// What the maps are for.
    pub(super) sample: ArrayView2<'a, f32>,
}

/// How the maps of a run are learnt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ways<'a> {
    /// The trained network, for methods on neurons.
    pub(super) model: Option<&'a NeuronEdit>,
    /// Which form of NeuronEdit.
    pub(super) preset: Preset,
    /// Whether a gain has a meaning on the scale.
    pub(super) gains: bool,
}

impl RunFit {
    /// Learns the maps of every method. `guess` is the first guess the network was trained with; a new one is made when there is none.
    ///
    /// # Errors
    /// [`CorrectError::Zoo`] when tensors refuse.
    pub(super) fn learn(
        name: &str,
        cells: Cells<'_>,
        ways: Ways<'_>,
        guess: Option<Guess>,
    ) -> Result<Self, CorrectError> {
        let Cells { source, target, sample } = cells;
        let constant =
            |x: ArrayView2<'_, f32>, j: usize| x.column(j).iter().all(|v| Some(v) == x.column(j).first());
        let untouched = (0..source.ncols()).map(|j| constant(source, j) || constant(target, j)).collect();
        let latent = match ways.model {
            Some(model) => {
                let (zs, zt) = (model.encode(source)?, model.encode(target)?);
                Some(LatentEdit::fit(zs.view(), zt.view(), PAPER_KNOTS, Tail::Linear))
            }
            None => None,
        };
        let joined = match (ways.model, ways.preset) {
            (Some(model), Preset::Default) => {
                let guess = guess.unwrap_or_else(|| Guess::fit(source, target, ways.gains));
                Some(Joined::fit(Codes::Neurons(model), guess, source, target, sample)?)
            }
            _ => None,
        };
        Ok(Self {
            name: name.to_owned(),
            control_change: differences(&medians(target), &medians(source)),
            mean_shift: differences(&column_means(target), &column_means(source)),
            ambient: fit_percentile_maps(source, target, PAPER_KNOTS, Tail::Linear),
            latent,
            joined,
            untouched,
        })
    }

    /// Cells moved by the percentile map of each marker; markers nothing was learnt about stay.
    pub fn mapped(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut y = x.to_owned();
        for mut row in y.rows_mut() {
            for ((v, map), untouched) in row.iter_mut().zip(&self.ambient).zip(&self.untouched) {
                if !untouched {
                    *v = map.apply(f64::from(*v)) as f32;
                }
            }
        }
        y
    }

    /// Share of the values of each marker outside what the source control showed.
    pub fn outside(&self, x: ArrayView2<'_, f32>) -> Vec<f64> {
        let n = x.nrows().max(1) as f64;
        let outside = |(j, map): (usize, &PercentileMap)| {
            x.column(j).iter().filter(|v| map.outside(f64::from(**v))).count() as f64 / n
        };
        self.ambient.iter().enumerate().map(outside).collect()
    }
}

/// Median of each column.
pub(super) fn medians(x: ArrayView2<'_, f32>) -> Vec<f64> {
    x.columns().into_iter().map(|c| median(&mut c.to_vec())).collect()
}

/// `a − b`, element by element.
pub(super) fn differences(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}
