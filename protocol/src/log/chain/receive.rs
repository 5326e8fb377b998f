//! Receiving: a run from anybody, verified by the signature at its end, put where it belongs.
//!
//! A run continues a chain, starts one, repeats what is known, fills what is missing, or parts from what is known: then the
//! device signed two entries for one place, both branches are kept and the fork is reported.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::sync::Arc;

use super::extend::{extend, put_block};
use super::find::{self, ChainRef, id_at, piece_of};
use crate::circle::body::ChainId;
use crate::circle::epoch::KeyRing;
use crate::codec;
use crate::crypto::Crypto;
use crate::id::{ActId, CircleId, EntryId};
use crate::limits;
use crate::log::LogError;
use crate::log::chain_hasher::NOTHING;
use crate::log::entry::Opened;
use crate::log::rows::{self, ChainRow, ForkRow};
use crate::log::run::{Run, RunForm};
use crate::log::segment::Segment;
use crate::planted::{Bug, planted};
use crate::store::{Read, Table};
use crate::tx::Tx;

/// What a run brought.
#[derive(Debug)]
#[must_use = "entries are to be applied, forks and gaps to be reported"]
pub struct Received {
    /// Whose chain.
    pub chain: ChainId,
    /// The entries that were not known here, in order.
    pub entries: Vec<Opened>,
    /// The membership heads in force right before them, which the first may not go behind; empty where that is not known here.
    pub heads: Arc<[ActId]>,
    /// Sequence number of the run's last entry.
    pub last: u64,
    /// Equivocation that the run shows.
    pub fork: Option<Fork>,
    /// Entries before the run that are not known here: nothing was stored, ask for them first.
    pub gap: Option<Gap>,
}

/// Two entries at one place of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The place.
    pub seq: u64,
    /// The entry that was known here.
    pub known: EntryId,
    /// The entry that the run shows.
    pub other: EntryId,
    /// The number of the new branch. `None`: it could not be kept, because its beginning is not known here (ask for the chain
    /// from its start, toward that branch) or there are too many.
    pub branch: Option<u32>,
}

/// What is missing before a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The last entry known here; 0: none.
    pub after: u64,
    /// The first entry of the run.
    pub before: u64,
}

/// Takes a run of a circle's entries. Whether its device may write at all is the caller's to judge, before
/// (see [`crate::log::run::RunHead::peek`]) or after.
///
/// `skipped`: the one who served it says that entries before it are sealed under talk keys that this device does not hold.
///
/// # Errors
/// [`LogError`]; nothing was stored then.
pub fn receive(
    tx: &mut Tx<'_>,
    crypto: &dyn Crypto,
    ring: &dyn KeyRing,
    circle: &CircleId,
    run: &[u8],
    skipped: bool,
) -> Result<Received, LogError> {
    let block = Run::parse(run)?.form == RunForm::Block;
    let piece = Segment::open(Some(crypto).filter(|_| !planted(Bug::Unsigned)), ring, circle, run)?;
    let mut taking = Taking { tx, ring, circle: *circle, run: block.then_some(run), skipped };
    taking.take(piece)
}

struct Taking<'t, 'b> {
    tx: &'t mut Tx<'b>,
    ring: &'t dyn KeyRing,
    circle: CircleId,
    run: Option<&'t [u8]>,
    skipped: bool,
}

type Known = (ChainRef, ChainRow);

impl Taking<'_, '_> {
    fn take(&mut self, piece: Segment) -> Result<Received, LogError> {
        let chain = piece.head.chain;
        let branches = rows::branches(self.tx, &self.circle, &chain)?;
        let known = |(number, row)| (ChainRef { circle: self.circle, chain, number }, row);
        let branches: Vec<Known> = branches.into_iter().map(known).collect();
        if branches.is_empty() {
            return self.start(piece);
        }
        if let Some((place, row)) = branches.iter().find(|(_, row)| continues(row, &piece)) {
            return self.extend(*place, row.clone(), piece);
        }
        for (place, row) in &branches {
            if let Some(received) = self.overlap(place, row, &piece)? {
                return match received {
                    Overlap::Known => Ok(nothing(&piece)),
                    Overlap::Rest(from) => self.extend(*place, row.clone(), piece.tail_from(from)),
                    Overlap::Fills(from) => self.fill(*place, row.clone(), piece.tail_from(from)),
                };
            }
        }
        if let Some((place, row)) = branches.iter().find(|(_, row)| self.jumps(row, &piece)) {
            return self.jump(*place, row.clone(), piece);
        }
        self.part(&branches, piece)
    }

