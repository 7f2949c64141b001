//! `scx correct --sheet`, step by step.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::correct::study::apply::{Done, Work};
use crate::cli::correct::study::learn::Material;
use crate::cli::correct::study::page;
use crate::cli::correct::study::plan::{Fate, Study};
use crate::cli::correct::study::records::{Records, is_done};
use crate::cli::correct::study::show;
use crate::cli::correct::study::survey::{Survey, Surveyed};
use crate::cli::correct::{CorrectArgs, pairs, show as scores};
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::output::Way;
use crate::cli::kit::process::on_threads;
use crate::correct::{self, Against, Experiment, Fitted, Marker, SampleScore, Verdict};
use crate::io::{self, OutputPlan, Table, WriteError};
use crate::panel::{self, Pairing, PanelFile};
use crate::progress::Progress;
use crate::recipe::Scale;

/// Runs the verb on a study.
pub(in crate::cli) fn run(args: CorrectArgs, sheet: &Path) -> Result<(), CliError> {
    let study = Study::of(args, sheet)?;
    let console = Console::new(study.how.running.quiet);
    for (group, runs) in study.sheet.confounded() {
        tracing::warn!(
            "the group {group} was measured in run {} only, without another group: a difference between groups cannot be told \
             from one between runs there, but by the controls",
            runs.join(", run ")
        );
    }
    let ended = on_threads(study.how.running.threads.unwrap_or(0), || execute(&study, &console))?;
    let way =
        Way::new("correct", &study.how.writing, &study.how.running, &console).with_table(Table::X).merged();
    let plans: Vec<OutputPlan> = ended.plans.iter().map(|p| p.1.clone()).collect();
    let text = show::text(&study, &ended);
    way.tell(&plans, show::json(&study, &ended), &text)?;
    let left: Vec<String> = ended.left_out.iter().map(|(_, e)| e.to_string()).collect();
    if left.is_empty() {
        return Ok(());
    }
    Err(CliError::findings(format!(
        "{} of {} files were left out (--keep-going):\n  {}",
        left.len(),
        study.sheet.rows.len(),
        left.join("\n  ")
    )))
}

/// What came of a study.
pub(in crate::cli) struct Ended {
    /// The markers, and how files were paired.
    pub pairing: Pairing,
    /// What was written, or would be, by row of the sheet.
    pub plans: Vec<(usize, OutputPlan)>,
    /// Rows whose outputs were there already.
    pub done: Vec<usize>,
    /// Files that could not be used, and why.
    pub left_out: Vec<(usize, CliError)>,
    /// SHA-256 of each file that was read, by row.
    pub hashes: Vec<(usize, String)>,
    /// Cells of each row that was read.
    pub cells: Vec<(usize, usize)>,
    /// What was learnt and how good it is; `None` in a dry run, and when everything was done.
    pub judged: Option<Judged>,
}

/// What was learnt, and how good it is.
pub(in crate::cli) struct Judged {
    /// Everything that was learnt.
    pub fitted: Fitted,
    /// One score a run.
    pub scores: Vec<SampleScore>,
    /// What to think of it; none with `--only`.
    pub verdict: Option<Verdict>,
    /// What was learnt from.
    pub experiment: Experiment,
    /// Cells that were learnt from: of controls, of samples.
    pub learnt_from: (usize, usize),
    /// Seconds spent on learning and scoring, and on correcting and writing.
    pub seconds: [f64; 2],
}

fn execute(study: &Study, console: &Console) -> Result<Ended, CliError> {
    check_targets(study)?;
    let survey = Survey::of(study, console)?;
    let Survey { mut files, mut left_out } = survey;
    let pairing = pair(study, &mut files)?;
    let markers = pairing.markers.clone();
    let names: Vec<String> = markers.iter().map(|m| m.name.clone()).collect();
    pairs::say(&pairing, &names, console);
    let scale = correct::own_cofactors(&study.how.scale, &markers)?;
    show::say(study, &files, console);
    let anchored: Vec<&Surveyed> = files
        .iter()
        .filter(|f| !matches!(study.fate(&study.sheet.rows[f.row]), Fate::Passed | Fate::Skipped))
        .collect();
    let records = Records::new(study, &anchored, &markers, &scale);
    let finished = |f: &Surveyed| study.resume && is_done(&study.outputs[f.row], &records.of(f));
    let (done, todo): (Vec<&Surveyed>, Vec<&Surveyed>) = files.iter().partition(|f| finished(f));
    let quiet = Console::new(true);
    let mut ended = Ended {
        pairing: pairing.clone(),
        plans: Vec::new(),
        done: done.iter().map(|f| f.row).collect(),
        left_out: Vec::new(),
        hashes: files.iter().map(|f| (f.row, f.sha256.clone())).collect(),
        cells: files.iter().map(|f| (f.row, f.shape.0)).collect(),
        judged: None,
    };
    let dry = study.how.running.dry_run;
    let nothing = |_: &str| Value::Null;
    let mut work = Work {
        study,
        markers: &markers,
        scale: &scale,
        records: &records,
        fitted: None,
        results: &nothing,
        quiet: &quiet,
    };
    let results: Vec<Done>;
    if dry || todo.is_empty() {
        results = if dry { work.all(&todo, console) } else { Vec::new() };
    } else {
        let started = std::time::Instant::now();
        let mut judged = learn(study, &anchored, &markers, &scale, console)?;
        judged.seconds[0] = started.elapsed().as_secs_f64();
        let result_of = |run: &str| {
            let of: Vec<SampleScore> = judged.scores.iter().filter(|s| s.run == run).cloned().collect();
            json!({"scores": scores::scores(&of), "verdict": judged.verdict})
        };
        work.fitted = Some(&judged.fitted);
        work.results = &result_of;
        let started = std::time::Instant::now();
        results = work.all(&todo, console);
        judged.seconds[1] = started.elapsed().as_secs_f64();
        ended.judged = Some(judged);
    }
    for (row, plan) in results {
        match plan {
            Ok(plan) => ended.plans.push((row, plan)),
            Err(e) if study.keep_going && matches!(e.code(), 3 | 4) => left_out.push((row, e)),
            Err(e) => return Err(e),
        }
    }
    left_out.sort_by_key(|l| l.0);
    ended.left_out = left_out;
    if let (Some(dir), Some(judged)) = (&study.how.save_model, &ended.judged) {
        judged.fitted.save(dir, study.how.writing.force)?;
        console.say(&format!("wrote {}", dir.display()));
    }
    if let (Some(path), Some(judged)) = (&study.how.report, &ended.judged) {
        let html = crate::report::render(&page::build(study, &ended, judged)?);
        let force = study.how.writing.force || study.resume;
        io::replace(path, force, |tmp| std::fs::write(tmp, &html).map_err(|e| WriteError::io(tmp, e)))?;
        console.say(&format!("wrote {}", path.display()));
    }
    Ok(ended)
}

