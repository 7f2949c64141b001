//! `--only`, methods that need no network, and stored edits without one.

use serde_json::{Value, json};

use crate::support::{self, Dir, FILES, RUNS, layer, x};

fn bits(dir: &Dir, name: &str) -> ndarray::Array2<u64> {
    x(dir, name).mapv(f64::to_bits)
}

fn json_of(dir: &Dir, args: &str) -> Value {
    dir.scx(&format!("{args} --json -q")).ok().json()
}

#[test]
fn only_gives_the_same_values_and_no_rivals_scores_or_verdict() {
    let dir = support::files();
    for (method, trained) in [("ambient", false), ("neuron-edit", true)] {
        let args = format!("{FILES} --steps 20 --method {method}");
        let all = dir.scx(&format!("{args} -o all.fcs --force")).ok();
        assert!(all.stdout.contains("* ") && !all.stdout.contains("--only"), "{}", all.stdout);
        let said = dir.scx(&format!("{args} -o only.fcs --force --only")).ok();
        let line =
            format!("only {method} was applied (--only): there are no rivals, no scores and no verdict");
        assert!(said.stdout.contains(&line), "{}", said.stdout);
        for word in ["mean-shift", "EMD", "s.fcs: 120 cells", "use the corrected files"] {
            assert!(!said.stdout.contains(word), "{word} in {}", said.stdout);
        }
        assert_eq!(bits(&dir, "all.fcs"), bits(&dir, "only.fcs"), "{method}");
        let json = json_of(&dir, &format!("{args} -o only.fcs --force --only"));
        assert_eq!((&json["only"], &json["verdict"]), (&json!(true), &Value::Null));
        assert_eq!((&json["scores"], &json["method"]), (&json!([]), &json!(method)));
        assert_eq!(json["training"].is_object(), trained, "{method}: {}", json["training"]);
    }
}

#[test]
fn a_page_and_a_model_of_only_one_method_say_so() {
    let dir = support::files();
    dir.scx(&format!("{FILES} -o o.fcs --only --method ambient --report r.html --save-model edit")).ok();
    let html = String::from_utf8(dir.bytes("r.html")).unwrap();
    assert!(
        html.contains("Only ambient was applied (--only)") && html.contains("Verdict: none"),
        "no word of it"
    );
    assert!(html.contains("<svg") && !html.contains("mean-shift"), "figures stay, rivals go");
    assert!(dir.names().contains(&"edit/model.json".into()));
}

#[test]
fn only_corrects_the_runs_of_an_annotated_file() {
    let dir = support::annotated();
    dir.scx(&format!("{RUNS} -o all.h5ad --method ambient")).ok();
    let run = dir.scx(&format!("{RUNS} -o only.h5ad --method ambient --only")).ok();
    assert!(run.stdout.contains("no verdict"), "{}", run.stdout);
    let of = |name| layer(&dir, name, "scx_correct").mapv(f64::to_bits);
    assert_eq!(of("all.h5ad"), of("only.h5ad"));
}

#[test]
fn methods_on_markers_train_nothing_and_are_scored_with_those_that_were_learnt() {
    let dir = support::files();
    for method in ["ambient", "mean-shift", "none"] {
        let json = json_of(&dir, &format!("{FILES} -o o.fcs --force --method {method}"));
        assert_eq!(json["training"], Value::Null, "{method}");
        let rows = json["scores"][0]["methods"].as_array().unwrap();
        let names: Vec<&str> = rows.iter().map(|m| m["method"].as_str().unwrap()).collect();
        assert_eq!(names, ["ambient", "mean-shift", "none"], "{method}");
        assert!(json["verdict"]["level"].is_string(), "{method}: {}", json["verdict"]);
    }
    let json = json_of(&dir, &format!("{FILES} -o o.fcs --force --method constant-shift --steps 20"));
    assert_eq!(json["training"]["steps"], 20);
    assert_eq!(json["scores"][0]["methods"].as_array().unwrap().len(), 5);
}

#[test]
fn an_edit_without_a_network_is_stored_applied_and_refuses_methods_on_neurons() {
    let dir = support::files();
    dir.scx(&format!("{FILES} -o direct.fcs --method ambient --save-model edit")).ok();
    let model: Value = serde_json::from_slice(&dir.bytes("edit/model.json")).unwrap();
    assert_eq!((&model["kind"], &model["fitted"]["method"]), (&json!("marker_maps"), &json!("ambient")));
    let json = json_of(&dir, "correct --model-dir edit --sample s.fcs -o again.fcs");
    assert_eq!((&json["method"], &json["training"]), (&json!("ambient"), &Value::Null));
    // There are no controls to judge by.
    assert_eq!(json["verdict"]["level"], "caution");
    assert_eq!(bits(&dir, "direct.fcs"), bits(&dir, "again.fcs"));
    // The other method on markers was learnt along with it.
    dir.scx("correct --model-dir edit --sample s.fcs -o other.fcs --method mean-shift --only").ok();
    dir.scx(&format!("{FILES} -o shifted.fcs --method mean-shift --only")).ok();
    assert_eq!(bits(&dir, "other.fcs"), bits(&dir, "shifted.fcs"));
    for method in ["neuron-edit", "constant-shift"] {
        for only in ["", " --only"] {
            let args = format!("correct --model-dir edit --sample s.fcs -o no.fcs --method {method}{only}");
            dir.refuses(
                2,
                &args,
                &["no network was trained", &format!("learn an edit with --method {method}")],
            );
        }
    }
}

#[test]
fn a_stored_edit_brings_its_method_and_another_can_be_asked_for() {
    let dir = support::files();
    dir.scx(&format!("{FILES} -o a.fcs --steps 20 --method constant-shift --save-model edit")).ok();
    let stored = "correct --model-dir edit --sample s.fcs";
    assert_eq!(json_of(&dir, &format!("{stored} -o b.fcs"))["method"], "constant-shift");
    assert_eq!(bits(&dir, "a.fcs"), bits(&dir, "b.fcs"));
    assert_eq!(json_of(&dir, &format!("{stored} -o c.fcs --method ambient"))["method"], "ambient");
    dir.scx(&format!("{FILES} -o d.fcs --method ambient")).ok();
    assert_eq!(bits(&dir, "c.fcs"), bits(&dir, "d.fcs"));
}
