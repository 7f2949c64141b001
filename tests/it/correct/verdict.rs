//! The verdict through the program, on experiments whose truth is known.

use ndarray::{Array2, Axis};
use scx::data::{Column, Dataset, Dense, Frame, Index, Matrix, Values};
use scx::rng::Seed;
use scx::simulate::drift::{DRIFT, DriftExperiment};
use serde_json::{Value, json};

use crate::support::{self, Dir, FILES, RUNS};

const MARKERS: [&str; 10] = ["CD45", "CD3", "CD4", "CD8", "CD19", "CD56", "CD14", "HLA-DR", "CD123", "CD95"];

/// Cells on the scale arcsinh(x / 5) as raw values of stained channels.
fn dataset(cells: &Array2<f32>) -> Dataset {
    let names: Vec<String> = (1..=10).map(|j| format!("Ch{j:02}Di")).collect();
    let var = Frame::new(Index::names(names.clone()))
        .with("marker", Column::Strings(MARKERS.map(String::from).to_vec()))
        .with("channel", Column::Strings(names));
    let mut d = Dataset::new(Frame::new(Index::Range(cells.nrows())), var);
    let raw = cells.iter().map(|v| 5.0 * v.sinh()).collect();
    d.x = Some(Matrix::Dense(Dense::new(cells.nrows(), 10, Values::F32(raw)).unwrap()));
    d
}

/// A folder with the controls `c1.fcs` and `c2.fcs`, a second pair `d1.fcs` and `d2.fcs`, and the sample `s.fcs`.
fn drifted() -> (Dir, DriftExperiment) {
    let (dir, e) = (Dir::new(), DriftExperiment::new(Seed(5), DRIFT));
    let second = DriftExperiment::new(Seed(6), DRIFT);
    for (name, cells) in [
        ("c1.fcs", &e.source),
        ("c2.fcs", &e.target),
        ("d1.fcs", &second.source),
        ("d2.fcs", &second.target),
        ("s.fcs", &e.sample),
    ] {
        dir.save(name, &dataset(cells));
    }
    (dir, e)
}

fn verdict(dir: &Dir, args: &str) -> Value {
    dir.scx(&format!("{args} -o o.fcs --force --json -q")).ok().json()["verdict"].clone()
}

fn level(v: &Value, right: &str, says: &str) {
    let text = v["text"].as_str().unwrap();
    assert!(v["level"] == right && text.contains(says), "{right}, {says:?}: {v:#}");
}

#[test]
fn a_correction_that_works_is_good_with_and_without_a_held_out_control() {
    let (dir, _) = drifted();
    for method in ["ambient", "neuron-edit --steps 300"] {
        let v = verdict(&dir, &format!("{FILES} --method {method}"));
        level(&v, "good", "use the corrected files");
        let of = |key: &str| v["halves"][key].as_f64().unwrap();
        assert!(of("after") < 0.5 * of("before") && of("noise") < 0.3 * of("before"), "{v:#}");
        assert_eq!(
            (&v["recommended"], &v["no_evidence"], &v["runs"]),
            (&Value::Null, &json!([]), &json!([]))
        );
    }
    let v = verdict(&dir, &format!("{FILES} --method ambient --holdout d1.fcs d2.fcs"));
    level(&v, "good", "held-out control");
    assert_eq!(v["recommended"], "ambient");
}

#[test]
fn the_table_shows_the_distance_of_unseen_halves_and_the_page_the_level() {
    let (dir, _) = drifted();
    let run = dir.scx(&format!("{FILES} -o o.fcs --method ambient --report r.html")).ok();
    for word in ["EMD of unseen controls", "follows", "* ambient", "use the corrected files"] {
        assert!(run.stdout.contains(word), "no {word} in {}", run.stdout);
    }
    let html = String::from_utf8(dir.bytes("r.html")).unwrap();
    assert!(html.contains("Verdict: good") && html.contains("<section id=\"verdict\" class=\"good\">"));
}

#[test]
fn a_method_that_moves_nothing_is_bad() {
    let (dir, _) = drifted();
    let v = verdict(&dir, &format!("{FILES} --method none"));
    level(&v, "bad", "do not use this result");
}

#[test]
fn swapped_controls_are_bad_when_an_independent_pair_tells() {
    let (dir, _) = drifted();
    let args = "correct --spikein c2.fcs c1.fcs --sample s.fcs --holdout d1.fcs d2.fcs --method ambient";
    let v = verdict(&dir, args);
    level(&v, "bad", "use the files as they are");
    assert_eq!(v["recommended"], "none");
}

#[test]
fn controls_that_are_alike_leave_nothing_to_correct() {
    let (dir, e) = drifted();
    let (a, b) = e.source.view().split_at(Axis(0), 750);
    dir.save("c1.fcs", &dataset(&a.to_owned()));
    dir.save("c2.fcs", &dataset(&b.to_owned()));
    let v = verdict(&dir, &format!("{FILES} --method ambient"));
    level(&v, "caution", "nothing to correct, use the files as they are");
    assert_eq!(v["recommended"], "none");
}

#[test]
fn a_marker_that_only_the_sample_has_is_named() {
    let (dir, e) = drifted();
    // A fifth of the sample expresses CD123 above anything in the controls.
    let mut sample = e.sample.clone();
    sample.column_mut(8).iter_mut().step_by(5).for_each(|v| *v = 7.0);
    dir.save("s.fcs", &dataset(&sample));
    let v = verdict(&dir, &format!("{FILES} --method ambient"));
    assert_eq!(v["no_evidence"], json!(["CD123"]));
    level(&v, "good", "no evidence about CD123");
    let scores = dir.scx(&format!("{FILES} -o o.fcs --force --method ambient --json -q")).ok().json();
    assert_eq!(scores["scores"][0]["no_evidence"], json!(["CD123"]));
}

#[test]
fn every_run_of_an_annotated_file_has_a_level_of_its_own() {
    let dir = support::annotated();
    let json = dir.scx(&format!("{RUNS} --reference run2 --method ambient -o o.h5ad --json -q")).ok().json();
    let runs = json["verdict"]["runs"].as_array().unwrap();
    let names: Vec<&Value> = runs.iter().map(|r| &r[0]).collect();
    assert_eq!(names, ["run1", "run3"], "{runs:?}");
    assert!(runs.iter().all(|r| ["good", "caution", "bad"].contains(&r[1].as_str().unwrap())), "{runs:?}");
}
