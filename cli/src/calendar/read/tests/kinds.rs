//! Kinds of files that calendar programs get wrong, each read as its writer meant it, or named by its line.

use kith_protocol::control::NewEvent;

use super::super::*;
use crate::left_out::Weight;

fn file(parts: &str) -> Calendar {
    read(format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{parts}END:VCALENDAR\r\n").as_bytes(), "America/New_York").unwrap()
}

/// An event on line 3.
fn event(lines: &str) -> Calendar {
    file(&format!("BEGIN:VEVENT\r\nUID:u\r\nSUMMARY:Tea\r\n{lines}END:VEVENT\r\n"))
}

/// All that a person is told.
fn told(read: &Calendar) -> Vec<(usize, &str)> {
    let told = read.left.iter().filter(|left| left.weight != Weight::Minor);
    told.map(|left| (left.origin.line.unwrap(), left.why.as_str())).collect()
}

fn titles(read: &Calendar) -> Vec<&str> {
    read.events.iter().map(|incoming| incoming.event.title.as_str()).collect()
}

/// The days of the first starts.
fn days(read: &Calendar, at: usize, count: usize) -> Vec<String> {
    let series = crate::calendar::Series::of_new(&read.events[at].event).unwrap();
    let starts = series.rule.starts_from(series.start, &series.tz, series.start, count).unwrap();
    starts.iter().map(|start| start.strftime("%m-%d %H:%M").to_string()).collect()
}

#[test]
fn what_began_before_1970_begins_with_its_first_time_after() {
    let read = file(
        "BEGIN:VEVENT\nUID:a\nSUMMARY:Anniversary\nDTSTART;VALUE=DATE:19480229\nRRULE:FREQ=YEARLY\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:b\nSUMMARY:Moon\nDTSTART:19690720T201700Z\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:c\nSUMMARY:Five\nDTSTART:19680105T120000Z\nDTEND:19680105T130000Z\nRRULE:FREQ=YEARLY;COUNT=5\nEND:VEVENT\n",
    );
    assert_eq!(titles(&read), ["Anniversary", "Five"]);
    assert_eq!(read.events[0].event.starts_local, "1972-02-29");
    assert_eq!(read.events[1].event.rrule.as_deref(), Some("FREQ=YEARLY;COUNT=3"));
    assert_eq!(read.events[1].event.ends, "1970-01-05T13:00:00Z");
    assert_eq!(told(&read).iter().map(|(line, _)| *line).collect::<Vec<_>>(), [6, 12, 17]);
}

#[test]
fn several_calendars_and_loose_events_are_all_read() {
    let one = |uid: &str| format!("BEGIN:VEVENT\nUID:{uid}\nSUMMARY:{uid}\nDTSTART:20261205T100000Z\nEND:VEVENT\n");
    let text = format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n\nBEGIN:VCALENDAR\n{}END:VCALENDAR\n{}", one("a"), one("b"), one("c"));
    assert_eq!(titles(&read(text.as_bytes(), "UTC").unwrap()), ["a", "b", "c"]);
}

#[test]
fn a_broken_line_takes_nothing_with_it() {
    let read = file(
        "BEGIN:VEVENT\nUID:a\nSUMMARY:One\nDTSTART:20261205T100000Z\n=== merged ===\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:b\nSUMMARY:Two\nDTSTART:2026-12-99\nEND:VEVENT\nBEGIN:VEVENT\nUID:c\nSUMMARY:Three\nDTSTART:2026-12-06T09:30:00\nEND:VEVENT\n",
    );
    assert_eq!(titles(&read), ["One", "Three"]);
    assert_eq!(read.events[1].event.starts_local, "2026-12-06T09:30:00");
    let lines: Vec<usize> = told(&read).iter().map(|(line, _)| *line).collect();
    assert!(lines.contains(&7) && lines.contains(&9), "{:?}", told(&read));
}

#[test]
fn what_is_cut_is_named() {
    let tags: Vec<String> = (0..37).map(|n| format!("t{n}")).collect();
    let long = "x".repeat(1_200);
    let read =
        event(&format!("DTSTART:20261205T100000Z\r\nLOCATION:{long}\r\nCATEGORIES:{}\r\nSUMMARY:{long}\r\n", tags.join(",")));
    let event = &read.events[0].event;
    assert_eq!((event.location.len(), event.tags.len()), (1_000, 32));
    let told = told(&read);
    assert!(told.iter().any(|(line, part)| *line == 7 && part.contains("location of 1200")), "{told:?}");
    assert!(told.iter().any(|(line, part)| *line == 8 && part.contains("t32, t33, t34, t35, t36")), "{told:?}");
}

#[test]
fn days_are_dates_wherever_one_is() {
    let read = event(
        "DTSTART;VALUE=DATE:20270101T000000\r\nDTEND;VALUE=DATE:20270103T000000\r\nRRULE:FREQ=WEEKLY;UNTIL=20270115T000000Z\r\nEXDATE:20270108T000000Z\r\n",
    );
    let event = &read.events[0].event;
    assert_eq!((event.starts_local.as_str(), event.ends_local.as_str()), ("2027-01-01", "2027-01-03"));
    assert_eq!(days(&read, 0, 9), ["01-01 00:00", "01-15 00:00"]);
    let marked = event_of(
        "DTSTART;TZID=Europe/Madrid:20270101T000000\r\nDTEND;TZID=Europe/Madrid:20270102T000000\r\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE\r\n",
    );
    assert_eq!((marked.starts_local.as_str(), marked.ends_local.as_str()), ("2027-01-01", "2027-01-02"));
}

fn event_of(lines: &str) -> NewEvent {
    event(lines).events.remove(0).event
}

#[test]
fn zones_are_found_for_whole_calendars_too() {
    let read = file(
        "X-WR-TIMEZONE:Central European Standard Time\nBEGIN:VEVENT\nUID:u\nDTSTART:20261222T100000\nSUMMARY:Tea\nEND:VEVENT\n",
    );
    assert_eq!(
        (read.events[0].event.tz.as_str(), read.events[0].event.starts.as_str()),
        ("Europe/Warsaw", "2026-12-22T09:00:00Z")
    );
    let half = event_of("DTSTART;TZID=UTC+05:30:20261222T100000\r\nDTEND;TZID=UTC+05:30:20261222T110000\r\n");
    assert_eq!(
        (half.tz.as_str(), half.starts.as_str(), half.ends.as_str()),
        ("UTC", "2026-12-22T04:30:00Z", "2026-12-22T05:30:00Z")
    );
}

#[test]
fn an_end_without_a_zone_is_in_the_zone_of_the_start() {
    let read = event_of("DTSTART;TZID=Asia/Tokyo:20261222T100000\r\nDTEND:20261222T113000\r\n");
    assert_eq!((read.ends_local.as_str(), read.ends.as_str()), ("2026-12-22T11:30:00", "2026-12-22T02:30:00Z"));
}

#[test]
fn times_that_the_clocks_skip_are_named() {
    let read = event("DTSTART;TZID=America/New_York:20270314T021500\r\nDTEND;TZID=America/New_York:20270314T030000\r\n");
    let moved = &read.events[0].event;
    assert_eq!((moved.starts_local.as_str(), moved.ends_local.as_str()), ("2027-03-14T03:15:00", "2027-03-14T04:00:00"));
    assert!(told(&read)[0].1.contains("forward") && told(&read)[0].0 == 6);
    let series = event("DTSTART;TZID=America/New_York:20270314T021500\r\nDURATION:PT1H\r\nRRULE:FREQ=WEEKLY;COUNT=2\r\n");
    assert_eq!(series.events[0].event.starts_local, "2027-03-14T02:15:00", "the next ones are at 02:15");
    assert!(told(&event("DTSTART;TZID=America/New_York:20261101T013000\r\n"))[0].1.contains("twice"));
}

#[test]
fn weekdays_of_a_week_are_not_numbered() {
    let read = event("DTSTART:20261203T100000Z\r\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=2TH,-1SA;COUNT=3\r\n");
    assert_eq!(days(&read, 0, 9), ["12-03 10:00", "12-05 10:00", "12-17 10:00"]);
    assert!(told(&read)[0].1.contains("numbers"));
    let monthly = event("DTSTART:20261203T100000Z\r\nRRULE:FREQ=MONTHLY;BYDAY=1TH;COUNT=2\r\n");
    assert_eq!(days(&monthly, 0, 9), ["12-03 10:00", "01-07 10:00"]);
}

#[test]
fn a_change_of_all_later_times_splits_the_series() {
    let read = file(
        "BEGIN:VEVENT\nUID:s\nSUMMARY:Run\nDTSTART;TZID=Asia/Tokyo:20270104T070000\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=7\nEXDATE;TZID=Asia/Tokyo:20270113T070000\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:s\nSUMMARY:Run late\nRECURRENCE-ID;RANGE=THISANDFUTURE:20270110T220000Z\nDTSTART;TZID=Asia/Tokyo:20270112T210000\nEND:VEVENT\n",
    );
    assert_eq!(titles(&read), ["Run", "Run late"]);
    assert_eq!(days(&read, 0, 9), ["01-04 07:00", "01-06 07:00"]);
    assert_eq!(days(&read, 1, 9), ["01-12 21:00", "01-19 21:00", "01-21 21:00", "01-26 21:00"]);
    assert!(told(&read).iter().any(|(line, part)| *line == 10 && part.contains("later ones")), "{:?}", told(&read));
}

#[test]
fn of_two_with_one_id_the_newer_is_taken() {
    let one = |title: &str, sequence: u32| {
        format!("BEGIN:VEVENT\nUID:a\nSUMMARY:{title}\nSEQUENCE:{sequence}\nDTSTART:20261205T100000Z\nEND:VEVENT\n")
    };
    assert_eq!(titles(&file(&format!("{}{}", one("old", 1), one("new", 2)))), ["new"]);
    let read = file(&format!("{}{}", one("new", 2), one("old", 1)));
    assert_eq!((titles(&read), told(&read)[0].0), (vec!["new"], 9));
}

#[test]
fn answers_to_invitations_are_no_events() {
    let read = file("METHOD:REPLY\nBEGIN:VEVENT\nUID:a\nSUMMARY:Tea\nDTSTART:20261205T100000Z\nEND:VEVENT\n");
    assert!(read.events.is_empty() && told(&read)[0].1.contains("REPLY"));
}

#[test]
fn times_that_do_not_fit_are_named_by_their_line() {
    for (lines, end, line, word) in [
        ("DTSTART:20270105T100000Z\nDTEND:20270105T090000Z\n", "", 7, "before it starts"),
        ("DTSTART;VALUE=DATE:20270105\nDTEND;VALUE=DATE:20270103\n", "2027-01-06", 7, "before it starts"),
        ("DTSTART;VALUE=DATE:20270105\nDURATION:PT36H\n", "2027-01-07", 7, "lasts hours"),
        ("DTSTART;VALUE=DATE:20270105\nDURATION:PT45M\n", "2027-01-06", 7, "lasts hours"),
        ("DTSTART;VALUE=DATE:20270105\nDTEND:20270106T173000\n", "2027-01-07", 7, "ends at a time"),
        ("DTSTART:20270105T100000Z\nDTEND;VALUE=DATE:20270107\n", "2027-01-07T00:00:00", 7, "without a time"),
        ("DTSTART:20270105T225960Z\nDTEND:20270105T233000Z\n", "2027-01-05T23:30:00", 6, "leap second"),
        ("DTSTART:20270105T220000Z\nDTEND:20270105T235960Z\n", "2027-01-05T23:59:59", 7, "leap second"),
        ("DTSTART:20270105T220000Z\nDTEND:20270105T240000Z\n", "2027-01-06T00:00:00", 7, "24:00"),
    ] {
        let read = event(lines);
        assert_eq!(read.events[0].event.ends_local, end, "{lines}");
        assert!(told(&read).iter().any(|(at, part)| *at == line && part.contains(word)), "{lines}: {:?}", told(&read));
    }
    for lines in [
        "DTSTART;VALUE=DATE:20270105\nDURATION:PT24H\n",
        "DTSTART;VALUE=DATE:20270105\nDTEND;VALUE=DATE:20270105\n",
        "DTSTART:20270105T100000Z\nDTEND:20270105T100000Z\n",
    ] {
        assert!(told(&event(lines)).is_empty(), "{lines}");
    }
}

#[test]
fn times_without_seconds_are_times() {
    let read = event("DTSTART:20270105T1000Z\nDTEND:20270105t113000z\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20270106T1000Z\n");
    assert_eq!(
        (read.events[0].event.starts.as_str(), read.events[0].event.ends.as_str()),
        ("2027-01-05T10:00:00Z", "2027-01-05T11:30:00Z")
    );
    assert_eq!(days(&read, 0, 9), ["01-05 10:00", "01-07 10:00"]);
    assert!(told(&read).is_empty(), "{:?}", told(&read));
    let zoned = event_of("DTSTART;TZID=Asia/Tokyo:20270105T19\n");
    assert_eq!(zoned.starts_local, "2027-01-05T19:00:00");
}
