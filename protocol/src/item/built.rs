//! What an item of several entries says, as one derived row: so that lists never put anything together.
//!
//! The row is a function of the item's standing entries, whose set it names, and is written where they change. A long text lies in
//! a row of its own, which lists do not read. Both go when the item's bytes go.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use minicbor::{Decode, Encode};

use super::fields::Fields;
use super::kind::{Kind, fields};
use super::load::{LoadedItem, Move};
use crate::circle::body::Retention;
use crate::codec;
use crate::id::{EntryId, ItemId, ItemKey, PersonId};
use crate::limits::LIST_TEXT;
use crate::log::entry::EntryAt;
use crate::private::Private;
use crate::store::{Read, StoreError, Table};
use crate::time::Millis;
use crate::tx::Tx;

/// The only version so far.
const VERSION: u8 = 1;
/// The kinds of rows under an item's key. Those of [`super::parts`] come behind them.
const WORDS: u8 = 0;
const TEXT: u8 = 1;

/// An item as its entries made it.
#[derive(Debug, Encode, Decode)]
#[cbor(array)]
struct BuiltRow {
    #[n(0)]
    version: u8,
    /// The set of entries that it was made of.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    of: [u8; 32],
    #[n(2)]
    item: ItemId,
    #[n(3)]
    kind: u8,
    #[n(4)]
    about: Option<ItemId>,
    #[n(5)]
    created: Millis,
    #[n(6)]
    edited: Option<Millis>,
    #[n(7)]
    retention: Retention,
    /// How many entries made it.
    #[n(8)]
    count: u64,
    /// The last of them that this machine's member wrote.
    #[n(9)]
    mine: Option<EntryAt>,
    #[n(10)]
    waiting: bool,
    #[n(11)]
    fields: Fields,
    /// Its text goes on in a row of its own.
    #[n(12)]
    more: bool,
    /// The entries that a next edit depends on; absent in rows of earlier programs.
    #[n(13)]
    heads: Option<Vec<EntryId>>,
    /// Who edited it last.
    #[n(14)]
    edited_by: Option<PersonId>,
    /// The last change of what answers are about.
    #[n(15)]
    moved: Option<Move>,
}

/// Names a set of entries, given in any order.
fn set_of(whole: &LoadedItem) -> [u8; 32] {
    let mut ids: Vec<EntryId> = whole.steps.iter().map(|step| step.id).collect();
    ids.sort_unstable();
    let parts: Vec<&[u8]> = ids.iter().map(|id| id.0.as_slice()).collect();
    crate::crypto::hash("kith/v1/built", &parts)
}

/// Writes what an item says; nothing where the same entries made what is there. `text`: all of it; else the rest of a long text is
/// where it was, in the only entry.
pub(super) fn put(tx: &mut Tx<'_>, key: &ItemKey, whole: &LoadedItem, text: bool) -> Result<(), StoreError> {
    let (of, all) = (set_of(whole), text);
    if let Some(row) = read_row(tx, key)?.filter(|row| row.of == of && row.waiting == whole.waiting && row.heads.is_some())
        && (!row.more || tx.get(Table::Built, &place(key, TEXT))?.is_some() == all)
    {
        return Ok(());
    }
    let mut shown = whole.fields.clone();
    let text = shown.words(fields::BODY);
    let start: String = text.chars().take(LIST_TEXT).collect();
    let more = start.len() < text.len();
    if more && all {
        tx.put(Table::Built, &place(key, TEXT), codec::encode(&Private(text.to_owned())));
    } else {
        tx.delete(Table::Built, &place(key, TEXT));
    }
    if more {
        shown.set_text(fields::BODY, start);
    }
    let row = BuiltRow {
        version: VERSION,
        of,
        item: whole.item,
        kind: whole.kind.number(),
        about: whole.about,
        created: whole.created,
        edited: whole.edited,
        retention: whole.retention,
        count: whole.count as u64,
        mine: whole.mine,
        waiting: whole.waiting,
        fields: shown,
        more,
        heads: Some(whole.heads()),
        edited_by: whole.edited_by,
        moved: whole.moved,
    };
    tx.put(Table::Built, &place(key, WORDS), codec::encode(&row));
    Ok(())
}

