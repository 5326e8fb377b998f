//! What was acknowledged stays, whatever ends the daemon. The moments are seeded; the machine's own timing does the rest.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kith_tests::dice::Dice;
use kith_tests::proc::{Home, try_http, until, until_within};
use serde_json::{Value, json};

use crate::text;

const CIRCLE: &str = "Night shift";
/// Kills, half of them of either member.
const KILLS: usize = 200;
/// Notes that a look at a round's ones asks for beyond what was acknowledged in it: what was written and not answered any more.
const UNANSWERED: usize = 50;

/// Writes to one daemon until it is gone or told to stop; says what was acknowledged.
struct Writer {
    acknowledged: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<String>>,
}

impl Writer {
    fn start(home: PathBuf, circle: String, name: String) -> Self {
        let (acknowledged, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, ended) = (Arc::clone(&acknowledged), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut done = Vec::new();
            for number in 0.. {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                let Some(titles) = write(&home, &circle, &name, number) else { break };
                done.extend(titles);
                count.fetch_add(1, Ordering::Relaxed);
            }
            done
        });
        Self { acknowledged, stop, thread }
    }

    fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the writer only writes")
    }
}

/// One write, every third of them a batch. `None`: no answer came, so nobody knows.
fn write(home: &std::path::Path, circle: &str, name: &str, number: usize) -> Option<Vec<String>> {
    let (path, body, titles) = if number % 3 == 2 {
        let titles: Vec<String> = (0..5).map(|item| format!("{name}, batch {number}, {item}")).collect();
        let items: Vec<Value> = titles.iter().map(|title| json!({"kind": "note", "title": title, "body": "kept"})).collect();
        ("batch", json!({"items": items}), titles)
    } else {
        let title = format!("{name}, note {number}");
        ("notes", json!({"title": title, "body": "kept"}), vec![title])
    };
    let answer = try_http(home, "POST", &format!("/v1/circles/{circle}/{path}"), &body.to_string())?;
    assert_eq!(answer.status, 201, "a write is taken, or the daemon is gone: {answer:?}");
    Some(titles)
}

/// Titles as they are listed, each as often as it is.
fn listed(home: &Home, circle: &str, limit: Option<usize>) -> Vec<String> {
    let limit = limit.map_or(String::new(), |limit| format!("?limit={limit}"));
    let answer = try_http(&home.path(), "GET", &format!("/v1/circles/{circle}/notes{limit}"), "").expect("it listens");
    let notes = answer.field("notes");
    notes.as_array().expect("a list").iter().map(|note| text(note, "title")).collect()
}

fn healthy(home: &Home) {
    let doctor = try_http(&home.path(), "GET", "/v1/doctor", "").expect("it listens");
    assert_eq!(doctor.field("ok"), Value::Bool(true), "{}", doctor.body);
    assert!(!doctor.body.contains("fork") && !doctor.body.contains("incarnation"), "{}", doctor.body);
}

/// Each acknowledged title once; nothing twice.
fn all_there(titles: &[String], acknowledged: &[String], where_: &str) {
    let unique: BTreeSet<&String> = titles.iter().collect();
    assert_eq!(unique.len(), titles.len(), "{where_}: something is listed twice");
    let missing: Vec<&String> = acknowledged.iter().filter(|title| !unique.contains(title)).collect();
    assert!(missing.is_empty(), "{where_}: acknowledged and gone: {missing:?}");
}

/// Waits for so many microseconds without giving the processor away: a pause would be far longer.
fn spin(micros: u64) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_micros(micros) {
        std::hint::spin_loop();
    }
}

#[test]
fn d4_kill_9_in_writes_and_syncs_200_times_loses_nothing_acknowledged() {
    let mut homes = [Home::named("Amara"), Home::named("Bea")];
    let [amara, bea] = &homes;
    amara.found(CIRCLE);
    amara.admit(CIRCLE, bea, "Bea");
    let circle = text(amara.rows(&["circle", "list"], "circles").first().expect("one"), "id");
    let mut dice = Dice::new(4);
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..KILLS {
        let victim = round % 2;
        let writers = [0, 1].map(|n| Writer::start(homes[n].path(), circle.clone(), format!("round {round} by {n}")));
        // From “before the first write is through” to “in the middle of the tenth”, here and there.
        let wanted = dice.below(10);
        until("so many writes", || (writers[victim].acknowledged.load(Ordering::Relaxed) >= wanted).then_some(()));
        spin(dice.roll() % 4_000);
        homes[victim].kill();
        let [first, second] = writers.map(Writer::end);
        homes[victim].start();
        // The other one went on writing for as long as this took.
        let newest = listed(&homes[victim], &circle, Some(first.len() + second.len() + UNANSWERED));
        all_there(&newest, if victim == 0 { &first } else { &second }, "right after the restart");
        acknowledged.extend(first.into_iter().chain(second));
        if round % 50 == 49 {
            homes.iter().for_each(healthy);
        }
    }
    assert!(acknowledged.len() > KILLS * 4, "the writers wrote too little to show anything: {}", acknowledged.len());
    // Both come to the same list: all that was acknowledged, and the same of what was not.
    let same = until_within(Duration::from_secs(150), "both to have the same", || {
        let [mut one, mut other] = [0, 1].map(|n| listed(&homes[n], &circle, None));
        one.sort();
        other.sort();
        (one == other).then_some(one)
    });
    all_there(&same, &acknowledged, "in the end");
    for home in &mut homes {
        healthy(home);
        home.restart();
        all_there(&listed(home, &circle, None), &acknowledged, "after an orderly restart");
    }
}

#[test]
fn kill_9_while_a_newcomer_catches_up_leaves_both_able_to_go_on() {
    let (amara, mut bea) = (Home::named("Amara"), Home::named("Bea"));
    amara.found(CIRCLE);
    drop(amara.json(&["circle", "edit", CIRCLE, "--history", "all"]));
    let circle = text(amara.rows(&["circle", "list"], "circles").first().expect("one"), "id");
    for part in 0..8 {
        let items: Vec<Value> =
            (0..250).map(|n| json!({"kind": "note", "title": format!("{part} {n}"), "body": "long ago"})).collect();
        let path = format!("/v1/circles/{circle}/batch");
        let answer = try_http(&amara.path(), "POST", &path, &json!({"items": items}).to_string()).expect("it listens");
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    amara.admit(CIRCLE, &bea, "Bea");
    let mut dice = Dice::new(5);
    for _ in 0..10 {
        spin(dice.roll() % 20_000);
        bea.kill();
        bea.start();
    }
    until("everything to arrive", || (listed(&bea, &circle, None).len() == 2_000).then_some(()));
    healthy(&bea);
    drop(bea.json(&["note", "new", "--title", "and back", "still one chain"]));
    drop(amara.awaits_note(CIRCLE, "and back"));
}
