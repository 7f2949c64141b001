//! What can go wrong with a file, always with its place.

use std::path::{Path, PathBuf};

use crate::data::DataError;

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The content is of no format scx knows.
    #[error("{}: not a file scx can read: {what}", path.display())]
    NotRecognised {
        /// The file.
        path: PathBuf,
        /// What was found instead.
        what: String,
    },
    /// The format is known and the file breaks its rules.
    #[error("{}: {at}: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Element, keyword or byte where it shows.
        at: String,
        /// What was found, what was expected, what to do.
        what: String,
    },
    /// The file keeps the rules but uses something scx does not read.
    #[error("{}: unsupported: {what}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What it uses, and what to do.
        what: String,
    },
    /// What a user asked for by name is not in the file.
    #[error("{}: {what}", path.display())]
    NotThere {
        /// The file.
        path: PathBuf,
        /// What was asked for, and what there is.
        what: String,
    },
    /// The file asks for more memory than allowed.
    #[error("{}: {at} asks for {asked} bytes, the limit is {limit}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What asks.
        at: String,
        /// Bytes asked for.
        asked: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// The operating system refused.
    #[error("{}: cannot read", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
}

impl ReadError {
    /// A [`ReadError::Malformed`].
    pub fn malformed(path: &Path, at: impl Into<String>, what: impl Into<String>) -> Self {
        ReadError::Malformed { path: path.to_owned(), at: at.into(), what: what.into() }
    }

    /// What is wrong, without the file and the place.
    pub(crate) fn what(&self) -> String {
        match self {
            ReadError::NotRecognised { what, .. }
            | ReadError::Malformed { what, .. }
            | ReadError::Unsupported { what, .. }
            | ReadError::NotThere { what, .. } => what.clone(),
            ReadError::TooLarge { asked, limit, .. } => {
                format!("it asks for {asked} bytes, the limit is {limit}")
            }
            ReadError::Io { source, .. } => source.to_string(),
        }
    }

    /// A [`ReadError::Unsupported`].
    pub fn unsupported(path: &Path, what: impl Into<String>) -> Self {
        ReadError::Unsupported { path: path.to_owned(), what: what.into() }
    }

    /// A [`ReadError::Io`].
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        ReadError::Io { path: path.to_owned(), source }
    }
}

impl From<ReadError> for DataError {
    fn from(e: ReadError) -> Self {
        DataError::Read(Box::new(e))
    }
}

/// Why a file could not be written. The target is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The target is there already and may not be replaced.
    #[error("{}: exists already; add --force to replace it", path.display())]
    Exists {
        /// The target.
        path: PathBuf,
    },
    /// The target is no place on this machine: standard output, or an address.
    #[error("{}: {what}", path.display())]
    NoPlace {
        /// The target.
        path: PathBuf,
        /// What it is, and what to do.
        what: String,
    },
    /// The target is a device, a pipe or a folder: replacing it would destroy it.
    #[error("{}: is no plain file and cannot be replaced; give another name", path.display())]
    NotPlain {
        /// The target.
        path: PathBuf,
    },
    /// The target is a file where a folder is to be written.
    #[error("{}: is a file, and a folder is to be written there; give another name", path.display())]
    NotFolder {
        /// The target.
        path: PathBuf,
    },
    /// The target is a folder that holds something else, too.
    #[error("{}: the folder also holds {name}, so it is not replaced; give another name or move {name} away", path.display())]
    Stranger {
        /// The target.
        path: PathBuf,
        /// What else it holds.
        name: String,
    },
    /// The target's folder is not there.
    #[error("{}: the folder {} does not exist; make it first", path.display(), folder.display())]
    NoFolder {
        /// The target.
        path: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// The disk or the quota is full.
    #[error("{}: no space left on the device; nothing was written", path.display())]
    Full {
        /// The target.
        path: PathBuf,
    },
    /// What a user asked for by name is not in the data set, or cannot be had.
    #[error("{}: {what}", path.display())]
    NotThere {
        /// The target.
        path: PathBuf,
        /// What was asked for, and what there is.
        what: String,
    },
    /// The format cannot hold this.
    #[error("{}: cannot be written: {what}", path.display())]
    CannotHold {
        /// The target.
        path: PathBuf,
        /// What it cannot hold, and what to do.
        what: String,
    },
    /// What was written did not read back as it should.
    #[error("{}: the new file failed its check: {what}; nothing was replaced", path.display())]
    Verify {
        /// The target.
        path: PathBuf,
        /// What was wrong.
        what: String,
    },
    /// The input could not be read on while writing.
    #[error("{}: the input could not be read while writing", path.display())]
    Input {
        /// The target.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no room for temporary files.
    #[error(
        "temporary files cannot be kept in {}; nothing was written: give another folder with --temp-dir",
        folder.display()
    )]
    Scratch {
        /// Their folder.
        folder: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// Somebody asked to stop; nothing was written.
    #[error("{}: stopped; nothing was written", path.display())]
    Cancelled {
        /// The target.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{}: cannot write", path.display())]
    Io {
        /// The target.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
}

impl WriteError {
    /// What ended [`crate::data::Matrix::stream`]: the writer's own error, or one of the input.
    pub fn streamed(path: &Path, e: DataError) -> Self {
        match e {
            DataError::Stopped(inner) => match inner.downcast::<WriteError>() {
                Ok(own) => *own,
                Err(source) => WriteError::Input { path: path.to_owned(), source },
            },
            DataError::Scratch { folder, source } => WriteError::Scratch { folder, source },
            e => WriteError::Input { path: path.to_owned(), source: Box::new(e) },
        }
    }

    /// Wraps an I/O error; a full disk, quota or file-size limit becomes [`WriteError::Full`].
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match source.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => WriteError::Full { path: path.to_owned() },
            _ => WriteError::Io { path: path.to_owned(), source },
        }
    }
}
