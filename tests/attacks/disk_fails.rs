//! D: a disk that fails under the daemon. A library between the two makes any call fail that changes a file; see
//! `kith_tests::proc::faulty`.

use std::fs;

use kith_tests::proc::{FailPoint, Home, can_mount, faulty, has_program, skipped, try_http, until};
use serde_json::json;

use crate::text;

const CIRCLE: &str = "Night shift";
/// Error numbers of Linux.
const EIO: i32 = 5;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;
/// Places in a daemon's life at which it is killed; more calls than that are skipped evenly.
const PLACES: u32 = 40;

fn titles(home: &Home) -> Vec<String> {
    home.rows(&["note", "list"], "notes").iter().map(|note| text(note, "title")).collect()
}

/// A write through the socket; was it acknowledged?
fn written(home: &Home, title: &str) -> bool {
    let body = json!({"title": title, "body": "kept"}).to_string();
    try_http(&home.path(), "POST", "/v1/circles/-/notes", &body).is_some_and(|answer| answer.status == 201)
}

#[test]
fn d5_killed_before_any_write_sync_or_rename_it_has_the_old_state_or_the_new() {
    let mut home = Home::named("Amara");
    home.found(CIRCLE);
    let mut acknowledged = vec!["first".to_owned()];
    assert!(written(&home, "first"));
    home.stop();
    // How many such calls are there in one life? Found by doubling; then each place, or some forty of them.
    let (mut call, mut step, mut survived) = (1, 1, false);
    let mut killed = 0;
    while !survived {
        let Some(command) = faulty(&home, FailPoint::KillAt(call)) else {
            skipped("no library can be put before the daemon here", has_program("cc"));
            return;
        };
        survived = home.try_start_as(command);
        for write in 0..3 {
            let title = format!("at call {call}, write {write}");
            if survived && written(&home, &title) {
                acknowledged.push(title);
            }
        }
        let orderly = survived && home.kith(&["stop", "--no-input"]).code == 0;
        survived = home.ended() && orderly;
        killed += u32::from(!survived);
        home.start();
        let listed = titles(&home);
        for title in &acknowledged {
            assert_eq!(listed.iter().filter(|one| *one == title).count(), 1, "killed before call {call}: “{title}”");
        }
        assert_eq!(home.json(&["doctor"]).get("ok"), Some(&serde_json::Value::Bool(true)));
        home.stop();
        if call > PLACES {
            step += 4;
        }
        call += step;
    }
    assert!(killed > 15, "only {killed} lives were cut short");
}

/// While the disk gives this error, every write is refused in these words and nothing is lost; afterwards it goes on.
fn refuses_and_goes_on(error: i32, code: &str, words: &str) {
    let mut home = Home::named("Amara");
    home.found(CIRCLE);
    home.stop();
    let trigger = home.beside().join("the disk fails");
    let Some(command) = faulty(&home, FailPoint::While(&trigger, error)) else {
        skipped("no library can be put before the daemon here", has_program("cc"));
        return;
    };
    home.start_as(command);
    assert!(written(&home, "before"));
    until("the first note to be found", || (home.search("before").len() == 1).then_some(()));
    assert!(written(&home, "unindexed"));
    fs::write(&trigger, "now").expect("a file");
    assert_eq!(home.search("before").len(), 1, "what cannot be indexed now keeps nobody from finding the rest");
    for _ in 0..3 {
        let run = home.kith(&["note", "new", "--title", "during", "x", "--json", "--no-input"]);
        let said = run.stderr.clone();
        run.refused(1, code);
        assert!(said.contains(words), "{said}");
    }
    assert!(titles(&home).contains(&"before".to_owned()), "what was there can be read");
    fs::remove_file(&trigger).expect("the disk is well again");
    until("writes to go on", || written(&home, "after").then_some(()));
    home.kill();
    home.start();
    let listed = titles(&home);
    assert!(listed.contains(&"before".to_owned()) && listed.contains(&"after".to_owned()), "{listed:?}");
    assert!(!listed.contains(&"during".to_owned()), "what was refused is not there");
    assert_eq!(home.json(&["doctor"]).get("ok"), Some(&serde_json::Value::Bool(true)));
}

#[test]
fn d7_a_disk_that_gives_errors_stops_writing_and_says_so() {
    refuses_and_goes_on(EIO, "failed", "refused to write");
}

#[test]
fn d7_a_disk_that_can_only_be_read_stops_writing_and_says_so() {
    refuses_and_goes_on(EROFS, "failed", "refused to write");
}

#[test]
fn d7_a_disk_that_is_full_stops_writing_and_says_so() {
    refuses_and_goes_on(ENOSPC, "disk-full", "disk is full");
}

#[test]
fn d7_a_home_that_can_only_be_read_is_refused_clearly() {
    let mut home = Home::named("Amara");
    home.found(CIRCLE);
    home.stop();
    let mount = |args: &[&str]| std::process::Command::new("mount").args(args).output().is_ok_and(|out| out.status.success());
    let path = home.path().to_string_lossy().into_owned();
    if !mount(&["--bind", &path, &path]) {
        skipped("a read-only disk needs the right to mount one", can_mount(home.beside()));
        return;
    }
    let unmount = Unmount(path.clone());
    assert!(mount(&["-o", "remount,ro,bind", &path]), "nothing is open there");
    let out = home.kithd().stderr(std::process::Stdio::piped()).output().expect("it ends by itself");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("read-only") && said.contains("yours to write") && !said.contains("panicked"), "{said}");
    drop(unmount);
    home.start();
    assert_eq!(home.rows(&["circle", "list"], "circles").len(), 1);
}

struct Unmount(String);

impl Drop for Unmount {
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").args(["-l", &self.0]).output());
    }
}
