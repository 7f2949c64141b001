//! Which matrix is X, and which are layers, as a user asks for it.

use super::{Change, DataError, Dataset, Frame, Matrix, Raw};

/// A matrix by the name users give it.
enum Chosen {
    X(Matrix),
    Layer(Matrix),
    Raw(Raw),
}

impl Dataset {
    /// Makes `x` (a layer, or `raw` with its own variables) the main matrix and adds `layers` (name, source). A layer
    /// that becomes X is no layer any more, unless it is asked for as one too. What this leaves behind goes to
    /// [`Dataset::changes`].
    ///
    /// # Errors
    /// [`DataError::Invalid`] when a name is not there, or a matrix has other variables than X will have.
    pub fn arrange(&mut self, x: Option<&str>, layers: &[(String, String)]) -> Result<(), DataError> {
        let chosen = x.filter(|name| *name != "X").map(|name| self.choose(name)).transpose()?;
        let added = layers
            .iter()
            .map(|(name, source)| Ok((name.clone(), source, self.choose(source)?)))
            .collect::<Result<Vec<_>, DataError>>()?;
        let mut left = Vec::new();
        match chosen {
            None => {}
            Some(Chosen::X(_)) => {}
            Some(Chosen::Layer(m)) => {
                let kept = layers.iter().any(|(_, source)| source == "X");
                if self.x.replace(m).is_some() && !kept {
                    left.push(Change::left("X", "replaced; keep it with --add-layer NAME=X"));
                }
                self.layers.remove(x.unwrap_or_default());
            }
            Some(Chosen::Raw(raw)) => self.adopt_raw(raw, &mut left),
        }
        for (name, source, matrix) in added {
            let m = match matrix {
                Chosen::X(m) | Chosen::Layer(m) => m,
                Chosen::Raw(raw) if same_names(&raw.var, &self.var) => raw.x,
                Chosen::Raw(_) => {
                    return Err(DataError::Invalid {
                        what: "raw has other variables than X; a layer must have the same. Use --x raw"
                            .into(),
                    });
                }
            };
            if m.shape() != (self.n_obs(), self.n_vars()) {
                let what = format!(
                    "{source} has {} variables and X has {}; a layer must have the same",
                    m.shape().1,
                    self.n_vars()
                );
                return Err(DataError::Invalid { what });
            }
            let elsewhere = x == Some(name.as_str()) || layers.iter().any(|(_, source)| *source == name);
            if self.layers.insert(name.clone(), m).is_some() && !elsewhere {
                let why = format!("replaced by {source}; give the new layer another name");
                left.push(Change::left(format!("layers[{name:?}]"), why));
            }
        }
        self.changes.append(&mut left);
        Ok(())
    }

    fn choose(&self, name: &str) -> Result<Chosen, DataError> {
        let known = || {
            let mut names: Vec<&str> = self.layers.keys().map(String::as_str).collect();
            names.extend(self.x.as_ref().map(|_| "X"));
            names.extend(self.raw.as_ref().map(|_| "raw"));
            if names.is_empty() {
                "there is none".to_owned()
            } else {
                format!("there are: {}", names.join(", "))
            }
        };
        // A layer may be called raw or X itself.
        let found = match (self.layers.get(name), name) {
            (Some(m), _) => Some(Chosen::Layer(m.clone())),
            (None, "X") => self.x.clone().map(Chosen::X),
            (None, "raw") => self.raw.clone().map(Chosen::Raw),
            _ => None,
        };
        let element = format!("layers[{name:?}]");
        found.ok_or_else(|| match self.left_out(&element) {
            Some(left) => {
                DataError::LeftOut { what: format!("the layer {name} was left out: {}", left.what) }
            }
            None if self.unknown.contains_key(&format!("layers/{name}")) => {
                DataError::LeftOut { what: format!("the layer {name} is no matrix that scx can read") }
            }
            None => DataError::Invalid { what: format!("no matrix {name} ({})", known()) },
        })
    }

