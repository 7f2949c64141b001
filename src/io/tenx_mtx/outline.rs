//! What is in a folder, from its tables and the first lines of its matrix.

use std::path::Path;

use super::entries::{Entries, Wrong, parse, parse_pattern};
use super::files::find;
use super::header::{self, Field, Header};
use super::text::Text;
use super::{read, tables};
use crate::data::{Frame, Index, LOOK_ROWS as ROWS, LOOK_VALUES as VALUES, Looks, Sample};
use crate::io::error::ReadError;
use crate::io::options::ReadOptions;
use crate::io::outline::{Item, Outline};

/// Barcodes in a larger file than this are not counted.
const COUNTED: u64 = 128 << 10;

/// The outline of a folder. Of the matrix only the first megabyte of text is looked at, of many barcodes only the first:
/// whether the rest is sound, and how wide its numbers are, says reading alone.
///
/// # Errors
/// [`ReadError`] that names the file and the line.
pub fn outline(path: &Path, options: &ReadOptions) -> Result<Outline, ReadError> {
    let files = find(path, options)?;
    let size = std::fs::metadata(&files.barcodes).map_err(|e| ReadError::io(&files.barcodes, e))?.len();
    let (obs, columns) = if size <= COUNTED {
        (Some(tables::cells(&files.barcodes, options)?), 0)
    } else {
        (None, tables::further_columns(&files.barcodes)?)
    };
    let var = tables::features(&files.features, options)?;
    let header = read::first_lines(&files)?;
    let n = header.n_cells;
    let obs = obs.unwrap_or_else(|| Frame::new(Index::Range(n)));
    read::agree(&files, &header, &obs, &var)?;
    let mut outline = Outline::of(&read::without_entries(path, obs, var));
    if let Some(at) = outline.items.iter().position(|i| i.path == "obs").filter(|_| columns > 0) {
        outline.items[at].shape = vec![n, columns];
        let column = |i| Item { shape: vec![n], ..Item::new(&format!("obs/column_{}", i + 2), "string") };
        outline.items.splice(at + 1..at + 1, (0..columns).map(column));
    }
    let x = Item {
        shape: vec![n, header.n_features],
        dtype: Some(header.field.word().to_owned()),
        nnz: Some(header.nnz),
        ..Item::new("X", "csr")
    };
    outline.items.insert(0, x);
    outline.x_looks = looks(&files.matrix, &header)?;
    Ok(outline)
}

/// Judges the first cells in the text.
fn looks(path: &Path, header: &Header) -> Result<Option<Looks>, ReadError> {
    let mut text = Text::open(path)?;
    header::read(path, &mut text)?;
    let lines = text.lines;
    let Some(block) = text.block()? else { return Ok(Some(Sample::new(true, false).looks())) };
    let sample = match header.field {
        Field::Pattern => parse_pattern(&block, header).map(|e| sample(&e, header, f64::from)),
        Field::Integer => parse::<i64>(&block, header).map(|e| sample(&e, header, |v| v as f64)),
        Field::Real => parse::<f64>(&block, header).map(|e| sample(&e, header, |v| v)),
    };
    match sample {
        Ok(sample) => Ok(Some(sample.looks())),
        Err(Wrong::Wide) => Ok(None),
        Err(Wrong::Line(line, what)) => {
            Err(ReadError::malformed(path, format!("line {}", lines + line), what))
        }
    }
}

/// The values of the first cells, as far as they are there whole.
fn sample<T: Copy>(entries: &Entries<T>, header: &Header, number: impl Fn(T) -> f64) -> Sample {
    let in_order = entries.cells.is_sorted();
    let mut sample = Sample::new(in_order, false);
    let mut start = 0;
    for (lines, run) in entries.cells.chunk_by(|a, b| a == b).enumerate() {
        let end = start + run.len();
        let last = end == entries.cells.len() && (end as u64) < header.nnz;
        // The last cell of the block may go on behind it; in a file in another order no cell is whole.
        if lines >= ROWS || start >= VALUES || (last && in_order && lines > 0) {
            break;
        }
        sample.push(entries.values.get(start..end).unwrap_or(&[]).iter().map(|v| number(*v)));
        start = end;
    }
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_of_a_matrix_is_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let mut text = String::from("%%MatrixMarket matrix coordinate integer general\n3 400000 800000\n");
        for cell in 1..=400_000 {
            text += &format!("1 {cell} 2\n3 {cell} 7\n");
        }
        // Far behind what is looked at.
        let broken = text.rfind("3 400000 7").unwrap();
        text.replace_range(broken.., "3 400000 x\n");
        std::fs::write(at("matrix.mtx"), &text).unwrap();
        std::fs::write(at("genes.tsv"), "a\tA\nb\tB\nc\tC\n").unwrap();
        let barcodes: String = (1..=400_000).map(|i| format!("c{i}\n")).collect();
        std::fs::write(at("barcodes.tsv"), barcodes).unwrap();
        let o = outline(dir.path(), &ReadOptions::default()).unwrap();
        assert_eq!(
            (o.n_obs, o.n_vars, o.x_looks.as_ref().unwrap().guess.as_str()),
            (400_000, 3, "raw_counts")
        );
        let x = o.item("X").unwrap();
        assert_eq!(
            (x.nnz, x.dtype.as_deref(), &x.shape[..]),
            (Some(800_000), Some("integer"), &[400_000, 3][..])
        );
        assert!(super::super::read(dir.path(), &ReadOptions::default()).is_err(), "reading looks at all");
    }
}
