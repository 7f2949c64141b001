//! Parameters of the file: name, type, width and range of each channel.

use std::path::Path;

use super::text::Keywords;
use crate::data::DType;
use crate::io::error::ReadError;

/// How the values of a channel are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// Unsigned integers of so many bits.
    Integer(u32),
    /// IEEE single precision.
    Float,
    /// IEEE double precision.
    Double,
    /// Digits, so many of them; `None` when blanks or commas separate the numbers.
    Digits(Option<usize>),
}

impl Stored {
    /// Bits one value takes.
    pub(super) fn bits(self) -> u64 {
        match self {
            Stored::Integer(bits) => u64::from(bits),
            Stored::Float => 32,
            Stored::Double => 64,
            Stored::Digits(width) => 8 * width.unwrap_or(0) as u64,
        }
    }
}

/// One parameter of the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Channel {
    /// `$PnN`, as stored.
    pub(super) name: String,
    /// `$PnS`, as stored; empty when absent or blank.
    pub(super) stain: String,
    /// Type and width, from `$DATATYPE`, `$PnDATATYPE` and `$PnB`.
    pub(super) stored: Stored,
    /// Bits that count in an integer, from `$PnR`.
    pub(super) mask: u64,
    /// `$PnR`; NaN when it is no positive number.
    pub(super) range: f64,
    /// `$PnE`, as far as it holds for the values as they are stored: always `0,0` for floats.
    pub(super) amplification: String,
    /// `$PnG`; 1 when absent.
    pub(super) gain: f64,
    /// Whether scx made it of something else that is known of the cells (`SCX_PnROLE`).
    pub(super) appended: bool,
}

/// Reads all channels.
pub(super) fn channels(path: &Path, keywords: &Keywords) -> Result<Vec<Channel>, ReadError> {
    keywords.required(path, "$PAR")?;
    let par = keywords.integer(path, "$PAR")?.unwrap_or(0);
    if par == 0 {
        return Err(ReadError::malformed(path, "$PAR", "0 found where at least one channel was expected"));
    }
    let all = data_type(path, keywords, "$DATATYPE")?;
    let mut channels = Vec::new();
    // A false $PAR ends at the first channel without $PnB: nothing is allocated for it beforehand.
    for n in 1..=par {
        channels.push(channel(path, keywords, all, n)?);
    }
    let masked = |c: &&Channel| matches!(c.stored, Stored::Integer(_)) && c.range.is_nan();
    if let Some(c) = channels.iter().find(masked) {
        tracing::warn!(
            "{}: $PnR of channel `{}` is no positive number; integers of such channels are not masked",
            path.display(),
            c.name
        );
    }
    Ok(channels)
}

/// Faults of channels told at most: a false `$PAR` makes one for each channel that is not there.
const MOST_FAULTS: usize = 20;

/// Everything that is wrong with what the keywords say of the channels, where [`channels`] stops at the first fault.
pub(super) fn faults(path: &Path, keywords: &Keywords) -> Vec<ReadError> {
    let known = |key: &str| keywords.integer(path, key).map(Option::unwrap_or_default);
    let (par, all) = match (known("$PAR"), data_type(path, keywords, "$DATATYPE")) {
        (Ok(par), Ok(all)) => (par, all),
        (par, all) => return par.err().into_iter().chain(all.err()).collect(),
    };
    (1..=par).filter_map(|n| channel(path, keywords, all, n).err()).take(MOST_FAULTS).collect()
}

fn channel(path: &Path, keywords: &Keywords, all: char, n: u64) -> Result<Channel, ReadError> {
    let own = format!("$P{n}DATATYPE");
    let kind = match keywords.trimmed(&own) {
        Some(_) => data_type(path, keywords, &own)?,
        None => all,
    };
    let stored = stored(path, keywords, kind, n)?;
    let range = range(path, keywords, stored, n)?;
    let mask = match stored {
        Stored::Integer(bits) => mask(range, bits),
        _ => u64::MAX,
    };
    let text = |suffix: &str| keywords.get(&format!("$P{n}{suffix}")).unwrap_or_default();
    let gain = text("G").trim().parse().ok().filter(|g: &f64| g.is_finite() && *g > 0.0);
    Ok(Channel {
        name: text("N").to_owned(),
        stain: Some(text("S")).filter(|s| !s.trim().is_empty()).unwrap_or_default().to_owned(),
        stored,
        mask,
        range,
        amplification: amplification(path, keywords, stored, n),
        gain: gain.unwrap_or(1.0),
        appended: keywords.trimmed(&format!("SCX_P{n}ROLE")).is_some(),
    })
}

/// `$DATATYPE` or `$PnDATATYPE` as its capital letter.
fn data_type(path: &Path, keywords: &Keywords, key: &str) -> Result<char, ReadError> {
    let value = keywords.required(path, key)?;
    match value.to_ascii_uppercase().as_str() {
        "I" => Ok('I'),
        "F" => Ok('F'),
        "D" => Ok('D'),
        "A" => Ok('A'),
        _ => {
            let what = format!("`{value}` found where I, F, D or A was expected");
            Err(ReadError::malformed(path, key, what))
        }
    }
}

