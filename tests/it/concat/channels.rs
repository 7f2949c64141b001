//! FCS files one below the other: keywords, amplifiers and time of their channels; sheets.

use scx::data::{Column, Dataset, Dense, Frame, Index, Matrix, Values};

use crate::support::{Dir, values};

/// A file of channels with keywords; the channels are numbered as they come.
fn file(names: &[&str], x: Values, keywords: &[(&str, &str)]) -> Dataset {
    let owned: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let rows = x.len() / names.len();
    let mut d = Dataset::new(Frame::new(Index::Range(rows)), Frame::new(Index::names(owned)));
    let pn = names.iter().zip(1..).map(|(name, n)| (format!("$P{n}N"), (*name).to_owned()));
    let own = keywords.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    d.source.keywords = pn.chain(own).collect();
    d.x = Some(Matrix::Dense(Dense::new(rows, names.len(), x).unwrap()));
    d
}

/// With an amplifier and a range for each channel.
fn amplified(mut d: Dataset, pne: &[&str], range: f64) -> Dataset {
    let text = pne.iter().map(|e| (*e).to_owned()).collect();
    d.var.set("pne", Column::Strings(text));
    d.var.set("pnr", Column::Numbers(Values::F64(vec![range; pne.len()])));
    d
}

fn keyword(d: &Dataset, key: &str) -> Option<String> {
    d.source.keywords.iter().rfind(|(k, _)| k == key).map(|(_, v)| v.clone())
}

fn channel(d: &Dataset, name: &str) -> Vec<f64> {
    let i = d.var.index.iter().position(|n| n == name).unwrap();
    values(d.x.as_ref().unwrap()).column(i).to_vec()
}

#[test]
fn keywords_of_channels_follow_their_channels_and_differences_are_named() {
    let dir = Dir::new();
    let a = [
        ("$P1V", "300"),
        ("$P2V", "450"),
        ("$P2L", "488"),
        ("$P3V", "1"),
        ("$P1G", "2"),
        ("$DATE", "x"),
        ("$CYT", "c"),
    ];
    let b = [("$P2V", "300"), ("$P1V", "451"), ("$P1L", "488"), ("$P2G", "2"), ("$DATE", "y"), ("$CYT", "c")];
    dir.save("a.fcs", &file(&["FSC", "CD3", "only"], Values::F32(vec![1.0, 2.0, 3.0]), &a));
    dir.save("b.fcs", &file(&["CD3", "FSC"], Values::F32(vec![4.0, 5.0]), &b));
    let run = dir.scx("concat a.fcs b.fcs -o o.fcs --join outer").ok();
    run.says(&[
        "$PnV: left behind: files differ for CD3",
        "keywords: changed: 1 left behind, files differ: $DATE",
    ]);
    assert!(
        !run.stderr.contains("$TOT") && !run.stderr.contains("$PnG") && !run.stderr.contains("$PnL"),
        "{}",
        run.stderr
    );
    let d = dir.open("o.fcs");
    let names: Vec<_> = d.var.index.iter().map(|n| n.into_owned()).collect();
    assert_eq!(names, ["FSC", "CD3", "only"]);
    let of = |key: &str| keyword(&d, key);
    let text = |t: &str| Some(t.to_owned());
    assert_eq!((of("$P1V"), of("$P2V"), of("$P3V")), (text("300"), None, text("1")));
    assert_eq!((of("$P1G"), of("$P2L"), of("$CYT"), of("$DATE")), (text("2"), text("488"), text("c"), None));
}

#[test]
fn logarithmic_channels_stay_where_amplifiers_agree_and_become_linear_where_not() {
    let dir = Dir::new();
    let log = |range| {
        amplified(file(&["FSC", "FL1"], Values::U16(vec![7, 512, 9, 256]), &[]), &["0,0", "4,1"], range)
    };
    dir.save("a.fcs", &log(1024.0));
    dir.save("b.fcs", &log(1024.0));
    dir.save("c.fcs", &log(2048.0));
    let linear = file(&["FSC", "FL1"], Values::F32(vec![7.5, 100.0]), &[]);
    dir.save("d.fcs", &amplified(linear, &["0,0", "0,0"], 10_000.0));
    dir.scx("concat a.fcs b.fcs -o same.fcs").ok();
    let same = dir.open("same.fcs");
    assert_eq!(
        (keyword(&same, "$DATATYPE").as_deref(), keyword(&same, "$P2E").as_deref()),
        (Some("I"), Some("4,1"))
    );
    assert_eq!(channel(&same, "FL1"), [512.0, 256.0, 512.0, 256.0]);
    for (other, want) in
        [("c.fcs", vec![100.0, 10.0, 10.0, 10f64.sqrt()]), ("d.fcs", vec![100.0, 10.0, 100.0])]
    {
        let run = dir.scx(&format!("concat a.fcs {other} -o o.fcs --force")).ok();
        run.says(&["a.fcs: logarithmic channels are put on the linear scale", "FL1"]);
        let d = dir.open("o.fcs");
        let found = channel(&d, "FL1");
        assert!(
            found.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-6 * b) && found.len() == want.len(),
            "{found:?}"
        );
        assert_eq!((keyword(&d, "$P2E").as_deref(), keyword(&d, "SCX_P2E")), (Some("0,0"), None));
        assert_eq!(channel(&d, "FSC")[0], 7.0);
    }
}

