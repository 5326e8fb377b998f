//! Markdown: for reading, and for keeping.

use kith_protocol::control::{Author, Event, Note, NoteState, Resource, Time};

use super::without_controls;

const HIDDEN: &str = "*(behind a content warning, not exported; `--reveal` exports it)*";

/// Notes with their replies.
pub(crate) fn notes(circle: &str, notes: &[Note]) -> String {
    let mut out = format!("# {}: notes\n", one_line(circle));
    for note in notes.iter().filter(|note| note.state == NoteState::Visible) {
        let title = if note.title.is_empty() { "Without a title" } else { &note.title };
        out.push_str(&format!("\n## {}\n\n{}\n", one_line(title), by(&note.author, note.created_at)));
        for (word, value) in [("Content warning", note.content_warning.as_deref()), ("Tags", some(&note.tags.join(", ")))] {
            if let Some(value) = value {
                out.push_str(&format!("{word}: {}\n", one_line(value)));
            }
        }
        out.push_str(&format!("\n{}\n", body(note.body.as_deref())));
        for reply in note.replies.iter().filter(|reply| reply.state == NoteState::Visible) {
            out.push_str(&format!("\n> {}\n", by(&reply.author, reply.created_at)));
            if let Some(warning) = &reply.content_warning {
                out.push_str(&format!("> Content warning: {}\n", one_line(warning)));
            }
            out.push_str(">\n");
            for line in body(reply.body.as_deref()).lines() {
                out.push_str(&format!("> {line}\n"));
            }
        }
    }
    out
}

/// Events, times as their own zone tells them.
pub(crate) fn events(circle: &str, events: &[Event]) -> String {
    let mut out = format!("# {}: events\n", one_line(circle));
    for event in events.iter().filter(|event| event.state == NoteState::Visible) {
        out.push_str(&format!("\n## {}\n\n", one_line(&event.title)));
        let end = if event.ends_local.is_empty() { String::new() } else { format!(" to {}", event.ends_local.replace('T', " ")) };
        out.push_str(&format!("- When: {}{end} ({})\n", event.starts_local.replace('T', " "), event.tz));
        for (word, value) in [
            ("Again", event.rrule.as_deref().unwrap_or_default()),
            ("Where", &event.location),
            ("Status", if event.status == "confirmed" { "" } else { &event.status }),
        ] {
            if !value.is_empty() {
                out.push_str(&format!("- {word}: {}\n", one_line(value)));
            }
        }
        out.push_str(&format!("- Answers: {} yes, {} maybe, {} no\n", event.rsvp.yes, event.rsvp.maybe, event.rsvp.no));
        if !event.description.is_empty() {
            out.push_str(&format!("\n{}\n", inert(&event.description)));
        }
    }
    out
}

/// Resources as a list of links under their first tag: `kith import` reads it again.
pub(crate) fn resources(circle: &str, resources: &[Resource]) -> String {
    let mut out = format!("# {}: resources\n", one_line(circle));
    let mut sections: Vec<&str> = Vec::new();
    let visible: Vec<&Resource> = resources.iter().filter(|r| r.state == NoteState::Visible).collect();
    for resource in &visible {
        let section = first_tag(resource);
        if !sections.contains(&section) {
            sections.push(section);
        }
    }
    for section in sections {
        out.push_str(&format!("\n## {}\n\n", if section.is_empty() { "Without a tag".to_owned() } else { one_line(section) }));
        for resource in visible.iter().filter(|r| first_tag(r) == section) {
            let title = one_line(&resource.title).replace('[', "\\[").replace(']', "\\]");
            let link = if resource.url.is_empty() {
                title
            } else {
                format!("[{title}](<{}>)", one_line(&resource.url).replace(['<', '>'], ""))
            };
            let note = if resource.note.is_empty() { String::new() } else { format!(" - {}", one_line(&resource.note)) };
            out.push_str(&format!("- {link}{note}\n"));
        }
    }
    out
}

fn first_tag(resource: &Resource) -> &str {
    resource.tags.first().map(String::as_str).unwrap_or_default()
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn by(author: &Author, at: Time) -> String {
    format!("{}, {}", one_line(&author.name), at.0)
}

fn body(text: Option<&str>) -> String {
    text.map_or_else(|| HIDDEN.to_owned(), inert)
}

/// What a viewer shows without fetching anything: pictures become links, and HTML becomes words.
fn inert(text: &str) -> String {
    let text = without_controls(text).replace("![", "!\\[");
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '<' && chars.peek().is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?')) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn one_line(text: &str) -> String {
    inert(text).replace(['\n', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_fetched_by_looking() {
        assert_eq!(inert("![x](https://beacon.example/a.png)"), "!\\[x](https://beacon.example/a.png)");
        assert_eq!(inert("<img src=x> 1 < 2 <3"), "\\<img src=x> 1 < 2 <3");
    }
}
