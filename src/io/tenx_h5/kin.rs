//! HDF5 files that lie beside a matrix and hold none: what they are, and which file to give instead.

use hdf5_metno as hdf5;

use hdf5::Group;

const MOLECULES: &str = "it lists molecules, as molecule_info.h5 of Cell Ranger does, and holds no matrix of cells; give \
                         filtered_feature_bc_matrix.h5 or raw_feature_bc_matrix.h5 of the same outs/ folder";

/// Members of the root that tell a file, and what to say of it.
const KIN: &[(&[&str], &str)] = &[
    (&["barcode_idx"], MOLECULES),
    (&["gem_group", "umi"], MOLECULES),
    (
        &["feature_slices"],
        "it holds images of features, as feature_slice.h5 of Space Ranger does, and no matrix of cells; give \
         filtered_feature_bc_matrix.h5 of a folder below binned_outputs/",
    ),
    (
        &["posterior_noise_log_prob"],
        "it holds the posterior of CellBender and no matrix of cells; give the output of CellBender itself or its \
         _filtered.h5",
    ),
    (
        &["clustering", "pca"],
        "it holds an analysis by Cell Ranger and no matrix of cells; give filtered_feature_bc_matrix.h5 of the same \
         outs/ folder",
    ),
];

/// What to say of a file without a matrix; `None` when nothing is known of it.
pub(super) fn words(root: &Group) -> Option<&'static str> {
    KIN.iter().find(|(signs, _)| signs.iter().all(|s| root.link_exists(s))).map(|(_, words)| *words)
}
