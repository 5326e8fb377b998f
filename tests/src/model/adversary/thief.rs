//! A stolen device of a member or steward, revoked by its owner; the thief writes backdated branches with it.

use std::collections::BTreeSet;

use kith_protocol::circle::body::{Role, Statement};
use kith_protocol::circle::membership::Rule;
use kith_protocol::id::{DeviceId, PersonId};

use super::BrokenRules;
use super::life::{found, settle};
use super::promises::{always, converges, current, faces, leaks};
use crate::dice::Dice;
use crate::model::world::{ModelWorld, View, certificate, invitation, keys, revocation};

struct Theft {
    owner: PersonId,
    others: Vec<PersonId>,
    stolen: DeviceId,
    devices: Vec<DeviceId>,
    /// Before the revocation.
    base: View,
}

/// Plays a history.
pub(super) fn play(seed: u64, off: &[Rule]) -> (ModelWorld, BrokenRules) {
    let (mut world, stewards) = found(Dice::new(seed), off, 3);
    let member = settle(&mut world, &stewards, 2);
    let owner = if seed.is_multiple_of(2) { stewards[2] } else { member[0] };
    let mut broken = BrokenRules::new();
    for _ in 0..world.dice.between(1, 3) {
        let view = world.view.clone();
        if let Some(hand) = world.device(&owner, &view) {
            let statement = certificate(world.key());
            world.now(hand, statement);
        }
    }
    let base = world.view.clone();
    let devices = world.state(&base).people[&owner].devices.clone();
    let Some(stolen) = world.dice.pick(&devices).copied() else { return (world, broken) };
    let mine: Vec<DeviceId> = devices.iter().filter(|device| **device != stolen).copied().collect();
    let Some(revoker) = world.dice.pick(&mine).copied() else { return (world, broken) };
    world.now(revoker, revocation(stolen, mine.clone()));
    let others = [world.founder, stewards[0], stewards[1], member[1]].to_vec();
    let theft = Theft { owner, others, stolen, devices, base };
    let mut recovered = None;
    for _ in 0..2 {
        wave(&mut world, &theft, &mine, &mut recovered, &mut broken);
    }
    let view = world.view.clone();
    if !converges(&mut world, &view, off) {
        broken.insert("not convergent");
    }
    (world, broken)
}

fn wave(world: &mut ModelWorld, theft: &Theft, mine: &[DeviceId], recovered: &mut Option<DeviceId>, broken: &mut BrokenRules) {
    let before = world.state(&world.view.clone());
    let (taken, socks) = steal(world, theft);
    let view = world.view.clone();
    let state = world.state(&view);
    let now = state.people[&theft.owner].devices.clone();
    if taken.iter().any(|device| now.contains(device)) {
        broken.insert("a thief's device is current");
    }
    if socks.iter().any(|p| current(&state, p).is_some()) {
        broken.insert("an accomplice got in");
    }
    if faces(&state, &theft.others) != faces(&before, &theft.others) {
        broken.insert("others were changed");
    }
    if recovered.is_none() && mine.iter().any(|d| !now.contains(d)) && current(&state, &theft.owner).is_some() {
        broken.insert("a thief's revocation counted without an opposing one");
    }
    if recovered.is_some_and(|device| now != [device]) {
        broken.insert("recovery did not hold");
    }
    if leaks(world, &view) {
        broken.insert("a device outside the roster knows the usable epoch");
    }
    always(world, &view, broken);
    if recovered.is_none() {
        // The owner's phrase: a new device, whatever the thief has done.
        let (device, next) = (world.key(), world.key());
        let statement = Statement::Recover { device: keys(device), recovery: next, keep: Vec::new() };
        let done = world.now(world.recovery[&theft.owner], statement);
        let state = world.state(&world.view.clone());
        if done.is_none() || state.people[&theft.owner].devices != [device] {
            broken.insert("recovery did not help");
        }
        *recovered = Some(device);
    }
}

/// A branch by the stolen device and what it certifies; all its keys, and whom it admitted.
fn steal(world: &mut ModelWorld, theft: &Theft) -> (Vec<DeviceId>, BTreeSet<PersonId>) {
    let mut view = theft.base.clone();
    if world.dice.chance(30) {
        let base: Vec<usize> = theft.base.iter().copied().collect();
        let past = world.dice.pick(&base).map(|x| world.past(*x).clone()).unwrap_or_default();
        if world.devices.iter().any(|(x, device)| *device == theft.stolen && past.contains(x)) {
            view = past;
        }
    }
    let (mut taken, mut socks) = (vec![theft.stolen], BTreeSet::new());
    for _ in 0..world.dice.between(1, 5) {
        let Some(hand) = world.dice.pick(&taken).copied() else { break };
        match world.dice.below(6) {
            0 => {
                let key = world.key();
                if world.act(hand, &mut view, certificate(key)).is_some() {
                    taken.push(key);
                }
            }
            1 | 2 => {
                if let Some(device) = world.dice.pick(&theft.devices).copied() {
                    world.act(hand, &mut view, revocation(device, taken.clone()));
                }
            }
            3 => {
                let (person, admission) = world.newcomer(Role::Member, None, None);
                if world.act(hand, &mut view, admission).is_some() {
                    socks.insert(person);
                }
            }
            4 => {
                world.act(hand, &mut view, Statement::Rotate);
            }
            _ => {
                let statement = invitation(Role::Member, 1, world.key());
                world.act(hand, &mut view, statement);
            }
        }
    }
    world.view.extend(view);
    (taken, socks)
}
