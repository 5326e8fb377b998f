//! What shall change in an item that is there, or in how it shows.

use std::collections::BTreeSet;

use super::{ComposeContext, ComposeError, Target, entry};
use crate::circle::body::KeyClass;
use crate::control::{Code, Crossed, Error, Hint};
use crate::id::{ItemId, ItemKey, PersonId};
use crate::item::edit::Value;
use crate::item::edit_builder::EditBuilder;
use crate::item::kind::{Editors, Kind, fields};
use crate::item::load::{LoadedItem, Seen, touched};
use crate::item::parts::Shares;
use crate::item::reader::{ItemReader, Shown};
use crate::item::resolve::where_listed;
use crate::item::valid;
use crate::limits::TITLE_CHARS;
use crate::log::entry::NewEntry;
use crate::time::Millis;

/// An item that is there for all to see, of one of these kinds (empty: of any).
pub(in crate::item) fn target(reader: &ItemReader<'_>, key: &ItemKey, kinds: &[Kind]) -> Result<(Shown, Target), ComposeError> {
    let shown =
        reader.visible(key)?.filter(|shown| shown.row.kind().is_some_and(|kind| kinds.is_empty() || kinds.contains(&kind)));
    let found = shown.and_then(|shown| {
        let (item, class, retention) = (shown.item()?, class(shown.row.kind()), shown.row.retention);
        Some((shown, Target { item, class, retention }))
    });
    if let Some(found) = found {
        return Ok(found);
    }
    let kind = reader.row(key)?.and_then(|row| row.kind());
    let lists = if kinds.is_empty() { where_listed(kind.as_slice()) } else { where_listed(kinds) };
    Err(Error::new(Code::NotFound, "That is not here, or no longer shown.", lists).into())
}

/// An item that is here, shown or not.
pub(in crate::item) fn any(reader: &ItemReader<'_>, key: &ItemKey) -> Result<(Kind, Target), ComposeError> {
    let missing =
        |kind: Option<Kind>| ComposeError::from(Error::new(Code::NotFound, "That is not here.", where_listed(kind.as_slice())));
    let row = reader.row(key)?.ok_or_else(|| missing(None))?;
    let kind = row.kind().filter(|kind| !kind.is_mark()).ok_or_else(|| missing(row.kind()))?;
    for slot in &row.slots {
        if let Some(opened) = reader.source.load(reader.read, slot.at)? {
            return Ok((kind, Target { item: opened.item, class: class(Some(kind)), retention: row.retention }));
        }
    }
    Err(missing(Some(kind)))
}

/// The key class of an item that is no mark.
fn class(kind: Option<Kind>) -> KeyClass {
    kind.and_then(Kind::class).unwrap_or(KeyClass::Library)
}

/// Its entries are not all here, or not all open.
fn unready() -> ComposeError {
    Error::new(Code::Failed, "This cannot be changed yet: parts of it are missing.", "They come from any member who has them.")
        .into()
}

fn refused(place: &ComposeContext, kind: Kind, item: ItemId) -> ComposeError {
    let (message, hint) = if item.creator == place.me || kind.spec().edited_by != Editors::Creator {
        (format!("You cannot change this {} in your role.", kind.noun()), "A steward can change your role.")
    } else {
        (format!("Only its author edits a {}.", kind.noun()), "You can reply to it.")
    };
    Error::new(Code::NotAllowed, message, hint).into()
}

/// An item as its changer saw it, and what shall change in it. What came since stays: only what they did is written down.
pub(in crate::item) struct Changing {
    shown: Shown,
    whole: Box<LoadedItem>,
    seen: Seen,
    builder: EditBuilder,
}

impl Changing {
    /// An item that is shown and that the member of this machine may change.
    pub(in crate::item) fn begin(
        reader: &ItemReader<'_>,
        place: &ComposeContext,
        key: &ItemKey,
        base: Option<&str>,
    ) -> Result<Self, ComposeError> {
        let (shown, Target { item, .. }) = target(reader, key, &[])?;
        let kind = shown.row.kind().ok_or_else(unready)?;
        if !kind.may_edit(place.role, item.creator == place.me) {
            return Err(refused(place, kind, item));
        }
        has_room(reader, key, place.me)?;
        let mut changing = Self::of(reader, key)?.ok_or_else(unready)?;
        if let Some(base) = base {
            changing.seen = changing.whole.at(base).ok_or_else(|| {
                let message = "This was changed from a state of it that is not known here.";
                Error::new(Code::Usage, message, "Show it again, and make your change there.")
            })?;
        }
        Ok(changing)
    }

    /// An item with all of its entries, if they are here.
    pub(in crate::item) fn of(reader: &ItemReader<'_>, key: &ItemKey) -> Result<Option<Self>, ComposeError> {
        let Some(mut shown) = reader.full(key)? else { return Ok(None) };
        Ok(shown.whole.take().map(|whole| {
            let seen = whole.as_it_is();
            Self { shown, whole, seen, builder: EditBuilder::default() }
        }))
    }

    pub(in crate::item) const fn kind(&self) -> Kind {
        self.whole.kind
    }

    pub(in crate::item) fn value(&mut self, field: u8, value: Value) {
        self.builder.set(&self.seen.fields, field, value);
    }

