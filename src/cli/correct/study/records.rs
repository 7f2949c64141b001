//! The record in every file of a study, and how it tells which files are done.

use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::cli::correct::how::How;
use crate::cli::correct::show;
use crate::cli::correct::study::plan::{Fate, Study};
use crate::cli::correct::study::survey::Surveyed;
use crate::correct::{self, Marker, Method, Reference};
use crate::io::{self, ReadOptions};
use crate::provenance::{Input, Record};
use crate::recipe::Scale;

/// What the records of all files of a study have in common.
pub(super) struct Records<'a> {
    study: &'a Study,
    settings: Value,
    /// Files that were learnt from: role, row.
    files: &'a [&'a Surveyed],
    /// One hash for everything learnt from that is not named as an input of its own.
    learnt: String,
}

impl<'a> Records<'a> {
    pub(super) fn new(
        study: &'a Study,
        files: &'a [&'a Surveyed],
        markers: &[Marker],
        scale: &Scale,
    ) -> Self {
        let How { method, preset, seed, train, hidden, layer, into_x, compensate, only, zeros, .. } =
            &study.how;
        let settings = json!({
            "method": method,
            "preset": preset,
            "recipe": [scale.common],
            "cofactors": show::cofactors(scale),
            "compensate": compensate,
            "markers": markers.iter().map(|m| &m.name).collect::<Vec<_>>(),
            "train": train,
            "hidden": hidden,
            "seed": seed,
            "layer": layer,
            "into_x": into_x,
            "only": only,
            "zeros": zeros,
            "reference": study.reference.name(),
        });
        Self { study, settings, files, learnt: learnt(study, files) }
    }

    /// The record of one file, without what came of it.
    pub(super) fn of(&self, file: &Surveyed) -> Record {
        let row = &self.study.sheet.rows[file.row];
        let fate = self.study.fate(row);
        let mut settings = self.settings.clone();
        if let Value::Object(map) = &mut settings {
            let obs: serde_json::Map<String, Value> =
                row.obs.iter().map(|(k, v)| (k.clone(), Value::from(v.as_str()))).collect();
            map.insert(
                "study".into(),
                json!({
                    "run": row.run, "control": row.control, "holdout": row.holdout, "cofactor": row.cofactor,
                    "columns": obs, "values": fate.word(), "unanchored": self.study.unanchored,
                    "learnt_from": self.learnt,
                }),
            );
        }
        let mut record = Record::new("correct", settings);
        record.inputs = vec![self.input("sample", file)];
        if fate == Fate::Corrected {
            let controls = self.files.iter().filter(|f| self.study.sheet.rows[f.row].control);
            record.inputs.extend(controls.filter_map(|f| {
                let run = &self.study.sheet.rows[f.row].run;
                let role = if *run == row.run {
                    "source control"
                } else if self.study.reference == Reference::Mean || run == self.study.reference.name() {
                    "target control"
                } else {
                    return None;
                };
                Some(self.input(role, f))
            }));
        }
        record
    }

    fn input(&self, role: &str, file: &Surveyed) -> Input {
        let path = &self.study.sheet.rows[file.row].file;
        Input {
            role: role.into(),
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            n_obs: file.shape.0,
            n_vars: file.shape.1,
            sha256: file.sha256.clone(),
        }
    }
}

/// Everything a method learns from beside the file itself: the controls; for methods that look at samples, too, all files.
fn learnt(study: &Study, files: &[&Surveyed]) -> String {
    let controls_only = matches!(study.how.method, Method::Ambient | Method::MeanShift | Method::None);
    let mut lines: Vec<String> = files
        .iter()
        .filter(|f| !controls_only || study.sheet.rows[f.row].control)
        .map(|f| {
            let row = &study.sheet.rows[f.row];
            format!("{} {} {} {}\n", f.sha256, row.run, row.control, row.holdout)
        })
        .collect();
    lines.sort();
    let mut hash = Sha256::new();
    lines.iter().for_each(|line| hash.update(line.as_bytes()));
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// Whether a file is there that this record says all about: the same settings on the same inputs, and nothing done to it since.
pub(super) fn is_done(path: &Path, record: &Record) -> bool {
    let Ok(codec) = io::detect(path) else { return false };
    let Ok(dataset) = (codec.read)(path, &ReadOptions::default()) else { return false };
    let Some(last) = correct::records(&dataset).pop() else { return false };
    // As text and back: numbers compare as they are stored.
    let Ok(expected) = serde_json::to_value(record) else { return false };
    let key = |v: &Value, k: &str| v.get(k).map(ToString::to_string);
    ["scx", "verb", "settings", "inputs"].iter().all(|k| key(&last, k) == key(&expected, k))
}
