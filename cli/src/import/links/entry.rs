//! One entry of a list of links: its links, and the words around them.

use kith_protocol::control::{BatchItem, NewResourceInBatch};

use super::shown;
use crate::export::csv::tags_of;
use crate::export::markdown::{KIND, LANGUAGE, REVIEW_BY, TAGS};
use crate::import::{Found, Haul, address};
use crate::left_out::Origin;

/// A link or the words between two.
#[derive(Debug)]
enum Piece {
    Words(String),
    Link(Link),
}

#[derive(Debug, Default)]
struct Link {
    title: String,
    url: String,
    /// What some programs show when one points at it.
    hover: String,
    /// An address that stands for itself.
    bare: bool,
    /// It is nothing but words that are an address.
    in_words: bool,
    origin: Origin,
}

/// An entry, read so far.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pieces: Vec<Piece>,
    /// The link that is being read.
    open: Option<Link>,
    /// The picture that is being read, outside of links.
    picture: Option<Link>,
    begins: Option<Origin>,
}

impl Entry {
    pub(super) fn link(&mut self, url: String, hover: &str, bare: bool, origin: Origin) {
        self.begins.get_or_insert_with(|| origin.clone());
        self.open = Some(Link { url, hover: hover.to_owned(), bare, origin, ..Link::default() });
    }

    pub(super) fn link_ends(&mut self) {
        if let Some(mut link) = self.open.take() {
            if link.bare {
                link.title.clear();
            }
            self.pieces.push(Piece::Link(link));
        }
    }

    pub(super) fn picture(&mut self, url: String, origin: Origin) {
        if self.open.is_none() {
            self.picture = Some(Link { url, origin, ..Link::default() });
        }
    }

    pub(super) fn picture_ends(&mut self) {
        if let Some(picture) = self.picture.take() {
            // Kept apart by its address, which is none: told when the entry is over.
            self.pieces.push(Piece::Link(Link { hover: PICTURE.to_owned(), ..picture }));
        }
    }

    /// Words; in notes their marks stay. `is_mark`: they are nothing but a mark.
    pub(super) fn words(&mut self, words: &str, mark: &str, is_mark: bool, origin: Origin) {
        if let Some(link) = self.picture.as_mut().or(self.open.as_mut()) {
            if !is_mark {
                link.title.push_str(if words == "\n" { " " } else { words });
            }
            return;
        }
        if words.trim().is_empty() && self.pieces.is_empty() {
            return;
        }
        let origin = self.begins.get_or_insert(origin).clone();
        if is_mark {
            return self.push(words);
        }
        let is_address = !mark.is_empty() && address_at(words) == Some(words.len());
        let mark = if is_address { "" } else { mark };
        self.push(mark);
        let mut rest = words;
        while let Some((before, url)) = next_address(rest) {
            self.push(before);
            self.pieces.push(Piece::Link(Link {
                url: url.to_owned(),
                bare: true,
                in_words: true,
                origin: origin.clone(),
                ..Link::default()
            }));
            rest = rest.get(before.len() + url.len()..).unwrap_or_default();
        }
        self.push(rest);
        self.push(mark);
    }

    fn push(&mut self, words: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Words(before)) => before.push_str(words),
            Some(Piece::Link(_)) | None if !words.is_empty() => self.pieces.push(Piece::Words(words.to_owned())),
            Some(Piece::Link(_)) | None => {}
        }
    }

    /// Its resources; words without a link are named.
    pub(super) fn finish(self, headings: &[String], haul: &mut Haul) {
        let Some(origin) = self.begins else { return };
        // Beside a link that has a title, an address in words is part of what is said about it.
        let titled = self.pieces.iter().any(|piece| matches!(piece, Piece::Link(link) if !link.bare && link.hover != PICTURE));
        let (mut before, mut links): (String, Vec<(Link, String)>) = (String::new(), Vec::new());
        for piece in self.pieces {
            match piece {
                Piece::Link(link) if titled && link.in_words => {
                    links.last_mut().map_or(&mut before, |(_, after)| after).push_str(&link.url);
                }
                Piece::Link(link) => links.push((link, String::new())),
                Piece::Words(words) => links.last_mut().map_or(&mut before, |(_, after)| after).push_str(&words),
            }
        }
        let count = links.len();
        let Some((first, after)) = links.first_mut() else {
            if before.contains(char::is_alphanumeric) {
                haul.leave_out(origin, shown(&before), "has no link; it is not imported");
            }
            return;
        };
        let before = before.trim().to_owned();
        if before.contains(char::is_alphanumeric) {
            if first.bare {
                first.title = one_line(before.trim_end_matches([':', '-', '–', '—', ' ']));
            } else {
                *after = format!("{before} {after}");
            }
        }
        for (at, (link, after)) in links.into_iter().enumerate() {
            // A word between two links ("and") says nothing of either.
            let joins =
                at + 1 < count && after.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count() < 2;
            add(link, if joins { "" } else { &after }, headings, haul);
        }
    }
}

