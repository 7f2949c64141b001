//! Triples in any order → CSR rows in order, in bounded memory and time linear in their number.
//!
//! Triples are sorted into bands of rows. While they fit into memory they stay there; otherwise the bands go to a
//! temporary file in blocks, and each is later loaded and sorted by itself. A band too long for memory is sorted into
//! narrower ones first.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::folder::file;
use super::positioned::read_exact_at;
use crate::data::{DType, DataError, Layout, Sparse, Values, Word};

/// Bands at a time.
const BANDS: usize = 256;
/// Triples taken or read between two looks at the memory.
const PIECE: usize = 1 << 14;

/// Collects the triples of a matrix.
pub struct Sorter(Width);

enum Width {
    One(Bands<u8>),
    Two(Bands<u16>),
    Four(Bands<u32>),
    Eight(Bands<u64>),
}

/// Runs `$body` with `$b` bound to what is inside, whatever the width.
macro_rules! with_width {
    ($width:expr, $b:ident => $body:expr) => {
        match $width {
            Width::One($b) => $body,
            Width::Two($b) => $body,
            Width::Four($b) => $body,
            Width::Eight($b) => $body,
        }
    };
}

impl Sorter {
    /// A sorter for a matrix of `shape` rows × columns. It holds about `memory` bytes, and what does not fit in an
    /// unnamed file in `folder`.
    pub fn new(shape: (usize, usize), dtype: DType, memory: u64, folder: &Path) -> Self {
        let folder = folder.to_owned();
        Sorter(match dtype.size() {
            1 => Width::One(Bands::new(0..shape.0, shape.1, dtype, memory, folder)),
            2 => Width::Two(Bands::new(0..shape.0, shape.1, dtype, memory, folder)),
            4 => Width::Four(Bands::new(0..shape.0, shape.1, dtype, memory, folder)),
            _ => Width::Eight(Bands::new(0..shape.0, shape.1, dtype, memory, folder)),
        })
    }

    /// Takes triples; `values` are of the type of the matrix.
    ///
    /// # Errors
    /// [`DataError::OutOfRange`] for a row or column outside the matrix; [`DataError::Scratch`] when the temporary
    /// file cannot be written.
    pub fn push(&mut self, rows: &[u32], columns: &[u32], values: &Values) -> Result<(), DataError> {
        if rows.len() != values.len() || columns.len() != values.len() {
            let found = rows.len().min(columns.len());
            return Err(DataError::Length { what: "triples".into(), expected: values.len(), found });
        }
        with_width!(&mut self.0, b => match values.words() {
            Some(words) => b.push(rows, columns, words),
            None => Err(DataError::Invalid { what: format!("values of type {}", values.dtype().name()) }),
        })
    }

    /// All rows in order as CSR runs without a gap. Entries of a row are in order of their column; those stored twice
    /// stay twice, in the order they came.
    ///
    /// # Errors
    /// As [`Sorter::push`]; the runs themselves when the temporary file cannot be read.
    pub fn finish(self) -> Result<impl Iterator<Item = Result<Sparse, DataError>> + Send, DataError> {
        Ok::<Box<dyn Iterator<Item = _> + Send>, _>(match self.0 {
            Width::One(b) => Box::new(b.finish()?),
            Width::Two(b) => Box::new(b.finish()?),
            Width::Four(b) => Box::new(b.finish()?),
            Width::Eight(b) => Box::new(b.finish()?),
        })
    }
}

/// Where a block of triples lies in the file: all rows, then all columns, then all values.
#[derive(Clone, Copy)]
struct Block {
    at: u64,
    len: usize,
}

struct Band<W> {
    rows: Vec<u32>,
    columns: Vec<u32>,
    words: Vec<W>,
    blocks: Vec<Block>,
}

/// Takes triples: rows, columns and words.
type PieceSink<'a, W> = dyn FnMut(&[u32], &[u32], &[W]) -> Result<(), DataError> + 'a;

struct Bands<W> {
    rows: Range<usize>,
    n_columns: usize,
    dtype: DType,
    memory: u64,
    folder: PathBuf,
    /// A band holds two to the power of this rows.
    shift: u32,
    counts: Vec<u64>,
    bands: Vec<Band<W>>,
    /// Triples in memory.
    held: usize,
    file: Option<File>,
    end: u64,
}

