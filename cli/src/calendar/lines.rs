//! The lines of a calendar file (RFC 5545, 3.1): put together again before they are decoded, since a fold may cut a letter in
//! two; whatever ends them; each with the number that it has in the file, so that whatever is left out can be named by it.
//!
//! Text that somebody pasted into a value without escaping its line ends belongs to the value before it.

use calcard::common::IanaParse;
use calcard::icalendar::ICalendarProperty;

/// A line as the standard means it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ContentLine {
    /// Where it begins in the file, from 1.
    pub(super) number: usize,
    pub(super) text: String,
}

/// A line that is not as it should be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Odd {
    pub(super) number: usize,
    pub(super) what: Oddity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Oddity {
    /// It and those up to this one are no lines of a calendar; they are taken as more of the text before.
    Text(usize),
    /// It means nothing, and there is no text before it.
    Nothing,
    /// Its bytes are not UTF-8; they are read as Western European.
    Latin,
}

/// The lines of a file, and the odd ones among them.
pub(super) fn lines(bytes: &[u8]) -> (Vec<ContentLine>, Vec<Odd>) {
    let decoded = utf16(bytes);
    let bytes = decoded.as_deref().map_or_else(|| bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes), str::as_bytes);
    let mut reader = Reader::default();
    for (number, bytes) in whole(bytes) {
        reader.add(number, &bytes);
    }
    (reader.lines, reader.odd)
}

/// What a mark at the start says is UTF-16.
fn utf16(bytes: &[u8]) -> Option<String> {
    let join: fn([u8; 2]) -> u16 = match bytes.get(..2)? {
        [0xff, 0xfe] => u16::from_le_bytes,
        [0xfe, 0xff] => u16::from_be_bytes,
        _ => return None,
    };
    let units: Vec<u16> = bytes.get(2..)?.chunks_exact(2).map(|pair| join([pair[0], pair[1]])).collect();
    Some(String::from_utf16_lossy(&units))
}

/// The unfolded lines. Each of the three line ends that there are is one; a blank line between two halves is skipped.
fn whole(bytes: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let mut out: Vec<(usize, Vec<u8>)> = Vec::new();
    let mut rest = bytes;
    let mut number = 0;
    while !rest.is_empty() {
        number += 1;
        let end = rest.iter().position(|b| matches!(b, b'\r' | b'\n')).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after.strip_prefix(b"\r\n").or_else(|| after.get(1..)).unwrap_or_default();
        match (out.last_mut(), line) {
            // A soft line break of quoted-printable: all of the next line belongs to this one.
            (Some((_, last)), _) if is_quoted(last) && last.last() == Some(&b'=') => {
                last.pop();
                last.extend_from_slice(line);
            }
            (Some((_, last)), [b' ' | b'\t', more @ ..]) => last.extend_from_slice(more),
            _ => out.push((number, line.to_vec())),
        }
    }
    out
}

/// Is its value quoted-printable?
fn is_quoted(line: &[u8]) -> bool {
    let head = line.split(|b| *b == b':').next().unwrap_or_default();
    head.windows(16).any(|word| word.eq_ignore_ascii_case(b"QUOTED-PRINTABLE"))
}

#[derive(Default)]
struct Reader {
    lines: Vec<ContentLine>,
    odd: Vec<Odd>,
    /// Blank lines since the last one; within text they belong to it.
    blank: usize,
    /// Does the file write its names in capitals, as nearly all do?
    capitals: bool,
    /// Is the last line being continued by text that is no line of its own?
    running: bool,
}

