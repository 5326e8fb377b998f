//! How items stand in the store: a small row per item, a smaller one in its list, and the marks of this machine.
//!
//! No row holds a word anybody wrote. Units: moments in milliseconds, `arrived` counts items as they came.

use minicbor::{Decode, Encode};

use super::kind::Kind;
use crate::circle::body::Retention;
use crate::codec;
use crate::id::{CircleId, ItemKey};
use crate::log::entry::EntryAt;
use crate::store::{Read, StoreError, Table};
use crate::time::Millis;
use crate::tx::Tx;

/// The only version so far.
const VERSION: u8 = 1;

/// The first 8 bytes of a circle's id: enough among the few circles of one machine, since ids are hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub(super) struct Tag(#[cbor(with = "minicbor::bytes")] pub(super) [u8; 8]);

impl Tag {
    pub(super) fn of(circle: &CircleId) -> Self {
        let mut tag = [0; 8];
        tag.copy_from_slice(circle.0.split_at(8).0);
        Self(tag)
    }
}

/// What holds of an item on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub(super) struct Flags(#[n(0)] u32);

impl Flags {
    /// Its first edit is by the member of this machine.
    pub(super) const MINE: u32 = 1;
    /// Seen here, by itself.
    pub(super) const SEEN: u32 = 1 << 1;
    /// Its first edit is here, and stands.
    pub(super) const READY: u32 = 1 << 2;
    /// A tombstone stands.
    pub(super) const REMOVED: u32 = 1 << 3;
    /// A facilitator hid it.
    pub(super) const HIDDEN: u32 = 1 << 4;
    /// A facilitator pinned it.
    pub(super) const PINNED: u32 = 1 << 5;
    /// All of it lies beyond a cut.
    pub(super) const HELD: u32 = 1 << 6;
    /// Entries came that are not put together with the rest yet: it shows as it was.
    pub(super) const UNBUILT: u32 = 1 << 7;
    /// Past its retention.
    pub(super) const EXPIRED: u32 = 1 << 8;
    /// Its bytes are destroyed.
    pub(super) const GONE: u32 = 1 << 9;
    /// Some of its entries wait for others.
    pub(super) const WAITING: u32 = 1 << 10;
    /// With [`Self::GONE`]: nobody decided so here; all that is known of it came destroyed, or rests on what did.
    pub(super) const LOST: u32 = 1 << 11;

    /// A mark that says yes: `now`, or `on`.
    pub(super) const SAYS: u32 = 1 << 12;
    /// A mark whose author created what it is about.
    pub(super) const OWN: u32 = 1 << 13;
    /// Of one entry, with a text so long that a list shows its start from a row of its own.
    pub(super) const LONG: u32 = 1 << 14;
    /// It ends later than its label says: what lies before its first words is younger than that.
    pub(super) const RAISED: u32 = 1 << 15;
    /// A tombstone that was taken back in time.
    pub(super) const LIFTED: u32 = 1 << 16;

    /// All of them.
    const ALL: [u32; 17] = [
        Self::MINE,
        Self::SEEN,
        Self::READY,
        Self::REMOVED,
        Self::HIDDEN,
        Self::PINNED,
        Self::HELD,
        Self::UNBUILT,
        Self::EXPIRED,
        Self::GONE,
        Self::WAITING,
        Self::LOST,
        Self::SAYS,
        Self::OWN,
        Self::LONG,
        Self::RAISED,
        Self::LIFTED,
    ];

    pub(super) const fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }

    pub(super) const fn set(&mut self, flag: u32, on: bool) {
        if on { self.0 |= flag } else { self.0 &= !flag }
    }
}

/// No two flags share a bit: then one would be taken for the other.
const _: () = {
    let (mut seen, mut at) = (0, 0);
    while at < Flags::ALL.len() {
        assert!(seen & Flags::ALL[at] == 0, "two flags share a bit");
        seen |= Flags::ALL[at];
        at += 1;
    }
};

/// An entry of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct Slot {
    /// Where the log has it.
    #[n(0)]
    pub(super) at: EntryAt,
    /// Beyond a cut.
    #[n(1)]
    pub(super) held: bool,
}

