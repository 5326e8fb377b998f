//! `kith watch`.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use kith_protocol::control::{Circle, Kind, Subject, Topic, WatchEvent};
use serde_json::{Value, json};

use super::member;
use super::show::{dotted, short_id, start};
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
    at: jiff::Timestamp,
    circle: Option<String>,
    author: Option<String>,
    title: Option<String>,
    /// How it begins, where it has no title: for the person's own eyes only.
    begins: Option<String>,
}

/// What ids stand for, as far as it was asked.
#[derive(Default)]
struct Names {
    circles: BTreeMap<String, String>,
    /// By circle and person.
    people: BTreeMap<(String, String), String>,
}

pub(crate) fn run(context: &Context, args: &WatchArgs) -> Result<()> {
    let ui = context.ui();
    let client = context.client()?;
    let mut last = None;
    let mut names = Names::default();
    ui.tell(Line::new().dim("Watching. Ctrl-C ends it."));
    loop {
        client.watch(&mut last, |data| {
            let Ok(event) = serde_json::from_str::<WatchEvent>(data) else {
                // Some were missed. A program that keeps lists has to read them again.
                return if ui.json { ui.out_json(data) } else { Ok(()) };
            };
            let told = names.look_up(&client, event);
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

impl Names {
    /// What an event's ids stand for, as far as it can be seen now. An event of which nothing more is known is told all the same.
    fn look_up(&mut self, client: &Client, event: WatchEvent) -> Told {
        let at = event
            .at
            .map_or_else(jiff::Timestamp::now, |at| jiff::Timestamp::from_millisecond(at.0.0.cast_signed()).unwrap_or_default());
        let mut told = Told { event, at, circle: None, author: None, title: None, begins: None };
        if told.event.circle.is_empty() || told.event.event == Topic::Sync {
            return told;
        }
        told.circle = self.circle(client, &told.event);
        if told.event.event == Topic::Item {
            told.author = told.event.author.clone().and_then(|author| self.person(client, &told.event.circle, &author));
            (told.title, told.begins) = called(client, &told.event);
        }
        told
    }

    fn circle(&mut self, client: &Client, event: &WatchEvent) -> Option<String> {
        if !self.circles.contains_key(&event.circle) || event.noun == Subject::Circle {
            let circle = client.get(&Route::new("circles").seg(&event.circle)).and_then(|reply| reply.read::<Circle>());
            if let Ok(circle) = circle {
                self.circles.insert(event.circle.clone(), circle.name);
            }
            // Names may have changed as well.
            self.people.retain(|(circle, _), _| *circle != event.circle);
        }
        self.circles.get(&event.circle).cloned()
    }

    fn person(&mut self, client: &Client, circle: &str, id: &str) -> Option<String> {
        let key = (circle.to_owned(), id.to_owned());
        if !self.people.contains_key(&key) {
            for member in member::all(client, circle).unwrap_or_default() {
                self.people.insert((circle.to_owned(), member.id), member.name);
            }
        }
        self.people.get(&key).cloned()
    }
}

/// What the item is called, or the one that it is about; and how that begins, where nothing covers it.
fn called(client: &Client, event: &WatchEvent) -> (Option<String>, Option<String>) {
    let Some(item) = item(client, event) else { return (None, None) };
    let field = |name: &str| item.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    (field("title").map(str::to_owned), field("body").map(start))
}

fn item(client: &Client, event: &WatchEvent) -> Option<Value> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.noun() == event.noun.word())?;
    let (kind, id) = match (&event.parent, kind.about()) {
        (Some(parent), Some(about)) => (about, parent),
        _ => (kind, &event.id),
    };
    let route = Route::new("circles").seg(&event.circle).seg(kind.path()).seg(id);
    client.get(&route).and_then(|reply| reply.read()).ok()
}

fn written(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn as_json(told: &Told) -> Value {
    let WatchEvent { event, circle, noun, id, change, .. } = &told.event;
    json!({
        "schema": "kith.watch/1", "event": event, "circle": circle, "noun": noun, "id": id, "change": change, "at": written(told.at),
        "circle_name": told.circle, "author": told.author, "title": told.title, "parent": told.event.parent,
    })
}

fn show(ui: &Ui, told: &Told) -> Result<()> {
    let WatchEvent { event, noun, id, change, .. } = &told.event;
    let shown = |text: &Option<String>| text.as_deref().map(|text| Line::new().part(text)).unwrap_or_default();
    let id = short_id(ui, told.event.parent.as_ref().unwrap_or(id));
    if ui.plain {
        let cells = vec![
            written(told.at).into(),
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
        told.at.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string().into(),
        shown(&told.circle),
        format!("{} {}", noun.word(), change.word()).into(),
        author,
        shown(if told.title.is_some() { &told.title } else { &told.begins }),
        Line::new().dim(&id),
    ]))
}

/// Runs the person's own command. What others wrote reaches it as values only: never as a part of what the shell reads.
fn execute(ui: &Ui, command: &str, told: &Told) {
    let WatchEvent { event, circle, noun, id, change, .. } = &told.event;
    let (empty, at) = (String::new(), written(told.at));
    let values = [
        ("KITH_EVENT", event.word()),
        ("KITH_NOUN", noun.word()),
        ("KITH_CHANGE", change.word()),
        ("KITH_CIRCLE", circle),
        ("KITH_ID", id),
        ("KITH_AT", &at),
        ("KITH_CIRCLE_NAME", told.circle.as_ref().unwrap_or(&empty)),
        ("KITH_AUTHOR", told.author.as_ref().unwrap_or(&empty)),
        ("KITH_TITLE", told.title.as_ref().unwrap_or(&empty)),
        ("KITH_PARENT", told.event.parent.as_ref().unwrap_or(&empty)),
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
