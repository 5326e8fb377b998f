//! A history of plain facts, written again as real acts: signed with real device keys, sealed, with ids that follow from their
//! bytes. What was said of keys, people and acts is said of the real ones.

use std::collections::BTreeMap;

use kith_protocol::circle::act::{ActBody, ActPlace, SealedAct, write_act};
use kith_protocol::circle::body::{History, Motion, NewEpoch, Statement};
use kith_protocol::circle::epoch::{EpochKeys, epoch_id, new_epoch};
use kith_protocol::circle::membership::{Fact, countersign, founder_id, person_id};
use kith_protocol::crypto::DeviceKeys;
use kith_protocol::crypto::{Crypto, DeviceSecrets, Seeded, Suite};
use kith_protocol::id::{ActId, CircleId, DeviceId, EpochId, PersonId};
use kith_protocol::time::Millis;

use super::world::ModelWorld;

/// A history of real acts.
#[derive(Debug)]
pub struct Signed {
    /// The circle.
    pub circle: CircleId,
    /// Its acts, parents first.
    pub acts: Vec<SealedAct>,
    /// The same, as the resolver takes them.
    pub facts: Vec<Fact>,
    /// The epoch that all of them are sealed under, and its keys.
    pub epoch: (EpochId, EpochKeys),
    /// The secrets of each device, by its real id.
    pub secrets: BTreeMap<DeviceId, DeviceSecrets>,
    /// Who is who: real ids of the history's people.
    pub people: BTreeMap<PersonId, PersonId>,
}

/// Signs a history with these primitives.
///
/// # Errors
/// Where some act of it cannot be written or read again.
pub fn sign(world: &ModelWorld, crypto: &dyn Crypto) -> Result<Signed, String> {
    let mut seed = [0; 8];
    seed.copy_from_slice(&world.circle.0[..8]);
    let mut signer = Signer {
        crypto,
        rng: Seeded::new(u64::from_le_bytes(seed)),
        circle: CircleId([0; 32]),
        devices: BTreeMap::new(),
        acts: BTreeMap::new(),
        first: first_devices(world),
        people: BTreeMap::new(),
        epoch: None,
    };
    let (mut acts, mut facts) = (Vec::new(), Vec::new());
    for fact in &world.facts {
        let (sealed, read) = signer.write(fact).map_err(|e| format!("{:?}: {e}", fact.statement))?;
        signer.acts.insert(fact.id, sealed.id());
        acts.push(sealed);
        facts.push(read);
    }
    let secrets = signer.devices.values().map(|secrets| (secrets.sign.id(), secrets.clone())).collect();
    let epoch = signer.epoch.ok_or("no genesis")?;
    Ok(Signed { circle: signer.circle, acts, facts, epoch, secrets, people: signer.people })
}

/// The device that each person's id follows from.
fn first_devices(world: &ModelWorld) -> BTreeMap<PersonId, DeviceId> {
    let mut first = BTreeMap::new();
    for fact in &world.facts {
        if let Statement::Admit { person, devices, .. } = &fact.statement
            && let Some(keys) = devices.first()
            && person_id(&world.circle, &keys.sign) == *person
        {
            first.insert(*person, keys.sign);
        }
    }
    first
}

struct Signer<'a> {
    crypto: &'a dyn Crypto,
    rng: Seeded,
    circle: CircleId,
    devices: BTreeMap<DeviceId, DeviceSecrets>,
    acts: BTreeMap<ActId, ActId>,
    first: BTreeMap<PersonId, DeviceId>,
    people: BTreeMap<PersonId, PersonId>,
    epoch: Option<(EpochId, EpochKeys)>,
}

