//! The scale of each marker, where single markers have a cofactor of their own.

use serde::{Deserialize, Serialize};

use super::Transform;

/// The scale of each marker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Of all markers without their own.
    pub common: Transform,
    /// Cofactors of single markers, by name; they have a meaning where arcsinh is taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<(String, f64)>,
}

impl From<Transform> for Scale {
    fn from(common: Transform) -> Self {
        Self { common, own: Vec::new() }
    }
}

impl Scale {
    /// The scale of one marker.
    pub fn of(&self, marker: &str) -> Transform {
        match (self.common, self.own.iter().find(|o| o.0 == marker)) {
            (Transform::Arcsinh { .. }, Some((_, cofactor))) => Transform::Arcsinh { cofactor: *cofactor },
            (common, _) => common,
        }
    }

    /// The scale of each of these markers.
    pub fn each(&self, markers: &[String]) -> Vec<Transform> {
        markers.iter().map(|m| self.of(m)).collect()
    }

    /// The same with another cofactor for all markers without their own.
    #[must_use]
    pub fn with_cofactor(&self, cofactor: f64) -> Self {
        let common = match self.common {
            Transform::Arcsinh { .. } => Transform::Arcsinh { cofactor },
            other => other,
        };
        Self { common, own: self.own.clone() }
    }

    /// How the scale is written on an axis.
    pub fn label(&self) -> String {
        match (self.common, self.own.is_empty()) {
            (Transform::Arcsinh { .. }, false) => "arcsinh(x/cofactor of the marker)".into(),
            (common, _) => common.label(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_markers_have_their_own_cofactor() {
        let scale = Scale { common: Transform::Arcsinh { cofactor: 5.0 }, own: vec![("CD3".into(), 150.0)] };
        assert_eq!(scale.of("CD3"), Transform::Arcsinh { cofactor: 150.0 });
        assert_eq!(scale.with_cofactor(6.0).of("CD4"), Transform::Arcsinh { cofactor: 6.0 });
        assert_eq!(scale.with_cofactor(6.0).of("CD3"), Transform::Arcsinh { cofactor: 150.0 });
        let done = Scale { common: Transform::ArcsinhDone { cofactor: 5.0 }, ..scale };
        assert_eq!(done.of("CD3").forward(2.0), 2.0);
    }
}
