//! A data set in the terms of `fixtures/make/h5ad_expected.py`.

use std::collections::BTreeMap;

use scx::data::{Annotation, Block, Column, Dataset, Frame, Layout, Matrix, Uns, Values};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Longest list of categories written out.
const LONG: usize = 60;

fn digest<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> String {
    let all: Vec<String> = texts.into_iter().map(|t| t.as_ref().to_owned()).collect();
    let hash = Sha256::digest(all.join("\n"));
    hash.iter().map(|b| format!("{b:02x}")).collect::<String>()[..16].to_owned()
}

/// Sum of the finite values and number of NaN, added to an object.
fn numbers(values: impl Iterator<Item = f64>, into: &mut Map<String, Value>) {
    let (mut sum, mut nan) = (0.0, 0u64);
    for v in values {
        if v.is_nan() {
            nan += 1;
        } else if v.is_finite() {
            sum += v;
        }
    }
    into.insert("sum".into(), json!(sum));
    into.insert("nan".into(), json!(nan));
}

/// All stored values of a matrix, read in runs of rows.
pub(crate) fn stored(m: &Matrix) -> Vec<f64> {
    match m {
        Matrix::Dense(m) => m.values().iter().collect(),
        Matrix::Sparse(m) => m.values().iter().collect(),
        Matrix::OnDisk(m) => {
            let rows = m.shape().0;
            let step = if m.layout() == Layout::Csc { rows.max(1) } else { 257 };
            let mut all = Vec::new();
            for start in (0..rows).step_by(step) {
                match m.rows(start..(start + step).min(rows)).unwrap() {
                    Block::Dense(b) => all.extend(b.values().iter()),
                    Block::Csr(b) => all.extend(b.values().iter()),
                }
            }
            all
        }
    }
}

/// A matrix, and a check that reading by rows and by columns agree.
fn matrix(m: &Matrix) -> Value {
    let mut out = Map::new();
    out.insert("layout".into(), json!(m.layout().name()));
    out.insert("dtype".into(), json!(m.dtype().name()));
    out.insert("shape".into(), json!([m.shape().0, m.shape().1]));
    if let Some(nnz) = m.nnz() {
        out.insert("nnz".into(), json!(nnz));
    }
    let values = stored(m);
    numbers(values.iter().copied(), &mut out);
    let columns: Vec<usize> = (0..m.shape().1).collect();
    if m.shape().0 * m.shape().1 <= 4_000_000 {
        let (mut by_column, mut rows_seen) = (0.0, 0);
        m.columns(&columns, &mut |start, block| {
            assert_eq!(start, rows_seen);
            rows_seen += block.nrows();
            by_column += block.iter().filter(|v| v.is_finite()).sum::<f64>();
            Ok(())
        })
        .unwrap();
        assert_eq!(rows_seen, m.shape().0);
        let by_row: f64 = values.iter().filter(|v| v.is_finite()).sum();
        assert!((by_column - by_row).abs() <= 1e-9 * by_row.abs().max(1.0), "{by_column} {by_row}");
    }
    Value::Object(out)
}

