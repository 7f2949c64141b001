use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use hdf5_metno::filters::{BloscShuffle, Filter};
use proptest::prelude::*;
use tempfile::TempDir;

use super::super::store::open_to_write;
use super::super::{new_group, open_compressed};
use super::*;
use crate::data::{Dense, Values};
use crate::io::hdf5::{create, write_rows};
use crate::io::options::Compression;
use crate::progress::Progress;

const SHAPE: (usize, usize) = (3000, 700);

/// A matrix of about 600,000 entries: its arrays are long enough to be compressed.
fn matrix(dtype: DType) -> Sparse {
    let mut state = 7u64;
    let (mut indptr, mut indices, mut values) = (vec![0u64], Vec::new(), Vec::new());
    for row in 0..SHAPE.0 {
        for column in 0..SHAPE.1 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            // Some rows are empty, some are full.
            if row % 10 != 3 && (row == 50 || (state >> 60) < 5) {
                indices.push(column as u32);
                values.push((state >> 40) as u8 % 50);
            }
        }
        indptr.push(indices.len() as u64);
    }
    let values = match dtype {
        DType::I32 => Values::I32(values.into_iter().map(i32::from).collect()),
        _ => Values::F32(values.into_iter().map(f32::from).collect()),
    };
    Sparse::new(Layout::Csr, SHAPE, indptr, indices, values).unwrap()
}

/// Writes a matrix as the group `X` of a new file.
fn write(m: &Matrix, layout: Layout, options: &WriteOptions, dir: &TempDir, name: &str) -> PathBuf {
    let path = dir.path().join(name);
    try_write(m, layout, options, &path).unwrap();
    path
}

fn try_write(m: &Matrix, layout: Layout, options: &WriteOptions, path: &Path) -> Result<(), WriteError> {
    let file = open_to_write(path, true).unwrap();
    let g = new_group(&file, "X").unwrap();
    write_compressed(m, &g, layout, options, path)
}

fn source(path: &Path) -> Source {
    Source::plain(path)
}

fn open(path: &Path, layout: Layout, shape: (usize, usize)) -> Matrix {
    let s = source(path);
    let file = s.open().unwrap();
    open_compressed(&s, &file.group("X").unwrap(), layout, shape).unwrap().into_matrix()
}

fn rows(m: &Matrix, memory: u64) -> Sparse {
    let mut runs = Vec::new();
    m.stream(memory, &mut |start, block| {
        let Block::Csr(run) = block else { panic!("dense") };
        assert_eq!(start, runs.iter().map(|r: &Sparse| r.shape().0).sum::<usize>());
        runs.push(run);
        Ok(())
    })
    .unwrap();
    Sparse::stacked(m.shape(), m.dtype(), &runs).unwrap()
}

fn filters(path: &Path, array: &str) -> Vec<Filter> {
    source(path).open().unwrap().dataset(array).unwrap().filters()
}

/// The stored bytes of all chunks of an array, with their masks.
fn chunks(path: &Path, array: &str) -> Vec<(u32, Vec<u8>)> {
    let file = source(path).open().unwrap();
    let bytes = std::fs::read(path).unwrap();
    let mut found = Vec::new();
    file.dataset(array)
        .unwrap()
        .chunks_visit(|c| {
            found.push((c.filter_mask, bytes[c.addr as usize..(c.addr + c.size) as usize].to_vec()));
            0
        })
        .unwrap();
    found
}

fn small() -> WriteOptions<'static> {
    WriteOptions { memory: 4 << 20, ..WriteOptions::default() }
}

