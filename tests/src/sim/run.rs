//! One whole run of one seed: people meet, a storm comes, all is well again, and every promise is looked at.

mod long;
mod mixed;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use kith_protocol::control::{JoinStatus, NewCircle};
use kith_protocol::node::{Answer, Command, Query};
use kith_protocol::planted::{Bug, plant};
use kith_protocol::time::{MINUTE, SECOND};
use kith_protocol::tomorrow::tomorrow;
use serde::Serialize;

use super::check;
use super::fault::Roughness;
use super::net::{Weather, Who};
use super::rng::Rng;
use super::script::{Case, Script, Shape};
use super::workload::{CANARY, Intent, Plan, Workload};
use super::world::{Broken, START, World};

/// Circles form within this time, in milliseconds, while streams break now and then.
const FORMING: u64 = 15 * MINUTE;
/// After a heal of which machines are told, all agree within this time.
const HEALED_TOLD: u64 = 2 * MINUTE;
/// After a heal that they have to find out by themselves: the longest back-off and a little.
const HEALED_UNTOLD: u64 = 15 * MINUTE;
/// How long a quiet world is watched.
const QUIET: u64 = 60 * MINUTE;
/// Frames that a stream may carry in that time although nothing happens.
const QUIET_FRAMES: u64 = 4;
/// The same where somebody was left suspended or falsely dismissed: they are called in vain, ever more seldom.
const TROUBLED_FRAMES: u64 = 20;
/// Frames that go to and fro in an hour for one person who waits to be let in: their stream ends once an hour, and they call
/// again.
const WAITING_FRAMES: u64 = 24;
/// One seed in so many runs with real signatures and boxes.
const REAL: u64 = 10;

/// How a run is to go.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Keep the trace's lines?
    pub keep_trace: bool,
    /// A bug to be found.
    pub bug: Option<Bug>,
    /// What happens, instead of what the seed would draw.
    pub script: Option<Script>,
    /// Does the next version of the program run on some of the machines while there is a storm, and on all of them afterwards?
    pub mixed: bool,
}

/// How a run went.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Did every promise hold?
    pub ok: bool,
    /// Which did not, and how it showed.
    pub broken: Option<String>,
    /// Which check noticed.
    pub check: Option<&'static str>,
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
    /// Replies, reactions and answers acknowledged that hold in the end.
    pub said: usize,
    /// How many things machines said to need a newer program, before all had it.
    pub newer: u64,
    /// Does it run real signatures and boxes, is somebody hostile in it, was a machine copied, does it live for weeks?
    pub kinds: (bool, bool, bool, bool),
    /// How many entries of each kind, by number, people wrote.
    pub entries: Vec<(u8, u64)>,
    /// What people did.
    pub deeds: Vec<(&'static str, u64)>,
    /// What every machine's doctor says in the end, where a promise broke.
    pub doctors: Vec<String>,
    /// Reasons of refusals.
    pub refusals: Vec<(String, u64)>,
    /// The world, before anything happened in it.
    #[serde(skip)]
    pub shape: Shape,
    /// What happened from outside.
    #[serde(skip)]
    pub script: Script,
    /// What broke, as a whole.
    #[serde(skip)]
    pub found: Option<Broken>,
    /// The trace, where it was kept.
    #[serde(skip)]
    pub lines: Vec<String>,
}

/// Runs a seed. A panic of the core is a broken promise like any other.
#[must_use]
pub fn run(seed: u64, options: Options) -> Report {
    play(&shape(seed), options)
}

/// Plays a script again, in its own world.
#[must_use]
pub fn replay(case: &Case, bug: Option<Bug>, keep_trace: bool) -> Report {
    play(&case.shape, Options { keep_trace, bug, script: Some(case.script.clone()), ..Options::default() })
}

/// Runs a world.
#[must_use]
pub fn play(shape: &Shape, options: Options) -> Report {
    let _planted = plant(options.bug);
    // Checks know all that any machine writes.
    let (mixed, _version) = (options.mixed, tomorrow(options.mixed));
    let mut world = World::new(shape, Workload::new(shape.seed, shape.plans.clone()), options);
    let outcome = catch_unwind(AssertUnwindSafe(|| live(&mut world, shape, mixed)));
    if let Err(why) = outcome {
        let text = why.downcast_ref::<String>().map(String::as_str).or_else(|| why.downcast_ref::<&str>().copied());
        world.breaks("availability/panic", text.unwrap_or("without words"));
    }
    report(shape.clone(), world)
}

/// Does anyone who is removed in a seed's world go on signing below the end of their chain? In one seed of three.
#[must_use]
pub fn forks_below(seed: u64) -> bool {
    Rng::new(seed, "below").below(3) == 0
}

/// Is somebody hostile in a seed's world?
#[must_use]
pub fn has_hostile(seed: u64) -> bool {
    shape(seed).hostile.is_some()
}

