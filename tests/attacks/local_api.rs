//! L: programs on the same machine.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use kith_tests::proc::{Home, NOBODY, PASSPHRASE, as_nobody, binaries, http, peak_kb, raw, skipped, until};

#[test]
fn l2_another_user_gets_nothing_even_where_the_path_lets_them() {
    let home = Home::named("Amara");
    // What a careless person could do: open the path for everybody.
    for folder in [home.beside().to_owned(), home.path(), home.path().join("run")] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("may");
    }
    fs::set_permissions(home.path().join("run/kithd.sock"), fs::Permissions::from_mode(0o666)).expect("may");
    let socket = home.path().join("run/kithd.sock").to_string_lossy().into_owned();
    let script = "use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Peer => shift) or exit 3; \
        print $s \"GET /v1/status HTTP/1.1\\r\\nHost: kith\\r\\nConnection: close\\r\\n\\r\\n\"; $s->flush; local $/; print <$s>;";
    let ours = Command::new("perl").args(["-e", script, &socket]).output();
    let Ok(ours) = ours.map(|out| String::from_utf8_lossy(&out.stdout).into_owned()) else {
        skipped("no perl to speak as somebody else", true);
        return;
    };
    assert!(ours.contains("200 OK"), "we ourselves are answered: {ours}");
    let Some(mut nobody) = as_nobody() else {
        skipped("only root can speak as somebody else", false);
        return;
    };
    let theirs = nobody.args(["perl", "-e", script, &socket]).output().expect("setpriv runs");
    assert_ne!(theirs.status.code(), Some(3), "they did not even reach the socket");
    let said = String::from_utf8_lossy(&theirs.stdout);
    assert!(said.is_empty(), "another user is answered: {said}");
    // It was the daemon that looked at who they are, and not the system that kept them out.
    until("the daemon to say that somebody tried", || {
        let log = fs::read_to_string(home.path().join("log/kithd.log")).ok()?;
        log.contains("another user tried the local API").then_some(())
    });
}

/// Somebody else's program in the daemon's place: it writes down what it is told.
const LISTENER: &str = "use IO::Socket::UNIX; my ($path, $out) = @ARGV; my $s = IO::Socket::UNIX->new(Local => $path, Listen => 8) or exit 3; \
    chmod 0666, $path; open(my $f, '>', $out) or exit 4; $f->autoflush(1); \
    while (my $c = $s->accept) { my $said = ''; sysread($c, $said, 4096); print $f $said; close $c; }";

#[test]
fn l2_kith_tells_another_users_program_nothing() {
    if as_nobody().is_none() {
        skipped("only root can be two users", false);
        return;
    }
    let home = Home::new();
    let pass = home.passphrase_file(PASSPHRASE);
    let heard = home.beside().join("heard");
    fs::write(&heard, "").expect("a file");
    chown(&heard, Some(NOBODY), Some(NOBODY)).expect("root may");
    fs::set_permissions(home.beside(), fs::Permissions::from_mode(0o755)).expect("may");
    let asks: [&[&str]; 5] = [
        &["unlock", "--passphrase-file", &pass],
        &["status"],
        &["join", "kith://join#AAAA", "--yes"],
        &["init", "--name", "Amara", "--passphrase-file", &pass],
        &["note", "new", "a secret"],
    ];
    // The folder is theirs, made before we came; or ours, and open to everybody.
    for theirs in [true, false] {
        let run = home.path().join("run");
        drop(fs::remove_dir_all(home.path()));
        fs::create_dir_all(&run).expect("may");
        for folder in [home.path(), run.clone()] {
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("may");
            if theirs {
                chown(&folder, Some(NOBODY), Some(NOBODY)).expect("root may");
            }
        }
        let socket = run.join("kithd.sock");
        let mut listener = as_nobody().expect("as before");
        listener.args(["perl", "-MIO::Handle", "-e", LISTENER]).args([&socket, &heard]);
        let mut listener = listener.spawn().expect("setpriv runs");
        until("somebody to listen", || UnixStream::connect(&socket).is_ok().then_some(()));
        for args in asks {
            let ran = home.kith(&[args, &["--no-input", "--json"]].concat());
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(said.contains("another user") || said.contains("Another user"), "{args:?}: {said}");
            assert_eq!(ran.code, 1, "{args:?}: {said}");
        }
        drop(listener.kill());
        drop(listener.wait());
        assert_eq!(fs::read_to_string(&heard).expect("still there"), "", "something was said to somebody else");
    }
    fs::remove_dir_all(home.path()).expect("may");
}

#[test]
fn d13_what_is_typed_into_kith_is_in_no_core_and_nobody_looks_at_it() {
    let home = Home::new();
    let folder = home.beside().to_owned();
    let program = folder.join("kith");
    fs::copy(&binaries().kith, &program).expect("a copy");
    let mut kith = as_nobody().map_or_else(
        || Command::new(&program),
        |mut nobody| {
            chown(&folder, Some(NOBODY), Some(NOBODY)).expect("root may");
            nobody.arg(&program);
            nobody
        },
    );
    // It waits for words on stdin, which never come.
    kith.args(["note", "new", "-", "--no-input"]).env("KITH_HOME", home.path()).env("HOME", &folder).current_dir(&folder);
    let mut kith = kith.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
    let proc = std::path::PathBuf::from(format!("/proc/{}", kith.id()));
    until("no core to be allowed", || {
        let limits = fs::read_to_string(proc.join("limits")).ok()?;
        let core = limits.lines().find(|line| line.starts_with("Max core file size"))?;
        (core.split_whitespace().skip(4).take(2).collect::<Vec<_>>() == ["0", "0"]).then_some(())
    });
    // What no other program may look into belongs to root, no matter who runs it.
    until("its memory to be its own", || (fs::metadata(proc.join("mem")).ok()?.uid() == 0).then_some(()));
    drop(kith.kill());
    drop(kith.wait());
}

