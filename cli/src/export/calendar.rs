//! iCalendar files out (RFC 5545), time zones included.
//!
//! Titles, places and descriptions are other people's; all else is made here, from what was understood: an event's id, its
//! times, its zone, a recurrence that can be counted. What cannot be is put into words.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use kith_protocol::control::{Event, EventStatus, ItemState};

use super::{uid, with_plain_ends, zone};
use crate::calendar::Series;
use crate::calendar::rule::{Moment, Rule};

/// Octets of a line, its end not counted.
const LINE: usize = 75;

/// All visible events as one calendar.
pub(crate) fn events(name: &str, events: &[Event]) -> String {
    let mut out = String::new();
    line(&mut out, "BEGIN:VCALENDAR");
    line(&mut out, "VERSION:2.0");
    line(&mut out, "PRODID:-//Kith//kith//EN");
    line(&mut out, "CALSCALE:GREGORIAN");
    line(&mut out, &format!("X-WR-CALNAME:{}", escape(name)));
    let shown: Vec<(&Event, Series)> = events
        .iter()
        .filter(|event| event.state == ItemState::Visible)
        .filter_map(|event| Some((event, Series::of(event).or_else(|| once(event))?)))
        .collect();
    let mut zones: BTreeMap<String, (TimeZone, DateTime, Option<DateTime>)> = BTreeMap::new();
    for (_, series) in shown.iter().filter(|(_, series)| !series.all_day) {
        let last = series.rule.last(series.start, &series.tz);
        let known = zones.entry(zone_name(series)).or_insert_with(|| (series.tz.clone(), series.start, last));
        known.1 = known.1.min(series.start);
        known.2 = known.2.zip(last).map(|(one, other)| one.max(other));
    }
    for (name, (tz, first, last)) in zones.iter().filter(|(name, _)| *name != "UTC") {
        zone::write(&mut out, name, tz, *first, *last);
    }
    for (event, series) in &shown {
        write(&mut out, event, series);
    }
    line(&mut out, "END:VCALENDAR");
    out
}

/// An event whose recurrence makes no sense still takes place once.
fn once(event: &Event) -> Option<Series> {
    Series::of(&Event { rrule: None, ..event.clone() })
}

fn write(out: &mut String, event: &Event, series: &Series) {
    line(out, "BEGIN:VEVENT");
    line(out, &format!("UID:{}", escape(&uid(event))));
    line(out, &format!("DTSTAMP:{}", stamp(event.edited_at.unwrap_or(event.created_at).0.0)));
    line(out, &format!("SUMMARY:{}", escape(&event.title)));
    time(out, "DTSTART", series.start, series);
    if let Some(end) = series.end {
        time(out, "DTEND", end, series);
    }
    let mut about = event.description.clone();
    match &series.rule.rrule {
        Some(_) if countable(series) => {
            let rule = series.rule.clone().tidy().until_in_utc(&series.tz, series.all_day).unwrap_or_default();
            line(out, &format!("RRULE:{rule}"));
        }
        None if Series::of(event).is_some() => {}
        Some(_) | None => {
            let rrule = event.rrule.as_deref().unwrap_or_default();
            about = format!("{about}\n\nIt comes again, in a way that is not understood: {rrule}").trim().to_owned();
        }
    }
    for date in &series.rule.rdates {
        time(out, "RDATE", date.wall(&series.tz, series.start), series);
    }
    for date in series.rule.exceptions(series.start, &series.tz) {
        time(out, "EXDATE", date, series);
    }
    for (name, value) in [("DESCRIPTION", &about), ("LOCATION", &event.location)] {
        if !value.is_empty() {
            line(out, &format!("{name}:{}", escape(value)));
        }
    }
    line(out, &format!("STATUS:{}", status(event.status)));
    if !event.tags.is_empty() {
        let tags: Vec<String> = event.tags.iter().map(|tag| escape(tag)).collect();
        line(out, &format!("CATEGORIES:{}", tags.join(",")));
    }
    line(out, "END:VEVENT");
}

/// Is the rule one, letter by letter, and can it be counted?
fn countable(series: &Series) -> bool {
    let rrule = series.rule.rrule.as_deref().unwrap_or_default();
    let letters = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, '=' | ';' | ',' | '+' | '-');
    let alone = Rule { rrule: series.rule.rrule.clone(), ..Rule::default() };
    rrule.chars().all(letters) && alone.check(series.start, &series.tz).is_ok()
}

/// As RFC 5545 spells it.
const fn status(status: EventStatus) -> &'static str {
    match status {
        EventStatus::Cancelled => "CANCELLED",
        EventStatus::Tentative => "TENTATIVE",
        EventStatus::Confirmed => "CONFIRMED",
    }
}

/// The zone's own name, however an event spells it.
fn zone_name(series: &Series) -> String {
    series.tz.iana_name().unwrap_or("UTC").to_owned()
}

fn time(out: &mut String, name: &str, at: DateTime, series: &Series) {
    if series.all_day {
        line(out, &format!("{name};VALUE=DATE:{}", Moment::Day(at.date()).text()));
        return;
    }
    match zone_name(series).as_str() {
        "UTC" => line(out, &format!("{name}:{}Z", Moment::Local(at).text())),
        zone => line(out, &format!("{name};TZID={zone}:{}", Moment::Local(at).text())),
    }
}

fn stamp(millis: u64) -> String {
    let at = i64::try_from(millis).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::UNIX_EPOCH);
    Moment::Utc(at).text()
}

