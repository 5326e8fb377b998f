//! W: edit lists of somebody who has proved themself: numbers at their ends, depth, dependencies and operations without end.
//! Peers' bytes never reach the document library, so what would there be a hostile change is here a hostile edit list.

use kith_protocol::control::Items;
use kith_protocol::id::EntryId;
use kith_protocol::item::edit::{CharacterId, Edit, Op, Value};
use kith_protocol::item::kind::Kind;
use kith_protocol::limits::{EDIT_DEPS, EDIT_OPS, PAYLOAD_BYTES};
use kith_protocol::log::chain;
use kith_protocol::log::entry::{EntryAt, Opened};
use kith_protocol::time::Millis;
use kith_tests::cbor::{Cbor, array, encoded};
use kith_tests::peer::forge::{Run, from_now};
use kith_tests::peer::{Peer, Scene};
use kith_tests::proc::until;

use crate::forms::settle;
use crate::text;

const EVIL: &str = "EVIL";

/// The entries that a peer holds of one kind.
fn entries(peer: &Peer, kind: Kind) -> Vec<Opened> {
    let (store, circle) = (peer.store(), peer.circle());
    let ring = peer.ring(&circle);
    let heads = chain::chains(&store, &circle).expect("memory does not fail");
    let places = heads.iter().flat_map(|head| (head.first..=head.seq).map(|seq| EntryAt { chain: head.no, seq }));
    let found = places.filter_map(|at| chain::load(&store, &ring, at).expect("memory does not fail"));
    found.filter(|entry| entry.kind == kind.number()).collect()
}

/// An event of Amara's that everybody may edit, and the entry that opened it, as Mallory holds it.
pub(crate) fn event(scene: &Scene, mallory: &Peer) -> (String, Opened) {
    let new = ["event", "new", "-c", Scene::CIRCLE, "--title", "Circle", "--starts", "2030-01-01T18:00", "--tz", "Europe/Madrid"];
    let id = scene.amara.field(&new, "id");
    let entry = until("the event to arrive", || entries(mallory, Kind::Event).pop());
    (id, entry)
}

/// A run that changes an item by an edit.
fn change(mallory: &Peer, of: &Opened, edit: Vec<u8>) -> Run {
    let mut run = mallory.run_of(Kind::Event, edit);
    let entry = run.entry();
    (entry.creator, entry.nonce) = (of.item.creator, of.item.nonce);
    run
}

pub(crate) fn edit(of: &Opened, ops: Vec<Op>) -> Edit {
    Edit { version: 1, at: from_now(0), about: None, deps: vec![of.id], names: vec![of.id], ops }
}

/// The event can still be changed and seen, by its owner and by an honest third.
pub(crate) fn still_editable(scene: &Scene, id: &str) {
    drop(scene.amara.json(&["event", "edit", id, "-c", Scene::CIRCLE, "--title", "changed after"]));
    let shown = scene.amara.json(&["event", "show", id, "-c", Scene::CIRCLE]);
    assert_eq!(text(&shown, "title"), "changed after", "{shown}");
    assert!(!shown.to_string().contains(EVIL), "{shown}");
    until("the change at Bea's", || {
        let Ok(kith_protocol::node::Answer::Items(Items::Events(events))) = scene.bea.ask(kith_protocol::node::Query::List {
            circle: None,
            kind: Kind::Event,
            filter: kith_protocol::node::Filter::default(),
        }) else {
            return None;
        };
        events.iter().any(|event| event.title == "changed after").then_some(())
    });
}

