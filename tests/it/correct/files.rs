//! Separate FCS files in, corrected FCS files out.

use scx::simulate::MARKERS;

use crate::support::{self, FILES, x};

/// Keywords of a file, by name.
fn keyword(dir: &support::Dir, file: &str, name: &str) -> Option<String> {
    let d = dir.open(file);
    d.source.keywords.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone())
}

#[test]
fn the_markers_move_and_everything_else_of_the_sample_stays() {
    let dir = support::files();
    // A file with a history of its own: keywords that are no structure must survive.
    let mut sample = support::experiment().sample[0].dataset();
    sample.source.keywords = vec![("$CYT".into(), "Helios".into()), ("LAB/NOTE".into(), "a/b".into())];
    dir.save("s.fcs", &sample);
    let before = dir.contents();
    let run = dir.scx(&format!("{FILES} -o o.fcs --steps 20")).ok();
    run.says(&["35 markers (stained channels", "CD45, CD3", "wrote o.fcs"]);
    assert!(run.stdout.contains("s.fcs: 120 cells, 35 markers"), "{}", run.stdout);
    for row in ["* neuron-edit", "  constant-shift", "  ambient", "  mean-shift", "  none", "unseen controls"]
    {
        assert!(run.stdout.contains(row), "no {row} in {}", run.stdout);
    }
    let (was, is) = (x(&dir, "s.fcs"), x(&dir, "o.fcs"));
    for (j, name) in MARKERS.iter().enumerate() {
        assert!(was.column(j) != is.column(j), "{name} was not corrected");
        assert!(is.column(j).iter().all(|v| v.is_finite()));
    }
    for j in MARKERS.len()..was.ncols() {
        let same = was.column(j).iter().zip(is.column(j)).all(|(a, b)| a.to_bits() == b.to_bits());
        assert!(same, "channel {j} has changed");
    }
    for name in ["$CYT", "LAB/NOTE", "$P1N", "$P1S", "$TOT"] {
        assert_eq!(keyword(&dir, "o.fcs", name), keyword(&dir, "s.fcs", name), "{name}");
    }
    assert_eq!(keyword(&dir, "o.fcs", "$CYT").as_deref(), Some("Helios"));
    let record = keyword(&dir, "o.fcs", "SCX").expect("the record of the run");
    assert!(record.contains("neuron-edit") && !record.contains(dir.path("").to_str().unwrap()), "{record}");
    let mut expected: Vec<_> = before.into_keys().map(|p| p.to_string_lossy().into_owned()).collect();
    expected.push("o.fcs".into());
    expected.sort();
    assert_eq!(dir.names(), expected);
}

#[test]
fn several_samples_go_into_a_folder_under_their_own_names() {
    let dir = support::files();
    dir.scx("correct --spikein c1.fcs c2.fcs --sample s.fcs t.fcs -o out --steps 20").ok();
    let names = dir.names();
    assert!(names.contains(&"out/s.fcs".into()) && names.contains(&"out/t.fcs".into()), "{names:?}");
    assert_eq!(names.len(), 6 + 3);
    assert_ne!(x(&dir, "out/s.fcs"), x(&dir, "s.fcs"));
    assert_eq!(x(&dir, "out/t.fcs").dim(), x(&dir, "t.fcs").dim());
    // A folder named as one, or there already, takes a single sample too.
    dir.scx(&format!("{FILES} -o new/ --steps 20")).ok();
    dir.scx(&format!("{FILES} -o new --steps 20")).fails(2, &["new/s.fcs", "exists already"]);
    assert!(dir.names().contains(&"new/s.fcs".into()));
}

#[test]
fn the_method_none_changes_no_value() {
    let dir = support::files();
    dir.scx(&format!("{FILES} -o o.fcs --steps 20 --method none")).ok();
    assert_eq!(x(&dir, "o.fcs"), x(&dir, "s.fcs"));
}

#[test]
fn every_method_and_both_presets_run_and_differ() {
    let dir = support::files();
    let all = [
        "neuron-edit --preset paper",
        "neuron-edit --preset default",
        "constant-shift",
        "ambient",
        "mean-shift",
    ];
    let mut seen: Vec<(&str, ndarray::Array2<f64>)> = Vec::new();
    for method in all {
        dir.scx(&format!("{FILES} -o o.fcs --force -q --steps 20 --method {method}")).ok();
        let values = x(&dir, "o.fcs");
        if let Some((same, _)) = seen.iter().find(|(_, v)| *v == values) {
            panic!("{method} gives the values of {same}");
        }
        seen.push((method, values));
    }
}

#[test]
fn mean_shift_moves_every_marker_by_the_difference_of_the_control_means() {
    let dir = support::files();
    dir.scx(&format!("{FILES} -o o.fcs --steps 1 --method mean-shift --zeros move --cofactor 10")).ok();
    let scaled = |name: &str| x(&dir, name).mapv(|v| (v / 10.0).asinh());
    let [source, target, was, is] = ["c1.fcs", "c2.fcs", "s.fcs", "o.fcs"].map(scaled);
    for (j, marker) in MARKERS.iter().enumerate() {
        let mean = |x: &ndarray::Array2<f64>| x.column(j).mean().unwrap();
        let shift = mean(&target) - mean(&source);
        for (a, b) in was.column(j).iter().zip(is.column(j)) {
            assert!((b - a - shift).abs() < 1e-4, "{marker}: {a} → {b}, expected {shift}");
        }
    }
}

