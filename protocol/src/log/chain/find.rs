//! Finding entries of a chain: the block or tail that holds one, and its id.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::ops::Range;
use std::sync::Arc;

use crate::circle::body::ChainId;
use crate::circle::epoch::KeyRing;
use crate::id::{CircleId, EntryId};
use crate::log::LogError;
use crate::log::chain_hasher::ChainHasher;
use crate::log::rows::{self, BlockRow, ChainRow, TailRow, corrupt, place_key, seq_of};
use crate::log::run::RunHead;
use crate::log::segment::{Segment, class_key};
use crate::store::{Read, StoreError, Table};

/// Which chain, on this machine and everywhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChainRef {
    pub(super) circle: CircleId,
    pub(super) chain: ChainId,
    pub(super) number: u32,
}

/// The block that holds an entry, with the sequence number of its first.
pub(super) fn block_of(read: &dyn Read, number: u32, seq: u64) -> Result<Option<(u64, BlockRow)>, StoreError> {
    let found = read.scan_back(Table::Block, &number.to_be_bytes(), &place_key(number, seq.saturating_add(1)), 1)?;
    let Some((key, value)) = found.first() else { return Ok(None) };
    let (first, row): (u64, BlockRow) = (seq_of(key)?, rows::decode(value, "block row")?);
    Ok((seq < first.saturating_add(u64::from(row.count))).then_some((first, row)))
}

/// The first block behind a sequence number.
pub(super) fn block_after(read: &dyn Read, number: u32, seq: u64) -> Result<Option<(u64, BlockRow)>, StoreError> {
    let found = read.scan(Table::Block, &number.to_be_bytes(), &place_key(number, seq), 1)?;
    found.first().map(|(key, value)| Ok((seq_of(key)?, rows::decode(value, "block row")?))).transpose()
}

/// A stored block, opened. It was verified when it came.
pub(super) fn open_block(ring: &dyn KeyRing, place: &ChainRef, row: &BlockRow) -> Result<Segment, LogError> {
    let mut piece = Segment::open(None, ring, &place.circle, &row.run)?;
    if piece.last_id() != row.last {
        return Err(corrupt("a block's last id").into());
    }
    piece.heads = Arc::from(row.heads.as_slice());
    Ok(piece)
}

/// The tail from an entry on, opened; `None` where there is none.
pub(super) fn open_tail(
    read: &dyn Read,
    ring: &dyn KeyRing,
    place: &ChainRef,
    row: &ChainRow,
    from: u64,
) -> Result<Option<Segment>, LogError> {
    open_tail_part(read, ring, place, row, from.max(row.tail)..row.seq + 1)
}

/// Some entries of the tail, opened; `None` where the range is empty.
pub(super) fn open_tail_part(
    read: &dyn Read,
    ring: &dyn KeyRing,
    place: &ChainRef,
    row: &ChainRow,
    range: Range<u64>,
) -> Result<Option<Segment>, LogError> {
    let from = range.start;
    let len = usize::try_from(range.end.saturating_sub(from)).unwrap_or(usize::MAX);
    if len == 0 {
        return Ok(None);
    }
    let key = class_key(ring, &row.epoch, &place.chain)?;
    let previous = tail_id(read, place, row, from - 1)?;
    let found = read.scan(Table::Tail, &place.number.to_be_bytes(), &place_key(place.number, from - 1), len)?;
    let tail: Vec<TailRow> = found.iter().map(|(_, value)| rows::decode(value, "tail row")).collect::<Result<_, StoreError>>()?;
    let (Some(first), Some(previous), true) = (tail.first(), previous, tail.len() == len) else {
        return Err(corrupt("a chain's tail").into());
    };
    let head = RunHead { chain: place.chain, epoch: row.epoch, first: from, previous };
    let walker = ChainHasher::new(&place.circle, &place.chain, row.epoch, key, from, previous);
    let heads = Arc::from(first.heads.as_slice());
    let ids = tail.iter().map(|row| row.id).collect();
    let signatures = tail.iter().enumerate().filter_map(|(index, row)| Some((index, row.signature?))).collect();
    let piece = Segment { head, sheets: Vec::new(), ids, sealed: Vec::new(), signatures, heads };
    Ok(Some(piece.with_singles(walker, tail.into_iter().map(|row| row.single).collect())))
}