#[test]
fn every_layout_and_compression_reads_back_and_turns_within_memory() {
    let dir = tempfile::tempdir().unwrap();
    let s = matrix(DType::F32);
    let csr = write(&Matrix::Sparse(s.clone()), Layout::Csr, &small(), &dir, "csr");
    let csc = write(&open(&csr, Layout::Csr, SHAPE), Layout::Csc, &small(), &dir, "csc");
    let again = write(&open(&csc, Layout::Csc, SHAPE), Layout::Csr, &small(), &dir, "again");
    assert_eq!(rows(&open(&csr, Layout::Csr, SHAPE), 1 << 20), s);
    assert_eq!(rows(&open(&csc, Layout::Csc, SHAPE), 1 << 20), s);
    assert_eq!(rows(&open(&again, Layout::Csr, SHAPE), 1 << 30), s);
    let turned = write(&Matrix::Sparse(s.turned().unwrap()), Layout::Csc, &small(), &dir, "turned");
    for array in ["X/data", "X/indices"] {
        assert!(chunks(&turned, array) == chunks(&csc, array), "{array}");
    }
    for compression in [Compression::Gzip(0), Compression::Gzip(9), Compression::Lzf, Compression::None] {
        let options = WriteOptions { compression: Some(compression), ..small() };
        let path = write(&open(&csr, Layout::Csr, SHAPE), Layout::Csr, &options, &dir, "packed");
        assert_eq!(rows(&open(&path, Layout::Csr, SHAPE), 1 << 20), s, "{compression:?}");
        let expected = match compression {
            Compression::Gzip(n) => vec![Filter::shuffle(), Filter::deflate(n)],
            Compression::Lzf => vec![Filter::shuffle(), Filter::lzf()],
            Compression::None => vec![],
        };
        assert_eq!(filters(&path, "X/data"), expected);
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn the_bytes_do_not_depend_on_the_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let m = Matrix::Sparse(matrix(DType::I32));
    let files = [1, 2, 5].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let path = write(&m, Layout::Csr, &small(), &dir, &format!("{threads}"));
            let again = format!("again{threads}");
            let options = WriteOptions { compression: Some(Compression::Gzip(1)), ..small() };
            let again = write(&open(&path, Layout::Csr, SHAPE), Layout::Csc, &options, &dir, &again);
            (std::fs::read(path).unwrap(), std::fs::read(again).unwrap())
        })
    });
    assert!(files[0] == files[1] && files[0] == files[2]);
}

/// Writes the three arrays through the library, as other programs do.
fn foreign(path: &Path, s: &Sparse, pack: &[Filter], change: impl Fn(&mut [i64])) {
    let file = open_to_write(path, true).unwrap();
    let g = new_group(&file, "X").unwrap();
    let mut indices: Vec<i64> = s.indices().iter().map(|&i| i64::from(i)).collect();
    change(&mut indices);
    let storage = |n: usize| Storage { chunk: Some(vec![8000.min(n)]), filters: pack.to_vec() };
    let add = |name: &str, values: &Values| {
        let d = create(&g, name, values.dtype(), &[values.len()], &storage(values.len())).unwrap();
        write_rows(&d, 0, values).unwrap();
    };
    add("data", s.values());
    add("indices", &Values::I64(indices));
    add("indptr", &Values::I64(s.indptr().iter().map(|&p| p as i64).collect()));
}

#[test]
fn stored_chunks_are_copied_as_they_are_with_their_types() {
    let dir = tempfile::tempdir().unwrap();
    let s = matrix(DType::I32);
    let packs: [&[Filter]; 4] = [
        &[Filter::shuffle(), Filter::deflate(1)],
        &[Filter::deflate(6)],
        &[Filter::shuffle(), Filter::deflate(4), Filter::fletcher32()],
        &[],
    ];
    for pack in packs {
        let path = dir.path().join("in");
        foreign(&path, &s, pack, |_| ());
        let out = write(&open(&path, Layout::Csr, SHAPE), Layout::Csr, &small(), &dir, "out");
        for array in ["X/data", "X/indices"] {
            assert_eq!(filters(&out, array), pack);
            assert!(chunks(&out, array) == chunks(&path, array), "{array} {pack:?}");
        }
        let read = source(&out).open().unwrap();
        assert!(read.dataset("X/indices").unwrap().dtype().unwrap().is::<i64>());
        drop(read);
        assert_eq!(rows(&open(&out, Layout::Csr, SHAPE), 1 << 20), s);
        std::fs::remove_file(path).unwrap();
        std::fs::remove_file(out).unwrap();
    }
}

#[test]
fn what_the_target_cannot_promise_is_encoded_again() {
    let dir = tempfile::tempdir().unwrap();
    let s = matrix(DType::I32);
    let path = dir.path().join("in");
    foreign(&path, &s, &[Filter::blosc_lz4(5, BloscShuffle::Byte)], |_| ());
    let out = write(&open(&path, Layout::Csr, SHAPE), Layout::Csr, &small(), &dir, "out");
    assert_eq!(filters(&out, "X/data"), [Filter::shuffle(), Filter::deflate(4)]);
    assert_eq!(rows(&open(&out, Layout::Csr, SHAPE), 1 << 20), s);
}

