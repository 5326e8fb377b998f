//! The membership adversary through whole nodes.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::planted::Bug;
use kith_tests::sim::adversary::{Played, Skipped, play};

use crate::on_all_cores;

/// Histories that are played here.
const HISTORIES: u64 = 400;

#[test]
fn whole_nodes_end_with_what_the_rules_say_whatever_the_coalition_signs() {
    let all = on_all_cores(HISTORIES, |seed| (seed, play(seed, None)));
    let mut skipped: BTreeMap<Skipped, usize> = BTreeMap::new();
    let mut played: Vec<(u64, &Played)> = Vec::new();
    for (seed, outcome) in &all {
        match outcome {
            Ok(one) => played.push((*seed, one)),
            Err(why) => *skipped.entry(*why).or_default() += 1,
        }
    }
    for (seed, played) in &played {
        assert!(played.broken.is_empty(), "seed {seed} ({:?}): {:?}", played.coalition, played.broken);
        assert_eq!(played.differs, None, "seed {seed} ({:?})", played.coalition);
    }
    let coalitions = |real: bool| -> BTreeSet<_> {
        played.iter().filter(|(_, played)| played.real || !real).map(|(_, played)| played.coalition).collect()
    };
    let sum = |part: fn(&Played) -> usize| played.iter().map(|(_, played)| part(played)).sum::<usize>();
    let (real, travelled) = (sum(|p| usize::from(p.real)), sum(|p| p.travelled));
    eprintln!(
        "{} histories, {real} with real keys, {} acts, {travelled} in frames; skipped: {skipped:?}",
        played.len(),
        sum(|p| p.acts)
    );
    assert_eq!(played.len() + skipped.values().sum::<usize>(), all.len());
    assert!(played.len() as u64 * 10 > HISTORIES * 9, "too few histories leave two people to talk: {skipped:?}");
    assert!(real as u64 * 12 > HISTORIES, "only {real} histories with real keys");
    assert_eq!((coalitions(false).len(), coalitions(true).len()), (7, 7), "{:?}", coalitions(true));
    assert!(travelled > 1_000, "hardly anything travels");
}

#[test]
fn nodes_that_do_not_follow_the_rules_are_noticed() {
    let differs = |seed| play(seed, Some(Bug::NoCut)).is_ok_and(|played| played.differs.is_some());
    assert!((0..HISTORIES).any(differs), "nobody notices that removals cut nothing");
}
