//! Files ten times as large as the memory allowed go through it.

use std::ops::Range;
use std::sync::Arc;

use ndarray::Array2;
use scx::data::{Block, DType, DataError, Dataset, Dense, Frame, Index, Layout, Matrix, RowSource, Values};

use crate::support::Dir;

/// A dense matrix nobody stores.
#[derive(Debug)]
struct Made(usize, usize);

impl RowSource for Made {
    fn shape(&self) -> (usize, usize) {
        (self.0, self.1)
    }
    fn dtype(&self) -> DType {
        DType::F32
    }
    fn layout(&self) -> Layout {
        Layout::Dense
    }
    fn nnz(&self) -> Option<u64> {
        None
    }
    fn rows(&self, rows: Range<usize>) -> Result<Block, DataError> {
        let values =
            rows.clone().flat_map(|i| (0..self.1).map(move |j| (i % 16 * 100 + j % 10) as f32)).collect();
        Ok(Block::Dense(Dense::new(rows.len(), self.1, Values::F32(values))?))
    }
    fn columns(
        &self,
        _: &[usize],
        _: &mut dyn FnMut(usize, Array2<f64>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        panic!("not needed here")
    }
}

/// The most memory a program took, in bytes: asked again and again while it runs.
#[cfg(target_os = "linux")]
fn peak(dir: &Dir, args: &str) -> u64 {
    let mut child = dir.command(args).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("0 kB");
        most = most.max(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) << 10);
        if let Some(code) = child.try_wait().unwrap() {
            assert!(code.success(), "{args}");
            return most;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn ten_times_the_memory_goes_through_it() {
    let (dir, rows, columns) = (Dir::new(), 32_768, 512);
    let names = |p: &str, n: usize, first: usize| {
        Frame::new(Index::names((first..first + n).map(|i| format!("{p}{i}")).collect()))
    };
    // 64 MiB each, and ten of them; the second has its genes in another order.
    for (name, first) in [("a.h5ad", 0), ("b.h5ad", 7)] {
        let mut d = Dataset::new(names("c", rows, 0), names("g", columns, first));
        d.x = Some(Matrix::OnDisk(Arc::new(Made(rows, columns))));
        dir.save(name, &d);
    }
    let files = "a.h5ad b.h5ad a.h5ad b.h5ad a.h5ad b.h5ad a.h5ad b.h5ad a.h5ad b.h5ad";
    let more = "--on-duplicate suffix --compression none --memory 64M --threads 1 -q";
    let most = peak(&dir, &format!("concat {files} -o o.h5ad {more}"));
    println!("peak {} MiB", most >> 20);
    // Names and tables of 327,680 cells take their room beside the 64 MiB.
    assert!(most < 160 << 20, "{} MiB", most >> 20);
    let d = dir.open("o.h5ad");
    assert_eq!((d.n_obs(), d.n_vars()), (10 * rows, columns - 7));
    let Some(Matrix::OnDisk(x)) = &d.x else { panic!() };
    let row = x.rows(rows..rows + 1).unwrap().to_f64();
    // Gene g7 is the eighth of the first file and the first of the second.
    assert_eq!((row[(0, 0)], row[(0, 1)]), (0.0, 1.0));
}
