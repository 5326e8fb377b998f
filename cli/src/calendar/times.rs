//! When an event of a calendar file is, and how it comes again.
#![allow(clippy::wildcard_enum_match_arm, reason = "the library knows many names, and most mean nothing here")]

use calcard::icalendar::{ICalendarDuration, ICalendarPeriod, ICalendarProperty as Name, ICalendarValue};
use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp, ToSpan};

use super::event::EventReader;
use super::notes::start_of;
use super::parts::Field;
use super::rule::{Moment, Rule};
use super::{Series, parse_local};
use crate::limits::RULE_DATES;

/// When something is.
#[derive(Debug)]
pub(super) struct Times {
    pub(super) series: Series,
    /// Of its zone.
    pub(super) name: String,
    /// Where the file says so.
    line: usize,
    /// How long it takes, where the file says that and no end.
    length: Option<Span>,
}

/// A time, the zone that it is told in, and that zone's name.
type Zoned = (Moment, TimeZone, String);

impl EventReader<'_, '_> {
    /// Start and end; of an event with additional dates only, the earliest is the start.
    pub(super) fn times(&mut self) -> Option<Times> {
        let part = self.part;
        let start = match part.field(&Name::Dtstart) {
            Some(field) => self.moments(field).into_iter().next().flatten().map(|start| (field.line, start, None)),
            None => self.earliest(),
        };
        let (line, (start, tz, name), mut end) = start?;
        let wall = start.wall(&tz, DateTime::default());
        let marked = ["X-MICROSOFT-CDO-ALLDAYEVENT", "X-FUNAMBOL-ALLDAY"].iter().filter_map(|name| part.other(name));
        let marked =
            marked.into_iter().any(|text| text == "1" || text.eq_ignore_ascii_case("TRUE")) && wall.time() == Time::midnight();
        let all_day = marked || matches!(start, Moment::Day(_));
        let mut length = None;
        if let Some(field) = part.field(&Name::Dtend) {
            end = self.end(field, &tz, all_day);
        } else if let Some(field) = part.field(&Name::Duration) {
            length =
                field.entry.values.iter().find_map(|value| if let ICalendarValue::Duration(d) = value { span(d) } else { None });
            if length.is_none() {
                self.left(field.line, format!("has a length that cannot be understood: {}", start_of(&field.raw)));
            }
            end = length.and_then(|length| plus(wall, &tz, length, all_day));
            if let Some(uneven) = end.filter(|end| all_day && end.time() != Time::midnight()) {
                let last = uneven.date().saturating_add(1.day());
                let part =
                    format!("is about days and lasts hours ({}); it is kept until the end of its last day", start_of(&field.raw));
                self.changed(field.line, part);
                end = Some(last.at(0, 0, 0, 0));
            }
        }
        let start = if all_day { wall.date().at(0, 0, 0, 0) } else { wall };
        if let Some(early) = end.filter(|end| *end <= start) {
            // Common: the same day twice means that day, and the same time twice is no end.
            end = all_day.then(|| start.saturating_add(1.day()));
            if early < start {
                let kept = if all_day { "its first day is kept" } else { "it is kept without an end" };
                let line = part.field(&Name::Dtend).map_or(line, |field| field.line);
                self.left(line, format!("ends before it starts; {kept}"));
            }
        }
        let name = if all_day && name == "UTC" { self.usual.to_owned() } else { name };
        let tz = if all_day { TimeZone::get(&name).unwrap_or(tz) } else { tz };
        Some(Times { series: Series { start, end, all_day, tz, rule: Rule::default() }, name, line, length })
    }

    /// The end on the clock of the start's zone. One that names no zone is in that one.
    fn end(&mut self, field: &Field, tz: &TimeZone, all_day: bool) -> Option<DateTime> {
        let floating = field.zone().is_none() && matches!(self.first(field), Some(Moment::Local(_)));
        if floating {
            self.odd_times(field);
        }
        let end = if floating {
            self.first(field).map(|end| (end, tz.clone()))
        } else {
            self.moments(field).into_iter().next()?.map(|(end, tz, _)| (end, tz))
        };
        let Some((end, from)) = end else {
            self.left(field.line, format!("has an end that cannot be understood: {}", start_of(&field.raw)));
            return None;
        };
        let wall = local_in(end, &from, tz).wall(tz, DateTime::default());
        if !all_day {
            if matches!(end, Moment::Day(_)) {
                self.changed(
                    field.line,
                    format!("ends on a day without a time ({}); it is kept until that day begins", field.raw),
                );
            }
            return Some(wall);
        }
        let day = wall.date().at(0, 0, 0, 0);
        if wall == day || field.is_date() {
            return Some(day);
        }
        let part = format!("is about days and ends at a time ({}); it is kept until the end of that day", start_of(&field.raw));
        self.changed(field.line, part);
        Some(day.saturating_add(1.day()))
    }

