//! Entries come in: each is judged against its kind's rules, then the items they touch are settled again from what stands.
//!
//! The outcome depends on the set of entries only, never on their order: an edit may come before the item's first entry, a
//! tombstone before its target. Applying an entry twice changes nothing.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use super::edit::{Edit, EditError};
use super::kind::Kind;
use super::load::{EntryCache, ItemEntry};
use super::mark;
use super::parts;
use super::port::{Ports, Writer};
use super::project::{self, Settled};
use super::row::{Flags, ItemRow, Slot, Tag, counter, local, set_counter, view_item};
use super::staging::fetch_lacking;
use crate::circle::body::{KeyClass, Role};
use crate::codec::CodecError;
use crate::control::{Topic, WatchChange, WatchEvent};
use crate::id::{CircleId, ItemId, ItemKey, PersonId};
use crate::limits::{ITEM_ENTRIES, TURN_ITEMS};
use crate::log::entry::{EntryAt, Opened};
use crate::planted::{Bug, planted};
use crate::store::{Read, StoreError, Table};
use crate::time::Millis;
use crate::tx::Tx;

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "watchers want to hear of it, and bytes may have to be destroyed"]
pub enum Outcome {
    /// An item changed for anyone who looks.
    Applied(Applied),
    /// Kept, and nothing to see changed: it waits for other entries, or is held beyond a cut, or its item is deleted.
    Kept,
    /// It was here already.
    Known,
    /// Not acceptable; it stays in the log and means nothing.
    SetAside(&'static str),
    /// Only a newer program can tell what it means; it stays in the log, and means nothing until then.
    Newer(&'static str),
}

/// A change that shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Which circle.
    pub circle: CircleId,
    /// Which item shows the change: for tombstones, hides and pins their target.
    pub key: ItemKey,
    /// Its kind.
    pub kind: Kind,
    /// How it changed.
    pub change: WatchChange,
    /// Who made it new, or changed it, where that is known.
    pub author: Option<PersonId>,
    /// The item that it is about.
    pub parent: Option<ItemKey>,
}

impl Applied {
    /// What watchers are told: ids only.
    #[must_use]
    pub fn notice(&self, now: Millis) -> WatchEvent {
        let at = (self.circle.text(), self.key.text(self.kind.letter()));
        let event = WatchEvent::new(Topic::Item, at, self.kind.subject(), self.change, now);
        let about = self.kind.about();
        let parent = self.parent.zip(about).map(|(parent, kind)| parent.text(kind.letter()));
        WatchEvent { author: self.author.map(|person| person.text()), parent, ..event }
    }
}

/// What became of some entries.
#[derive(Clone, Debug, Default)]
#[must_use = "watchers want to hear of it, and bytes may have to be destroyed"]
pub struct Report {
    /// Of each, in order. None of [`rejudge`].
    pub outcomes: Vec<Outcome>,
    /// Everything that shows differently now.
    pub changes: Vec<Applied>,
    /// Entries whose bytes the log is to destroy now.
    pub destroy: Vec<EntryAt>,
}

/// Takes in entries of one circle, together: an item that many of them touch is put together once.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn apply(tx: &mut Tx<'_>, ports: Ports<'_>, circle: &CircleId, entries: &[(Writer, &Opened)]) -> Result<Report, StoreError> {
    let mut work = Work::new(circle, ports);
    let mut outcomes = Vec::with_capacity(entries.len());
    for (writer, opened) in entries {
        let outcome = match work.admit(tx, *writer, opened)? {
            Ok(outcome) => outcome,
            Err(why) => {
                work.set_aside(tx, &opened.item.key(circle), opened.at, matches!(why, Unfit::Newer(_)))?;
                why.into()
            }
        };
        outcomes.push(outcome);
    }
    work.finish(tx, outcomes)
}

/// Cuts came or went: entries are held (`false`) or stand again (`true`), and their items are settled again. Says how many of the
/// entries were done: those behind them belong to items of so many entries that they are better done by themselves.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn rejudge(
    tx: &mut Tx<'_>,
    ports: Ports<'_>,
    circle: &CircleId,
    entries: &[(&Opened, bool)],
) -> Result<(Report, usize), StoreError> {
    let mut work = Work::new(circle, ports);
    let (mut done, mut weight) = (0, 0);
    for (opened, standing) in entries {
        let key = opened.item.key(circle);
        let fresh = !work.touched.contains_key(&key);
        let count = work.row(tx, &key)?.map_or(0, |row| row.slots.len());
        if let Some(row) = work.row(tx, &key)?
            && let Some(slot) = row.slots.iter_mut().find(|slot| slot.at == opened.at && slot.held == *standing)
        {
            if fresh && weight > 0 && weight + count > ITEM_ENTRIES {
                break;
            }
            slot.held = !standing;
            weight += if fresh { count } else { 0 };
            work.cache.put(ItemEntry::of(opened));
            work.touch(key);
        }
        done += 1;
    }
    Ok((work.finish(tx, Vec::new())?, done))
}

