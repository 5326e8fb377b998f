//! Acts, what they say, farewells, records and boxes.

use std::collections::BTreeMap;

use kith_protocol::circle::act::{ActBody, ActPlace, Farewell, SealedAct, write_act};
use kith_protocol::circle::body::{ChainId, History, KeyClass, Motion, Point, Points, Policy, Retention, Role, Statement};
use kith_protocol::circle::epoch::{BoxKeys, EpochKeys, epoch_id, new_epoch, pack, unpack};
use kith_protocol::circle::membership::{Fact, Membership};
use kith_protocol::circle::record::{Record, RecordBody, agreement_digest};
use kith_protocol::codec;
use kith_protocol::crypto::DeviceKeys;
use kith_protocol::crypto::{DeviceSecrets, HpkeSecret, Key, Seeded, SigningKey, Suite, derive, pad, seal_with};
use kith_protocol::id::{ActId, Addr, CircleId, DeviceId, EntryId, EpochId, Incarnation, PeerId, PersonId};
use kith_protocol::private::Private;
use kith_protocol::time::Millis;

use super::super::{Form, NULL, Prepared, Target, Tree, Verdict};
use super::crypto::Trusting;

const CIRCLE: CircleId = CircleId([7; 32]);
const EPOCH: EpochId = EpochId([8; 32]);
const AT: Millis = Millis(1_795_359_600_000);

/// Acts as they travel.
pub const ACT: Target = Target { name: "act", form: Form::Cbor, words: &[], share: 1, prepare: act };
/// What acts say, sealed and signed again.
pub const ACT_BODY: Target = Target { name: "act-body", form: Form::Cbor, words: &[], share: 1, prepare: act_body };
/// Farewells.
pub const FAREWELL: Target = Target { name: "farewell", form: Form::Cbor, words: &[], share: 1, prepare: farewell };
/// Records, as they travel and inside their seal.
pub const RECORD: Target = Target { name: "record", form: Form::Cbor, words: &[], share: 1, prepare: record };
/// The keys in a box.
pub const BOX: Target = Target { name: "box", form: Form::Cbor, words: &[], share: 1, prepare: keys };

fn roster() -> Key {
    Key::from_bytes([9; 32])
}

fn device_keys(n: u8) -> DeviceKeys {
    DeviceKeys { sign: DeviceId([n; 32]), hpke: vec![n; 32], hello: [n; 32] }
}

fn points() -> Points {
    let chain = |class| ChainId { device: DeviceId([1; 32]), incarnation: Incarnation([2; 16]), class };
    let point = |seq| Point { seq, entry: EntryId([3; 32]) };
    BTreeMap::from([(chain(KeyClass::Library), vec![point(4)]), (chain(KeyClass::Talk), vec![point(2), point(9)])])
}

/// One of each.
fn statements() -> Vec<Statement> {
    let (person, proposal, invite) = (PersonId([1; 32]), Some(ActId([5; 32])), ActId([6; 32]));
    let (device, recovery, points) = (DeviceId([2; 32]), Some(DeviceId([3; 32])), points());
    let policies = vec![
        Policy::Name(Private("Night shift".to_owned())),
        Policy::Agreement(Private("Be kind.".repeat(20))),
        Policy::History(History::Days(30)),
        Policy::Retention(Retention::Days(90)),
        Policy::MembersInvite(true),
        Policy::ApprovalRequired(false),
    ];
    let role = Role::Member;
    vec![
        Statement::Genesis { devices: vec![device_keys(1)], policies: policies.clone(), suite: 1, recovery, nonce: [7; 16] },
        Statement::Admit {
            person,
            role,
            devices: vec![device_keys(2), device_keys(3)],
            recovery,
            invite: Some(invite),
            proposal: None,
        },
        Statement::Confirm { person, role },
        Statement::Remove { person, points: points.clone(), proposal },
        Statement::Leave,
        Statement::Role { person, role: Role::Steward, points: points.clone(), proposal },
        Statement::Propose { motion: Motion::Admit(person, role) },
        Statement::Propose { motion: Motion::Remove(person) },
        Statement::Propose { motion: Motion::Role(person, Role::Steward) },
        Statement::Propose { motion: Motion::Policy(policies.clone()) },
        Statement::Propose { motion: Motion::Delegate(person, true) },
        Statement::Propose { motion: Motion::Revouch(person, device) },
        Statement::Vote { proposal: ActId([5; 32]) },
        Statement::Policy { set: policies, proposal },
        Statement::Delegate { person, on: true, proposal },
        Statement::Invite { role, uses: 3, key: device, expires: AT },
        Statement::Uninvite { invite },
        Statement::Device { device: device_keys(4), countersignature: [1; 64] },
        Statement::Revoke { device, keep: vec![DeviceId([4; 32])], points: points.clone() },
        Statement::Recover { device: device_keys(5), recovery: DeviceId([6; 32]), keep: vec![device] },
        Statement::Vouch { person, device },
        Statement::Revouch { person, device: device_keys(6), vouch: Some(invite), proposal: None, recovery },
        Statement::Rotate,
        Statement::Restore { person, points },
    ]
}

