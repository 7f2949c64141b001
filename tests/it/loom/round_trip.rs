//! Any data set written and read again is the same data set, but for what loom has no place for.

use std::collections::BTreeMap;

use proptest::prelude::*;
use scx::data::{Annotation, Categories, Column, DType, Dataset, Frame, Index, Matrix, Uns, Values};
use scx::io::{ReadOptions, WriteOptions, loom};

use crate::h5ad::compare::dense;
use crate::h5ad::round_trip::dataset;

/// Numbers as loom has them: no booleans.
fn numbers(v: &Values) -> Values {
    match v {
        Values::Bool(v) => Values::U8(v.iter().map(|b| u8::from(*b)).collect()),
        v => v.clone(),
    }
}

/// A column as loom has it.
fn column(c: &Column) -> Column {
    let missing = |c: &Column| (0..c.len()).any(|i| c.text(i).is_none());
    let floats = |values: &Values, at: Vec<Option<usize>>| {
        let x = at.iter().map(|i| i.map_or(f64::NAN, |i| values.get(i).unwrap()));
        Column::Numbers(match values.dtype().exact_float() {
            DType::F32 => Values::F32(x.map(|x| x as f32).collect()),
            _ => Values::F64(x.collect()),
        })
    };
    match c {
        Column::Numbers(v) => Column::Numbers(numbers(v)),
        Column::Nullable { values, .. } if !missing(c) => Column::Numbers(numbers(values)),
        Column::Nullable { values, missing } => {
            floats(values, missing.iter().enumerate().map(|(i, m)| (!m).then_some(i)).collect())
        }
        Column::Categorical(k) => match &k.categories {
            Categories::Numbers(v) => {
                let at: Vec<Option<usize>> = k.codes.iter().map(|c| usize::try_from(*c).ok()).collect();
                if missing(c) {
                    return floats(v, at);
                }
                let at: Vec<usize> = at.into_iter().flatten().collect();
                fn pick<T: scx::data::Element>(v: &[T], at: &[usize]) -> Values {
                    T::wrap(at.iter().map(|i| v[*i]).collect())
                }
                Column::Numbers(numbers(&scx::with_values!(v, v => pick(v, &at))))
            }
            Categories::Strings(_) => texts(c),
        },
        c => texts(c),
    }
}

fn texts(c: &Column) -> Column {
    Column::Strings((0..c.len()).map(|i| c.text(i).unwrap_or_default().into_owned()).collect())
}

fn frame(f: &Frame, index: &str) -> Frame {
    let values = f.index.iter().map(|n| n.into_owned()).collect();
    let mut columns: Vec<_> = f.columns.iter().map(|(n, c)| (n.clone(), column(c))).collect();
    columns.sort_by(|a, b| a.0.cmp(&b.0));
    Frame { index: Index::Names { name: index.to_owned(), values }, columns }
}

/// Equal, NaN with NaN.
fn assert_frame(found: &Frame, meant: &Frame) {
    assert_eq!(found.index, meant.index);
    assert_eq!(format!("{:?}", found.columns), format!("{:?}", meant.columns));
}

fn assert_matrix(found: &Matrix, meant: &Matrix) {
    let dtype = if meant.dtype() == DType::Bool { DType::U8 } else { meant.dtype() };
    assert_eq!((found.shape(), found.dtype()), (meant.shape(), dtype));
    assert_eq!(dense(found), dense(meant));
}