/// The world that a seed draws.
fn shape(seed: u64) -> Shape {
    let mut chance = Rng::new(seed, "setting");
    let machines = chance.index(3) + 2 + usize::from(chance.chance(25));
    let hostile = (machines > 2 && chance.chance(50)).then(|| chance.index(machines - 1) + 1);
    let told = Rng::new(seed, "told").chance(60);
    let real = seed % REAL == REAL - 1;
    let mut shape = Shape { seed, machines, hostile, real, long: long::is(seed), told, plans: Vec::new() };
    let mut chance = Rng::new(seed, "plan");
    let circles = 1 + usize::from(machines > 2 && chance.chance(20));
    shape.plans = (0..circles).map(|number| plan(&mut chance, number, &shape)).collect();
    shape
}

fn plan(chance: &mut Rng, founder: Who, shape: &Shape) -> Plan {
    let word = |chance: &mut Rng, from: &[&str]| (*chance.pick(from).unwrap_or(&"")).to_owned();
    let policies = NewCircle {
        name: format!("{CANARY} circle {founder}"),
        agreement: format!("{CANARY} agreement"),
        history: word(chance, &["all", "since-join"]),
        approval: word(chance, &["required", "required", "none"]),
        suite: word(chance, &["x-wing", "x25519", "x25519"]),
        ..NewCircle::default()
    };
    let retention = if shape.long { word(chance, &["keep", "days:1", "days:3", "days:7", "days:30"]) } else { String::new() };
    let policies = NewCircle { retention, ..policies };
    // Who comes late is nobody whose part in the story is a greater one.
    let late = (shape.long && shape.machines > 2).then_some(shape.machines - 1);
    let late = late.filter(|late| *late != founder && shape.hostile != Some(*late));
    let guests: BTreeSet<Who> = (0..shape.machines).filter(|who| *who != founder && Some(*who) != late).collect();
    let departures = if shape.machines > 2 { chance.index(shape.machines - 1) } else { 0 };
    let hostile = shape.hostile.filter(|who| *who != founder);
    let haste = if chance.chance(50) { 90 } else { 25 };
    let raises = hostile.is_some() && founder == 0 && chance.chance(50);
    let behind = raises && chance.chance(50);
    let departures = departures.max(usize::from(behind));
    let (gone, raised) = (BTreeSet::new(), false);
    let whole = policies.history == "all";
    Plan {
        founder,
        guests,
        late,
        whole,
        policies,
        id: None,
        gone,
        departures,
        haste,
        hostile,
        raises,
        raised,
        behind,
        loosened: false,
    }
}

fn live(world: &mut World, shape: &Shape, is_mixed: bool) {
    let mut chance = Rng::new(shape.seed, "phases");
    form(world, &mut chance);
    if is_mixed {
        mixed::begin(world, shape.seed);
    }
    storm(world, &mut chance);
    if is_mixed {
        mixed::end(world);
    }
    calm(world, shape.told);
    agree(world);
    if shape.long {
        long::live(world, &mut chance);
        calm(world, shape.told);
        agree(world);
        long::rest(world);
        agree(world);
    } else {
        quiet(world);
    }
    restart_all(world);
    rebuild(world);
    if is_mixed {
        mixed::nothing_left(world);
    }
}

fn form(world: &mut World, chance: &mut Rng) {
    let rough = if chance.chance(50) { Roughness::MILD } else { Roughness::NONE };
    let weather = Weather { breaks: u64::from(rough.every > 0), ..Weather::FAIR };
    if world.playing() {
        let formed = world.script.formed;
        return world.pass(formed.saturating_sub(world.now().since(START)));
    }
    world.roughen(rough, weather);
    world.work(true);
    let end = world.now().plus(FORMING);
    while world.broken.is_none() && !formed(world) {
        if world.now() >= end {
            world.script.formed = world.now().since(START);
            return world.breaks("availability/forming", format!("the circles do not form within {} s", FORMING / SECOND));
        }
        world.pass(SECOND);
    }
    world.script.formed = world.now().since(START);
    world.say("all are in");
}

fn formed(world: &World) -> bool {
    world.workload.formed(&|who, query| world.machines[who].recall(world.now(), world.crypto(), query))
}

fn storm(world: &mut World, chance: &mut Rng) {
    world.workload.parting = true;
    if world.playing() {
        let healed = world.script.healed;
        return world.pass(healed.saturating_sub(world.now().since(START)));
    }
    let copies = chance.chance(25);
    for _ in 0..chance.between(1, 3) {
        let weather = Weather {
            delay: chance.between(1, 60),
            jitter: chance.between(0, 1_500),
            breaks: chance.below(4),
            refuses: chance.below(40),
            doubles: chance.below(20),
        };
        world.roughen(Roughness { copies, ..Roughness::WILD }, weather);
        world.pass(chance.between(10, 45) * SECOND);
    }
    world.script.healed = world.now().since(START);
}

