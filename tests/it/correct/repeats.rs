//! The same request gives the same bytes; a stored edit gives what the direct run gave; options survive a file.

use std::collections::BTreeMap;

use crate::support::{self, Dir, FILES, RUNS, x};

/// All files of a run into `out*`: corrected cells, report and model.
fn everything(dir: &Dir, form: &str, extension: &str, more: &str) -> BTreeMap<String, Vec<u8>> {
    for old in [format!("out.{extension}"), "out.html".into()] {
        let _ = std::fs::remove_file(dir.path(&old));
    }
    let _ = std::fs::remove_dir_all(dir.path("out.model"));
    dir.scx(&format!("{form} -o out.{extension} --report out.html --save-model out.model --steps 20 {more}"))
        .ok();
    let all = dir.contents().into_iter().map(|(k, v)| (k.to_string_lossy().into_owned(), v));
    let out: BTreeMap<_, _> = all.filter(|(k, v)| k.starts_with("out") && !v.is_empty()).collect();
    assert_eq!(out.len(), 5, "{:?}", out.keys());
    out
}

fn assert_same(a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>) {
    assert!(a.keys().eq(b.keys()));
    for (name, bytes) in a {
        assert!(*bytes == b[name], "{name} differs");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_at_any_number_of_threads() {
    let dir = support::files();
    let form = format!("{FILES} --holdout d1.fcs d2.fcs");
    let one = everything(&dir, &form, "fcs", "--threads 1");
    assert_same(&one, &everything(&dir, &form, "fcs", "--threads 2"));
    assert_same(&one, &everything(&dir, &form, "fcs", ""));
    let other = everything(&dir, &form, "fcs", "--seed 1");
    for name in ["out.fcs", "out.html", "out.model/weights.safetensors"] {
        assert!(one[name] != other[name], "{name} does not depend on the seed");
    }
}

#[test]
fn an_annotated_file_repeats_too() {
    let dir = support::annotated();
    let form = format!("{RUNS} --holdout held");
    let one = everything(&dir, &form, "h5ad", "--threads 1");
    assert_same(&one, &everything(&dir, &form, "h5ad", "--threads 2"));
}

#[test]
fn a_stored_edit_gives_the_values_of_the_direct_run() {
    for preset in ["paper", "default"] {
        let dir = support::files();
        dir.scx(&format!(
            "{FILES} -o direct.fcs --steps 20 --preset {preset} --save-model edit --cofactor 7"
        ))
        .ok();
        let inputs = dir.contents();
        let run = dir.scx("correct --model-dir edit --sample s.fcs -o again.fcs").ok();
        run.says(&["35 markers (as in the stored edit)"]);
        assert!(dir.bytes("direct.fcs").len().abs_diff(dir.bytes("again.fcs").len()) < 4096);
        assert_eq!(x(&dir, "direct.fcs").mapv(f64::to_bits), x(&dir, "again.fcs").mapv(f64::to_bits));
        let mut after = dir.contents();
        after.remove(std::path::Path::new("again.fcs"));
        assert!(after == inputs, "the stored edit has changed");
        // Other methods are stored as well, and another sample can be given.
        dir.scx("correct --model-dir edit --sample t.fcs -o t2.fcs --method ambient").ok();
        dir.refuses(
            2,
            "correct --model-dir edit --spikein c1.fcs c2.fcs --sample s.fcs -o no.fcs",
            &["--model-dir", "leave out --spikein"],
        );
    }
}

#[test]
fn a_stored_edit_of_runs_is_applied_to_runs() {
    let dir = support::annotated();
    dir.scx(&format!("{RUNS} --reference run2 -o a.h5ad --steps 20 --save-model edit")).ok();
    dir.scx("correct runs.h5ad --batch-key run --model-dir edit -o b.h5ad").ok();
    let layer = |name| support::layer(&dir, name, "scx_correct").mapv(f64::to_bits);
    assert_eq!(layer("a.h5ad"), layer("b.h5ad"));
    let says = ["stored edit", "run1", "--batch-key"];
    dir.refuses(2, "correct --sample runs.h5ad --model-dir edit -o c.h5ad", &says);
}

#[test]
fn a_folder_that_is_no_stored_edit_or_a_damaged_one_is_refused() {
    let dir = support::files();
    dir.refuses(3, "correct --model-dir nowhere --sample s.fcs -o o.fcs", &["nowhere: not a stored model"]);
    dir.scx(&format!("{FILES} -o o.fcs --steps 5 --save-model edit")).ok();
    let weights = dir.bytes("edit/weights.safetensors");
    for cut in [0, 7, 100, weights.len() - 1] {
        dir.write("edit/weights.safetensors", &weights[..cut]);
        dir.refuses(3, "correct --model-dir edit --sample s.fcs -o p.fcs", &["edit", "weights.safetensors"]);
    }
    dir.write("edit/weights.safetensors", weights);
    let json = String::from_utf8(dir.bytes("edit/model.json")).unwrap();
    dir.write("edit/model.json", json.replacen("\"format_version\": 1", "\"format_version\": 9", 1));
    dir.refuses(3, "correct --model-dir edit --sample s.fcs -o p.fcs", &["format 9", "format 1"]);
    dir.write("edit/model.json", &json[..json.len() / 2]);
    dir.refuses(3, "correct --model-dir edit --sample s.fcs -o p.fcs", &["model.json"]);
}

#[test]
fn printed_options_fed_back_print_the_same_and_do_the_same() {
    let dir = support::files();
    let asked =
        format!("{FILES} --holdout d1.fcs d2.fcs -o o.fcs --steps 20 --seed 5 --method ambient --cofactor 6");
    let printed = dir.scx(&format!("{asked} --markers CD3,CD4,IFNg --print-config")).ok();
    assert!(!dir.names().contains(&"o.fcs".into()));
    dir.write("job.yaml", &printed.stdout);
    let again = dir.scx("correct --config job.yaml --print-config").ok();
    assert_eq!(printed.stdout, again.stdout);
    dir.scx("correct --config job.yaml").ok();
    let first = dir.bytes("o.fcs");
    dir.scx(&format!("{asked} --markers CD3,CD4,IFNg --force")).ok();
    assert!(first == dir.bytes("o.fcs"));
    // A flag wins over the file.
    let other = dir.scx("correct --config job.yaml --print-config --seed 6 --epochs 2").ok();
    assert!(other.stdout.contains("seed: 6") && other.stdout.contains("epochs: 2"), "{}", other.stdout);
    assert!(!other.stdout.contains("steps:"), "{}", other.stdout);
}

#[test]
fn json_is_one_object_and_a_dry_run_writes_nothing() {
    let dir = support::files();
    let before = dir.contents();
    let dry = dir.scx(&format!("{FILES} -o o.fcs --report r.html --save-model m --dry-run")).ok();
    dry.says(&["35 markers"]);
    for says in ["nothing is written", "write o.fcs", "120 cells"] {
        assert!(dry.stdout.contains(says), "{}", dry.stdout);
    }
    dir.is_as(&before);
    let run = dir.scx(&format!("{FILES} --holdout d1.fcs d2.fcs -o o.fcs --steps 20 --json -q")).ok();
    assert_eq!(run.stderr, "");
    let json = run.json();
    assert_eq!(json["verb"], "correct");
    assert_eq!(json["markers"].as_array().unwrap().len(), 35);
    assert_eq!(json["training"]["steps"], 20);
    let methods = json["scores"][0]["methods"].as_array().unwrap();
    assert_eq!(methods.len(), 5);
    assert!(methods.iter().all(|m| m["holdout"]["emd_after"].is_f64()), "{methods:?}");
    assert!(json["verdict"]["text"].is_string());
}

#[test]
fn the_report_is_one_page_that_asks_the_network_for_nothing() {
    let dir = support::files();
    dir.scx(&format!(
        "{FILES} --holdout d1.fcs d2.fcs -o o.fcs --steps 20 --report r.html --biaxial CD4,IFNg"
    ))
    .ok();
    let html = String::from_utf8(dir.bytes("r.html")).unwrap();
    assert!(html.starts_with("<!") && html.trim_end().ends_with("</html>"));
    for word in ["neuron-edit", "IFNg", "<svg", "r_true"] {
        assert!(html.contains(word), "no {word}");
    }
    for word in ["<script src", "<link", "src=\"http", "url(http", "@import"] {
        assert!(!html.contains(word), "{word}");
    }
    assert!(!html.contains(dir.path("").to_str().unwrap()));
}
