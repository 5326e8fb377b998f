//! Entries: what a device writes, one after the other, in a chain of its own.

use std::fmt;
use std::sync::Arc;

use minicbor::{Decode, Encode};

use super::payload::inflated_len;
use crate::circle::body::{ChainId, KeyClass, Retention};
use crate::id::{ActId, CircleId, DeviceId, EntryId, EpochId, ItemId};
use crate::limits;

/// An entry to be written.
#[derive(Clone)]
pub struct NewEntry {
    /// Under which of the epoch's keys: library or talk.
    pub class: KeyClass,
    /// The kind of its item; numbered by the item room.
    pub kind: u8,
    /// The item it edits.
    pub item: ItemId,
    /// How long it is kept; fixed now.
    pub retention: Retention,
    /// The edit, at most [`crate::limits::PAYLOAD_BYTES`].
    pub payload: Vec<u8>,
}

impl fmt::Debug for NewEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEntry").field("class", &self.class).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Where an entry is kept on this machine. Another machine numbers its chains differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(array)]
pub struct EntryAt {
    /// The local number of its chain (of one branch of it, after equivocation).
    #[n(0)]
    pub chain: u32,
    /// Its place in the chain, from 1.
    #[n(1)]
    pub seq: u64,
}

/// An entry, verified and opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its id.
    pub id: EntryId,
    /// Where it is kept.
    pub at: EntryAt,
    /// Whose chain it stands in.
    pub chain: ChainId,
    /// Its circle.
    pub circle: CircleId,
    /// The membership heads its author knew, ascending.
    pub heads: Arc<[ActId]>,
    /// The epoch it is sealed under.
    pub epoch: EpochId,
    /// The kind of its item.
    pub kind: u8,
    /// The item it edits.
    pub item: ItemId,
    /// How long it is kept.
    pub retention: Retention,
    /// The edit. `None`: destroyed here or where it came from, or sealed so that nobody can open it.
    pub payload: Option<Vec<u8>>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("id", &self.id)
            .field("at", &self.at)
            .field("kind", &self.kind)
            .field("payload", &self.payload.as_ref().map(Vec::len))
            .finish_non_exhaustive()
    }
}

/// What a stored entry says, and whose it is: all that it takes to show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Said {
    /// Where it is kept.
    pub at: EntryAt,
    /// Whose chain it stands in.
    pub device: DeviceId,
    /// The kind of its item.
    pub kind: u8,
    /// The item it edits.
    pub item: ItemId,
    /// How long it is kept.
    pub retention: Retention,
    /// The edit. `None`: destroyed, or sealed so that nobody can open it.
    pub payload: Option<Vec<u8>>,
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let payload = self.payload.as_ref().map(Vec::len);
        f.debug_struct("Said").field("at", &self.at).field("kind", &self.kind).field("payload", &payload).finish_non_exhaustive()
    }
}

impl From<Opened> for Said {
    fn from(opened: Opened) -> Self {
        let Opened { at, chain, kind, item, retention, payload, .. } = opened;
        Self { at, device: chain.device, kind, item, retention, payload }
    }
}

/// What a header says of one entry beyond its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) kind: u8,
    pub(super) item: ItemId,
    pub(super) retention: Retention,
    /// Only where they differ from the predecessor's, or the epoch does.
    pub(super) heads: Option<Arc<[ActId]>>,
}

/// An entry as blocks carry it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct EntryRecord {
    pub(super) meta: Meta,
    pub(super) body: Body,
}

/// What there is of a payload.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Body {
    Kept {
        nonce: [u8; 24],
        packed: Packed,
    },
    /// Hash and length of the sealed bytes.
    Gone {
        hash: [u8; 32],
        len: u32,
    },
}

/// A payload as it stands inside its seal.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) zstd: bool,
    pub(super) bytes: Vec<u8>,
}

impl EntryRecord {
    /// What it takes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        let kept = if let Body::Kept { packed, .. } = &self.body { packed.bytes.len() } else { 0 };
        limits::ENTRY_OVERHEAD + kept
    }

    /// What it adds to a block, before compression: an upper bound that both sides compute alike. What compresses better than
    /// words do counts more, because a block is opened as a whole, payloads included.
    pub(super) fn weight(&self) -> usize {
        let bytes = match &self.body {
            Body::Kept { packed, .. } => packed.bytes.len().max(inflated_len(packed) / limits::BLOCK_DENSITY),
            Body::Gone { .. } => 0,
        };
        limits::ENTRY_OVERHEAD + bytes + self.meta.heads.as_ref().map_or(0, |heads| limits::HEAD_WEIGHT * heads.len())
    }
}
