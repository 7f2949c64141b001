//! Losses, each the mean over the cells of a minibatch of a sum over features.

use candle_core::{D, Tensor};

use super::NnError;
use super::fused;

/// KL divergence of N(μ, e^ℓ) from N(0, 1): mean over cells of ½ Σ (μ² + e^ℓ − 1 − ℓ).
///
/// # Errors
/// Candle's, when shapes disagree.
pub fn kl_divergence(mean: &Tensor, log_variance: &Tensor) -> Result<Tensor, NnError> {
    let terms = ((mean.sqr()? + log_variance.exp()?)? - (log_variance + 1.0)?)?;
    Ok((terms.sum(D::Minus1)?.mean_all()? * 0.5)?)
}

/// Mean over cells of Σ (x − y)²; `y` is data and gets no gradient.
///
/// # Errors
/// Candle's, when shapes disagree.
pub fn squared_error(x: &Tensor, y: &Tensor) -> Result<Tensor, NnError> {
    let width = x.dim(D::Minus1)?;
    Ok((fused::mse(x, y)? * width as f64)?)
}

/// Mean over cells of −ln softmax(logits)[class], `classes` [n] of type `u32`.
///
/// # Errors
/// Candle's, when shapes disagree or a class is out of range.
pub fn cross_entropy(logits: &Tensor, classes: &Tensor) -> Result<Tensor, NnError> {
    let shifted = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?.detach())?;
    let total = shifted.exp()?.sum_keepdim(D::Minus1)?.log()?;
    let chosen = shifted.gather(&classes.unsqueeze(1)?, 1)?;
    Ok((total - chosen)?.mean_all()?)
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    fn number(t: &Tensor) -> f32 {
        t.to_scalar().unwrap()
    }

    /// A worked example: μ = (1, −0.5), ℓ = (0.2, −1).
    #[test]
    fn the_kl_divergence_equals_the_specification_and_does_not_grow_with_the_minibatch() {
        let kl = |n: usize| {
            let m = Tensor::new(vec![vec![1.0f32, -0.5]; n], &Device::Cpu).unwrap();
            let l = Tensor::new(vec![vec![0.2f32, -1.0]; n], &Device::Cpu).unwrap();
            number(&kl_divergence(&m, &l).unwrap())
        };
        assert!((kl(1) - 0.819_641).abs() < 1e-6, "{}", kl(1));
        assert!((kl(4) - kl(1)).abs() < 1e-6);
    }

    #[test]
    fn squared_errors_are_summed_over_features_and_averaged_over_cells() {
        let x = Tensor::new(&[[1.0f32, 2.0], [0.0, 0.0]], &Device::Cpu).unwrap();
        let y = Tensor::new(&[[0.0f32, 0.0], [0.0, 1.0]], &Device::Cpu).unwrap();
        assert_eq!(number(&squared_error(&x, &y).unwrap()), 3.0);
    }

    /// torch.nn.functional.cross_entropy(torch.tensor([[2., -1., 500.], [1., 0., 0.]]), torch.tensor([2, 1])) is
    /// 0.7757; its gradient is (softmax − one-hot) / 2.
    #[test]
    fn cross_entropy_equals_pytorch_and_stands_large_logits() {
        let x = Var::from_slice(&[2.0f32, -1.0, 500.0, 1.0, 0.0, 0.0], (2, 3), &Device::Cpu).unwrap();
        let classes = Tensor::new(&[2u32, 1], &Device::Cpu).unwrap();
        let loss = cross_entropy(&x, &classes).unwrap();
        assert!((number(&loss) - 0.775_722).abs() < 1e-5, "{loss}");
        let grads = loss.backward().unwrap();
        let got = grads.get(&x).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (g, e) in got.iter().zip([0.0, 0.0, 0.0, 0.288_058, -0.394_029, 0.105_971]) {
            assert!((g - e).abs() < 1e-5, "{got:?}");
        }
    }
}
