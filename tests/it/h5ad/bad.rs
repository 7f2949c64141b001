//! Damaged files: the right kind of error with its place, never a crash.

use std::collections::BTreeSet;
use std::path::Path;

use scx::data::Matrix;
use scx::io::{ReadError, ReadLimits, ReadOptions};

use super::compare::matrices;
use super::expected::{fixtures, kind, names};

/// File, kind of error, words its message must hold.
const BAD: &[(&str, &str, &str)] = &[
    ("claims_terabytes.h5ad", "TooLarge", "/obs/n asks for 8796093022208 bytes"),
    ("cut_in_half.h5ad", "Malformed", "cut short"),
    ("cut_in_signature.h5ad", "NotRecognised", "not an HDF5 file"),
    ("empty.h5ad", "NotRecognised", "not an HDF5 file"),
    ("index_missing.h5ad", "Malformed", "/obs: the index _index is missing"),
    ("index_negative.h5ad", "Malformed", "/X/indices: index -1 at position 5 is outside 0..5"),
    ("index_out_of_range.h5ad", "Malformed", "/X/indices: index 5 at position 5 is outside 0..5"),
    ("indices_missing.h5ad", "Malformed", "/X: the dataset indices is missing"),
    ("indices_short.h5ad", "Malformed", "/X: 17 indices but 18 values in data"),
    ("indptr_decreasing.h5ad", "Malformed", "indptr decreases from 4 to 1 at entry 3"),
    ("indptr_ends_wrong.h5ad", "Malformed", "indptr ends at 17 but 18 values are stored"),
    ("indptr_negative.h5ad", "Malformed", "/X/indptr: -2 at entry 1 is negative"),
    ("indptr_short.h5ad", "Malformed", "/X/indptr: 9 entries, expected 10 for the shape 9 × 5"),
    ("indptr_starts_wrong.h5ad", "Malformed", "indptr starts at 1 instead of 0"),
    ("no_obs_no_var.h5ad", "NotRecognised", "no /obs and /var as an h5ad has"),
    ("obs_missing.h5ad", "Malformed", "the table obs is missing"),
    ("raw_other_rows.h5ad", "Malformed", "/raw/X: shape 10 × 5 but there are 9 cells in obs"),
    ("shape_missing.h5ad", "Malformed", "/X: the attribute shape does not hold two whole numbers"),
    ("shape_negative.h5ad", "Malformed", "/X: the attribute shape does not hold two whole numbers"),
    ("text.h5ad", "NotRecognised", "not an HDF5 file"),
    ("var_missing.h5ad", "Malformed", "the table var is missing"),
    (
        "x_other_shape.h5ad",
        "Malformed",
        "/X: shape 9 × 6 but there are 9 cells in obs and 5 variables in var",
    ),
    ("x_text.h5ad", "Unsupported", "/X is not a dense, CSR or CSC matrix of numbers"),
];

/// Faults beside X, raw and the names of cells and variables: nothing there may keep a file from being read. What is left out is said; `scx check` names
/// all of them.
const READABLE: &[(&str, &[&str])] = &[
    ("code_below_minus_one.h5ad", &["obs[\"batch\"]"]),
    ("code_out_of_range.h5ad", &["obs[\"batch\"]"]),
    ("codes_short.h5ad", &["obs[\"batch\"]"]),
    ("column_missing.h5ad", &["obs[\"n\"]"]),
    ("filter_zstd.h5ad", &[]),
    ("layer_other_shape.h5ad", &["layers[\"counts\"]"]),
    ("mask_short.h5ad", &["obs[\"n\"]"]),
    ("obsm_other_rows.h5ad", &["obsm[\"X_pca\"]"]),
    ("uns_link_to_nowhere.h5ad", &["uns[\"lost\"]"]),
    ("uns_loop.h5ad", &[]),
];

/// Reads a file and every value of every matrix in it; the error as kind and message.
fn read_all(path: &Path, limits: &ReadOptions) -> Result<(), (String, String)> {
    let all = |e: &dyn std::error::Error| {
        let mut text = e.to_string();
        let mut next = e.source();
        while let Some(e) = next {
            text = format!("{text}: {e}");
            next = e.source();
        }
        text
    };
    let d = scx::io::h5ad::read(path, limits).map_err(|e| (kind(&e).to_owned(), all(&e)))?;
    for m in matrices(&d) {
        if let Matrix::OnDisk(source) = m
            && let Err(e) = source.rows(0..source.shape().0)
        {
            let inner = std::error::Error::source(&e).and_then(|s| s.downcast_ref::<ReadError>());
            return Err((inner.map_or("data", kind).to_owned(), all(&e)));
        }
    }
    Ok(())
}

#[test]
fn every_damaged_file_gives_its_kind_of_error_with_the_place() {
    let folder = fixtures().join("bad/h5ad");
    let all = BAD.iter().map(|(name, ..)| name).chain(READABLE.iter().map(|(name, _)| name));
    let listed: BTreeSet<String> = all.map(|name| (*name).to_owned()).collect();
    assert_eq!(listed, names(&folder), "list and folder differ");
    let mut wrong = Vec::new();
    for (name, left) in READABLE {
        if let Err(e) = read_all(&folder.join(name), &ReadOptions::default()) {
            wrong.push(format!("{name}: {e:?}"));
            continue;
        }
        let d = scx::io::h5ad::read(&folder.join(name), &ReadOptions::default()).unwrap();
        let found: Vec<&str> = d.changes.iter().map(|c| c.element.as_str()).collect();
        if found != *left {
            wrong.push(format!("{name}: left {found:?}, expected {left:?}"));
        }
    }
    for (name, expected, words) in BAD {
        match read_all(&folder.join(name), &ReadOptions::default()) {
            Err((kind, text)) if kind == *expected && text.contains(words) && text.contains(name) => {}
            other => wrong.push(format!("{name}: {other:?}, expected {expected} with {words:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_file_cut_at_any_length_gives_an_error_or_a_value_but_no_crash() {
    let dir = tempfile::tempdir().unwrap();
    let folder = fixtures().join("h5ad");
    let mut seen = 0;
    for name in names(&folder) {
        let whole = std::fs::read(folder.join(&name)).unwrap();
        // Every length around the start, where all headers are, then in steps that are no multiple of a block.
        let lengths = (0..200).chain((200..whole.len()).step_by(397));
        for length in lengths {
            let path = dir.path().join("cut.h5ad");
            std::fs::write(&path, &whole[..length]).unwrap();
            if let Err((_, text)) = read_all(&path, &ReadOptions::default()) {
                assert!(text.contains("cut.h5ad"), "{text}");
            }
            seen += 1;
        }
    }
    assert!(seen > 1000, "{seen}");
}

#[test]
fn a_missing_file_is_an_io_error_that_names_it() {
    let e = scx::io::h5ad::read(Path::new("no/such.h5ad"), &ReadOptions::default()).unwrap_err();
    assert!(matches!(e, ReadError::Io { .. }) && e.to_string().contains("such.h5ad"), "{e}");
}

#[test]
fn a_column_over_the_limit_is_refused_before_it_is_read() {
    let path = fixtures().join("h5ad/categorical.h5ad");
    let (kind, text) = read_all(&path, &ReadLimits { max_bytes: 40 }.into()).unwrap_err();
    assert_eq!(kind, "TooLarge", "{text}");
}
