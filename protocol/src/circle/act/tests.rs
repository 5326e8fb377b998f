//! Acts: written, read, bent.
#![allow(clippy::indexing_slicing, reason = "a test that fails is what a wrong index should be")]

use proptest::prelude::*;

use super::*;
use crate::circle::body::{History, Motion, Policy};
use crate::circle::epoch::{EpochKeys, epoch_id, new_epoch};
use crate::crypto::{DeviceSecrets, Real, Seeded, Suite};
use crate::id::PersonId;
use crate::store::MemoryStore;
use crate::tx::{Turn, Tx};

struct World {
    device: DeviceSecrets,
    genesis: SealedAct,
    keys: EpochKeys,
    epoch: EpochId,
    rng: Seeded,
}

fn world() -> World {
    let mut rng = Seeded::new(31);
    let device = DeviceSecrets::generate(&mut rng, Suite::X25519);
    let (epoch, keys) = new_epoch(&mut rng, &[], History::All);
    let statement =
        Statement::Genesis { devices: vec![device.keys()], policies: Vec::new(), suite: 2, recovery: None, nonce: [1; 16] };
    let body = ActBody { at: Millis(1), statement, epoch: Some(epoch.clone()) };
    let place = ActPlace::Genesis { roster: &keys.roster };
    let genesis = write_act(&Real, &mut rng, &device.sign, place, &body).expect("writes");
    let epoch = epoch_id(&genesis.circle(), &epoch);
    World { device, genesis, keys, epoch, rng }
}

impl World {
    fn write(&mut self, statement: Statement) -> (SealedAct, ActBody) {
        let body = ActBody { at: Millis(2), statement, epoch: None };
        let place = ActPlace::In {
            circle: self.genesis.circle(),
            parents: vec![self.genesis.id()],
            epoch: self.epoch,
            roster: &self.keys.roster,
        };
        (write_act(&Real, &mut self.rng, &self.device.sign, place, &body).expect("writes"), body)
    }
}

#[test]
fn an_act_comes_back_as_it_was_written() {
    let mut world = world();
    assert_eq!(world.genesis.circle().0, world.genesis.id().0);
    assert!(world.genesis.verify(&Real) && world.genesis.is_genesis());
    let (act, body) = world.write(Statement::Leave);
    let back = SealedAct::parse(act.bytes()).expect("parses");
    assert_eq!(back, act);
    assert!(back.verify(&Real));
    assert_eq!(back.open(&world.keys.roster), Some(body.clone()));
    assert_eq!(back.open(&world.keys.library), None);
    assert_eq!((back.parents(), back.epoch()), (&[world.genesis.id()][..], Some(world.epoch)));
    assert!(back.farewell_stands(&Real, &body) && back.farewell(&body).is_none());
}

#[test]
fn a_removal_carries_a_farewell_that_verifies_alone() {
    let mut world = world();
    let remove = Statement::Remove { person: PersonId([5; 32]), points: Default::default(), proposal: None };
    let (act, body) = world.write(remove);
    assert!(act.farewell_stands(&Real, &body));
    let farewell = act.farewell(&body).expect("carries one");
    let mut back = Farewell::parse(&farewell.bytes()).expect("parses");
    assert!(back.verify(&Real));
    assert_eq!((back.act, back.signer), (act.id(), world.device.sign.id()));
    back.person = PersonId([6; 32]);
    assert!(!back.verify(&Real));
    let stripped = SealedAct { farewell: None, ..act };
    assert!(!stripped.farewell_stands(&Real, &body));
}

#[test]
fn w22_w23_other_bytes_for_the_same_act_are_refused() {
    let (act, _) = world().write(Statement::Leave);
    let mut longer = act.bytes().to_vec();
    longer.push(0);
    assert_eq!(SealedAct::parse(&longer), Err(CodecError::NotCanonical));
    let mut wide = act.bytes().to_vec();
    wide.splice(1..2, [0x18, 2]);
    assert_eq!(SealedAct::parse(&wide), Err(CodecError::NotCanonical));
    let mut newer = act.bytes().to_vec();
    newer[1] = 3;
    assert_eq!(SealedAct::parse(&newer), Err(CodecError::Version(3)));
    let mut older = act.bytes().to_vec();
    older[1] = 1;
    assert_eq!(SealedAct::parse_any(&older), Err(CodecError::Version(1)));
}

