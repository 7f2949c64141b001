//! Panels that differ between files, columns that are no markers, panel files and `scx panel`. The inputs rebuild what
//! people reported to other programs: renamed and re-stained channels, derived columns with a stain, tables of FlowJo and
//! of imaging programs.

use ndarray::Array2;
use scx::data::{Column, Dataset, Dense, Frame, Index, Matrix, Values};
use scx::rng::Seed;

use crate::support::{Dir, Run, x};

const MARKERS: [&str; 10] = ["CD45", "CD3", "CD4", "CD8", "CD19", "CD56", "CD14", "HLA-DR", "CD123", "CD95"];
const METALS: [&str; 10] = [
    "Y89Di", "Nd142Di", "Nd143Di", "Nd144Di", "Nd145Di", "Nd146Di", "Sm147Di", "Nd148Di", "Sm149Di",
    "Nd150Di",
];
/// What the second run does to each marker.
const DRIFT: [f64; 10] = [1.3, 2.0, 0.6, 1.5, 1.0, 0.5, 2.5, 1.2, 0.8, 1.8];
/// Place of HLA-DR.
const DR: usize = 7;

/// Column of a file: channel, stain, values.
type Channel = (String, String, Vec<f64>);

/// The value of a made column in each cell.
type Value = fn(usize) -> f64;

/// Cells of two types: every other marker is high on one of them.
fn cells(n: usize, seed: u64, run: usize) -> Vec<Channel> {
    let mut random = Seed(seed).stream("cells");
    let kind: Vec<usize> = (0..n).map(|_| random.below(2)).collect();
    (0..MARKERS.len())
        .map(|j| {
            let gain = if run == 2 { DRIFT[j] } else { 1.0 };
            let mut value = |k: &usize| {
                let mean = if (j + k).is_multiple_of(2) { 3.5 } else { 0.4 };
                5.0 * (mean + 0.3 * random.normal()).sinh() * gain
            };
            (METALS[j].to_owned(), MARKERS[j].to_owned(), kind.iter().map(&mut value).collect())
        })
        .collect()
}

fn column(channel: &str, stain: &str, n: usize, value: impl Fn(usize) -> f64) -> Channel {
    (channel.to_owned(), stain.to_owned(), (0..n).map(value).collect())
}

fn save(dir: &Dir, name: &str, channels: &[Channel]) {
    let text = |of: fn(&Channel) -> &String| channels.iter().map(|c| of(c).clone()).collect::<Vec<_>>();
    let n = channels[0].2.len();
    let mut names = text(|c| &c.0);
    for i in 0..names.len() {
        if names[..i].contains(&names[i]) {
            names[i].push_str("-1");
        }
    }
    let var = Frame::new(Index::names(names))
        .with("marker", Column::Strings(text(|c| &c.1)))
        .with("channel", Column::Strings(text(|c| &c.0)));
    let mut dataset = Dataset::new(Frame::new(Index::Range(n)), var);
    let values = (0..n).flat_map(|i| channels.iter().map(move |c| c.2[i] as f32)).collect();
    dataset.x = Dense::new(n, channels.len(), Values::F32(values)).ok().map(Matrix::Dense);
    dir.save(name, &dataset);
}

/// Control and sample of run 1, and what `change` makes of the control of run 2.
fn runs(change: impl Fn(&mut Vec<Channel>)) -> Dir {
    let dir = Dir::new();
    save(&dir, "c1.fcs", &cells(200, 1, 1));
    save(&dir, "s.fcs", &cells(120, 3, 1));
    let mut control = cells(200, 2, 2);
    change(&mut control);
    save(&dir, "c2.fcs", &control);
    dir
}

const CORRECT: &str = "correct --spikein c1.fcs c2.fcs --sample s.fcs --method mean-shift --steps 2";

/// The columns of two files that differ.
fn moved(was: &Array2<f64>, is: &Array2<f64>) -> Vec<usize> {
    assert_eq!(was.dim(), is.dim());
    (0..was.ncols()).filter(|&j| was.column(j) != is.column(j)).collect()
}

fn all_but(j: usize) -> Vec<usize> {
    (0..MARKERS.len()).filter(|k| *k != j).collect()
}

/// The line of stderr that starts so.
fn line<'a>(run: &'a Run, start: &str) -> &'a str {
    run.stderr.lines().find(|l| l.starts_with(start)).unwrap_or_default()
}

