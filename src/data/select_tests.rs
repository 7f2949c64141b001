use super::*;
use crate::data::{Annotation, Column, Dataset, Frame, Index, Raw};

/// 1 0 2 / 0 0 0 / 0 3 4 / 5 6 0
fn csr() -> Matrix {
    let indptr = vec![0, 2, 2, 4, 6];
    let s =
        Sparse::new(Layout::Csr, (4, 3), indptr, vec![0, 2, 1, 2, 0, 1], Values::U16(vec![1, 2, 3, 4, 5, 6]));
    Matrix::Sparse(s.unwrap())
}

fn csc() -> Matrix {
    let Matrix::Sparse(s) = csr() else { panic!() };
    Matrix::Sparse(s.turned().unwrap())
}

fn dense() -> Matrix {
    let v = vec![1, 0, 2, 0, 0, 0, 0, 3, 4, 5, 6, 0];
    Matrix::Dense(Dense::new(4, 3, Values::U16(v)).unwrap())
}

/// All values, walked through in small runs.
fn whole(m: &Matrix) -> Vec<Vec<f64>> {
    let mut out = Vec::new();
    m.stream(1, &mut |start, block| {
        assert_eq!(start, out.len(), "runs leave a gap");
        assert_eq!(block.dtype(), m.dtype());
        if let Block::Csr(s) = &block {
            for w in s.indptr().windows(2) {
                let row = &s.indices()[w[0] as usize..w[1] as usize];
                assert!(row.windows(2).all(|p| p[0] < p[1]), "columns in order");
            }
        }
        out.extend(block.to_f64().rows().into_iter().map(|r| r.to_vec()));
        Ok(())
    })
    .unwrap();
    out
}

fn stored(m: &Matrix) -> u64 {
    let mut n = 0;
    m.stream(1 << 20, &mut |_, b| {
        if let Block::Csr(s) = b {
            n += s.values().len() as u64;
        }
        Ok(())
    })
    .unwrap();
    n
}

#[test]
fn every_layout_gives_the_same_rows_and_columns() {
    let takes = [
        (
            Take::all(4),
            Take::entries(3, &[0, 2]).unwrap(),
            vec![vec![1., 2.], vec![0., 0.], vec![0., 4.], vec![5., 0.]],
        ),
        (Take::marked(&[true, false, false, true]), Take::all(3), vec![vec![1., 0., 2.], vec![5., 6., 0.]]),
        (
            Take::entries(4, &[3, 0]).unwrap(),
            Take::entries(3, &[2, 0]).unwrap(),
            vec![vec![0., 5.], vec![2., 1.]],
        ),
        (
            Take::new(4, vec![Some(2), None, Some(3)]).unwrap(),
            Take::new(3, vec![Some(1), None, Some(0)]).unwrap(),
            vec![vec![3., 0., 0.], vec![0., 0., 0.], vec![6., 0., 5.]],
        ),
    ];
    for base in [csr(), csc(), dense()] {
        for (rows, columns, expected) in &takes {
            let m = base.select(rows, columns).unwrap();
            assert_eq!(m.shape(), (rows.len(), columns.len()));
            assert_eq!(whole(&m), *expected, "{} {rows:?} {columns:?}", base.layout().name());
            assert_eq!(m.nnz(), (base.layout() != Layout::Dense).then(|| stored(&m)));
            let last = expected.len() - 1;
            assert_eq!(m.rows(last..last + 1).unwrap().to_f64().row(0).to_vec(), expected[last]);
            // A selection of a selection, by columns.
            let picks: Vec<usize> = (0..columns.len()).rev().collect();
            let mut by_column = Vec::new();
            m.columns(&picks, &mut |start, block| {
                assert_eq!(start, by_column.len());
                by_column
                    .extend(block.rows().into_iter().map(|r| r.iter().rev().copied().collect::<Vec<_>>()));
                Ok(())
            })
            .unwrap();
            assert_eq!(by_column, *expected);
        }
    }
}

#[test]
fn a_selection_of_a_selection_is_one_of_the_first() {
    let once = csr().select(&Take::marked(&[true, false, true, true]), &Take::all(3)).unwrap();
    let twice = once.select(&Take::marked(&[false, true, true]), &Take::entries(3, &[1]).unwrap()).unwrap();
    assert_eq!(whole(&twice), [[3.], [6.]]);
    assert_eq!(twice.nnz(), Some(2));
}

#[test]
fn a_choice_made_for_another_shape_is_refused() {
    assert!(csr().select(&Take::all(3), &Take::all(3)).is_err());
    assert!(csr().select(&Take::all(4), &Take::entries(4, &[0]).unwrap()).is_err());
    assert!(csr().rows(3..5).is_err());
}

#[test]
fn cells_and_genes_take_everything_that_is_theirs_along() {
    let names = |p: &str, n: usize| Index::names((0..n).map(|i| format!("{p}{i}")).collect());
    let mut d = Dataset::new(Frame::new(names("c", 4)), Frame::new(names("g", 3)));
    let square = |n: usize| {
        let v = (0..n * n).map(|i| i as f32).collect();
        Annotation::Matrix(Matrix::Dense(Dense::new(n, n, Values::F32(v)).unwrap()))
    };
    d.x = Some(csr());
    d.layers.insert("counts".into(), dense());
    d.obsm.insert("X_pca".into(), square(4));
    d.obsm.insert(
        "table".into(),
        Annotation::Frame(
            Frame::new(names("c", 4)).with("k", Column::Numbers(Values::U8(vec![7, 8, 9, 10]))),
        ),
    );
    d.obsp.insert("graph".into(), square(4));
    d.varm.insert("PCs".into(), square(3));
    d.varp.insert("pairs".into(), square(3));
    d.raw = Some(Raw {
        x: csr().select(&Take::all(4), &Take::entries(3, &[1, 2]).unwrap()).unwrap(),
        var: Frame::new(names("r", 2)),
        varm: Default::default(),
    });
    d.check().unwrap();
    let s =
        d.select(&Take::marked(&[false, true, false, true]), &Take::entries(3, &[2, 1]).unwrap()).unwrap();
    s.check().unwrap();
    assert_eq!(s.obs.index.iter().collect::<Vec<_>>(), ["c1", "c3"]);
    assert_eq!(s.var.index.iter().collect::<Vec<_>>(), ["g2", "g1"]);
    assert_eq!(whole(s.x.as_ref().unwrap()), [[0., 0.], [0., 6.]]);
    assert_eq!(whole(&s.layers["counts"]), [[0., 0.], [0., 6.]]);
    let matrix = |a: &Annotation| match a {
        Annotation::Matrix(m) => whole(m),
        other => panic!("{other:?}"),
    };
    assert_eq!(matrix(&s.obsm["X_pca"]), [[4., 5., 6., 7.], [12., 13., 14., 15.]]);
    assert_eq!(matrix(&s.obsp["graph"]), [[5., 7.], [13., 15.]]);
    assert_eq!(matrix(&s.varm["PCs"]), [[6., 7., 8.], [3., 4., 5.]]);
    assert_eq!(matrix(&s.varp["pairs"]), [[8., 7.], [5., 4.]]);
    let raw = s.raw.unwrap();
    assert_eq!((whole(&raw.x), raw.var.len()), (vec![vec![0., 0.], vec![6., 0.]], 2));
}
