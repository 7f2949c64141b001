//! Any counts written and read again are the same counts.

use proptest::prelude::*;
use scx::data::{
    Categorical, Categories, Column, DType, Dataset, Dense, Frame, Index, Layout, Matrix, Sparse, Uns, Values,
};
use scx::io::{Format, ReadOptions, WriteError, WriteOptions, open, save};

use super::{entries, fixtures, names};

/// Values of every type that 10x files may have to hold, none of them zero.
fn values(n: usize) -> impl Strategy<Value = Values> {
    fn some<T: Arbitrary + Clone + PartialEq + Default + 'static>(
        n: usize,
        other: T,
    ) -> impl Strategy<Value = Vec<T>> {
        prop::collection::vec(any::<T>(), n).prop_map(move |v| {
            v.into_iter().map(|x| if x == T::default() { other.clone() } else { x }).collect()
        })
    }
    prop_oneof![
        some::<u8>(n, 1).prop_map(Values::U8),
        some::<u16>(n, 1).prop_map(Values::U16),
        some::<i32>(n, 1).prop_map(Values::I32),
        some::<u32>(n, 1).prop_map(Values::U32),
        some::<i64>(n, 1).prop_map(Values::I64),
        some::<u16>(n, 1).prop_map(|v| Values::F32(v.into_iter().map(f32::from).collect())),
        some::<f32>(n, 1.0)
            .prop_map(|v| Values::F32(v.into_iter().map(|x| if x.is_nan() { 0.5 } else { x }).collect())),
        some::<f64>(n, 1.0)
            .prop_map(|v| Values::F64(v.into_iter().map(|x| if x.is_nan() { 0.5 } else { x }).collect())),
    ]
}

fn matrix(rows: usize, columns: usize) -> impl Strategy<Value = Matrix> {
    let dense =
        values(rows * columns).prop_map(move |v| Matrix::Dense(Dense::new(rows, columns, v).unwrap()));
    let sparse = (prop::collection::vec(any::<bool>(), rows * columns), any::<bool>()).prop_flat_map(
        move |(on, csc)| {
            let (major, minor) = if csc { (columns, rows) } else { (rows, columns) };
            let (mut indptr, mut indices) = (vec![0u64], Vec::new());
            for m in 0..major {
                indices.extend((0..minor).filter(|i| on[m * minor + i]).map(|i| i as u32));
                indptr.push(indices.len() as u64);
            }
            let layout = if csc { Layout::Csc } else { Layout::Csr };
            values(indices.len()).prop_map(move |v| {
                let shape = (rows, columns);
                Matrix::Sparse(Sparse::new(layout, shape, indptr.clone(), indices.clone(), v).unwrap())
            })
        },
    );
    prop_oneof![dense, sparse]
}

fn text(n: usize) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[A-Za-z0-9][A-Za-zβ細. _|-]{0,12}[A-Za-z0-9]", n)
}

prop_compose! {
    fn dataset()(rows in 0usize..12, columns in 1usize..9)(
        x in matrix(rows, columns), cells in text(rows), genes in text(columns), ids in text(columns),
        types in text(columns), genomes in text(columns), extra in text(columns), parts in 0u8..4,
    ) -> Dataset {
        let columns = genes.len();
        let mut var = Frame::new(Index::names(genes));
        if parts > 0 {
            var = var.with("gene_ids", Column::Strings(ids)).with("feature_types", Column::Strings(types));
        }
        if parts > 1 {
            let flags = Values::Bool((0..columns).map(|i| i % 2 == 0).collect());
            var = var.with("genome", Column::Strings(genomes)).with("kept", Column::Numbers(flags));
            let kind = Categorical {
                codes: (0..columns as i32).map(|i| i % 2).collect(),
                categories: Categories::Strings(extra.into_iter().chain(["b".into()]).take(2).collect()),
                ordered: false,
            };
            var = var.with("kind", Column::Categorical(kind));
        }
        let mut d = Dataset::new(Frame::new(Index::names(cells)), var);
        d.x = Some(x);
        d
    }
}

/// The values of X as they are stored, of its type.
fn stored(d: &Dataset) -> (DType, Vec<(usize, u32, u64)>) {
    let mut all = entries(d);
    all.sort_by_key(|e| (e.0, e.1));
    (d.x.as_ref().unwrap().dtype(), all.into_iter().map(|(r, c, v)| (r, c, v.to_bits())).collect())
}

fn texts(frame: &Frame, column: &str) -> Option<Vec<String>> {
    let column = frame.column(column)?;
    Some((0..column.len()).map(|i| column.text(i).unwrap_or_default().into_owned()).collect())
}

fn again(d: &Dataset, format: Format) -> Dataset {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out");
    save(d, format, &path, false, &WriteOptions::default()).unwrap();
    let back = open(&path, &ReadOptions::default()).unwrap();
    // The file is gone after this.
    let mut copy = back.clone();
    copy.x = back.x.as_ref().map(|x| {
        let mut runs = Vec::new();
        x.stream(1 << 20, &mut |_, block| {
            let scx::data::Block::Csr(rows) = block else { panic!("dense") };
            runs.push(rows);
            Ok(())
        })
        .unwrap();
        Matrix::Sparse(Sparse::stacked(x.shape(), x.dtype(), &runs).unwrap())
    });
    copy
}

