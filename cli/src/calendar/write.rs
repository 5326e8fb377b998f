//! iCalendar files out (RFC 5545), time zones included.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use jiff::tz::{Dst, TimeZone};
use jiff::{Timestamp, ToSpan};
use kith_protocol::control::{Event, NoteState};

use super::Series;
use super::rule::Moment;

/// Octets of a line, its end not counted.
const LINE: usize = 75;
/// Changes of clocks that a zone is described with at most.
const CHANGES: usize = 300;
/// Years that a zone is described beyond the last start.
const YEARS: i64 = 10;

/// All visible events as one calendar.
pub(crate) fn calendar(name: &str, events: &[Event]) -> String {
    let mut out = String::new();
    line(&mut out, "BEGIN:VCALENDAR");
    line(&mut out, "VERSION:2.0");
    line(&mut out, "PRODID:-//Kith//kith//EN");
    line(&mut out, "CALSCALE:GREGORIAN");
    line(&mut out, &format!("X-WR-CALNAME:{}", escape(name)));
    let shown: Vec<(&Event, Series)> = events
        .iter()
        .filter(|event| event.state == NoteState::Visible)
        .filter_map(|event| Some((event, Series::of(event)?)))
        .collect();
    let mut zones: BTreeMap<String, (TimeZone, DateTime, DateTime)> = BTreeMap::new();
    for (event, series) in shown.iter().filter(|(_, series)| !series.all_day) {
        let known = zones.entry(event.tz.clone()).or_insert_with(|| (series.tz.clone(), series.start, series.start));
        known.1 = known.1.min(series.start);
        known.2 = known.2.max(series.start);
    }
    for (name, (tz, first, last)) in zones.iter().filter(|(name, _)| *name != "UTC") {
        zone(&mut out, name, tz, *first, *last);
    }
    for (event, series) in &shown {
        write(&mut out, event, series);
    }
    line(&mut out, "END:VCALENDAR");
    out
}

fn write(out: &mut String, event: &Event, series: &Series) {
    line(out, "BEGIN:VEVENT");
    let uid = if event.uid.is_empty() { format!("{}@kith", event.id) } else { event.uid.clone() };
    line(out, &format!("UID:{}", escape(&uid)));
    line(out, &format!("DTSTAMP:{}", stamp(event.edited_at.unwrap_or(event.created_at).0.0)));
    line(out, &format!("SUMMARY:{}", escape(&event.title)));
    time(out, "DTSTART", series.start, event, series);
    if let Some(end) = series.end {
        time(out, "DTEND", end, event, series);
    }
    if let Some(rrule) = &series.rule.rrule {
        line(out, &format!("RRULE:{}", rrule.replace(char::is_control, "")));
    }
    dates(out, "RDATE", &series.rule.rdates, event, series);
    dates(out, "EXDATE", &series.rule.exdates, event, series);
    for (name, value) in [("DESCRIPTION", &event.description), ("LOCATION", &event.location)] {
        if !value.is_empty() {
            line(out, &format!("{name}:{}", escape(value)));
        }
    }
    line(out, &format!("STATUS:{}", escape(&event.status.to_uppercase())));
    if !event.tags.is_empty() {
        let tags: Vec<String> = event.tags.iter().map(|tag| escape(tag)).collect();
        line(out, &format!("CATEGORIES:{}", tags.join(",")));
    }
    line(out, "END:VEVENT");
}

fn time(out: &mut String, name: &str, at: DateTime, event: &Event, series: &Series) {
    if series.all_day {
        line(out, &format!("{name};VALUE=DATE:{}", Moment::Day(at.date()).text()));
    } else if event.tz == "UTC" {
        line(out, &format!("{name}:{}Z", Moment::Local(at).text()));
    } else {
        line(out, &format!("{name};TZID={}:{}", event.tz, Moment::Local(at).text()));
    }
}

/// Additional dates and exceptions, each in the form of the start, as the standard wants.
fn dates(out: &mut String, name: &str, dates: &[Moment], event: &Event, series: &Series) {
    for date in dates {
        time(out, name, date.wall(&series.tz, series.start), event, series);
    }
}