/// Refuses, before any work, to replace files without leave.
fn check_targets(study: &Study) -> Result<(), CliError> {
    let leave = study.how.writing.force || study.resume;
    let report = study.how.report.iter().filter(|_| !study.how.writing.force && !study.resume);
    let outputs = study.outputs.iter().filter(|_| !leave);
    match outputs.chain(report).find(|p| p.symlink_metadata().is_ok()) {
        Some(path) => Err(CliError::from(WriteError::Exists { path: path.clone() })
            .with(", or --resume to finish what an earlier run of the same settings has begun")),
        None => Ok(()),
    }
}

/// The markers of the study, and the columns of each file that hold them.
fn pair(study: &Study, files: &mut [Surveyed]) -> Result<Pairing, CliError> {
    let told = study.how.panel.as_deref().map(PanelFile::read).transpose()?;
    let mut own: Vec<(&PathBuf, PanelFile)> = Vec::new();
    for path in study.sheet.rows.iter().filter_map(|r| r.panel.as_ref()) {
        if !own.iter().any(|o| o.0 == path) {
            own.push((path, PanelFile::read(path)?));
        }
    }
    let looked: Vec<panel::File<'_>> = files
        .iter()
        .map(|f| {
            let row = &study.sheet.rows[f.row];
            let mut file = panel::File::new(row.file.display().to_string(), &f.var);
            file.values.clone_from(&f.values);
            file.panel = own.iter().find(|o| Some(o.0) == row.panel.as_ref()).map(|o| &o.1);
            file
        })
        .collect();
    if looked.is_empty() {
        return Err(CliError::input(format!("{}: no file can be used", study.sheet.path.display())));
    }
    for (path, panel) in &own {
        let of = looked.iter().zip(files.iter());
        let of = of.filter(|(_, f)| study.sheet.rows[f.row].panel.as_ref() == Some(path));
        panel.fits(&of.map(|(l, _)| l.clone()).collect::<Vec<_>>())?;
    }
    let pairing = Pairing::of(&looked, told.as_ref(), study.how.markers.as_deref())?;
    for (file, columns) in files.iter_mut().zip(&pairing.columns) {
        file.columns.clone_from(columns);
    }
    Ok(pairing)
}

fn learn(
    study: &Study,
    files: &[&Surveyed],
    markers: &[Marker],
    scale: &Scale,
    console: &Console,
) -> Result<Judged, CliError> {
    let Material { experiment, cells } = Material::read(study, files, markers, scale, console)?;
    let how = &study.how;
    let mut fitted = correct::fit(&experiment, markers.to_vec(), scale.clone(), how.plan(), console)?;
    fitted.reference = Some(study.reference.name().to_owned());
    console.check()?;
    let mut scores = Vec::new();
    let runs = if how.only { &[][..] } else { &experiment.runs[..] };
    console.start("scoring", runs.len() as u64);
    for run in runs {
        console.advance(scores.len() as u64, &run.name);
        let fit = fitted
            .run(&run.name)
            .ok_or_else(|| CliError::input(format!("nothing was learnt for run {}", run.name)))?;
        let tables = &experiment.tables;
        let halves = fitted.halves(run, tables, &fitted.methods())?;
        for sample in &run.samples {
            let against = Against { fitted: &fitted, fit, run: Some(run), halves: &halves, tables };
            scores.push(against.score(sample, how.method)?);
        }
        console.check()?;
    }
    console.finish();
    let verdict = (!how.only).then(|| correct::verdict(how.method, &scores));
    Ok(Judged { fitted, scores, verdict, experiment, learnt_from: cells, seconds: [0.0; 2] })
}
