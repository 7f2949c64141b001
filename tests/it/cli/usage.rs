//! Exit 2: requests that make no sense. Each names what was asked and says the right form; nothing is written.

use std::os::unix::fs::symlink;

use crate::support::{self, FILES, RUNS};

#[test]
fn a_wrong_number_of_spike_ins_or_held_out_controls_is_answered_with_the_right_form() {
    let dir = support::files();
    let form = "--spikein CONTROL_SOURCE CONTROL_TARGET --sample SAMPLE... -o OUT";
    let refuses = |args: &str, says: &[&str]| dir.refuses(2, args, says);
    refuses(
        "correct --spikein c1.fcs --sample s.fcs -o o.fcs",
        &["--spikein got 1 value;", "exactly two", form],
    );
    refuses("correct --spikein c1.fcs c2.fcs t.fcs --sample s.fcs -o o.fcs", &["got 3 values", form]);
    refuses("correct --sample s.fcs -o o.fcs", &["--spikein is missing", form]);
    refuses("correct --spikein c1.fcs c2.fcs -o o.fcs", &["--sample is missing", form]);
    refuses(&format!("{FILES} --holdout d1.fcs -o o.fcs"), &["--holdout got 1 value;", "exactly two"]);
    refuses(FILES, &["-o OUT is missing", form]);
    refuses("correct s.fcs --spikein c1.fcs c2.fcs -o o.fcs", &["s.fcs", "--batch-key", "--sample"]);
    refuses(&format!("{FILES} --reference run1 -o o.fcs"), &["--reference", "--batch-key"]);
    let annotated = "scx correct RUNS.h5ad --batch-key RUN --spikein COLUMN[=VALUE] -o OUT.h5ad";
    let dir = support::annotated();
    let refuses = |args: &str, says: &[&str]| dir.refuses(2, args, says);
    let start = "correct runs.h5ad --batch-key run -o o.h5ad";
    refuses(&format!("{start} --spikein a b"), &["--spikein got 2 values", "exactly one column", annotated]);
    refuses(start, &["--spikein is missing", "exactly one column", annotated]);
    refuses(&format!("{RUNS} --holdout a b -o o.h5ad"), &["--holdout", "exactly one column"]);
    refuses(&format!("{RUNS} -o o.h5ad --sample runs.h5ad"), &["--sample", annotated]);
    refuses(
        "correct --batch-key run --spikein is_control -o o.h5ad",
        &["--batch-key needs one annotated file"],
    );
}

#[test]
fn the_output_is_never_an_input_whatever_it_is_called() {
    let dir = support::files();
    symlink("s.fcs", dir.path("link.fcs")).unwrap();
    std::fs::create_dir(dir.path("sub")).unwrap();
    for out in ["s.fcs", "./s.fcs", "sub/../s.fcs", "link.fcs", "c1.fcs", "c2.fcs", "."] {
        let file = if out == "." { "s.fcs" } else { out };
        dir.refuses(2, &format!("{FILES} -o {out} --steps 5 --force"), &[file, "input is never changed"]);
    }
    dir.refuses(
        2,
        &format!("{FILES} --holdout d1.fcs d2.fcs -o d2.fcs --force"),
        &["d2.fcs", "never changed"],
    );
    dir.refuses(2, &format!("{FILES} -o o.fcs --report s.fcs --force"), &["s.fcs", "never changed"]);
    let dir = support::annotated();
    dir.refuses(2, &format!("{RUNS} -o ./runs.h5ad --force"), &["runs.h5ad", "never changed"]);
}

