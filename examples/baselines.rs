//! The baselines of generation on pbmc3k: fits each to four fifths of each type, makes as many cells as were held out, and
//! prints what `../shared/reference/activa_pbmc3k.py` prints for its own: zeros, variance, and how well a forest on 50
//! components tells them from real cells. Needs SCX_REAL_DATA.

use std::error::Error;
use std::time::Instant;

use scx::classic::sampling::{Baseline, CountSampler};
use scx::data::Counts;
use scx::eval;
use scx::linalg::{Forest, ForestConfig, Pca, SparseRows};
use scx::loader::{Labels, Place, read_counts};
use scx::progress::Silent;
use scx::rng::Seed;
use scx::simulate::splat::SplatModel;
use scx::simulate::sugar::{Amount, Sugar, SugarSettings};

const TARGET: f64 = 20_000.0;

fn auc(real: &SparseRows, made: &SparseRows) -> Result<f64, Box<dyn Error>> {
    let m = real.rows().min(made.rows());
    let order: Vec<usize> = (0..m).collect();
    let x = real.select_with(&order, made, &order);
    let classes: Vec<usize> = (0..2 * m).map(|i| usize::from(i < m)).collect();
    let folds = eval::stratified_folds(&classes, 5, Seed(0));
    let mut sum = 0.0;
    for fold in 0..5 {
        let of = |test: bool| (0..2 * m).filter(|&i| (folds[i] == fold) == test).collect::<Vec<_>>();
        let (train, test) = (of(false), of(true));
        let (a, b) = (x.select(&train), x.select(&test));
        let pca = Pca::fit_sparse(&a, 50, Seed(0))?;
        let flat = |x: &SparseRows| Ok::<_, Box<dyn Error>>(pca.transform_sparse(x)?.mapv(|v| v as f32));
        let labels: Vec<usize> = train.iter().map(|&i| classes[i]).collect();
        let config = ForestConfig { trees: 300, ..ForestConfig::default() };
        let forest = Forest::fit(flat(&a)?.view(), &labels, 2, &config)?;
        let p = forest.probabilities(flat(&b)?.view())?;
        let truth: Vec<bool> = test.iter().map(|&i| classes[i] == 1).collect();
        sum += eval::roc_auc(&p.column(1).to_vec(), &truth);
    }
    Ok(sum / 5.0)
}

/// Share of zeros, sum of variances, and share of zeros of each gene.
fn facts(x: &SparseRows) -> (f64, f64, Vec<f64>) {
    let mut cells = vec![0.0; x.columns()];
    (0..x.rows()).for_each(|r| x.row(r).0.iter().for_each(|&g| cells[g as usize] += 1.0));
    let zeros: Vec<f64> = cells.iter().map(|c| 1.0 - c / x.rows() as f64).collect();
    (zeros.iter().sum::<f64>() / x.columns() as f64, x.variances().iter().sum(), zeros)
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::path::PathBuf::from(std::env::var("SCX_REAL_DATA")?)
        .join("h5ad/derived_pbmc3k_counts_labelled.h5ad");
    let d = scx::io::open(&path, &scx::io::ReadOptions::default())?;
    let counts = read_counts(&d, &Place::X, 1 << 30)?;
    let labels = Labels::of(&d.obs, None, None)?.ok_or("no labels")?;
    let n_labels = labels.names.len();
    let keep: Vec<usize> =
        counts.cells_of_gene().iter().enumerate().filter(|g| *g.1 >= 3).map(|g| g.0).collect();
    let counts = counts.select_genes(&keep);
    let mut stream = Seed(0).stream("split");
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for l in 0..n_labels {
        let cells: Vec<usize> = (0..counts.n_cells()).filter(|&i| labels.codes[i] as usize == l).collect();
        for (k, i) in stream.permutation(cells.len()).into_iter().enumerate() {
            if k < cells.len() / 5 { test.push(cells[i]) } else { train.push(cells[i]) }
        }
    }
    let of = |cells: &[usize]| cells.iter().map(|&c| labels.codes[c] as usize).collect::<Vec<_>>();
    let (known, held) = (counts.cells(&train), counts.cells(&test));
    let (known_labels, held_labels) = (of(&train), of(&test));
    let number = |l: usize| held_labels.iter().filter(|h| **h == l).count();
    let real = SparseRows::log_normalised(&held, TARGET);
    let (zeros, variance, by_gene) = facts(&real);
    println!("{} genes, {} train, {} test", counts.n_genes(), train.len(), test.len());
    println!(
        "{:12} {:>5} {:>6} {:>6} {:>9} {:>7} {:>7}",
        "", "AUC", "zeros", "real", "by gene", "var", "fit s"
    );
    let report = |name: &str, made: &Counts, seconds: f64| -> Result<(), Box<dyn Error>> {
        let x = SparseRows::log_normalised(made, TARGET);
        let (z, v, g) = facts(&x);
        let error = g.iter().zip(&by_gene).map(|(a, b)| (a - b).abs()).sum::<f64>() / g.len() as f64;
        let auc = auc(&real, &x)?;
        println!("{name:12} {auc:5.3} {z:6.3} {zeros:6.3} {error:9.4} {:7.3} {seconds:7.2}", v / variance);
        Ok(())
    };
    let some: Vec<usize> = stream.permutation(train.len()).into_iter().take(test.len()).collect();
    report("real", &known.cells(&some), 0.0)?;
    for baseline in Baseline::ALL {
        let started = Instant::now();
        let sampler = baseline.fit(&known, &known_labels, n_labels, Seed(0))?;
        let seconds = started.elapsed().as_secs_f64();
        let mut made = Counts::empty(known.n_genes());
        for l in 0..n_labels {
            made.append(&sampler.sample(l, number(l), &mut Seed(1).stream(&format!("{l}")))?);
        }
        report(baseline.name(), &made, seconds)?;
    }
    let started = Instant::now();
    let splat = SplatModel::fit(&known, &known_labels, n_labels, Seed(0))?;
    let seconds = started.elapsed().as_secs_f64();
    let mut made = Counts::empty(known.n_genes());
    for l in 0..n_labels {
        made.append(&splat.sample(l, number(l), &mut Seed(1).stream(&format!("{l}")))?);
    }
    report("splat", &made, seconds)?;
    for n_pcs in [10, 20, 50] {
        let started = Instant::now();
        let settings = SugarSettings { n_pcs, ..SugarSettings::default() };
        let sugar = Sugar::fit(&known, &known_labels, n_labels, settings, Seed(0))?;
        let made = sugar.sample(Amount::Total(test.len()), &mut Seed(1).stream("sugar"), &Silent)?;
        report(&format!("sugar {n_pcs}"), &made.counts, started.elapsed().as_secs_f64())?;
    }
    Ok(())
}
