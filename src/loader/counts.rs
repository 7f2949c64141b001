//! Which matrix of a data set holds raw counts, and reading it.

use crate::data::{Block, Counts, CountsBuilder, DataError, Dataset, Frame, Matrix, Values};

/// Where counts were found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A layer, by name.
    Layer(String),
    /// `raw`.
    Raw,
    /// X.
    X,
}

impl Place {
    /// What `--layer` says: `X`, `raw`, or the name of a layer.
    pub fn named(name: &str) -> Self {
        match name {
            "X" => Place::X,
            "raw" => Place::Raw,
            other => Place::Layer(other.into()),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Layer(name) => write!(f, "layers[\"{name}\"]"),
            Place::Raw => f.write_str("raw"),
            Place::X => f.write_str("X"),
        }
    }
}

/// The matrix that was chosen, with its genes.
#[derive(Debug, Clone, Copy)]
pub struct Chosen<'a> {
    /// Cells × genes.
    pub matrix: &'a Matrix,
    /// Its genes.
    pub var: &'a Frame,
}

/// Why there are no counts to take.
#[derive(Debug, thiserror::Error)]
pub enum CountsError {
    /// The place that was asked for is not there.
    #[error("{place} is not there; {there}")]
    Missing {
        /// What was asked for.
        place: Place,
        /// What is there.
        there: String,
    },
    /// No matrix holds counts.
    #[error(
        "raw counts are needed (whole numbers, none negative); {found}; \
         give the unnormalised file, or name the matrix with --layer NAME|raw|X"
    )]
    NotCounts {
        /// What the matrices look like.
        found: String,
    },
    /// A value that is no count.
    #[error("{place}: cell {cell}, gene {gene}: found {value}, expected a whole number of 0 or more")]
    Value {
        /// Which matrix.
        place: Place,
        /// Name of the cell.
        cell: String,
        /// Name of the gene.
        gene: String,
        /// What is there.
        value: f64,
    },
    /// Temporary files cannot be written.
    #[error(
        "cannot keep the counts in a temporary file (TMPDIR chooses another folder, --memory more memory)"
    )]
    Scratch(#[source] std::io::Error),
    /// The matrix cannot be read on.
    #[error("{place}")]
    Data {
        /// Which matrix.
        place: Place,
        /// Why.
        #[source]
        source: DataError,
    },
}

/// The layer that is looked at first.
const COUNTS_LAYER: &str = "counts";

/// Takes the place that is asked for, else the first of `layers["counts"]`, `raw` and X that looks like raw counts.
///
/// # Errors
/// [`CountsError::Missing`], or [`CountsError::NotCounts`] with what was found.
pub fn choose_counts(dataset: &Dataset, asked: Option<&Place>) -> Result<Place, CountsError> {
    if let Some(place) = asked {
        return chosen(dataset, place).map(|_| place.clone());
    }
    let mut seen = Vec::new();
    for place in [Place::Layer(COUNTS_LAYER.into()), Place::Raw, Place::X] {
        let Ok(found) = chosen(dataset, &place) else { continue };
        let looks =
            found.matrix.looks().map_err(|source| CountsError::Data { place: place.clone(), source })?;
        // A file of ones and zeros may well hold counts; a file of nothing holds none.
        if matches!(looks.guess.as_str(), "raw_counts" | "binary") {
            return Ok(place);
        }
        seen.push(format!("{place} holds {}", looks.words));
    }
    let found = if seen.is_empty() { "the file has no matrix".into() } else { seen.join(", ") };
    Err(CountsError::NotCounts { found })
}

/// The matrix of that place and its genes.
///
/// # Errors
/// [`CountsError::Missing`] with what is there.
pub fn chosen<'a>(dataset: &'a Dataset, place: &Place) -> Result<Chosen<'a>, CountsError> {
    let found = match place {
        Place::Layer(name) => dataset.layers.get(name).map(|matrix| Chosen { matrix, var: &dataset.var }),
        Place::Raw => dataset.raw.as_ref().map(|raw| Chosen { matrix: &raw.x, var: &raw.var }),
        Place::X => dataset.x.as_ref().map(|matrix| Chosen { matrix, var: &dataset.var }),
    };
    found.ok_or_else(|| {
        let layers: Vec<&str> = dataset.layers.keys().map(String::as_str).collect();
        let mut there = vec![if dataset.x.is_some() { "X is there" } else { "X is missing" }.to_owned()];
        if dataset.raw.is_some() {
            there.push("raw is there".into());
        }
        if !layers.is_empty() {
            there.push(format!("layers: {}", layers.join(", ")));
        }
        CountsError::Missing { place: place.clone(), there: there.join(", ") }
    })
}

