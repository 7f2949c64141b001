//! Pages, column chunks, row groups and the footer.

use std::fs::File;
use std::io::{BufWriter, Error, Result, Write};
use std::path::Path;

use super::MAGIC;
use super::column::{Data, Field, Physical};
use super::encode::{bits_for, hybrid, plain, put_text};
use super::thrift::Struct;
use crate::data::slice;

/// Bytes of values in one page, about.
const PAGE: usize = 1 << 20;
/// Codes in one page.
const CODES: usize = 1 << 18;
const SNAPPY: i32 = 1;
const ENCODING_PLAIN: i32 = 0;
const ENCODING_RLE: i32 = 3;
const ENCODING_DICTIONARY: i32 = 8;

/// A column chunk that is in the file.
struct Chunk {
    offset: u64,
    dictionary: Option<u64>,
    data: u64,
    n: usize,
    plain: u64,
    packed: u64,
}

struct RowGroup {
    n_rows: usize,
    chunks: Vec<Chunk>,
}

/// A Parquet file in the making.
pub(super) struct Writer {
    out: BufWriter<File>,
    at: u64,
    schema: Vec<Field>,
    groups: Vec<RowGroup>,
    snappy: snap::raw::Encoder,
}

impl Writer {
    /// A new file with these columns.
    pub(super) fn create(path: &Path, fields: &[Field]) -> Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 18, File::create(path)?);
        out.write_all(MAGIC)?;
        let snappy = snap::raw::Encoder::new();
        Ok(Self { out, at: MAGIC.len() as u64, schema: fields.to_vec(), groups: Vec::new(), snappy })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Starts a row group; its columns follow in the order of the schema.
    pub(super) fn begin(&mut self, n_rows: usize) {
        self.groups.push(RowGroup { n_rows, chunks: Vec::new() });
    }

    /// Writes the values of the next column.
    pub(super) fn column(&mut self, field: &Field, data: &Data) -> Result<()> {
        let mut chunk =
            Chunk { offset: self.at, dictionary: None, data: self.at, n: data.len(), plain: 0, packed: 0 };
        if let Data::Codes(_, names) = data {
            let mut page = Vec::new();
            names.iter().for_each(|n| put_text(&mut page, n));
            let header = Struct::default().i32(1, count(names.len())?).i32(2, ENCODING_PLAIN);
            self.page(&mut chunk, 2, (7, header), &page)?;
            chunk.dictionary = Some(chunk.offset);
            chunk.data = self.at;
        }
        let mut start = 0;
        loop {
            let end = page_end(data, start);
            let body = body(field, data, start, end);
            let encoding = if matches!(data, Data::Codes(..)) { ENCODING_DICTIONARY } else { ENCODING_PLAIN };
            let header = Struct::default()
                .i32(1, count(end - start)?)
                .i32(2, encoding)
                .i32(3, ENCODING_RLE)
                .i32(4, ENCODING_RLE);
            self.page(&mut chunk, 0, (5, header), &body)?;
            start = end;
            if start >= data.len() {
                break;
            }
        }
        if let Some(group) = self.groups.last_mut() {
            group.chunks.push(chunk);
        }
        Ok(())
    }

    /// Writes a page: its header, then its bytes packed.
    fn page(&mut self, chunk: &mut Chunk, kind: i32, (id, inner): (i16, Struct), body: &[u8]) -> Result<()> {
        let packed = self.snappy.compress_vec(body).map_err(Error::other)?;
        let header = Struct::default()
            .i32(1, kind)
            .i32(2, count(body.len())?)
            .i32(3, count(packed.len())?)
            .inner(id, inner)
            .done();
        chunk.plain += (header.len() + body.len()) as u64;
        chunk.packed += (header.len() + packed.len()) as u64;
        self.put(&header)?;
        self.put(&packed)
    }

    /// Writes the footer with this metadata.
    pub(super) fn finish(mut self, metadata: Vec<(String, String)>) -> Result<()> {
        let n_rows: usize = self.groups.iter().map(|g| g.n_rows).sum();
        let root = Struct::default().text(4, "schema").i32(5, count(self.schema.len())?);
        let schema: Vec<Struct> =
            std::iter::once(root).chain(self.schema.iter().map(Field::schema)).collect();
        let groups: Vec<Struct> = self.groups.iter().map(|g| self.group(g)).collect();
        let pairs: Vec<Struct> =
            metadata.iter().map(|(k, v)| Struct::default().text(1, k).text(2, v)).collect();
        let footer = Struct::default()
            .i32(1, 2)
            .structs(2, schema.into_iter())
            .i64(3, n_rows as i64)
            .structs(4, groups.into_iter())
            .structs(5, pairs.into_iter())
            .text(6, concat!("scx version ", env!("CARGO_PKG_VERSION")))
            .done();
        self.put(&footer)?;
        self.put(&(count(footer.len())? as u32).to_le_bytes())?;
        self.put(MAGIC)?;
        self.out.flush()
    }

    fn group(&self, group: &RowGroup) -> Struct {
        let columns: Vec<Struct> = group
            .chunks
            .iter()
            .zip(&self.schema)
            .map(|(c, field)| {
                let encodings: &[i32] = match field.physical {
                    Physical::Category { .. } => &[ENCODING_PLAIN, ENCODING_RLE, ENCODING_DICTIONARY],
                    _ => &[ENCODING_PLAIN, ENCODING_RLE],
                };
                let mut meta = Struct::default()
                    .i32(1, field.stored())
                    .i32s(2, encodings)
                    .texts(3, &[&field.name])
                    .i32(4, SNAPPY)
                    .i64(5, c.n as i64)
                    .i64(6, c.plain as i64)
                    .i64(7, c.packed as i64)
                    .i64(9, c.data as i64);
                if let Some(at) = c.dictionary {
                    meta = meta.i64(11, at as i64);
                }
                Struct::default().i64(2, c.offset as i64).inner(3, meta)
            })
            .collect();
        let bytes: u64 = group.chunks.iter().map(|c| c.plain).sum();
        Struct::default().structs(1, columns.into_iter()).i64(2, bytes as i64).i64(3, group.n_rows as i64)
    }
}

