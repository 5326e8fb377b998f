//! E: entries and chains, sent to a real daemon by a member who signs whatever they like. The kit's own test shows that what it
//! writes unchanged is taken, so every refusal here is for the one field that was bent.

use kith_protocol::circle::body::{Role, Statement};
use kith_protocol::circle::record::RecordBody;
use kith_protocol::crypto::DeviceKeys;
use kith_protocol::crypto::{self, Crypto, HelloSecret, HpkeSecret, Real, Seeded, SigningKey, Suite};
use kith_protocol::id::{ActId, CircleId, DeviceId, EntryId, PeerId};
use kith_protocol::item::kind::Kind;
use kith_protocol::log::chain;
use kith_tests::cbor::{Cbor, array, bytes};
use kith_tests::peer::forge::{Run, from_now, said_now, titled};
use kith_tests::peer::guest::proof;
use kith_tests::peer::{Peer, Scene};
use kith_tests::proc::until;

/// The order of the Ed25519 group, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0x10,
];

/// The word in every title that must never be seen.
const EVIL: &str = "EVIL";

/// Sends a run, waits until it was handled, and comes back where the link was closed for it.
fn try_run(mallory: &Peer, what: &str, run: Vec<u8>) {
    mallory.send_run_bytes(run);
    settle(mallory, what);
}

fn settle(mallory: &Peer, what: &str) -> bool {
    let stands = mallory.handled();
    if !stands {
        mallory.redial();
        until(&format!("a new link after {what}"), || mallory.link().and(mallory.token()).and(mallory.their_token()));
    }
    stands
}

#[test]
fn e1_a_flipped_byte_is_refused_wherever_it_stands() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let whole = mallory.run(EVIL).bytes();
    // Every place is tried where runs are read, by a property of the core; here so many that each field is hit.
    for at in (1..whole.len()).step_by(whole.len() / 40 + 1) {
        let mut bent = whole.clone();
        bent[at] ^= 0x10;
        try_run(&mallory, "a flipped byte", bent);
    }
    scene.shows_nothing_of(EVIL);
    try_run(&mallory, "the whole run", whole);
    drop(scene.amara.awaits_note(Scene::CIRCLE, EVIL));
    scene.holds();
}

#[test]
fn e3_malleable_signatures_and_small_order_keys_are_refused() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let mut run = mallory.run(EVIL);
    let (_, last) = run.build();
    let mut signature = Real.sign(&run.signer, "kith/v1/entry", &[&run.circle.0, &last.0]).0;
    // S + L is the same scalar, written otherwise.
    let mut carry = 0_u16;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
        carry += u16::from(*byte) + u16::from(order);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    run.signature = Some(signature);
    try_run(&mallory, "a malleable signature", run.bytes());
    scene.shows_nothing_of(EVIL);

    // A steward opens an invite whose key is the neutral point, for which anybody can write a signature.
    scene.make_steward(&mallory);
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let invite = Statement::Invite { role: Role::Member, uses: 9, key: DeviceId(neutral), expires: from_now(600_000) };
    mallory.send_acts(&[mallory.act(&said_now(invite))]);
    assert!(settle(&mallory, "the invite"), "the act itself is as good as any");
    let thief = super::stranger(&scene);
    let mut zero = [0; 64];
    zero[0] = 1;
    let device = SigningKey::generate(&mut Seeded::new(5));
    thief.send(&array([4.into(), array([array([bytes(neutral), bytes(zero), bytes(device.id().0), bytes(zero)])])]));
    let answer = super::answer(&thief);
    assert_eq!(answer.at(0).number(), Some(3), "it is refused, no card: {answer:?}");
    scene.holds();
}

/// The first 16 bytes of what a device says to another where both hold a key that all can compute.
fn hello_token(circle: &CircleId, (from, to): (&[u8], &[u8]), salts: (&[u8], &[u8]), pair: [[u8; 32]; 2]) -> Vec<u8> {
    let [low, high] = if pair[0] <= pair[1] { pair } else { [pair[1], pair[0]] };
    let shared = crypto::derive("kith/v1/hello-agreement", &crypto::Key::from_bytes([0; 32]), &[&low, &high]);
    crypto::mac("kith/v1/hello-token", &shared, &[&circle.0, from, to, salts.0, salts.1])[..16].to_vec()
}

