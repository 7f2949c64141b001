//! From the text of a sheet to its rows.

use std::path::{Path, PathBuf};

use super::columns::{Columns, Role, missing};
use super::error::SheetError;
use super::paths;
use super::rows::{Sheet, SheetRow};
use crate::io::{TextRow, TextTable, read_text_table};

impl Sheet {
    /// Reads a sheet: CSV, TSV or text with semicolons. A column of files must be there; `runs` asks for one of runs, too. Files are
    /// looked for beside the sheet, then in the working folder; a pattern or a folder stands for all its files.
    ///
    /// # Errors
    /// [`SheetError`] with the line, what was found and what to do.
    pub fn read(path: &Path, runs: bool) -> Result<Self, SheetError> {
        let table = read_text_table(path)?;
        let columns = Columns::of(path, &table)?;
        if runs {
            columns.need(Role::Run, path, &table)?;
        }
        let mut sheet = Sheet { path: path.to_owned(), rows: Vec::new() };
        for row in &table.rows {
            Reader { path, table: &table, columns: &columns, row }.read(&mut sheet.rows)?;
        }
        if sheet.rows.is_empty() {
            return Err(SheetError::missing(path, "names no file; expected one row for each file"));
        }
        each_file_once(&sheet)?;
        Ok(sheet)
    }

    /// Refuses a sheet that marks no control.
    ///
    /// # Errors
    /// [`SheetError::Missing`] that says which column to add.
    pub fn need_controls(&self) -> Result<(), SheetError> {
        if self.rows.iter().any(|r| r.control) {
            return Ok(());
        }
        let header = read_text_table(&self.path)?.header;
        let table = TextTable { header, rows: Vec::new() };
        let what = match Columns::of(&self.path, &table)?.at(Role::Control) {
            Some(_) => "no file is marked as control; write 1 in its column control, for one file or more in every run".into(),
            None => missing(Role::Control, &table.header),
        };
        Err(SheetError::missing(&self.path, what))
    }
}

/// One row on its way.
struct Reader<'a> {
    path: &'a Path,
    table: &'a TextTable,
    columns: &'a Columns,
    row: &'a TextRow,
}

impl Reader<'_> {
    fn error(&self, what: impl Into<String>) -> SheetError {
        SheetError::row(self.path, self.row.line, what)
    }

    /// The text of a column; `None` when it is missing or empty.
    fn text(&self, role: Role) -> Option<&str> {
        let at = self.columns.at(role)?;
        self.row.fields.get(at).map(String::as_str).filter(|t| !t.is_empty())
    }

    fn yes(&self, role: Role) -> Result<bool, SheetError> {
        let Some(text) = self.text(role) else { return Ok(false) };
        match text.to_lowercase().trim_end_matches(".0") {
            "1" | "true" | "yes" | "y" | "t" => Ok(true),
            "0" | "false" | "no" | "n" | "f" | "na" | "nan" => Ok(false),
            _ => Err(self.error(format!("{} is {text}, expected 1 or 0, true or false", self.name(role)))),
        }
    }

    fn name(&self, role: Role) -> &str {
        let at = self.columns.at(role);
        at.and_then(|i| self.table.header.get(i)).map_or("", String::as_str)
    }

    fn cofactor(&self) -> Result<Option<f64>, SheetError> {
        let Some(text) = self.text(Role::Cofactor) else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(x) if x.is_finite() && x > 0.0 => Ok(Some(x)),
            _ => Err(self.error(format!("the cofactor is {text}, expected a number above 0, as 5 or 150"))),
        }
    }

    fn panel(&self) -> Result<Option<PathBuf>, SheetError> {
        let Some(name) = self.text(Role::Panel) else { return Ok(None) };
        match &paths::files(self.path, name).map_err(|what| self.error(format!("panel: {what}")))?[..] {
            [one] => Ok(Some(one.clone())),
            _ => Err(self.error(format!("panel: {name} stands for several files, expected one panel file"))),
        }
    }

    fn obs(&self) -> Vec<(String, String)> {
        let known = [Role::Sample, Role::Donor, Role::Group].into_iter().filter_map(|r| self.columns.at(r));
        let mut at: Vec<usize> = known.chain(self.columns.others.iter().copied()).collect();
        at.sort_unstable();
        at.into_iter().map(|i| (self.table.header[i].clone(), self.row.fields[i].clone())).collect()
    }

    fn read(&self, rows: &mut Vec<SheetRow>) -> Result<(), SheetError> {
        let Some(name) = self.text(Role::File) else {
            return Err(self.error("names no file"));
        };
        let run = match (self.columns.at(Role::Run), self.text(Role::Run)) {
            (Some(_), None) => return Err(self.error(format!("{name} has no run; every file needs its run"))),
            (_, run) => run.unwrap_or_default().to_owned(),
        };
        let (control, holdout) = (self.yes(Role::Control)?, self.yes(Role::Holdout)?);
        if control && holdout {
            return Err(self.error(format!(
                "{name} is control and holdout; nothing may be learnt from a held-out control, mark it as one of them"
            )));
        }
        let files = paths::files(self.path, name)
            .map_err(|what| SheetError::missing(self.path, format!("line {}: {what}", self.row.line)))?;
        let (panel, cofactor) = (self.panel()?, self.cofactor()?);
        rows.extend(files.into_iter().map(|file| SheetRow {
            line: self.row.line,
            file,
            run: run.clone(),
            control,
            holdout,
            sample: self.text(Role::Sample).map(str::to_owned),
            group: self.text(Role::Group).map(str::to_owned),
            panel: panel.clone(),
            cofactor,
            obs: self.obs(),
        }));
        Ok(())
    }
}

