//! Columns of ids in tables of text: names or columns of obs, never genes, and exact to the last digit.

use std::process::Command;

use scx::data::{Column, Dataset, Layout, Matrix, Values};
use scx::io::{self, ReadOptions};

use crate::support::{self, Dir};

fn names(d: &Dataset) -> (Vec<String>, Vec<String>) {
    let all = |f: &scx::data::Frame| f.index.iter().map(|n| n.into_owned()).collect();
    (all(&d.obs), all(&d.var))
}

fn read(dir: &Dir, options: &ReadOptions) -> Dataset {
    io::open(&dir.path("t.csv"), options).unwrap_or_else(|e| panic!("{e}"))
}

fn x(d: &Dataset) -> ndarray::Array2<f64> {
    support::values(d.x.as_ref().unwrap())
}

fn columns(d: &Dataset) -> Vec<&str> {
    d.obs.columns.iter().map(|(n, _)| n.as_str()).collect()
}

#[test]
fn a_column_of_ids_names_the_cells_digit_by_digit() {
    let dir = Dir::new();
    let long = ["110883424764611924400221639916314253469", "110883424764611924400221639916314253470", "17"];
    for (header, ids) in [
        ("cell", long),
        ("EntityID", ["1482024199019100005", "1482024199019100006", "0456"]),
        ("Cell_Index", ["1234", "92", "7"]),
        ("barcode", ["1e5", "0456", "1e3"]),
        ("Unnamed: 0", ["30", "10", "20"]),
        ("", ["30", "1e5", "20"]),
        ("cell_id", ["aaaacnba-1", "aaaacnbb-1", "aaaacnbc-1"]),
        ("Cell ID", ["3", "5", "9"]),
    ] {
        let rows: String = ids.iter().enumerate().map(|(i, id)| format!("{id},{i},0\n")).collect();
        dir.write("t.csv", format!("{header},CD4,Blank-1\n{rows}"));
        let d = read(&dir, &ReadOptions::default());
        let want = ids.iter().map(|s| (*s).to_owned()).collect();
        assert_eq!(names(&d), (want, vec!["CD4".into(), "Blank-1".into()]), "{header}");
        assert_eq!(x(&d), ndarray::array![[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]], "{header}");
        assert!(d.obs.columns.is_empty(), "{header}");
    }
}

#[test]
fn ids_behind_the_first_column_name_the_cells_or_are_columns_of_obs() {
    let dir = Dir::new();
    // pandas wrote row numbers in front.
    dir.write("t.csv", ",sample_id,barcode,CD4\n0,1,AAAC,5\n1,1,AAAG,0\n2,2,AAAT,1\n");
    let d = read(&dir, &ReadOptions::default());
    assert_eq!(names(&d), (["AAAC", "AAAG", "AAAT"].map(String::from).into(), vec!["CD4".into()]));
    assert_eq!(d.obs.column("sample_id"), Some(&Column::Numbers(Values::I32(vec![1, 1, 2]))));
    // Ids that repeat name nothing, and long ones or ones with zeros in front stay text.
    let ids = "99999999999999999999";
    dir.write("t.csv", format!("cell,slide_id,CD4\n{ids},007,5\n{ids},008,0\n"));
    let d = read(&dir, &ReadOptions::default());
    assert_eq!((names(&d).1, d.obs.index.clone()), (vec!["CD4".into()], scx::data::Index::Range(2)));
    assert_eq!(d.obs.column("cell"), Some(&Column::Strings(vec![ids.into(), ids.into()])));
    assert_eq!(d.obs.column("slide_id"), Some(&Column::Strings(vec!["007".into(), "008".into()])));
    // With missing entries they are no names either.
    dir.write("t.csv", "cell,CD4\n1,5\n,0\n3,1\n");
    let d = read(&dir, &ReadOptions::default());
    let want = Column::Nullable { values: Values::I32(vec![1, 0, 3]), missing: vec![false, true, false] };
    assert_eq!(d.obs.column("cell"), Some(&want));
    // Fractions are no ids, whatever their name.
    dir.write("t.csv", "cell,CD4\n0.5,5\n1.5,0\n");
    assert_eq!(names(&read(&dir, &ReadOptions::default())).1, ["cell", "CD4"]);
}

