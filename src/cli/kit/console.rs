//! What people see while scx works: remarks, warnings and progress bars.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::cli::kit::error::CliError;
use crate::cli::kit::signals::stop_code;
use crate::progress::Progress;

/// Prints remarks to stderr unless told to be quiet, and shows progress.
#[derive(Debug)]
pub(in crate::cli) struct Console {
    quiet: bool,
    bar: Mutex<Option<Bar>>,
}

#[derive(Debug)]
struct Bar {
    bar: ProgressBar,
    what: String,
    total: u64,
    started: Instant,
    tenths: u64,
}

impl Console {
    /// A console.
    pub(in crate::cli) fn new(quiet: bool) -> Self {
        Self { quiet, bar: Mutex::new(None) }
    }

    /// A remark for people.
    pub(in crate::cli) fn say(&self, text: &str) {
        if !self.quiet {
            line(text);
        }
    }

    /// Stops here when somebody pressed Ctrl-C.
    ///
    /// # Errors
    /// [`CliError`] with the exit code of the signal.
    pub(in crate::cli) fn check(&self) -> Result<(), CliError> {
        stop_code().map_or(Ok(()), |code| Err(CliError::stopped(code)))
    }
}

/// One line on stderr; a closed stderr is nobody's fault.
pub(in crate::cli) fn line(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

impl Progress for Console {
    fn start(&self, what: &str, total: u64) {
        if self.quiet {
            return;
        }
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len}  {msg}  {eta} left") {
            bar.set_style(style);
        }
        bar.set_prefix(what.to_owned());
        if let Ok(mut slot) = self.bar.lock() {
            *slot = Some(Bar { bar, what: what.into(), total, started: Instant::now(), tenths: 0 });
        }
    }

    fn advance(&self, done: u64, note: &str) {
        let Ok(mut slot) = self.bar.lock() else { return };
        let Some(b) = slot.as_mut() else { return };
        b.bar.set_position(done);
        b.bar.set_message(note.to_owned());
        // Without a terminal: one line every tenth, once the work turns out to be long.
        let tenths = 10 * done / b.total.max(1);
        if b.bar.is_hidden() && tenths > b.tenths && b.started.elapsed() > Duration::from_secs(1) {
            b.tenths = tenths;
            line(&format!("{} {}0 %  {note}", b.what, tenths));
        }
    }

    fn finish(&self) {
        if let Ok(mut slot) = self.bar.lock()
            && let Some(b) = slot.take()
        {
            b.bar.finish_and_clear();
        }
    }

    fn cancelled(&self) -> bool {
        stop_code().is_some()
    }
}

/// Shows the library's warnings as `warning: …` on stderr.
pub(in crate::cli) fn show_warnings() {
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Warnings));
}

struct Warnings;

impl<S: tracing::Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let own = event.metadata().target().starts_with("scx");
        if !own || *event.metadata().level() > tracing::Level::WARN {
            return;
        }
        let mut text = Message(String::new());
        event.record(&mut text);
        line(&format!("warning: {}", text.0));
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
