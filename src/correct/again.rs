//! Whether a file holds values that scx has corrected before: corrected twice, they are moved twice.

use serde_json::Value;

use crate::data::Dataset;
use crate::io::fcs;
use crate::provenance;

/// Layer that holds corrected values.
pub const RESULT_LAYER: &str = "scx_correct";

/// Keyword of FCS files with the records of scx.
const KEYWORD: &str = "SCX";

/// An earlier correction of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Where it shows.
    pub found: String,
    /// The values that would be corrected now are those of before: only the result would be replaced.
    pub repeat: bool,
}

/// The earlier correction of a file, if there is one; `layer` is what would be corrected now, X when none. It shows by a
/// record in `uns["scx"]["log"]` or the keyword `SCX`, or by the layer of the result.
pub fn earlier(dataset: &Dataset, layer: Option<&str>) -> Option<Earlier> {
    let logged = corrections(log(dataset));
    let keyword = corrections(keyword(dataset));
    let has_layer = dataset.layers.contains_key(RESULT_LAYER);
    let found = match (&logged, &keyword, has_layer) {
        (_, _, true) => format!("layers[\"{RESULT_LAYER}\"]"),
        (Some(_), ..) => "a record in uns[\"scx\"][\"log\"]".to_owned(),
        (None, Some(_), _) => format!("the keyword {KEYWORD}"),
        (None, None, false) => return None,
    };
    let in_place = |r: &Value| r.pointer("/settings/into_x") == Some(&Value::Bool(true));
    let replaced = logged.iter().chain(&keyword).flatten().any(in_place);
    Some(Earlier { found, repeat: has_layer && !replaced && layer != Some(RESULT_LAYER) })
}

impl Earlier {
    /// What to say to somebody who would correct the file once more: what was found, and both ways on.
    pub fn message(&self, file: &str, layer: Option<&str>) -> String {
        let found = &self.found;
        if self.repeat {
            return format!(
                "{file}: scx has corrected this file before ({found}); {} holds the values of before. Add --again to correct \
                 them anew and replace the result, or take the file without it",
                layer.unwrap_or("X")
            );
        }
        format!(
            "{file}: scx has corrected this file before ({found}), and values corrected twice are moved twice. Take the file \
             as it was before, or add --again to correct it once more"
        )
    }
}

/// The records of all runs of scx in a data set, the oldest first: those in `uns["scx"]["log"]`, then those in the
/// keyword `SCX`.
pub fn records(dataset: &Dataset) -> Vec<Value> {
    let mut all = log(dataset);
    all.extend(keyword(dataset));
    all
}

/// Records of corrections; `None` when there is none.
fn corrections(records: Vec<Value>) -> Option<Vec<Value>> {
    let of: Vec<Value> =
        records.into_iter().filter(|r| r.get("verb").and_then(Value::as_str) == Some("correct")).collect();
    (!of.is_empty()).then_some(of)
}

fn log(dataset: &Dataset) -> Vec<Value> {
    provenance::records(&dataset.uns).iter().filter_map(|text| serde_json::from_str(text).ok()).collect()
}

fn keyword(dataset: &Dataset) -> Vec<Value> {
    let kept = dataset.uns.get("fcs").and_then(fcs::keywords_from_uns).unwrap_or_default();
    let all = dataset.source.keywords.iter().chain(&kept);
    let records =
        all.filter(|(k, _)| k.eq_ignore_ascii_case(KEYWORD)).flat_map(
            |(_, text)| match serde_json::from_str(text) {
                Ok(Value::Array(records)) => records,
                Ok(one) => vec![one],
                Err(_) => Vec::new(),
            },
        );
    records.collect()
}
