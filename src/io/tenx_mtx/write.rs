//! A data set as a folder as Cell Ranger 3 and later write it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use rayon::prelude::*;

use super::gz::Gzip;
use super::show::Show;
use super::text::Text;
use super::{header, tables};
use crate::data::{Block, DataError, Dataset, Element, Matrix, Sparse, Values};
use crate::io::error::{ReadError, WriteError};
use crate::io::options::{Compression, ReadOptions, WriteOptions};
use crate::io::tenx::{EXPRESSION, IDS, TYPES, compressed, names, texts, texts_or};
use crate::with_values;

/// Entries turned into text by one thread at a time.
const PIECE: u64 = 1 << 16;
/// Entries turned into text before they are compressed.
const BATCH: u64 = 1 << 20;
/// Floats are whole up to here without gaps; only those are written as integers.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Writes X and the names into the empty folder `folder`: `matrix.mtx.gz`, `features.tsv.gz` and `barcodes.tsv.gz`.
/// Everything else a data set may hold has no place in the format. Values are written as integers when all are whole,
/// whatever their type, otherwise as decimals that read back to the last bit.
///
/// # Errors
/// [`WriteError`] when there is no X, a name cannot stand in a table, the disk is full, or the data cannot be read on.
pub fn write(dataset: &Dataset, folder: &Path, options: &WriteOptions) -> Result<(), WriteError> {
    let x = compressed(dataset, folder, options.memory)?;
    let level = match options.compression {
        Some(Compression::Gzip(level)) => level,
        _ => 6,
    };
    let var = &dataset.var;
    let own = names(var);
    let ids = var.column(IDS).and_then(texts).unwrap_or_else(|| own.clone());
    let barcodes = [names(&dataset.obs)];
    let features = [ids, own, texts_or(var, TYPES, EXPRESSION)];
    table(&folder.join("barcodes.tsv.gz"), &barcodes, level)?;
    table(&folder.join("features.tsv.gz"), &features, level)?;
    matrix(&x, &folder.join("matrix.mtx.gz"), level, options)?;
    crate::io::writers::silently(|| verify(folder, &barcodes[0], &features[1], &x))
}

/// Columns of text side by side.
fn table(path: &Path, columns: &[Vec<String>], level: u8) -> Result<(), WriteError> {
    let io = |e| WriteError::io(path, e);
    let mut text = Vec::new();
    for row in 0..columns.first().map_or(0, Vec::len) {
        for (i, column) in columns.iter().enumerate() {
            let word = column.get(row).map_or("", String::as_str);
            let lone = columns.len() == 1;
            if word.contains(['\t', '\n', '\r'])
                || word.trim_matches([' ', '"']) != word
                || (lone && word.is_empty())
            {
                let what = format!(
                    "the name {word:?}: it cannot stand in a table of text; rename it, or choose another format"
                );
                return Err(WriteError::CannotHold { path: path.to_owned(), what });
            }
            if i > 0 {
                text.push(b'\t');
            }
            text.extend_from_slice(word.as_bytes());
        }
        text.push(b'\n');
    }
    let mut gz = File::create(path).and_then(|f| Gzip::new(f, level)).map_err(io)?;
    gz.push(&text).map_err(io)?;
    gz.finish().map_err(io)?;
    Ok(())
}

fn matrix(x: &Matrix, path: &Path, level: u8, options: &WriteOptions) -> Result<(), WriteError> {
    let io = |e| WriteError::io(path, e);
    let whole = all_whole(x, path, options)?;
    let (n_cells, n_features) = x.shape();
    let file = BufWriter::with_capacity(1 << 20, File::create(path).map_err(io)?);
    let mut gz = Gzip::new(file, level).map_err(io)?;
    let head = format!(
        "%%MatrixMarket matrix coordinate {} general\n\
         %metadata_json: {{\"format_version\": 2, \"software_version\": \"scx-{}\"}}\n\
         {n_features} {n_cells} {}\n",
        if whole { "integer" } else { "real" },
        env!("CARGO_PKG_VERSION"),
        x.nnz().unwrap_or(0),
    );
    gz.push(head.as_bytes()).map_err(io)?;
    let progress = options.progress;
    progress.start("writing cells", n_cells as u64);
    let result = x.stream(options.memory, &mut |start, block| {
        if progress.cancelled() {
            return Err(DataError::stopped(WriteError::Cancelled { path: path.to_owned() }));
        }
        let rows = csr(block)?;
        for batch in runs(&rows, 0..rows.shape().0, BATCH) {
            let pieces = runs(&rows, batch, PIECE);
            let texts: Vec<Vec<u8>> =
                pieces.into_par_iter().map(|piece| lines(&rows, piece, start, whole)).collect();
            texts.iter().try_for_each(|t| gz.push(t)).map_err(|e| DataError::stopped(io(e)))?;
        }
        progress.advance((start + rows.shape().0) as u64, "");
        Ok(())
    });
    progress.finish();
    result.map_err(|e| WriteError::streamed(path, e))?;
    gz.finish().and_then(|mut f| f.flush()).map_err(io)
}

fn csr(block: Block) -> Result<Sparse, DataError> {
    match block {
        Block::Csr(rows) => Ok(rows),
        Block::Dense(_) => Err(DataError::Invalid { what: "dense rows of a compressed matrix".into() }),
    }
}