fn bodies() -> Vec<ActBody> {
    let mut rng = Seeded::new(4);
    let before = EpochKeys::random(&mut rng);
    let body = |statement: Statement| {
        let genesis = matches!(statement, Statement::Genesis { .. });
        let parents: &[_] = if genesis { &[] } else { &[(EPOCH, &before)] };
        let made = matches!(statement, Statement::Genesis { .. } | Statement::Remove { .. } | Statement::Rotate);
        let epoch = made.then(|| new_epoch(&mut rng, parents, History::SinceJoin).0);
        ActBody { at: AT, statement, epoch }
    };
    statements().into_iter().map(body).collect()
}

fn acts() -> Vec<SealedAct> {
    let (mut rng, roster) = (Seeded::new(5), roster());
    let signer = SigningKey::generate(&mut rng);
    let write = |body: ActBody| {
        let place = if matches!(body.statement, Statement::Genesis { .. }) {
            ActPlace::Genesis { roster: &roster }
        } else {
            ActPlace::In { circle: CIRCLE, parents: vec![ActId([1; 32]), ActId([2; 32])], epoch: EPOCH, roster: &roster }
        };
        write_act(&Trusting, &mut rng, &signer, place, &body).expect("a sample is an act")
    };
    bodies().into_iter().map(write).collect()
}

fn act() -> Prepared {
    let samples = acts().iter().map(|act| act.bytes().to_vec()).collect();
    let judge = |bytes: &[u8]| {
        let Ok(act) = SealedAct::parse(bytes) else { return Verdict::Refused };
        assert_eq!(act.bytes(), bytes, "an act is kept as it came");
        let again = SealedAct::parse(act.bytes()).expect("what was read is read again");
        assert_eq!((again.id(), again.parents()), (act.id(), act.parents()));
        assert!(act.parents().len() <= kith_protocol::limits::HEADS && act.is_genesis() == act.parents().is_empty());
        drop(act.open(&roster()));
        Verdict::Taken
    };
    Prepared { samples, judge: Box::new(judge) }
}

/// An act around a body, by the specification: sealed and in its place, whatever the body is.
fn around(body: &[u8], genesis: bool) -> Vec<u8> {
    let id = |n: u8| Tree::Bytes(vec![n; 32]);
    let place = if genesis {
        [Tree::Uint(2), NULL, id(3), Tree::List(Vec::new()), NULL]
    } else {
        [Tree::Uint(2), Tree::Bytes(CIRCLE.0.to_vec()), id(3), Tree::List(vec![id(1), id(2)]), Tree::Bytes(EPOCH.0.to_vec())]
    };
    let bound: Vec<u8> = place.iter().flat_map(Tree::cbor).collect();
    let sealed = seal_with(&derive("kith/v1/act-body", &roster(), &[]), &[4; 24], &bound, &pad(body.to_vec()));
    let signature = || Tree::Bytes(vec![5; 64]);
    let farewell = |tree: &Tree| tree.list().get(1).is_some_and(|statement| statement.list().first() == Some(&Tree::Uint(3)));
    let mut all = place.to_vec();
    all.extend([Tree::Bytes(sealed), signature()]);
    if Tree::from_cbor(body).as_ref().is_some_and(farewell) {
        all.push(signature());
    }
    Tree::List(all).cbor()
}

fn act_body() -> Prepared {
    let samples = bodies().iter().map(codec::encode).collect();
    let judge = |bytes: &[u8]| {
        let mut verdict = Verdict::Refused;
        for genesis in [false, true] {
            let Ok(act) = SealedAct::parse(&around(bytes, genesis)) else { continue };
            let Some(body) = act.open(&roster()) else { continue };
            assert_eq!(codec::encode(&body), bytes, "what is opened is written again as it was");
            assert!(act.farewell_stands(&Trusting, &body), "a farewell that is there stands");
            if let Some(epoch) = &body.epoch {
                assert_eq!(epoch_id(&CIRCLE, epoch), epoch_id(&CIRCLE, &epoch.clone()));
            }
            let fact = Fact::read(&Trusting, &act, body);
            let mut alone = Membership::new(act.circle());
            let _: kith_protocol::circle::membership::Verdict = alone.add(fact);
            drop(alone.state());
            verdict = Verdict::Taken;
        }
        verdict
    };
    Prepared { samples, judge: Box::new(judge) }
}

