//! Drafts: what one input wants written and done, on top of what earlier inputs of the same commit want.
//!
//! An input that is refused drops its own draft only. Nothing is carried out before the batch is durable.

use crate::io::Effect;
use crate::limits::PAGE_ROWS;
use crate::planted::{Bug, planted};
use crate::store::{Overlay, Read, Rows, StoreError, Table, Writes};

/// A group of inputs that share one commit.
#[derive(Debug, Default)]
pub struct Turn {
    /// To be committed at once.
    pub writes: Writes,
    /// To be carried out once the commit is durable, in order but for replies, which may come last.
    pub effects: Vec<Effect>,
    /// What the inputs of this turn have cost so far.
    pub spent: Spent,
}

/// What putting items together has cost in a turn: all inputs that share a commit share this, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Items of several entries that were put together.
    pub builds: usize,
    /// What they weigh, see [`crate::limits::TURN_WEIGHT`].
    pub weight: u64,
    /// Stretches of the log that entries were copied from, see [`crate::limits::TURN_STRETCHES`].
    pub stretches: usize,
    /// Entries of items that are destroyed, see [`crate::limits::TURN_DESTROYED`].
    pub destroyed: usize,
}

impl Turn {
    /// Nothing to write and nothing to do?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.effects.is_empty()
    }
}

impl Spent {
    /// Counts what was spent elsewhere, too.
    pub(crate) const fn add(&mut self, other: Self) {
        self.builds += other.builds;
        self.weight = self.weight.saturating_add(other.weight);
        self.stretches += other.stretches;
        self.destroyed += other.destroyed;
    }
}

/// One input's view: its draft over the batch over the store.
pub struct Tx<'a> {
    base: &'a dyn Read,
    batch: &'a Writes,
    writes: Writes,
    effects: Vec<Effect>,
    spent: Spent,
}

impl std::fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx").field("writes", &self.writes.len()).field("effects", &self.effects.len()).finish()
    }
}

impl<'a> Tx<'a> {
    /// An empty draft.
    #[must_use]
    pub fn new(base: &'a dyn Read, batch: &'a Turn) -> Self {
        Self { base, batch: &batch.writes, writes: Writes::new(), effects: Vec::new(), spent: batch.spent }
    }

    /// Writes a row.
    pub fn put(&mut self, table: Table, key: &[u8], value: Vec<u8>) {
        self.writes.insert((table, key.to_vec()), Some(value));
    }

    /// Deletes a row, if it is there.
    pub fn delete(&mut self, table: Table, key: &[u8]) {
        self.writes.insert((table, key.to_vec()), None);
    }

    /// Deletes every row of a table that begins so.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub fn delete_all(&mut self, table: Table, prefix: &[u8]) -> Result<(), StoreError> {
        loop {
            let rows = self.scan(table, prefix, &[], PAGE_ROWS)?;
            rows.iter().for_each(|(key, _)| self.delete(table, key));
            if rows.len() < PAGE_ROWS {
                return Ok(());
            }
        }
    }

    /// Has it done once the commit is durable.
    pub fn then(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// What this turn has cost so far.
    #[must_use]
    pub const fn spent(&self) -> Spent {
        self.spent
    }

    /// Counts what something costs.
    pub(crate) const fn spend(&mut self) -> &mut Spent {
        &mut self.spent
    }

    /// Ends the draft: what [`Finished::join`] adds to the batch, or what is dropped.
    pub fn finish(self) -> Finished {
        Finished { writes: self.writes, effects: self.effects, spent: self.spent }
    }

    fn read<T>(&self, read: impl FnOnce(&dyn Read) -> T) -> T {
        let batch = Overlay::new(self.base, self.batch);
        read(&Overlay::new(&batch, &self.writes))
    }
}

impl Read for Tx<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|read| read.get(table, key))
    }

    fn scan(&self, table: Table, prefix: &[u8], after: &[u8], limit: usize) -> Result<Rows, StoreError> {
        self.read(|read| read.scan(table, prefix, after, limit))
    }

    fn scan_back(&self, table: Table, prefix: &[u8], before: &[u8], limit: usize) -> Result<Rows, StoreError> {
        self.read(|read| read.scan_back(table, prefix, before, limit))
    }

    fn search(&self, terms: &[Vec<String>], limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.read(|read| read.search(terms, limit))
    }
}

/// A finished draft.
#[derive(Debug)]
#[must_use = "a draft is only kept once it joined a batch"]
pub struct Finished {
    writes: Writes,
    effects: Vec<Effect>,
    spent: Spent,
}

impl Finished {
    /// Adds the draft to a batch.
    pub fn join(self, batch: &mut Turn) {
        batch.writes.extend(self.writes.into_iter().filter(|(_, value)| value.is_some() || !planted(Bug::LostDeletes)));
        batch.effects.extend(self.effects);
        batch.spent = self.spent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{MemoryStore, Store};

    #[test]
    fn a_draft_reads_over_its_batch_and_its_store() {
        let mut store = MemoryStore::default();
        let put = |key: &[u8]| ((Table::Local, key.to_vec()), Some(key.to_vec()));
        store.commit(&[put(b"a"), put(b"b"), put(b"c")].into_iter().collect()).expect("memory never fails");
        let mut batch = Turn::default();
        let mut tx = Tx::new(&store, &batch);
        tx.delete(Table::Local, b"a");
        tx.finish().join(&mut batch);
        let mut tx = Tx::new(&store, &batch);
        tx.put(Table::Local, b"bb", b"new".to_vec());
        tx.delete(Table::Local, b"c");
        let keys = |rows: Rows| rows.into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(keys(tx.scan(Table::Local, b"", b"", 9).expect("reads")), [b"b".to_vec(), b"bb".to_vec()]);
        assert_eq!(keys(tx.scan_back(Table::Local, b"", b"", 1).expect("reads")), [b"bb".to_vec()]);
        assert_eq!(tx.get(Table::Local, b"a").expect("reads"), None);
    }
}
