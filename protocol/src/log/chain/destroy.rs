//! Destroying: the bytes of a payload, or all that an epoch's talk key sealed. Hash and length stay, so that the chain still
//! verifies; with the key gone, only each block's last place and id stay.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use super::extend::put_block;
use super::find::{ChainRef, block_after, block_of, open_block};
use crate::budget::Budget;
use crate::circle::body::KeyClass;
use crate::circle::epoch::KeyRing;
use crate::codec;
use crate::id::{CircleId, EpochId};
use crate::log::LogError;
use crate::log::entry::{Body, EntryAt};
use crate::log::rows::{self, BlockRow, TailRow, place_key};
use crate::log::run::RunHead;
use crate::log::segment::{class_key, hash_and_len};
use crate::log::single::Sealed;
use crate::store::{self, Read, StoreError, Table};
use crate::tx::Tx;

/// Deletes every chain of a circle with its entries; says which numbers they had.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub fn forget(tx: &mut Tx<'_>, circle: &CircleId) -> Result<Vec<u32>, StoreError> {
    let mut numbers = Vec::new();
    for (key, _) in store::all(tx, Table::Chain, &rows::chain_prefix(b'c', circle, None))? {
        let number = rows::number_of(&key)?;
        for table in [Table::Block, Table::Tail] {
            tx.delete_all(table, &number.to_be_bytes())?;
        }
        tx.delete(Table::Chain, &rows::name_key(number));
        tx.delete(Table::Chain, &key);
        numbers.push(number);
    }
    tx.delete_all(Table::Chain, &rows::chain_prefix(b'f', circle, None))?;
    Ok(numbers)
}

/// Destroys the payloads of entries. Those that are not here are no error, and whose key is gone is gone.
///
/// # Errors
/// [`LogError`] where the store fails or is damaged.
pub fn destroy(tx: &mut Tx<'_>, ring: &dyn KeyRing, entries: &[EntryAt]) -> Result<(), LogError> {
    destroy_some(tx, ring, entries, &mut Budget::ENDLESS.clone()).map(drop)
}

/// Destroys as many as the budget allows, each block that holds some of them rewritten once; says which are left.
///
/// # Errors
/// [`LogError`] where the store fails or is damaged.
pub fn destroy_some(
    tx: &mut Tx<'_>,
    ring: &dyn KeyRing,
    entries: &[EntryAt],
    budget: &mut Budget,
) -> Result<Vec<EntryAt>, LogError> {
    let mut chains: BTreeMap<u32, BTreeSet<u64>> = BTreeMap::new();
    for at in entries {
        chains.entry(at.chain).or_default().insert(at.seq);
    }
    let mut left = Vec::new();
    for (number, seqs) in chains {
        let Some((circle, chain)) = rows::named(tx, number)? else { continue };
        let Some(row) = rows::get_chain(tx, &circle, &chain, number)? else { continue };
        let place = ChainRef { circle, chain, number };
        let mut seqs = seqs.into_iter().peekable();
        while let Some(seq) = seqs.next() {
            if seq >= row.tail {
                destroy_single(tx, number, seq)?;
                continue;
            }
            if budget.spent() {
                left.push(EntryAt { chain: number, seq });
                continue;
            }
            budget.look();
            let Some((first, block)) = block_of(tx, number, seq)? else { continue };
            let end = first + u64::from(block.count);
            let mut inside = BTreeSet::from([seq]);
            while let Some(seq) = seqs.next_if(|seq| *seq < end) {
                inside.insert(seq);
            }
            budget.block();
            match destroy_in_block(tx, ring, &place, &block, &inside) {
                Ok(()) | Err(LogError::NoKey(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(left)
}

fn destroy_single(tx: &mut Tx<'_>, number: u32, seq: u64) -> Result<(), StoreError> {
    let key = place_key(number, seq);
    let Some(value) = tx.get(Table::Tail, &key)? else { return Ok(()) };
    let mut row: TailRow = rows::decode(&value, "tail row")?;
    if matches!(row.single.sealed, Sealed::Gone { .. }) {
        return Ok(());
    }
    let (hash, len) = hash_and_len(&row.single.sealed);
    row.single.sealed = Sealed::Gone { hash, len };
    tx.put(Table::Tail, &key, codec::encode(&row));
    Ok(())
}

fn destroy_in_block(
    tx: &mut Tx<'_>,
    ring: &dyn KeyRing,
    place: &ChainRef,
    block: &BlockRow,
    seqs: &BTreeSet<u64>,
) -> Result<(), LogError> {
    if block.run.is_empty() {
        return Ok(());
    }
    let mut piece = open_block(ring, place, block)?;
    let singles = piece.singles(&place.circle, class_key(ring, &piece.head.epoch, &place.chain)?);
    let mut changed = false;
    for ((sheet, single), seq) in piece.sheets.iter_mut().zip(&singles).zip(piece.head.first..) {
        if seqs.contains(&seq) && matches!(sheet.body, Body::Kept { .. }) {
            let (hash, len) = hash_and_len(&single.sealed);
            sheet.body = Body::Gone { hash, len };
            changed = true;
        }
    }
    if changed { put_block(tx, ring, place, &piece, None) } else { Ok(()) }
}

/// Drops everything that an epoch's talk key sealed, once that key is destroyed; says how many entries.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub fn forget_epoch(tx: &mut Tx<'_>, circle: &CircleId, epoch: &EpochId) -> Result<u64, StoreError> {
    let mut forgotten = 0;
    for chain in super::chains(tx, circle)? {
        if chain.id.class != KeyClass::Talk {
            continue;
        }
        let mut seq = chain.first.saturating_sub(1);
        while let Some((first, block)) = block_after(tx, chain.no, seq)? {
            seq = first;
            if !block.run.is_empty() && RunHead::peek(&block.run).is_ok_and(|head| head.epoch == *epoch) {
                forgotten += u64::from(block.count);
                put_stub(tx, chain.no, first, &block);
            }
        }
        let Some(mut row) = rows::get_chain(tx, circle, &chain.id, chain.no)? else { continue };
        if row.tail_len() > 0 && row.epoch == *epoch {
            forgotten += row.tail_len();
            for seq in row.tail..=row.seq {
                tx.delete(Table::Tail, &place_key(chain.no, seq));
            }
            let count = u16::try_from(row.tail_len()).unwrap_or(u16::MAX);
            let block = BlockRow { version: rows::VERSION, count, last: row.head, heads: Vec::new(), run: Vec::new() };
            put_stub(tx, chain.no, row.tail, &block);
            (row.tail, row.tail_before, row.tail_weight) = (row.seq + 1, row.head, 0);
            rows::put_chain(tx, circle, &chain.id, chain.no, &row);
        }
    }
    Ok(forgotten)
}

fn put_stub(tx: &mut Tx<'_>, number: u32, first: u64, block: &BlockRow) {
    let stub = BlockRow { version: rows::VERSION, count: block.count, last: block.last, heads: Vec::new(), run: Vec::new() };
    tx.put(Table::Block, &place_key(number, first), codec::encode(&stub));
}
