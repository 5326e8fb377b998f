//! Daemons that cannot be reached: every command ends by itself, and there is a next step that works.

use std::process::Command;

use kith_tests::proc::{Home, until};

/// Sends a signal to the daemon of a home.
fn signal(home: &Home, name: &str) {
    let pid = home.pid().expect("it is our child").to_string();
    assert!(Command::new("kill").args(["-s", name, &pid]).status().expect("kill runs").success());
}

#[test]
fn a_socket_that_something_cleaned_up_is_there_again() {
    let home = Home::named("Amara");
    let socket = home.path().join("run/kithd.sock");
    std::fs::remove_file(&socket).expect("it was there");
    until("the socket to be there again", || socket.exists().then_some(()));
    drop(home.kith(&["status", "--no-input"]).ok());
    // Without waiting: what is started is the daemon that is there, once it can be reached.
    std::fs::remove_file(&socket).expect("it was there");
    drop(home.kith(&["start", "--no-input"]).ok());
    drop(home.kith(&["status", "--no-input"]).ok());
}

#[test]
fn a_daemon_whose_socket_is_gone_can_be_stopped() {
    let mut home = Home::named("Amara");
    // It must not mend it while we look.
    std::fs::remove_file(home.path().join("run/kithd.sock")).expect("it was there");
    let run = home.kith(&["stop", "--no-input"]).ok();
    assert!(run.stderr.contains("stopped"), "{}", run.stderr);
    assert!(home.ended(), "it ended in order");
}

#[test]
fn a_daemon_that_the_system_stopped_is_told_of_and_can_be_ended() {
    let mut home = Home::named("Amara");
    drop(home.json(&["circle", "new", "Night shift"]));
    drop(home.json(&["note", "new", "--title", "kept", "words"]));
    signal(&home, "STOP");
    for args in [&["status", "--no-input"][..], &["note", "list", "--no-input"]] {
        let run = home.kith(args);
        assert_eq!(run.code, 8, "kith {}: {}", args.join(" "), run.stderr);
        assert!(run.stderr.contains("kith stop"), "{}", run.stderr);
    }
    drop(home.kith(&["stop", "--no-input"]).ok());
    assert!(home.ended(), "it went on, and ended in order");
    home.start();
    assert_eq!(home.rows(&["note", "list"], "notes").len(), 1);
}
