//! `scx panel`.

use serde_json::json;

use crate::cli::kit::error::CliError;
use crate::cli::kit::process::print;
use crate::cli::kit::targets;
use crate::cli::panel::{PanelArgs, show};
use crate::data::{Frame, Summary};
use crate::io::{self, WriteError};
use crate::panel::{File, FirstPanel, PanelFile};

/// What is kept of a file: its names and a look at its values.
struct Looked {
    name: String,
    var: Frame,
    values: Vec<Summary>,
}

/// Runs the verb.
pub(in crate::cli) fn run(args: &PanelArgs) -> Result<(), CliError> {
    if let Some(output) = &args.output {
        let inputs: Vec<_> = args.files.iter().chain(&args.panel).collect();
        targets::check(output, &inputs, args.force, false)?;
        targets::check_folder(output, output)?;
    }
    let given = args.panel.as_deref().map(PanelFile::read).transpose()?;
    let mut looked = Vec::new();
    for path in &args.files {
        let name = path.display().to_string();
        let dataset = io::open(path, &args.reading.options(None))?;
        let values = File::of(name.clone(), &dataset, dataset.x.as_ref())?.values;
        looked.push(Looked { name, var: dataset.var, values });
    }
    let files: Vec<File<'_>> = looked
        .iter()
        .map(|l| File { name: l.name.clone(), var: &l.var, values: l.values.clone(), panel: None })
        .collect();
    let first = FirstPanel::of(&files, given.as_ref())?;
    if let Some(output) = &args.output {
        let text = first.csv();
        io::replace(output, args.force, |tmp| {
            std::fs::write(tmp, &text).map_err(|e| WriteError::io(tmp, e))
        })?;
    }
    let output = args.output.as_ref().map(|o| o.display().to_string());
    if args.json {
        let all = json!({"schema_version": 1, "verb": "panel", "output": output, "panel": first});
        return print(&(all.to_string() + "\n"));
    }
    print(&show::text(&first, output.as_deref()))
}
