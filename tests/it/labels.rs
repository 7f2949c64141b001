//! Labels of every kind: missing ones are no group, numbers are found by value, types come back, small groups are left out;
//! cells for each donor.

use scx::data::{Categorical, Categories, Column, Dataset, Values};

use crate::generate::{dense, text, toy};
use crate::support::{self, Dir, layer};

/// The kind of each cell of the toy: 0 (90 cells), 1 (60), 2 (20).
fn kinds() -> Vec<usize> {
    (0..170).map(|i| usize::from(i >= 90) + usize::from(i >= 150)).collect()
}

fn with(column: Column) -> Dataset {
    let mut d = toy();
    d.obs.columns.retain(|c| c.0 != "leiden");
    d.obs.set("leiden", column);
    d
}

/// Labels of the toy in every kind of column; the first five cells have none where that can be.
fn columns() -> Vec<(&'static str, Column, &'static str)> {
    let k = kinds();
    let missing: Vec<bool> = (0..170).map(|i| i < 5).collect();
    let float = |i: usize| if i < 5 { f64::NAN } else { k[i] as f64 };
    let text = |i: usize| if i < 5 { String::new() } else { format!("t{}/ {}", k[i], k[i]) };
    let categories = |categories| {
        let codes = (0..170).map(|i| if i < 5 { -1 } else { k[i] as i32 }).collect();
        Column::Categorical(Categorical { codes, categories, ordered: false })
    };
    vec![
        ("int64", Column::Numbers(Values::I64(k.iter().map(|&k| k as i64).collect())), "2"),
        ("float64", Column::Numbers(Values::F64((0..170).map(float).collect())), "2"),
        ("bool", Column::Numbers(Values::Bool(k.iter().map(|&k| k == 2).collect())), "true"),
        (
            "nullable int32",
            Column::Nullable { values: Values::I32(k.iter().map(|&k| k as i32).collect()), missing },
            "2.0",
        ),
        ("string", Column::Strings((0..170).map(text).collect()), "t2/ 2"),
        ("category (4)", categories(Categories::Numbers(Values::I64(vec![0, 1, 2, 9]))), "2"),
    ]
}

#[test]
fn labels_come_back_in_new_cells_with_the_type_they_had() {
    let dir = Dir::new();
    for (kind, column, wanted) in columns() {
        dir.save("cells.h5ad", &with(column.clone()));
        let before = dir.open("cells.h5ad").obs.column("leiden").cloned().unwrap();
        assert_eq!(before.kind(), kind);
        for (verb, n) in [("augment", 170 + 12), ("augment --only-synthetic", 12)] {
            let mut run =
                dir.command(&format!("{verb} cells.h5ad --n 12 --model nb -o more.h5ad --force --json"));
            let run = support::Run::new(&run.args(["--cluster", wanted]).output().unwrap()).ok();
            let d = dir.open("more.h5ad");
            let after = d.obs.column("leiden").unwrap();
            // Alone, categories are those that the model knows.
            let same =
                if n == 12 { kind.trim_start_matches("nullable ").split(' ').next() } else { Some(kind) };
            assert!(after.kind().starts_with(same.unwrap()), "{kind}: {}", after.kind());
            assert_eq!(d.n_obs(), n);
            let value = before.text(169).unwrap();
            assert!((n - 12..n).all(|i| after.text(i).as_deref() == Some(value.as_ref())), "{kind}");
            if n > 12 {
                assert!((0..170).all(|i| after.text(i) == before.text(i)), "{kind}");
            }
            // Cells without a label are a line, and no cluster.
            let missing = !matches!(kind, "int64" | "bool");
            let said = run.json()["changes"].to_string();
            assert_eq!(said.contains("5 cells (cell0 first), not learnt from"), missing, "{kind}: {said}");
            assert!(!run.stderr.contains("nan (") && !run.stderr.contains("NaN ("), "{}", run.stderr);
        }
        // A stored model remembers the kind.
        dir.scx("train nb cells.h5ad -o model --force").ok();
        dir.scx("generate --model-dir model --n 30 -o all.h5ad --force").ok();
        let after = dir.open("all.h5ad").obs.column("leiden").unwrap().kind();
        assert_eq!(after.split(' ').next(), kind.trim_start_matches("nullable ").split(' ').next(), "{kind}");
    }
}

#[test]
fn a_classifier_gives_labels_of_the_type_it_has_learnt_from() {
    let dir = Dir::new();
    let (_, column, _) = columns().swap_remove(0);
    dir.save("cells.h5ad", &with(column));
    dir.scx("train actinn cells.h5ad -o model --steps 20 --minibatch 32").ok();
    dir.scx("classify cells.h5ad --model-dir model -o out.h5ad").ok();
    assert_eq!(dir.open("out.h5ad").obs.column("actinn").unwrap().kind(), "int64");
}

