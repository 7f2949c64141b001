//! Help, the manual, completions and the demo.

use crate::support::{Dir, x};

#[test]
fn help_shows_verbs_options_and_exit_codes() {
    let dir = Dir::new();
    let bare = dir.scx("");
    assert_eq!(bare.code, Some(2));
    bare.says(&["Usage:", "correct", "info", "demo"]);
    let codes = dir.scx("help exit-codes").ok().stdout;
    for code in ["0 ", "1 ", "2 ", "3 ", "4 ", "5 ", "130 ", "143 "] {
        assert!(codes.lines().any(|l| l.trim_start().starts_with(code)), "no {code} in {codes}");
    }
    let verb = dir.scx("help correct").ok().stdout;
    for option in [
        "--spikein",
        "--sample",
        "--output",
        "--batch-key",
        "--reference",
        "--method",
        "--preset",
        "--markers",
        "--layer",
        "--into-x",
        "--cofactor",
        "--transform",
        "--epochs",
        "--steps",
        "--seed",
        "--threads",
        "--holdout",
        "--save-model",
        "--model-dir",
        "--report",
        "--json",
        "--config",
        "--print-config",
        "--force",
        "--dry-run",
        "Examples:",
    ] {
        assert!(verb.contains(option), "no {option}");
    }
    assert!(dir.scx("correct --help").ok().stdout.contains("Examples:"));
    assert!(dir.scx("help").ok().stdout.contains("exit-codes"));
    dir.refuses(2, "help nonsense", &["nonsense", "correct", "exit-codes"]);
    dir.refuses(2, "corect", &["corect", "correct"]);
    assert_eq!(dir.scx("--version").ok().stdout, format!("scx {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_and_the_manual_are_printed() {
    let dir = Dir::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = dir.scx(&format!("completions {shell}")).ok().stdout;
        assert!(script.contains("scx") && script.contains("batch-key"), "{shell}");
    }
    dir.refuses(2, "completions csh", &["csh", "bash"]);
    let man = dir.scx("man").ok().stdout;
    assert!(man.contains(".TH scx") && man.contains("batch\\-key"), "{}", &man[..300]);
}

#[test]
fn the_demo_makes_its_experiment_and_prints_how_much_is_gone_and_kept() {
    let dir = Dir::new();
    let run = dir.scx("demo here --threads 2").ok();
    for word in
        ["* neuron-edit", "artefact   IFNg", "% gone", "biology    CCR6", "% kept", "here/report.html"]
    {
        assert!(run.stdout.contains(word), "no {word} in {}", run.stdout);
    }
    run.says(&["made 6 files in here", "scx correct --spikein here/run1_control.fcs here/run2_control.fcs"]);
    let expected = [
        "here",
        "here/report.html",
        "here/run1_control.fcs",
        "here/run1_control2.fcs",
        "here/run1_sample.fcs",
        "here/run1_sample_corrected.fcs",
        "here/run2_control.fcs",
        "here/run2_control2.fcs",
        "here/run2_sample.fcs",
    ];
    assert_eq!(dir.names(), expected);
    let (was, is) = (x(&dir, "here/run1_sample.fcs"), x(&dir, "here/run1_sample_corrected.fcs"));
    assert!(was.dim() == is.dim() && was != is);
    dir.refuses(2, "demo here", &["here/run1_control.fcs: exists already", "--force"]);
    // Whatever of it is there: nothing may be written before all is free.
    std::fs::create_dir(dir.path("part")).unwrap();
    dir.write("part/report.html", "precious");
    dir.refuses(2, "demo part", &["part/report.html: exists already"]);
    dir.write("file", "");
    dir.refuses(2, "demo file", &["file", "is a file", "folder"]);
    let first = dir.contents();
    dir.scx("demo here --force").ok();
    dir.is_as(&first);
}
