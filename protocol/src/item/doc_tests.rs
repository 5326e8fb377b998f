#![allow(clippy::indexing_slicing, clippy::expect_used, reason = "a test that fails may panic")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::item::edit::VERSION;
use crate::item::edit_builder::EditBuilder;
use crate::item::fields::view_of_one;
use crate::item::kind::fields as f;
use crate::item::oracle::Oracle;
use crate::private::Private;
use crate::time::Millis;

impl Doc {
    /// The entries that nothing else in the item depends on, ascending.
    fn heads(&self) -> Vec<EntryId> {
        self.heads_within(usize::MAX)
    }

    /// How many entries name text that is not there, and so do nothing.
    fn void(&self) -> usize {
        self.made.iter().filter(|made| made.void).count()
    }
}

#[derive(Clone, Debug)]
struct Entry {
    id: EntryId,
    edit: Edit,
}

fn entry(device: u8, seq: u64, edit: Edit) -> Entry {
    let bytes = crate::codec::encode(&edit);
    let id = EntryId(*blake3::hash(&[&[device], seq.to_be_bytes().as_slice(), &bytes].concat()).as_bytes());
    Entry { id, edit }
}

fn parts(entries: &[Entry]) -> Vec<DocEntry> {
    entries.iter().map(|entry| DocEntry { id: entry.id, edit: Arc::new(entry.edit.clone()) }).collect()
}

fn build(entries: &[Entry]) -> Doc {
    Doc::build(Kind::Resource, &parts(entries))
}

fn opening(title: &str, body: &str, tags: &[&str]) -> Entry {
    let mut ops = vec![Op::Set(f::TITLE, Value::text(title))];
    if !body.is_empty() {
        ops.push(Op::Insert(f::BODY, None, Private(body.to_owned())));
    }
    ops.extend(tags.iter().map(|tag| Op::Add(f::TAGS, Private((*tag).to_owned()))));
    entry(1, 1, Edit::opening(Millis(1), None, ops))
}

/// One machine: what it has, and how often its device wrote.
#[derive(Clone)]
struct Machine {
    device: u8,
    seq: u64,
    has: Vec<Entry>,
}

impl Machine {
    fn save(&mut self, body: &str, title: Option<&str>, tags: &BTreeSet<String>) {
        let doc = build(&self.has);
        let now = doc.fields();
        let mut draft = EditBuilder::default();
        draft.text(&now, f::BODY, &doc.characters(f::BODY), body);
        if let Some(title) = title {
            draft.set(&now, f::TITLE, Value::text(title));
        }
        draft.tags(&now, f::TAGS, &doc.tags_beyond(f::TAGS, None), tags);
        if draft.is_empty() {
            return;
        }
        let edit = draft.finish(Millis(self.seq), doc.heads());
        edit.check(Kind::Resource).expect("a well-formed edit");
        self.seq += 1;
        self.has.push(entry(self.device, self.seq, edit));
        let after = build(&self.has);
        assert_eq!(after.void(), 0);
        assert_eq!(after.fields().words(f::BODY), body, "one's own save reads as one wrote it");
    }

    fn take(&mut self, other: &Self) {
        let mine: BTreeSet<EntryId> = self.has.iter().map(|entry| entry.id).collect();
        self.has.extend(other.has.iter().filter(|entry| !mine.contains(&entry.id)).cloned());
    }
}

fn spliced(text: &str, at: usize, delete: usize, insert: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = at % (chars.len() + 1);
    let end = (at + delete).min(chars.len());
    chars[..at].iter().chain(insert.chars().collect::<Vec<_>>().iter()).chain(&chars[end..]).collect()
}

#[test]
fn concurrent_texts_merge_and_scalars_have_one_winner() {
    let first = opening("Line", "The hotline is open at night.", &[]);
    let mut bea = Machine { device: 2, seq: 0, has: vec![first.clone()] };
    let mut cho = Machine { device: 3, seq: 0, has: vec![first] };
    bea.save("The free hotline is open at night.", Some("Hotline"), &BTreeSet::new());
    cho.save("The hotline is open at night, ask for Jo.", Some("Phone"), &BTreeSet::new());
    bea.take(&cho);
    let fields = build(&bea.has).fields();
    assert_eq!(fields.words(f::BODY), "The free hotline is open at night, ask for Jo.");
    assert!(["Hotline", "Phone"].contains(&fields.words(f::TITLE)));
}

