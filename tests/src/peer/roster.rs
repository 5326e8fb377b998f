//! Acts and records written by hand from the byte-level specification, signed with a real member's keys, whatever they say.

use kith_protocol::circle::act::{self, ActBody, ActPlace, write_act};
use kith_protocol::circle::body::Statement;
use kith_protocol::circle::membership::person_id;
use kith_protocol::circle::record::{Record, RecordBody};
use kith_protocol::crypto::DeviceKeys;
use kith_protocol::crypto::{self, Crypto, Real, SigningKey};
use kith_protocol::id::{ActId, CircleId, PersonId};

use super::Peer;
use super::member::now;
use crate::cbor::{Cbor, array, bytes};

impl Peer {
    /// The acts that no other act names.
    ///
    /// # Panics
    /// Where the store in memory fails.
    #[must_use]
    pub fn tips(&self, circle: &CircleId) -> Vec<ActId> {
        let acts = act::acts(&self.store(), circle).expect("memory does not fail");
        let named: std::collections::BTreeSet<ActId> = acts.iter().flat_map(|act| act.parents().to_vec()).collect();
        let mut tips: Vec<ActId> = acts.iter().map(act::SealedAct::id).filter(|id| !named.contains(id)).collect();
        tips.sort_unstable();
        tips
    }

    /// An act by this member, sealed and signed as it should be, whatever it says.
    ///
    /// # Panics
    /// Where it cannot even be written.
    #[must_use]
    pub fn act(&self, body: &ActBody) -> Vec<u8> {
        let circle = self.circle();
        let parents = self.tips(&circle);
        self.act_on(parents, body).bytes().to_vec()
    }

    /// The same on other parents.
    ///
    /// # Panics
    /// Where it cannot even be written.
    #[must_use]
    pub fn act_on(&self, parents: Vec<ActId>, body: &ActBody) -> act::SealedAct {
        let circle = self.circle();
        let (epoch, keys) = self.newest_epoch(&circle);
        let place = ActPlace::In { circle, parents, epoch, roster: &keys.roster };
        let mut random = crypto::Seeded::new(super::member::fresh_seed());
        write_act(&Real, &mut random, &self.signing_key(&circle), place, body).expect("an act is written")
    }

    /// An act with any bytes as its body: sealed, signed, its id right.
    #[must_use]
    pub fn act_of_bytes(&self, body: &[u8]) -> Vec<u8> {
        let circle = self.circle();
        let signer = self.signing_key(&circle);
        let (epoch, keys) = self.newest_epoch(&circle);
        let parents = Cbor::Array(self.tips(&circle).iter().map(|tip| bytes(tip.0)).collect());
        let place = [Cbor::Uint(2), bytes(circle.0), bytes(signer.id().0), parents, bytes(epoch.0)];
        let bound: Vec<u8> = place.iter().flat_map(Cbor::encode).collect();
        let mut random = crypto::Seeded::new(super::member::fresh_seed());
        let key = crypto::derive("kith/v1/act-body", &keys.roster, &[]);
        let sealed = bytes(crypto::seal(&key, &mut random, &bound, &crypto::pad(body.to_vec())));
        let signed = [bound, sealed.encode()].concat();
        let id = crypto::hash("kith/v1/act", &[&signed]);
        let signature = Real.sign(&signer, "kith/v1/act", &[&circle.0, &id]);
        Cbor::Array(place.into_iter().chain([sealed, bytes(signature.0)]).collect()).encode()
    }

    /// A record of its own device, as it should be, whatever it says.
    ///
    /// # Panics
    /// Where it cannot even be written.
    #[must_use]
    pub fn record(&self, count: u64, body: RecordBody) -> Vec<u8> {
        let circle = self.circle();
        let (epoch, keys) = self.newest_epoch(&circle);
        let mut random = crypto::Seeded::new(super::member::fresh_seed());
        let signer = self.signing_key(&circle);
        Record::write(&Real, &mut random, &circle, &signer, (&epoch, &keys.roster), count, body).bytes
    }

    /// A record of another device that it holds the key of, with any transport id.
    #[must_use]
    pub fn record_of(&self, signer: &SigningKey, body: RecordBody) -> Vec<u8> {
        let circle = self.circle();
        let (epoch, keys) = self.newest_epoch(&circle);
        let mut random = crypto::Seeded::new(super::member::fresh_seed());
        Record::write(&Real, &mut random, &circle, signer, (&epoch, &keys.roster), 1, body).bytes
    }

    /// The public keys of a circle's founder, as everybody in it knows them.
    ///
    /// # Panics
    /// Where it does not hold the genesis.
    #[must_use]
    pub fn founder(&self) -> DeviceKeys {
        let circle = self.circle();
        let acts = act::acts(&self.store(), &circle).expect("memory does not fail");
        let ring = self.ring(&circle);
        let rings: Vec<_> = ring.iter().map(|(_, row)| row.keys.roster.clone()).collect();
        let bodies = acts.iter().filter_map(|act| rings.iter().find_map(|roster| act.open(roster)));
        let genesis = bodies.filter_map(|body| match body.statement {
            Statement::Genesis { devices, .. } => devices.into_iter().next(),
            _ => None,
        });
        genesis.into_iter().next().expect("a genesis")
    }

    /// Sends records.
    pub fn send_records(&self, records: &[Vec<u8>]) {
        self.say(5, vec![Cbor::Array(records.iter().map(bytes).collect())]);
    }

    /// What its record says, under another name.
    #[must_use]
    pub fn about(&self, name: &str) -> RecordBody {
        RecordBody {
            at: now(),
            name: name.to_owned().into(),
            device_name: String::new().into(),
            peer: self.member.id.clone(),
            addresses: Vec::new(),
            agreement: None,
        }
    }

    /// Sends acts.
    pub fn send_acts(&self, acts: &[Vec<u8>]) {
        self.say(4, vec![array([Cbor::Null, Cbor::Array(acts.iter().map(bytes).collect())])]);
    }

    /// The person that this peer is in its circle.
    #[must_use]
    pub fn person(&self) -> PersonId {
        let circle = self.circle();
        person_id(&circle, &self.signing_key(&circle).id())
    }
}