#[test]
fn an_index_out_of_range_is_refused_even_when_chunks_are_copied() {
    let dir = tempfile::tempdir().unwrap();
    let s = matrix(DType::I32);
    for (bad, compression) in [(700, None), (-1, None), (700, Some(Compression::Gzip(9)))] {
        let path = dir.path().join("in");
        foreign(&path, &s, &[Filter::shuffle(), Filter::deflate(1)], |i| i[100_000] = bad);
        let options = WriteOptions { compression, ..small() };
        let m = open(&path, Layout::Csr, SHAPE);
        let e = try_write(&m, Layout::Csr, &options, &dir.path().join("out")).unwrap_err();
        let mut text = String::new();
        let mut cause: Option<&dyn std::error::Error> = Some(&e);
        while let Some(c) = cause {
            text += &format!("{c}: ");
            cause = c.source();
        }
        assert!(
            text.contains(&format!("/X/indices: index {bad} at position 100000 is outside 0..700")),
            "{text}"
        );
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_damaged_chunk_of_indices_stops_the_copy() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("in");
    foreign(&path, &matrix(DType::I32), &[Filter::deflate(1)], |_| ());
    let chunk = chunks(&path, "X/indices")[3].1.clone();
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(chunk.len()).position(|w| w == chunk).unwrap();
    bytes[at + 30..at + 60].fill(0x55);
    std::fs::write(&path, bytes).unwrap();
    let m = open(&path, Layout::Csr, SHAPE);
    let e = try_write(&m, Layout::Csr, &small(), &dir.path().join("out")).unwrap_err();
    assert!(matches!(e, WriteError::Input { .. }), "{e}");
}

#[derive(Default)]
struct Watcher {
    total: AtomicU64,
    done: AtomicU64,
    stop_at: u64,
}

impl Progress for Watcher {
    fn start(&self, _: &str, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }
    fn advance(&self, done: u64, _: &str) {
        assert!(done >= self.done.swap(done, Ordering::Relaxed));
    }
    fn finish(&self) {}
    fn cancelled(&self) -> bool {
        self.stop_at > 0 && self.done.load(Ordering::Relaxed) >= self.stop_at
    }
}

#[test]
fn progress_ends_at_the_total_and_work_stops_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let s = matrix(DType::I32);
    let path = dir.path().join("in");
    foreign(&path, &s, &[Filter::deflate(1)], |_| ());
    let stored = open(&path, Layout::Csr, SHAPE);
    for m in [Matrix::Sparse(s), stored] {
        for layout in [Layout::Csr, Layout::Csc] {
            let watcher = Watcher::default();
            let options = WriteOptions { progress: &watcher, ..small() };
            try_write(&m, layout, &options, &dir.path().join("out")).unwrap();
            assert_eq!(watcher.done.into_inner(), watcher.total.into_inner(), "{layout:?}");
            let watcher = Watcher { stop_at: 1, ..Watcher::default() };
            let options = WriteOptions { progress: &watcher, ..small() };
            let e = try_write(&m, layout, &options, &dir.path().join("out")).unwrap_err();
            assert!(matches!(e, WriteError::Cancelled { .. }), "{e}");
        }
    }
}

#[test]
fn a_dense_matrix_is_copied_or_encoded_again() {
    let dir = tempfile::tempdir().unwrap();
    let values: Vec<f32> = (0..1500 * 300).map(|i| (i % 977) as f32).collect();
    let m = Matrix::Dense(Dense::new(1500, 300, Values::F32(values)).unwrap());
    let save = |m: &Matrix, options: &WriteOptions, name: &str| {
        let path = dir.path().join(name);
        let file = open_to_write(&path, true).unwrap();
        write_dense(m, &file, "X", options, &path).unwrap();
        path
    };
    let stored = |path: &Path| {
        let s = source(path);
        open_dense(&s, &s.open().unwrap().dataset("X").unwrap()).unwrap().unwrap().into_matrix()
    };
    let all = |m: &Matrix| {
        let mut all = Values::empty(DType::F32);
        m.stream(1 << 20, &mut |_, block| {
            let Block::Dense(d) = block else { panic!("sparse") };
            crate::data::append(&mut all, d.values());
            Ok(())
        })
        .unwrap();
        all
    };
    let first = save(&m, &small(), "first");
    assert_eq!(filters(&first, "X"), [Filter::shuffle(), Filter::deflate(4)]);
    let copied = save(&stored(&first), &small(), "copied");
    assert!(chunks(&first, "X") == chunks(&copied, "X"));
    let options = WriteOptions { compression: Some(Compression::Gzip(9)), ..small() };
    let again = save(&stored(&copied), &options, "again");
    assert_eq!(filters(&again, "X"), [Filter::shuffle(), Filter::deflate(9)]);
    for path in [first, copied, again] {
        assert_eq!(all(&stored(&path)), all(&m));
    }
}

/// SHA-256 of the three arrays as h5py reads them, with their types.
const H5PY: &str = "
import h5py, hashlib, sys
for path in sys.argv[1:]:
    x = h5py.File(path)['X']
    print(*(hashlib.sha256(x[n][:].tobytes()).hexdigest() + x[n].dtype.name for n in ('data', 'indices', 'indptr')))
";

