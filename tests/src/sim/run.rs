//! One whole run of one seed: people meet, a storm comes, all is well again, and every promise is looked at.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use kith_protocol::control::NewCircle;
use kith_protocol::node::{Command, Query};
use kith_protocol::time::{MINUTE, SECOND};
use serde::Serialize;

use super::check;
use super::fault::Roughness;
use super::net::Weather;
use super::rng::Rng;
use super::workload::{CANARY, Intent, Plan, Workload};
use super::world::{START, World};

/// Circles form within this time, in milliseconds, while streams break now and then.
const FORMING: u64 = 15 * MINUTE;
/// After a heal of which machines are told, all agree within this time.
const HEALED_TOLD: u64 = 2 * MINUTE;
/// After a heal that they have to find out by themselves: the longest back-off and a little.
const HEALED_UNTOLD: u64 = 15 * MINUTE;
/// How long a quiet world is watched.
const QUIET: u64 = 30 * MINUTE;
/// Frames that a stream may carry in that time although nothing happens.
const QUIET_FRAMES: u64 = 4;

/// How a run went.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Did every promise hold?
    pub ok: bool,
    /// Which did not, and how it showed.
    pub broken: Option<String>,
    /// The run's name: equal for equal runs.
    pub trace: String,
    /// Virtual seconds.
    pub seconds: u64,
    /// Events taken.
    pub events: u64,
    /// Machines, times one was switched on, faults.
    pub machines: (usize, u64, u64),
    /// Frames and their bytes.
    pub wire: (u64, u64),
    /// Commands done and refused.
    pub commands: (u64, u64),
    /// Items acknowledged.
    pub items: usize,
    /// Reasons of refusals.
    pub refusals: Vec<(String, u64)>,
    /// The trace, where it was kept.
    #[serde(skip)]
    pub lines: Vec<String>,
}

/// Runs a seed. A panic of the core is a broken promise like any other.
#[must_use]
pub fn run(seed: u64, keep_trace: bool) -> Report {
    let mut world = world(seed, keep_trace);
    let outcome = catch_unwind(AssertUnwindSafe(|| live(&mut world, seed)));
    if let Err(why) = outcome {
        let text = why.downcast_ref::<String>().map(String::as_str).or_else(|| why.downcast_ref::<&str>().copied());
        world.breaks("availability", format!("a panic: {}", text.unwrap_or("without words")));
    }
    report(seed, world)
}

fn world(seed: u64, keep_trace: bool) -> World {
    let mut chance = Rng::new(seed, "plan");
    let machines = chance.index(3) + 2 + usize::from(chance.chance(25));
    let circles = 1 + usize::from(machines > 2 && chance.chance(25));
    let plans = (0..circles).map(|number| plan(&mut chance, number, machines)).collect();
    World::new(seed, machines, Workload::new(seed, plans), keep_trace)
}

fn plan(chance: &mut Rng, founder: usize, machines: usize) -> Plan {
    let word = |chance: &mut Rng, from: &[&str]| (*chance.pick(from).unwrap_or(&"")).to_owned();
    let policies = NewCircle {
        name: format!("{CANARY} circle {founder}"),
        agreement: format!("{CANARY} agreement"),
        history: word(chance, &["all", "since-join"]),
        approval: word(chance, &["required", "required", "none"]),
        suite: word(chance, &["x-wing", "x25519", "x25519"]),
        ..NewCircle::default()
    };
    let guests: BTreeSet<usize> = (0..machines).filter(|who| *who != founder).collect();
    let departures = if machines > 2 { chance.index(machines - 1) } else { 0 };
    Plan { founder, guests, policies, id: None, gone: BTreeSet::new(), departures }
}

fn live(world: &mut World, seed: u64) {
    let mut chance = Rng::new(seed, "phases");
    form(world, &mut chance);
    storm(world, &mut chance);
    calm(world, &mut chance);
    if world.broken.is_none() {
        check::converged(world);
    }
    quiet(world);
    restart_all(world);
    rebuild(world);
}

