//! What an item of several entries keeps in `Built` beside its row: its entries' edits, so that putting it together opens no
//! block of the log, and how much of it each person wrote.
//!
//! Everybody has a share of an item, in weight; its creator has one of their own that nobody else can use up. Of a person's
//! entries those count that come first, by their place in the chain and then by id, as far as the share goes: a function of the
//! set of entries, in whatever order they came. The others' shares get smaller, all alike, where together they want more than there
//! is. Rows of an item start with its key, so that they go together when its bytes are destroyed.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::sync::Arc;

use minicbor::{Decode, Encode};

use super::edit::Edit;
use super::load::ItemEntry;
use super::row::{Flags, ItemRow, local};
use crate::circle::body::Retention;
use crate::codec;
use crate::id::{DeviceId, EntryId, ItemId, ItemKey, PersonId};
use crate::limits::{ENTRY_WEIGHT, ITEM_SHARE, ITEM_SHARES, OPERATION_WEIGHT, PAGE_ROWS};
use crate::log::entry::EntryAt;
use crate::planted::{Bug, planted};
use crate::store::{Read, StoreError, Table};
use crate::tx::Tx;

/// The only version so far.
const VERSION: u8 = 1;

/// The kinds of rows under an item's key. Those of [`super::built`] are the first two.
const SHARES: u8 = 2;
const PART: u8 = 3;
const BEYOND: u8 = 4;

/// An entry's edit, as it was opened once.
#[derive(Debug, Encode, Decode)]
#[cbor(array)]
struct PartRow {
    #[n(0)]
    version: u8,
    #[n(1)]
    at: EntryAt,
    #[n(2)]
    id: EntryId,
    #[n(3)]
    device: DeviceId,
    #[n(4)]
    kind: u8,
    #[n(5)]
    retention: Retention,
    #[n(6)]
    edit: Option<Edit>,
}

/// A place in the order in which a person's entries count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
struct Turn {
    #[n(0)]
    seq: u64,
    #[n(1)]
    id: EntryId,
}

/// What one person wrote in an item.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct Share {
    #[n(0)]
    person: PersonId,
    #[n(1)]
    weight: u64,
    /// The first of their entries that is beyond their share: it and all behind it mean nothing.
    #[n(2)]
    over: Option<Turn>,
}

/// Who wrote how much of an item.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct Shares {
    #[n(0)]
    version: u8,
    #[n(1)]
    pub(super) item: ItemId,
    #[n(2)]
    shares: Vec<Share>,
    /// Entries that are still to be copied from the log.
    #[n(3)]
    pub(super) lacking: Vec<EntryAt>,
}

/// What an entry weighs.
fn weight(edit: Option<&Edit>) -> u64 {
    let Some(edit) = edit else { return ENTRY_WEIGHT };
    let steps = (edit.ops.len() + edit.deps.len() + edit.names.len()) as u64;
    ENTRY_WEIGHT + codec::encode(edit).len() as u64 + OPERATION_WEIGHT * steps
}

impl Shares {
    pub(super) const fn new(item: ItemId) -> Self {
        Self { version: VERSION, item, shares: Vec::new(), lacking: Vec::new() }
    }

    pub(super) fn get(read: &dyn Read, key: &ItemKey) -> Result<Option<Self>, StoreError> {
        let Some(bytes) = read.get(Table::Built, &place(key, SHARES))? else { return Ok(None) };
        let row: Self = codec::decode(&bytes, "shares of an item").map_err(|error| StoreError::Corrupt(error.to_string()))?;
        if row.version == VERSION { Ok(Some(row)) } else { Err(StoreError::Corrupt("shares of a newer form".to_owned())) }
    }

    pub(super) fn put(&self, tx: &mut Tx<'_>, key: &ItemKey) {
        tx.put(Table::Built, &place(key, SHARES), codec::encode(self));
    }

    /// Was anything copied yet?
    pub(super) const fn began(&self) -> bool {
        !self.shares.is_empty()
    }

    /// What putting the item together weighs.
    pub(super) fn weight(&self) -> u64 {
        self.shares.iter().map(|share| share.weight).sum()
    }

