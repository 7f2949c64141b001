//! Small tables of text that people write by hand: a sample sheet, a panel.

use std::path::Path;

use super::records::Record;
use super::scan::{Dialect, utf8};
use super::sniff::delimiter_of;
use crate::io::error::ReadError;

/// Bytes a record of such a table may take.
const RECORD: usize = 1 << 20;

/// Records such a table may have.
const MOST: usize = 1_000_000;

/// A table of text with a header. All text is without blanks at its ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTable {
    /// Names of the columns.
    pub header: Vec<String>,
    /// The rows below, each as long as the header.
    pub rows: Vec<TextRow>,
}

/// One row of a [`TextTable`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextRow {
    /// Line of the file it starts in, from 1.
    pub line: u64,
    /// Its fields.
    pub fields: Vec<String>,
}

/// Reads a whole delimited text (CSV, TSV, semicolons; gzip too) with a header as it stands: nothing is taken for a number.
/// Rows whose fields are all empty are left out.
///
/// # Errors
/// [`ReadError`] with the line when it is no table, a row has more or fewer fields than the header, or it is very large.
pub fn read_text_table(path: &Path) -> Result<TextTable, ReadError> {
    let dialect = Dialect { delimiter: delimiter_of(path)?, record_limit: RECORD };
    let mut records = dialect.records(path, (1, 0))?;
    let mut record = Record::default();
    let fields = |record: &Record| record.iter().map(|f| utf8(f.text).trim().to_owned()).collect::<Vec<_>>();
    if !records.next(&mut record)? {
        return Err(ReadError::malformed(path, "line 1", "is empty; expected the names of the columns"));
    }
    let mut table = TextTable { header: fields(&record), rows: Vec::new() };
    // A spreadsheet leaves delimiters behind the last column.
    while table.header.last().is_some_and(String::is_empty) {
        table.header.pop();
    }
    let width = table.header.len();
    while records.next(&mut record)? {
        let mut fields = fields(&record);
        while fields.len() > width && fields.last().is_some_and(String::is_empty) {
            fields.pop();
        }
        if fields.iter().all(String::is_empty) {
            continue;
        }
        if fields.len() != width {
            let what = format!(
                "has {} fields, the header has {width}; quote a field that holds the delimiter",
                fields.len()
            );
            return Err(ReadError::malformed(path, format!("line {}", record.line), what));
        }
        if table.rows.len() == MOST {
            let what = format!("there are more than {MOST} rows; this is no table written by hand");
            return Err(ReadError::unsupported(path, what));
        }
        table.rows.push(TextRow { line: record.line, fields });
    }
    Ok(table)
}
