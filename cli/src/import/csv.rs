//! A table: its header says what it holds. With `body` it is notes, with `starts` events, else resources.

use kith_protocol::control::{BatchItem, NewEvent, NewNote, NewResourceInBatch};

use super::{Found, Haul};
use crate::calendar::when::{Typed, When};
use crate::export::csv::plain;
use crate::left_out::Origin;

/// A row by the names of its columns.
struct Row<'a> {
    header: &'a [String],
    record: &'a ::csv::StringRecord,
}

impl Row<'_> {
    fn get(&self, names: &[&str]) -> String {
        let at = self.header.iter().position(|column| names.contains(&column.as_str()));
        let cell = at.and_then(|at| self.record.get(at)).unwrap_or_default();
        // An apostrophe keeps spreadsheets from taking a cell for a formula; it is not part of the text.
        plain(cell.trim()).trim().to_owned()
    }

    fn tags(&self) -> Vec<String> {
        let list = self.get(&["tags", "tag", "categories"]);
        list.split([',', ';', '|']).map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
    }
}

/// The rows of a table.
pub(crate) fn haul(text: &str) -> Result<Haul, String> {
    let mut reader = ::csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| format!("its first line cannot be read: {e}"))?;
    let header: Vec<String> = header.iter().map(|name| name.trim().to_lowercase()).collect();
    let has = |names: &[&str]| header.iter().any(|column| names.contains(&column.as_str()));
    let kind = if has(&["body", "text"]) {
        note
    } else if has(&["starts", "start"]) {
        event
    } else if has(&["title", "name"]) || has(&["url", "link"]) {
        resource
    } else {
        return Err(
            "its first line names no columns that are known: title, url, tags, note; or title, body; or title, starts, ends, tz"
                .to_owned(),
        );
    };
    let mut haul = Haul::default();
    for (at, record) in reader.records().enumerate() {
        let line = at + 2;
        match record {
            Ok(record) => match kind(&Row { header: &header, record: &record }) {
                Ok(found) => haul.found.push(Found { origin: Origin::line(line), ..found }),
                Err(why) => haul.leave_out(Origin::line(line), "The row", why),
            },
            Err(e) => haul.leave_out(Origin::line(line), "The row", format!("cannot be read: {e}")),
        }
    }
    Ok(haul)
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn resource(row: &Row<'_>) -> Result<Found, String> {
    let url = row.get(&["url", "link"]);
    let title = some(row.get(&["title", "name"])).unwrap_or_else(|| url.clone());
    if title.is_empty() {
        return Err("has neither a title nor a url; it is not imported".to_owned());
    }
    let resource = NewResourceInBatch {
        title: title.clone(),
        url,
        kind: row.get(&["kind", "type"]),
        tags: row.tags(),
        lang: row.get(&["lang", "language"]),
        note: row.get(&["note", "description"]),
        review_by: some(row.get(&["review_by"])),
    };
    Ok(Found { title, item: BatchItem::Resource(resource), origin: Origin::default() })
}

fn note(row: &Row<'_>) -> Result<Found, String> {
    let (title, body) = (row.get(&["title"]), row.get(&["body", "text"]));
    if title.is_empty() && body.is_empty() {
        return Err("is empty; it is not imported".to_owned());
    }
    let shown = if title.is_empty() { body.chars().take(40).collect() } else { title.clone() };
    let note = NewNote {
        title,
        body,
        content_warning: some(row.get(&["content_warning", "cw"])),
        want: None,
        lang: row.get(&["lang", "language"]),
        tags: row.tags(),
    };
    Ok(Found { title: shown, item: BatchItem::Note(note), origin: Origin::default() })
}

fn event(row: &Row<'_>) -> Result<Found, String> {
    let title = some(row.get(&["title", "summary"])).ok_or("has no title; it is not imported")?;
    let (starts, ends, tz) = (row.get(&["starts", "start"]), row.get(&["ends", "end"]), row.get(&["tz", "timezone"]));
    let typed = Typed {
        starts: &starts,
        ends: Some(ends.as_str()).filter(|text| !text.is_empty()),
        duration: None,
        tz: Some(tz.as_str()).filter(|text| !text.is_empty()),
    };
    let when = When::resolve(typed).map_err(|stop| format!("has a time that cannot be used: {stop} It is not imported"))?;
    let event = NewEvent {
        title: title.clone(),
        description: row.get(&["description", "note"]),
        starts: when.starts,
        ends: when.ends,
        starts_local: when.starts_local,
        ends_local: when.ends_local,
        tz: when.tz,
        rrule: some(row.get(&["rrule"])),
        location: row.get(&["location", "where"]),
        status: row.get(&["status"]),
        uid: row.get(&["uid"]),
        tags: row.tags(),
        sequence: 0,
    };
    Ok(Found { title, item: BatchItem::Event(event), origin: Origin::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_what_it_is() {
        let resources = haul("Title,URL,Tags\nHotline,https://x.example,\"eap, phone\"\n,,\n").unwrap();
        assert_eq!(resources.found.len(), 1);
        assert!(matches!(&resources.found[0].item, BatchItem::Resource(r) if r.tags == ["eap", "phone"]));
        assert_eq!(resources.left_out.len(), 1);
        let notes = haul("title,body\nHi,'=1+1\n").unwrap();
        assert!(matches!(&notes.found[0].item, BatchItem::Note(n) if n.body == "=1+1"));
        let events = haul("title,starts,ends,tz\nCircle,2026-12-01T18:00,2026-12-01T19:00,Europe/Madrid\nBad,soon,,\n").unwrap();
        assert!(matches!(&events.found[0].item, BatchItem::Event(e) if e.starts == "2026-12-01T17:00:00Z"));
        assert!(events.left_out[0].why.contains("time"));
        assert!(haul("a,b\n1,2\n").is_err());
    }
}
