//! `kith today`, `kith week`, `kith month`: what takes place from today on, in all circles.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use kith_protocol::control::{Circle, CircleStatus, Event, Inbox, NoteState};
use serde_json::json;

use super::show::{dotted, short_id};
use crate::calendar::Series;
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
struct Entry {
    /// In one's own zone.
    at: Zoned,
    /// Its day: of whole days the calendar's, of others the one on which it begins here, or today where it began before.
    day: Date,
    seconds: i64,
    event: Event,
    circle: String,
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
    entries.sort_by_key(|entry| (entry.day, !entry.event.all_day, entry.at.timestamp()));
    Ok(entries)
}

/// What takes place of an event from today on, before this day.
fn occurrences(event: &Event, circle: &str, now: &Zoned, before: Date) -> Vec<Entry> {
    if event.state != NoteState::Visible || event.status == "cancelled" {
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
    let entry = |at: Zoned| {
        let last = at.date().saturating_add((seconds / 86_400 - 1).max(0).days());
        let own = at.with_time_zone(now.time_zone().clone());
        let day = if event.all_day { at.date() } else { own.date() };
        let over = event.all_day && last < today;
        (!over && day < before).then(|| Entry {
            at: own,
            day: day.max(today),
            seconds,
            event: event.clone(),
            circle: circle.to_owned(),
        })
    };
    starts.into_iter().filter_map(entry).collect()
}

fn as_json(ui: &Ui, span: Span, now: &Zoned, entries: &[Entry], new: usize) -> Result<()> {
    let events: Vec<serde_json::Value> = entries
        .iter()
        .map(|e| {
            let starts = e.at.timestamp();
            let ends = starts.checked_add(SignedDuration::from_secs(e.seconds)).ok().filter(|_| e.seconds > 0);
            json!({
                "id": e.event.id, "circle": e.event.circle, "circle_name": e.circle, "title": e.event.title,
                "starts": starts.to_string(), "ends": ends.map(|ends| ends.to_string()), "all_day": e.event.all_day,
                "day": e.day.to_string(), "tz": e.event.tz, "mine": e.event.rsvp.mine,
            })
        })
        .collect();
    let schema = format!("kith.{}/1", span.name());
    ui.out_value(&json!({ "schema": schema, "date": now.date().to_string(), "events": events, "new": new }))
}

fn show(ui: &Ui, span: Span, entries: &[Entry], new: usize) -> Result<()> {
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
    if entry.event.all_day {
        return format!("{:17}", "  all day");
    }
    let end = entry.at.saturating_add(SignedDuration::from_secs(entry.seconds));
    let until = if entry.seconds > 0 && entry.seconds < 86_400 { end.strftime("–%H:%M").to_string() } else { String::new() };
    format!("{:17}", format!("  {}{until} {}", entry.at.strftime("%H:%M"), entry.at.strftime("%Z")))
}

fn about(ui: &Ui, entry: &Entry) -> Line {
    let mine = entry.event.rsvp.mine.as_deref().map(|mine| Line::new().text("you: ").good(mine)).unwrap_or_default();
    let title = Line::new().part(&entry.event.title);
    let there = elsewhere(entry).map(|there| Line::new().dim(&there)).unwrap_or_default();
    dotted(vec![title, Line::new().part(&entry.circle), there, mine, Line::new().dim(&short_id(ui, &entry.event.id))])
}

/// The time in the event's own zone, where its clock shows another.
fn elsewhere(entry: &Entry) -> Option<String> {
    let tz = TimeZone::get(&entry.event.tz).ok().filter(|_| !entry.event.all_day)?;
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
}
