//! Serving: the next run of a chain for somebody who knows it up to a place.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeSet;

use super::find::{Place, block_after, block_of, open_block, open_tail};
use crate::circle::body::ChainId;
use crate::circle::epoch::KeyRing;
use crate::id::{CircleId, EpochId};
use crate::log::LogError;
use crate::log::piece::{Piece, class_key};
use crate::log::rows::{self, BlockRow, ChainRow};
use crate::log::run::{Form, RunHead};
use crate::store::Read;

/// A run to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Served {
    /// Its bytes.
    pub run: Vec<u8>,
    /// Sequence number of its first entry.
    pub first: u64,
    /// Sequence number of its last entry: ask for what comes after it next.
    pub last: u64,
    /// Entries before it were left out: the asker may not open them, or they are not kept here.
    pub skipped: bool,
}

impl std::fmt::Debug for Served {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "run of {} to {}, {} bytes", self.first, self.last, self.run.len())
    }
}

/// The next run of a chain behind `after`, of about `max_bytes` (at least one signed batch); of its first branch where it has
/// several. `talk_epochs`: the epochs whose talk keys the asker holds, for a chain of that class.
///
/// # Errors
/// [`LogError`] where the store fails or is damaged.
pub fn serve(
    read: &dyn Read,
    ring: &dyn KeyRing,
    circle: &CircleId,
    chain: &ChainId,
    after: u64,
    max_bytes: usize,
    talk_epochs: Option<&BTreeSet<EpochId>>,
) -> Result<Option<Served>, LogError> {
    match rows::branches(read, circle, chain)?.into_iter().next() {
        None => Ok(None),
        Some((number, row)) => {
            let place = Place { circle: *circle, chain: *chain, number };
            Serving { read, ring, place, row, max_bytes, talk_epochs, form: None }.after(after)
        }
    }
}

/// Like [`serve`], of the branch with this local number; what lies before its beginning is in its parent.
///
/// # Errors
/// [`LogError`] where the store fails or is damaged.
pub fn serve_branch(
    read: &dyn Read,
    ring: &dyn KeyRing,
    branch: u32,
    after: u64,
    max_bytes: usize,
    talk_epochs: Option<&BTreeSet<EpochId>>,
) -> Result<Option<Served>, LogError> {
    serve_number(read, ring, branch, after, max_bytes, talk_epochs, None)
}

/// Like [`serve_branch`], entry by entry: for whom a joined run failed, so that the bad entry is named.
///
/// # Errors
/// [`LogError`] where the store fails or is damaged.
pub fn serve_single(
    read: &dyn Read,
    ring: &dyn KeyRing,
    branch: u32,
    after: u64,
    max_bytes: usize,
    talk_epochs: Option<&BTreeSet<EpochId>>,
) -> Result<Option<Served>, LogError> {
    serve_number(read, ring, branch, after, max_bytes, talk_epochs, Some(Form::Single))
}

fn serve_number(
    read: &dyn Read,
    ring: &dyn KeyRing,
    number: u32,
    after: u64,
    max_bytes: usize,
    talk_epochs: Option<&BTreeSet<EpochId>>,
    form: Option<Form>,
) -> Result<Option<Served>, LogError> {
    let Some((circle, chain)) = rows::named(read, number)? else { return Ok(None) };
    let Some(row) = rows::get_chain(read, &circle, &chain, number)? else { return Ok(None) };
    let place = Place { circle, chain, number };
    Serving { read, ring, place, row, max_bytes, talk_epochs, form }.after(after)
}

struct Serving<'a> {
    read: &'a dyn Read,
    ring: &'a dyn KeyRing,
    place: Place,
    row: ChainRow,
    max_bytes: usize,
    talk_epochs: Option<&'a BTreeSet<EpochId>>,
    /// Joined or single where that is asked for; else as it suits.
    form: Option<Form>,
}

impl Serving<'_> {
    fn after(&self, after: u64) -> Result<Option<Served>, LogError> {
        let asked = after.saturating_add(1);
        let mut seq = asked.max(self.row.first);
        while seq <= self.row.seq {
            if seq >= self.row.tail {
                if !self.may_have(&self.row.epoch) {
                    return Ok(None);
                }
                let tail = open_tail(self.read, self.ring, &self.place, &self.row, seq)?;
                return tail.map(|tail| self.cut(tail, seq, asked)).transpose();
            }
            let number = self.place.number;
            let Some((first, block)) =
                block_of(self.read, number, seq)?.map_or_else(|| block_after(self.read, number, seq), |b| Ok(Some(b)))?
            else {
                seq = self.row.tail;
                continue;
            };
            match self.block(first, &block, seq.max(first), asked)? {
                Some(served) => return Ok(Some(served)),
                None => seq = first + u64::from(block.count),
            }
        }
        Ok(None)
    }

    fn may_have(&self, epoch: &EpochId) -> bool {
        self.talk_epochs.is_none_or(|epochs| epochs.contains(epoch))
    }

    /// A run from a block, beginning at `seq`; `None`: not for the asker, or destroyed here.
    fn block(&self, first: u64, block: &BlockRow, seq: u64, asked: u64) -> Result<Option<Served>, LogError> {
        if block.run.is_empty() || !self.may_have(&RunHead::peek(&block.run)?.epoch) {
            return Ok(None);
        }
        if seq == first && self.form.is_none() {
            let last = first + u64::from(block.count) - 1;
            return Ok(Some(Served { run: block.run.clone(), first, last, skipped: first > asked }));
        }
        self.cut(open_block(self.ring, &self.place, block)?, seq, asked).map(Some)
    }

    /// A run of a piece's entries from `seq` on, up to a signature.
    fn cut(&self, piece: Piece, seq: u64, asked: u64) -> Result<Served, LogError> {
        let from = usize::try_from(seq.saturating_sub(piece.head.first)).unwrap_or(usize::MAX);
        let piece = piece.tail_from(from);
        let mut weight = 0;
        let weights = piece.sheets.iter().map(|sheet| {
            weight += sheet.weight();
            weight
        });
        let weights: Vec<usize> = weights.collect();
        let fits = |index: usize| weights.get(index).is_some_and(|weight| *weight <= self.max_bytes);
        let ends = || piece.signatures.iter().map(|(index, _)| *index);
        let end = ends().rev().find(|index| fits(*index)).or_else(|| ends().next());
        let piece = piece.front_to(end.map_or(0, |end| end + 1));
        let form = self.form.unwrap_or(if piece.len() == 1 { Form::Single } else { Form::Block });
        let key = class_key(self.ring, &piece.head.epoch, &self.place.chain)?;
        let run = piece.run(&self.place.circle, key, form)?;
        Ok(Served { run, first: piece.head.first, last: piece.last(), skipped: piece.head.first > asked })
    }
}
