//! The one road out of every verb: a data set on its way to a target, first planned, then committed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::additions::Additions;
use super::atomic;
use super::codec::Format;
use super::error::WriteError;
use super::estimate::{Estimate, estimate};
use super::fcs;
use super::formats::{codec, folder_of};
use super::loss::{ElementKind, Fate, LossReport, Place};
use super::options::{Table, WriteOptions};
use super::write::keep_keywords;
use crate::data::{Annotation, Change, Column, Dataset, Index, Values, synthetic};

/// A file or folder to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where.
    pub path: PathBuf,
    /// In which format.
    pub format: Format,
    /// Replace what is there.
    pub force: bool,
}

impl Target {
    /// Refuses a name that says the file is packed where its format is not written so, and channels where it has none.
    fn suits(&self, options: &WriteOptions) -> Result<(), WriteError> {
        let codec = codec(self.format);
        let path = self.path.clone();
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz")) && !codec.packed {
            let plain = path.with_extension("");
            let plain = plain.display();
            let what =
                format!("{} is not written packed; write {plain} and pack it then: gzip {plain}", codec.name);
            return Err(WriteError::NoPlace { path, what });
        }
        if !options.append.is_empty() && !codec.uses(&fcs::APPEND) {
            let what = format!("{} has no channels, leave {} out", codec.name, fcs::APPEND.name);
            return Err(WriteError::NotThere { path, what });
        }
        Ok(())
    }
}

/// How made cells are marked on their way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mark {
    /// By the column `is_synthetic`; a target that cannot hold it is refused.
    #[default]
    Column,
    /// By that column, where there is a place for it, and by names that start with [`synthetic::NAME_PREFIX`].
    Names,
}

impl Mark {
    /// All, by their names in options, and what each is.
    pub const CHOICES: &[(Self, &str, &str)] = &[
        (Self::Column, "column", "By the column is_synthetic"),
        (Self::Names, "names", "By their names, too"),
    ];
}

/// What writing will take, and what it will do to each element.
#[derive(Debug, Clone)]
pub struct OutputPlan {
    /// Where.
    pub target: Target,
    /// Cells and variables.
    pub shape: (usize, usize),
    /// What becomes of each element.
    pub losses: LossReport,
    /// Sizes, memory and time, roughly.
    pub estimate: Estimate,
}

/// A data set on its way to a target.
pub struct Output<'a> {
    dataset: Dataset,
    from: Option<Format>,
    target: Target,
    options: WriteOptions<'a>,
    /// Added to a copy of the file the data set was read from; `None`: a new file is written.
    added: Option<Additions>,
    record: Option<String>,
}

impl<'a> Output<'a> {
    /// A data set as a new file. `from` is the format it was read in, where there is one.
    ///
    /// # Errors
    /// [`WriteError::CannotHold`] when the target has no place for the mark of made cells, [`WriteError::NoPlace`] when its
    /// name says that it is packed and it would not be, [`WriteError::NotThere`] when it has no channels to append.
    pub fn new(
        dataset: Dataset,
        from: Option<Format>,
        target: Target,
        options: WriteOptions<'a>,
        mark: Mark,
    ) -> Result<Self, WriteError> {
        target.suits(&options)?;
        let table_folder = folder_of(target.format, &target.path).is_some();
        let options = WriteOptions { table_folder, ..options };
        let mut output = Self { dataset, from, target, options, added: None, record: None };
        output.keep_marks(mark)?;
        Ok(output)
    }

    /// A data set as it was read, with additions. The target is a copy of the file with the additions in it where that
    /// can be: everything else in it stays bit for bit. Otherwise it is a new file.
    ///
    /// # Errors
    /// [`WriteError`] when there is no matrix to change, or no place for the mark of made cells.
    pub fn adding(
        mut dataset: Dataset,
        from: Format,
        additions: Additions,
        target: Target,
        options: WriteOptions<'a>,
        mark: Mark,
    ) -> Result<Self, WriteError> {
        target.suits(&options)?;
        let as_asked = options.compression.is_none()
            && options.compat == Default::default()
            && options.fcs_version == Default::default()
            && options.append.is_empty();
        let takes = !additions.has_elements() || (codec(from).takes_elements)(&dataset);
        let marked = mark == Mark::Names && synthetic::mask(&dataset).is_some();
        additions.tell_replaced(&mut dataset);
        let there = from == target.format && codec(from).annotate.is_some();
        // Formats with keywords write the values of the data set; in others they stay those of the file.
        let copied = !additions.anew || codec(from).keywords;
        if there && takes && as_asked && !marked && copied {
            let elements = Additions { result: None, ..additions.clone() };
            elements.apply(&mut dataset, &target)?;
            let output =
                Self { dataset, from: Some(from), target, options, added: Some(additions), record: None };
            return Ok(output);
        }
        additions.apply(&mut dataset, &target)?;
        Self::new(dataset, Some(from), target, options, mark)
    }

