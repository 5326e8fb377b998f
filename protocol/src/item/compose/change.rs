//! What is said about an item that is there: replies, reactions, answers, edits, deletions, hides and pins.

use std::collections::BTreeSet;

use rand_core::CryptoRng;

use super::new::{First, ordered, words};
use super::{ComposeContext, ComposeError, Target, entry};
use crate::circle::body::{KeyClass, Role};
use crate::control::{Code, EditEvent, EditItem as Wanted, EditNote, EditResource, Error, NewReaction, NewReply, Rsvp};
use crate::id::{ItemId, ItemKey};
use crate::item::edit::{Op, Value};
use crate::item::edit_builder::EditBuilder;
use crate::item::kind::{Kind, fields};
use crate::item::load::LoadedItem;
use crate::item::reader::{ItemReader, Shown};
use crate::item::valid;
use crate::limits::TITLE_CHARS;
use crate::log::entry::NewEntry;
use crate::time::Millis;

/// An item that is there for all to see.
fn target(reader: &ItemReader<'_>, key: &ItemKey, kinds: &[Kind]) -> Result<(Shown, Target), ComposeError> {
    let shown =
        reader.visible(key)?.filter(|shown| shown.row.kind().is_some_and(|kind| kinds.is_empty() || kinds.contains(&kind)));
    let found = shown.and_then(|shown| {
        let (item, class, retention) = (shown.item()?, class(shown.row.kind()), shown.row.retention);
        Some((shown, Target { item, class, retention }))
    });
    found
        .ok_or_else(|| Error::new(Code::NotFound, "that is not here, or no longer shown", "kith note list shows what is.").into())
}

fn class(kind: Option<Kind>) -> KeyClass {
    kind.and_then(Kind::class).unwrap_or(KeyClass::Library)
}

/// A reply to a note.
///
/// # Errors
/// [`ComposeError`] where it cannot be written.
pub fn reply(
    reader: &ItemReader<'_>,
    place: &ComposeContext,
    rng: &mut dyn CryptoRng,
    note: &ItemKey,
    new: &NewReply,
) -> Result<NewEntry, ComposeError> {
    let (_, about) = target(reader, note, &[Kind::Note])?;
    let body = valid::text(&new.body, "reply")?;
    if body.trim().is_empty() {
        return Err(Error::new(Code::Usage, "the reply is empty", "Write a few words, or react with an emoji.").into());
    }
    let mut first = First::default();
    first.set(
        fields::WARNING,
        &valid::line(new.content_warning.as_deref().unwrap_or_default(), TITLE_CHARS, "a content warning")?,
    );
    first.text(fields::BODY, body);
    Ok(place.open(rng, Kind::Reply, Some(about), first.done())?)
}

/// A reaction to a note; the same again takes it back. Empty: nothing to take back.
///
/// # Errors
/// [`ComposeError`] where it cannot be written.
pub fn react(
    reader: &ItemReader<'_>,
    place: &ComposeContext,
    rng: &mut dyn CryptoRng,
    note: &ItemKey,
    new: &NewReaction,
) -> Result<Vec<NewEntry>, ComposeError> {
    let (_, about) = target(reader, note, &[Kind::Note])?;
    let emoji = valid::emoji(&new.emoji)?;
    let keys = reader.children(Kind::Reaction, note)?;
    let same = |shown: &Shown| shown.author == Some(place.me) && shown.words(fields::EMOJI) == emoji;
    let taken = |shown: &Shown| Some(Target { item: shown.item()?, class: KeyClass::Talk, retention: shown.row.retention });
    let mine: Vec<Target> = reader.shown(&keys, false)?.iter().filter(|shown| same(shown)).filter_map(taken).collect();
    if mine.is_empty() && !new.remove {
        let ops = vec![Op::Set(fields::EMOJI, Value::text(&emoji))];
        return Ok(vec![place.open(rng, Kind::Reaction, Some(about), ops)?]);
    }
    // Taken back: its bytes need not stay a day, it is one's own and nobody gains by it.
    let taken = mine.into_iter().map(|target| tombstone(place, rng, target, true));
    Ok(taken.collect::<Result<_, _>>()?)
}

