//! What every verb does at its ends: threads, and stdout.

use std::io::Write;

use crate::cli::kit::error::CliError;

/// Prints a result on stdout. A reader that closed the pipe early is no error.
///
/// # Errors
/// [`CliError`] when stdout cannot be written for another reason.
pub(in crate::cli) fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::input(format!("cannot write to stdout: {e}")))
        }
        _ => Ok(()),
    }
}

/// More threads than any machine has cores; a mistyped number must not bring it down.
const MOST_THREADS: usize = 1024;

/// Runs work on that many threads (0: all cores).
///
/// # Errors
/// [`CliError`] when the threads cannot be started, or what the work says.
pub(in crate::cli) fn on_threads<T: Send>(
    threads: usize,
    work: impl FnOnce() -> Result<T, CliError> + Send,
) -> Result<T, CliError> {
    if threads > MOST_THREADS {
        return Err(CliError::usage(format!(
            "--threads {threads}: at most {MOST_THREADS}; 0 takes all cores"
        )));
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| CliError::usage(format!("--threads {threads}: {e}")))?;
    pool.install(work)
}
