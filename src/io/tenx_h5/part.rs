//! A group with the three arrays of a matrix, and lists that fit it.

use hdf5_metno as hdf5;

use hdf5::Group;
use hdf5::types::TypeDescriptor;

use crate::data::{Column, DType, Frame, Index, Layout, Matrix, Names, Values};
use crate::io::error::ReadError;
use crate::io::hdf5::{Kind, Node, Source, length, open_compressed, whole_size};

/// A group with the three arrays, features × cells by columns.
pub(super) struct Part<'a> {
    pub(super) source: &'a Source,
    pub(super) n_features: usize,
    pub(super) n_cells: usize,
}

impl<'a> Part<'a> {
    /// Reads the shape, features × cells.
    pub(super) fn open(source: &'a Source, g: &Group) -> Result<Self, ReadError> {
        let d = source.dataset(g, "shape")?;
        let found = match source.kind(&d) {
            Kind::Number(dtype) if length(&d) == 2 => source.numbers(&d, dtype)?,
            _ => Values::empty(DType::I64),
        };
        let size = |i| found.get(i).and_then(whole_size);
        match (size(0), size(1)) {
            (Some(n_features), Some(n_cells)) => Ok(Self { source, n_features, n_cells }),
            _ => Err(source.malformed(d.name(), "does not hold two whole numbers, features and cells")),
        }
    }

    /// A dataset of text, one for each feature.
    pub(super) fn features(&self, g: &Group, name: &str) -> Result<Vec<String>, ReadError> {
        let (d, ty) = self.list(g, name, self.n_features, "features")?;
        self.source.strings(&d, &ty)
    }

    /// As [`Part::features`], where a single text may stand for all of them; whether it did.
    pub(super) fn features_or_one(&self, g: &Group, name: &str) -> Result<(Vec<String>, bool), ReadError> {
        let d = self.source.dataset(g, name)?;
        let Kind::Text(ty) = self.source.kind(&d) else { return Ok((self.features(g, name)?, false)) };
        if length(&d) != 1 || self.n_features <= 1 {
            return Ok((self.features(g, name)?, false));
        }
        let one = self.source.strings(&d, &ty)?.pop().unwrap_or_default();
        Ok((vec![one; self.n_features], true))
    }

    /// A dataset of text, one for each cell.
    pub(super) fn barcodes(&self, g: &Group) -> Result<Names, ReadError> {
        let (d, ty) = self.list(g, "barcodes", self.n_cells, "cells")?;
        self.source.names(&d, &ty)
    }

    /// A list of `n` texts, not read yet.
    pub(super) fn list(
        &self,
        g: &Group,
        name: &str,
        n: usize,
        what: &str,
    ) -> Result<(hdf5::Dataset, TypeDescriptor), ReadError> {
        let d = self.source.dataset(g, name)?;
        let Kind::Text(ty) = self.source.kind(&d) else {
            return Err(self.source.malformed(d.name(), "holds no text"));
        };
        // Before they are read: the length is a claim.
        self.expect(g, name, length(&d), n, what)?;
        Ok((d, ty))
    }

    /// Refuses a list of another length than the shape says.
    pub(super) fn expect(
        &self,
        g: &Group,
        name: &str,
        found: usize,
        n: usize,
        what: &str,
    ) -> Result<(), ReadError> {
        if found == n {
            return Ok(());
        }
        let what = format!("{found} entries, but the shape says {n} {what}");
        Err(self.source.malformed(format!("{}/{name}", g.name()), what))
    }

    /// Features × cells by columns are cells × features by rows.
    pub(super) fn matrix(&self, g: &Group) -> Result<Matrix, ReadError> {
        let shape = (self.n_cells, self.n_features);
        Ok(open_compressed(self.source, g, Layout::Csr, shape)?.into_matrix())
    }

    /// The table of cells.
    pub(super) fn cells(&self, g: &Group) -> Result<Frame, ReadError> {
        let obs = Frame::new(Index::of(self.barcodes(g)?));
        Ok(match self.filtered(g)? {
            Some((d, dtype)) => obs.with(FILTERED, Column::Numbers(self.source.numbers(&d, dtype)?)),
            None => obs,
        })
    }

    /// Where it stands which barcodes are cells, if anywhere.
    pub(super) fn filtered(&self, g: &Group) -> Result<Option<(hdf5::Dataset, DType)>, ReadError> {
        let Some(Node::Dataset(d)) = self.source.node(g, FILTERED)? else { return Ok(None) };
        let Kind::Number(dtype) = self.source.kind(&d) else { return Ok(None) };
        self.expect(g, FILTERED, length(&d), self.n_cells, "cells")?;
        Ok(Some((d, dtype)))
    }
}

/// Column of cells that says which barcodes are cells.
pub(super) const FILTERED: &str = "filtered_barcodes";
