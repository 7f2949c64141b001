//! Cells that scx has made are never taken for real ones, and never lose their mark; corrected files are known.

use scx::data::synthetic::{COLUMN, NAME_PREFIX, mask};
use scx::data::{Column, Dataset, Index, Values};

use crate::generate::{dense, text, toy};
use crate::support::{self, Dir, FILES, RUNS, layer, x};

/// The toy (170 cells) with 20 made cells of its rare kind below, as `more.h5ad`; the toy itself is `cells.h5ad`.
fn augmented() -> Dir {
    let dir = Dir::new();
    dir.save("cells.h5ad", &toy());
    dir.scx("augment cells.h5ad --cluster rare --n 20 --model smote -o more.h5ad").ok();
    dir
}

fn made(d: &Dataset) -> Vec<usize> {
    let made = mask(d).unwrap_or_default();
    (0..made.len()).filter(|&i| made[i]).collect()
}

fn rows(d: &Dataset, rows: std::ops::Range<usize>) -> Vec<Vec<f64>> {
    dense(d.x.as_ref().unwrap())[rows].to_vec()
}

#[test]
fn a_second_run_learns_from_the_real_cells_only_and_keeps_the_marks_of_the_first() {
    let dir = augmented();
    for model in ["nb", "smote", "oversample", "splat", "nb-copula"] {
        let line = format!(
            "--cluster rare --cluster big --n 15 --model {model} --seed 5 --test-fraction 0.3 --json"
        );
        let first = dir.scx(&format!("augment cells.h5ad {line} -o once.h5ad --force")).ok();
        let second = dir.scx(&format!("augment more.h5ad {line} -o twice.h5ad --force")).ok();
        second.says(&["20 cells were made by scx", "170 cells"]);
        let (once, twice) = (dir.open("once.h5ad"), dir.open("twice.h5ad"));
        // The same cells as if those of the first run had not been there, judged by the same evidence.
        assert_eq!(rows(&once, 170..200), rows(&twice, 190..220), "{model}");
        assert_eq!(first.json()["result"]["evidence"], second.json()["result"]["evidence"], "{model}");
        assert_eq!(made(&twice), (170..220).collect::<Vec<_>>(), "{model}");
        assert_eq!(rows(&dir.open("more.h5ad"), 0..190), rows(&twice, 0..190), "{model}");
        assert_eq!(text(&twice, "scx_model", 180).as_deref(), Some("smote"));
        assert_eq!(text(&twice, "scx_model", 200).as_deref(), Some(model));
        // A column of sums is seen to be one among the real cells, and the old made cells have theirs.
        let total: f64 = rows(&twice, 219..220)[0].iter().sum();
        assert_eq!(text(&twice, "n_counts", 219).unwrap().parse::<f64>().unwrap(), total);
        let names: std::collections::BTreeSet<String> =
            twice.obs.index.iter().map(|n| n.into_owned()).collect();
        assert_eq!(names.len(), 220, "names repeat");
    }
    dir.scx("augment more.h5ad --cluster rare --n 5 --model nb --only-synthetic -o new.h5ad").ok();
    dir.scx("concat more.h5ad new.h5ad -o all.h5ad").ok();
    assert_eq!(made(&dir.open("all.h5ad")), (170..195).collect::<Vec<_>>());
}

#[test]
fn every_reader_of_counts_leaves_made_cells_out() {
    let dir = augmented();
    // Trained models and estimates are the same to the byte.
    for (verb, line) in [("train nb", "-o"), ("train splat", "-o")] {
        dir.scx(&format!("{verb} cells.h5ad {line} a")).ok();
        dir.scx(&format!("{verb} more.h5ad {line} b")).ok();
        assert!(dir.bytes("a/model.json") == dir.bytes("b/model.json"), "{verb}");
        for name in ["a", "b"] {
            std::fs::remove_dir_all(dir.path(name)).unwrap();
        }
    }
    for name in ["cells", "more"] {
        dir.scx(&format!("simulate splat --like {name}.h5ad -o {name}_s.h5ad --save-params {name}.yaml"))
            .ok();
    }
    assert!(dir.bytes("cells.yaml") == dir.bytes("more.yaml"));
    // Evaluation takes the real cells of --real and the made ones of --synthetic.
    let line = "--trees 10 --no-gene-forests --quiet --json";
    let of = |real: &str| {
        let run = dir.scx(&format!("evaluate generation --real {real} --synthetic more.h5ad {line}")).ok();
        run.json()["result"]["generated"].clone()
    };
    assert_eq!(of("cells.h5ad"), of("more.h5ad"));
    dir.scx("evaluate augmentation more.h5ad --cluster rare --model nb --fractions 0.5 --repeats 1 --n 9 --trees 5")
        .ok()
        .says(&["20 cells were made by scx"]);
    // A split tests on real cells only.
    dir.scx("split more.h5ad --by leiden --train t.h5ad --test v.h5ad --test-fraction 0.2")
        .ok()
        .says(&["20 cells were made by scx"]);
    assert_eq!(made(&dir.open("t.h5ad")).len(), 20);
    assert_eq!(made(&dir.open("v.h5ad")).len(), 0);
    assert_eq!(dir.open("v.h5ad").n_obs(), 18 + 12 + 4);
    // A file of made cells alone teaches nothing.
    dir.scx("augment cells.h5ad --cluster rare --n 60 --model nb --only-synthetic -o new.h5ad").ok();
    for verb in ["augment new.h5ad --cluster rare --n 5 --model nb", "train nb new.h5ad"] {
        dir.scx(&format!("{verb} -o no.h5ad")).fails(3, &["new.h5ad: all 60 cells were made by scx"]);
    }
}

