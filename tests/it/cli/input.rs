//! Exit 3: files that cannot be read or learnt from, as any of the inputs. Nothing is written.

use std::os::unix::fs::PermissionsExt;

use scx::simulate::MARKERS;

use crate::support::{self, Dir, FILES, RUNS, experiment, first, with_value};

/// The bad file as each of the inputs.
fn refused_everywhere(dir: &Dir, bad: &str, says: &[&str]) {
    let mut says = says.to_vec();
    says.push(bad);
    for args in [
        format!("--spikein {bad} c2.fcs --sample s.fcs"),
        format!("--spikein c1.fcs {bad} --sample s.fcs"),
        format!("--spikein c1.fcs c2.fcs --sample s.fcs {bad}"),
        format!("--spikein c1.fcs c2.fcs --sample s.fcs --holdout d1.fcs {bad}"),
    ] {
        let out = if args.ends_with(&format!("s.fcs {bad}")) { "out" } else { "o.fcs" };
        dir.refuses(3, &format!("correct {args} -o {out} --steps 5 --report r.html --save-model m"), &says);
    }
    dir.refuses(3, &format!("info {bad}"), &says);
}

#[test]
fn what_is_no_file_of_ours_is_named_whatever_it_serves_as() {
    let dir = support::files();
    dir.write("empty.fcs", "");
    dir.write("text.fcs", "Dear all,\nhere are the cells.\n");
    dir.write("short.fcs", "FCS3.0");
    dir.write("packed.fcs", [0x1f, 0x8b, 8, 0, 0, 0]);
    dir.write("half.h5ad", b"\x89HDF\r\n\x1a\n");
    std::fs::create_dir(dir.path("folder.fcs")).unwrap();
    refused_everywhere(&dir, "missing.fcs", &["No such file"]);
    refused_everywhere(&dir, "folder.fcs", &["is a folder"]);
    refused_everywhere(&dir, "empty.fcs", &["is empty"]);
    refused_everywhere(&dir, "text.fcs", &["neither like FCS", "HDF5"]);
    refused_everywhere(&dir, "packed.fcs", &["gzip", "unpack"]);
    refused_everywhere(&dir, "short.fcs", &[]);
    refused_everywhere(&dir, "half.h5ad", &[]);
}

#[test]
fn a_pipe_is_no_file_and_is_not_waited_for() {
    let dir = support::files();
    dir.shell("mkfifo pipe.fcs").ok();
    refused_everywhere(&dir, "pipe.fcs", &["a pipe or a device"]);
}

