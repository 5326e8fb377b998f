//! Ordinary life, and how a coalition is found out.

use kith_protocol::circle::body::{History, Motion, Policy, Role};
use kith_protocol::circle::membership::{Rule, Status};
use kith_protocol::id::PersonId;

use super::Coalition;
use crate::dice::Dice;
use crate::model::world::{ModelWorld, View, certificate, invitation, removal, revocation, role};
use kith_protocol::circle::body::Statement;

/// A circle up to the expulsion.
pub(super) struct Story {
    pub(super) world: ModelWorld,
    /// The expelled.
    pub(super) bad: Vec<PersonId>,
    /// Their accomplices, still inside.
    pub(super) moles: Vec<PersonId>,
    /// The acts that expelled them.
    pub(super) expulsions: Vec<usize>,
    /// How many were to be expelled.
    pub(super) wanted: usize,
}

/// Founds a circle with so many stewards.
pub(super) fn found(dice: Dice, off: &[Rule], stewards: usize) -> (ModelWorld, Vec<PersonId>) {
    let mut dice = dice;
    let members_invite = dice.chance(50);
    let mut world = ModelWorld::new(dice, off, vec![Policy::MembersInvite(members_invite)]);
    let founder = world.facts[0].author;
    let mut made = Vec::new();
    for _ in 0..stewards {
        let (person, admission) = world.newcomer(Role::Steward, None, None);
        if world.now(founder, admission).is_some() {
            made.push(person);
        }
    }
    (world, made)
}

/// Admits so many members, some by invite.
pub(super) fn settle(world: &mut ModelWorld, stewards: &[PersonId], members: usize) -> Vec<PersonId> {
    let mut made = Vec::new();
    for _ in 0..members {
        let mut view = std::mem::take(&mut world.view);
        let mut invite = None;
        if world.dice.chance(50) {
            let by = world.dice.pick(stewards).copied().and_then(|by| world.device(&by, &view));
            let statement = invitation(Role::Member, 1, world.key());
            invite = by.and_then(|by| world.act(by, &mut view, statement)).map(|x| world.id(x));
        }
        let by = world.dice.pick(stewards).copied().and_then(|by| world.device(&by, &view));
        let (person, admission) = world.newcomer(Role::Member, invite, None);
        if by.and_then(|by| world.act(by, &mut view, admission)).is_some() {
            made.push(person);
        }
        world.view = view;
    }
    made
}

pub(super) fn build(dice: Dice, off: &[Rule], strength: Coalition) -> Story {
    let mut dice = dice;
    let stewards = dice.between(3, 5);
    let (mut world, stewards) = found(dice, off, stewards);
    let mut bad = match strength {
        Coalition::Founder => vec![world.founder],
        Coalition::Majority | Coalition::Demoted | Coalition::Insider => world.dice.sample(&stewards, stewards.len() / 2 + 1),
        Coalition::Weak | Coalition::Thief | Coalition::Rogue => world.dice.sample(&stewards, 1),
    };
    let honest_members = world.dice.between(2, 4);
    settle(&mut world, &stewards, honest_members);
    let accomplices = world.dice.between(1, 2);
    let mut moles = settle(&mut world, &stewards, accomplices);
    let risky: Vec<PersonId> = bad.iter().chain(&moles).copied().collect();
    for _ in 0..world.dice.between(2, 6) {
        let mut view = world.view.clone();
        if world.dice.chance(50) {
            let mut side = view.clone();
            live(&mut world, &risky, &mut side);
            live(&mut world, &risky, &mut view);
            view.extend(side);
        } else {
            live(&mut world, &risky, &mut view);
        }
        world.view = view;
    }
    let wanted = bad.len();
    let honest: Vec<PersonId> = stewards.iter().filter(|p| !bad.contains(p)).copied().collect();
    let mut expulsions = expel(&mut world, strength, &bad, &honest);
    if strength == Coalition::Insider {
        moles.extend(bad.pop()); // not found out; they lend only their hand and vote
    }
    if strength == Coalition::Demoted {
        moles.append(&mut bad); // still in, no longer stewards
    }
    expulsions.sort_unstable();
    let wanted = if strength == Coalition::Insider { wanted - 1 } else { wanted };
    Story { world, bad, moles, expulsions, wanted }
}

