//! What time does to items: deleted ones lose their bytes a day later, conversation at the end of its retention.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

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
    Ok(rows.first().and_then(|(key, _)| when(key)))
}

/// Hides what is due by now, at most `limit` items and few enough entries for one turn, and says which entries' bytes the log is to destroy.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn sweep(tx: &mut Tx<'_>, now: Millis, limit: usize) -> Result<Vec<EntryAt>, StoreError> {
    let mut destroy = Vec::new();
    for (index, _) in tx.scan(Table::Local, local::DUE, &[], limit)? {
        if when(&index).is_some_and(|when| when > now) {
            break;
        }
        tx.delete(Table::Local, &index);
        let key = view_item(&index)?;
        let Some(row) = ItemRow::get(tx, &key)?.filter(|row| row.due.is_some() && row.due == when(&index)) else { continue };
        destroy.extend(end(tx, &key, row)?);
        if destroy.len() >= limits::TURN_DESTROYED {
            break;
        }
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
