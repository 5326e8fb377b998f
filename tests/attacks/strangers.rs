//! N: strangers who hold something old: a link out of a chat, or the keys of a circle that they were in once. What a machine
//! answers them is what anybody's answers who is in no such circle.

use kith_protocol::circle::act;
use kith_protocol::circle::body::Statement;
use kith_protocol::crypto::{self, Crypto, Key, Real, Seeded, SigningKey};
use kith_protocol::id::CircleId;
use kith_protocol::node::{Answer, Query};
use kith_tests::cbor::{Cbor, array, bytes};
use kith_tests::peer::forge::said_now;
use kith_tests::peer::guest::{proof, ticket_key};
use kith_tests::peer::{Peer, Scene, raw};
use kith_tests::proc::{Home, until};

use crate::{answer, text};

/// Somebody in Amara's circle who came last and made no link, and somebody who is in no circle at all.
struct Homes {
    scene: Scene,
    carol: Home,
    nobody: Home,
}

impl Homes {
    fn around(scene: Scene) -> Self {
        let carol = Home::named("Carol");
        let link = scene.amara.field(&["invite", "new", "-c", Scene::CIRCLE], "link");
        drop(carol.json(&["invite", "accept", &link, "--yes", "--wait=20s"]));
        until("Carol to be in", || (!carol.rows(&["circle", "list"], "circles").is_empty()).then_some(()));
        Self { scene, carol, nobody: Home::named("Nobody") }
    }

    /// What Eve sees at both who sends the same: it has to be the same.
    fn alike(&self, what: &str, send: impl Fn(&Peer)) -> Vec<Peer> {
        let [(inside, one), (outside, other)] = [&self.carol, &self.nobody].map(|home| seen(home, &send));
        assert_eq!(inside, outside, "{what}: a member, and somebody who is in no circle");
        vec![one, other]
    }
}

fn random_key(seed: u64) -> SigningKey {
    SigningKey::generate(&mut Seeded::new(seed))
}

/// The frames that a home sends somebody whom it has never met and who sends it this, up to the answer to a question asked last.
/// Of tokens, which are random, how many there are.
fn seen(home: &Home, send: impl Fn(&Peer)) -> (Vec<Vec<u8>>, Peer) {
    let eve = Peer::named("Eve");
    eve.dial(&raw::address(home, false));
    send(&eve);
    // Nobody knows this ticket, so it is answered alike everywhere, and after everything that was sent before.
    let tickets = eve.said().iter().filter(|frame| frame.at(0).number() == Some(4)).count();
    eve.send(&proof(&eve, &random_key(4), &random_key(5)));
    let answers = || eve.heard().iter().filter(|frame| frame.at(0).number() == Some(5)).count();
    until("the last answer", || (answers() > tickets).then_some(()));
    let plain = |frame: &Cbor| match frame.at(0).number() {
        Some(0) => vec![0],
        Some(1) => vec![1, u8::try_from(frame.at(1).at(0).elements().len()).expect("few")],
        _ => frame.encode(),
    };
    (eve.heard().iter().map(plain).collect(), eve)
}

/// Their streams end by themselves: nobody who proved nothing is kept.
fn are_let_go(peers: &[Peer]) {
    until("the streams to end", || peers.iter().all(|eve| eve.link().is_none()).then_some(()));
}

fn use_up(scene: &Scene, link: &str) -> Peer {
    let dalia = Peer::named("Dalia");
    dalia.join_by(&scene.amara, Scene::CIRCLE, link);
    dalia
}

#[test]
fn a_used_a_closed_and_an_expired_link_tell_of_nobody_but_their_maker() {
    let homes = Homes::around(Scene::new());
    let amara = &homes.scene.amara;
    let new = |more: &[&str]| amara.field(&[&["invite", "new", "-c", Scene::CIRCLE], more].concat(), "link");
    let (used, expired) = (new(&[]), crate::link_for_a_second(amara, Scene::CIRCLE));
    let open_before = rows(amara, "open");
    let closed = new(&[]);
    let id = rows(amara, "open").into_iter().find(|id| !open_before.contains(id)).expect("it is listed");
    drop(amara.json(&["invite", "revoke", &id, "-c", Scene::CIRCLE]));
    let dalia = use_up(&homes.scene, &used);
    until("the invite to expire", || (!rows(amara, "expired").is_empty()).then_some(()));
    let known = |home: &Home| home.rows(&["member", "list", "-c", Scene::CIRCLE], "members").len();
    until("Carol to know all of it", || (known(&homes.carol) == known(amara)).then_some(()));
    let device = dalia.signing_key(&dalia.circle());
    let mut eves = Vec::new();
    for (what, link, maker_says) in [("used", &used, 2), ("closed", &closed, 3), ("expired", &expired, 1)] {
        let ask = |eve: &Peer, device: &SigningKey| eve.send(&proof(eve, &ticket_key(link), device));
        eves.extend(homes.alike(what, |eve| ask(eve, &random_key(6))));
        let (_, maker) = seen(amara, |eve| ask(eve, &random_key(6)));
        let said: Vec<Option<u64>> =
            maker.heard().iter().filter(|f| f.at(0).number() == Some(5)).map(|f| f.at(1).at(0).at(1).at(0).number()).collect();
        assert_eq!(said, [Some(maker_says), Some(0)], "the one whose link it is says how it stands");
        eves.push(maker);
    }
    // The one who came by it was removed: the link and the device that was let in by it tell no more than the link alone.
    drop(amara.json(&["member", "remove", "Dalia", "-c", Scene::CIRCLE, "--confirm", "Dalia"]));
    until("the removal at Carol's", || {
        let members = homes.carol.rows(&["member", "list", "-c", Scene::CIRCLE], "members");
        members.iter().any(|row| text(row, "name") == "Dalia" && text(row, "status") == "removed").then_some(())
    });
    eves.extend(homes.alike("a removed device", |eve| eve.send(&proof(eve, &ticket_key(&used), &device))));
    are_let_go(&eves);
    homes.scene.holds();
}

