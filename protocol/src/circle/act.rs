//! Acts: single membership decisions, each signed by itself and sealed under the roster key.
//!
//! ActWire form, version 2, a CBOR array: `[2, circle, author, parents, epoch, sealed, signature, farewell]`. A genesis has
//! neither circle nor parents nor epoch (it is sealed under the epoch that it carries). The id is a hash of the bytes of the
//! first six elements, the associated data those of the first five.
//!
//! Later versions keep these eight elements, what they mean, the id and the signature; they say more or something else inside the
//! seal. So a program that does not know a version still verifies, keeps and passes on what is written in it
//! ([`SealedAct::parse_any`]).
#![deny(clippy::indexing_slicing, clippy::expect_used)]

mod farewell;
mod order;
mod store;

pub use farewell::Farewell;
pub(crate) use order::parents_first;
pub(crate) use store::{KeptActs, delete_unread, kept, put_unread};
pub use store::{acts, get_act, get_kept, put_act};

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use crate::circle::body::{NewEpoch, Statement};
use crate::circle::epoch;
use crate::codec::{self, CodecError};
use crate::crypto::{Crypto, Key, Signature, SigningKey, derive, hash, open, pad, seal, unpad};
use crate::id::{ActId, CircleId, DeviceId, EpochId};
use crate::limits;
use crate::time::Millis;
use crate::tomorrow::{self, is_tomorrow};
use crate::work;

const VERSION: u64 = 2;
/// The versions that this program judges, as it is noted in a store.
pub(crate) const VERSIONS: &[u8] = &[2];
const PURPOSE: &str = "kith/v1/act";

/// The sealed part of an act.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ActBody {
    /// When its author wrote it, by their clock: a label.
    #[n(0)]
    pub at: Millis,
    /// What it says.
    #[n(1)]
    pub statement: Statement,
    /// The epoch that it starts.
    #[n(2)]
    pub epoch: Option<NewEpoch>,
}

/// Where an act stands.
#[derive(Clone, Debug)]
pub enum ActPlace<'a> {
    /// It begins a circle; sealed under the roster key of the epoch that it carries.
    Genesis {
        /// That key.
        roster: &'a Key,
    },
    /// It belongs to a circle.
    In {
        /// Which.
        circle: CircleId,
        /// All heads that its author knows; at most [`limits::HEADS`].
        parents: Vec<ActId>,
        /// The epoch, usable in the act's own past, that it is sealed under.
        epoch: EpochId,
        /// That epoch's roster key.
        roster: &'a Key,
    },
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct ActWire {
    #[n(0)]
    version: u64,
    #[n(1)]
    circle: Option<CircleId>,
    #[n(2)]
    author: DeviceId,
    #[n(3)]
    parents: Vec<ActId>,
    #[n(4)]
    epoch: Option<EpochId>,
    #[cbor(n(5), with = "minicbor::bytes")]
    sealed: Vec<u8>,
    #[n(6)]
    signature: Signature,
    #[n(7)]
    farewell: Option<Signature>,
}

/// An act as it travels and is stored: parsed, not yet opened. Its signature is verified only by [`SealedAct::verify`].
#[derive(Clone, PartialEq, Eq)]
pub struct SealedAct {
    version: u64,
    bytes: Vec<u8>,
    id: ActId,
    circle: CircleId,
    author: DeviceId,
    parents: Vec<ActId>,
    epoch: Option<EpochId>,
    place: Vec<u8>,
    sealed: Vec<u8>,
    signature: Signature,
    farewell: Option<Signature>,
}

impl SealedAct {
    /// Reads an act's bytes.
    ///
    /// # Errors
    /// [`CodecError`] where they are not an act's canonical bytes, or of a version that this program does not know.
    pub fn parse(bytes: &[u8]) -> Result<Self, CodecError> {
        let act = Self::parse_any(bytes)?;
        if act.is_newer() { Err(CodecError::Version(act.version)) } else { Ok(act) }
    }

    /// Reads the bytes of an act of this or any later version.
    ///
    /// # Errors
    /// [`CodecError`] where they are not an act's canonical bytes, or of a version before all that were ever kept.
    pub fn parse_any(bytes: &[u8]) -> Result<Self, CodecError> {
        work::did(|work| work.acts += 1);
        let version = codec::version(bytes, "act")?;
        if version < VERSION {
            return Err(CodecError::Version(version));
        }
        let wire: ActWire = codec::decode_within(bytes, limits::ACT_BYTES, "act")?;
        let rooted = wire.circle.is_some();
        if rooted != wire.epoch.is_some() || rooted == wire.parents.is_empty() || wire.parents.len() > limits::HEADS {
            return Err(CodecError::Malformed("place of an act"));
        }
        if !wire.parents.is_sorted_by(|a, b| a < b) {
            return Err(CodecError::Malformed("parents of an act"));
        }
        let (place, signed) = borders(bytes).ok_or(CodecError::Malformed("act"))?;
        let id = ActId(hash(PURPOSE, &[signed]));
        Ok(Self {
            version,
            id,
            circle: wire.circle.unwrap_or(CircleId(id.0)),
            author: wire.author,
            parents: wire.parents,
            epoch: wire.epoch,
            place: place.to_vec(),
            sealed: wire.sealed,
            signature: wire.signature,
            farewell: wire.farewell,
            bytes: bytes.to_vec(),
        })
    }

