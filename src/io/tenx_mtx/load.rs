//! From the text of a matrix to its rows: one thread inflates, all parse, one puts rows together.

use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

use rayon::prelude::*;

use super::entries::{Entries, Wrong, parse, parse_pattern};
use super::header::{self, Field, Header};
use super::number::{Fault, Number};
use super::rows::{Refused, Rows, Run};
use super::text::Text;
use crate::data::scratch::Sorter;
use crate::data::{DataError, Matrix};
use crate::io::error::ReadError;
use crate::io::options::ReadOptions;

/// Entries put together before they are kept.
const RUN_ENTRIES: usize = 1 << 20;

/// Why a pass over the text ended early.
enum Stop {
    /// Cells are not in order: all must be sorted.
    Unsorted,
    /// A value needs the wider type.
    Wide,
    /// The file is at fault.
    Read(ReadError),
}

impl From<ReadError> for Stop {
    fn from(e: ReadError) -> Self {
        Stop::Read(e)
    }
}

/// Reads a matrix whose header is known, cells × features. Most files are in the order of their cells and hold small
/// numbers; the text is read again when one turns out not to.
///
/// # Errors
/// [`ReadError`] that names the line.
pub(super) fn load(path: &Path, header: &Header, options: &ReadOptions) -> Result<Matrix, ReadError> {
    let (mut sorted, mut wide) = (true, false);
    loop {
        let job = Job { path, header, options, sorted };
        let pass = match (header.field, wide) {
            (Field::Pattern, _) => job.pass::<i32>(parse_pattern),
            (Field::Integer, false) => job.pass::<i32>(parse),
            (Field::Integer, true) => job.pass::<i64>(parse),
            (Field::Real, false) => job.pass::<f32>(parse),
            (Field::Real, true) => job.pass::<f64>(parse),
        };
        match pass {
            Ok(matrix) => return Ok(matrix),
            Err(Stop::Unsorted) => sorted = false,
            Err(Stop::Wide) => wide = true,
            Err(Stop::Read(e)) => return Err(e),
        }
    }
}

/// Reads a block of lines.
type Parse<T> = fn(&[u8], &Header) -> Result<Entries<T>, Wrong>;

/// One pass over the text.
struct Job<'a> {
    path: &'a Path,
    header: &'a Header,
    options: &'a ReadOptions,
    sorted: bool,
}