    /// The first entries of a chain that is not known here.
    fn start(&mut self, piece: Segment) -> Result<Received, LogError> {
        let head = piece.head;
        if (head.first == 1) != (head.previous == NOTHING) {
            return Err(LogError::Rule("a chain's first entry"));
        }
        let of_device = rows::device_prefix(&self.circle, &head.chain.device);
        let many = limits::DEVICE_CHAINS;
        if self.tx.scan(Table::Chain, &of_device, &[], many)?.len() >= many {
            return Err(LogError::Quota("incarnations of a device"));
        }
        let number = rows::number(self.tx, &self.circle, &head.chain)?;
        let place = ChainRef { circle: self.circle, chain: head.chain, number };
        self.extend(place, ChainRow::starting(head.first, head.previous, head.epoch, None), piece)
    }

    /// Puts a piece behind the end of a chain (directly, or with a gap that the row knows).
    fn extend(&mut self, place: ChainRef, mut row: ChainRow, mut piece: Segment) -> Result<Received, LogError> {
        let named = piece.sheets.first().is_some_and(|sheet| sheet.meta.heads.is_some());
        let follows = !row.heads.is_empty() && row.epoch == piece.head.epoch && row.seq + 1 == piece.head.first;
        if !named && !follows {
            return Err(LogError::Rule("an entry that starts an epoch in its chain names its membership heads"));
        }
        piece.heads = row.heads.as_slice().into();
        let whole = Run::parse(self.run.unwrap_or_default()).is_ok_and(|run| run.head == piece.head);
        extend(self.tx, self.ring, &place, &mut row, &piece, self.run.filter(|_| whole))?;
        rows::put_chain(self.tx, &self.circle, &place.chain, place.number, &row);
        Ok(opened(piece, &place))
    }

    /// How a piece lies over what is known of a branch; `None`: beside it.
    fn overlap(&self, place: &ChainRef, row: &ChainRow, piece: &Segment) -> Result<Option<Overlap>, LogError> {
        let (first, last) = (piece.head.first, piece.last());
        let front = (row.parent.is_none() && row.first > 1).then(|| (1, row.first - 1));
        if let Some((from, _)) = front.iter().chain(&row.gaps).find(|(from, to)| last >= *from && last <= *to) {
            // Another may have brought the piece's beginning.
            let from = first.max(*from);
            let index = usize::try_from(from - first).unwrap_or(usize::MAX);
            return Ok(Some(Overlap::Fills(index)).filter(|_| self.fits(place, row, piece, from).unwrap_or(false)));
        }
        if first > row.seq || last < row.first {
            return Ok(None);
        }
        let upto = last.min(row.seq);
        let mine = id_at(self.tx, self.ring, place, row, upto)?;
        if mine.is_none() || mine != piece.id_at(upto) {
            return Ok(None);
        }
        Ok(Some(match usize::try_from(row.seq.saturating_sub(first).saturating_add(1)) {
            Ok(from) if last > row.seq => Overlap::Rest(from),
            _ => Overlap::Known,
        }))
    }

    /// Does a piece that fills what is missing, with what it has from `first` on, hang together with one of its sides, and
    /// contradict neither? With neither only where the one who served it says that what lies before it is not for this device.
    fn fits(&self, place: &ChainRef, row: &ChainRow, piece: &Segment, first: u64) -> Result<bool, LogError> {
        let before = match first {
            1 => Some(NOTHING),
            first => id_at(self.tx, self.ring, place, row, first - 1)?,
        };
        let after = if piece.last() + 1 == row.first {
            Some(row.before)
        } else if piece.last() + 1 == row.tail {
            Some(row.tail_before)
        } else {
            match find::block_of(self.tx, place.number, piece.last() + 1)? {
                Some((first, block)) if first == piece.last() + 1 => Run::parse(&block.run).ok().map(|run| run.head.previous),
                _ => None,
            }
        };
        let left = before.map(|id| piece.id_at(first - 1) == Some(id));
        let right = after.map(|id| id == piece.last_id());
        Ok(left.unwrap_or(true) && right.unwrap_or(true) && (left.is_some() || right.is_some() || self.skipped))
    }

