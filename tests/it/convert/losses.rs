//! What the table of losses says is what happens: a data set with one element of every kind goes through every format.

use std::collections::BTreeMap;

use scx::data::{
    Annotation, Categorical, Categories, Column, Dataset, Dense, Frame, Index, Layout, Matrix, Raw, Sparse,
    Uns, Values,
};
use scx::io::loss::{Fate, LossReport, Part, Place, RULES, parts, rule};
use scx::io::{self, CODECS, Compat, Format, ReadOptions, Table, WriteOptions};

use crate::support::{Dir, values};

fn names(prefix: &str, n: usize) -> Index {
    Index::names((0..n).map(|i| format!("{prefix}{i}")).collect())
}

fn sparse(layout: Layout, rows: usize, columns: usize) -> Matrix {
    let (mut indptr, mut indices, mut data) = (vec![0u64], Vec::new(), Vec::new());
    for r in 0..rows {
        for c in (0..columns).filter(|c| (r * 7 + c * 3) % 4 == 1) {
            indices.push(c as u32);
            data.push((r * columns + c + 1) as i32);
        }
        indptr.push(indices.len() as u64);
    }
    let csr = Sparse::new(Layout::Csr, (rows, columns), indptr, indices, Values::I32(data)).unwrap();
    Matrix::Sparse(if layout == Layout::Csr { csr } else { csr.turned().unwrap() })
}

fn dense(rows: usize, columns: usize) -> Matrix {
    let v = (0..rows * columns).map(|i| i as f32 + 0.5).collect();
    Matrix::Dense(Dense::new(rows, columns, Values::F32(v)).unwrap())
}

/// Half-precision floats.
fn half() -> Matrix {
    let v = (0..30u8).map(|i| half::f16::from_f32(f32::from(i % 4) / 3.0)).collect();
    Matrix::Dense(Dense::new(6, 5, Values::F16(v)).unwrap())
}

fn table(index: Index) -> Frame {
    let n = index.len();
    let category = Categorical {
        codes: (0..n).map(|i| i as i32 % 3 - 1).collect(),
        categories: Categories::Strings(vec!["b".into(), "a".into(), "unused".into()]),
        ordered: true,
    };
    Frame::new(index)
        .with("number", Column::Numbers(Values::F64((0..n).map(|i| i as f64 / 3.0).collect())))
        .with("count", Column::Numbers(Values::I32((0..n).map(|i| i as i32).collect())))
        .with("flag", Column::Numbers(Values::Bool((0..n).map(|i| i % 2 == 0).collect())))
        .with("text", Column::Strings((0..n).map(|i| format!("t{i}")).collect()))
        .with("category", Column::Categorical(category))
        .with(
            "nullable",
            Column::Nullable {
                values: Values::I64((0..n).map(|i| i as i64).collect()),
                missing: (0..n).map(|i| i == 1).collect(),
            },
        )
        .with("maybe", Column::NullableStrings((0..n).map(|i| (i != 2).then(|| format!("m{i}"))).collect()))
}

/// One element of every kind.
fn everything(x: Matrix) -> Dataset {
    let (n, g) = x.shape();
    let var = table(names("g", g))
        .with("gene_ids", Column::Strings((0..g).map(|i| format!("ENSG{i}")).collect()))
        .with("feature_types", Column::Strings(vec!["Gene Expression".into(); g]))
        .with("genome", Column::Strings(vec!["GRCh38".into(); g]))
        .with("marker", Column::Strings((0..g).map(|i| format!("CD{i}")).collect()))
        .with("channel", Column::Strings((0..g).map(|i| format!("g{i}")).collect()));
    let mut d = Dataset::new(table(names("c", n)), var.clone());
    d.layers.insert("dense".into(), dense(n, g));
    d.layers.insert("sparse".into(), sparse(Layout::Csr, n, g));
    for (map, len) in [(&mut d.obsm, n), (&mut d.varm, g)] {
        map.insert("dense".into(), Annotation::Matrix(dense(len, 2)));
        map.insert("sparse".into(), Annotation::Matrix(sparse(Layout::Csr, len, 3)));
        map.insert("table".into(), Annotation::Frame(table(names(if len == n { "c" } else { "g" }, len))));
    }
    for (map, len) in [(&mut d.obsp, n), (&mut d.varp, g)] {
        map.insert("dense".into(), Annotation::Matrix(dense(len, len)));
        map.insert("sparse".into(), Annotation::Matrix(sparse(Layout::Csr, len, len)));
    }
    let plain = Frame::new(names("c", n))
        .with("a", Column::Numbers(Values::F64((0..n).map(|i| i as f64 / 7.0).collect())))
        .with("b", Column::Strings((0..n).map(|i| format!("b{i}")).collect()));
    d.obsm.insert("plain".into(), Annotation::Frame(plain));
    d.raw = Some(Raw { x: sparse(Layout::Csr, n, g), var, varm: BTreeMap::new() });
    d.uns.insert("text".into(), Uns::String("hello".into()));
    d.uns.insert("number".into(), Uns::Number(Values::I64(vec![7])));
    d.uns.insert("list".into(), Uns::Strings(vec!["a".into(), "b".into()]));
    d.uns.insert("group".into(), Uns::Map([("k".to_owned(), Uns::String("v".into()))].into()));
    d.x = Some(x);
    d
}

