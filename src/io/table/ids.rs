//! Which columns of a table are ids: the names of the rows, or columns of obs, and never variables.

use std::collections::HashSet;
use std::path::Path;

use super::id_names::{CELLS, GENES, LEADING, is_id, plain};
use super::scan::{Scan, Seen};
use crate::io::error::ReadError;
use crate::io::options::ReadOptions;

/// Genes that nearly every table has.
const COMMON: &[&str] =
    &["ACTB", "GAPDH", "B2M", "MALAT1", "TP53", "RPLP0", "EEF1A1", "CD3E", "CD4", "MS4A1", "PTPRC"];
/// Row names looked at to tell whether they are genes.
const LOOKS: usize = 200;
/// Rows from which on a column beside the first one counts as ids when no number in it comes twice.
const MANY: u64 = 20;
/// What rows are called by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Nothing: they are numbered.
    Numbers,
    /// This column.
    Column(usize),
    /// The number of a cell in its field of view, and that field, as Seurat and squidpy call the cells of CosMx.
    CellOfField(usize, usize),
}

/// What becomes of each column.
#[derive(Debug)]
pub(super) struct Roles {
    /// The names of rows.
    pub(super) names: Names,
    /// Columns of obs, ascending.
    pub(super) obs: Vec<usize>,
    /// Columns of X, ascending.
    pub(super) x: Vec<usize>,
}

impl Scan {
    /// Name of a column: that of the header, or its position.
    pub(super) fn name(&self, i: usize) -> String {
        match self.header.as_ref().and_then(|h| h.get(i)) {
            // As pandas calls it.
            Some(name) if name.is_empty() => format!("Unnamed: {i}"),
            Some(name) => name.clone(),
            None => i.to_string(),
        }
    }

    /// Whether the first column has no name of its own.
    pub(super) fn unnamed(&self) -> bool {
        self.header.as_ref().and_then(|h| h.first()).is_some_and(|n| n.is_empty() || n == "Unnamed: 0")
    }

    /// The first entries of the first column.
    fn first_texts(&self) -> impl Iterator<Item = &str> {
        let texts = self.columns.first().and_then(|c| c.texts.as_deref()).unwrap_or(&[]);
        texts.iter().map(|t| t.as_deref().unwrap_or_default())
    }

    /// Whether the first column counts the rows, from 0 or from 1.
    fn counts(&self) -> bool {
        let from = |first: u64| self.first_texts().zip(first..).all(|(t, i)| t.parse() == Ok(i));
        self.n_rows > 0 && (from(0) || from(1))
    }

    /// Whether no entry of the first column comes twice.
    fn first_is_unique(&self) -> bool {
        let mut seen = HashSet::new();
        self.first_texts().all(|t| seen.insert(t))
    }

    fn known(&self, i: usize) -> bool {
        self.header.is_some() && is_id(&self.name(i)) && self.columns.get(i).is_some_and(Seen::could_be_ids)
    }
}

/// Decides what each column is. `pair` says that cells may be called by their number and their field of view.
///
/// # Errors
/// [`ReadError::NotThere`] for a column that was asked for and is not there.
pub(super) fn roles(
    path: &Path,
    found: &Scan,
    options: &ReadOptions,
    pair: bool,
) -> Result<Roles, ReadError> {
    let n = found.columns.len();
    let position = |option: &str, name: &String| {
        (0..n)
            .find(|i| found.name(*i) == *name || (*i == 0 && name.is_empty() && found.unnamed()))
            .ok_or_else(|| {
                let first: Vec<String> = (0..n.min(LEADING)).map(|i| found.name(i)).collect();
                let more = if n > LEADING { ", …" } else { "" };
                let what = format!(
                    "{option} {name}: there is no such column; the first are: {}{more}",
                    first.join(", ")
                );
                ReadError::NotThere { path: path.to_owned(), what }
            })
    };
    let asked =
        options.obs_columns.iter().map(|c| position("--obs-columns", c)).collect::<Result<Vec<_>, _>>()?;
    let names = match &options.index_column {
        Some(name) => Names::Column(position("--index-column", name)?),
        None => names(path, found, &asked, pair),
    };
    // Row numbers are what a table has anyway, once something else names its rows.
    let counted = found.unnamed() && names != Names::Column(0) && names != Names::Numbers && found.counts();
    let (mut obs, mut x) = (Vec::new(), Vec::new());
    for (i, column) in found.columns.iter().enumerate().skip(usize::from(counted)) {
        if names == Names::Column(i) {
            continue;
        }
        if column.is_numeric() && !asked.contains(&i) && !found.known(i) { x.push(i) } else { obs.push(i) }
    }
    Ok(Roles { names, obs, x })
}

