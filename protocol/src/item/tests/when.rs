//! Start, end, zone and rule of an event are one value: of several edits at once one holds as a whole, on every machine.

use proptest::prelude::*;

use super::*;
use crate::control::{EditEvent, EditItem, Event, NewEvent};

/// When an event is, as it is shown.
fn when(machine: &Machine, key: &ItemKey) -> (String, Option<String>, String, String, String, Option<String>) {
    let event: Event = machine.reader(|reader| shown_event(reader, key)).expect("an event");
    let text = |time: control::Time| time.0.to_string();
    (text(event.starts), event.ends.map(text), event.starts_local, event.ends_local, event.tz, event.rrule)
}

/// An edit of some of it; now and then of something else beside it.
fn edit() -> impl Strategy<Value = EditEvent> {
    let some = |text: String| Some(text);
    (0..5_u8, 1..28_u8, 8..20_u8, 1..4_u8, any::<bool>()).prop_map(move |(kind, day, hour, length, titled)| {
        let at = |hour: u8| format!("2027-03-{day:02}T{hour:02}:00:00");
        let mut edit = EditEvent { title: titled.then(|| format!("Circle {day}")), ..EditEvent::default() };
        match kind {
            0 => {
                edit.starts = some(format!("{}Z", at(hour)));
                edit.starts_local = some(at(hour));
                edit.ends = some(format!("{}Z", at(hour + length)));
                edit.ends_local = some(at(hour + length));
                edit.tz = some("UTC".to_owned());
            }
            1 => {
                edit.starts = some(format!("2027-03-{day:02}T00:00:00Z"));
                edit.starts_local = some(format!("2027-03-{day:02}"));
                edit.ends = some(String::new());
                edit.ends_local = some(String::new());
            }
            2 => {
                edit.ends = some(format!("{}Z", at(hour + length)));
                edit.ends_local = some(at(hour + length));
            }
            3 => edit.rrule = some(format!("FREQ=WEEKLY;COUNT={length}")),
            _ => {
                edit.tz = some("Asia/Tokyo".to_owned());
                edit.starts = some(format!("{}Z", at(hour)));
                edit.starts_local = some(at(hour + 3));
                edit.ends = some(String::new());
                edit.ends_local = some(String::new());
            }
        }
        edit
    })
}

/// Writes down what can be written: an end before the start is refused.
fn save(machine: &mut Machine, key: &ItemKey, wanted: &EditEvent) -> Vec<Opened> {
    let wanted = EditItem::Event(wanted.clone());
    let entries = machine.say(|reader, place, _| kinds::edit(reader, place, key, &wanted).map(|(entries, _)| entries));
    entries.map(|entries| machine.write(entries)).unwrap_or_default()
}

fn begin() -> (Machine, Machine, ItemKey) {
    let (mut amara, mut bea) = (Machine::new(AMARA), Machine::new(BEA));
    let new = NewEvent {
        title: "Circle".to_owned(),
        starts: "2027-03-10T18:00:00Z".to_owned(),
        ends: "2027-03-10T19:00:00Z".to_owned(),
        ..NewEvent::default()
    };
    let entry = amara.say(|_, place, rng| Ok(kinds::event::compose(place, rng, &new)?)).expect("an event");
    let opened = amara.write(vec![entry]);
    let _report = bea.take(&opened);
    (amara, bea, opened[0].item.key(&CIRCLE))
}

#[test]
fn a_moved_start_and_a_moved_end_make_no_event_that_ends_before_it_starts() {
    let (mut amara, mut bea, key) = begin();
    let later = EditEvent {
        starts: Some("2027-03-10T21:00:00Z".to_owned()),
        ends: Some("2027-03-10T22:00:00Z".to_owned()),
        ..EditEvent::default()
    };
    let longer = EditEvent { ends: Some("2027-03-10T20:00:00Z".to_owned()), ..EditEvent::default() };
    let theirs = save(&mut amara, &key, &later);
    let beas = save(&mut bea, &key, &longer);
    let each = [when(&amara, &key), when(&bea, &key)];
    let _reports = (amara.take(&beas), bea.take(&theirs));
    assert_eq!(when(&amara, &key), when(&bea, &key));
    assert!(each.contains(&when(&amara, &key)), "{:?}", when(&amara, &key));
}

#[test]
fn what_others_did_to_the_times_stays_where_only_the_rule_changes() {
    let (mut amara, mut bea, key) = begin();
    let base = bea.reader(|reader| shown_event(reader, &key)).expect("an event").base;
    let moved = EditEvent {
        starts: Some("2027-03-11T18:00:00Z".to_owned()),
        ends: Some("2027-03-11T19:00:00Z".to_owned()),
        ..EditEvent::default()
    };
    let theirs = save(&mut amara, &key, &moved);
    let _report = bea.take(&theirs);
    // Bea's command sends all of it, as it was when they looked.
    let weekly = EditEvent {
        base,
        starts: Some("2027-03-10T18:00:00Z".to_owned()),
        rrule: Some("FREQ=WEEKLY".to_owned()),
        ..EditEvent::default()
    };
    let _of_bea = save(&mut bea, &key, &weekly);
    let shown = when(&bea, &key);
    assert_eq!((shown.2.as_str(), shown.5.as_deref()), ("2027-03-11T18:00:00", Some("FREQ=WEEKLY")));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 60, ..Default::default() })]

    #[test]
    fn of_edits_at_once_one_holds_as_a_whole(
        ours in proptest::collection::vec(edit(), 1..4),
        theirs in proptest::collection::vec(edit(), 1..4),
    ) {
        let (mut amara, mut bea, key) = begin();
        let mut written: [Vec<Opened>; 2] = Default::default();
        for wanted in &ours {
            written[0].extend(save(&mut amara, &key, wanted));
        }
        for wanted in &theirs {
            written[1].extend(save(&mut bea, &key, wanted));
        }
        let each = [when(&amara, &key), when(&bea, &key)];
        let _reports = (amara.take(&written[1]), bea.take(&written[0]));
        let merged = when(&amara, &key);
        prop_assert_eq!(&merged, &when(&bea, &key));
        prop_assert!(each.contains(&merged), "{:?} is neither of {:?}", merged, each);
    }
}
