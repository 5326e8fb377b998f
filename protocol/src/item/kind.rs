//! The one table of kinds: what an item may hold, who may write it, under which key, and how it is named on screen.
//!
//! Numbers here are wire and storage form: add at the end, never renumber. What a kind's row does not name cannot be written.

use crate::circle::body::{KeyClass, Role};
use crate::limits::{BODY_BYTES, TITLE_CHARS};
use crate::planted::{Bug, planted};

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// What somebody wants to say.
    Note = 1,
    /// An answer to a note.
    Reply = 2,
    /// An emoji on a note.
    Reaction = 3,
    /// A meeting, once or recurring.
    Event = 4,
    /// A person's answer to an event.
    Rsvp = 5,
    /// A link or pointer worth keeping.
    Resource = 6,
    /// Deletes its target; final.
    Tombstone = 7,
    /// Hides its target.
    Hide = 8,
    /// Pins its target.
    Pin = 9,
}

/// Who may change an item that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Editors {
    /// Whoever made it.
    Creator,
    /// Everybody with at least the kind's own least role.
    Anyone,
    /// Nobody.
    Nobody,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One line, at most so many characters; the last writer's stands.
    Line(usize),
    /// Several lines, at most so many bytes; the last writer's stands.
    Lines(usize),
    /// Text that merges, at most so many bytes at a time.
    Text(usize),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A moment in milliseconds since 1970.
    Moment,
    /// Yes or no.
    Flag,
    /// A set of short words.
    Tags,
}

/// A field of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its number on the wire.
    pub number: u8,
    /// Its name in histories and documents.
    pub name: &'static str,
    /// What it holds.
    pub form: Form,
    /// Must it be set from the first edit on?
    pub required: bool,
}

const fn field(number: u8, name: &'static str, form: Form) -> Field {
    Field { number, name, form, required: false }
}

const fn required(number: u8, name: &'static str, form: Form) -> Field {
    Field { number, name, form, required: true }
}

/// Field numbers, by kind. Several kinds share a number where they share a meaning.
pub mod fields {
    /// Title of notes, events and resources.
    pub const TITLE: u8 = 0;
    /// Body of notes and replies, description of events, words about a resource.
    pub const BODY: u8 = 1;
    /// Content warning of notes and replies.
    pub const WARNING: u8 = 2;
    /// What a note asks for.
    pub const WANT: u8 = 3;
    /// Language of notes and resources.
    pub const LANG: u8 = 4;
    /// Tags of notes, events and resources.
    pub const TAGS: u8 = 5;
    /// The emoji of a reaction.
    pub const EMOJI: u8 = 0;
    /// The answer of an RSVP.
    pub const ANSWER: u8 = 0;
    /// First start of an event.
    pub const STARTS: u8 = 6;
    /// First end of an event.
    pub const ENDS: u8 = 7;
    /// First start as the wall clock shows it.
    pub const STARTS_LOCAL: u8 = 8;
    /// First end as the wall clock shows it.
    pub const ENDS_LOCAL: u8 = 9;
    /// Time zone of an event.
    pub const TZ: u8 = 10;
    /// Recurrence of an event.
    pub const RRULE: u8 = 11;
    /// Place of an event.
    pub const LOCATION: u8 = 12;
    /// Status of an event.
    pub const STATUS: u8 = 13;
    /// Calendar id of an event.
    pub const UID: u8 = 14;
    /// Address of a resource.
    pub const URL: u8 = 6;
    /// Kind of a resource.
    pub const RESOURCE_KIND: u8 = 7;
    /// When to look at a resource again.
    pub const REVIEW_BY: u8 = 8;
    /// Destroy at once: of a tombstone.
    pub const NOW: u8 = 0;
    /// Does a hide or pin hold?
    pub const ON: u8 = 0;
}

/// Bytes of a recurrence rule with its exception dates.
pub const RRULE_BYTES: usize = 16 << 10;
/// Characters of an address.
pub const URL_CHARS: usize = 2_000;
/// Bytes of an emoji: the longest sequences in use (families, flags) stay below.
pub const EMOJI_BYTES: usize = 32;

