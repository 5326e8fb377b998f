//! What the core asks of a store: ordered tables of bytes, read at any time, written in one atomic, durable commit.
//!
//! SQLite in the daemon, a `BTreeMap` with a journal in the simulator, [`MemoryStore`] in unit tests.

mod overlay;

use crate::limits::PAGE_ROWS;

use std::collections::BTreeMap;
use std::ops::Bound;

pub use overlay::Overlay;

/// The tables. Each names the room of the core that writes it; `Local` is of several, which keep to their own keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// `circle`: a row per circle: its genesis, this member's device keys in it, its status here.
    Circle,
    /// `circle`: acts as received, by circle and id.
    Act,
    /// `log`: chains: their heads and counters.
    Chain,
    /// `log`: sealed blocks, by chain and first sequence number.
    Block,
    /// `log`: single sealed entries, by chain and sequence number.
    Tail,
    /// `circle`: what membership means now, for lists: people, circles, invites; derived.
    Member,
    /// `circle`: epoch keys held.
    Epoch,
    /// `circle`: records (names, presence), by circle and device.
    Record,
    /// `item`: items, by [`crate::id::ItemKey`].
    Item,
    /// `item`: list order; derived.
    View,
    /// `item`: words of an item for full-text search, by a number (8 bytes, big-endian) and item key; derived. Values are
    /// UTF-8 text, which cannot be read back.
    Search,
    /// `peer`: work that must outlive a crash: joins under way and requests that wait.
    Outbox,
    /// What only this machine knows: `node` keeps the usual name and drafts, `circle` what was seen of its people and rules, `peer`
    /// addresses and tickets, `sync` delivery, cuts, clocks and what is to be destroyed, `item` marks, counters, imports and
    /// what is over.
    Local,
    /// `item`: what items of several entries say, and their entries' edits, by item key; derived.
    Built,
}

impl Table {
    /// Every table. Their order is part of what the daemon writes to disk: new ones come last.
    pub const ALL: [Self; 14] = [
        Self::Circle,
        Self::Act,
        Self::Chain,
        Self::Block,
        Self::Tail,
        Self::Member,
        Self::Epoch,
        Self::Record,
        Self::Item,
        Self::View,
        Self::Search,
        Self::Outbox,
        Self::Local,
        Self::Built,
    ];
}

/// A store that cannot go on as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No room left; nothing of the commit was written.
    #[error("the disk is full")]
    Full,
    /// Bytes in the store are not what was written.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// The disk or the operating system refused.
    #[error("the store failed: {0}")]
    Io(String),
}

/// Rows in key order.
pub type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// Reading. A reader sees its store's last commit, or a snapshot of it.
pub trait Read {
    /// The value under a key.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` rows whose keys start with `prefix` and are greater than `after` (which is a whole key; empty: from
    /// the prefix's start), ascending.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    fn scan(&self, table: Table, prefix: &[u8], after: &[u8], limit: usize) -> Result<Rows, StoreError>;

    /// At most `limit` rows whose keys start with `prefix` and are less than `before` (empty: from the prefix's end), descending.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    fn scan_back(&self, table: Table, prefix: &[u8], before: &[u8], limit: usize) -> Result<Rows, StoreError>;

    /// Keys of [`Table::Search`] whose text has words that begin with one of the spellings of each term, greatest first, at most
    /// `limit`. Text and terms are as `item::words` makes them: no letter of them means anything but itself.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    fn search(&self, terms: &[Vec<String>], limit: usize) -> Result<Vec<Vec<u8>>, StoreError>;
}

/// All rows whose keys start with `prefix`, ascending, however many there are: what must never be cut off at a number is read by
/// this, page by page.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn all(read: &dyn Read, table: Table, prefix: &[u8]) -> Result<Rows, StoreError> {
    let mut rows = Rows::new();
    loop {
        let after = rows.last().map_or(&[][..], |(key, _)| key);
        let page = read.scan(table, prefix, after, PAGE_ROWS)?;
        let full = page.len() == PAGE_ROWS;
        rows.extend(page);
        if !full {
            return Ok(rows);
        }
    }
}

/// Puts (`Some`) and deletes (`None`), ordered by table and key.
pub type Writes = BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>;

/// Reading and one atomic, durable commit.
pub trait Store: Read {
    /// All of the writes or none; durable when it returns.
    ///
    /// # Errors
    /// [`StoreError`] where nothing was written.
    fn commit(&mut self, writes: &Writes) -> Result<(), StoreError>;
}

/// A store in memory, for tests and the simulator's base.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    rows: BTreeMap<(Table, Vec<u8>), Vec<u8>>,
}

impl MemoryStore {
    fn all(&self, table: Table) -> impl Iterator<Item = (&Vec<u8>, &Vec<u8>)> {
        self.rows.range((table, Vec::new())..).take_while(move |((t, _), _)| *t == table).map(|((_, key), value)| (key, value))
    }
}

