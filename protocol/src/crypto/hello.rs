//! The static Diffie–Hellman behind the hidden hello: X25519 (RFC 7748), low-order points refused.

use std::fmt;

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use zeroize::Zeroize;

use super::{Key, derive};

/// A device's hello key. Wiped when dropped.
#[derive(Clone)]
pub struct HelloSecret(x25519_dalek::StaticSecret);

impl HelloSecret {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        let secret = Self::from_bytes(bytes);
        bytes.zeroize();
        secret
    }

    /// From its bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(x25519_dalek::StaticSecret::from(bytes))
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        x25519_dalek::PublicKey::from(&self.0).to_bytes()
    }

    /// What both sides share, bound to both public keys; the same on both sides. `None` for a low-order point.
    #[must_use]
    pub fn agree(&self, public: &[u8; 32]) -> Option<Key> {
        let shared = self.0.diffie_hellman(&x25519_dalek::PublicKey::from(*public));
        if !shared.was_contributory() {
            return None;
        }
        let own = self.public();
        let (low, high) = if own <= *public { (&own, public) } else { (public, &own) };
        Some(derive("kith/v1/hello-agreement", &Key::from_bytes(shared.to_bytes()), &[low, high]))
    }
}

impl fmt::Debug for HelloSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<hello secret>")
    }
}

impl<C> Encode<C> for HelloSecret {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(self.0.as_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for HelloSecret {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let mut bytes: [u8; 32] = minicbor::bytes::decode(d, ctx)?;
        let secret = Self::from_bytes(bytes);
        bytes.zeroize();
        Ok(secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Seeded;

    #[test]
    fn both_sides_agree() {
        let mut rng = Seeded::new(4);
        let (a, b) = (HelloSecret::generate(&mut rng), HelloSecret::generate(&mut rng));
        assert_eq!(a.agree(&b.public()), b.agree(&a.public()));
        assert_ne!(a.agree(&b.public()), a.agree(&a.public()));
    }

    #[test]
    fn e4_low_order_points_are_refused() {
        let secret = HelloSecret::from_bytes([5; 32]);
        let mut one = [0; 32];
        one[0] = 1;
        let eight: [u8; 32] = [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d,
            0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
        ];
        for point in [[0; 32], one, eight] {
            assert_eq!(secret.agree(&point), None);
        }
    }
}