#[test]
fn h5py_reads_what_was_encoded_and_what_was_copied() {
    use sha2::{Digest, Sha256};
    let Some(python) = std::env::var_os("SCX_PYTHON") else {
        println!("skipped: SCX_PYTHON is not set");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let s = matrix(DType::I32);
    let mut paths = vec![write(&Matrix::Sparse(s.clone()), Layout::Csr, &small(), &dir, "default")];
    paths.push(write(&open(&paths[0], Layout::Csr, SHAPE), Layout::Csr, &small(), &dir, "copy"));
    for (name, compression) in
        [("lzf", Compression::Lzf), ("none", Compression::None), ("gzip", Compression::Gzip(9))]
    {
        let options = WriteOptions { compression: Some(compression), ..small() };
        paths.push(write(&open(&paths[0], Layout::Csr, SHAPE), Layout::Csr, &options, &dir, name));
    }
    let out = std::process::Command::new(python).arg("-c").arg(H5PY).args(&paths).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let sum = |bytes: &[u8], dtype: &str| {
        let hex: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
        hex + dtype
    };
    let indptr = Values::I32(s.indptr().iter().map(|p| i32::try_from(*p).unwrap()).collect());
    let indices = Values::U32(s.indices().to_vec());
    let expected =
        [sum(s.values().bytes(), "int32"), sum(indices.bytes(), "int32"), sum(indptr.bytes(), "int32")]
            .join(" ");
    for (line, path) in String::from_utf8(out.stdout).unwrap().lines().zip(&paths) {
        assert_eq!(line, expected, "{}", path.display());
    }
}

/// More than 2^31 entries that take no room: chunks that were never written are zeros, and index 0 may stand twice.
fn wide(dir: &TempDir, columns: u64) -> (PathBuf, (usize, usize), u64) {
    let rows = (1u64 << 31) / columns + 2;
    let nnz = rows * columns;
    let path = dir.path().join("wide");
    let file = open_to_write(&path, true).unwrap();
    let g = new_group(&file, "X").unwrap();
    let storage = Storage { chunk: Some(vec![1 << 16]), filters: vec![Filter::deflate(4)] };
    create(&g, "data", DType::U8, &[nnz as usize], &storage).unwrap();
    create(&g, "indices", DType::I32, &[nnz as usize], &storage).unwrap();
    let indptr: Vec<u64> = (0..=rows).map(|r| r * columns).collect();
    write_pointers(&g, DType::I64, &indptr, &small()).unwrap();
    (path, (rows as usize, columns as usize), nnz)
}

#[test]
fn more_than_two_to_the_31_entries_are_copied_with_64_bit_pointers() {
    let dir = tempfile::tempdir().unwrap();
    let (path, shape, nnz) = wide(&dir, 4096);
    let m = open(&path, Layout::Csr, shape);
    let out = write(&m, Layout::Csr, &small(), &dir, "out");
    let copy = open(&out, Layout::Csr, shape);
    assert_eq!(copy.nnz(), Some(nnz));
    assert!(nnz > 1 << 31);
    let Matrix::OnDisk(copy) = copy else { panic!("in memory") };
    let last: Range<usize> = shape.0 - 1..shape.0;
    let Block::Csr(last) = copy.rows(last).unwrap() else { panic!("dense") };
    assert_eq!(last.values().len(), 4096);
}

#[test]
fn more_than_two_to_the_31_entries_are_encoded_again_in_bounded_memory() {
    let dir = tempfile::tempdir().unwrap();
    let (path, shape, nnz) = wide(&dir, 4096);
    let options = WriteOptions { compression: Some(Compression::Gzip(1)), ..small() };
    let out = write(&open(&path, Layout::Csr, shape), Layout::Csr, &options, &dir, "out");
    assert_eq!(open(&out, Layout::Csr, shape).nnz(), Some(nnz));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_small_matrix_turns_and_comes_back(
        cells in prop::collection::btree_map((0u32..40, 0u32..9), 1u8.., 0..120),
        memory in 1u64 << 10..1 << 22,
    ) {
        let mut indptr = vec![0u64; 41];
        cells.keys().for_each(|(r, _)| indptr[*r as usize + 1] += 1);
        (1..41).for_each(|i| indptr[i] += indptr[i - 1]);
        let indices = cells.keys().map(|(_, c)| *c).collect();
        let values = Values::U8(cells.into_values().collect());
        let s = Sparse::new(Layout::Csr, (40, 9), indptr, indices, values).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let options = WriteOptions { memory, ..WriteOptions::default() };
        let csc = write(&Matrix::Sparse(s.clone()), Layout::Csc, &options, &dir, "csc");
        let csr = write(&open(&csc, Layout::Csc, (40, 9)), Layout::Csr, &options, &dir, "csr");
        prop_assert_eq!(&rows(&open(&csr, Layout::Csr, (40, 9)), memory), &s);
        prop_assert_eq!(&rows(&open(&csc, Layout::Csc, (40, 9)), memory), &s);
    }
}