/// An answer to an event; the last one counts. Empty: that was the answer already.
///
/// # Errors
/// [`ComposeError`] where it cannot be written.
pub fn rsvp(
    reader: &ItemReader<'_>,
    place: &ComposeContext,
    rng: &mut dyn CryptoRng,
    event: &ItemKey,
    answer: Rsvp,
) -> Result<Vec<NewEntry>, ComposeError> {
    let (_, about) = target(reader, event, &[Kind::Event])?;
    let answer = match answer {
        Rsvp::Yes => "yes",
        Rsvp::No => "no",
        Rsvp::Maybe => "maybe",
    };
    let keys = reader.children(Kind::Rsvp, event)?;
    let mine = reader.shown(&keys, false)?.into_iter().filter(|shown| shown.author == Some(place.me) && shown.whole.is_some());
    let Some(mine) = mine.max_by_key(Shown::last_when) else {
        let ops = vec![Op::Set(fields::ANSWER, Value::text(answer))];
        return Ok(vec![place.open(rng, Kind::Rsvp, Some(about), ops)?]);
    };
    place.may_open(Kind::Rsvp)?;
    reader.has_room(&mine.key, place.me)?;
    let Some(mine) = reader.full(&mine.key)? else { return Err(unready()) };
    let Some(whole) = &mine.whole else { return Ok(Vec::new()) };
    let mut draft = EditBuilder::default();
    draft.set(&whole.fields, fields::ANSWER, Value::text(answer));
    // Later than the answer it replaces, whatever the clock says.
    Ok(save(&ComposeContext { now: place.now.max(mine.last_when().0.plus(1)), ..*place }, &mine, whole, draft)?)
}

fn save(place: &ComposeContext, shown: &Shown, whole: &LoadedItem, draft: EditBuilder) -> Result<Vec<NewEntry>, Error> {
    if draft.is_empty() {
        return Ok(Vec::new());
    }
    let edit = draft.finish(place.now, whole.heads());
    Ok(vec![entry(whole.kind, class(shown.row.kind()), whole.item, shown.row.retention, &edit)?])
}

/// Changes of a note, reply, event or resource. Empty: it says that already.
///
/// # Errors
/// [`ComposeError`] where it cannot be written.
pub fn edit(
    reader: &ItemReader<'_>,
    place: &ComposeContext,
    key: &ItemKey,
    wanted: &Wanted,
) -> Result<Vec<NewEntry>, ComposeError> {
    let (shown, Target { item, .. }) = target(reader, key, &[])?;
    let kind = shown.row.kind().unwrap_or(Kind::Note);
    if !kind.may_edit(place.role, item.creator == place.me) {
        return Err(refused(place, kind, item));
    }
    reader.has_room(key, place.me)?;
    let Some(shown) = reader.full(key)? else { return Err(unready()) };
    let Some(whole) = &shown.whole else { return Ok(Vec::new()) };
    let mut change = Changing { whole, draft: EditBuilder::default() };
    match (whole.kind, wanted) {
        (Kind::Note | Kind::Reply, Wanted::Note(wanted)) => change.note(wanted)?,
        (Kind::Event, Wanted::Event(wanted)) => change.event(wanted)?,
        (Kind::Resource, Wanted::Resource(wanted)) => change.resource(wanted)?,
        _ => {
            return Err(
                Error::new(Code::Usage, format!("that is a {}", whole.kind.noun()), "EditItem it by its own noun.").into()
            );
        }
    }
    let Changing { draft, .. } = change;
    Ok(save(place, &shown, whole, draft)?)
}

/// Its entries are not all here, or not all open.
fn unready() -> ComposeError {
    Error::new(Code::Failed, "this cannot be changed yet: parts of it are missing", "They come from any member who has them.")
        .into()
}

fn refused(place: &ComposeContext, kind: Kind, item: ItemId) -> ComposeError {
    let (message, hint) = if item.creator == place.me || !matches!(kind, Kind::Note | Kind::Reply) {
        (format!("you cannot change this {} in your role", kind.noun()), "A steward can change your role.")
    } else {
        (format!("only its author edits a {}", kind.noun()), "You can reply to it.")
    };
    Error::new(Code::NotAllowed, message, hint).into()
}

struct Changing<'a> {
    whole: &'a LoadedItem,
    draft: EditBuilder,
}

