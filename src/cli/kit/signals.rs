//! Ctrl-C and termination: noted here, looked at between steps of work.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

static STOP: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// Listens to Ctrl-C and termination; work looks at [`stop_code`] between steps.
pub(in crate::cli) fn listen() {
    let flag = STOP.get_or_init(|| Arc::new(AtomicUsize::new(0)));
    #[cfg(unix)]
    for (signal, code) in [(signal_hook::consts::SIGINT, 130), (signal_hook::consts::SIGTERM, 143)] {
        // Where the system refuses a handler, the signal keeps its usual effect: it ends the program.
        let _ = signal_hook::flag::register_usize(signal, Arc::clone(flag), code);
    }
    #[cfg(not(unix))]
    let _ = flag;
}

/// The exit code of the signal that came, if one came.
pub(in crate::cli) fn stop_code() -> Option<u8> {
    let code = STOP.get()?.load(Ordering::Relaxed);
    u8::try_from(code).ok().filter(|c| *c > 0)
}
