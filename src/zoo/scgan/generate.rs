//! Cells from noise.

use candle_core::Tensor;
use ndarray::{Array2, s};

use super::ScGan;
use crate::nn::Mode;
use crate::rng::Stream;
use crate::zoo::{Generate, Made, MadeCells, ZooError};

/// Cells made at a time.
const ROWS: usize = 512;

impl Generate for ScGan {
    /// Cells scaled to [`ScGanConfig::library`](super::ScGanConfig), normalised by the running averages. scGAN knows no
    /// labels: it makes the whole population and says nothing about the label of a cell.
    fn cells(&self, label: Option<u32>, n: usize, stream: &mut Stream) -> Result<Made, ZooError> {
        let labels = self.labels_for(label, n, stream)?;
        let mut values = Array2::zeros((n, self.config.genes));
        for from in (0..n).step_by(ROWS) {
            let rows = ROWS.min(n - from);
            let device = self.params.device();
            let noise: Vec<f32> = (0..rows * self.config.noise).map(|_| stream.normal() as f32).collect();
            let z = Tensor::from_vec(noise, (rows, self.config.noise), device)?;
            let labels = match &labels {
                Some(labels) => Some(Tensor::from_slice(&labels[from..from + rows], rows, device)?),
                None => None,
            };
            let cells = self.generator.forward(&z, labels.as_ref(), Mode::Eval)?.detach();
            let cells = cells.flatten_all()?.to_vec1::<f32>()?;
            let mut to = values.slice_mut(s![from..from + rows, ..]);
            to.iter_mut().zip(cells).for_each(|(to, v)| *to = v);
        }
        Ok(Made { cells: MadeCells::Scaled { values, log: false }, labels, tried: n as u64 })
    }

    fn draws_labels(&self) -> bool {
        self.config.conditional.is_some()
    }
}

impl ScGan {
    /// The label of each cell to make: the one asked for, or drawn by the shares in the training cells.
    fn labels_for(
        &self,
        label: Option<u32>,
        n: usize,
        stream: &mut Stream,
    ) -> Result<Option<Vec<u32>>, ZooError> {
        let bad = |what: String| Err(ZooError::Config { what });
        match (self.shares()?, label) {
            (None, None) => Ok(None),
            (None, Some(_)) => bad("scGAN knows no labels and makes the whole population; use cscgan".into()),
            (Some(shares), None) => Ok(Some((0..n).map(|_| stream.weighted(&shares) as u32).collect())),
            (Some(shares), Some(label)) => match shares.get(label as usize) {
                Some(&share) if share > 0.0 => Ok(Some(vec![label; n])),
                Some(_) => bad(format!("label {label} had no training cell: nothing was learnt about it")),
                None => bad(format!("label {label} is unknown, this model knows {}", shares.len())),
            },
        }
    }
}
