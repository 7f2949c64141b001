//! One data set, whatever file it came from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Change, DataError, Frame, Matrix, StoredObject, Take, Uns};

/// An element of `obsm`, `varm`, `obsp` or `varp`.
#[derive(Debug, Clone)]
pub enum Annotation {
    /// A dense or sparse matrix.
    Matrix(Matrix),
    /// A table.
    Frame(Frame),
    /// An encoding scx does not understand; it stays in the file.
    Opaque {
        /// What the file calls it.
        encoding: String,
        /// Where it lies in an HDF5 file; to be cleared when rows (or columns) are taken out or put in another order.
        stored: Option<StoredObject>,
    },
}

/// The frozen earlier state some files carry: another X with its own genes.
#[derive(Debug, Clone)]
pub struct Raw {
    /// The matrix, cells × genes.
    pub x: Matrix,
    /// Its genes.
    pub var: Frame,
    /// Its per-gene arrays.
    pub varm: BTreeMap<String, Annotation>,
}

/// Where a data set came from.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The file or folder; empty for data made in memory.
    pub path: PathBuf,
    /// What the file says of itself, e.g. `FCS3.1` or `anndata 0.8 or newer`.
    pub dialect: String,
    /// Header lines of formats that have them (all FCS keywords, in order).
    pub keywords: Vec<(String, String)>,
}

/// Cells × variables with everything known about both.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Table of cells.
    pub obs: Frame,
    /// Table of genes, markers or channels.
    pub var: Frame,
    /// Main matrix, `n_obs` × `n_vars`.
    pub x: Option<Matrix>,
    /// Further matrices of the same shape.
    pub layers: BTreeMap<String, Matrix>,
    /// Per-cell arrays.
    pub obsm: BTreeMap<String, Annotation>,
    /// Per-variable arrays.
    pub varm: BTreeMap<String, Annotation>,
    /// Cell × cell matrices.
    pub obsp: BTreeMap<String, Annotation>,
    /// Variable × variable matrices.
    pub varp: BTreeMap<String, Annotation>,
    /// The frozen earlier state.
    pub raw: Option<Raw>,
    /// Everything unstructured.
    pub uns: BTreeMap<String, Uns>,
    /// Elements for which there is no room above, by their place (`layers/odd`, `spare`): a writer of the same format
    /// copies them as they are. To be cleared when rows or columns change.
    pub unknown: BTreeMap<String, StoredObject>,
    /// What was left behind or changed on the way here, by readers and by verbs.
    pub changes: Vec<Change>,
    /// Where it came from.
    pub source: Source,
}

impl Dataset {
    /// A data set with tables and nothing else.
    pub fn new(obs: Frame, var: Frame) -> Self {
        Self {
            obs,
            var,
            x: None,
            layers: BTreeMap::new(),
            obsm: BTreeMap::new(),
            varm: BTreeMap::new(),
            obsp: BTreeMap::new(),
            varp: BTreeMap::new(),
            raw: None,
            uns: BTreeMap::new(),
            unknown: BTreeMap::new(),
            changes: Vec::new(),
            source: Source::default(),
        }
    }

    /// Number of cells.
    pub fn n_obs(&self) -> usize {
        self.obs.len()
    }

    /// Number of variables.
    pub fn n_vars(&self) -> usize {
        self.var.len()
    }

    /// Numbers of cells and of variables.
    pub fn shape(&self) -> (usize, usize) {
        (self.n_obs(), self.n_vars())
    }

    /// X (`None`) or the layer of that name.
    pub fn matrix(&self, layer: Option<&str>) -> Option<&Matrix> {
        match layer {
            None => self.x.as_ref(),
            Some(name) => self.layers.get(name),
        }
    }

