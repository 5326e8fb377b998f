//! What other programs read in our calendars: the answers of Python's libraries (tests/calendars) and ours are the same.

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;

use super::tests::event;
use super::*;
use crate::calendar::read;
use jiff::civil::Date;

/// A kept export: the file's name, and of each event its zone, start, end and rule.
type Kept = (&'static str, &'static [(&'static str, &'static str, &'static str, &'static str)]);

const KEPT: [Kept; 12] = [
    ("01-until.ics", &[("Europe/Madrid", "2026-12-01T18:00:00", "2026-12-01T19:00:00", "FREQ=WEEKLY;UNTIL=20261222")]),
    ("02-for-good.ics", &[("America/New_York", "2026-03-02T09:00:00", "2026-03-02T10:30:00", "FREQ=WEEKLY;BYDAY=MO,FR")]),
    ("03-days-until.ics", &[("Asia/Tokyo", "2026-12-01", "", "FREQ=DAILY;UNTIL=20261204T000000Z")]),
    (
        "04-moved-exceptions.ics",
        &[(
            "America/Chicago",
            "2026-10-06T19:00:00",
            "2026-10-06T20:00:00",
            "FREQ=MONTHLY;BYDAY=1TU;COUNT=6\nEXDATE:20261201T180000",
        )],
    ),
    ("05-gap.ics", &[("Europe/Madrid", "2027-03-26T02:30:00", "", "FREQ=DAILY;COUNT=5")]),
    (
        "06-dates.ics",
        &[(
            "Asia/Tokyo",
            "2026-12-01T08:00:00",
            "2026-12-01T09:00:00",
            "FREQ=DAILY;COUNT=4\nRDATE:20261210T230000Z,20261212T100000\nEXDATE:20261202T230000Z",
        )],
    ),
    ("07-no-rule.ics", &[("Africa/Casablanca", "2029-12-03T18:00:00", "2029-12-03T19:00:00", "FREQ=WEEKLY")]),
    ("08-half-hour.ics", &[("Australia/Lord_Howe", "2027-03-21T10:00:00", "2027-03-21T11:00:00", "FREQ=WEEKLY;COUNT=4")]),
    ("09-leap-days.ics", &[("Europe/Berlin", "2024-02-29", "", "FREQ=YEARLY")]),
    ("10-utc.ics", &[("UTC", "2026-12-01T23:00:00", "2026-12-02T01:00:00", "FREQ=DAILY;INTERVAL=2;UNTIL=20261207T230000")]),
    (
        "11-two-zones.ics",
        &[
            ("Europe/London", "2026-10-20T18:00:00", "2026-10-20T19:00:00", "FREQ=WEEKLY;COUNT=3"),
            ("Asia/Kathmandu", "2026-10-20T18:00:00", "2026-10-20T18:45:00", "FREQ=WEEKLY;BYDAY=1TU;COUNT=3"),
        ],
    ),
    (
        "12-several-days.ics",
        &[(
            "America/Sao_Paulo",
            "2026-12-04",
            "2026-12-07",
            "FREQ=MONTHLY;BYDAY=1FR;COUNT=4\nRDATE:20261218\nEXDATE:20270101T120000Z",
        )],
    ),
];

/// What others read.
#[derive(Deserialize)]
struct Answers {
    files: std::collections::BTreeMap<String, Answer>,
}

#[derive(Deserialize)]
struct Answer {
    from: String,
    to: String,
    takes_place: Vec<String>,
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/calendars"))
}

/// As it is exported today.
fn exported((_, all): &Kept) -> String {
    let one = |(at, (tz, starts, ends, rrule)): (usize, &(&str, &str, &str, &str))| Event {
        id: format!("e-{at}"),
        title: format!("Event {at}"),
        description: String::new(),
        ends_local: (*ends).to_owned(),
        tags: Vec::new(),
        ..event(tz, starts, Some(rrule))
    };
    events("Night shift", &all.iter().enumerate().map(one).collect::<Vec<_>>())
}

/// What takes place between two days in a calendar, as Kith reads it.
fn takes_place(text: &str, from: Date, to: Date) -> Vec<String> {
    let read = read::read(text.as_bytes(), "Europe/Madrid").unwrap();
    let mut out = Vec::new();
    for incoming in read.events {
        let series = Series::of_new(&incoming.event).unwrap();
        let length = series.seconds();
        let starts = series.rule.starts_from(series.start, &series.tz, from.at(0, 0, 0, 0), 400).unwrap();
        for start in starts {
            let zoned = series.tz.to_zoned(start).unwrap();
            let end = zoned.timestamp().as_second() + length;
            let utc = |second: i64| Timestamp::from_second(second).unwrap();
            let shown = if series.all_day {
                let days = start.date().checked_add(jiff::Span::new().days(length / 86_400)).unwrap();
                format!("{} {days}", start.date())
            } else {
                format!("{} {}", zoned.timestamp(), utc(end))
            };
            if TimeZone::UTC.to_datetime(zoned.timestamp()).date() < to {
                out.push(format!("{shown} {}", incoming.event.title));
            }
        }
    }
    out.sort();
    out
}

#[test]
fn the_exports_that_others_read_are_ours() {
    for kept in &KEPT {
        let path = folder().join(kept.0);
        if std::env::var_os("KITH_WRITE_CALENDARS").is_some() {
            fs::write(&path, exported(kept)).unwrap();
        }
        let hint = "write it again with KITH_WRITE_CALENDARS=1, then run tests/calendars/read.py";
        assert_eq!(fs::read_to_string(&path).unwrap(), exported(kept), "{}: {hint}", kept.0);
    }
}

#[test]
fn others_read_what_we_read() {
    let answers: Answers = serde_json::from_slice(&fs::read(folder().join("answers.json")).unwrap()).unwrap();
    assert_eq!(answers.files.len(), KEPT.len());
    for kept in &KEPT {
        let answer = &answers.files[kept.0];
        assert!(!answer.takes_place.is_empty(), "{} is empty", kept.0);
        assert_eq!(
            takes_place(&exported(kept), answer.from.parse().unwrap(), answer.to.parse().unwrap()),
            answer.takes_place,
            "{}",
            kept.0
        );
    }
}
