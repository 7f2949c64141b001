//! Folding a name to the key it is compared by. Two stains are the same marker when their keys are equal; other names of
//! an antibody (BDCA2 is CD303) are no spelling, and come from a panel file.

use super::isotope;

/// What exporting programs put before a name.
const PREFIXES: [&str; 6] = ["FJComp-", "FJComp_", "Comp-", "Comp_", "Compensated-", "Uncomp-"];

/// `channel :: marker`, as FlowJo writes it into tables.
pub(super) fn channel_and_marker(text: &str) -> Option<(&str, &str)> {
    let (channel, marker) = text.split_once("::")?;
    Some((channel.trim(), marker.trim()))
}

/// A name without `Comp-`, `FJComp-` and angle brackets around it.
pub(super) fn unwrapped(text: &str) -> &str {
    let mut rest = text.trim();
    loop {
        let before = rest;
        if let Some(inner) = rest.strip_prefix('<').and_then(|r| r.strip_suffix('>')) {
            rest = inner.trim();
        }
        let prefix = PREFIXES.iter().find(|p| rest.get(..p.len()).is_some_and(|s| s.eq_ignore_ascii_case(p)));
        if let Some(p) = prefix {
            rest = rest.get(p.len()..).unwrap_or_default().trim();
        }
        if rest == before {
            return rest;
        }
    }
}

/// A stain as people say it: without what programs and isotopes add (`145Nd_CD3`, `Comp-BV421-A :: CD3` → `CD3`).
pub fn short(text: &str) -> &str {
    let text = channel_and_marker(text).map_or(text, |(_, marker)| marker);
    isotope::stripped(unwrapped(text))
}

/// Characters that stand between the parts of a name and mean nothing; R writes a dot for them.
fn between(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '_' | '-' | '.' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{200b}' | '\u{feff}')
}

/// The key of a name as it is: small letters, nothing between the parts. A separator behind a CD number and before
/// another number stays, because CD3_4 (CD3 and CD4 in one channel) is not CD34.
fn folded(text: &str) -> String {
    let mut key = String::new();
    let mut apart = false;
    for c in text.chars().flat_map(char::to_lowercase) {
        if between(c) {
            apart = true;
            continue;
        }
        let number = key.trim_end_matches(|d: char| d.is_ascii_digit());
        if apart && c.is_ascii_digit() && number.len() < key.len() && number.ends_with("cd") {
            key.push('-');
        }
        apart = false;
        key.push(c);
    }
    key
}

/// The key that stains are compared by; empty for blanks.
pub fn key(text: &str) -> String {
    folded(short(text))
}

/// The key that channels are compared by: the isotope where the name holds one, else the folded name.
pub(super) fn channel_key(text: &str) -> String {
    let text = channel_and_marker(text).map_or(text, |(channel, _)| channel);
    let text = unwrapped(text);
    match isotope::isotope(text) {
        Some(i) => format!("{}{}", i.mass, i.element.to_lowercase()),
        None => folded(text),
    }
}

/// A name as patterns see it: small letters, one underscore between words. `FSCArea`, `FSC-Area` → `fsc_area`.
pub(super) fn slug(text: &str) -> String {
    let chars: Vec<char> = short(text).chars().collect();
    let mut out = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|k| chars.get(k)).copied().unwrap_or(' ');
        let small_next = chars.get(i + 1).is_some_and(|n| n.is_lowercase());
        let word = c.is_uppercase() && (before.is_lowercase() || (before.is_uppercase() && small_next));
        if (word || !c.is_alphanumeric()) && !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        }
    }
    out.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_stain_have_one_key() {
        for same in [
            &[
                "CD3",
                "cd3",
                "CD 3",
                "CD-3",
                "145Nd_CD3",
                "CD3_Nd145",
                "CD3(Nd145)Di",
                "Nd145Di_CD3",
                "Comp-CD3",
            ][..],
            &["HLA-DR", "HLADR", "hla dr", "HLA_DR", "HLA.DR", "174Yb_HLA-DR", "<HLA-DR>", "FJComp-HLA-DR"],
            &["IFN-g", "IFNg", "ifn g"],
            &["4-1BB", "41BB", "4_1BB", "4 1BB"],
            &["CD3", "Comp-BV421-A :: CD3", "BV421-A::CD3", "Comp-BV421-A :: 145Nd_CD3"],
            &["CD235_61", "CD235-61", "CD235_61_In113"],
            &["PD‑1", "PD-1", "PD1"],
        ] {
            for text in same {
                assert_eq!(key(text), key(same[0]), "{text}");
            }
        }
    }

    #[test]
    fn different_stains_have_different_keys() {
        for (a, b) in [
            ("CD45RA", "CD45"),
            ("CD45RA", "CD45RO"),
            ("CD4", "CD40"),
            ("CD3_4", "CD34"),
            ("CD3-19", "CD319"),
            ("CD45.1", "CD45.2"),
            ("BDCA2", "CD303"),
            ("HLA_DR15", "HLA_DR"),
            ("TCR_V24", "TCR"),
            ("127I", "IdU"),
            ("CD106", "VCAM"),
            ("CD8a", "CD8"),
            ("TCRgd", "TCRab"),
        ] {
            assert_ne!(key(a), key(b), "{a} {b}");
        }
        assert_eq!((key(" \t "), key("-")), (String::new(), String::new()));
    }

    #[test]
    fn channels_are_the_same_with_and_without_what_programs_add() {
        for (a, b) in [
            ("Nd145Di", "(Nd145)Di"),
            ("CD3(Nd145)Di", "Nd145Di"),
            ("CD3_Nd145", "145Nd"),
            ("Comp-FITC-A", "FITC-A"),
            ("<FITC-A>", "FITC-A"),
            ("Comp-BV421-A :: CD3", "BV421-A"),
        ] {
            assert_eq!(channel_key(a), channel_key(b), "{a} {b}");
        }
        for (a, b) in [("FITC-A", "FITC-H"), ("Nd145Di", "Nd146Di"), ("FL1-H", "FL2-H"), ("CD106", "CD107")] {
            assert_ne!(channel_key(a), channel_key(b), "{a} {b}");
        }
    }

    #[test]
    fn words_in_names_are_found_however_they_are_written() {
        for (text, words) in [
            ("FSCArea", "fsc_area"),
            ("FSC-Area", "fsc_area"),
            ("SampleID", "sample_id"),
            ("OmiqFileIndex", "omiq_file_index"),
            ("Comp-AF-A", "af_a"),
            ("140Ce_EQ4_beads", "eq4_beads"),
            ("tSNE1", "t_sne1"),
            ("viability;7-AAD;695/40@488/A", "viability_7_aad_695_40_488_a"),
            ("l/d", "l_d"),
        ] {
            assert_eq!(slug(text), words);
        }
    }
}
