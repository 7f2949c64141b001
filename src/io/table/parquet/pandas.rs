//! What pandas needs to make the same table again: its own remark about columns, and Arrow's schema for categories.

use serde_json::{Value, json};

use super::arrow;
use super::column::{Field, Physical};
use crate::data::DType;

/// The key-value pairs of the footer; with `has_names` the last field is the index.
pub(super) fn metadata(fields: &[Field], has_names: bool, n_rows: usize) -> Vec<(String, String)> {
    let index = match fields.last() {
        Some(f) if has_names => json!(f.name),
        _ => json!({"kind": "range", "name": null, "start": 0, "stop": n_rows, "step": 1}),
    };
    let about = json!({
        "index_columns": [index],
        "column_indexes": [{
            "name": null, "field_name": null, "pandas_type": "unicode", "numpy_type": "object",
            "metadata": {"encoding": "UTF-8"},
        }],
        "columns": fields.iter().map(column).collect::<Vec<_>>(),
        "creator": {"library": "scx", "version": env!("CARGO_PKG_VERSION")},
        "pandas_version": "1.0.0",
    });
    let about = about.to_string();
    let mut pairs = vec![("pandas".to_owned(), about.clone())];
    // Readers take text for text unless Arrow's schema calls it a dictionary.
    if fields.iter().any(|f| matches!(f.physical, Physical::Category { .. })) {
        pairs.push(("ARROW:schema".to_owned(), arrow::schema(fields, &about)));
    }
    pairs
}

fn column(f: &Field) -> Value {
    let (pandas, numpy, more) = match f.physical {
        Physical::Text => ("unicode".to_owned(), "object".to_owned(), Value::Null),
        Physical::Category { n, ordered } => {
            let codes = match n {
                0..=127 => "int8",
                128..=32767 => "int16",
                _ => "int32",
            };
            let more = json!({"num_categories": n, "ordered": ordered});
            ("categorical".to_owned(), codes.to_owned(), more)
        }
        Physical::Number(t) => {
            let pandas = if t == DType::Bool { "bool" } else { t.name() };
            (pandas.to_owned(), if f.masked { masked(t) } else { t.name().to_owned() }, Value::Null)
        }
    };
    json!({
        "name": f.label, "field_name": f.name, "pandas_type": pandas, "numpy_type": numpy, "metadata": more,
    })
}

/// pandas' type with a mask: `Int32`, `UInt8`, `boolean`, `Float64`.
fn masked(t: DType) -> String {
    match t {
        DType::Bool => "boolean".into(),
        DType::F16 | DType::F32 => "Float32".into(),
        DType::F64 => "Float64".into(),
        t => match t.name().strip_prefix('u') {
            Some(rest) => format!("U{}", rest.replace("int", "Int")),
            None => t.name().replace("int", "Int"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masked_types_have_the_names_of_pandas() {
        assert_eq!(masked(DType::I32), "Int32");
        assert_eq!(masked(DType::U8), "UInt8");
        assert_eq!(masked(DType::Bool), "boolean");
    }
}
