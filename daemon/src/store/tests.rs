use std::path::Path;

use kith_protocol::item::words::{Sought, indexed};
use kith_protocol::store::MemoryStore;
use proptest::prelude::*;

use super::*;

fn key() -> MasterKey {
    MasterKey::from_bytes([7; 32])
}

fn fresh() -> (tempfile::TempDir, SqliteStore) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::create(&dir.path().join("store.db"), &key()).expect("a store");
    (dir, store)
}

fn put(table: Table, key: &[u8], value: &[u8]) -> Writes {
    [((table, key.to_vec()), Some(value.to_vec()))].into_iter().collect()
}

fn delete(table: Table, key: &[u8]) -> Writes {
    [((table, key.to_vec()), None)].into_iter().collect()
}

fn item_key(n: u8) -> Vec<u8> {
    let mut key = vec![n; 16];
    key[15] = 0xee;
    key
}

/// A number and an item's key.
fn place(n: u8) -> Vec<u8> {
    [&u64::from(n).to_be_bytes()[..], &item_key(n)].concat()
}

fn index(store: &mut SqliteStore, n: u8, text: &str) {
    store.commit(&put(Table::Search, &place(n), indexed(text).as_bytes())).expect("commits");
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let (dir, mut store) = fresh();
    store.commit(&put(Table::Local, b"a", b"1")).expect("commits");
    store.close().expect("closes");
    assert!(!dir.path().join("store.db-wal").exists());
    let store = SqliteStore::open(&dir.path().join("store.db"), &key()).expect("opens");
    assert_eq!(store.get(Table::Local, b"a").expect("reads"), Some(b"1".to_vec()));
}

#[test]
fn the_log_is_taken_in_while_writing_goes_on_and_stays_bounded() {
    let (dir, store) = fresh();
    store.close().expect("closes");
    let path = dir.path().join("store.db");
    let mut store = SqliteStore::open(&path, &key()).expect("opens");
    let mut written = 0;
    for n in 0..1_500u32 {
        store.commit(&put(Table::Block, &(n % 64).to_be_bytes(), &[7; 70_000])).expect("commits");
        written += 70_000;
    }
    let log = std::fs::metadata(dir.path().join("store.db-wal")).expect("a log").len();
    assert!(log < 70 << 20 && log * 4 < written * 3, "{log} bytes of {written}");
    store.close().expect("closes");
    assert!(!dir.path().join("store.db-wal").exists());
}

#[test]
fn a_reader_sees_commits_and_one_state_at_a_time() {
    let (_dir, mut store) = fresh();
    let mut reader = store.reader(&key()).expect("a reader");
    store.commit(&put(Table::Local, b"a", b"1")).expect("commits");
    let seen = reader.snapshot(|read| {
        let before = read.get(Table::Local, b"a")?;
        store.commit(&put(Table::Local, b"a", b"2"))?;
        Ok((before, read.get(Table::Local, b"a")?))
    });
    assert_eq!(seen.expect("reads"), (Some(b"1".to_vec()), Some(b"1".to_vec())));
    assert_eq!(reader.snapshot(|read| read.get(Table::Local, b"a")).expect("reads"), Some(b"2".to_vec()));
}

#[test]
fn a_reader_sees_one_state_while_the_file_takes_the_journal() {
    let (_dir, mut store) = fresh();
    let mut reader = store.reader(&key()).expect("a reader");
    store.commit(&put(Table::Local, b"a", b"1")).expect("appends");
    let seen = reader.snapshot(|read| {
        let mut writes = put(Table::Local, b"a", b"2");
        writes.extend(put(Table::Local, b"b", &[2; 100_000]));
        store.commit(&writes)?;
        Ok((read.get(Table::Local, b"a")?, read.get(Table::Local, b"b")?))
    });
    assert_eq!(seen.expect("reads"), (Some(b"1".to_vec()), None));
    assert_eq!(reader.snapshot(|read| read.get(Table::Local, b"a")).expect("reads"), Some(b"2".to_vec()));
}

/// What somebody types, as the core asks for it.
fn terms(typed: &str) -> Vec<Vec<String>> {
    Sought::new(typed).terms()
}

#[test]
fn search_finds_prefixes_without_accents_and_forgets() {
    let (_dir, mut store) = fresh();
    index(&mut store, 1, "Überstunden on the night shift");
    index(&mut store, 2, "Nightmares; nothing else");
    assert_eq!(store.search(&terms("uberst NIGHT"), 9).expect("finds"), [place(1)]);
    assert_eq!(store.search(&terms("nig"), 9).expect("finds"), [place(2), place(1)], "the newest first");
    assert_eq!(store.search(&terms("nig"), 1).expect("finds"), [place(2)]);
    assert!(store.search(&terms("shift NOT night"), 9).expect("finds").is_empty());
    index(&mut store, 1, "quiet now");
    assert!(store.search(&terms("uberst"), 9).expect("finds").is_empty());
    assert_eq!(store.search(&terms("quiet"), 9).expect("finds"), [place(1)]);
    store.commit(&delete(Table::Search, &place(1))).expect("commits");
    assert!(store.search(&terms("quiet"), 9).expect("finds").is_empty());
    assert!(store.get(Table::Search, &place(2)).is_err());
}

