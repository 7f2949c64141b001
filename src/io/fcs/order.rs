//! `$BYTEORD`: in which order the bytes of a value lie.

use std::path::Path;

use super::text::Keywords;
use crate::io::error::ReadError;

/// Order of the bytes of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
    /// Significance (0 = least) of each byte as it lies in the file, as `3,4,1,2` of old DEC machines.
    Mixed(Vec<u8>),
}

impl ByteOrder {
    /// Reads `$BYTEORD`: any permutation of 1 to n, n up to 8.
    pub(super) fn parse(path: &Path, keywords: &Keywords) -> Result<Self, ReadError> {
        let value = keywords.required(path, "$BYTEORD")?;
        let order: Option<Vec<u8>> = value.split(',').map(|n| n.trim().parse().ok()).collect();
        let order = order.filter(|order| {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            order.len() <= 8 && sorted.iter().copied().eq(1..=order.len() as u8)
        });
        let Some(order) = order else {
            let what = format!("`{value}` found where an order of bytes such as 1,2,3,4 was expected");
            return Err(ReadError::malformed(path, "$BYTEORD", what));
        };
        // `1` alone is the order of single bytes: either will do.
        Ok(if order.is_sorted() {
            ByteOrder::Little
        } else if order.iter().rev().is_sorted() {
            ByteOrder::Big
        } else {
            ByteOrder::Mixed(order.iter().map(|n| n - 1).collect())
        })
    }

    /// Significance of each byte of a value of `width` bytes; `None` when the keyword does not say it.
    pub(super) fn significance(&self, width: usize) -> Option<Vec<u8>> {
        let up = 0..width as u8;
        match self {
            ByteOrder::Little => Some(up.collect()),
            ByteOrder::Big => Some(up.rev().collect()),
            ByteOrder::Mixed(_) if width == 1 => Some(vec![0]),
            ByteOrder::Mixed(order) => {
                let mut parts = order.chunks(width).map(ranks);
                let first = parts.next().filter(|p| p.len() == width)?;
                parts.all(|p| p == first).then_some(first)
            }
        }
    }
}

/// The rank of each entry among all of them.
fn ranks(order: &[u8]) -> Vec<u8> {
    order.iter().map(|n| order.iter().filter(|m| *m < n).count() as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::limits::ReadLimits;

    fn parse(order: &str) -> Result<ByteOrder, ReadError> {
        let text = format!("|$BYTEORD|{order}|");
        let keywords = Keywords::parse(Path::new("a"), text.as_bytes(), &ReadLimits::default()).unwrap();
        ByteOrder::parse(Path::new("a"), &keywords)
    }

    #[test]
    fn words_of_old_machines_say_how_shorter_values_lie() {
        assert_eq!(parse("1, 2").unwrap(), ByteOrder::Little);
        assert_eq!(parse("8,7,6,5,4,3,2,1").unwrap(), ByteOrder::Big);
        let pdp = parse("3,4,1,2").unwrap();
        assert_eq!(pdp.significance(4), Some(vec![2, 3, 0, 1]));
        assert_eq!(pdp.significance(2), Some(vec![0, 1]));
        assert_eq!(pdp.significance(1), Some(vec![0]));
        assert_eq!((pdp.significance(3), pdp.significance(8)), (None, None));
        assert_eq!(parse("1,4,3,2").unwrap().significance(2), None);
    }

    #[test]
    fn what_is_no_permutation_is_malformed() {
        for order in ["1,1,2,3", "0,1,2,3", "big", "1,2,3,4,5,6,7,8,9", "1,,2"] {
            let e = parse(order).unwrap_err();
            assert!(e.to_string().contains("$BYTEORD"), "{e}");
        }
    }
}
