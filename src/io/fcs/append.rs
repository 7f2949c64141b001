//! Columns of cells and arrays beside X as further channels.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use super::storage::{beyond_doubles, may_stay_whole, needs_doubles};
use crate::data::{
    Annotation, Categories, Column, DType, Dataset, Dense, Frame, Index, Matrix, Values, beside,
    did_you_mean, linear,
};
use crate::io::error::WriteError;
use crate::io::options::{Append, WriteOptions};

/// Different texts of a column at most: each is kept in a keyword.
const MOST_LEVELS: usize = 10_000;

/// One channel that was something else.
#[derive(Debug)]
struct Channel {
    name: String,
    role: &'static str,
    /// Texts that the numbers 1, 2, … stand for.
    levels: Option<Vec<String>>,
}

/// What is put beside the channels.
#[derive(Debug, Default)]
struct Extra {
    channels: Vec<Channel>,
    matrices: Vec<Matrix>,
}

/// A data set with what was asked for as channels behind the others, and the keywords of those: `SCX_PnROLE` says what it
/// was, `SCX_PnLEVELS` (JSON) which texts the numbers 1, 2, … stand for.
type Appended<'a> = (Cow<'a, Dataset>, Vec<(String, String)>);

/// Appends what `options` ask for.
///
/// # Errors
/// [`WriteError::NotThere`] when there is no such column or array, or a channel of that name is there already;
/// [`WriteError::CannotHold`] when it is of no numbers and of too many texts, or not exact as a double.
pub(super) fn append<'a>(
    dataset: &'a Dataset,
    path: &Path,
    options: &WriteOptions,
) -> Result<Appended<'a>, WriteError> {
    let Some(x) = dataset.x.as_ref().filter(|_| !options.append.is_empty()) else {
        return Ok((Cow::Borrowed(dataset), Vec::new()));
    };
    let mut extra = Extra::default();
    for asked in &options.append {
        extra.add(dataset, asked).map_err(|fault| fault.of(asked, path))?;
    }
    let mut names: BTreeSet<String> = dataset.var.index.iter().map(|n| n.into_owned()).collect();
    if let Some(twice) = extra.channels.iter().find(|c| !names.insert(c.name.clone())) {
        let what = format!("--append: there is a channel {} already; leave it out", twice.name);
        return Err(WriteError::NotThere { path: path.to_owned(), what });
    }
    if matches!(x.dtype(), DType::I64 | DType::U64) {
        // Beside others they become doubles.
        needs_doubles(x, options.memory, path)?;
    }
    let keywords = extra.keywords(dataset.n_vars());
    let input = |e| WriteError::Input { path: path.to_owned(), source: Box::new(e) };
    let dtype = joint(x, &extra.matrices);
    let mut dataset = dataset.clone();
    if dtype.is_float() {
        // Only whole numbers are read by their amplifiers.
        dataset = linear(dataset).map_err(input)?;
    }
    dataset.var = extra.var(&dataset.var);
    if let Some(x) = dataset.x.take() {
        dataset.x = Some(beside(x, extra.matrices, dtype).map_err(input)?);
    }
    Ok((Cow::Owned(dataset), keywords))
}

/// Why something cannot be appended.
enum Fault {
    NotThere(String),
    CannotHold(String),
}

impl Fault {
    fn of(self, asked: &Append, path: &Path) -> WriteError {
        let path = path.to_owned();
        match self {
            Fault::NotThere(what) => WriteError::NotThere { path, what: format!("--append {asked}: {what}") },
            Fault::CannotHold(what) => {
                WriteError::CannotHold { path, what: format!("--append {asked}: {what}") }
            }
        }
    }
}

/// The type that holds all: whole numbers where all are, else floats.
fn joint(x: &Matrix, others: &[Matrix]) -> DType {
    let whole = may_stay_whole(x.dtype(), x.layout()) && x.dtype().size() <= 4 && others.iter().all(is_whole);
    // A negative number has no place among whole ones.
    let signed = matches!(x.dtype(), DType::I8 | DType::I16 | DType::I32);
    let double = |m: &Matrix| m.dtype().exact_float() == DType::F64;
    match () {
        () if whole && !signed => DType::U32,
        () if double(x) || others.iter().any(double) => DType::F64,
        () => DType::F32,
    }
}

/// Whether a column that was made here holds nothing but whole numbers that fit.
fn is_whole(m: &Matrix) -> bool {
    match m {
        Matrix::Dense(d) => {
            d.values().iter().all(|x| x.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&x))
        }
        _ => false,
    }
}

impl Extra {
    fn add(&mut self, dataset: &Dataset, asked: &Append) -> Result<(), Fault> {
        match asked {
            Append::Obs(name) => {
                let column = dataset.obs.column(name).ok_or_else(|| {
                    let known = dataset.obs.columns.iter().map(|(n, _)| n.as_str());
                    Fault::NotThere(none("column of obs", name, known.collect()))
                })?;
                self.column(name, "obs", column)
            }
            Append::Obsm(name) => match dataset.obsm.get(name) {
                Some(Annotation::Matrix(m)) => {
                    let channel =
                        |i| Channel { name: format!("{name}_{}", i + 1), role: "obsm", levels: None };
                    self.channels.extend((0..m.shape().1).map(channel));
                    self.matrices.push(m.clone());
                    Ok(())
                }
                Some(Annotation::Frame(f)) => {
                    f.columns.iter().try_for_each(|(column, values)| self.column(column, "obsm", values))
                }
                Some(Annotation::Opaque { .. }) => {
                    Err(Fault::CannotHold("scx does not understand it".into()))
                }
                None => {
                    let known = dataset.obsm.keys().map(String::as_str);
                    Err(Fault::NotThere(none("array of obsm", name, known.collect())))
                }
            },
        }
    }