    /// With a record of the run, which is kept wherever the format has a place for it.
    #[must_use]
    pub fn with_record(mut self, record: Option<String>) -> Self {
        self.record = record;
        self
    }

    /// The data set as it will be written, without what a copy adds to it.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// What will become of each element, and what it takes. Nothing is written.
    ///
    /// # Errors
    /// [`WriteError::CannotHold`] when writing would end with it.
    pub fn plan(&self) -> Result<OutputPlan, WriteError> {
        let Self { dataset, target, options, added, .. } = self;
        if added.is_none() {
            (codec(target.format).holds)(dataset, &target.path, options)?;
        }
        Ok(self.outlook())
    }

    /// What will become of each element, without a look at values that the target may not hold.
    pub fn outlook(&self) -> OutputPlan {
        let Self { dataset, from, target, options, added, .. } = self;
        let losses = match added {
            Some(_) => LossReport::of_copy(dataset),
            None => LossReport::new(dataset, target.format, options),
        };
        let estimate = estimate(dataset, *from, target.format, options);
        let shape = (dataset.n_obs(), dataset.n_vars());
        OutputPlan { target: target.clone(), shape, losses, estimate }
    }

    /// Writes the target, reads it back and puts it in its place: whole or not at all.
    ///
    /// # Errors
    /// [`WriteError`]; the target is then as it was before.
    pub fn commit(self) -> Result<(), WriteError> {
        commit_all(vec![self])
    }

    fn write(&mut self, path: &Path) -> Result<(), WriteError> {
        let record = self.record.take();
        if let Some(mut additions) = self.added.take() {
            additions.record = record.unwrap_or_default();
            return match codec(self.target.format).annotate {
                Some(annotate) => annotate(&self.dataset, &additions, path),
                None => Err(WriteError::CannotHold {
                    path: path.to_owned(),
                    what: "no place for additions".into(),
                }),
            };
        }
        let to = self.target.format;
        keep_keywords(&mut self.dataset, to);
        if let Some(keep) = codec(to).keep_records {
            keep(&mut self.dataset, record.as_deref());
        }
        (codec(to).write)(&self.dataset, path, &self.options)
    }

    /// Whether the mark of made cells gets into the target: by the column or, when all of them are named so, by their
    /// names. A table of variables holds no cells.
    fn holds_marks(&self, made: &[bool]) -> bool {
        let losses = LossReport::new(&self.dataset, self.target.format, &self.options);
        let kept = |element: &str| {
            let row = losses.rows.iter().find(|r| r.element == element);
            row.is_some_and(|r| !matches!(r.fate, Fate::Left { .. }))
        };
        let index = &self.dataset.obs.index;
        let named = |i: usize| index.get(i).is_some_and(|name| name.starts_with(synthetic::NAME_PREFIX));
        // Cells may be marked by either column; each that is there is needed.
        let columns: Vec<&str> =
            synthetic::MARKS.into_iter().filter(|name| self.dataset.obs.column(name).is_some()).collect();
        (!columns.is_empty() && columns.iter().all(|name| kept(&Place::Obs.element(name))))
            || (kept("obs_names") && (0..made.len()).filter(|&i| made[i]).all(named))
            || !(kept("obs_names") || kept("X"))
    }

    fn keep_marks(&mut self, mark: Mark) -> Result<(), WriteError> {
        let Some(made) = synthetic::mask(&self.dataset) else { return Ok(()) };
        if mark == Mark::Names {
            self.mark_names(&made);
        }
        // A mark by name gets its column back where there is a place for it.
        let marked = synthetic::MARKS.iter().any(|name| self.dataset.obs.column(name).is_some());
        if !marked && self.target.format.has_columns() {
            self.dataset.obs.set(synthetic::COLUMN, Column::Numbers(Values::Bool(made.clone())));
        }
        if self.holds_marks(&made) {
            return Ok(());
        }
        let to = self.target.format;
        let names = !codec(to).entry(ElementKind::CellNames).leaves();
        let way = match names {
            true => {
                "add --mark names to mark them by their names, or write h5ad, loom or a table of the cells"
            }
            false => "write h5ad or loom",
        };
        let column = synthetic::MARKS.iter().find(|name| self.dataset.obs.column(name).is_some());
        let what = format!(
            "cells made by a model are told from real ones by obs[\"{}\"], and {} has no place for that column; {way}",
            column.unwrap_or(&synthetic::COLUMN),
            to.name()
        );
        Err(WriteError::CannotHold { path: self.target.path.clone(), what })
    }

