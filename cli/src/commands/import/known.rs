//! What is in the circle already: the same thing never comes in twice.

use std::collections::BTreeSet;

use kith_protocol::control::{BatchItem, Event, Kind, Note, Resource};

use crate::client::Client;
use crate::commands::item;
use crate::context::Context;
use crate::error::Result;
use crate::export::with_plain_ends;
use crate::import::{Found, Haul};

/// What is new, and the titles of what is there already.
pub(super) fn sort_out<'a>(context: &Context, client: &Client, haul: &'a Haul) -> Result<(Vec<&'a Found>, Vec<String>)> {
    let mut known = known(context, client, haul)?;
    let (mut new, mut already) = (Vec::new(), Vec::new());
    for found in &haul.found {
        if known.insert(mark(&found.item)) {
            new.push(found);
        } else {
            already.push(found.title.clone());
        }
    }
    Ok((new, already))
}

/// By what the same thing is recognised: an event by its calendar's id, a resource by its address, anything else by its words as
/// they are kept.
fn mark(item: &BatchItem) -> String {
    match item {
        BatchItem::Event(event) if !event.uid.is_empty() => format!("event {}", event.uid),
        BatchItem::Event(event) => format!("event at {} {}", event.starts, event.title),
        BatchItem::Resource(resource) => of_resource(&resource.title, &resource.url, &resource.note),
        BatchItem::Note(note) => of_note(&note.title, &note.body),
    }
}

fn of_resource(title: &str, url: &str, note: &str) -> String {
    if url.is_empty() {
        format!("resource without a place {title}\n{}", with_plain_ends(note))
    } else {
        format!("resource {url}")
    }
}

fn of_note(title: &str, body: &str) -> String {
    format!("note {title}\n{}", with_plain_ends(body))
}

fn known(context: &Context, client: &Client, haul: &Haul) -> Result<BTreeSet<String>> {
    // Long texts whole, those behind warnings too: what is cut is no longer the same.
    let route = |kind| item::all(context, kind).flag("reveal", true).flag("full", true);
    let has = |is: fn(&BatchItem) -> bool| haul.found.iter().any(|found| is(&found.item));
    let mut known = BTreeSet::new();
    if context.global().dry_run && !client.answers() {
        return Ok(known);
    }
    if has(|item| matches!(item, BatchItem::Event(_))) {
        let events: Vec<Event> = client.get(&route(Kind::Event))?.field("events")?;
        for event in events {
            known.insert(format!("event at {} {}", event.starts.0, event.title));
            known.insert(format!("event {}", event.uid));
            known.insert(format!("event {}@kith", event.id));
        }
    }
    if has(|item| matches!(item, BatchItem::Resource(_))) {
        let resources: Vec<Resource> = client.get(&route(Kind::Resource))?.field("resources")?;
        known.extend(resources.iter().map(|resource| of_resource(&resource.title, &resource.url, &resource.note)));
    }
    if has(|item| matches!(item, BatchItem::Note(_))) {
        let notes: Vec<Note> = client.get(&route(Kind::Note))?.field("notes")?;
        known.extend(notes.iter().map(|note| of_note(&note.title, note.body.as_deref().unwrap_or_default())));
    }
    Ok(known)
}
