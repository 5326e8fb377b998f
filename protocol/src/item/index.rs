//! The word index: what can be found, under a number that each item gets when it first can be.
//!
//! Owns the table `Search`. Keys are the item's number (8 bytes, big-endian) and its key, so that a store can keep its index
//! dense and give the newest first. Where many items come at once, their words follow a little later, in slices: a list must
//! not wait for the index.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use super::kind::Kind;
use super::port::Ports;
use super::row::{Flags, Row, Tag, counter, local, set_counter};
use super::whole::{Loaded, Shelf, Whole, load};
use crate::codec;
use crate::id::{CircleId, ItemKey};
use crate::store::{Read, StoreError, Table};
use crate::tx::Tx;

/// So many items touched together are indexed later.
const MANY: usize = 64;
/// Items indexed in one go.
const SLICE: usize = 256;

/// The index, while items are settled.
#[derive(Debug)]
pub(super) struct Index {
    tag: Tag,
    /// The last number given: as it was, and as it is to be.
    last: (u64, u64),
    later: Option<Vec<(u64, ItemKey)>>,
}

impl Index {
    pub(super) fn open(read: &dyn Read, tag: Tag, touched: usize) -> Result<Self, StoreError> {
        let last = counter(read, local::NUMBERS)?;
        Ok(Self { tag, last: (last, last), later: (touched >= MANY).then(Vec::new) })
    }

    /// Brings an item's words up to date; gives the item its number where it has none.
    pub(super) fn write(&mut self, tx: &mut Tx<'_>, key: &ItemKey, before: Option<&Row>, row: &mut Row, whole: Option<&Whole>) {
        let Some(whole) = whole.filter(|_| searchable(row)) else {
            if before.is_some_and(searchable) {
                forget(tx, key, row);
            }
            return;
        };
        if row.number == 0 {
            self.last.1 += 1;
            row.number = self.last.1;
        }
        match &mut self.later {
            Some(later) => later.push((row.number, *key)),
            None => tx.put(Table::Search, &place(row, key), whole.fields.searchable().into_bytes()),
        }
    }

    pub(super) fn close(self, tx: &mut Tx<'_>) {
        if self.last.0 != self.last.1 {
            set_counter(tx, local::NUMBERS, self.last.1);
        }
        for part in self.later.unwrap_or_default().chunks(SLICE) {
            let Some((first, _)) = part.first() else { continue };
            let keys: Vec<ItemKey> = part.iter().map(|(_, key)| *key).collect();
            tx.put(Table::Local, &local::unindexed(self.tag, *first), codec::encode(&keys));
        }
    }
}

/// Does anything wait for [`index`]?
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn unindexed(read: &dyn Read) -> Result<bool, StoreError> {
    Ok(!read.scan(Table::Local, local::UNINDEXED, &[], 1)?.is_empty())
}

/// Indexes the next slice of a circle's items that wait; `false` where none does.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn index(tx: &mut Tx<'_>, ports: Ports<'_>, circle: &CircleId) -> Result<bool, StoreError> {
    let prefix = [local::UNINDEXED, &Tag::of(circle).0].concat();
    let Some((marker, keys)) = tx.scan(Table::Local, &prefix, &[], 1)?.pop() else { return Ok(false) };
    tx.delete(Table::Local, &marker);
    let keys: Vec<ItemKey> = codec::decode(&keys, "items to index").map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let mut rows = Vec::with_capacity(keys.len());
    for key in keys {
        rows.extend(Row::get(tx, &key)?.filter(searchable).map(|row| (key, row)));
    }
    let mut shelf = Shelf::default();
    shelf.fetch(tx, ports.source, rows.iter().map(|(_, row)| row))?;
    for (key, row) in &rows {
        if let Loaded::Ready(whole) = load(circle, row, &shelf, ports.people) {
            tx.put(Table::Search, &place(row, key), whole.fields.searchable().into_bytes());
        }
    }
    Ok(true)
}

/// Takes an item's words out.
pub(super) fn forget(tx: &mut Tx<'_>, key: &ItemKey, row: &Row) {
    if row.number > 0 {
        tx.delete(Table::Search, &place(row, key));
    }
}

fn place(row: &Row, key: &ItemKey) -> Vec<u8> {
    [&row.number.to_be_bytes()[..], &key.0].concat()
}

/// The item of a key in `Search`.
pub(super) fn found(place: &[u8]) -> Option<ItemKey> {
    place.get(8..)?.try_into().ok().map(ItemKey)
}

fn searchable(row: &Row) -> bool {
    let worded = matches!(row.kind(), Some(Kind::Note | Kind::Reply | Kind::Event | Kind::Resource));
    worded && row.listed() && !row.flags.has(Flags::HIDDEN | Flags::ASIDE)
}