    /// Copies an entry in; `false` where it is beyond its writer's share.
    pub(super) fn adopt(&mut self, tx: &mut Tx<'_>, key: &ItemKey, piece: &ItemEntry, writer: PersonId) -> bool {
        self.lacking.retain(|at| *at != piece.at);
        let turn = Turn { seq: piece.at.seq, id: piece.id };
        let writer = if planted(Bug::OneShare) { self.item.creator } else { writer };
        let at = self.shares.iter().position(|share| share.person == writer).unwrap_or_else(|| {
            self.shares.push(Share { person: writer, weight: 0, over: None });
            self.shares.len() - 1
        });
        let Some(share) = self.shares.get_mut(at) else { return false };
        if share.over.is_some_and(|over| turn >= over) {
            tx.put(Table::Built, &beyond(key, piece.at), Vec::new());
            return false;
        }
        share.weight = share.weight.saturating_add(weight(piece.edit.as_deref()));
        let row = PartRow {
            version: VERSION,
            at: piece.at,
            id: piece.id,
            device: piece.device,
            kind: piece.kind,
            retention: piece.retention,
            edit: piece.edit.as_deref().cloned(),
        };
        tx.put(Table::Built, &part(key, &writer, turn), codec::encode(&row));
        true
    }

    /// Parts with what is beyond anybody's share, and says which entries that were.
    pub(super) fn trim(&mut self, tx: &mut Tx<'_>, key: &ItemKey) -> Result<Vec<EntryAt>, StoreError> {
        let creator = self.item.creator;
        let level = self.level();
        let mut gone = Vec::new();
        for share in &mut self.shares {
            let allowed = if share.person == creator { ITEM_SHARE } else { level };
            let prefix = of_person(key, &share.person);
            while share.weight > allowed {
                let Some((last, bytes)) = tx.scan_back(Table::Built, &prefix, &[], 1)?.pop() else { break };
                let row = read_part(&bytes)?;
                share.weight = share.weight.saturating_sub(weight(row.edit.as_ref()));
                share.over = Some(Turn { seq: row.at.seq, id: row.id });
                tx.delete(Table::Built, &last);
                tx.put(Table::Built, &beyond(key, row.at), Vec::new());
                gone.push(row.at);
            }
        }
        Ok(gone)
    }

    /// How much of the item each of those who did not create it may have: the most with which all of them stay within what there is.
    fn level(&self) -> u64 {
        let others = self.shares.iter().filter(|share| share.person != self.item.creator);
        // A person who is beyond their share wants more than they have, nobody knows how much.
        let mut wanted: Vec<u64> =
            others.map(|share| if share.over.is_some() { ITEM_SHARE } else { share.weight.min(ITEM_SHARE) }).collect();
        wanted.sort_unstable();
        let (mut left, mut people) = (ITEM_SHARES, wanted.len() as u64);
        for want in wanted {
            if want.saturating_mul(people) > left {
                return left / people;
            }
            left -= want;
            people -= 1;
        }
        ITEM_SHARE
    }

    /// Has somebody written as much as they may, so that an entry of theirs behind these would mean nothing?
    pub(super) fn is_full(&self, person: &PersonId) -> bool {
        let allowed = if *person == self.item.creator { ITEM_SHARE } else { self.level() };
        let share = self.shares.iter().find(|share| share.person == *person);
        share.is_some_and(|share| share.over.is_some() || share.weight.saturating_add(ENTRY_WEIGHT) > allowed)
    }
}

fn place(key: &ItemKey, what: u8) -> Vec<u8> {
    let mut out = key.0.to_vec();
    out.push(what);
    out
}

fn of_person(key: &ItemKey, person: &PersonId) -> Vec<u8> {
    let mut out = place(key, PART);
    out.extend(person.0);
    out
}

fn part(key: &ItemKey, person: &PersonId, turn: Turn) -> Vec<u8> {
    let mut out = of_person(key, person);
    out.extend(turn.seq.to_be_bytes());
    out.extend(turn.id.0);
    out
}

