//! M: membership, attacked by members, stewards, removed people and anyone who holds a link.

use kith_protocol::circle::act::ActBody;
use kith_protocol::circle::body::History;
use kith_protocol::circle::body::{Points, Policy, Role, Statement};
use kith_protocol::circle::epoch::{BoxKeys, epoch_id, new_epoch, pack};
use kith_protocol::circle::membership::{countersign, person_id};
use kith_protocol::control::JoinStatus;
use kith_protocol::crypto::DeviceKeys;
use kith_protocol::crypto::{HelloSecret, HpkeSecret, Real, Seeded, SigningKey, Suite};
use kith_protocol::id::{CircleId, PersonId};
use kith_protocol::node::Command;
use kith_tests::cbor::{Cbor, array, bytes};
use kith_tests::peer::forge::{from_now, said_now};
use kith_tests::peer::guest::proof;
use kith_tests::peer::link::{bent, ticket_of};
use kith_tests::peer::{Peer, Scene};
use kith_tests::proc::until;

use crate::{answer, stranger, text};

const EVIL: &str = "EVIL";

/// Who is in, as somebody sees it: names, roles and standing, in order.
fn members(scene: &Scene) -> Vec<(String, String, String)> {
    let rows = scene.amara.rows(&["member", "list", "-c", Scene::CIRCLE], "members");
    // Anyone who was admitted by what became void is suspended: listed for a steward to look at, with no right at all (R7).
    let rows = rows.iter().filter(|row| text(row, "status") != "suspended");
    let mut rows: Vec<_> = rows.map(|row| (text(row, "name"), text(row, "role"), text(row, "status"))).collect();
    rows.sort();
    rows
}

pub(crate) fn remove(scene: &Scene, name: &str) {
    drop(scene.amara.json(&["member", "remove", name, "-c", Scene::CIRCLE, "--confirm", name]));
    until("the removal to arrive at Bea's", || {
        let Ok(kith_protocol::node::Answer::Members(rows)) =
            scene.bea.ask(kith_protocol::node::Query::Members(scene.bea.circle().text()))
        else {
            return None;
        };
        rows.iter().any(|row| row.name == name && row.status == kith_protocol::control::MemberStatus::Removed).then_some(())
    });
}

/// Public keys of a device that somebody made up.
fn made_up(seed: u64) -> (SigningKey, DeviceKeys) {
    let mut random = Seeded::new(seed);
    let sign = SigningKey::generate(&mut random);
    let hpke = HpkeSecret::generate(&mut random, Suite::XWing).public();
    let hello = HelloSecret::generate(&mut random).public();
    let keys = DeviceKeys { sign: sign.id(), hpke, hello };
    (sign, keys)
}

fn admit(circle: &CircleId, keys: DeviceKeys, role: Role) -> Statement {
    let person = person_id(circle, &keys.sign);
    Statement::Admit { person, role, devices: vec![keys], recovery: None, invite: None, proposal: None }
}

#[test]
fn m1_what_a_removed_member_backdates_changes_nothing_once_the_removal_is_known() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let friend = Peer::member_of(&scene.amara, Scene::CIRCLE, "Friend");
    scene.make_steward(&mallory);
    // Made while Mallory still may, held back; nobody acknowledged them.
    let circle = mallory.circle();
    let held_act = mallory.act(&said_now(admit(&circle, made_up(1).1, Role::Member)));
    let held_run = mallory.run(EVIL);
    let down = Statement::Remove { person: scene.bea.person(), points: Points::new(), proposal: None };
    let mut random = Seeded::new(3);
    let (epoch, keys) = mallory.newest_epoch(&circle);
    let (new, _) = new_epoch(&mut random, &[(epoch, &keys)], History::SinceJoin);
    let held_removal = mallory.act(&ActBody { at: from_now(0), statement: down, epoch: Some(new) });
    remove(&scene, "Mallory");
    let before = members(&scene);
    // Somebody who is in passes them on: Mallory is not listened to any more.
    friend.send_run(&held_run);
    friend.send_acts(&[held_act]);
    friend.send_acts(&[held_removal]);
    assert!(friend.handled(), "somebody who passes on what they were given is not to blame");
    assert_eq!(members(&scene), before);
    scene.shows_nothing_of(EVIL);
    scene.holds();
}

