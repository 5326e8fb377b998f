//! Ed25519 signatures (RFC 8032), verified strictly: never in batches, no small-order keys, no malleable encodings.

use std::fmt;

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use zeroize::Zeroize;

use crate::id::DeviceId;

/// A signature.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Signature(#[cbor(with = "minicbor::bytes")] pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "signature({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// A signing key: a device's, an invite's or a recovery key. Wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let key = Self::from_seed(seed);
        seed.zeroize();
        key
    }

    /// From its 32-byte seed.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// Its public half, which is the device's id.
    #[must_use]
    pub fn id(&self) -> DeviceId {
        DeviceId(self.0.verifying_key().to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signing key of {}", self.id())
    }
}

impl<C> Encode<C> for SigningKey {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(self.0.as_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for SigningKey {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let mut seed: [u8; 32] = minicbor::bytes::decode(d, ctx)?;
        let key = Self::from_seed(seed);
        seed.zeroize();
        Ok(key)
    }
}

/// purpose ‖ 0 ‖ the parts, each behind its length.
fn message(purpose: &'static str, parts: &[&[u8]]) -> Vec<u8> {
    let size = purpose.len() + 1 + parts.iter().map(|part| part.len() + 8).sum::<usize>();
    let mut out = Vec::with_capacity(size);
    out.extend_from_slice(purpose.as_bytes());
    out.push(0);
    for part in parts {
        out.extend_from_slice(&(part.len() as u64).to_le_bytes());
        out.extend_from_slice(part);
    }
    out
}

pub(super) fn sign(key: &SigningKey, purpose: &'static str, parts: &[&[u8]]) -> Signature {
    use ed25519_dalek::Signer;
    Signature(key.0.sign(&message(purpose, parts)).to_bytes())
}

pub(super) fn verify(key: &DeviceId, purpose: &'static str, parts: &[&[u8]], signature: &Signature) -> bool {
    let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(key.as_bytes()) else { return false };
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    key.verify_strict(&message(purpose, parts), &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Seeded;

    const PURPOSE: &str = "kith/v1/test";

    #[test]
    fn verifies_only_the_same_purpose_parts_and_key() {
        let mut rng = Seeded::new(2);
        let (key, other) = (SigningKey::generate(&mut rng), SigningKey::generate(&mut rng));
        let signature = sign(&key, PURPOSE, &[b"one", b"two"]);
        assert!(verify(&key.id(), PURPOSE, &[b"one", b"two"], &signature));
        assert!(!verify(&other.id(), PURPOSE, &[b"one", b"two"], &signature));
        assert!(!verify(&key.id(), "kith/v1/other", &[b"one", b"two"], &signature));
        assert!(!verify(&key.id(), PURPOSE, &[b"onet", b"wo"], &signature));
        for at in 0..64 {
            let mut bent = signature;
            bent.0[at] ^= 1;
            assert!(!verify(&key.id(), PURPOSE, &[b"one", b"two"], &bent), "byte {at}");
        }
    }

    #[test]
    fn e3_small_order_keys_and_malleable_signatures_are_refused() {
        let mut rng = Seeded::new(3);
        let key = SigningKey::generate(&mut rng);
        let signature = sign(&key, PURPOSE, &[b"x"]);
        // S + L: the same point equation, another encoding.
        let order: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let mut bent = signature;
        let mut carry = 0u16;
        for (byte, more) in bent.0.iter_mut().skip(32).zip(order) {
            let sum = u16::from(*byte) + u16::from(more) + carry;
            [*byte, _] = sum.to_le_bytes();
            carry = sum >> 8;
        }
        assert!(!verify(&key.id(), PURPOSE, &[b"x"], &bent));
        // The identity point as key and as R, S = 0: satisfies the cofactored equation for every message.
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut forged = [0; 64];
        forged[0] = 1;
        assert!(!verify(&DeviceId(identity), PURPOSE, &[b"x"], &Signature(forged)));
    }

    #[test]
    fn a_secret_does_not_show() {
        let key = SigningKey::from_seed([9; 32]);
        assert!(!format!("{key:?}").contains("9, 9"));
        let bytes = crate::codec::encode(&key);
        assert_eq!(crate::codec::decode::<SigningKey>(&bytes, "key").expect("decodes"), key);
    }
}
