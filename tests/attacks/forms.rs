//! W: what stands inside frames, runs and edits of somebody who has proved herself: nesting, bombs, numbers at their ends, floods
//! of operations, other encodings. Peers' bytes never reach the document library, so what would there be a hostile change is
//! here a hostile edit list.

use kith_protocol::id::EntryId;
use kith_protocol::item::edit::{Edit, Op, Place, Value};
use kith_protocol::item::kind::Kind;
use kith_protocol::limits::{EDIT_DEPS, EDIT_OPS, FRAME_BYTES, HELLO_BYTES};
use kith_protocol::log::chain;
use kith_protocol::log::entry::{EntryAt, Opened};
use kith_protocol::time::Millis;
use kith_tests::peer::cbor::{Cbor, array, bytes, encoded};
use kith_tests::peer::forge::{Run, from_now, packed, said_now, titled};
use kith_tests::peer::wire::framed;
use kith_tests::peer::{Peer, Scene, memory_kb};
use kith_tests::proc::until;

use crate::{stranger, text};

const EVIL: &str = "EVIL";

fn settle(mallory: &Peer) -> bool {
    let stands = mallory.handled();
    if !stands {
        mallory.redial();
        mallory.synced();
    }
    stands
}

/// One zstd frame that says nothing of its size and inflates to so many blocks of 128 KiB.
fn bomb(blocks: u32) -> Vec<u8> {
    // Magic, a descriptor without any field but the window's, a window of 128 KiB.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    for block in 1..=blocks {
        // Last?, type 1 (one byte, repeated), size: 24 bits, little-endian.
        let head = u32::from(block == blocks) | 1 << 1 | (128 << 10) << 3;
        frame.extend_from_slice(&head.to_le_bytes()[..3]);
        frame.push(b'A');
    }
    frame
}

/// The same with a size of its contents that is a lie.
fn lying_bomb(blocks: u32) -> Vec<u8> {
    let bomb = bomb(blocks);
    // A single segment with a size of one byte, which is 1.
    [&[0x28, 0xb5, 0x2f, 0xfd, 0x20, 1], &bomb[6..]].concat()
}

#[test]
fn w13_nesting_without_end_is_refused_wherever_it_stands() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    for deep in [vec![0x81; 100_000], vec![0x9f; 100_000], vec![0xa1; 100_000], vec![0xc1; 100_000], vec![0x5b; 9]] {
        mallory.send_bytes(deep.clone());
        assert!(!settle(&mallory), "a frame that is none closes the link");
        mallory.say(3, vec![Cbor::Raw(deep.clone())]);
        settle(&mallory);
        mallory.send_run_bytes(deep.clone());
        settle(&mallory);
        mallory.send_acts(&[deep.clone(), mallory.act_of_bytes(&deep)]);
        settle(&mallory);
        let mut run = mallory.run(EVIL);
        run.entry().edit = deep[..deep.len().min(60_000)].to_vec();
        mallory.send_run(&run);
        assert!(settle(&mallory), "an edit that is none is no fault of the link");
    }
    scene.shows_nothing_of(EVIL);
    scene.holds();
}

#[test]
fn w14_a_bomb_in_an_entry_or_a_block_is_cut_off() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let before = memory_kb(scene.pid());
    for packed_bomb in [bomb(8_192), lying_bomb(8_192), bomb(1)] {
        let mut run = mallory.run(EVIL);
        run.entry().inside = Some(packed(1, &packed_bomb));
        mallory.send_run(&run);
        assert!(settle(&mallory), "its words are lost, no more");
        mallory.send_run_bytes(block(&mallory.run(EVIL), &packed_bomb));
        settle(&mallory);
    }
    let after = memory_kb(scene.pid());
    assert!(after < before + (48 << 10), "memory grew from {before} to {after} kB");
    scene.shows_nothing_of(EVIL);
    scene.holds();
}

/// A block around a frame, sealed and signed as blocks are.
fn block(run: &Run, frame: &[u8]) -> Vec<u8> {
    let key = kith_protocol::crypto::derive("kith/v1/block", &run.key, &[&run.circle.0]);
    let chain = array([bytes(run.signer.id().0), bytes(run.incarnation), run.class.into()]);
    let place = array([chain, bytes(run.epoch.0), run.first.into(), bytes(run.previous.0)]).encode();
    let columns = array([1.into(), bytes([1; 24]), bytes([2; 16]), bytes(frame)]).encode();
    let padded = kith_protocol::crypto::pad(columns);
    let nonce = kith_protocol::crypto::mac("kith/v1/block-nonce", &key, &[&place, &padded]);
    let nonce: [u8; 24] = nonce[..24].try_into().expect("24 bytes");
    let body = kith_protocol::crypto::seal_with(&key, &nonce, &place, &padded);
    run.wrap(&EntryId([7; 32]), &body, 0)
}

