//! A machine's disk: what is durable, what is only on its way, and how it fails.
//!
//! A commit is a checksummed record appended to a journal and then synced, as every real store does it. A crash while it is on its
//! way leaves no record, a torn one or a whole one that nobody heard of; opening replays the whole ones and drops the rest.
//! The real store is SQLite with a write-ahead log and `synchronous=FULL`, and a journal of small commits in front of it: each
//! commit is framed with checksums and `fdatasync`ed before it returns. So a commit that returned survives a loss of power, and one that did not return may be there whole or not
//! at all (its un-synced tail lost, or torn in the middle, which the checksum shows). The store contract promises that and no
//! more, and nothing weaker is modelled: a disk that lies about `fdatasync` is outside of what Kith promises.

use kith_protocol::store::{MemoryStore, Read, Rows, Store, StoreError, Table, Writes};
use serde::{Deserialize, Serialize};

/// What a crash in the middle of a commit leaves of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Torn {
    /// Nothing reached the disk.
    Lost,
    /// A part did.
    Half,
    /// All did, but nobody was told.
    Whole,
}

/// The disk.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    durable: MemoryStore,
    full: bool,
    crash: Option<Torn>,
    /// How often what is durable changed.
    pub version: u64,
    /// How often what people look at may have changed with it: rows that are more than a machine's own marks and its word index.
    pub seen: u64,
    /// How often circles and their people may have changed with it.
    pub people: u64,
}

impl Disk {
    /// From now on every commit that writes something fails, or no longer.
    pub fn set_full(&mut self, full: bool) {
        self.full = full;
    }

    /// The next commit does not return: power fails in it.
    pub fn crash_in_next_commit(&mut self, torn: Torn) {
        self.crash = Some(torn);
    }

    /// Is power about to fail in the next commit?
    #[must_use]
    pub const fn crashes_next(&self) -> bool {
        self.crash.is_some()
    }

    /// Power is back: nothing is planned any more.
    pub fn recovered(&mut self) {
        self.crash = None;
    }
}

impl Read for Disk {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.durable.get(table, key)
    }

    fn scan(&self, table: Table, prefix: &[u8], after: &[u8], limit: usize) -> Result<Rows, StoreError> {
        self.durable.scan(table, prefix, after, limit)
    }

    fn scan_back(&self, table: Table, prefix: &[u8], before: &[u8], limit: usize) -> Result<Rows, StoreError> {
        self.durable.scan_back(table, prefix, before, limit)
    }

    fn search(&self, terms: &[Vec<String>], limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.durable.search(terms, limit)
    }
}

impl Store for Disk {
    fn commit(&mut self, writes: &Writes) -> Result<(), StoreError> {
        if self.full && !writes.is_empty() {
            return Err(StoreError::Full);
        }
        self.version += 1;
        let (mut seen, mut people) = (false, false);
        for (table, _) in writes.keys() {
            seen |= !matches!(table, Table::Local | Table::Search);
            people |= matches!(table, Table::Circle | Table::Act | Table::Epoch | Table::Record | Table::Member | Table::Outbox);
        }
        (self.seen, self.people) = (self.seen + u64::from(seen), self.people + u64::from(people));
        let Some(torn) = self.crash.take() else { return self.durable.commit(writes) };
        let mut record = journal(writes);
        match torn {
            Torn::Lost => record.clear(),
            Torn::Half => record.truncate(record.len() / 2),
            Torn::Whole => {}
        }
        if let Some(writes) = replay(&record) {
            self.durable.commit(&writes)?;
        }
        Err(StoreError::Io("power failed".to_owned()))
    }
}

const SUM: usize = 32;

fn journal(writes: &Writes) -> Vec<u8> {
    let mut body = Vec::new();
    let mut bytes = |part: &[u8]| {
        body.extend((part.len() as u64).to_le_bytes());
        body.extend(part);
    };
    for ((table, key), value) in writes {
        let number = Table::ALL.iter().position(|t| t == table).and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX);
        bytes(&[number]);
        bytes(key);
        bytes(&[u8::from(value.is_some())]);
        bytes(value.as_deref().unwrap_or_default());
    }
    let mut record = blake3::hash(&body).as_bytes().to_vec();
    record.extend(body);
    record
}

/// The writes of a whole record; nothing of a torn one.
fn replay(record: &[u8]) -> Option<Writes> {
    let (sum, mut body) = record.split_at_checked(SUM)?;
    if blake3::hash(body).as_bytes() != sum {
        return None;
    }
    let mut writes = Writes::new();
    while !body.is_empty() {
        let table = *Table::ALL.get(usize::from(*part(&mut body)?.first()?))?;
        let key = part(&mut body)?.to_vec();
        let there = part(&mut body)? == [1];
        let value = part(&mut body)?.to_vec();
        writes.insert((table, key), there.then_some(value));
    }
    Some(writes)
}

fn part<'a>(body: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, rest) = body.split_first_chunk::<8>()?;
    let (part, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)?;
    *body = rest;
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(key: &[u8]) -> Writes {
        [((Table::Local, key.to_vec()), Some(b"value".to_vec())), ((Table::Act, key.to_vec()), None)].into_iter().collect()
    }

    #[test]
    fn a_torn_commit_leaves_all_or_nothing() {
        for (torn, kept) in [(Torn::Lost, false), (Torn::Half, false), (Torn::Whole, true)] {
            let mut disk = Disk::default();
            disk.commit(&write(b"first")).expect("nothing planned");
            disk.crash_in_next_commit(torn);
            assert!(disk.commit(&write(b"second")).is_err());
            assert!(disk.get(Table::Local, b"first").expect("reads").is_some());
            assert_eq!(disk.get(Table::Local, b"second").expect("reads").is_some(), kept, "{torn:?}");
        }
    }

    #[test]
    fn a_full_disk_refuses_whole_commits() {
        let mut disk = Disk::default();
        disk.set_full(true);
        assert_eq!(disk.commit(&write(b"a")), Err(StoreError::Full));
        disk.set_full(false);
        disk.commit(&write(b"a")).expect("room again");
    }
}
