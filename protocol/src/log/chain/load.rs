//! Reading single entries back.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use super::find::{Place, piece_of};
use crate::circle::epoch::KeyRing;
use crate::log::LogError;
use crate::log::entry::{EntryAt, Opened};
use crate::log::rows;
use crate::store::{Read, StoreError};

/// Opened blocks that a [`Reader`] keeps, at most so many.
const KEPT: usize = 8;

/// Reads entries; keeps the blocks it opened last, because entries are mostly asked for in order. Good for one question to the
/// store: it does not see what is written meanwhile.
pub struct Reader<'a> {
    read: &'a dyn Read,
    ring: &'a dyn KeyRing,
    kept: RefCell<VecDeque<(EntryAt, BTreeMap<u64, Opened>)>>,
}

impl std::fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("kept", &self.kept.borrow().len()).finish_non_exhaustive()
    }
}

impl<'a> Reader<'a> {
    /// A reader of one circle's entries.
    #[must_use]
    pub fn new(read: &'a dyn Read, ring: &'a dyn KeyRing) -> Self {
        Self { read, ring, kept: RefCell::default() }
    }

    /// An entry; `None` where it is not here, or the key of its epoch is not held.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails or is damaged.
    pub fn load(&self, at: EntryAt) -> Result<Option<Opened>, StoreError> {
        let holds =
            |(start, entries): &&(EntryAt, BTreeMap<u64, Opened>)| start.chain == at.chain && entries.contains_key(&at.seq);
        if let Some((_, entries)) = self.kept.borrow().iter().find(holds) {
            return Ok(entries.get(&at.seq).cloned());
        }
        let Some((circle, chain)) = rows::named(self.read, at.chain)? else { return Ok(None) };
        let Some(row) = rows::get_chain(self.read, &circle, &chain, at.chain)? else { return Ok(None) };
        let place = Place { circle, chain, number: at.chain };
        let piece = match piece_of(self.read, self.ring, &place, &row, at.seq) {
            Ok(Some(piece)) => piece,
            Ok(None) | Err(LogError::NoKey(_)) => return Ok(None),
            Err(LogError::Store(error)) => return Err(error),
            Err(error) => return Err(StoreError::Corrupt(format!("stored entries: {error}"))),
        };
        let start = EntryAt { chain: at.chain, seq: piece.head.first };
        let entries: BTreeMap<u64, Opened> =
            piece.into_opened(&circle, at.chain).into_iter().map(|opened| (opened.at.seq, opened)).collect();
        let found = entries.get(&at.seq).cloned();
        let mut kept = self.kept.borrow_mut();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((start, entries));
        Ok(found)
    }
}

/// One entry; `None` where it is not here, or the key of its epoch is not held. For several use [`load_many`] or a [`Reader`]:
/// a block is opened as a whole.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub fn load(read: &dyn Read, ring: &dyn KeyRing, at: EntryAt) -> Result<Option<Opened>, StoreError> {
    Reader::new(read, ring).load(at)
}

/// Several entries, in the order asked for; those that are not here are left out.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub fn load_many(read: &dyn Read, ring: &dyn KeyRing, at: &[EntryAt]) -> Result<Vec<Opened>, StoreError> {
    let reader = Reader::new(read, ring);
    let mut sorted = at.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut found = BTreeMap::new();
    for at in sorted {
        if let Some(opened) = reader.load(at)? {
            found.insert(at, opened);
        }
    }
    Ok(at.iter().filter_map(|at| found.get(at).cloned()).collect())
}
