//! Runs: consecutive entries of one chain and one epoch, as they travel, with one signature at their end.
//!
//! RunWire form, version 1, a CBOR array: `[1, form, device, incarnation, class, epoch, first, previous, signature, body]`.
//! RunForm 0 is a block (joined and sealed once), form 1 single entries, each sealed by itself. The circle is not named: it is
//! known from where a run travels, and every key and id in it is bound to it.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use minicbor::{Decode, Encode};

use crate::circle::body::{ChainId, KeyClass};
use crate::codec::{self, CodecError};
use crate::crypto::Signature;
use crate::id::{DeviceId, EntryId, EpochId, Incarnation};
use crate::limits;

const VERSION: u64 = 1;

/// How a run's entries are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub(super) enum RunForm {
    #[n(0)]
    Block,
    #[n(1)]
    Single,
}

/// What a run says openly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunHead {
    /// Whose chain.
    pub chain: ChainId,
    /// Under which epoch all of it is sealed.
    pub epoch: EpochId,
    /// Sequence number of its first entry.
    pub first: u64,
    /// Id of the entry before it.
    pub previous: EntryId,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct RunWire<'b> {
    #[n(0)]
    version: u64,
    #[n(1)]
    form: RunForm,
    #[n(2)]
    device: DeviceId,
    #[n(3)]
    incarnation: Incarnation,
    #[n(4)]
    class: KeyClass,
    #[n(5)]
    epoch: EpochId,
    #[n(6)]
    first: u64,
    #[n(7)]
    previous: EntryId,
    #[n(8)]
    signature: Signature,
    #[cbor(b(9), with = "minicbor::bytes")]
    body: &'b [u8],
}

/// A run, parsed, nothing verified.
pub(super) struct Run<'b> {
    pub(super) head: RunHead,
    pub(super) form: RunForm,
    pub(super) signature: Signature,
    pub(super) body: &'b [u8],
}

impl<'b> Run<'b> {
    pub(super) fn parse(bytes: &'b [u8]) -> Result<Self, CodecError> {
        codec::check_version(bytes, VERSION, "run")?;
        let wire: RunWire<'b> = codec::decode_within(bytes, limits::FRAME_BYTES, "run")?;
        if wire.class == KeyClass::Roster || wire.first == 0 {
            return Err(CodecError::Malformed("place of a run"));
        }
        let chain = ChainId { device: wire.device, incarnation: wire.incarnation, class: wire.class };
        let head = RunHead { chain, epoch: wire.epoch, first: wire.first, previous: wire.previous };
        Ok(Self { head, form: wire.form, signature: wire.signature, body: wire.body })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let RunHead { chain, epoch, first, previous } = self.head;
        codec::encode(&RunWire {
            version: VERSION,
            form: self.form,
            device: chain.device,
            incarnation: chain.incarnation,
            class: chain.class,
            epoch,
            first,
            previous,
            signature: self.signature,
            body: self.body,
        })
    }
}

impl RunHead {
    /// What a run says openly, to decide whether to open it at all. Nothing of it is verified.
    ///
    /// # Errors
    /// [`CodecError`] where these are not a run's bytes.
    pub fn peek(run: &[u8]) -> Result<Self, CodecError> {
        Run::parse(run).map(|run| run.head)
    }

    /// What binds a sealed block to its place.
    pub(super) fn place(&self) -> Vec<u8> {
        codec::encode(&(self.chain, self.epoch, self.first, self.previous))
    }
}