/// Stands for the hover text of what is a picture and no link.
const PICTURE: &str = "\0picture";

fn add(link: Link, words: &str, headings: &[String], haul: &mut Haul) {
    let title = one_line(&link.title);
    let title = if title.is_empty() { link.url.clone() } else { title };
    let origin = link.origin;
    if link.hover == PICTURE {
        haul.leave_out(origin, title, format!("is a picture, not a link: {}; it is not imported", link.url));
        return;
    }
    if !address::leads_out(&link.url) {
        let why = format!("leads to \"{}\", which is not an address outside its own page; it is not imported", link.url);
        haul.leave_out(origin, title, why);
        return;
    }
    let url = address::tidy(&link.url);
    if url != link.url {
        haul.change(origin.clone(), &title, format!("has spaces in its address, which is kept as {url}"));
    }
    let (note, facts) = facts(words);
    let note = if note.is_empty() { one_line(&link.hover) } else { note };
    if !link.hover.is_empty() && note != one_line(&link.hover) {
        haul.leave_out(origin.clone(), &title, format!("has words that show when one points at it, not kept: {}", link.hover));
    }
    let fact = |name: &str| facts.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    let resource = NewResourceInBatch {
        title: if link.bare { title.clone() } else { one_line(&link.title) },
        url,
        tags: fact(TAGS).map_or_else(|| headings.to_vec(), |tags| tags_of(&tags)),
        kind: fact(KIND).unwrap_or_default(),
        lang: fact(LANGUAGE).unwrap_or_default(),
        review_by: fact(REVIEW_BY),
        note,
    };
    haul.found.push(Found { title, item: BatchItem::Resource(resource), origin });
}

/// The note in one line, and what Kith's own lists say in lines of their own.
fn facts(words: &str) -> (String, Vec<(&'static str, String)>) {
    let mut facts = Vec::new();
    let mut note = Vec::new();
    for (at, line) in words.lines().enumerate() {
        let fact = [TAGS, KIND, LANGUAGE, REVIEW_BY].into_iter().find_map(|name| {
            let value = line.trim().strip_prefix(name)?.strip_prefix(": ")?;
            (at > 0).then(|| (name, value.to_owned()))
        });
        match fact {
            Some(fact) => facts.push(fact),
            None => note.push(line),
        }
    }
    let note = one_line(&note.join(" "));
    // One mark parts the link from the words; what follows is theirs.
    let note = note.strip_prefix(['-', '–', '—', ':', ',', '|', ';']).unwrap_or(&note).trim();
    // The end of a sentence that the link stands in says nothing.
    let says = note.contains(char::is_alphanumeric) || note.chars().count() > 2;
    (if says { note.to_owned() } else { String::new() }, facts)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The next address in words, and what stands before it.
fn next_address(words: &str) -> Option<(&str, &str)> {
    let starts = words.char_indices().map(|(at, _)| at);
    for at in starts {
        let begins = words.get(..at)?.chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        if let Some(length) = begins.then(|| words.get(at..).and_then(address_at)).flatten() {
            return Some((words.get(..at)?, words.get(at..at + length)?));
        }
    }
    None
}

/// The length of the web address that a text begins with. Marks at its end are the sentence's, and so is a bracket that closes
/// what was opened before it.
fn address_at(text: &str) -> Option<usize> {
    let head = text.get(..8).or_else(|| text.get(..7))?.to_ascii_lowercase();
    let scheme = ["https://", "http://"].into_iter().find(|scheme| head.starts_with(scheme))?;
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '|' | '`')).unwrap_or(text.len());
    let mut url = text.get(..end)?;
    loop {
        let last = url.chars().next_back()?;
        let count = |c: char| url.matches(c).count();
        let loose = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '*' | '_' | '\'' => true,
            ')' => count(')') > count('('),
            ']' => count(']') > count('['),
            _ => false,
        };
        if !loose {
            break;
        }
        url = url.get(..url.len() - last.len_utf8())?;
    }
    (url.len() > scheme.len()).then_some(url.len())
}
