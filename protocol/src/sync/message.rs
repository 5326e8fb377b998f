//! What two devices say to each other in a circle, whatever carries it.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use minicbor::{Decode, Encode};

use crate::circle::body::ChainId;
use crate::crypto::Signature;
use crate::id::{ActId, DeviceId, EntryId, EpochId};

/// Opaque bytes with a compact encoding.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub(crate) struct Bytes(#[cbor(with = "minicbor::bytes")] pub(crate) Vec<u8>);

/// 32 bytes of BLAKE3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub(crate) struct Hash(#[cbor(with = "minicbor::bytes")] pub(crate) [u8; 32]);

/// What members say to each other in a circle.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) enum Message {
    /// I am this device.
    #[n(0)]
    Prove(#[n(0)] DeviceId, #[n(1)] Signature),
    /// To a removed device: the signed removal, and nothing newer.
    #[n(1)]
    Farewell(#[n(0)] Bytes),
    /// A digest of everything; equal ones end the exchange at once.
    #[n(2)]
    Digest(#[n(0)] Hash),
    /// What I have.
    #[n(3)]
    Have(#[n(0)] Have),
    /// Membership: keys you lack, then acts in causal order.
    #[n(4)]
    Acts(#[n(0)] Acts),
    /// Records.
    #[n(5)]
    Records(#[n(0)] Vec<Bytes>),
    /// A run of entries of one chain. True: entries before it are sealed under talk keys that the receiver does not hold.
    #[n(6)]
    Run(#[n(0)] Bytes, #[n(1)] bool),
    /// How far chains are here now; frees so many bytes of the sender's credit (0: news, not an acknowledgement). Acts and
    /// records are acknowledged with no chains.
    #[n(7)]
    Got(#[n(0)] Vec<ChainSeq>, #[n(1)] u64),
    /// Requests to come in, for stewards.
    #[n(8)]
    Requests(#[n(0)] Vec<Request>),
    /// I have only so much of these chains: send the rest.
    #[n(9)]
    Want(#[n(0)] Vec<ChainSeq>),
}

/// What a side has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Have {
    /// Acts that no other act names as parent.
    #[n(0)]
    pub(crate) tips: Vec<ActId>,
    /// Epochs whose roster key is held.
    #[n(1)]
    pub(crate) epochs: Vec<EpochId>,
    /// Epochs whose talk key is held.
    #[n(2)]
    pub(crate) talk: Vec<EpochId>,
    /// Records, by device and count.
    #[n(3)]
    pub(crate) records: Vec<(DeviceId, u64)>,
    /// Chains.
    #[n(4)]
    pub(crate) chains: Vec<ChainHave>,
    /// What is missing in them before their ends, whether it may be read here or not.
    #[n(5)]
    pub(crate) missing: Vec<ChainGap>,
}

/// A chain's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub(crate) struct ChainHave {
    #[n(0)]
    pub(crate) chain: ChainId,
    #[n(1)]
    pub(crate) seq: u64,
    #[n(2)]
    pub(crate) head: EntryId,
}

/// A stretch of a chain that is not here although what follows is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub(crate) struct ChainGap {
    #[n(0)]
    pub(crate) chain: ChainId,
    #[n(1)]
    pub(crate) first: u64,
    #[n(2)]
    pub(crate) last: u64,
}

/// How far a chain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub(crate) struct ChainSeq {
    #[n(0)]
    pub(crate) chain: ChainId,
    #[n(1)]
    pub(crate) seq: u64,
}

/// Membership news.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Acts {
    /// Keys of epochs that the receiver lacks, sealed to their device.
    #[n(0)]
    pub(crate) keys: Option<Bytes>,
    /// Acts as signed, parents first.
    #[n(1)]
    pub(crate) acts: Vec<Bytes>,
}

impl Acts {
    /// What it counts against credit: the bytes of keys and acts.
    pub(crate) fn weight(&self) -> u64 {
        self.keys.iter().chain(&self.acts).map(|bytes| bytes.0.len() as u64).sum()
    }
}

/// A request to come in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Request {
    /// The invite's public key.
    #[n(0)]
    pub(crate) ticket: DeviceId,
    /// The device that asks.
    #[n(1)]
    pub(crate) device: DeviceId,
    /// For each steward's device: the sealed `RequestBody`. Of one that was taken back, only whom it went to.
    #[n(2)]
    pub(crate) sealed: Vec<SealedRequest>,
    /// The device takes it back: its signature over the circle, the invite and itself.
    #[n(3)]
    pub(crate) taken_back: Option<Signature>,
}

/// A request, sealed to one steward's device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub(crate) struct SealedRequest {
    /// The steward's device.
    #[n(0)]
    pub(crate) to: DeviceId,
    /// Sealed.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) sealed: Vec<u8>,
}
