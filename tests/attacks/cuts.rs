//! A removal and a demotion name entries, not places: what is signed beside what stood is shown nowhere.

use kith_protocol::circle::body::KeyClass;
use kith_protocol::id::ItemId;
use kith_protocol::item::edit::{Edit, Op, Value as Said};
use kith_protocol::item::kind::Kind;
use kith_protocol::log::chain;
use kith_protocol::log::entry::EntryAt;
use kith_protocol::node::{Answer, Query};
use kith_tests::cbor::encoded;
use kith_tests::peer::forge::{Run, from_now};
use kith_tests::peer::{Peer, Scene};
use kith_tests::proc::until;

use crate::text;

/// Both daemons have seen two entries for one place: what was passed on has reached them.
fn both_have_the_fork(scene: &Scene) {
    const SAID: &str = "two different entries";
    until("the fork to arrive at Amara's", || scene.amara.kith(&["doctor", "--json"]).stdout.contains(SAID).then_some(()));
    until("the fork to arrive at Bea's", || {
        let Ok(Answer::Doctor(doctor)) = scene.bea.ask(Query::Doctor) else { return None };
        doctor.findings.iter().any(|finding| finding.message.contains(SAID)).then_some(())
    });
}

#[test]
fn a_fork_below_the_cut_is_shown_nowhere() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let friend = Peer::member_of(&scene.amara, Scene::CIRCLE, "Friend");
    let one = mallory.run("first");
    let two = one.next("second");
    let three = two.next("third");
    for run in [&one, &two, &three] {
        mallory.send_run(run);
    }
    assert!(mallory.handled());
    scene.bea.awaits_note("third");
    crate::members::remove(&scene, "Mallory");
    // Written after the removal, behind what stood and beside it; and on from there.
    friend.send_run(&three.next("BEHIND"));
    let beside = one.next("EVIL beside");
    friend.send_run(&beside);
    friend.send_run(&beside.next("EVIL behind that"));
    assert!(friend.handled(), "anyone who passes on what they were given is not to blame");
    both_have_the_fork(&scene);
    scene.shows_nothing_of("BEHIND");
    scene.shows_nothing_of("EVIL");
    let titles = scene.titles();
    for title in ["first", "second", "third"] {
        assert!(titles.iter().any(|shown| shown == title), "what stood is gone: {titles:?}");
    }
    // Nor after everything was built again from the log.
    let built = scene.amara.kith(&["doctor", "--rebuild"]);
    assert!(built.stderr.contains("Rebuilt"), "{built:?}");
    scene.shows_nothing_of("BEHIND");
    scene.shows_nothing_of("EVIL");
    scene.holds();
}

/// The first note with a title, as a member's own store has it.
fn item(peer: &Peer, title: &str) -> ItemId {
    let (circle, store) = (peer.circle(), peer.store());
    let ring = peer.ring(&circle);
    for head in chain::chains(&store, &circle).expect("reads") {
        let places: Vec<EntryAt> = (head.first.max(1)..=head.seq).map(|seq| EntryAt { chain: head.no, seq }).collect();
        for entry in chain::load_many(&store, &ring, &places).expect("reads") {
            let edit =
                entry.payload.as_deref().filter(|_| head.id.class == KeyClass::Talk).map(|bytes| Edit::parse(bytes, Kind::Note));
            let titled = |op: &Op| matches!(op, Op::Set(0, Said::Text(words)) if words.0 == title);
            if edit.is_some_and(|edit| edit.is_ok_and(|edit| edit.ops.iter().any(titled))) {
                return entry.item;
            }
        }
    }
    panic!("no note is called {title}")
}

/// A hide of a note behind another entry.
fn hides(after: &Run, item: ItemId) -> Run {
    let mut run = after.next("");
    run.entry().kind = u64::from(Kind::Hide.number());
    run.entry().edit = encoded(&Edit::opening(from_now(0), Some(item), vec![Op::Set(0, Said::Flag(true))])).encode();
    run
}

fn state_of(scene: &Scene, id: &str) -> String {
    text(&scene.amara.json(&["note", "show", id, "-c", Scene::CIRCLE]), "state")
}

#[test]
fn who_was_a_facilitator_hides_nothing_more_from_below_the_cut() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let friend = Peer::member_of(&scene.amara, Scene::CIRCLE, "Friend");
    let role = |role: &str| drop(scene.amara.json(&["member", "role", "Mallory", role, "-c", Scene::CIRCLE]));
    role("facilitator");
    for title in ["harsh", "kind", "fair"] {
        scene.bea.note(title);
        mallory.awaits_note(title);
    }
    until("Mallory to know of being a facilitator", || {
        let Ok(Answer::Members(rows)) = mallory.ask(Query::Members(mallory.circle().text())) else { return None };
        rows.iter().any(|row| row.name == "Mallory" && row.role == Some(kith_protocol::control::Role::Facilitator)).then_some(())
    });
    let note = |title: &str| {
        until("the note at Amara's", || {
            let rows = scene.amara.rows(&["note", "list", "-c", Scene::CIRCLE], "notes");
            rows.iter().find(|row| text(row, "title") == title).map(|row| text(row, "id"))
        })
    };
    let (harsh, kind, fair) = (note("harsh"), note("kind"), note("fair"));
    let first = mallory.run("first");
    let rightly = hides(&first, item(&mallory, "harsh"));
    mallory.send_run(&first);
    mallory.send_run(&rightly);
    assert!(mallory.handled());
    assert_eq!(state_of(&scene, &harsh), "hidden");
    role("member");
    // By heads of when it was theirs to hide: beside what they hid then, and behind it.
    let (beside, behind) = (hides(&first, item(&mallory, "kind")), hides(&rightly, item(&mallory, "fair")));
    friend.send_run(&behind);
    friend.send_run(&beside);
    assert!(friend.handled());
    both_have_the_fork(&scene);
    let states = [&harsh, &kind, &fair].map(|id| state_of(&scene, id));
    assert_eq!(states, ["hidden", "visible", "visible"]);
    // What a member may write stands all the same, on the branch as well.
    let mut later = beside.next("as a member");
    later.entry().kind = u64::from(Kind::Note.number());
    friend.send_run(&later);
    assert!(friend.handled());
    until("a note of theirs", || scene.titles().iter().any(|title| title == "as a member").then_some(()));
    scene.holds();
}
