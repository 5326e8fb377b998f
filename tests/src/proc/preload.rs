//! Small libraries between a program and the system. Linux only.

use std::path::PathBuf;
use std::process::Command;

use super::{Home, binaries};

/// Builds one of the libraries here, with the C compiler that the build needs anyway. `None` where no such library can be made.
pub(super) fn build(name: &str) -> Option<PathBuf> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let source = format!("{}/src/proc/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let library = binaries().folder.join(format!("{name}-{}.so", std::process::id()));
    let args = ["-shared", "-fPIC", "-O1", "-o"];
    let done = Command::new("cc").args(args).arg(&library).args([source.as_str(), "-ldl"]).status();
    done.is_ok_and(|status| status.success()).then_some(library)
}

/// The daemon of a home behind a library. Another may stand before all programs already, the one that shifts the clock, say.
pub(super) fn daemon(home: &Home, library: &std::path::Path) -> Command {
    let mut command = home.kithd();
    let others = std::env::var("LD_PRELOAD").unwrap_or_default();
    command.env("LD_PRELOAD", format!("{} {others}", library.display()));
    command
}
