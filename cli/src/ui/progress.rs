//! Something moves while long work goes on; only on a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Ui, clean};

/// A bar or a spinner, or nothing where nobody watches.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Ui {
    /// For work of known size.
    pub(crate) fn bar(&self, what: &str, total: usize) -> Progress {
        let bar = self.drawn(ProgressBar::new(total as u64));
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}") {
            bar.set_style(style);
        }
        bar.set_message(clean::line(what));
        Progress(bar)
    }

    /// For waiting.
    pub(crate) fn spinner(&self, what: &str) -> Progress {
        let bar = self.drawn(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(clean::line(what));
        bar.enable_steady_tick(Duration::from_millis(120));
        Progress(bar)
    }

    fn drawn(&self, bar: ProgressBar) -> ProgressBar {
        if self.quiet || self.json || self.plain || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        bar
    }
}

impl Progress {
    /// So much more is done.
    pub(crate) fn add(&self, done: usize) {
        self.0.inc(done as u64);
    }

    /// Say something else.
    pub(crate) fn tell(&self, what: &str) {
        self.0.set_message(clean::line(what));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
