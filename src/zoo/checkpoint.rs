//! A stored model: one folder with `model.json`, `weights.safetensors` and, when training may go on,
//! `optimizer.safetensors`. Carries recipe and fitted maps as plain JSON, unread.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use candle_core::{Device, Tensor, safetensors};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{TrainConfig, TrainState, ZooError};
use crate::rng::Seed;

/// Version of the folder's layout.
pub const FORMAT_VERSION: u32 = 1;

/// What `model.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Version of the folder's layout.
    pub format_version: u32,
    /// The scx that wrote it.
    pub scx_version: String,
    /// Which model; whoever loads it says whether that is one of its own.
    pub kind: String,
    /// The model's own settings.
    pub config: Value,
    /// Names of the variables it takes, in order.
    pub var_names: Vec<String>,
    /// How it was trained.
    pub train: TrainConfig,
    /// The seed of everything random.
    pub seed: Seed,
    /// Where training stands.
    pub state: TrainState,
    /// What the job around the model learnt: the recipe, fitted maps, settings.
    pub fitted: Value,
}

/// A stored model in memory.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// Everything but tensors.
    pub file: ModelFile,
    /// The weights by name.
    pub weights: BTreeMap<String, Tensor>,
    /// The optimisers' state, when training may go on.
    pub optimiser: Option<BTreeMap<String, Tensor>>,
}

const MODEL: &str = "model.json";
const WEIGHTS: &str = "weights.safetensors";
const OPTIMISER: &str = "optimizer.safetensors";

impl Checkpoint {
    /// Writes the folder, whole or not at all. An existing folder is replaced only with `force`, and only when it
    /// holds a stored model.
    ///
    /// # Errors
    /// [`ZooError::Checkpoint`] with the reason.
    pub fn save(&self, dir: &Path, force: bool) -> Result<(), ZooError> {
        let fail = |what: String| ZooError::Checkpoint { path: dir.to_owned(), what };
        let io = |e: std::io::Error| {
            use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
            match e.kind() {
                StorageFull | QuotaExceeded | FileTooLarge => ZooError::Full { path: dir.to_owned() },
                _ => fail(format!("cannot write the model: {e}")),
            }
        };
        check_target(dir, force)?;
        let parent = match dir.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        };
        let tmp = tempfile::Builder::new().prefix(".scx-model-").tempdir_in(parent).map_err(io)?;
        let text = serde_json::to_string_pretty(&self.file).map_err(|e| fail(e.to_string()))?;
        fs::write(tmp.path().join(MODEL), text + "\n").map_err(io)?;
        let store = |name: &str, tensors: &BTreeMap<String, Tensor>| {
            // Serialised here and not by candle, which makes files that only their owner may read.
            let bytes = ::safetensors::serialize(tensors, None)
                .map_err(|e| fail(format!("cannot write {name}: {e}")))?;
            fs::write(tmp.path().join(name), bytes).map_err(io)
        };
        store(WEIGHTS, &self.weights)?;
        if let Some(tensors) = &self.optimiser {
            store(OPTIMISER, tensors)?;
        }
        let tmp = tmp.keep();
        if dir.exists() {
            let old = parent.join(format!(".scx-old-{}", std::process::id()));
            fs::rename(dir, &old).map_err(io)?;
            fs::rename(&tmp, dir).map_err(io)?;
            fs::remove_dir_all(&old).map_err(io)?;
        } else {
            fs::rename(&tmp, dir).map_err(io)?;
        }
        Ok(())
    }

    /// Reads the folder.
    ///
    /// # Errors
    /// [`ZooError::Checkpoint`] when something is missing or of another version.
    pub fn load(dir: &Path) -> Result<Self, ZooError> {
        let fail = |path: &Path, what: String| ZooError::Checkpoint { path: path.to_owned(), what };
        let path = dir.join(MODEL);
        let text = fs::read_to_string(&path)
            .map_err(|e| fail(dir, format!("not a stored model: cannot read {MODEL}: {e}")))?;
        let value: Value =
            serde_json::from_str(&text).map_err(|e| fail(&path, format!("not a model description: {e}")))?;
        match value.get("format_version").and_then(Value::as_u64) {
            Some(v) if v == u64::from(FORMAT_VERSION) => {}
            Some(v) => {
                return Err(fail(
                    &path,
                    format!(
                        "written in format {v}, this scx reads format {FORMAT_VERSION}; use the scx that wrote it"
                    ),
                ));
            }
            None => return Err(fail(&path, "no format_version: not a model description".into())),
        }
        let file: ModelFile = serde_json::from_value(value)
            .map_err(|e| fail(&path, format!("not a model description: {e}")))?;
        let tensors = |name: &str| -> Result<BTreeMap<String, Tensor>, ZooError> {
            let path = dir.join(name);
            let map = safetensors::load(&path, &Device::Cpu)
                .map_err(|e| fail(&path, format!("cannot read the tensors: {e}")))?;
            Ok(map.into_iter().collect())
        };
        let weights = tensors(WEIGHTS)?;
        let optimiser = dir.join(OPTIMISER).exists().then(|| tensors(OPTIMISER)).transpose()?;
        Ok(Self { file, weights, optimiser })
    }
}

/// Whether [`Checkpoint::save`] may write there; called before training, so that no work is lost at the end.
///
/// # Errors
/// [`ZooError::Exists`] with what to do.
pub fn check_target(dir: &Path, force: bool) -> Result<(), ZooError> {
    let fail = |what: &str| Err(ZooError::Exists { path: dir.to_owned(), what: what.into() });
    if dir.symlink_metadata().is_err() {
        return Ok(());
    }
    let ours = [MODEL, WEIGHTS, OPTIMISER];
    let others = fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.file_name());
    if let Some(other) =
        others.map(|n| n.to_string_lossy().into_owned()).find(|n| !ours.contains(&n.as_str()))
    {
        return fail(&format!(
            "holds {other}, which is no part of a stored model; give another folder for --save-model"
        ));
    }
    if !dir.join(MODEL).is_file() {
        return fail("exists and holds no stored model; give another folder for --save-model");
    }
    if !force {
        return fail("holds a stored model already; add --force to replace it");
    }
    Ok(())
}
