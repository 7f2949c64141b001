//! New cells from a trained ACTIVA.

use candle_core::Tensor;
use ndarray::Array2;

use super::config::{LatentLaw, Observation};
use super::{Activa, Input, ROWS};
use crate::data::Counts;
use crate::nn::{Mode, SparseBatch};
use crate::rng::Stream;
use crate::zoo::generate::softmax;
use crate::zoo::{Classify, CountBatch, Generate, Made, MadeCells, ZooError};

/// Codes of some cells to make, with what goes with them.
struct Codes {
    z: Tensor,
    library: Vec<f32>,
    labels: Option<Vec<u32>>,
}

/// Codes, libraries and labels of the training cells.
struct Anchors {
    mean: Vec<f32>,
    log_variance: Vec<f32>,
    library: Vec<f32>,
    /// Those that may be drawn.
    cells: Vec<usize>,
    labels: Vec<u32>,
}

impl Activa {
    /// θ of each gene and the share of its extra zeros.
    pub(super) fn dispersion(&self) -> Result<(Vec<f32>, Vec<f32>), ZooError> {
        let Some((theta, zero)) = &self.generator.dispersion else { return Ok((Vec::new(), Vec::new())) };
        let theta = theta.to_vec1::<f32>()?.into_iter().map(|t| t.clamp(-9.21, 9.21).exp()).collect();
        let inflated = self.config.observation == Observation::Counts(crate::nn::CountLaw::Zinb);
        let share = |u: f32| if inflated { 1.0 / (1.0 + (-u).exp()) } else { 0.0 };
        Ok((theta, zero.to_vec1::<f32>()?.into_iter().map(share).collect()))
    }

    /// The training cells a label may start from.
    fn anchors(&self, label: Option<u32>) -> Result<Option<Anchors>, ZooError> {
        if self.config.latent_law == LatentLaw::Prior {
            return Ok(None);
        }
        let labels: Vec<u32> = self.stored("anchors.label")?.into_iter().map(|l| l as u32).collect();
        let cells: Vec<usize> = (0..labels.len()).filter(|&i| label.is_none_or(|l| labels[i] == l)).collect();
        if labels.iter().any(|&l| l as usize >= self.config.labels) {
            return Err(ZooError::Config { what: "a kept code has a label the model does not know".into() });
        }
        if cells.is_empty() {
            return Err(ZooError::Config { what: "the model was trained on no cell of this label".into() });
        }
        Ok(Some(Anchors {
            mean: self.stored("anchors.mean")?,
            log_variance: self.stored("anchors.log_variance")?,
            library: self.stored("anchors.library")?,
            cells,
            labels,
        }))
    }

    /// Draws codes for `n` cells.
    fn codes(
        &self,
        anchors: Option<&Anchors>,
        label: Option<u32>,
        n: usize,
        stream: &mut Stream,
    ) -> Result<Codes, ZooError> {
        let latent = self.config.latent;
        let mut z = Vec::with_capacity(n * latent);
        let mut library = Vec::with_capacity(n);
        let Some(anchors) = anchors else {
            z.extend((0..n * latent).map(|_| stream.normal() as f32));
            if let Some(law) = &self.learnt.library {
                let sizes: Vec<f64> = law.quantiles.iter().map(|q| q.len() as f64).collect();
                for _ in 0..n {
                    let of = label.unwrap_or_else(|| stream.weighted(&sizes) as u32);
                    library.push(law.draw(of, stream) as f32);
                }
            }
            let z = Tensor::from_vec(z, (n, latent), self.params.device())?;
            return Ok(Codes { z, library, labels: None });
        };
        let mut labels = Vec::with_capacity(n);
        for _ in 0..n {
            let cell = anchors.cells[stream.below(anchors.cells.len())];
            let span = cell * latent..(cell + 1) * latent;
            for (m, l) in anchors.mean[span.clone()].iter().zip(&anchors.log_variance[span]) {
                z.push(m + (0.5 * l).exp() * stream.normal() as f32);
            }
            library.push(anchors.library[cell]);
            labels.push(anchors.labels[cell]);
        }
        let z = Tensor::from_vec(z, (n, latent), self.params.device())?;
        Ok(Codes { z, library, labels: Some(labels) })
    }

    /// Cells of these codes.
    fn decode(&self, codes: &Codes, stream: &mut Stream) -> Result<MadeCells, ZooError> {
        let mode = if self.config.bn_batch_stats { Mode::Batch } else { Mode::Eval };
        let made = self.generator.forward(&codes.z, mode)?;
        if self.config.observation == Observation::Expression {
            let shape = made.dims2()?;
            let values = Array2::from_shape_vec(shape, made.flatten_all()?.to_vec1()?)
                .map_err(|e| ZooError::Config { what: e.to_string() })?;
            return Ok(MadeCells::Scaled { values, log: self.config.log });
        }
        let (theta, zero) = self.dispersion()?;
        let mut counts = Counts::empty(self.config.genes);
        for (row, &library) in made.to_vec2::<f32>()?.into_iter().zip(&codes.library) {
            let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let shares: Vec<f64> = row.iter().map(|o| f64::from(o - most).exp()).collect();
            let factor = f64::from(library) / shares.iter().sum::<f64>();
            let cell: Vec<(u32, u32)> = shares
                .iter()
                .enumerate()
                .map(|(g, share)| {
                    let none = zero[g] > 0.0 && stream.uniform() < f64::from(zero[g]);
                    let count =
                        if none { 0 } else { stream.negative_binomial(share * factor, f64::from(theta[g])) };
                    (g as u32, u32::try_from(count).unwrap_or(u32::MAX))
                })
                .collect();
            counts.push(cell);
        }
        Ok(MadeCells::Counts(counts))
    }

