//! New notes, events and resources.

use rand_core::CryptoRng;

use super::ComposeContext;
use crate::control::{BatchItem, Code, Error, NewEvent, NewNote, NewResource, Want};
use crate::item::edit::{Op, Value};
use crate::item::kind::{Form, Kind, fields};
use crate::item::valid;
use crate::limits::{BATCH_ITEMS, TITLE_CHARS};
use crate::log::entry::NewEntry;
use crate::private::Private;
use crate::time::Millis;

/// Operations of a first edit; empty fields are left out.
#[derive(Default)]
pub(super) struct First(Vec<Op>);

impl First {
    pub(super) fn set(&mut self, field: u8, words: &str) {
        if !words.is_empty() {
            self.0.push(Op::Set(field, Value::text(words)));
        }
    }

    pub(super) fn value(&mut self, field: u8, value: Value) {
        self.0.push(Op::Set(field, value));
    }

    pub(super) fn text(&mut self, field: u8, text: String) {
        if !text.is_empty() {
            self.0.push(Op::Insert(field, None, Private(text)));
        }
    }

    fn tags(&mut self, tags: &[String]) -> Result<(), Error> {
        let tags = valid::tags(tags)?;
        self.0.extend(tags.into_iter().map(|tag| Op::Add(fields::TAGS, Private(tag))));
        Ok(())
    }

    pub(super) fn done(self) -> Vec<Op> {
        self.0
    }
}

/// The word of a wish.
pub(super) const fn want(want: Want) -> &'static str {
    match want {
        Want::Listen => "listen",
        Want::Advice => "advice",
        Want::Resources => "resources",
    }
}

/// The words a field of a kind knows.
pub(super) fn words(kind: Kind, field: u8) -> &'static [&'static str] {
    match kind.field(field).map(|field| field.form) {
        Some(Form::Word(words)) => words,
        Some(Form::Line(_) | Form::Lines(_) | Form::Text(_) | Form::Moment | Form::Flag | Form::Tags) | None => &[],
    }
}

fn needed(text: &str, message: &str, hint: &str) -> Result<(), Error> {
    if text.is_empty() { Err(Error::new(Code::Usage, message, hint)) } else { Ok(()) }
}

/// A new note.
///
/// # Errors
/// [`Error`] where it cannot be written.
pub fn note(place: &ComposeContext, rng: &mut dyn CryptoRng, new: &NewNote) -> Result<NewEntry, Error> {
    let mut first = First::default();
    let title = valid::line(&new.title, TITLE_CHARS, "a title")?;
    let body = valid::text(&new.body, "note")?;
    if title.is_empty() && body.trim().is_empty() {
        return Err(Error::new(Code::Usage, "the note is empty", "Give it a title or some words."));
    }
    first.set(fields::TITLE, &title);
    first.set(
        fields::WARNING,
        &valid::line(new.content_warning.as_deref().unwrap_or_default(), TITLE_CHARS, "a content warning")?,
    );
    first.set(fields::WANT, new.want.map_or("", want));
    first.set(fields::LANG, &valid::lang(&new.lang)?);
    first.tags(&new.tags)?;
    first.text(fields::BODY, body);
    place.open(rng, Kind::Note, None, first.done())
}

/// A new event.
///
/// # Errors
/// [`Error`] where it cannot be written.
pub fn event(place: &ComposeContext, rng: &mut dyn CryptoRng, new: &NewEvent) -> Result<NewEntry, Error> {
    let mut first = First::default();
    let title = valid::line(&new.title, TITLE_CHARS, "a title")?;
    needed(&title, "the event has no title", "Give it one, so that people know what it is about.")?;
    let starts = valid::moment(&new.starts, "the start")?;
    let typed = valid::wall(&new.starts_local, "the start")?;
    let starts_local = if typed.is_empty() { valid::wall_of(&new.starts) } else { typed };
    first.set(fields::TITLE, &title);
    first.value(fields::STARTS, Value::Moment(starts.0));
    first.set(fields::STARTS_LOCAL, &starts_local);
    if !new.ends.trim().is_empty() {
        let ends = valid::moment(&new.ends, "the end")?;
        ordered(starts, ends)?;
        let typed = valid::wall(&new.ends_local, "the end")?;
        first.value(fields::ENDS, Value::Moment(ends.0));
        first.set(fields::ENDS_LOCAL, &if typed.is_empty() { valid::wall_of(&new.ends) } else { typed });
    }
    first.set(fields::TZ, &valid::zone(&new.tz)?);
    first.set(fields::RRULE, &valid::rule(new.rrule.as_deref().unwrap_or_default())?);
    first.set(fields::LOCATION, &valid::line(&new.location, 1_000, "a place")?);
    first.set(fields::STATUS, &valid::word(&new.status, words(Kind::Event, fields::STATUS), "the status")?);
    first.set(fields::UID, &valid::line(&new.uid, 1_000, "a calendar id")?);
    first.tags(&new.tags)?;
    first.text(fields::BODY, valid::text(&new.description, "description")?);
    place.open(rng, Kind::Event, None, first.done())
}

/// An end is not before its start.
pub(super) fn ordered(starts: Millis, ends: Millis) -> Result<(), Error> {
    if ends >= starts {
        return Ok(());
    }
    Err(Error::new(Code::Usage, "the event would end before it starts", "Check the dates and the time zone."))
}

/// A new resource.
///
/// # Errors
/// [`Error`] where it cannot be written.
pub fn resource(place: &ComposeContext, rng: &mut dyn CryptoRng, new: &NewResource) -> Result<NewEntry, Error> {
    let mut first = First::default();
    let title = valid::line(&new.title, TITLE_CHARS, "a title")?;
    let url = valid::url(&new.url)?;
    needed(&format!("{title}{url}"), "the resource is empty", "Give it a title or an address.")?;
    first.set(fields::TITLE, &title);
    first.set(fields::URL, &url);
    first.set(fields::RESOURCE_KIND, &valid::line(&new.kind, 60, "a kind")?);
    first.set(fields::LANG, &valid::lang(&new.lang)?);
    first.set(fields::REVIEW_BY, &valid::day(new.review_by.as_deref().unwrap_or_default())?);
    first.tags(&new.tags)?;
    first.text(fields::BODY, valid::text(&new.note, "note")?);
    place.open(rng, Kind::Resource, None, first.done())
}

/// Many new items at once; all or none. Their labels lie a millisecond apart, so that lists keep their order.
///
/// # Errors
/// [`Error`] naming the first that cannot be written, counted from 1.
pub fn batch(place: &ComposeContext, rng: &mut dyn CryptoRng, batch: &crate::control::Batch) -> Result<Vec<NewEntry>, Error> {
    if batch.items.len() > BATCH_ITEMS {
        let message = format!("{} items at once; there is room for {BATCH_ITEMS}", batch.items.len());
        return Err(Error::new(Code::TooLarge, message, "Send them in several parts."));
    }
    let count = batch.items.len();
    let made = batch.items.iter().enumerate().map(|(at, item)| {
        let place = ComposeContext { now: Millis(place.now.0.saturating_sub((count - at) as u64)), ..*place };
        let made = match item {
            BatchItem::Note(new) => note(&place, rng, new),
            BatchItem::Event(new) => event(&place, rng, new),
            BatchItem::Resource(new) => resource(&place, rng, &new.clone().into()),
        };
        made.map_err(|error| Error { message: format!("item {}: {}", at + 1, error.message), ..error })
    });
    made.collect()
}
