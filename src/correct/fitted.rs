//! Everything a correction has learnt, and applying any of its methods.

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::fit::FitPlan;
use super::joined::Codes;
use super::run_fit::RunFit;
use super::zeros::Zeros;
use super::{CorrectError, Marker, Method};
use crate::recipe::Scale;
use crate::zoo::{NeuronEdit, Trainer};

/// Everything a correction has learnt.
#[derive(Debug)]
pub struct Fitted {
    /// The autoencoder, where a method on neurons was asked for.
    pub network: Option<Network>,
    /// How it was fitted.
    pub plan: FitPlan,
    /// The markers, in order.
    pub markers: Vec<Marker>,
    /// The scale it works on.
    pub scale: Scale,
    /// The runs, by name.
    pub runs: Vec<RunFit>,
    /// Name of the reference run, where runs have names.
    pub reference: Option<String>,
}

/// A trained autoencoder.
#[derive(Debug)]
pub struct Network {
    /// The autoencoder.
    pub model: NeuronEdit,
    /// The training run: state and optimiser.
    pub trainer: Trainer,
}

/// What one method makes of some cells.
#[derive(Debug)]
pub struct Applied {
    /// The corrected cells, cells × markers.
    pub values: Array2<f32>,
    /// Share of values (of neurons for methods on neurons) outside what the source control showed.
    pub outside: f64,
}

/// Cells corrected at a time by one thread.
const ROWS: usize = 1 << 13;

impl Fitted {
    /// What was learnt for the run of that name.
    pub fn run(&self, name: &str) -> Option<&RunFit> {
        self.runs.iter().find(|r| r.name == name)
    }

    /// The methods that can be applied, in the order of the score table.
    pub fn methods(&self) -> Vec<Method> {
        Method::ALL.into_iter().filter(|m| self.network.is_some() || !m.needs_network()).collect()
    }

    /// Moves cells (cells × markers, on the model's scale) by one method.
    ///
    /// # Errors
    /// [`CorrectError::Numerical`] when a result is not finite.
    pub fn apply(
        &self,
        run: &RunFit,
        method: Method,
        x: ArrayView2<'_, f32>,
    ) -> Result<Applied, CorrectError> {
        let mut values = Array2::zeros(x.dim());
        let outside = x
            .axis_chunks_iter(Axis(0), ROWS)
            .into_par_iter()
            .zip(values.axis_chunks_iter_mut(Axis(0), ROWS))
            .map(|(from, mut to)| {
                let (mut moved, out) = self.apply_chunk(run, method, from)?;
                for (j, _) in run.untouched.iter().enumerate().filter(|(_, u)| **u) {
                    moved.column_mut(j).assign(&from.column(j));
                }
                if self.plan.zeros == Zeros::Keep {
                    moved.zip_mut_with(&from, |to, from| {
                        if *from == 0.0 {
                            *to = 0.0;
                        }
                    });
                }
                to.assign(&moved);
                Ok(out * from.nrows() as f64)
            })
            .collect::<Result<Vec<f64>, CorrectError>>()?;
        let outside = outside.iter().sum::<f64>() / x.nrows().max(1) as f64;
        match values.indexed_iter().find(|(_, v)| !v.is_finite()) {
            None => Ok(Applied { values, outside }),
            Some(((row, col), v)) => Err(CorrectError::Numerical {
                what: format!(
                    "{}: run {}, cell {row}, marker {}: the corrected value is {v}; \
                     the sample lies too far from the controls, try --method mean-shift",
                    method.name(),
                    run.name,
                    self.markers.get(col).map_or("?", |m| &m.name)
                ),
            }),
        }
    }

    fn apply_chunk(
        &self,
        run: &RunFit,
        method: Method,
        x: ArrayView2<'_, f32>,
    ) -> Result<(Array2<f32>, f64), CorrectError> {
        let outside = |x: ArrayView2<'_, f32>| {
            let out = x.rows().into_iter().map(|row| {
                row.iter().zip(&run.ambient).filter(|(v, map)| map.outside(f64::from(**v))).count()
            });
            out.sum::<usize>() as f64 / x.len().max(1) as f64
        };
        Ok(match method {
            Method::None => (x.to_owned(), outside(x)),
            Method::MeanShift => {
                let mut y = x.to_owned();
                for mut row in y.rows_mut() {
                    row.iter_mut().zip(&run.mean_shift).for_each(|(v, s)| *v = (f64::from(*v) + s) as f32);
                }
                (y, outside(x))
            }
            Method::Ambient => {
                let mut y = x.to_owned();
                for mut row in y.rows_mut() {
                    row.iter_mut().zip(&run.ambient).for_each(|(v, m)| *v = m.apply(f64::from(*v)) as f32);
                }
                (y, outside(x))
            }
            Method::ConstantShift | Method::NeuronEdit => {
                let (Some(network), Some(latent)) = (&self.network, &run.latent) else {
                    return Err(CorrectError::usage(format!(
                        "{} works on neurons, and no network was trained; learn an edit with --method {}",
                        method.name(),
                        method.name()
                    )));
                };
                let model = &network.model;
                if let (Method::NeuronEdit, Some(joined)) = (method, &run.joined) {
                    return Ok(joined.apply(Codes::Neurons(model), x)?);
                }
                let mut z = model.encode(x)?;
                let outside = latent.outside(z.view());
                if method == Method::NeuronEdit {
                    latent.edit(&mut z)
                } else {
                    latent.shift(&mut z)
                }
                (model.decode(z.view())?, outside)
            }
        })
    }
}
