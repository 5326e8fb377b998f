//! The lists that `kith export` writes as JSON: the form in which all that can come back does.

use std::path::Path;

use kith_protocol::control::{BatchItem, Event, ItemState, Kind, NewEvent, NewNote, NewResourceInBatch, Note, Resource};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Found, Haul};
use crate::calendar::when::{Typed, When};
use crate::export;
use crate::left_out::{Origin, Weight};

/// The lists that are read: notes, events and resources.
const KINDS: [Kind; 3] = [Kind::Note, Kind::Event, Kind::Resource];

/// How a list of ours begins.
fn start(kind: Kind) -> String {
    format!("{{\"schema\":\"kith.{}.list/", kind.noun())
}

/// Is this text one of these lists?
fn kind_of(text: &str) -> Option<Kind> {
    KINDS.into_iter().find(|kind| text.starts_with(&start(*kind)))
}

/// Is it a file of an export, and the one that comes back?
pub(crate) fn is_list(path: &Path) -> bool {
    let named = |kind: &Kind| path.file_name().is_some_and(|name| name == format!("{}.json", kind.path()).as_str());
    let Some(kind) = KINDS.into_iter().find(named) else { return false };
    let start = start(kind);
    let mut begins = vec![0; start.len()];
    let read = std::fs::File::open(path).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut begins));
    read.is_ok() && begins == start.as_bytes()
}

/// The list beside a file of an export that holds the same in another form.
pub(crate) fn list_of(path: &Path) -> Option<String> {
    let ours = ["md", "csv", "ics"].map(|form| path.extension().is_some_and(|extension| extension == form));
    let list = path.with_extension("json");
    let name = list.file_name()?.to_string_lossy().into_owned();
    (ours.contains(&true) && is_list(&list)).then_some(name)
}

/// Is this Markdown the notes or events of an export, which are written for reading? Each begins with a line that says whose it is.
pub(crate) fn is_for_reading(text: &str) -> bool {
    let titled = ["# Notes of ", "# Events of "].iter().any(|start| text.starts_with(start));
    let of_ours = |line: &str| ["n-", "e-"].iter().any(|start| line.starts_with(start)) && line.contains("Z, by m-");
    titled && text.lines().any(of_ours)
}

/// What a list holds.
pub(crate) fn haul(text: &str) -> Result<Haul, String> {
    let kind = kind_of(text.trim_start());
    let kind = kind.ok_or("it is no list that Kith exported; of JSON, only those are read")?;
    let list: Value = serde_json::from_str(text).map_err(|error| format!("it is cut off or was changed: {error}"))?;
    let rows = list.get(kind.path()).and_then(Value::as_array).ok_or("it holds no list")?;
    let mut haul = Haul::default();
    for (number, row) in (1..).zip(rows) {
        let read = if kind == Kind::Event {
            read(row, event, &mut haul)
        } else if kind == Kind::Resource {
            read(row, resource, &mut haul)
        } else {
            read(row, note, &mut haul)
        };
        match read {
            Ok(found) => haul.found.extend(found),
            Err(why) => haul.leave_out(Origin::default(), format!("the {} number {number}", kind.noun()), why),
        }
    }
    if !haul.found.is_empty() {
        haul.change(Origin::default(), "the file", "comes in as written by you; who wrote it, and when, is not kept");
    }
    Ok(haul)
}

/// One of them; nothing where it was no longer shown.
fn read<T: DeserializeOwned>(
    row: &Value,
    of: fn(T, &mut Haul) -> Result<Option<Found>, String>,
    haul: &mut Haul,
) -> Result<Option<Found>, String> {
    let item = T::deserialize(row).map_err(|error| format!("cannot be read ({error}); it is not imported"))?;
    of(item, haul)
}

/// Is it shown, and whole?
fn is_whole(state: ItemState, cut: bool) -> Result<bool, String> {
    if cut {
        return Err("is cut in this list (`kith export` writes it whole); it is not imported".to_owned());
    }
    Ok(state == ItemState::Visible)
}

fn found(title: &str, item: BatchItem) -> Option<Found> {
    Some(Found { title: title.to_owned(), item, origin: Origin::default() })
}

