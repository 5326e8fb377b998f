//! Building the items again from the log: every row is dropped, and what only this machine knows is kept meanwhile.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeSet;

use super::row::{Flags, ItemRow, Slot, Tag, local, view_item};
use super::{imports, index};
use crate::id::{CircleId, ItemKey};
use crate::limits::PAGE_ROWS;
use crate::store::{self, Read, StoreError, Table};
use crate::tx::Tx;

/// What a rebuild from the log cannot know: what was seen here, and since when things are to be destroyed.
#[derive(Clone, Debug, Default)]
#[must_use = "what is not restored is new again"]
pub struct Kept(Vec<(ItemKey, ItemRow)>);

/// Drops every row of the items, so that applying the log's entries builds them again. [`restore`] ends it.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn clear(tx: &mut Tx<'_>) -> Result<Kept, StoreError> {
    let mut kept = Kept::default();
    let marks =
        [local::DUE, local::OVER, local::REFUSED, local::LISTED, local::NUMBERS, local::UNINDEXED, local::UNBUILT, local::NEWER]
            .map(|prefix| (Table::Local, prefix));
    let tables = [(Table::Item, &[][..]), (Table::View, &[]), (Table::Built, &[])];
    for (table, prefix) in tables.into_iter().chain(marks) {
        loop {
            let rows = tx.scan(table, prefix, &[], PAGE_ROWS)?;
            for (key, value) in &rows {
                tx.delete(table, key);
                if table == Table::Item {
                    let mut row = ItemRow::read(value)?;
                    if row.changed.is_none() {
                        row.slots.clear();
                    }
                    let item = view_item(key)?;
                    // The word index cannot be read back; what is in it stands under an item's key.
                    index::forget(tx, &item, &row);
                    kept.0.push((item, row));
                }
            }
            if rows.len() < PAGE_ROWS {
                break;
            }
        }
    }
    Ok(kept)
}

/// Deletes everything that is here of a circle's items.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn forget(tx: &mut Tx<'_>, circle: &CircleId) -> Result<(), StoreError> {
    let tag = Tag::of(circle);
    let mut gone = BTreeSet::new();
    for (key, value) in store::all(tx, Table::Item, &[])? {
        let (row, item) = (ItemRow::read(&value)?, view_item(&key)?);
        if row.circle != tag {
            continue;
        }
        index::forget(tx, &item, &row);
        if let Some(plan) = row.plan(&item) {
            tx.delete(Table::Local, &plan);
        }
        tx.delete_all(Table::Built, &key)?;
        tx.delete(Table::Item, &key);
        gone.insert(item);
    }
    imports::forget_items(tx, &gone)?;
    tx.delete_all(Table::View, &tag.0)?;
    for prefix in [local::UNINDEXED, local::UNBUILT, local::NEWER] {
        tx.delete_all(Table::Local, &[prefix, &tag.0].concat())?;
    }
    for key in [local::arrived(tag), local::seen(tag), local::refused(tag), local::listed(tag)] {
        tx.delete(Table::Local, &key);
    }
    Ok(())
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
        row.changed = old.changed;
        // What was not seen begins at an entry, and goes on in the order in which they came here.
        let came = |slot: &Slot| old.slots.iter().position(|known| known.at == slot.at).unwrap_or(usize::MAX);
        row.slots.sort_by_key(came);
        row.flags.set(Flags::SEEN, old.flags.has(Flags::SEEN));
        if row.due.is_some() && old.due.is_some() && !row.flags.has(Flags::GONE) {
            // What had ended later than its label says, is judged again.
            row.due = old.due.filter(|_| !old.flags.has(Flags::RAISED)).or(row.due);
            row.over = old.over.filter(|_| row.flags.has(Flags::EXPIRED));
        }
        if row == before {
            continue;
        }
        row.put(tx, key);
        if row.listed() {
            tx.put(Table::View, &row.view_key(key), row.view_value());
        }
        if let (Some(planned), Some(plan)) = (before.plan(key), row.plan(key)) {
            tx.delete(Table::Local, &planned);
            tx.put(Table::Local, &plan, row.circle.0.to_vec());
        }
    }
    Ok(())
}
