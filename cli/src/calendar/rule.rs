//! Recurrence (RFC 5545, 3.8.5), counted on the wall clock and only then placed in a time zone.
//!
//! The text kept with an event: the `RRULE` value, then lines `RDATE:...` and `EXDATE:...` if any.

use crate::limits::RULE_DATES;

use std::collections::BTreeSet;
use std::panic::catch_unwind;

use calcard::common::PartialDateTime;
use chrono::{Datelike, NaiveDate, TimeZone as _, Timelike};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use rrule::{RRule, RRuleSet, Tz, Unvalidated};

/// A rule that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RuleError {
    #[error("{0}")]
    Wrong(String),
    #[error("recurring every second or minute is not supported")]
    TooDense,
}

/// A moment as calendars write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// On the event's wall clock.
    Local(DateTime),
    /// In UTC.
    Utc(Timestamp),
    /// A whole day.
    Day(Date),
}

impl Moment {
    /// `YYYYMMDDTHHMMSS`, the same with `Z`, or `YYYYMMDD`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let number = |from: usize, to: usize| text.get(from..to).filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?.parse().ok();
        let small = |from, to| number(from, to).and_then(|n: i16| i8::try_from(n).ok());
        let day = Date::new(number(0, 4)?, small(4, 6)?, small(6, 8)?).ok()?;
        if text.len() == 8 {
            return Some(Self::Day(day));
        }
        if text.get(8..9)? != "T" {
            return None;
        }
        // A leap second counts as the last one.
        let at = day.to_datetime(Time::new(small(9, 11)?, small(11, 13)?, small(13, 15)?.min(59), 0).ok()?);
        match text.get(15..)? {
            "" => Some(Self::Local(at)),
            "Z" => TimeZone::UTC.to_timestamp(at).ok().map(Self::Utc),
            _ => None,
        }
    }

    /// As the library reads one.
    pub(crate) fn of(read: &PartialDateTime) -> Option<Self> {
        let small = |n: Option<u8>| i8::try_from(n?).ok();
        let day = Date::new(i16::try_from(read.year?).ok()?, small(read.month)?, small(read.day)?).ok()?;
        let Some(hour) = small(read.hour) else { return Some(Self::Day(day)) };
        let (minute, second) = (small(read.minute).unwrap_or(0), small(read.second).unwrap_or(0));
        let at = if (hour, minute, second) == (24, 0, 0) {
            day.tomorrow().ok()?.to_datetime(Time::midnight())
        } else {
            // A leap second counts as the last one.
            day.to_datetime(Time::new(hour, minute, if second == 60 { 59 } else { second }, 0).ok()?)
        };
        let Some(hours) = read.tz_hour else { return Some(Self::Local(at)) };
        let seconds = i32::from(hours) * 3_600 + i32::from(read.tz_minute.unwrap_or(0)) * 60;
        let offset = Offset::from_seconds(if read.tz_minus { -seconds } else { seconds }).ok()?;
        offset.to_timestamp(at).ok().map(Self::Utc)
    }

    /// As it is written.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Local(at) => at.strftime("%Y%m%dT%H%M%S").to_string(),
            Self::Utc(at) => TimeZone::UTC.to_datetime(at).strftime("%Y%m%dT%H%M%SZ").to_string(),
            Self::Day(day) => day.strftime("%Y%m%d").to_string(),
        }
    }

    /// On the wall clock of a zone; a day is at the time the event usually has.
    pub(crate) fn wall(self, tz: &TimeZone, usual: DateTime) -> DateTime {
        match self {
            Self::Local(at) => at,
            Self::Utc(at) => tz.to_datetime(at),
            Self::Day(day) => day.to_datetime(usual.time()),
        }
    }
}

/// How something comes again; empty: it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rule {
    /// The `RRULE` value.
    pub(crate) rrule: Option<String>,
    /// More starts.
    pub(crate) rdates: Vec<Moment>,
    /// Starts that do not take place.
    pub(crate) exdates: Vec<Moment>,
}

