//! Events: a meeting, once or recurring.

use rand_core::CryptoRng;

use super::rsvp;
use crate::circle::body::{KeyClass, Role};
use crate::control::{Code, EditEvent, Error, Event, EventStatus, EventTimes, Happening, ItemState, NewEvent, Subject, Time};
use crate::id::ItemKey;
use crate::io::Filter;
use crate::item::compose::{Changing, ComposeContext, First, needed};
use crate::item::edit::Value;
use crate::item::fields::Fields;
use crate::item::kind::{Appears, Editors, Field, Form, Kind, Spec, Targets, fields};
use crate::item::list::list as listed;
use crate::item::load::{HistoryStep, moves};
use crate::item::reader::{ItemReader, Shown};
use crate::item::recur::is_over;
use crate::item::show::How;
use crate::item::valid;
use crate::item::when::{When, day};
use crate::limits::{BODY_BYTES, PLACE_CHARS, RRULE_BYTES, SEQUENCE_CHARS, TITLE_CHARS, UID_CHARS, WALL_CHARS, ZONE_CHARS};
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

/// How often its organizer had changed it.
const SEQUENCE: u8 = 15;

/// Start, end, zone and rule are one value: an edit of one writes all of them, so that of two edits at once one holds as a whole.
const WHEN: [u8; 6] = [STARTS, ENDS, STARTS_LOCAL, ENDS_LOCAL, TZ, RRULE];

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
        Field::new(STARTS, "starts", Form::Moment).required().moves(),
        Field::new(ENDS, "ends", Form::Moment).moves(),
        Field::new(STARTS_LOCAL, "starts_local", Form::Line(WALL_CHARS)).moves(),
        Field::new(ENDS_LOCAL, "ends_local", Form::Line(WALL_CHARS)).moves(),
        Field::new(TZ, "tz", Form::Line(ZONE_CHARS)).moves(),
        Field::new(RRULE, "rrule", Form::Lines(RRULE_BYTES)).moves(),
        Field::new(LOCATION, "location", Form::Line(PLACE_CHARS)).found(),
        Field::new(STATUS, "status", Form::Word(EventStatus::WORDS)),
        Field::new(UID, "uid", Form::Line(UID_CHARS)),
        Field::new(SEQUENCE, "sequence", Form::Line(SEQUENCE_CHARS)),
    ],
    appears: Appears::EVERYWHERE,
};

/// A new event.
pub(in crate::item) fn compose(place: &ComposeContext, rng: &mut dyn CryptoRng, new: &NewEvent) -> Result<NewEntry, Error> {
    let mut first = First::default();
    let new = &tidy(new)?;
    needed(&new.title, "The event has no title.", "Give it one, so that people know what it is about.")?;
    let starts = valid::moment(&new.starts, "The start")?;
    let typed = valid::wall(&new.starts_local, "The start")?;
    let starts_local = if typed.is_empty() { valid::wall_of(&new.starts) } else { typed };
    first.set(fields::TITLE, &new.title);
    first.value(STARTS, Value::Moment(starts.0));
    first.set(STARTS_LOCAL, &starts_local);
    if !new.ends.trim().is_empty() {
        let ends = valid::moment(&new.ends, "The end")?;
        ordered(starts, ends)?;
        let typed = valid::wall(&new.ends_local, "The end")?;
        first.value(ENDS, Value::Moment(ends.0));
        first.set(ENDS_LOCAL, &if typed.is_empty() { valid::wall_of(&new.ends) } else { typed });
    }
    first.set(TZ, &valid::zone(&new.tz)?);
    first.set(RRULE, &valid::rule(new.rrule.as_deref().unwrap_or_default())?);
    first.set(LOCATION, &new.location);
    first.set(STATUS, new.status.map_or("", EventStatus::word));
    first.set(UID, &new.uid);
    first.set(SEQUENCE, &sequence(new.sequence));
    first.tags(&new.tags)?;
    first.text(fields::BODY, new.description.clone());
    place.open(rng, Kind::Event, None, first.done())
}

/// The words of a new event as they are kept; its times stay as they were given.
pub(in crate::item) fn tidy(new: &NewEvent) -> Result<NewEvent, Error> {
    Ok(NewEvent {
        title: valid::line(&new.title, TITLE_CHARS, "The title")?,
        description: valid::text(&new.description, "description")?,
        location: valid::line(&new.location, PLACE_CHARS, "The place")?,
        uid: valid::line(&new.uid, UID_CHARS, "The calendar id")?,
        tags: valid::tags(&new.tags)?.into_iter().collect(),
        ..new.clone()
    })
}

/// None is nothing.
fn sequence(number: u64) -> String {
    if number == 0 { String::new() } else { number.to_string() }
}

/// An end is not before its start.
fn ordered(starts: Millis, ends: Millis) -> Result<(), Error> {
    if ends >= starts {
        return Ok(());
    }
    Err(Error::new(Code::Usage, "The event would end before it starts.", "Check the dates and the time zone."))
}

