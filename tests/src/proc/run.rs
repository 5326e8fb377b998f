//! One call of the command line and what came of it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::binaries;

/// What a call left behind.
#[derive(Clone, Debug)]
pub struct CommandRun {
    /// What was typed.
    pub line: String,
    /// The exit code; -1 where a signal ended it.
    pub code: i32,
    /// Data.
    pub stdout: String,
    /// Talk and errors.
    pub stderr: String,
}

/// Calls `kith` with a home; nothing of the caller's environment that Kith reads goes along.
///
/// # Panics
/// Where the binary does not start.
#[must_use]
pub fn kith(home: &Path, args: &[&str], stdin: &str) -> CommandRun {
    let mut command = Command::new(&binaries().kith);
    command.args(args).env_remove("KITH_HOME").env("KITH_HOME", home).env("HOME", home).env("NO_COLOR", "1").env_remove("EDITOR");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("kith starts");
    let mut pipe = child.stdin.take().expect("stdin is piped");
    // A command that reads nothing closes the pipe first; that is its right.
    drop(pipe.write_all(stdin.as_bytes()));
    drop(pipe);
    let out = child.wait_with_output().expect("kith ends");
    CommandRun {
        line: format!("kith {}", args.join(" ")),
        code: out.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&out.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
    }
}

impl CommandRun {
    /// It went well.
    ///
    /// # Panics
    /// Where it did not.
    #[must_use]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{}{}", self.line, self.stdout, self.stderr);
        self
    }

    /// The JSON object on stdout.
    ///
    /// # Panics
    /// Where there is none, or the call failed.
    #[must_use]
    pub fn json(self) -> Value {
        let run = self.ok();
        serde_json::from_str(&run.stdout).unwrap_or_else(|why| panic!("{}: {why}\n{}{}", run.line, run.stdout, run.stderr))
    }

    /// It was refused in this way: the exit code, and a `kith.error/1` with this code, a message and a hint, on stderr.
    ///
    /// # Panics
    /// Where it was not.
    pub fn refused(self, exit: i32, code: &str) -> Value {
        assert_eq!(self.code, exit, "{}\n{}{}", self.line, self.stdout, self.stderr);
        let last = self.stderr.lines().rev().find(|line| line.starts_with('{')).unwrap_or_default();
        let error: Value = serde_json::from_str(last).unwrap_or_else(|why| panic!("{}: {why}\n{}", self.line, self.stderr));
        let text = |field: &str| error.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        assert_eq!((text("schema").as_str(), text("code").as_str()), ("kith.error/1", code), "{}: {error}", self.line);
        assert!(!text("message").is_empty() && !text("hint").is_empty(), "{} says too little: {error}", self.line);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        error
    }
}