impl Changing<'_> {
    fn set(&mut self, field: u8, words: Option<Result<String, Error>>) -> Result<(), Error> {
        if let Some(words) = words {
            self.draft.set(&self.whole.fields, field, Value::text(&words?));
        }
        Ok(())
    }

    fn line(&mut self, field: u8, words: Option<&String>, limit: usize, what: &str) -> Result<(), Error> {
        self.set(field, words.map(|words| valid::line(words, limit, what)))
    }

    fn text(&mut self, words: Option<&String>, noun: &str) -> Result<(), Error> {
        let Some(words) = words else { return Ok(()) };
        let words = valid::text(words, noun)?;
        let characters = self.whole.characters(fields::BODY);
        self.draft.text(&self.whole.fields, fields::BODY, &characters, &words);
        Ok(())
    }

    fn tags(&mut self, tags: Option<&Vec<String>>) -> Result<(), Error> {
        let Some(tags) = tags else { return Ok(()) };
        let tags: BTreeSet<String> = valid::tags(tags)?;
        self.draft.tags(&self.whole.fields, fields::TAGS, &tags);
        Ok(())
    }

    fn moment(&mut self, field: u8, text: Option<&String>, what: &str) -> Result<Option<Millis>, Error> {
        let Some(text) = text else { return Ok(self.whole.fields.moment(field)) };
        let moment = if text.trim().is_empty() { None } else { Some(valid::moment(text, what)?) };
        self.draft.set(&self.whole.fields, field, moment.map_or(Value::None, |moment| Value::Moment(moment.0)));
        Ok(moment)
    }

    fn note(&mut self, wanted: &EditNote) -> Result<(), Error> {
        let only_notes = wanted.title.is_some() || wanted.want.is_some() || wanted.lang.is_some() || wanted.tags.is_some();
        if self.whole.kind == Kind::Reply && only_notes {
            return Err(Error::new(
                Code::Usage,
                "a reply has a text and a content warning only",
                "EditItem its note for the rest.",
            ));
        }
        self.line(fields::TITLE, wanted.title.as_ref(), TITLE_CHARS, "a title")?;
        self.line(fields::WARNING, wanted.content_warning.as_ref(), TITLE_CHARS, "a content warning")?;
        let known = words(Kind::Note, fields::WANT);
        self.set(fields::WANT, wanted.want.as_ref().map(|want| valid::word(want, known, "what is wanted")))?;
        self.set(fields::LANG, wanted.lang.as_ref().map(|lang| valid::lang(lang)))?;
        self.tags(wanted.tags.as_ref())?;
        self.text(wanted.body.as_ref(), self.whole.kind.noun())
    }

    fn event(&mut self, wanted: &EditEvent) -> Result<(), Error> {
        let typed = |local: &Option<String>, moment: &Option<String>| match (local, moment) {
            (Some(local), _) => Some(local.clone()),
            (None, Some(moment)) => Some(valid::wall_of(moment)),
            (None, None) => None,
        };
        if wanted.title.as_ref().is_some_and(|title| title.trim().is_empty()) {
            return Err(Error::new(
                Code::Usage,
                "the event would have no title",
                "Give it one, so that people know what it is about.",
            ));
        }
        if wanted.starts.as_ref().is_some_and(|starts| starts.trim().is_empty()) {
            return Err(Error::new(Code::Usage, "an event has a start", "Write it like 2026-12-01T18:00:00Z."));
        }
        self.line(fields::TITLE, wanted.title.as_ref(), TITLE_CHARS, "a title")?;
        let starts = self.moment(fields::STARTS, wanted.starts.as_ref(), "the start")?;
        let ends = self.moment(fields::ENDS, wanted.ends.as_ref(), "the end")?;
        if let (Some(starts), Some(ends)) = (starts, ends) {
            ordered(starts, ends)?;
        }
        let (starts_local, ends_local) = (typed(&wanted.starts_local, &wanted.starts), typed(&wanted.ends_local, &wanted.ends));
        self.set(fields::STARTS_LOCAL, starts_local.map(|local| valid::wall(&local, "the start")))?;
        self.set(fields::ENDS_LOCAL, ends_local.map(|local| valid::wall(&local, "the end")))?;
        self.set(fields::TZ, wanted.tz.as_ref().map(|tz| valid::zone(tz)))?;
        self.set(fields::RRULE, wanted.rrule.as_ref().map(|rule| valid::rule(rule)))?;
        self.line(fields::LOCATION, wanted.location.as_ref(), 1_000, "a place")?;
        let known = words(Kind::Event, fields::STATUS);
        self.set(fields::STATUS, wanted.status.as_ref().map(|status| valid::word(status, known, "the status")))?;
        self.tags(wanted.tags.as_ref())?;
        self.text(wanted.description.as_ref(), "description")
    }

    fn resource(&mut self, wanted: &EditResource) -> Result<(), Error> {
        self.line(fields::TITLE, wanted.title.as_ref(), TITLE_CHARS, "a title")?;
        self.set(fields::URL, wanted.url.as_ref().map(|url| valid::url(url)))?;
        self.line(fields::RESOURCE_KIND, wanted.kind.as_ref(), 60, "a kind")?;
        self.set(fields::LANG, wanted.lang.as_ref().map(|lang| valid::lang(lang)))?;
        self.set(fields::REVIEW_BY, wanted.review_by.as_ref().map(|day| valid::day(day)))?;
        self.tags(wanted.tags.as_ref())?;
        self.text(wanted.note.as_ref(), "note")
    }
}

