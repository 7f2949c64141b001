//! The generator: noise → cells of one library size.

use candle_core::{Tensor, Var};

use super::ScGanConfig;
use crate::nn::{
    Activation, BatchNorm, Critic, Head, Init, Mode, NnError, NormConfig, Params, fused, leaky_relu,
    library_norm,
};

/// Layers without bias, batch normalisation and ReLU; then a layer with ReLU and library size normalisation.
#[derive(Debug)]
pub(super) struct Generator {
    hidden: Vec<(Var, BatchNorm)>,
    out: (Var, Var),
    library: f32,
}

impl Generator {
    /// `generator.k.weight` [out, inputs], `generator.k.norm.*`, `generator.out.weight` [genes, inputs] and
    /// `generator.out.bias`. Normalisation has a row of scales and offsets for each label where labels are known.
    pub(super) fn new(params: &mut Params, config: &ScGanConfig) -> Result<Self, NnError> {
        let norm = NormConfig { momentum: config.norm_momentum, ..NormConfig::SCGAN };
        let mut inputs = config.noise;
        let mut hidden = Vec::new();
        for (k, &out) in config.generator.iter().enumerate() {
            let init = Init::XavierUniform { fan_in: inputs, fan_out: out };
            let weight = params.add(&format!("generator.{k}.weight"), &[out, inputs], init)?;
            let name = format!("generator.{k}.norm");
            let norm = match &config.conditional {
                Some(_) => BatchNorm::conditional(params, &name, (config.labels(), out), norm)?,
                None => BatchNorm::new(params, &name, out, norm)?,
            };
            hidden.push((weight, norm));
            inputs = out;
        }
        let init = Init::FanAverage { fan_in: inputs, fan_out: config.genes };
        let weight = params.add("generator.out.weight", &[config.genes, inputs], init)?;
        let bias = params.add("generator.out.bias", &[config.genes], Init::Constant(0.0))?;
        Ok(Self { hidden, out: (weight, bias), library: config.library })
    }

    /// Noise [n, noise] and labels [n] → cells [n, genes].
    pub(super) fn forward(&self, z: &Tensor, labels: Option<&Tensor>, mode: Mode) -> Result<Tensor, NnError> {
        let mut h = z.clone();
        for (weight, norm) in &self.hidden {
            let y = fused::product_t(&h, weight)?;
            h = leaky_relu(&norm.forward(&y, labels, mode)?, 0.0)?;
        }
        let y = fused::linear(&h, &self.out.0, &self.out.1, Activation::RELU)?;
        library_norm(&y, self.library)
    }
}

/// The critic of these settings: ReLU layers, a head for each label where labels are known.
pub(super) fn critic(params: &mut Params, config: &ScGanConfig) -> Result<Critic, NnError> {
    let sizes = [&[config.genes], config.critic.as_slice()].concat();
    let head = match &config.conditional {
        None => Head::One,
        Some(c) if c.projection => Head::Projection(config.labels()),
        Some(_) => Head::PerClass(config.labels()),
    };
    Critic::new(params, "critic", &sizes, 0.0, head)
}
