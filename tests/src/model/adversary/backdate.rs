//! The expelled write backdated branches.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::circle::body::{Motion, Policy, Role, Statement};
use kith_protocol::circle::membership::{Rule, State, Status};
use kith_protocol::id::{DeviceId, PersonId};

use super::life::{Story, build, live};
use super::promises::{always, converges, current, faces, leaks, status};
use super::{BrokenRules, Coalition};
use crate::dice::Dice;
use crate::model::world::{ModelWorld, View, certificate, keys, revocation};

/// Plays a history of so many waves.
pub(super) fn play(seed: u64, off: &[Rule], waves: usize) -> (Coalition, (ModelWorld, BrokenRules)) {
    let mut dice = Dice::new(seed);
    let strength =
        [Coalition::Weak, Coalition::Weak, Coalition::Founder, Coalition::Majority, Coalition::Demoted, Coalition::Insider]
            [dice.below(6)];
    let mut story = build(dice, off, strength);
    let mut broken = BrokenRules::new();
    if story.expulsions.len() < story.wanted {
        return (strength, (story.world, broken)); // the honest could not expel them: nothing to attack
    }
    let view = story.world.view.clone();
    let state = story.world.state(&view);
    if story.bad.iter().any(|p| status(&state, p) != Some(Status::Removed)) {
        broken.insert("an expulsion did not hold");
        return (strength, (story.world, broken));
    }
    let crew: Vec<PersonId> = story.bad.iter().chain(&story.moles).copied().collect();
    let honest: Vec<PersonId> = state.people.keys().filter(|p| !crew.contains(p)).copied().collect();
    let top: BTreeMap<PersonId, Role> = story.moles.iter().filter_map(|p| Some((*p, current(&state, p)?))).collect();
    for _ in 0..waves {
        let before = story.world.state(&story.world.view.clone());
        let (branch, socks) = branch(&mut story, &honest);
        story.world.view.extend(branch);
        let view = story.world.view.clone();
        let after = story.world.state(&view);
        judge(&story, strength, &honest, &top, (&before, &after), &mut broken);
        if socks.iter().any(|p| current(&after, p).is_some()) {
            broken.insert("an accomplice got in");
        }
        always(&story.world, &view, &mut broken);
        mend(&mut story.world, &honest, &before);
        if story.world.dice.chance(50) {
            let mut view = story.world.view.clone();
            live(&mut story.world, &crew, &mut view);
            story.world.view = view;
        }
    }
    let view = story.world.view.clone();
    if !converges(&mut story.world, &view, off) {
        broken.insert("not convergent");
    }
    (strength, (story.world, broken))
}

/// The promises about a wave.
fn judge(
    story: &Story,
    strength: Coalition,
    honest: &[PersonId],
    top: &BTreeMap<PersonId, Role>,
    (before, after): (&State, &State),
    broken: &mut BrokenRules,
) {
    let world = &story.world;
    let rose = |p: &PersonId| current(after, p).is_some_and(|role| top.get(p).is_none_or(|top| role > *top));
    let out = |state: &State, p: &PersonId| matches!(status(state, p), Some(Status::Removed | Status::Left));
    let knows = |p: &PersonId| {
        let since = &before.people[p].since;
        let acts = world.view.iter().filter(|x| since.contains(&world.id(**x)));
        acts.into_iter().all(|x| story.expulsions.iter().all(|d| world.past(*x).contains(d)))
    };
    let settled = |p: &&PersonId| current(before, p).is_some() && knows(p);
    if story.bad.iter().any(|p| current(after, p).is_some()) {
        broken.insert("an expelled person returned");
    }
    if story.moles.iter().any(rose) {
        broken.insert("an accomplice rose");
    }
    if honest.iter().any(|p| current(after, p).is_some() && out(before, p)) {
        broken.insert("somebody removed returned");
    }
    if strength == Coalition::Weak && faces(after, honest) != faces(before, honest) {
        broken.insert("the honest were changed");
    }
    if honest.iter().filter(settled).any(|p| out(after, p)) {
        broken.insert("people added after the expulsion were removed");
    }
    if strength == Coalition::Weak && after.frozen {
        broken.insert("frozen");
    }
    if leaks(world, &world.view) {
        broken.insert("a device outside the roster knows the usable epoch");
    }
}