    pub(in crate::item) fn set(&mut self, field: u8, words: Option<Result<String, Error>>) -> Result<(), Error> {
        if let Some(words) = words {
            self.value(field, Value::text(&words?));
        }
        Ok(())
    }

    pub(in crate::item) fn line(&mut self, field: u8, words: Option<&String>, limit: usize, what: &str) -> Result<(), Error> {
        self.set(field, words.map(|words| valid::line(words, limit, what)))
    }

    pub(in crate::item) fn warning(&mut self, warning: Option<&String>) -> Result<(), Error> {
        self.line(fields::WARNING, warning, TITLE_CHARS, "The content warning")
    }

    /// One of the words that a field knows; empty takes it off.
    pub(in crate::item) fn word(&mut self, field: u8, word: Option<&'static str>) {
        if let Some(word) = word {
            self.value(field, Value::text(word));
        }
    }

    pub(in crate::item) fn text(&mut self, words: Option<&String>, noun: &str) -> Result<(), Error> {
        let Some(words) = words else { return Ok(()) };
        // What several people wrote may together be longer than one may write: anyone who makes it shorter is not refused.
        let words = valid::text_within(words, noun, self.seen.fields.words(fields::BODY).len())?;
        self.builder.text(&self.seen.fields, fields::BODY, &self.seen.characters, &words);
        Ok(())
    }

    pub(in crate::item) fn tags(&mut self, tags: Option<&Vec<String>>) -> Result<(), Error> {
        let Some(tags) = tags else { return Ok(()) };
        let tags: BTreeSet<String> = valid::tags(tags)?;
        self.builder.tags(&self.seen.fields, fields::TAGS, &self.seen.tags_beyond, &tags);
        Ok(())
    }

    /// Refuses what takes away all that somebody wrote: an empty text comes of a slip, and nothing brings the words back. Of what has
    /// a title only, the title is what there is.
    ///
    /// # Errors
    /// [`Code::Usage`]: how it is deleted instead.
    pub(in crate::item) fn keep_words(&self, title: Option<&String>, body: Option<&String>) -> Result<(), Error> {
        let says = |field| !self.seen.fields.words(field).trim().is_empty();
        let empty = |words: &String| words.trim().is_empty();
        let gone = if says(fields::BODY) {
            body.is_some_and(empty)
        } else {
            says(fields::TITLE) && title.is_some_and(empty) && body.is_none_or(empty)
        };
        if !gone {
            return Ok(());
        }
        let (kind, noun) = (self.kind(), self.kind().noun());
        // A reply goes by the commands of notes.
        let by = kind.about().unwrap_or(kind).noun();
        let remove = Hint::run(by, "remove", &[&self.shown.key.text(kind.letter())], &format!("deletes the {noun}"));
        Err(Error::new(Code::Usage, "An empty text takes all words away.", remove))
    }

    /// What a field held when its changer looked.
    pub(in crate::item) fn seen(&self, field: u8) -> Value {
        self.seen.fields.value(field)
    }

    /// What it holds now.
    pub(in crate::item) fn current(&self, field: u8) -> Value {
        self.whole.fields.value(field)
    }

    /// Writes a field down even where it holds that already: together with others it is one value.
    pub(in crate::item) fn put(&mut self, field: u8, value: Value) {
        self.builder.put(field, value);
    }

    /// The fields that were changed since the state that this is a change of, and who did; each once. One's own are named as
    /// well: in another window, one does not see what was done in the first.
    pub(in crate::item) fn crossed(&self, reader: &ItemReader<'_>) -> Vec<Crossed> {
        let mut crossed = Vec::new();
        for step in &self.seen.since {
            let mine = step.writer == reader.people.me();
            for field in touched(&step.edit).into_iter().filter_map(|number| self.whole.kind.field(number)) {
                let one = Crossed { field: field.name.to_owned(), author: reader.author(Some(step.writer)), mine };
                if !crossed.contains(&one) {
                    crossed.push(one);
                }
            }
        }
        crossed
    }

    /// The entry that makes it so, sealed under a key of that class; none where nothing changes.
    pub(in crate::item) fn save(self, now: Millis, class: KeyClass) -> Result<Option<NewEntry>, Error> {
        if self.builder.is_empty() {
            return Ok(None);
        }
        let edit = self.builder.finish(now, self.whole.heads());
        entry(self.whole.kind, class, self.whole.item, self.shown.row.retention, &edit).map(Some)
    }

    /// The entry that makes it so; none where it says that already.
    pub(in crate::item) fn done(self, now: Millis) -> Result<Vec<NewEntry>, ComposeError> {
        let class = class(self.shown.row.kind());
        Ok(self.save(now, class)?.into_iter().collect())
    }
}

/// May somebody still write into an item of several entries?
fn has_room(reader: &ItemReader<'_>, key: &ItemKey, person: PersonId) -> Result<(), ComposeError> {
    let full = Shares::get(reader.read, key)?.is_some_and(|shares| shares.is_full(&person));
    if !full {
        return Ok(());
    }
    let (message, hint) = ("You have changed this as often as one person may.", "Start a new one, and link to this one.");
    Err(Error::new(Code::Failed, message, hint).into())
}
