//! Events: a meeting, once or recurring.

use rand_core::CryptoRng;

use super::rsvp;
use crate::circle::body::{KeyClass, Role};
use crate::control::{Code, EditEvent, Error, Event, NewEvent, NoteState, Subject, Time};
use crate::io::Filter;
use crate::item::compose::{Changing, ComposeContext, First, needed};
use crate::item::edit::Value;
use crate::item::kind::{Appears, Editors, Field, Form, Kind, Spec, Targets, fields};
use crate::item::list::list as listed;
use crate::item::reader::{ItemReader, Shown};
use crate::item::recur::is_over;
use crate::item::show::How;
use crate::item::valid;
use crate::limits::{BODY_BYTES, PLACE_CHARS, RRULE_BYTES, TITLE_CHARS, UID_CHARS};
use crate::log::entry::NewEntry;
use crate::store::StoreError;
use crate::time::Millis;

/// First start.
pub(crate) const STARTS: u8 = 6;
/// First end.
const ENDS: u8 = 7;
/// First start as the wall clock shows it.
const STARTS_LOCAL: u8 = 8;
/// First end as the wall clock shows it.
const ENDS_LOCAL: u8 = 9;
/// Time zone.
const TZ: u8 = 10;
/// Recurrence.
const RRULE: u8 = 11;
/// Where it takes place.
pub const LOCATION: u8 = 12;
/// Status.
const STATUS: u8 = 13;
/// The calendar's own id.
const UID: u8 = 14;

const STATUSES: &[&str] = &["confirmed", "tentative", "cancelled"];

/// Its row.
pub const SPEC: Spec = Spec {
    kind: Kind::Event,
    noun: Subject::Event,
    path: "events",
    letter: 'e',
    class: Some(KeyClass::Library),
    opened_by: Role::Member,
    edited_by: Editors::Anyone,
    targets: Targets::Nothing,
    fields: &[
        Field::new(fields::TITLE, "title", Form::Line(TITLE_CHARS)).found(),
        Field::new(fields::BODY, "description", Form::Text(BODY_BYTES)).found(),
        Field::new(fields::TAGS, "tags", Form::Tags).found(),
        Field::new(STARTS, "starts", Form::Moment).required(),
        Field::new(ENDS, "ends", Form::Moment),
        Field::new(STARTS_LOCAL, "starts_local", Form::Line(32)),
        Field::new(ENDS_LOCAL, "ends_local", Form::Line(32)),
        Field::new(TZ, "tz", Form::Line(64)),
        Field::new(RRULE, "rrule", Form::Lines(RRULE_BYTES)),
        Field::new(LOCATION, "location", Form::Line(PLACE_CHARS)).found(),
        Field::new(STATUS, "status", Form::Word(STATUSES)),
        Field::new(UID, "uid", Form::Line(UID_CHARS)),
    ],
    appears: Appears::EVERYWHERE,
};

/// A new event.
pub(in crate::item) fn compose(place: &ComposeContext, rng: &mut dyn CryptoRng, new: &NewEvent) -> Result<NewEntry, Error> {
    let mut first = First::default();
    let title = valid::line(&new.title, TITLE_CHARS, "a title")?;
    needed(&title, "the event has no title", "Give it one, so that people know what it is about.")?;
    let starts = valid::moment(&new.starts, "the start")?;
    let typed = valid::wall(&new.starts_local, "the start")?;
    let starts_local = if typed.is_empty() { valid::wall_of(&new.starts) } else { typed };
    first.set(fields::TITLE, &title);
    first.value(STARTS, Value::Moment(starts.0));
    first.set(STARTS_LOCAL, &starts_local);
    if !new.ends.trim().is_empty() {
        let ends = valid::moment(&new.ends, "the end")?;
        ordered(starts, ends)?;
        let typed = valid::wall(&new.ends_local, "the end")?;
        first.value(ENDS, Value::Moment(ends.0));
        first.set(ENDS_LOCAL, &if typed.is_empty() { valid::wall_of(&new.ends) } else { typed });
    }
    first.set(TZ, &valid::zone(&new.tz)?);
    first.set(RRULE, &valid::rule(new.rrule.as_deref().unwrap_or_default())?);
    first.set(LOCATION, &valid::line(&new.location, PLACE_CHARS, "a place")?);
    first.set(STATUS, &valid::word(&new.status, STATUSES, "the status")?);
    first.set(UID, &valid::line(&new.uid, UID_CHARS, "a calendar id")?);
    first.tags(&new.tags)?;
    first.text(fields::BODY, valid::text(&new.description, "description")?);
    place.open(rng, Kind::Event, None, first.done())
}

/// The words of a new event as they are kept; its times stay as they were given.
pub(in crate::item) fn tidy(new: &NewEvent) -> Result<NewEvent, Error> {
    Ok(NewEvent {
        title: valid::line(&new.title, TITLE_CHARS, "a title")?,
        description: valid::text(&new.description, "description")?,
        location: valid::line(&new.location, 1_000, "a place")?,
        uid: valid::line(&new.uid, 1_000, "a calendar id")?,
        tags: valid::tags(&new.tags)?.into_iter().collect(),
        ..new.clone()
    })
}

