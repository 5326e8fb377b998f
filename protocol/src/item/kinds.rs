//! The table of kinds, and the one place where each verb finds its kind's code.
//!
//! One kind, one file: there stands its row, and beside it how it is composed, changed, listed and shown. Code elsewhere asks the
//! table what a kind is like, never which one it is, so that a new kind is a new file, a row here, and an arm for each verb.

pub mod event;
pub mod hide;
pub mod note;
pub mod pin;
pub mod reaction;
pub mod reply;
pub mod resource;
pub mod rsvp;
pub mod tombstone;

use std::convert::Infallible;

use rand_core::{CryptoRng, TryCryptoRng, TryRng};

use super::compose::{Changing, ComposeContext, ComposeError};
use super::fields::Fields;
use super::kind::{Editors, Field, Spec, Targets};
use super::reader::{ItemReader, Shown};
use super::show::{How, Reveal};
use super::tomorrow;
use crate::circle::body::{KeyClass, Retention, Role};
use crate::control::{Code, Crossed, EditItem, Error, EventStatus, Happening, Item, Items, Kind, NewItem, Response, Subject};
use crate::id::{ItemKey, PersonId};
use crate::io::Filter;
use crate::limits::BATCH_ITEMS;
use crate::lines::{counted, grouped};
use crate::log::entry::NewEntry;
use crate::planted::{Bug, planted};
use crate::store::StoreError;
use crate::time::Millis;
use crate::tomorrow::is_tomorrow;

/// Every kind's row, by number.
pub const TABLE: [&Spec; 9] = [
    &note::SPEC,
    &reply::SPEC,
    &reaction::SPEC,
    &event::SPEC,
    &rsvp::SPEC,
    &resource::SPEC,
    &tombstone::SPEC,
    &hide::SPEC,
    &pin::SPEC,
];

/// A kind's row.
const fn spec(kind: Kind) -> &'static Spec {
    match kind {
        Kind::Note => &note::SPEC,
        Kind::Reply => &reply::SPEC,
        Kind::Reaction => &reaction::SPEC,
        Kind::Event => &event::SPEC,
        Kind::Rsvp => &rsvp::SPEC,
        Kind::Resource => &resource::SPEC,
        Kind::Tombstone => &tombstone::SPEC,
        Kind::Hide => &hide::SPEC,
        Kind::Pin => &pin::SPEC,
    }
}

/// The fields of a note, and the one that [`crate::tomorrow`] adds.
const TOMORROW_NOTE: [Field; note::SPEC.fields.len() + 1] = {
    let mut all = [tomorrow::MOOD_FIELD; note::SPEC.fields.len() + 1];
    let mut at = 0;
    while at < note::SPEC.fields.len() {
        all[at] = note::SPEC.fields[at];
        at += 1;
    }
    all
};

/// The kinds of the table.
const fn all() -> [Kind; TABLE.len()] {
    let mut all = [Kind::Note; TABLE.len()];
    let mut at = 0;
    while at < TABLE.len() {
        all[at] = TABLE[at].kind;
        at += 1;
    }
    all
}

impl Kind {
    /// Every kind, by number.
    pub const ALL: [Self; TABLE.len()] = all();

