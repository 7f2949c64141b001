//! `scx demo`: a simulated experiment with known truth, corrected by the same code as real files.

use std::fmt::Write;
use std::path::Path;

use crate::cli::correct::{CorrectArgs, Ended, Outcome, execute, show};
use crate::cli::demo::DemoArgs;
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::files::WriteArgs;
use crate::cli::kit::losses;
use crate::cli::kit::process::{on_threads, print};
use crate::eval::{emd, median};
use crate::io::{self, Format, ReadOptions, WriteError, WriteOptions};
use crate::recipe::Transform;
use crate::rng::Seed;
use crate::simulate::{self, Experiment, MARKERS, SimulatedCells};

const SCALE: Transform = Transform::Arcsinh { cofactor: 5.0 };

/// Runs the verb.
pub(in crate::cli) fn run(args: &DemoArgs) -> Result<(), CliError> {
    let console = Console::new(false);
    let dir = &args.dir;
    let experiment = simulate::experiment(simulate::CytometrySettings::default(), Seed(args.seed));
    if dir.is_file() {
        return Err(CliError::usage(format!("{}: is a file; give a folder for the demo", dir.display())));
    }
    if !dir.is_dir() {
        std::fs::create_dir_all(dir).map_err(|e| WriteError::io(dir, e))?;
    }
    let files = [
        ("run1_control.fcs", &experiment.control[0]),
        ("run2_control.fcs", &experiment.control[1]),
        ("run1_control2.fcs", &experiment.second_control[0]),
        ("run2_control2.fcs", &experiment.second_control[1]),
        ("run1_sample.fcs", &experiment.sample[0]),
        ("run2_sample.fcs", &experiment.sample[1]),
    ];
    let results = ["run1_sample_corrected.fcs", "report.html"];
    for name in files.iter().map(|f| f.0).chain(results) {
        let path = dir.join(name);
        if !args.force && path.symlink_metadata().is_ok() {
            return Err(WriteError::Exists { path }.into());
        }
    }
    for (name, cells) in files {
        io::save(&cells.dataset(), Format::Fcs, &dir.join(name), args.force, &WriteOptions::default())?;
    }
    let path = |name: &str| dir.join(name);
    let text = |name: &str| path(name).to_string_lossy().into_owned();
    let request = CorrectArgs {
        spikein: vec![text("run1_control.fcs"), text("run2_control.fcs")],
        holdout: vec![text("run1_control2.fcs"), text("run2_control2.fcs")],
        sample: vec![path("run1_sample.fcs")],
        output: Some(path("run1_sample_corrected.fcs")),
        report: Some(path("report.html")),
        seed: Some(args.seed),
        writing: WriteArgs { force: args.force, ..WriteArgs::default() },
        ..CorrectArgs::default()
    };
    console.say(&format!(
        "made {1} files in {0}; now running:\n  scx correct --spikein {0}/run1_control.fcs {0}/run2_control.fcs \\\n    \
         --holdout {0}/run1_control2.fcs {0}/run2_control2.fcs \\\n    --sample {0}/run1_sample.fcs -o {0}/run1_sample_corrected.fcs --report {0}/report.html\n",
        dir.display(),
        files.len()
    ));
    let job = request.check()?;
    let (plans, Ended::Done(outcome)) = on_threads(args.threads.unwrap_or(0), || execute(&job, &console))?
    else {
        return Ok(());
    };
    plans.iter().for_each(|p| console.say(&losses::wrote(p)));
    print(&show::table(&job, &outcome))?;
    print(&truth(&experiment, &path("run1_sample_corrected.fcs"), &outcome)?)?;
    print(&format!("\nOpen {} in a browser to look at it.\n", path("report.html").display()))
}

/// How much of the artefact went and how much of the biology stayed; both are known here.
fn truth(experiment: &Experiment, corrected: &Path, outcome: &Outcome) -> Result<String, CliError> {
    let dataset = io::open(corrected, &ReadOptions::default())?;
    let names: Vec<String> = outcome.inputs.markers.iter().map(|m| m.name.clone()).collect();
    let columns: Vec<usize> = (0..MARKERS.len()).collect();
    let x = dataset.x.as_ref().ok_or_else(|| CliError::input("the corrected file has no events"))?;
    let mut guess = crate::recipe::ScaleGuess::default();
    let moved = crate::loader::table(x, &columns, &names, &vec![SCALE; columns.len()], &mut guess)
        .map_err(|e| CliError::input(format!("{}: {e}", corrected.display())))?;
    let scaled = |cells: &SimulatedCells, marker: &str| -> Vec<f32> {
        cells.marker(marker).iter().map(|&v| SCALE.forward(f64::from(v)) as f32).collect()
    };
    let after = |marker: &str| -> Vec<f32> {
        let j = MARKERS.iter().position(|m| *m == marker).unwrap_or(0);
        moved.column(j).to_vec()
    };
    let mut out =
        String::from("\nThe truth is known here (distance to the cells as run 2 would have seen them):\n");
    for marker in experiment.distorted.iter().take(4) {
        let target = scaled(&experiment.truth, marker);
        let was = emd(&mut scaled(&experiment.sample[0], marker), &mut target.clone());
        let is = emd(&mut after(marker), &mut target.clone());
        let gone = 100.0 * (1.0 - is / was);
        let _ = writeln!(out, "  artefact   {marker:10} {was:.2} → {is:.2}  ({gone:.0} % gone)");
    }
    let of = |population: &str, values: &[f32]| -> f64 {
        let kinds = experiment.sample[0].population.iter().zip(values);
        median(&mut kinds.filter(|(p, _)| **p == population).map(|(_, v)| *v).collect::<Vec<_>>())
    };
    let control = &experiment.control[1];
    let mut control_ccr6: Vec<f32> = control
        .population
        .iter()
        .zip(scaled(control, "CCR6"))
        .filter(|(p, _)| **p == "CD4 memory")
        .map(|(_, v)| v)
        .collect();
    let base = median(&mut control_ccr6);
    let made = of("CD4 memory", &scaled(&experiment.truth, "CCR6")) - base;
    let kept = of("CD4 memory", &after("CCR6")) - base;
    let _ = writeln!(
        out,
        "  biology    CCR6 of memory T cells above the control's: {made:.2} true, {kept:.2} after ({:.0} % kept)",
        100.0 * kept / made
    );
    let high = |values: &[f32], cut: f32| {
        values.iter().filter(|v| **v > cut).count() as f64 / values.len().max(1) as f64
    };
    let (ki, truth_ki) = (after("Ki67"), scaled(&experiment.truth, "Ki67"));
    let _ = writeln!(
        out,
        "  biology    Ki67+ plasmablasts, which no control has: {:.1} % of cells true, {:.1} % after",
        100.0 * high(&truth_ki, 2.2),
        100.0 * high(&ki, 2.2)
    );
    Ok(out)
}
