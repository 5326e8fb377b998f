use super::super::SqliteStore;
use super::*;

use kith_protocol::store::{MemoryStore, Read as _, Store};
use proptest::prelude::*;

fn key() -> MasterKey {
    MasterKey::from_bytes([7; 32])
}

fn put(key: &[u8], value: &[u8]) -> Writes {
    [((Table::Tail, key.to_vec()), Some(value.to_vec()))].into_iter().collect()
}

/// A journal with these commits, one record each, as it lies on disk.
fn written(path: &Path, commits: &[Writes]) -> Vec<u8> {
    let (mut journal, found) = Journal::open(path, &key(), [1; 16]).expect("opens");
    assert!(found.is_empty());
    for commit in commits {
        journal.append(commit).expect("appends");
    }
    // None is made where there was nothing to write.
    std::fs::read(path).unwrap_or_default()
}

fn found(path: &Path) -> Result<Writes, JournalError> {
    Journal::open(path, &key(), [1; 16]).map(|(_, writes)| writes)
}

/// What the first so many commits come to.
fn first(commits: &[Writes], count: usize) -> Writes {
    commits.iter().take(count).flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn three() -> [Writes; 3] {
    let mut deletes = put(b"b", b"second");
    deletes.insert((Table::Tail, b"a".to_vec()), None);
    [put(b"a", b"first"), deletes, put(b"c", b"")]
}

#[test]
fn d4_every_cut_leaves_a_beginning_and_only_what_was_cut_is_missing() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("log");
    let commits = three();
    let whole = written(&path, &commits);
    let ends: Vec<usize> =
        (0..=commits.len()).map(|count| written(&dir.path().join(format!("{count}")), &commits[..count]).len()).collect();
    for cut in 0..=whole.len() {
        std::fs::write(&path, &whole[..cut]).expect("writes");
        let records = ends.iter().rposition(|end| *end <= cut).expect("none at least");
        assert_eq!(found(&path).expect("opens"), first(&commits, records), "cut at byte {cut}");
    }
}

#[test]
fn d2_a_flipped_bit_is_damage_or_takes_the_last_record_never_another() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("log");
    let commits = three();
    let whole = written(&path, &commits);
    let last = written(&dir.path().join("two"), &commits[..2]).len();
    for bit in 0..whole.len() * 8 {
        let mut bent = whole.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, &bent).expect("writes");
        match found(&path) {
            Err(JournalError::Damaged) => assert!(bit / 8 < last, "bit {bit}"),
            Ok(writes) => assert!(bit / 8 >= last && writes == first(&commits, 2), "bit {bit}"),
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[test]
fn a_journal_that_the_file_has_taken_or_never_knew_is_empty() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("log");
    let (mut journal, _) = Journal::open(&path, &key(), [1; 16]).expect("opens");
    for commit in three() {
        journal.append(&commit).expect("appends");
    }
    journal.taken([2; 16]);
    assert!(Journal::open(&path, &key(), [2; 16]).expect("opens").1.is_empty());
    // Written over the start of the older ones, of which some still stand behind it.
    journal.append(&put(b"d", b"newer")).expect("appends");
    assert_eq!(Journal::open(&path, &key(), [2; 16]).expect("opens").1, put(b"d", b"newer"));
    // An older file that was put back: neither mixed with what stands in front nor with what still stands behind.
    let (journal, found) = Journal::open(&path, &key(), [1; 16]).expect("opens");
    assert!(found.is_empty() && !journal.takes(&put(b"e", b"")), "the file draws a generation first");
    assert!(Journal::open(&path, &MasterKey::from_bytes([8; 32]), [2; 16]).expect("opens").1.is_empty());
}

#[test]
fn after_a_record_that_may_not_stand_the_file_takes_over() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("store.db");
    let mut store = SqliteStore::create(&path, &key()).expect("a store");
    store.commit(&put(b"a", b"1")).expect("appends");
    // Only for reading: as a disk that takes nothing more.
    store.journal.file = Some(File::open(&store.journal.path).expect("opens"));
    assert!(matches!(store.commit(&put(b"a", b"2")), Err(StoreError::Io(_))));
    assert_eq!(store.get(Table::Tail, b"a"), Ok(Some(b"1".to_vec())), "what was refused is not read");
    store.commit(&put(b"b", b"3")).expect("the file takes it");
    assert_eq!((store.journal.records, store.get(Table::Tail, b"a")), (0, Ok(Some(b"1".to_vec()))));
    drop(store);
    let store = SqliteStore::open(&path, &key()).expect("opens");
    assert_eq!(store.scan(Table::Tail, b"", b"", 9).expect("reads").len(), 2);
}

