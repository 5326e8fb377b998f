//! Every use of a cryptographic primitive. Nothing outside this room calls one.
//!
//! Owns keys and their lifetimes: secrets are wiped when dropped and never show in a debug print. Must never invent a
//! primitive, read ambient randomness, or accept a key or signature that two implementations could judge differently
//! (Ed25519 is verified strictly, low-order X25519 points are refused).
//!
//! Every use names its purpose, `kith/v1/<purpose>`; parts are length-prefixed (64 bit, little endian), so that no two lists
//! of parts are the same bytes.

mod device;
mod hash;
mod hello;
mod hpke;
mod key;
mod pad;
mod seeded;
mod sign;

pub use device::{DeviceKeys, DeviceSecrets};
pub use hash::{derive, hash, mac};
pub use hello::HelloSecret;
pub use hpke::{HpkeSecret, Suite};
pub(crate) use key::Sealer;
pub use key::{Key, open, seal, seal_with};
pub use pad::{pad, padded_len, unpad};
pub use seeded::Seeded;
pub use sign::{Signature, SigningKey};

use rand_core::CryptoRng;

use crate::id::DeviceId;

/// Signing, verifying and sealing to keys, behind a trait so that bulk simulations can be cheap.
///
/// [`Real`] is the only implementation that production code may use.
pub trait Crypto: std::fmt::Debug {
    /// Signs `parts` for `purpose`.
    fn sign(&self, key: &SigningKey, purpose: &'static str, parts: &[&[u8]]) -> Signature;

    /// Did `key` sign exactly these parts for this purpose?
    fn verify(&self, key: &DeviceId, purpose: &'static str, parts: &[&[u8]], signature: &Signature) -> bool;

    /// Seals to the public HPKE key `to`; `None` where that is no key of the suite.
    fn box_seal(&self, rng: &mut dyn CryptoRng, suite: Suite, to: &[u8], info: &[u8], plain: &[u8]) -> Option<Vec<u8>>;

    /// Opens what [`Crypto::box_seal`] made for this secret and this `info`.
    fn box_open(&self, suite: Suite, secret: &HpkeSecret, info: &[u8], sealed: &[u8]) -> Option<Vec<u8>>;
}

/// Ed25519 (RFC 8032, strict) and HPKE (RFC 9180).
#[derive(Clone, Copy, Debug, Default)]
pub struct Real;

impl Crypto for Real {
    fn sign(&self, key: &SigningKey, purpose: &'static str, parts: &[&[u8]]) -> Signature {
        sign::sign(key, purpose, parts)
    }

    fn verify(&self, key: &DeviceId, purpose: &'static str, parts: &[&[u8]], signature: &Signature) -> bool {
        sign::verify(key, purpose, parts, signature)
    }

    fn box_seal(&self, rng: &mut dyn CryptoRng, suite: Suite, to: &[u8], info: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        hpke::seal(rng, suite, to, info, plain)
    }

    fn box_open(&self, suite: Suite, secret: &HpkeSecret, info: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        hpke::open(suite, secret, info, sealed)
    }
}
