//! What is called off, and what is withdrawn, where times of a series have become events of their own.

use super::*;

const MOVED: &str = "SEQUENCE:1\nDTSTART;TZID=Asia/Tokyo:20270112T200000\n";
const COPY: &str = "s#20270111T100000Z";

fn cancel(parts: &str) -> String {
    format!("METHOD:CANCEL\n{parts}")
}

fn whole(more: &str) -> String {
    format!("BEGIN:VEVENT\nUID:s\nSUMMARY:Choir\n{more}END:VEVENT\n")
}

/// The series, with one time moved.
fn moved() -> Circle {
    let mut circle = Circle::default();
    circle.import(SERIES);
    circle.import(&other(":20270111T100000Z", MOVED));
    assert_eq!((circle.days("s").len(), circle.one(COPY).status), (4, EventStatus::Confirmed));
    circle
}

#[test]
fn a_moved_time_is_called_off() {
    for (method, at, more) in [
        (true, ":20270111T100000Z", "SEQUENCE:2\n"),
        (true, ";TZID=Asia/Tokyo:20270111T190000", "SEQUENCE:2\nDTSTART;TZID=Asia/Tokyo:20270112T200000\n"),
        (false, ":20270111T100000Z", "SEQUENCE:1\nSTATUS:CANCELLED\nDTSTART:20270112T110000Z\n"),
    ] {
        let mut circle = moved();
        let part = other(at, more);
        let file = if method { cancel(&part) } else { part };
        assert_eq!(circle.import(&file)[0].fields, ["status"], "{more}");
        assert_eq!((circle.one(COPY).status, circle.days("s").len()), (EventStatus::Cancelled, 4), "{more}");
        assert!(circle.import(&file).is_empty() && circle.told.is_empty(), "{:?}", circle.told);
        assert_eq!(circle.events.len(), 2);
    }
    let mut circle = moved();
    assert!(circle.import(&cancel(&other(":20270111T100000Z", "SEQUENCE:0\n"))).is_empty());
    assert!(circle.told[0].contains("what is here is newer"), "{:?}", circle.told);
    assert_eq!(circle.one(COPY).status, EventStatus::Confirmed);
}

#[test]
fn a_moved_time_without_its_series_is_called_off() {
    let mut circle = Circle::default();
    circle.import(&other(":20270111T100000Z", MOVED));
    assert_eq!(circle.import(&cancel(&other(":20270111T100000Z", "SEQUENCE:2\n"))).len(), 1);
    assert_eq!(circle.one(COPY).status, EventStatus::Cancelled);
    assert!(circle.told.is_empty(), "{:?}", circle.told);
}

#[test]
fn a_series_takes_its_moved_times_and_its_second_half_with_it() {
    let half = "s#20270125T100000Z";
    for file in [
        cancel(&whole("SEQUENCE:3\n")),
        whole(
            "SEQUENCE:3\nSTATUS:CANCELLED\nDTSTART;TZID=Asia/Tokyo:20270104T190000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY;COUNT=5\n",
        ),
    ] {
        let mut circle = moved();
        circle.import(&other(";RANGE=THISANDFUTURE:20270125T100000Z", "SEQUENCE:2\nDTSTART;TZID=Asia/Tokyo:20270125T210000\n"));
        assert_eq!((circle.days(half).len(), circle.events.len()), (2, 3));
        circle.import(&file);
        for uid in ["s", COPY, half] {
            assert_eq!(circle.one(uid).status, EventStatus::Cancelled, "{uid} of {file}");
        }
        assert!(circle.import(&file).is_empty(), "{file}");
    }
}

#[test]
fn all_later_times_are_called_off() {
    let mut circle = moved();
    let later = cancel(&other(";RANGE=THISANDFUTURE:20270111T100000Z", "SEQUENCE:2\n"));
    circle.import(&later);
    assert_eq!((circle.days("s"), circle.one(COPY).status), (vec!["01-04 19:00".to_owned()], EventStatus::Cancelled));
    assert!(circle.import(&later).is_empty() && circle.told.is_empty(), "{:?}", circle.told);
    let all = cancel(&other(";RANGE=THISANDFUTURE:20270104T100000Z", "SEQUENCE:3\n"));
    assert_eq!(circle.import(&all).len(), 1);
    assert_eq!(circle.one("s").status, EventStatus::Cancelled);
}

