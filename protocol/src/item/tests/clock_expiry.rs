//! No clock alone hides anything for good, or destroys anything.

use super::*;
use crate::control::ItemState;
use crate::item::kinds::tombstone;
use crate::limits::OVER_MILLIS;
use crate::time::DAY;

/// Chioma's note, kept for 30 days.
fn a_note() -> (Machine, ItemKey, Opened) {
    let mut chioma = Machine::new(CHIOMA);
    chioma.retention = Retention::Days(30);
    let (key, note) = chioma.note("On-call", "Long night.");
    (chioma, key, note)
}

fn state(machine: &Machine, key: &ItemKey) -> ItemState {
    machine.show(key).expect("a note").state
}

#[test]
fn a_clock_that_is_ahead_hides_and_brings_back_once_it_is_right() {
    let (mut chioma, key, _) = a_note();
    let right = chioma.now;
    chioma.now = right.plus(60 * DAY);
    assert!(chioma.tick_with(None, None).is_empty(), "a clock alone destroys nothing");
    assert_eq!((state(&chioma, &key), chioma.notes().len()), (ItemState::Expired, 0));
    assert_eq!(crate::item::listed(&chioma.store, &CIRCLE), Ok(0));
    assert!(crate::item::hidden(&chioma.store, &CIRCLE).is_ok_and(|hidden| hidden == Some((1, chioma.now))));
    chioma.now = right;
    chioma.with_tx(|tx, _| look_again(tx, true));
    assert!(chioma.tick_with(None, None).is_empty());
    assert_eq!((state(&chioma, &key), chioma.notes().len()), (ItemState::Visible, 1));
    assert_eq!(crate::item::listed(&chioma.store, &CIRCLE), Ok(1));
    assert_eq!(crate::item::hidden(&chioma.store, &CIRCLE), Ok(None));
    // It ends when its time has come.
    chioma.now = right.plus(30 * DAY);
    assert_eq!(chioma.tick().len(), 1);
}

#[test]
fn a_clock_that_was_behind_when_words_came_destroys_nothing_once_it_is_right() {
    let (chioma, key, note) = a_note();
    let mut bea = Machine::new(BEA);
    let right = chioma.now;
    bea.now = Millis(right.0 - 60 * DAY);
    let _report = bea.take(&[note]);
    bea.now = right.plus(HOUR);
    assert!(bea.tick_with(None, Some(right)).is_empty());
    assert_eq!((state(&bea, &key), bea.notes().len()), (ItemState::Visible, 1));
    bea.now = right.plus(30 * DAY);
    assert_eq!(bea.tick().len(), 1, "it ends in its time");
}

#[test]
fn a_deletion_holds_that_comes_when_all_of_it_is_over_by_one_clock() {
    let (mut chioma, key, note) = a_note();
    for at_once in [true, false] {
        let mut bea = Machine::new(BEA);
        let _report = bea.take(std::slice::from_ref(&note));
        let entries = chioma.say(|reader, place, rng| tombstone::remove(reader, place, rng, &key, at_once)).expect("their own");
        let tombstones: Vec<Opened> = entries.into_iter().map(|entry| chioma.seal(entry)).collect();
        bea.now = bea.now.plus(40 * DAY);
        assert!(bea.tick_with(None, None).is_empty());
        assert_eq!(state(&bea, &key), ItemState::Expired);
        let destroyed = bea.take(&tombstones).destroy;
        if at_once {
            assert_eq!(destroyed, [note.at], "its author wants it gone at once");
        } else {
            assert_eq!((destroyed, state(&bea, &key)), (Vec::new(), ItemState::Removed));
            bea.now = bea.now.plus(DAY);
            assert!(bea.tick_with(None, None).contains(&note.at), "in a day, not in a week");
        }
    }
}

#[test]
fn a_clock_that_is_by_itself_has_to_say_so_for_a_week() {
    let (mut chioma, key, note) = a_note();
    chioma.now = chioma.now.plus(31 * DAY);
    assert!(chioma.tick_with(None, None).is_empty());
    let due = crate::item::next_due(&chioma.store).expect("reads");
    assert_eq!(due, Some(chioma.now.plus(OVER_MILLIS)), "looked at again in a week");
    chioma.now = chioma.now.plus(6 * DAY);
    assert!(chioma.tick_with(None, None).is_empty());
    // Set back by two days, and the note is over still: the week begins again.
    chioma.now = Millis(chioma.now.0 - 2 * DAY);
    chioma.with_tx(|tx, _| look_again(tx, true));
    assert!(chioma.tick_with(None, None).is_empty());
    chioma.now = chioma.now.plus(OVER_MILLIS - 1);
    assert!(chioma.tick_with(None, None).is_empty());
    chioma.now = chioma.now.plus(1);
    assert_eq!(chioma.tick_with(None, None), [note.at]);
    assert_eq!(state(&chioma, &key), ItemState::Expired);
    assert!(chioma.tick_with(None, None).is_empty() && crate::item::next_due(&chioma.store) == Ok(None));
}

