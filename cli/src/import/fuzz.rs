//! Files that people import, bent in every way: never a panic, never more than a file can hold, and what is read is fit to be
//! sent. A calendar that was read, written and read again holds the same.

use kith_protocol::control::{BatchItem, Event, NewEvent, Time};
use kith_protocol::limits::{BODY_BYTES, TAGS, TITLE_CHARS};
use kith_protocol::time::Millis;
use kith_tests::fuzz::{Form, Prepared, Target, Verdict};
use kith_tests::fuzz_test;

use super::{Haul, calendar, csv, links};
use crate::calendar::rule::Rule;
use crate::calendar::when::{Typed, When};
use crate::calendar::{Series, read};
use crate::export::{self, example};
use crate::ui::clean;

fuzz_test!(calendars, CALENDAR);
fuzz_test!(tables, TABLE);
fuzz_test!(lists_of_links, LINKS);
fuzz_test!(times_and_rules, TIMES);
fuzz_test!(what_is_shown, SHOWN);

const CALENDAR: Target = Target { name: "calendar", form: Form::Text, words: &CALENDAR_WORDS, share: 1, prepare: calendars_of };
const TABLE: Target = Target {
    name: "table",
    form: Form::Text,
    words: &[",", "\"", "\"\"", ";", "title", "body", "starts", "url"],
    share: 1,
    prepare: tables_of,
};
const LINKS: Target = Target {
    name: "links",
    form: Form::Text,
    words: &["[", "](", ")", "<", ">", "![", "# ", "- ", "```", "https://", "tel:", "\\", "**", "`"],
    share: 1,
    prepare: links_of,
};
const TIMES: Target = Target { name: "times", form: Form::Text, words: &TIME_WORDS, share: 1, prepare: times_of };
const SHOWN: Target = Target {
    name: "shown",
    form: Form::Text,
    words: &["\u{1b}[", "\u{202e}", "\u{200d}", "\u{fe0f}", "❤"],
    share: 1,
    prepare: shown_of,
};

const CALENDAR_WORDS: [&str; 24] = [
    "BEGIN:VEVENT\r\n",
    "END:VEVENT\r\n",
    "BEGIN:VCALENDAR\r\n",
    "END:VCALENDAR\r\n",
    "BEGIN:VTIMEZONE\r\n",
    "END:VTIMEZONE\r\n",
    "BEGIN:STANDARD\r\n",
    "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29\r\n",
    "RRULE:FREQ=SECONDLY\r\n",
    "EXDATE:20261208T180000\r\n",
    "RDATE;VALUE=PERIOD:20261210T170000Z/PT1H\r\n",
    "DURATION:-P1W\r\n",
    "DURATION:PT999999999H\r\n",
    "DTSTART:99991231T235959Z\r\n",
    "DTSTART;VALUE=DATE:00010101\r\n",
    "RECURRENCE-ID:20261208T180000\r\n",
    "TZID=Europe/Madrid",
    ";VALUE=DATE",
    "X-WR-TIMEZONE:Asia/Tokyo\r\n",
    "TZOFFSETTO:+9999\r\n",
    "\r\n ",
    "\\n",
    "\"",
    ";",
];

const TIME_WORDS: [&str; 14] = [
    "FREQ=",
    "WEEKLY",
    "DAILY",
    "YEARLY",
    "BYDAY=",
    "-1MO",
    "COUNT=",
    "UNTIL=",
    "INTERVAL=",
    "EXDATE:",
    "RDATE:",
    "T",
    "Z",
    "2026-",
];

/// What a haul of so many bytes may be.
fn fit(haul: &Haul, bytes: &[u8]) -> Verdict {
    assert!(haul.found.len() + haul.left_out.len() <= bytes.len() + 1, "more than the file holds");
    let size: usize = haul.left_out.iter().map(|left| left.what.len() + left.why.len()).sum();
    assert!(size <= 4_096 + bytes.len() * 64, "remarks of {size} bytes");
    Verdict::taken(!haul.found.is_empty())
}

