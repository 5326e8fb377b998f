//! Who holds which keys, and who has what: looked up on the disks, not asked.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::circle::act::ActBody;
use kith_protocol::circle::body::{ChainId, KeyClass, Statement};
use kith_protocol::circle::epoch::{EpochRow, KeyRing, Ring};
use kith_protocol::codec;
use kith_protocol::crypto::DeviceKeys;
use kith_protocol::id::{ActId, CircleId, DeviceId, EpochId};
use kith_protocol::limits;
use kith_protocol::log::LogError;
use kith_protocol::log::chain::{self, ChainHead};
use kith_protocol::log::entry::{EntryAt, Opened};
use kith_protocol::planted::plant;
use kith_protocol::store::{MemoryStore, Read, Store, Table};
use kith_protocol::time::DAY;
use kith_protocol::tx::{Turn, Tx};

use super::time::SLACK;
use super::{Found, asker, items};
use crate::sim::machine::Machine;
use crate::sim::net::Who;
use crate::sim::workload::{Known, known, my_circle};
use crate::sim::world::World;

/// Keys are changed after this many days.
const ROTATE_DAYS: u64 = 30;

/// A machine's own device in a circle.
pub(super) fn own(world: &World, who: Who, id: &str) -> Option<(CircleId, DeviceId)> {
    world.machines[who].devices().into_iter().find(|(circle, _)| circle.text() == id)
}

pub(super) fn ring(world: &World, who: Who, circle: &CircleId) -> Ring {
    Ring::load(&world.machines[who].disk, circle).unwrap_or_default()
}

/// What a machine knew and had written when it was asked for something.
#[derive(Debug)]
pub struct Before {
    circle: CircleId,
    device: DeviceId,
    /// Who was in, and who was out.
    pub(super) known: Known,
    retention: Option<String>,
    guest: bool,
    reached: BTreeMap<u32, u64>,
}

impl Before {
    /// What it knows and has written now.
    #[must_use]
    pub fn of(world: &World, who: Who, number: usize) -> Option<Self> {
        let id = world.workload.plans.get(number)?.id.clone()?;
        let (circle, device) = own(world, who, &id)?;
        let mine = my_circle(&asker(world, who), &id)?;
        let reached = written_chains(world, who, &circle, &device).into_iter().map(|head| (head.no, head.seq)).collect();
        let (retention, guest) =
            (mine.policies.get("retention").cloned(), mine.role == Some(kith_protocol::control::Role::Guest));
        Some(Self { circle, device, known: known(&asker(world, who), &id), retention, guest, reached })
    }
}

fn written_chains(world: &World, who: Who, circle: &CircleId, device: &DeviceId) -> Vec<ChainHead> {
    let chains = chain::chains(&world.machines[who].disk, circle).unwrap_or_default();
    chains.into_iter().filter(|head| head.id.device == *device).collect()
}

/// A machine's own entries that it has written since.
pub(super) fn fresh(world: &World, who: Who, before: &Before) -> Vec<Opened> {
    let ring = ring(world, who, &before.circle);
    let mut found = Vec::new();
    for head in written_chains(world, who, &before.circle, &before.device) {
        let from = before.reached.get(&head.no).map_or(head.first, |seq| seq + 1).max(1);
        let places: Vec<EntryAt> = (from..=head.seq).map(|seq| EntryAt { chain: head.no, seq }).collect();
        found.extend(chain::load_many(&world.machines[who].disk, &ring, &places).unwrap_or_default());
    }
    found
}

