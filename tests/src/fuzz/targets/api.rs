//! What people and programs of this machine say: the bodies of the local API, the words for roles and policies, and the real
//! daemon behind its socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use kith_protocol::circle::body::{Retention, Role};
use kith_protocol::circle::text;
use kith_protocol::control::{self, NewItem, Response};
use kith_protocol::crypto::Seeded;
use kith_protocol::id::PersonId;
use kith_protocol::item::compose::ComposeContext;
use kith_protocol::item::edit::Edit;
use kith_protocol::item::kind::Kind;
use kith_protocol::item::kinds;
use kith_protocol::log::entry::NewEntry;
use kith_protocol::node::Command;
use kith_protocol::time::Millis;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::{Form, Prepared, Target, Tree, Verdict};
use super::world::{NodeStep, chapters};
use crate::proc::Home;

/// Bodies of the local API, and what the core makes of them.
pub const COMPOSE: Target = Target { name: "compose", form: Form::Json, words: &[], share: 1, prepare: compose_bodies };
/// Words for roles and policies.
pub const WORDS: Target = Target {
    name: "words",
    form: Form::Text,
    words: &["all", "since-join", "days:", "keep", "d", "steward"],
    share: 1,
    prepare: few_words,
};
/// The real daemon: methods, paths and bodies.
pub const DAEMON: Target = Target { name: "daemon-api", form: Form::Json, words: &[], share: 5, prepare: daemon };

const AT: Millis = Millis(1_795_359_600_000);

/// New things and what is said about them, by the paths of their kinds, edits of them and the rest that has a body.
fn bodies() -> Vec<(&'static str, Value)> {
    let note = json!({"title": "On-call", "body": "A long night.", "content_warning": "burnout", "want": "listen", "lang": "en",
        "tags": ["eap", "night"]});
    let event = json!({"title": "Circle", "description": "Every week", "starts": "2026-12-01T17:00:00Z",
        "ends": "2026-12-01T18:00:00Z", "starts_local": "2026-12-01T18:00", "ends_local": "2026-12-01T19:00",
        "tz": "Europe/Madrid", "rrule": "FREQ=WEEKLY;COUNT=8", "location": "Room 4", "status": "confirmed", "uid": "1@x",
        "tags": ["peer"]});
    let resource = json!({"title": "Hotline", "url": "https://example.org", "kind": "phone", "tags": ["eap"], "lang": "en",
        "note": "Day and night", "review_by": "2027-01-01"});
    let kind = |kind: &str, mut item: Value| {
        item["kind"] = kind.into();
        item
    };
    let mut out = vec![
        ("batch", json!({"items": [kind("note", note.clone()), kind("event", event.clone())]})),
        ("batch", json!({"items": [kind("resource", json!({"title": "x", "url": "tel:112"}))]})),
        ("notes", note.clone()),
        ("events", event.clone()),
        ("events", json!({"title": "All day", "starts": "2026-12-01T00:00:00Z", "starts_local": "2026-12-01", "tz": "UTC"})),
        ("resources", resource.clone()),
        (
            "circle",
            json!({"name": "Other", "as": "Amara", "agreement": "Be kind.", "history": "days:30", "retention": "90d",
            "invite": "members", "approval": "none", "suite": "x25519"}),
        ),
        ("invite", json!({"role": "guest", "expires_in": 3_600_000, "uses": 3})),
        ("replies", json!({"body": "I am here.", "content_warning": "grief"})),
        ("reactions", json!({"emoji": "❤", "remove": false})),
        ("rsvp", json!({"answer": "maybe"})),
        ("policies", json!({"name": "Night shift", "history": "all", "retention": "keep", "approval": "required"})),
        ("role", json!({"role": "member", "successor": "Bea", "without_successor": true})),
        ("leave", json!({"successor": "Bea", "without_successor": false})),
        ("accept", json!({"link": "kith://join#AAAA", "as": "Bea", "confirm": true})),
    ];
    out.extend([("edit-note", note), ("edit-event", event), ("edit-resource", resource)]);
    out
}

