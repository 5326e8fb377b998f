//! What is called off takes everything with it that was imported for it: times that were moved are events of their own here, and so
//! is the rest of a series that was split.

use jiff::civil::DateTime;
use kith_protocol::control::{EditEvent, Event, EventStatus, NewEvent};

use super::{Later, Update, as_new};
use crate::calendar::Series;
use crate::calendar::change::{Change, Incoming};
use crate::calendar::rule::Moment;
use crate::left_out::{Origin, Weight};

impl<'a> Later<'a> {
    /// An event is called off, all its times included.
    pub(super) fn cancel(&mut self, incoming: &Incoming) {
        let (origin, uid) = (Origin::line(incoming.line), &incoming.event.uid);
        let event = self.find(uid);
        if event.is_none() && self.times_of(uid).is_empty() {
            return self.leave_out(origin, &incoming.event.title, "is called off, and is not here", Weight::Dropped);
        }
        if let Some(event) = event {
            self.call_off(event, incoming.sequence, &origin);
        }
        self.call_off_times(uid, incoming.sequence, &origin);
    }

    /// The events that stand for single times of one, or for its later ones, and the times that each takes the place of.
    fn times_of(&self, uid: &str) -> Vec<(&'a Event, Moment)> {
        let time = |event: &&'a Event| Some((*event, Moment::parse(event.uid.strip_prefix(uid)?.strip_prefix('#')?)?));
        self.events.iter().filter(|_| !uid.is_empty()).filter_map(time).collect()
    }

    /// All times of an event that are events of their own here; those that the file itself tells of are as it says.
    pub(super) fn call_off_times(&mut self, uid: &str, sequence: u64, origin: &Origin) {
        for (event, _) in self.times_of(uid) {
            if !self.told.contains(&event.uid) {
                self.call_off(event, sequence, origin);
            }
        }
    }

    /// What is here in the place of times that are called off. `true`: that is all there is to do.
    pub(super) fn call_off_places(&mut self, change: &Change) -> bool {
        let event = self.series_of(change);
        let series = event.and_then(Series::of);
        let wall = |moment: Moment| match &series {
            Some(series) => moment.wall(&series.tz, series.start),
            None => moment.wall(&change.tz, DateTime::default()),
        };
        let at = series.as_ref().map_or_else(|| change.at.wall(&change.tz, DateTime::default()), |series| change.wall(series));
        let meant = |moment: Moment| if change.future { wall(moment) >= at } else { wall(moment) == at };
        let times = self.times_of(&change.uid).into_iter();
        let mut places: Vec<&Event> = times.filter(|(_, moment)| meant(*moment)).map(|(event, _)| event).collect();
        // A series that is called off from its first time on does not take place at all.
        let all = series.as_ref().is_some_and(|series| change.future && at <= series.start);
        places.extend(event.filter(|_| all));
        for place in &places {
            self.call_off(place, change.sequence, &Origin::line(change.line));
        }
        let whole = event.is_none_or(|event| places.iter().any(|place| place.id == event.id));
        let left_out = series.is_some_and(|series| !change.future && series.rule.excepts(at, &series.tz, series.start));
        !places.is_empty() && (whole || left_out)
    }

    /// Writes down that an event does not take place, unless what is here is newer.
    fn call_off(&mut self, event: &Event, sequence: u64, origin: &Origin) {
        let off = |update: &Update| update.id == event.id && update.edit.status == Some(EventStatus::Cancelled);
        if event.status == EventStatus::Cancelled || self.updates.iter().any(off) {
            return;
        }
        if sequence < event.sequence {
            let why = "is called off, but what is here is newer; it stays";
            return self.leave_out(origin.clone(), &event.title, why, Weight::Dropped);
        }
        let sequence = (sequence > event.sequence).then_some(sequence);
        let edit = EditEvent { status: Some(EventStatus::Cancelled), sequence, ..EditEvent::default() };
        let (id, title) = (event.id.clone(), event.title.clone());
        self.updates.push(Update { id, title, origin: origin.clone(), edit, fields: vec!["status"] });
    }

    /// Times that have a place of their own here, and that a newer series has again without telling of it: their change is
    /// withdrawn (RFC 5546, 3.2.2).
    pub(super) fn withdrawn(&self, event: &Event, new: &NewEvent) -> Vec<(&'a Event, Moment)> {
        let (Some(old), Some(series)) = (Series::of_new(&as_new(event)), Series::of_new(new)) else { return Vec::new() };
        let is_back = |moment: Moment| {
            let at = moment.wall(&old.tz, old.start).saturating_add(series.start.duration_since(old.start));
            series.rule.starts_from(series.start, &series.tz, at, 1).is_ok_and(|next| next.first() == Some(&at))
        };
        let open = |event: &Event| {
            event.status != EventStatus::Cancelled && event.sequence <= new.sequence && !self.told.contains(&event.uid)
        };
        self.times_of(&new.uid).into_iter().filter(|(event, moment)| open(event) && is_back(*moment)).collect()
    }

    /// What stood for those times does not take place.
    pub(super) fn withdraw(&mut self, withdrawn: &[(&'a Event, Moment)], new: &NewEvent, origin: &Origin) {
        for (event, _) in withdrawn {
            let instead = event.starts_local.replace('T', " ");
            let why = format!("is back at its usual time in the series; what took its place ({instead}) is called off");
            self.leave_out(origin.clone(), &event.title, why, Weight::Changed);
            self.call_off(event, new.sequence, origin);
        }
    }
}