/// What was written by somebody who knew that others are out stands under a key that none of them holds; and under one that is
/// not older than keys may be.
pub(super) fn sealed(world: &mut World, who: Who, before: &Before, fresh: &[Opened]) {
    // Where a machine was copied, the newest entries of its chain may be the copy's, who knew less.
    if world.machines.iter().any(|machine| machine.copy_of == Some(who)) || world.machines[who].copy_of.is_some() {
        return;
    }
    let (now, mine) = (world.machines[who].local(world.now()), ring(world, who, &before.circle));
    let id = before.circle.text();
    let same =
        my_circle(&asker(world, who), &id).is_some_and(|circle| circle.policies.get("retention").cloned() == before.retention);
    let days = before.retention.as_deref().filter(|_| same).and_then(|text| text.strip_prefix("days:")?.parse::<u64>().ok());
    let most = days.map_or(ROTATE_DAYS, |days| ROTATE_DAYS.min((days / 2).max(1))) * DAY + SLACK;
    let epochs: BTreeSet<(EpochId, KeyClass)> = fresh.iter().map(|entry| (entry.epoch, entry.chain.class)).collect();
    for (epoch, class) in epochs {
        // A label that lies ahead makes no key younger than the machine has seen it to be.
        let seen = world.ledger.held.get(&(who, epoch)).copied().unwrap_or(now);
        let made = mine.row(&epoch).map_or(now, |row| row.made_at).min(seen);
        if now.since(made) > most && !before.guest {
            return world.breaks("confidentiality/rotation", format!("machine {who} seals under {epoch}, made at {made}"));
        }
        for other in (0..world.machines.len()).filter(|_| !before.known.out.is_empty()) {
            let person = my_circle(&asker(world, other), &id).map(|mine| mine.me).unwrap_or_default();
            let holds = ring(world, other, &before.circle).epoch(&epoch).is_some_and(|keys| keys.class(class).is_some());
            if before.known.out.contains(&person) && holds {
                return world.breaks(
                    "confidentiality/sealed",
                    format!("machine {who} sealed under {epoch}, whose key machine {other} holds, and knew that they are out"),
                );
            }
        }
    }
}

/// What can be looked at on one machine's disk at any time.
pub(super) fn at_any_time(world: &World, who: Who, number: usize, id: &str) -> Option<Found> {
    let (circle, device) = own(world, who, id)?;
    let plan = &world.workload.plans[number];
    let strict = plan.policies.history == "since-join" && !plan.loosened && who != plan.founder;
    if strict && before_their_time(world, who, &circle, id) {
        return Some(("confidentiality/history", format!("machine {who} may read what was said before its time")));
    }
    bounds(world, who, &circle).or_else(|| delivered(world, who, &circle, &device, id))
}

/// Does a machine hold the talk key of an epoch that every admission of its owner knew of? Whatever such an epoch says of itself:
/// nobody wanted newcomers to read anything from before their time.
fn before_their_time(world: &World, who: Who, circle: &CircleId, id: &str) -> bool {
    if world.ledger.looked.get(&who) == Some(&world.machines[who].disk.people) {
        return false;
    }
    let Some(me) = my_circle(&asker(world, who), id).map(|mine| mine.me) else { return false };
    let acts = items::opened(world, who, id);
    // Somebody who asked again after a steward said yes was let in twice, as two people. The first of them is on no machine; that
    // one's welcome brought the keys that its admission made, and nothing else.
    let devices: BTreeSet<DeviceId> = world.machines.iter().flat_map(Machine::devices_ever).collect();
    let socks: BTreeSet<&String> =
        world.machines.iter().filter_map(|machine| machine.mask.as_ref()).flat_map(|mask| &mask.socks).collect();
    let on_none = |keys: &[DeviceKeys]| !keys.iter().any(|keys| devices.contains(&keys.sign));
    let replaced = |body: &ActBody| matches!(&body.statement, Statement::Admit { person, devices, .. } if on_none(devices) && !socks.contains(&person.text()));
    let replaced: BTreeSet<ActId> = acts.iter().filter(|(_, body)| replaced(body)).map(|(act, _)| act.id()).collect();
    let admits = |body: &ActBody| matches!(&body.statement, Statement::Admit { person, .. } if person.text() == me);
    let admissions: Vec<ActId> = acts.iter().filter(|(_, body)| admits(body)).map(|(act, _)| act.id()).collect();
    let parents: BTreeMap<ActId, Vec<ActId>> = acts.iter().map(|(act, _)| (act.id(), act.parents().to_vec())).collect();
    let known = |row: &EpochRow| {
        !replaced.contains(&row.act) && admissions.iter().all(|add| row.act != *add && items::before(&parents, add, &row.act))
    };
    !admissions.is_empty() && ring(world, who, circle).iter().any(|(_, row)| row.keys.talk.is_some() && known(row))
}

