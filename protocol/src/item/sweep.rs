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

/// What a rebuild from the log cannot know: what was seen here, and since when things are to be destroyed.
#[derive(Clone, Debug, Default)]
#[must_use = "what is not restored is new again"]
pub struct Kept(Vec<(ItemKey, ItemRow)>);

/// Rows looked at in one go.
const PAGE: usize = 1_000;

/// Drops every row of this room, so that they can be built again by applying the log's entries anew. [`restore`] ends it.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn clear(tx: &mut Tx<'_>) -> Result<Kept, StoreError> {
    let mut kept = Kept::default();
    let marks = [local::DUE, local::REFUSED, local::LISTED, local::NUMBERS, local::UNINDEXED, local::UNBUILT]
        .map(|prefix| (Table::Local, prefix));
    let tables = [(Table::Item, &[][..]), (Table::View, &[]), (Table::Built, &[])];
    for (table, prefix) in tables.into_iter().chain(marks) {
        loop {
            let rows = tx.scan(table, prefix, &[], PAGE)?;
            for (key, value) in &rows {
                tx.delete(table, key);
                if table == Table::Item {
                    let mut row = ItemRow::read(value)?;
                    row.slots.clear();
                    let item = view_item(key)?;
                    // The word index cannot be read back; what is in it stands under an item's key.
                    index::forget(tx, &item, &row);
                    kept.0.push((item, row));
                }
            }
            if rows.len() < PAGE {
                break;
            }
        }
    }
    Ok(kept)
}

/// Gives rebuilt rows what only this machine knew of them.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn restore(tx: &mut Tx<'_>, kept: &Kept) -> Result<(), StoreError> {
    for (key, old) in &kept.0 {
        let Some(mut row) = ItemRow::get(tx, key)? else { continue };
        let before = row.clone();
        row.arrived = old.arrived;
        row.flags.set(Flags::SEEN, old.flags.has(Flags::SEEN));
        if row.due.is_some() && old.due.is_some() && !row.flags.has(Flags::GONE) {
            row.due = old.due;
        }
        if row == before {
            continue;
        }
        row.put(tx, key);
        if row.listed() {
            tx.put(Table::View, &row.view_key(key), row.view_value());
        }
        if let (Some(due), true) = (before.due, row.due != before.due) {
            tx.delete(Table::Local, &local::due(due, key));
            tx.put(Table::Local, &local::due(row.due.unwrap_or(due), key), vec![1]);
        }
    }
    Ok(())
}
