//! What changes one occurrence of a series, or one and all behind it (RFC 5545, 3.8.4.4): the series leaves it out or ends, and
//! what takes its place is an event of its own.

use jiff::Timestamp;
use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use kith_protocol::control::NewEvent;

use super::rule::{Moment, Rule};
use super::{Series, local_text};
use crate::limits::RULE_DATES;

/// An event of a file.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    /// Where it begins.
    pub(crate) line: usize,
    pub(crate) event: NewEvent,
    /// How often its organizer has changed it.
    pub(crate) sequence: u64,
    /// When it was changed last.
    pub(crate) modified: Option<Timestamp>,
    /// The file was made to call it off.
    pub(crate) cancels: bool,
}

/// A change of an occurrence.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// Where it stands.
    pub(crate) line: usize,
    /// Of which event.
    pub(crate) uid: String,
    /// When the occurrence would have begun,
    pub(crate) at: Moment,
    /// in this zone.
    pub(crate) tz: TimeZone,
    /// It changes all later ones too.
    pub(crate) future: bool,
    /// It does not take place.
    pub(crate) cancelled: bool,
    /// What people call it.
    pub(crate) title: String,
    /// What takes its place.
    pub(crate) event: NewEvent,
    /// As of an event.
    pub(crate) sequence: u64,
    pub(crate) modified: Option<Timestamp>,
}

/// What a change does to its series.
#[derive(Debug)]
pub(crate) enum Applied {
    /// So the series is changed; `rest` is an event of its own.
    Done { rest: Option<Box<NewEvent>>, said: String },
    /// It cannot be, and why.
    Not(String),
}

impl Change {
    /// Changes the series. Where it is changed so already nothing happens to it.
    pub(crate) fn apply(&self, master: &mut NewEvent) -> Applied {
        let Some(series) = Series::of_new(master) else {
            return Applied::Not("changes an event that cannot be counted".to_owned());
        };
        let at = self.wall(&series);
        let shown = if series.all_day { at.strftime("%Y-%m-%d") } else { at.strftime("%Y-%m-%d %H:%M") };
        if self.future {
            return self.split(master, &series, at).unwrap_or_else(|| {
                Applied::Not(format!("has changed times from {shown} on, which do not fit its series; they are not imported"))
            });
        }
        let mut rule = series.rule.clone();
        if !rule.excepts(at, &series.tz, series.start) {
            rule.exdates.push(match self.at {
                _ if series.all_day => Moment::Day(at.date()),
                Moment::Utc(_) => self.at,
                Moment::Local(_) | Moment::Day(_) => Moment::Local(at),
            });
        }
        master.rrule = rule.text();
        if self.cancelled {
            return Applied::Done { rest: None, said: format!("is cancelled on {shown}; that time is left out of the series") };
        }
        let said = format!("has a changed time on {shown}; it is imported as an event of its own");
        Applied::Done { rest: Some(Box::new(self.named(&series))), said }
    }

    /// As an event of its own, where its series is not known.
    pub(crate) fn alone(&self) -> NewEvent {
        NewEvent { uid: format!("{}#{}", self.uid, self.at.text()), ..self.event.clone() }
    }

    /// What takes the place of that time of a series.
    pub(crate) fn place(&self, master: &NewEvent) -> Option<NewEvent> {
        Series::of_new(master).map(|series| self.named(&series))
    }

    /// Does the series have that time, or did it before that was taken out?
    pub(crate) fn is_of(&self, master: &NewEvent) -> bool {
        Series::of_new(master).is_some_and(|series| {
            let at = self.wall(&series);
            let next = series.rule.starts_from(series.start, &series.tz, at, 1).unwrap_or_default();
            next.first() == Some(&at) || series.rule.excepts(at, &series.tz, series.start)
        })
    }

    /// On the wall clock of the series.
    pub(crate) fn wall(&self, series: &Series) -> DateTime {
        match self.at {
            Moment::Day(day) => day.to_datetime(series.start.time()),
            Moment::Local(at) if self.tz == series.tz || series.all_day => at,
            Moment::Local(at) => self.tz.to_timestamp(at).map_or(at, |instant| series.tz.to_datetime(instant)),
            Moment::Utc(at) => series.tz.to_datetime(at),
        }
    }

    /// What takes the place, with an id that is the same in whatever zone the file names the occurrence.
    fn named(&self, series: &Series) -> NewEvent {
        let at = self.wall(series);
        let name = match series.tz.to_timestamp(at) {
            Ok(instant) if !series.all_day => Moment::Utc(instant),
            _ => Moment::Day(at.date()),
        };
        NewEvent { uid: format!("{}#{}", self.uid, name.text()), ..self.event.clone() }
    }