impl Rule {
    /// Read the text kept with an event, or what a person typed.
    pub(crate) fn parse(text: &str) -> Result<Self, RuleError> {
        let mut rule = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap_or(("RRULE", line));
            let name = name.split(';').next().unwrap_or_default().to_ascii_uppercase();
            match name.as_str() {
                "RRULE" if rule.rrule.is_none() => rule.rrule = Some(value.to_ascii_uppercase()),
                "RRULE" => return Err(RuleError::Wrong("only one RRULE is supported".to_owned())),
                "RDATE" => rule.rdates.extend(moments(value)?),
                "EXDATE" => rule.exdates.extend(moments(value)?),
                _ => return Err(RuleError::Wrong(format!("`{name}` is not part of a recurrence"))),
            }
        }
        if rule.rdates.len() + rule.exdates.len() > RULE_DATES {
            return Err(RuleError::Wrong(format!("more than {RULE_DATES} dates")));
        }
        Ok(rule)
    }

    /// The text that is kept; `None` where nothing comes again.
    pub(crate) fn text(&self) -> Option<String> {
        let list = |name: &str, dates: &[Moment]| {
            let dates: Vec<String> = dates.iter().map(|date| date.text()).collect();
            (!dates.is_empty()).then(|| format!("{name}:{}", dates.join(",")))
        };
        let lines: Vec<String> =
            [self.rrule.clone(), list("RDATE", &self.rdates), list("EXDATE", &self.exdates)].into_iter().flatten().collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Without what makes no sense in it: the number of a weekday within a week (RFC 5545, 3.3.10).
    pub(crate) fn tidy(mut self) -> Self {
        let Some(rrule) = &self.rrule else { return self };
        let within_week = ["FREQ=WEEKLY", "FREQ=DAILY", "FREQ=HOURLY"].iter().any(|freq| rrule.contains(freq));
        if within_week {
            let bare = |day: &str| day.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-')).to_owned();
            let part = |part: &str| match part.strip_prefix("BYDAY=") {
                Some(days) => format!("BYDAY={}", days.split(',').map(bare).collect::<Vec<_>>().join(",")),
                None => part.to_owned(),
            };
            self.rrule = Some(rrule.split(';').map(part).collect::<Vec<_>>().join(";"));
        }
        self
    }

    /// Of whole days: what stands behind a date does not count, nor does any zone.
    pub(crate) fn of_days(mut self) -> Self {
        let day = |moment: Moment| match moment {
            Moment::Day(day) => day,
            Moment::Local(at) => at.date(),
            Moment::Utc(at) => TimeZone::UTC.to_datetime(at).date(),
        };
        let part = |part: &str| match part.strip_prefix("UNTIL=").and_then(Moment::parse) {
            Some(until) => format!("UNTIL={}", Moment::Day(day(until)).text()),
            None => part.to_owned(),
        };
        self.rrule = self.rrule.map(|rrule| rrule.split(';').map(part).collect::<Vec<_>>().join(";"));
        for date in self.rdates.iter_mut().chain(&mut self.exdates) {
            *date = Moment::Day(day(*date));
        }
        self
    }

    /// The starts that are excepted. One at another time of a day than the series' own means that day's: the series was moved, and
    /// somebody who did not know of it yet took a time out.
    pub(crate) fn exceptions(&self, start: DateTime, tz: &TimeZone) -> impl Iterator<Item = DateTime> {
        let part = |name: &str| self.rrule.iter().flat_map(|rrule| rrule.split(';')).any(|part| part.starts_with(name));
        let once = !["FREQ=HOURLY", "BYHOUR", "BYMINUTE", "BYSECOND"].into_iter().any(part);
        let dates = self.exdates.iter().map(move |date| date.wall(tz, start));
        dates.map(move |at| if once && !self.adds(at, start, tz) { at.date().to_datetime(start.time()) } else { at })
    }

    fn adds(&self, at: DateTime, start: DateTime, tz: &TimeZone) -> bool {
        self.rdates.iter().any(|date| date.wall(tz, start) == at)
    }

    /// Is a start of the series excepted?
    pub(crate) fn excepts(&self, at: DateTime, tz: &TimeZone, start: DateTime) -> bool {
        self.exceptions(start, tz).any(|except| except == at)
    }

    /// As others read it: `UNTIL` is in UTC (RFC 5545, 3.3.10), or a day where the series is about days.
    pub(crate) fn until_in_utc(&self, tz: &TimeZone, all_day: bool) -> Option<String> {
        let part = |part: &str| match part.strip_prefix("UNTIL=").and_then(Moment::parse) {
            Some(until) if !all_day => match tz.to_timestamp(last_moment(until, tz)) {
                Ok(at) => format!("UNTIL={}", Moment::Utc(at).text()),
                Err(_) => part.to_owned(),
            },
            Some(_) | None => part.to_owned(),
        };
        self.rrule.as_ref().map(|rrule| rrule.split(';').map(part).collect::<Vec<_>>().join(";"))
    }

    /// The last start, or a time behind it; `None`: it goes on for good.
    pub(crate) fn last(&self, start: DateTime, tz: &TimeZone) -> Option<DateTime> {
        let part = |name: &str| self.rrule.as_ref().and_then(|rrule| rrule.split(';').find_map(|part| part.strip_prefix(name)));
        let last = match (&self.rrule, part("UNTIL=").and_then(Moment::parse)) {
            (None, _) => start,
            (Some(_), Some(until)) => last_moment(until, tz),
            (Some(_), None) => {
                part("COUNT=")?;
                self.starts_from(start, tz, start, RULE_DATES).ok()?.pop()?
            }
        };
        Some(self.rdates.iter().map(|date| date.wall(tz, start)).fold(last, DateTime::max))
    }

    /// Does it come again at all?
    pub(crate) fn recurs(&self) -> bool {
        self.rrule.is_some() || !self.rdates.is_empty()
    }

    /// The first start that the rule itself gives, where that is not the series' own: the series then has one more than it says.
    pub(crate) fn begins_later(&self, start: DateTime, tz: &TimeZone) -> Option<DateTime> {
        let rrule = self.clone().tidy().rrule?;
        let first = counted(&rrule, start, tz, start, 1).ok()?.into_iter().next()?;
        (first != start).then_some(first)
    }

    /// What a person should know of days that not every month or year has: the series leaves those out which have none.
    pub(crate) fn skips(&self, start: DateTime) -> Option<String> {
        let rrule = self.rrule.as_ref()?;
        let part = |name: &str| rrule.split(';').find_map(|part| part.strip_prefix(name));
        let by_other = ["BYDAY=", "BYSETPOS=", "BYYEARDAY=", "BYWEEKNO="].into_iter().any(|name| part(name).is_some());
        let days = part("BYMONTHDAY=").map_or_else(|| start.day().to_string(), str::to_owned);
        let late = days.split(',').filter_map(|day| day.parse::<i8>().ok()).find(|day| *day > 28);
        match (part("FREQ=")?, late) {
            _ if by_other => None,
            ("MONTHLY", Some(day)) => Some(format!("It does not take place in months that have no day {day}.")),
            ("YEARLY", Some(29)) if start.month() == 2 && part("BYMONTH=").is_none() => {
                Some("It takes place in leap years only, which have a 29 February.".to_owned())
            }
            _ => None,
        }
    }

    /// Can it be counted from this start?
    pub(crate) fn check(&self, start: DateTime, tz: &TimeZone) -> Result<(), RuleError> {
        self.starts_from(start, tz, start, 1).map(drop)
    }

    /// The first `count` starts at or after `from`, on the wall clock. The first start always takes place, unless excepted.
    pub(crate) fn starts_from(
        &self,
        start: DateTime,
        tz: &TimeZone,
        from: DateTime,
        count: usize,
    ) -> Result<Vec<DateTime>, RuleError> {
        let mut all: BTreeSet<DateTime> = BTreeSet::new();
        all.insert(start);
        all.extend(self.rdates.iter().map(|date| date.wall(tz, start)));
        let except: BTreeSet<DateTime> = self.exceptions(start, tz).collect();
        if let Some(rrule) = &self.clone().tidy().rrule {
            all.extend(counted(rrule, start, tz, from, count + except.len())?);
        }
        Ok(all.into_iter().filter(|at| *at >= from && !except.contains(at)).take(count).collect())
    }
}

