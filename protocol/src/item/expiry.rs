//! What time does to items: deleted ones lose their bytes a day later, conversation at the end of its retention.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use super::clock_expiry::{self, Ending};
use super::index;
use super::parts;
use super::row::{Flags, ItemRow, counter, local, set_counter, view_item};
use crate::id::ItemKey;
use crate::limits;
use crate::log::entry::EntryAt;
use crate::planted::{Bug, planted};
use crate::store::{Read, StoreError, Table};
use crate::time::Millis;
use crate::tx::Tx;

/// When [`sweep`] has something to do next.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn next_due(read: &dyn Read) -> Result<Option<Millis>, StoreError> {
    let rows = read.scan(Table::Local, local::DUE, &[], 1)?;
    Ok(rows.first().and_then(|(key, _)| when(key)).into_iter().chain(clock_expiry::next(read)?).min())
}

/// What is due by now.
#[derive(Debug, Default)]
#[must_use = "what is over is to be judged, and bytes are to be destroyed"]
pub struct Sweep {
    /// Entries of deleted items, whose bytes the log is to destroy.
    pub destroy: Vec<EntryAt>,
    /// Items whose time is over by this machine's clock, for [`super::judge_time`].
    pub over: Vec<Ending>,
}

/// Looks at what is due by now, at most `limit` items and few enough entries for one turn: ends what was deleted, and says what else
/// is to be judged.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn sweep(tx: &mut Tx<'_>, now: Millis, limit: usize) -> Result<Sweep, StoreError> {
    let mut found = Sweep::default();
    for (index, _) in tx.scan(Table::Local, local::DUE, &[], limit)? {
        if when(&index).is_some_and(|when| when > now) {
            break;
        }
        let key = view_item(&index)?;
        let row = ItemRow::get(tx, &key)?.filter(|row| row.plan(&key).as_ref() == Some(&index));
        match row {
            Some(row) if !row.flags.has(Flags::REMOVED) => found.over.push(Ending::of(key, &row)),
            Some(row) => {
                tx.delete(Table::Local, &index);
                found.destroy.extend(end(tx, &key, row)?);
            }
            None => tx.delete(Table::Local, &index),
        }
        if found.destroy.len() >= limits::TURN_DESTROYED {
            break;
        }
    }
    Ok(found)
}

/// Ends items of a circle that is not here any more.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn end_all(tx: &mut Tx<'_>, items: &[Ending]) -> Result<Vec<EntryAt>, StoreError> {
    let mut destroy = Vec::new();
    for item in items {
        let Some(row) = ItemRow::get(tx, &item.key)? else { continue };
        if let Some(plan) = row.plan(&item.key) {
            tx.delete(Table::Local, &plan);
        }
        destroy.extend(end(tx, &item.key, row)?);
    }
    Ok(destroy)
}

fn end(tx: &mut Tx<'_>, key: &ItemKey, mut row: ItemRow) -> Result<Vec<EntryAt>, StoreError> {
    if row.counts() {
        let listed = local::listed(row.circle);
        let count = counter(tx, &listed)?;
        set_counter(tx, &listed, count.saturating_sub(1));
    }
    if row.listed() {
        tx.delete(Table::View, &row.view_key(key));
    }
    index::forget(tx, key, &row);
    row.flags.set(Flags::EXPIRED, !row.flags.has(Flags::REMOVED));
    row.flags.set(Flags::GONE, true);
    row.over = None;
    row.flags.set(Flags::LOST | Flags::WAITING, false);
    if planted(Bug::KeptBytes) {
        row.put(tx, key);
        return Ok(Vec::new());
    }
    let beyond = parts::forget(tx, key, &mut row)?;
    row.put(tx, key);
    Ok(row.slots.iter().map(|slot| slot.at).chain(beyond).collect())
}

fn when(index: &[u8]) -> Option<Millis> {
    let at = local::DUE.len();
    index.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map(|bytes| Millis(u64::from_be_bytes(bytes)))
}
