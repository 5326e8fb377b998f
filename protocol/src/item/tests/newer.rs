//! What a newer program writes, on a machine that does not know it yet.

use super::*;
use crate::circle::body::KeyClass;
use crate::codec;
use crate::control::EditNote;
use crate::control::{EditItem, Kind};
use crate::id::ItemId;
use crate::item::edit::{Edit, Op, Value};
use crate::item::kind::fields;
use crate::item::row::{Tag, local};
use crate::limits;
use crate::store::Table;
use crate::time::DAY;

const OTHER: u8 = 77;

fn entry(creator: u8, nonce: u8, kind: u8, edit: &Edit) -> NewEntry {
    let item = ItemId { creator: person(creator), nonce: [nonce; 16] };
    NewEntry { class: KeyClass::Talk, kind, item, retention: Retention::Keep, payload: codec::encode(edit) }
}

/// A note with something before and behind its text that only a newer program knows.
fn note() -> Edit {
    let words = |field, words: &str| Op::Insert(field, None, words.to_owned().into());
    let more = codec::decode(&[0x82, 0x01, 0x02], "value").expect("a value");
    let ops = vec![words(OTHER, "elsewhere"), words(fields::BODY, "one two"), Op::Set(99, Value::Unknown(more))];
    Edit::opening(START, None, ops)
}

fn newer(machine: &Machine) -> (u64, u64) {
    let health = crate::item::health(&machine.store, &CIRCLE).expect("counts");
    (health.newer, health.refused)
}

#[test]
fn what_is_known_of_an_item_shows_and_the_rest_is_counted_and_stays() {
    let (mut chioma, mut bea) = (Machine::new(CHIOMA), Machine::new(BEA));
    let said = chioma.seal(entry(CHIOMA, 1, Kind::Note.number(), &note()));
    let key = said.item.key(&CIRCLE);
    for machine in [&mut chioma, &mut bea] {
        let _report = machine.take(std::slice::from_ref(&said));
        assert_eq!(machine.show(&key).expect("a note").body.as_deref(), Some("one two"));
        assert_eq!(newer(machine), (1, 0));
    }
    // A change of it names its characters, of which the newer program's own are counted first.
    let wanted = EditNote { body: Some("one and two".to_owned()), ..EditNote::default() };
    let change = |reader: &ItemReader<'_>, place: &ComposeContext| kinds::edit(reader, place, &key, &EditItem::Note(wanted));
    let edits = chioma.say(|reader, place, _| change(reader, place)).expect("their own").0;
    let edits = chioma.write(edits);
    let _report = bea.take(&edits);
    assert_eq!(bea.show(&key).expect("a note").body.as_deref(), Some("one and two"));
    assert_eq!((newer(&bea), newer(&chioma)), ((1, 0), (1, 0)));
}

#[test]
fn kinds_forms_and_decisions_that_are_not_known_are_set_aside_and_counted() {
    let (mut chioma, mut bea) = (Machine::new(CHIOMA), Machine::new(BEA));
    let plain = Edit::opening(START, None, vec![Op::Insert(fields::BODY, None, "words".to_owned().into())]);
    let later = Edit { version: 2, ..plain.clone() };
    let all = [
        chioma.seal(entry(CHIOMA, 1, 40, &plain)),
        chioma.seal(entry(CHIOMA, 1, 40, &note())),
        chioma.seal(entry(CHIOMA, 2, Kind::Note.number(), &later)),
    ];
    let report = bea.take(&all);
    assert!(report.outcomes.iter().all(|outcome| matches!(outcome, Outcome::Newer(_))), "{:?}", report.outcomes);
    assert_eq!(newer(&bea), (2, 0), "two items");
    // Nobody who is out can make it look as if something were missing here.
    let out = chioma.seal(entry(CHIOMA, 3, 40, &plain));
    let report = bea.take_as(std::slice::from_ref(&out), |_| None, true);
    assert!(matches!(report.outcomes[..], [Outcome::SetAside(_)]));
    // An entry whose heads are not understood yet means nothing, whatever it says.
    let unread = chioma.seal(entry(CHIOMA, 4, Kind::Note.number(), &plain));
    let writer = Writer { person: person(0), judged: false, role: None, me: false, standing: true };
    let report = bea.with_tx(|tx, ports| apply(tx, ports, &CIRCLE, &[(writer, &unread)]));
    assert!(matches!(report.outcomes[..], [Outcome::Newer(_)]));
    assert_eq!((newer(&bea), bea.notes().len()), ((3, 1), 0));
}

#[test]
fn with_the_item_goes_what_was_not_understood_of_it() {
    let (mut chioma, mut bea) = (Machine::new(CHIOMA), Machine::new(BEA));
    let said = chioma.seal(entry(CHIOMA, 1, Kind::Note.number(), &note()));
    let also = chioma.seal(entry(CHIOMA, 1, 40, &note()));
    let key = said.item.key(&CIRCLE);
    for machine in [&mut chioma, &mut bea] {
        let _report = machine.take(&[said.clone(), also.clone()]);
    }
    let gone = chioma.say(|reader, place, rng| kinds::tombstone::remove(reader, place, rng, &key, false)).expect("their own");
    let gone = chioma.write(gone);
    let _report = bea.take(&gone);
    bea.now = bea.now.plus(2 * DAY).plus(limits::DESTROY_MILLIS);
    let destroyed = bea.tick();
    assert!(destroyed.contains(&said.at) && destroyed.contains(&also.at), "{destroyed:?}");
    assert_eq!(newer(&bea).0, 0);
    assert!(bea.store.get(Table::Local, &local::newer(Tag::of(&CIRCLE), &key)).expect("reads").is_none());
    // What comes late of it is destroyed, and counts no more.
    let late = chioma.seal(entry(CHIOMA, 1, 41, &note()));
    assert_eq!(bea.take(std::slice::from_ref(&late)).destroy, [late.at]);
    assert_eq!(newer(&bea).0, 0);
}
