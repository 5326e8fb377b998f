//! Where the entries of an item of several are gathered, before it is put together: within what a turn may cost.
//!
//! What a turn cannot bear is marked, shows as it was, and is gone on with in later turns, also after a restart.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeSet;

use super::built;
use super::load::EntryCache;
use super::parts::{self, Shares};
use super::port::{People, Ports};
use super::row::{Flags, ItemRow, local};
use crate::id::ItemKey;
use crate::limits::{STRETCH, TURN_STRETCHES, TURN_WEIGHT};
use crate::log::entry::EntryAt;
use crate::store::{StoreError, Table};
use crate::tx::Tx;

/// One item's entries, about to be put together.
pub(super) struct Staging<'t, 'a, 's> {
    pub(super) tx: &'t mut Tx<'a>,
    pub(super) key: &'s ItemKey,
    pub(super) cache: &'t mut EntryCache,
    pub(super) people: &'s dyn People,
}

impl Staging<'_, '_, '_> {
    /// Copies what came, parts with what is beyond its writer's share, and has everything in the cache if the turn can bear it
    /// (`true`); else the item is marked. Says which entries are beyond.
    pub(super) fn gather(&mut self, before: Option<&ItemRow>, row: &mut ItemRow) -> Result<(Vec<EntryAt>, bool), StoreError> {
        let Some(mut shares) = self.shares(row)? else {
            let looked_for = row.slots.iter().all(|slot| self.cache.knows(slot.at));
            self.mark(row, !looked_for);
            return Ok((Vec::new(), looked_for));
        };
        let mut beyond = self.adopt(before, row, &mut shares);
        beyond.extend(shares.trim(self.tx, self.key)?);
        let gone: BTreeSet<EntryAt> = beyond.iter().copied().collect();
        row.slots.retain(|slot| !gone.contains(&slot.at));
        shares.put(self.tx, self.key);
        let ready = shares.lacking.is_empty() && self.bears(shares.weight());
        if ready {
            for piece in parts::pieces(self.tx, self.key, shares.item)? {
                self.cache.put(piece);
            }
        } else if before.is_none_or(|before| flipped(before, row)) {
            // What it said may have been made by entries that do not stand any more.
            built::forget(self.tx, self.key);
        }
        self.mark(row, !ready);
        Ok((beyond, ready))
    }

    /// Who wrote how much of it; nothing where no entry of it can be opened.
    fn shares(&self, row: &ItemRow) -> Result<Option<Shares>, StoreError> {
        if let Some(shares) = Shares::get(self.tx, self.key)? {
            return Ok(Some(shares));
        }
        let piece = row.slots.iter().find_map(|slot| self.cache.get(slot.at));
        Ok(piece.map(|piece| Shares::new(piece.item)))
    }

    /// Copies the entries at hand that were not copied yet.
    fn adopt(&mut self, before: Option<&ItemRow>, row: &ItemRow, shares: &mut Shares) -> Vec<EntryAt> {
        let copied: BTreeSet<EntryAt> = match before {
            Some(before) if shares.began() => before.slots.iter().map(|slot| slot.at).collect(),
            Some(_) | None => BTreeSet::new(),
        };
        let lacking: BTreeSet<EntryAt> = std::mem::take(&mut shares.lacking).into_iter().collect();
        let mut beyond = Vec::new();
        for at in row.slots.iter().map(|slot| slot.at).filter(|at| lacking.contains(at) || !copied.contains(at)) {
            match self.cache.get(at) {
                Some(piece) => {
                    let writer = piece.writer(self.people);
                    if !shares.adopt(self.tx, self.key, piece, writer) {
                        beyond.push(at);
                    }
                }
                // Looked for and not found: it cannot be opened any more, and says nothing.
                None if self.cache.knows(at) => {}
                None => shares.lacking.push(at),
            }
        }
        beyond
    }

    /// Can this turn bear to put so much together? The first item always.
    const fn bears(&mut self, weight: u64) -> bool {
        let spent = self.tx.spend();
        if spent.builds > 0 && spent.weight.saturating_add(weight) > TURN_WEIGHT {
            return false;
        }
        spent.builds += 1;
        spent.weight = spent.weight.saturating_add(weight);
        true
    }

    fn mark(&mut self, row: &mut ItemRow, unbuilt: bool) {
        if row.flags.has(Flags::UNBUILT) == unbuilt {
            return;
        }
        row.flags.set(Flags::UNBUILT, unbuilt);
        let marker = local::unbuilt(row.circle, self.key);
        if unbuilt {
            self.tx.put(Table::Local, &marker, vec![1]);
        } else {
            self.tx.delete(Table::Local, &marker);
        }
    }
}

/// Is one of the entries held aside now that was not, or the other way round?
fn flipped(before: &ItemRow, row: &ItemRow) -> bool {
    let held: BTreeSet<(EntryAt, bool)> = before.slots.iter().map(|slot| (slot.at, slot.held)).collect();
    row.slots.iter().any(|slot| held.contains(&(slot.at, !slot.held)))
}

/// Has the entries that some items still lack opened in the log, as many as a turn may.
pub(super) fn fetch_lacking<'r>(
    tx: &mut Tx<'_>,
    ports: Ports<'_>,
    cache: &mut EntryCache,
    rows: impl IntoIterator<Item = (&'r ItemKey, &'r ItemRow)>,
) -> Result<(), StoreError> {
    let mut lacking: BTreeSet<EntryAt> = BTreeSet::new();
    for (key, row) in rows {
        if row.slots.len() < 2 || row.flags.has(Flags::GONE) && !row.flags.has(Flags::LOST) {
            continue;
        }
        match Shares::get(tx, key)? {
            Some(shares) => lacking.extend(shares.lacking),
            None => lacking.extend(row.slots.iter().map(|slot| slot.at)),
        }
    }
    let mut stretches = BTreeSet::new();
    let mut wanted = Vec::new();
    let left = TURN_STRETCHES.saturating_sub(tx.spent().stretches);
    for at in lacking.into_iter().filter(|at| !cache.knows(*at)) {
        let stretch = (at.chain, at.seq / STRETCH);
        if stretches.len() < left || stretches.contains(&stretch) {
            stretches.insert(stretch);
            wanted.push(at);
        }
    }
    tx.spend().stretches += stretches.len();
    cache.fetch(tx, ports.source, wanted)
}
