//! Annotating: the result is right and everything else in the file stays as it was.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hdf5_metno as hdf5;
use scx::data::{Annotation, DType, Dataset, Layout, Patch};
use scx::io::{Additions, NewValues, ReadOptions, WriteError, WriteOptions, h5ad};

use super::compare::{dense, differences, exact, summary};
use super::expected::{fixtures, names, real};

/// Every second row, every third column; the same in fixtures/make/h5ad_keep.py.
fn additions(d: &Dataset, base: Option<&str>, into_x: bool) -> Additions {
    let rows: Vec<usize> = (0..d.n_obs()).step_by(2).collect();
    let columns: Vec<usize> = (0..d.n_vars()).step_by(3).collect();
    let values = ndarray::Array2::from_shape_fn((rows.len(), columns.len()), |(r, c)| {
        (rows[r] as f32 + 1.0) / 2.0 + columns[c] as f32
    });
    let result = NewValues {
        layer: "scx_correct".into(),
        base: base.map(Into::into),
        patch: Patch::new(rows, columns, values).unwrap(),
        into_x,
    };
    Additions { result: Some(result), record: r#"{"verb":"correct"}"#.into(), ..Additions::default() }
}

fn read(path: &Path) -> Dataset {
    h5ad::read(path, &ReadOptions::default()).unwrap()
}

/// A dataset: type, filters, chunks, stored bytes and their place; text also as read, for it lies elsewhere.
#[derive(Debug, PartialEq)]
struct Stored {
    kind: String,
    shape: Vec<usize>,
    parts: Vec<(u64, Vec<u8>)>,
    text: Option<Vec<String>>,
}

/// An object of an HDF5 file: attributes and, of a dataset, what is stored.
#[derive(Debug, PartialEq)]
struct Thing {
    attributes: Vec<(String, String, Vec<u8>)>,
    dataset: Option<Stored>,
}

fn text(c: &hdf5::Container) -> Option<Vec<String>> {
    use hdf5::types::{TypeDescriptor as T, VarLenAscii, VarLenUnicode};
    match c.dtype().and_then(|t| t.to_descriptor()).ok()? {
        T::VarLenUnicode => {
            Some(c.read_raw::<VarLenUnicode>().unwrap().iter().map(|s| s.to_string()).collect())
        }
        T::VarLenAscii => Some(c.read_raw::<VarLenAscii>().unwrap().iter().map(|s| s.to_string()).collect()),
        _ => None,
    }
}

fn thing(at: &hdf5::Location, dataset: Option<&hdf5::Dataset>, bytes: &[u8]) -> Thing {
    let mut names = at.attr_names().unwrap();
    names.sort();
    let attributes = names
        .into_iter()
        .map(|n| {
            let a = at.attr(&n).unwrap();
            let ty = format!("{:?}", a.dtype().unwrap().to_descriptor());
            let value =
                text(&a).map(|t| format!("{t:?}")).unwrap_or_else(|| format!("{:?}", a.read_raw::<f64>()));
            (n, ty, value.into_bytes())
        })
        .collect();
    let dataset = dataset.map(|d| {
        let part = |start: u64, n: u64| (start, bytes[start as usize..(start + n) as usize].to_vec());
        let mut parts: Vec<_> = (0..d.num_chunks().unwrap_or(0))
            .filter_map(|i| d.chunk_info(i))
            .map(|c| part(c.addr, c.size))
            .collect();
        parts.extend(d.offset().map(|o| part(o, d.storage_size())));
        let kind = format!("{:?} {:?} {:?}", d.dtype().unwrap().to_descriptor(), d.filters(), d.chunk());
        Stored { kind, shape: d.shape(), parts, text: text(d) }
    });
    Thing { attributes, dataset }
}

fn walk(path: &Path) -> BTreeMap<String, Thing> {
    fn into(g: &hdf5::Group, at: &str, bytes: &[u8], all: &mut BTreeMap<String, Thing>) {
        all.insert(at.to_owned(), thing(g, None, bytes));
        for name in g.member_names().unwrap() {
            let place = format!("{at}/{name}");
            match g.loc_type_by_name(&name).unwrap() {
                hdf5::LocationType::Group => into(&g.group(&name).unwrap(), &place, bytes, all),
                hdf5::LocationType::Dataset => {
                    let d = g.dataset(&name).unwrap();
                    all.insert(place, thing(&d, Some(&d), bytes));
                }
                _ => {}
            }
        }
    }
    let bytes = std::fs::read(path).unwrap();
    let mut all = BTreeMap::new();
    into(&hdf5::File::open(path).unwrap(), "", &bytes, &mut all);
    all
}

/// The base for the tests: X, or a layer where there is no X.
fn base_of(d: &Dataset) -> Option<Option<String>> {
    if d.x.is_some() { Some(None) } else { d.layers.keys().next().map(|k| Some(k.clone())) }
}

/// One file for Python to check: original, annotated, base, target.
type Pair = [PathBuf; 4];

/// Lets Python check files; starting it takes a second, so all at once.
fn python(files: &[Pair]) {
    let Some(python) = std::env::var_os("SCX_PYTHON") else {
        println!("skipped: SCX_PYTHON is not set");
        return;
    };
    let script = fixtures().join("make/h5ad_keep.py");
    let run = std::process::Command::new(python).arg(script).args(files.iter().flatten()).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

fn check(original: &Path, into_x: bool, folder: &Path) -> Option<Pair> {
    let before = read(original);
    let base = base_of(&before)?;
    let out = folder.join(original.file_name().unwrap());
    let additions = additions(&before, base.as_deref(), into_x);
    h5ad::annotate(&before, &additions, &out).unwrap_or_else(|e| panic!("{}: {e:?}", original.display()));
    let base_place = base.as_ref().map_or("X".to_owned(), |l| format!("layers/{l}"));
    let target = if into_x { base_place.clone() } else { "layers/scx_correct".to_owned() };

    // Of a copy: two handles of one file must not be open at once, and other tests read the original.
    let copy = folder.join("original");
    std::fs::copy(original, &copy).unwrap();
    let (old, new) = (walk(&copy), walk(&out));
    let inside = |p: &str, of: &str| p == of || p.starts_with(&format!("{of}/"));
    for (place, thing) in &old {
        if !inside(place, &format!("/{target}")) {
            assert_eq!(Some(thing), new.get(place), "{}: {place}", original.display());
        }
    }
    for place in new.keys().filter(|p| !old.contains_key(*p)) {
        let meant = ["/layers", "/uns"].contains(&place.as_str());
        assert!(meant || inside(place, "/uns/scx") || inside(place, &format!("/{target}")), "{place}");
    }

    let after = read(&out);
    let m = |d: &Dataset, place: &str| match place.strip_prefix("layers/") {
        Some(l) => d.layers[l].clone(),
        None => d.x.clone().unwrap(),
    };
    let (old_m, new_m) = (m(&before, &base_place), m(&after, &target));
    assert_eq!(old_m.layout(), new_m.layout());
    let mut want = dense(&old_m);
    for (i, &r) in additions.result.as_ref().unwrap().patch.rows().iter().enumerate() {
        for (j, &c) in additions.result.as_ref().unwrap().patch.columns().iter().enumerate() {
            if c < want.ncols() {
                want[(r, c)] = f64::from(additions.result.as_ref().unwrap().patch.values()[(i, j)]);
            }
        }
    }
    let got = dense(&new_m);
    assert!(
        got.iter().zip(&want).all(|(a, b)| a == b || (a.is_nan() && b.is_nan())),
        "{}",
        original.display()
    );
    let meant = match old_m.dtype() {
        DType::F16 => DType::F32,
        t if t.is_float() => t,
        t => t.exact_float(),
    };
    assert_eq!(new_m.dtype(), meant);
    if new_m.layout() != Layout::Dense {
        let (_, _, indptr, indices, _) = exact(&new_m);
        for (row, w) in indptr.windows(2).enumerate() {
            let row_indices = &indices[w[0] as usize..w[1] as usize];
            let patched =
                new_m.layout() == Layout::Csr && additions.result.as_ref().unwrap().patch.row(row).is_some();
            assert!(!patched || row_indices.is_sorted(), "row {row} of {}", original.display());
        }
    }
    Some([original.to_owned(), out, base_place.into(), target.into()])
}

fn check_every_file(into_x: bool) {
    let dir = tempfile::tempdir().unwrap();
    let mut done: Vec<Pair> =
        every_file().iter().filter_map(|path| check(path, into_x, dir.path())).collect();
    // anndata refuses a whole file for an encoding it does not know, or has no library for; scx does not.
    done.retain(|[original, ..]| {
        let opaque = |a: &Annotation| matches!(a, Annotation::Opaque { .. });
        !original.ends_with("unknown_encodings.h5ad") && !read(original).obsm.values().any(opaque)
    });
    python(&done);
}

fn every_file() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        names(&fixtures().join("h5ad")).iter().map(|n| fixtures().join("h5ad").join(n)).collect();
    if let Some(folder) = real() {
        all.extend(names(&folder).iter().filter(|n| n.ends_with(".h5ad")).map(|n| folder.join(n)));
    }
    assert!(all.len() >= 10);
    all
}

#[test]
fn a_new_layer_leaves_every_other_object_as_it_was() {
    check_every_file(false);
}

#[test]
fn a_result_put_into_x_replaces_x_and_nothing_else() {
    check_every_file(true);
}

#[test]
fn every_layer_can_be_the_base_and_keeps_its_layout() {
    let path = fixtures().join("h5ad/csc.h5ad");
    let before = read(&path);
    assert_eq!(before.layers.len(), 6);
    let dir = tempfile::tempdir().unwrap();
    let mut done = Vec::new();
    for name in before.layers.keys() {
        let out = dir.path().join(format!("{name}.h5ad"));
        h5ad::annotate(&before, &additions(&before, Some(name), false), &out).unwrap();
        let after = read(&out);
        assert_eq!(after.layers["scx_correct"].layout(), before.layers[name].layout(), "{name}");
        done.push([path.clone(), out, format!("layers/{name}").into(), "layers/scx_correct".into()]);
    }
    python(&done);
}

#[test]
fn a_second_run_replaces_the_layer_and_appends_to_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("one.h5ad"), dir.path().join("two.h5ad"));
    let first = read(&fixtures().join("h5ad/categorical.h5ad"));
    h5ad::annotate(&first, &additions(&first, None, false), &one).unwrap();
    let second = read(&one);
    let again = Additions { record: "{}".into(), ..additions(&second, Some("scx_correct"), false) };
    h5ad::annotate(&second, &again, &two).unwrap();
    let file = hdf5::File::open(&two).unwrap();
    let mut keys = file.group("uns/scx/log").unwrap().member_names().unwrap();
    keys.sort();
    assert_eq!(keys, ["000", "001"]);
    let log = |k: &str| {
        file.dataset(&format!("uns/scx/log/{k}"))
            .unwrap()
            .read_scalar::<hdf5::types::VarLenUnicode>()
            .unwrap()
            .to_string()
    };
    assert_eq!((log("000").as_str(), log("001").as_str()), (r#"{"verb":"correct"}"#, "{}"));
    let mut wrong = Vec::new();
    let mut summaries = (summary(&read(&two)), summary(&read(&one)));
    (summaries.0["uns"], summaries.1["uns"]) = (serde_json::Value::Null, serde_json::Value::Null);
    differences("", &summaries.0, &summaries.1, &mut wrong);
    assert!(wrong.is_empty(), "the same patch twice is the patch once: {wrong:?}");
}

#[test]
fn the_same_additions_give_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let d = read(&fixtures().join("h5ad/csc.h5ad"));
    let bytes = |name: &str| {
        let path = dir.path().join(name);
        h5ad::annotate(&d, &additions(&d, None, false), &path).unwrap();
        std::fs::read(path).unwrap()
    };
    let first = bytes("a");
    // Time stamps in HDF5 count seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert!(first == bytes("b"), "two runs differ");
}

