//! `scx correct --sheet`: many runs, many files, one table that says which is which.

use std::fs;

use ndarray::Array2;
use scx::data::{Column, Dataset, Dense, Frame, Index, Matrix, Values};
use scx::eval::emd;
use scx::rng::Seed;
use scx::simulate::drift::{DRIFT, DriftExperiment, moved};

use crate::support::Dir;

const MARKERS: [&str; 10] = ["CD45", "CD3", "CD4", "CD8", "CD19", "CD56", "CD14", "HLA-DR", "CD123", "CD95"];
const METALS: [&str; 10] = [
    "Y89Di", "Nd142Di", "Nd143Di", "Nd144Di", "Nd145Di", "Nd146Di", "Sm147Di", "Nd148Di", "Sm149Di",
    "Nd150Di",
];

/// Cells on the scale of arcsinh as an FCS file holds them, with a clock in front.
fn dataset(cells: &Array2<f32>) -> Dataset {
    let names = |first: &str, all: [&str; 10]| {
        std::iter::once(first).chain(all).map(String::from).collect::<Vec<String>>()
    };
    let var = Frame::new(Index::names(names("Time", METALS)))
        .with("marker", Column::Strings(names("", MARKERS)))
        .with("channel", Column::Strings(names("Time", METALS)));
    let mut d = Dataset::new(Frame::new(Index::Range(cells.nrows())), var);
    let values = cells
        .rows()
        .into_iter()
        .enumerate()
        .flat_map(|(i, row)| {
            std::iter::once(i as f32).chain(row.iter().map(|v| 5.0 * v.sinh()).collect::<Vec<_>>())
        })
        .collect();
    d.x = Dense::new(cells.nrows(), 11, Values::F32(values)).ok().map(Matrix::Dense);
    d
}

/// All values of a file.
fn x(d: &Dataset) -> Array2<f64> {
    d.x.as_ref().unwrap().rows(0..d.n_obs()).unwrap().to_f64()
}

fn experiment(seed: u64) -> DriftExperiment {
    DriftExperiment::new(Seed(seed), DRIFT)
}

/// Three runs, the first without drift, each with a control and two samples of the same names.
fn study() -> Dir {
    let dir = Dir::new();
    let mut sheet = String::from("File,Batch,is_control,donor,age\n");
    for run in 1..=3u64 {
        fs::create_dir(dir.path(&format!("run{run}"))).unwrap();
        let gains = if run == 1 { [1.0; 10] } else { DRIFT.map(|g| g.powf(run as f64 - 1.5)) };
        for (k, name) in ["control", "a", "b"].into_iter().enumerate() {
            let e = experiment(10 * run + k as u64);
            // The control is the same material in every run.
            let cells = if name == "control" { experiment(1).source } else { e.sample };
            dir.save(&format!("run{run}/{name}.fcs"), &dataset(&moved(&cells, &gains)));
            sheet += &format!("run{run}/{name}.fcs,{run},{},d{k},{}\n", u8::from(k == 0), 30 + k);
        }
    }
    dir.write("study.csv", sheet);
    dir
}

const STUDY: &str = "correct --sheet study.csv -o out --method ambient";

/// Mean distance of the markers of two files, on the scale of arcsinh.
fn distance(a: &Dataset, b: &Dataset) -> f64 {
    let (a, b) = (x(a), x(b));
    let column = |m: &Array2<f64>, j: usize| -> Vec<f32> {
        m.column(j).iter().map(|v| (v / 5.0).asinh() as f32).collect()
    };
    (1..11).map(|j| emd(&mut column(&a, j), &mut column(&b, j))).sum::<f64>() / 10.0
}

/// What a sample would be in the first run.
fn truth(run: u64, k: u64) -> Dataset {
    dataset(&experiment(10 * run + k).sample)
}

#[test]
fn every_run_is_moved_to_the_first_and_every_file_lands_in_its_folder() {
    let dir = study();
    let run = dir.scx(STUDY).ok();
    for run in 1..=3 {
        for name in ["control", "a", "b"] {
            assert!(dir.path(&format!("out/run{run}/{name}.fcs")).is_file(), "run {run}, {name}");
        }
    }
    let same = |name: &str| assert_eq!(x(&dir.open(name)), x(&dir.open(&format!("out/{name}"))), "{name}");
    ["run1/control.fcs", "run1/a.fcs", "run1/b.fcs"].into_iter().for_each(same);
    for (r, k, name) in [(2, 1, "run2/a.fcs"), (2, 2, "run2/b.fcs"), (3, 1, "run3/a.fcs")] {
        let (before, after) = (dir.open(name), dir.open(&format!("out/{name}")));
        let (was, is) = (distance(&before, &truth(r, k)), distance(&after, &truth(r, k)));
        assert!(is < 0.3 * was, "{name}: {was} {is}");
        let clock = |d: &Dataset| x(d).column(0).to_vec();
        assert_eq!(clock(&before), clock(&after), "{name}: a column that is no marker moved");
    }
    let table: Vec<&str> = run.stdout.lines().collect();
    assert!(table.len() < 14, "a table of runs, not of files: {}", run.stdout);
    assert!(table[1].contains("reference run") && table[2].contains("corrected"), "{}", run.stdout);
    assert!(run.stdout.contains("wrote 9 files to out"), "{}", run.stdout);
}

