//! Optimisers over one parameter group. State can be saved; the update is one fused pass over owned buffers.

use std::collections::BTreeMap;
use std::sync::Mutex;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, Device, Error, InplaceOp2, Layout, Tensor, Var};
use rayon::prelude::*;

use super::NnError;

/// Settings of Adam (Kingma & Ba 2015), with PyTorch's defaults and no weight decay.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdamConfig {
    /// Step size.
    pub lr: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Added to each gradient, times the parameter: PyTorch's coupled L2, on biases too.
    #[serde(default)]
    pub weight_decay: f64,
    /// Divide by the largest second moment so far instead of the current one (Reddi et al. 2018). As PyTorch does, the
    /// largest is taken of the raw moment and the bias correction stays in the step size.
    #[serde(default)]
    pub amsgrad: bool,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0, amsgrad: false }
    }
}

/// Adam over named parameters.
#[derive(Debug)]
pub struct Adam {
    config: AdamConfig,
    step: u64,
    slots: BTreeMap<String, Slot>,
}

#[derive(Debug)]
struct Slot {
    var: Var,
    m: Vec<f32>,
    v: Vec<f32>,
    /// Largest second moment so far; empty without AMSGrad.
    most: Vec<f32>,
}

impl Slot {
    fn new(var: &Var, amsgrad: bool) -> Self {
        let n = var.elem_count();
        let most = vec![0.0; if amsgrad { n } else { 0 }];
        Self { var: var.clone(), m: vec![0.0; n], v: vec![0.0; n], most }
    }

    /// The buffers to store, by the name they are stored under.
    fn buffers(&self) -> impl Iterator<Item = (&'static str, &Vec<f32>)> {
        let most = (!self.most.is_empty()).then_some(("most", &self.most));
        [("m", &self.m), ("v", &self.v)].into_iter().chain(most)
    }

    /// [`Slot::buffers`], to be filled.
    fn buffers_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut Vec<f32>)> {
        let most = (!self.most.is_empty()).then_some(("most", &mut self.most));
        [("m", &mut self.m), ("v", &mut self.v)].into_iter().chain(most)
    }
}

impl Adam {
    /// An optimiser of these parameters, before its first step.
    pub fn new<'a>(config: AdamConfig, vars: impl Iterator<Item = (&'a str, &'a Var)>) -> Self {
        let slots = vars.map(|(name, var)| (name.to_owned(), Slot::new(var, config.amsgrad))).collect();
        Self { config, step: 0, slots }
    }

    /// Sets the step size of the steps to come.
    pub fn set_lr(&mut self, lr: f64) {
        self.config.lr = lr;
    }

    /// One step. Parameters without a gradient stay as they are.
    ///
    /// # Errors
    /// Candle's.
    pub fn step(&mut self, grads: &GradStore) -> Result<(), NnError> {
        self.step += 1;
        let t = self.step.min(i32::MAX as u64) as i32;
        let AdamConfig { lr, beta1, beta2, eps, weight_decay, amsgrad: _ } = self.config;
        // PyTorch's order of operations: denom = √v / √(1 − β2ᵗ) + ε, w −= lr / (1 − β1ᵗ) · m / denom.
        let scale = Scale {
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            step_size: (lr / (1.0 - beta1.powi(t))) as f32,
            root: (1.0 - beta2.powi(t)).sqrt() as f32,
            eps: eps as f32,
            decay: weight_decay as f32,
        };
        for slot in self.slots.values_mut() {
            if let Some(grad) = grads.get(&slot.var) {
                let grad = grad.contiguous()?;
                if slot.var.device().is_cpu() {
                    slot.fused(&grad, scale)?;
                } else {
                    slot.plain(&grad, scale)?;
                }
            }
        }
        Ok(())
    }

    /// The state to store: number of steps, and `m/<name>`, `v/<name>` tensors.
    ///
    /// # Errors
    /// Candle's.
    pub fn state(&self) -> Result<(u64, BTreeMap<String, Tensor>), NnError> {
        let mut out = BTreeMap::new();
        for (name, slot) in &self.slots {
            for (kind, values) in slot.buffers() {
                let t = Tensor::from_slice(values, slot.var.shape(), &Device::Cpu)?;
                out.insert(format!("{kind}/{name}"), t);
            }
        }
        Ok((self.step, out))
    }

    /// Puts a stored state in place, strictly.
    ///
    /// # Errors
    /// [`NnError::Parameter`] that names a missing, spare or misshapen tensor.
    pub fn load(&mut self, step: u64, stored: &BTreeMap<String, Tensor>) -> Result<(), NnError> {
        let bad = |name: &str, what: &str| NnError::Parameter { name: name.into(), what: what.into() };
        let each = if self.config.amsgrad { 3 } else { 2 };
        if stored.len() != each * self.slots.len() {
            return Err(bad("optimiser state", "has more or fewer tensors than this model"));
        }
        for (name, slot) in &mut self.slots {
            let dims = slot.var.dims().to_vec();
            for (kind, values) in slot.buffers_mut() {
                let key = format!("{kind}/{name}");
                let t = stored.get(&key).ok_or_else(|| bad(&key, "missing from the stored state"))?;
                if t.dims() != dims {
                    return Err(bad(&key, "stored with another shape"));
                }
                *values = t.flatten_all()?.to_vec1()?;
            }
        }
        self.step = step;
        Ok(())
    }
}