#[test]
fn m2_a_removed_member_who_goes_on_is_given_nothing_and_shown_nowhere() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let friend = Peer::member_of(&scene.amara, Scene::CIRCLE, "Friend");
    // A daemon that takes no farewell: it goes on as if nothing had happened.
    mallory.deaf(true);
    remove(&scene, "Mallory");
    let after = mallory.heard().len();
    mallory.send_run(&mallory.run(EVIL));
    mallory.say(2, vec![bytes([0; 32])]);
    let none = || Cbor::Array(Vec::new());
    mallory.say(3, vec![array([none(), none(), none(), none(), none(), none()])]);
    scene.holds();
    let told: Vec<Option<u64>> = mallory.heard().iter().skip(after).map(|frame| frame.at(1).at(1).at(0).number()).collect();
    assert!(told.iter().all(|message| matches!(message, None | Some(1))), "Mallory is told more than farewell: {told:?}");
    // On a new link, too.
    mallory.hang_up();
    mallory.deaf(false);
    mallory.dial(&kith_tests::peer::raw::address(&scene.amara, false));
    friend.send_run(&mallory.run(EVIL));
    assert!(friend.handled());
    scene.holds();
    let titles: Vec<String> = mallory.notes().into_iter().map(|note| note.title).collect();
    assert!(titles.iter().all(|title| !title.starts_with("from Amara, 1")), "Mallory reads on: {titles:?}");
    scene.shows_nothing_of(EVIL);
}

#[test]
fn m7_acts_without_the_right_to_them_are_refused() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let circle = mallory.circle();
    let before = members(&scene);
    let (me, bea) = (mallory.person(), scene.bea.person());
    let role = |person, role| Statement::Role { person, role, points: Points::new(), proposal: None };
    let forbidden = [
        admit(&circle, made_up(1).1, Role::Member),
        admit(&circle, made_up(2).1, Role::Founder),
        role(me, Role::Steward),
        role(me, Role::Founder),
        role(bea, Role::Guest),
        Statement::Remove { person: bea, points: Points::new(), proposal: None },
        Statement::Policy { set: vec![Policy::Name(EVIL.to_owned().into())], proposal: None },
        Statement::Delegate { person: me, on: true, proposal: None },
        Statement::Confirm { person: me, role: Role::Facilitator },
        Statement::Invite { role: Role::Member, uses: 9, key: made_up(3).0.id(), expires: from_now(60_000) },
        Statement::Restore { person: me, points: Points::new() },
    ];
    for statement in forbidden {
        mallory.send_acts(&[mallory.act(&said_now(statement.clone()))]);
        if !mallory.handled() {
            mallory.redial();
            mallory.synced();
        }
        assert_eq!(members(&scene), before, "{statement:?}");
    }
    // What members do not sign themselves they cannot sign for others either.
    let mut genesis = scene.amara.json(&["circle", "show", Scene::CIRCLE]);
    assert_eq!(genesis["name"].take(), Scene::CIRCLE);
    assert!(
        scene.amara.rows(&["invite", "list", "-c", Scene::CIRCLE], "invites").iter().all(|row| text(row, "role") == "member")
    );
    scene.holds();
}

#[test]
fn m8_a_steward_puts_no_device_of_their_own_under_somebody_else() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    scene.make_steward(&mallory);
    let circle = mallory.circle();
    let before = members(&scene);
    let bea = scene.bea.person();
    for (seed, person) in [(1, bea), (2, PersonId([7; 32]))] {
        let (sign, keys) = made_up(seed);
        let under = Statement::Admit {
            person,
            role: Role::Member,
            devices: vec![keys.clone()],
            recovery: None,
            invite: None,
            proposal: None,
        };
        mallory.send_acts(&[mallory.act(&said_now(under))]);
        mallory.send_acts(&[mallory.act(&said_now(Statement::Vouch { person, device: sign.id() }))]);
        mallory.send_acts(&[mallory.act(&said_now(Statement::Revouch {
            person,
            device: keys,
            vouch: None,
            proposal: None,
            recovery: None,
        }))]);
        assert!(
            mallory.handled() || {
                mallory.redial();
                mallory.synced();
                true
            }
        );
    }
    // A device that Bea's would have certified, countersigned by the device itself, signed by Mallory.
    let (sign, device) = made_up(3);
    let countersignature = countersign(&Real, &sign, &circle, &scene.bea.signing_key(&circle).id());
    mallory.send_acts(&[mallory.act(&said_now(Statement::Device { device, countersignature }))]);
    assert!(mallory.handled());
    assert_eq!(members(&scene), before);
    let devices = scene.amara.rows(&["member", "list", "-c", Scene::CIRCLE], "members");
    let of_bea = devices.iter().find(|row| text(row, "name") == "Bea").and_then(|row| row["devices"].as_array().map(Vec::len));
    assert_eq!(of_bea, Some(1), "{devices:?}");
    scene.holds();
}

