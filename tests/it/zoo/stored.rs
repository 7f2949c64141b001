//! Stored models: the same output after loading, and strict loading of folders that do not fit.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Tensor, safetensors};
use scx::correct::{self, FitPlan, Fitted, Method, Preset, Zeros};
use scx::progress::Silent;
use serde_json::{Value, json};

use super::{SCALE, bits, fitted, many_cells, plan, simulated, tensor_bits, weight_bits};

#[test]
fn a_loaded_correction_gives_the_same_output_bit_for_bit() {
    let cells = many_cells();
    for preset in [Preset::Paper, Preset::Default] {
        let before = fitted(preset, 30);
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("edit");
        before.save(&dir, false).unwrap();
        let after = Fitted::load(&dir).unwrap();
        assert_eq!(after.runs, before.runs, "{preset:?}: every number of the maps");
        assert_eq!((&after.plan, &after.markers), (&before.plan, &before.markers));
        let network =
            |f: &Fitted| f.network.as_ref().map(|n| (weight_bits(&n.model), n.trainer.state().clone()));
        assert_eq!(network(&after), network(&before));
        let moments =
            |f: &Fitted| tensor_bits(&f.network.as_ref().unwrap().trainer.optimiser_state().unwrap());
        assert_eq!(moments(&after), moments(&before));
        for method in Method::ALL {
            let out = |f: &Fitted| bits(f.apply(&f.runs[0], method, cells.view()).unwrap().values);
            assert!(out(&before) == out(&after), "{preset:?}: {}", method.name());
        }
    }
}

/// An edit that was learnt for a method on markers: no network was trained.
fn without_network() -> Fitted {
    let (experiment, markers) = simulated();
    let plan = FitPlan { method: Method::Ambient, ..plan(Preset::Default, &[24, 8], 30) };
    correct::fit(&experiment, markers, SCALE, plan, &Silent).unwrap()
}

#[test]
fn maps_without_a_network_equal_those_beside_one_and_survive_the_folder() {
    let (beside, alone) = (fitted(Preset::Default, 5), without_network());
    assert!(alone.network.is_none() && alone.runs[0].latent.is_none() && alone.runs[0].joined.is_none());
    assert_eq!(alone.methods(), [Method::Ambient, Method::MeanShift, Method::None]);
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("maps");
    alone.save(&dir, false).unwrap();
    let loaded = Fitted::load(&dir).unwrap();
    assert_eq!((&loaded.runs, loaded.plan.method), (&alone.runs, Method::Ambient));
    let cells = many_cells();
    for method in alone.methods() {
        let out = |f: &Fitted| bits(f.apply(&f.runs[0], method, cells.view()).unwrap().values);
        assert!(out(&loaded) == out(&alone) && out(&alone) == out(&beside), "{}", method.name());
    }
    let refused = loaded.apply(&loaded.runs[0], Method::ConstantShift, cells.view()).unwrap_err().to_string();
    says(&refused, &["constant-shift", "no network was trained", "--method constant-shift"]);
}

#[test]
fn a_description_and_weights_of_different_kinds_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let (maps, network) = (root.path().join("maps"), root.path().join("network"));
    without_network().save(&maps, false).unwrap();
    fitted(Preset::Default, 5).save(&network, false).unwrap();
    let kind = |good: &Path, kind: &str| refusal(good, |d| description(d, |v| v["kind"] = json!(kind)));
    says(&kind(&maps, "neuron_edit"), &["model.json", "config"]);
    says(&kind(&network, "marker_maps"), &["model.json", "the maps of run", "damaged"]);
    let fewer = |v: &mut Value| drop(v["fitted"]["markers"].as_array_mut().unwrap().pop());
    says(&refusal(&maps, |d| description(d, fewer)), &["damaged"]);
    says(&refusal(&maps, |d| description(d, |v| v["var_names"][0] = json!("other"))), &["var_names"]);
    says(&refusal(&maps, |d| description(d, |v| v["fitted"]["zeros"] = json!("drop"))), &["fitted", "drop"]);
}

#[test]
fn an_edit_from_before_zeros_and_methods_were_stored_is_read_as_it_was_then() {
    let root = stored(Preset::Default);
    let dir = root.path().join("edit");
    description(&dir, |v| {
        let learnt = v["fitted"].as_object_mut().unwrap();
        assert!(learnt.remove("zeros").is_some() && learnt.remove("method").is_some());
    });
    let old = Fitted::load(&dir).unwrap();
    assert_eq!((old.plan.zeros, old.plan.method), (Zeros::Move, Method::NeuronEdit));
}

