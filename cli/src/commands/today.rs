//! `kith today`.

use jiff::civil::Date;
use jiff::{Timestamp, Zoned};
use kith_protocol::control::{Circle, CircleStatus, Event, Inbox, NoteState};
use serde_json::json;

use super::show::{dotted, short_id};
use crate::calendar::Series;
use crate::client::Route;
use crate::context::Context;
use crate::error::Result;
use crate::ui::{Line, Ui};

/// What takes place today, and whether something new is there
#[derive(Debug, clap::Args)]
pub(crate) struct TodayArgs {}

/// Something that takes place today.
struct Entry {
    at: Zoned,
    event: Event,
    circle: String,
}

pub(crate) fn run(context: &Context) -> Result<()> {
    let client = context.client()?;
    let now = Zoned::now();
    let circles: Vec<Circle> = client.get(&Route::new("circles"))?.field("circles")?;
    let mut entries = Vec::new();
    for circle in circles.iter().filter(|circle| circle.status == CircleStatus::Current) {
        let route = Route::new("circles").seg(&circle.id).seg("events").flag("upcoming", true);
        let events: Vec<Event> = client.get(&route)?.field("events")?;
        entries.extend(events.into_iter().filter_map(|event| today(event, &circle.name, &now)));
    }
    entries.sort_by_key(|entry| entry.at.timestamp());
    let inbox: Inbox = client.get(&Route::new("inbox"))?.read()?;
    if context.ui().json {
        let events: Vec<serde_json::Value> = entries
            .iter()
            .map(|e| json!({ "id": e.event.id, "circle": e.event.circle, "title": e.event.title, "starts": e.at.timestamp().to_string(), "mine": e.event.rsvp.mine }))
            .collect();
        return context.ui().out_value(
            &json!({ "schema": "kith.today/1", "date": now.date().to_string(), "events": events, "new": inbox.inbox.len() }),
        );
    }
    show(context.ui(), &entries, inbox.inbox.len())
}

fn today(event: Event, circle: &str, now: &Zoned) -> Option<Entry> {
    if event.state != NoteState::Visible || event.status == "cancelled" {
        return None;
    }
    let series = Series::of(&event)?;
    let day_begins = now.start_of_day().ok()?.timestamp().max(Timestamp::UNIX_EPOCH);
    let at = series.next(day_begins, 1).ok()?.into_iter().next()?;
    let date: Date = if event.all_day { at.date() } else { at.with_time_zone(now.time_zone().clone()).date() };
    (date <= now.date()).then(|| Entry { at: at.with_time_zone(now.time_zone().clone()), event, circle: circle.to_owned() })
}

fn show(ui: &Ui, entries: &[Entry], new: usize) -> Result<()> {
    if entries.is_empty() {
        ui.out("Nothing takes place today.")?;
    }
    for entry in entries {
        let time = if entry.event.all_day { "all day".to_owned() } else { entry.at.strftime("%H:%M").to_string() };
        let mine = entry.event.rsvp.mine.as_deref().map(|mine| Line::new().good(mine)).unwrap_or_default();
        let id = Line::new().dim(&short_id(ui, &entry.event.id));
        ui.out(Line::new().text(&format!("{time:8}")).and(dotted(vec![
            Line::new().part(&entry.event.title),
            Line::new().part(&entry.circle),
            mine,
            id,
        ])))?;
    }
    if new > 0 {
        ui.out("Something new is there; `kith inbox` shows it.")?;
    }
    Ok(())
}
