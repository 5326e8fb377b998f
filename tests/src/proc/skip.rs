//! What a machine does not allow, so that a test cannot run there: said where somebody sees it, and a failure where it could run.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;

/// Says that a test, or a part of one, does not run here, and why. The words of a test that passes are not shown, so they also go
/// to the file that `KITH_SKIPS` names. `able`: this machine has what is needed.
///
/// # Panics
/// In the checks (`KITH_CI`), where the machine is able.
pub fn skipped(why: &str, able: bool) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    eprintln!("skipped: {test}: {why}");
    if let Some(path) = std::env::var_os("KITH_SKIPS") {
        let file = std::fs::File::options().append(true).create(true).open(path);
        file.and_then(|mut file| file.write_all(format!("{test}: {why}\n").as_bytes())).expect("a skip can be written down");
    }
    assert!(!able || std::env::var_os("KITH_CI").is_none(), "this machine could run it: {why}");
}

/// Is there a program of this name?
#[must_use]
pub fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// May a small disk be mounted at this folder here? It is taken away again.
#[must_use]
pub fn can_mount(folder: &Path) -> bool {
    let run = |program: &str, args: &[&str]| {
        Command::new(program).args(args).arg(folder).output().is_ok_and(|out| out.status.success())
    };
    run("mount", &["-t", "tmpfs", "-o", "size=64k", "tmpfs"]) && run("umount", &["-l"])
}

/// The user that a command of [`as_nobody`] runs as.
pub const NOBODY: u32 = 65_534;

/// A command that runs what follows as somebody else. `None` where that is not ours to do: only root may, and not in every
/// container.
#[must_use]
pub fn as_nobody() -> Option<Command> {
    let nobody = || {
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups"]);
        command
    };
    let may = geteuid().is_root() && nobody().arg("true").output().is_ok_and(|out| out.status.success());
    may.then(nobody)
}
