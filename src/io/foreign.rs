//! What scx does not read or write: named by its content or its name, with what to do about it.

use std::io::Read;
use std::path::Path;

use super::codec::Format;
use super::error::WriteError;
use super::table::is_gzip;

/// First bytes of a file that are looked at.
const HEAD: usize = 4096;
/// Files of a folder named in a message at most.
const NAMED: usize = 5;

/// First bytes, what they begin, and what to do; `{file}` and `{new}` stand for the file, and for a name without its last
/// extension.
const KINDS: &[(&[u8], &str, &str)] = &[
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it (7z x {file}) and give a file or folder from it"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it (unrar x {file}) and give a file or folder from it"),
    (b"BZh", "packed with bzip2", "unpack it: bzip2 -dc {file} > {new}"),
    (b"\xfd7zXZ\0", "packed with xz", "unpack it: xz -dc {file} > {new}"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", "unpack it: zstd -dc {file} > {new}"),
    (b"\x04\x22\x4d\x18", "packed with lz4", "unpack it: lz4 -dc {file} > {new}"),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Excel workbook (.xls)",
        "save its sheet as CSV and give that",
    ),
    (
        b"\x0b\x0e\x0a",
        "an R object written by qs",
        "in R: anndataR::write_h5ad(qs::qread({file}), {new}.h5ad)",
    ),
    (b"RDX2\n", "R data (.RData)", "in R: load({file}), then anndataR::write_h5ad(OBJECT, {new}.h5ad)"),
    (b"RDX3\n", "R data (.RData)", "in R: load({file}), then anndataR::write_h5ad(OBJECT, {new}.h5ad)"),
    (b"X\n\0\0", "an R object (.rds)", "in R: anndataR::write_h5ad(readRDS({file}), {new}.h5ad)"),
    (b"A\n2\n", "an R object (.rds)", "in R: anndataR::write_h5ad(readRDS({file}), {new}.h5ad)"),
    (b"A\n3\n", "an R object (.rds)", "in R: anndataR::write_h5ad(readRDS({file}), {new}.h5ad)"),
    (
        b"ARROW1",
        "an Arrow (Feather) table",
        "save it as CSV, in Python: pandas.read_feather({file}).to_csv({new}.csv)",
    ),
    (b"\x93NUMPY", "a NumPy array (.npy)", "it has no names of cells and genes; write an h5ad with anndata"),
    (b"SQLite format 3\0", "an SQLite database", "save its tables as CSV and give those"),
    (b"\x80\x02", "a Python pickle", "load it in Python and write an h5ad with anndata"),
    (b"\x80\x03", "a Python pickle", "load it in Python and write an h5ad with anndata"),
    (b"\x80\x04", "a Python pickle", "load it in Python and write an h5ad with anndata"),
    (b"\x80\x05", "a Python pickle", "load it in Python and write an h5ad with anndata"),
    (b"BAM\x01", "aligned reads (BAM)", "give the matrix of counts made of them"),
    (b"%PDF", "a PDF", "give the file of the data"),
    (b"version https://git-lfs", "the pointer of a file in Git LFS", "get the file itself: git lfs pull"),
];

/// What a file is by its first bytes and its name, and what to do; `None` when nothing is known of it.
pub(super) fn file(path: &Path, head: &[u8]) -> Option<String> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    if matches!(extension.as_str(), "cloupe" | "vloupe") {
        let what = "a Loupe file, whose format 10x Genomics keeps to itself; give the filtered_feature_bc_matrix.h5 of the \
                    same outs folder";
        return Some(format!("it is {what}"));
    }
    // R packs its files in several ways.
    match extension.as_str() {
        "rds" => content(path, b"X\n\0\0"),
        "rdata" | "rda" => content(path, b"RDX3\n"),
        _ if is_gzip(head) => Some(packed(path, head)),
        _ => content(path, head),
    }
}

/// Why a file that should hold text holds none: an archive, or text in another encoding.
pub(super) fn no_text(path: &Path, head: &[u8]) -> Option<String> {
    let head = head.get(..HEAD).unwrap_or(head);
    if is_gzip(head) {
        let inner = inflated(head);
        return (is_tar(&inner) || encoding(&inner).is_some()).then(|| packed(path, head));
    }
    archive(path, head).or_else(|| Some(recode(path, encoding(head)?)))
}

/// What can be unpacked of the head of a gzip file, which may end inside a block.
pub(super) fn inflated(head: &[u8]) -> Vec<u8> {
    let mut inner = Vec::new();
    let _ = flate2::read::MultiGzDecoder::new(head).read_to_end(&mut inner);
    inner
}