/// TEXT values: commas, semicolons, backslashes and line ends of every kind escaped; other control characters cannot stand in a
/// calendar.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in with_plain_ends(text).chars() {
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
pub(super) fn line(out: &mut String, text: &str) {
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
mod others;
#[cfg(test)]
mod tests {
    use super::super::{example, nasty};
    use super::*;
    use crate::calendar::read;

    pub(crate) fn event(tz: &str, starts: &str, rrule: Option<&str>) -> Event {
        Event {
            title: "Circle, with; signs \\ and\nlines".to_owned(),
            description: "ä".repeat(200),
            starts_local: starts.to_owned(),
            all_day: starts.len() == 10,
            tz: tz.to_owned(),
            rrule: rrule.map(str::to_owned),
            tags: vec!["peer".to_owned(), "a,b".to_owned()],
            ..example::event()
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
        let text = super::events("Night shift", &events);
        assert!(text.lines().all(|line| line.len() <= LINE), "{text}");
        let read = read::read(text.as_bytes(), "UTC").unwrap();
        assert_eq!(read.events.len(), 3);
        let first = &read.events[0].event;
        assert_eq!(first.title, events[0].title);
        assert_eq!(first.description, events[0].description);
        assert_eq!((first.tz.as_str(), first.starts.as_str()), ("Europe/Madrid", "2026-12-01T17:00:00Z"));
        assert_eq!(first.rrule.as_deref(), Some("FREQ=WEEKLY;COUNT=8\nRDATE:20261210T180000\nEXDATE:20261208T180000"));
        assert_eq!(first.uid, "e-abc@kith");
        assert_eq!(read.events[2].event.starts_local, "2026-12-01");
        assert!(text.contains("TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"));
    }

    #[test]
    fn control_characters_stay_out() {
        assert_eq!(escape("a\u{1b}]8;;x\u{7}b\r\nc"), "a]8\\;\\;xb\\nc");
    }

    #[test]
    fn what_others_chose_names_no_event_and_no_zone() {
        let mut forged = event("europe/madrid", "2026-12-01T18:00:00", Some("FREQ=DAILY;X=\u{2028}BEGIN:VEVENT"));
        forged.uid = "e-victim@kith".to_owned();
        let text =
            events("x", &[forged, Event { id: "e-2".to_owned(), ..event("UTC", "2026-12-01T18:00:00", Some("FREQ=SECONDLY")) }]);
        assert!(text.contains("UID:e-abc@kith\r\n") && !text.contains("e-victim"), "{text}");
        assert!(
            text.contains("DTSTART;TZID=Europe/Madrid:20261201T180000\r\n") && text.contains("STATUS:CONFIRMED\r\n"),
            "{text}"
        );
        let events = text.split_once("BEGIN:VEVENT").unwrap().1;
        assert!(!events.contains("RRULE") && text.contains("not understood: FREQ="), "{text}");
    }

    /// The text's lines, for a reader that takes every known line end for one.
    fn lines(text: &str) -> Vec<String> {
        let ends = ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];
        text.split(ends).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, cases: 300, ..Default::default() })]

        #[test]
        fn what_people_wrote_stays_in_its_event(
            said in proptest::collection::vec([nasty::text(), nasty::text(), nasty::text(), nasty::text(), nasty::text()], 0..4),
        ) {
            let all: Vec<Event> = said.iter().enumerate().map(|(n, [title, about, place, uid, tag])| Event {
                base: None,
                crossed: Vec::new(),
                id: format!("e-{n:016}"),
                title: title.clone(),
                description: about.clone(),
                location: place.clone(),
                uid: uid.clone(),
                tags: vec![tag.clone()],
                ..event("Europe/Madrid", "2026-12-01T18:00:00", None)
            }).collect();
            let text = events("Night shift", &all);
            let folded: Vec<&str> = text.split("\r\n").collect();
            let seen = lines(&text);
            proptest::prop_assert_eq!(seen.len(), folded.iter().filter(|line| !line.is_empty()).count(), "{}", text);
            let mine = ["BEGIN", "END", "VERSION", "PRODID", "CALSCALE", "X-WR-CALNAME", "UID", "DTSTAMP", "SUMMARY", "DTSTART", "DESCRIPTION",
                "LOCATION", "STATUS", "CATEGORIES", "TZID", "TZOFFSETFROM", "TZOFFSETTO", "RRULE"];
            for line in seen.iter().filter(|line| !line.starts_with(' ')) {
                proptest::prop_assert!(mine.iter().any(|name| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([':', ';']))), "{line:?}");
            }
            for what in ["BEGIN:VEVENT", "END:VEVENT"] {
                proptest::prop_assert_eq!(seen.iter().filter(|line| *line == what).count(), all.len());
            }
            let calcard::Entry::ICalendar(read) = calcard::Parser::new(&text).entry() else { panic!("{text}") };
            let events: Vec<_> = read.components.iter().filter(|part| part.component_type.is_event()).collect();
            proptest::prop_assert_eq!(events.len(), all.len());
            for (read, event) in events.iter().zip(&all) {
                let value = |name: &str| {
                    let found = read.entries.iter().filter(|entry| entry.name.as_str() == name).map(|entry| entry.values.first());
                    found.map(|value| value.and_then(|value| value.as_text()).unwrap_or_default().to_owned()).collect::<Vec<_>>()
                };
                let one = |text: &str| if text.is_empty() { Vec::new() } else { vec![with_plain_ends(text)] };
                proptest::prop_assert_eq!(value("UID"), vec![format!("{}@kith", event.id)]);
                proptest::prop_assert_eq!(value("SUMMARY"), vec![with_plain_ends(&event.title)]);
                proptest::prop_assert_eq!(value("DESCRIPTION"), one(&event.description));
                proptest::prop_assert_eq!(value("LOCATION"), one(&event.location));
            }
        }
    }
}
