//! Reading the cells to evaluate: counts, types, names of genes.

use std::collections::HashMap;
use std::path::Path;

use crate::cli::evaluate::GenerationArgs;
use crate::cli::kit::console::Console;
use crate::cli::kit::counts_args;
use crate::cli::kit::error::CliError;
use crate::cli::kit::show::thousands;
use crate::data::counts::{self, Taken};
use crate::data::{Counts, Dataset, Frame, GeneNames, Take, find_value, synthetic};
use crate::io::{self, DEFAULT_MEMORY};
use crate::loader::{LabelError, Labels};

/// Cells of one file, with all its genes.
pub(in crate::cli) struct File {
    /// What it is, for messages.
    pub(in crate::cli) role: &'static str,
    /// Where it is.
    pub(in crate::cli) path: String,
    /// Which counts were taken.
    pub(in crate::cli) taken: Taken,
    /// Cells × its genes.
    pub(in crate::cli) counts: Counts,
    /// Its genes.
    var: Frame,
    /// The type of each cell.
    labels: Option<Labels>,
}

impl File {
    /// Reads the real (or generated) cells of a file.
    pub(in crate::cli) fn read(
        role: &'static str,
        path: &Path,
        args: &GenerationArgs,
        key: Option<&str>,
        console: &Console,
    ) -> Result<Self, CliError> {
        let at = |e: CliError| e.within(&path.display().to_string());
        let memory = args.memory.unwrap_or(DEFAULT_MEMORY);
        let reading = args.reading.options(args.memory);
        let whole = (io::detect(path)?.read)(path, &reading)?;
        let generated = role == "synthetic";
        let dataset = match rows(&whole, generated).map_err(at)? {
            None => whole,
            Some(rows) => {
                console.say(&format!(
                    "{}: {} of {} cells are {}",
                    path.display(),
                    thousands(rows.len()),
                    thousands(whole.n_obs()),
                    if generated { "generated; these are judged" } else { "real; these are taken" }
                ));
                let take = Take::entries(whole.n_obs(), &rows);
                take.and_then(|t| whole.select(&t, &Take::all(whole.n_vars())))
                    .map_err(|e| at(CliError::input(e.to_string())))?
            }
        };
        let mut taken = counts::find(&dataset, &args.counts.wanted()).map_err(|e| at(e.into()))?;
        let read = counts::read(&dataset, &mut taken, memory, &reading.scratch_folder());
        let counts_read = read.map_err(|e| at(e.into()))?;
        let var = taken.of(&dataset).map_err(|e| at(e.into()))?.1;
        let labels = labels(&dataset, args, key).map_err(at)?;
        console.say(&format!(
            "{role}: {} cells × {} genes, counts from {} of {}",
            thousands(counts_read.n_cells()),
            thousands(counts_read.n_genes()),
            taken.words(),
            path.display()
        ));
        counts_args::say(&taken, console);
        Ok(Self { role, path: path.display().to_string(), taken, counts: counts_read, var, labels })
    }

    /// The column types are in.
    pub(in crate::cli) fn key(&self) -> Option<&str> {
        self.labels.as_ref().map(|l| l.key.as_str())
    }

    /// The number of a type, compared as text.
    pub(in crate::cli) fn code(&self, label: &str) -> Result<(), CliError> {
        let Some(labels) = &self.labels else {
            return Err(CliError::usage(format!(
                "{}: --cluster {label}: the cells have no types; name their column with --cluster-key",
                self.path
            )));
        };
        labels.code(label).map(|_| ()).map_err(|e| label_error(&e).within(&self.path))
    }
}

pub(in crate::cli) type Set = (Counts, Option<Vec<Option<usize>>>);

/// All files over the genes they have in common, and over the types of all of them.
pub(in crate::cli) struct Common {
    /// Names of the genes.
    pub(in crate::cli) genes: Vec<String>,
    /// Names of the types.
    pub(in crate::cli) types: Vec<String>,
    /// Column of var by which the genes of each file were matched; `None` for their names.
    pub(in crate::cli) by: Vec<Option<String>>,
    /// Counts and types of each file, in the order given.
    pub(in crate::cli) sets: Vec<(Counts, Option<Vec<Option<usize>>>)>,
}

