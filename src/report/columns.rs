//! The usual measures, with the words that explain them on the page.

use super::Column;

impl Column {
    /// A measure with its explanation.
    pub fn new(header: impl Into<String>, explanation: impl Into<String>) -> Self {
        Column { header: header.into(), explanation: explanation.into() }
    }

    /// Distance on halves of the controls that were not learnt from.
    #[must_use]
    pub fn halves() -> Self {
        Column::new(
            "EMD of unseen controls",
            "Every method learns from one half of the control cells and moves the other half. Distance of those cells to the other \
             control (earth mover's distance, mean over the markers): before → after. The smaller, the better; chance leaves a little.",
        )
    }

    /// Share of the movement asked for.
    #[must_use]
    pub fn follows() -> Self {
        Column::new(
            "follows",
            "Share of the movement that the controls ask for which the sample made: 100 % for all of it, 0 % for none, below 0 for the \
             wrong way. By definition 100 % for the percentile maps (ambient).",
        )
    }

    /// Correlation of median changes, sample against controls.
    #[must_use]
    pub fn r() -> Self {
        Column::new(
            "r",
            "Do the sample's medians move as the controls' moved? Correlation over the markers. \
             It rewards moving every sample like the controls, so it cannot choose a method by itself.",
        )
    }

    /// Slope that goes with r.
    #[must_use]
    pub fn slope() -> Self {
        Column::new(
            "slope",
            "By how much the sample moved for each unit the controls moved. 1 is the full shift, 0 is no shift.",
        )
    }

    /// Root mean square that goes with r.
    #[must_use]
    pub fn rmse() -> Self {
        Column::new(
            "RMSE",
            "Typical difference, per marker, between the sample's change and the controls'. \
             The smaller, the closer sample and controls moved together.",
        )
    }

    /// Correlation of median changes, sample against truth.
    #[must_use]
    pub fn r_true() -> Self {
        Column::new(
            "r_true",
            "The same correlation against the change the sample should have made, known from a held-out \
             control pair. This one may choose a method.",
        )
    }

    /// Earth mover's distance to the truth, mean over the markers.
    #[must_use]
    pub fn emd_mean() -> Self {
        Column::new(
            "EMD mean",
            "Distance between the corrected held-out cells and the same cells as measured in the target run \
             (earth mover's distance), mean over the markers: before → after. The smaller, the better.",
        )
    }

    /// Earth mover's distance to the truth, the worst marker.
    #[must_use]
    pub fn emd_worst() -> Self {
        Column::new(
            "EMD worst",
            "The same distance for the marker that came out worst. A good mean can hide one bad marker.",
        )
    }

    /// Share of values outside what the training saw.
    #[must_use]
    pub fn outside() -> Self {
        Column::new(
            "outside",
            "Share of the sample's values beyond the range the controls cover. There the correction \
             extrapolates, and nothing measured supports it.",
        )
    }
}
