//! Serving: the next run of a chain for somebody who knows it up to a place.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeSet;

use super::find::{ChainRef, block_after, block_of, last_signed, open_block, open_tail_part};
use crate::budget::Budget;
use crate::circle::epoch::KeyRing;
use crate::id::EpochId;
use crate::limits::FEW_ENTRIES;
use crate::log::LogError;
use crate::log::rows::{self, BlockRow, ChainRow};
use crate::log::run::{RunForm, RunHead};
use crate::log::segment::{Segment, class_key};
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

/// What somebody lacks of one branch.
#[derive(Clone, Copy, Debug)]
pub struct Lack<'a> {
    /// The branch's number here.
    pub branch: u32,
    /// The last entry they have.
    pub after: u64,
    /// The last entry that they lack: nothing is served that goes on behind it.
    pub until: u64,
    /// The epochs whose talk keys they hold, for a chain of that class.
    pub talk: Option<&'a BTreeSet<EpochId>>,
}

/// What there is for somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serving {
    /// This.
    Run(Served),
    /// Nothing more.
    Nothing,
    /// There may be something behind this entry, but the budget is spent. (Before it is nothing for them.)
    Later(u64),
}

/// The next run that lies wholly in what somebody lacks, of about `max_bytes` (at least one signed batch), as far as the budget goes.
///
/// # Errors
/// [`LogError`] where the store fails or is damaged.
pub fn serve(
    read: &dyn Read,
    ring: &dyn KeyRing,
    lack: &Lack<'_>,
    max_bytes: usize,
    budget: &mut Budget,
) -> Result<Serving, LogError> {
    match Server::of(read, ring, lack, max_bytes)? {
        Some(server) => server.next(lack, budget),
        None => Ok(Serving::Nothing),
    }
}

/// Would [`serve`] give anything? Opens nothing; `None`: the budget does not reach to tell.
///
/// # Errors
/// [`LogError`] where the store fails or is damaged.
pub fn has_lack(read: &dyn Read, ring: &dyn KeyRing, lack: &Lack<'_>, budget: &mut Budget) -> Result<Option<bool>, LogError> {
    let Some(server) = Server::of(read, ring, lack, 0)? else { return Ok(Some(false)) };
    Ok(match server.find(lack, budget)? {
        Found::Block(..) | Found::Tail(..) => Some(true),
        Found::Nothing => Some(false),
        Found::Later(_) => None,
    })
}

struct Server<'a> {
    read: &'a dyn Read,
    ring: &'a dyn KeyRing,
    place: ChainRef,
    row: ChainRow,
    max_bytes: usize,
    talk: Option<&'a BTreeSet<EpochId>>,
}

/// Where the next run is.
enum Found {
    /// In this block, with its first entry's number, from that entry on.
    Block(u64, BlockRow, u64),
    /// These entries of the tail, first and last.
    Tail(u64, u64),
    Nothing,
    Later(u64),
}

impl<'a> Server<'a> {
    fn of(read: &'a dyn Read, ring: &'a dyn KeyRing, lack: &Lack<'a>, max_bytes: usize) -> Result<Option<Self>, LogError> {
        let Some((circle, chain)) = rows::named(read, lack.branch)? else { return Ok(None) };
        let Some(row) = rows::get_chain(read, &circle, &chain, lack.branch)? else { return Ok(None) };
        let place = ChainRef { circle, chain, number: lack.branch };
        Ok(Some(Self { read, ring, place, row, max_bytes, talk: lack.talk }))
    }

    fn next(&self, lack: &Lack<'_>, budget: &mut Budget) -> Result<Serving, LogError> {
        let asked = lack.after.saturating_add(1);
        match self.find(lack, budget)? {
            Found::Nothing => Ok(Serving::Nothing),
            Found::Later(after) => Ok(Serving::Later(after)),
            Found::Block(first, block, seq) if seq == first => {
                let last = first + u64::from(block.count) - 1;
                Ok(Serving::Run(Served { run: block.run, first, last, skipped: first > asked }))
            }
            Found::Block(_, _, seq) if !budget.block() => Ok(Serving::Later(seq - 1)),
            Found::Block(_, block, seq) => Ok(Serving::Run(self.cut(open_block(self.ring, &self.place, &block)?, seq, asked)?)),
            Found::Tail(from, to) if to - from >= FEW_ENTRIES && !budget.block() => Ok(Serving::Later(from - 1)),
            Found::Tail(from, to) => {
                let tail = open_tail_part(self.read, self.ring, &self.place, &self.row, from..to + 1)?;
                match tail {
                    Some(tail) => Ok(Serving::Run(self.cut(tail, from, asked)?)),
                    None => Ok(Serving::Nothing),
                }
            }
        }
    }