/// Puts together some of the items of a circle that earlier turns left; nothing where there are none.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn catch_up(tx: &mut Tx<'_>, ports: Ports<'_>, circle: &CircleId) -> Result<Option<Report>, StoreError> {
    let mut work = Work::new(circle, ports);
    let prefix = [local::UNBUILT, &work.tag.0].concat();
    for (marker, _) in tx.scan(Table::Local, &prefix, &[], TURN_ITEMS)? {
        let key = view_item(&marker)?;
        if work.row(tx, &key)?.is_some_and(|row| row.flags.has(Flags::UNBUILT)) {
            work.touch(key);
        } else {
            tx.delete(Table::Local, &marker);
        }
    }
    if work.touched.is_empty() {
        return Ok(None);
    }
    work.finish(tx, Vec::new()).map(Some)
}

/// Does anything wait for [`catch_up`]?
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn unbuilt(read: &dyn Read) -> Result<bool, StoreError> {
    Ok(!read.scan(Table::Local, local::UNBUILT, &[], 1)?.is_empty())
}

struct Work<'a> {
    circle: &'a CircleId,
    tag: Tag,
    ports: Ports<'a>,
    cache: EntryCache,
    /// As they were stored, and as they are to be.
    rows: BTreeMap<ItemKey, (Option<ItemRow>, Option<ItemRow>)>,
    /// In this order.
    touched: BTreeMap<ItemKey, usize>,
    /// For each outcome that may show: its item, and its entry.
    keys: Vec<Option<(ItemKey, EntryAt)>>,
    /// Items of which something is not understood here.
    newer: BTreeSet<ItemKey>,
    /// Entries of items that are destroyed already.
    gone: Vec<EntryAt>,
}

type Judged = Result<Outcome, Unfit>;

/// Why an entry means nothing here.
enum Unfit {
    /// It breaks a rule.
    Broken(&'static str),
    /// It is of a form, or rests on something, that only a newer program knows.
    Newer(&'static str),
}

impl From<&'static str> for Unfit {
    fn from(why: &'static str) -> Self {
        Self::Broken(why)
    }
}

impl From<Unfit> for Outcome {
    fn from(why: Unfit) -> Self {
        match why {
            Unfit::Broken(why) => Self::SetAside(why),
            Unfit::Newer(why) => Self::Newer(why),
        }
    }
}

impl<'a> Work<'a> {
    fn new(circle: &'a CircleId, ports: Ports<'a>) -> Self {
        Self {
            circle,
            tag: Tag::of(circle),
            ports,
            cache: EntryCache::default(),
            rows: BTreeMap::new(),
            touched: BTreeMap::new(),
            keys: Vec::new(),
            newer: BTreeSet::new(),
            gone: Vec::new(),
        }
    }

    fn touch(&mut self, key: ItemKey) {
        let order = self.touched.len();
        self.touched.entry(key).or_insert(order);
    }

    fn row(&mut self, read: &dyn Read, key: &ItemKey) -> Result<Option<&mut ItemRow>, StoreError> {
        if !self.rows.contains_key(key) {
            let row = ItemRow::get(read, key)?;
            self.rows.insert(*key, (row.clone(), row));
        }
        Ok(self.rows.get_mut(key).and_then(|(_, row)| row.as_mut()))
    }

    fn admit(&mut self, read: &dyn Read, writer: Writer, opened: &Opened) -> Result<Judged, StoreError> {
        self.keys.push(None);
        let edit = match judge(writer, opened) {
            Ok(judged) => judged,
            Err(why) => return Ok(Err(why)),
        };
        let key = opened.item.key(self.circle);
        let tag = self.tag;
        let opens = edit.as_ref().is_some_and(Edit::opens);
        self.row(read, &key)?;
        let row = self.rows.entry(key).or_default().1.get_or_insert_with(|| ItemRow::new(tag));
        if row.slots.iter().any(|slot| slot.at == opened.at) {
            return Ok(Ok(Outcome::Known));
        }
        if planted(Bug::EarlyEdit) && row.kind == 0 && !opens {
            return Ok(Err("an edit of what is not here".into()));
        }
        if row.flags.has(Flags::GONE) && !row.flags.has(Flags::LOST) && row.slots.len() >= ITEM_ENTRIES {
            self.gone.push(opened.at);
            return Ok(Ok(Outcome::Kept));
        }
        // Entries under another kind than its first edit's are kept, and mean nothing: which that is, shows only in the end.
        if writer.person == opened.item.creator && (opens || edit.is_none()) && row.kind == 0 {
            row.kind = opened.kind;
            row.flags.set(Flags::MINE, writer.me);
            row.parent = edit.as_ref().and_then(|edit| edit.about).map(|about| about.key(self.circle)).or(row.parent);
        }
        row.slots.push(Slot { at: opened.at, held: !writer.standing });
        if edit.as_ref().zip(Kind::of(opened.kind)).is_some_and(|(edit, kind)| edit.is_newer(kind)) {
            self.newer.insert(key);
        }
        self.cache.put(ItemEntry::new(opened, edit));
        self.touch(key);
        if let Some(last) = self.keys.last_mut() {
            *last = Some((key, opened.at));
        }
        Ok(Ok(Outcome::Kept))
    }