impl Slot {
    /// The step in one pass over the owned buffers.
    fn fused(&mut self, grad: &Tensor, scale: Scale) -> Result<(), NnError> {
        let op = AdamStep { scale, moments: Mutex::new((&mut self.m, &mut self.v, &mut self.most)) };
        Ok(self.var.as_tensor().inplace_op2(grad, &op)?)
    }

    /// The step made of ordinary operations, for other devices.
    fn plain(&mut self, grad: &Tensor, scale: Scale) -> Result<(), NnError> {
        let Scale { beta1, beta2, step_size, root, eps, decay } = scale;
        let [beta1, beta2, step_size, root, eps, decay] =
            [beta1, beta2, step_size, root, eps, decay].map(f64::from);
        let moment = |x: &[f32]| Tensor::from_slice(x, self.var.shape(), self.var.device());
        let (m, v) = (moment(&self.m)?, moment(&self.v)?);
        let grad = &(grad + (self.var.as_tensor() * decay)?)?;
        let m = (&m + ((grad - &m)? * (1.0 - beta1))?)?;
        let v = ((v * beta2)? + (grad.sqr()? * (1.0 - beta2))?)?;
        let below = if self.most.is_empty() { v.clone() } else { v.maximum(&moment(&self.most)?)? };
        let step = (&m / ((below.sqrt()? / root)? + eps)?)?;
        if !self.most.is_empty() {
            self.most = below.flatten_all()?.to_vec1()?;
        }
        self.var.set(&(self.var.as_tensor() - (step * step_size)?)?)?;
        self.m = m.flatten_all()?.to_vec1()?;
        self.v = v.flatten_all()?.to_vec1()?;
        Ok(())
    }
}

/// Moves `average` towards `var` by that share of the way.
///
/// # Errors
/// Candle's, when shapes disagree.
pub fn follow(average: &Var, var: &Var, share: f32) -> Result<(), NnError> {
    if average.device().is_cpu() {
        return Ok(average.as_tensor().inplace_op2(var.as_tensor(), &Follow(share))?);
    }
    let step = ((var.as_tensor() - average.as_tensor())? * f64::from(share))?;
    Ok(average.set(&(average.as_tensor() + step)?)?)
}

struct Follow(f32);

