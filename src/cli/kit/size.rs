//! Sizes of memory and numbers of threads as people write them.

/// The least memory scx can work in.
const LEAST_MEMORY: u64 = 64 << 20;

/// A size in bytes: `800M`, `4G`, `1.5GiB`. Units are binary.
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || "expected a size such as 512M or 4G".to_owned();
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let unit: u64 = match unit.trim().trim_end_matches(['b', 'B']).trim_end_matches('i') {
        "" => 1,
        "k" | "K" => 1 << 10,
        "m" | "M" => 1 << 20,
        "g" | "G" => 1 << 30,
        "t" | "T" => 1 << 40,
        _ => return Err(wrong()),
    };
    let bytes = number * unit as f64;
    if bytes < LEAST_MEMORY as f64 {
        return Err("at least 64M is needed".into());
    }
    if bytes > 9e18 {
        return Err(wrong());
    }
    Ok(bytes as u64)
}

/// A number of threads; no thread does no work.
pub fn threads(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(0) | Err(_) => Err("expected a number of 1 or more; leave it out to use all cores".into()),
        Ok(n) => Ok(n),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(size("4G"), Ok(4 << 30));
        assert_eq!(size("1.5GiB"), Ok(3 << 29));
        assert_eq!(size("512mb"), Ok(512 << 20));
        assert!(size("10").is_err() && size("G").is_err() && size("4X").is_err() && size("-1G").is_err());
        assert!(size("1e30T").is_err());
    }
}
