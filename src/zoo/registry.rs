//! The table of models. Adding one = one file (or folder) and one row.

use super::{Counted, actinn, activa, neuron_edit, scgan};

/// One row of the table of models.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Name in files and on the command line.
    pub kind: &'static str,
    /// What it is, in a line.
    pub what: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    /// How it is made from labelled counts; `None` where a verb of its own makes it.
    pub counted: Option<Counted>,
}

/// All models.
pub static REGISTRY: &[Entry] = &[
    Entry {
        kind: neuron_edit::KIND,
        what: "batch correction from spike-in controls: percentile maps on the neurons of an autoencoder",
        reference: "Amodio et al., Neuron Editing, eq. 1",
        counted: None,
    },
    Entry {
        kind: actinn::KIND,
        what: "labels of cells from a small network",
        reference: "Ma & Pellegrini 2020, Bioinformatics 36(2)",
        counted: Some(actinn::COUNTED),
    },
    Entry {
        kind: activa::KIND,
        what: "new cells of a type from an introspective variational autoencoder with a classifier",
        reference: "Heydari et al. 2022, Bioinformatics 38(8)",
        counted: Some(activa::COUNTED),
    },
    Entry {
        kind: scgan::SCGAN,
        what: "new cells of the whole population from a Wasserstein GAN with gradient penalty",
        reference: "Marouf et al. 2020, Nature Communications 11:166",
        counted: Some(scgan::COUNTED),
    },
    Entry {
        kind: scgan::CSCGAN,
        what: "new cells of a type from scGAN with batch normalisation and critic heads by label",
        reference: "Marouf et al. 2020, Nature Communications 11:166",
        counted: Some(scgan::COUNTED_BY_LABEL),
    },
];

/// The row of that kind.
pub fn entry(kind: &str) -> Option<&'static Entry> {
    REGISTRY.iter().find(|e| e.kind == kind)
}
