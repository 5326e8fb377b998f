//! One event of a calendar file: its fields. When it is, and how it comes again, is `times`.
#![allow(clippy::wildcard_enum_match_arm, reason = "the library knows many names, and most mean nothing here")]

use calcard::icalendar::{ICalendarComponentType as Kind, ICalendarProperty as Name};
use jiff::Timestamp;
use kith_protocol::control::{EventStatus, NewEvent};
use kith_protocol::limits::{BODY_BYTES, PLACE_CHARS, RRULE_BYTES, TAG_CHARS, TAGS, TITLE_CHARS, UID_CHARS};

use super::change::{Change, Incoming};
use super::notes::{Notes, start_of};
use super::parts::{Component, Field, kind_word};
use super::rule::Moment;
use super::times::Times;
use super::zone::Zones;

/// What an event of a file is.
pub(super) enum Read {
    Event(Box<Incoming>),
    /// It changes an occurrence of another one.
    Change(Box<Change>),
}

/// Reads one event.
pub(super) struct EventReader<'a, 'z> {
    pub(super) part: &'a Component,
    /// What people call it.
    pub(super) label: String,
    /// The zone of times that name none.
    pub(super) usual: &'a str,
    pub(super) zones: &'a mut Zones<'z>,
    pub(super) notes: &'a mut Notes,
    /// It has been said which zone that is.
    pub(super) floating_told: bool,
}

impl<'a, 'z> EventReader<'a, 'z> {
    pub(super) fn new(part: &'a Component, usual: &'a str, zones: &'a mut Zones<'z>, notes: &'a mut Notes) -> Self {
        let summary = part.text(&Name::Summary).filter(|text| !text.is_empty());
        let label = summary.unwrap_or_else(|| format!("event {}", part.text(&Name::Uid).unwrap_or_default()));
        Self { part, label: start_of(&plain_line(&label)), usual, zones, notes, floating_told: false }
    }

    /// The event. `cancels`: the file calls off what is in it.
    pub(super) fn read(&mut self, cancels: bool) -> Option<Read> {
        let part = self.part;
        let uid: String = plain_line(&part.text(&Name::Uid).unwrap_or_default()).chars().take(UID_CHARS).collect();
        let mut event = NewEvent { uid, ..NewEvent::default() };
        let change = self.changed_occurrence(&event.uid);
        self.fields(&mut event);
        if cancels {
            event.status = Some(EventStatus::Cancelled);
        }
        let times = self.times();
        // What calls something off need not say when that would have been.
        if times.is_none() && !cancels {
            self.left(part.line, "has no start that can be understood; it is not imported");
            return None;
        }
        if let Some(times) = times
            && !self.write(&mut event, times, change.is_some())
        {
            return None;
        }
        let number = part.text(&Name::Sequence).and_then(|text| text.parse::<u64>().ok());
        let modified = part.field(&Name::LastModified).and_then(|field| utc(Moment::of(field.time()?)?));
        let (line, sequence) = (part.line, number.unwrap_or(0));
        event.sequence = sequence;
        let Some((at, tz, future)) = change else {
            return Some(Read::Event(Box::new(Incoming { line, event, sequence, modified, cancels })));
        };
        let cancelled = event.status == Some(EventStatus::Cancelled);
        let (uid, title) = (event.uid.clone(), self.label.clone());
        Some(Read::Change(Box::new(Change { line, uid, at, tz, future, cancelled, title, event, sequence, modified })))
    }

    /// The occurrence that it takes the place of, the zone that is told in, and whether all later ones change too.
    fn changed_occurrence(&mut self, uid: &str) -> Option<(Moment, jiff::tz::TimeZone, bool)> {
        let field = self.part.field(&Name::RecurrenceId)?;
        let Some((at, tz, _)) = self.moments(field).into_iter().flatten().next() else {
            self.left(
                field.line,
                format!(
                    "takes the place of a time that cannot be understood ({}); it is an event of its own",
                    start_of(&field.raw)
                ),
            );
            return None;
        };
        if uid.is_empty() {
            self.left(field.line, "does not say which event it changes; it is one of its own");
            return None;
        }
        let range = field.entry.parameter(&calcard::icalendar::ICalendarParameterName::Range);
        Some((at, tz, range.is_some()))
    }

    /// When it is and how it comes again; `false`: there is no room for such a time.
    fn write(&mut self, event: &mut NewEvent, mut times: Times, occurrence: bool) -> bool {
        self.recurrence(&mut times);
        if !self.since_1970(&mut times) {
            return false;
        }
        if !occurrence || times.series.rule.rrule.is_some() {
            self.countable(&mut times);
        }
        self.clocks(&mut times);
        event.tz.clone_from(&times.name);
        super::change::write(event, &times.series);
        if event.rrule.as_ref().is_some_and(|text| text.len() > RRULE_BYTES) {
            self.left(self.part.line, "names more dates than there is room for; only its first time is kept");
            event.rrule = None;
        }
        true
    }

