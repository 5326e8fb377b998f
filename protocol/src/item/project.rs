//! An item's rows follow from its entries: here they are derived and written, and nowhere else.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeSet;

use super::apply::Applied;
use super::built;
use super::index::Index;
use super::kind::Kind;
use super::load::{EntryCache, Loaded, LoadedItem, load};
use super::mark::{self, Marked};
use super::parts;
use super::port::Ports;
use super::row::{Flags, ItemRow, Slot, Tag, Unseen, counter, local, set_counter};
use super::staging::Staging;
use crate::circle::body::Retention;
use crate::control::WatchChange;
use crate::id::{CircleId, ItemKey, PersonId};
use crate::limits;
use crate::limits::{OVER_MILLIS, TURN_DESTROYED};
use crate::log::entry::EntryAt;
use crate::planted::{Bug, planted};
use crate::store::{StoreError, Table};
use crate::time::{DAY, Millis};
use crate::tx::Tx;

/// What settling an item brought about.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) applied: Option<Applied>,
    pub(super) destroy: Vec<EntryAt>,
    /// The items whose showing this one decides about, or did before.
    pub(super) targets: Vec<ItemKey>,
    /// Entries that are beyond their writers' shares of it.
    pub(super) beyond: Vec<EntryAt>,
}

/// What is known of the time of some items.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// The moment that has passed as two other people say.
    pub passed: Option<Millis>,
    /// This machine's clock was set back.
    pub back: bool,
}

/// Where items are settled, one after the other.
pub(super) struct Projector<'t, 'a, 's> {
    tx: &'t mut Tx<'a>,
    circle: &'s CircleId,
    tag: Tag,
    ports: Ports<'s>,
    cache: &'s mut EntryCache,
    /// As it was, and as it is to be.
    arrived: (u64, u64),
    listed: (u64, u64),
    index: Index,
    /// How many entries' bytes may still be destroyed for this input.
    destroys: usize,
}

impl<'t, 'a, 's> Projector<'t, 'a, 's> {
    pub(super) fn new(
        tx: &'t mut Tx<'a>,
        circle: &'s CircleId,
        ports: Ports<'s>,
        cache: &'s mut EntryCache,
    ) -> Result<Self, StoreError> {
        let tag = Tag::of(circle);
        let arrived = counter(tx, &local::arrived(tag))?;
        let listed = counter(tx, &local::listed(tag))?;
        let index = Index::open(tx, tag)?;
        Ok(Self {
            tx,
            circle,
            tag,
            ports,
            cache,
            arrived: (arrived, arrived),
            listed: (listed, listed),
            index,
            destroys: limits::TURN_DESTROYED,
        })
    }

    pub(super) fn close(self) -> Result<(), StoreError> {
        if self.arrived.0 != self.arrived.1 {
            set_counter(self.tx, &local::arrived(self.tag), self.arrived.1);
        }
        if self.listed.0 != self.listed.1 {
            set_counter(self.tx, &local::listed(self.tag), self.listed.1);
        }
        self.index.close(self.tx)
    }

    /// Derives an item's rows from its entries.
    pub(super) fn settle(&mut self, key: &ItemKey, before: Option<&ItemRow>, mut row: ItemRow) -> Result<Settled, StoreError> {
        if row.flags.has(Flags::LOST) {
            // Judged by what there is now: anybody may write an entry that opens to nothing, about an item that is not here yet.
            row.flags.set(Flags::GONE | Flags::LOST, false);
        }
        let destroyed = row.flags.has(Flags::GONE);
        let mut settled = Settled::default();
        if !destroyed && !unchanged(before, &row) {
            settled.beyond = self.put_together(key, before, &mut row)?;
        }
        let target = |row: &ItemRow| row.parent.filter(|_| row.kind().is_some_and(Kind::is_mark));
        // An earlier first edit that comes later may name another target, or be of another kind.
        settled.targets = before.and_then(target).into_iter().chain(target(&row)).collect();
        if destroyed {
            let known = before.map_or(&[][..], |before| &before.slots);
            settled.destroy = row.slots.iter().filter(|slot| !known.contains(slot)).map(|slot| slot.at).collect();
        } else if row.flags.has(Flags::LOST) {
            let kept = |slot: &&Slot| self.cache.get(slot.at).is_some_and(|piece| piece.edit.is_some());
            settled.destroy = row.slots.iter().filter(kept).map(|slot| slot.at).collect();
            settled.destroy.extend(parts::forget(self.tx, key, &mut row)?);
        } else if row.expired(self.ports.now) {
            // It is not shown; whether its time is over is judged when time looks at it.
            row.flags.set(Flags::EXPIRED, true);
        }
        self.note_change(before, &mut row)?;
        self.write(key, before, &mut row);
        settled.applied = self.applied(key, before, &row);
        Ok(settled)
    }

