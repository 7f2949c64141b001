//! The character references of HTML in text: loompy stores `β` as `&#946;` and undoes references in whatever it reads.

use std::borrow::Cow;

/// Longest name looked at behind an ampersand.
const LONGEST: usize = 32;

/// Names of U+00A0 to U+00FF, which are references even without a semicolon.
const LATIN: [&str; 96] = [
    "nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf", "laquo",
    "not", "shy", "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute", "micro", "para", "middot",
    "cedil", "sup1", "ordm", "raquo", "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",
    "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave", "Eacute", "Ecirc", "Euml", "Igrave", "Iacute",
    "Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute", "Ocirc", "Otilde", "Ouml", "times", "Oslash",
    "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN", "szlig", "agrave", "aacute", "acirc", "atilde",
    "auml", "aring", "aelig", "ccedil", "egrave", "eacute", "ecirc", "euml", "igrave", "iacute", "icirc",
    "iuml", "eth", "ntilde", "ograve", "oacute", "ocirc", "otilde", "ouml", "divide", "oslash", "ugrave",
    "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml",
];

/// Further names without a semicolon.
const PLAIN: [(&str, char); 10] = [
    ("amp", '&'),
    ("AMP", '&'),
    ("lt", '<'),
    ("LT", '<'),
    ("gt", '>'),
    ("GT", '>'),
    ("quot", '"'),
    ("QUOT", '"'),
    ("COPY", '©'),
    ("REG", '®'),
];

/// Names of the Greek letters from U+0391 and U+03B1 on; U+03A2 is no letter.
const GREEK: [&str; 25] = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
    "nu", "xi", "omicron", "pi", "rho", "sigmaf", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
];

