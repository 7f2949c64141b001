//! Whole numbers of FCS files: they stay whole numbers, and mean the same to whoever reads them.

use std::process::Command;

use ndarray::Array2;
use scx::data::{linear, logarithmic};
use scx::io::{Format, WriteOptions, annotate, save};

use super::*;
use crate::support::Dir;

/// All files with whole numbers, the real ones too.
fn whole_files() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = files(&fixtures("fcs")).iter().map(|n| fixtures("fcs").join(n)).collect();
    if let Some(folder) = real_data() {
        all.extend(files(&folder).iter().map(|n| folder.join(n)));
    }
    let is_whole = |path: &PathBuf| {
        let d = open(path, &ReadOptions::default());
        d.is_ok_and(|d| d.x.is_some_and(|x| x.dtype().is_integer()))
    };
    all.retain(is_whole);
    all
}

#[test]
fn every_file_of_whole_numbers_written_again_is_one_with_the_same_amplifiers() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out.fcs");
    let all = whole_files();
    assert!(all.len() >= 10, "{all:?}");
    for path in all {
        let d = open(&path, &ReadOptions::default()).unwrap();
        save(&d, Format::Fcs, &out, true, &WriteOptions::default()).unwrap();
        let again = open(&out, &ReadOptions::default()).unwrap();
        let name = path.display();
        assert_eq!(keyword(&again, "$DATATYPE"), Some("I"), "{name}");
        assert!(rows(&again) == rows(&d), "{name}: values");
        let small = |d: &Dataset| d.x.as_ref().unwrap().dtype() != DType::U64;
        assert!(!small(&d) || events(&again).dtype() == events(&d).dtype(), "{name}: type");
        let unknown = texts(&d, "pnr").iter().any(|r| r == "NaN");
        // A range may grow to hold what lies above it, or shrink to what 32 bits hold: never that of an amplifier.
        for (i, (new, old)) in texts(&again, "pnr").iter().zip(texts(&d, "pnr")).enumerate() {
            let log = !texts(&d, "pne")[i].starts_with('0');
            assert!(unknown || !log || *new == old, "{name}: $PnR {old} became {new}");
        }
        for column in ["pne", "png", "marker"] {
            assert_eq!(texts(&again, column), texts(&d, column), "{name}: {column}");
        }
        let odd = |k: &str| k.starts_with("SCX_P");
        assert!(!again.source.keywords.iter().any(|(k, _)| odd(k)), "{name}");
    }
}

/// Whether two files hold the same values after amplifiers, gains and time steps, as FlowIO applies them. `unreadable`
/// when FlowIO cannot read the first.
const SAME: &str = r#"
import sys, warnings
warnings.simplefilter("ignore")
import flowio, numpy as np

def read(path):
    how = dict(ignore_offset_error=True, ignore_offset_discrepancy=True)
    try:
        return flowio.FlowData(path, **how)
    except flowio.exceptions.MultipleDataSetsError:
        return flowio.read_multiple_data_sets(path, **how)[0]

before, after, patched = sys.argv[1:]
try:
    old = read(before).as_array()
except Exception as e:
    print("unreadable", e)
    sys.exit()
new = read(after)
x = new.as_array()
if patched == "patched":
    # One event has a new value, the rest went through one more rounding.
    assert new.data_type in "FD" and all(c["pne"][0] == 0 for c in new.channels.values()), new.channels
    assert not any(k.startswith("scx_p") for k in new.text), new.text
    old[0, 1] = x[0, 1]
    assert np.allclose(x, old, rtol=1e-12, atol=0), np.abs(x - old).max(0)
else:
    assert new.data_type == "I" and x.shape == old.shape
    assert np.array_equal(x, old), np.abs(x - old).max(0)
print("same", sum(c["pne"][0] > 0 for c in read(before).channels.values()))
"#;

/// What [`SAME`] prints of each file and what `change` makes of it.
fn compared(patched: bool, change: impl Fn(&Dataset, &Path)) -> Vec<String> {
    let Some(python) = std::env::var_os("SCX_PYTHON") else {
        println!("skipped: SCX_PYTHON is not set");
        return Vec::new();
    };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out.fcs");
    let mut said = Vec::new();
    for path in whole_files() {
        change(&open(&path, &ReadOptions::default()).unwrap(), &out);
        let mut run = Command::new(&python);
        run.args(["-c", SAME]).args([&path, &out]).arg(if patched { "patched" } else { "kept" });
        let run = run.output().unwrap();
        let stdout = String::from_utf8_lossy(&run.stdout).trim().to_owned();
        assert!(run.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&run.stderr));
        said.push(stdout);
    }
    let same = said.iter().filter(|s| s.starts_with("same"));
    assert!(same.clone().count() >= 3 && same.clone().any(|s| s != "same 0"), "{said:?}");
    said
}

#[test]
fn flowio_reads_the_same_values_before_and_after() {
    compared(false, |d, out| save(d, Format::Fcs, out, true, &WriteOptions::default()).unwrap());
}

#[test]
fn with_new_values_logarithmic_channels_are_linear_and_flowio_reads_the_others_as_before() {
    compared(true, |d, out| {
        let patch = Patch::new(vec![0], vec![1], Array2::from_elem((1, 1), 3.25)).unwrap();
        annotate(d, Format::Fcs, &additions(patch, "{}"), out, true).unwrap();
    });
}

