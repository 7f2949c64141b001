//! Prints the quality table of `docs/neuron-edit.md`: every method on held-out controls of real experiments.
//!
//! `SCX_REAL_DATA=DIR cargo run --release --example quality [SEED...]`. One control measured in two runs (cytofin) is
//! split by CD4: learn on one half, score on the other; CytoNorm's three runs learn on control 1, score on control 2.
//! Two simulated experiments come first; they need no files.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::{Path, PathBuf};

use ndarray::{Array2, Axis};
use scx::correct::{self, Codes, Experiment, FitPlan, Fitted, Guess, Joined, Marker, Method, Preset, Roles};
use scx::eval::{emd, median, pearson};
use scx::recipe::{ScaleGuess, Transform};
use scx::zoo::{Length, TrainConfig};
use scx::{io, loader, nn, panel, progress, rng, simulate};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SCALE: Transform = Transform::Arcsinh { cofactor: 5.0 };

struct Case {
    name: String,
    markers: Vec<Marker>,
    /// Source control, target control, sample, truth.
    tables: Vec<Array2<f32>>,
    /// Training of `--preset paper`.
    paper: Length,
}

fn read(path: &Path) -> Result<(Vec<Marker>, Array2<f32>)> {
    let dataset = io::open(path, &io::ReadOptions::default())?;
    let markers =
        panel::choose(&panel::File::of("input", &dataset, dataset.x.as_ref())?, None, None)?.markers;
    let columns: Vec<usize> = markers.iter().map(|m| m.column).collect();
    let names: Vec<String> = markers.iter().map(|m| m.name.clone()).collect();
    let x = dataset.x.as_ref().ok_or("no X")?;
    Ok((markers, loader::table(x, &columns, &names, SCALE, &mut ScaleGuess::default())?))
}

fn cytofin(root: &Path) -> Result<Vec<Case>> {
    let dir = root.join("fcs/cytofin");
    let (markers, a) = read(&dir.join("Yescarta-Exhaustion-032219_CD19-HA-Control.fcs"))?;
    let (_, b) = read(&dir.join("Yescarta-Exhaustion-102518_Sample_18_HA-Control.fcs"))?;
    let cd4 = markers.iter().position(|m| m.name == "CD4").ok_or("no CD4")?;
    let subset = |x: &Array2<f32>, positive: bool| {
        let rows: Vec<usize> =
            (0..x.nrows()).filter(|&i| (x[(i, cd4)] > 2.5) == positive).take(9000).collect();
        x.select(Axis(0), &rows)
    };
    Ok([true, false]
        .map(|spike| Case {
            name: format!("CD4{} → CD4{}", if spike { "+" } else { "−" }, if spike { "−" } else { "+" }),
            markers: markers.clone(),
            tables: vec![subset(&a, spike), subset(&b, spike), subset(&a, !spike), subset(&b, !spike)],
            paper: Length::Steps(3000),
        })
        .into())
}

fn cytonorm(root: &Path) -> Result<Vec<Case>> {
    let file = |run: &str, control: u32| {
        read(&root.join(format!("fcs/cytonorm/Gates_PTLG{run}_Unstim_Control_{control}.fcs")))
    };
    [("021", "028"), ("021", "034"), ("028", "034")]
        .into_iter()
        .map(|(from, to)| {
            let markers = file(from, 1)?.0;
            let tables = vec![file(from, 1)?.1, file(to, 1)?.1, file(from, 2)?.1, file(to, 2)?.1];
            Ok(Case { name: format!("{from} → {to}"), markers, tables, paper: Length::Epochs(40) })
        })
        .collect()
}

/// The simulated experiment of `scx demo`; no choice was made on it.
fn simulated(seed: u64) -> Result<Case> {
    let e = simulate::experiment(simulate::CytometrySettings::default(), rng::Seed(seed));
    let markers = panel::choose(&panel::File::new("truth", &e.truth.dataset().var), None, None)?.markers;
    let tables = [&e.control[0], &e.control[1], &e.sample[0], &e.truth]
        .map(|cells| cells.values.mapv(|v| SCALE.forward(f64::from(v)) as f32))
        .into();
    Ok(Case { name: format!("simulated, seed {seed}"), markers, tables, paper: Length::Steps(3000) })
}

