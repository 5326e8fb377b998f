//! iCalendar files in (RFC 5545): every event becomes one, a recurring one included. What has no place in Kith is named,
#![allow(clippy::wildcard_enum_match_arm, reason = "the library knows many names, and most mean nothing here")]
//! part by part and by its line; nothing is dropped silently, and nothing takes anything else down with it.

use std::collections::BTreeMap;

use calcard::icalendar::{ICalendarComponentType as Kind, ICalendarProperty};
use jiff::Timestamp;

use super::change::{Applied, Change, Incoming};
use super::event::{EventReader, Read};
use super::lines::{Odd, Oddity, lines};
use super::notes::{Notes, start_of};
use super::parts::{Component, kind_word, parts};
use super::zone::Zones;
use crate::left_out::LeftOut;

/// What a file held.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    /// Its events, in the file's order.
    pub(crate) events: Vec<Incoming>,
    /// Changes of events that are not in it.
    pub(crate) changes: Vec<Change>,
    /// Changes of events that are in it, which are as these make them.
    pub(crate) applied: Vec<Change>,
    /// How those events came again before, by their ids.
    pub(crate) plain: BTreeMap<String, Option<String>>,
    /// What has no place here.
    pub(crate) left: Vec<LeftOut>,
}

/// Read a file. `usual`: the zone of times that name none.
pub(crate) fn read(bytes: &[u8], usual: &str) -> Result<Calendar, String> {
    let (lines, odd) = lines(bytes);
    let (roots, faults) = parts(lines).ok_or("its parts are nested too deeply")?;
    let (calendars, loose): (Vec<Component>, Vec<Component>) = roots.into_iter().partition(|part| part.kind == Kind::VCalendar);
    if calendars.is_empty() && !loose.iter().any(|part| part.kind == Kind::VEvent) {
        return Err("there is no calendar in it".to_owned());
    }
    // Events that stand in no calendar are one of their own.
    let mut rest = Component::new(Kind::VCalendar, 1);
    rest.parts = loose;
    let all: Vec<&Component> = calendars.iter().chain([&rest]).collect();
    let mut file =
        File { notes: Notes::default(), masters: BTreeMap::new(), events: Vec::new(), changes: Vec::new(), floating: false };
    for Odd { number, what } in odd {
        file.odd(number, what);
    }
    for fault in faults {
        file.notes.left(fault.line, "the file", fault.what);
    }
    for calendar in &all {
        // A calendar may use zones that another one in the file describes.
        let mut zones = Zones::new([*calendar].into_iter().chain(all.iter().copied()));
        file.calendar(calendar, &mut zones, usual);
    }
    Ok(file.done())
}

struct File {
    notes: Notes,
    /// `UID` to the place of its event, so that changed occurrences find it.
    masters: BTreeMap<String, usize>,
    events: Vec<Incoming>,
    changes: Vec<Change>,
    /// It has been said which zone is taken where none is named.
    floating: bool,
}

impl File {
    fn odd(&mut self, number: usize, what: Oddity) {
        match what {
            Oddity::Text(last) if last > number => {
                let part = format!("up to line {last} does not belong to a calendar; it is taken as more of the text before it");
                self.notes.changed(number, "the file", part);
            }
            Oddity::Text(_) => {
                self.notes.changed(
                    number,
                    "the file",
                    "has a line that does not belong to a calendar; it is taken as more of the text before it",
                );
            }
            Oddity::Nothing => self.notes.left(number, "the file", "has a line that cannot be understood"),
            Oddity::Latin => {
                self.notes.changed(
                    number,
                    "the file",
                    "has letters that are not UTF-8; they are taken for Western European ones",
                );
            }
        }
    }

    fn calendar(&mut self, calendar: &Component, zones: &mut Zones<'_>, usual: &str) {
        let name = calendar.other("X-WR-CALNAME");
        let label = name.map_or_else(|| "the calendar".to_owned(), |name| format!("calendar \"{name}\""));
        let method = calendar.text(&ICalendarProperty::Method).unwrap_or_default().to_ascii_uppercase();
        let own = self.zone_of(calendar, zones, &label);
        for field in &calendar.fields {
            if field.entry.name != ICalendarProperty::Method && !is_zone(field.name()) {
                self.notes.minor(field.line, &label, format!("{} is not kept", field.name()));
            }
        }
        if !["", "PUBLISH", "REQUEST", "ADD", "CANCEL"].contains(&method.as_str()) {
            self.notes.left(
                calendar.line,
                &label,
                format!("is an answer to an invitation ({method}); its events are not imported"),
            );
            return;
        }
        for part in &calendar.parts {
            match &part.kind {
                Kind::VEvent => {
                    let mut reader = EventReader::new(part, own.as_deref().unwrap_or(usual), zones, &mut self.notes);
                    reader.floating_told = self.floating;
                    let read = reader.read(method == "CANCEL");
                    self.floating = reader.floating_told;
                    match read {
                        Some(Read::Event(event)) => self.event(*event),
                        Some(Read::Change(change)) => self.changes.push(*change),
                        None => {}
                    }
                }
                Kind::VTimezone => {}
                _ => self.other(part),
            }
        }
    }