    /// Labels the classifier gives.
    fn classify(&self, cells: &MadeCells) -> Result<Vec<u32>, ZooError> {
        let x = match cells {
            MadeCells::Scaled { values, .. } => {
                let (shape, flat) = (values.dim(), values.iter().copied().collect::<Vec<f32>>());
                Input::Dense(Tensor::from_vec(flat, shape, self.params.device())?)
            }
            MadeCells::Counts(counts) => {
                let rows = rows_of(counts)?;
                let target = self.config.target_sum;
                Input::Sparse(if self.config.log { rows.log_scaled(target) } else { rows.scaled(target) })
            }
        };
        Ok(self.classifier.forward(&x)?.argmax(1)?.to_vec1()?)
    }
}

/// Counts as a minibatch of sparse rows.
fn rows_of(counts: &Counts) -> Result<SparseBatch, ZooError> {
    let (mut indptr, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
    for cell in 0..counts.n_cells() {
        let (genes, of) = counts.cell(cell);
        columns.extend_from_slice(genes);
        values.extend(of.iter().map(|&v| v as f32));
        indptr.push(columns.len());
    }
    Ok(SparseBatch::new(counts.n_genes(), indptr, columns, values)?)
}

/// Cells taken out of those that were made.
fn pick(cells: &MadeCells, keep: &[usize]) -> MadeCells {
    match cells {
        MadeCells::Counts(c) => MadeCells::Counts(c.cells(keep)),
        MadeCells::Scaled { values, log } => {
            MadeCells::Scaled { values: values.select(ndarray::Axis(0), keep), log: *log }
        }
    }
}

impl Classify for Activa {
    fn probabilities(&self, cells: &CountBatch) -> Result<Array2<f32>, ZooError> {
        softmax(&self.classifier.forward(&self.scaled(cells))?)
    }
}

impl Generate for Activa {
    fn cells(&self, label: Option<u32>, n: usize, stream: &mut Stream) -> Result<Made, ZooError> {
        self.make(label, !self.draws_labels(), n, stream)
    }

    fn confirmed(&self, label: u32, n: usize, stream: &mut Stream) -> Result<Made, ZooError> {
        self.make(Some(label), self.config.filter || !self.draws_labels(), n, stream)
    }

    fn draws_labels(&self) -> bool {
        self.config.latent_law == LatentLaw::Posterior
    }
}

impl Activa {
    /// Makes cells until there are `n`, or tries run out; `filter` keeps those that the classifier gives the label.
    fn make(
        &self,
        label: Option<u32>,
        filter: bool,
        n: usize,
        stream: &mut Stream,
    ) -> Result<Made, ZooError> {
        let filter = filter && label.is_some();
        let anchors = self.anchors(label)?;
        let mut parts: Vec<(MadeCells, Vec<u32>)> = Vec::new();
        let (mut have, mut tried) = (0, 0u64);
        let most = u64::from(self.config.max_rounds.max(1)).saturating_mul(n as u64);
        while have < n && tried < most {
            // Full minibatches, so that rejection costs few passes and batch statistics mean something.
            let take = if filter { ROWS } else { (n - have).min(ROWS) };
            let codes = self.codes(anchors.as_ref(), label, take, stream)?;
            let cells = self.decode(&codes, stream)?;
            let labels = match codes.labels {
                Some(labels) if !filter => labels,
                _ => self.classify(&cells)?,
            };
            let keep: Vec<usize> =
                (0..take).filter(|&i| !filter || Some(labels[i]) == label).take(n - have).collect();
            have += keep.len();
            // What comes behind the last cell that is needed was not tried for.
            tried += if have == n { keep.last().map_or(take, |l| l + 1) } else { take } as u64;
            let labels = keep.iter().map(|&i| labels[i]).collect();
            parts.push((if keep.len() == take { cells } else { pick(&cells, &keep) }, labels));
        }
        let labels = parts.iter().flat_map(|p| p.1.iter().copied()).collect();
        Ok(Made {
            cells: joined(parts.into_iter().map(|p| p.0), self.config.genes)?,
            labels: Some(labels),
            tried,
        })
    }
}

/// Parts one below the other; they are of one kind.
fn joined(parts: impl Iterator<Item = MadeCells>, genes: usize) -> Result<MadeCells, ZooError> {
    let mut counts = Counts::empty(genes);
    let (mut values, mut log, mut scaled) = (Vec::new(), false, false);
    for part in parts {
        match part {
            MadeCells::Counts(c) => counts.append(&c),
            MadeCells::Scaled { values: v, log: l } => {
                (log, scaled) = (l, true);
                values.extend(v.iter());
            }
        }
    }
    if !scaled {
        return Ok(MadeCells::Counts(counts));
    }
    let n = values.len() / genes.max(1);
    let values =
        Array2::from_shape_vec((n, genes), values).map_err(|e| ZooError::Config { what: e.to_string() })?;
    Ok(MadeCells::Scaled { values, log })
}
