//! `kith today`, `kith week`, `kith month`: what takes place from today on, in all circles.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use kith_protocol::control::{Circle, CircleStatus, Event, EventStatus, Inbox, ItemState, Rsvp};
use serde_json::json;

use super::show::{dotted, short_id};
use crate::calendar::Series;
use crate::calendar::when::zone_name;
use crate::client::{Client, Route};
use crate::context::Context;
use crate::error::Result;
use crate::limits::SHOWN_OCCURRENCES;
use crate::ui::{Line, Ui, time};

/// Show what takes place today, and whether there is something new
#[derive(Debug, clap::Args)]
pub(crate) struct TodayArgs {}

/// Show what takes place in the next seven days
#[derive(Debug, clap::Args)]
pub(crate) struct WeekArgs {}

/// Show what takes place until this day of next month
#[derive(Debug, clap::Args)]
pub(crate) struct MonthArgs {}

/// How far to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    Today,
    Week,
    Month,
}

impl Span {
    const fn name(self) -> &'static str {
        match self {
            Self::Today => "today",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The first day that is no longer shown.
    fn end(self, today: Date) -> Date {
        match self {
            Self::Today => today.saturating_add(1.day()),
            Self::Week => today.saturating_add(1.week()),
            Self::Month => today.saturating_add(1.month()),
        }
    }
}

/// Something that takes place: one occurrence.
#[derive(Clone)]
struct Entry {
    /// In one's own zone.
    at: Zoned,
    /// Its end there; the start itself where it has none.
    end: Zoned,
    /// A day that it touches: of whole days the calendar's, of others this computer's.
    day: Date,
    event: Event,
    circle: String,
}

impl Entry {
    /// Does it take all of its day?
    fn fills_its_day(&self) -> bool {
        self.event.all_day || self.at.date() < self.day && self.end.date() > self.day
    }