/// A body of its type, if it is one: what is read is written so that it is read again.
fn body<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(value: &Value) -> Option<T> {
    let read: T = serde_json::from_value(value.clone()).ok()?;
    let text = serde_json::to_string(&read).expect("a body is written");
    assert!(serde_json::from_str::<T>(&text).is_ok_and(|again| again == read), "what is written is read again");
    Some(read)
}

fn acceptable(made: &[NewEntry]) {
    for entry in made {
        let kind = Kind::of(entry.kind).expect("what we write has a kind");
        assert!(Edit::parse(&entry.payload, kind).is_ok(), "what we write, others accept");
        assert_eq!(kind.class().unwrap_or(entry.class), entry.class);
    }
}

fn command(name: &str, value: &Value) -> Option<Command> {
    let (circle, item) = ("Night shift".to_owned(), "before".to_owned());
    Some(match name {
        "batch" => Command::Batch(circle, body(value)?),
        "notes" => Command::New(circle, NewItem::Note(body(value)?)),
        "events" => Command::New(circle, NewItem::Event(body(value)?)),
        "resources" => Command::New(circle, NewItem::Resource(body::<control::NewResourceInBatch>(value)?.into())),
        "circle" => Command::NewCircle(body(value)?),
        "invite" => Command::NewInvite(circle, body(value)?),
        "replies" => Command::Respond(circle, item, Response::Reply(body(value)?)),
        "reactions" => Command::Respond(circle, item, Response::Reaction(body(value)?)),
        "rsvp" => Command::Respond(circle, item, Response::Rsvp(body::<control::Rsvped>(value)?.answer)),
        "policies" => Command::EditCircle(circle, body(value)?),
        "role" => Command::SetRole(circle, "Bea".to_owned(), body(value)?),
        "leave" => Command::Leave(circle, body(value)?),
        "accept" => Command::Accept(body(value)?),
        "edit-note" => Command::Edit(circle, item, control::EditItem::Note(body(value)?)),
        "edit-event" => Command::Edit(circle, item, control::EditItem::Event(body(value)?)),
        "edit-resource" => Command::Edit(circle, item, control::EditItem::Resource(body(value)?)),
        _ => return None,
    })
}

fn compose_bodies() -> Prepared {
    let samples = bodies().iter().map(|(name, value)| json!({*name: value}).to_string().into_bytes()).collect();
    // Amara's own side, with a note called “before” and Bea in the circle.
    let chapter = chapters().into_iter().nth(2).expect("the third chapter");
    let mut machine = chapter.machine();
    let mut calls = 0_u32;
    let judge = move |bytes: &[u8]| {
        let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(bytes) else { return Verdict::Refused };
        let Some((name, value)) = fields.iter().next() else { return Verdict::Refused };
        let Some(command) = command(name, value) else { return Verdict::Refused };
        let place = ComposeContext { me: PersonId([1; 32]), role: Role::Founder, now: AT, retention: Retention::Days(90) };
        let made = match &command {
            Command::Batch(_, batch) => {
                let items: Vec<NewItem> = batch.items.iter().cloned().map(NewItem::from).collect();
                kinds::batch(&place, &mut Seeded::new(1), &items)
            }
            Command::New(_, new) => kinds::compose(&place, &mut Seeded::new(1), new).map(|made| vec![made]),
            _ => Ok(Vec::new()),
        };
        if let Ok(made) = &made {
            acceptable(made);
        }
        // A machine that had many such calls has a long past; a fresh one goes on.
        calls += 1;
        if calls.is_multiple_of(64) {
            drop(machine.look(AT));
            machine = chapter.machine();
        }
        let effects = machine.turn(AT, NodeStep::Call(command));
        let replied = effects.iter().find_map(|effect| match effect {
            kith_protocol::node::Effect::Reply(_, answer) => Some(answer.is_ok()),
            _ => None,
        });
        Verdict::taken(made.is_ok() && replied != Some(false))
    };
    Prepared { samples, judge: Box::new(judge) }
}

