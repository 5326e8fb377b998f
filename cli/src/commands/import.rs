//! `kith import`.

mod updates;

use std::collections::BTreeSet;
use std::path::PathBuf;

use kith_protocol::control::{Batch, BatchItem, Code, Event, Kind, Note, Resource};
use serde_json::{Value, json};

use super::item;
use crate::calendar::when;
use crate::client::{Client, Route};
use crate::context::Context;
use crate::error::{self, Result};
use crate::files;
use crate::import::later::Update;
use crate::import::{Found, Haul, calendar, csv, folder, links};
use crate::left_out::{LeftOut, Weight};
use crate::limits::{CHUNK_BYTES, CHUNK_ITEMS, FILE_BYTES};
use crate::ui::{Line, Ui};

/// Import a calendar (.ics), a table (.csv), a Markdown list of links (.md), or a folder of text and Markdown
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// The file or folder
    path: PathBuf,
    /// Use this zone for times that name none [default: this computer's]
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
}

pub(crate) fn run(context: &Context, args: &ImportArgs) -> Result<()> {
    let mut haul = read(args)?.checked();
    let ui = context.ui();
    let bare = context.bare_client()?;
    // What would be imported can be shown with no daemon too; what is there already is then not known.
    let client = if context.global().dry_run && !bare.answers() { bare } else { context.client()? };
    let updates = updates::plan(context, &client, &mut haul)?;
    remarks(ui, &haul);
    let (new, already) = sort_out(context, &client, &haul)?;
    for title in &already {
        ui.detail(Line::new().strong(title).text(" is there already."));
    }
    if new.is_empty() && updates.is_empty() {
        ui.say(if already.is_empty() { "Nothing to import." } else { "All of it is there already." });
    }
    let ids = if context.global().dry_run { Vec::new() } else { send(context, &client, &new)? };
    updates::send(context, &client, &updates)?;
    if !ids.is_empty() || !updates.is_empty() {
        context.delivered(&client)?;
    }
    report(context, &haul, &new, &already, &ids, &updates)
}

fn read(args: &ImportArgs) -> Result<Haul> {
    let path = &args.path;
    let meta = std::fs::symlink_metadata(path).map_err(|e| error::io("Cannot read", path, &e))?;
    if meta.is_dir() {
        return folder::haul(path);
    }
    let extension = path.extension().map(|ext| ext.to_string_lossy().to_lowercase()).unwrap_or_default();
    let unusable = |why: String| error::failed(format!("{} cannot be imported: {why}.", path.display()), "");
    match extension.as_str() {
        "ics" | "ical" | "ifb" => {
            let (_, usual) = when::zone(args.tz.as_deref())?;
            calendar::haul(&files::read(path, FILE_BYTES)?, &usual).map_err(unusable)
        }
        "csv" => csv::haul(&files::read_text(path, FILE_BYTES)?).map_err(unusable),
        "md" | "markdown" => {
            let haul = links::haul(&files::read_text(path, FILE_BYTES)?);
            if haul.found.is_empty() {
                return Err(error::failed(
                    format!("{} holds no links.", path.display()),
                    "A Markdown file is read as a list of links. To keep texts as notes, import the folder that holds them.",
                ));
            }
            Ok(haul)
        }
        "txt" => folder::note(path).map(|found| Haul { found: vec![found], ..Haul::default() }),
        _ => Err(error::usage(
            format!("{} is none of the files that can be imported.", path.display()),
            "A calendar (.ics), a table (.csv), a Markdown list of links (.md), or a folder of text and Markdown.",
        )),
    }
}