#[test]
fn whatever_is_typed_finds_what_was_written_and_is_no_error() {
    let (_dir, mut store) = fresh();
    let texts = ["on-call again", "re\u{301}sume\u{301} and naïve", "हिन्दी में बात", "夜勤 の 話", "don't", "Straße №5"];
    for (n, text) in (1..).zip(texts) {
        index(&mut store, n, text);
        for word in text.split_whitespace() {
            assert!(store.search(&terms(word), 9).expect("finds").contains(&place(n)), "{word}");
        }
    }
    assert_eq!(store.search(&terms("resume"), 9).expect("finds"), [place(2)]);
    proptest!(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() }, |(typed in "\\PC{0,40}")| {
        prop_assert!(store.search(&terms(&typed), 3).is_ok(), "{:?}", typed);
    });
}

/// Bytes of a page, and of them those that SQLCipher keeps: an initialisation vector and a MAC.
const PAGE: usize = 4_096;
const RESERVED: usize = 80;

/// What stands on one page as it lies on disk. The first one begins with the file's salt.
fn plain_page(page: &[u8], first: bool) -> Vec<u8> {
    use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
    let (body, reserved) = page.split_at(PAGE - RESERVED);
    let mut body = body[if first { 16 } else { 0 }..].to_vec();
    let vector: [u8; 16] = reserved[..16].try_into().expect("16 bytes");
    let cipher = UnboundCipherKey::new(&AES_256, key().store_key().as_ref()).expect("a key");
    let cipher = DecryptingKey::cbc(cipher).expect("a key");
    cipher.decrypt(&mut body, DecryptionContext::Iv128((&vector).into())).expect("whole blocks");
    body
}

/// Every page of file and log as they lie on disk, free and outdated ones included, opened with the raw key.
fn everything(dir: &Path) -> Vec<Vec<u8>> {
    let file = std::fs::read(dir.join("store.db")).expect("reads");
    let log = std::fs::read(dir.join("store.db-wal")).unwrap_or_default();
    let pages = file.chunks_exact(PAGE).enumerate().map(|(at, page)| plain_page(page, at == 0));
    let frames = log.get(32..).unwrap_or_default().chunks_exact(24 + PAGE);
    pages.chain(frames.map(|frame| plain_page(&frame[24..], frame[..4] == [0, 0, 0, 1]))).collect()
}

