//! The membership adversary played through whole nodes: its acts are signed with real device keys, lie in pieces on the disks of
//! honest machines and travel between them in frames. What the machines end with is what the rules say of all the acts.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::circle::act::SealedAct;
use kith_protocol::circle::membership::{Membership, State, Status, Verdict};
use kith_protocol::circle::record::{self, Record, RecordBody};
use kith_protocol::control::Member;
use kith_protocol::id::{ActId, DeviceId, PersonId};
use kith_protocol::node::{Answer, Command, Query};
use kith_protocol::planted::{Bug, plant};
use kith_protocol::private::Private;
use kith_protocol::store::{Store, StoreError};
use kith_protocol::time::{MINUTE, SECOND};
use kith_protocol::tx::{Turn, Tx};

use super::fault::Roughness;
use super::net::{Weather, Who};
use super::rng::Rng;
use super::run::Options;
use super::script::Shape;
use super::workload::{Intent, Workload};
use super::world::{START, World};
use crate::model::adversary::{BrokenRules, Coalition, history};
use crate::model::kept::keep;
use crate::model::signed::{Signed, sign};

/// Honest machines at most.
const MACHINES: usize = 4;
/// Bytes of the roster's hash that a screen shows.
const ROSTER_BYTES: usize = 16;
/// All of them have everything within this time after the network is well again.
const HEALED: u64 = 3 * MINUTE;

/// Why a history was not played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skipped {
    /// Fewer than two people are left who could talk about it.
    NobodyToTalk,
}

/// What came of a history.
#[derive(Debug)]
pub struct Played {
    /// Who attacked.
    pub coalition: Coalition,
    /// Acts in it.
    pub acts: usize,
    /// Were they signed with real keys, or with the simulator's cheap ones?
    pub real: bool,
    /// Acts that travelled: of each machine those that were not on its disk in the beginning.
    pub travelled: usize,
    /// Promises of the model that broke, before any node saw the history.
    pub broken: BrokenRules,
    /// Where a machine says something else than the rules.
    pub differs: Option<String>,
}

/// Plays a seed's history. `bug`: what is wrong with the nodes, while the rules that they are held to stay as they are.
///
/// # Errors
/// Where it was not played, and why.
///
/// # Panics
/// Where an act of it cannot be signed or kept, which is a fault of ours.
pub fn play(seed: u64, bug: Option<Bug>) -> Result<Played, Skipped> {
    let (coalition, story, broken) = history(seed, &[]);
    let mut chance = Rng::new(seed, "adversary");
    let real = (seed / 10).is_multiple_of(10); // ten seeds in a row, which have all coalitions among them
    let shape = Shape { seed, machines: MACHINES, hostile: None, real, long: false, told: true, plans: Vec::new() };
    let mut world = World::new(&shape, Workload::new(seed, Vec::new()), Options::default());
    let signed = sign(&story, world.crypto()).unwrap_or_else(|e| panic!("seed {seed}: an act {e}"));
    let mut rules = Membership::new(signed.circle);
    let refused = signed.facts.iter().filter(|fact| rules.add((*fact).clone()) != Verdict::Admissible).count();
    let expected = rules.state();
    let honest = people(&expected, &mut chance);
    if honest.len() < 2 {
        return Err(Skipped::NobodyToTalk);
    }
    let _planted = plant(bug);
    let mut travelled = 0;
    for (who, (_, device)) in honest.iter().enumerate() {
        // The last one knows everything from the start; the others what somebody knew at some moment.
        let last = who + 1 == honest.len();
        let known = if last { all(&signed) } else { moment(&signed, &rules, &honest, &mut chance) };
        travelled += signed.acts.len() - known.len();
        fill(&mut world, who, &signed, *device, &known, &honest).unwrap_or_else(|e| panic!("seed {seed}: machine {who}: {e}"));
    }
    (honest.len()..MACHINES).for_each(|who| world.machines[who].retired = true);
    // The people's rows are derived: from here on every machine keeps its own up to date.
    world.pass(SECOND);
    (0..honest.len()).for_each(|who| world.command(who, Command::Rebuild, Intent::Small(0)));
    storm(&mut world, &mut chance);
    let mut differs = (refused > 0).then(|| format!("{refused} acts are inadmissible once they are signed"));
    differs = differs.or_else(|| world.broken.as_ref().map(|broken| format!("{}: {}", broken.check, broken.what)));
    differs = differs.or_else(|| same_people(&story.membership.state(), &expected, &signed));
    for who in 0..honest.len() {
        differs = differs.or_else(|| compare(&world, who, &signed, &expected));
    }
    Ok(Played { coalition, acts: signed.acts.len(), real, travelled, broken, differs })
}

/// People who are in in the end, each with one of their devices; the founder, if in.
fn people(state: &State, chance: &mut Rng) -> Vec<(PersonId, DeviceId)> {
    let mut all: Vec<(PersonId, DeviceId)> =
        state.members().filter_map(|(id, person)| Some((*id, *chance.pick(&person.devices)?))).collect();
    while all.len() > MACHINES {
        all.remove(chance.index(all.len()));
    }
    all
}

fn all(signed: &Signed) -> BTreeSet<ActId> {
    signed.acts.iter().map(SealedAct::id).collect()
}

