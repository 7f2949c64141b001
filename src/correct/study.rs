//! An experiment of many runs, each with controls and samples of several files: controls are pooled with equal weight,
//! and runs are moved to one of them or to the mean of all.

use ndarray::{Array2, ArrayView2, Axis, concatenate};

use super::experiment::check_control;
use super::{CorrectError, Experiment, Run, Sample};
use crate::classic::{PercentileMap, Tail, weighted_quantiles};
use crate::loader::Group;
use crate::rng::Seed;

/// Cells of each control that are pooled at least, where it has them: a smaller control does not cut the others down
/// further.
const LEAST: usize = 1000;

/// Quantiles a mean of runs runs through: 0.5 %, 1.5 %, …, 99.5 %.
const KNOTS: usize = 100;

/// Where runs are moved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// One of the runs.
    Run(String),
    /// The mean of the controls of all runs, quantile by quantile: the goal "mean" of CytoNorm.
    Mean,
}

impl Reference {
    /// Its name, for people and records.
    pub fn name(&self) -> &str {
        match self {
            Reference::Run(name) => name,
            Reference::Mean => "mean",
        }
    }
}

/// One run of a study, on the model's scale.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyRun {
    /// Its name.
    pub name: String,
    /// Its controls, cells × markers each, and what they are called.
    pub controls: Vec<(String, Array2<f32>)>,
    /// Cells of its samples; some of them are enough.
    pub samples: Array2<f32>,
    /// Its held-out controls, pooled.
    pub holdout: Option<Array2<f32>>,
}

/// Controls of one run as one, each with the same weight: the same number of cells of each. A control of fewer than 1,000
/// cells counts with what it has.
pub fn pooled(controls: &[(String, Array2<f32>)], title: &str) -> Array2<f32> {
    let fewest = controls.iter().map(|c| c.1.nrows()).min().unwrap_or(0);
    let take = if controls.len() == 1 { fewest } else { fewest.max(LEAST) };
    for (name, cells) in controls.iter().filter(|c| c.1.nrows() < take) {
        tracing::warn!(
            "{title}: the control {name} has {} cells and counts less than the others, {take} cells each",
            cells.nrows()
        );
    }
    let some = |(i, cells): (usize, &Array2<f32>)| {
        let rows = Seed(0).stream(&format!("study/pool/{i}")).sample(cells.nrows(), take);
        cells.select(Axis(0), &rows)
    };
    let parts: Vec<Array2<f32>> = controls.iter().map(|c| &c.1).enumerate().map(some).collect();
    stacked(&parts)
}

fn stacked(parts: &[Array2<f32>]) -> Array2<f32> {
    let views: Vec<ArrayView2<'_, f32>> = parts.iter().map(|p| p.view()).collect();
    concatenate(Axis(0), &views)
        .unwrap_or_else(|_| Array2::zeros((0, parts.first().map_or(0, |p| p.ncols()))))
}

/// Control cells as they would lie in the mean run: every quantile of every marker is the mean of the runs' quantiles, each
/// run counting once.
pub fn mean_control(controls: &[Array2<f32>]) -> Array2<f32> {
    let at: Vec<f64> = (0..KNOTS).map(|k| (k as f64 + 0.5) / KNOTS as f64).collect();
    let width = controls.first().map_or(0, |c| c.ncols());
    let fewest = controls.iter().map(|c| c.nrows()).min().unwrap_or(0).max(LEAST);
    let mut moved: Vec<Array2<f32>> = controls
        .iter()
        .enumerate()
        .map(|(i, c)| {
            let rows = Seed(0).stream(&format!("study/mean/{i}")).sample(c.nrows(), fewest);
            c.select(Axis(0), &rows)
        })
        .collect();
    for j in 0..width {
        let quantiles: Vec<Vec<f64>> = controls
            .iter()
            .map(|c| {
                let values: Vec<f64> = c.column(j).iter().map(|&v| f64::from(v)).collect();
                weighted_quantiles(&values, &vec![1.0; values.len()], &at)
            })
            .collect();
        let mean = |k: usize| quantiles.iter().map(|q| q[k]).sum::<f64>() / quantiles.len().max(1) as f64;
        let goal: Vec<f64> = (0..KNOTS).map(mean).collect();
        for (cells, own) in moved.iter_mut().zip(&quantiles) {
            let map = PercentileMap::through(own, &goal, Tail::Shift);
            cells.column_mut(j).mapv_inplace(|v| map.apply(f64::from(v)) as f32);
        }
    }
    stacked(&moved)
}

