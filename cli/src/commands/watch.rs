//! `kith watch`.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use kith_protocol::control::{Circle, Kind, Note, Subject, Topic, WatchEvent};
use serde_json::{Value, json};

use super::show::{dotted, short_id};
use crate::client::{Client, Route};
use crate::context::Context;
use crate::error::{self, Result};
use crate::limits::WATCH_LOOK;
use crate::ui::{Line, Ui, clean};

/// Follow what happens, live, until Ctrl-C
#[derive(Debug, clap::Args)]
pub(crate) struct WatchArgs {
    /// Run this command for each event: it gets the event as JSON on stdin, and as KITH_* variables
    #[arg(long, value_name = "COMMAND")]
    exec: Option<String>,
}

/// An event, and what its ids stand for.
struct Told {
    event: WatchEvent,
    at: String,
    circle: Option<String>,
    author: Option<String>,
    title: Option<String>,
    /// What a reply belongs to.
    parent: Option<String>,
}

pub(crate) fn run(context: &Context, args: &WatchArgs) -> Result<()> {
    let ui = context.ui();
    let client = context.client()?;
    let mut last = None;
    let mut circles = BTreeMap::new();
    ui.tell(Line::new().dim("Watching. Ctrl-C ends it."));
    loop {
        client.watch(&mut last, |data| {
            let Ok(event) = serde_json::from_str::<WatchEvent>(data) else {
                // Some were missed: whoever keeps lists has to read them again.
                return if ui.json { ui.out_json(data) } else { Ok(()) };
            };
            let told = look_up(&client, event, &mut circles);
            if let Some(command) = &args.exec {
                execute(ui, command, &told);
            }
            if ui.json { ui.out_value(&as_json(&told)) } else { show(ui, &told) }
        })?;
        // The stream ended: the daemon stopped, or was locked. Say which, or go on where it stopped.
        if !client.answers() {
            return Err(client.not_running());
        }
        if client.status()?.locked {
            return Err(error::refused(kith_protocol::control::Code::Locked, "Kith was locked.", "`kith unlock` unlocks it."));
        }
        std::thread::sleep(WATCH_LOOK);
    }
}

/// What its ids stand for, as far as it can be seen now. An event of which nothing more is known is told all the same.
fn look_up(client: &Client, event: WatchEvent, circles: &mut BTreeMap<String, String>) -> Told {
    let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut told = Told { event, at, circle: None, author: None, title: None, parent: None };
    if told.event.circle.is_empty() || told.event.event == Topic::Sync {
        return told;
    }
    if !circles.contains_key(&told.event.circle) || told.event.noun == Subject::Circle {
        let circle = client.get(&Route::new("circles").seg(&told.event.circle)).and_then(|reply| reply.read::<Circle>());
        if let Ok(circle) = circle {
            circles.insert(told.event.circle.clone(), circle.name);
        }
    }
    told.circle = circles.get(&told.event.circle).cloned();
    if told.event.event == Topic::Item {
        look_up_item(client, &mut told);
    }
    told
}

fn look_up_item(client: &Client, told: &mut Told) {
    let circle = Route::new("circles").seg(&told.event.circle);
    let listed = Kind::listed().find(|kind| kind.noun() == told.event.noun.word());
    if let Some(kind) = listed {
        let item = client.get(&circle.seg(kind.path()).seg(&told.event.id)).and_then(|reply| reply.read::<Value>());
        let Ok(item) = item else { return };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        told.title = text(item.get("title"));
        told.author = text(item.get("author").and_then(|author| author.get("name")));
    } else if told.event.noun == Subject::Reply {
        let notes = client.get(&circle.seg("notes")).and_then(|reply| reply.field::<Vec<Note>>("notes"));
        for note in notes.unwrap_or_default() {
            if let Some(reply) = note.replies.iter().find(|reply| reply.id == told.event.id) {
                told.author = Some(reply.author.name.clone());
                told.title = Some(note.title).filter(|title| !title.is_empty());
                told.parent = Some(note.id);
                return;
            }
        }
    }
}

fn as_json(told: &Told) -> Value {
    let WatchEvent { event, circle, noun, id, change, .. } = &told.event;
    json!({
        "schema": "kith.watch/1", "event": event, "circle": circle, "noun": noun, "id": id, "change": change, "at": told.at,
        "circle_name": told.circle, "author": told.author, "title": told.title, "parent": told.parent,
    })
}

fn show(ui: &Ui, told: &Told) -> Result<()> {
    let WatchEvent { event, noun, id, change, .. } = &told.event;
    let shown = |text: &Option<String>| text.as_deref().map(|text| Line::new().part(text)).unwrap_or_default();
    let id = short_id(ui, told.parent.as_ref().unwrap_or(id));
    if ui.plain {
        let cells = vec![
            told.at.as_str().into(),
            event.word().into(),
            noun.word().into(),
            change.word().into(),
            id.into(),
            shown(&told.circle),
            shown(&told.author),
            shown(&told.title),
        ];
        return ui.table(&[], &[cells]);
    }
    let author = told.author.as_deref().map(|name| Line::new().name(name)).unwrap_or_default();
    ui.out(dotted(vec![
        jiff::Zoned::now().strftime("%H:%M:%S").to_string().into(),
        shown(&told.circle),
        format!("{} {}", noun.word(), change.word()).into(),
        author,
        shown(&told.title),
        Line::new().dim(&id),
    ]))
}

/// Runs the person's own command. What others wrote reaches it as values only: never as a part of what the shell reads.
fn execute(ui: &Ui, command: &str, told: &Told) {
    let WatchEvent { event, circle, noun, id, change, .. } = &told.event;
    let empty = String::new();
    let values = [
        ("KITH_EVENT", event.word()),
        ("KITH_NOUN", noun.word()),
        ("KITH_CHANGE", change.word()),
        ("KITH_CIRCLE", circle),
        ("KITH_ID", id),
        ("KITH_AT", &told.at),
        ("KITH_CIRCLE_NAME", told.circle.as_ref().unwrap_or(&empty)),
        ("KITH_AUTHOR", told.author.as_ref().unwrap_or(&empty)),
        ("KITH_TITLE", told.title.as_ref().unwrap_or(&empty)),
        ("KITH_PARENT", told.parent.as_ref().unwrap_or(&empty)),
    ];
    let mut child = Command::new("/bin/sh");
    child.arg("-c").arg(command).stdin(Stdio::piped());
    // Made harmless for terminals too, since that is where most commands show them.
    child.envs(values.map(|(name, value)| (name, clean::line(value))));
    let ended = child.spawn().and_then(|mut child| {
        if let Some(mut stdin) = child.stdin.take() {
            // Commands that do not read it are fine.
            drop(writeln!(stdin, "{}", clean::json(&as_json(told).to_string())));
        }
        child.wait()
    });
    let why = match ended {
        Ok(status) if status.success() => return,
        Ok(status) => status.to_string(),
        Err(error) => error::reason(&error),
    };
    ui.complain(&Line::new().warn("The command failed: ").text(&why));
}