/// A length as Parquet counts it.
fn count(n: usize) -> Result<i32> {
    i32::try_from(n).map_err(|_| Error::other(format!("{n} in one page of Parquet, at most {}", i32::MAX)))
}

/// The row behind the last one of the page that starts at `start`.
fn page_end(data: &Data, start: usize) -> usize {
    let by_bytes = |len: &dyn Fn(usize) -> usize| {
        let (mut end, mut bytes) = (start, 0);
        while end < data.len() && bytes < PAGE {
            bytes += 4 + len(end);
            end += 1;
        }
        end
    };
    match data {
        Data::Numbers(v, _) => (start + PAGE / v.dtype().size()).min(v.len()),
        Data::Codes(v, _) => (start + CODES).min(v.len()),
        Data::Strings(v) => by_bytes(&|i| v.get(i).map_or(0, String::len)),
        Data::Names(v, rows) => by_bytes(&|i| v.get(rows.start + i).map_or(0, str::len)),
        Data::Nullable(v) => by_bytes(&|i| v.get(i).and_then(Option::as_ref).map_or(0, String::len)),
    }
}

/// The bytes of a page: which rows have a value, where some may not, and the values.
fn body(field: &Field, data: &Data, start: usize, end: usize) -> Vec<u8> {
    let mut out = Vec::new();
    if field.optional {
        let levels: Vec<u32> = (start..end).map(|i| u32::from(data.is_there(i))).collect();
        let levels = hybrid(&levels, 1);
        // A page holds far less than 4 GiB.
        out.extend_from_slice(&(levels.len() as u32).to_le_bytes());
        out.extend(levels);
    }
    match data {
        Data::Numbers(v, _) => out.extend(plain(&slice(v, start..end), |i| data.is_there(start + i))),
        Data::Strings(v) => v.get(start..end).unwrap_or(&[]).iter().for_each(|s| put_text(&mut out, s)),
        Data::Names(v, rows) => {
            (rows.start + start..rows.start + end)
                .filter_map(|i| v.get(i))
                .for_each(|s| put_text(&mut out, s));
        }
        Data::Nullable(v) => {
            v.get(start..end).unwrap_or(&[]).iter().flatten().for_each(|s| put_text(&mut out, s));
        }
        Data::Codes(v, names) => {
            let codes: Vec<u32> =
                v.get(start..end).unwrap_or(&[]).iter().filter_map(|c| u32::try_from(*c).ok()).collect();
            let bits = bits_for(names.len());
            out.push(bits);
            out.extend(hybrid(&codes, bits));
        }
    }
    out
}
