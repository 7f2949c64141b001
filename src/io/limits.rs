//! Sizes read from a file are claims, not facts: every allocation they ask for passes through here.

use std::path::Path;

use super::error::ReadError;

/// How much memory one element read from a file may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// Bytes one array may take in memory.
    pub max_bytes: u64,
}

impl Default for ReadLimits {
    /// 64 GiB an array: more than any real file asks for, less than a corrupt length does.
    fn default() -> Self {
        Self { max_bytes: 64 << 30 }
    }
}

impl ReadLimits {
    /// Checks that `count` elements of `size` bytes may be allocated and returns the count.
    ///
    /// # Errors
    /// [`ReadError::TooLarge`] when the product is over the limit or overflows.
    pub fn check(&self, path: &Path, at: &str, count: u64, size: usize) -> Result<usize, ReadError> {
        let asked = count.saturating_mul(size as u64);
        match usize::try_from(count) {
            Ok(n) if asked <= self.max_bytes => Ok(n),
            _ => Err(ReadError::TooLarge {
                path: path.to_owned(),
                at: at.to_owned(),
                asked,
                limit: self.max_bytes,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overflowing_size_is_too_large() {
        let limits = ReadLimits::default();
        assert!(limits.check(Path::new("a"), "x", u64::MAX / 2, 8).is_err());
        assert_eq!(limits.check(Path::new("a"), "x", 10, 8).unwrap(), 10);
        assert!(ReadLimits { max_bytes: 79 }.check(Path::new("a"), "x", 10, 8).is_err());
    }
}
