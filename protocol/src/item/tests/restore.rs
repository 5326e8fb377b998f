//! What is deleted comes back within a day, by the one who deleted it, and not afterwards.

use super::change::remove;
use super::*;
use crate::control::{Code, ItemState, NewReply};
use crate::item::edit::{Edit, Op, Value};
use crate::item::kind::{Kind, fields};
use crate::limits::{DESTROY_MILLIS, MARKS};
use crate::time::DAY;

fn restore(machine: &mut Machine, key: &ItemKey) -> Result<Vec<Opened>, control::Error> {
    let entries = machine.say(|reader, place, _| kinds::tombstone::restore(reader, place, key))?;
    Ok(machine.write(entries))
}

fn state(machine: &Machine, key: &ItemKey) -> ItemState {
    machine.show(key).expect("a note").state
}

#[test]
fn a_note_comes_back_with_its_replies_and_its_words_are_found_again() {
    let (mut amara, mut bea) = (Machine::new(AMARA), Machine::new(BEA));
    let (key, note) = amara.note("On-call", "Three nights.");
    let _report = bea.take(&[note]);
    let new = NewReply { body: "I am here.".to_owned(), content_warning: None };
    let reply = bea.say(|reader, place, rng| kinds::reply::compose(reader, place, rng, &key, &new)).expect("a reply");
    let reply = bea.write(vec![reply]);
    let _report = amara.take(&reply);
    let (found, due) = (amara.indexed(), crate::item::next_due(&amara.store).expect("reads"));
    let tombstone = remove(&mut amara, &key, false).expect("their own");
    let _report = bea.take(&tombstone);
    assert_eq!((state(&amara, &key), state(&bea, &key)), (ItemState::Removed, ItemState::Removed));
    assert_ne!(amara.indexed(), found);
    amara.now = amara.now.plus(DESTROY_MILLIS - HOUR);
    let lifted = restore(&mut amara, &key).expect("within the day");
    let _report = bea.take(&lifted);
    for machine in [&mut amara, &mut bea] {
        machine.now = machine.now.plus(10 * DAY);
        machine.tick();
        let shown = machine.show(&key).expect("a note");
        assert_eq!((shown.body.as_deref(), shown.replies.len()), (Some("Three nights."), 1));
    }
    assert_eq!((amara.indexed(), crate::item::next_due(&amara.store).expect("reads")), (found, due));
    // It may be deleted again, and that holds.
    let again = remove(&mut amara, &key, false).expect("their own");
    assert_eq!(again.len(), 1);
    let _report = bea.take(&again);
    bea.now = bea.now.plus(DESTROY_MILLIS + 1);
    assert!(!bea.tick().is_empty(), "the bytes go a day after the second deletion");
}

#[test]
fn after_the_day_nothing_comes_back() {
    let mut amara = Machine::new(AMARA);
    let (key, _) = amara.note("On-call", "Three nights.");
    assert_eq!(restore(&mut amara, &key).expect_err("it is there").code, Code::Usage);
    remove(&mut amara, &key, false).expect("their own");
    amara.now = amara.now.plus(DESTROY_MILLIS);
    assert_eq!(restore(&mut amara, &key).expect_err("the day is over").code, Code::NotFound);
    amara.tick();
    assert_eq!(restore(&mut amara, &key).expect_err("the bytes are gone").code, Code::NotFound);
    let (other, _) = amara.note("a", "b");
    remove(&mut amara, &other, true).expect("their own");
    assert_eq!(restore(&mut amara, &other).expect_err("destroyed at once").code, Code::NotFound);
}

#[test]
fn what_was_destroyed_here_stays_deleted_when_it_is_taken_back_elsewhere() {
    let (mut amara, mut bea) = (Machine::new(AMARA), Machine::new(BEA));
    let (key, note) = amara.note("On-call", "Three nights.");
    let tombstone = remove(&mut amara, &key, false).expect("their own");
    let _report = bea.take(&[vec![note], tombstone].concat());
    let lifted = restore(&mut amara, &key).expect("within the day");
    bea.now = bea.now.plus(DESTROY_MILLIS);
    bea.tick();
    let _report = bea.take(&lifted);
    assert_eq!(state(&bea, &key), ItemState::Removed);
    assert!(bea.notes().is_empty() && bea.indexed().is_empty());
}