fn few_words() -> Prepared {
    let words =
        ["all", "since-join", "days:30", "30d", "keep", "90d", "steward", "member", "guest", "members", "required", "none"];
    let samples = words.iter().map(|word| word.as_bytes().to_vec()).collect();
    let judge = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let history = text::parse_history(&text);
        if let Ok(history) = &history {
            assert_eq!(text::parse_history(&text::history(*history)).ok(), Some(*history), "what is said is understood");
        }
        let retention = text::parse_retention(&text);
        if let Ok(retention) = &retention {
            assert_eq!(text::parse_retention(&text::retention(*retention)).ok(), Some(*retention), "what is said is understood");
        }
        let role = control::Role::given(&text).is_ok();
        let others = text::parse_invite(&text).is_ok() || text::parse_approval(&text).is_ok();
        if let Ok(name) = text::name(&text, "a name") {
            assert_eq!(text::name(&name, "a name").ok(), Some(name.clone()), "a name is trimmed once");
        }
        Verdict::taken(history.is_ok() || retention.is_ok() || role || others)
    };
    Prepared { samples, judge: Box::new(judge) }
}

/// `[method, path, body]` of whatever changes and shows things; nothing that ends or locks the daemon.
fn requests(circle: &str, note: &str) -> Vec<Value> {
    let at = |rest: &str| format!("/v1/circles/{circle}{rest}");
    let route = |name: &str| match name {
        "circle" => ("POST", "/v1/circles".to_owned()),
        "invite" => ("POST", at("/invites")),
        "replies" | "reactions" => ("POST", at(&format!("/notes/{note}/{name}"))),
        "rsvp" => ("POST", at("/events/e-none/rsvp")),
        "policies" => ("PATCH", at("")),
        "role" => ("PATCH", at("/members/Nobody")),
        "accept" => ("POST", "/v1/joins".to_owned()),
        "edit-note" => ("PATCH", at(&format!("/notes/{note}"))),
        "edit-event" => ("PATCH", at("/events/e-none")),
        "edit-resource" => ("PATCH", at("/resources/r-none")),
        other => ("POST", at(&format!("/{other}"))),
    };
    let mut out: Vec<Value> = Vec::new();
    for (name, body) in bodies() {
        let (method, path) = route(name);
        out.push(json!([method, path, body]));
    }
    let looks =
        ["/notes?limit=3", "/notes?limit=2&reveal=true&tag=eap", "/events?upcoming&limit=3", "/resources?limit=3", "/members"];
    let looks = looks.map(at).into_iter().chain(["/v1/search?q=long&limit=3", "/v1/status"].map(str::to_owned));
    out.extend(looks.map(|path| json!(["GET", path, null])));
    out.push(json!(["PUT", at(&format!("/notes/{note}/pin")), null]));
    out.push(json!(["DELETE", at(&format!("/notes/{note}/pin")), null]));
    out.push(json!(["POST", "/v1/seen", {"circle": circle, "item": note}]));
    out.push(json!(["POST", "/v1/invites/preview", {"link": "kith://join#AAAA"}]));
    out
}

/// A connection to the daemon's socket, opened again where it was closed.
struct Socket {
    home: Home,
    stream: Option<BufReader<UnixStream>>,
}

