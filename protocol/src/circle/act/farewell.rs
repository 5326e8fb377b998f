//! Farewells: what a removed person is told, and all they are told. Verifiable alone, carries nothing newer than the removal.

use minicbor::{Decode, Encode};

use crate::codec::{self, CodecError};
use crate::crypto::{Crypto, Signature, SigningKey};
use crate::id::{ActId, CircleId, DeviceId, PersonId};

const VERSION: u64 = 1;
const PURPOSE: &str = "kith/v1/farewell";

/// One person's removal, signed by who removed them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Farewell {
    #[n(0)]
    version: u64,
    /// From which circle.
    #[n(1)]
    pub circle: CircleId,
    /// Whose.
    #[n(2)]
    pub person: PersonId,
    /// The removal.
    #[n(3)]
    pub act: ActId,
    /// The removal's author, or a steward who hands it over.
    #[n(4)]
    pub signer: DeviceId,
    #[n(5)]
    signature: Signature,
}

impl Farewell {
    pub(super) const fn new(circle: CircleId, person: PersonId, act: ActId, signer: DeviceId, signature: Signature) -> Self {
        Self { version: VERSION, circle, person, act, signer, signature }
    }

    /// The same, signed by somebody else who hands it over.
    #[must_use]
    pub fn signed_again(&self, crypto: &dyn Crypto, signer: &SigningKey) -> Self {
        let signature = sign(crypto, signer, &self.circle, &self.person, &self.act);
        Self::new(self.circle, self.person, self.act, signer.id(), signature)
    }

    /// Reads a farewell's bytes.
    ///
    /// # Errors
    /// [`CodecError`] where they are not its canonical bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::check_version(bytes, VERSION, "farewell")?;
        codec::decode(bytes, "farewell")
    }

    /// As it travels.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Did the signer sign it? Whether they could remove that person is for the reader's membership to say.
    #[must_use]
    pub fn verify(&self, crypto: &dyn Crypto) -> bool {
        crypto.verify(&self.signer, PURPOSE, &[&self.circle.0, &self.person.0, &self.act.0], &self.signature)
    }
}

pub(super) fn sign(crypto: &dyn Crypto, signer: &SigningKey, circle: &CircleId, person: &PersonId, act: &ActId) -> Signature {
    crypto.sign(signer, PURPOSE, &[&circle.0, &person.0, &act.0])
}