    /// Puts the mark into the names of made cells.
    fn mark_names(&mut self, made: &[bool]) {
        let old: Vec<String> = self.dataset.obs.index.iter().map(|n| n.into_owned()).collect();
        let mut taken: HashSet<String> = old.iter().cloned().collect();
        let mut renamed = 0usize;
        let mut new = old.clone();
        for (name, _) in
            new.iter_mut().zip(made).filter(|(n, m)| **m && !n.starts_with(synthetic::NAME_PREFIX))
        {
            let bare = name.strip_prefix("synthetic-").unwrap_or(name);
            let mut wanted = format!("{}{bare}", synthetic::NAME_PREFIX);
            while !taken.insert(wanted.clone()) {
                wanted.push('_');
            }
            *name = wanted;
            renamed += 1;
        }
        if renamed == 0 {
            return;
        }
        let index = Index::names(new);
        for element in self.dataset.obsm.values_mut() {
            if let Annotation::Frame(frame) = element {
                frame.index = index.clone();
            }
        }
        self.dataset.obs.index = index;
        let what = format!("{renamed} made cells are called {}…", synthetic::NAME_PREFIX);
        self.dataset.changes.push(Change::harmless("obs_names", what));
    }
}

/// Writes all, or none: each takes its place only when those after it are finished.
///
/// # Errors
/// [`WriteError`] of the first that fails; all targets are then as they were before.
pub fn commit_all(mut outputs: Vec<Output>) -> Result<(), WriteError> {
    outputs.reverse();
    next(outputs)
}

fn next(mut outputs: Vec<Output>) -> Result<(), WriteError> {
    let Some(mut output) = outputs.pop() else { return Ok(()) };
    let Target { path, format, force } = output.target.clone();
    let write = |tmp: &Path| {
        output.write(tmp)?;
        next(outputs)
    };
    match folder_of(format, &path) {
        Some(files) => atomic::replace_folder(&path, force, files, write),
        None => atomic::replace(&path, force, write),
    }
}

impl Additions {
    /// Names the elements of a data set that these replace.
    fn tell_replaced(&self, dataset: &mut Dataset) {
        let why = "replaced by the new one of that name";
        let mut gone: Vec<String> = Vec::new();
        let obs = self.obs.iter().filter(|(n, _)| dataset.obs.column(n).is_some());
        gone.extend(obs.map(|(n, _)| Place::Obs.element(n)));
        gone.extend(
            self.obsm
                .iter()
                .filter(|(n, _)| dataset.obsm.contains_key(n))
                .map(|(n, _)| Place::Obsm.element(n)),
        );
        gone.extend(
            self.obsp
                .iter()
                .filter(|(n, _)| dataset.obsp.contains_key(n))
                .map(|(n, _)| Place::Obsp.element(n)),
        );
        gone.extend(
            self.uns.iter().filter(|(n, _)| dataset.uns.contains_key(n)).map(|(n, _)| Place::Uns.element(n)),
        );
        dataset.changes.extend(gone.into_iter().map(|element| Change::left(element, why)));
    }

    /// Puts the additions into a data set that is written as a new file.
    ///
    /// # Errors
    /// [`WriteError::Input`] when the matrix that is to change is not there.
    fn apply(self, dataset: &mut Dataset, target: &Target) -> Result<(), WriteError> {
        let Additions { result, obs, obsm, obsp, uns, anew: _, record: _ } = self;
        for (name, column) in obs {
            dataset.obs.set(&name, column);
        }
        dataset.obsm.extend(obsm.into_iter().map(|(n, m)| (n, Annotation::Matrix(m))));
        dataset.obsp.extend(obsp.into_iter().map(|(n, m)| (n, Annotation::Matrix(m))));
        dataset.uns.extend(uns);
        let Some(result) = result else { return Ok(()) };
        let input =
            |e: crate::data::DataError| WriteError::Input { path: target.path.clone(), source: Box::new(e) };
        let base = dataset.matrix(result.base.as_deref()).cloned().ok_or_else(|| {
            input(crate::data::DataError::Invalid {
                what: "there is no matrix to put the result beside".into(),
            })
        })?;
        let matrix = base.patched(result.patch).map_err(input)?;
        let to = target.format;
        match result.base {
            _ if !to.has_layers() => {
                if dataset.x.replace(matrix).is_some() && !result.into_x {
                    let why = format!("the new values take its place, {} holds one matrix", to.name());
                    dataset.changes.push(Change::left("X", why));
                }
            }
            _ if !result.into_x => {
                if codec(to).needs_x && dataset.x.is_none() {
                    dataset.x = Some(matrix.clone());
                }
                dataset.layers.insert(result.layer, matrix);
            }
            None => dataset.x = Some(matrix),
            Some(layer) => {
                dataset.layers.insert(layer, matrix);
            }
        }
        Ok(())
    }
}

/// The table a single CSV or Parquet file holds when nothing else was asked for.
#[must_use]
pub fn or_table<'a>(options: WriteOptions<'a>, target: &Target, table: Table) -> WriteOptions<'a> {
    let folder = folder_of(target.format, &target.path).is_some();
    let chosen = options.table.or((!folder).then_some(table));
    WriteOptions { table: chosen, ..options }
}