    /// Checks the invariants: tables are consistent and every matrix has the shape its place asks for.
    ///
    /// # Errors
    /// [`DataError`] that names the element.
    pub fn check(&self) -> Result<(), DataError> {
        self.obs.check().map_err(|e| e.within("obs"))?;
        self.var.check().map_err(|e| e.within("var"))?;
        let (n, g) = (self.n_obs(), self.n_vars());
        let shape = |what: String, found: (usize, usize), want: (Option<usize>, Option<usize>)| {
            let bad = want.0.is_some_and(|w| w != found.0) || want.1.is_some_and(|w| w != found.1);
            if bad {
                Err(DataError::Shape { what, found, obs: n, vars: want.1.unwrap_or(g) })
            } else {
                Ok(())
            }
        };
        if let Some(x) = &self.x {
            shape("X".into(), x.shape(), (Some(n), Some(g)))?;
        }
        for (k, m) in &self.layers {
            shape(format!("layers/{k}"), m.shape(), (Some(n), Some(g)))?;
        }
        let groups = [
            ("obsm", &self.obsm, (Some(n), None)),
            ("varm", &self.varm, (Some(g), None)),
            ("obsp", &self.obsp, (Some(n), Some(n))),
            ("varp", &self.varp, (Some(g), Some(g))),
        ];
        for (group, map, want) in groups {
            for (k, a) in map {
                match a {
                    Annotation::Matrix(m) => shape(format!("{group}/{k}"), m.shape(), want)?,
                    Annotation::Frame(f) => {
                        f.check().map_err(|e| e.within(&format!("{group}/{k}")))?;
                        shape(format!("{group}/{k}"), (f.len(), 0), (want.0, None))?;
                    }
                    Annotation::Opaque { .. } => {}
                }
            }
        }
        if let Some(raw) = &self.raw {
            raw.var.check().map_err(|e| e.within("raw/var"))?;
            shape("raw/X".into(), raw.x.shape(), (Some(n), Some(raw.var.len())))?;
        }
        Ok(())
    }
}

impl Dataset {
    /// These cells and variables with everything that belongs to them; matrices stay unread. `raw` follows the cells and
    /// keeps its own genes. Arrays scx does not understand are left behind, which [`Dataset::changes`] says.
    ///
    /// # Errors
    /// [`DataError`] when the choice was made for another shape or a file cannot be read.
    pub fn select(&self, cells: &Take, variables: &Take) -> Result<Dataset, DataError> {
        let matrix = |m: &Matrix| m.select(cells, variables);
        let layers: Result<_, DataError> =
            self.layers.iter().map(|(k, m)| Ok((k.clone(), matrix(m)?))).collect();
        let raw = match &self.raw {
            None => None,
            Some(raw) => Some(Raw {
                x: raw.x.select(cells, &Take::all(raw.x.shape().1))?,
                var: raw.var.clone(),
                varm: raw.varm.clone(),
            }),
        };
        let mut changes = self.changes.clone();
        let all = cells.is_all() && variables.is_all();
        if !all {
            let why = "scx does not understand it, and cells or variables were chosen";
            changes.extend(self.unknown.keys().map(|name| Change::left(name, why)));
        }
        Ok(Dataset {
            obs: self.obs.take(cells).map_err(|e| e.within("obs"))?,
            var: self.var.take(variables).map_err(|e| e.within("var"))?,
            x: self.x.as_ref().map(matrix).transpose()?,
            layers: layers?,
            obsm: annotations(&self.obsm, "obsm", cells, None, &mut changes)?,
            varm: annotations(&self.varm, "varm", variables, None, &mut changes)?,
            obsp: annotations(&self.obsp, "obsp", cells, Some(cells), &mut changes)?,
            varp: annotations(&self.varp, "varp", variables, Some(variables), &mut changes)?,
            raw,
            uns: self.uns.clone(),
            // Nobody knows which of these belong to rows.
            unknown: if all { self.unknown.clone() } else { BTreeMap::new() },
            changes,
            source: self.source.clone(),
        })
    }
}

/// The arrays of one group for the entries taken; `across` is the second axis of pairwise matrices.
fn annotations(
    all: &BTreeMap<String, Annotation>,
    group: &str,
    take: &Take,
    across: Option<&Take>,
    changes: &mut Vec<Change>,
) -> Result<BTreeMap<String, Annotation>, DataError> {
    if take.is_all() {
        return Ok(all.clone());
    }
    let mut kept = BTreeMap::new();
    for (name, value) in all {
        let value = match value {
            Annotation::Matrix(m) => {
                let wide = Take::all(m.shape().1);
                Annotation::Matrix(m.select(take, across.unwrap_or(&wide))?)
            }
            Annotation::Frame(f) => {
                Annotation::Frame(f.take(take).map_err(|e| e.within(&format!("{group}/{name}")))?)
            }
            Annotation::Opaque { encoding, .. } => {
                let why = format!("encoding {encoding} is not understood, and rows were chosen");
                changes.push(Change::left(format!("{group}[{name:?}]"), why));
                continue;
            }
        };
        kept.insert(name.clone(), value);
    }
    Ok(kept)
}