/// Reads the counts of that place: every value is checked, none is rounded. Each above zero takes 8 bytes; what does not
/// fit into half of `memory` goes to temporary files.
///
/// # Errors
/// [`CountsError::Value`] that names cell and gene, why the matrix cannot be read, or [`CountsError::Scratch`].
pub fn read_counts(dataset: &Dataset, place: &Place, memory: u64) -> Result<Counts, CountsError> {
    let Chosen { matrix, var } = chosen(dataset, place)?;
    let mut counts = CountsBuilder::new(matrix.shape().1, memory / 2);
    let mut bad: Option<(usize, usize, f64)> = None;
    let mut full = None;
    let walked = matrix.stream(memory, &mut |first, block| {
        let mut row = Vec::new();
        let n = match &block {
            Block::Dense(d) => d.shape().0,
            Block::Csr(s) => s.shape().0,
        };
        for r in 0..n {
            row.clear();
            let mut add = |gene: usize, value: f64| {
                let whole = value >= 0.0 && value.fract() == 0.0 && value <= f64::from(u32::MAX);
                if !whole && bad.is_none() {
                    bad = Some((first + r, gene, value));
                }
                row.push((gene as u32, value as u32));
            };
            match &block {
                Block::Dense(d) => {
                    let columns = d.shape().1;
                    (0..columns).for_each(|g| add(g, value(d.values(), r * columns + g)));
                }
                Block::Csr(s) => {
                    let (from, to) = (s.indptr()[r] as usize, s.indptr()[r + 1] as usize);
                    (from..to).for_each(|i| add(s.indices()[i] as usize, value(s.values(), i)));
                }
            }
            if bad.is_some() {
                return Err(DataError::Invalid { what: "no count".into() });
            }
            // Files may hold genes out of order, and a gene twice: the entries then add up.
            if row.windows(2).any(|w| w[0].0 >= w[1].0) {
                row.sort_by_key(|e| e.0);
                row.dedup_by(|b, a| {
                    let same = a.0 == b.0;
                    if same {
                        a.1 = a.1.saturating_add(b.1);
                    }
                    same
                });
            }
            if let Err(e) = counts.push(row.iter().copied()) {
                full = Some(e);
                return Err(DataError::Invalid { what: "no room".into() });
            }
        }
        Ok(())
    });
    if let Some((cell, gene, value)) = bad {
        let name = |of: &Frame, i: usize| of.index.get(i).map_or_else(|| i.to_string(), |n| n.into_owned());
        let (cell, gene) = (name(&dataset.obs, cell), name(var, gene));
        return Err(CountsError::Value { place: place.clone(), cell, gene, value });
    }
    if let Some(e) = full {
        return Err(CountsError::Scratch(e));
    }
    walked.map_err(|source| CountsError::Data { place: place.clone(), source })?;
    counts.done().map_err(CountsError::Scratch)
}

fn value(values: &Values, i: usize) -> f64 {
    values.get(i).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dense, Index, Layout, Sparse};

    fn dataset(x: Values) -> Dataset {
        let names = |p: &str, n: usize| Frame::new(Index::names((0..n).map(|i| format!("{p}{i}")).collect()));
        let mut d = Dataset::new(names("cell", 2), names("gene", 3));
        d.x = Some(Matrix::Dense(Dense::new(2, 3, x).unwrap()));
        d
    }

    #[test]
    fn the_layer_comes_before_raw_and_raw_before_x() {
        let mut d = dataset(Values::F32(vec![1.0, 0.0, 2.0, 0.0, 0.0, 7.0]));
        assert_eq!(choose_counts(&d, None).unwrap(), Place::X);
        d.layers.insert("counts".into(), d.x.clone().unwrap());
        assert_eq!(choose_counts(&d, None).unwrap(), Place::Layer("counts".into()));
        assert_eq!(choose_counts(&d, Some(&Place::X)).unwrap(), Place::X);
        let e = choose_counts(&d, Some(&Place::Raw)).unwrap_err().to_string();
        assert!(e.contains("raw is not there") && e.contains("layers: counts"), "{e}");
    }

    #[test]
    fn normalised_values_are_told_by_what_they_look_like() {
        let d = dataset(Values::F32(vec![1.5, 0.0, 2.25, 0.0, 0.0, 0.7]));
        let e = choose_counts(&d, None).unwrap_err().to_string();
        assert!(e.contains("raw counts are needed") && e.contains("X holds"), "{e}");
    }

    #[test]
    fn a_value_that_is_no_count_is_named_by_cell_and_gene() {
        for bad in [0.5, -1.0, f64::NAN, f64::INFINITY] {
            let d = dataset(Values::F64(vec![1.0, 0.0, 2.0, 0.0, bad, 7.0]));
            let e = read_counts(&d, &Place::X, 1 << 20).unwrap_err().to_string();
            assert!(e.contains("cell cell1, gene gene1"), "{e}");
        }
    }

    #[test]
    fn entries_out_of_order_and_doubled_add_up() {
        let mut d = dataset(Values::U8(vec![0; 6]));
        let values = Values::U8(vec![2, 1, 4, 3]);
        let sparse = Sparse::new(Layout::Csr, (2, 3), vec![0, 3, 4], vec![2, 0, 2, 1], values).unwrap();
        d.x = Some(Matrix::Sparse(sparse));
        let counts = read_counts(&d, &Place::X, 1 << 20).unwrap();
        assert_eq!(counts.cell(0), (&[0u32, 2][..], &[1u32, 6][..]));
        assert_eq!(counts.cell(1), (&[1u32][..], &[3u32][..]));
    }
}
