//! `kith export`.

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use kith_protocol::control::{Circle, Event, Kind, Note, Resource};
use serde_json::json;

use crate::client::{Client, Reply, Route};
use crate::context::Context;
use crate::error::{self, Result};
use crate::export::{calendar, csv, markdown};
use crate::files;
use crate::home::private_dir;
use crate::ui::Line;

/// Export a circle as Markdown, iCalendar, CSV and JSON files
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// Export only this
    #[arg(long, value_parser = lists())]
    only: Option<Kind>,
    /// Write into this folder [default: a new one here]; - writes one file to stdout (with --only)
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Include what is behind content warnings
    #[arg(long)]
    reveal: bool,
    /// Overwrite files that are there already
    #[arg(long)]
    force: bool,
}

/// The kinds that have files of their own.
fn kinds() -> impl Iterator<Item = Kind> {
    Kind::listed().filter(|kind| kind.spec().appears.export)
}

/// The lists that can be named, with what is in them.
fn lists() -> impl TypedValueParser<Value = Kind> {
    let help = |kind| match kind {
        Kind::Note => "Notes with their replies",
        Kind::Event => "Events",
        Kind::Resource => "Resources",
        Kind::Reply | Kind::Reaction | Kind::Rsvp | Kind::Tombstone | Kind::Hide | Kind::Pin => "",
    };
    let lists = kinds().map(|kind| PossibleValue::new(kind.path()).help(help(kind)));
    PossibleValuesParser::new(lists).try_map(|path| Kind::of_path(&path).ok_or("there is no such list"))
}

/// A file to be: its name and what is in it.
type Page = (String, String);

pub(crate) fn run(context: &Context, args: &ExportArgs) -> Result<()> {
    let client = context.client()?;
    let circle: Circle = client.get(&Route::new("circles").seg(context.circle()))?.read()?;
    if args.output.as_deref().is_some_and(|path| path.as_os_str() == "-") {
        return on_stdout(context, &client, &circle, args);
    }
    let wanted = kinds().filter(|kind| args.only.is_none_or(|only| only == *kind));
    let mut pages = Vec::new();
    for kind in wanted {
        pages.extend(files_of(&circle, kind, &fetch(&client, &circle, kind, args.reveal)?)?);
    }
    let folder = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("kith-{}", slug(&circle.name))));
    if context.global().dry_run {
        pages.iter().try_for_each(|(name, _)| context.ui().out(format!("would write {}", folder.join(name).display())))?;
        return Ok(());
    }
    write_all(&folder, &pages, args.force)?;
    if context.ui().json {
        let names: Vec<String> = pages.iter().map(|(name, _)| folder.join(name).display().to_string()).collect();
        return context.ui().out_value(&json!({ "schema": "kith.export/1", "circle": circle.id, "files": names }));
    }
    for (name, _) in &pages {
        context.ui().out(folder.join(name).display().to_string())?;
    }
    context.ui().say(
        Line::new()
            .warn("These files are not encrypted. ")
            .text("They hold other people's words too; keep them as you would a letter."),
    );
    Ok(())
}

fn fetch(client: &Client, circle: &Circle, kind: Kind, reveal: bool) -> Result<Reply> {
    client.get(&Route::new("circles").seg(&circle.id).seg(kind.path()).flag("reveal", reveal).flag("full", true))
}

fn files_of(circle: &Circle, kind: Kind, reply: &Reply) -> Result<Vec<Page>> {
    let name = kind.path();
    let mut pages = vec![(format!("{name}.json"), format!("{}\n", reply.text().trim_end()))];
    match kind {
        Kind::Note => {
            let notes: Vec<Note> = reply.field(name)?;
            pages.push((format!("{name}.md"), markdown::notes(&circle.name, &notes)));
            pages.push((format!("{name}.csv"), csv::notes(&notes)));
        }
        Kind::Event => {
            let events: Vec<Event> = reply.field(name)?;
            pages.push((format!("{name}.ics"), calendar::events(&circle.name, &events)));
            pages.push((format!("{name}.md"), markdown::events(&circle.name, &events)));
            pages.push((format!("{name}.csv"), csv::events(&events)));
        }
        Kind::Resource => {
            let resources: Vec<Resource> = reply.field(name)?;
            pages.push((format!("{name}.md"), markdown::resources(&circle.name, &resources)));
            pages.push((format!("{name}.csv"), csv::resources(&resources)));
        }
        // They stand in the files of what they are about.
        Kind::Reply | Kind::Reaction | Kind::Rsvp | Kind::Tombstone | Kind::Hide | Kind::Pin => {}
    }
    Ok(pages)
}

/// One file: a calendar, a table of resources, the notes as Markdown; with `--json` the list itself.
fn on_stdout(context: &Context, client: &Client, circle: &Circle, args: &ExportArgs) -> Result<()> {
    let Some(kind) = args.only else {
        return Err(error::usage("Only one kind of things fits on stdout.", "Add --only notes, events or resources."));
    };
    let reply = fetch(client, circle, kind, args.reveal)?;
    if context.ui().json {
        return context.ui().out_json(reply.text());
    }
    let text = match kind {
        Kind::Note => markdown::notes(&circle.name, &reply.field::<Vec<Note>>("notes")?),
        Kind::Event => calendar::events(&circle.name, &reply.field::<Vec<Event>>("events")?),
        Kind::Resource => csv::resources(&reply.field::<Vec<Resource>>("resources")?),
        Kind::Reply | Kind::Reaction | Kind::Rsvp | Kind::Tombstone | Kind::Hide | Kind::Pin => String::new(),
    };
    context.ui().out_file(&text)
}

/// All files, none through a link. What is there already is replaced only if it is an ordinary file.
fn write_all(folder: &Path, pages: &[Page], force: bool) -> Result<()> {
    if folder.is_symlink() {
        return Err(error::failed(
            format!("{} is a symbolic link; Kith does not write through links.", folder.display()),
            "Name the real folder.",
        ));
    }
    // All of it or nothing: an older export is not lost, and none is half new.
    if let Some((name, _)) = pages.iter().find(|(name, _)| !force && folder.join(name).exists()) {
        return Err(error::failed(
            format!("{} exists already, so nothing was written.", folder.join(name).display()),
            "Choose another folder with -o DIR, or add --force to overwrite it.",
        ));
    }
    private_dir(folder)?;
    for (name, text) in pages {
        files::write(&folder.join(name), text.as_bytes(), force)?;
    }
    Ok(())
}

/// A folder's name from a circle's, which a member chose.
fn slug(name: &str) -> String {
    let slug: String = name.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).take(40).collect();
    let slug = slug.trim_matches('-').to_owned();
    if slug.is_empty() { "circle".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_folders() {
        assert_eq!(slug("Night shift"), "night-shift");
        assert_eq!(slug("../../etc"), "etc");
        assert_eq!(slug("…"), "circle");
    }
}