const COSMX: &str = "fov,cell_ID,AATK,ABL1,NegPrb1\n1,0,5,6,7\n1,1,0,1,0\n2,1,1,0,0\n2,12,0,0,9\n";

/// As squidpy and spatialdata-io name them.
const SQUIDPY: &str = r#"
import anndata, pandas as pd
counts = pd.read_csv("t.csv", header=0, index_col="cell_ID")
cell = counts.index.to_numpy()
fov = counts["fov"].to_numpy()
counts.index = counts.index.astype(str).str.cat(counts.pop("fov").astype(str).values, sep="_")
a = anndata.read_h5ad("o.h5ad")
assert list(a.obs_names) == list(counts.index) == ["0_1", "1_1", "1_2", "12_2"], list(a.obs_names)
assert list(a.var_names) == list(counts.columns)
x = a.X.toarray() if hasattr(a.X, "toarray") else a.X
assert (x == counts.to_numpy()).all()
assert (a.obs["fov"] == fov).all() and (a.obs["cell_ID"] == cell).all(), a.obs
assert a.obs["fov"].dtype.kind == "i"
"#;

#[test]
fn cells_of_cosmx_are_called_by_number_and_field_as_seurat_and_squidpy_call_them() {
    let dir = Dir::new();
    dir.write("t.csv", COSMX);
    let run = dir.scx("convert t.csv o.h5ad --strict").ok();
    run.says(&["1 rows have cell_ID 0", "kept"]);
    let d = dir.open("o.h5ad");
    assert_eq!(names(&d).0, ["0_1", "1_1", "1_2", "12_2"]);
    assert_eq!(columns(&d), ["fov", "cell_ID"]);
    if let Some(python) = support::python() {
        let out = Command::new(python)
            .args(["-W", "ignore", "-c", SQUIDPY])
            .current_dir(dir.path(""))
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
    // Two slides in one table: the pair repeats, and only the column of whole names tells cells apart.
    dir.write("t.csv", "fov,cell_ID,cell,A\n1,1,c_1_1_1,0\n1,1,c_2_1_1,3\n");
    let d = read(&dir, &ReadOptions::default());
    assert_eq!(
        (names(&d).0, columns(&d)),
        (vec!["c_1_1_1".into(), "c_2_1_1".into()], vec!["fov", "cell_ID"])
    );
    dir.write("t.csv", "fov,cell_ID,A\n1,1,0\n1,1,3\n");
    let d = read(&dir, &ReadOptions::default());
    assert_eq!((d.obs.index.clone(), names(&d).1), (scx::data::Index::Range(2), vec!["A".into()]));
}

#[test]
fn remarks_before_the_table_of_rhapsody_are_passed_over() {
    let dir = Dir::new();
    let head = "####################\n## BD Targeted Multiplex Rhapsody Analysis Pipeline Version 1.11\n\
                ## Sample: S1, with, commas\n####################\n\n";
    dir.write(
        "t.csv",
        format!("{head}Cell_Index,CD19,CD3E|NM_000733.3|Reference_end\n1234,0,5\n92,3,0\n7,1,1\n"),
    );
    let d = read(&dir, &ReadOptions::default());
    let genes = vec!["CD19".to_owned(), "CD3E|NM_000733.3|Reference_end".to_owned()];
    assert_eq!(names(&d), (["1234", "92", "7"].map(String::from).into(), genes));
}

#[test]
fn columns_are_named_by_options_in_every_verb_that_reads() {
    let dir = Dir::new();
    dir.write("t.csv", "run,event,area,CD4,CD8\n7,101,1.5,1,0\n7,205,2.5,0,2\n");
    let options = "--index-column event --obs-columns run,area";
    dir.scx(&format!("convert t.csv o.h5ad {options}")).ok();
    let d = dir.open("o.h5ad");
    assert_eq!(names(&d), (vec!["101".into(), "205".into()], vec!["CD4".into(), "CD8".into()]));
    assert_eq!(d.obs.column("run"), Some(&Column::Numbers(Values::I32(vec![7, 7]))));
    assert_eq!(d.obs.column("area"), Some(&Column::Numbers(Values::F32(vec![1.5, 2.5]))));
    let run = dir.scx(&format!("info t.csv {options} --json")).ok();
    assert_eq!(run.json()["files"][0]["n_vars"], 2);
    dir.scx(&format!("check t.csv {options}")).ok();
    // Names are what is written, even where that is a missing entry anywhere else.
    dir.write("t.csv", "CD4,who\n1,NA\n0,nan\n");
    let options = ReadOptions { index_column: Some("who".into()), ..ReadOptions::default() };
    assert_eq!(names(&read(&dir, &options)).0, ["NA", "nan"]);
    dir.refuses(
        2,
        "convert t.csv o2.h5ad --index-column none",
        &["--index-column none", "no such column", "CD4, who"],
    );
    dir.refuses(2, "info t.csv --obs-columns CD4,none", &["--obs-columns none"]);
}

#[test]
fn options_of_tables_are_said_to_be_idle_for_other_formats() {
    let dir = Dir::new();
    dir.write("t.csv", "cell,CD4\na,1\n");
    dir.scx("convert t.csv o.h5ad").ok();
    let run = dir.scx("convert o.h5ad o2.h5ad --transpose").ok();
    run.says(&["--transpose", "no meaning for h5ad"]);
    assert_eq!(dir.open("o2.h5ad").n_obs(), 1);
}

#[test]
fn a_table_with_genes_in_rows_is_turned_in_any_amount_of_memory() {
    let dir = Dir::new();
    let (genes, cells) = (400, 90);
    for (name, zeros, value) in
        [("sparse", 5, "whole"), ("dense", 1, "whole"), ("wide", 1, "large"), ("halves", 3, "half")]
    {
        let at = |g: usize, c: usize| {
            let n = (g * 31 + c * 17) % 97;
            let n = if n.is_multiple_of(zeros) { n + 1 } else { 0 };
            match value {
                "whole" => format!("{n}"),
                "large" => format!("{}", n as u64 * 1_000_000_007),
                _ => format!("{}", n as f64 / 2.0),
            }
        };
        let mut text = (0..cells).fold("gene_id\tsymbol".to_owned(), |t, c| t + &format!("\tcell{c}")) + "\n";
        for g in 0..genes {
            text += &format!("ENSG{g}\ts{g}");
            (0..cells).for_each(|c| text += &format!("\t{}", at(g, c)));
            text.push('\n');
        }
        dir.write("t.csv", text);
        let options = ReadOptions { transpose: true, ..ReadOptions::default() };
        let small = ReadOptions { memory: 1 << 18, ..options.clone() };
        let (whole, outside) = (read(&dir, &options), read(&dir, &small));
        assert!(!matches!(whole.x, Some(Matrix::OnDisk(_))), "{name}");
        assert!(matches!(outside.x, Some(Matrix::OnDisk(_))), "{name}");
        for d in [&whole, &outside] {
            assert_eq!((d.n_obs(), d.n_vars(), d.obs.columns.len()), (cells, genes, 0), "{name}");
            assert_eq!((names(d).0[7].as_str(), names(d).1[9].as_str()), ("cell7", "ENSG9"), "{name}");
            assert_eq!(d.var.column("symbol").unwrap().text(3).as_deref(), Some("s3"), "{name}");
            let x = x(d);
            for (g, c) in [(0, 0), (399, 89), (17, 3), (200, 44)] {
                assert_eq!(x[(c, g)], at(g, c).parse::<f64>().unwrap(), "{name}: {g}, {c}");
            }
        }
        assert_eq!(x(&whole), x(&outside), "{name}");
        assert_eq!(whole.x.as_ref().unwrap().dtype(), outside.x.as_ref().unwrap().dtype());
        let sparse = whole.x.as_ref().unwrap().layout() == Layout::Csr;
        assert_eq!(sparse, name == "sparse", "{name}");
    }
}

#[test]
fn rows_that_look_like_genes_cause_a_remark_and_the_option_it_names_helps() {
    let dir = Dir::new();
    let cases = [
        "gene\tAAAC0000-1\tAAAC0001-1\nENSG1|TP53\t1\t0\nENSG2|ACTB\t3\t4\n",
        "gene_id\tgene_name\tc1\tc2\nENSG1\tTP53\t1\t0\nENSG2\tACTB\t3\t4\n",
        "GENE\tAAAC\tCCCC\nA1BG\t1\t0\nA2M\t0\t5\n",
        "\tc1\tc2\nACTB\t3\t4\nXYZ\t3\t4\n",
        "\tc1\tc2\nENSMUSG00000059552.14\t3\t4\nENSMUSG00000059553\t3\t4\n",
        "name\tAAACCTGAGAAACCAT-1\tAAACCTGAGAAACCGC-1\nfoo\t3\t4\nbar\t3\t4\n",
    ];
    for text in cases {
        dir.write("t.tsv", text);
        dir.scx("info t.tsv").ok().says(&["they look like genes", "--transpose"]);
        let run = dir.scx("info t.tsv --transpose --json").ok();
        assert!(!run.stderr.contains("genes"), "{}", run.stderr);
        assert_eq!(run.json()["files"][0]["n_obs"], 2, "{text}");
    }
    for text in ["cell\tACTB\tTP53\nc1\t3\t4\n", ",CD4\nAAACCTGAGAAACCAT-1,3\n", "a,b\n1,2\n"] {
        dir.write("t.tsv", text);
        assert!(!dir.scx("info t.tsv").ok().stderr.contains("look like genes"), "{text}");
    }
}

#[test]
fn a_variable_that_may_be_ids_is_named_with_the_options_that_help() {
    let dir = Dir::new();
    let table = |header: &str, rows: usize, id: &dyn Fn(usize) -> String| {
        let line = |i: usize| format!("{},{},{}\n", i % 3, id(i), i % 2);
        format!("A,{header},B\n") + &(0..rows).map(line).collect::<String>()
    };
    dir.write("t.csv", table("event", 30, &|i| (1000 + i * 7 % 31).to_string()));
    dir.scx("info t.csv").ok().says(&["event: whole numbers that are all different", "--index-column event"]);
    for option in ["--index-column event", "--obs-columns event"] {
        let run = dir.scx(&format!("info t.csv {option} --json")).ok();
        assert!(!run.stderr.contains("all different"), "{}", run.stderr);
        assert_eq!(run.json()["files"][0]["n_vars"], 2);
    }
    // The first column needs fewer rows: that is where ids are.
    dir.write("t.csv", "object_nr,CD4,CD8\n12,0,1\n7,0,0\n99,1,1\n");
    dir.scx("info t.csv").ok().says(&["object_nr: whole numbers that are all different"]);
    // Too long for a number.
    let long = |i: usize| format!("11088342476461192440022163991631425346{}", i % 2);
    dir.write("t.csv", table("event", 4, &long));
    dir.scx("info t.csv").ok().says(&["becomes the nearest 64-bit float", "--index-column event"]);
    let run = dir.scx("convert t.csv o.h5ad --obs-columns event").ok();
    assert!(!run.stderr.contains("nearest"), "{}", run.stderr);
    assert_eq!(dir.open("o.h5ad").obs.column("event").unwrap().text(1).unwrap(), long(1));
    // Counts repeat, fractions are measured, and where all columns are so none is an id.
    for text in [
        table("n", 30, &|i| (i % 7).to_string()),
        table("time", 30, &|i| format!("{}.5", i)),
        "A,B\n1,2\n3,4\n5,6\n".to_owned(),
    ] {
        dir.write("t.csv", &text);
        assert!(!dir.scx("info t.csv").ok().stderr.contains("all different"), "{text}");
    }
}
