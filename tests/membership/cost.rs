//! What judging costs as a circle grows. The bounds are ten times what was measured, so that only a change of kind fails.

use std::time::{Duration, Instant};

use kith_protocol::circle::body::{Policy, Role, Statement};
use kith_protocol::circle::membership::{Fact, Membership};
use kith_protocol::id::DeviceId;
use kith_tests::dice::Dice;
use kith_tests::model::world::{World, certificate, invitation, removal, role};

/// The acts of an orderly circle of so many acts: every one knows all before it, but for a short fork now and then.
fn orderly(acts: usize, forks: u64) -> (Membership, Vec<Fact>) {
    let mut facts = Vec::new();
    let mut dice = Dice::new(7);
    let seed = World::new(dice.clone(), &[], vec![Policy::MembersInvite(false)]);
    let circle = seed.circle;
    let mut people: Vec<(kith_protocol::id::PersonId, Vec<DeviceId>)> = Vec::new();
    let genesis = seed.facts[0].clone();
    let founder = genesis.author;
    let mut membership = Membership::new(circle);
    membership.add(genesis.clone());
    facts.push(genesis);
    let mut maker = World::new(Dice::new(8), &[], Vec::new());
    while facts.len() < acts {
        let who = dice.below(people.len());
        let (author, statement) = match dice.below(10) {
            0..=2 if people.len() < 300 => {
                let device = maker.key();
                let person = kith_protocol::circle::membership::person_id(&circle, &device);
                let keys = vec![kith_tests::model::world::keys(device)];
                people.push((person, vec![device]));
                let role = if people.len() < 6 { Role::Steward } else { Role::Member };
                (founder, Statement::Admit { person, role, devices: keys, recovery: None, invite: None, proposal: None })
            }
            3 | 4 if !people.is_empty() && people[who].1.len() < 4 => {
                let device = maker.key();
                people[who].1.push(device);
                (people[who].1[0], certificate(device))
            }
            5 if people.len() > 20 && who > 10 => (founder, removal(people.remove(who).0)),
            6 if people.len() > 10 && who > 6 => {
                (founder, role(people[who].0, [Role::Guest, Role::Member, Role::Facilitator][dice.below(3)]))
            }
            7 => (founder, invitation(Role::Member, 1, maker.key())),
            _ => (founder, Statement::Rotate),
        };
        let epoch = matches!(statement, Statement::Remove { .. } | Statement::Rotate);
        let id = kith_protocol::id::ActId(maker.key().0);
        let mut parents = if epoch { membership.epoch_heads() } else { membership.heads() };
        if dice.chance(forks) && facts.len() > 2 {
            parents.clone_from(&facts[facts.len() - 1].parents); // beside the last one
        }
        let fact = Fact { id, author, parents, statement, epoch, countersigned: true };
        membership.add(fact.clone());
        facts.push(fact);
    }
    (membership, facts)
}

/// Feeds them again and asks for the state after each `every`.
fn replay(facts: &[Fact], every: usize) -> Duration {
    let circle = kith_protocol::id::CircleId(facts[0].id.0);
    let start = Instant::now();
    let mut membership = Membership::new(circle);
    for (n, fact) in facts.iter().enumerate() {
        membership.add(fact.clone());
        if every < usize::MAX && n % every == 0 {
            let _ = membership.state();
        }
    }
    let _ = membership.state();
    start.elapsed()
}

#[test]
fn an_orderly_history_costs_one_act_at_a_time() {
    println!("acts forks  all      per act");
    for (acts, forks) in [(1_000, 0), (10_000, 0), (1_000, 10), (10_000, 10)] {
        let (membership, facts) = orderly(acts, forks);
        let took = replay(&facts, 100);
        println!("{acts:6} {forks:3} % {took:9.1?} {:9.1?}  ({} admissible)", took / facts.len() as u32, membership.len());
        assert!(took < Duration::from_millis(4 * acts as u64), "{acts} acts took {took:?}");
    }
}

/// A steward's device writes so many acts beside each other, from one place: admissions, removals, certificates.
fn fork(acts: usize) -> Vec<Fact> {
    let mut world = World::new(Dice::new(9), &[], Vec::new());
    let founder = world.facts[0].author;
    let (person, admission) = world.newcomer(Role::Steward, None, None);
    world.now(founder, admission);
    let hand = world.device(&person, &world.view.clone()).expect("she is in");
    let mut members = Vec::new();
    for _ in 0..20 {
        let (member, admission) = world.newcomer(Role::Member, None, None);
        world.now(hand, admission);
        members.push(member);
    }
    let base = world.view.clone();
    for n in 0..acts {
        let statement = match n % 4 {
            0 => removal(members[n % members.len()]),
            1 => world.newcomer(Role::Member, None, None).1,
            2 => role(members[n % members.len()], Role::Facilitator),
            _ => certificate(world.key()),
        };
        world.act(hand, &mut base.clone(), statement);
    }
    world.facts
}

#[test]
fn a_wide_fork_costs_what_its_width_makes_it() {
    println!("width  all, one state at the end    a state after each");
    for width in [100, 300, 1_000] {
        let facts = fork(width);
        let (end, each) = (replay(&facts, usize::MAX), if width > 300 { None } else { Some(replay(&facts, 1)) });
        println!("{width:5}  {end:9.1?}  {each:?}");
        assert!(end < Duration::from_secs(20), "a fork of {width} took {end:?}");
    }
}
