//! What readers warn of while a file is checked.

use std::fmt::Write;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Runs `work` and returns the warnings it gave on this thread instead of showing them.
pub(super) fn collect<R>(work: impl FnOnce() -> R) -> (R, Vec<String>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let subscriber = tracing_subscriber::registry().with(Ear(Arc::clone(&heard)));
    let result = tracing::subscriber::with_default(subscriber, work);
    let all = heard.lock().map(|mut v| std::mem::take(&mut *v)).unwrap_or_default();
    (result, all)
}

struct Ear(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() > tracing::Level::WARN || !event.metadata().target().starts_with("scx") {
            return;
        }
        let mut text = Message(String::new());
        event.record(&mut text);
        if let Ok(mut all) = self.0.lock() {
            all.push(text.0);
        }
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}
