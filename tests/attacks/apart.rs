//! M: people who are apart remove each other.

use kith_protocol::circle::act::{self, ActBody, SealedAct};
use kith_protocol::circle::body::{History, Motion, Points, Statement};
use kith_protocol::circle::epoch::new_epoch;
use kith_protocol::circle::membership::founder_id;
use kith_protocol::crypto::Seeded;
use kith_protocol::id::PersonId;
use kith_protocol::node::{Answer, Query};
use kith_tests::peer::forge::{from_now, said_now};
use kith_tests::peer::{Peer, raw};
use kith_tests::proc::{Home, until};
use serde_json::Value;

use crate::text;

const CIRCLE: &str = "Night shift";

fn members(home: &Home) -> Vec<Value> {
    home.rows(&["member", "list", "-c", CIRCLE], "members")
}

fn status(home: &Home, name: &str) -> String {
    members(home).iter().find(|row| text(row, "name") == name).map(|row| text(row, "status")).unwrap_or_default()
}

fn heads(home: &Home) -> Value {
    home.json(&["circle", "show", CIRCLE])["heads"].take()
}

fn heads_of(peer: &Peer) -> Value {
    let Ok(Answer::Circle(circle)) = peer.ask(Query::Circle(peer.circle().text())) else { return Value::Null };
    Value::from(circle.heads)
}

fn founder(peer: &Peer) -> PersonId {
    let acts = act::acts(&peer.store(), &peer.circle()).expect("memory does not fail");
    founder_id(&acts.iter().find(|act| act.is_genesis()).expect("a circle begins").author())
}

/// Two stewards together remove the founder: a proposal, a vote, the removal.
fn quorum_against_the_founder(bea: &Peer, chioma: &Peer) -> Vec<Vec<u8>> {
    let (circle, person) = (bea.circle(), founder(bea));
    let proposed = bea.act_on(bea.tips(&circle), &said_now(Statement::Propose { motion: Motion::Remove(person) }));
    let voted = chioma.act_on(vec![proposed.id()], &said_now(Statement::Vote { proposal: proposed.id() }));
    let (epoch, keys) = bea.newest_epoch(&circle);
    let (new, _) = new_epoch(&mut Seeded::new(4), &[(epoch, &keys)], History::SinceJoin);
    let statement = Statement::Remove { person, points: Points::new(), proposal: Some(proposed.id()) };
    let removed = bea.act_on(vec![voted.id()], &ActBody { at: from_now(0), statement, epoch: Some(new) });
    [proposed, voted, removed].iter().map(SealedAct::bytes).map(<[u8]>::to_vec).collect()
}

#[test]
fn m4_who_remove_each_other_while_apart_are_both_out_in_everybodys_eyes() {
    let (mut amara, mut dalia, mut erin) = (Home::named("Amara"), Home::named("Dalia"), Home::named("Erin"));
    amara.found(CIRCLE);
    amara.admit(CIRCLE, &dalia, "Dalia");
    amara.admit(CIRCLE, &erin, "Erin");
    let [bea, chioma] = ["Bea", "Chioma"].map(|name| {
        let peer = Peer::member_of(&amara, CIRCLE, name);
        drop(amara.json(&["member", "role", name, "steward", "-c", CIRCLE]));
        peer
    });
    until("everybody to know the same", || {
        let known = heads(&amara);
        let same = known == heads(&dalia) && known == heads(&erin) && known == heads_of(&bea) && known == heads_of(&chioma);
        same.then_some(())
    });
    let named = |home: &Home| members(home).iter().all(|row| !text(row, "name").starts_with("m-"));
    until("everybody's name", || (named(&dalia) && named(&erin)).then_some(()));
    let quorum = quorum_against_the_founder(&bea, &chioma);
    // Erin is away; the founder removes Bea, and Dalia hears of it.
    bea.deaf(true);
    chioma.deaf(true);
    erin.stop();
    drop(amara.json(&["member", "remove", "Bea", "-c", CIRCLE, "--confirm", "Bea"]));
    until("the founder's removal at Dalia's", || (status(&dalia, "Bea") == "removed").then_some(()));
    // Those two are away; Bea and Chioma remove the founder, and Erin hears of it.
    amara.stop();
    dalia.stop();
    chioma.hang_up();
    bea.hang_up();
    bea.deaf(false);
    erin.start();
    bea.dial(&raw::address(&erin, false));
    bea.synced();
    bea.send_acts(&quorum);
    until("the stewards' removal at Erin's", || (status(&erin, "Amara") == "removed").then_some(()));
    assert_eq!(status(&erin, "Bea"), "current", "Erin has heard of nothing else");
    drop((bea, chioma));
    // Both who heard one half meet: both removals stand, in the same way.
    dalia.start();
    for home in [&dalia, &erin] {
        until("both to be out", || (status(home, "Amara") == "removed" && status(home, "Bea") == "removed").then_some(()));
    }
    until("the same heads", || (heads(&dalia) == heads(&erin)).then_some(()));
    let (dalias, theirs) = (dalia.json(&["circle", "show", CIRCLE]), erin.json(&["circle", "show", CIRCLE]));
    for field in ["members", "devices", "heads", "roster_hash"] {
        assert_eq!(dalias[field], theirs[field], "{field}");
    }
    assert_eq!(status(&dalia, "Chioma"), "current");
    // People see it: in the list, and those who are in go on without the two.
    for home in [&dalia, &erin] {
        let shown = home.kith(&["member", "list", "-c", CIRCLE, "-v"]).ok().stdout;
        let out = |name: &str| shown.lines().any(|line| line.contains(name) && line.contains("removed"));
        assert!(out("Amara") && out("Bea") && !out("Chioma"), "{shown}");
    }
    drop(dalia.json(&["note", "new", "-c", CIRCLE, "--title", "without both", "x"]));
    drop(erin.awaits_note(CIRCLE, "without both"));
    amara.start();
    drop(amara.json(&["note", "new", "-c", CIRCLE, "--title", "from one who is out", "x"]));
    drop(erin.json(&["note", "new", "-c", CIRCLE, "--title", "after that", "x"]));
    drop(dalia.awaits_note(CIRCLE, "after that"));
    assert!(dalia.note(CIRCLE, "from one who is out").is_none() && erin.note(CIRCLE, "from one who is out").is_none());
    assert!(amara.note(CIRCLE, "after that").is_none());
}
