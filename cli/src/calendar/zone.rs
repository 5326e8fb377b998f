//! Time zones as calendar files name them, and zones that only the file describes, which are recognised by when their clocks
//! change. A name that means one zone wins over what the file says of it; what is a guess does not.

mod names;

use std::collections::BTreeMap;

use calcard::common::timezone::Tz;
use calcard::icalendar::{ICalendarComponentType as PartKind, ICalendarProperty};
use jiff::civil::{Date, DateTime};
use jiff::tz::{self, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::parts::Component;
use super::rule::{Moment, Rule};
use crate::limits::ZONE_ONSETS;
use names::{get, is_utc, offset_of};

/// A zone of a file, and how sure we are.
#[derive(Clone, Debug)]
pub(crate) struct FoundZone {
    pub(crate) tz: TimeZone,
    /// Its IANA name; `None` where there is none for it, and its times can only be kept as moments.
    pub(crate) name: Option<String>,
    /// What the person should know about the choice.
    pub(crate) note: Option<String>,
}

/// Zones tried first when one is recognised by what it does; the others follow in the database's order.
const COMMON: &[&str] = &[
    "Europe/Berlin",
    "Europe/London",
    "Europe/Athens",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Asia/Shanghai",
    "Australia/Sydney",
    "Africa/Lagos",
    "Africa/Nairobi",
    "America/Sao_Paulo",
    "UTC",
];

/// Folders of the database that hold other names for the same zones.
const DOUBLES: &[&str] = &["Etc/", "US/", "Canada/", "Brazil/", "Chile/", "Mexico/", "SystemV/", "posix/", "right/"];

/// Finds zones for the times of a file.
#[derive(Debug, Default)]
pub(super) struct Zones<'a> {
    described: Vec<&'a Component>,
    /// What was found, by name and year.
    known: BTreeMap<(String, i16), Known>,
}

/// What is known of a name in a year.
#[derive(Debug)]
struct Known {
    own: Option<Described>,
    /// The zone that it means, the same at all times of that year.
    zone: Option<FoundZone>,
    /// What the name alone may mean, where there is no such zone.
    guess: Option<TimeZone>,
}

impl<'a> Zones<'a> {
    /// Those that a calendar describes, its own first.
    pub(super) fn new(calendars: impl Iterator<Item = &'a Component>) -> Self {
        let described = calendars.flat_map(|part| &part.parts).filter(|part| part.kind == PartKind::VTimezone).collect();
        Self { described, known: BTreeMap::new() }
    }

    /// The zone that a `TZID` means, at about that time. `None`: nobody knows.
    pub(super) fn find(&mut self, tzid: &str, at: DateTime) -> Option<FoundZone> {
        let tzid = tzid.trim().trim_matches('"').trim();
        let described = &self.described;
        let known = self.known.entry((tzid.to_owned(), at.year())).or_insert_with(|| {
            let own = described.iter().find(|part| part.text(&ICalendarProperty::Tzid).is_some_and(|id| is_same(&id, tzid)));
            Known::of(tzid, own.copied(), at)
        });
        known.then(tzid, at)
    }
}

fn is_same(id: &str, tzid: &str) -> bool {
    id.trim_matches('"').trim().eq_ignore_ascii_case(tzid)
}

impl Known {
    fn of(tzid: &str, part: Option<&Component>, at: DateTime) -> Self {
        let place = part.and_then(|part| part.other("X-LIC-LOCATION")).and_then(|name| get(&name));
        let own = part.map(|part| Described::read(part, at));
        // A word of some letters ("EST") means different things to different people; what the file says of it decides.
        let vague = tzid.len() <= 5 && !tzid.contains(['/', ' ', '+', '-']) && !is_utc(tzid);
        let recognised = || own.as_ref().filter(|own| own.broken.is_none()).and_then(|own| own.recognised(tzid));
        if vague
            && place.is_none()
            && let Some(zone) = recognised()
        {
            return Self { own, zone: Some(zone), guess: None };
        }
        if let Some(tz) = get(tzid).or(place).or_else(|| names::certain(tzid)) {
            return Self { own, zone: Some(FoundZone { name: tz.iana_name().map(str::to_owned), tz, note: None }), guess: None };
        }
        let guess = names::guess(tzid, at);
        // A guess that does what the file says is none.
        let fits = guess.clone().filter(|tz| own.as_ref().is_some_and(|own| own.broken.is_none() && own.is_like(tz)));
        let fits = fits.map(|tz| FoundZone { name: tz.iana_name().map(str::to_owned), tz, note: None });
        let zone = fits.or_else(recognised).or_else(|| own.as_ref().and_then(|own| own.microsoft(tzid)));
        Self { own, zone, guess }
    }

