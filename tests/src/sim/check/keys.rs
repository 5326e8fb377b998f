//! Who holds which keys, and who has what: looked up on the disks, not asked.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::circle::body::{ChainId, KeyClass};
use kith_protocol::circle::epoch::{EpochRow, KeyRing, Ring};
use kith_protocol::codec;
use kith_protocol::id::{CircleId, DeviceId, EpochId};
use kith_protocol::limits;
use kith_protocol::log::LogError;
use kith_protocol::log::chain::{self, ChainHead};
use kith_protocol::log::entry::EntryAt;
use kith_protocol::node::Noun;
use kith_protocol::planted::plant;
use kith_protocol::store::{MemoryStore, Read, Store, Table};
use kith_protocol::tx::{Batch, Tx};

use super::{Found, asker};
use crate::sim::net::Who;
use crate::sim::own::OwnRow;
use crate::sim::workload::{Known, my_circle};
use crate::sim::world::World;

/// A machine's own device in a circle.
fn own(world: &World, who: Who, id: &str) -> Option<(CircleId, DeviceId)> {
    let rows = world.machines[who].disk.scan(Table::Circle, &[], &[], limits::CIRCLES).ok()?;
    let rows = rows.iter().filter_map(|(_, bytes)| minicbor::decode::<OwnRow>(bytes).ok());
    let row = rows.into_iter().find(|row| row.circle.text() == id)?;
    Some((row.circle, row.secrets.sign.id()))
}

fn ring(world: &World, who: Who, circle: &CircleId) -> Ring {
    Ring::load(&world.machines[who].disk, circle).unwrap_or_default()
}

/// Something was written by somebody who knew that others are out: none of them holds the key.
pub(super) fn written(world: &mut World, who: Who, number: usize, noun: Noun, known: &Known) {
    let Some(id) = world.workload.plans[number].id.clone() else { return };
    // Where a machine was copied, the newest entry of its chain may be the copy's, who knew less.
    if world.machines.iter().any(|machine| machine.copy_of == Some(who)) || world.machines[who].copy_of.is_some() {
        return;
    }
    let Some((circle, device)) = own(world, who, &id).filter(|_| !known.out.is_empty()) else { return };
    let class = if noun == Noun::Note { KeyClass::Talk } else { KeyClass::Library };
    let Some(epoch) = newest_epoch(world, who, &circle, &device, class) else { return };
    for other in 0..world.machines.len() {
        let person = my_circle(&asker(world, other), &id).map(|mine| mine.me).unwrap_or_default();
        let holds = ring(world, other, &circle).epoch(&epoch).is_some_and(|keys| keys.class(class).is_some());
        if known.out.contains(&person) && holds {
            return world.breaks(
                "confidentiality/sealed",
                format!("machine {who} sealed under {epoch}, whose key machine {other} holds, and knew that she is out"),
            );
        }
    }
}

/// The epoch of the newest entry of one's own chain.
fn newest_epoch(world: &World, who: Who, circle: &CircleId, device: &DeviceId, class: KeyClass) -> Option<EpochId> {
    let disk = &world.machines[who].disk;
    let chains = chain::chains(disk, circle).ok()?;
    let mine = chains.into_iter().filter(|head| head.id.device == *device && head.id.class == class);
    let ring = ring(world, who, circle);
    let newest = mine.filter_map(|head| chain::load(disk, &ring, EntryAt { chain: head.no, seq: head.seq }).ok()?);
    newest.max_by_key(|entry| ring.row(&entry.epoch).map(|row| row.made_at)).map(|entry| entry.epoch)
}

/// What can be looked at on one machine's disk at any time.
pub(super) fn at_any_time(world: &World, who: Who, number: usize, id: &str) -> Option<Found> {
    let (circle, device) = own(world, who, id)?;
    let plan = &world.workload.plans[number];
    if plan.policies.history == "since-join" && who != plan.founder {
        let ring = ring(world, who, &circle);
        let first: Option<&EpochRow> = ring.iter().map(|(_, row)| row).find(|row| row.act.0 == circle.0);
        if first.is_some_and(|row| row.keys.talk.is_some()) {
            return Some(("confidentiality/history", format!("machine {who} may read what was said before its time")));
        }
    }
    bounds(world, who, &circle).or_else(|| delivered(world, who, &circle, &device, id))
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

/// What an honest machine keeps and would serve verifies for whoever starts with nothing.
pub(super) fn healed(world: &World, who: Who, id: &str) -> Option<Found> {
    let (circle, _) = own(world, who, id)?;
    let (disk, ring) = (&world.machines[who].disk, ring(world, who, &circle));
    let _sound = plant(None);
    for head in chain::chains(disk, &circle).unwrap_or_default().into_iter().filter(|head| head.parent.is_none()) {
        let (mut fresh, mut after) = (MemoryStore::default(), head.first.saturating_sub(1));
        while after < head.seq {
            let Ok(Some(served)) = chain::serve_branch(disk, &ring, head.no, after, 1 << 18, None) else { break };
            let mut batch = Batch::default();
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
