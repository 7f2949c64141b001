//! Sparse arrays beside the tables of a loom file, which stores every zero: within memory, or left behind before any work.

use std::time::Duration;

use scx::data::{Annotation, Dataset, Frame, Index, Layout, Matrix, Sparse, Values};
use scx::io::{self, Format, ReadOptions};
use serde_json::Value;

use crate::support::Dir;

/// Cells × 4 genes with an array of `width` columns for each cell, ten entries a row.
fn cells(n: usize, width: usize) -> Dataset {
    let frame = |n: usize, p: &str| Frame::new(Index::names((0..n).map(|i| format!("{p}{i}")).collect()));
    let mut d = Dataset::new(frame(n, "c"), frame(4, "g"));
    let one = |columns: usize, per: usize| {
        let step = columns / per;
        let indices: Vec<u32> = (0..n * per).map(|i| ((i % per) * step + i / per % step) as u32).collect();
        let values = Values::I32((0..n * per).map(|i| i as i32 + 1).collect());
        let indptr = (0..=n).map(|i| (i * per) as u64).collect();
        Matrix::Sparse(Sparse::new(Layout::Csr, (n, columns), indptr, indices, values).unwrap())
    };
    d.x = Some(one(4, 1));
    d.obsm.insert("fragment_paired".into(), Annotation::Matrix(one(width, 10)));
    d
}