fn tombstone(place: &ComposeContext, rng: &mut dyn CryptoRng, target: Target, now: bool) -> Result<NewEntry, Error> {
    let ops = if now { vec![Op::Set(fields::NOW, Value::Flag(true))] } else { Vec::new() };
    place.open(rng, Kind::Tombstone, Some(target), ops)
}

/// Deletes an item: one's own, or as founder any. `now`: its bytes go at once instead of a day later; one's own only.
/// Empty: it is deleted already.
///
/// # Errors
/// [`ComposeError`] where it may not be.
pub fn remove(
    reader: &ItemReader<'_>,
    place: &ComposeContext,
    rng: &mut dyn CryptoRng,
    key: &ItemKey,
    now: bool,
) -> Result<Vec<NewEntry>, ComposeError> {
    let (kind, target) = any(reader, key)?;
    let item = target.item;
    if item.creator != place.me && place.role != Role::Founder {
        let hint = if place.role >= Role::Facilitator { "You can hide it instead." } else { "A facilitator can hide it." };
        return Err(Error::new(Code::NotAllowed, format!("only its author deletes this {}", kind.noun()), hint).into());
    }
    if item.creator != place.me && now {
        let hint = "Leave out --now: its bytes go in a day, and it is hidden at once.";
        return Err(Error::new(Code::NotAllowed, "only one's own words are destroyed at once", hint).into());
    }
    let gone = reader.row(key)?.is_some_and(|row| {
        row.flags.has(crate::item::row::Flags::GONE) || (row.flags.has(crate::item::row::Flags::REMOVED) && !now)
    });
    if gone {
        return Ok(Vec::new());
    }
    Ok(vec![tombstone(place, rng, target, now)?])
}

/// An item that is here, shown or not.
fn any(reader: &ItemReader<'_>, key: &ItemKey) -> Result<(Kind, Target), ComposeError> {
    let missing = || ComposeError::from(Error::new(Code::NotFound, "that is not here", "kith note list shows what is."));
    let row = reader.row(key)?.ok_or_else(missing)?;
    let kind = row.kind().filter(|kind| !kind.is_mark()).ok_or_else(missing)?;
    for slot in &row.slots {
        if let Some(opened) = reader.source.load(reader.read, slot.at)? {
            return Ok((kind, Target { item: opened.item, class: class(Some(kind)), retention: row.retention }));
        }
    }
    Err(missing())
}

/// Hides or pins an item (`on`), or shows or unpins it again. Facilitators and up. Empty: so it is already.
///
/// # Errors
/// [`ComposeError`] where it may not be.
pub fn mark(
    reader: &ItemReader<'_>,
    place: &ComposeContext,
    rng: &mut dyn CryptoRng,
    kind: Kind,
    key: &ItemKey,
    on: bool,
) -> Result<Vec<NewEntry>, ComposeError> {
    place.may_open(kind)?;
    let (target_kind, target) = any(reader, key)?;
    if !kind.may_target(target_kind) {
        let message = format!("a {} cannot be {}", target_kind.noun(), if kind == Kind::Pin { "pinned" } else { "hidden" });
        return Err(Error::new(Code::Usage, message, "Name the note, event or resource itself.").into());
    }
    let there = reader.children(kind, key)?;
    let there: Vec<Shown> = reader.shown(&there, false)?.into_iter().filter(|shown| shown.whole.is_some()).collect();
    let is_on = |shown: &&Shown| shown.whole.as_ref().is_some_and(|whole| whole.fields.flag(fields::ON));
    if on && there.iter().any(|shown| is_on(&shown)) {
        return Ok(Vec::new());
    }
    if on && there.is_empty() {
        let ops = vec![Op::Set(fields::ON, Value::Flag(true))];
        return Ok(vec![place.open(rng, kind, Some(target), ops)?]);
    }
    // Taking back means all of them; setting again needs one.
    let mut entries = Vec::new();
    for shown in there.iter().filter(|shown| on || is_on(shown)).take(if on { 1 } else { usize::MAX }) {
        let Some(shown) = reader.full(&shown.key)? else { continue };
        let Some(whole) = &shown.whole else { continue };
        let mut draft = EditBuilder::default();
        draft.set(&whole.fields, fields::ON, Value::Flag(on));
        let edit = draft.finish(place.now, whole.heads());
        entries.push(entry(kind, class(Some(target_kind)), whole.item, shown.row.retention, &edit)?);
    }
    Ok(entries)
}