    /// Its row.
    #[must_use]
    pub const fn spec(self) -> &'static Spec {
        spec(self)
    }

    /// The kind of a number, if this program knows it.
    #[must_use]
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number).or_else(|| tomorrow::kind(number))
    }

    /// The kind whose list the local API has under this name.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        Self::listed().find(|kind| kind.path() == path)
    }

    /// The kinds that have a list, by number.
    pub fn listed() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| kind.is_listed())
    }

    /// The kinds that are shown with an item of this kind, by number: replies and reactions with a note.
    pub fn children(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |kind| !kind.is_mark() && kind.may_target(self))
    }

    /// The kinds of the ids by which people ask for an item of this kind: its own, and of what inboxes tell that is shown with
    /// it.
    #[must_use]
    pub fn named(self) -> Vec<Self> {
        std::iter::once(self).chain(self.children().filter(|kind| kind.is_told())).collect()
    }

    /// What people and scripts call one of them.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        self.subject().word()
    }

    /// The same, as the local API names it.
    #[must_use]
    pub(crate) const fn subject(self) -> Subject {
        self.spec().noun
    }

    /// What the local API calls them in a path.
    #[must_use]
    pub const fn path(self) -> &'static str {
        self.spec().path
    }

    /// The letter of its short ids.
    #[must_use]
    pub const fn letter(self) -> char {
        self.spec().letter
    }

    /// Its fields.
    #[must_use]
    pub fn fields(self) -> &'static [Field] {
        if is_tomorrow() && self == Self::Note { &TOMORROW_NOTE } else { self.spec().fields }
    }

    /// One of its fields.
    #[must_use]
    pub fn field(self, number: u8) -> Option<&'static Field> {
        self.fields().iter().find(|field| field.number == number)
    }

    /// Under which key it is sealed; `None`: under its target's.
    #[must_use]
    pub const fn class(self) -> Option<KeyClass> {
        self.spec().class
    }

    /// The least role that may open one.
    #[must_use]
    pub(crate) const fn opened_by(self) -> Role {
        self.spec().opened_by
    }

    /// Does it name another item?
    #[must_use]
    pub const fn has_target(self) -> bool {
        !matches!(self.spec().targets, Targets::Nothing)
    }

    /// Does it stand in a list of its own?
    #[must_use]
    pub const fn is_listed(self) -> bool {
        self.spec().appears.list
    }

    /// Do inboxes tell of it?
    #[must_use]
    pub(crate) const fn is_told(self) -> bool {
        self.spec().appears.inbox
    }

    /// Can its words be found?
    #[must_use]
    pub(crate) const fn is_indexed(self) -> bool {
        self.spec().appears.index
    }

    /// Does it only say something about another item's showing?
    #[must_use]
    pub const fn is_mark(self) -> bool {
        self.class().is_none()
    }

    /// May it have a target of that kind?
    #[must_use]
    pub fn may_target(self, target: Self) -> bool {
        match self.spec().targets {
            Targets::Nothing => false,
            Targets::Kinds(kinds) => kinds.contains(&target),
            Targets::Listed => target.is_listed(),
            Targets::Told => target.is_told(),
            Targets::Anything => !target.is_mark(),
        }
    }

    /// The kind of item that it is about, where that is one.
    #[must_use]
    pub const fn about(self) -> Option<Self> {
        match self.spec().targets {
            Targets::Kinds([kind]) => Some(*kind),
            Targets::Kinds(_) | Targets::Nothing | Targets::Listed | Targets::Told | Targets::Anything => None,
        }
    }

    /// May such a role open one, at all?
    #[must_use]
    pub(crate) fn may_open(self, role: Role) -> bool {
        role >= self.opened_by()
    }

    /// May that person with that role change one that another (or they) created?
    #[must_use]
    pub(crate) fn may_edit(self, role: Role, is_creator: bool) -> bool {
        match self.spec().edited_by {
            Editors::Creator => (is_creator || planted(Bug::AnyoneEdits)) && role >= self.opened_by(),
            Editors::Anyone => role >= self.opened_by(),
            Editors::Nobody => false,
        }
    }
}

/// Names all kinds and fields that this program knows, and what they hold. A store whose items another program made of its log is
/// built again.
#[must_use]
pub fn vocabulary() -> Vec<u8> {
    let known = (0..=u8::MAX).filter_map(|number| Some((number, Kind::of(number)?)));
    known.flat_map(|(number, kind)| format!("{number} {kind:?} {:?}\n", kind.fields()).into_bytes()).collect()
}

/// A new item.
///
/// # Errors
/// [`Error`] where it cannot be written.
pub fn compose(place: &ComposeContext, rng: &mut dyn CryptoRng, new: &NewItem) -> Result<NewEntry, Error> {
    match new {
        NewItem::Note(new) => note::compose(place, rng, new),
        NewItem::Event(new) => event::compose(place, rng, new),
        NewItem::Resource(new) => resource::compose(place, rng, new),
    }
}

/// A new item as it is kept, no matter who writes it: without what is taken out of words, its tags in order. Nothing is written.
///
/// # Errors
/// [`Error`] where nobody could write it.
pub fn tidy(new: &NewItem) -> Result<NewItem, Error> {
    let tidy = match new {
        NewItem::Note(new) => NewItem::Note(note::tidy(new)?),
        NewItem::Event(new) => NewItem::Event(event::tidy(new)?),
        NewItem::Resource(new) => NewItem::Resource(resource::tidy(new)?),
    };
    let founder = ComposeContext { me: PersonId([0; 32]), role: Role::Founder, now: Millis(0), retention: Retention::Keep };
    compose(&founder, &mut Unused, &tidy)?;
    Ok(tidy)
}

/// What is drawn for an item that is only looked at.
struct Unused;

impl TryRng for Unused {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(0);
        Ok(())
    }
}

impl TryCryptoRng for Unused {}

