//! Membership: the model's vectors against the resolver.

use std::path::{Path, PathBuf};

use kith_tests::model::{Making, load, run};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/membership")
}

/// Runs every vector whose name starts so, `times` times in random orders and under random ids.
fn agree(prefix: &str, making: Making, times: u64) {
    let vectors = load(&folder()).expect("the vectors are there");
    let mut count = 0;
    for vector in vectors.iter().filter(|vector| vector.name.starts_with(prefix)) {
        for seed in 0..times {
            let found = run(vector, making, &[], seed).expect("a vector can be understood");
            assert!(found.is_empty(), "{} (seed {seed}) differs:\n{}", vector.name, found.join("\n"));
        }
        count += 1;
    }
    assert!(count > 0, "no vector is called {prefix}");
}

#[test]
fn every_vector_in_any_order_under_any_ids() {
    agree("", Making::Plain, 12);
}

#[test]
fn every_vector_signed_with_real_keys() {
    agree("", Making::Signed, 1);
}