#[test]
fn e4_a_device_with_a_low_order_hello_key_is_spoken_to_with_no_key_that_all_can_compute() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    scene.make_steward(&mallory);
    let circle = mallory.circle();
    let amara = mallory.founder();
    let mut one = [0; 32];
    one[0] = 1;
    for (seed, hello) in [(1, [0; 32]), (2, one)] {
        assert!(HelloSecret::generate(&mut Seeded::new(9)).agree(&hello).is_none(), "the core agrees on nothing with it");
        let sign = SigningKey::generate(&mut Seeded::new(seed));
        let hpke = HpkeSecret::generate(&mut Seeded::new(seed), Suite::XWing).public();
        let person = kith_protocol::circle::membership::person_id(&circle, &sign.id());
        let devices = vec![DeviceKeys { sign: sign.id(), hpke, hello }];
        let admit = Statement::Admit { person, role: Role::Member, devices, recovery: None, invite: None, proposal: None };
        mallory.send_acts(&[mallory.act(&said_now(admit))]);
        // It is a member like any other; their device says that it is reached at Eve's transport id.
        let eve = Peer::named("Eve");
        let me = eve.keys().public().to_peer_id().to_bytes();
        let name = format!("low order {seed}");
        let about = RecordBody { peer: PeerId(me.clone()), ..mallory.about(&name) };
        mallory.send_records(&[mallory.record_of(&sign, about)]);
        assert!(settle(&mallory, "the admission"), "both are as good as any");
        let members = scene.amara.rows(&["member", "list", "-c", Scene::CIRCLE], "members");
        let is_it = |row: &serde_json::Value| super::text(row, "name") == name && super::text(row, "status") == "current";
        assert!(members.iter().any(is_it), "they are admitted: {members:?}");
        // Eve knows everything but a secret.
        eve.deaf(true);
        eve.dial(&kith_tests::peer::raw::address(&scene.amara, false));
        let salt = |frames: Vec<Cbor>| frames[0].at(1).at(1).as_bytes().to_vec();
        let (mine, theirs) = (salt(eve.said()), salt(eve.heard()));
        let them = eve.other_end();
        let pair = [amara.hello, hello];
        let expected = hello_token(&circle, (&them, &me), (&theirs, &mine), pair);
        let offered: Vec<Vec<u8>> = eve.heard()[1].at(1).at(0).elements().iter().map(|token| token.as_bytes().to_vec()).collect();
        assert!(offered.len() >= 8 && !offered.contains(&expected), "Eve is told which circle Amara is in");
        let mut tokens: Vec<Vec<u8>> = (1..8).map(|filler| vec![filler; 16]).collect();
        tokens.push(hello_token(&circle, (&me, &them), (&mine, &theirs), pair));
        tokens.sort_unstable();
        eve.send(&array([1.into(), array([Cbor::Array(tokens.iter().map(bytes).collect())])]));
        // What comes behind them in the same stream is answered only after them.
        eve.send(&proof(&eve, &SigningKey::generate(&mut Seeded::new(3)), &sign));
        drop(super::answer(&eve));
        let told: Vec<Option<u64>> = eve.heard().iter().map(|frame| frame.at(0).number()).collect();
        assert!(!told.contains(&Some(3)) && !told.contains(&Some(2)), "Eve is spoken to in the circle: {told:?}");
    }
    // Keys change for everybody, low-order points included: nothing must stop at them.
    let dalia = Peer::member_of(&scene.amara, Scene::CIRCLE, "Dalia");
    drop(scene.amara.json(&["member", "remove", "Dalia", "-c", Scene::CIRCLE, "--confirm", "Dalia"]));
    drop(dalia);
    scene.holds();
}

#[test]
fn e6_what_was_signed_for_one_circle_is_nothing_in_another() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let here = mallory.run(EVIL);
    let act = mallory.act(&said_now(Statement::Leave));
    let record = mallory.record(99, mallory.about(EVIL));
    // Eve is Mallory's other self, in the other circle only.
    let eve = Peer::member_of(&scene.amara, Scene::OTHER, "Eve");
    try_run(&eve, "a run of another circle", here.bytes());
    eve.send_acts(&[act]);
    settle(&eve, "an act of another circle");
    eve.say(5, vec![Cbor::Array(vec![Cbor::Bytes(record)])]);
    settle(&eve, "a record of another circle");
    // Signed and sealed by Eve for this circle, but under the name of the other.
    let mut crossed = eve.run(EVIL);
    crossed.circle = here.circle;
    try_run(&eve, "a run that names another circle", crossed.bytes());
    let notes = scene.amara.rows(&["note", "list", "-c", Scene::OTHER], "notes");
    assert!(notes.iter().all(|note| super::text(note, "title") != EVIL), "{notes:?}");
    let members = scene.amara.rows(&["member", "list", "-c", Scene::OTHER], "members");
    assert!(members.iter().all(|row| super::text(row, "name") != EVIL && super::text(row, "status") == "current"), "{members:?}");
    scene.holds();
}

