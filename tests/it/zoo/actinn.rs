//! ACTINN against PyTorch (`fixtures/make/torch_actinn.py`).

use std::collections::BTreeMap;

use candle_core::Device;
use scx::progress::Silent;
use scx::rng::Seed;
use scx::zoo::actinn::{Actinn, ActinnConfig};
use scx::zoo::{Batch, BatchSource, Length, Model, Preset, TrainConfig, Trainer};
use serde_json::Value;

use super::activa::{close, list, values, whole};

/// The script's first weights are those of this seed.
const SEED: Seed = Seed(7);

fn expected() -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/expected/torch_actinn.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn filter_steps_and_probabilities_of_every_preset_equal_pytorch() {
    let expected = expected();
    let data = whole(&expected, usize::MAX);
    for preset in Preset::ALL {
        let of = &expected["presets"][preset.name()];
        let config = ActinnConfig {
            hidden: list(&expected["hidden"]).into_iter().map(|h| h as usize).collect(),
            rate_steps: expected["rate_steps"].as_u64().unwrap(),
            ..ActinnConfig::preset(preset, 40, 3)
        };
        let mut model = Actinn::new(config, SEED, &Device::Cpu).unwrap();
        let steps = of["steps"].as_array().unwrap();
        let length = Length::Steps(steps.len() as u64);
        let train = TrainConfig::plain(data.len(), length, ActinnConfig::adam(preset));
        let mut trainer = Trainer::new(&model, train, SEED);
        for (k, step) in steps.iter().enumerate() {
            trainer.run(&mut model, &data, Some(k as u64 + 1), &Silent).unwrap();
            for (name, loss) in step["losses"].as_object().unwrap() {
                let &(at, got) = trainer.state().parts[name].history.last().unwrap();
                let torch = loss.as_f64().unwrap();
                assert_eq!(at, k as u64 + 1);
                assert!((got - torch).abs() <= 1e-5 * torch, "{preset:?} {name} of step {at}: {got} {torch}");
            }
            let vars: BTreeMap<&str, _> = model.params().iter().collect();
            let tensors = step["tensors"].as_object().unwrap();
            assert_eq!(vars.keys().filter(|n| !n.ends_with("kept")).count(), tensors.len());
            for (name, torch) in tensors {
                let what = format!("{preset:?} {name} after step {}", k + 1);
                close(&values(vars[name.as_str()]), &list(torch), 1e-5, &what);
            }
        }
        let left = list(&of["kept"]);
        match model.params().iter().find(|(n, _)| *n == "actinn.kept") {
            Some((_, kept)) => {
                let kept = values(kept);
                let got: Vec<f64> = (0..40).filter(|&g| kept[g] == 1.0).map(|g| g as f64).collect();
                assert_eq!(got, left, "{preset:?}");
                assert!(left.len() < 40);
            }
            None => assert_eq!((left.len(), preset), (40, Preset::Default)),
        }
        let Batch::Counts(all) = data.batch(&[], &Device::Cpu).unwrap() else { panic!() };
        let got = model.as_classify().unwrap().probabilities(&all).unwrap();
        close(&got.iter().copied().collect::<Vec<_>>(), &list(&of["probabilities"]), 1e-5, "probabilities");
    }
}
