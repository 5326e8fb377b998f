//! What Kith writes, Kith reads: tables and lists come back as they were.

use kith_protocol::control::{BatchItem, NewItem, NewNote, NewResource, Note, Resource, Want};
use kith_protocol::item::kinds;
use proptest::prelude::*;
use serde_json::json;

use super::{Haul, csv, links};
use crate::export::{csv as tables, markdown, nasty, one_line, with_plain_ends};

/// As the core keeps it; nothing where it cannot.
fn kept_note(new: NewNote) -> Option<NewNote> {
    match kinds::tidy(&NewItem::Note(new)) {
        Ok(NewItem::Note(note)) => Some(note),
        Ok(_) | Err(_) => None,
    }
}

fn kept_resource(new: NewResource) -> Option<NewResource> {
    match kinds::tidy(&NewItem::Resource(new)) {
        Ok(NewItem::Resource(resource)) => Some(resource),
        Ok(_) | Err(_) => None,
    }
}

fn shown_note(n: usize, new: &NewNote) -> Note {
    let mut note = markdown::tests::note(n, "Bea", &new.title, &new.body);
    note.content_warning.clone_from(&new.content_warning);
    note.want = new.want;
    note.lang.clone_from(&new.lang);
    note.tags.clone_from(&new.tags);
    note
}

fn shown_resource(n: usize, new: &NewResource) -> Resource {
    let kind = if new.kind.is_empty() { "link" } else { &new.kind };
    let value = json!({
        "id": format!("r-{n:016}"), "circle": "c-abc", "title": new.title, "url": new.url, "kind": kind, "tags": new.tags,
        "lang": new.lang, "note": new.note, "author": markdown::tests::author(n, "Bea"), "review_by": new.review_by, "file": null,
        "created_at": "1970-01-01T00:00:00Z", "edited_at": null, "state": "visible", "delivery": null, "new": false,
    });
    serde_json::from_value(value).expect("a resource")
}

fn notes_of(haul: &Haul) -> Vec<NewNote> {
    let note = |item: &BatchItem| if let BatchItem::Note(note) = item { Some(note.clone()) } else { None };
    haul.found.iter().filter_map(|found| note(&found.item)).collect()
}

fn resources_of(haul: &Haul) -> Vec<NewResource> {
    let resource = |item: &BatchItem| if let BatchItem::Resource(resource) = item { Some(resource.clone().into()) } else { None };
    haul.found.iter().filter_map(|found| resource(&found.item)).collect()
}

/// Ends of lines are written in one way; a field of one line has none.
fn plain_note(note: NewNote) -> NewNote {
    NewNote {
        title: one_line(&note.title),
        body: with_plain_ends(&note.body),
        content_warning: note.content_warning.map(|warning| one_line(&warning)),
        tags: plain_tags(&note.tags),
        ..note
    }
}

/// What differs only by its spaces is one.
fn plain_tags(tags: &[String]) -> Vec<String> {
    let tags: std::collections::BTreeSet<String> = tags.iter().map(|tag| one_line(tag)).collect();
    tags.into_iter().collect()
}

fn plain_resource(resource: NewResource) -> NewResource {
    let kind = if resource.kind.is_empty() { "link".to_owned() } else { one_line(&resource.kind) };
    NewResource {
        title: one_line(&resource.title),
        note: with_plain_ends(&resource.note),
        kind,
        tags: plain_tags(&resource.tags),
        ..resource
    }
}

fn tags() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(prop_oneof!["[a-z ,;|\\\\:#\"'-]{1,8}", nasty::text()], 0..4)
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), Just("en".to_owned()), Just("pt-BR".to_owned())]
}

prop_compose! {
    fn note()(title in nasty::text(), body in nasty::text(), warning in nasty::text(), want in 0..4_u8, lang in word(), tags in tags()) -> NewNote {
        let want = match want { 1 => Some(Want::Listen), 2 => Some(Want::Advice), 3 => Some(Want::Resources), _ => None };
        NewNote { title, body, content_warning: Some(warning), want, lang, tags }
    }
}

prop_compose! {
    fn resource()(title in nasty::text(), path in "[a-z?&=();_~%*]{0,12}", kind in "[a-z =+-]{0,9}", about in nasty::text(), lang in word(), tags in tags(), day in 0..3_u8)
        -> NewResource {
        let review_by = (day > 0).then(|| format!("2027-0{day}-28"));
        let url = if path.len() % 4 == 3 { String::new() } else { format!("https://x.example/{path}") };
        NewResource { title, url, kind, tags, lang, note: about, review_by }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..Default::default() })]

    #[test]
    fn a_table_of_notes_comes_back(said in proptest::collection::vec(note(), 1..5)) {
        let said: Vec<NewNote> = said.into_iter().filter_map(kept_note).filter(|note| !note.body.trim().is_empty()).collect();
        let text = tables::notes(&said.iter().enumerate().map(|(n, note)| shown_note(n, note)).collect::<Vec<_>>());
        let back = csv::haul(&text).expect("a table").checked();
        let back: Vec<NewNote> = notes_of(&back).into_iter().map(plain_note).collect();
        prop_assert_eq!(back, said.into_iter().map(plain_note).collect::<Vec<_>>(), "{}", text);
    }

    #[test]
    fn a_table_of_resources_comes_back(said in proptest::collection::vec(resource(), 1..5)) {
        let said: Vec<NewResource> = said.into_iter().filter_map(kept_resource).collect();
        let text = tables::resources(&said.iter().enumerate().map(|(n, it)| shown_resource(n, it)).collect::<Vec<_>>());
        let back = csv::haul(&text).expect("a table").checked();
        let back: Vec<NewResource> = resources_of(&back).into_iter().map(plain_resource).collect();
        prop_assert_eq!(back, said.into_iter().map(plain_resource).collect::<Vec<_>>(), "{}", text);
    }

    #[test]
    fn a_list_of_links_comes_back(said in proptest::collection::vec(resource(), 1..5)) {
        let has_words = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count() > 1;
        let listed = |it: &NewResource| !it.url.is_empty() && has_words(&it.title) && (it.note.trim().is_empty() || has_words(&it.note));
        let said: Vec<NewResource> = said.into_iter().filter_map(kept_resource).filter(listed).collect();
        let text = markdown::resources("Night shift", &said.iter().enumerate().map(|(n, it)| shown_resource(n, it)).collect::<Vec<_>>());
        let in_one_line = |it: NewResource| NewResource { note: one_line(&it.note), ..plain_resource(it) };
        let mut back: Vec<NewResource> = resources_of(&links::haul(&text).checked()).into_iter().map(in_one_line).collect();
        let mut wanted: Vec<NewResource> = said.into_iter().map(in_one_line).collect();
        // They stand below their first tag.
        back.sort_by(|a, b| (&a.title, &a.url, &a.note, &a.tags).cmp(&(&b.title, &b.url, &b.note, &b.tags)));
        wanted.sort_by(|a, b| (&a.title, &a.url, &a.note, &a.tags).cmp(&(&b.title, &b.url, &b.note, &b.tags)));
        prop_assert_eq!(back, wanted, "{}", text);
    }
}
