//! W: items that somebody who is in fills, or makes dear to put together.

use kith_protocol::control::{EditItem, EditNote, Item, NewItem, NewNote};
use kith_protocol::item::edit::{Edit, Op, Value};
use kith_protocol::item::kind::Kind;
use kith_protocol::node::{Answer, Command};
use kith_tests::cbor::encoded;
use kith_tests::peer::Scene;
use kith_tests::peer::forge::from_now;
use kith_tests::proc::until;

use crate::edits::{event, still_editable};
use crate::text;

/// Five incarnations with a thousand edits each are one person's share all the same.
#[test]
fn w26_four_sets_of_chains_fill_an_item_and_its_owner_goes_on() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let (id, entry) = event(&scene, &mallory);
    for chain in 0..5 {
        let ops = vec![Op::Set(14, Value::text(&format!("chain {chain}")))];
        let edit = Edit { version: 1, at: from_now(0), about: None, deps: vec![entry.id], names: vec![entry.id], ops };
        let mut run = mallory.run_of(Kind::Event, encoded(&edit).encode());
        let first = run.entry();
        (first.creator, first.nonce) = (entry.item.creator, entry.item.nonce);
        run.deepen(249);
        for _ in 0..4 {
            mallory.send_run(&run);
            run = run.deeper();
        }
    }
    assert!(mallory.handled(), "what is too much means nothing; it is no offence");
    still_editable(&scene, &id);
    scene.holds();
    let listed = scene.amara.rows(&["event", "list", "-c", Scene::CIRCLE], "events");
    assert!(listed.iter().any(|row| text(row, "title") == "changed after"), "{listed:?}");
}

/// Notes of 60 kB, each changed once: a list shows how they begin, and the note itself all of it, also after a restart.
#[test]
fn w27_long_notes_that_were_changed_are_listed_without_being_put_together() {
    let mut scene = Scene::new();
    let circle = scene.bea.circle().text();
    for n in 0..24 {
        let new = NewNote { title: format!("long {n}"), body: "x".repeat(60_000), ..NewNote::default() };
        let Ok(Answer::Item(Item::Note(note))) = scene.bea.call(Command::New(circle.clone(), NewItem::Note(new))) else {
            panic!("a note")
        };
        let edit = EditItem::Note(EditNote { body: Some("y".repeat(60_000)), ..EditNote::default() });
        assert!(scene.bea.call(Command::Edit(circle.clone(), note.id, edit)).is_ok());
    }
    for restarted in [false, true] {
        if restarted {
            // Its memory never grew beyond what any input may make it: items are put together one after the other.
            scene.holds();
            scene.amara.stop();
            scene.amara.start();
        }
        let listed = until("the notes as they were changed", || {
            let notes = scene.amara.rows(&["note", "list", "-c", Scene::CIRCLE, "--limit", "100"], "notes");
            let long = notes.iter().filter(|note| text(note, "body").starts_with('y')).count();
            (long == 24).then_some(notes)
        });
        let long: Vec<_> = listed.iter().filter(|note| text(note, "title").starts_with("long")).collect();
        assert!(long.iter().all(|note| note["cut"] == true && text(note, "body").len() == 4_096 && note["version"] == 2));
        let shown = scene.amara.json(&["note", "show", &text(long[0], "id"), "-c", Scene::CIRCLE]);
        assert_eq!(text(&shown, "body"), "y".repeat(60_000));
    }
}
