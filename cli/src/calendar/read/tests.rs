//! Small calendars with the oddities that are met in the wild.

use kith_protocol::control::EventStatus;

use super::*;
use crate::left_out::Weight;

mod kinds;

fn one(events: &str) -> Calendar {
    read(format!("BEGIN:VCALENDAR\nVERSION:2.0\n{events}END:VCALENDAR\n").as_bytes(), "Europe/Madrid").unwrap()
}

fn event(lines: &str) -> Calendar {
    one(&format!("BEGIN:VEVENT\nUID:1\nSUMMARY:Circle\n{lines}END:VEVENT\n"))
}

fn told(calendar: &Calendar) -> Vec<String> {
    calendar.left.iter().filter(|left| left.weight != Weight::Minor).map(|left| format!("{} {}", left.what, left.why)).collect()
}

#[test]
fn a_plain_event_is_kept_whole() {
    let read = event(
        "DTSTART;TZID=Europe/Vienna:20120213T100000\nDTEND;TZID=Europe/Vienna:20120217T180000\nDESCRIPTION:one\\, two\\nthree\n\
         LOCATION:aka bild\\, wien\nCATEGORIES:peer,support\nURL:https://example.org\nSTATUS:TENTATIVE\nDTSTAMP:20101010T091010Z\n",
    );
    let event = &read.events[0].event;
    assert_eq!((event.uid.as_str(), event.title.as_str()), ("1", "Circle"));
    assert_eq!(event.starts, "2012-02-13T09:00:00Z");
    assert_eq!((event.starts_local.as_str(), event.ends_local.as_str()), ("2012-02-13T10:00:00", "2012-02-17T18:00:00"));
    assert_eq!(event.description, "one, two\nthree\n\nhttps://example.org");
    assert_eq!(event.location, "aka bild, wien");
    assert_eq!(event.tags, ["peer", "support"]);
    assert_eq!(event.status, Some(EventStatus::Tentative));
    assert!(told(&read).is_empty(), "{:?}", told(&read));
    assert!(read.left.iter().any(|left| left.weight == Weight::Minor && left.why.contains("DTSTAMP")));
}

#[test]
fn zones_with_odd_names() {
    for (tzid, name) in [
        ("\"Europe/Zurich\"", "Europe/Zurich"),
        ("Eastern Standard Time", "America/New_York"),
        ("custom_America/New_York", "America/New_York"),
    ] {
        let read = event(&format!("DTSTART;TZID={tzid};VALUE=DATE-TIME:20241028T170000\nDTEND;TZID={tzid}:20241028T180000\n"));
        assert_eq!(read.events[0].event.tz, name);
        assert_eq!(read.events[0].event.starts_local, "2024-10-28T17:00:00");
    }
    let unknown = event("DTSTART;TZID=Nowhere:20241028T170000\n");
    assert_eq!(unknown.events[0].event.tz, "Europe/Madrid");
    assert!(told(&unknown)[0].contains("not known"));
}

#[test]
fn floating_times_and_days() {
    let floating = event("DTSTART:20241028T170000\n");
    assert_eq!(floating.events[0].event.tz, "Europe/Madrid");
    assert!(told(&floating)[0].contains("without a zone"));
    let day = event("DTSTART:20220101\nDTEND:20220101\n");
    assert_eq!(
        (day.events[0].event.starts_local.as_str(), day.events[0].event.ends_local.as_str()),
        ("2022-01-01", "2022-01-02")
    );
    let own = read(
        b"BEGIN:VCALENDAR\nX-WR-TIMEZONE:Asia/Tokyo\nBEGIN:VEVENT\nDTSTART:20241028T170000\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR",
        "UTC",
    );
    assert_eq!(own.unwrap().events[0].event.tz, "Asia/Tokyo");
}

#[test]
fn lengths() {
    assert_eq!(event("DTSTART:20241028T170000Z\nDURATION:PT1H30M\n").events[0].event.ends, "2024-10-28T18:30:00Z");
    assert_eq!(event("DTSTART;VALUE=DATE:20241028\nDURATION:P2D\n").events[0].event.ends_local, "2024-10-30");
    let odd = event("DTSTART:20241028T170000Z\nDURATION:a while\n");
    assert!(odd.events[0].event.ends.is_empty() && told(&odd)[0].contains("length"));
}

