//! Long answers go through a pager, where somebody reads them on a terminal.

use std::io::Write;
use std::process::{Command, Stdio};

use super::{Ui, rows};
use crate::interrupt;

/// What a shell says of a program that it does not find.
const NOT_FOUND: i32 = 127;

impl Ui {
    /// From here on keep what is shown, so that it can be paged at the end. Nothing else changes where nobody watches.
    pub(crate) fn page(&self) {
        if self.columns.is_none() || self.plain || self.json {
            return;
        }
        if let Ok(mut pages) = self.pages.lock() {
            pages.get_or_insert_default();
        }
    }

    /// Keeps the text, where it is to be paged; else gives it back.
    pub(super) fn kept<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self.pages.lock().ok().as_mut().and_then(|pages| pages.as_mut()) {
            Some(pages) => {
                pages.push_str(text);
                None
            }
            None => Some(text),
        }
    }

    /// Shows what was kept: at once where it fits, else in the pager.
    pub(super) fn turn_pages(&self) {
        let Some(text) = self.pages.lock().ok().and_then(|mut pages| pages.take()) else { return };
        let long = rows(std::io::stdout()).is_some_and(|rows| text.lines().count() >= usize::from(rows));
        if !long || !paged(&pager(), &text) {
            drop(std::io::stdout().lock().write_all(text.as_bytes()));
        }
    }
}

/// `PAGER`; empty or `cat` for none, and none on a terminal that cannot move its cursor.
fn pager() -> String {
    if std::env::var_os("TERM").is_none_or(|term| term == "dumb") {
        return String::new();
    }
    let named = std::env::var("PAGER").unwrap_or_else(|_| "less".to_owned());
    if named.trim() == "cat" { String::new() } else { named.trim().to_owned() }
}

/// Shows it in the pager; false where there is none.
fn paged(pager: &str, text: &str) -> bool {
    if pager.is_empty() {
        return false;
    }
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(pager).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        // Ends at once where all fits, shows colours, leaves the text on the screen: as git does.
        command.env("LESS", "FRX");
    }
    let Ok(mut child) = command.spawn() else { return false };
    let status = interrupt::left_to_the_editor(|| {
        if let Some(mut stdin) = child.stdin.take() {
            // People close the pager when they have read enough: then the rest cannot be written.
            drop(stdin.write_all(text.as_bytes()));
        }
        child.wait()
    });
    status.is_ok_and(|status| status.code() != Some(NOT_FOUND))
}