/// The honest bring back what the coalition took.
fn mend(world: &mut ModelWorld, honest: &[PersonId], before: &State) {
    for p in honest {
        let view = world.view.clone();
        let state = world.state(&view);
        let leads = |q: &&PersonId| current(&state, q) >= Some(Role::Steward);
        let Some(hand) = honest.iter().find(leads).and_then(|q| world.device(q, &view)) else { continue };
        let waits = state.people.get(p).is_some_and(|person| person.status == Status::Suspended && person.since.is_empty());
        if status(&state, p) == Some(Status::Removed) && current(before, p).is_some() {
            let again = world.readmission(*p, Role::Member);
            world.now(hand, again);
        } else if waits {
            world.now(hand, Statement::Confirm { person: *p, role: Role::Member });
        }
    }
}

/// What a branch's author goes by.
struct Turn {
    hand: DeviceId,
    who: PersonId,
    voters: Vec<PersonId>,
    target: PersonId,
    friend: PersonId,
    lends: Vec<PersonId>,
}

/// One branch on a past that lacks the expulsions it wants to lack; and whom it admitted.
fn branch(story: &mut Story, honest: &[PersonId]) -> (View, BTreeSet<PersonId>) {
    let Story { world, bad, moles, expulsions, .. } = story;
    let everything: Vec<usize> = world.view.iter().copied().collect();
    let mut lack: View = expulsions.iter().copied().collect();
    if world.dice.chance(30) {
        lack.extend(world.dice.sample(&everything, 3));
    }
    lack.remove(&0);
    let mut view: View = everything.into_iter().filter(|x| !lack.contains(x) && world.past(*x).is_disjoint(&lack)).collect();
    let crew: Vec<PersonId> = bad.iter().chain(moles.iter()).copied().collect();
    let now = world.state(&world.view.clone());
    let lends: Vec<PersonId> = moles.iter().filter(|p| current(&now, p) == Some(Role::Steward)).copied().collect();
    let mut socks = BTreeSet::new();
    for _ in 0..world.dice.between(2, 9) {
        let state = world.state(&view);
        let here = |p: &PersonId| matches!(status(&state, p), Some(Status::Current | Status::Suspended));
        let inside: Vec<PersonId> = crew.iter().chain(&socks).copied().filter(here).collect();
        let free: Vec<PersonId> = inside.iter().filter(|p| !lends.contains(p)).copied().collect();
        let Some(who) = world.dice.pick(&free).copied() else { break };
        let Some(hand) = world.device(&who, &view) else { continue };
        let voters = inside.iter().filter(|p| current(&state, p) == Some(Role::Steward)).copied().collect();
        let known: Vec<PersonId> = honest.iter().filter(|p| state.people.contains_key(p)).copied().collect();
        let target = world.dice.pick(&known).copied().unwrap_or(world.founder);
        let friends: Vec<PersonId> = inside.iter().filter(|p| !bad.contains(p)).copied().collect();
        let friend = world.dice.pick(&friends).copied().unwrap_or(who);
        let turn = Turn { hand, who, voters, target, friend, lends: lends.clone() };
        move_once(world, &turn, bad, &mut view, &mut socks);
    }
    (view, socks)
}

/// Enacts a motion by forged votes, or by hand.
fn go(world: &mut ModelWorld, turn: &Turn, view: &mut View, motion: Motion) -> Option<usize> {
    if world.dice.chance(60) && turn.voters.len() > 1 {
        let done = world.quorum(&turn.voters, view, motion.clone());
        if done.is_some() {
            return done;
        }
    }
    let mut statement = world.enactment(motion, world.id(0));
    match &mut statement {
        Statement::Admit { proposal, .. }
        | Statement::Remove { proposal, .. }
        | Statement::Role { proposal, .. }
        | Statement::Policy { proposal, .. } => *proposal = None,
        _ => {}
    }
    world.act(turn.hand, view, statement)
}

