//! A wrong clock destroys nothing, and hides nothing without saying so: the real program, with a clock that is shifted.

use kith_tests::proc::{Home, shifted, skipped, until};
use serde_json::Value;

use crate::text;

const CIRCLE: &str = "Night shift";
const DAY: i64 = 24 * 60 * 60;

/// Amara and Bea in a circle that keeps conversation for 30 days.
fn two() -> (Home, Home) {
    let (amara, bea) = (Home::named("Amara"), Home::named("Bea"));
    drop(amara.json(&["circle", "new", CIRCLE, "--retention", "30d"]));
    amara.admit(CIRCLE, &bea, "Bea");
    (amara, bea)
}

/// Starts the daemon of a home with a clock that is so many seconds off.
fn off_by(home: &mut Home, seconds: i64) -> bool {
    let command = shifted(home, seconds);
    let there = command.is_some();
    command.into_iter().for_each(|command| home.start_as(command));
    there
}

/// What `doctor` found that its person should know.
fn findings(home: &Home) -> String {
    // It exits with 1 where it found a problem.
    let found: Value = serde_json::from_str(&home.kith(&["doctor", "--json"]).stdout).expect("JSON");
    found["findings"].as_array().into_iter().flatten().map(|finding| text(finding, "message") + "\n").collect()
}

fn titles(home: &Home) -> Vec<String> {
    home.rows(&["note", "list"], "notes").iter().map(|note| text(note, "title")).collect()
}

#[test]
fn who_writes_with_a_clock_three_years_behind_is_read_and_told() {
    let (amara, mut bea) = two();
    let _stopped = bea.stop();
    if !off_by(&mut bea, -3 * 365 * DAY) {
        return skipped("no library that shifts the clock", cfg!(target_os = "linux"));
    }
    let run = bea.kith(&["note", "new", "Long night.", "--title", "Behind", "--wait=30s"]).ok();
    assert!(run.stderr.contains("clock looks wrong"), "{}", run.stderr);
    assert!(bea.json(&["status"])["clock"]["others"].is_string());
    assert!(findings(&bea).contains("clock looks wrong"));
    let note = until("the note at Amara's", || amara.note(CIRCLE, "Behind"));
    assert_eq!(note["clock_skewed"], Value::from(true));
    let _stopped = bea.stop();
    bea.start();
    until("Bea's own note", || (titles(&bea) == ["Behind"]).then_some(()));
    assert_eq!(bea.json(&["status"])["clock"], Value::Null);
}

#[test]
fn a_clock_two_months_ahead_for_one_start_hides_and_says_so() {
    let (amara, mut bea) = two();
    drop(amara.json(&["note", "new", "Long night.", "--title", "Keep"]));
    drop(bea.awaits_note(CIRCLE, "Keep"));
    let _stopped = bea.stop();
    if !off_by(&mut bea, 60 * DAY) {
        return skipped("no library that shifts the clock", cfg!(target_os = "linux"));
    }
    until("it to be hidden", || titles(&bea).is_empty().then_some(()));
    until("doctor to say so", || findings(&bea).contains("hidden because its time is over").then_some(()));
    let _stopped = bea.stop();
    bea.start();
    until("it to come back", || (titles(&bea) == ["Keep"]).then_some(()));
    assert!(!findings(&bea).contains("hidden because"));
    assert_eq!(bea.search("Keep").len(), 1, "it is found again");
}