impl InplaceOp2 for Follow {
    fn name(&self) -> &'static str {
        "follow"
    }

    fn cpu_fwd(
        &self,
        a: &mut CpuStorage,
        al: &Layout,
        w: &CpuStorage,
        wl: &Layout,
    ) -> candle_core::Result<()> {
        let (CpuStorage::F32(a), CpuStorage::F32(w)) = (a, w) else {
            return Err(Error::Msg("averages are of f32 parameters".into()));
        };
        let (Some((a0, a1)), Some((w0, w1))) = (al.contiguous_offsets(), wl.contiguous_offsets()) else {
            return Err(Error::RequiresContiguous { op: "follow" });
        };
        a[a0..a1]
            .par_chunks_mut(RUN)
            .zip(w[w0..w1].par_chunks(RUN))
            .for_each(|(a, w)| a.iter_mut().zip(w).for_each(|(a, w)| *a += self.0 * (w - *a)));
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
struct Scale {
    beta1: f32,
    beta2: f32,
    step_size: f32,
    root: f32,
    eps: f32,
    decay: f32,
}

struct AdamStep<'a> {
    scale: Scale,
    moments: Mutex<(&'a mut Vec<f32>, &'a mut Vec<f32>, &'a mut Vec<f32>)>,
}

impl Scale {
    /// The step over runs of parameters, gradients and moments.
    fn apply(self, w: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        let Scale { beta1, beta2, step_size, root, eps, decay } = self;
        for (((w, &g), m), v) in w.iter_mut().zip(g).zip(m).zip(v) {
            let g = g + decay * *w;
            *m += (g - *m) * (1.0 - beta1);
            *v = *v * beta2 + g * g * (1.0 - beta2);
            *w -= step_size * (*m / (v.sqrt() / root + eps));
        }
    }

    /// [`Scale::apply`] with AMSGrad's largest second moment.
    fn apply_most(self, w: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], most: &mut [f32]) {
        let Scale { beta1, beta2, step_size, root, eps, decay } = self;
        for ((((w, &g), m), v), most) in w.iter_mut().zip(g).zip(m).zip(v).zip(most) {
            let g = g + decay * *w;
            *m += (g - *m) * (1.0 - beta1);
            *v = *v * beta2 + g * g * (1.0 - beta2);
            *most = most.max(*v);
            *w -= step_size * (*m / (most.sqrt() / root + eps));
        }
    }
}

/// Parameters that one thread takes at a time; every one is on its own, so the split does not show in the result.
const RUN: usize = 1 << 16;

