//! Damaged files: the right kind of error with its place, never a crash.

use std::collections::BTreeSet;
use std::path::Path;

use scx::data::DataError;
use scx::io::{Format, ReadError, ReadOptions, codec};

use super::{entries_of, fixtures, names};
use crate::support::{Run, SCX};

/// File or folder, kind of error, message behind its path.
const BAD_H5: &[(&str, &str, &str)] = &[
    ("barcodes_missing.h5", "Malformed", ": /matrix: the dataset barcodes is missing"),
    ("barcodes_numbers.h5", "Malformed", ": /matrix/barcodes: holds no text"),
    (
        "cut_in_half.h5",
        "Malformed",
        ": HDF5: the HDF5 library cannot open it (unable to synchronously open file: truncated file: eof = 6296, sblock->base_addr = 0, stored_eof = 12592); it may be cut short or damaged: copy or download it again",
    ),
    ("data_missing.h5", "Malformed", ": /matrix: the dataset data is missing"),
    ("data_text.h5", "Malformed", ": /matrix/data: text along 1 axes, expected numbers along one"),
    ("features_missing.h5", "Malformed", ": /matrix: the group features is missing"),
    ("ids_short.h5", "Malformed", ": /matrix/features/id: 5 entries, but the shape says 6 features"),
    ("index_negative.h5", "Malformed", ": /matrix/indices: index -1 at position 3 is outside 0..6"),
    ("index_out_of_range.h5", "Malformed", ": /matrix/indices: index 6 at position 3 is outside 0..6"),
    ("indices_missing.h5", "Malformed", ": /matrix: the dataset indices is missing"),
    ("indices_short.h5", "Malformed", ": /matrix: 8 indices but 9 values in data"),
    ("indptr_decreasing.h5", "Malformed", ": /matrix: indptr decreases from 3 to 1 at entry 2"),
    ("indptr_missing.h5", "Malformed", ": /matrix: the dataset indptr is missing"),
    (
        "molecule_info.h5",
        "Unsupported",
        ": unsupported: it lists molecules, as molecule_info.h5 of Cell Ranger does, and holds no matrix of cells; give filtered_feature_bc_matrix.h5 or raw_feature_bc_matrix.h5 of the same outs/ folder",
    ),
    ("name_missing.h5", "Malformed", ": /matrix/features: the dataset name is missing"),
    (
        "shape_claims_terabytes.h5",
        "Malformed",
        ": /matrix/indptr: 6 entries, expected 1099511627777 for the shape 1099511627776 × 6",
    ),
    ("shape_missing.h5", "Malformed", ": /matrix: the dataset shape is missing"),
    (
        "shape_negative.h5",
        "Malformed",
        ": /matrix/shape: does not hold two whole numbers, features and cells",
    ),
    (
        "shape_three_numbers.h5",
        "Malformed",
        ": /matrix/shape: does not hold two whole numbers, features and cells",
    ),
    ("shape_turned.h5", "Malformed", ": /matrix/features/name: 6 entries, but the shape says 5 features"),
    (
        "two_genomes.h5",
        "Unsupported",
        ": unsupported: the file holds a matrix for each of the genomes hg19, mm10; choose one with --genome",
    ),
];

