//! How weights start.

use crate::rng::Stream;

/// A scheme for the first values of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// PyTorch's default for linear layers, weights and biases alike: uniform in ±1/√fan_in
    /// (Kaiming-uniform with a = √5).
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
    /// Normal within two standard deviations, of variance 2.6 / mean of fan_in and fan_out before the ends are cut
    /// and about 2 / that mean after it: TensorFlow's variance scaling with factor 2, for layers with ReLU.
    FanAverage {
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
            Init::FanAverage { fan_in, fan_out } => {
                let sd = (5.2 / (fan_in + fan_out).max(1) as f64).sqrt();
                return (0..n).map(|_| (sd * within(stream, 2.0)) as f32).collect();
            }
            Init::Constant(value) => return vec![value; n],
        };
        (0..n).map(|_| ((2.0 * stream.uniform() - 1.0) * bound) as f32).collect()
    }
}

/// A standard normal number within ±`bound`.
fn within(stream: &mut Stream, bound: f64) -> f64 {
    loop {
        let z = stream.normal();
        if z.abs() <= bound {
            return z;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;

    #[test]
    fn draws_have_the_spread_they_promise_and_keep_their_bounds() {
        let (fan_in, fan_out) = (300, 100);
        let draw = |init: Init| init.draw(&[200, 200], &mut Seed(1).stream("init"));
        let variance = |x: &[f32]| x.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / x.len() as f64;
        let uniform = draw(Init::XavierUniform { fan_in, fan_out });
        let bound = (6.0f64 / 400.0).sqrt() as f32;
        assert!(uniform.iter().all(|v| v.abs() <= bound));
        assert!((variance(&uniform) * 200.0 - 1.0).abs() < 0.03, "{}", variance(&uniform) * 200.0);
        let normal = draw(Init::FanAverage { fan_in, fan_out });
        let bound = (2.0 * (2.6f64 / 200.0).sqrt()) as f32 * 1.000_001;
        assert!(normal.iter().all(|v| v.abs() <= bound));
        // 2.6 times the variance of a normal law cut at two standard deviations, 0.7737.
        assert!((variance(&normal) * 200.0 - 2.0117).abs() < 0.05, "{}", variance(&normal) * 200.0);
    }
}
