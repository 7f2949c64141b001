//! FCS files against FlowIO's reading of them, bad files, and files written by scx.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use ndarray::Array2;
use proptest::prelude::*;
use scx::data::{Column, DType, Dataset, Dense, Frame, Index, Matrix, Patch, Values};
use scx::io::{
    Additions, Format, NewValues, ReadError, ReadLimits, ReadOptions, WriteOptions, annotate, fcs, open, save,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder)
}

/// Paths of all files below `folder`, relative to it.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    found
}

fn dense(d: &Dataset) -> &Dense {
    match d.x.as_ref().unwrap() {
        Matrix::Dense(x) => x,
        other => panic!("not dense: {other:?}"),
    }
}

fn rows(d: &Dataset) -> Vec<Vec<f64>> {
    let all: Vec<f64> = dense(d).values().iter().collect();
    all.chunks(d.n_vars()).map(<[f64]>::to_vec).collect()
}

fn texts(d: &Dataset, column: &str) -> Vec<String> {
    let column = d.var.column(column).unwrap();
    (0..column.len()).map(|i| column.text(i).unwrap().into_owned()).collect()
}

fn read(name: &str) -> Dataset {
    open(&fixtures("fcs").join(name), &ReadOptions::default()).unwrap()
}

fn kind(e: &ReadError) -> &'static str {
    match e {
        ReadError::NotRecognised { .. } => "NotRecognised",
        ReadError::Malformed { .. } => "Malformed",
        ReadError::Unsupported { .. } => "Unsupported",
        ReadError::TooLarge { .. } => "TooLarge",
        _ => "Io",
    }
}

/// What `f` returns and the warnings it gave.
fn warned<T>(f: impl FnOnce() -> T) -> (T, String) {
    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let sink = Sink::default();
    let writer = sink.clone();
    let subscriber = tracing_subscriber::fmt()
        .without_time()
        .with_level(false)
        .with_target(false)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let out = tracing::subscriber::with_default(subscriber, f);
    let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    (out, text)
}

