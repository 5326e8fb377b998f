//! A minority of stewards that nobody finds out, with every trick that the rules on votes, invites and concurrent settings stop:
//! two hands of one person, votes of another time, a motion enacted twice, a majority that is none, an invite used twice or
//! beside its closing, a promotion beside a demotion, a re-add beside a removal.

use kith_protocol::circle::body::{Motion, Role, Statement};
use kith_protocol::circle::membership::{Rule, State};
use kith_protocol::id::{ActId, DeviceId, PersonId};

use super::BrokenRules;
use super::life::{found, settle};
use super::promises::{always, converges, current, leaks};
use crate::dice::Dice;
use crate::model::world::{ModelWorld, View, certificate, invitation, removal, role};

struct Circle {
    honest: Vec<PersonId>,
    rogues: Vec<PersonId>,
    members: Vec<PersonId>,
    mole: PersonId,
    /// A steward who was voted out, and brought back by the founder.
    returned: PersonId,
    /// The proposal to remove them: not enacted but outlived, or enacted once.
    proposal: ActId,
    /// Before the enactment.
    early: View,
}

/// Plays a history.
pub(super) fn play(seed: u64, off: &[Rule]) -> (ModelWorld, BrokenRules) {
    let (mut world, stewards) = found(Dice::new(seed), off, 5);
    let people = settle(&mut world, &stewards, 5);
    let mut broken = BrokenRules::new();
    let Some(circle) = prepare(&mut world, &stewards, &people) else { return (world, broken) };
    let before = world.state(&world.view.clone());
    for _ in 0..world.dice.between(2, 6) {
        trick(&mut world, &circle);
    }
    let view = world.view.clone();
    let after = world.state(&view);
    judge(&world, &circle, &before, &after, &mut broken);
    always(&world, &view, &mut broken);
    if leaks(&world, &view) {
        broken.insert("a device outside the roster knows the usable epoch");
    }
    if !converges(&mut world, &view, off) {
        broken.insert("not convergent");
    }
    (world, broken)
}

fn judge(world: &ModelWorld, circle: &Circle, before: &State, after: &State, broken: &mut BrokenRules) {
    let leads = |p: &PersonId| current(before, p) == Some(Role::Steward);
    if circle.honest.iter().chain([&circle.returned, &world.founder]).any(|p| current(before, p) != current(after, p)) {
        broken.insert("a minority changed a steward or the founder");
    }
    let risen = after.members().filter(|(p, person)| person.role >= Some(Role::Steward) && !leads(p) && **p != world.founder);
    if risen.count() > 0 || current(after, &circle.mole) >= Some(Role::Steward) {
        broken.insert("a minority made a steward");
    }
    if before.policies != after.policies {
        broken.insert("a minority set a policy");
    }
}

/// The honest vote a steward out; the founder brings them back. Rogues have two devices each.
fn prepare(world: &mut ModelWorld, stewards: &[PersonId], people: &[PersonId]) -> Option<Circle> {
    let mut stewards = stewards.to_vec();
    world.dice.shuffle(&mut stewards);
    let (rogues, honest) = stewards.split_at(2);
    let (returned, honest) = honest.split_last()?;
    let mut view = world.view.clone();
    for rogue in rogues {
        let hand = world.device(rogue, &view)?;
        let statement = certificate(world.key());
        world.act(hand, &mut view, statement)?;
    }
    // Two honest stewards and a rogue one vote: a majority of the other four.
    let motion = Motion::Remove(*returned);
    let hands: Vec<DeviceId> = honest.iter().chain(&rogues[..1]).filter_map(|voter| world.device(voter, &view)).collect();
    let proposal = world.act(*hands.first()?, &mut view, Statement::Propose { motion })?;
    let proposal = world.id(proposal);
    for hand in hands.iter().skip(1) {
        world.act(*hand, &mut view, Statement::Vote { proposal })?;
    }
    let early = view.clone();
    let founder = world.device(&world.founder.clone(), &view)?;
    let enacted = world.dice.chance(50);
    let out =
        Statement::Remove { person: *returned, points: std::collections::BTreeMap::new(), proposal: enacted.then_some(proposal) };
    world.act(if enacted { *hands.first()? } else { founder }, &mut view, out)?;
    let back = world.readmission(*returned, Role::Steward);
    world.act(founder, &mut view, back)?;
    world.view = view;
    Some(Circle {
        honest: honest.to_vec(),
        rogues: rogues.to_vec(),
        members: people[1..].to_vec(),
        mole: *people.first()?,
        returned: *returned,
        proposal,
        early,
    })
}

