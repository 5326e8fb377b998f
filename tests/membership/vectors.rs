//! All vectors at once.

use std::path::{Path, PathBuf};

use kith_protocol::circle::membership::Rule;
use kith_tests::model::{Making, Vector, load, run};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/membership")
}

/// Every vector.
pub fn all() -> Vec<Vector> {
    load(&folder()).expect("the vectors are there")
}

/// Runs a vector in random orders, under random ids.
pub fn agrees(vector: &Vector, making: Making, seeds: u64) {
    for seed in 0..seeds {
        let found = run(vector, making, &[], seed).expect("a vector can be understood");
        assert!(found.is_empty(), "{} (seed {seed}) differs:\n{}", vector.name, found.join("\n"));
    }
}

#[test]
fn every_vector_in_any_order_under_any_ids() {
    let vectors = all();
    assert_eq!(vectors.len(), 229);
    vectors.iter().for_each(|vector| agrees(vector, Making::Plain, 8));
}

#[test]
fn every_vector_signed_with_real_keys() {
    all().iter().for_each(|vector| agrees(vector, Making::Signed, 1));
}

#[test]
fn each_rule_switched_off_is_noticed_by_a_named_vector() {
    let named: Vec<Vector> = all().into_iter().filter(|vector| !vector.name.starts_with("seed-")).collect();
    for (rule, name) in Rule::MODEL {
        let notices = |vector: &&Vector| !run(vector, Making::Plain, &[rule], 1).expect("understood").is_empty();
        assert!(named.iter().any(|vector| notices(&vector)), "without {name} every named vector still agrees");
    }
}
