//! Files written by scx.

use std::process::Command;

use ndarray::Array2;
use proptest::prelude::*;
use scx::io::{Format, WriteOptions, annotate, fcs, save};

use super::*;

#[test]
fn annotating_replaces_the_patched_values_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out.fcs");
    let d = read("int16_be_masked.fcs");
    let values = Array2::from_shape_vec((2, 2), vec![-1.5, 70000.25, 2.5, 1e30]).unwrap();
    let patch = Patch::new(vec![1, 4], vec![0, 2], values).unwrap();
    annotate(&d, Format::Fcs, &additions(patch, r#"{"method":"none"}"#), &out, false).unwrap();
    let again = open(&out, &ReadOptions::default()).unwrap();
    let mut want = rows(&d);
    (want[1][0], want[1][2]) = (-1.5, 70000.25);
    (want[4][0], want[4][2]) = (2.5, f64::from(1e30_f32));
    assert_eq!(rows(&again), want);
    assert_eq!((again.x.as_ref().unwrap().dtype(), again.source.dialect.as_str()), (DType::F32, "FCS3.1"));
    let value = |k: &str| again.source.keywords.iter().find(|p| p.0 == k).unwrap().1.clone();
    assert_eq!(value("SCX"), r#"[{"method":"none"}]"#);
    assert_eq!((value("$P2R"), value("$TOT")), ("65536".into(), "7".into()));
    assert!(value("$P3R").parse::<f64>().unwrap() >= f64::from(1e30_f32));
    let twice = dir.path().join("twice.fcs");
    let nothing = Patch::new(vec![], vec![], Array2::zeros((0, 0))).unwrap();
    annotate(&again, Format::Fcs, &additions(nothing, "2"), &twice, false).unwrap();
    let twice = open(&twice, &ReadOptions::default()).unwrap();
    assert_eq!(rows(&twice), want);
    let record = twice.source.keywords.iter().filter(|p| p.0 == "SCX").map(|p| p.1.as_str());
    assert_eq!(record.collect::<Vec<_>>(), [r#"[{"method":"none"},2]"#]);
}

#[test]
fn values_that_singles_cannot_hold_are_written_as_doubles() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.fcs");
    let large = (1_u32 << 24) + 1;
    for (values, dtype) in [
        (Values::U32(vec![large - 1, 0]), DType::F32),
        (Values::U32(vec![large, 0]), DType::F64),
        (Values::F64(vec![0.5, f64::NAN]), DType::F32),
        (Values::F64(vec![0.1, f64::INFINITY]), DType::F64),
    ] {
        let d = table(values, &["a"]);
        save(&d, Format::Fcs, &path, true, &WriteOptions::default()).unwrap();
        let again = open(&path, &ReadOptions::default()).unwrap();
        assert_eq!(again.x.as_ref().unwrap().dtype(), dtype);
        let bits = |d: &Dataset| events(d).iter().map(f64::to_bits).collect::<Vec<_>>();
        assert_eq!(bits(&again), bits(&d));
    }
    let e = save(
        &table(Values::U64(vec![u64::MAX, 1]), &["a"]),
        Format::Fcs,
        &path,
        true,
        &WriteOptions::default(),
    )
    .unwrap_err();
    assert!(e.to_string().contains("18446744073709551615"), "{e}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_called_by_its_name() {
    let e =
        fcs::write(&table(Values::F32(vec![1.0]), &["a"]), Path::new("/dev/full"), &WriteOptions::default())
            .unwrap_err();
    assert!(matches!(e, scx::io::WriteError::Full { .. }), "{e}");
}

#[test]
fn new_values_outside_the_events_are_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out.fcs");
    let patch = Patch::new(vec![7], vec![0], Array2::zeros((1, 1))).unwrap();
    let e = annotate(&read("float_be.fcs"), Format::Fcs, &additions(patch, "{}"), &out, false).unwrap_err();
    assert!(e.to_string().contains("outside the 7 events × 3 channels"), "{e}");
    assert!(!out.exists());
}

/// Reads ORIGINAL and WRITTEN with two other programs: same events but column 0 of event 0, same names.
const READ_BACK: &str = r#"
import sys, warnings
warnings.simplefilter("ignore")
import fcsparser, flowio, numpy as np
original, written = sys.argv[1:]
old, new = flowio.FlowData(original, ignore_offset_error=True), flowio.FlowData(written)
# New values are written on the linear scale, as they are read.
decades, first = old.channels[1]["pne"]
wanted = -2.75 if decades == 0 else first * 10 ** (decades * -2.75 / old.channels[1]["pnr"])
b = new.as_array(preprocess=False)
assert np.isclose(b[0, 0], wanted, rtol=1e-6), b[0, 0]
linear, again = old.as_array(), new.as_array()
linear[0, 0] = again[0, 0]
assert linear.shape == again.shape and np.allclose(linear, again, rtol=1e-12, atol=0, equal_nan=True)
assert old.pnn_labels == new.pnn_labels
assert [s.strip() for s in old.pns_labels] == [s.strip() for s in new.pns_labels]
assert new.version == "3.1" and new.text["scx"] == '[{"a|b":"\u00b5"}]', new.text["scx"]
assert all(new.text[k].strip() == v.strip() for k, v in old.text.items()
           if not k.startswith(("begin", "end", "p")) and k not in ("datatype", "byteord", "mode", "nextdata", "tot", "scx"))
meta, table = fcsparser.parse(written, reformat_meta=False)
assert (table.to_numpy() == b.astype(table.to_numpy().dtype)).all()
print("ok", b.shape)
"#;

#[test]
fn flowio_and_fcsparser_read_what_is_written() {
    let Some(python) = std::env::var_os("SCX_PYTHON") else {
        println!("skipped: SCX_PYTHON is not set");
        return;
    };
    let mut originals = ["float_be.fcs", "double_le.fcs", "supplement.fcs", "end_one_past.fcs"]
        .map(|n| fixtures("fcs").join(n))
        .to_vec();
    if let Some(folder) = real_data() {
        let real = [
            "cytofin/Yescarta-Exhaustion-102518_Sample_18_HA-Control.fcs",
            "flowcore/060909.001",
            "fcsfilesjl/Attune.fcs",
            "instruments/Stratedigm_S1400_mixed16_32.fcs",
            "bead_normalization/20120222_cells_found_beads.fcs",
        ];
        originals.extend(real.map(|n| folder.join(n)));
    }
    let dir = tempfile::tempdir().unwrap();
    for original in originals {
        let d = open(&original, &ReadOptions::default()).unwrap();
        let out = dir.path().join("out.fcs");
        let patch = Patch::new(vec![0], vec![0], Array2::from_elem((1, 1), -2.75)).unwrap();
        annotate(&d, Format::Fcs, &additions(patch, "{\"a|b\":\"\u{b5}\"}"), &out, true).unwrap();
        let run = Command::new(&python).arg("-c").arg(READ_BACK).arg(&original).arg(&out).output().unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert!(run.status.success() && stdout.starts_with("ok"), "{}: {stdout}{stderr}", original.display());
    }
}

fn any_values() -> impl Strategy<Value = Values> {
    let n = 0..60_usize;
    prop_oneof![
        prop::collection::vec(any::<f32>(), n.clone()).prop_map(Values::F32),
        prop::collection::vec(any::<f64>(), n.clone()).prop_map(Values::F64),
        prop::collection::vec(any::<u8>(), n.clone()).prop_map(Values::U8),
        prop::collection::vec(any::<u16>(), n.clone()).prop_map(Values::U16),
        prop::collection::vec(any::<u32>(), n.clone()).prop_map(Values::U32),
        prop::collection::vec(0..1_u64 << 53, n).prop_map(Values::U64),
    ]
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(
        values in any_values(),
        names in prop::collection::btree_set("[a-zA-Z0-9|/\\\\ µ中,-]{1,8}", 1..6),
        stain in "[|/\\\\\u{c}a-z µ]{0,9}",
        keywords in prop::collection::vec(("[a-zA-Z][a-zA-Z0-9|/µ #]{0,9}[a-z]", "\\PC{0,20}"), 0..6),
    ) {
        let names: Vec<String> = names.into_iter().filter(|n| !n.trim().is_empty()).collect();
        prop_assume!(!names.is_empty());
        let (n_rows, n) = (values.len() / names.len(), names.len());
        let mut values = values;
        scx::with_values!(&mut values, v => v.truncate(n_rows * n));
        let stains: Vec<String> = names.iter().enumerate()
            .map(|(i, _)| if i == 0 && !stain.trim().is_empty() { stain.clone() } else { String::new() })
            .collect();
        let var = Frame::new(Index::names(names.clone())).with("marker", Column::Strings(stains.clone()));
        let mut d = Dataset::new(Frame::new(Index::Range(n_rows)), var);
        d.x = Some(Matrix::Dense(Dense::new(n_rows, n, values).unwrap()));
        d.source.keywords = keywords.clone();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.fcs");
        save(&d, Format::Fcs, &path, false, &WriteOptions::default()).unwrap();
        let again = open(&path, &ReadOptions::default()).unwrap();
        prop_assert_eq!(again.var.index.iter().map(|n| n.into_owned()).collect::<Vec<_>>(), names);
        prop_assert_eq!(texts(&again, "marker"), stains);
        let bits = |d: &Dataset| -> Vec<u64> {
            let nan = |v: f64| if v.is_nan() { f64::NAN } else { v };
            events(d).iter().map(|v| nan(v).to_bits()).collect()
        };
        prop_assert_eq!(bits(&again), bits(&d));
        let own = |k: &str| k.starts_with('$');
        let kept: Vec<_> = again.source.keywords.iter().filter(|p| !own(&p.0)).cloned().collect();
        let want: Vec<_> = keywords.into_iter()
            .map(|(k, v)| (k, if v.is_empty() { " ".into() } else { v }))
            .collect();
        prop_assert_eq!(kept, want);
    }
}

/// A data set of two channels with keywords that know of three.
fn with_keywords(values: Values) -> Dataset {
    let mut d = table(values, &["CD3", "FSC"]);
    let pairs =
        [("$P1N", "FSC"), ("$P2N", "CD3"), ("$P3N", "SSC"), ("$P1V", "300"), ("$P2V", "450"), ("$P3V", "1")];
    d.source.keywords = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    d
}

#[test]
fn keywords_of_channels_follow_them_and_come_from_uns_when_the_source_has_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.fcs");
    let mut d = with_keywords(Values::F32(vec![1.0, 2.0]));
    for round in 0..2 {
        save(&d, Format::Fcs, &path, true, &WriteOptions::default()).unwrap();
        let again = open(&path, &ReadOptions::default()).unwrap();
        assert_eq!((keyword(&again, "$P1V"), keyword(&again, "$P2V")), (Some("450"), Some("300")), "{round}");
        assert_eq!(keyword(&again, "$P3V"), None);
        let uns = fcs::keywords_to_uns(&d.source.keywords, "FCS3.0");
        d.source.keywords.clear();
        d.uns.insert("fcs".into(), uns);
    }
}

#[test]
fn version_3_2_is_written_with_the_keywords_it_asks_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.fcs");
    let options = WriteOptions { fcs_version: scx::io::FcsVersion::V3_2, ..WriteOptions::default() };
    save(&with_keywords(Values::F64(vec![0.1, 2.0])), Format::Fcs, &path, false, &options).unwrap();
    let (again, warnings) = warned(|| open(&path, &ReadOptions::default()).unwrap());
    assert_eq!((again.source.dialect.as_str(), rows(&again)), ("FCS3.2", vec![vec![0.1, 2.0]]));
    assert_eq!((keyword(&again, "$CYT"), keyword(&again, "$DATATYPE")), (Some("unknown"), Some("D")));
    assert_eq!(warnings, "");
}

#[test]
fn sparse_matrices_and_matrices_left_on_disk_are_written_row_by_row() {
    use scx::data::{Layout, Sparse};
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.fcs");
    // 1 0 2 / 0 0 0 / 0 3 4, by rows and by columns.
    let csr =
        Sparse::new(Layout::Csr, (3, 3), vec![0, 2, 2, 4], vec![0, 2, 1, 2], Values::U16(vec![1, 2, 3, 4]));
    let csr = csr.unwrap();
    for m in [csr.clone(), csr.turned().unwrap()] {
        let mut d = table(Values::F32(vec![0.0; 9]), &["a", "b", "c"]);
        d.x = Some(Matrix::Sparse(m));
        save(&d, Format::Fcs, &path, true, &WriteOptions::default()).unwrap();
        let again = open(&path, &ReadOptions::default()).unwrap();
        assert_eq!(rows(&again), [[1.0, 0.0, 2.0], [0.0; 3], [0.0, 3.0, 4.0]]);
        assert_eq!(texts(&again, "pnr"), ["2.0", "4.0", "5.0"]);
        let second = dir.path().join("b.fcs");
        save(&again, Format::Fcs, &second, true, &WriteOptions::default()).unwrap();
        assert_eq!(rows(&open(&second, &ReadOptions::default()).unwrap()), rows(&again));
    }
}

#[test]
fn what_fcs_cannot_hold_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.fcs");
    let says = |d: &Dataset, what: &str| {
        let e = save(d, Format::Fcs, &path, false, &WriteOptions::default()).unwrap_err();
        assert!(matches!(e, scx::io::WriteError::CannotHold { .. }) && e.to_string().contains(what), "{e}");
        assert!(!path.exists());
    };
    let mut d = table(Values::F32(vec![1.0]), &["a"]);
    d.x = None;
    says(&d, "there is no X");
    let none = Dataset { x: Some(Matrix::Dense(Dense::new(3, 0, Values::F32(vec![])).unwrap())), ..empty(3) };
    says(&none, "there is no channel");
    says(&table(Values::I64(vec![0, (1 << 53) + 1]), &["a"]), "9007199254740993 is not exact");
}