#[test]
fn a_held_out_pair_is_scored_and_its_target_teaches_nothing() {
    let dir = support::files();
    let with = |target: &str, out: &str| {
        let args = format!("{FILES} --holdout d1.fcs {target} -o {out} --steps 20 --save-model {out}.model");
        dir.scx(&args).ok()
    };
    let run = with("d2.fcs", "o.fcs");
    for word in ["r_true", "EMD mean", "EMD worst", "held-out control"] {
        assert!(run.stdout.contains(word), "no {word} in {}", run.stdout);
    }
    // Another target: the values and the model must be the same to the byte, the score must not.
    let e = support::experiment();
    dir.save("other.fcs", &support::first(&e.second_control[0], 120));
    let other = with("other.fcs", "p.fcs");
    assert_ne!(run.stdout, other.stdout);
    let raw = |name: &str| x(&dir, name).mapv(f64::to_bits);
    assert_eq!(raw("o.fcs"), raw("p.fcs"));
    for file in ["weights.safetensors", "optimizer.safetensors", "model.json"] {
        let of = |model: &str| dir.bytes(&format!("{model}.model/{file}"));
        assert!(of("o.fcs") == of("p.fcs"), "{file} depends on the held-out target");
    }
    // Its source does join the training.
    dir.scx(&format!("{FILES} -o q.fcs --steps 20 --preset paper")).ok();
    dir.scx(&format!("{FILES} --holdout d1.fcs d2.fcs -o r.fcs --steps 20 --preset paper")).ok();
    assert_ne!(x(&dir, "q.fcs"), x(&dir, "r.fcs"));
}

#[test]
fn a_link_as_output_stays_a_link_and_its_file_is_replaced() {
    let dir = support::files();
    std::fs::create_dir(dir.path("real")).unwrap();
    dir.write("real/kept.fcs", "old");
    std::os::unix::fs::symlink("real/kept.fcs", dir.path("o.fcs")).unwrap();
    dir.refuses(2, &format!("{FILES} -o o.fcs --steps 20"), &["o.fcs: exists already; add --force"]);
    dir.scx(&format!("{FILES} -o o.fcs --steps 20 --force")).ok();
    assert!(dir.path("o.fcs").is_symlink());
    assert_eq!(x(&dir, "real/kept.fcs").nrows(), 120);
}

#[test]
fn a_marker_constant_in_a_control_is_left_as_stored_and_named() {
    let dir = support::files();
    let mut control = support::experiment().control[0].clone();
    let cd4 = MARKERS.iter().position(|m| *m == "CD4").unwrap();
    control.values.column_mut(cd4).fill(3.0);
    dir.save("c1.fcs", &control.dataset());
    let run = dir.scx(&format!("{FILES} -o o.fcs --steps 20")).ok();
    let warning = run.stderr.lines().find(|l| l.starts_with("warning:") && l.contains("constant"));
    assert!(warning.is_some_and(|w| w.contains("CD4") && !w.contains("CD3")), "{}", run.stderr);
    let (was, is) = (x(&dir, "s.fcs"), x(&dir, "o.fcs"));
    assert_eq!(was.column(cd4), is.column(cd4));
    assert_ne!(was.column(cd4 - 1), is.column(cd4 - 1));
}

#[test]
fn few_control_cells_are_a_warning_with_their_number() {
    let dir = support::files();
    dir.save("c1.fcs", &support::first(&support::experiment().control[0], 20));
    let run = dir.scx(&format!("{FILES} -o o.fcs --steps 20")).ok();
    run.says(&["warning: c1.fcs: ", "only 20 cells"]);
    assert!(!run.stderr.contains("warning: c2.fcs"), "{}", run.stderr);
    let quiet = dir.scx(&format!("{FILES} -o p.fcs --steps 20 -q")).ok();
    assert_eq!(quiet.stderr.lines().count(), 1, "quiet keeps warnings and nothing else: {}", quiet.stderr);
}

#[test]
fn an_already_transformed_file_is_corrected_when_its_scale_is_said() {
    let dir = support::files();
    let e = support::experiment();
    for (name, cells) in [("c1.fcs", &e.control[0]), ("c2.fcs", &e.control[1]), ("s.fcs", &e.sample[0])] {
        let mut cells = cells.clone();
        cells.values.mapv_inplace(|v| (v / 5.0).asinh());
        dir.save(name, &cells.dataset());
    }
    let says = ["look transformed already", "--transform none", "--transform arcsinh", "s.fcs"];
    dir.refuses(3, &format!("{FILES} -o o.fcs --steps 20"), &says);
    dir.scx(&format!("{FILES} -o o.fcs --steps 20 --transform none --method mean-shift")).ok();
    let [source, target, was, is] = ["c1.fcs", "c2.fcs", "s.fcs", "o.fcs"].map(|name| x(&dir, name));
    let shift = target.column(0).mean().unwrap() - source.column(0).mean().unwrap();
    assert!((is[(5, 0)] - was[(5, 0)] - shift).abs() < 1e-5);
}