    /// The zone that a calendar says its times are in where they name none.
    fn zone_of(&mut self, calendar: &Component, zones: &mut Zones<'_>, label: &str) -> Option<String> {
        let field = calendar.fields.iter().find(|field| is_zone(field.name()))?;
        let found = zones.find(&field.text(), Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC).datetime());
        let name = found.and_then(|found| found.name);
        if name.is_none() {
            self.notes.changed(field.line, label, format!("names a time zone that is not known, \"{}\"", field.text()));
        }
        name
    }

    fn other(&mut self, part: &Component) {
        let title = part.text(&ICalendarProperty::Summary).or_else(|| part.text(&ICalendarProperty::Uid));
        let title = title.filter(|title| !title.is_empty()).unwrap_or_else(|| "without a title".to_owned());
        let inside = match part.parts.len() {
            0 => String::new(),
            1 => ", and neither has its part".to_owned(),
            n => format!(", and neither have its {n} parts"),
        };
        self.notes.left(
            part.line,
            &start_of(&title),
            format!("is a {}, which has no place in Kith{inside}", kind_word(&part.kind)),
        );
    }

    /// An event; of two with one id the one that was changed last.
    fn event(&mut self, event: Incoming) {
        let known = self.masters.get(&event.event.uid).copied().filter(|_| !event.event.uid.is_empty());
        let Some(at) = known else {
            if !event.event.uid.is_empty() {
                self.masters.insert(event.event.uid.clone(), self.events.len());
            }
            self.events.push(event);
            return;
        };
        let Some(there) = self.events.get_mut(at) else { return };
        let newer = (event.sequence, event.modified) > (there.sequence, there.modified);
        let (kept, left) = if newer { ("last", there.line) } else { ("first", event.line) };
        let part = format!("comes twice with the id {}; the {kept} is kept", event.event.uid);
        self.notes.left(left, &event.event.title, part);
        if newer {
            *there = event;
        }
    }

    /// Of two changes of one time the one that was made last.
    fn newest(&mut self) -> Vec<Change> {
        let mut out: Vec<Change> = Vec::new();
        let mut known: BTreeMap<(String, bool, Option<Timestamp>), usize> = BTreeMap::new();
        for change in std::mem::take(&mut self.changes) {
            let at = change.tz.to_timestamp(change.at.wall(&change.tz, jiff::civil::DateTime::default())).ok();
            let place = *known.entry((change.uid.clone(), change.future, at)).or_insert(out.len());
            let Some(there) = out.get_mut(place) else {
                out.push(change);
                continue;
            };
            let newer = (change.sequence, change.modified) > (there.sequence, there.modified);
            let (kept, left) = if newer { ("last", there.line) } else { ("first", change.line) };
            self.notes.left(left, &change.title, format!("changes one time twice; the {kept} change is kept"));
            if newer {
                *there = change;
            }
        }
        out
    }

    /// Changed occurrences find the events they change, wherever these stand in the file.
    fn done(mut self) -> Calendar {
        let mut changes = self.newest();
        // What changes all later ones as well leaves a new series for those behind it.
        changes.sort_by_key(|change| change.at.wall(&change.tz, jiff::civil::DateTime::default()));
        let (mut open, mut applied, mut plain) = (Vec::new(), Vec::new(), BTreeMap::new());
        for mut change in changes {
            let Some(master) = self.masters.get(&change.uid).and_then(|at| self.events.get_mut(*at)) else {
                open.push(change);
                continue;
            };
            plain.entry(master.event.uid.clone()).or_insert_with(|| master.event.rrule.clone());
            let of_master = master.sequence;
            match change.apply(&mut master.event) {
                Applied::Done { rest, said } => {
                    self.notes.changed(change.line, &change.title, said);
                    if let Some(rest) = rest {
                        let place = change.future.then_some(self.events.len());
                        let (sequence, modified) = (change.sequence, change.modified);
                        self.events.push(Incoming { line: change.line, event: *rest, sequence, modified, cancels: false });
                        if let Some(at) = place {
                            self.masters.insert(change.uid.clone(), at);
                        }
                    }
                    // It belongs to that state of its event, whatever it counts itself.
                    change.sequence = change.sequence.max(of_master);
                    applied.push(change);
                }
                Applied::Not(why) => self.notes.left(change.line, &change.title, why),
            }
        }
        Calendar { events: self.events, changes: open, applied, plain, left: self.notes.0 }
    }
}

/// Where calendars say what zone they are in.
fn is_zone(name: &str) -> bool {
    ["X-WR-TIMEZONE", "TIMEZONE-ID"].iter().any(|zone| zone.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests;
