//! What is too long for its field, or none of what the field holds: shortened or left out by itself, and named.

use kith_protocol::control::{BatchItem, NewItem, NewNote};
use kith_protocol::item::kinds;
use kith_protocol::limits::{KIND_CHARS, TAG_CHARS, TAGS, TITLE_CHARS};

/// Makes the small fields of a thing fit; what becomes of those that do not, as ends of sentences about it.
pub(super) fn cut(item: &mut BatchItem) -> Vec<String> {
    let mut told = Vec::new();
    let (title, tags, lang) = match item {
        BatchItem::Note(note) => (&mut note.title, &mut note.tags, Some(&mut note.lang)),
        BatchItem::Event(event) => (&mut event.title, &mut event.tags, None),
        BatchItem::Resource(resource) => {
            short(&mut resource.kind, KIND_CHARS, "kind", &mut told);
            (&mut resource.title, &mut resource.tags, Some(&mut resource.lang))
        }
    };
    short(title, TITLE_CHARS, "title", &mut told);
    fewer(tags, &mut told);
    if let Some(lang) = lang.filter(|lang| !is_lang(lang)) {
        told.push(format!("names its language \"{lang}\", which is not a language tag (`en`, `pt-BR`) and is not kept"));
        lang.clear();
    }
    told
}

fn short(text: &mut String, most: usize, field: &str, told: &mut Vec<String>) {
    let chars = text.chars().count();
    if chars > most {
        *text = text.chars().take(most).collect();
        told.push(format!("has a {field} of {chars} characters; it is cut after {most}"));
    }
}

/// Tags as there is room for them: none twice, none too long.
fn fewer(tags: &mut Vec<String>, told: &mut Vec<String>) {
    let mut kept: Vec<String> = Vec::new();
    let mut left: Vec<String> = Vec::new();
    for tag in tags
        .drain(..)
        .map(|tag| tag.trim_start_matches(|c: char| c == '#' || c.is_whitespace()).trim_end().to_owned())
        .filter(|tag| !tag.is_empty())
    {
        let short: String = tag.chars().take(TAG_CHARS).collect::<String>().trim_end().to_owned();
        if short != tag {
            told.push(format!("has a tag that is cut after {TAG_CHARS} characters: {tag}"));
        }
        if kept.contains(&short) {
            continue;
        }
        if kept.len() < TAGS { kept.push(short) } else { left.push(short) }
    }
    *tags = kept;
    if !left.is_empty() {
        told.push(format!("has more than {TAGS} tags; not kept: {}", left.join(", ")));
    }
}

/// Would the core keep it as a language?
fn is_lang(text: &str) -> bool {
    kinds::tidy(&NewItem::Note(NewNote { title: "x".to_owned(), lang: text.to_owned(), ..NewNote::default() })).is_ok()
}

#[cfg(test)]
mod tests {
    use kith_protocol::control::NewResourceInBatch;

    use super::super::{Found, Haul};
    use super::*;
    use crate::left_out::Origin;

    #[test]
    fn what_does_not_fit_is_cut_and_named() {
        let resource = NewResourceInBatch {
            title: "t".repeat(TITLE_CHARS + 1),
            kind: "k".repeat(KIND_CHARS + 1),
            lang: "plain English".to_owned(),
            tags: (0..TAGS + 2).map(|n| format!("#{n}")).chain(["0".to_owned(), "x".repeat(TAG_CHARS + 1)]).collect(),
            ..Default::default()
        };
        let found = Found { title: resource.title.clone(), item: BatchItem::Resource(resource), origin: Origin::line(7) };
        let haul = Haul { found: vec![found], ..Haul::default() }.checked();
        let BatchItem::Resource(kept) = &haul.found[0].item else { panic!("a resource") };
        assert_eq!((kept.title.chars().count(), kept.kind.chars().count(), kept.tags.len()), (TITLE_CHARS, KIND_CHARS, TAGS));
        assert_eq!(kept.lang, "");
        let whys: Vec<&str> = haul.left_out.iter().map(|left| left.why.as_str()).collect();
        assert_eq!(whys.len(), 5, "{whys:?}");
        assert!(haul.left_out.iter().all(|left| left.origin.line == Some(7)));
        assert!(whys.iter().any(|why| why.contains("32 tags") && why.contains("33")), "{whys:?}");
    }
}
