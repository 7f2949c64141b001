//! ReLU and leaky ReLU with their slopes as constants, and the input gradient's masks that are made of them.

use candle_core::{DType, Tensor};

use super::NnError;

/// 1 where `a` is above zero, `slope` elsewhere; a constant without a way back to `a`.
///
/// # Errors
/// Candle's.
pub(super) fn slopes(a: &Tensor, slope: f32) -> Result<Tensor, NnError> {
    let above = a.detach().gt(0f32)?.to_dtype(DType::F32)?;
    if slope == 0.0 {
        return Ok(above);
    }
    Ok(above.affine(1.0 - f64::from(slope), f64::from(slope))?)
}

/// `max(x, slope * x)`, with gradient `slope` at 0 as in PyTorch (candle's own gives 1 there).
///
/// # Errors
/// Candle's.
pub fn leaky_relu(x: &Tensor, slope: f32) -> Result<Tensor, NnError> {
    Ok((x * slopes(x, slope)?)?)
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    #[test]
    fn values_and_gradients_are_those_of_pytorch_at_zero_too() {
        for slope in [0.0f32, 0.2] {
            let x = Var::from_slice(&[-2.0f32, 0.0, 3.0], 3, &Device::Cpu).unwrap();
            let y = leaky_relu(&x, slope).unwrap();
            assert_eq!(y.to_vec1::<f32>().unwrap(), [-2.0 * slope, 0.0, 3.0]);
            let grads = y.sum_all().unwrap().backward().unwrap();
            assert_eq!(grads.get(&x).unwrap().to_vec1::<f32>().unwrap(), [slope, slope, 1.0]);
        }
    }
}