/// What names the rows when nobody said so: the first column when it has no name of its own or is text that never repeats;
/// else the number of a cell and its field of view; else a column of ids that never repeat.
fn names(path: &Path, found: &Scan, asked: &[usize], pair: bool) -> Names {
    let unnamed = found.unnamed() && !asked.contains(&0);
    if unnamed && !found.counts() {
        return Names::Column(0);
    }
    let Some(first) = found.columns.first().filter(|_| found.columns.len() > 1) else {
        return Names::Numbers;
    };
    let text = (first.text || found.n_rows == 0) && !asked.contains(&0);
    if !unnamed && text && (found.header.is_none() || first.all_differ() || found.first_is_unique()) {
        return Names::Column(0);
    }
    if let Some(pair) = cell_of_field(found).filter(|_| pair) {
        return pair;
    }
    let names = |i: &usize| {
        let column = found.columns.get(*i);
        let known = found.known(*i) && CELLS.contains(&plain(&found.name(*i)).as_str());
        known && !asked.contains(i) && column.is_some_and(|c| !c.missing && c.all_differ())
    };
    if let Some(i) = (usize::from(unnamed)..found.columns.len()).find(names) {
        return Names::Column(i);
    }
    if unnamed {
        return Names::Column(0);
    }
    if text {
        tracing::warn!(
            "{}: the first column ({}) repeats values: it is a column of obs, and cells are numbered",
            path.display(),
            found.name(0)
        );
    }
    Names::Numbers
}

/// The columns of CosMx that together name a cell.
fn cell_of_field(found: &Scan) -> Option<Names> {
    let at = |wanted: &[&str]| {
        let small = |c: &Seen| c.is_numeric() && c.numbers && !c.missing && c.could_be_ids() && c.is_small();
        (0..found.columns.len())
            .find(|i| wanted.contains(&plain(&found.name(*i)).as_str()))
            .filter(|i| found.columns.get(*i).is_some_and(small))
    };
    found.header.as_ref()?;
    Some(Names::CellOfField(at(&["cellid"])?, at(&["fov", "fovid"])?))
}

/// Says which variables may be ids, and how to read them as such.
pub(super) fn suspicions(path: &Path, found: &Scan, roles: &Roles) {
    let differ = |i: &&usize| {
        let rows = if **i == 0 { 2 } else { MANY };
        found.columns.get(**i).is_some_and(|c| {
            c.numbers && !c.missing && c.could_be_ids() && c.first_rounded.is_none() && c.all_differ()
        }) && found.n_rows >= rows
    };
    let odd: Vec<String> = roles.x.iter().filter(differ).map(|i| found.name(*i)).collect();
    // Where every column is so, nothing of it looks like an id.
    let mut watched = roles.x.iter().filter(|i| **i < LEADING);
    let all = roles.x.len() > 1 && watched.all(|i| found.columns.get(*i).is_some_and(Seen::all_differ));
    if let Some(first) = odd.first().filter(|_| !all) {
        tracing::warn!(
            "{}: {}: whole numbers that are all different, read as a variable; if these are ids, add `--index-column \
             {first}` (they name the cells) or `--obs-columns {first}`",
            path.display(),
            odd.join(", ")
        );
    }
}

/// Says that rows look like genes.
pub(super) fn remark(path: &Path, found: &Scan, roles: &Roles) {
    let Names::Column(i) = roles.names else { return };
    let own = found.name(i);
    let titles: Vec<String> = roles.x.iter().take(LOOKS).map(|i| found.name(*i)).collect();
    let why = if GENES.contains(&plain(&own).as_str()) && found.header.is_some() {
        format!("they are named by the column {own}")
    } else if let Some(name) =
        (i == 0).then(|| found.first_texts().take(LOOKS).find(|t| is_gene(t))).flatten()
        && !titles.iter().any(|t| is_gene(t))
    {
        format!("{name} is one of them")
    } else if titles.len() > 1 && titles.iter().all(|t| is_barcode(t)) {
        format!("the columns look like barcodes, as {}", titles[0])
    } else {
        return;
    };
    tracing::warn!(
        "{}: rows are read as cells, and they look like genes: {why}; if they are, add --transpose",
        path.display()
    );
}

/// Whether a text is surely the name of a gene.
fn is_gene(text: &str) -> bool {
    let ensembl =
        text.strip_prefix("ENS").and_then(|t| t.split_once('G')).is_some_and(|(species, number)| {
            species.len() <= 4
                && species.bytes().all(|b| b.is_ascii_uppercase())
                && number.bytes().take_while(u8::is_ascii_digit).count() >= 8
        });
    ensembl || COMMON.contains(&text.to_uppercase().as_str())
}

/// Whether a text is a barcode: twelve bases or more, with a number behind it or not.
fn is_barcode(text: &str) -> bool {
    let end = text.find(['-', '.']).unwrap_or(text.len());
    end >= 8 && text.bytes().take(end).all(|b| matches!(b, b'A' | b'C' | b'G' | b'T' | b'N'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_known_by_their_names_and_genes_are_not_taken_for_them() {
        for id in [
            "cell",
            "cell_ID",
            "Cell_Index",
            "fov",
            "CellId",
            "barcode",
            "EntityID",
            "Cell ID",
            "sample_id",
            "ID",
        ] {
            assert!(is_id(id), "{id}");
        }
        for gene in ["BID", "GRID2", "CD4", "CELA1", "FOVX", "SPOTTED", "Cells", "Time", "area"] {
            assert!(!is_id(gene), "{gene}");
        }
    }

    #[test]
    fn names_of_genes_and_barcodes_are_told_from_others() {
        assert!(is_gene("ENSG00000141510") && is_gene("ENSMUSG00000059552.14") && is_gene("Actb"));
        assert!(!is_gene("ENS1") && !is_gene("cell1") && !is_gene("AAACCTGAGAAACCAT-1"));
        assert!(is_barcode("AAACCTGAGAAACCAT-1") && is_barcode("ACGTACGT") && !is_barcode("TAC1"));
    }
}
