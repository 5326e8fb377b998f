//! What of a file has no place in Kith, or only in another form: each with its line, so that nothing is dropped silently.

use crate::left_out::{LeftOut, Origin, Weight};

/// All that is to be told of a file.
#[derive(Debug, Default)]
pub(super) struct Notes(pub(super) Vec<LeftOut>);

impl Notes {
    pub(super) fn left(&mut self, line: usize, item: &str, part: impl Into<String>) {
        self.add(line, item, part.into(), Weight::Dropped);
    }

    /// It is kept, in another form.
    pub(super) fn changed(&mut self, line: usize, item: &str, part: impl Into<String>) {
        self.add(line, item, part.into(), Weight::Changed);
    }

    pub(super) fn minor(&mut self, line: usize, item: &str, part: impl Into<String>) {
        self.add(line, item, part.into(), Weight::Minor);
    }

    /// The same about one item is said once: its start and its end have the same zone.
    fn add(&mut self, line: usize, item: &str, part: String, weight: Weight) {
        let again = |left: &LeftOut| weight == Weight::Changed && left.what == item && left.why == part;
        if !self.0.iter().rev().take(16).any(again) {
            self.0.push(LeftOut { origin: Origin::line(line), what: item.to_owned(), why: part, weight });
        }
    }
}

/// The beginning of a text, for a line of a report.
pub(super) fn start_of(text: &str) -> String {
    let start: String = text.chars().take(60).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}
