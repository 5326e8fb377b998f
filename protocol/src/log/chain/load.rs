//! Reading single entries back.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use super::find::{AtHand, ChainRef, at_hand, id_at, open_block, open_tail, open_tail_part, piece_of};
use crate::budget::Budget;
use crate::circle::epoch::KeyRing;
use crate::id::EntryId;
use crate::limits::OPEN_BLOCKS;
use crate::log::LogError;
use crate::log::entry::{EntryAt, Opened};
use crate::log::rows::{self, BlockRow, ChainRow};
use crate::store::{Read, StoreError};

/// Reads entries, best in order: keeps the blocks it opened last. Good for one question to the
/// store: it does not see what is written meanwhile.
pub struct ChainReader<'a> {
    read: &'a dyn Read,
    ring: &'a dyn KeyRing,
    opener: Opener,
}

impl std::fmt::Debug for ChainReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChainReader").field("opener", &self.opener).finish_non_exhaustive()
    }
}

impl<'a> ChainReader<'a> {
    /// A reader of one circle's entries.
    #[must_use]
    pub fn new(read: &'a dyn Read, ring: &'a dyn KeyRing) -> Self {
        Self { read, ring, opener: Opener::default() }
    }

    /// An entry; `None` where it is not here, or the key of its epoch is not held.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails or is damaged.
    pub fn load(&self, at: EntryAt) -> Result<Option<Opened>, StoreError> {
        self.opener.load(self.read, self.ring, at)
    }
}

/// Blocks that were opened last, for anyone who reads from a store that does not change under the entries asked for.
#[derive(Default)]
pub struct Opener {
    kept: RefCell<VecDeque<(EntryAt, BTreeMap<u64, Opened>)>>,
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opener").field("kept", &self.kept.borrow().len()).finish_non_exhaustive()
    }
}

impl Opener {
    /// An entry; `None` where it is not here, or the key of its epoch is not held.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails or is damaged.
    pub fn load(&self, read: &dyn Read, ring: &dyn KeyRing, at: EntryAt) -> Result<Option<Opened>, StoreError> {
        let holds =
            |(start, entries): &&(EntryAt, BTreeMap<u64, Opened>)| start.chain == at.chain && entries.contains_key(&at.seq);
        if let Some((_, entries)) = self.kept.borrow().iter().find(holds) {
            return Ok(entries.get(&at.seq).cloned());
        }
        let Some((place, row)) = chain_of(read, at.chain)? else { return Ok(None) };
        // A tail's entries stand each by itself: those before this one were not asked for.
        let piece = if (row.tail..=row.seq).contains(&at.seq) {
            open_tail(read, ring, &place, &row, at.seq)
        } else {
            piece_of(read, ring, &place, &row, at.seq)
        };
        let Some(piece) = stored(piece)? else { return Ok(None) };
        let start = EntryAt { chain: at.chain, seq: piece.head.first };
        let entries: BTreeMap<u64, Opened> =
            piece.into_opened(&place.circle, at.chain).into_iter().map(|opened| (opened.at.seq, opened)).collect();
        let found = entries.get(&at.seq).cloned();
        let mut kept = self.kept.borrow_mut();
        if kept.len() == OPEN_BLOCKS {
            kept.pop_front();
        }
        kept.push_back((start, entries));
        Ok(found)
    }

    /// Several entries, in the order asked for; those that are not here are left out.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails or is damaged.
    pub fn load_many(&self, read: &dyn Read, ring: &dyn KeyRing, at: &[EntryAt]) -> Result<Vec<Opened>, StoreError> {
        let mut sorted = at.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let mut found = BTreeMap::new();
        for at in sorted {
            if let Some(opened) = self.load(read, ring, at)? {
                found.insert(at, opened);
            }
        }
        Ok(at.iter().filter_map(|at| found.get(at).cloned()).collect())
    }
}

