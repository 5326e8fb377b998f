//! Later files for events that are here already (RFC 5546): what moves an event, changes it or calls it off. What is newer is written
//! down; what is not is named, and what is here stays. The same file again changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kith_protocol::control::{BatchItem, EditEvent, Event, EventStatus, ItemState, NewEvent};

use super::{Found, Haul};
use crate::calendar::Series;
use crate::calendar::change::Incoming;
use crate::calendar::change::{Applied, Change};
use crate::calendar::rule::Rule;
use crate::left_out::{LeftOut, Origin, Weight};

/// What a calendar file says besides its events.
#[derive(Clone, Debug, Default)]
pub(crate) struct News {
    /// It is a calendar: other files say nothing of what is here already.
    pub(crate) calendar: bool,
    /// When its events were changed last, by their ids.
    pub(crate) modified: BTreeMap<String, Timestamp>,
    /// Events that it calls off.
    pub(crate) cancelled: Vec<Incoming>,
    /// Changes of single times of events that are not in it.
    pub(crate) changes: Vec<Change>,
}

/// A change of an event that is here.
#[derive(Clone, Debug)]
pub(crate) struct Update {
    pub(crate) id: String,
    /// What people call it.
    pub(crate) title: String,
    /// Where the file says so.
    pub(crate) origin: Origin,
    pub(crate) edit: EditEvent,
    /// What of it changes, in words.
    pub(crate) fields: Vec<&'static str>,
}

/// What is here, and what becomes of it.
struct Later<'a> {
    events: Vec<&'a Event>,
    modified: BTreeMap<String, Timestamp>,
    /// Series of which single times change, by their ids.
    series: BTreeMap<&'a str, (Origin, NewEvent)>,
    updates: Vec<Update>,
    left_out: Vec<LeftOut>,
}

impl Haul {
    /// What of it changes events that are here. What is new, or says what is known, stays in it.
    pub(crate) fn updates(&mut self, here: &[Event]) -> Vec<Update> {
        let News { calendar, modified, cancelled, changes } = std::mem::take(&mut self.later);
        if !calendar {
            return Vec::new();
        }
        let events = here.iter().filter(|event| event.state == ItemState::Visible).collect();
        let mut later = Later {
            events,
            modified,
            series: BTreeMap::new(),
            updates: Vec::new(),
            left_out: std::mem::take(&mut self.left_out),
        };
        self.found.retain(|found| !later.takes(found));
        for incoming in &cancelled {
            later.cancel(incoming);
        }
        let rest: Vec<Found> = changes.iter().filter_map(|change| later.change(change)).collect();
        let mut rest = Self { found: rest, ..Self::default() }.checked();
        rest.found.retain(|found| !later.takes(found));
        self.found.append(&mut rest.found);
        later.left_out.append(&mut rest.left_out);
        self.left_out = std::mem::take(&mut later.left_out);
        later.done()
    }
}

