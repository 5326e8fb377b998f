//! `kith import`.

mod known;
mod undo;
mod updates;

use std::path::{Path, PathBuf};

use kith_protocol::control::{Batch, BatchItem, Circle, Code};
use serde_json::{Value, json};

use crate::calendar::when;
use crate::client::{Client, Route};
use crate::context::Context;
use crate::error::{self, Result};
use crate::files;
use crate::global::not_empty;
use crate::import::later::Update;
use crate::import::{Found, Haul, bookmarks, calendar, csv, decode, folder, links, own};
use crate::left_out::{LeftOut, Origin, Weight};
use crate::limits::{ASKED_TITLES, CHUNK_BYTES, CHUNK_ITEMS, FILE_BYTES, UNASKED_ITEMS};
use crate::ui::{Line, Ui};
use known::sort_out;

/// Bring in a calendar, a table, a list of links, bookmarks or a folder of texts
///
/// Takes a calendar (.ics), a table (.csv), a Markdown list of links (.md), bookmarks as browsers export them (.html), a list that
/// `kith export` wrote (.json), or a folder: an export, or text and Markdown, each file of which becomes a note. What a folder
/// would bring is shown first, and you are asked.
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// The file or folder
    #[arg(required_unless_present = "undo")]
    path: Option<PathBuf>,
    /// The zone of times that name none [default: this computer's]
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
    /// Import without being asked
    #[arg(long)]
    yes: bool,
    /// Remove everything that an earlier import brought
    #[arg(long, value_name = "ID", value_parser = not_empty, conflicts_with_all = ["path", "tz"])]
    undo: Option<String>,
}

/// What was written: the ids of the new items, in their order, and that of the import.
#[derive(Debug, Default)]
struct Written {
    ids: Vec<String>,
    import: Option<String>,
}

pub(crate) fn run(context: &Context, args: &ImportArgs) -> Result<()> {
    if let Some(import) = &args.undo {
        return undo::run(context, import, args.yes);
    }
    let Some(path) = &args.path else { return Err(error::usage("There is nothing to import.", "Name a file or a folder.")) };
    let mut haul = read(path, args.tz.as_deref())?.checked();
    let ui = context.ui();
    let bare = context.bare_client()?;
    // What would be imported can be shown with no daemon too; what is there already is then not known.
    let client = if context.global().dry_run && !bare.answers() { bare } else { context.client()? };
    let updates = updates::plan(context, &client, &mut haul)?;
    tell_left_out(ui, &haul);
    let (new, already) = sort_out(context, &client, &haul)?;
    for title in &already {
        ui.detail(Line::new().strong(title).text(" is there already."));
    }
    if new.is_empty() && updates.is_empty() {
        ui.say(nothing_new(&haul, &already));
    }
    let dry = context.global().dry_run;
    // A folder may hold what nobody meant to publish; of a file's contents, a terminal asks where they are more than a few.
    let asks = path.is_dir() || ui.interactive && new.len() > UNASKED_ITEMS;
    if asks && !dry && !args.yes && !new.is_empty() && !agreed(context, &client, &new)? {
        ui.say("Nothing was imported.");
        return Ok(());
    }
    let written = if dry { Written::default() } else { send(context, &client, &new)? };
    updates::send(context, &client, &updates)?;
    if !written.ids.is_empty() || !updates.is_empty() {
        context.delivered(&client)?;
    }
    let into: Option<Circle> = if written.ids.is_empty() {
        None
    } else {
        client.get(&Route::new("circles").seg(context.circle())).and_then(|reply| reply.read()).ok()
    };
    report(context, &haul, (&new, &already), (&written, into.as_ref()), &updates)
}

/// What is said where nothing comes in. That all of it is there is true only where nothing was left out.
fn nothing_new(haul: &Haul, already: &[String]) -> String {
    let left = haul.left_out.iter().any(|left| left.weight == Weight::Dropped);
    match already.len() {
        0 => "Nothing to import.".to_owned(),
        _ if !left => "All of it is there already.".to_owned(),
        1 => "Nothing else to import: 1 is there already.".to_owned(),
        many => format!("Nothing else to import: {many} are there already."),
    }
}