fn note(note: Note, haul: &mut Haul) -> Result<Option<Found>, String> {
    if !is_whole(note.state, note.cut)? {
        return Ok(None);
    }
    let Some(body) = note.body else {
        return Err(
            "has a content warning and no text behind it (`kith export --reveal` exports it); it is not imported".to_owned()
        );
    };
    let title = if note.title.is_empty() { body.trim().chars().take(40).collect() } else { note.title.clone() };
    match note.replies.iter().filter(|reply| reply.state == ItemState::Visible).count() {
        0 => {}
        1 => haul.leave_out(Origin::default(), title.as_str(), "has 1 reply, which is not imported"),
        many => haul.leave_out(Origin::default(), title.as_str(), format!("has {many} replies, which are not imported")),
    }
    if note.pinned || !note.reactions.is_empty() {
        haul.tell(Weight::Minor, Origin::default(), title.as_str(), "comes in without its reactions, and not pinned");
    }
    let (content_warning, want, lang, tags) = (note.content_warning, note.want, note.lang, note.tags);
    Ok(found(&title, BatchItem::Note(NewNote { title: note.title, body, content_warning, want, lang, tags })))
}

fn event(event: Event, haul: &mut Haul) -> Result<Option<Found>, String> {
    if !is_whole(event.state, event.cut)? {
        return Ok(None);
    }
    let (ends, title, uid) = (export::last(&event), event.title.clone(), export::uid(&event));
    // By the wall clock and its zone, from which the rest follows: nothing in a file can say two things.
    let typed = Typed {
        starts: &event.starts_local,
        ends: Some(ends.as_str()).filter(|text| !text.is_empty()),
        duration: None,
        tz: Some(event.tz.as_str()),
        tz_named: false,
    };
    let when = When::resolve(typed).map_err(|stop| format!("has a time that cannot be used: {stop} It is not imported"))?;
    if event.rsvp.yes + event.rsvp.maybe + event.rsvp.no > 0 {
        haul.tell(Weight::Minor, Origin::default(), title.as_str(), "comes in without its answers");
    }
    let new = NewEvent {
        title: event.title,
        description: event.description,
        starts: when.starts,
        ends: when.ends,
        starts_local: when.starts_local,
        ends_local: when.ends_local,
        tz: when.tz,
        rrule: event.rrule,
        location: event.location,
        status: Some(event.status),
        uid,
        sequence: event.sequence,
        tags: event.tags,
    };
    Ok(found(&title, BatchItem::Event(new)))
}

fn resource(resource: Resource, haul: &mut Haul) -> Result<Option<Found>, String> {
    if !is_whole(resource.state, resource.cut)? {
        return Ok(None);
    }
    if let Some(url) = resource.refused_url {
        haul.leave_out(Origin::default(), resource.title.as_str(), format!("has an address that is not kept: {url}"));
    }
    let Resource { title, url, kind, tags, lang, note, review_by, .. } = resource;
    let called = title.clone();
    Ok(found(&called, BatchItem::Resource(NewResourceInBatch { title, url, kind, tags, lang, note, review_by })))
}

#[cfg(test)]
mod tests {
    use kith_protocol::control::{EventStatus, Want};
    use serde_json::json;

    use super::*;
    use crate::export::markdown;

    fn list(kind: Kind, rows: &[Value]) -> String {
        let rows = serde_json::to_string(rows).expect("rows");
        format!("{}1\",\"{}\":{rows}}}\n", start(kind), kind.path())
    }

    fn value(note: &Note) -> Value {
        serde_json::to_value(note).expect("a note")
    }

    fn a_note() -> Note {
        let mut note = markdown::tests::note(1, "Bea", "=On-call", "  Third night.\r\nIn a row.\n");
        note.content_warning = Some("burnout".to_owned());
        note.want = Some(Want::Listen);
        note.tags = vec!["a, b".to_owned()];
        note
    }

    fn told(haul: &Haul) -> Vec<String> {
        haul.left_out.iter().map(|left| format!("{} {}", left.what, left.why)).collect()
    }