#[test]
fn another_order_spelling_and_metal_change_nothing_and_are_listed() {
    let plain = runs(|_| {});
    plain.scx(&format!("{CORRECT} -o o.fcs")).ok();
    let dir = runs(|channels| {
        channels.rotate_left(3);
        for (channel, stain, _) in channels.iter_mut() {
            match stain.as_str() {
                "CD3" => *stain = "cd3".into(),
                "CD4" => *stain = "CD 4".into(),
                "CD8" => *stain = "144Nd_CD8".into(),
                "HLA-DR" => *stain = "HLADR".into(),
                // On another metal.
                "CD95" => *channel = "Gd155Di".into(),
                _ => {}
            }
        }
    });
    let run = dir.scx(&format!("{CORRECT} -o o.fcs --report r.html")).ok();
    assert_eq!(x(&dir, "o.fcs"), x(&plain, "o.fcs"));
    assert!(run.stdout.contains("paired with c1.fcs otherwise than by equal stains:"), "{}", run.stdout);
    let listed = "CD8: CD8 (Nd144Di) and 144Nd_CD8 (Nd144Di) of c2.fcs, by another spelling of the stain";
    assert!(run.stdout.contains(listed), "{}", run.stdout);
    let page = String::from_utf8(dir.bytes("r.html")).unwrap();
    assert!(page.contains("144Nd_CD8") && page.contains("another spelling"));
    let json = dir.scx(&format!("{CORRECT} -o p.fcs --json")).ok().json();
    let unequal = json["pairing"]["unequal"].as_array().unwrap();
    let names: Vec<&str> = unequal.iter().map(|p| p["marker"].as_str().unwrap()).collect();
    assert_eq!(names, ["CD3", "CD4", "CD8", "HLA-DR"]);
    assert!(unequal.iter().all(|p| p["how"] == "folded_stain" && p["file"] == "c2.fcs"), "{unequal:?}");
}

#[test]
fn another_stain_or_none_on_a_channel_is_left_uncorrected_and_both_are_named() {
    for (stain, says) in [
        ("CD38", "channel Nd148Di carries HLA-DR in c1.fcs and CD38 in c2.fcs"),
        ("", "channel Nd148Di carries HLA-DR in c1.fcs and has no stain in c2.fcs"),
        ("  ", "has no stain in c2.fcs"),
    ] {
        let dir = runs(|channels| channels[DR].1 = stain.into());
        let run = dir.scx(&format!("{CORRECT} -o o.fcs --report r.html")).ok();
        assert_eq!(moved(&x(&dir, "s.fcs"), &x(&dir, "o.fcs")), all_but(DR));
        assert!(line(&run, "warning: left uncorrected").contains(says), "{}", run.stderr);
        assert!(run.stdout.contains(says), "{}", run.stdout);
        assert!(String::from_utf8(dir.bytes("r.html")).unwrap().contains("HLA-DR in c1.fcs and"));
        let json = dir.scx(&format!("{CORRECT} -o p.fcs --json")).ok().json();
        assert_eq!(json["pairing"]["left_uncorrected"][0]["marker"], "HLA-DR");
        assert_eq!(json["markers"].as_array().unwrap().len(), 9);
        dir.refuses(
            3,
            &format!("{CORRECT} -o q.fcs --markers HLA-DR,CD3"),
            &[says, "--markers CD3", "--panel"],
        );
        dir.scx(&format!("{CORRECT} -o q.fcs --markers CD3")).ok();
    }
    let dir = runs(|channels| channels[DR].1 = "CD38".into());
    dir.refuses(
        3,
        &format!("{CORRECT} -o q.fcs --markers CD38"),
        &["CD38", "c1.fcs has HLA-DR on channel Nd148Di"],
    );
    // An edit that was learnt without HLA-DR, and one that was learnt with it.
    dir.scx(&format!("{CORRECT} -o o.fcs --save-model nine")).ok();
    dir.scx("correct --model-dir nine --sample s.fcs -o p.fcs --method mean-shift").ok();
    assert_eq!(x(&dir, "o.fcs"), x(&dir, "p.fcs"));
    let whole = runs(|_| {});
    whole.scx(&format!("{CORRECT} -o o.fcs --save-model ten")).ok();
    let mut sample = cells(120, 3, 1);
    sample[DR].1 = "CD38".into();
    save(&whole, "t.fcs", &sample);
    let says = ["t.fcs", "HLA-DR in the stored edit and CD38 in t.fcs", "without --model-dir"];
    whole.refuses(3, "correct --model-dir ten --sample t.fcs -o q.fcs", &says);
}

