//! What the edit is for, on toys whose truth is known (`Method::NeuronEdit` and `Method::ConstantShift` end to end).

use ndarray::{Array2, Axis};
use scx::correct::{self, Fitted, Marker, Method, Preset};
use scx::eval::{emd, median};
use scx::progress::Silent;
use scx::recipe::Transform;
use scx::rng::{Seed, Stream};

use super::{from_tables, plan};

/// Cells around centres, the same number at each.
fn blobs(centres: &[&[f64]], each: usize, spread: f64, s: &mut Stream) -> Array2<f32> {
    Array2::from_shape_fn((centres.len() * each, centres[0].len()), |(i, j)| {
        (centres[i / each][j] + spread * s.normal()) as f32
    })
}

fn fit(tables: Vec<Array2<f32>>, preset: Preset) -> Fitted {
    let markers: Vec<Marker> = (0..tables[0].ncols())
        .map(|column| {
            let name = format!("m{column}");
            Marker { column, name: name.clone(), channel: name, ..Marker::default() }
        })
        .collect();
    let names = markers.iter().map(|m| m.name.clone()).collect();
    let mut plan = plan(preset, &[64, 32, 8], 1500);
    plan.train.minibatch = 100;
    correct::fit(&from_tables(names, tables), markers, Transform::None, plan, &Silent).unwrap()
}

fn apply(fitted: &Fitted, method: Method, x: &Array2<f32>) -> Array2<f32> {
    fitted.apply(&fitted.runs[0], method, x.view()).unwrap().values
}

fn medians(x: &Array2<f32>) -> Vec<f64> {
    x.axis_iter(Axis(1)).map(|c| median(&mut c.to_vec())).collect()
}

#[test]
fn a_sample_elsewhere_moves_by_the_shift_of_the_controls() {
    for seed in 0..3 {
        let mut s = Seed(seed).stream("blobs");
        let delta = [2.0, 1.5];
        let source = blobs(&[&[1.0, 1.0]], 600, 0.3, &mut s);
        let target = blobs(&[&[3.0, 2.5]], 600, 0.3, &mut s);
        let sample = blobs(&[&[1.5, 0.5]], 600, 0.3, &mut s);
        let fitted = fit(vec![source, target, sample.clone()], Preset::Paper);
        for method in [Method::NeuronEdit, Method::ConstantShift] {
            let moved = medians(&apply(&fitted, method, &sample));
            for ((after, before), d) in moved.iter().zip(medians(&sample)).zip(delta) {
                let change = after - before;
                assert!((change - d).abs() < 0.1 * d, "{}, seed {seed}: {change} for {d}", method.name());
            }
        }
    }
}

/// The run effect of the toy: one mode goes left, the other up.
fn toy(mut x: Array2<f32>) -> Array2<f32> {
    for mut cell in x.rows_mut() {
        let (column, by) = if cell[0] < 0.75 { (0, -0.75) } else { (1, 0.75) };
        cell[column] += by;
    }
    x
}

#[test]
fn modes_that_shift_differently_are_followed_better_than_by_one_shift() {
    let (a, b, third): (&[f64], &[f64], &[f64]) = (&[0.0, 0.0], &[1.5, 1.5], &[0.0, 1.5]);
    for seed in 0..3 {
        let mut s = Seed(seed).stream("toy");
        let source = blobs(&[a, b], 250, 0.12, &mut s);
        let target = toy(blobs(&[a, b], 250, 0.12, &mut s));
        let sample = blobs(&[a, b, third], 170, 0.12, &mut s);
        let truth = toy(sample.clone());
        let fitted = fit(vec![source, target, sample.clone()], Preset::Paper);
        let distance = |x: &Array2<f32>| -> f64 {
            (0..2).map(|j| emd(&mut x.column(j).to_vec(), &mut truth.column(j).to_vec())).sum::<f64>() / 2.0
        };
        let [edit, shift] =
            [Method::NeuronEdit, Method::ConstantShift].map(|m| distance(&apply(&fitted, m, &sample)));
        let nothing = distance(&sample);
        assert!(edit < shift && edit < nothing, "seed {seed}: {edit}, one shift {shift}, nothing {nothing}");
    }
}
