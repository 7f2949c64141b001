//! Names inside a group of the new file: no slash, and each once.

use std::collections::BTreeSet;

/// The names given so far.
#[derive(Debug, Default)]
pub(super) struct Names {
    group: &'static str,
    taken: BTreeSet<String>,
}

impl Names {
    /// A group whose `reserved` names are not for others.
    pub(super) fn new(group: &'static str, reserved: &[&str]) -> Self {
        Self { group, taken: reserved.iter().map(|n| (*n).to_owned()).collect() }
    }

    /// `wanted` or the nearest name that can be had; a change is told of.
    pub(super) fn give(&mut self, wanted: &str) -> String {
        let base = match wanted {
            "" => "unnamed".to_owned(),
            "." | ".." => wanted.replace('.', "_"),
            name => name.replace(['/', '\0'], "_"),
        };
        let mut name = base.clone();
        let mut n = 0u64;
        while !self.taken.insert(name.clone()) {
            n += 1;
            name = format!("{base}_{n}");
        }
        if name != wanted {
            tracing::warn!("{wanted:?} is called {name:?} in /{} of the loom file", self.group);
        }
        name
    }

    /// Everything given, and what was reserved.
    pub(super) fn all(&self) -> &BTreeSet<String> {
        &self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_slash_or_taken_before_is_changed() {
        let mut names = Names::new("col_attrs", &["CellID"]);
        let given: Vec<String> = ["a/b", "a_b", "CellID", "", "."].iter().map(|n| names.give(n)).collect();
        assert_eq!(given, ["a_b", "a_b_1", "CellID_1", "unnamed", "_"]);
    }
}
