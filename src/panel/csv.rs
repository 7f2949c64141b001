//! Small tables of text: what a panel file is.

/// A line that is not blank: its number, and its fields.
pub(super) type Line = (usize, Vec<String>);

/// Fields of each line that is not blank, with the number of the line they start in. The separator is the one of comma,
/// semicolon and tab that the first line has most of.
///
/// # Errors
/// The number of the line in which a quote is opened and never closed.
pub(super) fn rows(text: &str) -> Result<(char, Vec<Line>), usize> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
    let count = |c: char| outside_quotes(first).filter(|x| *x == c).count();
    let separator = [',', ';', '\t'].into_iter().rev().max_by_key(|c| count(*c)).unwrap_or(',');
    let mut out: Vec<Line> = Vec::new();
    let (mut fields, mut field, mut line, mut start) = (Vec::new(), String::new(), 1, 1);
    let mut quoted = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted.is_some() && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted.is_some() => quoted = None,
            '"' if field.trim().is_empty() => {
                field.clear();
                quoted = Some(line);
            }
            c if c == separator && quoted.is_none() => {
                fields.push(std::mem::take(&mut field).trim().to_owned())
            }
            '\n' | '\r' if quoted.is_none() => {
                if c == '\r' && chars.peek() == Some(&'\n') {
                    chars.next();
                }
                fields.push(std::mem::take(&mut field).trim().to_owned());
                out.push((start, std::mem::take(&mut fields)));
                line += 1;
                start = line;
            }
            c => {
                line += usize::from(c == '\n');
                field.push(c);
            }
        }
    }
    if let Some(line) = quoted {
        return Err(line);
    }
    fields.push(field.trim().to_owned());
    out.push((start, fields));
    out.retain(|(_, fields)| fields.iter().any(|f| !f.is_empty()));
    Ok((separator, out))
}

fn outside_quotes(line: &str) -> impl Iterator<Item = char> {
    let mut quoted = false;
    line.chars().filter(move |c| {
        quoted ^= *c == '"';
        !quoted
    })
}

/// A field as it stands in a table with commas.
pub(super) fn field(text: &str) -> String {
    let plain = !text.contains([',', '"', '\n', '\r', ';', '\t']) && text.trim() == text;
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_with_any_separator_quotes_and_line_ends() {
        for text in ["\u{feff}a,\"b,c\",d\r\n1,\"x\"\"y\",\r\n\r\n", "a;\"b,c\";d\n1;\"x\"\"y\";\n"] {
            let (_, rows) = rows(text).unwrap();
            assert_eq!(rows[0], (1, ["a", "b,c", "d"].map(String::from).to_vec()));
            assert_eq!(rows[1], (2, ["1", "x\"y", ""].map(String::from).to_vec()));
            assert_eq!(rows.len(), 2);
        }
        assert_eq!(rows("a\tb\n\n1\t2").unwrap().1[1], (3, vec!["1".into(), "2".into()]));
        assert_eq!(rows("a,b\n\"1,2\n3"), Err(2));
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in ["CD3", "a,b", "say \"x\"", " blank ", "two\nlines"] {
            let line = format!("{},end\n", field(text));
            assert_eq!(rows(&line).unwrap().1[0].1[0], text.trim());
        }
    }
}
