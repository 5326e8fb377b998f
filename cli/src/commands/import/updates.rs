//! What an imported calendar changes in events that are here.

use kith_protocol::control::{Event, Kind};
use serde_json::{Value, json};

use super::super::item;
use crate::client::Client;
use crate::context::Context;
use crate::error::Result;
use crate::import::Haul;
use crate::import::later::Update;
use crate::ui::{Line, Ui};

/// What changes; nothing where no daemon can say what is here.
pub(super) fn plan(context: &Context, client: &Client, haul: &mut Haul) -> Result<Vec<Update>> {
    if !haul.later.calendar || (context.global().dry_run && !client.answers()) {
        return Ok(Vec::new());
    }
    let here: Vec<Event> = client.get(&item::all(context, Kind::Event).flag("full", true))?.field("events")?;
    Ok(haul.updates(&here))
}

/// Writes them down, one by one: each is a change of its own.
pub(super) fn send(context: &Context, client: &Client, updates: &[Update]) -> Result<()> {
    if context.global().dry_run {
        return Ok(());
    }
    for update in updates {
        client.send("PATCH", &item::one(context, Kind::Event, &update.id), &update.edit)?;
    }
    Ok(())
}

/// In JSON.
pub(super) fn shown(updates: &[Update]) -> Vec<Value> {
    let one =
        |update: &Update| json!({ "id": update.id, "title": update.title, "line": update.origin.line, "fields": update.fields });
    updates.iter().map(one).collect()
}

/// In words.
pub(super) fn tell(ui: &Ui, updates: &[Update], dry: bool) -> Result<()> {
    for update in updates {
        let what = update.fields.join(", ");
        if dry {
            ui.out(format!("would change event: {} ({what})", update.title))?;
        } else {
            ui.say(Line::new().dim("updated: ").strong(&update.title).text(&format!(" ({what})")));
        }
    }
    if !updates.is_empty() && !dry {
        let events = if updates.len() == 1 { "event" } else { "events" };
        ui.say(Line::new().good(&format!("Updated {} {events}.", updates.len())));
    }
    Ok(())
}