    /// Others changed what was seen here: that is news again.
    fn note_change(&mut self, before: Option<&ItemRow>, row: &mut ItemRow) -> Result<(), StoreError> {
        let told = row.listed() && row.kind().is_some_and(Kind::is_told);
        let Some(before) = before.filter(|before| told && before.listed() && before.slots != row.slots) else { return Ok(()) };
        let mark = counter(self.tx, &local::seen(self.tag))?;
        let (me, known) = (self.ports.people.me(), before.slots.iter().map(|slot| slot.at).collect::<BTreeSet<_>>());
        let writer = |slot: &Slot| self.cache.get(slot.at).map(|piece| piece.writer(self.ports.people));
        let fresh = || row.slots.iter().filter(|slot| !slot.held && !known.contains(&slot.at));
        // Who changes an item has seen it; what becomes of their change is told.
        let own = fresh().any(|slot| writer(slot) == Some(me));
        let first = fresh().find(|slot| writer(slot).is_some_and(|writer| writer != me)).copied();
        row.flags.set(Flags::SEEN, row.flags.has(Flags::SEEN) || (own && !row.flags.has(Flags::MINE)));
        let Some(first) = first.filter(|_| !row.is_new(mark)) else { return Ok(()) };
        self.arrived.1 += 1;
        let from = row.unseen(mark).map_or(first.at, |unseen| unseen.from);
        row.changed = Some(Unseen { arrived: self.arrived.1, from });
        Ok(())
    }

    /// Puts an item together from its entries, where they changed and this turn can bear it. Says which entries are beyond their
    /// writers' shares.
    fn put_together(&mut self, key: &ItemKey, before: Option<&ItemRow>, row: &mut ItemRow) -> Result<Vec<EntryAt>, StoreError> {
        let mut beyond = Vec::new();
        if row.slots.len() > 1 {
            let mut staging = Staging { tx: self.tx, key, cache: self.cache, people: self.ports.people };
            let (over, ready) = staging.gather(before, row)?;
            beyond = over;
            if !ready {
                return Ok(beyond);
            }
        } else {
            self.cache.fetch(self.tx, self.ports.source, row.slots.iter().map(|slot| slot.at))?;
        }
        let loaded = load(row, self.cache, self.ports.people);
        row.flags.set(Flags::HELD, matches!(loaded, Loaded::Held));
        row.flags.set(Flags::WAITING, matches!(loaded, Loaded::Absent));
        match loaded {
            Loaded::Ready(whole) => {
                row.flags.set(Flags::WAITING, whole.waiting);
                let long = row.slots.len() == 1 && whole.is_long();
                if row.slots.len() > 1 || long {
                    built::put(self.tx, key, &whole, !long)?;
                }
                row.flags.set(Flags::LONG, long);
                self.describe(row, &whole);
            }
            Loaded::Held | Loaded::Absent => self.describe_nothing(key, row),
        }
        Ok(beyond)
    }

    /// Nothing of it stands.
    fn describe_nothing(&mut self, key: &ItemKey, row: &mut ItemRow) {
        if self.cache.lost(row) {
            row.flags.set(Flags::GONE | Flags::LOST, true);
            row.flags.set(Flags::WAITING, false);
        }
        row.flags.set(Flags::READY, false);
        if row.slots.len() > 1 {
            built::forget(self.tx, key);
        }
        if row.due.is_none() && !row.flags.has(Flags::REMOVED) {
            row.due = self.expiry_of_parts(row);
        }
    }

    fn describe(&mut self, row: &mut ItemRow, whole: &LoadedItem) {
        row.kind = whole.kind.number();
        row.created = whole.created;
        row.retention = whole.retention;
        row.parent = whole.about.map(|about| about.key(self.circle));
        if whole.kind.is_mark() {
            mark::describe(whole, &mut row.flags);
        }
        if !row.flags.has(Flags::READY) {
            row.flags.set(Flags::READY, true);
            if row.arrived == 0 && !row.flags.has(Flags::MINE) {
                self.arrived.1 += 1;
                row.arrived = self.arrived.1;
            }
        }
        if !row.flags.has(Flags::REMOVED | Flags::RAISED) {
            row.due = row.due.into_iter().chain(self.expiry(row)).min();
        }
    }

    /// When a talk item's time is over. A label that lies ahead of this machine's clock does not prolong it.
    fn expiry(&self, row: &ItemRow) -> Option<Millis> {
        let Retention::Days(days) = row.retention else { return None };
        let from = row.created.min(self.ports.now);
        Some(from.plus(u64::from(days).saturating_mul(DAY)))
    }

