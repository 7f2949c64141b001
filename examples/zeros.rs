//! Prints the table on exact zeros of `docs/neuron-edit.md`: `--zeros keep` against `--zeros move` by the distance to the truth.
//!
//! `SCX_REAL_DATA=DIR cargo run --release --example zeros [EXPERIMENTS]`. Simulated experiments of mass cytometry without
//! randomisation come first (values below 2.5 are 0, all are whole numbers); then the real ones of the example `quality`.
#![allow(clippy::print_stdout)]

mod held_out;

use std::path::PathBuf;

use held_out::{Case, Result, SCALE, cytofin, cytonorm, fit, reversed};
use ndarray::Array2;
use scx::correct::{Fitted, Marker, Method, Preset, Zeros, zero_share};
use scx::eval::emd;
use scx::rng::Seed;
use scx::simulate::drift::{DRIFT, DriftExperiment, random_gains};
use scx::zoo::Length;

const METHODS: [Method; 3] = [Method::NeuronEdit, Method::Ambient, Method::MeanShift];

/// Counts as a mass cytometer without randomisation gives them.
fn counted(x: &Array2<f32>) -> Array2<f32> {
    x.mapv(|v| {
        let raw = SCALE.inverse(f64::from(v));
        SCALE.forward(if raw < 2.5 { 0.0 } else { raw.round() }) as f32
    })
}

fn simulated(seed: Seed, gains: [f64; 10], name: &str) -> Case {
    let e = DriftExperiment::new(seed, gains);
    let tables = [&e.source, &e.target, &e.sample, &e.truth(&e.sample)].map(counted).into();
    let marker = |column| Marker { column, name: format!("m{column}"), ..Marker::default() };
    Case { name: name.into(), markers: (0..10).map(marker).collect(), tables, paper: Length::Steps(3000) }
}

fn distance(a: &Array2<f32>, b: &Array2<f32>) -> f64 {
    let one = |j: usize| emd(&mut a.column(j).to_vec(), &mut b.column(j).to_vec());
    (0..a.ncols()).map(one).sum::<f64>() / a.ncols() as f64
}

/// Distances to the truth by method and rule, and shares of zeros: sample, truth.
fn measured(case: &Case) -> Result<[f64; 9]> {
    let (_, mut fitted): (_, Fitted) = fit(case, Preset::Default, 0)?;
    let [x, truth] = [&case.tables[2], &case.tables[3]];
    let mut all = [0.0; 9];
    all[0] = zero_share(x.view());
    all[1] = zero_share(truth.view());
    all[2] = distance(x, truth);
    for (i, method) in METHODS.into_iter().enumerate() {
        for (k, rule) in [Zeros::Keep, Zeros::Move].into_iter().enumerate() {
            fitted.plan.zeros = rule;
            let moved = fitted.apply(&fitted.runs[0], method, x.view())?.values;
            all[3 + 2 * i + k] = distance(&moved, truth);
        }
    }
    Ok(all)
}

fn print(name: &str, m: [f64; 9]) {
    let pair = |i: usize| format!("{:.4} / {:.4}", m[i], m[i + 1]);
    println!(
        "| {name} | {:.1} % | {:.1} % | {:.4} | {} | {} | {} |",
        100.0 * m[0],
        100.0 * m[1],
        m[2],
        pair(3),
        pair(5),
        pair(7)
    );
}

fn main() -> Result<()> {
    let n: u64 = std::env::args().nth(1).map_or(Ok(5), |a| a.parse())?;
    println!(
        "| experiment | zeros of the sample | of the truth | uncorrected | neuron-edit keep / move | ambient | mean-shift |"
    );
    println!("|---|---|---|---|---|---|---|");
    for kind in ["fixed", "random"] {
        let mut mean = [0.0; 9];
        for seed in (0..n).map(Seed) {
            let gains = if kind == "fixed" { DRIFT } else { random_gains(seed) };
            let m = measured(&simulated(seed, gains, kind))?;
            mean.iter_mut().zip(m).for_each(|(all, one)| *all += one / n as f64);
        }
        print(&format!("simulated, {kind} gains, mean of {n}"), mean);
    }
    let Ok(root) = std::env::var("SCX_REAL_DATA").map(PathBuf::from) else {
        println!("SCX_REAL_DATA is not set: real experiments are left out");
        return Ok(());
    };
    let known: Vec<Case> = cytofin(&root)?.into_iter().chain(cytonorm(&root)?).collect();
    let back: Vec<Case> = known.iter().map(reversed).collect();
    for case in known.into_iter().chain(back) {
        print(&case.name, measured(&case)?);
    }
    Ok(())
}
