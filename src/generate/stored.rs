//! Stored generators: a model's folder (see [`Checkpoint`]) whose `fitted` part says what the data were.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use serde_json::Value;

use super::GenerateError;
use super::description::{Description, checkpoint, json};
use super::simple::{KINDS, Simple};
use super::trained::{Maker, Trained};
use crate::data::counts::Place;
use crate::data::{Frame, GeneNames};
use crate::loader::Labels;
use crate::zoo::{Checkpoint, FORMAT_VERSION, ModelFile, TrainState, ZooError, entry};

impl Trained {
    /// Whether a folder holds the state of a training that did not come to its end.
    pub fn is_unfinished(dir: &Path) -> bool {
        Checkpoint::load(dir).is_ok_and(|c| c.file.fitted.get("finished") == Some(&Value::Bool(false)))
    }

    /// The labels it knows, with one code for each of its training cells.
    pub fn labels(&self) -> Labels {
        let d = &self.description;
        let codes = d.sizes.iter().enumerate().flat_map(|(i, &n)| std::iter::repeat_n(i as u32, n)).collect();
        Labels {
            kind: d.label_kind,
            by: d.by.clone(),
            ..Labels::new(d.cluster_key.clone(), d.labels.clone(), codes)
        }
    }

    /// The generator for data with the genes `var` at `place`: those it models must all be there, by name or by the names
    /// in a column (`asked`, or one that is found).
    ///
    /// # Errors
    /// [`GenerateError::Input`] that names the missing ones; [`GenerateError::Usage`] when there is no such column.
    pub fn onto(
        mut self,
        var: &Frame,
        place: &Place,
        asked: Option<&str>,
    ) -> Result<(Self, GeneNames), GenerateError> {
        let modelled = self.description.modelled();
        let names =
            GeneNames::find(var, &modelled, asked).map_err(|e| GenerateError::usage(e.to_string()))?;
        let at = names.places();
        let missing: Vec<&str> =
            modelled.iter().map(String::as_str).filter(|g| !at.contains_key(g)).collect();
        if !missing.is_empty() {
            let first = missing.iter().take(5).copied().collect::<Vec<_>>().join(", ");
            return Err(GenerateError::input(format!(
                "{} of the {} genes the model was trained on are not in this file ({first}{}); \
                 take the file it was trained on, or train on this one",
                missing.len(),
                modelled.len(),
                if missing.len() > 5 { ", …" } else { "" }
            )));
        }
        self.description.kept = modelled.iter().filter_map(|g| at.get(g.as_str()).copied()).collect();
        self.description.genes = var.index.iter().map(|n| n.into_owned()).collect();
        self.description.place = place.clone();
        Ok((self, names))
    }

    /// Writes the generator's folder, whole or not at all.
    ///
    /// # Errors
    /// [`GenerateError`] when the folder cannot be written.
    pub fn save(&self, dir: &Path, force: bool) -> Result<(), GenerateError> {
        let stored = match &self.maker {
            Maker::Network(model) => {
                let state = self.state.clone().unwrap_or_default();
                checkpoint(&self.description, model.as_ref(), self.train, self.seed, &state, None)?
            }
            Maker::Simple(simple) => {
                let description =
                    Description { sampler: json(simple)?, finished: true, ..self.description.clone() };
                let file = ModelFile {
                    format_version: FORMAT_VERSION,
                    scx_version: env!("CARGO_PKG_VERSION").into(),
                    kind: description.kind.clone(),
                    config: Value::Null,
                    var_names: description.modelled(),
                    train: self.train,
                    seed: self.seed,
                    state: TrainState::default(),
                    fitted: json(&description)?,
                };
                Checkpoint { file, weights: BTreeMap::new(), optimiser: None }
            }
        };
        Ok(stored.save(dir, force)?)
    }

    /// Reads a generator's folder.
    ///
    /// # Errors
    /// [`GenerateError`] when it is no stored generator, unfinished, or its parts do not fit together.
    pub fn load(dir: &Path) -> Result<Self, GenerateError> {
        let bad = |what: String| ZooError::Checkpoint { path: dir.to_owned(), what };
        let Checkpoint { file, weights, .. } = Checkpoint::load(dir)?;
        if !KINDS.iter().any(|k| k.0 == file.kind) && entry(&file.kind).is_none_or(|e| e.counted.is_none()) {
            return Err(bad(format!(
                "holds a model of kind {}, which neither makes nor labels cells",
                file.kind
            ))
            .into());
        }
        let description: Description =
            serde_json::from_value(file.fitted).map_err(|e| bad(format!("model.json: fitted: {e}")))?;
        if !description.finished {
            return Err(bad("its training did not come to the end; go on with --resume".into()).into());
        }
        let ordered = description.kept.windows(2).all(|w| w[0] < w[1])
            && description.kept.last().is_none_or(|&g| g < description.genes.len());
        if !ordered
            || description.kept.len() != file.var_names.len()
            || description.labels.len() != description.sizes.len()
            || description.by.as_ref().is_some_and(|b| b.parts.len() != description.labels.len())
        {
            return Err(bad("model.json: genes, labels or their numbers contradict each other".into()).into());
        }
        let maker = match entry(&file.kind).and_then(|e| e.counted) {
            Some(counted) => {
                check_sizes(&file.config, &description, &weights).map_err(bad)?;
                let wrong = |e: ZooError| bad(format!("model.json: {e}"));
                let model = (counted.build)(file.config, description.learnt.clone(), file.seed, &Device::Cpu)
                    .map_err(wrong)?;
                model.params().load(&weights).map_err(|e| bad(format!("weights.safetensors: {e}")))?;
                Maker::Network(model)
            }
            None => Maker::Simple(
                serde_json::from_value::<Simple>(description.sampler.clone())
                    .map_err(|e| bad(format!("model.json: sampler: {e}")))?,
            ),
        };
        let state = matches!(maker, Maker::Network(_)).then_some(file.state);
        Ok(Self { maker, description, state, train: file.train, seed: file.seed, changes: Vec::new() })
    }
}

/// Sizes come from a file: none is allocated that the stored weights do not have.
fn check_sizes(
    config: &Value,
    description: &Description,
    weights: &BTreeMap<String, Tensor>,
) -> Result<(), String> {
    let stored: usize = weights.values().map(Tensor::elem_count).sum();
    let mut numbers = Vec::new();
    walk(config, &mut numbers);
    walk(&description.learnt, &mut numbers);
    match numbers.iter().find(|&&n| n > stored as f64 && n > 1e6) {
        Some(n) => Err(format!("model.json: a size of {n}, but weights.safetensors holds {stored} numbers")),
        None => Ok(()),
    }
}

/// All numbers in a value.
fn walk(value: &Value, out: &mut Vec<f64>) {
    match value {
        Value::Number(n) => out.extend(n.as_f64()),
        Value::Array(a) => a.iter().for_each(|v| walk(v, out)),
        // Library sizes and schedules are no sizes of networks.
        Value::Object(o) => {
            let sizes = o.iter().filter(|(k, _)| !["library", "quantiles", "rate"].contains(&k.as_str()));
            sizes.for_each(|(_, v)| walk(v, out));
        }
        _ => {}
    }
}
