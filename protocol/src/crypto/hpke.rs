//! Sealing to a public key: HPKE (RFC 9180), base mode, one message.
//!
//! Both suites use HKDF-SHA256 (0x0001) and ChaCha20-Poly1305 (0x0003), the algorithms RFC 9180 itself registers; they differ
//! in the KEM: X-Wing (0x647a, ML-KEM-768 with X25519) or DHKEM(X25519, HKDF-SHA256) (0x0020), which refuses low-order points.

use crate::limits::HPKE_INFO_BYTES;

use std::fmt;

use ::hpke::aead::ChaCha20Poly1305;
use ::hpke::kdf::HkdfSha256;
use ::hpke::kem::{X25519HkdfSha256, XWing};
use ::hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal_with_rng};
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A circle's HPKE suite; fixed by its genesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Suite {
    /// X-Wing: stays closed while either ML-KEM-768 or X25519 holds.
    #[n(1)]
    XWing = 1,
    /// X25519 alone: small boxes, no protection against a quantum computer.
    #[n(2)]
    X25519 = 2,
}

impl Suite {
    /// From the byte that a genesis names.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::XWing),
            2 => Some(Self::X25519),
            _ => None,
        }
    }

    /// The byte that a genesis names.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::XWing => 1,
            Self::X25519 => 2,
        }
    }

    /// Are these the bytes of a public key of this suite?
    #[must_use]
    pub fn accepts(self, public: &[u8]) -> bool {
        match self {
            Self::XWing => <XWing as Kem>::PublicKey::from_bytes(public).is_ok(),
            Self::X25519 => <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(public).is_ok(),
        }
    }
}

/// A device's HPKE secret of one suite. Wiped when dropped.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Zeroize, ZeroizeOnDrop)]
#[cbor(array)]
pub struct HpkeSecret {
    #[n(0)]
    #[zeroize(skip)]
    suite: Suite,
    #[cbor(n(1), with = "minicbor::bytes")]
    bytes: [u8; 32],
}

impl HpkeSecret {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng, suite: Suite) -> Self {
        let mut secret = Self { suite, bytes: [0; 32] };
        rng.fill_bytes(&mut secret.bytes);
        secret
    }

    /// Of which suite?
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// Its public half (X-Wing 1,216 bytes, X25519 32 bytes).
    #[must_use]
    pub fn public(&self) -> Vec<u8> {
        match self.suite {
            Suite::XWing => public::<XWing>(&self.bytes),
            Suite::X25519 => public::<X25519HkdfSha256>(&self.bytes),
        }
    }
}

impl fmt::Debug for HpkeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<hpke secret, {:?}>", self.suite)
    }
}

/// Any 32 bytes are a secret of either KEM.
fn public<K: Kem>(bytes: &[u8; 32]) -> Vec<u8> {
    K::PrivateKey::from_bytes(bytes).map(|secret| K::sk_to_pk(&secret).to_bytes().to_vec()).unwrap_or_default()
}

pub(super) fn seal(rng: &mut dyn CryptoRng, suite: Suite, to: &[u8], info: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    match suite {
        Suite::XWing => seal_to::<XWing>(rng, to, info, plain),
        Suite::X25519 => seal_to::<X25519HkdfSha256>(rng, to, info, plain),
    }
}

pub(super) fn open(suite: Suite, secret: &HpkeSecret, info: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    if secret.suite != suite {
        return None;
    }
    match suite {
        Suite::XWing => open_with::<XWing>(&secret.bytes, info, sealed),
        Suite::X25519 => open_with::<X25519HkdfSha256>(&secret.bytes, info, sealed),
    }
}

fn seal_to<K: Kem>(mut rng: &mut dyn CryptoRng, to: &[u8], info: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    if info.len() > HPKE_INFO_BYTES {
        return None;
    }
    let to = K::PublicKey::from_bytes(to).ok()?;
    let sealed = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, K>(&OpModeS::Base, &to, info, plain, &[], &mut rng);
    let (encapsulated, mut body) = sealed.ok()?;
    let mut out = encapsulated.to_bytes().to_vec();
    out.append(&mut body);
    Some(out)
}

fn open_with<K: Kem>(secret: &[u8; 32], info: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    if info.len() > HPKE_INFO_BYTES {
        return None;
    }
    let secret = K::PrivateKey::from_bytes(secret).ok()?;
    let (encapsulated, body) = sealed.split_at_checked(K::EncappedKey::size())?;
    let encapsulated = K::EncappedKey::from_bytes(encapsulated).ok()?;
    single_shot_open::<ChaCha20Poly1305, HkdfSha256, K>(&OpModeR::Base, &secret, &encapsulated, info, body, &[]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Seeded;

    #[test]
    fn opens_only_for_the_addressee_and_the_same_info() {
        let mut rng = Seeded::new(6);
        for (suite, size, overhead) in [(Suite::XWing, 1_216, 1_120 + 16), (Suite::X25519, 32, 32 + 16)] {
            let (one, two) = (HpkeSecret::generate(&mut rng, suite), HpkeSecret::generate(&mut rng, suite));
            assert_eq!(one.public().len(), size);
            assert!(suite.accepts(&one.public()));
            let sealed = seal(&mut rng, suite, &one.public(), b"info", b"keys").expect("seals");
            assert_eq!(sealed.len(), overhead + 4);
            assert_eq!(open(suite, &one, b"info", &sealed).as_deref(), Some(&b"keys"[..]));
            assert_eq!(open(suite, &two, b"info", &sealed), None);
            assert_eq!(open(suite, &one, b"other", &sealed), None);
            assert_eq!(open(suite, &one, b"info", &sealed[..sealed.len() - 1]), None);
            assert_eq!(open(suite, &one, b"info", &[]), None);
        }
    }

    #[test]
    fn e4_keys_that_are_none_are_refused() {
        let mut rng = Seeded::new(7);
        assert_eq!(seal(&mut rng, Suite::X25519, &[0; 32], b"", b"keys"), None);
        assert_eq!(seal(&mut rng, Suite::X25519, &[0; 31], b"", b"keys"), None);
        assert_eq!(seal(&mut rng, Suite::XWing, &[0xff; 1_216], b"", b"keys"), None);
        assert_eq!(Suite::from_byte(0), None);
        let secret = HpkeSecret::generate(&mut rng, Suite::XWing);
        let bytes = crate::codec::encode(&secret);
        assert_eq!(crate::codec::decode::<HpkeSecret>(&bytes, "secret").expect("decodes"), secret);
    }
}