/// What an event shall say.
pub(in crate::item) fn change(change: &mut Changing, wanted: &EditEvent) -> Result<(), Error> {
    let emptied = |text: &Option<String>| text.as_ref().is_some_and(|text| text.trim().is_empty());
    if emptied(&wanted.title) {
        let hint = "Give it one, so that people know what it is about.";
        return Err(Error::new(Code::Usage, "The event would have no title.", hint));
    }
    if emptied(&wanted.starts) {
        return Err(Error::new(Code::Usage, "An event has a start.", "Write it like 2026-12-01T18:00:00Z."));
    }
    change.line(fields::TITLE, wanted.title.as_ref(), TITLE_CHARS, "The title")?;
    when(change, wanted)?;
    change.line(LOCATION, wanted.location.as_ref(), PLACE_CHARS, "The place")?;
    change.word(STATUS, wanted.status.map(EventStatus::word));
    change.set(SEQUENCE, wanted.sequence.map(|number| Ok(sequence(number))))?;
    change.tags(wanted.tags.as_ref())?;
    change.text(wanted.description.as_ref(), "description")
}

/// When it shall be. What others did since to the times stays where only the rule changes, and the other way round.
fn when(change: &mut Changing, wanted: &EditEvent) -> Result<(), Error> {
    let given = given(wanted)?;
    let differs = |of_rule: bool| {
        let mut all = WHEN.into_iter().zip(&given).filter(|(field, _)| (*field == RRULE) == of_rule);
        all.any(|(field, given)| given.as_ref().is_some_and(|given| *given != change.seen(field)))
    };
    let (times, rule) = (differs(false), differs(true));
    if !times && !rule {
        return Ok(());
    }
    let next = WHEN.into_iter().zip(given).map(|(field, given)| {
        let changes = if field == RRULE { rule } else { times };
        (field, if changes { given.unwrap_or_else(|| change.seen(field)) } else { change.current(field) })
    });
    let next: Vec<(u8, Value)> = next.collect();
    let moment = |wanted: u8| {
        let of = |(field, value): &(u8, Value)| match value {
            Value::Moment(at) if *field == wanted => Some(Millis(*at)),
            Value::None | Value::Text(_) | Value::Moment(_) | Value::Flag(_) | Value::Unknown(_) => None,
        };
        next.iter().find_map(of)
    };
    if let (Some(starts), Some(ends)) = (moment(STARTS), moment(ENDS)) {
        ordered(starts, ends)?;
    }
    for (field, value) in next {
        change.put(field, value);
    }
    Ok(())
}

/// What an edit says about each of [`WHEN`].
fn given(wanted: &EditEvent) -> Result<[Option<Value>; 6], Error> {
    let moment = |text: &Option<String>, what: &str| match text.as_ref().map(|text| text.trim()) {
        Some("") => Ok(Some(Value::None)),
        Some(text) => valid::moment(text, what).map(|moment| Some(Value::Moment(moment.0))),
        None => Ok(None),
    };
    let wall = |local: &Option<String>, moment: &Option<String>, what: &str| match (local, moment) {
        (Some(local), _) => valid::wall(local, what).map(|wall| Some(Value::text(&wall))),
        (None, Some(moment)) => Ok(Some(Value::text(&valid::wall_of(moment)))),
        (None, None) => Ok(None),
    };
    Ok([
        moment(&wanted.starts, "The start")?,
        moment(&wanted.ends, "The end")?,
        wall(&wanted.starts_local, &wanted.starts, "The start")?,
        wall(&wanted.ends_local, &wanted.ends, "The end")?,
        wanted.tz.as_ref().map(|tz| valid::zone(tz)).transpose()?.map(|tz| Value::text(&tz)),
        wanted.rrule.as_ref().map(|rule| valid::rule(rule)).transpose()?.map(|rule| Value::text(&rule)),
    ])
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
        let days = event.all_day.then_some((event.starts_local.as_str(), event.ends_local.as_str()));
        let over = || is_over(event.starts.0, event.ends.map(|ends| ends.0), days, rule, reader.now);
        let wanted = (!filter.new || event.new)
            && !(filter.unanswered && (event.rsvp.mine.is_some() || event.state != ItemState::Visible))
            && !(filter.upcoming && (event.state != ItemState::Visible || over()));
        Ok(wanted.then_some(event))
    })
}

/// What a field means that was never set.
pub(super) const fn unset(field: u8) -> &'static str {
    if field == STATUS { EventStatus::Confirmed.word() } else { "" }
}

/// Its status; confirmed where it says none.
pub(super) fn status(fields: &Fields) -> EventStatus {
    fields.words(STATUS).parse().unwrap_or(EventStatus::Confirmed)
}