    fn then(&self, tzid: &str, at: DateTime) -> Option<FoundZone> {
        let said = self.own.as_ref().and_then(|own| own.offset_at(at));
        let mut found = if let Some(zone) = &self.zone {
            let note = zone.note.clone().or_else(|| differing(tzid, zone, said, at));
            FoundZone { note, ..zone.clone() }
        } else if let Some(tz) = self.guess.clone().filter(|tz| said.is_none_or(|said| offset_in(tz, at) == Some(said))) {
            let note = format!("the time zone \"{tzid}\" is taken as {}", shown(&tz, at));
            // `UTC+05:30` is what it says.
            let note = Some(note).filter(|_| offset_of(tzid).is_none());
            FoundZone { name: tz.iana_name().map(str::to_owned), tz, note }
        } else {
            self.own.as_ref()?.offset(tzid, at)?
        };
        if let Some(line) = self.own.as_ref().and_then(|own| own.broken) {
            let what = format!("the file's own time zone \"{tzid}\" has a part on line {line} that cannot be understood");
            found.note = Some(found.note.map_or(what.clone(), |note| format!("{what}; {note}")));
        }
        Some(found)
    }
}

fn offset_in(tz: &TimeZone, at: DateTime) -> Option<Offset> {
    tz.to_zoned(at).ok().map(|zoned| zoned.offset())
}

/// What people call a zone: where it has no name, its offset.
fn shown(tz: &TimeZone, at: DateTime) -> String {
    match (tz.iana_name(), offset_in(tz, at)) {
        (Some(name), _) => name.to_owned(),
        (None, Some(offset)) if !offset.is_zero() => format!("UTC{offset}"),
        (None, _) => "UTC".to_owned(),
    }
}

/// Where the file says something else of a zone than that is known for.
fn differing(tzid: &str, zone: &FoundZone, said: Option<Offset>, at: DateTime) -> Option<String> {
    let (said, is) = said.zip(offset_in(&zone.tz, at)).filter(|(said, is)| said != is)?;
    let shown = shown(&zone.tz, at);
    Some(format!(
        "the file says that clocks in \"{tzid}\" are at UTC{said} then, and in {shown} they are at UTC{is}; {shown} is taken"
    ))
}

/// The zone that is always there. Whole hours have names; the sign in those names is the other way round.
fn fixed(offset: Offset) -> TimeZone {
    let (hours, rest) = (offset.seconds() / 3_600, offset.seconds() % 3_600);
    let named = if offset.seconds() == 0 { Some(TimeZone::UTC) } else { get(&format!("Etc/GMT{:+}", -hours)) };
    named.filter(|_| rest == 0).unwrap_or_else(|| TimeZone::fixed(offset))
}

/// A change of clocks, as a file describes it.
#[derive(Clone, Copy, Debug)]
struct Onset {
    /// On the clock as it was before.
    wall: DateTime,
    at: Timestamp,
    from: Offset,
    to: Offset,
}

/// A zone as a file describes it, around some year.
#[derive(Debug)]
struct Described {
    onsets: Vec<Onset>,
    /// It has rules, so that what it says holds for all years to come.
    ruled: bool,
    year: i16,
    microsoft: Option<String>,
    /// The line of a part of it that cannot be understood.
    broken: Option<usize>,
}

impl Described {
    fn read(part: &Component, at: DateTime) -> Self {
        let mut out = Self {
            onsets: Vec::new(),
            ruled: false,
            year: at.year(),
            microsoft: part.other("X-MICROSOFT-CDO-TZID"),
            broken: None,
        };
        for part in part.parts.iter().filter(|part| matches!(part.kind, PartKind::Standard | PartKind::Daylight)) {
            out.ruled |= part.field(&ICalendarProperty::Rrule).is_some();
            match onsets(part, at.year()) {
                Some(onsets) => out.onsets.extend(onsets),
                None => out.broken = out.broken.or(Some(part.line)),
            }
        }
        out.onsets.sort_unstable_by_key(|onset| onset.at);
        out
    }

    fn offset_then(&self, at: Timestamp) -> Option<Offset> {
        let before = self.onsets.iter().rev().find(|onset| onset.at <= at).map(|onset| onset.to);
        before.or_else(|| self.onsets.first().map(|onset| onset.from))
    }