/// An item on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct ItemRow {
    #[n(0)]
    version: u8,
    /// Which circle.
    #[n(1)]
    pub(super) circle: Tag,
    /// [`Kind::number`]; 0 while its first edit is not here.
    #[n(2)]
    pub(super) kind: u8,
    /// What holds of it.
    #[n(3)]
    pub(super) flags: Flags,
    /// Its creator's clock.
    #[n(4)]
    pub(super) created: Millis,
    /// Its place among the items as they came, from 1; 0: one's own.
    #[n(5)]
    pub(super) arrived: u64,
    /// Its entries, as they came.
    #[n(6)]
    pub(super) slots: Vec<Slot>,
    /// How long it is kept.
    #[n(7)]
    pub(super) retention: Retention,
    /// The item it is about.
    #[n(8)]
    pub(super) parent: Option<ItemKey>,
    /// When its bytes are to be destroyed.
    #[n(9)]
    pub(super) due: Option<Millis>,
    /// Its number in the word index, from 1; 0: it never was in it.
    #[n(10)]
    pub(super) number: u64,
    /// Since when this machine's clock says that its time is over, while that alone has hidden it.
    #[n(11)]
    pub(super) over: Option<Millis>,
    /// What others have changed since somebody looked at it here.
    #[n(12)]
    pub(super) changed: Option<Unseen>,
}

/// A change of an item that was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct Unseen {
    /// The newest one's place among the items as they came.
    #[n(0)]
    pub(super) arrived: u64,
    /// The first entry that nobody saw here.
    #[n(1)]
    pub(super) from: EntryAt,
}

impl ItemRow {
    pub(super) const fn new(circle: Tag) -> Self {
        Self {
            version: VERSION,
            circle,
            kind: 0,
            flags: Flags(0),
            created: Millis(0),
            arrived: 0,
            slots: Vec::new(),
            retention: Retention::Keep,
            parent: None,
            due: None,
            number: 0,
            over: None,
            changed: None,
        }
    }

    /// Where `Local` says when time is to look at it next.
    pub(super) fn plan(&self, key: &ItemKey) -> Option<Vec<u8>> {
        if self.flags.has(Flags::GONE) {
            return None;
        }
        match self.over.filter(|_| !self.flags.has(Flags::REMOVED)) {
            Some(since) => Some(local::over(since, key)),
            None => self.due.map(|due| local::due(due, key)),
        }
    }

    /// Its kind, once its first edit is here.
    pub(super) fn kind(&self) -> Option<Kind> {
        Kind::of(self.kind)
    }

    /// Does it stand in its list? A mark does as long as it is there: what it is about is over no later.
    pub(super) fn listed(&self) -> bool {
        let out = Flags::REMOVED | Flags::HELD | Flags::GONE | Flags::LIFTED;
        let over = self.flags.has(Flags::EXPIRED) && !self.kind().is_some_and(Kind::is_mark);
        self.flags.has(Flags::READY) && !self.flags.has(out) && !over
    }

    /// Is it one of the items that people would count: listed, and no mark about another?
    pub(super) fn counts(&self) -> bool {
        self.listed() && !self.kind().is_some_and(Kind::is_mark)
    }

    /// Past its retention, or about to be found so.
    pub(super) const fn expired(&self, now: Millis) -> bool {
        self.flags.has(Flags::EXPIRED)
            || matches!((self.due, self.flags.has(Flags::REMOVED)), (Some(due), false) if due.0 <= now.0)
    }

    /// Is there nothing yet that somebody saw of it here? `mark`: up to where everything is seen.
    pub(super) const fn is_new(&self, mark: u64) -> bool {
        self.arrived > mark && !self.flags.has(Flags::SEEN | Flags::MINE)
    }

    /// The change that nobody saw here.
    pub(super) fn unseen(&self, mark: u64) -> Option<Unseen> {
        self.changed.filter(|changed| changed.arrived > mark)
    }

    /// Its key in `View`.
    pub(super) fn view_key(&self, key: &ItemKey) -> Vec<u8> {
        let mut out = view_prefix(self.circle, self.kind, self.parent.as_ref());
        out.extend(self.created.0.to_be_bytes());
        out.extend(key.0);
        out
    }

