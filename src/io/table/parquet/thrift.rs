//! Thrift's compact protocol, as much of it as Parquet's headers and footer take.

/// Kinds of fields on the wire.
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// A structure in the making; fields must come in ascending order.
#[derive(Debug, Default, Clone)]
pub(super) struct Struct {
    bytes: Vec<u8>,
    last: i16,
}

impl Struct {
    fn field(&mut self, id: i16, kind: u8) {
        let delta = id - self.last;
        if (1..=15).contains(&delta) {
            self.bytes.push((delta as u8) << 4 | kind);
        } else {
            self.bytes.push(kind);
            zigzag(&mut self.bytes, i64::from(id));
        }
        self.last = id;
    }

    /// A 32-bit number, or an enumeration.
    pub(super) fn i32(mut self, id: i16, value: i32) -> Self {
        self.field(id, I32);
        zigzag(&mut self.bytes, i64::from(value));
        self
    }

    /// A 64-bit number.
    pub(super) fn i64(mut self, id: i16, value: i64) -> Self {
        self.field(id, I64);
        zigzag(&mut self.bytes, value);
        self
    }

    /// A text.
    pub(super) fn text(mut self, id: i16, value: &str) -> Self {
        self.field(id, BINARY);
        binary(&mut self.bytes, value);
        self
    }

    /// A structure inside.
    pub(super) fn inner(mut self, id: i16, value: Struct) -> Self {
        self.field(id, STRUCT);
        self.bytes.extend(value.done());
        self
    }

    /// A list of structures.
    pub(super) fn structs(mut self, id: i16, values: impl ExactSizeIterator<Item = Struct>) -> Self {
        self.list(id, STRUCT, values.len());
        for v in values {
            self.bytes.extend(v.done());
        }
        self
    }

    /// A list of enumerations.
    pub(super) fn i32s(mut self, id: i16, values: &[i32]) -> Self {
        self.list(id, I32, values.len());
        for &v in values {
            zigzag(&mut self.bytes, i64::from(v));
        }
        self
    }

    /// A list of texts.
    pub(super) fn texts(mut self, id: i16, values: &[&str]) -> Self {
        self.list(id, BINARY, values.len());
        for v in values {
            binary(&mut self.bytes, v);
        }
        self
    }

    fn list(&mut self, id: i16, kind: u8, len: usize) {
        self.field(id, LIST);
        if len < 15 {
            self.bytes.push((len as u8) << 4 | kind);
        } else {
            self.bytes.push(0xf0 | kind);
            varint(&mut self.bytes, len as u64);
        }
    }

    /// Its bytes.
    pub(super) fn done(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

/// Seven bits a byte, the lowest first.
pub(super) fn varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn zigzag(out: &mut Vec<u8>, n: i64) {
    varint(out, ((n << 1) ^ (n >> 63)) as u64);
}

fn binary(out: &mut Vec<u8>, text: &str) {
    varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_compact_protocol_says() {
        // Field 1 i32 −1 (zigzag 1); field 20, far from 1, i64 300 (zigzag 600); end.
        assert_eq!(Struct::default().i32(1, -1).i64(20, 300).done(), [0x15, 1, 0x06, 40, 0xd8, 0x04, 0]);
        let list = Struct::default().texts(3, &["ab"]).done();
        assert_eq!(list, [0x39, 0x18, 2, b'a', b'b', 0]);
    }
}