impl Socket {
    /// The status of the answer; `None`: the connection was closed without one, which bytes that are no HTTP may cause.
    fn ask(&mut self, head: &[u8], body: &[u8]) -> Option<u16> {
        let connect = || {
            let stream = UnixStream::connect(self.home.path().join("run/kithd.sock")).expect("the daemon goes on listening");
            stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a deadline");
            BufReader::new(stream)
        };
        let mut stream = self.stream.take().unwrap_or_else(connect);
        if stream.get_mut().write_all(&[head, body].concat()).is_err() {
            return None;
        }
        let mut status = String::new();
        stream.read_line(&mut status).ok()?;
        let status = status.split(' ').nth(1)?.parse().ok()?;
        let (mut length, mut keep) = (None, true);
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).ok()?;
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            length = line.strip_prefix("content-length:").map_or(length, |text| text.trim().parse::<usize>().ok());
            keep &= line != "connection: close";
        }
        let mut answer = vec![0; length?];
        stream.read_exact(&mut answer).ok()?;
        assert!(answer.is_empty() || serde_json::from_slice::<Value>(&answer).is_ok(), "an answer is JSON");
        // What was bent into a second request would be answered too: such a connection is not used again.
        if keep && status < 400 {
            self.stream = Some(stream);
        }
        Some(status)
    }
}

fn daemon() -> Prepared {
    let home = Home::named("Amara");
    let circle = home.field(&["circle", "new", "Night shift"], "id");
    let note = home.field(&["note", "new", "--title", "before", "x"], "id");
    let samples = requests(&circle, &note).iter().map(|request| request.to_string().into_bytes()).collect();
    let mut socket = Socket { home, stream: None };
    let mut count = 0_u32;
    let judge = move |bytes: &[u8]| {
        let Some(tree) = Tree::from_json(bytes) else { return Verdict::Refused };
        let [method, path, body] = tree.list() else { return Verdict::Refused };
        let text = |tree: &Tree| if let Tree::Text(text) = tree { text.clone() } else { b"x".to_vec() };
        let body = if *body == super::super::NULL { Vec::new() } else { body.json() };
        let rest = format!(" HTTP/1.1\r\nHost: kith\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        let path = text(path);
        // A stream of events has no end to wait for, and these end what is tested.
        let ends = ["/v1/watch", "/v1/stop", "/v1/lock", "/leave"].map(str::as_bytes);
        if ends.iter().any(|end| path.windows(end.len()).any(|part| part == *end)) {
            return Verdict::Refused;
        }
        let head = [text(method).as_slice(), b" ", &path, rest.as_bytes()].concat();
        let status = socket.ask(&head, &body);
        if let Some(status) = status {
            assert!((200..500).contains(&status), "the daemon answers {status}");
        }
        count += 1;
        if count.is_multiple_of(1_000) {
            let ask = b"GET /v1/doctor HTTP/1.1\r\nHost: kith\r\n\r\n";
            socket.stream = None;
            assert_eq!(socket.ask(ask, b""), Some(200), "the daemon goes on");
            let memory = crate::proc::memory_kb(socket.home.pid().expect("our child"));
            assert!(memory < 300 << 10, "the daemon holds {memory} kB");
        }
        Verdict::taken(status.is_some_and(|status| status < 300))
    };
    Prepared { samples, judge: Box::new(judge) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_bodies_that_make_sense() {
        let understood = |name: &str| bodies().iter().any(|(its, value)| *its == name && command(its, value).is_some());
        let missing = |name: String| (!understood(&name)).then_some(name);
        let listed = Kind::listed().flat_map(|kind| [kind.path().to_owned(), format!("edit-{}", kind.noun())]);
        let said = Kind::ALL.into_iter().filter(|kind| !kind.is_listed() && !kind.is_mark()).map(|kind| kind.path().to_owned());
        let mut missing: Vec<String> = listed.chain(said).filter_map(missing).collect();
        let batches: Vec<Value> = bodies().into_iter().filter(|(name, _)| *name == "batch").map(|(_, value)| value).collect();
        let in_batch =
            |kind: &Kind| batches.iter().any(|batch| batch.to_string().contains(&format!("\"kind\":\"{}\"", kind.noun())));
        missing.extend(Kind::listed().filter(|kind| !in_batch(kind)).map(|kind| format!("{} in a batch", kind.noun())));
        assert!(missing.is_empty(), "no body is bent for: {}", missing.join(", "));
    }
}