const WANTS: &[&str] = &["listen", "advice", "resources"];
const STATUSES: &[&str] = &["confirmed", "tentative", "cancelled"];
const ANSWERS: &[&str] = &["yes", "no", "maybe"];

const NOTE: &[Field] = &[
    field(fields::TITLE, "title", Form::Line(TITLE_CHARS)),
    field(fields::BODY, "body", Form::Text(BODY_BYTES)),
    field(fields::WARNING, "content_warning", Form::Line(TITLE_CHARS)),
    field(fields::WANT, "want", Form::Word(WANTS)),
    field(fields::LANG, "lang", Form::Line(35)),
    field(fields::TAGS, "tags", Form::Tags),
];
const REPLY: &[Field] =
    &[field(fields::BODY, "body", Form::Text(BODY_BYTES)), field(fields::WARNING, "content_warning", Form::Line(TITLE_CHARS))];
const REACTION: &[Field] = &[required(fields::EMOJI, "emoji", Form::Line(EMOJI_BYTES))];
const EVENT: &[Field] = &[
    field(fields::TITLE, "title", Form::Line(TITLE_CHARS)),
    field(fields::BODY, "description", Form::Text(BODY_BYTES)),
    field(fields::TAGS, "tags", Form::Tags),
    required(fields::STARTS, "starts", Form::Moment),
    field(fields::ENDS, "ends", Form::Moment),
    field(fields::STARTS_LOCAL, "starts_local", Form::Line(32)),
    field(fields::ENDS_LOCAL, "ends_local", Form::Line(32)),
    field(fields::TZ, "tz", Form::Line(64)),
    field(fields::RRULE, "rrule", Form::Lines(RRULE_BYTES)),
    field(fields::LOCATION, "location", Form::Line(1_000)),
    field(fields::STATUS, "status", Form::Word(STATUSES)),
    field(fields::UID, "uid", Form::Line(1_000)),
];
const RSVP: &[Field] = &[required(fields::ANSWER, "answer", Form::Word(ANSWERS))];
const RESOURCE: &[Field] = &[
    field(fields::TITLE, "title", Form::Line(TITLE_CHARS)),
    field(fields::BODY, "note", Form::Text(BODY_BYTES)),
    field(fields::LANG, "lang", Form::Line(35)),
    field(fields::TAGS, "tags", Form::Tags),
    field(fields::URL, "url", Form::Line(URL_CHARS)),
    field(fields::RESOURCE_KIND, "kind", Form::Line(60)),
    field(fields::REVIEW_BY, "review_by", Form::Line(10)),
];
const TOMBSTONE: &[Field] = &[field(fields::NOW, "now", Form::Flag)];
const MARK: &[Field] = &[required(fields::ON, "on", Form::Flag)];

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Note,
        Self::Reply,
        Self::Reaction,
        Self::Event,
        Self::Rsvp,
        Self::Resource,
        Self::Tombstone,
        Self::Hide,
        Self::Pin,
    ];

    /// Its number on the wire and in the store.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind of a number, if this program knows it.
    #[must_use]
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The kind of a short id's letter.
    #[must_use]
    pub fn of_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.letter() == letter)
    }

    /// What people and scripts call it.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Reply => "reply",
            Self::Reaction => "reaction",
            Self::Event => "event",
            Self::Rsvp => "rsvp",
            Self::Resource => "resource",
            Self::Tombstone => "tombstone",
            Self::Hide => "hide",
            Self::Pin => "pin",
        }
    }

    /// The letter of its short ids.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Note => 'n',
            Self::Reply => 'p',
            Self::Reaction => 'x',
            Self::Event => 'e',
            Self::Rsvp => 'v',
            Self::Resource => 'r',
            Self::Tombstone => 't',
            Self::Hide => 'h',
            Self::Pin => 'i',
        }
    }

    /// Its fields.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Note => NOTE,
            Self::Reply => REPLY,
            Self::Reaction => REACTION,
            Self::Event => EVENT,
            Self::Rsvp => RSVP,
            Self::Resource => RESOURCE,
            Self::Tombstone => TOMBSTONE,
            Self::Hide | Self::Pin => MARK,
        }
    }

    /// One of its fields.
    #[must_use]
    pub fn field(self, number: u8) -> Option<&'static Field> {
        self.fields().iter().find(|field| field.number == number)
    }

    /// Under which key it is sealed; `None`: under its target's.
    #[must_use]
    pub const fn class(self) -> Option<KeyClass> {
        match self {
            Self::Note | Self::Reply | Self::Reaction => Some(KeyClass::Talk),
            Self::Event | Self::Rsvp | Self::Resource => Some(KeyClass::Library),
            Self::Tombstone | Self::Hide | Self::Pin => None,
        }
    }

    /// The least role that may open one. A tombstone by anybody but its target's creator takes the founder.
    #[must_use]
    pub const fn opened_by(self) -> Role {
        match self {
            Self::Reaction | Self::Tombstone => Role::Guest,
            Self::Note | Self::Reply | Self::Event | Self::Rsvp | Self::Resource => Role::Member,
            Self::Hide | Self::Pin => Role::Facilitator,
        }
    }

    /// Who may change one that stands.
    #[must_use]
    pub const fn edited_by(self) -> Editors {
        match self {
            Self::Note | Self::Reply | Self::Rsvp => Editors::Creator,
            Self::Event | Self::Resource | Self::Hide | Self::Pin => Editors::Anyone,
            Self::Reaction | Self::Tombstone => Editors::Nobody,
        }
    }

    /// Does it name another item?
    #[must_use]
    pub const fn has_target(self) -> bool {
        !self.is_listed()
    }

    /// Does it stand in a list of its own?
    #[must_use]
    pub const fn is_listed(self) -> bool {
        matches!(self, Self::Note | Self::Event | Self::Resource)
    }

    /// Does it only say something about another item's showing?
    #[must_use]
    pub const fn is_mark(self) -> bool {
        matches!(self, Self::Tombstone | Self::Hide | Self::Pin)
    }

    /// May it have a target of that kind?
    #[must_use]
    pub const fn may_target(self, target: Self) -> bool {
        match self {
            Self::Reply | Self::Reaction => matches!(target, Self::Note),
            Self::Rsvp => matches!(target, Self::Event),
            Self::Tombstone => !target.is_mark(),
            Self::Hide => matches!(target, Self::Note | Self::Reply | Self::Event | Self::Resource),
            Self::Pin => target.is_listed(),
            Self::Note | Self::Event | Self::Resource => false,
        }
    }

    /// May such a role open one, at all?
    #[must_use]
    pub fn may_open(self, role: Role) -> bool {
        role >= self.opened_by()
    }

    /// May that person with that role change one that another (or she) created?
    #[must_use]
    pub fn may_edit(self, role: Role, is_creator: bool) -> bool {
        match self.edited_by() {
            Editors::Creator => (is_creator || planted(Bug::AnyoneEdits)) && role >= self.opened_by(),
            Editors::Anyone => role >= self.opened_by(),
            Editors::Nobody => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn numbers_letters_and_fields_are_distinct() {
        let letters: BTreeSet<char> = Kind::ALL.iter().map(|kind| kind.letter()).collect();
        assert_eq!(letters.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert_eq!(Kind::of(kind.number()), Some(kind));
            let numbers: BTreeSet<u8> = kind.fields().iter().map(|field| field.number).collect();
            assert_eq!(numbers.len(), kind.fields().len());
        }
        assert_eq!(Kind::of(0), None);
    }

    #[test]
    fn guests_read_and_react_only() {
        let opened: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| kind.may_open(Role::Guest)).collect();
        assert_eq!(opened, [Kind::Reaction, Kind::Tombstone]);
        assert!(!Kind::Pin.may_open(Role::Member));
    }
}
