//! Which encodings the anndata of a given version can read. It refuses a whole file for one it does not know.

use crate::io::options::Compat;

/// Encodings younger than anndata 0.8, and the first version in [`Compat`] that reads them. All others scx writes
/// (`array`, `string-array`, `csr_matrix`, `csc_matrix`, `categorical`, `nullable-integer`, `nullable-boolean`,
/// `dataframe`, `dict`, `rec-array`, `raw`, scalars) are as old as 0.8. Checked by opening files with each version:
/// `fixtures/make/h5ad_compat.py`.
const YOUNGER: &[(&str, Compat)] = &[
    // Since 0.9; there is no level between 0.8 and 0.11.
    ("awkward-array", Compat::V0_11),
    ("nullable-string-array", Compat::V0_11),
    ("null", Compat::V0_12),
];

/// Whether that anndata reads an encoding. One that no version knows is not for scx to judge: it was in the input.
pub(super) fn reads(compat: Compat, encoding: &str) -> bool {
    YOUNGER.iter().find(|(name, _)| *name == encoding).is_none_or(|(_, since)| compat >= *since)
}

/// How a level is called on the command line.
pub(super) fn name(compat: Compat) -> &'static str {
    match compat {
        Compat::V0_8 => "0.8",
        Compat::V0_11 => "0.11",
        Compat::V0_12 => "0.12",
        Compat::V0_13 => "0.13",
    }
}

/// Whether text with missing entries is written as such. anndata 0.11 and 0.12 could read it, but tools around them
/// cannot: they get categories, with code −1 where the text is missing.
pub(super) fn text_may_miss(compat: Compat) -> bool {
    compat >= Compat::V0_13
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_anndata_reads_a_younger_one_reads_too() {
        let levels = [Compat::V0_8, Compat::V0_11, Compat::V0_12, Compat::V0_13];
        for encoding in ["array", "awkward-array", "nullable-string-array", "null", "dream"] {
            assert!(levels.is_sorted_by_key(|c| reads(*c, encoding)), "{encoding}");
        }
        assert!(!reads(Compat::V0_8, "null") && reads(Compat::V0_12, "null") && reads(Compat::V0_8, "dream"));
    }
}
