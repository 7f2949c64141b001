//! Which columns are no markers, and why: judged by channel, by stain and by values.

use serde::{Deserialize, Serialize};

use super::column::Column;
use super::{isotope, patterns, stain};
use crate::data::Summary;

/// Why a column is no marker unless it is asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// When the event was measured.
    Time,
    /// Length or number of the event.
    EventLength,
    /// What the instrument writes before the signals (`HDR-CE`).
    Header,
    /// Light scatter.
    Scatter,
    /// Height or width of a signal whose area is there too.
    Pulse,
    /// What the instrument's fit of a pulse gives (`Center`, `Offset`, `Width`, `Residual`).
    Gaussian,
    /// DNA.
    Dna,
    /// Barcodes of samples.
    Barcode,
    /// Calibration beads.
    Beads,
    /// Dead or alive.
    Viability,
    /// The cell's own light.
    Autofluorescence,
    /// A name or number of each cell.
    Id,
    /// A cluster or how it was found.
    Cluster,
    /// An axis of a map such as tSNE.
    Embedding,
    /// Which file, sample, batch or group a cell is from.
    Origin,
    /// What a sorter decided.
    Sort,
    /// Doublets.
    Doublet,
    /// What a program of quality control says.
    Quality,
    /// A distance.
    Distance,
    /// Number of an object or an image.
    Object,
    /// Where a cell lies.
    Position,
    /// Size and shape of a cell.
    Shape,
    /// Whole numbers, few of them.
    FewValues,
    /// Values that only rise.
    Rising,
    /// A whole number of its own for each cell.
    AllDifferent,
    /// A channel with an isotope as its only name.
    Bare,
    /// A channel with a detector or a dye as its only name.
    Detector,
    /// A channel without stain.
    Unstained,
    /// `var["marker"]` is false.
    NotMarked,
    /// The panel file has no row for it.
    NotInPanel,
    /// The panel file gives it the role `none`.
    RoleNone,
    /// A channel that was written from a column of obs or obsm.
    Appended,
}

impl Reason {
    /// In a few words, to stand behind `left as they are:`.
    pub fn words(self) -> &'static str {
        match self {
            Reason::Time => "time",
            Reason::EventLength => "length or number of the event",
            Reason::Header => "header of the instrument",
            Reason::Scatter => "scatter",
            Reason::Pulse => "height or width of a signal whose area is there",
            Reason::Gaussian => "shape of the pulse",
            Reason::Dna => "DNA",
            Reason::Barcode => "barcode",
            Reason::Beads => "beads",
            Reason::Viability => "viability",
            Reason::Autofluorescence => "autofluorescence",
            Reason::Id => "id",
            Reason::Cluster => "cluster",
            Reason::Embedding => "axis of a map of cells",
            Reason::Origin => "where a cell is from",
            Reason::Sort => "sorting",
            Reason::Doublet => "doublets",
            Reason::Quality => "quality control",
            Reason::Distance => "distance",
            Reason::Object => "object or image",
            Reason::Position => "position",
            Reason::Shape => "size or shape",
            Reason::FewValues => "few whole numbers, as labels have",
            Reason::Rising => "values that only rise, as a clock or a running number does",
            Reason::AllDifferent => "a whole number of its own for each cell, as ids are",
            Reason::Bare => "an isotope without antibody",
            Reason::Detector => "a detector or dye without antibody",
            Reason::Unstained => "no stain",
            Reason::NotMarked => "var[\"marker\"] is false",
            Reason::NotInPanel => "not in the panel file",
            Reason::RoleNone => "role none in the panel file",
            Reason::Appended => "from a column of obs or obsm",
        }
    }

    /// Whether only the name of an antibody is missing: such channels are found by a pattern of names, too.
    pub fn is_nameless(self) -> bool {
        matches!(self, Reason::Bare | Reason::Detector | Reason::Unstained | Reason::NotMarked)
    }
}

/// Most different values of a label.
const FEW: usize = 100;
/// Most different values of a label where every channel holds whole numbers.
const FEW_AMONG_WHOLE: usize = 30;
/// Fewest values that say anything.
const ENOUGH: usize = 20;
/// Fewest values, and different ones among them, that rise by no accident.
const RISES: (usize, usize) = (50, 20);

