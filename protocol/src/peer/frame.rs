//! Frames of `/kith/sync/1`, as they travel: one canonical CBOR value each.
//!
//! Before a device is proved only `Hello`, `Tokens`, `Intro` and `Ticket` are looked at, and frames are small. Everything else
//! belongs to a circle and names it by the token that its sender used, never by its id.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use minicbor::{Decode, Encode};

use crate::crypto::{DeviceKeys, Signature};
use crate::id::DeviceId;
use crate::sync::message::{Acts, Bytes, Message, Request};

/// The protocol's version; another one closes the stream.
pub(crate) const VERSION: u8 = 1;

/// 16 bytes that name a circle on one link, to those who can compute them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub(crate) struct Token(#[cbor(with = "minicbor::bytes")] pub(crate) [u8; 16]);

/// 32 random bytes that make a link's proofs good for that link only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub(crate) struct Salt(#[cbor(with = "minicbor::bytes")] pub(crate) [u8; 32]);

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) enum Frame {
    /// First frame of either side.
    #[n(0)]
    Hello {
        #[n(0)]
        version: u8,
        #[n(1)]
        salt: Salt,
    },
    /// A token per circle in which the other side's peer id is known, padded with random ones.
    #[n(1)]
    Tokens(#[n(0)] Vec<Token>),
    /// A newcomer's acts and record, sealed under the circle's meeting key.
    #[n(2)]
    Intro(#[n(0)] Bytes),
    /// A circle's message, named by the sender's token.
    #[n(3)]
    Circle(#[n(0)] Token, #[n(1)] Message),
    /// A ticket's holder asks.
    #[n(4)]
    Ticket(#[n(0)] TicketProof),
    /// The answer to a ticket.
    #[n(5)]
    Answer(#[n(0)] TicketAnswer),
    /// A request to come in, sealed to the stewards.
    #[n(6)]
    Request(#[n(0)] Request),
    /// A newcomer acknowledges so many bytes of a welcome.
    #[n(7)]
    Taken(#[n(0)] u64),
}

/// Proves the ticket's key on this link, and which new device asks.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct TicketProof {
    /// The public half that stands in the invite.
    #[n(0)]
    pub(crate) key: DeviceId,
    /// By that key over link and device.
    #[n(1)]
    pub(crate) signature: Signature,
    /// The device that asks.
    #[n(2)]
    pub(crate) device: DeviceId,
    /// By that device over the same.
    #[n(3)]
    pub(crate) device_signature: Signature,
}

/// What a ticket's holder is told.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) enum TicketAnswer {
    /// The card, sealed to the ticket.
    #[n(0)]
    Card(#[n(0)] Bytes),
    /// The request is kept; a steward has to look.
    #[n(1)]
    Waiting,
    /// A steward said no.
    #[n(2)]
    Declined,
    /// Nothing to be had with this ticket here.
    #[n(3)]
    Refused(#[n(0)] Refusal),
    /// Admitted: keys, acts and records.
    #[n(4)]
    Welcome(#[n(0)] Acts, #[n(1)] Vec<Bytes>),
}

/// Why a ticket gives nothing; a number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 0: not known here.
    Unknown,
    /// 1: its time is over.
    Expired,
    /// 2: somebody else came by it.
    Used,
    /// 3: it was closed.
    Closed,
    /// 4: too many tries, or too many requests wait.
    Busy,
    /// Any other: a newer program's. To this one it says no more than that nothing is known.
    Later(u8),
}

impl<C> Encode<C> for Refusal {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let number = match self {
            Self::Unknown => 0,
            Self::Expired => 1,
            Self::Used => 2,
            Self::Closed => 3,
            Self::Busy => 4,
            Self::Later(number) => *number,
        };
        e.u8(number)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Refusal {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Ok(match d.u8()? {
            0 => Self::Unknown,
            1 => Self::Expired,
            2 => Self::Used,
            3 => Self::Closed,
            4 => Self::Busy,
            later => Self::Later(later),
        })
    }
}

/// What only stewards read.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct RequestBody {
    /// The new device's public keys.
    #[n(0)]
    pub(crate) keys: DeviceKeys,
    /// How they want to be known.
    #[n(1)]
    pub(crate) name: crate::private::Private<String>,
    /// The agreement they sign.
    #[n(2)]
    pub(crate) agreement: Option<crate::circle::record::Digest>,
    /// By the ticket's key over circle and keys.
    #[n(3)]
    pub(crate) ticket_signature: Signature,
    /// By the new device over the same.
    #[n(4)]
    pub(crate) signature: Signature,
}

/// The preview that a link shows, and to whom a request is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Card {
    #[n(0)]
    pub(crate) circle_name: crate::private::Private<String>,
    #[n(1)]
    pub(crate) inviter_name: crate::private::Private<String>,
    #[n(2)]
    pub(crate) members: u32,
    #[n(3)]
    pub(crate) agreement: crate::private::Private<String>,
    #[n(4)]
    pub(crate) history: crate::circle::body::History,
    #[n(5)]
    pub(crate) retention: crate::circle::body::Retention,
    #[n(6)]
    pub(crate) suite: u8,
    /// Stewards' devices and their HPKE keys.
    #[n(7)]
    pub(crate) stewards: Vec<StewardKey>,
    /// The inviter's signature over all else here and the ticket's public key.
    #[n(8)]
    pub(crate) signature: Signature,
    /// Since when newcomers read as much as `history` says, where it was stricter before.
    #[n(9)]
    pub(crate) open_since: Option<crate::time::Millis>,
    /// The retention is shorter than what was before: from when on it binds, and what does until then.
    #[n(10)]
    pub(crate) shortened: Option<crate::circle::terms::RetentionTerm>,
}

/// A steward's device and its HPKE public key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct StewardKey {
    #[n(0)]
    pub(crate) device: DeviceId,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) hpke: Vec<u8>,
}

/// A newcomer's introduction, inside its seal.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Introduction {
    /// Acts, parents first, ending with their admission.
    #[n(0)]
    pub(crate) acts: Vec<Bytes>,
    /// Their record.
    #[n(1)]
    pub(crate) record: Bytes,
    /// By the one who left, so that nobody else is told that it is noted.
    #[n(2)]
    pub(crate) gone: Option<Gone>,
}

/// A device that left, and its word for it on this link.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Gone {
    /// Which one.
    #[n(0)]
    pub(crate) device: DeviceId,
    /// Its signature over the circle, itself and both ends.
    #[n(1)]
    pub(crate) signature: Signature,
}

#[cfg(test)]
mod frozen;
