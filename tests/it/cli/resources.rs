//! Exit 4, 5, 130 and 143: training that explodes, a full disk, signals; and a reader that leaves early.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{self, Dir, FILES, RUNS, Run};

#[test]
fn training_that_diverges_says_where_and_what_to_do() {
    let dir = support::files();
    dir.write("job.yaml", "model: {learning_rate: 1.0e6}\n");
    let says = ["training diverged at step", "epoch", "learning"];
    for preset in ["paper", "default"] {
        let args =
            format!("{FILES} -o o.fcs --report r.html --save-model m --config job.yaml --preset {preset}");
        dir.refuses(4, &args, &says);
    }
}

/// Runs with files limited to so many blocks of 512 bytes; a write past that fails as on a full disk.
fn limited(dir: &Dir, blocks: u32, args: &str) -> Run {
    dir.shell(&format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$SCX\" {args}"))
}

#[test]
fn a_full_disk_leaves_nothing_and_what_was_there_before() {
    let says = |name: &'static str| [name, "no space left"];
    let dir = support::files();
    let before = dir.contents();
    limited(&dir, 8, &format!("{FILES} -o o.fcs --steps 5")).fails(5, &says("o.fcs"));
    dir.is_as(&before);
    limited(&dir, 8, "correct --spikein c1.fcs c2.fcs --sample s.fcs t.fcs -o out --steps 5")
        .fails(5, &says("out/s.fcs"));
    dir.is_as(&before);
    dir.write("o.fcs", "old");
    let before = dir.contents();
    limited(&dir, 8, &format!("{FILES} -o o.fcs --force --steps 5")).fails(5, &says("o.fcs"));
    dir.is_as(&before);

    let dir = support::annotated();
    let before = dir.contents();
    for blocks in [0, 1, 8, 64, 256] {
        limited(&dir, blocks, &format!("{RUNS} -o o.h5ad --steps 5")).fails(5, &says("o.h5ad"));
        dir.is_as(&before);
    }
}

#[test]
fn a_full_disk_under_the_model_or_the_report_leaves_no_half_of_them() {
    let dir = support::files();
    // The cells fit, the network's weights do not.
    let run = limited(&dir, 512, &format!("{FILES} -o o.fcs --save-model m --steps 5"));
    run.fails(5, &["m", "no space left"]);
    let names = dir.names();
    assert!(!names.iter().any(|n| n == "m" || n.starts_with(".scx")), "{names:?}");
    let run = limited(&dir, 64, &format!("{FILES} -o p.fcs --report r.html --steps 5"));
    run.fails(5, &["r.html", "no space left"]);
    let names = dir.names();
    assert!(!names.iter().any(|n| n == "r.html" || n.starts_with(".scx")), "{names:?}");
}

/// Starts a training that would take hours and sends a signal in the middle of it.
fn interrupted(signal: &str, code: i32) {
    let dir = support::files();
    let before = dir.contents();
    let args = format!("{FILES} -o o.fcs --report r.html --save-model m --steps 1000000");
    let child = dir.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Before the handler is there a signal would simply kill; half a second is training for sure.
    std::thread::sleep(Duration::from_millis(700));
    let sent = Instant::now();
    let id = child.id().to_string();
    assert!(Command::new("sh").args(["-c", &format!("kill -{signal} {id}")]).status().unwrap().success());
    let run = Run::new(&child.wait_with_output().unwrap());
    assert!(sent.elapsed() < Duration::from_secs(10), "{:?}", sent.elapsed());
    run.fails(code, &["stopped", "nothing was written"]);
    dir.is_as(&before);
}

#[test]
fn ctrl_c_in_training_ends_with_130_and_no_output() {
    interrupted("INT", 130);
}

#[test]
fn termination_in_training_ends_with_143_and_no_output() {
    interrupted("TERM", 143);
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let dir = support::files();
    let quiet = |line: &str| {
        let run = dir.shell(&format!("{{ {line}; echo $? >&2; }} | head -c 1")).ok();
        assert_eq!(run.stderr, "0\n", "{line}");
    };
    quiet("\"$SCX\" info s.fcs s.fcs s.fcs s.fcs s.fcs s.fcs");
    quiet("\"$SCX\" man");
    quiet("\"$SCX\" help correct");
    quiet("\"$SCX\" --help");
    quiet("\"$SCX\" completions bash");
    quiet(&format!("\"$SCX\" {FILES} -o o.fcs --steps 5 -q"));
}