#[test]
fn a_save_in_two_places_leaves_what_lies_between_to_others() {
    let first = opening("Guide", "Call first.\nThen breathe.\nThen write.\n", &[]);
    let mut bea = Machine { device: 2, seq: 0, has: vec![first.clone()] };
    let mut cho = Machine { device: 3, seq: 0, has: vec![first] };
    bea.save("Call a friend first.\nThen breathe.\nThen write it down.\n", None, &BTreeSet::new());
    cho.save("Call first.\nThen breathe slowly.\nThen write.\n", None, &BTreeSet::new());
    bea.take(&cho);
    let fields = build(&bea.has).fields();
    assert_eq!(fields.words(f::BODY), "Call a friend first.\nThen breathe slowly.\nThen write it down.\n");
}

fn words(from: usize, to: usize) -> BTreeSet<String> {
    (from..to).map(|n| format!("t{n:02}")).collect()
}

fn tags(fields: &Fields) -> BTreeSet<String> {
    fields.tags(f::TAGS).map(str::to_owned).collect()
}

#[test]
fn of_more_tags_than_an_item_shows_the_last_hold_alike_in_any_order() {
    let first = opening("Line", "", &["a", "b", "c", "d"]);
    let mut people: Vec<Machine> = (2..5).map(|device| Machine { device, seq: 0, has: vec![first.clone()] }).collect();
    for (at, one) in people.iter_mut().enumerate() {
        one.save("", None, &words(20 * at, 20 * at + 20));
        one.save("", Some(&format!("{at}")), &words(20 * at, 20 * at + 25));
    }
    let all = people.clone();
    people.iter_mut().for_each(|one| all.iter().for_each(|other| one.take(other)));
    let shown = tags(&build(&people[0].has).fields());
    assert_eq!(shown.len(), TAGS);
    let latest: BTreeSet<String> = [20, 40, 60].into_iter().flat_map(|from| words(from, from + 5)).collect();
    assert!(latest.is_subset(&shown), "the last that each of them added: {shown:?}");
    for one in &mut people {
        one.has.reverse();
        assert_eq!(tags(&build(&one.has).fields()), shown);
    }
    assert_eq!(build(&people[0].has).tags_beyond(f::TAGS, None).len(), 65 - TAGS);
}

#[test]
fn what_is_taken_out_of_too_many_tags_makes_no_room_for_others() {
    let first = opening("Line", "", &[]);
    let mut people: Vec<Machine> = (2..4).map(|device| Machine { device, seq: 0, has: vec![first.clone()] }).collect();
    people[0].save("", None, &words(0, 30));
    people[1].save("", None, &words(30, 60));
    let other = people[1].clone();
    people[0].take(&other);
    let shown = tags(&build(&people[0].has).fields());
    assert_eq!(shown.len(), TAGS);
    // Saved as they are shown: that changes nothing.
    people[0].save("", None, &shown);
    assert_eq!(people[0].has.len(), 3);
    let fewer: BTreeSet<String> = shown.iter().skip(3).cloned().chain(["mine".to_owned()]).collect();
    people[0].save("", None, &fewer);
    let doc = build(&people[0].has);
    assert_eq!(tags(&doc.fields()), fewer);
    assert_eq!(doc.tags_beyond(f::TAGS, None), Vec::<String>::new());
}

#[test]
fn an_entry_that_names_unknown_text_does_nothing_and_hurts_nobody() {
    let first = opening("a", "abc", &[]);
    let bad = |place, length| {
        let ops = vec![Op::Set(f::TITLE, Value::text("bad")), Op::Delete(f::BODY, place, length)];
        Edit { version: VERSION, at: Millis(2), about: None, deps: vec![first.id], names: vec![first.id], ops }
    };
    for (counter, length) in [(0, 4), (3, 1), (u32::MAX - 5, 2), (0, u32::MAX)] {
        let doc = build(&[first.clone(), entry(2, 1, bad(CharacterId { entry: 0, counter }, length))]);
        assert_eq!(doc.void(), 1);
        assert_eq!(doc.fields(), view_of_one(Kind::Note, &first.edit));
    }
}