/// No start operation comes from a peer: it is counted here. What a peer can set are places, counts, moments and versions.
#[test]
fn w16_numbers_at_their_ends_are_refused_and_the_item_stays_editable() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let (id, entry) = event(&scene, &mallory);
    let far = |counter| CharacterId { entry: 0, counter };
    let words = || EVIL.to_owned().into();
    let lists = [
        vec![Op::Insert(1, Some(far(u32::MAX)), words())],
        vec![Op::Insert(1, Some(CharacterId { entry: u32::MAX, counter: 0 }), words())],
        vec![Op::Delete(1, far(0), u32::MAX)],
        vec![Op::Delete(1, far(u32::MAX), u32::MAX)],
        vec![Op::Delete(1, far(u32::MAX), 0)],
        vec![Op::Set(255, Value::text(EVIL))],
        vec![Op::Set(6, Value::Moment(u64::MAX)), Op::Set(0, Value::Flag(true))],
    ];
    for ops in lists {
        mallory.send_run(&change(&mallory, &entry, encoded(&edit(&entry, ops)).encode()));
        assert!(settle(&mallory), "a change that cannot be made is no fault of the link");
    }
    for at in [u64::MAX, 1 << 63, 0] {
        let edit = Edit { at: Millis(at), ..edit(&entry, vec![Op::Set(14, Value::text("x"))]) };
        mallory.send_run(&change(&mallory, &entry, encoded(&edit).encode()));
        settle(&mallory);
    }
    still_editable(&scene, &id);
    scene.holds();
}

/// The depth of a document is the length of a chain of edits, each on top of the one before.
#[test]
fn w17_five_thousand_edits_on_top_of_each_other_end_at_their_share() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let (id, entry) = event(&scene, &mallory);
    let first = encoded(&edit(&entry, vec![Op::Set(14, Value::text("x"))])).encode();
    let mut run = change(&mallory, &entry, first);
    run.deepen(249);
    let last = |mut run: Run, op: Op| {
        run.entries.last_mut().expect("a run has entries").on_top = Some(vec![op]);
        run
    };
    for round in 0..5_000 / 250 {
        // The 1,000th entry of theirs is within their share, the 1,500th is beyond it and within what the item may hold.
        run = match round {
            3 => last(run, Op::Set(0, Value::text("within the share"))),
            5 => last(run, Op::Set(0, Value::text(EVIL))),
            4 | 6 => last(run, Op::Set(14, Value::text("x"))),
            _ => run,
        };
        mallory.send_run(&run);
        run = run.deeper();
    }
    assert!(settle(&mallory), "depth is no fault of the link");
    let shown = scene.amara.json(&["event", "show", &id, "-c", Scene::CIRCLE]);
    assert_eq!(text(&shown, "title"), "within the share", "what they do within it counts, what they do beyond it does not");
    still_editable(&scene, &id);
    scene.holds();
}

/// An entry's id covers its edit, so none can depend on itself: what can be named is what is not there, too much, or of another
/// item.
#[test]
fn w19_edits_that_depend_on_nothing_on_too_much_or_on_others_do_nothing() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let (id, entry) = event(&scene, &mallory);
    scene.bea.note("of another item");
    let other = until("Bea's note", || entries(&mallory, Kind::Note).pop());
    let ops = || vec![Op::Set(0, Value::text(EVIL))];
    let many =
        |count: usize| (0..count).map(|n| EntryId(kith_protocol::crypto::hash("kith/v1/entry", &[&n.to_be_bytes()]))).collect();
    let sorted = |mut ids: Vec<EntryId>| {
        ids.sort_unstable();
        ids
    };
    let dependencies: [Vec<EntryId>; 7] = [
        vec![EntryId([7; 32])],
        vec![EntryId([0; 32])],
        vec![other.id],
        vec![entry.id, entry.id],
        sorted(many(EDIT_DEPS)),
        sorted(many(EDIT_DEPS + 1)),
        sorted(many(1_800)),
    ];
    for deps in dependencies {
        let edit = Edit { deps, names: Vec::new(), ..edit(&entry, ops()) };
        mallory.send_run(&change(&mallory, &entry, encoded(&edit).encode()));
        assert!(settle(&mallory), "a change that hangs in the air is no fault of the link");
    }
    // On as many as there may be, all there, it counts; on one more it does not.
    let mut run = change(&mallory, &entry, encoded(&edit(&entry, vec![Op::Set(14, Value::text("x"))])).encode());
    run.deepen(EDIT_DEPS);
    mallory.send_run(&run);
    let there: Vec<EntryId> = (1..=run.entries.len())
        .map(|count| {
            let mut begun = run.clone();
            begun.entries.truncate(count);
            begun.build().1
        })
        .collect();
    let mut before = None;
    for (count, title) in [(EDIT_DEPS, "on as many as may be"), (EDIT_DEPS + 1, EVIL)] {
        // The second knows of the first, so that it would stand if it counted.
        let deps = sorted(before.into_iter().chain(there.iter().rev().copied()).take(count).collect());
        assert_eq!(deps.len(), count);
        let ops = vec![Op::Set(0, Value::text(title))];
        let edit = Edit { deps, names: Vec::new(), ..edit(&entry, ops) };
        let run = change(&mallory, &entry, encoded(&edit).encode());
        before = Some(run.build().1);
        mallory.send_run(&run);
        assert!(settle(&mallory));
        let shown = scene.amara.json(&["event", "show", &id, "-c", Scene::CIRCLE]);
        assert_eq!(text(&shown, "title"), "on as many as may be", "an edit on {count} others");
    }
    // More of them than may wait for anything.
    for number in 0..600_u32 {
        let missing = EntryId(kith_protocol::crypto::hash("kith/v1/entry", &[&number.to_le_bytes()]));
        let mut run = mallory.run("");
        run.entry().edit = encoded(&Edit { deps: vec![missing], names: Vec::new(), ..edit(&entry, ops()) }).encode();
        mallory.send_run(&run);
    }
    settle(&mallory);
    still_editable(&scene, &id);
    scene.shows_nothing_of(EVIL);
    scene.holds();
}

