//! A library between the daemon and its files that kills it, or gives errors, at a chosen call. Linux only.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::{Home, binaries};

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
    let library = library()?;
    let mut command = home.kithd();
    // Another library may stand before all programs already, the one that shifts the clock, say.
    let others = std::env::var("LD_PRELOAD").unwrap_or_default();
    command.env("LD_PRELOAD", format!("{} {others}", library.display())).env("FAILPOINT_HOME", home.path());
    match fault {
        FailPoint::KillAt(call) => command.env("FAILPOINT_KILL", call.to_string()),
        FailPoint::While(file, error) => command.env("FAILPOINT_FILE", file).env("FAILPOINT_ERRNO", error.to_string()),
    };
    Some(command)
}

/// Built once a process, with the C compiler that the build needs anyway.
fn library() -> Option<&'static PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        if !cfg!(target_os = "linux") {
            return None;
        }
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/proc/failpoint.c");
        let library = binaries().folder.join(format!("failpoint-{}.so", std::process::id()));
        let args = ["-shared", "-fPIC", "-O1", "-o"];
        let done = Command::new("cc").args(args).arg(&library).args([source, "-ldl"]).status();
        done.is_ok_and(|status| status.success()).then_some(library)
    };
    BUILT.get_or_init(build).as_ref()
}
