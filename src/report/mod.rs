//! One HTML page that shows whether to trust a correction: numbers in, one self-contained file out.
//!
//! Everything is inline (style, figures); the page runs no script and asks no network. Nothing is computed here
//! but what drawing needs: binning, quantiles for axis ranges, medians of the points drawn.

mod columns;
mod contents;
mod generation;
mod html;
mod labels;
mod page;
mod perturbation;
mod plots;
mod scale;
mod svg;

pub use contents::{
    Biaxial, Column, Level, MarkerValues, MedianChange, Medians, Panel, PcaCloud, Points, Report, Role,
    ScoreGroup, ScoreRow, ScoreTable, ScoreValue, Verdict,
};
pub use generation::{
    Cloud, GenerationReport, LossCurve, RocCurve, Triangle, Violin, ViolinGroup, ZeroShares,
    render_generation,
};
pub use page::render;
pub use perturbation::{GeneScatter, PerturbationReport, SetCloud, SetViolin, render_perturbation};