/// Runs the program; the most memory it held, in bytes.
fn peak(dir: &Dir, args: &str) -> u64 {
    let mut child = dir.command(args).spawn().unwrap();
    let mut most = 0;
    loop {
        if let Ok(text) = std::fs::read_to_string(format!("/proc/{}/status", child.id())) {
            let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("0 kB");
            let kb: u64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0);
            most = most.max(kb << 10);
        }
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{args}");
            return most;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn estimate(dir: &Dir, args: &str) -> Value {
    dir.scx(&format!("{args} --dry-run --json")).ok().json()["estimate"].clone()
}

#[test]
fn an_array_as_wide_as_a_genome_is_left_behind_before_any_work() {
    let dir = Dir::new();
    dir.save("snap.h5ad", &cells(5, 3_088_269_832));
    let why = "with all zeros it takes 57.5 GiB, more than --memory allows (2.0 GiB)";
    let before = dir.contents();
    let plan = estimate(&dir, "convert snap.h5ad o.loom");
    assert!(plan["output_bytes"].as_u64().unwrap() < 1 << 20, "{plan}");
    let run = dir.scx("convert snap.h5ad o.loom --dry-run --strict");
    assert!(run.code == Some(1) && run.stdout.contains(why), "{run:?}");
    dir.is_as(&before);
    let most = peak(&dir, "convert snap.h5ad o.loom --memory 64M -q");
    assert!(most < plan["memory_bytes"].as_u64().unwrap().max(96 << 20), "{most} bytes");
    let run = dir.scx("convert snap.h5ad o.loom --force").ok();
    run.says(&["obsm[\"fragment_paired\"]: left behind", why, "h5ad keeps it"]);
    assert_eq!(dir.names(), ["o.loom", "snap.h5ad"]);
    assert!(dir.open("o.loom").obsm.is_empty());
    // The other formats left it behind all along, and h5ad keeps it.
    dir.scx("convert snap.h5ad p.h5ad --strict").ok();
    let d = dir.open("p.h5ad");
    let Some(Annotation::Matrix(m)) = d.obsm.get("fragment_paired") else { panic!("{:?}", d.obsm) };
    assert_eq!((m.shape(), m.nnz()), ((5, 3_088_269_832), Some(50)));
}

#[test]
fn a_wide_array_that_fits_is_written_in_parts_within_the_memory() {
    let dir = Dir::new();
    // Runs of several rows, and rows longer than a run may be.
    for (n, width) in [(400, 50_000), (3, 7_000_000)] {
        let d = cells(n, width);
        dir.save("a.h5ad", &d);
        let dense = (n * width * 4) as u64;
        let plan = estimate(&dir, "convert a.h5ad o.loom --force --memory 96M");
        let out = plan["output_bytes"].as_u64().unwrap();
        assert!((dense..dense + (1 << 20)).contains(&out), "{plan}");
        let most = peak(&dir, "convert a.h5ad o.loom --memory 96M --force --threads 2 -q");
        assert!(most < 128 << 20, "{n} × {width}: {most} bytes");
        // What the file says of its memory is what it takes.
        assert!(most <= plan["memory_bytes"].as_u64().unwrap() + (16 << 20), "{most} {plan}");
        let found = io::open(&dir.path("o.loom"), &ReadOptions::default()).unwrap();
        let (Some(Annotation::Matrix(found)), Some(Annotation::Matrix(Matrix::Sparse(meant)))) =
            (found.obsm.get("fragment_paired"), d.obsm.get("fragment_paired"))
        else {
            panic!("{:?}", found.obsm)
        };
        assert_eq!(found.shape(), (n, width));
        let mut entries = 0;
        found
            .stream(64 << 20, &mut |start, block| {
                let scx::data::Block::Dense(block) = block else { panic!("not dense") };
                let Values::I32(v) = block.values() else { panic!("not int32") };
                for (i, x) in v.iter().enumerate().filter(|(_, x)| **x != 0) {
                    let (row, column) = (start + i / width, i % width);
                    let at = (row * 10 + entries % 10) as u64;
                    assert_eq!((meant.indices()[at as usize] as usize, *x), (column, at as i32 + 1));
                    entries += 1;
                }
                Ok(())
            })
            .unwrap();
        assert_eq!(entries, 10 * n);
    }
    assert_eq!(dir.names(), ["a.h5ad", "o.loom"]);
}

#[test]
fn genes_too_many_for_one_band_are_refused_before_work() {
    let dir = Dir::new();
    let n = 400_000;
    let frame = |n: usize, p: &str| Frame::new(Index::names((0..n).map(|i| format!("{p}{i}")).collect()));
    let mut d = Dataset::new(frame(64, "c"), frame(n, "g"));
    // One entry in nearly every chunk.
    let indices: Vec<u32> = (0..64).flat_map(|c| (0..97).map(move |k| (k * 64 + c) * 64)).collect();
    let (indptr, values) = ((0..=64).map(|c| c * 97).collect(), Values::F64(vec![1.5; indices.len()]));
    let x = Sparse::new(Layout::Csr, (64, n), indptr, indices, values).unwrap();
    d.x = Some(Matrix::Sparse(x));
    dir.save("a.h5ad", &d);
    for more in ["", " --dry-run"] {
        dir.refuses(
            5,
            &format!("convert a.h5ad o.loom --memory 128M{more}"),
            &["o.loom", "a band of 64 cells × 400000 genes takes 195.3 MiB", "--memory"],
        );
    }
    // What is advised helps.
    dir.scx("convert a.h5ad o.loom --memory 512M").ok();
}

#[test]
fn estimates_count_the_zeros_a_format_stores() {
    let dir = Dir::new();
    let frame = |n: usize, p: &str| Frame::new(Index::names((0..n).map(|i| format!("{p}{i}")).collect()));
    let (n, g) = (300, 4000);
    let mut d = Dataset::new(frame(n, "c"), frame(g, "g"));
    let of = |rows: usize, columns: usize| {
        let indptr = (0..=rows as u64).collect();
        let indices = (0..rows as u32).collect();
        Matrix::Sparse(
            Sparse::new(Layout::Csr, (rows, columns), indptr, indices, Values::F32(vec![1.0; rows])).unwrap(),
        )
    };
    d.x = Some(of(n, g));
    d.obsp.insert("near".into(), Annotation::Matrix(of(n, n)));
    dir.save("a.h5ad", &d);
    let out = |to: &str| estimate(&dir, &format!("convert a.h5ad {to}"))["output_bytes"].as_u64().unwrap();
    let cells = (n * g) as u64;
    for (to, least, most) in [
        // A graph is a list of edges and takes nothing for what is not there.
        ("o.loom", 4 * cells, 4 * cells + (1 << 18)),
        ("o.fcs", 4 * cells, 8 * cells + (1 << 18)),
        ("o.csv --table x", 4 * cells, 5 * cells),
        ("o.parquet --table x", 4 * cells, 5 * cells),
        ("o.h5ad", 0, 1 << 18),
        ("o.h5", 0, 1 << 18),
    ] {
        let bytes = out(to);
        assert!((least..=most).contains(&bytes), "{to}: {bytes}, {least} to {most}");
    }
    // And a file of text or events is as large as was said.
    for to in ["o.csv --table x", "o.fcs"] {
        dir.scx(&format!("convert a.h5ad {to}")).ok();
        let name = to.split(' ').next().unwrap();
        let size = dir.bytes(name).len() as u64;
        assert!(size <= out(&format!("{to} --force")) + (1 << 18) && size >= 2 * cells, "{to}: {size}");
    }
    assert_eq!(Format::for_target(&dir.path("o.fcs")), Some(Format::Fcs));
}
