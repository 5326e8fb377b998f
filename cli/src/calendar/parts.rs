//! A calendar file as a tree of parts. Each line is read by the library, on its own, so that a line that cannot be understood
#![allow(clippy::wildcard_enum_match_arm, reason = "the library knows many names, and most mean nothing here")]
//! takes nothing else with it; what begins and ends where is told here, so that a part that is never ended does not swallow others.

use calcard::common::{IanaParse, PartialDateTime};
use calcard::icalendar::{
    ICalendarComponentType as Kind, ICalendarEntry, ICalendarParameterName, ICalendarProperty, ICalendarValue,
};
use calcard::{Entry, Parser};

use super::lines::{self, ContentLine};
use crate::limits::CALENDAR_DEPTH;

/// One part and what is in it.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) kind: Kind,
    /// Where it begins.
    pub(super) line: usize,
    pub(super) fields: Vec<Field>,
    pub(super) parts: Vec<Self>,
}

/// One property.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) line: usize,
    /// As the library reads it.
    pub(super) entry: ICalendarEntry,
    /// Its value as it is written.
    pub(super) raw: String,
}

/// What people call a kind of parts.
pub(super) fn kind_word(kind: &Kind) -> String {
    match kind {
        Kind::VTodo => "task (VTODO)".to_owned(),
        Kind::VJournal => "journal entry (VJOURNAL)".to_owned(),
        Kind::VFreebusy => "free/busy time (VFREEBUSY)".to_owned(),
        other => format!("part called {}", other.as_str()),
    }
}

/// What is wrong with a line; the rest is read all the same.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) what: &'static str,
}

/// The parts that stand in a file beside each other. `None`: they are nested more deeply than any calendar's.
pub(super) fn parts(lines: Vec<ContentLine>) -> Option<(Vec<Component>, Vec<Fault>)> {
    let mut builder = Builder { open: vec![Component::new(Kind::Other(String::new()), 0)], faults: Vec::new() };
    for line in lines {
        let word = |start: &str| {
            let head = line.text.get(..start.len()).filter(|head| head.eq_ignore_ascii_case(start));
            head.map(|_| line.text.get(start.len()..).unwrap_or_default().trim().to_ascii_uppercase())
        };
        if let Some(name) = word("BEGIN:") {
            builder.begin(kind(&name), line.number);
        } else if let Some(name) = word("END:") {
            builder.end(&kind(&name), line.number);
        } else {
            builder.field(line);
        }
        if builder.open.len() > CALENDAR_DEPTH + 1 {
            return None;
        }
    }
    if let Some(part) = builder.open.get(1..).and_then(<[Component]>::last) {
        builder.faults.push(Fault { line: part.line, what: "begins a part that never ends; the file may be incomplete" });
    }
    builder.close(1);
    builder.open.pop().map(|root| (root.parts, builder.faults))
}

fn kind(name: &str) -> Kind {
    Kind::parse(name.as_bytes()).unwrap_or_else(|| Kind::Other(name.to_owned()))
}

struct Builder {
    /// The root, and what has begun and not ended.
    open: Vec<Component>,
    faults: Vec<Fault>,
}

impl Builder {
    fn begin(&mut self, kind: Kind, line: usize) {
        // These stand beside each other. One that begins within another means that the other was never ended.
        let beside = |open: &Kind| match kind {
            Kind::VCalendar => true,
            Kind::VEvent | Kind::VTodo | Kind::VJournal | Kind::VFreebusy | Kind::VTimezone => *open != Kind::VCalendar,
            _ => false,
        };
        if let Some(at) = self.open.iter().skip(1).position(|part| beside(&part.kind)).map(|at| at + 1) {
            if let Some(part) = self.open.get(at) {
                self.faults.push(Fault { line: part.line, what: "begins a part that is not ended before the next one begins" });
            }
            self.close(at);
        }
        self.open.push(Component::new(kind, line));
    }

    fn end(&mut self, kind: &Kind, line: usize) {
        match self.open.iter().skip(1).rposition(|part| part.kind == *kind).map(|at| at + 1) {
            Some(at) => {
                if let Some(part) = self.open.get(at + 1) {
                    self.faults.push(Fault { line: part.line, what: "begins a part that is not ended" });
                }
                self.close(at);
            }
            None => self.faults.push(Fault { line, what: "ends a part that was not begun" }),
        }
    }

    /// Ends that part and all within it.
    fn close(&mut self, at: usize) {
        while self.open.len() > at.max(1) {
            let Some(part) = self.open.pop() else { return };
            if let Some(around) = self.open.last_mut() {
                around.parts.push(part);
            }
        }
    }

