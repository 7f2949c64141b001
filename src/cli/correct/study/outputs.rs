//! Where each file of a study goes: a folder that mirrors the folders of the inputs.

use std::path::{Path, PathBuf};

use crate::cli::correct::how::How;
use crate::cli::kit::error::CliError;
use crate::cli::kit::targets::{plain, same};
use crate::io::Format;
use crate::sheet::Sheet;

/// The target of each file of the sheet.
///
/// # Errors
/// [`CliError`] when the folder is a file, two files would get one name, or an input would be replaced.
pub(super) fn paths(sheet: &Sheet, folder: &Path, how: &How) -> Result<Vec<PathBuf>, CliError> {
    if folder.exists() && !folder.is_dir() {
        return Err(CliError::usage(format!("-o {}: is a file; a study needs a folder", folder.display())));
    }
    let inputs: Vec<PathBuf> = sheet.rows.iter().map(|r| plain(&r.file)).collect();
    let root = common_folder(&inputs);
    let outputs: Vec<PathBuf> = inputs
        .iter()
        .map(|file| folder.join(named(file.strip_prefix(&root).unwrap_or(file), how.writing.to)))
        .collect();
    for (i, output) in outputs.iter().enumerate() {
        if let Some(j) = outputs[..i].iter().position(|o| o == output) {
            return Err(CliError::usage(format!(
                "{} and {} would both be written to {}; rename one of them",
                inputs[j].display(),
                inputs[i].display(),
                output.display()
            )));
        }
        if let Some(input) = inputs.iter().find(|input| same(input, output)) {
            return Err(CliError::usage(format!(
                "{}: is an input; the input is never changed, give another folder with -o",
                input.display()
            )));
        }
    }
    Ok(outputs)
}

/// The deepest folder that all files lie in.
fn common_folder(files: &[PathBuf]) -> PathBuf {
    let folder = |p: &PathBuf| p.parent().map(Path::to_owned).unwrap_or_default();
    let mut root = files.first().map(folder).unwrap_or_default();
    for file in files {
        while !file.starts_with(&root) {
            root.pop();
        }
    }
    root
}

/// The name of the output of a file: its own, without what packs it, with the ending of another format where that is asked
/// for.
fn named(file: &Path, to: Option<Format>) -> PathBuf {
    let packed = file.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
    let file = if packed { file.with_extension("") } else { file.to_owned() };
    match to {
        Some(to) if to.codec().folder => file.with_extension(""),
        Some(to) => file.with_extension(to.codec().extensions.first().unwrap_or(&"")),
        None => file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_mirror_the_folders_of_the_inputs() {
        let files = ["/d/study/run1/a.fcs", "/d/study/run2/x/a.fcs.gz"].map(PathBuf::from);
        assert_eq!(common_folder(&files), PathBuf::from("/d/study"));
        assert_eq!(common_folder(&files[..1]), PathBuf::from("/d/study/run1"));
        assert_eq!(named(Path::new("x/a.fcs.gz"), None), PathBuf::from("x/a.fcs"));
        assert_eq!(named(Path::new("x/a.fcs"), Some(Format::H5ad)), PathBuf::from("x/a.h5ad"));
    }
}