    /// Entries that were missing in front of or inside a chain.
    fn fill(&mut self, place: ChainRef, mut row: ChainRow, mut piece: Segment) -> Result<Received, LogError> {
        let (first, last) = (piece.head.first, piece.last());
        let before = match piece_of(self.tx, self.ring, &place, &row, first - 1) {
            Err(LogError::NoKey(_)) => None,
            before => before?.filter(|before| before.last() + 1 == first),
        };
        let named = piece.sheets.first().is_some_and(|sheet| sheet.meta.heads.is_some());
        if !named && before.as_ref().is_none_or(|before| before.head.epoch != piece.head.epoch) {
            return Err(LogError::Rule("an entry that starts an epoch in its chain names its membership heads"));
        }
        piece.heads = before.map(|before| before.heads_at(before.len().saturating_sub(1))).unwrap_or_default();
        let whole = Run::parse(self.run.unwrap_or_default()).is_ok_and(|run| run.head == piece.head);
        put_block(self.tx, self.ring, &place, &piece, self.run.filter(|_| whole))?;
        if last < row.first {
            row.gaps.insert(0, (last + 1, row.first - 1));
            (row.first, row.before) = (first, piece.head.previous);
        }
        let cut = |(from, to): (u64, u64)| [(from, to.min(first - 1)), (from.max(last + 1), to)];
        let gaps = std::mem::take(&mut row.gaps).into_iter().flat_map(|gap| {
            let apart = last < gap.0 || first > gap.1;
            if apart { vec![gap] } else { cut(gap).to_vec() }
        });
        row.gaps = gaps.filter(|(from, to)| from <= to).collect();
        if row.gaps.len() > limits::CHAIN_GAPS {
            return Err(LogError::Quota("gaps of a chain"));
        }
        rows::put_chain(self.tx, &self.circle, &place.chain, place.number, &row);
        Ok(opened(piece, &place))
    }

    /// May a piece stand behind a gap? Only where the one who served it says so; what is missing stays visible.
    fn jumps(&self, row: &ChainRow, piece: &Segment) -> bool {
        self.skipped && row.parent.is_none() && piece.head.first > row.seq + 1
    }

    fn jump(&mut self, place: ChainRef, mut row: ChainRow, piece: Segment) -> Result<Received, LogError> {
        if row.gaps.len() >= limits::CHAIN_GAPS {
            return Err(LogError::Quota("gaps of a chain"));
        }
        super::extend::fold(self.tx, self.ring, &place, &mut row)?;
        row.gaps.push((row.seq + 1, piece.head.first - 1));
        self.extend(place, row, piece)
    }

    /// A piece that lies on no known branch: a gap, or equivocation.
    fn part(&mut self, branches: &[Known], piece: Segment) -> Result<Received, LogError> {
        let first = piece.head.first;
        let end = branches.iter().map(|(_, row)| row.seq).max().unwrap_or(0);
        if first > end + 1 {
            return Ok(Received { gap: Some(Gap { after: end, before: first }), ..nothing(&piece) });
        }
        let mut from = None;
        for (place, row) in branches {
            if let Some(seq) = self.common(place, row, &piece)?
                && from.as_ref().is_none_or(|(_, best)| seq > *best)
            {
                from = Some(((place, row), seq));
            }
        }
        match from {
            Some(((place, row), common)) => self.branch(place, row, common, piece, branches.len()),
            None => self.stray(branches, &piece),
        }
    }