    fn field(&mut self, line: ContentLine) {
        let field = Field::read(line.number, &line.text);
        match (field, self.open.len()) {
            (Some(field), 2..) => {
                if let Some(part) = self.open.last_mut() {
                    part.fields.push(field);
                }
            }
            (Some(_), _) => self.faults.push(Fault { line: line.number, what: "stands outside of every part" }),
            (None, _) => self.faults.push(Fault { line: line.number, what: "cannot be understood" }),
        }
    }
}

impl Component {
    pub(super) fn new(kind: Kind, line: usize) -> Self {
        Self { kind, line, fields: Vec::new(), parts: Vec::new() }
    }

    /// The first property of that name.
    pub(super) fn field(&self, name: &ICalendarProperty) -> Option<&Field> {
        self.fields.iter().find(|field| field.entry.name == *name)
    }

    /// All of that name.
    pub(super) fn all<'a>(&'a self, name: &'a ICalendarProperty) -> impl Iterator<Item = &'a Field> {
        self.fields.iter().filter(move |field| field.entry.name == *name)
    }

    /// The words of the first property of that name.
    pub(super) fn text(&self, name: &ICalendarProperty) -> Option<String> {
        self.field(name).map(Field::text)
    }

    /// The words of the first property of a name that the standard does not know.
    pub(super) fn other(&self, name: &str) -> Option<String> {
        let is =
            |field: &&Field| matches!(&field.entry.name, ICalendarProperty::Other(other) if other.eq_ignore_ascii_case(name));
        self.fields.iter().find(is).map(Field::text)
    }
}

impl Field {
    fn read(line: usize, text: &str) -> Option<Self> {
        lines::name(text)?;
        let text = with_seconds(&tidy(text));
        let whole = format!("BEGIN:VEVENT\r\n{text}\r\nEND:VEVENT\r\n");
        let Entry::ICalendar(mut read) = Parser::new(&whole).entry() else { return None };
        let entry = read.components.first_mut()?.entries.pop()?;
        let raw = text.get(value_at(&text)..).unwrap_or_default().trim().to_owned();
        Some(Self { line, entry, raw })
    }

    /// Its name in the file.
    pub(super) fn name(&self) -> &str {
        self.entry.name.as_str()
    }

    /// Its words; several values are one text with commas.
    pub(super) fn text(&self) -> String {
        self.texts().join(", ")
    }

    /// Its values as words.
    pub(super) fn texts(&self) -> Vec<String> {
        let words = |value: &ICalendarValue| match value {
            ICalendarValue::Binary(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            value => value.clone().into_text().map(std::borrow::Cow::into_owned),
        };
        let plain = |text: String| text.replace("\r\n", "\n").replace('\r', "\n");
        self.entry.values.iter().filter_map(words).map(|text| plain(text).trim().to_owned()).collect()
    }

    /// The zone that its times are told in.
    pub(super) fn zone(&self) -> Option<&str> {
        self.entry.parameter(&ICalendarParameterName::Tzid).and_then(|value| value.as_text()).map(str::trim)
    }

    /// Does it say that it is about days?
    pub(super) fn is_date(&self) -> bool {
        let value = self.entry.parameter(&ICalendarParameterName::Value).and_then(|value| value.as_text());
        value.is_some_and(|value| value.eq_ignore_ascii_case("DATE"))
    }

    /// The first time that is in it.
    pub(super) fn time(&self) -> Option<&PartialDateTime> {
        self.entry.values.iter().find_map(ICalendarValue::as_partial_date_time)
    }
}

/// Where the value begins: behind the first colon that is not in quotes.
fn value_at(text: &str) -> usize {
    let mut quoted = false;
    let colon = text.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == ':' && !quoted
    });
    colon.map_or(text.len(), |(at, _)| at + 1)
}

