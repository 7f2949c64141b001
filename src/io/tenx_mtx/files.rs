//! Which files of a folder belong together.

use std::path::{Path, PathBuf};

use super::layouts::{below, choice, foreign};
use super::listing::{file_name, folders, matrices, stem};
use crate::io::error::ReadError;
use crate::io::options::ReadOptions;

/// Names of the files of a 10x folder, whatever wrote it: only these are replaced with it.
pub const FILES: &[&str] = &[
    "matrix.mtx.gz",
    "features.tsv.gz",
    "barcodes.tsv.gz",
    "matrix.mtx",
    "features.tsv",
    "genes.tsv",
    "genes.tsv.gz",
    "barcodes.tsv",
];

/// The three files of a matrix.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) matrix: PathBuf,
    pub(super) features: PathBuf,
    pub(super) barcodes: PathBuf,
}

/// Whether a folder seems to hold a matrix, or is around one: [`find`] says which to give.
pub(super) fn holds_matrix(folder: &Path) -> bool {
    !matrices(folder).is_empty() || foreign(folder).is_some() || !below(folder).is_empty()
}

/// Finds the files, given the folder or the matrix itself.
///
/// # Errors
/// [`ReadError`] that says what is missing, or between what to choose.
pub(super) fn find(path: &Path, options: &ReadOptions) -> Result<Files, ReadError> {
    if !path.is_dir() {
        without_genomes(path, path.parent(), options)?;
        return companions(path);
    }
    let mut found = matrices(path);
    if found.is_empty() {
        found = matrices(&sub_folder(path, options)?);
    } else {
        without_genomes(path, Some(path), options)?;
    }
    let of_another = || foreign(found.first().and_then(|m| m.parent()).unwrap_or(path));
    match found.as_slice() {
        [one] => companions(one),
        several => {
            let below = if several.is_empty() { below(path) } else { Vec::new() };
            let what = match of_another() {
                Some(what) => what,
                None if !below.is_empty() => format!("the folder holds no matrix itself; {}", choice(&below)),
                None if several.is_empty() => {
                    let what = "it is a folder without a matrix.mtx or matrix.mtx.gz".into();
                    return Err(ReadError::NotRecognised { path: path.to_owned(), what });
                }
                None => {
                    format!("the folder holds several matrices ({}); give one of them", names(several))
                }
            };
            Err(ReadError::unsupported(path, what))
        }
    }
}

/// Fails when a genome is asked for and the folder is not its own: the files name none.
fn without_genomes(path: &Path, folder: Option<&Path>, options: &ReadOptions) -> Result<(), ReadError> {
    match &options.genome {
        Some(genome) if folder.and_then(Path::file_name).is_none_or(|n| n != genome.as_str()) => {
            let what =
                format!("the files name no genomes, so {genome} cannot be chosen; leave --genome away");
            Err(ReadError::unsupported(path, what))
        }
        _ => Ok(()),
    }
}

/// The sub-folder with the matrix, as Cell Ranger 2 makes one for each genome.
fn sub_folder(path: &Path, options: &ReadOptions) -> Result<PathBuf, ReadError> {
    let fitting: Vec<PathBuf> = folders(path).into_iter().filter(|f| !matrices(f).is_empty()).collect();
    match (fitting.as_slice(), &options.genome) {
        ([one], None) => Ok(one.clone()),
        (several, Some(genome)) => {
            several.iter().find(|f| f.file_name().is_some_and(|n| n == genome.as_str())).cloned().ok_or_else(
                || {
                    let what = format!("there is no genome {genome}; there are: {}", names(several));
                    ReadError::malformed(path, "folder", what)
                },
            )
        }
        ([], None) => Ok(path.to_owned()),
        (several, None) if !several.iter().all(|f| is_genome(f)) => {
            let what = format!("the folder holds several matrices; {}", choice(&below(path)));
            Err(ReadError::unsupported(path, what))
        }
        (several, None) => {
            let what = format!(
                "the folder holds a matrix for each of the genomes {}; choose one with --genome or give its folder",
                names(several)
            );
            Err(ReadError::unsupported(path, what))
        }
    }
}

/// Whether a folder with a matrix may be that of a genome in the output of Cell Ranger 2: later ones have none, and
/// `filtered_feature_bc_matrix` or a sample is no genome.
fn is_genome(folder: &Path) -> bool {
    let name = file_name(folder);
    let other = ["matrix", "matrices", "raw", "filtered"].iter().any(|word| name.contains(word));
    !other && !["features.tsv", "features.tsv.gz"].iter().any(|f| folder.join(f).is_file())
}