fn calendars_of() -> Prepared {
    let meetings = include_bytes!("../../samples/meetings.ics").to_vec();
    let small = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Circle\r\n\
        DTSTART;TZID=Europe/Madrid:20261201T180000\r\nDTEND;TZID=Europe/Madrid:20261201T190000\r\n\
        RRULE:FREQ=WEEKLY;COUNT=8\r\nEXDATE;TZID=Europe/Madrid:20261208T180000\r\nRDATE:20261210T170000Z\r\n\
        CATEGORIES:peer,support\r\nLOCATION:Room 4\\, left\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\n\
        RECURRENCE-ID;TZID=Europe/Madrid:20261215T180000\r\nDTSTART;TZID=Europe/Madrid:20261216T180000\r\nDURATION:PT2H\r\n\
        SUMMARY:Moved\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let zone = b"BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:Ours\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\n\
        TZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:19700329T020000\r\n\
        TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n\
        BEGIN:VEVENT\r\nDTSTART;TZID=Ours:20261201T180000\r\nSUMMARY:x\r\nDTEND;VALUE=DATE:20261203\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let samples = vec![small.to_vec(), zone.to_vec(), meetings];
    let judge = |bytes: &[u8]| {
        let Ok(haul) = calendar::haul(bytes, "Europe/Madrid") else { return Verdict::Refused };
        let events =
            haul.found.iter().filter_map(|found| if let BatchItem::Event(event) = &found.item { Some(event) } else { None });
        let events: Vec<&NewEvent> = events.collect();
        for event in &events {
            assert!(
                event.title.chars().count() <= TITLE_CHARS && event.description.len() <= BODY_BYTES && event.tags.len() <= TAGS
            );
        }
        again(&events);
        fit(&haul, bytes)
    };
    Prepared { samples, judge: Box::new(judge) }
}

/// Written as a calendar and read again, each event that recurs on a wall clock we know is the same.
fn again(events: &[&NewEvent]) {
    let shown: Vec<Event> = events.iter().take(8).enumerate().filter_map(|(n, event)| kept(n, event)).collect();
    // A rule that cannot be counted goes out as none: such events come back as others.
    let shown: Vec<Event> = shown.into_iter().filter(|event| Series::of(event).is_some()).collect();
    let text = export::calendar::events("Night shift", &shown);
    let back = read::read(text.as_bytes(), "UTC").expect("a calendar that was written is one");
    let written: Vec<&Event> = shown.iter().filter(|event| Series::of(event).is_some()).collect();
    assert_eq!(back.events.len(), written.len(), "as many events as were written");
    for (event, back) in written.iter().zip(back.events.iter().map(|incoming| &incoming.event)) {
        assert_eq!(back.starts_local, event.starts_local, "an event stays where it was");
        // A whole day is a day wherever one is.
        assert!(event.all_day || back.tz == event.tz, "{} became {}", event.tz, back.tz);
        // Several lines are no title; the core says so.
        assert!(back.title == event.title || event.title.chars().any(char::is_control), "a title stays as it was");
    }
}

/// An event as the daemon shows it; those whose start the core refuses are left out.
fn kept(n: usize, new: &NewEvent) -> Option<Event> {
    let starts: jiff::Timestamp = new.starts.parse().ok()?;
    let time = |at: jiff::Timestamp| u64::try_from(at.as_millisecond()).ok().map(|at| Time(Millis(at)));
    Some(Event {
        id: format!("e-{n}"),
        title: new.title.trim().to_owned(),
        description: new.description.clone(),
        starts: time(starts)?,
        starts_local: new.starts_local.clone(),
        ends_local: new.ends_local.clone(),
        all_day: new.starts_local.len() == 10,
        tz: new.tz.clone(),
        rrule: new.rrule.clone(),
        location: new.location.clone(),
        created_at: time(starts)?,
        uid: format!("{n}@x"),
        ..example::event()
    })
}

fn tables_of() -> Prepared {
    let samples = [
        "Title,URL,Tags\nHotline,https://x.example,\"eap, phone\"\n\"a \"\"b\"\"\",tel:112,\n",
        "title,body,cw\nHi,'=1+1,burnout\nLong,\"two\nlines\",\n",
        "title,starts,ends,tz,rrule\nCircle,2026-12-01T18:00,2026-12-01T19:00,Europe/Madrid,FREQ=WEEKLY;COUNT=3\nDay,2026-12-01,,UTC,\n",
    ];
    let judge = |bytes: &[u8]| match csv::haul(&String::from_utf8_lossy(bytes)) {
        Ok(haul) => fit(&haul, bytes),
        Err(_) => Verdict::Refused,
    };
    Prepared { samples: samples.iter().map(|text| text.as_bytes().to_vec()).collect(), judge: Box::new(judge) }
}