    #[test]
    fn a_note_comes_back_as_it_was() {
        let haul = haul(&list(Kind::Note, &[value(&a_note())])).unwrap();
        let [Found { item: BatchItem::Note(back), .. }] = haul.found.as_slice() else { panic!("a note: {haul:?}") };
        assert_eq!((back.title.as_str(), back.body.as_str()), ("=On-call", "  Third night.\r\nIn a row.\n"));
        assert_eq!(
            (back.content_warning.as_deref(), back.want, &back.tags),
            (Some("burnout"), Some(Want::Listen), &a_note().tags)
        );
        assert_eq!(told(&haul).len(), 1, "{:?}", told(&haul));
    }

    #[test]
    fn one_bad_row_takes_nothing_with_it_and_what_cannot_come_back_is_named() {
        let (mut hidden, mut gone, mut answered) = (a_note(), a_note(), value(&a_note()));
        hidden.body = None;
        (gone.state, gone.body) = (ItemState::Removed, None);
        answered["replies"] = json!([{ "id": "p-a", "body": "I am here.", "author": { "member": "m-b", "name": "Chi" },
            "created_at": "1970-01-01T00:00:00Z", "state": "visible", "new": false }]);
        let haul = haul(&list(Kind::Note, &[json!({ "id": 3 }), value(&hidden), value(&gone), answered])).unwrap();
        assert_eq!(haul.found.len(), 1);
        let told = told(&haul);
        assert!(told[0].starts_with("the note number 1 cannot be read"), "{told:?}");
        assert!(told[1].starts_with("the note number 2 has a content warning and no text"), "{told:?}");
        assert_eq!(told[2], "=On-call has 1 reply, which is not imported");
        assert_eq!(told.len(), 4, "{told:?}");
    }

    #[test]
    fn whole_days_and_series_keep_their_ends() {
        let row = |starts: &str, ends: &str, tz: &str| {
            json!({ "id": "e-abc", "circle": "c-abc", "title": "Trip", "description": "", "starts": "1970-01-01T00:00:00Z", "ends": null,
                "starts_local": starts, "ends_local": ends, "all_day": starts.len() == 10, "tz": tz, "rrule": "FREQ=WEEKLY;COUNT=8",
                "location": "", "status": "tentative", "rsvp": { "yes": 0, "no": 0, "maybe": 0, "mine": null },
                "author": { "member": "m-b", "name": "Bea" }, "created_at": "1970-01-01T00:00:00Z", "edited_at": null, "uid": "",
                "tags": [], "state": "visible", "delivery": null, "new": false })
        };
        let rows = [
            row("2026-12-04", "2026-12-07", "Europe/Madrid"),
            row("2026-12-01T18:00:00", "2026-12-01T19:00:00", "Europe/Madrid"),
            row("2026-12-01T18:00:00", "", "Nowhere/Else"),
        ];
        let haul = haul(&list(Kind::Event, &rows)).unwrap();
        let events: Vec<&NewEvent> = haul
            .found
            .iter()
            .filter_map(|found| if let BatchItem::Event(event) = &found.item { Some(event) } else { None })
            .collect();
        let times: Vec<_> = events.iter().map(|e| (e.starts.as_str(), e.starts_local.as_str(), e.ends_local.as_str())).collect();
        let evening = ("2026-12-01T17:00:00Z", "2026-12-01T18:00:00", "2026-12-01T19:00:00");
        assert_eq!(times, [("2026-12-03T23:00:00Z", "2026-12-04", "2026-12-07"), evening]);
        assert!(events.iter().all(|e| e.uid == "e-abc@kith" && e.rrule.is_some() && e.status == Some(EventStatus::Tentative)));
        assert!(told(&haul)[0].starts_with("the event number 3 has a time that cannot be used"), "{:?}", told(&haul));
    }

    #[test]
    fn other_json_is_refused_with_a_reason() {
        for text in ["{}", "[]", "{\"schema\":\"kith.member.list/1\"}", "{\"schema\":\"kith.note.list/1\",\"notes\":[", "x"] {
            assert!(haul(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_for_reading_is_known() {
        assert!(is_for_reading(&markdown::notes("Night shift", &[a_note()])));
        assert!(!is_for_reading("# Notes of a trip\n\nn-1 is a road.\n"));
        assert!(!is_for_reading(&markdown::resources("Night shift", &[])));
    }
}