/// A zone as the changes of its clocks, one by one.
fn zone(out: &mut String, name: &str, tz: &TimeZone, first: DateTime, last: DateTime) {
    line(out, "BEGIN:VTIMEZONE");
    line(out, &format!("TZID:{name}"));
    let begin = tz.to_timestamp(first.saturating_sub(1.year())).unwrap_or(Timestamp::UNIX_EPOCH);
    let info = tz.to_offset_info(begin);
    let mut before = info.offset();
    observance(out, info.dst(), before.to_datetime(begin), before, before);
    let end = tz.to_timestamp(last.saturating_add(YEARS.years())).unwrap_or(Timestamp::MAX);
    for change in tz.following(begin).take_while(|change| change.timestamp() <= end).take(CHANGES) {
        let local = before.to_datetime(change.timestamp());
        observance(out, change.dst(), local, before, change.offset());
        before = change.offset();
    }
    line(out, "END:VTIMEZONE");
}

fn observance(out: &mut String, dst: Dst, local: DateTime, from: jiff::tz::Offset, to: jiff::tz::Offset) {
    let kind = if dst == Dst::Yes { "DAYLIGHT" } else { "STANDARD" };
    line(out, &format!("BEGIN:{kind}"));
    line(out, &format!("DTSTART:{}", Moment::Local(local).text()));
    line(out, &format!("TZOFFSETFROM:{}", offset(from.seconds())));
    line(out, &format!("TZOFFSETTO:{}", offset(to.seconds())));
    line(out, &format!("END:{kind}"));
}

fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
}

fn stamp(millis: u64) -> String {
    let at = i64::try_from(millis).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::UNIX_EPOCH);
    Moment::Utc(at).text()
}

/// TEXT values: commas, semicolons, backslashes and line ends escaped; other control characters cannot stand in a calendar.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\\' | ',' | ';' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// A content line, folded between characters.
fn line(out: &mut String, text: &str) {
    let mut used = 0;
    for c in text.chars() {
        if used + c.len_utf8() > LINE {
            out.push_str("\r\n ");
            used = 1;
        }
        out.push(c);
        used += c.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use kith_protocol::control::{Author, RsvpCounts, Time};
    use kith_protocol::time::Millis;

    use super::super::read;
    use super::*;

    pub(crate) fn event(tz: &str, starts: &str, rrule: Option<&str>) -> Event {
        Event {
            id: "e-abc".to_owned(),
            circle: "c-abc".to_owned(),
            title: "Circle, with; signs \\ and\nlines".to_owned(),
            description: "ä".repeat(200),
            cut: false,
            starts: Time(Millis(0)),
            ends: None,
            starts_local: starts.to_owned(),
            ends_local: String::new(),
            all_day: starts.len() == 10,
            tz: tz.to_owned(),
            rrule: rrule.map(str::to_owned),
            location: String::new(),
            status: "confirmed".to_owned(),
            rsvp: RsvpCounts::default(),
            author: Author { member: "m-abc".to_owned(), name: "Amara".to_owned(), ..Default::default() },
            created_at: Time(Millis(0)),
            edited_at: None,
            uid: String::new(),
            tags: vec!["peer".to_owned(), "a,b".to_owned()],
            state: NoteState::Visible,
            delivery: None,
            new: false,
        }
    }

    #[test]
    fn what_is_written_can_be_read_again() {
        let events = [
            event(
                "Europe/Madrid",
                "2026-12-01T18:00:00",
                Some("FREQ=WEEKLY;COUNT=8\nRDATE:20261210T170000Z\nEXDATE:20261208T180000"),
            ),
            Event { id: "e-2".to_owned(), ..event("UTC", "2026-12-01T18:00:00", None) },
            Event { id: "e-3".to_owned(), ..event("Asia/Tokyo", "2026-12-01", None) },
        ];
        let text = calendar("Night shift", &events);
        assert!(text.lines().all(|line| line.len() <= LINE), "{text}");
        let read = read::read(&text, "UTC").unwrap();
        assert_eq!(read.events.len(), 3);
        let first = &read.events[0];
        assert_eq!(first.title, events[0].title);
        assert_eq!(first.description, events[0].description);
        assert_eq!((first.tz.as_str(), first.starts.as_str()), ("Europe/Madrid", "2026-12-01T17:00:00Z"));
        assert_eq!(first.rrule.as_deref(), Some("FREQ=WEEKLY;COUNT=8\nRDATE:20261210T180000\nEXDATE:20261208T180000"));
        assert_eq!(first.uid, "e-abc@kith");
        assert_eq!(read.events[2].starts_local, "2026-12-01");
        assert!(text.contains("TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200"));
    }

    #[test]
    fn control_characters_stay_out() {
        assert_eq!(escape("a\u{1b}]8;;x\u{7}b\r\nc"), "a]8\\;\\;xb\\nc");
    }
}
