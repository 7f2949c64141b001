//! TEXT as bytes.

/// Digits of the data offsets: fixed, so that the length of TEXT does not depend on them.
const OFFSET_DIGITS: usize = 12;

/// Delimiters tried in this order; none of them upsets the readers we know. The first that occurs in no keyword or
/// value is taken, so that nothing has to be doubled.
const DELIMITERS: &[u8] = b"|\x0c\x1e/\\!#~@%&;:=\"'`,<>_\x1f\x1d\x1c\x01\x02\x03\x04\x05\x06\x07\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a";

/// TEXT as bytes, with `$BEGINDATA` and `$ENDDATA` filled in for `data_len` bytes that begin at byte `data`.
///
/// # Errors
/// In words, when no delimiter is left or DATA ends beyond what the keywords can say.
pub(super) fn encode(keywords: &mut [(String, String)], data: u64, data_len: u64) -> Result<Vec<u8>, String> {
    // With no events the segment is empty: its last byte is the one before its first.
    let last = data.saturating_add(data_len).saturating_sub(1);
    if last.to_string().len() > OFFSET_DIGITS {
        return Err("more than a terabyte of events".into());
    }
    for (key, value) in keywords.iter_mut() {
        match key.as_str() {
            "$BEGINDATA" => *value = format!("{data:0OFFSET_DIGITS$}"),
            "$ENDDATA" => *value = format!("{last:0OFFSET_DIGITS$}"),
            _ => {}
        }
    }
    Ok(bytes(keywords, delimiter(keywords)?))
}

fn bytes(keywords: &[(String, String)], delimiter: u8) -> Vec<u8> {
    let mut text = vec![delimiter];
    for part in keywords.iter().flat_map(|(k, v)| [k, v]) {
        for &b in part.as_bytes() {
            text.push(b);
            if b == delimiter {
                text.push(b);
            }
        }
        text.push(delimiter);
    }
    text
}

/// A delimiter that occurs nowhere; failing that, one that may be doubled without doubt: in no keyword, and at
/// neither end of a value.
fn delimiter(keywords: &[(String, String)]) -> Result<u8, String> {
    let absent =
        |d: &&u8| keywords.iter().all(|(k, v)| !k.as_bytes().contains(d) && !v.as_bytes().contains(d));
    let safe = |d: &&u8| {
        keywords.iter().all(|(k, v)| {
            let v = v.as_bytes();
            !k.as_bytes().contains(d) && v.first() != Some(d) && v.last() != Some(d)
        })
    };
    DELIMITERS.iter().find(absent).or_else(|| DELIMITERS.iter().find(safe)).copied().ok_or_else(|| {
        "the keywords use every character that could separate them; remove unusual keywords".into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(k: &str, v: &str) -> (String, String) {
        (k.into(), v.into())
    }

    #[test]
    fn the_delimiter_occurs_in_no_value_or_is_doubled() {
        let mut keywords = vec![pair("a|b", "c"), pair("$BEGINDATA", "0"), pair("$ENDDATA", "0")];
        let text = encode(&mut keywords, 158, 10).unwrap();
        assert_eq!((text[0], keywords[2].1.as_str()), (0x0c, "000000000167"));
        let all: String = DELIMITERS.iter().map(|&b| char::from(b)).collect();
        let mut keywords = vec![pair("a", &format!("x{all}x"))];
        assert!(encode(&mut keywords, 58, 0).unwrap().windows(2).any(|w| w == b"||"));
        assert!(encode(&mut keywords, 58, 1 << 40).unwrap_err().contains("terabyte"));
    }
}
