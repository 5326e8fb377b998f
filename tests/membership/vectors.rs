//! All vectors at once.

use std::path::{Path, PathBuf};
use std::process::Command;

use kith_protocol::circle::membership::Rule;
use kith_tests::model::{Making, Vector, load, run};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/membership")
}

/// Every vector.
pub fn all() -> Vec<Vector> {
    load(&folder()).expect("the vectors are there")
}

/// How many of them there are.
/// 229 are the model's, and one is ours.
const VECTORS: usize = 230;

/// Runs a vector in random orders, under random ids; how many of its acts were signed each time.
pub fn agrees(vector: &Vector, making: Making, seeds: u64) -> usize {
    let mut signed = 0;
    for seed in 0..seeds {
        let run = run(vector, making, &[], seed).unwrap_or_else(|e| panic!("{} (seed {seed}): {e}", vector.name));
        assert!(run.differs.is_empty(), "{} (seed {seed}) differs:\n{}", vector.name, run.differs.join("\n"));
        let due = if making == Making::Signed { run.acts - run.formless.len() } else { 0 };
        assert_eq!(run.signed, due, "{} (seed {seed}): so many acts are signed", vector.name);
        assert!(run.formless.is_empty(), "{}: {:?} have no form", vector.name, run.formless);
        signed = run.signed;
    }
    signed
}

#[test]
fn every_vector_in_any_order_under_any_ids() {
    let vectors = all();
    assert_eq!(vectors.len(), VECTORS);
    for vector in &vectors {
        agrees(vector, Making::Plain, 8);
    }
}

#[test]
fn every_vector_signed_with_real_keys() {
    let vectors = all();
    assert_eq!(vectors.len(), VECTORS);
    let acts: usize = vectors.iter().map(|vector| vector.acts.len()).sum();
    let signed: usize = vectors.iter().map(|vector| agrees(vector, Making::Signed, 1)).sum();
    println!("{signed} acts signed, verified and opened");
    assert_eq!(signed, acts, "acts that were not signed with real keys");
}

#[test]
fn each_rule_switched_off_is_noticed_by_a_named_vector() {
    let named: Vec<Vector> = all().into_iter().filter(|vector| !vector.name.starts_with("seed-")).collect();
    for (rule, name) in Rule::MODEL {
        let notices = |vector: &&Vector| !run(vector, Making::Plain, &[rule], 1).expect("understood").differs.is_empty();
        assert!(named.iter().any(|vector| notices(&vector)), "without {name} every named vector still agrees");
    }
}

/// `model` over a folder: what it prints and how it ends.
fn model(args: &[&str]) -> (Option<i32>, String, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_model")).args(args).output().expect("it starts");
    let words = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (run.status.code(), words(run.stdout), words(run.stderr))
}

#[test]
fn the_tool_names_what_differs_and_refuses_a_folder_without_vectors() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let path = dir.to_str().expect("text");
    let (code, out, said) = model(&[path]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(said.contains("holds no vectors"), "{said}");
    for name in ["r01-genesis.json", "r04-content-cut.json"] {
        std::fs::copy(folder().join(name), dir.join(name)).expect("a copy");
    }
    let (code, out, said) = model(&[path, "--json", "--seed", "7"]);
    assert_eq!(code, Some(0), "{out}{said}");
    let json: serde_json::Value = serde_json::from_str(&out).expect("json");
    assert_eq!((&json["vectors"], &json["seed"], &json["unsigned"]), (&2.into(), &7.into(), &serde_json::json!([])));
    assert!(json["signed"].as_u64().is_some_and(|signed| signed > 2 && json["acts"] == signed), "{json}");
    let bent = dir.join("r04-content-cut.json");
    let whole = std::fs::read_to_string(&bent).expect("a vector");
    std::fs::write(&bent, whole.replace("\"frozen\": false", "\"frozen\": true")).expect("a bent one");
    let (code, out, _) = model(&[path, "--seed", "7", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).expect("json");
    assert_eq!((code, json["differ"].as_array().map(Vec::len)), (Some(1), Some(1)), "{json}");
    for wrong in [&["--seed", "x", path][..], &[], &[path, path], &["/nowhere/at/all"]] {
        assert_eq!(model(wrong).0, Some(2), "{wrong:?}");
    }
}