#[test]
fn m11_acts_played_again_bring_nobody_back() {
    let scene = Scene::new();
    let link = scene.amara.field(&["invite", "new", "-c", Scene::CIRCLE], "link");
    let mallory = Peer::named("Mallory");
    mallory.join_by(&scene.amara, Scene::CIRCLE, &link);
    let friend = Peer::member_of(&scene.amara, Scene::CIRCLE, "Friend");
    let circle = mallory.circle();
    let old: Vec<Vec<u8>> = kith_protocol::circle::act::acts(&mallory.store(), &circle)
        .expect("memory does not fail")
        .iter()
        .map(|act| act.bytes().to_vec())
        .collect();
    remove(&scene, "Mallory");
    let before = members(&scene);
    for act in &old {
        friend.send_acts(std::slice::from_ref(act));
    }
    friend.send_acts(&old);
    assert!(friend.handled());
    assert_eq!(members(&scene), before);
    // Mallory asks again with the link by which they came in, which is used up; and somebody else to whom they gave it.
    let again = Peer::named("Mallory");
    for peer in [&mallory, &again] {
        drop(peer.accept(&link).expect("the link is read"));
        until("a refusal", || (peer.joins() == [JoinStatus::Refused]).then_some(()));
    }
    assert!(scene.amara.rows(&["invite", "pending", "-c", Scene::CIRCLE], "pending").is_empty(), "nobody waits");
    assert_eq!(members(&scene), before);
    assert!(before.iter().any(|(name, _, status)| name == "Mallory" && status == "removed"), "{before:?}");
    scene.holds();
}

#[test]
fn m13_an_expired_invite_is_refused_by_the_issuers_clock_whatever_the_guest_believes() {
    let scene = Scene::new();
    let link = crate::link_for_a_second(&scene.amara, Scene::CIRCLE);
    let status = || {
        let invites = scene.amara.rows(&["invite", "list", "-c", Scene::CIRCLE], "invites");
        invites.iter().map(|row| text(row, "status")).collect::<Vec<_>>()
    };
    until("the invite to expire", || status().contains(&"expired".to_owned()).then_some(()));
    // The link says that it never ends, as a guest with a wrong clock believes, too.
    let guest = Peer::named("Guest");
    drop(guest.accept(&bent(&link, |ticket| *ticket.at_mut(4) = Cbor::Uint(u64::MAX))).expect("the link is read"));
    until("a refusal", || (guest.joins() == [JoinStatus::Refused]).then_some(()));
    scene.holds();
}

/// A proof of a ticket's key on the newest link, for a device that somebody made up.
fn ticket(peer: &Peer, key: &SigningKey) -> Cbor {
    proof(peer, key, &SigningKey::generate(&mut Seeded::new(11)))
}

#[test]
fn m14_ten_tries_a_minute_and_no_more() {
    let scene = Scene::new();
    let eve = stranger(&scene);
    let mut seed = Seeded::new(77);
    for _ in 0..25 {
        eve.send(&ticket(&eve, &SigningKey::generate(&mut seed)));
    }
    let answers = |peer: &Peer| -> Vec<Option<u64>> {
        let frames = peer.heard();
        let answers = frames.iter().filter(|frame| frame.at(0).number() == Some(5));
        answers.map(|frame| frame.at(1).at(0).at(1).at(0).number()).collect()
    };
    until("answers to all tries", || (answers(&eve).len() == 25).then_some(()));
    let unknown = answers(&eve).iter().filter(|why| **why == Some(0)).count();
    assert_eq!((unknown, answers(&eve).last()), (10, Some(&Some(4))), "ten are looked at, the others told to wait");
    // Another link of the same peer has no more tries.
    eve.hang_up();
    eve.dial(&kith_tests::peer::raw::address(&scene.amara, false));
    eve.send(&ticket(&eve, &SigningKey::generate(&mut seed)));
    assert_eq!(answer(&eve), array([3.into(), array([4.into()])]));
    // The secret that such a try would have to hit has 128 bits; and an honest guest comes in meanwhile.
    let dalia = Peer::member_of(&scene.amara, Scene::CIRCLE, "Dalia");
    let link = scene.amara.field(&["invite", "new", "-c", Scene::CIRCLE], "link");
    assert_eq!(ticket_of(&link).at(2).as_bytes().len(), 16);
    drop(dalia);
    scene.holds();
}