#[test]
fn a_missing_channel_is_refused_with_a_list_that_works() {
    let dir = runs(|channels| {
        channels.remove(DR);
    });
    let says = ["c2.fcs", "only in c1.fcs: HLA-DR", "--markers CD45,CD3,CD4,CD8,CD19,CD56,CD14,CD123,CD95"];
    dir.refuses(3, &format!("{CORRECT} -o o.fcs"), &says);
    dir.scx(&format!("{CORRECT} -o o.fcs --markers CD45,CD3,CD4,CD8,CD19,CD56,CD14,CD123,CD95")).ok();
    assert_eq!(moved(&x(&dir, "s.fcs"), &x(&dir, "o.fcs")), all_but(DR));
}

#[test]
fn a_panel_file_pairs_renames_and_decides() {
    let dir = runs(|channels| channels[DR].1.clear());
    let rows = |last: &str| {
        format!("channel,marker,role\nY89Di,CD45,lineage\nNd142Di,CD3,\nSm147Di,CD14,none\n{last}\n")
    };
    dir.write("panel.csv", rows("Nd148Di,HLA-DR,state"));
    let run = dir.scx(&format!("{CORRECT} -o o.fcs --panel panel.csv")).ok();
    assert_eq!(moved(&x(&dir, "s.fcs"), &x(&dir, "o.fcs")), [0, 1, DR]);
    assert!(
        run.stdout.contains("HLA-DR: HLA-DR (Nd148Di) and channel Nd148Di of c2.fcs, by the panel file"),
        "{}",
        run.stdout
    );
    run.says(&[
        "3 markers (as told by panel.csv)",
        "CD14 (role none in the panel file)",
        "not in the panel file",
    ]);
    dir.write("panel.csv", rows("Nd148D,HLA-DR,state"));
    let says = ["panel.csv", "no file has the channel Nd148D (line 5)", "did you mean Nd148Di?"];
    dir.refuses(3, &format!("{CORRECT} -o p.fcs --panel panel.csv"), &says);
    dir.write("panel.csv", rows("Nd148Di,HLA-DR,lineal"));
    dir.refuses(
        3,
        &format!("{CORRECT} -o p.fcs --panel panel.csv"),
        &["line 5", "lineal", "did you mean lineage?"],
    );
    dir.refuses(3, &format!("{CORRECT} -o p.fcs --panel none.csv"), &["none.csv"]);
    // Two names of one antibody.
    let dir = runs(|channels| channels[8].1 = "IL-3Ra".into());
    dir.write("panel.csv", "channel;marker;spellings\nSm149Di;CD123;IL3RA\n");
    dir.scx(&format!("{CORRECT} -o o.fcs --panel panel.csv")).ok();
    assert_eq!(moved(&x(&dir, "s.fcs"), &x(&dir, "o.fcs")), [8]);
}

#[test]
fn a_first_panel_file_marks_conflicts_pairs_as_names_do_and_holds_what_is_filled_in() {
    let dir = runs(|channels| {
        channels[DR].1.clear();
        channels[2].1 = "cd4".into();
        channels.push(column("Time", "", 200, |i| i as f64));
    });
    let run = dir.scx("panel c1.fcs c2.fcs s.fcs -o panel.csv").ok();
    for word in
        ["! Nd148Di", "no stain in c2.fcs", "* Nd143Di", "1 with a conflict", "Time", "wrote panel.csv"]
    {
        assert!(run.stdout.contains(word), "no {word} in {}", run.stdout);
    }
    let table = String::from_utf8(dir.bytes("panel.csv")).unwrap();
    assert!(table.starts_with("channel,marker,role,cofactor,conflict,note,c1.fcs,c2.fcs,s.fcs\n"), "{table}");
    assert!(table.contains("\nNd148Di,HLA-DR,,,no stain in c2.fcs,,HLA-DR,,HLA-DR\n"), "{table}");
    assert!(table.contains("\nTime,,none,,,time,absent,,absent\n"), "{table}");
    dir.scx(&format!("{CORRECT} -o names.fcs")).ok();
    dir.scx(&format!("{CORRECT} -o table.fcs --panel panel.csv")).ok();
    assert_eq!(x(&dir, "names.fcs"), x(&dir, "table.fcs"));
    dir.write("panel.csv", table.replace("HLA-DR,,HLA-DR\n", "HLA-DR,HLA-DR,HLA-DR\n"));
    dir.scx(&format!("{CORRECT} -o filled.fcs --panel panel.csv")).ok();
    assert_eq!(moved(&x(&dir, "names.fcs"), &x(&dir, "filled.fcs")), [DR]);
    dir.refuses(2, "panel c1.fcs -o panel.csv", &["panel.csv", "exists already"]);
    dir.refuses(2, "panel c1.fcs -o c1.fcs --force", &["c1.fcs", "is an input"]);
    let json = dir.scx("panel c1.fcs c2.fcs --json").ok().json();
    assert_eq!(json["panel"]["rows"][DR]["conflicts"][0], "no stain in c2.fcs");
}