/// What an element holds, as far as it can be compared across formats.
fn content(d: &Dataset, part: &Part) -> Option<String> {
    let matrix = |m: &Matrix| format!("{:?}", values(m));
    let column = |c: &Column| (0..c.len()).map(|i| format!("{:?}", c.text(i))).collect::<Vec<_>>().join(" ");
    let annotation = |a: Option<&Annotation>| {
        a.map(|a| match a {
            Annotation::Matrix(m) => matrix(m),
            Annotation::Frame(f) => {
                f.columns.iter().map(|(n, c)| format!("{n}: {}", column(c))).collect::<Vec<_>>().join("; ")
            }
            other => format!("{other:?}"),
        })
    };
    let index = |f: &Frame| f.index.iter().map(|s| s.into_owned()).collect::<Vec<_>>().join(" ");
    let name = part.name.as_str();
    // Where a table has no place, its columns may be columns of their own.
    let apart = |f: &Frame| {
        let own = f.columns.iter().filter_map(|(n, c)| Some((n.strip_prefix(&format!("{name}."))?, c)));
        let mut all: Vec<String> = own.map(|(n, c)| format!("{n}: {}", column(c))).collect();
        all.sort();
        (!all.is_empty()).then(|| all.join("; "))
    };
    match part.place {
        Place::X => d.x.as_ref().map(matrix),
        Place::Layers => d.layers.get(name).map(matrix),
        Place::ObsNames => Some(index(&d.obs)),
        Place::VarNames => Some(index(&d.var)),
        Place::Obs => d.obs.column(name).map(column),
        Place::Var => d.var.column(name).map(column),
        Place::Obsm => annotation(d.obsm.get(name)).or_else(|| apart(&d.obs)),
        Place::Varm => annotation(d.varm.get(name)).or_else(|| apart(&d.var)),
        Place::Obsp => annotation(d.obsp.get(name)),
        Place::Varp => annotation(d.varp.get(name)),
        Place::Raw => d.raw.as_ref().map(|r| matrix(&r.x)),
        Place::Uns => d.uns.get(name).map(|u| format!("{u:?}")),
        Place::Keywords => Some(String::new()),
    }
}

/// Writes, reads back, and holds every row of the report against what came back.
fn hold(d: &Dataset, format: Format, options: &WriteOptions) {
    let dir = Dir::new();
    let codec = io::codec(format);
    let path = dir.path(&format!("out.{}", codec.extensions.first().unwrap_or(&"")));
    let report = LossReport::new(d, format, options);
    io::save(d, format, &path, false, options).unwrap_or_else(|e| panic!("{}: {e}", format.name()));
    if format == Format::Parquet {
        return;
    }
    let back = io::open(&path, &ReadOptions::default()).unwrap_or_else(|e| panic!("{}: {e}", format.name()));
    for (part, row) in parts(d).iter().zip(&report.rows) {
        let (before, after) = (content(d, part), content(&back, part));
        let at = format!("{}: {} ({})", format.name(), row.element, row.fate.words());
        match &row.fate {
            Fate::Kept | Fate::Renamed { .. } | Fate::Changed { lossy: false, .. } => {
                let same = match part.place {
                    // Booleans come back as the numbers they are in another format.
                    Place::Obs | Place::Var => {
                        let plain = |s: Option<String>| {
                            s.map(|s| s.replace("\"True\"", "\"1\"").replace("\"False\"", "\"0\""))
                        };
                        plain(after.clone()) == plain(before.clone())
                    }
                    _ => after == before,
                };
                assert!(same, "{at}: {after:?} instead of {before:?}");
            }
            Fate::Changed { .. } => assert!(after.is_some(), "{at}: is not there"),
            Fate::Left { .. } => assert_ne!(after, before, "{at}: is there"),
        }
    }
}