impl<W: Word> Bands<W> {
    fn new(rows: Range<usize>, n_columns: usize, dtype: DType, memory: u64, folder: PathBuf) -> Self {
        let width = rows.len().div_ceil(BANDS).max(1).next_power_of_two();
        let empty = || Band { rows: Vec::new(), columns: Vec::new(), words: Vec::new(), blocks: Vec::new() };
        Self {
            shift: width.trailing_zeros(),
            counts: vec![0; rows.len()],
            bands: std::iter::repeat_with(empty).take(rows.len().div_ceil(width)).collect(),
            held: 0,
            file: None,
            end: 0,
            rows,
            n_columns,
            dtype,
            memory,
            folder,
        }
    }

    fn entry() -> usize {
        8 + size_of::<W>()
    }

    fn push(&mut self, rows: &[u32], columns: &[u32], words: &[W]) -> Result<(), DataError> {
        let first = self.rows.start;
        let pieces = rows.chunks(PIECE).zip(columns.chunks(PIECE)).zip(words.chunks(PIECE));
        for ((rows, columns), words) in pieces {
            for ((&row, &column), &word) in rows.iter().zip(columns).zip(words) {
                let at = (row as usize).wrapping_sub(first);
                let (Some(count), Some(band)) =
                    (self.counts.get_mut(at), self.bands.get_mut(at >> self.shift))
                else {
                    return Err(DataError::OutOfRange {
                        what: "row",
                        index: row as usize,
                        len: self.rows.end,
                    });
                };
                if column as usize >= self.n_columns {
                    let index = column as usize;
                    return Err(DataError::OutOfRange { what: "column", index, len: self.n_columns });
                }
                *count += 1;
                band.rows.push(row);
                band.columns.push(column);
                band.words.push(word);
            }
            self.held += rows.len();
            // Growing vectors may have room for twice what they hold.
            if (self.held as u64).saturating_mul(Self::entry() as u64) > self.memory / 4 {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn failed(&self, e: io::Error) -> DataError {
        DataError::scratch(&self.folder, e)
    }

    /// Moves everything held to the file.
    fn flush(&mut self) -> Result<(), DataError> {
        if self.file.is_none() {
            self.file = Some(file(&self.folder)?);
        }
        self.write().map_err(|e| self.failed(e))
    }

    fn write(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.seek(SeekFrom::Start(self.end))?;
        let usual = 2 * self.held / self.bands.len().max(1);
        let mut out = io::BufWriter::with_capacity(1 << 20, file);
        for band in self.bands.iter_mut().filter(|b| !b.rows.is_empty()) {
            band.blocks.push(Block { at: self.end, len: band.rows.len() });
            out.write_all(bytemuck::cast_slice(&band.rows))?;
            out.write_all(bytemuck::cast_slice(&band.columns))?;
            out.write_all(bytemuck::cast_slice(&band.words))?;
            self.end += (band.rows.len() * Self::entry()) as u64;
            if band.rows.len() > usual {
                // One long band after the other must not keep their room.
                (band.rows, band.columns, band.words) = (Vec::new(), Vec::new(), Vec::new());
            } else {
                band.rows.clear();
                band.columns.clear();
                band.words.clear();
            }
        }
        self.held = 0;
        out.flush()
    }

    fn finish(mut self) -> Result<Runs<W>, DataError> {
        if self.file.is_some() {
            self.flush()?;
            for band in &mut self.bands {
                (band.rows, band.columns, band.words) = (Vec::new(), Vec::new(), Vec::new());
            }
        }
        Ok(Runs { bands: self, next: 0, inner: None })
    }

    /// Rows of the bands `range`, counted from the first of this sorter.
    fn span(&self, range: &Range<usize>) -> Range<usize> {
        let end =
            |band: usize| band.checked_shl(self.shift).map_or(self.rows.len(), |r| r.min(self.rows.len()));
        end(range.start)..end(range.end)
    }

    /// Bytes the bands `range` take as CSR.
    fn size(&self, range: Range<usize>) -> u64 {
        let counts = self.counts.get(self.span(&range)).unwrap_or(&[]);
        counts.iter().map(|n| 8 + n.saturating_mul(4 + size_of::<W>() as u64)).sum()
    }

    /// Hands over all triples of a band, in pieces, and forgets those in memory.
    fn drain(&mut self, band: usize, take: &mut PieceSink<W>) -> Result<(), DataError> {
        let Some(band) = self.bands.get_mut(band) else { return Ok(()) };
        let blocks = std::mem::take(&mut band.blocks);
        let (rows, columns) = (std::mem::take(&mut band.rows), std::mem::take(&mut band.columns));
        let words = std::mem::take(&mut band.words);
        if let Some(file) = &self.file {
            let (mut r, mut c, mut w) = (vec![0; PIECE], vec![0; PIECE], vec![W::default(); PIECE]);
            for Block { at, len } in blocks {
                for from in (0..len).step_by(PIECE) {
                    let n = PIECE.min(len - from);
                    let (r, c, w) = (&mut r[..n], &mut c[..n], &mut w[..n]);
                    let columns = at + 4 * len as u64;
                    let words = columns + 4 * len as u64;
                    read_exact_at(file, bytemuck::cast_slice_mut(r), at + 4 * from as u64)
                        .and_then(|()| {
                            read_exact_at(file, bytemuck::cast_slice_mut(c), columns + 4 * from as u64)
                        })
                        .and_then(|()| {
                            let at = words + (from * size_of::<W>()) as u64;
                            read_exact_at(file, bytemuck::cast_slice_mut(w), at)
                        })
                        .map_err(|e| self.failed(e))?;
                    take(r, c, w)?;
                }
            }
        }
        take(&rows, &columns, &words)
    }
}

struct Runs<W> {
    bands: Bands<W>,
    next: usize,
    /// The narrower bands of one that was too long.
    inner: Option<Box<Runs<W>>>,
}

impl<W: Word> Iterator for Runs<W> {
    type Item = Result<Sparse, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(inner) = &mut self.inner {
                match inner.next() {
                    None => self.inner = None,
                    run => return run,
                }
            }
            let n = self.bands.bands.len();
            if self.next >= n {
                return None;
            }
            let first = self.next;
            let most = self.bands.memory / 8;
            let mut size = self.bands.size(first..first + 1);
            self.next += 1;
            let on_disk = self.bands.bands.get(first).is_some_and(|b| !b.blocks.is_empty());
            if size > most && on_disk && self.bands.shift > 0 {
                match self.narrower(first) {
                    Ok(inner) => self.inner = Some(Box::new(inner)),
                    Err(e) => {
                        self.next = n;
                        return Some(Err(e));
                    }
                }
                continue;
            }
            while self.next < n {
                size = size.saturating_add(self.bands.size(self.next..self.next + 1));
                if size > most {
                    break;
                }
                self.next += 1;
            }
            return Some(self.load(first..self.next));
        }
    }
}

impl<W: Word> Runs<W> {
    fn narrower(&mut self, band: usize) -> Result<Runs<W>, DataError> {
        let b = &mut self.bands;
        let rows = b.span(&(band..band + 1));
        let rows = b.rows.start + rows.start..b.rows.start + rows.end;
        let mut inner = Bands::new(rows, b.n_columns, b.dtype, b.memory, b.folder.clone());
        b.drain(band, &mut |rows, columns, words| inner.push(rows, columns, words))?;
        inner.finish()
    }

