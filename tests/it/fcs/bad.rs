//! Files with one fault each, files cut off and files with bytes flipped.

use scx::io::{ReadLimits, fcs};

use super::*;

/// File, kind of error, the message after the name of the file.
const BAD: &[(&str, &str, &str)] = &[
    (
        "ascii_beside_binary.fcs",
        "Unsupported",
        "unsupported: channels of text ($DATATYPE A) beside binary ones",
    ),
    (
        "ascii_no_width.fcs",
        "Malformed",
        "$P1B: 0 digits found where 1 to 32 digits or * for $DATATYPE A was expected",
    ),
    (
        "ascii_too_few.fcs",
        "Malformed",
        "$TOT: 3 events of 2 numbers were expected, DATA holds 5 numbers; export the file again",
    ),
    ("ascii_word.fcs", "Malformed", "DATA: `five` before byte 2070 found where a number was expected"),
    ("begindata_word.fcs", "Malformed", "$BEGINDATA: `12F` found where a whole number was expected"),
    ("bits_65.fcs", "Malformed", "$P1B: 65 bits found where 1 to 64 for integers was expected"),
    (
        "bits_do_not_close.fcs",
        "Malformed",
        "$TOT: 7 events of 9 bytes take 65 bytes, but DATA is said to hold 84; $TOT or the offsets are wrong, export the file again",
    ),
    (
        "byte_order_3412_of_10_bits.fcs",
        "Unsupported",
        "unsupported: values packed across bytes in the byte order 3,4,1,2",
    ),
    (
        "byte_order_3412_of_24_bits.fcs",
        "Unsupported",
        "unsupported: $BYTEORD 3,4,1,2 does not say how values of 3 bytes lie",
    ),
    (
        "byte_order_twice.fcs",
        "Malformed",
        "$BYTEORD: `1,1,2,3` found where an order of bytes such as 1,2,3,4 was expected",
    ),
    (
        "byte_order_word.fcs",
        "Malformed",
        "$BYTEORD: `big` found where an order of bytes such as 1,2,3,4 was expected",
    ),
    ("data_backwards.fcs", "Malformed", "DATA: is said to end (byte 2000) before it begins (byte 2058)"),
    (
        "data_cut.fcs",
        "Malformed",
        "DATA: truncated: header promises 2142 bytes, file has 2137; get a complete copy",
    ),
    ("data_in_header.fcs", "Malformed", "DATA: is said to begin at byte 8, inside the HEADER"),
    (
        "data_promises_exabytes.fcs",
        "Malformed",
        "DATA: truncated: header promises 12000000000002058 bytes, file has 2142; get a complete copy",
    ),
    ("datatype_z.fcs", "Malformed", "$DATATYPE: `Z` found where I, F, D or A was expected"),
    ("float_16_bits.fcs", "Malformed", "$P2B: 16 bits found where 32 for $DATATYPE F was expected"),
    ("header_cut.fcs", "Malformed", "HEADER: truncated: it takes 58 bytes, the file has 40"),
    (
        "header_word.fcs",
        "Malformed",
        "HEADER bytes 10 to 17: `     abc` found where a byte offset was expected",
    ),
    (
        "histogram.fcs",
        "Unsupported",
        "unsupported: $MODE U (histograms); only list mode L is read, export it as list-mode FCS 3.1 with float data",
    ),
    ("no_byteord.fcs", "Malformed", "TEXT: the required keyword $BYTEORD is missing or blank"),
    ("no_data_offsets.fcs", "Malformed", "DATA: neither the HEADER nor $BEGINDATA says where it begins"),
    ("no_datatype.fcs", "Malformed", "TEXT: the required keyword $DATATYPE is missing or blank"),
    ("no_par.fcs", "Malformed", "TEXT: the required keyword $PAR is missing or blank"),
    ("no_tot.fcs", "Malformed", "TEXT: the required keyword $TOT is missing or blank"),
    (
        "no_tot_no_whole_events.fcs",
        "Malformed",
        "$TOT: is missing, and the 83 bytes of DATA are no whole number of events",
    ),
    (
        "not_fcs.fcs",
        "NotRecognised",
        "not a file scx can read: it does not start with an FCS version such as `FCS3.1`",
    ),
    (
        "offsets_both_fit.fcs",
        "Malformed",
        "DATA: HEADER says 2058 and $BEGINDATA says 2062; both places fit the events ($TOT), so choose with `--fcs-offsets header` or `--fcs-offsets text`, or export the file again",
    ),
    (
        "offsets_none_fit.fcs",
        "Malformed",
        "DATA: HEADER says 2050 and $BEGINDATA says 2058; neither place fits the events ($TOT) and the file, so choose with `--fcs-offsets header` or `--fcs-offsets text`, or export the file again",
    ),
    ("own_type_other_width.fcs", "Malformed", "$P2B: 32 bits found where 64 for $DATATYPE D was expected"),
    ("par_huge.fcs", "Malformed", "TEXT: the required keyword $P4B is missing or blank"),
    ("par_word.fcs", "Malformed", "$PAR: `three` found where a whole number was expected"),
    ("par_zero.fcs", "Malformed", "$PAR: 0 found where at least one channel was expected"),
    ("range_word.fcs", "Malformed", "$P3R: `many` found where the range of an integer channel was expected"),
    (
        "supplement_cut.fcs",
        "Malformed",
        "supplemental TEXT: truncated: header promises 100000 bytes, file has 2142; get a complete copy",
    ),
    (
        "text_cut.fcs",
        "Malformed",
        "TEXT: truncated: header promises 2058 bytes, file has 900; get a complete copy",
    ),
    (
        "text_in_header.fcs",
        "Malformed",
        "HEADER: TEXT is said to lie in bytes 8 to 2057; expected it after byte 57",
    ),
    (
        "text_no_delimiter.fcs",
        "Malformed",
        "TEXT: starts with byte 0 where a delimiter (1 to 126) was expected",
    ),
    ("text_no_pairs.fcs", "Malformed", "TEXT: holds no keyword and value"),
    (
        "tot_huge.fcs",
        "Malformed",
        "$TOT: 18446744073709551615 events of 12 bytes take more than 2^64 bytes, but DATA is said to hold 84; $TOT or the offsets are wrong, export the file again",
    ),
    (
        "tot_wrong.fcs",
        "Malformed",
        "$TOT: 8 events of 12 bytes take 96 bytes, but DATA is said to hold 84; $TOT or the offsets are wrong, export the file again",
    ),
    ("version_1.fcs", "Unsupported", "unsupported: version FCS1.0; FCS 2.0, 3.0, 3.1 and 3.2 are read"),
];

