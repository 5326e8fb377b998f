//! All that reaches a terminal goes through here.
//!
//! Data goes to stdout, talk to stderr. Every span is made harmless by [`clean`] before it is printed: no other module writes
//! to either stream, so nothing that came from a peer can move a cursor, set a clipboard or turn a line around.

pub(crate) mod ask;
pub(crate) mod clean;
mod finish;
mod line;
mod pager;
pub(crate) mod progress;
pub(crate) mod table;
pub(crate) mod time;

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::{Arc, Mutex};

pub(crate) use finish::finish;
pub(crate) use line::Line;

use crate::error::{Result, Stop, failed};
use crate::global::Global;
use crate::limits::TEXT_COLUMNS;

/// Before each line that others wrote.
const STROKE: &str = "│ ";

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
    /// Columns to write in.
    pub(crate) width: usize,
    /// Columns of the terminal, where stdout is one.
    columns: Option<u16>,
    /// The same of stderr.
    columns_err: Option<u16>,
    /// What is kept for the pager, where one is to be used.
    pages: Arc<Mutex<Option<String>>>,
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
            width: if out { usize::from(columns(std::io::stdout())) } else { 100 },
            columns: out.then(|| columns(std::io::stdout())),
            columns_err: err.then(|| columns(std::io::stderr())),
            pages: Arc::default(),
        }
    }

    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self {
            json: false,
            plain: false,
            quiet: true,
            verbose: 0,
            interactive: false,
            color: false,
            color_err: false,
            width: 80,
            columns: None,
            columns_err: None,
            pages: Arc::default(),
        }
    }

    /// As on a terminal of so many columns.
    #[cfg(test)]
    pub(crate) fn on_terminal(width: u16) -> Self {
        Self { width: usize::from(width), columns: Some(width), ..Self::for_tests() }
    }

    /// A line of data.
    pub(crate) fn out(&self, line: impl Into<Line>) -> Result<()> {
        self.write_out(&line.into().render_in(self.color, self.columns.map(usize::from)))
    }

    /// A paragraph of Kith's own, as data: broken between words, and addresses stay whole. Never for what others wrote.
    pub(crate) fn prose(&self, paragraph: &Line) -> Result<()> {
        if self.plain {
            return self.write_out(&paragraph.render(self.color));
        }
        paragraph.paragraph(self.width.min(TEXT_COLUMNS)).iter().try_for_each(|row| self.write_out(&row.render(self.color)))
    }

    /// A paragraph of Kith's own, as talk.
    pub(crate) fn tell(&self, paragraph: impl Into<Line>) {
        if !self.quiet {
            self.warn(&paragraph.into());
        }
    }

    /// A paragraph of Kith's own that is told even with `--quiet`.
    pub(crate) fn warn(&self, paragraph: &Line) {
        let rows = match self.columns_err {
            Some(columns) => paragraph.paragraph(usize::from(columns).min(TEXT_COLUMNS)),
            None => vec![paragraph.clone()],
        };
        for row in rows {
            drop(writeln!(std::io::stderr().lock(), "{}", row.render(self.color_err)));
        }
    }

    /// An empty line between data.
    pub(crate) fn gap(&self) -> Result<()> {
        if self.plain { Ok(()) } else { self.write_out("") }
    }

    /// Running text of several lines, which others wrote: each line stands behind a stroke (a tab, with `--plain`), wherever it
    /// is broken. So none can pass for a line of Kith's own, such as the one that says who wrote it.
    pub(crate) fn block(&self, indent: usize, text: &str) -> Result<()> {
        self.block_lines(indent, text).iter().try_for_each(|line| self.write_out(line))
    }

    /// A text that stands for itself, with nothing of Kith's around it: as it is where a program or a file takes it.
    pub(crate) fn document(&self, text: &str) -> Result<()> {
        if self.columns.is_some() { self.block(0, text) } else { self.write_out(clean::block(text).trim_end_matches('\n')) }
    }

    fn block_lines(&self, indent: usize, text: &str) -> Vec<String> {
        let indent = indent.min(self.width / 4);
        let before = if self.plain { "\t".to_owned() } else { format!("{}{STROKE}", " ".repeat(indent)) };
        let taken = if self.plain { 8 } else { indent + 2 + STROKE.len() / 2 };
        let room = self.width.min(TEXT_COLUMNS).saturating_sub(taken).max(1);
        let whole = self.plain && self.columns.is_none();
        let text = clean::block(text);
        let pieces = text.lines().flat_map(|line| if whole { vec![line.to_owned()] } else { self.wrap(line, room) });
        pieces.map(|piece| format!("{before}{piece}").trim_end().to_owned()).collect()
    }

    /// Break a line at spaces so that each piece fits. A longer word is broken only where a terminal would break it.
    pub(crate) fn wrap(&self, line: &str, room: usize) -> Vec<String> {
        wrap(line, room, self.columns.is_some())
    }

    /// A JSON text that is data. Characters that could trick a terminal are escaped as JSON allows.
    pub(crate) fn out_json(&self, text: &str) -> Result<()> {
        self.write_out(&clean::json(text.trim_end()))
    }

    /// A JSON value of our own making; `schema` stands first, as it does in what the daemon answers.
    pub(crate) fn out_value(&self, value: &serde_json::Value) -> Result<()> {
        self.out_json(&schema_first(value))
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
        self.kept(text).map_or(Ok(()), |text| closed(std::io::stdout().lock().write_all(text.as_bytes())))
    }

    /// Talk; not with `--quiet`.
    pub(crate) fn say(&self, line: impl Into<Line>) {
        if !self.quiet {
            self.complain(&line.into());
        }
    }

    /// Running talk of several lines.
    pub(crate) fn say_block(&self, text: &str) {
        text.lines().for_each(|line| self.tell(line));
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
        drop(writeln!(std::io::stderr().lock(), "{}", line.render_in(self.color_err, self.columns_err.map(usize::from))));
    }

    /// An invite link of one's own making, in one piece.
    pub(crate) fn out_link(&self, link: &str) -> Result<()> {
        self.write_out(&clean::line(link))
    }

    /// A QR code: black on white, whatever the terminal's own colours are, since cameras want it so.
    pub(crate) fn out_code(&self, code: &str) -> Result<()> {
        if !self.color {
            return self.write_out(code);
        }
        code.lines().try_for_each(|line| self.write_out(&format!("\u{1b}[38;5;16;48;5;231m{line}\u{1b}[0m")))
    }

    fn write_out(&self, text: &str) -> Result<()> {
        self.kept(&format!("{text}\n")).map_or(Ok(()), |text| closed(std::io::stdout().lock().write_all(text.as_bytes())))
    }
}