/// The last moment of an `UNTIL`, on the wall clock.
fn last_moment(until: Moment, tz: &TimeZone) -> DateTime {
    match until {
        Moment::Day(day) => day.at(23, 59, 59, 0),
        Moment::Local(at) => at,
        Moment::Utc(at) => tz.to_datetime(at),
    }
}

fn moments(list: &str) -> Result<Vec<Moment>, RuleError> {
    let parse =
        |text: &str| Moment::parse(text).ok_or_else(|| RuleError::Wrong(format!("`{text}` is not a date of a recurrence")));
    list.split(',').filter(|text| !text.trim().is_empty()).map(parse).collect()
}

/// Count with the library, on wall-clock times called UTC.
fn counted(rrule: &str, start: DateTime, tz: &TimeZone, from: DateTime, count: usize) -> Result<Vec<DateTime>, RuleError> {
    let begin = to_chrono(start).ok_or_else(|| RuleError::Wrong("the start is out of range".to_owned()))?;
    let local = localised(rrule, tz)?;
    let rule = read(&local, begin).ok_or_else(|| RuleError::Wrong(wrong_in(&local, begin)))?;
    if never(&local) {
        return Ok(Vec::new());
    }
    let set = RRuleSet::new(begin).rrule(rule);
    let set = match to_chrono(from) {
        Some(after) if after > begin => set.after(after),
        _ => set,
    };
    let limit = u16::try_from(count).unwrap_or(u16::MAX);
    // The library is trusted to count, not to survive every rule a peer can write.
    let dates =
        catch_unwind(move || set.all(limit).dates).map_err(|_| RuleError::Wrong(format!("`{rrule}` cannot be counted")))?;
    Ok(dates.into_iter().filter_map(from_chrono).collect())
}