#[test]
fn e7_an_old_state_shown_as_the_newest_takes_nothing_back() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let circle = mallory.circle();
    scene.bea.note("first");
    drop(scene.amara.awaits_note(Scene::CIRCLE, "first"));
    mallory.awaits_note("first");
    let old = served(&mallory);
    // A record as good as the newer one, had it not come late.
    let record = mallory.record(50, mallory.about(EVIL));
    let newer = mallory.record(51, mallory.about("Mallory the second"));
    scene.bea.note("second");
    drop(scene.amara.awaits_note(Scene::CIRCLE, "second"));
    // Mallory's own core would take back what it did not say.
    mallory.deaf(true);
    mallory.send_records(&[newer]);
    assert!(settle(&mallory, "a record"));
    let named = |name: &str| {
        let members = scene.amara.rows(&["member", "list", "-c", Scene::CIRCLE], "members");
        members.iter().any(|row| super::text(row, "name") == name)
    };
    until("the newer name at Amara's", || named("Mallory the second").then_some(()));
    // Now all that is old again: runs, a record, heads.
    for run in &old {
        try_run(&mallory, "an old run", run.clone());
    }
    mallory.send_records(&[record]);
    let chains = chain::chains(&mallory.store(), &circle).expect("memory does not fail");
    let tips = Cbor::Array(
        chains
            .iter()
            .map(|head| {
                let chain = array([bytes(head.id.device.0), bytes(head.id.incarnation.0), Cbor::Uint(2)]);
                array([chain, Cbor::Uint(1), bytes([0; 32])])
            })
            .collect(),
    );
    let none = || Cbor::Array(Vec::new());
    mallory.say(3, vec![array([none(), none(), none(), none(), tips, none()])]);
    settle(&mallory, "old heads");
    assert!(scene.titles().contains(&"first".to_owned()) && scene.titles().contains(&"second".to_owned()));
    assert!(named("Mallory the second") && !named(EVIL), "an old name is back");
    scene.holds();
}

/// Everything that a peer holds of others, as they would pass it on.
fn served(peer: &Peer) -> Vec<Vec<u8>> {
    let (store, circle) = (peer.store(), peer.circle());
    let ring = peer.ring(&circle);
    let heads = chain::chains(&store, &circle).expect("memory does not fail");
    let serve = |head: &chain::ChainHead| chain::endless::serve_branch(&store, &ring, head.no, 0, 1 << 20, None).ok()?;
    heads.iter().filter_map(serve).map(|served| served.run).collect()
}

/// A chain that is not known may begin anywhere, since newcomers read chains from their own time on; a gap inside one is never
/// jumped, and no number comes near the last one there is.
#[test]
fn e9_gaps_and_the_last_number_there_is_are_never_filled() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let begun = mallory.run("a beginning");
    try_run(&mallory, "a beginning", begun.bytes());
    for first in [3, 300, 1 << 32] {
        let mut run = begun.next(EVIL);
        (run.first, run.previous) = (first, EntryId([7; 32]));
        try_run(&mallory, "a gap", run.bytes());
    }
    for first in [0, 1 << 63, u64::MAX - 1, u64::MAX] {
        let mut run = mallory.run(EVIL);
        (run.first, run.previous) = (first, EntryId([7; 32]));
        run.entries.push(run.entries[0].clone());
        // What is not taken once is not taken twice: numbers are counted up only where they can be.
        for _ in 0..2 {
            try_run(&mallory, "a number that nobody reaches", run.bytes());
        }
        run.entries.pop();
        try_run(&mallory, "the same alone", run.bytes());
        try_run(&mallory, "the same again", run.bytes());
    }
    scene.shows_nothing_of(EVIL);
    scene.holds();
}

/// A device has a few chains, however many it invents.
#[test]
fn e9_a_thousand_chains_of_one_device_are_kept_up_to_its_quota() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    for number in 0..1_000 {
        let mut run = mallory.run("one of a thousand");
        if number % 2 == 0 {
            (run.first, run.previous) = (9, EntryId([7; 32]));
        }
        mallory.send_run(&run);
    }
    settle(&mallory, "a thousand chains");
    let kept = scene.titles().into_iter().filter(|title| title == "one of a thousand").count();
    assert!((1..=32).contains(&kept), "{kept} chains are kept");
    scene.holds();
}