#[test]
fn a_fork_stands_as_two_concurrent_branches() {
    let first = opening("a", "abc", &[]);
    let side = |text: &str| {
        let mut machine = Machine { device: 2, seq: 0, has: vec![first.clone()] };
        machine.save(text, None, &BTreeSet::new());
        machine.save(&format!("{text}!"), None, &BTreeSet::new());
        machine
    };
    let (mut one, two) = (side("1abc"), side("abc2"));
    one.take(&two);
    let there = build(&one.has);
    assert_eq!(there.fields().words(f::BODY).chars().filter(|c| "12".contains(*c)).count(), 2);
    assert_eq!(there.heads().len(), 2);
    one.has.reverse();
    assert_eq!(build(&one.has).fields(), there.fields());
}

#[test]
fn a_thousand_saves_build_at_once() {
    let mut has = vec![opening("a", "", &[])];
    for seq in 1..1_000_u64 {
        let last = has.last().expect("there is one").id;
        let ops = vec![Op::Set(f::TITLE, Value::text(&seq.to_string())), Op::Insert(f::BODY, None, Private("line\n".to_owned()))];
        has.push(entry(2, seq, Edit { version: VERSION, at: Millis(seq), about: None, deps: vec![last], names: vec![], ops }));
    }
    let fields = build(&has).fields();
    assert_eq!((fields.words(f::TITLE), fields.words(f::BODY).len()), ("999", 5 * 999));
}

#[derive(Clone, Debug)]
enum Action {
    Save { at: usize, delete: usize, insert: String, title: Option<String>, tags: BTreeSet<String> },
    Sync(usize),
}

fn action() -> impl Strategy<Value = (usize, Action)> {
    let save = (
        0..40_usize,
        0..6_usize,
        "[a-zé☂]{0,5}",
        proptest::option::of("[a-c]{1,2}"),
        proptest::collection::btree_set("[a-c]", 0..3),
    )
        .prop_map(|(at, delete, insert, title, tags)| Action::Save { at, delete, insert, title, tags });
    (0..4_usize, prop_oneof![3 => save, 2 => (0..4_usize).prop_map(Action::Sync)])
}

/// Edit lists that pass the schema's check, with whatever dependencies and places a hostile member likes.
fn hostile(ids: Vec<EntryId>) -> impl Strategy<Value = Edit> {
    let place = (0..3_u32, 0..9_u32).prop_map(|(entry, counter)| CharacterId { entry, counter });
    let op = prop_oneof![
        "[a-c]{0,2}".prop_map(|words| Op::Set(f::TITLE, Value::text(&words))),
        (proptest::option::of(place.clone()), "[a-c]{1,4}").prop_map(|(after, text)| Op::Insert(f::BODY, after, Private(text))),
        (place, 1..4_u32).prop_map(|(place, length)| Op::Delete(f::BODY, place, length)),
        "[a-c]".prop_map(|tag| Op::Add(f::TAGS, Private(tag))),
        "[a-c]".prop_map(|tag| Op::Remove(f::TAGS, Private(tag))),
    ];
    let some = |ids: &Vec<EntryId>| proptest::sample::subsequence(ids.clone(), 0..=ids.len().min(3));
    (some(&ids), some(&ids), proptest::collection::vec(op, 0..5)).prop_map(|(mut deps, mut names, ops)| {
        deps.sort_unstable();
        names.sort_unstable();
        Edit { version: VERSION, at: Millis(0), about: None, deps, names, ops }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_entry_says_what_its_operations_say(title in "\\PC{0,20}", body in "\\PC{0,60}", tags in proptest::collection::vec("[a-z]{1,3}", 0..4)) {
        let tags: BTreeSet<&str> = tags.iter().map(String::as_str).collect();
        let first = opening(&title, &body, &tags.into_iter().collect::<Vec<_>>());
        prop_assume!(first.edit.check(Kind::Resource).is_ok());
        prop_assert_eq!(build(std::slice::from_ref(&first)).fields(), view_of_one(Kind::Note, &first.edit));
        let names: Vec<(EntryId, u32)> = (0..).zip(body.chars()).map(|(at, _)| (first.id, at)).collect();
        prop_assert_eq!(build(std::slice::from_ref(&first)).characters(f::BODY), names);
    }

    #[test]
    fn machines_converge_in_any_order_of_arrival(
        actions in proptest::collection::vec(action(), 1..14), seed in any::<u64>(),
    ) {
        let first = opening("Start", "one two three", &["x"]);
        let mut machines: Vec<Machine> = (2..6_u8).map(|device| Machine { device, seq: 0, has: vec![first.clone()] }).collect();
        for (who, action) in actions {
            match action {
                Action::Save { at, delete, insert, title, tags } => {
                    let now = build(&machines[who].has).fields();
                    let body = spliced(now.words(f::BODY), at, delete, &insert);
                    machines[who].save(&body, title.as_deref(), &tags);
                }
                Action::Sync(from) => { let from = machines[from].clone(); machines[who].take(&from); }
            }
        }
        let all = machines.clone();
        for machine in &mut machines {
            for other in &all { machine.take(other); }
        }
        let want = build(&machines[0].has);
        prop_assert_eq!(want.void(), 0);
        let oracle = Oracle::build(Kind::Resource, &parts(&machines[0].has));
        prop_assert_eq!(oracle.fields(), want.fields());
        prop_assert_eq!(oracle.characters(f::BODY), want.characters(f::BODY));
        for machine in &mut machines {
            machine.has.sort_by_key(|entry| entry.id.0.iter().fold(seed, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte))));
            let got = build(&machine.has);
            prop_assert_eq!(got.fields(), want.fields());
            prop_assert_eq!(got.characters(f::BODY), want.characters(f::BODY));
            prop_assert_eq!(got.heads(), want.heads());
        }
    }

    #[test]
    fn no_well_typed_edit_list_says_anything_else_than_automerge(
        graph in proptest::collection::vec((2..5_u8, 1..5_u64), 1..10), seed in any::<u64>(),
    ) {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let mut entries = vec![opening("a", "abcdef", &["a"])];
        for (device, seq) in graph {
            let ids: Vec<EntryId> = entries.iter().map(|entry| entry.id).collect();
            let strategy = hostile(ids);
            let edit = strategy.new_tree(&mut runner).expect("a value").current();
            if edit.check(Kind::Resource).is_ok() {
                entries.push(entry(device, seq, edit));
            }
        }
        let want = build(&entries);
        let fields = want.fields();
        let oracle = Oracle::build(Kind::Resource, &parts(&entries));
        prop_assert_eq!((&oracle.fields(), oracle.void), (&fields, want.void()));
        prop_assert_eq!(oracle.characters(f::BODY), want.characters(f::BODY));
        for part in &want.parts {
            prop_assert_eq!(oracle.fields_after(&part.id), want.fields_after(&part.id));
        }
        prop_assert_eq!(want.characters(f::BODY).len(), fields.words(f::BODY).chars().count());
        entries.sort_by_key(|entry| entry.id.0.iter().fold(seed, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte))));
        prop_assert_eq!(build(&entries).fields(), fields);
    }
}

