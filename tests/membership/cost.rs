//! What a circle's acts cost as they grow. How the cost grows is counted, not timed: ten times the acts may take fifteen times the
//! work. The times are bounds against a hang only, twenty times and more above what is measured (`tests/README.md` has that): 4 ms an
//! act where 0.2 are usual, 20 s for a fork of 1,000 acts and 60 s for one of 10,000 where 0.02 and 0.6 s are.

use std::time::{Duration, Instant};

use kith_protocol::circle::body::{Policy, Role, Statement};
use kith_protocol::circle::membership::{Fact, Membership, Verdict};
use kith_protocol::crypto::Real;
use kith_protocol::id::{DeviceId, PeerId};
use kith_protocol::node::Node;
use kith_protocol::store::{MemoryStore, Store};
use kith_protocol::time::Millis;
use kith_protocol::tx::{Turn, Tx};
use kith_tests::dice::Dice;
use kith_tests::model::kept::keep;
use kith_tests::model::signed::sign;
use kith_tests::model::world::{ModelWorld, certificate, invitation, removal, role};
use kith_tests::proc::memory_kb;

/// A circle of so many orderly acts: every one knows all before it, but for a short fork now and then.
fn orderly(acts: usize, forks: u64) -> ModelWorld {
    let mut facts = Vec::new();
    let mut dice = Dice::new(7);
    let mut seed = ModelWorld::new(dice.clone(), &[], vec![Policy::MembersInvite(false)]);
    let circle = seed.circle;
    let mut people: Vec<(kith_protocol::id::PersonId, Vec<DeviceId>)> = Vec::new();
    let genesis = seed.facts[0].clone();
    let founder = genesis.author;
    let mut membership = Membership::new(circle);
    membership.add(genesis.clone());
    facts.push(genesis);
    let mut maker = ModelWorld::new(Dice::new(8), &[], Vec::new());
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
    seed.facts = facts;
    seed
}

/// Feeds them again and asks for the state after each `every`: how long it takes, and how much work it is.
fn replay(facts: &[Fact], every: usize) -> (Duration, usize) {
    let circle = kith_protocol::id::CircleId(facts[0].id.0);
    let start = Instant::now();
    let mut membership = Membership::without(circle, &[]);
    for (n, fact) in facts.iter().enumerate() {
        membership.add(fact.clone());
        if every < usize::MAX && n % every == 0 {
            let _ = membership.state();
        }
    }
    let _ = membership.state();
    (start.elapsed(), membership.work())
}

#[test]
fn an_orderly_history_costs_one_act_at_a_time() {
    println!("acts forks  all       work");
    for forks in [0, 10] {
        let cost = |acts: usize| {
            let (took, work) = replay(&orderly(acts, forks).facts, 100);
            println!("{acts:6} {forks:3} % {took:9.1?} {work:9}");
            assert!(took < Duration::from_millis(4 * acts as u64), "{acts} acts took {took:?}");
            work
        };
        let (few, many) = (cost(1_000), cost(10_000));
        assert!(many < 15 * few, "{few} steps for 1,000 acts, {many} for 10,000");
    }
}

/// The store of a founder who keeps a circle of so many acts, with their real signatures.
fn kept(acts: usize) -> MemoryStore {
    let world = orderly(acts, 10);
    let signed = sign(&world, &Real).expect("every act can be signed");
    let founder = signed.facts[0].author;
    let mut store = MemoryStore::default();
    let mut batch = Turn::default();
    let mut tx = Tx::new(&store, &batch);
    keep(&mut tx, &signed, &founder, ("Amara", Millis(0)), signed.acts.iter());
    tx.finish().join(&mut batch);
    store.commit(&batch.writes).expect("memory never fails");
    store
}

/// The quickest of so many times that a node opens on a store.
fn opening(store: &MemoryStore, acts: usize, times: usize) -> Duration {
    let peer = PeerId(vec![1; 8]);
    let open = |_| {
        let start = Instant::now();
        let node = Node::open(store, &Real, peer.clone()).expect("it opens");
        drop(node);
        start.elapsed()
    };
    let took = (0..times).map(open).min().expect("some");
    println!("{acts:6} acts open in {took:9.1?}");
    took
}

/// Acts lie in the store by id, which is no order at all. (How often each is looked at is counted beside the code that puts them
/// in order, `protocol/src/circle/act/order.rs`.)
#[test]
fn a_circle_opens_in_time_that_grows_with_its_acts() {
    let (few, many) = (opening(&kept(1_000), 1_000, 5), opening(&kept(10_000), 10_000, 3));
    assert!(many < 40 * few, "{few:?} for 1,000 acts, {many:?} for 10,000");
}

/// A steward's device writes so many acts beside each other, from one place: admissions, removals, certificates.
fn fork(acts: usize) -> Vec<Fact> {
    let mut world = ModelWorld::new(Dice::new(9), &[], Vec::new());
    let founder = world.facts[0].author;
    let (person, admission) = world.newcomer(Role::Steward, None, None);
    world.now(founder, admission);
    let hand = world.device(&person, &world.view.clone()).expect("they are in");
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

/// What one more act by somebody else costs while a fork lies beside it: adding it, and one state.
fn one_more(facts: &[Fact]) -> Duration {
    let circle = kith_protocol::id::CircleId(facts[0].id.0);
    let mut membership = Membership::without(circle, &[]);
    facts.iter().for_each(|fact| {
        membership.add(fact.clone());
    });
    let _ = membership.state();
    let (id, parents) = (kith_protocol::id::ActId([9; 32]), membership.heads());
    let statement = invitation(Role::Member, 1, DeviceId([9; 32]));
    let fact = Fact { id, author: facts[0].author, parents, statement, epoch: false, countersigned: false };
    let start = Instant::now();
    assert_eq!(membership.add(fact), Verdict::Admissible);
    let _ = membership.state();
    start.elapsed()
}

#[test]
fn a_wide_fork_costs_what_its_width_makes_it() {
    println!("width  all, one state at the end    a state after each    one more act by another");
    for (width, seconds) in [(100, 20), (300, 20), (1_000, 20), (10_000, 60)] {
        let facts = fork(width);
        assert!(facts.len() > width, "some of these acts cannot be written");
        let before = memory_kb(std::process::id());
        let ((end, _), each) = (replay(&facts, usize::MAX), if width > 300 { None } else { Some(replay(&facts, 1).0) });
        let grown = memory_kb(std::process::id()).saturating_sub(before);
        let more = one_more(&facts);
        println!("{width:5}  {:5} acts {end:9.1?}  {each:?}  {more:9.1?}  {grown} kB more", facts.len());
        assert!(end < Duration::from_secs(seconds) && more < Duration::from_secs(seconds), "{width} wide: {end:?}, {more:?}");
    }
}