fn farewell() -> Prepared {
    let written: Vec<Vec<u8>> =
        acts().iter().zip(bodies()).filter_map(|(act, body)| Some(act.farewell(&body)?.bytes())).collect();
    let judge = |bytes: &[u8]| {
        let Ok(farewell) = Farewell::parse(bytes) else { return Verdict::Refused };
        assert_eq!(farewell.bytes(), bytes, "a farewell is written again as it was");
        Verdict::taken(farewell.verify(&Trusting))
    };
    Prepared { samples: written, judge: Box::new(judge) }
}

fn record_bodies() -> Vec<RecordBody> {
    let name = |text: &str| Private(text.to_owned());
    let body = RecordBody {
        at: AT,
        name: name("Amara"),
        device_name: name("laptop"),
        peer: PeerId(vec![1; 38]),
        addresses: vec![Addr(vec![4, 127, 0, 0, 1, 6, 0, 80]); 3],
        agreement: Some(agreement_digest("Be kind.")),
    };
    vec![
        RecordBody { agreement: None, addresses: Vec::new(), ..body.clone() },
        RecordBody { name: name("Béa 👩‍👩‍👦"), ..body.clone() },
        body,
    ]
}

fn record() -> Prepared {
    let mut rng = Seeded::new(6);
    let signer = SigningKey::generate(&mut rng);
    let mut samples: Vec<Vec<u8>> = record_bodies().iter().map(codec::encode).collect();
    for (count, body) in (1..).zip(record_bodies()) {
        samples.push(Record::write(&Trusting, &mut rng, &CIRCLE, &signer, (&EPOCH, &roster()), count, body).bytes);
    }
    let judge = |bytes: &[u8]| {
        let whole = Record::peek(bytes).is_ok();
        drop(Record::read(&Trusting, &CIRCLE, &roster(), bytes));
        // As what stands in the seal of a record that is sound.
        let (device, count) = (DeviceId([3; 32]), 5_u64);
        let bound = [&CIRCLE.0[..], &device.0, &count.to_be_bytes(), &EPOCH.0].concat();
        let sealed = seal_with(&derive("kith/v1/record", &roster(), &[]), &[4; 24], &bound, bytes);
        let id = |bytes: [u8; 32]| Tree::Bytes(bytes.to_vec());
        let parts =
            vec![Tree::Uint(1), id(device.0), Tree::Uint(count), id(EPOCH.0), Tree::Bytes(sealed), Tree::Bytes(vec![5; 64])];
        let read = Record::read(&Trusting, &CIRCLE, &roster(), &Tree::List(parts).cbor());
        if let Some(record) = &read {
            assert_eq!(codec::encode(&record.body), bytes, "what is opened is written again as it was");
            assert!(record.body.name.0.chars().count() <= kith_protocol::limits::NAME_CHARS);
        }
        Verdict::taken(whole || read.is_some())
    };
    Prepared { samples, judge: Box::new(judge) }
}

fn keys() -> Prepared {
    let mut rng = Seeded::new(7);
    let secrets = DeviceSecrets::generate(&mut rng, Suite::X25519);
    let key = |n: u8| Some(Key::from_bytes([n; 32]));
    let one = |n: u8| BoxKeys {
        epoch: EpochId([n; 32]),
        roster: key(n),
        library: key(n + 1),
        talk: n.is_multiple_of(2).then(|| key(n)).flatten(),
    };
    let lists = [vec![one(1)], (1..6).map(one).collect(), vec![BoxKeys { roster: None, ..one(2) }], Vec::new()];
    let (device, hpke) = (secrets.keys(), HpkeSecret::generate(&mut rng, Suite::X25519));
    let mut samples: Vec<Vec<u8>> = lists.iter().map(codec::encode).collect();
    samples.extend(lists.iter().filter_map(|list| pack(&Trusting, &mut rng, Suite::X25519, &CIRCLE, &device, list)));
    let info = [b"kith/v1/box".as_slice(), &CIRCLE.0, &device.sign.0].concat();
    let judge = move |bytes: &[u8]| {
        let whole = unpack(&Trusting, &CIRCLE, &device.sign, &hpke, bytes).is_ok();
        let sealed = Tree::List(vec![Tree::Bytes(info.clone()), Tree::Bytes(pad(bytes.to_vec()))]).cbor();
        let boxed = Tree::List(vec![Tree::Uint(1), Tree::Uint(2), Tree::Bytes(sealed)]).cbor();
        let opened = unpack(&Trusting, &CIRCLE, &device.sign, &hpke, &boxed);
        if let Ok(keys) = &opened {
            assert_eq!(codec::encode(keys), bytes, "what is opened is written again as it was");
        }
        Verdict::taken(whole || opened.is_ok())
    };
    Prepared { samples, judge: Box::new(judge) }
}
