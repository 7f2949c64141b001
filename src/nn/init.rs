//! How weights start.

use crate::rng::Stream;

/// A scheme for the first values of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// PyTorch's default for linear layers, weights and biases alike: uniform in ±1/√fan_in
    /// (Kaiming-uniform with a = √5, `models.md` §1.5).
    TorchLinear {
        /// Inputs of the layer.
        fan_in: usize,
    },
    /// Uniform in ±√(6 / (fan_in + fan_out)) (Glorot & Bengio 2010).
    XavierUniform {
        /// Inputs of the layer.
        fan_in: usize,
        /// Outputs of the layer.
        fan_out: usize,
    },
    /// The same number everywhere.
    Constant(f32),
}

impl Init {
    /// Draws row-major values for a tensor of that shape.
    pub fn draw(self, shape: &[usize], stream: &mut Stream) -> Vec<f32> {
        let n = shape.iter().product();
        let bound = match self {
            Init::TorchLinear { fan_in } => 1.0 / (fan_in.max(1) as f64).sqrt(),
            Init::XavierUniform { fan_in, fan_out } => (6.0 / (fan_in + fan_out).max(1) as f64).sqrt(),
            Init::Constant(value) => return vec![value; n],
        };
        (0..n).map(|_| ((2.0 * stream.uniform() - 1.0) * bound) as f32).collect()
    }
}
