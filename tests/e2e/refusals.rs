//! Every refusal: the exit code, what happened, what to do next; and nothing lost.

use kith_tests::proc::{Home, PASSPHRASE, http, until};
use serde_json::Value;

use crate::text;

const CIRCLE: &str = "Night shift";

#[test]
fn no_daemon_is_exit_3_and_names_start() {
    let home = Home::new();
    let error = home.refused(&["note", "list"], 3, "not-running");
    assert!(text(&error, "hint").contains("kith start") || text(&error, "hint").contains("kith init"), "{error}");
    let mut home = Home::named("Amara");
    home.stop();
    let error = home.refused(&["note", "list"], 3, "not-running");
    assert!(text(&error, "hint").contains("kith start"), "{error}");
}

#[test]
fn locked_is_exit_4_names_unlock_and_means_offline() {
    let (amara, bea) = (Home::protected("Amara"), Home::named("Bea"));
    amara.found(CIRCLE);
    amara.admit(CIRCLE, &bea, "Bea");
    drop(amara.json(&["note", "new", "--title", "before", "x"]));
    drop(bea.awaits_note(CIRCLE, "before"));
    drop(amara.json(&["lock"]));
    let error = amara.refused(&["note", "list"], 4, "locked");
    assert!(text(&error, "hint").contains("kith unlock"), "{error}");
    until("the other to notice", || {
        let status = bea.json(&["status"]);
        (status.get("peers")?.get("connected")?.as_u64() == Some(0)).then_some(())
    });
    let status = amara.json(&["status"]);
    assert_eq!((status.get("locked"), status.get("listening")), (Some(&Value::Bool(true)), Some(&Value::Array(Vec::new()))));
    drop(bea.json(&["note", "new", "--title", "meanwhile", "x"]));
    let file = amara.passphrase_file(PASSPHRASE);
    drop(amara.json(&["unlock", "--passphrase-file", &file]));
    drop(amara.awaits_note(CIRCLE, "meanwhile"));
}

#[test]
fn a_wrong_passphrase_changes_nothing() {
    let amara = Home::protected("Amara");
    amara.found(CIRCLE);
    drop(amara.json(&["note", "new", "--title", "kept", "x"]));
    drop(amara.json(&["lock"]));
    let keys = std::fs::read(amara.path().join("keys.toml")).expect("the keys are there");
    let wrong = amara.passphrase_file("not this one");
    amara.refused(&["unlock", "--passphrase-file", &wrong], 7, "needs-passphrase");
    assert_eq!(std::fs::read(amara.path().join("keys.toml")).expect("still there"), keys);
    // Where it was stopped, it was started all the same, and says so.
    drop(amara.json(&["stop"]));
    let refused = amara.refused(&["start", "--passphrase-file", &wrong], 7, "needs-passphrase");
    assert!(crate::text(&refused, "message").contains("running now, and locked"), "{refused}");
    assert_eq!(amara.json(&["status"]).get("locked"), Some(&Value::Bool(true)));
    let right = amara.passphrase_file(PASSPHRASE);
    drop(amara.json(&["unlock", "--passphrase-file", &right]));
    drop(amara.json(&["unlock", "--passphrase-file", &right]));
    assert!(amara.note(CIRCLE, "kept").is_some());
}

#[test]
fn removing_a_person_asks_for_the_name_and_the_passphrase_again() {
    let (amara, bea) = (Home::protected("Amara"), Home::named("Bea"));
    amara.found(CIRCLE);
    amara.admit(CIRCLE, &bea, "Bea");
    amara.refused(&["member", "remove", "Bea"], 7, "needs-confirmation");
    amara.refused(&["member", "remove", "Bea", "--confirm", "Bea"], 7, "needs-passphrase");
    let wrong = amara.passphrase_file("not this one");
    amara.refused(&["member", "remove", "Bea", "--confirm", "Bea", "--passphrase-file", &wrong], 7, "needs-passphrase");
    let current = |rows: Vec<Value>| rows.iter().filter(|row| text(row, "status") == "current").count();
    assert_eq!(current(amara.rows(&["member", "list"], "members")), 2);
    let right = amara.passphrase_file(PASSPHRASE);
    drop(amara.json(&["member", "remove", "Bea", "--confirm", "Bea", "--passphrase-file", &right]));
    assert_eq!(current(amara.rows(&["member", "list"], "members")), 1);
}