/// What widespread programs write and the library does not read as they mean it.
fn tidy(text: &str) -> String {
    let (head, value) = text.split_at(value_at(text));
    let upper = head.to_ascii_uppercase();
    if let Some(at) = upper.find(";QUOTED-PRINTABLE") {
        // vCalendar 1.0.
        let (before, after) = head.split_at(at);
        return tidy(&format!("{before};ENCODING={}{value}", after.trim_start_matches(';')));
    }
    if upper.contains("=QUOTED-PRINTABLE") && !upper.contains("CHARSET=") && is_utf8(value) {
        // Where nothing is said, the library takes the letters for Latin ones.
        return format!("{};CHARSET=UTF-8:{value}", head.trim_end_matches(':'));
    }
    if let Some(at) = upper.find(";TZID=")
        && !head.contains('"')
    {
        // A name with a colon in it that stands in no quotes: the value is behind the last one.
        let start = at + ";TZID=".len();
        let is_time =
            |end: &usize| text.get(end + 1..).is_some_and(|time| time.bytes().take(8).filter(u8::is_ascii_digit).count() == 8);
        if let Some(end) = text.rfind(':').filter(|end| *end > head.len()).filter(is_time) {
            let (name, value) = (text.get(start..end).unwrap_or_default(), text.get(end..).unwrap_or_default());
            return format!("{}\"{name}\"{value}", text.get(..start).unwrap_or_default());
        }
    }
    text.to_owned()
}

/// Times without seconds, or in small letters, as the standard writes them: `20270105T1000Z`.
fn with_seconds(text: &str) -> String {
    let (head, value) = text.split_at(value_at(text));
    let name = head.split([';', ':']).next().unwrap_or_default();
    let timed = ["DTSTART", "DTEND", "DUE", "RDATE", "EXDATE", "RECURRENCE-ID", "LAST-MODIFIED", "DTSTAMP", "CREATED"];
    if !timed.iter().any(|timed| timed.eq_ignore_ascii_case(name)) {
        return text.to_owned();
    }
    let whole = |time: &str| {
        let upper = time.trim().to_ascii_uppercase();
        let (bare, utc) = upper.strip_suffix('Z').map_or((upper.as_str(), ""), |bare| (bare, "Z"));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        match bare.split_once('T') {
            Some((day, at)) if day.len() == 8 && digits(day) && digits(at) && matches!(at.len(), 2 | 4 | 6) => {
                format!("{day}T{at:0<6}{utc}")
            }
            _ => time.to_owned(),
        }
    };
    let times: Vec<String> = value.split(',').map(|list| list.split('/').map(whole).collect::<Vec<_>>().join("/")).collect();
    format!("{head}{}", times.join(","))
}

/// Are the bytes that quoted-printable text stands for UTF-8?
fn is_utf8(value: &str) -> bool {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        let pair = if byte == b'=' { rest.clone().take(2).collect() } else { Vec::new() };
        match std::str::from_utf8(&pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(coded) => {
                bytes.push(coded);
                rest.nth(1);
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::lines::lines;
    use super::*;

    fn tree(text: &str) -> (Vec<Component>, Vec<Fault>) {
        parts(lines(text.as_bytes()).0).unwrap()
    }

    fn field(text: &str) -> Field {
        Field::read(1, text).unwrap()
    }

    #[test]
    fn what_is_not_ended_swallows_nothing() {
        let (parts, faults) = tree(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nBEGIN:VALARM\nBEGIN:VEVENT\nUID:b\nEND:VEVENT\nEND:VTODO\nEND:VCALENDAR\nBEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:c\n",
        );
        assert_eq!(parts.iter().map(|part| part.parts.len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(parts[0].parts[1].text(&ICalendarProperty::Uid).as_deref(), Some("b"));
        assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [2, 8, 11]);
    }

    #[test]
    fn values_are_what_their_writers_meant() {
        assert_eq!(field("SUMMARY;ENCODING=QUOTED-PRINTABLE:Gr=C3=BCn=0D=0Aund rot").text(), "Grün\nund rot");
        assert_eq!(field("SUMMARY;QUOTED-PRINTABLE;CHARSET=ISO-8859-1:Gr=FCn").text(), "Grün");
        assert_eq!(field("SUMMARY;ENCODING=QUOTED-PRINTABLE:Gr=FCn").text(), "Grün");
        assert_eq!(field("CATEGORIES:a\\, b,c").texts(), ["a, b", "c"]);
        let zoned = field("DTSTART;TZID=(UTC+01:00) Amsterdam, Bern:20260101T100000");
        assert_eq!((zoned.zone(), zoned.raw.as_str()), (Some("(UTC+01:00) Amsterdam, Bern"), "20260101T100000"));
        assert!(zoned.time().is_some());
        assert_eq!(field("DTEND;TZID=UTC+05:30:20260101T100000Z").zone(), Some("UTC+05:30"));
        assert!(field("DTSTART;VALUE=DATE:20261222T000000").is_date());
    }

    #[test]
    fn depth_is_bounded() {
        assert!(parts(lines("BEGIN:X\n".repeat(100).as_bytes()).0).is_none());
    }
}
