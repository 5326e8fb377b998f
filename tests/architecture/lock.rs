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

#[test]
fn a_bad_lock_is_noticed() {
    let bad = |name: &str, version: &str, source: &str| {
        faults(&format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{source}\"\n")).len()
    };
    let registry = "registry+https://github.com/rust-lang/crates.io-index";
    assert_eq!(bad("yamux", "0.13.10", registry), 0);
    assert_eq!(bad("yamux", "0.13.9", registry), 1);
    assert_eq!(bad("serde", "1.0.0", "git+https://example.org/serde"), 1);
    assert_eq!(bad("age", "0.11.0", registry), 1);
}