/// Many new items at once; all or none. Their labels lie a millisecond apart, so that lists keep their order.
///
/// # Errors
/// [`Error`] naming the first that cannot be written, counted from 1.
pub fn batch(place: &ComposeContext, rng: &mut dyn CryptoRng, items: &[NewItem]) -> Result<Vec<NewEntry>, Error> {
    if items.len() > BATCH_ITEMS {
        let message = format!(
            "{} are too many at once; there is room for {}.",
            counted(items.len(), "item", "items"),
            grouped(BATCH_ITEMS)
        );
        return Err(Error::new(Code::TooLarge, message, "Send them in several parts."));
    }
    let made = items.iter().enumerate().map(|(at, item)| {
        let now = Millis(place.now.0.saturating_sub((items.len() - at) as u64));
        let made = compose(&ComposeContext { now, ..*place }, rng, item);
        made.map_err(|error| Error { message: format!("Item {} cannot be written. {}", at + 1, error.message), ..error })
    });
    made.collect()
}

/// What somebody says about an item that is shown. Empty: that is said already.
///
/// # Errors
/// [`ComposeError`] where it cannot be written.
pub(crate) fn respond(
    reader: &ItemReader<'_>,
    place: &ComposeContext,
    rng: &mut dyn CryptoRng,
    about: &ItemKey,
    response: &Response,
) -> Result<Vec<NewEntry>, ComposeError> {
    match response {
        Response::Reply(new) => reply::compose(reader, place, rng, about, new).map(|entry| vec![entry]),
        Response::Reaction(new) => reaction::compose(reader, place, rng, about, new),
        Response::Rsvp(answer) => rsvp::compose(reader, place, rng, about, *answer),
    }
}

/// Changes what an item says: the entry that does, if any, and what was changed since the state that it is a change of.
///
/// # Errors
/// [`ComposeError`] where it cannot be written.
pub fn edit(
    reader: &ItemReader<'_>,
    place: &ComposeContext,
    key: &ItemKey,
    wanted: &EditItem,
) -> Result<(Vec<NewEntry>, Vec<Crossed>), ComposeError> {
    let mut changing = Changing::begin(reader, place, key, wanted.base())?;
    change(&mut changing, wanted)?;
    let crossed = changing.crossed(reader);
    let now = if changing.kind() == Kind::Event { event::label(reader, key, place.now)? } else { place.now };
    Ok((changing.done(now)?, crossed))
}

fn change(changing: &mut Changing, wanted: &EditItem) -> Result<(), Error> {
    match (changing.kind(), wanted) {
        (Kind::Note, EditItem::Note(wanted)) => note::change(changing, wanted),
        (Kind::Reply, EditItem::Note(wanted)) => reply::change(changing, wanted),
        (Kind::Event, EditItem::Event(wanted)) => event::change(changing, wanted),
        (Kind::Resource, EditItem::Resource(wanted)) => resource::change(changing, wanted),
        (kind, EditItem::Note(_) | EditItem::Event(_) | EditItem::Resource(_)) => {
            Err(Error::new(Code::Usage, format!("That is a {}.", kind.noun()), "Edit it by its own noun."))
        }
    }
}

/// What a field says: of one that was never set, what that means.
pub(super) fn says(kind: Kind, fields: &Fields, field: u8) -> String {
    let shown = fields.shown(kind, field);
    if shown.is_empty() && kind == Kind::Event { event::unset(field).to_owned() } else { shown }
}

/// Whether an item of a kind takes place; `None` of kinds of which that cannot be asked.
pub(super) fn status(kind: Kind, fields: &Fields) -> Option<EventStatus> {
    (kind == Kind::Event).then(|| event::status(fields))
}

/// Is an item of a kind about whole days?
pub(super) fn is_of_days(kind: Kind, fields: &Fields) -> bool {
    kind == Kind::Event && event::is_of_days(fields)
}

/// What happened to an item of a kind that said one thing and says another.
pub(super) fn happening(kind: Kind, before: &Fields, now: &Fields) -> Happening {
    match kind {
        Kind::Event => event::happening(before, now),
        Kind::Note | Kind::Reply | Kind::Reaction | Kind::Rsvp | Kind::Resource | Kind::Tombstone | Kind::Hide | Kind::Pin => {
            Happening::Edited
        }
    }
}

/// The items of a kind that has a list, narrowed by a filter; nothing of other kinds.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn list(reader: &ItemReader<'_>, kind: Kind, filter: &Filter) -> Result<Option<Items>, StoreError> {
    Ok(Some(match kind {
        Kind::Note => Items::Notes(note::list(reader, filter)?),
        Kind::Event => Items::Events(event::list(reader, filter)?),
        Kind::Resource => Items::Resources(resource::list(reader, filter)?),
        Kind::Reply | Kind::Reaction | Kind::Rsvp | Kind::Tombstone | Kind::Hide | Kind::Pin => return Ok(None),
    }))
}

