//! A long life: weeks in which people now and then meet, and machines are off for days.

use kith_protocol::time::{DAY, HOUR, MINUTE, SECOND};

use super::{START, Weather, check, still};
use crate::sim::fault::{Fault, Roughness};
use crate::sim::rng::Rng;
use crate::sim::world::World;

/// One seed in so many lives long.
const LONG: u64 = 16;
/// How long a world is watched in the end in which nobody does anything: longer than any retention but the longest, and no whole
/// number of days, so that nothing ends while everybody restarts.
const REST: u64 = 9 * DAY + 13 * HOUR + 7 * MINUTE;

/// Does this seed live long?
pub(super) const fn is(seed: u64) -> bool {
    seed % LONG == LONG - 3
}

/// People meet for half a minute, in bad weather; then nothing happens for hours or weeks, and some machines are off.
pub(super) fn live(world: &mut World, chance: &mut Rng) {
    world.workload.aged = true;
    if world.playing() {
        let aged = world.script.aged;
        return world.pass(aged.saturating_sub(world.now().since(START)));
    }
    for _ in 0..chance.between(3, 6) {
        if world.broken.is_some() {
            break;
        }
        meet(world, chance);
        part(world, chance);
    }
    world.script.aged = world.now().since(START);
}

fn meet(world: &mut World, chance: &mut Rng) {
    let rough = if chance.chance(60) { Roughness { every: 6_000, ..Roughness::WILD } } else { Roughness::NONE };
    world.workload.writing = true;
    world.roughen(rough, if rough.every > 0 { Weather::STORM } else { Weather::FAIR });
    world.work(true);
    world.pass(chance.between(10, 30) * SECOND);
    world.work(false);
    world.workload.writing = false;
    world.roughen(Roughness::NONE, Weather::FAIR);
}

fn part(world: &mut World, chance: &mut Rng) {
    for who in world.sound() {
        if chance.chance(25) {
            let away = if chance.chance(15) { chance.between(DAY, 20 * DAY) } else { chance.between(HOUR, 2 * DAY) };
            world.afflict(Fault::CrashNow(who, away));
        }
    }
    let span = match chance.below(10) {
        0..4 => chance.between(MINUTE, 12 * HOUR),
        4..7 => chance.between(12 * HOUR, 3 * DAY),
        7..9 => chance.between(3 * DAY, 10 * DAY),
        _ => chance.between(31 * DAY, 40 * DAY),
    };
    world.pass(span);
    let on = |who: &usize| world.machines[*who].is_on();
    for who in world.sound().into_iter().filter(on).collect::<Vec<_>>() {
        check::at_any_time(world, who);
    }
}

/// Days in which everybody is there and nobody does anything: what is over by then is gone everywhere, and next to nothing is sent.
pub(super) fn rest(world: &mut World) {
    if world.broken.is_some() {
        return;
    }
    let (known, frames) = (world.now(), world.net.frames);
    world.say("rest begins");
    world.pass(REST);
    still(world, frames, REST);
    check::destroyed(world, known);
    for who in world.sound() {
        check::kept_too_long(world, who);
    }
}