/// A note with a long body, by hand, and its one entry.
fn long_note(mallory: &Peer, title: &str) -> (Run, EntryId) {
    let mut run = mallory.run(title);
    let words = "x".repeat(EDIT_OPS + 100).into();
    run.entry().edit =
        encoded(&Edit::opening(from_now(0), None, vec![Op::Set(0, Value::text(title)), Op::Insert(1, None, words)])).encode();
    let id = run.build().1;
    (run, id)
}

#[test]
fn w20_operations_without_end_are_refused_whole() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    // Each operation is as good as any: it takes one letter out of the note's own body.
    for (title, count, left) in [("as many as may be", EDIT_OPS, 100), ("one more", EDIT_OPS + 1, EDIT_OPS + 100)] {
        let (note, opened) = long_note(&mallory, title);
        mallory.send_run(&note);
        let id = text(&scene.amara.awaits_note(Scene::CIRCLE, title), "id");
        let ops =
            (0..count).map(|n| Op::Delete(1, CharacterId { entry: 0, counter: u32::try_from(n).expect("few") }, 1)).collect();
        let edit = Edit { version: 1, at: from_now(0), about: None, deps: vec![opened], names: vec![opened], ops };
        let mut change = note.next("");
        (change.entry().nonce, change.entry().edit) = (note.entries[0].nonce, encoded(&edit).encode());
        assert!(change.entry().edit.len() < PAYLOAD_BYTES, "it is no longer than an edit may be");
        mallory.send_run(&change);
        assert!(settle(&mallory), "operations are no fault of the link");
        let shown = scene.amara.json(&["note", "show", &id, "-c", Scene::CIRCLE]);
        assert_eq!(text(&shown, "body").len(), left, "{count} operations");
    }
    let mut run = mallory.run(EVIL);
    let ops = (0..12_000).map(|n| Op::Delete(1, CharacterId { entry: 0, counter: n }, 1));
    let ops = [Op::Set(0, Value::text(EVIL))].into_iter().chain(ops).collect();
    run.entry().edit = encoded(&Edit::opening(from_now(0), None, ops)).encode();
    mallory.send_run(&run);
    settle(&mallory);
    // As many as fit, announced as a million.
    let mut run = mallory.run(EVIL);
    let ops = Cbor::Raw([&[0x9a, 0, 0x0f, 0x42, 0x40][..], &vec![0x80; 50_000]].concat());
    run.entry().edit = array([1.into(), from_now(0).0.into(), Cbor::Null, array([]), array([]), ops]).encode();
    mallory.send_run(&run);
    assert!(settle(&mallory), "operations are no fault of the link");
    scene.shows_nothing_of(EVIL);
    scene.holds();
}