#[test]
fn recurrences_are_one_object() {
    let read = event(
        "DTSTART;TZID=Europe/Madrid:20261201T180000\nRRULE:FREQ=WEEKLY;COUNT=8\nEXDATE;TZID=Europe/Madrid:20261208T180000\n\
         RDATE:20261210T170000Z\nRDATE;TZID=America/New_York:20261211T120000\n",
    );
    assert_eq!(read.events.len(), 1);
    assert_eq!(
        read.events[0].event.rrule.as_deref(),
        Some("FREQ=WEEKLY;COUNT=8\nRDATE:20261210T170000Z,20261211T180000\nEXDATE:20261208T180000")
    );
    assert!(told(&read).is_empty());
}

#[test]
fn dates_without_a_start() {
    let read = event("RDATE;VALUE=PERIOD:19960403T020000Z/19960403T040000Z,\n 19960404T010000Z/PT3H\n");
    let event = &read.events[0].event;
    assert_eq!((event.starts.as_str(), event.ends.as_str()), ("1996-04-03T02:00:00Z", "1996-04-03T04:00:00Z"));
    assert_eq!(event.rrule.as_deref(), Some("RDATE:19960404T010000Z"));
    let told = told(&read);
    assert!(told[0].contains("earliest") && told[1].contains("length of its own"), "{told:?}");
}

#[test]
fn what_is_no_date_is_named() {
    let read = event("DTSTART:20210302T000000Z\nRDATE;VALUE=TIME:133000Z\n");
    assert!(told(&read)[0].contains("133000Z"), "{:?}", told(&read));
    assert_eq!(read.events[0].event.rrule, None);
    let wrong = event("DTSTART:20210302T000000Z\nRRULE:FREQ=NEVER\n");
    assert!(told(&wrong)[0].contains("cannot be kept"));
    let none = event("DTSTART:tomorrow\n");
    assert!(none.events.is_empty() && told(&none)[0].contains("not imported"));
}

#[test]
fn parts_without_a_place_are_named_one_by_one() {
    let read = one("BEGIN:VEVENT\nUID:1\nSUMMARY:Circle\nDTSTART:20241004T181500Z\nATTENDEE;CN=Bea:mailto:bea@example.org\n\
         X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-ADDRESS=\"Roadstar 16\\n12764 Happyvi\n lle\";X-TITLE=:geo:52.3,7.5\n\
         BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-P0DT0H10M0S\nEND:VALARM\nBEGIN:VALARM\nACTION:EMAIL\nTRIGGER:-P0DT0H15M0S\nEND:VALARM\nEND:VEVENT\n\
         BEGIN:VTODO\nSUMMARY:Bring tea\nEND:VTODO\nBEGIN:VJOURNAL\nSUMMARY:Diary\nEND:VJOURNAL\n");
    assert_eq!(read.events.len(), 1);
    let told = told(&read);
    assert_eq!(told.len(), 6, "{told:?}");
    for (line, word) in told.iter().zip(["attendee", "X-APPLE", "-P0DT0H10M0S", "-P0DT0H15M0S", "task", "journal"]) {
        assert!(line.contains(word), "{line} lacks {word}");
    }
}

#[test]
fn changed_occurrences_become_events_of_their_own() {
    let read = one(
        "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20261208T170000Z\nSUMMARY:Circle, elsewhere\nDTSTART:20261208T190000Z\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:1\nSUMMARY:Circle\nDTSTART:20261201T170000Z\nRRULE:FREQ=WEEKLY\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20261215T170000Z\nSUMMARY:Circle\nSTATUS:CANCELLED\nDTSTART:20261215T170000Z\nEND:VEVENT\n",
    );
    assert_eq!(read.events.len(), 2);
    assert_eq!(read.events[0].event.rrule.as_deref(), Some("FREQ=WEEKLY\nEXDATE:20261208T170000Z,20261215T170000Z"));
    assert_eq!(read.events[1].event.uid, "1#20261208T170000Z");
    assert!(
        told(&read).iter().any(|line| line.contains("changed time")) && told(&read).iter().any(|line| line.contains("cancelled"))
    );
}

#[test]
fn what_is_no_calendar_is_refused() {
    assert!(read(b"hello", "UTC").is_err());
    assert!(read(b"", "UTC").is_err());
    assert!(read("BEGIN:X\n".repeat(100_000).as_bytes(), "UTC").unwrap_err().contains("nested"));
    assert!(read(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR", "UTC").unwrap().events.is_empty());
}