/// Folder, kind of error, message behind its path.
const BAD_MTX: &[(&str, &str, &str)] = &[
    (
        "array",
        "Unsupported",
        "/matrix.mtx: unsupported: a dense Matrix Market file (array); write it as coordinate",
    ),
    (
        "banner_cut",
        "Malformed",
        "/matrix.mtx: line 1: \"%%MatrixMa\", expected %%MatrixMarket matrix coordinate integer general",
    ),
    (
        "banner_words_missing",
        "Malformed",
        "/matrix.mtx: line 1: \"%%MatrixMarket matrix\", expected matrix coordinate integer|real|pattern",
    ),
    (
        "banner_wrong",
        "Malformed",
        "/matrix.mtx: line 1: \"%%Matrix matrix coordinate integer general\", expected %%MatrixMarket matrix coordinate integer general",
    ),
    ("barcodes_short", "Malformed", "/barcodes.tsv: lines: 4 barcodes, but the matrix has 5"),
    (
        "barcodes_with_header",
        "Malformed",
        "/barcodes.tsv: lines: 6 barcodes, but the matrix has 5; is the first line a header?",
    ),
    ("cell_negative", "Malformed", "/matrix.mtx: line 7: \"2 -2 1\": no whole number where the cell belongs"),
    ("cell_out_of_range", "Malformed", "/matrix.mtx: line 7: \"2 6 1\": a cell outside 1..5"),
    (
        "cells_turned",
        "Malformed",
        "/matrix.mtx: sizes: 5 × 6 is cells × features; 10x writes features × cells: turn it first",
    ),
    ("complex", "Unsupported", "/matrix.mtx: unsupported: complex numbers are no counts"),
    (
        "entries_more_than_bytes",
        "Malformed",
        "/matrix.mtx: line 3: 29 entries, more than a file of this size can hold; it may be cut short",
    ),
    ("entries_more_than_places", "Malformed", "/matrix.mtx: line 3: 31 entries in a matrix of 6 × 5"),
    ("feature_out_of_range", "Malformed", "/matrix.mtx: line 7: \"7 2 1\": a feature outside 1..6"),
    ("feature_zero", "Malformed", "/matrix.mtx: line 7: \"0 2 1\": feature 0, but they are counted from 1"),
    ("features_columns_differ", "Malformed", "/features.tsv: line 6: 1 columns, but 2 in the lines before"),
    ("features_short", "Malformed", "/features.tsv: lines: 5 features, but the matrix has 6"),
    (
        "four_words",
        "Malformed",
        "/matrix.mtx: line 7: \"2 2 1 1\" holds 4 words, expected 3: feature, cell and value",
    ),
    (
        "fraction_in_integer",
        "Malformed",
        "/matrix.mtx: line 7: \"2 2 1.5\": the value is no whole number, as the first line promises",
    ),
    (
        "gzip_barcodes_cut",
        "Malformed",
        "/barcodes.tsv.gz: gzip: the compressed text ends too early: copy or download the file again",
    ),
    (
        "gzip_checksum",
        "Malformed",
        "/matrix.mtx.gz: gzip: the compressed text is damaged (corrupt gzip stream does not have a matching checksum): copy or download the file again",
    ),
    (
        "gzip_cut",
        "Malformed",
        "/matrix.mtx.gz: gzip: the compressed text ends too early: copy or download the file again",
    ),
    (
        "lines_too_few",
        "Malformed",
        "/matrix.mtx: entries: 8 entries, but 9 are promised in the line of sizes; the file may be cut short",
    ),
    (
        "lines_too_many",
        "Malformed",
        "/matrix.mtx: entries: more than the 9 that are promised in the line of sizes",
    ),
    (
        "nan_in_integer",
        "Malformed",
        "/matrix.mtx: line 7: \"2 2 nan\": the value is no whole number, as the first line promises",
    ),
    ("no_barcodes", "Malformed", "/matrix.mtx: folder: there is no barcodes.tsv[.gz] beside it"),
    (
        "no_features",
        "Malformed",
        "/matrix.mtx: folder: there is no features.tsv[.gz] or genes.tsv[.gz] beside it",
    ),
    (
        "no_matrix",
        "NotRecognised",
        ": not a file scx can read: it is a folder without a matrix.mtx or matrix.mtx.gz",
    ),
    ("sizes_missing", "Malformed", "/matrix.mtx: line 2: the file ends before its sizes"),
    (
        "sizes_two_numbers",
        "Malformed",
        "/matrix.mtx: line 3: \"6 5\", expected three sizes: features, cells, entries",
    ),
    (
        "sizes_words",
        "Malformed",
        "/matrix.mtx: line 3: \"6 5 many\", expected three sizes: features, cells, entries",
    ),
    (
        "symmetric",
        "Unsupported",
        "/matrix.mtx: unsupported: a symmetric matrix: that of features × cells is never symmetric; write it as general",
    ),
    (
        "text_for_number",
        "Malformed",
        "/matrix.mtx: line 7: \"2 2 NA\": the value is no whole number, as the first line promises",
    ),
    (
        "two_genomes",
        "Unsupported",
        ": unsupported: the folder holds a matrix for each of the genomes hg19, mm10; choose one with --genome or give its folder",
    ),
    (
        "two_matrices",
        "Unsupported",
        ": unsupported: the folder holds several matrices (a_matrix.mtx, b_matrix.mtx); give one of them",
    ),
    (
        "value_missing",
        "Malformed",
        "/matrix.mtx: line 7: \"2 2\" holds 2 words, expected 3: feature, cell and value",
    ),
    (
        "value_overflows",
        "Malformed",
        "/matrix.mtx: line 7: \"2 2 9223372036854775808\": the value does not fit 64 bits",
    ),
];

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
        let mut scx = std::process::Command::new(SCX);
        let out =
            scx.arg("convert").arg(&path).arg(dir.path().join("o.h5ad")).arg("--force").output().unwrap();
        let run = Run::new(&out);
        assert!(matches!(run.code, Some(0 | 3 | 5)), "byte {at}: {run:?}");
        seen += 1;
    }
    assert!(seen >= 150, "{seen}");
}