#[test]
fn every_fault_gives_its_own_clear_error() {
    let folder = fixtures("bad/fcs");
    assert_eq!(BAD.iter().map(|b| b.0.to_owned()).collect::<BTreeSet<_>>(), files(&folder));
    let mut wrong = Vec::new();
    for (name, want, message) in BAD {
        let path = folder.join(name);
        let e = fcs::read(&path, &ReadOptions::default()).unwrap_err();
        let text = e.to_string();
        let text = text.strip_prefix(&format!("{}: ", path.display())).unwrap();
        if (kind(&e), text) != (*want, *message) {
            wrong.push(format!("    ({name:?}, {:?}, {text:?}),", kind(&e)));
        }
    }
    assert!(wrong.is_empty(), "found instead:\n{}", wrong.join("\n"));
}

/// All events, through the same walk every writer does.
fn walked(d: &Dataset) -> Result<Vec<f64>, scx::data::DataError> {
    let mut all = Vec::new();
    d.x.as_ref().unwrap().stream(1 << 20, &mut |_, block| {
        all.extend(block.to_f64());
        Ok(())
    })?;
    Ok(all)
}

/// A copy of a file that is damaged over and over, each time with as little writing as can be: in memory where the system
/// has a place for it, for thousands of files on a disk take minutes.
struct Copy {
    file: std::fs::File,
    path: PathBuf,
    _dir: tempfile::TempDir,
}

