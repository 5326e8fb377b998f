//! `kith import --undo`: removes what one import brought.

use kith_protocol::control::{Code, Import, Kind};
use serde_json::{Value, json};

use crate::client::{Client, Route};
use crate::context::Context;
use crate::error::{Result, Stop};
use crate::limits::ASKED_TITLES;
use crate::ui::Line;

pub(super) fn run(context: &Context, import: &str, yes: bool) -> Result<()> {
    let (client, ui) = (context.client()?, context.ui());
    let Import { id, circle, items } = client.get(&Route::new("imports").seg(import))?.read()?;
    if context.global().dry_run {
        return items.iter().try_for_each(|item| ui.out(format!("would remove {item}")));
    }
    if ui.interactive && !yes && !agreed(context, &client, &circle, &items)? {
        ui.say("Nothing was removed.");
        return Ok(());
    }
    let bar = ui.bar("Removing", items.len());
    let mut removed = Vec::new();
    for item in &items {
        match of(&circle, item).map(|route| client.send("DELETE", &route, &json!({}))) {
            Some(Ok(_)) => removed.push(item.clone()),
            // Somebody removed it by itself, or its time is over.
            Some(Err(Stop::Refused(error))) if error.code == Code::NotFound => {}
            Some(Err(stop)) => return Err(stop),
            None => {}
        }
        bar.add(1);
    }
    drop(bar);
    client.send("DELETE", &Route::new("imports").seg(&id), &json!({}))?;
    context.delivered(&client)?;
    if ui.json {
        return ui.out_value(&json!({ "schema": "kith.import.undo/1", "import": id, "circle": circle, "removed": removed }));
    }
    let gone = items.len() - removed.len();
    let already = if gone == 0 { String::new() } else { format!(" {gone} of them were gone already.") };
    let name: Option<String> = client.get(&Route::new("circles").seg(&circle)).and_then(|reply| reply.field("name")).ok();
    let place = name.map_or_else(Line::new, |name| Line::new().text(" from ").strong(&name));
    let removed = Line::new().good(&format!("Removed {}", things(removed.len()))).and(place);
    ui.say(removed.text(&format!(": what {id} brought.")).text(&already).text(&stays(&items)));
    ui.say("It is hidden now; its bytes are destroyed in a day. What somebody already read or copied cannot be taken back.");
    Ok(())
}

/// What an import did that is not taken back with what it brought; only calendars change anything.
fn stays(items: &[String]) -> String {
    let calendar = items.iter().any(|item| item.starts_with(&format!("{}-", Kind::Event.letter())));
    if calendar { " What it changed in events that were here before stays changed.".to_owned() } else { String::new() }
}

/// Where an item is, by the letter of its id.
fn of(circle: &str, item: &str) -> Option<Route> {
    let letter = item.split_once('-').and_then(|(letter, _)| letter.chars().next())?;
    let kind = Kind::listed().find(|kind| kind.letter() == letter)?;
    Some(Route::new("circles").seg(circle).seg(kind.path()).seg(item))
}

/// Shows what would go.
fn agreed(context: &Context, client: &Client, circle: &str, items: &[String]) -> Result<bool> {
    let ui = context.ui();
    let name: String = client.get(&Route::new("circles").seg(circle))?.field("name")?;
    ui.say(
        Line::new()
            .text(&format!("{} in ", things(items.len())))
            .strong(&name)
            .text(" would be removed, here and for everybody:"),
    );
    for item in items.iter().take(ASKED_TITLES) {
        let shown: Option<Value> = of(circle, item).and_then(|route| client.get(&route).ok()).and_then(|reply| reply.read().ok());
        let title = shown.as_ref().and_then(|shown| shown.get("title")).and_then(Value::as_str).unwrap_or(item);
        ui.say(Line::new().text("  ").strong(title));
    }
    if items.len() > ASKED_TITLES {
        ui.say(Line::new().dim(&format!("  and {} more", items.len() - ASKED_TITLES)));
    }
    ui.agree("Remove them?")
}

fn things(count: usize) -> String {
    format!("{count} {}", if count == 1 { "item" } else { "items" })
}