/// What somebody knew at some moment: some acts and all before them, among them what let all these people in, so that they may
/// talk with each other.
fn moment(signed: &Signed, rules: &Membership, honest: &[(PersonId, DeviceId)], chance: &mut Rng) -> BTreeSet<ActId> {
    let parents: BTreeMap<ActId, &[ActId]> = signed.acts.iter().map(|act| (act.id(), act.parents())).collect();
    let everything: Vec<ActId> = signed.acts.iter().map(SealedAct::id).collect();
    for _ in 0..20 {
        let mut open: Vec<ActId> = (0..chance.between(1, 3)).filter_map(|_| chance.pick(&everything).copied()).collect();
        let state = rules.state();
        open.extend(honest.iter().filter_map(|(person, _)| state.people.get(person)?.since.first().copied()));
        let mut known = BTreeSet::new();
        while let Some(id) = open.pop() {
            if known.insert(id) {
                open.extend(parents.get(&id).copied().unwrap_or_default());
            }
        }
        let heads: Vec<ActId> = known.iter().copied().collect();
        let there = rules.state_at(&heads);
        if there.is_some_and(|there| honest.iter().all(|(_, device)| there.is_current(device))) {
            return known;
        }
    }
    everything.into_iter().collect()
}

fn fill(
    world: &mut World,
    who: Who,
    signed: &Signed,
    device: DeviceId,
    known: &BTreeSet<ActId>,
    honest: &[(PersonId, DeviceId)],
) -> Result<(), StoreError> {
    let mut batch = Turn::default();
    let mut tx = Tx::new(&world.machines[who].disk, &batch);
    let acts = signed.acts.iter().filter(|act| known.contains(&act.id()));
    keep(&mut tx, signed, &device, (&format!("person {who}"), START), acts);
    let (epoch, keys) = (&signed.epoch.0, &signed.epoch.1);
    for (other, (_, device)) in honest.iter().enumerate() {
        let Some(theirs) = signed.secrets.get(device) else { continue };
        let body = RecordBody {
            at: START,
            name: Private(format!("person {other}")),
            device_name: Private(String::new()),
            peer: world.machines[other].peer.clone(),
            addresses: vec![world.machines[other].addr.clone()],
            agreement: None,
        };
        let mut rng = Rng::new(other as u64, "record");
        let record = Record::write(world.crypto(), &mut rng, &signed.circle, &theirs.sign, (epoch, &keys.roster), 1, body);
        record::put(&mut tx, &signed.circle, &record);
    }
    tx.finish().join(&mut batch);
    world.machines[who].disk.commit(&batch.writes)
}

/// Bad weather and crashes for a minute, then all is well.
fn storm(world: &mut World, chance: &mut Rng) {
    if chance.chance(50) {
        world.roughen(Roughness { every: 6_000, ..Roughness::WILD }, Weather::STORM);
        world.pass(MINUTE);
    }
    world.heal(true);
    world.pass(HEALED);
}

/// The history means the same of its people, whether its acts are plain or signed.
fn same_people(plain: &State, real: &State, signed: &Signed) -> Option<String> {
    let face = |state: &State, person: &PersonId| state.people.get(person).map(|p| (p.status, p.role, p.devices.len()));
    plain.people.keys().find_map(|person| {
        let translated = signed.people.get(person).copied().unwrap_or(*person);
        let (one, two) = (face(plain, person), face(real, &translated));
        (one != two).then(|| format!("{person:?} is {one:?} as plain facts and {two:?} signed"))
    })
}

/// A machine shows what the rules say.
fn compare(world: &World, who: Who, signed: &Signed, expected: &State) -> Option<String> {
    let ask = |query| world.machines[who].ask(world.now(), world.crypto(), query);
    let id = signed.circle.text();
    let Ok(Answer::Circles(circles)) = ask(Query::Circles) else { return Some(format!("machine {who} has no circles")) };
    let Some(circle) = circles.iter().find(|circle| circle.id == id) else {
        return Some(format!("machine {who} lost the circle"));
    };
    let hash: String = expected.roster_hash().iter().take(ROSTER_BYTES).map(|byte| format!("{byte:02x}")).collect();
    if (&circle.roster_hash, circle.frozen) != (&hash, expected.frozen) {
        let (shown, frozen) = (&circle.roster_hash, circle.frozen);
        return Some(format!(
            "machine {who} has the roster {shown}, frozen {frozen}, and not {hash}, frozen {}",
            expected.frozen
        ));
    }
    let Ok(Answer::Members(members)) = ask(Query::Members(id)) else { return Some(format!("machine {who} lists nobody")) };
    let shown: BTreeMap<String, (String, Option<String>)> = members
        .into_iter()
        .map(|Member { id, status, role, .. }| (id, (status.to_string(), role.map(|role| role.to_string()))))
        .collect();
    let due: BTreeMap<String, (String, Option<String>)> = expected
        .people
        .iter()
        .map(|(id, person)| {
            (id.text(), (status(person.status).to_owned(), person.role.map(|role| crate::model::role(role).to_owned())))
        })
        .collect();
    (shown != due).then(|| format!("machine {who} lists {shown:?} and not {due:?}"))
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Current => "current",
        Status::Suspended => "suspended",
        Status::Removed => "removed",
        Status::Left => "left",
    }
}
