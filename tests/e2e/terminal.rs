//! The path that people take: a terminal that asks. `script` lends one, where it is installed.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use kith_tests::proc::{Home, PASSPHRASE, binaries, has_program, skipped, until};

/// A command line in a terminal of its own.
struct Terminal {
    child: Child,
    seen: std::sync::mpsc::Receiver<u8>,
    text: String,
}

impl Terminal {
    /// `None` where there is no `script`.
    fn open(home: &Home, line: &str) -> Option<Self> {
        let folders = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("script");
        command.args(["-qefc", line, "/dev/null"]).env("PATH", format!("{}:{folders}", binaries().folder.display()));
        command.env("KITH_HOME", home.path()).env("HOME", home.beside()).env("TERM", "xterm").env_remove("EDITOR");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut out = child.stdout.take().expect("stdout is piped");
        let (send, seen) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut byte = [0];
            while std::io::Read::read(&mut out, &mut byte).is_ok_and(|n| n == 1) && send.send(byte[0]).is_ok() {}
        });
        Some(Self { child, seen, text: String::new() })
    }

    /// Waits for words on the screen, then types an answer.
    fn asked(&mut self, words: &str, answer: &str) {
        let mut bytes = Vec::new();
        until(&format!("“{words}” on the screen, after:\n{}", self.text), || {
            bytes.extend(self.seen.try_iter());
            String::from_utf8_lossy(&bytes).contains(words).then_some(())
        });
        self.text = String::from_utf8_lossy(&bytes).into_owned();
        let stdin = self.child.stdin.as_mut().expect("stdin is piped");
        stdin.write_all(format!("{answer}\n").as_bytes()).expect("somebody reads");
    }

    /// Waits for the end; the exit code.
    fn ends(&mut self) -> i32 {
        until("the command to end", || self.child.try_wait().ok().flatten()).code().unwrap_or(-1)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn init_and_join_ask_what_they_need() {
    let amara = Home::named("Amara");
    amara.found("Night shift");
    let link = amara.field(&["invite", "new", "-c", "Night shift"], "link");

    let bea = Home::new();
    let Some(mut terminal) = Terminal::open(&bea, &format!("kith join '{link}'")) else {
        skipped("a terminal needs `script`", has_program("script"));
        return;
    };
    terminal.asked("name", "Bea");
    terminal.asked("Passphrase", PASSPHRASE);
    terminal.asked("nce more", PASSPHRASE);
    terminal.asked("Night shift", "y");
    let request = until("the request", || {
        let rows = amara.rows(&["invite", "pending", "-c", "Night shift"], "pending");
        rows.first().map(|row| crate::text(row, "id"))
    });
    drop(amara.json(&["invite", "approve", &request, "-c", "Night shift"]));
    terminal.asked("Amara", "y");
    assert_eq!(terminal.ends(), 0);
    assert_eq!(bea.rows(&["circle", "list"], "circles").len(), 1);
    assert!(!exists_in_history(&bea.path(), PASSPHRASE));
}

#[test]
fn init_alone_leaves_it_running_and_unlocked() {
    let home = Home::new();
    let Some(mut terminal) = Terminal::open(&home, "kith init") else {
        skipped("a terminal needs `script`", has_program("script"));
        return;
    };
    terminal.asked("name", "Amara");
    terminal.asked("Passphrase", PASSPHRASE);
    terminal.asked("nce more", PASSPHRASE);
    assert_eq!(terminal.ends(), 0);
    let status = home.json(&["status"]);
    assert_eq!(status.get("locked"), Some(&serde_json::Value::Bool(false)), "{status}");
}

fn exists_in_history(home: &Path, word: &str) -> bool {
    let log = std::fs::read(home.join("log/kithd.log")).unwrap_or_default();
    log.windows(word.len()).any(|window| window == word.as_bytes())
}