#[test]
fn a_file_without_permission_is_refused() {
    let dir = support::files();
    std::fs::set_permissions(dir.path("s.fcs"), std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::File::open(dir.path("s.fcs")).is_ok() {
        println!("skipped: this user may read everything");
        return;
    }
    dir.refuses(3, &format!("{FILES} -o o.fcs"), &["s.fcs", "Permission denied"]);
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let dir = support::files();
    let whole = dir.bytes("s.fcs");
    let number = |at: std::ops::Range<usize>| {
        String::from_utf8_lossy(&whole[at]).trim().parse::<usize>().expect("an offset in the header")
    };
    let (text, data, end) = (number(10..18), number(26..34), number(34..42));
    for cut in
        [3, 9, 40, 57, text + 1, (text + data) / 2, data - 1, data, data + 1, (data + end) / 2, end - 4, end]
    {
        dir.write("cut.fcs", &whole[..cut]);
        dir.refuses(3, "correct --spikein c1.fcs c2.fcs --sample cut.fcs -o o.fcs", &["cut.fcs"]);
    }
    let dir = support::annotated();
    let whole = dir.bytes("runs.h5ad");
    for cut in [4, 8, 48, 96, 500, whole.len() / 4, whole.len() / 2, whole.len() - 4096, whole.len() - 1] {
        dir.write("cut.h5ad", &whole[..cut]);
        let args = "correct cut.h5ad --batch-key run --spikein is_control -o o.h5ad --steps 5";
        dir.refuses(3, args, &["cut.h5ad"]);
    }
}

#[test]
fn unsupported_kinds_say_so() {
    let dir = support::files();
    let mut bytes = dir.bytes("s.fcs");
    // The mode in TEXT, `$MODE` and its value between delimiters.
    let at = bytes.windows(5).position(|w| w == b"$MODE").expect("$MODE") + 6;
    bytes[at] = b'U';
    dir.write("histogram.fcs", bytes);
    refused_everywhere(&dir, "histogram.fcs", &["unsupported", "histograms"]);
}

#[test]
fn a_missing_output_folder_stops_before_any_work() {
    let dir = support::files();
    // Training that began would diverge: another exit code.
    dir.write("job.yaml", "model: {learning_rate: 1.0e6}\n");
    let start = format!("{FILES} --config job.yaml");
    let says = ["the folder no", "does not exist", "make it first"];
    dir.refuses(2, &format!("{start} -o no/o.fcs"), &says);
    dir.refuses(2, &format!("{start} -o no/deep/o.fcs"), &["no/deep"]);
    dir.refuses(2, &format!("{start} -o no/deep/"), &says);
    dir.refuses(2, &format!("{start} -o o.fcs --report no/r.html"), &says);
    dir.refuses(2, &format!("{start} -o o.fcs --save-model no/m"), &says);
    dir.refuses(2, &format!("{start} -o c1.fcs/o.fcs"), &["c1.fcs"]);
    dir.refuses(2, &format!("{start} -o o.fcs --save-model c1.fcs/m"), &["c1.fcs"]);
}

#[test]
fn panels_that_differ_are_listed_from_both_sides() {
    let dir = support::files();
    let rename = |file: &str, renamed: &[(&str, &str)]| {
        let mut d = experiment().sample[0].dataset();
        for (name, column) in &mut d.var.columns {
            let scx::data::Column::Strings(texts) = column else { continue };
            for text in texts.iter_mut().filter(|_| name == "marker") {
                if let Some((_, new)) = renamed.iter().find(|(old, _)| old == text) {
                    *text = (*new).into();
                }
            }
        }
        // Other channels too, or the channel would still tell which marker it is.
        let names = |prefix: &str| (0..d.n_vars()).map(|j| format!("{prefix}{j}")).collect::<Vec<_>>();
        let names = names("Other");
        d.var.index = scx::data::Index::names(names.clone());
        for (name, column) in &mut d.var.columns {
            if name == "channel" {
                *column = scx::data::Column::Strings(names.clone());
            }
        }
        dir.save(file, &d);
    };
    rename("other.fcs", &[("CD3", "CD2"), ("IFNg", "IFNb")]);
    let says = ["only in c1.fcs: CD3, IFNg", "only in other.fcs: CD2, IFNb", "--markers"];
    dir.refuses(3, "correct --spikein c1.fcs c2.fcs --sample other.fcs -o o.fcs", &says);
    dir.refuses(3, "correct --spikein c1.fcs other.fcs --sample s.fcs -o o.fcs", &says);
    // The same stains in other channels are the same markers.
    rename("same.fcs", &[]);
    dir.scx("correct --spikein c1.fcs c2.fcs --sample same.fcs -o o.fcs --steps 5").ok();
    dir.scx("correct --spikein c1.fcs c2.fcs --sample other.fcs -o p.fcs --steps 5 --markers CD4,CD8a").ok();
}

#[test]
fn fewer_than_twenty_control_cells_are_not_enough() {
    let dir = support::files();
    for (file, cells, what) in [
        ("c1.fcs", &experiment().control[0], "source control"),
        ("c2.fcs", &experiment().control[1], "target control"),
        ("d2.fcs", &experiment().second_control[1], "held-out target"),
    ] {
        dir.save(file, &first(cells, 19));
        let args = format!("{FILES} --holdout d1.fcs d2.fcs -o o.fcs --steps 5");
        dir.refuses(3, &args, &[file, what, "19 cells", "at least 20"]);
        dir.save(file, &cells.dataset());
    }
    dir.save("s.fcs", &first(&experiment().sample[0], 0));
    dir.refuses(3, &format!("{FILES} -o o.fcs"), &["s.fcs", "no cells"]);
    dir.save("s.fcs", &first(&experiment().sample[0], 1));
    dir.scx(&format!("{FILES} -o o.fcs --steps 5")).ok();
}

#[test]
fn events_that_are_no_numbers_are_named_by_cell_and_marker() {
    let dir = support::files();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        dir.save("s.fcs", &with_value(&experiment().sample[0], 117, "CD4", value));
        dir.refuses(3, &format!("{FILES} -o o.fcs"), &["s.fcs", "cell 117, CD4", "finite number"]);
    }
    dir.scx(&format!("{FILES} -o o.fcs --steps 5 --markers CD3,CD8a")).ok();
    let mut runs = support::runs();
    runs.values[(40, MARKERS.len() - 1)] = f32::NAN;
    let dir = Dir::new();
    dir.save("runs.h5ad", &runs.dataset(Some(runs.dense())));
    dir.refuses(3, &format!("{RUNS} -o o.h5ad"), &["runs.h5ad", "cell 40, Ki67", "NaN"]);
}

#[test]
fn a_control_without_any_variation_is_nothing_to_learn_from() {
    let dir = support::files();
    let mut cells = experiment().control[0].clone();
    cells.values.fill(100.0);
    dir.save("c1.fcs", &cells.dataset());
    dir.refuses(3, &format!("{FILES} -o o.fcs --steps 5"), &["c1.fcs", "every marker is constant"]);
}

#[test]
fn info_shows_the_good_files_and_fails_for_the_bad_one() {
    let dir = support::files();
    let run = dir.scx("info s.fcs missing.fcs t.fcs");
    assert_eq!(run.code, Some(3));
    assert!(run.stdout.contains("s.fcs: FCS") && run.stdout.contains("t.fcs: FCS"), "{}", run.stdout);
    run.says(&["missing.fcs"]);
    let json = dir.scx("info s.fcs t.fcs --json").ok().json();
    assert_eq!(json["files"][1]["n_vars"], 37);
}
