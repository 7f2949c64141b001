//! The HDF5 matrices of 10x Genomics: Cell Ranger 2 (a group per genome) and 3 and later (`/matrix`), probe matrices and
//! Space Ranger's. Features × cells by columns there is cells × features by rows here: the same three arrays.
//!
//! | in the file | in the data set |
//! |---|---|
//! | `barcodes` | names of obs |
//! | `features/name` (`gene_names`) | names of var |
//! | `features/id` (`genes`), or `features/gene_id` of a probe matrix | `var["gene_ids"]` |
//! | `features/id` of a probe matrix | `var["probe_ids"]` |
//! | `features/feature_type` | `var["feature_types"]` |
//! | `features/genome`, or the name of the genome's group | `var["genome"]` |
//! | any other dataset of `features` | a column of var of that name |
//! | `features/target_sets/NAME` | `uns["target_sets"]["NAME"]`, positions in var |
//! | `filtered_barcodes` | `obs["filtered_barcodes"]` |
//! | `droplet_latents/NAME`, `latent_NAME` of CellBender, or a further dataset of the matrix, for each barcode | obs or obsm, at the cell it belongs to |
//! | `ambient_expression`, or a further dataset of the matrix, for each feature | var or varm |
//! | `global_latents`, `metadata`, and all else | `uns`, by the names in the file |
//! | attributes of the file | `uns` |
//!
//! All kinds of features are read, as by `scanpy.read_10x_h5(gex_only=False)`; scanpy's own default keeps only
//! `Gene Expression`. Types stay: scanpy turns int32 counts into float32, scx does not.

mod check;
mod codec;
mod features;
mod further;
mod kin;
mod losses;
mod outline;
mod part;
mod read;
mod spread;
mod tree;
mod widen;
mod write;

pub use super::tenx::GENOME_OPTION;
pub use check::check;
pub(super) use codec::CODEC;
pub use outline::outline;
pub use read::{probe, read};
pub use write::write;