/// An end is not before its start.
fn ordered(starts: Millis, ends: Millis) -> Result<(), Error> {
    if ends >= starts {
        return Ok(());
    }
    Err(Error::new(Code::Usage, "the event would end before it starts", "Check the dates and the time zone."))
}

/// What an event shall say.
pub(in crate::item) fn change(change: &mut Changing, wanted: &EditEvent) -> Result<(), Error> {
    let typed = |local: &Option<String>, moment: &Option<String>| match (local, moment) {
        (Some(local), _) => Some(local.clone()),
        (None, Some(moment)) => Some(valid::wall_of(moment)),
        (None, None) => None,
    };
    let emptied = |text: &Option<String>| text.as_ref().is_some_and(|text| text.trim().is_empty());
    if emptied(&wanted.title) {
        let hint = "Give it one, so that people know what it is about.";
        return Err(Error::new(Code::Usage, "the event would have no title", hint));
    }
    if emptied(&wanted.starts) {
        return Err(Error::new(Code::Usage, "an event has a start", "Write it like 2026-12-01T18:00:00Z."));
    }
    change.line(fields::TITLE, wanted.title.as_ref(), TITLE_CHARS, "a title")?;
    let starts = change.moment(STARTS, wanted.starts.as_ref(), "the start")?;
    let ends = change.moment(ENDS, wanted.ends.as_ref(), "the end")?;
    if let (Some(starts), Some(ends)) = (starts, ends) {
        ordered(starts, ends)?;
    }
    let (starts_local, ends_local) = (typed(&wanted.starts_local, &wanted.starts), typed(&wanted.ends_local, &wanted.ends));
    change.set(STARTS_LOCAL, starts_local.map(|local| valid::wall(&local, "the start")))?;
    change.set(ENDS_LOCAL, ends_local.map(|local| valid::wall(&local, "the end")))?;
    change.set(TZ, wanted.tz.as_ref().map(|tz| valid::zone(tz)))?;
    change.set(RRULE, wanted.rrule.as_ref().map(|rule| valid::rule(rule)))?;
    change.line(LOCATION, wanted.location.as_ref(), PLACE_CHARS, "a place")?;
    change.word(STATUS, wanted.status.as_ref(), "the status")?;
    change.tags(wanted.tags.as_ref())?;
    change.text(wanted.description.as_ref(), "description")
}

/// Events, by their first start. A limit means the next so many of the upcoming ones, else the last so many.
pub(in crate::item) fn list(reader: &ItemReader<'_>, filter: &Filter) -> Result<Vec<Event>, StoreError> {
    let mut events = all(reader, &Filter { limit: None, ..filter.clone() })?;
    events.sort_by(|a, b| (a.starts, a.created_at, &a.id).cmp(&(b.starts, b.created_at, &b.id)));
    let limit = filter.limit.unwrap_or(usize::MAX);
    if filter.upcoming {
        events.truncate(limit);
    } else {
        events.drain(..events.len().saturating_sub(limit));
    }
    Ok(events)
}

fn all(reader: &ItemReader<'_>, filter: &Filter) -> Result<Vec<Event>, StoreError> {
    listed(reader, Kind::Event, filter, |shown, how| {
        let event = show(reader, shown, how)?;
        let rule = event.rrule.as_deref().unwrap_or_default();
        let over = || is_over(event.starts.0, event.ends.map(|ends| ends.0), event.all_day, rule, reader.now);
        let wanted = (!filter.new || event.new)
            && !(filter.unanswered && (event.rsvp.mine.is_some() || event.state != NoteState::Visible))
            && !(filter.upcoming && (event.state != NoteState::Visible || over()));
        Ok(wanted.then_some(event))
    })
}

/// An event with its answers.
pub(in crate::item) fn show(reader: &ItemReader<'_>, shown: &Shown, how: How<'_>) -> Result<Event, StoreError> {
    let moment = |field| shown.whole.as_ref().and_then(|whole| whole.fields.moment(field)).map(Time);
    let starts_local = shown.words(STARTS_LOCAL);
    let status = shown.words(STATUS);
    Ok(Event {
        id: shown.key.text(SPEC.letter),
        base: how.base(reader, shown)?,
        crossed: Vec::new(),
        circle: reader.circle.text(),
        title: shown.words(fields::TITLE),
        description: shown.words(fields::BODY),
        cut: shown.is_cut(),
        starts: moment(STARTS).unwrap_or(Time(shown.row.created)),
        ends: moment(ENDS),
        all_day: starts_local.len() == 10,
        starts_local,
        ends_local: shown.words(ENDS_LOCAL),
        tz: shown.words(TZ),
        rrule: shown.some_words(RRULE),
        location: shown.words(LOCATION),
        status: if status.is_empty() { "confirmed".to_owned() } else { status },
        rsvp: rsvp::count(reader, &shown.key, how)?,
        author: reader.author(shown.author),
        created_at: Time(shown.row.created),
        edited_at: shown.edited().map(Time),
        uid: shown.words(UID),
        tags: shown.tags(),
        state: shown.state,
        delivery: reader.delivery(shown).0,
        new: shown.is_new(how.mark),
    })
}
