//! Damaged files: the right kind of error with its place, never a crash.

use std::collections::BTreeSet;
use std::path::Path;

use scx::data::DataError;
use scx::io::{Format, ReadError, ReadOptions, codec};

use super::{entries_of, fixtures, names};
use crate::support::{Run, SCX};

/// File or folder, kind of error, message behind its path.
const BAD_H5: &[(&str, &str, &str)] = &[];

/// Folder, kind of error, message behind its path.
const BAD_MTX: &[(&str, &str, &str)] = &[];

fn kind(e: &ReadError) -> &'static str {
    match e {
        ReadError::NotRecognised { .. } => "NotRecognised",
        ReadError::Malformed { .. } => "Malformed",
        ReadError::Unsupported { .. } => "Unsupported",
        ReadError::TooLarge { .. } => "TooLarge",
        ReadError::Io { .. } => "Io",
        _ => "other",
    }
}

/// Reads a file or folder and every value of it; the error as kind and message.
fn read_all(format: Format, path: &Path) -> Result<(), (String, String)> {
    let told = |e: &ReadError| (kind(e).to_owned(), e.to_string());
    let d = (codec(format).read)(path, &ReadOptions::default()).map_err(|e| told(&e))?;
    match entries_of(d.x.as_ref().unwrap()) {
        Ok(_) => Ok(()),
        Err(DataError::Read(e)) => Err(told(e.downcast_ref::<ReadError>().unwrap())),
        Err(e) => Err(("data".into(), e.to_string())),
    }
}

fn check(format: Format, folder: &str, list: &[(&str, &str, &str)]) {
    let folder = fixtures(folder);
    let listed: BTreeSet<String> = list.iter().map(|(name, ..)| (*name).to_owned()).collect();
    let mut wrong = Vec::new();
    for name in names(&folder) {
        let path = folder.join(&name);
        let found = match read_all(format, &path) {
            Err((kind, text)) => (kind, text.replace(path.to_str().unwrap(), "")),
            Ok(()) => ("none".into(), String::new()),
        };
        let wanted = list.iter().find(|(n, ..)| *n == name).map(|(_, k, t)| ((*k).into(), (*t).into()));
        if wanted.as_ref() != Some(&found) {
            wrong.push(format!("    ({name:?}, {:?}, {:?}),", found.0, found.1));
        }
    }
    assert!(wrong.is_empty(), "found:\n{}", wrong.join("\n"));
    assert_eq!(listed, names(&folder), "list and folder differ");
}

#[test]
fn every_damaged_hdf5_file_gives_its_error_with_the_place() {
    check(Format::TenxH5, "bad/10x-h5", BAD_H5);
}

#[test]
fn every_damaged_folder_gives_its_error_with_the_line() {
    check(Format::TenxMtx, "bad/10x-mtx", BAD_MTX);
}

/// Copies a folder with one file changed.
fn copy(from: &Path, to: &Path, name: &str, bytes: &[u8]) {
    std::fs::create_dir_all(to).unwrap();
    for file in names(from) {
        if file != name {
            std::fs::copy(from.join(&file), to.join(&file)).unwrap();
        }
    }
    std::fs::write(to.join(name), bytes).unwrap();
}

#[test]
fn a_folder_with_a_file_cut_or_a_byte_changed_gives_an_error_or_a_value() {
    let dir = tempfile::tempdir().unwrap();
    let (mut good, mut bad) = (0, 0);
    for name in ["mtx_v3", "mtx_odd_text", "mtx_real_fine", "mtx_by_feature"] {
        let folder = fixtures("tenx").join(name);
        let to = dir.path().join(name);
        for file in names(&folder) {
            let whole = std::fs::read(folder.join(&file)).unwrap();
            let cuts = (0..whole.len()).map(|n| whole[..n].to_vec());
            let flips = (0..whole.len()).flat_map(|i| {
                let whole = &whole;
                [0x01, 0x10, 0x80].map(move |bit| {
                    let mut bytes = whole.clone();
                    bytes[i] ^= bit;
                    bytes
                })
            });
            for bytes in cuts.chain(flips) {
                copy(&folder, &to, &file, &bytes);
                match read_all(Format::TenxMtx, &to) {
                    Ok(()) => good += 1,
                    Err((kind, text)) => {
                        assert_ne!(kind, "Io", "{text}");
                        assert!(text.contains(name), "{text}");
                        bad += 1;
                    }
                }
            }
        }
    }
    assert!(good > 100 && bad > 1000, "{good} read, {bad} refused");
}

#[test]
fn an_hdf5_file_cut_at_any_length_gives_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cut.h5");
    let mut seen = 0;
    for name in ["v3.h5", "v2.h5", "probes.h5"] {
        let whole = std::fs::read(fixtures("tenx").join(name)).unwrap();
        for length in (0..200).chain((200..whole.len()).step_by(397)) {
            std::fs::write(&path, &whole[..length]).unwrap();
            let (_, text) = read_all(Format::TenxH5, &path).unwrap_err();
            assert!(text.contains("cut.h5"), "{text}");
            seen += 1;
        }
    }
    assert!(seen > 600, "{seen}");
}

/// The C library may fall over a damaged file: the program is asked, so that a crash is seen as one.
#[test]
fn an_hdf5_file_with_a_byte_changed_is_read_or_refused_by_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("flip.h5");
    let whole = std::fs::read(fixtures("tenx/v3.h5")).unwrap();
    let mut seen = 0;
    for at in (0..whole.len()).step_by(whole.len() / 150) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&path, &bytes).unwrap();
        let out = std::process::Command::new(SCX).arg("info").arg(&path).output().unwrap();
        let run = Run::new(&out);
        assert!(matches!(run.code, Some(0 | 3 | 5)), "byte {at}: {run:?}");
        seen += 1;
    }
    assert!(seen >= 150, "{seen}");
}