    /// Finds the next run that the asker may have and that ends where they lack it, without opening anything.
    fn find(&self, lack: &Lack<'_>, budget: &mut Budget) -> Result<Found, LogError> {
        let end = lack.until.min(self.row.seq);
        let mut seq = lack.after.saturating_add(1).max(self.row.first);
        while seq <= end {
            if !budget.look() {
                return Ok(Found::Later(seq - 1));
            }
            if seq >= self.row.tail {
                return self.find_in_tail(seq, end);
            }
            let number = self.place.number;
            let Some((first, block)) =
                block_of(self.read, number, seq)?.map_or_else(|| block_after(self.read, number, seq), |b| Ok(Some(b)))?
            else {
                seq = self.row.tail;
                continue;
            };
            let last = first + u64::from(block.count) - 1;
            if !block.run.is_empty() && self.may_have(&RunHead::peek(&block.run)?.epoch) {
                return Ok(if last <= end { Found::Block(first, block, seq.max(first)) } else { Found::Nothing });
            }
            seq = last + 1;
        }
        Ok(Found::Nothing)
    }

    fn find_in_tail(&self, seq: u64, end: u64) -> Result<Found, LogError> {
        if !self.may_have(&self.row.epoch) {
            return Ok(Found::Nothing);
        }
        let signed = if end == self.row.seq { Some(end) } else { last_signed(self.read, self.place.number, seq, end)? };
        Ok(signed.map_or(Found::Nothing, |to| Found::Tail(seq, to)))
    }

    fn may_have(&self, epoch: &EpochId) -> bool {
        self.talk.is_none_or(|epochs| epochs.contains(epoch))
    }

    /// A run of a piece's entries from `seq` on, up to a signature.
    fn cut(&self, piece: Segment, seq: u64, asked: u64) -> Result<Served, LogError> {
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
        let form = if piece.len() == 1 { RunForm::Single } else { RunForm::Block };
        let key = class_key(self.ring, &piece.head.epoch, &self.place.chain)?;
        let run = piece.run(&self.place.circle, key, form)?;
        Ok(Served { run, first: piece.head.first, last: piece.last(), skipped: piece.head.first > asked })
    }
}

/// Serving for tests, which wait for all of it. `talk`: the epochs whose talk keys the asker holds, for a chain of that class.
#[cfg(any(test, feature = "switches"))]
pub mod endless {
    use super::{Lack, Served, Serving, serve};
    use crate::budget::Budget;
    use crate::circle::epoch::KeyRing;
    use crate::id::EpochId;
    use crate::log::LogError;
    use crate::log::rows;
    use crate::log::run::RunForm;
    use crate::log::segment::{Segment, class_key};
    use crate::store::Read;
    use std::collections::BTreeSet;

    /// The next run of a branch behind `after`, of about `max_bytes`.
    ///
    /// # Errors
    /// [`LogError`] where the store fails or is damaged.
    pub fn serve_branch(
        read: &dyn Read,
        ring: &dyn KeyRing,
        branch: u32,
        after: u64,
        max_bytes: usize,
        talk: Option<&BTreeSet<EpochId>>,
    ) -> Result<Option<Served>, LogError> {
        let lack = Lack { branch, after, until: u64::MAX, talk };
        match serve(read, ring, &lack, max_bytes, &mut Budget::ENDLESS.clone())? {
            Serving::Run(served) => Ok(Some(served)),
            Serving::Nothing | Serving::Later(_) => Ok(None),
        }
    }

    /// The same, its entries one by one, as another device may send them.
    ///
    /// # Errors
    /// As [`serve_branch`].
    pub fn serve_single(
        read: &dyn Read,
        ring: &dyn KeyRing,
        branch: u32,
        after: u64,
        max_bytes: usize,
        talk: Option<&BTreeSet<EpochId>>,
    ) -> Result<Option<Served>, LogError> {
        let Some(served) = serve_branch(read, ring, branch, after, max_bytes, talk)? else { return Ok(None) };
        let Some((circle, chain)) = rows::named(read, branch)? else { return Ok(None) };
        let segment = Segment::open(None, ring, &circle, &served.run)?;
        let key = class_key(ring, &segment.head.epoch, &chain)?;
        Ok(Some(Served { run: segment.run(&circle, key, RunForm::Single)?, ..served }))
    }
}
