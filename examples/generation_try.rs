//! Trains ACTIVA on pbmc3k and prints how well a forest tells its cells from real ones. A tool to choose settings with.
use std::error::Error;
use std::time::Instant;

use ndarray::{Array2, Axis, concatenate, s};
use scx::data::Counts;
use scx::eval;
use scx::linalg::{Forest, ForestConfig, Pca};
use scx::loader::{LabelledCells, Labels, Place, read_counts};
use scx::nn::CountLaw;
use scx::progress::Silent;
use scx::rng::Seed;
use scx::zoo::activa::{Activa, ActivaConfig, LatentLaw, Learnt, Observation};
use scx::zoo::{Generate, Length, Model, Preset, TrainConfig, Trainer};

fn auc(real: &Array2<f32>, made: &Array2<f32>) -> f64 {
    let m = real.nrows().min(made.nrows());
    let x = concatenate(Axis(0), &[real.slice(s![..m, ..]), made.slice(s![..m, ..])]).unwrap();
    let classes: Vec<usize> = (0..2 * m).map(|i| usize::from(i < m)).collect();
    let folds = eval::stratified_folds(&classes, 5, Seed(0));
    let mut sum = 0.0;
    for fold in 0..5 {
        let of = |test: bool| (0..2 * m).filter(|&i| (folds[i] == fold) == test).collect::<Vec<_>>();
        let (train, test) = (of(false), of(true));
        let pick = |rows: &[usize]| {
            let mut out = scx::linalg::SparseRows::empty(x.ncols());
            for &r in rows {
                out.push(x.row(r).iter().enumerate().filter(|v| *v.1 != 0.0).map(|(g, &v)| (g as u32, v)));
            }
            out
        };
        let (a, b) = (pick(&train), pick(&test));
        let pca = Pca::fit_sparse(&a, 50, Seed(0)).unwrap();
        let (a, b) = (
            pca.transform_sparse(&a).unwrap().mapv(|v| v as f32),
            pca.transform_sparse(&b).unwrap().mapv(|v| v as f32),
        );
        let ya: Vec<usize> = train.iter().map(|&i| classes[i]).collect();
        let yb: Vec<bool> = test.iter().map(|&i| classes[i] == 1).collect();
        let forest =
            Forest::fit(a.view(), &ya, 2, &ForestConfig { trees: 300, ..ForestConfig::default() }).unwrap();
        let p = forest.probabilities(b.view()).unwrap();
        sum += eval::roc_auc(&p.column(1).to_vec(), &yb);
    }
    sum / 5.0
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let get = |k: &str, d: f64| {
        args.iter().find_map(|a| a.strip_prefix(&format!("{k}=")).map(|v| v.parse().unwrap())).unwrap_or(d)
    };
    let path = std::path::PathBuf::from(std::env::var("SCX_REAL_DATA")?)
        .join("h5ad/derived_pbmc3k_counts_labelled.h5ad");
    let d = scx::io::open(&path, &scx::io::ReadOptions::default())?;
    let counts = read_counts(&d, &Place::X, 1 << 30)?;
    let labels = Labels::of(&d.obs, None, None)?.unwrap();
    let keep: Vec<usize> =
        counts.cells_of_gene().iter().enumerate().filter(|g| *g.1 >= 3).map(|g| g.0).collect();
    let counts = counts.select_genes(&keep);
    let mut stream = Seed(0).stream("split");
    let mut test = vec![false; counts.n_cells()];
    for l in 0..labels.names.len() as u32 {
        let cells: Vec<usize> = (0..test.len()).filter(|&i| labels.codes[i] == l).collect();
        let n = cells.len() / 5;
        for k in stream.permutation(cells.len()).into_iter().take(n) {
            test[cells[k]] = true;
        }
    }
    let of = |t: bool| (0..test.len()).filter(|&i| test[i] == t).collect::<Vec<_>>();
    let (train, held) = (of(false), of(true));
    println!("{} genes, {} train, {} test", counts.n_genes(), train.len(), held.len());
    let real = counts.cells(&held).log_normalised(20_000.0);
    let report = |name: &str, made: &Counts| {
        let x = made.log_normalised(20_000.0);
        let zeros = |m: &Array2<f32>| m.iter().filter(|v| **v == 0.0).count() as f64 / m.len() as f64;
        let var = |m: &Array2<f32>| m.var_axis(Axis(0), 0.0).sum();
        println!(
            "{name:24} AUC {:.3} zeros {:.3} ({:.3}) var ratio {:.3}",
            auc(&real, &x),
            zeros(&x),
            zeros(&real),
            var(&x) / var(&real)
        );
    };
    if get("ceiling", 0.0) > 0.0 {
        let some: Vec<usize> =
            stream.permutation(train.len()).into_iter().take(held.len()).map(|i| train[i]).collect();
        report("real train", &counts.cells(&some));
    }
    let mut config = ActivaConfig::preset(Preset::Default, counts.n_genes(), labels.names.len());
    config.latent = get("latent", config.latent as f64) as usize;
    config.kl = get("kl", f64::from(config.kl)) as f32;
    let h = get("h", 256.0) as usize;
    config.encoder = vec![h, get("h2", 128.0) as usize];
    config.generator = vec![get("h2", 128.0) as usize, h];
    if get("shallow", 0.0) > 0.0 {
        config.generator = vec![h];
    }
    config.average = get("average", f64::from(config.average)) as f32;
    if get("zinb", 0.0) > 0.0 {
        config.observation = Observation::Counts(CountLaw::Zinb);
    }
    config.filter = false;
    config.encoder_adversarial = get("ea", 0.0) as f32;
    config.generator_adversarial = get("ga", 0.0) as f32;
    config.classification = get("ct", 0.0) as f32;
    config.margin = get("m", 110.0) as f32;
    let epochs = get("epochs", 160.0) as u64;
    let every = get("every", 40.0) as u64;
    let source = LabelledCells::new(&counts, &labels.codes, train.clone())?;
    let mut adam = ActivaConfig::adam(Preset::Default);
    adam.lr = get("lr", 1e-3);
    adam.weight_decay = get("wd", 0.0);
    let per_epoch = (train.len() / 128) as u64;
    let train_config = TrainConfig::plain(get("b", 128.0) as usize, Length::Epochs(epochs), adam);
    let mut model = Activa::new(config.clone(), Learnt::default(), Seed(0), &candle_core::Device::Cpu)?;
    let mut trainer = Trainer::new(&model, train_config, Seed(0));
    let start = Instant::now();
    let mut at = 0;
    while at < epochs {
        at += every;
        trainer.run(&mut model, &source, Some(at * per_epoch), &Silent)?;
        let state = trainer.state();
        let last: Vec<String> =
            state.parts.iter().filter_map(|(k, p)| Some(format!("{k} {:.1}", p.history.last()?.1))).collect();
        println!("epoch {at} {:.0} s: {}", start.elapsed().as_secs_f64(), last.join(" "));
        // Calibration changes weights: on a copy.
        let mut copy = Activa::new(config.clone(), Learnt::default(), Seed(0), &candle_core::Device::Cpu)?;
        copy.params().load(&model.params().snapshot()?)?;
        copy.calibrate(&source)?;
        let mut stream = Seed(1).stream("generate");
        let made = copy.cells(None, held.len(), &mut stream)?;
        let made = made.cells.into_counts(&mut stream, |_, _| 0.0);
        report("posterior", &made);
    }
    let _ = LatentLaw::Prior;
    Ok(())
}
