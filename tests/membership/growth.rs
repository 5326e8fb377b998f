//! Judging act by act comes to the same as judging everything at once, at every step and from every frontier.

use std::collections::BTreeSet;

use kith_protocol::circle::membership::{Fact, Membership, Verdict};
use kith_protocol::id::ActId;
use kith_tests::dice::Dice;
use kith_tests::model::{Making, build};

use super::vectors::all;

/// The facts with every parent before its child.
fn ordered(mut facts: Vec<Fact>) -> Vec<Fact> {
    let (mut known, mut out): (BTreeSet<ActId>, Vec<Fact>) = (BTreeSet::new(), Vec::new());
    loop {
        let (ready, rest): (Vec<Fact>, Vec<Fact>) =
            facts.into_iter().partition(|fact| fact.parents.iter().all(|parent| known.contains(parent)));
        if ready.is_empty() {
            return out;
        }
        known.extend(ready.iter().map(|fact| fact.id));
        out.extend(ready);
        facts = rest;
    }
}

#[test]
fn act_by_act_is_all_at_once() {
    for vector in all() {
        let built = build(&vector, Making::Plain, 3).expect("a vector can be understood");
        let facts = ordered(built.facts);
        let mut growing = Membership::new(built.circle);
        for (n, fact) in facts.iter().enumerate() {
            growing.add(fact.clone());
            if n % 3 != 0 && n + 1 != facts.len() {
                continue;
            }
            let mut fresh = Membership::new(built.circle);
            let mut some = facts[..=n].to_vec();
            Dice::new(n as u64).shuffle(&mut some);
            some.into_iter().for_each(|fact| {
                fresh.add(fact);
            });
            assert_eq!(growing.state(), fresh.state(), "{} after {n}", vector.name);
            let void = |membership: &Membership| membership.void().into_iter().collect::<BTreeSet<ActId>>();
            assert_eq!(void(&growing), void(&fresh));
            assert_eq!(growing.state().roster_hash(), fresh.state().roster_hash());
        }
        for fact in facts.iter().filter(|fact| growing.verdict(&fact.id) == Some(Verdict::Admissible)) {
            let mut fresh = Membership::new(built.circle);
            before(&facts, fact).into_iter().chain([fact]).for_each(|one| {
                fresh.add(one.clone());
            });
            assert_eq!(growing.state_at(&[fact.id]), fresh.state_at(&[fact.id]), "{} at one act", vector.name);
        }
    }
}

/// The acts before an act, with every parent before its child.
fn before<'a>(facts: &'a [Fact], of: &Fact) -> Vec<&'a Fact> {
    let mut past: BTreeSet<ActId> = of.parents.iter().copied().collect();
    let mut out = Vec::new();
    for fact in facts.iter().rev().filter(|fact| fact.id != of.id) {
        if past.contains(&fact.id) {
            past.extend(&fact.parents);
            out.push(fact);
        }
    }
    out.reverse();
    out
}
