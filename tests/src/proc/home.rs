//! A member's machine: a home folder, its daemon as our child, and the command line in it.

use std::fs::{DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::Value;

use super::port::Port;
use super::{CommandRun, binaries, kith, try_http, until};

/// The passphrase of homes that have one.
pub const PASSPHRASE: &str = "seven quiet herons at dusk";

/// A home with, perhaps, a daemon. Both end with it.
#[derive(Debug)]
pub struct Home {
    folder: tempfile::TempDir,
    daemon: Option<Child>,
    /// Where its daemon listens, once it was started.
    port: Option<Port>,
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

impl Home {
    /// An empty home. Its path is short, since a socket's path must be.
    ///
    /// # Panics
    /// Where no folder can be made.
    #[must_use]
    pub fn new() -> Self {
        Self { folder: tempfile::Builder::new().prefix("kt").tempdir_in("/tmp").expect("a folder"), daemon: None, port: None }
    }

    /// A home without a passphrase, its daemon running.
    ///
    /// # Panics
    /// Where it cannot be made.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let mut home = Self::new();
        home.start();
        let run = home.kith(&["init", "--name", name, "--no-passphrase", "--no-input"]);
        drop(run.ok());
        home
    }

    /// A home with [`PASSPHRASE`], its daemon running and unlocked.
    ///
    /// # Panics
    /// Where it cannot be made.
    #[must_use]
    pub fn protected(name: &str) -> Self {
        let mut home = Self::new();
        home.start();
        let file = home.passphrase_file(PASSPHRASE);
        drop(home.kith(&["init", "--name", name, "--passphrase-file", &file, "--no-input"]).ok());
        home
    }

    /// Where Kith keeps everything.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("h")
    }

    /// A folder beside the home, for files that are not Kith's.
    #[must_use]
    pub fn beside(&self) -> &Path {
        self.folder.path()
    }

    /// A file that holds a passphrase.
    ///
    /// # Panics
    /// Where it cannot be written.
    #[must_use]
    pub fn passphrase_file(&self, passphrase: &str) -> String {
        let path = self.beside().join(format!("pass-{}", passphrase.len()));
        std::fs::write(&path, format!("{passphrase}\n")).expect("a file can be written");
        path.to_string_lossy().into_owned()
    }

    /// The command that runs the daemon in the foreground.
    #[must_use]
    pub fn kithd(&self) -> Command {
        let mut command = Command::new(&binaries().kithd);
        command.arg("--home").arg(self.path()).env_remove("KITH_HOME").env("HOME", self.beside());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Starts the daemon and waits until it answers.
    ///
    /// # Panics
    /// Where it does not.
    pub fn start(&mut self) {
        let mut command = self.kithd();
        command.stderr(Stdio::null());
        self.start_as(command);
    }

    /// Starts the daemon by this command and waits until it answers. Somebody must read its standard error, if it is a pipe.
    ///
    /// # Panics
    /// Where it does not.
    pub fn start_as(&mut self, command: Command) {
        assert!(self.try_start_as(command), "the daemon ended at once");
    }

    /// The same; `false` where it ended before it answered.
    ///
    /// # Panics
    /// Where it does neither.
    pub fn try_start_as(&mut self, command: Command) -> bool {
        self.launch(command);
        let answers = until("the daemon to answer", || {
            if let Some(Ok(Some(_))) = self.daemon.as_mut().map(Child::try_wait) {
                return Some(false);
            }
            try_http(&self.path(), "GET", "/v1/status", "").filter(|answer| answer.status == 200).map(|_| true)
        });
        if !answers {
            self.daemon = None;
        }
        answers
    }

    /// Starts the daemon by this command, which says where its errors go, and waits for nothing.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn launch(&mut self, mut command: Command) {
        assert!(self.daemon.is_none(), "a home has one daemon");
        self.settle_port();
        self.daemon = Some(command.spawn().expect("the daemon starts"));
    }

    /// Gives it a port that no other test's home gets while its daemon is stopped, unless it has settings.
    fn settle_port(&mut self) {
        let settings = self.path().join("config.toml");
        if self.port.is_some() || settings.exists() {
            return;
        }
        let port = Port::reserve();
        if !self.path().exists() {
            DirBuilder::new().mode(0o700).create(self.path()).expect("a folder");
        }
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&settings).expect("a file");
        writeln!(file, "port = {}", port.number()).expect("written");
        // They belong to anyone who has the folder: the daemon may run as somebody else.
        let owner = std::fs::metadata(self.beside()).expect("the home's folder");
        for made in [&self.path(), &settings] {
            chown(made, Some(owner.uid()), Some(owner.gid())).expect("may");
        }
        self.port = Some(port);
    }

    /// Waits until the daemon is gone, if it was told to stop, or was killed; did it end in order?
    pub fn ended(&mut self) -> bool {
        let Some(mut daemon) = self.daemon.take() else { return false };
        until("the daemon to end", || daemon.try_wait().ok().flatten()).success()
    }

    /// The daemon's process id, if it is our child.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.daemon.as_ref().map(Child::id)
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            drop(daemon.kill());
            drop(daemon.wait());
        }
    }

    /// `kith stop`, and waits until it is gone.
    ///
    /// # Panics
    /// Where it does not stop.
    pub fn stop(&mut self) -> Option<ExitStatus> {
        drop(self.kith(&["stop", "--no-input"]).ok());
        let mut daemon = self.daemon.take()?;
        Some(until("the daemon to stop", || daemon.try_wait().ok().flatten()))
    }

    /// Stops and starts it.
    pub fn restart(&mut self) {
        self.stop();
        self.start();
    }

    /// Calls the command line in this home.
    #[must_use]
    pub fn kith(&self, args: &[&str]) -> CommandRun {
        kith(&self.path(), args, "")
    }

    /// Calls it with something on stdin.
    #[must_use]
    pub fn tell(&self, args: &[&str], stdin: &str) -> CommandRun {
        kith(&self.path(), args, stdin)
    }

    /// Calls it for JSON; it must go well.
    #[must_use]
    pub fn json(&self, args: &[&str]) -> Value {
        self.kith(&[args, &["--json", "--no-input"]].concat()).json()
    }

    /// Calls it for JSON; it must be refused in this way.
    pub fn refused(&self, args: &[&str], exit: i32, code: &str) -> Value {
        self.kith(&[args, &["--json", "--no-input"]].concat()).refused(exit, code)
    }

    /// A field of the JSON answer, as text.
    ///
    /// # Panics
    /// Where there is no such field.
    #[must_use]
    pub fn field(&self, args: &[&str], field: &str) -> String {
        let answer = self.json(args);
        let text = answer.get(field).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("kith {}: no `{field}` in {answer}", args.join(" "))).to_owned()
    }

    /// The rows of a list.
    ///
    /// # Panics
    /// Where there is no such list.
    #[must_use]
    pub fn rows(&self, args: &[&str], plural: &str) -> Vec<Value> {
        let answer = self.json(args);
        let rows = answer.get(plural).and_then(Value::as_array);
        rows.unwrap_or_else(|| panic!("kith {}: no `{plural}` in {answer}", args.join(" "))).clone()
    }

    /// What a search finds.
    #[must_use]
    pub fn search(&self, words: &str) -> Vec<Value> {
        let answer = self.json(&["search", words]);
        let lists = answer.as_object().into_iter().flat_map(|fields| fields.values());
        lists.filter_map(Value::as_array).next().cloned().unwrap_or_default()
    }

    /// Founds a circle.
    pub fn found(&self, circle: &str) {
        drop(self.json(&["circle", "new", circle]));
    }

    /// Lets a guest into a circle of this home by invite and approval, until the guest sees it.
    pub fn admit(&self, circle: &str, guest: &Self, name: &str) {
        let link = self.field(&["invite", "new", "-c", circle], "link");
        drop(guest.json(&["invite", "accept", &link, "--as", name, "--yes"]));
        let request = until("the request to arrive", || {
            self.rows(&["invite", "pending", "-c", circle], "pending")
                .first()
                .and_then(|row| row.get("id")?.as_str().map(str::to_owned))
        });
        drop(self.json(&["invite", "approve", &request, "-c", circle]));
        until("the guest to be in", || (!guest.rows(&["circle", "list"], "circles").is_empty()).then_some(()));
        until("the guest's name to arrive", || {
            let members = self.rows(&["member", "list", "-c", circle], "members");
            members.iter().any(|row| row.get("name").and_then(Value::as_str) == Some(name)).then_some(())
        });
    }

    /// Waits until a note with this title is listed here; its row.
    #[must_use]
    pub fn awaits_note(&self, circle: &str, title: &str) -> Value {
        until(&format!("the note “{title}”"), || self.note(circle, title))
    }

    /// The note with this title, if it is listed.
    #[must_use]
    pub fn note(&self, circle: &str, title: &str) -> Option<Value> {
        let notes = self.rows(&["note", "list", "-c", circle], "notes");
        notes.into_iter().find(|note| note.get("title").and_then(Value::as_str) == Some(title))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.daemon.is_some() {
            self.kill();
        } else if self.path().join("run/kithd.sock").exists() {
            // Somebody else started it: `kith` itself.
            drop(self.kith(&["stop", "--no-input"]));
        }
    }
}
