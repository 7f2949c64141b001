//! The names of what is measured or computed for every cell and is no marker, as patterns with a reason each.
//!
//! Names are compared as words ([`slug`](super::stain::slug)): small letters, `_` between words, without `Comp-`, brackets
//! and isotopes. Sources: the keywords of the FCS standard, what Helios, Diva, MACSQuant and FACSCalibur write, and the
//! columns that CATALYST, premessa, CytoNorm, PeacoQC, flowAI, cytofkit, OMIQ, Cytobank, FlowJo, CellProfiler, steinbock
//! and histoCAT add.

use std::sync::LazyLock;

use regex::Regex;

use super::technical::Reason;

/// A pattern, why what it matches is no marker, and whether a channel called so is technical whatever its stain says.
/// A detector may be called after a dye (`DAPI-A`, `Aqua-A`) and carry an antibody; a channel `Time` never does.
type Row = (Reason, bool, &'static str);

/// All patterns; the first that matches tells the reason.
const ROWS: [Row; 29] = [
    (Reason::Time, true, r"^time(_.*|\d.*)?$|_time$|_time_\d+$|^(date_?time|time_?stamp|hdr_t)$"),
    (Reason::EventLength, true, r"^(event|cell)_?(length|num|number|count|duration)$|^events?$"),
    (Reason::Header, true, r"^hdr(_.*)?$"),
    (
        Reason::Scatter,
        true,
        r"^((v|b|r|y|g|yg|uv|vio|violet|blue|red|yellow|\d{3}(_?nm)?(_\d{3})?)_?)?(fsc|ssc)\d*(_.*|[ahw]|area|height|width|lin.*|log.*|int.*)?$",
    ),
    (Reason::Scatter, true, r"(^|_)\d{3}_?ssc(_|$)|^(forward|side|back)_?scatter|^scatter"),
    (Reason::Scatter, true, r"^(fs|ss|fals|rals)(_?(int|lin|log|peak|tof|area|height|width|a|h|w)(_.*)?)?$"),
    (Reason::Gaussian, true, r"^(center|centre|offset|width|residual|amplitude)$|gaussian"),
    (Reason::Beads, false, r"bead|(^|_)eq(_?\d+)?(_|$)|^eq_?\d"),
    (Reason::Barcode, false, r"^bc(_.*|_?\d.*)?$|(^|_)bc_?\d*$|barcode|debarcod"),
    (
        Reason::Dna,
        false,
        r"^dna(_?\d+)?(_(ir|intercalator|content|dye|stain|a|h|\d+))*$|intercalat|^(iridium|ir)$|^nucleic_?acid",
    ),
    (
        Reason::Dna,
        false,
        r"^(hoechst|dapi|draq_?\d+|fx_?cycle|dye_?cycle|vybrant|syto_?\d+|to_?pro_?\d+)(_.*|\d.*)?$",
    ),
    (Reason::Viability, false, r"viab|live_?dead|dead_?live|^(pi|pi_a|propidium.*|aqua|cis|sytox.*)$"),
    (
        Reason::Viability,
        false,
        r"(^|_)(l_d|ld|livedead|dead|live|living|fvd|fvs|zombie|ghost|cisplatin|cis_?pt|cis_platin|7_?aad)(_|\d|$)",
    ),
    (Reason::Autofluorescence, false, r"^af_?\d{0,2}(_[ahw])?$|auto_?fluor"),
    (
        Reason::Embedding,
        true,
        r"(^|_)(t|vi|bh|fit|opt|hs?|a)?_?sne_?\w{0,3}$|(^|_)u_?map(_?\w{1,3})?$|^(phate|p_?umap)(_.*|\d*)$",
    ),
    (
        Reason::Embedding,
        true,
        r"^(x_)?(phate|tri_?map|pa_?c_?map|embed_?som|diff_?map|diffusion(_?component)?|force_?atlas_?2?|isomap|mds|pca|ica|lda|nmf|latent|harmony|dim|dimension)_?[xy\d]{1,3}$",
    ),
    // PC5 and PC7 are dyes as well.
    (Reason::Embedding, false, r"^(x_)?pc_?\d{1,3}$"),
    (
        Reason::Cluster,
        true,
        r"(^|_)(meta_?)?(cluster|clust|clstr)s?(_?(id|no|nr|num|number|label|code|index|assignment|\d+))*$",
    ),
    (
        Reason::Cluster,
        true,
        r"(^|_)(flow_?som|flowsom|r?_?pheno_?graph|rphenograph|leiden|louvain|k_?means|x_?shift|spade|fsom|som|h?dbscan)(_.*|\d+)?$|^meta\d+$|^node(_?\d+)?$",
    ),
    (Reason::Sort, true, r"^sort(ed)?(_.*)?$|_sort$|sort_?(result|gate|bits|class|flag|decision)"),
    (Reason::Doublet, true, r"doublet|singlet"),
    (
        Reason::Quality,
        true,
        r"^remove_?from|^(qc|quality|good_?events?|bad_?events?|flow_?ai|flow_?cut|flow_?clean|peaco_?qc|is|in_gate|outlier|exclude)(_.*|\d*)?$|_qc$",
    ),
    (Reason::Distance, true, r"(^|_)(dist|distance|separation)(_|\d|$)|mahal"),
    (
        Reason::Shape,
        true,
        r"^area_?shape|^((cell|nuc|nucleus|nuclear|nuclei|object|cyto|cytoplasm)_?)?(area|perimeter|eccentricity|solidity|extent|form_?factor|compactness|orientation|circularity|roundness|elongation|aspect_?ratio|volume|size|radius)(_.*)?$",
    ),
    (
        Reason::Shape,
        true,
        r"(major|minor)_?axis|axis_?(major|minor)|diameter|feret|convex_?(hull|area)|bounding_?box|^bbox|zernike|euler_?number|percent_?touching|(number|num)_?(of_?)?neighbou?rs|^neighbou?rs?(_.*)?$",
    ),
    (
        Reason::Position,
        false,
        r"^[xyz]$|^[xyz]_?(pos|position|coord|coordinates?|loc|location|centroid|center|centre|um|px|pixels?)$|(^|_)(pos|position|coords?|coordinates?|location|centroid|spatial)(_?(center|centre))?(_?[xyz012])?$|^cent(er|re)_?[xyz]$",
    ),
    (
        Reason::Object,
        false,
        r"^(object|obj|image|roi|fov|tile|nucleus|nuclei|slide|acquisition|parent)(_.*)?_?(number|no|nr|num|id|ids|label|index|idx|name)?$",
    ),
    (
        Reason::Origin,
        true,
        r"^(file|fcs|samples?|batch|run|plate|well|donor|patient|subject|individual|specimen|condition|treatment|group|cohort|visit|acq|experiment|population|pop|cell_?type|labels?|gate|gated|annotation|class|source|data_?set|pool|replicate|tissue|tube|omiq.*|cytobank.*)(_?(id|ids|no|nr|num|number|index|idx|name|label|code|key))*$|(^|_)file(_?(no|nr|num|number|id|index|idx|name))*$",
    ),
    (
        Reason::Id,
        true,
        r"^(id|ids|uid|uuid|index|idx|no|nr|row|number|v1|unnamed.*)$|^(row|event|cell|orig|original|origin)(_?(id|no|nr|num|number|index|idx|names?|row|event|cell|label))*$",
    ),
];

/// Words for a channel without a stain.
const EMPTY: &str = r"^(empty|blank|unused|none|na|n_a|nan|null|nil|unstained|not_?used|no_?stain|background|bckg|bkg)(_?\d+)?$";

/// A detector or a dye: it names a channel and no antibody.
const DETECTOR: &str = r"(?i)^(fl\s*-?\d{1,2}([\s_-]*(int)?[\s_-]*(log|lin|peak|tof)?[ahw]?)?([\s_-]*[ahw])?|(bl|yl|rl|vl|gl|ul|uv|v|b|r|y|yg|g|ir)\d{1,2}[\s_-]+[ahw])$";

/// Fluorochromes alone.
const DYE: &str = r"^(fitc|pe|apc|ecd|pc5|pc5_5|pc7|rd1|percp|per_cp|amcyan|am_cyan|krome_?orange|ko|pacific_?(blue|orange)|pac_?blue|pe_?cy_?\d(_?\d)?|per_?cp_?cy_?\d(_?\d)?|apc_?(cy_?7|h7|r700|fire_?\d+)|pe_?(texas_?red|cf594|dazzle_?594|vio_?770|fire_?\d+)|bu?v_?\d{3}|bb_?\d{3}|(af|alexa_?fluor|alexa)_?\d{3}|v_?(450|500)|q_?dot_?\d{3}|e_?fluor_?\d{3}|texas_?red)(_[ahw])?$";

/// A pattern that is ready; none is used where one cannot be built, which a test excludes.
fn ready(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

/// The patterns, ready.
static READY: LazyLock<Vec<(Reason, bool, Regex)>> =
    LazyLock::new(|| ROWS.iter().filter_map(|(r, always, text)| Some((*r, *always, ready(text)?))).collect());
static NOTHING: LazyLock<Option<Regex>> = LazyLock::new(|| ready(EMPTY));
static PARTS: LazyLock<[Option<Regex>; 2]> = LazyLock::new(|| [ready(DETECTOR), ready(DYE)]);

/// Why a name (as words) is none of a marker. `certain` keeps to the patterns that hold for a channel that has a stain.
pub(super) fn reason(slug: &str, certain: bool) -> Option<Reason> {
    READY.iter().filter(|(_, always, _)| *always || !certain).find(|r| r.2.is_match(slug)).map(|r| r.0)
}

/// Whether a name (as words) says that there is no stain.
pub(super) fn is_empty_word(slug: &str) -> bool {
    slug.is_empty() || NOTHING.as_ref().is_some_and(|r| r.is_match(slug))
}

/// Whether a name is that of a detector or a dye.
pub(super) fn is_detector(text: &str, slug: &str) -> bool {
    let [detector, dye] = &*PARTS;
    detector.as_ref().is_some_and(|r| r.is_match(text)) || dye.as_ref().is_some_and(|r| r.is_match(slug))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_valid() {
        assert_eq!(READY.len(), ROWS.len());
        assert!(NOTHING.is_some() && PARTS.iter().all(Option::is_some));
    }
}