/// One entry; `None` where it is not here, or the key of its epoch is not held. For several use [`load_many`] or a
/// [`ChainReader`]: a block is opened as a whole.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub fn load(read: &dyn Read, ring: &dyn KeyRing, at: EntryAt) -> Result<Option<Opened>, StoreError> {
    let Some((place, row)) = chain_of(read, at.chain)? else { return Ok(None) };
    if at.seq < row.tail || at.seq > row.seq {
        return ChainReader::new(read, ring).load(at);
    }
    let piece = stored(open_tail_part(read, ring, &place, &row, at.seq..at.seq + 1))?;
    Ok(piece.and_then(|piece| piece.into_opened(&place.circle, at.chain).pop()))
}

/// The id of an entry, without opening more than needed; `None` where it is not known here.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub fn id_of(read: &dyn Read, ring: &dyn KeyRing, at: EntryAt) -> Result<Option<EntryId>, StoreError> {
    let Some((place, row)) = chain_of(read, at.chain)? else { return Ok(None) };
    stored(id_at(read, ring, &place, &row, at.seq))
}

/// What became of comparing ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// One of them is what stands at its place here, or may be: its place is not known here.
    Alike,
    /// Other entries stand at all of these places.
    Other,
    /// The budget is spent, and these are still to be compared.
    Later(Vec<(u64, EntryId)>),
}

/// Does any of these entries stand at its place (sequence number and id) on the branch with this number? Opens a block once
/// for all that name a place in it, and none where ends of blocks tell.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub fn compare(
    read: &dyn Read,
    ring: &dyn KeyRing,
    branch: u32,
    claims: &[(u64, EntryId)],
    budget: &mut Budget,
) -> Result<Compared, StoreError> {
    let Some((place, row)) = chain_of(read, branch)? else { return Ok(Compared::Alike) };
    let mut inside: BTreeMap<EntryId, (BlockRow, Vec<(u64, EntryId)>)> = BTreeMap::new();
    for (seq, id) in claims {
        match at_hand(read, &place, &row, *seq).map_err(damaged)? {
            AtHand::Known(here) if here != *id => {}
            AtHand::Known(_) | AtHand::Unknown => return Ok(Compared::Alike),
            AtHand::Inside(block) => inside.entry(block.last).or_insert_with(|| (block, Vec::new())).1.push((*seq, *id)),
        }
    }
    let mut inside: VecDeque<_> = inside.into_values().collect();
    while let Some((block, claims)) = inside.pop_front() {
        if !budget.block() {
            return Ok(Compared::Later(claims.into_iter().chain(inside.into_iter().flat_map(|(_, claims)| claims)).collect()));
        }
        let Some(piece) = stored(open_block(ring, &place, &block).map(Some))? else { return Ok(Compared::Alike) };
        if claims.iter().any(|(seq, id)| piece.id_at(*seq) == Some(*id)) {
            return Ok(Compared::Alike);
        }
    }
    Ok(Compared::Other)
}

pub(super) fn chain_of(read: &dyn Read, number: u32) -> Result<Option<(ChainRef, ChainRow)>, StoreError> {
    let Some((circle, chain)) = rows::named(read, number)? else { return Ok(None) };
    let row = rows::get_chain(read, &circle, &chain, number)?;
    Ok(row.map(|row| (ChainRef { circle, chain, number }, row)))
}

/// What was verified when it came is no peer's fault any more: a key that is not held hides it, all else is damage.
pub(super) fn stored<T>(found: Result<Option<T>, LogError>) -> Result<Option<T>, StoreError> {
    match found {
        Ok(found) => Ok(found),
        Err(LogError::NoKey(_)) => Ok(None),
        Err(error) => Err(damaged(error)),
    }
}

/// What was stored here was verified when it came.
fn damaged(error: LogError) -> StoreError {
    match error {
        LogError::Store(error) => return error,
        LogError::Codec(_)
        | LogError::NoKey(_)
        | LogError::Closed
        | LogError::Signature
        | LogError::Rule(_)
        | LogError::Quota(_) => {}
    }
    StoreError::Corrupt(format!("stored entries: {error}"))
}

/// Several entries, in the order asked for; those that are not here are left out.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub fn load_many(read: &dyn Read, ring: &dyn KeyRing, at: &[EntryAt]) -> Result<Vec<Opened>, StoreError> {
    if let [one] = at {
        return Ok(load(read, ring, *one)?.into_iter().collect());
    }
    Opener::default().load_many(read, ring, at)
}
