//! What runs here, and how it is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Time;

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
    /// What was looked at.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// `ok`, `note` or `problem`.
    pub level: String,
    /// The circle's name, or empty.
    pub circle: String,
    /// What was found, in a sentence.
    pub message: String,
    /// What to do; may be empty.
    pub hint: String,
}

/// One server-sent event of `/v1/watch`; carries ids, never content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WatchEvent {
    /// `item`, `member`, `sync` or `join`.
    pub event: String,
    /// The circle's short id.
    pub circle: String,
    /// The noun: `note`, `reply`, `reaction`, `event`, `rsvp`, `resource`, `member`, `pending` ...
    pub noun: String,
    /// The thing's short id.
    pub id: String,
    /// `new`, `edit`, `remove` or a state.
    pub change: String,
}
