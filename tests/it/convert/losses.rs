//! What the table of losses says is what happens: a data set with one element of every kind goes through every format.

use std::collections::{BTreeMap, HashSet};

use scx::data::{
    Annotation, Categorical, Categories, Column, Dataset, Dense, Frame, Index, Layout, Matrix, Raw, Sparse,
    StoredObject, Uns, Values,
};
use scx::io::loss::{ElementKind, Entry, Fate, LossReport, Part, Place, parts};
use scx::io::{self, CODECS, Compat, Format, ReadOptions, Table, WriteOptions};

use crate::h5ad::expected::fixtures;
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

/// Something in a file that scx does not understand.
fn odd(object: &str) -> Option<StoredObject> {
    let path = fixtures().join("h5ad/unknown_encodings.h5ad");
    Some(StoredObject { path, object: object.into() })
}

fn odd_column(len: usize) -> Column {
    Column::Opaque { encoding: "interval".into(), len, stored: odd("/obs/odd") }
}

/// One element of every kind but those of [`sparing`].
fn everything(x: Matrix) -> Dataset {
    let (n, g) = x.shape();
    let text = |what: &str, n: usize| Column::Strings((0..n).map(|i| format!("{what}{i}")).collect());
    let var = table(names("g", g))
        .with("odd", odd_column(g))
        .with("probe_ids", text("PROBE", g))
        .with("gene_ids", Column::Strings((0..g).map(|i| format!("ENSG{i}")).collect()))
        .with("feature_types", Column::Strings(vec!["Gene Expression".into(); g]))
        .with("genome", Column::Strings(vec!["GRCh38".into(); g]))
        .with("marker", Column::Strings((0..g).map(|i| format!("CD{i}")).collect()))
        .with("channel", Column::Strings((0..g).map(|i| format!("g{i}")).collect()))
        .with("pnr", Column::Numbers(Values::F64((0..g).map(|i| (1000 * (i + 1)) as f64).collect())))
        .with("pne", Column::Strings(vec!["0,0".into(); g]))
        .with("png", Column::Numbers(Values::F64((0..g).map(|i| (i + 1) as f64).collect())));
    let obs = table(names("c", n))
        .with("odd", odd_column(n))
        .with("filtered_barcodes", Column::Numbers(Values::Bool((0..n).map(|i| i != 1).collect())));
    let mut d = Dataset::new(obs, var.clone());
    d.layers.insert("dense".into(), dense(n, g));
    d.layers.insert("sparse".into(), sparse(Layout::Csr, n, g));
    for (map, len) in [(&mut d.obsm, n), (&mut d.varm, g)] {
        map.insert("dense".into(), Annotation::Matrix(dense(len, 2)));
        map.insert("sparse".into(), Annotation::Matrix(sparse(Layout::Csr, len, 3)));
        map.insert("table".into(), Annotation::Frame(table(names(if len == n { "c" } else { "g" }, len))));
        map.insert("odd".into(), Annotation::Opaque { encoding: "odd".into(), stored: odd("/obsm/ragged") });
    }
    for (map, len) in [(&mut d.obsp, n), (&mut d.varp, g)] {
        map.insert("dense".into(), Annotation::Matrix(dense(len, len)));
        map.insert("sparse".into(), Annotation::Matrix(sparse(Layout::Csr, len, len)));
        map.insert("table".into(), Annotation::Frame(table(names(if len == n { "c" } else { "g" }, len))));
        map.insert("odd".into(), Annotation::Opaque { encoding: "odd".into(), stored: odd("/obsm/ragged") });
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
    let texts = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    d.uns.insert("texts".into(), Uns::StringArray { shape: vec![2, 2], values: texts });
    d.uns.insert("nothing".into(), Uns::Null);
    d.uns.insert("odd".into(), Uns::Opaque { encoding: "dream".into(), stored: odd("/uns/odd") });
    d.uns.insert("chemistry_description".into(), Uns::String("3' v3".into()));
    d.uns.insert("software_version".into(), Uns::String("7.0.1".into()));
    d.uns.insert("library_ids".into(), Uns::Strings(vec!["one".into(), "two".into()]));
    let gem = Uns::Array { shape: vec![2], values: Values::I64(vec![1, 2]) };
    d.uns.insert("original_gem_groups".into(), gem);
    let set = Uns::Array { shape: vec![2], values: Values::U32(vec![0, 2]) };
    d.uns.insert("target_sets".into(), Uns::Map([("panel".to_owned(), set)].into()));
    scx::provenance::append(&mut d.uns, "{}");
    d.source.keywords = vec![("$CYT".into(), "Aurora".into()), ("NOTE".into(), "warm".into())];
    d.x = Some(x);
    d
}

/// Rows by number and keywords in uns, which [`everything`] has not; and names that mean something with values that do not.
fn sparing(x: Matrix) -> Dataset {
    let (n, g) = x.shape();
    let numbers = |n: usize| Column::Numbers(Values::I32((10..10 + n as i32).collect()));
    let genome = Categorical {
        codes: (0..g).map(|i| i as i32 % 2).collect(),
        categories: Categories::Strings(vec!["b".into(), "a".into(), "unused".into()]),
        ordered: true,
    };
    let var = Frame::new(Index::Range(g))
        .with("marker", numbers(g))
        .with("gene_ids", numbers(g))
        .with("genome", Column::Categorical(genome));
    let mut d = Dataset::new(Frame::new(Index::Range(n)).with("filtered_barcodes", numbers(n)), var);
    d.uns.insert("fcs".into(), scx::io::fcs::keywords_to_uns(&[("NOTE".into(), "warm".into())], "FCS3.1"));
    d.uns.insert("software_version".into(), Uns::Number(Values::I64(vec![7])));
    d.uns.insert("library_ids".into(), Uns::Array { shape: vec![1, 2], values: Values::F64(vec![0.5, 1.5]) });
    d.uns.insert("target_sets".into(), Uns::String("none".into()));
    d.uns.insert("scx".into(), Uns::String("none".into()));
    d.x = Some(x);
    d
}

/// What keywords say, wherever a format keeps them.
fn note(d: &Dataset) -> Option<String> {
    let kept = || d.uns.get("fcs").and_then(scx::io::fcs::keywords_from_uns).unwrap_or_default();
    let keywords = if d.source.keywords.is_empty() { kept() } else { d.source.keywords.clone() };
    keywords.into_iter().find(|(k, _)| k == "NOTE").map(|(_, v)| v)
}

/// The records of scx, wherever a format keeps them.
fn log(d: &Dataset) -> Option<String> {
    let keyword = d.source.keywords.iter().find(|(k, _)| k == "SCX").map(|(_, v)| v.clone());
    keyword
        .or_else(|| Some(serde_json::Value::from(scx::provenance::records(&d.uns)).to_string()))
        .map(|log| log.replace('"', ""))
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
            Annotation::Opaque { .. } => "not understood".into(),
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
        Place::Uns if part.kind == ElementKind::Keyworded => note(d),
        Place::Uns if part.kind == ElementKind::Records => log(d),
        Place::Uns => d.uns.get(name).map(|u| match u {
            Uns::Opaque { .. } => "not understood".into(),
            known => format!("{known:?}"),
        }),
        Place::Keywords => note(d),
    }
}

