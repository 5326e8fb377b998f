//! The real `kithd`, from outside: its socket, its files, its exit codes. Having this file also makes `cargo test --workspace`
//! build the binary that the whole-system tests run.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

struct Home {
    dir: tempfile::TempDir,
}

struct Daemon {
    child: Child,
    home: PathBuf,
}

impl Home {
    fn new() -> Self {
        Self { dir: tempfile::Builder::new().prefix("kd").tempdir_in("/tmp").expect("a folder") }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("h")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kithd"));
        command.arg("--home").arg(self.path()).args(["--listen", "/ip4/127.0.0.1/tcp/0", "-v"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Starts it and waits for its word that it is ready.
    fn start(&self) -> Daemon {
        let mut child = self.command().spawn().expect("starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let ready = lines.any(|line| line.is_ok_and(|line| line.contains("ready")));
        assert!(ready, "kithd ended before it was ready");
        // Somebody has to read on, or a full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Daemon { child, home: self.path() }
    }

    /// Starts it where it must refuse: exit code and what it says.
    fn refused(&self, args: &[&str]) -> (i32, String) {
        let output = self.command().args(args).output().expect("starts");
        (output.status.code().expect("ends by itself"), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

impl Daemon {
    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut socket = UnixStream::connect(self.home.join("run/kithd.sock")).expect("connects");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: kith\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
        socket.write_all((head + &body).as_bytes()).expect("writes");
        let mut text = String::new();
        socket.read_to_string(&mut text).expect("reads");
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, serde_json::from_str(body).expect("JSON"))
    }

    fn init(&self, passphrase: &Value) {
        let (status, body) = self.ask("POST", "/v1/init", &json!({"name": "Amara", "passphrase": passphrase}));
        assert_eq!(status, 201, "{body}");
    }

    fn terminate(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("is there");
        assert!(self.child.wait().expect("ends").success());
    }

    fn end(mut self) {
        let (status, body) = self.ask("POST", "/v1/stop", &Value::Null);
        assert_eq!((status, body), (200, json!({"schema": "kith.stop/1"})));
        assert!(self.child.wait().expect("ends").success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("is there").permissions().mode() & 0o777
}

#[test]
fn a_protected_home_starts_locked_and_ends_in_order() {
    let home = Home::new();
    let daemon = home.start();
    for (name, expected) in [("", 0o700), ("run", 0o700), ("run/kithd.sock", 0o600), ("config.toml", 0o600)] {
        assert_eq!(mode(&home.path().join(name)), expected, "{name}");
    }
    daemon.init(&json!("correct horse"));
    let (_, before) = daemon.ask("GET", "/v1/status", &Value::Null);
    assert_eq!((&before["locked"], &before["pid"]), (&json!(false), &json!(daemon.child.id())));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", daemon.child.id())).unwrap_or_default();
    assert!(
        limits.is_empty()
            || limits.lines().any(|line| line.starts_with("Max core file size") && line.matches(" 0 ").count() == 2)
    );
    daemon.terminate();
    for gone in ["run/kithd.sock", "store.db-wal", "store.db-log"] {
        assert!(!home.path().join(gone).exists(), "{gone}");
    }
    for kept in ["keys.toml", "store.db"] {
        assert_eq!(mode(&home.path().join(kept)), 0o600, "{kept}");
    }
    let daemon = home.start();
    let (_, status) = daemon.ask("GET", "/v1/status", &Value::Null);
    assert_eq!((&status["initialized"], &status["locked"], &status["listening"]), (&json!(true), &json!(true), &json!([])));
    let (code, error) = daemon.ask("POST", "/v1/unlock", &json!({"passphrase": "wrong"}));
    assert_eq!((code, &error["code"]), (401, &json!("needs-passphrase")));
    let (code, status) = daemon.ask("POST", "/v1/unlock", &json!({"passphrase": "correct horse"}));
    assert_eq!((code, &status["name"]), (200, &json!("Amara")));
    daemon.end();
}

#[test]
fn an_open_home_opens_by_itself_and_survives_kill_9() {
    let home = Home::new();
    let mut daemon = home.start();
    daemon.init(&Value::Null);
    daemon.child.kill().expect("is there");
    daemon.child.wait().expect("ends");
    let daemon = home.start();
    let (_, status) = daemon.ask("GET", "/v1/status", &Value::Null);
    assert_eq!((&status["locked"], &status["unprotected"], &status["name"]), (&json!(false), &json!(true), &json!("Amara")));
    daemon.end();
}

#[test]
fn a_second_daemon_ends_and_says_why() {
    let home = Home::new();
    let daemon = home.start();
    let (code, said) = home.refused(&[]);
    assert_eq!(code, 1);
    assert!(said.contains("Another kithd already runs"), "{said}");
    let (status, _) = daemon.ask("GET", "/v1/status", &Value::Null);
    assert_eq!(status, 200);
}

#[test]
fn what_cannot_work_is_named() {
    let home = Home::new();
    let (code, said) = home.refused(&["--listen", "/dns4/example.org/tcp/1"]);
    assert_eq!(code, 2);
    assert!(said.contains("/dns4/example.org/tcp/1"), "{said}");
    let taken = TcpListener::bind("127.0.0.1:0").expect("binds").local_addr().expect("an address");
    let daemon = home.start();
    daemon.init(&Value::Null);
    daemon.end();
    let holder = TcpListener::bind(taken).expect("binds");
    let addr = format!("/ip4/127.0.0.1/tcp/{}", taken.port());
    let (code, said) = home.refused(&["--listen", &addr]);
    assert_eq!(code, 1);
    assert!(said.contains(&addr) && said.contains("config.toml"), "{said}");
    drop(holder);
    let long =
        Command::new(env!("CARGO_BIN_EXE_kithd")).arg("--home").arg(home.path().join("x".repeat(120))).output().expect("starts");
    assert_eq!(long.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&long.stderr).contains("too long"));
}

#[test]
fn a_damaged_store_is_named_and_left_as_it_is() {
    let home = Home::new();
    let daemon = home.start();
    daemon.init(&json!("correct horse"));
    daemon.terminate();
    let path = home.path().join("store.db");
    let mut bytes = std::fs::read(&path).expect("reads");
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&path, &bytes).expect("writes");
    let daemon = home.start();
    let (status, error) = daemon.ask("POST", "/v1/unlock", &json!({"passphrase": "correct horse"}));
    assert_eq!((status, &error["code"]), (500, &json!("damaged")), "{error}");
    assert!(!error["hint"].as_str().expect("a hint").is_empty());
    let (_, status) = daemon.ask("GET", "/v1/status", &Value::Null);
    assert_eq!(status["locked"], json!(true));
    assert_eq!(std::fs::read(&path).expect("reads"), bytes);
}