fn links_of() -> Prepared {
    let samples = [
        "# Links\n\n## Phone\n- [Hotline](https://x.example) - day and night\n- <https://y.example>\n",
        "### *Deep* `code`\n* [a [b] c](https://z.example/(x)) and https://w.example.\n![picture](https://p.example/i.png)\n```\n[no](x)\n```\n",
        "[here](#there) [mail](mailto:a@b.example) [tel](tel:112)\n",
    ];
    let judge = |bytes: &[u8]| {
        let haul = links::haul(&String::from_utf8_lossy(bytes)).checked();
        for found in &haul.found {
            assert!(matches!(&found.item, BatchItem::Resource(resource) if resource.title.chars().count() <= TITLE_CHARS));
        }
        fit(&haul, bytes)
    };
    Prepared { samples: samples.iter().map(|text| text.as_bytes().to_vec()).collect(), judge: Box::new(judge) }
}

/// What people type: a start, an end, a zone and a rule, one a line.
fn times_of() -> Prepared {
    let samples = [
        "2026-12-01T18:00\n2026-12-01T19:00\nEurope/Madrid\nFREQ=WEEKLY;COUNT=8",
        "2026-03-29T02:30\n\nEurope/Madrid\nFREQ=MONTHLY;BYDAY=-1MO;UNTIL=20270101T000000Z\nEXDATE:20260427T023000",
        "2026-12-01\n2026-12-02\nAsia/Tokyo\nFREQ=YEARLY;INTERVAL=2\nRDATE:20261210",
        "2026-12-01T17:00:00Z\n\nUTC\nFREQ=DAILY;BYHOUR=9,17",
    ];
    let judge = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let mut parts = text.splitn(4, '\n');
        let mut next = || parts.next().unwrap_or_default();
        let (starts, ends, tz, rule) = (next(), next(), next(), next());
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (ends, tz) = (some(ends), some(tz));
        let when = When::resolve(Typed { starts, ends: ends.as_deref(), duration: None, tz: tz.as_deref(), tz_named: false });
        let rule = Rule::parse(rule);
        if let Ok(rule) = &rule {
            let again = Rule::parse(&rule.text().unwrap_or_default());
            assert!(again.is_ok_and(|again| again == *rule), "a rule that is kept is read again");
        }
        let (Ok(when), Ok(rule)) = (when, rule) else { return Verdict::Refused };
        let zone = jiff::tz::TimeZone::get(&when.tz).expect("a zone that was resolved has a name");
        let start = crate::calendar::parse_local(&when.starts_local).expect("a start that was resolved is a time");
        match rule.starts_from(start, &zone, start, 8) {
            Ok(starts) => {
                assert!(starts.len() <= 8 && starts.is_sorted(), "the next starts, in order");
                Verdict::Taken
            }
            Err(_) => Verdict::Refused,
        }
    };
    Prepared { samples: samples.iter().map(|text| text.as_bytes().to_vec()).collect(), judge: Box::new(judge) }
}

/// U1, U2 for any text: what is shown acts on no terminal, and showing it again changes nothing.
fn shown_of() -> Prepared {
    let samples = ["On-call", "a\u{1b}[2Jb", "abc\u{202e}txt.exe", "👩‍👩‍👦 ❤️", "نستعليق‌ها", "two\nlines\tand\r\nmore"];
    let judge = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let (line, block) = (clean::line(&text), clean::block(&text));
        assert!(!line.chars().any(char::is_control), "a control in a line");
        assert!(!block.chars().any(|c| c.is_control() && c != '\n'), "a control in a text");
        assert_eq!(clean::line(&line), line, "once is enough");
        let hidden = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}' | '\u{feff}');
        assert!(!line.chars().chain(block.chars()).any(hidden), "a letter that turns or hides others");
        Verdict::taken(line == text)
    };
    Prepared { samples: samples.iter().map(|text| text.as_bytes().to_vec()).collect(), judge: Box::new(judge) }
}