fn empty(rows: usize) -> Dataset {
    Dataset::new(Frame::new(Index::Range(rows)), Frame::new(Index::names(vec![])))
}

#[test]
fn writing_tells_how_it_goes_and_stops_when_asked_to() {
    struct Watch(Mutex<Vec<String>>, bool);
    impl scx::progress::Progress for Watch {
        fn start(&self, what: &str, total: u64) {
            self.0.lock().unwrap().push(format!("{what} {total}"));
        }
        fn advance(&self, done: u64, _: &str) {
            self.0.lock().unwrap().push(done.to_string());
        }
        fn finish(&self) {
            self.0.lock().unwrap().push("end".into());
        }
        fn cancelled(&self) -> bool {
            self.1
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.fcs");
    let d = table(Values::F32(vec![1.0; 20_000]), &["a"]);
    let watch = Watch(Mutex::default(), false);
    let options = WriteOptions { progress: &watch, ..WriteOptions::default() };
    save(&d, Format::Fcs, &path, false, &options).unwrap();
    assert_eq!(*watch.0.lock().unwrap(), ["events 20000", "8192", "16384", "20000", "end"]);
    let stop = Watch(Mutex::default(), true);
    let options = WriteOptions { progress: &stop, ..WriteOptions::default() };
    let e = save(&d, Format::Fcs, &path, true, &options).unwrap_err();
    assert!(matches!(e, scx::io::WriteError::Cancelled { .. }), "{e}");
    // The file of before is still there, whole.
    assert_eq!(open(&path, &ReadOptions::default()).unwrap().n_obs(), 20_000);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn amplified_values_are_written_without_their_amplifier() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.fcs");
    let stored = read("log_amplifier.fcs");
    save(&stored, Format::Fcs, &path, false, &WriteOptions::default()).unwrap();
    let again = open(&path, &ReadOptions::default()).unwrap();
    assert_eq!(texts(&again, "pne"), texts(&stored, "pne"));
    assert_eq!(texts(&again, "png"), ["1.0", "1.0", "2.5"]);
    // A step that made the values linear says so in var.
    let mut linear = stored.clone();
    for (name, column) in &mut linear.var.columns {
        match name.as_str() {
            "pne" => *column = Column::Strings(vec!["0,0".into(); 3]),
            "png" => *column = Column::Numbers(Values::F64(vec![1.0; 3])),
            _ => {}
        }
    }
    save(&linear, Format::Fcs, &path, true, &WriteOptions::default()).unwrap();
    let again = open(&path, &ReadOptions::default()).unwrap();
    assert_eq!(texts(&again, "pne"), ["0,0"; 3]);
    assert_eq!((keyword(&again, "SCX_P1E"), keyword(&again, "$P3G")), (None, None));
}

/// Reads WRITTEN with two other programs and prints names, version and values.
const OPENED: &str = r#"
import sys, warnings
warnings.simplefilter("ignore")
import fcsparser, flowio
fd = flowio.FlowData(sys.argv[1])
_, table = fcsparser.parse(sys.argv[1], reformat_meta=False)
x = fd.as_array(preprocess=False)
assert (table.to_numpy(float) == x.astype(table.to_numpy().dtype)).all()
print(fd.version, fd.data_type, ",".join(fd.pnn_labels), x.tolist())
"#;

#[test]
fn new_files_of_either_version_open_in_flowio_and_fcsparser() {
    let Some(python) = std::env::var_os("SCX_PYTHON") else {
        println!("skipped: SCX_PYTHON is not set");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.fcs");
    for (version, name) in [(scx::io::FcsVersion::V3_1, "3.1"), (scx::io::FcsVersion::V3_2, "3.2")] {
        for (values, letter) in [(Values::U16(vec![1, 65535]), "F"), (Values::F64(vec![0.1, 2.0]), "D")] {
            let want: Vec<f64> = values.iter().collect();
            let options = WriteOptions { fcs_version: version, ..WriteOptions::default() };
            save(&with_keywords(values), Format::Fcs, &path, true, &options).unwrap();
            let run = Command::new(&python).arg("-c").arg(OPENED).arg(&path).output().unwrap();
            let (stdout, stderr) =
                (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
            assert_eq!(stdout.trim(), format!("{name} {letter} CD3,FSC [{want:?}]"), "{stderr}");
        }
    }
}
