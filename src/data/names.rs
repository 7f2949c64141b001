//! Many short texts in one piece of memory.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;

use rayon::prelude::*;

/// Names of rows, in order. A name takes its bytes and four more; copies of a list share its memory.
///
/// Millions of barcodes as a `Vec<String>` would take three times as much: 24 bytes each, and 32 on the heap.
#[derive(Clone, Default, PartialEq)]
pub struct Names(Arc<Held>);

/// All names one behind the other.
#[derive(Clone, Default, PartialEq)]
struct Held {
    text: String,
    /// Where each name ends, counted in 32 bits.
    ends: Vec<u32>,
    /// The rows at which that count starts again from 0.
    wraps: Vec<usize>,
}

impl Held {
    fn push(&mut self, name: &str) {
        let before = self.text.len() >> 32;
        self.text.push_str(name);
        let row = self.ends.len();
        self.wraps.extend((before..self.text.len() >> 32).map(|_| row));
        self.ends.push(self.text.len() as u32);
    }

    fn end(&self, row: usize) -> usize {
        let wraps = if self.wraps.is_empty() { 0 } else { self.wraps.partition_point(|w| *w <= row) };
        self.ends.get(row).map_or(0, |end| *end as usize + (wraps << 32))
    }
}

/// Names that stand for more than one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeats<'a> {
    /// Rows whose name an earlier row has.
    pub count: usize,
    /// The name of the first of them.
    pub name: &'a str,
    /// The row that has it before.
    pub earlier: usize,
    /// The first of them.
    pub row: usize,
}

/// Rows looked at together for repeats: their table fits the cache of a processor.
const PART: usize = 1 << 18;

impl Names {
    /// No names, with room for `rows` names of `bytes` bytes altogether.
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        let held =
            Held { text: String::with_capacity(bytes), ends: Vec::with_capacity(rows), wraps: Vec::new() };
        Self(Arc::new(held))
    }

    /// Adds a name at the end.
    pub fn push(&mut self, name: &str) {
        Arc::make_mut(&mut self.0).push(name);
    }

    /// Number of names.
    pub fn len(&self) -> usize {
        self.0.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of all names.
    pub fn bytes(&self) -> usize {
        self.0.text.len()
    }

    /// Name of row `i`.
    pub fn get(&self, i: usize) -> Option<&str> {
        if i >= self.len() {
            return None;
        }
        let start = if i == 0 { 0 } else { self.0.end(i - 1) };
        self.0.text.get(start..self.0.end(i))
    }

    /// All names, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator + Clone {
        (0..self.len()).map(|i| self.get(i).unwrap_or_default())
    }

    /// The names that come more than once; `None` when all differ.
    pub fn repeats(&self) -> Option<Repeats<'_>> {
        let state = RandomState::new();
        let hashes: Vec<u32> = (0..self.len())
            .into_par_iter()
            .map(|i| state.hash_one(self.get(i).unwrap_or_default()) as u32)
            .collect();
        // Equal names fall into the same part.
        let parts = self.len() / PART + 1;
        let found = (0..parts).into_par_iter().filter_map(|part| self.repeats_in(part, parts, &hashes));
        let (count, row, earlier) = found.reduce_with(|a, b| {
            let first = if a.1 < b.1 { a } else { b };
            (a.0 + b.0, first.1, first.2)
        })?;
        Some(Repeats { count, name: self.get(row)?, earlier, row })
    }

    /// Repeats among the rows of one part: how many, the first and the one before it.
    fn repeats_in(&self, part: usize, parts: usize, hashes: &[u32]) -> Option<(usize, usize, usize)> {
        let own = |hash: u32| ((u64::from(hash) * parts as u64) >> 32) as usize == part;
        let rows = hashes.iter().filter(|h| own(**h)).count();
        let size = (2 * rows + 1).next_power_of_two();
        let mut table = vec![usize::MAX; size];
        let (mut count, mut first) = (0, None);
        for (row, &hash) in hashes.iter().enumerate().filter(|(_, h)| own(**h)) {
            // Parts are told apart by the upper bits.
            let mut at = hash as usize & (size - 1);
            loop {
                let earlier = table[at];
                if earlier == usize::MAX {
                    table[at] = row;
                    break;
                }
                if hashes[earlier] == hash && self.get(earlier) == self.get(row) {
                    count += 1;
                    first.get_or_insert((row, earlier));
                    // The row before the next repeat is this one.
                    table[at] = row;
                    break;
                }
                at = (at + 1) & (size - 1);
            }
        }
        first.map(|(row, earlier)| (count, row, earlier))
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<S: AsRef<str>> Extend<S> for Names {
    fn extend<I: IntoIterator<Item = S>>(&mut self, more: I) {
        let held = Arc::make_mut(&mut self.0);
        more.into_iter().for_each(|name| held.push(name.as_ref()));
    }
}

impl<S: AsRef<str>> FromIterator<S> for Names {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        let mut held = Held::default();
        names.into_iter().for_each(|name| held.push(name.as_ref()));
        held.text.shrink_to_fit();
        held.ends.shrink_to_fit();
        Self(Arc::new(held))
    }
}

impl From<Vec<String>> for Names {
    fn from(names: Vec<String>) -> Self {
        names.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_were_given_and_copies_share_them() {
        let mut names: Names = ["a", "", "čß", "b"].into_iter().collect();
        assert_eq!((names.len(), names.bytes(), names.get(2), names.get(4)), (4, 6, Some("čß"), None));
        let copy = names.clone();
        assert!(Arc::ptr_eq(&names.0, &copy.0));
        names.extend(["c"]);
        assert_eq!(names.iter().rev().collect::<Vec<_>>(), ["c", "b", "čß", "", "a"]);
        assert_eq!(copy.iter().collect::<Vec<_>>(), ["a", "", "čß", "b"]);
        assert_ne!(Names::from(vec!["ab".into(), "c".into()]), Names::from(vec!["a".into(), "bc".into()]));
    }

    #[test]
    fn ends_beyond_four_gibibytes_are_counted_from_the_row_at_which_they_start_again() {
        let held = Held { text: String::new(), ends: vec![5, u32::MAX, 7, 9, 3], wraps: vec![2, 4] };
        let ends: Vec<usize> = (0..5).map(|row| held.end(row)).collect();
        assert_eq!(ends, [5, (1 << 32) - 1, (1 << 32) + 7, (1 << 32) + 9, (2 << 32) + 3]);
    }

    #[test]
    fn repeats_are_counted_and_the_first_is_named_with_its_rows_however_many_parts_there_are() {
        let names: Names = (0..600_000).map(|i| format!("cell{i}")).collect();
        assert_eq!(names.repeats(), None);
        let mut twice = names.clone();
        twice.extend(["cell599999", "cell7", "x", "cell7"]);
        let found = twice.repeats().unwrap();
        assert_eq!(found, Repeats { count: 3, name: "cell599999", earlier: 599_999, row: 600_000 });
        assert_eq!(
            Names::from(vec![String::new(); 3]).repeats().map(|r| (r.count, r.earlier, r.row)),
            Some((2, 0, 1))
        );
    }
}