#[test]
fn nobody_brings_back_what_somebody_else_deleted() {
    let (mut amara, mut bea, mut chioma) = (Machine::new(AMARA), Machine::new(BEA), Machine::new(CHIOMA));
    let (key, note) = chioma.note("On-call", "Three nights.");
    for machine in [&mut amara, &mut bea] {
        let _report = machine.take(std::slice::from_ref(&note));
    }
    // The founder destroys a member's note: its author cannot undo that, and a facilitator neither.
    let by_founder = remove(&mut amara, &key, false).expect("the founder may");
    for machine in [&mut bea, &mut chioma] {
        let _report = machine.take(&by_founder);
        assert_eq!(restore(machine, &key).expect_err("not theirs").code, Code::NotAllowed);
    }
    // A changed program writes it all the same: everybody else sets it aside.
    let edit = Edit {
        version: 1,
        at: by_founder[0]
            .payload
            .as_deref()
            .map(|bytes| Edit::parse(bytes, Kind::Tombstone).expect("reads").at.plus(1))
            .expect("a label"),
        about: None,
        deps: vec![by_founder[0].id],
        names: Vec::new(),
        ops: vec![Op::Set(fields::OFF, Value::Flag(true))],
    };
    let mut forged = by_founder[0].clone();
    forged.chain.device = DeviceId([CHIOMA; 32]);
    (forged.at, forged.id, forged.payload) =
        (EntryAt { chain: 99, seq: 1 }, EntryId([99; 32]), Some(crate::codec::encode(&edit)));
    assert!(matches!(bea.take(&[forged]).outcomes[..], [Outcome::SetAside(_)]));
    assert_eq!(state(&bea, &key), ItemState::Removed);
    // The founder takes it back; but not the author's own deletion beside it.
    let by_author = remove(&mut chioma, &key, false).expect("removed already");
    assert!(by_author.is_empty(), "one deletion is enough");
    let lifted = restore(&mut amara, &key).expect("their own deletion");
    for machine in [&mut bea, &mut chioma] {
        let _report = machine.take(&lifted);
        assert_eq!(state(machine, &key), ItemState::Visible);
    }
}

#[test]
fn an_author_who_deletes_and_takes_back_often_does_not_undo_the_founders_deletion() {
    let (mut amara, mut bea, mut chioma) = (Machine::new(AMARA), Machine::new(BEA), Machine::new(CHIOMA));
    let (key, note) = chioma.note("On-call", "Three nights.");
    let _report = amara.take(std::slice::from_ref(&note));
    let mut many = vec![note];
    for _ in 0..=MARKS {
        many.extend(remove(&mut chioma, &key, false).expect("their own"));
        many.extend(restore(&mut chioma, &key).expect("within the day"));
    }
    amara.now = amara.now.plus(HOUR);
    many.extend(remove(&mut amara, &key, false).expect("the founder may"));
    let _report = bea.take(&many);
    assert_eq!(state(&bea, &key), ItemState::Removed);
    bea.now = amara.now.plus(DESTROY_MILLIS + 1);
    assert!(!bea.tick().is_empty(), "the bytes go a day later");
}

#[test]
fn a_deletion_that_is_taken_back_late_or_was_to_be_at_once_holds() {
    let (mut amara, mut bea) = (Machine::new(AMARA), Machine::new(BEA));
    let (key, note) = amara.note("On-call", "Three nights.");
    let tombstone = remove(&mut amara, &key, false).expect("their own");
    let lifted = restore(&mut amara, &key).expect("within the day");
    // The same, labeled as a day later.
    let mut late = lifted[0].clone();
    let mut edit = Edit::parse(late.payload.as_deref().expect("bytes"), Kind::Tombstone).expect("reads");
    edit.at = edit.at.plus(DESTROY_MILLIS);
    late.payload = Some(crate::codec::encode(&edit));
    let _report = bea.take(&[vec![note.clone()], tombstone, vec![late]].concat());
    assert_eq!(state(&bea, &key), ItemState::Removed);
    // One that says "at once" in any of its edits, whatever the others say, in any order.
    let mut chioma = Machine::new(CHIOMA);
    let _report = chioma.take(&[note]);
    let mut now = lifted[0].clone();
    let mut edit = Edit::parse(now.payload.as_deref().expect("bytes"), Kind::Tombstone).expect("reads");
    edit.ops.push(Op::Set(fields::NOW, Value::Flag(true)));
    now.payload = Some(crate::codec::encode(&edit));
    let _report = chioma.take(&[now]);
    let tombstone = amara.log.0.borrow().values().find(|entry| entry.kind == Kind::Tombstone.number()).cloned().expect("it");
    let report = chioma.take(&[tombstone]);
    assert!(!report.destroy.is_empty(), "destroyed at once");
}