    /// `raw` becomes the data set; what belongs to variables it does not have is left behind.
    fn adopt_raw(&mut self, raw: Raw, left: &mut Vec<Change>) {
        let same = same_names(&raw.var, &self.var);
        if self.x.replace(raw.x).is_some() {
            left.push(Change::left("X", "replaced by raw"));
        }
        self.raw = None;
        if same {
            return;
        }
        for name in std::mem::take(&mut self.layers).into_keys() {
            left.push(Change::left(format!("layers[{name:?}]"), "has other variables than raw"));
        }
        for (name, map) in [("varm", &mut self.varm), ("varp", &mut self.varp)] {
            let of = |k: &String| Change::left(format!("{name}[{k:?}]"), "has other variables than raw");
            left.extend(map.keys().map(of));
            map.clear();
        }
        let gone = self.var.columns.iter().filter(|(n, _)| raw.var.column(n).is_none());
        left.extend(gone.map(|(n, _)| Change::left(format!("var[{n:?}]"), "raw has no such column")));
        self.var = raw.var;
        self.varm = raw.varm;
    }
}

fn same_names(a: &Frame, b: &Frame) -> bool {
    a.len() == b.len() && a.index.iter().eq(b.index.iter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dense, Index, Values};

    fn matrix(columns: usize, value: f32) -> Matrix {
        Matrix::Dense(Dense::new(1, columns, Values::F32(vec![value; columns])).unwrap())
    }

    fn frame(names: &[&str]) -> Frame {
        Frame::new(Index::names(names.iter().map(|s| (*s).to_owned()).collect()))
    }

    fn cells() -> Dataset {
        let mut d = Dataset::new(frame(&["c"]), frame(&["a", "b"]));
        d.x = Some(matrix(2, 1.0));
        d.layers.insert("counts".into(), matrix(2, 2.0));
        d.raw = Some(Raw { x: matrix(3, 3.0), var: frame(&["a", "b", "c"]), varm: Default::default() });
        d
    }

    fn first(m: &Matrix) -> f64 {
        let Matrix::Dense(d) = m else { panic!() };
        d.values().get(0).unwrap()
    }

    fn left(x: Option<&str>, layers: &[(String, String)]) -> Vec<Change> {
        let mut d = cells();
        d.arrange(x, layers).unwrap();
        d.changes
    }

    #[test]
    fn counts_become_x_and_x_stays_as_the_layer_asked_for() {
        let mut d = cells();
        d.arrange(Some("counts"), &[("data".into(), "X".into())]).unwrap();
        assert!(d.changes.is_empty());
        assert_eq!(first(d.x.as_ref().unwrap()), 2.0);
        assert_eq!(first(&d.layers["data"]), 1.0);
        assert!(!d.layers.contains_key("counts"));
    }

    #[test]
    fn a_replaced_layer_is_named_unless_it_goes_elsewhere() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let left = left(None, &[pair("counts", "X")]);
        assert_eq!(left[0].element, "layers[\"counts\"]");
        assert!(left[0].what.starts_with("replaced by X"), "{left:?}");
        let left = self::left(None, &[pair("counts", "X"), pair("old", "counts")]);
        assert!(left.is_empty(), "{left:?}");
        let mut d = cells();
        d.arrange(Some("counts"), &[pair("counts", "X")]).unwrap();
        assert!(d.changes.is_empty());
        assert_eq!((first(d.x.as_ref().unwrap()), first(&d.layers["counts"])), (2.0, 1.0));
    }

    #[test]
    fn a_replaced_x_is_named() {
        let left = left(Some("counts"), &[]);
        assert_eq!((left[0].element.as_str(), left[0].lost), ("X", true));
    }

    #[test]
    fn raw_brings_its_own_variables_and_names_what_does_not_fit() {
        let mut d = cells();
        d.arrange(Some("raw"), &[]).unwrap();
        assert_eq!(d.n_vars(), 3);
        assert!(d.check().is_ok());
        assert!(d.changes.iter().any(|c| c.element == "layers[\"counts\"]"), "{:?}", d.changes);
        assert!(cells().arrange(None, &[("r".into(), "raw".into())]).is_err());
    }

    #[test]
    fn an_unknown_name_lists_what_there_is() {
        let e = cells().arrange(Some("count"), &[]).unwrap_err().to_string();
        assert_eq!(e, "no matrix count (there are: counts, X, raw)");
    }
}
