//! Reading what stored entries say, and nothing else of them: no ids, no proofs. What is stored was verified when it came.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::cell::RefCell;
use std::collections::VecDeque;

use super::find::{block_of, open_tail_part};
use super::load::{chain_of, stored};
use crate::circle::epoch::KeyRing;
use crate::id::DeviceId;
use crate::limits::SKIMMED_BYTES;
use crate::log::entry::{Body, EntryAt, EntryRecord, Said};
use crate::log::payload::unpack;
use crate::log::segment::Segment;
use crate::store::{Read, StoreError};

/// Reads what entries say. Keeps the blocks that it opened last, so it is good for one question to the store: it does not see what
/// is written meanwhile.
#[derive(Default)]
pub struct Skimmer {
    kept: RefCell<VecDeque<Leaf>>,
}

/// A block, opened.
struct Leaf {
    chain: u32,
    device: DeviceId,
    first: u64,
    sheets: Vec<EntryRecord>,
    bytes: usize,
}

impl std::fmt::Debug for Skimmer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Skimmer").field("kept", &self.kept.borrow().len()).finish_non_exhaustive()
    }
}

impl Leaf {
    fn sheet(&self, at: EntryAt) -> Option<&EntryRecord> {
        let index = at.seq.checked_sub(self.first).filter(|_| self.chain == at.chain)?;
        self.sheets.get(usize::try_from(index).ok()?)
    }

    fn say(&self, at: EntryAt) -> Option<Said> {
        let EntryRecord { meta, body } = self.sheet(at)?;
        let payload = match body {
            Body::Kept { packed, .. } => unpack(packed.clone()),
            Body::Gone { .. } => None,
        };
        Some(Said { at, device: self.device, kind: meta.kind, item: meta.item, retention: meta.retention, payload })
    }
}

impl Skimmer {
    /// What an entry says; `None` where it is not here, or the key of its epoch is not held.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails or is damaged.
    pub fn load(&self, read: &dyn Read, ring: &dyn KeyRing, at: EntryAt) -> Result<Option<Said>, StoreError> {
        if let Some(leaf) = self.kept.borrow().iter().find(|leaf| leaf.sheet(at).is_some()) {
            return Ok(leaf.say(at));
        }
        let Some((place, row)) = chain_of(read, at.chain)? else { return Ok(None) };
        if (row.tail..=row.seq).contains(&at.seq) {
            let piece = stored(open_tail_part(read, ring, &place, &row, at.seq..at.seq + 1))?;
            return Ok(piece.and_then(|piece| piece.into_opened(&place.circle, at.chain).pop()).map(Said::from));
        }
        let Some((first, block)) = block_of(read, at.chain, at.seq)?.filter(|(_, block)| !block.run.is_empty()) else {
            return Ok(None);
        };
        let Some(sheets) = stored(Segment::sheets(ring, &place.circle, &block.run).map(Some))? else { return Ok(None) };
        let bytes = sheets.iter().map(EntryRecord::bytes).sum();
        let leaf = Leaf { chain: at.chain, device: place.chain.device, first, sheets, bytes };
        let said = leaf.say(at);
        let mut kept = self.kept.borrow_mut();
        while kept.iter().map(|leaf| leaf.bytes).sum::<usize>() + bytes > SKIMMED_BYTES && kept.pop_front().is_some() {}
        kept.push_back(leaf);
        Ok(said)
    }
}