#[test]
fn what_the_table_of_losses_says_is_what_every_writer_does() {
    let mut held = 0;
    for codec in CODECS.iter().filter(|c| c.format != Format::Csv && c.format != Format::Parquet) {
        for x in [sparse(Layout::Csr, 6, 5), sparse(Layout::Csc, 6, 5), dense(6, 5), half()] {
            hold(&everything(x), codec.format, &WriteOptions::default());
            held += 1;
        }
    }
    assert!(held >= 6, "only {held} cases were held");
}

#[test]
fn a_matrix_as_text_comes_back_whole() {
    if CODECS.iter().any(|c| c.format == Format::Csv) {
        let options = WriteOptions { table: Some(Table::X), ..WriteOptions::default() };
        hold(&everything(dense(6, 5)), Format::Csv, &options);
        hold(&everything(sparse(Layout::Csr, 6, 5)), Format::Csv, &options);
    }
}

#[test]
fn every_dialect_of_h5ad_keeps_what_the_table_says() {
    for compat in [Compat::V0_8, Compat::V0_11, Compat::V0_12, Compat::V0_13] {
        let options = WriteOptions { compat, ..WriteOptions::default() };
        hold(&everything(sparse(Layout::Csr, 6, 5)), Format::H5ad, &options);
    }
}

#[test]
fn every_kind_of_element_has_its_row_in_the_table() {
    for part in parts(&everything(dense(3, 3))) {
        assert_ne!(rule(&part).words, "anything else", "{}", part.element());
    }
    assert!(RULES.len() > 20);
}

#[test]
fn a_table_becomes_attributes_of_loom_and_loses_what_its_columns_lose() {
    let fate = |name: &str| {
        let report = LossReport::new(&everything(dense(3, 3)), Format::Loom, &WriteOptions::default());
        report.rows.iter().find(|r| r.element == format!("obsm[{name:?}]")).unwrap().fate.clone()
    };
    let to = "col_attrs/plain.a and 1 more".to_owned();
    assert_eq!(fate("plain"), Fate::Changed { to, lossy: false });
    let Fate::Changed { to, lossy: true } = fate("table") else { panic!("{:?}", fate("table")) };
    assert!(to.contains("3 of 7 columns lose: category, text; order and unused categories are lost"), "{to}");
}

#[test]
fn strict_passes_a_table_that_loom_keeps_as_attributes_and_warnings_name_no_hidden_file() {
    let dir = Dir::new();
    let mut d = Dataset::new(Frame::new(names("c", 3)), Frame::new(names("g", 2)));
    d.obs.index = Index::names(vec!["twice".into(), "twice".into(), "once".into()]);
    d.x = Some(dense(3, 2));
    let table = Frame::new(d.obs.index.clone()).with("a", Column::Numbers(Values::I32(vec![1, 2, 3])));
    d.obsm.insert("df".into(), Annotation::Frame(table));
    dir.save("in.h5ad", &d);
    for out in ["out.loom", "out.h5", "out.h5ad", "out_mtx --to 10x-mtx"] {
        let run = dir.scx(&format!("convert in.h5ad {out} --no-provenance --strict"));
        assert!(!run.stderr.contains(".scx-"), "{out}: {}", run.stderr);
        if out == "out.loom" {
            run.ok();
            assert!(dir.scx("convert in.h5ad other.loom --dry-run").ok().stdout.contains("col_attrs/df.a"));
        }
    }
}

#[test]
fn half_precision_becomes_single_in_10x_files_and_is_told() {
    let dir = Dir::new();
    let mut d = Dataset::new(Frame::new(names("zelle_ä", 6)), Frame::new(names("g", 5)));
    d.x = Some(half());
    dir.save("in.h5ad", &d);
    let run = dir.scx("convert in.h5ad out.h5 --strict").ok();
    run.says(&["float32", "out.h5: 6 barcodes are not ASCII, \"zelle_ä0\" first"]);
    let back = dir.open("out.h5");
    let x = back.x.as_ref().unwrap();
    assert_eq!((x.dtype().name(), values(x)), ("float32", values(d.x.as_ref().unwrap())));
}
