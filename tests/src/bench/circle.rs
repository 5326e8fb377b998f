//! Members of the measured circle: real daemons, driven through their local API.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::Client;
use super::notes::Note;
use crate::proc::Home;

/// Between two looks at a daemon's counters.
const LOOK: Duration = Duration::from_micros(500);
/// Nothing takes longer.
const PATIENCE: Duration = Duration::from_secs(300);
/// Items of one batch.
const BATCH: usize = 2_000;

/// A member, their daemon and a connection to it.
#[derive(Debug)]
pub struct BenchMember {
    /// Their home.
    pub home: Home,
    /// Their connection.
    pub client: Client,
}

impl BenchMember {
    /// A new member, their daemon running, without a passphrase.
    ///
    /// # Errors
    /// Where the daemon does not answer.
    pub fn new(name: &str) -> Result<Self, String> {
        let home = Home::named(name);
        let client = Client::connect(&home.path()).ok_or("the daemon does not answer")?;
        Ok(Self { home, client })
    }

    /// Founds a circle whose newcomers are let in by their invite and see everything; its id.
    ///
    /// # Errors
    /// A refusal.
    pub fn found(&mut self) -> Result<String, String> {
        let circle = json!({"name": "Bench", "history": "all", "approval": "none"});
        text(&self.client.call("POST", "/v1/circles", &circle)?, "id")
    }

    /// A link for so many.
    ///
    /// # Errors
    /// A refusal.
    pub fn link(&mut self, circle: &str, uses: usize) -> Result<String, String> {
        text(&self.client.call("POST", &format!("/v1/circles/{circle}/invites"), &json!({"uses": uses}))?, "link")
    }

    /// Asks to join, and says yes; the moment before.
    ///
    /// # Errors
    /// A refusal.
    pub fn join(&mut self, link: &str) -> Result<Instant, String> {
        let start = Instant::now();
        drop(self.client.call("POST", "/v1/joins", &json!({"link": link, "as": "Reader", "confirm": true}))?);
        Ok(start)
    }

    /// Writes one note; its id.
    ///
    /// # Errors
    /// A refusal.
    pub fn write(&mut self, circle: &str, note: &Note) -> Result<String, String> {
        text(&self.client.call("POST", &format!("/v1/circles/{circle}/notes"), &note.json())?, "id")
    }

    /// Writes many, in as few transactions as the local API allows.
    ///
    /// # Errors
    /// A refusal.
    pub fn write_all(&mut self, circle: &str, notes: &[Note]) -> Result<(), String> {
        for part in notes.chunks(BATCH) {
            let items: Vec<Value> = part.iter().map(Note::in_batch).collect();
            drop(self.client.call("POST", &format!("/v1/circles/{circle}/batch"), &json!({"items": items}))?);
        }
        Ok(())
    }

    /// Looks until so many entries are in, and so listed: the tables change in the same commit.
    ///
    /// # Errors
    /// Where it takes too long.
    pub fn holds(&mut self, entries: usize) -> Result<Instant, String> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let status = self.client.get("/v1/status")?;
            let held = status.pointer("/store/entries").and_then(Value::as_u64).unwrap_or(0);
            if held >= entries as u64 {
                return Ok(Instant::now());
            }
            // Another process: there is nothing to wait on but its answer.
            std::thread::sleep(LOOK);
        }
        Err(format!("{entries} entries did not arrive"))
    }

    /// Reads every note back and compares it with what was written.
    ///
    /// # Errors
    /// What is missing or differs.
    pub fn check(&mut self, circle: &str, written: &[Note]) -> Result<(), String> {
        let answer = self.client.get(&format!("/v1/circles/{circle}/notes"))?;
        let listed = answer.get("notes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut bodies: Vec<&str> = listed.iter().filter_map(|note| note.get("body")?.as_str()).collect();
        let mut expected: Vec<&str> = written.iter().map(|note| note.body.as_str()).collect();
        bodies.sort_unstable();
        expected.sort_unstable();
        if bodies == expected { Ok(()) } else { Err(format!("{} notes listed, {} written", bodies.len(), expected.len())) }
    }

    /// Leaves the circle, and waits until `other` knows.
    ///
    /// # Errors
    /// A refusal, or where it takes too long.
    pub fn leave(&mut self, circle: &str, other: &mut Self) -> Result<(), String> {
        drop(self.client.call("POST", &format!("/v1/circles/{circle}/leave"), &Value::Null)?);
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let shown = other.client.get(&format!("/v1/circles/{circle}"))?;
            if shown.get("members").and_then(Value::as_u64) == Some(1) {
                return Ok(());
            }
            // Nor here.
            std::thread::sleep(LOOK);
        }
        Err("nobody noticed that a member left".to_owned())
    }

    /// Ends the daemon in order.
    pub fn stop(&mut self) {
        let _ = self.home.stop();
    }

    /// Starts the daemon again; the moment before.
    ///
    /// # Errors
    /// Where it does not answer.
    pub fn start(&mut self) -> Result<Instant, String> {
        let mut command = self.home.kithd();
        command.stderr(Stdio::null());
        self.start_as(command)
    }

    /// Starts it again so that it says how long its turns take, into a file.
    ///
    /// # Errors
    /// Where it does not answer, or the file cannot be made.
    pub fn start_telling(&mut self, file: &Path) -> Result<Instant, String> {
        let mut command = self.home.kithd();
        command.arg("-v").env("NO_COLOR", "1").stderr(File::create(file).map_err(|error| error.to_string())?);
        self.start_as(command)
    }

    fn start_as(&mut self, command: Command) -> Result<Instant, String> {
        let start = Instant::now();
        self.home.launch(command);
        while start.elapsed() < PATIENCE {
            if let Some(client) = Client::connect(&self.home.path()) {
                self.client = client;
                return Ok(start);
            }
            // Nor for a socket that is not there yet.
            std::thread::sleep(LOOK);
        }
        Err("the daemon does not answer".to_owned())
    }
}

pub(super) fn text(answer: &Value, field: &str) -> Result<String, String> {
    answer.get(field).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| format!("no `{field}` in {answer}"))
}
