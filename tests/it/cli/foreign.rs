//! Files, folders and names that scx does not read or write: each is called by its name, and what is advised helps.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use crate::support::Dir;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// One file in a tar archive.
fn tar(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut head = vec![0u8; 512];
    head[..name.len()].copy_from_slice(name.as_bytes());
    head[100..107].copy_from_slice(b"0000644");
    head[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
    head[136..147].copy_from_slice(b"00000000000");
    head[156] = b'0';
    head[257..263].copy_from_slice(b"ustar\0");
    head[263..265].copy_from_slice(b"00");
    head[148..156].copy_from_slice(b"        ");
    let sum: u32 = head.iter().map(|b| u32::from(*b)).sum();
    head[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    head.extend_from_slice(bytes);
    head.resize(head.len().next_multiple_of(512) + 1024, 0);
    head
}

fn utf16(text: &str) -> Vec<u8> {
    [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

#[test]
fn every_foreign_file_is_called_by_its_name_whatever_it_is_named() {
    let dir = Dir::new();
    let zip =
        |name: &str| [b"PK\x03\x04\x14\0\0\0\0\0".to_vec(), vec![0; 20], name.as_bytes().to_vec()].concat();
    let table = "cell,CD4,CD8\na,1,2\nb,3,4\n";
    let plain: Vec<u8> = table.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide: Vec<u8> =
        std::iter::once('\u{feff}').chain(table.chars()).flat_map(|c| (c as u32).to_le_bytes()).collect();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("a.tar", tar("a.csv", table.as_bytes()), "tar archive"),
        ("matrix.mtx.gz", tar("a.csv", table.as_bytes()), "tar archive"),
        ("a.tar.gz", gzip(&tar("a.csv", table.as_bytes())), "tar archive packed with gzip"),
        ("a.zip", zip("crlf/matrix.mtx"), "zip archive"),
        ("a.xlsx", zip("[Content_Types].xml"), "Excel workbook"),
        ("a.csv", zip("[Content_Types].xml"), "Excel workbook"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and more".to_vec(), "Excel workbook (.xls)"),
        ("a.zarr.zip", zip(".zattrs"), "zarr store in a zip archive"),
        ("a.npz", zip("X.npy"), "NumPy"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c\0\x04".to_vec(), "7z archive"),
        ("a.bz2", b"BZh91AY&SY\x01\x02".to_vec(), "bzip2"),
        ("a.xz", b"\xfd7zXZ\0\0\x04".to_vec(), "packed with xz"),
        ("a.zst", b"\x28\xb5\x2f\xfd\x04".to_vec(), "zstd"),
        ("a.h5ad.gz", gzip(b"\x89HDF\r\n\x1a\n\0\0\0\0"), "HDF5 file, packed with gzip"),
        ("utf16.csv", utf16(table), "UTF-16; save it as UTF-8"),
        ("utf16.csv.gz", gzip(&utf16(table)), "UTF-16, packed with gzip"),
        ("no_mark.csv", plain, "UTF-16; save it as UTF-8"),
        ("utf32.csv", wide, "UTF-32; save it as UTF-8"),
        ("a.rds", gzip(b"X\n\0\0\0\x03\0\x04"), "R object (.rds)"),
        ("bzip2.rds", b"BZh91AY&SY\x01\x02".to_vec(), "R object (.rds)"),
        ("seurat", gzip(b"X\n\0\0\0\x03\0\x04"), "R object (.rds)"),
        ("a.RData", gzip(b"RDX3\nX\n\0\0\0\x03"), "R data (.RData)"),
        ("a.qs", b"\x0b\x0e\x0a\x0c\0\0\0".to_vec(), "R object written by qs"),
        ("a.cloupe", b"\0\x01\x02\x03".to_vec(), "Loupe file"),
        ("a.feather", b"ARROW1\0\0".to_vec(), "Feather"),
        ("a.pkl", b"\x80\x04\x95\0\0".to_vec(), "pickle"),
        ("a.h5", b"<!DOCTYPE html>\n<html>404</html>".to_vec(), "page of the web"),
        (
            "lfs.h5ad",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n".to_vec(),
            "Git LFS",
        ),
        ("empty.h5ad", Vec::new(), "it is empty"),
    ];
    for (name, bytes, says) in cases {
        dir.write(name, bytes);
        for verb in ["info", "check"] {
            dir.refuses(3, &format!("{verb} {name}"), &[name, says]);
        }
        dir.refuses(3, &format!("convert {name} out.h5ad"), &[name, says]);
    }
}

#[test]
fn text_that_begins_like_something_else_is_still_a_table() {
    let dir = Dir::new();
    for text in ["A,B\n2,3\n4,5\n", "A\tX\n3\t1\n2\t2\n", "RDX2,BZh\n1,2\n3,4\n"] {
        dir.write("t.csv", text);
        dir.scx("info t.csv").ok();
    }
}

/// The command that a message advises, run by the shell in the folder.
fn advised(dir: &Dir, args: &str, between: (&str, &str)) -> String {
    let run = dir.scx(args);
    assert_ne!(run.code, Some(0));
    let rest = run.stderr.split_once(between.0).unwrap_or_else(|| panic!("{}", run.stderr)).1;
    let command = rest.split_once(between.1).map_or(rest, |r| r.0).trim().to_owned();
    dir.shell(&command).ok();
    command
}

#[test]
fn commands_that_unpack_and_recode_give_what_is_read() {
    let dir = Dir::new();
    let table = "cell,CD4,CD8\na,1,2\nb,3,4\n";
    dir.write("in side.csv", table);
    dir.write("t.tar.gz", gzip(&tar("one.csv", table.as_bytes())));
    advised(&dir, "info t.tar.gz", ("unpack it (", ")"));
    dir.scx("info one.csv").ok();
    dir.write("t.tar", tar("two.csv", table.as_bytes()));
    advised(&dir, "info t.tar", ("unpack it (", ")"));
    dir.scx("info two.csv").ok();
    dir.scx("convert two.csv x.h5ad").ok();
    dir.write("packed.h5ad.gz", gzip(&dir.bytes("x.h5ad")));
    let command = advised(&dir, "info packed.h5ad.gz", ("unpack it: ", "\n"));
    assert!(command.ends_with("packed.h5ad"), "{command}");
    assert_eq!(dir.bytes("packed.h5ad"), dir.bytes("x.h5ad"));
    for (name, bytes) in [("utf.csv", utf16(table)), ("packed.csv.gz", gzip(&utf16(table)))] {
        dir.write(name, bytes);
        let command = advised(&dir, &format!("info {name}"), ("as UTF-8: ", "\n"));
        let new = command.rsplit_once("> ").unwrap().1;
        dir.scx(&format!("info {new}")).ok();
    }
}

#[test]
fn folders_are_called_by_what_they_hold() {
    let dir = Dir::new();
    let folder = |name: &str, files: &[&str]| {
        for file in files {
            let path = dir.path(name).join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
    };
    std::fs::create_dir(dir.path("nothing")).unwrap();
    folder("a.zarr", &[".zattrs", ".zgroup", "obs/.zgroup"]);
    folder("b", &["zarr.json", "tables/table/zarr.json"]);
    folder("bp", &["shape", "storage_order", "index_data"]);
    folder("files", &["cell_by_gene.csv", "image.tif", "x.h5ad"]);
    folder("other", &["notes.txt"]);
    folder("db", &["__tiledb_group.tdb"]);
    for (name, says) in [
        ("nothing", "it is empty"),
        ("a.zarr", "anndata.read_zarr(\"a.zarr\").write_h5ad(\"a.h5ad\")"),
        ("b", "anndata.read_zarr(\"b/tables/table\")"),
        ("bp", "folder of BPCells"),
        ("files", "give one of the files in it: cell_by_gene.csv, x.h5ad"),
        ("other", "holds no file scx reads"),
        ("db", "TileDB"),
    ] {
        dir.refuses(3, &format!("convert {name} o.h5ad"), &[name, says]);
    }
}

#[test]
fn a_zarr_store_becomes_readable_by_the_line_that_is_advised() {
    let dir = Dir::new();
    let Some(python) = crate::support::python() else { return };
    let make = "import anndata, numpy, pandas; anndata.AnnData(numpy.eye(2), pandas.DataFrame(index=['a', 'b'])).write_zarr('s.zarr')";
    let run = |code: &str| {
        Command::new(&python).args(["-W", "ignore", "-c", code]).current_dir(dir.path("")).output().unwrap()
    };
    if !run("import zarr").status.success() || !run(make).status.success() {
        println!("skipped: {python} has no zarr");
        return;
    }
    let stderr = dir.scx("info s.zarr").stderr;
    let code = stderr.split_once("in Python: ").unwrap().1.trim().to_owned();
    let out = run(&code);
    assert!(out.status.success(), "{code}: {}", String::from_utf8_lossy(&out.stderr));
    dir.scx("info s.h5ad").ok();
}

#[test]
fn addresses_and_streams_are_no_files_to_read() {
    let dir = Dir::new();
    for (name, says) in [
        ("s3://bucket/cells.h5ad", "aws s3 cp s3://bucket/cells.h5ad ."),
        ("gs://bucket/cells.h5ad", "gcloud storage cp gs://bucket/cells.h5ad ."),
        ("https://host.org/cells.h5ad", "curl -LO https://host.org/cells.h5ad"),
        ("az://x/cells.h5ad", "download it first"),
        ("file:///data/cells.h5ad", "leave away file://"),
        ("-", "standard input"),
    ] {
        dir.refuses(3, &format!("info {name}"), &[says]);
        dir.refuses(3, &format!("convert {name} o.h5ad"), &[says]);
    }
}

#[test]
fn a_file_that_is_not_there_is_named_with_what_may_have_been_meant() {
    let dir = Dir::new();
    dir.write("cells.csv", "cell,CD4\na,1\n");
    dir.refuses(3, "info cell.csv", &["cell.csv", "No such file", "did you mean cells.csv?"]);
    dir.refuses(3, "info data/cells.csv", &["the folder data is not there"]);
    std::os::unix::fs::symlink("gone.csv", dir.path("link.csv")).unwrap();
    dir.refuses(3, "info link.csv", &["it is a link to gone.csv, which is not there"]);
    assert!(!dir.scx("info far.fcs").stderr.contains("did you mean"));
}

#[test]
fn no_verb_makes_a_file_or_folder_of_a_stream_or_an_address() {
    let dir = Dir::new();
    dir.write("a.csv", "cell,CD4,CD8\na,1,0\nb,0,2\n");
    dir.scx("convert a.csv a.h5ad").ok();
    for (name, says) in [
        ("-", "standard output cannot be written to"),
        ("s3://bucket/o.h5ad", "is an address"),
        ("https://host.org/o", "is an address"),
    ] {
        for verb in [
            format!("convert a.h5ad {name}"),
            format!("convert a.h5ad {name} --to h5ad"),
            format!("convert a.h5ad {name} --dry-run"),
            format!("concat a.h5ad a.h5ad -o {name}"),
            format!("preprocess a.h5ad --log1p -o {name}"),
            format!("cluster a.h5ad -o {name}"),
        ] {
            dir.refuses(2, &verb, &[says]);
        }
    }
    // A path that says that it is one is a file like any other.
    dir.scx("convert a.h5ad ./-.h5ad").ok();
    assert!(Path::new(&dir.path("-.h5ad")).is_file());
}

#[test]
fn matrices_as_they_are_deposited_are_read_and_archives_among_them_named() {
    let dir = Dir::new();
    let mtx = "%%MatrixMarket matrix coordinate integer general\n%\n3 2 2\n1 1 5\n3 2 1\n";
    let (features, barcodes) = ("109979\tArt3\n1e5\tNA\n18950\tTRUE\n", "123\n1e3\n");
    let folder = |name: &str, files: [(&str, Vec<u8>); 3]| {
        std::fs::create_dir(dir.path(name)).unwrap();
        for (file, bytes) in files {
            dir.write(&format!("{name}/{file}"), bytes);
        }
    };
    let bytes = |t: &str| t.as_bytes().to_vec();
    let crlf = |t: &str| t.replace('\n', "\r\n").into_bytes();
    folder(
        "prefix",
        [
            ("GSM1_S1_matrix.mtx.gz", gzip(mtx.as_bytes())),
            ("GSM1_S1_features.tsv.gz", gzip(features.as_bytes())),
            ("GSM1_S1_barcodes.tsv.gz", gzip(barcodes.as_bytes())),
        ],
    );
    folder(
        "crlf",
        [("matrix.mtx", crlf(mtx)), ("genes.tsv", crlf(features)), ("barcodes.tsv", crlf(barcodes))],
    );
    let packed = |t: &str| gzip(t.as_bytes());
    folder(
        "plain_name",
        [("matrix.mtx", packed(mtx)), ("genes.tsv", packed(features)), ("barcodes.tsv", packed(barcodes))],
    );
    folder(
        "gz_name",
        [
            ("matrix.mtx.gz", bytes(mtx)),
            ("features.tsv.gz", bytes(features)),
            ("barcodes.tsv.gz", bytes(barcodes)),
        ],
    );
    for name in ["prefix", "crlf", "plain_name", "gz_name"] {
        let d = dir.open(name);
        let names = |f: &scx::data::Frame| f.index.iter().map(|n| n.into_owned()).collect::<Vec<_>>();
        assert_eq!(
            (names(&d.obs), names(&d.var)),
            (vec!["123".into(), "1e3".into()], ["Art3", "NA", "TRUE"].map(String::from).into()),
            "{name}"
        );
        assert_eq!(d.var.column("gene_ids").unwrap().text(1).as_deref(), Some("1e5"), "{name}");
        assert_eq!(
            crate::support::values(d.x.as_ref().unwrap()),
            ndarray::array![[5., 0., 0.], [0., 0., 1.]],
            "{name}"
        );
    }
    let cut = |t: &str| gzip(t.repeat(50).as_bytes())[..40].to_vec();
    for (name, matrix, says) in [
        ("tar", tar("matrix.mtx", mtx.as_bytes()), "tar archive"),
        ("targz", gzip(&tar("matrix.mtx", mtx.as_bytes())), "tar archive packed with gzip"),
        ("utf16", utf16(mtx), "UTF-16"),
        ("cut", cut(mtx), "ends too early"),
    ] {
        folder(
            name,
            [("matrix.mtx.gz", matrix), ("features.tsv", bytes(features)), ("barcodes.tsv", bytes(barcodes))],
        );
        dir.refuses(3, &format!("convert {name} o.h5ad"), &["matrix.mtx.gz", says]);
    }
    folder(
        "names",
        [("matrix.mtx", bytes(mtx)), ("features.tsv", utf16(features)), ("barcodes.tsv", bytes(barcodes))],
    );
    dir.refuses(3, "convert names o.h5ad", &["features.tsv", "UTF-16"]);
}