/// All is well; people finish what they began, then rest.
fn calm(world: &mut World, told: bool) {
    world.workload.writing = false;
    if world.broken.is_some() {
        return;
    }
    world.heal(told);
    world.pass(if told { HEALED_TOLD } else { HEALED_UNTOLD });
    world.work(false);
    world.pass(MINUTE);
}

/// Everybody shows the same, and all that was acknowledged.
fn agree(world: &mut World) {
    if world.broken.is_none() {
        for who in world.sound() {
            check::at_any_time(world, who);
        }
        check::converged(world);
    }
}

fn quiet(world: &mut World) {
    if world.broken.is_some() {
        return;
    }
    let (before, frames) = (all(world), world.net.frames);
    world.say("quiet begins");
    world.pass(QUIET);
    still(world, frames, QUIET);
    if all(world) != before {
        world.breaks("convergence/quiet", "something changes although nobody does anything");
    }
}

/// How many machines wait to be let in somewhere.
fn waiting(world: &World) -> u64 {
    let waits = |who: &Who| {
        let joins = world.machines[*who].ask(world.now(), world.crypto(), Query::Joins);
        matches!(joins, Ok(Answer::Joins(joins)) if joins.iter().any(|join| join.status != JoinStatus::Joined))
    };
    (0..world.machines.len()).filter(waits).count() as u64
}

/// For so many milliseconds nobody did anything: next to nothing was sent since there were so many frames.
fn still(world: &mut World, frames: u64, millis: u64) {
    let streams = (world.machines.len() * (world.machines.len() - 1)) as u64;
    let more = world.net.frames - frames;
    let troubled = world.machines.iter().any(|machine| machine.mask.is_some()) || check::anybody_dismissed(world);
    let hours = millis.div_ceil(QUIET);
    let usual = streams * if troubled { TROUBLED_FRAMES * hours } else { QUIET_FRAMES };
    if more > usual + WAITING_FRAMES * hours * waiting(world) {
        world.breaks("availability/quiet", format!("a quiet world sends {more} frames in {} minutes", millis / MINUTE));
    }
}

fn restart_all(world: &mut World) {
    if world.broken.is_some() {
        return;
    }
    let before = all(world);
    for who in world.sound() {
        world.crash(who, SECOND);
    }
    world.pass(5 * SECOND);
    if world.broken.is_none() && all(world) != before {
        world.breaks("durability/restart", "something differs after a restart of everybody");
    }
}

fn rebuild(world: &mut World) {
    if world.broken.is_some() {
        return;
    }
    let before = all(world);
    for who in world.sound() {
        world.command(who, Command::Rebuild, Intent::Small(0));
    }
    world.pass(30 * SECOND);
    if world.broken.is_none() && all(world) != before {
        world.breaks("convergence/rebuild", "something differs once the derived tables are built again from the log");
    }
    let doctor = |who: usize| world.machines[who].ask(world.now(), world.crypto(), Query::Doctor);
    let silent = world.sound().into_iter().find(|who| doctor(*who).is_err());
    if let Some(who) = silent {
        world.breaks("honesty/doctor", format!("machine {who}'s doctor does not answer"));
    }
}

fn all(world: &World) -> Vec<String> {
    world.sound().into_iter().map(|who| check::everything(world, who)).collect()
}

fn doctors(world: &World) -> Vec<String> {
    let mut said = Vec::new();
    for (who, machine) in world.machines.iter().enumerate().filter(|_| world.broken.is_some()) {
        match machine.ask(world.now(), world.crypto(), Query::Doctor) {
            Ok(Answer::Doctor(doctor)) => {
                said.extend(doctor.findings.iter().map(|finding| format!("m{who} {}: {}", finding.level, finding.message)));
            }
            other => said.push(format!("m{who} says nothing: {other:?}")),
        }
    }
    said
}

fn report(shape: Shape, world: World) -> Report {
    let copied = world.machines.iter().any(|machine| machine.copy_of.is_some());
    Report {
        seed: shape.seed,
        ok: world.broken.is_none(),
        broken: world.broken.as_ref().map(|broken| format!("{}: {}", broken.check, broken.what)),
        check: world.broken.as_ref().map(|broken| broken.check),
        trace: world.trace.hash(),
        seconds: world.now().since(START) / SECOND,
        events: world.counts.events,
        machines: (world.machines.len(), world.counts.boots, world.counts.faults),
        wire: (world.net.frames, world.net.bytes),
        commands: (world.counts.done, world.counts.refused),
        items: world.ledger.len(),
        said: world.ledger.said(),
        entries: world.ledger.entries.iter().map(|(kind, count)| (*kind, *count)).collect(),
        newer: world.newer,
        kinds: (shape.real, shape.hostile.is_some(), copied, shape.long),
        doctors: doctors(&world),
        deeds: world.deeds.into_iter().collect(),
        refusals: world.refusals.into_iter().collect(),
        shape,
        script: world.script,
        found: world.broken,
        lines: world.trace.lines,
    }
}