#[test]
fn tables_of_catalyst_and_premessa_are_panel_files() {
    let dir = runs(|channels| channels[DR].1.clear());
    dir.write(
        "catalyst.csv",
        "fcs_colname,antigen,marker_class\nNd142Di,CD3,type\nNd148Di,HLADR,state\nNd143Di,CD4,none\n",
    );
    dir.scx(&format!("{CORRECT} -o a.fcs --panel catalyst.csv")).ok();
    assert_eq!(moved(&x(&dir, "s.fcs"), &x(&dir, "a.fcs")), [1, DR]);
    let premessa = "Remove,Parameter,Most common,c1.fcs,c2.fcs,s.fcs\nFALSE,Nd142Di,CD3,CD3,CD3,CD3\n\
                    FALSE,Nd148Di,DR,HLA-DR,DR,HLA-DR\nTRUE,Nd143Di,CD4,CD4,CD4,CD4\n";
    dir.write("premessa.csv", premessa);
    dir.scx(&format!("{CORRECT} -o b.fcs --panel premessa.csv")).ok();
    assert_eq!(moved(&x(&dir, "s.fcs"), &x(&dir, "b.fcs")), [1, DR]);
    let run = dir.scx("panel c1.fcs s.fcs --panel catalyst.csv -o first.csv").ok();
    let table = String::from_utf8(dir.bytes("first.csv")).unwrap();
    assert!(table.contains("\nNd142Di,CD3,lineage,"), "{table}{}", run.stderr);
}

#[test]
fn columns_that_programs_add_are_never_touched() {
    let derived: [(&str, Value); 24] = [
        ("tSNE1", |i| (i * 37 % 101) as f64 * 0.31 - 15.0),
        ("UMAP_1", |i| (i * 53 % 97) as f64 * 0.17),
        ("FlowSOM_metacluster", |i| (1 + i * 7 % 20) as f64),
        ("cluster_id", |i| (1 + i * 11 % 100) as f64),
        ("Original_ID", |i| i as f64),
        ("file_id", |_| 1.0),
        ("FileNo", |i| (i % 3) as f64),
        ("SampleID", |i| (i % 2) as f64),
        ("bc_separation_dist", |i| (i * 31 % 89) as f64 / 89.0),
        ("mahalanobis_dist", |i| (i * 29 % 83) as f64 / 7.0),
        ("OmiqFileIndex", |_| 1.0),
        ("TIME_MSW", |_| 3.0),
        ("SORT", |i| (i % 2) as f64),
        ("Live", |i| (i * 17 % 61) as f64 / 3.0),
        ("Viability", |i| (i * 19 % 67) as f64 / 3.0),
        ("EQ4_beads", |i| (i * 23 % 71) as f64 / 3.0),
        ("remove_from_FS_FM", |i| (i % 2) as f64),
        ("Comp-AF-A", |i| (i * 13 % 59) as f64 * 1.7),
        ("Gaussian_mean", |i| (i * 41 % 73) as f64 * 1.3),
        ("DOUBLET", |i| (i % 5 / 4) as f64),
        ("HDR-CE", |i| (i * 43 % 79) as f64 * 0.1),
        // Names that say nothing: a label, ids in another order, a clock.
        ("mine", |i| (1 + i * 3 % 12) as f64),
        ("zz", |i| (i * 61 % 997) as f64),
        ("tick", |i| i as f64 * 0.37),
    ];
    let add = |channels: &mut Vec<Channel>| {
        let n = channels[0].2.len();
        channels.insert(0, column("Time", "Time", n, |i| i as f64));
        channels.extend(derived.iter().map(|(name, value)| column(name, name, n, value)));
    };
    let dir = Dir::new();
    for (name, seed, run) in [("c1.fcs", 1, 1), ("c2.fcs", 2, 2), ("s.fcs", 3, 1)] {
        let mut channels = cells(200, seed, run);
        add(&mut channels);
        save(&dir, name, &channels);
    }
    let run = dir.scx(&format!("{CORRECT} -o o.fcs")).ok();
    assert_eq!(moved(&x(&dir, "s.fcs"), &x(&dir, "o.fcs")), (1..=10).collect::<Vec<_>>());
    let listed = line(&run, "no markers, left as they are: ");
    for word in [
        "Time, TIME_MSW (time)",
        "EQ4_beads (beads)",
        "mine (few whole numbers",
        "tick (values that only rise",
    ] {
        assert!(listed.contains(word), "no {word} in {listed}");
    }
    let info = dir.scx("info s.fcs").ok().stdout;
    for row in ["10 of them markers", "* Nd142Di  CD3", "cluster_id  cluster_id  (cluster)"] {
        assert!(info.contains(row), "no {row} in {info}");
    }
    let json = dir.scx("info s.fcs --json").ok().json();
    let markers = json["files"][0]["markers"].as_array().unwrap();
    assert_eq!(markers.iter().filter(|m| m["marker"] == true).count(), 10);
    assert_eq!((&markers[11]["name"], &markers[11]["reason"]), (&"tSNE1".into(), &"embedding".into()));
    // By name they can be asked for.
    dir.scx(&format!("{CORRECT} -o v.fcs --markers Viability,CD3")).ok();
    assert_eq!(moved(&x(&dir, "s.fcs"), &x(&dir, "v.fcs")).len(), 2);
    // The same list serves annotated files, which have no $PnS.
    let mut h5ad = dir.open("s.fcs");
    h5ad.var.columns.retain(|(name, _)| name != "marker" && name != "channel");
    let names = (0..h5ad.n_vars()).map(|j| {
        if j == 0 {
            "Time"
        } else if j <= 10 {
            MARKERS[j - 1]
        } else {
            derived[j - 11].0
        }
    });
    h5ad.var.index = Index::names(names.map(str::to_owned).collect());
    dir.save("s.h5ad", &h5ad);
    dir.scx(
        "correct --spikein c1.fcs c2.fcs --sample s.h5ad --method mean-shift --steps 2 -o o.h5ad --into-x",
    )
    .ok();
    assert_eq!(moved(&x(&dir, "s.h5ad"), &x(&dir, "o.h5ad")), (1..=10).collect::<Vec<_>>());
}

