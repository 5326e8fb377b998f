//! Calendars: when something is, how it comes again, and iCalendar files in.
//!
//! `chrono` stays inside [`rule`], where a library counts recurrences on the wall clock alone; everything else is `jiff`. So a
//! weekly meeting at 18:00 stays at 18:00 when the clocks change, whatever the library believes about time zones.

pub(crate) mod read;
pub(crate) mod rule;
pub(crate) mod when;
mod zone;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use kith_protocol::control::Event;

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
        let start = parse_local(&event.starts_local)?;
        let end = if event.ends_local.is_empty() { None } else { Some(parse_local(&event.ends_local)?) };
        let tz = TimeZone::get(&event.tz).ok()?;
        let rule = event.rrule.as_deref().map_or(Ok(Rule::default()), Rule::parse).ok()?;
        Some(Self { start, end, all_day: event.all_day, tz, rule })
    }

    /// The next `count` starts of what is not over at `now`.
    pub(crate) fn next(&self, now: Timestamp, count: usize) -> Result<Vec<Zoned>, rule::RuleError> {
        let length = self.seconds();
        let from = now.to_zoned(self.tz.clone()).datetime().saturating_sub(jiff::SignedDuration::from_secs(length + 86_400));
        let starts = self.rule.starts_from(self.start, &self.tz, from, count + 4)?;
        let zoned = starts.into_iter().filter_map(|start| self.tz.to_zoned(start).ok());
        Ok(zoned.filter(|start| start.timestamp().as_second() + length.max(1) > now.as_second()).take(count).collect())
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
    text.contains('T').then(|| text.parse::<DateTime>().ok())?
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
