//! What was acknowledged stays, whatever ends the daemon.

use kith_tests::proc::Home;

use crate::text;

const CIRCLE: &str = "Night shift";
/// Kills per run; each at another moment of the loop.
const KILLS: usize = 20;
/// Writes between two kills, at most.
const WRITES: usize = 4;

#[test]
fn kill_9_in_a_write_loop_loses_nothing_acknowledged() {
    let mut home = Home::named("Amara");
    home.found(CIRCLE);
    let mut acknowledged = Vec::new();
    for round in 0..KILLS {
        let path = home.path();
        let writer = std::thread::spawn(move || {
            let mut done = Vec::new();
            for number in 0..WRITES {
                let title = format!("round {round} write {number}");
                let run = kith_tests::proc::kith(&path, &["note", "new", "--title", &title, "kept", "--json", "--no-input"], "");
                if run.code != 0 {
                    break;
                }
                done.push(title);
            }
            done
        });
        // Another moment in every round: after so many looks at the socket, none of them a pause.
        for _ in 0..round % 7 {
            drop(home.kith(&["status", "--json", "--no-input"]));
        }
        home.kill();
        acknowledged.extend(writer.join().expect("the writer only writes"));
        home.start();
    }
    let listed: Vec<String> = home.rows(&["note", "list"], "notes").iter().map(|note| text(note, "title")).collect();
    for title in &acknowledged {
        assert_eq!(listed.iter().filter(|listed| *listed == title).count(), 1, "“{title}” was acknowledged");
    }
    assert!(acknowledged.len() > KILLS / 2, "the loop wrote too little to show anything: {}", acknowledged.len());
    let doctor = home.json(&["doctor"]);
    assert_eq!(doctor.get("ok"), Some(&serde_json::Value::Bool(true)), "{doctor}");
}

#[test]
fn kill_9_in_the_middle_of_a_sync_leaves_both_able_to_go_on() {
    let (amara, mut bea) = (Home::named("Amara"), Home::named("Bea"));
    amara.found(CIRCLE);
    amara.admit(CIRCLE, &bea, "Bea");
    for round in 0..4 {
        let titles: Vec<String> = (0..5).map(|number| format!("round {round} note {number}")).collect();
        for title in &titles {
            drop(amara.json(&["note", "new", "--title", title, "on its way"]));
        }
        bea.kill();
        bea.start();
        for title in &titles {
            drop(bea.awaits_note(CIRCLE, title));
        }
    }
    drop(bea.json(&["note", "new", "--title", "and back", "still one chain"]));
    drop(amara.awaits_note(CIRCLE, "and back"));
}
