//! Disks that are full, files that are damaged, ports that are taken.

use std::io::{Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, UdpSocket};
use std::process::Command;

use kith_tests::proc::{Home, PASSPHRASE, skipped, until};

use crate::text;

const CIRCLE: &str = "Night shift";

/// A home on a small disk of its own; unmounted when dropped. `None` where this machine lets nobody mount.
struct SmallDisk {
    home: Home,
}

impl SmallDisk {
    fn new(size: &str) -> Option<Self> {
        let home = Home::new();
        std::fs::create_dir(home.path()).expect("a folder");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(home.path()).output();
        mount.is_ok_and(|out| out.status.success()).then_some(Self { home })
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        self.home.kill();
        drop(Command::new("umount").arg("-l").arg(self.home.path()).output());
    }
}

#[test]
fn a_full_disk_refuses_clearly_and_loses_nothing() {
    let Some(mut disk) = SmallDisk::new("6m") else {
        skipped("a small disk needs the right to mount one", false);
        return;
    };
    let home = &mut disk.home;
    home.start();
    drop(home.json(&["init", "--name", "Amara", "--no-passphrase"]));
    home.found(CIRCLE);
    let filler = home.path().join("filler");
    let mut acknowledged = Vec::new();
    let mut refused = None;
    for number in 0..400 {
        if number == 10 {
            fill(&filler);
        }
        let title = format!("note {number}");
        let body = "so much to say ".repeat(2_000);
        let run = home.tell(&["note", "new", "--title", &title, "--json", "--no-input", "-"], &body);
        if run.code == 0 {
            acknowledged.push(title);
        } else {
            refused = Some(run);
            break;
        }
    }
    refused.expect("a full disk refuses at last").refused(1, "disk-full");
    assert!(acknowledged.len() >= 10);
    check(home, &acknowledged);
    std::fs::remove_file(&filler).expect("room is made");
    drop(until("writes to go on once there is room", || {
        let run = home.kith(&["note", "new", "--title", "room again", "there", "--json", "--no-input"]);
        (run.code == 0).then_some(run)
    }));
    home.restart();
    check(home, &acknowledged);
}

fn fill(path: &std::path::Path) {
    let mut file = std::fs::File::create(path).expect("a file");
    let block = vec![7; 64 << 10];
    while file.write_all(&block).is_ok() {}
}

fn check(home: &Home, acknowledged: &[String]) {
    let listed: Vec<String> = home.rows(&["note", "list"], "notes").iter().map(|note| text(note, "title")).collect();
    for title in acknowledged {
        assert!(listed.contains(title), "“{title}” was acknowledged");
    }
}

#[test]
fn a_damaged_database_is_said_clearly_and_left_as_it_is() {
    let mut home = Home::protected("Amara");
    home.found(CIRCLE);
    for number in 0..30 {
        drop(home.json(&["note", "new", "--title", &format!("note {number}"), "body"]));
    }
    home.stop();
    let path = home.path().join("store.db");
    let good = std::fs::read(&path).expect("the store is there");
    flip(&path, good.len() as u64 / 2);
    let damaged = std::fs::read(&path).expect("reads");
    home.start();
    let file = home.passphrase_file(PASSPHRASE);
    home.refused(&["unlock", "--passphrase-file", &file], 1, "damaged");
    home.kill();
    assert_eq!(std::fs::read(&path).expect("reads").len(), damaged.len(), "a damaged store is not made smaller");
    std::fs::write(&path, &good).expect("the good copy comes back");
    home.start();
    drop(home.json(&["unlock", "--passphrase-file", &file]));
    assert_eq!(home.rows(&["note", "list"], "notes").len(), 30);
}

fn flip(path: &std::path::Path, at: u64) {
    let mut file = std::fs::File::options().read(true).write(true).open(path).expect("opens");
    let mut bytes = [0; 64];
    file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut bytes)).expect("reads");
    bytes.iter_mut().for_each(|byte| *byte ^= 0xff);
    file.seek(SeekFrom::Start(at)).and_then(|_| file.write_all(&bytes)).expect("writes");
}

#[test]
fn a_taken_port_is_said_clearly() {
    let mut home = Home::named("Amara");
    home.found(CIRCLE);
    home.stop();
    let config = std::fs::read_to_string(home.path().join("config.toml")).expect("the settings are there");
    let port: u16 = config.lines().find_map(|line| line.strip_prefix("port = ")?.parse().ok()).expect("a port is written down");
    let _tcp = TcpListener::bind(("0.0.0.0", port)).expect("the port is free while the daemon is stopped");
    let _udp = UdpSocket::bind(("0.0.0.0", port)).expect("free");
    let mut command = home.kithd();
    command.args(["--listen", &format!("/ip4/0.0.0.0/tcp/{port}"), "--listen", &format!("/ip4/0.0.0.0/udp/{port}/quic-v1")]);
    let mut child = command.stderr(std::process::Stdio::piped()).spawn().expect("starts");
    let status = until("the daemon to say that its port is taken", || child.try_wait().ok().flatten());
    let mut said = String::new();
    child.stderr.take().expect("stderr is piped").read_to_string(&mut said).expect("reads");
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains(&port.to_string()) && !said.contains("panicked"), "{said}");
}

#[test]
fn a_second_daemon_leaves_the_first_alone() {
    let home = Home::named("Amara");
    let mut command = home.kithd();
    let out = command.stderr(std::process::Stdio::piped()).output().expect("runs");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("already") && !said.contains("panicked"), "{said}");
    assert_eq!(home.json(&["status"]).get("pid").and_then(serde_json::Value::as_u64), home.pid().map(u64::from));
}
