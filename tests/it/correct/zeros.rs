//! Exact zeros of mass cytometry: kept or moved, and counted.

use ndarray::Array2;
use serde_json::Value;

use crate::support::{self, Dir, FILES, x};

/// The usual files, as a mass cytometer without randomisation gives them.
fn counted() -> Dir {
    files_of(|v| if v < 2.5 { 0.0 } else { v.round() })
}

/// The usual files with every value changed.
fn files_of(change: impl Fn(f32) -> f32) -> Dir {
    let (dir, e) = (support::files(), support::experiment());
    for (name, cells) in [("c1.fcs", &e.control[0]), ("c2.fcs", &e.control[1]), ("s.fcs", &e.sample[0])] {
        let mut cells = cells.clone();
        cells.values.mapv_inplace(&change);
        dir.save(name, &cells.dataset());
    }
    dir
}

/// Values of the 35 markers.
fn markers(dir: &Dir, name: &str) -> Array2<f64> {
    x(dir, name).slice(ndarray::s![.., ..35]).to_owned()
}

fn share(x: &Array2<f64>) -> f64 {
    x.iter().filter(|v| **v == 0.0).count() as f64 / x.len() as f64
}

#[test]
fn kept_zeros_are_zero_to_the_bit_and_all_other_values_move_alike() {
    let dir = counted();
    let was = markers(&dir, "s.fcs");
    assert!((0.3..0.9).contains(&share(&was)), "{}", share(&was));
    for method in ["neuron-edit", "constant-shift", "ambient", "mean-shift"] {
        let args = format!("{FILES} --force --only --steps 20 --method {method}");
        dir.scx(&format!("{args} -o keep.fcs --zeros keep")).ok();
        dir.scx(&format!("{args} -o move.fcs --zeros move")).ok();
        let (keep, moved) = (markers(&dir, "keep.fcs"), markers(&dir, "move.fcs"));
        for ((at, a), (k, m)) in was.indexed_iter().zip(keep.iter().zip(&moved)) {
            let right = if *a == 0.0 { 0.0_f64.to_bits() } else { m.to_bits() };
            assert_eq!(k.to_bits(), right, "{method}, {at:?}: {a} → {k}, moved {m}");
        }
        // Were zeros not moved by `move`, the two rules would be one.
        assert_ne!(keep, moved, "{method}");
    }
}

#[test]
fn zeros_are_counted_before_after_and_in_the_target_control() {
    let dir = counted();
    let target = share(&markers(&dir, "c2.fcs"));
    let before = share(&markers(&dir, "s.fcs"));
    for rule in ["keep", "move"] {
        let args = format!("{FILES} -o o.fcs --force --method mean-shift --zeros {rule}");
        let run = dir.scx(&args).ok();
        let after = share(&markers(&dir, "o.fcs"));
        assert_eq!(after > 0.5 * before, rule == "keep", "{after} of {before}");
        let p = |share: f64| format!("{:.1} %", 100.0 * share);
        let line = format!(
            "exact zeros: {} of the sample's values before, {} after, {} of the target control",
            p(before),
            p(after),
            p(target)
        );
        assert!(run.stdout.contains(&line), "no {line:?} in {}", run.stdout);
        let json = dir.scx(&format!("{args} --json -q")).ok().json();
        assert_eq!(json["zeros"], rule);
        let score = &json["scores"][0];
        let near = |v: &Value, right: f64| {
            let v = v.as_f64().unwrap();
            assert!((v - right).abs() < 1e-9, "{v} for {right}");
        };
        near(&score["zeros"][0], before);
        near(&score["zeros"][1], target);
        let row = score["methods"].as_array().unwrap().iter().find(|m| m["method"] == "mean-shift").unwrap();
        near(&row["zeros"], after);
    }
}

#[test]
fn the_rule_is_part_of_a_stored_edit() {
    let dir = counted();
    dir.scx(&format!("{FILES} -o a.fcs --method mean-shift --zeros keep --save-model edit")).ok();
    let stored = "correct --model-dir edit --sample s.fcs";
    let json = dir.scx(&format!("{stored} -o b.fcs --json -q")).ok().json();
    assert_eq!(json["zeros"], "keep");
    assert_eq!(markers(&dir, "a.fcs"), markers(&dir, "b.fcs"));
    dir.refuses(2, &format!("{stored} -o c.fcs --zeros move"), &["--zeros", "part of the stored edit"]);
}

#[test]
fn cells_without_zeros_are_told_nothing_about_them() {
    let dir = files_of(|v| v.max(0.5));
    let run = dir.scx(&format!("{FILES} -o o.fcs --method ambient")).ok();
    assert!(!run.stdout.contains("exact zeros"), "{}", run.stdout);
}
