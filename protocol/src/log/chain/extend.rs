//! Adding verified entries to a chain's end: as a block where they are many, else one by one; full tails become blocks.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::sync::Arc;

use super::find::{ChainRef, open_tail};
use crate::circle::epoch::KeyRing;
use crate::codec;
use crate::limits;
use crate::log::LogError;
use crate::log::rows::{self, BlockRow, ChainRow, TailRow, place_key};
use crate::log::run::RunForm;
use crate::log::segment::{Segment, class_key};
use crate::log::single::Single;
use crate::store::Table;
use crate::tx::Tx;

/// Adds a piece that continues the chain (or leaves a gap that `row` does not know yet). `run`: the piece as it came, if it
/// came as a block.
pub(super) fn extend(
    tx: &mut Tx<'_>,
    ring: &dyn KeyRing,
    place: &ChainRef,
    row: &mut ChainRow,
    piece: &Segment,
    run: Option<&[u8]>,
) -> Result<(), LogError> {
    let (len, weight) = (piece.len(), piece.weight());
    let follows = piece.head.first == row.seq + 1 && piece.head.epoch == row.epoch;
    let fits = usize::try_from(row.tail_len()).is_ok_and(|tail| tail + len <= limits::BLOCK_ENTRIES)
        && usize::try_from(row.tail_weight).is_ok_and(|tail| tail + weight <= limits::BLOCK_BYTES);
    let mut joined = None;
    if row.tail_len() > 0 && !(follows && fits) {
        fold(tx, ring, place, row)?;
    } else if row.tail_len() > 0 && len >= limits::BLOCK_DIRECT {
        joined = join(tx, ring, place, row, piece)?;
    }
    let run = if joined.is_some() { None } else { run };
    let piece = joined.as_ref().unwrap_or(piece);
    if row.tail_len() == 0 {
        (row.tail, row.tail_before, row.tail_weight) = (piece.head.first, piece.head.previous, 0);
    }
    (row.seq, row.head, row.epoch) = (piece.last(), piece.last_id(), piece.head.epoch);
    row.heads = piece.heads_at(piece.len().saturating_sub(1)).to_vec();
    if piece.len() >= limits::BLOCK_DIRECT {
        put_block(tx, ring, place, piece, run)?;
        (row.tail, row.tail_before, row.tail_weight) = (row.seq + 1, row.head, 0);
    } else {
        row.tail_weight += weight as u64;
        put_tail(tx, place, piece);
        if row.tail_len() >= limits::BLOCK_ENTRIES as u64 {
            fold(tx, ring, place, row)?;
        }
    }
    Ok(())
}

/// Makes a block of the tail. Where the tail's key is gone, only its end stays.
pub(super) fn fold(tx: &mut Tx<'_>, ring: &dyn KeyRing, place: &ChainRef, row: &mut ChainRow) -> Result<(), LogError> {
    match open_tail(tx, ring, place, row, row.tail) {
        Ok(Some(piece)) => put_block(tx, ring, place, &piece, None)?,
        Ok(None) => return Ok(()),
        Err(LogError::NoKey(_)) => {
            let count = u16::try_from(row.tail_len()).unwrap_or(u16::MAX);
            let stub = BlockRow { version: rows::VERSION, count, last: row.head, heads: Vec::new(), run: Vec::new() };
            tx.put(Table::Block, &place_key(place.number, row.tail), codec::encode(&stub));
        }
        Err(error) => return Err(error),
    }
    delete_tail(tx, place, row);
    (row.tail, row.tail_before, row.tail_weight) = (row.seq + 1, row.head, 0);
    Ok(())
}

/// The tail and what follows it, as one piece; the tail's rows are deleted. Its weight was found to fit.
fn join(
    tx: &mut Tx<'_>,
    ring: &dyn KeyRing,
    place: &ChainRef,
    row: &ChainRow,
    piece: &Segment,
) -> Result<Option<Segment>, LogError> {
    let Some(mut joined) = open_tail(tx, ring, place, row, row.tail)? else { return Ok(None) };
    let offset = joined.len();
    joined.signatures = piece.signatures.iter().map(|(index, signature)| (index + offset, *signature)).collect();
    joined.sheets.extend(piece.sheets.iter().cloned());
    joined.ids.extend(&piece.ids);
    joined.sealed = Vec::new();
    delete_tail(tx, place, row);
    Ok(Some(joined))
}

fn delete_tail(tx: &mut Tx<'_>, place: &ChainRef, row: &ChainRow) {
    for seq in row.tail..=row.seq {
        tx.delete(Table::Tail, &place_key(place.number, seq));
    }
}

/// Writes a block: as it came, or joined here.
pub(super) fn put_block(
    tx: &mut Tx<'_>,
    ring: &dyn KeyRing,
    place: &ChainRef,
    piece: &Segment,
    run: Option<&[u8]>,
) -> Result<(), LogError> {
    let run = match run {
        Some(run) => run.to_vec(),
        None => piece.run(&place.circle, class_key(ring, &piece.head.epoch, &place.chain)?, RunForm::Block)?,
    };
    let named = piece.sheets.first().is_some_and(|sheet| sheet.meta.heads.is_some());
    let heads = if named { Vec::new() } else { piece.heads.to_vec() };
    let count = u16::try_from(piece.len()).unwrap_or(u16::MAX);
    let row = BlockRow { version: rows::VERSION, count, last: piece.last_id(), heads, run };
    tx.put(Table::Block, &place_key(place.number, piece.head.first), codec::encode(&row));
    Ok(())
}

fn put_tail(tx: &mut Tx<'_>, place: &ChainRef, piece: &Segment) {
    let mut heads = Arc::clone(&piece.heads);
    let mut signatures = piece.signatures.iter().peekable();
    for (index, ((sheet, sealed), id)) in piece.sheets.iter().zip(&piece.sealed).zip(&piece.ids).enumerate() {
        let inherited = match &sheet.meta.heads {
            Some(named) => {
                heads = Arc::clone(named);
                Vec::new()
            }
            None => heads.to_vec(),
        };
        let signature = signatures.next_if(|(at, _)| *at == index).map(|(_, signature)| *signature);
        let single = Single::new(&sheet.meta, sealed.clone());
        let row = TailRow { version: rows::VERSION, id: *id, single, heads: inherited, signature };
        tx.put(Table::Tail, &place_key(place.number, piece.head.first + index as u64), codec::encode(&row));
    }
}