/// Ids of the invites of a status.
fn rows(home: &Home, status: &str) -> Vec<String> {
    let invites = home.rows(&["invite", "list", "-c", Scene::CIRCLE], "invites");
    invites.iter().filter(|row| text(row, "status") == status).map(|row| text(row, "id")).collect()
}

/// What somebody keeps of a circle who was in it: all it takes to introduce oneself there.
struct Kept {
    circle: CircleId,
    meeting: Key,
    acts: Vec<Vec<u8>>,
    device: SigningKey,
    record: Vec<u8>,
    leave: Vec<u8>,
}

impl Kept {
    fn by(mallory: &Peer) -> Self {
        let circle = mallory.circle();
        let acts = act::acts(&mallory.store(), &circle).expect("reads");
        let genesis = acts.iter().find(|act| act.is_genesis()).expect("a genesis");
        let ring = mallory.ring(&circle);
        let roster =
            ring.iter().map(|(_, row)| row.keys.roster.clone()).find(|key| genesis.open(key).is_some()).expect("its key");
        Self {
            circle,
            meeting: crypto::derive("kith/v1/meeting", &roster, &[&circle.0]),
            acts: acts.iter().map(|act| act.bytes().to_vec()).collect(),
            device: mallory.signing_key(&circle),
            record: mallory.record(50, mallory.about("Mallory")),
            leave: mallory.act(&said_now(Statement::Leave)),
        }
    }

    /// An introduction on Eve's newest link.
    fn intro(&self, eve: &Peer, acts: &[Vec<u8>], record: &[u8], gone: bool) -> Cbor {
        let salt = |frames: Vec<Cbor>| {
            let hello = frames.into_iter().find(|frame| frame.at(0).number() == Some(0)).expect("a hello");
            hello.at(1).at(1).as_bytes().to_vec()
        };
        let (mine, theirs) = (salt(eve.said()), salt(eve.heard()));
        let acts = Cbor::Array(acts.iter().map(bytes).collect());
        let mut fields = vec![acts, bytes(record)];
        if gone {
            let (me, them) = (eve.keys().public().to_peer_id().to_bytes(), eve.other_end());
            let device = self.device.id();
            let parts: [&[u8]; 6] = [&self.circle.0, &device.0, &me, &them, &mine, &theirs];
            fields.push(array([bytes(device.0), bytes(Real.sign(&self.device, "kith/v1/gone", &parts).0)]));
        }
        let sealed = crypto::seal(&self.meeting, &mut Seeded::new(3), &mine, &Cbor::Array(fields).encode());
        array([2.into(), array([bytes(sealed)])])
    }
}

#[test]
fn an_introduction_by_a_removed_member_tells_of_nobody() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let kept = Kept::by(&mallory);
    drop(scene.amara.json(&["member", "remove", "Mallory", "-c", Scene::CIRCLE, "--confirm", "Mallory"]));
    until("the removal to arrive at Bea's", || {
        let Ok(Answer::Members(rows)) = scene.bea.ask(Query::Members(scene.bea.circle().text())) else { return None };
        rows.iter().any(|row| row.name == "Mallory" && row.status == kith_protocol::control::MemberStatus::Removed).then_some(())
    });
    let homes = Homes::around(scene);
    let left = [kept.acts.clone(), vec![kept.leave.clone()]].concat();
    let last = |count: usize| left[left.len() - count..].to_vec();
    let mut eves = Vec::new();
    eves.extend(homes.alike("nothing in it", |eve| eve.send(&kept.intro(eve, &[], &[], false))));
    eves.extend(homes.alike("what Mallory knew", |eve| eve.send(&kept.intro(eve, &kept.acts, &kept.record, false))));
    eves.extend(homes.alike("a leave", |eve| eve.send(&kept.intro(eve, &last(1), &[], false))));
    eves.extend(homes.alike("the device's own word", |eve| eve.send(&kept.intro(eve, &last(1), &[], true))));
    eves.extend(homes.alike("many", |eve| (0..40).for_each(|_| eve.send(&kept.intro(eve, &last(2), &kept.record, true)))));
    // Amara knew Mallory: the device itself is handed its farewell, anybody else nothing.
    let mut told = |gone: bool| {
        let (frames, eve) = seen(&homes.scene.amara, |eve| eve.send(&kept.intro(eve, &last(1), &[], gone)));
        eves.push(eve);
        frames.len()
    };
    assert_eq!((told(false), told(true)), (3, 4));
    are_let_go(&eves);
    homes.scene.holds();
}

/// The same work in every home, and the same stream: what opens nowhere is not told from what is not even sealed.
#[test]
fn an_introduction_that_opens_nowhere_is_answered_by_nobody() {
    let homes = Homes::around(Scene::new());
    let intro = |length: usize| array([2.into(), array([Cbor::Bytes(vec![7; length])])]);
    for length in [0, 15, 40, 700, 14 << 10] {
        drop(homes.alike("garbage", |eve| eve.send(&intro(length))));
    }
    let eve = Peer::named("Eve");
    eve.dial(&raw::address(&homes.carol, false));
    eve.send(&proof(&eve, &random_key(4), &random_key(5)));
    assert_eq!(answer(&eve), array([3.into(), array([0.into()])]));
}