    /// Notes what means nothing here; what is about an item whose bytes are destroyed is destroyed at once.
    fn set_aside(&mut self, tx: &mut Tx<'_>, key: &ItemKey, at: EntryAt, newer: bool) -> Result<(), StoreError> {
        if self.row(tx, key)?.is_some_and(|row| row.flags.has(Flags::GONE) && !row.flags.has(Flags::LOST)) {
            self.gone.push(at);
        } else {
            parts::set_aside(tx, key, at);
            if newer {
                self.newer.insert(*key);
            }
        }
        Ok(())
    }

    fn finish(mut self, tx: &mut Tx<'_>, mut outcomes: Vec<Outcome>) -> Result<Report, StoreError> {
        let touched = self.rows.iter().filter(|(key, _)| self.touched.contains_key(key));
        let rows = touched.filter_map(|(key, (_, row))| Some((key, row.as_ref()?)));
        fetch_lacking(tx, self.ports, &mut self.cache, rows)?;
        let gone = |row: &ItemRow| row.flags.has(Flags::GONE) && !row.flags.has(Flags::LOST);
        let kept = |key: &&ItemKey| !self.rows.get(*key).and_then(|(_, row)| row.as_ref()).is_some_and(gone);
        for key in self.newer.iter().filter(kept) {
            tx.put(Table::Local, &local::newer(self.tag, key), vec![1]);
        }
        let mut projector = project::Projector::new(tx, self.circle, self.ports, &mut self.cache)?;
        let mut shown: BTreeMap<ItemKey, Applied> = BTreeMap::new();
        let mut destroy = self.gone;
        let (mut beyond, mut targets) = (BTreeSet::new(), BTreeSet::new());
        let mut touched: Vec<(ItemKey, usize)> = self.touched.into_iter().collect();
        touched.sort_unstable_by_key(|(_, order)| *order);
        for (key, _) in &touched {
            let Some((before, Some(row))) = self.rows.remove(key) else { continue };
            let settled = projector.settle(key, before.as_ref(), row)?;
            destroy.extend(settled.destroy);
            beyond.extend(settled.beyond);
            shown.extend(settled.applied.map(|applied| (*key, applied)));
            targets.extend(settled.targets.into_iter().map(|target| (target, *key)));
        }
        for (target, by) in targets {
            let Settled { applied, destroy: gone, .. } = projector.refresh(&target)?;
            destroy.extend(gone);
            shown.extend(applied.map(|applied| (by, applied)));
        }
        projector.close()?;
        let changes = shown.values().cloned().collect();
        for (outcome, key) in outcomes.iter_mut().zip(&self.keys) {
            let (Outcome::Kept, Some((key, at))) = (&*outcome, key) else { continue };
            if beyond.contains(at) {
                *outcome = Outcome::SetAside(BEYOND);
            } else if let Some(applied) = shown.get(key) {
                *outcome = Outcome::Applied(applied.clone());
            }
        }
        let refused = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::SetAside(_))).count() as u64;
        if refused > 0 {
            let key = local::refused(self.tag);
            let count = counter(tx, &key)?;
            set_counter(tx, &key, count.saturating_add(refused));
        }
        Ok(Report { outcomes, changes, destroy })
    }
}

/// Why an entry means nothing that its writer's share of an item does not reach to.
pub const BEYOND: &str = "more than one person may write into an item";

/// The rules that an entry can be judged by alone.
fn judge(writer: Writer, opened: &Opened) -> Result<Option<Edit>, Unfit> {
    if !writer.judged {
        return Err(Unfit::Newer("it rests on a decision that this program does not know"));
    }
    let role = writer.role.ok_or("its author was no member")?;
    let kind = Kind::of(opened.kind).ok_or(Unfit::Newer("a kind that this program does not know"))?;
    let class = opened.chain.class;
    if kind.class().is_some_and(|its| its != class) || class == KeyClass::Roster {
        return Err("sealed under another key than its kind's".into());
    }
    let Some(payload) = opened.payload.as_deref() else { return Ok(None) };
    let edit = Edit::parse(payload, kind).map_err(|error| match error {
        EditError::Codec(CodecError::Version(_)) => Unfit::Newer("of a newer form than this program knows"),
        EditError::Codec(_) => "not an edit list".into(),
        EditError::Schema(why) => why.into(),
    })?;
    may_write(writer.person, role, kind, &edit, &opened.item)?;
    Ok(Some(edit))
}

/// May somebody in that role write this edit of an item?
fn may_write(person: PersonId, role: Role, kind: Kind, edit: &Edit, item: &ItemId) -> Result<(), &'static str> {
    let is_creator = person == item.creator;
    if edit.opens() {
        if !is_creator {
            return Err("opened by somebody else than its creator");
        }
        if !kind.may_open(role) {
            return Err("its author's role may not write it");
        }
        mark::may_mark(kind, role, edit.about.is_none_or(|about| about.creator == person))?;
    } else if !kind.may_edit(role, is_creator) {
        return Err("its author may not edit it");
    }
    Ok(())
}