/// What has no place is named, line by line.
fn remarks(ui: &Ui, haul: &Haul) {
    let mut minor = 0;
    for left in &haul.left_out {
        let word = match left.weight {
            Weight::Minor if ui.verbose == 0 => {
                minor += 1;
                continue;
            }
            Weight::Dropped | Weight::Minor => Line::new().warn("not kept: "),
            Weight::Changed => Line::new().dim("changed: "),
        };
        let line = left.origin.line.map(|line| format!("line {line}: ")).unwrap_or_default();
        let file = left.origin.file.as_ref().map(|file| format!("{file}: ")).unwrap_or_default();
        ui.say(word.text(&file).text(&line).strong(&left.what).text(" ").text(&left.why));
    }
    if minor > 0 {
        ui.say(Line::new().dim(&format!("and {minor} fields of calendar bookkeeping (-v names them)")));
    }
}

/// What is new, and the titles of what is there already.
fn sort_out<'a>(context: &Context, client: &Client, haul: &'a Haul) -> Result<(Vec<&'a Found>, Vec<String>)> {
    let mut known = known(context, client, haul)?;
    let (mut new, mut already) = (Vec::new(), Vec::new());
    for found in &haul.found {
        match mark(&found.item) {
            Some(mark) if !known.insert(mark.clone()) => already.push(found.title.clone()),
            _ => new.push(found),
        }
    }
    Ok((new, already))
}

/// By what the same thing is recognised: an event by its calendar's id, a resource by its address, a note by its words.
fn mark(item: &BatchItem) -> Option<String> {
    match item {
        BatchItem::Event(event) if !event.uid.is_empty() => Some(format!("event {}", event.uid)),
        BatchItem::Event(event) => Some(format!("event at {} {}", event.starts, event.title)),
        BatchItem::Resource(resource) if !resource.url.is_empty() => Some(format!("resource {}", resource.url)),
        BatchItem::Resource(_) => None,
        BatchItem::Note(note) => Some(format!("note {}\n{}", note.title, note.body)),
    }
}

fn known(context: &Context, client: &Client, haul: &Haul) -> Result<BTreeSet<String>> {
    let route = |kind| item::all(context, kind);
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
        known.extend(resources.into_iter().map(|resource| format!("resource {}", resource.url)));
    }
    if has(|item| matches!(item, BatchItem::Note(_))) {
        let notes: Vec<Note> = client.get(&route(Kind::Note).flag("reveal", true).flag("full", true))?.field("notes")?;
        known.extend(notes.into_iter().map(|note| format!("note {}\n{}", note.title, note.body.unwrap_or_default())));
    }
    Ok(known)
}

/// Send in pieces; each is one transaction.
fn send(context: &Context, client: &Client, new: &[&Found]) -> Result<Vec<String>> {
    let route = Route::new("circles").seg(context.circle()).seg("batch");
    let bar = context.ui().bar("Importing", new.len());
    let mut ids: Vec<String> = Vec::new();
    for chunk in chunks(new)? {
        let batch = Batch { items: chunk };
        let sent = client.send("POST", &route, &batch).and_then(|reply| reply.field::<Vec<String>>("ids"));
        match sent {
            Ok(made) => ids.extend(made),
            Err(stop) if ids.is_empty() => return Err(stop),
            Err(stop) => {
                drop(bar);
                context.ui().complain(&Line::new().warn(&format!("{} of {} are imported and stay. ", ids.len(), new.len())));
                return Err(stop);
            }
        }
        bar.add(batch.items.len());
    }
    Ok(ids)
}

fn chunks(new: &[&Found]) -> Result<Vec<Vec<BatchItem>>> {
    let mut chunks: Vec<Vec<BatchItem>> = Vec::new();
    let mut bytes = usize::MAX;
    for found in new {
        let size = serde_json::to_vec(&found.item).map_err(|e| error::failed(e.to_string(), ""))?.len();
        let full = chunks.last().is_none_or(|chunk| chunk.len() >= CHUNK_ITEMS) || bytes.saturating_add(size) > CHUNK_BYTES;
        if full {
            chunks.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(chunk) = chunks.last_mut() {
            chunk.push(found.item.clone());
        }
    }
    Ok(chunks)
}

fn kind(item: &BatchItem) -> &'static str {
    match item {
        BatchItem::Note(_) => "note",
        BatchItem::Event(_) => "event",
        BatchItem::Resource(_) => "resource",
    }
}

