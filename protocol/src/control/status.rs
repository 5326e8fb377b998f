//! What runs here, and how it is.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::word::words;
use super::{Hints, JoinStatus, Notice, Time};
use crate::time::Millis;

/// What runs here. While locked only the first fields are filled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DaemonStatus {
    /// The program's version.
    pub version: String,
    /// The daemon's process id.
    pub pid: u32,
    /// Its home folder.
    pub home: String,
    /// Does this home hold an identity yet?
    pub initialized: bool,
    /// Is a passphrase needed?
    pub locked: bool,
    /// Is this a development home without a passphrase?
    pub unprotected: bool,
    /// The member's usual name.
    pub name: Option<String>,
    /// How many circles.
    pub circles: usize,
    /// Connections.
    pub peers: PeerCounts,
    /// How many relays are configured.
    pub relays: usize,
    /// How far sync is.
    pub sync: Sync,
    /// What is stored.
    pub store: StoreStatus,
    /// Addresses listened on.
    pub listening: Vec<String>,
    /// This machine's clock looks wrong: it lies more than a day behind what others wrote. Absent where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockDoubt>,
    /// Circles that one waits for, was removed from, or left. Left out where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
}

/// Why this machine's clock looks wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClockDoubt {
    /// What it says.
    pub says: Time,
    /// What others wrote down, who cannot have written it later than now.
    pub others: Time,
}

impl fmt::Display for ClockDoubt {
    /// In a sentence, both moments in full: one of them is far from now.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (says, others) = (self.says.0, self.others.0);
        write!(
            f,
            "This computer's clock looks wrong: it says {says}, and others wrote something dated {others}. If it is wrong, set it right; nothing is lost."
        )
    }
}

/// Connections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeerCounts {
    /// Connected now.
    pub connected: usize,
    /// Of these, through a relay.
    pub relayed: usize,
}

/// How far sync is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sync {
    /// Entries known to exist elsewhere and not here yet.
    pub pending_in: u64,
    /// Own entries that no other device is known to have.
    pub pending_out: u64,
    /// When anything last arrived.
    pub last: Option<Time>,
}

/// What is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoreStatus {
    /// Bytes on disk.
    pub bytes: u64,
    /// Entries.
    pub entries: u64,
    /// Items.
    pub items: u64,
}

/// The state of health.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Doctor {
    /// Is everything as it should be?
    pub ok: bool,
    /// How many things need a newer Kith: they are kept and passed on, and show after an update.
    #[serde(default)]
    pub newer: u64,
    /// What was looked at.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// The circle's name, or empty.
    pub circle: String,
    /// What was found, in a sentence.
    pub message: String,
    /// What to do.
    #[serde(flatten)]
    pub hints: Hints,
}

impl Finding {
    /// Something that was found, in whole sentences.
    #[must_use]
    pub fn new(level: Level, circle: String, message: impl Into<String>, hints: impl Into<Hints>) -> Self {
        Self { level, circle, message: message.into(), hints: hints.into() }
    }
}

/// One server-sent event of `/v1/watch`; carries ids, never content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WatchEvent {
    /// What it is about.
    pub event: Topic,
    /// The circle's short id.
    pub circle: String,
    /// What changed.
    pub noun: Subject,
    /// The thing's short id.
    pub id: String,
    /// How it changed.
    pub change: WatchChange,
    /// When this machine heard of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// The short member id of who wrote it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The short id of the item that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

impl WatchEvent {
    /// What happened, and when.
    #[must_use]
    pub fn new(event: Topic, (circle, id): (String, String), noun: Subject, change: WatchChange, now: Millis) -> Self {
        Self { event, circle, noun, id, change, at: Some(Time(now)), author: None, parent: None }
    }
}

words! {
    /// How bad something is that `doctor` found.
    pub enum Level {
        /// It is as it should be.
        Ok = "ok",
        /// It is good to know.
        Note = "note",
        /// It needs somebody's attention.
        Problem = "problem",
    }
}

words! {
    /// What an event of `/v1/watch` is about.
    pub enum Topic {
        /// Something that members wrote.
        Item = "item",
        /// A circle or its people.
        Member = "member",
        /// How far sync is.
        Sync = "sync",
        /// A join under way.
        Join = "join",
    }
}

words! {
    /// A kind of thing that lists, searches and events tell of.
    pub enum Subject {
        /// A note.
        Note = "note",
        /// A reply to a note.
        Reply = "reply",
        /// A reaction to a note.
        Reaction = "reaction",
        /// An event.
        Event = "event",
        /// An answer to an event.
        Rsvp = "rsvp",
        /// A resource.
        Resource = "resource",
        /// The deletion of an item.
        Tombstone = "tombstone",
        /// The hiding of an item.
        Hide = "hide",
        /// The pinning of an item.
        Pin = "pin",
        /// A circle.
        Circle = "circle",
        /// A person of a circle.
        Member = "member",
        /// An item that says something else.
        Changed = "changed",
        /// A request to come in.
        Request = "request",
        /// A join under way.
        Join = "join",
    }
}

words! {
    /// How something changed.
    pub enum WatchChange {
        /// It is new.
        New = "new",
        /// It says something else.
        Edit = "edit",
        /// It was deleted.
        Remove = "remove",
        /// It was hidden,
        Hide = "hide",
        /// or is shown again.
        Show = "show",
        /// It was pinned,
        Pin = "pin",
        /// or no longer is.
        Unpin = "unpin",
        /// This machine's member was removed.
        Removed = "removed",
        /// A join: see [`super::JoinStatus`].
        Contacting = "contacting",
        /// As above.
        Requested = "requested",
        /// As above.
        Admitted = "admitted",
        /// As above.
        Joined = "joined",
        /// As above.
        Declined = "declined",
        /// As above.
        Refused = "refused",
    }
}

impl From<JoinStatus> for WatchChange {
    fn from(status: JoinStatus) -> Self {
        match status {
            JoinStatus::Contacting => Self::Contacting,
            JoinStatus::Requested => Self::Requested,
            JoinStatus::Admitted => Self::Admitted,
            JoinStatus::Joined => Self::Joined,
            JoinStatus::Declined => Self::Declined,
            JoinStatus::Refused => Self::Refused,
        }
    }
}
