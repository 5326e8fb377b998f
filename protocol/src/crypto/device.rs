//! The keys of one device in one circle: three secrets, and their public halves.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use super::{HelloSecret, HpkeSecret, SigningKey, Suite};
use crate::id::DeviceId;

/// The three secrets of one device in one circle; fresh per circle, never used in another.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(array)]
pub struct DeviceSecrets {
    /// Signs acts and entries.
    #[n(0)]
    pub sign: SigningKey,
    /// Opens boxes.
    #[n(1)]
    pub hpke: HpkeSecret,
    /// Recognises the circle's other devices.
    #[n(2)]
    pub hello: HelloSecret,
}

impl DeviceSecrets {
    /// New ones.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng, suite: Suite) -> Self {
        Self { sign: SigningKey::generate(rng), hpke: HpkeSecret::generate(rng, suite), hello: HelloSecret::generate(rng) }
    }

    /// Their public halves.
    #[must_use]
    pub fn keys(&self) -> DeviceKeys {
        DeviceKeys { sign: self.sign.id(), hpke: self.hpke.public(), hello: self.hello.public() }
    }
}

/// The public keys of one device in one circle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct DeviceKeys {
    /// Ed25519 verification key; the device's id.
    #[n(0)]
    pub sign: DeviceId,
    /// HPKE public key of the circle's suite (X-Wing 1,216 bytes, X25519 32 bytes).
    #[cbor(n(1), with = "minicbor::bytes")]
    pub hpke: Vec<u8>,
    /// X25519 public key for the hidden hello.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub hello: [u8; 32],
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Seeded;

    #[test]
    fn survives_the_store() {
        let secrets = DeviceSecrets::generate(&mut Seeded::new(8), Suite::XWing);
        let bytes = crate::codec::encode(&secrets);
        let back: DeviceSecrets = crate::codec::decode(&bytes, "secrets").expect("decodes");
        assert_eq!(back.keys(), secrets.keys());
    }
}
