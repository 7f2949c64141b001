//! Named, sorted, seeded parameters, and strict loading.

use std::collections::{BTreeMap, BTreeSet};

use candle_core::{Device, Tensor, Var};

use super::NnError;
use super::init::Init;
use crate::rng::Seed;

/// Weights of one parameter at most: 8 GiB of them.
const MOST_WEIGHTS: usize = 1 << 31;

/// All parameters of a model, sorted by name. The first part of a name is the parameter's group.
#[derive(Debug, Clone)]
pub struct Params {
    seed: Seed,
    device: Device,
    vars: BTreeMap<String, Var>,
    buffers: BTreeSet<String>,
}

impl Params {
    /// An empty store; every tensor will be seeded from `seed` and its own name, so that the order in which layers
    /// are built does not matter.
    pub fn new(seed: Seed, device: &Device) -> Self {
        Self { seed, device: device.clone(), vars: BTreeMap::new(), buffers: BTreeSet::new() }
    }

    /// The device the parameters live on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Makes the parameter `name` (`group.layer.kind`) of that shape.
    ///
    /// # Errors
    /// [`NnError::Parameter`] when the name is taken.
    pub fn add(&mut self, name: &str, shape: &[usize], init: Init) -> Result<Var, NnError> {
        if self.vars.contains_key(name) {
            return Err(NnError::Parameter { name: name.into(), what: "made twice".into() });
        }
        // Sizes come from settings and stored models: none may ask for more than a machine has.
        let size = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&n| n <= MOST_WEIGHTS);
        if size.is_none() {
            let what = format!(
                "of size {shape:?}, at most {MOST_WEIGHTS} weights are possible; take smaller layers"
            );
            return Err(NnError::Parameter { name: name.into(), what });
        }
        let values = init.draw(shape, &mut self.seed.stream(&format!("init/{name}")));
        let var = Var::from_tensor(&Tensor::from_vec(values, shape, &self.device)?)?;
        self.vars.insert(name.into(), var.clone());
        Ok(var)
    }

    /// Makes the buffer `name`: stored and loaded with the parameters, but not trained, as running averages are.
    ///
    /// # Errors
    /// [`NnError::Parameter`] when the name is taken.
    pub fn add_buffer(&mut self, name: &str, shape: &[usize], init: Init) -> Result<Var, NnError> {
        let var = self.add(name, shape, init)?;
        self.buffers.insert(name.into());
        Ok(var)
    }

    /// All parameters and buffers, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.vars.iter().map(|(k, v)| (k.as_str(), v))
    }

    /// Parameters of one group, sorted by name, without its buffers.
    pub fn group<'a>(&'a self, group: &'a str) -> impl Iterator<Item = (&'a str, &'a Var)> {
        self.iter().filter(move |(k, _)| k.split('.').next() == Some(group) && !self.buffers.contains(*k))
    }

    /// As [`Params::group`], with its buffers.
    pub fn group_with_buffers<'a>(&'a self, group: &'a str) -> impl Iterator<Item = (&'a str, &'a Var)> {
        self.iter().filter(move |(k, _)| k.split('.').next() == Some(group))
    }

    /// Number of single weights that are trained.
    pub fn count(&self) -> usize {
        self.iter().filter(|(k, _)| !self.buffers.contains(*k)).map(|(_, v)| v.elem_count()).sum()
    }

    /// Copies of all tensors.
    ///
    /// # Errors
    /// Candle's.
    pub fn snapshot(&self) -> Result<BTreeMap<String, Tensor>, NnError> {
        self.iter().map(|(k, v)| Ok((k.to_owned(), v.as_tensor().copy()?.detach()))).collect()
    }

    /// Puts stored tensors in place, strictly: no missing tensor, no spare tensor, same shapes and
    /// element types, finite values.
    ///
    /// # Errors
    /// [`NnError::Parameter`] that names the tensor.
    pub fn load(&self, stored: &BTreeMap<String, Tensor>) -> Result<(), NnError> {
        if let Some(name) = stored.keys().find(|k| !self.vars.contains_key(*k)) {
            return Err(NnError::Parameter { name: name.clone(), what: "not part of this model".into() });
        }
        for (name, var) in &self.vars {
            let tensor = stored.get(name).ok_or_else(|| NnError::Parameter {
                name: name.clone(),
                what: "missing from the stored weights".into(),
            })?;
            if tensor.dims() != var.dims() {
                return Err(NnError::Parameter {
                    name: name.clone(),
                    what: format!("stored as {:?}, this model needs {:?}", tensor.dims(), var.dims()),
                });
            }
            if tensor.dtype() != var.dtype() {
                return Err(NnError::Parameter {
                    name: name.clone(),
                    what: format!("stored as {:?}, this model needs {:?}", tensor.dtype(), var.dtype()),
                });
            }
            if !tensor.sum_all()?.to_scalar::<f32>()?.is_finite() {
                return Err(NnError::Parameter {
                    name: name.clone(),
                    what: "holds NaN or infinite values".into(),
                });
            }
            var.set(&tensor.to_device(&self.device)?)?;
        }
        Ok(())
    }
}
