//! How an item is shown, and its history. What a kind shows lies in its own file.

use std::cell::Cell;

use super::kind::{Kind, fields};
use super::load::touched;
use super::reader::{Children, ItemReader, Shown};
use super::valid::is_address;
use crate::control::{Change, Revision, Time};
use crate::id::{ItemKey, PersonId};
use crate::limits::{HISTORY_BYTES, LIST_CHILDREN};
use crate::store::StoreError;

/// Which bodies behind content warnings an answer may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reveal {
    /// None.
    #[default]
    Nothing,
    /// Those that the member of this machine wrote: what an answer to writing may hold.
    Own,
    /// All: somebody asked to see them.
    All,
}

impl Reveal {
    /// As somebody asked for it, or did not.
    #[must_use]
    pub const fn asked(reveal: bool) -> Self {
        if reveal { Self::All } else { Self::Nothing }
    }

    /// May the body of that author's be shown?
    pub(super) fn shows(self, reader: &ItemReader<'_>, author: Option<PersonId>) -> bool {
        match self {
            Self::Nothing => false,
            Self::Own => author == Some(reader.people.me()),
            Self::All => true,
        }
    }
}

/// How a list or a single item is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct How<'a> {
    /// Which bodies behind warnings.
    pub(super) reveal: Reveal,
    /// Up to which arrival everything is seen.
    pub(super) mark: u64,
    /// Children, where they were read at once.
    pub(super) all: Option<&'a Children>,
    /// All of a long text, or its start only.
    pub(super) full: bool,
    /// With the base of each, by which it is edited.
    pub(super) based: bool,
    /// Children that the list at hand may still show.
    pub(super) left: Option<&'a Cell<usize>>,
}

impl How<'_> {
    /// The base of an item.
    pub(super) fn base(&self, reader: &ItemReader<'_>, shown: &Shown) -> Result<Option<String>, StoreError> {
        if self.based { reader.base(shown) } else { Ok(None) }
    }

    /// How many of each kind that is about a note are shown with it.
    fn children(&self) -> usize {
        if self.full { usize::MAX } else { self.left.map_or(LIST_CHILDREN, |left| left.get().min(LIST_CHILDREN)) }
    }

    /// The children of a note that are shown with it, oldest first, and whether these are all.
    pub(super) fn children_of(
        &self,
        reader: &ItemReader<'_>,
        kind: Kind,
        note: &ItemKey,
    ) -> Result<(Vec<ItemKey>, bool), StoreError> {
        let (keys, all) = reader.children_in(self.all, kind, note, self.children())?;
        if let Some(left) = self.left {
            left.set(left.get().saturating_sub(keys.len()));
        }
        Ok((keys, all))
    }
}

/// An item's edit history, oldest first; nothing of items that are not visible. Bodies that stand behind a warning now, or stood
/// behind one after their step, are left out unless asked for.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn history(reader: &ItemReader<'_>, key: &ItemKey, reveal: Reveal) -> Result<Vec<Revision>, StoreError> {
    let Some(shown) = reader.full(key)? else { return Ok(Vec::new()) };
    let Some(whole) = &shown.whole else { return Ok(Vec::new()) };
    let mut warned = !whole.fields.words(fields::WARNING).is_empty();
    if !whole.kind.is_listed() {
        // A reply shows with its note only, and stands behind its warning, too.
        let target = shown.row.parent.map(|parent| reader.visible(&parent)).transpose()?.flatten();
        let Some(target) = target else { return Ok(Vec::new()) };
        warned |= target.some_words(fields::WARNING).is_some();
    }
    let reveals = reveal.shows(reader, shown.author);
    let mut history = Vec::new();
    for step in whole.steps.iter().skip(whole.too_old(HISTORY_BYTES)) {
        let after = whole.fields_after(step);
        let hidden = !reveals && (warned || !after.words(fields::WARNING).is_empty());
        let changes = touched(&step.edit).into_iter().filter_map(|number| {
            let field = whole.kind.field(number)?;
            let value = if hidden && number == fields::BODY { None } else { Some(after.shown(whole.kind, number)) };
            let refused = field.name == "url" && value.as_deref().is_some_and(|url| !is_address(url));
            Some(Change { field: if refused { "refused_url" } else { field.name }.to_owned(), value })
        });
        history.push(Revision { author: reader.author(Some(step.writer)), at: Time(step.when), changes: changes.collect() });
    }
    Ok(history)
}