#[test]
fn what_exists_is_replaced_only_with_force() {
    let dir = support::files();
    for name in ["o.fcs", "r.html"] {
        dir.write(name, "precious");
    }
    let says = |name: &str| [format!("{name}: exists already"), "--force".to_owned()];
    let refuses = |args: &str, name: &str| {
        let says = says(name);
        dir.refuses(2, &format!("{FILES} --steps 5 {args}"), &says.each_ref().map(String::as_str));
    };
    refuses("-o o.fcs", "o.fcs");
    refuses("-o p.fcs --report r.html", "r.html");
    dir.scx(&format!("{FILES} -o p.fcs --steps 5 --save-model edit")).ok();
    let again = format!("{FILES} -o q.fcs --steps 5 --save-model edit");
    dir.refuses(2, &again, &["edit", "--force"]);
    dir.scx(&format!("{again} --force")).ok();
    // A folder with anything else in it is not ours to replace, force or not.
    dir.write("edit/notes.txt", "precious");
    dir.refuses(2, &format!("{again} --force"), &["edit", "notes.txt"]);
    std::fs::create_dir(dir.path("folder")).unwrap();
    dir.refuses(
        2,
        &format!("{again} --force --save-model folder").replace(" --save-model edit", ""),
        &["folder"],
    );
    dir.refuses(2, &format!("{FILES} -o p2.fcs --report folder --force"), &["folder", "is a folder"]);
    dir.scx(&format!("{FILES} -o o.fcs --report r.html --steps 5 --force")).ok();
    assert!(dir.bytes("o.fcs").starts_with(b"FCS3.1") && dir.bytes("r.html").starts_with(b"<!"));
}

#[test]
fn a_pipe_as_output_is_never_replaced() {
    let dir = support::files();
    dir.shell("mkfifo pipe.fcs").ok();
    symlink("pipe.fcs", dir.path("link.fcs")).unwrap();
    let before = dir.names();
    for args in ["-o pipe.fcs", "-o link.fcs", "-o o.fcs --report pipe.fcs"] {
        dir.scx(&format!("{FILES} --steps 5 --force {args}")).fails(2, &["no plain file", "another name"]);
    }
    assert_eq!(dir.names(), before);
    assert!(!dir.path("pipe.fcs").metadata().unwrap().is_file());
}

#[test]
fn nothing_is_written_into_the_folder_of_a_model() {
    let dir = support::files();
    dir.scx(&format!("{FILES} -o o.fcs --steps 5 --save-model edit")).ok();
    let says = |option: &'static str| ["lies in the model's folder", option];
    let into = format!("{FILES} --steps 5 --force --save-model edit");
    dir.refuses(2, &format!("{into} -o edit/p.fcs"), &says("--save-model edit"));
    dir.refuses(2, &format!("{into} -o p.fcs --report ./edit/r.html"), &says("--save-model edit"));
    let apply = "correct --model-dir edit --sample s.fcs --force";
    dir.refuses(2, &format!("{apply} -o edit/model.json"), &says("--model-dir edit"));
    // What the edit was learnt with cannot be changed afterwards.
    for option in [
        "--markers CD3",
        "--cofactor 7",
        "--transform none",
        "--seed 1",
        "--steps 5",
        "--epochs 1",
        "--preset paper",
    ] {
        let name = option.split(' ').next().unwrap();
        dir.refuses(2, &format!("{apply} -o p.fcs {option}"), &[name, "part of the stored edit"]);
    }
}

#[test]
fn names_that_are_no_unicode_work_everywhere_but_in_a_configuration() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let dir = support::files();
    let odd = OsStr::from_bytes(b"od\xffd.fcs");
    std::fs::rename(dir.path("s.fcs"), dir.path("").join(odd)).unwrap();
    let run =
        |args: &str, last: &[&OsStr]| support::Run::new(&dir.command(args).args(last).output().unwrap());
    let start = "correct --spikein c1.fcs c2.fcs --steps 5 -q --json -o out/ --sample";
    assert_eq!(run(start, &[odd]).ok().json()["verb"], "correct");
    assert!(dir.path("out").join(odd).is_file());
    assert_eq!(run("info --json", &[odd]).ok().json()["files"][0]["n_obs"], 120);
    run("correct --spikein c1.fcs c2.fcs --print-config -o o.fcs --sample", &[odd]).fails(2, &["YAML"]);
}

