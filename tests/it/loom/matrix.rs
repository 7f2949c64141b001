//! The matrix of genes × cells seen as cells × genes: every way of reading gives the same, in any amount of memory.

use ndarray::Array2;
use scx::data::{Block, Dataset, Dense, Frame, Index, Layout, Matrix, Values};
use scx::io::{Compression, ReadOptions, WriteOptions, loom};

use super::expected::{cells, read};
use crate::h5ad::expected::fixtures;

fn streamed(m: &Matrix, memory: u64) -> (Array2<f64>, u64) {
    let mut out = Array2::zeros(m.shape());
    let (mut next, mut entries) = (0, 0);
    m.stream(memory, &mut |start, block| {
        assert_eq!(start, next, "runs come in order and leave no gap");
        next += block.len();
        if let Block::Csr(s) = &block {
            entries += s.values().len() as u64;
        }
        out.slice_mut(ndarray::s![start..next, ..]).assign(&block.to_f64());
        Ok(())
    })
    .unwrap();
    assert_eq!(next, m.shape().0);
    (out, entries)
}

/// Cells × genes with about `tenths` of ten entries that are not zero.
fn made(n: usize, g: usize, tenths: usize) -> Dataset {
    let v: Vec<i32> = (0..n * g)
        .map(|i| (i * 7919 + i / 97) % 1013)
        .map(|x| if x % 10 < tenths { x as i32 } else { 0 })
        .collect();
    let frame = |n: usize, p: &str| Frame::new(Index::names((0..n).map(|i| format!("{p}{i}")).collect()));
    let mut d = Dataset::new(frame(n, "c"), frame(g, "g"));
    d.x = Some(Matrix::Dense(Dense::new(n, g, Values::I32(v)).unwrap()));
    d
}

#[test]
fn rows_columns_and_runs_agree_in_any_memory_and_compression() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.loom");
    let compressions = [None, Some(Compression::Gzip(1)), Some(Compression::Lzf), Some(Compression::None)];
    for (tenths, compression) in (1..).step_by(3).zip(compressions) {
        // Edges of chunks on neither axis.
        let d = made(333, 150, tenths);
        let meant = streamed(d.x.as_ref().unwrap(), 1 << 30).0;
        loom::write(&d, &path, &WriteOptions { compression, ..WriteOptions::default() }).unwrap();
        let found = read(&path);
        let x = found.x.as_ref().unwrap();
        assert_eq!(x.layout(), if tenths < 4 { Layout::Csr } else { Layout::Dense });
        for memory in [1 << 10, 1 << 17, 1 << 20, 1 << 30] {
            let (values, entries) = streamed(x, memory);
            assert!(values == meant, "{memory} bytes, {tenths} tenths");
            if let Some(nnz) = x.nnz() {
                assert_eq!(entries, nnz);
            }
        }
        let mut all = Vec::new();
        for start in (0..333).step_by(37) {
            all.extend(cells(x, start..start + 37));
        }
        assert_eq!(all, meant.iter().copied().collect::<Vec<_>>());
        let chosen = [149, 0, 64, 63, 65, 64, 7];
        let mut seen = 0;
        x.columns(&chosen, &mut |start, block| {
            assert_eq!(start, seen);
            seen += block.nrows();
            for (r, row) in block.rows().into_iter().enumerate() {
                let wanted: Vec<f64> = chosen.iter().map(|&c| meant[(start + r, c)]).collect();
                assert_eq!(row.to_vec(), wanted);
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, 333);
    }
}

#[test]
fn entries_are_counted_before_and_after_a_walk_alike() {
    let path = fixtures().join("loom/chunks.loom");
    let (before, after) = (read(&path), read(&path));
    let (before, after) = (before.x.unwrap(), after.x.unwrap());
    assert_eq!(before.layout(), Layout::Csr);
    assert_eq!(before.nnz_known(), None, "nothing has been counted yet");
    let counted = before.nnz().unwrap();
    assert_eq!(before.nnz_known(), Some(counted));
    let (_, entries) = streamed(&after, 1 << 30);
    assert_eq!((counted, after.nnz()), (entries, Some(entries)));
    assert!(entries > 1000);
}

#[test]
fn a_row_or_column_outside_is_refused() {
    let d = read(&fixtures().join("loom/chunks.loom"));
    let Some(Matrix::OnDisk(x)) = &d.x else { panic!() };
    assert!(x.rows(200..204).is_err());
    assert!(x.columns(&[150], &mut |_, _| Ok(())).is_err());
}

#[test]
fn the_same_data_give_the_same_bytes_from_memory_and_from_disk() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    let d = made(200, 90, 2);
    loom::write(&d, &at("a.loom"), &WriteOptions::default()).unwrap();
    loom::write(&d, &at("b.loom"), &WriteOptions { memory: 1 << 16, ..WriteOptions::default() }).unwrap();
    let again = loom::read(&at("a.loom"), &ReadOptions::default()).unwrap();
    loom::write(&again, &at("c.loom"), &WriteOptions::default()).unwrap();
    let bytes = |n: &str| std::fs::read(at(n)).unwrap();
    assert!(bytes("a.loom") == bytes("b.loom") && bytes("a.loom") == bytes("c.loom"));
}
