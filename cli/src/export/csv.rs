//! Tables. A cell that a spreadsheet would take for a formula gets an apostrophe in front.

use kith_protocol::control::{Event, Note, NoteState, Resource};

use super::without_controls;

/// A cell that no spreadsheet executes.
pub(crate) fn safe(cell: &str) -> String {
    let cell = without_controls(cell);
    let first = cell.trim_start_matches([' ', '\n']).chars().next();
    if matches!(first, Some('=' | '+' | '-' | '@' | '\t')) { format!("'{cell}") } else { cell }
}

fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    // Writing to memory cannot fail.
    drop(writer.write_record(header));
    for row in rows {
        drop(writer.write_record(row.iter().map(|cell| safe(cell))));
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// Notes, without replies.
pub(crate) fn notes(notes: &[Note]) -> String {
    let visible = notes.iter().filter(|note| note.state == NoteState::Visible);
    table(
        &["id", "created_at", "author", "title", "body", "content_warning", "tags"],
        visible.map(|note| {
            vec![
                note.id.clone(),
                note.created_at.0.to_string(),
                note.author.name.clone(),
                note.title.clone(),
                note.body.clone().unwrap_or_default(),
                note.content_warning.clone().unwrap_or_default(),
                note.tags.join(", "),
            ]
        }),
    )
}

/// Events; `kith import` reads the table again.
pub(crate) fn events(events: &[Event]) -> String {
    let visible = events.iter().filter(|event| event.state == NoteState::Visible);
    table(
        &[
            "id",
            "title",
            "starts",
            "ends",
            "tz",
            "rrule",
            "location",
            "status",
            "description",
            "tags",
            "uid",
            "yes",
            "maybe",
            "no",
        ],
        visible.map(|event| {
            vec![
                event.id.clone(),
                event.title.clone(),
                event.starts_local.clone(),
                last_day(event),
                event.tz.clone(),
                event.rrule.clone().unwrap_or_default(),
                event.location.clone(),
                event.status.clone(),
                event.description.clone(),
                event.tags.join(", "),
                if event.uid.is_empty() { format!("{}@kith", event.id) } else { event.uid.clone() },
                event.rsvp.yes.to_string(),
                event.rsvp.maybe.to_string(),
                event.rsvp.no.to_string(),
            ]
        }),
    )
}

/// Tables say the last day, as people do; calendars keep the day after it.
fn last_day(event: &Event) -> String {
    if !event.all_day {
        return event.ends_local.clone();
    }
    event
        .ends_local
        .parse::<jiff::civil::Date>()
        .ok()
        .and_then(|day| day.yesterday().ok())
        .map(|day| day.to_string())
        .unwrap_or_default()
}

/// Resources; `kith import` reads the table again.
pub(crate) fn resources(resources: &[Resource]) -> String {
    let visible = resources.iter().filter(|resource| resource.state == NoteState::Visible);
    table(
        &["id", "title", "url", "kind", "tags", "lang", "note", "review_by", "author"],
        visible.map(|r| {
            vec![
                r.id.clone(),
                r.title.clone(),
                r.url.clone(),
                r.kind.clone(),
                r.tags.join(", "),
                r.lang.clone(),
                r.note.clone(),
                r.review_by.clone().unwrap_or_default(),
                r.author.name.clone(),
            ]
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text() {
        for cell in ["=1+1", "+1", "-1", "@x", "\tx", " =1", "\n=1"] {
            assert!(safe(cell).starts_with('\''), "{cell:?}");
        }
        assert_eq!(safe("1-1"), "1-1");
        assert_eq!(safe("a\u{1b}[31mb\rc"), "a[31mbc");
        assert_eq!(table(&["a"], [vec!["=HYPERLINK(\"x\")".to_owned()]].into_iter()), "a\n\"'=HYPERLINK(\"\"x\"\")\"\n");
    }
}