#[test]
fn used_expired_and_closed_invites_are_refused() {
    let (amara, bea, chioma) = (Home::named("Amara"), Home::named("Bea"), Home::named("Chioma"));
    amara.found(CIRCLE);
    let used = amara.field(&["invite", "new"], "link");
    drop(bea.json(&["invite", "accept", &used, "--as", "Bea", "--yes"]));
    let request = until("the request", || amara.rows(&["invite", "pending"], "pending").first().map(|row| text(row, "id")));
    drop(amara.json(&["invite", "approve", &request]));
    until("Bea to be in", || (!bea.rows(&["circle", "list"], "circles").is_empty()).then_some(()));
    ends_badly(&chioma, &used);

    let closed = amara.json(&["invite", "new"]);
    drop(amara.json(&["invite", "revoke", &text(&closed, "id")]));
    ends_badly(&chioma, &text(&closed, "link"));

    // Nobody could answer in a second, so the command line makes no such invite; the API does.
    amara.refused(&["invite", "new", "--expires", "1s"], 2, "usage");
    amara.refused(&["invite", "new", "--uses", "0"], 2, "usage");
    let short = http(&amara.path(), "POST", "/v1/circles/-/invites", r#"{"expires_in":1000}"#);
    let short: Value = serde_json::from_str(&short.body).expect("JSON");
    until("it to expire", || {
        let rows = amara.rows(&["invite", "list"], "invites");
        rows.iter().any(|row| text(row, "id") == text(&short, "id") && text(row, "status") == "expired").then_some(())
    });
    ends_badly(&chioma, &text(&short, "link"));
    assert!(amara.rows(&["invite", "pending"], "pending").is_empty());
    assert!(chioma.rows(&["circle", "list"], "circles").is_empty());
    chioma.refused(&["invite", "show", "kith://nonsense"], 2, "usage");
}

/// Accepting ends with a refusal that says what to do, not with waiting for ever.
fn ends_badly(guest: &Home, link: &str) {
    let run = guest.kith(&["invite", "accept", link, "--as", "Chioma", "--yes", "--wait=20s", "--json", "--no-input"]);
    assert!([1, 5, 6].contains(&run.code), "exit {}: {}{}", run.code, run.stdout, run.stderr);
    assert!(run.stderr.contains("\"hint\":\"") && !run.stderr.contains("\"hint\":\"\""), "{}", run.stderr);
}

#[test]
fn what_is_not_there_and_what_could_be_two_is_exit_6() {
    let home = Home::named("Amara");
    home.found(CIRCLE);
    home.refused(&["note", "show", "n-nothing"], 6, "not-found");
    home.refused(&["note", "list", "-c", "No such circle"], 6, "not-found");
    let ids: Vec<String> = (0..40).map(|n| home.field(&["note", "new", "--title", &format!("note {n}"), "x"], "id")).collect();
    // Of forty ids two begin with the same letter after the dash: there are 32.
    let first = |id: &String| id.chars().take(3).collect::<String>();
    let shared = ids.iter().map(first).find(|prefix| ids.iter().filter(|id| id.starts_with(prefix)).count() > 1);
    home.refused(&["note", "show", &shared.expect("two of forty")], 6, "ambiguous");
    let whole = ids.first().expect("forty");
    assert_eq!(home.field(&["note", "show", &whole.chars().take(12).collect::<String>()], "id"), *whole);
    home.found("Other");
    home.refused(&["note", "list"], 6, "ambiguous");
}

#[test]
fn roles_are_kept() {
    let (amara, bea) = (Home::named("Amara"), Home::named("Bea"));
    amara.found(CIRCLE);
    amara.admit(CIRCLE, &bea, "Bea");
    let note = amara.field(&["note", "new", "--title", "mine", "x"], "id");
    drop(bea.awaits_note(CIRCLE, "mine"));
    bea.refused(&["note", "edit", &note, "--title", "yours"], 5, "not-allowed");
    bea.refused(&["note", "remove", &note], 5, "not-allowed");
    bea.refused(&["note", "hide", &note], 5, "not-allowed");
    bea.refused(&["invite", "new"], 5, "not-allowed");
    bea.refused(&["member", "remove", "Amara", "--confirm", "Amara"], 5, "not-allowed");
    bea.refused(&["member", "role", "Bea", "steward"], 5, "not-allowed");
    bea.refused(&["circle", "edit", CIRCLE, "--history", "all"], 5, "not-allowed");
    assert_eq!(text(&amara.note(CIRCLE, "mine").expect("still there"), "title"), "mine");
}

#[test]
fn mistakes_in_what_is_typed_are_exit_2() {
    let home = Home::named("Amara");
    home.found(CIRCLE);
    for wrong in [
        vec!["nothing"],
        vec!["note", "new", "--want", "money", "x"],
        vec!["event", "new", "--title", "x", "--starts", "some day"],
    ] {
        let run = home.kith(&[wrong.as_slice(), &["--json", "--no-input"]].concat());
        assert_eq!(run.code, 2, "{}\n{}{}", run.line, run.stdout, run.stderr);
    }
    let long = "x".repeat(70_000);
    home.tell(&["note", "new", "--title", "long", "--json", "--no-input", "-"], &long).refused(2, "too-large");
}