    /// Is it of a version that this program cannot open?
    #[must_use]
    pub fn is_newer(&self) -> bool {
        self.version != VERSION && !(is_tomorrow() && self.version == tomorrow::ACT_VERSION)
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> ActId {
        self.id
    }

    /// Its circle; a genesis is its own.
    #[must_use]
    pub const fn circle(&self) -> CircleId {
        self.circle
    }

    /// Who signed it: a device, or a recovery key.
    #[must_use]
    pub const fn author(&self) -> DeviceId {
        self.author
    }

    /// What its author knew, ascending.
    #[must_use]
    pub fn parents(&self) -> &[ActId] {
        &self.parents
    }

    /// The epoch it is sealed under; `None` for a genesis, which is sealed under the one it carries.
    #[must_use]
    pub const fn epoch(&self) -> Option<EpochId> {
        self.epoch
    }

    /// Does it begin a circle?
    #[must_use]
    pub const fn is_genesis(&self) -> bool {
        self.epoch.is_none()
    }

    /// As it travels and is stored.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Did its author sign it?
    #[must_use]
    pub fn verify(&self, crypto: &dyn Crypto) -> bool {
        crypto.verify(&self.author, PURPOSE, &[&self.circle.0, &self.id.0], &self.signature)
    }

    /// What it says; `None` where the key is another or the body is none.
    #[must_use]
    pub fn open(&self, roster: &Key) -> Option<ActBody> {
        if self.is_newer() {
            return None;
        }
        let plain = open(&body_key(roster), &self.place, &self.sealed)?;
        let body: ActBody = codec::decode(unpad(&plain)?, "body of an act").ok()?;
        let genesis = matches!(body.statement, Statement::Genesis { .. });
        let fits = genesis == self.is_genesis() && body.epoch.as_ref().is_none_or(epoch::well_formed);
        (fits && (!genesis || body.epoch.is_some())).then_some(body)
    }

    /// The farewell that a removal carries; `None` for any other act. `body` is what [`SealedAct::open`] gave.
    #[must_use]
    pub fn farewell(&self, body: &ActBody) -> Option<Farewell> {
        match (&body.statement, self.farewell) {
            (Statement::Remove { person, .. }, Some(signature)) => {
                Some(Farewell::new(self.circle, *person, self.id, self.author, signature))
            }
            _ => None,
        }
    }

    /// Does a removal carry a valid farewell, and any other act none? An act of which this is not so is refused, as one whose
    /// signature is wrong: the farewell is no part of the id, and anyone who passes the act on could have bent it.
    #[must_use]
    pub fn farewell_stands(&self, crypto: &dyn Crypto, body: &ActBody) -> bool {
        match self.farewell(body) {
            Some(farewell) => farewell.verify(crypto),
            None => self.farewell.is_none() && !matches!(body.statement, Statement::Remove { .. }),
        }
    }
}

impl std::fmt::Debug for SealedAct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedAct").field("id", &self.id).field("author", &self.author).finish_non_exhaustive()
    }
}

/// Seals and signs an act.
///
/// # Errors
/// [`CodecError::TooLarge`] where nobody would accept it, [`CodecError::Malformed`] where its place is none.
pub fn write_act(
    crypto: &dyn Crypto,
    rng: &mut dyn CryptoRng,
    signer: &SigningKey,
    place: ActPlace<'_>,
    body: &ActBody,
) -> Result<SealedAct, CodecError> {
    let (circle, mut parents, epoch, roster) = match place {
        ActPlace::Genesis { roster } => (None, Vec::new(), None, roster),
        ActPlace::In { circle, parents, epoch, roster } => (Some(circle), parents, Some(epoch), roster),
    };
    parents.sort_unstable();
    parents.dedup();
    let blank = Signature([0; 64]);
    let farewell = matches!(body.statement, Statement::Remove { .. }).then_some(blank);
    let later = is_tomorrow() && matches!(body.statement, Statement::Role { .. });
    let (version, author) = (if later { tomorrow::ACT_VERSION } else { VERSION }, signer.id());
    let mut wire = ActWire { version, circle, author, parents, epoch, sealed: Vec::new(), signature: blank, farewell };
    let draft = codec::encode(&wire);
    let (header, _) = borders(&draft).ok_or(CodecError::Malformed("act"))?;
    wire.sealed = seal(&body_key(roster), rng, header, &pad(codec::encode(body)));
    let draft = SealedAct::parse(&codec::encode(&wire))?;
    wire.signature = crypto.sign(signer, PURPOSE, &[&draft.circle.0, &draft.id.0]);
    if let Statement::Remove { person, .. } = &body.statement {
        wire.farewell = Some(farewell::sign(crypto, signer, &draft.circle, person, &draft.id));
    }
    SealedAct::parse(&codec::encode(&wire))
}

/// The same act, of another version and signed again.
#[cfg(test)]
pub(crate) fn of_version(crypto: &dyn Crypto, signer: &SigningKey, act: &SealedAct, version: u64) -> SealedAct {
    #![allow(clippy::expect_used, reason = "a test that fails may panic")]
    let mut wire: ActWire = codec::decode(act.bytes(), "act").expect("an act");
    (wire.version, wire.author) = (version, signer.id());
    let draft = SealedAct::parse_any(&codec::encode(&wire)).expect("an act");
    wire.signature = crypto.sign(signer, PURPOSE, &[&draft.circle.0, &draft.id.0]);
    SealedAct::parse_any(&codec::encode(&wire)).expect("an act")
}

fn body_key(roster: &Key) -> Key {
    derive("kith/v1/act-body", roster, &[])
}

/// The bytes of the first five elements, and of the first six.
fn borders(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut decoder = minicbor::Decoder::new(bytes);
    decoder.array().ok()?;
    let start = decoder.position();
    for _ in 0..5 {
        decoder.skip().ok()?;
    }
    let place = decoder.position();
    decoder.skip().ok()?;
    Some((bytes.get(start..place)?, bytes.get(start..decoder.position())?))
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod frozen;
