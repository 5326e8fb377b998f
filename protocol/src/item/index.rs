//! The word index: what can be found, under a number that each item gets when it first can be.
//!
//! Owns the table `Search`. Keys are the item's number (8 bytes, big-endian) and its key, so that a store can keep its index
//! dense and give the newest first. Words follow their items a little later, in slices: neither writing nor a list waits for the
//! index, and a word index costs least where many words come at once. Anyone who searches has the rest indexed first.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use super::built;
use super::kind::Kind;
use super::load::{EntryCache, single};
use super::port::Ports;
use super::row::{Flags, ItemRow, Tag, counter, local, set_counter, view_item};
use super::words;
use crate::codec;
use crate::id::{CircleId, ItemKey};
use crate::limits::{BLOCK_ENTRIES, INDEX_ITEM_BYTES, INDEX_SEVERAL, INDEX_SLICE, INDEX_SLICE_BYTES, PAGE_ROWS, TURN_STRETCHES};
use crate::log::entry::EntryAt;
use crate::store::{Read, StoreError, Table};
use crate::tx::Tx;

/// The index, while items are settled.
#[derive(Debug)]
pub(super) struct Index {
    tag: Tag,
    /// The last number given: as it was, and as it is to be.
    last: (u64, u64),
    later: Vec<(u64, ItemKey)>,
}

impl Index {
    pub(super) fn open(read: &dyn Read, tag: Tag) -> Result<Self, StoreError> {
        let last = counter(read, local::NUMBERS)?;
        Ok(Self { tag, last: (last, last), later: Vec::new() })
    }

    /// Has an item's words brought up to date; gives the item its number where it has none.
    pub(super) fn write(&mut self, tx: &mut Tx<'_>, key: &ItemKey, before: Option<&ItemRow>, row: &mut ItemRow) {
        if !searchable(row) {
            if before.is_some_and(searchable) {
                forget(tx, key, row);
            }
            return;
        }
        let same = |before: &ItemRow| before.slots == row.slots && !before.flags.has(Flags::UNBUILT);
        if row.flags.has(Flags::UNBUILT) || before.is_some_and(|before| searchable(before) && same(before)) {
            return;
        }
        if row.number == 0 {
            self.last.1 += 1;
            row.number = self.last.1;
        }
        self.later.push((row.number, *key));
    }

    pub(super) fn close(self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        if self.last.0 != self.last.1 {
            set_counter(tx, local::NUMBERS, self.last.1);
        }
        remember(tx, self.tag, &self.later)
    }
}

/// Notes items that are to be indexed, with their numbers.
fn remember(tx: &mut Tx<'_>, tag: Tag, items: &[(u64, ItemKey)]) -> Result<(), StoreError> {
    for part in items.chunks(INDEX_SLICE) {
        let Some((first, _)) = part.first() else { continue };
        let marker = local::unindexed(tag, *first);
        // An item that is edited before its first words were indexed may have a marker that names others too.
        let mut keys = tx.get(Table::Local, &marker)?.map(|bytes| waiting(&bytes)).transpose()?.unwrap_or_default();
        let new: Vec<ItemKey> = part.iter().map(|(_, key)| *key).filter(|key| !keys.contains(key)).collect();
        keys.extend(new);
        tx.put(Table::Local, &marker, codec::encode(&keys));
    }
    Ok(())
}

