//! A library between the daemon and its files that kills it, or gives errors, at a chosen call. Linux only.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::{Home, preload};

/// What goes wrong, and when.
#[derive(Clone, Copy, Debug)]
pub enum FailPoint<'a> {
    /// The process is killed before its call number so and so that changes a file of the home.
    KillAt(u32),
    /// While this file exists, each such call fails with this error number.
    While(&'a std::path::Path, i32),
}

/// The daemon of a home, with a fault. `None` where no such library can be made.
#[must_use]
pub fn faulty(home: &Home, fault: FailPoint<'_>) -> Option<Command> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let mut command = preload::daemon(home, BUILT.get_or_init(|| preload::build("failpoint")).as_ref()?);
    command.env("FAILPOINT_HOME", home.path());
    match fault {
        FailPoint::KillAt(call) => command.env("FAILPOINT_KILL", call.to_string()),
        FailPoint::While(file, error) => command.env("FAILPOINT_FILE", file).env("FAILPOINT_ERRNO", error.to_string()),
    };
    Some(command)
}