#[test]
fn after_a_commit_of_the_file_that_failed_only_the_file_goes_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut store = SqliteStore::create(&dir.path().join("store.db"), &key()).expect("a store");
    store.commit(&put(b"a", b"1")).expect("appends");
    // Fails at COMMIT, as where the disk fails while syncing what it has taken already.
    store.conn.commit_hook(Some(|| true)).expect("a hook");
    assert!(store.commit(&put(b"b", &[2; JOURNAL_COMMIT_BYTES])).is_err());
    assert_eq!(store.scan(Table::Tail, b"", b"", 9).expect("reads").len(), 1);
    assert!(store.commit(&put(b"c", b"3")).is_err(), "nothing goes into a journal that the file may have taken");
    store.conn.commit_hook(None::<fn() -> bool>).expect("no hook");
    store.commit(&put(b"c", b"3")).expect("commits");
    assert_eq!((store.journal.records, store.scan(Table::Tail, b"", b"", 9).expect("reads").len()), (0, 2));
}

#[test]
fn damage_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let (path, log) = (dir.path().join("store.db"), dir.path().join("store.db-log"));
    let mut store = SqliteStore::create(&path, &key()).expect("a store");
    for n in 0..3 {
        store.commit(&put(&[n], &[n; 100])).expect("appends");
    }
    drop(store);
    let mut bytes = std::fs::read(&log).expect("a journal");
    bytes[HEADER + NONCE] ^= 1;
    std::fs::write(&log, &bytes).expect("writes");
    let refused = SqliteStore::open(&path, &key()).expect_err("a record is bent");
    assert!(matches!(refused, super::super::OpenError::Damaged(_)), "{refused}");
    assert_eq!(std::fs::read(&log).expect("reads"), bytes);
}

#[test]
fn the_journal_stays_small() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut store = SqliteStore::create(&dir.path().join("store.db"), &key()).expect("a store");
    for n in 0..200u8 {
        store.commit(&put(&[n], &[n; 10_000])).expect("commits");
    }
    let bytes = std::fs::metadata(dir.path().join("store.db-log")).expect("a journal").len();
    assert!(bytes < JOURNAL_BYTES + JOURNAL_COMMIT_BYTES as u64 + 100, "{bytes} bytes");
    store.close().expect("closes");
    assert!(!dir.path().join("store.db-log").exists());
}

/// One step in a store's life.
#[derive(Clone, Debug)]
enum Step {
    /// A commit; the last number is how large its values are.
    Commit(Vec<(Table, u8, Option<usize>)>),
    /// Killed and started again.
    Killed,
    /// Stopped in order and started again.
    Stopped,
    Scrub,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let table = prop_oneof![Just(Table::Local), Just(Table::Tail), Just(Table::View)];
    let size = prop_oneof![4 => 0usize..300, 1 => Just(JOURNAL_COMMIT_BYTES / 2), 1 => Just(JOURNAL_COMMIT_BYTES)];
    let write = (table, 0u8..12, proptest::option::weighted(0.7, size));
    let step = prop_oneof![
        8 => proptest::collection::vec(write, 1..5).prop_map(Step::Commit),
        2 => Just(Step::Killed),
        1 => Just(Step::Stopped),
        1 => Just(Step::Scrub),
    ];
    proptest::collection::vec(step, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn reads_alike_from_file_and_journal_whatever_happens(steps in steps()) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("store.db");
        let mut store = SqliteStore::create(&path, &key()).expect("a store");
        let mut memory = MemoryStore::default();
        for (at, step) in steps.into_iter().enumerate() {
            match step {
                Step::Commit(rows) => {
                    let value = |size: usize| vec![u8::try_from(at).unwrap_or(0); size];
                    let writes: Writes = rows.into_iter().map(|(table, key, size)| ((table, vec![key]), size.map(value))).collect();
                    store.commit(&writes).expect("commits");
                    memory.commit(&writes).expect("memory never fails");
                }
                Step::Scrub => store.scrub().expect("scrubs"),
                Step::Killed => {
                    drop(store);
                    store = SqliteStore::open(&path, &key()).expect("opens");
                }
                Step::Stopped => {
                    store.close().expect("closes");
                    store = SqliteStore::open(&path, &key()).expect("opens");
                }
            }
            let mut reader = store.reader(&key()).expect("a reader");
            for table in [Table::Tail, Table::View] {
                let all = memory.scan(table, b"", b"", 99);
                prop_assert_eq!(&store.scan(table, b"", b"", 99), &all);
                prop_assert_eq!(&reader.snapshot(|read| read.scan(table, b"", b"", 99)), &all);
            }
        }
    }
}