/// Writes, reads back, and holds every row of the report against what came back.
fn hold(d: &Dataset, format: Format, options: &WriteOptions) -> Vec<String> {
    let dir = Dir::new();
    let codec = io::codec(format);
    let path = dir.path(&format!("out.{}", codec.extensions.first().unwrap_or(&"")));
    let report = LossReport::new(d, format, options);
    let mut written = d.clone();
    io::keep_keywords(&mut written, format);
    if let Some(keep) = codec.keep_records {
        keep(&mut written, None);
    }
    io::save(&written, format, &path, false, options).unwrap_or_else(|e| panic!("{}: {e}", format.name()));
    let back = io::open(&path, &ReadOptions::default()).unwrap_or_else(|e| panic!("{}: {e}", format.name()));
    let mut wrong = Vec::new();
    for (part, row) in parts(d).iter().zip(&report.rows) {
        let (before, after) = (content(d, part), content(&back, part));
        let at = format!("{}: {} ({})", format.name(), row.element, row.fate.words());
        match &row.fate {
            Fate::Kept | Fate::Renamed { .. } | Fate::Changed { lossy: false, .. } => {
                // Booleans come back as the numbers they are in another format.
                let plain = |s: &Option<String>| match part.place {
                    Place::Obs | Place::Var => {
                        s.as_ref().map(|s| s.replace("\"True\"", "\"1\"").replace("\"False\"", "\"0\""))
                    }
                    _ => s.clone(),
                };
                if plain(&after) != plain(&before) {
                    wrong.push(format!("{at}: {after:?} instead of {before:?}"));
                }
            }
            Fate::Changed { .. } if after.is_none() => wrong.push(format!("{at}: is not there")),
            Fate::Changed { .. } => {}
            Fate::Left { .. } if after == before => wrong.push(format!("{at}: is there")),
            Fate::Left { .. } => {}
        }
    }
    wrong
}