/// What was imported, in JSON.
fn imported(found: &Found, id: Option<&String>) -> Value {
    let (file, line) = (&found.origin.file, found.origin.line);
    json!({ "id": id, "kind": kind(&found.item), "title": found.title, "file": file, "line": line })
}

/// What is not kept as it stands, in JSON.
fn left_out(left: &LeftOut) -> Value {
    let LeftOut { origin, what, why, weight } = left;
    json!({ "file": origin.file, "line": origin.line, "what": what, "why": why, "kept": *weight == Weight::Changed })
}

fn report(context: &Context, haul: &Haul, new: &[&Found], already: &[String], ids: &[String], updates: &[Update]) -> Result<()> {
    let ui = context.ui();
    let dry = context.global().dry_run;
    if ui.json {
        let left: Vec<Value> = haul.left_out.iter().map(left_out).collect();
        // Without ids where nothing was written.
        let ids_of_all = ids.iter().map(Some).chain(std::iter::repeat(None));
        let items: Vec<Value> = new.iter().zip(ids_of_all).map(|(found, id)| imported(found, id)).collect();
        ui.out_value(&json!({
            "schema": "kith.import/1", "dry_run": dry, "imported": ids.len(), "ids": ids, "items": items, "already": already, "updated": updates::shown(updates), "left_out": left,
        }))?;
    } else {
        for found in new.iter().filter(|_| dry) {
            ui.out(format!("would import {}: {}", kind(&found.item), found.title))?;
        }
        let there = if already.is_empty() { String::new() } else { format!(", {} already there", already.len()) };
        let count = |word: &str| new.iter().filter(|found| kind(&found.item) == word).count();
        let made: Vec<String> = ["note", "event", "resource"]
            .into_iter()
            .filter(|word| count(word) > 0)
            .map(|word| format!("{} {word}{}", count(word), if count(word) == 1 { "" } else { "s" }))
            .collect();
        let verb = if dry { "Would import" } else { "Imported" };
        updates::tell(ui, updates, dry)?;
        if !new.is_empty() {
            ui.say(Line::new().good(&format!("{verb} {}{there}.", made.join(", "))));
        }
    }
    if haul.found.is_empty() && updates.is_empty() && haul.left_out.iter().any(|left| left.weight == Weight::Dropped) {
        return Err(error::refused(Code::Failed, "Nothing of it could be imported.", "The lines above say why."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kith_protocol::control::NewNote;

    use super::*;

    fn reads(path: &std::path::Path) -> bool {
        read(&ImportArgs { path: path.to_path_buf(), tz: Some("UTC".to_owned()) }).is_ok()
    }

    #[test]
    fn pieces_stay_small() {
        let found: Vec<Found> = (0..450)
            .map(|n| Found {
                title: n.to_string(),
                origin: crate::left_out::Origin::default(),
                item: BatchItem::Note(NewNote { body: "x".repeat(4_000), ..NewNote::default() }),
            })
            .collect();
        let refs: Vec<&Found> = found.iter().collect();
        let pieces = chunks(&refs).unwrap();
        assert_eq!(pieces.iter().map(Vec::len).sum::<usize>(), 450);
        for piece in &pieces {
            assert!(piece.len() <= CHUNK_ITEMS && serde_json::to_vec(piece).unwrap().len() <= CHUNK_BYTES + 4_096);
        }
    }

    #[test]
    fn only_what_can_be_read_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        assert!(reads(&put("a.md", "[x](https://x.example)")));
        assert!(!reads(&put("b.md", "no links")));
        assert!(!reads(&put("c.pdf", "x")));
        assert!(!reads(&dir.path().join("missing.ics")));
        let link = dir.path().join("link.ics");
        std::os::unix::fs::symlink(dir.path().join("a.md"), &link).unwrap();
        assert!(!reads(&link));
    }
}
