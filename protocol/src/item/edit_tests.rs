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
    assert_eq!(view_of_one(Kind::Note, &edit).words(f::BODY), "Three nights.");
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
        (Kind::Note, opening(None, vec![Op::Set(99, Value::None), Op::Set(99, Value::None)]), "an unknown field set twice"),
        (Kind::Note, opening(None, vec![Op::Insert(99, None, Private("a\u{1b}".to_owned()))]), "a control character there"),
        (Kind::Note, opening(None, vec![Op::Add(99, Private("a".repeat(TAG_CHARS + 1)))]), "a tag too long there"),
        (Kind::Note, opening(None, vec![Op::Delete(99, CharacterId { entry: 0, counter: 0 }, 1)]), "unnamed text there"),
        (Kind::Note, opening(None, vec![Op::Set(f::TITLE, unknown(&[0x81, 0x01]))]), "a known field of another form"),
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

/// A value that no field of today holds, from its bytes.
fn unknown(bytes: &[u8]) -> Value {
    Value::Unknown(codec::decode(bytes, "value").expect("a value"))
}

/// What a next version might write into a note beside what this one knows.
fn newer_note() -> Edit {
    let mut edit = note("On-call", "Three nights.");
    edit.ops.insert(0, Op::Insert(77, None, Private("said elsewhere".to_owned())));
    edit.ops.insert(0, Op::Set(99, unknown(&[0x82, 0x01, 0x41, 0x02])));
    edit.ops.push(Op::Add(98, Private("calm".to_owned())));
    edit
}

#[test]
fn a_field_that_is_not_known_is_kept_and_means_nothing() {
    let bytes = codec::encode(&newer_note());
    let edit = Edit::parse(&bytes, Kind::Note).expect("a note");
    assert_eq!((codec::encode(&edit), edit.is_newer(Kind::Note)), (bytes, true));
    assert_eq!(view_of_one(Kind::Note, &edit), view_of_one(Kind::Note, &note("On-call", "Three nights.")));
    assert!(!note("a", "b").is_newer(Kind::Note));
}

#[test]
fn an_unknown_version_is_told_apart_from_garbage() {
    let mut edit = note("a", "b");
    edit.version = 9;
    assert_eq!(Edit::parse(&codec::encode(&edit), Kind::Note), Err(CodecError::Version(9).into()));
    assert!(matches!(Edit::parse(&[0xff, 1, 2], Kind::Note), Err(EditError::Codec(CodecError::Malformed(_)))));
}

/// A value of any shape that travels.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(|n| minicbor::to_vec(n).expect("writes")),
        any::<bool>().prop_map(|yes| minicbor::to_vec(yes).expect("writes")),
        "\\PC{0,12}".prop_map(|words| minicbor::to_vec(words).expect("writes")),
        proptest::collection::vec(any::<u8>(), 0..40)
            .prop_map(|bytes| minicbor::to_vec(minicbor::bytes::ByteVec::from(bytes)).expect("writes")),
        Just(vec![0xf6]),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        proptest::collection::vec(inner, 0..6).prop_map(|all| {
            let head = u8::try_from(0x80 + all.len()).expect("few");
            [vec![head], all.concat()].concat()
        })
    })
}

/// An operation on a field that no note of today has.
fn unknown_op() -> impl Strategy<Value = Op> {
    let words = || "[a-z]{1,20}".prop_map(Private);
    prop_oneof![
        (6..=255_u8, value()).prop_map(|(field, value)| Op::Set(field, codec::decode(&value, "value").expect("a value"))),
        (6..=255_u8, words()).prop_map(|(field, words)| Op::Insert(field, None, words)),
        (6..=255_u8, words()).prop_map(|(field, tag)| Op::Add(field, tag)),
        (6..=255_u8, words()).prop_map(|(field, tag)| Op::Remove(field, tag)),
    ]
}

proptest! {
    #![proptest_config(quick(256))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in 0..9_usize) {
        let kind = Kind::ALL.get(kind).copied().unwrap_or(Kind::Note);
        drop(Edit::parse(&bytes, kind));
    }

    #[test]
    fn unknown_fields_are_written_again_as_they_came(
        ops in proptest::collection::vec(unknown_op(), 1..12), at in any::<prop::sample::Index>(),
    ) {
        let known = note("On-call", "Three nights.");
        let mut edit = known.clone();
        let at = at.index(edit.ops.len() + 1);
        let mut done = BTreeSet::new();
        let ops = ops.into_iter().filter(|op| done.insert(op.field()));
        edit.ops.splice(at..at, ops);
        let bytes = codec::encode(&edit);
        let read = Edit::parse(&bytes, Kind::Note).expect("a note");
        prop_assert!(read.is_newer(Kind::Note));
        prop_assert_eq!(codec::encode(&read), bytes);
        prop_assert_eq!(view_of_one(Kind::Note, &read), view_of_one(Kind::Note, &known));
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
