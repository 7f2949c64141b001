//! Prints the quality table of `docs/neuron-edit.md`: every method on held-out controls of real experiments.
//!
//! `SCX_REAL_DATA=DIR cargo run --release --example quality [SEED...]`. One control measured in two runs (cytofin) is
//! split by CD4: learn on one half, score on the other; CytoNorm's three runs learn on control 1, score on control 2.
//! Two simulated experiments come first; they need no files.
#![allow(clippy::print_stdout)]

mod held_out;

use std::path::PathBuf;

use held_out::{Case, Result, SCALE, cytofin, cytonorm, fit, reversed};
use ndarray::Array2;
use scx::correct::{Codes, Guess, Joined, Method, Preset};
use scx::eval::{emd, median, pearson};
use scx::zoo::Length;
use scx::{panel, rng, simulate};

/// The simulated experiment of `scx demo`; no choice was made on it.
fn simulated(seed: u64) -> Result<Case> {
    let e = simulate::experiment(simulate::CytometrySettings::default(), rng::Seed(seed));
    let markers = panel::choose(&panel::File::new("truth", &e.truth.dataset().var), None, None)?.markers;
    let tables = [&e.control[0], &e.control[1], &e.sample[0], &e.truth]
        .map(|cells| cells.values.mapv(|v| SCALE.forward(f64::from(v)) as f32))
        .into();
    Ok(Case { name: format!("simulated, seed {seed}"), markers, tables, paper: Length::Steps(3000) })
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