fn schema_first(value: &serde_json::Value) -> String {
    let text = value.to_string();
    let Some(schema) = value.get("schema") else { return text };
    let mut rest = value.clone();
    let Some(fields) = rest.as_object_mut() else { return text };
    fields.remove("schema");
    let rest = rest.to_string();
    let gap = if rest == "{}" { "" } else { "," };
    format!("{{\"schema\":{schema}{gap}{}", rest.trim_start_matches('{'))
}

/// What was typed cannot be understood: on a terminal broken between words, which the library does not do.
pub(crate) fn usage_error(error: &clap::Error) {
    let err = std::io::stderr();
    let text = clean::block(&error.to_string());
    let room = if err.is_terminal() { usize::from(columns(&err)) } else { usize::MAX };
    if text.lines().all(|line| line.chars().count() <= room) {
        // As it is, with colour.
        return drop(error.print());
    }
    for line in text.lines() {
        let indent = line.len() - line.trim_start_matches(' ').len();
        for row in Line::new().text(line).paragraph(room.max(indent + 1)) {
            drop(writeln!(err.lock(), "{}", row.plain()));
        }
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
        failed(format!("Cannot write the answer: {}.", crate::error::reason(&error)), "")
    })
}

/// Rows of the terminal; `None` where it does not know them, so that nobody seems to read it.
fn rows(stream: impl std::os::fd::AsFd) -> Option<u16> {
    rustix::termios::tcgetwinsize(stream).map(|size| size.ws_row).ok().filter(|rows| *rows > 0)
}

fn columns(stream: impl std::os::fd::AsFd) -> u16 {
    rustix::termios::tcgetwinsize(stream).map(|size| size.ws_col).ok().filter(|columns| *columns > 0).unwrap_or(80)
}

