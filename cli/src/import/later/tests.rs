//! Files that come one after the other, for the same events.

use serde_json::json;

use super::*;
use crate::calendar::Series;
use crate::import::calendar;

mod off;

/// What a circle holds, and what its people were told.
#[derive(Default)]
struct Circle {
    events: Vec<Event>,
    told: Vec<String>,
}

/// When everything here was written.
const WRITTEN: &str = "2026-11-20T12:00:00Z";

impl Circle {
    /// Imports a file of these parts; what changed.
    fn import(&mut self, parts: &str) -> Vec<Update> {
        let file = format!("BEGIN:VCALENDAR\n{parts}END:VCALENDAR\n");
        let mut haul = calendar::haul(file.as_bytes(), "Europe/Madrid").unwrap().checked();
        let updates = haul.updates(&self.events);
        for update in &updates {
            self.edit(&update.id, &update.edit);
        }
        for found in &haul.found {
            let BatchItem::Event(new) = &found.item else { panic!("an event") };
            if self.events.iter().all(|event| event.uid != new.uid) {
                self.add(new);
            }
        }
        self.told = haul.left_out.iter().filter(|left| left.weight != Weight::Minor).map(|left| left.why.clone()).collect();
        updates
    }

    fn add(&mut self, new: &NewEvent) {
        let event = json!({
            "id": format!("e-{}", self.events.len()), "circle": "c-1", "title": new.title, "description": new.description,
            "starts": new.starts, "ends": (!new.ends.is_empty()).then_some(&new.ends), "starts_local": new.starts_local,
            "ends_local": new.ends_local, "all_day": new.starts_local.len() == 10, "tz": new.tz, "rrule": new.rrule,
            "location": new.location, "status": new.status.unwrap_or(EventStatus::Confirmed),
            "rsvp": { "yes": 0, "no": 0, "maybe": 0, "mine": null }, "author": { "member": "m-1", "name": "Amara" },
            "created_at": WRITTEN, "edited_at": null, "uid": new.uid, "sequence": new.sequence, "tags": new.tags,
            "state": "visible", "delivery": null, "new": false,
        });
        self.events.push(serde_json::from_value(event).expect("an event"));
    }

    fn edit(&mut self, id: &str, edit: &EditEvent) {
        let event = self.events.iter_mut().find(|event| event.id == id).expect("it is here");
        let mut value = serde_json::to_value(&*event).expect("JSON");
        let wanted = serde_json::to_value(edit).expect("JSON");
        for (name, wanted) in wanted.as_object().expect("an object").iter().filter(|(_, wanted)| !wanted.is_null()) {
            let gone = matches!(name.as_str(), "ends" | "rrule") && wanted == "";
            value[name] = if gone { serde_json::Value::Null } else { wanted.clone() };
        }
        *event = serde_json::from_value(value).expect("an event");
    }

    fn one(&self, uid: &str) -> &Event {
        self.events.iter().find(|event| event.uid == uid).expect("it is here")
    }

    fn days(&self, uid: &str) -> Vec<String> {
        let series = Series::of(self.one(uid)).expect("a series");
        let starts = series.rule.starts_from(series.start, &series.tz, series.start, 20).expect("it counts");
        starts.iter().map(|start| start.strftime("%m-%d %H:%M").to_string()).collect()
    }
}

fn meeting(more: &str) -> String {
    format!("BEGIN:VEVENT\nUID:m\nSUMMARY:Supper\n{more}END:VEVENT\n")
}

const SERIES: &str = "BEGIN:VEVENT\nUID:s\nSUMMARY:Choir\nDTSTART;TZID=Asia/Tokyo:20270104T190000\nDURATION:PT2H\n\
    RRULE:FREQ=WEEKLY;COUNT=5\nEND:VEVENT\n";

fn other(at: &str, more: &str) -> String {
    format!("BEGIN:VEVENT\nUID:s\nSUMMARY:Choir\nRECURRENCE-ID{at}\n{more}END:VEVENT\n")
}

#[test]
fn a_higher_sequence_moves_and_calls_off() {
    let mut circle = Circle::default();
    let first = meeting("SEQUENCE:1\nDTSTART:20270105T180000Z\nDTEND:20270105T190000Z\nLOCATION:Kitchen\n");
    assert!(circle.import(&first).is_empty());
    let second = meeting("SEQUENCE:4\nDTSTART:20270106T183000Z\nDTEND:20270106T193000Z\nLOCATION:Garden\n");
    assert_eq!(circle.import(&second)[0].fields, ["time", "location"]);
    let moved = circle.one("m");
    assert_eq!((moved.starts_local.as_str(), moved.location.as_str(), moved.sequence), ("2027-01-06T18:30:00", "Garden", 4));
    assert!(circle.import(&second).is_empty() && circle.told.is_empty(), "{:?}", circle.told);
    // The old file again says something else, and changes nothing.
    assert!(circle.import(&first).is_empty());
    assert!(circle.told[0].contains("differs from what is here (time, location)"), "{:?}", circle.told);
    let cancel = format!("METHOD:CANCEL\n{}", meeting("SEQUENCE:5\n"));
    assert_eq!(circle.import(&cancel).len(), 1);
    assert_eq!(circle.one("m").status, EventStatus::Cancelled);
    assert!(circle.import(&cancel).is_empty() && circle.told.is_empty());
    assert_eq!(circle.events.len(), 1);
}