#[test]
fn the_mark_survives_other_formats_verbs_and_files_without_it() {
    let dir = augmented();
    for name in ["more.loom", "again.h5ad"] {
        let from = if name == "again.h5ad" { "more.loom" } else { "more.h5ad" };
        dir.scx(&format!("convert {from} {name}")).ok();
        assert_eq!(made(&dir.open(name)), (170..190).collect::<Vec<_>>(), "{name}");
        let line = format!("augment {name} --cluster rare --n 7 --model nb -o twice.h5ad --force");
        dir.scx(&line).ok().says(&["20 cells were made by scx"]);
        assert_eq!(made(&dir.open("twice.h5ad")), (170..197).collect::<Vec<_>>(), "{name}");
    }
    dir.scx("convert more.h5ad obs.csv --table obs").ok();
    let marks: Vec<String> = String::from_utf8(dir.bytes("obs.csv"))
        .unwrap()
        .lines()
        .filter(|l| l.to_lowercase().contains("true"))
        .map(String::from)
        .collect();
    assert_eq!(marks.len(), 20, "{marks:?}");
    dir.scx("preprocess more.h5ad -o p.h5ad --target-sum 10000 --log1p").ok();
    assert_eq!(made(&dir.open("p.h5ad")).len(), 20);
    // A file without the column holds real cells, whatever the join, and in whatever order.
    for (line, marked) in [
        ("cells.h5ad more.h5ad --join inner", 340..360),
        ("more.h5ad cells.h5ad --join inner", 170..190),
        ("more.h5ad cells.h5ad --join outer", 170..190),
    ] {
        dir.scx(&format!("concat {line} -o all.h5ad --on-duplicate suffix --force")).ok();
        let all = dir.open("all.h5ad");
        let Some(Column::Numbers(Values::Bool(marks))) = all.obs.column(COLUMN) else { panic!("{line}") };
        assert_eq!(marks.len(), 360);
        assert_eq!(made(&all), marked.clone().collect::<Vec<_>>(), "{line}");
        assert_eq!(text(&all, "scx_model", marked.start).as_deref(), Some("smote"), "{line}");
    }
}

#[test]
fn a_name_is_a_mark_where_formats_hold_names_only_and_stays_one_when_names_change() {
    let dir = augmented();
    let mut d = dir.open("more.h5ad");
    d.obs.columns.retain(|c| c.0 != COLUMN && c.0 != "scx_model");
    let names = d.obs.index.iter().enumerate().map(|(i, n)| match i {
        0..170 => n.into_owned(),
        _ => format!("{NAME_PREFIX}{i}"),
    });
    d.obs.index = Index::names(names.collect());
    dir.save("named.h5ad", &d);
    dir.scx("augment named.h5ad --cluster rare --n 7 --model nb -o twice.h5ad")
        .ok()
        .says(&["20 cells were made by scx"]);
    assert_eq!(made(&dir.open("twice.h5ad")), (170..197).collect::<Vec<_>>());
    dir.scx("concat cells.h5ad named.h5ad -o all.h5ad --on-duplicate prefix").ok();
    assert_eq!(made(&dir.open("all.h5ad")), (340..360).collect::<Vec<_>>());
}