/// The keywords as FlowIO folds them, hashed.
fn folded(keywords: &[(String, String)]) -> (u64, String) {
    let fold: BTreeMap<String, String> =
        keywords.iter().map(|(k, v)| (k.to_lowercase().replace('$', ""), v.replace('$', ""))).collect();
    let lines: String = fold.iter().map(|(k, v)| format!("{k}\x1f{v}\x1e")).collect();
    (fold.len() as u64, hex(&Sha256::digest(lines.as_bytes())))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn strings(v: &Value) -> Vec<&str> {
    v.as_array().unwrap().iter().map(|x| x.as_str().unwrap()).collect()
}

fn real_data() -> Option<PathBuf> {
    let folder = std::env::var_os("SCX_REAL_DATA").map(|p| PathBuf::from(p).join("fcs"));
    if folder.is_none() {
        println!("skipped: SCX_REAL_DATA is not set");
    }
    folder
}

/// Differences between a file read and what FlowIO (or the standard) says of it.
fn differences(d: &Dataset, want: &Value) -> Vec<String> {
    let mut out = Vec::new();
    let mut check = |what: &str, same: bool| {
        if !same {
            out.push(what.to_owned());
        }
    };
    check("number of events", d.n_obs() as u64 == want["events"].as_u64().unwrap());
    check("channel names", texts(d, "channel") == strings(&want["channels"]));
    // A stain of blanks is how Partec and others write that there is none.
    let stains = strings(&want["stains"]).into_iter().map(|s| if s.trim().is_empty() { "" } else { s });
    check("stains", texts(d, "marker") == stains.collect::<Vec<_>>());
    let n = d.n_vars();
    let mut sums = vec![0.0; n];
    let mut sha = Sha256::new();
    for (i, v) in dense(d).values().iter().enumerate() {
        sums[i % n] += v;
        sha.update(v.to_le_bytes());
    }
    let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * b.abs().max(1.0);
    // JSON numbers are parsed to the last bit or nearly so: the hash is what is exact.
    let same = |a: &[f64], b: &Value| a.len() == n && a.iter().zip(&numbers(b)).all(close);
    check("sums", same(&sums, &want["sums"]));
    let rows = rows(d);
    check("first event", same(&rows[0], &want["first"]));
    check("last event", same(&rows[rows.len() - 1], &want["last"]));
    check("bytes of all events", hex(&sha.finalize()) == want["sha256"].as_str().unwrap());
    let (count, hash) = folded(&d.source.keywords);
    check("number of keywords", count == want["keywords"].as_u64().unwrap());
    check("keywords", hash == want["keywords_sha256"].as_str().unwrap());
    out
}

#[test]
fn every_real_file_reads_as_flowio_reads_it_or_gives_the_right_error() {
    let Some(folder) = real_data() else { return };
    let mut wanted = BTreeMap::new();
    for name in files(&fixtures("expected/fcs")) {
        let text = std::fs::read_to_string(fixtures("expected/fcs").join(name)).unwrap();
        let want: Value = serde_json::from_str(&text).unwrap();
        wanted.insert(want["file"].as_str().unwrap().to_owned(), want);
    }
    assert_eq!(wanted.keys().cloned().collect::<BTreeSet<_>>(), files(&folder));
    let mut wrong = Vec::new();
    for (name, want) in &wanted {
        let read = open(&folder.join(name), &ReadOptions::default());
        match (read, want.get("error").and_then(Value::as_str)) {
            (Ok(d), None) => wrong.extend(differences(&d, want).into_iter().map(|w| format!("{name}: {w}"))),
            (Err(e), Some(error)) => {
                if kind(&e) != error || !e.to_string().contains(want["phrase"].as_str().unwrap()) {
                    wrong.push(format!("{name}: {error} expected, {} found: {e}", kind(&e)));
                }
            }
            (Ok(_), Some(error)) => wrong.push(format!("{name}: read, {error} expected")),
            (Err(e), None) => wrong.push(format!("{name}: {e}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_real_file_written_again_holds_the_same_events_and_keywords() {
    let Some(folder) = real_data() else { return };
    let dir = tempfile::tempdir().unwrap();
    for name in files(&folder) {
        let Ok(d) = open(&folder.join(&name), &ReadOptions::default()) else { continue };
        let out = dir.path().join("out.fcs");
        let patch = Patch::new(vec![0], vec![1], Array2::from_elem((1, 1), 3.25)).unwrap();
        annotate(&d, Format::Fcs, &additions(patch, "{}"), &out, true).unwrap();
        let again = open(&out, &ReadOptions::default()).unwrap();
        let mut want = rows(&d);
        want[0][1] = 3.25;
        assert!(rows(&again) == want, "{name}: events");
        assert_eq!(again.var, d.var, "{name}");
        let new = &again.source.keywords;
        for (key, value) in &d.source.keywords {
            let value = if value.is_empty() { " " } else { value };
            let kept = new.iter().any(|(k, v)| k == key && v == value);
            assert!(kept || structural(key), "{name}: {key} is lost");
        }
    }
}

fn structural(key: &str) -> bool {
    let key = key.to_ascii_uppercase();
    let own = key.strip_prefix("$P").map(|k| k.trim_start_matches(|c: char| c.is_ascii_digit()));
    matches!(own, Some("B" | "E" | "R"))
        || matches!(key.as_str(), "$DATATYPE" | "$BYTEORD" | "$MODE" | "$NEXTDATA" | "$TOT" | "$PAR")
        || matches!(key.as_str(), "$BEGINTEXT" | "$ENDTEXT")
        || ["ANALYSIS", "STEXT", "DATA"]
            .iter()
            .any(|s| key == format!("$BEGIN{s}") || key == format!("$END{s}"))
}

fn additions(patch: Patch, record: &str) -> Additions {
    let result = NewValues { layer: "scx".into(), base: None, patch, into_x: false };
    Additions { result: Some(result), record: record.into(), ..Additions::default() }
}

fn floats(rows: usize, columns: usize) -> Vec<Vec<f64>> {
    (0..rows).map(|r| (0..columns).map(|c| (r * 10 + c) as f64 + 0.5).collect()).collect()
}

#[test]
fn floats_and_doubles_of_either_byte_order_are_read() {
    let be = read("float_be.fcs");
    assert_eq!((dense(&be).values().dtype(), rows(&be)), (DType::F32, floats(7, 3)));
    assert_eq!((be.source.dialect.as_str(), be.obs.index.clone()), ("FCS3.0", Index::Range(7)));
    assert_eq!(texts(&be, "marker"), ["CD3", "", ""]);
    let le = read("double_le.fcs");
    assert_eq!((dense(&le).values().dtype(), rows(&le)), (DType::F64, floats(7, 3)));
}

#[test]
fn integers_are_masked_at_the_next_power_of_two_and_of_any_whole_bytes() {
    let raw = |r: u64, c: u64, bits: u32| (r * 1_000_003 + c * 7919) & (u64::MAX >> (64 - bits));
    let d = read("int16_be_masked.fcs");
    assert_eq!(dense(&d).values().dtype(), DType::U16);
    let masks = [1023, 65535, 1023];
    let want: Vec<Vec<f64>> =
        (0..7).map(|r| masks.iter().zip(0..).map(|(m, c)| (raw(r, c, 16) & m) as f64).collect()).collect();
    assert_eq!(rows(&d), want);
    let d = read("int_mixed_le.fcs");
    let bits = [8, 16, 24, 32, 64];
    let want: Vec<u64> = (0..7).flat_map(|r| bits.iter().zip(0..).map(move |(b, c)| raw(r, c, *b))).collect();
    assert_eq!(dense(&d).values(), &Values::U64(want));
}

#[test]
fn supplements_escapes_empty_values_and_repeated_names_are_read() {
    let has = |d: &Dataset, k: &str, v: &str| d.source.keywords.iter().any(|p| p.0 == k && p.1 == v);
    let d = read("supplement.fcs");
    assert!(has(&d, "more", "x") && d.n_obs() == 7);
    let (d, warnings) = warned(|| read("v3.2_escapes.fcs"));
    assert!(has(&d, "$P1F", "488/10") && has(&d, "note", "a/") && has(&d, "unit", "\u{b5}m"));
    assert_eq!(d.var.index.iter().collect::<Vec<_>>(), ["FL1-A", "FL1-A-1", "FL3-A"]);
    assert_eq!(texts(&d, "channel"), ["FL1-A", "FL1-A", "FL3-A"]);
    assert!(warnings.contains("$P2N `FL1-A` → `FL1-A-1`"), "{warnings}");
    let (d, warnings) = warned(|| read("empty_values.fcs"));
    assert!(has(&d, "$P3S", "") && has(&d, "last", "") && has(&d, "$P3N", "FL3-A"));
    assert!(warnings.contains("empty values"), "{warnings}");
    assert_eq!(rows(&read("header_zeros.fcs")), floats(7, 3));
    assert_eq!(read("no_events.fcs").x.unwrap().shape(), (0, 3));
}

#[test]
fn a_data_end_one_byte_past_the_last_is_read_with_a_warning_that_names_the_file() {
    let (d, warnings) = warned(|| read("end_one_past.fcs"));
    assert_eq!(rows(&d), floats(7, 3));
    let path = fixtures("fcs").join("end_one_past.fcs");
    assert!(warnings.trim_start().starts_with(path.to_str().unwrap()), "{warnings}");
    assert!(warnings.contains("one byte longer"), "{warnings}");
    assert_eq!(warned(|| read("float_be.fcs")).1, "");
}

/// File, kind of error, part of the message.
const BAD: &[(&str, &str, &str)] = &[
    ("ascii_data.fcs", "Unsupported", "$DATATYPE A"),
    ("histogram.fcs", "Unsupported", "$MODE U"),
    ("two_data_sets.fcs", "Unsupported", "several data sets"),
    ("bits_10.fcs", "Unsupported", "$P1B 10"),
    ("version_1.fcs", "Unsupported", "version FCS1.0"),
    ("mixed_types.fcs", "Unsupported", "$P2DATATYPE D"),
    ("byte_order_3412.fcs", "Unsupported", "$BYTEORD 3,4,1,2"),
    ("not_fcs.fcs", "NotRecognised", "starts neither like FCS"),
    ("header_cut.fcs", "Malformed", "it takes 58 bytes, the file has 40"),
    ("header_word.fcs", "Malformed", "HEADER bytes 10 to 17: `     abc`"),
    ("text_in_header.fcs", "Malformed", "bytes 8 to 2057"),
    ("text_cut.fcs", "Malformed", "TEXT: truncated: header promises 2058 bytes, file has 900"),
    ("text_no_delimiter.fcs", "Malformed", "starts with byte 0"),
    ("text_no_pairs.fcs", "Malformed", "no keyword and value"),
    ("no_datatype.fcs", "Malformed", "$DATATYPE is missing"),
    ("datatype_z.fcs", "Malformed", "`Z` found where I, F or D"),
    ("no_byteord.fcs", "Malformed", "$BYTEORD is missing"),
    ("no_par.fcs", "Malformed", "$PAR is missing"),
    ("par_zero.fcs", "Malformed", "$PAR: 0 found"),
    ("par_huge.fcs", "Malformed", "$P4B is missing"),
    ("par_word.fcs", "Malformed", "$PAR: `three` found"),
    ("no_tot.fcs", "Malformed", "$TOT is missing"),
    ("tot_wrong.fcs", "Malformed", "8 events of 12 bytes take 96 bytes, but DATA is said to hold 84"),
    ("tot_huge.fcs", "Malformed", "more than 2^64"),
    ("data_cut.fcs", "Malformed", "truncated: header promises 2142 bytes, file has 2137"),
    ("data_backwards.fcs", "Malformed", "end (byte 2000) before it begins (byte 2058)"),
    ("data_in_header.fcs", "Malformed", "inside the HEADER"),
    ("no_data_offsets.fcs", "Malformed", "neither the HEADER nor $BEGINDATA"),
    ("offsets_disagree.fcs", "Malformed", "HEADER says 2050 and $BEGINDATA says 2058"),
    ("begindata_word.fcs", "Malformed", "$BEGINDATA: `12F` found"),
    ("data_promises_exabytes.fcs", "Malformed", "header promises 12000000000002058 bytes, file has 2142"),
    ("float_16_bits.fcs", "Malformed", "$P2B: 16 bits found where 32"),
    ("range_word.fcs", "Malformed", "$P3R: `many` found"),
    ("supplement_cut.fcs", "Malformed", "supplemental TEXT: truncated"),
];

#[test]
fn every_fault_gives_its_own_clear_error() {
    let folder = fixtures("bad/fcs");
    assert_eq!(BAD.iter().map(|b| b.0.to_owned()).collect::<BTreeSet<_>>(), files(&folder));
    for (name, want, phrase) in BAD {
        let e = open(&folder.join(name), &ReadOptions::default()).unwrap_err();
        let text = e.to_string();
        assert_eq!(kind(&e), *want, "{text}");
        assert!(text.contains(phrase), "{text}\nshould contain: {phrase}");
        assert!(text.starts_with(folder.join(name).to_str().unwrap()), "{text}");
    }
}

#[test]
fn a_file_cut_anywhere_before_its_end_is_malformed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cut.fcs");
    for name in files(&fixtures("fcs")) {
        let whole = std::fs::read(fixtures("fcs").join(&name)).unwrap();
        assert!(whole.len() < 20_000, "{name} is too large for the repository");
        // The lists of events come last but for what follows them, if anything.
        let end = whole.len() - if name == "no_events.fcs" { 0 } else { 1 };
        for len in 1..=end.min(whole.len() - 1) {
            std::fs::write(&path, &whole[..len]).unwrap();
            match open(&path, &ReadOptions::default()) {
                Err(ReadError::Malformed { .. }) => {}
                other => panic!("{name} cut to {len} bytes: {other:?}"),
            }
        }
    }
}

#[test]
fn a_flipped_byte_gives_an_error_or_values_but_no_panic_and_no_large_allocation() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("flip.fcs");
    let limits = ReadOptions::from(ReadLimits { max_bytes: 1 << 20 });
    for name in files(&fixtures("fcs")) {
        let whole = std::fs::read(fixtures("fcs").join(&name)).unwrap();
        let blank = |i: usize| whole[i] == b' ' && whole[i - 1] == b' ' && i > 70;
        for i in (0..whole.len()).filter(|&i| i == 0 || !blank(i)) {
            for flip in [0x01, 0x04, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[i] ^= flip;
                std::fs::write(&path, &bytes).unwrap();
                match fcs::read(&path, &limits) {
                    Ok(d) => d.check().unwrap(),
                    Err(ReadError::Io { source, .. }) => panic!("{name} byte {i}: {source}"),
                    Err(_) => {}
                }
            }
        }
    }
}

#[test]
fn a_limit_on_memory_is_kept() {
    let limits = ReadOptions::from(ReadLimits { max_bytes: 2500 });
    let path = fixtures("fcs").join("double_le.fcs");
    assert!(matches!(fcs::read(&path, &limits), Err(ReadError::TooLarge { .. })));
}

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
    assert_eq!((dense(&again).values().dtype(), again.source.dialect.as_str()), (DType::F32, "FCS3.1"));
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
        assert_eq!(dense(&again).values().dtype(), dtype);
        let bits = |d: &Dataset| dense(d).values().iter().map(f64::to_bits).collect::<Vec<_>>();
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

fn table(values: Values, names: &[&str]) -> Dataset {
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let (rows, cols) = (values.len() / names.len(), names.len());
    let mut d = Dataset::new(Frame::new(Index::Range(rows)), Frame::new(Index::names(names)));
    d.x = Some(Matrix::Dense(Dense::new(rows, cols, values).unwrap()));
    d
}

/// Reads ORIGINAL and WRITTEN with two other programs: same events but column 0 of event 0, same names.
const READ_BACK: &str = r#"
import sys, warnings
warnings.simplefilter("ignore")
import fcsparser, flowio, numpy as np
original, written = sys.argv[1:]
old, new = flowio.FlowData(original, ignore_offset_error=True), flowio.FlowData(written)
a, b = old.as_array(preprocess=False), new.as_array(preprocess=False)
assert b[0, 0] == -2.75, b[0, 0]
a[0, 0] = b[0, 0]
assert a.shape == b.shape and (a == b).all()
assert old.pnn_labels == new.pnn_labels
assert [s.strip() for s in old.pns_labels] == [s.strip() for s in new.pns_labels]
assert new.version == "3.1" and new.text["scx"] == '[{"a|b":"\u00b5"}]', new.text["scx"]
assert all(new.text[k].strip() == v.strip() for k, v in old.text.items()
           if not k.startswith(("begin", "end", "p")) and k not in ("datatype", "byteord", "mode", "nextdata", "tot", "scx"))
meta, table = fcsparser.parse(written, reformat_meta=False)
assert (table.to_numpy(float) == b).all()
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

fn values() -> impl Strategy<Value = Values> {
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
        values in values(),
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
            dense(d).values().iter().map(|v| nan(v).to_bits()).collect()
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
