//! A world in which two versions of the program run: this one and the next ([`kith_protocol::tomorrow`]).
//!
//! Everybody meets with this version. Then some get the next one, and all write to each other through the storm; in the end everybody
//! has the next one, and all promises are looked at as ever: what machines of this version kept without understanding it is there.

use std::collections::BTreeSet;

use kith_protocol::node::{Answer, Query};

use crate::sim::net::Who;
use crate::sim::rng::Rng;
use crate::sim::world::World;

/// Some machines get the next version, and some do not. (Hostile ones do: what they write behind their node's back is of the next.)
pub(super) fn begin(world: &mut World, seed: u64) {
    let mut chance = Rng::new(seed, "mixed");
    let sound = world.sound();
    let mut next: BTreeSet<Who> = sound.iter().copied().filter(|_| chance.chance(50)).collect();
    let one = chance.pick(&sound).copied();
    if next.is_empty() {
        next.extend(one);
    } else if let Some(one) = one.filter(|_| next.len() == sound.len()) {
        next.remove(&one);
    }
    for who in 0..world.machines.len() {
        if next.contains(&who) || !world.is_sound(who) {
            world.update(who);
        }
    }
}

/// Everybody gets it.
pub(super) fn end(world: &mut World) {
    for who in 0..world.machines.len() {
        if world.machines[who].tomorrow == Some(false) {
            world.newer += newer(world, who);
            world.update(who);
        }
    }
}

/// Nothing is left that needs a newer program, but what somebody hostile made up.
pub(super) fn nothing_left(world: &mut World) {
    if world.broken.is_some() || world.machines.iter().any(|machine| machine.mask.is_some()) {
        return;
    }
    for who in world.sound() {
        let left = newer(world, who);
        if left > 0 {
            world.breaks(
                "honesty/newer",
                format!("machine {who} has all there is, and says that {left} things need a newer program"),
            );
        }
    }
}

fn newer(world: &World, who: Who) -> u64 {
    match world.machines[who].ask(world.now(), world.crypto(), Query::Doctor) {
        Ok(Answer::Doctor(doctor)) => doctor.newer,
        _ => 0,
    }
}