#[test]
fn e10_a_wrong_previous_is_refused() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let good = mallory.run("a first one");
    try_run(&mallory, "a good run", good.bytes());
    let mut bent = good.next(EVIL);
    bent.previous = EntryId([7; 32]);
    try_run(&mallory, "a wrong previous", bent.bytes());
    let mut first = mallory.run(EVIL);
    first.previous = EntryId([7; 32]);
    try_run(&mallory, "a beginning with something before it", first.bytes());
    scene.shows_nothing_of(EVIL);
    try_run(&mallory, "the right one", good.next("a second one").bytes());
    drop(scene.amara.awaits_note(Scene::CIRCLE, "a second one"));
    scene.holds();
}

#[test]
fn e12_no_form_passes_for_another() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let run = mallory.run(EVIL);
    let act = mallory.act(&said_now(Statement::Leave));
    let record = mallory.record(9, mallory.about(EVIL));
    let link = scene.amara.field(&["invite", "new", "-c", Scene::CIRCLE], "link").into_bytes();
    for other in [act.clone(), record.clone(), link.clone()] {
        try_run(&mallory, "something else as a run", other);
    }
    for other in [run.bytes(), record.clone(), link] {
        mallory.send_acts(&[other]);
        settle(&mallory, "something else as an act");
    }
    for other in [run.bytes(), act] {
        mallory.say(5, vec![Cbor::Array(vec![Cbor::Bytes(other)])]);
        settle(&mallory, "something else as a record");
    }
    // The right id, signed by the right key for another purpose.
    let (_, last) = run.build();
    for purpose in ["kith/v1/act", "kith/v1/record", "kith/v1/prove", "kith/v1/farewell"] {
        let mut bent = run.clone();
        bent.signature = Some(Real.sign(&run.signer, purpose, &[&run.circle.0, &last.0]).0);
        try_run(&mallory, purpose, bent.bytes());
    }
    // Sealed under another class's key, or with an act as the words.
    let mut library = mallory.run(EVIL);
    library.key = mallory.newest_epoch(&library.circle).1.library;
    try_run(&mallory, "another class's key", library.bytes());
    let mut words = mallory.run(EVIL);
    words.entry().edit = record;
    try_run(&mallory, "a record as an edit", words.bytes());
    scene.shows_nothing_of(EVIL);
    scene.holds();
}

#[test]
fn e13_an_edit_that_was_not_sealed_is_not_shown() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let mut open = mallory.run(EVIL);
    open.entry().sealed = Some(titled(EVIL));
    let mut padded = mallory.run(EVIL);
    padded.entry().sealed = Some(kith_tests::peer::forge::packed(0, &titled(EVIL)));
    let mut known = mallory.run(EVIL);
    known.key = kith_protocol::crypto::Key::from_bytes([0; 32]);
    let mut empty = mallory.run(EVIL);
    empty.entry().sealed = Some(Vec::new());
    for run in [open, padded, known, empty] {
        try_run(&mallory, "an edit that was not sealed", run.bytes());
        // The chain goes on: what comes behind it in the same chain is as good as ever.
        try_run(&mallory, "the next entry", run.next("behind it").bytes());
    }
    scene.shows_nothing_of(EVIL);
    scene.holds();
}

/// Makes one field of a run hostile.
type Bend = fn(&mut Run);

#[test]
fn entries_under_heads_and_epochs_that_nobody_knows_wait_and_show_nothing() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let cases: [(&str, Bend); 5] = [
        ("unknown heads", |run| run.entry().heads = Some(vec![ActId([7; 32])])),
        ("no heads at the beginning", |run| run.entry().heads = None),
        ("seventeen heads", |run| run.entry().heads = Some((0..17).map(|n| ActId([n; 32])).collect())),
        ("an unknown epoch", |run| run.epoch = kith_protocol::id::EpochId([7; 32])),
        ("somebody else's item", |run| run.entry().creator = kith_protocol::id::PersonId([7; 32])),
    ];
    for (what, bend) in cases {
        let mut run = mallory.run(EVIL);
        bend(&mut run);
        try_run(&mallory, what, run.bytes());
    }
    let mut kind = mallory.run(EVIL);
    kind.entry().kind = 200;
    try_run(&mallory, "an unknown kind", kind.bytes());
    let mut class = mallory.run_of(Kind::Event, titled(EVIL));
    class.class = 0;
    try_run(&mallory, "the roster as a class", class.bytes());
    scene.shows_nothing_of(EVIL);
    scene.holds();
}
