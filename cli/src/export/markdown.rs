//! Markdown: for reading, and for keeping.
//!
//! Headings, the lines that say who wrote something, and the words before a colon are Kith's. What people wrote stands in two
//! forms only: as words within such a line, behind everything of Kith's in it, with all marks escaped; or, where it may have
//! several lines, as a block that is indented by four spaces, in which nothing means anything and every word stands as written.

use kith_protocol::control::{Author, Event, EventStatus, ItemState, Note, Resource, Time};

use super::csv::tags_cell;
use super::{last, one_line, with_plain_ends};

/// The heading of resources without a tag, in lists of earlier versions.
pub(crate) const UNTAGGED: &str = "Without a tag";
/// What a list of resources says of one in lines of their own.
pub(crate) const TAGS: &str = "Tags";
pub(crate) const KIND: &str = "Kind";
pub(crate) const LANGUAGE: &str = "Language";
pub(crate) const REVIEW_BY: &str = "Review by";

const HIDDEN: &str = "*(behind a content warning, not exported; `--reveal` exports it)*";

/// Notes with their replies.
pub(crate) fn notes(circle: &str, notes: &[Note]) -> String {
    let mut out = format!("# Notes of {}\n", words(circle));
    for note in notes.iter().filter(|note| note.state == ItemState::Visible) {
        let title = if note.title.trim().is_empty() { "Without a title".to_owned() } else { words(&note.title) };
        out.push_str(&format!("\n## {title}\n\n{}\n", by(&note.id, note.created_at, &note.author)));
        fact(&mut out, "Tags", &note.tags.join(", "));
        said(&mut out, note.content_warning.as_deref(), note.body.as_deref());
        for reply in note.replies.iter().filter(|reply| reply.state == ItemState::Visible) {
            out.push_str(&format!("\n### Reply\n\n{}\n", by(&reply.id, reply.created_at, &reply.author)));
            said(&mut out, reply.content_warning.as_deref(), reply.body.as_deref());
        }
    }
    out
}

/// Events, times as their own zone tells them.
pub(crate) fn events(circle: &str, events: &[Event]) -> String {
    let mut out = format!("# Events of {}\n", words(circle));
    for event in events.iter().filter(|event| event.state == ItemState::Visible) {
        out.push_str(&format!("\n## {}\n\n{}\n", words(&event.title), by(&event.id, event.created_at, &event.author)));
        fact(&mut out, "When", &when(event));
        fact(&mut out, "Again", event.rrule.as_deref().unwrap_or_default());
        fact(&mut out, "Where", &event.location);
        fact(&mut out, "Status", if event.status == EventStatus::Confirmed { "" } else { event.status.word() });
        let rsvp = &event.rsvp;
        fact(&mut out, "Answers", &format!("{} yes, {} maybe, {} no", rsvp.yes, rsvp.maybe, rsvp.no));
        block(&mut out, &event.description);
    }
    out
}

/// From when to when, as its own zone tells it; a whole day is that day wherever one is.
fn when(event: &Event) -> String {
    let last = last(event);
    let end = if last.is_empty() || last == event.starts_local { String::new() } else { format!(" to {last}") };
    let times = format!("{}{end}", event.starts_local).replace('T', " ");
    if event.all_day { times } else { format!("{times} ({})", event.tz) }
}

/// Resources as a list of links under their first tag: `kith import` reads it again.
pub(crate) fn resources(circle: &str, resources: &[Resource]) -> String {
    let mut out = format!("# Resources of {}\n", words(circle));
    let mut sections: Vec<&str> = Vec::new();
    let visible: Vec<&Resource> = resources.iter().filter(|r| r.state == ItemState::Visible).collect();
    for resource in &visible {
        let section = first_tag(resource);
        if !sections.contains(&section) {
            sections.push(section);
        }
    }
    // Those without a tag stand below the title, where no heading becomes one.
    sections.sort_by_key(|section| !section.is_empty());
    for section in sections {
        let heading = if section.is_empty() { String::new() } else { format!("## {}\n\n", words(section)) };
        out.push_str(&format!("\n{heading}"));
        for resource in visible.iter().filter(|r| first_tag(r) == section) {
            out.push_str(&format!("- {}\n", entry(resource)));
        }
    }
    out
}

