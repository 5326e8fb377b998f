//! Time zones as calendar files describe them (RFC 5545, 3.6.5): each change of clocks on its own as long as a zone has no rule,
//! and from then on as a rule without an end, so that a series that never ends is never without its zone.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

use super::calendar::line;
use crate::calendar::rule::Moment;
use crate::limits::{ZONE_CHANGES, ZONE_RULE_YEARS, ZONE_YEARS};

/// A change of clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    /// On the clock as it was before.
    wall: DateTime,
    from: Offset,
    to: Offset,
}

/// Writes a zone: all that its clocks do from the year before `first` on, and as long as something takes place: until `last`, or
/// for good.
pub(super) fn write(out: &mut String, name: &str, tz: &TimeZone, first: DateTime, last: Option<DateTime>) {
    line(out, "BEGIN:VTIMEZONE");
    line(out, &format!("TZID:{name}"));
    let begin = tz.to_timestamp(first.saturating_sub(1.year())).unwrap_or(Timestamp::UNIX_EPOCH);
    let offset = tz.to_offset(begin);
    let start = Change { wall: offset.to_datetime(begin), from: offset, to: offset };
    observance(out, &start, None);
    let changes = changes(tz, begin);
    let regular = (0..changes.len()).find_map(|at| Some((at, rules(changes.get(at..)?)?)));
    let end = last.unwrap_or_else(|| first.saturating_add(ZONE_YEARS.years()));
    let single = regular.as_ref().map_or(changes.len(), |(at, _)| *at);
    for change in changes.iter().take(single).take_while(|change| regular.is_some() || change.wall <= end) {
        observance(out, change, None);
    }
    let (at, rules) = regular.unwrap_or_default();
    for (change, rule) in changes.iter().skip(at).zip(&rules) {
        observance(out, change, Some(rule));
    }
    line(out, "END:VTIMEZONE");
}

fn changes(tz: &TimeZone, begin: Timestamp) -> Vec<Change> {
    let mut from = tz.to_offset(begin);
    let change = |change: jiff::tz::TimeZoneTransition<'_>| {
        let wall = from.to_datetime(change.timestamp());
        let one = Change { wall, from, to: change.offset() };
        from = change.offset();
        // Some entries of the database change nothing but a name.
        (one.from != one.to).then_some(one)
    };
    tz.following(begin).take(ZONE_CHANGES).filter_map(change).collect()
}

/// The rule of each of the first two changes, if they come again every year alike.
fn rules(changes: &[Change]) -> Option<Vec<String>> {
    let years = changes.get(..ZONE_RULE_YEARS * 2)?;
    let rule = |which: usize| {
        let all: Vec<&Change> = years.iter().skip(which).step_by(2).collect();
        let first = *all.first()?;
        let alike = |change: &&Change| {
            (change.from, change.to, change.wall.time(), change.wall.month(), change.wall.weekday())
                == (first.from, first.to, first.wall.time(), first.wall.month(), first.wall.weekday())
        };
        let yearly = all.iter().zip(first.wall.year()..).all(|(change, year)| change.wall.year() == year);
        let days: Vec<Date> = all.iter().map(|change| change.wall.date()).collect();
        (yearly && all.iter().all(alike)).then(|| by_day(&days)).flatten()
    };
    Some(vec![rule(0)?, rule(1)?])
}

/// Days of one month and weekday, each in another year, as the rule that they follow.
fn by_day(days: &[Date]) -> Option<String> {
    let first = days.first()?;
    let (month, day) = (first.month(), weekday(first.weekday()));
    let nth = |day: &Date| (day.day() - 1) / 7 + 1;
    if days.iter().all(|day| day.day() + 7 > day.days_in_month()) {
        return Some(format!("FREQ=YEARLY;BYMONTH={month};BYDAY=-1{day}"));
    }
    if days.iter().all(|day| nth(day) == nth(first)) {
        return Some(format!("FREQ=YEARLY;BYMONTH={month};BYDAY={}{day}", nth(first)));
    }
    // Such as the Sunday on or after the 2nd.
    let (least, most) = (days.iter().map(|day| day.day()).min()?, days.iter().map(|day| day.day()).max()?);
    let range: Vec<String> = (least..=most).map(|day| day.to_string()).collect();
    (most - least == 6).then(|| format!("FREQ=YEARLY;BYMONTH={month};BYMONTHDAY={};BYDAY={day}", range.join(",")))
}

const fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "MO",
        Weekday::Tuesday => "TU",
        Weekday::Wednesday => "WE",
        Weekday::Thursday => "TH",
        Weekday::Friday => "FR",
        Weekday::Saturday => "SA",
        Weekday::Sunday => "SU",
    }
}

fn observance(out: &mut String, change: &Change, rule: Option<&String>) {
    // Whatever a zone calls its summer: what puts the clocks forward is one for all that read this.
    let kind = if change.to > change.from { "DAYLIGHT" } else { "STANDARD" };
    line(out, &format!("BEGIN:{kind}"));
    line(out, &format!("DTSTART:{}", Moment::Local(change.wall).text()));
    line(out, &format!("TZOFFSETFROM:{}", offset(change.from.seconds())));
    line(out, &format!("TZOFFSETTO:{}", offset(change.to.seconds())));
    if let Some(rule) = rule {
        line(out, &format!("RRULE:{rule}"));
    }
    line(out, &format!("END:{kind}"));
}

fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, first: &str, last: Option<&str>) -> String {
        let mut out = String::new();
        let tz = TimeZone::get(name).unwrap();
        write(&mut out, name, &tz, first.parse().unwrap(), last.map(|last| last.parse().unwrap()));
        out
    }

    #[test]
    fn clocks_that_follow_a_rule_are_described_for_good() {
        let madrid = written("Europe/Madrid", "2026-12-01T18:00", None);
        assert!(madrid.contains("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n"), "{madrid}");
        assert!(madrid.contains("RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\n"), "{madrid}");
        assert!(written("America/New_York", "2026-12-01T18:00", None).contains("BYMONTH=11;BYDAY=1SU"));
        assert!(!written("Asia/Tokyo", "2026-12-01T18:00", None).contains("RRULE"));
        // Rules changed in 2007: what was before stands there change by change.
        assert!(!written("Australia/Lord_Howe", "2027-03-21T10:00", None).contains("DTSTART:2038"));
        let old = written("America/New_York", "2004-12-01T18:00", None);
        assert!(old.contains("DTSTART:20060402T020000") && old.contains("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU"), "{old}");
    }

    #[test]
    fn every_rule_says_when_the_clocks_change_long_from_now() {
        for name in jiff::tz::db().available() {
            let tz = TimeZone::get(name.as_str()).unwrap();
            let begin = "2026-01-01T00:00:00Z".parse().unwrap();
            let all = changes(&tz, begin);
            let Some((at, found)) = (0..all.len()).find_map(|at| Some((at, rules(&all[at..])?))) else { continue };
            for (which, text) in found.iter().enumerate() {
                let rule = crate::calendar::rule::Rule::parse(text).unwrap();
                let start = all[at + which].wall;
                let counted = rule.starts_from(start, &TimeZone::UTC, start, 100).unwrap();
                let real: Vec<DateTime> = all[at + which..].iter().step_by(2).map(|change| change.wall).take(100).collect();
                assert_eq!(counted[..real.len().min(100)], real, "{name} {text}");
            }
        }
    }

    #[test]
    fn clocks_without_a_rule_are_described_as_long_as_something_takes_place() {
        let short = written("Africa/Casablanca", "2026-12-01T18:00", Some("2027-12-01T18:00"));
        let long = written("Africa/Casablanca", "2026-12-01T18:00", Some("2040-12-01T18:00"));
        assert!(short.matches("BEGIN:").count() < long.matches("BEGIN:").count() && long.contains("DTSTART:2040"), "{long}");
    }
}