#[test]
fn l8_an_export_follows_no_link() {
    let home = Home::named("Amara");
    home.found("Night shift");
    drop(home.json(&["note", "new", "--title", "On-call", "Long night."]));
    let (out, victim) = (home.beside().join("out"), home.beside().join("victim"));
    fs::write(&victim, "precious").expect("a file");
    drop(home.kith(&["export", "-c", "Night shift", "-o", &out.to_string_lossy(), "--no-input"]).ok());
    let mut names = Vec::new();
    walk(&out, &mut names);
    fs::remove_dir_all(&out).expect("may");
    for name in &names {
        fs::create_dir_all(name.parent().expect("below the folder")).expect("may");
        symlink(&victim, name).expect("may");
    }
    let run = home.kith(&["export", "-c", "Night shift", "-o", &out.to_string_lossy(), "--force", "--no-input"]);
    assert_eq!(fs::read_to_string(&victim).expect("still there"), "precious", "exit {}: {}", run.code, run.stderr);
    assert!(run.code == 1 && run.stderr.contains("link"), "exit {}: {}", run.code, run.stderr);
    // A link in the folder's own place.
    let elsewhere = home.beside().join("elsewhere");
    fs::create_dir(&elsewhere).expect("may");
    let linked = home.beside().join("linked");
    symlink(&elsewhere, &linked).expect("may");
    let refused = home.refused(&["export", "-c", "Night shift", "-o", &linked.to_string_lossy()], 1, "failed");
    assert!(refused.to_string().contains("link"), "{refused}");
    assert_eq!(fs::read_dir(&elsewhere).expect("a folder").count(), 0, "something was written there");
}

fn walk(folder: &std::path::Path, names: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() { walk(&entry.path(), names) } else { names.push(entry.path()) }
    }
}

#[test]
fn l9_bodies_without_end_are_cut_off() {
    let home = Home::named("Amara");
    let pid = home.pid().expect("our child");
    let before = peak_kb(pid);
    let claimed = raw(&home.path(), b"POST /v1/circles HTTP/1.1\r\nHost: kith\r\nContent-Length: 1073741824\r\n\r\n{");
    assert!(claimed.status == 413 || claimed.status == 0, "{claimed:?}");

    let mut stream = UnixStream::connect(home.path().join("run/kithd.sock")).expect("listens");
    stream.set_write_timeout(Some(Duration::from_secs(10))).expect("a deadline");
    stream.write_all(b"POST /v1/circles HTTP/1.1\r\nHost: kith\r\nTransfer-Encoding: chunked\r\n\r\n").expect("begins");
    let chunk = [b"10000\r\n".as_slice(), &vec![b'['; 65_536], b"\r\n"].concat();
    let mut sent = 0_u64;
    while sent < 1 << 30 && stream.write_all(&chunk).is_ok() {
        sent += 65_536;
    }
    assert!(sent < 256 << 20, "{sent} bytes were taken");
    assert!(peak_kb(pid) < before + (96 << 10), "memory grew from {before} to {} kB", peak_kb(pid));
    assert_eq!(http(&home.path(), "GET", "/v1/status", "").status, 200, "it goes on");
}

#[test]
fn l10_nonsense_is_refused_and_stops_nothing() {
    let home = Home::named("Amara");
    home.found("Night shift");
    let deep = "[".repeat(200_000);
    for (path, body) in [
        ("/v1/circles/-/notes", deep.as_str()),
        ("/v1/circles/-/notes", "{\"title\":7}"),
        ("/v1/circles/-/notes", "\u{0}"),
        ("/v1/circles/%ff%fe/notes", "{}"),
        ("/v1/circles/..%2f..%2fetc/notes", "{}"),
        ("/v1/joins", "{\"link\":\"kith://\"}"),
        ("/v1/circles/-/batch", "{\"items\":[{\"kind\":\"spell\"}]}"),
    ] {
        let answer = http(&home.path(), "POST", path, body);
        assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
    }
    let mut stream = UnixStream::connect(home.path().join("run/kithd.sock")).expect("listens");
    stream.write_all(b"\x16\x03\x01\x02\x00 nothing like HTTP\r\n\r\n").expect("writes");
    drop(stream.read(&mut [0; 64]));
    assert_eq!(http(&home.path(), "GET", "/v1/status", "").status, 200);
    assert_eq!(home.rows(&["note", "list"], "notes").len(), 0);
}

#[test]
fn l11_a_stream_of_events_that_nobody_reads_holds_up_nothing() {
    let home = Home::named("Amara");
    home.found("Night shift");
    let idle: Vec<UnixStream> = (0..20)
        .map(|_| {
            let mut stream = UnixStream::connect(home.path().join("run/kithd.sock")).expect("listens");
            stream.write_all(b"GET /v1/watch HTTP/1.1\r\nHost: kith\r\n\r\n").expect("asks");
            stream
        })
        .collect();
    for number in 0..50 {
        let body = format!("{{\"title\":\"note {number}\",\"body\":\"x\"}}");
        assert_eq!(http(&home.path(), "POST", "/v1/circles/-/notes", &body).status, 201);
    }
    drop(idle);
}