fn form(world: &mut World, chance: &mut Rng) {
    let rough = if chance.chance(50) { Roughness::MILD } else { Roughness { every: 0, machines: false } };
    world.roughen(rough, Weather { breaks: u64::from(rough.every > 0), ..Weather::FAIR });
    world.work(true);
    let end = world.now().plus(FORMING);
    while world.broken.is_none() && !formed(world) {
        if world.now() >= end {
            return world.breaks("availability", format!("the circles do not form within {} s", FORMING / SECOND));
        }
        world.pass(SECOND);
    }
    world.say("all are in");
}

fn formed(world: &World) -> bool {
    world.workload.formed(&|who, query| world.machines[who].ask(world.now(), world.crypto(), query))
}

fn storm(world: &mut World, chance: &mut Rng) {
    world.workload.parting = true;
    for _ in 0..chance.between(2, 5) {
        let weather = Weather {
            delay: chance.between(1, 60),
            jitter: chance.between(0, 1_500),
            breaks: chance.below(4),
            refuses: chance.below(40),
            doubles: chance.below(20),
        };
        world.roughen(Roughness::WILD, weather);
        world.pass(chance.between(20, 90) * SECOND);
    }
}

/// All is well; people finish what they began, then rest.
fn calm(world: &mut World, chance: &mut Rng) {
    let told = chance.chance(60);
    world.workload.writing = false;
    world.heal(told);
    world.pass(if told { HEALED_TOLD } else { HEALED_UNTOLD });
    world.work(false);
    world.pass(MINUTE);
}

fn quiet(world: &mut World) {
    if world.broken.is_some() {
        return;
    }
    let (before, frames) = (all(world), world.net.frames);
    world.say("quiet begins");
    world.pass(QUIET);
    let streams = (world.machines.len() * (world.machines.len() - 1)) as u64;
    let more = world.net.frames - frames;
    if more > streams * QUIET_FRAMES {
        world.breaks("availability", format!("a quiet world sends {more} frames in {} minutes", QUIET / MINUTE));
    }
    if all(world) != before {
        world.breaks("convergence", "something changes although nobody does anything");
    }
}

fn restart_all(world: &mut World) {
    if world.broken.is_some() {
        return;
    }
    let before = all(world);
    for who in 0..world.machines.len() {
        world.crash(who, SECOND);
    }
    world.pass(5 * SECOND);
    if world.broken.is_none() && all(world) != before {
        world.breaks("durability", "something differs after a restart of everybody");
    }
}

fn rebuild(world: &mut World) {
    if world.broken.is_some() {
        return;
    }
    let before = all(world);
    for who in 0..world.machines.len() {
        world.command(who, Command::Rebuild, Intent::Small(0));
    }
    world.pass(30 * SECOND);
    if world.broken.is_none() && all(world) != before {
        world.breaks("convergence", "something differs once the derived tables are built again from the log");
    }
    let doctor = |who: usize| world.machines[who].ask(world.now(), world.crypto(), Query::Doctor);
    let silent = (0..world.machines.len()).find(|who| doctor(*who).is_err());
    if let Some(who) = silent {
        world.breaks("honesty", format!("machine {who}'s doctor does not answer"));
    }
}

fn all(world: &World) -> Vec<String> {
    (0..world.machines.len()).map(|who| check::everything(world, who)).collect()
}

fn report(seed: u64, world: World) -> Report {
    Report {
        seed,
        ok: world.broken.is_none(),
        trace: world.trace.hash(),
        seconds: world.now().since(START) / SECOND,
        events: world.counts.events,
        machines: (world.machines.len(), world.counts.boots, world.counts.faults),
        wire: (world.net.frames, world.net.bytes),
        commands: (world.counts.done, world.counts.refused),
        items: world.ledger.len(),
        refusals: world.refusals.into_iter().collect(),
        broken: world.broken,
        lines: world.trace.lines,
    }
}