    /// Its value in `View`: when it arrived, or was changed last; of marks what they say, so that a target is settled without looking at each.
    pub(super) fn view_value(&self) -> Vec<u8> {
        let says = u64::from(self.flags.0 & (Flags::SAYS | Flags::OWN));
        let arrived = self.changed.map_or(self.arrived, |changed| changed.arrived.max(self.arrived));
        codec::encode(&if self.kind().is_some_and(Kind::is_mark) { says } else { arrived })
    }

    pub(super) fn get(read: &dyn Read, key: &ItemKey) -> Result<Option<Self>, StoreError> {
        read.get(Table::Item, &key.0)?.map(|bytes| Self::read(&bytes)).transpose()
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        let row: Self = codec::decode(bytes, "item row").map_err(|error| StoreError::Corrupt(error.to_string()))?;
        if row.version == VERSION { Ok(row) } else { Err(StoreError::Corrupt("item row of a newer form".to_owned())) }
    }

    pub(super) fn put(&self, tx: &mut Tx<'_>, key: &ItemKey) {
        tx.put(Table::Item, &key.0, codec::encode(self));
    }
}

/// Keys of a kind in `View`, or of those about one item.
pub(super) fn view_prefix(circle: Tag, kind: u8, parent: Option<&ItemKey>) -> Vec<u8> {
    let mut out = circle.0.to_vec();
    out.push(kind);
    out.extend(parent.iter().flat_map(|parent| parent.0));
    out
}

/// The item a key in `View` stands for.
pub(super) fn view_item(key: &[u8]) -> Result<ItemKey, StoreError> {
    let tail = key.len().checked_sub(16).and_then(|at| key.get(at..)).and_then(|tail| tail.try_into().ok());
    tail.map(ItemKey).ok_or_else(|| StoreError::Corrupt("view key".to_owned()))
}

/// What a mark's value in `View` says.
pub(super) fn view_says(value: &[u8]) -> Result<Flags, StoreError> {
    let says: u64 = codec::decode(value, "view row").map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(Flags(u32::try_from(says).unwrap_or_default()))
}

/// The parent in the key of a child in `View`.
pub(super) fn view_parent(key: &[u8]) -> Option<ItemKey> {
    key.get(9..25).and_then(|parent| parent.try_into().ok()).map(ItemKey)
}

/// Rows of `Local` that belong to this room.
pub(super) mod local {
    use super::{ItemKey, Millis, Tag};

    /// How many items came, per circle.
    pub(in crate::item) fn arrived(circle: Tag) -> Vec<u8> {
        [b"item/arrived/".as_slice(), &circle.0].concat()
    }

    /// Up to where everything is seen, per circle.
    pub(in crate::item) fn seen(circle: Tag) -> Vec<u8> {
        [b"item/seen/".as_slice(), &circle.0].concat()
    }

    /// How many entries were refused.
    pub(in crate::item) const REFUSED: &[u8] = b"item/refused/";

    /// The same, of one circle.
    pub(in crate::item) fn refused(circle: Tag) -> Vec<u8> {
        [REFUSED, &circle.0].concat()
    }

    /// Items of which something is of a form that this program does not know.
    pub(in crate::item) const NEWER: &[u8] = b"item/newer/";

    /// Those of one circle.
    pub(in crate::item) fn all_newer(circle: Tag) -> Vec<u8> {
        [NEWER, &circle.0].concat()
    }

    /// One of them.
    pub(in crate::item) fn newer(circle: Tag, key: &ItemKey) -> Vec<u8> {
        [NEWER, &circle.0, &key.0].concat()
    }

    /// The last number given in the word index.
    pub(in crate::item) const NUMBERS: &[u8] = b"item/numbers";

    /// What imports brought.
    pub(in crate::item) const IMPORT: &[u8] = b"item/import/";

    /// The same, of one import.
    pub(in crate::item) fn import(id: &[u8; 10]) -> Vec<u8> {
        [IMPORT, id.as_slice()].concat()
    }

    /// The form of the words that are indexed.
    pub(in crate::item) const FORM: &[u8] = b"item/form";

    /// Items whose words are still to be indexed.
    pub(in crate::item) const UNINDEXED: &[u8] = b"item/unindexed/";

