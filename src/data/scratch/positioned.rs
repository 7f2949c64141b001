//! Reading at a place in a file without moving its cursor, so that threads may share it.

use std::fs::File;
use std::io;

/// Fills `buffer` from byte `at` on.
///
/// # Errors
/// The system's; the end of the file before the buffer is full is [`io::ErrorKind::UnexpectedEof`].
#[cfg(unix)]
pub fn read_exact_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, at)
}

/// Fills `buffer` from byte `at` on.
///
/// # Errors
/// The system's; the end of the file before the buffer is full is [`io::ErrorKind::UnexpectedEof`].
#[cfg(windows)]
pub fn read_exact_at(file: &File, mut buffer: &mut [u8], mut at: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !buffer.is_empty() {
        match file.seek_read(buffer, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => {
                buffer = buffer.get_mut(n..).unwrap_or_default();
                at += n as u64;
            }
        }
    }
    Ok(())
}
