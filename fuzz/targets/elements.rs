//! HDF5 files that are sound as HDF5 and arbitrary in what they say: names, attributes, types, shapes and values of h5ad,
//! loom and 10x elements in any combination. Damaged HDF5 itself is the library's affair and is tested through the binary.
#![no_main]

#[path = "common.rs"]
mod common;

use hdf5_metno::types::VarLenUnicode;
use hdf5_metno::{File, Group};
use libfuzzer_sys::fuzz_target;

/// Bytes taken one after the other; zeros at the end.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().map_or((0, self.0), |(f, r)| (*f, r));
        self.0 = rest;
        first
    }

    fn of<'b>(&mut self, list: &[&'b str]) -> &'b str {
        list[self.next() as usize % list.len()]
    }

    fn numbers(&mut self, most: usize) -> Vec<i64> {
        let n = self.next() as usize % (most + 1);
        (0..n).map(|_| i64::from(self.next() as i8)).collect()
    }
}

const NAMES: &[&str] = &[
    "X", "obs", "var", "raw", "raw.X", "raw.var", "layers", "obsm", "varm", "obsp", "varp", "uns", "_index", "index",
    "a", "b", "codes", "categories", "values", "mask", "data", "indices", "indptr", "shape", "__categories", "matrix",
    "row_attrs", "col_attrs", "row_graphs", "col_graphs", "attrs", "CellID", "Gene", "w", "features", "barcodes", "id",
    "name", "genes", "gene_names", "feature_type", "genome", "_all_tag_keys", "a_categories", "neighbors", "log", "scx",
];

const ATTRIBUTES: &[&str] = &[
    "encoding-type", "encoding-version", "shape", "h5sparse_format", "h5sparse_shape", "_index", "column-order",
    "ordered", "categories", "na-value", "LOOM_SPEC_VERSION", "is_lazy_constructed",
];

const TEXTS: &[&str] = &[
    "csr_matrix", "csc_matrix", "dataframe", "array", "categorical", "nullable-integer", "nullable-boolean",
    "nullable-string-array", "string-array", "string", "numeric-scalar", "dict", "null", "anndata", "raw", "rec-array",
    "awkward-array", "0.1.0", "0.2.0", "csr", "csc", "_index", "a", "b", "", "3.0.0",
];

fn text(s: &str) -> VarLenUnicode {
    s.parse().unwrap_or_default()
}

fn attributes(at: &hdf5_metno::Location, bytes: &mut Bytes) -> hdf5_metno::Result<()> {
    for _ in 0..bytes.next() % 4 {
        let name = bytes.of(ATTRIBUTES);
        if bytes.next() % 2 == 0 {
            at.new_attr::<VarLenUnicode>().create(name)?.write_scalar(&text(bytes.of(TEXTS)))?;
        } else {
            let v = bytes.numbers(4);
            at.new_attr::<i64>().shape([v.len()]).create(name)?.write_raw(&v)?;
        }
    }
    Ok(())
}

fn dataset(group: &Group, name: &str, bytes: &mut Bytes) -> hdf5_metno::Result<()> {
    let v = bytes.numbers(12);
    let n = v.len();
    macro_rules! put {
        ($t:ty) => {{
            let v: Vec<$t> = v.iter().map(|x| *x as $t).collect();
            let columns = bytes.next() as usize % 4;
            let d = group.new_dataset::<$t>();
            let d = match columns {
                0 | 1 => d.shape([n]).create(name)?,
                c if n % c == 0 => d.shape([n / c, c]).create(name)?,
                _ => d.shape([n, 1, 1]).create(name)?,
            };
            if n > 0 {
                d.write_raw(&v)?;
            }
            d
        }};
    }
    let d = match bytes.next() % 7 {
        0 => put!(i32),
        1 => put!(i64),
        2 => put!(f32),
        3 => put!(u8),
        4 => put!(f64),
        5 => {
            let v: Vec<VarLenUnicode> = v.iter().map(|_| text(bytes.of(TEXTS))).collect();
            let d = group.new_dataset::<VarLenUnicode>().shape([v.len()]).create(name)?;
            if !v.is_empty() {
                d.write_raw(&v)?;
            }
            d
        }
        _ => {
            let d = group.new_dataset::<VarLenUnicode>().create(name)?;
            d.write_scalar(&text(bytes.of(TEXTS)))?;
            d
        }
    };
    attributes(&d, bytes)
}

fn group(g: &Group, bytes: &mut Bytes, depth: usize) -> hdf5_metno::Result<()> {
    attributes(g, bytes)?;
    for _ in 0..bytes.next() % 8 {
        let name = bytes.of(NAMES);
        if g.link_exists(name) {
            continue;
        }
        if depth < 4 && bytes.next() % 2 == 0 {
            let inner = g.create_group(name)?;
            group(&inner, bytes, depth + 1)?;
        } else {
            dataset(g, name, bytes)?;
        }
    }
    Ok(())
}

fuzz_target!(|bytes: &[u8]| {
    let path = common::folder().join("x.h5ad");
    let Ok(file) = File::create(&path) else { return };
    let _ = group(&file, &mut Bytes(bytes), 0);
    if file.close().is_ok() {
        common::read(&path);
    }
});
