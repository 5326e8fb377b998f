//! The local API over one kept connection, and the stream of events, each with the moment it came.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// One kept connection.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    /// Connects; `None` while nobody listens.
    #[must_use]
    pub fn connect(home: &Path) -> Option<Self> {
        let stream = UnixStream::connect(home.join("run/kithd.sock")).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        Some(Self { stream: BufReader::new(stream) })
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// A refusal, or a connection that ended, in words.
    pub fn call(&mut self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: kith\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let failed = |error: std::io::Error| format!("{method} {path}: {error}");
        self.stream.get_mut().write_all(format!("{head}{body}").as_bytes()).map_err(failed)?;
        let (status, length) = self.head().map_err(failed)?;
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).map_err(failed)?;
        if !(200..300).contains(&status) {
            return Err(format!("{method} {path}: {status} {}", String::from_utf8_lossy(&answer)));
        }
        serde_json::from_slice(&answer).map_err(|error| format!("{method} {path}: {error}"))
    }

    /// Reads.
    ///
    /// # Errors
    /// Those of [`Self::call`].
    pub fn get(&mut self, path: &str) -> Result<Value, String> {
        self.call("GET", path, &Value::Null)
    }

    fn head(&mut self) -> std::io::Result<(u16, usize)> {
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0);
            } else if let Some(rest) = line.strip_prefix("content-length:") {
                length = rest.trim().parse().unwrap_or(0);
            } else if line.is_empty() {
                return Ok((status, length));
            }
        }
    }
}

/// A watcher: events as they come.
#[derive(Debug)]
pub struct Watcher {
    events: Receiver<(Instant, String)>,
}

impl Watcher {
    /// Starts watching; returns once the daemon says so.
    ///
    /// # Errors
    /// Where nobody listens.
    pub fn start(home: &Path) -> Result<Self, String> {
        let mut stream = UnixStream::connect(home.join("run/kithd.sock")).map_err(|error| error.to_string())?;
        stream.write_all(b"GET /v1/watch HTTP/1.1\r\nHost: kith\r\n\r\n").map_err(|error| error.to_string())?;
        let mut lines = BufReader::new(stream).lines();
        loop {
            match lines.next() {
                Some(Ok(line)) if line.starts_with(": watching") => break,
                Some(Ok(_)) => {}
                _ => return Err("the daemon ended the watch".to_owned()),
            }
        }
        let (send, events) = channel();
        // Ends with the daemon's stream, or with the watcher.
        drop(std::thread::spawn(move || {
            for line in lines {
                let at = Instant::now();
                let Ok(line) = line else { return };
                let Some(data) = line.strip_prefix("data: ") else { continue };
                if send.send((at, data.to_owned())).is_err() {
                    return;
                }
            }
        }));
        Ok(Self { events })
    }

    /// When the new item with this id was told of.
    ///
    /// # Errors
    /// Where it is not, within [`PATIENCE`].
    pub fn sees(&self, id: &str) -> Result<Instant, String> {
        let start = Instant::now();
        while let Some(left) = PATIENCE.checked_sub(start.elapsed()) {
            match self.events.recv_timeout(left) {
                Ok((at, data)) if data.contains(id) => return Ok(at),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        Err(format!("nothing was told of {id}"))
    }
}