fn beyond(key: &ItemKey, at: EntryAt) -> Vec<u8> {
    let mut out = place(key, BEYOND);
    out.extend(at.chain.to_be_bytes());
    out.extend(at.seq.to_be_bytes());
    out
}

fn at_beyond(key: &[u8]) -> Option<EntryAt> {
    let (chain, seq) = key.get(17..)?.split_first_chunk()?;
    Some(EntryAt { chain: u32::from_be_bytes(*chain), seq: u64::from_be_bytes(seq.try_into().ok()?) })
}

fn read_part(bytes: &[u8]) -> Result<PartRow, StoreError> {
    let row: PartRow = codec::decode(bytes, "part of an item").map_err(|error| StoreError::Corrupt(error.to_string()))?;
    if row.version == VERSION { Ok(row) } else { Err(StoreError::Corrupt("part of a newer form".to_owned())) }
}

/// An item's entries, as far as they were copied.
pub(super) fn pieces(read: &dyn Read, key: &ItemKey, item: ItemId) -> Result<Vec<ItemEntry>, StoreError> {
    let (prefix, mut after, mut pieces) = (place(key, PART), Vec::new(), Vec::new());
    loop {
        let rows = read.scan(Table::Built, &prefix, &after, PAGE_ROWS)?;
        for (_, bytes) in &rows {
            let PartRow { at, id, device, kind, retention, edit, .. } = read_part(bytes)?;
            pieces.push(ItemEntry { id, at, device, item, kind, retention, edit: edit.map(Arc::new) });
        }
        match rows.last() {
            Some((last, _)) if rows.len() == PAGE_ROWS => after.clone_from(last),
            Some(_) | None => return Ok(pieces),
        }
    }
}

/// Notes an entry about an item that means nothing here: against a rule, or of a newer form. Its bytes go with the item's, since
/// people who write about an item may repeat what it says.
pub(super) fn set_aside(tx: &mut Tx<'_>, key: &ItemKey, at: EntryAt) {
    tx.put(Table::Built, &beyond(key, at), Vec::new());
}

/// Takes everything out that is kept of an item here, and says which of its entries were beyond anybody's share or set aside.
pub(super) fn forget(tx: &mut Tx<'_>, key: &ItemKey, row: &mut ItemRow) -> Result<Vec<EntryAt>, StoreError> {
    if row.flags.has(Flags::UNBUILT) {
        row.flags.set(Flags::UNBUILT, false);
        tx.delete(Table::Local, &local::unbuilt(row.circle, key));
    }
    tx.delete(Table::Local, &local::newer(row.circle, key));
    let (mut over, mut after) = (Vec::new(), Vec::new());
    loop {
        let rows = tx.scan(Table::Built, &key.0, &after, PAGE_ROWS)?;
        for (place, _) in &rows {
            if place.get(16) == Some(&BEYOND) {
                over.extend(at_beyond(place));
            }
            tx.delete(Table::Built, place);
        }
        match rows.last() {
            Some((last, _)) if rows.len() == PAGE_ROWS => after.clone_from(last),
            Some(_) | None => return Ok(over),
        }
    }
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::frozen::{Form, frozen};

    fn item(byte: u8) -> ItemId {
        ItemId { creator: PersonId([2; 32]), nonce: [byte; 16] }
    }

    fn part(edit: Option<Edit>) -> PartRow {
        let (at, id, device) = (EntryAt { chain: 3, seq: 400 }, EntryId([6; 32]), DeviceId([3; 32]));
        PartRow { version: VERSION, at, id, device, kind: 1, retention: Retention::Days(90), edit }
    }

    fn shares() -> Shares {
        let over = Some(Turn { seq: 401, id: EntryId([6; 32]) });
        let share = |byte, over| Share { person: PersonId([byte; 32]), weight: 2_000, over };
        Shares {
            shares: vec![share(2, None), share(22, over)],
            lacking: vec![EntryAt { chain: 4, seq: 1 }],
            ..Shares::new(item(8))
        }
    }

    frozen![
        Form::new("part-row", 1, &[part(Some(Edit::opening(crate::time::Millis(9), Some(item(28)), Vec::new()))), part(None)]),
        Form::new("shares-row", 1, &[shares()]),
    ];
}