impl InplaceOp2 for AdamStep<'_> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(
        &self,
        w: &mut CpuStorage,
        wl: &Layout,
        g: &CpuStorage,
        gl: &Layout,
    ) -> candle_core::Result<()> {
        let (CpuStorage::F32(w), CpuStorage::F32(g)) = (w, g) else {
            return Err(Error::Msg("Adam works on f32 parameters".into()));
        };
        let (Some((w0, w1)), Some((g0, g1))) = (wl.contiguous_offsets(), gl.contiguous_offsets()) else {
            return Err(Error::RequiresContiguous { op: "adam" });
        };
        let mut moments = self.moments.lock().map_err(|e| Error::Msg(e.to_string()))?;
        let (m, v, most) = &mut *moments;
        let (w, g) = (&mut w[w0..w1], &g[g0..g1]);
        let runs = w.par_chunks_mut(RUN).zip(g.par_chunks(RUN));
        let runs = runs.zip(m.par_chunks_mut(RUN)).zip(v.par_chunks_mut(RUN));
        if most.is_empty() {
            runs.for_each(|(((w, g), m), v)| self.scale.apply(w, g, m, v));
        } else {
            runs.zip(most.par_chunks_mut(RUN))
                .for_each(|((((w, g), m), v), most)| self.scale.apply_most(w, g, m, v, most));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// torch 2.15:
    /// w = torch.tensor([1.0], requires_grad=True); opt = torch.optim.Adam([w], 1e-3)
    /// for g in (1.0, -2.0, 0.5): w.grad = torch.tensor([g]); opt.step(); print(w.item())
    #[test]
    fn three_steps_equal_pytorch() {
        let w = Var::from_slice(&[1.0f32], 1, &Device::Cpu).unwrap();
        let mut opt = Adam::new(AdamConfig::default(), [("w", &w)].into_iter());
        let expected = [0.999, 0.999_366_1, 0.999_502_8];
        for (g, e) in [1.0, -2.0, 0.5].into_iter().zip(expected) {
            // A loss whose gradient is g.
            let loss = (w.as_tensor() * g).unwrap().sum_all().unwrap();
            opt.step(&loss.backward().unwrap()).unwrap();
            let got = w.to_vec1::<f32>().unwrap()[0];
            assert!((got - e).abs() < 2e-7, "{got} {e}");
        }
    }

    /// A worked example: w₀ = 1, lr 1e-3, β (0.5, 0.9), g = 1, −2, 0.5.
    #[test]
    fn three_amsgrad_steps_equal_the_specification() {
        let w = Var::from_slice(&[1.0f32], 1, &Device::Cpu).unwrap();
        let config = AdamConfig { lr: 1e-3, beta1: 0.5, beta2: 0.9, amsgrad: true, ..AdamConfig::default() };
        let mut opt = Adam::new(config, [("w", &w)].into_iter());
        for (g, e) in [1.0, -2.0, 0.5].into_iter().zip([0.999, 0.999_622_7, 0.999_729]) {
            let loss = (w.as_tensor() * g).unwrap().sum_all().unwrap();
            opt.step(&loss.backward().unwrap()).unwrap();
            let got = w.to_vec1::<f32>().unwrap()[0];
            assert!((got - e).abs() < 2e-7, "{got} {e}");
        }
    }

    #[test]
    fn fused_and_plain_steps_agree() {
        let slot = |amsgrad: bool| {
            let var = Var::from_slice(&[1.0f32, -2.0, 0.5], 3, &Device::Cpu).unwrap();
            let most = if amsgrad { vec![0.2, 0.4, 0.0] } else { Vec::new() };
            Slot { var, m: vec![0.1, 0.0, -0.2], v: vec![0.3, 0.2, 0.0], most }
        };
        let grad = Tensor::from_slice(&[0.4f32, -1.0, 2.0], 3, &Device::Cpu).unwrap();
        let scale = Scale { beta1: 0.9, beta2: 0.999, step_size: 0.01, root: 0.5, eps: 1e-8, decay: 0.1 };
        for amsgrad in [false, true] {
            let (mut a, mut b) = (slot(amsgrad), slot(amsgrad));
            a.fused(&grad, scale).unwrap();
            b.plain(&grad, scale).unwrap();
            let all = |s: &Slot| {
                [s.var.to_vec1::<f32>().unwrap(), s.m.clone(), s.v.clone(), s.most.clone()].concat()
            };
            for (x, y) in all(&a).iter().zip(all(&b)) {
                assert!((x - y).abs() < 1e-6, "{x} {y}");
            }
        }
    }

    #[test]
    fn a_stored_state_continues_bit_for_bit() {
        let run = |split: bool| {
            let w = Var::from_slice(&[1.0f32, -3.0], 2, &Device::Cpu).unwrap();
            let mut opt = Adam::new(AdamConfig::default(), [("w", &w)].into_iter());
            for i in 0..10 {
                if split && i == 5 {
                    let (step, state) = opt.state().unwrap();
                    opt = Adam::new(AdamConfig::default(), [("w", &w)].into_iter());
                    opt.load(step, &state).unwrap();
                }
                let loss = w.as_tensor().sqr().unwrap().sum_all().unwrap();
                opt.step(&loss.backward().unwrap()).unwrap();
            }
            w.to_vec1::<f32>().unwrap()
        };
        assert_eq!(run(false), run(true));
    }
}