#[test]
fn two_results_never_go_to_one_place() {
    let dir = support::files();
    let refuses = |args: &str, says: &[&str]| dir.refuses(2, &format!("{FILES} --steps 5 {args}"), says);
    refuses("-o o.fcs --report o.fcs", &["o.fcs", "twice"]);
    refuses("-o o.fcs --report ./o.fcs", &["o.fcs", "twice"]);
    refuses("-o o.fcs --save-model o.fcs", &["o.fcs", "twice"]);
    refuses("-o o.fcs --report m --save-model m", &["m", "twice"]);
    dir.refuses(
        2,
        "correct --spikein c1.fcs c2.fcs --sample s.fcs t.fcs -o out --save-model out --steps 5",
        &["out", "--save-model"],
    );
    std::fs::create_dir(dir.path("sub")).unwrap();
    dir.save("sub/s.fcs", &support::experiment().sample[1].dataset());
    let says = ["two samples are called s.fcs"];
    dir.refuses(2, "correct --spikein c1.fcs c2.fcs --sample s.fcs sub/s.fcs -o out", &says);
    dir.refuses(2, "correct --spikein c1.fcs c2.fcs --sample s.fcs t.fcs -o o.fcs", &["o.fcs", "folder"]);
    dir.write("plain", "");
    dir.refuses(2, "correct --spikein c1.fcs c2.fcs --sample s.fcs t.fcs -o plain", &["plain", "folder"]);
}

#[test]
fn a_name_without_extension_takes_the_format_of_the_input() {
    let dir = support::files();
    dir.scx(&format!("{FILES} -o noname --steps 5 --method none")).ok();
    assert!(dir.bytes("noname").starts_with(b"FCS3.1"));
    dir.scx(&format!("{FILES} -o O.H5AD --steps 5 --method none")).ok();
    assert!(dir.bytes("O.H5AD").starts_with(b"\x89HDF"));
}

#[test]
fn values_that_mean_nothing_are_refused() {
    let dir = support::files();
    let refuses = |args: &str, says: &[&str]| dir.refuses(2, &format!("{FILES} -o o.fcs {args}"), says);
    refuses("--method magic", &["magic", "neuron-edit", "mean-shift"]);
    refuses("--preset best", &["best", "paper"]);
    for cofactor in ["0", "-5", "nan", "inf"] {
        dir.refuses(2, &format!("{FILES} -o o.fcs --cofactor={cofactor}"), &["--cofactor", "above 0"]);
    }
    refuses("--cofactor five", &["five", "--cofactor"]);
    refuses("--transform none --cofactor 5", &["--cofactor", "--transform"]);
    refuses("--steps 0", &["--steps", "above 0"]);
    refuses("--epochs 0", &["--epochs", "above 0"]);
    refuses("--steps 5 --epochs 5", &["--steps", "--epochs"]);
    refuses("--seed x", &["--seed"]);
    refuses("--threads 100000", &["--threads 100000", "1024"]);
    refuses("--layer foo", &["c1.fcs", "no layer foo"]);
    refuses("--biaxial CD3,CD4", &["--report"]);
    refuses("--report r.html --biaxial CD3", &["two markers"]);
    refuses("--report r.html --biaxial CD3,CD44", &["CD44", "did you mean CD4?"]);
    refuses("--save-model m --model-dir n", &["--model-dir", "--save-model"]);
}

#[test]
fn a_configuration_that_says_something_unknown_is_refused_with_its_place() {
    let dir = support::files();
    for (yaml, says) in [
        ("metod: ambient", ["metod", "method"]),
        ("method: magic", ["magic", "line 1"]),
        ("method: [", ["job.yaml", "line 2"]),
        ("steps: -3", ["-3", "line 1"]),
        ("steps: 3\nepochs: 3", ["epochs", "steps"]),
        ("model: {learning_rat: 1}", ["model: learning_rat", "learning_rate"]),
        ("model: {learning_rate: -1}", ["learning_rate", "above 0"]),
        ("model: {minibatch: 0}", ["minibatch", "above 0"]),
        ("model: {hidden: []}", ["hidden", "at least one"]),
        ("cofactor: .nan", ["cofactor", "above 0"]),
    ] {
        dir.write("job.yaml", yaml);
        dir.refuses(2, &format!("{FILES} -o o.fcs --config job.yaml"), &says);
    }
    dir.refuses(3, &format!("{FILES} -o o.fcs --config none.yaml"), &["none.yaml", "configuration"]);
    dir.write("job.yaml", "method: ambient");
    for args in ["-o job.yaml --config job.yaml", "-o o.fcs --report ./job.yaml --config job.yaml"] {
        dir.refuses(2, &format!("{FILES} {args} --force"), &["job.yaml", "input is never changed"]);
    }
    // An empty file asks for nothing special.
    dir.write("job.yaml", "");
    dir.scx(&format!("{FILES} -o o.fcs --config job.yaml --steps 5")).ok();
}

