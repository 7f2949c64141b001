//! Folders of counts that scx does not read: which tool wrote them, and what to do; and folders around matrices.

use std::path::{Path, PathBuf};

use super::listing::{entries, file_name, matrices};

/// A layout of another tool, told by the names of files without `.gz`.
struct Layout {
    /// What it is.
    what: &'static str,
    /// Ends of names, each of which some file must have.
    signs: &'static [&'static str],
    /// What to do.
    advice: &'static str,
}

const LAYOUTS: &[Layout] = &[
    Layout {
        what: "counts of Parse Biosciences (split-pipe), cells × genes",
        signs: &["all_genes.csv", ".mtx"],
        advice: "this version of scx does not read them; give anndata.h5ad of the same folder where there is one, or \
                 read the files in Python (scanpy.read_mtx, pandas.read_csv) and write h5ad",
    },
    Layout {
        what: "counts of alevin-fry, cells × genes",
        signs: &["quants_mat.mtx"],
        advice: "this version of scx does not read them; write h5ad with pyroe (pyroe convert) or with simpleaf quant \
                 --anndata-out",
    },
    Layout {
        what: "counts of alevin",
        signs: &["quants_mat_rows.txt"],
        advice: "this version of scx does not read them; read them in R (tximport) or write h5ad with pyroe convert",
    },
    Layout {
        what: "counts of kallisto and bustools, cells × genes",
        signs: &[".barcodes.txt", ".mtx"],
        advice: "this version of scx does not read them; run kb count with --h5ad, which writes a file that scx reads",
    },
    Layout {
        what: "spliced and unspliced counts of STARsolo (Velocyto)",
        signs: &["unspliced.mtx", "spliced.mtx", "barcodes.tsv"],
        advice: "this version of scx reads one of the matrices at a time: give spliced.mtx, unspliced.mtx or \
                 ambiguous.mtx",
    },
    Layout {
        what: "counts of peaks by Cell Ranger ATAC",
        signs: &["peaks.bed", ".mtx"],
        advice: "scx reads them from HDF5: give filtered_peak_bc_matrix.h5 of the same outs/ folder",
    },
];

/// Which tool's layout a folder has, with its files and what to do; `None` when it is none of these.
pub(super) fn foreign(folder: &Path) -> Option<String> {
    let names: Vec<String> = entries(folder).iter().filter_map(|p| plain(p)).collect();
    let layout = LAYOUTS.iter().find(|l| l.signs.iter().all(|s| names.iter().any(|n| n.ends_with(s))))?;
    let mut found: Vec<String> =
        entries(folder).iter().filter(|p| p.is_file()).map(|p| file_name(p)).collect();
    found.sort();
    let more = if found.len() > 5 { ", …" } else { "" };
    found.truncate(5);
    Some(format!("{} ({}{more}); {}", layout.what, found.join(", "), layout.advice))
}

/// The name of a file without `.gz`.
fn plain(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    Some(name.strip_suffix(".gz").unwrap_or(name).to_owned())
}

/// Folders looked into: those of a run of Cell Ranger are fewer.
const FOLDERS: usize = 300;
/// How deep: `run/outs/per_sample_outs/NAME/count/sample_filtered_feature_bc_matrix`.
const DEEPEST: usize = 5;

/// Matrices somewhere below a folder: folders with the files of one, and HDF5 files with the name of one.
pub(super) fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut next = vec![(folder.to_owned(), 0)];
    let mut seen = 0;
    while let Some((at, depth)) = next.pop() {
        seen += 1;
        if seen > FOLDERS {
            break;
        }
        for path in entries(&at) {
            let name = file_name(&path);
            if name.starts_with('.') {
                continue;
            }
            if path.is_dir() && !path.is_symlink() {
                if !matrices(&path).is_empty() {
                    found.push(path);
                } else if depth < DEEPEST {
                    next.push((path, depth + 1));
                }
            } else if name.ends_with("matrix.h5") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Names matrices to choose from.
pub(super) fn choice(found: &[PathBuf]) -> String {
    let mut shown: Vec<String> = found.iter().take(8).map(|p| p.display().to_string()).collect();
    if found.len() > shown.len() {
        shown.push(format!("{} more", found.len() - shown.len()));
    }
    let has = |word: &str| found.iter().any(|p| file_name(p).contains(word));
    let hint = if has("filtered") && has("raw") { " (filtered: cells; raw: all barcodes)" } else { "" };
    format!("give one of those in it{hint}: {}", shown.join(", "))
}