fn assert_same(found: &Dataset, meant: &Dataset) {
    // An array with one column comes back as a column.
    let flat = |f: &Frame, all: &BTreeMap<String, Annotation>| -> Vec<String> {
        let tables = all.iter().filter_map(|(k, a)| match a {
            Annotation::Frame(f) => Some(f.columns.iter().map(move |(n, _)| format!("{k}.{n}"))),
            _ => None,
        });
        let mut all: Vec<String> = f.columns.iter().map(|(n, _)| n.clone()).chain(tables.flatten()).collect();
        all.sort();
        all
    };
    for (f, m, found, meant, index) in [
        (&found.obs, &meant.obs, &found.obsm, &meant.obsm, "CellID"),
        (&found.var, &meant.var, &found.varm, &meant.varm, "Gene"),
    ] {
        assert_eq!(flat(f, &BTreeMap::new()), flat(m, meant));
        let mut own = f.clone();
        own.columns.retain(|(n, _)| m.column(n).is_some());
        assert_frame(&own, &frame(m, index));
        for (key, a) in meant {
            match (a, found.get(key)) {
                (Annotation::Matrix(a), Some(Annotation::Matrix(f))) => assert_matrix(f, a),
                (Annotation::Frame(t), None) => {
                    for (name, c) in &t.columns {
                        let found = f.column(&format!("{key}.{name}")).unwrap();
                        assert_eq!(format!("{found:?}"), format!("{:?}", column(c)));
                    }
                }
                (_, other) => panic!("{key}: {other:?}"),
            }
        }
    }
    assert_matrix(found.x.as_ref().unwrap(), meant.x.as_ref().unwrap());
    assert_eq!(found.layers.keys().collect::<Vec<_>>(), meant.layers.keys().collect::<Vec<_>>());
    for (name, m) in &meant.layers {
        assert_matrix(&found.layers[name], m);
    }
    for (found, meant) in [(&found.obsp, &meant.obsp), (&found.varp, &meant.varp)] {
        for (key, a) in meant {
            let (Annotation::Matrix(m), Some(Annotation::Matrix(f))) = (a, found.get(key)) else {
                panic!("{key}")
            };
            let (f, m) = (dense(f), dense(m));
            // Whole numbers beyond 2^53 are weights no float holds.
            let near = |(f, m): (&f64, &f64)| f == m || (f - m).abs() <= 1e-15 * m.abs();
            assert!(f.dim() == m.dim() && f.iter().zip(&m).all(near), "{key}: {f} {m}");
        }
    }
    assert!(found.raw.is_none());
    let kept = meant.uns.iter().filter_map(|(k, u)| match u {
        Uns::Map(_)
        | Uns::StringArray { .. }
        | Uns::Column(_)
        | Uns::Matrix(_)
        | Uns::Frame(_)
        | Uns::Records { .. }
        | Uns::Null => None,
        Uns::Number(v) => Some((k.clone(), Uns::Number(numbers(v)))),
        Uns::Array { shape, values } => {
            Some((k.clone(), Uns::Array { shape: shape.clone(), values: numbers(values) }))
        }
        u => Some((k.clone(), u.clone())),
    });
    assert_eq!(found.uns, kept.collect::<BTreeMap<_, _>>());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_data_set_survives_but_for_the_declared_losses(d in dataset()) {
        let mut d = d;
        // Without cells or genes it is refused: tested elsewhere.
        prop_assume!(d.x.is_some() && d.n_obs() > 0 && d.n_vars() > 0);
        // Keys of the same name in different places of one group get other names: tested elsewhere.
        d.obs.columns.retain(|(n, _)| !["X_pca", "CellID"].contains(&n.as_str()));
        d.var.columns.retain(|(n, _)| !["PCs", "Gene"].contains(&n.as_str()));
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one.loom"), dir.path().join("two.loom"));
        loom::write(&d, &one, &WriteOptions::default()).unwrap();
        let read = loom::read(&one, &ReadOptions::default()).unwrap();
        assert_same(&read, &d);
        // The second time from disk to disk: nothing more is lost.
        loom::write(&read, &two, &WriteOptions::default()).unwrap();
        assert_same(&loom::read(&two, &ReadOptions::default()).unwrap(), &d);
        // A zero with a sign is a zero like any other to a sparse matrix, as in scipy: then the bytes differ.
        let signed = d.x.iter().chain(d.layers.values()).any(|m| dense(m).iter().any(|x| *x == 0.0 && x.is_sign_negative()));
        prop_assert!(signed || std::fs::read(&one).unwrap() == std::fs::read(&two).unwrap(), "the bytes differ");
    }
}
