//! Nothing in the clear. Each search is shown to find what it looks for where it must be.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use kith_tests::proc::{Home, PASSPHRASE};
use rusqlite::{Connection, OpenFlags};

const CIRCLE: &str = "Zaunkönigrunde";
/// Stand in a title, a body and a name, and nowhere else on this machine.
const CANARIES: [&str; 4] = ["zaunkönigtitel", "zaunkönigkörper", "zaunkönigname", "Zaunkönigrunde"];

fn fill(home: &Home) {
    home.found(CIRCLE);
    drop(home.json(&["note", "new", "--title", "zaunkönigtitel", "zaunkönigkörper"]));
    drop(home.json(&["resource", "new", "--title", "zaunkönigtitel", "--note", "zaunkönigkörper"]));
    assert_eq!(home.search("zaunkönigkörper").len(), 2);
}

#[test]
fn no_file_of_a_home_holds_words_and_the_right_key_shows_them() {
    let mut home = Home::protected("zaunkönigname");
    fill(&home);
    scan(&home.path());
    home.stop();
    scan(&home.path());

    // A home without a passphrase keeps its key beside the store: so an outsider can open it, and find what they look for.
    let mut open = Home::named("zaunkönigname");
    fill(&open);
    open.stop();
    scan(&open.path());
    let words = opened(&open.path());
    let found: Vec<&str> = CANARIES.into_iter().filter(|word| holds(&words, word)).collect();
    assert!(!found.is_empty(), "with the key nothing is found either, so looking without it shows nothing");
}

/// No file below the folder holds a canary, whole or in pieces of UTF-16.
fn scan(folder: &Path) {
    let mut files = Vec::new();
    walk(folder, &mut files);
    assert!(files.iter().any(|path| path.ends_with("store.db")), "the store is among {files:?}");
    for path in files {
        let bytes = std::fs::read(&path).expect("a file can be read");
        for word in CANARIES {
            assert!(!holds(&bytes, word), "{} holds “{word}”", path.display());
        }
    }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder can be read").flatten() {
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            walk(&entry.path(), files);
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
}

fn holds(bytes: &[u8], word: &str) -> bool {
    let wide: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [word.as_bytes(), word.to_lowercase().as_bytes(), &wide]
        .iter()
        .any(|word| bytes.windows(word.len()).any(|window| window == *word))
}

/// Every value of every table of an unprotected home's store, opened with its key.
fn opened(home: &Path) -> Vec<u8> {
    let keys = std::fs::read_to_string(home.join("keys.toml")).expect("the keys are there");
    let hex = keys.lines().find_map(|line| line.strip_prefix("key = \"")?.strip_suffix('"')).expect("a bare key");
    let byte = |at: usize| u8::from_str_radix(hex.get(at..at + 2).unwrap_or_default(), 16).expect("hexadecimal");
    let master: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    let key = blake3::derive_key("kith/v1/store", &master);
    let raw: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let store = Connection::open_with_flags(home.join("store.db"), OpenFlags::SQLITE_OPEN_READ_WRITE).expect("opens");
    store.execute_batch(&format!("PRAGMA key = \"x'{raw}'\"")).expect("takes the key");
    let mut names =
        store.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'").expect("reads");
    let names: Vec<String> = names.query_map([], |row| row.get(0)).expect("reads").flatten().collect();
    assert!(names.len() > 5, "the key opens the store: {names:?}");
    let mut bytes = Vec::new();
    for name in names {
        let mut rows = store.prepare(&format!("SELECT * FROM \"{name}\"")).expect("reads");
        let columns = rows.column_count();
        let mut rows = rows.query([]).expect("reads");
        while let Ok(Some(row)) = rows.next() {
            for column in 0..columns {
                match row.get_ref(column).expect("a value") {
                    rusqlite::types::ValueRef::Blob(value) | rusqlite::types::ValueRef::Text(value) => {
                        bytes.extend_from_slice(value)
                    }
                    _ => {}
                }
            }
        }
    }
    bytes
}

#[test]
fn a_home_is_closed_to_others() {
    let home = Home::protected("Amara");
    let mode = |path: PathBuf| std::fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode(home.path()), 0o700);
    assert_eq!(mode(home.path().join("run")), 0o700);
    assert_eq!(mode(home.path().join("run/kithd.sock")), 0o600);
    assert_eq!(mode(home.path().join("keys.toml")), 0o600);
}

#[test]
fn the_passphrase_stands_nowhere() {
    let home = Home::protected("Amara");
    let mut files = Vec::new();
    walk(&home.path(), &mut files);
    for path in files {
        assert!(!holds(&std::fs::read(&path).expect("reads"), PASSPHRASE), "{}", path.display());
    }
    let pid = home.pid().expect("our child");
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    assert!(!holds(&arguments, PASSPHRASE) && !holds(&environment, PASSPHRASE));
}
