//! Later files for events that are here already (RFC 5546): what moves an event, changes it or calls it off. What is newer is written
//! down; what is not is named, and what is here stays. The same file again changes nothing.

mod off;
mod series;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kith_protocol::control::{BatchItem, EditEvent, Event, EventStatus, ItemState, NewEvent};

use super::{Found, Haul};
use crate::calendar::change::{Applied, Change, Incoming};
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
    /// Changes of single times of events that are in it: its events are as these make them.
    pub(crate) applied: Vec<Change>,
    /// How those events came again before, by their ids.
    pub(crate) plain: BTreeMap<String, Option<String>>,
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
    /// How the file's events came again before its changes of single times.
    plain: BTreeMap<String, Option<String>>,
    /// The ids of all events that the file tells of.
    told: BTreeSet<String>,
    /// Series of which single times change, by their ids.
    series: BTreeMap<&'a str, (Origin, NewEvent)>,
    updates: Vec<Update>,
    left_out: Vec<LeftOut>,
}

impl Haul {
    /// What of it changes events that are here. What is new, or says what is known, stays in it.
    pub(crate) fn updates(&mut self, here: &[Event]) -> Vec<Update> {
        let News { calendar, modified, cancelled, changes, applied, plain } = std::mem::take(&mut self.later);
        if !calendar {
            return Vec::new();
        }
        let events = here.iter().filter(|event| event.state == ItemState::Visible).collect();
        let ids =
            self.found.iter().filter_map(|found| if let BatchItem::Event(new) = &found.item { Some(&new.uid) } else { None });
        let told = ids.cloned().collect();
        let left_out = std::mem::take(&mut self.left_out);
        let mut later = Later { events, modified, plain, told, series: BTreeMap::new(), updates: Vec::new(), left_out };
        self.found.retain(|found| !later.takes(found));
        for incoming in &cancelled {
            later.cancel(incoming);
        }
        for change in &applied {
            later.applied(change);
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
        let newer = is_newer(event, new.sequence, self.modified.get(&new.uid).copied());
        let mut new = new.clone();
        let withdrawn = if newer { self.withdrawn(event, &new) } else { Vec::new() };
        if !newer && let Some(plain) = self.plain.get(&new.uid) {
            // What it says of single times is taken one by one.
            new.rrule.clone_from(plain);
        }
        let stay_out = series::keep_out(event, &mut new, &withdrawn);
        let fields = differing(event, &new);
        if newer && !stay_out.is_empty() {
            let why = format!("has times that were taken out here, and stay out: {}", stay_out.join(", "));
            self.leave_out(found.origin.clone(), &found.title, why, Weight::Changed);
        }
        if fields.is_empty() {
            return false;
        }
        if !newer {
            let why = format!("differs from what is here ({}), and is not newer; what is here stays", fields.join(", "));
            self.leave_out(found.origin.clone(), &found.title, why, Weight::Dropped);
            return false;
        }
        let edit = edit(event, &new, &fields);
        self.updates.push(Update { id: event.id.clone(), title: new.title.clone(), origin: found.origin.clone(), edit, fields });
        self.withdraw(&withdrawn, &new, &found.origin);
        if new.status == Some(EventStatus::Cancelled) {
            self.call_off_times(&new.uid, new.sequence, &found.origin);
        }
        true
    }

    /// One time of a series changes; what takes its place, if anything does.
    fn change(&mut self, change: &Change) -> Option<Found> {
        let origin = Origin::line(change.line);
        if change.cancelled && self.call_off_places(change) {
            return None;
        }
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
        let place = change.place(self.wanted(event, &origin))?;
        // What took that time's place before is compared with what takes it now.
        if !change.cancelled && self.find(&place.uid).is_some() {
            return Some(found(origin, place));
        }
        if change.sequence < event.sequence {
            let why = "changes one time of an event, but what is here is newer; it stays";
            self.leave_out(origin, &change.title, why, Weight::Dropped);
            return None;
        }
        match change.apply(self.wanted(event, &origin)) {
            Applied::Done { rest, .. } => rest.map(|rest| found(origin, *rest)),
            Applied::Not(why) => {
                self.leave_out(origin, &change.title, why, Weight::Dropped);
                None
            }
        }
    }

    /// A change of one time of an event that the file holds too. Where that was no newer, only this is taken of it.
    fn applied(&mut self, change: &Change) {
        let Some(event) = self.find(&change.uid) else { return };
        if self.updates.iter().any(|update| update.id == event.id) {
            if change.cancelled {
                self.call_off_places(change);
            }
            return;
        }
        // What takes that time's place is in the file too.
        self.change(change);
    }

    /// A series as its times are changed.
    fn wanted(&mut self, event: &'a Event, origin: &Origin) -> &mut NewEvent {
        &mut self.series.entry(&event.id).or_insert_with(|| (origin.clone(), as_new(event))).1
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
        ("recurrence", series::differs(event, new)),
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
    // Times that were taken out here move along.
    if says("recurrence") || (says("time") && new.rrule.is_some()) {
        edit.rrule = Some(new.rrule.clone().unwrap_or_default());
    }
    edit
}

#[cfg(test)]
mod tests;