/// Why a column is no marker, by its names. `None` for markers.
pub(super) fn by_name(column: &Column) -> Option<Reason> {
    let channel = stain::slug(&column.channel);
    let own = stain::slug(&column.says);
    let iridium = isotope::isotope(&column.channel).is_some_and(|i| i.element == "Ir");
    if !column.says.is_empty() {
        let by_stain = patterns::reason(&own, false);
        return by_stain.or_else(|| patterns::reason(&channel, true)).or(iridium.then_some(Reason::Dna));
    }
    let stored = stain::slug(&column.stored);
    let named = [&stored, &channel].into_iter().find_map(|slug| patterns::reason(slug, false));
    if named.is_some() {
        return named;
    }
    let isotope = isotope::isotope(&column.channel);
    Some(match isotope.map(|i| i.element) {
        Some("Ir") => Reason::Dna,
        Some("Pd") => Reason::Barcode,
        _ if !column.stored.is_empty() && isotope::is_bare(&column.stored) => Reason::Bare,
        _ if !column.stored.is_empty() && patterns::is_detector(&column.stored, &stored) => Reason::Detector,
        _ => Reason::Unstained,
    })
}

/// Why each column is no marker: by its names, then by its values where those of all columns are known.
pub(super) fn judge(columns: &[Column], values: &[Summary]) -> Vec<Option<Reason>> {
    let mut reasons: Vec<Option<Reason>> = columns.iter().map(by_name).collect();
    for j in 0..columns.len() {
        if reasons[j].is_none() && is_pulse_beside_area(columns, &reasons, j) {
            reasons[j] = Some(Reason::Pulse);
        }
    }
    if values.len() != columns.len() {
        return reasons;
    }
    let open: Vec<&Summary> = values.iter().zip(&reasons).filter(|(_, r)| r.is_none()).map(|v| v.0).collect();
    let whole = open.iter().filter(|s| s.whole).count();
    let all_whole = 2 * whole > open.len();
    for (reason, summary) in reasons.iter_mut().zip(values).filter(|(r, _)| r.is_none()) {
        *reason = by_values(summary, all_whole);
    }
    reasons
}

/// Whether a column is height or width of a signal whose area is a stained column too.
fn is_pulse_beside_area(columns: &[Column], reasons: &[Option<Reason>], j: usize) -> bool {
    let Some(base) = ["-H", "-W"].iter().find_map(|end| columns[j].channel.strip_suffix(end)) else {
        return false;
    };
    let area = |(c, r): (&Column, &Option<Reason>)| r.is_none() && c.channel.strip_suffix("-A") == Some(base);
    columns.iter().zip(reasons).any(area)
}

