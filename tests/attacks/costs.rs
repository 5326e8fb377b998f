//! What a member may cost everybody else: inputs of at most 1 MiB that ask for the most work. While they are handled a note in
//! another circle is written. What they cost is counted beside the code; a hang would show here.

use kith_protocol::control::{EditItem, EditNote, Item, NewItem, NewNote};
use kith_protocol::crypto::{Seeded, SigningKey};
use kith_protocol::id::ItemId;
use kith_protocol::item::edit::{Edit, Op, Value};
use kith_protocol::item::kind::Kind;
use kith_protocol::node::{Answer, Command};
use kith_tests::cbor::{Cbor, array, bytes, encoded};
use kith_tests::peer::costly::{HEAVY_NOTES, swollen};
use kith_tests::peer::forge::from_now;
use kith_tests::peer::guest::{opened, proof, request, ticket_key};
use kith_tests::peer::{Peer, Scene, raw};
use kith_tests::proc::until;

use crate::text;

/// A note in the circle that Mallory is not in, written and answered.
fn meanwhile(scene: &Scene, title: &str) {
    drop(scene.amara.json(&["note", "new", "-c", Scene::OTHER, "--title", title, "x"]));
}

#[test]
fn what_a_have_costs() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let run = mallory.small(256);
    mallory.send_run(&run);
    assert!(mallory.handled());
    mallory.deaf(true);
    let beside = |seq: u64| array([run.chain(), Cbor::Uint(seq), bytes([9; 32])]);
    // As many as anybody may name, all inside one block; then a frame full of what nobody knows, and of gaps that hold no run.
    mallory.has((0..9).map(|n| beside(10 + n)).collect(), Vec::new());
    meanwhile(&scene, "nine heads");
    let unknown = |n: u64| {
        let mut incarnation = [0; 16];
        incarnation[..8].copy_from_slice(&n.to_be_bytes());
        array([array([bytes(run.signer.id().0), bytes(incarnation), Cbor::Uint(2)]), Cbor::Uint(5), bytes([9; 32])])
    };
    mallory.has((0..9_000).map(unknown).collect(), Vec::new());
    let gap = |n: u64| array([run.chain(), Cbor::Uint(2 + 3 * n), Cbor::Uint(2 + 3 * n)]);
    mallory.has(Vec::new(), (0..65).map(gap).collect());
    for _ in 0..200 {
        mallory.has(Vec::new(), Vec::new());
    }
    meanwhile(&scene, "two hundred times");
    mallory.deaf(false);
    assert!(mallory.handled(), "none of this is an offence");
    // One chain named without end is.
    mallory.has((0..400).map(|n| beside(1 + n % 250)).collect(), Vec::new());
    assert!(!mallory.handled(), "the link goes on");
    scene.holds();
}

#[test]
fn what_destroying_costs() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let opening =
        Edit::opening(from_now(0), None, vec![Op::Set(0, Value::text("an event")), Op::Set(6, Value::Moment(1_900_000_000_000))]);
    let mut run = mallory.run_of(Kind::Event, encoded(&opening).encode());
    run.deepen(249);
    let (creator, nonce) = (run.entry().creator, run.entry().nonce);
    for _ in 0..4 {
        mallory.send_run(&run);
        run = run.deeper();
    }
    assert!(mallory.handled());
    let shown =
        || scene.amara.rows(&["event", "list", "-c", Scene::CIRCLE], "events").iter().any(|row| text(row, "title") == "an event");
    assert!(shown());
    mallory.send_run(&mallory.stone(ItemId { creator, nonce }));
    meanwhile(&scene, "meanwhile");
    assert!(mallory.handled());
    assert!(!shown(), "what is destroyed is not shown");
    scene.holds();
}

#[test]
fn what_a_run_of_large_notes_costs() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    for _ in 0..3 {
        mallory.send_run(&mallory.heavy(HEAVY_NOTES));
        meanwhile(&scene, "meanwhile");
    }
    assert!(mallory.handled(), "these are as large as they may be");
    mallory.send_run(&mallory.heavy(256));
    assert!(!mallory.handled(), "what inflates to 15 MB is no run");
    scene.holds();
}

#[test]
fn what_it_costs_to_list_long_notes_that_were_edited() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    for letter in ["a", "b", "c", "d"] {
        let new = NewNote { title: format!("long {letter}"), body: letter.repeat(60_000), ..NewNote::default() };
        let Ok(Answer::Item(Item::Note(note))) = mallory.call(Command::New("-".to_owned(), NewItem::Note(new))) else {
            panic!("no note")
        };
        let edit = EditItem::Note(EditNote { body: Some("z".repeat(60_000)), ..EditNote::default() });
        drop(mallory.call(Command::Edit("-".to_owned(), note.id, edit)).expect("an edit"));
    }
    until("the last of them", || scene.titles().contains(&"long d".to_owned()).then_some(()));
    drop(scene.amara.json(&["status"]));
    scene.holds();
}

#[test]
fn what_requests_to_come_in_cost() {
    let scene = Scene::new();
    let link = scene.amara.field(&["invite", "new", "-c", Scene::CIRCLE, "--uses", "1000"], "link");
    let asks = |number: u64, good: bool| {
        let eve = Peer::named("Eve");
        eve.dial(&raw::address(&scene.amara, false));
        let device = SigningKey::generate(&mut Seeded::new(number));
        eve.send(&proof(&eve, &ticket_key(&link), &device));
        let card = opened(&link, &crate::answer(&eve));
        let asked = request(&link, &card, &device, "Eve");
        if good {
            eve.send(&asked);
        } else {
            eve.send(&swollen(&asked, card.at(7).at(0).at(0)));
        }
        eve
    };
    let guests: Vec<Peer> = (0..20).map(|number| asks(number, false)).collect();
    meanwhile(&scene, "meanwhile");
    // Garbage keeps nobody out, and takes nobody with it.
    let good = asks(1_000, true);
    until("the good one to be let in", || {
        let welcomed =
            good.heard().iter().any(|frame| frame.at(0).number() == Some(5) && frame.at(1).at(0).at(0).number() == Some(4));
        welcomed.then_some(())
    });
    drop(guests);
    scene.holds();
}