#[test]
fn a_cluster_of_one_cell_is_left_out_with_its_number_and_stops_only_itself() {
    let dir = Dir::new();
    let mut d = toy();
    let Some(Column::Categorical(c)) = d.obs.columns.iter_mut().find(|c| c.0 == "leiden").map(|c| &mut c.1)
    else {
        panic!()
    };
    c.codes[3] = -1;
    c.codes[4] = 3;
    c.categories = Categories::Strings(["big", "small", "rare", "pDC"].map(String::from).to_vec());
    dir.save("cells.h5ad", &d);
    for model in ["nb", "smote", "splat", "cscgan --steps 4 --minibatch 16"] {
        let line = format!("augment cells.h5ad --cluster rare --n 9 --model {model} -o more.h5ad --force");
        let run = dir.scx(&line).ok();
        for says in ["obs[\"leiden\"] = pDC", "1 cell to learn from, at least 2", "1 cells (cell3 first)"] {
            let all = format!("{}{}", run.stdout, run.stderr);
            assert!(all.contains(says), "{model}: no {says} in {all}");
        }
    }
    assert_eq!(dir.open("more.h5ad").n_obs(), 179);
    dir.refuses(
        3,
        "augment cells.h5ad --cluster pDC --n 9 --model nb -o no.h5ad",
        &["cells.h5ad", "cluster pDC has 1 cell to learn from, at least 2", "rare (20)"],
    );
    dir.scx("train nb cells.h5ad -o model").ok().says(&["pDC", "at least 2"]);
    dir.refuses(
        2,
        "augment cells.h5ad --cluster rar --n 9 --model nb -o no.h5ad",
        &["no cluster rar", "did you mean rare?"],
    );
}

/// The toy with donors: `a` and `b` in turns, `c` in four cells of the rare kind.
fn donors(kind: &str) -> Dataset {
    let of = |i: usize| if (150..154).contains(&i) { 2 } else { i % 2 };
    let column = match kind {
        "category" => Column::Categorical(Categorical {
            codes: (0..170).map(|i| if i == 0 { -1 } else { of(i) as i32 }).collect(),
            categories: Categories::Strings(["b", "a", "c", "unused"].map(String::from).to_vec()),
            ordered: false,
        }),
        _ => Column::Numbers(Values::I64((0..170).map(|i| of(i) as i64).collect())),
    };
    let mut d = toy();
    // Fewer cells of a donor in the rare kind than are needed: four of `c`, eight of each other; all kinds have 20.
    d.obs.columns.retain(|c| c.0 != "donor");
    d.obs.set("donor", column);
    d
}

#[test]
fn cells_are_made_for_each_donor_and_small_donors_are_left_out_with_a_line() {
    let dir = Dir::new();
    dir.save("cells.h5ad", &donors("category"));
    dir.write("small.yaml", "steps: 60\nminibatch: 32\nsettings:\n  encoder: [16]\n  latent: 4\n  generator: [16]\n  filter: false\n");
    let models = [
        ("nb", ""),
        ("nb-pooled", ""),
        ("nb-copula", ""),
        ("smote", ""),
        ("oversample", ""),
        ("splat", ""),
        ("activa", "--config small.yaml"),
        ("cscgan", "--steps 6 --minibatch 16"),
    ];
    for (model, more) in models {
        let line = format!(
            "augment cells.h5ad --cluster small --by donor --n 6 --model {model} {more} --test-fraction 0.3 --json"
        );
        let json = dir.scx(&format!("{line} -o more.h5ad --force")).ok().json();
        dir.scx(&format!("{line} -o same.h5ad --force --threads 1")).ok();
        assert!(dir.bytes("more.h5ad") == dir.bytes("same.h5ad"), "{model}");
        let d = dir.open("more.h5ad");
        let of: Vec<_> = (170..d.n_obs()).map(|i| (text(&d, "leiden", i), text(&d, "donor", i))).collect();
        let want = |donor: &str| (Some("small".to_owned()), Some(donor.to_owned()));
        assert_eq!(of, [vec![want("b"); 6], vec![want("a"); 6]].concat(), "{model}");
        assert_eq!(d.obs.column("donor").unwrap().kind(), "category (4)");
        assert!((0..170).all(|i| text(&d, "donor", i) == text(&donors("category"), "donor", i)));
        let said = json["changes"].to_string();
        assert!(
            said.contains("= c in small") && said.contains("0 cells to learn from, at least 10"),
            "{said}"
        );
        // The evidence asks for each of them.
        let helps = json["result"]["evidence"]["classifier"].as_array().unwrap().clone();
        let labels: Vec<&str> = helps.iter().filter_map(|h| h["label"].as_str()).collect();
        assert_eq!(labels, ["small (donor b)", "small (donor a)"], "{model}");
    }
    // Too few of every donor.
    dir.refuses(
        3,
        "augment cells.h5ad --cluster rare --by donor --n 6 --model nb -o no.h5ad",
        &["cells.h5ad", "no value has 10 cells of rare"],
    );
    dir.refuses(
        2,
        "augment cells.h5ad --cluster small --by doner --n 6 --model nb -o no.h5ad",
        &["no column doner", "did you mean donor?"],
    );
    dir.refuses(
        2,
        "augment cells.h5ad --cluster small --by leiden --n 6 --model nb -o no.h5ad",
        &["holds the clusters", "--cluster-key"],
    );
}

