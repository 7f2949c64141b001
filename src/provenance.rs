//! The record of a run that goes into the file it wrote. Does not know how a file stores it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::data::{Dataset, Uns};

/// One run of scx on one file. Holds what can change the numbers: no thread count, path, host or time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The scx that ran.
    pub scx: String,
    /// What it did.
    pub verb: String,
    /// The settings that can change the numbers.
    pub settings: Value,
    /// What was read.
    pub inputs: Vec<Input>,
    /// What came of it.
    pub result: Value,
}

impl Record {
    /// A run of this verb with the settings that can change the numbers.
    pub fn new(verb: &str, settings: Value) -> Self {
        let scx = env!("CARGO_PKG_VERSION").into();
        Self { scx, verb: verb.into(), settings, inputs: Vec::new(), result: Value::Null }
    }

    /// With an input of this many cells and variables. Its bytes are not hashed: reading each once more can take longer
    /// than the work.
    #[must_use]
    pub fn input(self, role: &str, path: &Path, shape: (usize, usize)) -> Self {
        self.hashed_input(role, path, shape, String::new())
    }

    /// With an input and the SHA-256 of its bytes.
    #[must_use]
    pub fn hashed_input(mut self, role: &str, path: &Path, shape: (usize, usize), sha256: String) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.inputs.push(Input { role: role.into(), name, n_obs: shape.0, n_vars: shape.1, sha256 });
        self
    }

    /// With what came of it.
    #[must_use]
    pub fn result(self, result: Value) -> Self {
        Self { result, ..self }
    }
}

/// One input file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// What it was used as.
    pub role: String,
    /// Its name without folders.
    pub name: String,
    /// Cells.
    pub n_obs: usize,
    /// Variables.
    pub n_vars: usize,
    /// SHA-256 of its bytes, hexadecimal; empty where reading every byte once more would cost more than the work.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
}

/// Adds a record to `uns["scx"]["log"]`, behind those that are there.
pub fn append(uns: &mut BTreeMap<String, Uns>, record: &str) {
    fn taken(map: &mut BTreeMap<String, Uns>, key: &str) -> BTreeMap<String, Uns> {
        match map.remove(key) {
            Some(Uns::Map(inner)) => inner,
            _ => BTreeMap::new(),
        }
    }
    let mut scx = taken(uns, "scx");
    scx.insert("version".into(), Uns::String(env!("CARGO_PKG_VERSION").into()));
    let mut log = taken(&mut scx, "log");
    let next = log.keys().filter_map(|k| k.parse::<u64>().ok()).max().map_or(0, |n| n.saturating_add(1));
    log.insert(format!("{next:03}"), Uns::String(record.to_owned()));
    scx.insert("log".into(), Uns::Map(log));
    uns.insert("scx".into(), Uns::Map(scx));
}

/// Adds a record, if there is one, to those of a data set; earlier ones are there already.
pub fn keep(dataset: &mut Dataset, record: Option<&str>) {
    if let Some(record) = record {
        append(&mut dataset.uns, record);
    }
}

/// The records of earlier runs in `uns["scx"]["log"]`, the oldest first.
pub fn records(uns: &BTreeMap<String, Uns>) -> Vec<String> {
    let Some(Uns::Map(scx)) = uns.get("scx") else { return Vec::new() };
    let Some(Uns::Map(log)) = scx.get("log") else { return Vec::new() };
    let text = |u: &Uns| if let Uns::String(s) = u { Some(s.clone()) } else { None };
    log.values().filter_map(text).collect()
}

/// SHA-256 of a file's bytes, hexadecimal. Of a folder: of a line with hash and name for each plain file in it, by name.
///
/// # Errors
/// The operating system's.
pub fn sha256(path: &Path) -> std::io::Result<String> {
    if !path.is_dir() {
        return of_file(path);
    }
    let mut lines = BTreeMap::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            lines.insert(entry.file_name(), of_file(&entry.path())?);
        }
    }
    let mut hash = Sha256::new();
    for (name, digest) in lines {
        hash.update(format!("{digest}  {}\n", name.to_string_lossy()));
    }
    Ok(hex(&hash.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn of_file(path: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        hash.update(&buffer[..n]);
    }
    Ok(hex(&hash.finalize()))
}
