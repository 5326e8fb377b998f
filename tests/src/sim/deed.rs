//! What a person does, before anything is known about how it goes.
//!
//! A deed names no item and no person: what it is done to follows from its `pick` and from what their machine shows at that
//! moment. So a script of deeds still makes sense when some of them are left out.

use std::fmt;

use kith_protocol::control::Kind;
use serde::{Deserialize, Serialize};

use super::hostile::{Forgery, Tamper};
use super::net::Who;

/// Somebody does something in a circle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deed {
    /// Who.
    pub who: Who,
    /// In which of the planned circles.
    pub circle: usize,
    /// What.
    pub act: Act,
    /// Chooses among what is there to choose from.
    pub pick: u64,
}

/// What can be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// First start.
    Init,
    /// Found the circle.
    Found,
    /// Invite a machine's owner.
    Invite(Who),
    /// Ask to join.
    Accept,
    /// See the members and stay.
    Confirm,
    /// Admit anyone who asks.
    Approve,
    /// Say no to anyone who asks.
    Decline,
    /// Walk away from a join, before or after a steward said yes.
    Abandon,
    /// Close an invite that is open.
    Revoke,
    /// Change one of the circle's policies.
    Policy,
    /// Write something new.
    Write(#[serde(with = "super::script::KindName")] Kind),
    /// Write several things at once.
    Batch,
    /// Change something.
    Edit(#[serde(with = "super::script::KindName")] Kind),
    /// Delete something of one's own.
    Remove(#[serde(with = "super::script::KindName")] Kind),
    /// Answer a note.
    Reply,
    /// React to a note.
    React,
    /// Answer an event.
    Rsvp,
    /// Mark all as seen.
    Seen,
    /// Hide or pin a note, or take that back.
    Mark,
    /// Remove a person.
    Expel,
    /// Leave.
    Leave,
    /// Set somebody's role.
    Role,
    /// Make a machine's owner a steward.
    Raise(Who),
    /// Contact everybody now.
    Sync,
    /// Ask for what must be refused.
    Wrong(Wrong),
    /// A hostile member writes what no honest program would, with their real keys.
    Forge(Forgery),
    /// Anyone who was removed signs an entry for a place of their chain that is taken, and a friend passes it on.
    Fork,
    /// Anyone who is or was in dials a machine from an address that nobody knows, and introduces themself with what they kept.
    Introduce,
    /// A hostile member treats one of their next frames as no honest program would.
    Tamper(Tamper),
}

/// What no program does, however often it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wrong {
    /// Change somebody else's note.
    Meddle,
    /// Remove the founder, alone.
    Unseat,
    /// Lower the founder's role, alone.
    Lower,
    /// Write a note whose body is too long.
    Long,
    /// Write several notes at once, the last of which is too long.
    Several,
    /// Invite somebody to a role above a member's.
    Invite,
}

impl Wrong {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Meddle, Self::Unseat, Self::Lower, Self::Long, Self::Several, Self::Invite];
}

impl Act {
    /// What kind of thing it is, for counting.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Found => "found",
            Self::Invite(_) => "invite",
            Self::Accept => "accept",
            Self::Confirm => "confirm",
            Self::Approve => "approve",
            Self::Decline => "decline",
            Self::Abandon => "abandon",
            Self::Revoke => "revoke",
            Self::Policy => "policy",
            Self::Write(_) => "write",
            Self::Batch => "batch",
            Self::Edit(_) => "edit",
            Self::Remove(_) => "remove",
            Self::Reply => "reply",
            Self::React => "react",
            Self::Rsvp => "rsvp",
            Self::Seen => "seen",
            Self::Mark => "mark",
            Self::Expel => "expel",
            Self::Leave => "leave",
            Self::Role | Self::Raise(_) => "role",
            Self::Sync => "sync",
            Self::Wrong(_) => "wrong",
            Self::Forge(_) => "forge",
            Self::Fork => "fork",
            Self::Introduce => "introduce",
            Self::Tamper(_) => "tamper",
        }
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m{} in circle {}: {:?} ({})", self.who, self.circle, self.act, self.pick % 1_000)
    }
}