    /// Where it belongs among others: what takes a whole day first, then what went on when the day began.
    fn order(&self) -> (Date, bool, DateTime) {
        (self.day, !self.fills_its_day(), self.at.datetime().max(self.day.at(0, 0, 0, 0)))
    }
}

pub(crate) fn run(context: &Context, span: Span) -> Result<()> {
    let client = context.client()?;
    let now = Zoned::now();
    let entries = entries(&client, span, &now)?;
    let inbox: Inbox = client.get(&Route::new("inbox"))?.read()?;
    let new = inbox.inbox.len();
    if context.ui().json { as_json(context.ui(), span, &now, &entries, new) } else { show(context.ui(), span, &entries, new) }
}

fn entries(client: &Client, span: Span, now: &Zoned) -> Result<Vec<Entry>> {
    let circles: Vec<Circle> = client.get(&Route::new("circles"))?.field("circles")?;
    let mut entries = Vec::new();
    for circle in circles.iter().filter(|circle| circle.status == CircleStatus::Current) {
        let route = Route::new("circles").seg(&circle.id).seg("events").flag("upcoming", true);
        let events: Vec<Event> = client.get(&route)?.field("events")?;
        entries.extend(events.iter().flat_map(|event| occurrences(event, &circle.name, now, span.end(now.date()))));
    }
    entries.sort_by_key(Entry::order);
    Ok(entries)
}

/// What takes place of an event from today on, before this day: once for each day that it touches.
fn occurrences(event: &Event, circle: &str, now: &Zoned, before: Date) -> Vec<Entry> {
    if event.state != ItemState::Visible || event.status == EventStatus::Cancelled {
        return Vec::new();
    }
    let today = now.date();
    let Some(series) = Series::of(event) else { return Vec::new() };
    let Ok(begin) = now.start_of_day() else { return Vec::new() };
    // Whole days have no zone: theirs may begin before or after ours.
    let from =
        if event.all_day { begin.timestamp().saturating_sub(SignedDuration::from_hours(24)) } else { Ok(begin.timestamp()) };
    let from = from.unwrap_or(Timestamp::UNIX_EPOCH).max(Timestamp::UNIX_EPOCH);
    let seconds = series.seconds();
    let starts = series.next(from, SHOWN_OCCURRENCES).unwrap_or_default();
    let entries = |at: Zoned| {
        // As long on the wall clock, whatever the clocks do meanwhile.
        let end = at.datetime().saturating_add(SignedDuration::from_secs(seconds)).to_zoned(at.time_zone().clone());
        let end = end.unwrap_or_else(|_| at.clone());
        let [own, own_end] = [&at, &end].map(|time| time.with_time_zone(now.time_zone().clone()));
        let (first, behind) = if event.all_day { (at.date(), end.date()) } else { (own.date(), day_after(&own, &own_end)) };
        let entry = Entry { at: own, end: own_end, day: first, event: event.clone(), circle: circle.to_owned() };
        let days = std::iter::successors(Some(first.max(today)), |day| day.tomorrow().ok());
        days.take_while(move |day| *day < behind.min(before)).map(move |day| Entry { day, ..entry.clone() })
    };
    starts.into_iter().flat_map(entries).collect()
}

/// The first day that it does not touch any more.
fn day_after(at: &Zoned, end: &Zoned) -> Date {
    let midnight = end > at && end.time() == Time::midnight();
    if midnight { end.date() } else { end.date().tomorrow().unwrap_or(Date::MAX) }
}

fn as_json(ui: &Ui, span: Span, now: &Zoned, entries: &[Entry], new: usize) -> Result<()> {
    // A program is told of an occurrence once, with all of its days.
    let is = |one: &Entry, other: &Entry| (&one.event.id, one.at.timestamp()) == (&other.event.id, other.at.timestamp());
    let firsts = entries.iter().enumerate().filter(|(at, e)| !entries.iter().take(*at).any(|before| is(before, e)));
    let events: Vec<serde_json::Value> = firsts
        .map(|(_, e)| {
            let days: Vec<String> = entries.iter().filter(|other| is(other, e)).map(|other| other.day.to_string()).collect();
            let ends = Some(&e.end).filter(|end| **end > e.at).map(|end| end.timestamp().to_string());
            json!({
                "id": e.event.id, "circle": e.event.circle, "circle_name": e.circle, "title": e.event.title,
                "starts": e.at.timestamp().to_string(), "ends": ends, "all_day": e.event.all_day,
                "day": e.day.to_string(), "days": days, "tz": e.event.tz, "mine": e.event.rsvp.mine,
            })
        })
        .collect();
    let schema = format!("kith.{}/1", span.name());
    ui.out_value(&json!({ "schema": schema, "date": now.date().to_string(), "events": events, "new": new }))
}

/// Columns: day, start, end, id, title, circle, one's own answer; a whole day has neither start nor end.
fn plain(ui: &Ui, entries: &[Entry]) -> Result<()> {
    let rows: Vec<Vec<Line>> = entries
        .iter()
        .map(|e| {
            // Days have no zone; they are told by the first column alone.
            let moment = |at: &Zoned| if e.event.all_day { String::new() } else { at.timestamp().to_string() };
            let ends = if e.end > e.at { moment(&e.end) } else { String::new() };
            let mine = e.event.rsvp.mine.map_or("", Rsvp::word);
            let cells = [e.day.to_string(), moment(&e.at), ends, e.event.id.clone()].map(Line::from);
            let words = [Line::new().part(&e.event.title), Line::new().part(&e.circle), mine.into()];
            cells.into_iter().chain(words).collect()
        })
        .collect();
    ui.table(&[], &rows)
}

fn show(ui: &Ui, span: Span, entries: &[Entry], new: usize) -> Result<()> {
    if ui.plain {
        return plain(ui, entries);
    }
    if entries.is_empty() {
        ui.out(match span {
            Span::Today => "Nothing takes place today.",
            Span::Week => "Nothing takes place in the next seven days.",
            Span::Month => "Nothing takes place in the next month.",
        })?;
    }
    let mut day = None;
    for entry in entries {
        if span != Span::Today && day != Some(entry.day) {
            day = Some(entry.day);
            ui.out(Line::new().strong(&entry.day.strftime("%A %-d %B").to_string()))?;
        }
        ui.hanging(Line::new().text(&hours(entry)), about(ui, entry))?;
    }
    if new > 0 {
        ui.out("There is something new: `kith inbox` shows it.")?;
    }
    Ok(())
}

/// When, on this computer's clock, and whose clock that is.
fn hours(entry: &Entry) -> String {
    let Entry { at, end, day, .. } = entry;
    let (from, until) = (at.strftime("%H:%M"), end.strftime("%H:%M"));
    let hours = match (at.date() < *day, end.date() > *day) {
        _ if entry.fills_its_day() => return format!("{:17}", "  all day"),
        (true, _) => format!("until {until}"),
        // Longer than to the same time of the next day.
        (false, true) if end.datetime() >= at.datetime().saturating_add(1.day()) => format!("from {from}"),
        (false, _) if end > at => format!("{from}–{until}"),
        (false, _) => from.to_string(),
    };
    format!("{:17}", format!("  {hours} {}", at.strftime("%Z")))
}

fn about(ui: &Ui, entry: &Entry) -> Line {
    let mine = entry.event.rsvp.mine.map(|mine| Line::new().text("you: ").good(mine.word())).unwrap_or_default();
    let title = Line::new().part(&entry.event.title);
    let there = elsewhere(entry).map(|there| Line::new().dim(&there)).unwrap_or_default();
    dotted(vec![title, Line::new().part(&entry.circle), there, mine, Line::new().dim(&short_id(ui, &entry.event.id))])
}

/// The time in the event's own zone, where its clock shows another.
fn elsewhere(entry: &Entry) -> Option<String> {
    let tz = TimeZone::get(zone_name(&entry.event.tz)).ok().filter(|_| !entry.event.all_day && entry.at.date() == entry.day)?;
    time::elsewhere(&entry.at, &tz)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(local: (&str, &str), tz: &str, rrule: Option<&str>, all_day: bool) -> Event {
        let zone = TimeZone::get(tz).unwrap();
        let at = |text: &str| crate::calendar::parse_local(text).unwrap().to_zoned(zone.clone()).unwrap().timestamp().to_string();
        let ends = if local.1.is_empty() { serde_json::Value::Null } else { at(local.1).into() };
        serde_json::from_value(json!({
            "id": "e-abcdefgh", "circle": "c-a", "title": "Circle", "starts": at(local.0), "ends": ends, "starts_local": local.0,
            "ends_local": local.1, "all_day": all_day, "tz": tz, "rrule": rrule, "status": "confirmed", "state": "visible",
            "description": "", "location": "", "uid": "", "tags": [], "new": false, "created_at": "2026-11-01T00:00:00Z",
            "rsvp": {"yes": 0, "no": 0, "maybe": 0, "mine": null}, "author": {"member": "m-abcdefgh", "name": "Amara"},
            "edited_at": null, "delivery": null,
        }))
        .unwrap()
    }

    fn shown(event: &Event, now: &str, span: Span) -> Vec<(String, String)> {
        let now: Zoned = now.parse().unwrap();
        let found = occurrences(event, "Tea", &now, span.end(now.date()));
        found.iter().map(|entry| (entry.day.to_string(), hours(entry).trim().to_owned())).collect()
    }

    #[test]
    fn what_comes_is_shown_on_ones_own_days() {
        let weekly = event(("2026-12-01T18:00:00", "2026-12-01T19:00:00"), "America/New_York", Some("FREQ=WEEKLY"), false);
        let now = "2026-11-30T15:00+01:00[Europe/Madrid]";
        assert_eq!(shown(&weekly, now, Span::Today), []);
        assert_eq!(shown(&weekly, now, Span::Week), [("2026-12-02".to_owned(), "00:00–01:00 CET".to_owned())]);
        assert_eq!(shown(&weekly, now, Span::Month).len(), 4);
        let daily = event(("2026-11-01T09:00:00", ""), "Europe/Madrid", Some("FREQ=DAILY"), false);
        assert_eq!(shown(&daily, now, Span::Week).len(), 7);
        assert_eq!(shown(&daily, now, Span::Today), [("2026-11-30".to_owned(), "09:00 CET".to_owned())]);
    }

    #[test]
    fn whole_days_are_days_wherever_one_is() {
        let day = event(("2026-12-02", "2026-12-03"), "Pacific/Auckland", None, true);
        for now in [
            "2026-12-02T09:00-08:00[America/Los_Angeles]",
            "2026-12-02T23:30+01:00[Europe/Madrid]",
            "2026-12-02T01:00+13:00[Pacific/Auckland]",
        ] {
            assert_eq!(shown(&day, now, Span::Today), [("2026-12-02".to_owned(), "all day".to_owned())], "{now}");
        }
        assert_eq!(shown(&day, "2026-12-01T09:00-08:00[America/Los_Angeles]", Span::Today), []);
        assert_eq!(shown(&day, "2026-12-03T09:00-08:00[America/Los_Angeles]", Span::Today), []);
        let three = event(("2026-11-29", "2026-12-02"), "UTC", None, true);
        assert_eq!(
            shown(&three, "2026-12-01T12:00+01:00[Europe/Madrid]", Span::Week),
            [("2026-12-01".to_owned(), "all day".to_owned())]
        );
    }

    fn days(event: &Event, now: &str, span: Span) -> String {
        shown(event, now, span).into_iter().map(|(day, hours)| format!("{} {hours}", &day[8..])).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn what_lasts_several_days_is_shown_on_each() {
        let marathon = event(("2026-11-29T20:00:00", "2026-12-01T08:00:00"), "UTC", None, false);
        let all = "29 from 20:00 UTC, 30 all day, 01 until 08:00 UTC";
        assert_eq!(days(&marathon, "2026-11-29T10:00+00:00[UTC]", Span::Week), all);
        assert_eq!(days(&marathon, "2026-11-30T10:00+00:00[UTC]", Span::Month), "30 all day, 01 until 08:00 UTC");
        assert_eq!(days(&marathon, "2026-11-30T10:00+00:00[UTC]", Span::Today), "30 all day");
        assert_eq!(days(&marathon, "2026-12-01T07:00+00:00[UTC]", Span::Today), "01 until 08:00 UTC");
        let auckland = days(&marathon, "2026-11-30T10:00+13:00[Pacific/Auckland]", Span::Week);
        assert_eq!(auckland, "30 from 09:00 NZDT, 01 until 21:00 NZDT", "on the days of this computer's clock");
        let trip = event(("2026-11-29", "2026-12-02"), "UTC", None, true);
        assert_eq!(days(&trip, "2026-11-30T10:00+00:00[UTC]", Span::Week), "30 all day, 01 all day");
        let night = event(("2026-12-01T22:00:00", "2026-12-02T02:00:00"), "UTC", Some("FREQ=WEEKLY"), false);
        assert_eq!(days(&night, "2026-12-01T10:00+00:00[UTC]", Span::Week), "01 22:00–02:00 UTC, 02 until 02:00 UTC");
        let evening = event(("2026-12-01T22:00:00", "2026-12-02T00:00:00"), "UTC", None, false);
        assert_eq!(
            days(&evening, "2026-12-01T10:00+00:00[UTC]", Span::Week),
            "01 22:00–00:00 UTC",
            "midnight is the day before's"
        );
    }

    #[test]
    fn what_goes_on_stands_before_what_begins() {
        let now: Zoned = "2026-11-30T10:00+00:00[UTC]".parse().unwrap();
        let marathon = event(("2026-11-29T20:00:00", "2026-12-01T08:00:00"), "UTC", None, false);
        let early = event(("2026-12-01T07:00:00", ""), "UTC", None, false);
        let mut entries: Vec<Entry> =
            [&early, &marathon].iter().flat_map(|event| occurrences(event, "Tea", &now, Span::Week.end(now.date()))).collect();
        entries.sort_by_key(Entry::order);
        let lines: Vec<String> = entries.iter().map(|entry| hours(entry).trim().to_owned()).collect();
        assert_eq!(lines, ["all day", "until 08:00 UTC", "07:00 UTC"]);
    }
}