#[test]
fn a_body_replaced_once_costs_its_runs_and_not_its_characters() {
    let first = opening("a", &"x".repeat(60_000), &[]);
    let mut bea = Machine { device: 1, seq: 1, has: vec![first] };
    bea.save(&"y".repeat(60_000), None, &BTreeSet::new());
    let doc = build(&bea.has);
    assert_eq!(doc.fields().words(f::BODY), "y".repeat(60_000));
    assert!(doc.work() <= 8, "{} steps for two runs", doc.work());
    assert_eq!(doc.texts.pieces(f::BODY, |_| true).len(), 1);
}

#[test]
fn a_hostile_text_is_as_deep_as_it_is_long() {
    let mut entries = vec![opening("a", "abc", &[])];
    for depth in 1..=4_000_u64 {
        let last = entries.last().expect("there is one").id;
        let ops = vec![Op::Insert(f::BODY, Some(CharacterId { entry: 0, counter: 0 }), Private("x".to_owned()))];
        entries.push(entry(
            2,
            depth,
            Edit { version: VERSION, at: Millis(2), about: None, deps: vec![last], names: vec![last], ops },
        ));
    }
    assert_eq!(build(&entries).fields().words(f::BODY), format!("a{}bc", "x".repeat(4_000)));
}

#[test]
fn an_edit_of_many_heads_names_those_with_the_most_behind_them() {
    let first = opening("a", "abc", &[]);
    let mut has = vec![first.clone()];
    for device in 2..=100 {
        let mut one = Machine { device, seq: 0, has: vec![first.clone()] };
        one.save("abcd", None, &BTreeSet::new());
        if device == 2 {
            one.save("abcde", None, &BTreeSet::new());
        }
        has.extend(one.has.into_iter().skip(1));
    }
    let doc = build(&has);
    let (all, some) = (doc.heads(), doc.heads_within(64));
    assert_eq!((all.len(), some.len()), (99, 64));
    assert!(some.contains(&has[2].id) && some.iter().all(|head| all.contains(head)));
}
