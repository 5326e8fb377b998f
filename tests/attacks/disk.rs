//! D: what the disk holds, and what is done to it.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use kith_tests::proc::{Home, PASSPHRASE, until};

use crate::text;

const CIRCLE: &str = "Night shift";

fn filled(notes: usize) -> Home {
    let home = Home::protected("Amara");
    home.found(CIRCLE);
    for number in 0..notes {
        drop(home.json(&["note", "new", "--title", &format!("note {number}"), "body"]));
    }
    home
}

#[test]
fn d1_a_wrong_passphrase_is_slow_clear_and_changes_nothing() {
    let home = filled(1);
    drop(home.json(&["lock"]));
    let before = fs::read(home.path().join("keys.toml")).expect("the keys");
    let wrong = home.passphrase_file("wrong");
    let start = Instant::now();
    for _ in 0..3 {
        home.refused(&["unlock", "--passphrase-file", &wrong], 7, "needs-passphrase");
    }
    assert!(start.elapsed() > Duration::from_millis(150), "three guesses took {:?}: too cheap", start.elapsed());
    assert_eq!(fs::read(home.path().join("keys.toml")).expect("the keys"), before);
    let right = home.passphrase_file(PASSPHRASE);
    drop(home.json(&["unlock", "--passphrase-file", &right]));
}

#[test]
fn d2_a_truncated_store_is_an_error_or_whole_never_a_silent_loss() {
    let mut home = filled(12);
    home.stop();
    let path = home.path().join("store.db");
    let whole = fs::read(&path).expect("the store");
    let right = home.passphrase_file(PASSPHRASE);
    let pages = whole.len() / 4096;
    assert!(pages > 4, "a store of {pages} pages shows nothing");
    // Every page boundary of a small store; of a larger one some twenty.
    for page in (0..pages).step_by(pages.div_ceil(20)) {
        fs::write(&path, whole.get(..page * 4096).expect("within")).expect("writes");
        for beside in ["store.db-wal", "store.db-shm"] {
            drop(fs::remove_file(home.path().join(beside)));
        }
        home.start();
        let run = home.kith(&["unlock", "--passphrase-file", &right, "--json", "--no-input"]);
        if run.code == 0 {
            assert_eq!(home.rows(&["note", "list"], "notes").len(), 12, "cut at page {page}: something is silently missing");
        } else {
            run.refused(1, "damaged");
        }
        home.kill();
    }
    fs::write(&path, &whole).expect("writes");
    home.start();
    drop(home.json(&["unlock", "--passphrase-file", &right]));
    assert_eq!(home.rows(&["note", "list"], "notes").len(), 12);
}

#[test]
fn d8_of_two_daemons_in_one_home_the_second_ends() {
    let home = Home::named("Amara");
    let mut others: Vec<_> = (0..4).map(|_| home.kithd().stderr(Stdio::null()).spawn().expect("starts")).collect();
    for other in &mut others {
        let status = until("the second daemon to end", || other.try_wait().ok().flatten());
        assert_eq!(status.code(), Some(1));
    }
    home.found(CIRCLE);
}

#[test]
fn d10_a_store_of_a_newer_program_is_refused() {
    let mut home = Home::named("Amara");
    home.stop();
    let keys = home.path().join("keys.toml");
    let text = fs::read_to_string(&keys).expect("the keys");
    fs::write(&keys, text.replace("version = 1", "version = 99")).expect("writes");
    let mut command = home.kithd();
    command.stderr(Stdio::piped());
    let child = command.spawn().expect("starts");
    let said = answer_or_end(&home, child);
    assert!(said.contains("newer") || said.contains("version"), "{said}");
    assert!(fs::read_to_string(&keys).expect("still there").contains("99"), "it is left as it is");
}

/// What the daemon says, whether it refuses to start or starts and refuses to open.
fn answer_or_end(home: &Home, mut child: std::process::Child) -> String {
    let said = until("the daemon to say something", || {
        if child.try_wait().ok().flatten().is_some() {
            return Some(String::new());
        }
        let run = home.kith(&["circle", "list", "--json", "--no-input"]);
        (run.code != 3).then_some(run.stderr)
    });
    drop(child.kill());
    let out = child.wait_with_output().expect("ends");
    format!("{said}{}", String::from_utf8_lossy(&out.stderr))
}

#[test]
fn d13_no_core_dump_and_no_look_into_its_memory() {
    let home = Home::protected("Amara");
    let pid = home.pid().expect("our child");
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("Linux says");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a line");
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    // A process that is not dumpable belongs to root there, whoever runs it.
    let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata(format!("/proc/{pid}/environ")).expect("there"));
    assert_eq!(owner, 0);
}

#[test]
fn d7_a_disk_that_can_only_be_read_stops_writing_and_says_so() {
    let mut home = filled(2);
    home.stop();
    let mount = |args: &[&str]| std::process::Command::new("mount").args(args).output().is_ok_and(|out| out.status.success());
    let path = home.path().to_string_lossy().into_owned();
    if !mount(&["--bind", &path, &path]) {
        eprintln!("skipped: a read-only disk needs the right to mount one");
        return;
    }
    let _unmount = Unmount(path.clone());
    home.start();
    let right = home.passphrase_file(PASSPHRASE);
    drop(home.json(&["unlock", "--passphrase-file", &right]));
    drop(home.json(&["note", "new", "--title", "before", "x"]));
    // Whatever is open for writing stays so; a disk that fails is nearer to this: no room and no new files.
    if !mount(&["-o", "remount,ro,bind", &path]) {
        eprintln!("skipped: this system remounts nothing while files are open");
        return;
    }
    drop(home.kith(&["note", "new", "--title", "during", "x", "--json", "--no-input"]));
    home.kill();
    assert!(mount(&["-o", "remount,rw,bind", &path]));
    home.start();
    drop(home.json(&["unlock", "--passphrase-file", &right]));
    let titles: Vec<String> = home.rows(&["note", "list"], "notes").iter().map(|note| text(note, "title")).collect();
    assert!(titles.contains(&"before".to_owned()), "{titles:?}");
}

struct Unmount(String);

impl Drop for Unmount {
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").args(["-l", &self.0]).output());
        debug_assert!(Path::new("/").exists());
    }
}
