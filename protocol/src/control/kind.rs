//! The kinds of items, by their numbers. What each of them is stands in the files of [`crate::item::kinds`].

/// What an item is. The numbers are wire and storage form: add at the end, never renumber.
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

impl Kind {
    /// Its number on the wire and in the store.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}
