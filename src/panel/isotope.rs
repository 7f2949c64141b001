//! Isotopes of mass cytometry in names: `145Nd_CD3`, `CD3_Nd145`, `CD3(Nd145)Di`, `(Nd145)Di`.

use std::sync::LazyLock;

use regex::Regex;

/// Elements measured in mass cytometry, with their lightest and heaviest isotope (and the instruments' own word for the
/// background).
const ELEMENTS: [(&str, u16, u16); 52] = [
    ("ArAr", 80, 80),
    ("Ar", 80, 80),
    ("Se", 74, 82),
    ("Y", 89, 89),
    ("Zr", 90, 96),
    ("Nb", 93, 93),
    ("Mo", 92, 100),
    ("Ru", 96, 104),
    ("Rh", 103, 103),
    ("Pd", 102, 110),
    ("Ag", 107, 109),
    ("Cd", 106, 116),
    ("In", 113, 115),
    ("Sn", 112, 124),
    ("Te", 120, 130),
    ("I", 127, 127),
    ("Xe", 124, 136),
    ("Cs", 133, 133),
    ("Ba", 130, 138),
    ("La", 138, 139),
    ("Ce", 136, 142),
    ("Pr", 141, 141),
    ("Nd", 142, 150),
    ("Pm", 145, 147),
    ("Sm", 144, 154),
    ("Eu", 151, 153),
    ("Gd", 152, 160),
    ("Tb", 159, 159),
    ("Dy", 156, 164),
    ("Ho", 165, 165),
    ("Er", 162, 170),
    ("Tm", 169, 169),
    ("Yb", 168, 176),
    ("Lu", 175, 176),
    ("Hf", 174, 180),
    ("Ta", 180, 181),
    ("W", 180, 186),
    ("Re", 185, 187),
    ("Os", 184, 192),
    ("Ir", 191, 193),
    ("Pt", 190, 198),
    ("Au", 197, 197),
    ("Hg", 196, 204),
    ("Tl", 203, 205),
    ("Pb", 204, 208),
    ("Bi", 209, 209),
    ("Th", 232, 232),
    ("U", 234, 238),
    ("BCKG", 100, 255),
    ("Bckg", 100, 255),
    ("BKG", 100, 255),
    ("Bkg", 100, 255),
];

/// An isotope: its element and its mass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Isotope {
    /// Symbol of the element.
    pub(super) element: &'static str,
    /// Mass number.
    pub(super) mass: u16,
}

/// An isotope of a known element. `Cd106` is cadmium and `CD106` an antibody: where the mass does not come first, the
/// symbol must be written as chemists do.
fn known(element: &str, mass: &str, mass_first: bool) -> Option<Isotope> {
    let mass: u16 = mass.parse().ok()?;
    let same = |e: &str| e == element || (mass_first && e.eq_ignore_ascii_case(element));
    let found = ELEMENTS.iter().find(|(e, from, to)| same(e) && (*from..=*to).contains(&mass))?;
    Some(Isotope { element: found.0, mass })
}

/// One isotope, with the brackets and the `Di` (or `Dd`) that instruments write around it.
const ONE: &str =
    r"\(?(?:(?P<m1>\d{2,3})(?P<e1>[A-Za-z]{1,4}?)|(?P<e2>[A-Za-z]{1,4}?)(?P<m2>\d{2,3}))\)?(?:D[id])?";

fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

static BARE: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(&format!(r"^{ONE}[\s_\-.:]*$")));
static BEFORE: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(&format!(r"^{ONE}[\s_\-.:]+(?P<name>.*[[:alnum:]].*)$")));
static BEHIND: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(&format!(r"^(?P<name>.*?[[:alnum:]+)\]])[\s_\-.:]+{ONE}$")));
/// Without a separator the isotope must be in brackets: `CD3(Nd145)Di`, not `XNd145`.
static IN_BRACKETS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"^(?P<name>.*?[[:alnum:]+)\]])\s*\((?:(?P<m1>\d{2,3})(?P<e1>[A-Za-z]{1,4})|(?P<e2>[A-Za-z]{1,4})(?P<m2>\d{2,3}))\)(?:D[id])?$",
    )
});
/// Several isotopes as one channel, as a debarcoder writes them: `CD3(110:114)Dd`.
static MASSES: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"^(?P<name>.*?[[:alnum:]].*?)\s*\(\d{2,3}(?::\d{2,3})*\)(?:D[id])?$"));
/// A channel by its ending alone: `Xx145Di`.
static CHANNEL: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"^\(?(?:(?:[A-Z][a-z]?|BCKG)\d{2,3}|\d{2,3}[A-Z][a-z]?)\)?D[id]$"));

/// The isotope that a match of one of the patterns found.
fn found(c: &regex::Captures<'_>) -> Option<Isotope> {
    let text = |name| c.name(name).map(|m| m.as_str());
    match (text("e1"), text("m1"), text("e2"), text("m2")) {
        (Some(e), Some(m), ..) => known(e, m, true),
        (_, _, Some(e), Some(m)) => known(e, m, false),
        _ => None,
    }
}

