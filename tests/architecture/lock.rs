//! What the lock file may hold: where code comes from, and which versions are too old to be safe.

use crate::read;

/// Below these a peer can stop the process or worse.
const FLOORS: [(&str, [u64; 3]); 3] = [("yamux", [0, 13, 10]), ("libp2p-quic", [0, 13, 1]), ("quinn-proto", [0, 11, 15])];

/// Never in the lock: broken here, or replaced by what the design names.
const BANNED: [&str; 4] = ["age", "openssl", "native-tls", "libp2p-gossipsub"];

struct Package {
    name: String,
    version: Vec<u64>,
    source: Option<String>,
}

fn packages(lock: &str) -> Vec<Package> {
    let field = |block: &str, name: &str| {
        let line = block.lines().find(|line| line.starts_with(&format!("{name} = ")))?;
        Some(line.split('"').nth(1)?.to_owned())
    };
    let number = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0);
    let package = |block: &str| {
        let version = field(block, "version")?.split('.').map(number).collect();
        Some(Package { name: field(block, "name")?, version, source: field(block, "source") })
    };
    lock.split("[[package]]").filter_map(package).collect()
}

/// What is wrong with a lock file.
fn faults(lock: &str) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages(lock) {
        let registry = "registry+https://github.com/rust-lang/crates.io-index";
        match package.source.as_deref() {
            None if package.name.starts_with("kith-") => {}
            Some(source) if source == registry => {}
            other => found.push(format!("{} comes from {}", package.name, other.unwrap_or("an unknown folder"))),
        }
        if let Some((_, floor)) = FLOORS.iter().find(|(name, _)| *name == package.name)
            && package.version.as_slice() < floor.as_slice()
        {
            found.push(format!("{} {:?} is older than {floor:?}", package.name, package.version));
        }
        if BANNED.contains(&package.name.as_str()) {
            found.push(format!("{} is not wanted here", package.name));
        }
    }
    found
}

#[test]
fn the_lock_holds_nothing_old_strange_or_unwanted() {
    let lock = read("Cargo.lock");
    assert!(packages(&lock).len() > 100, "the lock is read as it should be");
    crate::none("Cargo.lock", &faults(&lock));
}

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// How many faults a lock with this package alone has.
fn faults_of(name: &str, version: &str, source: &str) -> usize {
    faults(&format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{source}\"\n")).len()
}

#[test]
fn s1_banned_and_old_versions_in_a_lock_are_noticed() {
    for (name, floor) in FLOORS {
        let [major, minor, patch] = floor;
        assert_eq!(faults_of(name, &format!("{major}.{minor}.{patch}"), REGISTRY), 0, "{name}");
        assert_eq!(faults_of(name, &format!("{major}.{minor}.{}", patch - 1), REGISTRY), 1, "{name}");
        assert_eq!(faults_of(name, &format!("{major}.{}.99", minor - 1), REGISTRY), 1, "{name}");
    }
    for name in BANNED {
        assert_eq!(faults_of(name, "99.0.0", REGISTRY), 1, "{name}");
    }
}

#[test]
fn s2_code_from_anywhere_but_the_registry_is_noticed() {
    assert_eq!(faults_of("serde", "1.0.0", REGISTRY), 0);
    for source in [
        "git+https://example.org/serde#0123456789",
        "registry+https://example.org/index",
        "sparse+https://example.org/",
        "registry+https://github.com/rust-lang/crates.io-index.example.org",
    ] {
        assert_eq!(faults_of("serde", "1.0.0", source), 1, "{source}");
    }
    let folder = "[[package]]\nname = \"serde\"\nversion = \"1.0.0\"\n";
    assert_eq!(faults(folder).len(), 1, "a folder beside ours");
}

/// A peer that leaves gaps in QUIC streams makes old versions of the library keep all that lies behind them. What holds it off is
/// in the library, so what is held here is its version; how much a connection may keep is set where the daemon listens.
#[test]
fn w7_quic_is_new_enough_to_bound_what_lies_behind_gaps() {
    let lock = read("Cargo.lock");
    for name in ["quinn-proto", "libp2p-quic", "yamux"] {
        let found: Vec<_> = packages(&lock).into_iter().filter(|package| package.name == name).collect();
        let floor = FLOORS.iter().find(|(floored, _)| *floored == name).map(|(_, floor)| floor.as_slice());
        assert!(!found.is_empty() && found.iter().all(|package| Some(package.version.as_slice()) >= floor), "{name}");
    }
    let listening = read("daemon/src/net/task.rs");
    for bound in ["max_stream_data", "max_connection_data", "max_concurrent_stream_limit"] {
        assert!(listening.contains(&format!("config.{bound} = ")), "{bound} is left as the library has it");
    }
}

/// Cargo's own answer to a lock that does not fit, as every command of the CI script asks it to give.
#[test]
fn s5_a_lock_that_drifted_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["protocol", "daemon", "cli", "tests"] {
        std::os::unix::fs::symlink(crate::root().join(name), folder.path().join(name)).expect("a link");
    }
    let lock = read("Cargo.lock");
    std::fs::write(folder.path().join("Cargo.toml"), read("Cargo.toml")).expect("written");
    let cargo = || std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let version = String::from_utf8(cargo().arg("-vV").output().expect("cargo runs").stdout).expect("words");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo says for whom it builds");
    let fits = |lock: &str| {
        std::fs::write(folder.path().join("Cargo.lock"), lock).expect("written");
        let mut cargo = cargo();
        // A build fetches what this platform needs, so only that is at hand.
        cargo.args(["metadata", "--locked", "--offline", "--format-version", "1", "--filter-platform", host]);
        cargo.current_dir(folder.path());
        cargo.output().expect("cargo runs").status.success()
    };
    assert!(fits(&lock), "the lock as it is");
    let without = |name: &str| {
        let packages: Vec<&str> =
            lock.split("[[package]]").filter(|block| !block.contains(&format!("name = \"{name}\"\n"))).collect();
        packages.join("[[package]]")
    };
    assert!(!fits(&without("zstd")), "a package is missing, and the lock is taken");
    let script = read(".ci/run");
    for line in script.lines().filter(|line| line.contains("cargo clippy") || line.contains("cargo doc")) {
        assert!(line.contains("--locked"), "{line}");
    }
    assert_eq!(script.matches("cksum").count(), 2, "the lock is compared before and after");
}
