//! Symmetric keys and the one AEAD that content is sealed with: XChaCha20-Poly1305.

use std::fmt;

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of a nonce.
const NONCE_BYTES: usize = 24;
/// Bytes of an authentication tag.
pub(crate) const TAG_BYTES: usize = 16;

/// A 256-bit secret. Wiped when dropped; `Debug` shows nothing of it; two are compared in constant time.
#[derive(Clone, Encode, Decode, Zeroize, ZeroizeOnDrop)]
#[cbor(transparent)]
pub struct Key(#[cbor(with = "minicbor::bytes")] [u8; 32]);

impl Key {
    /// A new one.
    #[must_use]
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        let mut key = Self([0; 32]);
        rng.fill_bytes(&mut key.0);
        key
    }

    /// From its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        blake3::Hash::from_bytes(self.0) == blake3::Hash::from_bytes(other.0)
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<key>")
    }
}

/// Seals with a random nonce: nonce (24) ‖ ciphertext ‖ tag (16).
#[must_use]
pub fn seal(key: &Key, rng: &mut dyn CryptoRng, aad: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut nonce = [0; NONCE_BYTES];
    rng.fill_bytes(&mut nonce);
    seal_with(key, &nonce, aad, plain)
}

/// Seals with a given nonce, which must never seal anything else under this key; same layout as [`seal`].
#[must_use]
pub fn seal_with(key: &Key, nonce: &[u8; 24], aad: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(NONCE_BYTES + plain.len() + TAG_BYTES);
    out.extend_from_slice(nonce);
    out.extend_from_slice(plain);
    Sealer::new(key).seal_in_place(&mut out, aad);
    out
}

/// What [`seal`] sealed; `None` where key, associated data or bytes are not the same.
#[must_use]
pub fn open(key: &Key, aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    Sealer::new(key).open(aad, sealed)
}

/// A key made ready for many uses.
pub(crate) struct Sealer(XChaCha20Poly1305);

impl Sealer {
    pub(crate) fn new(key: &Key) -> Self {
        Self(XChaCha20Poly1305::new(&key.0.into()))
    }

    /// Seals nonce (24) ‖ plain, and appends the tag.
    pub(crate) fn seal_in_place(&self, buffer: &mut Vec<u8>, aad: &[u8]) {
        let Some((nonce, body)) = buffer.split_first_chunk_mut::<NONCE_BYTES>() else { return };
        // The cipher refuses only messages of more than 2^38 bytes, which no memory holds.
        let tag = self.0.encrypt_inout_detached(&XNonce::from(*nonce), aad, InOutBuf::from(body)).unwrap_or_default();
        buffer.extend_from_slice(&tag);
    }

    pub(crate) fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let (body, tag) = rest.split_last_chunk::<TAG_BYTES>()?;
        let mut plain = body.to_vec();
        let buffer = InOutBuf::from(plain.as_mut_slice());
        self.0.decrypt_inout_detached(&XNonce::from(*nonce), aad, buffer, &Tag::from(*tag)).ok()?;
        Some(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Seeded;

    #[test]
    fn opens_only_what_was_sealed() {
        let mut rng = Seeded::new(1);
        let key = Key::random(&mut rng);
        let sealed = seal(&key, &mut rng, b"place", b"I am here");
        assert_eq!(open(&key, b"place", &sealed).as_deref(), Some(&b"I am here"[..]));
        assert_eq!(open(&key, b"elsewhere", &sealed), None);
        assert_eq!(open(&Key::random(&mut rng), b"place", &sealed), None);
        for at in 0..sealed.len() {
            let mut other = sealed.clone();
            other[at] ^= 1;
            assert_eq!(open(&key, b"place", &other), None, "byte {at}");
            assert_eq!(open(&key, b"place", &sealed[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn the_published_example_of_xchacha20_poly1305() {
        // draft-irtf-cfrg-xchacha, A.3.1
        let mut next = (0x80_u8.., 0x40_u8..);
        let key: [u8; 32] = std::array::from_fn(|_| next.0.next().unwrap_or(0));
        let nonce: [u8; 24] = std::array::from_fn(|_| next.1.next().unwrap_or(0));
        let aad = [0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7];
        let plain =
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
        let sealed = seal_with(&Key::from_bytes(key), &nonce, &aad, plain);
        let tag = data_encoding::HEXLOWER.encode(&sealed[sealed.len() - 16..]);
        assert_eq!(tag, "c0875924c1c7987947deafd8780acf49");
    }

    #[test]
    fn a_key_does_not_show() {
        assert_eq!(format!("{:?}", Key::from_bytes([7; 32])), "<key>");
    }
}
