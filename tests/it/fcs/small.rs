//! Small files of every kind the standard allows.

use super::*;

#[test]
fn floats_and_doubles_of_either_byte_order_are_read() {
    let be = read("float_be.fcs");
    assert_eq!((be.x.as_ref().unwrap().dtype(), rows(&be)), (DType::F32, floats(7, 3)));
    assert_eq!((be.source.dialect.as_str(), be.obs.index.clone()), ("FCS3.0", Index::Range(7)));
    assert_eq!(texts(&be, "marker"), ["CD3", "", ""]);
    let le = read("double_le.fcs");
    assert_eq!((le.x.as_ref().unwrap().dtype(), rows(&le)), (DType::F64, floats(7, 3)));
}

#[test]
fn integers_are_masked_at_the_next_power_of_two_and_of_any_whole_bytes() {
    let raw = |r: u64, c: u64, bits: u32| (r * 1_000_003 + c * 7919) & (u64::MAX >> (64 - bits));
    let d = read("int16_be_masked.fcs");
    assert_eq!(d.x.as_ref().unwrap().dtype(), DType::U16);
    let masks = [1023, 65535, 1023];
    let want: Vec<Vec<f64>> =
        (0..7).map(|r| masks.iter().zip(0..).map(|(m, c)| (raw(r, c, 16) & m) as f64).collect()).collect();
    assert_eq!(rows(&d), want);
    let d = read("int_mixed_le.fcs");
    let bits = [8, 16, 24, 32, 64];
    let want: Vec<u64> = (0..7).flat_map(|r| bits.iter().zip(0..).map(move |(b, c)| raw(r, c, *b))).collect();
    assert_eq!(events(&d), Values::U64(want));
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

/// Stored integers of so many bits, 7 events × so many channels.
fn integers(bits: &[u32], masked: u32) -> Vec<Vec<f64>> {
    let row = |r| bits.iter().zip(0..).map(|(b, c)| raw(r, c, (*b).min(masked))).collect();
    (0..7).map(row).collect()
}

#[test]
fn integers_packed_across_bytes_are_read_from_either_end() {
    for name in ["bits_10_be.fcs", "bits_10_le.fcs", "bits_10_each_event.fcs"] {
        let (d, warnings) = warned(|| read(name));
        assert_eq!((d.x.as_ref().unwrap().dtype(), rows(&d)), (DType::U16, integers(&[10; 3], 64)), "{name}");
        assert_eq!(warnings, "", "{name}");
        // A run in the middle begins within a byte.
        let Some(Matrix::OnDisk(m)) = &d.x else { panic!() };
        let Block::Dense(part) = m.rows(3..5).unwrap() else { panic!() };
        assert_eq!(part.values().iter().collect::<Vec<_>>(), rows(&d)[3..5].concat(), "{name}");
    }
}

#[test]
fn numbers_written_as_text_are_read_in_fields_and_freely() {
    let d = read("ascii_fixed.fcs");
    let want: Vec<Vec<f64>> = (0..7).map(|r| (0..3).map(|c| f64::from(r * 10 + c)).collect()).collect();
    assert_eq!((d.x.as_ref().unwrap().dtype(), rows(&d)), (DType::U16, want));
    let d = read("ascii_free.fcs");
    let want: Vec<Vec<f64>> = (0..1100).map(|r| (0..2).map(|c| f64::from(r % 300 + c)).collect()).collect();
    assert_eq!((d.x.as_ref().unwrap().dtype(), rows(&d)), (DType::U16, want.clone()));
    let Some(Matrix::OnDisk(m)) = &d.x else { panic!() };
    for range in [1020..1030, 1024..1025, 1099..1100, 0..0] {
        let Block::Dense(part) = m.rows(range.clone()).unwrap() else { panic!() };
        assert_eq!(part.values().iter().collect::<Vec<_>>(), want[range].concat());
    }
    let d = read("ascii_free_decimals.fcs");
    assert_eq!((d.x.as_ref().unwrap().dtype(), rows(&d)), (DType::F64, floats(7, 3)));
}

#[test]
fn bytes_in_the_order_of_old_machines_are_read() {
    let d = read("byte_order_3412.fcs");
    assert_eq!((d.x.as_ref().unwrap().dtype(), rows(&d)), (DType::F32, floats(7, 3)));
}

#[test]
fn channels_of_several_types_meet_in_the_smallest_float_that_holds_all() {
    let d = read("mixed_double.fcs");
    let want: Vec<Vec<f64>> =
        (0..7).map(|r| [0.5, 1.25, 2.0].map(|v| f64::from(r) * 10.0 + v).to_vec()).collect();
    assert_eq!((d.x.as_ref().unwrap().dtype(), rows(&d)), (DType::F64, want));
    let d = read("mixed_single.fcs");
    let want: Vec<Vec<f64>> = (0..7).map(|r| [0.5, 1.0].map(|v| f64::from(r) * 10.0 + v).to_vec()).collect();
    assert_eq!((d.x.as_ref().unwrap().dtype(), rows(&d)), (DType::F32, want));
}

#[test]
fn of_several_data_sets_the_first_is_read_unless_another_is_asked_for() {
    let path = fixtures("fcs").join("two_data_sets.fcs");
    let set = |data_set| open(&path, &ReadOptions { data_set, ..ReadOptions::default() });
    let (d, warnings) = warned(|| set(None).unwrap());
    assert_eq!(rows(&d), floats(7, 3));
    assert!(warnings.contains("holds 2 data sets") && warnings.contains("--data-set 2"), "{warnings}");
    let (d, warnings) = warned(|| set(Some(1)).unwrap());
    assert_eq!((rows(&d), warnings), (floats(7, 3), String::new()));
    assert_eq!(rows(&set(Some(2)).unwrap()), integers(&[16; 2], 64));
    for (n, says) in [(3, "data set 3 was asked for, the file holds 2"), (0, "data set 0"), (5000, "5000")] {
        let e = set(Some(n)).unwrap_err();
        assert!(e.to_string().contains(says), "{e}");
    }
}

#[test]
fn a_file_with_39_extra_data_sets_says_how_many_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("many.fcs");
    let one = |next: bool| {
        let body = "|$PAR|1|$TOT|1|$DATATYPE|F|$MODE|L|$BYTEORD|1,2,3,4|$P1B|32|$P1R|9|$P1N|a|$NEXTDATA|";
        let text = format!("{body}{}|", if next { "200" } else { "000" });
        let data = 58 + text.len();
        let head = format!("FCS2.0    {:>8}{:>8}{:>8}{:>8}{:>8}{:>8}", 58, data - 1, data, data + 3, 0, 0);
        let mut bytes = (head + &text).into_bytes();
        bytes.extend_from_slice(&1.5f32.to_le_bytes());
        bytes.resize(200, b' ');
        bytes
    };
    let mut all: Vec<u8> = (0..39).flat_map(|_| one(true)).collect();
    all.extend(one(false));
    std::fs::write(&path, all).unwrap();
    let (d, warnings) = warned(|| open(&path, &ReadOptions::default()).unwrap());
    assert_eq!(rows(&d), [[1.5]]);
    assert!(warnings.contains("holds 40 data sets") && warnings.contains("39 more data sets"), "{warnings}");
    let last = ReadOptions { data_set: Some(40), ..ReadOptions::default() };
    assert!(open(&path, &last).is_ok());
}

#[test]
fn an_integer_no_double_holds_beside_floats_is_an_error_when_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("time.fcs");
    let text = "|$PAR|2|$TOT|1|$DATATYPE|F|$BYTEORD|1,2,3,4|$P1B|32|$P1R|9|$P2B|64|$P2DATATYPE|I|$P2R|18446744073709551616|\
                $NEXTDATA|0|";
    let data = 58 + text.len();
    let head = format!("FCS3.2    {:>8}{:>8}{:>8}{:>8}{:>8}{:>8}", 58, data - 1, data, data + 11, 0, 0);
    for (v, fits) in [(1_u64 << 53, true), ((1 << 53) + 1, false)] {
        let mut bytes = (head.clone() + text).into_bytes();
        bytes.extend_from_slice(&1.5f32.to_le_bytes());
        bytes.extend_from_slice(&v.to_le_bytes());
        std::fs::write(&path, bytes).unwrap();
        let Some(Matrix::OnDisk(m)) = open(&path, &ReadOptions::default()).unwrap().x else { panic!() };
        assert_eq!(m.rows(0..1).is_ok(), fits, "{v}");
    }
}
