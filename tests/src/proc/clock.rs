//! A daemon whose clock is wrong. Linux only.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::{Home, preload};

/// The daemon of a home, with a clock that is so many seconds later than the true one. `None` where no such library can be made.
#[must_use]
pub fn shifted(home: &Home, seconds: i64) -> Option<Command> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let library = BUILT.get_or_init(|| preload::build("clock")).as_ref()?;
    // Where the whole test is on another day, from that day on.
    let day: i64 = std::env::var("CLOCK_SHIFT").ok().and_then(|shift| shift.parse().ok()).unwrap_or(0);
    let mut command = preload::daemon(home, library);
    command.env("LD_PRELOAD", library).env("CLOCK_SHIFT", (day + seconds).to_string()).stderr(Stdio::null());
    Some(command)
}