#[test]
fn what_others_say_is_enough_once_it_passes_the_end() {
    let (mut chioma, _, note) = a_note();
    let end = note_end(&note);
    chioma.now = end.plus(DAY);
    assert!(chioma.tick_with(None, Some(Millis(end.0 - 1))).is_empty());
    chioma.with_tx(|tx, _| look_again(tx, false));
    assert_eq!(chioma.tick_with(None, Some(end)), [note.at]);
}

fn note_end(note: &Opened) -> Millis {
    let label = crate::item::edit::Edit::label(note.payload.as_deref().expect("kept")).expect("an edit");
    label.plus(30 * DAY)
}

#[test]
fn what_somebody_whose_clock_is_behind_writes_is_as_young_as_what_they_knew() {
    let (mut chioma, mut bea) = (Machine::new(CHIOMA), Machine::new(BEA));
    let right = chioma.now;
    (chioma.now, chioma.retention) = (Millis(right.0 - 3 * 365 * DAY), Retention::Days(30));
    let (key, note) = chioma.note("Behind", "by three years");
    bea.now = right.plus(HOUR);
    assert!(bea.take(std::slice::from_ref(&note)).destroy.is_empty());
    assert!(bea.tick_with(Some(right), Some(bea.now)).is_empty());
    assert_eq!((state(&bea, &key), bea.notes().len()), (ItemState::Visible, 1));
    assert!(bea.notes()[0].clock_skewed, "the date that is shown is wrong");
    // A change of it, and time, change nothing about that.
    chioma.now = Millis(right.0 - 3 * 365 * DAY + HOUR);
    let edits = chioma.edit_body(&key, "by three years, still");
    assert!(bea.take(&edits).destroy.is_empty());
    bea.now = right.plus(29 * DAY);
    assert!(bea.tick().is_empty());
    assert_eq!(bea.notes().len(), 1);
    bea.now = right.plus(30 * DAY);
    assert_eq!(bea.tick().len(), 2);
    assert!(bea.notes().is_empty());
}

#[test]
fn a_label_that_lies_ahead_keeps_nothing_longer() {
    let (mut chioma, mut bea) = (Machine::new(CHIOMA), Machine::new(BEA));
    let right = chioma.now;
    (chioma.now, chioma.retention) = (right.plus(100 * 365 * DAY), Retention::Days(30));
    let (_, note) = chioma.note("Ahead", "by a century");
    bea.now = right;
    assert!(bea.take(std::slice::from_ref(&note)).destroy.is_empty());
    assert_eq!(bea.notes().len(), 1);
    bea.now = right.plus(30 * DAY);
    assert_eq!(bea.tick(), [note.at]);
}

#[test]
fn a_deletion_does_not_wait_for_other_clocks() {
    let (mut chioma, key, note) = a_note();
    chioma.now = chioma.now.plus(31 * DAY);
    assert!(chioma.tick_with(None, None).is_empty());
    let gone = chioma.say(|reader, place, rng| kinds::tombstone::remove(reader, place, rng, &key, true));
    assert!(gone.is_ok_and(|gone| gone.len() == 1 && chioma.write(gone).len() == 1), "what is hidden can be deleted");
    assert!(chioma.log.0.borrow()[&note.at].payload.is_none());
    assert_eq!(crate::item::hidden(&chioma.store, &CIRCLE), Ok(None));
}

#[test]
fn a_deletion_by_somebody_whose_clock_is_behind_holds() {
    let (mut chioma, mut bea) = (Machine::new(CHIOMA), Machine::new(BEA));
    let right = chioma.now;
    chioma.retention = Retention::Days(30);
    let (key, note) = chioma.note("Deleted", "with a wrong clock");
    chioma.now = Millis(right.0 - 3 * 365 * DAY);
    let gone = chioma.say(|reader, place, rng| kinds::tombstone::remove(reader, place, rng, &key, false)).expect("their own");
    let gone = chioma.write(gone);
    bea.now = right.plus(HOUR);
    assert!(bea.take(&[vec![note.clone()], gone].concat()).destroy.is_empty());
    assert!(bea.tick_with(Some(right), Some(bea.now)).is_empty());
    assert_eq!((state(&bea, &key), bea.notes().len()), (ItemState::Removed, 0));
    bea.now = bea.now.plus(DAY);
    assert_eq!(bea.tick(), [note.at], "a day later, and not before");
}