fn move_once(world: &mut ModelWorld, turn: &Turn, bad: &[PersonId], view: &mut View, socks: &mut BTreeSet<PersonId>) {
    let state = world.state(view);
    match world.dice.below(17) {
        0 | 1 => sock(world, turn, view, socks),
        2 => {
            go(world, turn, view, Motion::Role(turn.friend, Role::Steward));
        }
        3 | 4 => {
            go(world, turn, view, Motion::Remove(turn.target));
        }
        5 => {
            let lower = if world.dice.chance(50) { Role::Guest } else { Role::Member };
            go(world, turn, view, Motion::Role(turn.target, lower));
        }
        6 => {
            let statement = certificate(world.key());
            world.act(turn.hand, view, statement);
        }
        7 => {
            let others: Vec<DeviceId> =
                state.people[&turn.who].devices.iter().filter(|device| **device != turn.hand).copied().collect();
            if let Some(device) = world.dice.pick(&others).copied() {
                world.act(turn.hand, view, revocation(device, Vec::new()));
            }
        }
        8 if world.dice.chance(40) && bad.contains(&turn.who) => {
            world.act(turn.hand, view, Statement::Leave);
        }
        9 | 10 => invites(world, turn, bad, view, socks),
        11 => {
            go(world, turn, view, Motion::Policy(vec![Policy::MembersInvite(true)]));
        }
        12 => {
            world.act(turn.hand, view, Statement::Rotate);
        }
        13 => revouch(world, turn, view),
        14 => {
            world.act(turn.hand, view, Statement::Confirm { person: turn.friend, role: Role::Member });
        }
        15 | 16 => {
            let mut out = world.those(view, Status::Removed);
            out.extend(world.those(view, Status::Left));
            if let Some(person) = world.dice.pick(&out).copied() {
                go(world, turn, view, Motion::Admit(person, Role::Member));
            }
        }
        _ => {}
    }
}

fn sock(world: &mut ModelWorld, turn: &Turn, view: &mut View, socks: &mut BTreeSet<PersonId>) {
    let role = if world.dice.chance(33) { Role::Steward } else { Role::Member };
    let (person, admission) = world.newcomer(role, None, None);
    let mut done = None;
    if world.dice.chance(60) && turn.voters.len() > 1 {
        let hands: Vec<DeviceId> = turn.voters.iter().filter_map(|voter| world.device(voter, view)).collect();
        done = propose(world, &hands, view, person, role, admission.clone());
    }
    if done.or_else(|| world.act(turn.hand, view, admission)).is_some() {
        socks.insert(person);
    }
}

/// Like [`ModelWorld::carry`], for an admission whose person follows from its device.
fn propose(
    world: &mut ModelWorld,
    hands: &[DeviceId],
    view: &mut View,
    person: PersonId,
    role: Role,
    mut admission: Statement,
) -> Option<usize> {
    let motion = Motion::Admit(person, role);
    let x = world.act(*hands.first()?, view, Statement::Propose { motion })?;
    let id = world.id(x);
    for hand in hands.iter().skip(1) {
        world.act(*hand, view, Statement::Vote { proposal: id });
    }
    if let Statement::Admit { proposal, .. } = &mut admission {
        *proposal = Some(id);
    }
    let hand = *world.dice.pick(hands)?;
    world.act(hand, view, admission)
}

fn invites(world: &mut ModelWorld, turn: &Turn, bad: &[PersonId], view: &mut View, socks: &mut BTreeSet<PersonId>) {
    let invites = |x: &&usize| matches!(world.facts[**x].statement, Statement::Invite { .. });
    let all: Vec<usize> = view.iter().filter(invites).copied().collect();
    let Some(x) = world.dice.pick(&all).copied() else { return };
    let invite = world.id(x);
    if world.dice.chance(50) && bad.contains(&turn.who) {
        world.act(turn.hand, view, Statement::Uninvite { invite });
        return;
    }
    let (person, admission) = world.newcomer(Role::Member, Some(invite), None);
    if world.act(turn.hand, view, admission).is_some() {
        socks.insert(person);
    }
}

fn revouch(world: &mut ModelWorld, turn: &Turn, view: &mut View) {
    if turn.voters.len() < 2 {
        return;
    }
    let device = world.key();
    let Some(vouch) = world.act(turn.hand, view, Statement::Vouch { person: turn.target, device }) else { return };
    let free: Vec<PersonId> = turn.voters.iter().filter(|p| !turn.lends.contains(p)).copied().collect();
    let second = world.dice.pick(&free).copied().unwrap_or(turn.who);
    let Some(hand) = world.device(&second, view) else { return };
    let (person, vouch) = (turn.target, Some(world.id(vouch)));
    let statement = Statement::Revouch { person, device: keys(device), vouch, proposal: None, recovery: None };
    world.act(hand, view, statement);
}
