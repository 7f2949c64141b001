//! One error for the whole library; each module makes its own messages.

/// Any error of the library.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Reading a file.
    #[error(transparent)]
    Read(#[from] crate::io::ReadError),
    /// Writing a file.
    #[error(transparent)]
    Write(#[from] crate::io::WriteError),
    /// Data in memory.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
}