/// What is inside gzip.
fn packed(path: &Path, head: &[u8]) -> String {
    let inner = inflated(head);
    let unpack = |what: &str, ending: &str| {
        let new = match path.extension() {
            Some(e) if e.eq_ignore_ascii_case("gz") => path.with_extension(""),
            _ => path.with_extension(ending),
        };
        format!("it is {what}, packed with gzip; unpack it: gzip -dc {} > {}", quoted(path), quoted(&new))
    };
    if is_tar(&inner) {
        return format!(
            "it is a tar archive packed with gzip; unpack it (tar -xzf {}) and give a file or folder from it",
            quoted(path)
        );
    }
    if let Some(name) = encoding(&inner) {
        let (file, new) = (quoted(path), quoted(&path.with_extension("").with_extension("utf8.csv")));
        return format!(
            "it is text in {}, packed with gzip; save it as UTF-8: gzip -dc {file} | iconv -f {name} -t UTF-8 > {new}",
            &name[..6]
        );
    }
    match &inner[..] {
        h if h.starts_with(b"\x89HDF\r\n\x1a\n") => unpack("an HDF5 file", "h5"),
        h => content(path, h).unwrap_or_else(|| unpack("something else", "unpacked")),
    }
}

/// What bytes are.
fn content(path: &Path, head: &[u8]) -> Option<String> {
    if let Some(what) = archive(path, head) {
        return Some(what);
    }
    if let Some(name) = encoding(head) {
        return Some(recode(path, name));
    }
    let start = head.trim_ascii_start();
    let begins = |text: &[u8]| start.get(..text.len()).is_some_and(|s| s.eq_ignore_ascii_case(text));
    if begins(b"<!doctype html") || begins(b"<html") {
        return Some(
            "it is a page of the web (HTML): the download gave that instead of the file; get it again".into(),
        );
    }
    let (_, what, advice) = KINDS.iter().find(|(magic, ..)| head.starts_with(magic))?;
    let (file, stem) = (quoted(path), path.with_extension(""));
    let in_code = advice.contains("R:") || advice.contains("Python:");
    // In a line of code names are texts, and an ending is put behind them.
    let new = |ending: &str| match in_code {
        true => format!("{:?}", format!("{}{ending}", stem.display())),
        false => quoted(&stem),
    };
    let file = if in_code { format!("{:?}", path.display().to_string()) } else { file };
    let advice = advice.replace("{new}.h5ad", &new(".h5ad")).replace("{new}.csv", &new(".csv"));
    Some(format!("it is {what}; {}", advice.replace("{new}", &new("")).replace("{file}", &file)))
}

/// tar, zip and what is made of zip.
fn archive(path: &Path, head: &[u8]) -> Option<String> {
    let file = quoted(path);
    if is_tar(head) {
        return Some(format!(
            "it is a tar archive; unpack it (tar -xf {file}) and give a file or folder from it"
        ));
    }
    if !(head.starts_with(b"PK\x03\x04")
        || head.starts_with(b"PK\x05\x06")
        || head.starts_with(b"PK\x07\x08"))
    {
        return None;
    }
    let holds = |name: &[u8]| memchr::memmem::find(head, name).is_some();
    let name = path.to_string_lossy().to_lowercase();
    Some(if holds(b"[Content_Types].xml") || holds(b"xl/w") || name.ends_with(".xlsx") {
        "it is an Excel workbook (.xlsx); save its sheet as CSV (UTF-8) and give that".into()
    } else if holds(b".zattrs") || holds(b".zgroup") || holds(b"zarr.json") || name.ends_with(".zarr.zip") {
        let new = format!("{:?}", format!("{}.h5ad", path.with_extension("").with_extension("").display()));
        format!(
            "it is a zarr store in a zip archive, which scx does not read; in Python: import anndata, zarr; \
             anndata.read_zarr(zarr.storage.ZipStore({:?})).write_h5ad({new})",
            path.display().to_string()
        )
    } else if holds(b".npy") {
        "it is a file of NumPy arrays (.npz); write an h5ad with anndata".into()
    } else {
        format!("it is a zip archive; unpack it (unzip {file}) and give a file or folder from it")
    })
}

/// Whether these are the first bytes of a tar archive.
fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
}

/// How to save text in another encoding as UTF-8.
pub(super) fn recode(path: &Path, name: &str) -> String {
    let new = path.with_extension("utf8.csv");
    let advice = format!("iconv -f {name} -t UTF-8 {} > {}", quoted(path), quoted(&new));
    format!("the text is {}; save it as UTF-8: {advice}", &name[..6])
}

/// Text in UTF-16 or UTF-32, with its mark or without: the name `iconv` has for it.
pub(super) fn encoding(head: &[u8]) -> Option<&'static str> {
    // Of Latin letters in UTF-16 every other byte is zero.
    let zeros = |from: usize| {
        let half: Vec<u8> = head.iter().skip(from).step_by(2).take(64).copied().collect();
        half.len() >= 4 && half.iter().all(|b| *b == 0)
    };
    let text =
        |from: usize| head.iter().skip(from).step_by(2).take(64).all(|b| matches!(b, 9 | 10 | 13 | 32..=126));
    match head {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        _ if zeros(1) && text(0) => Some("UTF-16LE"),
        _ if zeros(0) && text(1) => Some("UTF-16BE"),
        _ => None,
    }
}

