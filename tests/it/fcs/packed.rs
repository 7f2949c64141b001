//! FCS files packed with gzip.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use scx::io::{Format, WriteOptions, save};

use super::*;
use crate::support::Dir;

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

#[test]
fn every_small_file_is_read_the_same_when_it_is_packed() {
    let dir = Dir::new();
    let mut seen = 0;
    for name in files(&fixtures("fcs")) {
        let plain = fixtures("fcs").join(&name);
        dir.write("x.fcs.gz", packed(&std::fs::read(&plain).unwrap()));
        let (a, warned_a) = warned(|| open(&plain, &ReadOptions::default()).unwrap());
        let (b, warned_b) = warned(|| dir.open("x.fcs.gz"));
        // Bits, since NaN is not NaN.
        let bits = |d: &Dataset| events(d).iter().map(f64::to_bits).collect::<Vec<_>>();
        assert_eq!((bits(&a), events(&a).dtype()), (bits(&b), events(&b).dtype()), "{name}");
        assert_eq!((&a.var.index, &a.source.keywords), (&b.var.index, &b.source.keywords), "{name}");
        let of = |text: &str| {
            text.replace(plain.to_str().unwrap(), "x").replace(dir.path("x.fcs.gz").to_str().unwrap(), "x")
        };
        assert_eq!(of(&warned_a), of(&warned_b), "{name}");
        seen += 1;
    }
    assert!(seen > 30);
}

#[test]
fn verbs_read_packed_files_and_no_output_is_packed() {
    let dir = Dir::new();
    dir.write("in.fcs.gz", packed(&std::fs::read(fixtures("fcs").join("log_amplifier.fcs")).unwrap()));
    assert!(dir.scx("info in.fcs.gz").ok().stdout.contains("FCS"));
    dir.scx("check in.fcs.gz --deep").ok();
    dir.scx("convert in.fcs.gz out.fcs --strict").ok();
    assert_eq!(rows(&dir.open("out.fcs")), rows(&read("log_amplifier.fcs")));
    dir.scx("concat in.fcs.gz out.fcs -o both.fcs").ok();
    assert_eq!(dir.open("both.fcs").n_obs(), 2 * dir.open("out.fcs").n_obs());
    let says = ["x.fcs.gz: FCS is not written packed", "gzip x.fcs"];
    dir.refuses(2, "convert out.fcs x.fcs.gz", &says);
    dir.refuses(2, "convert out.fcs x.gz --to fcs", &["x.gz: FCS is not written packed"]);
}

#[test]
fn a_packed_file_that_was_cut_off_or_damaged_is_bad_input_by_its_own_name() {
    let dir = Dir::new();
    let noise: Vec<f32> = (0..30_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32).collect();
    dir.save("a.fcs", &table(Values::F32(noise), &["a", "b", "c"]));
    let whole = packed(&dir.bytes("a.fcs"));
    for len in [whole.len() / 3, whole.len() - 9, whole.len() - 1] {
        dir.write("cut.fcs.gz", &whole[..len]);
        dir.refuses(3, "convert cut.fcs.gz out.fcs", &["cut.fcs.gz: gzip: truncated", "complete copy"]);
        assert_ne!(dir.scx("check cut.fcs.gz").code, Some(0), "{len}");
    }
    let mut damaged = whole.clone();
    let middle = whole.len() / 2;
    damaged[middle..middle + 40].fill(0xff);
    dir.write("damaged.fcs.gz", &damaged);
    dir.refuses(3, "convert damaged.fcs.gz out.fcs", &["damaged.fcs.gz: gzip:", "damaged"]);
    dir.write("head.fcs.gz", packed(b"FCS3.1    and more"));
    dir.refuses(
        3,
        "info head.fcs.gz",
        &["head.fcs.gz: HEADER: truncated: it takes 58 bytes, the file has 18"],
    );
    // The file inside was cut off before it was packed.
    let inside = dir.bytes("a.fcs");
    dir.write("short.fcs.gz", packed(&inside[..inside.len() / 2]));
    dir.refuses(3, "convert short.fcs.gz out.fcs", &["short.fcs.gz: DATA: truncated"]);
}

#[test]
fn a_large_file_is_unpacked_into_the_folder_for_temporary_files() {
    let dir = Dir::new();
    let n = 6_000_000;
    let d = table(Values::F32((0..3 * n).map(|i| (i % 1000) as f32).collect()), &["a", "b", "c"]);
    save(&d, Format::Fcs, &dir.path("a.fcs"), false, &WriteOptions::default()).unwrap();
    assert!(dir.path("a.fcs").metadata().unwrap().len() > 64 << 20);
    dir.write("a.fcs.gz", packed(&dir.bytes("a.fcs")));
    std::fs::remove_file(dir.path("a.fcs")).unwrap();
    let folder = dir.path("scratch");
    let options = ReadOptions { scratch: Some(folder.clone()), ..ReadOptions::default() };
    let e = open(&dir.path("a.fcs.gz"), &options).unwrap_err();
    let text = format!("{e}: {}", std::error::Error::source(&e).unwrap());
    assert!(text.contains("a.fcs.gz") && text.contains("scratch") && text.contains("--temp-dir"), "{text}");
    std::fs::create_dir(&folder).unwrap();
    let again = open(&dir.path("a.fcs.gz"), &options).unwrap();
    let Some(Matrix::OnDisk(m)) = &again.x else { panic!() };
    let last = m.rows(n - 1..n).unwrap().to_f64();
    assert_eq!(last.row(0).to_vec(), [997.0, 998.0, 999.0]);
    // Nobody sees the file, and it is gone with the data.
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}