/// A table of cells as text: names of columns, and a row a cell.
fn table(dir: &Dir, name: &str, head: &[String], rows: usize, value: impl Fn(usize, usize) -> f64) {
    let mut text = head.join(",") + "\n";
    for i in 0..rows {
        let row: Vec<String> = (0..head.len()).map(|j| format!("{:.4}", value(i, j))).collect();
        text.push_str(&(row.join(",") + "\n"));
    }
    dir.write(name, text);
}

#[test]
fn tables_of_flowjo_and_of_imaging_programs_name_markers_and_the_rest() {
    let dir = Dir::new();
    let dyes = ["BV421", "BV510", "BV605", "BV650", "BV711", "FITC", "PE", "PE-Cy7", "APC", "APC-Cy7"];
    for (name, seed, run) in [("c1.csv", 1, 1), ("c2.csv", 2, 2), ("s.csv", 3, 1)] {
        let cells = cells(150, seed, run);
        let mut head = vec!["FSC-A".to_owned(), "SSC-A".to_owned()];
        head.extend(dyes.iter().zip(MARKERS).map(|(d, m)| format!("Comp-{d}-A :: {m}")));
        head.extend(["Comp-AF-A".to_owned(), "Time".to_owned()]);
        table(&dir, name, &head, 150, |i, j| match j {
            0 | 1 => 9e4 + (i * 37 % 101) as f64 * 90.5,
            2..12 => cells[j - 2].2[i] * 30.0,
            12 => (i * 13 % 59) as f64 * 1.7,
            _ => i as f64 * 0.01,
        });
    }
    let run = dir
        .scx("correct --spikein c1.csv c2.csv --sample s.csv --method mean-shift --steps 2 --cofactor 150 -o o.csv")
        .ok();
    run.says(&[
        "10 markers",
        "CD45, CD3, CD4, CD8, CD19, CD56, CD14, HLA-DR, CD123, CD95",
        "FSC-A, SSC-A (scatter)",
    ]);
    assert_eq!(moved(&x(&dir, "s.csv"), &x(&dir, "o.csv")), (2..12).collect::<Vec<_>>());
    let info = dir.scx("info s.csv").ok().stdout;
    assert!(
        info.contains("10 variables that could be markers; no markers: FSC-A, SSC-A (scatter)"),
        "{info}"
    );

    for (name, seed, run) in [("i1.csv", 1, 1), ("i2.csv", 2, 2), ("is.csv", 3, 1)] {
        let cells = cells(150, seed, run);
        let mut head = vec!["ObjectNumber".to_owned(), "ImageNumber".to_owned()];
        head.extend(MARKERS.map(str::to_owned));
        head.extend(["X_position", "Y_position", "Area"].map(str::to_owned));
        table(&dir, name, &head, 150, |i, j| match j {
            0 => (i + 1) as f64,
            1 => seed as f64,
            2..12 => cells[j - 2].2[i],
            12 => i as f64 * 1.5,
            13 => (i % 13) as f64 * 2.0,
            _ => (40 + i % 30) as f64,
        });
    }
    dir.scx("correct --spikein i1.csv i2.csv --sample is.csv --method mean-shift --steps 2 -o io.csv").ok();
    let (was, is) = (x(&dir, "is.csv"), x(&dir, "io.csv"));
    let first = was.ncols() - 13;
    assert_eq!(moved(&was, &is), (first..first + 10).collect::<Vec<_>>());
}