/// What Fitted::load says of a copy of the stored model after `change`.
fn refusal(good: &Path, change: impl FnOnce(&Path)) -> String {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(good).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    change(dir.path());
    let text = match Fitted::load(dir.path()) {
        Ok(_) => panic!("loaded"),
        Err(e) => e.to_string(),
    };
    assert!(text.starts_with(dir.path().to_str().unwrap()), "the folder is named: {text}");
    text
}

fn description(dir: &Path, change: impl FnOnce(&mut Value)) {
    let path = dir.join("model.json");
    let mut value: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut value);
    fs::write(&path, value.to_string()).unwrap();
}

fn tensors(dir: &Path, name: &str, change: impl FnOnce(&mut HashMap<String, Tensor>)) {
    let path = dir.join(name);
    let mut map = safetensors::load(&path, &Device::Cpu).unwrap();
    change(&mut map);
    fs::remove_file(&path).unwrap();
    safetensors::save(&map, &path).unwrap();
}

fn stored(preset: Preset) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fitted(preset, 10).save(&dir.path().join("edit"), false).unwrap();
    dir
}

const BIAS: &str = "autoencoder.encoder.1.bias";

fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is missing from: {text}");
    }
}

#[test]
fn weights_that_do_not_fit_are_refused_by_name() {
    let root = stored(Preset::Paper);
    let good = root.path().join("edit");
    let weights = |change: &dyn Fn(&mut HashMap<String, Tensor>)| {
        refusal(&good, |d| tensors(d, "weights.safetensors", change))
    };
    let zeros = |n: usize, dtype| Tensor::zeros(n, dtype, &Device::Cpu).unwrap();
    let missing = weights(&|m| drop(m.remove(BIAS)));
    says(&missing, &["weights.safetensors", BIAS, "missing"]);
    let spare = weights(&|m| drop(m.insert("autoencoder.more".into(), zeros(3, DType::F32))));
    says(&spare, &["weights.safetensors", "autoencoder.more", "not part of this model"]);
    let shape = weights(&|m| drop(m.insert(BIAS.into(), zeros(9, DType::F32))));
    says(&shape, &["weights.safetensors", BIAS, "[9]", "[8]"]);
    let kind = weights(&|m| drop(m.insert(BIAS.into(), zeros(8, DType::F64))));
    says(&kind, &["weights.safetensors", BIAS]);
    let nan = Tensor::from_slice(&[f32::NAN; 8], 8, &Device::Cpu).unwrap();
    says(&weights(&|m| drop(m.insert(BIAS.into(), nan.clone()))), &["weights.safetensors", BIAS]);
    let gone = refusal(&good, |d| fs::remove_file(d.join("weights.safetensors")).unwrap());
    says(&gone, &["weights.safetensors"]);
}

#[test]
fn an_optimiser_state_that_does_not_fit_is_refused_by_name() {
    let root = stored(Preset::Paper);
    let good = root.path().join("edit");
    let optimiser = |change: &dyn Fn(&mut HashMap<String, Tensor>)| {
        refusal(&good, |d| tensors(d, "optimizer.safetensors", change))
    };
    let moment = format!("autoencoder/m/{BIAS}");
    let zeros = |n: usize| Tensor::zeros(n, DType::F32, &Device::Cpu).unwrap();
    says(&optimiser(&|m| drop(m.remove("autoencoder/steps"))), &["optimizer.safetensors"]);
    says(&optimiser(&|m| drop(m.remove(&moment))), &["optimizer.safetensors"]);
    says(&optimiser(&|m| drop(m.insert(moment.clone(), zeros(9)))), &["optimizer.safetensors", BIAS]);
    says(&optimiser(&|m| drop(m.insert("other/m/x".into(), zeros(1)))), &["optimizer.safetensors"]);
}

