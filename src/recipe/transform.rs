//! The scale a model works on.

use serde::{Deserialize, Serialize};

/// The scale a model works on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub enum Transform {
    /// `arcsinh(x / cofactor)`, the scale of cytometry; 5 for mass, about 150 for fluorescence.
    Arcsinh {
        /// Divides the stored value.
        cofactor: f64,
    },
    /// Values are `arcsinh(x / cofactor)` already, and are taken as they are.
    ArcsinhDone {
        /// What was divided by.
        cofactor: f64,
    },
    /// Values are taken as they are.
    None,
}

impl Transform {
    /// Stored value → model scale.
    pub fn forward(self, x: f64) -> f64 {
        match self {
            Transform::Arcsinh { cofactor } => (x / cofactor).asinh(),
            Transform::ArcsinhDone { .. } | Transform::None => x,
        }
    }

    /// Model scale → stored value.
    pub fn inverse(self, y: f64) -> f64 {
        match self {
            Transform::Arcsinh { cofactor } => cofactor * y.sinh(),
            Transform::ArcsinhDone { .. } | Transform::None => y,
        }
    }

    /// How the scale is written on an axis.
    pub fn label(self) -> String {
        match self {
            Transform::Arcsinh { cofactor } => format!("arcsinh(x/{cofactor})"),
            Transform::ArcsinhDone { cofactor } => format!("arcsinh(x/{cofactor}), as stored"),
            Transform::None => "stored value".into(),
        }
    }

    /// Whether values on this scale are an arcsinh, on which a gain has a meaning.
    pub fn is_arcsinh(self) -> bool {
        matches!(self, Transform::Arcsinh { .. } | Transform::ArcsinhDone { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arcsinh_divides_by_the_cofactor_and_its_inverse_multiplies() {
        let t = Transform::Arcsinh { cofactor: 5.0 };
        assert!((t.forward(5.0) - 1.0f64.asinh()).abs() < 1e-15);
        for x in [-300.0, -0.2, 0.0, 3.0, 12_345.0] {
            assert!((t.inverse(t.forward(x)) - x).abs() < 1e-9 * (1.0 + x.abs()));
        }
    }
}
