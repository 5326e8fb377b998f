//! The program itself, with no daemon: what works without one, and what scripts are told.
//! (Also the reason why `cargo test --workspace` builds the binary.)

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::path::Path;
use std::process::{Command, Output};

fn kith(home: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("kith"));
    command.env_remove("KITH_HOME").arg("--home").arg(home).args(words);
    command.stdin(std::process::Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn crisis_needs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("none");
    let out = kith(&home, &["crisis"]);
    assert!(out.status.success());
    let said = text(&out.stdout);
    for word in ["not an emergency service", "112", "988", "116 123", "findahelpline.com", "2026-11"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(!home.exists());
    let json: serde_json::Value = serde_json::from_slice(&kith(&home, &["crisis", "--json"]).stdout).unwrap();
    assert_eq!(json["schema"], "kith.crisis/1");
}

#[test]
fn crisis_shows_ones_own_country_first() {
    let dir = tempfile::tempdir().unwrap();
    let first = |zone: &str, language: &str, words: &[&str]| {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("kith"));
        for name in ["KITH_HOME", "HOME", "XDG_DATA_HOME", "LC_ALL", "LC_MESSAGES"] {
            command.env_remove(name);
        }
        command.env("TZ", zone).env("LANG", language).current_dir(dir.path()).arg("crisis").args(words);
        let out = command.output().unwrap();
        assert!(out.status.success(), "{}", text(&out.stderr));
        let said = text(&out.stdout);
        let block = said.split("\n\n").nth(1).unwrap().to_owned();
        (block.lines().next().unwrap().to_owned(), said.matches("https://").count())
    };
    assert_eq!(first("Australia/Perth", "de_DE.UTF-8", &[]).0, "Australia");
    assert_eq!(first("UTC", "de_DE.UTF-8", &[]).0, "Germany");
    assert_eq!(first("Europe/Warsaw", "C", &[]).0, "European Union");
    assert_eq!(first("UTC", "C", &["uk"]), ("United Kingdom".to_owned(), 2));
    assert_eq!(first("UTC", "C", &["new zealand"]), ("New Zealand".to_owned(), 2));
    assert_eq!(first("UTC", "C", &["sk"]), ("European Union".to_owned(), 2));
    // Nobody is sent away in a panic: what is not known is said, and all the rest is shown.
    assert_eq!(first("UTC", "C", &["Atlantis"]), ("European Union".to_owned(), 11));
    // A home that no socket can have is none that anything needs here.
    let long = dir.path().join("l".repeat(120));
    assert!(kith(&long, &["crisis"]).status.success());
}

#[test]
fn a_crisis_card_is_kept_and_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    let card = dir.path().join("card.md");
    std::fs::write(&card, "Call Amara \u{1b}[31mfirst\n").unwrap();
    assert!(kith(&home, &["crisis", "--keep", card.to_str().unwrap()]).status.success());
    assert!(text(&kith(&home, &["crisis"]).stdout).contains("Call Amara \\u{1b}[31mfirst"));
    assert!(kith(&home, &["crisis", "--forget"]).status.success());
    assert!(!text(&kith(&home, &["crisis"]).stdout).contains("Amara"));
}

#[test]
fn scripts_are_told_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("none");
    for words in [&["note", "list"][..], &["status"], &["circle", "list"], &["inbox"], &["unlock"], &["lock"]] {
        let out = kith(&home, words);
        assert_eq!(out.status.code(), Some(3), "{words:?}");
        assert!(text(&out.stderr).contains("kith start"), "{}", text(&out.stderr));
        assert!(out.stdout.is_empty());
    }
    let out = kith(&home, &["note", "list", "--json"]);
    let error: serde_json::Value = serde_json::from_slice(&out.stderr).unwrap();
    assert_eq!((&error["schema"], &error["code"]), (&"kith.error/1".into(), &"not-running".into()));
    let out = kith(&home, &["note", "new", "precious"]);
    assert_eq!(out.status.code(), Some(3));
    assert!(!home.exists(), "asking makes no home");
}

#[test]
fn stopping_what_does_not_run_is_fine() {
    let dir = tempfile::tempdir().unwrap();
    assert!(kith(&dir.path().join("none"), &["stop"]).status.success());
}

#[test]
fn mistakes_are_usage() {
    let dir = tempfile::tempdir().unwrap();
    for words in [
        &["note", "frobnicate"][..],
        &["note", "list", "--wait=soon"],
        &["event", "new", "--title", "x", "--starts", "someday"],
        &["event", "new", "--title", "x", "--starts", "2026-12-01T18:00", "--rrule", "FREQ=NEVER"],
        &["init"],
        &["init", "--name", "Amara"],
    ] {
        assert_eq!(kith(dir.path(), words).status.code(), Some(2), "{words:?}");
    }
    let out = kith(dir.path(), &["note", "frobnicate", "--json"]);
    let error: serde_json::Value = serde_json::from_slice(&out.stderr).unwrap();
    assert_eq!(error["code"], "usage");
    let long = dir.path().join("x".repeat(120));
    assert_eq!(kith(&long, &["status"]).status.code(), Some(2));
}

#[test]
fn destructive_things_ask() {
    let dir = tempfile::tempdir().unwrap();
    let out = kith(dir.path(), &["invite", "accept", "kith:x#y"]);
    assert_eq!(out.status.code(), Some(7));
    assert!(text(&out.stderr).contains("--yes"));
}

#[test]
fn pages_and_completions_are_written() {
    let dir = tempfile::tempdir().unwrap();
    assert!(text(&kith(dir.path(), &["completions", "bash"]).stdout).contains("kith"));
    let man = dir.path().join("man1");
    assert!(kith(dir.path(), &["man", man.to_str().unwrap()]).status.success());
    for page in ["kith.1", "kith-note.1", "kith-note-new.1"] {
        assert!(man.join(page).is_file(), "{page}");
    }
}

#[test]
fn a_service_file_comes_and_goes() {
    let dir = tempfile::tempdir().unwrap();
    let run = |verb: &str| {
        Command::new(assert_cmd::cargo::cargo_bin!("kith"))
            .args(["daemon", verb, "--json", "--home"])
            .arg(dir.path().join("kith"))
            .env("HOME", dir.path())
            .env_remove("XDG_CONFIG_HOME")
            .output()
            .unwrap()
    };
    let out = run("install");
    assert!(out.status.success(), "{}", text(&out.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let path = Path::new(answer["path"].as_str().unwrap()).to_path_buf();
    assert!(std::fs::read_to_string(&path).unwrap().contains("daemon run --home") || cfg!(target_os = "macos"));
    assert!(run("uninstall").status.success());
    assert!(!path.exists());
}
