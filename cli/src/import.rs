//! Files in: what they hold becomes new items; what they hold that has no place is named.

mod address;
pub(crate) mod bookmarks;
pub(crate) mod calendar;
pub(crate) mod csv;
mod dates;
pub(crate) mod decode;
mod fit;
pub(crate) mod folder;
#[cfg(test)]
mod fuzz;
pub(crate) mod later;
pub(crate) mod links;
pub(crate) mod own;
#[cfg(test)]
mod round;
mod sheet;

use kith_protocol::control::{BatchItem, NewItem};
use kith_protocol::item::kinds;
use kith_protocol::limits::TITLE_CHARS;

use crate::left_out::{LeftOut, Origin, Weight};

/// One thing to import.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// What people call it.
    pub(crate) title: String,
    /// The thing.
    pub(crate) item: BatchItem,
    /// Where it stands.
    pub(crate) origin: Origin,
}

/// What a file or folder holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Haul {
    pub(crate) found: Vec<Found>,
    pub(crate) left_out: Vec<LeftOut>,
    /// What a calendar says of events that may be here already.
    pub(crate) later: later::News,
}

impl Haul {
    /// Names what is not kept as it stands.
    pub(crate) fn tell(&mut self, weight: Weight, origin: Origin, what: impl Into<String>, why: impl Into<String>) {
        self.left_out.push(LeftOut { origin, what: what.into(), why: why.into(), weight });
    }

    /// Names what is not kept.
    pub(crate) fn leave_out(&mut self, origin: Origin, what: impl Into<String>, why: impl Into<String>) {
        self.tell(Weight::Dropped, origin, what, why);
    }

    /// Names what is kept in another form.
    pub(crate) fn change(&mut self, origin: Origin, what: impl Into<String>, why: impl Into<String>) {
        self.tell(Weight::Changed, origin, what, why);
    }

    /// With everything as it is kept. What cannot be kept is left out by itself and takes nothing else down with it.
    pub(crate) fn checked(self) -> Self {
        let mut checked = Self { found: Vec::with_capacity(self.found.len()), left_out: self.left_out, later: self.later };
        for mut found in self.found {
            found.title = found.title.chars().take(TITLE_CHARS).collect();
            for why in fit::cut(&mut found.item) {
                checked.leave_out(found.origin.clone(), found.title.as_str(), why);
            }
            match kinds::tidy(&NewItem::from(found.item)) {
                Ok(item) => checked.found.push(Found { item: item.into(), ..found }),
                Err(error) => checked.leave_out(
                    found.origin,
                    found.title,
                    format!("is not imported: {}.", error.message.trim_end_matches('.')),
                ),
            }
        }
        checked.left_out.sort_by(|a, b| (&a.origin.file, a.origin.line).cmp(&(&b.origin.file, b.origin.line)));
        checked
    }
}

#[cfg(test)]
mod tests {
    use kith_protocol::control::{NewNote, NewResourceInBatch};

    use super::*;

    fn resource(title: &str, url: &str, line: usize) -> Found {
        let item = NewResourceInBatch { title: title.to_owned(), url: url.to_owned(), ..Default::default() };
        Found { title: title.to_owned(), item: BatchItem::Resource(item), origin: Origin::line(line) }
    }

    #[test]
    fn one_bad_thing_is_named_by_its_line_and_the_rest_comes_in() {
        let found = vec![resource("a", "https://a.example", 2), resource("b", "gopher://b.example", 3), resource("c", "", 4)];
        let checked = Haul { found, ..Haul::default() }.checked();
        let titles: Vec<&str> = checked.found.iter().map(|found| found.title.as_str()).collect();
        assert_eq!(titles, ["a", "c"]);
        let [left] = checked.left_out.as_slice() else { panic!("one is left out: {:?}", checked.left_out) };
        assert_eq!((left.origin.line, left.what.as_str(), left.weight), (Some(3), "b", Weight::Dropped));
        assert!(left.why.contains("gopher:"), "{}", left.why);
    }

    #[test]
    fn words_are_as_they_are_kept() {
        let note = NewNote { title: "a\u{0}b".to_owned(), body: "page\u{c}two".to_owned(), ..Default::default() };
        let found = Found { title: "a".to_owned(), item: BatchItem::Note(note), origin: Origin::default() };
        let checked = Haul { found: vec![found], ..Haul::default() }.checked();
        assert!(matches!(&checked.found[0].item, BatchItem::Note(note) if note.title == "a b" && note.body == "pagetwo"));
    }
}