    fn column(&mut self, name: &str, role: &'static str, column: &Column) -> Result<(), Fault> {
        let (values, levels) = numbers(column).map_err(Fault::CannotHold)?;
        let matrix = Dense::new(values.len(), 1, values).map_err(|e| Fault::CannotHold(e.to_string()))?;
        self.channels.push(Channel { name: name.to_owned(), role, levels });
        self.matrices.push(Matrix::Dense(matrix));
        Ok(())
    }

    /// Keywords, the first of which is for channel `before` + 1.
    fn keywords(&self, before: usize) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (channel, n) in self.channels.iter().zip(before + 1..) {
            all.push((format!("SCX_P{n}ROLE"), channel.role.to_owned()));
            if let Some(levels) = &channel.levels {
                all.push((format!("SCX_P{n}LEVELS"), serde_json::Value::from(levels.clone()).to_string()));
            }
        }
        all
    }

    /// The table of channels with the new ones: as far as the writer asks for it.
    fn var(&self, old: &Frame) -> Frame {
        let own = || self.channels.iter().map(|c| c.name.clone());
        let names = old.index.iter().map(|n| n.into_owned()).chain(own()).collect();
        let mut var = Frame::new(Index::names(names));
        for name in ["marker", "channel", "pnr", "pne", "png"] {
            let Some(column) = old.column(name) else { continue };
            let new = |c: &Channel| match name {
                "marker" | "channel" => Some(c.name.clone()),
                "pne" => Some("0,0".to_owned()),
                _ => None,
            };
            let before = (0..old.len()).map(|i| column.text(i).map(|t| t.into_owned()));
            var.set(name, Column::NullableStrings(before.chain(self.channels.iter().map(new)).collect()));
        }
        if old.column("marker").is_none() {
            let none = std::iter::repeat_n(None, old.len());
            var.set("marker", Column::NullableStrings(none.chain(own().map(Some)).collect()));
        }
        var
    }
}

/// That there is no such thing, what may have been meant, and what there is.
fn none(kind: &str, name: &str, known: Vec<&str>) -> String {
    let list = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!("there is no {kind} of that name{}; there are: {list}", did_you_mean(name, known))
}

/// A column as numbers, NaN where missing. Texts that are whole numbers are those numbers; others are numbered from 1 in
/// their order, 0 where missing, with the list of them.
///
/// # Errors
/// In words.
fn numbers(column: &Column) -> Result<(Values, Option<Vec<String>>), String> {
    let plain = |values: &Values| match beyond_doubles(values) {
        Some(v) => Err(format!("the value {v} is not exact as a double, the widest type of FCS")),
        None => Ok(()),
    };
    let entry = |i: usize| column.text(i).map(|t| t.into_owned());
    match column {
        Column::Numbers(v) => plain(v).map(|()| (v.clone(), None)),
        Column::Nullable { values, missing } => {
            plain(values)?;
            let gap = |(x, gap): (f64, &bool)| if *gap { f64::NAN } else { x };
            Ok((Values::F64(values.iter().zip(missing).map(gap).collect()), None))
        }
        Column::Categorical(c) => {
            let levels: Vec<String> = (0..c.categories.len()).filter_map(|i| c.categories.text(i)).collect();
            let codes = c.codes.iter().map(|&code| usize::try_from(code).ok()).collect();
            let text = matches!(c.categories, Categories::Strings(_));
            coded(levels, codes, text)
        }
        Column::Strings(_) | Column::NullableStrings(_) => {
            let levels: BTreeSet<String> = (0..column.len()).filter_map(entry).collect();
            let levels: Vec<String> = levels.into_iter().collect();
            let code = |i| entry(i).and_then(|t| levels.binary_search(&t).ok());
            let codes = (0..column.len()).map(code).collect();
            coded(levels, codes, true)
        }
        Column::Opaque { .. } => Err("scx does not understand it".into()),
    }
}

fn coded(
    levels: Vec<String>,
    codes: Vec<Option<usize>>,
    text: bool,
) -> Result<(Values, Option<Vec<String>>), String> {
    // Categories of numbers may be of any kind, texts only whole: 01 is a name.
    let whole = |t: &String| t.parse::<i32>().ok().filter(|n| n.to_string() == *t).map(f64::from);
    let number = |t: &String| if text { whole(t) } else { t.parse().ok() };
    if let Some(all) = levels.iter().map(number).collect::<Option<Vec<f64>>>() {
        let of = |code: Option<usize>| code.and_then(|c| all.get(c).copied()).unwrap_or(f64::NAN);
        return Ok((Values::F64(codes.into_iter().map(of).collect()), None));
    }
    if levels.len() > MOST_LEVELS {
        let n = levels.len();
        return Err(format!("{n} different texts are no categories (at most {MOST_LEVELS}); leave it out"));
    }
    let of = |code: Option<usize>| code.map_or(0.0, |c| (c + 1) as f64);
    Ok((Values::F64(codes.into_iter().map(of).collect()), Some(levels)))
}
