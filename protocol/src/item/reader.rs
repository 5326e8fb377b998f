//! Reading items of one circle: rows, entries on the shelf, and who everybody is.

use std::collections::BTreeMap;

use super::kind::{Kind, fields};
use super::port::{Delivery, People, Source};
use super::row::{Flags, Row, Tag, counter, local, view_item, view_parent, view_prefix};
use super::whole::{Loaded, Shelf, Step, Whole, load};
use crate::control::{Author, NoteState};
use crate::id::{CircleId, ItemId, ItemKey, PersonId};
use crate::log::entry::EntryAt;
use crate::store::{Read, StoreError, Table};
use crate::time::{DAY, Millis};

/// Rows read in one go; also how many items' entries are opened together.
pub(super) const PAGE: usize = 256;

/// Everything that reading a circle's items takes.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// The store.
    pub read: &'a dyn Read,
    /// Opens entries.
    pub source: &'a dyn Source,
    /// Names people.
    pub people: &'a dyn People,
    /// Knows how far own entries have come.
    pub delivery: &'a dyn Delivery,
    /// Which circle.
    pub circle: CircleId,
    /// Its name.
    pub name: &'a str,
    /// The clock.
    pub now: Millis,
}

impl std::fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("circle", &self.circle).finish_non_exhaustive()
    }
}

/// An item, its row and what it says, as far as it can be shown.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) key: ItemKey,
    pub(super) row: Row,
    pub(super) state: NoteState,
    pub(super) author: Option<PersonId>,
    /// Only of visible items.
    pub(super) whole: Option<Box<Whole>>,
}

/// Replies, reactions and answers, by what they are about.
#[derive(Debug, Default)]
pub(super) struct Children(BTreeMap<(Kind, ItemKey), Vec<ItemKey>>);

impl<'a> Reader<'a> {
    pub(super) fn tag(&self) -> Tag {
        Tag::of(&self.circle)
    }

    pub(super) fn row(&self, key: &ItemKey) -> Result<Option<Row>, StoreError> {
        Ok(Row::get(self.read, key)?.filter(|row| row.circle == self.tag()))
    }

    /// The items of some keys, in their order; those without a first edit here are left out.
    pub(super) fn shown(&self, keys: &[ItemKey]) -> Result<Vec<Shown>, StoreError> {
        let mut rows = Vec::with_capacity(keys.len());
        for key in keys {
            rows.extend(self.row(key)?.filter(|row| row.kind().is_some()).map(|row| (*key, row)));
        }
        let mut shelf = Shelf::default();
        shelf.fetch(self.read, self.source, rows.iter().map(|(_, row)| row))?;
        Ok(rows.into_iter().map(|(key, row)| self.one(key, row, &shelf)).collect())
    }

    fn one(&self, key: ItemKey, row: Row, shelf: &Shelf) -> Shown {
        let mut state = state(&row, self.now);
        let author = row.slots.iter().find_map(|slot| shelf.get(slot.at)).map(|piece| piece.item.creator);
        let mut whole = None;
        if state == NoteState::Visible {
            match load(&row, shelf, self.people) {
                Loaded::Ready(ready) => whole = Some(ready),
                // The row was settled when its entries could be opened; now they cannot, or not all of them.
                Loaded::Held | Loaded::Absent => state = NoteState::Held,
            }
        }
        Shown { key, row, state, author, whole }
    }

    pub(super) fn author(&self, person: Option<PersonId>) -> Author {
        let Some(person) = person else { return Author::default() };
        Author { member: person.text(), name: self.name_of(&person), alike: self.people.alike(&person) }
    }

    pub(super) fn name_of(&self, person: &PersonId) -> String {
        self.people.name(person).unwrap_or_else(|| person.text())
    }

    /// Delivery, told to the author only: the word, and on how many of how many.
    pub(super) fn delivery(&self, shown: &Shown) -> (Option<String>, Option<(u32, u32)>) {
        let me = self.people.me();
        let own = |step: &&Step| step.writer == me;
        let Some(last) =
            shown.whole.as_ref().filter(|_| shown.author == Some(me)).and_then(|whole| whole.steps.iter().rfind(own))
        else {
            return (None, None);
        };
        let (have, of) = self.delivery.of(last.at).unwrap_or((0, 0));
        let word = if have == 0 {
            "local"
        } else if have >= of {
            "all"
        } else {
            "some"
        };
        (Some(word.to_owned()), Some((have, of)))
    }

    /// Up to which arrival everything is seen.
    pub(super) fn seen_mark(&self) -> Result<u64, StoreError> {
        counter(self.read, &local::seen(self.tag()))
    }

    /// The author's clock lies more than a day ahead.
    pub(super) const fn skewed(&self, created: Millis) -> bool {
        created.since(self.now) > DAY
    }

    /// The children of one item, oldest first.
    pub(super) fn children(&self, kind: Kind, parent: &ItemKey) -> Result<Vec<ItemKey>, StoreError> {
        let prefix = view_prefix(self.tag(), kind.number(), Some(parent));
        let mut keys = Vec::new();
        let mut after = Vec::new();
        loop {
            let rows = self.read.scan(Table::View, &prefix, &after, PAGE)?;
            for (key, _) in &rows {
                keys.push(view_item(key)?);
            }
            match rows.last() {
                Some((last, _)) if rows.len() == PAGE => after.clone_from(last),
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
                let rows = self.read.scan(Table::View, &prefix, &after, PAGE)?;
                for (key, _) in &rows {
                    let Some(parent) = view_parent(key) else { continue };
                    all.0.entry((*kind, parent)).or_default().push(view_item(key)?);
                }
                match rows.last() {
                    Some((last, _)) if rows.len() == PAGE => after.clone_from(last),
                    Some(_) | None => break,
                }
            }
        }
        Ok(all)
    }

    /// Children of an item: from what was read at once, or from the store.
    pub(super) fn children_in(&self, all: Option<&Children>, kind: Kind, parent: &ItemKey) -> Result<Vec<ItemKey>, StoreError> {
        match all {
            Some(all) => Ok(all.0.get(&(kind, *parent)).cloned().unwrap_or_default()),
            None => self.children(kind, parent),
        }
    }

    /// One item, visible.
    pub(super) fn visible(&self, key: &ItemKey) -> Result<Option<Shown>, StoreError> {
        Ok(self.shown(&[*key])?.pop().filter(|shown| shown.whole.is_some()))
    }
}

impl Shown {
    pub(super) fn is_new(&self, mark: u64) -> bool {
        self.row.arrived > mark && !self.row.flags.has(Flags::SEEN | Flags::MINE)
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

fn state(row: &Row, now: Millis) -> NoteState {
    if row.flags.has(Flags::REMOVED) {
        NoteState::Removed
    } else if row.flags.has(Flags::GONE) || row.expired(now) {
        NoteState::Expired
    } else if row.flags.has(Flags::HELD) || !row.flags.has(Flags::READY) {
        NoteState::Held
    } else if row.flags.has(Flags::HIDDEN) {
        NoteState::Hidden
    } else {
        NoteState::Visible
    }
}

/// The places of an item's entries in the log, as they came.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn entries(read: &dyn Read, key: &ItemKey) -> Result<Vec<EntryAt>, StoreError> {
    Ok(Row::get(read, key)?.map(|row| row.slots.iter().map(|slot| slot.at).collect()).unwrap_or_default())
}