impl Copy {
    fn of(bytes: &[u8]) -> Self {
        let memory = tempfile::tempdir_in("/dev/shm");
        let dir = memory.unwrap_or_else(|_| tempfile::tempdir().unwrap());
        let path = dir.path().join("copy.fcs");
        std::fs::write(&path, bytes).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        Self { file, path, _dir: dir }
    }

    fn cut(&self, len: usize) {
        self.file.set_len(len as u64).unwrap();
    }

    fn put(&self, at: usize, byte: u8) {
        std::os::unix::fs::FileExt::write_all_at(&self.file, &[byte], at as u64).unwrap();
    }
}

#[test]
fn a_file_cut_anywhere_is_malformed_or_has_all_its_events() {
    for name in files(&fixtures("fcs")) {
        let whole = std::fs::read(fixtures("fcs").join(&name)).unwrap();
        assert!(whole.len() < 20_000, "{name} is too large for the repository");
        let want = walked(&read(&name)).unwrap();
        // A long file is cut at every tenth place, but everywhere near its end.
        let step = if whole.len() > 5000 { 10 } else { 1 };
        let (mut lost, mut kept) = (0, 0);
        let copy = Copy::of(&whole);
        // From the end: what is left is the beginning of the file each time.
        for len in (1..whole.len()).rev().filter(|n| n % step == 1 % step || whole.len() - n < 50) {
            copy.cut(len);
            match open(&copy.path, &ReadOptions::default()) {
                Err(ReadError::Malformed { .. }) => lost += 1,
                Ok(d) => {
                    assert_eq!(walked(&d).unwrap(), want, "{name} cut to {len} bytes");
                    kept += 1;
                }
                other => panic!("{name} cut to {len} bytes: {other:?}"),
            }
        }
        // Only what follows the events of the first data set can be missed: the second one, or what pads the file.
        let behind = match name.as_str() {
            "two_data_sets.fcs" | "lmd.fcs" => whole.len(),
            "analysis.fcs" | "analysis_in_text.fcs" | "offsets_header_nearly.fcs" => 10,
            _ => 2,
        };
        assert!(lost > 100 && kept < behind, "{name}: {lost} cuts refused, {kept} read");
    }
}

#[test]
fn a_flipped_byte_gives_an_error_or_values_but_no_panic_and_no_large_allocation() {
    let limits = ReadOptions::from(ReadLimits { max_bytes: 1 << 20 });
    for name in files(&fixtures("fcs")) {
        let whole = std::fs::read(fixtures("fcs").join(&name)).unwrap();
        let copy = Copy::of(&whole);
        let blank = |i: usize| whole[i] == b' ' && whole[i - 1] == b' ' && i > 70;
        // Of a long file every seventh byte.
        let step = if whole.len() > 5000 { 7 } else { 1 };
        for i in (0..whole.len()).step_by(step).filter(|&i| i == 0 || !blank(i)) {
            for flip in [1 << (i % 8), 0xff] {
                copy.put(i, whole[i] ^ flip);
                match fcs::read(&copy.path, &limits) {
                    Ok(d) => {
                        d.check().unwrap();
                        // Values may be wrong now, or none.
                        let _ = walked(&d);
                    }
                    Err(ReadError::Io { source, .. }) => panic!("{name} byte {i}: {source}"),
                    Err(_) => {}
                }
            }
            copy.put(i, whole[i]);
        }
    }
}

#[test]
fn a_limit_on_memory_is_kept() {
    let limits = ReadOptions::from(ReadLimits { max_bytes: 2500 });
    let path = fixtures("fcs").join("double_le.fcs");
    assert!(matches!(fcs::read(&path, &limits), Err(ReadError::TooLarge { .. })));
}