#[test]
fn a_description_that_does_not_fit_is_refused() {
    let root = stored(Preset::Default);
    let good = root.path().join("edit");
    let file = |change: &dyn Fn(&mut Value)| refusal(&good, |d| description(d, change));
    says(&file(&|v| v["format_version"] = json!(2)), &["model.json", "format 2", "format 1"]);
    says(&file(&|v| v["format_version"] = json!("x")), &["model.json", "format_version"]);
    says(&file(&|v| v["kind"] = json!("scvi")), &["model.json", "scvi"]);
    says(&file(&|v| v["spare"] = json!(1)), &["model.json", "spare"]);
    says(&file(&|v| drop(v.as_object_mut().unwrap().remove("seed"))), &["model.json", "seed"]);
    says(&file(&|v| v["config"]["spare"] = json!(1)), &["model.json", "config", "spare"]);
    says(&file(&|v| v["fitted"]["runs"] = json!({})), &["model.json", "fitted"]);
    // Sizes that the weights do not have must not be allocated.
    for hidden in [json!([]), json!([0, 8]), json!([25, 8]), json!([1_000_000_000_000_000_u64, 8])] {
        file(&|v| v["config"]["hidden"] = hidden.clone());
    }
    file(&|v| v["config"]["width"] = json!(34));
    file(&|v| drop(v["fitted"]["markers"].as_array_mut().unwrap().pop()));
    file(&|v| v["var_names"][0] = json!("another marker"));
    let garbage = refusal(&good, |d| fs::write(d.join("model.json"), "{\"format_version\": 1,").unwrap());
    says(&garbage, &["model.json"]);
    let bytes = refusal(&good, |d| fs::write(d.join("model.json"), [0xff, 0xfe, 0]).unwrap());
    says(&bytes, &["model.json"]);
    says(&refusal(&good, |d| fs::remove_file(d.join("model.json")).unwrap()), &["model.json"]);
}

#[test]
fn damaged_maps_are_refused_with_the_name_of_their_run() {
    let root = stored(Preset::Default);
    let good = root.path().join("edit");
    let changes: [fn(&mut Value); 12] = [
        |run| drop(run["ambient"].as_array_mut().unwrap().pop()),
        |run| run["ambient"][0]["source"] = json!([]),
        |run| run["ambient"][0]["source"] = json!([1.0, 1.0]),
        |run| run["ambient"][0]["source"][1] = json!(-1e9),
        |run| drop(run["ambient"][0]["target"].as_array_mut().unwrap().pop()),
        |run| drop(run["latent"]["percentiles"].as_array_mut().unwrap().pop()),
        |run| drop(run["latent"]["shift"].as_array_mut().unwrap().pop()),
        |run| drop(run["mean_shift"].as_array_mut().unwrap().pop()),
        |run| drop(run["untouched"].as_array_mut().unwrap().pop()),
        |run| drop(run["joined"]["neurons"].as_array_mut().unwrap().pop()),
        |run| drop(run["joined"]["markers"]["gain"].as_array_mut().unwrap().pop()),
        |run| run["joined"]["guess"]["percentile"][3]["source"] = json!([]),
    ];
    for (k, change) in changes.into_iter().enumerate() {
        let text = refusal(&good, |d| description(d, |v| change(&mut v["fitted"]["runs"][0])));
        assert!(text.contains("model.json") && text.contains("run source"), "change {k}: {text}");
    }
    // JSON has no NaN: it is written as null.
    let null = refusal(&good, |d| description(d, |v| v["fitted"]["runs"][0]["mean_shift"][0] = Value::Null));
    says(&null, &["model.json", "fitted"]);
}

#[test]
fn truncated_and_scrambled_tensors_are_an_error_and_never_a_panic() {
    let root = stored(Preset::Paper);
    let good = root.path().join("edit");
    for name in ["weights.safetensors", "optimizer.safetensors"] {
        let whole = fs::read(good.join(name)).unwrap();
        let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
        for cut in [0, 1, 7, 8, 9, header / 2, header - 1, header, header + 1, whole.len() - 1] {
            says(&refusal(&good, |d| fs::write(d.join(name), &whole[..cut]).unwrap()), &[name]);
        }
        for at in [0, 7, 8, 9, header / 3, header / 2] {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            says(&refusal(&good, |d| fs::write(d.join(name), &bytes).unwrap()), &[name]);
        }
    }
}

#[test]
fn only_a_stored_model_is_ever_replaced_and_only_when_asked() {
    let model = fitted(Preset::Paper, 5);
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("edit");
    model.save(&dir, false).unwrap();
    says(&model.save(&dir, false).unwrap_err().to_string(), &["edit", "--force"]);
    model.save(&dir, true).unwrap();
    let other = root.path().join("data");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("cells.fcs"), "precious").unwrap();
    says(
        &model.save(&other, true).unwrap_err().to_string(),
        &["data", "cells.fcs", "no part of a stored model"],
    );
    assert_eq!(fs::read_to_string(other.join("cells.fcs")).unwrap(), "precious");
    let names = fs::read_dir(root.path()).unwrap().count();
    assert_eq!(names, 2, "nothing temporary is left behind");
}
