//! Why a command was given.

use kith_protocol::control::Kind;
use kith_protocol::time::Millis;

use crate::sim::deed::Wrong;
use crate::sim::net::Who;

/// Why a command was given; what the ledger needs to know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// First start.
    Init,
    /// Found the circle with this number.
    Found(usize),
    /// Invite a machine's owner into a circle.
    Invite(usize, Who),
    /// Ask to join.
    Accept(usize),
    /// See the members and stay.
    Confirm(usize),
    /// Admit.
    Approve {
        /// The circle's number.
        circle: usize,
        /// When the invite ends by which they ask, where that is known.
        expires: Option<Millis>,
    },
    /// Walk away from a join.
    Abandon(usize),
    /// Write something new.
    Write {
        /// The circle's number.
        circle: usize,
        /// What.
        noun: Kind,
    },
    /// Write several things at once.
    Batch {
        /// The circle's number.
        circle: usize,
        /// What, in order.
        nouns: Vec<Kind>,
    },
    /// Answer a note.
    Reply {
        /// The circle's number.
        circle: usize,
        /// Which note.
        note: String,
        /// In these words.
        words: String,
    },
    /// React to a note, or take that back.
    React {
        /// The circle's number.
        circle: usize,
        /// Which note.
        note: String,
        /// How.
        emoji: String,
    },
    /// Answer an event.
    Rsvp {
        /// The circle's number.
        circle: usize,
        /// Which event.
        event: String,
        /// The answer, as it is shown.
        answer: String,
    },
    /// Give an item a new title.
    Edit {
        /// The circle's number.
        circle: usize,
        /// What.
        noun: Kind,
        /// Which.
        id: String,
        /// The version that it had before.
        version: u64,
    },
    /// Delete an item.
    Remove {
        /// The circle's number.
        circle: usize,
        /// What.
        noun: Kind,
        /// Which.
        id: String,
        /// Are its bytes to be destroyed at once?
        now: bool,
    },
    /// Remove a person.
    Expel(usize, String),
    /// Leave.
    Leave(usize),
    /// Something that must be refused.
    Wrong(Wrong),
    /// Something small: a mark, a role, a policy.
    Small(usize),
}

impl Intent {
    /// In which of the circles somebody who is in it does that.
    #[must_use]
    pub const fn circle(&self) -> Option<usize> {
        match self {
            Self::Approve { circle, .. }
            | Self::Write { circle, .. }
            | Self::Batch { circle, .. }
            | Self::Reply { circle, .. }
            | Self::React { circle, .. }
            | Self::Rsvp { circle, .. }
            | Self::Edit { circle, .. }
            | Self::Remove { circle, .. }
            | Self::Invite(circle, _)
            | Self::Expel(circle, _)
            | Self::Leave(circle)
            | Self::Small(circle) => Some(*circle),
            Self::Init | Self::Found(_) | Self::Accept(_) | Self::Confirm(_) | Self::Abandon(_) | Self::Wrong(_) => None,
        }
    }
}