    /// The same of what lies aside, or came without its first edit: it ends when its creator's earliest words in it do, which is
    /// never before the item itself.
    fn expiry_of_parts(&self, row: &ItemRow) -> Option<Millis> {
        let pieces = row.slots.iter().filter_map(|slot| self.cache.get(slot.at));
        let theirs = pieces.filter(|piece| self.ports.people.person(&piece.device) == Some(piece.item.creator));
        let ends = theirs.filter_map(|piece| {
            let (Retention::Days(days), Some(edit)) = (piece.retention, &piece.edit) else { return None };
            Some(edit.at.min(self.ports.now).plus(u64::from(days).saturating_mul(DAY)))
        });
        ends.min()
    }

    /// Judges an item whose time may be over: its label counts no less than what lies before its first words, or than it says
    /// where it is not ahead (this machine's clock may have been behind when the words came). That clock destroys nothing by
    /// itself.
    pub(super) fn judge_time(&mut self, key: &ItemKey, past: Option<Millis>, times: Times) -> Result<Settled, StoreError> {
        let now = self.ports.now;
        let there = ItemRow::get(self.tx, key)?.filter(|row| !row.flags.has(Flags::GONE | Flags::REMOVED));
        let Some((before, due)) = there.and_then(|row| Some((row.clone(), row.due?))) else { return Ok(Settled::default()) };
        let (mut row, mut settled) = (before.clone(), Settled::default());
        let from = past.into_iter().chain(Some(row.created).filter(|label| *label <= now)).max();
        let raised = match row.retention {
            Retention::Days(days) => from.map(|from| from.plus(u64::from(days).saturating_mul(DAY))),
            Retention::Keep => None,
        };
        let due = raised.filter(|raised| *raised > due).inspect(|_| row.flags.set(Flags::RAISED, true)).unwrap_or(due);
        row.due = Some(due);
        row.flags.set(Flags::EXPIRED, due <= now);
        let since = row.over.filter(|since| !times.back && *since <= now).unwrap_or(now);
        if due > now {
            row.over = None;
        } else if times.passed.is_some_and(|passed| passed >= due) || now.since(since) >= OVER_MILLIS {
            settled.destroy = self.end(key, &mut row)?;
        } else {
            row.over = Some(since);
        }
        self.write(key, Some(&before), &mut row);
        // A mark whose signer gave it less time than what it is about has ends first, and marks nothing from then on, here as where it
        // comes without its bytes.
        if row.listed() != before.listed() && row.kind().is_some_and(Kind::is_mark) {
            settled.targets.extend(row.parent);
        }
        // That something ends is no news. What a wrong clock had hidden is shown again; what came late is new.
        let shown = self.applied(key, Some(&before), &row).filter(|applied| applied.change == WatchChange::New);
        let change = if before.over.is_some() { WatchChange::Show } else { WatchChange::New };
        settled.applied = shown.map(|applied| Applied { change, ..applied });
        Ok(settled)
    }

    /// Destroys an item, where this turn has not destroyed much already; else it is due at once, and time takes it.
    fn destroy_soon(&mut self, key: &ItemKey, row: &mut ItemRow) -> Result<Vec<EntryAt>, StoreError> {
        let spent = self.tx.spend();
        if spent.destroyed > 0 && spent.destroyed + row.slots.len() > TURN_DESTROYED {
            row.due = Some(self.ports.now);
            return Ok(Vec::new());
        }
        spent.destroyed += row.slots.len();
        self.destroy(key, row)
    }

    fn destroy(&mut self, key: &ItemKey, row: &mut ItemRow) -> Result<Vec<EntryAt>, StoreError> {
        let much = row.slots.len() > self.destroys && self.destroys < limits::TURN_DESTROYED && !row.flags.has(Flags::LOST);
        if much {
            row.due = Some(self.ports.now);
            return Ok(Vec::new());
        }
        self.destroys = self.destroys.saturating_sub(row.slots.len());
        self.end(key, row)
    }

    fn end(&mut self, key: &ItemKey, row: &mut ItemRow) -> Result<Vec<EntryAt>, StoreError> {
        if planted(Bug::KeptBytes) {
            row.flags.set(Flags::GONE, true);
            return Ok(Vec::new());
        }
        let beyond = parts::forget(self.tx, key, row)?;
        if let Some(plan) = row.plan(key) {
            self.tx.delete(Table::Local, &plan);
        }
        row.over = None;
        row.flags.set(Flags::GONE, true);
        row.flags.set(Flags::LOST | Flags::WAITING, false);
        Ok(row.slots.iter().map(|slot| slot.at).chain(beyond).collect())
    }

