//! Lineage, that is what leads to an entry: the stretches of a chain's branches that its signer signed with it, as far as they hang
//! together here. What can be said of an id without opening a block.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use super::ChainHead;
use super::find::block_of;
use super::load::chain_of;
use crate::id::EntryId;
use crate::log::entry::EntryAt;
use crate::log::rows::{self, TailRow, place_key};
use crate::store::{Read, StoreError, Table};

/// The places that lead to an entry of one of a chain's branches, itself included: number of the branch, first and last place of
/// each stretch. They end where something is missing: what lies before a gap is not known to be what the entry follows from.
#[must_use]
pub fn path(branches: &[ChainHead], to: EntryAt) -> Vec<(u32, u64, u64)> {
    let mut found = Vec::new();
    let mut at = to;
    // A branch parts from one that was there before it.
    for _ in branches {
        let Some(head) = branches.iter().find(|head| head.no == at.chain) else { break };
        if head.missing.iter().any(|(from, to)| (*from..=*to).contains(&at.seq)) {
            break;
        }
        if at.seq >= head.first {
            let before = head.missing.iter().filter(|(_, to)| *to < at.seq).map(|(_, to)| to + 1).max();
            let from = before.unwrap_or(head.first);
            found.push((head.no, from, at.seq));
            if from > head.first {
                break;
            }
        }
        let Some(parent) = head.parent else { break };
        at = EntryAt { chain: parent, seq: at.seq.min(head.first.saturating_sub(1)) };
    }
    found
}

/// What is known of the id at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glance {
    /// No entry of this place is here.
    Absent,
    /// Its id.
    Id(EntryId),
    /// It lies inside a block, which would have to be opened.
    Inside,
}

/// Looks at a place without opening a block.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub fn glance(read: &dyn Read, at: EntryAt) -> Result<Glance, StoreError> {
    let Some((_, row)) = chain_of(read, at.chain)? else { return Ok(Glance::Absent) };
    let missing = row.gaps.iter().any(|(from, to)| (*from..=*to).contains(&at.seq));
    if missing || at.seq < row.first || at.seq > row.seq {
        return Ok(Glance::Absent);
    }
    if at.seq == row.seq {
        return Ok(Glance::Id(row.head));
    }
    if at.seq >= row.tail {
        let Some(value) = read.get(Table::Tail, &place_key(at.chain, at.seq))? else { return Ok(Glance::Absent) };
        return Ok(Glance::Id(rows::decode::<TailRow>(&value, "tail row")?.id));
    }
    match block_of(read, at.chain, at.seq)? {
        Some((first, block)) if first + u64::from(block.count) == at.seq + 1 => Ok(Glance::Id(block.last)),
        Some((_, block)) if !block.run.is_empty() => Ok(Glance::Inside),
        _ => Ok(Glance::Absent),
    }
}