/// What Windows-1252 has at 0x80 to 0x9F: references to these code points mean its characters.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Text with its character references undone, as Python's `html.unescape` does for all references by number and the
/// usual names.
pub(super) fn unescape(text: String) -> String {
    if !text.contains('&') {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('&') {
        let (before, behind) = rest.split_at(at);
        out.push_str(before);
        let behind = behind.get(1..).unwrap_or_default();
        rest = match reference(behind) {
            Some((meant, used)) => {
                out.extend(meant);
                behind.get(used..).unwrap_or_default()
            }
            None => {
                out.push('&');
                behind
            }
        };
    }
    out.push_str(rest);
    out
}

/// What the reference behind an ampersand means, and how many bytes it takes; nothing for a code point that is none.
fn reference(behind: &str) -> Option<(Option<char>, usize)> {
    if let Some(number) = behind.strip_prefix('#') {
        let (digits, radix, skipped) = match number.strip_prefix(['x', 'X']) {
            Some(hex) => (hex, 16, 2),
            None => (number, 10, 1),
        };
        let n = digits.bytes().take_while(|b| char::from(*b).is_digit(radix)).count();
        let code = digits.get(..n).filter(|d| !d.is_empty())?;
        let semicolon = usize::from(digits.get(n..).is_some_and(|s| s.starts_with(';')));
        let code = u32::from_str_radix(code, radix).unwrap_or(u32::MAX);
        return Some((by_number(code), skipped + n + semicolon));
    }
    let n = name_length(behind);
    let name = behind.get(..n)?;
    if behind.get(n..).is_some_and(|s| s.starts_with(';'))
        && let Some(meant) = by_name(name)
    {
        return Some((Some(meant), n + 1));
    }
    let (meant, used) = (2..=n).rev().find_map(|n| Some((plain_name(behind.get(..n)?)?, n)))?;
    let semicolon = usize::from(used == n && behind.get(n..).is_some_and(|s| s.starts_with(';')));
    Some((Some(meant), used + semicolon))
}

/// Bytes of what could be a name: anything but white space and the marks of references.
fn name_length(behind: &str) -> usize {
    let end = |c: char| matches!(c, '\t' | '\n' | '\u{c}' | ' ' | '<' | '&' | '#' | ';');
    behind
        .char_indices()
        .take(LONGEST)
        .take_while(|(_, c)| !end(*c))
        .map(|(i, c)| i + c.len_utf8())
        .last()
        .unwrap_or(0)
}

fn by_number(code: u32) -> Option<char> {
    match code {
        0 => Some('\u{fffd}'),
        0x80..=0x9f => WINDOWS.get(code as usize - 0x80).copied(),
        0x1..=0x8 | 0xb | 0xe..=0x1f | 0x7f | 0xfdd0..=0xfdef => None,
        code if code <= 0x10_ffff && code & 0xfffe == 0xfffe => None,
        code => Some(char::from_u32(code).unwrap_or('\u{fffd}')),
    }
}

fn plain_name(name: &str) -> Option<char> {
    if let Some(i) = LATIN.iter().position(|n| *n == name) {
        return char::from_u32(0xa0 + i as u32);
    }
    PLAIN.iter().find(|(n, _)| *n == name).map(|(_, c)| *c)
}

fn by_name(name: &str) -> Option<char> {
    let further = match name {
        "apos" => Some('\''),
        "ndash" => Some('–'),
        "mdash" => Some('—'),
        "hellip" => Some('…'),
        "le" => Some('≤'),
        "ge" => Some('≥'),
        _ => None,
    };
    further.or_else(|| plain_name(name)).or_else(|| greek(name))
}

fn greek(name: &str) -> Option<char> {
    let upper = name.starts_with(|c: char| c.is_ascii_uppercase());
    let i = GREEK.iter().position(|n| n.eq_ignore_ascii_case(name))?;
    let cased = name.get(1..).is_some_and(|rest| rest == rest.to_ascii_lowercase());
    if !cased || (upper && i == 17) {
        return None;
    }
    char::from_u32(if upper { 0x391 } else { 0x3b1 } + i as u32)
}

/// Text as loompy reads it back: characters outside ASCII as references, since loompy drops them otherwise, and
/// ampersands that would be taken for a reference as `&amp;`.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (i, c) in text.char_indices() {
        let code = u32::from(c);
        if c == '&' && is_taken(text.get(i + 1..).unwrap_or_default()) {
            out.push_str("&amp;");
        } else if code > 0x7f && by_number(code) == Some(c) {
            out.push_str(&format!("&#{code};"));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Whether an ampersand before this would begin a reference for some reader.
fn is_taken(behind: &str) -> bool {
    let named = behind.get(name_length(behind)..).is_some_and(|s| s.starts_with(';'));
    // What follows is escaped itself, and `&` + `#946;` would be one.
    let character = behind.starts_with(|c: char| !c.is_ascii());
    named || character || reference(behind).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Python 3.11's `html.unescape` makes of each.
    #[test]
    fn references_mean_what_python_takes_them_for() {
        for (stored, meant) in [
            ("plain", "plain"),
            ("&#946;-cell", "β-cell"),
            ("&#x3B2;-cell", "β-cell"),
            ("&#946", "β"),
            ("a & b", "a & b"),
            ("Q&A", "Q&A"),
            ("a&amp;b", "a&b"),
            ("a&ampb", "a&b"),
            ("&amp;#946;", "&#946;"),
            ("&lt;5 &gt;3", "<5 >3"),
            ("&notin", "¬in"),
            ("&micro;m", "µm"),
            ("&beta;2m &Beta; &BETA;", "β2m Β &BETA;"),
            ("&#128;", "€"),
            ("&#0;&#1;x&#55296;", "\u{fffd}x\u{fffd}"),
            ("&#;", "&#;"),
            ("&", "&"),
            ("&#99999999999;", "\u{fffd}"),
            ("&apos;&apos", "'&apos"),
        ] {
            assert_eq!(unescape(stored.to_owned()), meant, "{stored}");
        }
    }

    #[test]
    fn escaped_text_comes_back() {
        for text in [
            "",
            "plain",
            "T&B cells",
            "β & γ",
            "&amp;",
            "&#946;",
            "&β",
            "a&beta;",
            "&ampx",
            "細胞\u{85}\u{fffe}",
            "&lt",
        ] {
            let stored = escape(text);
            assert_eq!(unescape(stored.into_owned()), text);
        }
        assert_eq!(escape("T&B cells"), "T&B cells");
        assert_eq!(escape("β"), "&#946;");
    }
}
