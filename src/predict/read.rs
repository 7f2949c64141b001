//! From a data set to a study: which cells are which, on which scale.

use ndarray::{Array2, Axis};

use super::{LEAST_CELLS, PredictError, Study};
use crate::data::{DataError, Dataset, Frame, Matrix, Take, did_you_mean, find_value, synthetic};

/// What to take of a data set.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sought {
    /// Column of obs with the condition.
    pub condition_key: String,
    /// Condition that is learnt from and predicted from.
    pub source: String,
    /// Condition that is predicted.
    pub target: String,
    /// Column of obs with the cell type; all cells are of one type when `None`.
    pub cell_type_key: Option<String>,
    /// Column of obs with the batch.
    pub batch_key: Option<String>,
    /// Cells of this condition are predicted instead of those of `source`.
    pub apply_to: Option<String>,
    /// Layer with the values; X when `None`.
    pub layer: Option<String>,
    /// Bytes that the values may take.
    pub memory: u64,
}

/// Cells of both conditions, as a study wants them.
#[derive(Debug, Clone)]
pub struct Cells {
    /// Values of the cells that are used, cells × variables.
    pub values: Array2<f32>,
    /// The row of each in the data set.
    pub rows: Vec<usize>,
    /// Names of the types; with `apply_to`, behind them the same types in that condition.
    pub types: Vec<String>,
    /// For each type its source cells, as positions in `rows`.
    pub source: Vec<Vec<usize>>,
    /// For each type its target cells.
    pub target: Vec<Vec<usize>>,
    /// With `apply_to`: how many of the types are real ones.
    pub real_types: usize,
    /// The batch of each cell.
    pub batch: Option<Vec<usize>>,
    /// Values that can be no smaller.
    pub floor: Option<f32>,
    /// Whether values are logarithms of counts.
    pub of_counts: bool,
    /// What the values look like, in words.
    pub looks: String,
    /// What is to be said.
    pub notes: Vec<String>,
}

/// A column as codes and names.
struct Groups {
    key: String,
    names: Vec<String>,
    codes: Vec<Option<usize>>,
}

impl Groups {
    fn of(obs: &Frame, key: &str) -> Result<Self, PredictError> {
        let names = || obs.columns.iter().map(|c| c.0.as_str());
        let column = obs.column(key).ok_or_else(|| {
            let there = names().collect::<Vec<_>>().join(", ");
            let there = if there.is_empty() { "none".into() } else { there };
            PredictError::usage(format!(
                "obs has no column {key}{}; columns: {there}",
                did_you_mean(key, names())
            ))
        })?;
        let (codes, names) = column.groups().map_err(|e| e.within(&format!("obs[\"{key}\"]")))?;
        Ok(Self { key: key.into(), names, codes })
    }

    fn counts(&self, rows: &[usize]) -> Vec<usize> {
        let mut n = vec![0; self.names.len()];
        rows.iter().filter_map(|&r| self.codes[r]).for_each(|c| n[c] += 1);
        n
    }

    /// The code of a value that some cells have.
    fn code(&self, option: &str, value: &str, rows: &[usize]) -> Result<usize, PredictError> {
        let counts = self.counts(rows);
        match find_value(self.names.iter().map(String::as_str), value) {
            Some(code) if counts[code] > 0 => Ok(code),
            _ => {
                let there = self.names.iter().zip(&counts).filter(|(_, n)| **n > 0);
                let list: Vec<String> = there.clone().map(|(name, n)| format!("{name} ({n})")).collect();
                let hint = did_you_mean(value, there.map(|(name, _)| name.as_str()));
                Err(PredictError::usage(format!(
                    "{option} {value}: no cell has it in obs[\"{}\"]{hint}; values (cells): {}",
                    self.key,
                    list.join(", ")
                )))
            }
        }
    }
}