fn expel(world: &mut ModelWorld, strength: Coalition, bad: &[PersonId], honest: &[PersonId]) -> Vec<usize> {
    let mut views = vec![world.view.clone()];
    if world.dice.chance(50) {
        views.push(world.view.clone());
    }
    let mut expulsions = Vec::new();
    for (n, person) in bad.iter().enumerate() {
        if strength == Coalition::Insider && n + 1 == bad.len() {
            continue;
        }
        let which = world.dice.below(views.len());
        let view = &mut views[which];
        let founder = world.founder;
        let hand = world.device(&founder, view);
        let done = match strength {
            Coalition::Demoted => {
                let lower = if world.dice.chance(50) { Role::Member } else { Role::Guest };
                hand.and_then(|hand| world.act(hand, view, role(*person, lower)))
            }
            Coalition::Founder => world.quorum(honest, view, Motion::Remove(*person)),
            Coalition::Weak if world.dice.chance(50) => world
                .quorum(honest, view, Motion::Remove(*person))
                .or_else(|| hand.and_then(|hand| world.act(hand, view, removal(*person)))),
            _ => hand.and_then(|hand| world.act(hand, view, removal(*person))),
        };
        expulsions.extend(done);
    }
    views.into_iter().for_each(|view| world.view.extend(view));
    expulsions
}

/// One ordinary act of somebody honest on a view.
pub(super) fn live(world: &mut ModelWorld, risky: &[PersonId], view: &mut View) {
    let state = world.state(view);
    let rank = |p: &PersonId| state.people.get(p).and_then(|person| person.role);
    let folk: Vec<PersonId> = state.members().filter(|(_, p)| p.role < Some(Role::Steward)).map(|(id, _)| *id).collect();
    let mut all = world.with_role(Role::Steward, view);
    all.extend(&folk);
    all.push(world.founder);
    let Some(who) = world.dice.pick(&all).copied() else { return };
    let Some(hand) = world.device(&who, view) else { return };
    let leads = rank(&who) >= Some(Role::Steward);
    let calm: Vec<PersonId> = folk.into_iter().filter(|p| !risky.contains(p)).collect();
    let target = world.dice.pick(&calm).copied();
    let lesser = [Role::Guest, Role::Member, Role::Facilitator][world.dice.below(3)];
    let founder = world.founder;
    let ruled = if risky.contains(&founder) { None } else { world.device(&founder, view) };
    let statement = match (world.dice.below(9), target) {
        (0, _) if leads => Some(world.newcomer(lesser, None, None).1),
        (1, _) => Some(certificate(world.key())),
        (2, _) => Some(Statement::Rotate),
        (3, _) => {
            let others = state.people.get(&who).map(|p| p.devices.iter().filter(|d| **d != hand).copied().collect::<Vec<_>>());
            world.dice.pick(&others.unwrap_or_default()).map(|device| revocation(*device, Vec::new()))
        }
        (4, Some(target)) if leads => Some(role(target, lesser)),
        (5, Some(target)) if leads && !risky.contains(&who) => Some(removal(target)),
        (6, _) if leads => {
            let out: Vec<PersonId> = world.those(view, Status::Removed).into_iter().filter(|p| !risky.contains(p)).collect();
            world.dice.pick(&out).copied().map(|person| world.readmission(person, Role::Member))
        }
        (7, Some(target)) => {
            if let Some(hand) = ruled {
                world.act(hand, view, role(target, Role::Steward));
            }
            None
        }
        (8, _) => {
            let history = if world.dice.chance(50) { History::All } else { History::SinceJoin };
            if let Some(hand) = ruled {
                world.act(hand, view, Statement::Policy { set: vec![Policy::History(history)], proposal: None });
            }
            None
        }
        _ => None,
    };
    if let Some(statement) = statement {
        world.act(hand, view, statement);
    }
}