/// As the library understands it.
fn read(rule: &str, begin: chrono::DateTime<Tz>) -> Option<RRule> {
    rule.parse::<RRule<Unvalidated>>().ok()?.validate(begin).ok()
}

/// What of a rule cannot be: the part that makes a rule of its frequency alone impossible, else all of it.
fn wrong_in(rule: &str, begin: chrono::DateTime<Tz>) -> String {
    let parts: Vec<&str> = rule.split(';').collect();
    let Some(freq) = parts.iter().find(|part| part.starts_with("FREQ=")) else {
        return "it does not say how often, such as FREQ=WEEKLY".to_owned();
    };
    if read(freq, begin).is_none() {
        return format!("`{freq}` is not a frequency");
    }
    let alone = |part: &&&str| *part != freq && read(&format!("{freq};{part}"), begin).is_none();
    match parts.iter().find(alone) {
        Some(part) => format!("`{part}` does not fit into it"),
        None => "its parts do not fit together".to_owned(),
    }
}

/// The rule with `UNTIL` on the wall clock, since that is what is counted on.
fn localised(rrule: &str, tz: &TimeZone) -> Result<String, RuleError> {
    if !rrule.is_ascii() {
        // The library cuts such text in the middle of a letter.
        return Err(RuleError::Wrong(format!("`{rrule}` is not a rule")));
    }
    let mut parts = Vec::new();
    for part in rrule.split(';').filter(|part| !part.trim().is_empty()) {
        let (name, value) = part.split_once('=').ok_or_else(|| RuleError::Wrong(format!("`{part}` is not part of a rule")))?;
        let (name, value) = (name.trim(), value.trim());
        if name == "FREQ" && matches!(value, "SECONDLY" | "MINUTELY") {
            return Err(RuleError::TooDense);
        }
        if name != "UNTIL" {
            parts.push(format!("{name}={value}"));
            continue;
        }
        let until = Moment::parse(value).ok_or_else(|| RuleError::Wrong(format!("`{value}` is not a date")))?;
        let wall = last_moment(until, tz);
        parts.push(format!("UNTIL={}Z", wall.strftime("%Y%m%dT%H%M%S")));
    }
    Ok(parts.join(";"))
}

