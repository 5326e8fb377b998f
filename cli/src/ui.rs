//! All that reaches a terminal goes through here.
//!
//! Data goes to stdout, talk to stderr. Every span is made harmless by [`clean`] before it is printed: no other module writes
//! to either stream, so nothing that came from a peer can move a cursor, set a clipboard or turn a line around.

pub(crate) mod ask;
pub(crate) mod clean;
mod line;
pub(crate) mod progress;
pub(crate) mod table;
pub(crate) mod time;

use std::io::{ErrorKind, IsTerminal, Write};

use unicode_width::UnicodeWidthStr;

pub(crate) use line::Line;

use crate::args::Global;
use crate::error::{Result, Stop, failed};

/// Widest line of running text.
const TEXT_COLUMNS: usize = 88;

/// How to talk.
#[derive(Clone, Debug)]
pub(crate) struct Ui {
    /// Machines read.
    pub(crate) json: bool,
    /// Stable, uncoloured, tab-separated.
    pub(crate) plain: bool,
    /// No talk.
    pub(crate) quiet: bool,
    /// How much detail.
    pub(crate) verbose: u8,
    /// May questions be asked?
    pub(crate) interactive: bool,
    color: bool,
    color_err: bool,
    /// Columns of the terminal.
    pub(crate) width: usize,
}

impl Ui {
    pub(crate) fn new(global: &Global) -> Self {
        let out = std::io::stdout().is_terminal();
        let err = std::io::stderr().is_terminal();
        let dull = global.plain
            || global.json
            || std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        Self {
            json: global.json,
            plain: global.plain,
            quiet: global.quiet,
            verbose: global.verbose,
            interactive: !global.no_input && err && std::io::stdin().is_terminal(),
            color: out && !dull,
            color_err: err && !dull,
            width: if out { columns() } else { 100 },
        }
    }

    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self { json: false, plain: false, quiet: true, verbose: 0, interactive: false, color: false, color_err: false, width: 80 }
    }

    /// A line of data.
    pub(crate) fn out(&self, line: impl Into<Line>) -> Result<()> {
        self.write_out(&line.into().render(self.color))
    }

    /// An empty line between data.
    pub(crate) fn gap(&self) -> Result<()> {
        if self.plain { Ok(()) } else { self.write_out("") }
    }

    /// Running text, of several lines, wrapped and indented.
    pub(crate) fn block(&self, indent: usize, text: &str) -> Result<()> {
        let room = self.width.min(TEXT_COLUMNS).saturating_sub(indent).max(20);
        for line in clean::block(text).lines() {
            if self.plain {
                self.write_out(line)?;
                continue;
            }
            for piece in wrap(line, room) {
                let pad = if piece.is_empty() { "" } else { &" ".repeat(indent) };
                self.write_out(&format!("{pad}{piece}"))?;
            }
        }
        Ok(())
    }

    /// A JSON text that is data. Characters that could trick a terminal are escaped as JSON allows.
    pub(crate) fn out_json(&self, text: &str) -> Result<()> {
        self.write_out(&clean::json(text.trim_end()))
    }

    /// A JSON value of our own making.
    pub(crate) fn out_value(&self, value: &serde_json::Value) -> Result<()> {
        self.out_json(&value.to_string())
    }

    /// A whole file as data; made harmless only where it meets a terminal.
    pub(crate) fn out_file(&self, text: &str) -> Result<()> {
        let harmless;
        let text = if std::io::stdout().is_terminal() {
            harmless = clean::block(text);
            &harmless
        } else {
            text
        };
        closed(write!(std::io::stdout().lock(), "{text}"))
    }

    /// Talk; not with `--quiet`.
    pub(crate) fn say(&self, line: impl Into<Line>) {
        if !self.quiet {
            self.complain(&line.into());
        }
    }

    /// Running talk of several lines.
    pub(crate) fn say_block(&self, text: &str) {
        for line in text.lines() {
            for piece in wrap(line, self.width.min(TEXT_COLUMNS)) {
                self.say(piece);
            }
        }
    }

    /// Talk about details; only with `-v`.
    pub(crate) fn detail(&self, line: impl Into<Line>) {
        if self.verbose > 0 {
            self.say(line);
        }
    }

    /// A warning or an error: told even with `--quiet`.
    pub(crate) fn complain(&self, line: &Line) {
        // When even stderr is gone, nobody is left to tell.
        drop(writeln!(std::io::stderr().lock(), "{}", line.render(self.color_err)));
    }

    /// Text that is already harmless and has its own line breaks.
    pub(crate) fn out_drawing(&self, drawing: &str) -> Result<()> {
        self.write_out(drawing)
    }

    /// A QR code: black on white, whatever the terminal's own colours are, since cameras want it so.
    pub(crate) fn out_code(&self, code: &str) -> Result<()> {
        if !self.color {
            return self.write_out(code);
        }
        code.lines().try_for_each(|line| self.write_out(&format!("\u{1b}[38;5;16;48;5;231m{line}\u{1b}[0m")))
    }

    fn write_out(&self, text: &str) -> Result<()> {
        closed(writeln!(std::io::stdout().lock(), "{text}"))
    }
}

/// An error for machines, on stderr.
pub(crate) fn complain_json(error: &kith_protocol::control::Error) {
    if let Ok(text) = serde_json::to_string(error) {
        drop(writeln!(std::io::stderr().lock(), "{}", clean::json(&text)));
    }
}

/// A reader that went away (`kith note list | head`) ends the command quietly.
fn closed(result: std::io::Result<()>) -> Result<()> {
    result.map_err(|error| {
        if error.kind() == ErrorKind::BrokenPipe {
            return Stop::Closed;
        }
        failed(format!("Cannot write the answer: {}", crate::error::reason(&error)), "")
    })
}

fn columns() -> usize {
    rustix::termios::tcgetwinsize(std::io::stdout())
        .map(|size| usize::from(size.ws_col))
        .ok()
        .filter(|columns| *columns >= 20)
        .unwrap_or(80)
}

/// Break a line at spaces so that each piece fits; a word longer than the room stands alone.
pub(crate) fn wrap(line: &str, room: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    for word in line.split(' ') {
        if !piece.is_empty() && piece.width() + 1 + word.width() > room {
            pieces.push(std::mem::take(&mut piece));
        } else if !piece.is_empty() {
            piece.push(' ');
        }
        piece.push_str(word);
    }
    pieces.push(piece);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("", 7), [""]);
        assert_eq!(wrap("averylongword x", 4), ["averylongword", "x"]);
    }
}