fn trick(world: &mut ModelWorld, circle: &Circle) {
    let mut view = world.view.clone();
    let rogue = circle.rogues[world.dice.below(2)];
    let victim = circle.honest[world.dice.below(circle.honest.len())];
    let Some(hand) = world.device(&rogue, &view) else { return };
    match world.dice.below(8) {
        0 => {
            // Two hands of one person, each as often as it takes.
            let hands = world.state(&view).people[&rogue].devices.repeat(2);
            let motion = if world.dice.chance(50) { Motion::Remove(victim) } else { Motion::Role(circle.mole, Role::Steward) };
            world.carry(&hands, &mut view, motion);
        }
        1 => {
            // Votes of another time; or a motion enacted again, beside the first.
            let again = |proposal| Statement::Remove {
                person: circle.returned,
                points: std::collections::BTreeMap::new(),
                proposal: Some(proposal),
            };
            world.act(hand, &mut view, again(circle.proposal));
            let mut early = circle.early.clone();
            if world.dice.chance(50) && enacted(world, circle) {
                world.act(hand, &mut early, again(circle.proposal));
            }
            view.extend(early);
        }
        2 => {
            // A majority that is none: two of five.
            let motion = if world.dice.chance(50) { Motion::Remove(victim) } else { Motion::Role(circle.mole, Role::Steward) };
            world.quorum(&circle.rogues, &mut view, motion);
        }
        3 => use_twice(world, circle, &mut view),
        4 => beside_closing(world, circle, &mut view, hand),
        5 | 6 => beside_the_founder(world, circle, &mut view, hand),
        _ => {
            let statement = Statement::Rotate;
            world.act(hand, &mut view, statement);
        }
    }
    world.view = view;
}

/// Were they voted out, rather than removed by the founder?
fn enacted(world: &ModelWorld, circle: &Circle) -> bool {
    let enacts =
        |x: &usize| matches!(&world.facts[*x].statement, Statement::Remove { proposal: Some(p), .. } if *p == circle.proposal);
    world.view.iter().any(enacts)
}

fn use_twice(world: &mut ModelWorld, circle: &Circle, view: &mut View) {
    let hands: Vec<DeviceId> = circle.rogues.iter().filter_map(|rogue| world.device(rogue, view)).collect();
    let [one, two] = hands[..] else { return };
    let statement = invitation(Role::Member, 1, world.key());
    let Some(invite) = world.act(one, view, statement).map(|x| world.id(x)) else { return };
    let mut side = view.clone();
    let first = world.newcomer(Role::Member, Some(invite), None).1;
    let second = world.newcomer(Role::Member, Some(invite), None).1;
    world.act(one, view, first);
    world.act(two, &mut side, second);
    view.extend(side);
}

fn beside_closing(world: &mut ModelWorld, circle: &Circle, view: &mut View, hand: DeviceId) {
    let statement = invitation(Role::Member, 2, world.key());
    let Some(invite) = world.act(hand, view, statement).map(|x| world.id(x)) else { return };
    let mut side = view.clone();
    let Some(closer) = world.device(&circle.honest[0], view) else { return };
    world.act(closer, view, Statement::Uninvite { invite });
    let admission = world.newcomer(Role::Member, Some(invite), None).1;
    world.act(hand, &mut side, admission);
    view.extend(side);
}

/// The founder lowers or removes a member; beside it a rogue raises them, or brings them back.
fn beside_the_founder(world: &mut ModelWorld, circle: &Circle, view: &mut View, hand: DeviceId) {
    let Some(person) = world.dice.pick(&circle.members).copied() else { return };
    let Some(founder) = world.device(&world.founder.clone(), view) else { return };
    let (first, second) = if world.dice.chance(50) {
        (role(person, Role::Guest), role(person, Role::Facilitator))
    } else {
        world.act(hand, view, removal(person));
        (removal(person), world.readmission(person, Role::Member))
    };
    let mut side = view.clone();
    world.act(founder, view, first);
    world.act(hand, &mut side, second);
    view.extend(side);
}