fn same_names(d: &Dataset, back: &Dataset, columns: &[&str]) {
    assert!(back.obs.index.iter().eq(d.obs.index.iter()));
    assert!(back.var.index.iter().eq(d.var.index.iter()));
    for column in columns {
        if let Some(want) = texts(&d.var, column) {
            assert_eq!(texts(&back.var, column), Some(want), "{column}");
        }
    }
    if d.var.column("gene_ids").is_none() {
        assert!(texts(&back.var, "gene_ids").unwrap().iter().eq(&d.var.index.iter().collect::<Vec<_>>()));
        assert!(texts(&back.var, "feature_types").unwrap().iter().all(|t| t == "Gene Expression"));
    }
}

/// The type a folder of text gives back.
fn from_text(values: &[(usize, u32, f64)], dtype: DType) -> DType {
    let whole = !dtype.is_float() || values.iter().all(|e| e.2.fract() == 0.0 && e.2.abs() <= 9e15);
    match whole {
        true if values.iter().all(|e| e.2 >= f64::from(i32::MIN) && e.2 <= f64::from(i32::MAX)) => DType::I32,
        true => DType::I64,
        false if values.iter().all(|e| f64::from(e.2 as f32) == e.2) => DType::F32,
        false => DType::F64,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_counts_go_through_an_hdf5_file_in_their_own_type(d in dataset()) {
        let back = again(&d, Format::TenxH5);
        prop_assert_eq!(stored(&back), stored(&d));
        same_names(&d, &back, &["gene_ids", "feature_types", "genome", "kept", "kind"]);
    }

    #[test]
    fn any_counts_go_through_a_folder_of_text_to_the_last_bit(d in dataset()) {
        let back = again(&d, Format::TenxMtx);
        let (dtype, found) = stored(&back);
        prop_assert_eq!(&found, &stored(&d).1);
        prop_assert_eq!(dtype, from_text(&entries(&d), d.x.as_ref().unwrap().dtype()));
        same_names(&d, &back, &["gene_ids", "feature_types"]);
    }
}

fn read(name: &str) -> Dataset {
    open(&fixtures("tenx").join(name), &ReadOptions::default()).unwrap()
}

#[test]
fn what_is_read_from_a_probe_file_goes_back_to_its_place() {
    let d = read("probes.h5");
    let back = again(&d, Format::TenxH5);
    assert_eq!((&back.obs, &back.var), (&d.obs, &d.var));
    assert_eq!(back.uns["target_sets"], d.uns["target_sets"]);
    let d = read("v3.h5");
    let back = again(&d, Format::TenxH5);
    assert_eq!((&back.var, &back.uns), (&d.var, &d.uns));
}

fn bytes(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    names(folder).into_iter().map(|n| (n.clone(), std::fs::read(folder.join(n)).unwrap())).collect()
}

#[test]
fn the_same_bytes_are_written_whatever_the_memory_and_the_threads() {
    let Some(folder) = super::real() else { return };
    let d =
        open(&folder.join("scanpy_3.0.0_filtered_feature_bc_matrix.h5"), &ReadOptions::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, memory: u64, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let options = WriteOptions { memory, ..WriteOptions::default() };
        pool.install(|| save(&d, Format::TenxMtx, &dir.path().join(name), false, &options).unwrap());
        pool.install(|| {
            save(&d, Format::TenxH5, &dir.path().join(format!("{name}.h5")), false, &options).unwrap()
        });
        (bytes(&dir.path().join(name)), std::fs::read(dir.path().join(format!("{name}.h5"))).unwrap())
    };
    assert!(write("a", 2 << 30, 1) == write("b", 1 << 20, 3));
    assert_eq!(bytes(&dir.path().join("a")).len(), 3);
}

#[test]
fn what_a_format_cannot_hold_is_said_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let mut d = read("mtx_v3");
    d.obs.index = Index::names((0..5).map(|i| format!("a\tb{i}")).collect());
    let e = save(&d, Format::TenxMtx, &out, false, &WriteOptions::default()).unwrap_err();
    assert!(matches!(e, WriteError::CannotHold { .. }) && e.to_string().contains("a\\tb0"), "{e}");
    d.x = None;
    for format in [Format::TenxH5, Format::TenxMtx] {
        let e = save(&d, format, &out, false, &WriteOptions::default()).unwrap_err();
        assert!(e.to_string().contains("there is no X"), "{e}");
    }
    let big = Dense::new(1, 1, Values::U64(vec![u64::MAX])).unwrap();
    let one = || Frame::new(Index::names(vec!["a".into()]));
    let mut d = Dataset::new(one(), one());
    d.x = Some(Matrix::Dense(big));
    let e = save(&d, Format::TenxMtx, &out, false, &WriteOptions::default()).unwrap_err();
    assert!(e.to_string().contains("18446744073709551615"), "{e}");
    assert_eq!(names(dir.path()).len(), 0);
}

#[test]
fn a_folder_is_replaced_with_force_unless_it_holds_anything_else() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let d = read("mtx_v3");
    let save = |force| save(&d, Format::TenxMtx, &out, force, &WriteOptions::default());
    save(false).unwrap();
    assert!(matches!(save(false), Err(WriteError::Exists { .. })));
    save(true).unwrap();
    std::fs::write(out.join("analysis.csv"), "mine").unwrap();
    let e = save(true).unwrap_err();
    assert!(e.to_string().contains("also holds analysis.csv"), "{e}");
    assert_eq!(names(&out).len(), 4);
}

#[test]
fn attributes_of_other_files_do_not_break_the_new_one() {
    let mut d = read("v3.h5");
    d.uns.insert("chemistry_description".into(), Uns::Number(Values::F64(vec![1.0])));
    d.uns.insert("target_sets".into(), Uns::String("none".into()));
    let back = again(&d, Format::TenxH5);
    assert!(!back.uns.contains_key("chemistry_description"));
}
