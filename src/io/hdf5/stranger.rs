//! What an HDF5 file is that holds no cells as scx reads them, told by its root.

use hdf5_metno as hdf5;

use hdf5::Group;

use super::{Source, has_attr};

/// Members of the root named in a message.
const NAMED: usize = 8;

/// A kind of HDF5 file: attributes or members of its root that tell it, its name, and what to do.
struct Kind {
    attributes: &'static [&'static str],
    members: &'static [&'static str],
    name: &'static str,
    advice: &'static str,
}

const fn by_members(members: &'static [&'static str], name: &'static str, advice: &'static str) -> Kind {
    Kind { attributes: &[], members, name, advice }
}

const fn by_attributes(
    attributes: &'static [&'static str],
    name: &'static str,
    advice: &'static str,
) -> Kind {
    Kind { attributes, members: &[], name, advice }
}

/// The first that fits wins.
const KINDS: &[Kind] = &[
    by_members(
        &["barcode_idx", "feature_idx", "count"],
        "molecule_info.h5 of Cell Ranger, a table of molecules without a matrix",
        "give filtered_feature_bc_matrix.h5 or raw_feature_bc_matrix.h5 of the same run",
    ),
    by_members(
        &["assays", "meta.data"],
        "a Seurat object (h5Seurat)",
        "in R: SeuratDisk::LoadH5Seurat reads it, and anndataR::write_h5ad writes an h5ad from the object",
    ),
    by_members(
        &["geneExp"],
        "a GEF file of Stereo-seq",
        "in Python: stereopy reads it (stereo.io.read_gef) and writes an h5ad (stereo.io.stereo_to_anndata)",
    ),
    by_members(&["model_weights"], "a Keras model", "give the file of the cells, not that of the model"),
    by_members(
        &["layers", "vars", "optimizer"],
        "a Keras model",
        "give the file of the cells, not that of the model",
    ),
    by_attributes(&["keras_version"], "a Keras model", "give the file of the cells, not that of the model"),
    by_attributes(&["layer_names", "backend"], "weights of a Keras model", "give the file of the cells"),
    by_attributes(&["_NCProperties"], "a NetCDF file", "in Python: xarray.open_dataset reads it"),
    by_attributes(
        &["PYTABLES_FORMAT_VERSION"],
        "a table of pandas or PyTables",
        "in Python: pandas.read_hdf reads it; write the table with to_csv, and give that to scx",
    ),
    by_members(
        &["bins", "chroms", "pixels"],
        "a cooler file of chromatin contacts",
        "it holds no cells × genes; give the file of the cells",
    ),
    by_members(
        &["assay001"],
        "the arrays of a SummarizedExperiment (assays.h5 beside se.rds)",
        "in R: HDF5Array::loadHDF5SummarizedExperiment reads the folder, zellkonverter::writeH5AD writes an h5ad",
    ),
    by_members(&["#refs#"], "a MATLAB file", "in Python: h5py reads it; write the cells as h5ad"),
];

impl Source {
    /// What an HDF5 file without the tables of an AnnData is, as far as its root tells, and what to do.
    pub(in crate::io) fn stranger(&self, root: &Group) -> String {
        let members = self.members(root).unwrap_or_default();
        let fits = |k: &&Kind| {
            k.attributes.iter().all(|a| has_attr(root, a).unwrap_or(false))
                && k.members.iter().all(|m| members.iter().any(|found| found == m))
        };
        if let Some(kind) = KINDS.iter().find(fits) {
            return format!("it is {}: {}", kind.name, kind.advice);
        }
        let cells: Vec<&String> = members.iter().filter(|m| is_anndata(root, m)).collect();
        if let Some(first) = cells.first() {
            let names: Vec<&str> = cells.iter().map(|m| m.as_str()).collect();
            return format!(
                "it is an HDF5 file with an AnnData in each of its groups {}: write each to a file of its own (in Python: \
                 anndata.io.read_elem(h5py.File(FILE)[{first:?}]).write_h5ad(\"{first}.h5ad\"))",
                names.join(", ")
            );
        }
        let holds = match &members[..] {
            [] => "is empty".to_owned(),
            all => {
                let more = if all.len() > NAMED { ", …" } else { "" };
                let first: Vec<&str> = all.iter().take(NAMED).map(String::as_str).collect();
                format!("holds {}{more}", first.join(", "))
            }
        };
        format!(
            "it is an HDF5 file whose root {holds}, and no /obs and /var as an h5ad has: give an h5ad, a loom or a 10x .h5, \
             or write one with the program that made this file"
        )
    }
}

/// Whether a member of the root is a group with the tables of an AnnData.
fn is_anndata(root: &Group, name: &str) -> bool {
    root.group(name).is_ok_and(|g| g.link_exists("obs") && g.link_exists("var"))
}
