//! The three secrets of one device in one circle.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use super::{HelloSecret, HpkeSecret, SigningKey, Suite};
use crate::circle::body::DeviceKeys;

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