/// A name without the isotope before or behind it, and that isotope. Never an empty name.
fn split(text: &str) -> Option<(&str, Option<Isotope>)> {
    if let Some(c) = MASSES.as_ref().and_then(|r| r.captures(text)) {
        return c.name("name").map(|n| (n.as_str().trim_end(), None));
    }
    [&BEFORE, &BEHIND, &IN_BRACKETS].into_iter().find_map(|pattern| {
        let c = pattern.as_ref()?.captures(text)?;
        let isotope = found(&c)?;
        Some((c.name("name")?.as_str().trim_end(), Some(isotope)))
    })
}

/// A stain without its isotopes (`145Nd_CD3`, `CD3_Nd145`, `CD3(Nd145)Di` → `CD3`); as it is where there is none.
pub(super) fn stripped(text: &str) -> &str {
    let mut rest = text;
    while let Some((name, _)) = split(rest).filter(|(name, _)| name.len() < rest.len()) {
        rest = name;
    }
    rest
}

/// The isotope that a name is or holds.
pub(super) fn isotope(text: &str) -> Option<Isotope> {
    let whole = BARE.as_ref().and_then(|r| r.captures(text)).and_then(|c| found(&c));
    whole.or_else(|| split(text).and_then(|(_, isotope)| isotope))
}

/// Whether a name is an isotope or its channel and nothing else: there is no antibody.
pub(super) fn is_bare(text: &str) -> bool {
    BARE.as_ref().is_some_and(|r| r.captures(text).is_some_and(|c| found(&c).is_some()))
        || CHANNEL.as_ref().is_some_and(|r| r.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isotopes_are_stripped_and_nothing_else() {
        for (stain, name) in [
            ("145Nd_CD4", "CD4"),
            ("145Nd-CD4", "CD4"),
            ("145ND CD4", "CD4"),
            ("Nd145_CD4", "CD4"),
            ("Nd145Di_CD4", "CD4"),
            ("(Nd145)Di CD4", "CD4"),
            ("151Eu_CD244_2B4", "CD244_2B4"),
            ("89Y_CD45", "CD45"),
            ("CD19_Nd142", "CD19"),
            ("CD19-142Nd", "CD19"),
            ("CD19(Nd142)Di", "CD19"),
            ("CD19 (Nd142)", "CD19"),
            ("CD19(142Nd)Dd", "CD19"),
            ("HLA-DR(Yb174)Di", "HLA-DR"),
            ("CD3(110:114)Dd", "CD3"),
            ("CD235_61_In113", "CD235_61"),
            ("FITC_myeloid_Yb171", "FITC_myeloid"),
            ("BC1_Pd102", "BC1"),
            ("Integrin_CD106", "Integrin_CD106"),
            ("VCAM CD106", "VCAM CD106"),
            ("CD45 (RA)", "CD45 (RA)"),
            ("HLA_DR15", "HLA_DR15"),
            ("TCR_V24", "TCR_V24"),
            ("TCR_Va24", "TCR_Va24"),
            ("127I", "127I"),
            ("4_1BB", "4_1BB"),
            ("4-1BB", "4-1BB"),
            ("41BB", "41BB"),
            ("150Nd_", "150Nd_"),
            ("CD8 B PE", "CD8 B PE"),
            ("Ki-67", "Ki-67"),
            ("p38", "p38"),
            ("169Tm_CAR_ID", "CAR_ID"),
            ("Time (51.20 sec.)", "Time (51.20 sec.)"),
        ] {
            assert_eq!(stripped(stain), name, "{stain}");
        }
    }

    #[test]
    fn a_bare_isotope_is_told_from_a_stain() {
        for bare in [
            "127I",
            "138Ba",
            "190BCKG",
            "BCKG190Di",
            "(Ir191)Di",
            "Ir191Di",
            "Nd145",
            "145Nd",
            "150Nd_",
            "Ch01Di",
        ] {
            assert!(is_bare(bare), "{bare}");
        }
        for stain in
            ["CD4", "CD106", "CD110", "41BB", "4-1BB", "B220", "p38", "CD19(Nd142)Di", "IL21", "HLA_DR15"]
        {
            assert!(!is_bare(stain), "{stain}");
        }
    }

    #[test]
    fn the_isotope_of_a_channel_is_found() {
        let of = |text| isotope(text).map(|i| (i.element, i.mass));
        assert_eq!(of("Pd102Di"), Some(("Pd", 102)));
        assert_eq!(of("(Ir191)Di"), Some(("Ir", 191)));
        assert_eq!(of("BC1_Pd102"), Some(("Pd", 102)));
        assert_eq!(of("CD106"), None);
        assert_eq!(of("FITC-A"), None);
    }
}