impl<'a> Later<'a> {
    fn find(&self, uid: &str) -> Option<&'a Event> {
        let is = |event: &&&Event| !uid.is_empty() && (event.uid == uid || uid.strip_suffix("@kith") == Some(event.id.as_str()));
        self.events.iter().find(is).copied()
    }

    /// Is it a newer state of an event that is here? One that is no newer and says something else is named.
    fn takes(&mut self, found: &Found) -> bool {
        let BatchItem::Event(new) = &found.item else { return false };
        let Some(event) = self.find(&new.uid) else { return false };
        let fields = differing(event, new);
        if fields.is_empty() {
            return false;
        }
        if !is_newer(event, new.sequence, self.modified.get(&new.uid).copied()) {
            let why = format!("differs from what is here ({}), and is not newer; what is here stays", fields.join(", "));
            self.leave_out(found.origin.clone(), &found.title, why, Weight::Dropped);
            return false;
        }
        let edit = edit(event, new, &fields);
        self.updates.push(Update { id: event.id.clone(), title: new.title.clone(), origin: found.origin.clone(), edit, fields });
        true
    }

    fn cancel(&mut self, incoming: &Incoming) {
        let (origin, title) = (Origin::line(incoming.line), &incoming.event.title);
        let Some(event) = self.find(&incoming.event.uid) else {
            return self.leave_out(origin, title, "is called off, and is not here", Weight::Dropped);
        };
        if event.status == EventStatus::Cancelled {
            return;
        }
        if incoming.sequence < event.sequence {
            return self.leave_out(origin, title, "is called off, but what is here is newer; it stays", Weight::Dropped);
        }
        let sequence = (incoming.sequence > event.sequence).then_some(incoming.sequence);
        let edit = EditEvent { status: Some(EventStatus::Cancelled), sequence, ..EditEvent::default() };
        self.updates.push(Update { id: event.id.clone(), title: event.title.clone(), origin, edit, fields: vec!["status"] });
    }

    /// One time of a series changes; what takes its place, if anything does.
    fn change(&mut self, change: &Change) -> Option<Found> {
        let origin = Origin::line(change.line);
        let Some(event) = self.series_of(change) else {
            let why = if change.cancelled {
                "is called off at one time, and the event is not here"
            } else {
                "changes one time of an event that is not here; it is imported as an event of its own"
            };
            let weight = if change.cancelled { Weight::Dropped } else { Weight::Changed };
            self.leave_out(origin.clone(), &change.title, why, weight);
            return (!change.cancelled).then(|| found(origin, change.alone()));
        };
        if change.sequence < event.sequence {
            let why = "changes one time of an event, but what is here is newer; it stays";
            self.leave_out(origin, &change.title, why, Weight::Dropped);
            return None;
        }
        let (_, wanted) = self.series.entry(&event.id).or_insert_with(|| (origin.clone(), as_new(event)));
        let place = change.place(wanted)?;
        // What took that time's place before is compared with what takes it now.
        if !change.cancelled && self.find(&place.uid).is_some() {
            return Some(found(origin, place));
        }
        let (_, wanted) = self.series.get_mut(event.id.as_str())?;
        match change.apply(wanted) {
            Applied::Done { rest, .. } => rest.map(|rest| found(origin, *rest)),
            Applied::Not(why) => {
                self.leave_out(origin, &change.title, why, Weight::Dropped);
                None
            }
        }
    }

    /// The series that has that time: a series that was split has two halves.
    fn series_of(&self, change: &Change) -> Option<&'a Event> {
        let half = |event: &&&Event| event.uid.strip_prefix(&change.uid).is_some_and(|rest| rest.starts_with('#'));
        let has = |event: &&&Event| change.is_of(&as_new(event));
        self.events.iter().filter(half).find(has).copied().or_else(|| self.find(&change.uid))
    }

    fn leave_out(&mut self, origin: Origin, what: &str, why: impl Into<String>, weight: Weight) {
        self.left_out.push(LeftOut { origin, what: what.to_owned(), why: why.into(), weight });
    }

    fn done(mut self) -> Vec<Update> {
        for (id, (origin, wanted)) in &self.series {
            let Some(event) = self.events.iter().find(|event| event.id == *id) else { continue };
            if wanted.rrule.as_deref() == event.rrule.as_deref() {
                continue;
            }
            let edit = EditEvent { rrule: Some(wanted.rrule.clone().unwrap_or_default()), ..EditEvent::default() };
            let fields = vec!["times left out of the series"];
            self.updates.push(Update { id: event.id.clone(), title: event.title.clone(), origin: origin.clone(), edit, fields });
        }
        self.updates
    }
}

fn found(origin: Origin, event: NewEvent) -> Found {
    Found { title: event.title.clone(), item: BatchItem::Event(event), origin }
}

