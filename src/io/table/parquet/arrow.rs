//! Arrow's schema of a table, as its readers look for it in a Parquet file: only there a column can be called a
//! dictionary, and its categories ordered.

use flatbuffers::{FlatBufferBuilder, TableFinishedWIPOffset, VOffsetT, WIPOffset};

use super::column::{Field, Physical};
use crate::data::DType;

type Table = WIPOffset<TableFinishedWIPOffset>;

/// Place of a field in a table, by its number in Arrow's `Schema.fbs` and `Message.fbs`.
const fn slot(id: VOffsetT) -> VOffsetT {
    4 + 2 * id
}

/// Numbers of the union `Type`.
const INT: u8 = 2;
const FLOAT: u8 = 3;
const UTF8: u8 = 5;
const BOOL: u8 = 6;
/// `MetadataVersion.V5`.
const VERSION: i16 = 4;
/// `MessageHeader.Schema`.
const SCHEMA: u8 = 1;

/// The message with the schema, in base 64. Readers that find it take the remark for pandas from here, and not from the
/// footer.
pub(super) fn schema(fields: &[Field], pandas: &str) -> String {
    let mut b = FlatBufferBuilder::new();
    let columns: Vec<Table> = fields.iter().enumerate().map(|(i, f)| field(&mut b, i, f)).collect();
    let columns = b.create_vector(&columns);
    let (key, value) = (b.create_string("pandas"), b.create_string(pandas));
    let start = b.start_table();
    b.push_slot_always(slot(0), key);
    b.push_slot_always(slot(1), value);
    let pair = b.end_table(start);
    let pairs = b.create_vector(&[pair]);
    let start = b.start_table();
    b.push_slot_always(slot(1), columns);
    b.push_slot_always(slot(2), pairs);
    let schema = b.end_table(start);
    let start = b.start_table();
    b.push_slot(slot(0), VERSION, 0i16);
    b.push_slot(slot(1), SCHEMA, 0u8);
    b.push_slot_always(slot(2), schema);
    let message = b.end_table(start);
    b.finish(message, None);
    let body = b.finished_data();
    let padded = body.len().next_multiple_of(8);
    let mut bytes = vec![0xff; 4];
    bytes.extend_from_slice(&u32::try_from(padded).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(body);
    bytes.resize(8 + padded, 0);
    base64(&bytes)
}

fn field(b: &mut FlatBufferBuilder, id: usize, f: &Field) -> Table {
    let name = b.create_string(&f.name);
    let children = b.create_vector::<Table>(&[]);
    let (kind, ty) = match f.physical {
        Physical::Number(t) => number(b, t),
        Physical::Text | Physical::Category { .. } => (UTF8, empty(b)),
    };
    let dictionary = match f.physical {
        Physical::Category { ordered, .. } => {
            let index = int(b, 32, true);
            let start = b.start_table();
            b.push_slot(slot(0), id as i64, 0i64);
            b.push_slot_always(slot(1), index);
            b.push_slot(slot(2), ordered, false);
            Some(b.end_table(start))
        }
        _ => None,
    };
    let start = b.start_table();
    b.push_slot_always(slot(0), name);
    b.push_slot(slot(1), f.optional, false);
    b.push_slot(slot(2), kind, 0u8);
    b.push_slot_always(slot(3), ty);
    if let Some(d) = dictionary {
        b.push_slot_always(slot(4), d);
    }
    b.push_slot_always(slot(5), children);
    b.end_table(start)
}

fn empty(b: &mut FlatBufferBuilder) -> Table {
    let start = b.start_table();
    b.end_table(start)
}

fn int(b: &mut FlatBufferBuilder, bits: i32, signed: bool) -> Table {
    let start = b.start_table();
    b.push_slot(slot(0), bits, 0i32);
    b.push_slot(slot(1), signed, false);
    b.end_table(start)
}

fn number(b: &mut FlatBufferBuilder, t: DType) -> (u8, Table) {
    let precision = match t {
        DType::F16 => 0i16,
        DType::F32 => 1,
        _ => 2,
    };
    match t {
        DType::Bool => (BOOL, empty(b)),
        t if t.is_float() => {
            let start = b.start_table();
            b.push_slot(slot(0), precision, 0i16);
            (FLOAT, b.end_table(start))
        }
        t => {
            let signed = matches!(t, DType::I8 | DType::I16 | DType::I32 | DType::I64);
            (INT, int(b, 8 * t.size() as i32, signed))
        }
    }
}

/// Base 64 with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let at = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for k in 0..4 {
            let letter = LETTERS.get((bits >> (18 - 6 * k) & 63) as usize).copied().unwrap_or(b'=');
            out.push(if k <= group.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_64_is_padded() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
