#![allow(clippy::indexing_slicing, clippy::expect_used, reason = "a test that fails may panic")]

use proptest::prelude::*;

use super::*;
use crate::id::PersonId;
use crate::item::fields::view_of_one;
use crate::item::kind::fields as f;

fn quick(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn note(title: &str, body: &str) -> Edit {
    let ops = vec![Op::Set(f::TITLE, Value::text(title)), Op::Insert(f::BODY, None, Private(body.to_owned()))];
    Edit::opening(Millis(1_795_359_600_000), None, ops)
}

#[test]
fn frozen_bytes_of_a_note() {
    let bytes = codec::encode(&note("On-call", "Three nights."));
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hex,
        "86011b000001a203c56d80f68080828300006\
         74f6e2d63616c6c840101f66d5468726565206e69676874732e"
    );
    let edit = Edit::parse(&bytes, Kind::Note).expect("a note");
    assert_eq!(view_of_one(&edit).words(f::BODY), "Three nights.");
}

#[test]
fn every_kind_of_operation_survives_a_round_trip() {
    let ids = [EntryId([1; 32]), EntryId([2; 32])];
    let place = CharacterId { entry: 1, counter: 7 };
    let ops = vec![
        Op::Set(f::TITLE, Value::None),
        Op::Insert(f::BODY, Some(place), Private("x".to_owned())),
        Op::Delete(f::BODY, place, 3),
        Op::Add(f::TAGS, Private("a".to_owned())),
        Op::Remove(f::TAGS, Private("b".to_owned())),
    ];
    let edit = Edit { version: VERSION, at: Millis(1), about: None, deps: ids.to_vec(), names: ids.to_vec(), ops };
    assert_eq!(Edit::parse(&codec::encode(&edit), Kind::Note), Ok(edit));
}

#[test]
fn refuses_what_its_kind_does_not_know() {
    let about = ItemId { creator: PersonId([1; 32]), nonce: [2; 16] };
    let opening = |about, ops| Edit::opening(Millis(1), about, ops);
    let refused = [
        (Kind::Note, opening(Some(about), vec![]), "a target"),
        (Kind::Reply, opening(None, vec![]), "no target"),
        (Kind::Note, opening(None, vec![Op::Set(99, Value::None)]), "unknown field"),
        (Kind::Note, opening(None, vec![Op::Set(f::TITLE, Value::text("a\u{1b}[2J"))]), "a control character"),
        (Kind::Note, opening(None, vec![Op::Set(f::TITLE, Value::text(&"a".repeat(301)))]), "too long"),
        (Kind::Note, opening(None, vec![Op::Set(f::WANT, Value::text("pity"))]), "not one of the words"),
        (Kind::Note, opening(None, vec![Op::Set(f::BODY, Value::text("a"))]), "a text set whole"),
        (Kind::Note, opening(None, vec![Op::Set(f::TITLE, Value::Moment(1))]), "another type"),
        (Kind::Event, opening(None, vec![Op::Set(f::TITLE, Value::text("a"))]), "no start"),
        (Kind::Reaction, opening(Some(about), vec![Op::Set(0, Value::None)]), "no emoji"),
    ];
    for (kind, edit, why) in refused {
        assert!(matches!(edit.check(kind), Err(EditError::Schema(_))), "{why}");
    }
}

#[test]
fn an_unknown_version_is_told_apart_from_garbage() {
    let mut edit = note("a", "b");
    edit.version = 9;
    assert_eq!(Edit::parse(&codec::encode(&edit), Kind::Note), Err(CodecError::Version(9).into()));
    assert!(matches!(Edit::parse(&[0xff, 1, 2], Kind::Note), Err(EditError::Codec(CodecError::Malformed(_)))));
}

proptest! {
    #![proptest_config(quick(256))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in 0..9_usize) {
        let kind = Kind::ALL.get(kind).copied().unwrap_or(Kind::Note);
        drop(Edit::parse(&bytes, kind));
    }

    #[test]
    fn mutated_bytes_are_refused_or_mean_exactly_themselves(
        body in "\\PC{0,80}", at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut bytes = codec::encode(&note("title", &format!("x{body}")));
        let at = at.index(bytes.len());
        if let Some(slot) = bytes.get_mut(at) { *slot = byte; }
        if let Ok(edit) = Edit::parse(&bytes, Kind::Note) {
            prop_assert_eq!(codec::encode(&edit), bytes);
        }
    }
}