impl Common {
    /// Matches genes by name, or by a column of var that holds the names of the others; where a file has a name twice, the
    /// first counts. In the order of the first file.
    pub(in crate::cli) fn new(
        files: &[File],
        asked: Option<&str>,
        console: &Console,
    ) -> Result<Self, CliError> {
        if files.is_empty() {
            return Err(CliError::usage("no files"));
        }
        let matched = matched(files, asked)?;
        for (file, names) in files.iter().zip(&matched) {
            if let Some(words) = names.words() {
                console.say(&format!("{}: {words}", file.path));
            }
        }
        let places: Vec<HashMap<&str, usize>> = matched.iter().map(GeneNames::places).collect();
        let everywhere = |name: &str| places.iter().all(|p| p.contains_key(name));
        let is_first = |i: usize, name: &str| places[0].get(name) == Some(&i);
        let all = matched[0].names.iter().enumerate().filter(|(i, n)| is_first(*i, n) && everywhere(n));
        let genes: Vec<String> = all.map(|(_, n)| n.clone()).collect();
        if genes.is_empty() {
            let some = |f: &File| {
                let names: Vec<_> = f.var.index.iter().take(3).collect();
                format!("{} has {}, …", f.path, names.join(", "))
            };
            let list: Vec<String> = files.iter().map(some).collect();
            return Err(CliError::input(format!(
                "the files have no genes in common ({}); give them the same gene names, or name a column of var that has \
                 them with --gene-column",
                list.join("; ")
            )));
        }
        let mut types: Vec<String> = Vec::new();
        for own in files.iter().filter_map(|f| f.labels.as_ref()).map(|l| &l.names) {
            let new: Vec<String> = own.iter().filter(|n| place(&types, own, n).is_none()).cloned().collect();
            types.extend(new);
        }
        let sets = files.iter().zip(&places).map(|(f, at)| {
            let mut to = vec![u32::MAX; f.var.len()];
            genes.iter().enumerate().for_each(|(new, name)| to[at[name.as_str()]] = new as u32);
            let labels = f.labels.as_ref().map(|l| {
                let new: Vec<Option<usize>> = l.names.iter().map(|n| place(&types, &l.names, n)).collect();
                l.codes.iter().map(|&c| new.get(c as usize).copied().flatten()).collect()
            });
            (moved(&f.counts, &to, genes.len()), labels)
        });
        let sets = sets.collect();
        let by = matched.iter().map(|m| m.column.clone()).collect();
        Ok(Self { sets, genes, types, by })
    }
}

/// The names of the genes of each file as the first spells them. Where the names of the first are not those of another,
/// a column of either is tried.
fn matched(files: &[File], asked: Option<&str>) -> Result<Vec<GeneNames>, CliError> {
    let usage = |e: crate::data::NoGeneColumn| CliError::usage(e.to_string());
    let all = |lead: Option<&str>| -> Result<Vec<GeneNames>, CliError> {
        let mut out: Vec<GeneNames> = Vec::new();
        for file in files {
            // Its own names first: with no genes wanted a column is taken as it is.
            let wanted = out.first().map_or(&[][..], |l| &l.names[..]);
            let column = if out.is_empty() { lead } else { asked.filter(|a| file.var.column(a).is_some()) };
            let mut names = GeneNames::find(&file.var, wanted, column).map_err(usage)?;
            if out.is_empty() {
                let own = names.names.clone();
                names = GeneNames {
                    names: own.clone(),
                    ..GeneNames::find(&file.var, &own, column).map_err(usage)?
                };
            }
            out.push(names);
        }
        Ok(out)
    };
    if let Some(asked) = asked {
        if files.iter().all(|f| f.var.column(asked).is_none()) {
            return Err(CliError::usage(format!("--gene-column {asked}: no file has var[\"{asked}\"]")));
        }
        return all(files.first().and_then(|f| f.var.column(asked)).map(|_| asked));
    }
    let plain = all(None)?;
    let poor = |names: &[GeneNames]| {
        let few = |(n, f): (&GeneNames, &File)| {
            2 * n.found < n.names.len().min(files[0].var.len()).min(f.var.len())
        };
        names.iter().zip(files).skip(1).any(few)
    };
    if !poor(&plain) {
        return Ok(plain);
    }
    for (column, _) in &files[0].var.columns {
        if let Ok(other) = all(Some(column))
            && !poor(&other)
        {
            return Ok(other);
        }
    }
    Ok(plain)
}