/// Type and width of channel `n`.
fn stored(path: &Path, keywords: &Keywords, kind: char, n: u64) -> Result<Stored, ReadError> {
    let key = format!("$P{n}B");
    let value = keywords.required(path, &key)?;
    if kind == 'A' && value == "*" {
        return Ok(Stored::Digits(None));
    }
    let bits = keywords.integer(path, &key)?.unwrap_or(0);
    let expected = match (kind, bits) {
        ('I', 1..=64) => return Ok(Stored::Integer(bits as u32)),
        ('F', 32) => return Ok(Stored::Float),
        ('D', 64) => return Ok(Stored::Double),
        ('A', 1..=32) => return Ok(Stored::Digits(Some(bits as usize))),
        ('I', _) => "1 to 64 for integers",
        ('F', _) => "32 for $DATATYPE F",
        ('D', _) => "64 for $DATATYPE D",
        _ => "1 to 32 digits or * for $DATATYPE A",
    };
    let unit = if kind == 'A' { "digits" } else { "bits" };
    Err(ReadError::malformed(path, key, format!("{bits} {unit} found where {expected} was expected")))
}

/// `$PnR`; what counts as unknown is NaN.
fn range(path: &Path, keywords: &Keywords, stored: Stored, n: u64) -> Result<f64, ReadError> {
    let key = format!("$P{n}R");
    let integer = matches!(stored, Stored::Integer(_));
    let value = if integer { keywords.required(path, &key)? } else { keywords.trimmed(&key).unwrap_or("") };
    let unknown = ["na", "nan", "inf", "+inf", "-inf"].iter().any(|w| value.eq_ignore_ascii_case(w));
    match value.parse::<f64>() {
        Ok(r) if r > 0.0 && r.is_finite() => Ok(r),
        Ok(r) if r == 0.0 || !integer => Ok(f64::NAN),
        _ if unknown || !integer => Ok(f64::NAN),
        _ => {
            let what = format!("`{value}` found where the range of an integer channel was expected");
            Err(ReadError::malformed(path, key, what))
        }
    }
}

/// The bits that count in an integer of so many bits: instruments leave rubbish above `$PnR`, and the standard has
/// readers mask it off, at the next power of two.
fn mask(range: f64, bits: u32) -> u64 {
    let full = u64::MAX >> (64 - bits.clamp(1, 64));
    if range.is_nan() {
        return full;
    }
    // Ranges of 2^53 and more, which a double rounds, are powers of two or wider than any instrument.
    (range.ceil() as u64).checked_next_power_of_two().map_or(full, |p| (p - 1) & full)
}

/// What `$PnE` says of the stored values. Floats are linear whatever it says; scx itself keeps the amplification of
/// integers it wrote as floats in `SCX_PnE`.
fn amplification(path: &Path, keywords: &Keywords, stored: Stored, n: u64) -> String {
    const LINEAR: &str = "0,0";
    if let Some(kept) = keywords.trimmed(&format!("SCX_P{n}E")) {
        return kept.to_owned();
    }
    let stated = keywords.trimmed(&format!("$P{n}E")).unwrap_or(LINEAR);
    let linear = stated.split(',').next().and_then(|d| d.trim().parse().ok()) == Some(0.0);
    if matches!(stored, Stored::Float | Stored::Double) && !linear {
        tracing::warn!(
            "{}: $P{n}E {stated} beside floating point: the standard has floats linear, the amplification is not \
             used",
            path.display()
        );
        return LINEAR.to_owned();
    }
    stated.to_owned()
}

/// The smallest element type that holds the values of all channels.
pub(super) fn dtype(channels: &[Channel]) -> DType {
    let integer_bits = |c: &Channel| match c.stored {
        Stored::Integer(bits) => Some(bits),
        // The most digits that stay below 2^8, 2^16, 2^32.
        Stored::Digits(Some(0..=2)) => Some(8),
        Stored::Digits(Some(3..=4)) => Some(16),
        Stored::Digits(Some(5..=9)) => Some(32),
        Stored::Digits(_) => Some(64),
        Stored::Float | Stored::Double => None,
    };
    let widest = channels.iter().filter_map(integer_bits).max().unwrap_or(0);
    let double = channels.iter().any(|c| c.stored == Stored::Double);
    let float = channels.iter().any(|c| c.stored == Stored::Float);
    match widest {
        0..=24 if float && !double => DType::F32,
        _ if float || double => DType::F64,
        0..=8 => DType::U8,
        9..=16 => DType::U16,
        17..=32 => DType::U32,
        _ => DType::U64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_end_at_the_next_power_of_two_and_never_beyond_the_width() {
        assert_eq!(mask(1024.0, 16), 1023);
        assert_eq!(mask(1000.0, 16), 1023);
        assert_eq!(mask(65536.0, 8), 255);
        assert_eq!(mask(2f64.powi(64), 64), u64::MAX);
        assert_eq!(mask(2f64.powi(63), 64), u64::MAX >> 1);
        assert_eq!(mask(f64::NAN, 10), 1023);
    }
}