/// As if it were to be made.
fn as_new(event: &Event) -> NewEvent {
    NewEvent {
        title: event.title.clone(),
        starts_local: event.starts_local.clone(),
        ends_local: event.ends_local.clone(),
        tz: event.tz.clone(),
        rrule: event.rrule.clone(),
        uid: event.uid.clone(),
        ..NewEvent::default()
    }
}

/// Its organizer counts the changes; where they do not, the later of two clocks decides.
fn is_newer(event: &Event, sequence: u64, modified: Option<Timestamp>) -> bool {
    let touched = event.edited_at.unwrap_or(event.created_at).0.0;
    let later = |at: Timestamp| u64::try_from(at.as_millisecond()).is_ok_and(|at| at > touched);
    sequence > event.sequence || (sequence == event.sequence && modified.is_some_and(later))
}

/// What of an event a file says otherwise.
fn differing(event: &Event, new: &NewEvent) -> Vec<&'static str> {
    let tags = |tags: &[String]| tags.iter().cloned().collect::<BTreeSet<_>>();
    let all = [
        ("title", event.title != new.title),
        ("time", moves(event, new)),
        ("recurrence", rule(event.rrule.as_deref(), new) != rule(new.rrule.as_deref(), new)),
        ("location", event.location != new.location),
        ("status", event.status != new.status.unwrap_or(EventStatus::Confirmed)),
        ("description", event.description != new.description),
        ("tags", tags(&event.tags) != tags(&new.tags)),
    ];
    all.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// Is it at another time? The same moment told in another zone is the same, unless it comes again.
fn moves(event: &Event, new: &NewEvent) -> bool {
    let locals = event.starts_local != new.starts_local || event.ends_local != new.ends_local;
    if event.all_day || new.rrule.is_some() {
        return locals || (!event.all_day && event.tz != new.tz);
    }
    let same = |at: Option<u64>, text: &str| {
        let said: Option<Timestamp> = text.parse().ok();
        at == said.and_then(|said| u64::try_from(said.as_millisecond()).ok())
    };
    !same(Some(event.starts.0.0), &new.starts) || !same(event.ends.map(|ends| ends.0.0), &new.ends)
}

/// A rule, without exceptions that only one of the two has: times are taken out here, too.
fn rule(text: Option<&str>, new: &NewEvent) -> Option<Rule> {
    let mut rule = Rule::parse(text.unwrap_or_default()).ok()?;
    let wanted = Rule::parse(new.rrule.as_deref().unwrap_or_default()).ok()?;
    rule.exdates.retain(|date| wanted.exdates.contains(date));
    Some(rule)
}

/// What must be written so that an event says what a file says.
fn edit(event: &Event, new: &NewEvent, fields: &[&str]) -> EditEvent {
    let says = |name: &str| fields.contains(&name);
    let some = |name: &str, text: &String| says(name).then(|| text.clone());
    let mut edit = EditEvent {
        title: some("title", &new.title),
        description: some("description", &new.description),
        location: some("location", &new.location),
        status: says("status").then(|| new.status.unwrap_or(EventStatus::Confirmed)),
        tags: says("tags").then(|| new.tags.clone()),
        sequence: (new.sequence != event.sequence).then_some(new.sequence),
        ..EditEvent::default()
    };
    if says("time") {
        edit.starts = Some(new.starts.clone());
        edit.ends = Some(new.ends.clone());
        edit.starts_local = Some(new.starts_local.clone());
        edit.ends_local = Some(new.ends_local.clone());
        edit.tz = Some(new.tz.clone());
    }
    if says("recurrence") {
        edit.rrule = Some(new.rrule.clone().unwrap_or_default());
    } else if says("time") && new.rrule.is_some() {
        // Times that were taken out here move along.
        let moved = Series::of(event).zip(Series::of_new(new)).map(|(old, new)| crate::calendar::change::moved(&old, new.start));
        edit.rrule = moved.and_then(|rule| rule.text()).or_else(|| new.rrule.clone());
    }
    edit
}

#[cfg(test)]
mod tests;
