//! Real experiments whose truth was measured: a second control, or the other half of one.

use std::path::Path;

use ndarray::{Array2, Axis};
use scx::correct::{self, Experiment, FitPlan, Fitted, Marker, Method, Preset, Roles, Zeros};
use scx::recipe::{ScaleGuess, Transform};
use scx::zoo::{Length, TrainConfig};
use scx::{io, loader, nn, panel, progress, rng};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The scale of all cells.
pub(crate) const SCALE: Transform = Transform::Arcsinh { cofactor: 5.0 };

/// One experiment.
pub(crate) struct Case {
    /// Its name.
    pub(crate) name: String,
    /// Its markers.
    pub(crate) markers: Vec<Marker>,
    /// Source control, target control, sample, truth.
    pub(crate) tables: Vec<Array2<f32>>,
    /// Training of `--preset paper`.
    pub(crate) paper: Length,
}

fn read(path: &Path) -> Result<(Vec<Marker>, Array2<f32>)> {
    let dataset = io::open(path, &io::ReadOptions::default())?;
    let markers = panel::choose(&panel::File::new("file", &dataset.var), None, None)?.markers;
    let columns: Vec<usize> = markers.iter().map(|m| m.column).collect();
    let names: Vec<String> = markers.iter().map(|m| m.name.clone()).collect();
    let x = dataset.x.as_ref().ok_or("no X")?;
    Ok((
        markers,
        loader::table(x, &columns, &names, &vec![SCALE; columns.len()], &mut ScaleGuess::default())?,
    ))
}

/// One control in two runs, split by CD4: one half is the control, the other the sample.
pub(crate) fn cytofin(root: &Path) -> Result<Vec<Case>> {
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

/// Three runs with two controls each: the second is the sample.
pub(crate) fn cytonorm(root: &Path) -> Result<Vec<Case>> {
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

/// The same experiment with the runs the other way round; no choice was made on these.
pub(crate) fn reversed(case: &Case) -> Case {
    let [s, t, x, y] = [0, 1, 2, 3].map(|i| case.tables[i].clone());
    Case {
        name: format!("{}, runs reversed", case.name),
        markers: case.markers.clone(),
        tables: vec![t, s, y, x],
        paper: case.paper,
    }
}

/// Learns every method; what is known of the truth is not looked at.
pub(crate) fn fit(case: &Case, preset: Preset, seed: u64) -> Result<(Experiment, Fitted)> {
    let names: Vec<String> = case.markers.iter().map(|m| m.name.clone()).collect();
    let files = ["source", "target", "sample", "truth"].map(String::from);
    let roles = Roles { source: 0, target: 1, holdout: Some((2, 3)), samples: vec![2] };
    let experiment = correct::from_files(names, case.tables.clone(), &files, &roles)?;
    let length = if preset == Preset::Paper { case.paper } else { Length::Steps(3000) };
    let train = TrainConfig::plain(100, length, nn::AdamConfig::default());
    let plan = FitPlan {
        preset,
        hidden: vec![500, 250, 50],
        train,
        seed: rng::Seed(seed),
        method: Method::NeuronEdit,
        zeros: Zeros::Move,
    };
    let fitted = correct::fit(&experiment, case.markers.clone(), SCALE, plan, &progress::Silent)?;
    Ok((experiment, fitted))
}
