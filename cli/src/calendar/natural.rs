//! Times as people say them: `tomorrow 18:00`, `fri 9:00`, `next tuesday`, `in 2 hours`. What is said is counted from a moment that
//! the caller gives, on the wall clock of the event's zone.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time, Weekday};

/// What was said, written out: `2026-12-01T18:00`, or `2026-12-01` where no time of day was said. What is exact already, and what
/// cannot be understood, comes back as it is.
pub(crate) fn exact(text: &str, now: DateTime) -> String {
    said(text, now).unwrap_or_else(|| text.to_owned())
}

/// The end, as it was said: a time of day alone is the first such time after the start.
pub(crate) fn exact_end(text: &str, start: DateTime, now: DateTime) -> String {
    match time(text.trim()) {
        Some(time) => written(first_after(start, time), Some(time)),
        None => exact(text, now),
    }
}

/// Is it a time of day alone?
pub(crate) fn is_a_time(text: &str) -> bool {
    time(text.trim()).is_some()
}

/// How something repeats, as people say it, as RFC 5545 writes it; empty: not at all.
pub(crate) fn every(text: &str) -> Result<String, String> {
    let words: Vec<String> = text.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != "every").collect();
    let (count, unit) = match words.as_slice() {
        [unit] => (1, *unit),
        ["other", unit] => (2, *unit),
        [count, unit] => (count.parse::<u32>().unwrap_or(0), *unit),
        _ => (0, ""),
    };
    // Every second one of these is no rule that anybody means.
    let alone = matches!(unit, "weekday" | "weekdays") || unit.ends_with("ly");
    if alone && words.len() > 1 {
        return Err(not_understood(text));
    }
    if matches!(words.as_slice(), ["none" | "never"]) {
        return Ok(String::new());
    }
    let rule = match unit {
        "day" | "days" | "daily" => "FREQ=DAILY",
        "weekday" | "weekdays" => "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
        "week" | "weeks" | "weekly" => "FREQ=WEEKLY",
        "month" | "months" | "monthly" => "FREQ=MONTHLY",
        "year" | "years" | "yearly" => "FREQ=YEARLY",
        _ => "",
    };
    match (rule, count) {
        ("", _) | (_, 0) | (_, 100..) => Err(not_understood(text)),
        (rule, 1) => Ok(rule.to_owned()),
        (rule, count) => Ok(format!("{rule};INTERVAL={count}")),
    }
}

fn not_understood(text: &str) -> String {
    let said = text.trim();
    format!("I don't understand \"{said}\". Try day, week, \"2 weeks\", month, none, or --rrule for anything else.")
}

fn said(text: &str, now: DateTime) -> Option<String> {
    let lower = text.to_lowercase().replace(',', " ");
    let filler = |word: &&str| matches!(*word, "at" | "on" | "the" | "@");
    if lower.split_whitespace().next_back().is_some_and(|last| filler(&last)) {
        return None;
    }
    let words: Vec<&str> = lower.split_whitespace().filter(|word| !filler(word)).collect();
    if let ["in", count, unit] = words.as_slice() {
        return later(now, count.parse().ok()?, unit);
    }
    let (last, before) = words.split_last()?;
    let joined = before.split_last().map(|(hour, rest)| (format!("{hour}{last}"), rest));
    // `6 pm` is one time in two words.
    if let Some((joined, rest)) = joined
        && matches!(*last, "am" | "pm")
    {
        return composed(rest, time(&joined)?, now);
    }
    match time(last) {
        Some(time) => composed(before, time, now),
        None => Some(written(day(&words, now, None)?, None)),
    }
}

/// A day in words and a time of day.
fn composed(words: &[&str], time: Time, now: DateTime) -> Option<String> {
    if words == ["tonight"] && time < Time::constant(12, 0, 0, 0) {
        return None;
    }
    let day = if words.is_empty() { first_after(now, time) } else { day(words, now, Some(time))? };
    Some(written(day, Some(time)))
}

/// The words of a part of a day that is no time: the time is still to be said.
pub(crate) fn without_a_time(text: &str) -> Option<&str> {
    const PARTS: [&str; 5] = ["tonight", "morning", "afternoon", "evening", "night"];
    let text = text.trim();
    let last = text.split_whitespace().next_back()?.to_lowercase();
    PARTS.contains(&last.as_str()).then_some(text)
}

fn written(day: Date, time: Option<Time>) -> String {
    time.map_or_else(|| day.to_string(), |time| format!("{day}T{}", time.strftime("%H:%M")))
}