fn stands_somewhere(dir: &Path, needle: &[u8]) -> bool {
    let records = journal::every_record(&dir.join("store.db-log"), &key());
    everything(dir).iter().chain(&records).any(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
}

#[test]
fn d14_what_was_destroyed_is_on_no_page_and_in_no_log() {
    let (dir, mut store) = fresh();
    // Too large for the journal.
    let secret = b"what they wrote at four in the morning".repeat(3_000);
    index(&mut store, 1, "zanzibarquux");
    index(&mut store, 2, "stays here");
    store.commit(&put(Table::Tail, b"small", b"a small secret")).expect("commits");
    store.commit(&put(Table::Block, b"large", &secret)).expect("commits");
    let needles: [&[u8]; 4] = [b"zanzibarquux", b"a small secret", b"at four in the morning", b"a secret of the journal"];
    for needle in &needles[..3] {
        assert!(stands_somewhere(dir.path(), needle), "the test must be able to fail");
    }
    store.commit(&put(Table::Tail, b"later", b"a secret of the journal")).expect("commits");
    assert!(stands_somewhere(dir.path(), b"a secret of the journal"), "the test must be able to fail");
    store.truncate_log().expect("takes it in");
    let mut writes = delete(Table::Tail, b"later");
    writes.extend(delete(Table::Search, &place(1)));
    writes.extend(delete(Table::Block, b"large"));
    writes.extend(put(Table::Tail, b"small", b"nothing"));
    store.commit(&writes).expect("commits");
    assert!(stands_somewhere(dir.path(), b"zanzibarquux"), "deleting alone leaves the word in the index");
    store.scrub().expect("scrubs");
    for needle in needles {
        assert!(!stands_somewhere(dir.path(), needle), "{}", String::from_utf8_lossy(needle));
    }
    assert_eq!(store.search(&terms("stays"), 9).expect("finds"), [place(2)]);
    assert_eq!(std::fs::metadata(dir.path().join("store.db-wal")).expect("a log").len(), 0);
}

#[test]
fn a_wrong_key_and_a_newer_schema_are_refused() {
    let (dir, store) = fresh();
    let path = dir.path().join("store.db");
    store.conn.pragma_update(None, "user_version", 2).expect("a pragma");
    store.close().expect("closes");
    let before = std::fs::read(&path).expect("reads");
    let Err(older) = SqliteStore::open(&path, &key()) else { panic!("a store from before the first release is opened") };
    assert!(matches!(older, OpenError::Older { found: 2, .. }), "{older}");
    assert_eq!(std::fs::read(&path).expect("reads"), before, "and nothing was changed");
    let conn = connect(&path, &key(), OpenFlags::SQLITE_OPEN_READ_WRITE, 1_000).expect("connects");
    conn.pragma_update(None, "user_version", 99).expect("a pragma");
    drop(conn);
    assert!(matches!(SqliteStore::open(&path, &key()), Err(OpenError::Newer { found: 99, .. })));
    let before = std::fs::read(&path).expect("reads");
    let wrong = MasterKey::from_bytes([8; 32]);
    assert!(matches!(SqliteStore::open(&path, &wrong), Err(OpenError::Damaged(_))));
    assert_eq!(std::fs::read(&path).expect("reads"), before);
    assert!(matches!(SqliteStore::open(&dir.path().join("none"), &key()), Err(OpenError::Missing)));
    assert!(matches!(SqliteStore::create(&path, &key()), Err(OpenError::Io(_))));
}

#[test]
fn a_full_disk_writes_nothing_of_a_commit() {
    let (dir, mut store) = fresh();
    store.commit(&put(Table::Local, b"a", b"1")).expect("commits");
    store.cap_pages(60);
    let mut writes = put(Table::Local, b"a", b"2");
    writes.extend((0..100u8).map(|n| ((Table::Block, vec![n]), Some(vec![n; 4096]))));
    assert_eq!(store.commit(&writes), Err(StoreError::Full));
    assert_eq!(store.get(Table::Local, b"a").expect("reads"), Some(b"1".to_vec()));
    assert!(store.scan(Table::Block, b"", b"", 9).expect("reads").is_empty());
    store.commit(&put(Table::Local, b"a", b"3")).expect("there is room for little");
    // What the journal has is neither lost nor mixed up where the file has no room to take it.
    assert_eq!(store.commit(&writes), Err(StoreError::Full));
    assert_eq!(store.get(Table::Local, b"a").expect("reads"), Some(b"3".to_vec()));
    store.commit(&put(Table::Local, b"b", b"4")).expect("the file takes it");
    assert_eq!(store.get(Table::Local, b"a").expect("reads"), Some(b"3".to_vec()));
    store.close().expect("closes");
    let store = SqliteStore::open(&dir.path().join("store.db"), &key()).expect("opens");
    let rows = [b"a", b"b"].map(|row| store.get(Table::Local, row).expect("reads"));
    assert_eq!(rows, [Some(b"3".to_vec()), Some(b"4".to_vec())]);
}

#[test]
fn damage_is_seen_and_nothing_is_deleted() {
    let (dir, mut store) = fresh();
    let path = dir.path().join("store.db");
    for n in 0..64u8 {
        store.commit(&put(Table::Block, &[n], &[n; 4096])).expect("commits");
    }
    store.close().expect("closes");
    let whole = std::fs::read(&path).expect("reads");
    for pages in 0..whole.len() / 4096 {
        std::fs::write(&path, &whole[..pages * 4096]).expect("writes");
        assert!(SqliteStore::open(&path, &key()).is_err(), "truncated to {pages} pages");
    }
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    std::fs::write(&path, &flipped).expect("writes");
    assert!(matches!(SqliteStore::open(&path, &key()), Err(OpenError::Damaged(_))));
    assert_eq!(std::fs::read(&path).expect("reads"), flipped);
}

fn keys() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(254), Just(255)], 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn scans_as_the_store_in_memory_does(
        rows in proptest::collection::btree_map(keys(), proptest::option::weighted(0.8, Just(vec![1u8])), 0..24),
        asked in proptest::collection::vec((keys(), keys(), 0usize..6), 12),
    ) {
        let (_dir, mut store) = fresh();
        let mut memory = MemoryStore::default();
        for chunk in rows.into_iter().collect::<Vec<_>>().chunks(5) {
            let writes: Writes = chunk.iter().map(|(k, v)| ((Table::Tail, k.clone()), v.clone())).collect();
            store.commit(&writes).expect("commits");
            memory.commit(&writes).expect("commits");
        }
        for (prefix, from, limit) in asked {
            prop_assert_eq!(store.scan(Table::Tail, &prefix, &from, limit), memory.scan(Table::Tail, &prefix, &from, limit));
            prop_assert_eq!(store.scan_back(Table::Tail, &prefix, &from, limit), memory.scan_back(Table::Tail, &prefix, &from, limit));
            prop_assert_eq!(store.get(Table::Tail, &from), memory.get(Table::Tail, &from));
        }
    }
}