impl Cells {
    /// Reads the cells of both conditions. Cells that scx has made are passed over.
    ///
    /// # Errors
    /// [`PredictError`] when a column, a condition or a matrix is missing, when values are on a scale nothing can be
    /// predicted on, or when they do not fit.
    pub fn read(dataset: &Dataset, sought: &Sought) -> Result<Self, PredictError> {
        let mut notes = Vec::new();
        let all: Vec<usize> = match synthetic::mask(dataset) {
            None => (0..dataset.n_obs()).collect(),
            Some(made) => {
                let real: Vec<usize> = (0..made.len()).filter(|&i| !made[i]).collect();
                let n = made.len() - real.len();
                notes.push(format!("{n} cells were made by scx; nothing is learnt from them"));
                real
            }
        };
        let conditions = Groups::of(&dataset.obs, &sought.condition_key)?;
        let from = conditions.code("--source", &sought.source, &all)?;
        let to = conditions.code("--target", &sought.target, &all)?;
        if from == to {
            return Err(PredictError::usage("--source and --target are the same condition; name two"));
        }
        let apply = match &sought.apply_to {
            Some(name) => Some(conditions.code("--apply-to", name, &all)?),
            None => None,
        };
        if apply.is_some_and(|a| a == from || a == to) {
            return Err(PredictError::usage(
                "--apply-to is one of --source and --target; name a third condition, or leave it out",
            ));
        }
        let types = match &sought.cell_type_key {
            Some(key) => Some(Groups::of(&dataset.obs, key)?),
            None => None,
        };
        let type_of = |row: usize| types.as_ref().map_or(Some(0), |t| t.codes[row]);
        let wanted =
            |row: &usize| conditions.codes[*row].is_some_and(|c| c == from || c == to || Some(c) == apply);
        let (rows, untyped): (Vec<usize>, Vec<usize>) =
            all.into_iter().filter(wanted).partition(|&r| type_of(r).is_some());
        if !untyped.is_empty() {
            let key = sought.cell_type_key.as_deref().unwrap_or_default();
            notes.push(format!("{} cells have no value in obs[\"{key}\"] and are not used", untyped.len()));
        }
        let matrix = dataset.matrix(sought.layer.as_deref()).ok_or_else(|| missing(dataset, sought))?;
        let scale = scale(dataset, matrix, sought)?;
        let values = values(dataset, matrix, Some(&rows), sought.memory)?;
        let names = types.as_ref().map_or_else(|| vec!["all cells".to_owned()], |t| t.names.clone());
        let n = names.len();
        let pick = |condition: usize, t: usize| -> Vec<usize> {
            (0..rows.len())
                .filter(|&i| conditions.codes[rows[i]] == Some(condition) && type_of(rows[i]) == Some(t))
                .collect()
        };
        let mut out = Self {
            floor: values.iter().all(|v| *v >= 0.0).then_some(0.0),
            source: (0..n).map(|t| pick(from, t)).collect(),
            target: (0..n).map(|t| pick(to, t)).collect(),
            batch: None,
            real_types: n,
            of_counts: scale.0,
            looks: scale.1,
            types: names,
            values,
            notes,
            rows: Vec::new(),
        };
        if let (Some(apply), Some(name)) = (apply, &sought.apply_to) {
            for t in 0..n {
                out.types.push(format!("{} ({name})", out.types[t]));
                out.source.push(pick(apply, t));
                out.target.push(Vec::new());
            }
        }
        if let Some(key) = &sought.batch_key {
            let batches = Groups::of(&dataset.obs, key)?;
            let code = |&r: &usize| {
                batches.codes[r].ok_or_else(|| {
                    PredictError::input(format!(
                        "obs[\"{key}\"]: cell {} has no batch; every cell of both conditions needs one",
                        dataset.obs.index.get(r).unwrap_or_default()
                    ))
                })
            };
            out.batch = Some(rows.iter().map(code).collect::<Result<_, _>>()?);
        }
        out.rows = rows;
        out.say_small();
        Ok(out)
    }

    /// Types that nothing is learnt from because too few of their cells are there.
    fn say_small(&mut self) {
        for t in 0..self.real_types {
            let (n, m) = (self.source[t].len(), self.target[t].len());
            if n > 0 && m > 0 && n.min(m) < LEAST_CELLS {
                self.notes.push(format!(
                    "{}: {n} and {m} cells in the two conditions, {LEAST_CELLS} are needed; its response is not learnt from",
                    self.types[t]
                ));
            }
        }
    }

    /// The position of a type by its name.
    ///
    /// # Errors
    /// [`PredictError::Usage`] with the types that there are.
    pub fn find(&self, name: &str) -> Result<usize, PredictError> {
        let known = || self.types.iter().take(self.real_types);
        find_value(known().map(String::as_str), name).ok_or_else(|| {
            let list: Vec<String> = known()
                .enumerate()
                .map(|(t, n)| format!("{n} ({} and {})", self.source[t].len(), self.target[t].len()))
                .collect();
            PredictError::usage(format!(
                "--cell-type {name}: no cell of both conditions has it{}; types (cells in the two conditions): {}",
                did_you_mean(name, known().map(String::as_str)),
                list.join(", ")
            ))
        })
    }

    /// A study of them, over these variable genes. Target cells of `held` are not in it.
    pub fn study(&self, held: Option<usize>, variable: Vec<usize>) -> Study<'_> {
        let mut target = self.target.clone();
        if let Some(held) = held {
            target[held].clear();
        }
        Study {
            values: &self.values,
            variable,
            types: self.types.clone(),
            source: self.source.clone(),
            target,
            batch: self.batch.clone(),
            floor: self.floor,
        }
    }

    /// Target cells of a type that a prediction may be compared with; rules never see them.
    pub fn real(&self, t: usize) -> Array2<f32> {
        self.values.select(Axis(0), &self.target[t])
    }
}