#[test]
fn time_goes_on_from_file_to_file() {
    let dir = Dir::new();
    let times = |t: &[f32], step: &str, from: &str, to: &str| {
        let x = t.iter().flat_map(|t| [*t, 1.0]).collect();
        file(&["Time", "CD3"], Values::F32(x), &[("$TIMESTEP", step), ("$BTIM", from), ("$ETIM", to)])
    };
    dir.save("a.fcs", &times(&[3.0, 5.0, 4.0], "0.01", "10:00:00", "10:01:00"));
    dir.save("b.fcs", &times(&[0.0, 2.0], "0.01", "10:05:00", "10:06:00"));
    dir.save("c.fcs", &times(&[1.0, 3.0], "0.02", "10:07:00", "10:08:00"));
    dir.scx("concat a.fcs b.fcs -o plain.fcs").ok();
    assert_eq!(channel(&dir.open("plain.fcs"), "Time"), [3.0, 5.0, 4.0, 0.0, 2.0]);
    let run = dir.scx("concat a.fcs b.fcs c.fcs -o o.fcs --continuous-time").ok();
    let said =
        dir.scx("concat a.fcs b.fcs c.fcs -o p.fcs --continuous-time --dry-run").ok().stdout + &run.stderr;
    assert!(said.contains("c.fcs: put into steps of 0.01 seconds"), "{said}");
    let d = dir.open("o.fcs");
    // 5 + 1 + 0; then 8 + 1 + 2 · 1.
    assert_eq!(channel(&d, "Time"), [3.0, 5.0, 4.0, 6.0, 8.0, 11.0, 15.0]);
    assert_eq!(channel(&d, "CD3"), [1.0; 7]);
    let of = |key: &str| keyword(&d, key).unwrap_or_default();
    assert_eq!([of("$BTIM"), of("$ETIM"), of("$TIMESTEP")], ["10:00:00", "10:08:00", "0.01"]);
    let none = file(&["Time", "CD3"], Values::F32(vec![0.0, 1.0]), &[]);
    dir.save("none.fcs", &none);
    dir.refuses(2, "concat a.fcs none.fcs -o x.fcs --continuous-time", &["none.fcs", "states no $TIMESTEP"]);
    dir.save("timeless.fcs", &file(&["CD3", "CD4"], Values::F32(vec![0.0, 1.0]), &[]));
    let says = ["timeless.fcs: 0 channels are called Time"];
    dir.refuses(2, "concat a.fcs timeless.fcs -o x.fcs --continuous-time --join inner", &says);
}

#[test]
fn whole_times_stay_whole_beyond_the_range_of_one_file() {
    let dir = Dir::new();
    let times = |t: [u16; 2]| {
        let d = file(&["Time", "FL1"], Values::U16(vec![t[0], 512, t[1], 100]), &[]);
        amplified(d, &["0,0", "4,1"], 1024.0)
    };
    dir.save("a.fcs", &times([0, 1000]));
    dir.save("b.fcs", &times([500, 1023]));
    dir.scx("concat a.fcs b.fcs -o o.fcs --continuous-time").ok();
    let d = dir.open("o.fcs");
    assert_eq!(channel(&d, "Time"), [0.0, 1000.0, 1501.0, 2024.0]);
    assert_eq!(channel(&d, "FL1"), [512.0, 100.0, 512.0, 100.0]);
    let of = |key: &str| keyword(&d, key).unwrap_or_default();
    assert_eq!([of("$DATATYPE"), of("$P1R"), of("$P2R"), of("$P2E")], ["I", "2025", "1024", "4,1"]);
}

#[test]
fn a_sheet_names_the_files_and_describes_their_cells() {
    let dir = Dir::new();
    std::fs::create_dir_all(dir.path("data/day2")).unwrap();
    let one = |v: f32| file(&["CD3", "CD4"], Values::F32(vec![v, v, v, v]), &[]);
    dir.save("data/a.fcs", &one(1.0));
    dir.save("data/day2/a.fcs", &one(2.0));
    dir.save("data/day2/b.fcs", &one(3.0));
    dir.write("data/study.csv", "File , Batch,Sample ID,age\na.fcs,r1,s1,30\nday2/*.fcs,r2,s2,41\n");
    dir.scx("concat --sheet data/study.csv -o o.h5ad").ok();
    let d = dir.open("o.h5ad");
    let texts = |name: &str| {
        let c = d.obs.column(name).unwrap_or_else(|| panic!("no {name}"));
        (0..c.len()).map(|i| c.text(i).unwrap().into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(texts("run"), ["r1", "r1", "r2", "r2", "r2", "r2"]);
    assert_eq!(texts("age"), ["30", "30", "41", "41", "41", "41"]);
    assert_eq!(texts("Sample ID"), ["s1", "s1", "s2", "s2", "s2", "s2"]);
    assert_eq!(texts("file")[1..3], ["data_a", "day2_a"]);
    assert_eq!(channel(&d, "CD4"), [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]);
    dir.scx("concat --sheet data/study.csv -o o.fcs --append obs:run,obs:age").ok();
    assert_eq!(channel(&dir.open("o.fcs"), "age"), [30.0, 30.0, 41.0, 41.0, 41.0, 41.0]);
    dir.refuses(2, "concat --sheet data/study.csv data/a.fcs -o p.h5ad", &["--sheet"]);
    dir.refuses(2, "concat -o p.h5ad", &["INPUT"]);
    dir.write("data/none.csv", "run\nr1\n");
    dir.refuses(2, "concat --sheet data/none.csv -o p.h5ad", &["none.csv", "no column file"]);
    dir.write("data/one.csv", "file\na.fcs\n");
    dir.refuses(2, "concat --sheet data/one.csv -o p.h5ad", &["at least two files"]);
    dir.write("data/gone.csv", "file\na.fcs\nz.fcs\n");
    dir.scx("concat --sheet data/gone.csv -o p.h5ad").says(&["gone.csv", "z.fcs"]);
}
