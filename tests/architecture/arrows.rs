//! Who may depend on whom.

use std::process::Command;

use crate::{is_test, none, project_files, read, root};

/// What the core may name directly. It holds no clock, socket, file, database or terminal; a new name here is a decision.
const CORE: [&str; 20] = [
    "argon2",
    "blake3",
    "chacha20poly1305",
    "data-encoding",
    "ed25519-dalek",
    "emojis",
    "hpke",
    "jiff",
    "minicbor",
    "rand_core",
    "serde",
    "thiserror",
    "unicode-normalization",
    "unicode-script",
    "unicode-security",
    "unicode-segmentation",
    "utoipa",
    "x25519-dalek",
    "zeroize",
    "zstd",
];

/// What must not even stand somewhere below the core.
const NEVER_BELOW_CORE: [&str; 12] =
    ["tokio", "libp2p", "rusqlite", "libsqlite3-sys", "axum", "hyper", "clap", "mio", "socket2", "quinn", "async-std", "reqwest"];

/// The names under `[dependencies]` of a package's manifest.
fn dependencies(package: &str) -> Vec<String> {
    let manifest = read(&format!("{package}/Cargo.toml"));
    let lines = manifest.lines().skip_while(|line| line.trim() != "[dependencies]").skip(1);
    let names = lines.take_while(|line| !line.starts_with('['));
    let name = |line: &str| line.split(['.', '=', ' ']).next().unwrap_or_default().trim().to_owned();
    names.filter(|line| !line.trim().is_empty() && !line.starts_with('#')).map(name).collect()
}

#[test]
fn the_core_names_only_what_it_may() {
    let strangers: Vec<String> = dependencies("protocol").into_iter().filter(|name| !CORE.contains(&name.as_str())).collect();
    none("kith-protocol depends on these; the core takes time, randomness and storage as arguments", &strangers);
}

#[test]
fn nothing_below_the_core_does_what_the_core_must_not() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let args = ["tree", "-p", "kith-protocol", "-e", "normal", "--prefix", "none", "--locked", "--offline"];
    let out = Command::new(cargo).args(args).current_dir(root()).output().expect("cargo runs");
    assert!(out.status.success(), "cargo tree: {}", String::from_utf8_lossy(&out.stderr));
    let tree = String::from_utf8_lossy(&out.stdout).into_owned();
    let name = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    assert!(tree.lines().any(|line| name(line) == "minicbor"), "the tree is read as it should be");
    let found: Vec<String> = tree.lines().map(name).filter(|name| NEVER_BELOW_CORE.contains(&name.as_str())).collect();
    none("kith-protocol pulls these in", &found);
}

#[test]
fn the_daemon_and_the_tests_know_no_command_line_and_the_tests_no_daemon() {
    let mut found = Vec::new();
    for (package, forbidden) in [("daemon", vec!["kith-cli", "kith-tests", "clap"]), ("tests", vec!["kith-cli", "kith-daemon"])] {
        let wrong = dependencies(package).into_iter().filter(|name| forbidden.contains(&name.as_str()));
        found.extend(wrong.map(|name| format!("{package} → {name}")));
    }
    found.extend(
        dependencies("cli").into_iter().filter(|name| name == "libp2p" || name == "rusqlite").map(|name| format!("cli → {name}")),
    );
    none("arrows that point the wrong way", &found);
}

#[test]
fn only_the_command_lines_main_knows_the_daemon() {
    let cli = project_files().into_iter().filter(|path| path.starts_with("cli/src/") && path.ends_with(".rs"));
    let found: Vec<String> = cli.filter(|path| path != "cli/src/main.rs" && read(path).contains("kith_daemon")).collect();
    none("these mention kith_daemon; everything but main.rs speaks to the daemon through its local API", &found);
}

#[test]
fn the_core_reads_no_clock_file_socket_or_environment() {
    let banned = ["std::fs", "std::net", "std::env", "std::process", "SystemTime", "Instant::now", "thread::spawn", "std::io::"];
    let mut found = Vec::new();
    // What is there only with the feature `switches` may look at the environment of a test's process.
    let ours = |path: &String| path.starts_with("protocol/src/") && path.ends_with(".rs") && path != "protocol/src/tomorrow.rs";
    for path in project_files().into_iter().filter(|path| ours(path) && !is_test(path)) {
        let text = read(&path);
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in lines.filter(|line| banned.iter().any(|word| line.contains(word))) {
            found.push(format!("{path}: {}", line.trim()));
        }
    }
    none("the core does what its callers are for", &found);
}