fn read(path: &Path, tz: Option<&str>) -> Result<Haul> {
    let meta = std::fs::symlink_metadata(path).map_err(|e| error::io("Cannot read", path, &e))?;
    if meta.is_dir() {
        return folder::haul(path);
    }
    let extension = path.extension().map(|ext| ext.to_string_lossy().to_lowercase()).unwrap_or_default();
    match extension.as_str() {
        "ics" | "ical" | "ifb" => {
            let (_, usual) = when::zone(tz)?;
            calendar::haul(&files::read(path, FILE_BYTES)?, &usual).map_err(|why| unusable(path, &why))
        }
        "csv" | "tsv" => text_file(path, csv::haul),
        "json" => text_file(path, own::haul),
        "html" | "htm" => text_file(path, bookmarks::haul),
        "md" | "markdown" => list_of_links(path),
        "txt" => {
            let mut haul = Haul::default();
            let found = folder::note(path, &mut haul, Origin::default())?;
            haul.found.push(found);
            Ok(haul)
        }
        _ => Err(error::usage(
            format!("{} is not a file that can be imported.", path.display()),
            "A calendar (.ics), a table (.csv), a Markdown list of links (.md), bookmarks (.html), a list that Kith exported (.json), or a folder: of text and Markdown, or an export.",
        )),
    }
}

/// Links of a Markdown file; what Kith wrote for reading holds none.
fn list_of_links(path: &Path) -> Result<Haul> {
    let mut for_reading = false;
    let haul = text_file(path, |text| {
        for_reading = own::is_for_reading(text);
        Ok(if for_reading { Haul::default() } else { links::haul(text) })
    })?;
    if for_reading {
        return Err(error::failed(
            format!("{} cannot be imported. {}", path.display(), folder::FOR_READING),
            folder::BY_THE_LIST,
        ));
    }
    if haul.found.is_empty()
        && haul.left_out.iter().all(|left| left.weight != Weight::Dropped || left.why.contains("has no link"))
    {
        return Err(error::failed(
            format!("{} holds no links.", path.display()),
            "A Markdown file is read as a list of links. To keep texts as notes, import the folder that holds them.",
        ));
    }
    Ok(haul)
}

fn unusable(path: &Path, why: &str) -> error::Stop {
    error::failed(
        format!("{} cannot be imported: {why}.", path.display()),
        "Nothing was imported. Put the file right, or choose another one.",
    )
}

/// What a text file holds; how it was read is told where that is not the usual way.
fn text_file(path: &Path, haul: impl FnOnce(&str) -> std::result::Result<Haul, String>) -> Result<Haul> {
    let bytes = files::read(path, FILE_BYTES)?;
    let decoded = decode::text(&bytes).map_err(|why| unusable(path, &why))?;
    let mut haul = haul(&decoded.text).map_err(|why| unusable(path, &why))?;
    if let Some(read_as) = decoded.read_as {
        haul.change(Origin::default(), "The file", format!("is read as {read_as} text"));
    }
    Ok(haul)
}

/// What has no place is named, line by line.
fn tell_left_out(ui: &Ui, haul: &Haul) {
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
        let file = left.origin.file.as_ref().filter(|file| **file != left.what).map(|file| format!("{file}: "));
        ui.say(
            word.text(&file.unwrap_or_default())
                .text(&line)
                .strong(&called(&left.what, left.origin.file.as_deref()))
                .text(" ")
                .text(&left.why),
        );
    }
    if minor > 0 {
        let things = if minor == 1 { "thing" } else { "things" };
        ui.say(Line::new().dim(&format!("and {minor} minor {things} (-v names them)")));
    }
}

/// What is told of: a title in quotes, and the import's own words for a part of a file, or the file, as they are.
fn called(what: &str, file: Option<&str>) -> String {
    let own = ["the ", "The ", "A file", "calendar \"", "\""].into_iter().any(|start| what.starts_with(start));
    if own || file == Some(what) { what.to_owned() } else { format!("\"{what}\"") }
}

/// Shows what a folder would bring, and who would read it, before anything is published.
fn agreed(context: &Context, client: &Client, new: &[&Found]) -> Result<bool> {
    let circle: Circle = client.get(&Route::new("circles").seg(context.circle()))?.read()?;
    let (items, readers) = (counted(new), readers(circle.members, new.len()));
    let ui = context.ui();
    if !ui.interactive {
        return Err(error::refused(
            Code::NeedsConfirmation,
            format!("This would publish {items} in {}, where {readers}.", circle.name),
            "Add --yes to do it, or --dry-run to see every title first.",
        ));
    }
    ui.say(Line::new().text(&format!("{items} would come in:")));
    for found in new.iter().take(ASKED_TITLES) {
        let file = found.origin.file.as_ref().map(|file| format!("  ({file})")).unwrap_or_default();
        ui.say(Line::new().text("  ").strong(&found.title).dim(&file));
    }
    if new.len() > ASKED_TITLES {
        ui.say(Line::new().dim(&format!("  and {} more (--dry-run shows all)", new.len() - ASKED_TITLES)));
    }
    ui.say(Line::new().text("In ").strong(&circle.name).text(&format!(", {readers}.")));
    ui.agree("Import them?")
}