#[test]
fn too_many_unnamed_markers_and_the_same_control_twice_are_noticed() {
    let (dir, runs) = (support::Dir::new(), support::runs());
    let n = runs.obs.len();
    let var = scx::data::Frame::new(scx::data::Index::names((0..501).map(|i| format!("gene{i}")).collect()));
    let mut d = scx::data::Dataset::new(runs.obs.clone(), var);
    let values = scx::data::Values::F32((0..n * 501).map(|i| (i % 97) as f32).collect());
    d.x = Some(scx::data::Matrix::Dense(scx::data::Dense::new(n, 501, values).unwrap()));
    dir.save("runs.h5ad", &d);
    dir.refuses(2, &format!("{RUNS} -o o.h5ad"), &["runs.h5ad", "501 variables", "500", "--markers"]);
    let dir = support::files();
    let run = dir.scx("correct --spikein c1.fcs ./c1.fcs --sample s.fcs -o o.fcs --steps 5").ok();
    run.says(&["warning: c1.fcs: ", "source and target control"]);
    let says = ["d2.fcs", "held-out target"];
    dir.refuses(2, "correct --spikein c1.fcs d2.fcs --sample s.fcs -o p.fcs --holdout d1.fcs d2.fcs", &says);
}

#[test]
fn no_threads_are_refused_in_every_verb() {
    let dir = support::files();
    let threads = ["convert s.fcs o.h5ad --threads 0", "cluster s.fcs -o o.h5ad --threads 0"];
    threads.iter().for_each(|args| dir.refuses(2, args, &["--threads", "1 or more"]));
}

#[test]
fn a_wrong_name_in_a_configuration_is_told_with_its_line() {
    let dir = support::files();
    dir.write("unknown.yaml", "seed: 1\nresolutoin: 2\n");
    dir.write("nested.yaml", "seed: 1\nmodel:\n  minibatsh: 2\n");
    dir.write("twice.yaml", "seed: 1\nresolution: 2\nseed: 3\n");
    let run = |config: &str| format!("cluster s.fcs -o o.h5ad --config {config}.yaml");
    dir.refuses(2, &run("unknown"), &["unknown.yaml: line 2", "resolutoin", "did you mean resolution"]);
    dir.refuses(2, &run("nested"), &["nested.yaml: line 3", "minibatsh"]);
    dir.refuses(2, &run("twice"), &["twice.yaml", "seed", "line 3"]);
}

#[test]
fn the_options_of_evaluate_generation_can_come_from_a_file() {
    let dir = support::files();
    let printed =
        dir.scx("evaluate generation --real r.h5ad --synthetic n.h5ad --trees 7 --print-config").ok();
    assert!(
        printed.stdout.contains("trees: 7") && printed.stdout.contains("real: r.h5ad"),
        "{}",
        printed.stdout
    );
    dir.write("e.yaml", &printed.stdout);
    dir.refuses(3, "evaluate generation --config e.yaml", &["r.h5ad"]);
    dir.refuses(2, "evaluate generation --config e.yaml --max-cells 3", &["--max-cells"]);
}

#[test]
fn every_verb_that_reads_says_which_options_of_reading_it_has_no_use_for() {
    let dir = support::files();
    for verb in
        ["info s.fcs", "check s.fcs", "split s.fcs --by x --train a --test b", "cluster s.fcs -o o.csv"]
    {
        dir.scx(&format!("{verb} --genome hg38")).says(&["--genome has no meaning for FCS and is ignored"]);
    }
}
