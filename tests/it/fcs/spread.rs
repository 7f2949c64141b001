//! Files larger than a run of events: streaming, picked columns, order.

use scx::io::{Format, WriteOptions, save};

use super::*;

/// A written file of so many events of three channels; event r, channel c holds 3 r + c.
fn long(dir: &Path, n: usize) -> Dataset {
    let all: Vec<f32> = (0..3 * n).map(|v| v as f32).collect();
    let path = dir.join("long.fcs");
    let d = table(Values::F32(all), &["a", "b", "c"]);
    save(&d, Format::Fcs, &path, true, &WriteOptions::default()).unwrap();
    open(&path, &ReadOptions::default()).unwrap()
}

#[test]
fn runs_come_in_order_leave_no_gap_and_stay_within_memory() {
    let dir = tempfile::tempdir().unwrap();
    let n = 30_001;
    let d = long(dir.path(), n);
    for memory in [1 << 30, 1 << 20, 1] {
        let mut next = 0;
        let x = d.x.as_ref().unwrap();
        x.stream(memory, &mut |start, block| {
            assert_eq!(start, next);
            assert!(block.len() == 1 || (block.len() * 12) as u64 <= memory / 16, "{} rows", block.len());
            let values = block.to_f64();
            assert!(values.iter().enumerate().all(|(i, v)| *v == (3 * start + i) as f64));
            next += block.len();
            Ok(())
        })
        .unwrap();
        assert_eq!(next, n);
    }
}

#[test]
fn a_sink_that_stops_ends_the_reading() {
    let dir = tempfile::tempdir().unwrap();
    let d = long(dir.path(), 30_001);
    let mut runs = 0;
    let e = d.x.unwrap().stream(1 << 20, &mut |_, _| {
        runs += 1;
        Err(scx::data::DataError::Invalid { what: "enough".into() })
    });
    assert_eq!((runs, e.unwrap_err().to_string()), (1, "enough".to_owned()));
}

#[test]
fn picked_columns_and_single_rows_are_those_of_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let d = long(dir.path(), 20_000);
    let Some(Matrix::OnDisk(m)) = &d.x else { panic!("in memory") };
    let mut seen = 0;
    m.columns(&[2, 0], &mut |start, run| {
        assert_eq!(start, seen);
        for (i, row) in run.rows().into_iter().enumerate() {
            let r = (3 * (start + i)) as f64;
            assert_eq!(row.to_vec(), [r + 2.0, r]);
        }
        seen += run.nrows();
        Ok(())
    })
    .unwrap();
    assert_eq!(seen, 20_000);
    let Block::Dense(one) = m.rows(19_999..20_000).unwrap() else { panic!() };
    assert_eq!(one.values().iter().collect::<Vec<_>>(), [59_997.0, 59_998.0, 59_999.0]);
    assert!(m.rows(19_999..20_001).is_err() && m.columns(&[3], &mut |_, _| Ok(())).is_err());
}

#[test]
fn a_file_that_became_shorter_is_an_error_and_no_panic() {
    let dir = tempfile::tempdir().unwrap();
    let d = long(dir.path(), 20_000);
    let file = std::fs::OpenOptions::new().write(true).open(&d.source.path).unwrap();
    file.set_len(100_000).unwrap();
    let e = d.x.unwrap().stream(1 << 20, &mut |_, _| Ok(())).unwrap_err();
    let text = format!("{e}: {}", std::error::Error::source(&e).unwrap());
    assert!(text.contains("became shorter"), "{text}");
}