fn missing(dataset: &Dataset, sought: &Sought) -> PredictError {
    let layers: Vec<&str> = dataset.layers.keys().map(String::as_str).collect();
    let there = if layers.is_empty() { "none".to_owned() } else { layers.join(", ") };
    match &sought.layer {
        Some(name) => PredictError::usage(format!("no layer {name}; layers: {there}")),
        None => PredictError::input(format!("there is no X; name a layer with --layer (layers: {there})")),
    }
}

/// Whether values are logarithms of counts, and what they look like; a scale that a change cannot be added on is refused.
fn scale(dataset: &Dataset, matrix: &Matrix, sought: &Sought) -> Result<(bool, String), PredictError> {
    let looks = matrix.looks()?;
    let place = sought.layer.as_ref().map_or_else(|| "X".to_owned(), |l| format!("layers[{l:?}]"));
    let advice = match looks.guess.as_str() {
        "log1p" => return Ok((true, looks.words)),
        "arcsinh" | "scaled" => return Ok((false, looks.words)),
        // Small values between 0 and 1 may be logarithms of sparse counts.
        "fractions" => return Ok((false, looks.words)),
        "raw_counts" | "fractional_counts" | "binary" => {
            "bring counts to a log scale first: scx preprocess IN -o OUT --target-sum 10000 --log1p"
        }
        "normalised" => "take logarithms first: scx preprocess IN -o OUT --log1p, or give a file with them",
        "linear" | "whole_numbers" => {
            "bring channels to the scale of arcsinh first: scx preprocess IN -o OUT --recipe cytof"
        }
        "not_finite" => "remove the cells or the variables with such values first",
        _ => "give a file with values",
    };
    let better: Vec<String> = dataset
        .layers
        .iter()
        .filter(|(name, _)| sought.layer.as_ref() != Some(name))
        .filter(|(_, m)| m.looks().is_ok_and(|l| l.guess == "log1p" || l.guess == "arcsinh"))
        .map(|(name, _)| format!("--layer {name}"))
        .collect();
    let or = if better.is_empty() { String::new() } else { format!("; or take {}", better.join(" or ")) };
    Err(PredictError::input(format!(
        "{place} holds {}; a response is learnt on log1p of normalised counts or on arcsinh: {advice}{or}",
        looks.words
    )))
}

/// Values of some cells, or of all: rows × variables. Besides them, pairing and prediction take about as much again.
///
/// # Errors
/// [`PredictError::TooLarge`] when they take more than `memory`; values that are not finite, by cell and variable.
pub fn values(
    dataset: &Dataset,
    matrix: &Matrix,
    rows: Option<&[usize]>,
    memory: u64,
) -> Result<Array2<f32>, PredictError> {
    let genes = dataset.n_vars();
    let every: Vec<usize>;
    let rows = match rows {
        Some(rows) => rows,
        None => {
            every = (0..dataset.n_obs()).collect();
            &every
        }
    };
    let bytes = 4 * rows.len() as u64 * genes as u64;
    if bytes > memory {
        return Err(PredictError::TooLarge {
            what: format!(
                "{} cells × {genes} variables take {:.1} GB in memory, {:.1} GB are allowed; raise --memory, or keep fewer \
                 variables (scx preprocess --n-top-genes)",
                rows.len(),
                bytes as f64 / 1e9,
                memory as f64 / 1e9
            ),
        });
    }
    let all = rows.len() == dataset.n_obs();
    let picked;
    let from = if all {
        matrix
    } else {
        picked = matrix.select(&Take::entries(dataset.n_obs(), rows)?, &Take::all(genes))?;
        &picked
    };
    let mut out = Array2::zeros((rows.len(), genes));
    from.stream(memory, &mut |start, block| {
        let values = block.to_f64();
        if let Some(((r, c), v)) = values.indexed_iter().find(|(_, v)| !v.is_finite()) {
            let cell = dataset.obs.index.get(rows[start + r]).unwrap_or_default();
            let gene = dataset.var.index.get(c).unwrap_or_default();
            return Err(DataError::Invalid {
                what: format!("cell {cell}, variable {gene}: found {v}, expected a finite number; remove such cells first"),
            });
        }
        let mut to = out.slice_axis_mut(Axis(0), (start..start + values.nrows()).into());
        to.zip_mut_with(&values, |t, v| *t = *v as f32);
        Ok(())
    })?;
    Ok(out)
}