fn names(paths: &[PathBuf]) -> String {
    paths.iter().map(|p| file_name(p)).collect::<Vec<_>>().join(", ")
}

/// The tables beside a matrix.
fn companions(matrix: &Path) -> Result<Files, ReadError> {
    let stem = stem(matrix).unwrap_or_default();
    let prefixes: Vec<String> = match stem.strip_suffix("matrix") {
        Some(prefix) => vec![prefix.to_owned()],
        None => ["_", ".", "-"].iter().map(|s| format!("{stem}{s}")).chain([String::new()]).collect(),
    };
    let folder = matrix.parent().unwrap_or(Path::new(""));
    let beside = |kinds: &[&str]| {
        let candidates = prefixes
            .iter()
            .flat_map(|p| kinds.iter().flat_map(move |k| [format!("{p}{k}.tsv"), format!("{p}{k}.tsv.gz")]));
        candidates.map(|name| folder.join(name)).find(|p| p.is_file())
    };
    let missing = |kinds: &[&str]| {
        if let Some(what) = foreign(folder) {
            return ReadError::unsupported(matrix, what);
        }
        let prefix = prefixes.first().map_or("", String::as_str);
        let wanted = kinds.iter().map(|k| format!("{prefix}{k}.tsv[.gz]")).collect::<Vec<_>>().join(" or ");
        ReadError::malformed(matrix, "folder", format!("there is no {wanted} beside it"))
    };
    let features = &["features", "genes"];
    Ok(Files {
        matrix: matrix.to_owned(),
        features: beside(features).ok_or_else(|| missing(features))?,
        barcodes: beside(&["barcodes"]).ok_or_else(|| missing(&["barcodes"]))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        dir
    }

    fn found(names: &[&str], at: &str) -> Result<[String; 3], String> {
        let dir = folder(names);
        let name = |p: PathBuf| p.strip_prefix(dir.path()).unwrap().to_string_lossy().into_owned();
        find(&dir.path().join(at), &ReadOptions::default())
            .map(|f| [name(f.matrix), name(f.features), name(f.barcodes)])
            .map_err(|e| e.to_string())
    }

    #[test]
    fn files_with_a_name_in_front_are_found_from_the_folder_and_from_the_matrix() {
        let names = ["GSM1_matrix.mtx.gz", "GSM1_genes.tsv", "GSM1_barcodes.tsv.gz"];
        let want = Ok(["GSM1_matrix.mtx.gz", "GSM1_genes.tsv", "GSM1_barcodes.tsv.gz"].map(String::from));
        assert_eq!(found(&names, ""), want);
        assert_eq!(found(&names, "GSM1_matrix.mtx.gz"), want);
        let two = [names.as_slice(), &["GSM2_matrix.mtx.gz"]].concat();
        let e = found(&two, "").unwrap_err();
        assert!(e.contains("several matrices (GSM1_matrix.mtx.gz, GSM2_matrix.mtx.gz)"), "{e}");
        assert_eq!(found(&two, "GSM1_matrix.mtx.gz"), want);
    }

    #[test]
    fn the_matrix_called_matrix_comes_before_others_and_a_lone_sub_folder_is_entered() {
        let names =
            ["a/hg19/matrix.mtx", "a/hg19/genes.tsv", "a/hg19/barcodes.tsv", "a/hg19/EM.mtx", "a/x.txt"];
        let want = ["a/hg19/matrix.mtx", "a/hg19/genes.tsv", "a/hg19/barcodes.tsv"].map(String::from);
        assert_eq!(found(&names, "a"), Ok(want));
        let direct = found(&names, "a/hg19/EM.mtx").unwrap();
        assert_eq!(direct[2], "a/hg19/barcodes.tsv");
    }

    #[test]
    fn several_genomes_are_named_and_one_can_be_chosen() {
        let dir = folder(&["hg19/matrix.mtx", "hg19/genes.tsv", "hg19/barcodes.tsv", "mm10/matrix.mtx"]);
        let e = find(dir.path(), &ReadOptions::default()).unwrap_err().to_string();
        assert!(e.contains("genomes hg19, mm10; choose one with --genome"), "{e}");
        let genome = |g: &str| ReadOptions { genome: Some(g.into()), ..ReadOptions::default() };
        assert!(find(dir.path(), &genome("hg19")).is_ok());
        assert!(find(&dir.path().join("hg19"), &genome("hg19")).is_ok());
        assert!(find(&dir.path().join("hg19"), &genome("mm10")).is_err());
        assert!(find(dir.path(), &genome("rn6")).unwrap_err().to_string().contains("there are: hg19, mm10"));
    }
}
