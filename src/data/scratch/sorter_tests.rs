use proptest::prelude::*;

use super::*;

/// All runs below each other, with the number of runs.
fn stacked(s: Sorter, shape: (usize, usize), dtype: DType) -> (Sparse, usize) {
    let runs: Vec<Sparse> = s.finish().unwrap().collect::<Result<_, _>>().unwrap();
    (Sparse::stacked(shape, dtype, &runs).unwrap(), runs.len())
}

/// The same with a plain stable sort.
fn expected(shape: (usize, usize), rows: &[u32], columns: &[u32], values: &[u32]) -> Sparse {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&i| (rows[i], columns[i]));
    let mut indptr = vec![0u64; shape.0 + 1];
    rows.iter().for_each(|&r| indptr[r as usize + 1] += 1);
    (1..indptr.len()).for_each(|i| indptr[i] += indptr[i - 1]);
    let indices = order.iter().map(|&i| columns[i]).collect();
    let values = Values::U32(order.iter().map(|&i| values[i]).collect());
    Sparse::new(Layout::Csr, shape, indptr, indices, values).unwrap()
}

/// `n` triples; `skew` puts that many of every 16 into one row.
fn triples(n: usize, shape: (u32, u32), skew: u32) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let mut state = 1u64;
    let mut next = |below: u32| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 33) % u64::from(below)) as u32
    };
    let rows = (0..n).map(|_| if next(16) < skew { shape.0 / 3 } else { next(shape.0) }).collect();
    let columns = (0..n).map(|_| next(shape.1)).collect();
    (rows, columns, (0..n as u32).collect())
}

#[test]
fn spilled_triples_come_back_as_rows_with_duplicates_in_order() {
    let shape = (5000, 40);
    for (skew, memory) in [(0, 1 << 30), (0, 200_000), (8, 200_000), (8, 4000)] {
        let (r, c, v) = triples(200_000, (shape.0 as u32, shape.1 as u32), skew);
        let mut s = Sorter::new(shape, DType::U32, memory, &std::env::temp_dir());
        for i in (0..r.len()).step_by(30_011) {
            let end = (i + 30_011).min(r.len());
            s.push(&r[i..end], &c[i..end], &Values::U32(v[i..end].to_vec())).unwrap();
        }
        let (found, runs) = stacked(s, shape, DType::U32);
        assert_eq!(found, expected(shape, &r, &c, &v), "skew {skew}, memory {memory}");
        assert_eq!(runs > 1, memory < 1 << 20, "{runs} runs in {memory} bytes");
    }
}

#[test]
fn runs_keep_within_memory_but_for_a_single_row() {
    let shape = (1 << 20, 8);
    let (r, c, v) = triples(300_000, (1 << 20, 8), 12);
    let mut s = Sorter::new(shape, DType::U32, 1 << 20, &std::env::temp_dir());
    s.push(&r, &c, &Values::U32(v)).unwrap();
    for run in s.finish().unwrap() {
        let run = run.unwrap();
        let bytes = 8 * run.shape().0 + 8 * run.values().len();
        assert!(bytes <= (1 << 20) / 8 || run.shape().0 <= 1, "{bytes} bytes, {} rows", run.shape().0);
    }
}

#[test]
fn rows_and_columns_outside_the_matrix_are_refused() {
    let mut s = Sorter::new((3, 4), DType::U8, 1 << 20, &std::env::temp_dir());
    let one = Values::U8(vec![1]);
    assert!(matches!(s.push(&[3], &[0], &one), Err(DataError::OutOfRange { what: "row", index: 3, .. })));
    assert!(matches!(s.push(&[0], &[4], &one), Err(DataError::OutOfRange { what: "column", index: 4, .. })));
    assert!(s.push(&[0], &[0], &Values::F64(vec![1.0])).is_err());
}

#[test]
fn no_rows_and_empty_rows_are_there_too() {
    let s = Sorter::new((0, 4), DType::F64, 1 << 20, &std::env::temp_dir());
    assert_eq!(s.finish().unwrap().count(), 0);
    let s = Sorter::new((700, 4), DType::F64, 1 << 20, &std::env::temp_dir());
    assert_eq!(stacked(s, (700, 4), DType::F64).0.indptr(), vec![0u64; 701]);
}

#[test]
fn a_folder_that_is_not_there_is_an_error_that_names_it() {
    let mut s = Sorter::new((10, 4), DType::U8, 16, Path::new("/nowhere/at/all"));
    let e = s.push(&[0; 100], &[0; 100], &Values::U8(vec![0; 100])).unwrap_err();
    assert!(e.to_string().contains("/nowhere/at/all"), "{e}");
}

proptest! {
    #[test]
    fn any_triples_come_back_sorted(
        entries in prop::collection::vec((0u32..300, 0u32..9), 0..500),
        memory in 0u64..5000,
    ) {
        let (r, c): (Vec<u32>, Vec<u32>) = entries.into_iter().unzip();
        let v: Vec<u32> = (0..r.len() as u32).collect();
        let mut s = Sorter::new((300, 9), DType::U32, memory, &std::env::temp_dir());
        s.push(&r, &c, &Values::U32(v.clone())).unwrap();
        prop_assert_eq!(stacked(s, (300, 9), DType::U32).0, expected((300, 9), &r, &c, &v));
    }
}