/// The first day on which this time of day is still to come.
fn first_after(now: DateTime, time: Time) -> Date {
    if time > now.time() { now.date() } else { now.date().saturating_add(1.day()) }
}

fn later(now: DateTime, count: i64, unit: &str) -> Option<String> {
    let count = Some(count).filter(|count| (0..=10_000).contains(count))?;
    let (span, timed) = match unit.strip_suffix('s').unwrap_or(unit) {
        "minute" | "min" => (count.minutes(), true),
        "hour" => (count.hours(), true),
        "day" => (count.days(), false),
        "week" => (count.weeks(), false),
        "month" => (count.months(), false),
        _ => return None,
    };
    let at = now.checked_add(span).ok()?;
    Some(written(at.date(), timed.then(|| at.time())))
}

fn day(words: &[&str], now: DateTime, time: Option<Time>) -> Option<Date> {
    let today = now.date();
    match words {
        ["today"] => Some(today),
        ["tonight"] if time.is_some() => Some(today),
        ["tomorrow"] => today.tomorrow().ok(),
        ["day", "after", "tomorrow"] => today.checked_add(2.days()).ok(),
        ["next", "week"] => today.checked_add(1.week()).ok(),
        ["next", "month"] => today.checked_add(1.month()).ok(),
        ["in", count, unit] => {
            let then = later(now, count.parse().ok()?, unit)?;
            // Hours from now are a time already.
            if then.contains('T') { None } else { then.parse().ok() }
        }
        ["next", name] => after(today, weekday(name)?),
        ["this", name] | [name] if weekday(name).is_some() => {
            let weekday = weekday(name)?;
            let still_today = weekday == today.weekday() && time.is_some_and(|time| time > now.time());
            if still_today { Some(today) } else { after(today, weekday) }
        }
        [text] if text.len() == 10 => text.parse().ok(),
        [day, name] => month(name).or_else(|| month(day)).and_then(|number| {
            let day = if month(name).is_some() { day } else { name };
            of_year(ordinal(day)?, number, today)
        }),
        [day, name, year] => {
            let (day, number) = match month(name) {
                Some(number) => (day, number),
                None => (name, month(day)?),
            };
            Date::new(year.parse().ok().filter(|_| year.len() == 4)?, number, ordinal(day)?).ok()
        }
        _ => None,
    }
}

/// The first such day after this one.
fn after(day: Date, weekday: Weekday) -> Option<Date> {
    day.nth_weekday(1, weekday).ok()
}

/// In this year, or in the next where it is over.
fn of_year(day: i8, month: i8, today: Date) -> Option<Date> {
    let in_year = |year: i16| Date::new(year, month, day).ok();
    in_year(today.year()).filter(|date| *date >= today).or_else(|| in_year(today.year() + 1))
}

fn ordinal(text: &str) -> Option<i8> {
    let number = ["st", "nd", "rd", "th", "."].iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text);
    number.parse().ok().filter(|day| (1..=31).contains(day))
}

fn weekday(text: &str) -> Option<Weekday> {
    const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let at = begins_one(&NAMES, text)?;
    Weekday::from_monday_zero_offset(at).ok()
}

fn month(text: &str) -> Option<i8> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    begins_one(&NAMES, text).map(|at| at + 1)
}

/// Which name it is, or begins with three letters or more.
fn begins_one(names: &[&str], text: &str) -> Option<i8> {
    let text = text.trim_end_matches('.');
    let at = names.iter().position(|name| text.len() >= 3 && name.starts_with(text))?;
    i8::try_from(at).ok()
}

