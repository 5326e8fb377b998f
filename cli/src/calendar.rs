//! Calendars: when something is, how it comes again, and iCalendar files in.
//!
//! `chrono` stays inside [`rule`], where a library counts recurrences on the wall clock alone; everything else is `jiff`. So a
//! weekly meeting at 18:00 stays at 18:00 when the clocks change, whatever the library believes about time zones.

pub(crate) mod change;
mod event;
mod lines;
pub(crate) mod natural;
mod notes;
mod parts;
pub(crate) mod read;
pub(crate) mod rule;
mod times;
pub(crate) mod when;
mod zone;

pub(crate) use event::tag;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use kith_protocol::control::{Event, NewEvent};

use rule::Rule;

/// Something at a place in time: its first start and end on the wall clock of its zone, and how it comes again.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) start: DateTime,
    pub(crate) end: Option<DateTime>,
    pub(crate) all_day: bool,
    pub(crate) tz: TimeZone,
    pub(crate) rule: Rule,
}

impl Series {
    /// Of an event as it came; `None` where a peer wrote what no calendar understands.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        Self::read(&event.starts_local, &event.ends_local, &event.tz, event.rrule.as_deref())
    }

    /// Of an event that is to be made.
    pub(crate) fn of_new(event: &NewEvent) -> Option<Self> {
        Self::read(&event.starts_local, &event.ends_local, &event.tz, event.rrule.as_deref())
    }

    fn read(start: &str, end: &str, tz: &str, rule: Option<&str>) -> Option<Self> {
        let all_day = is_day(start);
        let start = parse_local(start)?;
        let end = if end.is_empty() { None } else { Some(parse_local(end)?) };
        let tz = TimeZone::get(when::zone_name(tz)).ok()?;
        let rule = rule.map_or(Ok(Rule::default()), Rule::parse).ok()?;
        let rule = if all_day { rule.of_days() } else { rule };
        Some(Self { start, end, all_day, tz, rule })
    }

    /// The next `count` starts of what is not over at `now`. A day is over when it is on this computer's clock, wherever it was
    /// written down.
    pub(crate) fn next(&self, now: Timestamp, count: usize) -> Result<Vec<Zoned>, rule::RuleError> {
        self.next_in(now, &TimeZone::system(), count)
    }

    fn next_in(&self, now: Timestamp, own: &TimeZone, count: usize) -> Result<Vec<Zoned>, rule::RuleError> {
        let length = self.seconds();
        let clock = if self.all_day { own } else { &self.tz };
        let from = clock.to_datetime(now).saturating_sub(jiff::SignedDuration::from_secs(length + 86_400));
        let starts = self.rule.starts_from(self.start, &self.tz, from, count + 4)?;
        let to_come = |start: &DateTime| {
            let end = start.saturating_add(jiff::SignedDuration::from_secs(length));
            end.date() > own.to_datetime(now).date()
        };
        let zoned =
            starts.into_iter().filter(|start| !self.all_day || to_come(start)).filter_map(|start| self.tz.to_zoned(start).ok());
        let ends = |start: &Zoned| start.timestamp().as_second() + length.max(1);
        Ok(zoned.filter(|start| self.all_day || ends(start) > now.as_second()).take(count).collect())
    }

    /// How long one occurrence takes; a whole day where it is about days.
    pub(crate) fn seconds(&self) -> i64 {
        let Some(end) = self.end else { return if self.all_day { 86_400 } else { 0 } };
        end.duration_since(self.start).as_secs().clamp(0, 86_400 * 366)
    }
}

/// `YYYY-MM-DDTHH:MM[:SS]` or `YYYY-MM-DD`, the time then being midnight.
pub(crate) fn parse_local(text: &str) -> Option<DateTime> {
    if is_day(text) {
        return text.parse::<Date>().ok().map(|day| day.at(0, 0, 0, 0));
    }
    let text = text.trim().replacen(' ', "T", 1);
    let (_, clock) = text.split_once('T')?;
    // The library reads over an offset or a zone that stands behind the time.
    let alone = clock.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
    if alone { text.parse::<DateTime>().ok() } else { None }
}

/// Does the text name a day and no time?
pub(crate) fn is_day(text: &str) -> bool {
    let text = text.trim();
    text.len() == 10 && !text.contains(['T', ' ', ':'])
}

/// As the local API wants wall-clock times.
pub(crate) fn local_text(at: DateTime, all_day: bool) -> String {
    if all_day { at.date().to_string() } else { at.strftime("%Y-%m-%dT%H:%M:%S").to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_clock_has_no_offset_and_no_zone() {
        for text in ["2026-12-01T18:00", " 2026-12-01 18:00 ", "2026-12-01T18:00:00"] {
            assert_eq!(parse_local(text).map(|at| local_text(at, false)).as_deref(), Some("2026-12-01T18:00:00"), "{text}");
        }
        for behind in ["+02:00", "-05", "+0530", "Z", "[Europe/Madrid]", "+01:00[Europe/Madrid]", " UTC", "pm", " +02:00"] {
            assert_eq!(parse_local(&format!("2026-12-01T18:00{behind}")), None, "{behind}");
        }
    }

    fn days(tz: &str, now: &str, own: &str) -> usize {
        let series = Series::read("2026-12-01", "", tz, None).unwrap();
        series.next_in(now.parse().unwrap(), &TimeZone::get(own).unwrap(), 1).unwrap().len()
    }

    #[test]
    fn a_day_is_over_when_it_is_for_the_reader() {
        for tz in ["Pacific/Pago_Pago", "UTC", "Pacific/Kiritimati"] {
            assert_eq!(days(tz, "2026-12-01T23:30:00Z", "UTC"), 1, "{tz}");
            assert_eq!(days(tz, "2026-12-02T00:00:00Z", "UTC"), 0, "{tz}");
            assert_eq!(days(tz, "2026-12-02T07:59:00Z", "America/Los_Angeles"), 1, "{tz}");
            assert_eq!(days(tz, "2026-12-01T15:00:00Z", "Asia/Tokyo"), 0, "{tz}");
        }
    }
}