/// The last entry of the tail between these two that carries a signature.
pub(super) fn last_signed(read: &dyn Read, number: u32, from: u64, to: u64) -> Result<Option<u64>, LogError> {
    let len = usize::try_from(to.saturating_sub(from).saturating_add(1)).unwrap_or(usize::MAX);
    let found = read.scan(Table::Tail, &number.to_be_bytes(), &place_key(number, from - 1), len)?;
    for (key, value) in found.iter().rev() {
        if rows::decode::<TailRow>(value, "tail row")?.signature.is_some() {
            return Ok(Some(seq_of(key)?));
        }
    }
    Ok(None)
}

/// The id of a tail entry, or of the entry before the tail.
fn tail_id(read: &dyn Read, place: &ChainRef, row: &ChainRow, seq: u64) -> Result<Option<EntryId>, LogError> {
    if seq + 1 == row.tail {
        return Ok(Some(row.tail_before));
    }
    let value = read.get(Table::Tail, &place_key(place.number, seq))?;
    Ok(value.map(|value| rows::decode::<TailRow>(&value, "tail row")).transpose()?.map(|row| row.id))
}

/// The piece that holds an entry; `None` where it is not here or its key is gone.
pub(super) fn piece_of(
    read: &dyn Read,
    ring: &dyn KeyRing,
    place: &ChainRef,
    row: &ChainRow,
    seq: u64,
) -> Result<Option<Segment>, LogError> {
    if seq >= row.tail && seq <= row.seq {
        return open_tail(read, ring, place, row, row.tail);
    }
    match block_of(read, place.number, seq)? {
        Some((_, block)) if !block.run.is_empty() => open_block(ring, place, &block).map(Some),
        _ => Ok(None),
    }
}

/// What can be said of an entry's id without opening a block.
pub(super) enum AtHand {
    Known(EntryId),
    /// It is not known here.
    Unknown,
    /// It stands in this block.
    Inside(BlockRow),
}

/// An entry's id, as far as no block has to be opened for it: the ends of blocks, and the tail.
pub(super) fn at_hand(read: &dyn Read, place: &ChainRef, row: &ChainRow, seq: u64) -> Result<AtHand, LogError> {
    let known = |id: Option<EntryId>| id.map_or(AtHand::Unknown, AtHand::Known);
    if seq == row.seq {
        return Ok(AtHand::Known(row.head));
    }
    if seq.checked_add(1) == Some(row.first) {
        return Ok(AtHand::Known(row.before));
    }
    if seq < row.first || seq > row.seq {
        return Ok(AtHand::Unknown);
    }
    if seq + 1 >= row.tail {
        return Ok(known(tail_id(read, place, row, seq)?));
    }
    Ok(match block_of(read, place.number, seq)? {
        Some((first, block)) if first + u64::from(block.count) == seq + 1 => AtHand::Known(block.last),
        Some((_, block)) if !block.run.is_empty() => AtHand::Inside(block),
        _ => AtHand::Unknown,
    })
}

/// An entry's id; `None` where it is not known here.
pub(super) fn id_at(
    read: &dyn Read,
    ring: &dyn KeyRing,
    place: &ChainRef,
    row: &ChainRow,
    seq: u64,
) -> Result<Option<EntryId>, LogError> {
    match at_hand(read, place, row, seq)? {
        AtHand::Known(id) => Ok(Some(id)),
        AtHand::Unknown => Ok(None),
        AtHand::Inside(block) => match open_block(ring, place, &block) {
            Ok(piece) => Ok(piece.id_at(seq)),
            Err(LogError::NoKey(_)) => Ok(None),
            Err(error) => Err(error),
        },
    }
}