/// Does a rule ask for a day that no year has? The library would look for it until the year 10,000.
fn never(rrule: &str) -> bool {
    let part = |name: &str| rrule.split(';').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    let numbers = |name: &str| part(name).map(|list| list.split(',').filter_map(|n| n.parse::<i64>().ok()).collect::<Vec<_>>());
    let by_month = part("FREQ") == Some("MONTHLY") || part("BYMONTH").is_some();
    let beyond = |n: i64| n.unsigned_abs() > if by_month { 5 } else { 53 };
    // `-1MO`: the number is all but the last two letters.
    let nth = |day: &str| day.get(..day.len().saturating_sub(2)).and_then(|n| n.parse().ok()).unwrap_or(0);
    if part("BYDAY").is_some_and(|days| days.split(',').all(|day| beyond(nth(day)))) {
        return true;
    }
    let longest = |month: &i64| match month {
        2 => 29_u64,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let most = numbers("BYMONTH").map_or(31, |months| months.iter().map(longest).max().unwrap_or(31));
    numbers("BYMONTHDAY").is_some_and(|days| days.iter().all(|day| day.unsigned_abs() > most))
}

fn to_chrono(at: DateTime) -> Option<chrono::DateTime<Tz>> {
    let field = |n: i8| u32::try_from(n).ok();
    let day = NaiveDate::from_ymd_opt(i32::from(at.year()), field(at.month())?, field(at.day())?)?;
    let time = day.and_hms_opt(field(at.hour())?, field(at.minute())?, field(at.second())?)?;
    Some(Tz::UTC.from_utc_datetime(&time))
}

fn from_chrono(at: chrono::DateTime<Tz>) -> Option<DateTime> {
    let field = |n: u32| i8::try_from(n).ok();
    let year = i16::try_from(at.year()).ok()?;
    DateTime::new(year, field(at.month())?, field(at.day())?, field(at.hour())?, field(at.minute())?, field(at.second())?, 0).ok()
}

/// A rule in words, for the common ones; others are shown as they are written.
pub(crate) fn words(rrule: &str) -> String {
    let mut text = String::new();
    let mut interval = 1;
    let mut unit = "";
    let (mut days, mut end) = (String::new(), String::new());
    for part in rrule.split(';') {
        match part.split_once('=') {
            Some(("FREQ", "DAILY")) => unit = "day",
            Some(("FREQ", "WEEKLY")) => unit = "week",
            Some(("FREQ", "MONTHLY")) => unit = "month",
            Some(("FREQ", "YEARLY")) => unit = "year",
            Some(("INTERVAL", n)) => interval = n.parse().unwrap_or(0),
            Some(("COUNT", n)) => end = format!(", {n} times"),
            Some(("UNTIL", at)) => match Moment::parse(at) {
                Some(Moment::Day(day)) => end = format!(", until {day}"),
                Some(Moment::Local(at)) => end = format!(", until {}", at.date()),
                Some(Moment::Utc(at)) => end = format!(", until {}", TimeZone::UTC.to_datetime(at).date()),
                None => return rrule.to_owned(),
            },
            Some(("BYDAY", list)) if list.split(',').all(|day| weekday(day).is_some()) => {
                let names: Vec<&str> = list.split(',').filter_map(weekday).collect();
                days = format!(" on {}", names.join(", "));
            }
            Some(("WKST", _)) => {}
            _ => return rrule.to_owned(),
        }
    }
    match (unit, interval) {
        ("", _) | (_, 0) => return rrule.to_owned(),
        (unit, 1) => text.push_str(&format!("every {unit}")),
        (unit, n) => text.push_str(&format!("every {n} {unit}s")),
    }
    text + &days + &end
}

fn weekday(code: &str) -> Option<&'static str> {
    Some(match code {
        "MO" => "Monday",
        "TU" => "Tuesday",
        "WE" => "Wednesday",
        "TH" => "Thursday",
        "FR" => "Friday",
        "SA" => "Saturday",
        "SU" => "Sunday",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime {
        text.parse().unwrap()
    }

    fn starts(rule: &str, start: &str, tz: &str, from: &str, count: usize) -> Vec<String> {
        let tz = TimeZone::get(tz).unwrap();
        let list = Rule::parse(rule).unwrap().starts_from(at(start), &tz, at(from), count).unwrap();
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn weekly_keeps_the_wall_clock_across_a_change() {
        let tz = TimeZone::get("Europe/Madrid").unwrap();
        let list = Rule::parse("FREQ=WEEKLY;COUNT=3")
            .unwrap()
            .starts_from(at("2026-10-20T18:00"), &tz, at("2026-10-20T18:00"), 9)
            .unwrap();
        let instants: Vec<String> = list.iter().map(|dt| tz.to_timestamp(*dt).unwrap().to_string()).collect();
        assert_eq!(instants, ["2026-10-20T16:00:00Z", "2026-10-27T17:00:00Z", "2026-11-03T17:00:00Z"]);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, cases: 40, ..Default::default() })]

        #[test]
        fn days_and_weeks_are_what_jiff_counts(days in 0_i32..4_000, minutes in 0_i32..1_440, weekly: bool, interval in 1_i32..5, zone in 0_usize..4) {
            let tz = TimeZone::get(["Europe/Madrid", "America/New_York", "Australia/Sydney", "UTC"][zone]).unwrap();
            let start = at("2020-01-01T00:00").checked_add(jiff::Span::new().days(days).minutes(minutes)).unwrap();
            let (freq, step) = if weekly { ("WEEKLY", 7 * interval) } else { ("DAILY", interval) };
            let rule = Rule::parse(&format!("FREQ={freq};INTERVAL={interval};COUNT=6")).unwrap();
            let counted = rule.starts_from(start, &tz, start, 10).unwrap();
            let expected: Vec<DateTime> = (0..6).map(|n| start.checked_add(jiff::Span::new().days(n * step)).unwrap()).collect();
            proptest::prop_assert_eq!(counted, expected);
        }
    }

    #[test]
    fn until_in_utc_is_judged_on_the_wall_clock() {
        // 17:00Z is 18:00 in Madrid in winter: that occurrence still takes place.
        let rule = "FREQ=DAILY;UNTIL=20261203T170000Z";
        assert_eq!(starts(rule, "2026-12-01T18:00", "Europe/Madrid", "2026-12-01T00:00", 9).len(), 3);
        assert_eq!(starts("FREQ=DAILY;UNTIL=20261203", "2026-12-01T18:00", "Europe/Madrid", "2026-12-01T00:00", 9).len(), 3);
    }

    #[test]
    fn dates_are_added_and_excepted() {
        let rule = "FREQ=WEEKLY;COUNT=3\nRDATE:20261205T100000,20261206T090000Z\nEXDATE:20261208T180000";
        let list = starts(rule, "2026-12-01T18:00", "Europe/Madrid", "2026-12-01T00:00", 9);
        assert_eq!(list, ["2026-12-01T18:00:00", "2026-12-05T10:00:00", "2026-12-06T10:00:00", "2026-12-15T18:00:00"]);
        let only_dates = starts("RDATE:20261205T100000", "2026-12-01T18:00", "UTC", "2026-12-01T00:00", 9);
        assert_eq!(only_dates.len(), 2);
    }

    #[test]
    fn an_exception_at_another_time_means_its_day() {
        let list = starts("FREQ=DAILY;COUNT=4\nEXDATE:20261202T180000", "2026-12-01T19:00", "UTC", "2026-12-01T00:00", 9);
        assert_eq!(list, ["2026-12-01T19:00:00", "2026-12-03T19:00:00", "2026-12-04T19:00:00"]);
        // An additional date and several times a day are what they say.
        let added = starts(
            "FREQ=DAILY;COUNT=2\nRDATE:20261202T080000\nEXDATE:20261202T080000",
            "2026-12-01T19:00",
            "UTC",
            "2026-12-01T00:00",
            9,
        );
        assert_eq!(added, ["2026-12-01T19:00:00", "2026-12-02T19:00:00"]);
        let often =
            starts("FREQ=DAILY;BYHOUR=9,17;COUNT=4\nEXDATE:20261202T090000", "2026-12-01T09:00", "UTC", "2026-12-01T00:00", 9);
        assert_eq!(often, ["2026-12-01T09:00:00", "2026-12-01T17:00:00", "2026-12-02T17:00:00"]);
    }

    #[test]
    fn an_end_goes_out_in_utc() {
        let tz = TimeZone::get("Asia/Tokyo").unwrap();
        let out = |rule: &str, all_day| Rule::parse(rule).unwrap().until_in_utc(&tz, all_day).unwrap();
        assert_eq!(out("FREQ=DAILY;UNTIL=20261203T180000;INTERVAL=2", false), "FREQ=DAILY;UNTIL=20261203T090000Z;INTERVAL=2");
        assert_eq!(out("FREQ=DAILY;UNTIL=20261203", false), "FREQ=DAILY;UNTIL=20261203T145959Z");
        assert_eq!(out("FREQ=DAILY;UNTIL=20261203", true), "FREQ=DAILY;UNTIL=20261203");
    }

    #[test]
    fn long_running_rules_are_counted_from_now() {
        let list = starts("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "2016-10-28T14:00", "Europe/Zurich", "2026-11-21T00:00", 2);
        assert_eq!(list, ["2026-11-23T14:00:00", "2026-11-24T14:00:00"]);
    }

    #[test]
    fn nonsense_is_refused() {
        let tz = TimeZone::UTC;
        for rule in ["FREQ=SOMETIMES", "FREQ=SECONDLY", "COUNT=3", "FREQ=DAILY;UNTIL=soon", "FREQ=MONTHLY;BYMONTHDAY=99"] {
            let parsed = Rule::parse(rule);
            assert!(parsed.is_err() || parsed.unwrap().check(at("2026-12-01T18:00"), &tz).is_err(), "{rule}");
        }
        assert!(Rule::parse("FREQ=DAILY\nFREQ=WEEKLY").is_err());
        let why = |rule: &str| Rule::parse(rule).unwrap().check(at("2026-12-01T18:00"), &tz).unwrap_err().to_string();
        assert_eq!(why("FREQ=FORTNIGHTLY"), "`FREQ=FORTNIGHTLY` is not a frequency");
        assert_eq!(why("INTERVAL=2"), "it does not say how often, such as FREQ=WEEKLY");
        assert_eq!(why("FREQ=WEEKLY;COUNT=3;BYDAY=XX"), "`BYDAY=XX` does not fit into it");
        assert_eq!(why("FREQ=WEEKLY;COUNT=many"), "`COUNT=MANY` does not fit into it");
        assert!(Rule::parse("RDATE:tomorrow").is_err());
        // Never: 30 February.
        assert!(starts("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2026-12-01T18:00", "UTC", "2027-01-01T00:00", 3).is_empty());
    }

    #[test]
    fn text_comes_back() {
        for text in
            ["FREQ=DAILY;COUNT=3", "FREQ=DAILY\nRDATE:20261205T100000,20261206\nEXDATE:20261206T090000Z", "RDATE:20261205"]
        {
            assert_eq!(Rule::parse(text).unwrap().text().as_deref(), Some(text));
        }
    }

    #[test]
    fn a_start_that_the_rule_does_not_give_is_known() {
        let later = |rule: &str| Rule::parse(rule).unwrap().begins_later(at("2026-11-30T18:00"), &TimeZone::UTC);
        assert_eq!(later("FREQ=WEEKLY;BYDAY=TU;COUNT=3"), Some(at("2026-12-01T18:00")));
        assert_eq!(later("FREQ=MONTHLY;BYMONTHDAY=15"), Some(at("2026-12-15T18:00")));
        for rule in ["FREQ=WEEKLY;COUNT=3", "FREQ=WEEKLY;BYDAY=MO,TU", "FREQ=MONTHLY", "RDATE:20261205T100000"] {
            assert_eq!(later(rule), None, "{rule}");
        }
    }

    #[test]
    fn days_that_not_every_month_has_are_named() {
        let skips = |rule: &str, start: &str| Rule::parse(rule).unwrap().skips(at(start));
        assert!(skips("FREQ=MONTHLY", "2026-12-31T18:00").unwrap().contains("no day 31"));
        assert!(skips("FREQ=MONTHLY;INTERVAL=2", "2026-12-29T18:00").unwrap().contains("no day 29"));
        assert!(skips("FREQ=MONTHLY;BYMONTHDAY=15,30", "2026-12-15T18:00").unwrap().contains("no day 30"));
        assert!(skips("FREQ=YEARLY", "2028-02-29T18:00").unwrap().contains("leap years"));
        for (rule, start) in [
            ("FREQ=MONTHLY", "2026-12-28T18:00"),
            ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-12-31T18:00"),
            ("FREQ=MONTHLY;BYDAY=-1TH", "2026-12-31T18:00"),
            ("FREQ=WEEKLY", "2026-12-31T18:00"),
            ("FREQ=YEARLY", "2026-12-31T18:00"),
        ] {
            assert_eq!(skips(rule, start), None, "{rule}");
        }
    }

    #[test]
    fn common_rules_read_well() {
        assert_eq!(words("FREQ=WEEKLY;COUNT=8"), "every week, 8 times");
        assert_eq!(
            words("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;UNTIL=20270101T000000Z"),
            "every 2 weeks on Tuesday, Thursday, until 2027-01-01"
        );
        assert_eq!(words("FREQ=MONTHLY;BYDAY=1SU"), "FREQ=MONTHLY;BYDAY=1SU");
    }
}