/// `18:00`, `9am`, `6:30pm`, `18h`, `18h30`, `noon`, `midnight`.
fn time(text: &str) -> Option<Time> {
    match text {
        "noon" => return Time::new(12, 0, 0, 0).ok(),
        "midnight" => return Time::new(0, 0, 0, 0).ok(),
        _ => {}
    }
    let (text, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(text), _) => (text, Some(0)),
        (None, Some(text)) => (text, Some(12)),
        (None, None) => (text, None),
    };
    let (hour, minute) = match (text.split_once(':'), text.split_once('h')) {
        (Some((hour, minute)), _) if minute.len() == 2 => (hour, minute),
        (None, Some((hour, ""))) if half.is_none() => (hour, "00"),
        (None, Some((hour, minute))) if half.is_none() && minute.len() == 2 => (hour, minute),
        (None, None) if half.is_some() => (text, "00"),
        _ => return None,
    };
    let digits = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    let hour = match half {
        Some(half) => Some(hour % 12 + half).filter(|_| (1..=12).contains(&hour))?,
        None => hour,
    };
    Time::new(hour, minute, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Monday.
    fn now() -> DateTime {
        "2026-11-30T15:00".parse().unwrap()
    }

    #[test]
    fn what_people_say_is_written_out() {
        let pairs = [
            ("tomorrow 18:00", "2026-12-01T18:00"),
            ("Tomorrow at 6pm", "2026-12-01T18:00"),
            ("18:00", "2026-11-30T18:00"),
            ("9:00", "2026-12-01T09:00"),
            ("15:00", "2026-12-01T15:00"),
            ("fri 9:00", "2026-12-04T09:00"),
            ("Friday, 9:30 am", "2026-12-04T09:30"),
            ("next tuesday", "2026-12-01"),
            ("next tue 18:00", "2026-12-01T18:00"),
            ("monday 18:00", "2026-11-30T18:00"),
            ("monday 9:00", "2026-12-07T09:00"),
            ("monday", "2026-12-07"),
            ("next mon 18:00", "2026-12-07T18:00"),
            ("today", "2026-11-30"),
            ("tonight 20h", "2026-11-30T20:00"),
            ("tonight at 19h30", "2026-11-30T19:30"),
            ("day after tomorrow noon", "2026-12-02T12:00"),
            ("next week", "2026-12-07"),
            ("in 2 hours", "2026-11-30T17:00"),
            ("in 45 minutes", "2026-11-30T15:45"),
            ("in 3 days", "2026-12-03"),
            ("in 3 days 12am", "2026-12-03T00:00"),
            ("24 dec 17:00", "2026-12-24T17:00"),
            ("1 March", "2027-03-01"),
            ("March 1st", "2027-03-01"),
            ("Jan 5 2028 8pm", "2028-01-05T20:00"),
            ("2026-12-01 18:00", "2026-12-01T18:00"),
            ("2026-12-24", "2026-12-24"),
        ];
        for (said, exactly) in pairs {
            assert_eq!(exact(said, now()), exactly, "{said}");
        }
    }

    #[test]
    fn what_is_exact_or_makes_no_sense_stays_as_it_is() {
        for text in [
            "2026-12-01T18:00",
            "2026-12-01T17:00:00Z",
            "soon",
            "",
            "tomorrow 25:00",
            "13pm",
            "next",
            "fri 9",
            "31 feb",
            "1/2",
            "in -1 days",
            "18:0",
            "::",
            "next next fri",
            "in 9999999999999999999 days",
            "99999-01-01",
            "\u{1f600}",
            "0am",
            "tonight",
            "tonight 8:00",
            "tomorrow at",
            "tomorrow evening",
            "24 dec 26",
            "24 dec 26 17:00",
            "in 2 hours 18:00",
            "in 2 hourss",
            "18:00+02:00",
            "tomorrow 18:00 CET",
            "18h3",
        ] {
            assert_eq!(exact(text, now()), text);
        }
    }

    #[test]
    fn an_end_follows_its_start() {
        let start = "2026-12-04T18:00".parse().unwrap();
        assert_eq!(exact_end("19:30", start, now()), "2026-12-04T19:30");
        assert_eq!(exact_end("1:00", start, now()), "2026-12-05T01:00");
        assert_eq!(exact_end("sat 9:00", start, now()), "2026-12-05T09:00");
    }

    #[test]
    fn repeating_in_words() {
        for (said, rule) in [
            ("day", "FREQ=DAILY"),
            ("week", "FREQ=WEEKLY"),
            ("2 weeks", "FREQ=WEEKLY;INTERVAL=2"),
            ("Other Week", "FREQ=WEEKLY;INTERVAL=2"),
            ("month", "FREQ=MONTHLY"),
            ("none", ""),
            ("Never", ""),
            ("weekday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ] {
            assert_eq!(every(said).as_deref(), Ok(rule), "{said}");
        }
        for wrong in [
            "",
            "0 weeks",
            "-1 weeks",
            "fortnight",
            "1000 weeks",
            "2 2 weeks",
            "full moon",
            "2 weekdays",
            "other weekday",
            "3 daily",
            "none of it",
        ] {
            assert!(every(wrong).is_err(), "{wrong}");
        }
    }
}
