//! D: what the disk holds, and what is done to it.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use kith_tests::dice::Dice;
use kith_tests::proc::{Home, NOBODY, PASSPHRASE, as_nobody, binaries, skipped, until};
use rustix::process::{Pid, Signal, geteuid, kill_process};

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
    let keys = home.path().join("keys.toml");
    let before = fs::read(&keys).expect("the keys");
    let wrong = home.passphrase_file("wrong");
    for _ in 0..3 {
        home.refused(&["unlock", "--passphrase-file", &wrong], 7, "needs-passphrase");
    }
    assert_eq!(fs::read(&keys).expect("the keys"), before);
    // What a guess costs stands in the file, is what RFC 9106 names for small machines, and is what is really spent: with
    // any other cost not even the right passphrase opens it.
    let text = String::from_utf8(before.clone()).expect("words");
    let number = |field: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{field} = ")));
        line.and_then(|line| line.trim().parse::<u32>().ok()).unwrap_or_else(|| panic!("no {field} in {text}"))
    };
    assert!(number("memory_kib") >= 64 << 10 && number("passes") >= 3, "a guess is too cheap: {text}");
    let right = home.passphrase_file(PASSPHRASE);
    for (field, cheaper) in [("memory_kib", 1 << 10), ("passes", 1)] {
        let line = |value: u32| format!("{field} = {value}");
        fs::write(&keys, text.replace(&line(number(field)), &line(cheaper))).expect("writes");
        home.refused(&["unlock", "--passphrase-file", &right], 7, "needs-passphrase");
    }
    fs::write(&keys, &before).expect("writes");
    drop(home.json(&["unlock", "--passphrase-file", &right]));
}

/// Puts these bytes in the place of a home's store, opens it, and says whether it was refused. It is whole or refused as damaged;
/// a refused one is left byte by byte as it is.
fn refused_or_whole(home: &mut Home, bytes: &[u8], notes: usize, what: &str) -> bool {
    let path = home.path().join("store.db");
    fs::write(&path, bytes).expect("writes");
    for beside in ["store.db-wal", "store.db-shm"] {
        drop(fs::remove_file(home.path().join(beside)));
    }
    home.start();
    let right = home.passphrase_file(PASSPHRASE);
    let run = home.kith(&["unlock", "--passphrase-file", &right, "--json", "--no-input"]);
    let refused = run.code != 0;
    if refused {
        run.refused(1, "damaged");
        home.kill();
        assert!(fs::read(&path).expect("the store") == bytes, "{what}: what is damaged is left as it is");
    } else {
        assert_eq!(home.rows(&["note", "list"], "notes").len(), notes, "{what}: something is silently missing");
        drop(home.json(&["doctor"]));
        home.kill();
    }
    refused
}

#[test]
fn d2_a_truncated_store_is_an_error_or_whole_never_a_silent_loss() {
    let mut home = filled(12);
    home.stop();
    let path = home.path().join("store.db");
    let whole = fs::read(&path).expect("the store");
    let pages = whole.len() / 4096;
    assert!(pages > 4, "a store of {pages} pages shows nothing");
    let mut refused = 0;
    // Every page boundary of a small store; of a larger one some sixty. And in the middle of a page.
    for page in (0..pages).step_by(pages.div_ceil(60)) {
        let cut = whole.get(..page * 4096).expect("within");
        refused += usize::from(refused_or_whole(&mut home, cut, 12, &format!("cut at page {page}")));
    }
    for at in [1, 17, 4096 + 100, whole.len() - 1, whole.len() - 2048] {
        let cut = whole.get(..at).expect("within");
        refused += usize::from(refused_or_whole(&mut home, cut, 12, &format!("cut at byte {at}")));
    }
    assert!(refused > pages.min(60) / 2, "only {refused} cuts were noticed");
    put_back(&mut home, &whole, 12);
}

#[test]
fn d2_a_flipped_bit_in_any_page_is_an_error_or_harmless() {
    let mut home = filled(12);
    home.stop();
    let whole = fs::read(home.path().join("store.db")).expect("the store");
    let mut dice = Dice::new(2);
    let pages = whole.len() / 4096;
    let (mut refused, mut flips) = (0, 0);
    for page in (0..pages).step_by(pages.div_ceil(40)) {
        flips += 1;
        let mut bent = whole.clone();
        let at = page * 4096 + dice.below(4096);
        *bent.get_mut(at).expect("within") ^= 1 << dice.below(8);
        refused += usize::from(refused_or_whole(&mut home, &bent, 12, &format!("a bit of byte {at}")));
    }
    // Each page is authenticated; a few may be read by nobody.
    assert!(refused * 10 >= flips * 8, "of {flips} flips only {refused} were noticed");
    put_back(&mut home, &whole, 12);
}

