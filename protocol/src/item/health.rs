//! How the items of a circle are, for `kith doctor` and `kith status`.

use super::row::{Flags, ItemRow, Tag, counter, local};
use crate::id::CircleId;
use crate::limits::PAGE_ROWS;
use crate::store::{Read, StoreError, Table};

/// Counts; no content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Items that stand in lists.
    pub items: u64,
    /// Items that wait for their first entry, or for entries that others depend on.
    pub waiting: u64,
    /// Items that lie beyond a cut, held for a steward to look at.
    pub held: u64,
    /// Items that are still to be put together.
    pub unbuilt: u64,
    /// Entries that were refused since the tables were built.
    pub refused: u64,
    /// Items of which something is of a form that this program does not know.
    pub newer: u64,
}

/// How many items of a circle stand in lists, as [`Health::items`] counts them, without looking at each.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn listed(read: &dyn Read, circle: &CircleId) -> Result<u64, StoreError> {
    counter(read, &local::listed(Tag::of(circle)))
}

/// Counts those of which something is of a form that this program does not know.
fn newer(read: &dyn Read, tag: Tag) -> Result<u64, StoreError> {
    let (prefix, mut after, mut count) = (local::all_newer(tag), Vec::new(), 0);
    loop {
        let rows = read.scan(Table::Local, &prefix, &after, PAGE_ROWS)?;
        count += rows.len() as u64;
        match rows.last() {
            Some((last, _)) if rows.len() == PAGE_ROWS => after.clone_from(last),
            Some(_) | None => return Ok(count),
        }
    }
}

/// Counts the items of a circle.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn health(read: &dyn Read, circle: &CircleId) -> Result<Health, StoreError> {
    let tag = Tag::of(circle);
    let mut health = Health { refused: counter(read, &local::refused(tag))?, newer: newer(read, tag)?, ..Health::default() };
    let mut after = Vec::new();
    loop {
        let rows = read.scan(Table::Item, &[], &after, PAGE_ROWS)?;
        for (_, value) in &rows {
            let row = ItemRow::read(value)?;
            if row.circle == tag && !row.kind().is_some_and(super::kind::Kind::is_mark) {
                health.items += u64::from(row.counts());
                health.waiting += u64::from(row.flags.has(Flags::WAITING) && !row.flags.has(Flags::REMOVED));
                health.unbuilt += u64::from(row.flags.has(Flags::UNBUILT));
                health.held += u64::from(row.flags.has(Flags::HELD));
            }
        }
        match rows.last() {
            Some((last, _)) if rows.len() == PAGE_ROWS => after.clone_from(last),
            Some(_) | None => return Ok(health),
        }
    }
}