fn column(c: &Column) -> Value {
    let mut out = Map::new();
    let missing = (0..c.len()).filter(|&i| c.text(i).is_none()).count();
    match c {
        Column::Numbers(v) => {
            out.insert("kind".into(), json!("number"));
            out.insert("dtype".into(), json!(v.dtype().name()));
            numbers(v.iter(), &mut out);
        }
        Column::Nullable { values, missing: mask } => {
            out.insert("kind".into(), json!("nullable"));
            out.insert("dtype".into(), json!(values.dtype().name()));
            out.insert("missing".into(), json!(missing));
            numbers(values.iter().zip(mask).filter(|(_, m)| !**m).map(|(v, _)| v), &mut out);
        }
        Column::Strings(_) | Column::NullableStrings(_) => {
            out.insert("kind".into(), json!("string"));
            out.insert("missing".into(), json!(missing));
            out.insert("digest".into(), json!(digest((0..c.len()).map(|i| c.text(i).unwrap_or_default()))));
        }
        Column::Categorical(k) => {
            let labels: Vec<String> = (0..k.categories.len()).filter_map(|i| k.categories.text(i)).collect();
            let mut counts = vec![0u64; labels.len()];
            k.codes.iter().filter(|&&c| c >= 0).for_each(|&c| counts[c as usize] += 1);
            out.insert("kind".into(), json!("category"));
            out.insert("ordered".into(), json!(k.ordered));
            out.insert("n".into(), json!(labels.len()));
            out.insert("digest".into(), json!(digest(&labels)));
            out.insert("missing".into(), json!(missing));
            out.insert("counts_digest".into(), json!(digest(counts.iter().map(u64::to_string))));
            if labels.len() <= LONG {
                out.insert("categories".into(), json!(labels));
                out.insert("counts".into(), json!(counts));
            }
        }
        Column::Opaque { encoding, .. } => {
            out.insert("kind".into(), json!(format!("opaque {encoding}")));
        }
    }
    Value::Object(out)
}

fn frame(f: &Frame) -> Value {
    let names: Vec<String> = f.index.iter().map(|n| n.into_owned()).collect();
    let name = match &f.index {
        scx::data::Index::Names { name, .. } => name.clone(),
        scx::data::Index::Range(_) => "range".into(),
    };
    let columns: Map<String, Value> = f.columns.iter().map(|(n, c)| (n.clone(), column(c))).collect();
    json!({
        "rows": names.len(), "index": name, "names": digest(&names), "columns": columns,
        "first": names.first().into_iter().collect::<Vec<_>>(), "last": names.last().into_iter().collect::<Vec<_>>(),
    })
}

fn annotations(all: &BTreeMap<String, Annotation>) -> Value {
    let each = |a: &Annotation| match a {
        Annotation::Matrix(m) => matrix(m),
        Annotation::Frame(f) => json!({"layout": "frame", "frame": frame(f)}),
        Annotation::Opaque { encoding, .. } => json!({"layout": format!("opaque {encoding}")}),
    };
    Value::Object(all.iter().map(|(k, a)| (k.clone(), each(a))).collect())
}

fn uns(all: &BTreeMap<String, Uns>) -> Value {
    let joined =
        |v: &[String], shape: &[usize]| json!({"kind": "texts", "shape": shape, "digest": digest(v)});
    let each = |u: &Uns| match u {
        Uns::Map(m) => json!({"kind": "map", "items": uns(m)}),
        Uns::String(s) => json!({"kind": "text", "digest": digest([s])}),
        Uns::Strings(v) => joined(v, &[v.len()]),
        Uns::StringArray { shape, values } => joined(values, shape),
        Uns::Number(v) => array("number", &[], v),
        Uns::Array { shape, values } => array("array", shape, values),
        Uns::Column(c) => {
            let mut out = column(c);
            out["layout"] = json!("list");
            out
        }
        Uns::Matrix(m) => matrix(m),
        Uns::Frame(f) => json!({"layout": "frame", "frame": frame(f)}),
        Uns::Records { fields, .. } => {
            let fields: Map<String, Value> = fields.iter().map(|(n, c)| (n.clone(), column(c))).collect();
            json!({"kind": "records", "fields": fields})
        }
        Uns::Null => json!({"kind": "null"}),
        Uns::Opaque { .. } => json!({"kind": "opaque"}),
    };
    Value::Object(all.iter().map(|(k, u)| (k.clone(), each(u))).collect())
}

fn array(kind: &str, shape: &[usize], values: &Values) -> Value {
    let mut out = Map::new();
    out.insert("kind".into(), json!(kind));
    out.insert("dtype".into(), json!(values.dtype().name()));
    out.insert("shape".into(), json!(shape));
    numbers(values.iter(), &mut out);
    Value::Object(out)
}