/// Refuses a file that the sheet names twice.
fn each_file_once(sheet: &Sheet) -> Result<(), SheetError> {
    let mut seen = std::collections::HashMap::new();
    for row in &sheet.rows {
        let place = row.file.canonicalize().unwrap_or_else(|_| row.file.clone());
        if let Some((line, run)) = seen.insert(place, (row.line, row.run.as_str())) {
            let file = row.file.display();
            let what = if run == row.run {
                format!("{file} is in line {line} too; name it once")
            } else {
                format!(
                    "{file} is in run {run} (line {line}) and in run {}; a file belongs to one run",
                    row.run
                )
            };
            return Err(SheetError::row(&sheet.path, row.line, what));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn study(sheet: &str, files: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let path = dir.path().join("study.csv");
        std::fs::write(&path, sheet).unwrap();
        (dir, path)
    }

    fn error(sheet: &str, files: &[&str]) -> String {
        let (_dir, path) = study(sheet, files);
        Sheet::read(&path, true).unwrap_err().to_string()
    }

    #[test]
    fn columns_are_found_whatever_their_case_and_others_become_obs() {
        let text = "File Name;BATCH; Is Control;Donor;Age\na.fcs;1;TRUE;d1;30\nb/*.fcs;2;0;d2;40\n";
        let (_dir, path) = study(text, &["a.fcs", "b/2.fcs", "b/1.fcs", "b/x.txt"]);
        let sheet = Sheet::read(&path, true).unwrap();
        let seen: Vec<_> = sheet
            .rows
            .iter()
            .map(|r| (r.file.file_name().unwrap().to_str().unwrap(), r.run.as_str(), r.control))
            .collect();
        assert_eq!(seen, [("a.fcs", "1", true), ("1.fcs", "2", false), ("2.fcs", "2", false)]);
        assert_eq!(sheet.rows[0].obs, [("Donor".into(), "d1".into()), ("Age".into(), "30".into())]);
        assert_eq!(sheet.runs(), ["1", "2"]);
    }

    #[test]
    fn a_folder_stands_for_its_files() {
        let (_dir, path) =
            study("file,run\nday1,1\nday2,2\n", &["day1/a.fcs", "day1/b.fcs", "day1/note.pdf", "day2/a.fcs"]);
        assert_eq!(Sheet::read(&path, true).unwrap().rows.len(), 3);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_what_to_do() {
        let e = error("fil,run\na,1\n", &[]);
        assert!(e.contains("no column file") && e.contains("did you mean fil?"), "{e}");
        let e = error("file,rum\na.fcs,1\n", &["a.fcs"]);
        assert!(e.contains("no column run (or batch)") && e.contains("did you mean rum?"), "{e}");
        let e = error("file,run\na.fcs,1\n*.lmd,2\n", &["a.fcs"]);
        assert!(e.contains("line 3: the pattern *.lmd matches no file"), "{e}");
        let e = error("file,run\na.fcs,1\nb.fcs,1\na.fcs,2\n", &["a.fcs", "b.fcs"]);
        assert!(e.contains("line 4") && e.contains("in run 1 (line 2) and in run 2"), "{e}");
        let e = error("file,run,control\na.fcs,1,maybe\n", &["a.fcs"]);
        assert!(e.contains("line 2: control is maybe, expected 1 or 0"), "{e}");
        let e = error("file,run,cofactor\na.fcs,1,-5\n", &["a.fcs"]);
        assert!(e.contains("cofactor is -5"), "{e}");
        let e = error("file,run\na.fcs,\n", &["a.fcs"]);
        assert!(e.contains("a.fcs has no run"), "{e}");
        let e = error("file,run,batch\na.fcs,1,1\n", &["a.fcs"]);
        assert!(e.contains("run and batch mean the same"), "{e}");
        assert!(error("file,run\n", &[]).contains("names no file"));
        assert!(error("file,run\na.fcs,1,2\n", &["a.fcs"]).contains("has 3 fields, the header has 2"));
    }

    #[test]
    fn groups_that_share_no_run_with_others_are_confounded() {
        let of = |rows: &str| {
            let (_dir, path) =
                study(&format!("file,run,group\n{rows}"), &["a.fcs", "b.fcs", "c.fcs", "d.fcs"]);
            Sheet::read(&path, true).unwrap().confounded()
        };
        let both = of("a.fcs,1,ill\nb.fcs,1,well\nc.fcs,2,ill\nd.fcs,2,well\n");
        assert!(both.is_empty());
        let apart = of("a.fcs,1,ill\nb.fcs,1,ill\nc.fcs,2,well\nd.fcs,2,well\n");
        assert_eq!(apart, [("ill".into(), vec!["1".into()]), ("well".into(), vec!["2".into()])]);
    }
}
