//! The bytes of an FCS file: those on disk, or what is inside when it is packed with gzip.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;

use crate::data::scratch;
use crate::io::error::ReadError;
use crate::io::options::ReadOptions;
use crate::io::table::is_gzip;

/// Unpacked bytes that stay in memory; more go to a temporary file.
const IN_MEMORY: u64 = 64 << 20;
/// Bytes read or unpacked at a time.
const BUFFER: usize = 1 << 18;

/// Bytes that several threads read at any place.
#[derive(Debug, Clone)]
pub(super) struct Store {
    bytes: Bytes,
    len: u64,
}

#[derive(Debug, Clone)]
enum Bytes {
    Disk(Arc<File>),
    Memory(Arc<[u8]>),
}

impl Store {
    /// Opens a file. One that is packed is unpacked into memory or, when that takes more than 64 MiB, into an unnamed file
    /// in the folder for temporary files.
    pub(super) fn open(path: &Path, options: &ReadOptions) -> Result<Self, ReadError> {
        let io = |e| ReadError::io(path, e);
        let mut file = File::open(path).map_err(io)?;
        let mut head = Vec::new();
        Read::by_ref(&mut file).take(2).read_to_end(&mut head).map_err(io)?;
        if is_gzip(&head) {
            file.seek(SeekFrom::Start(0)).map_err(io)?;
            return unpack(path, file, options);
        }
        Self::of_file(file).map_err(io)
    }

    fn of_file(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { bytes: Bytes::Disk(Arc::new(file)), len })
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Fills `buffer` from byte `at` on.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] when there are not so many bytes.
    pub(super) fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        match &self.bytes {
            Bytes::Disk(file) => scratch::read_exact_at(file, buffer, at),
            Bytes::Memory(all) => {
                let from = usize::try_from(at).ok().and_then(|at| all.get(at..)?.get(..buffer.len()));
                buffer.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
        }
    }
}

/// Unpacks a whole file.
fn unpack(path: &Path, file: File, options: &ReadOptions) -> Result<Store, ReadError> {
    let mut inside = MultiGzDecoder::new(BufReader::with_capacity(BUFFER, file));
    let mut memory = Vec::new();
    inside.by_ref().take(IN_MEMORY + 1).read_to_end(&mut memory).map_err(|e| broken(path, e))?;
    if memory.len() as u64 <= IN_MEMORY {
        return Ok(Store { len: memory.len() as u64, bytes: Bytes::Memory(memory.into()) });
    }
    let folder = options.scratch_folder();
    let no_room = |e: io::Error| {
        let what = format!(
            "it cannot be unpacked into {}: {e}; give another folder with --temp-dir, or unpack it yourself",
            folder.display()
        );
        ReadError::io(path, io::Error::new(e.kind(), what))
    };
    let mut file = scratch::unnamed(&folder).map_err(no_room)?;
    file.write_all(&memory).map_err(no_room)?;
    let mut buffer = memory;
    buffer.truncate(BUFFER);
    loop {
        match inside.read(&mut buffer).map_err(|e| broken(path, e))? {
            0 => return Store::of_file(file).map_err(no_room),
            n => file.write_all(buffer.get(..n).unwrap_or_default()).map_err(no_room)?,
        }
    }
}

/// An error of the system or of the gzip around the file.
fn broken(path: &Path, e: io::Error) -> ReadError {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    let what = match e.kind() {
        UnexpectedEof => "truncated: the packed data end too early; get a complete copy".to_owned(),
        InvalidData | InvalidInput => format!("the packed data are damaged ({e}); get a new copy"),
        _ => return ReadError::io(path, e),
    };
    ReadError::malformed(path, "gzip", what)
}