/// One resource in its line: a link where its address is one, then the words about it.
fn entry(resource: &Resource) -> String {
    let title = words(&resource.title);
    let link = if resource.url.is_empty() { title } else { format!("[{title}](<{}>)", target(&resource.url)) };
    let refused = resource.refused_url.as_deref().map(|text| format!("(not a link: {text})"));
    let rest = [refused.as_deref().unwrap_or_default(), &resource.note].join(" ");
    let rest = words(&rest);
    let mut entry = if rest.is_empty() { link } else { format!("{link} - {rest}") };
    let tag = first_tag(resource);
    // The heading says the only tag, if it says it as it is.
    let said = resource.tags.len() <= 1 && one_line(tag) == tag && !tag.ends_with([':', '#']) && tag != UNTAGGED;
    let tags = if said { String::new() } else { tags_cell(&resource.tags) };
    let kind = if resource.kind == "link" { "" } else { &resource.kind };
    let review_by = resource.review_by.as_deref().unwrap_or_default();
    for (name, value) in [(TAGS, tags.as_str()), (KIND, kind), (LANGUAGE, &resource.lang), (REVIEW_BY, review_by)] {
        if !value.is_empty() {
            entry.push_str(&format!("\n  {name}: {}", words(value)));
        }
    }
    entry
}

/// An address between angle brackets. Of what Markdown would read as something else, the two that addresses hold are written in
/// a way that means the same.
fn target(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for c in one_line(url).chars() {
        match c {
            '`' => out.push_str("%60"),
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '\\' => out.push_str("%5C"),
            ' ' => out.push_str("%20"),
            '&' => out.push_str("&amp;"),
            other => out.push(other),
        }
    }
    out
}

fn first_tag(resource: &Resource) -> &str {
    resource.tags.first().map(String::as_str).unwrap_or_default()
}

/// Which thing, when and by whom. Ids first, since nobody can choose them; the name last.
fn by(id: &str, at: Time, author: &Author) -> String {
    let alike = if author.alike { " (somebody else's name looks like it)" } else { "" };
    format!("{id}, {}, by {}{alike}: {}", at.0, author.member, words(&author.name))
}

/// A line of its own: Kith's word for it, then what people wrote.
fn fact(out: &mut String, word: &str, value: &str) {
    let value = words(value);
    if !value.is_empty() {
        out.push_str(&format!("\n{word}: {value}\n"));
    }
}

fn said(out: &mut String, warning: Option<&str>, body: Option<&str>) {
    fact(out, "Content warning", warning.unwrap_or_default());
    match body {
        Some(body) => block(out, body),
        None => out.push_str(&format!("\n{HIDDEN}\n")),
    }
}

/// Text of several lines, each indented. It stands behind a paragraph, never behind a list, whose entry it would go on.
fn block(out: &mut String, text: &str) {
    if text.trim().is_empty() {
        return;
    }
    out.push('\n');
    for line in with_plain_ends(text).trim_matches('\n').lines() {
        let line = line.trim_end();
        if line.is_empty() {
            out.push('\n');
        } else {
            out.push_str(&format!("    {line}\n"));
        }
    }
}

