//! Why a decomposition could not be made.

/// Why a decomposition could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinalgError {
    /// Too few rows to speak of variance.
    #[error("{found} rows, at least {needed} are needed")]
    TooFewRows {
        /// Rows given.
        found: usize,
        /// Rows needed.
        needed: usize,
    },
    /// More rows than can be numbered.
    #[error("{found} rows, at most {limit} can be searched")]
    TooManyRows {
        /// Rows given.
        found: usize,
        /// Rows allowed.
        limit: usize,
    },
    /// Somebody asked to stop.
    #[error("stopped")]
    Cancelled,
    /// The community detection refused a graph or a setting.
    #[error("community detection: {what}")]
    Community {
        /// What it said.
        what: String,
    },
    /// More components than the matrix has.
    #[error("{asked} components asked for, a matrix of {rows} × {columns} has 1 to {}", rows.min(columns))]
    Components {
        /// Components asked for.
        asked: usize,
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
    },
    /// A class outside its range, or weights for another number of classes.
    #[error("a class is not below {classes}, or there are not {classes} class weights")]
    Classes {
        /// Number of classes.
        classes: usize,
    },
    /// More columns than a covariance matrix in memory should have.
    #[error("{columns} columns, at most {limit} can be decomposed through their covariance; choose fewer")]
    TooWide {
        /// Columns given.
        columns: usize,
        /// Columns allowed.
        limit: usize,
    },
    /// The columns are not those it was fitted on.
    #[error("{found} columns, fitted on {expected}")]
    Columns {
        /// Columns fitted on.
        expected: usize,
        /// Columns given.
        found: usize,
    },
    /// A value that is not a number, or infinite.
    #[error("row {row}, column {column}: {value} is not a finite number")]
    NotFinite {
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// What was found.
        value: f64,
    },
    /// A system of equations without a single solution.
    #[error("a {size} × {size} system is not positive definite")]
    NotDefinite {
        /// Its size.
        size: usize,
    },
    /// The eigenvalue iteration did not end.
    #[error("the eigenvalue decomposition of a {size} × {size} covariance did not converge")]
    NoConvergence {
        /// Rows of the covariance.
        size: usize,
    },
}