/// A whole data set.
pub(crate) fn summary(d: &Dataset) -> Value {
    let layers: Map<String, Value> = d.layers.iter().map(|(k, m)| (k.clone(), matrix(m))).collect();
    let mut out = json!({
        "shape": [d.n_obs(), d.n_vars()], "x": d.x.as_ref().map(matrix), "obs": frame(&d.obs), "var": frame(&d.var),
        "uns": uns(&d.uns), "layers": layers, "obsm": annotations(&d.obsm),
        "varm": annotations(&d.varm), "obsp": annotations(&d.obsp), "varp": annotations(&d.varp),
    });
    if let Some(raw) = &d.raw {
        out["raw"] = json!({"x": matrix(&raw.x), "var": frame(&raw.var), "varm": annotations(&raw.varm)});
    }
    out
}

/// Where two summaries differ; numbers may differ by rounding.
pub(crate) fn differences(at: &str, found: &Value, expected: &Value, out: &mut Vec<String>) {
    match (found, expected) {
        (Value::Object(f), Value::Object(e)) => {
            for key in f.keys().chain(e.keys().filter(|k| !f.contains_key(*k))) {
                let none = Value::Null;
                let pair = (f.get(key).unwrap_or(&none), e.get(key).unwrap_or(&none));
                differences(&format!("{at}/{key}"), pair.0, pair.1, out);
            }
        }
        (Value::Number(f), Value::Number(e)) => {
            let (f, e) = (f.as_f64().unwrap(), e.as_f64().unwrap());
            // Sums differ by the order of additions only.
            if (f - e).abs() > 1e-9 * e.abs().max(1e-3) {
                out.push(format!("{at}: {f}, expected {e}"));
            }
        }
        (f, e) if f == e => {}
        (f, e) => out.push(format!("{at}: {f}, expected {e}")),
    }
}

/// The first columns of a matrix (all of a small one) as dense `f64` rows.
pub(crate) fn dense(m: &Matrix) -> ndarray::Array2<f64> {
    let (rows, columns) = m.shape();
    let columns: Vec<usize> = (0..columns.min(1_000_000 / rows.max(1))).collect();
    let mut out = ndarray::Array2::zeros((rows, columns.len()));
    m.columns(&columns, &mut |start, block| {
        out.slice_mut(ndarray::s![start..start + block.nrows(), ..]).assign(&block);
        Ok(())
    })
    .unwrap();
    out
}

/// A matrix with its exact values in memory, whatever way it is held.
pub(crate) fn exact(m: &Matrix) -> (Layout, (usize, usize), Vec<u64>, Vec<u32>, Values) {
    let block = match m {
        Matrix::Dense(d) => Block::Dense(d.clone()),
        Matrix::Sparse(s) => {
            return (s.layout(), s.shape(), s.indptr().to_vec(), s.indices().to_vec(), s.values().clone());
        }
        Matrix::OnDisk(s) => s.rows(0..s.shape().0).unwrap(),
    };
    match block {
        Block::Dense(d) => (m.layout(), d.shape(), vec![], vec![], d.values().clone()),
        Block::Csr(s) => {
            (m.layout(), s.shape(), s.indptr().to_vec(), s.indices().to_vec(), s.values().clone())
        }
    }
}

/// Every matrix of a data set.
pub(crate) fn matrices(d: &Dataset) -> Vec<&Matrix> {
    let mut all: Vec<&Matrix> = d.x.iter().chain(d.layers.values()).collect();
    let raw = d.raw.as_ref();
    all.extend(raw.map(|r| &r.x));
    for map in [&d.obsm, &d.varm, &d.obsp, &d.varp].into_iter().chain(raw.map(|r| &r.varm)) {
        all.extend(map.values().filter_map(|a| match a {
            Annotation::Matrix(m) => Some(m),
            _ => None,
        }));
    }
    all
}
