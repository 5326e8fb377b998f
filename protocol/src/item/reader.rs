//! Reading items of one circle: rows, entries in the cache, and who everybody is.

use std::collections::{BTreeMap, BTreeSet};

use super::base;
use super::built;
use super::kind::{Kind, fields};
use super::load::{EntryCache, Loaded, LoadedItem, load, single, skimmed};
use super::parts::{self, Shares};
use super::port::{DeliveryCounts, People, Source};
use super::row::{Flags, ItemRow, Slot, Tag, counter, local, view_item, view_parent, view_prefix};
use super::veil::Veil;
use crate::control::{Author, DeliveryStatus, ItemState};
use crate::id::{CircleId, ItemId, ItemKey, PersonId};
use crate::limits::PAGE_ROWS;
use crate::log::entry::{EntryAt, Said};
use crate::store::{Read, StoreError, Table};
use crate::time::{DAY, Millis};

/// Everything that reading a circle's items takes.
#[derive(Clone, Copy)]
pub struct ItemReader<'a> {
    /// The store.
    pub read: &'a dyn Read,
    /// Opens entries.
    pub source: &'a dyn Source,
    /// Names people.
    pub people: &'a dyn People,
    /// Knows how far own entries have come.
    pub delivery: &'a dyn DeliveryCounts,
    /// Knows what fell to cuts that the rows do not show yet.
    pub veil: &'a Veil,
    /// Which circle.
    pub circle: CircleId,
    /// Its name.
    pub name: &'a str,
    /// The clock.
    pub now: Millis,
}

impl std::fmt::Debug for ItemReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ItemReader").field("circle", &self.circle).finish_non_exhaustive()
    }
}

/// An item, its row and what it says, as far as it can be shown.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) key: ItemKey,
    pub(super) row: ItemRow,
    pub(super) state: ItemState,
    pub(super) author: Option<PersonId>,
    /// Only of visible items.
    pub(super) whole: Option<Box<LoadedItem>>,
}

/// Entries that items of one entry show, read at once.
enum Entries {
    Opened(EntryCache),
    Skimmed(BTreeMap<EntryAt, Said>),
}

impl Entries {
    fn whole(&self, at: EntryAt, people: &dyn People) -> Option<LoadedItem> {
        match self {
            Self::Opened(cache) => single(cache.get(at)?, people),
            Self::Skimmed(said) => skimmed(said.get(&at)?, people),
        }
    }

    fn creator(&self, at: EntryAt) -> Option<PersonId> {
        match self {
            Self::Opened(cache) => Some(cache.get(at)?.item.creator),
            Self::Skimmed(said) => Some(said.get(&at)?.item.creator),
        }
    }
}

/// Replies, reactions and answers, by what they are about.
#[derive(Debug, Default)]
pub(super) struct Children(BTreeMap<(Kind, ItemKey), Vec<ItemKey>>);

impl<'a> ItemReader<'a> {
    pub(super) fn tag(&self) -> Tag {
        Tag::of(&self.circle)
    }

    pub(super) fn row(&self, key: &ItemKey) -> Result<Option<ItemRow>, StoreError> {
        let mut row = ItemRow::get(self.read, key)?.filter(|row| row.circle == self.tag());
        // What it says may be of before a cut, too, while it waits to be put together.
        let stale = |row: &ItemRow| row.flags.has(Flags::UNBUILT) && row.slots.iter().any(|slot| slot.held);
        if let Some(row) = row.as_mut().filter(|row| self.veil.hides(row) || stale(row)) {
            row.flags.set(Flags::HELD, true);
        }
        Ok(row)
    }