    /// At a time of its own clock.
    fn offset_at(&self, wall: DateTime) -> Option<Offset> {
        let before = self.onsets.iter().rev().find(|onset| onset.wall <= wall).map(|onset| onset.to);
        before.or_else(|| self.onsets.first().map(|onset| onset.from))
    }

    /// The zone whose clocks change as these do.
    fn recognised(&self, tzid: &str) -> Option<FoundZone> {
        let around = self.around();
        let changes = self.changes();
        let tz = if changes.is_empty() {
            first(&around)
        } else {
            // Files often name no more than the changes around their own events.
            let both: Vec<(Timestamp, Offset)> = changes.iter().chain(&around).copied().collect();
            first(&both).or_else(|| first(&changes)).or_else(|| self.pair())
        };
        let name = tz.as_ref()?.iana_name()?.to_owned();
        let note = Some(format!("the file's own time zone \"{tzid}\" does what {name} does, and is taken as that"));
        Some(FoundZone { tz: tz?, name: Some(name), note })
    }

    /// The number that Outlook gives to a zone.
    fn microsoft(&self, tzid: &str) -> Option<FoundZone> {
        let tz = get(&Tz::from_ms_cdo_zone_id(self.microsoft.as_deref()?.trim())?.name()?)?;
        let name = tz.iana_name()?.to_owned();
        let note = Some(format!("the time zone \"{tzid}\" is taken as {name}"));
        Some(FoundZone { tz, name: Some(name), note })
    }

    /// No zone does the same: its offset at that time is kept.
    fn offset(&self, tzid: &str, at: DateTime) -> Option<FoundZone> {
        let offset = self.offset_at(at)?;
        let tz = fixed(offset);
        let name = tz.iana_name().map(str::to_owned);
        let note =
            Some(format!("the file's own time zone \"{tzid}\" is like no other; its times are kept as those at UTC{offset}"));
        Some(FoundZone { tz, name, note })
    }

    /// Are the clocks of that zone like these?
    fn is_like(&self, tz: &TimeZone) -> bool {
        let (around, changes) = (self.around(), self.changes());
        !around.is_empty() && changes.iter().chain(&around).all(|(at, offset)| tz.to_offset(*at) == *offset)
    }

    /// The middle of every month from the year before to the second after.
    fn around(&self) -> Vec<(Timestamp, Offset)> {
        let years = self.year.saturating_sub(1)..=self.year.saturating_add(2);
        let days = years.flat_map(|year| (1..=12_i8).filter_map(move |month| Date::new(year, month, 15).ok()));
        let moments = days.filter_map(|day| TimeZone::UTC.to_timestamp(day.at(12, 0, 0, 0)).ok());
        moments.filter_map(|at| Some((at, self.offset_then(at)?))).collect()
    }

    /// An hour before and after each change of the last years that it describes. What was before the first one nobody says.
    fn changes(&self) -> Vec<(Timestamp, Offset)> {
        let hour = SignedDuration::from_hours(1);
        let real: Vec<&Onset> = self.onsets.iter().skip(1).filter(|onset| onset.from != onset.to).collect();
        let last = real.iter().rev().take(8);
        let moments = last.flat_map(|onset| [onset.at.checked_sub(hour), onset.at.checked_add(hour)]).flatten();
        moments.filter_map(|at| Some((at, self.offset_then(at)?))).collect()
    }

    /// One change each way, years ago and without a rule: a program that left the rules out, and means every year.
    fn pair(&self) -> Option<TimeZone> {
        let [one, two] = <[Onset; 2]>::try_from(self.onsets.clone()).ok()?;
        if self.ruled || one.from != two.to || one.to != two.from || one.from == one.to {
            return None;
        }
        let day = |onset: &Onset| (onset.wall.month(), onset.wall.day());
        let (first_day, second_day) = (day(&one).min(day(&two)), day(&one).max(day(&two)));
        let middle = if day(&one) == first_day { one.to } else { two.to };
        let other = if middle == one.to { two.to } else { one.to };
        let samples = (1..=12_i8).filter_map(|month| {
            let inside = (month, 15) > first_day && (month, 15) < second_day;
            let at = TimeZone::UTC.to_timestamp(Date::new(self.year, month, 15).ok()?.at(12, 0, 0, 0)).ok()?;
            Some((at, if inside { middle } else { other }))
        });
        first(&samples.collect::<Vec<_>>())
    }
}