impl Job<'_> {
    fn pass<T: Number>(&self, parse: Parse<T>) -> Result<Matrix, Stop> {
        let shape = (self.header.n_cells, self.header.n_features);
        let folder = self.options.scratch_folder();
        let rows = Rows::new(shape, self.header.nnz, self.options.memory, &folder);
        let rows = rows.map_err(|e| self.scratch(&e))?;
        let rows = if self.sorted { self.in_order(rows, parse)? } else { self.any_order(rows, parse)? };
        if rows.added > 0 {
            tracing::warn!(
                "{}: {} values stand for a cell and feature that have one already; they are added",
                self.path.display(),
                rows.added
            );
        }
        rows.finish().map_err(|e| self.scratch(&e))
    }

    /// Entries in the order of their cells are rows already.
    fn in_order<T: Number>(&self, rows: Rows<T>, parse: Parse<T>) -> Result<Rows<T>, Stop> {
        let mut open = Open { rows, cell: 0, run: empty() };
        self.scan(parse, &mut |entries| open.take(self, entries))?;
        open.finish(self, self.header.n_cells)
    }

    /// Entries in any order are sorted, outside memory when they are many.
    fn any_order<T: Number>(&self, mut rows: Rows<T>, parse: Parse<T>) -> Result<Rows<T>, Stop> {
        let shape = (self.header.n_cells, self.header.n_features);
        let memory = self.options.memory / 3;
        let mut spill = Sorter::new(shape, T::DTYPE, memory, &self.options.scratch_folder());
        self.scan(parse, &mut |e| {
            spill.push(&e.cells, &e.features, &T::wrap(e.values)).map_err(|e| self.scratch(&e))
        })?;
        for run in spill.finish().map_err(|e| self.scratch(&e))? {
            let run = run.map_err(|e| self.scratch(&e))?;
            let run = Run {
                indptr: run.indptr().to_vec(),
                indices: run.indices().to_vec(),
                values: T::inside(run.values()).to_vec(),
            };
            rows.push(run).map_err(|e| self.refused(&e))?;
        }
        Ok(rows)
    }

    /// Hands over all entries in the order of the file.
    fn scan<T: Number>(
        &self,
        parse: Parse<T>,
        sink: &mut dyn FnMut(Entries<T>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut text = Text::open(self.path)?;
        header::read(self.path, &mut text)?;
        let mut count = Count { lines: text.lines, entries: 0 };
        std::thread::scope(|scope| {
            let threads = rayon::current_num_threads();
            let (sender, blocks) = sync_channel(2 * threads);
            let inflate = move || {
                loop {
                    let block = text.block().transpose();
                    let last = !matches!(block, Some(Ok(_)));
                    // Nobody listens any more when the parsers found a fault.
                    if block.is_some_and(|b| sender.send(b).is_err()) || last {
                        return;
                    }
                }
            };
            std::thread::Builder::new()
                .name("inflate".into())
                .spawn_scoped(scope, inflate)
                .map_err(|e| ReadError::io(self.path, e))?;
            // Owned here, so that a fault ends the other thread.
            let blocks: Receiver<Result<Vec<u8>, ReadError>> = blocks;
            while let Ok(first) = blocks.recv() {
                let more = std::iter::from_fn(|| blocks.try_recv().ok()).take(threads - 1);
                let batch: Vec<_> = std::iter::once(first).chain(more).collect();
                let parsed: Vec<_> =
                    batch.into_par_iter().map(|b| b.map(|b| parse(&b, self.header))).collect();
                for block in parsed {
                    self.counted(&mut count, block?, sink)?;
                }
            }
            Ok::<(), Stop>(())
        })?;
        if count.entries < self.header.nnz {
            let what = format!(
                "{} entries, but {} are promised in the line of sizes; the file may be cut short",
                count.entries, self.header.nnz
            );
            return Err(self.fault(what));
        }
        Ok(())
    }

    fn counted<T>(
        &self,
        count: &mut Count,
        block: Result<Entries<T>, Wrong>,
        sink: &mut dyn FnMut(Entries<T>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let entries = match block {
            Ok(entries) => entries,
            Err(Wrong::Wide) => return Err(Stop::Wide),
            Err(Wrong::Line(line, what)) => {
                let at = format!("line {}", count.lines + line);
                return Err(ReadError::malformed(self.path, at, what).into());
            }
        };
        count.lines += entries.lines;
        count.entries += entries.values.len() as u64;
        if count.entries > self.header.nnz {
            let what = format!("more than the {} that are promised in the line of sizes", self.header.nnz);
            return Err(self.fault(what));
        }
        sink(entries)
    }

    fn fault(&self, what: String) -> Stop {
        ReadError::malformed(self.path, "entries", what).into()
    }

    fn refused(&self, e: &Refused) -> Stop {
        match e {
            Refused::Sum(Fault::Wide) => Stop::Wide,
            Refused::Sum(_) => {
                self.fault("values of one cell and feature add up to more than 64 bits".into())
            }
            Refused::Scratch(e) => self.scratch(e),
        }
    }

    /// The temporary file is at fault, not the input.
    fn scratch(&self, e: &DataError) -> Stop {
        let (kind, why) = match e {
            DataError::Scratch { source, .. } => (source.kind(), format!("{e} ({source})")),
            e => (std::io::ErrorKind::Other, e.to_string()),
        };
        ReadError::io(self.path, std::io::Error::new(kind, why)).into()
    }
}

/// How far a pass has come.
struct Count {
    lines: u64,
    entries: u64,
}

fn empty<T>() -> Run<T> {
    Run { indptr: vec![0], indices: Vec::new(), values: Vec::new() }
}

/// Rows being put together: whole ones, and the beginning of that of `cell`.
struct Open<T> {
    rows: Rows<T>,
    cell: usize,
    run: Run<T>,
}

impl<T: Number> Open<T> {
    fn take(&mut self, job: &Job, entries: Entries<T>) -> Result<(), Stop> {
        let before = self.run.indices.len();
        for (i, &cell) in entries.cells.iter().enumerate() {
            let cell = cell as usize;
            if cell != self.cell {
                if cell < self.cell {
                    return Err(Stop::Unsorted);
                }
                self.run.indptr.resize(self.run.indptr.len() + cell - self.cell, (before + i) as u64);
                self.cell = cell;
            }
        }
        self.run.indices.extend_from_slice(&entries.features);
        self.run.values.extend_from_slice(&entries.values);
        if self.run.indices.len() < RUN_ENTRIES { Ok(()) } else { self.flush(job) }
    }

    /// Keeps the whole rows.
    fn flush(&mut self, job: &Job) -> Result<(), Stop> {
        let whole = self.run.indptr.last().copied().unwrap_or(0) as usize;
        let rest = Run {
            indptr: vec![0],
            indices: self.run.indices.split_off(whole),
            values: self.run.values.split_off(whole),
        };
        let run = std::mem::replace(&mut self.run, rest);
        self.rows.push(run).map_err(|e| job.refused(&e))
    }

    fn finish(mut self, job: &Job, n_cells: usize) -> Result<Rows<T>, Stop> {
        let end = self.run.indices.len() as u64;
        self.run.indptr.resize(self.run.indptr.len() + n_cells - self.cell, end);
        self.flush(job)?;
        Ok(self.rows)
    }
}
