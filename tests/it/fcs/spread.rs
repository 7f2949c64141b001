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

#[test]
fn nearly_six_gigabytes_of_events_open_at_once_and_are_read_at_their_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("large.fcs");
    let (n, par) = (36_250_000_u64, 40_u64);
    let channels: String =
        (1..=par).map(|i| format!("$P{i}B|32|$P{i}E|0,0|$P{i}R|262144|$P{i}N|Ch{i}|")).collect();
    let (begin, end) = (8192, 8191 + n * par * 4);
    let text = format!(
        "|$BEGINDATA|{begin}|$ENDDATA|{end}|$BYTEORD|1,2,3,4|$DATATYPE|F|$MODE|L|$NEXTDATA|0|$PAR|{par}|$TOT|{n}|{channels}"
    );
    let head =
        |begin, end| format!("FCS3.0    {:>8}{:>8}{begin:>8}{end:>8}{:>8}{:>8}", 58, 57 + text.len(), 0, 0);
    // Some writers leave the last eight digits in the HEADER, where zeros should be.
    std::fs::write(&path, head(begin, end % 100_000_000) + &text).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(end + 1).unwrap();
    let (d, warnings) = warned(|| open(&path, &ReadOptions::default()).unwrap());
    assert_eq!(d.n_obs(), 36_250_000);
    assert!(warnings.contains("the HEADER should hold zeros"), "{warnings}");
    std::fs::write(&path, head(0, 0) + &text).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    // A file with a hole: it takes no room on the disk.
    file.set_len(end + 1).unwrap();
    let start = std::time::Instant::now();
    let d = open(&path, &ReadOptions::default()).unwrap();
    let took = start.elapsed();
    assert_eq!(d.x.as_ref().unwrap().shape(), (36_250_000, 40));
    assert!(took.as_millis() < 100, "{took:?}");
    let Some(Matrix::OnDisk(m)) = &d.x else { panic!() };
    let Block::Dense(last) = m.rows(36_249_999..36_250_000).unwrap() else { panic!() };
    assert_eq!(last.values().iter().collect::<Vec<_>>(), vec![0.0; 40]);
    // Nobody may ask for all of it at once.
    let small = ReadOptions::from(scx::io::ReadLimits { max_bytes: 1 << 20 });
    let Some(Matrix::OnDisk(m)) = open(&path, &small).unwrap().x else { panic!() };
    assert!(m.rows(0..36_250_000).is_err() && m.rows(0..1000).is_ok());
}