/// The experiment of a study. Runs must have controls; the reference run is not moved, with [`Reference::Mean`] all are.
///
/// # Errors
/// [`CorrectError`] when the reference is no run, or a control has too few cells.
pub fn from_study(
    markers: Vec<String>,
    runs: Vec<StudyRun>,
    reference: &Reference,
) -> Result<Experiment, CorrectError> {
    let mut tables = Tables::default();
    let mut placed = Vec::new();
    for run in runs {
        let title = format!("run {}", run.name);
        let control = pooled(&run.controls, &title);
        check_control(&title, "its control", control.nrows())?;
        if let Some(held) = &run.holdout {
            check_control(&title, "its held-out control", held.nrows())?;
        }
        let held = run.holdout.map(|h| tables.add(h));
        placed.push((run.name, tables.add(control), tables.add(run.samples), held));
    }
    let target = match reference {
        Reference::Run(name) => {
            let found = placed.iter().find(|r| r.0 == *name);
            let (_, control, _, held) = found.ok_or_else(|| {
                CorrectError::usage(format!("the reference run {name} is not among the runs with a control"))
            })?;
            (*control, *held)
        }
        Reference::Mean => {
            let of = |pick: &dyn Fn(usize) -> Option<usize>| -> Vec<Array2<f32>> {
                (0..placed.len()).filter_map(pick).map(|t| tables.0[t].clone()).collect()
            };
            let control = mean_control(&of(&|i| Some(placed[i].1)));
            let held = of(&|i| placed[i].3);
            // A mean of some runs only would be another place than the mean of all.
            let held = (held.len() == placed.len()).then(|| mean_control(&held));
            (tables.add(control), held.map(|h| tables.add(h)))
        }
    };
    let moved = placed.iter().filter(|r| *reference == Reference::Mean || r.0 != reference.name());
    let runs = moved
        .map(|(name, control, samples, held)| {
            let cells = tables.whole(*samples);
            Run {
                name: name.clone(),
                title: format!("run {name}"),
                source: tables.whole(*control),
                target: tables.whole(target.0),
                samples: vec![Sample {
                    name: name.clone(),
                    scored: cells.clone(),
                    learnt: cells.clone(),
                    cells,
                }],
                holdout: held.zip(target.1).map(|(s, t)| (tables.whole(s), tables.whole(t))),
            }
        })
        .collect();
    let learnt = (0..tables.0.len()).filter(|t| Some(*t) != target.1);
    let training = learnt.map(|t| tables.whole(t)).collect();
    Ok(Experiment { markers, tables: tables.0, runs, training })
}

#[derive(Default)]
struct Tables(Vec<Array2<f32>>);

impl Tables {
    fn add(&mut self, table: Array2<f32>) -> usize {
        self.0.push(table);
        self.0.len() - 1
    }

    fn whole(&self, table: usize) -> Group {
        Group { table, rows: (0..self.0[table].nrows()).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(n: usize, at: f32, seed: u64) -> Array2<f32> {
        let mut s = Seed(seed).stream("study/tests");
        Array2::from_shape_fn((n, 1), |_| at + s.normal() as f32)
    }

    fn median(x: &Array2<f32>) -> f64 {
        crate::eval::median(&mut x.column(0).to_vec())
    }

    fn run(name: &str, controls: Vec<Array2<f32>>) -> StudyRun {
        let controls = controls.into_iter().enumerate().map(|(i, c)| (format!("c{i}"), c)).collect();
        StudyRun { name: name.into(), controls, samples: cells(100, 0.0, 9), holdout: None }
    }

    #[test]
    fn controls_count_alike_whatever_their_sizes() {
        let controls = vec![("a".into(), cells(30_000, 0.0, 1)), ("b".into(), cells(2000, 4.0, 2))];
        let pool = pooled(&controls, "run 1");
        assert_eq!(pool.nrows(), 4000);
        assert!((pool.mean().unwrap() - 2.0).abs() < 0.1);
        let controls = vec![("a".into(), cells(30_000, 0.0, 1)), ("b".into(), cells(50, 4.0, 2))];
        assert_eq!(pooled(&controls, "run 1").nrows(), 1050);
        assert_eq!(pooled(&controls[1..], "run 1").nrows(), 50);
    }

    #[test]
    fn the_mean_of_runs_lies_between_them_whatever_their_sizes() {
        let mean = mean_control(&[cells(20_000, 0.0, 1), cells(3000, 3.0, 2), cells(3000, 6.0, 3)]);
        assert_eq!(mean.nrows(), 9000);
        assert!((median(&mean) - 3.0).abs() < 0.1, "{}", median(&mean));
        assert!((f64::from(mean.std(0.0)) - 1.0).abs() < 0.05, "quantiles are averaged, cells are not mixed");
    }

    #[test]
    fn one_run_stays_and_with_the_mean_all_are_moved() {
        let runs = || vec![run("a", vec![cells(500, 0.0, 1)]), run("b", vec![cells(500, 2.0, 2)])];
        let one = from_study(vec!["m".into()], runs(), &Reference::Run("a".into())).unwrap();
        assert_eq!(one.runs.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["b"]);
        assert_eq!(median(&one.runs[0].target.gather(&one.tables)), median(&cells(500, 0.0, 1)));
        let all = from_study(vec!["m".into()], runs(), &Reference::Mean).unwrap();
        assert_eq!(all.runs.len(), 2);
        assert!((median(&all.runs[0].target.gather(&all.tables)) - 1.0).abs() < 0.15);
        let e = from_study(vec!["m".into()], runs(), &Reference::Run("c".into())).unwrap_err();
        assert!(e.to_string().contains("reference run c"), "{e}");
        let few = vec![run("a", vec![cells(500, 0.0, 1)]), run("b", vec![cells(1, 0.0, 1)])];
        let e = from_study(vec!["m".into()], few, &Reference::Mean).unwrap_err();
        assert!(e.to_string().contains("run b: its control has 1 cell, at least 20"), "{e}");
    }

    #[test]
    fn nothing_is_learnt_from_the_held_out_target() {
        let mut runs = vec![run("a", vec![cells(500, 0.0, 1)]), run("b", vec![cells(500, 2.0, 2)])];
        runs.iter_mut().for_each(|r| r.holdout = Some(cells(60, 1.0, 4)));
        let e = from_study(vec!["m".into()], runs, &Reference::Run("a".into())).unwrap();
        let (source, target) = e.runs[0].holdout.clone().unwrap();
        assert!(e.training.iter().any(|g| g.table == source.table));
        assert!(e.training.iter().all(|g| g.table != target.table));
    }
}
