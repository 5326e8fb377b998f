//! Chains in the store: written by this device, received from others, served, read and destroyed.
//!
//! A chain is a row of blocks and a tail of single entries behind them, all of the tail in the epoch of its last entry. After
//! equivocation each branch is kept as a chain of its own, which begins where it parts from the other.

mod append;
mod destroy;
mod extend;
mod find;
mod heads;
mod lineage;
mod load;
mod receive;
mod serve;
mod skim;

pub use append::{ChainPlace, append};
pub use destroy::{destroy, destroy_some, forget, forget_epoch};
pub use heads::Heads;
pub use lineage::{Glance, glance, path};
pub use load::{ChainReader, Compared, Opener, compare, id_of, load, load_many};
pub use receive::{Fork, Gap, Received, receive};
#[cfg(any(test, feature = "switches"))]
pub use serve::endless;
pub use serve::{Lack, Served, Serving, has_lack, serve};
pub use skim::Skimmer;

pub(crate) use super::rows::split_key;
pub use super::run::RunHead;

use super::rows::{self, ChainRow, ForkRow};
use crate::circle::body::ChainId;
use crate::id::{CircleId, DeviceId, EntryId};
use crate::limits::PAGE_ROWS;
use crate::store::{Read, StoreError, Table};
use crate::work;

/// How far one chain, or one branch of it, is known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// Whose.
    pub id: ChainId,
    /// Its number on this machine.
    pub no: u32,
    /// Sequence number of its first entry here: 1, or the first this device may open, or where the branch parts.
    pub first: u64,
    /// Sequence number of its last entry here.
    pub seq: u64,
    /// That entry's id.
    pub head: EntryId,
    /// For a branch: the number of the chain that it parted from at `first`.
    pub parent: Option<u32>,
    /// Entries between `first` and `seq` that are not here, first and last of each stretch.
    pub missing: Vec<(u64, u64)>,
}

impl ChainHead {
    /// All that is missing before its end, what lies in front of `first` included; nothing is, in front of a branch.
    #[must_use]
    pub fn gaps(&self) -> Vec<(u64, u64)> {
        let front = (self.parent.is_none() && self.first > 1).then(|| (1, self.first - 1));
        front.into_iter().chain(self.missing.iter().copied()).collect()
    }
}

/// All chains of a circle, each branch by itself.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub fn chains(read: &dyn Read, circle: &CircleId) -> Result<Vec<ChainHead>, StoreError> {
    work::did(|work| work.scanned += 1);
    scan(read, &rows::chain_prefix(b'c', circle, None))
}

/// The chains of one device in a circle, as [`chains`] gives them.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub(crate) fn of_device(read: &dyn Read, circle: &CircleId, device: &DeviceId) -> Result<Vec<ChainHead>, StoreError> {
    scan(read, &rows::device_prefix(circle, device))
}

fn scan(read: &dyn Read, prefix: &[u8]) -> Result<Vec<ChainHead>, StoreError> {
    let mut all = Vec::new();
    each_row(read, prefix, |key, value| {
        let (_, id, _) =
            key.split_first().and_then(|(_, key)| rows::split_key(key)).ok_or_else(|| rows::corrupt("key of a chain row"))?;
        let no = rows::number_of(key)?;
        let ChainRow { first, seq, head, parent, gaps, .. } = rows::decode(value, "chain row")?;
        all.push(ChainHead { id, no, first, seq, head, parent, missing: gaps });
        Ok(())
    })?;
    Ok(all)
}

/// One chain's branches, as [`chains`] gives them.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub fn branches(read: &dyn Read, circle: &CircleId, id: &ChainId) -> Result<Vec<ChainHead>, StoreError> {
    let head = |(no, row): (u32, ChainRow)| {
        let ChainRow { first, seq, head, parent, gaps, .. } = row;
        ChainHead { id: *id, no, first, seq, head, parent, missing: gaps }
    };
    Ok(rows::branches(read, circle, id)?.into_iter().map(head).collect())
}

/// Two entries that a device signed for one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Whose chain.
    pub chain: ChainId,
    /// The place.
    pub seq: u64,
    /// One entry.
    pub one: EntryId,
    /// The other.
    pub other: EntryId,
}

/// All equivocation seen in a circle, one piece of evidence for each place.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub fn forks(read: &dyn Read, circle: &CircleId) -> Result<Vec<Evidence>, StoreError> {
    let mut all = Vec::new();
    each_row(read, &rows::chain_prefix(b'f', circle, None), |key, value| {
        let (_, chain, _) =
            key.split_first().and_then(|(_, key)| rows::split_key(key)).ok_or_else(|| rows::corrupt("key of a fork"))?;
        let ForkRow { one, other, .. } = rows::decode(value, "fork row")?;
        all.push(Evidence { chain, seq: rows::seq_of(key)?, one, other });
        Ok(())
    })?;
    Ok(all)
}

fn each_row(
    read: &dyn Read,
    prefix: &[u8],
    mut each: impl FnMut(&[u8], &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut after = Vec::new();
    loop {
        let mut found = read.scan(Table::Chain, prefix, &after, PAGE_ROWS)?;
        let full = found.len() == PAGE_ROWS;
        found.iter().try_for_each(|(key, value)| each(key, value))?;
        match found.pop() {
            Some((last, _)) if full => after = last,
            _ => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