/// With the good copy in its place everything is as it was.
fn put_back(home: &mut Home, whole: &[u8], notes: usize) {
    fs::write(home.path().join("store.db"), whole).expect("writes");
    home.start();
    let right = home.passphrase_file(PASSPHRASE);
    drop(home.json(&["unlock", "--passphrase-file", &right]));
    assert_eq!(home.rows(&["note", "list"], "notes").len(), notes);
    drop(home.json(&["note", "new", "--title", "and on", "x"]));
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
fn d10_keys_of_a_newer_program_are_refused_and_left_alone() {
    let mut home = Home::named("Amara");
    home.stop();
    let keys = home.path().join("keys.toml");
    let text = fs::read_to_string(&keys).expect("the keys");
    fs::write(&keys, text.replace("version = 1", "version = 99")).expect("writes");
    let said = said_at_start(&home);
    assert!(said.contains("newer"), "{said}");
    assert!(fs::read_to_string(&keys).expect("still there").contains("99"), "it is left as it is");
}

#[test]
fn d10_a_store_of_a_newer_program_is_refused_and_left_alone() {
    let mut home = Home::named("Amara");
    home.found(CIRCLE);
    home.stop();
    let version = |set: Option<i64>| {
        let store = crate::opened(&home.path());
        if let Some(version) = set {
            store.pragma_update(None, "user_version", version).expect("a pragma");
        }
        store.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).expect("a pragma")
    };
    let now = version(None);
    assert!(now > 0, "a schema has a version");
    version(Some(now + 1));
    let said = said_at_start(&home);
    assert!(said.contains("newer"), "{said}");
    assert_eq!(version(None), now + 1, "it is left as it is");
    version(Some(now));
    home.start();
    assert_eq!(home.rows(&["circle", "list"], "circles").len(), 1);
}

/// What the daemon says, whether it refuses to start or starts and refuses to open.
fn said_at_start(home: &Home) -> String {
    let mut child = home.kithd().stderr(Stdio::piped()).spawn().expect("starts");
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
fn d11_a_first_start_that_is_killed_midway_can_be_made_again() {
    // The schema is made, and later brought up to date, by the same steps; a home's first one is the one there is so far.
    let mut dice = Dice::new(11);
    let (mut midway, mut most) = (0, 30_000);
    for _ in 0..12 {
        let mut home = Home::new();
        home.start();
        let path = home.path();
        let init = move || kith_tests::proc::kith(&path, &["init", "--name", "Amara", "--no-passphrase", "--no-input"], "");
        let asked = std::thread::spawn(init);
        let store = home.path().join("store.db");
        // Without a pause: all of it takes a few milliseconds.
        while !store.exists() && !asked.is_finished() {
            std::hint::spin_loop();
        }
        let (start, wait) = (Instant::now(), Duration::from_micros(dice.roll() % most));
        while start.elapsed() < wait {
            std::hint::spin_loop();
        }
        home.kill();
        let done = asked.join().expect("it only asks").code == 0;
        midway += usize::from(!done);
        // A fast disk: kill it sooner.
        most = if done { most / 2 + 1 } else { most };
        home.start();
        let again = home.kith(&["init", "--name", "Amara", "--no-passphrase", "--json", "--no-input"]);
        let there = home.path().join("keys.toml").exists();
        assert!(again.code == 0 || there, "neither a home nor a way to make one: {}", again.stderr);
        home.found(CIRCLE);
        home.restart();
        assert_eq!(home.rows(&["circle", "list"], "circles").len(), 1);
    }
    assert!(midway > 0, "every first start was through before it was killed");
}

/// A user's process that anybody could look into belongs to them in `/proc`, one that nobody may look into to root.
fn owner_of(pid: u32) -> u32 {
    std::os::unix::fs::MetadataExt::uid(&fs::metadata(format!("/proc/{pid}/environ")).expect("there"))
}

#[test]
fn d13_no_core_dump_and_no_look_into_its_memory() {
    let mut home = Home::new();
    let Some(mut command) = as_nobody() else {
        // We are nobody special ourselves.
        home.start();
        assert!(geteuid().is_root() || owner_of(home.pid().expect("our child")) == 0, "its memory can be looked into");
        dumps_no_core(&mut home);
        if geteuid().is_root() {
            skipped("root may look into everybody's memory, and cannot be somebody else here", false);
        }
        return;
    };
    // Somebody else's program and folder.
    let folder = home.beside().to_owned();
    let program = folder.join("kithd");
    fs::copy(&binaries().kithd, &program).expect("a copy");
    std::os::unix::fs::chown(&folder, Some(NOBODY), Some(NOBODY)).expect("root may");
    command.arg(&program).arg("--home").arg(home.path()).env("HOME", &folder).current_dir(&folder).stderr(Stdio::null());
    home.launch(command);
    until("the daemon to listen", || home.path().join("run/kithd.sock").exists().then_some(()));
    let pid = home.pid().expect("our child");
    let peek = |pid: u32| {
        let mut command = as_nobody().expect("as before");
        let script = "open(my $f, '<', \"/proc/$ARGV[0]/mem\") or exit 3; exit 0;";
        command.args(["perl", "-e", script, &pid.to_string()]).output().expect("perl runs").status.code()
    };
    let mut other = as_nobody().expect("as before").args(["sleep", "60"]).spawn().expect("starts");
    until("another program of that user", || (owner_of(other.id()) == NOBODY).then_some(()));
    let seen = peek(other.id());
    let (owner, looked) = (owner_of(pid), peek(pid));
    drop(other.kill());
    drop(other.wait());
    assert_eq!(owner, 0, "it belongs to its user, who may look into its memory");
    assert_eq!(looked, Some(3), "another program of its user looks into its memory");
    if seen != Some(0) {
        skipped("no program may look into another one's memory here anyway", false);
    }
    dumps_no_core(&mut home);
}

/// Its limits say so, and it leaves none when it is broken off.
fn dumps_no_core(home: &mut Home) {
    let pid = home.pid().expect("our child");
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("Linux says");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a line");
    let values: Vec<&str> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(values, ["0", "0"], "{core}");
    let process = Pid::from_raw(pid.cast_signed()).expect("a process");
    kill_process(process, Signal::ABORT).expect("it is ours");
    assert!(!home.ended(), "it was broken off");
    let left = fs::read_dir(home.beside()).expect("a folder").flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name()).filter(|name| name.to_string_lossy().starts_with("core")).collect();
    assert!(left.is_empty(), "{left:?}");
}
