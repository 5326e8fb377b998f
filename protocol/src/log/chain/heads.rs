//! How far each chain of a circle is known here, kept in memory: what [`super::chains`] reads, without reading it again.
//!
//! Heads change only where entries are written or received; anyone who does that calls [`Heads::update`] afterward, in the same
//! input. If the input is refused, [`Heads::undo`] takes back what it changed. Must never say anything that the store does not.

use std::collections::BTreeMap;

use super::{ChainHead, branches, chains};
use crate::circle::body::ChainId;
use crate::id::CircleId;
use crate::store::{Read, StoreError};

/// A chain's branch: the chain, and the branch's number on this machine.
type Key = (ChainId, u32);

/// One branch, and when it changed last.
#[derive(Clone, Debug)]
struct Kept {
    head: ChainHead,
    mark: u64,
}

/// All chains of a circle, each branch by itself.
#[derive(Debug, Default)]
pub struct Heads {
    all: BTreeMap<Key, Kept>,
    /// Branches in the order of their last change.
    changed: BTreeMap<u64, Key>,
    /// The last change. Marks only grow, also when a change is taken back.
    last: u64,
    /// What the input at hand changed, as it was before, in the order of the changes.
    before: Vec<(Key, Option<ChainHead>)>,
}

impl Heads {
    /// Of a circle without chains.
    #[must_use]
    pub const fn none() -> Self {
        Self { all: BTreeMap::new(), changed: BTreeMap::new(), last: 0, before: Vec::new() }
    }

    /// Reads them all from the store.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails or is damaged.
    pub fn load(read: &dyn Read, circle: &CircleId) -> Result<Self, StoreError> {
        let mut heads = Self::default();
        chains(read, circle)?.into_iter().for_each(|head| heads.put(head));
        heads.keep();
        Ok(heads)
    }

    /// Reads one chain's branches again: entries were written or received there.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails or is damaged.
    pub fn update(&mut self, read: &dyn Read, circle: &CircleId, chain: &ChainId) -> Result<(), StoreError> {
        branches(read, circle, chain)?.into_iter().for_each(|head| self.put(head));
        Ok(())
    }

    fn put(&mut self, head: ChainHead) {
        let key = (head.id, head.no);
        let before = self.all.get(&key).map(|kept| kept.head.clone());
        if before.as_ref() != Some(&head) {
            self.before.push((key, before));
            self.set(key, Some(head));
        }
    }

    fn set(&mut self, key: Key, head: Option<ChainHead>) {
        if let Some(old) = self.all.remove(&key) {
            self.changed.remove(&old.mark);
        }
        if let Some(head) = head {
            self.last += 1;
            self.changed.insert(self.last, key);
            self.all.insert(key, Kept { head, mark: self.last });
        }
    }

    /// The input at hand was kept.
    pub fn keep(&mut self) {
        self.before.clear();
    }

    /// The input at hand was refused: everything is as it was before it.
    pub(crate) fn undo(&mut self) {
        while let Some((key, before)) = self.before.pop() {
            self.set(key, before);
        }
    }

    /// All of them, in the order of [`super::chains`].
    pub fn all(&self) -> impl Iterator<Item = &ChainHead> {
        self.all.values().map(|kept| &kept.head)
    }

    /// One chain's branches, by number.
    pub fn branches(&self, chain: &ChainId) -> impl Iterator<Item = &ChainHead> {
        self.all.range((*chain, 0)..=(*chain, u32::MAX)).map(|(_, kept)| &kept.head)
    }

    /// The branch of a chain that the others parted from.
    #[must_use]
    pub fn main(&self, chain: &ChainId) -> Option<&ChainHead> {
        self.branches(chain).find(|head| head.parent.is_none())
    }

    /// Names the state of this moment, for [`Self::since`].
    #[must_use]
    pub const fn mark(&self) -> u64 {
        self.last
    }

    /// The chains that changed after a mark.
    pub fn since(&self, mark: u64) -> impl Iterator<Item = ChainId> {
        self.changed.range(mark.saturating_add(1)..).map(|(_, (chain, _))| *chain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circle::body::KeyClass;
    use crate::id::{DeviceId, EntryId, Incarnation};

    fn chain(number: u8) -> ChainId {
        ChainId { device: DeviceId([number; 32]), incarnation: Incarnation([0; 16]), class: KeyClass::Talk }
    }

    fn head(number: u8, no: u32, seq: u64) -> ChainHead {
        let head = EntryId([u8::try_from(seq).expect("small"); 32]);
        ChainHead { id: chain(number), no, first: 1, seq, head, parent: (no > 9).then_some(1), missing: Vec::new() }
    }

    fn seqs(heads: &Heads) -> Vec<(u32, u64)> {
        heads.all().map(|head| (head.no, head.seq)).collect()
    }

    #[test]
    fn a_refused_input_leaves_no_trace() {
        let mut heads = Heads::default();
        heads.put(head(1, 1, 4));
        heads.keep();
        let mark = heads.mark();
        for seq in 5..8 {
            heads.put(head(1, 1, seq));
        }
        heads.put(head(2, 2, 1));
        heads.put(head(1, 10, 3));
        assert_eq!(seqs(&heads), [(1, 7), (10, 3), (2, 1)]);
        assert_eq!(heads.main(&chain(1)).map(|head| head.no), Some(1));
        assert_eq!(heads.branches(&chain(1)).count(), 2);
        heads.undo();
        assert_eq!(seqs(&heads), [(1, 4)]);
        // Anyone who looked meanwhile looks again.
        assert_eq!(heads.since(mark).collect::<Vec<_>>(), [chain(1)]);
        heads.undo();
        assert_eq!(seqs(&heads), [(1, 4)], "what was kept is not taken back");
    }

    #[test]
    fn only_what_changed_is_new() {
        let mut heads = Heads::default();
        (1..=4).for_each(|number| heads.put(head(number, u32::from(number), 1)));
        let mark = heads.mark();
        assert_eq!(heads.since(0).count(), 4);
        assert_eq!(heads.since(mark).count(), 0);
        heads.put(head(3, 3, 1));
        assert_eq!(heads.since(mark).count(), 0, "the same again is no change");
        heads.put(head(3, 3, 2));
        heads.put(head(3, 3, 3));
        assert_eq!(heads.since(mark).collect::<Vec<_>>(), [chain(3)]);
        assert_eq!(heads.since(heads.mark()).count(), 0);
    }
}