impl Signer<'_> {
    fn secrets(&mut self, device: &DeviceId) -> DeviceSecrets {
        let rng = &mut self.rng;
        self.devices.entry(*device).or_insert_with(|| DeviceSecrets::generate(rng, Suite::X25519)).clone()
    }

    fn device(&mut self, device: &DeviceId) -> DeviceId {
        self.secrets(device).sign.id()
    }

    fn keys(&mut self, keys: &DeviceKeys) -> DeviceKeys {
        self.secrets(&keys.sign).keys()
    }

    fn act(&self, id: &ActId) -> ActId {
        self.acts.get(id).copied().unwrap_or(*id)
    }

    fn person(&mut self, person: &PersonId) -> PersonId {
        let (circle, first) = (self.circle, self.first.get(person).copied());
        let real = first.map(|device| person_id(&circle, &self.device(&device)));
        *self.people.entry(*person).or_insert(real.unwrap_or(*person))
    }

    fn write(&mut self, fact: &Fact) -> Result<(SealedAct, Fact), String> {
        let author = self.secrets(&fact.author);
        let genesis = matches!(fact.statement, Statement::Genesis { .. });
        if genesis {
            self.people.insert(founder_id(&fact.author), founder_id(&author.sign.id()));
        }
        let mut statement = fact.statement.clone();
        self.translate(&mut statement, &fact.author);
        let made = fact.epoch.then(|| new_epoch(&mut self.rng, &[], History::SinceJoin));
        let roster = match (&self.epoch, &made) {
            (Some((_, keys)), _) => keys.roster.clone(),
            (None, Some((_, keys))) => keys.roster.clone(),
            (None, None) => return Err("there is no key to seal it under".to_owned()),
        };
        let mut parents: Vec<ActId> = fact.parents.iter().map(|id| self.act(id)).collect();
        parents.sort_unstable();
        let place = match &self.epoch {
            None => ActPlace::Genesis { roster: &roster },
            Some((epoch, _)) => ActPlace::In { circle: self.circle, parents, epoch: *epoch, roster: &roster },
        };
        let epoch: Option<NewEpoch> = made.as_ref().map(|(epoch, _)| epoch.clone());
        let body = ActBody { at: Millis(0), statement, epoch };
        let sealed =
            write_act(self.crypto, &mut self.rng, &author.sign, place, &body).map_err(|e| format!("cannot be written: {e}"))?;
        if let (None, Some((new, keys))) = (&self.epoch, made) {
            self.circle = sealed.circle();
            self.epoch = Some((epoch_id(&self.circle, &new), keys));
        }
        let body = sealed.open(&roster).ok_or("does not open")?;
        if !sealed.verify(self.crypto) || !sealed.farewell_stands(self.crypto, &body) {
            return Err("does not verify".to_owned());
        }
        let read = Fact::read(self.crypto, &sealed, body);
        Ok((sealed, read))
    }

    fn translate(&mut self, statement: &mut Statement, certifier: &DeviceId) {
        match statement {
            Statement::Genesis { devices, recovery, .. } => {
                devices.iter_mut().for_each(|keys| *keys = self.keys(keys));
                recovery.iter_mut().for_each(|key| *key = self.device(key));
            }
            Statement::Admit { person, devices, recovery, invite, proposal, .. } => {
                *person = self.person(person);
                devices.iter_mut().for_each(|keys| *keys = self.keys(keys));
                recovery.iter_mut().for_each(|key| *key = self.device(key));
                invite.iter_mut().chain(proposal).for_each(|id| *id = self.act(id));
            }
            Statement::Confirm { person, .. } | Statement::Restore { person, .. } => *person = self.person(person),
            Statement::Remove { person, proposal, .. }
            | Statement::Role { person, proposal, .. }
            | Statement::Delegate { person, proposal, .. } => {
                *person = self.person(person);
                proposal.iter_mut().for_each(|id| *id = self.act(id));
            }
            Statement::Propose { motion } => self.motion(motion),
            Statement::Vote { proposal } => *proposal = self.act(proposal),
            Statement::Policy { proposal, .. } => proposal.iter_mut().for_each(|id| *id = self.act(id)),
            Statement::Invite { key, .. } => *key = self.device(key),
            Statement::Uninvite { invite } => *invite = self.act(invite),
            Statement::Device { device, countersignature } => {
                let (secrets, circle) = (self.secrets(&device.sign), self.circle);
                let certifier = self.device(certifier);
                *countersignature = countersign(self.crypto, &secrets.sign, &circle, &certifier);
                *device = secrets.keys();
            }
            Statement::Revoke { device, keep, .. } => {
                *device = self.device(device);
                keep.iter_mut().for_each(|device| *device = self.device(device));
            }
            Statement::Recover { device, recovery, keep } => {
                *device = self.keys(device);
                *recovery = self.device(recovery);
                keep.iter_mut().for_each(|device| *device = self.device(device));
            }
            Statement::Vouch { person, device } => {
                *person = self.person(person);
                *device = self.device(device);
            }
            Statement::Revouch { person, device, vouch, proposal, recovery } => {
                *person = self.person(person);
                *device = self.keys(device);
                vouch.iter_mut().chain(proposal).for_each(|id| *id = self.act(id));
                recovery.iter_mut().for_each(|key| *key = self.device(key));
            }
            Statement::Leave | Statement::Rotate => {}
        }
    }

    fn motion(&mut self, motion: &mut Motion) {
        match motion {
            Motion::Admit(person, _) | Motion::Remove(person) | Motion::Role(person, _) | Motion::Delegate(person, _) => {
                *person = self.person(person);
            }
            Motion::Revouch(person, device) => {
                *person = self.person(person);
                *device = self.device(device);
            }
            Motion::Policy(_) => {}
        }
    }
}
