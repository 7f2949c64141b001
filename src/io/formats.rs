//! The table of formats. The rows themselves live in the folders of the formats; everything else asks them instead of
//! knowing formats by name.

use std::path::Path;

use super::codec::{Codec, Format};
use super::loss::ElementKind;
use super::{fcs, h5ad, loom, table, tenx_h5, tenx_mtx};

/// All formats. Detection, options, help, messages and tests read this one list.
pub static CODECS: &[Codec] = &[
    h5ad::CODEC,
    fcs::CODEC,
    tenx_h5::CODEC,
    tenx_mtx::CODEC,
    loom::CODEC,
    table::CODEC,
    table::parquet::CODEC,
];

impl Format {
    /// All that is known of it.
    pub fn codec(self) -> &'static Codec {
        codec(self)
    }

    /// The name people use.
    pub fn name(self) -> &'static str {
        codec(self).name
    }

    /// Whether it holds further matrices beside X.
    pub fn has_layers(self) -> bool {
        use super::loss::LayerKind::Dense;
        !codec(self).entry(ElementKind::Layer(Dense)).leaves()
    }

    /// Whether it holds columns of cells.
    pub fn has_columns(self) -> bool {
        use super::loss::ColumnKind::Number;
        !codec(self).entry(ElementKind::Obs(Number)).leaves()
    }

    /// The format of a target by its extension; a name without one is a folder, and `None` leaves the choice to the caller.
    pub fn for_target(path: &Path) -> Option<Format> {
        named(path, |c| c.packed)
    }

    /// The format a file to be read has by its extension, also when it is packed whole; its content decides.
    pub fn of_name(path: &Path) -> Option<Format> {
        named(path, |c| c.unpacked)
    }
}

/// The format of a name; `may_be_packed` tells which may have `.gz` behind their extension.
fn named(path: &Path, may_be_packed: fn(&Codec) -> bool) -> Option<Format> {
    let extension = path.extension()?.to_string_lossy().to_lowercase();
    let packed = extension == "gz";
    let extension = match packed {
        true => path.with_extension("").extension()?.to_string_lossy().to_lowercase(),
        false => extension,
    };
    let fits = |c: &&Codec| c.extensions.contains(&extension.as_str()) && (!packed || may_be_packed(c));
    CODECS.iter().find(fits).map(|c| c.format)
}

/// The codec of a format.
pub fn codec(format: Format) -> &'static Codec {
    // Every format has its row: checked by a test.
    CODECS.iter().find(|c| c.format == format).unwrap_or(&CODECS[0])
}

/// The names of the files scx writes where a target of this format and name is a folder; `None` when it is a single file.
pub fn folder_of(format: Format, path: &Path) -> Option<&'static [&'static str]> {
    (codec(format).files)(path)
}