    fn load(&mut self, range: Range<usize>) -> Result<Sparse, DataError> {
        let b = &mut self.bands;
        let rows = b.span(&range);
        let mut indptr = vec![0u64];
        let mut total = 0u64;
        indptr.extend(b.counts.get(rows.clone()).unwrap_or(&[]).iter().map(|n| {
            total += n;
            total
        }));
        let mut next: Vec<usize> = indptr.iter().map(|&p| p as usize).collect();
        let (mut indices, mut words) = (vec![0u32; total as usize], vec![W::default(); total as usize]);
        let first = b.rows.start + rows.start;
        for band in range {
            b.drain(band, &mut |rows, columns, values| {
                for ((&row, &column), &word) in rows.iter().zip(columns).zip(values) {
                    let slot = &mut next[row as usize - first];
                    indices[*slot] = column;
                    words[*slot] = word;
                    *slot += 1;
                }
                Ok(())
            })?;
        }
        for w in indptr.windows(2) {
            let row = w[0] as usize..w[1] as usize;
            sort_row(&mut indices[row.clone()], &mut words[row]);
        }
        let values = W::wrap(b.dtype, words)
            .ok_or_else(|| DataError::Invalid { what: format!("{} is of another width", b.dtype.name()) })?;
        Sparse::new(Layout::Csr, (rows.len(), b.n_columns), indptr, indices, values)
    }
}

/// Sorts the entries of a row by column; equal columns keep their order.
fn sort_row<W: Word>(indices: &mut [u32], words: &mut [W]) {
    if indices.is_sorted() {
        return;
    }
    let mut both: Vec<(u32, W)> = indices.iter().copied().zip(words.iter().copied()).collect();
    both.sort_by_key(|(column, _)| *column);
    for (to, from) in indices.iter_mut().zip(words.iter_mut()).zip(both) {
        (*to.0, *to.1) = from;
    }
}

#[cfg(test)]
#[path = "sorter_tests.rs"]
mod tests;
