//! Real processes: the binaries that people install, in homes of their own, ended by their ids.
//!
//! Knows the command line, the socket and the file system, as any outsider does; never the daemon's code. Waiting means looking
//! again until a deadline, never a fixed pause.

mod binaries;
mod clock;
mod failpoint;
mod home;
mod port;
mod preload;
mod run;
mod skip;
mod socket;
mod transcript;

pub use binaries::{Binaries, binaries};
pub use clock::shifted;
pub use failpoint::{FailPoint, faulty};
pub use home::{Home, PASSPHRASE};
pub use run::{CommandRun, kith};
pub use skip::{NOBODY, as_nobody, can_mount, has_program, skipped};
pub use socket::{Answered, http, raw, try_http};
pub use transcript::play;

use std::time::{Duration, Instant};

/// How long anything may take on a busy machine before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(25);

/// Looks again until there is something to see.
///
/// # Panics
/// When [`PATIENCE`] is over, with what was waited for.
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    until_within(PATIENCE, what, look)
}

/// The same, with another patience: a call that is lost on its way is made again after two minutes only.
///
/// # Panics
/// When it is over, with what was waited for.
pub fn until_within<T>(patience: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(start.elapsed() < patience, "waited {patience:?} in vain for {what}");
        // The condition is looked at again right after; there is nothing else to wait on in another process.
        std::thread::sleep(LOOK);
    }
}

/// Kilobytes of memory that a process holds now; 0 where it is gone.
#[must_use]
pub fn memory_kb(pid: u32) -> u64 {
    status_kb(pid, "VmRSS:")
}

/// Kilobytes of memory that a process held at most so far; 0 where it is gone.
#[must_use]
pub fn peak_kb(pid: u32) -> u64 {
    status_kb(pid, "VmHWM:")
}

fn status_kb(pid: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
