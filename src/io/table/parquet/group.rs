//! Row groups of a matrix.

use std::path::Path;

use super::column::{Data, Field};
use super::file::Writer;
use super::name_run;
use crate::data::{Block, DType, Dense, Element, Index, Values, append};
use crate::io::error::WriteError;
use crate::io::table::text::filled;
use crate::with_values;

/// Rows of one row group at most.
pub(super) const GROUP: usize = 1 << 20;

/// Share of the memory that one row group of a matrix takes.
pub(super) const SHARE: u64 = 8;

/// Rows of a matrix until they are a row group.
pub(super) struct Group {
    pub(super) values: Values,
    pub(super) n_cols: usize,
    pub(super) start: usize,
    pub(super) n: usize,
}

impl Group {
    pub(super) fn push(&mut self, block: &Block, row: usize) {
        let run = match block {
            Block::Dense(d) => crate::data::slice(d.values(), row * self.n_cols..(row + 1) * self.n_cols),
            Block::Csr(s) => {
                let at = |i: usize| s.indptr().get(i).map_or(0, |p| *p as usize);
                let span = at(row)..at(row + 1);
                let indices = s.indices().get(span.clone()).unwrap_or(&[]);
                with_values!(s.values(), v => {
                    Element::wrap(filled(self.n_cols, indices, v.get(span).unwrap_or(&[])))
                })
            }
        };
        append(&mut self.values, &run);
        self.n += 1;
    }

    pub(super) fn write(
        &mut self,
        writer: &mut Writer,
        fields: &[Field],
        names: &Index,
        path: &Path,
    ) -> Result<(), WriteError> {
        if self.n == 0 {
            return Ok(());
        }
        let io = |e| WriteError::io(path, e);
        let inner = |e| WriteError::Input { path: path.to_owned(), source: Box::new(e) };
        let dtype: DType = self.values.dtype();
        let rows = std::mem::replace(&mut self.values, Values::empty(dtype));
        let rows = Dense::new(self.n, self.n_cols, rows).map_err(inner)?;
        writer.begin(self.n);
        for (j, field) in fields.iter().take(self.n_cols).enumerate() {
            fn pick<T: Element>(v: &[T], j: usize, n_cols: usize) -> Values {
                T::wrap(v.iter().skip(j).step_by(n_cols).copied().collect())
            }
            let column = with_values!(rows.values(), v => pick(v, j, self.n_cols));
            writer.column(field, &Data::Numbers(column, None)).map_err(io)?;
        }
        if let Some(field) = fields.get(self.n_cols) {
            writer.column(field, &name_run(names, self.start..self.start + self.n)).map_err(io)?;
        }
        self.start += self.n;
        self.n = 0;
        Ok(())
    }
}
