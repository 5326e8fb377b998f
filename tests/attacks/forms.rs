//! W: what stands inside frames and runs of somebody who has proved themself: nesting, bombs, bytes too many, other encodings, one
//! poisoned item among good ones. Hostile edit lists stand in `edits`.

use kith_protocol::id::EntryId;
use kith_protocol::item::edit::{CharacterId, Edit, Op, Value};
use kith_protocol::limits::{FRAME_BYTES, HELLO_BYTES};
use kith_tests::cbor::{Cbor, array, bytes, encoded};
use kith_tests::peer::forge::{Run, packed, said_now, titled};
use kith_tests::peer::wire::framed;
use kith_tests::peer::{Peer, Scene};
use kith_tests::proc::{CommandRun as Call, binaries, peak_kb, until};

use crate::edits::{edit, event, still_editable};
use crate::{stranger, text};

const EVIL: &str = "EVIL";

pub(crate) fn settle(mallory: &Peer) -> bool {
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
    let before = peak_kb(scene.pid());
    for packed_bomb in [bomb(8_192), lying_bomb(8_192), bomb(1)] {
        let mut run = mallory.run(EVIL);
        run.entry().inside = Some(packed(1, &packed_bomb));
        mallory.send_run(&run);
        assert!(settle(&mallory), "its words are lost, no more");
        mallory.send_run_bytes(block(&mallory.run(EVIL), &packed_bomb));
        settle(&mallory);
    }
    let after = peak_kb(scene.pid());
    assert!(after < before + (48 << 10), "memory grew from {before} to {after} kB at its highest");
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

/// Imports a file with no more than 256 MB of address space.
fn import_in_little_room(scene: &Scene, path: &str) -> Call {
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "ulimit -v 262144 && exec \"$@\"", "sh"]).arg(&binaries().kith);
    command.args(["import", path, "-c", Scene::CIRCLE, "--json", "--no-input"]).env("KITH_HOME", scene.amara.path());
    let out = command.output().expect("a shell");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
    Call { line: format!("kith import {path}"), code: out.status.code().unwrap_or(-1), stdout, stderr }
}

#[test]
fn w14_a_file_of_a_gigabyte_is_not_read_into_memory() {
    let scene = Scene::new();
    let small = scene.amara.beside().join("small.md");
    std::fs::write(&small, "- [Hotline](https://example.org)\n").expect("a file");
    drop(import_in_little_room(&scene, &small.to_string_lossy()).ok());
    for name in ["big.ics", "big.csv", "big.md"] {
        let path = scene.amara.beside().join(name);
        let file = std::fs::File::create(&path).expect("a file");
        file.set_len(1 << 30).expect("a hole of a gigabyte");
        import_in_little_room(&scene, &path.to_string_lossy()).refused(2, "too-large");
    }
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
        encoded(&edit(&entry, vec![Op::Insert(1, Some(CharacterId { entry: 9, counter: u32::MAX }), EVIL.to_owned().into())]))
            .encode(),
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
    let before = peak_kb(scene.pid());
    let strangers: Vec<Peer> = (0..24).map(|_| stranger(&scene)).collect();
    for stranger in &strangers {
        for _ in 0..8 {
            stranger.send_bytes(vec![0xff; FRAME_BYTES]);
        }
    }
    scene.holds();
    let after = peak_kb(scene.pid());
    assert!(after < before + (16 << 10), "memory grew from {before} to {after} kB at its highest");
    assert!(strangers.iter().all(|stranger| stranger.link().is_some()), "they wait to prove something, or for their deadline");
    // Too large for anybody is refused at once.
    let huge = stranger(&scene);
    huge.send_raw([&u32::MAX.to_be_bytes()[..], &framed(&[0; HELLO_BYTES])].concat());
    until("the link to be closed", || huge.link().is_none().then_some(()));
    scene.holds();
}