#[test]
fn cells_of_a_donor_are_learnt_from_the_cells_of_that_donor() {
    let dir = Dir::new();
    let mut d = donors("numbers");
    // Gene 30 is of the second donor alone, in all cells of the big kind.
    let mut x = dense(d.x.as_ref().unwrap());
    for (i, row) in x.iter_mut().enumerate() {
        row[30] = if i % 2 == 1 && i < 150 { 40.0 } else { 0.0 };
    }
    let values = x.concat().into_iter().map(|v| v as f32).collect();
    d.x = Some(scx::data::Matrix::Dense(scx::data::Dense::new(170, 40, Values::F32(values)).unwrap()));
    dir.save("cells.h5ad", &d);
    dir.scx("augment cells.h5ad --cluster big --by donor --n 8 --model nb -o more.h5ad --save-model model")
        .ok();
    let d = dir.open("more.h5ad");
    assert_eq!(d.obs.column("donor").unwrap().kind(), "int64");
    let x = dense(d.x.as_ref().unwrap());
    for (i, cell) in x.iter().enumerate().take(186).skip(170) {
        let donor = text(&d, "donor", i).unwrap();
        assert_eq!(cell[30] > 10.0, donor == "1", "cell {i} of donor {donor}: {}", cell[30]);
    }
    // A stored model knows what it was trained by.
    let line = "augment cells.h5ad --cluster big --n 3 --model-dir model --only-synthetic";
    dir.refuses(2, &format!("{line} -o no.h5ad"), &["trained for each donor", "--by donor"]);
    dir.scx(&format!("{line} --by donor -o three.h5ad")).ok();
    assert_eq!(dir.open("three.h5ad").n_obs(), 6);
    assert_eq!(text(&dir.open("three.h5ad"), "donor", 5).as_deref(), Some("1"));
    dir.scx("generate --model-dir model --n 50 -o all.h5ad").ok();
    assert_eq!(dir.open("all.h5ad").obs.column("donor").unwrap().kind(), "nullable int64");
}

#[test]
fn runs_controls_and_groups_follow_the_same_rule() {
    let (dir, runs) = (Dir::new(), support::runs());
    let mut d = runs.dataset(Some(runs.dense()));
    let number = |i: usize| match text(&d, "run", i).as_deref() {
        Some("run1") => 1.0,
        Some("run2") => 2.0,
        _ => 3.0,
    };
    let run: Vec<f64> = (0..d.n_obs()).map(number).collect();
    let Some(Column::Numbers(Values::Bool(control))) = d.obs.column("is_control").cloned() else { panic!() };
    let flag = |c: bool| if c { 1.0 } else { f64::NAN };
    dir.save("runs.h5ad", &d);
    d.obs.set("run", Column::Numbers(Values::F64(run.clone())));
    d.obs.set("flag", Column::Numbers(Values::F32(control.iter().map(|&c| flag(c) as f32).collect())));
    dir.save("numbers.h5ad", &d);
    let base = dir
        .scx("correct runs.h5ad --batch-key run --spikein is_control --reference run2 -o o.h5ad --steps 20");
    base.ok();
    for spikein in ["flag", "flag=1"] {
        let line = format!(
            "correct numbers.h5ad --batch-key run --spikein {spikein} --reference 2 -o p.h5ad --steps 20 --force"
        );
        dir.scx(&line).ok();
        assert_eq!(layer(&dir, "o.h5ad", "scx_correct"), layer(&dir, "p.h5ad", "scx_correct"), "{spikein}");
    }
    let mut some = run;
    some[7] = f64::NAN;
    d.obs.set("run", Column::Numbers(Values::F64(some)));
    dir.save("some.h5ad", &d);
    dir.refuses(
        2,
        "correct some.h5ad --batch-key run --spikein flag -o q.h5ad",
        &["obs[\"run\"] is missing for 1 of", "(cell7 first)"],
    );
    // Cells without a group train.
    let run = dir.scx("split some.h5ad --by run --train t.h5ad --test v.h5ad --test-fraction 0.5").ok();
    run.says(&["1 cells have no run"]);
    let test = dir.open("v.h5ad");
    assert!((0..test.n_obs()).all(|i| text(&test, "run", i).as_deref() != Some("NaN")));
}