#[test]
fn a_patch_outside_the_matrix_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let d = read(&fixtures().join("h5ad/categorical.h5ad"));
    let patch = Patch::new(vec![0], vec![99], ndarray::arr2(&[[1.0]])).unwrap();
    let mut wrong = additions(&d, None, false);
    wrong.result.as_mut().unwrap().patch = patch;
    let e = h5ad::annotate(&d, &wrong, &dir.path().join("o")).unwrap_err();
    assert!(matches!(e, WriteError::CannotHold { .. }), "{e}");
}

/// Writes that need more room than a process may take.
fn write_in_little_space() {
    let dir = tempfile::tempdir().unwrap();
    let d = read(&fixtures().join("h5ad/csc.h5ad"));
    let mut patch = additions(&d, None, false);
    patch.record = "x".repeat(200_000);
    let e = h5ad::annotate(&d, &patch, &dir.path().join("o.h5ad")).unwrap_err();
    assert!(matches!(e, WriteError::Full { .. }), "{e:?}");
    let e = h5ad::write(&with_long_uns(d), &dir.path().join("w.h5ad"), &WriteOptions::default()).unwrap_err();
    assert!(matches!(e, WriteError::Full { .. }), "{e:?}");
}

fn with_long_uns(mut d: Dataset) -> Dataset {
    d.uns.insert("long".into(), scx::data::Uns::String("x".repeat(200_000)));
    d
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_told_apart_from_other_faults() {
    // A limit on file size fails a write as a full disk does, once the signal for it is ignored. It holds for a whole
    // process, so this test starts itself again in one that has it.
    if std::env::var_os("SCX_LITTLE_SPACE").is_some() {
        return write_in_little_space();
    }
    let script = r#"trap '' XFSZ; ulimit -f 128; exec "$0" "$@""#;
    let run = std::process::Command::new("bash")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .args(["h5ad::annotate::a_full_disk_is_told_apart_from_other_faults", "--exact"])
        .env("SCX_LITTLE_SPACE", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && text.contains("1 passed"), "{text}");
}