#[test]
fn acts_are_kept_by_circle() {
    let mut world = world();
    let (act, _) = world.write(Statement::Leave);
    let (store, batch) = (MemoryStore::default(), Turn::default());
    let mut tx = Tx::new(&store, &batch);
    put_act(&mut tx, &world.genesis);
    put_act(&mut tx, &act);
    let circle = act.circle();
    assert_eq!(get_act(&tx, &circle, &act.id()), Ok(Some(act.clone())));
    assert_eq!(acts(&tx, &circle).expect("reads").len(), 2);
    assert!(acts(&tx, &CircleId([0; 32])).expect("reads").is_empty());
}

#[test]
fn an_act_of_a_version_to_come_is_verified_and_not_opened() {
    let mut world = world();
    let (act, _) = world.write(Statement::Leave);
    let later = of_version(&Real, &world.device.sign, &act, 99);
    assert!(later.is_newer() && later.verify(&Real) && !act.is_newer());
    assert_eq!((later.parents(), later.author(), later.circle()), (act.parents(), act.author(), act.circle()));
    assert_ne!(later.id(), act.id());
    assert_eq!((later.open(&world.keys.roster), SealedAct::parse(later.bytes())), (None, Err(CodecError::Version(99))));
    // Its version is signed: nobody makes another version of an act.
    let mut bent = act.bytes().to_vec();
    bent[1] = 9;
    assert!(!SealedAct::parse_any(&bent).expect("parses").verify(&Real));
    // One more element is not what any version has.
    let mut longer = later.bytes().to_vec();
    longer[0] += 1;
    longer.push(0xf6);
    assert!(SealedAct::parse_any(&longer).is_err());
    // A program that knows the version opens it, and one that does not says that it cannot.
    let _tomorrow = crate::tomorrow::tomorrow(true);
    let known = of_version(&Real, &world.device.sign, &act, 3);
    assert!(!known.is_newer() && SealedAct::parse(known.bytes()).is_ok());
    let _today = crate::tomorrow::tomorrow(false);
    assert!(known.is_newer());
}

#[test]
fn a_policy_that_is_not_known_is_read_and_written_as_it_came() {
    let mut world = world();
    let value = codec::decode(&[0x82, 0x01, 0x61, b'a'], "value").expect("a value");
    let set = vec![Policy::MembersInvite(true), Policy::Later(6, value)];
    let motion = Statement::Propose { motion: Motion::Policy(set.clone()) };
    for statement in [Statement::Policy { set: set.clone(), proposal: None }, motion] {
        let (act, body) = world.write(statement);
        assert_eq!(act.open(&world.keys.roster), Some(body));
    }
    assert_eq!(codec::encode(&set[1]), [0x82, 0x06, 0x82, 0x01, 0x61, b'a']);
    let read = |bytes: &[u8]| codec::decode::<Policy>(bytes, "policy");
    assert!(read(&[0x82, 0x06, 0x81, 0x18, 0x01]).is_err(), "another encoding");
    assert!(read(&[0x83, 0x06, 0x80, 0x80]).is_err() && read(&[0x82, 0x04, 0x82, 0xf5, 0xf5]).is_err(), "another shape");
    assert_eq!(read(&[0x82, 0x04, 0x81, 0xf5]), Ok(Policy::MembersInvite(true)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn e1_no_bent_act_passes(at in 0..10_000usize, bit in 0..8u32) {
        let mut world = world();
        let (act, _) = world.write(Statement::Leave);
        let mut bytes = act.bytes().to_vec();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(bent) = SealedAct::parse(&bytes) {
            prop_assert!(!bent.verify(&Real));
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(SealedAct::parse(&bytes).is_err());
        prop_assert!(Farewell::parse(&bytes).is_err());
    }
}