/// Is it about whole days?
pub(super) fn is_of_days(fields: &Fields) -> bool {
    day(fields.words(STARTS_LOCAL)).is_some()
}

/// What happened to an event that said one thing and says another.
pub(super) fn happening(before: &Fields, now: &Fields) -> Happening {
    let cancelled = |fields: &Fields| status(fields) == EventStatus::Cancelled;
    let moved = SPEC.fields.iter().any(|field| field.moves && before.value(field.number) != now.value(field.number));
    match (cancelled(before), cancelled(now)) {
        (false, true) => Happening::Cancelled,
        _ if moved => Happening::Moved,
        (true, false) => Happening::Confirmed,
        _ => Happening::Edited,
    }
}

/// The label of a change: later than the answers that are there, whatever the clock says, so that they are asked for again.
pub(super) fn label(reader: &ItemReader<'_>, event: &ItemKey, now: Millis) -> Result<Millis, StoreError> {
    let last = rsvp::last_label(reader, event, now)?;
    Ok(last.map_or(now, |last| now.max(last.plus(1))))
}

/// When it was before it was moved: before the last changes of it that one person made in a row.
fn was(reader: &ItemReader<'_>, shown: &Shown) -> Result<Option<EventTimes>, StoreError> {
    let Some(full) = reader.full(&shown.key)? else { return Ok(None) };
    let Some(whole) = full.whole else { return Ok(None) };
    let mut steps: Vec<&HistoryStep> =
        whole.steps.iter().filter(|step| !step.edit.opens() && moves(Kind::Event, &step.edit)).collect();
    steps.sort_by_key(|step| std::cmp::Reverse((step.when, step.writer, step.id)));
    let Some(moved) = whole.moved else { return Ok(None) };
    let mut steps = steps.iter().skip_while(|step| step.writer != moved.by).peekable();
    let Some(last) = steps.peek().copied() else { return Ok(None) };
    let first = steps.take_while(|step| step.writer == last.writer).last().unwrap_or(last);
    let fields = whole.said_to(&first.edit.rests_on());
    let words = |field| fields.words(field).to_owned();
    let Some(starts) = fields.moment(STARTS) else { return Ok(None) };
    let (starts_local, ends_local) = (words(STARTS_LOCAL), words(ENDS_LOCAL));
    let when = When { starts, ends: fields.moment(ENDS), starts_local, ends_local, tz: words(TZ) }.possible();
    Ok(Some(EventTimes {
        starts: Time(when.starts),
        ends: when.ends.map(Time),
        starts_local: when.starts_local,
        ends_local: when.ends_local,
        tz: when.tz,
        rrule: fields.some_words(RRULE),
    }))
}

/// An event with its answers.
pub(in crate::item) fn show(reader: &ItemReader<'_>, shown: &Shown, how: How<'_>) -> Result<Event, StoreError> {
    let moment = |field| shown.whole.as_ref().and_then(|whole| whole.fields.moment(field)).map(Time);
    let when = When {
        starts: moment(STARTS).map_or(shown.row.created, |at| at.0),
        ends: moment(ENDS).map(|at| at.0),
        starts_local: shown.words(STARTS_LOCAL),
        ends_local: shown.words(ENDS_LOCAL),
        tz: shown.words(TZ),
    };
    let when = when.possible();
    let whole = shown.whole.as_ref();
    let moved = whole.and_then(|whole| whole.moved);
    Ok(Event {
        id: shown.key.text(SPEC.letter),
        base: how.base(reader, shown)?,
        crossed: Vec::new(),
        circle: reader.circle.text(),
        circle_name: reader.name.to_owned(),
        title: shown.words(fields::TITLE),
        description: shown.words(fields::BODY),
        cut: shown.is_cut(),
        starts: Time(when.starts),
        ends: when.ends.map(Time),
        all_day: when.is_days(),
        starts_local: when.starts_local,
        ends_local: when.ends_local,
        tz: when.tz,
        rrule: shown.some_words(RRULE),
        location: shown.words(LOCATION),
        status: whole.map_or(EventStatus::Confirmed, |whole| status(&whole.fields)),
        rsvp: rsvp::count(reader, &shown.key, moved, how)?,
        changed_by: whole.and_then(|whole| whole.edited_by).map(|by| reader.author(Some(by))),
        moved_by: moved.map(|moved| reader.author(Some(moved.by))),
        moved_at: moved.map(|moved| Time(moved.at)),
        was: if how.based && moved.is_some() { was(reader, shown)? } else { None },
        author: reader.author(shown.author),
        created_at: Time(shown.row.created),
        edited_at: shown.edited().map(Time),
        uid: shown.words(UID),
        sequence: shown.words(SEQUENCE).parse().unwrap_or(0),
        tags: shown.tags(),
        state: shown.state,
        delivery: reader.delivery(shown).0,
        new: shown.is_new(how.mark),
        changed: shown.is_changed(how.mark),
    })
}