#[test]
fn where_nobody_counts_the_later_change_holds() {
    let mut circle = Circle::default();
    circle.import(&meeting("DTSTART:20270105T180000Z\nLAST-MODIFIED:20261101T000000Z\n"));
    assert!(circle.import(&meeting("DTSTART:20270105T200000Z\nLAST-MODIFIED:20261119T000000Z\n")).is_empty(), "written before");
    assert!(circle.told[0].contains("not newer"), "{:?}", circle.told);
    assert_eq!(circle.import(&meeting("DTSTART:20270105T200000Z\nLAST-MODIFIED:20261121T000000Z\n")).len(), 1);
    assert_eq!(circle.one("m").starts_local, "2027-01-05T20:00:00");
}

#[test]
fn one_time_of_a_series_is_called_off() {
    let mut circle = Circle::default();
    circle.import(SERIES);
    let cancelled = other(";TZID=Asia/Tokyo:20270111T190000", "STATUS:CANCELLED\nDTSTART;TZID=Asia/Tokyo:20270111T190000\n");
    assert_eq!(circle.import(&cancelled).len(), 1);
    let left = ["01-04 19:00", "01-18 19:00", "01-25 19:00", "02-01 19:00"];
    assert_eq!(circle.days("s"), left);
    assert!(circle.import(&cancelled).is_empty());
    // The series as it was published first does not bring the time back.
    assert!(circle.import(SERIES).is_empty() && circle.told.is_empty(), "{:?}", circle.told);
    assert_eq!((circle.days("s"), circle.events.len()), (left.map(str::to_owned).to_vec(), 1));
    // In UTC, by an invitation that is called off.
    let later = format!("METHOD:CANCEL\n{}", other(":20270118T100000Z", ""));
    assert_eq!(circle.import(&later).len(), 1);
    assert_eq!(circle.days("s").len(), 3);
}

#[test]
fn one_time_of_a_series_moves_and_moves_again() {
    let mut circle = Circle::default();
    circle.import(SERIES);
    let moved = other(":20270111T100000Z", "SEQUENCE:1\nDTSTART;TZID=Asia/Tokyo:20270112T200000\n");
    assert_eq!(circle.import(&moved).len(), 1);
    assert_eq!((circle.days("s").len(), circle.events.len()), (4, 2));
    assert_eq!(circle.one("s#20270111T100000Z").starts_local, "2027-01-12T20:00:00");
    assert!(circle.import(&moved).is_empty());
    let again = other(";TZID=Asia/Tokyo:20270111T190000", "SEQUENCE:2\nDTSTART;TZID=Asia/Tokyo:20270113T200000\n");
    assert_eq!(circle.import(&again)[0].fields, ["time"]);
    assert_eq!((circle.one("s#20270111T100000Z").starts_local.as_str(), circle.events.len()), ("2027-01-13T20:00:00", 2));
}

#[test]
fn all_later_times_move_once() {
    let mut circle = Circle::default();
    circle.import(SERIES);
    let later = other(";RANGE=THISANDFUTURE:20270118T100000Z", "DTSTART;TZID=Asia/Tokyo:20270118T210000\n");
    for _ in 0..2 {
        circle.import(&later);
        assert_eq!(circle.days("s"), ["01-04 19:00", "01-11 19:00"]);
        assert_eq!(circle.days("s#20270118T100000Z"), ["01-18 21:00", "01-25 21:00", "02-01 21:00"]);
        assert_eq!(circle.events.len(), 2);
    }
    // A time of the second half is found there.
    let off = other(":20270125T120000Z", "STATUS:CANCELLED\nDTSTART:20270125T120000Z\n");
    circle.import(&off);
    assert_eq!(circle.days("s#20270118T100000Z"), ["01-18 21:00", "02-01 21:00"]);
}

#[test]
fn what_is_not_here_is_named() {
    let mut circle = Circle::default();
    circle.import(&format!("METHOD:CANCEL\n{}", meeting("")));
    assert!(circle.told[0].contains("is not here") && circle.events.is_empty());
    circle.import(&other(":20270118T100000Z", "STATUS:CANCELLED\nDTSTART:20270118T100000Z\n"));
    assert!(circle.told[0].contains("is not here") && circle.events.is_empty());
    circle.import(&other(":20270118T100000Z", "DTSTART:20270118T120000Z\n"));
    assert_eq!(circle.events.len(), 1);
}
