//! Pieces of a data set put together again are the data set.

use proptest::prelude::*;
use scx::concat::{Join, OnDuplicate, Options, Piece, concat};
use scx::data::{
    Block, Categorical, Categories, Column, Dataset, Dense, Element, Frame, Index, Layout, Matrix, Sparse,
    Values, append, slice,
};
use scx::with_values;

use crate::support;

fn options(join: Join) -> Options {
    Options {
        join,
        on_duplicate: OnDuplicate::Error,
        batch_key: "batch".into(),
        layers: None,
        continuous_time: false,
        memory: 1 << 20,
    }
}

fn frame(n: usize, seed: &[u8]) -> Frame {
    let at = |i: usize| seed[i % seed.len()];
    let text = |v: &[&str]| v.iter().map(|s| (*s).to_owned()).collect();
    let category = Categorical {
        codes: (0..n).map(|i| i32::from(at(i) % 4) - 1).collect(),
        categories: Categories::Strings(text(&["z", "a", "m"])),
        ordered: seed[0] > 100,
    };
    Frame::new(Index::names((0..n).map(|i| format!("c{i}")).collect()))
        .with("type", Column::Categorical(category))
        .with("n", Column::Numbers(Values::U16((0..n).map(|i| u16::from(at(i))).collect())))
        .with(
            "gaps",
            Column::NullableStrings((0..n).map(|i| (at(i) > 90).then(|| format!("t{}", at(i)))).collect()),
        )
        .with(
            "masked",
            Column::Nullable {
                values: Values::I8((0..n).map(|i| at(i) as i8).collect()),
                missing: (0..n).map(|i| at(i).is_multiple_of(3)).collect(),
            },
        )
}

/// Rows of everything in a data set whose X is dense or CSR in memory.
fn part(d: &Dataset, rows: std::ops::Range<usize>) -> Dataset {
    fn values(v: &Values, rows: std::ops::Range<usize>) -> Values {
        fn pick<T: Element>(v: &[T], rows: std::ops::Range<usize>) -> Values {
            T::wrap(v[rows].to_vec())
        }
        with_values!(v, v => pick(v, rows))
    }
    let column = |c: &Column| match c {
        Column::Categorical(c) => {
            Column::Categorical(Categorical { codes: c.codes[rows.clone()].to_vec(), ..c.clone() })
        }
        Column::Numbers(v) => Column::Numbers(values(v, rows.clone())),
        Column::Nullable { values: v, missing } => {
            Column::Nullable { values: values(v, rows.clone()), missing: missing[rows.clone()].to_vec() }
        }
        Column::NullableStrings(v) => Column::NullableStrings(v[rows.clone()].to_vec()),
        other => panic!("{other:?}"),
    };
    let names: Vec<String> = d.obs.index.iter().map(|n| n.into_owned()).collect();
    let mut obs = Frame::new(Index::names(names[rows.clone()].to_vec()));
    obs.columns = d.obs.columns.iter().map(|(n, c)| (n.clone(), column(c))).collect();
    let mut out = Dataset::new(obs, d.var.clone());
    let g = d.n_vars();
    out.x = d.x.as_ref().map(|x| match x {
        Matrix::Dense(m) => {
            let v = slice(m.values(), rows.start * g..rows.end * g);
            Matrix::Dense(Dense::new(rows.len(), g, v).unwrap())
        }
        Matrix::Sparse(m) => {
            let p = &m.indptr()[rows.start..=rows.end];
            let span = p[0] as usize..p[p.len() - 1] as usize;
            let indptr = p.iter().map(|i| i - p[0]).collect();
            let (indices, v) = (m.indices()[span.clone()].to_vec(), slice(m.values(), span));
            let s = Sparse::new(Layout::Csr, (rows.len(), g), indptr, indices, v).unwrap();
            // Every second piece lies by column.
            Matrix::Sparse(if rows.start.is_multiple_of(2) { s } else { s.turned().unwrap() })
        }
        Matrix::OnDisk(_) => panic!(),
    });
    out
}