/// `hard`: a word longer than the room is broken too; else it stands alone.
fn wrap(line: &str, room: usize, hard: bool) -> Vec<String> {
    let letters: Vec<char> = line.chars().collect();
    let (mut pieces, mut rest) = (Vec::new(), letters.as_slice());
    while !rest.is_empty() {
        let mut end = clean::fitting(rest.iter().copied(), room);
        let inside = end < rest.len() && rest.get(end) != Some(&' ');
        if inside && !hard {
            end += rest.iter().skip(end).take_while(|c| **c != ' ').count();
        }
        let (piece, next) = rest.split_at(end);
        pieces.push(piece.iter().collect());
        let spaces = next.iter().take_while(|c| **c == ' ').count();
        rest = next.split_at(spaces).1;
    }
    if pieces.is_empty() { vec![String::new()] } else { pieces }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_comes_first() {
        let shown = |value: serde_json::Value| schema_first(&value);
        assert_eq!(shown(serde_json::json!({ "a": { "b": 1 }, "schema": "kith.x/1" })), r#"{"schema":"kith.x/1","a":{"b":1}}"#);
        assert_eq!(shown(serde_json::json!({ "schema": "kith.x/1" })), r#"{"schema":"kith.x/1"}"#);
        assert_eq!(shown(serde_json::json!([1])), "[1]");
    }

    #[test]
    fn wraps_at_spaces() {
        assert_eq!(wrap("one two three", 7, true), ["one two", "three"]);
        assert_eq!(wrap("", 7, true), [""]);
        assert_eq!(wrap("averylongword x", 4, false), ["averylongword", "x"]);
        assert_eq!(wrap("averylongword x", 4, true), ["aver", "ylon", "gwor", "d x"]);
        assert_eq!(wrap("  indented words", 10, true), ["  indented", "words"]);
    }

    /// What a terminal without colour shows of it, which breaks lines at its edge itself.
    fn screen(lines: &[String], columns: usize) -> Vec<String> {
        let mut rows = Vec::new();
        for line in lines.iter().flat_map(|text| text.split('\n')) {
            let letters: Vec<char> = line.chars().collect();
            let (mut row, mut used) = (String::new(), 0);
            for c in letters {
                let width = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
                if used + width > columns {
                    rows.push(std::mem::take(&mut row));
                    used = 0;
                }
                row.push(c);
                used += width;
            }
            rows.push(row);
        }
        rows
    }

    #[test]
    fn no_body_passes_for_the_line_above_it() {
        let nbsp = "\u{a0}";
        for columns in [20, 40, 80] {
            let ui = Ui::on_terminal(u16::try_from(columns).unwrap());
            let bodies = [
                format!("I am fine.\n\n{0}{0}Amara · just now", nbsp),
                format!("{}{}Amara · just now", nbsp.repeat(columns - 4), nbsp),
                format!("{}Amara · just now", "\u{3000}".repeat(columns / 2)),
                format!("{}  Amara · just now", "x".repeat(columns)),
                format!("{}  Amara · just now", "❤️".repeat(columns)),
                "\u{2003}\u{2003}Amara · just now".to_owned(),
                "\t\tAmara\n\u{2028}  Amara · just now".to_owned(),
            ];
            for (body, indent) in bodies.iter().flat_map(|body| [(body, 0), (body, 4), (body, 10)]) {
                let lines = ui.block_lines(indent, body);
                let before = format!("{}│", " ".repeat(indent.min(columns / 4)));
                for row in screen(&lines, columns) {
                    assert!(row.starts_with(&before), "{row:?} of {body:?} in {columns} columns");
                }
            }
        }
    }

    #[test]
    fn no_title_or_name_passes_for_a_line_of_its_own() {
        for (columns, padding) in [(40, "\u{a0}"), (80, " "), (40, "\u{3000}"), (80, "x"), (40, "❤️")] {
            let title = format!("Quiet{}Amara · just now", padding.repeat(columns));
            let lines = [
                Line::new().dim("n-abcdef  ").title(&title),
                Line::new().title(&format!("{padding}{title}")),
                Line::new().text("  ").and(Line::new().name(&title)).dim(" · just now"),
            ];
            for line in lines {
                let shown = vec![line.render_in(false, Some(columns))];
                for row in screen(&shown, columns).iter().skip(1) {
                    assert!(row.starts_with("  ┆ "), "{row:?} in {columns} columns");
                }
                assert!(!shown[0].starts_with("    "), "{shown:?}");
            }
        }
    }

    #[test]
    fn machines_find_running_text_behind_a_tab() {
        let ui = Ui { plain: true, ..Ui::for_tests() };
        let long = "x".repeat(200);
        assert_eq!(ui.block_lines(4, &format!("one\n\n{long}")), ["\tone".to_owned(), String::new(), format!("\t{long}")]);
    }
}