#[test]
fn a_newer_series_without_a_change_has_withdrawn_it() {
    for rrule in ["FREQ=WEEKLY;COUNT=5", "FREQ=WEEKLY;COUNT=6"] {
        let mut circle = moved();
        let series = SERIES.replace("FREQ=WEEKLY;COUNT=5", rrule).replace("SUMMARY", "SEQUENCE:2\nSUMMARY");
        circle.import(&series);
        assert!(circle.told.iter().any(|told| told.contains("back at its usual time")), "{:?}", circle.told);
        assert!(circle.days("s").contains(&"01-11 19:00".to_owned()), "{:?}", circle.days("s"));
        assert_eq!(circle.one(COPY).status, EventStatus::Cancelled);
        assert!(circle.import(&series).is_empty() && circle.told.is_empty(), "{:?}", circle.told);
    }
    // At another time of the day, too; and where the file tells of the change, it stays.
    let later = "SEQUENCE:2\nDTSTART;TZID=Asia/Tokyo:20270104T183000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY;COUNT=5\n";
    let mut circle = moved();
    circle.import(&whole(later));
    assert_eq!((circle.days("s").len(), circle.one(COPY).status), (5, EventStatus::Cancelled));
    let mut circle = moved();
    circle.import(&format!("{}{}", SERIES.replace("SUMMARY", "SEQUENCE:2\nSUMMARY"), other(":20270111T100000Z", MOVED)));
    assert_eq!((circle.days("s").len(), circle.one(COPY).status), (4, EventStatus::Confirmed));
}

#[test]
fn a_time_that_was_taken_out_here_stays_out_of_a_newer_series() {
    let mut circle = Circle::default();
    circle.import(SERIES);
    circle.import(&cancel(&other(":20270118T100000Z", "")));
    circle.import(&SERIES.replace("COUNT=5", "COUNT=7").replace("SUMMARY", "SEQUENCE:2\nSUMMARY"));
    assert_eq!((circle.days("s").len(), circle.days("s").contains(&"01-18 19:00".to_owned())), (6, false));
    assert!(circle.told[0].contains("2027-01-18"), "{:?}", circle.told);
}

#[test]
fn single_times_change_in_a_file_whose_series_is_no_newer() {
    let mut circle = Circle::default();
    circle.import(SERIES);
    let file = format!(
        "{SERIES}{}{}",
        other(":20270111T100000Z", MOVED),
        other(":20270118T100000Z", "STATUS:CANCELLED\nDTSTART:20270118T100000Z\n")
    );
    assert_eq!(circle.import(&file)[0].fields, ["times left out of the series"]);
    assert_eq!((circle.days("s").len(), circle.events.len()), (3, 2));
    assert!(circle.import(&file).is_empty());
    assert!(circle.told.iter().all(|told| !told.contains("differs")), "{:?}", circle.told);
    let off = other(":20270111T100000Z", "SEQUENCE:2\nSTATUS:CANCELLED\nDTSTART:20270111T100000Z\n");
    circle.import(&format!("{SERIES}{off}"));
    assert_eq!((circle.one(COPY).status, circle.days("s").len()), (EventStatus::Cancelled, 3));
}

#[test]
fn of_two_changes_of_one_time_the_newer_is_taken() {
    let mut circle = Circle::default();
    let off = other(";TZID=Asia/Tokyo:20270111T190000", "SEQUENCE:2\nSTATUS:CANCELLED\nDTSTART:20270111T100000Z\n");
    circle.import(&format!("{SERIES}{}{off}", other(":20270111T100000Z", MOVED)));
    assert_eq!((circle.days("s").len(), circle.events.len()), (4, 1));
    assert!(circle.told.iter().any(|told| told.contains("twice")), "{:?}", circle.told);
}