    /// Some of a circle, by the number of the first.
    pub(in crate::item) fn unindexed(circle: Tag, first: u64) -> Vec<u8> {
        [UNINDEXED, &circle.0, &first.to_be_bytes()].concat()
    }

    /// Items that are still to be put together.
    pub(in crate::item) const UNBUILT: &[u8] = b"item/unbuilt/";

    /// One of a circle.
    pub(in crate::item) fn unbuilt(circle: Tag, key: &ItemKey) -> Vec<u8> {
        [UNBUILT, &circle.0, &key.0].concat()
    }

    /// How many items stand in lists.
    pub(in crate::item) const LISTED: &[u8] = b"item/listed/";

    /// The same, of one circle.
    pub(in crate::item) fn listed(circle: Tag) -> Vec<u8> {
        [LISTED, &circle.0].concat()
    }

    /// Items whose bytes are to be destroyed, by when.
    pub(in crate::item) const DUE: &[u8] = b"item/due/";

    /// One of them.
    pub(in crate::item) fn due(when: Millis, key: &ItemKey) -> Vec<u8> {
        [DUE, &when.0.to_be_bytes(), &key.0].concat()
    }

    /// Items that this machine's clock alone has hidden, by since when; with their circle's tag.
    pub(in crate::item) const OVER: &[u8] = b"item/over/";

    /// One of them.
    pub(in crate::item) fn over(since: Millis, key: &ItemKey) -> Vec<u8> {
        [OVER, &since.0.to_be_bytes(), &key.0].concat()
    }

    /// Since when.
    pub(in crate::item) fn over_since(key: &[u8]) -> Option<Millis> {
        key.get(OVER.len()..)?.first_chunk().map(|bytes| Millis(u64::from_be_bytes(*bytes)))
    }

    /// All of them are to be judged again.
    pub(in crate::item) const OVER_AGAIN: &[u8] = b"item/over-again";
}

/// A counter of this room in `Local`; absent is 0.
pub(super) fn counter(read: &dyn Read, key: &[u8]) -> Result<u64, StoreError> {
    let Some(bytes) = read.get(Table::Local, key)? else { return Ok(0) };
    codec::decode(&bytes, "counter").map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Writes a counter.
pub(super) fn set_counter(tx: &mut Tx<'_>, key: &[u8], value: u64) {
    tx.put(Table::Local, key, codec::encode(&value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frozen_bytes_of_a_one_entry_note() {
        let mut row = ItemRow::new(Tag([1; 8]));
        row.kind = Kind::Note.number();
        row.flags.set(Flags::READY, true);
        row.created = Millis(1_795_359_600_000);
        row.arrived = 5;
        row.slots.push(Slot { at: EntryAt { chain: 3, seq: 400 }, held: false });
        let bytes = codec::encode(&row);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "8b0148010101010101010101041b000001a203c56d8005818282031901 90f4820080f6f600".replace(' ', ""));
        assert_eq!(ItemRow::read(&bytes), Ok(row));
    }
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::circle::body::Retention;
    use crate::frozen::{Form, frozen};

    fn full() -> ItemRow {
        let mut row = ItemRow::new(Tag([1; 8]));
        row.kind = 1;
        row.flags.set(Flags::READY | Flags::LONG, true);
        (row.created, row.arrived, row.number) = (Millis(1_795_359_600_000), 5, 300);
        row.slots =
            vec![Slot { at: EntryAt { chain: 3, seq: 400 }, held: false }, Slot { at: EntryAt { chain: 4, seq: 1 }, held: true }];
        row.retention = Retention::Days(90);
        (row.parent, row.due) = (Some(ItemKey([9; 16])), Some(Millis(1_803_135_600_000)));
        row.over = Some(Millis(1_803_135_700_000));
        row.changed = Some(Unseen { arrived: 301, from: EntryAt { chain: 4, seq: 1 } });
        row
    }

    frozen![
        Form::new("item-row", 1, &[ItemRow::new(Tag([1; 8])), full()]),
        // Values of `View`, and the counters in `Local`.
        Form::new("counter", 1, &[0_u64, 300]),
    ];
}