/// Whether every value is a whole number, so that the file can hold integers.
fn all_whole(x: &Matrix, path: &Path, options: &WriteOptions) -> Result<bool, WriteError> {
    let large = matches!(x.dtype(), crate::data::DType::U64);
    if !x.dtype().is_float() && !large {
        return Ok(true);
    }
    let mut whole = true;
    x.stream(options.memory, &mut |_, block| {
        let rows = csr(block)?;
        match rows.values() {
            Values::U64(v) => {
                if let Some(v) = v.iter().find(|v| i64::try_from(**v).is_err()) {
                    let what = format!("the value {v}: readers take 64 bits with a sign; write h5ad instead");
                    let e = WriteError::CannotHold { path: path.to_owned(), what };
                    return Err(DataError::stopped(e));
                }
            }
            values => whole = whole && values.iter().all(|v| v.fract() == 0.0 && v.abs() <= EXACT),
        }
        Ok(())
    })
    .map_err(|e| WriteError::streamed(path, e))?;
    Ok(whole)
}

/// Rows in runs of about so many entries.
fn runs(rows: &Sparse, range: std::ops::Range<usize>, entries: u64) -> Vec<std::ops::Range<usize>> {
    let mut out = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let first = rows.indptr()[start];
        let fitting = rows.indptr().partition_point(|&p| p <= first + entries).saturating_sub(1);
        let end = fitting.clamp(start + 1, range.end);
        out.push(start..end);
        start = end;
    }
    out
}

/// The lines of some rows, the first of which is cell `start` of the matrix.
fn lines(rows: &Sparse, range: std::ops::Range<usize>, start: usize, whole: bool) -> Vec<u8> {
    let span = |r: usize| rows.indptr()[r] as usize..rows.indptr()[r + 1] as usize;
    let n = (rows.indptr()[range.end] - rows.indptr()[range.start]) as usize;
    let mut out = Vec::with_capacity(16 * n);
    // Whole numbers show as they are: a double on the way would round those beyond 2^53.
    let as_whole = whole && rows.values().dtype().is_float();
    with_values!(rows.values(), values => {
        for row in range {
            let mut cell = Vec::with_capacity(12);
            ((start + row + 1) as u64).show(&mut cell);
            for i in span(row) {
                (u64::from(rows.indices()[i]) + 1).show(&mut out);
                out.push(b' ');
                out.extend_from_slice(&cell);
                out.push(b' ');
                let value = values[i];
                if as_whole {
                    (Element::to_f64(value) as i64).show(&mut out);
                } else {
                    value.show(&mut out);
                }
                out.push(b'\n');
            }
        }
    });
    out
}

/// Reads the tables and the header of the new folder and compares them with what was meant.
fn verify(folder: &Path, cells: &[String], features: &[String], x: &Matrix) -> Result<(), WriteError> {
    let fail = |what: String| WriteError::Verify { path: folder.to_owned(), what };
    let broken = |e: ReadError| fail(e.to_string());
    let options = ReadOptions { memory: u64::MAX, ..ReadOptions::default() };
    let obs = tables::cells(&folder.join("barcodes.tsv.gz"), &options).map_err(broken)?;
    let var = tables::features(&folder.join("features.tsv.gz"), &options).map_err(broken)?;
    if !obs.index.iter().eq(cells.iter().map(String::as_str))
        || !var.index.iter().eq(features.iter().map(String::as_str))
    {
        return Err(fail("names read back otherwise".into()));
    }
    let path = folder.join("matrix.mtx.gz");
    let header = Text::open(&path).and_then(|mut t| header::read(&path, &mut t)).map_err(broken)?;
    let found = (header.n_cells, header.n_features, Some(header.nnz));
    let meant = (x.shape().0, x.shape().1, x.nnz());
    if found == meant {
        Ok(())
    } else {
        Err(fail(format!("sizes read back as {found:?}, expected {meant:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Layout;

    fn text(values: Values, whole: bool) -> Vec<String> {
        let n = values.len();
        let indices = (0..n as u32).collect();
        let rows = Sparse::new(Layout::Csr, (1, n), vec![0, n as u64], indices, values).unwrap();
        let all = String::from_utf8(lines(&rows, 0..1, 0, whole)).unwrap();
        all.lines().map(|l| l.rsplit(' ').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn whole_numbers_are_written_to_the_last_digit() {
        const BIG: i64 = 1 << 53;
        let signed = [BIG - 1, BIG, BIG + 1, 1 - BIG, -BIG, -BIG - 1, i64::MAX, i64::MIN, 0];
        assert_eq!(text(Values::I64(signed.to_vec()), true), signed.map(|v| v.to_string()));
        let unsigned = [BIG as u64 - 1, BIG as u64, BIG as u64 + 1, i64::MAX as u64];
        assert_eq!(text(Values::U64(unsigned.to_vec()), true), unsigned.map(|v| v.to_string()));
        assert_eq!(text(Values::Bool(vec![true]), true), ["1"]);
        let floats = Values::F64(vec![2.0, -(BIG as f64)]);
        assert_eq!(text(floats.clone(), true), ["2", "-9007199254740992"]);
        assert_eq!(text(Values::F64(vec![0.5, 2.0]), false), ["0.5", "2"]);
    }
}