    fn earliest(&mut self) -> Option<(usize, Zoned, Option<DateTime>)> {
        let mut all: Vec<(Timestamp, usize, Zoned, Option<DateTime>)> = Vec::new();
        let part = self.part;
        for field in part.all(&Name::Rdate) {
            for ((moment, tz, name), value) in self.moments(field).into_iter().flatten().zip(&field.entry.values) {
                let wall = moment.wall(&tz, DateTime::default());
                let Ok(at) = tz.to_timestamp(wall) else { continue };
                all.push((at, field.line, (moment, tz.clone(), name), period_end(value, wall, &tz)));
            }
        }
        let (_, line, start, end) = all.into_iter().min_by_key(|(at, ..)| *at)?;
        self.changed(line, "has no start of its own; the earliest of its dates is taken");
        Some((line, start, end))
    }

    /// The rule, additional dates, exceptions.
    pub(super) fn recurrence(&mut self, times: &mut Times) {
        let part = self.part;
        for field in &part.fields {
            match field.entry.name {
                Name::Rrule if times.series.rule.rrule.is_none() => {
                    let rrule: String = field.raw.to_ascii_uppercase().split_whitespace().collect();
                    let rule = Rule { rrule: Some(rrule), ..Rule::default() };
                    let tidy = rule.clone().tidy();
                    if tidy != rule {
                        self.changed(
                            field.line,
                            format!("counts days of a week that comes once ({}); the numbers are left out", field.raw),
                        );
                    }
                    times.series.rule.rrule = tidy.rrule;
                }
                Name::Rrule => {
                    self.left(field.line, format!("has a second recurrence that is not kept: {}", start_of(&field.raw)));
                }
                Name::Rdate => {
                    let start = times.series.start;
                    let dates = self.dates(field, times).into_iter().filter(|date| date.wall(&times.series.tz, start) != start);
                    let dates: Vec<Moment> = dates.collect();
                    times.series.rule.rdates.extend(dates);
                }
                Name::Exdate => {
                    let dates = self.dates(field, times);
                    times.series.rule.exdates.extend(dates);
                }
                _ => {}
            }
        }
        if times.series.all_day {
            times.series.rule = std::mem::take(&mut times.series.rule).of_days();
        }
    }

    fn dates(&mut self, field: &Field, times: &Times) -> Vec<Moment> {
        let (tz, start) = (&times.series.tz, times.series.start);
        let mut out = Vec::new();
        let found = self.moments(field);
        let texts = field.raw.split(',');
        for ((found, value), text) in found.into_iter().zip(&field.entry.values).zip(texts) {
            let Some((moment, from, _)) = found else {
                self.left(field.line, format!("has a date in its {} that is not one: {}", field.name(), start_of(text)));
                continue;
            };
            let moment = match local_in(moment, &from, tz) {
                Moment::Day(_) if !times.series.all_day => {
                    let part = format!("has a day without a time in its {} ({text}); its usual time is taken", field.name());
                    self.changed(field.line, part);
                    Moment::Local(moment.wall(tz, start))
                }
                moment => moment,
            };
            if matches!(value, ICalendarValue::Period(_)) {
                let begin = moment.wall(tz, start);
                let usual = times.series.end.map(|end| end.duration_since(start));
                if period_end(value, begin, tz).map(|end| end.duration_since(begin)) != usual {
                    let part = format!("has a time with a length of its own ({text}); its start is kept, its length is not");
                    self.left(field.line, part);
                }
            }
            out.push(moment);
        }
        out
    }

