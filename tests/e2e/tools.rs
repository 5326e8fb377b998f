//! The tools that prove things, as other programs call them: exit codes and JSON.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn run(program: &str, args: &[&str]) -> Output {
    Command::new(program).args(args).output().expect("it starts")
}

fn json(out: &Output) -> Value {
    let text = String::from_utf8_lossy(&out.stdout);
    serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}{}", String::from_utf8_lossy(&out.stderr)))
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/membership")
}

fn model(args: &[&str]) -> Output {
    run(env!("CARGO_BIN_EXE_model"), args)
}

fn differing(out: &Output) -> Vec<String> {
    let rows = json(out)["differ"].as_array().expect("a list").clone();
    rows.iter().map(|row| crate::text(row, "name")).collect()
}

#[test]
fn model_agrees_with_every_vector_and_names_the_one_that_was_bent() {
    let folder = vectors();
    let out = model(&[&folder.to_string_lossy(), "--json"]);
    assert_eq!((out.status.code(), json(&out)["vectors"].as_u64()), (Some(0), Some(230)), "{}", json(&out));
    assert_eq!(json(&out)["schema"], "kith.model/1");
    assert_eq!(differing(&out), [""; 0]);
    // Two of them, and in one nobody is said to be a delegate.
    let bent = tempfile::tempdir().expect("a folder");
    std::fs::copy(folder.join("device-kept.json"), bent.path().join("device-kept.json")).expect("a copy");
    let mut vector: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("delegates.json")).expect("words")).expect("JSON");
    let delegates = std::mem::replace(&mut vector["expect"]["delegates"], Value::Array(Vec::new()));
    assert!(delegates.as_array().is_some_and(|delegates| !delegates.is_empty()), "{delegates}");
    std::fs::write(bent.path().join("delegates.json"), vector.to_string()).expect("written");
    let out = model(&[&bent.path().to_string_lossy(), "--json"]);
    assert_eq!((out.status.code(), json(&out)["vectors"].as_u64()), (Some(1), Some(2)), "{}", json(&out));
    assert_eq!(differing(&out), ["delegates"]);
    assert_eq!(model(&["/nowhere", "--json"]).status.code(), Some(2));
    assert_eq!(model(&[]).status.code(), Some(2));
}

#[test]
fn sim_replays_a_seed_alike_and_prints_what_was_planted() {
    let sim = |args: &[&str]| run(env!("CARGO_BIN_EXE_sim"), args);
    let once = sim(&["replay", "0"]);
    let text = String::from_utf8_lossy(&once.stdout).into_owned();
    assert!(once.status.success() && text.contains("seed 0 trace "), "{text}");
    assert_eq!(sim(&["replay", "0"]).stdout, once.stdout, "a seed decides everything");
    let traced = sim(&["replay", "0", "--trace"]);
    assert!(traced.stdout.len() > 10 * once.stdout.len(), "line by line");
    // A seed that fails: with a bug in it.
    let planted = sim(&["planted", "--seeds", "2", "--json"]);
    let rows = json(&planted)["planted"].as_array().expect("a list").clone();
    assert!(rows.len() >= 10, "{rows:?}");
    assert!(rows.iter().all(|row| !crate::text(row, "name").is_empty() && !crate::text(row, "promise").is_empty()), "{rows:?}");
    let found = rows.iter().filter(|row| row["seed"].is_u64()).count();
    assert!(found > 0, "two seeds find some of them");
    assert_eq!(planted.status.code(), Some(if found == rows.len() { 0 } else { 1 }));
    let row = rows.iter().find(|row| row["seed"].is_u64()).expect("one");
    let failing = sim(&["replay", &row["seed"].to_string(), "--bug", &crate::text(row, "name"), "--whole"]);
    let text = String::from_utf8_lossy(&failing.stdout).into_owned();
    assert!(failing.status.code() == Some(1) && text.contains("FAILED") && text.contains("-- replay "), "{text}");
    assert_eq!(sim(&["replay", "seven"]).status.code(), Some(2));
}
