//! scx: single-cell and cytometry files in and out, and batch correction from spike-in controls.
//!
//! Formats know data, models know tensors, commands wire things:
//! `cli → correct → {panel, loader, zoo, classic, eval, recipe} → data`, `zoo → nn`, and [`io`] knows [`data`] alone.
//!
//! The main job, from simulated cells to a corrected sample:
//!
//! ```
//! use scx::correct::{self, FitPlan, Method, Preset, Zeros};
//! use scx::{loader, nn, panel, progress, recipe, rng, simulate, zoo};
//!
//! let truth = simulate::experiment(simulate::CytometrySettings { control: 300, sample: 300 }, rng::Seed(1));
//! let data = [&truth.control[0], &truth.control[1], &truth.sample[0]].map(|cells| cells.dataset());
//! let markers = panel::choose(&panel::File::new("control 1", &data[0].var), None, None)?.markers;
//! assert_eq!(markers.len(), 35);
//!
//! // Stored values → the scale of the model, cells × markers.
//! let transform = recipe::Transform::Arcsinh { cofactor: 5.0 };
//! let names: Vec<String> = markers.iter().map(|m| m.name.clone()).collect();
//! let columns: Vec<usize> = markers.iter().map(|m| m.column).collect();
//! let mut guess = recipe::ScaleGuess::default();
//! let tables = data
//!     .iter()
//!     .map(|d| loader::table(d.x.as_ref().ok_or("no X")?, &columns, &names, &vec![transform; columns.len()], &mut guess).map_err(Into::into))
//!     .collect::<Result<Vec<_>, Box<dyn std::error::Error>>>()?;
//! let files = ["control 1", "control 2", "sample"].map(String::from);
//! let roles = correct::Roles { source: 0, target: 1, holdout: None, samples: vec![2] };
//! let experiment = correct::from_files(names, tables, &files, &roles)?;
//!
//! // Learn every method from the controls, then move the sample.
//! let plan = FitPlan {
//!     preset: Preset::Paper,
//!     hidden: vec![64, 16],
//!     train: zoo::TrainConfig::plain(100, zoo::Length::Steps(50), nn::AdamConfig::default()),
//!     seed: rng::Seed(0),
//!     method: Method::NeuronEdit,
//!     zeros: Zeros::Move,
//! };
//! let fitted = correct::fit(&experiment, markers, transform, plan, &progress::Silent)?;
//! let sample = experiment.runs[0].samples[0].cells.gather(&experiment.tables);
//! let moved = fitted.apply(&fitted.runs[0], Method::NeuronEdit, sample.view())?;
//! assert_eq!(moved.values.dim(), (300, 35));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod classic;
pub mod cli;
pub mod cluster;
pub mod concat;
pub mod correct;
pub mod data;
pub mod eval;
pub mod generate;
pub mod io;
pub mod linalg;
pub mod loader;
pub mod nn;
pub mod panel;
pub mod predict;
pub mod progress;
pub mod provenance;
pub mod recipe;
pub mod report;
pub mod rng;
pub mod sheet;
pub mod simulate;
pub mod zoo;
