//! The membership adversary through whole nodes.

use std::collections::BTreeSet;

use kith_protocol::planted::Bug;
use kith_tests::sim::adversary::{Played, play};

use crate::on_all_cores;

/// Histories that are played here.
const HISTORIES: u64 = 400;

#[test]
fn whole_nodes_end_with_what_the_rules_say_whatever_the_coalition_signs() {
    let all = on_all_cores(HISTORIES, |seed| (seed, play(seed, None)));
    let played: Vec<(u64, &Played)> = all.iter().filter_map(|(seed, played)| Some((*seed, played.as_ref()?))).collect();
    for (seed, played) in &played {
        assert!(played.broken.is_empty(), "seed {seed} ({:?}): {:?}", played.coalition, played.broken);
        assert_eq!(played.differs, None, "seed {seed} ({:?})", played.coalition);
    }
    let coalitions: BTreeSet<_> = played.iter().map(|(_, played)| played.coalition).collect();
    let sum = |part: fn(&Played) -> usize| played.iter().map(|(_, played)| part(played)).sum::<usize>();
    eprintln!("{} histories, {} acts, {} of them in frames", played.len(), sum(|p| p.acts), sum(|p| p.travelled));
    assert!(played.len() as u64 * 10 > HISTORIES * 9, "only {} histories leave two people to talk", played.len());
    assert_eq!(coalitions.len(), 7, "{coalitions:?}");
    assert!(sum(|p| p.travelled) > 1_000, "hardly anything travels");
}

#[test]
fn nodes_that_do_not_follow_the_rules_are_noticed() {
    let differs = |seed| play(seed, Some(Bug::NoCut)).is_some_and(|played| played.differs.is_some());
    assert!((0..HISTORIES).any(differs), "nobody notices that removals cut nothing");
}
