//! The seeded adversary: nothing it does breaks a promise; with a rule off, something does.

use std::collections::BTreeMap;

use kith_protocol::circle::membership::Rule;
use kith_tests::model::adversary::{Coalition, play};

/// Histories played in every run of the tests.
const HISTORIES: u64 = 4_000;

#[test]
fn no_history_breaks_a_promise() {
    let mut kinds: BTreeMap<Coalition, u64> = BTreeMap::new();
    for seed in 0..HISTORIES {
        let (coalition, broken) = play(seed, &[]);
        assert!(broken.is_empty(), "seed {seed} ({coalition:?}): {broken:?}");
        *kinds.entry(coalition).or_default() += 1;
    }
    println!("{kinds:?}");
    assert_eq!(kinds.len(), 7);
}

#[test]
fn each_rule_switched_off_breaks_a_promise() {
    let mut quiet = Vec::new();
    for (rule, name) in Rule::MODEL {
        let found = (0..HISTORIES).find_map(|seed| {
            let (coalition, broken) = play(seed, &[rule]);
            (!broken.is_empty()).then_some((seed, coalition, broken))
        });
        match found {
            Some((seed, coalition, broken)) => println!("without {name:20} seed {seed:4} {coalition:?}: {broken:?}"),
            None => quiet.push(name),
        }
    }
    assert!(quiet.is_empty(), "nobody notices when these are off: {quiet:?}");
}