    /// The first time of a property, as it is written.
    fn first(&self, field: &Field) -> Option<Moment> {
        field.entry.values.first().and_then(|value| moment(field, value))
    }

    /// Each time of a property, and the zone it is told in.
    pub(super) fn moments(&mut self, field: &Field) -> Vec<Option<Zoned>> {
        self.odd_times(field);
        field.entry.values.iter().map(|value| moment(field, value).and_then(|moment| self.zoned(field, moment))).collect()
    }

    /// Names times that no clock of a program shows, and what they are taken as.
    fn odd_times(&mut self, field: &Field) {
        for read in field.entry.values.iter().filter_map(ICalendarValue::as_partial_date_time) {
            if read.second == Some(60) {
                let part = format!("tells a leap second ({}); it is taken as the second before", start_of(&field.raw));
                self.changed(field.line, part);
            }
            if read.hour == Some(24) && Moment::of(read).is_some() && !field.is_date() {
                let part = format!("tells a time at 24:00 ({}); it is taken as 00:00 on the day after", start_of(&field.raw));
                self.changed(field.line, part);
            }
        }
    }

    fn zoned(&mut self, field: &Field, moment: Moment) -> Option<Zoned> {
        let usual = || Some((moment, TimeZone::get(self.usual).ok()?, self.usual.to_owned()));
        let at = match moment {
            Moment::Utc(_) => return Some((moment, TimeZone::UTC, "UTC".to_owned())),
            Moment::Day(_) => return usual(),
            Moment::Local(at) => at,
        };
        let out = usual();
        let Some(tzid) = field.zone().filter(|tzid| !tzid.is_empty()) else {
            if !self.floating_told {
                self.floating_told = true;
                self.changed(
                    field.line,
                    format!("tells its time without a zone; {} is taken, here and for the others", self.usual),
                );
            }
            return out;
        };
        let Some(found) = self.zones.find(tzid, at) else {
            self.changed(
                field.line,
                format!("names a time zone that is not known, \"{}\"; {} is taken", start_of(tzid), self.usual),
            );
            return out;
        };
        if let Some(note) = found.note {
            self.changed(field.line, note);
        }
        match found.name {
            Some(name) => Some((moment, found.tz, name)),
            None => Some((Moment::Utc(found.tz.to_timestamp(at).ok()?), TimeZone::UTC, "UTC".to_owned())),
        }
    }

    /// Kith keeps no moment before 1970: a series begins with its first occurrence after that. `false`: there is none.
    pub(super) fn since_1970(&mut self, times: &mut Times) -> bool {
        let begins = |series: &Series| series.tz.to_timestamp(series.start).is_ok_and(|at| at >= Timestamp::UNIX_EPOCH);
        if begins(&times.series) {
            return true;
        }
        let (line, year) = (times.line, times.series.start.year());
        let (start, tz, rule) = (times.series.start, times.series.tz.clone(), times.series.rule.clone());
        let first =
            rule.starts_from(start, &tz, DateTime::constant(1970, 1, 2, 0, 0, 0, 0), 1).ok().and_then(|mut all| all.pop());
        let gone = rule.starts_from(start, &tz, start, RULE_DATES).unwrap_or_default();
        let gone = gone.iter().take_while(|start| Some(**start) < first).count();
        let counts = rule.rrule.as_ref().is_some_and(|rrule| rrule.contains("COUNT"));
        let Some(first) = first.filter(|_| rule.recurs() && !(counts && gone >= RULE_DATES)) else {
            self.left(line, format!("is from {year}, and Kith keeps nothing from before 1970; it is not imported"));
            return false;
        };
        self.changed(
            line,
            format!("began in {year}; Kith keeps nothing from before 1970, so its first time here is {}", first.date()),
        );
        let series = &mut times.series;
        series.end = series.end.and_then(|end| first.checked_add(end.duration_since(start)).ok());
        series.start = first;
        series.rule.rrule = rule.rrule.as_deref().map(|rrule| super::change::shorter(rrule, gone));
        series.rule.rdates.retain(|date| date.wall(&tz, first) > first);
        true
    }

    /// A rule that cannot be counted is left out, and the first time stays.
    pub(super) fn countable(&mut self, times: &mut Times) {
        let series = &mut times.series;
        if let Err(error) = series.rule.check(series.start, &series.tz) {
            series.rule = Rule::default();
            self.left(times.line, format!("has a recurrence that cannot be kept: {error}; only its first time is"));
        }
    }