/// A zone with a name whose clocks are like these in the years around a moment.
pub(super) fn alike(tz: &TimeZone, around: Timestamp) -> Option<TimeZone> {
    let months = (-24..=36_i64).filter_map(|month| around.checked_add(SignedDuration::from_hours(month * 730)).ok());
    let hour = SignedDuration::from_hours(1);
    let changes = tz.following(around).take(4).map(|change| change.timestamp());
    let changes = changes.flat_map(|at| [at.checked_sub(hour), at.checked_add(hour)]).flatten();
    let wanted: Vec<(Timestamp, Offset)> = months.chain(changes).map(|at| (at, tz.to_offset(at))).collect();
    first(&wanted)
}

/// The first zone whose clocks are so at those moments.
fn first(wanted: &[(Timestamp, Offset)]) -> Option<TimeZone> {
    let fits = |tz: &TimeZone| !wanted.is_empty() && wanted.iter().all(|(at, offset)| tz.to_offset(*at) == *offset);
    // `Australia/LHI` is an old name of Lord Howe.
    let old = |name: &str| name.rsplit('/').next().is_none_or(|place| place.chars().all(|c| c.is_ascii_uppercase()));
    let places = |name: &str| name.contains('/') && !old(name) && !DOUBLES.iter().any(|start| name.starts_with(start));
    let database = tz::db();
    let all = database.available().map(|name| name.as_str().to_owned()).filter(|name| places(name));
    COMMON.iter().map(|name| (*name).to_owned()).chain(all).filter_map(|name| get(&name)).find(fits)
}

/// When one of a zone's observances begins, in the years around that one. `None`: it cannot be understood.
fn onsets(part: &Component, year: i16) -> Option<Vec<Onset>> {
    let to = part.field(&ICalendarProperty::Tzoffsetto).and_then(|field| names::offset(&field.raw))?;
    let from = match part.field(&ICalendarProperty::Tzoffsetfrom) {
        Some(field) => names::offset(&field.raw)?,
        None => to,
    };
    let before = TimeZone::fixed(from);
    let read = part.field(&ICalendarProperty::Dtstart)?.time()?;
    // The midnight that ends a day: the rule is about that day, and the clocks change a day later.
    let ends_day = (read.hour, read.minute.unwrap_or(0), read.second.unwrap_or(0)) == (Some(24), 0, 0);
    let late = SignedDuration::from_hours(if ends_day { 24 } else { 0 });
    let start = Moment::of(read)?.wall(&before, DateTime::default()).checked_sub(late).ok()?;
    let rrule = part.field(&ICalendarProperty::Rrule).map(|field| plain(&field.raw));
    let since = |years: i16| start.with().year(year.saturating_sub(years)).build().ok();
    // Rules that are the same every year may as well begin some years ago as in 1601.
    let begin = since(6).filter(|begin| *begin > start && rrule.as_deref().is_some_and(|rrule| goes_on(rrule, *begin)));
    let begin = begin.unwrap_or(start);
    let dates = part.all(&ICalendarProperty::Rdate).flat_map(|field| &field.entry.values);
    let rdates: Vec<DateTime> =
        dates.filter_map(|value| Some(Moment::of(value.as_partial_date_time()?)?.wall(&before, start))).collect();
    let rule = Rule { rrule, ..Rule::default() };
    let mut walls = rule.starts_from(begin, &before, begin, ZONE_ONSETS).ok()?;
    if begin > start {
        // That day was made up: the rule says when the clocks change in that year.
        walls.retain(|wall| *wall != begin);
    }
    let walls = walls.into_iter().filter_map(|wall| wall.checked_add(late).ok()).chain(rdates);
    let onset = |wall: DateTime| Some(Onset { wall, at: before.to_timestamp(wall).ok()?, from, to });
    Some(walls.filter_map(onset).collect())
}

/// The rule without parts that change nothing, and without those that no standard knows.
fn plain(rrule: &str) -> String {
    let upper: String = rrule.to_ascii_uppercase().split_whitespace().collect();
    let kept = upper.split(';').filter(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        match name {
            "INTERVAL" => value.parse() != Ok(1_u32),
            "FREQ" | "COUNT" | "UNTIL" => true,
            name => name.starts_with("BY"),
        }
    });
    kept.collect::<Vec<_>>().join(";")
}

/// Does a rule say the same for that year as for any before?
fn goes_on(rrule: &str, begin: DateTime) -> bool {
    rrule.split(';').filter_map(|part| part.split_once('=')).all(|(name, value)| match name {
        "COUNT" | "INTERVAL" => false,
        "UNTIL" => Moment::parse(value).is_some_and(|until| until.wall(&TimeZone::UTC, begin) > begin),
        _ => true,
    })
}

#[cfg(test)]
mod tests;