/// The place of a type among those of all files: that text, else the same value in another form (`1` in one file, `1.0` in
/// another), unless the file itself has both.
fn place(types: &[String], own: &[String], name: &str) -> Option<usize> {
    find_value(types.iter().map(String::as_str), name)
        .filter(|&i| types[i] == name || !own.contains(&types[i]))
}

/// Gene `i` as gene `to[i]` of `n`; genes that go nowhere are left out.
fn moved(counts: &Counts, to: &[u32], n: usize) -> Counts {
    let mut out = Counts::empty(n);
    let mut row: Vec<(u32, u32)> = Vec::new();
    for cell in 0..counts.n_cells() {
        let (genes, values) = counts.cell(cell);
        row.clear();
        row.extend(genes.iter().zip(values).map(|(&g, &v)| (to[g as usize], v)).filter(|e| e.0 != u32::MAX));
        row.sort_unstable();
        out.push(row.iter().copied());
    }
    out
}

/// Cells that are generated, or those that are not; none when they are all that is there, or the file does not tell.
fn rows(dataset: &Dataset, generated: bool) -> Result<Option<Vec<usize>>, CliError> {
    let told = dataset.obs.column(synthetic::COLUMN).and_then(synthetic::flags).is_some();
    let made = match synthetic::mask(dataset) {
        Some(made) => made,
        None if told && generated => vec![false; dataset.n_obs()],
        None => return Ok(None),
    };
    let rows: Vec<usize> = (0..made.len()).filter(|&i| made[i] == generated).collect();
    if rows.is_empty() {
        let what = if generated { "no cell is marked" } else { "every cell is marked" };
        return Err(CliError::input(format!(
            "{what} in obs[\"{}\"] or by its name; expected {} cells",
            synthetic::COLUMN,
            if generated { "generated" } else { "real" }
        )));
    }
    Ok(if rows.len() == made.len() { None } else { Some(rows) })
}

fn labels(dataset: &Dataset, args: &GenerationArgs, key: Option<&str>) -> Result<Option<Labels>, CliError> {
    let asked = args.cluster_key.as_deref();
    // A column found in the first file is looked for in the others, and may be missing there.
    let key = match (asked, key) {
        (None, Some(key)) if dataset.obs.column(key).is_none() => return Ok(None),
        (asked, key) => asked.or(key),
    };
    match Labels::of(&dataset.obs, key, args.unlabeled_category.as_deref()) {
        // A model that knows no types leaves all its cells without one.
        Err(LabelError::Unlabelled { .. }) => Ok(None),
        other => other.map_err(|e| label_error(&e)),
    }
}

fn label_error(e: &LabelError) -> CliError {
    let text = match e {
        LabelError::Data { source, .. } => format!("{e}: {source}"),
        _ => e.to_string(),
    };
    match e {
        LabelError::Missing { .. } | LabelError::Unknown { .. } => CliError::usage(text),
        _ => CliError::input(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genes_move_to_their_places_and_others_go() {
        let mut c = Counts::empty(3);
        c.push([(0, 5), (1, 6), (2, 7)]);
        let m = moved(&c, &[1, u32::MAX, 0], 2);
        assert_eq!(m.cell(0), (&[0u32, 1][..], &[7u32, 5][..]));
    }
}