#[test]
fn nothing_is_corrected_by_made_cells() {
    let (dir, runs) = (support::annotated(), support::runs());
    let Some(Column::Numbers(Values::Bool(control))) = runs.obs.column("is_control").cloned() else {
        panic!()
    };
    // The first 30 controls are marked as made; then they hold values far from all others.
    let odd: Vec<usize> = (0..control.len()).filter(|&i| control[i]).take(30).collect();
    let marks: Vec<bool> = (0..control.len()).map(|i| odd.contains(&i)).collect();
    let mut other = support::runs();
    odd.iter().for_each(|&i| other.values.row_mut(i).mapv_inplace(|v| v * 50.0 + 900.0));
    let save = |name: &str, runs: &support::Runs| {
        let mut d = runs.dataset(Some(runs.dense()));
        d.obs.set(COLUMN, Column::Numbers(Values::Bool(marks.clone())));
        dir.save(name, &d);
    };
    save("a.h5ad", &runs);
    save("b.h5ad", &other);
    for name in ["a", "b"] {
        let line =
            format!("{RUNS} -o {name}_out.h5ad --steps 20").replace("runs.h5ad", &format!("{name}.h5ad"));
        dir.scx(&line).ok().says(&["30 cells were made by scx"]);
    }
    let of = |name: &str| layer(&dir, name, "scx_correct");
    let (a, b) = (of("a_out.h5ad"), of("b_out.h5ad"));
    for i in (0..control.len()).filter(|i| !marks[*i]) {
        assert_eq!(a.row(i), b.row(i), "cell {i}");
    }
}

#[test]
fn a_corrected_file_is_corrected_again_only_when_that_is_asked_for() {
    let dir = support::annotated();
    let line = "correct o.h5ad --batch-key run --spikein is_control --steps 20";
    dir.scx(&format!("{RUNS} -o o.h5ad --steps 20")).ok();
    // X holds the values of before: this would only replace the layer.
    let before = layer(&dir, "o.h5ad", "scx_correct");
    dir.refuses(
        2,
        &format!("{line} -o p.h5ad"),
        &["o.h5ad", "layers[\"scx_correct\"]", "X holds the values of before", "--again"],
    );
    dir.scx(&format!("{line} -o p.h5ad --again")).ok();
    assert_eq!(before, layer(&dir, "p.h5ad", "scx_correct"));
    dir.refuses(2, &format!("{line} -o q.h5ad --layer scx_correct"), &["moved twice", "--again"]);
    // Values in X, in loom as well, are known by the record.
    for name in ["into.h5ad", "into.loom"] {
        dir.scx(&format!("{RUNS} -o {name} --steps 20 --into-x")).ok();
        let line = line.replace("o.h5ad", name);
        dir.refuses(
            2,
            &format!("{line} -o q.h5ad"),
            &[name, "uns[\"scx\"][\"log\"]", "moved twice", "--again"],
        );
    }
    // FCS holds its record in a keyword, which h5ad keeps.
    let dir = support::files();
    dir.scx(&format!("{FILES} -o s2.fcs --steps 20")).ok();
    dir.scx("convert s2.fcs s2.h5ad").ok();
    for name in ["s2.fcs", "s2.h5ad"] {
        let line = format!("correct --spikein c1.fcs c2.fcs --sample {name} --steps 20");
        dir.refuses(2, &format!("{line} -o s3.fcs --force"), &[name, "moved twice", "--again"]);
        dir.scx(&format!("{line} -o s3.fcs --again --force")).ok();
    }
    assert!(x(&dir, "s3.fcs") != x(&dir, "s2.fcs"));
    dir.write("job.yaml", "again: true\nsteps: 20\n");
    dir.scx("correct --spikein c1.fcs c2.fcs --sample s2.fcs -o s4.fcs --config job.yaml").ok();
    // A record of another verb is no correction.
    dir.scx("convert s.fcs other.fcs --force").ok();
    dir.scx("correct --spikein c1.fcs c2.fcs --sample other.fcs -o s5.fcs --steps 20").ok();
}

#[test]
fn one_sample_without_cells_does_not_stop_the_others() {
    let dir = support::files();
    dir.save("e.fcs", &support::first(&support::experiment().sample[0], 0));
    let line = "correct --spikein c1.fcs c2.fcs --steps 20";
    dir.scx(&format!("{line} --sample e.fcs s.fcs -o both/"))
        .ok()
        .says(&["e.fcs: has no cells; it is written as it is"]);
    dir.scx(&format!("{line} --sample s.fcs -o one.fcs")).ok();
    assert_eq!(dir.open("both/e.fcs").n_obs(), 0);
    assert_eq!(dir.open("both/s.fcs").n_obs(), dir.open("one.fcs").n_obs());
    dir.refuses(3, &format!("{line} --sample e.fcs -o no.fcs"), &["e.fcs", "no cells"]);
}