#[test]
fn m14_a_valid_ticket_is_no_way_to_keep_the_issuer_busy() {
    let scene = Scene::new();
    let link = scene.amara.field(&["invite", "new", "-c", Scene::CIRCLE], "link");
    let guest = Peer::named("Guest");
    for _ in 0..10 {
        drop(guest.call(Command::PreviewInvite(link.clone())).expect("a preview"));
    }
    let refused = guest.call(Command::PreviewInvite(link)).expect_err("too many tries");
    assert!(refused.message.contains("Too many"), "{refused:?}");
    scene.holds();
}

#[test]
fn m16_a_role_that_is_none_gives_nothing_and_stops_nothing() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    scene.make_steward(&mallory);
    let before = members(&scene);
    let person = bytes(scene.bea.person().0);
    let roles = [
        Cbor::Uint(5),
        Cbor::Uint(255),
        Cbor::Uint(u64::MAX),
        Cbor::LongUint(3),
        Cbor::Raw(vec![0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        Cbor::Raw(vec![0x20]),
        Cbor::Null,
        "founder".into(),
        array([Cbor::Uint(3)]),
    ];
    let at = || Cbor::Uint(from_now(0).0);
    for role in roles {
        let points = Cbor::Map(Vec::new());
        let statement = array([5.into(), array([person.clone(), role.clone(), points])]);
        mallory.send_acts(&[mallory.act_of_bytes(&array([at(), statement]).encode())]);
        if !mallory.handled() {
            mallory.redial();
            mallory.synced();
        }
        assert_eq!(members(&scene), before, "{role:?}");
    }
    // The same by hand with a role that there is: so it is the role that is refused.
    let facilitator = array([5.into(), array([person, 2.into(), Cbor::Map(Vec::new())])]);
    mallory.send_acts(&[mallory.act_of_bytes(&array([at(), facilitator]).encode())]);
    until("a role that there is", || {
        members(&scene).iter().any(|(name, role, _)| name == "Bea" && role == "facilitator").then_some(())
    });
    scene.holds();
}

/// A rotation that says of itself that newcomers may read everything, made and handed on as the protocol asks.
#[test]
fn a_members_epoch_opens_the_past_to_no_newcomer() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let circle = mallory.circle();
    let (epoch, keys) = mallory.newest_epoch(&circle);
    let mut random = Seeded::new(41);
    let (new, fresh) = new_epoch(&mut random, &[(epoch, &keys)], History::All);
    let id = epoch_id(&circle, &new);
    let act = mallory.act(&ActBody { at: from_now(0), statement: Statement::Rotate, epoch: Some(new) });
    let keys = BoxKeys { epoch: id, roster: Some(fresh.roster), library: Some(fresh.library), talk: fresh.talk };
    let packed = pack(&Real, &mut random, Suite::XWing, &circle, &mallory.founder(), &[keys]).expect("a box");
    mallory.say(4, vec![array([bytes(packed), Cbor::Array(vec![bytes(act)])])]);
    assert!(mallory.handled());
    drop(scene.amara.json(&["note", "new", "-c", Scene::CIRCLE, "--title", "before", "x"]));
    let shown = scene.amara.json(&["circle", "show", Scene::CIRCLE]);
    assert!(shown.to_string().contains(&id.text()), "honest people write under it: {shown}");
    scene.bea.awaits_note("before");
    let late = Peer::member_of(&scene.amara, Scene::CIRCLE, "Late");
    drop(scene.amara.json(&["note", "new", "-c", Scene::CIRCLE, "--title", "after", "x"]));
    late.awaits_note("after");
    // Everybody there has told all there is to be told, Bea, who holds the keys too, among them.
    scene.bea.note("after, by Bea");
    late.awaits_note("after, by Bea");
    let held = late.ring(&circle);
    assert!(held.row(&id).is_some_and(|row| row.keys.talk.is_none()), "the key of before came");
    let titles: Vec<String> = late.notes().into_iter().map(|note| note.title).collect();
    assert!(!titles.contains(&"before".to_owned()), "{titles:?}");
    scene.holds();
}
