//! The report of a study: an overview, then the figures of each run.

use crate::cli::correct::page::{Drawn, group, judged, loss, settings};
use crate::cli::correct::study::plan::{Fate, Study};
use crate::cli::correct::study::run::{Ended, Judged};
use crate::cli::correct::{pairs, show as scores};
use crate::cli::kit::error::CliError;
use crate::cli::kit::show::thousands;
use crate::report::{Report, ScoreTable};

/// Everything the page shows.
///
/// # Errors
/// [`CliError`] when cells cannot be moved.
pub(super) fn build(study: &Study, ended: &Ended, found: &Judged) -> Result<Report, CliError> {
    let Judged { fitted, scores: all, verdict, experiment, .. } = found;
    let held_out = all.iter().any(|s| s.methods.iter().any(|m| m.holdout.is_some()));
    let cells: usize = ended.cells.iter().map(|c| c.1).sum();
    let panels = experiment
        .runs
        .iter()
        .flat_map(|run| run.samples.iter().map(move |sample| (run, sample)))
        .map(|(run, sample)| {
            let drawn = Drawn {
                how: &study.how,
                fitted,
                markers: &ended.pairing.markers,
                tables: &experiment.tables,
                fit: fitted.run(&run.name),
                run: Some(run),
                sample,
                score: all.iter().find(|s| s.run == run.name),
            };
            let files = |control: bool| {
                let of = study.sheet.rows.iter().filter(|r| r.run == run.name && r.control == control);
                let names: Vec<String> = of
                    .map(|r| r.file.file_name().unwrap_or_default().to_string_lossy().into_owned())
                    .collect();
                match names.len() {
                    0..=4 => names.join(", "),
                    n => format!("{}, … ({n} files)", names[..3].join(", ")),
                }
            };
            let made_of = vec![
                ("source control".to_owned(), files(true)),
                ("target control".to_owned(), format!("controls of {}", study.moved_to())),
                (
                    "sample".to_owned(),
                    format!("{}; {} of their cells", files(false), thousands(sample.scored.rows.len())),
                ),
            ];
            drawn.panel(format!("run {}", run.name), made_of)
        })
        .collect::<Result<_, _>>()?;
    Ok(Report {
        title: "Batch correction of a study from spike-in controls".into(),
        subtitle: format!(
            "{} · {} runs · {} files · {} cells · {} markers",
            study.how.method.name(),
            study.sheet.runs().len(),
            study.sheet.rows.len(),
            thousands(cells),
            ended.pairing.markers.len()
        ),
        unit: fitted.scale.label(),
        verdict: judged(&study.how, all, verdict.as_ref()),
        score: ScoreTable {
            columns: scores::columns(held_out),
            groups: all.iter().map(|s| group(format!("run {}", s.run), s, study.how.method)).collect(),
        },
        panels,
        loss: loss(fitted),
        parameters: parameters(study, ended, found),
        provenance: provenance(study, ended),
        warnings: warnings(study, ended, found),
        notes: pairs::unequal(&ended.pairing)
            .into_iter()
            .map(|line| format!("Paired with {}: {line}.", ended.pairing.first))
            .collect(),
    })
}

fn parameters(study: &Study, ended: &Ended, found: &Judged) -> Vec<(String, String)> {
    let (controls, samples) = found.learnt_from;
    let mut out = settings(&study.how, &found.fitted);
    out.extend([
        ("markers".to_owned(), ended.pairing.how.clone()),
        ("moved to".to_owned(), study.moved_to()),
        (
            "learnt from".to_owned(),
            format!("{} cells of controls, {} of samples", thousands(controls), thousands(samples)),
        ),
    ]);
    out
}

fn provenance(study: &Study, ended: &Ended) -> Vec<(String, String)> {
    let mut out = vec![
        ("scx".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("sheet".to_owned(), study.sheet.path.display().to_string()),
    ];
    out.extend(ended.hashes.iter().map(|(row, hash)| {
        let row = &study.sheet.rows[*row];
        let role = if row.control { "control" } else { "sample" };
        let name = row.file.file_name().unwrap_or_default().to_string_lossy();
        (format!("{role}, run {}", row.run), format!("{name} · SHA-256 {hash}"))
    }));
    out
}

fn warnings(study: &Study, ended: &Ended, found: &Judged) -> Vec<String> {
    let mut out: Vec<String> =
        pairs::left(&ended.pairing).into_iter().map(|l| format!("Left uncorrected: {l}.")).collect();
    for run in &study.unanchored {
        let fate = study.sheet.rows.iter().find(|r| r.run == *run).map_or(Fate::Skipped, |r| study.fate(r));
        out.push(format!("Run {run}: {}.", fate.words()));
    }
    out.extend(study.sheet.confounded().into_iter().map(|(group, runs)| {
        format!("The group {group} was measured in run {} only, without another group.", runs.join(", run "))
    }));
    out.extend(ended.left_out.iter().map(|(_, e)| format!("Left out: {e}.")));
    for run in &found.fitted.runs {
        let untouched = ended.pairing.markers.iter().zip(&run.untouched).filter(|(_, u)| **u);
        let names: Vec<&str> = untouched.map(|(m, _)| m.name.as_str()).collect();
        if !names.is_empty() {
            out.push(format!(
                "Run {}: constant in a control and left uncorrected: {}.",
                run.name,
                names.join(", ")
            ));
        }
    }
    out
}