/// Notes which keys a machine holds by now.
pub(super) fn note(world: &mut World, who: Who) {
    let people = world.machines[who].disk.people;
    if world.ledger.looked.insert(who, people) == Some(people) {
        return;
    }
    let now = world.machines[who].local(world.now());
    for (circle, _) in world.machines[who].devices() {
        let held: Vec<EpochId> = ring(world, who, &circle).iter().map(|(id, _)| *id).collect();
        for epoch in held {
            world.ledger.held.entry((who, epoch)).or_insert(now);
        }
    }
}

/// Whatever others sent, only so much of it is kept.
fn bounds(world: &World, who: Who, circle: &CircleId) -> Option<Found> {
    let mut branches: BTreeMap<ChainId, usize> = BTreeMap::new();
    let mut sets: BTreeMap<DeviceId, BTreeSet<_>> = BTreeMap::new();
    for head in chain::chains(&world.machines[who].disk, circle).unwrap_or_default() {
        *branches.entry(head.id).or_default() += 1;
        sets.entry(head.id.device).or_default().insert((head.id.incarnation, head.id.class));
    }
    let many = branches.values().any(|count| *count > limits::BRANCHES);
    let sets = sets.values().any(|sets| sets.len() > limits::INCARNATIONS * 2);
    (many || sets).then(|| ("bounds/chains", format!("machine {who} keeps more branches or chains of a device than it should")))
}

/// What this machine believes to have reached other devices has reached them.
fn delivered(world: &World, who: Who, circle: &CircleId, device: &DeviceId, id: &str) -> Option<Found> {
    let prefix = [b"seen-by", &circle.0[..]].concat();
    let rows = world.machines[who].disk.scan(Table::Local, &prefix, &[], limits::DEVICES).ok()?;
    for (key, bytes) in rows {
        let other = DeviceId::from_slice(key.get(prefix.len()..)?)?;
        let Ok(seen) = codec::decode::<BTreeMap<ChainId, u64>>(&bytes, "delivery") else { continue };
        let honest = world.sound().into_iter().find(|m| own(world, *m, id).is_some_and(|(_, device)| device == other));
        let copied = |m: Who| world.machines.iter().any(|machine| machine.copy_of == Some(m));
        let Some(there) = honest.filter(|there| !copied(*there) && !copied(who)) else { continue };
        for (chain, seq) in seen.iter().filter(|(chain, _)| chain.device == *device) {
            let reached = chain::branches(&world.machines[there].disk, circle, chain).unwrap_or_default();
            if reached.iter().all(|head: &ChainHead| head.seq < *seq) {
                return Some(("honesty/delivered", format!("machine {who} believes that machine {there} has its entry {seq}")));
            }
        }
    }
    None
}

/// What an honest machine keeps and would serve verifies for anyone who starts with nothing.
pub(super) fn healed(world: &World, who: Who, id: &str) -> Option<Found> {
    let (circle, _) = own(world, who, id)?;
    let (disk, ring) = (&world.machines[who].disk, ring(world, who, &circle));
    let _sound = plant(None);
    for head in chain::chains(disk, &circle).unwrap_or_default().into_iter().filter(|head| head.parent.is_none()) {
        let (mut fresh, mut after) = (MemoryStore::default(), head.first.saturating_sub(1));
        while after < head.seq {
            let Ok(Some(served)) = chain::endless::serve_branch(disk, &ring, head.no, after, 1 << 18, None) else { break };
            let mut batch = Turn::default();
            let mut tx = Tx::new(&fresh, &batch);
            let keys: &dyn KeyRing = &ring;
            match chain::receive(&mut tx, world.crypto(), keys, &circle, &served.run, true) {
                Ok(_) => {}
                Err(LogError::NoKey(_)) => break,
                Err(why) => return Some(("authenticity/signed", format!("machine {who} serves what does not verify: {why}"))),
            }
            tx.finish().join(&mut batch);
            fresh.commit(&batch.writes).ok()?;
            if served.last <= after {
                break;
            }
            after = served.last;
        }
    }
    None
}