/// An item with what is shown with it; given a reply, its note.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn show(reader: &ItemReader<'_>, key: &ItemKey, reveal: Reveal) -> Result<Option<Item>, StoreError> {
    let Some(row) = reader.row(key)? else { return Ok(None) };
    let with_target = row.kind().is_some_and(|kind| !kind.is_listed());
    let key = row.parent.filter(|_| with_target).unwrap_or(*key);
    let Some(shown) = reader.shown(&[key], true)?.pop() else { return Ok(None) };
    page(reader, &shown, How { reveal, mark: reader.seen_mark()?, all: None, full: true, based: true, left: None })
}

fn page(reader: &ItemReader<'_>, shown: &Shown, how: How<'_>) -> Result<Option<Item>, StoreError> {
    let Some(kind) = shown.row.kind() else { return Ok(None) };
    Ok(Some(match kind {
        Kind::Note => Item::Note(Box::new(note::show(reader, shown, how)?)),
        Kind::Event => Item::Event(Box::new(event::show(reader, shown, how)?)),
        Kind::Resource => Item::Resource(Box::new(resource::show(reader, shown, how)?)),
        Kind::Reply | Kind::Reaction | Kind::Rsvp | Kind::Tombstone | Kind::Hide | Kind::Pin => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::item::kind::{Appears, Form, fields};

    #[test]
    fn numbers_letters_paths_and_fields_are_distinct() {
        let letters: BTreeSet<char> = Kind::ALL.iter().map(|kind| kind.letter()).collect();
        assert_eq!(letters.len(), Kind::ALL.len());
        let paths: Vec<&str> = Kind::ALL.iter().map(|kind| kind.path()).filter(|path| !path.is_empty()).collect();
        assert_eq!(paths.iter().collect::<BTreeSet<_>>().len(), paths.len());
        for (kind, number) in Kind::ALL.into_iter().zip(1..) {
            assert_eq!((kind.spec().kind, kind.number()), (kind, number), "a row stands where its number says");
            assert_eq!(Kind::of(kind.number()), Some(kind));
            let numbers: BTreeSet<u8> = kind.fields().iter().map(|field| field.number).collect();
            assert_eq!(numbers.len(), kind.fields().len());
        }
        assert_eq!(Kind::of(0), None);
    }

    #[test]
    fn guests_read_and_react_only() {
        let opened: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| kind.may_open(Role::Guest)).collect();
        assert_eq!(opened, [Kind::Reaction, Kind::Tombstone]);
        assert!(!Kind::Pin.may_open(Role::Member));
    }

    #[test]
    fn what_appears_somewhere_has_what_it_takes() {
        let shared = [(fields::TITLE, "title"), (fields::WARNING, "content_warning"), (fields::WANT, "want")];
        let shared: BTreeMap<u8, &str> = shared.into_iter().chain([(fields::LANG, "lang"), (fields::TAGS, "tags")]).collect();
        for kind in Kind::ALL {
            let Spec { appears, targets, .. } = *kind.spec();
            // Lists, inboxes and searches read these fields of whatever they show.
            for field in kind.fields().iter().filter(|_| appears.inbox || appears.index || appears.list) {
                assert!(shared.get(&field.number).is_none_or(|name| *name == field.name), "{kind:?} {}", field.name);
                let text = matches!(field.form, Form::Text(_));
                assert_eq!(text, field.number == fields::BODY, "{kind:?} {}: the one text is the body", field.name);
            }
            for field in kind.fields().iter().filter(|field| field.later) {
                assert!(!field.required, "{kind:?} {}: who does not know it writes items without it", field.name);
            }
            assert_eq!(appears.list, targets == Targets::Nothing, "{kind:?}: what has no page shows with its target");
            assert_eq!(appears.index, kind.fields().iter().any(|field| field.found), "{kind:?}: there are words to find");
            assert!(!appears.list || !kind.path().is_empty(), "{kind:?}: a list has a name");
            assert!(!kind.is_mark() || appears == Appears::NOWHERE, "{kind:?}: a mark shows on its target");
        }
    }

    #[test]
    fn a_reply_is_asked_for_as_its_note() {
        assert_eq!(Kind::Note.named(), [Kind::Note, Kind::Reply]);
        assert_eq!(Kind::Note.children().collect::<Vec<_>>(), [Kind::Reply, Kind::Reaction]);
        assert_eq!(Kind::Event.named(), [Kind::Event]);
    }
}
