//! Headers, one after the other: their canonical bytes, the seals of their payloads and their ids, in one pass.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use minicbor::Encoder;

use super::entry::{Body, Meta, Packed};
use super::payload::{read_padded, write_padded};
use crate::circle::body::{ChainId, KeyClass};
use crate::crypto::{Key, Sealer, derive, hash};
use crate::id::{CircleId, EntryId, EpochId};
use crate::planted::{Bug, planted};

const VERSION: u8 = 1;
/// The head of a CBOR array of 14 elements, one byte.
const ARRAY_HEAD: usize = 1;

/// What stands before a chain's first entry.
pub(super) const NOTHING: EntryId = EntryId([0; 32]);

/// Walks along a chain, within one epoch.
pub(super) struct ChainHasher {
    /// The elements that are the same in every header of the chain, behind the array's head.
    constant: Vec<u8>,
    epoch: EpochId,
    sealer: Sealer,
    header: Vec<u8>,
    sealed: Vec<u8>,
    seq: u64,
    previous: EntryId,
}

impl ChainHasher {
    /// Before the entry with sequence number `first`, whose predecessor is `previous`. `key`: of the epoch and the class.
    pub(super) fn new(circle: &CircleId, chain: &ChainId, epoch: EpochId, key: &Key, first: u64, previous: EntryId) -> Self {
        let mut constant = Vec::with_capacity(128);
        let mut e = Encoder::new(&mut constant);
        let class = match chain.class {
            KeyClass::Roster => 0,
            KeyClass::Library => 1,
            KeyClass::Talk => 2,
        };
        let done =
            e.array(14).and_then(|e| e.u8(VERSION)).and_then(|e| e.bytes(&circle.0)).and_then(|e| e.bytes(&chain.device.0));
        let done = done.and_then(|e| e.bytes(&chain.incarnation.0)).and_then(|e| e.u8(class));
        debug_assert!(done.is_ok(), "writing to a vector cannot fail");
        let key = derive("kith/v1/entry-payload", key, &[&circle.0]);
        let (header, sealed) = (Vec::with_capacity(512), Vec::with_capacity(1_024));
        Self { constant, epoch, sealer: Sealer::new(&key), header, sealed, seq: first, previous }
    }

    /// The payload as it was last sealed.
    pub(super) fn sealed(&self) -> &[u8] {
        &self.sealed
    }

    /// The next entry, from what a block carries: seals its payload (again) and hashes.
    pub(super) fn step(&mut self, meta: &Meta, body: &Body) -> EntryId {
        self.place(meta);
        match body {
            Body::Kept { nonce, packed } => {
                self.sealed.clear();
                self.sealed.extend_from_slice(nonce);
                write_padded(&mut self.sealed, packed);
                if !planted(Bug::Unsealed) {
                    self.sealer.seal_in_place(&mut self.sealed, self.header.get(ARRAY_HEAD..).unwrap_or_default());
                }
                let hash = payload_hash(&self.sealed);
                self.finish(&hash, self.sealed.len() as u64)
            }
            Body::Gone { hash, len } => self.finish(hash, u64::from(*len)),
        }
    }

    /// The next entry, from hash and length of its sealed payload; opens nothing.
    pub(super) fn step_over(&mut self, meta: &Meta, hash: &[u8; 32], len: u32) -> EntryId {
        self.place(meta);
        self.finish(hash, u64::from(len))
    }

    /// What is sealed in the next entry's payload; does not move on. `None`: nobody can open it.
    pub(super) fn open(&mut self, meta: &Meta, sealed: &[u8]) -> Option<Packed> {
        self.place(meta);
        if planted(Bug::Unsealed) {
            let (_nonce, plain) = sealed.split_first_chunk::<24>()?;
            return read_padded(plain);
        }
        read_padded(&self.sealer.open(self.header.get(ARRAY_HEAD..)?, sealed)?)
    }

    /// Moves past an entry whose id is known.
    pub(super) fn pass(&mut self, id: EntryId) {
        self.previous = id;
        self.seq = self.seq.saturating_add(1);
    }

    fn place(&mut self, meta: &Meta) {
        self.header.clear();
        self.header.extend_from_slice(&self.constant);
        let mut e = Encoder::new(&mut self.header);
        let mut write = || {
            e.u64(self.seq)?.bytes(&self.previous.0)?;
            match &meta.heads {
                None => e.null()?,
                Some(heads) => {
                    e.array(heads.len() as u64)?;
                    heads.iter().try_fold(&mut e, |e, head| e.bytes(&head.0))?
                }
            };
            e.bytes(&self.epoch.0)?.u8(meta.kind)?.encode(meta.item)?.encode(meta.retention)?.ok()
        };
        let done: Result<(), minicbor::encode::Error<std::convert::Infallible>> = write();
        debug_assert!(done.is_ok(), "writing to a vector cannot fail");
    }

    fn finish(&mut self, payload: &[u8; 32], len: u64) -> EntryId {
        let mut e = Encoder::new(&mut self.header);
        let done = e.bytes(payload).and_then(|e| e.u64(len));
        debug_assert!(done.is_ok(), "writing to a vector cannot fail");
        self.previous = EntryId(hash("kith/v1/entry", &[&self.header]));
        self.seq = self.seq.saturating_add(1);
        self.previous
    }
}

/// What a header says of its payload's sealed bytes.
pub(super) fn payload_hash(sealed: &[u8]) -> [u8; 32] {
    hash("kith/v1/entry-sealed", &[sealed])
}