#[test]
fn w14_a_file_of_a_gigabyte_is_not_read_into_memory() {
    let scene = Scene::new();
    for name in ["big.ics", "big.csv", "big.md"] {
        let path = scene.amara.beside().join(name);
        let file = std::fs::File::create(&path).expect("a file");
        file.set_len(1 << 30).expect("a hole of a gigabyte");
        let start = std::time::Instant::now();
        let run = scene.amara.kith(&["import", &path.to_string_lossy(), "-c", Scene::CIRCLE, "--json", "--no-input"]);
        assert_ne!(run.code, 0, "{name} is taken: {}", run.stdout);
        assert!(start.elapsed() < std::time::Duration::from_secs(5), "{name} took {:?}", start.elapsed());
    }
    scene.holds();
}

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
fn event(scene: &Scene, mallory: &Peer) -> (String, Opened) {
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

fn edit(of: &Opened, ops: Vec<Op>) -> Edit {
    Edit { version: 1, at: from_now(0), about: None, deps: vec![of.id], names: vec![of.id], ops }
}

/// The event can still be changed and seen, by its owner and by an honest third.
fn still_editable(scene: &Scene, id: &str) {
    drop(scene.amara.json(&["event", "edit", id, "-c", Scene::CIRCLE, "--title", "changed after"]));
    let shown = scene.amara.json(&["event", "show", id, "-c", Scene::CIRCLE]);
    assert_eq!(text(&shown, "title"), "changed after", "{shown}");
    assert!(!shown.to_string().contains(EVIL), "{shown}");
    until("the change at Bea's", || {
        let Ok(kith_protocol::node::Answer::Events(events)) = scene.bea.ask(kith_protocol::node::Query::List {
            circle: None,
            noun: kith_protocol::node::Noun::Event,
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
    let far = |counter| Place { entry: 0, counter };
    let words = || EVIL.to_owned().into();
    let lists = [
        vec![Op::Insert(1, Some(far(u32::MAX)), words())],
        vec![Op::Insert(1, Some(Place { entry: u32::MAX, counter: 0 }), words())],
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
    for _ in 0..5_000 / 250 {
        mallory.send_run(&run);
        run = run.deeper();
    }
    assert!(settle(&mallory), "depth is no fault of the link");
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

#[test]
fn w20_operations_without_end_are_refused_whole() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let opening = |count: usize| {
        let mut ops = vec![Op::Set(0, Value::text(EVIL))];
        ops.extend((0..count).map(|n| Op::Delete(1, Place { entry: 0, counter: u32::try_from(n).expect("few") }, 1)));
        encoded(&Edit::opening(from_now(0), None, ops)).encode()
    };
    for count in [EDIT_OPS, EDIT_OPS + 1, 12_000] {
        let mut run = mallory.run(EVIL);
        run.entry().edit = opening(count);
        assert!(run.entry().edit.len() > count, "an operation takes more than a byte");
        mallory.send_run(&run);
        settle(&mallory);
    }
    // As many as fit, announced as a million.
    let mut run = mallory.run(EVIL);
    let ops = Cbor::Raw([&[0x9a, 0, 0x0f, 0x42, 0x40][..], &vec![0x80; 50_000]].concat());
    run.entry().edit = array([1.into(), from_now(0).0.into(), Cbor::Null, array([]), array([]), ops]).encode();
    mallory.send_run(&run);
    assert!(settle(&mallory), "operations are no fault of the link");
    scene.shows_nothing_of(EVIL);
    scene.holds();
}

#[test]
fn w22_a_byte_behind_a_message_makes_it_none() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let token = mallory.token().expect("a link");
    let frame = array([3.into(), array([bytes(token), array([2.into(), array([bytes([0; 32])])])])]).encode();
    mallory.send_bytes([&frame[..], &[0]].concat());
    assert!(!settle(&mallory), "a frame with a byte behind it");
    let run = mallory.run(EVIL);
    mallory.send_run_bytes([&run.bytes()[..], &[0]].concat());
    assert!(!settle(&mallory), "a run with a byte behind it");
    let (_, last) = run.build();
    let body = Cbor::parse(&run.bytes()).expect("a run").at(9).as_bytes().to_vec();
    mallory.send_run_bytes(run.wrap(&last, &[&body[..], &[0]].concat(), 1));
    assert!(!settle(&mallory), "a body with a byte behind it");
    let act = mallory.act(&said_now(kith_protocol::circle::body::Statement::Leave));
    mallory.send_acts(&[[&act[..], &[0]].concat()]);
    assert!(!settle(&mallory), "an act with a byte behind it");
    mallory.send_acts(&[mallory.act_of_bytes(&[&array([1.into(), array([4.into(), array([])])]).encode()[..], &[0]].concat())]);
    settle(&mallory);
    let mut words = mallory.run(EVIL);
    words.entry().edit.push(0);
    mallory.send_run(&words);
    assert!(settle(&mallory), "an edit with a byte behind it is just not shown");
    let mut padding = mallory.run(EVIL);
    let mut inside = packed(0, &titled(EVIL));
    inside.extend_from_slice(&[0; 64]);
    padding.entry().inside = Some(inside);
    mallory.send_run(&padding);
    assert!(settle(&mallory), "nor is one with more padding than it needs");
    scene.shows_nothing_of(EVIL);
    let members = scene.amara.rows(&["member", "list", "-c", Scene::CIRCLE], "members");
    assert!(members.iter().any(|row| text(row, "name") == "Mallory" && text(row, "status") == "current"), "{members:?}");
    scene.holds();
}

#[test]
fn w23_one_value_has_one_encoding() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let good = mallory.run("in its one form");
    for place in [0, 1, 4, 6] {
        let mut other = Cbor::parse(&good.bytes()).expect("a run");
        let number = other.at(place).number().expect("a number");
        *other.at_mut(place) = Cbor::LongUint(number);
        mallory.send_run_bytes(other.encode());
        assert!(!settle(&mallory), "element {place}, written longer");
    }
    let indefinite = [&[0x9f][..], &good.bytes()[1..], &[0xff]].concat();
    mallory.send_run_bytes(indefinite);
    assert!(!settle(&mallory), "a list without a length");
    let token = mallory.token().expect("a link");
    let frame = array([Cbor::LongUint(3), array([bytes(token), array([2.into(), array([bytes([0; 32])])])])]);
    mallory.send(&frame);
    assert!(!settle(&mallory), "a frame, written longer");
    // Inside an edit it is the author's own fault alone.
    let mut edit = mallory.run(EVIL);
    let mut value = Cbor::parse(&titled(EVIL)).expect("an edit");
    *value.at_mut(0) = Cbor::LongUint(1);
    edit.entry().edit = value.encode();
    mallory.send_run(&edit);
    assert!(settle(&mallory));
    // The same run in its one form is taken, once.
    mallory.send_run(&good);
    mallory.send_run(&good);
    drop(scene.amara.awaits_note(Scene::CIRCLE, "in its one form"));
    assert_eq!(scene.titles().iter().filter(|title| *title == "in its one form").count(), 1);
    scene.shows_nothing_of(EVIL);
    scene.holds();
}

#[test]
fn w25_one_poisoned_item_leaves_the_others_alone() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let (id, entry) = event(&scene, &mallory);
    // All in one chain, between good notes, signed once at the end.
    let poisons: [Vec<u8>; 6] = [
        encoded(&edit(&entry, vec![Op::Insert(1, Some(Place { entry: 9, counter: u32::MAX }), EVIL.to_owned().into())])).encode(),
        encoded(&Edit { deps: vec![EntryId([7; 32])], ..edit(&entry, vec![Op::Set(0, Value::text(EVIL))]) }).encode(),
        vec![0x81; 20_000],
        vec![0xff; 64],
        Vec::new(),
        array([
            1.into(),
            0.into(),
            Cbor::Null,
            array([]),
            array([]),
            Cbor::Raw(vec![0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ])
        .encode(),
    ];
    let mut run = mallory.run("good, before");
    for poison in poisons {
        let mut entry = run.next("").entries.remove(0);
        entry.edit = poison;
        run.entries.push(entry);
    }
    run.entries.push(run.next("good, behind").entries.remove(0));
    mallory.send_run(&run);
    assert!(settle(&mallory), "the run is as authentic as any");
    for title in ["good, before", "good, behind"] {
        drop(scene.amara.awaits_note(Scene::CIRCLE, title));
        scene.bea.awaits_note(title);
    }
    still_editable(&scene, &id);
    scene.shows_nothing_of(EVIL);
    scene.holds();
}

/// Frames larger than a hello are not even read from somebody who has proved nothing.
#[test]
fn a_stranger_makes_nobody_hold_large_frames() {
    let scene = Scene::new();
    let before = memory_kb(scene.pid());
    let strangers: Vec<Peer> = (0..24).map(|_| stranger(&scene)).collect();
    for stranger in &strangers {
        for _ in 0..8 {
            stranger.send_bytes(vec![0xff; FRAME_BYTES]);
        }
    }
    scene.holds();
    let after = memory_kb(scene.pid());
    assert!(after < before + (16 << 10), "memory grew from {before} to {after} kB");
    assert!(strangers.iter().all(|stranger| stranger.link().is_some()), "they wait to prove something, or for their deadline");
    // Too large for anybody is refused at once.
    let huge = stranger(&scene);
    huge.send_raw([&u32::MAX.to_be_bytes()[..], &framed(&[0; HELLO_BYTES])].concat());
    until("the link to be closed", || huge.link().is_none().then_some(()));
    scene.holds();
}