#[test]
fn a_study_of_two_runs_says_what_two_controls_and_a_sample_say() {
    let dir = study();
    dir.scx(STUDY).ok();
    let pair = "correct --spikein run2/control.fcs run1/control.fcs --sample run2/a.fcs -o one.fcs";
    dir.scx(&format!("{pair} --method ambient")).ok();
    assert_eq!(x(&dir.open("one.fcs")), x(&dir.open("out/run2/a.fcs")));
}

#[test]
fn the_same_bytes_come_out_whatever_the_threads() {
    let dir = study();
    dir.scx(&format!("{STUDY} --threads 1")).ok();
    dir.scx(&format!("{} --threads 2", STUDY.replace("out", "two"))).ok();
    for name in ["run1/control.fcs", "run2/a.fcs", "run3/b.fcs"] {
        assert!(dir.bytes(&format!("out/{name}")) == dir.bytes(&format!("two/{name}")), "{name}");
    }
}

#[test]
fn json_tells_of_every_file_and_of_every_run() {
    let dir = study();
    let json = dir.scx(&format!("{STUDY} --json")).ok().json();
    let files = json["files"].as_array().unwrap();
    assert_eq!(files.len(), 9);
    assert_eq!(
        (files[0]["status"].as_str(), files[4]["status"].as_str()),
        (Some("reference"), Some("corrected"))
    );
    assert_eq!(json["scores"].as_array().unwrap().len(), 2);
    assert_eq!(json["verdict"]["level"], "good");
    assert_eq!(json["verdict"]["runs"].as_array().unwrap().len(), 2);
    assert_eq!(json["outputs"].as_array().unwrap().len(), 9);
    let plan = dir.scx(&format!("{} --dry-run --json", STUDY.replace("out", "dry"))).ok().json();
    assert!(plan["verdict"].is_null() && !dir.path("dry").exists());
    assert_eq!(plan["outputs"].as_array().unwrap().len(), 9);
}

#[test]
fn with_the_mean_as_goal_all_runs_meet_in_the_middle() {
    let dir = study();
    dir.scx(&format!("{STUDY} --reference mean")).ok();
    let apart = |folder: &str| {
        let open = |run: usize| dir.open(&format!("{folder}run{run}/control.fcs"));
        distance(&open(1), &open(3))
    };
    assert!(apart("out/") < 0.3 * apart(""), "{} {}", apart("out/"), apart(""));
    let moved = distance(&dir.open("run1/a.fcs"), &dir.open("out/run1/a.fcs"));
    assert!(moved > 0.05, "the first run is moved, too: {moved}");
}

#[test]
fn several_controls_of_a_run_count_alike() {
    let dir = study();
    let one = experiment(1);
    // A second control of the second run, of which most cells are of one population only.
    dir.save("run2/more.fcs", &dataset(&moved(&one.source, &DRIFT.map(|g| g.powf(0.5)))));
    let sheet = String::from_utf8(dir.bytes("study.csv")).unwrap() + "run2/more.fcs,2,1,d9,50\n";
    dir.write("study.csv", sheet);
    let json = dir.scx(&format!("{STUDY} --json")).ok().json();
    assert_eq!(json["learnt_from"]["control_cells"], 4 * 1500);
    assert!(dir.path("out/run2/more.fcs").is_file());
}

