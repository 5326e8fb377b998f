//! Something moves while long work goes on; only on a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Ui, clean};
use crate::limits::SPINNER_COLUMNS;

/// A bar or a spinner, or nothing where nobody watches.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Columns for words; the rest is the bar's own.
    room: usize,
}

impl Ui {
    /// For work of known size.
    pub(crate) fn bar(&self, what: &str, total: usize) -> Progress {
        let bar = self.drawn(ProgressBar::new(total as u64));
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}") {
            bar.set_style(style);
        }
        bar.set_message(clean::line(what));
        Progress { bar, room: usize::MAX }
    }

    /// For waiting.
    pub(crate) fn spinner(&self, what: &str) -> Progress {
        let bar = self.drawn(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        let columns = self.columns_err.map_or(usize::MAX, usize::from);
        let progress = Progress { bar, room: columns.saturating_sub(SPINNER_COLUMNS).max(1) };
        progress.tell(what);
        progress.bar.enable_steady_tick(Duration::from_millis(120));
        progress
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
        self.bar.inc(done as u64);
    }

    /// Say something else, broken between words.
    pub(crate) fn tell(&self, what: &str) {
        self.bar.set_message(words(what, self.room));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// What is said beside a spinner; further rows stand as far in as the first.
fn words(what: &str, room: usize) -> String {
    super::wrap(&clean::line(what), room, true).join("\n  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_waited_for_is_broken_between_words() {
        let told = "Your request has arrived. A steward has to approve it";
        assert_eq!(words(told, 28), "Your request has arrived. A\n  steward has to approve it");
        assert_eq!(words(told, usize::MAX), told);
    }
}
