//! Starting the daemon: this same program, on its own, in the background.

use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use kith_protocol::control::Error;

use super::Client;
use crate::error::{self, Result, Stop, failed};
use crate::files;
use crate::home::{Home, private_dir};
use crate::limits::{ENDING, SAID_BYTES, START, START_GRACE, START_LOOK};
use crate::ui::Ui;

/// Start the daemon and wait until it answers. The first to start it wins; that is fine too.
pub(crate) fn start(home: &Home, client: &Client, ui: &Ui) -> Result<()> {
    if client.answers() {
        return Ok(());
    }
    home.must_be_mine()?;
    private_dir(home.path())?;
    private_dir(&home.logs())?;
    let spinner = ui.spinner("Starting Kith");
    let begin = Instant::now();
    loop {
        let child = spawn(home)?;
        match wait(home, client, child) {
            // One that is just ending still holds the home; a moment later it is free.
            Err(stop) if stop.to_string().contains("already runs") && begin.elapsed() < ENDING => std::thread::sleep(START_GRACE),
            outcome => {
                drop(spinner);
                return outcome;
            }
        }
    }
}

fn spawn(home: &Home) -> Result<Child> {
    let program = std::env::current_exe().map_err(|e| failed(format!("Cannot find this program: {}.", error::reason(&e)), ""))?;
    let log_path = home.start_log();
    let log = std::fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(&log_path)
        .map_err(|e| error::io("Cannot write", &log_path, &e))?;
    let log_too = log.try_clone().map_err(|e| error::io("Cannot write", &log_path, &e))?;
    Command::new(program)
        .args(["daemon", "run", "--json", "--home"])
        .arg(home.path())
        .env_remove("KITH_HOME")
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(log_too)
        .current_dir("/")
        .process_group(0)
        .spawn()
        .map_err(|e| failed(format!("Cannot start the daemon: {}.", error::reason(&e)), ""))
}

fn wait(home: &Home, client: &Client, mut child: Child) -> Result<()> {
    let begin = Instant::now();
    let mut ended = None;
    loop {
        if client.answers() {
            return Ok(());
        }
        if ended.is_none() && matches!(child.try_wait(), Ok(Some(_))) {
            ended = Some(Instant::now());
        }
        if ended.is_some_and(|at| at.elapsed() > START_GRACE) {
            return Err(said(home));
        }
        if begin.elapsed() > START {
            return Err(failed("Kith does not answer yet.", "`kith daemon logs` says what it does; `kith status` asks again."));
        }
        std::thread::sleep(START_LOOK);
    }
}

/// What a daemon that ended at once had to say: its last error, as JSON, or its last words.
fn said(home: &Home) -> Stop {
    let text = files::read_text(&home.start_log(), SAID_BYTES).unwrap_or_default();
    if let Some(error) = text.lines().rev().find_map(|line| serde_json::from_str::<Error>(line).ok()) {
        return Stop::Refused(error);
    }
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    let last = last.map_or_else(|| "It said nothing.".to_owned(), |line| format!("It said \"{line}\"."));
    failed(format!("Kith could not start. {last}"), "`kith daemon logs` says more.")
}