/// What a folder is that holds no matrix of 10x Genomics.
pub(super) fn folder(path: &Path) -> String {
    let mut names: Vec<String> = std::fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let has = |name: &str| names.iter().any(|n| n == name);
    let text = |p: &Path| format!("{:?}", p.display().to_string());
    let new = |ending: &str| text(&path.with_extension(ending));
    if [".zgroup", ".zattrs", ".zarray", ".zmetadata", "zarr.json"].iter().any(|n| has(n)) {
        // SpatialData keeps its tables one step below.
        let table = path.join("tables").join("table");
        let at = if table.is_dir() { text(&table) } else { text(path) };
        return format!(
            "it is a zarr store, which scx does not read; in Python: import anndata; \
             anndata.read_zarr({at}).write_h5ad({})",
            new("h5ad")
        );
    }
    if has("storage_order") && has("shape") {
        return format!(
            "it is a folder of BPCells, which scx does not read; in R: \
             BPCells::write_matrix_10x_hdf5(BPCells::open_matrix_dir({}), {})",
            text(path),
            new("h5")
        );
    }
    if names.iter().any(|n| n.starts_with("__tiledb")) {
        return "it is a TileDB store, which scx does not read; write its experiment as h5ad (tiledbsoma.io.to_h5ad)".into();
    }
    let without = "it is a folder without a 10x matrix (matrix.mtx or matrix.mtx.gz)";
    let read = |n: &&String| {
        Format::of_name(Path::new(n.as_str())).is_some_and(|f| f.codec().reads) && path.join(n).is_file()
    };
    let fitting: Vec<&str> = names.iter().filter(read).map(String::as_str).collect();
    match &fitting[..] {
        [] if names.is_empty() => format!("{without}: it is empty; give a file or such a folder"),
        [] => format!("{without}, and holds no file scx reads; give a file or such a folder"),
        some => {
            let more = if some.len() > NAMED { ", …" } else { "" };
            let some = some.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
            format!("{without}; give one of the files in it: {some}{more}")
        }
    }
}

/// Why a path is no place on this machine to read from; `None` when it is one.
pub(super) fn source(path: &Path) -> Option<String> {
    let text = path.to_string_lossy();
    if text == "-" {
        return Some(
            "standard input cannot be read, since files are read in several places; save it in a file first, and give that"
                .into(),
        );
    }
    let get = match scheme(path)? {
        "s3" => format!("aws s3 cp {} .", quoted(path)),
        "gs" => format!("gcloud storage cp {} .", quoted(path)),
        "http" | "https" | "ftp" => format!("curl -LO {}", quoted(path)),
        "file" => return Some("it is an address; leave away file://".into()),
        _ => return Some("it is an address, and scx reads files on this machine; download it first".into()),
    };
    Some(format!("it is an address, and scx reads files on this machine; download it first: {get}"))
}

/// Refuses to write to a stream or an address: a file or folder of that name would be made.
///
/// # Errors
/// [`WriteError::NoPlace`].
pub fn check_place(path: &Path) -> Result<(), WriteError> {
    let no = |what: &str| Err(WriteError::NoPlace { path: path.to_owned(), what: what.into() });
    if path.as_os_str() == "-" {
        return no(
            "standard output cannot be written to: an output is written whole and put in its place at the end; give \
                   the name of a file",
        );
    }
    match scheme(path) {
        Some(_) => no(
            "is an address, and scx writes files on this machine; give the name of a file, and upload that",
        ),
        None => Ok(()),
    }
}

/// The scheme of an address, as `s3` of `s3://bucket/cells.h5ad`.
fn scheme(path: &Path) -> Option<&str> {
    let (scheme, _) = path.to_str()?.split_once("://")?;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '+' | '-' | '.');
    (scheme.len() >= 2 && scheme.chars().all(fits)).then_some(scheme)
}

/// Why a file is not there, beyond that it is not: a name that is nearly the same, a folder that is missing, a link that
/// points to nothing.
pub(super) fn missing(path: &Path) -> Option<String> {
    if let Ok(target) = std::fs::read_link(path) {
        return Some(format!("it is a link to {}, which is not there", target.display()));
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Some(format!("the folder {} is not there", folder.display()));
    }
    let wanted = path.file_name()?.to_string_lossy().to_lowercase();
    let near = |name: &String| strsim::jaro_winkler(&name.to_lowercase(), &wanted);
    let names =
        std::fs::read_dir(folder).ok()?.flatten().map(|e| e.file_name().to_string_lossy().into_owned());
    let best = names.filter(|n| near(n) > 0.9).max_by(|a, b| near(a).total_cmp(&near(b)))?;
    Some(format!("did you mean {}?", path.with_file_name(best).display()))
}

/// A path as a word of the shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@%=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