#[test]
fn channels_whose_names_repeat_are_corrected_by_position() {
    let twice = |channels: &mut Vec<Channel>| {
        channels[4].0 = "FL1-H".into();
        channels[5].0 = "FL1-H".into();
    };
    let dir = Dir::new();
    for (name, seed, run) in [("c1.fcs", 1, 1), ("c2.fcs", 2, 2), ("s.fcs", 3, 1)] {
        let mut channels = cells(150, seed, run);
        twice(&mut channels);
        save(&dir, name, &channels);
    }
    let plain = Dir::new();
    for (name, seed, run) in [("c1.fcs", 1, 1), ("c2.fcs", 2, 2), ("s.fcs", 3, 1)] {
        save(&plain, name, &cells(150, seed, run));
    }
    dir.scx(&format!("{CORRECT} -o o.fcs")).ok();
    plain.scx(&format!("{CORRECT} -o o.fcs")).ok();
    assert_eq!(x(&dir, "o.fcs"), x(&plain, "o.fcs"));
}

#[test]
fn markers_by_default_of_every_real_file_are_as_reviewed() {
    let Ok(data) = std::env::var("SCX_REAL_DATA") else {
        println!("skipped: SCX_REAL_DATA is not set");
        return;
    };
    let mut files = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(&data).join("fcs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let dir = Dir::new();
    let mut found = String::new();
    for path in files {
        let name = path.strip_prefix(&data).unwrap().display().to_string();
        let run = dir.scx(&format!("info --json {}", path.display()));
        found.push_str(&name);
        found.push('\n');
        if run.code != Some(0) {
            found.push_str("  (cannot be read)\n");
            continue;
        }
        let json = run.json();
        let file = &json["files"][0];
        let stains = file["stains"].as_array().unwrap();
        for (marker, stain) in file["markers"].as_array().unwrap().iter().zip(stains) {
            if marker["marker"] == true {
                let stain = stain.as_str().unwrap();
                found.push_str(&format!("  {} | {stain}\n", marker["name"].as_str().unwrap()));
            }
        }
    }
    let list = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/correct/markers_of_real_files.txt");
    let reviewed = std::fs::read_to_string(list).unwrap();
    for (i, (a, b)) in reviewed.lines().zip(found.lines()).enumerate() {
        assert_eq!(
            a,
            b,
            "line {} of {list}: reviewed and found differ; look at it, then change the list",
            i + 1
        );
    }
    assert_eq!(reviewed.lines().count(), found.lines().count());
}

#[test]
fn a_channel_made_from_what_is_known_of_cells_is_no_marker() {
    let dir = Dir::new();
    let mut channels = cells(200, 1, 1);
    channels.push(column("Time", "", 200, |i| i as f64));
    save(&dir, "a.fcs", &channels);
    dir.scx("convert a.fcs a.h5ad").ok();
    let mut d = dir.open("a.h5ad");
    let level = Values::F64((0..200).map(|i| f64::from(i as u32 * 37 % 199) * 1.37).collect());
    d.obs.set("level", Column::Numbers(level));
    dir.save("b.h5ad", &d);
    dir.scx("convert b.h5ad b.fcs --append obs:level").ok();
    let info = dir.scx("info b.fcs").ok();
    let line = info.stdout.lines().find(|l| l.contains("level")).unwrap();
    assert!(line.contains("from a column of obs or obsm"), "{}", info.stdout);
}