/// What values tell of a column whose name is that of a marker. Columns with one value only are left to those who learn
/// from them. In a file of fractions, whole numbers are labels when few, and ids when each cell has its own. In a file
/// of whole numbers (counts of mass cytometry, digitised light) few values are a rare signal when the smallest is
/// the most frequent, and a label else; two values are a mark.
fn by_values(s: &Summary, all_whole: bool) -> Option<Reason> {
    if s.n >= RISES.0 && s.rising && s.distinct >= RISES.1 {
        return Some(Reason::Rising);
    }
    if s.n < ENOUGH || !s.whole || s.distinct < 2 {
        return None;
    }
    let few = |most: usize| s.distinct <= most.min(s.n / 2);
    let label = match all_whole {
        false => few(FEW),
        true => s.distinct == 2 || (few(FEW_AMONG_WHOLE) && !s.mostly_least),
    };
    match () {
        () if label => Some(Reason::FewValues),
        () if !all_whole && s.n >= RISES.0 && s.distinct == s.n => Some(Reason::AllDifferent),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reason for a name that is stored as channel and stain, and for one that is a stain on a plain channel.
    fn of(channel: &str, stain: &str) -> Option<Reason> {
        by_name(&Column::new(0, channel, stain))
    }

    #[test]
    fn what_programs_and_instruments_add_is_told_by_name() {
        use Reason as R;
        for (reason, names) in [
            (
                R::Time,
                &["Time", "TIME", "TIME_MSW", "Time (51.20 sec.)", "HDR-T", "acquisition_time", "TimeStamp"]
                    [..],
            ),
            (R::EventLength, &["Event_length", "Cell_length", "EventNum", "eventnum", "Event #"]),
            (R::Header, &["HDR-CE", "HDR-SE", "HDR-V"]),
            (
                R::Scatter,
                &["FSC-A", "SSC-B-W", "FSC-Height", "FS INT LIN", "SS Lin", "SS", "FSCArea", "FSC LogH"],
            ),
            (R::Gaussian, &["Center", "Offset", "Width", "Residual", "Gaussian_mean"]),
            (
                R::Dna,
                &["DNA1", "191Ir_DNA1", "DNA2_Ir193", "DNA-2", "Hoechst 33342", "DAPI", "Ir_intercalator"],
            ),
            (R::Barcode, &["BC1", "bc_2", "BC2_Pd104", "102Pd_BC1", "bc_id", "Barcode_3", "CD45_BC1"]),
            (
                R::Beads,
                &[
                    "140Ce_Bead",
                    "EQ4_beads",
                    "165Ho_EQ",
                    "140Ce_EQ4",
                    "beadDist",
                    "Bead1(La139)Di",
                    "EQBeads",
                ],
            ),
            (
                R::Viability,
                &["Live", "Viability", "103Rh_Live_Dead", "l/d", "LiveDead", "Zombie NIR", "7-AAD", "Viab"],
            ),
            (R::Viability, &["viability;7-AAD;695/40@488/A", "cisplatin", "viability_Pt195", "L/D Aqua"]),
            (R::Autofluorescence, &["Comp-AF-A", "AF", "AF2", "Autofluorescence"]),
            (
                R::Embedding,
                &["tSNE1", "UMAP_1", "umap-2", "viSNE_1", "PHATE1", "PC_12", "PCA1", "opt-SNE1", "X_umap2"],
            ),
            (
                R::Cluster,
                &["FlowSOM_metacluster", "cluster_id", "metacluster", "PhenoGraph", "leiden", "Clusters"],
            ),
            (
                R::Origin,
                &["file_id", "FileNo", "SampleID", "OmiqFileIndex", "batch", "sample_id", "Original_file"],
            ),
            (R::Id, &["Original_ID", "id", "CellId", "row"]),
            (R::Sort, &["SORT", "Sort Result"]),
            (R::Doublet, &["DOUBLET", "Doublets", "singlets"]),
            (R::Quality, &["remove_from_FS_FM", "GoodEvents", "is_synthetic", "QC"]),
            (R::Barcode, &["bc_separation_dist"]),
            (R::Distance, &["mahalanobis_dist", "distance"]),
            (R::Object, &["ObjectNumber", "ImageNumber", "Object", "nucleus_id"]),
            (R::Position, &["X_position", "X", "Location_Center_X", "centroid-0", "pos_y", "Center_Y"]),
            (R::Shape, &["Area", "AreaShape_Solidity", "axis_major_length", "cell_area", "eccentricity"]),
        ] {
            for name in names {
                assert_eq!(of(name, name), Some(reason), "{name}");
            }
        }
    }

    #[test]
    fn antibodies_are_not_mistaken() {
        for name in [
            "CD3",
            "CD45RA",
            "HLA-DR",
            "DNAM-1",
            "BCL2",
            "BCL-6",
            "BCMA",
            "TIM-3",
            "TIGIT",
            "4-1BB",
            "PD-1",
            "Ki67",
            "CAR_ID",
            "CD20",
            "FoxP3",
            "p38",
            "S6",
            "GFP",
            "NK1/1",
            "TCRyd",
            "pSTAT5",
            "CD106",
            "CLU",
            "Clusterin",
            "SORT1",
            "FLAG",
            "HA",
            "EpCAM",
            "Arg1",
            "Annexin V",
            "CD8 B PE",
            "FITC_myeloid",
            "Helios",
            "IgD",
            "IL-2",
            "PCNA",
            "MDSC",
            "CD56;PE;586/15",
            "CD11c",
            "CXCR5",
            "FSCN1",
            "PDL1",
            "Tbet",
            "cPARP",
            "IdU",
            "B220",
        ] {
            assert_eq!(of("Nd145Di", name), None, "{name}");
            assert_eq!(of("FL1-H", name), None, "{name}");
        }
        for name in ["CD22-PC5", "CD45-PC7", "CD33 PC5", "CD19 RD1", "CD3 ECD"] {
            assert_eq!(of("FL4 LOG", name), None, "{name}");
        }
        assert_eq!(of("PC7", "CD45"), None);
    }

    #[test]
    fn the_channel_tells_where_the_stain_does_not() {
        assert_eq!(of("Time", "HDR-T"), Some(Reason::Time));
        assert_eq!(of("FSC-H", "something"), Some(Reason::Scatter));
        assert_eq!(of("Ir191Di", "something"), Some(Reason::Dna));
        assert_eq!(of("405nm 405SSC (405/10) LogH", "xxxx"), Some(Reason::Scatter));
        // Detectors are called after a dye, and carry antibodies.
        for detector in ["DAPI-A", "Aqua-A", "AF-A", "PI-A", "X"] {
            assert_eq!(of(detector, "CD8"), None, "{detector}");
        }
        assert_eq!(of("Pd104Di", ""), Some(Reason::Barcode));
        assert_eq!(of("Pd104Di", "CD45"), None);
        assert_eq!(of("Ir193Di", "193Ir"), Some(Reason::Dna));
        assert_eq!(of("Nd145Di", " "), Some(Reason::Unstained));
        assert_eq!(of("I127Di", "127I"), Some(Reason::Bare));
        assert_eq!(of("BL1-A", "BL1-A"), Some(Reason::Detector));
        assert_eq!(of("FL1 LogH", "FL1 LogH"), Some(Reason::Detector));
        assert_eq!(of("FL2-A", "V2-A"), Some(Reason::Detector));
        assert_eq!(of("FL1 Log", "FITC"), Some(Reason::Detector));
        assert_eq!(of("empty_I127", "empty_I127"), Some(Reason::Unstained));
        assert_eq!(of("CD45_In115", "CD45_In115"), None);
        assert_eq!(of("CD8", "CD8"), None);
    }

    #[test]
    fn labels_are_told_from_intensities_by_their_values() {
        let s = |n, whole, distinct, rising, mostly_least| Summary {
            n,
            whole,
            distinct,
            rising,
            mostly_least,
            ..Summary::default()
        };
        // A label and an id among fractions; counts with few values stay.
        assert_eq!(by_values(&s(600, true, 20, false, true), false), Some(Reason::FewValues));
        assert_eq!(by_values(&s(600, true, 600, false, false), false), Some(Reason::AllDifferent));
        assert_eq!(by_values(&s(600, true, 300, false, false), false), None);
        assert_eq!(by_values(&s(600, false, 20, false, false), false), None);
        assert_eq!(by_values(&s(600, true, 12, false, true), true), None);
        assert_eq!(by_values(&s(600, true, 12, false, false), true), Some(Reason::FewValues));
        assert_eq!(by_values(&s(600, true, 2, false, true), true), Some(Reason::FewValues));
        assert_eq!(by_values(&s(2000, true, 400, false, false), true), None);
        assert_eq!(by_values(&s(600, false, 590, true, false), false), Some(Reason::Rising));
        // A constant is left to those who learn, and few cells say nothing.
        assert_eq!(by_values(&s(600, true, 1, true, true), false), None);
        assert_eq!(by_values(&s(10, true, 3, false, false), false), None);
        assert_eq!(by_values(&s(30, true, 25, false, false), false), None);
    }

    #[test]
    fn of_area_height_and_width_the_area_is_the_marker() {
        let columns =
            [("FITC-A", "CD3"), ("FITC-H", "CD3"), ("FITC-W", "CD3"), ("FL2-A", ""), ("FL2-H", "CD8")];
        let columns: Vec<Column> =
            columns.iter().enumerate().map(|(i, (c, s))| Column::new(i, c, s)).collect();
        let pulse = Some(Reason::Pulse);
        assert_eq!(judge(&columns, &[]), [None, pulse, pulse, Some(Reason::Unstained), None]);
    }
}
