//! Times for people: in their own zone, near ones in words.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use kith_protocol::control::Time;

use super::Ui;

/// A label's moment in the person's own zone.
pub(crate) fn zoned(time: Time) -> Zoned {
    let millis = i64::try_from(time.0.0).unwrap_or(0);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::system())
}

impl Ui {
    /// When something was written: `just now`, `14:03`, `yesterday 14:03`, `3 Nov 14:03`; with `--plain` RFC 3339.
    pub(crate) fn when(&self, time: Time) -> String {
        if self.plain {
            return time.0.to_string();
        }
        words(&zoned(time), &Zoned::now())
    }

    /// A moment that has passed, as what comes before or after it is told: `3 Nov 14:03`, never `5 min ago`.
    pub(crate) fn moment(&self, time: Time) -> String {
        if self.plain {
            return time.0.to_string();
        }
        let (at, now) = (zoned(time), Zoned::now());
        at.strftime(if at.year() == now.year() { "%-d %b %H:%M" } else { "%-d %b %Y %H:%M" }).to_string()
    }
}

fn words(at: &Zoned, now: &Zoned) -> String {
    let seconds = now.timestamp().as_second() - at.timestamp().as_second();
    match seconds {
        0..60 => return "just now".to_owned(),
        60..3_600 => return format!("{} min ago", seconds / 60),
        _ => {}
    }
    day(at.date(), now.date()).map_or_else(
        || at.strftime("%Y-%m-%d").to_string(),
        |day| match day.as_str() {
            "today" => at.strftime("%H:%M").to_string(),
            _ => format!("{day} {}", at.strftime("%H:%M")),
        },
    )
}

/// A day near today in words; `None` when the year has to be said.
pub(crate) fn day(day: Date, today: Date) -> Option<String> {
    if day == today {
        return Some("today".to_owned());
    }
    if today.yesterday().is_ok_and(|yesterday| yesterday == day) {
        return Some("yesterday".to_owned());
    }
    if today.tomorrow().is_ok_and(|tomorrow| tomorrow == day) {
        return Some("tomorrow".to_owned());
    }
    (day.year() == today.year()).then(|| day.strftime("%-d %b").to_string())
}

/// The same moment on another zone's clock, where that shows something else.
pub(crate) fn elsewhere(at: &Zoned, tz: &TimeZone) -> Option<String> {
    let there = at.with_time_zone(tz.clone());
    if there.datetime() == at.datetime() {
        return None;
    }
    let format = if there.date() == at.date() { "%H:%M" } else { "%a %H:%M" };
    Some(format!("{} in {}", there.strftime(format), tz.iana_name().unwrap_or("its own zone")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Zoned {
        text.parse().unwrap()
    }

    #[test]
    fn near_times_are_words() {
        let now = at("2026-11-22T15:00:00+01:00[Europe/Madrid]");
        assert_eq!(words(&at("2026-11-22T14:59:30+01:00[Europe/Madrid]"), &now), "just now");
        assert_eq!(words(&at("2026-11-22T14:20:00+01:00[Europe/Madrid]"), &now), "40 min ago");
        assert_eq!(words(&at("2026-11-22T09:05:00+01:00[Europe/Madrid]"), &now), "09:05");
        assert_eq!(words(&at("2026-11-21T09:05:00+01:00[Europe/Madrid]"), &now), "yesterday 09:05");
        assert_eq!(words(&at("2026-11-03T09:05:00+01:00[Europe/Madrid]"), &now), "3 Nov 09:05");
        assert_eq!(words(&at("2025-11-03T09:05:00+01:00[Europe/Madrid]"), &now), "2025-11-03");
    }

    #[test]
    fn another_clock_is_named_only_where_it_shows_something_else() {
        let here = at("2026-11-22T15:00:00+01:00[Europe/Madrid]");
        let there = |name: &str| elsewhere(&here, &TimeZone::get(name).unwrap());
        assert_eq!(there("Europe/Berlin"), None);
        assert_eq!(there("America/New_York").as_deref(), Some("09:00 in America/New_York"));
        assert_eq!(there("Pacific/Auckland").as_deref(), Some("Mon 03:00 in Pacific/Auckland"));
    }
}