    /// The last place at which a piece and a branch agree, if they do at all (the entry before the piece counts).
    fn common(&self, place: &ChainRef, row: &ChainRow, piece: &Segment) -> Result<Option<u64>, LogError> {
        let agrees = |seq: u64| -> Result<bool, LogError> {
            let mine = id_at(self.tx, self.ring, place, row, seq)?;
            Ok(mine.is_some() && mine == piece.id_at(seq))
        };
        let (mut low, mut high) = (piece.head.first - 1, piece.last().min(row.seq));
        if low > high || !agrees(low)? {
            return Ok(None);
        }
        // Anyone who agrees somewhere agrees before, because ids cover what they follow.
        while low < high {
            let middle = high - (high - low) / 2;
            if agrees(middle)? {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Ok(Some(low))
    }

    /// Keeps a new branch, which parts from a known one behind `common`.
    fn branch(
        &mut self,
        place: &ChainRef,
        row: &ChainRow,
        common: u64,
        piece: Segment,
        count: usize,
    ) -> Result<Received, LogError> {
        let seq = common + 1;
        let Some(known) = id_at(self.tx, self.ring, place, row, seq)? else {
            // What is not known here accuses nobody.
            return Ok(Received { gap: Some(Gap { after: common, before: seq + 1 }), ..nothing(&piece) });
        };
        let other = piece.id_at(seq).unwrap_or(piece.head.previous);
        self.evidence(&place.chain, seq, known, other);
        if count >= limits::BRANCHES || planted(Bug::OneBranch) {
            let fork = Fork { seq, known, other, branch: None };
            return Ok(Received { fork: Some(fork), ..nothing(&piece) });
        }
        let from = usize::try_from(seq.saturating_sub(piece.head.first)).unwrap_or(0);
        let mut piece = piece.tail_from(from);
        let named = piece.sheets.first().is_some_and(|sheet| sheet.meta.heads.is_some());
        if !named && piece.heads.is_empty() {
            let before = piece_of(self.tx, self.ring, place, row, common)?;
            let index = |before: &Segment| usize::try_from(common - before.head.first).unwrap_or(0);
            piece.heads = before.map(|before| before.heads_at(index(&before))).unwrap_or_default();
        }
        let number = rows::number(self.tx, &self.circle, &place.chain)?;
        let mut branch = ChainRow::starting(seq, piece.head.previous, piece.head.epoch, Some(place.number));
        branch.heads = piece.heads.to_vec();
        let received = self.extend(ChainRef { number, ..*place }, branch, piece)?;
        Ok(Received { fork: Some(Fork { seq, known, other, branch: Some(number) }), ..received })
    }

    /// A piece whose beginning is on no known branch: the entry before it is not the one known here.
    fn stray(&mut self, branches: &[Known], piece: &Segment) -> Result<Received, LogError> {
        let seq = piece.head.first - 1;
        for (place, row) in branches {
            if let Some(known) = id_at(self.tx, self.ring, place, row, seq)? {
                let other = piece.head.previous;
                self.evidence(&place.chain, seq, known, other);
                let fork = Fork { seq, known, other, branch: None };
                return Ok(Received { fork: Some(fork), ..nothing(piece) });
            }
        }
        let end = branches.iter().map(|(_, row)| row.seq).filter(|end| *end < seq).max().unwrap_or(0);
        Ok(Received { gap: Some(Gap { after: end, before: piece.head.first }), ..nothing(piece) })
    }

    fn evidence(&mut self, chain: &ChainId, seq: u64, one: EntryId, other: EntryId) {
        let row = ForkRow { version: rows::VERSION, one, other };
        self.tx.put(Table::Chain, &rows::fork_key(&self.circle, chain, seq), codec::encode(&row));
    }
}

enum Overlap {
    /// All of it is known.
    Known,
    /// Known up to this index, which continues the chain.
    Rest(usize),
    /// From this index on it lies where entries are missing.
    Fills(usize),
}

fn continues(row: &ChainRow, piece: &Segment) -> bool {
    piece.head.first == row.seq + 1 && piece.head.previous == row.head
}

fn nothing(piece: &Segment) -> Received {
    let heads = Arc::clone(&piece.heads);
    Received { chain: piece.head.chain, entries: Vec::new(), heads, last: piece.last(), fork: None, gap: None }
}

fn opened(piece: Segment, place: &ChainRef) -> Received {
    let empty = nothing(&piece);
    Received { entries: piece.into_opened(&place.circle, place.number), ..empty }
}