#[test]
fn what_the_table_of_losses_says_is_what_every_writer_does() {
    let mut wrong = Vec::new();
    for codec in CODECS.iter().filter(|c| c.format != Format::Csv && c.format != Format::Parquet) {
        for x in [sparse(Layout::Csr, 6, 5), sparse(Layout::Csc, 6, 5), dense(6, 5), half()] {
            wrong.extend(hold(&everything(x.clone()), codec.format, &WriteOptions::default()));
            wrong.extend(hold(&sparing(x), codec.format, &WriteOptions::default()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_matrix_as_text_comes_back_whole() {
    if CODECS.iter().any(|c| c.format == Format::Csv) {
        let options = WriteOptions { table: Some(Table::X), ..WriteOptions::default() };
        assert_eq!(hold(&everything(dense(6, 5)), Format::Csv, &options), [] as [String; 0]);
        assert_eq!(hold(&everything(sparse(Layout::Csr, 6, 5)), Format::Csv, &options), [] as [String; 0]);
    }
}

#[test]
fn every_dialect_of_h5ad_keeps_what_the_table_says() {
    for compat in [Compat::V0_8, Compat::V0_11, Compat::V0_12, Compat::V0_13] {
        let options = WriteOptions { compat, ..WriteOptions::default() };
        assert_eq!(hold(&everything(sparse(Layout::Csr, 6, 5)), Format::H5ad, &options), [] as [String; 0]);
    }
}

#[test]
fn every_kind_of_element_is_in_some_data_set_and_every_format_answers_for_it() {
    let sets = [dense(6, 5), sparse(Layout::Csr, 6, 5), sparse(Layout::Csc, 6, 5)];
    let all = sets.into_iter().flat_map(|x| [everything(x.clone()), sparing(x)]);
    let met: HashSet<ElementKind> = all.flat_map(|d| parts(&d)).map(|p| p.kind).collect();
    for kind in ElementKind::all() {
        assert!(met.contains(&kind), "no test has {}", kind.words());
        for codec in CODECS {
            assert_ne!(codec.entry(kind), Entry::AsOthers, "{}: {}", codec.name, kind.words());
        }
    }
    assert_eq!(met.len(), ElementKind::all().len());
}

#[test]
fn a_table_holds_the_columns_that_are_not_left_behind() {
    let d = everything(dense(6, 5));
    for (format, table) in [Format::Csv, Format::Parquet].into_iter().flat_map(|f| Table::ALL.map(|t| (f, t)))
    {
        let dir = Dir::new();
        let options = WriteOptions { table: Some(table), ..WriteOptions::default() };
        io::save(&d, format, &dir.path("t"), false, &WriteOptions { table_folder: true, ..options.clone() })
            .unwrap();
        let file = dir.path(&format!("t/{}.{}", table.file(), format.codec().extensions[0]));
        let text = String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
        let holds = |name: &str| match format {
            Format::Csv => text.lines().next().unwrap().split(',').any(|n| n == name),
            _ => text.contains(&format!("\"name\":\"{name}\"")),
        };
        let all = io::loss::fates(&d, format, &options);
        for (part, fate) in all.iter().filter(|(p, _)| matches!(p.place, Place::Obs | Place::Var)) {
            let left = matches!(fate, Fate::Left { .. });
            // Both tables have columns of these names.
            let twin = d.obs.column(&part.name).is_some() && d.var.column(&part.name).is_some();
            let other = if part.place == Place::Obs { Table::Var } else { Table::Obs };
            if !(twin && table == other) {
                assert_eq!(holds(&part.name), !left, "{} {table:?}: {}", format.name(), part.element());
            }
        }
    }
}

#[test]
fn what_nobody_understands_is_lost_when_it_cannot_be_copied_from_where_it_was() {
    let mut d = everything(dense(6, 5));
    for (_, column) in &mut d.obs.columns {
        if let Column::Opaque { stored, .. } = column {
            *stored = None;
        }
    }
    d.obsm.insert("odd".into(), Annotation::Opaque { encoding: "odd".into(), stored: None });
    let report = LossReport::new(&d, Format::H5ad, &WriteOptions::default());
    let lost: Vec<&str> = report.lost().map(|r| r.element.as_str()).collect();
    assert_eq!(lost, ["obs[\"odd\"]", "obsm[\"odd\"]"]);
    assert_eq!(hold(&d, Format::H5ad, &WriteOptions::default()), [] as [String; 0]);
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