/// The same experiment with the runs the other way round; no choice was made on these.
fn reversed(case: &Case) -> Case {
    let [s, t, x, y] = [0, 1, 2, 3].map(|i| case.tables[i].clone());
    Case {
        name: format!("{}, runs reversed", case.name),
        markers: case.markers.clone(),
        tables: vec![t, s, y, x],
        paper: case.paper,
    }
}

fn fit(case: &Case, preset: Preset, seed: u64) -> Result<(Experiment, Fitted)> {
    let names: Vec<String> = case.markers.iter().map(|m| m.name.clone()).collect();
    let files = ["source", "target", "sample", "truth"].map(String::from);
    let roles = Roles { source: 0, target: 1, holdout: Some((2, 3)), samples: vec![2] };
    let experiment = correct::from_files(names, case.tables.clone(), &files, &roles)?;
    let length = if preset == Preset::Paper { case.paper } else { Length::Steps(3000) };
    let train = TrainConfig::plain(100, length, nn::AdamConfig::default());
    let plan = FitPlan { preset, hidden: vec![500, 250, 50], train, seed: rng::Seed(seed) };
    let fitted = correct::fit(&experiment, case.markers.clone(), SCALE, plan, &progress::Silent)?;
    Ok((experiment, fitted))
}

fn medians(x: &Array2<f32>) -> Vec<f64> {
    x.columns().into_iter().map(|c| median(&mut c.to_vec())).collect()
}

/// r / r_true / EMD of a corrected sample.
fn row(tables: &[Array2<f32>], moved: &Array2<f32>) -> String {
    let [s, t, x, y, m] = [&tables[0], &tables[1], &tables[2], &tables[3], moved].map(medians);
    let minus = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>();
    let r = |a: &[f64], b: &[f64]| pearson(a, b).map_or("  –  ".into(), |r| format!("{r:.3}"));
    let distance = (0..moved.ncols())
        .map(|j| emd(&mut moved.column(j).to_vec(), &mut tables[3].column(j).to_vec()))
        .sum::<f64>()
        / moved.ncols() as f64;
    let v = minus(&m, &x);
    format!("{}/{}/{distance:.4}", r(&minus(&t, &s), &v), r(&minus(&y, &x), &v))
}

fn main() -> Result<()> {
    let root = std::env::var("SCX_REAL_DATA").map(PathBuf::from);
    let mut seeds: Vec<u64> =
        std::env::args().skip(1).map(|s| s.parse()).collect::<std::result::Result<_, _>>()?;
    if seeds.is_empty() {
        seeds = vec![0, 1];
    }
    println!("r / r_true / EMD on the held-out control");
    let mut cases = vec![simulated(0)?, simulated(1)?];
    match root {
        Ok(root) => {
            let known: Vec<Case> = cytofin(&root)?.into_iter().chain(cytonorm(&root)?).collect();
            let back: Vec<Case> = known.iter().map(reversed).collect();
            cases.extend(known);
            cases.extend(back);
        }
        Err(_) => println!("SCX_REAL_DATA is not set: real experiments are left out"),
    }
    for case in cases {
        println!("\n{}", case.name);
        let print = |name: &str, moved: &Array2<f32>| println!("  {name:32} {}", row(&case.tables, moved));
        let sample = case.tables[2].view();
        let (source, target) = (case.tables[0].view(), case.tables[1].view());
        let guess = Guess::fit(source, target, true);
        let bare = Joined::fit(Codes::Markers, guess, source, target, sample)?;
        let mut first = true;
        for &seed in &seeds {
            let (_, paper) = fit(&case, Preset::Paper, seed)?;
            if std::mem::take(&mut first) {
                for method in [Method::None, Method::MeanShift, Method::Ambient] {
                    print(method.name(), &paper.apply(&paper.runs[0], method, sample)?.values);
                }
                print("default, markers for neurons", &bare.apply(Codes::Markers, sample)?.0);
            }
            let (_, default) = fit(&case, Preset::Default, seed)?;
            let shift = paper.apply(&paper.runs[0], Method::ConstantShift, sample)?.values;
            print(&format!("constant-shift, seed {seed}"), &shift);
            let edit = paper.apply(&paper.runs[0], Method::NeuronEdit, sample)?.values;
            print(&format!("neuron-edit paper, seed {seed}"), &edit);
            let joined = default.apply(&default.runs[0], Method::NeuronEdit, sample)?.values;
            print(&format!("neuron-edit default, seed {seed}"), &joined);
        }
    }
    Ok(())
}