fn readers(members: usize, items: usize) -> String {
    let them = if items == 1 { "it" } else { "them" };
    match members {
        0 | 1 => format!("only you can read {them} so far"),
        2 => format!("you and 1 other person can read {them}"),
        more => format!("you and {} other people can read {them}", more - 1),
    }
}

/// Send in pieces; each is one transaction.
fn send(context: &Context, client: &Client, new: &[&Found]) -> Result<Written> {
    let route = Route::new("circles").seg(context.circle()).seg("batch");
    let bar = context.ui().bar("Importing", new.len());
    let mut written = Written::default();
    for chunk in chunks(new)? {
        let batch = Batch { items: chunk, import: Some(written.import.clone().unwrap_or_default()) };
        let sent = client
            .send("POST", &route, &batch)
            .and_then(|reply| Ok((reply.field::<Vec<String>>("ids")?, reply.field::<Option<String>>("import")?)));
        match sent {
            Ok((made, import)) => {
                written.ids.extend(made);
                written.import = import.or(written.import);
            }
            Err(stop) if written.ids.is_empty() => return Err(stop),
            Err(stop) => {
                drop(bar);
                let undo =
                    written.import.map(|import| format!("`kith import --undo {import}` removes them. ")).unwrap_or_default();
                let (done, all) = (written.ids.len(), new.len());
                context.ui().complain(&Line::new().warn(&format!("{done} of {all} are imported and stay. {undo}")));
                return Err(stop);
            }
        }
        bar.add(batch.items.len());
    }
    Ok(written)
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

/// How many of each kind, in words.
fn counted(new: &[&Found]) -> String {
    let count = |word: &str| new.iter().filter(|found| kind(&found.item) == word).count();
    let words = ["note", "event", "resource"].into_iter().filter(|word| count(word) > 0);
    let counts: Vec<String> =
        words.map(|word| format!("{} {word}{}", count(word), if count(word) == 1 { "" } else { "s" })).collect();
    counts.join(", ")
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

fn report(
    context: &Context,
    haul: &Haul,
    (new, already): (&[&Found], &[String]),
    (written, into): (&Written, Option<&Circle>),
    updates: &[Update],
) -> Result<()> {
    let ui = context.ui();
    let dry = context.global().dry_run;
    if ui.json {
        let left: Vec<Value> = haul.left_out.iter().map(left_out).collect();
        // Without ids where nothing was written.
        let ids_of_all = written.ids.iter().map(Some).chain(std::iter::repeat(None));
        let items: Vec<Value> = new.iter().zip(ids_of_all).map(|(found, id)| imported(found, id)).collect();
        ui.out_value(&json!({
            "schema": "kith.import/1", "dry_run": dry, "import": written.import, "circle": into.map(|circle| &circle.id), "imported": written.ids.len(), "ids": written.ids,
            "items": items, "already": already, "updated": updates::shown(updates), "left_out": left,
        }))?;
    } else {
        for found in new.iter().filter(|_| dry) {
            ui.out(format!("would import {}: \"{}\"", kind(&found.item), found.title))?;
        }
        let there = if already.is_empty() { String::new() } else { format!(", {} already there", already.len()) };
        let verb = if dry { "Would import" } else { "Imported" };
        updates::tell(ui, updates, dry)?;
        if !new.is_empty() {
            let line = Line::new().good(&format!("{verb} {}", counted(new)));
            let line = match into {
                Some(circle) => {
                    line.text(" into ").strong(&circle.name).text(&format!(" ({})", readers(circle.members, new.len())))
                }
                None => line,
            };
            ui.say(line.text(&there).text("."));
        }
        if let Some(import) = &written.import {
            let stays = if updates.is_empty() { "" } else { " What it changed in events stays changed." };
            ui.say(Line::new().dim(&format!("`kith import --undo {import}` removes what this brought.{stays}")));
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

    fn reads(path: &Path) -> bool {
        read(path, Some("UTC")).is_ok()
    }

    #[test]
    fn pieces_stay_small() {
        let found: Vec<Found> = (0..450)
            .map(|n| Found {
                title: n.to_string(),
                origin: Origin::default(),
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

    #[test]
    fn titles_stand_in_quotes() {
        assert_eq!(called("no start", None), "\"no start\"");
        assert_eq!(called("Tea", Some("a.md")), "\"Tea\"");
        for own in ["the file", "The row", "calendar \"Work\"", "A file"] {
            assert_eq!(called(own, None), own);
        }
        assert_eq!(called("a.md", Some("a.md")), "a.md");
    }

    #[test]
    fn who_would_read_it_is_said_of_people() {
        assert_eq!(readers(1, 2), "only you can read them so far");
        assert_eq!(readers(3, 2), "you and 2 other people can read them");
        assert_eq!(readers(2, 1), "you and 1 other person can read it");
    }
}
