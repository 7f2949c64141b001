//! Files with one fault each, files cut off and files with bytes flipped.

use scx::io::{ReadLimits, fcs};

use super::*;

/// File, kind of error, the message after the name of the file.
const BAD: &[(&str, &str, &str)] = &[];

#[test]
fn every_fault_gives_its_own_clear_error() {
    let folder = fixtures("bad/fcs");
    assert_eq!(BAD.iter().map(|b| b.0.to_owned()).collect::<BTreeSet<_>>(), files(&folder));
    let mut wrong = Vec::new();
    for (name, want, message) in BAD {
        let path = folder.join(name);
        let e = open(&path, &ReadOptions::default()).unwrap_err();
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

#[test]
fn a_file_cut_anywhere_is_malformed_or_has_all_its_events() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cut.fcs");
    for name in files(&fixtures("fcs")) {
        let whole = std::fs::read(fixtures("fcs").join(&name)).unwrap();
        assert!(whole.len() < 20_000, "{name} is too large for the repository");
        let want = walked(&read(&name)).unwrap();
        // A long file is cut at every tenth place, but everywhere near its end.
        let step = if whole.len() > 5000 { 10 } else { 1 };
        let (mut lost, mut kept) = (0, 0);
        for len in (1..whole.len()).filter(|n| n % step == 1 % step || whole.len() - n < 50) {
            std::fs::write(&path, &whole[..len]).unwrap();
            match open(&path, &ReadOptions::default()) {
                Err(ReadError::Malformed { .. }) => lost += 1,
                Ok(d) => {
                    assert_eq!(walked(&d).unwrap(), want, "{name} cut to {len} bytes");
                    kept += 1;
                }
                other => panic!("{name} cut to {len} bytes: {other:?}"),
            }
        }
        // Only what follows the events of the first data set can be missed: the second one, or what pads the file.
        let behind = if ["two_data_sets.fcs", "lmd.fcs"].contains(&name.as_str()) { whole.len() } else { 2 };
        assert!(lost > 100 && kept < behind, "{name}: {lost} cuts refused, {kept} read");
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
        // Of a long file every seventh byte.
        let step = if whole.len() > 5000 { 7 } else { 1 };
        for i in (0..whole.len()).step_by(step).filter(|&i| i == 0 || !blank(i)) {
            for flip in [1 << (i % 8), 0xff] {
                let mut bytes = whole.clone();
                bytes[i] ^= flip;
                std::fs::write(&path, &bytes).unwrap();
                match fcs::read(&path, &limits) {
                    Ok(d) => {
                        d.check().unwrap();
                        // Values may be wrong now, or none.
                        let _ = walked(&d);
                    }
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