    /// The series ends before the occurrence, and another one begins with it.
    fn split(&self, master: &mut NewEvent, series: &Series, at: DateTime) -> Option<Applied> {
        let all = series.rule.starts_from(series.start, &series.tz, series.start, RULE_DATES).ok()?;
        let before: Vec<DateTime> = all.iter().copied().take_while(|start| *start < at).collect();
        let last = *before.last()?;
        let shown = at.strftime("%Y-%m-%d");
        let until = if series.all_day { Moment::Day(last.date()) } else { Moment::Local(last) };
        let earlier = |date: &Moment| date.wall(&series.tz, series.start) < at;
        let (head_rdates, rdates): (Vec<Moment>, Vec<Moment>) = series.rule.rdates.iter().partition(|date| earlier(date));
        let (head_exdates, exdates): (Vec<Moment>, Vec<Moment>) = series.rule.exdates.iter().partition(|date| earlier(date));
        let gone = before.len() + head_exdates.len();
        let rrule = series.rule.rrule.as_deref().map(|rrule| ended(rrule, until));
        master.rrule = Rule { rrule, rdates: head_rdates, exdates: head_exdates }.text();
        if self.cancelled {
            return Some(Applied::Done { rest: None, said: format!("is cancelled from {shown} on; the series ends before") });
        }
        let mut rest = self.named(series);
        if rest.rrule.is_none() {
            let start = Series::of_new(&rest)?.start;
            let rrule = series.rule.rrule.as_deref().map(|rrule| moved_days(&shorter(rrule, gone), at, start));
            let mut rule = Rule { rrule, rdates, exdates };
            rule.shift(at, start, &series.tz);
            rest.rrule = rule.text();
        }
        let said = format!(
            "has other times from {shown} on; the series ends before, and the later ones are imported as one of their own"
        );
        Some(Applied::Done { rest: Some(Box::new(rest)), said })
    }
}

fn parts(rrule: &str) -> impl Iterator<Item = (&str, &str)> {
    rrule.split(';').filter_map(|part| part.split_once('='))
}

/// The rule, ending with that occurrence.
fn ended(rrule: &str, until: Moment) -> String {
    let kept =
        parts(rrule).filter(|(name, _)| !matches!(*name, "COUNT" | "UNTIL")).map(|(name, value)| format!("{name}={value}"));
    kept.chain([format!("UNTIL={}", until.text())]).collect::<Vec<_>>().join(";")
}

/// The rule with so many occurrences less to come.
pub(super) fn shorter(rrule: &str, gone: usize) -> String {
    let part = |(name, value): (&str, &str)| match (name, value.parse::<usize>()) {
        ("COUNT", Ok(count)) => format!("COUNT={}", count.saturating_sub(gone).max(1)),
        _ => format!("{name}={value}"),
    };
    parts(rrule).map(part).collect::<Vec<_>>().join(";")
}

/// A weekly rule on certain days, when its occurrences move to other days.
fn moved_days(rrule: &str, from: DateTime, to: DateTime) -> String {
    const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let number = |day: Weekday| usize::try_from(day.to_monday_zero_offset()).unwrap_or(0);
    let by = (number(to.weekday()) + 7 - number(from.weekday())) % 7;
    let on = |at: DateTime| DAYS.get(number(at.weekday())).copied().unwrap_or_default();
    let days: Vec<&str> = parts(rrule).filter(|(name, _)| *name == "BYDAY").flat_map(|(_, days)| days.split(',')).collect();
    let weekly = parts(rrule).any(|part| part == ("FREQ", "WEEKLY"));
    if !weekly || !days.contains(&on(from)) || days.contains(&on(to)) {
        return rrule.to_owned();
    }
    let later = |day: &str| match DAYS.iter().position(|known| *known == day) {
        Some(at) => DAYS.get((at + by) % 7).copied().unwrap_or_default().to_owned(),
        None => day.to_owned(),
    };
    let part = |(name, value): (&str, &str)| match name {
        "BYDAY" => format!("BYDAY={}", value.split(',').map(later).collect::<Vec<_>>().join(",")),
        _ => format!("{name}={value}"),
    };
    parts(rrule).map(part).collect::<Vec<_>>().join(";")
}

impl Rule {
    /// Moves additional dates and exceptions along with a start that moves; those that are days stay days.
    pub(crate) fn shift(&mut self, from: DateTime, to: DateTime, tz: &TimeZone) {
        let by = to.duration_since(from);
        let days = to.date().duration_since(from.date());
        for date in self.rdates.iter_mut().chain(&mut self.exdates) {
            *date = match *date {
                Moment::Day(day) => day.checked_add(days).map_or(*date, Moment::Day),
                Moment::Local(_) | Moment::Utc(_) => date.wall(tz, from).checked_add(by).map_or(*date, Moment::Local),
            };
        }
    }
}

/// The rule of a series whose first start moves: exceptions, additional dates and days of the week move along.
pub(crate) fn moved(series: &Series, to: DateTime) -> Rule {
    let mut rule = series.rule.clone();
    rule.shift(series.start, to, &series.tz);
    rule.rrule = rule.rrule.map(|rrule| moved_days(&rrule, series.start, to));
    if series.all_day { rule.of_days() } else { rule }
}

/// An event's times as the API has them, of a series.
pub(crate) fn write(event: &mut NewEvent, series: &Series) {
    event.starts_local = local_text(series.start, series.all_day);
    event.ends_local = series.end.map(|end| local_text(end, series.all_day)).unwrap_or_default();
    let instant = |at: Option<DateTime>| at.and_then(|at| series.tz.to_timestamp(at).ok()).map(|at| at.to_string());
    event.starts = instant(Some(series.start)).unwrap_or_default();
    event.ends = instant(series.end).unwrap_or_default();
    event.rrule = series.rule.text();
}