#[test]
fn a_run_without_a_control_is_refused_or_passed_or_left_out() {
    let dir = study();
    let sheet = String::from_utf8(dir.bytes("study.csv"))
        .unwrap()
        .replace("run3/control.fcs,3,1", "run3/control.fcs,3,0");
    dir.write("study.csv", sheet);
    dir.refuses(2, STUDY, &["no file of run 3 is a control", "--unanchored pass", "--unanchored skip"]);
    let run = dir.scx(&format!("{STUDY} --unanchored pass")).ok();
    assert!(run.stdout.contains("run without control, values unchanged"), "{}", run.stdout);
    assert_eq!(x(&dir.open("run3/a.fcs")), x(&dir.open("out/run3/a.fcs")));
    let record = dir.open("out/run3/a.fcs").source.keywords.iter().find(|k| k.0 == "SCX").unwrap().1.clone();
    assert!(record.contains("\"values\":\"passed\""), "{record}");
    let json = dir.scx(&format!("{} --unanchored skip --json", STUDY.replace("out", "skip"))).ok().json();
    assert_eq!(json["files"][7]["status"], "skipped");
    assert!(!dir.path("skip/run3").exists() && dir.path("skip/run2/a.fcs").is_file());
}

#[test]
fn an_unfinished_study_goes_on_where_it_stopped() {
    let dir = study();
    dir.scx(STUDY).ok();
    let whole = dir.contents();
    dir.scx(STUDY).fails(2, &["--force", "--resume"]);
    fs::remove_file(dir.path("out/run2/a.fcs")).unwrap();
    fs::write(dir.path("out/run3/b.fcs"), "half a file").unwrap();
    let json = dir.scx(&format!("{STUDY} --resume --json")).ok().json();
    let status = |i: usize| json["files"][i]["status"].as_str().unwrap().to_owned();
    assert_eq!([status(3), status(4), status(8)], ["done before", "corrected", "corrected"]);
    dir.is_as(&whole);
    // Other settings make everything anew; another control makes its own run anew.
    let other = dir.scx(&format!("{STUDY} --resume --json --cofactor 6")).ok().json();
    assert_eq!(other["files"][4]["status"], "corrected");
    dir.save("run3/control.fcs", &dataset(&experiment(77).source));
    let json = dir.scx(&format!("{STUDY} --resume --json --cofactor 6")).ok().json();
    let status = |i: usize| json["files"][i]["status"].as_str().unwrap().to_owned();
    assert_eq!([status(4), status(7)], ["done before", "corrected"]);
    dir.refuses(2, &format!("{STUDY} --resume --no-provenance"), &["--no-provenance"]);
}

#[test]
fn damaged_and_empty_files_stop_the_study_or_are_left_out() {
    let dir = study();
    let bytes = dir.bytes("run2/a.fcs");
    dir.write("run2/a.fcs", &bytes[..bytes.len() / 2]);
    dir.save("run3/b.fcs", &dataset(&Array2::zeros((0, 10))));
    dir.refuses(3, STUDY, &["run2/a.fcs", "--keep-going"]);
    let run = dir.scx(&format!("{STUDY} --keep-going"));
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    run.says(&["2 of 9 files were left out", "run2/a.fcs", "run3/b.fcs: has no cells"]);
    assert!(dir.path("out/run2/b.fcs").is_file() && !dir.path("out/run2/a.fcs").exists());
    dir.write("run3/control.fcs", "nothing");
    let line = format!("{} --keep-going", STUDY.replace("out", "other"));
    dir.refuses(3, &line, &["the control of run 3 cannot be used"]);
}

#[test]
fn what_the_sheet_says_of_a_file_becomes_columns_of_obs() {
    let dir = study();
    dir.scx(&format!("{STUDY} --to h5ad")).ok();
    let d = dir.open("out/run2/a.h5ad");
    let text = |name: &str| d.obs.column(name).unwrap().text(0).unwrap().into_owned();
    assert_eq!((text("run"), text("donor"), text("age")), ("2".into(), "d1".into(), "31".into()));
    assert!(matches!(d.obs.column("age"), Some(Column::Numbers(Values::I64(_)))));
    assert!(d.layers.contains_key("scx_correct"));
    // The same study of h5ad files.
    let sheet = String::from_utf8(dir.bytes("study.csv")).unwrap();
    let h5ad = sheet.replace("run1/", "h/run1/").replace("run2/", "h/run2/").replace("run3/", "h/run3/");
    dir.write("h5ad.csv", h5ad.replace(".fcs", ".h5ad"));
    for run in 1..=3 {
        fs::create_dir_all(dir.path(&format!("h/run{run}"))).unwrap();
        for name in ["control", "a", "b"] {
            dir.scx(&format!("convert run{run}/{name}.fcs h/run{run}/{name}.h5ad")).ok();
        }
    }
    dir.scx("correct --sheet h5ad.csv -o again --method ambient").ok();
    let corrected = |d: &Dataset| d.layers["scx_correct"].rows(0..d.n_obs()).unwrap().to_f64();
    assert_eq!(corrected(&dir.open("again/run2/a.h5ad")), corrected(&d));
}