/// Where a scan up begins: behind `after`, at the prefix's start if that is later.
fn forward(table: Table, prefix: &[u8], after: &[u8]) -> Bound<(Table, Vec<u8>)> {
    let from = if after.is_empty() || after < prefix { Bound::Included(prefix) } else { Bound::Excluded(after) };
    from.map(|key| (table, key.to_vec()))
}

/// Where a scan down begins: in front of `before`, at the prefix's end if that is earlier.
fn backward(table: Table, prefix: &[u8], before: &[u8]) -> Bound<(Table, Vec<u8>)> {
    let inside = !before.is_empty() && (before < prefix || before.starts_with(prefix));
    if inside { Bound::Excluded((table, before.to_vec())) } else { end_of(table, prefix) }
}

/// Just beyond the last key of a table that starts with a prefix.
fn end_of(table: Table, prefix: &[u8]) -> Bound<(Table, Vec<u8>)> {
    let mut next = prefix.to_vec();
    while let Some(last) = next.pop() {
        if last < u8::MAX {
            next.push(last + 1);
            return Bound::Excluded((table, next));
        }
    }
    Table::ALL.into_iter().find(|other| *other > table).map_or(Bound::Unbounded, |other| Bound::Excluded((other, Vec::new())))
}

impl Read for MemoryStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.rows.get(&(table, key.to_vec())).cloned())
    }

    fn scan(&self, table: Table, prefix: &[u8], after: &[u8], limit: usize) -> Result<Rows, StoreError> {
        let rows = self.rows.range((forward(table, prefix, after), Bound::Unbounded));
        let rows = rows.take_while(|((t, key), _)| *t == table && key.starts_with(prefix)).take(limit);
        Ok(rows.map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    fn scan_back(&self, table: Table, prefix: &[u8], before: &[u8], limit: usize) -> Result<Rows, StoreError> {
        let rows = self.rows.range((Bound::Unbounded, backward(table, prefix, before))).rev();
        let rows = rows.take_while(|((t, key), _)| *t == table && key.starts_with(prefix)).take(limit);
        Ok(rows.map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    fn search(&self, terms: &[Vec<String>], limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let hit = |text: &[u8]| {
            let text = String::from_utf8_lossy(text);
            let begins = |spelling: &String| text.split(' ').any(|word| word.starts_with(spelling.as_str()));
            terms.iter().all(|spellings| spellings.iter().any(begins))
        };
        let found: Vec<&Vec<u8>> = self.all(Table::Search).filter(|(_, text)| hit(text)).map(|(key, _)| key).collect();
        Ok(found.into_iter().rev().take(limit).cloned().collect())
    }
}

impl Store for MemoryStore {
    fn commit(&mut self, writes: &Writes) -> Result<(), StoreError> {
        for ((table, key), value) in writes {
            match value {
                Some(value) => self.rows.insert((*table, key.clone()), value.clone()),
                None => self.rows.remove(&(*table, key.clone())),
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> MemoryStore {
        let mut store = MemoryStore::default();
        let writes = [b"a1", b"a2", b"a3", b"b1"].map(|key| ((Table::Local, key.to_vec()), Some(key.to_vec())));
        store.commit(&writes.into_iter().collect()).expect("memory never fails");
        store
    }

    #[test]
    fn scans_both_ways_within_a_prefix() {
        let store = filled();
        let keys = |rows: Rows| rows.into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(keys(store.scan(Table::Local, b"a", b"a1", 9).expect("reads")), [b"a2", b"a3"]);
        assert_eq!(keys(store.scan_back(Table::Local, b"a", b"", 2).expect("reads")), [b"a3", b"a2"]);
        assert_eq!(keys(store.scan_back(Table::Local, b"a", b"a3", 9).expect("reads")), [b"a2", b"a1"]);
        assert_eq!(keys(store.scan_back(Table::Local, b"", b"", 1).expect("reads")), [b"b1"]);
        assert!(store.scan(Table::Act, b"", b"", 9).expect("reads").is_empty());
        assert!(store.scan_back(Table::Act, b"", b"", 9).expect("reads").is_empty());
    }

    #[test]
    fn all_rows_are_all_however_many() {
        for count in [0, 1, PAGE_ROWS - 1, PAGE_ROWS, PAGE_ROWS + 1, 2 * PAGE_ROWS, 9 * PAGE_ROWS + 7] {
            let mut store = filled();
            let key = |n: usize| [b"c".as_slice(), &n.to_be_bytes()].concat();
            let writes = (0..count).map(|n| ((Table::Local, key(n)), Some(Vec::new())));
            store.commit(&writes.collect()).expect("memory never fails");
            let read: Vec<Vec<u8>> = all(&store, Table::Local, b"c").expect("reads").into_iter().map(|(key, _)| key).collect();
            assert_eq!(read, (0..count).map(key).collect::<Vec<_>>());
        }
    }
}
