//! A run in a process of its own: with bounded memory, a small stack, a watch over hangs, and the last input on record.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::drive::{cases, failure, run};
use super::{FuzzReport, Target};

/// Names the file of the last input; its presence says that this process is the one that runs the target.
pub const RECORD: &str = "KITH_FUZZ_RECORD";
/// The seed of the checks.
const SEED: u64 = 3;
/// Bytes that a target may allocate at most, beyond what it holds when it is ready. No input is larger than 1 MiB.
const MEMORY: u64 = 192 << 20;
/// Bytes of stack, as of the daemon's threads.
const STACK: usize = 2 << 20;
/// An input that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a target in a process of its own. `test`: the path of the test that calls, as `cargo test` names it.
///
/// # Panics
/// With what broke, and how to keep it.
pub fn check(target: &Target, test: &str) {
    if let Some(path) = std::env::var_os(RECORD) {
        inside(target, &path, seed(), cases());
        return;
    }
    let test = test.split_once("::").map_or(test, |(_, test)| test);
    let mut command = Command::new(std::env::current_exe().expect("a test knows its own path"));
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    if let Err(why) = watched(target, &mut command, seed()) {
        panic!("{why}");
    }
}

fn seed() -> u64 {
    std::env::var("KITH_FUZZ_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(SEED)
}

/// Runs a command that ends in [`inside`].
///
/// # Errors
/// What broke.
pub fn watched(target: &Target, command: &mut Command, seed: u64) -> Result<(), String> {
    let record = tempfile::NamedTempFile::new().map_err(|e| e.to_string())?;
    // With debug symbols in memory, a backtrace needs more of it than a target may have.
    let out = command.env(RECORD, record.path()).env("RUST_BACKTRACE", "0").output().map_err(|e| e.to_string())?;
    let shown = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    if out.status.success() {
        // One line for anyone who asked to see it.
        shown.lines().filter(|line| line.contains("fuzz ") && line.contains(" taken")).for_each(|line| println!("{line}"));
        return Ok(());
    }
    // Where the process could still speak it has said everything.
    if let Some(at) = shown.find("fuzz ").filter(|_| shown.contains("to keep it")) {
        return Err(shown[at..].to_owned());
    }
    let last = std::fs::read(record.path()).unwrap_or_default();
    let len = last.first_chunk::<8>().map_or(0, |len| u64::from_le_bytes(*len));
    let last = last.get(8..).and_then(|rest| rest.get(..usize::try_from(len).ok()?)).unwrap_or_default();
    let tail: Vec<&str> = shown.lines().rev().take(12).collect();
    let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
    Err(failure(target, seed, &format!("the process ended ({}), having said:\n{tail}", out.status), last))
}

/// Runs a target here, recording every input at `path`.
///
/// # Panics
/// With what broke; or the process ends.
pub fn inside(target: &Target, path: &std::ffi::OsStr, seed: u64, cases: u32) {
    let target = *target;
    let record = File::create(path).expect("the record can be written");
    let (beat, beats) = mpsc::sync_channel::<()>(4);
    let watch = std::thread::spawn(move || {
        // Making it ready may take long: daemons are built and started.
        beats.recv().ok();
        loop {
            match beats.recv_timeout(PATIENCE) {
                Ok(()) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    eprintln!("an input has taken longer than {PATIENCE:?}");
                    std::process::abort();
                }
            }
        }
    });
    let work = move || {
        let bounded = std::cell::Cell::new(false);
        run(&target, cases, seed, &|bytes| {
            // A beat that waits already says the same.
            beat.try_send(()).ok();
            if !bounded.replace(true) {
                bound_memory();
            }
            let framed = [&(bytes.len() as u64).to_le_bytes(), bytes].concat();
            record.write_all_at(&framed, 0).expect("the record can be written");
        })
    };
    let done = std::thread::Builder::new().name("fuzz".to_owned()).stack_size(STACK).spawn(work).expect("a thread");
    let outcome = done.join().unwrap_or_else(|_| Err(format!("fuzz {}: not even ready", target.name)));
    watch.join().expect("the watch only watches");
    match outcome {
        Ok(report) => tell(&target, seed, report),
        Err(why) => panic!("{why}"),
    }
}

/// The target must both take and refuse a good part: otherwise it looks at the surface only, or at nothing.
fn tell(target: &Target, seed: u64, FuzzReport { runs, taken, corpus, slowest }: FuzzReport) {
    println!("fuzz {}, seed {seed}: {runs} runs, {taken} taken, {corpus} of the corpus, at most {slowest:?}", target.name);
    if runs >= 1_000 {
        let least = runs / 100;
        assert!(taken > least && runs - taken > least, "{}: of {runs} only {taken} were taken", target.name);
    }
}

fn bound_memory() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let Some(now) = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()) else { return };
    let limit = Rlimit { current: Some(now * 1_024 + MEMORY), ..getrlimit(Resource::As) };
    setrlimit(Resource::As, limit).expect("a process may bound its own memory");
}