#[test]
fn a_second_control_compares_methods_and_a_report_shows_each_run() {
    let dir = study();
    let mut sheet =
        String::from_utf8(dir.bytes("study.csv")).unwrap().replace("donor,age", "donor,age,holdout");
    sheet = sheet.replace(",30\n", ",30,0\n").replace(",31\n", ",31,0\n").replace(",32\n", ",32,0\n");
    for run in 1..=3u64 {
        let gains = if run == 1 { [1.0; 10] } else { DRIFT.map(|g| g.powf(run as f64 - 1.5)) };
        dir.save(&format!("run{run}/held.fcs"), &dataset(&moved(&experiment(5).sample, &gains)));
        sheet += &format!("run{run}/held.fcs,{run},0,d5,60,1\n");
    }
    dir.write("study.csv", sheet);
    let json = dir.scx(&format!("{STUDY} --json --report report.html")).ok().json();
    assert_eq!(json["verdict"]["recommended"], "ambient");
    let page = String::from_utf8(dir.bytes("report.html")).unwrap();
    assert!(page.contains("run 2") && page.contains("run 3") && page.contains("held.fcs"));
}

#[test]
fn what_is_wrong_with_a_study_is_said_before_any_work() {
    let dir = study();
    let sheet = String::from_utf8(dir.bytes("study.csv")).unwrap();
    let refuses = |code: i32, text: &str, says: &[&str]| {
        dir.write("bad.csv", text);
        dir.refuses(code, &STUDY.replace("study.csv", "bad.csv"), says);
    };
    refuses(
        2,
        &sheet.replace("is_control", "contrl"),
        &["no column control (or iscontrol)", "did you mean contrl?"],
    );
    refuses(2, &sheet.replace("Batch", "Bach"), &["no column run (or batch)"]);
    refuses(2, &sheet.replace("run2/a.fcs", "run2/none.fcs"), &["line 6", "there is no file run2/none.fcs"]);
    refuses(2, &sheet.replace("run2/a.fcs", "run2/*.lmd"), &["the pattern run2/*.lmd matches no file"]);
    refuses(3, &sheet.replace("run3/a.fcs,3", "run2/a.fcs,3"), &["is in run 2 (line 6) and in run 3"]);
    refuses(2, &sheet.replace(",1,d0", ",0,d0"), &["no file is marked as control"]);
    let one = sheet
        .replace("run2/control.fcs,2,1", "run2/control.fcs,2,0")
        .replace("run3/control.fcs,3,1", "run3/control.fcs,3,0");
    dir.write("bad.csv", one);
    let line = format!("{} --unanchored pass", STUDY.replace("study.csv", "bad.csv"));
    dir.refuses(2, &line, &["only run 1 has a control"]);
    dir.refuses(2, &format!("{STUDY} --reference 4"), &["no run 4", "runs: 1, 2, 3"]);
    dir.refuses(2, &format!("{STUDY} --spikein a b"), &["--spikein does not go with --sheet"]);
    dir.refuses(2, "correct --sheet study.csv", &["-o FOLDER is missing"]);
    dir.refuses(3, "correct --sheet none.csv -o out", &["none.csv: cannot read"]);
    dir.refuses(2, "correct --spikein a b --sample c -o d --resume", &["--resume goes with --sheet"]);
    // Controls of one cell, and events that are no numbers.
    let keep = dir.bytes("run2/control.fcs");
    dir.save("run2/control.fcs", &dataset(&Array2::zeros((1, 10))));
    dir.refuses(3, STUDY, &["run 2: its control has 1 cell"]);
    dir.write("run2/control.fcs", keep);
    let mut odd = experiment(21).sample;
    odd[(3, 2)] = f32::NAN;
    dir.save("run2/a.fcs", &dataset(&odd));
    dir.refuses(3, STUDY, &["run2/a.fcs", "cell 3", "NaN"]);
}

#[test]
fn groups_that_were_measured_in_runs_of_their_own_are_named() {
    let dir = study();
    let sheet = String::from_utf8(dir.bytes("study.csv")).unwrap().replace("donor", "group");
    let sheet = sheet.replace("2,0,d1", "2,0,ill").replace("2,0,d2", "2,0,ill").replace("0,d", "0,well");
    dir.write("study.csv", sheet.replace("well1", "well").replace("well2", "well"));
    let run = dir.scx(&format!("{STUDY} --json")).ok();
    run.says(&["the group ill was measured in run 2 only"]);
    assert_eq!(run.json()["confounded"][0]["group"], "well");
}