/// A matrix walked through, as one block.
fn whole(m: &Matrix, memory: u64) -> Block {
    let (shape, mut runs, mut values, mut next) = (m.shape(), Vec::new(), Values::empty(m.dtype()), 0);
    m.stream(memory, &mut |start, block| {
        assert_eq!(start, next, "a gap between runs");
        next += block.len();
        match block {
            Block::Csr(s) => runs.push(s),
            Block::Dense(d) => append(&mut values, d.values()),
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(next, shape.0);
    match m.nnz() {
        Some(_) => Block::Csr(Sparse::stacked(shape, m.dtype(), &runs).unwrap()),
        None => Block::Dense(Dense::new(shape.0, shape.1, values).unwrap()),
    }
}

fn made(n: usize, g: usize, seed: &[u8], sparse: bool) -> Dataset {
    let var = Frame::new(Index::names((0..g).map(|i| format!("g{i}")).collect()))
        .with("id", Column::Strings((0..g).map(|i| format!("E{i}")).collect()));
    let mut d = Dataset::new(frame(n, seed), var);
    let at = |i: usize| seed[(i * 7) % seed.len()];
    d.x = Some(if sparse {
        let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
        for i in 0..n {
            for j in (0..g).filter(|j| at(i * g + j) > 150) {
                indices.push(j as u32);
                values.push(f32::from(at(i * g + j)));
            }
            indptr.push(indices.len() as u64);
        }
        Matrix::Sparse(Sparse::new(Layout::Csr, (n, g), indptr, indices, Values::F32(values)).unwrap())
    } else {
        Matrix::Dense(Dense::new(n, g, Values::I16((0..n * g).map(|i| i16::from(at(i))).collect())).unwrap())
    });
    d
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_of_a_data_set_make_the_data_set(
        n in 1usize..25, g in 1usize..7, seed in proptest::collection::vec(any::<u8>(), 40), sparse: bool, outer: bool,
        cuts in proptest::collection::vec(0usize..25, 0..4), memory in 64u64..4096,
    ) {
        let d = made(n, g, &seed, sparse);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(n)).chain([0, n]).collect();
        cuts.sort_unstable();
        let pieces = cuts.windows(2).enumerate().map(|(i, w)| {
            Piece { batch: format!("b{i}"), file: format!("f{i}"), dataset: part(&d, w[0]..w[1]) }
        });
        let join = if outer { Join::Outer } else { Join::Inner };
        let joined = concat(pieces.collect(), &options(join)).unwrap();
        prop_assert!(joined.changes.is_empty(), "{:?}", joined.changes);
        let mut obs = joined.obs.clone();
        let (key, _) = obs.columns.pop().unwrap();
        prop_assert_eq!(key, "batch");
        prop_assert_eq!(&obs, &d.obs);
        prop_assert_eq!(&joined.var, &d.var);
        let (x, want) = (joined.x.unwrap(), d.x.unwrap());
        prop_assert_eq!(x.dtype(), want.dtype());
        prop_assert_eq!(whole(&x, memory), whole(&want, 1 << 30));
        let Matrix::OnDisk(source) = &x else { panic!() };
        let (from, to) = (n / 3, n - n / 4);
        let all = support::values(&want);
        prop_assert_eq!(source.rows(from..to).unwrap().to_f64(), all.slice(ndarray::s![from..to, ..]));
    }

    /// Whatever genes two files have, the joined matrix holds each value under its own gene and nothing else.
    #[test]
    fn values_stand_under_their_own_genes(
        a in proptest::sample::subsequence((0..9usize).collect::<Vec<_>>(), 1..9),
        b in proptest::sample::subsequence((0..9usize).collect::<Vec<_>>(), 1..9),
        sparse: bool, turn in 0usize..9,
    ) {
        let of = |genes: &[usize], first: usize| {
            let mut d = made(3, genes.len(), &[1, 200, 170, 90, 160, 0, 255], sparse);
            d.var = Frame::new(Index::names(genes.iter().map(|g| format!("g{g}")).collect()));
            d.obs = Frame::new(Index::names((first..first + 3).map(|i| format!("c{i}")).collect()));
            d
        };
        let mut b = b;
        let by = turn % b.len().max(1);
        b.rotate_left(by);
        let both = [of(&a, 0), of(&b, 3)];
        for join in [Join::Inner, Join::Outer] {
            let pieces = both.iter().enumerate().map(|(i, d)| {
                Piece { batch: i.to_string(), file: i.to_string(), dataset: d.clone() }
            });
            let Ok(joined) = concat(pieces.collect(), &options(join)) else {
                prop_assert!(join == Join::Inner && !a.iter().any(|g| b.contains(g)));
                continue;
            };
            let x = joined.x.unwrap();
            let values = support::values(&x);
            let stored = whole(&x, 256);
            prop_assert_eq!(stored.to_f64().mapv(|v| v.to_bits()), values.mapv(|v| v.to_bits()));
            for (k, name) in joined.var.index.iter().enumerate() {
                for (i, d) in both.iter().enumerate() {
                    let own = support::values(d.x.as_ref().unwrap());
                    let at = d.var.index.iter().position(|n| n == name);
                    for r in 0..3 {
                        let found = values[(3 * i + r, k)];
                        match at {
                            Some(j) => prop_assert_eq!(found, own[(r, j)]),
                            None => prop_assert!(if sparse { found == 0.0 } else { found.is_nan() }, "{}", found),
                        }
                    }
                }
            }
        }
    }
}
