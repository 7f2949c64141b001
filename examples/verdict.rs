//! How often the verdict of `scx correct` is right: 300 simulated experiments whose truth is known (docs/verdict.md).
//!
//!     cargo run --release --example verdict [FIRST_SEED [EXPERIMENTS]]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::error::Error;

use ndarray::{Array2, ArrayView2};
use scx::correct::{self, Evidence, FitPlan, Halves, Level, Method, Preset, RunFit, Zeros};
use scx::nn::AdamConfig;
use scx::recipe::Transform;
use scx::rng::Seed;
use scx::simulate::drift::{DRIFT, DriftExperiment, moved, random_gains};
use scx::zoo::{Length, TrainConfig};
use scx::{loader, progress};

const SCALE: Transform = Transform::Arcsinh { cofactor: 5.0 };

type Found = Result<Level, Box<dyn Error>>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let first: u64 = args.next().map_or(Ok(0), |a| a.parse())?;
    let n: u64 = args.next().map_or(Ok(300), |a| a.parse())?;
    for drift in ["fixed", "random"] {
        println!("{n} experiments, seeds {first} to {}, {drift} gains", first + n - 1);
        println!("| what is judged | good | caution | bad |\n|---|---|---|---|");
        let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
        for seed in (first..first + n).map(Seed) {
            let gains = if drift == "fixed" { DRIFT } else { random_gains(seed) };
            let e = DriftExperiment::new(seed, gains);
            let wrong = gains.map(|g| 1.0 / g);
            let trial = Trial::new(&e)?;
            let mut count = |what: &'static str, level: Level| {
                counts.entry(what).or_default()[level as usize] += 1;
            };
            let truth = trial.evidence(|x| e.truth(&x.to_owned()))?;
            if truth.level(Method::Ambient) != Level::Good {
                eprintln!("seed {}, {drift} gains: the exact truth is not good: {truth:?}", seed.0);
            }
            count("1 the exact truth", truth.level(Method::Ambient));
            count("2 nothing is moved", trial.of(|x| x.to_owned())?);
            count("3 the wrong way", trial.of(|x| moved(&x.to_owned(), &wrong))?);
            count("4 ambient", trial.method(Method::Ambient)?);
            count("5 mean-shift", trial.method(Method::MeanShift)?);
        }
        for (what, [good, caution, bad]) in counts {
            println!("| {} | {good} | {caution} | {bad} |", &what[2..]);
        }
        println!();
    }
    Ok(())
}

/// One experiment, with the maps that its controls say.
struct Trial<'a> {
    e: &'a DriftExperiment,
    halves: Halves,
    fit: RunFit,
}

impl<'a> Trial<'a> {
    fn new(e: &'a DriftExperiment) -> Result<Self, Box<dyn Error>> {
        let halves = Halves::of(e.source.view(), e.target.view());
        Ok(Self { e, halves, fit: maps(e.source.view(), e.target.view())? })
    }

    /// The verdict on a way to move cells that does not learn.
    fn of(&self, way: impl Fn(ArrayView2<'_, f32>) -> Array2<f32>) -> Found {
        Ok(self.evidence(way)?.level(Method::Ambient))
    }

    fn evidence(&self, way: impl Fn(ArrayView2<'_, f32>) -> Array2<f32>) -> Result<Evidence, Box<dyn Error>> {
        let halves = self.halves.judge(|_, cells| Ok::<_, Box<dyn Error>>(way(cells)))?;
        Ok(self.seen(halves, way(self.e.sample.view())))
    }

    /// The verdict on a method, which learns from the halves it is given.
    fn method(&self, method: Method) -> Found {
        let by = |fit: &RunFit, x: ArrayView2<'_, f32>| match method {
            Method::MeanShift => {
                let mut y = x.to_owned();
                y.columns_mut().into_iter().zip(&fit.mean_shift).for_each(|(mut c, s)| c += *s as f32);
                y
            }
            _ => fit.mapped(x),
        };
        let halves = self.halves.judge(|[s, t], cells| Ok::<_, Box<dyn Error>>(by(&maps(s, t)?, cells)))?;
        Ok(self.seen(halves, by(&self.fit, self.e.sample.view())).level(Method::Ambient))
    }

    fn seen(&self, halves: correct::HeldOut, sample: Array2<f32>) -> Evidence {
        let x = self.e.sample.view();
        Evidence {
            halves: Some(halves),
            follows: correct::follows(x, sample.view(), self.fit.mapped(x).view()),
            ..Evidence::default()
        }
    }
}

/// The maps of two controls.
fn maps(source: ArrayView2<'_, f32>, target: ArrayView2<'_, f32>) -> Result<RunFit, Box<dyn Error>> {
    let tables = vec![source.to_owned(), target.to_owned()];
    let whole = |table: usize| loader::Group { table, rows: (0..tables[table].nrows()).collect() };
    let run = correct::Run {
        name: "run".into(),
        title: "run".into(),
        source: whole(0),
        target: whole(1),
        samples: Vec::new(),
        holdout: None,
    };
    let markers = (0..source.ncols()).map(|j| format!("m{j}")).collect();
    let experiment = correct::Experiment { markers, tables, runs: vec![run], training: Vec::new() };
    let plan = FitPlan {
        preset: Preset::Default,
        hidden: vec![8],
        train: TrainConfig::plain(100, Length::Steps(1), AdamConfig::default()),
        seed: Seed(0),
        method: Method::Ambient,
        zeros: Zeros::Move,
    };
    let fitted = correct::fit(&experiment, Vec::new(), SCALE, plan, &progress::Silent)?;
    fitted.runs.into_iter().next().ok_or_else(|| "no run".into())
}
