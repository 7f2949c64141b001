//! What belongs to no cell: kept when it is the same in all files, named when it is not.

use std::collections::BTreeMap;

use super::{Changes, ConcatError, Piece, fail, keys};
use crate::data::{Annotation, Block, DataError, Matrix, Uns, Values};

/// Arrays of variables that are the same in all files.
pub(super) fn arrays(
    group: &str,
    all: &[(&str, &BTreeMap<String, Annotation>)],
    same_genes: bool,
    memory: u64,
    changes: &mut Changes,
) -> Result<BTreeMap<String, Annotation>, ConcatError> {
    let mut out = BTreeMap::new();
    for key in keys(all.iter().map(|(_, m)| *m)) {
        let element = format!("{group}[{key:?}]");
        let of: Vec<(&str, &Annotation)> = all.iter().filter_map(|(f, m)| Some((*f, m.get(&key)?))).collect();
        let Some(((_, first), rest)) = of.split_first() else { continue };
        if of.len() < all.len() {
            changes.left(element, format!("not in {} of {} files", all.len() - of.len(), all.len()));
            continue;
        }
        if !same_genes {
            changes.left(element, "files have different variables");
            continue;
        }
        let mut same = true;
        for (file, other) in rest {
            same = same && equal(first, other, memory).map_err(fail(file))?;
        }
        if same {
            out.insert(key, (*first).clone());
        } else {
            changes.left(element, "files differ");
        }
    }
    Ok(out)
}

fn equal(a: &Annotation, b: &Annotation, memory: u64) -> Result<bool, DataError> {
    Ok(match (a, b) {
        (Annotation::Frame(a), Annotation::Frame(b)) => a == b,
        (Annotation::Matrix(a), Annotation::Matrix(b)) => {
            let outline = |m: &Matrix| (m.shape(), m.dtype(), m.layout(), m.nnz());
            outline(a) == outline(b) && same_values(a, b, memory)?
        }
        _ => false,
    })
}

/// Whether two matrices of one shape hold the same; NaN is the same as NaN.
fn same_values(a: &Matrix, b: &Matrix, memory: u64) -> Result<bool, DataError> {
    // A part of the other matrix at a time, so that one is never held whole: both are walked in runs and compared by a
    // checksum of their bytes.
    Ok(digest(a, memory)? == digest(b, memory)?)
}

fn digest(m: &Matrix, memory: u64) -> Result<Vec<u8>, DataError> {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    m.stream(memory, &mut |_, block| {
        let values = match &block {
            Block::Dense(d) => d.values(),
            Block::Csr(s) => {
                for w in s.indptr().windows(2) {
                    hash.update((w[1] - w[0]).to_le_bytes());
                }
                hash.update(bytemuck::cast_slice(s.indices()));
                s.values()
            }
        };
        match values {
            // As they are: a double would round them.
            Values::I64(v) => hash.update(bytemuck::cast_slice(v)),
            Values::U64(v) => hash.update(bytemuck::cast_slice(v)),
            values => values.iter().for_each(|x| {
                let bits = if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() };
                hash.update(bits.to_le_bytes());
            }),
        }
        Ok(())
    })?;
    Ok(hash.finalize().to_vec())
}

/// Unstructured values that are the same in all files; earlier records of scx are kept by file.
pub(super) fn uns(pieces: &[Piece], changes: &mut Changes) -> BTreeMap<String, Uns> {
    let all: Vec<BTreeMap<String, Uns>> = pieces
        .iter()
        .map(|p| {
            p.dataset.uns.iter().filter(|(k, _)| *k != "scx").map(|(k, v)| (k.clone(), v.clone())).collect()
        })
        .collect();
    let mut out = same(&all.iter().collect::<Vec<_>>(), "uns", changes);
    let mut inputs = BTreeMap::new();
    for (i, piece) in pieces.iter().enumerate() {
        if let Some(Uns::Map(own)) = piece.dataset.uns.get("scx")
            && let Some(log) = own.get("log")
        {
            let entry = BTreeMap::from([
                ("batch".into(), Uns::String(piece.batch.clone())),
                ("log".into(), log.clone()),
            ]);
            inputs.insert(format!("{i:03}"), Uns::Map(entry));
        }
    }
    if !inputs.is_empty() {
        out.insert("scx".into(), Uns::Map(BTreeMap::from([("inputs".into(), Uns::Map(inputs))])));
    }
    out
}

fn same(all: &[&BTreeMap<String, Uns>], at: &str, changes: &mut Changes) -> BTreeMap<String, Uns> {
    let mut out = BTreeMap::new();
    for key in keys(all.iter().copied()) {
        let element = format!("{at}[{key:?}]");
        let of: Vec<&Uns> = all.iter().filter_map(|m| m.get(&key)).collect();
        if of.len() < all.len() {
            changes.left(element, format!("not in {} of {} files", all.len() - of.len(), all.len()));
            continue;
        }
        let maps: Vec<_> =
            of.iter().filter_map(|u| if let Uns::Map(m) = u { Some(m) } else { None }).collect();
        if maps.len() == of.len() {
            let inner = same(&maps, &element, changes);
            if !inner.is_empty() || maps.iter().all(|m| m.is_empty()) {
                out.insert(key, Uns::Map(inner));
            }
            continue;
        }
        match of.split_first() {
            Some((Uns::Opaque { encoding, .. }, _)) => {
                changes.left(element, format!("encoding {encoding} is not understood"));
            }
            Some((first, rest)) if rest.iter().all(|u| u == first) => {
                out.insert(key, (*first).clone());
            }
            _ => changes.left(element, "files differ"),
        }
    }
    out
}