#[test]
fn a_new_value_of_a_logarithmic_channel_becomes_linear_too() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out.fcs");
    let d = read("log_amplifier.fcs");
    assert_eq!(logarithmic(&d).unwrap(), [0, 1]);
    let patch = Patch::new(vec![2], vec![0, 2], Array2::from_shape_vec((1, 2), vec![256.0, 5.5]).unwrap());
    annotate(&d, Format::Fcs, &additions(patch.unwrap(), "{}"), &out, true).unwrap();
    let again = open(&out, &ReadOptions::default()).unwrap();
    let mut want = rows(&linear(d).unwrap());
    (want[2][0], want[2][2]) = (10.0, 5.5);
    assert_eq!(rows(&again), want);
    assert_eq!((texts(&again, "pne"), keyword(&again, "$DATATYPE")), (vec!["0,0".to_owned(); 3], Some("D")));
    assert_eq!(texts(&again, "png"), ["1.0", "1.0", "2.5"]);
    assert_eq!((keyword(&again, "$P1R"), keyword(&again, "SCX_P1E")), (Some("10000"), None));
}

#[test]
fn what_does_not_fit_is_stored_as_floats() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.fcs");
    let of = |values: Values, pne: &str| {
        let mut d = table(values, &["a"]);
        d.var.set("pne", Column::Strings(vec![pne.into()]));
        d.var.set("pnr", Column::Numbers(Values::F64(vec![1024.0])));
        save(&d, Format::Fcs, &path, true, &WriteOptions::default()).unwrap();
        let again = open(&path, &ReadOptions::default()).unwrap();
        let text = |k: &str| keyword(&again, k).unwrap_or_default().to_owned();
        (text("$DATATYPE") + &text("$P1B"), text("$P1E"), text("$P1R"), rows(&again).concat())
    };
    let kept = |t: &str, e: &str, r: &str, v: f64| (t.to_owned(), e.to_owned(), r.to_owned(), vec![v]);
    assert_eq!(of(Values::I64(vec![1023]), "4,1"), kept("I16", "4,1", "1024", 1023.0));
    assert_eq!(of(Values::I64(vec![70_000]), "0,0"), kept("I32", "0,0", "70001", 70_000.0));
    assert_eq!(of(Values::I32(vec![-3]), "0,0"), kept("F32", "0,0", "1024", -3.0));
    assert_eq!(of(Values::U64(vec![1 << 40]), "0,0"), kept("F32", "0,0", "1099511627777", 2f64.powi(40)));
    // A reader would mask 2048 to 0, and another range would be another amplifier: the linear value is written.
    assert_eq!(of(Values::U16(vec![2048]), "4,1"), kept("F32", "0,0", "100000001", 1e8));
}

#[test]
fn every_road_from_fcs_to_fcs_keeps_whole_numbers_and_reports_no_loss() {
    let dir = Dir::new();
    for name in ["log_amplifier.fcs", "int16_be_masked.fcs"] {
        std::fs::copy(fixtures("fcs").join(name), dir.path("in.fcs")).unwrap();
        let old = dir.open("in.fcs");
        let run = dir.scx("convert in.fcs out.fcs --json --strict --force").ok().json();
        let fate = |element: &str| {
            let all = run["elements"].as_array().unwrap();
            all.iter().find(|e| e["element"] == element).unwrap()["fate"].as_str().unwrap().to_owned()
        };
        assert_eq!((run["lost"].as_u64(), fate("X").as_str()), (Some(0), "kept"), "{run}");
        assert_eq!((fate("var[\"pne\"]"), fate("var[\"png\"]")), ("renamed".into(), "renamed".into()));
        dir.scx("convert in.fcs way.h5ad --force").ok();
        dir.scx("convert way.h5ad back.fcs --force").ok();
        dir.scx("concat in.fcs in.fcs -o twice.fcs --force").ok();
        for (out, times) in [("out.fcs", 1), ("back.fcs", 1), ("twice.fcs", 2)] {
            let new = dir.open(out);
            assert_eq!(keyword(&new, "$DATATYPE"), Some("I"), "{name} {out}");
            assert_eq!(rows(&new), vec![rows(&old); times].concat(), "{name} {out}");
            assert_eq!(texts(&new, "pne"), texts(&old, "pne"), "{name} {out}");
        }
    }
}

#[test]
fn the_estimate_of_whole_numbers_is_their_size() {
    let dir = Dir::new();
    let n = 5000;
    let mut d = table(Values::U16((0..3 * n).map(|i| i as u16 % 1024).collect()), &["a", "b", "c"]);
    dir.save("float.fcs", &d);
    d.var.set("pne", Column::Strings(vec!["4,1".into(); 3]));
    d.var.set("pnr", Column::Numbers(Values::F64(vec![1024.0; 3])));
    dir.save("whole.fcs", &d);
    for (name, width) in [("whole.fcs", 2), ("float.fcs", 4)] {
        let plan = dir.scx(&format!("convert {name} out.fcs --dry-run --json")).ok().json();
        let bytes = plan["estimate"]["output_bytes"].as_u64().unwrap();
        let x = (3 * n * width) as u64;
        assert!((x..x + 2000).contains(&bytes), "{name}: {bytes} for {x}");
        assert!((x..x + 3000).contains(&(dir.bytes(name).len() as u64)), "{name}");
    }
}