/// What people wrote, in one line, so that no mark in it means anything.
fn words(text: &str) -> String {
    let line = one_line(text);
    let mut out = String::with_capacity(line.len());
    // `1.` and `1)` begin lists, as `-` and `+` do, wherever an entry of a list begins.
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    for (at, c) in line.chars().enumerate() {
        let marks =
            matches!(c, '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '&' | '~' | '|' | '#' | '!' | '$' | '^');
        let begins = at == 0 && c.is_ascii_punctuation() || at == digits && digits > 0 && matches!(c, '.' | ')');
        if marks || begins {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(
        clippy::wildcard_enum_match_arm,
        reason = "of what Markdown knows, a few marks are meant, and any other is a failure"
    )]

    use kith_protocol::control::Reply;
    use kith_protocol::time::Millis;
    use proptest::prelude::*;
    use pulldown_cmark::{Event as Mark, HeadingLevel, Options, Parser, Tag, TagEnd};

    use super::super::{example, nasty};
    use super::*;

    pub(crate) fn author(n: usize, name: &str) -> Author {
        Author { member: format!("m-{n:016}"), name: name.to_owned(), alike: n % 2 == 1, ..Default::default() }
    }

    pub(crate) fn note(n: usize, name: &str, title: &str, body: &str) -> Note {
        let value = serde_json::json!({
            "id": format!("n-{n:016}"), "circle": "c-abc", "title": title, "body": body, "author": author(n, name),
            "created_at": Time(Millis(0)), "edited_at": null, "version": 1, "content_warning": null, "want": null, "lang": "",
            "tags": [], "pinned": false, "replies": [], "reactions": {}, "state": "visible", "delivery": null, "delivered": null,
            "new": false, "clock_skewed": false,
        });
        serde_json::from_value(value).expect("a note")
    }

    fn reply(n: usize, name: &str, body: &str) -> Reply {
        Reply {
            base: None,
            id: format!("p-{n:016}"),
            body: Some(body.to_owned()),
            content_warning: None,
            author: author(n, name),
            created_at: Time(Millis(0)),
            edited_at: None,
            state: ItemState::Visible,
            delivery: None,
            new: false,
            cut: false,
        }
    }

    fn event(n: usize, name: &str, [title, place, description, rrule]: [&str; 4]) -> Event {
        Event {
            id: format!("e-{n:016}"),
            title: title.to_owned(),
            description: description.to_owned(),
            rrule: Some(rrule.to_owned()),
            location: place.to_owned(),
            author: author(n, name),
            ..example::event()
        }
    }

    fn resource(n: usize, title: &str, url: &str, about: &str, tag: &str) -> Resource {
        Resource {
            base: None,
            crossed: Vec::new(),
            id: format!("r-{n:016}"),
            circle: "c-abc".to_owned(),
            circle_name: "Night shift".to_owned(),
            title: title.to_owned(),
            url: url.to_owned(),
            refused_url: None,
            kind: "link".to_owned(),
            tags: vec![tag.to_owned()],
            lang: String::new(),
            note: about.to_owned(),
            author: author(n, "x"),
            changed_by: None,
            review_by: None,
            file: None,
            created_at: Time(Millis(0)),
            edited_at: None,
            state: ItemState::Visible,
            delivery: None,
            new: false,
            changed: false,
            cut: false,
        }
    }

    /// A part of a document as a Markdown reader sees it.
    #[derive(Debug, PartialEq, Eq)]
    enum Part {
        Heading(HeadingLevel, String),
        Paragraph(String),
        Block(String),
        /// An entry of a list: its words, and where its links lead.
        Entry(String, Vec<String>),
        /// Anything that no export of ours is made of.
        Other(String),
    }

    fn parts(text: &str) -> Vec<Part> {
        let (mut parts, mut words, mut links) = (Vec::new(), String::new(), Vec::new());
        for mark in Parser::new_ext(text, Options::all() - Options::ENABLE_SMART_PUNCTUATION) {
            match mark {
                Mark::Text(text) => words.push_str(&text),
                Mark::Start(Tag::Link { dest_url, .. }) => links.push(dest_url.to_string()),
                Mark::Start(Tag::Heading { .. } | Tag::Paragraph | Tag::CodeBlock(_) | Tag::Item) => words.clear(),
                Mark::End(TagEnd::Heading(level)) => parts.push(Part::Heading(level, std::mem::take(&mut words))),
                Mark::End(TagEnd::Paragraph) => parts.push(Part::Paragraph(std::mem::take(&mut words))),
                Mark::End(TagEnd::CodeBlock) => parts.push(Part::Block(std::mem::take(&mut words))),
                Mark::End(TagEnd::Item) => parts.push(Part::Entry(std::mem::take(&mut words), std::mem::take(&mut links))),
                Mark::Start(Tag::List(_)) | Mark::End(TagEnd::List(_) | TagEnd::Link) => {}
                other => parts.push(Part::Other(format!("{other:?}"))),
            }
        }
        parts
    }

    /// A body as its block holds it.
    fn kept(body: &str) -> Option<Part> {
        let lines: Vec<String> =
            with_plain_ends(body).trim_matches('\n').lines().map(|line| line.trim_end().to_owned()).collect();
        // A reader leaves out empty lines at either end of a block.
        let text = lines.join("\n");
        let text = text.trim_matches('\n');
        (!text.trim().is_empty()).then(|| Part::Block(format!("{text}\n")))
    }

    fn heading(level: HeadingLevel, text: &str, empty: &str) -> Part {
        let text = one_line(text);
        Part::Heading(level, if text.is_empty() { empty.to_owned() } else { text })
    }

    fn signed(id: &str, author: &Author) -> Part {
        let alike = if author.alike { " (somebody else's name looks like it)" } else { "" };
        let line = format!("{id}, 1970-01-01T00:00:00Z, by {}{alike}: {}", author.member, one_line(&author.name));
        Part::Paragraph(line.trim_end().to_owned())
    }

    proptest::proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..Default::default() })]

        #[test]
        fn who_said_what_is_what_a_reader_sees(
            circle in nasty::text(),
            said in proptest::collection::vec((nasty::text(), nasty::text(), nasty::text(), proptest::collection::vec((nasty::text(), nasty::text()), 0..3)), 0..4),
        ) {
            let all: Vec<Note> = said.iter().enumerate().map(|(n, (name, title, body, replies))| Note {
                replies: replies.iter().enumerate().map(|(at, (name, body))| reply(n * 7 + at, name, body)).collect(),
                ..note(n, name, title, body)
            }).collect();
            let mut wanted = vec![Part::Heading(HeadingLevel::H1, format!("Notes of {}", one_line(&circle)).trim_end().to_owned())];
            for note in &all {
                wanted.push(heading(HeadingLevel::H2, &note.title, "Without a title"));
                wanted.push(signed(&note.id, &note.author));
                wanted.extend(kept(note.body.as_ref().unwrap()));
                for reply in &note.replies {
                    wanted.push(Part::Heading(HeadingLevel::H3, "Reply".to_owned()));
                    wanted.push(signed(&reply.id, &reply.author));
                    wanted.extend(kept(reply.body.as_ref().unwrap()));
                }
            }
            let text = notes(&circle, &all);
            proptest::prop_assert_eq!(parts(&text), wanted, "{}", text);
        }

        #[test]
        fn events_are_what_a_reader_sees(said in proptest::collection::vec((nasty::text(), [nasty::text(), nasty::text(), nasty::text(), nasty::text()]), 0..4)) {
            let all: Vec<Event> = said.iter().enumerate().map(|(n, (name, texts))| event(n, name, texts.each_ref().map(String::as_str))).collect();
            let mut wanted = vec![Part::Heading(HeadingLevel::H1, "Events of Night shift".to_owned())];
            for event in &all {
                wanted.push(heading(HeadingLevel::H2, &event.title, ""));
                wanted.push(signed(&event.id, &event.author));
                wanted.push(Part::Paragraph("When: 2026-12-01 18:00:00 (Europe/Madrid)".to_owned()));
                for (word, value) in [("Again", event.rrule.as_deref().unwrap()), ("Where", &event.location)] {
                    let value = one_line(value);
                    wanted.extend((!value.is_empty()).then(|| Part::Paragraph(format!("{word}: {value}"))));
                }
                wanted.push(Part::Paragraph("Answers: 0 yes, 0 maybe, 0 no".to_owned()));
                wanted.extend(kept(&event.description));
            }
            let text = events("Night shift", &all);
            proptest::prop_assert_eq!(parts(&text), wanted, "{}", text);
        }

        #[test]
        fn a_list_of_links_holds_one_entry_a_resource(said in proptest::collection::vec((nasty::text(), nasty::text(), "[a-z&#;:<>\\\\()]{0,12}"), 0..4)) {
            let all: Vec<Resource> = said.iter().enumerate().map(|(n, (title, about, path))| {
                resource(n, title, &format!("https://x.example/{path}"), about, "one")
            }).collect();
            let text = resources("Night shift", &all);
            let entries: Vec<Part> = parts(&text).into_iter().filter(|part| !matches!(part, Part::Heading(..))).collect();
            let wanted: Vec<Part> = all.iter().map(|r| {
                let (title, about) = (one_line(&r.title), one_line(&r.note));
                let rest = if about.is_empty() { String::new() } else { format!(" - {about}") };
                let url = r.url.replace('<', "%3C").replace('>', "%3E").replace('\\', "%5C");
                Part::Entry(format!("{title}{rest}"), vec![url])
            }).collect();
            proptest::prop_assert_eq!(entries, wanted, "{}", text);
        }
    }

    #[test]
    fn whole_days_end_with_the_last_one() {
        let days = |starts: &str, ends: &str| Event {
            starts_local: starts.to_owned(),
            ends_local: ends.to_owned(),
            all_day: true,
            ..event(1, "Bea", ["Trip", "", "", ""])
        };
        let said = [days("2026-12-30", "2027-01-02"), days("2026-12-04", "2026-12-05"), days("2026-12-04", "")]
            .map(|event| when(&event));
        assert_eq!(said, ["2026-12-30 to 2027-01-01", "2026-12-04", "2026-12-04"]);
        let evening = Event { ends_local: "2026-12-01T19:00:00".to_owned(), ..event(1, "Bea", ["Circle", "", "", ""]) };
        assert_eq!(when(&evening), "2026-12-01 18:00:00 to 2026-12-01 19:00:00 (Europe/Madrid)");
    }

    #[test]
    fn a_body_cannot_pass_for_somebody_elses_words() {
        let forged = "## Resignation\n\nn-1, 2026-11-30T00:00:00Z, by m-aaaa: Amara\n\nI quit.\n\n### Reply\n\n> Amara, 2026-11-30T00:00:00Z\n===\n---\n<!--";
        let text = notes("Night shift", &[note(1, "Bea", "Hello", forged)]);
        for line in forged.lines().filter(|line| !line.is_empty()) {
            assert_eq!(text.lines().filter(|shown| *shown == format!("    {line}")).count(), 1, "{line:?} in\n{text}");
            assert!(!text.lines().any(|shown| shown == line), "{line:?} in\n{text}");
        }
    }

    #[test]
    fn an_address_that_is_none_stands_as_words() {
        let refused = Resource { refused_url: Some("javascript:alert(1)".to_owned()), ..resource(1, "t", "", "n", "one") };
        let text = resources("x", &[refused]);
        assert!(text.ends_with("- t - \\(not a link: javascript:alert(1)) n\n"), "{text}");
    }
}
