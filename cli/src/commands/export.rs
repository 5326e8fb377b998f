//! `kith export`.

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use kith_protocol::control::{Circle, Event, ItemState, Kind, Note, Resource};
use serde_json::json;

use crate::client::{Client, Reply, Route};
use crate::context::Context;
use crate::error::{self, Result};
use crate::export::{calendar, csv, markdown};
use crate::files;
use crate::home::private_dir;
use crate::ui::{Line, Ui};

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
    let (mut pages, mut withheld) = (Vec::new(), 0);
    for kind in wanted {
        let reply = fetch(&client, &circle, kind, args.reveal)?;
        withheld += left_out(kind, &reply)?;
        pages.extend(files_of(&circle, kind, &reply)?);
    }
    let folder = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("kith-{}", slug(&circle.name))));
    if context.global().dry_run {
        pages.iter().try_for_each(|(name, _)| context.ui().out(format!("would write {}", folder.join(name).display())))?;
        tell_left_out(context.ui(), withheld);
        return Ok(());
    }
    write_all(&folder, &pages, args.force)?;
    if context.ui().json {
        let names: Vec<String> = pages.iter().map(|(name, _)| folder.join(name).display().to_string()).collect();
        return context
            .ui()
            .out_value(&json!({ "schema": "kith.export/1", "circle": circle.id, "files": names, "withheld": withheld }));
    }
    for (name, _) in &pages {
        context.ui().out(folder.join(name).display().to_string())?;
    }
    tell_left_out(context.ui(), withheld);
    context.ui().say(
        Line::new()
            .warn("These files are not encrypted. ")
            .text("They hold other people's words too; keep them as you would a letter."),
    );
    Ok(())
}

/// How many notes and replies are without their text, because it is behind a content warning.
fn left_out(kind: Kind, reply: &Reply) -> Result<usize> {
    if kind != Kind::Note {
        return Ok(0);
    }
    Ok(withheld(&reply.field::<Vec<Note>>(kind.path())?))
}

fn withheld(notes: &[Note]) -> usize {
    let kept_back = |body: &Option<String>, state: ItemState| usize::from(body.is_none() && state == ItemState::Visible);
    let of = |note: &Note| {
        kept_back(&note.body, note.state) + note.replies.iter().map(|reply| kept_back(&reply.body, reply.state)).sum::<usize>()
    };
    notes.iter().map(of).sum()
}

fn tell_left_out(ui: &Ui, withheld: usize) {
    if withheld > 0 {
        let texts = if withheld == 1 { "1 text is" } else { &format!("{withheld} texts are") };
        ui.tell(Line::new().warn(&format!("{texts} left out")).text(", behind content warnings. --reveal includes them."));
    }
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
    tell_left_out(context.ui(), left_out(kind, &reply)?);
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
    if folder.exists() && !folder.is_dir() {
        return Err(error::usage(
            format!("{} is a file, and an export is a folder of files.", folder.display()),
            "Name a folder with -o DIR. `-o -` with --only writes one file to stdout.",
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
    fn a_file_is_no_folder_to_export_into() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("notes.md");
        std::fs::write(&file, "mine").unwrap();
        let stop = write_all(&file, &[("notes.md".to_owned(), "theirs".to_owned())], true).unwrap_err();
        assert_eq!(stop.code(), Some(kith_protocol::control::Code::Usage));
        let error::Stop::Refused(told) = stop else { panic!("it is refused") };
        assert!(told.hints.to_string().contains("-o DIR"), "{}", told.hints);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    }

    #[test]
    fn names_become_folders() {
        assert_eq!(slug("Night shift"), "night-shift");
        assert_eq!(slug("../../etc"), "etc");
        assert_eq!(slug("…"), "circle");
    }
}
