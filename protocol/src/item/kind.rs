//! The form of a row in the table of kinds. The rows stand in the files of [`super::kinds`]: what a row does not name cannot be
//! written.

use crate::circle::body::{KeyClass, Role};
pub use crate::control::Kind;
use crate::control::Subject;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Which kind it is, and so its number on the wire and in the store.
    pub kind: Kind,
    /// What people and scripts call one of them.
    pub noun: Subject,
    /// What the local API calls them in a path: in their circle where they have a list, else below their target. Empty: no path.
    pub path: &'static str,
    /// The letter of its short ids.
    pub letter: char,
    /// Under which key it is sealed. `None`: it is a mark, which only says how its target shows, and goes under its target's.
    pub class: Option<KeyClass>,
    /// The least role that may open one. A tombstone by anybody but its target's creator takes the founder.
    pub opened_by: Role,
    /// Who may change one that stands.
    pub edited_by: Editors,
    /// What it is about.
    pub targets: Targets,
    /// Its fields.
    pub fields: &'static [Field],
    /// Where it appears.
    pub appears: Appears,
}

/// Where items of a kind appear beside their history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appears {
    /// In a list of their own, with a page each; else with their target.
    pub list: bool,
    /// In searches.
    pub index: bool,
    /// In inboxes, by their ids: these can be shown, changed and deleted by them.
    pub inbox: bool,
    /// In exported files.
    pub export: bool,
}

impl Appears {
    /// In none of these places.
    pub const NOWHERE: Self = Self { list: false, index: false, inbox: false, export: false };
    /// In all of them.
    pub const EVERYWHERE: Self = Self { list: true, index: true, inbox: true, export: true };
}

/// Who may change an item that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Editors {
    /// The one who made it.
    Creator,
    /// Everybody with at least the kind's own least role.
    Anyone,
    /// Nobody.
    Nobody,
}

/// What items of a kind are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Targets {
    /// Nothing: they stand for themselves.
    Nothing,
    /// An item of one of these kinds.
    Kinds(&'static [Kind]),
    /// An item that has a list of its own.
    Listed,
    /// An item that inboxes tell of.
    Told,
    /// Any item but a mark.
    Anything,
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
    /// Do searches look through it?
    pub found: bool,
    /// Are answers about it, so that they are asked for again when it changes?
    pub moves: bool,
    /// It came after the kind itself. Programs that do not know it take any well-shaped operation on it, so those that do ignore
    /// what does not fit it, instead of refusing the edit. It is never required, and a text of its own has no limit but the
    /// edit's.
    pub later: bool,
}

impl Field {
    /// A field that may stay empty.
    pub(super) const fn new(number: u8, name: &'static str, form: Form) -> Self {
        Self { number, name, form, required: false, found: false, moves: false, later: false }
    }

    /// It came after its kind.
    pub(super) const fn later(mut self) -> Self {
        self.later = true;
        self
    }

    /// It is set from the first edit on.
    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Answers are about it.
    pub(super) const fn moves(mut self) -> Self {
        self.moves = true;
        self
    }

    /// Searches look through it.
    pub(super) const fn found(mut self) -> Self {
        self.found = true;
        self
    }
}

/// Numbers of fields that mean the same in every kind that has them.
pub mod fields {
    /// Title.
    pub const TITLE: u8 = 0;
    /// The text: body, description, words about a resource.
    pub(crate) const BODY: u8 = 1;
    /// Content warning.
    pub const WARNING: u8 = 2;
    /// What a note asks for.
    pub const WANT: u8 = 3;
    /// Language.
    pub(crate) const LANG: u8 = 4;
    /// Tags.
    pub const TAGS: u8 = 5;
    /// Does a hide or a pin hold?
    pub const ON: u8 = 0;
    /// Does a tombstone destroy at once?
    pub const NOW: u8 = 0;
    /// Is a tombstone taken back?
    pub const OFF: u8 = 1;
}
