//! A frozen home of every version that a store can have: `daemon/testdata/home.vN`, written by the program of that version.
//!
//! Each has the keys file, the settings, the store's file and a journal that the file has not taken yet. From the first release on
//! they stay for ever: what was written once is read, and brought up to date, by every later version.
//! `cargo test -p kith-daemon freeze -- --ignored` writes the one of this version, if it is missing.

use std::path::{Path, PathBuf};

use super::*;
use crate::keystore::{Cost, Keystore};

/// The version that this program writes.
const NEWEST: i64 = 4;
const VERSIONS: [i64; 2] = [3, 4];
/// The first whose words are what the core makes of them today: it writes those of earlier ones again.
const WORDS: i64 = 4;
const PASSPHRASE: &str = "correct horse";
/// One that takes no time.
const COST: Cost = Cost { memory_kib: 32, passes: 1, lanes: 1 };
/// Longer than a page holds, so that it lies on pages of its own.
const LONG: [u8; 5_000] = [9; 5_000];

fn home(version: i64) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("testdata/home.v{version}"))
}

/// A row of every table, and what is more than a page.
fn first() -> Writes {
    let row = |table: Table| ((table, vec![1, 0, 0xff]), Some(format!("{table:?}").into_bytes()));
    let mut writes: Writes = Table::ALL.into_iter().filter(|table| *table != Table::Search).map(row).collect();
    writes.insert((Table::Block, b"long".to_vec()), Some(LONG.to_vec()));
    writes.insert((Table::Search, place(1)), Some(b"uberstunden on the night shift".to_vec()));
    writes
}

/// What only the journal has: a row that is new, one that is another, one that is gone, and one that is empty.
fn later() -> [Writes; 2] {
    let write = |table, key: &[u8], value: Option<&[u8]>| ((table, key.to_vec()), value.map(<[u8]>::to_vec));
    let one = [write(Table::Tail, b"new", Some(b"first")), write(Table::Local, &[1, 0, 0xff], Some(b"other"))];
    let two = [write(Table::Act, &[1, 0, 0xff], None), write(Table::Tail, b"empty", Some(b""))];
    [one.into_iter().collect(), two.into_iter().collect()]
}

/// A row in the word index: its number, and an item's key.
fn place(number: u64) -> Vec<u8> {
    [&number.to_be_bytes()[..], &[0xee; 16]].concat()
}

/// A home that nobody minds: the frozen one must stay as it is.
fn copied(version: i64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for file in std::fs::read_dir(home(version)).expect("a frozen home").flatten() {
        std::fs::copy(file.path(), dir.path().join(file.file_name())).expect("copies");
    }
    dir
}

fn master(dir: &Path) -> MasterKey {
    let keys = Keystore::read(&dir.join("keys.toml")).expect("reads").expect("is there");
    keys.open(Some(PASSPHRASE)).expect("opens")
}

/// Every table and index of a store, as it was made.
fn schema(store: &SqliteStore) -> Vec<(String, Option<String>)> {
    let mut all = store.conn.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").expect("a statement");
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    all.query_map([], row).expect("runs").collect::<Result<_, _>>().expect("reads")
}

fn version(store: &SqliteStore) -> i64 {
    store.conn.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a pragma")
}

#[test]
fn homes_of_every_version_open_with_all_that_was_written() {
    let terms = ["uberst", "night"].map(|word| vec![word.to_owned()]);
    for of in VERSIONS {
        let dir = copied(of);
        let store = SqliteStore::open(&dir.path().join("store.db"), &master(dir.path())).expect("opens");
        let expected: Writes = [first()].into_iter().chain(later()).flatten().collect();
        for ((table, key), value) in expected.iter().filter(|((table, _), _)| *table != Table::Search) {
            assert_eq!(&store.get(*table, key).expect("reads"), value, "{table:?} of version {of}");
        }
        let found = store.search(&terms, 9).expect("finds");
        assert_eq!(found == [place(1)], of >= WORDS, "version {of}");
        let fresh = SqliteStore::create(&dir.path().join("fresh.db"), &MasterKey::from_bytes([7; 32])).expect("a store");
        assert_eq!((version(&store), schema(&store)), (version(&fresh), schema(&fresh)), "version {of} becomes this one");
        store.close().expect("closes");
    }
}

#[test]
fn what_is_written_today_is_what_was_frozen() {
    let dir = copied(NEWEST);
    let master = master(dir.path());
    let path = dir.path().join("store.db");
    // As it lies there, before anything brings it up to date.
    let conn = connect(&path, &master, OpenFlags::SQLITE_OPEN_READ_ONLY, WRITER_CACHE_KIB).expect("opens");
    let found: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a pragma");
    let generation = rows::get(&conn, Table::Local, GENERATION).expect("reads").expect("a generation");
    drop(conn);
    let fresh = SqliteStore::create(&dir.path().join("fresh.db"), &master).expect("a store");
    assert_eq!((found, version(&fresh)), (NEWEST, NEWEST), "another version has a frozen home of its own");
    let journal = std::fs::read(beside(&path, "-log")).expect("a journal");
    let again = journal::made_again(&journal, &master, Generation::try_from(generation.as_slice()).expect("16 bytes"));
    assert!(!journal.is_empty() && again == journal, "records are other bytes than before");
}

#[test]
#[ignore = "writes the frozen home of this version"]
fn freeze() {
    let home = home(NEWEST);
    std::fs::create_dir_all(&home).expect("a folder");
    let path = home.join("store.db");
    if path.exists() {
        return;
    }
    let master = MasterKey::from_bytes([7; 32]);
    for (name, passphrase) in [("keys.toml", Some(PASSPHRASE)), ("keys-bare.toml", None)] {
        Keystore::wrap(&master, passphrase, COST).expect("wraps").write(&home.join(name)).expect("writes");
    }
    let mut store = SqliteStore::create(&path, &master).expect("a store");
    store.commit(&first()).expect("the file takes words, and all that comes with them");
    for writes in later() {
        store.commit(&writes).expect("appends");
    }
    store.leave().expect("closes");
}
