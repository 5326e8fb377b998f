//! A person of the demo: a home, a daemon that is our child, and a client.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kith_protocol::control::DaemonStatus;
use serde_json::json;

use crate::client::{Client, Route};
use crate::error::{self, Result, failed};
use crate::home::{Home, private_dir};
use crate::limits::{DEMO_LOOK, DEMO_PATIENCE};
use crate::ui::Ui;

/// The passphrase of all three; their homes live for a minute.
pub(crate) const PASSPHRASE: &str = "three lamps in one window";

/// The daemons that run now, so that an interrupt can end them too.
pub(crate) type Children = Arc<Mutex<Vec<Child>>>;

/// How the daemons find each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Both,
    Tcp,
    Quic,
}

impl Transport {
    fn listen(self) -> Vec<&'static str> {
        let (tcp, quic) = ("/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1");
        match self {
            Self::Both => vec![quic, tcp],
            Self::Tcp => vec![tcp],
            Self::Quic => vec![quic],
        }
    }
}

/// One of the three.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) client: Client,
    home: Home,
    transport: Transport,
    children: Children,
    pid: u32,
}

impl Person {
    /// A new home with a running, unlocked daemon.
    pub(crate) fn begin(name: &'static str, folder: &Path, transport: Transport, children: &Children, ui: &Ui) -> Result<Self> {
        let home = Home::find(Some(&folder.join(name.to_lowercase())))?;
        let client = Client::new(&home, false, ui.clone())?;
        let mut person = Self { name, client, home, transport, children: Arc::clone(children), pid: 0 };
        person.start()?;
        person.client.secretly("POST", &Route::new("init"), &json!({ "name": name, "passphrase": PASSPHRASE }))?;
        Ok(person)
    }

    /// Start the daemon and wait until it answers.
    pub(crate) fn start(&mut self) -> Result<()> {
        private_dir(self.home.path())?;
        let program = program()?;
        let log_path = self.home.path().join("start.log");
        let log = std::fs::File::create(&log_path).map_err(|e| error::io("Cannot write", &log_path, &e))?;
        let listen = self.transport.listen().into_iter().flat_map(|addr| ["--listen", addr]);
        let child = Command::new(program)
            .args(["daemon", "run", "--home"])
            .arg(self.home.path())
            .args(listen)
            .env_remove("KITH_HOME")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|e| failed(format!("Cannot start a daemon: {}.", error::reason(&e)), ""))?;
        self.pid = child.id();
        adopt(&self.children, child)?;
        let said = || std::fs::read_to_string(&log_path).unwrap_or_default();
        self.wait("a daemon that answers", || Ok(self.client.answers().then_some(())))
            .map_err(|_| failed(format!("{}'s daemon does not answer. {}", self.name, said().trim()), ""))
    }

    /// Stop the daemon, in order, and wait until the process is gone.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.client.send("POST", &Route::new("stop"), &json!({}))?;
        let children = Arc::clone(&self.children);
        let pid = self.pid;
        self.wait("a daemon that ends", move || {
            let mut list = children.lock().map_err(|_| failed("The demo lost its daemons.", ""))?;
            let Some(at) = list.iter().position(|child| child.id() == pid) else { return Ok(Some(())) };
            let ended = list.get_mut(at).is_some_and(|child| matches!(child.try_wait(), Ok(Some(_))));
            if ended {
                drop(list.swap_remove(at).wait());
            }
            Ok(ended.then_some(()))
        })
    }

    pub(crate) fn unlock(&self) -> Result<()> {
        self.client.secretly("POST", &Route::new("unlock"), &json!({ "passphrase": PASSPHRASE })).map(drop)
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Look until there is something, or patience ends. What is refused meanwhile counts as not there yet.
    pub(crate) fn wait<T>(&self, what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        let begin = Instant::now();
        let mut refused = None;
        while begin.elapsed() < DEMO_PATIENCE {
            match look() {
                Ok(Some(value)) => return Ok(value),
                Ok(None) => {}
                Err(stop) => refused = Some(stop),
            }
            std::thread::sleep(DEMO_LOOK);
        }
        let why = refused.map(|stop| format!(" It was refused last: {stop}")).unwrap_or_default();
        let status = self.client.status().map(|status| connections(&status)).unwrap_or_default();
        Err(failed(
            format!("{} waited {} s for {what}, and it did not come.{why}{status}", self.name, DEMO_PATIENCE.as_secs()),
            "",
        ))
    }

    /// The real command line, as a process of its own, with this home.
    pub(crate) fn kith(&self, words: &[&str]) -> Result<serde_json::Value> {
        let out = Command::new(program()?)
            .args(words)
            .args(["--json", "--no-input", "--home"])
            .arg(self.home.path())
            .env_remove("KITH_HOME")
            .stdin(Stdio::null())
            .output()
            .map_err(|e| failed(format!("Cannot run kith: {}.", error::reason(&e)), ""))?;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        serde_json::from_str(&text).map_err(|_| {
            failed(
                format!(
                    "`kith {}` did not answer in JSON. {} {text}",
                    words.join(" "),
                    String::from_utf8_lossy(&out.stderr).trim()
                ),
                "",
            )
        })
    }
}

/// Put a daemon among those that are ended at the end.
fn adopt(children: &Children, child: Child) -> Result<()> {
    children.lock().map_err(|_| failed("The demo lost its daemons.", ""))?.push(child);
    Ok(())
}

fn connections(status: &DaemonStatus) -> String {
    format!(" (connected with {}, {} to come, {} to go)", status.peers.connected, status.sync.pending_in, status.sync.pending_out)
}

fn program() -> Result<PathBuf> {
    std::env::current_exe().map_err(|e| failed(format!("Cannot find this program: {}.", error::reason(&e)), ""))
}

/// End every daemon that still runs: politely, then firmly.
pub(crate) fn end_all(children: &Children) {
    let Ok(mut list) = children.lock() else { return };
    let pids = list.iter().filter_map(|child| rustix::process::Pid::from_raw(i32::try_from(child.id()).ok()?));
    for pid in pids {
        // One that is gone already needs no signal.
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap_or_default();
    }
    let begin = Instant::now();
    for child in list.iter_mut() {
        while begin.elapsed() < Duration::from_secs(8) && matches!(child.try_wait(), Ok(None)) {
            std::thread::sleep(DEMO_LOOK);
        }
        if matches!(child.try_wait(), Ok(None)) {
            drop(child.kill());
        }
        drop(child.wait());
    }
    list.clear();
}
