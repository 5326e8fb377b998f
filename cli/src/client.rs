//! A small HTTP client over the daemon's Unix socket.

pub(crate) mod launch;
mod route;
pub(crate) mod stream;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use kith_protocol::control::{Code, Error};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::error::{self, Result, Stop};
use crate::home::Home;
use crate::limits::{ANSWER_BYTES, PROBE};
use crate::ui::{Line, Ui};

pub(crate) use route::Route;

/// An answer: JSON text.
#[derive(Clone, Debug)]
pub(crate) struct Reply(String);

impl Reply {
    /// As it came.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Under the schema of the command that it answers.
    pub(crate) fn under(self, schema: &str) -> Result<serde_json::Value> {
        let mut value: serde_json::Value = self.read()?;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("schema".to_owned(), schema.into());
        }
        Ok(value)
    }

    /// As a type.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.0)
            .map_err(|e| error::failed(format!("The daemon's answer cannot be read: {e}."), SAME_VERSION))
    }

    /// One field of it.
    pub(crate) fn field<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let mut value: serde_json::Value = self.read()?;
        let field = value.get_mut(name).map(serde_json::Value::take).unwrap_or_default();
        serde_json::from_value(field)
            .map_err(|e| error::failed(format!("The daemon's answer cannot be read: {name}: {e}."), SAME_VERSION))
    }
}

const SAME_VERSION: &str = "Are `kith` and the daemon of the same version? `kith stop`, then `kith start`.";

/// Speaks to one home's daemon.
#[derive(Debug)]
pub(crate) struct Client {
    runtime: tokio::runtime::Runtime,
    home: Home,
    socket: PathBuf,
    dry_run: bool,
    ui: Ui,
    /// It has answered once.
    probed: OnceLock<()>,
}

impl Client {
    pub(crate) fn new(home: &Home, dry_run: bool, ui: Ui) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| error::failed(format!("Cannot begin: {}.", error::reason(&e)), ""))?;
        Ok(Self { runtime, home: home.clone(), socket: home.socket(), dry_run, ui, probed: OnceLock::new() })
    }

    /// Does anybody listen? Whether it is our daemon is looked at before anything is said to it.
    pub(crate) fn answers(&self) -> bool {
        std::os::unix::net::UnixStream::connect(&self.socket).is_ok()
    }

    /// A stream to the daemon: in a folder of our own, and to a program that runs as we do. Passphrases and links go over it.
    async fn connect(&self) -> Result<UnixStream> {
        self.home.must_be_mine()?;
        let stream = UnixStream::connect(&self.socket).await.map_err(|_| not_running(&self.socket))?;
        let me = rustix::process::geteuid().as_raw();
        if stream.peer_cred().is_ok_and(|peer| peer.uid() == me) {
            return Ok(stream);
        }
        Err(error::failed(
            "Another user's program listens where Kith should; nothing was sent to it.",
            "Choose another --home, or see who writes to that folder.",
        ))
    }

    /// Ask for something.
    pub(crate) fn get(&self, route: &Route) -> Result<Reply> {
        self.runtime.block_on(self.request("GET", route, String::new()))
    }

    /// Have something changed. With `--dry-run` it is only shown.
    pub(crate) fn send(&self, method: &str, route: &Route, body: &impl Serialize) -> Result<Reply> {
        let body = encode(body)?;
        if self.dry_run {
            self.show_dry(method, route, &body)?;
            return Err(Stop::DryRun);
        }
        self.runtime.block_on(self.request(method, route, body))
    }

    /// As `send`, for bodies that hold a passphrase: never shown.
    pub(crate) fn secretly(&self, method: &str, route: &Route, body: &impl Serialize) -> Result<Reply> {
        let body = encode(body)?;
        self.runtime.block_on(self.request(method, route, body))
    }

    /// What a script is told when nobody listens.
    pub(crate) fn not_running(&self) -> Stop {
        not_running(&self.socket)
    }

    fn show_dry(&self, method: &str, route: &Route, body: &str) -> Result<()> {
        self.ui.say(Line::new().dim("Nothing was done. This would be sent:"));
        if self.ui.json {
            let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
            return self.ui.out_value(&serde_json::json!({
                "schema": "kith.dry-run/1", "method": method, "path": route.path(), "body": body,
            }));
        }
        self.ui.out(format!("{method} {}", route.path()))?;
        self.ui.out(body)
    }

    async fn request(&self, method: &str, route: &Route, body: String) -> Result<Reply> {
        let response = self.open(method, route, body, None).await?;
        let status = response.status();
        let bytes = Limited::new(response.into_body(), ANSWER_BYTES)
            .collect()
            .await
            .map_err(|_| error::failed("The daemon's answer broke off.", "Try again; `kith status` shows how things are."))?
            .to_bytes();
        let text =
            String::from_utf8(bytes.into()).map_err(|_| error::failed("The daemon's answer is not text.", SAME_VERSION))?;
        if status.is_success() {
            return Ok(Reply(text));
        }
        Err(refusal(status, &text))
    }

    async fn open(&self, method: &str, route: &Route, body: String, last_event: Option<&str>) -> Result<Response<Incoming>> {
        self.probe().await?;
        self.exchange(method, route, body, last_event).await
    }

    /// Once: does the daemon answer at all? One that is stopped by the system holds its socket, and would be waited for without end.
    async fn probe(&self) -> Result<()> {
        if self.probed.get().is_some() {
            return Ok(());
        }
        let route = Route::new("openapi.json");
        let asked = self.exchange("GET", &route, String::new(), None);
        match tokio::time::timeout(PROBE, asked).await {
            Ok(answer) => answer.map(|_| *self.probed.get_or_init(|| ())),
            Err(_) => Err(error::refused(
                Code::TimedOut,
                "Kith is there, and does not answer.",
                "`kith stop` ends it, then `kith start` starts it again. Everything that was saved is kept.",
            )),
        }
    }

    async fn exchange(&self, method: &str, route: &Route, body: String, last_event: Option<&str>) -> Result<Response<Incoming>> {
        let stream = self.connect().await?;
        let broken =
            |_| error::failed("The daemon does not answer.", "`kith status` shows its status; `kith daemon logs` says more.");
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(route.path()).header("host", "kith");
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        if let Some(id) = last_event {
            request = request.header("last-event-id", id);
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| error::usage("That name cannot be sent.", "Use the id instead."))?;
        sender.send_request(request).await.map_err(broken)
    }
}

fn encode(body: &impl Serialize) -> Result<String> {
    serde_json::to_string(body).map_err(|e| error::failed(format!("This cannot be written as JSON: {e}."), ""))
}

fn not_running(socket: &Path) -> Stop {
    let home = socket.parent().and_then(Path::parent);
    let known = home.is_some_and(Path::is_dir);
    let hint = if known {
        "`kith start` starts it."
    } else {
        "New here? `kith init` or `kith join` sets Kith up. After that, `kith start` starts it."
    };
    error::refused(Code::NotRunning, "Kith is not running.", hint)
}

fn refusal(status: hyper::StatusCode, text: &str) -> Stop {
    serde_json::from_str::<Error>(text)
        .map_or_else(|_| error::failed(format!("The daemon answered {status}."), SAME_VERSION), Stop::Refused)
}