impl Reader {
    fn add(&mut self, number: usize, bytes: &[u8]) {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                self.odd.push(Odd { number, what: Oddity::Latin });
                bytes.iter().map(|byte| western(*byte)).collect()
            }
        };
        if text.trim().is_empty() {
            self.blank += 1;
            return;
        }
        let blank = std::mem::take(&mut self.blank);
        self.capitals |= text.starts_with("BEGIN:");
        if self.is_line(&text) {
            self.running = false;
            self.lines.push(ContentLine { number, text });
            return;
        }
        let Some(last) = self.lines.last_mut().filter(|line| is_text(&line.text)) else {
            self.odd.push(Odd { number, what: Oddity::Nothing });
            return;
        };
        last.text.push_str(&"\\n".repeat(blank + 1));
        last.text.push_str(&text);
        match self.odd.iter_mut().rev().find(|odd| matches!(odd.what, Oddity::Text(_))) {
            Some(odd) if self.running => odd.what = Oddity::Text(number),
            Some(_) | None => self.odd.push(Odd { number, what: Oddity::Text(number) }),
        }
        self.running = true;
    }

    /// Is it one? Behind a text, a name that nobody knows is more likely somebody's words ("Note: bring tea").
    fn is_line(&self, text: &str) -> bool {
        let Some(name) = name(text) else { return false };
        if !self.lines.last().is_some_and(|line| is_text(&line.text)) {
            return true;
        }
        let loud = !self.capitals || !name.bytes().any(|b| b.is_ascii_lowercase());
        let known = ICalendarProperty::parse(name.as_bytes()).is_some();
        loud && (known || name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("X-")))
    }
}

/// The name at the start of a line that has one.
pub(super) fn name(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let (name, _) = text.split_at(text.find([':', ';'])?);
    let good = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (good && text.contains(':')).then_some(name)
}

/// Does the line hold words, which may go on?
fn is_text(line: &str) -> bool {
    name(line).is_some_and(|name| {
        ["SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "CONTACT", "X-ALT-DESC"]
            .iter()
            .any(|text| name.eq_ignore_ascii_case(text))
    })
}

/// A byte of Windows' Western European letters, which is what nearly all old files are written in.
fn western(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’', '“',
        '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    byte.checked_sub(0x80).and_then(|at| HIGH.get(usize::from(at))).copied().unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8]) -> Vec<(usize, String)> {
        lines(bytes).0.into_iter().map(|line| (line.number, line.text)).collect()
    }

    #[test]
    fn every_line_end_is_one_and_folds_may_cut_letters() {
        let read = texts(b"SUMMARY:a\r\nUID:b\nX-A:c\rSUMMARY:Na\xc3\r\n \xafve\r\n\t tea\r\r\nUID:d\r\n");
        let want = [(1, "SUMMARY:a"), (2, "UID:b"), (3, "X-A:c"), (4, "SUMMARY:Na\u{ef}ve tea"), (8, "UID:d")];
        assert_eq!(read, want.map(|(number, text)| (number, text.to_owned())));
    }

    #[test]
    fn pasted_text_belongs_to_the_value_before_it() {
        let (read, odd) =
            lines(b"BEGIN:VEVENT\nDESCRIPTION:one\ntwo, three\n\nNote: four\nLocation: five\nhttps://x.example\nDTSTART:20260101\nnot a line\n");
        assert_eq!(read[1].text, "DESCRIPTION:one\\ntwo, three\\n\\nNote: four\\nLocation: five\\nhttps://x.example");
        assert_eq!(read[2].text, "DTSTART:20260101");
        assert_eq!(odd, [Odd { number: 3, what: Oddity::Text(7) }, Odd { number: 9, what: Oddity::Nothing }]);
    }

    #[test]
    fn other_letters_are_read_and_named() {
        let (read, odd) = lines(b"SUMMARY:Caf\xe9 \x96 tea\n");
        assert_eq!(read[0].text, "SUMMARY:Café – tea");
        assert_eq!(odd, [Odd { number: 1, what: Oddity::Latin }]);
        let wide: Vec<u8> = "\u{feff}SUMMARY:Käse\r\nUID:b\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(texts(&wide), [(1, "SUMMARY:Käse".to_owned()), (2, "UID:b".to_owned())]);
    }

    #[test]
    fn soft_breaks_of_quoted_printable_join_lines() {
        assert_eq!(
            texts(b"SUMMARY;ENCODING=QUOTED-PRINTABLE:Gr=C3=\r\n=BCn=\r\n\r\nUID:x\r\n"),
            [(1, "SUMMARY;ENCODING=QUOTED-PRINTABLE:Gr=C3=BCn".to_owned()), (4, "UID:x".to_owned())]
        );
    }
}