    /// The items of some keys, in their order; those without a first edit here are left out. Nothing is put together: of items of
    /// several entries there is a row that says what they say. `text`: with all of a long text.
    pub(super) fn shown(&self, keys: &[ItemKey], text: bool) -> Result<Vec<Shown>, StoreError> {
        let mut rows = Vec::with_capacity(keys.len());
        for key in keys {
            rows.extend(self.row(key)?.filter(|row| row.kind().is_some()).map(|row| (*key, row)));
        }
        // Of an item of several entries that is still to be put together, the first says what shows meanwhile.
        let opener = |row: &ItemRow| if row.flags.has(Flags::UNBUILT) { row.slots.first() } else { first(row) }.copied();
        let wanted = |row: &ItemRow| text || row.flags.has(Flags::UNBUILT) || !row.flags.has(Flags::LONG);
        let single = rows.iter().filter_map(|(_, row)| opener(row).filter(|_| wanted(row)));
        let single: BTreeSet<EntryAt> = single.map(|slot| slot.at).collect();
        let entries = if text {
            let mut cache = EntryCache::default();
            cache.fetch(self.read, self.source, single)?;
            Entries::Opened(cache)
        } else {
            let places: Vec<EntryAt> = single.into_iter().collect();
            let said = self.source.skim(self.read, &places)?;
            Entries::Skimmed(said.into_iter().map(|said| (said.at, said)).collect())
        };
        rows.into_iter().map(|(key, row)| self.one(key, row, &entries, text)).collect()
    }

    fn one(&self, key: ItemKey, row: ItemRow, entries: &Entries, text: bool) -> Result<Shown, StoreError> {
        let mut shown = Shown { key, state: state(&row, self.now), author: None, whole: None, row };
        let whole = |slot: &Slot| entries.whole(slot.at, self.people).filter(|_| !slot.held).map(Box::new);
        if let (true, false, Some(whole)) = (shown.row.flags.has(Flags::LONG), text, self.start_of(&shown)?) {
            (shown.author, shown.whole) = (Some(whole.item.creator), Some(whole));
        } else if let Some(slot) = first(&shown.row) {
            shown.author = entries.creator(slot.at);
            shown.whole = whole(slot);
        } else {
            shown.author = Shares::get(self.read, &key)?.map(|shares| shares.item.creator);
            // All of a long text of one entry lies in that entry, until others are put together with it.
            let there = !(text && shown.row.flags.has(Flags::LONG) && shown.row.flags.has(Flags::UNBUILT));
            shown.whole = if there { built::get(self.read, &key, text)?.map(Box::new) } else { None };
        }
        if shown.whole.is_none() && shown.state == ItemState::Visible && shown.row.flags.has(Flags::UNBUILT) {
            // It had one entry until now: it shows as that made it.
            let slot = shown.row.slots.first().copied();
            shown.whole = slot.as_ref().and_then(whole);
            shown.author = shown.author.or_else(|| entries.creator(slot?.at));
        }
        if shown.state != ItemState::Visible {
            shown.whole = None;
        } else if shown.whole.is_none() {
            // The row was settled when its entries could be opened; now they cannot, or are still to be put together.
            shown.state = ItemState::Held;
        }
        if !text && let Some(whole) = &mut shown.whole {
            whole.shorten();
        }
        Ok(shown)
    }

    /// How a long text of one entry begins, and all else that it says.
    fn start_of(&self, shown: &Shown) -> Result<Option<Box<LoadedItem>>, StoreError> {
        let there = first(&shown.row).is_some_and(|slot| !slot.held);
        if there { Ok(built::get(self.read, &shown.key, false)?.map(Box::new)) } else { Ok(None) }
    }

    /// One item, visible, put together from all of its entries: to change it, or to tell how it came to be.
    pub(super) fn full(&self, key: &ItemKey) -> Result<Option<Shown>, StoreError> {
        let Some(mut shown) = self.visible(key)? else { return Ok(None) };
        if shown.row.slots.len() > 1 {
            let mut cache = EntryCache::default();
            if let Some(shares) = Shares::get(self.read, key)? {
                parts::pieces(self.read, key, shares.item)?.into_iter().for_each(|piece| cache.put(piece));
            }
            cache.fetch(self.read, self.source, shown.row.slots.iter().map(|slot| slot.at))?;
            if let Loaded::Ready(whole) = load(&shown.row, &cache, self.people) {
                shown.whole = Some(whole);
            }
        }
        Ok(Some(shown).filter(|shown| shown.whole.as_ref().is_some_and(|whole| !whole.steps.is_empty())))
    }