/// Takes out what an item said: its entries do not stand any more, or others do.
pub(super) fn forget(tx: &mut Tx<'_>, key: &ItemKey) {
    tx.delete(Table::Built, &place(key, WORDS));
    tx.delete(Table::Built, &place(key, TEXT));
}

/// What an item says. Without `text`, no more of a long one than its start.
pub(super) fn get(read: &dyn Read, key: &ItemKey, text: bool) -> Result<Option<LoadedItem>, StoreError> {
    let Some(row) = read_row(read, key)? else { return Ok(None) };
    let Some(kind) = Kind::of(row.kind) else { return Ok(None) };
    let mut whole = LoadedItem {
        kind,
        item: row.item,
        about: row.about,
        created: row.created,
        edited: row.edited,
        edited_by: row.edited_by,
        moved: row.moved,
        retention: row.retention,
        fields: row.fields,
        count: usize::try_from(row.count).unwrap_or(usize::MAX),
        mine: row.mine,
        waiting: row.waiting,
        cut: row.more && !text,
        steps: Vec::new(),
        doc: None,
        heads: row.heads,
    };
    if row.more && text {
        let bytes = read.get(Table::Built, &place(key, TEXT))?;
        let bytes = bytes.ok_or_else(|| StoreError::Corrupt("the rest of a text".to_owned()))?;
        let Private(all): Private<String> =
            codec::decode(&bytes, "text of an item").map_err(|error| StoreError::Corrupt(error.to_string()))?;
        whole.fields.set_text(fields::BODY, all);
    }
    Ok(Some(whole))
}

fn read_row(read: &dyn Read, key: &ItemKey) -> Result<Option<BuiltRow>, StoreError> {
    let Some(bytes) = read.get(Table::Built, &place(key, WORDS))? else { return Ok(None) };
    let row: BuiltRow = codec::decode(&bytes, "built row").map_err(|error| StoreError::Corrupt(error.to_string()))?;
    if row.version == VERSION { Ok(Some(row)) } else { Err(StoreError::Corrupt("built row of a newer form".to_owned())) }
}

fn place(key: &ItemKey, what: u8) -> Vec<u8> {
    let mut out = key.0.to_vec();
    out.push(what);
    out
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::frozen::{Form, frozen};
    use crate::item::edit::{Edit, Op, Value};

    fn fields() -> Fields {
        let words = |words: &str| Private(words.to_owned());
        let ops = vec![
            Op::Set(0, Value::text("On-call")),
            Op::Set(6, Value::Moment(1_795_359_600_000)),
            Op::Insert(1, None, words("Three nights.")),
            Op::Add(5, words("night")),
        ];
        super::super::fields::view_of_one(Kind::Event, &Edit::opening(Millis(1_795_359_600_000), None, ops))
    }

    fn row(full: bool) -> BuiltRow {
        let item = |byte| ItemId { creator: PersonId([2; 32]), nonce: [byte; 16] };
        BuiltRow {
            version: VERSION,
            of: [18; 32],
            item: item(8),
            kind: 1,
            about: full.then(|| item(28)),
            created: Millis(1_795_359_600_000),
            edited: full.then_some(Millis(1_795_359_700_000)),
            retention: Retention::Days(90),
            count: 2,
            mine: full.then_some(EntryAt { chain: 3, seq: 400 }),
            waiting: full,
            fields: if full { fields() } else { Fields::default() },
            more: full,
            heads: full.then(|| vec![EntryId([19; 32])]),
            edited_by: full.then_some(PersonId([2; 32])),
            moved: full.then_some(Move { at: Millis(1_795_359_700_000), by: PersonId([2; 32]) }),
        }
    }

    frozen![
        Form::new("built-row", 1, &[row(true), row(false)]),
        Form::new("built-text", 1, &[Private("All of a long text.".to_owned())]),
    ];
}
