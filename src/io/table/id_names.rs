//! Column names by which programs call cells and what belongs to them.

/// Columns that name cells, as the programs of the field call them: letters and digits in lower case.
pub(super) const CELLS: &[&str] = &[
    "cell",
    "cellid",
    "cellids",
    "cellindex",
    "cellname",
    "cellnames",
    "cellnumber",
    "cellbarcode",
    "cellbarcodes",
    "barcode",
    "barcodes",
    "entityid",
    "obsname",
    "obsnames",
    "spot",
    "spotid",
    "spotname",
    "index",
    "unnamed0",
    "rowname",
    "rownames",
    "id",
    "uuid",
    "objectid",
    "objectnumber",
    "object",
];

/// Further columns that are no measurement: what a cell belongs to.
const BELONGS: &[&str] = &["fov", "fovid", "slide", "slideid", "imagenumber"];

/// Columns that name genes.
pub(super) const GENES: &[&str] = &[
    "gene",
    "genes",
    "geneid",
    "geneids",
    "genename",
    "genenames",
    "genesymbol",
    "genesymbols",
    "symbol",
    "hgncsymbol",
    "hugosymbol",
    "mgisymbol",
    "ensembl",
    "ensemblid",
    "ensemblgeneid",
    "entrezid",
    "feature",
    "features",
    "featureid",
    "featurename",
    "transcript",
    "transcriptid",
    "probeid",
];

/// Columns at the beginning in which it is watched whether a value comes twice: ids come before what is measured.
pub(super) const LEADING: usize = 6;

/// A name without case and without what separates its words.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a name is one of those that columns of ids have.
pub(super) fn is_id(name: &str) -> bool {
    let (short, lower) = (plain(name), name.to_lowercase());
    let ending = ["_id", " id", ".id", "-id"].iter().any(|e| lower.ends_with(e));
    ending || CELLS.contains(&short.as_str()) || BELONGS.contains(&short.as_str())
}