    /// All that is not about time.
    fn fields(&mut self, new: &mut NewEvent) {
        new.title = self.title();
        let mut tags: Vec<(usize, String)> = Vec::new();
        let part = self.part;
        for field in &part.fields {
            match &field.entry.name {
                Name::Summary | Name::Uid | Name::Dtstart | Name::Dtend | Name::Duration | Name::Rrule | Name::Rdate => {}
                Name::Exdate | Name::RecurrenceId | Name::Sequence | Name::LastModified => {}
                Name::Description => new.description = field.text(),
                Name::Location => new.location = self.place(field),
                Name::Url => append(&mut new.description, &field.text()),
                Name::Status => new.status = self.status(field),
                Name::Categories => tags.extend(field.texts().into_iter().map(|tag| (field.line, tag))),
                Name::Dtstamp | Name::Created | Name::Transp => {
                    self.notes.minor(field.line, &self.label, format!("{} is not kept", field.name()));
                }
                Name::Class if field.text().eq_ignore_ascii_case("PUBLIC") => {
                    self.notes.minor(field.line, &self.label, "CLASS is not kept");
                }
                Name::Other(name) if name.to_ascii_uppercase().starts_with("X-MICROSOFT-CDO") => {
                    self.notes.minor(field.line, &self.label, format!("{name} is not kept"));
                }
                name => {
                    let text = start_of(&field.text());
                    self.left(field.line, format!("has {} that is not kept: {text}", property_word(name)));
                }
            }
        }
        self.cut(&mut new.description);
        new.tags = self.tags(tags);
        for inner in &part.parts {
            if inner.kind == Kind::VAlarm {
                let trigger = inner.field(&Name::Trigger).map_or("?", |field| field.raw.as_str());
                self.left(inner.line, format!("has a reminder (VALARM {trigger}) that is not kept"));
            } else {
                self.left(inner.line, format!("holds a {}, which has no place in Kith", kind_word(&inner.kind)));
            }
        }
    }

    fn title(&mut self) -> String {
        let field = self.part.field(&Name::Summary);
        let title = field.map(Field::text).unwrap_or_default();
        let line = field.map_or(self.part.line, |field| field.line);
        if title.is_empty() {
            self.changed(line, "has no title; it is called \"Untitled event\"");
            return "Untitled event".to_owned();
        }
        self.short(line, &title, TITLE_CHARS, "title")
    }

    fn place(&mut self, field: &Field) -> String {
        self.short(field.line, &field.text(), PLACE_CHARS, "location")
    }

    fn short(&mut self, line: usize, text: &str, limit: usize, what: &str) -> String {
        let long = text.chars().count();
        if long > limit {
            self.left(line, format!("has a {what} of {long} characters; it is cut after {limit}"));
        }
        text.chars().take(limit).collect::<String>().trim().to_owned()
    }

    /// Confirmed is not said: it is what an event is that says nothing.
    fn status(&mut self, field: &Field) -> Option<EventStatus> {
        let text = field.text();
        let known = text.parse().ok();
        if known.is_none() && !text.is_empty() {
            let other = text.to_ascii_uppercase();
            self.changed(field.line, format!("has a status \"{}\" that is not known; it counts as confirmed", start_of(&other)));
        }
        known.filter(|status| *status != EventStatus::Confirmed)
    }

    fn cut(&mut self, text: &mut String) {
        text.retain(|c| !c.is_control() || matches!(c, '\t' | '\n'));
        if text.len() > BODY_BYTES {
            let line = self.part.field(&Name::Description).map_or(self.part.line, |field| field.line);
            self.left(line, format!("has a description of {}; it is cut", crate::files::size(text.len() as u64)));
            let end = (0..=BODY_BYTES).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(end);
        }
    }

    fn tags(&mut self, found: Vec<(usize, String)>) -> Vec<String> {
        let mut tags: Vec<String> = Vec::new();
        let mut more: Vec<String> = Vec::new();
        let line = found.last().map_or(self.part.line, |(line, _)| *line);
        for (line, text) in found {
            let tag = tag(&text);
            if tag.chars().count() < plain_line(&text).trim_start_matches('#').chars().count() {
                self.left(line, format!("has a tag that is cut after {TAG_CHARS} characters: {tag}"));
            }
            if tag.is_empty() || tags.contains(&tag) {
                continue;
            }
            if tags.len() < TAGS { tags.push(tag) } else { more.push(tag) }
        }
        if !more.is_empty() {
            let part = format!("has {} tags and there is room for {TAGS}; not kept are {}", TAGS + more.len(), more.join(", "));
            self.left(line, part);
        }
        tags
    }

    pub(super) fn left(&mut self, line: usize, part: impl Into<String>) {
        self.notes.left(line, &self.label, part);
    }

    pub(super) fn changed(&mut self, line: usize, part: impl Into<String>) {
        self.notes.changed(line, &self.label, part);
    }
}

fn utc(moment: Moment) -> Option<Timestamp> {
    jiff::tz::TimeZone::UTC.to_timestamp(moment.wall(&jiff::tz::TimeZone::UTC, jiff::civil::DateTime::default())).ok()
}

/// Text as one line holds it.
pub(crate) fn plain_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// A tag as items may carry it.
pub(crate) fn tag(text: &str) -> String {
    plain_line(text).trim_start_matches('#').chars().take(TAG_CHARS).collect::<String>().trim().to_owned()
}

fn append(text: &mut String, more: &str) {
    if more.is_empty() {
        return;
    }
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(more);
}

fn property_word(name: &Name) -> String {
    match name {
        Name::Attendee => "an attendee (ATTENDEE)".to_owned(),
        Name::Organizer => "an organizer (ORGANIZER)".to_owned(),
        Name::Attach => "an attachment (ATTACH)".to_owned(),
        Name::Geo => "coordinates (GEO)".to_owned(),
        Name::Class => "a privacy mark (CLASS)".to_owned(),
        Name::Exrule => "a rule of exceptions (EXRULE)".to_owned(),
        other => format!("a field {}", other.as_str()),
    }
}