    /// What the change of clocks does to its start. A series keeps its time of day, which the clocks skip once only.
    pub(super) fn clocks(&mut self, times: &mut Times) {
        let Times { series, name, line, length } = times;
        if series.all_day {
            return;
        }
        let (start, ambiguous) = (series.start, series.tz.to_ambiguous_zoned(series.start));
        let shown = start.strftime("%Y-%m-%d %H:%M").to_string();
        let skipped = match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => return,
            AmbiguousOffset::Fold { .. } => {
                self.changed(
                    *line,
                    format!("starts at {shown}, which comes twice in {name}, as the clocks go back; the first is taken"),
                );
                return;
            }
            AmbiguousOffset::Gap { .. } => ambiguous.compatible(),
        };
        let Ok(taken) = skipped.map(|zoned| zoned.datetime()) else { return };
        let part = format!(
            "starts at {shown}, and in {name} the clocks go forward over that; it is taken as {}",
            taken.strftime("%H:%M")
        );
        self.changed(*line, part);
        if series.rule.recurs() {
            return;
        }
        series.start = taken;
        series.end = match (*length, series.end) {
            (Some(length), _) => plus(taken, &series.tz, length, false),
            // An end that the moved start has come up with moves along.
            (None, Some(end)) if end <= taken => taken.checked_add(end.duration_since(start)).ok(),
            (None, end) => end,
        };
    }
}

/// A time of a property. What says that it is a day is one, whatever time stands behind it.
fn moment(field: &Field, value: &ICalendarValue) -> Option<Moment> {
    let read = match value {
        ICalendarValue::PartialDateTime(read) => Moment::of(read),
        ICalendarValue::Period(ICalendarPeriod::Range { start, .. } | ICalendarPeriod::Duration { start, .. }) => {
            Moment::of(start)
        }
        // As other standards write it.
        ICalendarValue::Text(text) if super::is_day(text) => parse_local(text).map(|at| Moment::Day(at.date())),
        ICalendarValue::Text(text) => {
            let stamp = text.trim().parse::<Timestamp>().ok().map(Moment::Utc);
            stamp.or_else(|| parse_local(text).map(Moment::Local))
        }
        _ => None,
    };
    match read? {
        Moment::Local(at) if field.is_date() => Some(Moment::Day(at.date())),
        read => Some(read),
    }
}

/// The moment as the event's own zone tells it. UTC stays UTC.
fn local_in(moment: Moment, from: &TimeZone, to: &TimeZone) -> Moment {
    match moment {
        Moment::Local(at) if from != to => from.to_timestamp(at).map_or(moment, |instant| Moment::Local(to.to_datetime(instant))),
        Moment::Local(_) | Moment::Utc(_) | Moment::Day(_) => moment,
    }
}

/// The end of a period.
fn period_end(value: &ICalendarValue, start: DateTime, tz: &TimeZone) -> Option<DateTime> {
    match value {
        ICalendarValue::Period(ICalendarPeriod::Range { end, .. }) => Moment::of(end).map(|end| end.wall(tz, start)),
        ICalendarValue::Period(ICalendarPeriod::Duration { duration, .. }) => start.checked_add(span(duration)?).ok(),
        _ => None,
    }
}

/// A length; negative ones make no sense here.
fn span(read: &ICalendarDuration) -> Option<Span> {
    let span = Span::new().try_weeks(read.weeks).ok()?.try_days(read.days).ok()?.try_hours(read.hours).ok()?;
    let span = span.try_minutes(read.minutes).ok()?.try_seconds(read.seconds).ok()?;
    (!read.neg).then_some(span)
}

/// Days are calendar days, hours are time that passes.
fn plus(start: DateTime, tz: &TimeZone, length: Span, all_day: bool) -> Option<DateTime> {
    if all_day {
        return start.checked_add(length).ok();
    }
    let zoned = tz.to_zoned(start).ok()?;
    let end = zoned.checked_add(length).ok()?;
    (end.timestamp().duration_since(zoned.timestamp()) > SignedDuration::ZERO).then(|| end.datetime())
}
