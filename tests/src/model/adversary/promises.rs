//! What must hold after every wave.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::circle::body::{Role, Statement};
use kith_protocol::circle::membership::{Fact, Membership, Rule, State, Status};
use kith_protocol::id::{ActId, DeviceId, PersonId};

use super::BrokenRules;
use crate::dice::Dice;
use crate::model::world::{ModelWorld, View};

/// What counts of a person: in which standing, as what, with which devices; `None`: out, or waiting for a steward.
type Face = Option<(Status, Option<Role>, Vec<DeviceId>)>;

pub(super) fn faces(state: &State, people: &[PersonId]) -> BTreeMap<PersonId, Face> {
    let face = |p: &PersonId| {
        let person = state.people.get(p).filter(|person| !person.since.is_empty())?;
        Some((person.status, person.role, person.devices.clone()))
    };
    people.iter().map(|p| (*p, face(p))).collect()
}

pub(super) fn status(state: &State, person: &PersonId) -> Option<Status> {
    state.people.get(person).map(|person| person.status)
}

/// Are they in, and as what?
pub(super) fn current(state: &State, person: &PersonId) -> Option<Role> {
    state.people.get(person).filter(|person| person.is_current())?.role
}

/// Is there a device outside the roster that somebody who knows an epoch's past could have given its key?
pub(super) fn leaks(world: &ModelWorld, view: &View) -> bool {
    let state = world.state(view);
    let roster = state.roster();
    let Some(epoch) = state.epoch() else { return false };
    let Some(e) = view.iter().copied().find(|x| world.id(*x) == epoch) else { return false };
    let outside = world.devices.iter().filter(|(x, device)| view.contains(x) && !roster.contains(device));
    outside.into_iter().any(|(x, device)| {
        let mut seen = world.upto(e);
        seen.extend(world.upto(*x));
        world.state(&seen).is_current(device)
    })
}

/// The same acts under other ids, in another order, give the same people: ties decide nothing about them.
pub(super) fn converges(world: &mut ModelWorld, view: &View, off: &[Rule]) -> bool {
    let facts: Vec<Fact> = view.iter().map(|x| world.facts[*x].clone()).collect();
    let mut names: BTreeMap<ActId, ActId> = BTreeMap::new();
    for fact in facts.iter().skip(1) {
        names.insert(fact.id, ActId(world.key().0));
    }
    let mut renamed: Vec<Fact> = facts.into_iter().map(|fact| rename(fact, &names)).collect();
    let seed = world.dice.roll();
    Dice::new(seed).shuffle(&mut renamed);
    let mut twin = Membership::without(world.circle, off);
    renamed.into_iter().for_each(|fact| {
        twin.add(fact);
    });
    let (ours, theirs) = (world.state(view), twin.state());
    let everybody: Vec<PersonId> = ours.people.keys().copied().collect();
    ours.people.len() == theirs.people.len()
        && faces(&ours, &everybody) == faces(&theirs, &everybody)
        && ours.roster_hash() == theirs.roster_hash()
        && ours.frozen == theirs.frozen
}

fn rename(mut fact: Fact, names: &BTreeMap<ActId, ActId>) -> Fact {
    let new = |id: &mut ActId| *id = names.get(id).copied().unwrap_or(*id);
    new(&mut fact.id);
    fact.parents.iter_mut().for_each(new);
    match &mut fact.statement {
        Statement::Admit { invite, proposal, .. } => invite.iter_mut().chain(proposal).for_each(new),
        Statement::Revouch { vouch, proposal, .. } => vouch.iter_mut().chain(proposal).for_each(new),
        Statement::Remove { proposal, .. }
        | Statement::Role { proposal, .. }
        | Statement::Policy { proposal, .. }
        | Statement::Delegate { proposal, .. } => proposal.iter_mut().for_each(new),
        Statement::Vote { proposal } => new(proposal),
        Statement::Uninvite { invite } => new(invite),
        _ => {}
    }
    fact
}

/// What holds in every circle, attacked or not.
pub(super) fn always(world: &ModelWorld, view: &View, broken: &mut BrokenRules) {
    let state = world.state(view);
    let void: BTreeSet<ActId> = world.membership.void().into_iter().collect();
    let index: BTreeMap<ActId, usize> = view.iter().map(|x| (world.id(*x), *x)).collect();
    let applies = |x: &usize| !void.contains(&world.id(*x));
    let mut by_invite: BTreeMap<ActId, BTreeSet<PersonId>> = BTreeMap::new();
    for (id, person) in &state.people {
        for x in person.since.iter().filter_map(|add| index.get(add)) {
            let Statement::Admit { invite: Some(invite), .. } = &world.facts[*x].statement else { continue };
            by_invite.entry(*invite).or_default().insert(*id);
            let closes = |u: &&usize| matches!(&world.facts[**u].statement, Statement::Uninvite { invite: i } if i == invite);
            let concurrent = |u: &&usize| !world.past(**u).contains(x) && !world.past(*x).contains(u);
            if view.iter().filter(closes).filter(concurrent).any(applies) {
                broken.insert("somebody came in beside the closing of their invite");
            }
        }
    }
    for (invite, people) in by_invite {
        if state.invites.get(&invite).is_some_and(|invite| people.len() > invite.uses as usize) {
            broken.insert("more people came in by an invite than it admits");
        }
    }
    let plain = |x: &&usize| applies(x) && !state.late.contains(&world.id(**x)) && !state.opposed.contains(&world.id(**x));
    let founders = |x: &&usize| state.person_of(&world.facts[**x].author) == Some(world.founder);
    for d in view.iter().filter(founders).filter(plain) {
        match &world.facts[*d].statement {
            Statement::Remove { person, proposal: None, .. } => {
                let since = state.people.get(person).map_or(&[][..], |person| &person.since);
                let mut adds = since.iter().filter_map(|add| index.get(add));
                if !since.is_empty() && !adds.any(|add| world.past(*add).contains(d)) {
                    broken.insert("somebody is a member whom the founder removed and nobody added again");
                }
            }
            Statement::Role { person, role, proposal: None, .. } if current(&state, person) > Some(*role) => {
                let later = |x: &&usize| world.past(**x).contains(d) && sets_role_of(&world.facts[**x], person);
                if !view.iter().filter(later).any(applies) {
                    broken.insert("somebody holds more than the founder left them and nobody gave them");
                }
            }
            _ => {}
        }
    }
}

fn sets_role_of(fact: &Fact, whom: &PersonId) -> bool {
    match &fact.statement {
        Statement::Admit { person, .. }
        | Statement::Confirm { person, .. }
        | Statement::Role { person, .. }
        | Statement::Revouch { person, .. } => person == whom,
        _ => false,
    }
}
