//! The local API as any program on the machine can speak it: bytes on a Unix socket.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

/// An answer: status and body.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The HTTP status; 0 where the connection ended without one.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl Answered {
    /// A field of the body.
    #[must_use]
    pub fn field(&self, name: &str) -> Value {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body.get(name).cloned().unwrap_or_default()
    }
}

/// Sends one request and reads the answer to its end.
#[must_use]
pub fn http(home: &Path, method: &str, path: &str, body: &str) -> Answered {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: kith\r\nConnection: close\r\nContent-Type: application/json\r\n");
    raw(home, format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
}

/// The same, where the daemon may have gone: `None` where nobody listens, or no whole answer came.
#[must_use]
pub fn try_http(home: &Path, method: &str, path: &str, body: &str) -> Option<Answered> {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: kith\r\nConnection: close\r\nContent-Type: application/json\r\n");
    let answered = send(home, format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes())?;
    (answered.status > 0).then_some(answered)
}

/// Sends any bytes and reads what comes back.
///
/// # Panics
/// Where nobody listens.
#[must_use]
pub fn raw(home: &Path, bytes: &[u8]) -> Answered {
    send(home, bytes).expect("the daemon listens")
}

fn send(home: &Path, bytes: &[u8]) -> Option<Answered> {
    let mut stream = UnixStream::connect(home.join("run/kithd.sock")).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    // The daemon may refuse before it has read all.
    drop(stream.write_all(bytes));
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Some(Answered { status, body })
}