    fn write(&mut self, key: &ItemKey, before: Option<&ItemRow>, row: &mut ItemRow) {
        if before == Some(row) && !row.listed() {
            return;
        }
        self.index.write(self.tx, key, before, row);
        row.put(self.tx, key);
        let counted = u64::from(before.is_some_and(ItemRow::counts));
        self.listed.1 = (self.listed.1 + u64::from(row.counts())).saturating_sub(counted);
        let (planned, plan) = (before.and_then(|before| before.plan(key)), row.plan(key));
        if planned != plan {
            if let Some(planned) = planned {
                self.tx.delete(Table::Local, &planned);
            }
            if let Some(plan) = plan {
                self.tx.put(Table::Local, &plan, row.circle.0.to_vec());
            }
        }
        let view = |row: &ItemRow| row.listed().then(|| (row.view_key(key), row.view_value()));
        let (old, new) = (before.and_then(view), view(row));
        if old != new {
            if let Some((view, _)) = &old {
                self.tx.delete(Table::View, view);
            }
            if let Some((view, value)) = new {
                self.tx.put(Table::View, &view, value);
            }
        }
    }

    fn applied(&self, key: &ItemKey, before: Option<&ItemRow>, row: &ItemRow) -> Option<Applied> {
        let kind = row.kind().filter(|kind| !kind.is_mark())?;
        let built = !row.flags.has(Flags::UNBUILT);
        let edited = |before: &ItemRow| built && (before.slots != row.slots || before.flags.has(Flags::UNBUILT));
        let change = match (before.is_some_and(ItemRow::listed), row.listed()) {
            (false, true) => WatchChange::New,
            (true, false) => WatchChange::Remove,
            (true, true) if before.is_some_and(edited) => WatchChange::Edit,
            (true, true) => return self.remarked(key, kind, before?, row),
            (false, false) => return None,
        };
        let author = self.writer(before, row);
        Some(Applied { circle: *self.circle, key: *key, kind, change, author, parent: row.parent })
    }

    /// Who wrote the last entry that came.
    fn writer(&self, before: Option<&ItemRow>, row: &ItemRow) -> Option<PersonId> {
        let known = |at: EntryAt| before.is_some_and(|before| before.slots.iter().any(|slot| slot.at == at));
        let last = row.slots.last().filter(|slot| !known(slot.at))?;
        self.cache.get(last.at).map(|piece| piece.writer(self.ports.people))
    }

    fn remarked(&self, key: &ItemKey, kind: Kind, before: &ItemRow, row: &ItemRow) -> Option<Applied> {
        let flip =
            |flag, on, off| (before.flags.has(flag) != row.flags.has(flag)).then(|| if row.flags.has(flag) { on } else { off });
        let change = flip(Flags::HIDDEN, WatchChange::Hide, WatchChange::Show)
            .or_else(|| flip(Flags::PINNED, WatchChange::Pin, WatchChange::Unpin))?;
        Some(Applied { circle: *self.circle, key: *key, kind, change, author: None, parent: row.parent })
    }

    /// Looks again at the marks about an item, and settles it. It need not be here yet.
    pub(super) fn refresh(&mut self, key: &ItemKey) -> Result<Settled, StoreError> {
        let before = ItemRow::get(self.tx, key)?;
        let mut row = before.clone().unwrap_or_else(|| ItemRow::new(self.tag));
        if row.kind().is_some_and(Kind::is_mark) {
            return Ok(Settled::default());
        }
        let marked = Marked::of(self.tx, self.tag, key)?;
        // What is destroyed here stays deleted: taking a deletion back brings no bytes back.
        let destroyed = row.flags.has(Flags::GONE) && !row.flags.has(Flags::LOST);
        let removed = marked.removed || destroyed && row.flags.has(Flags::REMOVED);
        row.flags.set(Flags::HIDDEN, marked.hidden);
        row.flags.set(Flags::PINNED, marked.pinned);
        if row.flags.has(Flags::REMOVED) != removed {
            row.flags.set(Flags::REMOVED, removed);
            let end = if row.flags.has(Flags::RAISED) { row.due } else { self.expiry(&row) };
            row.flags.set(Flags::RAISED, false);
            row.over = None;
            let due = removed.then(|| self.ports.now.plus(limits::DESTROY_MILLIS));
            row.due = if row.flags.has(Flags::READY) { due.into_iter().chain(end).min() } else { due };
        }
        let mut destroy = Vec::new();
        if removed && marked.at_once && (row.flags.has(Flags::LOST) || !row.flags.has(Flags::GONE)) {
            destroy = self.destroy_soon(key, &mut row)?;
        }
        let mut settled = self.settle(key, before.as_ref(), row)?;
        settled.destroy.extend(destroy);
        Ok(settled)
    }
}

/// Stands an item on the same entries as before, so that its row says all of it already?
fn unchanged(before: Option<&ItemRow>, row: &ItemRow) -> bool {
    before.is_some_and(|before| {
        before.slots == row.slots && before.flags.has(Flags::READY) && !before.flags.has(Flags::UNBUILT | Flags::LOST)
    })
}
