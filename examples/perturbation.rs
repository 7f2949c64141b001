//! Prints the table of held-out types and the time it took: `perturbation FILE [MODEL,MODEL]`, for a file with obs
//! `condition` (control, stimulated) and `cell_type`. Variable genes are chosen without the cells that are held out.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

use scx::io::{self, ReadOptions};
use scx::predict::{Cells, Holdout, KINDS, Kind, Row, Sought, choose, hold_out};
use scx::progress::Silent;
use scx::recipe::Options;
use scx::rng::Seed;

/// Figures of one model, added up over the types.
type Sums = BTreeMap<String, (usize, f64, [f64; 7])>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: perturbation FILE [MODEL,MODEL]")?;
    let wanted = args.next();
    let named = |k: &&Kind| wanted.as_ref().is_none_or(|w| w.split(',').any(|w| w == k.name));
    let kinds: Vec<&'static Kind> = KINDS.iter().filter(named).collect();
    let dataset = io::open(Path::new(&path), &ReadOptions::default())?;
    let sought = Sought {
        condition_key: "condition".into(),
        source: "control".into(),
        target: "stimulated".into(),
        cell_type_key: Some("cell_type".into()),
        memory: 4 << 30,
        ..Sought::default()
    };
    let cells = Cells::read(&dataset, &sought)?;
    let genes =
        |seen: &[usize]| choose(cells.values.view(), seen, 2000, cells.of_counts, &Options::default());
    let plan = Holdout { kinds: &kinds, resamples: 0, seed: Seed(0), genes: &genes };
    let started = Instant::now();
    let rows = hold_out(&cells.study(None, Vec::new()), &plan, &Silent)?;
    println!("{:14} {:12} R² mean   R² var   change   half     energy   signs", "model", "type");
    let mut sums = Sums::new();
    for row in &rows {
        let figures = figures(row);
        println!("{:14} {:12} {}", row.model, row.cell_type, words(&figures));
        let sum = sums.entry(row.model.clone()).or_default();
        sum.0 += 1;
        sum.1 += row.seconds;
        sum.2.iter_mut().zip(figures).for_each(|(s, f)| *s += f);
    }
    println!();
    for (model, (n, seconds, sum)) in sums {
        let mean = sum.map(|s| s / n as f64);
        println!("{model:14} {:12} {}   {seconds:.1} s for all {n}", "mean", words(&mean));
    }
    println!("with all figures: {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

fn figures(row: &Row) -> [f64; 7] {
    let s = &row.score;
    [
        s.all.r2_mean,
        s.all.r2_variance,
        s.all.change,
        row.change_half,
        s.energy,
        s.signs_right as f64,
        s.top.r2_mean,
    ]
}

fn words(f: &[f64; 7]) -> String {
    format!("{:.4}    {:.4}   {:.4}   {:.4}   {:.4}   {:.1}", f[0], f[1], f[2], f[3], f[4], f[5])
}