    /// The state that an item is shown in; `None` where it shows as it was while more of it is still to be put together.
    pub(super) fn base(&self, shown: &Shown) -> Result<Option<String>, StoreError> {
        let Some(whole) = shown.whole.as_ref().filter(|_| !shown.row.flags.has(Flags::UNBUILT)) else { return Ok(None) };
        if !whole.steps.is_empty() || whole.heads.is_some() {
            return Ok(Some(base::name(&whole.heads())));
        }
        let full = self.full(&shown.key)?.and_then(|full| full.whole);
        Ok(full.map(|whole| base::name(&whole.heads())))
    }

    pub(super) fn author(&self, person: Option<PersonId>) -> Author {
        let Some(person) = person else { return Author::default() };
        Author { member: person.text(), name: self.name_of(&person), alike: self.people.alike(&person), alike_former: false }
    }

    pub(super) fn name_of(&self, person: &PersonId) -> String {
        self.people.name(person).unwrap_or_else(|| person.text())
    }

    /// DeliveryCounts, told to the author only: the word, and on how many of how many.
    pub(super) fn delivery(&self, shown: &Shown) -> (Option<DeliveryStatus>, Option<(u32, u32)>) {
        let me = self.people.me();
        let whole = shown.whole.as_ref().filter(|_| shown.author == Some(me));
        let Some(last) = whole.and_then(|whole| whole.mine) else { return (None, None) };
        let (have, of) = self.delivery.of(last).unwrap_or((0, 0));
        let word = if have == 0 {
            DeliveryStatus::Local
        } else if have >= of {
            DeliveryStatus::All
        } else {
            DeliveryStatus::Some
        };
        (Some(word), Some((have, of)))
    }

    /// Up to which arrival everything is seen.
    pub(super) fn seen_mark(&self) -> Result<u64, StoreError> {
        counter(self.read, &local::seen(self.tag()))
    }

    /// The author's clock lies more than a day ahead, or behind what was written before.
    pub(super) const fn skewed(&self, row: &ItemRow) -> bool {
        row.created.since(self.now) > DAY || row.flags.has(Flags::RAISED)
    }

    /// The children of one item, oldest first.
    pub(super) fn children(&self, kind: Kind, parent: &ItemKey) -> Result<Vec<ItemKey>, StoreError> {
        let prefix = view_prefix(self.tag(), kind.number(), Some(parent));
        let mut keys = Vec::new();
        let mut after = Vec::new();
        loop {
            let rows = self.read.scan(Table::View, &prefix, &after, PAGE_ROWS)?;
            for (key, _) in &rows {
                keys.push(view_item(key)?);
            }
            match rows.last() {
                Some((last, _)) if rows.len() == PAGE_ROWS => after.clone_from(last),
                Some(_) | None => return Ok(keys),
            }
        }
    }

    /// All children of some kinds in the circle: cheaper than one by one where a whole list is read.
    pub(super) fn all_children(&self, kinds: &[Kind]) -> Result<Children, StoreError> {
        let mut all = Children::default();
        for kind in kinds {
            let prefix = view_prefix(self.tag(), kind.number(), None);
            let mut after = Vec::new();
            loop {
                let rows = self.read.scan(Table::View, &prefix, &after, PAGE_ROWS)?;
                for (key, _) in &rows {
                    let Some(parent) = view_parent(key) else { continue };
                    all.0.entry((*kind, parent)).or_default().push(view_item(key)?);
                }
                match rows.last() {
                    Some((last, _)) if rows.len() == PAGE_ROWS => after.clone_from(last),
                    Some(_) | None => break,
                }
            }
        }
        Ok(all)
    }

    /// Children of an item, oldest first, the newest so many: from what was read at once, or from the store. And whether that is all.
    pub(super) fn children_in(
        &self,
        all: Option<&Children>,
        kind: Kind,
        parent: &ItemKey,
        most: usize,
    ) -> Result<(Vec<ItemKey>, bool), StoreError> {
        let mut keys = match all {
            Some(all) => all.0.get(&(kind, *parent)).cloned().unwrap_or_default(),
            None if most == usize::MAX => self.children(kind, parent)?,
            None => {
                let prefix = view_prefix(self.tag(), kind.number(), Some(parent));
                let rows = self.read.scan_back(Table::View, &prefix, &[], most.saturating_add(1))?;
                rows.iter().rev().map(|(key, _)| view_item(key)).collect::<Result<_, _>>()?
            }
        };
        let beyond = keys.len().saturating_sub(most);
        keys.drain(..beyond);
        Ok((keys, beyond == 0))
    }

