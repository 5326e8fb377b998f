//! Edits carry their base: what was saved elsewhere while somebody wrote stays, and is named to them.

use kith_tests::proc::{Home, until};
use serde_json::Value;

use crate::text;

#[test]
fn what_two_machines_save_of_one_text_is_merged_and_named() {
    let (amara, bea) = (Home::named("Amara"), Home::named("Bea"));
    amara.found("Night shift");
    amara.admit("Night shift", &bea, "Bea");
    let id = amara.field(&["resource", "new", "--title", "Hotline", "--note", "one\ntwo"], "id");
    until("the resource", || bea.rows(&["resource", "list"], "resources").first().map(drop));
    let note = |home: &Home| text(&home.json(&["resource", "show", &id]), "note");

    // Bea has it open while Amara saves.
    let base = text(&bea.json(&["resource", "show", &id]), "base");
    drop(amara.json(&["resource", "edit", &id, "--note", "one\ntwo\nthree"]));
    until("what Amara saved", || note(&bea).ends_with("three").then_some(()));
    let saved = bea.json(&["resource", "edit", &id, "--note", "one, always\ntwo", "--base", &base]);
    let crossed = saved["crossed"].as_array().cloned().unwrap_or_default();
    let named: Vec<(String, &Value)> = crossed.iter().map(|one| (text(one, "field"), &one["author"]["name"])).collect();
    assert_eq!(named, [("note".to_owned(), &Value::from("Amara"))], "{saved}");
    for home in [&bea, &amara] {
        until("both", || (note(home) == "one, always\ntwo\nthree").then_some(()));
    }
    // Bea has it open in two windows.
    let base = text(&bea.json(&["resource", "show", &id]), "base");
    drop(bea.json(&["resource", "edit", &id, "--title", "Helpline", "--base", &base]));
    let second = bea.json(&["resource", "edit", &id, "--note", "one, always\ntwo\nthree!", "--base", &base]);
    assert_eq!((&second["crossed"][0]["field"], &second["crossed"][0]["mine"]), (&Value::from("title"), &Value::from(true)));
    let third = bea.kith(&["resource", "edit", &id, "--note", "one, always\ntwo\nthree", "--base", &base]);
    assert!(third.stderr.contains("You changed the note too, in another window"), "{third:?}");
    drop(bea.refused(&["resource", "edit", &id, "--note", "x", "--base", "b1-none"], 2, "usage"));
    assert!(!bea.rows(&["resource", "list"], "resources")[0].to_string().contains("\"base\""), "a list has no bases");
}