/// The items that a marker names.
fn waiting(bytes: &[u8]) -> Result<Vec<ItemKey>, StoreError> {
    codec::decode(bytes, "items to index").map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Has everything indexed again where words have another form now.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn renew(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    if counter(tx, local::FORM)? == words::VERSION {
        return Ok(());
    }
    let mut waiting = BTreeMap::<Tag, Vec<(u64, ItemKey)>>::new();
    let mut after = Vec::new();
    loop {
        let rows = tx.scan(Table::Item, &[], &after, PAGE_ROWS)?;
        for (key, value) in &rows {
            let row = ItemRow::read(value)?;
            if row.number > 0 && searchable(&row) {
                waiting.entry(row.circle).or_default().push((row.number, view_item(key)?));
            }
        }
        let Some((last, _)) = rows.last().filter(|_| rows.len() == PAGE_ROWS) else { break };
        after.clone_from(last);
    }
    for (tag, mut items) in waiting {
        items.sort_unstable();
        remember(tx, tag, &items)?;
    }
    set_counter(tx, local::FORM, words::VERSION);
    Ok(())
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
    let mut slice = Slice::default();
    for (marker, bytes) in tx.scan(Table::Local, &prefix, &[], INDEX_SLICE)? {
        let keys = waiting(&bytes)?;
        let mut left = Vec::new();
        for key in keys {
            if !slice.takes(tx, key)? {
                left.push(key);
            }
        }
        if left.is_empty() {
            tx.delete(Table::Local, &marker);
        } else {
            tx.put(Table::Local, &marker, codec::encode(&left));
            break;
        }
    }
    if slice.looked == 0 {
        return Ok(false);
    }
    let mut cache = EntryCache::default();
    cache.fetch(tx, ports.source, slice.rows.iter().filter_map(|(_, row)| only(row)))?;
    let (mut done, mut bytes) = (0, 0);
    for (key, row) in &slice.rows {
        if bytes >= INDEX_SLICE_BYTES {
            break;
        }
        let loaded = match only(row) {
            Some(at) => cache.get(at).and_then(|piece| single(piece, ports.people)),
            None => built::get(tx, key, true)?,
        };
        if let Some(whole) = loaded {
            let mut text = whole.fields.searchable(whole.kind);
            text.truncate(text.floor_char_boundary(INDEX_ITEM_BYTES));
            let words = words::indexed(&text);
            bytes += words.len();
            tx.put(Table::Search, &place(row, key), words.into_bytes());
        }
        done += 1;
    }
    let left: Vec<(u64, ItemKey)> = slice.rows.iter().skip(done).map(|(key, row)| (row.number, *key)).collect();
    remember(tx, Tag::of(circle), &left)?;
    Ok(true)
}

/// Items that are indexed together: as many as their words may come from few places.
#[derive(Debug, Default)]
struct Slice {
    looked: usize,
    rows: Vec<(ItemKey, ItemRow)>,
    stretches: BTreeSet<(u32, u64)>,
    several: usize,
}

impl Slice {
    /// `false`: it is for the next slice.
    fn takes(&mut self, read: &dyn Read, key: ItemKey) -> Result<bool, StoreError> {
        if self.looked >= INDEX_SLICE {
            return Ok(false);
        }
        let Some(row) = ItemRow::get(read, &key)?.filter(searchable) else {
            self.looked += 1;
            return Ok(true);
        };
        if let Some(at) = only(&row) {
            let stretch = (at.chain, at.seq / BLOCK_ENTRIES as u64);
            if self.stretches.len() >= TURN_STRETCHES && !self.stretches.contains(&stretch) {
                return Ok(false);
            }
            self.stretches.insert(stretch);
        } else {
            if self.several >= INDEX_SEVERAL {
                return Ok(false);
            }
            self.several += 1;
        }
        self.looked += 1;
        self.rows.push((key, row));
        Ok(true)
    }
}

/// The place of an item's only entry.
fn only(row: &ItemRow) -> Option<EntryAt> {
    match row.slots.as_slice() {
        [slot] => Some(slot.at),
        _ => None,
    }
}

/// Takes an item's words out.
pub(super) fn forget(tx: &mut Tx<'_>, key: &ItemKey, row: &ItemRow) {
    if row.number > 0 {
        tx.delete(Table::Search, &place(row, key));
    }
}

fn place(row: &ItemRow, key: &ItemKey) -> Vec<u8> {
    [&row.number.to_be_bytes()[..], &key.0].concat()
}

/// The item of a key in `Search`.
pub(super) fn found(place: &[u8]) -> Option<ItemKey> {
    place.get(8..)?.try_into().ok().map(ItemKey)
}

fn searchable(row: &ItemRow) -> bool {
    row.kind().is_some_and(Kind::is_indexed) && row.listed() && !row.flags.has(Flags::HIDDEN)
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::frozen::{Form, frozen};

    frozen![Form::new("unindexed", 1, &[vec![ItemKey([9; 16]), ItemKey([29; 16])]])];
}