    /// What an item is shown with, where its kind has no page of its own: `None` where that is not shown, `Some(None)` where the item
    /// has a page.
    pub(super) fn target(&self, kind: Kind, shown: &Shown) -> Result<Option<Option<Shown>>, StoreError> {
        if kind.is_listed() {
            return Ok(Some(None));
        }
        let Some(parent) = shown.row.parent else { return Ok(None) };
        let fits = |target: &Shown| target.row.kind().is_some_and(|target| kind.may_target(target));
        Ok(self.visible(&parent)?.filter(fits).map(Some))
    }

    /// One item, visible.
    pub(super) fn visible(&self, key: &ItemKey) -> Result<Option<Shown>, StoreError> {
        Ok(self.shown(&[*key], true)?.pop().filter(|shown| shown.whole.is_some()))
    }
}

impl Shown {
    /// Its short id.
    pub(super) fn id(&self) -> String {
        self.key.text(self.row.kind().map_or('-', Kind::letter))
    }

    pub(super) fn is_new(&self, mark: u64) -> bool {
        self.row.is_new(mark)
    }

    /// Did somebody change it since it was seen here?
    pub(super) fn is_changed(&self, mark: u64) -> bool {
        self.row.unseen(mark).is_some() && !self.row.is_new(mark)
    }

    pub(super) fn words(&self, field: u8) -> String {
        self.whole.as_ref().map(|whole| whole.fields.words(field).to_owned()).unwrap_or_default()
    }

    pub(super) fn some_words(&self, field: u8) -> Option<String> {
        self.whole.as_ref().and_then(|whole| whole.fields.some_words(field))
    }

    pub(super) fn tags(&self) -> Vec<String> {
        let tags = self.whole.iter().flat_map(|whole| whole.fields.tags(fields::TAGS));
        tags.map(str::to_owned).collect()
    }

    pub(super) fn edited(&self) -> Option<Millis> {
        self.whole.as_ref().and_then(|whole| whole.edited)
    }

    /// Is more of its text there than is shown?
    pub(super) fn is_cut(&self) -> bool {
        self.whole.as_ref().is_some_and(|whole| whole.cut)
    }

    pub(super) fn item(&self) -> Option<ItemId> {
        self.whole.as_ref().map(|whole| whole.item)
    }

    /// Its body: nothing where it is not visible, nor behind a warning unless asked for.
    pub(super) fn body(&self, reveal: bool, warned: bool) -> Option<String> {
        let whole = self.whole.as_ref()?;
        let hidden = (warned || !whole.fields.words(fields::WARNING).is_empty()) && !reveal;
        (!hidden).then(|| whole.fields.words(fields::BODY).to_owned())
    }

    pub(super) fn last_when(&self) -> (Millis, ItemKey) {
        let when = self.edited().unwrap_or(self.row.created);
        (when, self.key)
    }
}

/// The entry of an item that has only one.
fn first(row: &ItemRow) -> Option<&Slot> {
    match row.slots.as_slice() {
        [slot] => Some(slot),
        _ => None,
    }
}

fn state(row: &ItemRow, now: Millis) -> ItemState {
    if row.flags.has(Flags::REMOVED) {
        ItemState::Removed
    } else if row.flags.has(Flags::GONE) || row.expired(now) {
        ItemState::Expired
    } else if row.flags.has(Flags::HELD) || !row.flags.has(Flags::READY) {
        ItemState::Held
    } else if row.flags.has(Flags::HIDDEN) {
        ItemState::Hidden
    } else {
        ItemState::Visible
    }
}

/// The places of an item's entries in the log, as they came.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn entries(read: &dyn Read, key: &ItemKey) -> Result<Vec<EntryAt>, StoreError> {
    Ok(ItemRow::get(read, key)?.map(|row| row.slots.iter().map(|slot| slot.at).collect()).unwrap_or_default())
}
